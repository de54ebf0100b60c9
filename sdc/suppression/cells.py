"""Suppression of a table of any shape, with its audit: cubes with several margins, two nests, linked tables.

For tables that are a network `sdc.suppression.suppress` is faster by far.  Here:
demands from the flagged cells, a pattern (`sdc.suppression.general`), an attack
on it; what the attack finds becomes a further demand, until it finds nothing:

* a flagged count x is to be proven no closer than [0, min_count] if it is small,
  [x - min_count, x + min_count] otherwise;
* a cell hidden to protect others must not look small and narrow: where its
  interval meets 1 … min_count - 1 it is min_count - 1 wide at least;
* nobody who stands alone in a cell learns another cell exactly.
"""

from dataclasses import dataclass, field

import numpy as np
from numba import njit

from common.faults import Infeasible
from common.keys import sip_key, siphash
from common.progress import SILENT, Progress
from sdc.attack.programmes import Demand, Found, feasible_intervals
from sdc.suppression.attacked import attacked_demands, bounds_of
from sdc.suppression.demands import Demands, Room, room_of
from sdc.suppression.general import GeneralSuppression, Suppressed, suppress_system
from sdc.suppression.insiders import learned_by_claimants
from sdc.system import CellSystem, SafeCells
from sdc.tables import NOT_PUBLISHED, SHOWN, SUPPRESSED, Method

__all__ = ["CellReport", "CellSuppression", "keyed_weights", "suppress_cells"]

# Rounds of pattern and attack; what one pattern leaves the next is asked to mend.
MOST_ROUNDS = 8


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
    spread: float = 0.25
    pattern: GeneralSuppression = field(default_factory=GeneralSuppression)

    def __post_init__(self) -> None:
        if self.min_count < 2:
            raise ValueError(f"min_count ({self.min_count}) must be at least 2")
        if not 0 <= self.spread <= 100:
            raise ValueError(f"spread ({self.spread}) must be from 0 to 100")


@dataclass(frozen=True, kw_only=True, eq=False)
class CellReport:
    """How it went: for the reviewer, never for the public.

    Attributes
    ----------
    primary, secondary : bool of shape (cells,).
    lo, hi : what a reader can prove of each cell, as far as it was followed; int64 of shape (cells,).
    path : ``exact`` or ``pieces``. status : of the search for the pattern.
    cost, bound : weight of the secondary cells, and a weight that no pattern goes below (0: nothing proven).
    rounds : patterns that were made and attacked.
    figures : of the last pattern and the attack on it.
    """

    primary: np.ndarray
    secondary: np.ndarray
    lo: np.ndarray
    hi: np.ndarray
    path: str
    status: str
    cost: float
    bound: float
    rounds: int
    figures: dict[str, int]


def keyed_weights(system: CellSystem, *, key: bytes, spread: float, factors: np.ndarray | None = None) -> np.ndarray:
    """What hiding each cell costs: float64 of shape (cells,), the same for the same key, area, categories and count.

    Raises
    ------
    ValueError
        The system's cells have no identity.
    """
    if system.identity is None:
        raise ValueError("a key can draw for cells only if every cell has an identity")
    words = np.column_stack([system.identity, system.counts.astype(np.uint64)])
    shares = _shares(sip_key(key, "suppression of cells"), words)
    prices: np.ndarray = (1 + np.log1p(system.counts)) * (1 + spread * shares)
    return prices if factors is None else prices * factors


@njit(cache=True)
def _shares(secret, words):  # type: ignore[no-untyped-def]
    """A keyed number from 0 to below 1 for each row of words."""
    out = np.empty(len(words), np.float64)
    for i in range(len(words)):
        out[i] = (siphash(secret, words[i], words.shape[1]) >> np.uint64(11)) / 2.0**53
    return out


def suppress_cells(
    system: CellSystem,
    *,
    primary: np.ndarray,
    spec: CellSuppression,
    key: bytes,
    factors: np.ndarray | None = None,
    may_hide: np.ndarray | None = None,
    room: Room | None = None,
    progress: Progress = SILENT,
) -> tuple[SafeCells, CellReport]:
    """Hide flagged cells and as few others as is found to be enough.

    Parameters
    ----------
    primary : bool of shape (cells,), what rules flag.
    key : draws prices, and with them ties.
    factors : of shape (cells,), above 0: how much dearer each cell is than another of its count.
    may_hide : bool, what may be hidden beside flagged cells; everything published where nothing is said.
    room : what a reader knows beforehand; counts from 0 where nothing is said.

    Returns
    -------
    The cells as published, method ``suppression`` and base 1, and the private report.

    Raises
    ------
    Infeasible
        No pattern of cells that may be hidden does what was asked, or none was found.
    ValueError
        Shapes are wrong, or cells have no identity.
    """
    if primary.shape != (len(system),) or primary.dtype != np.bool_:
        raise ValueError("primary must be bool, one per cell")
    room = room or room_of(system)
    may_hide = system.shown if may_hide is None else may_hide & system.shown
    if not spec.hide_zeros:
        may_hide = may_hide & (system.counts > 0)
    primary = primary & system.shown
    demands = _first_demands(system, primary, spec.min_count)
    weights = keyed_weights(system, key=key, spread=spec.spread, factors=factors)
    for number in range(1, MOST_ROUNDS + 1):
        pattern = suppress_system(
            system,
            demands,
            weights=weights,
            may_hide=may_hide,
            room=room,
            spec=spec.pattern,
            progress=progress,
        )
        hidden = pattern.hidden
        found = _attack(system, hidden, room, spec.min_count, progress)
        more = _further_demands(system, hidden, found, room, spec)
        if not len(more) and attacked_demands(system, demands, hidden, room, whole=True).all():
            return _published(system, hidden, spec), _report(system, primary, pattern, found, number)
        demands = demands.and_also(more)
    raise Infeasible(
        "no pattern was found that passes its audit: hide at coarser areas, merge categories, or ask for less",
        demands=("protection of flagged cells", "lone claimants"),
    )


def _first_demands(system: CellSystem, primary: np.ndarray, min_count: int) -> Demands:
    """[0, min_count] for a small flagged count, min_count to either side for another, as far as 0."""
    cells = np.flatnonzero(primary)
    x = system.counts[cells]
    upper = np.where(x < min_count, min_count - x, min_count)
    return Demands.of(cells, lower=np.minimum(x, min_count), upper=upper)


def _attack(system: CellSystem, hidden: np.ndarray, room: Room, min_count: int, progress: Progress) -> Found:
    """Intervals of all hidden cells, followed far enough to say what is small, pinned or narrow."""
    cells = np.flatnonzero(hidden)
    x = system.counts[cells]
    lo, hi = bounds_of(system, hidden, room)
    demand = Demand(lo=x - min_count, hi=np.maximum(x + min_count, min_count))
    return feasible_intervals(
        system.equations, lo, hi, asked=cells, start=system.counts, demand=demand, progress=progress
    )


def _further_demands(
    system: CellSystem, hidden: np.ndarray, found: Found, room: Room, spec: CellSuppression
) -> Demands:
    """What the attack found, as demands: small and narrow cells, and cells that lone claimants learn."""
    cells, small = np.flatnonzero(hidden), spec.min_count - 1
    looks_small = (found.lo <= small) & (found.hi >= 1)
    narrow = looks_small & (found.seen_hi - found.seen_lo < small)
    more = Demands.of(cells[narrow], width=float(small))
    if spec.lone_claimants:
        for learned in learned_by_claimants(system, hidden, room):
            asked = Demands.of(learned.cells, width=1.0)
            more = more.and_also(
                Demands(
                    cells=asked.cells,
                    lower=asked.lower,
                    upper=asked.upper,
                    width=asked.width,
                    reader=np.zeros(len(asked), np.int64),
                    knows=(learned.known,),
                )
            )
    return more


def _published(system: CellSystem, hidden: np.ndarray, spec: CellSuppression) -> SafeCells:
    markers = np.where(hidden, SUPPRESSED, np.where(system.shown, SHOWN, NOT_PUBLISHED)).astype(np.int8)
    return SafeCells(
        values=np.where(markers == SHOWN, system.counts, 0),
        markers=markers,
        method=Method(name="suppression", base=1, min_count=spec.min_count),
    )


def _report(system: CellSystem, primary: np.ndarray, pattern: Suppressed, found: Found, rounds: int) -> CellReport:
    lo, hi = system.counts.copy(), system.counts.copy()
    lo[pattern.hidden], hi[pattern.hidden] = found.lo, found.hi
    return CellReport(
        primary=primary,
        secondary=pattern.hidden & ~primary,
        lo=lo,
        hi=hi,
        path=pattern.path,
        status=pattern.status,
        cost=pattern.cost,
        bound=pattern.bound,
        rounds=rounds,
        figures=pattern.figures | {f"attack: {name}": value for name, value in found.figures.items()},
    )
