"""An extract opened so that each row says where it stands: DuckDB in source order, for a second look at few rows.

Rows of CSV files are numbered by a streaming window while the files are read from their first row to their last,
one after the other; rows of Parquet files by the reader itself.  Both take the order of the file
however many threads there are, which counting does not need and therefore does not pay for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ibis

from claimants.csvfiles import ENCODINGS, lines_of_rows
from claimants.engine import CsvForm, fetch
from claimants.extract import Extract
from claimants.files import Layout

if TYPE_CHECKING:
    from claimants.duckdbengine import DuckDB

__all__ = ["SOURCE", "Numbered", "open_numbered"]

SOURCE = ("source_file", "source_row")
"""Columns of a numbered extract: the file (text), and the row among those read with it (int64, from 1)."""
READERS_OWN = "file_row_number"


@dataclass(frozen=True, kw_only=True)
class Numbered:
    """An extract whose parts have the columns `SOURCE`.

    Attributes
    ----------
    before : file → rows that are numbered before its first.
    rows : file → its rows.
    """

    extract: Extract
    before: Mapping[str, int]
    rows: Mapping[str, int]

    def places(self, file: str, numbers: Sequence[int]) -> list[int]:
        """Where rows stand in their file, by the number that the extract gives them.

        Lines of a CSV file (the header is line 1), rows of a Parquet file from 1; ascending.
        """
        own = sorted(number - self.before[file] for number in numbers)
        if self.extract.form == "parquet":
            return own
        spec = self.extract.spec
        lines = lines_of_rows(Path(file), spec.encoding, spec.delimiter, own, self.rows[file])
        return [lines[number] for number in own if number in lines]


def open_numbered(connection: "DuckDB", opened: Extract) -> Numbered:
    """The files of an opened extract once more, with numbers of rows; the connection keeps the order of rows from then on.

    Raises
    ------
    EngineRefusal
        The files can no longer be read.
    """
    connection.backend.raw_sql("SET preserve_insertion_order = true")
    alike: dict[tuple[object, ...], list[Layout]] = {}
    for layout in opened.layouts:
        alike.setdefault((layout.columns, layout.types), []).append(layout)
    parts: list[Any] = []
    before: dict[str, int] = {}
    rows: dict[str, int] = {}
    for group in alike.values():
        read = _parquet_part if opened.form == "parquet" else _csv_part
        part, told = read(connection, opened, group)
        parts.append(part)
        names = [str(layout.path) for layout in group]
        rows |= {name: told.get(name, 0) for name in names}
        by_reader = opened.form == "parquet" and not _taken(READERS_OWN, group[0])
        starts = [0] * len(names) if by_reader else accumulate((rows[name] for name in names), initial=0)
        before |= dict(zip(names, starts, strict=False))
    return Numbered(extract=replace(opened, parts=tuple(parts)), before=before, rows=rows)


def _csv_part(connection: "DuckDB", opened: Extract, group: Sequence[Layout]) -> tuple[Any, dict[str, int]]:
    columns, spec = group[0].columns, opened.spec
    places = _places(opened, group[0])
    form = CsvForm(encoding=ENCODINGS[spec.encoding][1], delimiter=spec.delimiter)
    files = [layout.path for layout in group]
    table, _ = connection.read_csv(files, len(columns), form, sorted(set(places.values())), filename=SOURCE[0])
    counted = fetch(connection, table.group_by(SOURCE[0]).aggregate(rows=table.count()))
    told = dict(zip(counted.column(SOURCE[0]).to_pylist(), counted.column("rows").to_pylist(), strict=True))
    fields = {name: table[f"c{place}"] for name, place in places.items()}
    return table.select(**fields, source_file=table[SOURCE[0]], source_row=_in_order()), told


def _parquet_part(connection: "DuckDB", opened: Extract, group: Sequence[Layout]) -> tuple[Any, dict[str, int]]:
    columns = group[0].columns
    name = SOURCE[0]
    while _taken(name, group[0]):
        name += "_"
    own = not _taken(READERS_OWN, group[0])
    more = {READERS_OWN: True} if own else {}
    places = _places(opened, group[0])
    types = {columns[place]: group[0].types[place] for place in places.values()}
    table = connection.read_parquet([layout.path for layout in group], types, filename=name, **more)
    fields = {field: table[columns[place]] for field, place in places.items()}
    number = table[READERS_OWN] + 1 if own else _in_order()
    told = {str(layout.path): layout.rows or 0 for layout in group}
    return table.select(**fields, source_file=table[name], source_row=number), told


def _in_order() -> Any:
    """The number of a row, from 1, in the order in which the rows are read."""
    return ibis.row_number().over(ibis.window()) + 1


def _taken(name: str, layout: Layout) -> bool:
    return name in {column.lower() for column in layout.columns}


def _places(opened: Extract, layout: Layout) -> dict[str, int]:
    """The fields that are needed and there, by the position of their column."""
    named = {need.field: opened.spec.column(need.field) for need in opened.needs}
    return {field: layout.columns.index(name) for field, name in named.items() if name in layout.columns}
