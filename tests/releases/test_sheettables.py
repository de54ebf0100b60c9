"""Published tables on the sheets of OpenDocument workbooks."""

from pathlib import Path

import pytest
from counts_files import AREAS
from hypothesis import given, settings
from hypothesis import strategies as st
from sheet_files import Rows, write_ods

from common.faults import InputError
from releases.attack.known import Known, read_all_known
from releases.attack.pieces import Read, read_pieces
from releases.attack.said import Defaults
from releases.files.sheettables import is_workbook
from releases.files.tidyfile import read_header, read_tidy
from sdc.tables import SHOWN, SUPPRESSED

TABLE: Rows = (
    ("Claims by area, May 2026",),
    ("This worksheet contains one table. Some shorthand is used, [c] = confidential.",),
    ("Area code", "Area name", "Claims"),
    ("E00000001", "One", 12),
    ("E00000002", "Two", "[c]"),
    ("E01000001", None, 1200),
    (None, None, None),
    ("Source: made up",),
)
KNOWN = '[[file]]\npath = "book.ods"\n[file.columns]\narea = "Area code"\nvalue = "Claims"\n'


def read(folder: Path, known: str = "") -> Read:
    (folder / "areas.csv").write_text(AREAS)
    (folder / "known.toml").write_text(KNOWN.replace("[file.columns]", f"{known}\n[file.columns]"))
    defaults = Defaults(nest=("oa", "lsoa", "lad"), areas=folder / "areas.csv", method="exact")
    return read_pieces([folder / "book.ods"], read_all_known(folder / "known.toml"), defaults)


def refused(folder: Path, known: str = "") -> list[tuple[str, int | None]]:
    with pytest.raises(InputError) as caught:
        read(folder, known)
    return [(fault.kind, fault.row) for fault in caught.value.faults]


def test_the_table_between_its_title_and_its_source(tmp_path: Path) -> None:
    write_ods(tmp_path / "book.ods", {"Cover": [("A", "B"), ("c", "d")], "Table_1": TABLE})
    (piece,) = read(tmp_path).pieces
    assert piece.values[:2].tolist() == [12, 0] and piece.markers[:2].tolist() == [SHOWN, SUPPRESSED]
    assert piece.values[4] == 1200


def test_a_table_that_is_marked_up(tmp_path: Path) -> None:
    rows = [("Two", "words"), ("and", "more"), ("Area code", "Claims"), ("E00000001", 12), ("Total of", "nothing")]
    ranges = '<table:database-range table:name="t" table:target-range-address="Table_1.A3:Table_1.B4"/>'
    write_ods(tmp_path / "book.ods", {"Table_1": rows}, ranges=ranges)
    assert read(tmp_path).pieces[0].values[0] == 12


def test_rows_are_those_of_the_sheet(tmp_path: Path) -> None:
    rows = [*TABLE[:5], ("E01000001", None, "q"), ("E00000003", "Three", 1, "beyond")]
    write_ods(tmp_path / "book.ods", {"Table_1": rows})
    assert refused(tmp_path) == [("ragged row", 7)]
    write_ods(tmp_path / "book.ods", {"Table_1": rows[:-1]})
    assert refused(tmp_path) == [("no number", 6)]


def test_one_of_several_sheets(tmp_path: Path) -> None:
    write_ods(tmp_path / "book.ods", {"Table_1": TABLE, "Table_2": [*TABLE[:3], ("E00000001", "One", 7)]})
    assert refused(tmp_path) == [("sheet", None)]
    assert read(tmp_path, 'sheet = "Table_2"').pieces[0].values[0] == 7
    assert refused(tmp_path, 'sheet = "Table_3"') == [("sheet", None)]


def test_numbers_as_they_are_shown(tmp_path: Path) -> None:
    write_ods(tmp_path / "book.ods", {"T": [("area", "percent"), ("a", 12.5), ("b", "7.0%"), ("00123", 3)]})
    tidy = read_tidy(tmp_path / "book.ods", needed=["area", "percent"])
    assert tidy.text.columns["percent"].to_pylist() == ["12.5", "7.0%", "3"]
    assert tidy.text.columns["area"].to_pylist() == ["a", "b", "00123"] and tidy.row(0) == 2


@pytest.mark.parametrize(
    ("sheets", "cell"),
    [
        ({"T": [("area", "value")]}, ""),
        ({"T": []}, ""),
        ({}, ""),
        ({"T": [("area", "value"), ("a", 1)]}, "<table:table-row><table:covered-table-cell/></table:table-row>"),
        ({"T": [("area", "area"), ("a", 1)]}, ""),
        ({"T": [("area", "value"), ("a", 1)]}, "<table:table-row table:number-rows-repeated='x'/>"),
    ],
)
def test_workbooks_without_a_table_to_read(tmp_path: Path, sheets: dict[str, Rows], cell: str) -> None:
    path = write_ods(tmp_path / "book.ods", sheets, cell=cell)
    with pytest.raises(InputError):
        read_tidy(path, needed=["area", "value"])


def test_other_zip_files_are_no_workbooks(tmp_path: Path) -> None:
    path = write_ods(tmp_path / "book.ods", {"T": TABLE})
    path.write_bytes(path.read_bytes().replace(b"opendocument.spreadsheet", b"opendocument.text-files!"))
    assert not is_workbook(path)
    with pytest.raises(InputError, match="a workbook or zip file"):
        read_header(path)


@settings(max_examples=60, deadline=None)
@given(at=st.integers(0, 10_000), piece=st.binary(max_size=4), cut=st.integers(0, 4))
def test_damaged_workbooks_are_refused_in_words(
    tmp_path_factory: pytest.TempPathFactory, at: int, piece: bytes, cut: int
) -> None:
    folder = tmp_path_factory.mktemp("fuzz")
    path = write_ods(folder / "book.ods", {"Table_1": TABLE})
    data = path.read_bytes()
    at %= len(data)
    path.write_bytes(data[:at] + piece + data[at + cut :])
    try:
        found = read_pieces([path], Known(), Defaults(nest=("oa",), method="exact"))
    except InputError as error:
        assert error.faults
    else:
        assert found.pieces
