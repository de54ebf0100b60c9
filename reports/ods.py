"""Workbooks as OpenDocument spreadsheets, streamed: rows go into the file as they are made.

Libraries that build the whole document in memory do not hold a country's
output areas; this writer makes the XML of thousands of rows at once from the
columns (`reports.textrows`) and hands it to the zip file.  Each table is
marked up as a ``table:database-range`` with a header row, which is what screen
readers and other programs take for a table.

Source: OASIS "Open Document Format for Office Applications (OpenDocument)
Version 1.3", part 3, sections 9 (tables), 4.3 (metadata) and 19 (attributes).
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from reports.derived import number_text
from reports.odsparts import (
    LAST_LINE,
    MANIFEST,
    MIMETYPE,
    content_end,
    content_start,
    meta,
    row_style,
    settings,
    styles,
)
from reports.sheets import HEADING, TEXT, TITLE, Column, Figures, Grid, Line, Sheet, Texts, Workbook
from reports.textrows import batches, escape_text, escape_xml, figure_texts, joined, surrounded, taken
from reports.zips import archive

__all__ = ["write_ods"]

# Bytes that a cell takes at most, but for unusual texts; what decides whether an entry may pass 2 GiB.
CELL_BYTES = 200
LINE_STYLES = {TITLE: "Heading_20_1", HEADING: "Heading_20_2", TEXT: "Text"}


def write_ods(workbook: Workbook, path: Path) -> None:
    """Write a workbook as an OpenDocument spreadsheet; the same workbook gives the same bytes."""
    cells = sum(sheet.grid.rows * len(sheet.grid.columns) for sheet in workbook.sheets if sheet.grid)
    with archive(path) as file:
        # The type comes first and uncompressed, so that it can be told from the file's first bytes.
        file.add("mimetype", MIMETYPE, stored=True)
        file.add("META-INF/manifest.xml", MANIFEST)
        file.add("meta.xml", meta(workbook))
        file.add("settings.xml", settings(workbook))
        file.add("styles.xml", styles({places for sheet in workbook.sheets for places in sheet.decimals}))
        file.stream("content.xml", _content(workbook), large=cells * CELL_BYTES > 2**31)


def _content(workbook: Workbook) -> Iterator[bytes | pa.Buffer]:
    yield content_start(workbook).encode()
    for number, sheet in enumerate(workbook.sheets):
        yield _sheet_start(sheet, number).encode()
        for line in sheet.lines[:-1]:
            yield _line(line, row_style(line.style), wrapped=sheet.grid is None).encode()
        last = sheet.lines[-1]
        yield _line(last, LAST_LINE if sheet.grid else row_style(last.style), wrapped=sheet.grid is None).encode()
        if sheet.grid:
            yield _header(sheet.grid).encode()
            yield from _rows(sheet.grid)
        yield b"</table:table>"
    yield content_end(workbook).encode()


def _sheet_start(sheet: Sheet, number: int) -> str:
    columns = "".join(
        f'<table:table-column table:style-name="co{number}_{place}"/>' for place in range(len(sheet.widths))
    )
    return f'<table:table table:name="{sheet.name}" table:style-name="ta">{columns}'


def _line(line: Line, row: str, *, wrapped: bool) -> str:
    """A row with one text in column A."""
    if line.link:
        style = "Link"
        inner = f'<text:a xlink:type="simple" xlink:href="{escape_text(line.link)}">{escape_text(line.text)}</text:a>'
    else:
        style = "Wrapped_20_text" if wrapped and line.style == TEXT else LINE_STYLES[line.style]
        inner = escape_text(line.text)
    return (
        f'<table:table-row table:style-name="{row}">'
        f'<table:table-cell table:style-name="{style}" office:value-type="string"><text:p>{inner}</text:p>'
        "</table:table-cell></table:table-row>"
    )


def _header(grid: Grid) -> str:
    cells = "".join(_heading_cell(column) for column in grid.columns)
    return (
        '<table:table-header-rows><table:table-row table:style-name="ro_header">'
        f"{cells}</table:table-row></table:table-header-rows>"
    )


def _heading_cell(column: Column) -> str:
    style = "Figure_20_heading" if isinstance(column.cells, Figures) else "Text_20_heading"
    return (
        f'<table:table-cell table:style-name="{style}" office:value-type="string">'
        f"<text:p>{escape_text(column.heading)}</text:p></table:table-cell>"
    )


def _rows(grid: Grid) -> Iterator[pa.Buffer]:
    row = f'<table:table-row table:style-name="{"ro_wrapped" if grid.wrapped else "ro_row"}">'
    texts = {
        column.heading: _text_cells(column.cells, grid) for column in grid.columns if isinstance(column.cells, Texts)
    }
    for start, stop in batches(grid.rows):
        parts: list[pa.Array | str] = [row]
        for column in grid.columns:
            cells = column.cells
            if isinstance(cells, Figures):
                shown = _number if not cells.decimals else partial(_decimal, decimals=cells.decimals)
                parts.append(figure_texts(cells.values[start:stop], cells.markers[start:stop], shown, _marker))
            else:
                parts.append(taken(texts[column.heading], cells.index, start, stop))
        yield joined([*parts, "</table:table-row>"])


def _text_cells(cells: Texts, grid: Grid) -> pa.Array:
    """The XML of each different text of a column; a run of spaces is kept, as ODF wants it."""
    texts = pc.replace_substring(escape_xml(cells.texts), "  ", " <text:s/>")
    style = "Wrapped_20_text" if grid.wrapped else "Text"
    if cells.links:
        style = "Link"
        links = surrounded('<text:a xlink:type="simple" xlink:href="#\'', pa.array(cells.links, pa.string()), "'.A1\">")
        texts = pc.binary_join_element_wise(links, texts, "</text:a>", "")
    start = f'<table:table-cell table:style-name="{style}" office:value-type="string"><text:p>'
    return surrounded(start, texts, "</text:p></table:table-cell>")


def _number(value: int) -> str:
    return (
        f'<table:table-cell table:style-name="Figures" office:value-type="float" office:value="{value}">'
        f"<text:p>{value:,}</text:p></table:table-cell>"
    )


def _decimal(value: int, *, decimals: int) -> str:
    return (
        f'<table:table-cell table:style-name="Figures_20_{decimals}" office:value-type="float" '
        f'office:value="{number_text(value, decimals)}">'
        f"<text:p>{number_text(value, decimals, grouped=True)}</text:p></table:table-cell>"
    )


def _marker(marker: str) -> str:
    return (
        '<table:table-cell table:style-name="Figures" office:value-type="string">'
        f"<text:p>[{marker}]</text:p></table:table-cell>"
    )
