"""Suppression of large cubes: demands met by boxes, cells freed again, each demand with its certificate.

One demand after the other, the hardest first, is met by the cheapest boxes that
are found (`sdc.suppression.boxes`).  Then every cell that is hidden without a
demand of its own is tried, dearest first: the changes that move it are looked
for anew without it, and taken if that costs less than what they alone need
hidden now.  Further passes do the same under prices that are moved about, so
that other changes are tried; what is taken is always cheaper in true prices.
The changes kept are certificates (`sdc.suppression.certificates`), whole
numbers all of them.
"""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from common.progress import SILENT, Progress
from sdc.suppression.boxes import move_cell, undo
from sdc.suppression.boxsearch import NEVER, Bench, make_bench
from sdc.suppression.certificates import NONE, Certificates, Sparse
from sdc.suppression.cover import steps_of
from sdc.suppression.demands import Demands, Room
from sdc.system import CellSystem

__all__ = ["Crossed"]

# No bound on how far a cell can move.
FAR = np.int64(1) << 40
# What a cell of the best pattern costs in the next round, as a share of its price; how far prices are moved about.
DISCOUNT, NOISE = 0.3, 1.0


class Crossed:
    """State of a pass over one cube: what is hidden, and the certificates so far.

    Parameters
    ----------
    prices : of shape (cells,), above 0, what hiding each cell costs.
    may_hide : bool, what may be hidden beside cells that a demand is on.
    room : whole numbers or np.inf.
    """

    def __init__(
        self, system: CellSystem, demands: Demands, *, prices: np.ndarray, may_hide: np.ndarray, room: Room
    ) -> None:
        if system.lattice is None:
            raise ValueError("boxes need to know where cells stand on their axes")
        self.system, self.demands, self.room = system, demands, room
        self.frame = system.lattice.frame
        self.prices = np.where(may_hide & system.shown, prices, NEVER)
        self.always = ~system.shown
        self.always[demands.cells] = True
        self.bench: Bench = make_bench(
            self.frame, down=_far(room.down), up=_far(room.up), price=self.prices, hidden=self.always
        )
        self.certificates = Certificates(len(demands), len(system))
        # Demands that hold only while their cell is hidden for others' sake, and those that still hold.
        self.conditional = np.zeros(len(demands), np.bool_)
        self.active = np.ones(len(demands), np.bool_)
        self.users: dict[int, set[int]] = defaultdict(set)

    @property
    def hidden(self) -> np.ndarray:
        """The pattern: bool of shape (cells,), with cells that stand in no published table."""
        return self.bench.hidden

    @property
    def cost(self) -> float:
        """What is paid for cells that no demand is on."""
        return float(self.prices[self.hidden & ~self.always].sum())

    def move_prices(self, number: int, cheaper: np.ndarray | None = None) -> None:
        """Search under other prices: moved about by what the key has in the prices, mixed anew for each number from 1 on.

        Number 0 stands for the true prices; `cheaper` (bool) are cells at a discount.
        """
        noise = np.modf(self.prices * 1e4 * np.sqrt(number + 1.0))[0] if number else np.zeros(len(self.prices))
        share = 1.0 if cheaper is None else np.where(cheaper, DISCOUNT, 1.0)
        self.bench.price[:] = np.where(self.prices < NEVER, self.prices * (1 + NOISE * noise) * share, NEVER)

    def add(self, more: Demands) -> np.ndarray:
        """Take demands on that hold as long as their cells are hidden; their numbers.

        Where the cell has no other demand, they are gone when it is shown again.
        """
        first = len(self.demands)
        self.demands = self.demands.and_also(more)
        self.certificates.extend(len(more))
        self.conditional = np.concatenate([self.conditional, ~self.always[more.cells]])
        self.active = np.concatenate([self.active, np.ones(len(more), np.bool_)])
        return np.arange(first, len(self.demands))

    def cover(self, numbers: np.ndarray, progress: Progress = SILENT) -> np.ndarray:
        """Meet demands, the hardest first; numbers of those that could not be met."""
        demands = self.demands
        most = np.maximum(demands.lower + demands.upper, demands.width)[numbers]
        order = numbers[np.lexsort((demands.cells[numbers], -self.system.counts[demands.cells[numbers]], -most))]
        progress.step("cover", len(order))
        left = []
        for k in order.tolist():
            if not self._meet(k):
                left.append(k)
            progress.advance()
        return np.array(sorted(left), np.int64)

    def _meet(self, k: int) -> bool:
        """Find both changes of one demand and hide what they move; False where one is not found."""
        self._bar(self.demands.known(k))
        pair: list[Sparse] = [NONE, NONE]
        for up, distance in self._steps(k):
            found = self._change(int(self.demands.cells[k]), up, distance)
            if found is None:
                return False
            pair[0 if up else 1] = found
            self.hidden[found[0]] = True
        for side in (0, 1):
            self.replace(2 * k + side, pair[side])
        return True

    def _steps(self, k: int) -> list[tuple[bool, float]]:
        """Directions and distances that meet a demand, whole ones; a width goes up first."""
        return [(up, float(np.ceil(distance))) for up, distance in steps_of(self.demands, k, self.room)]

    def _bar(self, cells: np.ndarray) -> None:
        """Cells that may not move from now on, and no others."""
        self.bench.ticket[0] += 1
        self.bench.barred[cells] = self.bench.ticket[0]

    def _change(self, cell: int, up: bool, distance: float, limit: float = NEVER) -> Sparse | None:
        """The cheapest change found that moves a cell so far and costs less than a limit; None where there is none."""
        bench = self.bench
        price = move_cell(self.frame, bench, cell, 1 if up else -1, int(distance))
        touched = bench.touched[: bench.many[0]]
        cells = np.sort(touched[bench.moved[touched] != 0]).astype(np.int64)
        values = bench.moved[cells].astype(np.float64)
        undo(bench)
        return (cells, values) if price < limit else None

    @contextmanager
    def hidden_alone(self) -> Iterator[None]:
        """Search over hidden cells alone for a while."""
        prices = self.bench.price.copy()
        self.bench.price[:] = NEVER
        try:
            yield
        finally:
            self.bench.price[:] = prices

    def over_hidden(self, cell: int, *, up: bool, distance: int, known: np.ndarray) -> Sparse | None:
        """A change that moves a cell so far over hidden cells and leaves `known` ones where they are; None if none is found."""
        self._bar(known)
        return self._change(cell, up, distance, self.bench.step[0])

    def held(self, number: int) -> Sparse:
        """The change kept for one side of a demand: number is 2 × demand, and 1 more for down."""
        return (self.certificates.down if number % 2 else self.certificates.up)[number // 2]

    def replace(self, number: int, change: Sparse) -> None:
        """A new change for one side of a demand."""
        for cell in self.held(number)[0].tolist():
            self.users[cell].discard(number)
        self.certificates.replace_side(number // 2, number % 2, change)
        for cell in change[0].tolist():
            self.users[cell].add(number)

    def take_over(self, hidden: np.ndarray) -> None:
        """Go on from a pattern (bool of shape (cells,)) whose certificates stand in `certificates` already."""
        self.hidden[:] = hidden
        self.users = defaultdict(set)
        for number in range(2 * len(self.demands)):
            for cell in self.held(number)[0].tolist():
                self.users[cell].add(number)

    def free(self, progress: Progress = SILENT) -> None:
        """Show again what need not be hidden, dearest first."""
        self.hidden[:] = self.always | (self.certificates.users > 0)
        tried = np.flatnonzero(self.hidden & ~self.always)
        tried = tried[np.lexsort((tried, -self.prices[tried]))]
        progress.step("free", len(tried))
        for cell in tried.tolist():
            if self.hidden[cell]:
                self._renew(sorted(self.users[cell]), cell)
            progress.advance()

    def _renew(self, numbers: list[int], cell: int) -> None:
        """Look for the changes that move a cell anew, without it; taken if that is cheaper.

        What is asked for the cell's own sake while it is hidden need not be asked then.
        """
        old = {number: self.held(number) for number in numbers}
        cells, uses = np.unique(np.concatenate([NONE[0], *(cells for cells, _ in old.values())]), return_counts=True)
        idle = cells[(self.certificates.users[cells] == uses) & ~self.always[cells]]
        self.hidden[idle] = False
        spare = float(self.prices[idle].sum()) * (1 - 1e-9)
        own = [n for n in numbers if self.conditional[n // 2] and self.demands.cells[n // 2] == cell]
        # The longest first: they are the likeliest to fail.
        others = sorted(set(numbers) - set(own), key=lambda number: (-len(old[number][0]), number))
        fresh: dict[int, Sparse] = {}
        opened: list[np.ndarray] = [NONE[0]]
        for number in others:
            found = self._again(number, old[number], cell)
            if found is None:
                break
            more = found[0][~self.hidden[found[0]]]
            spare -= float(self.prices[more].sum())
            self.hidden[more] = True
            opened.append(more)
            fresh[number] = found
            if spare <= 0:
                break
        if len(fresh) < len(others) or spare <= 0:
            self.hidden[np.concatenate(opened)] = False
            self.hidden[idle] = True
            return
        for number, found in fresh.items():
            self.replace(number, found)
        for number in own:
            self.replace(number, NONE)
            self.active[number // 2] = False

    def _again(self, number: int, old: Sparse, without: int) -> Sparse | None:
        """Another change for one side of a demand, as far as the old one goes, that leaves a cell where it is."""
        k = number // 2
        self._bar(np.append(self.demands.known(k), without))
        cell = int(self.demands.cells[k])
        return self._change(cell, number % 2 == 0, abs(float(old[1][np.searchsorted(old[0], cell)])))


def _far(room: np.ndarray) -> np.ndarray:
    return np.where(np.isinf(room), FAR, np.minimum(np.floor(room), FAR)).astype(np.int64)
