"""Tables of several dimensions or nests with every margin: what each method makes of them.

Such a table is no network (`sdc.cube`).  It comes as the crossing of its
dimensions, and goes out as cells.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from common.faults import Fault, Infeasible, InputError
from releases.asked import LEAKS, Asked, valid, with_key
from releases.hiding import suppression_spec
from releases.methodoptions import cost_factors
from releases.noisy import cell_key
from releases.roundings import nearest_asked, rounding_spec
from sdc.attack.intervals import NO_BOUND, rounded_small_counts
from sdc.attack.systems import PublishedCells, audit_cells
from sdc.attack.theorem import check_cells
from sdc.cube import Cube
from sdc.findings import Audit
from sdc.margins import (
    block_classification,
    block_counts,
    block_name,
    block_table,
    blocks_of,
    cells_of_blocks,
    in_cells,
)
from sdc.rounding.conventional import round_conventional
from sdc.rounding.crossed import round_cube
from sdc.rounding.inner import finest_cells
from sdc.rounding.random import RandomRounding
from sdc.rounding.random_cube import protect_random_cube
from sdc.rounding.smallcounts import SmallCountRounding, protect_small_counts, round_small_counts
from sdc.rounding.steps import StepsRounding
from sdc.rules.flags import Flags, apply_rules, flag_counts
from sdc.rules.settings import rules_of
from sdc.suppression.cells import CellChoices, CellSuppression, suppress_cells
from sdc.suppression.report import REASONS, STATUSES
from sdc.system import SafeCells
from sdc.tables import SHOWN, Method, Table

__all__ = ["CUBE_METHODS", "ProtectedCells", "audit_cube", "protect_cube"]

Bounds = tuple[np.ndarray, np.ndarray]

# Small-count rounding of up to so many cells looks at every sum; of more, at those of the crossing alone.
ALL_SUMS = 20_000


@dataclass(frozen=True, kw_only=True, eq=False)
class ProtectedCells:
    """A protected cube; everything per cell is in the order of ``cube.system()``.

    Attributes
    ----------
    report : how it went, as plain data, for the private report alone.
    status : why each cell is shown or not, as text; None where that follows from the values.
    bounds : lo and hi of what a reader can prove of each cell, where the method has worked that out.
    attack : the attack that this method needs, where it is not that on any cells.
    notices : what the user must know.
    """

    cells: SafeCells
    report: dict[str, Any]
    status: np.ndarray | None = None
    bounds: Bounds | None = None
    attack: Callable[[], Audit] | None = None
    notices: tuple[str, ...] = ()


def protect_cube(cube: Cube, asked: Asked) -> ProtectedCells:
    """Protect a cube by the method that the settings name.

    Raises
    ------
    InputError
        No key is there.
    Infeasible
        The method has no solution under what was asked.
    """
    return CUBE_METHODS[asked.settings.method](cube, asked)


def _controlled(cube: Cube, asked: Asked) -> ProtectedCells:
    if nearest_asked(asked.options):
        raise Infeasible(
            "minimum distance is worked out on networks, which a table with several margins is not: leave out --aim, "
            "or give --margins finest",
            demands=("aim = minimum-distance", "margins = all"),
        )
    key, drawn = with_key(asked)
    base, least = asked.settings.base, asked.settings.min_count
    steps = StepsRounding.steps if asked.options.steps is None else asked.options.steps
    spec = valid(lambda: StepsRounding(base=base, min_count=least, steps=steps), "--steps")
    values, report = round_cube(cube, spec=spec, key=key, progress=asked.progress)
    method = Method(name="controlled-rounding", base=base, min_count=least, steps=steps)
    notices = [drawn]
    if steps:
        notices.append(
            f"with several margins some figures may lie up to {(steps + 1) * base - 1} from their counts, where nothing "
            "nearer adds up; the private report tells how many do"
        )
    return ProtectedCells(cells=_all_shown(values, method), report=asdict(report), notices=tuple(notices))


def _conventional(cube: Cube, asked: Asked) -> ProtectedCells:
    asked.progress.step("rounding")
    base, least = asked.settings.base, asked.settings.min_count
    tables = {
        block: round_conventional(block_table(cube, block), base=base, min_count=least) for block in blocks_of(cube)
    }
    notice = f"conventional rounding leaks by itself: totals are rounded apart from their parts, so that {LEAKS}"
    return ProtectedCells(cells=cells_of_blocks(cube, tables), report={"path": "cell by cell"}, notices=(notice,))


def _random(cube: Cube, asked: Asked) -> ProtectedCells:
    key, drawn = with_key(asked)
    spec = rounding_spec(asked.settings, asked.options)
    assert isinstance(spec, RandomRounding)
    values, report = protect_random_cube(cube, spec=spec, key=key, progress=asked.progress)
    notice = f"random rounding leaks by itself: totals are drawn apart from their parts, so that {LEAKS}"
    method = Method(name="random-rounding", base=spec.base, min_count=spec.min_count)
    return ProtectedCells(cells=_all_shown(values, method), report=asdict(report), notices=(drawn, notice))


def _small_counts(cube: Cube, asked: Asked) -> ProtectedCells:
    key, drawn = with_key(asked)
    spec = rounding_spec(asked.settings, asked.options)
    assert isinstance(spec, SmallCountRounding)
    notice = "small-count rounding sets no bound on the error of sums: the private report tells what it came to"
    if int((cube.numbers() >= 0).sum()) <= ALL_SUMS:
        values, report = round_small_counts(cube.system(), spec=spec, key=key)
    else:
        safe, report = protect_small_counts(asked.table, spec=spec, key=key, progress=asked.progress)
        finest = np.ascontiguousarray(safe.values[0][:, :-1].reshape(cube.finest.shape))
        values = Cube(axes=cube.axes, finest=finest, margins=cube.margins).values()[cube.numbers() >= 0]
    return ProtectedCells(cells=_all_shown(values, spec.told()), report=asdict(report), notices=(drawn, notice))


def _cell_key(cube: Cube, asked: Asked) -> ProtectedCells:
    """Block by block: keys add like counts, so that the same people have the same figure in each."""
    finest = None if asked.keys is None else asked.keys.reshape(cube.finest.shape)
    done = {
        block: cell_key(
            Asked(
                table=block_table(cube, block),
                settings=asked.settings,
                name=asked.name,
                options=asked.options,
                key_file=asked.key_file,
                keys=None if finest is None else block_counts(cube, block, finest),
                progress=asked.progress,
            )
        )
        for block in blocks_of(cube)
    }

    def attack() -> Audit:
        audit = Audit(not_checked=(f"{asked.name}: what its margins say together, beyond each with its total",))
        for one in done.values():
            assert one.attack is not None
            audit = audit.joined(one.attack(None))
        return audit

    reports = {block_name(cube, block): one.report for block, one in done.items()}
    return ProtectedCells(
        cells=cells_of_blocks(cube, {block: one.safe for block, one in done.items()}),
        report={"path": "cell by cell", "margins": reports},
        attack=attack,
        notices=tuple(dict.fromkeys(notice for one in done.values() for notice in one.notices)),
    )


def _suppression(cube: Cube, asked: Asked) -> ProtectedCells:
    key, drawn = with_key(asked)
    wanted = suppression_spec(asked.settings, replace(asked.options, costs=()), asked.table)
    flags = {block: _flags(block_table(cube, block), asked) for block in blocks_of(cube)}
    spec = CellSuppression(
        min_count=wanted.min_count,
        lone_claimants=wanted.lone_claimants,
        hide_zeros=wanted.hide_zeros,
        decoys=wanted.decoys,
        spread=wanted.spread,
    )
    cells, report = suppress_cells(
        cube.system(),
        primary=in_cells(cube, {block: one.hit for block, one in flags.items()}),
        spec=spec,
        key=key,
        factors=_factors(cube, asked),
        choices=CellChoices(show=_must_show(cube, asked)),
        progress=asked.progress,
    )
    told = {
        "path": report.path,
        "solver": report.solver,
        "reasons": {STATUSES[code]: reason for code, reason in REASONS.items()},
        "rules": {
            block_name(cube, block): flag_counts(one, cube.axes[0].hierarchy.levels) for block, one in flags.items()
        },
        "cost": report.cost,
        "bound": report.bound,
        "figures": report.figures,
    }
    names = np.array([STATUSES[code] for code in sorted(STATUSES)], dtype=object)
    return ProtectedCells(
        cells=cells, report=told, status=names[report.status], bounds=(report.lo, report.hi), notices=(drawn,)
    )


def _factors(cube: Cube, asked: Asked) -> np.ndarray:
    """How much dearer hiding each cell is, by its level and by the codes it is told by: float64 of shape (cells,).

    Raises
    ------
    InputError
        A cost names neither a level nor a category.
    """
    costs, areas = cost_factors(asked.options.costs), cube.axes[0].hierarchy
    columns = {block: block_classification(cube, block).columns for block in blocks_of(cube)}
    known = {*areas.levels, *("/".join(column) for each in columns.values() for column in each)}
    for name in costs:
        if name not in known:
            found, mend = f"'{name}' is no level and no category", "use a level of the nest or a category: uc=5"
            raise InputError([Fault(kind="option", key="--cost", found=found, mend=mend)])
    arrays = {}
    for block, each in columns.items():
        of_column = np.array([costs.get("/".join(column), 1.0) for column in each])
        arrays[block] = tuple(
            np.tile(of_column * costs.get(level, 1.0), (units, 1))
            for level, units in zip(areas.levels, areas.units, strict=True)
        )
    return in_cells(cube, arrays)


def _must_show(cube: Cube, asked: Asked) -> np.ndarray:
    """Cells of levels, and totals of levels, that must be shown: bool of shape (cells,)."""
    areas, top = cube.axes[0].hierarchy, tuple(axis.top for axis in cube.axes[1:])
    arrays = {}
    for block in blocks_of(cube):
        width = len(block_classification(cube, block).columns)
        named = [
            level in asked.options.show_levels or (block == top and level in asked.options.show_totals)
            for level in areas.levels
        ]
        arrays[block] = tuple(np.full((units, width), shown) for units, shown in zip(areas.units, named, strict=True))
    return in_cells(cube, arrays)


def _flags(table: Table, asked: Asked) -> Flags:
    """What the settings' rules say of one block's table."""
    sensitive = tuple(name for name in asked.sensitive if name in table.classification.dimensions)
    return apply_rules(table, rules_of(asked.settings, sensitive=sensitive))


def _all_shown(values: np.ndarray, method: Method) -> SafeCells:
    return SafeCells(values=values, markers=np.full(values.shape, SHOWN, np.int8), method=method)


def audit_cube(cube: Cube, protected: ProtectedCells, asked: Asked) -> Audit:
    """Attack the published cells; rounding that adds up by the theorem, others by linear programmes block by block."""
    least = asked.settings.min_count
    if protected.attack is not None:
        return protected.attack()
    system, cells = cube.system(), protected.cells
    inner = np.zeros(len(system), np.bool_)
    inner[finest_cells(system)] = True
    conditions = check_cells(system.equations, cells, finest=inner)
    if conditions.hold:
        what = f"intervals of {asked.name}: exact, each cell's own (every figure is a sum of finest ones; checked)"
        return Audit(checked=(what,), figures={f"{asked.name}: path": "theorem"})
    published = PublishedCells(
        name=asked.name,
        equations=system.equations,
        safe=cells,
        names=[] if system.names is None else system.names,
        truth=system.counts,
        known=_of_small_counts(cells, inner),
    )
    return audit_cells(published, min_count=least, progress=asked.progress)


def _of_small_counts(cells: SafeCells, finest: np.ndarray) -> Bounds | None:
    """What small-count rounding says of finest cells; None for other methods."""
    if cells.method.name != "small-count-rounding":
        return None
    lo, hi = rounded_small_counts(cells.values, cells.method)
    return np.where(finest, lo, 0), np.where(finest, hi, NO_BOUND)


CUBE_METHODS: dict[str, Callable[[Cube, Asked], ProtectedCells]] = {
    "controlled-rounding": _controlled,
    "conventional-rounding": _conventional,
    "random-rounding": _random,
    "small-count-rounding": _small_counts,
    "suppression": _suppression,
    "cell-key": _cell_key,
}
