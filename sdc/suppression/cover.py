"""Meeting demands on a table of any shape, and freeing what need not be hidden.

`cover_demands` opens the cheapest cells along which protected cells can move far
enough: first for many demands at once, each worth a growing reward, then for
those left one by one.  Cells that are hidden already cost next to nothing.
`free_cells` then shows hidden cells again, dearest first, as long as every demand
stays met.  Both are heuristics: the pattern is good, not best
(`sdc.suppression.exact`).  What they claim they prove (`sdc.suppression.proofs`).

Sources: M. Fischetti and J. J. Salazar-González, Management Science 47 (2001),
section 5 (heuristic from a linear programme); methods A4 for the network case.
"""

import numpy as np

from common.progress import SILENT, Progress
from sdc.suppression.demands import Demands, Room
from sdc.suppression.deviations import Reader, Support
from sdc.suppression.proofs import Proofs, look_at, prove_demands
from sdc.system import Equations

__all__ = ["cover_demands", "free_cells", "steps_of"]

# What a hidden cell costs per unit, as a share of the cheapest shown one.
HIDDEN_SHARE = 1e-5
# What moving a protected cell by one is worth, in median weights; and the share of demands a round must meet to go on.
REWARDS = (0.25, 0.5)
WORTHWHILE = 0.2
# Prices that are tried for a deviation of whole numbers before one is searched for.
TRIES = 6


def cover_demands(
    equations: Equations,
    demands: Demands,
    *,
    room: Room,
    weights: np.ndarray,
    hidden: np.ndarray,
    closed: np.ndarray,
    proofs: Proofs,
    together: bool = True,
    branches: int | None = None,
    progress: Progress = SILENT,
) -> np.ndarray:
    """A pattern that meets the demands as far as could be: hidden, bool of shape (cells,).

    Parameters
    ----------
    weights : what hiding each cell costs, above 0, float64 of shape (cells,).
    hidden : bool, what is hidden at first; stays hidden.
    closed : bool, what may never be hidden.
    proofs : what is proven of these demands; grows.  What it still misses could not be met.
    together : meet many at once first; faster, a little dearer.
    branches : where a proof is not whole but must be, nodes of a search tree for one that is; None for no search.
    """
    cover = _Cover(equations, demands, room, weights, hidden, closed, proofs)
    reader = Reader(equations, room)
    reader.open(hidden.astype(float))
    prove_demands(reader, demands, proofs)
    if together:
        cover.meet_together()
    # The hardest first: the others then often find their way open.
    hardest = np.lexsort((demands.cells, -np.maximum(demands.lower + demands.upper, demands.width)))
    hardest = hardest[proofs.missing()[hardest]]
    progress.step("cover", len(hardest))
    for k in hardest.tolist():
        cover.meet(k, branches)
        progress.advance()
    return cover.hidden


class _Cover:
    """A pattern that grows, with the programme that finds what to add to it."""

    def __init__(
        self,
        equations: Equations,
        demands: Demands,
        room: Room,
        weights: np.ndarray,
        hidden: np.ndarray,
        closed: np.ndarray,
        proofs: Proofs,
    ) -> None:
        self._equations, self._demands, self._room, self._proofs = equations, demands, room, proofs
        self._weights, self._closed = weights, closed & ~hidden
        self.hidden = hidden.copy()
        self._cheap = float(weights[~closed].min(initial=1.0)) * HIDDEN_SHARE
        self._support = Support(equations, room)
        self._support.set_prices(self._prices(), closed=self._closed)
        self._searching: Support | None = None
        self.searches = 0

    def _open(self, deviation: np.ndarray) -> None:
        """Hide what a deviation moves, and keep it as a proof."""
        self._proofs.add(deviation)
        fresh = np.flatnonzero((deviation != 0) & ~self.hidden)
        self.hidden[fresh] = True
        self._support.lower_prices(fresh, self._cheap)

    def meet_together(self) -> None:
        """Meet what can be met with many others at once, dearer with every round."""
        typical = float(np.median(self._weights[~self._closed])) if not self._closed.all() else 1.0
        for reward in REWARDS:
            for up in (True, False):
                left = len(self._demands) + 1
                while True:
                    lacking = np.flatnonzero(self._proofs.lacking()[0 if up else 1])
                    if len(lacking) > (1 - WORTHWHILE) * left or len(lacking) < 3:
                        break
                    left = len(lacking)
                    cells, first = np.unique(self._demands.cells[lacking], return_index=True)
                    at = lacking[first]
                    levels = self._demands.upper if up else self._demands.lower
                    targets = np.maximum(levels[at], self._demands.width[at])
                    found = self._support.find_many(cells, targets, up=up, reward=reward * typical)
                    if found is None:
                        break
                    self._open(found)

    def meet(self, k: int, branches: int | None) -> None:
        """Meet one demand at least cost, if it is not met yet."""
        cell, known = int(self._demands.cells[k]), self._demands.known(k)
        for up, distance in steps_of(self._demands, k, self._room):
            side = 0 if up else 1
            if not self._lacks(k, side):
                continue
            found = self._support.find(cell, up=up, distance=distance, known=known)
            if found is None:
                continue
            self._open(found)
            if branches is not None and self._lacks(k, side):
                self._meet_whole(k, side, distance, branches)

    def _lacks(self, k: int, side: int) -> bool:
        return bool(self._proofs.lacking()[side][k])

    def _meet_whole(self, k: int, side: int, distance: float, branches: int) -> None:
        """Meet one demand by whole numbers: other prices lead to other deviations; a search where none of them is whole."""
        cell, known, up = int(self._demands.cells[k]), self._demands.known(k), side == 0
        lately = np.zeros(len(self.hidden), np.bool_)
        for number in range(1, TRIES + 1):
            # The key's part of the weights, mixed anew with every try.
            noise = np.modf(self._weights * 1e4 * np.sqrt(number + 1.0))[0]
            prices = np.where(self.hidden, self._cheap * (1 + noise), self._weights * (1 + 0.3 * noise))
            self._support.set_prices(prices, closed=self._closed)
            found = self._support.find(cell, up=up, distance=distance, known=known)
            if found is not None:
                lately |= found != 0
                self._proofs.add(found)
                if not self._lacks(k, side):
                    self._open(found)
                    break
        self._support.set_prices(self._prices(), closed=self._closed)
        # First among hidden cells and those of the tries, then among all.
        for closed in (~(self.hidden | lately), self._closed):
            if self._lacks(k, side):
                self.searches += 1
                self._searching = self._searching or Support(self._equations, self._room, branches=branches)
                self._searching.set_prices(self._prices(), closed=closed)
                found = self._searching.find(cell, up=up, distance=float(np.ceil(distance)), known=known)
                if found is not None:
                    self._open(found)

    def _prices(self) -> np.ndarray:
        return np.where(self.hidden, self._cheap, self._weights)


def steps_of(demands: Demands, k: int, room: Room) -> list[tuple[bool, float]]:
    """Directions and distances that meet one demand: up and down, what the width still lacks going up if it can."""
    down, up = float(demands.lower[k]), float(demands.upper[k])
    lacking = float(demands.width[k]) - down - up
    if lacking > 0:
        more = min(lacking, float(room.up[demands.cells[k]]) - up)
        up, down = up + more, down + lacking - more
    return [(going_up, distance) for going_up, distance in ((True, up), (False, down)) if distance > 0]


def free_cells(
    equations: Equations,
    demands: Demands,
    *,
    room: Room,
    weights: np.ndarray,
    hidden: np.ndarray,
    optional: np.ndarray,
    proofs: Proofs,
    progress: Progress = SILENT,
) -> np.ndarray:
    """The pattern without cells that need not be hidden: bool of shape (cells,).

    `optional` (bool) says which hidden cells may be shown again; they are tried
    dearest first.  Demands that are unmet at first are left out of sight.
    `proofs` grows, and loses what moves a freed cell.
    """
    hidden = hidden.copy()
    reader = Reader(equations, room)
    reader.open(hidden.astype(float))
    given_up = prove_demands(reader, demands, proofs)
    tried = np.flatnonzero(hidden & optional)
    tried = tried[np.lexsort((tried, -weights[tried]))]
    progress.step("free", len(tried))
    stoppers: list[int] = []
    for cell in tried.tolist():
        reader.reopen(np.array([cell]), np.zeros(1))
        if _still_met(reader, demands, proofs, cell, given_up, stoppers):
            hidden[cell] = False
            proofs.drop(cell)
        else:
            reader.reopen(np.array([cell]), np.ones(1))
        progress.advance()
    return hidden


def _still_met(
    reader: Reader, demands: Demands, proofs: Proofs, cell: int, given_up: np.ndarray, stoppers: list[int]
) -> bool:
    """Whether all demands but those given up are proven with the cell shut; grows proofs.

    Demands that stopped a cell from being freed lately stop the next one too: they are looked at first.
    """
    up, down = proofs.lacking_without(cell)
    doubtful = np.flatnonzero((up | down) & ~given_up).tolist()
    for k in sorted(doubtful, key=lambda k: (stoppers.index(k) if k in stoppers else len(stoppers), k)):
        if not up[k] and not down[k]:
            continue
        moves, _ = look_at(reader, demands, k, up=bool(up[k]), down=bool(down[k]))
        proofs.add(*(move.deviation for move in moves))
        up, down = proofs.lacking_without(cell)
        if up[k] or down[k]:
            stoppers[:] = [k, *(other for other in stoppers if other != k)][:10]
            return False
    return True
