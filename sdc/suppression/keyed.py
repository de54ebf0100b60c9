"""What the key decides in suppression: prices, decoys, the order of cells, and labels.

All of it hangs on a cell's area, category and contributors (`sdc.figures`) and
on the key: not on the table's name, its other columns, the order of rows or the run.
"""

import numpy as np

from common.keys import sip_key, siphash
from sdc.compiled import lean
from sdc.figures import SEPARATOR, figures_of
from sdc.keyedcodes import keyed_codes
from sdc.network import flatten
from sdc.suppression.arcs import MUST_SHOW
from sdc.suppression.spec import SuppressionSpec, base_prices
from sdc.tables import Table

__all__ = ["MOST", "cell_words", "draw_decoys", "keyed_prices", "pick_decoys"]

# The largest price: far below what may not be hidden, and sums of a million stay in 38 bits.
MOST = 1 << 24


def cell_words(table: Table, key: bytes, purpose: str = "suppression") -> np.ndarray:
    """A keyed 64-bit word for every cell: uint64 of shape (cells,), in network order.

    The same area, category and contributors have the same word in every table; totals have it whatever the categories.
    """
    secret = sip_key(key, purpose)
    dimensions = table.classification.dimensions
    named = [
        SEPARATOR.join(part for pair in zip(dimensions, codes, strict=True) for part in pair)
        for codes in table.classification.categories
    ]
    columns = keyed_codes(secret, np.array([*named, ""]))
    # One code may stand for an area at two levels, with one figure if the upper has no other child.
    levels = keyed_codes(secret, np.array(table.hierarchy.levels))
    parts = []
    for level, codes, figures in zip(levels, table.hierarchy.codes, figures_of(table, key).hashes, strict=True):
        out = np.empty(figures.shape, np.uint64)
        _hash_cells(secret, keyed_codes(secret, codes) ^ level, columns, figures, np.empty(3, np.uint64), out)
        parts.append(out)
    return flatten(tuple(parts))


def keyed_prices(table: Table, spec: SuppressionSpec, words: np.ndarray) -> np.ndarray:
    """Whole prices, each raised by a factor between 1 and 1 + spread: int32 of shape (cells,); see `SuppressionSpec`."""
    base = flatten(base_prices(table, spec))
    raised = base * (1 + spec.spread * _shares(words))
    return np.where(base >= MUST_SHOW, MUST_SHOW, np.clip(raised, 1, MOST)).astype(np.int32)


def draw_decoys(counts: np.ndarray, spec: SuppressionSpec, words: np.ndarray) -> np.ndarray:
    """Which cells the key picks as decoys: bool of shape (cells,), among x = 0 and min_count <= x < 2 min_count.

    A decoy is hidden as a small count would be: so whoever knows the rule
    cannot tell from a hidden cell that it is none of these.
    """
    # Other bits than those that move the price.
    draws = _shares(words << np.uint64(32))
    return pick_decoys(counts, draws, min_count=spec.min_count, hide_zeros=spec.hide_zeros, chance=spec.decoys)


def pick_decoys(
    counts: np.ndarray, draws: np.ndarray, *, min_count: int, hide_zeros: bool, chance: float
) -> np.ndarray:
    """Decoys among cells with draws from 0 to below 1: bool of their shape; 0 and min_count <= x < 2 min_count can be."""
    eligible = ((counts == 0) & hide_zeros) | ((counts >= min_count) & (counts < 2 * min_count))
    return np.asarray(eligible & (draws < chance))


def _shares(words: np.ndarray) -> np.ndarray:
    """Words as numbers from 0 to below 1, by their upper 32 bits."""
    return (words >> np.uint64(32)).astype(np.float64) / 2.0**32


@lean
def _hash_cells(secret, areas, columns, figures, words, out):  # type: ignore[no-untyped-def]
    for unit in range(out.shape[0]):
        for column in range(out.shape[1]):
            words[0] = areas[unit]
            words[1] = columns[column]
            words[2] = figures[unit, column]
            out[unit, column] = siphash(secret, words, 3)
