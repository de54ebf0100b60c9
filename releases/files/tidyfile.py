"""Reads chosen columns of a tidy table, CSV, Parquet or a sheet of an ODS workbook, as untouched text that knows its rows.

Builds on `geography.textcolumns`, and adds what tables of counts need: columns
that may be missing, columns that nobody asked for (named, never read), and
Parquet columns of whole numbers, which are read as their decimal digits.

A file without a header, or with its columns in another order, puts counts where
names or codes are looked for.  So no message repeats a text that could be a
count: see `quotable`.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from common.faults import Faults
from geography.textcolumns import TextColumns, encoding_fault, file_fault, read_text_columns
from releases.files.sheettables import SheetTable, is_workbook, read_sheet

__all__ = ["Tidy", "quotable", "read_header", "read_tidy"]

LONGEST_CELL = 100_000
LONGEST_QUOTED = 60
BLOCK = 8 << 20


class SteadyRows(TextColumns):
    """Text columns that always have a row number for each row, whatever the CSV looks like."""

    @cached_property
    def rows(self) -> np.ndarray:
        """Line of each row in the file; see `TextColumns.rows`."""
        number = len(next(iter(self.columns.values())))
        try:
            found = TextColumns(path=self.path, columns=self.columns).rows
        except (csv.Error, UnicodeDecodeError, OSError):
            found = np.empty(0, np.int64)
        return found if len(found) == number else np.arange(2, number + 2)


@dataclass(frozen=True, kw_only=True, eq=False)
class SheetColumns(TextColumns):
    """Columns of a worksheet: the first row stands on row `first` of the sheet."""

    first: int

    @cached_property
    def rows(self) -> np.ndarray:
        """Row of the sheet that each row stands on."""
        return np.arange(self.first, self.first + len(next(iter(self.columns.values()))))


@dataclass(frozen=True, kw_only=True, eq=False)
class Tidy:
    """Columns of a tidy file.

    Attributes
    ----------
    text : the columns that were asked for and are there, as text, never null.
    unnamed : columns of the file that nobody asked for; they were not read.
    notices : what a user should know of how the file was read.
    """

    text: TextColumns
    unnamed: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()

    def __contains__(self, column: str) -> bool:
        return column in self.text.columns

    @property
    def height(self) -> int:
        """Number of rows."""
        return len(next(iter(self.text.columns.values())))

    def row(self, at: int | np.signedinteger) -> int:
        """Where the row at a place, from 0, stands in the file."""
        return int(self.text.rows[at])


def quotable(text: str) -> str:
    """The text in quotes if it can be no count, else words that stand for it.

    A code or a name has a letter in it; digits alone may be a count that
    slipped into another column, and are not repeated.
    """
    plain = " ".join(text.split())
    if len(plain) <= LONGEST_QUOTED and any(mark.isalpha() for mark in plain):
        return f"'{plain}'"
    return "a text without letters (not shown)" if len(plain) <= LONGEST_QUOTED else "a long text (not shown)"


def read_tidy(
    path: Path,
    *,
    needed: Sequence[str],
    wanted: Sequence[str] = (),
    whole: Sequence[str] = (),
    fractions: Sequence[str] = (),
    sheet: str | None = None,
) -> Tidy:
    """The columns `needed`, and those of `wanted` that are there, as text.

    CSV is UTF-8 with comma, byte-order mark tolerated.  In Parquet a column is
    text, or whole numbers: those are read as their decimal digits, which is said
    in a notice unless the column is one of `whole`; a null reads as ``""``.  Columns
    of `fractions` may hold other numbers too.  Of an ODS workbook the table on
    `sheet` is read, by default the only one.

    Raises
    ------
    InputError
        The file is missing, empty, has no rows, is not UTF-8, lacks a needed
        column or has a column twice, has rows of another width than its header,
        or holds a column that is neither text nor whole numbers.  Every fault is told.
    """
    faults = Faults(str(path))
    file_fault(path, faults)
    faults.raise_if_any()
    if is_workbook(path):
        return _read_workbook(path, sheet, list(needed), list(wanted), faults)
    if _is_parquet(path):
        types = _Types(whole=frozenset(whole), fractions=frozenset(fractions))
        return _read_parquet(path, list(needed), list(wanted), types, faults)
    return _read_csv(path, list(needed), list(wanted), faults)


def read_header(path: Path, *, sheet: str | None = None) -> tuple[str, ...]:
    """The names of a file's columns, in order; of an ODS workbook, those of `sheet`.

    Raises
    ------
    InputError
        The file cannot be opened, or its header cannot be read.
    """
    faults = Faults(str(path))
    file_fault(path, faults)
    faults.raise_if_any()
    header: list[str] = []
    if is_workbook(path):
        header = list(_sheet(path, sheet, faults).header)
    elif _is_parquet(path):
        try:
            header = list(pq.read_schema(path).names)
        except (pa.ArrowException, OSError):
            faults.add("broken Parquet", "cannot be read as Parquet", "write the file again")
    else:
        _refuse_encoding(path, faults)
        header, _ = _header(path, faults)
    faults.raise_if_any()
    return tuple(header)


def _is_parquet(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"PAR1"


# --- CSV ------------------------------------------------------------------------------------------


def _read_csv(path: Path, needed: list[str], wanted: list[str], faults: Faults) -> Tidy:
    _refuse_encoding(path, faults)
    header, lines = _header(path, faults)
    faults.raise_if_any()
    columns = _choose(header, needed, wanted, faults)
    faults.raise_if_any()
    text = read_text_columns(path, columns)
    _refuse_lost_rows(path, text, lines, faults)
    faults.raise_if_any()
    return Tidy(text=SteadyRows(path=path, columns=text.columns), unnamed=_unnamed(header, columns))


def _refuse_encoding(path: Path, faults: Faults) -> None:
    bad = encoding_fault(path)
    if bad is not None:
        faults.add("wrong encoding", bad[0], "save it as CSV in UTF-8", row=bad[1])
    faults.raise_if_any()


def _header(path: Path, faults: Faults) -> tuple[list[str], int]:
    """The first record and the number of lines down to its end."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file)
        try:
            for record in reader:
                if record:
                    return record, reader.line_num
        except csv.Error:
            faults.add("broken CSV", "the header cannot be read", "check its quotes and commas", row=1)
            return [], 0
    faults.add("empty file", "holds no header and no rows", "give the file's rows")
    return [], 0


def _refuse_lost_rows(path: Path, text: TextColumns, lines: int, faults: Faults) -> None:
    """No row may be lost in silence: two readers must see the same number of rows.

    Where every row is one line, counting newlines is enough; else the rows are
    counted by a second reader, about a second a million rows.
    """
    number = len(next(iter(text.columns.values())))
    for name, column in text.columns.items():
        if pc.max(pc.binary_length(column)).as_py() > LONGEST_CELL:
            faults.add("broken CSV", "a cell is longer than any code", "check the file's quotes", column=name)
    if faults.found or number == _newlines(path) - lines:
        return
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            found = sum(bool(record) for record in csv.reader(file)) - 1
    except csv.Error:
        found = -1
    if found != number:
        faults.add("broken CSV", "its rows cannot be told apart", "check its quotes and commas and write it again")


def _newlines(path: Path) -> int:
    """Lines of the file, the last one counted whether or not a newline ends it."""
    count, last = 0, b"\n"
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            count += block.count(b"\n")
            last = block[-1:]
    return count + (last != b"\n")


# --- ODS ------------------------------------------------------------------------------------------


def _read_workbook(path: Path, sheet: str | None, needed: list[str], wanted: list[str], faults: Faults) -> Tidy:
    table = _sheet(path, sheet, faults)
    chosen = _choose(list(table.header), needed, wanted, faults)
    if not table.rows:
        faults.add("no rows", "has a header but no rows", "give the table's rows", key=f"sheet '{table.sheet}'")
    faults.raise_if_any()
    places = {name: table.header.index(name) for name in chosen}
    columns = {name: pa.chunked_array([pa.array([row[at] for row in table.rows])]) for name, at in places.items()}
    text = SheetColumns(path=path, columns=columns, first=table.first)
    return Tidy(text=text, unnamed=_unnamed(list(table.header), chosen))


def _sheet(path: Path, sheet: str | None, faults: Faults) -> SheetTable:
    table = read_sheet(path, sheet, faults)
    faults.raise_if_any()
    assert table is not None
    return table


# --- Parquet --------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class _Types:
    """Columns that may hold numbers: whole ones without a word, and any."""

    whole: frozenset[str]
    fractions: frozenset[str]


def _read_parquet(path: Path, needed: list[str], wanted: list[str], types: _Types, faults: Faults) -> Tidy:
    notices: list[str] = []
    columns: dict[str, pa.ChunkedArray] = {}
    header: list[str] = []
    chosen: list[str] = []
    try:
        # The file alone: a folder called oa=1 above it would add a column to `read_table`.
        with pq.ParquetFile(path) as file:
            header = list(file.schema_arrow.names)
            chosen = _choose(header, needed, wanted, faults)
            for name in (name for name in chosen if header.count(name) == 1):
                _check_type(name, file.schema_arrow.field(name).type, types, faults, notices)
            if not faults.found:
                table = file.read(columns=chosen)
                columns = {name: _as_text(table.column(name)) for name in chosen}
    except (pa.ArrowException, OSError):
        faults.add("broken Parquet", "cannot be read as Parquet", "write the file again")
    if not faults.found and not len(columns[chosen[0]]):
        faults.add("no rows", "has columns but no rows", "give the file's rows")
    faults.raise_if_any()
    text = SteadyRows(path=path, columns=columns)
    told = tuple(f"{path.name}: {notice}" for notice in notices)
    return Tidy(text=text, unnamed=_unnamed(header, chosen), notices=told)


def _check_type(name: str, kind: pa.DataType, types: _Types, faults: Faults, notices: list[str]) -> None:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if name in types.fractions and (pa.types.is_floating(kind) or pa.types.is_integer(kind)):
        return
    if pa.types.is_integer(kind):
        if name not in types.whole:
            notices.append(f"column '{name}' holds whole numbers ({kind}); read as their digits, without leading zeros")
    elif not (pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)):
        wanted = "whole numbers" if name in types.whole else "text"
        faults.add("wrong type", f"holds {kind}, not {wanted}", f"write the column as {wanted}", column=name)


def _as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    column.validate(full=True)  # text that is not UTF-8 must not surface later
    return pc.fill_null(column.cast(pa.string()), "")


# --- Columns --------------------------------------------------------------------------------------


def _choose(header: list[str], needed: list[str], wanted: list[str], faults: Faults) -> list[str]:
    """The columns to read; a fault for each that is missing or stands twice."""
    for name in dict.fromkeys(needed):
        if name not in header:
            told = [quotable(column) for column in header[:30] if quotable(column).startswith("'")]
            found = f"not in the file, which has {', '.join(told) or 'no names in its first row'}"
            faults.add("missing column", found, "name a column it has", column=name)
    chosen = list(dict.fromkeys(name for name in (*needed, *wanted) if name in header))
    for name in chosen:
        if header.count(name) > 1:
            found = f"stands {header.count(name)} times in the header"
            faults.add("repeated column", found, "name each column once", column=name)
    return chosen


def _unnamed(header: list[str], chosen: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name in header if name not in chosen))
