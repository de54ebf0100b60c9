"""Dimensions: the variables that counts are broken down by, from the lists in data/.

Every value of a record lands in exactly one category of a dimension or in none;
a row with none goes to the bucket "unknown code".
"""

import datetime as dt
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from dataclasses import field as attribute
from functools import cache
from itertools import pairwise
from typing import Any

from claimants.dates import whole_months_before
from claimants.dictionary import shipped_dictionary
from claimants.text import code_of
from common.faults import Fault, InputError
from common.resources import data_path

__all__ = [
    "DIMENSIONS",
    "NO_BENEFIT",
    "SENSITIVE",
    "Dimension",
    "dimension",
    "no_benefit_spellings",
    "normal_code",
    "with_no_benefit",
]

DIMENSIONS = ("benefit", "client_group", "benefit_combination", "age_band", "sex", "duration_band")


# Fields that may harm a person if known; without valid consent a person is "not stated" in a breakdown by them.
SENSITIVE = (
    "offending_marker",
    "drugs_marker",
    "alcohol_marker",
    "health_marker",
    "refugee_marker",
    "ethnicity",
    "disability_status",
)
NO_BENEFIT = "NONE"
"""The code of a row whose person claims nothing (data/no_benefit.toml); not one of the benefits."""
PURPOSES = ("counting", "equality")


def normal_code(text: str) -> str:
    """A code as it is compared: in capitals, without surrounding blanks (`claimants.text`)."""
    return code_of(text)


@dataclass(frozen=True, kw_only=True)
class Dimension:
    """One variable of a table of counts.

    Attributes
    ----------
    name : such as "age_band"; also the column name in tables.
    field : the field of the extract it is made from.
    categories : codes in the order that tables show them.
    labels : words for each code.
    title : words for the dimension.
    of : "claim" or "person": what it says something about.  Counts of people
        may be broken down only by what is of the person.
    spellings : for a code list, how a value is written (`normal_code`) → index of its category.
    starts : for bands, the first whole month of each band, ascending (years are 12 months).
    stop : for bands, the month after the last band; None if the last band is open.
    groups : for client groups, code of a benefit → index of its group; a smaller index goes first.
    combinations : for combinations of benefits, set of codes → index of its category; every other set has the last.
    sensitive : whether it counts only as `claimants.consent` allows; its first category is then "not stated".
        Of several rows of a person, that of the row which stands for them is told, by that row's own consent.
    consent : for sensitive ones, whether the dictionary that ships asks for consent.
    purpose : what a sensitive field is read for: "counting" or "equality".
    """

    name: str
    field: str
    categories: tuple[str, ...]
    labels: Mapping[str, str]
    title: str = ""
    of: str = "claim"
    spellings: Mapping[str, int] = attribute(default_factory=dict)
    starts: tuple[int, ...] = ()
    stop: int | None = None
    groups: Mapping[str, int] = attribute(default_factory=dict)
    combinations: Mapping[frozenset[str], int] = attribute(default_factory=dict)
    sensitive: bool = False
    consent: bool = False
    purpose: str = "counting"

    def __post_init__(self) -> None:
        if self.of not in ("claim", "person"):
            raise ValueError(f"of ({self.of}) must be claim or person")
        if self.purpose not in PURPOSES:
            raise ValueError(f"purpose ({self.purpose}) must be one of {', '.join(PURPOSES)}")
        if not self.sensitive and (self.consent or self.purpose != "counting"):
            raise ValueError(f"consent and purpose of {self.name} must be left out: it is not sensitive")
        if not self.categories or len(set(self.categories)) != len(self.categories):
            raise ValueError(f"categories of {self.name} must be at least one and all different")
        if set(self.labels) != set(self.categories):
            raise ValueError(f"labels of {self.name} must be given for its categories and for nothing else")
        if "Total" in self.categories or "" in self.categories:
            raise ValueError(f"categories of {self.name} must not be blank or Total")

    @property
    def of_all_claims(self) -> bool:
        """Whether all claims of a person have a say in their category, so that no claim has one by itself."""
        return bool(self.groups or self.combinations)

    def cutoffs(self, reference: dt.date) -> tuple[dt.date, ...]:
        """For bands: the latest date that reaches each band on the reference date, oldest band last."""
        return tuple(whole_months_before(reference, months) for months in self.starts)


def dimension(name: str, bands: str = "standard", purpose: str = "counting") -> Dimension:
    """A shipped dimension, for age and duration with the bands of that name, if sensitive read for that purpose.

    Raises
    ------
    InputError
        There is no dimension or list of bands of that name.
    """
    if name in SENSITIVE:
        return _sensitive(name, purpose)
    if name not in DIMENSIONS:
        raise _unknown("dimension", name, f"use one of {', '.join((*DIMENSIONS, *SENSITIVE))}")
    if name == "client_group":
        return _client_groups()
    if name == "benefit_combination":
        return _combinations()
    if name in ("benefit", "sex"):
        return _code_list(name, "benefits.toml" if name == "benefit" else "sex.toml")
    return _bands(name, "age_bands.toml" if name == "age_band" else "durations.toml", bands)


def _unknown(kind: str, name: str, mend: str) -> InputError:
    return InputError([Fault(kind=f"unknown {kind}", key=kind, found=f"'{name}' is not known", mend=mend)])


@cache
def _raw(file: str) -> dict[str, Any]:
    return tomllib.loads(data_path(file).read_text(encoding="utf-8"))


@cache
def _code_list(name: str, file: str) -> Dimension:
    raw = _raw(file)
    entries = raw["category"]
    return Dimension(
        name=name,
        field=name,
        title=raw["title"],
        of="person" if name == "sex" else "claim",
        categories=_codes(entries),
        labels=_labels(entries),
        spellings=_spellings(file, entries),
    )


def _spellings(file: str, entries: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    spellings: dict[str, int] = {}
    for index, entry in enumerate(entries):
        for text in (entry["code"], *entry.get("spellings", ())):
            if spellings.setdefault(normal_code(text), index) != index:
                raise ValueError(f"spelling ({text}) in {file} must belong to one category")
    return spellings


@cache
def _bands(name: str, file: str, bands: str) -> Dimension:
    raw = _raw(file)
    lists = [key for key, value in raw.items() if isinstance(value, list)]
    if bands not in lists:
        raise _unknown("bands", bands, f"use one of {', '.join(lists)}")
    entries = raw[bands]
    for entry, following in pairwise(entries):
        if entry.get("to") != following["from"] - 1:
            raise ValueError(f"band {entry['code']} in {file} must end where the next begins")
    months = 12 if raw["unit"] == "years" else 1
    last = entries[-1].get("to")
    return Dimension(
        name=name,
        field="birth_date" if name == "age_band" else "claim_start",
        title=raw["title"],
        of="person" if name == "age_band" else "claim",
        categories=_codes(entries),
        labels=_labels(entries),
        starts=tuple(entry["from"] * months for entry in entries),
        stop=None if last is None else (last + 1) * months,
    )


@cache
def _client_groups() -> Dimension:
    raw = _raw("client_groups.toml")
    entries = raw["group"]
    groups: dict[str, int] = {}
    for index, entry in enumerate(entries):
        for benefit in entry["benefits"]:
            if benefit in groups:
                raise ValueError(f"benefit ({benefit}) in client_groups.toml must be in one group")
            groups[benefit] = index
    if set(groups) != set(dimension("benefit").categories):
        raise ValueError("client_groups.toml must place every benefit of benefits.toml and no other")
    return Dimension(
        name="client_group",
        field="benefit",
        title=raw["title"],
        of="person",
        categories=_codes(entries),
        labels=_labels(entries),
        groups=groups,
    )


@cache
def _combinations() -> Dimension:
    raw = _raw("benefit_combinations.toml")
    entries = [*raw["combination"], raw["other"]]
    sets = [frozenset(entry["benefits"]) for entry in raw["combination"]]
    if len(set(sets)) != len(sets) or not all(sets):
        raise ValueError("combinations in benefit_combinations.toml must be all different, none of no benefit")
    if frozenset[str]().union(*sets) - set(dimension("benefit").categories):
        raise ValueError("combinations in benefit_combinations.toml must be of benefits of benefits.toml")
    return Dimension(
        name="benefit_combination",
        field="benefit",
        title=raw["title"],
        of="person",
        categories=_codes(entries),
        labels=_labels(entries),
        combinations={one: index for index, one in enumerate(sets)},
    )


@cache
def _sensitive(name: str, purpose: str) -> Dimension:
    file = "ethnicity.toml" if name == "ethnicity" else "markers.toml"
    raw = _raw(file)
    entries = raw["category"]
    if "" not in map(normal_code, entries[0].get("spellings", ())):
        raise ValueError(f"the first category of {file} must be that of blanks: not stated")
    return Dimension(
        name=name,
        field=name,
        title=raw["title"] if isinstance(raw["title"], str) else raw["title"][name],
        of="person",
        categories=_codes(entries),
        labels=_labels(entries),
        spellings=_spellings(file, entries),
        sensitive=True,
        consent=shipped_dictionary().fields[name].consent,
        purpose=purpose,
    )


def no_benefit_spellings() -> tuple[str, ...]:
    """How an extract says that a person claims nothing (`normal_code`), the code itself first."""
    raw = _raw("no_benefit.toml")
    spellings = tuple(normal_code(text) for text in (NO_BENEFIT, *raw["spellings"]))
    if raw["code"] != NO_BENEFIT or set(spellings) & set(dimension("benefit").spellings):
        raise ValueError(f"no_benefit.toml must have the code {NO_BENEFIT} and no spelling of a benefit")
    return spellings


def with_no_benefit(one: Dimension) -> Dimension:
    """Benefits or client groups with a category more, the last, for people who claim nothing; others as they are."""
    if one.name not in ("benefit", "client_group") or NO_BENEFIT in one.categories:
        return one
    label = _raw("no_benefit.toml")["label"]
    return replace(
        one,
        categories=(*one.categories, NO_BENEFIT),
        labels={**one.labels, NO_BENEFIT: label},
        groups={**one.groups, NO_BENEFIT: len(one.categories)} if one.groups else {},
    )


def _codes(entries: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    return tuple(entry["code"] for entry in entries)


def _labels(entries: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    return {entry["code"]: entry["label"] for entry in entries}
