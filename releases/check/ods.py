"""Reads the worksheets of an OpenDocument spreadsheet, streamed from its content.xml.

Source: OASIS "Open Document Format for Office Applications (OpenDocument)
Version 1.3", part 3, section 9 (tables) and section 19 (attributes).
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from xml.parsers import expat

from releases.check.sheets import Cell, Range, SheetRows, Start, column_number, number, opened, part, read_xml

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
# Empty cells that a file repeats to the sheet's edge.
EDGE = 1000

ADDRESS = re.compile(
    r"\$?(?:'((?:[^']|'')+)'|([^.]+))\.\$?([A-Z]+)\$?(\d+):(?:\$?(?:'(?:[^']|'')+'|[^.]*)\.|\.)?\$?([A-Z]+)\$?(\d+)"
)


def read_ods(path: Path) -> tuple[list[SheetRows], list[Range]]:
    """All worksheets and marked-up tables of an ODS file.

    Raises
    ------
    Unreadable
        The file is no such archive, or holds XML that cannot be read.
    """
    reader = _Reader()
    with opened(path) as archive, part(archive, "content.xml") as content:
        read_xml(content, reader.handlers)
    return reader.sheets, reader.ranges


class _Reader:
    """Keeps the cell, row and sheet being read."""

    def __init__(self) -> None:
        self.sheets: list[SheetRows] = []
        self.ranges: list[Range] = []
        self._hidden_styles: set[str] = set()
        self._style = ""
        self._row: list[Cell] = []
        self._row_times = 1
        self._value: Cell = None
        self._texts: list[str] | None = None
        self._times = 1

    def handlers(self, parser: expat.XMLParserType) -> tuple[Start, Callable[[str], None]]:
        """What to call at each start and end tag; text is asked for in cells of text alone."""

        def start(tag: str, attributes: Mapping[str, str]) -> None:
            if tag == CELL:
                if attributes.get(KIND) in NUMBERS:
                    self._value, self._texts = number(attributes.get(VALUE, "")), None
                else:
                    self._value, self._texts = None, []
                    parser.CharacterDataHandler = self._texts.append
                self._times = 1
                if len(attributes) > 2:
                    self._look_at_cell(attributes)
            elif tag == PARAGRAPH:
                if self._texts:
                    self._texts.append("\n")
            elif tag == ROW:
                self._start_row(attributes)
            else:
                self._start_other(tag, attributes)

        def end(tag: str) -> None:
            if tag == CELL:
                if self._texts is not None:
                    self._value = "".join(self._texts) or None
                    parser.CharacterDataHandler = None
                if self._times == 1:
                    self._row.append(self._value)
                else:
                    self._row.extend(
                        [self._value] * (self._times if self._value is not None else min(self._times, EDGE))
                    )
            elif tag == ROW and self.sheets:
                self.sheets[-1].append(self._row, self._row_times)

        return start, end

    def _look_at_cell(self, attributes: Mapping[str, str]) -> None:
        self._times = int(attributes.get(f"{TABLE}number-columns-repeated", "1"))
        if f"{TABLE}formula" in attributes:
            self._problem("has a formula")
        for direction in ("columns", "rows"):
            if attributes.get(f"{TABLE}number-{direction}-spanned", "1") != "1":
                self._problem("has merged cells")

    def _start_row(self, attributes: Mapping[str, str]) -> None:
        self._row, self._row_times = [], 1
        if len(attributes) > 1:
            self._row_times = int(attributes.get(f"{TABLE}number-rows-repeated", "1"))
            self._look_at_visibility(attributes, "row")

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
        elif tag == SPACES and self._texts is not None:
            self._texts.append(" " * int(attributes.get(f"{TEXT}c", "1")))
        elif tag == COVERED:
            self._problem("has merged cells")
        elif tag == f"{TABLE}table-column":
            self._look_at_visibility(attributes, "column")
        elif tag in PICTURES:
            self._problem("has a picture or a text box")
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
