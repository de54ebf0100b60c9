"""What an accessible workbook is made of: worksheets, lines of text, one table to a worksheet.

The model knows nothing of ODS or XLSX; `reports.ods` and `reports.xlsx` write
it.  It follows the rules of the Government Analysis Function, "Releasing
statistics in spreadsheets" (2021) and its checklist: everything in column A
above the table, one header row, headings that are unique and never empty, no
merged cells, nothing below or beside the table.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

__all__ = [
    "HEADING",
    "SHEET_COLUMNS",
    "SHEET_ROWS",
    "TEXT",
    "TITLE",
    "Column",
    "Figures",
    "Grid",
    "Line",
    "Sheet",
    "Texts",
    "Workbook",
    "text_column",
    "text_grid",
]

# What both formats hold on one worksheet.
SHEET_ROWS = 1_048_576
SHEET_COLUMNS = 16_384

TITLE, HEADING, TEXT = "title", "heading", "text"
NARROWEST = 12


@dataclass(frozen=True, kw_only=True)
class Line:
    """A row above or instead of a table: one text in column A.

    `style` is ``title`` (heading 1, first row of a worksheet), ``heading``
    (heading 2) or ``text``.  `link` is a web or mail address.
    """

    text: str
    style: str = TEXT
    link: str = ""

    def __post_init__(self) -> None:
        if not self.text or self.style not in (TITLE, HEADING, TEXT):
            raise ValueError(f"a line must have text and a known style, not style ({self.style})")


@dataclass(frozen=True, kw_only=True, eq=False)
class Texts:
    """Text cells: `texts[index]`, or `texts` where there is no index; `links` names a worksheet for each."""

    texts: pa.Array
    index: np.ndarray | None = None
    links: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.texts) if self.index is None else len(self.index)


@dataclass(frozen=True, kw_only=True, eq=False)
class Figures:
    """Figure cells: int64 `values` in steps of 10 ** -`decimals`, int8 `markers` instead where they are not SHOWN."""

    values: np.ndarray
    markers: np.ndarray
    decimals: int = 0

    def __len__(self) -> int:
        return len(self.values)


@dataclass(frozen=True, kw_only=True, eq=False)
class Column:
    """A column of a table: its heading, its cells, and its width in characters."""

    heading: str
    cells: Texts | Figures
    width: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Grid:
    """A table on a worksheet: a name without spaces or dashes, and columns of one length.

    `wrapped` says that texts may run over several lines, as in notes; rows of
    figures never do, and can be drawn without measuring them.
    """

    name: str
    columns: tuple[Column, ...]
    wrapped: bool = False

    def __post_init__(self) -> None:
        headings = [column.heading.lower() for column in self.columns]
        if not all(headings) or len(set(headings)) != len(headings):
            raise ValueError(f"headings of table ({self.name}) must be unique whatever their case, and not empty")
        if not self.name.isidentifier():
            raise ValueError(f"name of table ({self.name}) must have letters, digits and underscores alone")
        if len({len(column.cells) for column in self.columns}) != 1 or not self.rows:
            raise ValueError(f"columns of table ({self.name}) must have one length, at least 1")

    @property
    def rows(self) -> int:
        """Number of rows below the header row."""
        return len(self.columns[0].cells)


@dataclass(frozen=True, kw_only=True, eq=False)
class Sheet:
    """A worksheet: lines in column A, then at most one table.  Lines wrap where there is no table.

    `description` is what the table of contents says of it.
    """

    name: str
    description: str
    lines: tuple[Line, ...]
    grid: Grid | None = None
    width: int = 90

    def __post_init__(self) -> None:
        if not self.lines or self.lines[0].style != TITLE:
            raise ValueError(f"worksheet ({self.name}) must start with its title")
        if not self.name.isidentifier() or len(self.name) > 31:
            raise ValueError(f"name of worksheet ({self.name}) must be letters, digits and underscores, 31 at most")
        if self.rows > SHEET_ROWS or (self.grid and len(self.grid.columns) > SHEET_COLUMNS):
            raise ValueError(f"worksheet ({self.name}) must have at most {SHEET_ROWS} rows and {SHEET_COLUMNS} columns")

    @property
    def rows(self) -> int:
        """Number of rows, lines and header row included."""
        return len(self.lines) + (1 + self.grid.rows if self.grid else 0)

    @property
    def decimals(self) -> tuple[int, ...]:
        """Each number of decimals, from 1, that figures on it have."""
        columns = self.grid.columns if self.grid else ()
        return tuple(sorted({one.cells.decimals for one in columns if isinstance(one.cells, Figures)} - {0}))

    @property
    def widths(self) -> tuple[int, ...]:
        """Width of each column in characters."""
        return tuple(column.width for column in self.grid.columns) if self.grid else (self.width,)


@dataclass(frozen=True, kw_only=True, eq=False)
class Workbook:
    """A workbook and its document properties; `created` is the moment of publication, never the clock's."""

    title: str
    subject: str
    author: str
    created: dt.datetime
    software: str
    keywords: tuple[str, ...]
    sheets: tuple[Sheet, ...]
    language: str = "en-GB"

    def __post_init__(self) -> None:
        names = [sheet.name.lower() for sheet in self.sheets]
        tables = [sheet.grid.name.lower() for sheet in self.sheets if sheet.grid]
        if len(set(names)) != len(names) or len(set(tables)) != len(tables):
            raise ValueError("names of worksheets and of tables must be unique in a workbook")


def text_column(heading: str, texts: Sequence[str], *, most: int = 40, links: tuple[str, ...] = ()) -> Column:
    """A column of text cells, wide enough for its longest text up to `most` characters."""
    cells = Texts(texts=pa.array(texts, pa.string()), links=links)
    width = max(len(text) for text in (heading, *texts)) + 2
    return Column(heading=heading, cells=cells, width=max(NARROWEST, min(width, most)))


def text_grid(name: str, columns: tuple[Column, ...]) -> Grid:
    """A table of text alone, such as contents and notes."""
    return Grid(name=name, columns=columns, wrapped=True)
