"""Tables that fit, found by walking: values are changed one at a time until every sum holds again.

A walk puts one cell where it is wanted and then mends sums, oldest first: of the cells of a sum that
does not hold, the one is moved that leaves the least wrong with all of its sums.  What it ends at is
checked by the sums themselves, so a table that is met is one; that none was met proves nothing.  Most cells of
a large table reach the ends of their own intervals within a few moves of few cells, where a
programme would have to be made and solved for each.

The walk starts from a table well inside the bounds, for there is most room: it is sought by projecting on
one sum after the other, cells moving in proportion to the room they have, and rounding what comes of it.

Sources: the choice of moves is that of local search for satisfiability, B. Selman, H. Kautz and B. Cohen, "Noise
strategies for improving local search", AAAI 1994; projecting is S. Kaczmarz, "Angenäherte Auflösung von
Systemen linearer Gleichungen", Bulletin International de l'Académie Polonaise des Sciences et des Lettres A 35 (1937).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sdc.attack.elimination import Block
from sdc.attack.intervals import NO_BOUND
from sdc.attack.walks import Sums, Table, mend_all, projected, reach

__all__ = ["Ends", "Met", "meet", "walk_blocks", "walk_to_table"]

# Moves before a walk to one end is given up, and, per sum, before the search for a table is.
MOST_MOVES = 1000
MOVES_A_SUM = 40
SWEEPS = 60

Bounds = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True, kw_only=True, eq=False)
class Ends:
    """How far cells are followed, int64 of shape (cells,).

    Attributes
    ----------
    lo, hi : down to and up to; an end that some table meets is not followed further.
    enough, from_zero : nor is either end of a cell that some table takes to `enough`, or of one that tables take to 0 and to
        `from_zero`.
    """

    lo: np.ndarray
    hi: np.ndarray
    enough: np.ndarray
    from_zero: np.ndarray

    @classmethod
    def of(cls, bounds: Bounds) -> "Ends":
        """All the way to both."""
        endless = np.full(len(bounds[0]), NO_BOUND)
        return cls(lo=bounds[0], hi=bounds[1], enough=endless, from_zero=endless.copy())

    def at(self, cells: np.ndarray) -> "Ends":
        """The ends of some cells."""
        return Ends(lo=self.lo[cells], hi=self.hi[cells], enough=self.enough[cells], from_zero=self.from_zero[cells])

    def done(self, least: np.ndarray, most: np.ndarray) -> np.ndarray:
        """Cells that tables take far enough for neither end to be followed: bool of shape (cells,)."""
        return np.asarray((most >= self.enough) | ((least <= 0) & (most >= self.from_zero)))


@dataclass(frozen=True, kw_only=True, eq=False)
class Met:
    """Tables of a block that walks met: `table` they started from, `least` and `most` in any; int64 of shape (cells,)."""

    table: np.ndarray
    least: np.ndarray
    most: np.ndarray


def walk_blocks(
    blocks: Sequence[Block], bounds: Bounds, *, asked: np.ndarray, want: Ends, start: np.ndarray | None
) -> list[Met | None]:
    """Walk towards the wanted ends of the asked cells (bool) of all blocks; ends without bound are not walked to.

    `bounds`, `asked`, `want` and `start`, a table that fits, are of shape (cells of the whole system,).
    What was met in each block, None where no table was.
    """
    whole = _beside(blocks)
    fits = np.ones(len(blocks), np.bool_)
    if start is not None:
        table = start[whole.cells]
    else:
        table, wrong = _near_table(whole, (bounds[0][whole.cells], bounds[1][whole.cells]), None)
        of_sum = np.repeat(np.arange(len(blocks)), [len(block.equations) for block in blocks])
        fits = np.bincount(of_sum[wrong], minlength=len(blocks)) == 0
        if not fits.all():
            of_cell = np.repeat(np.arange(len(blocks)), [len(block.cells) for block in blocks])
            table = table[fits[of_cell]]
            whole = _beside([block for block, one in zip(blocks, fits, strict=True) if one])
    here = bounds[0][whole.cells], bounds[1][whole.cells]
    least, most = meet(whole, here, table, asked=asked[whole.cells], want=want.at(whole.cells))
    found: list[Met | None] = [None] * len(blocks)
    end = 0
    for number in np.flatnonzero(fits).tolist():
        part = slice(end, end := end + len(blocks[number].cells))
        found[number] = Met(table=table[part], least=least[part], most=most[part])
    return found


def walk_to_table(block: Block, bounds: Bounds, *, near: np.ndarray | None = None) -> np.ndarray | None:
    """A table of whole numbers that fits, int64 of shape (cells,), near some values if given; None where none was met."""
    table, wrong = _near_table(block, bounds, near)
    return None if wrong.any() else table


def meet(block: Block, bounds: Bounds, table: np.ndarray, *, asked: np.ndarray, want: Ends) -> Bounds:
    """The least and greatest value of each cell in tables met on walks from one that fits to wanted ends of asked cells.

    Raises
    ------
    ValueError
        The table does not fit.
    """
    sums = _sums_of(block)
    state = _begun(sums, bounds, table)
    if state.wrong.any() or np.any(table < bounds[0]) or np.any(table > bounds[1]):
        raise ValueError("the table must lie within the bounds and add up")
    far = [np.asarray(each, np.int64) for each in (want.lo, want.hi, want.enough, want.from_zero)]
    reach(sums, state, np.flatnonzero(asked), *far, MOST_MOVES)
    return state.least, state.most


def _near_table(block: Block, bounds: Bounds, near: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Whole numbers within bounds, and which sums (bool) they do not meet."""
    sums = _sums_of(block)
    lo, hi = (np.asarray(bound, np.int64) for bound in bounds)
    guess = projected(sums, lo, hi, SWEEPS) if near is None else near
    state = _begun(sums, (lo, hi), np.clip(np.rint(guess).astype(np.int64), lo, hi))
    mend_all(sums, state, MOVES_A_SUM * len(block.equations))
    return state.table, state.wrong != 0


def _beside(blocks: Sequence[Block]) -> Block:
    """Blocks as one, their cells and equations one block after the other."""

    def stacked(arrays: Sequence[np.ndarray], shifts: Sequence[int] | None = None) -> np.ndarray:
        shifted = arrays if shifts is None else [array + shift for array, shift in zip(arrays, shifts, strict=True)]
        return np.concatenate([np.empty(0, np.int64), *shifted])

    cells = np.cumsum([0, *(len(block.cells) for block in blocks)])[:-1].tolist()
    entries = np.cumsum([0, *(len(block.columns) for block in blocks)])
    return Block(
        cells=stacked([block.cells for block in blocks]),
        equations=stacked([block.equations for block in blocks]),
        starts=np.append(stacked([block.starts[:-1] for block in blocks], entries[:-1].tolist()), entries[-1]),
        columns=stacked([block.columns for block in blocks], cells),
        signs=stacked([block.signs for block in blocks]),
        right=stacked([block.right for block in blocks]),
    )


def _sums_of(block: Block) -> Sums:
    rows = np.repeat(np.arange(len(block.equations)), np.diff(block.starts))
    order = np.argsort(block.columns, kind="stable")
    lengths = np.bincount(block.columns, minlength=len(block.cells))
    return Sums(
        starts=block.starts.astype(np.int64),
        columns=block.columns.astype(np.int64),
        signs=block.signs.astype(np.int64),
        right=block.right.astype(np.int64),
        first=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        rows=rows[order].astype(np.int64),
        own=block.signs[order].astype(np.int64),
    )


def _begun(sums: Sums, bounds: Bounds, table: np.ndarray) -> Table:
    cells, equations = len(table), len(sums.starts) - 1
    wrong = -sums.right
    if equations:
        wrong = np.add.reduceat(table[sums.columns] * sums.signs, sums.starts[:-1]) - sums.right

    def zeros(size: int) -> np.ndarray:
        return np.zeros(size, np.int64)

    return Table(
        table=np.array(table, np.int64),
        wrong=wrong.astype(np.int64),
        lo=np.asarray(bounds[0], np.int64),
        hi=np.asarray(bounds[1], np.int64),
        queue=zeros(max(equations, 1)),
        waiting=np.zeros(equations, np.bool_),
        turn=zeros(equations),
        moved=zeros(cells),
        before=zeros(cells),
        touched=zeros(cells),
        base=np.array(table, np.int64),
        astray=np.zeros(cells, np.bool_),
        strayed=zeros(cells),
        least=np.array(table, np.int64),
        most=np.array(table, np.int64),
    )
