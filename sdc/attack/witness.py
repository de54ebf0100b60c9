"""Sentences a person can follow: how a cell is called, and why it cannot be other than it is."""

from collections.abc import Sequence

import numpy as np

from sdc.attack.intervals import NO_BOUND, Intervals
from sdc.attack.maxflow import Cut
from sdc.attack.propagation import Contradiction
from sdc.tables import MARKERS, NOT_PUBLISHED, SHOWN, TOTAL, SafeTable

__all__ = [
    "Names",
    "because",
    "between",
    "clash_sentence",
    "equation_clash",
    "flat_bounds",
    "leaving",
    "shown_text",
]

MOST_TERMS = 8


class Names:
    """What the cells of one table are called and what is shown in them; cells by index in network order."""

    def __init__(self, safe: SafeTable) -> None:
        self.safe = safe
        self.columns = len(safe.classification) + 1
        self.starts = np.concatenate([[0], np.cumsum(np.array(safe.hierarchy.units) * self.columns)])

    def place(self, cell: int) -> tuple[int, int, int]:
        """Level, unit and column of a cell."""
        level = int(np.searchsorted(self.starts, cell, side="right")) - 1
        unit, column = divmod(cell - int(self.starts[level]), self.columns)
        return level, unit, column

    def name(self, cell: int) -> str:
        """Such as ``oa E00000001, benefit=pension credit``; the total over categories is called Total."""
        return self.name_at(*self.place(cell))

    def name_at(self, level: int, unit: int, column: int) -> str:
        """The name of the cell at a level, unit and column."""
        hierarchy, classification = self.safe.hierarchy, self.safe.classification
        area = f"{hierarchy.levels[level]} {hierarchy.codes[level][unit]}"
        category = classification.columns[column]
        if column in (-1, len(classification)):
            return f"{area}, {TOTAL}"
        pairs = zip(classification.dimensions, category, strict=True)
        return ", ".join([area, *(f"{dimension}={code}" for dimension, code in pairs)])

    def shown(self, cell: int) -> str:
        """What a reader sees in the cell."""
        return self.shown_at(*self.place(cell))

    def shown_at(self, level: int, unit: int, column: int) -> str:
        """What a reader sees in the cell at a level, unit and column."""
        return shown_text(int(self.safe.values[level][unit, column]), int(self.safe.markers[level][unit, column]))


def shown_text(value: int, marker: int) -> str:
    """What a reader sees in a cell."""
    if marker == SHOWN:
        return f"shown {value}"
    return "not published" if marker == NOT_PUBLISHED else f"shown {MARKERS[marker]}"


def leaving(shown: Sequence[str], *, alone: bool) -> str:
    """What is shown of a cell, and that it leaves what follows, by itself or with what else is known.

    >>> leaving(["shown 5", "shown 0 in b"], alone=True)
    'shown 5, shown 0 in b, which leaves'
    """
    return f"{', '.join(shown) or 'in no table'}, which {'leaves' if alone else 'with what else is known leaves'}"


def between(lo: int, hi: int) -> str:
    """An interval in words."""
    if lo == hi:
        return f"exactly {lo}"
    return f"at least {lo}" if hi >= NO_BOUND else f"{lo} to {hi}"


def because(
    names: Names, bounds: tuple[np.ndarray, np.ndarray], cell: int, lower: Cut | None, upper: Cut | None, *, says: str
) -> str:
    """Why a cell lies where it does: its own published value, or sums that hold it from below and from above.

    `bounds` are lo and hi per cell in network order; `lower` and `upper` the
    cuts that forbid a smaller and a larger value, None where its own bound does;
    `says` names whose bounds they are, such as "which alone says".
    """
    text = f"{names.shown(cell)}, {says} {between(int(bounds[0][cell]), int(bounds[1][cell]))}"
    sentences = [_equation(names, bounds, cell, cut, low=low) for cut, low in ((lower, True), (upper, False)) if cut]
    return "; ".join([text, *dict.fromkeys(sentences)])


def clash_sentence(names: Names, found: Contradiction) -> str:
    """Why no true table has these values, for a contradiction found by propagation."""
    whole = names.name_at(found.level, found.unit, found.column)
    if found.over == "tables":
        return (
            f"{whole}: the tables between them leave no value: at least {found.whole[0]} and at most {found.whole[1]}"
        )
    parts = "its categories" if found.over == "categories" else "the areas in it"
    return f"{whole} is {_spread(*found.whole)} by what is published, but {parts} add up to {_spread(*found.parts)}"


def equation_clash(names: Names, bounds: tuple[np.ndarray, np.ndarray], cut: Cut) -> tuple[int, str]:
    """A cell to name and why no true table has these values, for a cut that cannot be met."""
    lo, hi = bounds
    entering, leaving = (list(map(int, cells)) for cells in (cut.entering, cut.leaving))
    sums = "a published sum" if cut.sums == 1 else f"adding up {cut.sums} published sums"
    plain = (
        f"by {sums}, {_terms(names, bounds, entering, low=True) or '0'} "
        f"must equal {_terms(names, bounds, leaving, low=False) or '0'}: "
        f"at least {int(lo[entering].sum())} against at most {int(hi[leaving].sum())}"
    )
    return (entering or leaving)[0], plain


def _equation(names: Names, bounds: tuple[np.ndarray, np.ndarray], cell: int, cut: Cut, *, low: bool) -> str:
    """The cut as an equation solved for the cell, and the bound that follows."""
    lo, hi = bounds
    plus, minus = (cut.leaving, cut.entering) if cell in cut.entering else (cut.entering, cut.leaving)
    plus, minus = plus[plus != cell], minus[minus != cell]
    least, most = int(lo[plus].sum() - hi[minus].sum()), int(hi[plus].sum() - lo[minus].sum())
    terms = _terms(names, bounds, list(map(int, plus)), low=low) or "0"
    less = _terms(names, bounds, list(map(int, minus)), low=not low, joint=" less ")
    sums = "a published sum" if cut.sums == 1 else f"{cut.sums} published sums"
    follows = f"exactly {least}" if least == most else f"at least {least}" if low else f"at most {most}"
    return f"by {sums} it equals {terms}{' less ' + less if less else ''}, so {follows}"


def _terms(
    names: Names, bounds: tuple[np.ndarray, np.ndarray], cells: list[int], *, low: bool, joint: str = " plus "
) -> str:
    """The cells with what is shown in them and their lower (or upper) bounds.

    Cells that add nothing, and those past `MOST_TERMS`, are counted, not named.
    """
    bound = bounds[0] if low else bounds[1]
    word = "at least" if low else "at most"

    def term(cell: int) -> str:
        exact = bounds[0][cell] == bounds[1][cell]
        return f"{names.name(cell)} ({names.shown(cell)}{'' if exact else f', {word} {_most(int(bound[cell]))}'})"

    telling = [cell for cell in cells if bound[cell] != 0]
    nothing = [cell for cell in cells if bound[cell] == 0]
    told = [term(cell) for cell in telling[:MOST_TERMS]]
    rest = telling[MOST_TERMS:]
    if rest:
        told.append(f"{len(rest)} more cells ({word} {_most(int(bound[rest].sum()))} together)")
    if len(nothing) == 1:
        told.append(term(nothing[0]))
    elif nothing:
        told.append(f"{len(nothing)} cells that are {word} 0 each")
    return joint.join(told)


def _spread(lo: int, hi: int) -> str:
    return str(lo) if lo == hi else f"between {lo} and {_most(hi)}"


def _most(bound: int) -> str:
    return "any number" if bound >= NO_BOUND else str(bound)


def flat_bounds(bounds: Intervals) -> tuple[np.ndarray, np.ndarray]:
    """Per-level bounds as two arrays in network order."""
    return tuple(np.concatenate([a.ravel() for a in arrays]) for arrays in (bounds.lo, bounds.hi))  # type: ignore[return-value]
