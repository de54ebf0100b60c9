"""What becomes of a row: states, the buckets they add up to, and the words for them.

A row that could be in several states is in the first of this order:

1. **erased**: the erasure rule holds, whatever else the row says;
2. **faulty**: no person reference; no claim start, or one that is no date; a
   claim end that is no date or before the start; where age is asked for, a
   birth date that is no date or after the reference date;
3. **not live on the date**: start > date; or end < date (end `inclusive`), end <= date (end `exclusive`);
4. **specially protected**: a person under special protection, in no area's figures (`claimants.protection`);
5. **no consent to be held**: somebody who claims nothing, without recorded consent to be held;
6. **no benefit claimed**: somebody who claims nothing and may be held, where such people are not asked for;
7. **unknown code**: a benefit, or where asked for a sex, that is not in the
   code list; a blank birth date or an age outside the bands;
8. **no area**: blank postcode or output area, or a postcode that the lookup does not have;
9. **duplicate**: another row with the same person, benefit and claim start stands for the claim;
10. **another claim of a person counted** (counts of people only);
11. **counted**.

What special protection, 9 and 10 say is told among the rows of a person, the others from the row alone.
"""

from collections.abc import Mapping
from enum import IntEnum

__all__ = [
    "ANOTHER_CLAIM",
    "BUCKETS",
    "BUCKET_OF",
    "COUNTED",
    "DUPLICATE",
    "LIVE_WITH_BENEFIT",
    "NOT_HELD",
    "NO_BENEFIT_CLAIMED",
    "OCCURRING",
    "SPECIALLY_PROTECTED",
    "WORDS",
    "State",
    "in_order",
]

COUNTED = "counted"
DUPLICATE = "duplicate"
ANOTHER_CLAIM = "another claim of a person counted"
BUCKETS = (COUNTED, "not live on the date", "erased", DUPLICATE, "no area", "unknown code", "faulty")
SPECIALLY_PROTECTED = "specially protected"
NOT_HELD = "no consent to be held"
NO_BENEFIT_CLAIMED = "no benefit claimed"
# Told only where they can occur, behind the others and in this order.
OCCURRING = (ANOTHER_CLAIM, SPECIALLY_PROTECTED, NOT_HELD, NO_BENEFIT_CLAIMED)


class State(IntEnum):
    """State of a row by itself; `LEFT` are the rows that nothing speaks against."""

    LEFT = 0
    NOT_LIVE = 1
    ERASED = 2
    PARTLY_ERASED = 3
    BLANK_PLACE = 4
    UNKNOWN_POSTCODE = 5
    UNKNOWN_AREA = 6
    UNKNOWN_BENEFIT = 7
    UNKNOWN_SEX = 8
    NO_BIRTH_DATE = 9
    NO_AGE_BAND = 10
    NO_PERSON = 11
    NO_START = 12
    START_NO_DATE = 13
    END_NO_DATE = 14
    END_BEFORE_START = 15
    BIRTH_NO_DATE = 16
    BORN_LATER = 17
    PROTECTED = 18
    NOT_HELD = 19
    NO_BENEFIT = 20


BUCKET_OF = {
    State.NOT_LIVE: "not live on the date",
    State.ERASED: "erased",
    State.PARTLY_ERASED: "erased",
    State.BLANK_PLACE: "no area",
    State.UNKNOWN_POSTCODE: "no area",
    State.UNKNOWN_AREA: "no area",
    State.UNKNOWN_BENEFIT: "unknown code",
    State.UNKNOWN_SEX: "unknown code",
    State.NO_BIRTH_DATE: "unknown code",
    State.NO_AGE_BAND: "unknown code",
    State.NO_PERSON: "faulty",
    State.NO_START: "faulty",
    State.START_NO_DATE: "faulty",
    State.END_NO_DATE: "faulty",
    State.END_BEFORE_START: "faulty",
    State.BIRTH_NO_DATE: "faulty",
    State.BORN_LATER: "faulty",
    State.PROTECTED: SPECIALLY_PROTECTED,
    State.NOT_HELD: NOT_HELD,
    State.NO_BENEFIT: NO_BENEFIT_CLAIMED,
}

# Rows whose benefit has a say in the client group of their person.
LIVE_WITH_BENEFIT = (
    State.LEFT,
    State.BLANK_PLACE,
    State.UNKNOWN_POSTCODE,
    State.UNKNOWN_AREA,
    State.UNKNOWN_SEX,
    State.NO_BIRTH_DATE,
    State.NO_AGE_BAND,
)

WORDS = {
    State.PARTLY_ERASED: "erased in part: some signs of erasure hold and others do not",
    State.BLANK_PLACE: "no area: postcode or output area is blank",
    State.UNKNOWN_POSTCODE: "no area: the postcode is not in the lookup",
    State.UNKNOWN_BENEFIT: "unknown code: the benefit is not in the code list",
    State.UNKNOWN_SEX: "unknown code: the sex is not in the code list",
    State.NO_BIRTH_DATE: "unknown code: the birth date is blank",
    State.NO_AGE_BAND: "unknown code: the age is outside the bands",
    State.NO_PERSON: "faulty: the person reference is blank",
    State.NO_START: "faulty: the claim start is blank",
    State.START_NO_DATE: "faulty: the claim start is not a date",
    State.END_NO_DATE: "faulty: the claim end is not a date",
    State.END_BEFORE_START: "faulty: the claim ends before it starts",
    State.BIRTH_NO_DATE: "faulty: the birth date is not a date",
    State.BORN_LATER: "faulty: the birth date is after the reference date",
}


def in_order(buckets: Mapping[str, int], *occurring: str) -> dict[str, int]:
    """Buckets in their fixed order, those that have rows or are named as `occurring` and the ones that always stand."""
    names = (*BUCKETS, *(name for name in OCCURRING if name in buckets or name in occurring))
    return {name: buckets.get(name, 0) for name in names}
