"""Amounts: is a sum of money dominated by its largest contributors?

For a cell with total X of contributions x1 >= x2 >= … >= 0:

======================  ==============================  ==================================
rule                    unsafe where                    upper protection level
======================  ==============================  ==================================
(n, k)-dominance        x1 + … + xn > k / 100 · X       100 / k · (x1 + … + xn) - X
p%                      X - x1 - x2 < p / 100 · x1      p / 100 · x1 - (X - x1 - x2)
======================  ==============================  ==================================

The p% rule asks that the second largest contributor, who subtracts their own
share, overestimates the largest by at least p %; it is to be preferred to
(2, k)-dominance, which overprotects, and to (1, k), which forgets that the
second largest knows something.  With k = 100 · 100 / (100 + p), what is safe by
(2, k) is safe by p%.

A published or deducible upper bound of the total must exceed the true total by
the upper protection level at least; the lower level is set equal to it.

Contributions must not be negative, and those of one holding are to be joined
before.  The limits p, n and k are to be kept secret.

Source: Hundepool et al., *Handbook on Statistical Disclosure Control*, 2nd ed.
(2024), section 4.2: sensitivity rules and upper protection levels, examples 1, 2, 4 and 5.
"""

from dataclasses import dataclass

import numpy as np

from sdc.rules.flags import Flags

__all__ = [
    "Amounts",
    "Dominance",
    "PPercent",
    "amounts_of",
    "dominance",
    "dominance_protection",
    "p_percent",
    "p_percent_protection",
]

# Sums of a few million floats differ by this share at most, whatever their order.
SLACK = 1e-9


@dataclass(frozen=True, kw_only=True, eq=False)
class Amounts:
    """Cells of a magnitude table.

    Attributes
    ----------
    totals : float64 of any shape, the sums; all in one unit of money.
    largest : float64 of that shape + (m,), the m largest contributions, largest first, 0 where there are fewer.

    Raises
    ------
    ValueError
        Shapes differ, contributions are negative or not sorted, or exceed their total.
    """

    totals: np.ndarray
    largest: np.ndarray

    def __post_init__(self) -> None:
        if self.largest.shape[:-1] != self.totals.shape or self.largest.ndim != self.totals.ndim + 1:
            raise ValueError("largest must have the shape of totals and one axis more")
        if self.largest.size and self.largest.min() < 0:
            raise ValueError("contributions must be at least 0")
        if np.any(np.diff(self.largest, axis=-1) > 0):
            raise ValueError("contributions must be sorted, the largest first")
        if np.any(self.largest.sum(axis=-1) > self.totals + SLACK * np.abs(self.totals)):
            raise ValueError("the largest contributions must not exceed their total")

    def contribution(self, rank: int) -> np.ndarray:
        """The contribution of one rank, 1 the largest.

        Raises
        ------
        ValueError
            Fewer contributions are held.
        """
        if not 1 <= rank <= self.largest.shape[-1]:
            raise ValueError(f"rank ({rank}) must lie from 1 to the {self.largest.shape[-1]} contributions held")
        return self.largest[..., rank - 1]


def amounts_of(cells: np.ndarray, values: np.ndarray, *, number: int, keep: int = 2) -> Amounts:
    """Totals and the `keep` largest contributions of `number` cells from records, one contributor each.

    `cells` (whole numbers from 0, shape (records,)) says which cell a record
    stands in, `values` what it contributes.  Holdings must be joined before.

    >>> made = amounts_of(np.array([0, 1, 0, 0]), np.array([5.0, 7.0, 20.0, 1.0]), number=3)
    >>> made.totals.tolist(), made.largest.tolist()
    ([26.0, 7.0, 0.0], [[20.0, 5.0], [7.0, 0.0], [0.0, 0.0]])
    """
    order = np.lexsort((-values, cells))
    cells, values = cells[order], values[order].astype(float)
    rank = np.arange(len(cells)) - np.searchsorted(cells, cells)
    largest = np.zeros((number, keep))
    kept = rank < keep
    largest[cells[kept], rank[kept]] = values[kept]
    return Amounts(totals=np.bincount(cells, weights=values, minlength=number), largest=largest)


def dominance(total: np.ndarray, first_n: np.ndarray, *, k: float) -> np.ndarray:
    """Where the n largest, of which `first_n` is the sum, exceed k % of the total: x1 + … + xn > k / 100 · X."""
    return first_n > k / 100 * total + SLACK * np.abs(total)


def dominance_protection(total: np.ndarray, first_n: np.ndarray, *, k: float) -> np.ndarray:
    """Upper protection level 100 / k · (x1 + … + xn) - X of unsafe cells, 0 of others."""
    return np.where(dominance(total, first_n, k=k), 100 / k * first_n - total, 0.0)


def p_percent(total: np.ndarray, largest: np.ndarray, second: np.ndarray, *, p: float) -> np.ndarray:
    """Where X - x1 - x2 < p / 100 · x1: the second largest can estimate the largest to within p %.

    >>> p_percent(np.array([110_000.0]), np.array([52_000.0]), np.array([50_000.0]), p=10).tolist()
    [False]
    """
    return total - largest - second < p / 100 * largest - SLACK * np.abs(total)


def p_percent_protection(total: np.ndarray, largest: np.ndarray, second: np.ndarray, *, p: float) -> np.ndarray:
    """Upper protection level p / 100 · x1 - (X - x1 - x2) of unsafe cells, 0 of others."""
    unsafe = p_percent(total, largest, second, p=p)
    return np.where(unsafe, p / 100 * largest - (total - largest - second), 0.0)


@dataclass(frozen=True, kw_only=True)
class Dominance:
    """(n, k)-dominance: flags cells of which the n largest contributions make up more than k %.

    Raises
    ------
    ValueError
        n is below 1, or k not above 0 and below 100, where the rule says nothing.
    """

    n: int = 2
    k: float = 85.0

    def __post_init__(self) -> None:
        if self.n < 1:
            raise ValueError(f"n ({self.n}) must be at least 1")
        if not 0 < self.k < 100:
            raise ValueError(f"k ({self.k}) must lie above 0 and below 100")

    def flags(self, table: Amounts, /) -> Flags:
        """Flags of dominated cells, in one array of the cells' shape; n contributions must be held."""
        hit = dominance(table.totals, self._first(table), k=self.k)
        reason = f"the {self.n} largest contributors make up more than {self.k:g} % of the amount"
        return Flags(rule="dominance", reason=reason, hit=(hit,))

    def protection(self, table: Amounts) -> np.ndarray:
        """Upper protection level of every cell, 0 where it is safe."""
        return dominance_protection(table.totals, self._first(table), k=self.k)

    def _first(self, table: Amounts) -> np.ndarray:
        table.contribution(self.n)
        return table.largest[..., : self.n].sum(axis=-1)


@dataclass(frozen=True, kw_only=True)
class PPercent:
    """The p% rule: flags cells whose second largest contributor can estimate the largest to within p %.

    Raises
    ------
    ValueError
        p is not above 0.
    """

    p: float = 10.0

    def __post_init__(self) -> None:
        if not self.p > 0:
            raise ValueError(f"p ({self.p}) must be above 0")

    def flags(self, table: Amounts, /) -> Flags:
        """Flags of unsafe cells, in one array of the cells' shape; two contributions must be held."""
        hit = p_percent(table.totals, table.contribution(1), table.contribution(2), p=self.p)
        reason = f"the second largest contributor can work out the largest to within {self.p:g} %"
        return Flags(rule="p%", reason=reason, hit=(hit,))

    def protection(self, table: Amounts) -> np.ndarray:
        """Upper protection level of every cell, 0 where it is safe."""
        return p_percent_protection(table.totals, table.contribution(1), table.contribution(2), p=self.p)
