"""Additivity gaps: by how much published parts and wholes disagree."""

import numpy as np

from sdc.tables import SHOWN, STRUCTURAL, Hierarchy, SafeTable

__all__ = ["area_gaps", "category_gaps", "child_sums", "shown_cells"]

# Guesses for hidden cells are no whole numbers: what is left of their sums below this is no gap.
DECIMALS = 6


def shown_cells(safe: SafeTable) -> tuple[np.ndarray, ...]:
    """Per level, bool: True where a reader knows the value; a structural zero is a value of 0."""
    return tuple((markers == SHOWN) | (markers == STRUCTURAL) for markers in safe.markers)


def area_gaps(hierarchy: Hierarchy, below: np.ndarray, above: np.ndarray, level: int) -> np.ndarray:
    """|sum of the children's values - the parent's value| for each unit of a level above the smallest.

    `below` and `above` are the values of the level under `level` and of `level`
    itself, of shape (units, columns), NaN where there is none.  Float64 of the
    shape of `above`, NaN where the unit or a child of it has no value.
    """
    gap: np.ndarray = np.round(np.abs(child_sums(hierarchy, below, level) - above), DECIMALS)
    return gap


def category_gaps(values: np.ndarray) -> np.ndarray:
    """|sum of the categories' values - the total's value| for each unit, NaN where one has no value.

    `values` are those of one level, the total last.  Float64 of shape (units,).
    Meaningless for a table without categories.
    """
    gap: np.ndarray = np.round(np.abs(values[:, :-1].sum(axis=1) - values[:, -1]), DECIMALS)
    return gap


def child_sums(hierarchy: Hierarchy, below: np.ndarray, level: int) -> np.ndarray:
    """Sums over the children of each unit of a level above the smallest: of the type of `below`, NaN where one is NaN."""
    above = np.zeros((hierarchy.units[level], below.shape[1]), below.dtype)
    np.add.at(above, hierarchy.parents[level - 1], below)
    return above
