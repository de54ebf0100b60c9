"""The best pattern: textbook tables, brute force over all patterns, and refusals."""

from itertools import product

import numpy as np
import pytest
from attack_tools import tree, true_table
from hypothesis import given, settings
from hypothesis import strategies as st
from system_tools import compositions, nest, sums_of_finest, two_way

from common.faults import Infeasible
from sdc.attack.intervals import NO_BOUND
from sdc.attack.programmes import feasible_intervals
from sdc.cube import Cube, all_margins, flat_axis
from sdc.joining import join_systems
from sdc.network import flatten
from sdc.solver import OPTIMAL, STOPPED
from sdc.suppression.attacked import attacked_demands
from sdc.suppression.demands import Demands, room_of
from sdc.suppression.exact import optimal_suppression
from sdc.suppression.keyed import cell_words, keyed_prices
from sdc.suppression.spec import SuppressionSpec
from sdc.suppression.suppress import suppress_table
from sdc.system import system_of
from sdc.tables import SUPPRESSED

KEY = b"no secret: a key for tests of exact"


def cells_named(system, *names):
    """Numbers of cells by name."""
    every = [system.name(cell) for cell in range(len(system))]
    return np.array([every.index(name) for name in names])


def mask(system, cells):
    chosen = np.zeros(len(system), np.bool_)
    chosen[cells] = True
    return chosen


def protect_counts(system, primary, *, min_count=5, weights=None, **options):
    """Hide so that every primary count x <= min_count - 1 could be anything from 0 to min_count."""
    x = system.counts
    weights = np.maximum(x, 1.0) if weights is None else weights
    levels = {"lower_level": np.where(primary, x, 0), "upper_level": np.where(primary, min_count - x, 0)}
    return optimal_suppression(system, primary=primary, weights=weights, **levels, **options)


def intervals(system, hidden, cells):
    found = feasible_intervals(
        system.equations,
        np.where(hidden, 0, system.counts),
        np.where(hidden, NO_BOUND, system.counts),
        asked=cells,
        start=system.counts,
    )
    return list(zip(found.lo.tolist(), found.hi.tolist(), strict=True))


def test_region_by_gender_single_primary():
    """sdcTable's test table: one primary cell, three secondary; A and C have the least sum, with known intervals."""
    regions = [[18, 2], [14, 19], [12, 10], [11, 14]]
    system = two_way(regions)
    primary = mask(system, cells_named(system, "row r0, c1"))
    best = protect_counts(system, primary, min_count=3)
    square = cells_named(system, "row r0, c0", "row r0, c1", "row r2, c0", "row r2, c1")
    assert best.status == OPTIMAL
    assert np.flatnonzero(best.hidden).tolist() == square.tolist()
    assert best.cost == best.bound == 18 + 12 + 10
    assert intervals(system, best.hidden, square) == [(8, 20), (0, 12), (10, 22), (0, 12)]


def test_v2_young_and_old():
    """V2: young (Spain 5, Iceland 2, Portugal 0), old (6, 3, 4): Iceland and Portugal in both rows, no totals."""
    system = two_way([[5, 2, 0], [6, 3, 4]])
    primary = mask(system, cells_named(system, "row r0, c2"))  # Portugal's zero is the small count, maxN = 1
    best = optimal_suppression(
        system,
        primary=primary,
        lower_level=np.zeros(12),
        upper_level=np.where(primary, 1.0, 0.0),
        weights=np.maximum(system.counts, 1.0),
    )
    four = cells_named(system, "row r0, c1", "row r0, c2", "row r1, c1", "row r1, c2")
    assert np.flatnonzero(best.hidden).tolist() == four.tolist()
    assert intervals(system, best.hidden, four) == [(0, 2), (0, 2), (3, 5), (2, 4)]


LINKED = {"A": (1, "s", 2), "B": (1, "s", 2), "I": (1, "s", 8), "J": (1, "s", 8)}
LINKED |= {"K": (2, "s", 3), "L": (2, "b", 3), "M": (2, "b", 3), "N": (2, "s", 7)}


def county_and_size():
    """Two tables over the same regions, by county and by size of group, with their shared cells."""
    regions = sorted(LINKED)
    counts = np.array([LINKED[name][2] for name in regions], np.int64)
    tables = []
    for level, group in (("county", 0), ("size", 1)):
        groups = sorted({LINKED[name][group] for name in regions})
        axis = nest(f"region<{level}", [groups.index(LINKED[name][group]) for name in regions], total=True)
        tables.append(Cube(axes=(axis,), finest=counts, margins=all_margins((axis,))).system())
    return tables


def test_linked_tables_county_and_size():
    """sdcTable's linked tables: each is safe alone with its primaries hidden; together N (7) must be hidden too."""
    tables = county_and_size()
    for table in tables:
        primary = (table.counts <= 3) & (table.counts > 0)
        alone = optimal_suppression(
            table,
            primary=primary,
            lower_level=np.zeros(len(table)),
            upper_level=np.zeros(len(table)),
            width_level=np.where(primary, 1.0, 0.0),
            weights=np.maximum(table.counts, 1.0),
        )
        assert (alone.hidden == primary).all()
    joined = join_systems(tables).system
    assert len(joined) == 8 + 2 + 2 + 1
    primary = (joined.counts <= 3) & (joined.counts > 0)
    assert primary.sum() == 5
    k = cells_named(joined, "region region4")
    assert intervals(joined, primary, k) == [(3, 3)]
    together = optimal_suppression(
        joined,
        primary=primary,
        lower_level=np.zeros(len(joined)),
        upper_level=np.zeros(len(joined)),
        width_level=np.where(primary, 1.0, 0.0),
        weights=np.maximum(joined.counts, 1.0),
    )
    assert [joined.name(cell) for cell in np.flatnonzero(together.hidden & ~primary)] == ["region region7"]  # N


# Small tables whose every pattern can be tried: two-way, and area × age × sex with one-way margins.
def tried_cubes():
    flat = (flat_axis("row", ["a", "b"]), flat_axis("column", ["x", "y", "z"]))
    tree = (nest("oa<lad", [0, 0, 0]), flat_axis("age", ["o", "y"]))
    return {"two-way": (flat, (2, 3)), "tree": (tree, (3, 2))}


TRIED = tried_cubes()


@st.composite
def suppressed_tables(draw):
    """A small cube whose grand total is shown, primaries, and demands on them."""
    axes, shape = TRIED[draw(st.sampled_from(sorted(TRIED)))]
    finest = np.array(draw(st.lists(st.integers(0, 4), min_size=6, max_size=6)), np.int64).reshape(shape)
    cube = Cube(axes=axes, finest=finest, margins=all_margins(axes))
    n = cube.values().size
    small = (cube.values().ravel() > 0) & (cube.values().ravel() < 3)
    weights = np.array(draw(st.lists(st.integers(1, 9), min_size=n, max_size=n)), float)
    return cube, small & (np.arange(n) < n - 1), weights


def cheapest_by_trial(cube, primary, weights, lower, upper):
    """The least cost of any pattern that meets the demands against every table that fits; None where none does."""
    x = cube.values().ravel()
    tables = compositions(cube.finest.size, int(x[-1])) @ sums_of_finest(cube).T
    tables = tables[tables[:, -1] == x[-1]]
    same = tables == x
    optional = np.flatnonzero(~primary)[:-1]
    best = None
    for chosen in product([False, True], repeat=len(optional)):
        hidden = primary.copy()
        hidden[optional] = chosen
        cost = float(weights[hidden & ~primary].sum())
        if best is not None and cost >= best:
            continue
        fits = tables[np.all(same | hidden, axis=1)]
        low, high = fits.min(axis=0), fits.max(axis=0)
        if np.all((low <= x - lower)[primary] & (high >= x + upper)[primary]):
            best = cost
    return best


@settings(deadline=None, max_examples=25)
@given(table=suppressed_tables(), need=st.integers(2, 3))
def test_equals_the_cheapest_of_all_patterns(table, need):
    cube, primary, weights = table
    system = cube.system()
    x = system.counts
    lower, upper = np.where(primary, x, 0), np.where(primary, need - x, 0)
    levels = {"lower_level": lower, "upper_level": np.maximum(upper, 0)}
    may_hide = np.arange(len(x)) < len(x) - 1
    judge = cheapest_by_trial(cube, primary, weights, lower, np.maximum(upper, 0))
    if judge is None:
        with pytest.raises(Infeasible):
            optimal_suppression(system, primary=primary, weights=weights, may_hide=may_hide, **levels)
        return
    best = optimal_suppression(system, primary=primary, weights=weights, may_hide=may_hide, **levels)
    assert best.status == OPTIMAL
    assert best.cost == judge
    demands = Demands.of(np.flatnonzero(primary), lower=lower[primary], upper=np.maximum(upper, 0)[primary])
    assert attacked_demands(system, demands, best.hidden, room_of(system), whole=True).all()


def network_and_exact(seed):
    """Cost of the network method's pattern and of the best one, same prices and demands, on a table of 175 cells."""
    rng = np.random.default_rng(seed)
    finest = rng.poisson(5 * np.array([3, 2, 1.5, 1, 0.7, 0.4]), (20, 6))
    table = true_table(tree([i // 5 for i in range(20)], [0] * 4), finest)
    spec = SuppressionSpec(lone_claimants=False, decoys=0.0)
    flags = tuple((counts > 0) & (counts < 5) for counts in table.counts)
    safe, _ = suppress_table(table, primary=flags, spec=spec, key=KEY)
    system, primary = system_of(table), flatten(flags)
    prices = keyed_prices(table, spec, cell_words(table, KEY)).astype(float)
    fast = flatten(safe.markers) == SUPPRESSED
    return prices[fast & ~primary].sum(), protect_counts(system, primary, weights=prices)


def test_the_best_pattern_judges_the_network_method():
    """The network method is never cheaper than the best, and on these small tables on average at most a fifth dearer."""
    pairs = [network_and_exact(seed) for seed in range(8)]
    assert all(best.status == OPTIMAL for _, best in pairs)
    ratios = [fast / best.cost for fast, best in pairs]
    assert min(ratios) >= 1 - 1e-9
    assert np.mean(ratios) <= 1.2


def test_a_search_that_is_stopped_says_so():
    """With no branches the pattern is safe, its cost no less than the bound, and nothing is claimed."""
    rng = np.random.default_rng(0)
    system = two_way(rng.poisson(6, (9, 8)))
    primary = (system.counts > 0) & (system.counts < 5)
    weights = 1 + rng.random(len(system))
    best = protect_counts(system, primary, weights=weights)
    stopped = protect_counts(system, primary, weights=weights, branches=1)
    assert best.status == OPTIMAL and best.bound == pytest.approx(best.cost)
    assert stopped.bound <= best.cost + 1e-9 <= stopped.cost + 2e-9
    assert stopped.status in (OPTIMAL, STOPPED)
    x = system.counts[primary]
    demands = Demands.of(np.flatnonzero(primary), lower=x, upper=5 - x)
    assert attacked_demands(system, demands, stopped.hidden, room_of(system), whole=True).all()


def test_bounds_that_a_reader_has_cost_more():
    """Who knows every count to within 2 needs more hidden than who knows nothing: no cell may make up for two others."""
    system = two_way([[18, 6, 30], [14, 19, 13], [12, 10, 25], [11, 14, 40]])
    primary = np.arange(20) == 1
    levels = {"lower_level": np.where(primary, 4.0, 0), "upper_level": np.where(primary, 4.0, 0)}
    reach = np.where(primary, 9, 2)
    near = room_of(system, lower=np.maximum(system.counts - reach, 0), upper=system.counts + reach)
    free, tight = (
        optimal_suppression(system, primary=primary, weights=np.maximum(system.counts, 1.0), room=room, **levels)
        for room in (None, near)
    )
    assert free.hidden.sum() == 4
    assert tight.hidden.sum() >= 7, "two ways round, of cells that move by 2 each"
    assert free.cost < tight.cost


def test_refusals_name_cells_and_no_counts():
    system = two_way([[3, 20], [25, 18]])
    primary = system.counts == 3
    with pytest.raises(Infeasible, match="row r0, c0") as met:
        protect_counts(system, primary, may_hide=np.zeros(9, np.bool_))
    assert set(met.value.demands) == {"protection levels", "cells that must be shown"}
    assert not any(letter.isdigit() for letter in str(met.value).replace("r0", "").replace("c0", ""))
    with pytest.raises(ValueError, match="above 0"):
        protect_counts(system, primary, weights=np.zeros(9))
    with pytest.raises(ValueError, match="one entry per cell"):
        protect_counts(system, primary, weights=np.ones(4))
