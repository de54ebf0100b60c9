"""Additivity gaps: by how much published parts and wholes disagree."""

import numpy as np

from sdc.tables import SHOWN, STRUCTURAL, Hierarchy, SafeTable

__all__ = ["area_gaps", "category_gaps", "shown_cells"]


def shown_cells(safe: SafeTable) -> tuple[np.ndarray, ...]:
    """Per level, bool: True where a reader knows the value; a structural zero is a value of 0."""
    return tuple((markers == SHOWN) | (markers == STRUCTURAL) for markers in safe.markers)


def area_gaps(safe: SafeTable, shown: tuple[np.ndarray, ...], level: int) -> np.ndarray:
    """|sum of the children's values - the parent's value| for each unit of a level above the smallest.

    Float64 of shape (units, columns), NaN where the unit or a child of it is not shown.
    """
    hierarchy = safe.hierarchy
    sums = _up(hierarchy, safe.values[level - 1] * shown[level - 1], level)
    missing = _up(hierarchy, (~shown[level - 1]).astype(np.int64), level)
    gap: np.ndarray = np.abs(sums - safe.values[level]).astype(np.float64)
    gap[(missing > 0) | ~shown[level]] = np.nan
    return gap


def category_gaps(safe: SafeTable, shown: tuple[np.ndarray, ...], level: int) -> np.ndarray:
    """|sum of the categories' values - the total's value| for each unit of a level, NaN where one is not shown.

    Float64 of shape (units,).  Meaningless for a table without categories.
    """
    values = safe.values[level]
    gap: np.ndarray = np.abs(values[:, :-1].sum(axis=1) - values[:, -1]).astype(np.float64)
    gap[~shown[level].all(axis=1)] = np.nan
    return gap


def _up(hierarchy: Hierarchy, below: np.ndarray, level: int) -> np.ndarray:
    above = np.zeros((hierarchy.units[level], below.shape[1]), np.int64)
    np.add.at(above, hierarchy.parents[level - 1], below)
    return above
