"""How long records may be kept, and what a removal request may do: the rules, one by one.

**Months** are counted by the calendar: so many months after a day are over on the first
day on which `claimants.dates.whole_months_before` says so.  14 months after 28 February
2025 are over on 28 April 2026; six months after 31 August on 1 March, since no February
has a 31st, and in a leap year too, since none has a 30th.  Days are days: 14 days after
the 1st are over on the 15th.

**What is due.**  A rule says what is done with a file or a record (`anonymise`, `delete`),
after which event (the day it was received, the end of the project, the end of the claim)
and how long after.  It is due on the day on which that time is over, and stays due.
A claim without an end is live, a claim that ends in the future too: nothing is due for them.
A record under a fraud hold is never deleted while the hold lasts.

**Removal requests.**  The records of the person are removed, unless, in this order,

1. a fraud hold lies on them;
2. the policy has an audit period and the claim is live, or its end cannot be read;
3. the audit period after the end of the claim is not over.

Such a request is parked with that reason, and tried again by each later run.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from claimants.dates import whole_months_before
from claimants.dictionary import CLASSES, PURPOSES, Dictionary

__all__ = [
    "ACTIONS",
    "EVENTS",
    "PARKED",
    "Anonymising",
    "Fate",
    "Record",
    "Removal",
    "RetentionPolicy",
    "Rule",
    "check_anonymising",
    "fate_of",
    "first_day_over",
    "log_is_over",
]

ACTIONS = ("anonymise", "delete")
EVENTS = ("received", "project end", "claim end")
_ONE_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What is done, after which event, and how long after: exactly one of `days` and `months`.

    Raises
    ------
    ValueError
        Action or event is unknown, the time is missing or told twice, or records are to be anonymised one by one.
    """

    action: str
    after: str
    days: int | None = None
    months: int | None = None

    def __post_init__(self) -> None:
        if self.action not in ACTIONS:
            raise ValueError(f"action ({self.action}) must be one of {', '.join(ACTIONS)}")
        if self.after not in EVENTS:
            raise ValueError(f"after ({self.after}) must be one of {', '.join(EVENTS)}")
        if (self.days is None) == (self.months is None):
            raise ValueError("a rule must say either days or months")
        if self.action == "anonymise" and self.after == "claim end":
            raise ValueError("anonymise must follow received or project end: single records cannot be anonymised")
        if min(value for value in (self.days, self.months) if value is not None) < 0:
            raise ValueError("days and months must be 0 or more")

    @property
    def told(self) -> str:
        """The rule in a few words, such as ``6 months after project end``."""
        number, unit = (self.days, "day") if self.months is None else (self.months, "month")
        return f"{number} {unit}{'' if number == 1 else 's'} after {self.after}"

    def due_day(self, event: dt.date) -> dt.date:
        """The first day on which the rule's time after the event is over."""
        if self.months is not None:
            return first_day_over(event, self.months)
        return event + (self.days or 0) * _ONE_DAY


@dataclass(frozen=True, kw_only=True)
class Anonymising:
    """What is left of a record: fields kept as they stand, as a year, as a month; `min_group` records share each row."""

    keep: tuple[str, ...] = ()
    year: tuple[str, ...] = ()
    month: tuple[str, ...] = ()
    min_group: int = 10

    @property
    def forms(self) -> Mapping[str, str]:
        """Every field that is left, with the form it is left in, in order."""
        return (
            {name: "as it stands" for name in self.keep}
            | {name: "year" for name in self.year}
            | {name: "month" for name in self.month}
        )


@dataclass(frozen=True, kw_only=True)
class Removal:
    """Removal requests: grades that may approve, how long they are logged, what they wait for."""

    approvers: tuple[str, ...]
    log_months: int = 12
    audit_months: int | None = None
    fraud_hold: bool = False


@dataclass(frozen=True, kw_only=True)
class RetentionPolicy:
    """How long what serves one purpose may be kept.

    Raises
    ------
    ValueError
        Two rules do the same, files are to be anonymised and nothing says what is left, or a purpose is unknown.
    """

    id: str
    title: str
    purpose: str
    rules: tuple[Rule, ...]
    removal: Removal
    anonymising: Anonymising | None = None
    example: bool = False

    def __post_init__(self) -> None:
        if self.purpose not in PURPOSES:
            raise ValueError(f"purpose ({self.purpose}) must be one of {', '.join(PURPOSES)}")
        actions = [rule.action for rule in self.rules]
        if len(set(actions)) != len(actions):
            raise ValueError("rules must not name an action twice")
        if ("anonymise" in actions) != (self.anonymising is not None):
            raise ValueError("a rule to anonymise and the table [anonymise] must stand together")
        by_record = any(rule.after == "claim end" for rule in self.rules)
        if by_record and "anonymise" in actions:
            raise ValueError(
                "files that are anonymised must not be deleted after claim end: no such day is left in them"
            )
        if not by_record and (self.removal.audit_months is not None or self.removal.fraud_hold):
            raise ValueError("audit_months and fraud_hold must stand with a rule that deletes after claim end")

    def rule(self, action: str) -> Rule | None:
        """The rule for an action, if there is one."""
        return next((rule for rule in self.rules if rule.action == action), None)


def check_anonymising(policy: RetentionPolicy, dictionary: Dictionary) -> list[str]:
    """What an anonymised copy would keep beyond what the dictionary gives its purpose, a sentence each."""
    found = []
    for name, form in (policy.anonymising.forms if policy.anonymising else {}).items():
        field = dictionary.fields.get(name)
        if field is None:
            found.append(f"{name} is no field of the data dictionary")
            continue
        kept = field.forms[-1] if form == "as it stands" and field.forms else form
        if field.kind in CLASSES[:2]:
            found.append(f"{name} names or leads to a person ({field.kind})")
        elif kept not in field.forms:
            found.append(f"{name} has no form '{kept}'")
        elif not field.coarse_enough(policy.purpose, kept):
            finest = field.purposes.get(policy.purpose)
            found.append(
                f"{name} must not be kept {kept} for {policy.purpose}" + (f": {finest} will do" if finest else "")
            )
    return found


# --- Time ---------------------------------------------------------------------------------------


def first_day_over(event: dt.date, months: int) -> dt.date:
    """The first day on which `months` whole months after `event` are over.

    >>> first_day_over(dt.date(2025, 2, 28), 14)
    datetime.date(2026, 4, 28)
    >>> first_day_over(dt.date(2025, 8, 31), 6)
    datetime.date(2026, 3, 1)
    >>> first_day_over(dt.date(2024, 2, 29), 12)
    datetime.date(2025, 3, 1)
    """
    index = event.year * 12 + event.month - 1 + months
    year, month = index // 12, index % 12 + 1
    if year > dt.MAXYEAR:
        return dt.date.max
    try:
        return dt.date(year, month, event.day)
    except (
        ValueError
    ):  # the month has no such day: over on the first of the next, which December, having 31, never needs
        return dt.date(year, month + 1, 1)


def log_is_over(closed: dt.date, policy: RetentionPolicy, day: dt.date) -> bool:
    """Whether what was logged on `closed` may no longer be kept on `day`."""
    return day >= first_day_over(closed, policy.removal.log_months)


# --- One record ---------------------------------------------------------------------------------


class Fate(Enum):
    """What becomes of a record, with the words for it."""

    KEPT = "kept"
    DUE = "due to be deleted"
    HELD = "due, but under a fraud hold"
    UNREADABLE = "end of the claim is no date"
    REMOVED = "removed at request"
    PARKED_HOLD = "under a fraud hold"
    PARKED_LIVE = "the claim is live"
    PARKED_UNREADABLE = "the end of the claim is no date"
    PARKED_AUDIT = "inside the audit period"


PARKED = (Fate.PARKED_HOLD, Fate.PARKED_LIVE, Fate.PARKED_UNREADABLE, Fate.PARKED_AUDIT)
"""Why a removal request waits, the first reason that holds first."""


@dataclass(frozen=True, kw_only=True)
class Record:
    """What the rules look at: the end of the claim (None: blank), whether it could be read, hold and request."""

    end: dt.date | None = None
    readable: bool = True
    hold: bool = False
    requested: bool = False


def fate_of(record: Record, policy: RetentionPolicy, day: dt.date) -> Fate:
    """What becomes of a record on a day, by the rules at the head of this module."""
    live = record.readable and (record.end is None or record.end > day)
    if record.requested:
        return _fate_of_requested(record, policy, day, live)
    rule = policy.rule("delete")
    if rule is None or rule.after != "claim end":
        return Fate.KEPT
    if not record.readable:
        return Fate.UNREADABLE
    if live or record.end is None or day < rule.due_day(record.end):
        return Fate.KEPT
    return Fate.HELD if record.hold else Fate.DUE


def _fate_of_requested(record: Record, policy: RetentionPolicy, day: dt.date, live: bool) -> Fate:
    if record.hold:
        return Fate.PARKED_HOLD
    if policy.removal.audit_months is None:
        return Fate.REMOVED
    if not record.readable:
        return Fate.PARKED_UNREADABLE
    if live or record.end is None:
        return Fate.PARKED_LIVE
    over = record.end <= whole_months_before(day, policy.removal.audit_months)
    return Fate.REMOVED if over else Fate.PARKED_AUDIT
