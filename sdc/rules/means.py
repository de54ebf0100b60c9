"""Means that give away the counts they were divided by.

A mean of a true sum s over a true count n, shown beside a protected count, says
which counts are possible: n times the mean must be a sum that can be.  With the
mean m shown to d decimals and h = 10^-d / 2, a count n is possible only if

    [n (m - h), n (m + h)] holds a whole number

(sums of whole units: years, pence), and together with the total only if sums of
the parts can make up the sum of the total.  Handbook example: counts 9, 14 and
19 perturbed by at most 2, with the means 11.25, 7.9167 and 9.25, are 8, 12 and
20 and nothing else.  So means are to be worked out as sum / published count.

Source: Hundepool et al., *Handbook on Statistical Disclosure Control*, 2nd ed.
(2024), section 5.7.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from sdc.attack.intervals import Intervals
from sdc.rules.flags import Flags
from sdc.rules.rates import check_decimals
from sdc.tables import Table

__all__ = ["PinnedMean", "counts_of_mean", "counts_of_means", "shown_mean"]

MOST_COMBINATIONS = 1_000_000
MOST_COUNTS = 1_000


@dataclass(frozen=True, kw_only=True, eq=False)
class PinnedMean:
    """Flags cells whose mean, from true sums and counts, would give their count away.

    Flagged are cells n >= 1 with

    * n < `fewest`: no mean is shown of so few;
    * only one count possible under the mean, where the published interval left more;
    * 1 <= n <= min_count - 1, and every possible count in that range.

    Attributes
    ----------
    sums : true sums of the measure in whole units, shaped like the table's counts, int64.
    published : what the published counts say of the true ones by themselves.
    decimals : decimals that means are shown with.

    Raises
    ------
    ValueError
        A limit lies outside its range, shapes differ, or an interval is wider than 1,000 counts.
    """

    sums: tuple[np.ndarray, ...]
    published: Intervals
    decimals: int = 2
    min_count: int = 5
    fewest: int = 2

    def __post_init__(self) -> None:
        check_decimals(self.decimals)
        if self.min_count < 2:
            raise ValueError(f"min_count ({self.min_count}) must be at least 2")
        if [sums.shape for sums in self.sums] != [lo.shape for lo in self.published.lo]:
            raise ValueError("sums and published intervals must have the same shapes")

    def flags(self, table: Table, /) -> Flags:
        """Flags of counts that their means pin."""
        hit = []
        for counts, sums, lo, hi in zip(table.counts, self.sums, self.published.lo, self.published.hi, strict=True):
            some = counts >= 1
            mean = shown_mean(sums, np.maximum(counts, 1), decimals=self.decimals)
            low = np.maximum(lo, 1)
            possible = counts_of_mean(mean, lo=low, hi=hi, decimals=self.decimals)
            candidates = low[..., None] + np.arange(possible.shape[-1])
            number = possible.sum(axis=-1)
            pinned = (number == 1) & (hi > low)
            small = (counts < self.min_count) & ~(possible & (candidates >= self.min_count)).any(axis=-1)
            hit.append(some & (pinned | small | (counts < self.fewest)))
        reason = (
            f"its mean at {self.decimals} decimals, from the true sum and count, gives the count away, "
            f"or would be one of fewer than {self.fewest}"
        )
        return Flags(rule="mean", reason=reason, hit=tuple(hit))


def shown_mean(sums: np.ndarray, counts: np.ndarray, *, decimals: int) -> np.ndarray:
    """Means s / n rounded to `decimals`, halves up, in whole units of 10^-decimals; sums are whole, n >= 1.

    >>> shown_mean(np.array([90, 95, 185]), np.array([8, 12, 20]), decimals=4).tolist()
    [112500, 79167, 92500]
    """
    check_decimals(decimals)
    return (2 * sums.astype(np.int64) * 10**decimals + counts) // (2 * counts)


def counts_of_mean(means: np.ndarray, *, lo: np.ndarray, hi: np.ndarray, decimals: int) -> np.ndarray:
    """Which counts from lo to hi fit a shown mean of a whole sum: bool of shape (…, widest hi - lo + 1).

    Place j of the last axis stands for the count lo + j, and is False beyond hi.

    >>> fits = counts_of_mean(np.array([112500]), lo=np.array([7]), hi=np.array([11]), decimals=4)
    >>> (7 + np.flatnonzero(fits[0])).tolist()
    [8]

    Raises
    ------
    ValueError
        Decimals are below 0 or above 6, or an interval holds more than 1,000 counts.
    """
    check_decimals(decimals)
    widest = int((hi - lo).max(initial=-1)) + 1
    if widest > MOST_COUNTS:
        raise ValueError(f"an interval holds {widest} counts: at most {MOST_COUNTS} are tried")
    counts = lo[..., None] + np.arange(widest)
    least, greatest = _sum_bounds(means[..., None], counts, decimals)
    return (least <= greatest) & (counts <= hi[..., None])


def counts_of_means(
    means: Sequence[int], *, lo: Sequence[int], hi: Sequence[int], decimals: int, whole_sums: bool = True
) -> list[tuple[int, ...]]:
    """Every set of counts of some parts and their total, last, that fits their shown means and adds up.

    A set is possible if the parts' counts make up the total's, and sums within the
    shown means can too.  `means` are in whole units of 10^-decimals; without
    `whole_sums` any sum is possible, not only whole ones.

    >>> counts_of_means([112500, 79167, 92500], lo=[7, 12, 17], hi=[11, 16, 21], decimals=4)
    [(8, 12, 20)]

    Raises
    ------
    ValueError
        There are more than a million sets to try.
    """
    check_decimals(decimals)
    *parts, total = [range(least, most + 1) for least, most in zip(lo, hi, strict=True)]
    tries = int(np.prod([len(part) for part in parts], dtype=float))
    if tries > MOST_COMBINATIONS:
        raise ValueError(f"there are {tries} sets of counts: at most {MOST_COMBINATIONS} are tried")
    found = []
    for counts in product(*parts):
        number = sum(counts)
        if number in total and _sums_meet(means, (*counts, number), decimals, whole_sums):
            found.append((*counts, number))
    return found


def _sums_meet(means: Sequence[int], counts: tuple[int, ...], decimals: int, whole_sums: bool) -> bool:
    """Whether sums within the shown means can add up.

    Sums are held in halves of a last decimal, in which n (m ± h) is whole; a whole
    unit is 2 · 10^decimals of them.
    """
    unit = 2 * 10**decimals
    bounds = [((2 * mean - 1) * count, (2 * mean + 1) * count) for mean, count in zip(means, counts, strict=True)]
    if whole_sums:
        bounds = [(-(-least // unit), greatest // unit) for least, greatest in bounds]
    if any(least > greatest for least, greatest in bounds):
        return False
    *parts, (least, greatest) = bounds
    return sum(a for a, _ in parts) <= greatest and sum(b for _, b in parts) >= least


def _sum_bounds(means: np.ndarray, counts: np.ndarray, decimals: int) -> tuple[np.ndarray, np.ndarray]:
    """Least and greatest whole sum that n times the shown mean allows: [ceil(n (m - h)), floor(n (m + h))]."""
    unit = 2 * 10**decimals
    return -(-(2 * means - 1) * counts // unit), (2 * means + 1) * counts // unit
