"""The data dictionary: what each field of an extract is, what it may serve, and in which form.

Fields, purposes and forms are data (``data/dictionary.toml``); a release may add fields
of its own and narrow those that ship, never widen them.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from claimants.tomltext import read_toml
from common.faults import Faults
from common.resources import data_path

__all__ = ["CLASSES", "PURPOSES", "Dictionary", "Field", "read_dictionary", "shipped_dictionary"]

CLASSES = ("identifier", "contact", "quasi-identifier", "sensitive", "free text", "operational")
PURPOSES = ("linking", "counting", "placing", "erasure", "consent", "equality", "research", "operations")
# What sensitive fields may serve: groups of people, or the person themselves.
OF_SENSITIVE = ("counting", "equality", "research", "operations")
KEYS = (
    "label",
    "class",
    "forms",
    "purposes",
    "retention",
    "sources",
    "finest_area",
    "consent",
    "erased",
    "decisive",
)


@dataclass(frozen=True, kw_only=True)
class Field:
    """One field of an extract.

    Attributes
    ----------
    name : the word by which code and RELEASE.toml call the field.
    kind : its class, one of `CLASSES`.
    forms : the forms it may be given in, the coarsest first: an age band, a year, the date as it stands.
    purposes : purpose, of `PURPOSES` → the finest form that serves it; none means that it is never read.
    retention : how long it may be kept, a key of `Dictionary.retention`.
    sources : where it is found, keys of `Dictionary.sources`.
    finest_area : the smallest areas that figures by it may be shown for; blank where it sets no bound.
    consent : whether it counts only with valid consent.
    erased : how the field looks in a record that was erased ("" is blank); none if it tells nothing.
    decisive : whether that sign alone says that the record was erased.

    Raises
    ------
    ValueError
        Class, purpose or form is unknown; free text has a purpose; a sensitive field serves to link or place; consent
        is asked for a field that is not sensitive; or an erasure sign stands on a field that may not be read for erasure.
    """

    name: str
    label: str
    kind: str
    forms: tuple[str, ...] = ()
    purposes: Mapping[str, str] = field(default_factory=dict)
    retention: str = ""
    sources: tuple[str, ...] = ()
    finest_area: str = ""
    consent: bool = False
    erased: tuple[str, ...] = ()
    decisive: bool = False

    def __post_init__(self) -> None:
        if self.kind not in CLASSES:
            raise ValueError(f"class ({self.kind}) of field {self.name} must be one of {', '.join(CLASSES)}")
        for purpose, form in self.purposes.items():
            if purpose not in PURPOSES:
                raise ValueError(f"purpose ({purpose}) of field {self.name} must be one of {', '.join(PURPOSES)}")
            if form not in self.forms:
                raise ValueError(
                    f"form ({form}) of field {self.name} must be one of its forms: {', '.join(self.forms)}"
                )
        if self.kind == "free text" and (self.purposes or self.forms):
            raise ValueError(f"purposes and forms of field {self.name} must be empty: its class is {self.kind}")
        wrong = [purpose for purpose in self.purposes if purpose not in OF_SENSITIVE]
        if self.kind == "sensitive" and wrong:
            raise ValueError(f"purpose ({wrong[0]}) of field {self.name} must not be given: its class is {self.kind}")
        if self.kind != "sensitive" and (self.consent or self.finest_area):
            raise ValueError(f"consent and finest_area of field {self.name} must be left out: it is not sensitive")
        if bool(self.erased) != ("erasure" in self.purposes):
            raise ValueError(f"field {self.name} must have both or none of erased signs and the purpose erasure")

    def coarse_enough(self, purpose: str, form: str) -> bool:
        """Whether a form is as coarse as the purpose allows."""
        return purpose in self.purposes and self.forms.index(form) <= self.forms.index(self.purposes[purpose])


@dataclass(frozen=True, kw_only=True)
class Dictionary:
    """All fields that can be asked for, by name, with the words for purposes, sources and retention."""

    fields: Mapping[str, Field]
    purposes: Mapping[str, str] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)
    retention: Mapping[str, str] = field(default_factory=dict)

    def permit(self, name: str, purpose: str, form: str | None = None) -> Field:
        """The field, if it may be read for the purpose, in `form` or, where none is named, in what serves the purpose.

        Raises
        ------
        PermissionError
            The dictionary does not hold the field, it is free text, it does not serve the purpose, or a coarser form
            does; the sentence says which would do.
        """
        found = self.fields.get(name)
        if found is None:
            raise PermissionError(f"field ({name}) must be in the data dictionary to be read")
        if found.kind == "free text":
            raise PermissionError(f"field ({name}) is free text, which may hold anything, and must never be read")
        if purpose not in found.purposes:
            others = ", ".join(found.purposes) or "nothing"
            raise PermissionError(
                f"field ({name}) is {found.kind} and must not be read for {purpose}; it serves {others}"
            )
        if form is not None and form not in found.forms:
            raise PermissionError(f"field ({name}) has no form '{form}': use {', '.join(found.forms)}")
        if form is not None and not found.coarse_enough(purpose, form):
            raise PermissionError(
                f"field ({name}) must not be read {form} for {purpose}: {found.purposes[purpose]} will do"
            )
        return found

    def erasure_signs(self, *, decisive: bool) -> tuple[Field, ...]:
        """Fields whose look says that a record was erased: alone (`decisive`) or with others."""
        return tuple(one for one in self.fields.values() if one.erased and one.decisive is decisive)


@cache
def shipped_dictionary() -> Dictionary:
    """The dictionary that ships with smallarea."""
    raw = tomllib.loads(data_path("dictionary.toml").read_text(encoding="utf-8"))
    return Dictionary(
        fields={name: _field(name, entry) for name, entry in raw["field"].items()},
        purposes=raw["purpose"],
        sources=raw["source"],
        retention=raw["retention"],
    )


def read_dictionary(path: Path) -> Dictionary:
    """The shipped dictionary with the ``[field.NAME]`` of a release's own file.

    A field that ships may be narrowed: fewer purposes, coarser forms, larger areas stand as they are told
    there; what is left out of it stays.

    Raises
    ------
    InputError
        The file cannot be read, says what a dictionary has not, or would widen a field that ships; every fault is told.
    """
    faults, shipped = Faults(str(path)), shipped_dictionary()
    raw = read_toml(path, faults)
    for key in (key for key in raw if key != "field"):
        faults.add("unknown key", "is not known here", "write [field.NAME] alone", key=key)
    fields = dict(shipped.fields)
    entries = raw.get("field", {})
    for name, entry in entries.items() if isinstance(entries, dict) else ():
        one = _checked(name, entry, shipped, faults)
        if one is not None:
            fields[name] = one
    faults.raise_if_any()
    return Dictionary(fields=fields, purposes=shipped.purposes, sources=shipped.sources, retention=shipped.retention)


def _checked(name: str, entry: object, shipped: Dictionary, faults: Faults) -> Field | None:
    """One field of a release's own file; None, with a fault, where it may not be so."""
    key, known = f"field.{name}", shipped.fields.get(name)
    if not isinstance(entry, dict):
        faults.add("value", "is no table", f"write [{key}]", key=key)
        return None
    strange = [one for one in entry if one not in KEYS]
    for one in strange:
        faults.add("unknown key", "is not known here", f"use {', '.join(KEYS)}", key=f"{key}.{one}")
    if known is None:
        for one in ("label", "class", "retention"):
            if one not in entry:
                faults.add("missing", "is missing", "add it", key=f"{key}.{one}")
    for one, words in (("retention", shipped.retention),):
        if one in entry and entry[one] not in words:
            faults.add("value", f"'{entry[one]}' is not known", f"use {', '.join(words)}", key=f"{key}.{one}")
    if any(fault.key.startswith(key) for fault in faults.found if fault.key):
        return None
    try:
        made = _field(name, {**(_as_entry(known) if known else {}), **entry})
    except (ValueError, TypeError, AttributeError) as error:
        faults.add(
            "value", str(error) if isinstance(error, ValueError) else "is not of its form", "correct it", key=key
        )
        return None
    if known is not None:
        _tell_wider(made, known, key, faults)
    return made


def _tell_wider(made: Field, known: Field, key: str, faults: Faults) -> None:
    """Note a fault for everything that a release would allow and the shipped field does not."""
    mend = "a release may narrow what ships: leave it out"
    for purpose, form in made.purposes.items():
        if purpose not in known.purposes:
            faults.add("wider", f"would be read for {purpose}", mend, key=f"{key}.purposes")
        elif form not in known.forms or not known.coarse_enough(purpose, form):
            faults.add("wider", f"would be read {form} for {purpose}", mend, key=f"{key}.purposes")
    same = {"class": (made.kind, known.kind), "erased": (made.erased, known.erased)}
    for one, (now, then) in same.items():
        if now != then:
            faults.add("wider", f"is another {one} than ships", mend, key=f"{key}.{one}")
    if known.consent and not made.consent:
        faults.add("wider", "would count without consent", mend, key=f"{key}.consent")
    if known.finest_area and made.finest_area != known.finest_area:
        faults.add(
            "wider",
            f"is shown for {known.finest_area} at the finest",
            "raise it by an [[exception]] of the release, with reason, owner and expiry",
            key=f"{key}.finest_area",
        )


def _as_entry(one: Field) -> dict[str, Any]:
    return {
        "label": one.label,
        "class": one.kind,
        "forms": one.forms,
        "purposes": one.purposes,
        "retention": one.retention,
        "sources": one.sources,
        "finest_area": one.finest_area,
        "consent": one.consent,
        "erased": one.erased,
        "decisive": one.decisive,
    }


def _field(name: str, entry: Mapping[str, Any]) -> Field:
    return Field(
        name=name,
        label=entry["label"],
        kind=entry["class"],
        forms=tuple(entry.get("forms", ())),
        purposes=dict(entry.get("purposes", {})),
        retention=entry.get("retention", ""),
        sources=tuple(entry.get("sources", ())),
        finest_area=entry.get("finest_area", ""),
        consent=entry.get("consent", False),
        erased=tuple(entry.get("erased", ())),
        decisive=entry.get("decisive", False),
    )
