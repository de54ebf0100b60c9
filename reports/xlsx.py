"""Workbooks for Excel: what `xlsxwriter` makes, with the rows of large tables streamed in.

`xlsxwriter` holds every cell of a worksheet that has a table in memory (its
constant memory mode has no tables), which a country's output areas forbid.  So
it writes the whole workbook with the first row of each large table.  While the
parts are put into the final file, the rows behind it go into the worksheet's
XML, made from the columns as `reports.textrows` does for ODS, and the table's
range is stretched over them.

Source: ECMA-376, "Office Open XML File Formats", part 1, 18.3.1 (worksheets)
and 18.5 (tables).
"""

import io
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import xlsxwriter

from reports.derived import number_text
from reports.sheets import HEADING, TEXT, TITLE, Figures, Grid, Line, Sheet, Texts, Workbook
from reports.textrows import batches, column_letters, escape_text, escape_xml, figure_texts, joined, surrounded, taken
from reports.zips import archive
from sdc.tables import MARKERS, NOT_AVAILABLE, SHOWN

__all__ = ["write_xlsx"]

# Bytes that a cell takes at most, but for unusual texts; what decides whether an entry may pass 2 GiB.
CELL_BYTES = 120
END_OF_ROWS = b"</sheetData>"
A4 = 9
# Heights in points, where a row is to have room around its text; other rows fit their text.
HEIGHTS = {TITLE: 26.0, HEADING: 31.0}
LAST_LINE = 26.0
BODY: dict[str, Any] = {"font_name": "Arial", "font_size": 12, "valign": "top"}
FORMATS: dict[str, dict[str, Any]] = {
    TITLE: {"font_size": 16, "bold": True},
    HEADING: {"font_size": 14, "bold": True, "valign": "bottom"},
    TEXT: {},
    "wrapped": {"text_wrap": True},
    "link": {"font_color": "#1d70b8", "underline": 1, "text_wrap": True},
    "text heading": {"bold": True, "text_wrap": True, "bottom": 1, "valign": "bottom"},
    "figure heading": {"bold": True, "text_wrap": True, "bottom": 1, "valign": "bottom", "align": "right"},
    "figure": {"num_format": "#,##0", "align": "right"},
}


def write_xlsx(workbook: Workbook, path: Path) -> None:
    """Write a workbook for Excel, each table a real table; the same workbook gives the same bytes."""
    frame = zipfile.ZipFile(io.BytesIO(_frame(workbook)))
    streamed, stretched = _streamed(workbook)
    with archive(path) as file:
        for name in frame.namelist():
            content = frame.read(name)
            if name in streamed:
                grid, first = streamed[name]
                large = grid.rows * len(grid.columns) * CELL_BYTES > 2**31
                file.stream(name, _with_rows(content, grid, first), large=large)
            elif name in stretched:
                grid, first = stretched[name]
                file.add(name, _stretched(content, "A" + str(first - 1), grid, first))
            elif name == "docProps/core.xml":
                file.add(name, _with_language(content, workbook.language))
            else:
                file.add(name, content)


def _streamed(workbook: Workbook) -> tuple[dict[str, tuple[Grid, int]], dict[str, tuple[Grid, int]]]:
    """Parts that hold the rows of a large table and parts that tell its range, with the number of its first row."""
    sheets, tables = {}, {}
    with_tables = 0
    for place, sheet in enumerate(workbook.sheets, 1):
        with_tables += sheet.grid is not None
        if sheet.grid and not sheet.grid.wrapped:
            sheets[f"xl/worksheets/sheet{place}.xml"] = (sheet.grid, len(sheet.lines) + 2)
            tables[f"xl/tables/table{with_tables}.xml"] = (sheet.grid, len(sheet.lines) + 2)
    return sheets, tables


def _stretched(content: bytes, corner: str, grid: Grid, first: int) -> bytes:
    """XML in which the range from `corner` to the table's first row reaches to its last row instead."""
    column = column_letters(len(grid.columns))
    short = f'ref="{corner}:{column}{first}"'.encode()
    if content.count(short) != 1:
        raise ValueError(f"table ({grid.name}) has no range of one row to stretch")
    return content.replace(short, f'ref="{corner}:{column}{first + grid.rows - 1}"'.encode())


def _frame(workbook: Workbook) -> bytes:
    """The workbook with all but the rows that are streamed."""
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True})
    book.set_properties(
        {
            "title": workbook.title,
            "subject": workbook.subject,
            "author": workbook.author,
            "company": workbook.author,
            "keywords": ", ".join(workbook.keywords),
            "created": workbook.created.replace(tzinfo=None),
        }
    )
    formats = {name: book.add_format({**BODY, **given}) for name, given in FORMATS.items()}
    for places in sorted({places for sheet in workbook.sheets for places in sheet.decimals}):
        given = {"num_format": f"#,##0.{'0' * places}", "align": "right"}
        formats[f"figure {places}"] = book.add_format({**BODY, **given})
    for sheet in workbook.sheets:
        _write_sheet(book.add_worksheet(sheet.name), sheet, formats)
    book.close()
    return buffer.getvalue()


def _write_sheet(page: Any, sheet: Sheet, formats: dict[str, Any]) -> None:
    page.set_landscape()
    page.set_paper(A4)
    page.fit_to_pages(1, 0)
    for place, width in enumerate(sheet.widths):
        page.set_column(place, place, width * 1.1 + 1)
    for row, line in enumerate(sheet.lines):
        page.set_row(row, HEIGHTS.get(line.style))
        _write_line(page, row, line, formats, wrapped=sheet.grid is None)
    if sheet.grid:
        page.set_row(len(sheet.lines) - 1, LAST_LINE)
        _write_grid(page, len(sheet.lines), sheet.grid, formats)


def _write_line(page: Any, row: int, line: Line, formats: dict[str, Any], *, wrapped: bool) -> None:
    if line.link:
        page.write_url(row, 0, line.link, formats["link"], line.text)
    else:
        style = "wrapped" if wrapped and line.style == TEXT else line.style
        page.write_string(row, 0, line.text, formats[style])


def _write_grid(page: Any, top: int, grid: Grid, formats: dict[str, Any]) -> None:
    """The table with its header row, and its rows: all of a table of texts, the first of any other."""
    headings = [
        {
            "header": column.heading,
            "header_format": formats["figure heading" if isinstance(column.cells, Figures) else "text heading"],
        }
        for column in grid.columns
    ]
    rows = grid.rows if grid.wrapped else 1
    last = (top + rows, len(grid.columns) - 1)
    page.add_table(top, 0, *last, {"name": grid.name, "style": None, "autofilter": False, "columns": headings})
    for row in range(rows):
        for place, column in enumerate(grid.columns):
            _write_cell(page, (top + 1 + row, place), column.cells, row, formats, wrapped=grid.wrapped)


def _write_cell(
    page: Any, at: tuple[int, int], cells: Texts | Figures, row: int, formats: dict[str, Any], *, wrapped: bool
) -> None:
    if isinstance(cells, Figures):
        marker, style = int(cells.markers[row]), formats[f"figure {cells.decimals}" if cells.decimals else "figure"]
        if marker == SHOWN:
            value = int(cells.values[row])
            page.write_number(*at, float(number_text(value, cells.decimals)) if cells.decimals else value, style)
        else:
            page.write_string(*at, f"[{MARKERS.get(marker, MARKERS[NOT_AVAILABLE])}]", style)
        return
    text = cells.texts[row if cells.index is None else int(cells.index[row])].as_py()
    if cells.links:
        page.write_url(*at, f"internal:{cells.links[row]}!A1", formats["link"], text)
    else:
        page.write_string(*at, text, formats["wrapped" if wrapped else TEXT])


def _with_language(core: bytes, language: str) -> bytes:
    """Document properties with the language, which `xlsxwriter` does not tell."""
    end = b"</cp:coreProperties>"
    return core.replace(end, f"<dc:language>{escape_text(language)}</dc:language>".encode() + end)


def _with_rows(frame: bytes, grid: Grid, first: int) -> Iterator[bytes | pa.Buffer]:
    """The worksheet's XML with the rows of its table behind the first, which has the number `first`."""
    start, end = _stretched(frame, "A1", grid, first).split(END_OF_ROWS)
    yield start
    yield from _rows(grid, first, _style_numbers(start, first))
    yield END_OF_ROWS + end


def _style_numbers(frame: bytes, row: int) -> list[str]:
    """The style that `xlsxwriter` gave each cell of the first row, from left to right."""
    found = re.findall(rf'<c r="[A-Z]+{row}" s="(\d+)"', frame.decode())
    return [str(number) for number in found]


def _rows(grid: Grid, first: int, styles: list[str]) -> Iterator[pa.Buffer]:
    """Rows of the table from its second on; `first` is the worksheet's number of its first row."""
    texts = {
        column.heading: _text_cells(column.cells, style)
        for column, style in zip(grid.columns, styles, strict=True)
        if isinstance(column.cells, Texts)
    }
    for start, stop in batches(grid.rows, skip=1):
        numbers = pc.cast(pa.array(np.arange(first + start, first + stop)), pa.string())
        parts: list[pa.Array | str] = ['<row r="', numbers, '">']
        for place, column in enumerate(grid.columns):
            cells = column.cells
            if isinstance(cells, Figures):
                shown, marked = _figure_cells(styles[place], cells.decimals)
                made = figure_texts(cells.values[start:stop], cells.markers[start:stop], shown, marked)
            else:
                made = taken(texts[column.heading], cells.index, start, stop)
            parts += [f'<c r="{column_letters(place + 1)}', numbers, made]
        yield joined([*parts, "</row>"])


def _text_cells(cells: Texts, style: str) -> pa.Array:
    """The XML of each different text of a column, from behind the cell's place on."""
    return surrounded(f'" s="{style}" t="inlineStr"><is><t>', escape_xml(cells.texts), "</t></is></c>")


def _figure_cells(style: str, decimals: int) -> tuple[Any, Any]:
    """How a number and how a marker is written, from behind the cell's place on."""

    def shown(value: int) -> str:
        return f'" s="{style}"><v>{number_text(value, decimals)}</v></c>'

    def marked(marker: str) -> str:
        return f'" s="{style}" t="inlineStr"><is><t>[{marker}]</t></is></c>'

    return shown, marked
