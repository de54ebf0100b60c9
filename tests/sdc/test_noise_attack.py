"""The attack on noise with its ptable known: intervals, sums, belief, and ptables that are refused."""

import numpy as np
import pytest
from attack_tools import brute_force, contains, every_table, same, shown, tree, true_table
from hypothesis import given, settings
from hypothesis import strategies as st

from common.faults import Disclosure
from sdc.attack.intervals import NO_BOUND, Intervals
from sdc.attack.noise import attack_noise, audit_noise, refuse_ptable
from sdc.attack.noisebeliefs import certainty_audit, noise_beliefs, noise_posterior
from sdc.attack.noisebounds import noise_intervals, ptable_findings, stated_noise, value_bounds
from sdc.attack.posterior import Prior
from sdc.cellkey.design import PTableSpec, design_ptable
from sdc.cellkey.keys import key_sums
from sdc.cellkey.perturb import perturb
from sdc.cellkey.ptable import KeyTable, PTable, in_keys, noise_shares, rows_of
from sdc.tables import LOW, NOT_PUBLISHED, SHOWN, STRUCTURAL, SUPPRESSED, Method

NOISE = Method(name="cell-key", base=1, min_count=5)
SIX = tree([0, 0, 0, 1, 1, 1], [0, 0])


def designed(bound, variance, blocked=0):
    return design_ptable(PTableSpec(bound=bound, variance=variance, blocked=blocked)).ptable


def noisy(table, ptable, seed):
    """A table under the ptable with record keys drawn at random."""
    rng = np.random.default_rng(seed)
    finest = table.counts[0][:, :-1] if len(table.classification) else table.counts[0]
    keys = rng.integers(0, 4096, finest.shape) * (finest > 0)
    sums = key_sums(table.hierarchy, keys, with_total=bool(len(table.classification)))
    return perturb(table, ptable=in_keys(ptable, 4096), keys=sums)[0]


def figure(value, marker=SHOWN):
    """A table of one cell."""
    return shown(true_table(tree(), [0]), [[[value]]], NOISE, [[[marker]]])


def interval(bounds):
    return int(bounds.lo[0][0, 0]), int(bounds.hi[0][0, 0])


# --- One figure by itself -----------------------------------------------------------------------------


def test_stated_interval_of_default_ptable():
    """D = 5, js = 4: nothing is shown as 1 to 4, and every figure may be no small count."""
    ptable = designed(5, 7.0, blocked=4)
    told = {r: interval(noise_intervals(figure(r), ptable)) for r in (0, 5, 6, 7, 10, 15, 16, 400)}
    assert told == {
        0: (0, 5), 5: (1, 10), 6: (1, 11), 7: (2, 12), 10: (5, 15), 15: (10, 20), 16: (11, 21), 400: (395, 405),
    }  # fmt: skip
    assert all(noise_intervals(figure(r), ptable).empty()[0].all() for r in (1, 2, 3, 4))
    assert ptable_findings(ptable, min_count=5) == ()


def test_the_smallest_variance_leaves_fewer_counts_behind_a_figure():
    """V = 6 leaves rows 2 and 3 no target but 0 and 5: a figure of 7 is 4 at least."""
    ptable = in_keys(designed(5, 6.0, blocked=4), 4096)
    assert interval(noise_intervals(figure(7), ptable)) == (4, 12)
    assert interval(noise_intervals(figure(7), designed(5, 7.0, blocked=4))) == (2, 12)


def test_interval_with_d_alone():
    assert interval(stated_noise(figure(0), bound=5)) == (0, 5)
    assert interval(stated_noise(figure(3), bound=5)) == (1, 8)
    assert interval(stated_noise(figure(30), bound=5)) == (25, 35)
    assert interval(stated_noise(figure(3), bound=5, zeros_kept=False)) == (0, 8)
    assert interval(stated_noise(figure(0, SUPPRESSED), bound=5)) == (0, NO_BOUND)
    with pytest.raises(ValueError, match="bound"):
        stated_noise(figure(0), bound=-1)


def test_intervals_of_markers():
    ptable = designed(5, 7.0, blocked=4)
    assert interval(noise_intervals(figure(0, STRUCTURAL), ptable)) == (0, 0)
    assert interval(noise_intervals(figure(0, LOW), ptable)) == (0, 5)
    assert interval(noise_intervals(figure(0, NOT_PUBLISHED), ptable)) == (0, NO_BOUND)
    assert interval(noise_intervals(figure(0, SUPPRESSED), ptable)) == (0, NO_BOUND)
    assert interval(noise_intervals(figure(0, SUPPRESSED), ptable, threshold=10)) == (0, 14)


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 12), st.integers(1, 8), st.integers(1, 3), st.integers(0, 10**6))
def test_value_bounds_equal_enumeration(last, keys, reuse, seed):
    rng = np.random.default_rng(seed)
    noise = rng.integers(-3, 4, (last + 1, keys + 1))
    noise = np.maximum(noise, -np.arange(last + 1)[:, None])
    noise[0] = 0
    table = KeyTable(noise=noise.astype(np.int16), reuse=min(reuse, last))
    counts = np.arange(200)
    values = counts[:, None] + noise[rows_of(table, counts)]
    told = value_bounds(table).of(np.arange(150))
    for value in range(150):
        behind = counts[(values == value).any(axis=1)]
        lo, hi = int(told[0][value]), int(told[1][value])
        assert (lo, hi) == (behind.min(), behind.max()) if len(behind) else lo > hi


def test_small_noise_pins_small_counts_by_itself():
    for bound, variance in ((1, 0.6), (2, 0.9), (3, 1.5)):
        found = ptable_findings(designed(bound, variance), min_count=5)
        assert found and all(each.severity == "disclosure" for each in found)
    assert ptable_findings(designed(2, 0.9), min_count=5)[0].witness == "a figure shown 0 is 0 to 2"
    assert ptable_findings(designed(4, 2.0), min_count=5) == ()
    assert ptable_findings(designed(2, 0.9), min_count=3) == ()


def test_ten_five_rule_holds_for_counts_below_ten_alone():
    pcv = np.arange(751)
    noise = np.where(pcv < 10, -pcv, (pcv + 2) // 5 * 5 - pcv)
    rule = KeyTable(noise=np.repeat(noise[:, None], 2, axis=1).astype(np.int16), reuse=250)
    assert ptable_findings(rule, min_count=10) == ()
    assert ptable_findings(rule, min_count=10, threshold=10) == ()
    found = ptable_findings(rule, min_count=13)
    assert [each.interval for each in found] == [(0, 9), (10, 12)]


# --- Sums ---------------------------------------------------------------------------------------------

TREES = [tree([0, 0, 0]), tree([0, 0, 1], [0, 0]), tree([0, 0, 0, 0])]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2), st.integers(0, 10**6), st.sampled_from([(1, 0.6, 0), (2, 0.9, 0), (2, 1.5, 1)]))
def test_propagation_equals_brute_force_on_a_tree(which, seed, demands):
    bound, variance, blocked = demands
    hierarchy = TREES[which]
    table = true_table(hierarchy, np.random.default_rng(seed).integers(0, 7, hierarchy.units[0]))
    ptable = designed(bound, variance, blocked)
    found = attack_noise(noisy(table, ptable, seed), ptable, min_count=3)
    judge = brute_force(hierarchy, 0, found.own)
    if judge != "large":
        assert same(found.bounds, judge)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([(1, 0.6, 0), (2, 0.9, 0), (2, 1.5, 1)]))
def test_propagation_holds_the_truth_and_brute_force_on_tree_and_categories(seed, demands):
    bound, variance, blocked = demands
    hierarchy = tree([0, 0, 0])
    table = true_table(hierarchy, np.random.default_rng(seed).integers(0, 5, (3, 2)))
    ptable = designed(bound, variance, blocked)
    safe = noisy(table, ptable, seed)
    found = attack_noise(safe, ptable, min_count=3)
    truth = Intervals(lo=table.counts, hi=table.counts)
    assert contains(found.bounds, truth)
    judge = brute_force(hierarchy, 2, found.own)
    if judge == "large":
        return
    assert contains(found.bounds, judge)
    # What is called exact or pinned is so in every table that the ptable itself allows.
    shares, first = noise_shares(ptable)
    tables = every_table(hierarchy, 2, found.own)
    fits = np.ones(len(tables[0]), bool)
    for values, told in zip(tables, safe.values, strict=True):
        drawn = told - values - first
        inside = (drawn >= 0) & (drawn < shares.shape[1])
        possible = shares[rows_of(ptable, values), np.clip(drawn, 0, shares.shape[1] - 1)] > 0
        fits &= (inside & possible).all(axis=(1, 2))
    assert fits.any()
    for level, values in enumerate(tables):
        left = values[fits]
        for mask in (found.exact[level], found.exact_zeros[level]):
            assert (left.min(axis=0)[mask] == left.max(axis=0)[mask]).all()
        pinned = found.pinned[level]
        assert (left.min(axis=0)[pinned] >= 1).all() and (left.max(axis=0)[pinned] < 3).all()


def test_parts_at_the_end_of_their_noise_are_exact():
    """D = 1: four areas shown 3, their town 16. Each is 4 at most, and all together 15 at least: one may be 3."""
    ptable = designed(1, 0.6)
    table = true_table(tree([0, 0, 0, 0]), [4, 4, 4, 4])
    safe = shown(table, [[[3], [3], [3], [3]], [[17]]], NOISE)
    found = attack_noise(safe, ptable, min_count=5)
    assert found.bounds.lo[0].ravel().tolist() == found.bounds.hi[0].ravel().tolist() == [4] * 4
    assert found.figures == {
        "exact cells": 5, "exact zeros": 0, "pinned small cells": 4, "cells narrowed by other cells": 5,
    }  # fmt: skip
    wider = shown(table, [[[3], [3], [3], [3]], [[16]]], NOISE)
    assert attack_noise(wider, ptable, min_count=5).figures["exact cells"] == 0


def test_zeros_that_sums_prove_are_counted_apart():
    ptable = designed(2, 0.9)
    table = true_table(tree([0, 0]), [0, 9])
    safe = shown(table, [[[0], [11]], [[7]]], NOISE)
    found = attack_noise(safe, ptable, min_count=5)
    assert (found.figures["exact cells"], found.figures["exact zeros"]) == (2, 1)


def test_what_was_known_before_is_not_laid_at_the_noise():
    ptable = designed(10, 6.25, blocked=4)
    table = true_table(tree([0, 0]), [7, 9])
    safe = shown(table, [[[7], [9]], [[16]]], NOISE)
    known = Intervals(
        lo=(np.array([[7], [0]]), np.array([[0]])), hi=(np.array([[7], [NO_BOUND]]), np.array([[NO_BOUND]]))
    )
    found = attack_noise(safe, ptable, min_count=5, known=known)
    assert interval(found.bounds) == (7, 7)
    assert found.figures["exact cells"] == 0


def test_figures_that_no_true_table_gives():
    ptable = designed(2, 0.9)
    table = true_table(tree([0, 0]), [3, 9])
    clash = attack_noise(shown(table, [[[3], [9]], [[30]]], NOISE), ptable, min_count=5)
    assert clash.clash is not None
    audit = audit_noise({"t": shown(table, [[[3], [9]], [[30]]], NOISE)}, ptable, min_count=3)
    assert [each.severity for each in audit.findings] == ["contradiction"]
    blocked = designed(5, 7.0, blocked=4)
    never = attack_noise(shown(table, [[[3], [9]], [[12]]], NOISE), blocked, min_count=5)
    assert never.clash is not None and never.clash.over == "tables"


@pytest.mark.parametrize(("bound", "variance"), [(1, 0.6), (2, 0.9)])
def test_ptables_that_leave_exact_cells_are_refused(bound, variance):
    rng = np.random.default_rng(1)
    towns = tree(np.repeat(np.arange(400), 2).tolist(), [0] * 400)
    table = true_table(towns, rng.poisson(1, (800, 3)))
    ptable = designed(bound, variance)
    safe = noisy(table, ptable, 5)
    found = attack_noise(safe, ptable, min_count=5)
    assert found.figures["exact cells"] + found.figures["exact zeros"] > 0
    with pytest.raises(Disclosure, match="the ptable is refused") as told:
        refuse_ptable({"t": safe}, ptable, min_count=5)
    kinds = {finding.kind for finding in told.value.findings}
    assert {"ptable", "exact"} <= kinds
    for finding in told.value.findings:
        assert finding.severity == "disclosure" and finding.interval is not None


def test_wide_noise_is_let_through_and_says_what_it_looked_at():
    rng = np.random.default_rng(1)
    towns = tree(np.repeat(np.arange(60), 4).tolist(), [0] * 60)
    table = true_table(towns, rng.poisson(3, (240, 3)))
    ptable = designed(10, 6.25, blocked=4)
    audit = refuse_ptable({"t": noisy(table, ptable, 5)}, ptable, min_count=5)
    assert audit.safe and audit.findings == ()
    assert audit.figures["t: noise, exact cells"] == audit.figures["t: noise, pinned small cells"] == 0
    assert any("ptable known" in each for each in audit.checked)
    assert any("averaging" in each for each in audit.not_checked)


# --- Belief -------------------------------------------------------------------------------------------


def test_posterior_of_a_figure_by_hand():
    """Row 1 keeps a half of its ones, row 2 shows a 1 one time in four: Bayes' rule over a Poisson of mean 1."""
    ptable = PTable(
        rows=np.array([0, 1, 1, 1, 2, 2, 2]),
        noise=np.array([0, -1, 0, 1, -1, 0, 1]),
        upper=np.array([1, 0.25, 0.75, 1, 0.25, 0.75, 1]),
    )
    counts, mass = noise_posterior(Prior(mean=1.0), ptable, np.array([1, 0]))
    one = dict(zip(counts[0].tolist(), mass[0].tolist(), strict=True))
    assert one == pytest.approx({2: (0.5 * 0.25) / 0.625, 1: (1 * 0.5) / 0.625, 0: 0})
    zero = dict(zip(counts[1].tolist(), mass[1].tolist(), strict=True))
    assert zero == pytest.approx({1: 0.25 / 1.25, 0: 1 / 1.25, -1: 0})


def test_the_fitted_prior_finds_the_counts_behind_the_noise():
    ptable = in_keys(designed(10, 6.25, blocked=4), 4096)
    rng = np.random.default_rng(2)
    counts = rng.negative_binomial(2, 2 / (2 + 6), 40_000)
    table = true_table(tree([0] * 40_000), counts)
    keys = (rng.integers(0, 4096, (40_000, 1)), np.zeros((1, 1), np.int64))
    safe, _ = perturb(table, ptable=ptable, keys=keys)
    belief = next(iter(noise_beliefs(safe, ptable, min_count=5)))
    assert belief.prior.mean == pytest.approx(counts.mean(), rel=0.03)
    assert belief.prior.size == pytest.approx(2, rel=0.2)
    # What is believed comes true as often as it says, for every figure that is common.
    values, true = safe.values[0].ravel(), counts
    for value, likeliest, certainty, cells in zip(
        belief.shown, belief.likeliest, belief.certainty, belief.cells, strict=True
    ):
        if cells > 1500:
            often = float((true[values == value] == likeliest).mean())
            assert abs(often - certainty) < 4 * 0.5 / np.sqrt(cells) + 0.01


def test_rare_counts_are_too_certain():
    """Where nine areas in ten are empty and the tenth holds one, a figure of 7 is a 1, whatever the noise allows."""
    ptable = designed(10, 6.25, blocked=4)
    counts = np.zeros(4000, np.int64)
    counts[:400] = 1
    safe = noisy(true_table(tree([0] * 4000), counts), ptable, 3)
    audit = certainty_audit("t", safe, ptable, min_count=5, max_certainty=0.9)
    assert audit.findings and all(each.kind == "too certain" for each in audit.findings)
    assert "it is 1 with probability" in audit.findings[0].witness
    assert certainty_audit("t", safe, ptable, min_count=5, max_certainty=1.0).findings == ()
    with pytest.raises(ValueError, match="max_certainty"):
        certainty_audit("t", safe, ptable, min_count=5, max_certainty=0)
    with pytest.raises(Disclosure):
        refuse_ptable({"t": safe}, ptable, min_count=5)


def test_common_counts_are_not():
    ptable = designed(10, 6.25, blocked=4)
    table = true_table(SIX, [[3, 40], [12, 8], [7, 5], [22, 1], [2, 19], [5, 5]])
    audit = certainty_audit("t", noisy(table, ptable, 3), ptable, min_count=5, max_certainty=0.9)
    assert audit.findings == ()
    assert 0 < audit.figures["t: noise, firmest belief above 0"]["probability"] < 0.9
