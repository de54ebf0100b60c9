"""The policy file: whose markers may be counted, for what, on which lawful basis, as data that a reviewer can read.

What the rules mean is written in `claimants.consent`; here is what a file may say, read with
every fault at once.  The example that ships is ``data/policies/staff-guide.toml``.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cache
from pathlib import Path
from typing import Any

from claimants.dimensions import SENSITIVE, dimension, normal_code
from claimants.tomltext import read_toml
from common.faults import Faults
from common.resources import data_path

__all__ = ["BASES", "RULES", "Form", "Policy", "PolicyRule", "read_policy", "shipped_policy"]

BASES = ("UK GDPR, Article 6", "UK GDPR, Article 9", "UK GDPR, Article 10")
# Every rule that a policy must state, and what each must say beside its sentence and basis.
RULES: Mapping[str, tuple[str, ...]] = {
    "written-consent": (),
    "while-live": ("weeks",),
    "new-claim": ("weeks",),
    "retrospective": ("recorded_before",),
    "verbal": (),
    "claims-nothing": (),
    "telephone-service": (),
    "implied": ("markers",),
    "equality": ("always", "where_given", "words"),
    "withdrawal": (),
    "not-stated": (),
    "special-protection": (),
}


class Form(IntEnum):
    """How consent was given; what a record says otherwise is no consent."""

    WRITTEN = 0
    VERBAL = 1
    TELEPHONE_SERVICE = 2
    OTHER_CALL = 3


@dataclass(frozen=True, kw_only=True)
class PolicyRule:
    """One rule in words: its name, its sentence, and the articles it rests on, of `BASES`."""

    id: str
    sentence: str
    basis: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Policy:
    """The rules from a day on.

    Attributes
    ----------
    valid_from : no earlier reference date may be judged by it.
    rules : in words, one for each name of `RULES`.
    days_after_claim : consent holds so many days after the claim it was given for ends, the last one included.
    days_to_new_claim : a new claim may rely on it that starts so many days after that end at the latest.
    recorded_before : markers recorded before this day need full consent given on it or later.
    implied : marker → codes of the benefits that imply it.
    equality_always : fields that are given for equality monitoring alone.
    equality_where_given : fields that are where the record says so, in one of `equality_words`.
    forms : how an extract writes a kind of consent (`normal_code`) → the kind.

    Raises
    ------
    ValueError
        A rule is missing or told twice, has no sentence or another basis than `BASES`, a number of days is
        below 0, or a field or benefit is none.
    """

    title: str
    valid_from: dt.date
    rules: tuple[PolicyRule, ...]
    days_after_claim: int
    days_to_new_claim: int
    recorded_before: dt.date
    implied: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    equality_always: tuple[str, ...] = ()
    equality_where_given: tuple[str, ...] = ()
    equality_words: tuple[str, ...] = ()
    forms: Mapping[str, Form] = field(default_factory=dict)
    note: str = ""
    example: bool = False

    def __post_init__(self) -> None:
        if sorted(rule.id for rule in self.rules) != sorted(RULES):
            raise ValueError(f"rules must be {', '.join(RULES)}, each once")
        for rule in self.rules:
            if not rule.sentence or not rule.basis or not set(rule.basis) <= set(BASES):
                raise ValueError(f"rule {rule.id} must have a sentence and a basis of {'; '.join(BASES)}")
        if min(self.days_after_claim, self.days_to_new_claim) < 0:
            raise ValueError("days_after_claim and days_to_new_claim must be 0 or more")
        strange = {*self.implied, *self.equality_always, *self.equality_where_given} - set(SENSITIVE)
        if strange:
            raise ValueError(f"field ({min(strange)}) must be one of {', '.join(SENSITIVE)}")
        codes = {code for benefits in self.implied.values() for code in benefits}
        if codes - set(dimension("benefit").categories):
            raise ValueError("implied must name benefits of the code list")

    def rule(self, id: str) -> PolicyRule:
        """The rule of that name."""
        return next(rule for rule in self.rules if rule.id == id)


@cache
def shipped_policy() -> Policy:
    """The example that ships: rules as staff guides once had them."""
    return read_policy(data_path("policies/staff-guide.toml"))


def read_policy(path: Path) -> Policy:
    """A policy from its TOML file.

    Raises
    ------
    InputError
        The file cannot be read or says what a policy may not; every fault is told.
    """
    faults = Faults(str(path))
    raw = read_toml(path, faults)
    faults.raise_if_any()
    for key in (key for key in raw if key not in ("title", "example", "valid_from", "note", "forms", "rule")):
        faults.add("unknown key", "is not known here", "leave it out", key=key)
    words = {rule: entry for rule, entry in _rules(raw.get("rule"), faults).items() if rule in RULES}
    ask = _Asker(raw, words, faults)
    forms = _forms(raw.get("forms"), faults)
    given: dict[str, Any] = {
        "title": ask.top("title", _is_words, "words"),
        "valid_from": ask.top("valid_from", _is_day, "a day, such as 2021-01-01"),
        "note": ask.top("note", _is_words, "words") if "note" in raw else "",
        "example": raw.get("example") is True,
        "forms": forms,
        "days_after_claim": ask.days("while-live"),
        "days_to_new_claim": ask.days("new-claim"),
        "recorded_before": ask.of("retrospective", "recorded_before", _is_day, "a day, such as 2021-01-01"),
        "implied": ask.of("implied", "markers", _implies, "markers with the codes of the benefits that imply them"),
        "equality_always": ask.of("equality", "always", _are_fields, f"a list of {', '.join(SENSITIVE)}"),
        "equality_where_given": ask.of("equality", "where_given", _are_fields, f"a list of {', '.join(SENSITIVE)}"),
        "equality_words": ask.of("equality", "words", _are_words, "a list of words"),
    }
    faults.raise_if_any()
    rules = (PolicyRule(id=id, sentence=one["sentence"], basis=tuple(one["basis"])) for id, one in words.items())
    implied = {marker: tuple(codes) for marker, codes in given.pop("implied").items()}
    for name in ("equality_always", "equality_where_given"):
        given[name] = tuple(given[name])
    given["equality_words"] = tuple(normal_code(word) for word in given["equality_words"])
    return Policy(rules=tuple(rules), implied=implied, **given)


@dataclass(frozen=True)
class _Asker:
    """Values of a policy file, each looked at once; None, with a fault, where one is not as it must be."""

    raw: Mapping[str, Any]
    words: Mapping[str, Mapping[str, Any]]
    faults: Faults

    def top(self, key: str, fits: Callable[[Any], bool], must: str) -> Any:
        return self._checked(self.raw, key, key, fits, must)

    def of(self, rule: str, key: str, fits: Callable[[Any], bool], must: str) -> Any:
        # A rule that is missing is told once, for itself.
        return self._checked(self.words[rule], key, f"rule.{rule}.{key}", fits, must) if rule in self.words else None

    def days(self, rule: str) -> int:
        weeks = self.of(rule, "weeks", _is_number, "a whole number of weeks, 0 or more")
        return 7 * (weeks or 0)

    def _checked(self, where: Mapping[str, Any], key: str, told: str, fits: Callable[[Any], bool], must: str) -> Any:
        if key not in where:
            self.faults.add("missing", "is missing", f"write {must}", key=told)
        elif not fits(where[key]):
            self.faults.add("value", "is not of its form", f"write {must}", key=told)
        else:
            return where[key]
        return None


def _rules(entries: object, faults: Faults) -> dict[str, Mapping[str, Any]]:
    """The rules by name; faults for those that are missing, unknown, told twice or without sentence and basis."""
    found: dict[str, Mapping[str, Any]] = {}
    for number, entry in enumerate(entries if isinstance(entries, list) else (), start=1):
        id = entry.get("id") if isinstance(entry, dict) else None
        if not isinstance(id, str) or id not in RULES:
            faults.add("rule", "has no name that is known", f"use {', '.join(RULES)}", key=f"rule {number}.id")
            continue
        key = f"rule.{id}"
        if id in found:
            faults.add("rule", "stands there twice", "state it once", key=key)
        found[id] = entry
        if not _is_words(entry.get("sentence")):
            faults.add("missing", "has no sentence", "say in plain words what it asks", key=f"{key}.sentence")
        basis = entry.get("basis")
        if not _are_words(basis) or not basis or not set(basis) <= set(BASES):
            faults.add("basis", "has no lawful basis that is known", f"use {'; '.join(BASES)}", key=f"{key}.basis")
        for one in (one for one in entry if one not in ("id", "sentence", "basis", *RULES[id])):
            faults.add("unknown key", "is not known here", "leave it out", key=f"{key}.{one}")
    for id in (id for id in RULES if id not in found):
        faults.add("rule", "is missing", "state it", key=f"rule.{id}")
    return found


def _forms(entry: object, faults: Faults) -> dict[str, Form]:
    found: dict[str, Form] = {}
    must = f"for each of {', '.join(form.name.lower() for form in Form)} a list of words"
    if not isinstance(entry, dict) or sorted(entry) != sorted(form.name.lower() for form in Form):
        faults.add("forms", "does not name every kind of consent and no other", f"write {must}", key="forms")
        return found
    for form in Form:
        words = entry[form.name.lower()]
        if not _are_words(words):
            faults.add("value", "is not of its form", f"write {must}", key=f"forms.{form.name.lower()}")
            continue
        for word in map(normal_code, words):
            if not word or found.setdefault(word, form) is not form:
                mend = "let each word stand for one kind of consent, and a blank for none"
                faults.add("forms", f"'{word}' is blank or has two meanings", mend, key=f"forms.{form.name.lower()}")
    return found


def _is_words(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_day(value: object) -> bool:
    return isinstance(value, dt.date) and not isinstance(value, dt.datetime)


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 520


def _are_words(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _are_fields(value: object) -> bool:
    return isinstance(value, list) and all(one in SENSITIVE for one in value)


def _implies(value: object) -> bool:
    benefits = dimension("benefit").categories
    return isinstance(value, dict) and all(
        marker in SENSITIVE and _are_words(codes) and set(codes) <= set(benefits) for marker, codes in value.items()
    )
