"""Whole numbers near a point at which a walk ended, by a small mixed-integer programme.

Given a point y (in multiples of the base) that fulfils the sums but need not be
whole (`sdc.rounding.flight`), find whole numbers that fulfil them:

* a cell that is fractional at f = y - floor(y) costs (1 - 2f + h) when raised, h
  in [-1, 1) the key's: alone, it would be raised with probability f;
* a cell that has settled costs HELD (1 + h / 8) to unsettle.

First only the fractional finest cells may move; where that fails, all may, each
to one of the two multiples next to its true count.  Where that fails as well,
cells may go up to K multiples further, at STEP for each.
"""

from dataclasses import dataclass

import numpy as np

from sdc.rounding.flight import CLOSE, Lattice
from sdc.solver import INFEASIBLE, Programme, Rows

__all__ = ["Landing", "is_possible", "land", "land_wide"]

HELD = 4.0
STEP = 64.0
# Nodes of the search tree: a number, not seconds, for the answer must not depend on the machine.
BRANCHES = 2_000
GAP = 0.3


@dataclass(frozen=True, kw_only=True, eq=False)
class Landing:
    """Whole numbers, or why there are none.

    Attributes
    ----------
    values : int64 of shape (n,), in multiples of the base, or None.
    stage : 0 the point was whole, 1 fractional cells alone moved, 2 others too, 3 some by more than one multiple.
    proven : where `values` is None: whether it is proven that there are none.
    """

    values: np.ndarray | None
    stage: int
    proven: bool = False


def land(
    lattice: Lattice, point: np.ndarray, *, chances: np.ndarray, weights: np.ndarray, whole: np.ndarray
) -> Landing:
    """Whole numbers within the lattice's bounds.

    Parameters
    ----------
    point : float64 of shape (n,), what to be near to.
    chances : float64 of shape (n,) in [0, 1), the key's.
    weights : float64 of shape (n,), times which each cell's cost is taken; 0 for cells that nobody sees.
    whole : bool of shape (n,), which cells must be asked to be whole; the sums make the others so.
    """
    lower, upper = lattice.lower.astype(np.int64), lattice.upper.astype(np.int64)
    rounded = np.clip(np.round(point).astype(np.int64), lower, upper)
    settled = np.abs(point - rounded) < 10 * CLOSE
    if settled.all() and not _misses(lattice, rounded).any():
        return Landing(values=rounded, stage=0)
    costs = weights * _costs(point, rounded, settled, lower, upper, chances)
    held = settled & whole
    first = _solve(lattice, costs, np.where(held, rounded, lower), np.where(held, rounded, upper), whole, 1)
    return first if first.values is not None else _solve(lattice, costs, lower, upper, whole, 2)


def land_wide(
    lattice: Lattice,
    point: np.ndarray,
    *,
    chances: np.ndarray,
    weights: np.ndarray,
    whole: np.ndarray,
    steps: np.ndarray,
) -> Landing:
    """The same, where each cell may go up to `steps` multiples (int64 of shape (n,)) beyond its bounds, but not below 0."""
    lower, upper = lattice.lower.astype(np.int64), lattice.upper.astype(np.int64)
    rounded = np.clip(np.round(point).astype(np.int64), lower, upper)
    settled = np.abs(point - rounded) < 10 * CLOSE
    costs = weights * _costs(point, rounded, settled, lower, upper, chances)
    more, less = np.flatnonzero(steps > 0), np.flatnonzero(np.minimum(steps, lower) > 0)
    size = len(lower)
    every = np.concatenate([np.arange(size), more, less])
    wide = _with_columns(lattice, more, less)
    found = _solve(
        wide,
        np.concatenate([costs, STEP + chances[more], STEP + chances[less]]),
        np.concatenate([lower, np.zeros(len(every) - size, np.int64)]),
        np.concatenate([upper, steps[more], np.minimum(steps, lower)[less]]),
        whole[every],
        3,
    )
    if found.values is None:
        return found
    values = found.values[:size].copy()
    np.add.at(values, more, found.values[size : size + len(more)])
    np.subtract.at(values, less, found.values[size + len(more) :])
    return Landing(values=values, stage=3)


def is_possible(lattice: Lattice, whole: np.ndarray, sums: np.ndarray) -> bool:
    """Whether some of the sums (bool each) can be fulfilled in whole numbers, or that could not be found out."""
    kept = _with_sums(lattice, sums)
    lower, upper = lattice.lower.astype(np.int64), lattice.upper.astype(np.int64)
    found = _solve(kept, np.zeros(len(lower)), lower, upper, whole, 2)
    return found.values is not None or not found.proven


def _with_columns(lattice: Lattice, more: np.ndarray, less: np.ndarray) -> Lattice:
    """The lattice with a column more for each cell of `more`, which adds to it, and of `less`, which takes from it."""
    size = len(lattice.lower)
    cells, signs, rows = [lattice.cells], [lattice.signs], [_rows(lattice)]
    for number, (chosen, sign) in enumerate(((more, 1), (less, -1))):
        column = np.full(size, -1)
        column[chosen] = size + number * len(more) + np.arange(len(chosen))
        there = column[lattice.cells] >= 0
        cells.append(column[lattice.cells[there]])
        signs.append((sign * lattice.signs[there]).astype(lattice.signs.dtype))
        rows.append(_rows(lattice)[there])
    row = np.concatenate(rows)
    order = np.argsort(row, kind="stable")
    starts = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=len(lattice.right)))])
    return lattice._replace(starts=starts, cells=np.concatenate(cells)[order], signs=np.concatenate(signs)[order])


def _with_sums(lattice: Lattice, sums: np.ndarray) -> Lattice:
    """The lattice with some of its sums alone."""
    kept = sums[_rows(lattice)]
    lengths = np.diff(lattice.starts)[sums]
    return lattice._replace(
        starts=np.concatenate([[0], np.cumsum(lengths)]),
        cells=lattice.cells[kept],
        signs=lattice.signs[kept],
        right=lattice.right[sums],
    )


def _rows(lattice: Lattice) -> np.ndarray:
    """The sum that each entry stands in."""
    return np.repeat(np.arange(len(lattice.right)), np.diff(lattice.starts))


def _misses(lattice: Lattice, values: np.ndarray) -> np.ndarray:
    """By how much each sum is missed: int64 of shape (sums,)."""
    missed = -lattice.right.astype(np.int64)
    np.add.at(missed, _rows(lattice), lattice.signs.astype(np.int64) * values[lattice.cells])
    return missed


def _costs(
    point: np.ndarray,
    rounded: np.ndarray,
    settled: np.ndarray,
    lower: np.ndarray,
    upper: np.ndarray,
    chances: np.ndarray,
) -> np.ndarray:
    """Cost of one multiple more for each cell: float64 of shape (n,)."""
    noise = 2 * chances - 1
    inside = np.clip(point, lower, upper)
    leave = np.where(rounded <= lower, HELD, -HELD) * (1 + noise / 8)
    return np.where(settled, leave, 1 - 2 * (inside - np.floor(inside)) + noise)


def _solve(
    lattice: Lattice, costs: np.ndarray, lower: np.ndarray, upper: np.ndarray, whole: np.ndarray, stage: int
) -> Landing:
    """Least-cost whole numbers within bounds, the cells that cannot move taken out first."""
    moving = np.flatnonzero(lower < upper)
    number = np.full(len(lower), -1)
    number[moving] = np.arange(len(moving))
    values = np.where(lower < upper, 0, lower)
    right = -_misses(lattice, values)
    columns = number[lattice.cells]
    kept = columns >= 0
    filled = np.bincount(_rows(lattice)[kept], minlength=len(right))
    if np.any(right[filled == 0] != 0):
        return Landing(values=None, stage=stage, proven=True)
    rows = Rows()
    if len(moving):
        starts = np.concatenate([[0], np.cumsum(filled[filled > 0])])
        ends = right[filled > 0].astype(float)
        rows.add_many(starts, columns[kept], lattice.signs[kept].astype(float), ends, ends)
        solution = Programme(
            costs[moving],
            lower=lower[moving],
            upper=upper[moving],
            rows=rows,
            integer=whole[moving],
            branches=BRANCHES,
            gap=GAP,
        ).solve()
        if solution.values is None:
            return Landing(values=None, stage=stage, proven=solution.status == INFEASIBLE)
        values[moving] = np.round(solution.values).astype(np.int64)
    return Landing(values=None if _misses(lattice, values).any() else values, stage=stage)
