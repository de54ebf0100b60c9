"""Custody of the keys that pseudonyms are made under: who holds which, since when, until when; never the key itself.

A key is named by its id (`common.keys.key_id`), its holder by a role and never by a person.  Rules:

1. an id stands on record once;
2. a key is in use from the day `since` until the day before `retired`;
3. a key that was replaced is retired, and the key that replaced it is on record and came into use no later than that day;
4. of one purpose, one key is in use on any day, so that every extract of that day matches every other.
"""

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from common.faults import Faults

__all__ = ["Custody", "HeldKey"]

KEY_ID = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True, kw_only=True)
class HeldKey:
    """One key on record.

    Attributes
    ----------
    id : its public name, 16 hexadecimal digits.
    purpose : what it is for, such as "person reference".
    since : first day of its use.
    held_by : the role that holds it.
    retired : first day on which it is used no more; None while it is in use.
    replaced_by : id of the key that came after it; blank if none did.

    Raises
    ------
    ValueError
        An attribute is blank or not of its form, or the days run backwards.
    """

    id: str
    purpose: str
    since: dt.date
    held_by: str
    retired: dt.date | None = None
    replaced_by: str = ""

    def __post_init__(self) -> None:
        for name in ("id", "replaced_by"):
            value = getattr(self, name)
            # What has not the form of an id may be the key itself, and is not repeated.
            if not KEY_ID.fullmatch(value) and (name == "id" or value):
                raise ValueError(f"{name} must be 16 hexadecimal digits, as a manifest tells it")
        if not self.purpose.strip() or not self.held_by.strip():
            raise ValueError("purpose and held_by must not be blank")
        if self.retired is not None and self.retired <= self.since:
            raise ValueError(f"retired ({self.retired}) must be after since ({self.since})")
        if self.replaced_by and self.retired is None:
            raise ValueError("a key that was replaced must have the day on which it was retired")

    def in_use(self, day: dt.date) -> bool:
        """Whether extracts of that day are made under it."""
        return self.since <= day and (self.retired is None or day < self.retired)


@dataclass(frozen=True, kw_only=True)
class Custody:
    """All keys on record, in any order.

    Raises
    ------
    ValueError
        The keys break one of the rules above.
    """

    keys: tuple[HeldKey, ...]

    def __post_init__(self) -> None:
        by_id = {key.id: key for key in self.keys}
        if len(by_id) < len(self.keys):
            raise ValueError("ids must be all different: a key stands on record once")
        for key in self.keys:
            after = by_id.get(key.replaced_by)
            if key.replaced_by and after is None:
                raise ValueError(f"replaced_by ({key.replaced_by}) must be on record")
            if after is not None and key.retired is not None and (after.since > key.retired or after is key):
                raise ValueError(f"key {after.id} must be in use when key {key.id} is retired")
        for purpose in {key.purpose for key in self.keys}:
            _refuse_two_at_once([key for key in self.keys if key.purpose == purpose])

    def check_use(self, id: str, *, purpose: str, day: dt.date, faults: Faults) -> None:
        """Note a fault if a key is not on record for the purpose, or not in use on the day."""
        held = next((key for key in self.keys if key.id == id and key.purpose == purpose), None)
        if held is None:
            faults.add("custody", f"key {id} is not on record for '{purpose}'", "record who holds it, or use the key")
        elif not held.in_use(day):
            past = held.retired is not None and held.retired <= day
            found = f"key {id} was retired on {held.retired}" if past else f"key {id} is in use from {held.since}"
            mend = f"use key {held.replaced_by}" if past and held.replaced_by else "use the key that is in use"
            faults.add("custody", f"{found}, and this is of {day}", mend)


def _refuse_two_at_once(keys: Sequence[HeldKey]) -> None:
    ordered = sorted(keys, key=lambda key: key.since)
    for key, following in pairwise(ordered):
        if key.retired is None or key.retired > following.since:
            raise ValueError(f"keys {key.id} and {following.id} must not be in use at once for '{key.purpose}'")
