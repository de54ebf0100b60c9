"""The unit that protection is measured in: the time that plain DuckDB takes to build one table's margins."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bench import baselines
from sdc.tables import Table

__all__ = ["margins_unit"]

Build = Callable[[], dict[str, pa.Table]]


@contextmanager
def margins_unit(folder: Path, table: Table) -> Iterator[Build]:
    """A function that builds the margins of a one-way table from its finest cells, in DuckDB, run once and checked."""
    path = folder / "finest.parquet"
    _write_finest(table, path)
    (category,) = table.classification.dimensions
    with baselines.connect() as connection:

        def build() -> dict[str, pa.Table]:
            return baselines.margins(connection, str(path), table.hierarchy.levels, category)

        _same_margins(build(), table)
        yield build


def _write_finest(table: Table, path: Path) -> None:
    """The long form that the margins start from: a row per non-zero finest cell, with the codes of all its areas."""
    hierarchy = table.hierarchy
    unit, column = np.nonzero(table.counts[0][:, :-1])

    def named(index: np.ndarray, codes: list[str]) -> pa.Array:
        return pa.DictionaryArray.from_arrays(pa.array(index.astype(np.int32)), pa.array(codes))

    columns = {
        level: named(hierarchy.ancestors(0, at)[unit], hierarchy.codes[at].tolist())
        for at, level in enumerate(hierarchy.levels)
    }
    columns[table.classification.dimensions[0]] = named(column, [codes[0] for codes in table.classification.categories])
    columns["count"] = pa.array(table.counts[0][unit, column])
    pq.write_table(pa.table(columns), path, store_schema=False)


def _same_margins(found: Mapping[str, pa.Table], table: Table) -> None:
    """The margins must be those of the table: as many non-zero cells, and the same sum of squares, at every level."""
    for level, counts in zip(table.hierarchy.levels, table.counts, strict=True):
        cells = found[level]["count"].to_numpy()
        true = counts[:, :-1]
        if len(cells) != np.count_nonzero(true) or np.sum(cells**2) != np.sum(true**2):
            raise RuntimeError(f"the margins of level {level} are not those of the table")
