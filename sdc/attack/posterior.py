"""What an attacker believes, beside what they can prove.

The attacker knows the method and fits a prior to the published values alone,
for each level and column; then

    P(x | r) ∝ prior(x) · P(r | x)

with P(r = b(u + 1) | x) = f, P(r = bu | x) = 1 - f for unbiased rounding
(u = floor(x / b), f = (x mod b) / b; Cox 1987) and a certainty for
conventional rounding and exact values.

The prior is a negative binomial, or a Poisson where the counts do not vary more
than a Poisson's, fitted by moments: the mean of r is the mean of x (unbiased
rounding), and Var(x) = Var(r) - E[b² f(1 - f)], the last term taken from the
posterior itself and refitted until it settles.  For conventional rounding the
term is (b² - 1) / 12, that of evenly spread remainders.

Each cell is judged by its own published value: what sums add to the belief is not counted.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import lgamma, log

import numpy as np

from sdc.attack.intervals import reach, shown_values
from sdc.tables import Method, SafeTable

__all__ = ["Belief", "Prior", "fit_prior", "posterior", "posterior_of", "table_beliefs"]

REFITS = 5


@dataclass(frozen=True, kw_only=True)
class Prior:
    """Negative binomial with this mean and size, variance mean + mean² / size; Poisson where size is None."""

    mean: float
    size: float | None = None

    def __post_init__(self) -> None:
        if self.mean < 0 or (self.size is not None and self.size <= 0):
            raise ValueError(f"mean ({self.mean}) must be at least 0 and size ({self.size}) above 0")

    def __str__(self) -> str:
        if self.size is None:
            return f"Poisson, mean {self.mean:.4g}"
        return f"negative binomial, mean {self.mean:.4g}, size {self.size:.4g}"

    def log_mass(self, counts: np.ndarray) -> np.ndarray:
        """log P(x) of each count; -inf where impossible."""
        if self.mean == 0:
            return np.where(counts == 0, 0.0, -np.inf)
        if self.size is None:
            mass = [x * log(self.mean) - self.mean - lgamma(x + 1) for x in counts.tolist()]
        else:
            size, total = self.size, self.size + self.mean
            head = size * log(size / total) - lgamma(size)
            odds = log(self.mean / total)
            mass = [lgamma(x + size) - lgamma(x + 1) + head + x * odds for x in counts.tolist()]
        return np.array(mass, dtype=np.float64)


@dataclass(frozen=True, kw_only=True, eq=False)
class Belief:
    """What is believed of one column at one level, by published value.

    `shown`, `cells` (how many cells show it), `likeliest` and the probabilities
    `certainty` (of the likeliest value) and `small` (of 1 … min_count - 1) have one entry per published value.
    """

    level: int
    column: int
    prior: Prior
    shown: np.ndarray
    cells: np.ndarray
    likeliest: np.ndarray
    certainty: np.ndarray
    small: np.ndarray


def posterior(prior: Prior, method: Method, shown: int) -> tuple[np.ndarray, np.ndarray]:
    """The counts that can be behind one published value, and their probabilities."""
    counts, mass = posterior_of(prior, method, np.array([shown]))
    return counts[0][mass[0] > 0], mass[0][mass[0] > 0]


def posterior_of(prior: Prior, method: Method, shown: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Counts and probabilities for published values of shape (n,): two arrays of shape (n, width of the interval).

    Impossible counts (below 0) have probability 0.  Where the prior excludes
    every count that the method allows, all of them are taken as equally likely.
    """
    below, above = reach(method)
    counts = shown[:, None] + np.arange(-below, above + 1)
    possible = counts >= 0
    kept = np.where(possible, counts, 0)
    values, inverse = np.unique(kept, return_inverse=True)
    likelihood = np.where(possible, _likelihood(kept, shown[:, None], method), 0.0)
    with np.errstate(divide="ignore"):
        weight = prior.log_mass(values)[inverse].reshape(counts.shape) + np.log(likelihood)
    best = weight.max(axis=1, keepdims=True)
    weight = np.where(np.isfinite(best), np.exp(weight - np.where(np.isfinite(best), best, 0)), likelihood)
    return counts, weight / weight.sum(axis=1, keepdims=True)


def fit_prior(shown: np.ndarray, method: Method) -> Prior:
    """The attacker's prior, by moments, from the published values of one level and column."""
    if len(shown) == 0:
        return Prior(mean=0.0)
    mean, spread = float(shown.mean()), float(shown.var())
    noise = 0.0 if method.name == "exact" else (method.base**2 - 1) / 12
    if method.name in ("exact", "conventional-rounding"):
        return _by_moments(mean, spread - noise)
    values, cells = np.unique(shown, return_counts=True)
    prior = _by_moments(mean, spread - 2 * noise)
    for _ in range(REFITS):
        counts, mass = posterior_of(prior, method, values)
        rest = np.mod(counts, method.base)
        noise = float((mass * rest * (method.base - rest)).sum(axis=1) @ cells / cells.sum())
        prior = _by_moments(mean, spread - noise)
    return prior


def table_beliefs(safe: SafeTable, *, min_count: int) -> Iterator[Belief]:
    """A belief for every level and column of a table that shows any value.

    A count x is *small* where 1 <= x <= min_count - 1.
    """
    for level, (values, is_shown) in enumerate(shown_values(safe)):
        for column in range(values.shape[1]):
            shown = values[is_shown[:, column], column]
            if len(shown):
                yield _belief(level, column, shown, safe.method, min_count)


def _belief(level: int, column: int, shown: np.ndarray, method: Method, min_count: int) -> Belief:
    prior = fit_prior(shown, method)
    values, cells = np.unique(shown, return_counts=True)
    counts, mass = posterior_of(prior, method, values)
    best = mass.argmax(axis=1)
    rows = np.arange(len(values))
    return Belief(
        level=level,
        column=column,
        prior=prior,
        shown=values,
        cells=cells,
        likeliest=counts[rows, best],
        certainty=mass[rows, best],
        small=np.where((counts >= 1) & (counts < min_count), mass, 0.0).sum(axis=1),
    )


def _by_moments(mean: float, spread: float) -> Prior:
    """Negative binomial where the counts vary more than a Poisson's, else Poisson."""
    if mean > 0 and spread > mean * (1 + 1e-9):
        return Prior(mean=mean, size=mean**2 / (spread - mean))
    return Prior(mean=mean)


def _likelihood(counts: np.ndarray, shown: np.ndarray, method: Method) -> np.ndarray:
    """P(shown | count) for counts within reach of the value."""
    if method.name in ("exact", "conventional-rounding"):
        return np.ones(np.broadcast_shapes(counts.shape, shown.shape))
    share = np.mod(counts, method.base) / method.base
    likelihood: np.ndarray = np.where(shown > counts, share, 1 - share)
    return likelihood
