"""The slow and obvious rules of consent, for `claimreference`: whether a value of a row may be counted.

It states again, in plain Python and for the policy that ships, what the room it judges says, and shares no code
with it.  `row` is a dict of text; `rows` are all rows of the extract.
"""

import datetime as dt
import re
from collections.abc import Callable

RULE = dt.date(2021, 1, 1)
NO_BENEFIT = ("NONE", "NO BENEFIT", "CLAIMS NOTHING", "NOT CLAIMING")
YES = ("Y", "YES", "TRUE", "1")
NO = ("N", "NO", "FALSE", "0")
BLANK = ("", "U", "NOT STATED", "UNKNOWN", "NOT KNOWN", "PREFER NOT TO SAY")
GROUPS = {"ASIAN": 1, "BLACK": 2, "MIXED": 3, "WHITE": 4, "OTHER": 5}
IMPLIED = {("health_marker", "ESA"), ("health_marker", "PIP"), ("disability_status", "PIP")}
Said = Callable[[object], str]


def day_of(text: str) -> dt.date | None:
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
        return None
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None


def is_marked(row: dict, code: Said) -> bool:
    return code(row.get("special_protection")) not in (*BLANK, *NO)


def withdrawn(row: dict, given: dt.date | None, day: dt.date, code: Said) -> bool:
    text = code(row.get("consent_withdrawn"))
    when = day_of(text)
    if not text:
        return False
    if when is None:
        return True
    return when <= day and not (given is not None and when < given <= day)


def is_held(row: dict, day: dt.date, code: Said) -> bool:
    given = day_of(code(row.get("consent_to_hold")))
    return given is not None and given <= day and not withdrawn(row, given, day, code)


def index_of(row: dict, name: str, code: Said) -> int:
    value = code(row.get(name))
    if name == "ethnicity":
        return GROUPS.get(value, 0)
    return 1 if value in YES else 2 if value in NO else 0


def counted_index(row: dict, rows: list[dict], name: str, day: dt.date, purpose: str, code: Said) -> int:
    """The index of the category that the row is counted in; 0 is "not stated"."""
    index = index_of(row, name, code)
    return index if may_count(row, rows, name, index, day, purpose, code) else 0


def may_count(row: dict, rows: list[dict], name: str, index: int, day: dt.date, purpose: str, code: Said) -> bool:
    benefit = code(row.get("benefit"))
    nothing = benefit in NO_BENEFIT
    recorded = day_of(code(row.get("marker_recorded")))
    if index == 0 or (recorded is not None and recorded > day) or (nothing and not is_held(row, day, code)):
        return False
    for_equality = name in ("ethnicity", "refugee_marker") or (
        name == "health_marker" and code(row.get("given_for")) in ("EQUALITY", "EQUALITY MONITORING")
    )
    if for_equality and purpose != "equality":
        return False
    if index == 1 and (name, benefit) in IMPLIED:
        return True
    form = {"WRITTEN": "form", "SIGNED": "form", "VERBAL": "verbal", "TELEPHONE SERVICE": "service"}.get(
        code(row.get("consent_form"))
    )
    given = day_of(code(row.get("consent_date" if form == "form" else "conversation_date")))
    if withdrawn(row, given, day, code):
        return False
    if for_equality:
        return True
    if form is None or given is None or given > day:
        return False
    full = form == "form" or (form == "service" and nothing)
    if (recorded is None or recorded < RULE) and (not full or given < RULE):
        return False
    if not full:
        attendance = day_of(code(row.get("next_attendance")))
        return attendance is not None and attendance > day and attendance > given
    return form == "service" or by_form(row, rows, given, day, code)


def by_form(row: dict, rows: list[dict], given: dt.date, day: dt.date, code: Said) -> bool:
    start, end = day_of(code(row["claim_start"])), day_of(code(row["claim_end"]))
    assert start is not None
    if end is not None and (day - end).days > 91:
        return False
    if given >= start:
        return True
    person, far = code(row["person_reference"]), dt.date(9999, 12, 31)
    last = []
    for other in rows:
        first, until = day_of(code(other["claim_start"])), day_of(code(other["claim_end"]))
        if until is None and code(other["claim_end"]):
            continue  # an end that is no date
        same = str(other["person_reference"]).strip(" ") == str(row["person_reference"]).strip(" ") and person
        if same and not other.get("erased") and first is not None and first <= given <= (until or far):
            last.append(until or far)
    return bool(last) and (start - max(last)).days <= 91 and code(row.get("still_relevant")) in YES
