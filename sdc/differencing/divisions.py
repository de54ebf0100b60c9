"""All divisions of one dimension that tables tell of, and the columns that they tell of them.

Every level of an area tree is a division, and so is every list of bands.  A *column* is a
place on all other dimensions: what is left of a cell when the zone is taken from it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sdc.attack.joint import AREAS
from sdc.attack.overlaps import ATOM, Overlap, Refined
from sdc.attack.pieces import Piece
from sdc.system import CellSystem, identity_words

__all__ = ["Division", "Identities", "atom_words", "column_words", "divisions_of"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Division:
    """One level of one axis: its units, the unit of every atom of an overlap (-1 for none), and the words of each unit.

    Without an overlap nobody says what the atoms are, and there are none.
    """

    name: str
    codes: np.ndarray
    units: np.ndarray
    words: np.ndarray


def divisions_of(piece: Piece, axes: Sequence[Refined], dimension: str, overlap: Overlap | None) -> list[Division]:
    """The levels of one axis of a piece, smallest first; none where it has no such axis."""
    names = [AREAS, *piece.dimensions]
    if dimension not in names:
        return []
    at = names.index(dimension)
    axis, refined = piece.axes[at], axes[at]
    tree, place, inside = axis.hierarchy, np.empty(0, np.int64), np.empty(0, np.bool_)
    if overlap is not None:
        division = overlap.division_of(axis)
        assert division is not None
        codes = np.asarray(overlap.divisions[division], np.str_)
        place = np.minimum(np.searchsorted(tree.codes[0], codes), tree.units[0] - 1)
        inside = tree.codes[0][place] == codes
    found = []
    for level, name in enumerate(tree.levels):
        first = refined.added + int(axis.starts[level])
        found.append(
            Division(
                name=name,
                codes=tree.codes[level],
                units=np.where(inside, tree.ancestors(0, level)[place], -1),
                words=refined.words[first : first + tree.units[level]],
            )
        )
    return found


def column_words(piece: Piece, axes: Sequence[Refined], dimension: str) -> np.ndarray:
    """What every place on all axes but one adds to the identity of a cell, less the measure: uint64 of shape (columns, 2)."""
    words = np.zeros((1, 2), np.uint64)
    for name, one in zip([AREAS, *piece.dimensions], axes, strict=True):
        if name != dimension:
            words = (words[:, None, :] + one.words[one.added :]).reshape(-1, 2)
    return np.unique(words, axis=0)


def atom_words(dimension: str, overlap: Overlap) -> np.ndarray:
    """What every atom of an overlap adds to the identity of a cell: uint64 of shape (atoms, 2), as `refine` has it."""
    return identity_words(f"{ATOM} of {dimension}", overlap.names())


class Identities:
    """Finds cells of a system by their identity."""

    def __init__(self, system: CellSystem) -> None:
        assert system.identity is not None
        self.identity = system.identity
        self.order = np.argsort(self.identity[:, 0], kind="stable")
        self.sorted = self.identity[self.order, 0]

    def find(self, words: np.ndarray) -> np.ndarray:
        """The cell of each pair of words, -1 for none: int64 of shape (pairs,)."""
        if not len(self.sorted):
            return np.full(len(words), -1, np.int64)
        at = self.order[np.minimum(np.searchsorted(self.sorted, words[:, 0]), len(self.sorted) - 1)]
        return np.where((self.identity[at] == words).all(axis=1), at, -1)
