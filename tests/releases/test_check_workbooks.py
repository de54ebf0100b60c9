"""Workbooks beside a table: every fault planted in one is told, and reading rows together finds what reading tags does."""

import dataclasses
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_release import LABELS, write_release

from releases.check import ods, plainrows, xlsx
from releases.check.notes import Notes
from releases.check.ods import read_ods
from releases.check.sheets import SheetRows, Unreadable
from releases.check.tables import Published, read_layout, read_published
from releases.check.workbooks import check_workbook
from releases.check.xlsx import read_xlsx
from releases.check.xmlparts import read_xml

READERS = {"ods": read_ods, "xlsx": read_xlsx}
FORMATS = {"ods": ods, "xlsx": xlsx}
CONTENT, AREAS = "content.xml", "xl/worksheets/sheet6.xml"
Parts = dict[str, bytes]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tables of a whole release."""
    folder = tmp_path_factory.mktemp("made")
    write_release(folder / "out")
    return folder / "out" / "tables"


@pytest.fixture(scope="module")
def published(made: Path) -> Published:
    layout, _ = read_layout(made / "sex.csv-metadata.json", "sex.csv-metadata.json", Notes())
    assert layout is not None
    table = read_published(made / "sex.csv", "sex.csv", "sex", layout, Notes())
    assert table is not None
    return table


def parts_of(path: Path) -> Parts:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(path: Path, parts: Parts) -> Path:
    """A workbook of these parts; the first is stored, as the type of an ODS file must be."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for place, (name, content) in enumerate(parts.items()):
            archive.writestr(name, content, zipfile.ZIP_DEFLATED if place else zipfile.ZIP_STORED)
    return path


def findings(path: Path, published: Published) -> list[tuple[str, str, str]]:
    """Kind, cell and witness of all that is found in a workbook."""
    notes = Notes()
    check_workbook(path, path.name, published, {"sex": LABELS["sex"]}, notes)
    return [(finding.kind, finding.cell, finding.witness) for finding in notes.audit().findings]


Plant = Callable[[Parts], None]


def replaced(part: str, old: str, new: str, *, last: bool = False) -> Plant:
    """Replace a text that stands in a part, its first or its last occurrence."""

    def plant(parts: Parts) -> None:
        assert old.encode() in parts[part], old
        before, _, after = (bytes.rpartition if last else bytes.partition)(parts[part], old.encode())
        parts[part] = before + new.encode() + after

    return plant


def all_of(*plants: Plant) -> Plant:
    def plant(parts: Parts) -> None:
        for one in plants:
            one(parts)

    return plant


def added(name: str, content: bytes = b"") -> Plant:
    def plant(parts: Parts) -> None:
        parts[name] = content

    return plant


# --- The workbooks that we write --------------------------------------------------------------------


@pytest.mark.parametrize("ending", READERS)
def test_nothing_is_found_in_a_workbook_as_written(made: Path, published: Published, ending: str) -> None:
    assert findings(made / f"sex.{ending}", published) == []


@pytest.mark.parametrize("ending", READERS)
@pytest.mark.parametrize("table", ["benefit", "sex", "totals"])
def test_rows_as_written_are_read_together(
    made: Path, monkeypatch: pytest.MonkeyPatch, ending: str, table: str
) -> None:
    """Otherwise the check of a country would take minutes.  Rows may be read one by one where a row's number is like
    the number of a style, and where the writer of XLSX writes the first row of a table itself."""
    taken = 0
    take = plainrows.PlainRows.take

    def counted(self: plainrows.PlainRows) -> tuple[int, list[list[Any]]]:
        nonlocal taken
        number, rows = take(self)
        taken += len(rows)
        return number, rows

    monkeypatch.setattr(plainrows.PlainRows, "take", counted)
    sheets, _ = READERS[ending](made / f"{table}.{ending}")
    rows = sum(len(sheet.rows) for sheet in sheets[3:])
    starts = sum(next(place for place, row in enumerate(sheet.rows) if len(row) > 1) for sheet in sheets[3:])
    assert taken >= (rows - 3 if ending == "ods" else rows - starts - 2 * 3 - 3)


# --- Faults ---------------------------------------------------------------------------------------

FIVE = '<table:table-cell table:style-name="Figures" office:value-type="float" office:value="5"><text:p>5</text:p>'
AREA = '<table:table-cell table:style-name="Text" office:value-type="string"><text:p>E00000005</text:p>'
TAG = '<table:table-row table:style-name="ro_row">'
BELOW = "</table:table-row></table:table><table:database-ranges>"
D11 = '<c r="D11" s="8"><v>10</v></c>'
FIFTH = "oa E00000005, sex m"

# For each fault: where it is planted, and a kind, a cell and a text of a witness that must be among the findings.
FAULTS: dict[str, tuple[str, Plant, tuple[str, str, str]]] = {
    "ods: a cell of the output areas alone": (
        "ods",
        replaced(CONTENT, 'office:value="10"><text:p>10', 'office:value="15"><text:p>15', last=True),
        ("workbook figure", "oa E00000006, sex Total", "another figure"),
    ),
    "ods: a cell of the authority alone": (
        "ods",
        replaced(CONTENT, 'office:value="25"><text:p>25', 'office:value="20"><text:p>20'),
        ("workbook figure", "lad E08000001, sex m", "another figure"),
    ),
    "ods: another figure shown than held": (
        "ods",
        replaced(CONTENT, 'office:value="20"><text:p>20', 'office:value="20"><text:p>21', last=True),
        ("workbook figure", "oa E00000005, sex Total", "another figure"),
    ),
    "ods: another figure held than shown": (
        "ods",
        replaced(CONTENT, 'office:value="20"><text:p>20', 'office:value="21"><text:p>20', last=True),
        ("workbook figure", "oa E00000005, sex Total", "another figure"),
    ),
    "ods: a number as text": (
        "ods",
        replaced(CONTENT, 'office:value-type="float" office:value="20">', 'office:value-type="string">', last=True),
        ("workbook figure", "oa E00000005, sex Total", "another figure"),
    ),
    "ods: a formula with the right value": (
        "ods",
        replaced(CONTENT, 'float" office:value="20"', 'float" table:formula="of:=20" office:value="20"', last=True),
        ("workbook", "", "worksheet OA has a formula"),
    ),
    "ods: a formula with hardly an attribute beside it": (
        "ods",
        replaced(CONTENT, AREA, AREA.replace('table:style-name="Text"', 'table:formula="of:=A1"')),
        ("workbook", "", "worksheet OA has a formula"),
    ),
    "ods: merged over columns": (
        "ods",
        replaced(CONTENT, AREA, AREA.replace(" office", ' table:number-columns-spanned="2" office')),
        ("workbook", "", "worksheet OA has merged cells"),
    ),
    "ods: merged over rows": (
        "ods",
        replaced(CONTENT, AREA, AREA.replace(" office", ' table:number-rows-spanned="2" office')),
        ("workbook", "", "worksheet OA has merged cells"),
    ),
    "ods: a covered cell": (
        "ods",
        replaced(CONTENT, AREA, f"<table:covered-table-cell/>{AREA}"),
        ("workbook", "", "worksheet OA has merged cells"),
    ),
    "ods: a hidden row": (
        "ods",
        replaced(CONTENT, TAG + AREA, TAG.replace(">", ' table:visibility="collapse">') + AREA),
        ("workbook", "", "worksheet OA has a hidden row"),
    ),
    "ods: a hidden row without a style": (
        "ods",
        replaced(CONTENT, TAG + AREA, f'<table:table-row table:visibility="filter">{AREA}'),
        ("workbook", "", "worksheet OA has a hidden row"),
    ),
    "ods: a hidden group": (
        "ods",
        all_of(
            replaced(CONTENT, TAG + AREA, f'<table:table-row-group table:display="false">{TAG}{AREA}'),
            replaced(CONTENT, BELOW, BELOW.replace("</table:table>", "</table:table-row-group></table:table>")),
        ),
        ("workbook", "", "worksheet OA has hidden rows or columns"),
    ),
    "ods: a hidden column": (
        "ods",
        replaced(CONTENT, "<table:table-column ", '<table:table-column table:visibility="collapse" ', last=True),
        ("workbook", "", "worksheet OA has a hidden column"),
    ),
    "ods: hidden worksheets": (
        "ods",
        replaced(CONTENT, 'table:display="true"', 'table:display="false"'),
        ("workbook", "", "worksheet OA is hidden"),
    ),
    "ods: a comment on a figure": (
        "ods",
        replaced(CONTENT, AREA, AREA.replace("<text", "<office:annotation><text:p>3</text:p></office:annotation><text")),
        ("workbook", "", "worksheet OA has a comment"),
    ),
    "ods: a picture": (
        "ods",
        all_of(
            replaced(CONTENT, "<office:document-content", '<office:document-content xmlns:draw="urn:oasis:names:tc:'
                     'opendocument:xmlns:drawing:1.0"'),
            replaced(CONTENT, AREA, AREA.replace("<text", "<draw:frame/><text")),
        ),
        ("workbook", "", "worksheet OA has a picture or a text box"),
    ),
    "ods: a row twice": (
        "ods",
        replaced(CONTENT, TAG + AREA, TAG.replace(">", ' table:number-rows-repeated="2">') + AREA),
        ("workbook", "", "a oa has more than one row"),
    ),
    "ods: a row left out": (
        "ods",
        lambda parts: parts.update(
            {CONTENT: re.sub(re.escape(TAG + AREA).encode() + b".*?</table:table-row>", b"", parts[CONTENT])}
        ),
        ("workbook", "oa E00000005", "on no worksheet"),
    ),
    "ods: codes of two rows exchanged": (
        "ods",
        all_of(
            replaced(CONTENT, "<text:p>E00000005", "<text:p>?"),
            replaced(CONTENT, "<text:p>E00000006", "<text:p>E00000005"),
            replaced(CONTENT, "<text:p>?", "<text:p>E00000006"),
        ),
        ("workbook figure", FIFTH, "another figure"),
    ),
    "ods: a code of another level": (
        "ods",
        replaced(CONTENT, AREA, AREA.replace("E00000005", "E01000003")),
        ("workbook", "", "worksheet OA has a code that is no oa"),
    ),
    "ods: a blank row": (
        "ods",
        replaced(CONTENT, TAG + AREA, f"<table:table-row/>{TAG}{AREA}"),
        ("workbook", "", "worksheet OA, row 11 has an empty cell"),
    ),
    "ods: a cell beside the table": (
        "ods",
        replaced(CONTENT, f"</table:table-cell>{BELOW}", f"</table:table-cell>{FIVE}</table:table-cell>{BELOW}"),
        ("workbook", "", "worksheet OA, row 12 has an empty cell, or one beside"),
    ),
    "ods: a row below the table": (
        "ods",
        replaced(CONTENT, BELOW, f"</table:table-row>{TAG}{FIVE}</table:table-cell>{BELOW}"),
        ("workbook", "", "worksheet OA marks up other cells than its table"),
    ),
    "ods: another worksheet": (
        "ods",
        replaced(
            CONTENT,
            "<table:database-ranges>",
            f'<table:table table:name="More">{TAG}{FIVE}</table:table-cell>{FIVE}</table:table-cell>'
            "</table:table-row></table:table><table:database-ranges>",
        ),
        ("workbook", "", "worksheet More has no title in A1"),
    ),
    "ods: rows in an XML comment": (
        "ods",
        all_of(
            replaced(CONTENT, TAG + AREA, f"<!-- {TAG}{AREA}"),
            replaced(CONTENT, BELOW, BELOW.replace("</table:table>", " --></table:table>")),
        ),
        ("workbook", "", "holds XML with comments"),
    ),
    "ods: rows in a section of character data": (
        "ods",
        all_of(
            replaced(CONTENT, TAG + AREA, f"<![CDATA[{TAG}{AREA}"),
            replaced(CONTENT, BELOW, BELOW.replace("</table:table>", "]]></table:table>")),
        ),
        ("workbook", "", "holds XML with comments"),
    ),
    "ods: an instruction": (
        "ods",
        replaced(CONTENT, TAG + AREA, f"<?{TAG}?>{TAG}{AREA}".replace("?<", "?x <")),
        ("workbook", "", "holds XML with comments"),
    ),
    "ods: a document type": (
        "ods",
        replaced(CONTENT, "<office:document-content", '<!DOCTYPE x [<!ENTITY y "5">]><office:document-content'),
        ("workbook", "", "holds XML with comments"),
    ),
    "ods: another encoding": (
        "ods",
        replaced(CONTENT, 'encoding="UTF-8"', 'encoding="ISO-8859-1"'),
        ("workbook", "", "another encoding"),
    ),
    "ods: cells of another kind of file": (
        "ods",
        all_of(
            replaced(CONTENT, TAG + AREA, f'<table:table-row-group xmlns:office="urn:other">{TAG}{AREA}'),
            replaced(CONTENT, BELOW, BELOW.replace("</table:table>", "</table:table-row-group></table:table>")),
        ),
        ("workbook", "", "cells that are not of its kind"),
    ),
    "ods: a cell outside a row": (
        "ods",
        replaced(CONTENT, TAG + AREA, f"{FIVE}</table:table-cell>{TAG}{AREA}"),
        ("workbook", "", "a cell outside a row"),
    ),
    "ods: rows in a cell": (
        "ods",
        replaced(
            CONTENT,
            AREA,
            AREA.replace("<text", f"<table:table>{TAG}{FIVE}</table:table-cell></table:table-row></table:table><text"),
        ),
        ("workbook", "", "a row inside a row"),
    ),
    "ods: malformed after the last row": (
        "ods",
        replaced(CONTENT, "</office:document-content>", "</office:document-contents>"),
        ("workbook", "", "XML that cannot be read"),
    ),
    "ods: malformed between rows": (
        "ods",
        replaced(CONTENT, TAG + AREA, f"</text:p>{TAG}{AREA}"),
        ("workbook", "", "XML that cannot be read"),
    ),
    "ods: malformed in a row": (
        "ods",
        replaced(CONTENT, "E00000006</text:p>", "E00000006</text:q>"),
        ("workbook", "", "XML that cannot be read"),
    ),
    "ods: no UTF-8": (
        "ods",
        lambda parts: parts.update({CONTENT: parts[CONTENT].replace(b"E00000006", b"E0000000\xb6")}),
        ("workbook", "", "XML that cannot be read"),
    ),
    "ods: a character that XML does not know": (
        "ods",
        replaced(CONTENT, "E00000006", "E00000006\ufffe"),
        ("workbook", "", "XML that cannot be read"),
    ),
    "ods: an object": ("ods", added("Object 1/content.xml"), ("workbook", "", "holds macros, pictures, comments")),
    "xlsx: a cell of the output areas alone": (
        "xlsx",
        replaced(AREAS, D11, D11.replace("10", "15")),
        ("workbook figure", FIFTH, "another figure"),
    ),
    "xlsx: a cell of the LSOAs alone": (
        "xlsx",
        replaced("xl/worksheets/sheet5.xml", "<v>30</v>", "<v>25</v>"),
        ("workbook figure", "lsoa E01000003, sex Total", "another figure"),
    ),
    "xlsx: a number as text": (
        "xlsx",
        replaced(AREAS, D11, '<c r="D11" s="8" t="inlineStr"><is><t>10</t></is></c>'),
        ("workbook figure", FIFTH, "another figure"),
    ),
    "xlsx: a fraction": (
        "xlsx",
        replaced(AREAS, D11, D11.replace("<v>10<", "<v>10.5<")),
        ("workbook figure", FIFTH, "another figure"),
    ),
    "xlsx: a number without end": (
        "xlsx",
        replaced(AREAS, D11, D11.replace("<v>10<", f"<v>{'9' * 40}<")),
        ("workbook figure", FIFTH, "another figure"),
    ),
    "xlsx: a formula with the right value": (
        "xlsx",
        replaced(AREAS, D11, D11.replace("<v>", "<f>5+5</f><v>")),
        ("workbook", "", "worksheet OA has a formula"),
    ),
    "xlsx: an empty cell": (
        "xlsx",
        replaced(AREAS, D11, ""),
        ("workbook", "", "worksheet OA, row 11 has an empty cell"),
    ),
    "xlsx: cells exchanged": (
        "xlsx",
        all_of(replaced(AREAS, '"C11"', '"?11"'), replaced(AREAS, '"D11"', '"C11"'), replaced(AREAS, '"?11"', '"D11"')),
        ("workbook", "", "out of order"),
    ),
    "xlsx: a cell of another row": (
        "xlsx",
        replaced(AREAS, '"D11"', '"D10"'),
        ("workbook", "", "out of order"),
    ),
    "xlsx: a column without a row": (
        "xlsx",
        replaced(AREAS, '"D11"', '"D"'),
        ("workbook", "", "in an unknown form"),
    ),
    "xlsx: rows out of order": (
        "xlsx",
        lambda parts: parts.update({AREAS: parts[AREAS].replace(b'11"', b'9"')}),
        ("workbook", "", "rows out of order"),
    ),
    "xlsx: a row skipped": (
        "xlsx",
        lambda parts: parts.update({AREAS: parts[AREAS].replace(b'12"', b'13"')}),
        ("workbook", "", "worksheet OA, row 12 has an empty cell"),
    ),
    "xlsx: a cell outside a row": (
        "xlsx",
        replaced(AREAS, '<row r="12">', '<c r="G11"><v>5</v></c><row r="12">'),
        ("workbook", "", "a cell outside a row"),
    ),
    "xlsx: a row in a row": (
        "xlsx",
        replaced(AREAS, '<row r="12">', '<row r="12"><row r="13"></row>'),
        ("workbook", "", "rows out of order"),
    ),
    "xlsx: the tag of a row twice": (
        "xlsx",
        replaced(AREAS, '<c r="D11"', '<row r="11"><c r="D11"'),
        ("workbook", "", "rows out of order"),
    ),
    "ods: the tag of a row twice": (
        "ods",
        replaced(CONTENT, "</table:table-cell><table:table-cell", f"</table:table-cell>{TAG}<table:table-cell", last=True),
        ("workbook", "", "a row inside a row"),
    ),
    "xlsx: merged cells": (
        "xlsx",
        replaced(AREAS, "</sheetData>", '</sheetData><mergeCells><mergeCell ref="A11:B11"/></mergeCells>'),
        ("workbook", "", "worksheet OA has merged cells"),
    ),
    "xlsx: a hidden row": (
        "xlsx",
        replaced(AREAS, '<row r="11">', '<row r="11" hidden="1">'),
        ("workbook", "", "worksheet OA has a hidden row"),
    ),
    "xlsx: a hidden column": (
        "xlsx",
        replaced(AREAS, "<col ", '<col hidden="1" '),
        ("workbook", "", "worksheet OA has a hidden column"),
    ),
    "xlsx: a hidden worksheet": (
        "xlsx",
        replaced("xl/workbook.xml", 'name="OA"', 'name="OA" state="veryHidden"'),
        ("workbook", "", "worksheet OA is hidden"),
    ),
    "xlsx: a picture": (
        "xlsx",
        replaced(AREAS, "<tableParts", '<drawing r:id="rId9"/><tableParts'),
        ("workbook", "", "worksheet OA has a picture or a text box"),
    ),
    "xlsx: a comment": (
        "xlsx",
        replaced(AREAS, "<tableParts", '<legacyDrawing r:id="rId9"/><tableParts'),
        ("workbook", "", "worksheet OA has a comment"),
    ),
    "xlsx: a part with comments": ("xlsx", added("xl/comments1.xml"), ("workbook", "", "comments or other objects")),
    "xlsx: a worksheet that the workbook does not name": (
        "xlsx",
        added("xl/worksheets/sheet7.xml", b"<worksheet/>"),
        ("workbook", "", "a worksheet that it does not name"),
    ),
    "xlsx: another worksheet": (
        "xlsx",
        all_of(
            replaced("xl/workbook.xml", "</sheets>", '<sheet name="More" sheetId="9" r:id="rId99"/></sheets>'),
            replaced(
                "xl/_rels/workbook.xml.rels",
                "</Relationships>",
                '<Relationship Id="rId99" Type="worksheet" Target="worksheets/sheet7.xml"/></Relationships>',
            ),
            lambda parts: parts.update({"xl/worksheets/sheet7.xml": parts[AREAS]}),
        ),
        ("workbook", "", "a oa has more than one row"),
    ),
    "xlsx: another range": (
        "xlsx",
        replaced("xl/tables/table5.xml", ":F12", ":F11"),
        ("workbook", "", "worksheet OA marks up other cells than its table"),
    ),
    "xlsx: rows in an XML comment": (
        "xlsx",
        all_of(replaced(AREAS, '<row r="11">', '<!--<row r="11">'), replaced(AREAS, "</sheetData>", "--></sheetData>")),
        ("workbook", "", "holds XML with comments"),
    ),
    "xlsx: malformed in a row": (
        "xlsx",
        replaced(AREAS, "E00000006</t>", "E00000006</v>"),
        ("workbook", "", "XML that cannot be read"),
    ),
    "xlsx: malformed after the last row": (
        "xlsx",
        replaced(AREAS, "</worksheet>", ""),
        ("workbook", "", "XML that cannot be read"),
    ),
    "xlsx: NUL in a row": (
        "xlsx",
        lambda parts: parts.update({AREAS: parts[AREAS].replace(b'r="D11"', b'r="D\0')}),
        ("workbook", "", "XML that cannot be read"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_told(made: Path, published: Published, tmp_path: Path, name: str) -> None:
    ending, plant, (kind, cell, text) = FAULTS[name]
    parts = parts_of(made / f"sex.{ending}")
    plant(parts)
    found = findings(packed(tmp_path / f"sex.{ending}", parts), published)
    assert [one for one in found if one[:2] == (kind, cell) and text in one[2]], found


@pytest.mark.parametrize("ending", READERS)
class TestArchives:
    def test_cut_short(self, made: Path, published: Published, tmp_path: Path, ending: str) -> None:
        path = tmp_path / f"sex.{ending}"
        path.write_bytes((made / path.name).read_bytes()[:-100])
        assert findings(path, published) == [("workbook", "", "is missing or no zip archive")]

    @pytest.mark.parametrize("at", [0.3, 0.5, 0.7])
    def test_bytes_changed(self, made: Path, published: Published, tmp_path: Path, ending: str, at: float) -> None:
        """Somewhere in the largest part, whose packed bytes then tell something else, or nothing."""
        path = tmp_path / f"sex.{ending}"
        with zipfile.ZipFile(made / path.name) as archive:
            largest = archive.getinfo(CONTENT if ending == "ods" else AREAS)
        raw = bytearray((made / path.name).read_bytes())
        place = largest.header_offset + 30 + len(largest.filename) + int(at * largest.compress_size)
        raw[place : place + 4] = bytes(255 - byte for byte in raw[place : place + 4])
        path.write_bytes(raw)
        assert [kind for kind, _, _ in findings(path, published)] == ["workbook"]

    def test_two_parts_of_one_name(self, made: Path, published: Published, tmp_path: Path, ending: str) -> None:
        path = packed(tmp_path / f"sex.{ending}", parts_of(made / f"sex.{ending}"))
        name = CONTENT if ending == "ods" else AREAS
        with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr(name, archive.read(name))
        assert findings(path, published) == [("workbook", "", "holds two parts of one name")]

    @pytest.mark.parametrize(("field", "value"), [(8, 1), (10, 99)], ids=["encrypted", "packed in another way"])
    def test_packed_as_nobody_reads(
        self, made: Path, published: Published, tmp_path: Path, ending: str, field: int, value: int
    ) -> None:
        path = tmp_path / f"sex.{ending}"
        raw = bytearray((made / path.name).read_bytes())
        with zipfile.ZipFile(made / path.name) as archive:
            central = archive.start_dir
        for entry in re.finditer(b"PK\x01\x02", bytes(raw[central:])):
            place = central + entry.start() + field
            raw[place : place + 2] = value.to_bytes(2, "little")
        path.write_bytes(raw)
        assert [kind for kind, _, _ in findings(path, published)] == ["workbook"]


# --- Rows read together and tag by tag --------------------------------------------------------------


def read(path: Path, *, together: bool, block: int = 1 << 20) -> tuple[list[SheetRows], list[Any]] | None:
    """What a reader reads, with the rows that are plain read together or not; None where it refuses the file."""
    ending = path.suffix[1:]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plainrows, "BLOCK", block)
        if not together:
            form = dataclasses.replace(FORMATS[ending].PLAIN_ROWS, row_end=b"no row ends like this")
            patch.setattr(FORMATS[ending], "PLAIN_ROWS", form)
        try:
            return READERS[ending](path)
        except (Unreadable, ValueError, IndexError):
            return None


@pytest.mark.parametrize("ending", READERS)
@pytest.mark.parametrize("block", [1, 7, 100, 1000, 1 << 20])
def test_blocks_of_any_size(made: Path, ending: str, block: int) -> None:
    path = made / f"sex.{ending}"
    assert read(path, together=True, block=block) == read(path, together=False)


ODS_START = (
    b'<?xml version="1.0" encoding="UTF-8"?><office:document-content '
    b'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    b'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" '
    b'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"><table:table table:name="A">'
)
ODS_END = b"</table:table></office:document-content>"


def ods_cell(text: bytes, value: bytes | None = None, more: bytes = b"") -> bytes:
    kind = b'string"' if value is None else b'float" office:value="%b"' % value
    return (
        b'<table:table-cell table:style-name="Text"%b office:value-type="%b><text:p>%b</text:p></table:table-cell>'
        % (more, kind, text)
    )


PLAIN_ODS = [
    ods_cell(b"E01"),
    ods_cell(b"\xc3\xa9"),
    ods_cell(b"5", b"5"),
    ods_cell(b"1,005", b"1005"),
    ods_cell(b"[c]"),
]
ODD_ODS = [
    ods_cell(b"6", b"5"),
    ods_cell(b"", b"5"),
    ods_cell(b"2.5", b"2.5"),
    ods_cell(b"05", b"05"),
    ods_cell(b""),
    ods_cell(b"a &amp; b"),
    ods_cell(b"a<text:s text:c='2'/>b"),
    ods_cell(b"a</text:p><text:p>b"),
    ods_cell(b"\xef\xbc\x81"),
    ods_cell(b"a\r\nb\tc"),
    ods_cell(b"5", b"5", b' table:formula="of:=5"'),
    ods_cell(b"5", b"5", b' table:number-columns-repeated="3"'),
    ods_cell(b"5", b"5", b' table:number-columns-spanned="3"'),
    ods_cell(b"5", b"5").replace(b'"Text"', b"'Text'"),
    ods_cell(b"5", b"5").replace(b"table-cell>", b"table-cell >"),
    b"<table:table-cell/>",
    b"<table:covered-table-cell/>",
    b"text between cells",
]
FATAL_ODS = [
    ods_cell(b"\xef\xbf\xbe"),
    ods_cell(b"\xff"),
    ods_cell(b"\x01"),
    ods_cell(b"a]]>b"),
    ods_cell(b"<![CDATA[5]]>"),
    b'<table:table-row table:style-name="ro">',
    b"</table:table-row>",
    b"<!-- ",
    b" -->",
    b"<?instruction ?>",
    b"<",
]
ROWS_ODS = [b'<table:table-row table:style-name="ro">']
ODD_ROWS_ODS = [
    b"<table:table-row>",
    b'<table:table-row table:visibility="collapse">',
    b'<table:table-row table:number-rows-repeated="2">',
    b'<table:table-row table:style-name="ro" >',
]
BETWEEN_ODS = [b'</table:table><table:table table:name="B">', b"<table:table-row/>", b" ", b"text"]


@pytest.mark.parametrize("odd", range(len(ODD_ODS + FATAL_ODS + BETWEEN_ODS)))
def test_one_oddity_in_an_ods(tmp_path: Path, odd: int) -> None:
    """In each place of a row that is plain but for it, and between the rows."""
    row = [ROWS_ODS[0], *PLAIN_ODS[:3], b"</table:table-row>"]
    for place in range(len(row) + 1):
        rows = b"".join(row + row[:place] + [(ODD_ODS + FATAL_ODS + BETWEEN_ODS)[odd]] + row[place:] + row)
        path = packed(tmp_path / "any.ods", {CONTENT: ODS_START + rows + ODS_END})
        assert read(path, together=True) == read(path, together=False), place


@st.composite
def ods_rows(draw: st.DrawFn) -> bytes:
    """Rows, most of them plain, and now and then in a file one that no XML holds."""
    pieces = []
    for _ in range(draw(st.integers(1, 8))):
        odd = draw(st.integers(0, 2)) == 0
        cells = draw(st.lists(st.sampled_from(PLAIN_ODS), min_size=1, max_size=4))
        if odd and draw(st.booleans()):
            cells.insert(draw(st.integers(0, len(cells))), draw(st.sampled_from(ODD_ODS)))
        tag = draw(st.sampled_from(ROWS_ODS + ODD_ROWS_ODS if odd else ROWS_ODS))
        pieces += [tag, *cells, b"</table:table-row>"]
        if odd and draw(st.booleans()):
            pieces.append(draw(st.sampled_from(BETWEEN_ODS)))
    if draw(st.integers(0, 5)) == 0:
        for _ in range(draw(st.integers(1, 2))):
            pieces.insert(draw(st.integers(0, len(pieces))), draw(st.sampled_from(FATAL_ODS)))
    return b"".join(pieces)


@given(ods_rows(), st.sampled_from([50, 300, 1 << 20]))
@settings(deadline=None, max_examples=150)
def test_any_ods_is_read_alike(tmp_path_factory: pytest.TempPathFactory, rows: bytes, block: int) -> None:
    path = packed(tmp_path_factory.mktemp("any") / "any.ods", {CONTENT: ODS_START + rows + ODS_END})
    assert read(path, together=True, block=block) == read(path, together=False)


def test_an_ods_cut_anywhere(tmp_path: Path) -> None:
    """Wherever a block ends, so between the tag of a row, which may say something of it, and its cells."""
    rows = b"".join(tag + PLAIN_ODS[0] + PLAIN_ODS[2] + b"</table:table-row>" for tag in (*ODD_ROWS_ODS, *ROWS_ODS * 2))
    content = ODS_START + rows + ODS_END
    found = read(packed(tmp_path / "whole.ods", {CONTENT: content}), together=False)
    assert found is not None and len(found[0][0].rows) == 7 and found[0][0].problems == {"has a hidden row"}
    for cut in range(len(ODS_START), len(content)):
        plain = plainrows.PlainRows(ods.PLAIN_ROWS)
        reader = ods._Reader(plain)
        read_xml(cast(IO[bytes], Cut(content, cut)), reader.handlers, plain)
        assert reader.sheets == found[0], cut


class Cut:
    """A file that gives its bytes in two blocks."""

    def __init__(self, content: bytes, cut: int) -> None:
        self._blocks = [content[:cut], content[cut:]]

    def read(self, size: int) -> bytes:
        return self._blocks.pop(0) if self._blocks else b""


def test_no_file_can_hold_a_mark() -> None:
    assert plainrows.PlainRows(ods.PLAIN_ROWS).name != plainrows.PlainRows(ods.PLAIN_ROWS).name


XLSX_PARTS = {
    "xl/workbook.xml": b'<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://'
    b'schemas.openxmlformats.org/officeDocument/2006/relationships"><sheet name="A" r:id="a"/></workbook>',
    "xl/_rels/workbook.xml.rels": b'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    b'<Relationship Id="a" Target="worksheets/sheet1.xml"/></Relationships>',
    "xl/sharedStrings.xml": b'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><t>shared</t>'
    b"</si></sst>",
}
XLSX_START = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
XLSX_END = b"</sheetData></worksheet>"
PLAIN_XLSX = [
    b' s="5" t="inlineStr"><is><t>E01</t></is></c>',
    b' t="inlineStr"><is><t>a "b</t></is></c>',
    b' s="1"><v>5</v></c>',
    b"><v>1005</v></c>",
]
ODD_XLSX = [
    b' s="1"><f>5</f><v>5</v></c>',
    b' s="1" t="s"><v>0</v></c>',
    b' s="1" t="str"><v>5</v></c>',
    b' s="12"><v>2.5</v></c>',
    b' s="1"><v></v></c>',
    b"/>",
    b' t="inlineStr"><is><t>a &amp; b\r\nc</t></is></c>',
    b' t="inlineStr"><is><t>Ward 1" or 2" or 3" or 4" or 5" or 6" or 7" or 8" or 9" or 10"</t></is></c>',
    b' t="inlineStr"><is><t></t></is></c>',
    b' t="inlineStr"><is><r><t>a</t></r><r><t>b</t></r></is></c>',
]
FATAL_XLSX = [
    b' t="inlineStr"><is><t>\xff</t></is></c>',
    b' t="inlineStr"><is><t>a\0b</t></is></c>',
    b' t="inlineStr"><is><t>a]]>b</t></is></c>',
]
TAGS_XLSX = [b"", b' spans="1:3"', b' hidden="1"']
BETWEEN_XLSX = [b'<!-- <row r="9"> -->', b"<row>", b"</row>", b"<row/>", b"<", b" ", b"<f/>", b"</c>"]


@pytest.mark.parametrize("odd", range(len(ODD_XLSX + FATAL_XLSX)))
def test_one_oddity_in_an_xlsx(tmp_path: Path, odd: int) -> None:
    """In each cell of a row that is plain but for it."""
    for place in range(3):
        cells = [b'<c r="%b7"%b' % (letter, PLAIN_XLSX[0]) for letter in (b"A", b"B", b"C")]
        cells[place] = cells[place][:9] + (ODD_XLSX + FATAL_XLSX)[odd]
        rows = b"".join([b'<row r="7">', *cells, b"</row>"])
        rows = rows.replace(b'7"', b'6"') + rows + rows.replace(b'7"', b'8"')
        path = packed(tmp_path / "any.xlsx", {**XLSX_PARTS, "xl/worksheets/sheet1.xml": XLSX_START + rows + XLSX_END})
        assert read(path, together=True) == read(path, together=False), place


@st.composite
def xlsx_rows(draw: st.DrawFn) -> bytes:
    """Rows one below the other, most of them plain, with oddities and now and then faults in tags, places and cells."""
    fatal = draw(st.integers(0, 5)) == 0
    pieces, number = [], draw(st.integers(0, 10))
    for _ in range(draw(st.integers(1, 8))):
        odd = draw(st.integers(0, 2)) == 0
        number += draw(st.sampled_from([0, 1, 2] if odd and fatal else [1, 2] if odd else [1]))
        tag = b'<row r="%d"%b>' % (number, draw(st.sampled_from(TAGS_XLSX if odd else TAGS_XLSX[:1])))
        letters = draw(st.sampled_from(["A", "B", "AC", "ABC", *(["ACB"] if fatal else [])] if odd else ["ABC"]))
        kinds = PLAIN_XLSX + (ODD_XLSX if odd else []) + (FATAL_XLSX if odd and fatal else [])
        other = int(odd and fatal and draw(st.booleans()))
        cells = [
            b'<c r="%b%d"%b' % (letter.encode(), number + other, draw(st.sampled_from(kinds))) for letter in letters
        ]
        pieces += [tag, *cells, b"</row>"]
    if fatal and draw(st.booleans()):
        pieces.insert(draw(st.integers(0, len(pieces))), draw(st.sampled_from(BETWEEN_XLSX)))
    return b"".join(pieces)


@given(xlsx_rows(), st.sampled_from([50, 300, 1 << 20]))
@settings(deadline=None, max_examples=150)
def test_any_xlsx_is_read_alike(tmp_path_factory: pytest.TempPathFactory, rows: bytes, block: int) -> None:
    path = tmp_path_factory.mktemp("any") / "any.xlsx"
    packed(path, {**XLSX_PARTS, "xl/worksheets/sheet1.xml": XLSX_START + rows + XLSX_END})
    assert read(path, together=True, block=block) == read(path, together=False)
