"""Worksheets as read from a file, whatever its format: rows of cells, marked-up tables, and what is out of place.

A cell is a whole number (int), another number (float), a text (str) or empty (None).
"""

import re
from dataclasses import dataclass, field
from functools import lru_cache

__all__ = ["Cell", "Range", "SheetRows", "Unreadable", "column_number", "number"]

Cell = int | float | str | None

# A row that a file repeats more often than this is padding to the sheet's edge, not data.
PADDING = 1000


class Unreadable(Exception):
    """The file is no workbook of its kind; the message is a sentence without values."""


@dataclass(frozen=True, kw_only=True)
class Range:
    """A table marked up on a worksheet: rows and columns from 1, the header row included; columns 0 if not from A."""

    name: str
    sheet: str
    first_row: int
    last_row: int
    columns: int
    header: bool


@dataclass(kw_only=True)
class SheetRows:
    """A worksheet: its name, its rows without the empty cells at their ends, and what is out of place."""

    name: str
    rows: list[list[Cell]] = field(default_factory=list)
    problems: set[str] = field(default_factory=set)

    def append(self, row: list[Cell], times: int = 1) -> None:
        """Add a row that the file gives once or repeats."""
        while row and row[-1] is None:
            row.pop()
        if row or times < PADDING:
            self.rows.extend([row] * times)


def number(text: str) -> Cell:
    """A number as a file writes it: whole where it is whole; text that is no number stays text."""
    if text.isascii() and text.isdigit():
        return int(text)
    try:
        value = float(text)
    except ValueError:
        return text
    return int(value) if value.is_integer() and abs(value) < 2**53 else value


@lru_cache(maxsize=1000)
def column_number(letters: str) -> int:
    """A column's letters as a number from 1."""
    if not re.fullmatch("[A-Z]{1,3}", letters):
        raise Unreadable("names a cell in an unknown form")
    place = 0
    for letter in letters:
        place = place * 26 + ord(letter) - 64
    return place
