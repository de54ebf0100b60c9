"""Made-up claims as numbers: who claims what, from when to when, and what is wrong with the row."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

__all__ = ["KINDS", "NO_DAY", "Kind", "Rows", "draw_rows"]

NO_DAY = np.iinfo(np.int32).min
DAYS_IN_YEAR = 365.25
# Carer's, Employment and Support, Income Support, Jobseeker's, Personal Independence, Universal Credit.
BENEFIT_SHARES = np.array([0.09, 0.16, 0.03, 0.05, 0.25, 0.42])
SEX_SHARES = np.array([0.52, 0.465, 0.015])
MEAN_DURATION = 900.0


class Kind(IntEnum):
    """What a row is made to be."""

    COUNTED = 0
    ENDED = 1
    LATE = 2
    ERASED = 3
    DUPLICATE = 4
    BLANK_PLACE = 5
    UNKNOWN_PLACE = 6
    UNKNOWN_BENEFIT = 7
    FAULTY = 8

    @property
    def bucket(self) -> str:
        """The bucket that counting claims puts such a row into."""
        return _BUCKETS[self]


_BUCKETS = {
    Kind.COUNTED: "counted",
    Kind.ENDED: "not live on the date",
    Kind.LATE: "not live on the date",
    Kind.ERASED: "erased",
    Kind.DUPLICATE: "duplicate",
    Kind.BLANK_PLACE: "no area",
    Kind.UNKNOWN_PLACE: "no area",
    Kind.UNKNOWN_BENEFIT: "unknown code",
    Kind.FAULTY: "faulty",
}
KINDS = tuple(kind for kind in Kind if kind != Kind.COUNTED)


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Claims as arrays of shape (n,); days are int32 since 1970, `NO_DAY` is none.

    `person` numbers persons over the whole extract; `home` draws their postcode
    within the area, in [0, 1).
    """

    kind: np.ndarray
    person: np.ndarray
    area: np.ndarray
    home: np.ndarray
    benefit: np.ndarray
    start: np.ndarray
    end: np.ndarray
    birth: np.ndarray
    sex: np.ndarray

    def take(self, index: np.ndarray) -> "Rows":
        """The rows of those numbers, in that order."""
        return Rows(**{name: getattr(self, name)[index] for name in self.__dataclass_fields__})


def draw_rows(
    *,
    area: np.ndarray,
    claims: np.ndarray,
    first_person: int,
    first_stranger: int,
    amounts: Mapping[Kind, int],
    homes: np.ndarray,
    reference: dt.date,
    rng: np.random.Generator,
) -> Rows:
    """One chunk of rows, in random order.

    Parameters
    ----------
    area, claims : of the persons with counted claims, each of shape (m,).
    first_person, first_stranger : numbers of the first of these persons, and of
        the first person who appears in a troubled row alone.
    amounts : troubled rows of each kind; duplicates without a row to copy become ended claims.
    homes : postcodes of each area: strangers live where there are any.
    """
    today = (reference - dt.date(1970, 1, 1)).days
    kinds = np.repeat(np.array(list(amounts), np.int8), list(amounts.values()))
    if not len(area):
        kinds[kinds == Kind.DUPLICATE] = Kind.ENDED
    copies = int(np.sum(kinds == Kind.DUPLICATE))
    kinds = kinds[kinds != Kind.DUPLICATE]
    live = np.flatnonzero(homes > 0)
    stranger_area = live[rng.integers(0, len(live), len(kinds))].astype(np.int32)
    persons = np.concatenate([np.arange(len(area)) + first_person, np.arange(len(kinds)) + first_stranger])
    places = np.concatenate([area, stranger_area])
    index = np.concatenate([np.repeat(np.arange(len(area)), claims), np.arange(len(kinds)) + len(area)])
    order = np.concatenate([_running(claims), np.zeros(len(kinds), np.int64)])
    kind = np.concatenate([np.zeros(int(claims.sum()), np.int8), kinds])
    start, end = _days(kind, today, rng)
    rows = Rows(
        kind=kind,
        person=persons[index],
        area=places[index],
        home=rng.random(len(persons))[index],
        benefit=_benefits(len(persons), rng)[index, order],
        start=start,
        end=end,
        birth=_births(len(persons), reference, rng)[index],
        sex=rng.choice(len(SEX_SHARES), size=len(persons), p=SEX_SHARES).astype(np.int8)[index],
    )
    rows = _settle_ended(rows, rng)
    copied = rng.integers(0, max(1, int(claims.sum())), copies)
    rows = rows.take(np.concatenate([np.arange(len(kind)), copied]))
    rows.kind[len(kind) :] = Kind.DUPLICATE
    # Some copies disagree with what they copy; never in the place, so that counts by area hold.
    rows.sex[len(kind) :] = np.where(rng.random(copies) < 0.1, 2, rows.sex[len(kind) :])
    return rows.take(rng.permutation(len(rows.kind)))


def _running(claims: np.ndarray) -> np.ndarray:
    """0, 1, … within each person."""
    total = int(claims.sum())
    first = np.cumsum(claims, dtype=np.int64) - claims
    return np.asarray(np.arange(total) - np.repeat(first, claims))


def _benefits(persons: int, rng: np.random.Generator) -> np.ndarray:
    """For each person all benefits in random order, the common ones early: int8 of shape (persons, 6).

    Sorting by log share plus Gumbel noise draws without replacement in
    proportion to the shares.
    """
    noise = rng.gumbel(size=(persons, len(BENEFIT_SHARES))).astype(np.float32)
    return np.argsort(-(noise + np.log(BENEFIT_SHARES).astype(np.float32)), axis=1).astype(np.int8)


def _births(persons: int, reference: dt.date, rng: np.random.Generator) -> np.ndarray:
    """Birth dates of persons aged 17 to 95, most of them of working age, in days since 1970."""
    years = np.where(rng.random(persons) < 0.85, rng.uniform(17, 66, persons), rng.uniform(66, 95, persons))
    return ((reference - dt.date(1970, 1, 1)).days - years * DAYS_IN_YEAR).astype(np.int32)


def _days(kind: np.ndarray, today: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Start and end of each claim by its kind.

    Live claims start on the reference date or before, and have no end or one
    after it, so that they count whether ends are inclusive or exclusive.
    """
    lasting = np.minimum(rng.exponential(MEAN_DURATION, len(kind)), 9000).astype(np.int32)
    start = today - lasting
    end = np.where(rng.random(len(kind)) < 0.85, NO_DAY, today + rng.integers(1, 200, len(kind))).astype(np.int32)
    ended = kind == Kind.ENDED
    end[ended] = today - 1 - (rng.exponential(200, int(ended.sum()))).astype(np.int32)
    start[ended] = end[ended] - lasting[ended]
    late = kind == Kind.LATE
    start[late] = today + rng.integers(1, 120, int(late.sum()))
    end[late] = NO_DAY
    faulty = kind == Kind.FAULTY
    end[faulty] = start[faulty] - rng.integers(1, 400, int(faulty.sum()))
    return start, end


def _settle_ended(rows: Rows, rng: np.random.Generator) -> Rows:
    """Give half of the ended claims to persons with a counted one: earlier claims of the same people."""
    live = np.flatnonzero(rows.kind == Kind.COUNTED)
    ended = np.flatnonzero(rows.kind == Kind.ENDED)
    ended = ended[rng.random(len(ended)) < 0.5]
    if not len(live) or not len(ended):
        return rows
    of = live[rng.integers(0, len(live), len(ended))]
    for name in ("person", "area", "home", "birth", "sex"):
        getattr(rows, name)[ended] = getattr(rows, name)[of]
    return rows
