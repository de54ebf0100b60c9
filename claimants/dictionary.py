"""The data dictionary: what each field of an extract is, and what it may be read for."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from common.resources import data_path

__all__ = ["CLASSES", "PURPOSES", "Dictionary", "Field", "read_dictionary", "shipped_dictionary"]

CLASSES = ("identifier", "contact", "quasi-identifier", "sensitive", "free text", "operational")
PURPOSES = ("linking", "counting", "placing", "erasure")


@dataclass(frozen=True, kw_only=True)
class Field:
    """One field of an extract.

    Attributes
    ----------
    name : the word by which code and RELEASE.toml call the field.
    kind : its class, one of `CLASSES`.
    purposes : what it may be read for, of `PURPOSES`; none means that it is never read.
    erased : how the field looks in a record that was erased ("" is blank); none if it tells nothing.
    decisive : whether that sign alone says that the record was erased.

    Raises
    ------
    ValueError
        Class or purpose is unknown; free text or a sensitive field has a
        purpose; or an erasure sign stands on a field that may not be read for erasure.
    """

    name: str
    label: str
    kind: str
    purposes: tuple[str, ...] = ()
    erased: tuple[str, ...] = ()
    decisive: bool = False

    def __post_init__(self) -> None:
        if self.kind not in CLASSES:
            raise ValueError(f"class ({self.kind}) of field {self.name} must be one of {', '.join(CLASSES)}")
        for purpose in self.purposes:
            if purpose not in PURPOSES:
                raise ValueError(f"purpose ({purpose}) of field {self.name} must be one of {', '.join(PURPOSES)}")
        if self.kind in ("free text", "sensitive") and self.purposes:
            raise ValueError(f"purposes of field {self.name} must be empty: its class is {self.kind}")
        if bool(self.erased) != ("erasure" in self.purposes):
            raise ValueError(f"field {self.name} must have both or none of erased signs and the purpose erasure")


@dataclass(frozen=True, kw_only=True)
class Dictionary:
    """All fields that can be asked for, by name."""

    fields: Mapping[str, Field]

    def permit(self, name: str, purpose: str) -> Field:
        """The field, if it may be read for the purpose.

        Raises
        ------
        PermissionError
            The dictionary does not hold the field or does not give it the purpose.
        """
        field = self.fields.get(name)
        if field is None:
            raise PermissionError(f"field ({name}) must be in the data dictionary to be read")
        if purpose not in field.purposes:
            raise PermissionError(f"field ({name}) is {field.kind} and must not be read for {purpose}")
        return field

    def erasure_signs(self, *, decisive: bool) -> tuple[Field, ...]:
        """Fields whose look says that a record was erased: alone (`decisive`) or with others."""
        return tuple(field for field in self.fields.values() if field.erased and field.decisive is decisive)


def read_dictionary(path: Path) -> Dictionary:
    """Read a dictionary file, in the form that data/dictionary.toml explains."""
    raw = tomllib.loads(path.read_text(encoding="utf-8"))
    return Dictionary(fields={name: _field(name, entry) for name, entry in raw["field"].items()})


@cache
def shipped_dictionary() -> Dictionary:
    """The dictionary that ships with smallarea."""
    return read_dictionary(data_path("dictionary.toml"))


def _field(name: str, entry: Mapping[str, Any]) -> Field:
    return Field(
        name=name,
        label=entry["label"],
        kind=entry["class"],
        purposes=tuple(entry["purposes"]),
        erased=tuple(entry.get("erased", ())),
        decisive=entry.get("decisive", False),
    )
