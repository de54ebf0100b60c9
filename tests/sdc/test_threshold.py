"""The threshold rule: 1 <= x <= min_count - 1."""

import numpy as np
import pytest
from attack_tools import tree, true_table
from hypothesis import given, settings
from hypothesis import strategies as st

from sdc.threshold import Flagged, small_cells, threshold_rule, threshold_summary

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
    flagged = threshold_rule(TABLE, min_count=5)
    for flags, small in zip(flagged.flags, small_cells(TABLE, min_count=5), strict=True):
        assert np.array_equal(flags, small)
    assert flagged.reason(0, 0, 0) == "the count is at least 1 and below min_count, 5"
    assert flagged.reason(0, 0, 1) == ""


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
    with pytest.raises(ValueError, match=r"min_count \(1\) must be at least 2"):
        small_cells(TABLE, min_count=1)


def test_a_rule_must_give_its_reasons_in_words():
    reasons = (np.array([[0, 1]], np.int8),)
    assert Flagged(rule="any", reasons=reasons, words=("", "too few")).reason(0, 0, 1) == "too few"
    for words in ((), ("too few",), ("", ""), ("",)):
        with pytest.raises(ValueError, match="words"):
            Flagged(rule="any", reasons=reasons, words=words)
    with pytest.raises(ValueError, match="int8"):
        Flagged(rule="any", reasons=(np.array([[0, 1]]),), words=("", "too few"))
    with pytest.raises(ValueError, match="words"):
        Flagged(rule="any", reasons=(np.array([[-1]], np.int8),), words=("", "too few"))
