"""Intervals in blocks too large for one programme: neighbourhood by neighbourhood, from both sides.

Around some cells the nearest others are gathered, sum by sum.  Two smaller systems stand for the whole:

* *outer*: only the sums that lie within the neighbourhood.  It has every table of the
  whole, and more: what it proves of a cell is proven.
* *inner*: all sums that touch it, cells outside held at one table that fits.  Each of
  its tables is one of the whole: what it reaches can be reached.

Where both ends agree the interval is exact; where not, the outer one is told, and the cell counted
as perhaps not exact.  Work grows with the number of cells asked, not with its square.
"""

from collections.abc import Iterator

import numpy as np
from numba import njit

from sdc.attack.blocksearch import BlockFound, search_block
from sdc.attack.elimination import Block, find_classes
from sdc.attack.walking import walk_to_table

__all__ = ["Ground", "find_start", "search_by_neighbourhoods"]

# Of the cells of a neighbourhood, the share nearest to its middle that are asked.
CORE = 0.3
# Sums of more open cells are no way from one cell to another: nearly everything is near everything over them.
LONG_SUM = 60
# Blocks up to these sizes are solved whole for a first table, and searched for one of whole numbers, where walks met none.
MOST_CELLS_SOLVED, MOST_CELLS_SEARCHED = 100_000, 5_000

Bounds = tuple[np.ndarray, np.ndarray]


def find_start(block: Block, bounds: Bounds, *, whole: bool, branches: int) -> np.ndarray | None:
    """A table that fits, of shape (cells,); None where none was met.

    A programme over the whole block says whether any table fits, and a walk from its answer meets one of whole numbers.

    Raises
    ------
    NoSolution
        No table fits.
    """
    if len(block.cells) > MOST_CELLS_SOLVED:
        return None
    near = _any_table(block, bounds, whole=False, branches=branches)
    if near is None or not whole:
        return near
    met = walk_to_table(block, bounds, near=near)
    if met is None and len(block.cells) <= MOST_CELLS_SEARCHED:
        met = _any_table(block, bounds, whole=True, branches=branches)
    return None if met is None else np.rint(met).astype(np.int64)


def _any_table(block: Block, bounds: Bounds, *, whole: bool, branches: int) -> np.ndarray | None:
    nobody = np.zeros(len(block.cells), np.bool_)
    found = search_block(
        block, bounds, classes=None, asked=nobody, want=bounds, whole=whole, start=None, branches=branches
    )
    return None if np.isinf(found.seen_lo).any() else found.seen_lo


def search_by_neighbourhoods(
    block: Block,
    bounds: Bounds,
    *,
    asked: np.ndarray,
    want: Bounds,
    whole: bool,
    start: np.ndarray | None,
    branches: int,
    size: int,
    met: Bounds | None = None,
) -> BlockFound:
    """As `sdc.attack.blocksearch.search_block`, in neighbourhoods of about `size` cells.

    `met` is the least and greatest value of each cell in tables that were met before.
    """
    cells = len(block.cells)
    outer = bounds[0].astype(float), bounds[1].astype(float)
    seen = np.full(cells, np.inf), np.full(cells, -np.inf)
    if start is not None:
        seen[0][:], seen[1][:] = (start, start) if met is None else met
    searched = np.zeros(cells, np.bool_)
    tally = np.zeros(3, np.int64)
    ground = Ground(block)
    for near, core in _neighbourhoods(ground, asked, size):

        def search(part: Block, low: np.ndarray, high: np.ndarray, near: np.ndarray = near) -> BlockFound:
            """Follow the ends that are open; `outer` says how far any table can go."""
            found = search_block(
                part,
                (bounds[0][near], bounds[1][near]),
                classes=find_classes(part),
                asked=low | high,
                # An end that some table meets as far as it is wanted is not followed.
                want=(
                    np.where(low, np.maximum(want[0][near], outer[0][near]), bounds[1][near]),
                    np.where(high, np.minimum(want[1][near], outer[1][near]), bounds[0][near]),
                ),
                whole=whole,
                start=None if start is None else start[near],
                branches=branches,
                sweep=met is None,
            )
            tally[:2] += found.solved, found.whole_solved
            return found

        low, high = core & (seen[0][near] > want[0][near]), core & (seen[1][near] < want[1][near])
        found = search(ground.within(near), low, high)
        open_ends = low | high
        here = near[open_ends]
        outer[0][here] = np.maximum(outer[0][here], found.lo[open_ends])
        outer[1][here] = np.minimum(outer[1][here], found.hi[open_ends])
        searched[here] |= found.searched[open_ends]
        tally[2] += found.stopped
        low &= seen[0][near] > outer[0][near]
        high &= seen[1][near] < outer[1][near]
        if start is not None and (low | high).any():
            found = search(ground.touching(near, start), low, high)
            seen[0][near] = np.minimum(seen[0][near], found.seen_lo)
            seen[1][near] = np.maximum(seen[1][near], found.seen_hi)
    return BlockFound(
        lo=outer[0],
        hi=outer[1],
        seen_lo=seen[0],
        seen_hi=seen[1],
        searched=searched,
        solved=int(tally[0]),
        whole_solved=int(tally[1]),
        stopped=int(tally[2]),
    )


class Ground:
    """A block that parts are cut from, at a cost that goes with the part and the sums that touch it."""

    def __init__(self, block: Block) -> None:
        self.block = block
        order = np.argsort(block.columns, kind="stable")
        self.rows = np.repeat(np.arange(len(block.equations)), np.diff(block.starts))[order]
        self.first = np.searchsorted(block.columns[order], np.arange(len(block.cells) + 1))
        self._number = np.full(len(block.cells), -1, np.int64)
        self._stamp = np.zeros(len(block.cells), np.int64)
        self._turn = 0

    def near(self, middle: int, size: int) -> np.ndarray:
        """The cells nearest to one, nearest first, `size` at most."""
        self._turn += 1
        found = np.empty(size, np.int64)
        block = self.block
        many = _gather(block.starts, block.columns, self.rows, self.first, middle, found, self._stamp, self._turn)
        return found[:many]

    def within(self, near: np.ndarray) -> Block:
        """The sums of which all open cells are nearby."""
        return self._cut(near, None)

    def touching(self, near: np.ndarray, start: np.ndarray) -> Block:
        """The sums with any cell nearby, all other cells at `start`."""
        return self._cut(near, start)

    def _cut(self, near: np.ndarray, start: np.ndarray | None) -> Block:
        """Sums over the cells nearby (ascending); only those that lie within them where nothing is held at `start`."""
        block = self.block
        rows = np.unique(self.rows[_ranges(self.first[near], self.first[near + 1])])
        lengths = block.starts[rows + 1] - block.starts[rows]
        entries = _ranges(block.starts[rows], block.starts[rows + 1])
        of_entry = np.repeat(np.arange(len(rows)), lengths)
        self._number[near] = np.arange(len(near))
        columns = self._number[block.columns[entries]]
        self._number[near] = -1
        inside = columns >= 0
        right = block.right[rows]
        kept = np.ones(len(rows), np.bool_)
        if start is None:
            kept = np.bincount(of_entry, ~inside, minlength=len(rows)) == 0
        else:
            outer = entries[~inside]
            held = start[block.columns[outer]] * block.signs[outer]
            right = right - np.bincount(of_entry[~inside], held, minlength=len(rows)).astype(right.dtype)
        chosen = kept[of_entry] & inside
        many = np.bincount(of_entry[chosen], minlength=len(rows))[kept]
        return Block(
            cells=block.cells[near],
            equations=block.equations[rows[kept]],
            starts=np.concatenate([[0], np.cumsum(many)]),
            columns=columns[chosen],
            signs=block.signs[entries[chosen]],
            right=right[kept],
        )


def _ranges(starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """The numbers of all ranges, one range after the other."""
    lengths = ends - starts
    shift = np.repeat(starts - np.concatenate([[0], np.cumsum(lengths)[:-1]]), lengths)
    return np.arange(int(lengths.sum())) + shift


def _neighbourhoods(ground: Ground, asked: np.ndarray, size: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Sets of cells near each other, ascending, and (bool, of their shape) those in their middle to be asked."""
    waiting = asked.copy()
    for middle in np.flatnonzero(asked).tolist():
        if not waiting[middle]:
            continue
        found = ground.near(middle, size)
        many = len(found)
        core = found[: max(1, int(CORE * many)) if many == size else many]
        core = core[waiting[core]]
        waiting[core] = False
        near = np.sort(found)
        yield near, np.isin(near, core)


@njit(cache=True)
def _gather(starts, columns, row_of, of_cell, middle, found, stamp, turn):  # type: ignore[no-untyped-def]
    """The cells nearest to one, nearest first, in `found`; how many."""
    found[0] = middle
    stamp[middle] = turn
    many = 1
    done = 0
    while done < many and many < len(found):
        cell = found[done]
        done += 1
        for at in range(of_cell[cell], of_cell[cell + 1]):
            row = row_of[at]
            if starts[row + 1] - starts[row] > LONG_SUM:
                continue
            for e in range(starts[row], starts[row + 1]):
                other = columns[e]
                if stamp[other] != turn:
                    stamp[other] = turn
                    found[many] = other
                    many += 1
                    if many == len(found):
                        return many
    return many
