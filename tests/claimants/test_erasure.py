"""The erasure rule, one form a row: an erased record is never counted, and a part-erased one is reported, never named."""

import datetime as dt
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from claimhelpers import claims, count, filled

WHOLLY = {"surname": "DELETED", "forename": "DELETED", "birth_date": "01/01/1901"}
BLANK = {"national_insurance_number": "", "address": "", "telephone": ""}
FULL = {"national_insurance_number": "QQ123456C", "address": "1 Canary Street", "telephone": "01632 960001"}
GONE = BLANK | {"status": "Inactive", "employment_status": "Not Known"}
THERE = FULL | {"status": "Live", "employment_status": "Working"}
NAMES = ["surname", "forename", "birth_date"]


def parts(notices: tuple[str, ...]) -> list[str]:
    return [line for line in notices if "erased in part" in line]


@pytest.mark.parametrize(
    ("signs", "part"),
    [
        (WHOLLY, False),
        (WHOLLY | GONE, False),
        (WHOLLY | THERE, False),  # the three that are decisive agree: the rest may lag behind
        (WHOLLY | {"birth_date": "1901-01-01"}, False),
        ({"surname": "DELETED"}, True),
        ({"forename": "DELETED"}, True),
        ({"birth_date": "01/01/1901"}, True),
        ({"birth_date": "1901-01-01"}, True),
        ({"surname": "deleted", "forename": " Deleted "}, True),
        ({"surname": "DELETED", "birth_date": " 01/01/1901 "}, True),
        ({"forename": "DELETED"} | GONE, True),
        ({"surname": "DELETED", "birth_date": ""}, True),
    ],
)
def test_erased_in_every_form(tmp_path: Path, signs: dict[str, str], part: bool) -> None:
    found = count(tmp_path, claims(signs | {"person_reference": "Canary"}, {}))
    assert filled(found) == {"erased": 1, "counted": 1}
    told = parts(found.notices)
    assert bool(told) is part and all(line.startswith("1 rows: ") for line in told)
    assert "Canary" not in " ".join(found.notices)


@pytest.mark.parametrize(
    "signs",
    [
        {"surname": "DELETEDSON"},
        {"surname": "NOT DELETED"},
        {"surname": ""},  # blank is not erased
        {"forename": ""},
        {"birth_date": ""},
        {"birth_date": "02/01/1901"},
        {"birth_date": "1901-01-02"},
        {"birth_date": "1900-01-01"},
        {"surname": "Inactive"},
        BLANK,
        GONE,  # true of records that were not erased too: names and birth date stand
        {"status": "Inactive"},
        {"employment_status": "Not Known"},
    ],
)
def test_not_erased(tmp_path: Path, signs: dict[str, str]) -> None:
    found = count(tmp_path, claims(signs))
    assert filled(found) == {"counted": 1} and parts(found.notices) == []


@pytest.mark.parametrize("left", [["surname"], ["forename"], ["birth_date"], ["surname", "birth_date"]])
def test_an_extract_with_some_of_the_decisive_fields(tmp_path: Path, left: list[str]) -> None:
    """What the extract has all says erased: then the record is wholly erased, as far as can be told."""
    frame = claims(WHOLLY, {}).drop(columns=[name for name in NAMES if name not in left])
    found = count(tmp_path, frame)
    assert filled(found) == {"erased": 1, "counted": 1} and parts(found.notices) == []
    assert any("signs of erasure that" in line for line in found.notices)


@pytest.mark.parametrize(
    ("signs", "bucket"),
    [
        (GONE, "erased"),
        (GONE | {"status": " inactive ", "employment_status": "NOT KNOWN"}, "erased"),
        (GONE | {"address": "  "}, "erased"),
        (GONE | {"status": "Live"}, "counted"),
        (GONE | {"employment_status": "Working"}, "counted"),
        (GONE | {"national_insurance_number": "QQ123456C"}, "counted"),
        (GONE | {"address": "1 Canary Street"}, "counted"),
        (GONE | {"telephone": "01632 960001"}, "counted"),
        (THERE, "counted"),
    ],
)
def test_without_names_and_birth_date_all_other_signs_must_agree(
    tmp_path: Path, signs: dict[str, str], bucket: str
) -> None:
    found = count(tmp_path, claims(signs).drop(columns=NAMES))
    assert filled(found) == {bucket: 1}


@pytest.mark.parametrize("missing", ["status", "employment_status"])
def test_where_too_few_signs_are_there_nobody_can_tell_and_it_is_said(tmp_path: Path, missing: str) -> None:
    found = count(tmp_path, claims(GONE).drop(columns=[*NAMES, missing]))
    assert filled(found) == {"counted": 1}
    assert any("cannot be told from others" in line for line in found.notices)


@pytest.mark.parametrize("kind", [pa.date32(), pa.timestamp("ms"), pa.string()])
def test_birth_dates_of_parquet(tmp_path: Path, kind: pa.DataType) -> None:
    frame = claims({"surname": "x"}, {"surname": "y"}, {"surname": "z"})
    days = [dt.date(1901, 1, 1), dt.date(1901, 1, 2), None]
    dates = pa.array([None if day is None else day.isoformat() for day in days] if kind == pa.string() else days)
    table = pa.Table.from_pandas(frame, preserve_index=False)
    table = table.set_column(table.schema.get_field_index("birth_date"), "birth_date", dates.cast(kind))
    pq.write_table(table, tmp_path / "claims.parquet")
    found = count(tmp_path / "claims.parquet", None)
    assert filled(found) == {"erased": 1, "counted": 2} and len(parts(found.notices)) == 1


def test_missing_values_are_blank_and_never_erased_by_themselves(tmp_path: Path) -> None:
    frame = claims({}, GONE)
    for name in (*NAMES, "national_insurance_number"):
        frame[name] = pd.Series([None, None], dtype=object)
    pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), tmp_path / "claims.parquet")
    assert filled(count(tmp_path / "claims.parquet", None)) == {"counted": 2}


def test_each_part_of_an_extract_is_told_by_the_signs_it_has(tmp_path: Path) -> None:
    """One file has names, the other has not: its records are told by the other signs."""
    frame = claims(WHOLLY | THERE, GONE, GONE | {"status": "Live"})
    frame.iloc[:1].to_csv(tmp_path / "a.csv", index=False)
    frame.iloc[1:].drop(columns=NAMES).to_csv(tmp_path / "b.csv", index=False)
    assert filled(count(tmp_path, None)) == {"erased": 2, "counted": 1}


def test_an_erased_record_stays_out_of_counts_of_people_and_lends_no_other_claim_a_group(tmp_path: Path) -> None:
    frame = claims(
        {"person_reference": "A", "benefit": "JSA"} | WHOLLY,
        {"person_reference": "A", "benefit": "PIP"},
    )
    found = count(tmp_path, frame, people=True, by=("client_group",))
    assert filled(found) == {"erased": 1, "counted": 1}
