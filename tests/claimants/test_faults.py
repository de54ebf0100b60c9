"""What is wrong with an extract is said all at once, with file, row and column, and never with a person's value."""

import os
import traceback
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from claimhelpers import AREAS, DAY, POSTCODES, claims, count

from claimants import extract
from claimants.caseload import Caseload, CaseloadSpec, count_caseload
from claimants.engine import connect
from claimants.extract import ExtractSpec, Need, open_extract
from common.faults import InputError

CANARIES = ("Canary", "canary", "P0", "P1", "AA1 1AA", "1990-06-15", "2026-01-10", "Secretville")


def refusal(where: Path, **options: object) -> str:
    """The text of the refusal, after looking for canaries in everything the error carries."""
    with pytest.raises(InputError) as caught:
        count(where, None, **options)
    error = caught.value
    assert error.exit_code == 2
    assert error.__cause__ is None
    assert error.__context__ is None
    told = "".join(traceback.format_exception(error, chain=True))
    assert not [canary for canary in CANARIES if canary in str(error)], told
    return str(error)


def written(path: Path, *changes: dict[str, object], **options: object) -> Path:
    claims(*(changes or ({}, {}))).to_csv(path, index=False, **options)
    return path


def test_missing_file_and_empty_folder(tmp_path: Path) -> None:
    assert "no file of claims is here" in refusal(tmp_path / "nothing.csv")
    assert "no file of claims is here" in refusal(tmp_path)


def test_empty_file_and_file_without_rows(tmp_path: Path) -> None:
    (tmp_path / "empty.csv").write_text("")
    assert "the file is empty" in refusal(tmp_path / "empty.csv")
    claims({}).iloc[:0].to_csv(tmp_path / "header.csv", index=False)
    assert "no rows" in refusal(tmp_path / "header.csv")


def test_missing_columns_are_all_told_at_once(tmp_path: Path) -> None:
    frame = claims({}).drop(columns=["benefit", "claim_end"]).rename(columns={"sex": "SEX"})
    frame.to_csv(tmp_path / "claims.csv", index=False)
    said = refusal(tmp_path / "claims.csv", by=("sex",))
    assert len(said.splitlines()) == 3
    assert "column 'benefit'" in said
    assert "column 'claim_end'" in said
    assert "there is 'SEX'" in said


def test_a_file_without_header_does_not_show_its_first_record(tmp_path: Path) -> None:
    written(tmp_path / "claims.csv", header=False)
    assert "the column is missing" in refusal(tmp_path / "claims.csv")


def test_a_column_twice(tmp_path: Path) -> None:
    text = written(tmp_path / "claims.csv").read_text().replace("notes", "benefit", 1)
    (tmp_path / "claims.csv").write_text(text)
    assert "stands there twice" in refusal(tmp_path / "claims.csv")


def test_byte_order_mark_is_tolerated(tmp_path: Path) -> None:
    path = written(tmp_path / "claims.csv", encoding="utf-8-sig")
    assert count(path, None).buckets["counted"] == 2


def test_utf_16_is_recognised_and_can_be_declared(tmp_path: Path) -> None:
    path = written(tmp_path / "claims.csv", encoding="utf-16")
    assert "UTF-16" in refusal(path)
    assert count(path, None, encoding="utf-16").buckets["counted"] == 2


@pytest.mark.parametrize("rows_before", [1, 30_000])
def test_windows_1252_is_recognised_with_its_row_and_can_be_declared(tmp_path: Path, rows_before: int) -> None:
    frame = claims(*[{}] * rows_before, {"surname": "Canaryé"})
    frame.to_csv(tmp_path / "claims.csv", index=False, encoding="cp1252")
    said = refusal(tmp_path / "claims.csv")
    assert f"row {rows_before + 2}" in said
    assert "Windows-1252" in said
    assert count(tmp_path / "claims.csv", None, encoding="windows-1252").buckets["counted"] == rows_before + 1


def test_rows_that_are_too_short_too_long_or_never_end(tmp_path: Path) -> None:
    path = written(tmp_path / "claims.csv", {}, {"notes": "two\nlines"}, {})
    with path.open("a") as file:
        file.write("Canaryson,too,short\n" + "Canaryson," * 12 + "\n")
    said = refusal(path)
    assert "row 6: 3 fields where the header has 10" in said
    assert "row 7: 13 fields where the header has 10" in said
    with path.open("a") as file:
        file.write('Canaryson,"never closed\n')
    assert "quotation" in refusal(path)


def test_a_file_that_is_not_parquet_or_damaged(tmp_path: Path) -> None:
    path = tmp_path / "claims.parquet"
    path.write_bytes(b"Canaryson is not Parquet")
    assert "is not a Parquet file" in refusal(path)
    pq.write_table(pa.Table.from_pandas(claims(*[{"surname": f"Canary{n}"} for n in range(5000)])), path)
    content = bytearray(path.read_bytes())
    content[10:4000] = os.urandom(3990)
    path.write_bytes(bytes(content))
    assert refusal(path)


def test_a_column_of_a_type_that_it_cannot_have(tmp_path: Path) -> None:
    frame = claims({})
    frame["claim_start"] = 20260110
    frame["benefit"] = 0.5
    pq.write_table(pa.Table.from_pandas(frame), tmp_path / "claims.parquet")
    said = refusal(tmp_path / "claims.parquet")
    assert "write it as dates or text" in said
    assert "write it as text or whole numbers" in said


def test_formats_must_not_be_mixed(tmp_path: Path) -> None:
    written(tmp_path / "claims.csv")
    pq.write_table(pa.Table.from_pandas(claims({})), tmp_path / "claims.parquet")
    assert "mixed" in refusal(tmp_path)


def test_unknown_fields_and_codes_of_the_spec(tmp_path: Path) -> None:
    path = written(tmp_path / "claims.csv")
    assert "no field of an extract" in refusal(path, columns={"shoe": "x"})
    assert "not in the code list" in refusal(path, values={"benefit": {"x": "NOPE"}})


def test_output_areas_that_the_lookup_lacks_are_named_and_anything_else_is_not(tmp_path: Path) -> None:
    frame = claims({}, {}, {}).drop(columns="postcode")
    frame["output_area"] = ["E00000009", "AA1 1AA", "E00000001"]
    frame.to_csv(tmp_path / "claims.csv", index=False)
    said = refusal(tmp_path / "claims.csv", postcodes=None)
    assert "area E00000009 is not in the lookup" in said
    assert "1 different values have not the form of an area code" in said


def test_notices_hold_no_value(tmp_path: Path) -> None:
    written(tmp_path / "claims.csv", {}, {"postcode": "Secretville"}, {"benefit": "canary"}, {"surname": "DELETED"})
    found = count(tmp_path / "claims.csv", None)
    assert len(found.notices) == 4
    assert not [canary for canary in CANARIES if canary in " ".join(found.notices)]


def test_only_needed_columns_are_projected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path / "claims.csv")
    seen: list[str] = []
    original = extract.open_extract

    def spy(*arguments: object) -> extract.Extract:
        opened = original(*arguments)
        seen.extend(name for part in opened.parts for name in part.columns)
        return opened

    monkeypatch.setattr("claimants.caseload.open_extract", spy)
    count(path, None, by=("benefit",))
    assert sorted(seen) == sorted(
        ["person_reference", "benefit", "claim_start", "claim_end", "postcode", "surname", "forename", "birth_date"]
    )


def test_free_text_cannot_be_opened(tmp_path: Path) -> None:
    spec = ExtractSpec(paths=(written(tmp_path / "claims.csv"),))
    with connect(spill=None) as connection, pytest.raises(PermissionError):
        open_extract(connection, spec, [Need(field="notes", purpose="counting")])


def test_nothing_is_written_without_a_spill_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = written(tmp_path / "claims.csv")
    count(path, None)
    assert [file.name for file in tmp_path.iterdir()] == ["claims.csv"]


@pytest.mark.parametrize(
    "wrong", [{"end": "open"}, {"dates": "us"}, {"format": "xls"}, {"encoding": "x"}, {"delimiter": ""}, {"paths": ()}]
)
def test_extract_spec_checks_itself(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="must"):
        ExtractSpec(**{"paths": (Path("x"),), **wrong})


def many_claims(folder: Path) -> Path:
    frame = claims(*({"person_reference": f"{n:0300d}"} for n in range(100_000)))
    pq.write_table(pa.Table.from_pandas(frame), folder / "claims.parquet", row_group_size=10_000)
    return folder / "claims.parquet"


def counted_in(path: Path, spill: Path | None) -> Caseload:
    return count_caseload(
        ExtractSpec(paths=(path,)),
        area_codes=AREAS,
        postcodes=POSTCODES,
        spec=CaseloadSpec(reference_date=DAY),
        memory="40MB",
        threads=1,
        spill=spill,
    )


def test_what_does_not_fit_spills_into_the_folder_given_and_is_gone_afterwards(tmp_path: Path) -> None:
    path, spill = many_claims(tmp_path), tmp_path / "spill"
    with pytest.raises(InputError, match="memory") as caught:
        counted_in(path, None)
    assert caught.value.__context__ is None
    assert counted_in(path, spill).buckets["counted"] == 100_000
    assert list(spill.iterdir()) == []
    assert spill.stat().st_mode & 0o777 == 0o700
