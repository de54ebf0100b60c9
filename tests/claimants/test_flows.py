"""Flows over a window, drawn as timelines: one claim a line, `#` a day with the claim, `>` no end.

`a` and `b` over the lines are the two dates; the window is the days after `a` up to and including `b`.
"""

import datetime as dt
import tempfile
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest
from claimhelpers import AREAS, DAY, PLAIN, POSTCODES, cells, filled
from claimhelpers import claims as rows_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from timelines import FIRST_COLUMN, PLACES, A, B, drawn

from claimants.caseload import Caseload, CaseloadSpec, count_caseload
from claimants.dimensions import dimension
from claimants.extract import ExtractSpec
from claimants.flowcounting import ARRIVAL, DEPARTURE, FLOWS, OFF, ON
from claimants.flows import FlowSpec, count_flows


def counted(
    frame: pd.DataFrame, *which: str, by: tuple[str, ...] = (), people: bool = False, **how: object
) -> dict[str, Caseload]:
    with tempfile.TemporaryDirectory() as folder:
        frame.to_csv(Path(folder) / "claims.csv", index=False)
        return count_flows(
            ExtractSpec(paths=(Path(folder),), **how),  # type: ignore[arg-type]
            area_codes=AREAS,
            postcodes=POSTCODES,
            spec=FlowSpec(
                from_date=A,
                to_date=B,
                flow=which[0],
                count="people" if people else "claims",
                dimensions=tuple(map(dimension, by)),
            ),
            flows=which,
            threads=1,
        )


def flow(frame: pd.DataFrame, which: str, **how: object) -> Caseload:
    return counted(frame, which, **how)[which]  # type: ignore[arg-type]


def caseload(
    frame: pd.DataFrame, day: dt.date, *, by: tuple[str, ...] = (), people: bool = False, end: str
) -> Caseload:
    with tempfile.TemporaryDirectory() as folder:
        frame.to_csv(Path(folder) / "claims.csv", index=False)
        return count_caseload(
            ExtractSpec(paths=(Path(folder),), end=end),
            area_codes=AREAS,
            postcodes=POSTCODES,
            spec=CaseloadSpec(
                reference_date=day, count="people" if people else "claims", dimensions=tuple(map(dimension, by))
            ),
            threads=1,
        )


def flows(frame: pd.DataFrame, **how: object) -> dict[str, dict[tuple[int, ...], int]]:
    """The flows that are not nil, each as {(area, categories …): count}."""
    found = {which: cells(one) for which, one in counted(frame, *FLOWS, **how).items()}  # type: ignore[arg-type]
    return {which: counts for which, counts in found.items() if counts}


# --- Claims: boundary days ------------------------------------------------------------------------


BOUNDARIES = [
    #          ..a.....b..
    ("P1 UC 0 .####......", {OFF}),  # ends in the window
    ("P1 UC 0 .##........", {OFF}),  # last day is a: the first day without is in the window
    ("P1 UC 0 .#.........", set()),  # last day is the day before a: over before the window
    ("P1 UC 0 .#######...", {OFF}),  # last day is the day before b: not live on b
    ("P1 UC 0 .########..", set()),  # last day is b: still live on b
    ("P1 UC 0 .#########.", set()),
    ("P1 UC 0 .#########>", set()),
    ("P1 UC 0 ..########>", set()),  # starts on a: it was there already
    ("P1 UC 0 ...#######>", {ON}),  # starts on the day after a
    ("P1 UC 0 ........##>", {ON}),  # starts on b
    ("P1 UC 0 .........#>", set()),  # starts on the day after b
    ("P1 UC 0 ....##.....", {ON, OFF}),  # comes and goes
    ("P1 UC 0 ....#......", {ON, OFF}),  # a single day
    ("P1 UC 0 ...#####...", {ON, OFF}),  # the whole window but b
    ("P1 UC 0 ...######..", {ON}),
    ("P1 UC 0 ..#........", {OFF}),  # a alone
    ("P1 UC 0 ........#..", {ON}),  # b alone
]


@pytest.mark.parametrize("people", [False, True])
@pytest.mark.parametrize("end", ["inclusive", "exclusive"])
def test_a_claim_joins_on_its_first_day_and_leaves_on_its_first_day_without(end: str, people: bool) -> None:
    """However ends are written, the same days count: `#` is a day with the claim."""
    # Each line is a person of their own, in one area with those of whom the same is expected.
    for expected in (set(), {ON}, {OFF}, {ON, OFF}):
        lines = [line for line, which in BOUNDARIES if which == expected]
        frame = drawn(*(line.replace("P1", f"P{at}") for at, line in enumerate(lines)), end=end)
        found = flows(frame, end=end, people=people)
        assert found == {which: {(0,): len(lines)} for which in expected}, lines


def test_an_exclusive_end_on_the_start_is_no_day_at_all() -> None:
    frame = rows_of({"claim_start": "2026-05-05", "claim_end": "2026-05-05"})
    assert flows(frame, end="exclusive") == {}
    assert filled(flow(frame, ON, end="exclusive")) == {"not live on the date": 1}
    assert flows(frame, end="inclusive") == {ON: {(0,): 1}, OFF: {(0,): 1}}


# --- Claims: copies, benefits, durations ----------------------------------------------------------


def test_copies_of_a_claim_join_and_leave_once() -> None:
    #                ..a.....b..
    frame = drawn(
        "P1 UC 0 ....##.....",
        "P1 UC 0 ....##.....",
    )
    assert flows(frame) == {ON: {(0,): 1}, OFF: {(0,): 1}}
    assert filled(flow(frame, ON)) == {"counted": 1, "duplicate": 1}


def test_a_claim_lasts_as_long_as_any_of_its_copies() -> None:
    #                ..a.....b..
    frame = drawn(
        "P1 UC 0 .####......",
        "P1 UC 0 .#########>",
    )
    assert flows(frame) == {}
    assert filled(flow(frame, OFF)) == {"not in this flow": 1, "duplicate": 1}


def test_a_claim_whose_copies_disagree_on_the_area_moves_when_one_of_them_ends() -> None:
    #                ..a.....b..
    frame = drawn(
        "P1 UC 0 .####......",
        "P1 UC 1 .#########>",
    )
    assert flows(frame) == {ARRIVAL: {(1,): 1}, DEPARTURE: {(0,): 1}}


def test_flows_are_told_by_benefit_and_area() -> None:
    #                 ..a.....b..
    frame = drawn(
        "P1 JSA 0 .###.......",
        "P1 UC  0 ....######>",
        "P2 UC  2 .....###...",
    )
    assert flows(frame, by=("benefit",)) == {ON: {(0, 5): 1, (2, 5): 1}, OFF: {(0, 3): 1, (2, 5): 1}}


@pytest.mark.parametrize(
    ("start", "end", "band"),
    [
        ("2026-02-05", "2026-05-03", 0),  # left on 4 May: two whole months
        ("2026-02-05", "2026-05-04", 1),  # left on 5 May: three
        ("2025-05-06", "2026-05-04", 2),  # eleven
        ("2025-05-05", "2026-05-04", 3),  # twelve
        ("2024-02-29", "2026-05-04", 4),
        ("2021-05-05", "2026-05-04", 5),
    ],
)
def test_duration_is_that_of_the_day_on_which_the_claim_was_left(start: str, end: str, band: int) -> None:
    frame = rows_of({"claim_start": start, "claim_end": end, "sex": "M"})
    assert cells(flow(frame, OFF, by=("duration_band",))) == {(0, band): 1}
    assert cells(flow(frame, OFF, by=("duration_band", "sex"))) == {(0, band, 1): 1}
    assert cells(flow(frame, OFF, by=("sex", "duration_band"))) == {(0, 1, band): 1}


def test_age_is_that_of_the_last_day_of_the_window() -> None:
    frame = rows_of(
        {"birth_date": "2001-05-09", "claim_start": "2026-05-04", "claim_end": "2026-05-05"},
        {"birth_date": "2001-05-10", "claim_start": "2026-05-04", "claim_end": "2026-05-05"},
    )
    assert cells(flow(frame, ON, by=("age_band",))) == {(0, 0): 1, (0, 1): 1}


# --- People ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "counted"),
    [
        #   ..a.....b..
        (["P1 JSA 0 .###.......", "P1 UC  0 ....######>"], {}),  # from one benefit to another without a day between
        (["P1 JSA 0 .###.......", "P1 UC  0 .....#####>"], {ON: 0, OFF: 0}),  # a day between: left and came back
        (["P1 JSA 0 .###.......", "P1 UC  0 .##########"], {}),  # the other claim goes on
        (["P1 JSA 0 .###.......", "P1 UC  0 .####......"], {OFF: 0}),  # left when the last claim ended
        (["P1 JSA 0 ....#.#....", "P1 UC  0 .....#####>"], {ON: 0}),  # first claim after none
        (["P1 JSA 0 ...#.......", "P1 UC  0 .....##...."], {ON: 0, OFF: 0}),  # came and went twice: once
        (["P1 JSA 0 ...#.......", "P1 UC  0 .....#####>"], {ON: 0}),  # came, went, came: once
        (["P1 JSA 0 .##........", "P1 UC  0 .....##...."], {OFF: 0}),  # left, came, left: once
        # In which area: of the claim that stands on a (off-flow), on b (on-flow), else in the window.
        (["P1 JSA 0 .###.......", "P1 UC  1 ....######>"], {DEPARTURE: 0, ARRIVAL: 1}),  # moved
        (["P1 JSA 0 .###.......", "P1 UC  1 .....#####>"], {OFF: 0, ON: 1}),
        (["P1 JSA 0 ...####....", "P1 UC  1 ....#######"], {ON: 1}),
        (["P1 JSA 0 ...####....", "P1 UC  1 ....##....."], {ON: 1, OFF: 1}),  # the one that started last stands
        (["P1 JSA 2 ...##......", "P1 UC  1 ...##......"], {ON: 1, OFF: 1}),  # of these the smallest area
        (["P1 JSA 0 .#########>", "P1 UC  1 ....##....."], {}),  # where they stand on a and b
    ],
)
def test_a_person_joins_by_the_first_claim_after_none_and_leaves_with_the_last(
    lines: list[str], counted: dict[str, int]
) -> None:
    assert flows(drawn(*lines), people=True) == {which: {(area,): 1} for which, area in counted.items()}


def test_every_row_has_one_bucket() -> None:
    #                 ..a.....b..
    frame = pd.concat(
        [
            drawn(
                "P1 UC  0 ...##......",  # counted
                "P1 UC  0 ...##......",  # a copy
                "P1 JSA 0 ......###..",  # another claim of the person
                "P2 UC  0 .#########>",  # there already
                "P3 UC  0 .#.........",  # over before
            ),
            rows_of({"postcode": ""}, {"surname": "DELETED"}, {"benefit": "XX"}, {"claim_start": "never"}),
        ]
    )
    frame["person_reference"] = [*frame["person_reference"][:5], "P4", "P5", "P6", "P7"]
    others = {"not live on the date": 1, "no area": 1, "erased": 1, "unknown code": 1, "faulty": 1}
    claims, people = flow(frame, ON), flow(frame, ON, people=True)
    assert filled(claims) == others | {"counted": 2, "duplicate": 1, "not in this flow": 1}
    assert filled(people) == others | {
        "counted": 1,
        "duplicate": 1,
        "not in this flow": 1,
        "another claim of a person counted": 1,
    }
    assert claims.rows_read == people.rows_read == len(frame)


# --- Against counting day by day ------------------------------------------------------------------

DAYS = (A - FIRST_COLUMN).days, (B - FIRST_COLUMN).days
CLAIMS = st.lists(
    st.tuples(
        st.sampled_from(["P1", "P2", "P3", "P4", "P5", "P6", "P7"]),
        st.sampled_from(["UC", "JSA", "XX"]),
        st.sampled_from([0, 0, 1, 2, None]),
        st.integers(0, 10),
        st.sampled_from([None, 0, 1, 1, 2, 3, 5, 9]),
        st.sampled_from(["F", "M"]),
    ),
    min_size=1,
    max_size=50,
)


def frame_of(claims: list[tuple[str, str, int | None, int, int | None, str]], end: str) -> pd.DataFrame:
    rows = []
    for person, benefit, area, first, days, sex in claims:
        last = None if days is None else first + days - (1 if end == "inclusive" else 0)
        if last is not None and last < first:
            last = first  # an inclusive end lasts a day at least
        rows.append(
            PLAIN
            | {
                "person_reference": person,
                "benefit": benefit,
                "postcode": "" if area is None else PLACES[area],
                "claim_start": (FIRST_COLUMN + dt.timedelta(days=first)).isoformat(),
                "claim_end": "" if last is None else (FIRST_COLUMN + dt.timedelta(days=last)).isoformat(),
                "sex": sex,
            }
        )
    return pd.DataFrame(rows)


def slow_flows(
    frame: pd.DataFrame, *, by: tuple[str, ...], people: bool, end: str
) -> dict[str, Counter[tuple[int, ...]]]:
    """Every flow by walking through the days: who stands where on each day, and what changes."""
    copies = []
    for row in frame.to_dict("records"):
        if row["benefit"] == "XX" or not row["postcode"]:
            continue
        said = {"benefit": {"JSA": 3, "UC": 5}[row["benefit"]], "sex": {"F": 0, "M": 1}[row["sex"]]}
        cell = (PLACES.index(row["postcode"]), *(said[name] for name in by))
        first = (dt.date.fromisoformat(row["claim_start"]) - FIRST_COLUMN).days
        last = 99 if not row["claim_end"] else (dt.date.fromisoformat(row["claim_end"]) - FIRST_COLUMN).days
        days = set(range(first, last + (1 if end == "inclusive" else 0)))
        claim = (row["person_reference"], row["benefit"], first)
        copies.append((row["person_reference"] if people else claim, first, cell, days))
    found: dict[str, Counter[tuple[int, ...]]] = {which: Counter() for which in FLOWS}
    first_day, last_day = DAYS
    for unit in {copy[0] for copy in copies}:
        own = [copy for copy in copies if copy[0] == unit]

        def stands(days: range, own: list = own) -> tuple[int, ...] | None:  # type: ignore[type-arg]
            live = [(-first, cell) for _, first, cell, lasting in own if lasting & set(days)]
            return min(live)[1] if live else None

        before, after = stands(range(first_day, first_day + 1)), stands(range(last_day, last_day + 1))
        anywhere = stands(range(first_day, last_day + 1))
        there = [stands(range(day, day + 1)) is not None for day in range(first_day, last_day + 1)]
        joins = sum(now and not then for then, now in pairwise(there))
        leaves = sum(then and not now for then, now in pairwise(there))
        # Those who come and go again and again count once, and what they do besides is left out in pairs.
        besides = max(0, min(joins, leaves) - (0 if joins != leaves else 1))
        joins, leaves = joins - besides, leaves - besides
        assert 0 <= joins <= 1 and 0 <= leaves <= 1
        if joins:
            found[ON][after or anywhere] += 1  # type: ignore[index]
        if leaves:
            found[OFF][before or anywhere] += 1  # type: ignore[index]
        if before and after and not joins and before != after:
            found[ARRIVAL][after] += 1
            found[DEPARTURE][before] += 1
    return found


@pytest.mark.parametrize("people", [False, True])
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(claims=CLAIMS, end=st.sampled_from(["inclusive", "exclusive"]), by=st.sampled_from([(), ("benefit", "sex")]))
def test_flows_are_what_counting_day_by_day_gives(
    people: bool, claims: list[tuple[str, str, int | None, int, int | None, str]], end: str, by: tuple[str, ...]
) -> None:
    """And the caseloads of the two dates differ by the flows, cell by cell."""
    frame = frame_of(claims, end)
    found = {}
    for which, one in counted(frame, *FLOWS, by=by, people=people, end=end).items():
        assert one.rows_read == sum(one.buckets.values()) == len(frame)
        assert one.buckets["counted"] == sum(one.cells.column("count").to_pylist())
        found[which] = Counter(cells(one))
    assert found == slow_flows(frame, by=by, people=people, end=end)
    before, after = (Counter(cells(caseload(frame, day, by=by, people=people, end=end))) for day in (A, B))
    for cell in {*before, *after, *(cell for counts in found.values() for cell in counts)}:
        change = found[ON][cell] - found[OFF][cell] + found[ARRIVAL][cell] - found[DEPARTURE][cell]
        assert after[cell] == before[cell] + change


@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(claims=CLAIMS)
def test_claims_whose_copies_agree_need_neither_arrivals_nor_departures(
    claims: list[tuple[str, str, int | None, int, int | None, str]],
) -> None:
    once = {
        (person, benefit, first): (person, benefit, area, first, *rest)
        for person, benefit, area, first, *rest in claims
    }
    frame = frame_of(list(once.values()), "inclusive")  # type: ignore[arg-type]
    assert {ARRIVAL, DEPARTURE}.isdisjoint(flows(frame))


# --- What may not be asked ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [
        {"from_date": B, "to_date": B},
        {"from_date": B, "to_date": A},
        {"flow": "net"},
        {"count": "spells"},
        {"dimensions": (dimension("sex"), dimension("sex"))},
        {"dimensions": (dimension("client_group"),), "count": "people"},
        {"dimensions": (dimension("duration_band"),)},
        {"dimensions": (dimension("duration_band"),), "flow": OFF, "count": "people"},
    ],
)
def test_flows_that_make_no_sense_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="must be"):
        FlowSpec(**({"from_date": A, "to_date": B, "flow": ON} | wrong))  # type: ignore[arg-type]


def test_the_identity_is_claimed_only_without_bands() -> None:
    window = {"from_date": A, "to_date": DAY, "flow": OFF}
    assert FlowSpec(**window, dimensions=(dimension("benefit"), dimension("sex"))).keeps_identity  # type: ignore[arg-type]
    assert not FlowSpec(**window, dimensions=(dimension("age_band"),)).keeps_identity  # type: ignore[arg-type]
    assert not FlowSpec(**window, dimensions=(dimension("duration_band"),)).keeps_identity  # type: ignore[arg-type]
