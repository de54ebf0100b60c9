"""The suppression that ``protect`` offers for every margin of several dimensions or nests."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from common.faults import Fault, InputError
from releases.protect.asked import Asked, ProtectedCells, valid, with_key
from releases.protect.cellchoices import read_cell_choices
from releases.protect.hiding import loss_as_dict, share_notices, suppression_options
from releases.rules.methodoptions import cost_factors
from sdc.cube import Cube
from sdc.margins import Block, block_classification, block_name, block_table, blocks_of, in_cells
from sdc.rules.flags import Flags, apply_rules, flag_counts
from sdc.rules.settings import rules_of
from sdc.suppression.cubes import CubeReport, advise_cube, suppress_cube
from sdc.suppression.report import REASONS, STATUSES
from sdc.suppression.spec import SuppressionSpec
from sdc.tables import TOTAL, Table

__all__ = ["cube_suppression"]


def cube_suppression(cube: Cube, asked: Asked) -> ProtectedCells:
    """Suppression of flagged cells and of as few others as is found to be enough, over all margins together."""
    key, drawn = with_key(asked)
    spec = _spec(cube, asked)
    choices = None if asked.options.cells is None else read_cell_choices(asked.options.cells, cube)
    flags = _flags(cube, asked)
    safe, report = suppress_cube(
        cube, primary=_hit(cube, flags), spec=spec, key=key, choices=choices, progress=asked.progress
    )
    advice: tuple[str, ...] = ()
    if report.above_share:
        tried = advise_cube(
            cube,
            flag=lambda smaller: _hit(smaller, _flags(smaller, asked)),
            spec=spec,
            key=key,
            progress=asked.progress,
        )
        advice = tuple(one.sentence() for one in tried)
    names = np.array([STATUSES[code] for code in sorted(STATUSES)], dtype=object)
    return ProtectedCells(
        cells=safe,
        report=_told(cube, report, flags, advice),
        status=names[report.cells.status],
        bounds=(report.cells.lo, report.cells.hi),
        changes=report.cells.changes,
        notices=(drawn, *share_notices(report.losses, report.above_share, spec, advice)),
    )


def _spec(cube: Cube, asked: Asked) -> SuppressionSpec:
    """What is asked; a cost names a level of areas, or the codes of one or more dimensions."""
    levels: dict[str, float] = {}
    categories: dict[tuple[str, ...], float] = {}
    by_code = _categories(cube)
    for name, factor in cost_factors(asked.options.costs).items():
        if name in cube.axes[0].hierarchy.levels:
            levels[name] = factor
        elif name in by_code:
            categories |= dict.fromkeys(by_code[name], factor)
        else:
            found, mend = f"'{name}' is no level and no category", "use a level of the nest or a category: uc=5"
            raise InputError([Fault(kind="option", key="--cost", found=found, mend=mend)])
    options = suppression_options(asked.settings, asked.options)
    return valid(lambda: replace(options, level_factors=levels, category_factors=categories), "--method")


def _categories(cube: Cube) -> dict[str, list[tuple[str, ...]]]:
    """What each category is called, by its codes alone, and its codes on all axes with ``Total`` for the rest."""
    named: dict[str, list[tuple[str, ...]]] = {}
    for block in blocks_of(cube):
        rest = [axis.total and level == axis.top for axis, level in zip(cube.axes[1:], block, strict=True)]
        for column in block_classification(cube, block).columns:
            codes = iter(column)
            whole = tuple(TOTAL if at_total else next(codes) for at_total in rest)
            named.setdefault("/".join(column), []).append(whole)
    return named


def _flags(cube: Cube, asked: Asked) -> dict[Block, Flags]:
    """What the settings' rules say of each margin's table."""
    return {block: _flags_of(block_table(cube, block), asked) for block in blocks_of(cube)}


def _flags_of(table: Table, asked: Asked) -> Flags:
    sensitive = tuple(name for name in asked.sensitive if name in table.classification.dimensions)
    return apply_rules(table, rules_of(asked.settings, sensitive=sensitive))


def _hit(cube: Cube, flags: Mapping[Block, Flags]) -> np.ndarray:
    return in_cells(cube, {block: one.hit for block, one in flags.items()})


def _told(cube: Cube, report: CubeReport, flags: Mapping[Block, Flags], advice: tuple[str, ...]) -> dict[str, object]:
    cells = report.cells
    levels = cube.axes[0].hierarchy.levels
    return {
        "path": cells.path,
        "solver": cells.solver,
        "reasons": {STATUSES[code]: reason for code, reason in REASONS.items()},
        "rules": {block_name(cube, block): flag_counts(one, levels) for block, one in flags.items()},
        "loss": [loss_as_dict(loss) for loss in report.losses],
        "cost": cells.cost,
        "bound": cells.bound,
        "figures": cells.figures,
        "above_share": list(report.above_share),
        "advice": list(advice),
    }
