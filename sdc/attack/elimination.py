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
                    if abs(float(own) * matrix[row, k]) + abs(float(other) * matrix[rank, k]) > 4e18:
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
    leader = np.arange(columns)
    scale, slope = np.ones(columns, np.int64), np.ones(columns, np.int64)
    constant = np.zeros(columns, np.int64)
    entries = matrix[:, :columns].copy()
    own = entries[np.arange(len(pivots)), pivots]
    entries[np.arange(len(pivots)), pivots] = 0
    number = (entries != 0).sum(axis=1)
    for row in np.flatnonzero(number == 0):
        cell = pivots[row]
        scale[cell], constant[cell], slope[cell] = own[row], matrix[row, columns], 0
    for row in np.flatnonzero(number == 1):
        cell, free = pivots[row], int(np.flatnonzero(entries[row])[0])
        leader[cell], scale[cell] = free, own[row]
        constant[cell], slope[cell] = matrix[row, columns], -entries[row, free]
    led: dict[bytes, int] = {}
    for row in np.flatnonzero(number > 1):
        common = int(np.gcd.reduce(entries[row]))
        sign = 1 if entries[row, np.flatnonzero(entries[row])[0]] > 0 else -1
        first = led.setdefault((entries[row] // (common * sign)).tobytes(), int(row))
        if first != row:
            cell = int(pivots[row])
            at = int(np.flatnonzero(entries[row])[0])
            told = [(int(entries[r, at]), int(own[r]), int(matrix[r, columns])) for r in (row, first)]
            found = _tied(*told)
            if found is not None:
                leader[cell] = pivots[first]
                scale[cell], constant[cell], slope[cell] = found
    return Classes(leader=leader, scale=scale, constant=constant, slope=slope)


def _tied(row: tuple[int, int, int], first: tuple[int, int, int]) -> tuple[int, int, int] | None:
    """One cell as a function of another: scale, constant and slope; None where they do not fit 64 bits.

    Each row is (e, own, right): own x + e w = right and own' y + e' w = right',
    w being their common direction, give e' own x = e' right - e right' + e own' y.
    """
    (e, own, right), (first_e, first_own, first_right) = row, first
    values = (first_e * own, first_e * right - e * first_right, e * first_own)
    common = gcd(gcd(values[0], values[1]), values[2]) * (1 if values[0] > 0 else -1)
    fits = all(abs(value // common) < 1 << 62 for value in values)
    return (values[0] // common, values[1] // common, values[2] // common) if fits else None
