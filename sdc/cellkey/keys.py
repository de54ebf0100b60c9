"""Cell keys: sums of record keys up the tree, or, where no record keys are given, drawn from the figures.

Record keys add like counts, modulo M, so that a cell's key follows from the
finest cells below it and from nothing else.
"""

import numpy as np
from numba import njit

from common.keys import sip_key, siphash
from sdc.figures import figures_of
from sdc.tables import Hierarchy, Table, sum_up

__all__ = ["DEFAULT_RANGE", "MOST_KEYS", "check_range", "figure_keys", "key_sums"]

DEFAULT_RANGE = 4096
# Keys are 16 bits of a hash at most (`claimants.recordkeys`).
MOST_KEYS = 1 << 16


def check_range(key_range: int) -> None:
    """Refuse a key range M that is no power of two from 2 to 65,536 (ONS: 256; ours: 4,096).

    Raises
    ------
    ValueError
        It is none.
    """
    if not 2 <= key_range <= MOST_KEYS or key_range & (key_range - 1):
        raise ValueError(f"key_range ({key_range}) must be a power of two from 2 to {MOST_KEYS}")


def key_sums(
    hierarchy: Hierarchy, finest_keys: np.ndarray, *, key_range: int = DEFAULT_RANGE, with_total: bool = True
) -> tuple[np.ndarray, ...]:
    """Cell keys of every cell of a table, per level int64 of shape (units, columns), each in 0 … M - 1.

    Parameters
    ----------
    finest_keys : int64 of shape (smallest areas, categories), sums of record keys
        of the finest cells, modulo M or not; 0 where nobody is counted.
    with_total : add the column of totals over categories; False where `finest_keys`
        holds totals alone, as for a table without categories.

    Raises
    ------
    ValueError
        Keys are negative or not one row a smallest area, or M is no key range.
    """
    check_range(key_range)
    if finest_keys.ndim != 2 or finest_keys.dtype != np.int64 or len(finest_keys) != hierarchy.units[0]:
        raise ValueError("finest_keys must be int64 of shape (smallest areas, categories)")
    if finest_keys.size and finest_keys.min() < 0:
        raise ValueError("sums of record keys must be at least 0")
    keys = finest_keys % key_range
    if with_total:
        keys = np.column_stack([keys, keys.sum(axis=1)])
    return tuple(sums % key_range for sums in sum_up(hierarchy, keys))


def figure_keys(table: Table, key: bytes, *, key_range: int = DEFAULT_RANGE) -> tuple[np.ndarray, ...]:
    """Cell keys drawn from what a figure counts (`sdc.figures`), per level int64 of shape (units, columns).

    Equal for the same figure of one table and for totals of the same counts by
    area; not for the same people in tables by different categories, whose
    contributors a table of counts does not name.

    Raises
    ------
    ValueError
        M is no key range.
    """
    check_range(key_range)
    secret = sip_key(key, "cell key")
    return tuple(_drawn(secret, hashes, key_range) for hashes in figures_of(table, key).hashes)


@njit(cache=True)
def _drawn(secret: np.ndarray, hashes: np.ndarray, key_range: int) -> np.ndarray:
    """SipHash of each figure's hash, modulo M: a sum of count × hash is even where the count is, its hash is not."""
    keys = np.empty(hashes.shape, np.int64)
    word = np.empty(1, np.uint64)
    for i in range(hashes.shape[0]):
        for j in range(hashes.shape[1]):
            word[0] = hashes[i, j]
            keys[i, j] = np.int64(siphash(secret, word, 1) % np.uint64(key_range))
    return keys
