"""Exact elimination: what the sums of a table say about its cells before any bound is used.

Cells that are still open fall into *blocks*, joined where they share an
equation; what is known of one block says nothing about another.  Within a block,
Gaussian elimination over whole numbers finds

* the cells whose value follows from the sums alone;
* the classes of cells that can only move together, ``d x = a + b y``: one
  interval gives that of the whole class.

On a network the first are the bridges of the graph of open cells and the second
its cut pairs.

Sources: methods 4.1 and 5.4; E. H. Bareiss, "Sylvester's identity and multistep
integer-preserving Gaussian elimination", Mathematics of Computation 22 (1968).
"""

from dataclasses import dataclass
from math import gcd

import numpy as np
from numba import njit

from sdc.attack.narrowing import NoSolution
from sdc.system import Equations

__all__ = ["Block", "Classes", "find_blocks", "find_classes"]

# A block of this many numbers, rows × columns, is still eliminated: a second or two at most.
DENSE = 1_000_000
# Entries above this would not be safe to multiply.
LARGEST = 1 << 30
# Sums of products up to this are safe in 64 bits.
SAFE = 4e18
# An odd number, that multiplies places into words.
MIXING = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, kw_only=True, eq=False)
class Block:
    """Open cells that hang together, and the equations between them.

    `cells` and `equations` hold numbers in the whole system, ascending;
    `starts`, `columns` and `signs` are the equations in compressed form over
    the block's own cells; `right` is what each comes to: Σ signs × cell = right.
    """

    cells: np.ndarray
    equations: np.ndarray
    starts: np.ndarray
    columns: np.ndarray
    signs: np.ndarray
    right: np.ndarray


def find_blocks(equations: Equations, lo: np.ndarray, hi: np.ndarray, wanted: np.ndarray) -> list[Block]:
    """The blocks of open cells (lo < hi) that hold a wanted one (bool per cell), by their first cell.

    A cell that stands in no equation is a block of its own.
    """
    free = lo < hi
    label = _labels(equations.starts, equations.cells, free)
    known = np.where(free, 0, lo)
    right = -equations.residuals(known)
    entry_free = free[equations.cells]
    rows = equations.rows[entry_free]
    cells, signs = equations.cells[entry_free], equations.signs[entry_free]
    # Entries grouped by block, equations in order within each.
    at = label[cells]
    order = np.argsort(at, kind="stable")
    rows, cells, signs, at = rows[order], cells[order], signs[order], at[order]
    members = np.flatnonzero(free)
    members = members[np.argsort(label[members], kind="stable")]
    names = np.unique(label[np.flatnonzero(free & wanted)])
    entry_ends = np.searchsorted(at, names), np.searchsorted(at, names, side="right")
    member_ends = np.searchsorted(label[members], names), np.searchsorted(label[members], names, side="right")
    position = np.zeros(equations.size, np.int64)
    blocks = []
    for a, b, c, d in zip(*entry_ends, *member_ends, strict=True):
        own = members[c:d]
        position[own] = np.arange(len(own))
        numbers, first = np.unique(rows[a:b], return_index=True)
        blocks.append(
            Block(
                cells=own,
                equations=numbers,
                starts=np.concatenate([first, [b - a]]),
                columns=position[cells[a:b]],
                signs=signs[a:b],
                right=right[numbers],
            )
        )
    return blocks


@njit(cache=True)
def _labels(starts, cells, free):  # type: ignore[no-untyped-def]
    """The smallest cell that each free cell hangs together with; -1 for others."""
    label = np.full(len(free), -1, np.int64)
    for cell in range(len(free)):
        if free[cell]:
            label[cell] = cell
    for equation in range(len(starts) - 1):
        root = -1
        for e in range(starts[equation], starts[equation + 1]):
            cell = cells[e]
            if not free[cell]:
                continue
            while label[cell] != cell:
                label[cell] = label[label[cell]]
                cell = label[cell]
            if root < 0 or root == cell:
                root = cell
            elif root < cell:
                label[cell] = root
            else:
                label[root] = cell
                root = cell
    for cell in range(len(free)):
        if free[cell]:
            label[cell] = label[label[cell]]
    return label


@dataclass(frozen=True, kw_only=True, eq=False)
class Classes:
    """What elimination says of a block's cells, all int64 of shape (cells of the block,).

    ``scale × cell = constant + slope × leader``: a cell whose slope is 0 follows
    from the sums alone; a leader leads itself with scale = slope = 1.  Scales are
    above 0.  `leader` is a position in the block.
    """

    leader: np.ndarray
    scale: np.ndarray
    constant: np.ndarray
    slope: np.ndarray


def find_classes(block: Block) -> Classes | None:
    """The classes of a block; None where it is too large for exact elimination, or numbers would grow too large.

    Raises
    ------
    NoSolution
        The sums contradict each other, whatever the bounds.
    """
    rows, columns = len(block.equations), len(block.cells)
    if rows * (columns + 1) > DENSE:
        return None
    matrix = np.zeros((rows, columns + 1), np.int64)
    matrix[np.repeat(np.arange(rows), np.diff(block.starts)), block.columns] = block.signs
    matrix[:, columns] = block.right
    pivots = np.full(rows, -1, np.int64)
    rank = _eliminate(matrix, pivots)
    if rank < 0:
        return None
    if np.any(matrix[rank:, columns]):
        raise NoSolution(block.equations)
    return _classes(matrix[:rank], pivots[:rank])


@njit(cache=True)
def _eliminate(matrix, pivots):  # type: ignore[no-untyped-def]
    """Bring the matrix to reduced row echelon form over whole numbers, in place; its rank, or -1 if numbers grow too large.

    The last column is the right side.  Each row is divided by the greatest
    common divisor of its entries; pivots are above 0.
    """
    rows, width = matrix.shape
    rank = 0
    for column in range(width - 1):
        best, best_size = -1, 0
        for row in range(rank, rows):
            size = abs(matrix[row, column])
            if size and (best < 0 or size < best_size):
                best, best_size = row, size
                if size == 1:
                    break
        if best < 0:
            continue
        if best != rank:
            for k in range(width):
                matrix[best, k], matrix[rank, k] = matrix[rank, k], matrix[best, k]
        pivots[rank] = column
        if matrix[rank, column] < 0:
            for k in range(width):
                matrix[rank, k] = -matrix[rank, k]
        pivot = matrix[rank, column]
        for row in range(rows):
            if row == rank or matrix[row, column] == 0:
                continue
            common = gcd(pivot, abs(matrix[row, column]))
            own, other = pivot // common, matrix[row, column] // common
            divisor = 0
            for k in range(width):
                if matrix[rank, k] != 0 or (own != 1 and matrix[row, k] != 0):
                    # Products stay below 2**62: the right side counts people, entries are below `LARGEST`.
                    if abs(float(own) * matrix[row, k]) + abs(float(other) * matrix[rank, k]) > SAFE:
                        return -1
                    matrix[row, k] = own * matrix[row, k] - other * matrix[rank, k]
                    if k < width - 1 and abs(matrix[row, k]) > LARGEST:
                        return -1
                if divisor != 1 and matrix[row, k] != 0:
                    divisor = gcd(divisor, abs(matrix[row, k]))
            if divisor > 1:
                for k in range(width):
                    matrix[row, k] //= divisor
        rank += 1
    return rank


def _classes(matrix: np.ndarray, pivots: np.ndarray) -> Classes:
    """Cells as functions of the free ones, grouped where they are functions of each other.

    Row by row: ``pivot × cell + Σ entries × free cells = right``.  Rows whose
    entries are proportional are one class, led by the free cell where there is
    one alone, otherwise by the first of them.
    """
    columns = matrix.shape[1] - 1
    leader, constant = np.arange(columns), np.zeros(columns, np.int64)
    scale, slope = np.ones(columns, np.int64), np.ones(columns, np.int64)
    _lead(matrix, pivots, leader, scale, constant, slope)
    return Classes(leader=leader, scale=scale, constant=constant, slope=slope)


@njit(cache=True)
def _lead(matrix, pivots, leader, scale, constant, slope):  # type: ignore[no-untyped-def]
    """Fill in the classes, in place."""
    rows, columns = matrix.shape[0], matrix.shape[1] - 1
    # Entries without the pivot, by a common factor and sign, told apart by a sum of products that wraps around.
    factor, mark = np.zeros(rows, np.int64), np.zeros(rows, np.uint64)
    for row in range(rows):
        number, only = 0, -1
        for k in range(columns):
            value = matrix[row, k]
            if value == 0 or k == pivots[row]:
                continue
            number += 1
            only = k if only < 0 else only
            factor[row] = gcd(factor[row], abs(value))
        cell = pivots[row]
        if number == 0:
            scale[cell], constant[cell], slope[cell] = matrix[row, cell], matrix[row, columns], 0
        elif number == 1:
            leader[cell], scale[cell] = only, matrix[row, cell]
            constant[cell], slope[cell] = matrix[row, columns], -matrix[row, only]
        if number <= 1:
            factor[row] = 0
            continue
        factor[row] = factor[row] if matrix[row, only] > 0 else -factor[row]
        for k in range(columns):
            if k != cell and matrix[row, k] != 0:
                word = (np.uint64(k + 1) * MIXING) ^ (np.uint64(k + 1) * MIXING >> np.uint64(29))
                mark[row] += np.uint64(matrix[row, k] // factor[row]) * word
    for row in range(rows):
        if factor[row] == 0:
            continue
        for first in range(row):
            if factor[first] != 0 and mark[first] == mark[row] and _alike(matrix, pivots, factor, first, row):
                _tie(matrix, pivots, factor, first, row, leader, scale, constant, slope)
                break


@njit(cache=True)
def _alike(matrix, pivots, factor, first, row):  # type: ignore[no-untyped-def]
    """Whether two rows have the same entries but for a factor, their pivots apart."""
    for k in range(matrix.shape[1] - 1):
        one = 0 if k == pivots[first] else matrix[first, k] // factor[first]
        other = 0 if k == pivots[row] else matrix[row, k] // factor[row]
        if one != other:
            return False
    return True


@njit(cache=True)
def _tie(matrix, pivots, factor, first, row, leader, scale, constant, slope):  # type: ignore[no-untyped-def]
    """One cell as a function of another, where its numbers fit 64 bits.

    Each row is (e, own, right): own x + e w = right and own' y + e' w = right',
    w being their common direction, give e' own x = e' right - e right' + e own' y.
    """
    right = matrix.shape[1] - 1
    common = gcd(abs(factor[row]), abs(factor[first]))
    e, other = factor[row] // common, factor[first] // common
    own, first_own = matrix[row, pivots[row]], matrix[first, pivots[first]]
    largest = abs(float(other) * own) + abs(float(e) * first_own)
    largest += abs(float(other) * matrix[row, right]) + abs(float(e) * matrix[first, right])
    if largest > SAFE:
        return
    a, b = other * own, other * matrix[row, right] - e * matrix[first, right]
    c = e * first_own
    common = gcd(gcd(abs(a), abs(b)), abs(c)) * (1 if a > 0 else -1)
    cell = pivots[row]
    leader[cell], scale[cell], constant[cell], slope[cell] = pivots[first], a // common, b // common, c // common
