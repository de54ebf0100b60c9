"""Postcodes: the way they are written does not matter, and none is put somewhere by guess."""

from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.faults import InputError
from geography.areas import Areas
from geography.codes import POSTCODE_GAPS, code_fault, code_notices, match_postcodes, normalise_postcode
from geography.postcodes import Postcodes, read_postcodes

AREAS = Areas(levels=("oa",), codes=(np.array(["E00000001", "E00000002"]),), names=(np.array(["", ""]),), parents=())


def read(folder: Path, *rows: str) -> Postcodes:
    path = folder / "postcodes.csv"
    path.write_text("\n".join(["pcds,oa", *rows]) + "\n", encoding="utf-8")
    return read_postcodes(path, postcode="pcds", area="oa", areas=AREAS)


def test_odd_spacing_and_case_are_one_postcode(tmp_path: Path) -> None:
    found = read(tmp_path, "zy1 1ab,E00000002", " ZY11AB ,E00000002", "ZY1\u00a0 1Ab,E00000002", "ZA1 1AA,E00000001")
    assert found.postcodes.tolist() == ["ZA11AA", "ZY11AB"]
    assert found.area.tolist() == [0, 1]
    assert (found.unlocated, found.outside) == (0, 0)


def test_blank_areas_and_areas_elsewhere_are_left_out_and_counted(tmp_path: Path) -> None:
    found = read(tmp_path, "ZY1 1AA,", "ZY1 1AB,E00999999", "ZY1 1AB,E00999999", "ZY1 1AD,E00000001", "ZY1 1AE,  ")
    assert found.postcodes.tolist() == ["ZY11AD"]
    assert (found.unlocated, found.outside) == (2, 1)


def test_two_areas_for_one_postcode_are_told_by_row_without_the_postcode(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path, "ZY1 1AA,E00000001", "ZY1 1AB,E00000001", "zy11aa,E00000002", "ZY11AB,", " ,E00000001")
    assert [(fault.kind, fault.row) for fault in caught.value.faults] == [
        ("blank postcode", 6),
        ("postcode with two areas", 4),
        ("postcode with two areas", 5),
    ]
    assert "row 2" in caught.value.faults[1].found
    assert "1AA" not in str(caught.value).upper()


def test_an_area_code_with_spaces_is_told_and_not_called_outside(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path, "ZY1 1AA,E00000001 ", "ZY1 1AB,E00000001")
    assert [(fault.kind, fault.row, fault.column) for fault in caught.value.faults] == [("spaces around code", 2, "oa")]


def test_no_postcode_may_lie_in_the_areas(tmp_path: Path) -> None:
    found = read(tmp_path, "ZY1 1AA,E00999999")
    assert (len(found.postcodes), found.area.dtype, found.outside) == (0, np.int32, 1)


def test_postcodes_check_themselves() -> None:
    with pytest.raises(ValueError, match="int32"):
        Postcodes(postcodes=np.array(["A"]), area=np.array([0]))
    with pytest.raises(ValueError, match="sorted"):
        Postcodes(postcodes=np.array(["B", "A"]), area=np.zeros(2, np.int32))


@pytest.mark.parametrize(
    ("text", "written"),
    [("m15  4ab", "M15 4AB"), ("M154AB", "M15 4AB"), (" e1\t6an\n", "E1 6AN"), ("", ""), ("4ab", "4AB")],
)
def test_how_a_postcode_is_written(text: str, written: str) -> None:
    assert normalise_postcode(text) == written


@settings(deadline=None, max_examples=60)
@given(st.text(alphabet="aZ9 \t\n\u00a0\u2007\u202féß", max_size=10))
def test_python_arrow_and_duckdb_keep_one_rule(text: str) -> None:
    tight = normalise_postcode(text).replace(" ", "")
    assert match_postcodes(pa.chunked_array([[text]])).to_pylist() == [tight]
    if text.isascii() or not any(letter in text for letter in "éß"):
        query = "select upper(regexp_replace(?, ?, '', 'g'))"
        assert duckdb.execute(query, [text, POSTCODE_GAPS]).fetchone() == (tight,)


@settings(deadline=None, max_examples=30)
@given(st.text(max_size=9))
def test_writing_a_postcode_twice_changes_nothing(text: str) -> None:
    assert normalise_postcode(normalise_postcode(text)) == normalise_postcode(text)


@pytest.mark.parametrize("code", ["E00123456", "W06000015", "S01006506", "N20000001", "K04000001"])
def test_nine_character_codes(code: str) -> None:
    assert code_fault(code) is None


@pytest.mark.parametrize(
    ("code", "fault"),
    [
        ("E0012345", "8 characters"),
        ("e00123456", "small letter"),
        ("A00123456", "eight digits"),
        ("E0012345X", "eight digits"),
    ],
)
def test_other_codes_say_why(code: str, fault: str) -> None:
    assert fault in str(code_fault(code))


def test_a_notice_counts_odd_codes() -> None:
    assert code_notices("oa", np.array(["E00000001"])) == ()
    (notice,) = code_notices("ward", np.array(["E00000001", "W1"]))
    assert notice.startswith("1 of 2 codes of level 'ward'")


@pytest.mark.parametrize("postcodes", [["AA11AA", "AA11AA"], ["BB22BB", "AA11AA"]])
def test_postcodes_that_stand_twice_or_out_of_order_are_a_bug(postcodes: list[str]) -> None:
    with pytest.raises(ValueError, match="sorted and unique"):
        Postcodes(postcodes=np.array(postcodes), area=np.zeros(2, np.int32))
