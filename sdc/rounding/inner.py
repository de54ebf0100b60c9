"""Which finest cells every cell of a system is the sum of, and what draws for its cells are made from."""

from collections import defaultdict, deque

import numpy as np
from numba import njit

from common.keys import sip_key, siphash
from sdc.keyedcodes import keyed_codes
from sdc.system import CellSystem

__all__ = ["finest_cells", "parts_of", "system_figures"]


def finest_cells(system: CellSystem) -> np.ndarray:
    """Cells that are no sum of others: int64, ascending."""
    whole = np.zeros(len(system), np.bool_)
    whole[system.equations.cells[system.equations.signs > 0]] = True
    return np.flatnonzero(~whole)


def parts_of(system: CellSystem) -> tuple[np.ndarray, ...]:
    """For each cell, the finest cells that it is the sum of: int64, ascending.

    Raises
    ------
    ValueError
        A cell is told as two sums of different finest cells, or as a sum of itself.
    """
    equations = system.equations
    sums = [equations.entries(each) for each in range(len(equations))]
    wholes = [int(cells[signs > 0][0]) for cells, signs in sums]
    parts = [cells[signs < 0] for cells, signs in sums]
    found: dict[int, np.ndarray] = {cell: np.array([cell]) for cell in finest_cells(system).tolist()}
    waiting = [len(each) for each in parts]
    uses = defaultdict(list)
    for equation, each in enumerate(parts):
        for cell in each.tolist():
            uses[cell].append(equation)
    queue = deque(found)
    while queue:
        for equation in uses[queue.popleft()]:
            waiting[equation] -= 1
            if waiting[equation]:
                continue
            whole, below = wholes[equation], np.sort(np.concatenate([found[cell] for cell in parts[equation].tolist()]))
            if whole not in found:
                found[whole] = below
                queue.append(whole)
            elif not np.array_equal(found[whole], below):
                raise ValueError(f"{system.name(whole)} is told as two sums of different finest cells")
    if len(found) < len(system):
        cell = min(set(range(len(system))) - set(found))
        raise ValueError(f"{system.name(cell)} is told as a sum of itself")
    return tuple(found[cell] for cell in range(len(system)))


def system_figures(system: CellSystem, key: bytes) -> np.ndarray:
    """A keyed hash of each cell's identity and count: uint64 of shape (n,).

    Where cells have no identity their names stand for it.

    Raises
    ------
    ValueError
        Cells have neither identity nor names: nothing is left to draw by but their order.
    """
    secret = sip_key(key, "figure of a system")
    if system.identity is not None:
        return _hashed(secret, system.identity, system.counts)
    if system.names is None:
        raise ValueError("a system needs an identity or a name for each cell, to draw by")
    words = keyed_codes(secret, np.array([system.name(cell) for cell in range(len(system))]))
    return _hashed(secret, np.stack([words, words], axis=1), system.counts)


@njit(cache=True)
def _hashed(secret, identity, counts):  # type: ignore[no-untyped-def]
    words = np.empty(3, np.uint64)
    out = np.empty(len(counts), np.uint64)
    for cell in range(len(counts)):
        words[0], words[1], words[2] = identity[cell, 0], identity[cell, 1], np.uint64(counts[cell])
        out[cell] = siphash(secret, words, 3)
    return out
