"""Published tables whose choices were made by a rule that everybody knows, run backwards.

An attacker who knows the rule asks of every true table that fits whether the rule would have published what
was published.  What is left may be narrower than every figure's own interval (methods 10.1).  Rules that are run:

* *minimum distance*: controlled rounding with the least Σ |r - x| over all cells; of equal ones, any;
* *small counts*: small-count rounding with no share by chance; of equal candidates, in any order;
* *smallest secondary*: in one sum of cells, where a single one is small the smallest other is hidden with it
  (of equal ones any; nobody or somebody, as a rule may count zeros or not).

Conventional rounding is a rule too, but each figure is rounded by itself: its own interval is all that the rule
says, and sums of such intervals are what any attack asks.

Every table is tried, so that the answer is exact, where that takes no more than `MOST_WORK` steps; larger tables
are named with a warning.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import permutations
from math import factorial

import numpy as np
from numba import njit

from sdc.attack.intervals import NO_BOUND, Intervals, stated_intervals
from sdc.attack.inversion import finest_bounds, fitting_tables
from sdc.attack.listing import MOST_LISTED, listed
from sdc.attack.witness import Names, between, flat_bounds
from sdc.findings import Audit, Finding
from sdc.network import flatten
from sdc.rounding.branching import Branching, branch
from sdc.rounding.forward import CANDIDATE, RAISED, forward_tree
from sdc.tables import SHOWN, SUPPRESSED, SafeTable, Table, sum_up

__all__ = [
    "MINIMUM_DISTANCE",
    "RULES",
    "SMALLEST_SECONDARY",
    "SMALL_COUNTS_BY_RULE",
    "Backwards",
    "Ruled",
    "TooLarge",
    "audit_backwards",
    "run_rule",
]

MINIMUM_DISTANCE, SMALL_COUNTS_BY_RULE, SMALLEST_SECONDARY = RULES = (
    "minimum distance",
    "small counts",
    "smallest secondary",
)
# Steps: tables × roundings of each × cells; for rules that are run table by table, so many tables and runs of the rule.
MOST_WORK = 300_000_000
MOST_RUNS = 20_000
MOST_CHILDREN = 16
# Finest cells that a witness spells.
SPELT = 8


@dataclass(frozen=True, kw_only=True, eq=False)
class Backwards:
    """What is left of a table run backwards; arrays are of shape (cells,), in the order of the tables' network.

    Attributes
    ----------
    lo, hi : the least and the greatest count of each cell.
    low_at, high_at : finest counts of a table in which it takes them, int64 of shape (cells, finest cells).
    tried, possible : tables that fit what the figures say by themselves, and those of them that are published so.
    """

    lo: np.ndarray
    hi: np.ndarray
    low_at: np.ndarray
    high_at: np.ndarray
    tried: int
    possible: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Ruled:
    """That a table as it was published was made by a rule, one of `RULES`: of a table that was changed since it says nothing."""

    rule: str
    table: SafeTable

    def made(self, table: SafeTable) -> bool:
        """Whether a table is the one that was published."""
        pairs = ((self.table.values, table.values), (self.table.markers, table.markers))
        if any(len(old) != len(new) for old, new in pairs):
            return False
        return all(np.array_equal(a, b) for old, new in pairs for a, b in zip(old, new, strict=True))


class TooLarge(Exception):  # an answer, not a failure
    """There are more tables than are tried."""


def audit_backwards(
    name: str,
    safe: SafeTable,
    rule: str,
    *,
    min_count: int,
    width: int | None = None,
    known: Intervals | None = None,
    truth: Table | None = None,
) -> Audit:
    """Run a published table backwards and hold what is left against the promise.

    A count x is *small* where 1 <= x <= min_count - 1; without `truth` where what is left meets that range.
    A small count is given away where neither 0 nor a value >= min_count is left, or hi - lo < width
    (min_count - 1 by default), or, hidden and truly small, where 0 or min_count is not.

    Raises
    ------
    ValueError
        The rule is none of `RULES`.
    """
    if rule not in RULES:
        raise ValueError(f"rule ({rule}) must be one of {', '.join(RULES)}")
    stated = stated_intervals(safe)
    bounds = stated if known is None else stated.intersected(known)
    try:
        found = run_rule(safe, rule, bounds)
    except TooLarge:
        return _too_large(name, safe, rule)
    if not found.possible:
        text = f"of {found.tried:,} true tables that fit its figures none is published so by {rule}"
        wrong = Finding(
            kind="contradiction", severity="contradiction", table=name, cell="the whole table", witness=text
        )
        return Audit(findings=(wrong,))
    return _judged(name, safe, rule, found, bounds, min_count, min_count - 1 if width is None else width, truth)


def run_rule(safe: SafeTable, rule: str, bounds: Intervals) -> Backwards:
    """Every table within bounds that the rule publishes as `safe`.

    Raises
    ------
    TooLarge
        There are more tables to try than are tried, or more sums than the rule is known for.
    """
    if any(empty.any() for empty in bounds.empty()):
        return _nothing(safe)
    if rule != SMALLEST_SECONDARY and any((markers != SHOWN).any() for markers in safe.markers):
        raise TooLarge  # what is not shown may have been any outcome
    if rule == MINIMUM_DISTANCE:
        return _by_minimum_distance(safe, bounds)
    if rule == SMALL_COUNTS_BY_RULE:
        return _table_by_table(safe, bounds, _small_count_outcomes(safe, bounds))
    if not _is_one_sum(safe):
        raise TooLarge
    return _table_by_table(safe, bounds, lambda table: _smallest_hidden(table, safe.method.min_count))


def _too_large(name: str, safe: SafeTable, rule: str) -> Audit:
    text = f"its choices are made by {rule}, a rule that can be run backwards; the table is too large to try every true table"
    warning = Finding(kind="run backwards", severity="warning", table=name, cell="the whole table", witness=text)
    return Audit(
        findings=(warning,),
        not_checked=(f"{name}: what {rule} run backwards proves beyond intervals ({_number(safe)} finest cells)",),
    )


def _number(safe: SafeTable) -> int:
    return len(safe.values[0]) * max(len(safe.classification), 1)


def _judged(
    name: str,
    safe: SafeTable,
    rule: str,
    found: Backwards,
    bounds: Intervals,
    min_count: int,
    width: int,
    truth: Table | None,
) -> Audit:
    lo, hi = found.lo, found.hi
    own_lo, own_hi = flat_bounds(bounds)
    narrowed = (lo > own_lo) | (hi < own_hi)
    small = (hi >= 1) & (lo < min_count)
    if truth is not None:
        counts = flatten(truth.counts)
        small = (counts >= 1) & (counts < min_count)
    hidden = flatten(safe.markers) == SUPPRESSED
    pinned = small & (lo >= 1) & (hi < min_count)
    narrow = small & ~pinned & (hi - lo < width)
    bare = small & hidden & (truth is not None) & ~pinned & ~narrow & ((lo > 0) | (hi < min_count))
    hits = np.flatnonzero(narrowed & (pinned | narrow | bare))
    names = Names(safe)

    def tell(cell: int) -> Finding:
        low, high = int(lo[cell]), int(hi[cell])
        if found.possible == 1:
            how = f"only one true table of {found.tried:,} that fit is published so by {rule}: {_spelt(found.low_at[cell])}"
        else:
            how = (
                f"of {found.tried:,} true tables that fit, {rule} publishes {found.possible:,} so; between "
                f"{_spelt(found.low_at[cell])} and {_spelt(found.high_at[cell])} this cell is {between(low, high)}"
            )
        return Finding(
            kind="run backwards",
            severity="disclosure",
            table=name,
            cell=names.name(cell),
            witness=how,
            interval=(low, None if high >= NO_BOUND else high),
        )

    audit = listed(name, "run backwards", hits[:MOST_LISTED].tolist(), tell, len(hits))
    return audit.joined(
        Audit(
            checked=(f"{name}: {rule} run backwards, exact, by every true table ({found.tried:,} tried)",),
            figures={f"{name}: cells narrowed by running {rule} backwards": int(narrowed.sum())},
        )
    )


def _spelt(finest: np.ndarray) -> str:
    told = ", ".join(str(count) for count in finest[:SPELT].tolist())
    return f"({told}{', …' if len(finest) > SPELT else ''})"


def _nothing(safe: SafeTable) -> Backwards:
    cells = sum(values.size for values in safe.values)
    zeros = np.zeros(cells, np.int64)
    low_at, high_at = (np.zeros((cells, _number(safe)), np.int64) for _ in range(2))
    return Backwards(lo=zeros, hi=zeros, low_at=low_at, high_at=high_at, tried=0, possible=0)


# --- Minimum distance -----------------------------------------------------------------------------


def _by_minimum_distance(safe: SafeTable, bounds: Intervals) -> Backwards:
    least, most = (array.ravel() for array in finest_bounds(safe, bounds))
    finest = len(least)
    cells = sum(values.size for values in safe.values)
    if (most < least).any():
        return _nothing(safe)
    if np.prod((most - least + 1).astype(float)) * 2.0**finest * cells > MOST_WORK:
        raise TooLarge
    columns = max(len(safe.classification), 1)
    shown = flatten(safe.values)
    own = np.ascontiguousarray(safe.values[0][:, :columns]).ravel()
    lo, hi = flat_bounds(bounds)
    found = _nothing(safe)
    low, high = np.full(cells, NO_BOUND, np.int64), np.full(cells, -1, np.int64)
    tried, possible = _try_all(
        least, most, own, shown, _inside(safe), lo, hi, safe.method.base, low, high, found.low_at, found.high_at
    )
    return replace(found, lo=low, hi=high, tried=int(tried), possible=int(possible))


def _inside(safe: SafeTable) -> np.ndarray:
    """Which finest cells each cell holds: int64 of shape (cells, finest cells), 0 and 1."""
    columns, units = max(len(safe.classification), 1), len(safe.values[0])
    inside = []
    for unit in np.eye(units * columns, dtype=np.int64):
        finest = unit.reshape(units, columns)
        inside.append(flatten(sum_up(safe.hierarchy, _with_total(finest, len(safe.classification)))))
    return np.ascontiguousarray(np.array(inside).T)


@njit(cache=True)
def _try_all(least, most, own, shown, inside, lo, hi, base, low, high, low_at, high_at):  # type: ignore[no-untyped-def]
    """Try every table between `least` and `most`; tables within the bounds, and those of which `shown` is a nearest rounding."""
    finest, cells = len(own), len(shown)
    counts = least.copy()
    sums = np.empty(cells, np.int64)
    flips = np.empty(finest, np.int64)
    raised = np.empty(cells, np.int64)
    tried = possible = 0
    while True:
        fits, distance = True, 0
        for cell in range(cells):
            total = 0
            for f in range(finest):
                total += inside[cell, f] * counts[f]
            sums[cell] = total
            fits = fits and lo[cell] <= total <= hi[cell]
            distance += abs(shown[cell] - total)
        if fits:
            tried += 1
            number = 0
            for f in range(finest):
                if counts[f] != own[f]:
                    flips[number] = f
                    number += 1
            if not _nearer(sums, counts, own, shown, inside, base, flips, number, distance, raised):
                possible += 1
                for cell in range(cells):
                    if sums[cell] < low[cell]:
                        low[cell] = sums[cell]
                        low_at[cell] = counts
                    if sums[cell] > high[cell]:
                        high[cell] = sums[cell]
                        high_at[cell] = counts
        place = 0
        while place < finest and counts[place] == most[place]:
            counts[place] = least[place]
            place += 1
        if place == finest:
            return tried, possible
        counts[place] += 1


@njit(cache=True)
def _nearer(sums, counts, own, shown, inside, base, flips, number, distance, raised):  # type: ignore[no-untyped-def]
    """Whether some other rounding of a table, each finest cell at one of its two neighbours, is nearer than the one shown."""
    finest, cells = len(counts), len(sums)
    additive = True
    for cell in range(cells):
        total = 0
        for f in range(finest):
            total += inside[cell, f] * own[f]
        raised[cell] = total
        additive = additive and total == shown[cell]
    if not additive:
        return True
    for choice in range(1, 1 << number):
        other, valid = 0, True
        for cell in range(cells):
            value = shown[cell]
            for k in range(number):
                if choice >> k & 1:
                    f = flips[k]
                    value += inside[cell, f] * (base if counts[f] > own[f] else -base)
            gap = abs(value - sums[cell])
            other += gap
            if gap >= base or other >= distance:
                valid = False
                break
        if valid:
            return True
    return False


# --- Rules that are run table by table ------------------------------------------------------------


def _table_by_table(
    safe: SafeTable, bounds: Intervals, outcomes: Callable[[Table], Iterator[tuple[np.ndarray, np.ndarray]]]
) -> Backwards:
    """Every table that fits, one by one; `outcomes` are all values and markers that the rule may publish of one."""
    least, most = finest_bounds(safe, bounds)
    if np.prod(np.maximum(most - least + 1, 0).astype(float)) > MOST_RUNS:
        raise TooLarge
    found = _nothing(safe)
    values, markers = flatten(safe.values), flatten(safe.markers)
    low, high = np.full(len(values), NO_BOUND, np.int64), np.full(len(values), -1, np.int64)
    tried = possible = 0
    columns = max(len(safe.classification), 1)
    for table in fitting_tables(safe, bounds):
        tried += 1
        if not any(np.array_equal(v, values) and np.array_equal(m, markers) for v, m in outcomes(table)):
            continue
        possible += 1
        counts, finest = flatten(table.counts), np.ascontiguousarray(table.counts[0][:, :columns]).ravel()
        found.low_at[counts < low] = finest
        found.high_at[counts > high] = finest
        low, high = np.minimum(low, counts), np.maximum(high, counts)
    return replace(found, lo=low, hi=high, tried=tried, possible=possible)


def _small_count_outcomes(
    safe: SafeTable, bounds: Intervals
) -> Callable[[Table], Iterator[tuple[np.ndarray, np.ndarray]]]:
    """All that small-count rounding by rule may publish of a table: candidates tie, so that every order of them is tried."""
    method = safe.method
    least, most = finest_bounds(safe, bounds)
    largest = method.base - 1 if method.max_round is None else method.max_round
    ties = int(((most >= 1) & (least <= largest)).sum())
    if (
        method.zeros
        or factorial(min(ties, 12)) * float(np.prod(np.maximum(most - least + 1, 0).astype(float))) > MOST_RUNS
    ):
        raise TooLarge
    places = np.arange(_number(safe))
    orders = [np.array(order) for order in permutations(places)] if ties > 1 else [places]
    tree = branch(safe.hierarchy, MOST_CHILDREN)

    def outcomes(table: Table) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for order in orders:
            values = flatten(_small_rounding(table, tree, order, method.base, largest))
            yield values, np.full(len(values), SHOWN, np.int8)

    return outcomes


def _small_rounding(
    table: Table, tree: Branching, order: np.ndarray, base: int, largest: int
) -> tuple[np.ndarray, ...]:
    """Small-count rounding by rule, as `sdc.rounding.smallcounts` does without a share by chance; `order` is among equals."""
    columns = max(len(table.classification), 1)
    finest = table.counts[0][:, :columns]
    chosen = (finest <= largest) & (finest % base > 0)
    owed = np.where(chosen, finest % base, 0)
    rounded, state = finest - owed, np.where(chosen, CANDIDATE, 0).astype(np.int8)
    number = min(max((2 * int(owed.sum()) + base) // (2 * base), 0), int(chosen.sum()))
    residual = np.concatenate(sum_up(table.hierarchy, _with_total(owed, len(table.classification))))
    forward_tree(tree, state, residual, order.reshape(finest.shape).astype(np.uint64), base, number)
    rounded[state == RAISED] += base
    return sum_up(table.hierarchy, _with_total(rounded, len(table.classification)))


def _with_total(finest: np.ndarray, categories: int) -> np.ndarray:
    return np.column_stack([finest, finest.sum(axis=1)]) if categories else np.ascontiguousarray(finest)


def _is_one_sum(safe: SafeTable) -> bool:
    """Whether the table is one sum: an area's categories, or areas of one larger area."""
    if len(safe.classification):
        return safe.hierarchy.units == (1,)
    return len(safe.hierarchy.units) == 2 and safe.hierarchy.units[1] == 1


def _smallest_hidden(table: Table, min_count: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """What is published of one sum where a lone small count, 1 <= x <= min_count - 1, is hidden with the smallest other."""
    counts = flatten(table.counts)
    parts = np.arange(table.counts[0][:, : max(len(table.classification), 1)].size)
    small = (counts[parts] >= 1) & (counts[parts] < min_count)
    patterns: list[list[int]] = [parts[small].tolist()]
    if small.sum() == 1 and not small.all():
        others = parts[~small]
        somebody = others[counts[others] > 0]
        smallest = {
            int(other) for some in (others, somebody) if len(some) for other in some[counts[some] == counts[some].min()]
        }
        patterns = [[*patterns[0], other] for other in sorted(smallest)]
    for hidden in patterns:
        markers = np.full(len(counts), SHOWN, np.int8)
        markers[hidden] = SUPPRESSED
        yield np.where(markers == SHOWN, counts, 0), markers
