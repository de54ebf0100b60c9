"""Made-up claims as the columns of an extract, with the oddities of how people write."""

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from claimants.claimrows import NO_DAY, Kind, Rows
from claimants.dimensions import dimension
from claimants.madetext import FORENAMES, NOTES, STREETS, SURNAMES, days_text, digits, fixed_text, pick, references

if TYPE_CHECKING:
    from geography.postcodes import Postcodes

__all__ = ["MARKERS", "Places", "claim_table", "dates"]

ERASED_BIRTH = (dt.date(1901, 1, 1) - dt.date(1970, 1, 1)).days
NO_BENEFITS = pa.array(["", "XX", "N/A", "Grant"])
NO_PLACES = ("ZZ99 3VZ", "ZZ99 9ZZ", "not known", "QX0 0QX")
NO_DATES = pa.array(["2025-02-30", "2025-13-01", "31.04.2025", "unknown", ""])
SEXES = pa.array(["F", "f", " F ", "Female", "M", "m", " M ", "Male", "", "", " ", "U"])
TITLES = pa.array(["Mr", "Mrs", "Miss", "Ms", "Dr", ""])
GROUPS = pa.array(["A", "B", "C", "D", "E", "Not stated"])
MARKERS = pa.array(["", "", "", "Y", "N"])
STATUSES = pa.array(["Active", "active", "Under review"])
EMPLOYMENT = pa.array(["Unemployed", "Part time", "Carer", "Unable to work"])
OFFICES = pa.array([f"Office {number:03d}" for number in range(1, 200)])


@dataclass(frozen=True, kw_only=True)
class Places:
    """Where made-up people live.

    Attributes
    ----------
    field : "postcode" or "output_area".
    text : places as text, ordered by area; `first` and `homes` say which belong to each area.
    absent : ways to write a place that no lookup has.
    """

    field: str
    text: pa.Array
    first: np.ndarray
    homes: np.ndarray
    absent: pa.Array

    @classmethod
    def of(cls, area_codes: np.ndarray, postcodes: "Postcodes | None") -> "Places":
        """Postcodes where they are given, else the codes of the areas themselves."""
        if postcodes is None:
            homes = np.ones(len(area_codes), dtype=np.int64)
            text = pa.array(np.asarray(area_codes).tolist(), pa.string())
            # An output area that the lookup lacks is an error and no bucket, so it is left blank.
            return cls(field="output_area", text=text, first=np.arange(len(homes)), homes=homes, absent=pa.array([""]))
        homes = np.bincount(postcodes.area, minlength=len(area_codes))
        order = np.argsort(postcodes.area, kind="stable")
        bare = pa.array(np.asarray(postcodes.postcodes)[order], pa.string())
        spaced = pc.binary_join_element_wise(
            pc.utf8_slice_codeunits(bare, 0, -3), pc.utf8_slice_codeunits(bare, -3), " "
        )
        known = np.isin([text.replace(" ", "").upper() for text in NO_PLACES], postcodes.postcodes)
        absent = [text for text, there in zip(NO_PLACES, known, strict=True) if not there]
        first = np.cumsum(homes) - homes
        return cls(field="postcode", text=spaced, first=first, homes=homes, absent=pa.array([*absent, "-"]))


def claim_table(
    rows: Rows, places: Places, reference: dt.date, odd: float, dates_as_text: bool, rng: np.random.Generator
) -> pa.Table:
    """Rows as the columns of an extract; a share `odd` of them is oddly spelt."""
    number = len(rows.kind)
    persons = np.random.default_rng(0).permutation(1 << 12)[rows.person % (1 << 12)]
    oddly = np.where(rng.random(number) < odd, rng.integers(1, 4, number), 0)
    erased = rows.kind == Kind.ERASED
    wholly = erased & (rng.random(number) < 0.9)
    birth = np.where(erased, np.int32(ERASED_BIRTH), rows.birth)
    start, end = _claim_dates(rows, reference, dates_as_text, rng)
    national = fixed_text(b"QQ", digits(rows.person * 7919 % 1_000_000, 6), _letters(rows.person))
    telephone = fixed_text(b"01632 960", digits(rows.person % 1000, 3))
    house = pc.cast(pa.array(1 + rows.person % 180), pa.string())
    address = pc.binary_join_element_wise(house, pick(STREETS, persons % len(STREETS)), " ")
    return pa.table(
        {
            "person_reference": references(rows.person),
            "title": pick(TITLES, persons % len(TITLES)),
            "surname": _hide(pick(SURNAMES, persons % len(SURNAMES)), erased, "DELETED"),
            "forename": _hide(pick(FORENAMES, rows.person // 7 % len(FORENAMES)), wholly, "DELETED"),
            "national_insurance_number": _hide(national, wholly, ""),
            "birth_date": dates(birth, reference, dates_as_text),
            "sex": pick(SEXES, rows.sex * 4 + oddly),
            "address": _hide(address, wholly, ""),
            places.field: _place_text(rows, places, oddly, rng),
            "telephone": _hide(telephone, wholly, ""),
            "benefit": _benefit_text(rows, oddly, rng),
            "claim_start": start,
            "claim_end": end,
            "status": _hide(pick(STATUSES, rng.integers(0, len(STATUSES), number)), wholly, "Inactive"),
            "employment_status": _hide(pick(EMPLOYMENT, persons % len(EMPLOYMENT)), wholly, "Not Known"),
            "ethnicity": pick(GROUPS, persons % len(GROUPS)),
            "offending_marker": pick(MARKERS, rng.integers(0, len(MARKERS), number)),
            "health_marker": pick(MARKERS, rng.integers(0, len(MARKERS), number)),
            "notes": pick(NOTES, rng.integers(0, len(NOTES), number)),
            "office": pick(OFFICES, rows.area % len(OFFICES)),
        }
    )


def _letters(numbers: np.ndarray) -> np.ndarray:
    return (ord("A") + numbers % 4).astype(np.uint8)[:, None]


def _hide(text: pa.Array, where: np.ndarray, mark: str) -> pa.Array:
    return pc.if_else(pa.array(where), mark, text)


def _place_text(rows: Rows, places: Places, oddly: np.ndarray, rng: np.random.Generator) -> pa.Array:
    index = places.first[rows.area] + (rows.home * places.homes[rows.area]).astype(np.int64)
    text = places.text.take(pa.array(index))
    padded = pc.binary_join_element_wise("", text, "", "  ")
    wide = pc.replace_substring(text, " ", "   ")
    tight = pc.replace_substring(text, " ", "") if places.field == "postcode" else padded
    text = pc.choose(pa.array(oddly), text, pc.utf8_lower(text), tight, wide)
    text = _hide(text, rows.kind == Kind.BLANK_PLACE, "")
    absent = pick(places.absent, rng.integers(0, len(places.absent), len(rows.kind)))
    return pc.if_else(pa.array(rows.kind == Kind.UNKNOWN_PLACE), absent, text)


def _benefit_text(rows: Rows, oddly: np.ndarray, rng: np.random.Generator) -> pa.Array:
    benefits = dimension("benefit")
    spelt = [[code, code.lower(), f" {code} ", benefits.labels[code]] for code in benefits.categories]
    text = pick(pa.array([way for ways in spelt for way in ways]), rows.benefit.astype(np.int64) * 4 + oddly)
    unknown = pick(NO_BENEFITS, rng.integers(0, len(NO_BENEFITS), len(rows.kind)))
    return pc.if_else(pa.array(rows.kind == Kind.UNKNOWN_BENEFIT), unknown, text)


def _claim_dates(rows: Rows, reference: dt.date, as_text: bool, rng: np.random.Generator) -> tuple[pa.Array, pa.Array]:
    """Start and end; of faulty rows half keep an end before the start, the others have no date to start from."""
    start = dates(rows.start, reference, as_text)
    broken = pa.array((rows.kind == Kind.FAULTY) & (rng.random(len(rows.kind)) < 0.5))
    if as_text:
        nonsense: pa.Array = pick(NO_DATES, rng.integers(0, len(NO_DATES), len(rows.kind)))
    else:
        nonsense = pa.nulls(len(rows.kind), pa.date32())
    return pc.if_else(broken, nonsense, start), dates(rows.end, reference, as_text)


def dates(days: np.ndarray, reference: dt.date, as_text: bool) -> pa.Array:
    """Days since 1970 as dates, or as text; `NO_DAY` as none."""
    none = days == NO_DAY
    if not as_text:
        return pa.array(days, pa.int32(), mask=none).cast(pa.date32())
    today = (reference - dt.date(1970, 1, 1)).days
    return _hide(days_text(np.where(none, 0, days), min(ERASED_BIRTH, today - 40_000), max(0, today) + 400), none, "")
