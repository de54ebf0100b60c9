"""Each cell by itself, and what the sums say: intervals, propagation, max flow against brute force."""

from dataclasses import replace

import numpy as np
import pytest
from attack_tools import (
    CONTROLLED,
    CONVENTIONAL,
    EXACT,
    RANDOM,
    additive,
    at_random,
    brute_force,
    contains,
    flat,
    nearest,
    same,
    shown,
    tree,
    true_table,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from sdc.attack.intervals import NO_BOUND, Intervals, impossible_values, stated_intervals
from sdc.attack.maxflow import NoTable, Residual, feasible_flow, feasible_residual
from sdc.attack.propagation import propagate
from sdc.network import build_network, flatten, unflatten
from sdc.tables import LOW, NOT_AVAILABLE, NOT_PUBLISHED, SHOWN, STRUCTURAL, SUPPRESSED, Method, Table


def interval(value, method, steps=0):
    table = true_table(tree(), [0])
    bounds = stated_intervals(shown(table, [[[value]]], replace(method, steps=steps)))
    return int(bounds.lo[0][0, 0]), int(bounds.hi[0][0, 0])


def exact_intervals(safe, bounds=None):
    """Max-flow intervals of every cell, or None where no table fits."""
    bounds = bounds or stated_intervals(safe)
    network = build_network(safe.hierarchy, len(safe.classification))
    try:
        residual = feasible_residual(network, flatten(bounds.lo), flatten(bounds.hi), flatten(safe.values))
    except NoTable:
        return None
    lo, hi, exact = residual.intervals(np.arange(network.starts[-1]), enough=200, width=200)
    assert exact[hi < NO_BOUND].all()
    columns = network.columns
    return Intervals(lo=unflatten(lo, safe.hierarchy, columns), hi=unflatten(hi, safe.hierarchy, columns))


def test_v17_k_step_intervals():
    """V17: b = 5, K = 1, r = 15 -> [6, 24]; K = 0: r = 0 -> [0, 4], r = 15 -> [11, 19]."""
    assert interval(15, CONTROLLED, steps=1) == (6, 24)
    assert interval(0, CONTROLLED) == (0, 4)
    assert interval(15, CONTROLLED) == (11, 19)


@pytest.mark.parametrize("base", [2, 3, 4, 5, 6, 10])
@pytest.mark.parametrize("name", ["controlled-rounding", "random-rounding", "conventional-rounding"])
def test_stated_intervals_are_the_counts_that_can_be_shown_so(name, base):
    """The interval of r is the set of x that the method can round to r, odd and even bases, ties included."""
    method = Method(name=name, base=base, min_count=base)
    for value in range(0, 4 * base, base):
        if name == "conventional-rounding":
            behind = [x for x in range(6 * base) if base * ((2 * x + base) // (2 * base)) == value]
        else:
            behind = [x for x in range(6 * base) if value in (base * (x // base), base * -(-x // base))]
        assert interval(value, method) == (min(behind), max(behind))


def test_markers_say_what_they_say():
    """c, x and no row: anything; z: nothing; low: as a published 0; primary and secondary alike."""
    table = true_table(tree(), np.zeros((1, 5)))
    markers = [[[SUPPRESSED, STRUCTURAL, NOT_AVAILABLE, LOW, NOT_PUBLISHED, SHOWN]]]
    bounds = stated_intervals(shown(table, [[[0, 0, 0, 0, 0, 10]]], CONTROLLED, markers))
    assert bounds.lo[0].tolist() == [[0, 0, 0, 0, 0, 6]]
    assert bounds.hi[0].tolist() == [[NO_BOUND, 0, NO_BOUND, 4, NO_BOUND, 14]]


def test_an_unknown_method_is_refused():
    with pytest.raises(ValueError, match="method"):
        interval(5, Method(name="guesswork"))


def test_values_that_no_rounding_gives_are_seen():
    table = true_table(tree(), np.zeros((1, 2)))
    wrong = impossible_values(shown(table, [[[7, -5, 10]]], CONTROLLED))
    assert wrong[0].tolist() == [[True, True, False]]


@pytest.mark.parametrize(
    ("values", "method", "expected"),
    [
        ([0, 0, 0, 0, 10], CONVENTIONAL, [(2, 2)] * 4),
        ([0, 0, 5], CONVENTIONAL, [(1, 2)] * 2),
        ([0, 0, 0, 0, 20], RANDOM, [(4, 4)] * 4),
    ],
)
def test_v15_zeros_under_a_rounded_total(values, method, expected):
    """V15: children 0, 0, 0, 0 of a total 10 are all exactly 2; 0, 0 of 5 in [1, 2]; random-5: 0, 0, 0, 0 of 20 all 4."""
    children = tree([0] * (len(values) - 1))
    safe = shown(true_table(children, [0] * (len(values) - 1)), [[[v] for v in values[:-1]], [[values[-1]]]], method)
    for bounds in (propagate(children, stated_intervals(safe)).intervals, exact_intervals(safe)):
        assert list(zip(bounds.lo[0][:, 0], bounds.hi[0][:, 0], strict=True)) == expected


HANDBOOK = [[1, 0], [3, 3], [12, 20]]


def test_v15_handbook_table_rounded_to_the_nearest():
    """V15: the Handbook's 3 × 2 (1 0 / 3 3 / 12 20) at nearest 5: inner intervals far inside their own."""
    safe = nearest(true_table(tree([0, 0, 0]), HANDBOOK))
    bounds = exact_intervals(safe)
    inner = [(int(a), int(b)) for a, b in zip(bounds.lo[0][:, :2].ravel(), bounds.hi[0][:, :2].ravel(), strict=True)]
    assert inner == [(0, 2), (0, 2), (3, 4), (3, 4), (8, 12), (18, 22)]


def test_v16_additive_solution_gives_nothing_away():
    """V16: the Handbook's additive solution 5 0 / 0 5 / 10 20 leaves every cell its own interval."""
    table = true_table(tree([0, 0, 0]), HANDBOOK)
    values = true_table(tree([0, 0, 0]), [[5, 0], [0, 5], [10, 20]]).counts
    safe = shown(table, values, CONTROLLED)
    bounds = exact_intervals(safe)
    inner = [(int(a), int(b)) for a, b in zip(bounds.lo[0][:, :2].ravel(), bounds.hi[0][:, :2].ravel(), strict=True)]
    assert inner == [(1, 9), (0, 4), (0, 4), (1, 9), (6, 14), (16, 24)]
    assert same(bounds, stated_intervals(safe))


def test_10_10_propagation_is_not_exact_on_tree_by_flat():
    """Section 10.10: (1 1 2 / 0 2 0 / 0 0 2) at nearest 5: the second column is [3, 5]; propagation says [3, 6]."""
    table = true_table(tree([0, 0, 0]), [[1, 1, 2], [0, 2, 0], [0, 0, 2]])
    safe = nearest(table)
    assert safe.values[1].tolist() == [[0, 5, 5, 10]]
    loose, tight = propagate(table.hierarchy, stated_intervals(safe)).intervals, exact_intervals(safe)
    assert (loose.lo[1][0, 1], loose.hi[1][0, 1]) == (3, 6)
    assert (tight.lo[1][0, 1], tight.hi[1][0, 1]) == (3, 5)
    assert same(tight, brute_force(table.hierarchy, 3, stated_intervals(safe)))


def test_v20_bridge_and_square():
    """V20: three hidden cells in three columns of one row are exact; a hidden square leaves all four open."""
    table = true_table(tree([0, 0]), [[3, 4, 2], [9, 8, 7]])
    markers = [np.zeros_like(c) for c in table.counts]
    markers[0][0, :3] = SUPPRESSED
    bounds = exact_intervals(shown(table, table.counts, EXACT, markers))
    assert bounds.lo[0][0, :3].tolist() == bounds.hi[0][0, :3].tolist() == [3, 4, 2]
    markers[0][0, 2], markers[0][1, :2] = SHOWN, SUPPRESSED
    bounds = exact_intervals(shown(table, table.counts, EXACT, markers))
    assert bounds.lo[0][:, :2].tolist() == [[0, 0], [5, 5]]
    assert bounds.hi[0][:, :2].tolist() == [[7, 7], [12, 12]]


def test_v1_argus_audit():
    """V1: hidden 2 × 2 with rows 7, 3 and columns 6, 4: X11 in [3, 6], X12 [1, 4], X21 [0, 3], X22 [0, 3]."""
    table = true_table(tree([0, 0]), [[4, 3], [2, 1]])
    markers = [np.zeros_like(c) for c in table.counts]
    markers[0][:, :2] = SUPPRESSED
    bounds = exact_intervals(shown(table, table.counts, EXACT, markers))
    assert bounds.lo[0][:, :2].tolist() == [[3, 1], [0, 0]]
    assert bounds.hi[0][:, :2].tolist() == [[6, 4], [3, 3]]


TREES = (([0, 0, 1], [0, 0]), ([0, 0],), ([0, 0, 0],), ([0, 1, 0, 1], [0, 1]), ())


@st.composite
def safe_tables(draw):
    """A small true table with what each method makes of it."""
    hierarchy = tree(*draw(st.sampled_from(TREES)))
    categories = draw(st.integers(0, 3 if hierarchy.units[0] < 3 else 2))
    cells = hierarchy.units[0] * max(categories, 1)
    finest = np.array(draw(st.lists(st.integers(0, 6), min_size=cells, max_size=cells)))
    table = true_table(hierarchy, finest.reshape(-1, categories) if categories else finest)
    kind = draw(st.sampled_from(["controlled", "conventional", "random", "hidden", "low base"]))
    seed = draw(st.integers(0, 2**20))
    if kind == "controlled":
        return table, additive(table, seed)
    if kind == "conventional":
        return table, nearest(table)
    if kind == "low base":
        return table, nearest(table, Method(name="conventional-rounding", base=4, min_count=5))
    if kind == "random":
        return table, at_random(table, seed, Method(name="random-rounding", base=3, min_count=5))
    rng = np.random.default_rng(seed)
    markers = [np.where(rng.random(c.shape) < 0.5, SUPPRESSED, SHOWN) for c in table.counts]
    markers[-1][:] = SHOWN
    return table, shown(table, table.counts, EXACT, markers)


@settings(max_examples=150, deadline=None)
@given(safe_tables())
def test_max_flow_is_brute_force_and_propagation_contains_it(case):
    table, safe = case
    if safe is None:
        return
    stated = stated_intervals(safe)
    truth = brute_force(table.hierarchy, len(table.classification), stated)
    if isinstance(truth, str):
        return
    loose = propagate(table.hierarchy, stated)
    tight = exact_intervals(safe)
    assert loose.contradiction is None
    assert loose.settled
    assert tight is not None
    assert same(tight, truth)
    assert contains(loose.intervals, truth)
    if len(table.classification) == 0:
        assert same(loose.intervals, truth)
    if safe.method.name == "controlled-rounding":
        assert same(tight, stated)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 4), min_size=9, max_size=9), st.integers(0, 2**20))
def test_figures_that_no_table_gives(values, seed):
    """Random multiples of 3, mostly impossible together: max flow finds a table exactly where brute force does."""
    hierarchy = tree([0, 0])
    rng = np.random.default_rng(seed)
    table = true_table(hierarchy, np.zeros((2, 2)))
    method = Method(name="conventional-rounding", base=3, min_count=5)
    values = 3 * np.array(values).reshape(3, 3)
    values[2] += 3 * rng.integers(0, 3, 3)
    safe = shown(table, [values[:2], values[2:]], method)
    stated = stated_intervals(safe)
    truth = brute_force(hierarchy, 2, stated)
    tight = exact_intervals(safe)
    assert (tight is None) == (truth is None)
    if truth is None:
        network = build_network(hierarchy, 2)
        lower, upper = flatten(stated.lo), flatten(stated.hi)
        with pytest.raises(NoTable) as none:
            feasible_flow(network, lower, upper, flatten(safe.values))
        cut = none.value.cut
        assert lower[cut.entering].sum() > upper[cut.leaving].sum()
    else:
        assert same(tight, truth)
        assert propagate(hierarchy, stated).contradiction is None


def test_propagation_names_the_sum_that_cannot_be():
    """Two areas shown 0 under 50: at most 4 against at least 48."""
    hierarchy = tree([0, 0])
    safe = shown(true_table(hierarchy, [0, 0]), [[[0], [0]], [[50]]], CONVENTIONAL)
    found = propagate(hierarchy, stated_intervals(safe)).contradiction
    assert found is not None
    assert (found.level, found.unit, found.over, found.whole, found.parts) == (1, 0, "areas", (48, 52), (0, 4))


def test_cuts_prove_their_bounds():
    """Every extreme is a table within bounds, and its cut, with the bounds of its cells, forbids more."""
    rng = np.random.default_rng(3)
    for _ in range(30):
        table = true_table(tree([0, 0, 1], [0, 0]), rng.integers(0, 5, (3, 3)))
        safe = nearest(table)
        network = build_network(table.hierarchy, 3)
        lower, upper = (flatten(x) for x in (stated_intervals(safe).lo, stated_intervals(safe).hi))
        residual = Residual(network, lower, upper, flatten(table.counts))
        for cell in range(network.starts[-1]):
            for up in (False, True):
                end = residual.extreme(cell, up=up, table=True)
                counts = unflatten(end.flow, table.hierarchy, network.columns)
                Table(hierarchy=table.hierarchy, classification=table.classification, counts=counts)
                assert np.all(end.flow >= lower)
                assert np.all(end.flow <= upper)
                assert end.flow[cell] == end.value
                if end.cut is None:
                    assert end.value == (upper if up else lower)[cell]
                    continue
                enters = cell in end.cut.entering
                plus, minus = (end.cut.leaving, end.cut.entering) if enters else (end.cut.entering, end.cut.leaving)
                minus = minus[minus != cell]
                best = upper[plus].sum() - lower[minus].sum() if up else lower[plus].sum() - upper[minus].sum()
                assert best == end.value


def test_a_wide_flat_country_is_not_searched_whole():
    """Questions stay local: 20,000 areas under one parent, asked one by one, look at few arcs each."""
    rng = np.random.default_rng(1)
    table = true_table(tree([0] * 20_000), rng.poisson(1.5, (20_000, 3)))
    safe = nearest(table)
    bounds = propagate(table.hierarchy, stated_intervals(safe)).intervals
    network = build_network(table.hierarchy, 3)
    residual = feasible_residual(network, flatten(bounds.lo), flatten(bounds.hi), flatten(table.counts))
    residual.intervals(np.arange(0, 80_000), enough=20, width=5)
    assert int(residual.state.round[1]) < 100 * 80_000


def test_flows_that_do_not_add_up_are_refused():
    network = build_network(tree([0, 0]), 0)
    with pytest.raises(ValueError, match="add up"):
        Residual(network, np.zeros(3, np.int64), np.full(3, 9), np.array([1, 1, 3]))


def test_empty_classification_has_a_total_only():
    assert flat(0).columns == ((),)
