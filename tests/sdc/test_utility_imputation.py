"""What readers put in place of hidden cells, and how far cells were moved: vector V1, hand-worked margins, brute force."""

import numpy as np
import pytest
from attack_tools import CONTROLLED, EXACT, nearest, shown, tree, true_table
from hypothesis import given, settings
from hypothesis import strategies as st

from sdc.attack.intervals import NO_BOUND, Intervals, stated_intervals
from sdc.attack.propagation import propagate
from sdc.tables import STRUCTURAL, SUPPRESSED, SafeTable, Table
from sdc.utility.imputation import margin_shares, midpoints
from sdc.utility.ranks import rank_measures
from sdc.utility.rows import utility
from sdc.utility.sizes import change_sizes

TREE = tree([0, 0, 0, 1, 1, 2, 2, 2], [0, 0, 1], [0, 0])


def hide(table: Table, *cells: tuple[int, int, int]) -> SafeTable:
    """The table as it is but for hidden cells, each (level, unit, column)."""
    markers = [np.zeros(counts.shape, np.int8) for counts in table.counts]
    for level, unit, column in cells:
        markers[level][unit, column] = SUPPRESSED
    values = [np.where(m == 0, c, 0) for c, m in zip(table.counts, markers, strict=True)]
    return shown(table, values, EXACT, markers)


def bounds(safe: SafeTable) -> Intervals:
    return propagate(safe.hierarchy, stated_intervals(safe)).intervals


def find(rows, level, category):
    (row,) = (row for row in rows if (row["level"], row["category"]) == (level, category))
    return row


def four_hidden() -> tuple[Table, SafeTable]:
    """V1, the audit of the tau-ARGUS manual 2.15: a hidden 2 × 2 square, rows 7 and 3, columns 6 and 4."""
    table = true_table(tree([0, 0]), [[5, 2], [1, 2]])
    return table, hide(table, (0, 0, 0), (0, 0, 1), (0, 1, 0), (0, 1, 1))


def test_v1_middles_of_the_intervals():
    """X11 in [3, 6], X12 in [1, 4], X21 and X22 in [0, 3]."""
    _, safe = four_hidden()
    assert midpoints(safe, bounds(safe))[0].tolist() == [[4.5, 2.5, 7], [1.5, 1.5, 3]]


def test_v1_shares_of_the_margins():
    """Row total × column total / 10: independence, for nothing else is shown."""
    _, safe = four_hidden()
    assert margin_shares(safe)[0].tolist() == [[4.2, 2.8, 7], [1.8, 1.2, 3]]
    assert margin_shares(safe)[1].tolist() == [[6, 4, 10]]


def test_v1_errors_of_both_guesses():
    """|e|: middles 0.5 0.5 0.5 0.5, shares 0.8 0.8 0.8 0.8, over six cells of which two are shown."""
    table, safe = four_hidden()
    middle = find(utility(table, safe, guessed=midpoints(safe, bounds(safe))), "oa", "all cells")
    share = find(utility(table, safe, guessed=margin_shares(safe)), "oa", "all cells")
    assert (middle["hidden"], middle["sum_hidden"], middle["share_hidden"]) == (4, 10, pytest.approx(4 / 6))
    assert (middle["max_absolute_error"], middle["mean_absolute_error"]) == (0.5, pytest.approx(2 / 6))
    assert share["max_absolute_error"] == pytest.approx(0.8)
    assert share["mean_absolute_error"] == pytest.approx(3.2 / 6)
    # Shares add up to the margins; middles need not: 4.5 + 1.5 = 6, 2.5 + 1.5 = 4, and 1.5 + 1.5 = 3.
    assert share["category_gap_max"] == middle["category_gap_max"] == 0


def test_a_hidden_total_is_shared_by_smallest_areas_within():
    """10 less the shown 4 is left to two areas, one of two smallest areas and one of one."""
    table = true_table(tree([0, 0, 1, 2], [0, 0, 0]), [2, 1, 4, 3])
    safe = hide(table, (1, 0, 0), (1, 2, 0), (0, 0, 0), (0, 1, 0), (0, 3, 0))
    oa, lsoa, msoa = margin_shares(safe)
    assert lsoa.tolist() == [[4], [4], [2]] and msoa.tolist() == [[10]]
    assert oa.tolist() == [[2], [2], [4], [2]], "from the guess above, evenly between the two of one area"


def test_what_no_margin_bounds_is_not_guessed():
    table = true_table(tree([0, 0]), [3, 2])
    safe = hide(table, (1, 0, 0), (0, 0, 0))
    assert np.isnan(margin_shares(safe)[1]).all() and np.isnan(margin_shares(safe)[0][0]).all()
    filled = midpoints(safe, stated_intervals(safe))
    assert np.isnan(filled[0][0]).all() and filled[0][1].tolist() == [2]
    row = find(utility(table, safe, guessed=filled), "oa", "Total")
    assert (row["hidden"], row["max_absolute_error"]) == (1, 0), "errors are of the cells that have a value"


def test_categories_without_anything_above_are_shared_evenly():
    table = true_table(tree([0, 0]), [[0, 0, 3], [4, 0, 2]])
    safe = hide(table, (1, 0, 0), (1, 0, 1))
    assert margin_shares(safe)[1].tolist() == [[2, 2, 5, 9]]


def test_a_structural_zero_is_no_hidden_cell():
    table = true_table(tree([0, 0]), [[0, 6], [3, 7]])
    markers = [np.zeros(counts.shape, np.int8) for counts in table.counts]
    markers[0][0, 0] = STRUCTURAL
    safe = shown(table, table.counts, EXACT, markers)
    for filled in (margin_shares(safe), midpoints(safe, bounds(safe))):
        assert all(np.array_equal(a, b) for a, b in zip(filled, table.counts, strict=True))


FINEST = st.lists(st.tuples(*[st.integers(0, 9)] * 3), min_size=8, max_size=8)
MASK = st.lists(st.booleans(), min_size=14 * 4, max_size=14 * 4)


def masked(table: Table, mask: list[bool]) -> SafeTable:
    """Hidden where the mask says so; the total of the whole is always shown."""
    cells = [cell for cell, hidden in zip(shown(table, table.counts, EXACT).cells(), mask, strict=True) if hidden]
    return hide(table, *(cell for cell in cells if cell[:2] != (3, 0)))


@settings(deadline=None, max_examples=60)
@given(FINEST, MASK)
def test_guesses_keep_what_is_shown_and_what_can_be_proven(finest, mask):
    table = true_table(TREE, finest)
    safe = masked(table, mask)
    intervals = bounds(safe)
    for filled in (margin_shares(safe), midpoints(safe, intervals)):
        for level, (guess, counts) in enumerate(zip(filled, table.counts, strict=True)):
            seen = safe.markers[level] == 0
            assert np.array_equal(guess[seen], counts[seen])
            assert not np.isnan(guess).any() and (guess >= 0).all()
    for level, guess in enumerate(midpoints(safe, intervals)):
        assert (guess >= intervals.lo[level]).all() and (guess <= intervals.hi[level]).all()
        assert (intervals.hi[level] < NO_BOUND).all()


@settings(deadline=None, max_examples=60)
@given(FINEST, MASK)
def test_shares_of_one_area_add_up_to_what_its_total_leaves(finest, mask):
    """Where the total is shown and a category is hidden, the categories so filled add up to the total."""
    table = true_table(TREE, finest)
    safe = masked(table, mask)
    for guess, markers in zip(margin_shares(safe), safe.markers, strict=True):
        rows = (markers[:, -1] == 0) & (markers[:, :-1] != 0).any(axis=1)
        assert guess[rows, :-1].sum(axis=1) == pytest.approx(guess[rows, -1], abs=1e-5)


@settings(deadline=None, max_examples=30)
@given(FINEST)
def test_a_table_that_shows_everything_measures_the_same_either_way(finest):
    table = true_table(TREE, finest)
    safe = nearest(table)
    for row, plain in zip(utility(table, safe, guessed=margin_shares(safe)), utility(table, safe), strict=True):
        assert row == pytest.approx(plain)


def test_guesses_that_are_alike_are_ranked_alike():
    found = rank_measures(np.array([1, 2, 3]), np.array([0.5, 0.5, 2.5]))
    assert found["rank_correlation"] == pytest.approx(np.sqrt(3) / 2)


def test_sizes_of_changes_add_up_to_all_cells():
    """Changes 0, 2, 3, 5 and 12 in five areas, one hidden; the whole is off by 22."""
    table = true_table(tree([0] * 6), [4, 4, 4, 4, 4, 4])
    values = [[[4], [6], [1], [9], [16], [0]], [[46]]]
    markers = [np.array([[0]] * 5 + [[SUPPRESSED]], np.int8), np.zeros((1, 1), np.int8)]
    oa, lsoa = change_sizes(table, shown(table, values, CONTROLLED, markers))
    assert oa == {
        "level": "oa",
        "cells": 6,
        "unchanged": 1,
        "1 to 2": 1,
        "3 to 4": 1,
        "5 to 9": 1,
        "10 or more": 1,
        "hidden": 1,
    }
    assert lsoa["10 or more"] == 1 and sum(v for k, v in lsoa.items() if k not in ("level", "cells")) == 1


def test_noise_that_does_not_add_up_leaves_a_gap_at_every_sum():
    """Categories 5 + 4 beside a total of 8; children 8 + 3 beside 12: gaps of 1."""
    table = true_table(tree([0, 0]), [[4, 4], [1, 2]])
    safe = shown(table, [[[5, 4, 8], [0, 2, 3]], [[5, 6, 12]]], EXACT)
    rows = utility(table, safe)
    assert find(rows, "oa", "Total")["category_gap_max"] == 1
    assert find(rows, "oa", "Total")["category_gap_mean"] == 1
    assert find(rows, "lsoa", "Total")["area_gap_max"] == 1
    assert find(rows, "lsoa", "all cells")["area_gap_mean"] == pytest.approx(1 / 3)


def test_intervals_of_another_table_are_refused():
    _, safe = four_hidden()
    other = stated_intervals(nearest(true_table(tree([0, 0, 0]), [1, 2, 3])))
    with pytest.raises(ValueError, match="intervals must be those"):
        midpoints(safe, other)
