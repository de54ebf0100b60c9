"""Whole numbers of at least 0, read from text without repeating one in any message."""

import re

import numpy as np

from common.faults import Faults
from geography.nesting import encode_text
from releases.files.tidyfile import Tidy

__all__ = ["LARGEST", "read_whole_numbers", "whole_number"]

LARGEST = 1 << 37
"""The largest count, and the largest sum of counts: far above any count of people, and safe in every sum."""

DIGITS = re.compile(r"0*([0-9]{1,12})")
ANY_DIGITS = re.compile(r"[0-9]+")
NEGATIVE = re.compile(r"[-\u2212][0-9]+([.,][0-9]*)?")
FRACTION = re.compile(r"\+?[0-9]*[.][0-9]*([eE][-+]?[0-9]+)?")
MENDS = {
    "blank count": ("no count", "give a count, or leave the row out if it is zero"),
    "negative count": ("a negative count", "give a count of at least 0"),
    "fractional count": ("a count with a decimal point", "give a whole number, in digits alone"),
    "huge count": (f"a count above {LARGEST:,}", "give a count of people or claims"),
    "no number": ("a count that is no whole number", "give a whole number, in digits alone"),
}


def whole_number(text: str) -> int | None:
    """The number that digits alone give; None for any other text and for one above `LARGEST`."""
    match = DIGITS.fullmatch(text)
    number = int(match.group(1)) if match else LARGEST + 1
    return number if number <= LARGEST else None


def read_whole_numbers(tidy: Tidy, column: str, faults: Faults) -> np.ndarray:
    """A column of counts, int64 of shape (rows,); a fault for each row that holds none, 0 in its place.

    Counts have few different values, so each is looked at once.
    """
    values, index = encode_text(tidy.text.columns[column])
    numbers = [whole_number(text) for text in values.tolist()]
    wrong = np.array([number is None for number in numbers], dtype=bool)
    for row in np.flatnonzero(wrong[index]):
        kind = _kind(str(values[index[row]]))
        found, mend = MENDS[kind]
        faults.add(kind, found, mend, row=tidy.row(row), column=column)
    counts: np.ndarray = np.array([number or 0 for number in numbers], dtype=np.int64)[index]
    return counts


def _kind(text: str) -> str:
    plain = text.strip()
    if not plain:
        return "blank count"
    for kind, form in (("negative count", NEGATIVE), ("fractional count", FRACTION), ("huge count", ANY_DIGITS)):
        if form.fullmatch(plain):
            # Digits that are small enough stand here for the spaces around them.
            return "no number" if kind == "huge count" and whole_number(plain) is not None else kind
    return "no number"
