"""Small charts as inline SVG: bars with their figures beside them, and bars of parts of a whole.

Text stands beside every bar, so that nothing is told by colour alone; each
picture has a title and a description that says all its figures.  The bytes
depend on nothing but what is given.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from reports.mapdrawing import PALETTES

__all__ = ["Bar", "Stack", "bar_chart", "stack_chart"]

# All lengths in the units of the picture's own 360 across.
WIDE, LEFT, LABEL, THICK, GAP = 360, 1, 17, 18, 11
ROOM = 74  # kept free at the right of a bar for its figure
HEAD = 12
INK, PAPER, FILL = "#0b0c0c", "#ffffff", "#186290"
LEGEND_STEP = 120


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One bar: `told` is its figure as text; `value` None draws no bar; `marked` bars are hatched, and their name says why."""

    name: str
    value: float | None
    told: str
    marked: bool = False


@dataclass(frozen=True, kw_only=True)
class Stack:
    """One bar of parts, which add up to 1."""

    name: str
    parts: tuple[float, ...]


def bar_chart(identity: str, title: str, bars: Sequence[Bar]) -> str:
    """Bars from 0 to the right, each under its name; negative values are drawn as nothing, and told."""
    largest = max((bar.value or 0 for bar in bars), default=0) or 1
    parts, top = [_hatching(identity)], HEAD
    for bar in bars:
        parts.append(_text(LEFT, top + 3, bar.name))
        top += LABEL - HEAD + 4
        length = max(bar.value or 0, 0) / largest * (WIDE - ROOM)
        fill = f"url(#{identity}-hatch)" if bar.marked else FILL
        if length > 0:
            parts.append(_rectangle(LEFT, top, max(length, 1), fill))
        parts.append(_text(LEFT + max(length, 0) + 6, top + 14, bar.told, weight=700))
        top += THICK + GAP + HEAD
    said = "; ".join(f"{bar.name}: {bar.told}" for bar in bars)
    return _picture(identity, title, said, parts, top - HEAD)


def stack_chart(identity: str, title: str, names: Sequence[str], stacks: Sequence[Stack]) -> str:
    """Bars of one length, cut into the same parts in the same order; the last part is hatched, the others go from light to dark.

    Raises
    ------
    ValueError
        There are more parts than colours.
    """
    if not 1 <= len(names) - 1 <= max(PALETTES):
        raise ValueError(f"a stack has 2 to {max(PALETTES) + 1} parts, not {len(names)}")
    fills = [*PALETTES[len(names) - 1], f"url(#{identity}-hatch)"]
    parts, top = [_hatching(identity)], HEAD
    for at, (name, fill) in enumerate(zip(names, fills, strict=True)):
        across, down = at % 3 * LEGEND_STEP, at // 3 * 22
        parts.append(_rectangle(LEFT + across, top - 10 + down, 14, fill, 14))
        parts.append(_text(LEFT + across + 20, top + 2 + down, name))
    top += (len(names) + 2) // 3 * 22 + 6
    for stack in stacks:
        parts.append(_text(LEFT, top + 3, stack.name))
        top += LABEL - HEAD + 4
        parts += _pieces(stack, fills, top)
        top += THICK + GAP + HEAD
    said = "; ".join(f"{stack.name}: {_told(names, stack)}" for stack in stacks)
    return _picture(identity, title, said, parts, top - HEAD)


def _told(names: Sequence[str], stack: Stack) -> str:
    return ", ".join(f"{name} {100 * part:.1f}%" for name, part in zip(names, stack.parts, strict=True))


def _pieces(stack: Stack, fills: Sequence[str], top: float) -> list[str]:
    """The parts of a bar, with their share written into those that have the room."""
    made, start, whole = [], float(LEFT), WIDE - 2 * LEFT
    for part, fill in zip(stack.parts, fills, strict=True):
        length = part * whole
        if length > 0:
            made.append(_rectangle(start, top, length, fill))
        if part >= 0.11 and not fill.startswith("url"):
            colour = PAPER if _dark(fill) else INK
            made.append(_text(start + length / 2, top + 14, f"{100 * part:.0f}%", colour=colour, middle=True))
        start += length
    return made


def _dark(colour: str) -> bool:
    """Whether white reads better on a colour than black (relative luminance below 0.18, WCAG 2.2)."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] < 0.18


def _picture(identity: str, title: str, said: str, parts: Sequence[str], height: float) -> str:
    return (
        f'<svg class="sa-chart" viewBox="0 0 {WIDE} {height:g}" role="img" '
        f'aria-labelledby="{escape(identity)}-title {escape(identity)}-said" xmlns="http://www.w3.org/2000/svg">'
        f'<title id="{escape(identity)}-title">{escape(title)}</title>'
        f'<desc id="{escape(identity)}-said">{escape(said)}</desc>{"".join(parts)}</svg>'
    )


def _hatching(identity: str) -> str:
    return (
        f'<defs><pattern id="{escape(identity)}-hatch" width="6" height="6" patternUnits="userSpaceOnUse" '
        f'patternTransform="rotate(45)"><path fill="{PAPER}" d="M0 0h6v6H0z"/>'
        f'<path stroke="{INK}" stroke-width="2" d="M0 0v6"/></pattern></defs>'
    )


def _rectangle(left: float, top: float, length: float, fill: str, height: float = THICK) -> str:
    return (
        f'<rect x="{left:.1f}" y="{top:g}" width="{length:.1f}" height="{height:g}" fill="{escape(fill)}" '
        f'stroke="{INK}" stroke-width="0.75"/>'
    )


def _text(left: float, top: float, text: str, *, weight: int = 400, colour: str = INK, middle: bool = False) -> str:
    anchor = ' text-anchor="middle"' if middle else ""
    return (
        f'<text x="{left:.1f}" y="{top:g}" fill="{colour}" font-size="13" font-weight="{weight}"{anchor}>'
        f"{escape(text)}</text>"
    )
