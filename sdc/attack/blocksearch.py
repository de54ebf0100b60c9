"""Extremes of the cells of one block, by one linear programme whose costs change.

All values are float64, exact for whole numbers up to 2**53.  The model stands in
differences from a base, the start where there is one, so that its numbers are
small whatever the size of the counts.
"""

from dataclasses import dataclass

import numpy as np

from sdc.attack.elimination import Block, Classes
from sdc.attack.intervals import NO_BOUND
from sdc.attack.narrowing import NoSolution
from sdc.solver import INFEASIBLE, OPTIMAL, STOPPED, UNBOUNDED, Programme, Rows

__all__ = ["BlockFound", "search_block"]

# A value of the solver this close to a whole number is that number.
CLOSE = 1e-6


@dataclass(frozen=True, kw_only=True, eq=False)
class BlockFound:
    """Of each cell of a block, float64 of shape (cells,): outer bounds, and the least and greatest value met.

    `searched` (bool) says which cells a mixed-integer programme was needed for,
    `solved` and `whole_solved` how many programmes of each kind, `stopped` how
    many searches the limit on branches ended.
    """

    lo: np.ndarray
    hi: np.ndarray
    seen_lo: np.ndarray
    seen_hi: np.ndarray
    searched: np.ndarray
    solved: int
    whole_solved: int
    stopped: int


def search_block(
    block: Block,
    bounds: tuple[np.ndarray, np.ndarray],
    *,
    classes: Classes | None,
    asked: np.ndarray,
    want: tuple[np.ndarray, np.ndarray],
    whole: bool,
    start: np.ndarray | None,
    branches: int,
    sweep: bool = True,
) -> BlockFound:
    """Follow the asked cells (bool) down and up until `want` is met by a table or the end is reached.

    `bounds`, `want` and `start` are of shape (cells of the block,).  With `sweep` tables are looked for first in which
    many of the cells are as small or as large as they can be.

    Raises
    ------
    NoSolution
        No table fits the block.
    """
    if classes is None:
        ones, each = np.ones(len(block.cells), np.int64), np.arange(len(block.cells))
        classes = Classes(leader=each, scale=ones, constant=0 * ones, slope=ones)
    search = _Search(block, bounds, whole, start, branches)
    if start is None:
        search.find_any()
    leaders = np.unique(classes.leader[asked])
    if sweep and len(leaders) > 2:
        search.sweep(leaders)
    for leader in leaders:
        members = np.flatnonzero(asked & (classes.leader == leader))
        for up in (False, True):
            if _open(search, classes, members, want, up):
                search.extreme(int(leader), up)
    lo, hi = _spread(search, classes, asked)
    return BlockFound(
        lo=lo,
        hi=hi,
        seen_lo=search.seen[0],
        seen_hi=search.seen[1],
        searched=search.searched[classes.leader],
        solved=search.solves,
        whole_solved=search.whole_solves,
        stopped=search.stopped,
    )


def _open(
    search: "_Search", classes: Classes, members: np.ndarray, want: tuple[np.ndarray, np.ndarray], up: bool
) -> bool:
    """Whether some member still wants to go where its leader's going up (or down) would take it."""
    rising = members[(classes.slope[members] > 0) == up]
    falling = members[(classes.slope[members] > 0) != up]
    high = np.any(search.seen[1][rising] < want[1][rising] - CLOSE)
    return bool(high or np.any(search.seen[0][falling] > want[0][falling] + CLOSE))


def _spread(search: "_Search", classes: Classes, asked: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The leaders' outer bounds told to their classes: scale × cell = constant + slope × leader."""
    lo, hi = search.outer[0].copy(), search.outer[1].copy()
    cells = np.flatnonzero(asked & (classes.leader != np.arange(len(asked))))
    leader, slope = classes.leader[cells], classes.slope[cells]
    least, most = np.where(slope > 0, lo[leader], hi[leader]), np.where(slope > 0, hi[leader], lo[leader])
    low = (classes.constant[cells] + slope * least) / classes.scale[cells]
    high = (classes.constant[cells] + slope * most) / classes.scale[cells]
    if search.whole:
        low, high = np.ceil(low - CLOSE), np.floor(high + CLOSE)
    # Where the leader has no bound its class has none: a value met along the ray stands for all of them.
    endless = cells[(slope > 0) & (search.seen[1][leader] >= NO_BOUND)]
    search.seen[1][endless] = NO_BOUND
    lo[cells] = np.maximum(lo[cells], np.where(np.abs(least) >= NO_BOUND, lo[cells], low))
    hi[cells] = np.minimum(hi[cells], np.where(np.abs(most) >= NO_BOUND, hi[cells], high))
    return lo, hi


class _Search:
    """One block under search.  `outer` and `seen` hold (lo, hi) per cell: what is proven, and what was met."""

    def __init__(
        self,
        block: Block,
        bounds: tuple[np.ndarray, np.ndarray],
        whole: bool,
        start: np.ndarray | None,
        branches: int,
    ) -> None:
        self.block, self.whole, self.branches = block, whole, branches
        self.bounds = bounds[0].astype(float), bounds[1].astype(float)
        self.outer = self.bounds[0].copy(), self.bounds[1].copy()
        self.base = (bounds[0] if start is None else start).astype(float)
        size = len(block.cells)
        self.seen = np.full(size, np.inf), np.full(size, -np.inf)
        if start is not None:
            self._meet(self.base)
        self.searched = np.zeros(size, np.bool_)
        self.whole_solves = self.stopped = 0
        self._costs = np.zeros(size)
        self._relaxed: Programme | None = None
        self._exact: Programme | None = None

    @property
    def solves(self) -> int:
        """Linear programmes solved."""
        return 0 if self._relaxed is None else self._relaxed.solves

    def find_any(self) -> None:
        """Meet one table that fits, or raise `NoSolution`."""
        nothing = np.zeros(len(self.block.cells))
        self._minimise(nothing)
        if self.whole and np.isinf(self.seen[0][0]):
            self._minimise_whole(nothing)

    def sweep(self, cells: np.ndarray) -> None:
        """Meet two tables in which many of the cells are as small, and as large, as they can be."""
        for sign in (1.0, -1.0):
            costs = np.zeros(len(self.block.cells))
            # What has no bound would swallow the rest.
            bounded = cells[self.bounds[1][cells] < NO_BOUND] if sign < 0 else cells
            costs[bounded] = sign
            self._minimise(costs)

    def extreme(self, cell: int, up: bool) -> None:
        """Prove how far one cell can go; what is found stands in `outer` and `seen`."""
        if self.seen[int(up)][cell] == self.outer[int(up)][cell]:
            return
        costs = np.zeros(len(self.block.cells))
        costs[cell] = -1.0 if up else 1.0
        least = self._minimise(costs)
        if least is None:
            return
        if np.isinf(least):
            # Along a ray of whole numbers: tables of any size fit.
            self.seen[int(up)][cell] = self.outer[int(up)][cell] = NO_BOUND if up else -NO_BOUND
            return
        value = self.base[cell] + (-least if up else least)
        if self.whole:
            value = np.floor(value + CLOSE) if up else np.ceil(value - CLOSE)
        self._close(cell, up, value)
        if self.whole and self.seen[int(up)][cell] != self.outer[int(up)][cell]:
            self.searched[cell] = True
            value = self.base[cell] + (-1 if up else 1) * self._minimise_whole(costs)
            self._close(cell, up, np.floor(value + CLOSE) if up else np.ceil(value - CLOSE))

    def _close(self, cell: int, up: bool, value: float) -> None:
        end = self.outer[int(up)]
        end[cell] = min(end[cell], value) if up else max(end[cell], value)

    def _minimise(self, costs: np.ndarray) -> float | None:
        """Least cost of differences from the base over all tables, -inf for no least; None where the solver gave up.

        Notes the table it was reached at, if that is one.
        """
        if self._relaxed is None:
            self._relaxed = self._programme(whole=False)
        changed = np.flatnonzero(costs != self._costs)
        self._relaxed.set_costs(changed, costs[changed])
        self._costs = costs
        solution = self._relaxed.solve()
        if solution.status == INFEASIBLE:
            rows = np.abs(self._relaxed.clash()) > CLOSE
            raise NoSolution(self.block.equations[rows] if rows.any() else self.block.equations)
        if solution.values is not None:
            self._meet(self.base + solution.values)
        if solution.status == UNBOUNDED:
            return -np.inf
        if solution.status == STOPPED:
            self.stopped += 1
            return None
        return solution.objective

    def _minimise_whole(self, costs: np.ndarray) -> float:
        """A cost that no table of whole numbers goes below, reached unless the search was stopped."""
        if self._exact is None:
            self._exact = self._programme(whole=True)
        self._exact.set_costs(np.arange(len(costs)), costs)
        self.whole_solves += 1
        solution = self._exact.solve()
        if solution.status == INFEASIBLE:
            raise NoSolution(self.block.equations)
        if solution.values is not None:
            self._meet(self.base + solution.values)
        if solution.status != OPTIMAL:
            self.stopped += 1
        return solution.bound

    def _meet(self, values: np.ndarray) -> None:
        """Note a table, if it is one: of whole numbers where they are asked for, within bounds, adding up."""
        if self.whole:
            rounded = np.rint(values)
            inside = np.all((rounded >= self.bounds[0]) & (rounded <= self.bounds[1]))
            if np.abs(values - rounded).max() > CLOSE or not inside or self._residuals(rounded).any():
                return
            values = rounded
        np.minimum(self.seen[0], values, out=self.seen[0])
        np.maximum(self.seen[1], values, out=self.seen[1])

    def _residuals(self, values: np.ndarray) -> np.ndarray:
        if not len(self.block.equations):
            return np.zeros(0)
        return np.add.reduceat(values[self.block.columns] * self.block.signs, self.block.starts[:-1]) - self.block.right

    def _programme(self, *, whole: bool) -> Programme:
        block, size = self.block, len(self.block.cells)
        rows = Rows()
        right = -self._residuals(self.base)
        rows.add_many(block.starts, block.columns, block.signs.astype(float), right, right)
        unbounded = self.bounds[1] >= NO_BOUND
        return Programme(
            np.zeros(size),
            lower=self.bounds[0] - self.base,
            upper=np.where(unbounded, np.inf, self.bounds[1] - self.base),
            rows=rows,
            integer=np.ones(size, np.bool_) if whole else None,
            branches=self.branches,
            gap=0.0 if whole else None,
        )
