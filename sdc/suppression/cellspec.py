"""What is asked of suppression on tables of any shape, what it tells the reviewer, and what the key draws for cells."""

from dataclasses import dataclass, field

import numpy as np
from numba import njit

from common.keys import sip_key, siphash
from sdc.attack.changes import Changes
from sdc.suppression.general import GeneralSuppression
from sdc.suppression.report import PRIMARY, SECONDARY
from sdc.system import CellSystem

__all__ = ["CellChoices", "CellReport", "CellSuppression", "drawn", "keyed_weights"]


@dataclass(frozen=True, kw_only=True)
class CellSuppression:
    """Demands and preferences.

    Hiding a cell that holds x costs (1 + ln(1 + x)) × its factor × a number
    between 1 and 1 + `spread` drawn by the key.

    Attributes
    ----------
    min_count : smallest non-zero count that may be told; a count x with 1 <= x <= min_count - 1 is *small*.
    lone_claimants : whether somebody who knows that they stand alone in a cell must learn no other cell from it.
    hide_zeros : whether zeros that no rule flags may be hidden to protect others.
    decoys : chance, by the key, that a cell with 0 or min_count … 2 min_count - 1 is hidden and protected as if it
        were small, so that no hidden cell is proven small by the rule that hides small cells; 0 to below 1.
    spread : how far the key raises prices, at least 0.
    pattern : how patterns are looked for.

    Raises
    ------
    ValueError
        A value lies outside its range.
    """

    min_count: int = 5
    lone_claimants: bool = True
    hide_zeros: bool = True
    decoys: float = 0.01
    spread: float = 0.25
    pattern: GeneralSuppression = field(default_factory=GeneralSuppression)

    def __post_init__(self) -> None:
        if self.min_count < 2:
            raise ValueError(f"min_count ({self.min_count}) must be at least 2")
        if not 0 <= self.decoys < 1:
            raise ValueError(f"decoys ({self.decoys}) must be at least 0 and below 1")
        if not 0 <= self.spread <= 100:
            raise ValueError(f"spread ({self.spread}) must be from 0 to 100")


@dataclass(frozen=True, kw_only=True, eq=False)
class CellChoices:
    """What is decided cell by cell before the search, bool of shape (cells,); None for no cell.

    Attributes
    ----------
    hide : cells hidden in any case, and protected as flagged ones are.
    show : cells that must be shown.
    structural : zeros that can be nothing else: they are shown as structural zeros, and a reader knows them.
    """

    hide: np.ndarray | None = None
    show: np.ndarray | None = None
    structural: np.ndarray | None = None

    def mask(self, name: str, system: CellSystem) -> np.ndarray:
        """One of them, no cell if need be (ValueError where the shape is wrong)."""
        chosen: np.ndarray | None = getattr(self, name)
        if chosen is None:
            return np.zeros(len(system), np.bool_)
        if chosen.shape != (len(system),) or chosen.dtype != np.bool_:
            raise ValueError(f"{name} must be bool, one per cell")
        if name == "structural" and np.any(system.counts[chosen] != 0):
            raise ValueError("structural zeros must hold 0")
        return chosen & system.shown


@dataclass(frozen=True, kw_only=True, eq=False)
class CellReport:
    """How it went: for the reviewer, never for the public.

    Attributes
    ----------
    status : int8 of shape (cells,), why each cell is hidden; see `sdc.suppression.report.STATUSES`.
    lo, hi : of each cell the least and the greatest value in a table that was met and that no reader can tell from the
        true one; int64 of shape (cells,).  What can be proven of a cell is no closer.
    path : ``exact``, ``boxes`` or ``pieces``. solver : of the search for the pattern, ``heuristic`` where nothing is proven.
    cost, bound : weight of the secondary cells, and a weight that no pattern goes below (0: nothing proven).
    rounds : patterns that were made and attacked, or rounds in which one grew.
    figures : cells by status, and what the search and the attack counted.
    changes : by which a large cube is proven to be safe, for those who attack it again; None for other tables.
    """

    status: np.ndarray
    lo: np.ndarray
    hi: np.ndarray
    path: str
    solver: str
    cost: float
    bound: float
    rounds: int
    figures: dict[str, int]
    changes: Changes | None = None

    @property
    def primary(self) -> np.ndarray:
        """Cells that a rule flags: bool of shape (cells,)."""
        return np.asarray(self.status == PRIMARY)

    @property
    def secondary(self) -> np.ndarray:
        """Cells hidden to protect others: bool of shape (cells,)."""
        return np.asarray(self.status == SECONDARY)


def keyed_weights(system: CellSystem, *, key: bytes, spread: float, factors: np.ndarray | None = None) -> np.ndarray:
    """What hiding each cell costs: float64 of shape (cells,), the same for the same key, area, categories and count.

    Raises
    ------
    ValueError
        The system's cells have no identity.
    """
    shares = drawn(system, key, "suppression of cells")
    prices: np.ndarray = (1 + np.log1p(system.counts)) * (1 + spread * shares)
    return prices if factors is None else prices * factors


def drawn(system: CellSystem, key: bytes, purpose: str) -> np.ndarray:
    """A number from 0 to below 1 for each cell, by the key, its area, categories and count."""
    if system.identity is None:
        raise ValueError("a key can draw for cells only if every cell has an identity")
    return np.asarray(
        _shares(sip_key(key, purpose), np.column_stack([system.identity, system.counts.astype(np.uint64)]))
    )


@njit(cache=True)
def _shares(secret, words):  # type: ignore[no-untyped-def]
    """A keyed number from 0 to below 1 for each row of words."""
    out = np.empty(len(words), np.float64)
    for i in range(len(words)):
        out[i] = (siphash(secret, words[i], words.shape[1]) >> np.uint64(11)) / 2.0**53
    return out
