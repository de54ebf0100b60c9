"""What a published value or marker, taken by itself, says about the true count.

With rounding base b and published value r (methods: Handbook on Statistical
Disclosure Control, 2nd ed. 2024, 5.5 for the intervals of controlled rounding):

====================================  ===============================================
method                                the true count x lies in
====================================  ===============================================
``controlled-rounding``, K steps      [max(0, r - (K + 1)b + 1), r + (K + 1)b - 1]
``random-rounding``                   [max(0, r - b + 1), r + b - 1]
``conventional-rounding``             [max(0, r - floor(b / 2)), r + floor((b - 1) / 2)]
``small-count-rounding``              finest cells: see below; sums: [0, no bound]
``exact``, ``suppression``            [r, r]
``cell-key``                          [0, no bound]: what the noise may be is not told;
                                      `sdc.attack.noisebounds` says what the ptable allows
====================================  ===============================================

Conventional rounding is r = b·floor(x / b + 1 / 2): with an even base a tie goes up.

Small-count rounding with largest rounded count M (b - 1 unless told otherwise)
moves a finest cell x <= M that is no multiple of b to one of the multiples next
to it, and leaves all others as they are.  So a finest cell shown as r lies in

* [max(0, r - b + 1), min(r + b - 1, M)] where r is a multiple of b and r <= M;
* [r - b + 1, r] where r is a multiple of b, r > M and r - b + 1 <= M;
* [r, r] otherwise.

Where multiples may be raised too, r - b takes the place of r - b + 1.
"""

from dataclasses import dataclass

import numpy as np

from sdc.tables import (
    LOW,
    NOT_AVAILABLE,
    NOT_PUBLISHED,
    SHOWN,
    SMALL_COUNTS,
    STRUCTURAL,
    SUPPRESSED,
    Method,
    SafeTable,
)

__all__ = [
    "BEYOND_VALUES",
    "METHODS",
    "NO_BOUND",
    "Intervals",
    "impossible_values",
    "reach",
    "rounded_small_counts",
    "shown_values",
    "stated_intervals",
]

# Stands for "no upper bound": above any count of people, and small enough that sums of a few million stay in int64.
NO_BOUND = 1 << 40

AS_COUNTED = ("exact", "suppression")
# What a value of these says does not follow from the method alone.
BEYOND_VALUES = ("cell-key", SMALL_COUNTS)
METHODS = (
    "controlled-rounding",
    "random-rounding",
    "conventional-rounding",
    SMALL_COUNTS,
    "cell-key",
    *AS_COUNTED,
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Intervals:
    """Bounds lo <= x <= hi for every cell of a table.

    `lo` and `hi` hold, per level, int64 of shape (units, categories + 1), as
    tables do; hi is `NO_BOUND` where nothing bounds the cell from above.
    """

    lo: tuple[np.ndarray, ...]
    hi: tuple[np.ndarray, ...]

    def __post_init__(self) -> None:
        if [array.shape for array in self.lo] != [array.shape for array in self.hi]:
            raise ValueError("lower and upper bounds must have the same shapes")
        if any(array.dtype != np.int64 for array in (*self.lo, *self.hi)):
            raise ValueError("bounds must be int64")

    def intersected(self, other: "Intervals") -> "Intervals":
        """What both say together; empty (lo > hi) where they contradict each other."""
        return Intervals(
            lo=tuple(np.maximum(a, b) for a, b in zip(self.lo, other.lo, strict=True)),
            hi=tuple(np.minimum(a, b) for a, b in zip(self.hi, other.hi, strict=True)),
        )

    def copied(self) -> "Intervals":
        """The same bounds in arrays of their own."""
        return Intervals(lo=tuple(a.copy() for a in self.lo), hi=tuple(a.copy() for a in self.hi))

    def empty(self) -> tuple[np.ndarray, ...]:
        """Per level, True where no value is left (lo > hi)."""
        return tuple(lo > hi for lo, hi in zip(self.lo, self.hi, strict=True))


def reach(method: Method) -> tuple[int, int]:
    """How far below and above a published value the true count may lie.

    Raises
    ------
    ValueError
        The method is not known, or its reach is no matter of the value alone: noise
        (the ptable says it) and small-count rounding (see `stated_intervals`).
    """
    if method.name not in METHODS:
        raise ValueError(f"method ({method.name}) must be one of {', '.join(METHODS)}")
    if method.name in BEYOND_VALUES:
        raise ValueError(f"how far a figure of {method.name} reaches does not follow from the method alone")
    if method.name in AS_COUNTED:
        return 0, 0
    if method.name == "conventional-rounding":
        return method.base // 2, (method.base - 1) // 2
    furthest = (method.steps + 1) * method.base - 1
    return furthest, furthest


def stated_intervals(safe: SafeTable) -> Intervals:
    """Each cell's interval from its own value or marker and the method that was told.

    Markers: suppressed, not available and not published cells lie in
    [0, no bound], primary and secondary suppression alike; a structural zero is
    [0, 0]; ``low`` is the interval of a published 0.
    """
    lows, highs = [], []
    for level, (values, markers) in enumerate(zip(safe.values, safe.markers, strict=True)):
        shown = np.where(markers == SHOWN, values, 0)
        lo, hi = _of_values(shown, safe, level)
        hidden = np.isin(markers, (SUPPRESSED, NOT_AVAILABLE, NOT_PUBLISHED))
        lo[hidden | (markers == STRUCTURAL)] = 0
        hi[markers == STRUCTURAL] = 0
        hi[hidden] = NO_BOUND
        lows.append(lo.astype(np.int64))
        highs.append(hi.astype(np.int64))
    return Intervals(lo=tuple(lows), hi=tuple(highs))


def _of_values(shown: np.ndarray, safe: SafeTable, level: int) -> tuple[np.ndarray, np.ndarray]:
    """Bounds of one level's published values."""
    lo, hi = np.zeros_like(shown), np.full_like(shown, NO_BOUND)
    if safe.method.name == "cell-key":
        return lo, hi
    if safe.method.name == SMALL_COUNTS:
        if level == 0:
            finest = slice(0, max(1, len(safe.classification)))
            lo[:, finest], hi[:, finest] = rounded_small_counts(shown[:, finest], safe.method)
        return lo, hi
    below, above = reach(safe.method)
    return np.maximum(shown - below, 0), np.minimum(shown + above, NO_BOUND)


def rounded_small_counts(shown: np.ndarray, method: Method) -> tuple[np.ndarray, np.ndarray]:
    """Bounds of finest cells that were open to small-count rounding; see the module."""
    base, largest = method.base, method.base - 1 if method.max_round is None else method.max_round
    least = np.maximum(shown - base + (0 if method.zeros else 1), 0)
    multiple, rounded = shown % base == 0, shown <= largest
    lo = np.where(multiple & (rounded | (least <= largest)), least, shown)
    hi = np.where(multiple & rounded, np.minimum(shown + base - 1, largest), shown)
    return lo, np.minimum(hi, NO_BOUND)


def impossible_values(safe: SafeTable) -> tuple[np.ndarray, ...]:
    """Per level, True where the stated method can never publish the value: negative, too large, or no multiple of the base."""
    base = 1 if safe.method.name in (*AS_COUNTED, "cell-key", SMALL_COUNTS) else safe.method.base
    wrong = [
        (markers == SHOWN) & ((values < 0) | (values >= NO_BOUND // 2) | (values % base != 0))
        for values, markers in zip(safe.values, safe.markers, strict=True)
    ]
    if safe.method.name == SMALL_COUNTS:
        finest = slice(0, max(1, len(safe.classification)))
        left = safe.values[0][:, finest] % safe.method.base > 0
        left &= safe.values[0][:, finest] <= (safe.method.max_round or 0)
        wrong[0][:, finest] |= left & (safe.markers[0][:, finest] == SHOWN)
    return tuple(wrong)


def shown_values(safe: SafeTable) -> tuple[tuple[np.ndarray, np.ndarray], ...]:
    """Per level, the published values (``low`` as 0) and where there is one."""
    return tuple(
        (np.where(markers == SHOWN, values, 0), (markers == SHOWN) | (markers == LOW))
        for values, markers in zip(safe.values, safe.markers, strict=True)
    )
