"""Controlled rounding at minimum distance: textbook optima, brute force, cuts, and how it is run backwards."""

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
from attack_tools import CONTROLLED, shown, tree, true_table
from hypothesis import given, settings
from hypothesis import strategies as st
from rounding_tools import EXPSD, HANDBOOK, error, every_rounding, secret, small_tables

from common.faults import Infeasible
from common.keys import sip_key
from sdc.attack.intervals import stated_intervals
from sdc.attack.judge import audit_tables
from sdc.figures import figures_of
from sdc.rounding.controlled import ControlledRounding, round_controlled
from sdc.rounding.nearest import MinimumDistance, nearest_values, protect_nearest, raising_costs
from sdc.tables import SafeTable, Table

EXAMPLES = Path(__file__).resolve().parents[3] / "shared" / "data" / "worked-examples"


def plainly_nearest(table: Table, base: int = 5, key: int = 0, cuts=(), weights=None) -> SafeTable:
    """Minimum distance without any chance but in ties: the textbook's method, which is not offered."""
    weights = weights or (1.0,) * len(table.counts)
    spec = MinimumDistance(base=base, min_count=base)
    figures = figures_of(table, secret(key)).hashes
    costs, _ = raising_costs(table, figures, sip_key(secret(key), "test"), spec, weights, share=0.0)
    return shown(table, nearest_values(table, costs, base, cuts)[0], CONTROLLED)


@pytest.mark.parametrize(("cells", "optimum", "optima"), [(EXPSD, 32, 1), (HANDBOOK, 18, 2)], ids=["exPSD", "handbook"])
def test_v13_least_distances(cells: list[list[int]], optimum: int, optima: int) -> None:
    """The Handbook's own additive solution is feasible with 22; the optimum is 18, of which there are two."""
    true = true_table(tree([0] * len(cells)), cells)
    seen = set()
    for key in range(30):
        safe = plainly_nearest(true, key=key)
        assert np.abs(error(true, safe.values)).sum() == optimum
        seen.add(tuple(safe.values[0].ravel().tolist()))
    assert len(seen) == optima  # the key breaks ties


@pytest.mark.real_areas
def test_worked_example_rounding_base_5_handbook() -> None:
    told = json.loads((EXAMPLES / "rounding-base-5-handbook.json").read_text())
    true = true_table(tree([0, 0, 0]), [row[1:3] for row in told["original"][:3]])
    derived = told["derived_by_enumeration"]
    assert len(every_rounding(true, 5)) == derived["zero_restricted_solutions"]
    seen = {tuple(plainly_nearest(true, key=key).values[0][:, :2].ravel().tolist()) for key in range(60)}
    assert sorted(map(list, seen)) == sorted(derived["optimal_inner_cells_Am_Af_Bm_Bf_Cm_Cf"])


@given(table=small_tables(), base=st.sampled_from([2, 3, 5]), seed=st.integers(0, 2**32), light=st.booleans())
@settings(max_examples=120, deadline=None)
def test_the_optimum_equals_brute_force(table: Table, base: int, seed: int, light: bool) -> None:
    """For any costs, whole table and every way of cutting it: the same published cost as trying everything, or near it."""
    rng = np.random.default_rng(seed)
    costs = tuple(rng.integers(-50 if light else -5000, 5000, counts.shape) for counts in table.counts)

    def cost(values) -> int:
        raised = zip(values, table.counts, costs, strict=True)
        return sum(int((c * (v > x)).sum()) for v, x, c in raised)

    best = min(cost(values) for values in every_rounding(table, base))
    values, path = nearest_values(table, costs, base, ())
    assert cost(values) == best and path.blocks >= 1 and path.joined == 0
    for cut in range(1, len(table.counts)):
        pieces, _ = nearest_values(table, costs, base, (cut,))
        assert cost(pieces) >= best
        assert any(all(map(np.array_equal, pieces, each)) for each in every_rounding(table, base))


def test_v14_top_down_trap() -> None:
    """Base 2: a parent rounded to (2, 2, 0, 0) has children that cannot follow; they are then solved with it."""
    true = true_table(tree([0, 1], [0, 0]), [[1, 1, 0, 0], [0, 0, 1, 1]])
    costs = [np.zeros_like(counts) for counts in true.counts]
    costs[1][:] = costs[2][:] = [[-9, -9, 9, 9, 0]][0]
    costs[1][1] = [0, 0, 0, 0, 0]
    for cuts in ((), (1,), (2,)):
        values, path = nearest_values(true, costs, 2, cuts)
        assert values[2][0, :2].sum() == 2 and values[2][0, 2:4].sum() == 2 and values[2][0, 4] == 4
        assert path.joined == (1 if cuts == (2,) else 0)
    assert path.blocks == 3  # the parent alone, its children in vain, all together


def test_weights_move_the_error_to_the_levels_that_weigh_less() -> None:
    rng = np.random.default_rng(3)
    true = true_table(tree(np.arange(60) // 6, [0] * 10), rng.poisson(4, (60, 4)))
    even = plainly_nearest(true).values
    small = plainly_nearest(true, weights=(20.0, 1.0, 1.0)).values
    assert np.abs(small[0] - true.counts[0]).sum() < np.abs(even[0] - true.counts[0]).sum()
    assert np.abs(small[1] - true.counts[1]).sum() > np.abs(even[1] - true.counts[1]).sum()


def test_it_is_nearer_than_unbiased_rounding_and_a_smaller_share_is_nearer() -> None:
    rng = np.random.default_rng(5)
    true = true_table(tree(np.arange(200) // 5, np.arange(40) // 8, [0] * 5), rng.poisson(5, (200, 6)))
    loss = [protect_nearest(true, spec=MinimumDistance(share=s), key=secret(1))[1].loss for s in (0.1, 0.25, 1.0)]
    unbiased = round_controlled({"t": true}, spec=ControlledRounding(), key=secret(1))[0]["t"]
    least = np.abs(error(true, plainly_nearest(true).values)).sum()
    assert least < loss[0] < loss[1] < loss[2] < np.abs(error(true, unbiased.values)).sum()


def test_a_cut_costs_little() -> None:
    rng = np.random.default_rng(6)
    true = true_table(tree(np.arange(400) // 5, np.arange(80) // 8, [0] * 10), rng.poisson(4, (400, 5)))
    whole = np.abs(error(true, plainly_nearest(true).values)).sum()
    assert whole <= np.abs(error(true, plainly_nearest(true, cuts=(2,)).values)).sum() < 1.02 * whole
    many = protect_nearest(true, spec=MinimumDistance(joint_cells=1000), key=secret(1))
    one = protect_nearest(true, spec=MinimumDistance(), key=secret(1))
    assert one[1].blocks == 1 and many[1].blocks > 1


def test_a_share_of_0_is_refused_with_the_reason() -> None:
    with pytest.raises(Infeasible, match="can be run backwards") as refused:
        MinimumDistance(share=0)
    assert refused.value.demands == ("share = 0", "min_count = 5")
    with pytest.raises(ValueError, match="share"):
        MinimumDistance(share=1.5)
    with pytest.raises(ValueError, match="1000 times"):
        MinimumDistance(weights=(1.0, 1e-4))
    with pytest.raises(ValueError, match="one for each of 2 levels"):
        protect_nearest(true_table(tree([0]), [[1]]), spec=MinimumDistance(weights=(1.0,)), key=secret(0))


@pytest.mark.parametrize("share", [0.25, 1.0])
def test_every_rounding_of_a_table_may_be_published(share: float) -> None:
    """What the proof says: whatever r is within the base of x and adds up has a positive chance."""
    true = true_table(tree([0, 0]), [[1, 1], [1, 1]])
    every = {tuple(map(tuple, v[0].tolist())) for v in every_rounding(true, 3)}
    spec = MinimumDistance(base=3, min_count=3, share=share)
    seen = {
        tuple(map(tuple, protect_nearest(true, spec=spec, key=secret(k))[0].values[0].tolist())) for k in range(600)
    }
    assert seen == every and len(every) > 2


def test_the_attack_finds_nothing() -> None:
    rng = np.random.default_rng(8)
    true = true_table(tree(np.arange(30) // 5, [0] * 6), rng.poisson(2, (30, 4)))
    safe, _ = protect_nearest(true, spec=MinimumDistance(), key=secret(2))
    assert audit_tables({"claims": safe}, min_count=5, truth={"claims": true}).safe


def test_v16_additive_solution_of_v13_gives_the_stand_alone_intervals() -> None:
    true = true_table(tree([0, 0, 0]), HANDBOOK)
    printed = shown(true, [[[5, 0, 5], [0, 5, 5], [10, 20, 30]], [[15, 25, 40]]], CONTROLLED)
    bounds = stated_intervals(printed)
    inner = np.stack([bounds.lo[0][:, :2], bounds.hi[0][:, :2]], axis=2).reshape(-1, 2).tolist()
    assert inner == [[1, 9], [0, 4], [0, 4], [1, 9], [6, 14], [16, 24]]
    assert audit_tables({"t": printed}, min_count=5).safe


def test_the_order_of_rows_does_not_matter() -> None:
    """Areas are held by code: a table read in another order is the same table."""
    rng = np.random.default_rng(9)
    finest = rng.poisson(3, (12, 3))
    true = true_table(tree(np.arange(12) // 4), finest)
    for order in itertools.islice(itertools.permutations(range(12)), 3):
        back = np.argsort(order)
        again = true_table(tree(np.arange(12) // 4), finest[list(order)][back])
        one, two = (protect_nearest(t, spec=MinimumDistance(), key=secret(4))[0] for t in (true, again))
        assert all(map(np.array_equal, one.values, two.values))
