"""Tables that stop at larger areas than the others: drawn with them, cut before anybody sees them, checked as one."""

import json
from pathlib import Path

import pytest
from small_place import change, command, make_place, rows_of

ALL, AUTHORITIES = (
    {"id": "all", "title": "Claims by benefit", "by": ["benefit"]},
    {
        "id": "sex",
        "title": "Claims by sex",
        "by": ["sex"],
        "finest": "lad",
    },
)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release whose table by sex is for local authorities alone."""
    folder = tmp_path_factory.mktemp("finest")
    release = change(make_place(folder), table=[ALL, AUTHORITIES])
    assert command("publish", release, "--out", folder / "may").code == 0
    return folder


def totals(rows: list[dict[str, str]], column: str) -> dict[str, str]:
    return {row["area"]: row["value"] for row in rows if row["area_level"] == "lad" and row[column] == "Total"}


def test_nothing_below_the_level_is_in_any_file(place: Path) -> None:
    rows = rows_of(place / "may" / "tables" / "sex.csv")
    assert {row["area_level"] for row in rows} == {"lad"}
    assert len(rows) == 2 * 4
    tree = json.loads((place / "may" / "tables" / "sex.csv-metadata.json").read_text())
    assert "E00911101" not in json.dumps(tree)
    assert "E00911101" not in (place / "may" / "tables" / "sex.html").read_text()
    beside = rows_of(place / "may-review" / "true-beside-published-sex.csv")
    assert {row["area_level"] for row in beside} == {"lad"}


def test_totals_are_those_of_the_tables_that_go_deeper(place: Path) -> None:
    tables = place / "may" / "tables"
    assert totals(rows_of(tables / "sex.csv"), "sex") == totals(rows_of(tables / "all.csv"), "benefit")


def test_values_are_those_of_the_whole_table(place: Path, tmp_path: Path) -> None:
    release = change(make_place(tmp_path), table=[ALL, AUTHORITIES | {"finest": ""}])
    assert command("publish", release, "--out", tmp_path / "whole").code == 0
    whole = [row for row in rows_of(tmp_path / "whole" / "tables" / "sex.csv") if row["area_level"] == "lad"]
    assert rows_of(place / "may" / "tables" / "sex.csv") == whole


def test_check_passes_and_catches_a_total_that_another_table_tells_differently(place: Path) -> None:
    release, review = place / "may", place / "may-review"
    assert command("check", release, "--review-dir", review).code == 0
    table = release / "tables" / "sex.csv"
    kept = table.read_bytes()
    rows = kept.decode().splitlines()
    last = rows[-1].split(",")
    last[-2] = str(int(last[-2]) + 5)
    try:
        table.write_text("\n".join([*rows[:-1], ",".join(last)]) + "\n")
        ran = command("check", release, "--json")
    finally:
        table.write_bytes(kept)
    assert ran.code == 1
    assert "linked" in {finding["kind"] for finding in ran.plain["findings"]}  # type: ignore[attr-defined,index]


def test_the_next_release_keeps_its_values(place: Path) -> None:
    later = {
        "release__reference_date": "2026-08-31",
        "release__extract_date": "2026-09-15",
        "release__publication": "2026-11-24T09:30:00",
        "release__next_publication": "2027-02-23",
    }
    release = place / "source" / "RELEASE.toml"
    change(release, series__first=None, series__previous="../may", **later)
    ran = command("publish", release, "--out", place / "august")
    assert ran.code == 0, ran.err


def test_a_level_that_the_release_lacks_is_refused(tmp_path: Path) -> None:
    release = change(make_place(tmp_path), table=[ALL, AUTHORITIES | {"finest": "county"}])
    ran = command("publish", release, "--out", tmp_path / "out")
    assert ran.code == 2
    assert "finest names county, which is no level; use oa, lsoa, msoa, lad" in ran.err
