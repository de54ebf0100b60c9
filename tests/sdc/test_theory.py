"""Theoretical error: every formula against enumeration."""

from fractions import Fraction
from itertools import product
from math import isclose, sqrt

import numpy as np
import pytest
from attack_tools import tree, true_table

from sdc.rounding.controlled import ControlledRounding, round_controlled
from sdc.rounding.conventional import round_conventional
from sdc.tables import Method
from sdc.theory import error_sentences, sum_error, theoretical_error, unbiased_variance

BASES = range(2, 13)


def method(name, base):
    return Method(name=f"{name}-rounding" if name != "exact" else name, base=base, min_count=5)


def unbiased_errors(base):
    """Every error of unbiased rounding with its probability, all remainders alike."""
    for m in range(base):
        yield Fraction(-m), Fraction(base - m, base) / base
        yield Fraction(base - m), Fraction(m, base) / base


def conventional_errors(base):
    """Every error, taken from the rounding itself on two full turns of remainders."""
    counts = np.arange(2 * base)[:, None]
    safe = round_conventional(true_table(tree([0] * 2 * base), counts[:, 0]), base=base, min_count=5)
    for error in (safe.values[0] - counts)[:, 0].tolist():
        yield Fraction(error), Fraction(1, 2 * base)


def moments(errors):
    mean = sum(e * p for e, p in errors)
    return mean, sum(abs(e) * p for e, p in errors), sum(e * e * p for e, p in errors) - mean**2


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize(
    ("name", "errors"),
    [("controlled", unbiased_errors), ("random", unbiased_errors), ("conventional", conventional_errors)],
)
def test_moments_are_those_of_all_errors(name, errors, base):
    listed = [(e, p) for e, p in errors(base) if p]
    assert sum(p for _, p in listed) == 1
    told = theoretical_error(method(name, base))
    bias, mean_absolute, variance = moments(listed)
    assert isclose(told.bias, bias)
    assert isclose(told.mean_absolute, mean_absolute)
    assert isclose(told.variance, variance)
    assert isclose(told.deviation, sqrt(variance))
    # e = published - true: the true count lies `below` the published figure by up to max e
    assert told.below == max(e for e, _ in listed)
    assert told.above == -min(e for e, _ in listed)
    assert told.largest == max(abs(e) for e, _ in listed)


@pytest.mark.parametrize("base", BASES)
def test_the_variance_given_a_count(base):
    at_most = theoretical_error(method("controlled", base)).deviation_at_most
    variances = []
    for m in range(base):
        share = Fraction(m, base)
        errors = [(Fraction(-m), 1 - share), (Fraction(base - m), share)]
        mean, mean_absolute, variance = moments(errors)
        assert mean == 0
        assert mean_absolute == 2 * base * share * (1 - share)
        assert variance == base**2 * share * (1 - share) == unbiased_variance(base, m)
        variances.append(variance)
    assert max(variances) <= at_most**2 == base**2 / 4
    assert max(variances) == base**2 // 4  # reached where base is even


def test_random_rounding_to_base_3():
    """Vector V7: 1 becomes 0 with probability 2/3, or 3: variance 2/3 × 1 + 1/3 × 4 = 2."""
    assert [unbiased_variance(3, m) for m in (0, 1, 2)] == [0, 2, 2]
    assert theoretical_error(method("random", 3)).mean_absolute == pytest.approx(8 / 9)


def test_base_5_in_numbers():
    told = theoretical_error(method("controlled", 5))
    assert (told.below, told.above, told.bias, told.mean_absolute, told.deviation) == (4, 4, 0.0, 1.6, 2.0)
    assert told.deviation_at_most == 2.5


@pytest.mark.parametrize("base", [2, 3, 5])
@pytest.mark.parametrize("cells", [1, 2, 3])
def test_a_sum_of_independent_cells(base, cells):
    listed = list(unbiased_errors(base))
    variance = Fraction(0)
    for combination in product(listed, repeat=cells):
        probability = Fraction(1)
        for _, p in combination:
            probability *= p
        variance += probability * sum(e for e, _ in combination) ** 2
    told = sum_error(theoretical_error(method("random", base)), cells)
    assert isclose(told.deviation_if_independent, sqrt(variance))
    assert told.largest == cells * (base - 1)


@pytest.mark.parametrize("base", BASES)
def test_no_distribution_of_counts_makes_conventional_rounding_worse_than_told(base):
    told = theoretical_error(method("conventional", base))
    errors = [e for e, _ in conventional_errors(base)]
    two_ends = moments([(max(errors), Fraction(1, 2)), (min(errors), Fraction(1, 2))])[2]  # the widest there is
    assert told.deviation_at_most == sqrt(two_ends)


def test_cells_of_controlled_rounding_are_not_independent():
    """(1 1 / 1 1) to base 2 becomes (2 0 / 0 2) or (0 2 / 2 0): both cells of the diagonal go the same way."""
    table = true_table(tree([0, 0]), [[1, 1], [1, 1]])
    spec = ControlledRounding(base=2, min_count=2)
    sums = []
    for seed in range(40):
        key = seed.to_bytes(32, "big")
        values = round_controlled({"t": table}, spec=spec, key=key)[0]["t"].values[0]
        sums.append(int(values[0, 0] + values[1, 1]) - 2)
    assert set(sums) == {-2, 2}
    told = sum_error(theoretical_error(method("controlled", 2)), 2)
    deviation_given_these_counts = 2.0
    independent_given_these_counts = sqrt(2 * unbiased_variance(2, 1))
    assert independent_given_these_counts < deviation_given_these_counts <= told.deviation_at_most == 2.0


def test_exact_figures_have_no_error():
    told = theoretical_error(method("exact", 1))
    assert (told.largest, told.bias, told.mean_absolute, told.variance, told.deviation_at_most) == (0, 0, 0, 0, 0)
    assert error_sentences(told) == ("Figures are shown as they were counted.",)


def test_what_is_told_of_controlled_rounding():
    text = " ".join(error_sentences(theoretical_error(method("controlled", 5)), cells=16))
    for told in (
        "differs from the true count by less than 5",
        "the error is 1.6 on average",
        "its standard deviation is 2.",
        "above 2.5",
        "up to 64",
        "If the errors were independent",
        "would be about 8;",
        "it cannot be above 40.",
        "but for the few figures that are moved",
    ):
        assert told in text


def test_figures_rounded_apart_are_not_said_to_add_up():
    for name in ("random", "conventional"):
        text = " ".join(error_sentences(theoretical_error(method(name, 5))))
        assert "need not add up" in text
        assert "add up to the totals shown." in text
        assert "not independent" not in text


def test_the_bias_of_halves_is_told_where_there_is_one():
    even = " ".join(error_sentences(theoretical_error(method("conventional", 10))))
    odd = " ".join(error_sentences(theoretical_error(method("conventional", 5))))
    assert "0.5 too high on average" in even
    assert "too high" not in odd
    assert "by at most 5" in even and "by at most 2" in odd


@pytest.mark.parametrize("base", BASES)
def test_nothing_is_told_smaller_than_it_is(base):
    told = theoretical_error(method("controlled", base))
    numbers = [float(word.rstrip(".,")) for word in error_sentences(told)[3].split() if word[0].isdigit()]
    exact = [told.mean_absolute, told.deviation, told.deviation_at_most]
    assert all(e - 1e-9 <= n < e + 0.1 for n, e in zip(numbers, exact, strict=True))


def test_what_cannot_be_asked():
    with pytest.raises(ValueError, match="method"):
        theoretical_error(Method(name="guesswork"))
    with pytest.raises(ValueError, match="cells"):
        sum_error(theoretical_error(method("random", 5)), 0)
    for remainder in (-1, 5):
        with pytest.raises(ValueError, match="remainder"):
            unbiased_variance(5, remainder)
