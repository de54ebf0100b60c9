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
out of them.  Where something beside their tables binds the totals, they start and stay
within those bounds (`sdc.rounding.within`).

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
from typing import NamedTuple

import numpy as np

from sdc.network import flatten
from sdc.rounding.joined import HELD_HIGH, HELD_LOW, SCALE, SHUT, Joined, join_tables
from sdc.rounding.kept import Earlier
from sdc.rounding.keptcells import Shared, excess_of, make_room, route
from sdc.rounding.kepttotals import meet_totals
from sdc.rounding.totals import Totals
from sdc.rounding.tree import Tree
from sdc.rounding.within import Within
from sdc.tables import Table

__all__ = ["Begun", "Cells", "begin", "cells_of", "earlier_totals", "upper_chance"]

# How often tables take turns before those that still disagree are left to the caller.
TURNS = 8


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


def begin(
    tables: Mapping[str, Table],
    classified: Mapping[str, Table],
    earlier: Mapping[str, Earlier],
    *,
    tree: Tree,
    figures: Mapping[str, np.ndarray],
    base: int,
    within: Within | None = None,
) -> Begun:
    """Where drawing starts: the true counts at a first publication, else the start w with held cells.

    `classified` are those of `tables` that have categories, in the order in which they are
    joined; `figures` the hashes of each table's cells, flat; `within` are bounds of the totals.
    """
    totals = _flat_totals(next(iter(tables.values())), base)
    joined = join_tables(list(classified.values()), base)
    if within is None and not any(known.any() for one in earlier.values() for known in one.known):
        return Begun(totals, joined, False, np.empty(0, np.int64))
    cells = {name: cells_of(classified[name], earlier.get(name), base) for name in classified}
    columns = dict(zip(classified, joined.columns.tolist(), strict=True))
    whole = _cells_of_totals(tables, earlier, base, within)
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
    return Begun(Totals(values=values, floor=whole.floor, ceiling=whole.ceiling), joined, True, stuck)


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


class Cells(NamedTuple):
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


def cells_of(table: Table, earlier: Earlier | None, base: int) -> Cells:
    """A table's cells as they start, flat: those of the same count at their earlier value."""
    counts = flatten(table.counts)
    if earlier is None:
        return _stood(counts, counts, counts, np.zeros(len(counts), np.bool_), base)
    return _stood(counts, flatten(earlier.counts), flatten(earlier.values), flatten(earlier.known), base)


def earlier_totals(
    tables: Mapping[str, Table], earlier: Mapping[str, Earlier]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Counts, values and whether known of the earlier totals, flat: each as the first table that knows it has it."""
    now = np.concatenate([counts[:, -1] for counts in next(iter(tables.values())).counts])
    then, shown, known = now.copy(), now.copy(), np.zeros(len(now), np.bool_)
    for one in earlier.values():
        fresh = ~known & np.concatenate([level[:, -1] for level in one.known])
        then[fresh] = np.concatenate([level[:, -1] for level in one.counts])[fresh]
        shown[fresh] = np.concatenate([level[:, -1] for level in one.values])[fresh]
        known |= fresh
    return then, shown, known


def _cells_of_totals(
    tables: Mapping[str, Table], earlier: Mapping[str, Earlier], base: int, within: Within | None
) -> Cells:
    """The totals as cells, within their bounds."""
    now = np.concatenate([counts[:, -1] for counts in next(iter(tables.values())).counts])
    free = _stood(now, *earlier_totals(tables, earlier), base)
    if within is None:
        return free
    held = free.held & (within.low <= free.start) & (free.start <= within.high)
    start = np.where(held, free.start, np.clip(within.start, within.low, within.high))
    return Cells(floor=within.low, ceiling=within.high, held=held, start=start)


def _stood(now: np.ndarray, then: np.ndarray, shown: np.ndarray, known: np.ndarray, base: int) -> Cells:
    """Which cells are held, and where the others start."""
    floor = now // base * base
    ceiling = np.where(now == floor, floor, floor + base)
    held = known & (now == then) & (floor < ceiling) & ((shown == floor) | (shown == ceiling))
    # How far above its lower multiple a count stands in the mean, given its earlier draw: to the next whole count.
    above = np.rint(upper_chance(now % base, then % base, shown > then, base) * base).astype(np.int64)
    return Cells(
        floor=floor, ceiling=ceiling, held=held, start=np.where(held, shown, np.where(known, floor + above, now))
    )


def upper_chance(rest: np.ndarray, was: np.ndarray, raised: np.ndarray, base: int) -> np.ndarray:
    """Chance of the upper multiple, given the earlier draw.

    `rest` and `was` are how far the count stands, and stood, above its lower multiple;
    `raised` says whether the upper one was drawn then.
    """
    again = np.divide(np.minimum(rest, was), was, out=np.zeros(len(was)), where=was > 0)
    chance: np.ndarray = np.where(raised, again, np.maximum(rest - was, 0) / (base - was))
    return chance


def _reach(cells: Mapping[str, Cells], columns: Mapping[str, int], whole: Cells) -> tuple[np.ndarray, np.ndarray]:
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


def _offsets(cells: Cells, width: int) -> np.ndarray:
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
