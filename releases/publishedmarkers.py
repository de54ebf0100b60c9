"""What stands in a published cell: a number, or a marker, ours or another producer's."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from common.faults import Faults
from geography.nesting import encode_text
from releases.tidyfile import Tidy
from releases.wholenumbers import whole_number
from sdc.attack.intervals import NO_BOUND
from sdc.tables import LOW, MARKERS, NOT_AVAILABLE, SHOWN, SUPPRESSED

__all__ = ["BUILT_IN", "Shown", "read_shown"]

BUILT_IN: Mapping[str, int] = {
    **{text: marker for marker, text in MARKERS.items() if text},
    **{f"[{text}]": marker for marker, text in MARKERS.items() if text},
    "*": SUPPRESSED,
    "..": NOT_AVAILABLE,
    ":": NOT_AVAILABLE,
    "-": LOW,
    "~": LOW,
}
"""Markers that are read without being told what they mean; the cautious reading of each.

``-`` (nil or negligible) and ``~`` (rounded to nil) say what a published 0 says.
"""

LETTERS = {text: marker for marker, text in MARKERS.items() if text}


@dataclass(frozen=True, kw_only=True, eq=False)
class Shown:
    """What each row shows: value (int64, 0 where there is none), marker (int8), and what its marker bounds it by."""

    values: np.ndarray
    markers: np.ndarray
    lo: np.ndarray
    hi: np.ndarray


def read_shown(
    tidy: Tidy, value: str, marker: str | None, meanings: Mapping[str, str | tuple[int, int]], faults: Faults
) -> Shown:
    """Read a column of values, with markers in it or in a column of their own.

    `meanings` tells of further markers; see `releases.known`.  A fault is noted
    for a value that is no whole number of at least 0, an unknown marker, a row
    with both, and a row with neither.
    """
    values, index = encode_text(tidy.text.columns[value])
    plain = [text.strip() for text in values.tolist()]
    numbers = [whole_number(text) for text in plain]
    is_number = np.array([number is not None for number in numbers], dtype=bool)[index]
    of_value = _codes(plain, meanings)[index]
    blank = np.array([not text for text in plain], dtype=bool)[index]
    of_marker = np.full(len(index), SHOWN, np.int64)
    if marker is not None:
        texts, at = encode_text(tidy.text.columns[marker])
        of_marker = _codes([text.strip() for text in texts.tolist()], meanings)[at]
        _each(tidy, of_marker < 0, "unknown marker", "a marker that is not known", marker, faults)
    wrong = ~is_number & ~blank & (of_value < 0)
    _each(tidy, wrong, "no number", "neither a whole number of at least 0 nor a marker that is known", value, faults)
    _each(tidy, blank & (of_marker == SHOWN), "no value", "neither a value nor a marker", value, faults)
    both = (is_number | (~blank & ~wrong)) & (of_marker > SHOWN)
    _each(tidy, both, "two values", "both a value and a marker", value, faults)
    codes = np.where(is_number, SHOWN, np.where(blank, of_marker, of_value))
    return _shown(np.array([number or 0 for number in numbers], dtype=np.int64)[index], codes, meanings)


def _codes(texts: list[str], meanings: Mapping[str, str | tuple[int, int]]) -> np.ndarray:
    """What each text means: a marker's number, SHOWN for a blank, past the markers for a range, -1 if unknown."""
    ranges = [text for text, meaning in meanings.items() if not isinstance(meaning, str)]

    def code(text: str) -> int:
        meaning = meanings.get(text)
        if isinstance(meaning, str):
            return LETTERS[meaning]
        if meaning is not None:
            return len(MARKERS) + 1 + ranges.index(text)
        return SHOWN if not text else BUILT_IN.get(text.lower(), -1)

    return np.array([code(text) for text in texts], dtype=np.int64)


def _shown(numbers: np.ndarray, codes: np.ndarray, meanings: Mapping[str, str | tuple[int, int]]) -> Shown:
    """Rows whose marker stands for a range count as suppressed, bounded by it."""
    lo, hi = np.zeros(len(codes), np.int64), np.full(len(codes), NO_BOUND, np.int64)
    ranges = [meaning for meaning in meanings.values() if not isinstance(meaning, str)]
    for place, (least, most) in enumerate(ranges, start=len(MARKERS) + 1):
        lo[codes == place], hi[codes == place] = least, min(most, NO_BOUND)
    markers = np.where(codes > len(MARKERS), SUPPRESSED, np.maximum(codes, SHOWN)).astype(np.int8)
    return Shown(values=np.where(markers == SHOWN, numbers, 0), markers=markers, lo=lo, hi=hi)


def _each(tidy: Tidy, wrong: np.ndarray, kind: str, found: str, column: str, faults: Faults) -> None:
    mends = {
        "no number": "give a whole number in digits alone, or say what it means under --known",
        "unknown marker": "say what it means under --known",
    }
    for row in np.flatnonzero(wrong):
        faults.add(kind, found, mends.get(kind, "give one of the two"), row=tidy.row(row), column=column)
