"""Spells: claims that follow each other, linked into one stretch of time.

A claim lasts from its `start` to the day before `off`, its first day without:
`off` = end + 1 where ends are inclusive, `off` = end where they are exclusive, never where there is no end.
Claims of one person (of one benefit, if asked so) belong to one spell when at most
`join_days` days without a claim lie between them:

    start of the later <= join_days + latest `off` of all earlier ones.

With `join_days` 0, claims that touch or overlap are one spell, and a single day without parts them.

Days are whole numbers here, days since 1 January 1970, so that all engines compare
and add them alike; `FOREVER` stands for no end.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Any

import ibis

from claimants.counting import whole

__all__ = ["FOREVER", "SpellSpec", "day_number", "first_day_after", "in_days", "link_spells", "spells_of"]

FOREVER = 1 << 30
EPOCH = dt.date(1970, 1, 1)


@dataclass(frozen=True, kw_only=True)
class SpellSpec:
    """What is linked.

    Attributes
    ----------
    by : columns whose values claims of one spell share: ("person",), or ("person", "benefit").
    join_days : the most days without a claim inside a spell.

    Raises
    ------
    ValueError
        `join_days` is negative, or `by` names no person.
    """

    by: tuple[str, ...] = ("person", "benefit")
    join_days: int = 0

    def __post_init__(self) -> None:
        if "person" not in self.by:
            raise ValueError(f"by ({', '.join(self.by)}) must name person")
        if not 0 <= self.join_days < FOREVER:
            raise ValueError(f"join_days ({self.join_days}) must be 0 or more")


def day_number(day: dt.date) -> int:
    """Days from 1 January 1970 to a date.

    >>> day_number(dt.date(1970, 2, 1))
    31
    """
    return (day - EPOCH).days


def in_days(date: Any) -> Any:
    """A column of dates as days since 1 January 1970, int64, missing where the date is."""
    return date.delta(ibis.literal(EPOCH), unit="day").cast("int64")


def first_day_after(end: Any, rule: str) -> Any:
    """Ends of claims as `off`, the first day without the claim, int64; `FOREVER` where there is no end.

    `rule` says what the end is: "inclusive" or "exclusive".
    """
    return (in_days(end) + (1 if rule == "inclusive" else 0)).fill_null(FOREVER)


def link_spells(claims: Any, spec: SpellSpec) -> Any:
    """Claims linked into spells.

    `claims` has the columns of `spec.by`, `first` and `off` (int64 days; first < off).
    Grain: `spec.by` × spell; columns those of `spec.by`, `spell` (int64, 1 for the
    earliest of its person), `first`, `off` and `claims` (int64, how many were linked).
    """
    return (
        spells_of(claims, spec)
        .group_by([*spec.by, "spell"])
        .aggregate(first=lambda t: t.first.min(), off=lambda t: t.off.max(), claims=lambda t: whole(t.count()))
    )


def spells_of(claims: Any, spec: SpellSpec) -> Any:
    """Claims as they are, each with `spell`, the number of the spell it belongs to: int64, from 1 within `spec.by`."""
    keys = [claims[name] for name in spec.by]
    earlier = ibis.window(group_by=keys, order_by=[claims["first"], claims.off], preceding=(None, 1))
    latest = claims.mutate(_until=claims.off.max().over(earlier))
    parted = latest._until.isnull() | (latest["first"] > latest._until + spec.join_days)
    opened = latest.mutate(_opens=parted.cast("int64"))
    so_far = ibis.window(
        group_by=[opened[name] for name in spec.by],
        # The opening claim of a spell comes first of those that start on its day.
        order_by=[opened["first"], opened.off],
        preceding=(None, 0),
    )
    return opened.mutate(spell=opened._opens.sum().over(so_far).cast("int64")).drop("_until", "_opens")
