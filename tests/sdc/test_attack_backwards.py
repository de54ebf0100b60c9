"""Rules run backwards: equal to trying every true table and every outcome of the rule, and what objection 10.1 says."""

import numpy as np
import pytest
from attack_tools import CONTROLLED, EXACT, shown, tree, true_table
from hypothesis import given, settings
from hypothesis import strategies as st
from rounding_tools import error, every_rounding, secret

from sdc.attack.backwards import (
    MINIMUM_DISTANCE,
    RULES,
    SMALL_COUNTS_BY_RULE,
    SMALLEST_SECONDARY,
    audit_backwards,
    run_rule,
)
from sdc.attack.intervals import stated_intervals
from sdc.attack.inversion import outcomes_by_keys, run_backwards
from sdc.network import flatten
from sdc.rounding.smallcounts import SmallCountRounding, protect_small_counts
from sdc.tables import SHOWN, SUPPRESSED, Method, SafeTable, Table

BASE_3 = Method(name="controlled-rounding", base=3, min_count=3)


def nearest_outcomes(table: Table, base: int) -> list[SafeTable]:
    """Every additive rounding whose distance is least, found by listing all of them."""
    roundings = every_rounding(table, base)
    loss = [int(np.abs(error(table, values)).sum()) for values in roundings]
    method = Method(name="controlled-rounding", base=base, min_count=base)
    return [shown(table, v, method) for v, each in zip(roundings, loss, strict=True) if each == min(loss)]


@settings(deadline=None, max_examples=12)
@given(seed=st.integers(0, 10_000), shape=st.sampled_from([(1, 2), (1, 3), (2, 2), (3, 0)]))
def test_minimum_distance_equals_listing_every_outcome(seed: int, shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(seed)
    units, categories = shape
    finest = rng.integers(0, 6, (units, categories) if categories else units)
    true = true_table(tree([0] * units), finest)
    outcomes = nearest_outcomes(true, 3)
    told = outcomes[int(rng.integers(len(outcomes)))]
    found = run_rule(told, MINIMUM_DISTANCE, stated_intervals(told))
    wanted = run_backwards(told, lambda table: nearest_outcomes(table, 3))
    assert (found.tried, found.possible) == (wanted.tried, wanted.possible)
    assert np.array_equal(found.lo, flatten(wanted.intervals.lo))
    assert np.array_equal(found.hi, flatten(wanted.intervals.hi))
    assert np.all(found.lo <= flatten(true.counts)) and np.all(flatten(true.counts) <= found.hi)
    for ends, tables in ((found.lo, found.low_at), (found.hi, found.high_at)):
        for cell, finest in enumerate(tables):
            counts = flatten(true_table(true.hierarchy, finest.reshape(units, categories or 1)[:, :]).counts)
            assert categories == 0 or counts[cell] == ends[cell]


def test_10_1_minimum_distance_is_told_with_its_extreme_tables() -> None:
    """One area shown (0, 0 | 0) with base 5: cells in [0, 2], total in [0, 3]."""
    told = shown(true_table(tree([0]), [[0, 0]]), [[[0, 0, 0]], [[0, 0, 0]]], CONTROLLED)
    audit = audit_backwards("t", told, MINIMUM_DISTANCE, min_count=5)
    assert {(f.cell.split(", ")[-1], f.interval) for f in audit.findings} == {
        ("benefit=k0", (0, 2)),
        ("benefit=k1", (0, 2)),
        ("Total", (0, 3)),
    }
    assert all("of 15 true tables that fit" in f.witness for f in audit.findings)
    assert audit.checked and not audit.not_checked


def test_a_table_that_only_one_truth_gives() -> None:
    """Base 2: (2, 0 | 2) over one area and an upper bound of 1 in the first leaves one table."""
    method = Method(name="controlled-rounding", base=2, min_count=2)
    told = shown(true_table(tree([0]), [[0, 0]]), [[[2, 0, 2]], [[2, 0, 2]]], method)
    stated = stated_intervals(told)
    lo = tuple(each.copy() for each in stated.lo)
    lo[0][0, 1] = 1
    known = type(stated)(lo=lo, hi=stated.hi)
    found = run_rule(told, MINIMUM_DISTANCE, known)
    wanted = run_backwards(told, lambda table: nearest_outcomes(table, 2), known=known)
    assert found.possible == wanted.possible
    audit = audit_backwards("t", told, MINIMUM_DISTANCE, min_count=3, known=known)
    if found.possible == 1:
        assert all("only one true table" in f.witness for f in audit.findings)


def test_what_is_no_outcome_contradicts_the_rule() -> None:
    told = shown(true_table(tree([0]), [[0, 0]]), [[[5, 5, 5]], [[5, 5, 5]]], CONTROLLED)
    audit = audit_backwards("t", told, MINIMUM_DISTANCE, min_count=5)
    assert [f.kind for f in audit.findings] == ["contradiction"] and not audit.safe


def test_a_large_table_is_named() -> None:
    large = shown(true_table(tree([0] * 30), [5] * 30), [[[5]] * 30, [[150]]], CONTROLLED)
    for rule in RULES[:2]:
        audit = audit_backwards("t", large, rule, min_count=5)
        assert audit.safe and [f.severity for f in audit.findings] == ["warning"] and audit.not_checked
    with pytest.raises(ValueError, match="rule"):
        audit_backwards("t", large, "by chance", min_count=5)


@settings(deadline=None, max_examples=10)
@given(seed=st.integers(0, 10_000))
def test_small_counts_hold_what_every_key_makes_possible(seed: int) -> None:
    """Three areas: what 60 keys can publish is possible; and every table that is possible is so under some order."""
    finest = np.random.default_rng(seed).integers(0, 4, 3)
    true = true_table(tree([0, 0, 0]), finest)
    spec = SmallCountRounding(base=3, min_count=3, share=0.0)
    told = protect_small_counts(true, spec=spec, key=secret(seed))[0]
    stated = stated_intervals(told)
    most = tuple(np.minimum(hi, 12) for hi in stated.hi)
    bounds = type(stated)(lo=stated.lo, hi=most)
    found = run_rule(told, SMALL_COUNTS_BY_RULE, bounds)
    keyed = run_backwards(
        told,
        outcomes_by_keys(lambda t, k: protect_small_counts(t, spec=spec, key=k)[0], [secret(k) for k in range(60)]),
        known=bounds,
    )
    assert found.tried == keyed.tried and found.possible == keyed.possible
    assert np.array_equal(found.lo, flatten(keyed.intervals.lo))
    assert np.array_equal(found.hi, flatten(keyed.intervals.hi))


def test_10_1_the_smallest_secondary() -> None:
    """(c, c, 25 | 45): the first is 1 to 4 or 16 to 19, never 0; the truth, 3, is not covered."""
    true = true_table(tree([0, 0, 0]), [3, 17, 25])
    markers = np.array([[SUPPRESSED], [SUPPRESSED], [SHOWN]])
    told = shown(true, [np.array([[0], [0], [25]]), [[45]]], EXACT, [markers, [[SHOWN]]])
    found = run_rule(told, SMALLEST_SECONDARY, stated_intervals(told))
    assert (found.lo[0], found.hi[0], found.possible) == (1, 19, 8)
    blind = audit_backwards("t", told, SMALLEST_SECONDARY, min_count=5)
    assert blind.safe and blind.figures["t: cells narrowed by running smallest secondary backwards"] == 2
    sighted = audit_backwards("t", told, SMALLEST_SECONDARY, min_count=5, truth=true)
    assert [(f.kind, f.interval) for f in sighted.findings] == [("run backwards", (1, 19))]


def test_the_smallest_secondary_of_several_sums_is_named() -> None:
    true = true_table(tree([0, 0]), [[3, 9], [8, 7]])
    told = shown(true, true.counts, EXACT)
    assert audit_backwards("t", told, SMALLEST_SECONDARY, min_count=5).not_checked
