"""The brute-force judge of every attack: all worlds of whole numbers that fit what is published, one by one.

A *world* is a vector of counts of the finest cells, each at least 0.  Every published figure is a
sum of some of them, which lies between bounds.
"""

from collections.abc import Sequence

import numpy as np

from sdc.attack.intervals import NO_BOUND

__all__ = ["every_world", "sums_of_tree"]

# Worlds, or beginnings of worlds, that are tried at a time.
MOST_WORLDS = 400_000


def every_world(
    sums: np.ndarray, lo: np.ndarray, hi: np.ndarray, *, free: int | None = None, most: int = MOST_WORLDS
) -> np.ndarray | None:
    """All worlds x of whole numbers, at least 0, with lo <= sums @ x <= hi: int64 of shape (worlds, finest), in order.

    `sums` is int64 of shape (figures, finest).  Finest cells that no figure bounds from above are
    tried up to `free`.  None where there are more than `most` worlds.

    Raises
    ------
    ValueError
        Some finest cell has no bound, and `free` is not given.
    """
    lo, hi = np.asarray(lo, np.int64), np.asarray(hi, np.int64)
    least, greatest = _ranges(sums, lo, hi)
    if free is None and (greatest >= NO_BOUND).any():
        raise ValueError("every finest cell must be bounded by some figure")
    greatest = np.where(greatest >= NO_BOUND, max(free or 0, 0), greatest)
    if (least > greatest).any():
        return np.empty((0, sums.shape[1]), np.int64)
    # What the cells still to come can add to each figure.
    down = np.minimum(sums * least, sums * greatest)
    up = np.maximum(sums * least, sums * greatest)
    down = np.cumsum(down[:, ::-1], axis=1)[:, ::-1]
    up = np.cumsum(up[:, ::-1], axis=1)[:, ::-1]
    worlds = np.empty((1, 0), np.int64)
    reached = np.zeros((1, len(lo)), np.int64)
    for cell in range(sums.shape[1]):
        column = sums[:, cell]
        after = cell + 1
        rest_down = down[:, after] if after < sums.shape[1] else np.zeros(len(lo), np.int64)
        rest_up = up[:, after] if after < sums.shape[1] else np.zeros(len(lo), np.int64)
        first = np.full(len(worlds), least[cell])
        last = np.full(len(worlds), greatest[cell])
        for figure in np.flatnonzero(column):
            room_up = hi[figure] - reached[:, figure] - rest_down[figure]
            room_down = lo[figure] - reached[:, figure] - rest_up[figure]
            weight = int(column[figure])
            if weight < 0:
                room_up, room_down, weight = -room_down, -room_up, -weight
            last = np.minimum(last, room_up // weight)
            first = np.maximum(first, -(-room_down // weight))
        number = np.maximum(last - first + 1, 0)
        if number.sum() > most:
            return None
        rows = np.repeat(np.arange(len(worlds)), number)
        value = first[rows] + np.arange(len(rows)) - np.repeat(np.cumsum(number) - number, number)
        worlds = np.column_stack([worlds[rows], value])
        reached = reached[rows] + value[:, None] * column
    fits = ((reached >= lo) & (reached <= hi)).all(axis=1)
    return worlds[fits]


def _ranges(sums: np.ndarray, lo: np.ndarray, hi: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Bounds of every finest cell that follow from single figures: int64 of shape (finest,)."""
    least = np.zeros(sums.shape[1], np.int64)
    greatest = np.full(sums.shape[1], NO_BOUND, np.int64)
    while True:
        before = greatest.sum() - least.sum()
        for row, low, high in zip(sums, lo, hi, strict=True):
            cells = np.flatnonzero(row)
            ends = np.sort(np.stack([row * least, row * greatest]), axis=0)[:, cells]
            for at, cell in enumerate(cells.tolist()):
                others = np.delete(ends, at, axis=1).sum(axis=1)
                weight = int(row[cell])
                room = (low - others[1], high - others[0]) if weight > 0 else (others[0] - high, others[1] - low)
                if high < NO_BOUND if weight > 0 else low > -NO_BOUND:
                    greatest[cell] = min(greatest[cell], room[1] // abs(weight))
                least[cell] = max(least[cell], -(-room[0] // abs(weight)))
        if greatest.sum() - least.sum() == before or (least > greatest).any():
            return least, greatest


def sums_of_tree(parents: Sequence[np.ndarray], categories: int) -> list[np.ndarray]:
    """Every cell of an area tree by a classification as a sum of finest ones: per level (units, columns, finest).

    `categories` is 0 for totals alone.
    """
    columns = max(categories, 1)
    units = len(parents[0]) if len(parents) else 1
    unit = np.eye(units * columns, dtype=np.int64).reshape(units, columns, -1)
    levels = [np.concatenate([unit, unit.sum(axis=1, keepdims=True)], axis=1) if categories else unit]
    for each in parents:
        above = np.zeros((int(each.max()) + 1, *levels[-1].shape[1:]), np.int64)
        np.add.at(above, each, levels[-1])
        levels.append(above)
    return levels
