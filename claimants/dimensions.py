"""Dimensions: the variables that counts are broken down by, from the lists in data/.

Every value of a record lands in exactly one category of a dimension or in none;
a row with none goes to the bucket "unknown code".
"""

import datetime as dt
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as attribute
from functools import cache
from itertools import pairwise
from typing import Any

from claimants.dates import whole_months_before
from common.faults import Fault, InputError
from common.resources import data_path

__all__ = ["DIMENSIONS", "Dimension", "dimension", "normal_code"]

DIMENSIONS = ("benefit", "client_group", "age_band", "sex", "duration_band")


def normal_code(text: str) -> str:
    """A code as it is compared: upper case, without surrounding blanks."""
    return text.strip(" ").upper()


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

    def __post_init__(self) -> None:
        if self.of not in ("claim", "person"):
            raise ValueError(f"of ({self.of}) must be claim or person")
        if not self.categories or len(set(self.categories)) != len(self.categories):
            raise ValueError(f"categories of {self.name} must be at least one and all different")
        if set(self.labels) != set(self.categories):
            raise ValueError(f"labels of {self.name} must be given for its categories and for nothing else")
        if "Total" in self.categories or "" in self.categories:
            raise ValueError(f"categories of {self.name} must not be blank or Total")

    def cutoffs(self, reference: dt.date) -> tuple[dt.date, ...]:
        """For bands: the latest date that reaches each band on the reference date, oldest band last."""
        return tuple(whole_months_before(reference, months) for months in self.starts)


def dimension(name: str, bands: str = "standard") -> Dimension:
    """A shipped dimension, for age and duration with the bands of that name.

    Raises
    ------
    InputError
        There is no dimension or list of bands of that name.
    """
    if name not in DIMENSIONS:
        raise _unknown("dimension", name, f"use one of {', '.join(DIMENSIONS)}")
    if name == "client_group":
        return _client_groups()
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


def _codes(entries: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    return tuple(entry["code"] for entry in entries)


def _labels(entries: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    return {entry["code"]: entry["label"] for entry in entries}
