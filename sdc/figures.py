"""Keyed hashes of figures: the same contributors, the same hash, wherever the figure stands.

A finest cell is one smallest area crossed with one category.  The hash of any
cell is the sum, modulo 2**64, of count × keyed hash over the finest cells
below it, so that it depends on who is counted and on the key alone: not on the
table's other columns, its name, its row order or the run.
"""

from dataclasses import dataclass

import numpy as np

from common.keys import sip_key
from sdc.keyedcodes import keyed_codes
from sdc.tables import Table, sum_up

__all__ = ["Figures", "figures_of"]

SEPARATOR = "\x1f"


@dataclass(frozen=True, kw_only=True, eq=False)
class Figures:
    """Hashes shaped like a table's counts: uint64 of shape (units, categories + 1) per level.

    The hash of a total is built from areas and counts alone, so that tables by
    different categories of the same population hold the same hash in their totals.
    """

    hashes: tuple[np.ndarray, ...]


def figures_of(table: Table, key: bytes) -> Figures:
    """The hash of every cell of a table under the key."""
    secret = sip_key(key, "figure")
    areas = keyed_codes(secret, table.hierarchy.codes[0])
    columns = keyed_codes(secret, np.array([SEPARATOR.join(c) for c in _named(table)] + [""]))
    # A product of two keyed words is no keyed word of the pair: mix before use.
    words = _mixed(areas[:, None] ^ (columns[None, :] * np.uint64(0x9E3779B97F4A7C15)))
    return Figures(hashes=sum_up(table.hierarchy, table.counts[0].astype(np.uint64) * words))


def _named(table: Table) -> list[tuple[str, ...]]:
    """Each category with the names of its dimensions: a code may mean different things in two dimensions."""
    names = table.classification.dimensions
    return [
        tuple(part for pair in zip(names, codes, strict=True) for part in pair)
        for codes in table.classification.categories
    ]


def _mixed(words: np.ndarray) -> np.ndarray:
    """A bijection of 64-bit words that spreads every bit (the finaliser of SplitMix64, Steele et al. 2014)."""
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))
