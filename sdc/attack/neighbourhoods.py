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
from dataclasses import replace

import numpy as np
from numba import njit

from sdc.attack.blocksearch import BlockFound, search_block
from sdc.attack.elimination import Block, find_classes

__all__ = ["find_start", "search_by_neighbourhoods"]

# Of the cells of a neighbourhood, the share nearest to its middle that are asked.
CORE = 0.3
# Sums of more open cells are no way from one cell to another: nearly everything is near everything over them.
LONG_SUM = 60

Bounds = tuple[np.ndarray, np.ndarray]


def find_start(block: Block, bounds: Bounds, *, whole: bool, branches: int) -> np.ndarray | None:
    """A table that fits, of shape (cells,); None where the programmes met none in time.

    Raises
    ------
    NoSolution
        No table fits.
    """
    nobody = np.zeros(len(block.cells), np.bool_)
    found = search_block(
        block, bounds, classes=None, asked=nobody, want=bounds, whole=whole, start=None, branches=branches
    )
    if np.isinf(found.seen_lo).any():
        return None
    return np.rint(found.seen_lo).astype(np.int64) if whole else found.seen_lo


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
) -> BlockFound:
    """As `sdc.attack.blocksearch.search_block`, in neighbourhoods of about `size` cells."""
    cells = len(block.cells)
    outer = bounds[0].astype(float), bounds[1].astype(float)
    seen = np.full(cells, np.inf), np.full(cells, -np.inf)
    if start is not None:
        seen[0][:], seen[1][:] = start, start
    searched = np.zeros(cells, np.bool_)
    solved = whole_solved = stopped = 0
    for near, core in _neighbourhoods(block, asked, size):
        if start is not None:
            found = _search(_touching(block, near, start), near, bounds, core, want, whole, start, branches)
            np.minimum.at(seen[0], near, found.seen_lo)
            np.maximum.at(seen[1], near, found.seen_hi)
            solved, whole_solved = solved + found.solved, whole_solved + found.whole_solved
        open_ends = core & ((seen[0] > want[0]) | (seen[1] < want[1]))
        if open_ends.any():
            # An end that some table meets as far as it is wanted is not followed again.
            reach = np.where(seen[0] <= want[0], bounds[0], want[0]), np.where(seen[1] >= want[1], bounds[1], want[1])
            inside = _within(block, near)
            found = _search(inside, near, bounds, open_ends, reach, whole, start, branches)
            here = near[open_ends[near]]
            local = open_ends[near]
            outer[0][here] = np.maximum(outer[0][here], found.lo[local])
            outer[1][here] = np.minimum(outer[1][here], found.hi[local])
            searched[here] |= found.searched[local]
            solved, whole_solved = solved + found.solved, whole_solved + found.whole_solved
            stopped += found.stopped
    return BlockFound(
        lo=outer[0],
        hi=outer[1],
        seen_lo=seen[0],
        seen_hi=seen[1],
        searched=searched,
        solved=solved,
        whole_solved=whole_solved,
        stopped=stopped,
    )


def _search(
    part: Block,
    near: np.ndarray,
    bounds: Bounds,
    asked: np.ndarray,
    want: Bounds,
    whole: bool,
    start: np.ndarray | None,
    branches: int,
) -> BlockFound:
    return search_block(
        part,
        (bounds[0][near], bounds[1][near]),
        classes=find_classes(part),
        asked=asked[near],
        want=(want[0][near], want[1][near]),
        whole=whole,
        start=None if start is None else start[near],
        branches=branches,
    )


def _neighbourhoods(block: Block, asked: np.ndarray, size: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Sets of cells near each other, ascending, and (bool per cell of the block) those in their middle to be asked."""
    rows = np.repeat(np.arange(len(block.equations)), np.diff(block.starts))
    order = np.argsort(block.columns, kind="stable")
    of_cell = np.searchsorted(block.columns[order], np.arange(len(block.cells) + 1))
    waiting = asked.copy()
    found = np.empty(size, np.int64)
    stamp = np.zeros(len(block.cells), np.int64)
    turn = 0
    for middle in np.flatnonzero(asked).tolist():
        if not waiting[middle]:
            continue
        turn += 1
        many = _gather(block.starts, block.columns, rows[order], of_cell, middle, found, stamp, turn)
        core = np.zeros(len(block.cells), np.bool_)
        core[found[: max(1, int(CORE * many)) if many == size else many]] = True
        core &= waiting
        waiting &= ~core
        yield np.sort(found[:many]), core


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


def _chosen(block: Block, near: np.ndarray, chosen: np.ndarray, right: np.ndarray) -> Block:
    """The chosen equations (bool) over the cells nearby; `right` is what each then comes to."""
    number = np.full(len(block.cells), -1, np.int64)
    number[near] = np.arange(len(near))
    rows = np.repeat(np.arange(len(block.equations)), np.diff(block.starts))
    kept = chosen[rows] & (number[block.columns] >= 0)
    lengths = np.bincount(rows[kept], minlength=len(block.equations))[chosen]
    return replace(
        block,
        cells=block.cells[near],
        equations=block.equations[chosen],
        starts=np.concatenate([[0], np.cumsum(lengths)]),
        columns=number[block.columns[kept]],
        signs=block.signs[kept],
        right=right[chosen],
    )


def _inside(block: Block, near: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which entries are of cells nearby, and the row of each entry."""
    here = np.zeros(len(block.cells), np.bool_)
    here[near] = True
    return here[block.columns], np.repeat(np.arange(len(block.equations)), np.diff(block.starts))


def _within(block: Block, near: np.ndarray) -> Block:
    """The sums of which all open cells are nearby."""
    inside, rows = _inside(block, near)
    chosen = np.bincount(rows, ~inside, minlength=len(block.equations)) == 0
    return _chosen(block, near, chosen, block.right)


def _touching(block: Block, near: np.ndarray, start: np.ndarray) -> Block:
    """The sums with any cell nearby, all other cells at `start`."""
    inside, rows = _inside(block, near)
    held = np.bincount(
        rows, np.where(inside, 0, start[block.columns] * block.signs), minlength=len(block.equations)
    ).astype(block.right.dtype)
    chosen = np.bincount(rows, inside, minlength=len(block.equations)) > 0
    return _chosen(block, near, chosen, block.right - held)
