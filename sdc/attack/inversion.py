"""Running a method backwards on small tables: every true table that could have been published so.

An attacker who knows the method can ask of each true table whether the method
would publish what was published.  What every remaining table has in common is
proven, and it may be more than each published value says by itself: a choice
that is made by a rule tells what the rule was applied to (methods 10.1).  A
method that chooses by the key leaves more tables, for the attacker has to allow
for every key.

This enumerates.  It is for tables of a few cells, and for tests: it is exact for
methods that list all their outcomes, and for others says what a number of keys
makes possible, which can only be less than all keys do.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sdc.attack.intervals import Intervals, stated_intervals
from sdc.tables import SafeTable, Table, sum_up

__all__ = ["Inversion", "finest_bounds", "fitting_tables", "outcomes_by_keys", "run_backwards"]

# All that a method may publish of one true table.
Outcomes = Callable[[Table], Iterable[SafeTable]]

MOST_TABLES = 2_000_000


@dataclass(frozen=True, kw_only=True, eq=False)
class Inversion:
    """What is left when a method has been run backwards.

    Attributes
    ----------
    intervals : smallest and largest count of each cell over all true tables that may be published so.
    taken : per level, unit and column, every count that the cell has in one of them.
    possible : how many such tables were found.
    tried : how many fit what the values say by themselves.
    """

    intervals: Intervals
    taken: Mapping[tuple[int, int, int], frozenset[int]]
    possible: int
    tried: int

    def narrowed(self, stated: Intervals) -> tuple[np.ndarray, ...]:
        """Per level, True where less is possible than the published values say by themselves."""
        pairs = zip(self.intervals.lo, self.intervals.hi, stated.lo, stated.hi, strict=True)
        return tuple((lo > low) | (hi < high) for lo, hi, low, high in pairs)

    def exposed(self, *, min_count: int, width: int) -> tuple[np.ndarray, ...]:
        """Per level, True where a small count is given away.

        A cell is small where its interval meets 1 … min_count - 1; it is given
        away where the interval holds neither 0 nor a value >= min_count, or is narrower than `width`.
        """
        found = []
        for lo, hi in zip(self.intervals.lo, self.intervals.hi, strict=True):
            small = (lo < min_count) & (hi >= 1)
            pinned = (lo >= 1) & (hi < min_count)
            found.append(small & (pinned | (hi - lo < width)))
        return tuple(found)


def run_backwards(shown: SafeTable, outcomes: Outcomes, *, known: Intervals | None = None) -> Inversion:
    """Every true table that may be published as `shown`.

    Parameters
    ----------
    outcomes : all that the method may publish of a true table.
    known : what holds of every true table before the method is asked; the
        values' own intervals where nothing is given.

    Raises
    ------
    ValueError
        The table is too large to try everything, or no true table is published so.
    """
    stated = stated_intervals(shown) if known is None else known
    tried = possible = 0
    taken: dict[tuple[int, int, int], set[int]] = {cell: set() for cell in shown.cells()}
    for table in fitting_tables(shown, stated):
        tried += 1
        if any(_same(shown, outcome) for outcome in outcomes(table)):
            possible += 1
            for (level, unit, column), counts in taken.items():
                counts.add(int(table.counts[level][unit, column]))
    if not possible:
        raise ValueError(f"none of the {tried} true tables that fit is published so")
    return Inversion(
        intervals=Intervals(lo=_filled(shown, taken, min), hi=_filled(shown, taken, max)),
        taken={cell: frozenset(counts) for cell, counts in taken.items()},
        possible=possible,
        tried=tried,
    )


def outcomes_by_keys(method: Callable[[Table, bytes], SafeTable], keys: Sequence[bytes]) -> Outcomes:
    """What a method publishes under each of these keys."""
    return lambda table: (method(table, key) for key in keys)


def fitting_tables(shown: SafeTable, bounds: Intervals) -> Iterator[Table]:
    """Every true table within bounds, additive, with the areas and categories of a published one.

    Raises
    ------
    ValueError
        There are more than `MOST_TABLES` to try.
    """
    hierarchy, classification = shown.hierarchy, shown.classification
    columns = max(len(classification), 1)
    lo, hi = finest_bounds(shown, bounds)
    sizes = (hi - lo + 1).ravel()
    if np.any(sizes <= 0):
        return
    if np.prod(sizes.astype(float)) > MOST_TABLES:
        raise ValueError("the table has too many true tables that fit to try them all")
    for number in range(int(np.prod(sizes))):
        finest = np.array(np.unravel_index(number, sizes)).reshape(-1, columns) + lo
        whole = np.column_stack([finest, finest.sum(axis=1)]) if len(classification) else finest
        counts = sum_up(hierarchy, np.ascontiguousarray(whole))
        if all(
            np.all((low <= count) & (count <= high))
            for count, low, high in zip(counts, bounds.lo, bounds.hi, strict=True)
        ):
            yield Table(hierarchy=hierarchy, classification=classification, counts=counts)


def finest_bounds(shown: SafeTable, bounds: Intervals) -> tuple[np.ndarray, np.ndarray]:
    """Bounds of the smallest areas' categories: no part is larger than a sum that it is in."""
    columns = max(len(shown.classification), 1)
    hi = np.minimum(bounds.hi[0][:, :columns], bounds.hi[0][:, -1:])
    for level in range(1, len(bounds.hi)):
        above = bounds.hi[level][shown.hierarchy.ancestors(0, level)]
        hi = np.minimum(hi, np.minimum(above[:, :columns], above[:, -1:]))
    return bounds.lo[0][:, :columns], hi


def _filled(
    shown: SafeTable, taken: Mapping[tuple[int, int, int], set[int]], end: Callable[[set[int]], int]
) -> tuple[np.ndarray, ...]:
    """One end of what each cell takes, in arrays shaped as the published values."""
    arrays = tuple(np.zeros_like(values) for values in shown.values)
    for (level, unit, column), counts in taken.items():
        arrays[level][unit, column] = end(counts)
    return arrays


def _same(shown: SafeTable, outcome: SafeTable) -> bool:
    pairs = ((shown.values, outcome.values), (shown.markers, outcome.markers))
    return all(np.array_equal(a, b) for one, two in pairs for a, b in zip(one, two, strict=True))
