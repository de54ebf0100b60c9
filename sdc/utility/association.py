"""What protection does to analyses: association of areas with categories, and differences between areas."""

import numpy as np

__all__ = ["between_area_variance", "cramers_v", "shares"]


def cramers_v(cells: np.ndarray) -> float:
    """Cramér's V of areas × categories, sqrt(chi² / (n (min(rows, columns) - 1))).

    `cells` has shape (areas, categories), none negative; rows and columns that
    are all 0 are left out.  NaN where fewer than two rows or columns are left.
    """
    cells = cells[cells.any(axis=1)][:, cells.any(axis=0)]
    smaller = min(cells.shape)
    if smaller < 2:
        return np.nan
    # chi² / n = sum of x² / (row sum × column sum) - 1
    by_row = np.square(cells, dtype=np.float64) / cells.sum(axis=1, keepdims=True)
    phi_squared = (by_row.sum(axis=0) / cells.sum(axis=0)).sum() - 1
    return float(np.sqrt(max(phi_squared, 0.0) / (smaller - 1)))


def shares(cells: np.ndarray) -> np.ndarray:
    """Share of each category in its area's total (the last column): float64 (areas, columns), NaN where the total is 0.

    The last column itself stays a count.
    """
    result = np.full(cells.shape, np.nan)
    total = cells[:, -1:]
    np.divide(cells, total, out=result, where=total > 0)
    result[:, -1] = cells[:, -1]
    return result


def between_area_variance(values: np.ndarray) -> float:
    """Variance between areas, sum (v - mean)² / (areas - 1); NaN below two areas."""
    return float(np.var(values, ddof=1)) if values.size >= 2 else np.nan
