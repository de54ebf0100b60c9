"""Reads the worksheets of an XLSX workbook, streamed part by part.

Source: ECMA-376, "Office Open XML File Formats", part 1, section 18 (SpreadsheetML).
"""

import re
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from xml.parsers import expat

from releases.check.plainrows import PLAIN_TEXT, PlainForm, PlainRows
from releases.check.sheets import Cell, Range, SheetRows, Unreadable, column_number, number
from releases.check.xmlparts import Start, opened, part, read_xml

__all__ = ["read_xlsx"]

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main "
RELATION_ID = "http://schemas.openxmlformats.org/officeDocument/2006/relationships id"
RELATIONSHIP = "http://schemas.openxmlformats.org/package/2006/relationships Relationship"
CELL, ROW, TEXT, VALUE = f"{MAIN}c", f"{MAIN}row", f"{MAIN}t", f"{MAIN}v"
ITEM = f"{MAIN}si"
SHARED = "xl/sharedStrings.xml"
SHEET = re.compile(r"xl/worksheets/[^/]+")
REFERENCE = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6})")

# A row's tag, and a cell up to its end tag, where NUL stands for the number of the row and the quotation mark behind it.
PLAIN_TAG = re.compile(rb'<row r="([1-9][0-9]{0,6})">')
PLAIN = re.compile(
    rb'(<row r="\x00>)?<c r="([A-Z]{1,3})\x00(?: s="\d+")?'
    rb'(?:><v>(\d{1,15})</v>| t="inlineStr"><is><t>(%b)</t></is>)' % PLAIN_TEXT
)


def _freed(rows: list[bytes]) -> tuple[list[int], list[bytes]]:
    """Rows with NUL, which no XML holds, in the place of their numbers; blank if one does not follow that before it."""
    numbers: list[int] = []
    freed: list[bytes] = []
    for row in rows:
        tag = PLAIN_TAG.match(row)
        number = int(tag[1]) if tag else 0
        follows = not (numbers and numbers[-1]) or number == numbers[-1] + 1
        numbers.append(number)
        freed.append(row.replace(tag[1] + b'"', b"\0") if tag and follows and b"\0" not in row else b"")
    return numbers, freed


def _read_plain(piece: bytes) -> tuple[int, Cell] | None:
    match = PLAIN.fullmatch(piece)
    if match is None:
        return None
    row, letters, value, text = match.groups()
    place = column_number(letters.decode()) - 1
    if (row is None) == (place == 0):
        return None
    return place, text.decode() if value is None else int(value)


PLAIN_ROWS = PlainForm(row_end=b"</row>", cell_end=b"</c>", freed=_freed, read=_read_plain, mark="<NAME/>")


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
        worksheets = _worksheets(archive)
        if {name for name in archive.namelist() if SHEET.fullmatch(name)} - {place for _, _, place in worksheets}:
            raise Unreadable("holds a worksheet that it does not name")
        for name, state, place in worksheets:
            plain = PlainRows(PLAIN_ROWS)
            reader = _Reader(SheetRows(name=name), texts, plain)
            if state != "visible":
                reader.sheet.problems.add("is hidden")
            with part(archive, place) as content:
                read_xml(content, reader.handlers, plain)
            sheets.append(reader.sheet)
            ranges.extend(_ranges(archive, name, place))
        return sheets, ranges


class _Reader:
    """Keeps the cell and row of one worksheet being read."""

    def __init__(self, sheet: SheetRows, shared: list[str], plain: PlainRows) -> None:
        self.sheet = sheet
        self._shared = shared
        self._plain = plain
        self._row: list[Cell] = []
        self._in_row = False
        self._number = 0
        self._kind = "n"
        self._texts: list[str] = []

    def handlers(self, parser: expat.XMLParserType) -> tuple[Start, Callable[[str], None]]:
        """What to call at each start and end tag; text is asked for inside values alone."""
        mark = f"{MAIN}{self._plain.name}"

        def start(tag: str, attributes: Mapping[str, str]) -> None:
            if tag == CELL:
                if not self._in_row:
                    raise Unreadable("has a cell outside a row")
                self._kind, self._texts = attributes.get("t", "n"), []
                if "r" in attributes:
                    self._fill_to(attributes["r"])
            elif tag in (VALUE, TEXT):
                parser.CharacterDataHandler = self._texts.append
            elif tag == ROW:
                self._start_row(attributes.get("r"))
                if attributes.get("hidden") in ("1", "true"):
                    self.sheet.problems.add("has a hidden row")
            elif tag == mark:
                self._take_rows()
            else:
                self._start_other(tag, attributes)

        def end(tag: str) -> None:
            if tag in (VALUE, TEXT):
                parser.CharacterDataHandler = None
            elif tag == CELL:
                self._row.append(self._value())
            elif tag == ROW:
                self._in_row = False
                self.sheet.append(self._row)

        return start, end

    def _fill_to(self, reference: str) -> None:
        """Empty cells up to the one that is named, such as ``C7``, which must be of this row and behind the last."""
        match = REFERENCE.fullmatch(reference)
        missing = column_number(match[1]) - 1 - len(self._row) if match else -1
        if match is None or missing < 0 or int(match[2]) != self._number:
            raise Unreadable("names a cell in an unknown form, or out of order")
        if missing:
            self._row.extend([None] * missing)

    def _take_rows(self) -> None:
        """Plain rows in the place of a mark."""
        first, rows = self._plain.take()
        self._start_row(str(first))
        self._in_row, self._number = False, first + len(rows) - 1
        self.sheet.rows.extend(rows)

    def _start_row(self, number: str | None) -> None:
        """A row with the number that it tells, or the next; those left out before it are empty."""
        before = 0 if number is None else int(number) - self._number - 1
        if before < 0 or self._in_row:
            raise Unreadable("has rows out of order")
        if before:
            self.sheet.append([], before)
        self._in_row, self._row, self._number = True, [], self._number + before + 1

    def _start_other(self, tag: str, attributes: Mapping[str, str]) -> None:
        if tag == f"{MAIN}f":
            self.sheet.problems.add("has a formula")
        elif tag == f"{MAIN}mergeCell":
            self.sheet.problems.add("has merged cells")
        elif tag == f"{MAIN}drawing":
            self.sheet.problems.add("has a picture or a text box")
        elif tag == f"{MAIN}legacyDrawing":
            self.sheet.problems.add("has a comment or a form control")
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
