"""What is on the worksheets of a produced file, read from its XML and owing nothing to the writers.

Both formats are read into the same form, so that one lint holds both to the
same rules.
"""

import re
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

from lxml import etree

__all__ = ["OFFICE", "TABLE", "Cell", "ReadSheet", "ReadTable", "part", "read_ods", "read_xlsx"]

ODF = "urn:oasis:names:tc:opendocument:xmlns:"
OFFICE, STYLE, TABLE, TEXT = (f"{{{ODF}{name}:1.0}}" for name in ("office", "style", "table", "text"))
FO = f"{{{ODF}xsl-fo-compatible:1.0}}"
MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
RELATED = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"


@dataclass
class Cell:
    """One cell: its text as seen or its number, and how it is set."""

    text: str
    number: float | None
    aligned: str
    size: float
    font: str
    wrapped: bool
    heading: bool
    filled: bool
    grouped: bool
    link: str = ""


@dataclass
class ReadTable:
    """A marked-up table: first and last cell as (row, column) from 0."""

    name: str
    first: tuple[int, int]
    last: tuple[int, int]
    headed: bool
    filtered: bool


@dataclass
class ReadSheet:
    """A worksheet; `cells` by (row, column) from 0."""

    name: str
    cells: dict[tuple[int, int], Cell] = field(default_factory=dict)
    tables: list[ReadTable] = field(default_factory=list)
    xml: bytes = b""


def part(path: Path, name: str) -> etree._Element:
    """One part of the file, parsed."""
    with zipfile.ZipFile(path) as file:
        return etree.fromstring(file.read(name))


def _place(reference: str) -> tuple[int, int]:
    letters, digits = re.fullmatch(r"\$?([A-Z]+)\$?(\d+)", reference).groups()
    column = 0
    for letter in letters:
        column = column * 26 + ord(letter) - ord("A") + 1
    return int(digits) - 1, column - 1


def read_ods(path: Path) -> list[ReadSheet]:
    """The worksheets of an ODS file in order."""
    content, styles = part(path, "content.xml"), part(path, "styles.xml")
    named = {style.get(f"{STYLE}name"): style for style in styles.iter(f"{STYLE}style")}
    default = styles.find(f".//{STYLE}default-style[@{STYLE}family='table-cell']")
    sheets = []
    for table in content.iter(f"{TABLE}table"):
        sheet = ReadSheet(name=table.get(f"{TABLE}name"), xml=etree.tostring(table))
        for row, line in enumerate(table.iter(f"{TABLE}table-row")):
            for column, cell in enumerate(line):
                sheet.cells[row, column] = _ods_cell(cell, named, default)
        sheets.append(sheet)
    by_name = {sheet.name: sheet for sheet in sheets}
    for marked in content.iter(f"{TABLE}database-range"):
        address = marked.get(f"{TABLE}target-range-address")
        name, first, _, last = re.fullmatch(r"'(\w+)'\.(\w+):'(\w+)'\.(\w+)", address).groups()
        by_name[name].tables.append(
            ReadTable(
                name=marked.get(f"{TABLE}name"),
                first=_place(first),
                last=_place(last),
                headed=marked.get(f"{TABLE}contains-header") == "true",
                filtered=marked.get(f"{TABLE}display-filter-buttons") != "false",
            )
        )
    return sheets


def _ods_cell(cell: etree._Element, named: dict, default: etree._Element) -> Cell:
    style = named[cell.get(f"{TABLE}style-name")]
    found: dict[str, str] = {}
    for holder in (default, style):
        for properties in holder:
            found.update(properties.attrib)
    number = cell.get(f"{OFFICE}value")
    link = cell.find(f".//{TEXT}a")
    return Cell(
        text="".join(cell.itertext()),
        number=None if number is None else float(number),
        aligned={"start": "left", "end": "right"}[found[f"{FO}text-align"]],
        size=float(found[f"{FO}font-size"].removesuffix("pt")),
        font=found[f"{FO}font-family"],
        wrapped=found.get(f"{FO}wrap-option") == "wrap",
        heading=style.get(f"{STYLE}display-name") == "Heading 1",
        filled=f"{FO}background-color" in found,
        grouped=style.get(f"{STYLE}data-style-name") == "Thousands",
        link="" if link is None else link.get("{http://www.w3.org/1999/xlink}href"),
    )


def read_xlsx(path: Path) -> list[ReadSheet]:
    """The worksheets of an XLSX file in order."""
    texts = ["".join(item.itertext()) for item in part(path, "xl/sharedStrings.xml")]
    styles = part(path, "xl/styles.xml")
    sheets = []
    for place, entry in enumerate(part(path, "xl/workbook.xml").iter(f"{MAIN}sheet"), 1):
        content = part(path, f"xl/worksheets/sheet{place}.xml")
        sheet = ReadSheet(name=entry.get("name"), xml=etree.tostring(content))
        links = {_place(link.get("ref")): link for link in content.iter(f"{MAIN}hyperlink")}
        for cell in content.iter(f"{MAIN}c"):
            at = _place(cell.get("r"))
            sheet.cells[at] = _xlsx_cell(cell, texts, styles)
            if at in links:
                sheet.cells[at].link = links[at].get("location") or links[at].get(f"{RELATED}id")
        if content.find(f"{MAIN}tableParts") is not None:
            for relation in part(path, f"xl/worksheets/_rels/sheet{place}.xml.rels"):
                if relation.get("Type").endswith("/table"):
                    sheet.tables.append(_xlsx_table(part(path, "xl/" + relation.get("Target").removeprefix("../"))))
        sheets.append(sheet)
    return sheets


def _xlsx_table(table: etree._Element) -> ReadTable:
    first, last = table.get("ref").split(":")
    return ReadTable(
        name=table.get("displayName"),
        first=_place(first),
        last=_place(last),
        headed=table.get("headerRowCount", "1") == "1",
        filtered=table.find(f"{MAIN}autoFilter") is not None,
    )


def _xlsx_cell(cell: etree._Element, texts: list[str], styles: etree._Element) -> Cell:
    style = styles.find(f"{MAIN}cellXfs")[int(cell.get("s"))]
    font = styles.find(f"{MAIN}fonts")[int(style.get("fontId"))]
    fill = styles.find(f"{MAIN}fills")[int(style.get("fillId"))]
    alignment = style.find(f"{MAIN}alignment")
    codes = {entry.get("numFmtId"): entry.get("formatCode") for entry in styles.iter(f"{MAIN}numFmt")}
    set_as = {} if alignment is None else alignment.attrib
    value = "".join(cell.itertext())
    kind = cell.get("t", "n")
    size = float(font.find(f"{MAIN}sz").get("val"))
    return Cell(
        text=texts[int(value)] if kind == "s" else value,
        number=float(value) if kind == "n" else None,
        aligned=set_as.get("horizontal", "left"),
        size=size,
        font=font.find(f"{MAIN}name").get("val"),
        wrapped=set_as.get("wrapText") == "1",
        heading=size == 16 and font.find(f"{MAIN}b") is not None,
        filled=fill[0].get("patternType") not in ("none", None),
        grouped=codes.get(style.get("numFmtId"), style.get("numFmtId")) in ("#,##0", "3"),
    )
