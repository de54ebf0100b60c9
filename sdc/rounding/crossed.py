"""Rounding of a large cube from the top down: the top unit by MIP, then unit by unit its children by swaps.

The cube's first axis is the nest of areas; all other axes together are its
columns, the finest of which must be published.  Finest cells are within the base
of their true counts at every level (K = 0).  Margins are too where that was
found possible; some lie up to K multiples further.  Where the finest cells are
few and small, K = 0 is often impossible: with five small areas in one, there are
about as many sums to fulfil as there are choices.

A unit whose children need more than K steps is drawn again; then solved by MIP;
then moved together with its neighbours; then all below the unit two levels up is
drawn anew; and at last the whole.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from common.faults import Infeasible
from common.keys import sip_key, sub_key
from common.progress import SILENT, Progress
from sdc.cube import Cube
from sdc.figures import figures_of
from sdc.rounding.flight import Lattice, keyed_chances
from sdc.rounding.inner import finest_cells, parts_of
from sdc.rounding.landing import land, land_wide
from sdc.rounding.steps import StepsReport, StepsRounding, infeasible, round_system
from sdc.rounding.swaps import Crossed, margin_lean, settle_below, settle_children, take_over
from sdc.rounding.tree import Tree, tree_of
from sdc.system import CellSystem
from sdc.tables import Classification, Hierarchy, Table

__all__ = ["round_cube"]


# Swaps proposed per open cell, attempt by attempt.
SWEEPS = (200, 800, 3200)
# Room for the attempts of one draw: the sweeps above, and one with the neighbours.
DRAWS_EACH = len(SWEEPS) + 1
# How often a branch is drawn again, and how often the whole, where what was drawn above leaves no way below.
REDRAWS, DRAWS = 8, 4


def round_cube(
    cube: Cube, *, spec: StepsRounding, key: bytes, progress: Progress = SILENT
) -> tuple[np.ndarray, StepsReport]:
    """Round every cell of a cube.

    Cubes of up to `spec.joint_cells` cells are rounded as a system (`sdc.rounding.steps`).

    Returns
    -------
    Values in the order of ``cube.system()``, int64 of shape (n,), and how it went.

    Raises
    ------
    Infeasible
        No rounding was found within `spec.steps` steps; areas and margins are named.
    ValueError
        A large cube's nest of areas has a total, or its finest cells are not published.
    """
    held = int((cube.numbers() >= 0).sum())
    if held <= spec.joint_cells:
        return round_system(cube.system(), spec=spec, key=key, progress=progress)
    for draw in range(DRAWS):
        task = _Task.of(cube, spec, sub_key(key, f"draw {draw}"))
        try:
            _settle_all(task, progress)
        except Infeasible:
            if draw + 1 == DRAWS:
                raise
        else:
            break
    values = task.crossed.rounded * spec.base
    error = np.abs(values - task.crossed.counts)
    steps = error // spec.base
    return values.ravel(), StepsReport(
        path="search",
        loss=int(error.sum()),
        beyond=int((steps > 0).sum()),
        most_steps=int(steps.max()),
        parts=int(task.tree.offsets[-1] - task.tree.areas + task.hierarchy.units[-1]),
        landed=task.tally["landed"],
        redrawn=task.tally["redrawn"],
    )


def _settle_all(task: "_Task", progress: Progress) -> None:
    """Round all units, level by level."""
    levels = len(task.hierarchy.units)
    progress.step("rounding levels", levels)
    _settle_tops(task)
    progress.advance()
    for level in range(levels - 1, 0, -1):
        _settle_level(task, np.arange(task.tree.offsets[level], task.tree.offsets[level + 1]))
        progress.advance()


@dataclass(frozen=True, kw_only=True, eq=False)
class _Task:
    """A large cube as areas × columns.

    columns : the columns as a system of their own, with the counts of all areas together.
    figures : uint64 per unit, the hash of all its finest cells.
    tally : what happened so far.
    """

    cube: Cube
    spec: StepsRounding
    key: bytes
    hierarchy: Hierarchy
    tree: Tree
    columns: CellSystem
    crossed: Crossed
    figures: np.ndarray
    secret: np.ndarray
    tally: dict[str, int]

    @classmethod
    def of(cls, cube: Cube, spec: StepsRounding, key: bytes) -> "_Task":
        areas, *others = cube.axes
        if areas.total:
            raise ValueError(f"the nest of areas ({areas.name}) must have no total: name its top level")
        names = frozenset(axis.name for axis in others)
        if not others or names not in cube.margins:
            raise ValueError("the finest cells must be published for a large cube to be rounded")
        flat = Cube(axes=tuple(others), finest=cube.finest.sum(axis=0), margins=cube.margins, measure=cube.measure)
        columns, held = flat.system(), (flat.numbers() >= 0).ravel()
        counts = np.ascontiguousarray(cube.values().reshape(cube.shape[0], -1)[:, held])
        tree = tree_of(areas.hierarchy)
        return cls(
            cube=cube,
            spec=spec,
            key=key,
            hierarchy=areas.hierarchy,
            tree=tree,
            columns=columns,
            crossed=_cross(columns, counts, spec),
            figures=_figures(cube, key),
            secret=sip_key(key, "swaps"),
            tally={"landed": 0, "redrawn": 0},
        )


def _cross(columns: CellSystem, counts: np.ndarray, spec: StepsRounding) -> Crossed:
    """Which margins each finest column stands in, and room for the rounded values."""
    finest, parts = finest_cells(columns), parts_of(columns)
    margins = np.setdiff1d(np.arange(len(columns)), finest)
    member = np.searchsorted(finest, np.concatenate([parts[margin] for margin in margins.tolist()]))
    inside = np.repeat(np.arange(len(margins)), [len(parts[margin]) for margin in margins.tolist()])
    members = np.zeros((len(finest), len(margins)), np.bool_)
    members[member, inside] = True
    order = np.argsort(member, kind="stable")
    starts = np.concatenate([[0], np.cumsum(np.bincount(member, minlength=len(finest)))])
    return Crossed(
        counts=counts,
        rounded=np.zeros_like(counts),
        base=spec.base,
        steps=spec.steps,
        finest=finest.astype(np.int64),
        margins=margins.astype(np.int64),
        starts=starts.astype(np.int64),
        inside=inside[order].astype(np.int64),
        odds=np.zeros((len(counts), len(finest))),
        lean=margin_lean(counts, spec.base, finest, margins, members),
    )


def _figures(cube: Cube, key: bytes) -> np.ndarray:
    """The hash of everybody in each unit, by their finest cells: uint64 of shape (units,)."""
    areas, *others = cube.axes
    codes = np.array(np.meshgrid(*(axis.hierarchy.codes[0] for axis in others), indexing="ij"))
    table = Table.from_finest(
        hierarchy=areas.hierarchy,
        classification=Classification(
            dimensions=tuple(axis.name for axis in others),
            categories=tuple(tuple(str(code) for code in each) for each in codes.reshape(len(others), -1).T),
        ),
        finest=cube.finest.reshape(len(cube.finest), -1),
    )
    return np.concatenate([hashes[:, :-1].sum(axis=1, dtype=np.uint64) for hashes in figures_of(table, key).hashes])


def _settle_tops(task: _Task) -> None:
    """Round the top units, each a small system; their finest cells take no steps."""
    crossed, columns = task.crossed, task.columns
    words = task.cube.axes[0].words()
    may_step = np.zeros(len(columns), np.bool_)
    may_step[crossed.margins] = True
    for unit in range(task.tree.offsets[-2], task.tree.offsets[-1]):
        identity = None if columns.identity is None else columns.identity + words[unit]
        system = CellSystem(
            counts=crossed.counts[unit], equations=columns.equations, identity=identity, names=_Names(task, unit)
        )
        values, report = round_system(system, spec=task.spec, key=task.key, may_step=may_step)
        crossed.rounded[unit] = values // task.spec.base
        task.tally["landed"] += report.landed


def _settle_level(task: _Task, units: np.ndarray) -> None:
    """Round the children of all units of a level, going back up where there is no way below."""
    for unit in _settle_units(task, units, 0):
        for attempt in range(1, REDRAWS + 1):
            if _redraw_branch(task, unit, attempt):
                break
        else:
            margins = [f"margin ({', '.join(sorted(margin)) or 'total'})" for margin in task.cube.margins]
            raise infeasible([f"the areas of {_unit_name(task, unit)}", *margins], task.spec, False)


def _settle_units(task: _Task, units: np.ndarray, attempt: int) -> list[int]:
    """Round the children of units whose own cells are rounded; returns the units where they lie too far off even so."""
    steps = task.spec.steps
    worst = _draw(task, units, attempt, 0)
    far = units[worst > steps]
    if task.spec.thorough:
        for unit in units[(worst > 0) & (worst <= steps)].tolist():
            _land_block(task, unit, 0)
    for more in range(1, len(SWEEPS)):
        task.tally["redrawn"] += len(far)
        far = far[_draw(task, far, attempt, more) > steps]
    return [unit for unit in far.tolist() if not (_land_block(task, unit, steps) or _draw_around(task, unit, attempt))]


def _draw(task: _Task, units: np.ndarray, attempt: int, more: int) -> np.ndarray:
    """By how many multiples the worst margin of each unit's children lies off."""
    tree = task.tree
    if not len(units):
        return np.zeros(0, np.int64)
    below = [tree.children[tree.first_child[unit] : tree.first_child[unit + 1]] for unit in units.tolist()]
    take_over(task.crossed, tree.parents, np.concatenate(below))
    number = attempt * DRAWS_EACH + more
    return settle_children(task.crossed, tree, units, task.figures, task.secret, number, SWEEPS[more])


def _draw_around(task: _Task, unit: int, attempt: int) -> bool:
    """Move a unit's children together with those of its neighbours, and these as well; tells whether none lies too far off."""
    tree = task.tree
    parent = int(tree.parents[unit])
    if parent < 0:
        return False
    task.tally["redrawn"] += 1
    number = attempt * DRAWS_EACH + len(SWEEPS)
    level = _level_of(task, unit) - 1
    worst = settle_below(task.crossed, tree, parent, level, task.figures, task.secret, number, SWEEPS[1])
    return bool(worst <= task.spec.steps)


def _redraw_branch(task: _Task, unit: int, attempt: int) -> bool:
    """Draw all below the unit two levels up anew, down to this unit's children; tells whether that went well."""
    tree = task.tree
    top = unit
    for _ in range(2):
        top = int(tree.parents[top]) if tree.parents[top] >= 0 else top
    task.tally["redrawn"] += 1
    units = np.array([top])
    for level in range(_level_of(task, top), _level_of(task, unit) - 1, -1):
        if _settle_units(task, units, attempt):
            return False
        if level > _level_of(task, unit):
            units = np.concatenate(
                [tree.children[tree.first_child[each] : tree.first_child[each + 1]] for each in units.tolist()]
            )
    return True


def _level_of(task: _Task, unit: int) -> int:
    return int(np.searchsorted(task.tree.offsets, unit, side="right")) - 1


def _land_block(task: _Task, unit: int, most_steps: int) -> bool:
    """Round the children of one unit by MIP, near what was drawn; tells whether it could."""
    tree, crossed = task.tree, task.crossed
    own = tree.children[tree.first_child[unit] : tree.first_child[unit + 1]]
    lattice = _block_lattice(task, unit, own)
    whole = np.zeros(len(task.columns), np.bool_)
    whole[crossed.finest] = True
    whole = np.tile(whole, len(own))
    noise = keyed_chances(task.secret, np.repeat(task.figures[own], len(task.columns)), 1)
    point, weights = crossed.rounded[own].ravel().astype(float), np.ones(len(whole))
    landing = land(lattice, point, chances=noise, weights=weights, whole=whole)
    for steps in range(1, most_steps + 1):
        if landing.values is None:
            reach = np.where(whole, 0, steps)
            landing = land_wide(lattice, point, chances=noise, weights=weights, whole=whole, steps=reach)
    if landing.values is None:
        return False
    crossed.rounded[own] = landing.values.reshape(len(own), -1)
    task.tally["landed"] += 1
    return True


def _block_lattice(task: _Task, unit: int, own: np.ndarray) -> Lattice:
    """The children's cells, the sums of each child's columns, and the sums of the finest columns, which are the unit's."""
    crossed, equations, width = task.crossed, task.columns.equations, len(task.columns)
    counts = crossed.counts[own].ravel()
    shift = np.arange(len(own))[:, None] * width
    lengths = np.concatenate([np.tile(np.diff(equations.starts), len(own)), np.full(len(crossed.finest), len(own))])
    return Lattice(
        lower=(counts // crossed.base).astype(float),
        upper=(-(-counts // crossed.base)).astype(float),
        starts=np.concatenate([[0], np.cumsum(lengths)]),
        cells=np.concatenate([(shift + equations.cells).ravel(), (shift + crossed.finest).T.ravel()]),
        signs=np.concatenate(
            [np.tile(equations.signs, len(own)), np.ones(len(own) * len(crossed.finest), equations.signs.dtype)]
        ),
        right=np.concatenate([np.zeros(len(equations) * len(own), np.int64), crossed.rounded[unit, crossed.finest]]),
    )


def _unit_name(task: _Task, unit: int) -> str:
    level = _level_of(task, unit)
    return f"{task.hierarchy.levels[level]} {task.hierarchy.codes[level][unit - task.tree.offsets[level]]}"


class _Names(Sequence[str]):
    """Names of one unit's columns."""

    def __init__(self, task: _Task, unit: int) -> None:
        self._columns, self._unit = task.columns, _unit_name(task, unit)

    def __len__(self) -> int:
        return len(self._columns)

    def __getitem__(self, cell):  # type: ignore[no-untyped-def]
        return f"{self._unit}, {self._columns.name(int(cell)).strip()}"
