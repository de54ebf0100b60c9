"""What stands in a published cell: a number, or a marker, ours or another producer's."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from common.faults import Faults
from geography.nesting import encode_text
from releases.attack.markertexts import Meaning, meaning_of
from releases.files.tidyfile import Tidy
from releases.files.wholenumbers import whole_number
from sdc.attack.intervals import NO_BOUND
from sdc.tables import LOW, SHOWN, SUPPRESSED

__all__ = ["Shown", "read_markers", "read_shown"]

Told = Mapping[str, str | tuple[int, int]]
NUMBERS = "a whole number of at least 0"
# Whole numbers as programs write them that hold every number as a fraction.
NOUGHTS = re.compile("([0-9]+)[.]0+")


@dataclass(frozen=True, kw_only=True, eq=False)
class Shown:
    """What each row shows: value (int64, 0 where there is none), marker (int8), and what its marker bounds it by.

    `readings` say how markers were read that nobody explained, in words.
    """

    values: np.ndarray
    markers: np.ndarray
    lo: np.ndarray
    hi: np.ndarray
    readings: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class Marked:
    """Per row the meaning of its marker, -1 where it shows a number, and the meanings themselves."""

    of_row: np.ndarray
    meanings: tuple[Meaning, ...]
    readings: tuple[str, ...]


def read_shown(
    tidy: Tidy, value: str, marker: str | None, meanings: Told, faults: Faults, *, low_is_zero: bool = True
) -> Shown:
    """Read a column of values, with markers in it or in a column of their own.

    `meanings` tells of further markers; see `releases.attack.known`.  Unless `low_is_zero`,
    a low figure is read as suppressed: where others are exact, it is not rounded to nil.  A fault is noted
    for a value that is no whole number of at least 0, an unknown marker, a row
    with both, and a row with neither.
    """
    values, index = encode_text(tidy.text.columns[value])
    texts = [text.strip() for text in values.tolist()]
    numbers = [_published_number(text) for text in texts]
    is_number = np.array([number is not None for number in numbers], dtype=bool)
    marked = read_markers(tidy, value, marker, is_number, meanings, faults, numbers=NUMBERS, low_is_zero=low_is_zero)
    shown = np.array([number or 0 for number in numbers], dtype=np.int64)[index]
    at = marked.of_row
    markers = np.array([SHOWN, *(one.marker for one in marked.meanings)], np.int8)[at + 1]
    return Shown(
        values=np.where(markers == SHOWN, shown, 0),
        markers=markers,
        lo=np.array([0, *(one.lo for one in marked.meanings)], np.int64)[at + 1],
        hi=np.array([NO_BOUND, *(one.hi for one in marked.meanings)], np.int64)[at + 1],
        readings=(*_number_readings(texts, numbers), *marked.readings),
    )


def _published_number(text: str) -> int | None:
    """The whole number that a text gives in digits, or with noughts alone behind a decimal point: ``40.0``."""
    match = NOUGHTS.fullmatch(text)
    return whole_number(match.group(1) if match else text)


def _number_readings(texts: Sequence[str], numbers: Sequence[int | None]) -> tuple[str, ...]:
    """That some numbers are not digits alone."""
    ours = any(number is not None and "." in text for text, number in zip(texts, numbers, strict=True))
    return ("values with noughts alone behind a decimal point are read as whole numbers",) if ours else ()


def read_markers(
    tidy: Tidy,
    value: str,
    marker: str | None,
    is_number: np.ndarray,
    told: Told,
    faults: Faults,
    *,
    numbers: str,
    low_is_zero: bool = True,
) -> Marked:
    """The markers of a column of values, or beside it, with faults for whatever is neither number nor marker.

    `is_number` says of each different text of the column whether it is one of `numbers`.
    """
    values, index = encode_text(tidy.text.columns[value])
    plain = [text.strip() for text in values.tolist()]
    known = _Meanings(told=told, low_is_zero=low_is_zero)
    of_value = known.places(plain, is_number)[index]
    blank = np.array([not text for text in plain], dtype=bool)[index]
    number = is_number[index]
    of_marker = np.full(len(index), -1, np.int64)
    if marker is not None:
        texts, at = encode_text(tidy.text.columns[marker])
        stripped = [text.strip() for text in texts.tolist()]
        none = np.array([not text for text in stripped], dtype=bool)
        found = known.places(stripped, none)
        of_marker = found[at]
        _each(tidy, (of_marker < 0) & ~none[at], "unknown marker", "a marker that is not known", marker, faults)
        of_marker = np.where(none[at], -1, np.where(of_marker < 0, -2, of_marker))
    wrong = ~number & ~blank & (of_value < 0)
    _each(tidy, wrong, "no number", f"neither {numbers} nor a marker that is known", value, faults)
    _each(tidy, blank & (of_marker == -1), "no value", "neither a value nor a marker", value, faults)
    both = (number | (~blank & ~wrong)) & (of_marker >= 0)
    _each(tidy, both, "two values", "both a value and a marker", value, faults)
    of_row = np.where(number, -1, np.where(blank, np.maximum(of_marker, -1), of_value))
    return Marked(of_row=of_row, meanings=tuple(known.found), readings=tuple(known.readings))


@dataclass(kw_only=True, eq=False)
class _Meanings:
    """The meanings that were met in a file, and how texts were read that nobody explained."""

    told: Told
    low_is_zero: bool
    found: list[Meaning] = field(default_factory=list)
    readings: list[str] = field(default_factory=list)

    def places(self, texts: Sequence[str], skipped: np.ndarray) -> np.ndarray:
        """Where each text's meaning stands in `found`, to which it is added; -1 for none, and for those skipped."""
        places = np.full(len(texts), -1, np.int64)
        for at, text in enumerate(texts):
            meaning = meaning_of(text, self.told) if text and not skipped[at] else None
            if meaning is None:
                continue
            if meaning.marker == LOW and not meaning.said and not self.low_is_zero:
                meaning = Meaning(SUPPRESSED, doubtful=True)
            if meaning not in self.found:
                self.found.append(meaning)
            places[at] = self.found.index(meaning)
            reading = _reading(text, meaning)
            if reading and reading not in self.readings:
                self.readings.append(reading)
        return places


def _reading(text: str, meaning: Meaning) -> str:
    """How a marker was read that producers use for different things, or that stands for a range; blank where it is plain."""
    if meaning.doubtful:
        return f"'{text}' is read as suppressed: say what it means with markers under --known"
    if meaning.is_range and not meaning.said:
        most = "no bound" if meaning.hi >= NO_BOUND else f"{meaning.hi:,}"
        return f"'{text}' is read as {meaning.lo:,} to {most}"
    return ""


def _each(tidy: Tidy, wrong: np.ndarray, kind: str, found: str, column: str, faults: Faults) -> None:
    mends = {
        "no number": "give a whole number in digits alone, or say what it means under --known",
        "unknown marker": "say what it means under --known",
    }
    for row in np.flatnonzero(wrong):
        faults.add(kind, found, mends.get(kind, "give one of the two"), row=tidy.row(row), column=column)
