"""Postcodes and the smallest area each lies in, read from a lookup in its own column names."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from common.faults import Faults
from geography.areas import Areas
from geography.codes import match_postcodes
from geography.nesting import encode_text, first_rows, tell_spaces
from geography.textcolumns import TextColumns, read_text_columns

__all__ = ["Postcodes", "read_postcodes"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Postcodes:
    """Postcodes with their smallest areas.

    Attributes
    ----------
    postcodes : text of shape (postcodes,), upper case without any gap (`geography.codes` has the rule),
        sorted by code point, unique.
    area : int32 of the same shape: where each lies in ``areas.codes[0]``.
    unlocated : how many postcodes of the file have no area.
    outside : how many have an area that is not one of `areas`.
    """

    postcodes: np.ndarray
    area: np.ndarray
    unlocated: int = 0
    outside: int = 0

    def __post_init__(self) -> None:
        if self.area.dtype != np.int32 or self.area.shape != self.postcodes.shape:
            raise ValueError(f"area ({self.area.dtype} {self.area.shape}) must be int32, one per postcode")
        if np.any(self.postcodes[:-1] >= self.postcodes[1:]):
            raise ValueError("postcodes must be sorted and unique")


def read_postcodes(path: Path, *, postcode: str, area: str, areas: Areas) -> Postcodes:
    """Postcodes of a lookup (CSV or Parquet) that lie in `areas`.

    `postcode` and `area` name the columns; `area` holds codes of the smallest
    level.  A postcode may be repeated with the same area.  A blank area is a
    postcode that is not located: it is left out and counted, as is one whose
    area is not one of `areas` (a national lookup used for one council).

    Raises
    ------
    InputError
        The file cannot be read (see `read_text_columns`), a postcode is blank,
        one is listed with two areas (a blank beside an area is two), or an area
        code has spaces around it.
        Faults name rows, never postcodes.
    """
    faults = Faults(str(path))
    text = read_text_columns(path, [postcode, area])
    values, index = encode_text(match_postcodes(text.columns[postcode]))
    codes, code = encode_text(text.columns[area])
    _tell_blank_postcodes(text, postcode, values, index, faults)
    tell_spaces(text, area, codes, code, faults)
    first = _tell_two_areas(text, postcode, index, code, faults)
    faults.raise_if_any()
    place, located = _places(codes, areas)
    where = place[code[first]]
    unlocated = ~located[code[first]]
    inside = where >= 0
    return Postcodes(
        postcodes=values[inside],
        area=where[inside],
        unlocated=int(unlocated.sum()),
        outside=int((~inside & ~unlocated).sum()),
    )


def _tell_blank_postcodes(
    text: TextColumns, column: str, values: np.ndarray, index: np.ndarray, faults: Faults
) -> None:
    # Gaps are gone already, so that a blank can only be the empty text, which sorts first.
    if len(values) and values[0] == "":
        for row in np.flatnonzero(index == 0):
            mend = "give the postcode or take the row out"
            faults.add("blank postcode", "no postcode", mend, row=int(text.rows[row]), column=column)


def _tell_two_areas(text: TextColumns, column: str, index: np.ndarray, code: np.ndarray, faults: Faults) -> np.ndarray:
    """The first row of each postcode; notes a fault for each later row that gives it another area."""
    first = first_rows(index, int(index.max()) + 1)
    for row in np.flatnonzero(code != code[first[index]]):
        found = f"a postcode listed in row {text.rows[first[index[row]]]} is listed again with another area"
        mend = "give every postcode one area"
        faults.add("postcode with two areas", found, mend, row=int(text.rows[row]), column=column)
    return first


def _places(codes: np.ndarray, areas: Areas) -> tuple[np.ndarray, np.ndarray]:
    """Where each code stands among the smallest areas (int32, -1 if it does not), and whether it is filled in at all."""
    smallest = areas.codes[0]
    at = np.minimum(np.searchsorted(smallest, codes), len(smallest) - 1)
    return np.where(smallest[at] == codes, at, -1).astype(np.int32), np.char.strip(codes) != ""
