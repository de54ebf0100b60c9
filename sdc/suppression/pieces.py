"""The modular pass: demands met and cells freed piece by piece, each demand with its certificate."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from common.progress import Progress
from sdc.suppression.certificates import NONE, Certificates, Sparse, check_certificates
from sdc.suppression.cover import cover_demands, free_cells
from sdc.suppression.demands import Demands, Room, refusal
from sdc.suppression.deviations import Reader
from sdc.suppression.nearby import Nearby, Neighbours, nearby_groups
from sdc.suppression.proofs import Proofs, look_at
from sdc.system import CellSystem

__all__ = ["Pieces"]

# What a cell of the best pattern costs in the next round, as a share of its weight.
DISCOUNT = 0.3
# In pieces of more cells fewer nodes of the search tree are looked at, each of which takes longer.
SEARCHED = 2000


@dataclass(frozen=True, kw_only=True, eq=False)
class _Piece:
    """A piece with the demands on its core: `numbers` in the whole, `demands` in the piece's own cells."""

    near: Nearby
    numbers: np.ndarray
    demands: Demands
    room: Room
    proofs: Proofs


class Pieces:
    """State of a pass over one system: what is hidden, and the certificates so far."""

    def __init__(
        self,
        system: CellSystem,
        demands: Demands,
        *,
        weights: np.ndarray,
        may_hide: np.ndarray,
        room: Room,
        whole: bool,
        sizes: tuple[int, ...],
        rounds: int,
        branches: int,
    ) -> None:
        self.system, self.demands, self.room = system, demands, room
        self.whole, self.rounds, self.branches = whole, rounds, branches
        # The last piece is the table.
        self.sizes = (*(size for size in sizes if size < len(system)), max(2, len(system)))
        self.always = ~system.shown
        self.always[demands.cells] = True
        self.hidden = self.always.copy()
        self.closed = ~(self.always | may_hide)
        self.weights = np.where(self.always, 1.0, weights)
        self.neighbours = Neighbours(system.equations)
        self.certificates = Certificates(len(demands), len(system))
        self.figures: dict[str, int] = defaultdict(int)
        self._order = np.argsort(demands.cells, kind="stable")

    def take_over(self, hidden: np.ndarray, certificates: Certificates) -> None:
        """Go on from a pattern (bool of shape (cells,)) and the certificates that it has so far."""
        self.hidden, self.certificates = hidden.copy(), certificates

    def protect(self, progress: Progress) -> np.ndarray:
        """Cover, free and check, several rounds; the cheapest pattern: bool of shape (cells,).

        From the second round on, the cells of the best pattern so far are cheaper
        than others, so that demands agree on cells that serve many of them.

        Raises
        ------
        Infeasible
            A demand could not be met.
        """
        prices, best = self.weights, None
        for _ in range(self.rounds):
            left = self._pass(prices, progress)
            if len(left):
                if best is None:
                    self.refuse(left)
                break
            if best is None or self._cost() < best[0] - 1e-9:
                best = self._cost(), self.hidden.copy(), self.certificates
            prices = np.where(best[1], DISCOUNT * self.weights, self.weights)
            self.hidden, self.certificates = self.always.copy(), Certificates(len(self.demands), len(self.system))
        assert best is not None
        _, self.hidden, self.certificates = best
        proven = check_certificates(
            self.system, self.demands, self.hidden, self.room, self.certificates, whole=self.whole
        )
        self.refuse(np.flatnonzero(~proven))
        return self.hidden

    def _cost(self) -> float:
        return float(self.weights[self.hidden & ~self.always].sum())

    def _pass(self, prices: np.ndarray, progress: Progress) -> np.ndarray:
        """One round from the primaries on; numbers of the demands that could not be met."""
        left = self.cover(np.arange(len(self.demands)), prices, progress)
        if len(left):
            return left
        self.free(progress)
        return left

    def free(self, progress: Progress) -> None:
        """Show again what no certificate needs once others are found for it, piece by piece."""
        self.hidden = self.always | (self.certificates.users > 0)
        progress.step("free", len(self.demands))
        for piece in self._pieces(np.ones(len(self.demands), np.bool_), self.sizes[0]):
            self._free(piece)
            progress.advance(len(piece.numbers))
        self.hidden = self.always | (self.certificates.users > 0)

    def cover(self, left: np.ndarray, prices: np.ndarray, progress: Progress) -> np.ndarray:
        """Meet demands in pieces that grow up to the whole table; numbers of those that could not be met."""
        for size in self.sizes:
            if not len(left):
                break
            progress.step("cover", len(left))
            left = self._cover(left, size, prices, progress)
        return left

    def refuse(self, left: np.ndarray) -> None:
        """Say which demands could not be met, and if any pattern could meet them (raises Infeasible)."""
        if not len(left):
            return
        reader = Reader(self.system.equations, self.room)
        reader.open((~self.closed).astype(float))
        some = self.demands.chosen(left)
        hopeless = [k for k in range(len(some)) if not look_at(reader, some, k)[1]]
        if hopeless:
            raise refusal(self.system, some.cells[hopeless], "hiding all that may be hidden does not protect")
        raise refusal(self.system, some.cells, "no pattern of whole numbers was found that protects")

    def _pieces(self, wanted: np.ndarray, size: int) -> Iterator[_Piece]:
        """Pieces of one size that together hold all wanted demands (bool)."""
        for near in nearby_groups(self.neighbours, np.unique(self.demands.cells[wanted]), size, self.system.areas):
            numbers = self._demands_on(near.cells[near.core])
            numbers = numbers[wanted[numbers]]
            room = Room(down=self.room.down[near.cells], up=self.room.up[near.cells])
            demands = self.demands.chosen(numbers).within(near.cells)
            yield _Piece(
                near=near, numbers=numbers, demands=demands, room=room, proofs=Proofs(demands, room, whole=self.whole)
            )

    def _demands_on(self, cells: np.ndarray) -> np.ndarray:
        """Numbers of the demands on these cells."""
        on = self.demands.cells[self._order]
        ends = np.searchsorted(on, cells), np.searchsorted(on, cells, side="right")
        return np.concatenate([NONE[0], *(self._order[a:b] for a, b in zip(*ends, strict=True))])

    def _cover(self, left: np.ndarray, size: int, prices: np.ndarray, progress: Progress) -> np.ndarray:
        """Meet demands in pieces of one size; numbers of those that could not be met."""
        wanted = np.zeros(len(self.demands), np.bool_)
        wanted[left] = True
        for piece in self._pieces(wanted, size):
            cells = piece.near.cells
            hidden = cover_demands(
                piece.near.equations,
                piece.demands,
                room=piece.room,
                weights=prices[cells],
                hidden=self.hidden[cells],
                closed=self.closed[cells],
                proofs=piece.proofs,
                branches=max(1, self.branches * SEARCHED // max(SEARCHED, size)) if self.whole else None,
            )
            self.hidden[cells] |= hidden
            wanted[piece.numbers] = ~self._certify(piece)
            self.figures["pieces"] += 1
            progress.advance(len(piece.numbers))
        return np.flatnonzero(wanted)

    def _free(self, piece: _Piece) -> None:
        """Show cells again that no demand outside the piece leans on, where the piece's own stay met without them."""
        cells = piece.near.cells
        elsewhere = (self.certificates.users - self.certificates.users_among(piece.numbers))[cells] > 0
        optional = (self.hidden & ~self.always)[cells] & ~elsewhere
        if not optional.any():
            return
        for number in piece.numbers.tolist():
            for sparse in (self.certificates.up[number], self.certificates.down[number]):
                row = _inside(sparse, cells)
                if row is not None:
                    piece.proofs.add(row)
        before = self.hidden[cells]
        hidden = free_cells(
            piece.near.equations,
            piece.demands,
            room=piece.room,
            weights=self.weights[cells],
            hidden=before,
            optional=optional,
            proofs=piece.proofs,
        )
        self.hidden[cells] = hidden
        if not self._certify(piece).all():
            # A demand keeps the certificate it had, and with it the cells this moves.
            self.hidden[cells] |= before

    def _certify(self, piece: _Piece) -> np.ndarray:
        """Take over a piece's proofs as certificates, and hide what these move; True where a demand has both."""
        cells, demands = piece.near.cells, piece.demands
        found = ~piece.proofs.missing()
        chosen = piece.proofs.choose(np.where(self.always[cells], 0.0, self.weights[cells]))
        for k in np.flatnonzero(found).tolist():
            pair: list[Sparse] = []
            for row, distance in ((chosen.up[k], chosen.rise[k]), (chosen.down[k], chosen.fall[k])):
                sparse = NONE
                if distance > 0:
                    deviation = piece.proofs.enlarged(int(row), int(demands.cells[k]), float(distance))
                    at = np.flatnonzero(deviation)
                    sparse = cells[at], deviation[at]
                pair.append(sparse)
                self.hidden[sparse[0]] = True
            self.certificates.replace(int(piece.numbers[k]), *pair)
        return found


def _inside(sparse: Sparse, cells: np.ndarray) -> np.ndarray | None:
    """A sparse deviation over some cells (ascending) alone; None where it moves others too, or nothing."""
    moved, values = sparse
    at = np.minimum(np.searchsorted(cells, moved), len(cells) - 1)
    if not len(moved) or np.any(cells[at] != moved):
        return None
    row = np.zeros(len(cells))
    row[at] = values
    return row
