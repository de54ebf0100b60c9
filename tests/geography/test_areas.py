"""Areas from lookups: what nests is read, what does not is told, all at once."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.faults import Fault, InputError
from geography.areas import Areas, Level, read_areas

LEVELS = (Level("oa", "oa21cd"), Level("lsoa", "lsoa21cd", "lsoa21nm"), Level("lad", "lad22cd"))

LOOKUP = """\
oa21cd,lsoa21cd,lsoa21nm,lad22cd
E00000003,E01000002,Far 001B,E08000001
E00000001,E01000001,Far 001A,E08000001
E00000002,E01000001,Far 001A,E08000001
"""


def write(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "lookup.csv"
    path.write_bytes(text.encode(encoding))
    return path


def faults_of(path: Path, levels: tuple[Level, ...] = LEVELS) -> list[Fault]:
    with pytest.raises(InputError) as caught:
        read_areas(path, levels)
    assert all(fault.file == str(path) for fault in caught.value.faults)
    return list(caught.value.faults)


def told(path: Path, levels: tuple[Level, ...] = LEVELS) -> list[tuple[str, int | None, str]]:
    return [(fault.kind, fault.row, fault.column) for fault in faults_of(path, levels)]


def test_a_lookup_becomes_sorted_codes_names_and_parents(tmp_path: Path) -> None:
    areas = read_areas(write(tmp_path, LOOKUP), LEVELS)
    assert areas.levels == ("oa", "lsoa", "lad")
    assert areas.codes[0].tolist() == ["E00000001", "E00000002", "E00000003"]
    assert areas.parents[0].tolist() == [0, 0, 1]
    assert areas.parents[1].tolist() == [0, 0]
    assert areas.names[1].tolist() == ["Far 001A", "Far 001B"]
    assert areas.names[0].tolist() == ["", "", ""]
    assert areas.ancestors(0, 2).tolist() == [0, 0, 0]
    assert areas.sizes == (3, 2, 1)


def test_parquet_and_a_byte_order_mark_give_the_same(tmp_path: Path) -> None:
    plain = read_areas(write(tmp_path, LOOKUP), LEVELS)
    marked = read_areas(write(tmp_path, LOOKUP, "utf-8-sig"), LEVELS)
    rows = [line.split(",") for line in LOOKUP.splitlines()]
    table = pa.table({name: [row[at] for row in rows[1:]] for at, name in enumerate(rows[0])})
    path = tmp_path / "lookup.parquet"
    pq.write_table(table.set_column(0, "oa21cd", table["oa21cd"].dictionary_encode()), path)
    for other in (marked, read_areas(path, LEVELS)):
        for name in ("codes", "names", "parents"):
            for one, two in zip(getattr(plain, name), getattr(other, name), strict=True):
                assert np.array_equal(one, two)


def test_codes_stay_text(tmp_path: Path) -> None:
    path = write(tmp_path, "a,b\n007,1e3\n0070,1e3\nNA,1e3\n")
    areas = read_areas(path, (Level("small", "a"), Level("large", "b")))
    assert areas.codes[0].tolist() == ["007", "0070", "NA"]
    assert areas.codes[1].tolist() == ["1e3"]


def test_rows_that_repeat_and_agree_are_fine(tmp_path: Path) -> None:
    areas = read_areas(write(tmp_path, LOOKUP + LOOKUP.split("\n", 1)[1]), LEVELS)
    assert areas.sizes == (3, 2, 1)


def test_an_area_with_two_parents_is_told_with_both(tmp_path: Path) -> None:
    path = write(tmp_path, LOOKUP + "E00000003,E01000001,Far 001A,E08000001\n")
    (fault,) = faults_of(path)
    assert (fault.kind, fault.row, fault.column) == ("two parents", 5, "oa21cd")
    assert "E00000003 lies in 2 areas of column 'lsoa21cd': E01000002 (row 2), E01000001 (row 5)" in fault.line()


def test_a_parent_with_two_parents_is_told_at_its_own_level(tmp_path: Path) -> None:
    path = write(tmp_path, LOOKUP + "E00000004,E01000001,Far 001A,E08000002\n")
    assert told(path) == [("two parents", 5, "lsoa21cd")]


def test_an_area_with_two_names_is_told(tmp_path: Path) -> None:
    path = write(tmp_path, LOOKUP + "E00000004,E01000001,Near 001A,E08000001\n")
    assert told(path) == [("two names", 5, "lsoa21nm")]


def test_blank_codes_are_told_row_by_row_beside_other_faults(tmp_path: Path) -> None:
    path = write(tmp_path, LOOKUP + ",E01000001,Far 001A,E08000001\nE00000004,  ,,E08000001\nE00000005, E01000001,,x\n")
    assert told(path) == [
        ("blank code", 5, "oa21cd"),
        ("blank code", 6, "lsoa21cd"),
        ("spaces around code", 7, "lsoa21cd"),
    ]


def test_one_code_on_two_levels_is_an_overlap(tmp_path: Path) -> None:
    path = write(tmp_path, LOOKUP + "E00000004,E01000009,Odd,E01000009\n")
    (fault,) = faults_of(path)
    assert (fault.kind, fault.row, fault.column) == ("overlapping levels", 5, "lad22cd")
    assert "E01000009 stands on levels 'lsoa' and 'lad'" in fault.found


def test_areas_that_contain_each_other_are_a_cycle(tmp_path: Path) -> None:
    path = write(tmp_path, "a,b,c\nA,B,C\nC,D,A\n")
    faults = faults_of(path, (Level("small", "a"), Level("middle", "b"), Level("large", "c")))
    assert [fault.kind for fault in faults] == ["cycle"]
    assert "A in B in C in D in A" in faults[0].found


def test_missing_columns_are_all_told(tmp_path: Path) -> None:
    levels = (Level("oa", "OA"), Level("lsoa", "lsoa21cd"), Level("lad", "LAD"))
    assert told(write(tmp_path, LOOKUP), levels) == [("missing column", None, "OA"), ("missing column", None, "LAD")]


def test_a_column_twice_in_the_header_is_told_only_where_it_is_wanted(tmp_path: Path) -> None:
    path = write(tmp_path, "a,b,b\n1,2,3\n")
    assert read_areas(path, (Level("small", "a"),)).sizes == (1,)
    assert told(path, (Level("small", "a"), Level("large", "b"))) == [("repeated column", None, "b")]


def test_levels_that_share_a_column_are_told(tmp_path: Path) -> None:
    levels = (Level("oa", "oa21cd"), Level("lsoa", "oa21cd"))
    assert [kind for kind, _, _ in told(write(tmp_path, LOOKUP), levels)] == ["overlapping levels"]


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    assert [kind for kind, _, _ in told(tmp_path / "none.csv")] == ["missing file"]
    assert [kind for kind, _, _ in told(tmp_path)] == ["no file"]


@pytest.mark.parametrize(
    ("text", "kind"),
    [("", "empty file"), ("\n\n", "empty file"), (LOOKUP.split("\n")[0] + "\n", "no rows"), ("\ufeff", "empty file")],
)
def test_files_without_rows(tmp_path: Path, text: str, kind: str) -> None:
    assert [found for found, _, _ in told(write(tmp_path, text))] == [kind]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_is_recognised(tmp_path: Path, encoding: str) -> None:
    (fault,) = faults_of(write(tmp_path, LOOKUP, encoding))
    assert (fault.kind, "UTF-16" in fault.found) == ("wrong encoding", True)


def test_windows_1252_is_recognised_with_its_line_even_in_a_column_that_is_not_read(tmp_path: Path) -> None:
    path = write(tmp_path, "a,note\nE1,plain\nE2,Ynys Môn\n", "cp1252")
    (fault,) = faults_of(path, (Level("small", "a"),))
    assert (fault.kind, fault.row, "Windows-1252" in fault.found) == ("wrong encoding", 3, True)


def test_a_workbook_named_csv_is_recognised(tmp_path: Path) -> None:
    path = tmp_path / "lookup.csv"
    path.write_bytes(b"PK\x03\x04" + bytes(40))
    assert "workbook" in faults_of(path)[0].found


def test_rows_are_lines_of_the_file_despite_quoted_newlines_and_empty_lines(tmp_path: Path) -> None:
    path = write(tmp_path, 'a,note,b\r\n1,"two\r\nlines",X\r\n\r\n2,plain,X\r\n1,"more\nlines",Y\r\n')
    (fault,) = faults_of(path, (Level("small", "a"), Level("large", "b")))
    assert fault.row == 6
    assert "X (row 2), Y (row 6)" in fault.found


def test_rows_of_another_width_are_all_told(tmp_path: Path) -> None:
    path = write(tmp_path, "a,b\n1,X\n2\n3,X,Y\n4,X\n")
    assert told(path, (Level("small", "a"), Level("large", "b"))) == [("ragged row", 3, ""), ("ragged row", 4, "")]


def test_parquet_codes_must_be_text_and_broken_parquet_is_told(tmp_path: Path) -> None:
    path = tmp_path / "lookup.parquet"
    pq.write_table(pa.table({"a": [1, 2], "b": ["X", None]}), path)
    levels = (Level("small", "a"), Level("large", "b"))
    assert told(path, levels) == [("not text", None, "a")]
    assert told(path, (Level("large", "b"),)) == [("blank code", 2, "b")]
    path.write_bytes(path.read_bytes()[:60])
    assert [kind for kind, _, _ in told(path, levels)] == ["broken Parquet"]


def test_a_level_needs_a_name_and_a_column() -> None:
    with pytest.raises(ValueError, match="must have a name and a column"):
        Level("oa", "")


def test_areas_check_themselves() -> None:
    with pytest.raises(ValueError, match="sorted and unique"):
        Areas(levels=("a",), codes=(np.array(["2", "1"]),), names=(np.array(["", ""]),), parents=())
    codes, names = (np.array(["1"]), np.array(["8", "9"])), (np.array([""]), np.array(["", ""]))
    with pytest.raises(ValueError, match="childless"):
        Areas(levels=("a", "b"), codes=codes, names=names, parents=(np.zeros(1, np.int32),))


@settings(deadline=None, max_examples=40)
@given(rows=st.lists(st.tuples(*[st.sampled_from("abcd")] * 3), min_size=1, max_size=9))
def test_exact_nesting_is_found_as_a_dictionary_would(
    rows: list[tuple[str, str, str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Judged by brute force: a lookup is read if and only if each code has one parent."""
    path = tmp_path_factory.mktemp("nest") / "lookup.csv"
    coded = [tuple(f"{level}{code}" for level, code in zip("012", row, strict=True)) for row in rows]
    path.write_text("x,y,z\n" + "".join(",".join(row) + "\n" for row in coded))
    levels = (Level("x", "x"), Level("y", "y"), Level("z", "z"))
    several = [
        len({row[above] for row in coded if row[above - 1] == code}) > 1
        for above in (1, 2)
        for code in {row[above - 1] for row in coded}
    ]
    if any(several):
        assert len(faults_of(path, levels)) == sum(several)
        return
    areas = read_areas(path, levels)
    for row in coded:
        place = areas.codes[0].tolist().index(row[0])
        assert areas.codes[1][areas.parents[0][place]] == row[1]
        assert areas.codes[2][areas.ancestors(0, 2)[place]] == row[2]
