"""What an outsider learns from two or more releases of a series: flips, and what they prove.

A cell *flips* where its shown value is not the one shown before.  With r the value
now, q the one before and b the base, rounding within the base proves of the counts

    x in [max(0, r - b + 1), r + b - 1],   y in [max(0, q - b + 1), q + b - 1],

and so of the change x - y what lies between the differences of the ends.  By the
theorem (`sdc.attack.theorem`) the interval of each count is exact whatever else its
own release shows, and two releases share no sum, so that the interval of the change
is exact too.  A change is *proven* by the bounds alone where |r - q| >= 2 b.

Two things go further than the bounds:

* *Somebody who knows that a count did not change* (of an area where nobody came or
  went, say) takes both intervals together, [max(r, q) - b + 1, min(r, q) + b - 1].
  Where both neighbours of a count were shown it lies strictly between them: a
  small one is *pinned*.  Fresh draws give away most counts in that way in a few
  quarters; where values are kept it takes a flip without a change.
* *Somebody who knows that values are kept* takes a flip for a change.  Were every
  unchanged count to keep its value, that would be certain, and where changes are
  rare and their draws are new, a fall of the shown value would be a fall of the
  count with `chance_of_fall`.  But additivity and the bound force some unchanged
  counts to flip with their neighbours, so that a flip is evidence, not proof:
  measured against the truth, `flip_rows` says how good.

For a revision of one reference date the change of a count is itself a count of
people (records taken in, or out): `sdc.differencing.revisions` holds it to the promise.
"""

from collections.abc import Sequence

import numpy as np

from sdc.attack.posterior import Prior
from sdc.rounding.kept import Earlier
from sdc.tables import SafeTable, Table

__all__ = ["chance_of_fall", "change_bounds", "flip_rows", "pinned_if_unchanged"]


def change_bounds(now: np.ndarray, before: np.ndarray, base: int) -> tuple[np.ndarray, np.ndarray]:
    """Least and greatest change of the counts behind values shown now and before, int64 of their shape."""
    low = np.maximum(now - base + 1, 0) - (before + base - 1)
    high = now + base - 1 - np.maximum(before - base + 1, 0)
    return low, high


def pinned_if_unchanged(shown: Sequence[np.ndarray], *, base: int, min_count: int) -> np.ndarray:
    """Cells that are proven small by two or more releases, to somebody who knows that the count stayed the same.

    `shown` are values of the same cells in each release.  A count x is *small* where
    1 <= x <= min_count - 1, and pinned where what all releases allow is small throughout;
    cells whose values no one count can have are not.
    """
    high = np.minimum.reduce(shown) + base - 1
    low = np.maximum(np.maximum.reduce(shown) - base + 1, 0)
    pinned: np.ndarray = (low >= 1) & (high < min_count) & (low <= high)
    return pinned


def flip_rows(safe: SafeTable, earlier: Earlier, truth: Table | None = None) -> list[dict[str, object]]:
    """One row per level over the cells that both releases have.

    `cells`, `alike` (shown as before), `rises` and `falls` of the shown value, `proven` (a change
    that the bounds prove).  With the truth, for reviewers only: `changed` counts; `flips_unchanged`, flips
    of counts that did not change; `change_share`, the share of flips whose count changed; `fall_share`, the
    share of falls shown whose count fell; `pinned_if_unchanged`, small counts that did not change and that
    both neighbours were shown of.
    """
    rows: list[dict[str, object]] = []
    base, least = safe.method.base, safe.method.min_count
    for level, name in enumerate(safe.hierarchy.levels):
        known = earlier.known[level]
        now, before = safe.values[level][known], earlier.values[level][known]
        low, high = change_bounds(now, before, base)
        row: dict[str, object] = {
            "level": name,
            "cells": len(now),
            "alike": int(np.sum(now == before)),
            "rises": int(np.sum(now > before)),
            "falls": int(np.sum(now < before)),
            "proven": int(np.sum((low > 0) | (high < 0))),
        }
        if truth is not None:
            change = truth.counts[level][known] - earlier.counts[level][known]
            pinned = pinned_if_unchanged([now, before], base=base, min_count=least) & (change == 0)
            row |= {
                "changed": int(np.sum(change != 0)),
                "flips_unchanged": int(np.sum((now != before) & (change == 0))),
                "change_share": _share(change[now != before] != 0),
                "fall_share": _share(change[now < before] < 0),
                "pinned_if_unchanged": int(pinned.sum()),
            }
        rows.append(row)
    return rows


def _share(hits: np.ndarray) -> float | None:
    return round(float(hits.mean()), 4) if len(hits) else None


def chance_of_fall(prior: Prior, base: int, *, most: int = 400) -> float:
    """Chance that a count fell whose shown value fell, if every unchanged count kept its value.

    Changes are rare, by one either way alike, and drawn anew: with f(x) the chance that x is shown
    at its upper multiple, a fall to the multiple below is shown with the chance that the one draw is above
    it and the next at or below.  Summed over the prior of the earlier count x:

        fell = P(shown falls | x -> x - 1),  rose = P(shown falls | x -> x + 1),  fell / (fell + rose).
    """
    counts = np.arange(most + 1)
    mass = np.exp(prior.log_mass(counts))
    fell = float(np.sum(mass[1:] * _falls(counts[1:], counts[1:] - 1, base)))
    rose = float(np.sum(mass * _falls(counts, counts + 1, base)))
    return fell / (fell + rose)


def _falls(before: np.ndarray, now: np.ndarray, base: int) -> np.ndarray:
    """Chance that a value drawn for `now` is below one drawn apart for `before`."""
    chance = np.zeros(len(before))
    for one in (0, 1):
        for other in (0, 1):
            p = before % base / base if one else 1 - before % base / base
            q = now % base / base if other else 1 - now % base / base
            chance += np.where((now // base + other) < (before // base + one), p * q, 0.0)
    return chance
