"""What is believed of a count by somebody who has every noisy figure that says something of it, and the ptable.

    P(x | figures)  ∝  prior(x) · Π over own figures P(noise = r - x) · exp(-Σ over sums (s - x)² / (2 v))

Figures of one count in several tables, with noise drawn for each, are weighed by the ptable itself, so that what
lies beyond its bound is ruled out.  Each sum that the count stands in gives another estimate s of it, the whole
less the other parts, with the variance v of these figures' noise (`sdc.attack.averaging`); that of several figures
together is near to normal.  The prior is that of `sdc.attack.noisebeliefs`, fitted to the figures of the table
that tells the count first, for its level and categories.

A small count, 1 <= x <= min_count - 1, is *too certain* where the likeliest value has more than `max_certainty`.
It is belief, not proof; sums are used one by one, so that what all of them say together is a little more.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sdc.attack.averaging import averaged, noise_variance
from sdc.attack.joint import Joint
from sdc.attack.listing import MOST_LISTED, listed
from sdc.attack.noisebeliefs import fit_noise_prior
from sdc.attack.pieces import Piece
from sdc.cellkey.ptable import KeyTable, PTable, noise_shares, rows_of
from sdc.findings import Audit, Finding
from sdc.tables import SHOWN

__all__ = ["CombinedBelief", "combined_audit", "combined_beliefs"]

# Standard errors that counts are followed to where no figure of their own bounds them; and the most counts.
FAR, MOST_COUNTS = 5.0, 200
# Precision that is left by the rounding of floats alone.
NOTHING = 1e-12


@dataclass(frozen=True, kw_only=True, eq=False)
class CombinedBelief:
    """What is believed of joint cells, in arrays of shape (cells,).

    `cells` are those whose likeliest count may be small; `counts` and `mass` are of shape (cells, counts).
    """

    cells: np.ndarray
    counts: np.ndarray
    mass: np.ndarray

    @property
    def likeliest(self) -> np.ndarray:
        """The count of greatest probability."""
        return self.counts[np.arange(len(self.cells)), self.mass.argmax(axis=1)] if len(self.cells) else self.cells

    @property
    def certainty(self) -> np.ndarray:
        """Its probability."""
        return self.mass.max(axis=1) if len(self.cells) else np.zeros(0)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Figures:
    """Every noisy figure that is shown: its joint cell, value and piece."""

    cell: np.ndarray
    value: np.ndarray
    piece: np.ndarray
    group: np.ndarray


def combined_beliefs(
    joint: Joint,
    pieces: Sequence[Piece],
    ptables: Mapping[str, PTable | KeyTable],
    *,
    min_count: int,
) -> CombinedBelief:
    """Posteriors of all cells that some noisy figure says something of and that may be small.

    `ptables` are by piece; pieces without one show true values, or say nothing here.
    """
    variances = {name: noise_variance(ptable) for name, ptable in ptables.items()}
    estimate, variance = averaged(joint, pieces, variances)
    figures = _figures(joint, pieces, ptables)
    bound = max((ptable.bound for ptable in ptables.values()), default=0)
    first = np.full(len(estimate), -1, np.int64)
    first[figures.cell[::-1]] = figures.value[::-1]
    spread = np.sqrt(np.where(np.isfinite(variance), variance, 0))
    far = np.minimum(np.where(first >= 0, bound, np.ceil(FAR * spread)), MOST_COUNTS).astype(np.int64)
    centre = np.where(first >= 0, first, np.rint(np.where(np.isnan(estimate), 0, estimate)).astype(np.int64))
    known = np.isfinite(variance) & (variance > 0) & (joint.lo < joint.hi)
    cells = np.flatnonzero(known & (centre - far < min_count))
    if not len(cells):
        return CombinedBelief(cells=cells, counts=np.zeros((0, 1), np.int64), mass=np.zeros((0, 1)))
    most = int(far[cells].max())
    counts = centre[cells, None] + np.arange(-most, most + 1)
    possible = (counts >= np.maximum(joint.lo[cells], 0)[:, None]) & (counts <= joint.hi[cells, None])
    kept = np.maximum(counts, 0)
    weight = np.where(possible, 0.0, -np.inf)
    weight += _of_sums(joint, pieces, variances, cells, kept, estimate, variance)
    weight += _of_figures(figures, pieces, ptables, cells, kept)
    weight += _prior(figures, pieces, ptables, cells, kept, len(estimate))
    best = weight.max(axis=1, keepdims=True)
    some = np.isfinite(best[:, 0])
    mass = np.exp(weight[some] - best[some])
    return CombinedBelief(cells=cells[some], counts=kept[some], mass=mass / mass.sum(axis=1, keepdims=True))


def combined_audit(
    joint: Joint,
    pieces: Sequence[Piece],
    ptables: Mapping[str, PTable | KeyTable],
    names: Sequence[str],
    *,
    min_count: int,
    max_certainty: float,
) -> Audit:
    """Small counts that all noisy figures together make too certain; `names` are those of the joint cells.

    Raises
    ------
    ValueError
        `max_certainty` is not above 0 and at most 1.
    """
    if not 0 < max_certainty <= 1:
        raise ValueError(f"max_certainty ({max_certainty}) must be above 0 and at most 1")
    by = ", ".join(piece.name for piece in pieces)
    belief = combined_beliefs(joint, pieces, ptables, min_count=min_count)
    likeliest, certainty = belief.likeliest, belief.certainty
    small = (likeliest >= 1) & (likeliest < min_count)
    true = joint.truth[belief.cells]
    small &= (true < 0) | ((true >= 1) & (true < min_count))
    hits = np.flatnonzero(small & (certainty > max_certainty))

    def tell(at: int) -> Finding:
        text = (
            f"with the ptable, every figure that shows it or adds up to it, and a prior fitted to the figures it is "
            f"{likeliest[at]} with a probability of {certainty[at]:.3f}, above the {max_certainty:g} that is allowed"
        )
        cell = names[int(belief.cells[at])]
        return Finding(kind="averaging", severity="disclosure", table=by, cell=cell, witness=text)

    firmest = float(np.where(small, certainty, 0).max(initial=0))
    told = Audit(
        checked=(
            f"{by}: no small count believed with more than {max_certainty:g}, by all noisy figures and sums together",
        ),
        figures={f"{by}: firmest belief in a small count, by all figures together": firmest},
    )
    return listed(by, "averaging, by posterior", hits[:MOST_LISTED].tolist(), tell, len(hits)).joined(told)


def _figures(joint: Joint, pieces: Sequence[Piece], ptables: Mapping[str, PTable | KeyTable]) -> _Figures:
    """Figures of one cell and value are one draw, told by the first piece that shows it."""
    parts: list[np.ndarray] = [np.empty((4, 0), np.int64)]
    for number, (piece, place) in enumerate(zip(pieces, joint.places, strict=True)):
        if piece.name not in ptables:
            continue
        told = (place >= 0) & (piece.markers == SHOWN)
        groups = _groups(piece)
        parts.append(np.stack([place[told], piece.values[told], np.full(int(told.sum()), number), groups[told]]))
    cell, value, numbers, group = np.concatenate(parts, axis=1)
    _, first = np.unique(np.stack([cell, value]), axis=1, return_index=True)
    first.sort()
    return _Figures(cell=cell[first], value=value[first], piece=numbers[first], group=group[first])


def _groups(piece: Piece) -> np.ndarray:
    """A number for every level of areas with every combination of the other places: int64 of the piece's shape."""
    starts = piece.axes[0].starts
    level = np.searchsorted(starts, np.arange(piece.values.shape[0]), side="right")
    others = np.arange(int(np.prod(piece.values.shape[1:]))).reshape(piece.values.shape[1:])
    return np.asarray(np.add.outer(level * others.size, others))


def _of_sums(
    joint: Joint,
    pieces: Sequence[Piece],
    variances: Mapping[str, float],
    cells: np.ndarray,
    counts: np.ndarray,
    estimate: np.ndarray,
    variance: np.ndarray,
) -> np.ndarray:
    """What sums say of each count: what all estimates do, less what the cell's own figures add to them."""
    own = _Own.of(joint, pieces, variances)
    precision = 1.0 / variance[cells] - own.precision[cells]
    weighted = estimate[cells] / variance[cells] - own.weighted[cells]
    some = precision > NOTHING
    precision, weighted = np.where(some, precision, 0.0), np.where(some, weighted, 0.0)
    return np.asarray(weighted[:, None] * counts - 0.5 * precision[:, None] * counts**2)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Own:
    precision: np.ndarray
    weighted: np.ndarray

    @classmethod
    def of(cls, joint: Joint, pieces: Sequence[Piece], variances: Mapping[str, float]) -> "_Own":
        """Precision of each cell's own figures and their weighted sum, a value that is shown twice counted once."""
        precision, weighted = np.zeros(len(joint.system)), np.zeros(len(joint.system))
        seen: list[np.ndarray] = [np.empty((2, 0), np.int64)]
        spreads: list[np.ndarray] = [np.empty(0)]
        for piece, place in zip(pieces, joint.places, strict=True):
            if piece.name in variances:
                told = (place >= 0) & (piece.markers == SHOWN)
                seen.append(np.stack([place[told], piece.values[told]]))
                spreads.append(np.full(int(told.sum()), variances[piece.name]))
        (cell, value), spread = np.concatenate(seen, axis=1), np.concatenate(spreads)
        _, first = np.unique(np.stack([cell, value]), axis=1, return_index=True)
        np.add.at(precision, cell[first], 1.0 / spread[first])
        np.add.at(weighted, cell[first], value[first] / spread[first])
        return cls(precision=precision, weighted=weighted)


def _of_figures(
    figures: _Figures,
    pieces: Sequence[Piece],
    ptables: Mapping[str, PTable | KeyTable],
    cells: np.ndarray,
    counts: np.ndarray,
) -> np.ndarray:
    """log Π P(figure | count) of each cell's own figures: float64 of the counts' shape."""
    row = np.full(int(max(cells.max(), figures.cell.max(initial=0))) + 1, -1, np.int64)
    row[cells] = np.arange(len(cells))
    weight = np.zeros(counts.shape)
    for number in np.unique(figures.piece).tolist():
        shares, first = noise_shares(ptables[pieces[number].name])
        own = np.flatnonzero((figures.piece == number) & (row[figures.cell] >= 0))
        at = row[figures.cell[own]]
        noise = figures.value[own, None] - counts[at] - first
        inside = (noise >= 0) & (noise < shares.shape[1])
        chance = shares[rows_of(ptables[pieces[number].name], counts[at]), np.clip(noise, 0, shares.shape[1] - 1)]
        with np.errstate(divide="ignore"):
            np.add.at(weight, at, np.log(np.where(inside, chance, 0.0)))
    return weight


def _prior(
    figures: _Figures,
    pieces: Sequence[Piece],
    ptables: Mapping[str, PTable | KeyTable],
    cells: np.ndarray,
    counts: np.ndarray,
    size: int,
) -> np.ndarray:
    """log prior of each count, by level and categories of the first table that shows the cell; flat where none does."""
    teller = np.full(size, -1, np.int64)
    teller[figures.cell[::-1]] = np.arange(len(figures.cell))[::-1]
    weight = np.zeros(counts.shape)
    at = teller[cells]
    for number in np.unique(figures.piece[at[at >= 0]]).tolist():
        ptable = ptables[pieces[number].name]
        of_piece = figures.piece == number
        rows = np.flatnonzero((at >= 0) & of_piece[at])
        for group in np.unique(figures.group[at[rows]]).tolist():
            members = of_piece & (figures.group == group)
            values, shown = np.unique(figures.value[members], return_counts=True)
            prior = fit_noise_prior(values, shown, ptable)
            here = rows[figures.group[at[rows]] == group]
            distinct, index = np.unique(counts[here], return_inverse=True)
            weight[here] += prior.log_mass(distinct)[index].reshape(len(here), -1)
    return weight
