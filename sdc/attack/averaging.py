"""Averaging noise away: several published figures say the same of one count, each with noise of its own.

A noisy figure r of a count x has an error with mean 0 and variance V.  Every sum that
x stands in gives another estimate: the whole less the other parts, or the sum
of the parts.  A sum of m figures leaves an estimate of variance (m - 1) V, and no
two sums share another figure than x itself, so that their errors are independent.
Together, weighted by precision, they have

    1 / variance = Σ over own figures 1 / V  +  Σ over sums 1 / Σ variances of the other figures.

Tables built on different partitions of the same people add such sums: m
tables leave V / (1 + Σ 1 / parts).  (H. J. Asghar and D. Kaafar, "Averaging attacks
on bounded noise-based disclosure control algorithms", 2020, took the noise off
a table builder so.)  A cell is *certain* where a normal error of that variance would
round to the true count with a probability above `max_certainty`:
erf(1 / (2 sqrt(2 variance))).

It is an estimate, not a proof, and only single sums are combined: whoever solves all of
them together does a little better, by no more than the published sums overlap.
"""

from collections.abc import Mapping, Sequence
from math import erf, sqrt

import numpy as np

from sdc.attack.joint import Joint
from sdc.attack.listing import MOST_LISTED, listed
from sdc.attack.pieces import Piece
from sdc.cellkey.ptable import KeyTable, PTable
from sdc.findings import Audit, Finding
from sdc.tables import SHOWN

__all__ = ["MAX_CERTAINTY", "averaged", "averaging_audit", "noise_variance"]

MAX_CERTAINTY = 0.9


def noise_variance(ptable: PTable | KeyTable) -> float:
    """The variance V of the noise that a ptable gives to large counts: that of its last row, or rows in turn."""
    if isinstance(ptable, KeyTable):
        return float(np.mean(np.square(ptable.noise[-ptable.reuse :].astype(np.float64))))
    last = ptable.rows == ptable.rows[-1]
    chances = np.diff(ptable.upper[last], prepend=0.0)
    return float((chances * np.square(ptable.noise[last])).sum())


def averaged(joint: Joint, pieces: Sequence[Piece], variances: Mapping[str, float]) -> tuple[np.ndarray, np.ndarray]:
    """The combined estimate of each joint cell and its variance: float64 of shape (cells,), NaN and infinite where there is none.

    `variances` gives, by piece, the variance V of its noise; pieces without one show true values,
    or say nothing here.  Figures of one count with the same value are taken as one draw.
    """
    precision, weighted = _own(joint, pieces, variances)
    variance = np.full(len(precision), np.inf)
    np.divide(1.0, precision, out=variance, where=precision > 0)
    estimate = np.full(len(precision), np.nan)
    np.divide(weighted, precision, out=estimate, where=precision > 0)
    equations = joint.system.equations
    if not len(equations):
        return estimate, variance
    rows, cells, signs = equations.rows, equations.cells, equations.signs
    known = np.isfinite(variance)
    missing = np.bincount(rows, ~known[cells], minlength=len(equations)).astype(np.int64)
    spread = np.bincount(rows, np.where(known, variance, 0.0)[cells], minlength=len(equations))
    total = np.bincount(rows, np.where(known, estimate, 0.0)[cells] * signs, minlength=len(equations))
    # Sums of which every other figure is known; what they leave for this one.
    use = missing[rows] == ~known[cells]
    others = spread[rows] - np.where(known, variance, 0.0)[cells]
    use &= others > 0
    left = -(total[rows] - np.where(known, estimate, 0.0)[cells] * signs) * signs
    np.add.at(precision, cells[use], 1.0 / others[use])
    np.add.at(weighted, cells[use], left[use] / others[use])
    np.divide(1.0, precision, out=variance, where=precision > 0)
    np.divide(weighted, precision, out=estimate, where=precision > 0)
    return estimate, variance


def averaging_audit(
    joint: Joint,
    pieces: Sequence[Piece],
    variances: Mapping[str, float],
    names: Sequence[str],
    *,
    min_count: int,
    max_certainty: float = MAX_CERTAINTY,
) -> Audit:
    """Small counts, 1 <= x <= min_count - 1, that averaging makes certain; `names` are those of the joint cells."""
    estimate, variance = averaged(joint, pieces, variances)
    noisy = np.isfinite(variance) & (variance > 0)
    certainty = np.zeros(len(variance))
    certainty[noisy] = _certainty(variance[noisy])
    nearest = np.rint(np.where(np.isnan(estimate), 0, estimate)).astype(np.int64)
    small = (nearest >= 1) & (nearest < min_count)
    if (joint.truth >= 0).any():
        small &= (joint.truth < 0) | ((joint.truth >= 1) & (joint.truth < min_count))
    hits = np.flatnonzero(noisy & small & (certainty > max_certainty))
    by = ", ".join(piece.name for piece in pieces)

    def tell(cell: int) -> Finding:
        text = (
            f"all figures that add up to it or hold it put it at {estimate[cell]:.2f} with a standard error of "
            f"{np.sqrt(variance[cell]):.2f}: it is {nearest[cell]} with a probability of {certainty[cell]:.2f}"
        )
        return Finding(kind="averaging", severity="disclosure", table=by, cell=names[cell], witness=text)

    least = float(np.sqrt(variance[noisy].min())) if noisy.any() else None
    told = Audit(
        checked=("noise averaged over the sums that each figure stands in, by precision",),
        figures={f"{by}: smallest standard error after averaging": least},
    )
    return listed(by, "averaging", hits[:MOST_LISTED].tolist(), tell, len(hits)).joined(told)


def _own(joint: Joint, pieces: Sequence[Piece], variances: Mapping[str, float]) -> tuple[np.ndarray, np.ndarray]:
    """Precision of each cell's own figures and their weighted sum; a value shown twice counts once."""
    size = len(joint.system)
    cells, values, spreads = [], [], []
    for piece, place in zip(pieces, joint.places, strict=True):
        if piece.name in variances:
            told = (place >= 0) & (piece.markers == SHOWN)
            cells.append(place[told])
            values.append(piece.values[told])
            spreads.append(np.full(int(told.sum()), variances[piece.name]))
    precision, weighted = np.zeros(size), np.zeros(size)
    if cells:
        cell, value, spread = (np.concatenate(each) for each in (cells, values, spreads))
        pairs, first = np.unique(np.stack([cell, value], axis=1), axis=0, return_index=True)
        np.add.at(precision, pairs[:, 0], 1.0 / spread[first])
        np.add.at(weighted, pairs[:, 0], pairs[:, 1] / spread[first])
    return precision, weighted


def _certainty(variance: np.ndarray) -> np.ndarray:
    """How often a normal error of each variance is below a half."""
    return np.array([erf(0.5 / sqrt(2 * each)) for each in variance.tolist()])
