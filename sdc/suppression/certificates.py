"""Proofs that demands are met, and their exact check.

A certificate of a demand is a pair of deviations from the true table: one that
moves its cell up as far as was asked, one that moves it down.  Anybody can check
them without a solver: sums stay as they are, shown cells do not move, no cell
leaves its room.  For counts they are whole numbers, so that both ends are true
tables of counts.
"""

import numpy as np

from sdc.attack.changes import unbalanced
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
        for side, change in enumerate((up, down)):
            self.replace_side(number, side, change)

    def extend(self, number: int) -> None:
        """Room for so many more demands."""
        self.up += [NONE] * number
        self.down += [NONE] * number

    def replace_side(self, number: int, side: int, change: Sparse) -> None:
        """A new deviation for one demand: up for side 0, down for side 1."""
        deviations = (self.up, self.down)[side]
        self.users[deviations[number][0]] -= 1
        deviations[number] = change
        self.users[change[0]] += 1

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
    off |= unbalanced(system.equations, numbers, cells, values, count, slack=0.0 if whole else SLACK)
    moved = np.zeros(count)
    own = cells == np.repeat(demands.cells, 2)[numbers]
    moved[numbers[own]] = values[own]
    moved[off] = 0.0
    up, down = moved[0::2], -moved[1::2]
    near = SLACK * np.maximum(1.0, np.maximum(demands.upper, demands.lower))
    return (up >= demands.upper - near) & (down >= demands.lower - near) & (up + down >= demands.width - near)
