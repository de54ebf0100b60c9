"""What a reader puts in the place of hidden cells: two usual guesses, so that their cost can be measured.

Both use published values alone.  They say what a table with hidden cells is
worth to a reader; they are no attack, and no bound on what can be proven.
"""

import numpy as np

from sdc.attack.intervals import NO_BOUND, Intervals
from sdc.tables import Hierarchy, SafeTable, sum_up
from sdc.utility.gaps import child_sums, shown_cells

__all__ = ["DECIMALS", "margin_shares", "midpoints"]

Arrays = tuple[np.ndarray, ...]

# Guesses are rounded to so many decimals: areas that are alike must not be ranked by what is left of a division.
DECIMALS = 6


def midpoints(safe: SafeTable, intervals: Intervals) -> Arrays:
    """The middle of each hidden cell's feasibility interval, (lo + hi) / 2.

    Returns
    -------
    Per level, float64 of shape (units, columns): the published value where one is
    shown, the middle where none is, NaN where nothing bounds a hidden cell from above.

    Raises
    ------
    ValueError
        The intervals are not those of the table's cells.
    """
    if [lo.shape for lo in intervals.lo] != [values.shape for values in safe.values]:
        raise ValueError("intervals must be those of the table's cells")
    filled = []
    for values, shown, lo, hi in zip(safe.values, shown_cells(safe), intervals.lo, intervals.hi, strict=True):
        middle = np.where(hi < NO_BOUND, (lo + hi) / 2, np.nan)
        filled.append(np.where(shown, values.astype(np.float64), middle))
    return tuple(filled)


def margin_shares(safe: SafeTable) -> Arrays:
    """What shown margins leave, shared out among the cells hidden under them.

    From the largest areas down, with T the total of an area, x_k its
    categories and P_k what the area above it has of category k (for k the total
    too), each shown, or guessed a step before:

    - a hidden total is its share of max(0, P_T - sum of the totals shown beside it), in
      proportion to the smallest areas within each of the areas whose totals are hidden;
    - a hidden category is its share of max(0, T - sum of the categories shown), in proportion to
      w_k = max(0, P_k - sum of category k shown beside it); evenly where all w_k are 0, and at the top.

    Returns
    -------
    Per level, float64 of shape (units, columns): the published value where one is
    shown, the guess where none is, NaN where no margin is known that could be shared.
    """
    hierarchy, shown = safe.hierarchy, shown_cells(safe)
    filled = [np.where(seen, values, np.nan) for values, seen in zip(safe.values, shown, strict=True)]
    leaves = sum_up(hierarchy, np.ones((hierarchy.units[0], 1), np.int64))
    for level in range(len(filled) - 1, -1, -1):
        above = _left_above(hierarchy, filled, shown, level)
        if above is not None:
            _share_totals(filled[level], shown[level], above, hierarchy.parents[level], leaves[level][:, 0])
        if len(safe.classification):
            weights = None if above is None else above[hierarchy.parents[level], :-1]
            _share_categories(filled[level], shown[level], weights)
    return tuple(np.round(values, DECIMALS) for values in filled)


def _left_above(hierarchy: Hierarchy, filled: list[np.ndarray], shown: Arrays, level: int) -> np.ndarray | None:
    """What the shown cells of a level leave of each cell above, at least 0; None at the top."""
    if level + 1 == len(filled):
        return None
    told = child_sums(hierarchy, np.where(shown[level], filled[level], 0.0), level + 1)
    return np.maximum(filled[level + 1] - told, 0.0)


def _share_totals(
    filled: np.ndarray, shown: np.ndarray, above: np.ndarray, parents: np.ndarray, leaves: np.ndarray
) -> None:
    weights = np.where(shown[:, -1], 0, leaves)
    together = np.bincount(parents, weights, minlength=len(above))
    hidden = ~shown[:, -1]
    filled[hidden, -1] = (above[parents, -1] * weights)[hidden] / together[parents][hidden]


def _share_categories(filled: np.ndarray, shown: np.ndarray, weights: np.ndarray | None) -> None:
    inner = shown[:, :-1]
    hidden = ~inner
    left = np.maximum(filled[:, -1] - np.where(inner, filled[:, :-1], 0.0).sum(axis=1), 0.0)
    shares = np.where(hidden, 0.0 if weights is None else np.nan_to_num(weights), 0.0)
    even = shares.sum(axis=1) == 0
    shares[even] = hidden[even]
    together = np.maximum(shares.sum(axis=1), 1e-300)
    filled[:, :-1] = np.where(inner, filled[:, :-1], left[:, None] * shares / together[:, None])
