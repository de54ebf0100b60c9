"""What a noisy figure says by itself to somebody who knows the ptable and not the keys.

A published value r of the cell key method leaves the true counts that some key
takes to r:

    x in [min {x : r - x is a noise of row x},  max {x : r - x is a noise of row x}]

With the bound D alone that is [max(1, r - D), r + D] for r > 0 and [0, D] for r = 0:
a true zero is never changed, so a figure above 0 is somebody.  A figure hidden
because it lay below a threshold t is one of 0 … t - 1.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sdc.attack.intervals import NO_BOUND, Intervals
from sdc.attack.witness import between
from sdc.cellkey.ptable import KeyTable, PTable, noise_shares, rows_of
from sdc.findings import Finding
from sdc.tables import LOW, SHOWN, STRUCTURAL, SUPPRESSED, SafeTable

__all__ = ["ValueBounds", "noise_intervals", "ptable_findings", "stated_noise", "value_bounds"]

Bounds = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True, kw_only=True, eq=False)
class ValueBounds:
    """The smallest and largest true count behind each published value, int64 of shape (values,).

    Values beyond the arrays repeat the last `period` of them, moved along; lo > hi
    where no count is ever shown as the value.
    """

    lo: np.ndarray
    hi: np.ndarray
    period: int

    def of(self, shown: np.ndarray) -> Bounds:
        """Bounds of published values, int64 of their shape; negative values are impossible (lo > hi)."""
        start = len(self.lo) - self.period
        at = np.where(shown < len(self.lo), shown, start + (shown - start) % self.period)
        lo, hi = self.lo[np.maximum(at, 0)], self.hi[np.maximum(at, 0)]
        possible = (shown >= 0) & (lo <= hi)
        return np.where(possible, lo + shown - at, 1), np.where(possible, hi + shown - at, 0)


def value_bounds(ptable: PTable | KeyTable) -> ValueBounds:
    """What each published value says by itself to somebody who knows the ptable."""
    shares, first = noise_shares(ptable)
    reach = max(-first, first + shares.shape[1] - 1)
    period = ptable.reuse if isinstance(ptable, KeyTable) else 1
    # From this value on, every count behind a value lies beyond the last row, where rows come round again.
    start = ptable.last + 1 + reach
    counts = np.arange(start + period + reach + 1)
    at, column = np.nonzero(shares[rows_of(ptable, counts)] > 0)
    values = counts[at] + column + first
    lo, hi = np.full(values.max() + 1, NO_BOUND), np.full(values.max() + 1, -1)
    np.minimum.at(lo, values, counts[at])
    np.maximum.at(hi, values, counts[at])
    return ValueBounds(lo=lo[: start + period], hi=hi[: start + period], period=period)


def noise_intervals(safe: SafeTable, ptable: PTable | KeyTable, *, threshold: int = 0) -> Intervals:
    """Each cell's interval from its own value or marker, for `known` of `sdc.attack.judge.audit_tables`.

    Empty (lo > hi) where the ptable never gives the value.  Suppressed cells are
    taken as hidden by the threshold where there is one; what is not shown
    otherwise is [0, no bound], a structural zero [0, 0], ``low`` a published 0.
    """
    bounds = value_bounds(ptable)
    below = _hidden_bounds(bounds, threshold)
    return _intervals(safe, bounds.of, below)


def stated_noise(safe: SafeTable, *, bound: int, zeros_kept: bool = True) -> Intervals:
    """Each cell's interval where the bound D is told and the ptable is not: anybody's noisy table.

    `zeros_kept` is False where true zeros may be shown as something else: then
    a figure above 0 may be nobody, [max(0, r - D), r + D].

    Raises
    ------
    ValueError
        `bound` is below 0.
    """
    if bound < 0:
        raise ValueError(f"bound ({bound}) must be at least 0")

    def of(shown: np.ndarray) -> Bounds:
        least = (shown > 0).astype(np.int64) if zeros_kept else np.zeros(shown.shape, np.int64)
        return np.maximum(shown - bound, least), shown + bound

    return _intervals(safe, of, (0, NO_BOUND))


def ptable_findings(
    ptable: PTable | KeyTable, *, min_count: int, width: int | None = None, threshold: int = 0
) -> tuple[Finding, ...]:
    """Published values that by themselves break the promise for small counts, whatever the table.

    As in `sdc.attack.promise`: an interval that meets 1 … min_count - 1 must contain 0
    or a value >= min_count, be at least `width` wide (min_count - 1 by default), and
    less one it must do so too and be at most one narrower.
    """
    width = min_count - 1 if width is None else width
    bounds = value_bounds(ptable)
    low, high = _hidden_bounds(bounds, threshold)
    rows = [(f"shown {value}", *each) for value, each in enumerate(zip(bounds.lo, bounds.hi, strict=True))]
    if threshold:
        rows = [(f"hidden as below {threshold}", low, high), *rows[threshold:]]
    found = []
    for shown, lo, hi in rows:
        if lo > hi or hi < 1 or lo >= min_count:
            continue
        rest_lo, rest_hi = max(lo, 1) - 1, hi - 1
        pinned = lo >= 1 and hi < min_count
        bare = (rest_lo > 0 and rest_hi < min_count) or rest_hi - rest_lo < width - 1
        if pinned or hi - lo < width or bare:
            text = f"a figure {shown} is {between(int(lo), int(hi))}"
            found.append(_ptable_finding(text, (int(lo), int(hi))))
    return tuple(found)


def _hidden_bounds(bounds: ValueBounds, threshold: int) -> tuple[int, int]:
    """What a suppressed cell may hold: what is shown as less than the threshold, anything where there is none."""
    if threshold == 0:
        return 0, NO_BOUND
    lo, hi = bounds.of(np.arange(threshold))
    return int(lo[lo <= hi].min()), int(hi[lo <= hi].max())


def _intervals(safe: SafeTable, of: Callable[[np.ndarray], Bounds], hidden: tuple[int, int]) -> Intervals:
    lows, highs = [], []
    for values, markers in zip(safe.values, safe.markers, strict=True):
        told = (markers == SHOWN) | (markers == LOW)
        lo, hi = of(np.where(markers == SHOWN, values, 0))
        lo, hi = np.where(told, lo, 0), np.where(told, hi, NO_BOUND)
        lo[markers == SUPPRESSED], hi[markers == SUPPRESSED] = hidden
        hi[markers == STRUCTURAL] = 0
        lows.append(lo.astype(np.int64))
        highs.append(hi.astype(np.int64))
    return Intervals(lo=tuple(lows), hi=tuple(highs))


def _ptable_finding(text: str, interval: tuple[int, int]) -> Finding:
    return Finding(
        kind="ptable", severity="disclosure", table="ptable", cell="every cell", witness=text, interval=interval
    )
