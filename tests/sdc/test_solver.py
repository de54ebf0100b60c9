"""The door to the solver: changing costs, bounds and rows; whole numbers; what it says when there is nothing."""

import numpy as np
import pytest

from sdc.solver import INFEASIBLE, OPTIMAL, STOPPED, UNBOUNDED, Programme, Rows, solve_mip


def rows(*each):
    """Rows (columns, entries, lower, upper)."""
    made = Rows()
    for columns, entries, lower, upper in each:
        made.add(np.array(columns), np.array(entries, float), lower, upper)
    return made


def programme(costs, *each, upper=np.inf, **options):
    costs = np.array(costs, float)
    zeros = np.zeros(len(costs))
    return Programme(costs, lower=zeros, upper=np.full(len(costs), upper), rows=rows(*each), **options)


def test_costs_bounds_and_rows_change():
    """x + y = 3: cheapest by x, then by y; a bound; another row; each time with the duals of the rows."""
    model = programme([1, 0], ([0, 1], [1, 1], 3, 3))
    found = model.solve()
    assert (found.status, found.values.tolist(), found.objective, found.bound) == (OPTIMAL, [0, 3], 0, 0)
    model.set_costs(np.array([0, 1]), np.array([0.0, 2.0]))
    found = model.solve()
    assert found.values.tolist() == [3, 0] and found.optimal
    model.set_bounds(np.array([0]), np.array([0.0]), np.array([1.0]))
    found = model.solve()
    assert (found.values.tolist(), found.objective, found.duals.tolist()) == ([1, 2], 4, [2])
    assert found.reduced.tolist() == [-2, 0]
    model.add_rows(rows(([1], [1], 2.5, np.inf)))
    assert model.solve().values.tolist() == [0.5, 2.5]
    assert model.solves == 4


def test_whole_numbers():
    """Three items of weight 2 into 3: a half is taken of one until they must be whole."""
    model = programme([-1, -1, -1], ([0, 1, 2], [2, 2, 2], -np.inf, 3), upper=1)
    assert model.solve().objective == pytest.approx(-1.5)
    model.set_integer(np.ones(3, np.bool_))
    found = model.solve()
    assert (found.objective, found.bound) == (-1, -1)
    assert sorted(found.values.round(9).tolist()) == [0, 0, 1]
    model.set_integer(np.zeros(3, np.bool_))
    assert model.solve().objective == pytest.approx(-1.5)


def test_rows_in_compressed_form():
    made = Rows()
    made.add_many(
        np.array([0, 2, 3]), np.array([0, 1, 1]), np.array([1.0, 1.0, 1.0]), np.array([1.0, 2.0]), np.array([9.0, 2.0])
    )
    assert len(made) == 2
    found = Programme(np.ones(2), lower=np.zeros(2), upper=np.full(2, 5.0), rows=made).solve()
    assert found.values.tolist() == [0, 2]


def test_infeasible_unbounded_and_empty():
    """No point, with multipliers that prove it: x + y = 3 and x + y = 4.  No least cost.  No rows at all."""
    model = programme([0, 0], ([0, 1], [1, 1], 3, 3), ([0, 1], [1, 1], 4, 4))
    found = model.solve()
    assert found.status == INFEASIBLE and found.values is None and found.objective == np.inf
    ray = model.clash()
    assert ray[0] == -ray[1] != 0
    assert programme([-1, 0], ([1], [1], 0, 3)).solve().status == UNBOUNDED
    assert programme([1, 1]).solve().values.tolist() == [0, 0]
    assert programme([0], ([0], [1], 0, 3)).clash().tolist() == [0]


def test_a_search_may_be_stopped_by_its_branches():
    """A knapsack that needs a tree: with no branches nothing is proven; the bound holds all the same."""
    rng = np.random.default_rng(3)
    weights, values = rng.integers(20, 99, (5, 30)).astype(float), rng.integers(20, 99, 30).astype(float)
    limits = [(np.arange(30), each, -np.inf, each.sum() / 2) for each in weights]
    whole = np.ones(30, np.bool_)
    best = programme(-values, *limits, upper=1, integer=whole).solve()
    stopped = programme(-values, *limits, upper=1, integer=whole, branches=1).solve()
    assert best.status == OPTIMAL
    assert stopped.status == STOPPED
    assert stopped.bound <= best.objective <= stopped.objective


def test_a_start_is_taken():
    model = programme([-1, -2], ([0, 1], [1, 1], -np.inf, 1), upper=1, integer=np.ones(2, np.bool_))
    model.start_from(np.array([1.0, 0.0]))
    assert model.solve().values.tolist() == [0, 1]


def test_solve_mip_as_rounding_asks_it():
    """Least-cost x with 0 <= x <= upper; None where there is none."""
    row = rows(([0, 1, 2], [1, 1, 1], 2, 2))
    whole = np.array([True, True, False])
    found = solve_mip(np.array([1.0, 3.0, 2.0]), integer=whole, upper=np.ones(3), rows=row, branches=100)
    assert found.tolist() == [1, 0, 1]
    nothing = rows(([0, 1, 2], [1, 1, 1], 4, 4))
    assert solve_mip(np.ones(3), integer=whole, upper=np.ones(3), rows=nothing, branches=100) is None
