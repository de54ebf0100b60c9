"""A pattern of hidden cells under attack: are the demands met?  Knows nothing of how the pattern was made."""

import numpy as np

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
    system: CellSystem, demands: Demands, hidden: np.ndarray, room: Room, *, whole: bool, branches: int = 5000
) -> np.ndarray:
    """Which demands are met under attack, one attack for each thing a reader may know: bool of shape (demands,).

    Only what a table was met for counts as met.
    """
    lo, hi = bounds_of(system, hidden, room)
    met = np.zeros(len(demands), np.bool_)
    for reader in np.unique(demands.reader).tolist():
        at = np.flatnonzero(demands.reader == reader)
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
