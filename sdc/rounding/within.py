"""Bounds of totals: between what the totals of some tables must be drawn because something beside the tables binds them.

Claims that are drawn bind people (`sdc.rounding.keptpeople`); a broad band that is drawn binds the bands inside it
(`sdc.rounding.recodes`).  Bounds are multiples of the base between the two next to each total,
and such that the children of every unit can add up to anything between its own:

    Σ low(children) <= low(unit) <= high(unit) <= Σ high(children).

Where no start within them is found they are given up, in the whole of a unit above.
"""

from dataclasses import dataclass, replace

import numpy as np

from sdc.rounding.tree import Tree

__all__ = ["Within", "loosen"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Within:
    """Bounds of totals, and where those start that do not keep their value.

    Attributes
    ----------
    low, high : the bounds, int64 of shape (units,), units as in `sdc.rounding.tree`.
    start : int64 of that shape.
    floor, ceiling : the multiples next to each total, equal where it is one; int64 of that shape.

    Raises
    ------
    ValueError
        Not floor <= low <= high <= ceiling somewhere.
    """

    low: np.ndarray
    high: np.ndarray
    start: np.ndarray
    floor: np.ndarray
    ceiling: np.ndarray

    def __post_init__(self) -> None:
        if np.any((self.floor > self.low) | (self.low > self.high) | (self.high > self.ceiling)):
            raise ValueError("bounds must lie between the multiples next to the totals")

    @classmethod
    def of(cls, totals: np.ndarray, low: np.ndarray, high: np.ndarray, start: np.ndarray, *, base: int) -> "Within":
        """Bounds of these true totals."""
        floor = totals // base * base
        return cls(low=low, high=high, start=start, floor=floor, ceiling=np.where(totals == floor, floor, floor + base))


def loosen(within: Within | None, tree: Tree, areas: np.ndarray, height: int) -> Within | None:
    """The bounds without those of the units that lie `height` levels above some smallest areas, and of all in them.

    None where none is left.
    """
    levels = len(tree.offsets) - 1
    if within is None or height >= levels:
        return None
    above = areas
    for _ in range(height):
        above = tree.parents[above]
    inside = np.zeros(len(tree.parents), np.bool_)
    inside[above] = True
    for level in range(height - 1, -1, -1):
        units = np.arange(tree.offsets[level], tree.offsets[level + 1])
        inside[units] |= inside[tree.parents[units]]
    return replace(
        within, low=np.where(inside, within.floor, within.low), high=np.where(inside, within.ceiling, within.high)
    )
