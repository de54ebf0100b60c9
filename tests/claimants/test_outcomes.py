"""What follows a claim: durations, movements between benefits, employment.  Days are `#`; `a` and `b` as in timelines."""

import datetime as dt
from pathlib import Path

import pandas as pd
import pytest
from claimhelpers import AREAS, POSTCODES
from timelines import FIRST_COLUMN, SCALE, A, B, drawn

from claimants.extract import ExtractSpec
from claimants.outcomes import NO_OTHER, EndingSpec, Source, count_employment, count_ended_spells, count_movements

WINDOW = EndingSpec(from_date=A, to_date=B)


def source(frame: pd.DataFrame, folder: Path) -> Source:
    frame.to_csv(folder / "claims.csv", index=False)
    extract = ExtractSpec(paths=(folder / "claims.csv",))
    return Source(extract=extract, area_codes=AREAS, postcodes=POSTCODES, threads=1)


@pytest.mark.parametrize(
    ("lines", "join_days", "moves"),
    [
        #   ..a.....b..
        (["P1 JSA 0 .####......", "P1 UC 0 .....#####>"], 0, {("JSA", "UC"): 1}),  # the next day
        (["P1 JSA 0 .####......", "P1 UC 0 .......###>"], 0, {("JSA", "UC"): 1}),  # two days later
        (["P1 JSA 0 .####......", "P1 UC 0 ........##>"], 0, {("JSA", NO_OTHER): 1}),  # three
        (["P1 JSA 0 .####......", "P1 UC 0 ...#######>"], 0, {("JSA", "UC"): 1}),  # two days before
        (["P1 JSA 0 .####......", "P1 UC 0 ..########>"], 0, {("JSA", NO_OTHER): 1}),  # three: it was there already
        (["P1 JSA 0 .####......", "P1 UC 0 ...##......"], 0, {("JSA", NO_OTHER): 1, ("UC", NO_OTHER): 1}),  # ends too
        (["P1 JSA 0 .####......", "P1 PIP 0 ......####>", "P1 UC 0 .....#####>"], 0, {("JSA", "UC"): 1}),  # the nearest
        (["P1 JSA 0 .##........"], 0, {("JSA", NO_OTHER): 1}),  # the first day without is in the window
        (["P1 JSA 0 .#........."], 0, {}),
        (["P1 JSA 0 .#######..."], 0, {("JSA", NO_OTHER): 1}),
        (["P1 JSA 0 .########.."], 0, {}),
        (["P1 JSA 0 .####......", "P1 JSA 0 ......####>"], 0, {("JSA", NO_OTHER): 1}),  # the same benefit is no other
        (["P1 JSA 0 .####......", "P1 JSA 0 ......####>"], 1, {}),  # and with a day allowed no end
        (
            ["P1 JSA 0 .##........", "P2 JSA 0 .####......", "P2 UC 0 .....#####>"],
            0,
            {("JSA", NO_OTHER): 1, ("JSA", "UC"): 1},
        ),
    ],
)
def test_people_move_to_the_benefit_that_starts_within_so_many_days(
    lines: list[str], join_days: int, moves: dict[tuple[str, str], int], tmp_path: Path
) -> None:
    spec = EndingSpec(from_date=A, to_date=B, join_days=join_days)
    found = count_movements(source(drawn(*lines), tmp_path), spec, gap_days=2)
    assert {tuple(row[:2]): row[2] for row in zip(*found.to_pydict().values(), strict=True)} == moves


def test_somebody_who_moves_twice_counts_once_in_each_pair(tmp_path: Path) -> None:
    #              ..a.....b..
    frame = drawn(
        "P1 JSA 0 .###.......",
        "P1 UC  0 ....##.....",
        "P1 JSA 0 ......#....",
        "P1 UC  0 .......###>",
    )
    found = count_movements(source(frame, tmp_path), WINDOW, gap_days=0)
    assert found.to_pylist() == [
        {"from_benefit": "JSA", "to_benefit": "UC", "people": 1},
        {"from_benefit": "UC", "to_benefit": "JSA", "people": 1},
    ]


def test_duration_is_that_of_the_linked_spell_where_it_ended(tmp_path: Path) -> None:
    rows = [
        {"claim_start": "2024-05-05", "claim_end": "2025-12-31", "postcode": "AA1 1AA"},
        {"claim_start": "2026-01-01", "claim_end": "2026-05-04", "postcode": "BB2 2BB"},  # linked: two years
        {"claim_start": "2026-01-02", "claim_end": "2026-05-04", "postcode": "CC3 3CC", "person_reference": "P2"},
        {"claim_start": "2026-05-04", "claim_end": "2026-06-04", "person_reference": "P3"},  # ends after the window
    ]
    plain = {"person_reference": "P1", "benefit": "UC", "surname": "X", "forename": "Y"}
    frame = pd.DataFrame([plain | {"postcode": "AA1 1AA"} | row for row in rows])
    found = count_ended_spells(source(frame, tmp_path), WINDOW).to_pylist()
    assert found == [
        {"area": 1, "benefit": 5, "duration_band": 4, "count": 1},
        {"area": 2, "benefit": 5, "duration_band": 1, "count": 1},
    ]


def at(week: int, day: int = 0) -> str:
    """A day so many weeks after 5 May, the first day without of those who leave on column 3."""
    return (FIRST_COLUMN + dt.timedelta(days=4 + 7 * week + day)).isoformat()


@pytest.mark.parametrize(
    ("start", "end", "employed"),
    [
        (at(2), "", [1, 1, 1]),
        (at(13), at(26), [1, 1, 0]),  # both days are in
        (at(13, 1), at(26, -1), [0, 0, 0]),
        (at(13), at(13), [1, 0, 0]),
        (at(-9), "", [1, 1, 1]),  # already before
        (at(60), "", [0, 0, 0]),
        ("no date", "", [0, 0, 0]),
        (at(26), at(13), [0, 0, 0]),  # runs backwards
    ],
)
def test_employment_is_looked_up_so_many_weeks_after_the_last_claim(
    start: str, end: str, employed: list[int], tmp_path: Path
) -> None:
    #              ..a.....b..
    frame = drawn(
        "P1 UC  0 .###.......",
        "P1 JSA 0 .##........",
        "P2 UC  0 .###.......",
        "P3 UC  0 .###.......",
        "P3 JSA 0 .#########>",  # still claims
    )
    jobs = pd.DataFrame(
        [(" P1", start, end), ("P3", at(1), ""), ("", at(1), "")],
        columns=["person_reference", "employment_spell_start", "employment_spell_end"],
    )
    jobs.to_csv(tmp_path / "jobs.csv", index=False)
    study = ExtractSpec(paths=(tmp_path / "jobs.csv",))
    found = count_employment(source(frame, tmp_path), study, WINDOW, known_until=dt.date(2027, 12, 31)).to_pylist()
    assert found == [
        {"benefit": "UC", "weeks": week, "off_flow": 2, "known": 2, "employed": number}
        for week, number in zip((13, 26, 52), employed, strict=True)
    ]


@pytest.mark.parametrize(("until", "known"), [(at(26), [1, 1, 0]), (at(26, -1), [1, 0, 0]), (at(52), [1, 1, 1])])
def test_whose_day_has_not_come_is_left_out_of_the_share(until: str, known: list[int], tmp_path: Path) -> None:
    assert SCALE.index("a") == 2
    jobs = pd.DataFrame(
        [("P1", at(1), "")], columns=["person_reference", "employment_spell_start", "employment_spell_end"]
    )
    jobs.to_csv(tmp_path / "jobs.csv", index=False)
    found = count_employment(
        source(drawn("P1 UC 0 .###......."), tmp_path),
        ExtractSpec(paths=(tmp_path / "jobs.csv",)),
        WINDOW,
        known_until=dt.date.fromisoformat(until),
    ).to_pylist()
    assert [row["known"] for row in found] == [row["employed"] for row in found] == known
