"""The threshold rule: 1 <= x <= min_count - 1."""

import numpy as np
import pytest
from attack_tools import tree, true_table
from hypothesis import given, settings
from hypothesis import strategies as st

from sdc.rules.threshold import Threshold, small_cells, threshold_summary

# Two local areas under one authority, two benefits and their total.
TABLE = true_table(tree([0, 0]), [[4, 5], [0, 1]])


def test_small_cells_cell_by_cell():
    lower, upper = small_cells(TABLE, min_count=5)
    #                         k0     k1     total
    assert lower.tolist() == [[True, False, False], [False, True, True]]
    assert upper.tolist() == [[True, False, False]]


def test_zeros_are_not_small_and_min_count_itself_is_not():
    table = true_table(tree([0, 0, 0, 0]), [0, 1, 2, 3])
    assert small_cells(table, min_count=3)[0][:, 0].tolist() == [False, True, True, False]
    assert small_cells(table, min_count=2)[0][:, 0].tolist() == [False, True, False, False]


def test_every_cell_has_a_flag_and_a_reason():
    told = Threshold(min_count=5).flags(TABLE)
    for hit, small in zip(told.hit, small_cells(TABLE, min_count=5), strict=True):
        assert np.array_equal(hit, small)
    assert told.rule == "threshold"
    assert told.reasons_of((0, 0, 0)) == ("the count is at least 1 and below min_count, 5",)
    assert told.reasons_of((0, 0, 1)) == ()


@settings(deadline=None, max_examples=50)
@given(
    st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), min_size=1, max_size=6),
    st.integers(2, 11),
)
def test_flags_and_summary_by_counting(finest, min_count):
    table = true_table(tree([0] * len(finest)), finest)
    rows = threshold_summary(table, min_count=min_count)
    assert [row["level"] for row in rows] == ["oa", "lsoa"]
    for row, counts, small in zip(rows, table.counts, small_cells(table, min_count=min_count), strict=True):
        cells = counts.ravel().tolist()
        few = [x for x in cells if 1 <= x <= min_count - 1]
        assert [1 <= x <= min_count - 1 for x in cells] == small.ravel().tolist()
        assert (row["cells"], row["zeros"], row["small"]) == (len(cells), cells.count(0), len(few))
        assert row["share_small"] == len(few) / len(cells)
        nonzero = len(cells) - cells.count(0)
        assert row["share_small_of_nonzero"] == (len(few) / nonzero if nonzero else None)
        assert [row[f"cells_of_{v}"] for v in range(1, min_count)] == [few.count(v) for v in range(1, min_count)]
        assert f"cells_of_{min_count}" not in row


def test_rows_are_plain_and_alike():
    rows = threshold_summary(TABLE, min_count=5)
    assert len({tuple(row) for row in rows}) == 1
    assert all(type(value) in (int, float, str) for row in rows for value in row.values())


def test_a_min_count_under_which_nothing_is_small_is_refused():
    for refused in (lambda: small_cells(TABLE, min_count=1), lambda: Threshold(min_count=1)):
        with pytest.raises(ValueError, match=r"min_count \(1\) must be at least 2"):
            refused()
