"""Workbooks beside a table: the same numbers as the CSV, on worksheets that anybody can read.

The layout expected is wide: cover, contents and notes, then worksheets that
each hold one table, with the area's code in the first column and, in the last
columns, a figure for each category in the order of the CSV and the total last.
Rules on accessibility are those of the Government Analysis Function, "Releasing
statistics in spreadsheets" (2021), and its checklist.
"""

import contextlib
import gc
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from pathlib import Path

import numpy as np

from releases.check.files import check_columns
from releases.check.notes import SHOWN, Notes
from releases.check.ods import read_ods
from releases.check.packages import check_package
from releases.check.sheets import Cell, Range, SheetRows, Unreadable
from releases.check.tables import MARKERS, Published
from releases.check.xlsx import read_xlsx

__all__ = ["check_workbook", "tables_of_workbook"]

FRONT = ("Cover", "Contents", "Notes")
READERS: dict[str, Callable[[Path], tuple[list[SheetRows], list[Range]]]] = {".ods": read_ods, ".xlsx": read_xlsx}
UNREAD = np.iinfo(np.int64).min
MOST = 2**53


def check_workbook(
    path: Path, file: str, published: Published, labels: dict[str, dict[str, str]], notes: Notes
) -> None:
    """Check an ODS or XLSX file against the table it tells.

    `labels` gives, per dimension, the label of each code, where the table's
    metadata tells it: a heading must name the labels of its own category.
    """
    sheets = _sheets(path, file, notes)
    if sheets is None:
        return
    seen = [np.zeros(len(codes), bool) for codes in published.layout.codes]
    areas = {code: place for place, code in enumerate(np.concatenate(published.layout.codes).tolist())}
    for sheet, start in sheets:
        _compare(sheet, start, file, published, labels, areas, seen, notes)
    for level, units in enumerate(seen):
        _missing(level, units, file, published, notes)


def tables_of_workbook(path: Path, file: str, notes: Notes) -> Iterator[tuple[str, list[list[Cell]]]]:
    """Name and rows of the table on each worksheet behind the front ones, all rules on its form being checked."""
    for sheet, start in _sheets(path, file, notes) or ():
        header = sheet.rows[start]
        yield sheet.name, [row for row in sheet.rows[start + 1 :] if len(row) == len(header)]


def _sheets(path: Path, file: str, notes: Notes) -> list[tuple[SheetRows, int]] | None:
    """The worksheets behind the front ones, each with the place of its header row; None where the file cannot be read."""
    try:
        with _uncollected():
            sheets, ranges = READERS[path.suffix](path)
        check_package(path, file, notes)
    except Unreadable as error:
        notes.wrong("workbook", file, str(error))
        return None
    except (ValueError, IndexError, KeyError):
        notes.wrong("workbook", file, "holds XML that cannot be read")
        return None
    _check_names(sheets, file, notes)
    told = []
    for sheet in sheets:
        for problem in sorted(sheet.problems):
            notes.wrong("workbook", file, f"worksheet {sheet.name} {problem}")
        start = _table_start(sheet)
        _check_shape(sheet, start, file, notes)
        _check_range(sheet, start, [found for found in ranges if found.sheet == sheet.name], file, notes)
        if sheet.name not in FRONT and start is not None:
            told.append((sheet, start))
    return told


@contextlib.contextmanager
def _uncollected() -> Iterator[None]:
    """No search for cycles while the block lasts: rows of cells have none, and each search goes through all of them."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _check_names(sheets: list[SheetRows], file: str, notes: Notes) -> None:
    names = [sheet.name for sheet in sheets]
    if tuple(names[:3]) != FRONT:
        notes.wrong("workbook", file, "the first worksheets are not Cover, Contents and Notes")
    if len({name.lower() for name in names}) != len(names):
        notes.wrong("workbook", file, "two worksheets have one name")
    for name in names:
        if not re.fullmatch(r"\w{1,31}", name):
            notes.wrong("workbook", file, "the name of a worksheet has other than letters, digits and underscores")


def _table_start(sheet: SheetRows) -> int | None:
    """Place of the header row: the first row with more than one cell; None where there is none."""
    return next((place for place, row in enumerate(sheet.rows) if len(row) > 1), None)


def _check_shape(sheet: SheetRows, start: int | None, file: str, notes: Notes) -> None:
    """Title in A1; above the table column A alone; headings unique and whole; no empty cell in the table."""
    where = f"worksheet {sheet.name}"
    if not sheet.rows:
        notes.wrong("workbook", file, f"{where} is empty")
        return
    if not (sheet.rows[0] and isinstance(sheet.rows[0][0], str)):
        notes.wrong("workbook", file, f"{where} has no title in A1")
    lines = sheet.rows[: len(sheet.rows) if start is None else start]
    if any(not line for line in lines):
        notes.wrong("workbook", file, f"{where} has a blank row")
    if start is None:
        if sheet.name not in FRONT[:1]:
            notes.wrong("workbook", file, f"{where} has no table")
        return
    header = sheet.rows[start]
    texts = [cell for cell in header if isinstance(cell, str) and cell.strip()]
    if len(texts) != len(header) or len(set(texts)) != len(header):
        notes.wrong("workbook", file, f"{where} has a heading that is empty or stands twice")
    check_columns(texts, file, notes)
    uneven = [
        place for place, row in enumerate(sheet.rows[start + 1 :], start + 2) if len(row) != len(header) or None in row
    ]
    for row in uneven[:SHOWN]:
        notes.wrong("workbook", file, f"{where}, row {row} has an empty cell, or one beside or below the table")
    notes.more("workbook", file, max(0, len(uneven) - SHOWN))
    if start + 1 == len(sheet.rows):
        notes.wrong("workbook", file, f"{where} has a table without rows")


def _check_range(sheet: SheetRows, start: int | None, ranges: list[Range], file: str, notes: Notes) -> None:
    """The table must be marked up as one: named, with its header row, over exactly its cells."""
    where = f"worksheet {sheet.name}"
    if start is None:
        if ranges:
            notes.wrong("workbook", file, f"{where} marks up a table that is not there")
        return
    if len(ranges) != 1:
        notes.wrong("workbook", file, f"{where} does not mark up its table once")
        return
    found = ranges[0]
    if (found.first_row, found.last_row, found.columns) != (start + 1, len(sheet.rows), len(sheet.rows[start])):
        notes.wrong("workbook", file, f"{where} marks up other cells than its table")
    if not found.header:
        notes.wrong("workbook", file, f"{where} marks up a table without a header row")
    if not re.fullmatch(r"[A-Za-z_]\w*", found.name):
        notes.wrong("workbook", file, f"{where} gives its table a name with other than letters, digits and underscores")


# --- The numbers --------------------------------------------------------------------------------


def _compare(
    sheet: SheetRows,
    start: int,
    file: str,
    published: Published,
    labels: dict[str, dict[str, str]],
    areas: dict[str, int],
    seen: list[np.ndarray],
    notes: Notes,
) -> None:
    """Compare a worksheet's figures with the CSV's, cell by cell; marks the areas it holds in `seen`.

    `areas` gives the place of each code among those of all levels, smallest first.
    """
    layout = published.layout
    width = len(layout.columns)
    header, body = (sheet.rows[start], [row for row in sheet.rows[start + 1 :] if len(row) == len(sheet.rows[start])])
    if len(header) <= width:
        notes.wrong("workbook", file, f"worksheet {sheet.name} has fewer columns than the table has categories")
        return
    _check_headings(header[-width:], file, sheet.name, published, labels, notes)
    places = np.array([areas.get(str(row[0]), -1) for row in body], dtype=np.int64)
    firsts = np.cumsum([0, *map(len, layout.codes)])
    levels = np.searchsorted(firsts, places, side="right") - 1
    if not np.any(levels >= 0):
        notes.wrong("workbook", file, f"worksheet {sheet.name} has no area's code in its first column")
        return
    level = int(np.argmax(np.bincount(levels[levels >= 0])))
    right = levels == level
    units = np.where(right, places - firsts[level], 0)
    if not right.all():
        notes.wrong(
            "workbook", file, f"worksheet {sheet.name} has a code that is no {layout.levels[level]} of the table"
        )
    if np.any(seen[level][units[right]]) or len(np.unique(units[right])) != int(right.sum()):
        notes.wrong("workbook", file, f"a {layout.levels[level]} has more than one row")
    seen[level][units[right]] = True
    told = _figures(row[-width:] for row in body).reshape(-1, width)
    wanted = _expected(published, level)[units]
    rows, columns = np.nonzero((told != wanted) & right[:, None])
    for row, column in zip(rows[:SHOWN].tolist(), columns[:SHOWN].tolist(), strict=True):
        cell = layout.cell(level, int(units[row]), column)
        notes.wrong("workbook figure", file, "is another figure than in the CSV", cell=cell)
    notes.more("workbook figure", file, max(0, len(rows) - SHOWN))


class _Figures(dict[Cell, int]):
    """Each cell's figure as one number: itself, or below zero the place of its marker; worked out once for each."""

    def __missing__(self, cell: Cell) -> int:
        self[cell] = figure = _figure(cell)
        return figure


def _figures(rows: Iterable[list[Cell]]) -> np.ndarray:
    """The figures of all rows, one after another: int64."""
    known = _Figures()
    return np.fromiter(map(known.__getitem__, chain.from_iterable(rows)), np.int64)


def _figure(cell: Cell) -> int:
    """A figure as one number; what is neither a count nor a marker never equals a figure."""
    if isinstance(cell, int):
        return cell if 0 <= cell < MOST else UNREAD
    if isinstance(cell, str) and cell[:1] == "[" and cell[-1:] == "]" and cell[1:-1] in MARKERS[1:]:
        return -MARKERS.index(cell[1:-1])
    return UNREAD


def _expected(published: Published, level: int) -> np.ndarray:
    markers = published.markers[level].astype(np.int64)
    return np.where(markers == 0, published.values[level], -markers)


def _check_headings(
    headings: list[Cell], file: str, sheet: str, published: Published, labels: dict[str, dict[str, str]], notes: Notes
) -> None:
    """Each figure column's heading must name its category, by label or else by code; the last the total."""
    for heading, column in zip(headings, published.layout.columns, strict=True):
        names = [
            "Total" if code == "Total" else labels.get(name, {}).get(code, code)
            for name, code in zip(published.layout.dimensions, column, strict=True)
        ]
        wanted = ", ".join(dict.fromkeys(names)) if "Total" in names else ", ".join(names)
        text = heading if isinstance(heading, str) else ""
        if not text.startswith(wanted or "Total"):
            where = ", ".join(column) or "Total"
            notes.wrong("workbook", file, f"worksheet {sheet}: the heading in the place of {where} does not name it")


def _missing(level: int, seen: np.ndarray, file: str, published: Published, notes: Notes) -> None:
    layout = published.layout
    gone = np.flatnonzero(~seen)
    for unit in gone[:SHOWN].tolist():
        cell = f"{layout.levels[level]} {layout.codes[level][unit]}"
        notes.wrong("workbook", file, "stands in the CSV but on no worksheet", cell=cell)
    notes.more("workbook", file, max(0, len(gone) - SHOWN))
