"""Rates and percentages: low denominators, complements, and numerators that a percentage gives away.

A rate x / N of a count x among N people is a risk where

* N is low: by default below 100 residents or 40 households, the sizes below which
  UK censuses release no small-area tables;
* the complement N - x, the people without the attribute, is below min_count;
* the percentage pins the numerator.  Shown as p at d decimals, with
  h = 10^-d / 2, it leaves whole numbers in [(p - h) N / 100, (p + h) N / 100]:
  one at most where N < 10^(d + 2).

So percentages are to be worked out from protected counts.  Where they are not,
`percent_bounds` turns them into bounds on counts, for the attack.

Sources: NISRA, "Disclosure control" (40 households and 100 persons, Census Area
Statistics 2001); Hundepool et al., *Handbook on Statistical Disclosure Control*,
2nd ed. (2024), section 5.2.
"""

from dataclasses import dataclass

import numpy as np

from sdc.rules.flags import Flags, combine, no_flags
from sdc.tables import TOTAL, Table

__all__ = [
    "Complement",
    "LowDenominator",
    "PinnedPercentage",
    "check_decimals",
    "percent_bounds",
    "shown_percent",
]

MOST_DECIMALS = 6


@dataclass(frozen=True, kw_only=True, eq=False)
class LowDenominator:
    """Flags cells whose denominator is below its minimum.

    Attributes
    ----------
    residents, households : tables of the same areas by fewer or the same dimensions, or None.
    fewest_residents : flagged where 0 <= residents < `fewest_residents`.
    fewest_households : flagged where 0 <= households < `fewest_households`.

    Raises
    ------
    ValueError
        A minimum is below 0, or a population does not fit the table.
    """

    residents: Table | None = None
    households: Table | None = None
    fewest_residents: int = 100
    fewest_households: int = 40

    def __post_init__(self) -> None:
        for name, least in (("residents", self.fewest_residents), ("households", self.fewest_households)):
            if least < 0:
                raise ValueError(f"fewest_{name} ({least}) must be at least 0")

    def flags(self, table: Table, /) -> Flags:
        """Flags of low denominators, one reason for residents and one for households."""
        found = []
        for population, least, name in (
            (self.residents, self.fewest_residents, "residents"),
            (self.households, self.fewest_households, "households"),
        ):
            if population is not None:
                hit = tuple(people < least for people in _denominators(population, table))
                reason = f"there are fewer than {least} {name} to take a rate of"
                found.append(Flags(rule="low denominator", reason=reason, hit=hit))
        return combine(*found) if found else no_flags(table)


@dataclass(frozen=True, kw_only=True, eq=False)
class Complement:
    """Flags cells x of which fewer than min_count people of the population N are left: N - x < min_count.

    A complement of 0 is flagged too: it says that everybody has the attribute.
    Counts above their population, which differing sources produce, are flagged.
    """

    population: Table
    min_count: int = 5

    def __post_init__(self) -> None:
        if self.min_count < 1:
            raise ValueError(f"min_count ({self.min_count}) must be at least 1")

    def flags(self, table: Table, /) -> Flags:
        """Flags of small complements.

        Raises
        ------
        ValueError
            The population does not fit the table.
        """
        people = _denominators(self.population, table)
        hit = tuple(number - counts < self.min_count for number, counts in zip(people, table.counts, strict=True))
        reason = f"fewer than {self.min_count} of the people that the rate is taken of are left out of the count"
        return Flags(rule="complement", reason=reason, hit=hit)


@dataclass(frozen=True, kw_only=True, eq=False)
class PinnedPercentage:
    """Flags small counts that a percentage from true counts would pin, or narrow too much.

    With [lo, hi] the whole numbers that the percentage allows, a count x with
    1 <= x <= min_count - 1 is flagged where lo >= 1 and hi <= min_count - 1, or where
    hi - lo < width.

    Attributes
    ----------
    population : denominators that the attacker knows exactly.
    decimals : decimals that percentages are shown with.
    width : min_count - 1 where None.
    """

    population: Table
    decimals: int = 1
    min_count: int = 5
    width: int | None = None

    def __post_init__(self) -> None:
        check_decimals(self.decimals)
        if self.min_count < 2:
            raise ValueError(f"min_count ({self.min_count}) must be at least 2")

    def flags(self, table: Table, /) -> Flags:
        """Flags of pinned numerators; a rate of nobody is not taken and not flagged.

        Raises
        ------
        ValueError
            The population does not fit the table.
        """
        width = self.min_count - 1 if self.width is None else self.width
        hit = []
        for people, counts in zip(_denominators(self.population, table), table.counts, strict=True):
            known = np.maximum(people, 1)
            lo, hi = percent_bounds(shown_percent(counts, known, decimals=self.decimals), known, decimals=self.decimals)
            small = (counts >= 1) & (counts < self.min_count) & (people > 0)
            hit.append(small & (((lo >= 1) & (hi < self.min_count)) | (hi - lo < width)))
        reason = f"its percentage at {self.decimals} decimals leaves too few counts possible for a known denominator"
        return Flags(rule="percentage", reason=reason, hit=tuple(hit))


def shown_percent(counts: np.ndarray, denominators: np.ndarray, *, decimals: int) -> np.ndarray:
    """Percentages 100 x / N rounded to `decimals`, halves up, in whole units of 10^-decimals.

    >>> shown_percent(np.array([1, 5]), np.array([7, 40]), decimals=1).tolist()
    [143, 125]
    """
    check_decimals(decimals)
    scale = 100 * 10**decimals
    return (2 * counts.astype(np.int64) * scale + denominators) // (2 * denominators)


def percent_bounds(
    percents: np.ndarray, denominators: np.ndarray, *, decimals: int, most: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Least and greatest count that a shown percentage allows; lo > hi where none fits.

    Both ends of [(p - h) N / 100, (p + h) N / 100] count as possible, whichever way
    halves were rounded.  `percents` is p in whole units of 10^-decimals, `denominators`
    N, or the least N where `most` gives the greatest (denominators that were rounded
    themselves).

    >>> [bound.tolist() for bound in percent_bounds(np.array([143, 125]), np.array([7, 40]), decimals=1)]
    [[1, 5], [1, 5]]

    Raises
    ------
    ValueError
        Decimals are below 0 or above 6.
    """
    check_decimals(decimals)
    scale = 2 * 100 * 10**decimals
    greatest = denominators if most is None else most
    lo = np.maximum(-(-(2 * percents - 1) * denominators // scale), 0)
    hi = (2 * percents + 1) * greatest // scale
    return lo, hi


def check_decimals(decimals: int) -> None:
    """Refuse decimals that whole-number arithmetic cannot hold, below 0 or above 6."""
    if not 0 <= decimals <= MOST_DECIMALS:
        raise ValueError(f"decimals ({decimals}) must lie from 0 to {MOST_DECIMALS}")


def _denominators(population: Table, table: Table) -> tuple[np.ndarray, ...]:
    """The population of every cell: per level, int64 of shape (units, columns).

    The population may be by fewer dimensions than the table: a category has the
    population of its codes in those, and the total the total.
    """
    ours, theirs = table.hierarchy, population.hierarchy
    if ours.levels != theirs.levels or any(
        not np.array_equal(a, b) for a, b in zip(ours.codes, theirs.codes, strict=True)
    ):
        raise ValueError("the population must be of the same areas as the table")
    dimensions = table.classification.dimensions
    unknown = [name for name in population.classification.dimensions if name not in dimensions]
    if unknown:
        raise ValueError(f"the population is by {', '.join(unknown)}, which the table is not by")
    at = [dimensions.index(name) for name in population.classification.dimensions]
    place = {column: number for number, column in enumerate(population.classification.columns)}
    wanted = [tuple(column[i] for i in at) for column in table.classification.columns]
    missing = [column for column in wanted if column not in place]
    if missing:
        raise ValueError(f"the population lacks the category ({', '.join(missing[0]) or TOTAL})")
    columns = np.array([place[column] for column in wanted])
    return tuple(np.ascontiguousarray(counts[:, columns]) for counts in population.counts)
