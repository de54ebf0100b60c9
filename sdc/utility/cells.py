"""Errors of cells, e = r - x: published value minus true count.

Measured against true counts, so for the reviewer alone: with one cell to a
level, the largest error gives the true count away.
"""

import numpy as np

__all__ = ["cell_measures"]


def cell_measures(
    true: np.ndarray, safe: np.ndarray, shown: np.ndarray, valued: np.ndarray | None = None
) -> dict[str, np.ndarray]:
    """Measures of the cells of each column.

    Parameters
    ----------
    true, safe : int64 of shape (cells, columns), true counts x and published values r;
        r is float64 where a reader's guesses stand in it.
    shown : bool of the same shape, False where no value is published.
    valued : bool of the same shape, True where r is a value or a guess; `shown` where not given.

    Returns
    -------
    Arrays of shape (columns,), errors over the valued cells, NaN where a measure does not exist:

    - `cells`, `hidden`, `share_hidden`, `sum_hidden`: how many there are, how
      many are not shown, their share, and the sum of their true counts;
    - `max_absolute_error` max |e|, `mean_absolute_error` mean |e|,
      `root_mean_square_error` sqrt(mean e²), `bias` mean e;
    - `relative_absolute_deviation` sum |e| / sum x;
    - `hellinger_distance` HD = sqrt(1/2 sum (sqrt r - sqrt x)²) and
      `hellinger_utility` 1 - HD / sqrt(sum x).  A negative r counts as 0 in them.

    References
    ----------
    N. Shlomo, L. Antal and M. Elliot, "Measuring disclosure risk and data
    utility for flexible table generators", Journal of Official Statistics 31
    (2015), 305-324, for HD and its utility.
    """
    valued = shown if valued is None else valued
    cells, number = len(true), valued.sum(axis=0)
    hidden = cells - shown.sum(axis=0)
    counts = np.where(valued, true, 0)
    error = np.where(valued, safe - true, 0)
    absolute = np.abs(error)
    total = counts.sum(axis=0)
    # Squares as floats: a million cells with errors of millions pass 2**63.
    squares = np.square(error, dtype=np.float64).sum(axis=0)
    roots = np.sqrt(np.where(valued, np.maximum(safe, 0), 0)) - np.sqrt(counts)
    distance = np.sqrt(np.square(roots).sum(axis=0) / 2)
    return {
        "cells": np.full(true.shape[1], cells),
        "hidden": hidden,
        "share_hidden": _ratio(hidden, np.full_like(hidden, cells)),
        "sum_hidden": np.where(shown, 0, true).sum(axis=0),
        "max_absolute_error": np.where(number > 0, absolute.max(axis=0, initial=0), np.nan),
        "mean_absolute_error": _ratio(absolute.sum(axis=0), number),
        "root_mean_square_error": np.sqrt(_ratio(squares, number)),
        "bias": _ratio(error.sum(axis=0), number),
        "relative_absolute_deviation": _ratio(absolute.sum(axis=0), total),
        "hellinger_distance": np.where(number > 0, distance, np.nan),
        "hellinger_utility": 1 - _ratio(distance, np.sqrt(total)),
    }


def _ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """`above` / `below`, NaN where `below` is 0."""
    result = np.full(above.shape, np.nan)
    np.divide(above, below, out=result, where=below != 0)
    return result
