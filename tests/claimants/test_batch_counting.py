"""Criteria, the batch's file, and who meets: drawn as small tables."""

import datetime as dt
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from claimhelpers import DAY, claims

from claimants.batchcounting import count_meeting
from claimants.batchcriteria import criteria_needs, read_criteria
from claimants.batchfile import read_batch
from claimants.extract import ExtractSpec
from common.faults import InputError


def meeting(
    where: Path,
    frame: pd.DataFrame,
    criteria: str,
    *,
    batch: tuple[str, ...] = ("P0",),
    day: dt.date = DAY,
    **spec: object,
) -> int:
    path = where / "claims.csv"
    frame.to_csv(path, index=False)
    return count_meeting(
        ExtractSpec(paths=(path,), **spec), batch, read_criteria(criteria), reference_date=day, threads=1
    )


# --- Criteria ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("live", "live"),
        ("benefit=UC", "live; benefit=UC"),
        (" Benefit = universal credit , jsa ; LIVE ", "live; benefit=JSA,UC"),
        ("sex=F; benefit=UC; age_band=Y25T34,Y16T24", "live; benefit=UC; age_band=Y16T24,Y25T34; sex=F"),
        ("benefit=UC,UC,uc", "live; benefit=UC"),
    ],
)
def test_criteria_read_alike_however_they_are_written(written: str, read: str) -> None:
    assert read_criteria(written).words == read


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("", "says nothing"),
        (" ; ", "says nothing"),
        ("benefit", "no condition"),
        ("benefit=", "no code of benefit"),
        ("benefit=XX", "no code of benefit"),
        ("benefit=UC; benefit=JSA", "twice"),
        ("surname=Smith", "cannot be asked about"),
        ("postcode=AA1 1AA", "cannot be asked about"),
        ("client_group=CARER", "cannot be asked about"),
        ("health_marker=1", "cannot be asked about"),
    ],
)
def test_criteria_that_cannot_be_asked(written: str, found: str) -> None:
    with pytest.raises(InputError, match=found):
        read_criteria(written)


def test_only_the_fields_that_are_needed_are_read() -> None:
    assert [need.field for need in criteria_needs(read_criteria("live"))] == [
        "person_reference", "benefit", "claim_start", "claim_end", "special_protection",
    ]  # fmt: skip
    assert [need.field for need in criteria_needs(read_criteria("age_band=Y16T24; sex=F"))][5:] == ["birth_date", "sex"]


# --- Who meets --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("what", "change", "criteria", "meets"),
    [
        ("live", {}, "live", 1),
        ("starts on the date", {"claim_start": "2026-05-31"}, "live", 1),
        ("starts a day later", {"claim_start": "2026-06-01"}, "live", 0),
        ("ends on the date", {"claim_end": "2026-05-31"}, "live", 1),
        ("ended the day before", {"claim_end": "2026-05-30"}, "live", 0),
        ("start is no date", {"claim_start": "10 Jan"}, "live", 0),
        ("no start", {"claim_start": ""}, "live", 0),
        ("end is no date", {"claim_end": "soon"}, "live", 0),
        ("ends before it starts", {"claim_start": "2026-01-10", "claim_end": "2026-01-09"}, "live", 0),
        ("erased", {"surname": "DELETED", "forename": "DELETED", "birth_date": "1901-01-01"}, "live", 0),
        ("erased in part", {"surname": "DELETED"}, "live", 0),
        ("under special protection", {"special_protection": "Y"}, "live", 0),
        ("a mark that nobody can read", {"special_protection": "see file"}, "live", 0),
        ("no mark of special protection", {"special_protection": "N"}, "live", 1),
        ("benefit of no list", {"benefit": "XX"}, "live", 0),
        ("claims nothing", {"benefit": "None"}, "live", 0),
        ("the benefit", {}, "benefit=UC", 1),
        ("the benefit, written out", {"benefit": " universal credit"}, "benefit=UC", 1),
        ("one of two benefits", {}, "benefit=JSA,UC", 1),
        ("another benefit", {}, "benefit=JSA", 0),
        ("the sex", {}, "sex=F", 1),
        ("another sex", {}, "sex=M", 0),
        ("sex of no list", {"sex": "?"}, "sex=F,M", 0),
        ("25 on the date", {"birth_date": "2001-05-31"}, "age_band=Y25T34", 1),
        ("24 for a day more", {"birth_date": "2001-06-01"}, "age_band=Y25T34", 0),
        ("24 for a day more, younger band", {"birth_date": "2001-06-01"}, "age_band=Y16T24", 1),
        ("34 for a day more", {"birth_date": "1991-06-01"}, "age_band=Y25T34", 1),
        ("35 on the date", {"birth_date": "1991-05-31"}, "age_band=Y25T34", 0),
        ("either of two bands", {"birth_date": "1991-05-31"}, "age_band=Y16T24,Y35T44", 1),
        ("oldest band is open", {"birth_date": "1920-01-01"}, "age_band=Y_GE65", 1),
        ("too young for any band", {"birth_date": "2015-01-01"}, "age_band=Y16T24", 0),
        ("birth date is no date", {"birth_date": "?"}, "age_band=Y16T24", 0),
        ("birth date has no say where age is not asked for", {"birth_date": "?"}, "live", 1),
        ("all conditions", {}, "benefit=UC; sex=F; age_band=Y35T44", 1),
        ("all conditions but one", {}, "benefit=UC; sex=M; age_band=Y35T44", 0),
    ],
)
def test_who_meets(tmp_path: Path, what: str, change: dict[str, str], criteria: str, meets: int) -> None:
    change = {"birth_date": "1990-06-15"} | change
    assert meeting(tmp_path, claims(change), criteria) == meets


def test_one_mark_of_special_protection_on_any_row_of_a_person_is_enough(tmp_path: Path) -> None:
    frame = claims(
        {"person_reference": " A ", "special_protection": "Y", "claim_end": "2020-02-01"},
        {"person_reference": "A"},
        {"person_reference": "B", "special_protection": ""},
    )
    assert meeting(tmp_path, frame, "live", batch=("A", "B")) == 1


def test_a_person_counts_once_and_by_one_claim_that_meets_everything(tmp_path: Path) -> None:
    frame = claims(
        {"person_reference": "A", "benefit": "UC", "claim_end": "2026-02-01"},
        {"person_reference": "A", "benefit": "PIP"},
        {"person_reference": "A", "benefit": "PIP"},
        {"person_reference": "B", "benefit": "UC"},
        {"person_reference": "", "benefit": "UC"},
        {"person_reference": "C", "benefit": "UC"},
    )
    batch = ("A", "B", "nobody of the extract")
    assert meeting(tmp_path, frame, "live", batch=batch) == 2
    assert meeting(tmp_path, frame, "benefit=UC", batch=batch) == 1
    assert meeting(tmp_path, frame, "benefit=UC", batch=("A",), day=dt.date(2026, 1, 31)) == 1


def test_ends_that_are_exclusive_and_values_of_the_extract(tmp_path: Path) -> None:
    frame = claims({"claim_end": "2026-05-31", "benefit": "4"})
    assert meeting(tmp_path, frame, "live", values={"benefit": {"4": "UC"}}) == 1
    assert meeting(tmp_path, frame, "live", values={"benefit": {"4": "UC"}}, end="exclusive") == 0


def test_several_files_are_one_extract(tmp_path: Path) -> None:
    claims({}).to_csv(tmp_path / "a.csv", index=False)
    claims({}, {}).drop(columns="notes").to_csv(tmp_path / "b.csv", index=False)
    spec = ExtractSpec(paths=(tmp_path,))
    assert count_meeting(spec, ["P0", "P1"], read_criteria("live"), reference_date=DAY, threads=1) == 2


def test_an_extract_without_rows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no rows"):
        meeting(tmp_path, claims({})[:0], "live")


# --- The file of a batch ----------------------------------------------------------------------------


def test_references_once_each_in_any_order_without_blanks(tmp_path: Path) -> None:
    (tmp_path / "batch.csv").write_bytes(b"\xef\xbb\xbfname,person_reference\r\nx, B\r\ny,A \r\n\r\nz,B\r\n")
    batch = read_batch(tmp_path / "batch.csv")
    assert batch.references == ("A", "B") and batch.repeated == 1
    assert "A" not in repr(batch).replace("Batch", "")


@pytest.mark.parametrize("values", [["B", "A", "B"], pd.Categorical(["B", "A", "B"])])
def test_parquet(tmp_path: Path, values: object) -> None:
    pd.DataFrame({"ref": values}).to_parquet(tmp_path / "batch.parquet")
    assert read_batch(tmp_path / "batch.parquet", column="ref").references == ("A", "B")


def test_whole_numbers_are_references(tmp_path: Path) -> None:
    pq.write_table(pa.table({"person_reference": pa.array([7, 7, 12])}), tmp_path / "batch.parquet")
    assert read_batch(tmp_path / "batch.parquet").references == ("12", "7")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", ["the file is empty"]),
        (b"person_reference\n", ["no rows"]),
        (b"QQ123\nQQ124\n", ["column 'person_reference': the column is missing"]),
        (b"person_reference,person_reference\nQQ1,QQ2\n", ["twice"]),
        (b'person_reference\nQQ1\n \nQQ2\n""\n', ["row 3", "row 5"]),
        (b"person_reference,x\nQQ1,1\nQQ2\nQQ3,1,2\n", ["row 3", "row 4"]),
        (b"person_reference\nQQ\xff\n", ["not utf-8"]),
        (b'person_reference\n"QQ1\nQQ2\n', ["cannot be told apart"]),
        (b"p\0\0\0", ["UTF-16, or is no text"]),
    ],
)
def test_faults_name_rows_and_never_a_reference(tmp_path: Path, content: bytes, told: list[str]) -> None:
    (tmp_path / "batch.csv").write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_batch(tmp_path / "batch.csv")
    assert all(part in str(caught.value) for part in told)
    assert "QQ" not in str(caught.value)


def test_parquet_of_another_type_or_damaged(tmp_path: Path) -> None:
    pq.write_table(pa.table({"person_reference": [1.5]}), tmp_path / "batch.parquet")
    with pytest.raises(InputError, match="neither text nor whole numbers"):
        read_batch(tmp_path / "batch.parquet")
    (tmp_path / "batch.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(InputError, match="not a Parquet file"):
        read_batch(tmp_path / "batch.parquet")
