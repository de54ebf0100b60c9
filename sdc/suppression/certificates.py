"""Proofs that demands are met, and their exact check.

A certificate of a demand is a pair of deviations from the true table: one that
moves its cell up as far as was asked, one that moves it down.  Anybody can check
them without a solver: sums stay as they are, shown cells do not move, no cell
leaves its room.  For counts they are whole numbers, so that both ends are true
tables of counts.
"""

import numpy as np

from sdc.suppression.demands import Demands, Room
from sdc.suppression.deviations import SLACK
from sdc.system import CellSystem

__all__ = ["NONE", "Certificates", "Sparse", "check_certificates"]

# Cells that move, ascending, and by how much.
Sparse = tuple[np.ndarray, np.ndarray]
NONE: Sparse = (np.empty(0, np.int64), np.empty(0))


class Certificates:
    """Two sparse deviations per demand, up and down; empty where none is needed, or none is there yet.

    `users` counts, per cell, the deviations that move it: int64 of shape (size,).
    """

    def __init__(self, number: int, size: int) -> None:
        self.up: list[Sparse] = [NONE] * number
        self.down: list[Sparse] = [NONE] * number
        self.users = np.zeros(size, np.int64)

    def replace(self, number: int, up: Sparse, down: Sparse) -> None:
        """A new pair for one demand."""
        for cells, _ in (self.up[number], self.down[number]):
            self.users[cells] -= 1
        self.up[number], self.down[number] = up, down
        for cells, _ in (up, down):
            self.users[cells] += 1

    def users_among(self, numbers: np.ndarray) -> np.ndarray:
        """As `users`, of some demands alone."""
        pairs = [each[number] for number in numbers.tolist() for each in (self.up, self.down)]
        return np.bincount(np.concatenate([NONE[0], *(cells for cells, _ in pairs)]), minlength=len(self.users))

    def flat(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Number of the deviation (2 × demand, plus 1 for down), cell and movement of every entry."""
        both = [each for pair in zip(self.up, self.down, strict=True) for each in pair]
        numbers = np.repeat(np.arange(len(both)), [len(cells) for cells, _ in both])
        cells = np.concatenate([NONE[0], *(cells for cells, _ in both)])
        return numbers, cells, np.concatenate([NONE[1], *(values for _, values in both)])


def check_certificates(
    system: CellSystem, demands: Demands, hidden: np.ndarray, room: Room, certificates: Certificates, *, whole: bool
) -> np.ndarray:
    """Which demands their certificates prove: bool of shape (demands,).

    `hidden` (bool) says which cells are not shown, those in no published table
    among them.  Exact for whole numbers; for amounts a sum may be off by what
    the solver's arithmetic leaves.
    """
    numbers, cells, values = certificates.flat()
    count = 2 * len(demands)
    off = np.zeros(count, np.bool_)
    slack = 0.0 if whole else SLACK * np.maximum(1.0, np.abs(values))
    wrong = ~hidden[cells] | (values > room.up[cells] + slack) | (-values > room.down[cells] + slack)
    if whole:
        wrong |= values != np.rint(values)
    off[numbers[wrong]] = True
    for k in np.flatnonzero(demands.reader >= 0).tolist():
        both = (certificates.up[k], certificates.down[k])
        off[[2 * k, 2 * k + 1]] |= [bool(np.isin(demands.known(k), moved).any()) for moved, _ in both]
    off |= _unbalanced(system, numbers, cells, values, count, whole)
    moved = np.zeros(count)
    own = cells == np.repeat(demands.cells, 2)[numbers]
    moved[numbers[own]] = values[own]
    moved[off] = 0.0
    up, down = moved[0::2], -moved[1::2]
    near = SLACK * np.maximum(1.0, np.maximum(demands.upper, demands.lower))
    return (up >= demands.upper - near) & (down >= demands.lower - near) & (up + down >= demands.width - near)


def _unbalanced(
    system: CellSystem, numbers: np.ndarray, cells: np.ndarray, values: np.ndarray, count: int, whole: bool
) -> np.ndarray:
    """Deviations that change a sum: bool of shape (deviations,)."""
    equations = system.equations
    order = np.argsort(equations.cells, kind="stable")
    lengths = np.bincount(equations.cells, minlength=equations.size)
    first = np.cumsum(lengths) - lengths
    repeats = lengths[cells]
    ends = np.cumsum(repeats)
    at = order[np.arange(int(repeats.sum())) + np.repeat(first[cells] - (ends - repeats), repeats)]
    key = np.repeat(numbers, repeats) * len(equations) + equations.rows[at]
    terms = np.repeat(values, repeats) * equations.signs[at]
    keys, place = np.unique(key, return_inverse=True)
    sums = np.bincount(place, weights=terms, minlength=len(keys))
    sizes = np.bincount(place, weights=np.abs(terms), minlength=len(keys))
    bad = np.abs(sums) > (0.0 if whole else SLACK * np.maximum(1.0, sizes))
    unbalanced = np.zeros(count, np.bool_)
    unbalanced[keys[bad] // max(1, len(equations))] = True
    return unbalanced
