"""Reads the worksheets of an XLSX workbook, streamed part by part.

Source: ECMA-376, "Office Open XML File Formats", part 1, section 18 (SpreadsheetML).
"""

import re
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from xml.parsers import expat

from releases.check.sheets import (
    Cell,
    Range,
    SheetRows,
    Start,
    Unreadable,
    column_number,
    number,
    opened,
    part,
    read_xml,
)

__all__ = ["read_xlsx"]

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main "
RELATION_ID = "http://schemas.openxmlformats.org/officeDocument/2006/relationships id"
RELATIONSHIP = "http://schemas.openxmlformats.org/package/2006/relationships Relationship"
CELL, ROW, TEXT, VALUE = f"{MAIN}c", f"{MAIN}row", f"{MAIN}t", f"{MAIN}v"
ITEM = f"{MAIN}si"
SHARED = "xl/sharedStrings.xml"


def read_xlsx(path: Path) -> tuple[list[SheetRows], list[Range]]:
    """All worksheets and tables of an XLSX file.

    Raises
    ------
    Unreadable
        The file is no such archive, or holds XML that cannot be read.
    """
    with opened(path) as archive:
        texts = _shared_texts(archive)
        sheets: list[SheetRows] = []
        ranges: list[Range] = []
        for name, state, place in _worksheets(archive):
            reader = _Reader(SheetRows(name=name), texts)
            if state != "visible":
                reader.sheet.problems.add("is hidden")
            with part(archive, place) as content:
                read_xml(content, reader.handlers)
            sheets.append(reader.sheet)
            ranges.extend(_ranges(archive, name, place))
        return sheets, ranges


class _Reader:
    """Keeps the cell and row of one worksheet being read."""

    def __init__(self, sheet: SheetRows, shared: list[str]) -> None:
        self.sheet = sheet
        self._shared = shared
        self._row: list[Cell] = []
        self._kind = "n"
        self._texts: list[str] = []
        self._places: dict[str, int] = {}

    def handlers(self, parser: expat.XMLParserType) -> tuple[Start, Callable[[str], None]]:
        """What to call at each start and end tag; text is asked for inside values alone."""

        def start(tag: str, attributes: Mapping[str, str]) -> None:
            if tag == CELL:
                self._kind, self._texts = attributes.get("t", "n"), []
                if "r" in attributes:
                    self._fill_to(attributes["r"])
            elif tag in (VALUE, TEXT):
                parser.CharacterDataHandler = self._texts.append
            elif tag == ROW:
                self._start_row(attributes)
            else:
                self._start_other(tag, attributes)

        def end(tag: str) -> None:
            if tag in (VALUE, TEXT):
                parser.CharacterDataHandler = None
            elif tag == CELL:
                self._row.append(self._value())
            elif tag == ROW:
                self.sheet.append(self._row)

        return start, end

    def _fill_to(self, reference: str) -> None:
        """Empty cells up to the one that is named, such as ``C7``."""
        letters = reference.rstrip("0123456789")
        if letters not in self._places:
            self._places[letters] = column_number(letters) - 1
        missing = self._places[letters] - len(self._row)
        if missing > 0:
            self._row.extend([None] * missing)

    def _start_row(self, attributes: Mapping[str, str]) -> None:
        self._row = []
        before = int(attributes.get("r", "0")) - len(self.sheet.rows) - 1
        if before > 0:
            self.sheet.append([], before)
        if attributes.get("hidden") in ("1", "true"):
            self.sheet.problems.add("has a hidden row")

    def _start_other(self, tag: str, attributes: Mapping[str, str]) -> None:
        if tag == f"{MAIN}f":
            self.sheet.problems.add("has a formula")
        elif tag == f"{MAIN}mergeCell":
            self.sheet.problems.add("has merged cells")
        elif tag == f"{MAIN}drawing":
            self.sheet.problems.add("has a picture or a text box")
        elif tag == f"{MAIN}col" and attributes.get("hidden") in ("1", "true"):
            self.sheet.problems.add("has a hidden column")

    def _value(self) -> Cell:
        text = "".join(self._texts)
        if not text:
            return None
        if self._kind == "n":
            return number(text)
        return self._shared[int(text)] or None if self._kind == "s" else text


def _elements(archive: zipfile.ZipFile, name: str, wanted: str) -> list[Mapping[str, str]]:
    """Attributes of every element of one kind in a part."""
    found: list[Mapping[str, str]] = []

    def start(tag: str, attributes: Mapping[str, str]) -> None:
        if tag == wanted:
            found.append(attributes)

    with part(archive, name) as content:
        read_xml(content, lambda parser: (start, lambda tag: None))
    return found


def _worksheets(archive: zipfile.ZipFile) -> list[tuple[str, str, str]]:
    """Name, state and part of each worksheet, in order."""
    targets = _relations(archive, "xl/workbook.xml")
    sheets = []
    for sheet in _elements(archive, "xl/workbook.xml", f"{MAIN}sheet"):
        place = targets.get(sheet.get(RELATION_ID, ""))
        if place is None:
            raise Unreadable("names a worksheet that it does not hold")
        sheets.append((sheet.get("name", ""), sheet.get("state", "visible"), place))
    return sheets


def _relations(archive: zipfile.ZipFile, place: str) -> dict[str, str]:
    """The parts that a part refers to, by the id of the relation."""
    folder, _, file = place.rpartition("/")
    name = f"{folder}/_rels/{file}.rels"
    if name not in archive.namelist():
        return {}
    found = _elements(archive, name, RELATIONSHIP)
    return {relation.get("Id", ""): _inside(folder, relation.get("Target", "")) for relation in found}


def _inside(folder: str, target: str) -> str:
    if target.startswith("/"):
        return target.lstrip("/")
    parts = folder.split("/")
    for piece in target.split("/"):
        if piece == "..":
            parts = parts[:-1]
        elif piece != ".":
            parts.append(piece)
    return "/".join(parts)


def _shared_texts(archive: zipfile.ZipFile) -> list[str]:
    """Texts that cells refer to by number."""
    if SHARED not in archive.namelist():
        return []
    texts: list[str] = []
    pieces: list[str] = []

    def handlers(parser: expat.XMLParserType) -> tuple[Start, Callable[[str], None]]:
        def start(tag: str, attributes: Mapping[str, str]) -> None:
            if tag == ITEM:
                pieces.clear()
            elif tag == TEXT:
                parser.CharacterDataHandler = pieces.append

        def end(tag: str) -> None:
            if tag == TEXT:
                parser.CharacterDataHandler = None
            elif tag == ITEM:
                texts.append("".join(pieces))

        return start, end

    with part(archive, SHARED) as content:
        read_xml(content, handlers)
    return texts


def _ranges(archive: zipfile.ZipFile, sheet: str, place: str) -> list[Range]:
    """The tables of a worksheet."""
    ranges = []
    for target in _relations(archive, place).values():
        if "/tables/" not in target:
            continue
        for table in _elements(archive, target, f"{MAIN}table"):
            match = re.fullmatch(r"([A-Z]+)(\d+):([A-Z]+)(\d+)", table.get("ref", ""))
            if match:
                first, top, last, bottom = match.groups()
                found = Range(
                    name=table.get("displayName", ""),
                    sheet=sheet,
                    first_row=int(top),
                    last_row=int(bottom),
                    columns=column_number(last) if first == "A" else 0,
                    header=table.get("headerRowCount", "1") == "1",
                )
                ranges.append(found)
    return ranges
