"""Lone claimants: who stands alone in which cell of a table, and what is their own affair.

A cell of count 1 holds one person, and they may know it.  The same person
stands alone in every cell of count 1 that contains their finest one.
"""

from dataclasses import dataclass

import numpy as np

from sdc.compiled import lean
from sdc.network import flatten
from sdc.suppression.search import find_free
from sdc.tables import Hierarchy, Table, sum_up

__all__ = ["Claimants", "changes", "claimants_of", "hold", "own_affair", "release"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Claimants:
    """Who stands alone where, and how cells lie within each other.

    Attributes
    ----------
    alone : int64 of shape (cells,): the claimant's number where the count is 1, else -1.
        Two cells of one number hold the same person.
    unit, column : int32 of shape (cells,), the cell's area, numbered over all levels, and its column.
    above : int32 of shape (areas,), each area's parent, -1 at the top.
    level : int8 of shape (areas,).
    """

    alone: np.ndarray
    unit: np.ndarray
    column: np.ndarray
    above: np.ndarray
    level: np.ndarray


def claimants_of(table: Table) -> Claimants:
    """The lone claimants of a table."""
    hierarchy = table.hierarchy
    finest = table.counts[0]
    columns = finest.shape[1]
    numbers = np.arange(finest.size, dtype=np.uint64).reshape(finest.shape) + np.uint64(1)
    weighted = finest.astype(np.uint64) * numbers
    if columns > 1:
        weighted[:, -1] = weighted[:, :-1].sum(axis=1)
    # The sum of count × number is the number of the only one where the count is 1.
    sums = sum_up(hierarchy, weighted)
    alone = [np.where(x == 1, s.astype(np.int64), -1) for x, s in zip(table.counts, sums, strict=True)]
    cells = sum(hierarchy.units) * columns
    return Claimants(
        alone=flatten(tuple(alone)),
        unit=(np.arange(cells) // columns).astype(np.int32),
        column=(np.arange(cells) % columns).astype(np.int32),
        above=_parents(hierarchy),
        level=np.repeat(np.arange(len(hierarchy.units)), hierarchy.units).astype(np.int8),
    )


def _parents(hierarchy: Hierarchy) -> np.ndarray:
    starts = np.concatenate([[0], np.cumsum(hierarchy.units)])
    parents = [parents + starts[level + 1] for level, parents in enumerate(hierarchy.parents)]
    return np.concatenate([*parents, np.full(hierarchy.units[-1], -1)]).astype(np.int32)


@lean
def own_affair(cell, known, alone, unit, column, above, level):  # type: ignore[no-untyped-def]
    """Whether the claimant alone in `known` stands alone in `cell`, or `cell` lies within `known`."""
    if alone[cell] >= 0 and alone[cell] == alone[known]:
        return True
    if column[known] != column[len(column) - 1] and column[cell] != column[known]:
        return False
    area = unit[cell]
    while area >= 0 and level[area] < level[unit[known]]:
        area = above[area]
    return area == unit[known]


@lean
def changes(arcs, s, cell):  # type: ignore[no-untyped-def]
    """Whether a hidden cell can grow or shrink, over others."""
    tail = arcs.to[2 * cell + 1]
    head = arcs.to[2 * cell]
    grow = arcs.room[2 * cell]
    shrink = arcs.room[2 * cell + 1]
    arcs.room[2 * cell] = 0
    arcs.room[2 * cell + 1] = 0
    free = grow > 0 and find_free(arcs, s, head, tail, np.int64(1)) >= 0
    free = free or (shrink > 0 and find_free(arcs, s, tail, head, np.int64(1)) >= 0)
    arcs.room[2 * cell] = grow
    arcs.room[2 * cell + 1] = shrink
    return free


@lean
def hold(arcs, s, known, start, stop):  # type: ignore[no-untyped-def]
    """Take the room from known cells, and note it."""
    for k in range(start, stop):
        cell = known[k]
        s.before[2 * (k - start)] = arcs.room[2 * cell]
        s.before[2 * (k - start) + 1] = arcs.room[2 * cell + 1]
        arcs.room[2 * cell] = 0
        arcs.room[2 * cell + 1] = 0


@lean
def release(arcs, s, known, start, stop):  # type: ignore[no-untyped-def]
    """Give known cells their room back, last first: a cell may stand there twice."""
    for k in range(stop - 1, start - 1, -1):
        cell = known[k]
        arcs.room[2 * cell] = s.before[2 * (k - start)]
        arcs.room[2 * cell + 1] = s.before[2 * (k - start) + 1]
