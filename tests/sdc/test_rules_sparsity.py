"""Sparsity, area by area, and the entropy risk of a table."""

from math import e, log, nan, sqrt

import numpy as np
import pytest
from attack_tools import tree, true_table
from hypothesis import given, settings
from hypothesis import strategies as st

from sdc.rules.sparsity import Sparsity, entropy_risk, sparsity_rows
from sdc.rules.zeros import Zeros, ZerosOf

# Mean cell 3, 1.5, 4, 1 and 0; ones among non-zero cells 1 in 4, 1 in 2, 0, 2 in 3 and none.
ROWS = [[1, 2, 3, 6], [1, 5, 0, 0], [0, 16, 0, 0], [1, 2, 1, 0], [0, 0, 0, 0]]
TABLE = true_table(tree([0] * 5), ROWS)
MEAN, ONES, POPULATED = (
    "the area has fewer than 2 people per category",
    "more than 50% of the area's cells that are not 0 are 1",
    "fewer than 2 of the area's categories hold anybody",
)


def test_each_limit_flags_its_areas_in_words():
    told = Sparsity().flags(TABLE)
    assert [told.reasons_of((0, unit, 0)) for unit in range(5)] == [
        (),
        (MEAN,),
        (POPULATED,),
        (MEAN, ONES),
        (MEAN, POPULATED),
    ]
    assert told.hit[1].tolist() == [[False] * 5]


def test_an_area_is_flagged_whole_but_for_its_total():
    told = Sparsity().flags(TABLE)
    assert told.hit[0].tolist() == [[False] * 5, *[[True] * 4 + [False]] * 4]


def test_structural_zeros_count_for_nothing():
    never = Zeros(of=(ZerosOf(where=(("benefit", "k3"),), are="structural"),))
    table = true_table(tree([0]), [[2, 2, 2, 0]])
    assert Sparsity().flags(table).reasons_of((0, 0, 0)) == (MEAN,)
    told = Sparsity(zeros=never).flags(table)
    assert told.number() == 0
    thin = Sparsity(zeros=never).flags(true_table(tree([0]), [[1, 2, 2, 0]]))
    assert thin.hit[0].tolist() == [[True, True, True, False, False]]


def test_tables_without_a_row_to_speak_of_are_not_sparse():
    assert Sparsity().flags(true_table(tree([0, 0]), [1, 0])).number() == 0
    assert Sparsity().flags(true_table(tree([0, 0]), [[1], [0]])).number() == 0


def test_rows_for_the_reviewer():
    lower, upper = sparsity_rows(TABLE, spec=Sparsity())
    assert (lower["level"], lower["areas"], lower["areas_flagged"]) == ("oa", 5, 4)
    assert lower["mean_cell"] == pytest.approx(38 / 20)
    assert lower["share_zero"] == pytest.approx(10 / 20)
    assert lower["share_one"] == pytest.approx(4 / 10)
    assert upper["entropy_risk"] == pytest.approx(by_formula([3, 25, 4, 6], (0.1, 0.8, 0.1)))


def test_rows_of_an_empty_table_leave_open_what_is_not_defined():
    rows = sparsity_rows(true_table(tree([0, 0]), [[0, 0], [0, 0]]), spec=Sparsity())
    assert [row["entropy_risk"] for row in rows] == [None, None]
    assert [row["share_one"] for row in rows] == [None, None]


def by_formula(cells, weights):
    """Handbook, section 5.9, term by term."""
    number, k = sum(cells), len(cells)
    if number == 0 or k == 1:
        return nan
    entropy = -sum(f / number * log(f / number) for f in cells if f)
    zeros = sum(f == 0 for f in cells)
    return (
        weights[0] * zeros / k
        + weights[1] * (1 - entropy / log(k))
        - weights[2] * (1 / sqrt(number)) * log(1 / (e * sqrt(number)))
    )


@settings(deadline=None, max_examples=50)
@given(
    st.integers(1, 5).flatmap(
        lambda k: st.lists(st.lists(st.integers(0, 9), min_size=k, max_size=k), min_size=1, max_size=4)
    ),
    st.tuples(*[st.floats(0, 1)] * 3),
)
def test_entropy_risk_is_its_formula(rows, weights):
    risk = entropy_risk(np.array(rows, np.int64), weights=weights)
    assert risk.tolist() == pytest.approx([by_formula(row, weights) for row in rows], nan_ok=True)


def test_entropy_risk_is_greatest_where_one_person_stands_alone():
    assert entropy_risk(np.array([[1, 0, 0, 0, 0, 0, 0, 0]]), weights=(0.1, 0.8, 0.1)).item() == pytest.approx(
        0.1 * 7 / 8 + 0.8 + 0.1
    )


def test_limits_outside_their_range_are_refused():
    for wrong in ({"least_mean": -1}, {"most_ones": 1.5}, {"fewest_populated": -1}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            Sparsity(**wrong)
    with pytest.raises(ValueError, match="weights"):
        entropy_risk(np.array([[1, 2]]), weights=(1, 2, -1))
