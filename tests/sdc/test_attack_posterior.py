"""Belief beside proof: the posterior against enumeration, and the figures of methods section 10.2."""

from math import comb, exp, factorial

import numpy as np
import pytest
from attack_tools import CONTROLLED, CONVENTIONAL, EXACT, RANDOM, at_random, nearest, tree, true_table

from sdc.attack.posterior import Prior, fit_prior, posterior, posterior_of, table_beliefs
from sdc.tables import Method


def poisson(mean):
    return lambda x: exp(-mean) * mean**x / factorial(x)


def negative_binomial(mean, size):
    """For a whole size: C(x + size - 1, x) (size / (size + mean))^size (mean / (size + mean))^x."""
    share = size / (size + mean)
    return lambda x: comb(x + size - 1, x) * share**size * (1 - share) ** x


def rounds_to(x, method):
    """P(r | x), as {r: probability}, straight from the methods' definitions."""
    b = method.base
    if method.name == "conventional-rounding":
        return {b * ((2 * x + b) // (2 * b)): 1.0}
    if method.name == "exact":
        return {x: 1.0}
    share = (x % b) / b
    return {b * (x // b): 1 - share, b * (x // b) + b: share}


def enumerated(mass, method, value):
    weights = {x: mass(x) * rounds_to(x, method).get(value, 0.0) for x in range(80)}
    return {x: w / sum(weights.values()) for x, w in weights.items() if w > 0}


@pytest.mark.parametrize("method", [CONTROLLED, RANDOM, CONVENTIONAL, EXACT, Method(name="random-rounding", base=3)])
@pytest.mark.parametrize(
    ("prior", "mass"),
    [
        (Prior(mean=1.0), poisson(1.0)),
        (Prior(mean=7.5), poisson(7.5)),
        (Prior(mean=4.0, size=2.0), negative_binomial(4.0, 2)),
        (Prior(mean=0.6, size=1.0), negative_binomial(0.6, 1)),
    ],
)
def test_posterior_is_enumeration(method, prior, mass):
    step = 1 if method.name == "exact" else method.base
    for value in range(0, 5 * step, step):
        counts, probabilities = posterior(prior, method, value)
        assert dict(zip(counts.tolist(), probabilities, strict=True)) == pytest.approx(enumerated(mass, method, value))


def test_10_2_small_counts_are_believed_though_not_proven():
    """Section 10.2: Poisson mean 1: P(1–4 | 5) = 0.98; mean 4: P(1–4 | 0) = 0.935 (printed 0.93)."""
    for mean, value, expected in ((1.0, 5, 0.98), (4.0, 0, 0.935)):
        counts, probabilities = posterior(Prior(mean=mean), CONTROLLED, value)
        assert probabilities[(counts >= 1) & (counts <= 4)].sum() == pytest.approx(expected, abs=0.005)


@pytest.mark.parametrize("method", [RANDOM, CONVENTIONAL, EXACT])
def test_the_prior_is_found_again_from_published_values(method):
    rng = np.random.default_rng(5)
    table = true_table(tree(), [[0]])
    counts = np.concatenate([rng.negative_binomial(3, 3 / 13, 40_000)])
    b = method.base
    rounded = {
        "random-rounding": b * (counts // b + (rng.random(counts.shape) < (counts % b) / b)),
        "conventional-rounding": b * ((2 * counts + b) // (2 * b)),
        "exact": counts,
    }[method.name]
    assert len(table.counts) == 1
    prior = fit_prior(rounded, method)
    assert prior.mean == pytest.approx(10, rel=0.02)
    assert prior.size == pytest.approx(3, rel=0.1)


def test_counts_that_hardly_vary_get_a_poisson():
    counts = np.random.default_rng(2).poisson(40, 30_000)
    assert fit_prior(np.full(100, 10), RANDOM).size is None
    fitted = fit_prior(counts, EXACT)
    assert fitted.size is None or fitted.size > 500


def test_an_impossible_prior_leaves_what_the_method_allows():
    """All shown 0 but one: the prior at zero says nothing of the cell shown 5; every count of its interval stays."""
    counts, probabilities = posterior_of(Prior(mean=0.0), CONVENTIONAL, np.array([5]))
    assert counts.tolist() == [[3, 4, 5, 6, 7]]
    assert probabilities.tolist() == [[0.2] * 5]


def test_beliefs_cover_every_level_and_column_and_probabilities_add_up():
    rng = np.random.default_rng(1)
    table = true_table(tree([0, 0, 0, 1, 1, 1], [0, 0]), rng.poisson(3, (6, 2)))
    for safe in (at_random(table, 4), nearest(table)):
        beliefs = list(table_beliefs(safe, min_count=5))
        assert [(b.level, b.column) for b in beliefs] == [(level, k) for level in range(3) for k in range(3)]
        for belief in beliefs:
            assert belief.cells.sum() == table.counts[belief.level].shape[0]
            assert np.all((belief.small >= 0) & (belief.small <= 1 + 1e-12))
            for value, likeliest, certainty in zip(belief.shown, belief.likeliest, belief.certainty, strict=True):
                counts, probabilities = posterior(belief.prior, safe.method, int(value))
                assert probabilities.max() == pytest.approx(certainty)
                assert counts[probabilities.argmax()] == likeliest
