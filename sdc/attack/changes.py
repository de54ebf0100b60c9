"""Changes of a table that no reader can tell: evidence that a cell's interval is at least so wide.

A change moves some cells from their true values so that every sum holds and
every cell stays within what is known of it.  Where changes are given, as the
certificates of a suppressed table are, they are checked sum by sum, without a
solver, and cells that they move far enough need no other attack.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numba import njit

from sdc.system import Equations

__all__ = ["Changes", "unbalanced"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Changes:
    """Changes by whole numbers, by change and by cell.

    Change i moves ``cells[starts[i]:starts[i + 1]]`` by `values` (int64); cell c is
    moved by the changes ``at[first[c]:first[c + 1]]``, those that move fewest cells first.
    """

    starts: np.ndarray
    cells: np.ndarray
    values: np.ndarray
    first: np.ndarray
    at: np.ndarray

    @classmethod
    def of(cls, changes: Iterable[tuple[np.ndarray, np.ndarray]], size: int) -> "Changes":
        """From pairs of cells and values; `size` is the number of cells of the table."""
        pairs = [pair for pair in changes if len(pair[0])]
        lengths = np.array([len(cells) for cells, _ in pairs], np.int64)
        cells = np.concatenate([np.empty(0, np.int64), *(cells for cells, _ in pairs)])
        owner = np.repeat(np.arange(len(pairs)), lengths)
        moved = np.bincount(cells, minlength=size)
        return cls(
            starts=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
            cells=cells,
            values=np.concatenate([np.empty(0), *(values for _, values in pairs)]).astype(np.int64),
            first=np.concatenate([[0], np.cumsum(moved)]).astype(np.int64),
            at=owner[np.lexsort((owner, lengths[owner], cells))],
        )

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def owner(self) -> np.ndarray:
        """The change that each entry belongs to."""
        return np.repeat(np.arange(len(self)), np.diff(self.starts))

    def standing(self, equations: Equations, start: np.ndarray, lo: np.ndarray, hi: np.ndarray) -> np.ndarray:
        """Which changes lead from `start` to a table that fits: bool of shape (changes,)."""
        owner = self.owner
        after = start[self.cells] + self.values
        off = unbalanced(equations, owner, self.cells, self.values.astype(np.float64), len(self), slack=0.0)
        off[owner[(after < lo[self.cells]) | (after > hi[self.cells])]] = True
        return ~off

    def touching(self, cells: np.ndarray) -> np.ndarray:
        """Which changes move some of these cells: bool of shape (changes,)."""
        touched = np.zeros(len(self), np.bool_)
        for cell in cells.tolist():
            touched[self.at[self.first[cell] : self.first[cell + 1]]] = True
        return touched

    def reach(self, cells: np.ndarray, allowed: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """How far cells are seen to fall and to rise by changes that are allowed (all, where nothing is said): int64."""
        usable = np.ones(len(self), np.bool_) if allowed is None else allowed
        fall, rise = np.zeros(len(cells), np.int64), np.zeros(len(cells), np.int64)
        _reach(cells, usable, self.starts, self.cells, self.values, self.first, self.at, fall, rise)
        return fall, rise


@njit(cache=True)
def _reach(asked, usable, starts, cells, values, first, at, fall, rise):  # type: ignore[no-untyped-def]
    for i in range(len(asked)):
        for change in at[first[asked[i]] : first[asked[i] + 1]]:
            if usable[change]:
                for k in range(starts[change], starts[change + 1]):
                    if cells[k] == asked[i]:
                        rise[i] = max(rise[i], values[k])
                        fall[i] = max(fall[i], -values[k])


def unbalanced(
    equations: Equations, numbers: np.ndarray, cells: np.ndarray, values: np.ndarray, count: int, *, slack: float
) -> np.ndarray:
    """Changes that break a sum: bool of shape (count,).

    `numbers`, `cells` and `values` hold the change, the cell and the movement of
    every entry; sums may be off by `slack` times what is moved in them.
    """
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
    bad = np.abs(sums) > slack * np.maximum(1.0, sizes)
    broken = np.zeros(count, np.bool_)
    broken[keys[bad] // max(1, len(equations))] = True
    return broken
