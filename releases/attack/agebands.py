"""Age bands by their plain words: ``16-24``, ``16 to 24``, ``under 25``, ``65+``, ``65 and over``, ``Y16T24``.

Ages are whole years, both ends included.  Two lists of bands lie on each other as
their years do, so that nobody need say how.  Single years are bands too, but only
of a dimension that is called age: elsewhere digits are as likely codes.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

__all__ = ["AgeBand", "age_band", "is_age", "years_of_bands"]

OLDEST = 999
"""Stands for "no last year": nobody is as old."""

YEARS = r"(?:\s*(?:years?|yrs?)(?:\s*old)?)?"
FORMS: tuple[tuple[str, str], ...] = (
    (r"y(\d{1,3})t(\d{1,3})", "both"),
    (rf"(\d{{1,3}}){YEARS}\s*(?:-|–|—|to)\s*(\d{{1,3}}){YEARS}", "both"),
    (r"y_lt(\d{1,3})", "under"),
    (rf"(?:under|below|less than|younger than|<)\s*(\d{{1,3}}){YEARS}", "under"),
    (r"y_le(\d{1,3})", "up to"),
    (rf"(?:up to|at most|<=|≤)\s*(\d{{1,3}}){YEARS}", "up to"),
    (rf"(\d{{1,3}}){YEARS}\s*(?:and|or|&)\s*(?:under|below|younger|less)", "up to"),
    (r"y_ge(\d{1,3})", "from"),
    (rf"(?:at least|>=|≥)\s*(\d{{1,3}}){YEARS}", "from"),
    (rf"(\d{{1,3}}){YEARS}\s*(?:\+|plus|(?:and|or|&)\s*(?:over|above|older|more|upwards?)){YEARS}", "from"),
    (r"y_gt(\d{1,3})", "over"),
    (rf"(?:over|above|older than|more than|>)\s*(\d{{1,3}}){YEARS}", "over"),
    (r"y(\d{1,3})", "one"),
    (rf"(\d{{1,3}}){YEARS}", "one"),
)
PATTERNS = tuple((re.compile(rf"(?:ages?|aged)?\s*{form}"), kind) for form, kind in FORMS)
AGE_WORDS = {"age", "ages", "aged", "ageband", "agebands", "agegroup", "agegroups", "agerange"}


@dataclass(frozen=True, order=True)
class AgeBand:
    """Ages from `first` to `last`, both included; `OLDEST` where there is no last."""

    first: int
    last: int = OLDEST


def age_band(text: str) -> AgeBand | None:
    """The band that a text plainly names; None where it names none.

    >>> age_band("16 to 24"), age_band("Under 25"), age_band("Y_GE65")
    (AgeBand(first=16, last=24), AgeBand(first=0, last=24), AgeBand(first=65, last=999))
    >>> age_band("not known") is None and age_band("24-16") is None
    True
    """
    plain = " ".join(text.lower().split())
    for pattern, kind in PATTERNS:
        match = pattern.fullmatch(plain)
        if match:
            return _band(kind, [int(number) for number in match.groups()])
    return None


def _band(kind: str, ages: list[int]) -> AgeBand | None:
    first, last = {
        "both": (ages[0], ages[-1]),
        "under": (0, ages[0] - 1),
        "up to": (0, ages[0]),
        "from": (ages[0], OLDEST),
        "over": (ages[0] + 1, OLDEST),
        "one": (ages[0], ages[0]),
    }[kind]
    return AgeBand(first, last) if 0 <= first <= last else None


def is_age(name: str) -> bool:
    """Whether a column is called age: ``age``, ``age_band``, ``Age group (years)``.

    >>> is_age("Age group"), is_age("wage"), is_age("duration_band")
    (True, False, False)
    """
    return bool(AGE_WORDS & set(re.findall(r"[a-z]+", name.lower())))


def years_of_bands(codes: Iterable[str]) -> Mapping[str, frozenset[str]]:
    """The bands among codes as sets of stretches of years that none of them cuts; codes that are no band are left out.

    >>> cut = years_of_bands(["under 20", "20-39", "under 25", "25-39", "not known"])
    >>> sorted(cut["under 25"]), sorted(cut["20-39"])
    (['0 to 19', '20 to 24'], ['20 to 24', '25 to 39'])
    """
    bands = {code: band for code in codes if (band := age_band(code)) is not None}
    cuts = sorted({band.first for band in bands.values()} | {band.last + 1 for band in bands.values()})
    stretches = list(pairwise(cuts))
    return {
        code: frozenset(
            f"{first} and over" if after > OLDEST else f"{first} to {after - 1}"
            for first, after in stretches
            if band.first <= first and after - 1 <= band.last
        )
        for code, band in bands.items()
    }
