"""Suppression of a table of any shape, with its audit: cubes with several margins, two nests, linked tables.

For tables that are a network `sdc.suppression.suppress` is faster by far.  Here:
demands from the flagged cells, a pattern (`sdc.suppression.general`), an attack
on it; what the attack finds becomes a further demand, until it finds nothing:

* a flagged count x is to be proven no closer than [0, min_count] if it is small,
  [x - min_count, x + min_count] otherwise, or as far as is asked;
* a decoy, hidden by the key's draw, is protected as if it were small;
* a cell hidden to protect others must not look small and narrow: where its
  interval meets 1 … min_count - 1 it is min_count - 1 wide at least;
* nobody who stands alone in a cell learns another cell exactly.

Small tables, and tables that are no cube, are attacked by linear and
mixed-integer programmes (`sdc.attack.programmes`).  A large cube is not: each
demand has a certificate that is checked sum by sum, and the same changes say what
is wide and what lone claimants cannot learn (`sdc.suppression.evidence`).
"""

from dataclasses import dataclass, replace

import numpy as np

from common.faults import Infeasible
from common.progress import SILENT, Progress
from sdc.attack.changes import Changes
from sdc.attack.programmes import Demand, Found, feasible_intervals
from sdc.suppression.attacked import attacked_demands, bounds_of
from sdc.suppression.cellspec import CellChoices, CellReport, CellSuppression, drawn, keyed_weights
from sdc.suppression.certificates import Sparse, check_certificates
from sdc.suppression.crossed import Crossed
from sdc.suppression.demands import NAMED, Demands, Room, room_of
from sdc.suppression.evidence import Claims, gather, learned_demands, narrow_demands
from sdc.suppression.general import (
    Suppressed,
    heuristic,
    meet_demands,
    protect_cube,
    suppress_system,
)
from sdc.suppression.insiders import learned_by_claimants
from sdc.suppression.keyed import pick_decoys
from sdc.suppression.report import DECOY, FORCED, PRIMARY, PUBLISHED, SECONDARY, STATUSES
from sdc.system import CellSystem, SafeCells
from sdc.tables import NOT_PUBLISHED, SHOWN, STRUCTURAL, SUPPRESSED, Method

__all__ = ["CellChoices", "CellReport", "CellSuppression", "keyed_weights", "suppress_cells"]

# Rounds of pattern and attack; what one pattern leaves the next is asked to mend.
MOST_ROUNDS = 8
# Rounds in which a cube's pattern grows; each hides cells, which may look narrow themselves.
MOST_GROWTH = 40
FAILED = "no pattern was found that passes its audit: hide at coarser areas, merge categories, or ask for less"


@dataclass(frozen=True, kw_only=True, eq=False)
class _Task:
    """One system with all that is decided before the search; arrays of shape (cells,)."""

    system: CellSystem
    spec: CellSuppression
    status: np.ndarray
    structural: np.ndarray
    may_hide: np.ndarray
    room: Room
    demands: Demands
    weights: np.ndarray


def suppress_cells(
    system: CellSystem,
    *,
    primary: np.ndarray,
    spec: CellSuppression,
    key: bytes,
    factors: np.ndarray | None = None,
    protection: tuple[np.ndarray, np.ndarray] | None = None,
    choices: CellChoices | None = None,
    may_hide: np.ndarray | None = None,
    room: Room | None = None,
    progress: Progress = SILENT,
) -> tuple[SafeCells, CellReport]:
    """Hide flagged cells and as few others as is found to be enough.

    Parameters
    ----------
    primary : bool of shape (cells,), what rules flag.
    key : draws prices, and with them ties, and decoys.
    factors : of shape (cells,), above 0: how much dearer each cell is than another of its count.
    protection : how far below and above its count the interval of each cell that is flagged or chosen must reach, two
        arrays of shape (cells,); [0, min_count] for a small one, min_count to either side for others, where not given.
    choices : what is hidden or shown in any case.
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
    task = _task(system, primary, spec, key, factors, protection, choices or CellChoices(), may_hide, room)
    by_boxes = system.lattice is not None and len(system) > spec.pattern.exact_cells
    pattern, lo, hi, rounds, changes = (_grow if by_boxes else _attack_and_mend)(task, progress)
    status = np.where(pattern.hidden & (task.status == PUBLISHED), SECONDARY, task.status).astype(np.int8)
    counted = {f"{name} cells": int((status[system.shown] == code).sum()) for code, name in STATUSES.items()}
    report = CellReport(
        status=status,
        lo=lo,
        hi=hi,
        path=pattern.path,
        solver=pattern.status,
        cost=pattern.cost,
        bound=pattern.bound,
        rounds=rounds,
        figures=counted | pattern.figures,
        changes=changes,
    )
    return _published(task, pattern.hidden), report


def _task(
    system: CellSystem,
    primary: np.ndarray,
    spec: CellSuppression,
    key: bytes,
    factors: np.ndarray | None,
    protection: tuple[np.ndarray, np.ndarray] | None,
    choices: CellChoices,
    may_hide: np.ndarray | None,
    room: Room | None,
) -> _Task:
    if primary.shape != (len(system),) or primary.dtype != np.bool_:
        raise ValueError("primary must be bool, one per cell")
    structural = choices.mask("structural", system)
    must_show = choices.mask("show", system) | structural
    may_hide = (system.shown if may_hide is None else may_hide & system.shown) & ~must_show
    unflagged = may_hide if spec.hide_zeros else may_hide & (system.counts > 0)
    status = np.full(len(system), PUBLISHED, np.int8)
    draws = drawn(system, key, "decoys of cells")
    decoys = pick_decoys(system.counts, draws, min_count=spec.min_count, hide_zeros=spec.hide_zeros, chance=spec.decoys)
    status[decoys & unflagged] = DECOY
    status[choices.mask("hide", system)] = FORCED
    status[primary & system.shown] = PRIMARY
    clash = np.flatnonzero((status > PUBLISHED) & must_show)
    if len(clash):
        names = "; ".join(system.name(int(cell)) for cell in clash[:NAMED])
        more = f" and {len(clash) - NAMED} more" if len(clash) > NAMED else ""
        raise Infeasible(
            f"must be hidden and must be shown: {names}{more}", demands=("flagged cells", "cells that must be shown")
        )
    room = room or room_of(system)
    still = Room(down=room.down, up=np.where(structural, 0.0, room.up))
    return _Task(
        system=system,
        spec=spec,
        status=status,
        structural=structural,
        may_hide=unflagged,
        room=still,
        demands=_first_demands(system, status, spec.min_count, protection),
        weights=keyed_weights(system, key=key, spread=spec.spread, factors=factors),
    )


def _first_demands(
    system: CellSystem, status: np.ndarray, min_count: int, protection: tuple[np.ndarray, np.ndarray] | None
) -> Demands:
    """[0, min_count] for a small flagged count, min_count to either side for another, as far as 0, or what is asked."""
    x = system.counts
    lower, upper = np.minimum(x, min_count), np.where(x < min_count, min_count - x, min_count)
    decoy = status == DECOY
    if protection is not None:
        lower, upper = (np.where(decoy, own, asked) for own, asked in zip((lower, upper), protection, strict=True))
    upper = np.where(decoy, np.maximum(min_count - x, 0), upper)
    cells = np.flatnonzero(status > PUBLISHED)
    return Demands.of(cells, lower=lower[cells], upper=upper[cells])


Outcome = tuple[Suppressed, np.ndarray, np.ndarray, int, Changes | None]


def _grow(task: _Task, progress: Progress) -> Outcome:
    """A cube: boxes for all demands, then for what evidence leaves open, until it leaves nothing."""
    spec = task.spec
    cube = protect_cube(
        task.system,
        task.demands,
        prices=task.weights,
        may_hide=task.may_hide,
        room=task.room,
        spec=spec.pattern,
        progress=progress,
    )
    claims = Claims.of(task.system) if spec.lone_claimants else None
    rounds = 0
    for last in (False, True):
        found, more = _close(task, cube, claims, progress)
        rounds += more
        if not last:
            # What protects cells from each other may now stand in for what protected them before.
            cube.free(progress)
    return _proven(task, cube, gather(cube, found), rounds)


def _close(task: _Task, cube: Crossed, claims: Claims | None, progress: Progress) -> tuple[list[Sparse], int]:
    """Hide more until evidence leaves nothing open; the changes found on the way, and how many rounds it took."""
    found: list[Sparse] = []
    for number in range(1, MOST_GROWTH + 1):
        evidence = gather(cube, found)
        more = narrow_demands(cube, evidence, task.spec.min_count)
        if claims is not None:
            learned, fresh = learned_demands(cube, evidence, claims)
            found += fresh
            more = more.and_also(learned)
        if not len(more):
            return found, number
        meet_demands(cube, cube.add(more), spec=task.spec.pattern, progress=progress)
    raise Infeasible(FAILED, demands=("width of what looks small", "lone claimants"))


def _proven(task: _Task, cube: Crossed, evidence: Changes, rounds: int) -> Outcome:
    """The pattern, if every certificate stands up to its exact check."""
    proven = check_certificates(task.system, cube.demands, cube.hidden, task.room, cube.certificates, whole=True)
    if not proven[cube.active].all():
        raise Infeasible(FAILED, demands=("protection of flagged cells", "lone claimants"))
    cells = np.flatnonzero(task.system.shown & cube.hidden)
    fall, rise = evidence.reach(cells)
    lo, hi = task.system.counts.copy(), task.system.counts.copy()
    lo[cells] -= fall
    hi[cells] += rise
    active = int(cube.active.sum())
    figures = {"demands": active, "demands proven": int(proven[cube.active].sum()), "changes": len(evidence)}
    first = task.status > PUBLISHED
    pattern = heuristic(task.system, cube.hidden, first, task.weights, "boxes", figures)
    return pattern, lo, hi, rounds, evidence


def _attack_and_mend(task: _Task, progress: Progress) -> Outcome:
    """Any system: pattern after pattern, each attacked, until the attack finds nothing."""
    system, demands = task.system, task.demands
    for number in range(1, MOST_ROUNDS + 1):
        pattern = suppress_system(
            system,
            demands,
            weights=task.weights,
            may_hide=task.may_hide,
            room=task.room,
            spec=task.spec.pattern,
            progress=progress,
        )
        found = _attack(system, pattern.hidden, task.room, task.spec.min_count, progress)
        more = _further_demands(system, pattern.hidden, found, task.room, task.spec)
        if not len(more) and attacked_demands(system, demands, pattern.hidden, task.room, whole=True).all():
            lo, hi = system.counts.copy(), system.counts.copy()
            lo[pattern.hidden], hi[pattern.hidden] = found.seen_lo, found.seen_hi
            told = {f"attack: {name}": value for name, value in found.figures.items()}
            return _with_figures(pattern, task, told), lo, hi, number, None
        demands = demands.and_also(more)
    raise Infeasible(FAILED, demands=("protection of flagged cells", "lone claimants"))


def _with_figures(pattern: Suppressed, task: _Task, told: dict[str, int]) -> Suppressed:
    """The pattern with what the attack counted, and the cost of all but the first cells."""
    others = pattern.hidden & (task.status == PUBLISHED)
    return replace(pattern, figures=pattern.figures | told, cost=float(task.weights[others].sum()))


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


def _published(task: _Task, hidden: np.ndarray) -> SafeCells:
    shown = np.where(task.structural, STRUCTURAL, np.where(task.system.shown, SHOWN, NOT_PUBLISHED))
    markers = np.where(hidden, SUPPRESSED, shown).astype(np.int8)
    return SafeCells(
        values=np.where(markers == SHOWN, task.system.counts, 0),
        markers=markers,
        method=Method(name="suppression", base=1, min_count=task.spec.min_count),
    )
