"""Suppression of amounts: cells that a large contributor dominates, with p% protection.

A cell of total X with the largest contributions x1 and x2 is unsafe where
X - x1 - x2 < p / 100 · x1, and is protected where what a reader can prove of its
total leaves at least

    p / 100 · x1 - (X - x1 - x2)

above it, and as much below (`sdc.rules.amounts`).  Amounts are no whole numbers:
any value between counts as a table.  They stand in their smallest unit (pence,
cents) as whole numbers, so that sums are exact.

A cell of one contributor protects nobody against that contributor, who knows it:
with `lone` such cells do not help each other.

Source: Hundepool et al., *Handbook on Statistical Disclosure Control*, 2nd ed.
(2024), 4.2 (levels) and 4.4 (suppression).
"""

from dataclasses import dataclass, field

import numpy as np

from common.progress import SILENT, Progress
from sdc.attack.intervals import NO_BOUND
from sdc.attack.programmes import Found, feasible_intervals
from sdc.rules.amounts import Amounts, Dominance, PPercent
from sdc.suppression.demands import Demands, Room
from sdc.suppression.general import GeneralSuppression, Suppressed, suppress_system
from sdc.system import CellSystem

__all__ = ["AmountSuppression", "amount_demands", "in_units", "proven_amounts", "suppress_amounts"]

# Tables of at most so many cells get the best pattern: few cells are unsafe in tables of amounts.
EXACT_CELLS = 300


@dataclass(frozen=True, kw_only=True)
class AmountSuppression:
    """How amounts are protected.

    Attributes
    ----------
    rule : what makes a cell unsafe, and how far it must be protected.
    lone : protect each unsafe cell from the contributor of every other unsafe cell that has one alone.
    empty : whether cells of amount 0 may be hidden beside unsafe ones; as a rule
        everybody knows that nobody contributes there.
    pattern : how the pattern is looked for.
    """

    rule: PPercent | Dominance
    lone: bool = False
    empty: bool = False
    pattern: GeneralSuppression = field(default_factory=lambda: GeneralSuppression(exact_cells=EXACT_CELLS))


def in_units(amounts: np.ndarray, decimals: int) -> np.ndarray:
    """Amounts in their smallest unit: int64, `decimals` places moved.

    Raises
    ------
    ValueError
        An amount has more places, or is too large.
    """
    scaled = amounts * 10.0**decimals
    whole = np.rint(scaled)
    if np.any(np.abs(scaled - whole) > 1e-3):
        raise ValueError(f"amounts must have at most {decimals} decimal places")
    if np.any(np.abs(whole) >= NO_BOUND // 2):
        raise ValueError("amounts are too large for this unit: use a larger one")
    return whole.astype(np.int64)


def amount_demands(system: CellSystem, amounts: Amounts, spec: AmountSuppression) -> Demands:
    """What must be hidden and how well: a demand for each unsafe cell, and more for lone contributors.

    `amounts` are per cell of the system, in the same unit.

    Raises
    ------
    ValueError
        The amounts' totals are not the system's.
    """
    if amounts.totals.shape != system.counts.shape or np.any(np.abs(amounts.totals - system.counts) > 0.5):
        raise ValueError("amounts must be those of the system's cells, in the same unit")
    unsafe = np.flatnonzero(spec.rule.flags(amounts).hit[0] & system.shown)
    level = spec.rule.protection(amounts)[unsafe]
    demands = Demands.of(unsafe, lower=np.minimum(level, system.counts[unsafe]), upper=level)
    return demands.and_also(_lone_demands(amounts, unsafe, demands)) if spec.lone else demands


def _lone_demands(amounts: Amounts, unsafe: np.ndarray, demands: Demands) -> Demands:
    """The same levels of each unsafe cell for a reader who is the only contributor of another."""
    alone = unsafe[(amounts.totals[unsafe] == amounts.contribution(1)[unsafe]) & (amounts.totals[unsafe] > 0)]
    known, at = (each.ravel() for each in np.meshgrid(alone, np.arange(len(unsafe))))
    other = known != unsafe[at]
    known, at = known[other], at[other]
    return Demands.of(unsafe[at], lower=demands.lower[at], upper=demands.upper[at], known=known)


def suppress_amounts(
    system: CellSystem,
    amounts: Amounts,
    *,
    spec: AmountSuppression,
    weights: np.ndarray | None = None,
    room: Room | None = None,
    progress: Progress = SILENT,
) -> Suppressed:
    """Hide unsafe cells, and others of little weight, so that each unsafe one is protected.

    Parameters
    ----------
    system : amounts in their smallest unit.
    amounts : the same, with the largest contributions.
    weights : what hiding each cell costs, above 0; its amount, 1 at least, where
        nothing is said.  Perturb them by the key: ties are no rule then.
    room : what a reader knows beforehand; amounts from 0 where nothing is said.

    Raises
    ------
    Infeasible
        Some unsafe cell cannot be protected.
    """
    weights = np.maximum(system.counts, 1).astype(float) if weights is None else weights
    return suppress_system(
        system,
        amount_demands(system, amounts, spec),
        weights=weights,
        may_hide=None if spec.empty else system.counts > 0,
        room=room,
        whole=False,
        spec=spec.pattern,
        progress=progress,
    )


def proven_amounts(system: CellSystem, hidden: np.ndarray, asked: np.ndarray) -> Found:
    """What a reader of the published amounts can prove of the asked cells: float64 intervals in the system's unit."""
    free = hidden | ~system.shown
    return feasible_intervals(
        system.equations,
        np.where(free, 0, system.counts),
        np.where(free, NO_BOUND, system.counts),
        asked=asked,
        whole=False,
        start=system.counts,
    )
