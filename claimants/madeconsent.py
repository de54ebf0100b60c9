"""Made-up markers and the consent that stands for them, beside made-up claims.

All rows of a person tell the same form of consent; its days lie about the start of each claim.
"""

import datetime as dt

import numpy as np
import pyarrow as pa

from claimants.claimrows import NO_DAY, Rows
from claimants.claimtable import MARKERS, dates
from claimants.madetext import pick

__all__ = ["consent_columns"]

FORMS = pa.array(["written", "Written ", "signed form", "verbal", "telephone service", "call", ""])
FORM_SHARES = np.array([0.35, 0.05, 0.05, 0.1, 0.05, 0.05, 0.35])
WRITTEN, SPOKEN = (0, 1, 2), (3, 4, 5)
GIVEN_FOR = pa.array(["", "", "", "", "coaching", "equality"])
CONFIRMED = pa.array(["Y", "Y", "", "N"])
WITHDRAWN = 0.03
# Dates are written as text no later than this many days after the reference date.
LATEST = 399


def consent_columns(rows: Rows, reference: dt.date, as_text: bool, rng: np.random.Generator) -> dict[str, pa.Array]:
    """Columns by their names in the data dictionary, a value for each row."""
    count = len(rows.kind)
    latest = (reference - dt.date(1970, 1, 1)).days + LATEST
    form = np.searchsorted(np.cumsum(FORM_SHARES)[:-1], _chance(rows.person), side="right")
    written, spoken = np.isin(form, WRITTEN), np.isin(form, SPOKEN)
    given = rows.start + rng.integers(-30, 60, count)
    withdrawn = written & (rng.random(count) < WITHDRAWN)
    attends = spoken & (rng.random(count) < 0.7)

    def days(day: np.ndarray, told: np.ndarray) -> pa.Array:
        return dates(np.where(told, np.minimum(day, latest), NO_DAY).astype(np.int32), reference, as_text)

    return {
        "drugs_marker": pick(MARKERS, rng.integers(0, len(MARKERS), count)),
        "alcohol_marker": pick(MARKERS, rng.integers(0, len(MARKERS), count)),
        "marker_recorded": days(rows.start + rng.integers(0, 30, count), np.ones(count, np.bool_)),
        "given_for": pick(GIVEN_FOR, rng.integers(0, len(GIVEN_FOR), count)),
        "consent_form": pick(FORMS, form),
        "consent_date": days(given, written),
        "conversation_date": days(given, spoken),
        "next_attendance": days(given + rng.integers(7, 29, count), attends),
        "consent_withdrawn": days(given + rng.integers(30, 700, count), withdrawn),
        "still_relevant": pick(CONFIRMED, rng.integers(0, len(CONFIRMED), count)),
    }


def _chance(person: np.ndarray) -> np.ndarray:
    """A number in [0, 1) for each person, spread as if at random: Fibonacci hashing (Knuth, TAOCP 3, section 6.4)."""
    mixed = person.astype(np.uint64) * np.uint64(11400714819323198485)
    return (mixed >> np.uint64(11)).astype(np.float64) / 2.0**53
