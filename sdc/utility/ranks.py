"""What protection does to the order of areas: ranks, hotspots, deciles.

All of it counts ties: ranks are mean ranks, a hotspot is any area that is at
least as large as the last of the top tenth, deciles are cut at mean ranks.
"""

from math import ceil

import numpy as np

__all__ = ["FEWEST_AREAS", "mean_ranks", "rank_measures"]

# A top tenth and deciles mean nothing below this.
FEWEST_AREAS = 10


def rank_measures(true: np.ndarray, safe: np.ndarray) -> dict[str, float]:
    """Measures of the order of areas by one column; NaN where a measure does not exist.

    Parameters
    ----------
    true, safe : int64 of shape (areas,), the areas whose value is published; `safe` is
        float64 where a reader's guesses stand in it.

    Returns
    -------
    - `rank_correlation`: Spearman's rho, the correlation of mean ranks; there is
      none where all areas are alike in one of them.
    - `hotspots_kept`: Jaccard index (areas in both / areas in either) of the hotspots by true count
      and those by published value.  Hotspots are the areas not 0 and at least as large as
      the k-th largest, k = areas / 10, rounded up; there are none below 10 areas.
    - `share_changing_decile`: share of areas whose decile by true count is not the
      one by published value; the decile of mean rank R of n is floor(10 (R - 1/2) / n).
    """
    true_ranks, safe_ranks = mean_ranks(true), mean_ranks(safe)
    enough = len(true) >= FEWEST_AREAS
    return {
        "rank_correlation": _correlation(true_ranks, safe_ranks),
        "hotspots_kept": _jaccard(_hotspots(true), _hotspots(safe)) if enough else np.nan,
        "share_changing_decile": float(np.mean(_deciles(true_ranks) != _deciles(safe_ranks))) if enough else np.nan,
    }


def mean_ranks(values: np.ndarray) -> np.ndarray:
    """Rank of each value from 1, ties sharing the mean of their ranks: float64 of shape (values,)."""
    if values.size == 0:
        return np.empty(0)
    low = values.min()
    if values.dtype.kind == "i" and int(values.max()) - int(low) < 4 * values.size:
        at = values - low  # counts lie densely: no need to sort them
        counts = np.bincount(at)
    else:
        _, at, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks: np.ndarray = (np.cumsum(counts) - (counts - 1) / 2)[at]
    return ranks


def _correlation(one: np.ndarray, other: np.ndarray) -> float:
    if one.size < 2:
        return np.nan
    one, other = one - one.mean(), other - other.mean()
    scale = np.sqrt(np.square(one).sum() * np.square(other).sum())
    return float(np.clip((one * other).sum() / scale, -1, 1)) if scale > 0 else np.nan


def _hotspots(values: np.ndarray) -> np.ndarray:
    place = values.size - ceil(values.size / 10)
    return (values > 0) & (values >= np.partition(values, place)[place])


def _jaccard(one: np.ndarray, other: np.ndarray) -> float:
    either = int((one | other).sum())
    return int((one & other).sum()) / either if either else np.nan


def _deciles(ranks: np.ndarray) -> np.ndarray:
    # Mean ranks are whole or half: twice a rank is exact as a whole number.
    return (2 * ranks - 1).astype(np.int64) * 5 // len(ranks)
