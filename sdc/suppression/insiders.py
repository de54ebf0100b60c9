"""Lone claimants on tables of any shape: what somebody who stands alone in cells learns of others.

A cell of count 1 that is no sum holds one person, who knows it, and knows every
cell of count 1 that contains it.  What they learn beside: cells whose value is
settled once these are known.  Cells that they stand alone in, and what lies
within them, are their own affair.  (`sdc.suppression.lone` does the same on
networks, by cut pairs.)

Complete for what follows from sums and from bounds sum by sum, and for cells
that share a sum with one they know; nothing is missed on a network.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from sdc.attack.elimination import find_blocks
from sdc.attack.programmes import Demand, feasible_intervals, settle
from sdc.suppression.attacked import bounds_of
from sdc.suppression.demands import Room
from sdc.system import CellSystem, Equations

__all__ = ["Learned", "learned_by_claimants", "persons_of"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Learned:
    """One claimant: the hidden cells they know, and those of others that they learn, numbers of cells, ascending."""

    known: np.ndarray
    cells: np.ndarray


def learned_by_claimants(system: CellSystem, hidden: np.ndarray, room: Room) -> list[Learned]:
    """What lone claimants learn from a pattern (bool of shape (cells,)); those who learn nothing are left out."""
    alone = persons_of(system)
    free = hidden | ~system.shown
    lo, hi = bounds_of(system, hidden, room)
    within, cells_of = _parts_by_whole(system.equations), _cells_of(alone)
    found = []
    for block in find_blocks(system.equations, lo, hi, free & (alone >= 0)):
        local = system.equations.chosen(block.equations)
        cells, places = np.unique(local.cells, return_inverse=True)
        local = replace(local, size=len(cells), cells=places.astype(np.int32))
        for person, known in _claims(alone, block.cells):
            own = _own_affair(cells_of[person], within)
            learned = _learned(system, local, cells, (lo[cells], hi[cells]), known)
            learned = learned[~np.isin(learned, own) & system.shown[learned]]
            if len(learned):
                found.append(Learned(known=known, cells=learned))
    return found


def persons_of(system: CellSystem) -> np.ndarray:
    """The finest cell of the person who stands alone in each cell of count 1, -1 elsewhere: int64 of shape (cells,)."""
    counts, equations = system.counts, system.equations
    alone = np.where(counts == 1, np.arange(len(counts)), -1)
    wholes = equations.cells[equations.starts[:-1]]
    entries = np.flatnonzero((equations.signs < 0) & (counts[equations.cells] == 1))
    entries = entries[counts[wholes[equations.rows[entries]]] == 1]
    whole, part = wholes[equations.rows[entries]], equations.cells[entries]
    while True:
        # A whole of one person is the person of its only part that holds one.
        before = alone.copy()
        alone[whole] = alone[part]
        if np.array_equal(before, alone):
            return alone


def _claims(alone: np.ndarray, cells: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Per person, the hidden cells of one block that they stand alone in."""
    held = cells[alone[cells] >= 0]
    order = held[np.argsort(alone[held], kind="stable")]
    cuts = np.flatnonzero(np.diff(alone[order])) + 1
    yield from ((int(alone[part[0]]), np.sort(part)) for part in np.split(order, cuts) if len(part))


def _cells_of(alone: np.ndarray) -> dict[int, list[int]]:
    """Every cell, hidden or shown, that each person stands alone in."""
    cells: dict[int, list[int]] = {}
    for cell in np.flatnonzero(alone >= 0).tolist():
        cells.setdefault(int(alone[cell]), []).append(cell)
    return cells


def _parts_by_whole(equations: Equations) -> dict[int, list[np.ndarray]]:
    """The parts of every whole, one array for each sum that it is the whole of."""
    parts: dict[int, list[np.ndarray]] = {}
    for start, end in zip(equations.starts[:-1].tolist(), equations.starts[1:].tolist(), strict=True):
        parts.setdefault(int(equations.cells[start]), []).append(equations.cells[start + 1 : end])
    return parts


def _own_affair(known: list[int], within: dict[int, list[np.ndarray]]) -> np.ndarray:
    """The cells known and everything that lies within them."""
    own = set(known)
    waiting = list(own)
    while waiting:
        for parts in within.get(waiting.pop(), []):
            fresh = set(parts.tolist()) - own
            own |= fresh
            waiting += fresh
    return np.array(sorted(own))


def _learned(
    system: CellSystem,
    local: Equations,
    cells: np.ndarray,
    bounds: tuple[np.ndarray, np.ndarray],
    known: np.ndarray,
) -> np.ndarray:
    """Cells of a block that are settled once some are known."""
    lo, hi = bounds[0].copy(), bounds[1].copy()
    was_open = lo < hi
    at = np.searchsorted(cells, known)
    lo[at] = hi[at] = 1
    settled = settle(local, lo, hi, was_open)
    closed = settled.bounds[0] == settled.bounds[1]
    near = np.zeros(len(cells), np.bool_)
    near[local.cells[np.isin(local.rows, local.rows[np.isin(local.cells, at)])]] = True
    asked = np.flatnonzero(near & was_open & ~closed)
    x = system.counts[cells]
    if len(asked):
        demand = Demand(lo=x[asked] - 1, hi=x[asked] + 1)
        met = feasible_intervals(local, lo, hi, asked=asked, start=x, demand=demand)
        closed[asked[met.lo == met.hi]] = True
    closed[at] = False
    return cells[closed & was_open]
