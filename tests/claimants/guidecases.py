"""The guide in small tables: one rule, one table of what a record says and whether its marker counts.

A case is (what differs from a plain record, the standing).  The plain record: a drugs marker "yes",
recorded on the first day of a live claim of Universal Credit, with a form signed on that day.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from claimants.consent import Claim, Form, MarkerRecord, Standing

ON = dt.date(2026, 5, 31)
NOBODY_CLAIMS = "NONE"


def days(number: int, after: dt.date = ON) -> dt.date:
    """So many days after (before, if below 0) a day, the reference date by default."""
    return after + dt.timedelta(days=number)


START = dt.date(2025, 1, 10)
PLAIN = MarkerRecord(
    field="drugs_marker",
    value="Y",
    claim=Claim(start=START),
    benefit="UC",
    recorded=START,
    form=Form.WRITTEN,
    consent_date=START,
)
RULE = dt.date(2021, 1, 1)
BEFORE = days(-1, RULE)
OLD = {"claim": Claim(start=dt.date(2020, 6, 1))}
LAST = dt.date(2025, 12, 31)
ENDED = Claim(start=dt.date(2024, 1, 1), end=LAST)  # a form was signed while it was live
SPOKEN = {"form": Form.VERBAL, "consent_date": None, "conversation_date": days(-3), "next_attendance": days(1)}
NO_CLAIM = {"benefit": NOBODY_CLAIMS, "consent_to_hold": START}
CALLED = {**NO_CLAIM, "form": Form.TELEPHONE_SERVICE, "consent_date": None, "conversation_date": days(-3)}
HEALTH = {"field": "health_marker", "form": None}
S = Standing


def next_claim(number: int, end: dt.date | None = None) -> dict[str, Any]:
    """A claim that starts so many days after the end of the one that a form was signed for."""
    signed = dt.date(2025, 6, 1)
    claim = Claim(start=days(number, LAST), end=end)
    return {"claim": claim, "consent_date": signed, "recorded": signed, "other_claims": (ENDED,)}


def ended_in_december(year: int) -> dict[str, Any]:
    """A claim of one year from 1 January to 1 December, with a form of its first day."""
    first = dt.date(year, 1, 1)
    return {"claim": Claim(start=first, end=dt.date(year, 12, 1)), "consent_date": first, "recorded": first}


GUIDE: dict[str, list[tuple[dict[str, Any], Standing]]] = {
    "written-consent": [
        ({}, S.WRITTEN),
        ({"value": "N"}, S.WRITTEN),  # "no" is sensitive too
        ({"value": "U"}, S.NOT_RECORDED),
        ({"form": None}, S.NO_CONSENT),
        ({"consent_date": None}, S.NO_CONSENT),
        ({"consent_date": ON}, S.WRITTEN),  # it counts from its own day on
        ({"consent_date": days(1)}, S.GIVEN_LATER),
        ({"recorded": ON}, S.WRITTEN),
        ({"recorded": days(1)}, S.RECORDED_LATER),
    ],
    "while-live": [
        ({"claim": Claim(start=START, end=days(100))}, S.WRITTEN),
        ({"claim": Claim(start=START, end=ON)}, S.WRITTEN),
        ({"claim": Claim(start=START, end=days(-90))}, S.WRITTEN),
        ({"claim": Claim(start=START, end=days(-91))}, S.WRITTEN),
        ({"claim": Claim(start=START, end=days(-92))}, S.LAPSED),
        ({"consent_date": days(-1, START)}, S.NEW_FORM),  # no claim is known that it was given for
    ],
    "new-claim": [
        ({**next_claim(90), "still_relevant": True}, S.RELIED_ON),
        ({**next_claim(91), "still_relevant": True}, S.RELIED_ON),
        ({**next_claim(92), "still_relevant": True}, S.NEW_FORM),
        (next_claim(91), S.NOT_CONFIRMED),
        ({**next_claim(9), "still_relevant": True, "consent_date": LAST}, S.RELIED_ON),
        ({**next_claim(9), "still_relevant": True, "consent_date": days(1, LAST)}, S.NEW_FORM),  # between two claims
        ({**next_claim(9), "consent_date": days(9, LAST)}, S.WRITTEN),  # a new form, for the new claim
        ({**next_claim(-30), "still_relevant": True}, S.RELIED_ON),  # both were live for a month
        ({**next_claim(120), "still_relevant": True, "other_claims": (Claim(start=ENDED.start),)}, S.RELIED_ON),  # live still
        ({**next_claim(9, end=days(-92)), "still_relevant": True}, S.LAPSED),
    ],
    "retrospective": [
        ({"recorded": RULE}, S.WRITTEN),
        ({"recorded": BEFORE}, S.WRITTEN),  # the form was signed since
        ({"recorded": None}, S.WRITTEN),
        ({**OLD, "recorded": BEFORE, "consent_date": BEFORE}, S.RETROSPECTIVE),
        ({**OLD, "recorded": BEFORE, "consent_date": RULE}, S.WRITTEN),
        ({**OLD, "recorded": None, "consent_date": BEFORE}, S.RETROSPECTIVE),
        ({**OLD, "recorded": RULE, "consent_date": BEFORE}, S.WRITTEN),
        ({**SPOKEN, "recorded": BEFORE}, S.RETROSPECTIVE),  # interim consent is not full consent
    ],
    "verbal": [
        (SPOKEN, S.VERBAL),
        ({**SPOKEN, "next_attendance": ON}, S.VERBAL_OVER),
        ({**SPOKEN, "next_attendance": None}, S.VERBAL_OVER),  # nobody knows whether it has come
        ({**SPOKEN, "conversation_date": ON}, S.VERBAL),
        ({**SPOKEN, "conversation_date": None}, S.NO_CONSENT),  # not recorded
        ({**SPOKEN, "conversation_date": days(1), "next_attendance": days(2)}, S.GIVEN_LATER),
        ({**SPOKEN, "form": Form.TELEPHONE_SERVICE}, S.VERBAL),  # who claims must sign at the next attendance
        ({**SPOKEN, "form": Form.OTHER_CALL}, S.OTHER_CALL),
    ],
    "claims-nothing": [
        (NO_CLAIM, S.WRITTEN),
        ({**NO_CLAIM, "consent_to_hold": None}, S.NOT_HELD),
        ({**NO_CLAIM, "consent_to_hold": ON}, S.WRITTEN),
        ({**NO_CLAIM, "consent_to_hold": days(1)}, S.NOT_HELD),
        ({**NO_CLAIM, "consent_withdrawn": days(-1)}, S.NOT_HELD),
    ],
    "telephone-service": [
        (CALLED, S.TELEPHONE_SERVICE),
        ({**CALLED, "conversation_date": None}, S.NO_CONSENT),  # not recorded
        ({**CALLED, "form": Form.OTHER_CALL}, S.OTHER_CALL),
        ({**CALLED, "recorded": BEFORE}, S.TELEPHONE_SERVICE),  # full consent, given since the rule
        ({**CALLED, "recorded": BEFORE, "conversation_date": BEFORE}, S.RETROSPECTIVE),
        ({**CALLED, "consent_to_hold": None}, S.NOT_HELD),
    ],
    "implied": [
        ({**HEALTH, "benefit": "ESA"}, S.IMPLIED),
        ({**HEALTH, "benefit": "PIP"}, S.IMPLIED),
        ({**HEALTH, "benefit": "UC"}, S.NO_CONSENT),
        ({**HEALTH, "benefit": "ESA", "value": "N"}, S.NO_CONSENT),  # what the benefit does not imply
        ({**HEALTH, "benefit": "ESA", "value": "U"}, S.NOT_RECORDED),  # nor does it fill a blank
        ({**HEALTH, "benefit": "ESA", "consent_withdrawn": days(-9)}, S.IMPLIED),  # it does not rest on consent
        ({"field": "disability_status", "form": None, "benefit": "PIP"}, S.IMPLIED),
        ({"field": "disability_status", "form": None, "benefit": "ESA"}, S.NO_CONSENT),
        ({"form": None, "benefit": "ESA"}, S.NO_CONSENT),  # no benefit implies a drugs marker
    ],
    "equality": [
        ({**HEALTH, "given_for": "equality monitoring"}, S.EQUALITY_ALONE),
        ({**HEALTH, "given_for": "Equality ", "benefit": "ESA"}, S.EQUALITY_ALONE),
        ({"field": "ethnicity", "value": "WHITE", "by_dictionary": False}, S.EQUALITY_ALONE),
        ({"field": "refugee_marker", "by_dictionary": False}, S.EQUALITY_ALONE),
        ({"given_for": "equality"}, S.WRITTEN),  # the guide names health, not drugs
    ],
    "withdrawal": [
        ({"consent_withdrawn": days(1)}, S.WRITTEN),
        ({"consent_withdrawn": ON}, S.WITHDRAWN),  # from its date on
        ({"consent_withdrawn": days(-1)}, S.WITHDRAWN),
        ({"consent_withdrawn": START}, S.WITHDRAWN),  # on the day of the form
        ({"consent_withdrawn": days(-1, START)}, S.WRITTEN),  # given anew
        ({"withdrawal_unclear": True}, S.WITHDRAWN),
    ],
}  # fmt: skip
EQUALITY: list[tuple[dict[str, Any], Standing]] = [
    ({"field": "ethnicity", "value": "WHITE", "form": None, "by_dictionary": False}, S.EQUALITY),
    ({"field": "ethnicity", "value": "WHITE", "form": None, "by_dictionary": True}, S.NO_CONSENT),  # narrowed
    ({"field": "ethnicity", "value": "U", "by_dictionary": False}, S.NOT_RECORDED),
    ({"field": "ethnicity", "value": "WHITE", "by_dictionary": False, "consent_withdrawn": ON}, S.WITHDRAWN),
    ({"field": "refugee_marker", "form": None, "by_dictionary": False}, S.EQUALITY),
    ({**HEALTH, "given_for": "equality"}, S.EQUALITY),
    ({**HEALTH, "given_for": "coaching"}, S.NO_CONSENT),
    ({**HEALTH, "given_for": "equality", "consent_withdrawn": ON}, S.WITHDRAWN),
    ({**HEALTH, "given_for": "equality", "form": Form.WRITTEN, "consent_date": days(9), "consent_withdrawn": ON}, S.WITHDRAWN),
]  # fmt: skip
# Over 29 February: 91 days after 1 December are 1 March in a leap year, 2 March in others.
LEAP_YEAR: list[tuple[dict[str, Any], dt.date, Standing]] = [
    (ended_in_december(2023), dt.date(2024, 2, 29), S.WRITTEN),
    (ended_in_december(2023), dt.date(2024, 3, 1), S.WRITTEN),
    (ended_in_december(2023), dt.date(2024, 3, 2), S.LAPSED),
    (ended_in_december(2022), dt.date(2023, 3, 2), S.WRITTEN),
    (ended_in_december(2022), dt.date(2023, 3, 3), S.LAPSED),
    ({"consent_withdrawn": dt.date(2028, 2, 29)}, dt.date(2028, 2, 28), S.WRITTEN),
    ({"consent_withdrawn": dt.date(2028, 2, 29)}, dt.date(2028, 2, 29), S.WITHDRAWN),
]


@dataclass(frozen=True, kw_only=True)
class Case:
    """One line of the guide."""

    rule: str
    record: MarkerRecord
    on: dt.date
    purpose: str
    expected: Standing


def cases() -> Iterator[Case]:
    """Every line of every table."""
    for rule, lines in GUIDE.items():
        for change, expected in lines:
            yield Case(rule=rule, record=replace(PLAIN, **change), on=ON, purpose="counting", expected=expected)
    for change, expected in EQUALITY:
        yield Case(rule="equality", record=replace(PLAIN, **change), on=ON, purpose="equality", expected=expected)
    for change, on, expected in LEAP_YEAR:
        yield Case(rule="while-live", record=replace(PLAIN, **change), on=on, purpose="counting", expected=expected)
