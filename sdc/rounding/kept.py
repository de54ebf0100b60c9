"""Kept values: a count that did not change since the release before keeps its published value.

With x the present count, p the earlier one and r its published value, a cell is
*held* at r where x = p and r is one of the two multiples of the base next to x.
Drawing then starts from an additive point w in which

* held cells stand at r;
* every other cell lies between the multiples next to x: where the release before
  has it, at the mean that it should have given its earlier draw (below), else at x.

w is found for the totals' tree first (`sdc.rounding.kepttotals`), then for each
table with its totals given (`sdc.rounding.keptcells`).  Held cells give way only
where additivity or the bound |value - x| < base leaves no other way nearby.
From w on, duels and cycles are those of a first publication, and held cells stay
out of them.

A changed count is drawn together with its earlier value, as if one permanent
random number stood behind both draws (Ohlsson, "Coordination of samples using
permanent random numbers", in Cox et al., Business Survey Methods, 1995).  With the
shares f = (p mod b) / b and g = (x mod b) / b, one that stood at its upper multiple
takes its upper one with probability min(1, g / f), one that stood at its lower with
max(0, g - f) / (1 - f): over both draws the upper one has probability g, and a
small change moves a value seldom, mostly in the direction of the change.  A
revision of the same reference date is drawn in the same way.  Sums with kept cells
leave a changed count little choice, though; what that does to means is told in
docs/explanation/kept-values.md.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from sdc.network import flatten
from sdc.rounding.joined import HELD_HIGH, HELD_LOW, SCALE, SHUT, Joined, join_tables
from sdc.rounding.keptcells import Shared, excess_of, make_room, route
from sdc.rounding.kepttotals import meet_totals
from sdc.rounding.totals import Totals
from sdc.rounding.tree import Tree
from sdc.tables import Classification, Hierarchy, Table

__all__ = [
    "CHANGED",
    "FORCED",
    "KEPT",
    "NEW",
    "Before",
    "Begun",
    "Earlier",
    "begin",
    "earlier_of",
    "forget",
    "standing",
]

# How a cell stands to the release before: not in it; another count; the same count and value; the same count, forced to
# another value.
NEW, CHANGED, KEPT, FORCED = range(4)
# How often tables take turns before those that still disagree are left to the caller.
TURNS = 8


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


class Begun(NamedTuple):
    """Where drawing starts.

    Attributes
    ----------
    totals, joined : the start w, additive.
    holds : whether any cell may be held.
    stuck : smallest areas in which no additive start was found, int64.
    """

    totals: Totals
    joined: Joined
    holds: bool
    stuck: np.ndarray


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


def begin(
    tables: Mapping[str, Table],
    classified: Mapping[str, Table],
    earlier: Mapping[str, Earlier],
    *,
    tree: Tree,
    figures: Mapping[str, np.ndarray],
    base: int,
) -> Begun:
    """Where drawing starts: the true counts at a first publication, else the start w with held cells.

    `classified` are those of `tables` that have categories, in the order in which they are
    joined; `figures` the hashes of each table's cells, flat.
    """
    totals = _flat_totals(next(iter(tables.values())), base)
    joined = join_tables(list(classified.values()), base)
    if not any(known.any() for one in earlier.values() for known in one.known):
        return Begun(totals, joined, False, np.empty(0, np.int64))
    cells = {name: _cells(classified[name], earlier.get(name), base) for name in classified}
    columns = dict(zip(classified, joined.columns.tolist(), strict=True))
    whole = _cells_of_totals(tables, earlier, base)
    low, high = _reach(cells, columns, whole)
    hashes = np.ascontiguousarray(figures[next(iter(tables))].reshape(-1, _width(tables))[:, -1])
    values = meet_totals(tree, low, high, whole.floor, whole.ceiling, whole.start, hashes)
    shared = Shared(
        values, whole.floor, whole.ceiling, whole.held & (values == whole.start), np.zeros(len(values), np.int64)
    )
    for index, name in enumerate(classified):
        joined.offset[joined.starts[index] : joined.starts[index + 1]] = _offsets(cells[name], joined.width)
    stuck = _meet_tables(
        tree, joined, shared, [cells[name].floor for name in classified], [figures[name] for name in classified]
    )
    return Begun(Totals(values=values, floor=totals.floor, ceiling=totals.ceiling), joined, True, stuck)


def _meet_tables(
    tree: Tree, joined: Joined, shared: Shared, floors: Sequence[np.ndarray], figures: Sequence[np.ndarray]
) -> np.ndarray:
    """Make every table additive with the shared totals, in place; returns areas around which that was not found.

    A table that must move totals leaves the others with excess, so that they take their turns again.
    """
    tops = len(tree.parents) - int(tree.offsets[-2])
    rooms = [make_room(len(floor), tops) for floor in floors]
    settled = np.zeros(len(floors), np.bool_)
    for turn in range(TURNS * len(floors)):
        index = turn % len(floors)
        if settled[index]:
            continue
        excess = excess_of(tree, joined, index, floors[index] * SCALE, shared.values * SCALE)
        moves, left = route(tree, joined, index, shared, excess, figures[index], rooms[index])
        if left:
            return _areas_of(tree, np.flatnonzero(excess), int(joined.columns[index]), len(floors[index]))
        settled[:] &= moves == 0
        settled[index] = True
    return np.empty(0, np.int64) if settled.all() else _unsettled(tree, joined, shared, floors)


def _unsettled(tree: Tree, joined: Joined, shared: Shared, floors: Sequence[np.ndarray]) -> np.ndarray:
    """An area of every node that has excess in any table."""
    found = [np.empty(0, np.int64)]
    for index, floor in enumerate(floors):
        excess = excess_of(tree, joined, index, floor * SCALE, shared.values * SCALE)
        found.append(_areas_of(tree, np.flatnonzero(excess), int(joined.columns[index]), len(floor)))
    return np.unique(np.concatenate(found))


class _Cells(NamedTuple):
    """Cells of one table, flat: multiples next to the count, whether held, and start."""

    floor: np.ndarray
    ceiling: np.ndarray
    held: np.ndarray
    start: np.ndarray


def _width(tables: Mapping[str, Table]) -> int:
    return len(next(iter(tables.values())).classification) + 1


def _flat_totals(table: Table, base: int) -> Totals:
    values = np.concatenate([counts[:, -1] for counts in table.counts])
    floor = values // base * base
    return Totals(values=values, floor=floor, ceiling=np.where(values == floor, floor, floor + base))


def _cells(table: Table, earlier: Earlier | None, base: int) -> _Cells:
    counts = flatten(table.counts)
    if earlier is None:
        return _stood(counts, counts, counts, np.zeros(len(counts), np.bool_), base)
    return _stood(counts, flatten(earlier.counts), flatten(earlier.values), flatten(earlier.known), base)


def _cells_of_totals(tables: Mapping[str, Table], earlier: Mapping[str, Earlier], base: int) -> _Cells:
    """The totals as cells: each as the first table that knows it has it."""
    now = np.concatenate([counts[:, -1] for counts in next(iter(tables.values())).counts])
    then, shown, known = now.copy(), now.copy(), np.zeros(len(now), np.bool_)
    for one in earlier.values():
        fresh = ~known & np.concatenate([level[:, -1] for level in one.known])
        then[fresh] = np.concatenate([level[:, -1] for level in one.counts])[fresh]
        shown[fresh] = np.concatenate([level[:, -1] for level in one.values])[fresh]
        known |= fresh
    return _stood(now, then, shown, known, base)


def _stood(now: np.ndarray, then: np.ndarray, shown: np.ndarray, known: np.ndarray, base: int) -> _Cells:
    """Which cells are held, and where the others start."""
    floor = now // base * base
    ceiling = np.where(now == floor, floor, floor + base)
    held = known & (now == then) & (floor < ceiling) & ((shown == floor) | (shown == ceiling))
    start = np.where(held, shown, np.where(known, floor + _coupled(now, then, shown, base), now))
    return _Cells(floor=floor, ceiling=ceiling, held=held, start=start)


def _coupled(now: np.ndarray, then: np.ndarray, shown: np.ndarray, base: int) -> np.ndarray:
    """How far above its lower multiple a count stands in the mean, given its earlier draw: to the next whole count."""
    was, rest = then % base, now % base
    upper = np.where(shown > then, np.minimum(rest, was) / np.maximum(was, 1), np.maximum(rest - was, 0) / (base - was))
    above: np.ndarray = np.rint(upper * base).astype(np.int64)
    return above


def _reach(cells: Mapping[str, _Cells], columns: Mapping[str, int], whole: _Cells) -> tuple[np.ndarray, np.ndarray]:
    """Ranges of the totals: held ones at their values, others as far as every table's kept categories reach."""
    low, high = whole.floor.copy(), whole.ceiling.copy()
    for name, one in cells.items():
        least = np.where(one.held, one.start, one.floor).reshape(-1, columns[name])[:, :-1].sum(axis=1)
        most = np.where(one.held, one.start, one.ceiling).reshape(-1, columns[name])[:, :-1].sum(axis=1)
        low = np.maximum(low, np.minimum(least, whole.ceiling))
        high = np.minimum(high, np.maximum(most, whole.floor))
    # Where tables disagree, some of their categories must give way: any total will do.
    clash = low > high
    low[clash], high[clash] = whole.floor[clash], whole.ceiling[clash]
    return np.where(whole.held, whole.start, low), np.where(whole.held, whole.start, high)


def _offsets(cells: _Cells, width: int) -> np.ndarray:
    held = np.where(cells.start == cells.ceiling, HELD_HIGH, HELD_LOW)
    above = np.minimum((cells.start - cells.floor) * SCALE, width)
    offset = np.where(cells.held, held, np.where(cells.floor == cells.ceiling, SHUT, above))
    return offset.astype(np.int32)


def _areas_of(tree: Tree, nodes: np.ndarray, columns: int, size: int) -> np.ndarray:
    """A smallest area of each node's unit."""
    tops = int(tree.offsets[-2])
    units = np.where(nodes >= size, tops + nodes - size, nodes // columns)
    while True:
        above = units >= tree.areas
        if not above.any():
            return units
        units[above] = tree.children[tree.first_child[units[above]]]
