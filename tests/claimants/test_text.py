"""Text and dates as they are compared, by DuckDB, by Python and by the slow reference (test_engines.py: by Spark too)."""

import datetime as dt
from pathlib import Path

import claimreference as reference
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from enginecases import ODD, ODD_STARTS, STARTS, every_character

from claimants.dates import as_date
from claimants.engine import connect, fetch, keep_table
from claimants.text import BLANKS, as_code, code_of, trimmed


def test_every_character_is_compared_as_in_python() -> None:
    rows = every_character()
    with connect(spill=None, threads=1) as engine:
        texts = keep_table(engine, "characters", rows)
        found = fetch(engine, texts.select(texts.row, code=as_code(texts.text))).sort_by("row")
    assert found.column("code").to_pylist() == [code_of(text) for text in rows.column("text").to_pylist()]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (" uc ", "UC"),
        ("\u00a0Uc\u3000", "UC"),
        ("\tuc", "\tUC"),
        ("u c", "U C"),
        ("stra\u00dfe", "STRA\u1e9eE"),
        ("\ufb01", "\ufb01"),
        ("\u0175", "\u0174"),
    ],
)
def test_codes(text: str, code: str) -> None:
    assert code_of(text) == code


def test_blanks_are_the_spaces_of_unicode() -> None:
    texts = [f"{chr(sign)}x{chr(sign)}" for sign in range(1, 0x3100)]
    with connect(spill=None, threads=1) as engine:
        rows = keep_table(engine, "texts", pa.table({"text": texts}))
        found = fetch(engine, rows.select(rows.text, code=as_code(rows.text), value=trimmed(rows.text))).to_pylist()
    assert {row["text"][0] for row in found if row["code"] == "X"} == set(BLANKS)
    assert {row["text"][0] for row in found if row["value"] == "x"} == {" "}


def test_dates_are_those_of_the_reference() -> None:
    """A tab behind a date, or before a year of three digits, makes it no date, though DuckDB would read it."""
    given = [
        *STARTS,
        *filter(None, ODD_STARTS),
        *(f"2026-01-1{sign}" for sign in "\t\n\v\f\r TZ0+-"),
        *map(str, ODD["claim_end"]),
    ]
    with connect(spill=None, threads=1) as engine:
        rows = keep_table(engine, "texts", pa.table({"text": given}))
        found = fetch(engine, rows.select(rows.text, date=as_date(rows.text, "iso")[0])).to_pylist()
    assert [row["date"] for row in found] == [reference.date(row["text"]) for row in found]
    assert sum(row["date"] is not None for row in found) > 10


@pytest.mark.parametrize("zone", [None, "UTC", "Europe/London"])
@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_moments_count_as_their_day_in_universal_time(tmp_path: Path, unit: str, zone: str | None) -> None:
    moment = pa.array([dt.datetime(1969, 12, 31, 23, 59, 59)], pa.timestamp("us")).cast(pa.timestamp(unit, zone))
    pq.write_table(pa.table({"start": moment}), tmp_path / "moments.parquet")
    type_ = pq.read_schema(tmp_path / "moments.parquet").field(0).type
    with connect(spill=None, threads=1) as engine:
        rows = engine.read_parquet([tmp_path / "moments.parquet"], {"start": type_})
        found = fetch(engine, rows.select(date=as_date(rows.start, "iso")[0])).to_pylist()
    assert found == [{"date": dt.date(1969, 12, 31)}]
