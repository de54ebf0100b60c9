"""A pattern of hidden cells under attack: are the demands met?  Knows nothing of how the pattern was made."""

import numpy as np

from sdc.attack.changes import Changes
from sdc.attack.intervals import NO_BOUND
from sdc.attack.programmes import Demand, feasible_intervals
from sdc.suppression.demands import Demands, Room
from sdc.suppression.deviations import SLACK
from sdc.system import CellSystem

__all__ = ["attacked_demands", "bounds_of"]


def bounds_of(system: CellSystem, hidden: np.ndarray, room: Room) -> tuple[np.ndarray, np.ndarray]:
    """What a reader knows of each cell before any sum: lo and hi, int64 of shape (cells,)."""
    free = hidden | ~system.shown
    down = np.where(free, room.down, 0.0)
    up = np.where(free, room.up, 0.0)
    lo = system.counts - np.floor(down).astype(np.int64)
    hi = np.where(np.isinf(up), NO_BOUND, system.counts + np.where(np.isinf(up), 0, np.floor(up))).astype(np.int64)
    return lo, hi


def attacked_demands(
    system: CellSystem,
    demands: Demands,
    hidden: np.ndarray,
    room: Room,
    *,
    whole: bool,
    branches: int = 5000,
    changes: Changes | None = None,
) -> np.ndarray:
    """Which demands are met under attack, one attack for each thing a reader may know: bool of shape (demands,).

    Only what a table was met for counts as met.  `changes` of counts are checked
    first, and spare what they show to be met another attack.
    """
    lo, hi = bounds_of(system, hidden, room)
    met = np.zeros(len(demands), np.bool_)
    if changes is not None:
        met = _shown_by(changes, system, demands, lo, hi)
    for reader in np.unique(demands.reader[~met]).tolist():
        at = np.flatnonzero((demands.reader == reader) & ~met)
        some = demands.chosen(at)
        x = system.counts[some.cells]
        low, high = lo.copy(), hi.copy()
        known = some.known(0)
        low[known] = high[known] = system.counts[known]
        least = np.floor(x - np.maximum(some.lower, some.width)).astype(np.int64)
        most = np.ceil(x + np.maximum(some.upper, some.width)).astype(np.int64)
        found = feasible_intervals(
            system.equations,
            low,
            high,
            asked=some.cells,
            whole=whole,
            start=system.counts,
            demand=Demand(lo=least, hi=most),
            branches=branches,
        )
        slack = SLACK * np.maximum(1.0, np.abs(x))
        covered = (found.seen_lo <= x - some.lower + slack) & (found.seen_hi >= x + some.upper - slack)
        met[at] = covered & (found.seen_hi - found.seen_lo >= some.width - slack)
    return met


def _shown_by(changes: Changes, system: CellSystem, demands: Demands, lo: np.ndarray, hi: np.ndarray) -> np.ndarray:
    """Demands that changes show to be met: bool of shape (demands,)."""
    standing = changes.standing(system.equations, system.counts, lo, hi)
    fall, rise = np.zeros(len(demands)), np.zeros(len(demands))
    order = np.argsort(demands.reader, kind="stable")
    for at in np.split(order, np.flatnonzero(np.diff(demands.reader[order])) + 1):
        if len(at):
            usable = standing & ~changes.touching(demands.known(int(at[0])))
            fall[at], rise[at] = changes.reach(demands.cells[at], usable)
    shown: np.ndarray = (fall >= demands.lower) & (rise >= demands.upper) & (fall + rise >= demands.width)
    return shown
