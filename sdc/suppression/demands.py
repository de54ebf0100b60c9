"""What hidden cells must hide from whom, on a table of any shape.

A reader sees what is shown, and may know more: bounds of every cell beforehand
(`Room`), and, for the only contributor of some cells, the values of these.
"""

from dataclasses import dataclass

import numpy as np

from common.faults import Infeasible
from sdc.attack.intervals import NO_BOUND
from sdc.system import CellSystem

__all__ = ["NAMED", "Demands", "Room", "refusal", "room_of"]

NOTHING = np.empty(0, np.int64)
# So many cells are named where some cannot be protected.
NAMED = 5
ARRAYS = ("cells", "lower", "upper", "width", "reader")


@dataclass(frozen=True, kw_only=True, eq=False)
class Demands:
    """One demand per row; arrays of shape (demands,).

    A demand is met where, for its reader, the interval of its cell, which holds
    x, covers [x - lower, x + upper] and is `width` wide at least.

    Attributes
    ----------
    cells : the cells to be protected; one may stand in several demands.
    lower, upper, width : float64, at least 0, in the unit of the counts.
    reader : int64, whose knowledge counts: a place in `knows`, or -1 for somebody who knows no cell.
    knows : per reader, the cells whose values they know beside what is shown.

    Raises
    ------
    ValueError
        Shapes differ, a level is below 0, or a cell is to be protected from somebody who knows it.
    """

    cells: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    width: np.ndarray
    reader: np.ndarray
    knows: tuple[np.ndarray, ...] = ()

    def __post_init__(self) -> None:
        if any(getattr(self, name).shape != self.cells.shape for name in ARRAYS):
            raise ValueError("a demand needs a cell, a lower and an upper level, a width and a reader or -1")
        if any(level.size and level.min() < 0 for level in (self.lower, self.upper, self.width)):
            raise ValueError("levels of protection must be at least 0")
        if any(self.cells[k] in self.known(k) for k in np.flatnonzero(self.reader >= 0).tolist()):
            raise ValueError("a cell cannot be protected from somebody who knows it")

    @classmethod
    def of(
        cls,
        cells: np.ndarray,
        *,
        lower: np.ndarray | float = 0.0,
        upper: np.ndarray | float = 0.0,
        width: np.ndarray | float = 0.0,
        known: np.ndarray | int = -1,
    ) -> "Demands":
        """Demands from arrays or single values that hold for all; `known` is the one cell that a reader knows, or -1."""
        cells = np.asarray(cells, np.int64)
        levels = [np.broadcast_to(np.asarray(level, np.float64), cells.shape) for level in (lower, upper, width)]
        knows = np.broadcast_to(np.asarray(known, np.int64), cells.shape)
        names, place = np.unique(knows, return_inverse=True)
        readers = np.where(knows >= 0, place.reshape(cells.shape) - int((names < 0).any()), -1)
        known_cells = tuple(np.array([name]) for name in names.tolist() if name >= 0)
        return cls(cells=cells, lower=levels[0], upper=levels[1], width=levels[2], reader=readers, knows=known_cells)

    def __len__(self) -> int:
        return len(self.cells)

    def known(self, k: int) -> np.ndarray:
        """The cells whose values the reader of one demand knows."""
        return self.knows[int(self.reader[k])] if self.reader[k] >= 0 else NOTHING

    def and_also(self, other: "Demands") -> "Demands":
        """These and others."""
        both = {name: np.concatenate([getattr(self, name), getattr(other, name)]) for name in ARRAYS}
        both["reader"][len(self) :] += np.where(other.reader >= 0, len(self.knows), 0)
        return Demands(**both, knows=self.knows + other.knows)

    def chosen(self, at: np.ndarray) -> "Demands":
        """Some of them, with their readers alone."""
        kept = {name: getattr(self, name)[at] for name in ARRAYS}
        readers, place = np.unique(kept["reader"], return_inverse=True)
        kept["reader"] = np.where(kept["reader"] >= 0, place - int((readers < 0).any()), -1)
        return Demands(**kept, knows=tuple(self.knows[reader] for reader in readers.tolist() if reader >= 0))

    def within(self, cells: np.ndarray) -> "Demands":
        """The same in the numbers of a piece of the table, `cells` (ascending); what is known outside of it is left out."""
        knows = tuple(np.searchsorted(cells, known[np.isin(known, cells)]) for known in self.knows)
        kept = {name: getattr(self, name) for name in ARRAYS} | {"cells": np.searchsorted(cells, self.cells)}
        return Demands(**kept, knows=knows)


@dataclass(frozen=True, kw_only=True, eq=False)
class Room:
    """How far each cell's value may lie below and above the true one for all the reader knows; np.inf for no bound."""

    down: np.ndarray
    up: np.ndarray


def room_of(system: CellSystem, lower: np.ndarray | None = None, upper: np.ndarray | None = None) -> Room:
    """Room of every cell under the bounds a reader has beforehand: 0 and none above, where nothing is said.

    Raises
    ------
    ValueError
        A count lies outside.
    """
    least = np.zeros(len(system)) if lower is None else lower.astype(float)
    most = np.full(len(system), np.inf) if upper is None else np.where(upper >= NO_BOUND, np.inf, upper)
    room = Room(down=system.counts - least, up=most - system.counts)
    outside = np.flatnonzero((room.down < 0) | (room.up < 0))
    if outside.size:
        raise ValueError(f"{system.name(int(outside[0]))} must lie within the bounds a reader has beforehand")
    return room


def refusal(system: CellSystem, cells: np.ndarray, found: str) -> Infeasible:
    """What is raised where cells cannot be protected: `found`, and the names of the first of them."""
    names = list(dict.fromkeys(system.name(int(cell)) for cell in cells))
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return Infeasible(
        f"{found} {'; '.join(names[:NAMED])}{more}", demands=("protection levels", "cells that must be shown")
    )
