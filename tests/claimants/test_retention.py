"""How long records may be kept: one rule, one small table, boundary days included."""

import dataclasses
import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claimants.dates import whole_months_before
from claimants.dictionary import shipped_dictionary
from claimants.retention import (
    Anonymising,
    Fate,
    Record,
    Removal,
    RetentionPolicy,
    Rule,
    check_anonymising,
    fate_of,
    first_day_over,
    log_is_over,
)

BENEFIT = RetentionPolicy(
    id="benefit-record",
    title="Records of benefit claims",
    purpose="counting",
    rules=(Rule(action="delete", after="claim end", months=14),),
    removal=Removal(approvers=("Grade 7",), audit_months=14, fraud_hold=True),
)
LATER = dataclasses.replace(BENEFIT, rules=(Rule(action="delete", after="claim end", months=36),))
RESEARCH = RetentionPolicy(
    id="research-project",
    title="Copies for research",
    purpose="research",
    rules=(Rule(action="anonymise", after="received", days=14), Rule(action="delete", after="project end", months=6)),
    removal=Removal(approvers=("Grade 7",)),
    anonymising=Anonymising(keep=("benefit",), year=("birth_date",), month=("claim_start",)),
)


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


@pytest.mark.parametrize(
    ("event", "months", "over"),
    [
        ("2025-02-28", 14, "2026-04-28"),
        ("2025-01-31", 1, "2025-03-01"),  # no 31 February: over when the month is
        ("2024-01-31", 1, "2024-03-01"),
        ("2024-01-30", 1, "2024-03-01"),  # nor a 30th, in a leap year either
        ("2024-01-29", 1, "2024-02-29"),
        ("2025-01-29", 1, "2025-03-01"),
        ("2024-02-29", 12, "2025-03-01"),
        ("2024-02-29", 48, "2028-02-29"),
        ("2024-12-31", 14, "2026-03-01"),
        ("2024-12-31", 2, "2025-03-01"),
        ("2025-08-31", 6, "2026-03-01"),
        ("2025-10-31", 1, "2025-12-01"),
        ("2025-12-31", 12, "2026-12-31"),
        ("2025-05-15", 0, "2025-05-15"),
    ],
)
def test_months_are_counted_by_the_calendar(event: str, months: int, over: str) -> None:
    assert first_day_over(day(event), months) == day(over)


@given(st.dates(dt.date(1990, 1, 1), dt.date(2090, 12, 31)), st.integers(0, 60))
@settings(deadline=None, max_examples=300)
def test_months_are_those_of_ages_and_durations(event: dt.date, months: int) -> None:
    """The house has one rule for whole months: over on a day if and only if the day's cut-off has reached the event."""
    over = first_day_over(event, months)
    assert event <= whole_months_before(over, months)
    if months:
        assert not event <= whole_months_before(over - dt.timedelta(days=1), months)


@pytest.mark.parametrize(
    ("rule", "event", "due"),
    [
        (RESEARCH.rules[0], "2024-02-16", "2024-03-01"),  # 14 days over a 29 February
        (RESEARCH.rules[0], "2025-02-15", "2025-03-01"),
        (RESEARCH.rules[1], "2024-08-31", "2025-03-01"),
        (BENEFIT.rules[0], "2024-06-30", "2025-08-30"),
    ],
)
def test_when_a_rule_is_due(rule: Rule, event: str, due: str) -> None:
    assert rule.due_day(day(event)) == day(due)


@pytest.mark.parametrize(
    ("end", "on", "fate"),
    [
        ("2024-01-15", "2025-03-14", Fate.KEPT),  # the last day of the 14 months
        ("2024-01-15", "2025-03-15", Fate.DUE),
        ("2024-01-15", "2030-01-01", Fate.DUE),  # and stays due
        ("2023-12-31", "2025-02-28", Fate.KEPT),
        ("2023-12-31", "2025-03-01", Fate.DUE),
        ("2022-12-29", "2024-02-28", Fate.KEPT),
        ("2022-12-29", "2024-02-29", Fate.DUE),
        ("", "2030-01-01", Fate.KEPT),  # live
        ("2030-01-02", "2030-01-01", Fate.KEPT),  # ends in the future
    ],
)
def test_a_record_is_deleted_after_its_audit_period(end: str, on: str, fate: Fate) -> None:
    record = Record(end=day(end) if end else None)
    assert fate_of(record, BENEFIT, day(on)) is fate


def test_a_record_under_a_fraud_hold_is_not_deleted() -> None:
    assert fate_of(Record(end=day("2020-01-01"), hold=True), BENEFIT, day("2024-01-01")) is Fate.HELD
    assert fate_of(Record(end=day("2023-12-01"), hold=True), BENEFIT, day("2024-01-01")) is Fate.KEPT


def test_a_record_whose_end_is_no_date_is_not_deleted() -> None:
    assert fate_of(Record(readable=False), BENEFIT, day("2024-01-01")) is Fate.UNREADABLE


@pytest.mark.parametrize(
    ("record", "on", "fate"),
    [
        (Record(end=day("2024-01-15")), "2025-03-14", Fate.PARKED_AUDIT),
        (Record(end=day("2024-01-15")), "2025-03-15", Fate.REMOVED),  # carried out afterwards
        (Record(end=day("2024-01-15"), hold=True), "2025-03-15", Fate.PARKED_HOLD),
        (Record(end=day("2024-01-15"), hold=True), "2025-03-14", Fate.PARKED_HOLD),
        (Record(), "2025-03-15", Fate.PARKED_LIVE),
        (Record(end=day("2025-03-16")), "2025-03-15", Fate.PARKED_LIVE),
        (Record(end=day("2025-03-15")), "2025-03-15", Fate.PARKED_AUDIT),
        (Record(readable=False), "2025-03-15", Fate.PARKED_UNREADABLE),
    ],
)
def test_a_removal_request_waits_for_hold_and_audit_period(record: Record, on: str, fate: Fate) -> None:
    asked = dataclasses.replace(record, requested=True)
    assert fate_of(asked, BENEFIT, day(on)) is fate
    assert fate_of(asked, LATER, day(on)) is fate  # the audit period decides, not how long others are kept


def test_a_research_copy_follows_its_own_policy() -> None:
    for record in (Record(), Record(end=day("2024-01-01")), Record(readable=False)):
        assert fate_of(record, RESEARCH, day("2024-01-02")) is Fate.KEPT
        asked = dataclasses.replace(record, requested=True)
        assert fate_of(asked, RESEARCH, day("2024-01-02")) is Fate.REMOVED


@pytest.mark.parametrize(
    ("closed", "on", "over"),
    [
        ("2024-02-29", "2025-02-28", False),
        ("2024-02-29", "2025-03-01", True),
        ("2024-03-31", "2025-03-30", False),
        ("2024-03-31", "2025-03-31", True),
    ],
)
def test_requests_are_logged_for_12_months(closed: str, on: str, over: bool) -> None:
    assert log_is_over(day(closed), BENEFIT, day(on)) is over


@pytest.mark.parametrize(
    "wrong",
    [
        {"action": "burn", "after": "received", "days": 1},
        {"action": "delete", "after": "christmas", "days": 1},
        {"action": "delete", "after": "received"},
        {"action": "delete", "after": "received", "days": 1, "months": 1},
        {"action": "delete", "after": "received", "days": -1},
        {"action": "anonymise", "after": "claim end", "days": 1},
    ],
)
def test_rules_check_themselves(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="must"):
        Rule(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "wrong",
    [
        {"purpose": "curiosity"},
        {"rules": BENEFIT.rules * 2},
        {"anonymising": Anonymising()},
        {"rules": RESEARCH.rules},
        {"rules": (RESEARCH.rules[1],)},  # audit period without a rule that follows the end of the claim
    ],
)
def test_policies_check_themselves(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="must"):
        dataclasses.replace(BENEFIT, **wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("anonymising", "found"),
    [
        (Anonymising(keep=("benefit", "sex"), year=("birth_date",), month=("claim_start", "claim_end")), ""),
        (Anonymising(keep=("birth_date",)), "year will do"),
        (Anonymising(keep=("postcode",)), "LSOA will do"),
        (Anonymising(keep=("surname",)), "identifier"),
        (Anonymising(keep=("telephone",)), "contact"),
        (Anonymising(keep=("notes",)), "no form"),
        (Anonymising(keep=("ethnicity",)), "must not be kept"),
        (Anonymising(month=("birth_date",)), "no form 'month'"),
        (Anonymising(keep=("shoe_size",)), "no field"),
    ],
)
def test_an_anonymised_copy_keeps_no_more_than_the_dictionary_gives_its_purpose(
    anonymising: Anonymising, found: str
) -> None:
    told = check_anonymising(dataclasses.replace(RESEARCH, anonymising=anonymising), shipped_dictionary())
    assert found in "; ".join(told) and bool(told) == bool(found)
