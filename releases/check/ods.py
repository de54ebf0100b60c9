"""Reads the worksheets of an OpenDocument spreadsheet, streamed from its content.xml.

Source: OASIS "Open Document Format for Office Applications (OpenDocument)
Version 1.3", part 3, section 9 (tables) and section 19 (attributes).
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from xml.parsers import expat

from releases.check.plainrows import LATER, PLAIN_TEXT, PlainForm, PlainRows
from releases.check.sheets import Cell, Range, SheetRows, Unreadable, column_number, number
from releases.check.xmlparts import Start, opened, part, read_xml

__all__ = ["read_ods"]

TABLE = "urn:oasis:names:tc:opendocument:xmlns:table:1.0 "
TEXT = "urn:oasis:names:tc:opendocument:xmlns:text:1.0 "
OFFICE = "urn:oasis:names:tc:opendocument:xmlns:office:1.0 "
DRAW = "urn:oasis:names:tc:opendocument:xmlns:drawing:1.0 "
STYLE = "urn:oasis:names:tc:opendocument:xmlns:style:1.0 "

CELL, COVERED, ROW = f"{TABLE}table-cell", f"{TABLE}covered-table-cell", f"{TABLE}table-row"
PARAGRAPH, SPACES = f"{TEXT}p", f"{TEXT}s"
KIND, VALUE = f"{OFFICE}value-type", f"{OFFICE}value"
NUMBERS = ("float", "percentage", "currency")
PICTURES = (f"{DRAW}frame", f"{DRAW}custom-shape", f"{TABLE}shapes")
COMMENT = f"{OFFICE}annotation"
GROUPS = (f"{TABLE}table-row-group", f"{TABLE}table-column-group")
# Empty cells that a file repeats to the sheet's edge.
EDGE = 1000

ADDRESS = re.compile(
    r"\$?(?:'((?:[^']|'')+)'|([^.]+))\.\$?([A-Z]+)\$?(\d+):(?:\$?(?:'(?:[^']|'')+'|[^.]*)\.|\.)?\$?([A-Z]+)\$?(\d+)"
)

# A cell up to its end tag, the first of a row behind the row's tag.
PLAIN = re.compile(
    rb'(<table:table-row table:style-name="\w+">)?<table:table-cell table:style-name="\w+" '
    rb'office:value-type="(?:float" office:value="(\d{1,15})"|string")><text:p>(%b)</text:p>' % PLAIN_TEXT
)


def _read_plain(piece: bytes) -> tuple[int, Cell] | None:
    match = PLAIN.fullmatch(piece)
    if match is None:
        return None
    row, value, text = match[1], match[2], match[3].decode()
    return 0 if row else LATER, text if value is None else _told(value.decode(), text)


PLAIN_ROWS = PlainForm(
    row_end=b"</table:table-row>",
    cell_end=b"</table:table-cell>",
    freed=lambda rows: ([0] * len(rows), rows),
    read=_read_plain,
    mark='<table:NAME office:NAME="" text:NAME=""/>',
)


def _told(value: str, text: str) -> Cell:
    """The number of a cell, or its text where that shows another number."""
    told = number(value)
    return told if not text or text.replace(",", "") in (str(told), value) else text


def read_ods(path: Path) -> tuple[list[SheetRows], list[Range]]:
    """All worksheets and marked-up tables of an ODS file.

    Raises
    ------
    Unreadable
        The file is no such archive, or holds XML that cannot be read.
    """
    plain = PlainRows(PLAIN_ROWS)
    reader = _Reader(plain)
    with opened(path) as archive, part(archive, "content.xml") as content:
        read_xml(content, reader.handlers, plain)
    return reader.sheets, reader.ranges


class _Reader:
    """Keeps the cell, row and sheet being read."""

    def __init__(self, plain: PlainRows) -> None:
        self.sheets: list[SheetRows] = []
        self.ranges: list[Range] = []
        self._plain = plain
        self._hidden_styles: set[str] = set()
        self._style = ""
        self._row: list[Cell] = []
        self._row_times = 1
        self._in_row = False
        self._number: str | None = None
        self._texts: list[str] = []
        self._times = 1

    def handlers(self, parser: expat.XMLParserType) -> tuple[Start, Callable[[str], None]]:
        """What to call at each start and end tag; text is asked for in cells alone."""
        name = self._plain.name
        mark, marked = f"{TABLE}{name}", {f"{OFFICE}{name}": "", f"{TEXT}{name}": ""}

        def start(tag: str, attributes: Mapping[str, str]) -> None:
            if tag == CELL:
                if not self._in_row:
                    raise Unreadable("has a cell outside a row")
                self._number = attributes.get(VALUE, "") if attributes.get(KIND) in NUMBERS else None
                self._texts = []
                parser.CharacterDataHandler = self._texts.append
                self._look_at_cell(attributes)
            elif tag == PARAGRAPH:
                if self._texts:
                    self._texts.append("\n")
            elif tag == ROW:
                self._start_row(attributes)
            elif tag == mark and attributes == marked:
                self._take_rows()
            else:
                self._start_other(tag, attributes)

        def end(tag: str) -> None:
            if tag == CELL:
                parser.CharacterDataHandler = None
                self._end_cell()
            elif tag == ROW:
                self._in_row = False
                if self.sheets:
                    self.sheets[-1].append(self._row, self._row_times)

        return start, end

    def _end_cell(self) -> None:
        text = "".join(self._texts)
        value = (text or None) if self._number is None else _told(self._number, text)
        self._row.extend([value] * (self._times if value is not None else min(self._times, EDGE)))

    def _look_at_cell(self, attributes: Mapping[str, str]) -> None:
        self._times = int(attributes.get(f"{TABLE}number-columns-repeated", "1"))
        if f"{TABLE}formula" in attributes:
            self._problem("has a formula")
        for direction in ("columns", "rows"):
            if attributes.get(f"{TABLE}number-{direction}-spanned", "1") != "1":
                self._problem("has merged cells")

    def _start_row(self, attributes: Mapping[str, str]) -> None:
        if self._in_row:
            raise Unreadable("has a row inside a row")
        self._in_row, self._row = True, []
        self._row_times = int(attributes.get(f"{TABLE}number-rows-repeated", "1"))
        self._look_at_visibility(attributes, "row")

    def _take_rows(self) -> None:
        """Plain rows in the place of a mark."""
        _, rows = self._plain.take()
        self._start_row({})
        self._in_row = False
        if self.sheets:
            self.sheets[-1].rows.extend(rows)

    def _look_at_visibility(self, attributes: Mapping[str, str], what: str) -> None:
        if attributes.get(f"{TABLE}visibility", "visible") != "visible":
            self._problem(f"has a hidden {what}")

    def _problem(self, problem: str) -> None:
        if self.sheets:
            self.sheets[-1].problems.add(problem)

    def _start_other(self, tag: str, attributes: Mapping[str, str]) -> None:
        if tag == f"{TABLE}table":
            self.sheets.append(SheetRows(name=attributes.get(f"{TABLE}name", "")))
            if attributes.get(f"{TABLE}style-name") in self._hidden_styles:
                self._problem("is hidden")
        elif tag == SPACES:
            self._texts.append(" " * int(attributes.get(f"{TEXT}c", "1")))
        elif tag == COVERED:
            self._problem("has merged cells")
        elif tag == f"{TABLE}table-column":
            self._look_at_visibility(attributes, "column")
        elif tag in PICTURES:
            self._problem("has a picture or a text box")
        elif tag == COMMENT:
            self._problem("has a comment")
        elif tag in GROUPS and attributes.get(f"{TABLE}display") == "false":
            self._problem("has hidden rows or columns")
        elif tag == f"{STYLE}style":
            self._style = attributes.get(f"{STYLE}name", "")
        elif tag == f"{STYLE}table-properties" and attributes.get(f"{TABLE}display") == "false":
            self._hidden_styles.add(self._style)
        elif tag == f"{TABLE}database-range":
            self._start_range(attributes)

    def _start_range(self, attributes: Mapping[str, str]) -> None:
        match = ADDRESS.fullmatch(attributes.get(f"{TABLE}target-range-address", ""))
        if match:
            quoted, plain, first, top, last, bottom = match.groups()
            found = Range(
                name=attributes.get(f"{TABLE}name", ""),
                sheet=(quoted or plain or "").replace("''", "'"),
                first_row=int(top),
                last_row=int(bottom),
                columns=column_number(last) if first == "A" else 0,
                header=attributes.get(f"{TABLE}contains-header", "true") == "true",
            )
            self.ranges.append(found)
