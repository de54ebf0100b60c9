"""The rules for accessible workbooks, one by one, as a lint over the files that are written.

Source: Government Analysis Function, "Releasing statistics in spreadsheets"
(2021) and its checklist of the basics.  The rules hold for ODS and XLSX alike
and are checked on what `workbookreader` finds in the files' XML.
"""

import re
import subprocess
import zipfile
from pathlib import Path

import numpy as np
import pytest
from lxml import etree
from needs import program
from odfdo import Document
from tablesamples import facts, report_table, safe_table
from workbookreader import OFFICE, TABLE, ReadSheet, part, read_ods, read_xlsx

from reports.ods import write_ods
from reports.workbook import build_workbook
from reports.xlsx import write_xlsx
from sdc.tables import MARKERS, SHOWN, SafeTable

WRITERS = {"ods": write_ods, "xlsx": write_xlsx}
READERS = {"ods": read_ods, "xlsx": read_xlsx}
SAFE = safe_table(marked=True)
FACTS = facts(statements=("An exception holds until 2027.",))


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("workbook")
    workbook = build_workbook(report_table(SAFE), FACTS)
    for ending, write in WRITERS.items():
        write(workbook, folder / f"benefit.{ending}")
    return {ending: folder / f"benefit.{ending}" for ending in WRITERS}


@pytest.fixture(scope="module", params=["ods", "xlsx"])
def sheets(request: pytest.FixtureRequest, files: dict[str, Path]) -> list[ReadSheet]:
    return READERS[request.param](files[request.param])


def body(sheet: ReadSheet) -> list[list[object]]:
    """The rows of a sheet's table below its header: numbers, or texts."""
    table = sheet.tables[0]
    rows = range(table.first[0] + 1, table.last[0] + 1)
    columns = range(table.first[1], table.last[1] + 1)
    cells = [[sheet.cells[row, column] for column in columns] for row in rows]
    return [[cell.text if cell.number is None else cell.number for cell in row] for row in cells]


def header(sheet: ReadSheet) -> list[str]:
    table = sheet.tables[0]
    return [sheet.cells[table.first[0], column].text for column in range(table.last[1] + 1)]


# Rule 2: order and names of worksheets.


def test_cover_contents_notes_come_first(sheets: list[ReadSheet]) -> None:
    assert [sheet.name for sheet in sheets] == ["Cover", "Contents", "Notes", "LAD", "MSOA", "OA"]


def test_sheet_names_are_unique_without_spaces(sheets: list[ReadSheet]) -> None:
    names = [sheet.name for sheet in sheets]
    assert len({name.lower() for name in names}) == len(names)
    assert all(re.fullmatch(r"\w{1,31}", name) for name in names)


def test_nothing_is_blank_or_hidden(sheets: list[ReadSheet]) -> None:
    for sheet in sheets:
        assert sheet.cells
        assert b"hidden" not in sheet.xml and b"collapse" not in sheet.xml and b'display="false"' not in sheet.xml


# Rule 3: one table per sheet, marked up, with a header row and a meaningful name.


def test_every_table_is_marked_up_with_a_header_row(sheets: list[ReadSheet]) -> None:
    assert not sheets[0].tables
    for sheet in sheets[1:]:
        (table,) = sheet.tables
        assert table.headed and not table.filtered
        assert re.fullmatch(r"[A-Za-z]\w+", table.name)
    names = [sheet.tables[0].name for sheet in sheets[1:]]
    assert names == ["Table_of_contents", "Notes_table", "benefit_by_lad", "benefit_by_msoa", "benefit_by_oa"]


def test_the_mark_up_covers_the_table_and_nothing_else(sheets: list[ReadSheet]) -> None:
    for sheet in sheets[1:]:
        table = sheet.tables[0]
        rows = [row for row, _ in sheet.cells]
        assert table.last == (max(rows), max(column for _, column in sheet.cells))
        assert table.first == (table.first[0], 0)


# Rule 4: what stands above the table.


def test_a1_is_the_title_in_heading_1(sheets: list[ReadSheet]) -> None:
    for sheet in sheets:
        assert sheet.cells[0, 0].heading
        assert not any(cell.heading for at, cell in sheet.cells.items() if at != (0, 0))
    for sheet, areas in zip(sheets[3:], ("local authorities", "MSOAs", "output areas"), strict=True):
        assert sheet.cells[0, 0].text.startswith(f"Claims by benefit: {areas}, 31 May 2026 (provisional) [note 1]")


def test_fonts_are_sans_serif_of_12_points_or_more(sheets: list[ReadSheet]) -> None:
    assert {cell.font for sheet in sheets for cell in sheet.cells.values()} == {"Arial"}
    assert min(cell.size for sheet in sheets for cell in sheet.cells.values()) >= 12


def test_column_a_introduces_the_table(sheets: list[ReadSheet]) -> None:
    for sheet in sheets[3:]:
        lines = [sheet.cells[row, 0].text for row in range(sheet.tables[0].first[0])]
        assert lines[1].startswith("This worksheet contains one table. Some cells refer to notes")
        assert lines[2].startswith("Some shorthand is used in this table: ")
        assert lines[3] == (
            "Every figure has been rounded to a multiple of 5, up or down by chance, "
            "in such a way that totals still add up."
        )
        assert lines[4:] == ["An exception holds until 2027.", "Source: Made-up claim records"]


def test_nothing_stands_right_of_column_a_above_the_table(sheets: list[ReadSheet]) -> None:
    for sheet in sheets:
        top = sheet.tables[0].first[0] if sheet.tables else 10**6
        assert all(column == 0 for row, column in sheet.cells if row < top)


def test_no_row_is_empty(sheets: list[ReadSheet]) -> None:
    for sheet in sheets:
        rows = {row for row, _ in sheet.cells}
        assert rows == set(range(len(rows)))


# Rule 5: the table itself.


def test_headings_are_unique_and_never_empty(sheets: list[ReadSheet]) -> None:
    for sheet in sheets[1:]:
        headings = header(sheet)
        assert all(headings) and len({heading.lower() for heading in headings}) == len(headings)


def test_no_merged_cells_frozen_panes_formulas_fills_or_drawings(sheets: list[ReadSheet]) -> None:
    for sheet in sheets:
        for word in (b"spanned", b"mergeCell", b"<f>", b"formula", b"draw:", b"drawing", b"pane", b"autoFilter"):
            assert word not in sheet.xml
        assert not any(cell.filled for cell in sheet.cells.values())


def test_no_headers_footers_or_macros(files: dict[str, Path]) -> None:
    for path in files.values():
        with zipfile.ZipFile(path) as file:
            names = file.namelist()
            assert not any(
                "vba" in name.lower() or "basic" in name.lower() or "script" in name.lower() for name in names
            )
            text = b"".join(file.read(name) for name in names if name.endswith(".xml"))
        assert b"headerFooter" not in text and b"style:header" not in text and b"style:footer" not in text


# Rule 6: cells.


def test_no_cell_of_a_table_is_empty(sheets: list[ReadSheet]) -> None:
    for sheet in sheets[1:]:
        assert all(cell != "" for row in body(sheet) for cell in row)


def test_figures_are_the_tables_own_and_markers_stand_in_square_brackets(sheets: list[ReadSheet]) -> None:
    for sheet, level in zip(sheets[3:], (2, 1, 0), strict=True):
        shown = [row[-4:] for row in body(sheet)]
        expected = [
            [float(v) if m == SHOWN else f"[{MARKERS[m]}]" for v, m in zip(values, markers, strict=True)]
            for values, markers in zip(SAFE.values[level].tolist(), SAFE.markers[level].tolist(), strict=True)
        ]
        assert shown == expected
        assert [row[0] for row in body(sheet)] == SAFE.hierarchy.codes[level].tolist()


def test_codes_stand_beside_names(sheets: list[ReadSheet]) -> None:
    assert header(sheets[4])[:4] == ["MSOA code", "MSOA name", "Local authority code", "Local authority name"]
    assert body(sheets[4])[0][:4] == ["E02000001", "Mill Lane & Quay", "E09000001", "Eastmere"]


def test_units_stand_in_round_brackets_and_the_total_at_the_edge(sheets: list[ReadSheet]) -> None:
    for sheet in sheets[3:]:
        assert all(heading.endswith(" (claims)") for heading in header(sheet)[-4:])
        assert header(sheet)[-1] == "Total (claims)"


def test_figures_are_right_aligned_with_thousands_and_text_is_left(sheets: list[ReadSheet]) -> None:
    for sheet in sheets[1:]:
        table = sheet.tables[0]
        figures = {column for (row, column), cell in sheet.cells.items() if cell.number is not None}
        for (row, column), cell in sheet.cells.items():
            if row >= table.first[0]:
                assert cell.aligned == ("right" if column in figures else "left")
            if cell.number is not None:
                assert cell.grouped and cell.number == int(cell.number)


def test_headings_and_long_texts_wrap(sheets: list[ReadSheet]) -> None:
    for sheet in sheets[1:]:
        row = sheet.tables[0].first[0]
        assert all(cell.wrapped for at, cell in sheet.cells.items() if at[0] == row)
    assert all(cell.wrapped for at, cell in sheets[2].cells.items() if at[0] > sheets[2].tables[0].first[0])


# Rules 7 and 8: cover, properties, cursor, links.


def test_cover_has_dates_status_and_contacts(sheets: list[ReadSheet]) -> None:
    text = "\n".join(sheets[0].cells[row, 0].text for row, _ in sheets[0].cells)
    for needed in ("Published: ", "Next publication: ", "Status: ", "Disclosure control", "Contacts", "Source: "):
        assert needed in text


def test_links_say_where_they_lead(sheets: list[ReadSheet]) -> None:
    linked = [cell for sheet in sheets for cell in sheet.cells.values() if cell.link]
    assert len(linked) == 3 + 5
    assert all(not cell.text.startswith(("http", "mailto", "here")) for cell in linked)
    contents = [sheets[1].cells[row, 0] for row, column in sheets[1].cells if column == 0]
    assert [cell.text for cell in contents if cell.link] == ["Cover", "Notes", "LAD", "MSOA", "OA"]
    assert all(cell.text in cell.link and "A1" in cell.link for cell in contents if cell.link)


@pytest.mark.parametrize(("ending", "name"), [("ods", "meta.xml"), ("xlsx", "docProps/core.xml")])
def test_properties_have_title_language_and_organisation(files: dict[str, Path], ending: str, name: str) -> None:
    told = {etree.QName(element).localname: element.text for element in part(files[ending], name).iter()}
    assert told["title"] == "Claims by benefit, 31 May 2026"
    assert told["language"] == "en-GB"
    assert told["creator"] == "Example Council & Partners"
    assert told["subject"] == "Benefits in small areas, May 2026"
    assert any(told.get(word) for word in ("keyword", "keywords"))


def test_ods_opens_on_the_cover_with_the_cursor_in_a1(files: dict[str, Path]) -> None:
    items = {}
    for item in part(files["ods"], "settings.xml").iter("{*}config-item"):
        items.setdefault(item.get(item.keys()[0]), set()).add(item.text)
    assert items["ActiveTable"] == {"Cover"} and items["ZoomValue"] == {"100"}
    for name in ("CursorPositionX", "CursorPositionY", "HorizontalSplitMode", "VerticalSplitMode"):
        assert items[name] == {"0"}


def test_cells_of_the_ods_are_in_british_english(files: dict[str, Path]) -> None:
    text = etree.tostring(part(files["ods"], "styles.xml"))
    assert b'fo:language="en"' in text and b'fo:country="GB"' in text


# The files as files.


def test_another_reader_finds_the_same_cells(files: dict[str, Path]) -> None:
    document = Document(str(files["ods"]))
    for sheet in read_ods(files["ods"]):
        table = document.body.get_table(name=sheet.name)
        read = {
            (row, column): value
            for row, cells in enumerate(table.get_values())
            for column, value in enumerate(cells)
            if value is not None
        }
        # A cell whose text is a link has its text in a child, which the other reader gives as it likes.
        for at, cell in sheet.cells.items():
            if not cell.link:
                assert read[at] == (cell.text if cell.number is None else cell.number)
    assert document.meta.title == "Claims by benefit, 31 May 2026"


def test_ods_starts_with_its_type(files: dict[str, Path]) -> None:
    with zipfile.ZipFile(files["ods"]) as file:
        first = file.infolist()[0]
        assert (first.filename, first.compress_type, first.extra) == ("mimetype", zipfile.ZIP_STORED, b"")
    assert files["ods"].read_bytes()[38:84] == b"application/vnd.oasis.opendocument.spreadsheet"


@pytest.mark.parametrize("ending", ["ods", "xlsx"])
def test_same_workbook_same_bytes(tmp_path: Path, files: dict[str, Path], ending: str) -> None:
    WRITERS[ending](build_workbook(report_table(SAFE), FACTS), tmp_path / f"again.{ending}")
    assert (tmp_path / f"again.{ending}").read_bytes() == files[ending].read_bytes()
    with zipfile.ZipFile(files[ending]) as file:
        assert {entry.date_time for entry in file.infolist()} == {(1980, 1, 1, 0, 0, 0)}


@pytest.mark.parametrize("ending", ["ods", "xlsx"])
def test_batches_join_without_a_seam(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict, ending: str) -> None:
    monkeypatch.setattr("reports.textrows.BATCH", 2)
    WRITERS[ending](build_workbook(report_table(SAFE), FACTS), tmp_path / f"b.{ending}")
    read = READERS[ending]
    for pieces, whole in zip(read(tmp_path / f"b.{ending}"), read(files[ending]), strict=True):
        assert pieces.cells == whole.cells and pieces.tables == whole.tables


@pytest.mark.parametrize("ending", ["ods", "xlsx"])
def test_texts_that_xml_would_take_for_mark_up_come_back_as_they_were(tmp_path: Path, ending: str) -> None:
    names = {
        "msoa": np.array(['<b>&amp; "quoted"', "two  spaces", "\u0141\u00f3d\u017a \x07"]),
        "lad": facts().area_names["lad"],
    }
    write = WRITERS[ending]
    write(build_workbook(report_table(SAFE), facts(area_names=names)), tmp_path / f"odd.{ending}")
    found = [row[1] for row in body(READERS[ending](tmp_path / f"odd.{ending}")[4])]
    # In ODF the second of two spaces is an element of its own.
    expected = ['<b>&amp; "quoted"', "two  spaces" if ending == "xlsx" else "two ", "\u0141\u00f3d\u017a \ufffd"]
    assert found[0] == expected[0] and found[2] == expected[2] and found[1].startswith(expected[1])


@pytest.mark.parametrize("ending", ["ods", "xlsx"])
def test_every_level_has_its_rows(tmp_path: Path, ending: str) -> None:
    workbook = build_workbook(report_table(SAFE), FACTS, rows_per_sheet=11)
    WRITERS[ending](workbook, tmp_path / f"parts.{ending}")
    read = READERS[ending](tmp_path / f"parts.{ending}")
    codes = [row[0] for sheet in read if sheet.name.startswith("OA") for row in body(sheet)]
    assert [sheet.name for sheet in read][-2:] == ["OA_part_1", "OA_part_2"] and codes == SAFE.hierarchy.codes[
        0
    ].tolist()


@pytest.fixture(scope="module")
def converted(files: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Each file as LibreOffice writes it in the other format."""
    office = program("soffice", "install LibreOffice Calc (on Debian: apt-get install libreoffice-calc-nogui)")
    folder = tmp_path_factory.mktemp("office")
    profile = f"-env:UserInstallation=file://{folder}/profile"
    for ending, other in (("ods", "xlsx"), ("xlsx", "ods")):
        command = [office, profile, "--headless", "--convert-to", other, "--outdir", str(folder), str(files[ending])]
        subprocess.run(command, check=True, capture_output=True, timeout=120)
    return {"ods": folder / "benefit.xlsx", "xlsx": folder / "benefit.ods"}


def test_libreoffice_opens_the_ods_and_finds_its_tables(converted: dict[str, Path]) -> None:
    """It writes the ODS as XLSX with true tables: their names and figures are ours."""
    sheets = read_office_xlsx(converted["ods"])
    assert {name for name, _ in sheets["tables"]} >= {"benefit_by_oa", "benefit_by_lad", "Table_of_contents"}
    assert [float(v) for v in sheets["LAD"][-2][-4:]] == SAFE.values[2][0].tolist()
    assert sheets["OA"][-1][-4:] == ["[c]", "[z]", "[x]", "[low]"]


def test_libreoffice_opens_the_xlsx_and_finds_its_tables(converted: dict[str, Path]) -> None:
    content = part(converted["xlsx"], "content.xml")
    names = [entry.get(f"{TABLE}name") for entry in content.iter("{*}database-range")]
    assert {"benefit_by_oa", "benefit_by_msoa", "benefit_by_lad"} <= set(names)
    table = next(entry for entry in content.iter("{*}table") if entry.get(f"{TABLE}name") == "LAD")
    # What comes back ends in a row that stands for all the empty ones; only cells with a number count here.
    numbers = [
        [float(cell.get(f"{OFFICE}value")) for cell in row if cell.get(f"{OFFICE}value")]
        for row in table.iter("{*}table-row")
    ]
    assert [row for row in numbers if row] == SAFE.values[2].tolist()


def read_office_xlsx(path: Path) -> dict[str, list]:
    """Cells of each sheet row by row, and the names of tables, from an XLSX file that LibreOffice wrote."""
    main = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
    texts = ["".join(item.itertext()) for item in part(path, "xl/sharedStrings.xml")]
    read: dict[str, list] = {"tables": []}
    for place, entry in enumerate(part(path, "xl/workbook.xml").iter(f"{main}sheet"), 1):
        rows = []
        for row in part(path, f"xl/worksheets/sheet{place}.xml").iter(f"{main}row"):
            cells = [(cell.get("t"), cell.findtext(f"{main}v")) for cell in row if cell.find(f"{main}v") is not None]
            rows.append([texts[int(value)] if kind == "s" else value for kind, value in cells])
        read[entry.get("name")] = [row for row in rows if row]
    with zipfile.ZipFile(path) as file:
        for name in file.namelist():
            if name.startswith("xl/tables/"):
                table = etree.fromstring(file.read(name))
                read["tables"].append((table.get("displayName"), table.get("ref")))
    return read


def test_the_sample_has_every_marker() -> None:
    assert isinstance(SAFE, SafeTable)
    assert set(np.unique(np.concatenate([markers.ravel() for markers in SAFE.markers]))) == set(MARKERS)
