"""Controlled rounding where the table is no network: a walk without bias, then a small MIP, with K steps if need be.

Several margins at once, two hierarchies, linked tables: any cells and sums
(`sdc.system`).  Every published cell x becomes a multiple r of the base b such
that all sums hold and

    |r - x| < b,  multiples staying as they are               (K = 0)
    |r - x| <= (K + 1)b - 1                                    (K steps),

cells that are not published becoming multiples of at least 0, so that what is
published extends to a table of the finest cells.  With K = 0 there need not be
such a table, and to find out is hard in general.

1. Cells fall into parts that share no sum; each is rounded by itself.
2. From x / b a walk that keeps every sum, and every cell between its two
   multiples, settles what can be settled without bias (`sdc.rounding.flight`).
3. What is still fractional is landed by a small mixed-integer programme with
   costs drawn by the key (`sdc.rounding.landing`).  This is where bias enters.
4. Parts without a rounding get 1, 2, … up to `steps` steps.  Where that is not
   enough the sums that clash are named.

Sources: methods 3.3, 5.4; Hundepool et al., *Handbook on Statistical Disclosure
Control*, 2nd ed. (2024), 5.5, for K steps; J. J. Salazar-González, "Controlled
rounding and cell perturbation: statistical disclosure limitation methods for
tabular data", Mathematical Programming 105 (2006), 583–603.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from common.faults import Infeasible
from common.keys import sip_key
from common.progress import SILENT, Progress
from sdc.attack.elimination import Block, find_blocks
from sdc.rounding.bases import check_base
from sdc.rounding.clash import clashing_sums
from sdc.rounding.flight import Lattice, fly, keyed_chances
from sdc.rounding.inner import finest_cells, system_figures
from sdc.rounding.landing import Landing, land, land_wide
from sdc.system import CellSystem

__all__ = ["StepsReport", "StepsRounding", "round_system"]

# A dense table of the elimination of this many numbers is still walked: 160 MB.
DENSE = 20_000_000


@dataclass(frozen=True, kw_only=True)
class StepsRounding:
    """What is asked of controlled rounding of a table that is no network.

    Attributes
    ----------
    base : rounding base b, at least `min_count`.
    min_count : smallest non-zero count that may be told; a true count x with
        1 <= x <= min_count - 1 is *small*.
    steps : K, how many multiples a published value may lie beyond the two next
        to the true count where nothing nearer is possible; may be told.
    joint_cells : cubes of up to so many cells are rounded as a system, larger ones from the top down.
    thorough : whether to ask the MIP, in large cubes, for every area whose parts were given steps,
        if there is a way without; takes several times as long.
    """

    base: int = 5
    min_count: int = 5
    steps: int = 1
    joint_cells: int = 1000
    thorough: bool = False

    def __post_init__(self) -> None:
        check_base(self.base, self.min_count)
        if self.steps < 0:
            raise ValueError(f"steps ({self.steps}) must be at least 0")


@dataclass(frozen=True, kw_only=True)
class StepsReport:
    """How it went: for the reviewer, never for the public.

    Attributes
    ----------
    path : "MIP", or "search" for large cubes.
    loss : Σ |r - x| over all published cells.
    beyond : published cells further than the base from their true count; `most_steps`, the K that was used.
    parts : parts, or blocks, that were rounded by themselves.
    whole : parts in which the walk ended in whole numbers; always 0 for "search".
    landed : parts that were landed by MIP.
    redrawn : parts that had no rounding at first: given steps, or drawn again (blocks).
    fractional : cells that were still fractional after the walk.
    unwalked : parts too large for the walk, where the MIP did it all.
    """

    path: str
    loss: int
    beyond: int
    most_steps: int
    parts: int
    whole: int = 0
    landed: int = 0
    redrawn: int = 0
    fractional: int = 0
    unwalked: int = 0


def round_system(
    system: CellSystem,
    *,
    spec: StepsRounding,
    key: bytes,
    progress: Progress = SILENT,
    may_step: np.ndarray | None = None,
) -> tuple[np.ndarray, StepsReport]:
    """Round every cell of a system.

    `may_step` (bool per cell) says which cells may take steps; None for all that are published.

    Returns
    -------
    Values of all cells, published or not, int64 of shape (n,), and how it went.

    Raises
    ------
    Infeasible
        Some part has no rounding within `spec.steps` steps; the sums that clash
        are named, by what they are sums of.  Or none was found.
    ValueError
        Cells have neither identity nor names to draw by.
    """
    task = _Task.of(system, spec, key, system.shown if may_step is None else may_step)
    blocks = find_blocks(system.equations, task.floor, task.ceiling, np.ones(len(system), np.bool_))
    progress.step("rounding", len(blocks))
    values, points = task.floor.copy(), task.counts / spec.base
    stages, fractional, unwalked = [], 0, 0
    failed = np.zeros(len(system), np.bool_)
    for block in blocks:
        point, dense = _walk(task, block)
        points[block.cells] = point
        landing = _land(task, block, point)
        if landing.values is None:
            failed[block.cells] = True
        else:
            values[block.cells] = landing.values
        stages.append(landing.stage)
        fractional += int((np.abs(point - np.round(point)) > 1e-6).sum())
        unwalked += not dense
        progress.advance()
    redrawn = _widen(task, values, points, failed) if failed.any() else 0
    report = _report(system, values * spec.base, spec)
    return values * spec.base, StepsReport(
        path="MIP",
        parts=len(blocks),
        whole=stages.count(0),
        landed=len(stages) - stages.count(0),
        redrawn=redrawn,
        fractional=fractional,
        unwalked=unwalked,
        **report,
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Task:
    """One system with what the rounding of its parts needs, all arrays of shape (n,).

    floor, ceiling : multiples of the base next to each count; 0 and no bound for cells that are not published.
    reach : how many multiples further a cell may go.
    order, chances, weights : see `fly` and `land`.
    """

    system: CellSystem
    spec: StepsRounding
    counts: np.ndarray
    floor: np.ndarray
    ceiling: np.ndarray
    reach: np.ndarray
    whole: np.ndarray
    ranks: np.ndarray
    chances: np.ndarray
    landing: np.ndarray
    weights: np.ndarray

    @classmethod
    def of(cls, system: CellSystem, spec: StepsRounding, key: bytes, may_step: np.ndarray) -> "_Task":
        secret, figures = sip_key(key, "rounding in steps"), system_figures(system, key)
        ranks, chances, landing = (keyed_chances(secret, figures, tag) for tag in range(3))
        shown, base = system.shown, spec.base
        most = int(system.counts.max(initial=0)) // base + 2 + spec.steps
        whole = np.zeros(len(system), np.bool_)
        whole[finest_cells(system)] = True
        return cls(
            system=system,
            spec=spec,
            counts=system.counts,
            floor=np.where(shown, system.counts // base, 0),
            ceiling=np.where(shown, -(-system.counts // base), most),
            reach=np.where(may_step & shown, spec.steps, 0),
            whole=whole,
            ranks=ranks,
            chances=chances,
            landing=landing,
            weights=shown.astype(float),
        )


def _lattice(task: _Task, block: Block) -> Lattice:
    return Lattice(
        lower=task.floor[block.cells].astype(float),
        upper=task.ceiling[block.cells].astype(float),
        starts=block.starts.astype(np.int64),
        cells=block.columns.astype(np.int64),
        signs=block.signs,
        right=block.right,
    )


def _walk(task: _Task, block: Block) -> tuple[np.ndarray, bool]:
    """Where the walk ends, in multiples of the base; and whether there was one."""
    start = task.counts[block.cells] / task.spec.base
    if len(block.equations) * len(block.cells) > DENSE:
        return start, False
    order = np.argsort(task.ranks[block.cells], kind="stable")
    return fly(_lattice(task, block), start, order, task.chances[block.cells]), True


def _land(task: _Task, block: Block, point: np.ndarray) -> Landing:
    return land(
        _lattice(task, block),
        point,
        chances=task.landing[block.cells],
        weights=task.weights[block.cells],
        whole=task.whole[block.cells],
    )


def _widen(task: _Task, values: np.ndarray, points: np.ndarray, failed: np.ndarray) -> int:
    """Give steps to the parts that hold failed cells, in place; returns how many they are.

    With steps, multiples may move as well, so that parts hang together further.
    """
    system, steps = task.system, task.spec.steps
    lo, hi = np.maximum(task.floor - task.reach, 0), task.ceiling + task.reach
    blocks = find_blocks(system.equations, lo, hi, failed)
    for block in blocks:
        landing = Landing(values=None, stage=3)
        for allowed in range(1, steps + 1):
            landing = land_wide(
                _lattice(task, block),
                points[block.cells],
                chances=task.landing[block.cells],
                weights=task.weights[block.cells],
                whole=task.whole[block.cells],
                steps=np.minimum(task.reach[block.cells], allowed),
            )
            if landing.values is not None:
                break
        if landing.values is None:
            raise _clash(task, block)
        values[block.cells] = landing.values
    return len(blocks)


def _clash(task: _Task, block: Block) -> Infeasible:
    """Why a part has no rounding: a few sums that have none together."""
    system, spec = task.system, task.spec
    reach = task.reach[block.cells]
    lattice = _lattice(task, block)
    wide = lattice._replace(lower=np.maximum(lattice.lower - reach, 0), upper=lattice.upper + reach)
    sums, proven = clashing_sums(wide, task.whole[block.cells])
    equations = system.equations
    names = list(dict.fromkeys(system.name(int(equations.entries(int(each))[0][0])) for each in block.equations[sums]))
    return infeasible(names, spec, proven)


def infeasible(names: Sequence[str], spec: StepsRounding, proven: bool) -> Infeasible:
    """The refusal, with a few of the sums that clash and what was asked."""
    shown = "; ".join(names[:5]) + (f"; and {len(names) - 5} more" if len(names) > 5 else "")
    found = "have no rounding together" if proven else "were given no rounding together that could be found"
    return Infeasible(
        f"the sums that make up {shown} {found} to base {spec.base} within {spec.steps} steps; allow more steps, or "
        "publish fewer margins",
        demands=(*names, f"base = {spec.base}", f"steps = {spec.steps}"),
    )


def _report(system: CellSystem, values: np.ndarray, spec: StepsRounding) -> dict[str, int]:
    error = np.abs(values - system.counts)[system.shown]
    # The base itself is one step: a multiple that moved to the next.
    steps = error // spec.base
    return {
        "loss": int(error.sum()),
        "beyond": int((steps > 0).sum()),
        "most_steps": int(steps.max(initial=0)),
    }
