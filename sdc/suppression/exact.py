"""The best suppression pattern of a small table: least weight that meets every demand, proven.

One 0-1 variable per cell.  That a demand is met is said by cuts: where a pattern
falls short, the dual of the reader's programme names cells of which more must be
hidden, Σ a h >= target (`sdc.suppression.deviations`).  Cuts are gathered first on
the linear relaxation, then on whole patterns, each time solving again, until a
whole pattern meets everything.  A second kind, for cells hidden without need of
their own: nobody hides a cell alone in a sum.

Counts are whole, the reader's programme is not: where the table is no network
its interval may hold ends that no table of whole numbers reaches.  So the pattern
is attacked in whole numbers at the end, and what fails there is cut off.

Source: M. Fischetti and J. J. Salazar-González, "Models and algorithms for
optimizing cell suppression in tabular data with linear constraints", Journal of
the American Statistical Association 95 (2000), 916–928; J. Benders (1962) for
the decomposition.  NP-hard: for tables of a few hundred cells.
"""

from dataclasses import dataclass, field

import numpy as np

from common.progress import SILENT, Progress
from sdc.solver import OPTIMAL, STOPPED, Programme, Rows
from sdc.suppression.attacked import attacked_demands
from sdc.suppression.cover import cover_demands, free_cells
from sdc.suppression.demands import Demands, Room, refusal, room_of
from sdc.suppression.deviations import SLACK, Move, Reader
from sdc.suppression.proofs import Proofs, look_at, prove_demands
from sdc.system import CellSystem

__all__ = ["Optimum", "optimal_suppression"]

# Rounds of cuts on the linear relaxation; rounds without progress after which whole patterns are tried.
MOST_ROUNDS = 60
PATIENCE = 4
# Whole patterns that are tried, and nodes of the search tree for each.
MOST_PATTERNS = 200
BRANCHES = 20_000
# A cut must be violated by this share of its right side.
VIOLATED = 1e-4


@dataclass(frozen=True, kw_only=True, eq=False)
class Optimum:
    """The best pattern found.

    Attributes
    ----------
    hidden : bool of shape (cells,), the primaries among them; False for what stands in no published table.
    status : OPTIMAL, or STOPPED where the search ended before the proof.
    cost : sum of the weights of hidden cells that are no primaries.
    bound : no pattern costs less.
    figures : rounds, cuts, patterns tried and programmes solved.
    """

    hidden: np.ndarray
    status: str
    cost: float
    bound: float
    figures: dict[str, int] = field(default_factory=dict)


def optimal_suppression(
    system: CellSystem,
    *,
    primary: np.ndarray,
    lower_level: np.ndarray,
    upper_level: np.ndarray,
    weights: np.ndarray,
    width_level: np.ndarray | None = None,
    also: Demands | None = None,
    may_hide: np.ndarray | None = None,
    room: Room | None = None,
    whole: bool = True,
    branches: int = BRANCHES,
    progress: Progress = SILENT,
) -> Optimum:
    """Hide the cells of least total weight so that every primary cell is protected.

    For each primary with count x the interval that a reader can prove must
    cover [x - lower, x + upper] and be `width` wide.

    Parameters
    ----------
    primary : bool of shape (cells,), cells hidden in any case.
    lower_level, upper_level, width_level : of shape (cells,); only those of primaries count.
    weights : of shape (cells,), above 0, what hiding a cell costs.  Among patterns
        of equal weight the solver's choice is not random: perturb the weights by the key.
    also : further demands, such as those of lone claimants; their cells must be primaries.
    may_hide : bool, what may be hidden beside primaries; everything published where nothing is said.
    room : what a reader knows beforehand; counts from 0 where nothing is said.
    whole : counts (True), attacked in whole numbers, or amounts.
    branches : nodes of the search tree for each whole pattern.

    Raises
    ------
    Infeasible
        Hiding all that may be hidden does not protect some primary.
    ValueError
        Shapes are wrong, or a weight is not above 0.
    """
    cells = np.flatnonzero(primary)
    width = np.zeros(len(system)) if width_level is None else width_level
    demands = Demands.of(cells, lower=lower_level[cells], upper=upper_level[cells], width=width[cells])
    if also is not None:
        demands = demands.and_also(also)
    if primary.shape != (len(system),) or weights.shape != primary.shape:
        raise ValueError("primary and weights must have one entry per cell")
    may_hide = system.shown if may_hide is None else may_hide & system.shown
    if np.any(weights[may_hide] <= 0):
        raise ValueError("weights must be above 0")
    search = _Search(
        system=system,
        demands=demands,
        weights=weights.astype(float),
        always=primary | ~system.shown,
        optional=may_hide & ~primary,
        room=room or room_of(system),
        whole=whole,
        branches=branches,
    )
    return search.run(progress)


class _Search:
    """State of one search: the master programme, its cuts, and the best pattern met."""

    def __init__(
        self,
        *,
        system: CellSystem,
        demands: Demands,
        weights: np.ndarray,
        always: np.ndarray,
        optional: np.ndarray,
        room: Room,
        whole: bool,
        branches: int,
    ) -> None:
        self.system, self.demands, self.room, self.whole = system, demands, room, whole
        self.always, self.optional = always, optional
        self.costs = np.where(optional, weights, 0.0)
        self.weights = np.where(optional, weights, 1.0)
        self.reader = Reader(system.equations, room)
        lower, upper = always.astype(float), (always | optional).astype(float)
        self.master = Programme(self.costs, lower=lower, upper=upper, rows=Rows(), branches=branches, gap=1e-9)
        self.figures = {"rounds": 0, "cuts": 0, "patterns": 0}
        self.best: np.ndarray | None = None
        self.bound = 0.0

    def run(self, progress: Progress) -> Optimum:
        """Look for the best pattern."""
        self._check_feasible()
        progress.step("cuts")
        self._relax(progress)
        self._keep(self._repaired(self.always))
        progress.step("patterns")
        status = self._try_patterns(progress)
        assert self.best is not None
        self.figures["programmes"] = self.reader.solves + self.master.solves
        return Optimum(
            hidden=self.best & self.system.shown,
            status=status,
            cost=self._cost(self.best),
            bound=min(self.bound, self._cost(self.best)),
            figures=self.figures,
        )

    def _cost(self, hidden: np.ndarray) -> float:
        return float(self.costs[hidden].sum())

    def _check_feasible(self) -> None:
        """Refuse demands that hiding everything does not meet; where it does, it is a pattern to begin with."""
        everything = self.always | self.optional
        self.reader.open(everything.astype(float))
        failed = self.demands.cells[
            prove_demands(self.reader, self.demands, Proofs(self.demands, self.room, whole=False))
        ]
        if not len(failed) and self.whole:
            failed = self.demands.cells[self._broken(everything)]
        if len(failed):
            raise refusal(self.system, failed, "hiding all that may be hidden does not protect")
        self.best = everything

    def _relax(self, progress: Progress) -> None:
        """Gather cuts on the linear relaxation."""
        last, waited = -np.inf, 0
        for _ in range(MOST_ROUNDS):
            solution = self.master.solve()
            assert solution.values is not None
            self.bound = max(self.bound, solution.bound)
            waited = 0 if solution.objective > last + 1e-6 * max(1.0, abs(last)) else waited + 1
            last = solution.objective
            cuts = Rows()
            self._add_lonely(cuts, solution.values)
            self._add_short(cuts, solution.values, relaxed=True)
            if not len(cuts) or waited > PATIENCE:
                return
            self._add(cuts)
            self.figures["rounds"] += 1
            progress.advance()

    def _try_patterns(self, progress: Progress) -> str:
        """Solve for whole patterns and cut off those that fall short, until one does not."""
        self.master.set_integer(self.optional)
        for _ in range(MOST_PATTERNS):
            if self.best is not None:
                if self._cost(self.best) <= self.bound * (1 + 1e-9) + 1e-9:
                    return OPTIMAL
                self.master.start_from(self.best.astype(float))
            solution = self.master.solve()
            if solution.values is None:
                return STOPPED
            self.bound = max(self.bound, solution.bound)
            hidden = solution.values > 0.5
            self.figures["patterns"] += 1
            progress.advance()
            cuts = Rows()
            self._add_lonely(cuts, hidden.astype(float))
            self._add_short(cuts, hidden.astype(float), relaxed=False)
            if not len(cuts) and self.whole and len(self._broken(hidden)):
                self._add_one_more(cuts, hidden)
            if not len(cuts):
                self._keep(hidden)
                if solution.status != OPTIMAL:
                    return STOPPED
                continue
            self._add(cuts)
            if self.figures["patterns"] == 1:
                self._keep(self._repaired(hidden))
        return STOPPED

    def _keep(self, hidden: np.ndarray | None) -> None:
        """Note a pattern that meets all demands, if it is the best so far."""
        if hidden is not None and (self.best is None or self._cost(hidden) < self._cost(self.best) - 1e-12):
            self.best = hidden

    def _repaired(self, hidden: np.ndarray) -> np.ndarray | None:
        """A pattern that meets all demands and hides these cells or fewer of them; None where the heuristic fails."""
        closed = ~(self.always | self.optional)
        proofs = Proofs(self.demands, self.room, whole=False)
        covered = cover_demands(
            self.system.equations,
            self.demands,
            room=self.room,
            weights=self.weights,
            hidden=hidden,
            closed=closed,
            proofs=proofs,
            together=False,
        )
        if proofs.missing().any():
            covered = self.always | self.optional
        freed = free_cells(
            self.system.equations,
            self.demands,
            room=self.room,
            weights=self.weights,
            hidden=covered,
            optional=self.optional,
            proofs=proofs,
        )
        return None if self.whole and len(self._broken(freed)) else freed

    def _broken(self, hidden: np.ndarray) -> np.ndarray:
        """Demands that a reader who knows that counts are whole breaks: their numbers."""
        return np.flatnonzero(~attacked_demands(self.system, self.demands, hidden, self.room, whole=True))

    def _add(self, cuts: Rows) -> None:
        self.master.add_rows(cuts)
        self.figures["cuts"] += len(cuts)

    def _add_lonely(self, cuts: Rows, shares: np.ndarray) -> None:
        """No cell without a demand of its own is hidden alone in a sum: h <= sum of the others."""
        equations = self.system.equations
        sums = np.add.reduceat(shares[equations.cells], equations.starts[:-1])
        alone = 2 * shares[equations.cells] > sums[equations.rows] + VIOLATED
        for entry in np.flatnonzero(alone & self.optional[equations.cells]).tolist():
            cells, _ = equations.entries(int(equations.rows[entry]))
            cuts.add(cells, np.where(cells == equations.cells[entry], -1.0, 1.0), 0.0, np.inf)

    def _add_short(self, cuts: Rows, shares: np.ndarray, *, relaxed: bool) -> None:
        """Cuts for demands that fall short where cells are open by these shares.

        On the relaxation no cell is let move further than the target: it need
        not on a network, and the cuts are sharper.  They hold all the same.
        """
        demands = self.demands
        if not relaxed:
            self.reader.open(shares)
            failed = prove_demands(self.reader, demands, Proofs(demands, self.room, whole=False))
            self._add_cuts(cuts, shares, np.flatnonzero(failed))
            return
        targets = np.maximum(np.maximum(demands.lower, demands.upper), demands.width)
        for target in np.unique(targets).tolist():
            self.reader.open(shares, target)
            self._add_cuts(cuts, shares, self._doubtful(np.flatnonzero(targets == target)))

    def _doubtful(self, group: np.ndarray) -> np.ndarray:
        """Demands of a group that moving many cells at once does not show to be met."""
        demands = self.demands
        left = group
        while len(left) > 3:
            met = (demands.width[left] == 0) & (demands.reader[left] < 0)
            for up, levels in ((True, demands.upper), (False, demands.lower)):
                cells, at = np.unique(demands.cells[left], return_index=True)
                moved = self.reader.move_together(cells, levels[left[at]], up=up)[demands.cells[left]]
                met &= (moved if up else -moved) >= levels[left] * (1 - SLACK)
            if met.sum() < 0.2 * len(left):
                break
            left = left[~met]
        return left

    def _add_cuts(self, cuts: Rows, shares: np.ndarray, among: np.ndarray) -> None:
        """Cuts for those of some demands that fall short."""
        for k in among.tolist():
            moves, met = look_at(self.reader, self.demands, k)
            if met:
                continue
            for up, target in self._levels(k):
                if target > 0:
                    self._cut(cuts, shares, [move for move in moves if move.up == up], target)
            if self.demands.width[k] > 0:
                self._cut(cuts, shares, moves, float(self.demands.width[k]))

    def _levels(self, k: int) -> tuple[tuple[bool, float], tuple[bool, float]]:
        return (True, float(self.demands.upper[k])), (False, float(self.demands.lower[k]))

    def _cut(self, cuts: Rows, shares: np.ndarray, moves: list[Move], target: float) -> None:
        """Note Σ a h >= target, where the shares break it."""
        helps = np.minimum(sum((self.reader.helps(move, target) for move in moves), np.zeros(len(shares))), target)
        if helps @ shares >= target * (1 - VIOLATED):
            return
        known = float(helps[self.always].sum())
        cells = np.flatnonzero((helps > 0) & self.optional)
        right = (target - known) * (1 - SLACK)
        cuts.add(cells, np.minimum(helps[cells], right), right, np.inf)

    def _add_one_more(self, cuts: Rows, hidden: np.ndarray) -> None:
        """Hiding less can only tell more: some cell must be hidden beyond these."""
        cells = np.flatnonzero(self.optional & ~hidden)
        cuts.add(cells, np.ones(len(cells)), 1.0, np.inf)
