"""The engine against the slow and obvious reference, on random extracts full of trouble."""

import datetime as dt
import tempfile
from pathlib import Path

import claimreference as reference
import pandas as pd
import pytest
from claimhelpers import LOOKUP, cells, count
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

STARTS = [
    "2026-05-31",
    "2026-06-01",
    "2026-02-28",
    "2026-03-01",
    "2020-01-05",
    "2025-05-31",
    " 2025-06-01 ",
    "2024-02-29",
]
NO_STARTS = ["2026-02-30", "", None, "2026-1-5", "31/05/2026", "-026-01-01", "2026-01-1 x", "0000-01-01"]
ENDS = ["", "", None, "  ", "2026-05-31", "2026-05-30", "2026-06-01", "2020-01-04", "never", "2020-01-05"]
BIRTHS = ["1990-06-15", "2010-05-31", "2010-06-01", "1961-05-31", "2008-02-29", "", None, "2027-01-01", "1985-02-29"]

ROWS = st.fixed_dictionaries(
    {
        "person_reference": st.sampled_from(["A", "B", "C", " A ", "a", "", None]),
        "surname": st.sampled_from(["X"] * 6 + ["deleted ", "DELETED", None]),
        "forename": st.sampled_from(["Y"] * 8 + ["DELETED", ""]),
        "birth_date": st.sampled_from(BIRTHS * 2 + ["01/01/1901", "1901-01-01"]),
        "sex": st.sampled_from(["F", "m", " F", "Male", "", None, "U", "Z"]),
        "postcode": st.sampled_from(
            ["AA1 1AA", "aa11ab", "  BB2   2bb", "CC33CC", "CC3\u00a03CC", "ZZ9 9ZZ", "", None, " "]
        ),
        "benefit": st.sampled_from(["UC", "JSA", "jsa ", "ESA", "universal credit", "PIP", "XX", "", None]),
        "claim_start": st.sampled_from(STARTS * 3 + NO_STARTS),
        "claim_end": st.sampled_from(ENDS),
    }
)


@pytest.mark.parametrize(
    ("counted", "by"),
    [
        ("claims", ("benefit", "age_band", "sex", "duration_band")),
        ("claims", ()),
        ("people", ("age_band", "sex")),
        ("people", ("sex", "client_group")),
        ("people", ("benefit_combination", "sex")),
        ("people", ("client_group", "benefit_combination")),
        ("claims beside people", ("benefit", "sex")),
        ("claims beside people", ("duration_band",)),
    ],
)
@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    rows=st.lists(ROWS, min_size=1, max_size=80), end=st.sampled_from(["inclusive", "exclusive"]), split=st.booleans()
)
def test_cells_and_buckets_equal_the_reference(
    counted: str, by: tuple[str, ...], rows: list[dict[str, str]], end: str, split: bool
) -> None:
    frame = pd.DataFrame(rows)
    day = dt.date(2026, 5, 31)
    how = {"people": counted == "people", "beside": counted == "claims beside people"}
    expected, buckets = reference.count(frame, names=by, lookup=LOOKUP, day=day, end=end, **how)
    with tempfile.TemporaryDirectory() as folder:
        # The order of rows and of columns, and the split into files, must not matter.
        first = frame.iloc[: len(frame) // 2] if split else frame
        first.iloc[::-1].to_csv(Path(folder) / "one.csv", index=False)
        if split:
            frame.iloc[len(frame) // 2 :][frame.columns[::-1]].to_csv(Path(folder) / "two.csv", index=False)
        found = count(Path(folder), None, by=by, end=end, **how)
    assert cells(found) == dict(expected)
    assert {name: rows for name, rows in found.buckets.items() if rows} == {k: v for k, v in buckets.items() if v}
    assert found.rows_read == len(frame)


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(rows=st.lists(ROWS, min_size=1, max_size=80))
def test_claims_beside_people_keep_each_benefit_below_people_below_claims(rows: list[dict[str, str]]) -> None:
    by = ("benefit", "sex", "age_band")
    with tempfile.TemporaryDirectory() as folder:
        pd.DataFrame(rows).to_csv(Path(folder) / "claims.csv", index=False)
        claims, people = (
            count(Path(folder), None, by=by, beside=beside, people=not beside) for beside in (True, False)
        )
    benefits, every, heads = (dict[tuple, int]() for _ in range(3))
    for (area, benefit, *_), number in cells(claims).items():
        benefits[area, benefit] = benefits.get((area, benefit), 0) + number
        every[area] = every.get(area, 0) + number
    for (area, *_), number in cells(people).items():
        heads[area] = heads.get(area, 0) + number
    assert heads.keys() == every.keys()
    assert all(number <= heads[area] for (area, _), number in benefits.items())
    assert all(heads[area] <= number for area, number in every.items())
