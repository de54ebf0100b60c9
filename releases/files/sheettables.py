"""A tidy table on a worksheet of an OpenDocument spreadsheet: which sheet, where its header stands, its rows as text.

A workbook in the form that the Analysis Function asks for has a cover, contents
and notes before its tables, and a few lines above each table.  The table is the
one that is marked up, else it begins at the first row that looks like a header:
two cells or more, all of them text, none repeated, with a row of more than one cell below.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from zipfile import BadZipFile, ZipFile

from common.faults import Faults
from releases.check.ods import read_ods
from releases.check.sheets import Cell, Range, SheetRows, Unreadable

__all__ = ["SheetTable", "is_workbook", "read_sheet"]

FRONT_MATTER = ("cover", "cover_sheet", "contents", "table_of_contents", "notes", "information", "readme")
MIMETYPE = "application/vnd.oasis.opendocument.spreadsheet"
MOST_NAMED = 8


@dataclass(frozen=True, kw_only=True, eq=False)
class SheetTable:
    """A table on a worksheet: its header, its rows as text of the header's width, and on which row of the sheet they begin."""

    sheet: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    first: int


def is_workbook(path: Path) -> bool:
    """Whether a file is an OpenDocument spreadsheet; its name does not count."""
    try:
        with path.open("rb") as file:
            if file.read(4) != b"PK\x03\x04":
                return False
        with ZipFile(path) as archive:
            return archive.read("mimetype").decode("ascii", "replace").startswith(MIMETYPE)
    except (OSError, KeyError, BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError):
        return False


def read_sheet(path: Path, sheet: str | None, faults: Faults) -> SheetTable | None:
    """The table on one worksheet, by default the only one; None, with a fault, where it cannot be read or told."""
    try:
        stat = path.stat()
        sheets, ranges = _read(path, stat.st_mtime_ns, stat.st_size)
    except (OSError, Unreadable, ValueError, OverflowError, MemoryError) as error:
        why = str(error) if isinstance(error, Unreadable) else "cannot be read as a workbook"
        faults.add("broken workbook", why, "save it as ODS again, or give the table as CSV")
        return None
    chosen = _chosen(sheets, ranges, sheet, faults)
    if chosen is None:
        return None
    for problem in sorted(chosen.problems & {"has merged cells"}):
        mend = "take them apart, so that every row has a cell for every column"
        faults.add("workbook", f"sheet '{chosen.name}' {problem}", mend, key="sheet")
        return None
    return _table(chosen, _range_on(ranges, chosen.name), faults)


@lru_cache(maxsize=4)
def _read(path: Path, changed: int, size: int) -> tuple[list[SheetRows], list[Range]]:
    """The sheets of a file as it was when it had been changed last; header and rows are asked for one after another."""
    return read_ods(path)


def _chosen(sheets: list[SheetRows], ranges: list[Range], sheet: str | None, faults: Faults) -> SheetRows | None:
    names = ", ".join(f"'{one.name}'" for one in sheets[:MOST_NAMED]) or "none"
    if sheet is not None:
        found = next((one for one in sheets if one.name == sheet), None)
        if found is None:
            faults.add("sheet", f"has no sheet '{sheet}': its sheets are {names}", "correct it", key="sheet")
        return found
    tables = [
        one
        for one in sheets
        if one.name.strip().lower().replace(" ", "_") not in FRONT_MATTER and _header_row(one, ranges) is not None
    ]
    if len(tables) != 1:
        found_here = "no table on any sheet" if not tables else f"tables on {len(tables)} sheets"
        mend = f"say which one with sheet under --known: its sheets are {names}"
        faults.add("sheet", f"has {found_here}", mend, key="sheet")
        return None
    return tables[0]


def _range_on(ranges: list[Range], sheet: str) -> Range | None:
    here = [one for one in ranges if one.sheet == sheet and one.header]
    return here[0] if len(here) == 1 else None


def _header_row(sheet: SheetRows, ranges: list[Range]) -> int | None:
    """Where the header stands among the sheet's rows, from 0; None where none looks like one."""
    marked = _range_on(ranges, sheet.name)
    if marked is not None and 0 < marked.first_row <= len(sheet.rows):
        return marked.first_row - 1
    for at, (row, below) in enumerate(zip(sheet.rows, sheet.rows[1:], strict=False)):
        names = [cell for cell in row if isinstance(cell, str)]
        if len(names) > 1 and len(names) == len(row) == len(set(names)) and sum(cell is not None for cell in below) > 1:
            return at
    return None


def _table(sheet: SheetRows, marked: Range | None, faults: Faults) -> SheetTable | None:
    at = _header_row(sheet, [marked] if marked else [])
    if at is None:
        mend = "give it one row of column names, with the rows of the table below"
        faults.add("workbook", f"sheet '{sheet.name}' has no header", mend, key="sheet")
        return None
    header = tuple(" ".join(_text(cell).split()) for cell in sheet.rows[at])
    last = marked.last_row if marked is not None else len(sheet.rows)
    rows: list[tuple[str, ...]] = []
    for number, row in enumerate(sheet.rows[at + 1 : last], start=at + 2):
        if not any(cell is not None for cell in row):
            break
        if len(row) > len(header):
            found = f"has {len(row)} cells where the header has {len(header)}"
            faults.add("ragged row", found, "give every column a name, and the row a cell for each", row=number)
        rows.append(tuple(_text(cell) for cell in row) + ("",) * (len(header) - len(row)))
    return SheetTable(sheet=sheet.name, header=header, rows=tuple(rows), first=at + 2)


def _text(cell: Cell) -> str:
    return "" if cell is None else str(cell)
