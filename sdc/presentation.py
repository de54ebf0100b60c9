"""How a producer shows counts: bands of counts that are marked, set to one number, or rounded.

Bands are data: from each `least` to the next one's, counts are shown as a mark
(``*``), as one number for all, or rounded to the nearest multiple of `nearest`,
or to so many significant figures.  `present` applies them, `own_bounds` runs
them backwards: what a shown value says of the count by itself.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from sdc.attack.intervals import NO_BOUND, Intervals
from sdc.tables import SHOWN, SUPPRESSED, Method, SafeTable, Table

__all__ = ["TIES", "Band", "check_bands", "own_bounds", "present", "shown_table", "told_bands"]

TIES = ("up", "even")
MOST_DIGITS = 12


@dataclass(frozen=True, kw_only=True)
class Band:
    """How counts from `least` on are shown, up to the next band.

    Attributes
    ----------
    least : the first count of the band.
    mark : shown instead of any number; blank for none.
    number : shown for every count of the band; None for none.
    nearest : else the count rounded to a multiple of this; 1 shows it as it is.
    ties : halves go ``up``, or to the ``even`` multiple.
    significant : instead of `nearest`, round to so many significant figures.

    Raises
    ------
    ValueError
        More than one way of showing is given, or a limit lies outside its range.
    """

    least: int = 0
    mark: str = ""
    number: int | None = None
    nearest: int = 1
    ties: str = "up"
    significant: int | None = None

    def __post_init__(self) -> None:
        ways = (bool(self.mark), self.number is not None, self.nearest != 1, self.significant is not None)
        if sum(ways) > 1:
            raise ValueError(f"the band from {self.least} must have one of mark, number, nearest and significant")
        if self.least < 0 or (self.number or 0) < 0:
            raise ValueError(f"the band from {self.least} must start at 0 or above and show no number below 0")
        if self.nearest < 1 or (self.significant is not None and self.significant < 1):
            raise ValueError(f"nearest and significant of the band from {self.least} must be at least 1")
        if self.ties not in TIES:
            raise ValueError(f"ties ({self.ties}) must be one of {', '.join(TIES)}")
        if self.mark.strip().lstrip("-").isdigit():
            raise ValueError(f"mark ({self.mark}) must not look like a number: give it as number")


def check_bands(bands: Sequence[Band]) -> None:
    """Refuse bands that do not cover every count once, or that show two bands by one mark.

    Raises
    ------
    ValueError
        The first band does not start at 0, or the starts do not rise.
    """
    if not bands or bands[0].least != 0:
        raise ValueError("the first band must start at 0")
    if any(below.least >= above.least for below, above in pairwise(bands)):
        raise ValueError("bands must be in order, each starting above the one before")
    marks = [band.mark for band in bands if band.mark]
    if len(set(marks)) != len(marks):
        raise ValueError("no two bands may share a mark")


def present(counts: np.ndarray, bands: Sequence[Band]) -> np.ndarray:
    """Counts as they are shown: text of the counts' shape.

    >>> bands = (Band(), Band(least=1, mark="*"), Band(least=8, nearest=5))
    >>> present(np.array([0, 7, 8, 13]), bands).tolist()
    ['0', '*', '10', '15']
    """
    numbers, marks = _shown(counts, bands)
    names = np.array([band.mark for band in bands], dtype=object)
    return np.where(marks >= 0, names[marks], numbers.astype(str).astype(object)).astype(str)


def own_bounds(counts: np.ndarray, bands: Sequence[Band]) -> tuple[np.ndarray, np.ndarray]:
    """The least and the greatest count that are shown as each count is: two int64 arrays of its shape.

    hi is `NO_BOUND` where the last band is one mark or one number for all.
    """
    numbers, marks = _shown(counts, bands)
    lo = np.full(counts.shape, NO_BOUND, np.int64)
    hi = np.full(counts.shape, -1, np.int64)
    for place, band, last in _ranges(bands):
        if band.mark or band.number is not None:
            alike = marks == place if band.mark else (marks < 0) & (numbers == band.number)
            first, final = np.full_like(lo, band.least), np.full_like(hi, last)
        else:
            first, final = _rounded_to(numbers, band, last)
            alike = (marks < 0) & (numbers % band.nearest == 0) & (first <= final)
        lo, hi = np.where(alike, np.minimum(lo, first), lo), np.where(alike, np.maximum(hi, final), hi)
    return lo, hi


def shown_table(table: Table, bands: Sequence[Band], *, min_count: int) -> tuple[SafeTable, Intervals]:
    """A table as the bands show it, and what each cell says by itself.

    Marked cells are SUPPRESSED; which mark stands there is told by the bands.  The
    attack takes the intervals as bounds that are known besides the table.

    Raises
    ------
    ValueError
        Numbers are not all rounded to one base, halves up, or one number stands for
        several counts: no one method could be told of them.
    """
    check_bands(bands)
    shown = [_shown(counts, bands) for counts in table.counts]
    # A nought shown as it is fits any base.
    bases = {band.nearest for _, band, last in _ranges(bands) if not band.mark and last > 0}
    base = max(bases, default=1)
    plain = all(band.significant is None and band.number is None and band.ties == "up" for band in bands)
    if not plain or len(bases) > 1:
        raise ValueError("bands of several bases, of halves not rounded up or of one number for all are no one method")
    bounds = [own_bounds(counts, bands) for counts in table.counts]
    name = "conventional-rounding" if base > 1 else "exact"
    safe = SafeTable(
        hierarchy=table.hierarchy,
        classification=table.classification,
        values=tuple(np.where(marks >= 0, 0, numbers) for numbers, marks in shown),
        method=Method(name=name, base=base, min_count=min_count),
        markers=tuple(np.where(marks >= 0, SUPPRESSED, SHOWN).astype(np.int8) for _, marks in shown),
    )
    return safe, Intervals(lo=tuple(lo for lo, _ in bounds), hi=tuple(hi for _, hi in bounds))


def told_bands(bands: Sequence[Band]) -> list[tuple[str, str]]:
    """The bands in words: which counts, and how they are shown."""
    told = []
    for place, band in enumerate(bands):
        last = _last(bands, place)
        if last == NO_BOUND:
            counts = f"{band.least:,} and over"
        else:
            counts = f"{band.least:,}" if last == band.least else f"{band.least:,} to {last:,}"
        told.append((counts, _way(band)))
    return told


def _way(band: Band) -> str:
    if band.mark:
        return band.mark
    if band.number is not None:
        return f"{band.number:,}"
    if band.significant is not None:
        return f"to {band.significant} significant figures"
    if band.nearest == 1:
        return "as it is"
    ties = f", halves to the nearest {2 * band.nearest:,}" if band.ties == "even" and band.nearest % 2 == 0 else ""
    return f"to the nearest {band.nearest:,}{ties}"


def _shown(counts: np.ndarray, bands: Sequence[Band]) -> tuple[np.ndarray, np.ndarray]:
    """Shown numbers (0 where there is a mark) and the place of the band whose mark is shown (-1 for none)."""
    numbers = np.zeros(counts.shape, np.int64)
    marks = np.full(counts.shape, -1, np.int64)
    for place, band, last in _ranges(bands):
        inside = (counts >= band.least) & (counts <= last)
        if band.mark:
            marks[inside] = place
        elif band.number is not None:
            numbers[inside] = band.number
        else:
            numbers[inside] = _nearest(counts[inside], band)
    return numbers, marks


def _nearest(counts: np.ndarray, band: Band) -> np.ndarray:
    below, rest = np.divmod(counts, band.nearest)
    up = 2 * rest > band.nearest
    tie = 2 * rest == band.nearest
    up |= tie & ((below % 2 == 1) if band.ties == "even" else True)
    return (below + up) * band.nearest


def _rounded_to(numbers: np.ndarray, band: Band, last: int) -> tuple[np.ndarray, np.ndarray]:
    """First and last count of a band that round to each number, a multiple of its base; first > last where none does."""
    below = np.full(numbers.shape, band.nearest // 2, np.int64)
    above = np.full(numbers.shape, (band.nearest - 1) // 2, np.int64)
    if band.ties == "even" and band.nearest % 2 == 0:
        odd = numbers // band.nearest % 2
        below, above = below - odd, band.nearest // 2 - odd
    return np.maximum(numbers - below, band.least), np.minimum(numbers + above, last)


def _ranges(bands: Sequence[Band]) -> Iterator[tuple[int, Band, int]]:
    """Place, band and last count, in order; significant figures as one band for each number of digits."""
    for place, band in enumerate(bands):
        last = _last(bands, place)
        if band.significant is None:
            yield place, band, last
            continue
        for digits in range(len(str(band.least)), MOST_DIGITS + 1):
            least = max(band.least, 10 ** (digits - 1) if digits > 1 else 0)
            most = last if digits == MOST_DIGITS else min(last, 10**digits - 1)
            if least <= most:
                nearest = 10 ** max(digits - band.significant, 0)
                yield place, replace(band, least=least, nearest=nearest, significant=None), most


def _last(bands: Sequence[Band], place: int) -> int:
    """The last count of a band."""
    return bands[place + 1].least - 1 if place + 1 < len(bands) else NO_BOUND
