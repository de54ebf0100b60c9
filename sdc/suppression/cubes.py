"""Suppression of a cube as asked for tables: prices by level and total, what must be shown, report per level, advice.

The spec is that of tables (`sdc.suppression.spec.SuppressionSpec`).  Hiding a cell
that holds x at level l of the areas (0 the smallest) costs

    (1 + ln(1 + x) + level_weight × l + total_weight × axes at their total) × its level's factor × its category's factor,

times a number between 1 and 1 + `spread` drawn by the key.  A category is named by
its codes on all axes but the areas', in the cube's order, ``Total`` at a total.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from common.faults import Infeasible
from common.progress import SILENT, Progress
from sdc.cube import Axis, Cube, finest_and_total, one_way_margins
from sdc.suppression.advise import Advice, fitting_levels
from sdc.suppression.cells import CellChoices, CellReport, CellSuppression, suppress_cells
from sdc.suppression.demands import room_of
from sdc.suppression.general import GeneralSuppression
from sdc.suppression.report import LevelLoss
from sdc.suppression.spec import SuppressionSpec
from sdc.system import CellSystem, SafeCells
from sdc.tables import Hierarchy

__all__ = ["CubeReport", "advise_cube", "cube_losses", "suppress_cube"]

# The level of all cells where no axis is one of areas.
ANYWHERE = "all cells"


@dataclass(frozen=True, kw_only=True, eq=False)
class CubeReport:
    """How it went: for the reviewer, never for the public.

    Attributes
    ----------
    cells : statuses, intervals, path, solver, cost and figures, cell by cell.
    losses : a row per level of areas, published cells alone.
    above_share : levels of which more than the spec's `max_share` is hidden.
    """

    cells: CellReport
    losses: tuple[LevelLoss, ...]
    above_share: tuple[str, ...] = ()


def suppress_cube(
    cube: Cube,
    *,
    primary: np.ndarray,
    spec: SuppressionSpec,
    key: bytes,
    system: CellSystem | None = None,
    protection: tuple[np.ndarray, np.ndarray] | None = None,
    choices: CellChoices | None = None,
    known: tuple[np.ndarray, np.ndarray] | None = None,
    pattern: GeneralSuppression | None = None,
    progress: Progress = SILENT,
) -> tuple[SafeCells, CubeReport]:
    """Hide flagged cells of a cube, and as few others as is found to be enough to protect them.

    All arrays are of shape (cells,), in the order of `Cube.system`.

    Parameters
    ----------
    primary : bool, flagged cells.
    key : draws prices, decoys and ties; the same key, counts and names give the same pattern.
    system : the cube's, where it is at hand.
    protection : how far below and above its count each flagged cell's interval must reach, see `suppress_cells`.
    known : bounds that a reader has from elsewhere, lo and hi, `NO_BOUND` for none above.
    pattern : how patterns are looked for.

    Returns
    -------
    The cells as published, method ``suppression`` and base 1, and the private report.

    Raises
    ------
    Infeasible
        No pattern of cells that may be hidden does what was asked, or none was found; the cells are named.
    ValueError
        Shapes are wrong, or a name in the spec is not the cube's.
    """
    system = system or cube.system()
    factors, may_hide = _asked_of_cells(cube, system, spec)
    cells = CellSuppression(
        min_count=spec.min_count,
        lone_claimants=spec.lone_claimants,
        hide_zeros=spec.hide_zeros,
        decoys=spec.decoys,
        spread=spec.spread,
        pattern=pattern or GeneralSuppression(),
    )
    safe, report = suppress_cells(
        system,
        primary=primary,
        spec=cells,
        key=key,
        factors=factors,
        protection=protection,
        choices=_with_shown(choices or CellChoices(), ~may_hide),
        room=None if known is None else room_of(system, *known),
        progress=progress,
    )
    losses = cube_losses(cube, system, hidden=report.status > 0, primary=report.primary)
    above = tuple(loss.level for loss in losses if loss.share > spec.max_share)
    return safe, CubeReport(cells=report, losses=losses, above_share=above)


def _with_shown(choices: CellChoices, shown: np.ndarray) -> CellChoices:
    return CellChoices(
        hide=choices.hide, structural=choices.structural, show=shown if choices.show is None else choices.show | shown
    )


def cube_losses(cube: Cube, system: CellSystem, *, hidden: np.ndarray, primary: np.ndarray) -> tuple[LevelLoss, ...]:
    """What a pattern (bool of shape (cells,)) hides at each level of areas, of cells that are published."""
    level, names = _levels(cube, system)
    rows = []
    for number, name in enumerate(names):
        here = system.shown & (level == number)
        first, rest = here & hidden & primary, here & hidden & ~primary
        rows.append(
            LevelLoss(
                level=name,
                cells=int(here.sum()),
                primary=int(first.sum()),
                others=int(rest.sum()),
                sum_primary=int(system.counts[first].sum()),
                sum_others=int(system.counts[rest].sum()),
            )
        )
    return tuple(row for row in rows if row.cells)


def _levels(cube: Cube, system: CellSystem) -> tuple[np.ndarray, tuple[str, ...]]:
    """The level of areas that each cell is at, 0 the smallest, and what the levels are called."""
    if cube.axes[0].total:
        return np.zeros(len(system), np.int64), (ANYWHERE,)
    return _level_at(cube.axes[0])[_places(cube)[0]], cube.axes[0].hierarchy.levels


def _level_at(axis: Axis) -> np.ndarray:
    return np.repeat(np.arange(len(axis.sizes)), axis.sizes)


def _places(cube: Cube) -> tuple[np.ndarray, ...]:
    """The place of every held cell on each axis."""
    return np.nonzero(cube.numbers() >= 0)


def _asked_of_cells(cube: Cube, system: CellSystem, spec: SuppressionSpec) -> tuple[np.ndarray, np.ndarray]:
    """How much dearer each cell is than one of its count, and whether it may be hidden as far as the spec says."""
    places = _places(cube)
    level, names = _levels(cube, system)
    others = [number for number, axis in enumerate(cube.axes) if number or axis.total]
    totals = sum((_at_total(cube.axes[k], places[k]) for k in others), np.zeros(len(system), np.int64))
    plain = 1 + np.log1p(system.counts)
    prices = plain + spec.level_weight * level + spec.total_weight * totals
    _check_names(names, spec)
    prices *= np.array([spec.level_factors.get(name, 1.0) for name in names])[level]
    for category, factor in spec.category_factors.items():
        prices[_of_category(cube, others, places, category)] *= factor
    barred = np.isin(level, [number for number, name in enumerate(names) if name in spec.show_levels])
    barred |= (totals == len(others)) & np.isin(
        level, [number for number, name in enumerate(names) if name in spec.show_totals]
    )
    return prices / plain, ~barred


def _at_total(axis: Axis, place: np.ndarray) -> np.ndarray:
    return (place == axis.starts[-1] - 1).astype(np.int64) if axis.total else np.zeros(len(place), np.int64)


def _check_names(names: tuple[str, ...], spec: SuppressionSpec) -> None:
    unknown = sorted({*spec.level_factors, *spec.show_levels, *spec.show_totals} - set(names))
    if unknown:
        raise ValueError(f"level ({unknown[0]}) must be one that the cube has")


def _of_category(
    cube: Cube, others: list[int], places: tuple[np.ndarray, ...], category: tuple[str, ...]
) -> np.ndarray:
    """The cells of one category (ValueError where the cube has it not)."""
    here = np.ones(len(places[0]), np.bool_)
    codes = {k: np.array([cube.axes[k].code(place)[1] for place in range(cube.shape[k])]) for k in others}
    if len(category) != len(others) or any(code not in codes[k] for k, code in zip(others, category, strict=True)):
        raise ValueError(f"category ({category}) must be one that the cube has")
    for k, code in zip(others, category, strict=True):
        here &= np.isin(places[k], np.flatnonzero(codes[k] == code))
    return here


def advise_cube(
    cube: Cube,
    *,
    flag: Callable[[Cube], np.ndarray],
    spec: SuppressionSpec,
    key: bytes,
    pattern: GeneralSuppression | None = None,
    progress: Progress = SILENT,
) -> tuple[Advice, ...]:
    """Try less until it passes: level after level left out, then fewer and fewer margins.

    `flag` is the rule: a cube in, flagged cells of its system out.  Costs a suppression per
    cube tried, but for those of which too many cells are flagged to begin with.
    """
    tried: list[Advice] = []
    for candidates in (_fewer_levels(cube), _fewer_margins(cube)):
        for leaving_out, margins, other in candidates:
            progress.step("looking for a cube that passes")
            losses, passes = _attempt(other, flag, spec, key, pattern)
            tried.append(Advice(leaving_out=leaving_out, merging=(), margins=margins, losses=losses, passes=passes))
            if passes:
                break
    return tuple(tried)


Candidate = tuple[tuple[str, ...], tuple[tuple[str, ...], ...], Cube]


def _fewer_levels(cube: Cube) -> Iterator[Candidate]:
    areas = cube.axes[0]
    if areas.total:
        return
    tree = areas.hierarchy
    for number in range(1, len(tree.levels)):
        upper = Hierarchy(levels=tree.levels[number:], codes=tree.codes[number:], parents=tree.parents[number:])
        finest = np.zeros((tree.units[number], *cube.finest.shape[1:]), np.int64)
        np.add.at(finest, tree.ancestors(0, number), cube.finest)
        axes = (Axis(hierarchy=upper, total=False), *cube.axes[1:])
        yield tree.levels[:number], (), Cube(axes=axes, finest=finest, margins=cube.margins, measure=cube.measure)


def _fewer_margins(cube: Cube) -> Iterator[Candidate]:
    """One-way margins and the finest cells; the finest cells and the grand total; one-way tables without the finest cells."""
    have = set(cube.margins)
    one_way = one_way_margins(cube.axes)
    for margins in (one_way, finest_and_total(cube.axes), one_way[1:]):
        if margins and set(margins) < have:
            told = tuple(tuple(axis.name for axis in cube.axes if axis.name in margin) for margin in margins)
            yield (), told, Cube(axes=cube.axes, finest=cube.finest, margins=margins, measure=cube.measure)


def _attempt(
    cube: Cube,
    flag: Callable[[Cube], np.ndarray],
    spec: SuppressionSpec,
    key: bytes,
    pattern: GeneralSuppression | None,
) -> tuple[tuple[LevelLoss, ...], bool]:
    system = cube.system()
    primary = flag(cube) & system.shown
    losses = cube_losses(cube, system, hidden=primary, primary=primary)
    if any(loss.share > spec.max_share for loss in losses):
        return losses, False
    try:
        fitting = fitting_levels(spec, _levels(cube, system)[1])
        _, report = suppress_cube(cube, primary=primary, spec=fitting, key=key, system=system, pattern=pattern)
    except Infeasible:
        return losses, False
    return report.losses, not report.above_share
