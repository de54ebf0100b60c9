"""Where rows stand that did not fit: file and line or row, at any number of threads, and never a value."""

from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from claimhelpers import AREAS, DAY, POSTCODES, claims

from claimants.caseload import CaseloadSpec, count_caseload
from claimants.dimensions import dimension
from claimants.extract import ExtractSpec
from claimants.faultyrows import _ABOUT, MISFITTING, Misfit, locate_rows
from claimants.states import WORDS, State
from geography.postcodes import Postcodes

SPEC = CaseloadSpec(reference_date=DAY, dimensions=(dimension("sex"), dimension("age_band")))


def located(
    where: Path, *, spec: CaseloadSpec = SPEC, postcodes: Postcodes | None = POSTCODES, most: int = 1000,
    threads: int | None = None, **extract: object,
) -> dict[str, Misfit]:  # fmt: skip
    """What did not fit, by the name of its state."""
    found = locate_rows(
        ExtractSpec(paths=(where,), **extract),
        area_codes=AREAS,
        postcodes=postcodes,
        spec=spec,
        most=most,
        threads=threads,
    )
    return {misfit.state.name: misfit for misfit in found}


def rows_of(misfits: dict[str, Misfit]) -> dict[str, list[int]]:
    return {name: [row for _, row in misfit.places] for name, misfit in misfits.items()}


# What a row says otherwise than a plain claim, on lines 2, 3, 4 … of the file.
TROUBLE = [
    {},
    {"person_reference": " "},
    {"claim_start": ""},
    {"claim_start": "10/01/2026"},
    {"claim_end": "never"},
    {"claim_end": "2026-01-09"},
    {"birth_date": "June"},
    {"birth_date": "2026-06-01"},
    {"benefit": "canary"},
    {"sex": "canary"},
    {"birth_date": ""},
    {"birth_date": "2020-01-01"},
    {"postcode": ""},
    {"postcode": "Secretville"},
    {"claim_start": "canary"},
]
PLACES = {
    "NO_PERSON": [3],
    "NO_START": [4],
    "START_NO_DATE": [5, 16],
    "END_NO_DATE": [6],
    "END_BEFORE_START": [7],
    "BIRTH_NO_DATE": [8],
    "BORN_LATER": [9],
    "UNKNOWN_BENEFIT": [10],
    "UNKNOWN_SEX": [11],
    "NO_BIRTH_DATE": [12],
    "NO_AGE_BAND": [13],
    "BLANK_PLACE": [14],
    "UNKNOWN_POSTCODE": [15],
}


def test_every_state_that_does_not_fit_is_placed_at_its_line_of_a_csv_file(tmp_path: Path) -> None:
    claims(*TROUBLE).to_csv(tmp_path / "claims.csv", index=False)
    assert rows_of(located(tmp_path)) == PLACES


def test_every_state_that_does_not_fit_is_placed_at_its_row_of_a_parquet_file(tmp_path: Path) -> None:
    pq.write_table(pa.Table.from_pandas(claims(*TROUBLE)), tmp_path / "claims.parquet", row_group_size=2)
    assert rows_of(located(tmp_path)) == {state: [row - 1 for row in rows] for state, rows in PLACES.items()}


def test_what_is_said_of_a_misfit(tmp_path: Path) -> None:
    claims(*TROUBLE).to_csv(tmp_path / "claims.csv", index=False)
    found = located(tmp_path)
    assert found["START_NO_DATE"].words == "the claim start is not a date"
    assert found["START_NO_DATE"].bucket == "faulty"
    assert found["START_NO_DATE"].rows == 2
    assert found["END_BEFORE_START"].columns == ("claim_start", "claim_end")
    assert found["BLANK_PLACE"].columns == ("postcode",)
    told = repr(found)
    assert not [canary for canary in ("canary", "Canary", "Secretville", "June", "never", "P1") if canary in told]


def test_columns_are_named_as_the_file_has_them(tmp_path: Path) -> None:
    frame = claims({"person_reference": ""}).rename(columns={"person_reference": "CustRef", "postcode": "oa"})
    frame["oa"] = ""
    frame.to_csv(tmp_path / "claims.csv", index=False)
    named = {"person_reference": "CustRef", "output_area": "oa"}
    assert located(tmp_path, postcodes=None, columns=named)["NO_PERSON"].columns == ("CustRef",)
    frame["CustRef"] = "P"
    frame.to_csv(tmp_path / "claims.csv", index=False)
    assert located(tmp_path, postcodes=None, columns=named)["BLANK_PLACE"].columns == ("oa",)


def test_only_the_first_rows_of_a_file_are_placed_and_all_are_counted(tmp_path: Path) -> None:
    for name in ("a", "b"):
        claims(*[{"benefit": "canary"}] * 5).to_csv(tmp_path / f"{name}.csv", index=False)
    found = located(tmp_path, most=3)["UNKNOWN_BENEFIT"]
    assert found.rows == 10
    assert dict(found.files) == {str(tmp_path / "a.csv"): 5, str(tmp_path / "b.csv"): 5}
    assert found.places == tuple((str(tmp_path / f"{name}.csv"), row) for name in "ab" for row in (2, 3, 4))
    assert found.first(str(tmp_path / "b.csv"), 2) == [2, 3]


def test_nothing_is_placed_where_all_rows_fit(tmp_path: Path) -> None:
    claims({}, {"claim_end": "2026-02-01"}, {"surname": "DELETED"}).to_csv(tmp_path / "claims.csv", index=False)
    assert located(tmp_path) == {}


# Text of a CSV file behind its header → the line on which the row with the unknown benefit begins.
LINES = {
    "P1,note,UC\nP2,note,XX\n": 3,
    'P1,"two\nlines",UC\nP2,note,XX\n': 4,
    'P1,"two\n\n\nlines",UC\nP2,"more\nlines",XX\n': 6,
    "\n\nP1,note,UC\n\nP2,note,XX\n\n": 6,
    'P1,"a ""quoted""\nword",UC\nP2,note,XX': 4,
    'P1,mid"quote,UC\nP2,"two\nlines",XX\n': 3,
    'P1, "after a blank\nline",UC\nP2,note,XX\n': 4,
}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_lines_of_csv_files_are_lines_of_the_file(tmp_path: Path, end: str, encoding: str) -> None:
    header = "person_reference,notes,benefit,claim_start,claim_end,postcode"
    expected = []
    for number, (text, line) in enumerate(LINES.items()):
        rows = [row + ",2026-01-10,,AA1 1AA" if row.endswith(("UC", "XX")) else row for row in text.split("\n")]
        path = tmp_path / f"{number}.csv"
        path.write_bytes(end.join([header, *rows]).encode(encoding))
        expected.append((str(path), line))
    found = located(tmp_path, spec=CaseloadSpec(reference_date=DAY), encoding=encoding.removesuffix("-sig"))
    assert found["UNKNOWN_BENEFIT"].places == tuple(expected)


def many(rows: int, seed: int) -> pd.DataFrame:
    """Many plain claims of which a few, here and there, name an unknown benefit."""
    frame = claims({}).loc[[0] * rows].reset_index(drop=True)
    frame["person_reference"] = np.arange(rows).astype(str)
    frame.loc[np.random.default_rng(seed).random(rows) < 0.001, "benefit"] = "canary"
    return frame


@pytest.mark.parametrize("threads", [1, 4])
@pytest.mark.parametrize("form", ["csv", "parquet", "parquet of taken names"])
def test_numbers_are_right_in_large_files_at_any_number_of_threads(tmp_path: Path, form: str, threads: int) -> None:
    expected = set[tuple[str, int]]()
    for number, rows in enumerate((70_000, 1, 130_000)):
        frame = many(rows, number)
        if form == "parquet of taken names":
            frame["file_row_number"], frame["source_file"] = 7, "canary"
        # One file has its columns in another order, and is therefore read apart from the others.
        frame = frame[frame.columns[::-1]] if number == 1 else frame
        path = tmp_path / f"{number} [x]*.{form.split()[0]}"
        if form == "csv":
            # Long enough for several of the blocks that are read at once.
            frame["notes"] = "canary notes " * 25
            frame.loc[frame.index % 10_007 == 5, "notes"] = "two\nlines"
            frame.to_csv(path, index=False)
            before = 2 + np.cumsum(frame["notes"] == "two\nlines") - (frame["notes"] == "two\nlines")
        else:
            pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), path, row_group_size=3000)
            before = np.ones(rows, int)
        expected |= {(str(path), row) for row in (frame.index + before)[frame["benefit"] == "canary"]}
    found = located(tmp_path, threads=threads)["UNKNOWN_BENEFIT"]
    assert len(expected) > 100
    assert found.rows == len(expected)
    assert set(found.places) == expected


def test_places_and_counts_are_those_of_the_caseload(tmp_path: Path) -> None:
    claims(*TROUBLE * 3).to_csv(tmp_path / "a.csv", index=False)
    pieces = count_caseload(ExtractSpec(paths=(tmp_path,)), area_codes=AREAS, postcodes=POSTCODES, spec=SPEC)
    by_bucket = Counter[str]()
    for misfit in located(tmp_path).values():
        by_bucket[misfit.bucket] += misfit.rows
        assert len(misfit.places) == misfit.rows
        assert f"{misfit.rows} rows: {WORDS[misfit.state]}" in pieces.notices
    assert by_bucket == {name: pieces.buckets[name] for name in ("faulty", "unknown code", "no area")}


def test_it_is_known_of_every_state_what_it_concerns_and_how_to_mend_it() -> None:
    assert set(MISFITTING) == set(_ABOUT)
    assert set(MISFITTING) - {State.UNKNOWN_AREA} <= set(WORDS)


def test_most_must_be_a_row(tmp_path: Path) -> None:
    claims({}).to_csv(tmp_path / "claims.csv", index=False)
    with pytest.raises(ValueError, match="most"):
        located(tmp_path, most=0)
