"""What an attacker believes of a noisy figure: the ptable as likelihood, a prior fitted to what is published.

    P(x | r)  ∝  prior(x) · P(noise of row x = r - x)

The prior of each level and column is the negative binomial, or the Poisson, of
largest likelihood Π Σ_x prior(x) P(r | x) for the published values alone.  For a
given dispersion (variance / mean - 1) the mean is found by the EM algorithm (A. P.
Dempster, N. M. Laird & D. B. Rubin 1977), whose step is the mean of the posterior;
the dispersion by trying a ladder of them, and a finer one around the best.  Where
counts are large against the noise every prior is level behind a figure: there the
moments of the figures serve.

Noise has no proof to offer beyond its bound, so that belief is held down too: the
likeliest value above 0 behind any figure may not be believed more firmly than
`max_certainty`.  Each figure is judged by itself.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from sdc.attack.listing import listed
from sdc.attack.posterior import Belief, Prior
from sdc.attack.witness import Names
from sdc.cellkey.ptable import KeyTable, PTable, noise_shares, rows_of
from sdc.findings import Audit, Finding
from sdc.tables import LOW, SHOWN, TOTAL, SafeTable

__all__ = ["certainty_audit", "fit_noise_prior", "noise_beliefs", "noise_posterior"]

DISPERSIONS = (0.0, *np.geomspace(0.02, 200, 9))
EM_STEPS, FINER = 3, 3
# A mean beyond this many times D is large against the noise.
LARGE = 20


@dataclass(frozen=True, kw_only=True, eq=False)
class _Behind:
    """The counts that may be behind published values, and the chance that the ptable shows each as the value.

    `counts` and `likelihood` have shape (values, noises); `index` says where each
    count, 0 for impossible ones, stands among the sorted `distinct`.
    """

    counts: np.ndarray
    likelihood: np.ndarray
    distinct: np.ndarray
    index: np.ndarray

    def weigh(self, prior: Prior) -> tuple[np.ndarray, np.ndarray]:
        """The posterior, and the logarithm of each value's probability, -inf where the prior excludes it."""
        with np.errstate(divide="ignore"):
            weight = prior.log_mass(self.distinct)[self.index] + np.log(self.likelihood)
        best = weight.max(axis=1, keepdims=True)
        possible = np.isfinite(best)
        # What the prior excludes is weighed by the ptable alone; what that excludes too has no mass.
        mass = np.where(possible, np.exp(weight - np.where(possible, best, 0)), self.likelihood)
        total = mass.sum(axis=1, keepdims=True)
        with np.errstate(divide="ignore"):
            chance = np.where(possible, best + np.log(total), -np.inf)[:, 0]
        return np.divide(mass, total, out=np.zeros_like(mass), where=total > 0), chance


def _behind(ptable: PTable | KeyTable, shown: np.ndarray) -> _Behind:
    shares, first = noise_shares(ptable)
    noise = np.arange(first, first + shares.shape[1])
    counts = shown[:, None] - noise
    kept = np.maximum(counts, 0)
    likelihood = np.where(counts >= 0, shares[rows_of(ptable, kept), np.arange(len(noise))], 0.0)
    distinct, index = np.unique(kept, return_inverse=True)
    return _Behind(counts=counts, likelihood=likelihood, distinct=distinct, index=index.reshape(counts.shape))


def noise_posterior(prior: Prior, ptable: PTable | KeyTable, shown: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Counts and probabilities for published values of shape (n,): two arrays of shape (n, noises).

    Counts that no key takes to the value have probability 0.  Where the prior
    excludes all that remain they are weighed by the ptable alone; where none
    remains all probabilities are 0.
    """
    behind = _behind(ptable, shown)
    return behind.counts, behind.weigh(prior)[0]


def noise_beliefs(safe: SafeTable, ptable: PTable | KeyTable, *, min_count: int) -> Iterator[Belief]:
    """A belief for every level and column of a table that shows any value; small is 1 <= x <= min_count - 1."""
    for level, (values, markers) in enumerate(zip(safe.values, safe.markers, strict=True)):
        for column in range(values.shape[1]):
            told = (markers[:, column] == SHOWN) | (markers[:, column] == LOW)
            if told.any():
                shown = np.where(markers[told, column] == SHOWN, values[told, column], 0)
                yield _belief(level, column, shown, ptable, min_count)


def certainty_audit(
    name: str, safe: SafeTable, ptable: PTable | KeyTable, *, min_count: int, max_certainty: float
) -> Audit:
    """Figures of which one value above 0 is believed more firmly than `max_certainty`, and the firmest belief.

    Raises
    ------
    ValueError
        `max_certainty` is not above 0 and at most 1.
    """
    if not 0 < max_certainty <= 1:
        raise ValueError(f"max_certainty ({max_certainty}) must be above 0 and at most 1")
    hits: list[tuple[Belief, int]] = []
    firmest: dict[str, object] = {"probability": 0.0}
    number = 0
    for belief in noise_beliefs(safe, ptable, min_count=min_count):
        sure = np.where(belief.likeliest > 0, belief.certainty, 0.0)
        over = np.flatnonzero(sure > max_certainty)
        hits += [(belief, int(at)) for at in over]
        number += int(belief.cells[over].sum())
        top = int(sure.argmax())
        if sure[top] > float(str(firmest["probability"])):
            firmest = _told(safe, belief, top)
    audit = listed(name, "too certain", hits, lambda hit: _finding(name, safe, *hit, max_certainty))
    return audit.joined(
        Audit(
            figures={f"{name}: noise, cells too certain": number, f"{name}: noise, firmest belief above 0": firmest},
            checked=(
                f"no value above 0 believed with more than {max_certainty:g}, under a prior fitted to the figures",
            ),
        )
    )


def _belief(level: int, column: int, shown: np.ndarray, ptable: PTable | KeyTable, min_count: int) -> Belief:
    values, cells = np.unique(shown, return_counts=True)
    prior = fit_noise_prior(values, cells, ptable)
    counts, mass = noise_posterior(prior, ptable, values)
    rows, best = np.arange(len(values)), mass.argmax(axis=1)
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


def fit_noise_prior(values: np.ndarray, cells: np.ndarray, ptable: PTable | KeyTable) -> Prior:
    """The prior of largest likelihood for published values and how many `cells` show each.

    Of those tried; by moments where counts are large against the noise.
    """
    weight = cells / cells.sum()
    mean = float(values @ weight)
    if mean == 0:
        return Prior(mean=0.0)
    if mean > LARGE * ptable.bound:
        spread = float((values - mean) ** 2 @ weight)
        return Prior(mean=mean, size=mean**2 / (spread - mean)) if spread > mean * (1 + 1e-9) else Prior(mean=mean)
    behind = _behind(ptable, values)
    tried = [_fitted(behind, weight, mean, dispersion) for dispersion in DISPERSIONS]
    best = int(np.argmax([likelihood for likelihood, _ in tried]))
    low, high = DISPERSIONS[max(best - 1, 0)], DISPERSIONS[min(best + 1, len(DISPERSIONS) - 1)]
    low = max(low, DISPERSIONS[1] / 4)
    finer = [_fitted(behind, weight, mean, each) for each in np.geomspace(low, high, 2 * FINER + 1)[1:-1]]
    return max((*tried, *finer), key=lambda pair: pair[0])[1]


def _fitted(behind: _Behind, weight: np.ndarray, mean: float, dispersion: float) -> tuple[float, Prior]:
    """Log-likelihood and prior after a few steps of EM in the mean."""

    def prior(mean: float) -> Prior:
        return Prior(mean=mean, size=mean / dispersion if dispersion > 0 else None)

    for _ in range(EM_STEPS):
        mass, _ = behind.weigh(prior(mean))
        mean = max(float((behind.counts * mass).sum(axis=1) @ weight), 1e-9)
    return float(behind.weigh(prior(mean))[1] @ weight), prior(mean)


def _told(safe: SafeTable, belief: Belief, at: int) -> dict[str, object]:
    return {
        "probability": float(belief.certainty[at]),
        "level": safe.hierarchy.levels[belief.level],
        "category": ", ".join(safe.classification.columns[belief.column]) or TOTAL,
        "shown": int(belief.shown[at]),
        "cells": int(belief.cells[at]),
        "likeliest": int(belief.likeliest[at]),
        "prior": str(belief.prior),
    }


def _finding(name: str, safe: SafeTable, belief: Belief, at: int, max_certainty: float) -> Finding:
    """One shown value of one level and column, told at its first cell."""
    column = safe.values[belief.level][:, belief.column]
    markers = safe.markers[belief.level][:, belief.column]
    shown = int(belief.shown[at])
    unit = int(np.flatnonzero((column == shown) & ((markers == SHOWN) | (markers == LOW)))[0])
    text = (
        f"shown {shown}: it is {int(belief.likeliest[at])} with probability {belief.certainty[at]:.3f}, above the "
        f"{max_certainty:g} that is allowed ({belief.prior}; {int(belief.cells[at])} cells show it)"
    )
    cell = Names(safe).name_at(belief.level, unit, belief.column)
    return Finding(kind="too certain", severity="disclosure", table=name, cell=cell, witness=text)
