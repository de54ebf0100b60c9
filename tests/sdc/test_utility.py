"""Measured utility: vector V12, scipy, and plain counting."""

from math import ceil, isclose, sqrt

import numpy as np
import pytest
from attack_tools import CONTROLLED, EXACT, flat, nearest, shown, tree, true_table
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import rankdata, spearmanr
from scipy.stats.contingency import association

from sdc.rounding.controlled import ControlledRounding, round_controlled
from sdc.tables import STRUCTURAL, SUPPRESSED, Classification, Table
from sdc.utility.association import cramers_v
from sdc.utility.cells import cell_measures
from sdc.utility.ranks import mean_ranks, rank_measures
from sdc.utility.rows import utility

TREE = tree([0, 0, 0, 1, 1, 2, 2, 2], [0, 0, 1], [0, 0])
TABLES = st.lists(
    st.tuples(*[st.integers(0, 9) | st.integers(0, 60)] * 3),
    min_size=TREE.units[0],
    max_size=TREE.units[0],
).map(lambda finest: true_table(TREE, finest))


def column(values):
    return np.array(values, np.int64)[:, None]


def measured(true, safe):
    found = cell_measures(column(true), column(safe), np.ones((len(true), 1), bool))
    return {key: float(value[0]) for key, value in found.items()}


def find(rows, level, category):
    (row,) = (row for row in rows if (row["level"], row["category"]) == (level, category))
    return row


def test_vector_v12():
    """exPSD of SmallCountRounding rounded to base 5: metrics over its 24 cells (methods, section 7)."""
    true = true_table(tree([0, 0, 0]), [[6, 0, 1, 3, 4], [1, 2, 3, 1, 2], [0, 1, 1, 0, 2]])
    rounded = true_table(tree([0, 0, 0]), [[6, 0, 0, 5, 5], [0, 0, 5, 0, 0], [0, 0, 0, 0, 5]])
    assert rounded.counts[0][:, -1].tolist() == [16, 5, 5]
    assert rounded.counts[1].tolist() == [[6, 0, 5, 5, 10, 26]]
    row = find(utility(true, shown(true, rounded.counts, CONTROLLED)), "all levels", "all cells")
    assert row["cells"] == 24
    assert row["max_absolute_error"] == 4
    assert row["mean_absolute_error"] == pytest.approx(1.33333, abs=5e-6)
    assert row["root_mean_square_error"] == pytest.approx(1.68325, abs=5e-6)
    assert row["hellinger_distance"] == pytest.approx(2.66087, abs=5e-6)
    assert row["hellinger_utility"] == pytest.approx(0.743958, abs=5e-7)
    assert row["area_gap_max"] == row["category_gap_max"] == 0


def test_measures_of_six_cells_by_hand():
    true, safe = [1, 2, 3, 4, 5, 6], [0, 3, 3, 3, 6, 6]
    row = measured(true, safe)
    assert row["max_absolute_error"] == 1
    assert row["mean_absolute_error"] == pytest.approx(4 / 6)
    assert row["root_mean_square_error"] == pytest.approx(sqrt(4 / 6))
    assert row["bias"] == 0
    assert row["relative_absolute_deviation"] == pytest.approx(4 / 21)
    distance = sqrt(sum((sqrt(r) - sqrt(x)) ** 2 for x, r in zip(true, safe, strict=True)) / 2)
    assert row["hellinger_distance"] == pytest.approx(distance)
    assert row["hellinger_utility"] == pytest.approx(1 - distance / sqrt(21))


def test_bias_has_the_sign_of_published_less_true():
    assert measured([1, 1], [0, 0])["bias"] == -1
    assert measured([4, 4], [5, 5])["bias"] == 1


def test_a_negative_figure_counts_as_none_in_hellinger_distance():
    assert measured([4], [-9])["hellinger_distance"] == pytest.approx(2 / sqrt(2))
    assert measured([4], [-9])["max_absolute_error"] == 13


def test_large_errors_do_not_overflow():
    row = measured([0] * 4, [3_000_000_000] * 4)
    assert row["root_mean_square_error"] == pytest.approx(3e9)


def by_hand(true, safe):
    """Errors of two lists of cells, one cell at a time."""
    errors = [r - x for x, r in zip(true, safe, strict=True)]
    n, total = len(errors), sum(true)
    distance = sqrt(sum((sqrt(r) - sqrt(x)) ** 2 for x, r in zip(true, safe, strict=True)) / 2)
    return {
        "cells": n,
        "hidden": 0,
        "share_hidden": 0.0,
        "sum_hidden": 0,
        "max_absolute_error": max(map(abs, errors)),
        "mean_absolute_error": sum(map(abs, errors)) / n,
        "root_mean_square_error": sqrt(sum(e * e for e in errors) / n),
        "bias": sum(errors) / n,
        "relative_absolute_deviation": sum(map(abs, errors)) / total if total else None,
        "hellinger_distance": distance,
        "hellinger_utility": 1 - distance / sqrt(total) if total else None,
    }


def alike(found, expected):
    return found == expected or (None not in (found, expected) and isclose(found, expected, abs_tol=1e-9))


@settings(deadline=None, max_examples=40)
@given(TABLES)
def test_rows_of_levels_and_columns_by_counting(table):
    safe = nearest(table)
    rows = utility(table, safe)
    assert len({tuple(row) for row in rows}) == 1
    for level, name in enumerate(table.hierarchy.levels):
        counts, values = table.counts[level], safe.values[level]
        for index, category in enumerate(["k0", "k1", "k2", "Total"]):
            row = find(rows, name, category)
            for key, value in by_hand(counts[:, index].tolist(), values[:, index].tolist()).items():
                assert alike(row[key], value), key
        row = find(rows, name, "all cells")
        for key, value in by_hand(counts.ravel().tolist(), values.ravel().tolist()).items():
            assert alike(row[key], value), key


@settings(deadline=None, max_examples=40)
@given(TABLES)
def test_gaps_by_counting(table):
    safe = nearest(table)
    rows = utility(table, safe)
    everywhere = []
    for level, name in enumerate(table.hierarchy.levels):
        values = safe.values[level]
        across = [abs(int(row[:-1].sum() - row[-1])) for row in values]
        total = find(rows, name, "Total")
        assert (total["category_gap_max"], total["category_gap_mean"]) == (max(across), pytest.approx(np.mean(across)))
        assert find(rows, name, "k0")["category_gap_max"] is None
        if level == 0:
            assert total["area_gap_max"] is total["area_gap_mean"] is None
            continue
        parents = table.hierarchy.parents[level - 1]
        gaps = np.array(
            [
                np.abs(safe.values[level - 1][parents == unit].sum(axis=0) - values[unit])
                for unit in range(table.hierarchy.units[level])
            ]
        )
        everywhere.append(gaps.ravel())
        for index, category in enumerate(["k0", "k1", "k2", "Total"]):
            row = find(rows, name, category)
            assert row["area_gap_max"] == gaps[:, index].max()
            assert row["area_gap_mean"] == pytest.approx(gaps[:, index].mean())
    assert find(rows, "all levels", "all cells")["area_gap_mean"] == pytest.approx(np.concatenate(everywhere).mean())


def test_parts_shown_as_nothing_leave_a_gap_of_five():
    """Two children of 2 each are shown 0, their parent 4 is shown 5."""
    table = true_table(tree([0, 0]), [2, 2])
    row = find(utility(table, nearest(table)), "lsoa", "Total")
    assert row["area_gap_max"] == 5 and row["area_gap_mean"] == 5.0


def test_controlled_rounding_has_no_gaps():
    table = true_table(TREE, [[1, 2, 3], [0, 4, 1], [7, 1, 1], [2, 2, 2], [3, 0, 9], [1, 1, 1], [6, 3, 2], [0, 0, 1]])
    safe, _ = round_controlled({"t": table}, spec=ControlledRounding(base=5, min_count=5), key=bytes(32))
    for row in utility(table, safe["t"]):
        assert row["area_gap_max"] in (0, None) and row["category_gap_max"] in (0, None)
        assert row["max_absolute_error"] < 5


VALUES = st.lists(st.integers(0, 6) | st.integers(0, 10**6), min_size=2, max_size=60)


@settings(deadline=None, max_examples=80)
@given(VALUES)
def test_mean_ranks_are_those_of_scipy(values):
    assert mean_ranks(np.array(values)).tolist() == rankdata(values).tolist()


def pairs_of_areas(largest):
    one = st.tuples(st.integers(0, largest), st.integers(0, 8))
    return st.integers(2, 40).flatmap(lambda size: st.lists(one, min_size=size, max_size=size))


@settings(deadline=None, max_examples=120)
@given(pairs_of_areas(40) | pairs_of_areas(1000))
def test_measures_of_order_by_counting(pairs):
    true = [x for x, _ in pairs]
    safe = [5 * r for _, r in pairs]
    found = rank_measures(np.array(true), np.array(safe))
    if len(set(true)) > 1 and len(set(safe)) > 1:
        assert found["rank_correlation"] == pytest.approx(spearmanr(true, safe).statistic)
    else:
        assert np.isnan(found["rank_correlation"])
    if len(pairs) < 10:
        assert np.isnan(found["hotspots_kept"]) and np.isnan(found["share_changing_decile"])
        return

    def hotspots(values):
        least = sorted(values, reverse=True)[ceil(len(values) / 10) - 1]
        return {area for area, value in enumerate(values) if value >= least and value > 0}

    def deciles(values):
        return [int((2 * rank - 1) * 5) // len(values) for rank in rankdata(values)]

    either = hotspots(true) | hotspots(safe)
    if either:
        assert found["hotspots_kept"] == len(hotspots(true) & hotspots(safe)) / len(either)
    else:
        assert np.isnan(found["hotspots_kept"])
    moved = sum(a != b for a, b in zip(deciles(true), deciles(safe), strict=True))
    assert found["share_changing_decile"] == moved / len(pairs)


def test_hotspots_and_deciles_of_twenty_areas():
    """The two largest of 20 are 19 and 20; swapping 18 with 20 loses one hotspot and moves areas 18 and 20 a decile."""
    true = np.arange(1, 21)
    safe = true.copy()
    safe[[17, 19]] = safe[[19, 17]]
    found = rank_measures(true, safe)
    assert found["hotspots_kept"] == pytest.approx(1 / 3)
    assert found["share_changing_decile"] == pytest.approx(2 / 20)
    assert rank_measures(true, true) == {"rank_correlation": 1, "hotspots_kept": 1, "share_changing_decile": 0}


def test_the_top_tenth_is_rounded_up():
    """Of 11 areas the two largest are hotspots: true 10 and 11, published 9 and 11."""
    true = np.arange(1, 12)
    safe = np.array([1, 2, 3, 4, 5, 6, 7, 8, 10, 9, 11])
    assert rank_measures(true, safe)["hotspots_kept"] == pytest.approx(1 / 3)


def test_areas_without_any_are_no_hotspots():
    true, safe = np.zeros(10, np.int64), np.zeros(10, np.int64)
    assert np.isnan(rank_measures(true, safe)["hotspots_kept"])
    safe[0] = 5
    assert rank_measures(true, safe)["hotspots_kept"] == 0


def test_areas_of_equal_count_are_hotspots_together():
    found = rank_measures(np.array([9, 9, 9] + [1] * 17), np.array([10, 10, 10] + [0] * 17))
    assert found["hotspots_kept"] == 1.0


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(0, 9)), min_size=2, max_size=8))
def test_cramers_v_is_that_of_scipy(cells):
    cells = np.array(cells)
    kept = cells[cells.any(axis=1)][:, cells.any(axis=0)]
    if min(kept.shape) < 2:
        assert np.isnan(cramers_v(cells))
    else:
        assert cramers_v(cells) == pytest.approx(association(kept, method="cramer"), abs=1e-7)


def test_association_of_areas_with_categories():
    """True: each area all of one benefit, V = 1.  Published: both alike, V = 0."""
    table = true_table(tree([0, 0]), [[5, 0], [0, 5]])
    row = find(utility(table, shown(table, [[[5, 5, 10]] * 2, [[10, 10, 20]]], CONTROLLED)), "oa", "all cells")
    assert row["cramers_v"] == 0 and row["cramers_v_change"] == -1


def test_variance_between_areas_is_that_of_shares():
    """Shares of k0: true 1/4 and 3/4, published 0 and 1: the variance is four times as large.  Totals are counts."""
    table = true_table(tree([0, 0]), [[1, 3], [6, 2]])
    safe = shown(table, [[[0, 5, 5], [10, 0, 10]], [[10, 5, 15]]], CONTROLLED)
    rows = utility(table, safe)
    assert find(rows, "oa", "k0")["between_area_variance_ratio"] == pytest.approx(4)
    assert find(rows, "oa", "Total")["between_area_variance_ratio"] == pytest.approx((5 / 4) ** 2)
    assert find(rows, "lsoa", "k0")["between_area_variance_ratio"] is None


def test_areas_of_which_no_share_can_be_taken_are_left_out():
    """The third area has no true count, the fourth is shown 0: neither has a share in both."""
    table = true_table(tree([0, 0, 0, 0]), [[1, 3], [6, 2], [0, 0], [1, 1]])
    safe = shown(table, [[[0, 5, 5], [10, 0, 10], [5, 0, 5], [0, 0, 0]], [[15, 5, 20]]], CONTROLLED)
    assert find(utility(table, safe), "oa", "k0")["between_area_variance_ratio"] == pytest.approx(4)


def test_hidden_cells_are_counted_and_otherwise_left_out():
    table = true_table(tree([0, 0, 0]), [[1, 6], [3, 7], [9, 9]])
    markers = [np.zeros(counts.shape, np.int8) for counts in table.counts]
    markers[0][:2, 0] = SUPPRESSED
    values = [np.where(m == 0, c, 0) for c, m in zip(table.counts, markers, strict=True)]
    rows = utility(table, shown(table, values, EXACT, markers))
    row = find(rows, "oa", "k0")
    assert (row["cells"], row["hidden"], row["sum_hidden"]) == (3, 2, 4)
    assert row["share_hidden"] == pytest.approx(2 / 3)
    assert row["max_absolute_error"] == 0 and row["hellinger_utility"] == 1
    assert find(rows, "lsoa", "k0")["area_gap_max"] is None  # a child is not shown
    assert find(rows, "lsoa", "k1")["area_gap_max"] == 0
    assert find(rows, "oa", "Total")["category_gap_max"] == 0  # of the one area with both categories shown
    assert find(rows, "oa", "all cells")["cramers_v"] is None


def test_where_everything_is_hidden_there_is_no_error_to_tell():
    table = true_table(tree([0, 0]), [3, 2])
    markers = [np.full(counts.shape, SUPPRESSED, np.int8) for counts in table.counts]
    row = find(utility(table, shown(table, [0 * c for c in table.counts], EXACT, markers)), "oa", "Total")
    assert row["sum_hidden"] == 5 and row["share_hidden"] == 1.0
    assert all(row[key] is None for key in ("max_absolute_error", "bias", "hellinger_distance", "rank_correlation"))


def test_a_structural_zero_is_a_value_that_readers_know():
    table = true_table(tree([0, 0]), [[0, 6], [3, 7]])
    markers = [np.zeros(counts.shape, np.int8) for counts in table.counts]
    markers[0][0, 0] = STRUCTURAL
    row = find(utility(table, shown(table, table.counts, EXACT, markers)), "oa", "k0")
    assert row["hidden"] == 0 and row["max_absolute_error"] == 0


def test_what_is_published_exactly_loses_nothing():
    table = true_table(tree([0] * 12), [[i, 2 * i] for i in range(12)])
    for row in utility(table, shown(table, table.counts, EXACT)):
        assert row["max_absolute_error"] == 0 and row["hellinger_utility"] == 1
        assert row["rank_correlation"] in (None, pytest.approx(1))
        assert row["share_changing_decile"] in (None, 0)
        assert row["between_area_variance_ratio"] in (None, 1)
        assert row["cramers_v_change"] in (None, 0)


def test_rows_hold_plain_values_in_a_fixed_order():
    table = true_table(TREE, [[1, 2, 3]] * 8)
    rows = utility(table, nearest(table))
    assert [row["level"] for row in rows] == ["oa"] * 5 + ["lsoa"] * 5 + ["msoa"] * 5 + ["lad"] * 5 + ["all levels"]
    assert [row["category"] for row in rows[:5]] == ["k0", "k1", "k2", "Total", "all cells"]
    assert all(type(value) in (int, float, str, type(None)) for row in rows for value in row.values())


def test_a_table_of_totals_alone_has_a_row_per_level():
    table = true_table(tree([0, 0]), [4, 6])
    rows = utility(table, nearest(table))
    assert [(row["level"], row["category"]) for row in rows] == [
        ("oa", "Total"),
        ("lsoa", "Total"),
        ("all levels", "all cells"),
    ]
    assert all(row["category_gap_max"] is None for row in rows)


def test_categories_of_two_dimensions_are_named_by_both():
    both = Classification(dimensions=("age", "sex"), categories=(("16-24", "F"), ("16-24", "M")))
    table = Table.from_finest(hierarchy=tree([0, 0]), classification=both, finest=np.array([[1, 2], [3, 4]]))
    assert [row["category"] for row in utility(table, nearest(table))][:3] == ["16-24, F", "16-24, M", "Total"]


def test_input_is_left_as_it_was():
    table = true_table(TREE, [[1, 2, 3]] * 8)
    safe = nearest(table)
    before = [array.copy() for array in (*table.counts, *safe.values, *safe.markers)]
    utility(table, safe)
    for array, copy in zip((*table.counts, *safe.values, *safe.markers), before, strict=True):
        assert np.array_equal(array, copy)


def test_tables_of_different_cells_are_refused():
    table = true_table(tree([0, 0]), [[1, 2], [3, 4]])
    others = [
        true_table(tree([0, 0]), [[1, 2], [3, 4]], "other"),
        true_table(tree([0, 1], [0, 0]), [[1, 2], [3, 4]]),
        true_table(tree([0, 0]), [1, 2]),
    ]
    for other in others:
        with pytest.raises(ValueError, match="same areas and categories"):
            utility(table, nearest(other))
    assert flat(2) == table.classification
    utility(table, nearest(true_table(tree([0, 0]), [[1, 2], [3, 4]])))  # equal, though not the same object
