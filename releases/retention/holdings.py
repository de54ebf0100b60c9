"""What a folder holds, how long it may be kept, and who asked for what to go: three kinds of TOML file.

``holdings.toml`` lies beside the data and says purpose, policy, dates and files; a policy
says how long; a file of removal requests names persons and is private.
"""

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from claimants.dictionary import shipped_dictionary
from claimants.keptfiles import FileForm
from claimants.retention import Anonymising, Removal, RetentionPolicy, Rule, check_anonymising
from common.faults import Fault, Faults, InputError
from common.resources import data_path
from releases.files.tomlfile import Part, read_model

__all__ = [
    "HOLDINGS",
    "RESERVED",
    "STATE",
    "HeldFile",
    "Holdings",
    "PolicyFile",
    "RemovalRequest",
    "RemovalRequests",
    "read_policies",
    "read_removals",
]

HOLDINGS, STATE, STAGING = "holdings.toml", "retention.json", ".smallarea-retention"
RESERVED = (HOLDINGS, STATE, STAGING)
FOLDER = "retention"
Words = Annotated[str, Field(min_length=1, max_length=500)]
Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=60)]


class HeldFile(Part):
    """``[[file]]``: one file of the folder and how it is written."""

    path: Words
    columns: dict[str, str] = Field(default_factory=dict)
    hold: str = ""
    dates: Literal["iso", "day-first"] = "iso"
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","

    @field_validator("path")
    @classmethod
    def _plain(cls, path: str) -> str:
        if path in (".", "..") or any(sign in path for sign in "/\\\0"):
            raise ValueError("is no plain name: name a file of this folder; a folder inside it has holdings of its own")
        if path in RESERVED or path.startswith("."):
            raise ValueError("is a name that retention keeps for itself, or hidden: rename the file")
        if not path.endswith((".csv", ".parquet")):
            raise ValueError("is neither .csv nor .parquet: save it as one of them")
        return path

    def form(self, folder: str) -> FileForm:
        """How the file is read; `folder` stands before its name in messages."""
        ending = self.path.rpartition(".")[2]
        return FileForm(
            name=f"{folder}/{self.path}",
            form=ending,
            columns=self.columns,
            hold=self.hold,
            dates=self.dates,
            delimiter=self.delimiter,
        )


class Holdings(Part):
    """The whole ``holdings.toml``."""

    purpose: Words
    policy: Slug
    received: dt.date | None = None
    project_end: dt.date | None = None
    file: Annotated[tuple[HeldFile, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _agrees(self) -> "Holdings":
        twice = [name for name, times in Counter(one.path for one in self.file).items() if times > 1]
        if twice:
            raise ValueError(f"a file is named twice ({', '.join(twice)}): name it once")
        if self.received and self.project_end and self.project_end < self.received:
            raise ValueError("project_end is before received: correct one of them")
        return self

    def event(self, after: str) -> dt.date | None:
        """The day of an event of the policy's rules that is told for the folder; None where it is not known yet."""
        return {"received": self.received, "project end": self.project_end}.get(after)

    def check(self, policy: RetentionPolicy, faults: Faults) -> None:
        """Note a fault for everything that the policy needs and the holdings do not say."""
        for rule in policy.rules:
            if rule.after == "received" and self.received is None:
                faults.add("missing", "is missing, and the policy counts from it", "add it", key="received")
        for at, one in enumerate(self.file, start=1):
            if policy.removal.fraud_hold and not one.hold:
                found = "is missing, and records of this policy may be under a fraud hold"
                faults.add("missing", found, "name the column that says so", key=f"file.{at}.hold")
            for field in one.columns:
                if field not in shipped_dictionary().fields:
                    found = f"'{field}' is no field of the data dictionary"
                    faults.add("unknown field", found, "correct it", key=f"file.{at}.columns")


class _RulePart(Part):
    action: Words
    after: Words
    days: int | None = None
    months: int | None = None


class _AnonymisePart(Part):
    keep: tuple[Words, ...] = ()
    year: tuple[Words, ...] = ()
    month: tuple[Words, ...] = ()
    min_group: Annotated[int, Field(ge=2)] = 10


class _RemovalPart(Part):
    approvers: Annotated[tuple[Words, ...], Field(min_length=1)]
    log_months: Annotated[int, Field(ge=0)] = 12
    audit_months: Annotated[int | None, Field(ge=0)] = None
    fraud_hold: bool = False


class PolicyFile(Part):
    """The whole of a retention policy."""

    id: Slug
    title: Words
    example: bool = False
    purpose: Words
    rule: Annotated[tuple[_RulePart, ...], Field(min_length=1)]
    anonymise: _AnonymisePart | None = None
    removal: _RemovalPart


class RemovalRequest(Part):
    """``[[request]]``: whose records are to go, who asked, and who approved."""

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]*$", max_length=60)]
    received: dt.date
    asked_by: Literal["the person", "a representative", "the data protection officer", "the supplier of the data"]
    what: Literal["remove all records"]
    person: Words
    approved_by: Words
    approved: dt.date

    @model_validator(mode="after")
    def _in_order(self) -> "RemovalRequest":
        if self.approved < self.received:
            raise ValueError("approved is before received: correct one of them")
        if not self.person.strip():
            raise ValueError("person is blank: give the reference that the records have")
        return self


class RemovalRequests(Part):
    """The whole file of removal requests."""

    request: Annotated[tuple[RemovalRequest, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _once(self) -> "RemovalRequests":
        twice = [name for name, times in Counter(one.id for one in self.request).items() if times > 1]
        if twice:
            raise ValueError(f"an id is used twice ({', '.join(twice)}): give each request its own")
        return self


def read_policies(given: Sequence[str]) -> dict[str, RetentionPolicy]:
    """Policies by id; each is given as a file, or as the name of one that ships.

    Raises
    ------
    InputError
        A policy cannot be read, says what it may not, or two have the same id; every fault is told.
    """
    faults = Faults()
    found: dict[str, RetentionPolicy] = {}
    for name in given:
        try:
            policy = _read_policy(_path_of(name))
        except InputError as error:
            faults.extend(error)
            continue
        if policy.id in found:
            faults.add("policy", f"the id '{policy.id}' is used twice", "give each policy its own", file=name, key="id")
        found[policy.id] = policy
    faults.raise_if_any()
    return found


def _path_of(name: str) -> Path:
    path = Path(name)
    if path.suffix == ".toml" or path.exists():
        return path
    try:
        return data_path(f"{FOLDER}/{name}.toml") if name.replace("-", "").isalnum() else path
    except FileNotFoundError:
        shipped = ", ".join(sorted(one.stem for one in data_path(FOLDER).glob("*.toml")))
        fault = Fault(
            kind="policy", file=name, found="there is no such policy", mend=f"give a file, or one of {shipped}"
        )
        raise InputError([fault]) from None


def _read_policy(path: Path) -> RetentionPolicy:
    plain = read_model(path, PolicyFile, "a retention policy")
    faults = Faults(str(path))
    rules = []
    for at, one in enumerate(plain.rule, start=1):
        try:
            rules.append(Rule(**one.model_dump()))
        except ValueError as error:
            faults.add("rule", str(error), "correct it", key=f"rule.{at}")
    faults.raise_if_any()
    try:
        policy = RetentionPolicy(
            id=plain.id,
            title=plain.title,
            example=plain.example,
            purpose=plain.purpose,
            rules=tuple(rules),
            anonymising=None if plain.anonymise is None else Anonymising(**plain.anonymise.model_dump()),
            removal=Removal(**plain.removal.model_dump()),
        )
    except ValueError as error:
        faults.add("policy", str(error), "correct it", key="the whole file")
    faults.raise_if_any()
    for sentence in check_anonymising(policy, shipped_dictionary()):
        faults.add("too fine", sentence, "take it out, or keep a coarser form", key="anonymise")
    faults.raise_if_any()
    return policy


def read_removals(path: Path, policies: Sequence[RetentionPolicy], day: dt.date) -> tuple[RemovalRequest, ...]:
    """Removal requests, each approved by a grade that every policy names.

    Raises
    ------
    InputError
        The file says what it may not, a request is of a day to come, or a grade may not approve; no
        message holds a person's reference.
    """
    requests = read_model(path, RemovalRequests, "a file of removal requests").request
    faults = Faults(str(path))
    for at, one in enumerate(requests, start=1):
        for name, date in (("received", one.received), ("approved", one.approved)):
            if date > day:
                faults.add("dates", f"is after {day.isoformat()}", "correct it, or wait", key=f"request.{at}.{name}")
        for policy in policies:
            if one.approved_by not in policy.removal.approvers:
                found = f"'{one.approved_by}' may not approve removals under the policy {policy.id}"
                mend = f"have it approved by one of {', '.join(policy.removal.approvers)}"
                faults.add("grade", found, mend, key=f"request.{at}.approved_by")
    faults.raise_if_any()
    return requests
