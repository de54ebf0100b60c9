"""Rates: low denominators, complements, and percentages that pin their numerators."""

from fractions import Fraction

import numpy as np
import pytest
from attack_tools import tree, true_table
from hypothesis import given, settings
from hypothesis import strategies as st

from sdc.rules.rates import Complement, LowDenominator, PinnedPercentage, percent_bounds, shown_percent
from sdc.tables import Classification, Table

PARENTS = tree([0, 0, 0])
CLAIMS = true_table(PARENTS, [[3, 5], [2, 0], [0, 40]])
RESIDENTS = true_table(PARENTS, [99, 100, 44])
HOUSEHOLDS = true_table(PARENTS, [39, 40, 50])


def bounds(percent, denominator, decimals=1):
    lo, hi = percent_bounds(np.array([percent]), np.array([denominator]), decimals=decimals)
    return lo.item(), hi.item()


def test_v19_percent_pinning():
    """14.3 % of 7 is 1, 12.5 % of 40 is 5; of 4,000 it may be 498 to 502 (methods, section 7)."""
    assert shown_percent(np.array([1, 5, 500]), np.array([7, 40, 4000]), decimals=1).tolist() == [143, 125, 125]
    assert bounds(143, 7) == (1, 1)
    assert bounds(125, 40) == (5, 5)
    assert bounds(125, 4000) == (498, 502)


def test_a_percentage_that_no_count_has_leaves_nothing():
    lo, hi = bounds(100, 7)
    assert lo > hi


@settings(deadline=None, max_examples=200)
@given(st.integers(1, 30_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.integers(0, 3))
def test_candidates_hold_the_count_and_are_one_below_the_limit(rate, decimals):
    count, number = rate
    percent = shown_percent(np.array([count]), np.array([number]), decimals=decimals).item()
    lo, hi = bounds(percent, number, decimals)
    half = Fraction(1, 2 * 10**decimals)
    low = (Fraction(percent, 10**decimals) - half) * number / 100
    high = (Fraction(percent, 10**decimals) + half) * number / 100
    assert lo <= count <= hi
    # No whole number in the interval is left out, and none outside it is in.
    assert low <= lo < low + 1 or lo == 0
    assert high - 1 < hi <= high
    if number < 10 ** (decimals + 2):
        assert lo == hi == count


@settings(deadline=None, max_examples=100)
@given(st.integers(1, 300), st.integers(0, 20), st.integers(0, 1000))
def test_a_rounded_denominator_leaves_what_any_of_its_numbers_leaves(least, spread, percent):
    each = [bounds(percent, number) for number in range(least, least + spread + 1)]
    lo, hi = percent_bounds(np.array([percent]), np.array([least]), decimals=1, most=np.array([least + spread]))
    assert lo.item() <= min(low for low, _ in each)
    assert hi.item() >= max(high for _, high in each)


def test_low_denominators_by_residents_and_households():
    told = LowDenominator(residents=RESIDENTS, households=HOUSEHOLDS).flags(CLAIMS)
    assert told.reasons_of((0, 0, 0)) == (
        "there are fewer than 100 residents to take a rate of",
        "there are fewer than 40 households to take a rate of",
    )
    assert told.reasons_of((0, 1, 2)) == ()
    assert told.reasons_of((0, 2, 1)) == ("there are fewer than 100 residents to take a rate of",)
    assert told.reasons_of((1, 0, 0)) == ()
    assert LowDenominator().flags(CLAIMS).number() == 0


def test_complements_below_min_count():
    told = Complement(population=RESIDENTS, min_count=5).flags(CLAIMS)
    assert told.hit[0].tolist() == [[False] * 3, [False] * 3, [False, True, True]]
    # Everybody: a complement of nobody is told too; and 5 left over are enough.
    assert Complement(population=true_table(PARENTS, [8, 7, 40])).flags(CLAIMS).hit[0].tolist() == [
        [False, True, True],
        [False, False, False],
        [False, True, True],
    ]


def test_a_population_by_fewer_dimensions_serves_their_categories():
    by_sex = true_table(PARENTS, [[50, 6], [50, 50], [50, 50]], dimension="sex")
    crossed = Table.from_finest(
        hierarchy=PARENTS,
        classification=Classification(
            dimensions=("benefit", "sex"), categories=(("CA", "k0"), ("CA", "k1"), ("UC", "k0"), ("UC", "k1"))
        ),
        finest=np.array([[1, 2, 3, 1], [0, 0, 0, 0], [0, 0, 0, 0]], np.int64),
    )
    told = Complement(population=by_sex, min_count=5).flags(crossed)
    assert told.hit[0][0].tolist() == [False, True, False, False, False]
    assert told.hit[1].tolist() == [[False] * 5]


def test_a_percentage_from_true_counts_pins_small_ones():
    population = true_table(PARENTS, [400, 40_000, 10])
    claims = true_table(PARENTS, [3, 3, 0])
    told = PinnedPercentage(population=population).flags(claims)
    assert told.hit[0][:, 0].tolist() == [True, False, False]
    assert told.reasons_of((0, 0, 0)) == (
        "its percentage at 1 decimals leaves too few counts possible for a known denominator",
    )
    # Whole percentages of 400 leave 2 to 6 for a 3 shown as 1 %.
    assert bounds(1, 400, 0) == (2, 6)
    assert PinnedPercentage(population=population, decimals=0).flags(claims).number() == 0
    assert PinnedPercentage(population=population, decimals=0, width=5).flags(claims).hit[0][:, 0].tolist() == [
        True,
        False,
        False,
    ]


def test_a_rate_of_nobody_is_no_risk():
    assert (
        PinnedPercentage(population=true_table(PARENTS, [0, 0, 0])).flags(true_table(PARENTS, [1, 0, 0])).number() == 0
    )


def test_a_population_of_other_areas_or_categories_is_refused():
    other = true_table(tree([0, 0]), [1, 2])
    with pytest.raises(ValueError, match="the same areas"):
        Complement(population=other).flags(CLAIMS)
    with pytest.raises(ValueError, match="which the table is not by"):
        Complement(population=true_table(PARENTS, [[1], [2], [3]], dimension="sex")).flags(CLAIMS)
    with pytest.raises(ValueError, match=r"lacks the category \(k1\)"):
        Complement(population=true_table(PARENTS, [[1], [2], [3]])).flags(CLAIMS)
    with pytest.raises(ValueError, match="decimals"):
        PinnedPercentage(population=RESIDENTS, decimals=7)
    with pytest.raises(ValueError, match="fewest_households"):
        LowDenominator(fewest_households=-1)
