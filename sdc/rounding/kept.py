"""The release before, cell by cell: what may keep its value now, and how each cell came to stand to it.

Areas are matched by level and code, categories by their dimensions and codes, tables
never by their names.  How values are kept is told in `sdc.rounding.keptstart`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from sdc.tables import Classification, Hierarchy, Table

__all__ = [
    "CHANGED",
    "FORCED",
    "FORGOTTEN_AROUND",
    "KEPT",
    "NEW",
    "Before",
    "Earlier",
    "earlier_of",
    "forget",
    "standing",
    "with_fewer",
]

T = TypeVar("T")

# How a cell stands to the release before: not in it; another count; the same count and value; the same count, forced to
# another value.
NEW, CHANGED, KEPT, FORCED = range(4)
# Where keeping values leaves no rounding, the units so many levels above the areas concerned are drawn without it; then
# wider ones, at last the whole as at a first publication.
FORGOTTEN_AROUND = 2


@dataclass(frozen=True, kw_only=True, eq=False)
class Earlier:
    """The release before, cell by cell of a table that is rounded now.

    Attributes
    ----------
    counts, values : the true counts and the published values, int64 of shape (units, categories + 1) per level.
    known : bool, same shapes: whether the release before has the cell.

    Raises
    ------
    ValueError
        The arrays are not all of the same shapes.
    """

    counts: tuple[np.ndarray, ...]
    values: tuple[np.ndarray, ...]
    known: tuple[np.ndarray, ...]

    def __post_init__(self) -> None:
        shapes = [array.shape for array in self.counts]
        if shapes != [array.shape for array in self.values] or shapes != [array.shape for array in self.known]:
            raise ValueError("counts, values and known must be of the same shapes")

    def from_level(self, level: int) -> "Earlier":
        """The same of the areas of this level and those above it."""
        return Earlier(counts=self.counts[level:], values=self.values[level:], known=self.known[level:])


@dataclass(frozen=True, kw_only=True, eq=False)
class Before:
    """A table of the release before, as it stands by itself.

    Attributes
    ----------
    levels, codes : the levels of its areas, smallest first, and the sorted codes of each.
    classification : its categories.
    counts, values : true counts and published values, int64 of shape (units, categories + 1) per level.
    """

    levels: tuple[str, ...]
    codes: tuple[np.ndarray, ...]
    classification: Classification
    counts: tuple[np.ndarray, ...]
    values: tuple[np.ndarray, ...]

    @classmethod
    def of(cls, table: Table, values: Sequence[np.ndarray]) -> "Before":
        """A true table and what was published of it."""
        return cls(
            levels=table.hierarchy.levels,
            codes=table.hierarchy.codes,
            classification=table.classification,
            counts=table.counts,
            values=tuple(values),
        )


def earlier_of(table: Table, before: Before) -> Earlier:
    """The release before as cells of a table: areas are matched by level and code, categories by their codes.

    Where the dimensions differ the totals alone are matched.
    """
    mine, theirs = table.classification, before.classification
    columns = np.full(len(mine) + 1, -1)
    columns[-1] = len(theirs)
    if mine.dimensions == theirs.dimensions:
        places = {category: place for place, category in enumerate(theirs.categories)}
        columns[:-1] = [places.get(category, -1) for category in mine.categories]
    counts: list[np.ndarray] = []
    shown: list[np.ndarray] = []
    known: list[np.ndarray] = []
    for level, name in enumerate(table.hierarchy.levels):
        shape = table.counts[level].shape
        place = before.levels.index(name) if name in before.levels else -1
        units = _matched(table.hierarchy.codes[level], before.codes[place] if place >= 0 else np.empty(0, np.str_))
        found = (units >= 0)[:, None] & (columns >= 0)
        known.append(found)
        for arrays, out in ((before.counts, counts), (before.values, shown)):
            taken = arrays[place][np.maximum(units, 0)][:, np.maximum(columns, 0)] if place >= 0 else np.zeros(shape)
            out.append(np.where(found, taken, 0).astype(np.int64))
    return Earlier(counts=tuple(counts), values=tuple(shown), known=tuple(known))


def _matched(codes: np.ndarray, there: np.ndarray) -> np.ndarray:
    """Place of each code among the earlier ones of a level, or -1."""
    if len(there) == 0:
        return np.full(len(codes), -1)
    places = np.minimum(np.searchsorted(there, codes), len(there) - 1)
    return np.where(there[places] == codes, places, -1)


def forget(earlier: Mapping[str, Earlier], hierarchy: Hierarchy, areas: np.ndarray, height: int) -> dict[str, Earlier]:
    """The release before without anything in the units that lie `height` levels above some smallest areas."""
    top = min(height, len(hierarchy.levels) - 1)
    gone = np.unique(hierarchy.ancestors(0, top)[areas])
    keep = []
    for level, units in enumerate(hierarchy.units):
        inside = np.isin(hierarchy.ancestors(level, top), gone) if level <= top else np.zeros(units, np.bool_)
        keep.append(~inside[:, None])
    return {
        name: Earlier(
            counts=one.counts,
            values=one.values,
            known=tuple(known & kept for known, kept in zip(one.known, keep, strict=True)),
        )
        for name, one in earlier.items()
    }


def with_fewer(
    draw: Callable[[dict[str, Earlier]], tuple[T, np.ndarray]], earlier: Mapping[str, Earlier], hierarchy: Hierarchy
) -> tuple[T, np.ndarray]:
    """What `draw` makes of the release before, and areas that it leaves without values.

    Where it leaves any it is asked again, with nothing kept around these, then in wider units, at last nowhere.
    """
    known, height = dict(earlier), FORGOTTEN_AROUND
    while True:
        made, left = draw(known)
        if not len(left) or not known:
            return made, left
        known = forget(known, hierarchy, left, height) if height < len(hierarchy.levels) else {}
        height += 1


def standing(table: Table, values: Sequence[np.ndarray], earlier: Earlier) -> tuple[np.ndarray, ...]:
    """How each cell stands to the release before: NEW, CHANGED, KEPT or FORCED, int8 per level.

    Private: which cells kept, redrew or were forced is never told to the public.
    """
    told = []
    for counts, shown, before, then, known in zip(
        table.counts, values, earlier.counts, earlier.values, earlier.known, strict=True
    ):
        same = np.where(shown == then, KEPT, FORCED)
        told.append(np.where(known, np.where(counts == before, same, CHANGED), NEW).astype(np.int8))
    return tuple(told)
