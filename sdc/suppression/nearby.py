"""Neighbourhoods: a table of any shape in pieces small enough for a linear programme each.

A deviation within a neighbourhood, with everything outside left as it is, is a
deviation of the whole table: what is proven nearby is proven.  What cannot be
met nearby may still be met further off.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numba import njit

from sdc.system import Areas, Equations

__all__ = ["Nearby", "Neighbours", "nearby_groups"]


NOBODY = np.empty(0, np.int64)


@dataclass(frozen=True, kw_only=True, eq=False)
class Nearby:
    """A piece of a table.

    `cells` (int64, ascending) are numbers in the whole table, `equations` the
    sums that touch them, over the piece's own numbers, without the cells outside.
    `core` holds the places in the piece, ascending, of the cells it is there for.
    """

    cells: np.ndarray
    equations: Equations
    core: np.ndarray


class Neighbours:
    """Which equations each cell stands in, ready to walk."""

    def __init__(self, equations: Equations) -> None:
        self.equations = equations
        order = np.argsort(equations.cells, kind="stable")
        lengths = np.bincount(equations.cells, minlength=equations.size)
        self._first = np.concatenate([[0], np.cumsum(lengths)])
        self._at = equations.rows[order]
        self._stamp = np.zeros(equations.size, np.int64)
        self._row_stamp = np.zeros(len(equations), np.int64)
        self._queue = np.empty(equations.size, np.int64)
        self._round = 0

    def around(self, cell: int, size: int) -> np.ndarray:
        """The cells nearest to one, itself first, in the order met, `size` at most: two are next to each other in a sum."""
        self._round += 1
        found = _walk(
            self.equations.starts,
            self.equations.cells,
            self._first,
            self._at,
            self._stamp,
            self._row_stamp,
            self._queue,
            self._round,
            cell,
            size,
        )
        return self._queue[:found].copy()

    def piece(self, cells: np.ndarray, core: np.ndarray) -> Nearby:
        """The piece of the table made of these cells; `core` are some of them."""
        cells = np.sort(cells)
        lengths = (self._first[1:] - self._first[:-1])[cells]
        ends = np.cumsum(lengths)
        entries = np.arange(ends[-1]) + np.repeat(self._first[cells] - (ends - lengths), lengths)
        rows = np.unique(self._at[entries])
        chosen = self.equations.chosen(rows)
        place = np.searchsorted(cells, chosen.cells)
        inside = cells[np.minimum(place, len(cells) - 1)] == chosen.cells
        counts = np.bincount(chosen.rows[inside], minlength=len(chosen))
        local = Equations(
            size=len(cells),
            starts=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            cells=place[inside].astype(np.int32),
            signs=chosen.signs[inside],
        )
        return Nearby(cells=cells, equations=local, core=np.searchsorted(cells, np.sort(core)))


@njit(cache=True)
def _walk(starts, cells, first, at, stamp, row_stamp, queue, now, cell, size):  # type: ignore[no-untyped-def]
    """Breadth first over cells that share an equation; returns how many were met."""
    queue[0] = cell
    stamp[cell] = now
    head, tail = 0, 1
    while head < tail and tail < size:
        for k in range(first[queue[head]], first[queue[head] + 1]):
            row = at[k]
            if row_stamp[row] == now:
                continue
            row_stamp[row] = now
            for e in range(starts[row], starts[row + 1]):
                other = cells[e]
                if stamp[other] != now and tail < size:
                    stamp[other] = now
                    queue[tail] = other
                    tail += 1
        head += 1
    return tail


def nearby_groups(
    neighbours: Neighbours, wanted: np.ndarray, size: int, areas: Areas | None = None
) -> Iterator[Nearby]:
    """Pieces of about `size` cells, so that every wanted cell (ascending numbers) is in the core of one.

    The one piece of a table of no more cells is the table.

    With areas a piece is some areas of one parent, the parent, and what is near
    these, whole areas at a time: all margins of an area belong together.
    Otherwise it is the cells nearest to one of them, and the core the nearer half.
    """
    if size >= neighbours.equations.size:
        yield neighbours.piece(np.arange(neighbours.equations.size), wanted)
        return
    left = np.zeros(neighbours.equations.size, np.bool_)
    left[wanted] = True
    if areas is not None:
        yield from _family_groups(neighbours, left, size, areas)
        return
    for cell in wanted.tolist():
        if left[cell]:
            cells = neighbours.around(cell, size)
            nearer = cells[: max(1, size // 2)]
            core = nearer[left[nearer]]
            left[core] = False
            yield neighbours.piece(cells, core)


def _family_groups(neighbours: Neighbours, left: np.ndarray, size: int, areas: Areas) -> Iterator[Nearby]:
    """Pieces of whole areas; the cores are the wanted cells of siblings."""
    order = np.argsort(areas.unit, kind="stable")
    weights = np.bincount(areas.unit, minlength=len(areas.parents))
    cells_of = np.split(order, np.cumsum(weights)[:-1])
    by_parent = np.argsort(areas.parents, kind="stable")
    families = np.split(by_parent, np.flatnonzero(np.diff(areas.parents[by_parent])) + 1)
    family_of = {int(areas.parents[members[0]]): members for members in families}
    for core_units in _core_units(areas, family_of, weights, size // 2):
        inside = np.concatenate([cells_of[unit] for unit in core_units])
        core = inside[left[inside]]
        if len(core):
            left[core] = False
            yield neighbours.piece(_with_near(core_units, areas, family_of, cells_of, size), core)


def _core_units(areas: Areas, family_of: dict[int, np.ndarray], weights: np.ndarray, room: int) -> Iterator[list[int]]:
    """Siblings, and siblings of one grandparent together while there is room; families too large are cut."""
    above = {parent: int(areas.parents[parent]) if parent >= 0 else -2 for parent in family_of}
    held: list[int] = []
    last = None
    for parent in sorted(family_of, key=lambda parent: (parent < 0, above[parent], parent)):
        for unit in family_of[parent].tolist():
            full = held and weights[held].sum() + weights[unit] > room and len(held) > 1
            if full or (last is not None and above[parent] != last):
                yield held
                held = []
            held.append(unit)
            last = above[parent]
    if held:
        yield held


def _with_near(
    core: list[int], areas: Areas, family_of: dict[int, np.ndarray], cells_of: list[np.ndarray], size: int
) -> np.ndarray:
    """The cells of the core's areas and of as many areas near them as there is room for; of their parents in any case."""
    chosen = dict.fromkeys(core)
    chosen.update(dict.fromkeys(parent for unit in core if (parent := int(areas.parents[unit])) >= 0))
    held = sum(len(cells_of[unit]) for unit in chosen)
    for unit in _near_units(core, areas, family_of):
        if unit not in chosen:
            held += len(cells_of[unit])
            if held > size:
                break
            chosen[unit] = None
    return np.concatenate([cells_of[unit] for unit in chosen])


def _near_units(core: list[int], areas: Areas, family_of: dict[int, np.ndarray]) -> Iterator[int]:
    """Areas near some others, nearest first: all below them, siblings and all below these, and so on up the line of parents.

    All below, because an area's cells can move only if some of its smallest areas' do.
    """
    yield from _below(core, family_of)
    line = list(dict.fromkeys(int(areas.parents[unit]) for unit in core))
    while line:
        for parent in line:
            siblings = family_of[parent].tolist()
            yield from siblings
            yield from _below(siblings, family_of)
        line = list(dict.fromkeys(int(areas.parents[parent]) for parent in line if parent >= 0))
        yield from (parent for parent in line if parent >= 0)


def _below(units: list[int], family_of: dict[int, np.ndarray]) -> Iterator[int]:
    """All areas below some, level by level."""
    while units:
        units = [child for unit in units for child in family_of.get(unit, NOBODY).tolist()]
        yield from units
