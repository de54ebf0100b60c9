"""Several tables over one hierarchy, held so that compiled code can round them together.

A cell is held by how far it lies above the multiple of the base below it, in
parts of 1 / SCALE: *open* between 0 and the width (base × SCALE), *settled* at
either end, and SHUT where the true count is a multiple, which must not change.
A cell is HELD_LOW or HELD_HIGH, at the one end or the other, while it keeps the
value of the release before (`sdc.rounding.kept`): it moves only where it must.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from sdc.tables import Table

__all__ = ["HELD_HIGH", "HELD_LOW", "SCALE", "SHUT", "Joined", "join_tables", "rounded_values"]

# Parts of a count: flows are divided among cells, and 1 / SCALE is the largest error of one division.
SCALE = 1 << 16
SHUT, HELD_LOW, HELD_HIGH = -1, -2, -3


class Joined(NamedTuple):
    """The tables' cells, one table behind the other.

    Attributes
    ----------
    offset : int32 of shape (cells,), each cell above its lower multiple, or SHUT, HELD_LOW or HELD_HIGH.
    starts : int64 of shape (tables + 1,), the first cell of each table, and the number of cells.
    columns : int64 of shape (tables,), columns per unit, the total last.
    width : base × SCALE.

    Column k of unit u (see `sdc.rounding.tree`) of table t is the cell
    ``starts[t] + u * columns[t] + k``.
    """

    offset: np.ndarray
    starts: np.ndarray
    columns: np.ndarray
    width: int


def join_tables(tables: Sequence[Table], base: int) -> Joined:
    """Join tables with categories; tables of totals alone have nothing to follow and are left out by the caller."""
    sizes = [sum(counts.size for counts in table.counts) for table in tables]
    starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    offset = np.empty(starts[-1], np.int32)
    place = 0
    for table in tables:
        for counts in table.counts:
            residues = (counts % base).ravel()
            offset[place : place + counts.size] = np.where(residues == 0, SHUT, residues * SCALE)
            place += counts.size
    columns = np.array([len(table.classification) + 1 for table in tables], dtype=np.int64)
    return Joined(offset=offset, starts=starts, columns=columns, width=base * SCALE)


def rounded_values(
    joined: Joined, index: int, table: Table, totals: Sequence[np.ndarray], base: int
) -> tuple[np.ndarray, ...]:
    """One table's published values per level, from its settled cells and the rounded totals (units, 1) per level."""
    values = []
    place = joined.starts[index]
    for counts, total in zip(table.counts, totals, strict=True):
        offset = joined.offset[place : place + counts.size].reshape(counts.shape)
        raised = (offset == joined.width) | (offset == HELD_HIGH)
        level = counts // base * base + base * raised
        level[:, -1:] = total
        values.append(level)
        place += counts.size
    return tuple(values)
