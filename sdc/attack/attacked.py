"""One table under attack: what is known of it, what it shows to be possible, and why."""

from dataclasses import dataclass, field, replace

import numpy as np

from common.progress import SILENT, Progress
from sdc.attack.intervals import Intervals, shown_values
from sdc.attack.maxflow import Residual, feasible_residual
from sdc.attack.witness import Names, because, between, flat_bounds
from sdc.network import Network, build_network, flatten, unflatten
from sdc.tables import SafeTable, Table

__all__ = ["Attacked", "attack_table", "begin"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Attacked:
    """A table with the attacker's bounds.

    Attributes
    ----------
    own : what each cell's value says by itself, with what else is known of it.
    bounds : what propagation makes of that, in this table and through those it shares figures with.
    tight : as `bounds`, made exact for the cells that were asked.
    residual : the flow that the intervals came from; None where the theorem gave them.
    inexact : asked cells whose upper bound was followed far enough, not to its end.
    """

    name: str
    safe: SafeTable
    truth: Table | None
    network: Network
    own: Intervals
    bounds: Intervals
    tight: Intervals
    residual: Residual | None = None
    inexact: int = 0
    _for_witness: list[Residual] = field(default_factory=list)

    @property
    def names(self) -> Names:
        """What the table's cells are called."""
        return Names(self.safe)

    def tightened(self, tight: Intervals) -> "Attacked":
        """The same with other tight intervals."""
        return replace(self, tight=tight)

    def narrowed(self) -> int:
        """Cells of which the whole says more than the cell does by itself."""
        pairs = zip((*self.tight.lo,), (*self.tight.hi,), self.own.lo, self.own.hi, strict=True)
        return int(sum(((lo > own_lo) | (hi < own_hi)).sum() for lo, hi, own_lo, own_hi in pairs))

    def reason(self, level: int, unit: int, column: int) -> str:
        """Why a cell's tight interval is what it is, from published values and sums."""
        cell = self.network.cell(level, unit, column)
        lo, hi = (int(self.tight.lo[level][unit, column]), int(self.tight.hi[level][unit, column]))
        own = (int(self.own.lo[level][unit, column]), int(self.own.hi[level][unit, column]))
        alone, together = "which alone says", "and all tables together leave"
        if self.residual is None or own == (lo, hi):
            return because(self.names, flat_bounds(self.own), cell, None, None, says=alone)
        text = ""
        for residual, bounds, says in zip(self._witnesses(), (self.own, self.bounds), (alone, together), strict=True):
            low, high = residual.extreme(cell, up=False), residual.extreme(cell, up=True)
            text = because(self.names, flat_bounds(bounds), cell, low.cut, high.cut, says=says)
            if (low.value, high.value) == (lo, hi):
                return text
        return f"{text}; the other tables leave {between(lo, hi)}"

    def _witnesses(self) -> list[Residual]:
        """Flows kept for explaining, under each cell's own bounds and under the joint ones."""
        if not self._for_witness and self.residual is not None:
            flow = self.residual.state.flow
            for bounds in (self.own, self.bounds):
                self._for_witness.append(Residual(self.network, *flat_bounds(bounds), flow))
        return self._for_witness


def begin(name: str, safe: SafeTable, truth: Table | None, own: Intervals, bounds: Intervals) -> Attacked:
    """A table with its bounds, before any cell is asked."""
    network = build_network(safe.hierarchy, len(safe.classification))
    return Attacked(name=name, safe=safe, truth=truth, network=network, own=own, bounds=bounds, tight=bounds)


def attack_table(
    table: Attacked, asked: tuple[np.ndarray, ...], *, enough: int, width: int, progress: Progress = SILENT
) -> Attacked:
    """The table with exact intervals for the asked cells (bool per level, of the tables' shape).

    Upper bounds are followed up to max(enough, lo + width).

    Raises
    ------
    NoTable
        No true table fits the bounds.
    """
    network, safe = table.network, table.safe
    start = table.truth.counts if table.truth else tuple(values for values, _ in shown_values(safe))
    lower, upper = flat_bounds(table.bounds)
    residual = feasible_residual(network, lower, upper, flatten(start))
    cells = np.flatnonzero(flatten(asked))
    progress.step(f"attack {table.name}", len(cells))
    lo, hi, exact = residual.intervals(cells, enough=enough, width=width, progress=progress)
    lower[cells], upper[cells] = lo, hi
    tight = Intervals(
        lo=unflatten(lower, safe.hierarchy, network.columns), hi=unflatten(upper, safe.hierarchy, network.columns)
    )
    return replace(table, tight=tight, residual=residual, inexact=int((~exact).sum()))
