"""Suppression on a table of any shape: exact where it is small, by boxes or piece by piece where it is large.

Several margins at once, two hierarchies, linked tables with shared cells: one
system of cells and sums.  Up to `exact_cells` the pattern is the best one
(`sdc.suppression.exact`).  Beyond, cubes of counts are protected by boxes
(`sdc.suppression.crossed`).  In all other tables, and for what boxes leave, demands
are met in neighbourhoods of some hundred cells (`sdc.suppression.nearby`), each
with its own linear programmes, and cells are freed again in the same pieces.
Demands that cannot be met nearby are tried in larger pieces, at last in the whole.

Every demand ends with a certificate (`sdc.suppression.certificates`), checked
exactly, cell by cell: the pattern meets the demands however it was found.  It is
a modular pass in the words of τ-ARGUS; unlike there, what a module proves holds
in the whole table.
"""

from dataclasses import dataclass, field

import numpy as np

from common.progress import SILENT, Progress
from sdc.suppression.boxsearch import NEVER
from sdc.suppression.crossed import Crossed
from sdc.suppression.demands import Demands, Room, room_of
from sdc.suppression.exact import optimal_suppression
from sdc.suppression.pieces import Pieces
from sdc.system import CellSystem

__all__ = ["GeneralSuppression", "Suppressed", "heuristic", "meet_demands", "protect_cube", "suppress_system"]


@dataclass(frozen=True, kw_only=True)
class GeneralSuppression:
    """How a pattern is looked for.

    Attributes
    ----------
    exact_cells : tables of at most so many cells get the best pattern.
    pieces : cells of a neighbourhood, growing from one try to the next.
    rounds : how often a large table is gone through; the cheapest pattern is kept.
    again_cells : cubes of more cells are gone through in one round.
    passes : how often, in each round of a small cube, cells are tried again under moved prices.
    pass_cells : cells that are tried in all passes of a round; large cubes get one pass.
    polish_cells : in cubes of at most so many cells, cells are tried once more by linear programmes.
    branches : nodes of the search tree, in the exact search and for whole certificates.
    """

    exact_cells: int = 100
    pieces: tuple[int, ...] = (800, 2400, 7200)
    rounds: int = 2
    again_cells: int = 10_000
    passes: int = 8
    pass_cells: int = 10_000
    polish_cells: int = 1000
    branches: int = 5000

    def __post_init__(self) -> None:
        if self.exact_cells < 0:
            raise ValueError(f"exact_cells ({self.exact_cells}) must be at least 0")
        if self.branches < 1 or self.rounds < 1:
            raise ValueError(f"branches ({self.branches}) and rounds ({self.rounds}) must be at least 1")
        if min(self.passes, self.again_cells, self.pass_cells, self.polish_cells) < 0:
            raise ValueError(f"passes ({self.passes}), again_cells, pass_cells and polish_cells must be at least 0")
        if not self.pieces or min(self.pieces) < 2 or list(self.pieces) != sorted(self.pieces):
            raise ValueError(f"pieces ({self.pieces}) must be numbers of cells, at least 2, growing")


@dataclass(frozen=True, kw_only=True, eq=False)
class Suppressed:
    """A pattern that meets all demands.

    `hidden` (bool of shape (cells,)) marks published cells that may not be told;
    `path` is ``exact``, ``boxes`` or ``pieces``; `bound` is a weight that no pattern goes
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
    if whole and system.lattice is not None:
        cube = protect_cube(system, demands, prices=weights, may_hide=may_hide, room=room, spec=spec, progress=progress)
        return heuristic(system, cube.hidden, primary, weights, "boxes", {"changes": 2 * len(cube.demands)})
    pieces = _pieces_of(system, demands, weights=weights, may_hide=may_hide, room=room, whole=whole, spec=spec)
    hidden = pieces.protect(progress)
    return heuristic(system, hidden, primary, weights, "pieces", dict(pieces.figures))


def heuristic(
    system: CellSystem, hidden: np.ndarray, primary: np.ndarray, weights: np.ndarray, path: str, figures: dict[str, int]
) -> Suppressed:
    """A pattern that is proven to be safe, not to be best."""
    hidden = hidden & system.shown
    cost = float(weights[hidden & ~primary].sum())
    return Suppressed(hidden=hidden, path=path, status="heuristic", cost=cost, bound=0.0, figures=figures)


def protect_cube(
    system: CellSystem,
    demands: Demands,
    *,
    prices: np.ndarray,
    may_hide: np.ndarray,
    room: Room,
    spec: GeneralSuppression,
    progress: Progress = SILENT,
) -> Crossed:
    """A pattern of a cube by boxes, the cheapest of some rounds, ready to take further demands on.

    From the second round on, the cells of the best pattern so far are cheaper
    than others, so that demands agree on cells that serve many of them.

    Raises
    ------
    Infeasible
        A demand is not met by any pattern that was found.
    """
    rounds = 1 if len(system) > spec.again_cells else spec.rounds
    passes = min(spec.passes, max(1, spec.pass_cells // max(1, len(system))))
    best: Crossed | None = None
    number = 0
    for _ in range(rounds):
        cube = Crossed(system, demands, prices=prices, may_hide=may_hide, room=room)
        cube.move_prices(number, None if best is None else best.hidden)
        meet_demands(cube, np.arange(len(demands)), spec=spec, progress=progress)
        cube.move_prices(0)
        cube.free(progress)
        for _ in range(passes):
            number += 1
            cube.move_prices(number)
            cube.free(progress)
        cube.move_prices(0)
        if len(system) <= spec.polish_cells:
            _polish(cube, spec, progress)
        if best is None or cube.cost < best.cost - 1e-9:
            best = cube
    assert best is not None
    return best


def meet_demands(cube: Crossed, numbers: np.ndarray, *, spec: GeneralSuppression, progress: Progress = SILENT) -> None:
    """Meet demands by boxes, and by linear programmes in pieces of the table where no boxes are found.

    Raises
    ------
    Infeasible
        A demand is not met by any pattern that was found.
    """
    left = cube.cover(numbers, progress)
    if len(left):
        pieces = _pieces_from(cube, spec)
        pieces.refuse(pieces.cover(left, pieces.weights, progress))
        cube.take_over(pieces.hidden)


def _polish(cube: Crossed, spec: GeneralSuppression, progress: Progress) -> None:
    """Show again what linear programmes find not to be needed: they find changes that boxes do not; then by boxes once more."""
    pieces = _pieces_from(cube, spec)
    pieces.free(progress)
    cube.take_over(pieces.hidden)
    cube.free(progress)


def _pieces_from(cube: Crossed, spec: GeneralSuppression) -> Pieces:
    """The pattern of a cube as far as it has come, for linear programmes to go on with."""
    payable = cube.prices < NEVER
    pieces = _pieces_of(
        cube.system,
        cube.demands,
        weights=np.where(payable, cube.prices, 1.0),
        may_hide=payable,
        room=cube.room,
        whole=True,
        spec=spec,
    )
    pieces.take_over(cube.hidden, cube.certificates)
    return pieces


def _pieces_of(
    system: CellSystem,
    demands: Demands,
    *,
    weights: np.ndarray,
    may_hide: np.ndarray,
    room: Room,
    whole: bool,
    spec: GeneralSuppression,
) -> Pieces:
    return Pieces(
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
