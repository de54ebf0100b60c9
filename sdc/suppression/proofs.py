"""Deviations that show which demands are met.

A proof is a deviation from the true table that leaves all sums as they are.  One
moves several cells, and so serves several demands.  It is kept small, with how
many times larger it could be, and with its reverse.  For counts it is made whole.
"""

from dataclasses import dataclass

import numpy as np

from sdc.suppression.demands import Demands, Room
from sdc.suppression.deviations import NOISE, SLACK, Move, Reader

__all__ = ["Chosen", "Proofs", "enough", "look_at", "prove_demands"]

# A deviation without limit is kept at this size.
LARGEST = 1e12
# A fractional deviation may become whole at one of these multiples.
MULTIPLES = (1, 2, 3, 4, 6, 12)
# Rows there is room for at first.
FIRST_ROWS = 16


class Proofs:
    """Proofs of some demands; for counts whole ones only."""

    def __init__(self, demands: Demands, room: Room, *, whole: bool) -> None:
        self._demands, self._room, self._whole = demands, room, whole
        self._held = 0
        self._rows = np.zeros((FIRST_ROWS, len(room.up)))
        self._times = np.zeros(FIRST_ROWS)
        # How far anything held moves each demand's cell up, and down.
        self._reach = np.zeros((2, len(demands)))

    @property
    def rows(self) -> np.ndarray:
        """The deviations: float64 of shape (proofs, cells)."""
        return self._rows[: self._held]

    @property
    def times(self) -> np.ndarray:
        """How many times larger each could be, whole for counts: float64 of shape (proofs,)."""
        return self._times[: self._held]

    def add(self, *deviations: np.ndarray) -> None:
        """Keep deviations and their reverses, where they can be made whole if they must, and where there is room."""
        first = self._held
        for each in deviations:
            unit = _whole_unit(each) if self._whole else each
            if unit is None or not np.any(unit):
                continue
            for signed in (unit, -unit):
                times = self._room_for(signed)
                if times >= (1.0 if self._whole else NOISE):
                    self._keep(signed, times)
        self._reach = np.maximum(self._reach, self._reached(slice(first, self._held)))

    def _keep(self, row: np.ndarray, times: float) -> None:
        if self._held == len(self._rows):
            self._rows = np.concatenate([self._rows, np.zeros_like(self._rows)])
            self._times = np.concatenate([self._times, np.zeros_like(self._times)])
        self._rows[self._held], self._times[self._held] = row, times
        self._held += 1

    def _room_for(self, deviation: np.ndarray) -> float:
        """How many times larger the deviation could be."""
        up, down = deviation > NOISE, deviation < -NOISE
        limits = np.concatenate([self._room.up[up] / deviation[up], self._room.down[down] / -deviation[down]])
        times = float(min(limits.min(initial=np.inf), LARGEST / np.abs(deviation).max()))
        return float(np.floor(times + SLACK)) if self._whole else times

    def drop(self, cell: int) -> None:
        """Forget what moves the cell."""
        still = self._without(cell)
        self._held = int(still.sum())
        self._rows[: self._held], self._times[: self._held] = (
            self._rows[: len(still)][still],
            self._times[: len(still)][still],
        )
        self._reach = self._reached(slice(0, self._held))

    def _without(self, cell: int) -> np.ndarray:
        """Rows that do not move the cell: bool of shape (proofs,)."""
        still: np.ndarray = np.abs(self.rows[:, cell]) <= NOISE
        return still

    def _moved(self, among: slice | np.ndarray) -> np.ndarray:
        """How far each row chosen can move each demand's cell for its reader: float64 of shape (rows, demands)."""
        demands, rows, times = self._demands, self.rows[among], self.times[among]
        # A column per reader, and one at the end for who knows nothing: what moves a cell they know proves nothing to them.
        told = np.zeros((len(rows), len(demands.knows) + 1), np.bool_)
        for number, known in enumerate(demands.knows):
            told[:, number] = np.any(np.abs(rows[:, known]) > NOISE, axis=1)
        moved: np.ndarray = np.where(told[:, demands.reader], 0.0, rows[:, demands.cells] * times[:, None])
        return moved

    def _reached(self, among: slice | np.ndarray) -> np.ndarray:
        """How far the rows chosen move each demand's cell up, and down: float64 of shape (2, demands)."""
        moved = self._moved(among)
        return np.stack([moved.max(axis=0, initial=0.0), -moved.min(axis=0, initial=0.0)])

    def _lacking(self, reach: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        demands, (up, down) = self._demands, reach
        narrow = ~enough(up + down, demands.width)
        return narrow | ~enough(up, demands.upper), narrow | ~enough(down, demands.lower)

    def lacking(self) -> tuple[np.ndarray, np.ndarray]:
        """Demands that nothing held shows to be met upwards, and downwards: bool of shape (demands,)."""
        return self._lacking(self._reach)

    def lacking_without(self, cell: int) -> tuple[np.ndarray, np.ndarray]:
        """As `lacking`, if the cell could not move."""
        return self._lacking(self._reached(self._without(cell)))

    def missing(self) -> np.ndarray:
        """Demands that nothing held shows to be met: bool of shape (demands,)."""
        missing: np.ndarray = np.logical_or(*self.lacking())
        return missing

    def choose(self, prices: np.ndarray) -> "Chosen":
        """For each demand the row that shows it upwards and the one that shows it downwards, moving cheap cells alone.

        `prices` are of shape (cells,).  Where a width is asked, the two rows that
        move furthest.  Demands that nothing shows to be met get any rows.
        """
        moved, demands = self._moved(slice(0, self._held)), self._demands
        if not len(moved):
            nothing = np.zeros(len(demands))
            return Chosen(up=nothing.astype(np.int64), down=nothing.astype(np.int64), rise=nothing, fall=nothing)
        cost = (np.abs(self.rows) > NOISE) @ prices
        wide = demands.width > 0
        up = np.where(enough(moved, demands.upper), cost[:, None], np.inf).argmin(axis=0)
        down = np.where(enough(-moved, demands.lower), cost[:, None], np.inf).argmin(axis=0)
        up, down = np.where(wide, moved.argmax(axis=0), up), np.where(wide, moved.argmin(axis=0), down)
        most = moved[up, np.arange(len(demands))]
        rise = np.where(wide, np.minimum(most, np.maximum(demands.upper, demands.width - demands.lower)), demands.upper)
        fall = np.maximum(demands.lower, np.where(wide, demands.width - rise, 0.0))
        return Chosen(up=up, down=down, rise=rise, fall=fall)

    def enlarged(self, row: int, cell: int, distance: float) -> np.ndarray:
        """The row as large as it must be to move the cell by a distance (above 0): by a whole number of times for counts."""
        times = distance / abs(self.rows[row, cell])
        return np.asarray(self.rows[row] * (np.ceil(times - SLACK) if self._whole else times))


@dataclass(frozen=True, kw_only=True, eq=False)
class Chosen:
    """Per demand, rows of proofs for up and down, and how far each has to move the cell.  Arrays of shape (demands,)."""

    up: np.ndarray
    down: np.ndarray
    rise: np.ndarray
    fall: np.ndarray


def _whole_unit(deviation: np.ndarray) -> np.ndarray | None:
    """The smallest whole multiple of a deviation; None where a few multiples are not whole."""
    for multiple in MULTIPLES:
        rounded = np.rint(deviation * multiple)
        if np.abs(deviation * multiple - rounded).max() <= SLACK * multiple:
            common = np.gcd.reduce(rounded.astype(np.int64))
            return rounded / common if common else rounded
    return None


def prove_demands(reader: Reader, demands: Demands, proofs: Proofs) -> np.ndarray:
    """Prove what is met as the reader's cells are now open; True for demands that are not: bool of shape (demands,).

    Many cells are moved at once as long as that proves something, the rest one by one.
    """
    for up in (True, False):
        _prove_together(reader, demands, proofs, up)
    for k in np.flatnonzero(proofs.missing()).tolist():
        up, down = (bool(side[k]) for side in proofs.lacking())
        if up or down:
            moves, _ = look_at(reader, demands, k, up=up, down=down)
            proofs.add(*(move.deviation for move in moves))
    return proofs.missing()


def _prove_together(reader: Reader, demands: Demands, proofs: Proofs, up: bool) -> None:
    left = len(demands) + 1
    while True:
        lacking = np.flatnonzero(proofs.lacking()[0 if up else 1])
        if len(lacking) > 0.8 * left or len(lacking) < 3:
            return
        left = len(lacking)
        cells, first = np.unique(demands.cells[lacking], return_index=True)
        at = lacking[first]
        targets = np.maximum(demands.upper[at] if up else demands.lower[at], demands.width[at])
        proofs.add(reader.move_together(cells, targets, up=up))


def look_at(reader: Reader, demands: Demands, k: int, *, up: bool = True, down: bool = True) -> tuple[list[Move], bool]:
    """The moves that one demand asks for, and whether they go far enough; `up` and `down` say which are in doubt."""
    cell, known, width = int(demands.cells[k]), demands.known(k), float(demands.width[k])
    levels = ((True, up, float(demands.upper[k])), (False, down, float(demands.lower[k])))
    moves, met, reached = [], True, 0.0
    for upwards, doubtful, level in levels:
        target = max(level, width)
        if doubtful and target > 0:
            moves.append(reader.move(cell, up=upwards, target=target, known=known))
            met &= bool(enough(np.array(moves[-1].distance), np.array(level)))
            reached += moves[-1].distance
    # Where one direction is in no doubt, the width is not either.
    return moves, met and (not (up and down) or bool(enough(np.array(reached), np.array(width))))


def enough(reached: np.ndarray, target: np.ndarray) -> np.ndarray:
    enough: np.ndarray = reached >= target - SLACK * np.maximum(1.0, target)
    return enough
