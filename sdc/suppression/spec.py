"""What is asked of suppression: protection, prices, what may be hidden, and how far the key moves choices."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from sdc.suppression.arcs import MUST_SHOW
from sdc.tables import TOTAL, Hierarchy, Table

__all__ = ["Protection", "SuppressionSpec", "base_prices", "protection_of"]

# Prices are whole numbers: so many to one unit of cost.
UNIT = 1000


@dataclass(frozen=True, kw_only=True)
class SuppressionSpec:
    """Demands and preferences of suppression.

    Hiding a cell that holds x at level l of the hierarchy (0 the smallest areas) costs

        (1 + ln(1 + x) + level_weight × l + total_weight if a total) × its level's factor × its category's factor,

    times a number between 1 and 1 + `spread` drawn by the key.

    Attributes
    ----------
    min_count : smallest non-zero count that may be told; a count x with 1 <= x <= min_count - 1 is *small*.
    level_weight, total_weight : at least 0; see the formula.
    level_factors : by name of the level, above 0; 1 where not named.
    category_factors : by category (a tuple of codes, all ``Total`` for the total), above 0; 1 where not named.
    show_levels : levels at which no cell may be hidden.
    show_totals : levels at which no total may be hidden ("never hide an authority's total").
    hide_zeros : whether zeros that no rule flags may be hidden to protect others.
    lone_claimants : whether somebody who knows that they stand alone in a cell must learn no other cell from it.
    decoys : chance, by the key, that a cell with 0 or min_count … 2 min_count - 1 is hidden and protected as if it
        were small, so that no hidden cell is proven small by the rule that hides small cells; 0 to below 1.
    spread : how far the key raises prices, at least 0.  Without it, the choice of secondary cells can be run backwards.
    max_share : largest share of a level's cells that may be hidden before the report says that it is too much.

    Raises
    ------
    ValueError
        A value lies outside its range.
    """

    min_count: int = 5
    level_weight: float = 3.0
    total_weight: float = 1.0
    level_factors: Mapping[str, float] = field(default_factory=dict)
    category_factors: Mapping[tuple[str, ...], float] = field(default_factory=dict)
    show_levels: tuple[str, ...] = ()
    show_totals: tuple[str, ...] = ()
    hide_zeros: bool = True
    lone_claimants: bool = True
    decoys: float = 0.01
    spread: float = 0.25
    max_share: float = 0.25

    def __post_init__(self) -> None:
        if self.min_count < 2:
            raise ValueError(f"min_count ({self.min_count}) must be at least 2")
        for name in ("level_weight", "total_weight", "spread"):
            if not 0 <= getattr(self, name) <= 100:
                raise ValueError(f"{name} ({getattr(self, name)}) must be from 0 to 100")
        if not 0 <= self.decoys < 1:
            raise ValueError(f"decoys ({self.decoys}) must be at least 0 and below 1")
        if not 0 < self.max_share <= 1:
            raise ValueError(f"max_share ({self.max_share}) must be above 0 and at most 1")
        for factors in (self.level_factors, self.category_factors):
            for named, factor in factors.items():
                if not 0.001 <= factor <= 1000:
                    raise ValueError(f"the factor of ({named}) must be from 0.001 to 1000, not {factor}")

    def check_names(self, table: Table) -> None:
        """Refuse names of levels and categories that the table lacks (ValueError)."""
        levels = {*self.level_factors, *self.show_levels, *self.show_totals} - set(table.hierarchy.levels)
        columns = {tuple(category) for category in self.category_factors} - {*table.classification.columns, (TOTAL,)}
        for kind, unknown in (("level", levels), ("category", columns)):
            if unknown:
                raise ValueError(f"{kind} ({sorted(unknown)[0]}) must be one that the table has")


@dataclass(frozen=True, kw_only=True, eq=False)
class Protection:
    """How far the interval of each flagged cell must reach below and above its count x: [x - lower, x + upper].

    `lower` and `upper` hold, per level, int64 of shape (units, categories + 1); where a cell is not flagged they mean nothing.
    """

    lower: tuple[np.ndarray, ...]
    upper: tuple[np.ndarray, ...]


def protection_of(table: Table, min_count: int) -> Protection:
    """The protection asked of flagged cells unless something else is said.

    A count x < min_count must look as if it could be 0 or min_count: lower x,
    upper min_count - x.  A cell flagged for another reason must not be known to
    within min_count: lower min(x, min_count), upper min_count.
    """
    return Protection(
        lower=tuple(np.minimum(counts, min_count) for counts in table.counts),
        upper=tuple(np.where(counts < min_count, min_count - counts, min_count) for counts in table.counts),
    )


def base_prices(table: Table, spec: SuppressionSpec) -> tuple[np.ndarray, ...]:
    """Prices before the key moves them: float64 per level, of the table's shape; `MUST_SHOW` where the spec forbids."""
    hierarchy, columns = table.hierarchy, table.classification.columns
    names = (*columns[:-1], (TOTAL,) * max(1, len(table.classification.dimensions)))
    factors = np.array([spec.category_factors.get(name, 1.0) for name in names])
    return tuple(_level_prices(counts, level, hierarchy, factors, spec) for level, counts in enumerate(table.counts))


def _level_prices(
    counts: np.ndarray, level: int, hierarchy: Hierarchy, factors: np.ndarray, spec: SuppressionSpec
) -> np.ndarray:
    name = hierarchy.levels[level]
    prices: np.ndarray = UNIT * (1 + np.log1p(counts) + spec.level_weight * level)
    prices[:, -1] += UNIT * spec.total_weight
    prices *= spec.level_factors.get(name, 1.0) * factors
    if name in spec.show_levels:
        prices[:] = MUST_SHOW
    if name in spec.show_totals:
        prices[:, -1] = MUST_SHOW
    if not spec.hide_zeros:
        prices[counts == 0] = MUST_SHOW
    return prices
