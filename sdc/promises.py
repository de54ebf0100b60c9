"""The promises that a profile may make, and the strongest that a way of showing counts can keep.

==================  ========================================================================
promise             what it means
==================  ========================================================================
``full``            the whole promise: whatever is published together, no small count is
                    pinned and every one keeps its width
``intervals-only``  no figure by itself proves that a count is small; nothing is promised
                    of what several figures prove together, or of the width
``shows-small``     a figure by itself may prove that a count is small, though not which one;
                    nothing is promised of what several figures prove together
==================  ========================================================================

With min_count the smallest non-zero count that may be told, a count x is small
where 1 <= x <= min_count - 1; with [lo, hi] what its own figure says of it, it is
pinned where lo >= 1 and hi <= min_count - 1.
"""

from collections.abc import Iterator

import numpy as np

from sdc.attack.intervals import NO_BOUND
from sdc.presentation import Band, own_bounds
from sdc.rules.settings import ROUNDINGS, Settings

__all__ = ["PROMISES", "PROMISE_SENTENCES", "strongest_promise"]

# The strongest first.
PROMISES = ("full", "intervals-only", "shows-small")
PROMISE_SENTENCES = {
    "full": "whatever is published together, no small count can be proven",
    "intervals-only": (
        "no figure by itself proves that a count is small; several figures together may prove it, "
        "and narrow it further than promised"
    ),
    "shows-small": (
        "a figure by itself may prove that a count is small, though not which small count it is; "
        "several figures together may prove that too"
    ),
}
# Methods whose figures are protected together: additive rounding by the theorem of `sdc.attack.theorem`, suppression
# because it is never written without a clean audit.
TOGETHER = ("controlled-rounding", "suppression")
# Below it the insiders' corollary of the theorem does not hold.
LEAST_SAFE_BASE = 3


def strongest_promise(settings: Settings, bands: tuple[Band, ...] = ()) -> str | None:
    """The strongest promise that a way of showing counts can keep, from what each figure says by itself.

    None where some figure gives a small count away exactly.  ``full`` asks that every
    interval spans min_count - 1 (for rounding: base >= min_count) and that figures are
    protected together: additive controlled rounding, or audited suppression.
    """
    alone = list(_own_intervals(settings, bands))
    if any(lo == hi for lo, hi in alone):
        return None
    if any(lo >= 1 and hi < settings.min_count for lo, hi in alone):
        return "shows-small"
    wide = all(hi - lo >= settings.min_count - 1 for lo, hi in alone)
    together = not bands and settings.method in TOGETHER
    insiders_kept = settings.method not in ROUNDINGS or settings.base >= LEAST_SAFE_BASE
    return "full" if wide and together and insiders_kept else "intervals-only"


def _own_intervals(settings: Settings, bands: tuple[Band, ...]) -> Iterator[tuple[int, int]]:
    """What a figure may say by itself, for every figure that a small count may be shown as."""
    small = np.arange(1, settings.min_count)
    base = settings.base
    if bands or settings.method == "conventional-rounding":
        lo, hi = own_bounds(small, bands or (Band(nearest=base),))
        yield from zip(lo.tolist(), hi.tolist(), strict=True)
    elif settings.method == "suppression":
        yield 0, NO_BOUND
    elif settings.method == "cell-key":
        yield from _noisy(settings)
    elif settings.method == "small-count-rounding":
        yield from ((0, base - 1), (1, base))
        # Counts above the base are shown as they are.
        yield from ((count, count) for count in small.tolist() if count > base)
    else:
        for shown in np.unique(np.concatenate([small // base, -(-small // base)]) * base).tolist():
            yield max(0, shown - base + 1), shown + base - 1


def _noisy(settings: Settings) -> Iterator[tuple[int, int]]:
    """Counts from which bounded noise can make each figure; a count of 0 is always shown as 0."""
    noise, hidden = settings.max_noise or 0, settings.never_shown or 0
    yield 0, noise
    for shown in range(hidden + 1, settings.min_count + noise):
        yield max(1, shown - noise), shown + noise
