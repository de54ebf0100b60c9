"""Suppression on a table of any shape: exact where it is small, piece by piece where it is large.

Several margins at once, two hierarchies, linked tables with shared cells: one
system of cells and sums.  Up to `exact_cells` the pattern is the best one
(`sdc.suppression.exact`).  Beyond, demands are met in neighbourhoods of some
hundred cells (`sdc.suppression.nearby`), each with its own linear programmes, and
cells are freed again in the same pieces.  Demands that cannot be met nearby are
tried in larger pieces.

Every demand ends with a certificate (`sdc.suppression.certificates`), checked
exactly, cell by cell: the pattern meets the demands however it was found.  It is
a modular pass in the words of τ-ARGUS; unlike there, what a module proves holds
in the whole table.
"""

from dataclasses import dataclass, field

import numpy as np

from common.progress import SILENT, Progress
from sdc.suppression.demands import Demands, Room, room_of
from sdc.suppression.exact import optimal_suppression
from sdc.suppression.pieces import Pieces
from sdc.system import CellSystem

__all__ = ["GeneralSuppression", "Suppressed", "suppress_system"]


@dataclass(frozen=True, kw_only=True)
class GeneralSuppression:
    """How a pattern is looked for.

    Attributes
    ----------
    exact_cells : tables of at most so many cells get the best pattern.
    pieces : cells of a neighbourhood, growing from one try to the next.
    rounds : how often a large table is gone through; the cheapest pattern is kept.
    branches : nodes of the search tree, in the exact search and for whole certificates.
    """

    exact_cells: int = 300
    pieces: tuple[int, ...] = (800, 2400, 7200)
    rounds: int = 2
    branches: int = 5000

    def __post_init__(self) -> None:
        if self.exact_cells < 0:
            raise ValueError(f"exact_cells ({self.exact_cells}) must be at least 0")
        if self.branches < 1 or self.rounds < 1:
            raise ValueError(f"branches ({self.branches}) and rounds ({self.rounds}) must be at least 1")
        if not self.pieces or min(self.pieces) < 2 or list(self.pieces) != sorted(self.pieces):
            raise ValueError(f"pieces ({self.pieces}) must be numbers of cells, at least 2, growing")


@dataclass(frozen=True, kw_only=True, eq=False)
class Suppressed:
    """A pattern that meets all demands.

    `hidden` (bool of shape (cells,)) marks published cells that may not be told;
    `path` is ``exact`` or ``pieces``; `bound` is a weight that no pattern goes
    below (0 where nothing is proven), `cost` that of this one beside primaries.
    """

    hidden: np.ndarray
    path: str
    status: str
    cost: float
    bound: float
    figures: dict[str, int] = field(default_factory=dict)


def suppress_system(
    system: CellSystem,
    demands: Demands,
    *,
    weights: np.ndarray,
    may_hide: np.ndarray | None = None,
    room: Room | None = None,
    whole: bool = True,
    spec: GeneralSuppression | None = None,
    progress: Progress = SILENT,
) -> Suppressed:
    """Hide cells so that every demand is met, at little weight.

    Parameters
    ----------
    demands : their cells are the primaries, hidden in any case.
    weights : of shape (cells,), above 0, what hiding a cell costs; perturb them
        by the key, so that ties are no rule that could be turned round.
    may_hide : bool, what may be hidden beside primaries; everything published where nothing is said.
    room : what a reader knows beforehand; counts from 0 where nothing is said.
    whole : counts (True) or amounts.

    Raises
    ------
    Infeasible
        Some demand is not met by any pattern that was found.
    """
    spec, room = spec or GeneralSuppression(), room or room_of(system)
    may_hide = system.shown if may_hide is None else may_hide & system.shown
    primary = np.zeros(len(system), np.bool_)
    primary[demands.cells] = True
    if len(system) <= spec.exact_cells:
        best = optimal_suppression(
            system,
            primary=primary,
            lower_level=np.zeros(len(system)),
            upper_level=np.zeros(len(system)),
            weights=weights,
            also=demands,
            may_hide=may_hide,
            room=room,
            whole=whole,
            branches=spec.branches,
            progress=progress,
        )
        return Suppressed(
            hidden=best.hidden,
            path="exact",
            status=best.status,
            cost=best.cost,
            bound=best.bound,
            figures=best.figures,
        )
    pieces = Pieces(
        system,
        demands,
        weights=weights.astype(float),
        may_hide=may_hide,
        room=room,
        whole=whole,
        sizes=spec.pieces,
        rounds=spec.rounds,
        branches=spec.branches,
    )
    hidden = pieces.protect(progress)
    return Suppressed(
        hidden=hidden & system.shown,
        path="pieces",
        status="heuristic",
        cost=float(weights[hidden & system.shown & ~primary].sum()),
        bound=0.0,
        figures=dict(pieces.figures),
    )
