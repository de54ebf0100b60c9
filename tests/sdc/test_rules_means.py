"""Means that give away the counts they were divided by."""

from itertools import product

import numpy as np
import pytest
from attack_tools import tree, true_table
from hypothesis import given, settings
from hypothesis import strategies as st

from sdc.attack.intervals import Intervals
from sdc.rules.means import PinnedMean, counts_of_mean, counts_of_means, shown_mean

# Handbook, section 5.7: counts perturbed by at most 2 to 9, 14 and 19; means of true sums over true counts.
MEANS, LO, HI = [112500, 79167, 92500], [7, 12, 17], [11, 16, 21]


def around(table, noise):
    return Intervals(
        lo=tuple(np.maximum(counts - noise, 0) for counts in table.counts),
        hi=tuple(counts + noise for counts in table.counts),
    )


def test_v8_means_attack():
    """Unique counts (8, 12, 20), sum 185 (methods, section 7)."""
    assert shown_mean(np.array([90, 95, 185]), np.array([8, 12, 20]), decimals=4).tolist() == MEANS
    assert counts_of_means(MEANS, lo=LO, hi=HI, decimals=4) == [(8, 12, 20)]
    assert 20 * MEANS[2] == 185 * 10**4


def test_v8_from_additivity_alone():
    """The handbook's own reasoning: sums of the parts must meet the sum of the total; whole sums are not needed."""
    assert counts_of_means(MEANS, lo=LO, hi=HI, decimals=4, whole_sums=False) == [(8, 12, 20)]


def test_v8_from_whole_sums_alone():
    fits = counts_of_mean(np.array(MEANS), lo=np.array(LO), hi=np.array(HI), decimals=4)
    assert [(least + np.flatnonzero(row)).tolist() for least, row in zip(LO, fits, strict=True)] == [[8], [12], [20]]


def test_each_cell_has_its_own_interval():
    """The shorter of two intervals stops at its own end, though the mean fits beyond it."""
    fits = counts_of_mean(np.array([50, 50]), lo=np.array([1, 1]), hi=np.array([3, 6]), decimals=1)
    assert [(1 + np.flatnonzero(row)).tolist() for row in fits] == [[1, 2, 3], [1, 2, 3, 4, 5, 6]]


def test_a_count_that_is_shown_exactly_is_not_pinned_by_its_mean():
    table = true_table(tree([0, 0]), [8, 12])
    sums = (np.array([[90], [95]]), np.array([[185]]))
    assert PinnedMean(sums=sums, published=around(table, 0), decimals=4).flags(table).number() == 0


def test_v8_as_a_rule():
    table = true_table(tree([0, 0]), [8, 12])
    sums = (np.array([[90], [95]]), np.array([[185]]))
    told = PinnedMean(sums=sums, published=around(table, 2), decimals=4).flags(table)
    assert [hit.ravel().tolist() for hit in told.hit] == [[True, True], [True]]
    # Shown as whole numbers the means tell nothing.
    assert PinnedMean(sums=sums, published=around(table, 2), decimals=0).flags(table).number() == 0


def test_means_of_too_few_and_of_nobody():
    table = true_table(tree([0, 0, 0]), [7, 8, 0])
    sums = (np.array([[70], [80], [0]]), np.array([[150]]))
    rule = PinnedMean(sums=sums, published=around(table, 4), decimals=0, fewest=8)
    assert rule.flags(table).hit[0].ravel().tolist() == [True, False, False]


def test_a_small_count_that_its_mean_leaves_small():
    table = true_table(tree([0, 0]), [3, 4])
    sums = (np.array([[10], [12]]), np.array([[22]]))
    told = PinnedMean(sums=sums, published=around(table, 4), decimals=2).flags(table)
    # 3.33 of three or six people, 3.00 of any number.
    assert told.hit[0].ravel().tolist() == [False, False]
    less = PinnedMean(sums=sums, published=around(table, 2), decimals=2).flags(table)
    assert less.hit[0].ravel().tolist() == [True, False]


@settings(deadline=None, max_examples=100)
@given(
    st.lists(st.tuples(st.integers(1, 12), st.integers(0, 200)), min_size=1, max_size=3),
    st.integers(0, 3),
    st.integers(0, 3),
)
def test_the_truth_is_always_among_the_candidates(parts, decimals, noise):
    counts = [count for count, _ in parts] + [sum(count for count, _ in parts)]
    sums = [total for _, total in parts] + [sum(total for _, total in parts)]
    means = shown_mean(np.array(sums), np.array(counts), decimals=decimals)
    lo = np.maximum(np.array(counts) - noise, 1)
    hi = np.array(counts) + noise
    fits = counts_of_mean(means, lo=lo, hi=hi, decimals=decimals)
    assert all(row[count - least] for row, count, least in zip(fits, counts, lo, strict=True))
    found = counts_of_means(means.tolist(), lo=lo.tolist(), hi=hi.tolist(), decimals=decimals)
    assert tuple(counts) in found
    assert set(found) <= set(
        counts_of_means(means.tolist(), lo=lo.tolist(), hi=hi.tolist(), decimals=decimals, whole_sums=False)
    )
    # Every set that is found fits its means one by one.
    for numbers, (row, least) in product(found, enumerate(lo.tolist())):
        assert fits[row, numbers[row] - least]


def test_what_cannot_be_tried_is_refused():
    with pytest.raises(ValueError, match="at most 1000 are tried"):
        counts_of_mean(np.array([1]), lo=np.array([1]), hi=np.array([2000]), decimals=0)
    with pytest.raises(ValueError, match="at most 1000000 are tried"):
        counts_of_means([1] * 8, lo=[1] * 8, hi=[20] * 8, decimals=0)
    with pytest.raises(ValueError, match="decimals"):
        shown_mean(np.array([1]), np.array([1]), decimals=-1)
    table = true_table(tree([0]), [3])
    with pytest.raises(ValueError, match="same shapes"):
        PinnedMean(sums=(np.array([[1, 2]]), np.array([[3]])), published=around(table, 1))
