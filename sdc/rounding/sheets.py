"""Tables side by side: a row for every unit of every level, a column for every figure.

In every smallest area some columns are sums of others, and some *ties* hold,
Σ sign × value >= 0: what one table counts is part of what another counts.  As everything
adds up over areas, a tie that holds in the smallest areas holds above them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from sdc.figures import figures_of
from sdc.rounding.kept import KEPT, Earlier, standing
from sdc.rounding.tree import Tree
from sdc.tables import Hierarchy, SafeTable, Table

__all__ = ["Sheet", "hashes_of", "kept_in", "lay_out", "named_areas", "replace_values", "values_of"]

NAMED = 5


@dataclass(frozen=True, kw_only=True, eq=False)
class Sheet:
    """Columns of several tables over one tree, and what ties them.

    Attributes
    ----------
    counts : true counts, int64 of shape (units, columns), units as in `sdc.rounding.tree`.
    sums : pairs of a column and those it is the sum of, in every smallest area.
    ties : int8 of shape (ties, columns): Σ ties × value >= 0 in every smallest area.
    fixed : columns whose values stay as they are, because tables outside the sheet have them too.
    """

    tree: Tree
    counts: np.ndarray
    sums: tuple[tuple[int, np.ndarray], ...]
    ties: np.ndarray
    fixed: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.broken(self.counts[: self.tree.areas]).any():
            raise ValueError("sums and ties must hold for the true counts")

    def broken(self, rows: np.ndarray) -> np.ndarray:
        """Where a sum or a tie does not hold, given values of smallest areas: bool of shape (rows,)."""
        wrong = np.any(rows @ self.ties.T.astype(np.int64) < 0, axis=1).reshape(len(rows))
        for whole, parts in self.sums:
            wrong |= rows[:, parts].sum(axis=1) != rows[:, whole]
        return wrong


def lay_out(tables: Sequence[Table]) -> np.ndarray:
    """The tables' counts side by side, totals and all: int64 of shape (units, columns)."""
    return np.column_stack([np.concatenate(table.counts) for table in tables])


def values_of(tables: Sequence[SafeTable]) -> np.ndarray:
    """The tables' published values side by side: int64 of shape (units, columns)."""
    return np.column_stack([np.concatenate(safe.values) for safe in tables])


def hashes_of(tables: Sequence[Table], key: bytes) -> np.ndarray:
    """The tables' keyed hashes of figures side by side: uint64 of shape (units, columns)."""
    return np.column_stack([np.concatenate(figures_of(table, key).hashes) for table in tables])


def kept_in(tables: Mapping[str, Table], safe: Mapping[str, SafeTable], earlier: Mapping[str, Earlier]) -> np.ndarray:
    """Which values of tables side by side are kept from the release before: bool of shape (units, columns)."""
    parts = []
    for name, table in tables.items():
        if name in earlier:
            parts.append(np.concatenate(standing(table, safe[name].values, earlier[name])) == KEPT)
        else:
            parts.append(np.zeros((sum(table.hierarchy.units), len(table.classification) + 1), np.bool_))
    return np.column_stack(parts)


def replace_values(tables: Mapping[str, SafeTable], values: np.ndarray) -> dict[str, SafeTable]:
    """The tables with values from a sheet that they stand in side by side, in their order."""
    out, first = {}, 0
    for name, safe in tables.items():
        last = first + len(safe.classification) + 1
        part = np.ascontiguousarray(values[:, first:last])
        ends = np.cumsum(safe.hierarchy.units)[:-1]
        out[name], first = replace(safe, values=tuple(np.split(part, ends)), markers=()), last
    return out


def named_areas(hierarchy: Hierarchy, areas: np.ndarray) -> str:
    """The first few smallest areas by their codes, and how many more there are."""
    more = f" and {len(areas) - NAMED:,} more" if len(areas) > NAMED else ""
    return ", ".join(hierarchy.codes[0][areas[:NAMED]]) + more
