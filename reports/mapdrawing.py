"""Puts a map on paper with matplotlib: polygons in classes, hatching, outlines, legend, words.

Knows shapes and text, not tables.  The bytes depend on nothing but what is
given: no date, no machine's settings or fonts (the font comes with
matplotlib), a fixed salt for the ids in SVG.
"""

import io
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

__all__ = ["PALETTES", "Hatching", "Legend", "Picture", "draw"]

# The five classes of the ONS census maps; fewer classes take those of them that lie furthest apart.
FIVE = ("#CDE594", "#80C6A3", "#1F9EB7", "#186290", "#080C54")
PALETTES = {
    0: (),
    1: (FIVE[2],),
    2: (FIVE[1], FIVE[3]),
    3: (FIVE[0], FIVE[2], FIVE[4]),
    4: (FIVE[0], FIVE[1], FIVE[3], FIVE[4]),
    5: FIVE,
}
INK = "#0b0c0c"
GREY = "#505a5f"
PAPER = "#ffffff"
HATCHES = ("////", "....", "xxxx", "\\\\\\\\", "++++")

# Inches.
WIDTH, MARGIN, MAP_WIDTH, GAP = 8.0, 0.3, 5.2, 0.25
LEAST_HEIGHT, MOST_HEIGHT = 3.4, 7.2
DOTS = 200
# Beyond this many polygons the SVG holds the map as a picture: drawn singly they would make a file no browser opens.
MOST_VECTORS = 20_000
PER_PATH = 250


@dataclass(frozen=True, kw_only=True)
class Hatching:
    """Areas without a figure: `place` as in the picture, what the legend says, how many areas."""

    place: int
    text: str
    note: str


@dataclass(frozen=True, kw_only=True)
class Legend:
    """Words of the legend: one range and note per class, lowest first, then hatched kinds."""

    heading: str
    ranges: tuple[str, ...]
    notes: tuple[str, ...]
    hatched: tuple[Hatching, ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class Picture:
    """A map: `shapes` are n polygons, `place` (int64, shape (n,)) is the class of each, negative where hatched."""

    title: str
    subtitle: str
    shapes: np.ndarray
    place: np.ndarray
    legend: Legend
    outlines: np.ndarray = field(default_factory=lambda: np.array([], dtype=object))
    outline_names: tuple[str, ...] = ()
    footer: tuple[str, ...] = ()


def draw(picture: Picture) -> tuple[bytes, bytes]:
    """The picture as the bytes of a PNG and of an SVG file."""
    import matplotlib

    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(
            {
                "svg.hashsalt": "smallarea",
                "svg.fonttype": "none",
                "font.family": ["DejaVu Sans"],
                "hatch.linewidth": 0.6,
                "path.simplify": False,
            }
        )
        figure = _figure(picture)
        png, svg = io.BytesIO(), io.BytesIO()
        figure.savefig(png, format="png", dpi=DOTS, metadata={"Software": None, "Title": picture.title})
        kept = {"Title": picture.title, "Date": None, "Creator": None, "Format": None, "Type": None}
        figure.savefig(svg, format="svg", dpi=DOTS, metadata=kept)
    return png.getvalue(), svg.getvalue()


def _figure(picture: Picture) -> Any:
    from matplotlib.figure import Figure

    bounds = _bounds(picture.shapes)
    height = float(np.clip(MAP_WIDTH * (bounds[3] - bounds[1]) / (bounds[2] - bounds[0]), LEAST_HEIGHT, MOST_HEIGHT))
    title = textwrap.wrap(picture.title, 62)
    footer = [line for text in picture.footer for line in textwrap.wrap(text, 118)]
    head, foot = 0.62 + 0.27 * len(title), 0.35 + 0.16 * len(footer)
    whole = head + height + foot
    figure = Figure(figsize=(WIDTH, whole), dpi=DOTS, facecolor=PAPER)
    axes = figure.add_axes((MARGIN / WIDTH, foot / whole, MAP_WIDTH / WIDTH, height / whole))
    _draw_map(axes, picture, bounds, height)
    _draw_words(figure, whole, title, picture.subtitle, footer)
    left = (MARGIN + MAP_WIDTH + GAP) / WIDTH
    _draw_legend(figure, picture.legend, left, (foot + height) / whole, whole)
    return figure


def _bounds(shapes: np.ndarray) -> tuple[float, float, float, float]:
    import shapely

    west, south, east, north = shapely.total_bounds(shapes)
    return float(west), float(south), float(max(east, west + 1)), float(max(north, south + 1))


def _draw_words(figure: Any, whole: float, title: list[str], subtitle: str, footer: list[str]) -> None:
    left = MARGIN / WIDTH
    top = 1 - 0.25 / whole
    figure.text(left, top, "\n".join(title), size=14, weight="bold", color=INK, va="top", linespacing=1.25)
    below = top - (0.27 * len(title) + 0.04) / whole
    figure.text(left, below, subtitle, size=9, color=INK, va="top")
    figure.text(left, 0.12 / whole, "\n".join(footer), size=7.5, color=INK, va="bottom", linespacing=1.35)


def _draw_map(axes: Any, picture: Picture, bounds: tuple[float, float, float, float], height: float) -> None:
    west, south, east, north = bounds
    axes.set_axis_off()
    axes.set_aspect("equal", anchor="NW")
    edge = 0.01 * (east - west)
    axes.set_xlim(west - edge, east + edge)
    axes.set_ylim(south - edge, north + edge)
    scale = max((east - west) / MAP_WIDTH, (north - south) / height)
    shapes = _simplified(picture.shapes, scale / DOTS * 0.4)
    width = _line_width(shapes, scale, 0.05, 0.55)
    vectors = len(shapes) <= MOST_VECTORS
    colours = PALETTES[len(picture.legend.ranges)]
    for index, colour in enumerate(colours):
        # No one line is told from all classes: dark ones take a light line, light ones a dark line.
        line = PAPER if _luminance(colour) < 0.3 else "#46565f"
        _add(axes, shapes[picture.place == index], vectors, facecolor=colour, edgecolor=line, linewidth=width)
    for hatching, pattern in zip(picture.legend.hatched, HATCHES, strict=False):
        chosen = shapes[picture.place == hatching.place]
        _add(axes, chosen, vectors, facecolor=PAPER, edgecolor=GREY, linewidth=width, hatch=pattern)
    _draw_outlines(axes, picture, scale)


def _draw_outlines(axes: Any, picture: Picture, scale: float) -> None:
    if not len(picture.outlines):
        return
    from matplotlib import patheffects

    width = _line_width(picture.outlines, scale, 0.03, 1.3)
    outlines = _simplified(picture.outlines, scale / DOTS * 0.4)
    _add(axes, outlines, True, facecolor="none", edgecolor=PAPER, linewidth=2 * width)
    _add(axes, outlines, True, facecolor="none", edgecolor=INK, linewidth=width)
    if 1 < len(outlines) <= 8:
        halo = [patheffects.withStroke(linewidth=2.5, foreground=PAPER)]
        for shape, name in zip(outlines, picture.outline_names, strict=True):
            point = shape.representative_point()
            axes.text(
                point.x, point.y, name, size=9, weight="bold", color=INK, ha="center", va="center", path_effects=halo
            )


def _line_width(shapes: np.ndarray, scale: float, share: float, widest: float) -> float:
    """Width in points: a small share of a typical area's width on paper, so that lines never bury the areas."""
    import shapely

    typical = float(np.median(np.sqrt(shapely.area(shapes)))) / scale * 72
    return float(np.clip(share * typical, 0.04, widest))


def _luminance(colour: str) -> float:
    """Relative luminance of an sRGB colour, 0 to 1 (WCAG 2.2, definition of relative luminance)."""
    parts = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))


def _simplified(shapes: np.ndarray, tolerance: float) -> np.ndarray:
    """Shapes without detail below `tolerance` metres (under half a dot), shared borders kept shared where they are."""
    import shapely

    if shapely.coverage_is_valid(shapes):
        simple = shapely.coverage_simplify(shapes, tolerance)
    else:
        simple = shapely.simplify(shapes, tolerance, preserve_topology=True)
    return np.where(shapely.is_empty(simple), shapes, simple)


def _add(axes: Any, shapes: np.ndarray, vectors: bool, **style: Any) -> None:
    from matplotlib.collections import PathCollection

    if not len(shapes):
        return
    paths = PathCollection(list(_paths(shapes)), joinstyle="round", rasterized=not vectors, **style)
    axes.add_collection(paths, autolim=False)


def _paths(shapes: np.ndarray) -> Iterator[Any]:
    """Compound paths of a few hundred polygons each: fewer than one per polygon, none too long to fill."""
    import shapely
    from matplotlib.path import Path

    for start in range(0, len(shapes), PER_PATH):
        rings = shapely.get_rings(shapely.get_parts(shapely.normalize(shapes[start : start + PER_PATH])))
        points, ring = shapely.get_coordinates(rings, return_index=True)
        if not len(points):
            continue
        codes = np.full(len(points), Path.LINETO, Path.code_type)
        ends = np.flatnonzero(np.append(ring[1:] != ring[:-1], True))
        codes[ends] = Path.CLOSEPOLY
        codes[np.append(0, ends[:-1] + 1)] = Path.MOVETO
        yield Path(points, codes)


def _draw_legend(figure: Any, legend: Legend, left: float, top: float, whole: float) -> None:
    from matplotlib.patches import Rectangle

    box, step = 0.22, 0.5
    inches_up = top * whole
    figure.text(left, inches_up / whole, legend.heading, size=10.5, weight="bold", color=INK, va="top")
    rows: list[tuple[str, str, dict[str, Any]]] = [
        (text, note, {"facecolor": colour})
        for text, note, colour in zip(legend.ranges, legend.notes, PALETTES[len(legend.ranges)], strict=True)
    ][::-1]
    rows += [
        (hatching.text, hatching.note, {"facecolor": PAPER, "hatch": pattern, "edgecolor": GREY})
        for hatching, pattern in zip(legend.hatched, HATCHES, strict=False)
    ]
    height = inches_up - 0.34
    for text, note, style in rows:
        lines = textwrap.wrap(text, 24)
        patch = {"edgecolor": INK, "linewidth": 0.6, **style}
        figure.add_artist(
            Rectangle((left, (height - box) / whole), box / WIDTH, box / whole, transform=figure.transFigure, **patch)
        )
        place = left + (box + 0.1) / WIDTH
        figure.text(place, (height + 0.01) / whole, "\n".join(lines), size=9, color=INK, va="top", linespacing=1.2)
        below = height - 0.17 * len(lines)
        figure.text(place, (below + 0.005) / whole, note, size=8, color=GREY, va="top")
        height -= step + 0.17 * (len(lines) - 1)
