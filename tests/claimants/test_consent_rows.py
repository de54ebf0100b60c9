"""The rules over rows say what the plain function says of one record, on random records of a few days and claims."""

import datetime as dt
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import ibis
import pytest
from claimhelpers import cells as cells_of
from claimhelpers import claims, count
from guidecases import cases
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from claimants.consent import Claim, Form, MarkerRecord, Standing, may_be_held, shipped_policy, standing
from claimants.consentrows import standing_of, with_given_claim
from claimants.dimensions import NO_BENEFIT, SENSITIVE, dimension, normal_code

ON = dt.date(2024, 3, 1)  # the day after a leap day
POLICY = shipped_policy()
# A query takes a second to plan: what fails is told as it was found.
QUICK = (Phase.explicit, Phase.reuse, Phase.generate)
BENEFITS = dimension("benefit").categories
# Days around every boundary: the date itself, 90 to 92 days before it, the day of the rule.
DAYS = [ON + dt.timedelta(days=days) for days in (-400, -183, -182, -181, -92, -91, -90, -1, 0, 1)]
DAYS += [POLICY.recorded_before, POLICY.recorded_before - dt.timedelta(days=1)]
DAY = st.sampled_from(DAYS)
ROWS = st.fixed_dictionaries(
    {
        "person": st.sampled_from(["A", "B", "", None]),
        "value": st.sampled_from(["U", "Y", "Y", "N"]),
        "benefit": st.sampled_from([*BENEFITS, NO_BENEFIT]),
        "start": DAY,
        "length": st.none() | st.sampled_from([0, 1, 90, 91, 92, 200]),
        "recorded": st.none() | DAY,
        "for_equality": st.booleans(),
        "form": st.none() | st.sampled_from([*Form, Form.WRITTEN, Form.WRITTEN]),
        "signed": st.none() | DAY,
        "spoken": st.none() | DAY,
        "attendance": st.none() | DAY,
        "withdrawn": st.none() | DAY,
        "unclear": st.sampled_from([False, False, False, True]),
        "relevant": st.booleans(),
        "to_hold": st.none() | DAY,
    }
)
NEW_CLAIM = {
    "person": "A",
    "value": "Y",
    "benefit": "UC",
    "recorded": DAYS[0],
    "for_equality": False,
    "form": Form.WRITTEN,
    "signed": DAYS[0],
    "spoken": None,
    "attendance": None,
    "withdrawn": None,
    "unclear": False,
    "relevant": True,
    "to_hold": None,
}
EARLIER = {**NEW_CLAIM, "start": DAYS[0], "length": 200}


def new_claim(days_ago: int) -> list[dict]:
    """An ended claim with a form, and a live one that would rely on it, started so many days before the date."""
    return [EARLIER, {**NEW_CLAIM, "start": ON - dt.timedelta(days=days_ago), "length": None}]


def claim_of(row: dict) -> Claim:
    return Claim(start=row["start"], end=None if row["length"] is None else row["start"] + dt.timedelta(row["length"]))


def record_of(rows: Sequence[dict], at: int, field: str, consent: bool) -> MarkerRecord:
    row = rows[at]
    mine = [other for other in rows if row["person"] and other["person"] == row["person"]]
    return MarkerRecord(
        field=field,
        value="WHITE" if field == "ethnicity" and row["value"] != "U" else row["value"],
        claim=claim_of(row),
        benefit=row["benefit"],
        recorded=row["recorded"],
        given_for="Equality" if row["for_equality"] else "",
        form=row["form"],
        consent_date=row["signed"],
        conversation_date=row["spoken"],
        next_attendance=row["attendance"],
        consent_withdrawn=None if row["unclear"] else row["withdrawn"],
        withdrawal_unclear=row["unclear"],
        still_relevant=row["relevant"],
        other_claims=tuple(claim_of(other) for other in mine if other is not row),
        consent_to_hold=row["to_hold"],
        by_dictionary=consent,
    )


def answers_of(table: ibis.Table, found: ibis.Value) -> list[Standing]:
    """What is found of each row, in the order of the rows."""
    answers = ibis.duckdb.connect().to_pyarrow(table.select("at", found=found)).to_pylist()
    return [Standing(one["found"]) for one in sorted(answers, key=lambda one: one["at"])]


def table_of(rows: Sequence[dict], records: Sequence[MarkerRecord], field: str, on: dt.date = ON) -> ibis.Table:
    """The rows as `judge` has them before the rules are looked at."""
    categories = dimension(field).categories
    columns: dict[str, tuple[str, list]] = {
        "at": ("int64", list(range(len(rows)))),
        "person": ("string", [row["person"] for row in rows]),
        field: ("int8", [categories.index(record.value) for record in records]),
        "benefit": ("int8", [[*BENEFITS, NO_BENEFIT].index(row["benefit"]) for row in rows]),
        "held": ("boolean", [may_be_held(record, on) for record in records]),
        "start": ("date", [record.claim.start for record in records]),
        "end": ("date", [record.claim.end for record in records]),
        "no_end": ("boolean", [record.claim.end is None for record in records]),
        "erasure": ("int8", [0] * len(rows)),
        "recorded_on": ("date", [record.recorded for record in records]),
        "for_equality": ("boolean", [row["for_equality"] for row in rows]),
        "form": ("int8", [None if record.form is None else int(record.form) for record in records]),
        "signed_on": ("date", [record.consent_date for record in records]),
        "spoken_on": ("date", [record.conversation_date for record in records]),
        "next_attendance": ("date", [record.next_attendance for record in records]),
        "withdrawn_on": ("date", [record.consent_withdrawn for record in records]),
        "withdrawal_unclear": ("boolean", [record.withdrawal_unclear for record in records]),
        "relevant": ("boolean", [record.still_relevant for record in records]),
    }
    schema = {name: kind for name, (kind, _) in columns.items()}
    together = list(zip(*(values for _, values in columns.values()), strict=True))
    return ibis.memtable([dict(zip(schema, row, strict=True)) for row in together], schema=schema)


@pytest.mark.parametrize("purpose", ["counting", "equality"])
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck), phases=QUICK)
@given(rows=st.lists(ROWS, min_size=1, max_size=60), field=st.sampled_from(SENSITIVE), consent=st.booleans())
@example(rows=new_claim(110), field="drugs_marker", consent=True)
@example(rows=new_claim(109), field="drugs_marker", consent=True)
@example(rows=new_claim(108), field="drugs_marker", consent=True)
def test_rows_are_judged_as_records_are(purpose: str, rows: list[dict], field: str, consent: bool) -> None:
    records = [record_of(rows, at, field, consent) for at in range(len(rows))]
    expected = [standing(record, POLICY, ON, purpose) for record in records]
    table = table_of(rows, records, field)
    table = with_given_claim(table, table)
    found = standing_of(table, dimension(field, purpose=purpose), POLICY, ON, consent=consent)
    assert answers_of(table, found) == expected


def test_the_examples_reach_both_sides_of_13_weeks() -> None:
    reached = set()
    for days in (110, 109, 108):
        reached.add(standing(record_of(new_claim(days), 1, "drugs_marker", True), POLICY, ON))
    assert reached == {Standing.RELIED_ON, Standing.NEW_FORM}


def test_the_guide_over_rows() -> None:
    """Every line of the guide's tables, each as rows: one of the record, others of the person's other claims."""
    lines = [case for case in cases() if case.record.given_for == "" or case.record.field == "health_marker"]
    for on, purpose, field, by_dictionary in sorted(
        {(case.on, case.purpose, case.record.field, case.record.by_dictionary) for case in lines}
    ):
        same = [
            case for case in lines
            if (case.on, case.purpose, case.record.field, case.record.by_dictionary) == (on, purpose, field, by_dictionary)
        ]  # fmt: skip
        rows, records, expected = [], [], []
        for person, case in enumerate(same):
            blank = MarkerRecord(field=field, value="U", claim=case.record.claim, benefit="UC")
            others = [replace(blank, claim=claim) for claim in case.record.other_claims]
            for record in (case.record, *others):
                equality = normal_code(record.given_for) in POLICY.equality_words
                rows.append({"person": f"P{person}", "benefit": record.benefit, "for_equality": equality})
                records.append(record)
            expected += [case.expected, *(Standing.NOT_RECORDED for _ in others)]
        table = table_of(rows, records, field, on)
        table = with_given_claim(table, table)
        found = standing_of(table, dimension(field, purpose=purpose), POLICY, on, consent=by_dictionary)
        assert answers_of(table, found) == expected


def as_text(day: dt.date | None, form: str) -> str:
    return "" if day is None else day.strftime("%Y-%m-%d" if form == "iso" else "%d/%m/%Y")


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck), phases=QUICK)
@given(
    rows=st.lists(ROWS, min_size=1, max_size=40),
    field=st.sampled_from(SENSITIVE),
    form=st.sampled_from(["iso", "day-first"]),
)
def test_a_file_is_judged_as_its_records_are(rows: list[dict], field: str, form: str) -> None:
    """From the text of a file on: every person different, so that each row stands for itself."""
    purpose = "equality" if field in POLICY.equality_always else "counting"
    rows = [{**row, "person": f"P{at}", "start": min(row["start"], ON), "length": None} for at, row in enumerate(rows)]
    rows = [row for row in rows if row["benefit"] != NO_BENEFIT]
    wanted = dimension(field, purpose=purpose)
    records = [record_of(rows, at, field, wanted.consent) for at in range(len(rows))]
    written = [None, "written", "verbal", " Telephone service", "CALL"]
    frame = claims(
        *(
            {
                "claim_start": as_text(row["start"], form),
                "birth_date": "",
                "benefit": row["benefit"],
                field: {"U": "", "Y": "yes ", "N": "n"}[row["value"]] if field != "ethnicity" else record.value.lower(),
                "marker_recorded": as_text(row["recorded"], form),
                "given_for": "equality " if row["for_equality"] else "coaching",
                "consent_form": written[0 if row["form"] is None else row["form"] + 1],
                "consent_date": as_text(row["signed"], form),
                "conversation_date": as_text(row["spoken"], form),
                "next_attendance": as_text(row["attendance"], form),
                "consent_withdrawn": "last week" if row["unclear"] else as_text(row["withdrawn"], form),
                "still_relevant": "Y" if row["relevant"] else "no",
            }
            for row, record in zip(rows, records, strict=True)
        )
    )
    if not rows:
        return
    expected: dict[tuple[int, int], int] = {}
    for record in records:
        counts = standing(record, POLICY, ON, purpose).counts
        cell = (0, wanted.categories.index(record.value) if counts else 0)
        expected[cell] = expected.get(cell, 0) + 1
    with tempfile.TemporaryDirectory() as folder:
        found = count(Path(folder), frame, by=(field,), policy=POLICY, purpose=purpose, day=ON, dates=form)
    assert cells_of(found) == expected
