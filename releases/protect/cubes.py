"""Tables of several dimensions or nests with every margin: what each method makes of them.

Such a table is no network (`sdc.cube`).  It comes as the crossing of its
dimensions, and goes out as cells.
"""

from collections.abc import Callable
from dataclasses import asdict

import numpy as np

from common.faults import Infeasible
from releases.protect.asked import LEAKS, Asked, ProtectedCells, valid, with_key
from releases.protect.cubehiding import cube_suppression
from releases.protect.noisy import cell_key
from releases.protect.roundings import nearest_asked, rounding_spec
from sdc.attack.intervals import NO_BOUND, rounded_small_counts
from sdc.attack.systems import PublishedCells, audit_cells
from sdc.attack.theorem import check_cells
from sdc.cube import Cube
from sdc.findings import Audit
from sdc.margins import block_counts, block_name, block_table, blocks_of, cells_of_blocks
from sdc.rounding.conventional import round_conventional
from sdc.rounding.crossed import round_cube
from sdc.rounding.inner import finest_cells
from sdc.rounding.random import RandomRounding
from sdc.rounding.random_cube import protect_random_cube
from sdc.rounding.smallcounts import SmallCountRounding, protect_small_counts, round_small_counts
from sdc.rounding.steps import StepsRounding
from sdc.system import SafeCells
from sdc.tables import SHOWN, Method

__all__ = ["CUBE_METHODS", "audit_cube", "protect_cube"]

Bounds = tuple[np.ndarray, np.ndarray]

# Small-count rounding of up to so many cells looks at every sum; of more, at those of the crossing alone.
ALL_SUMS = 20_000


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
    return audit_cells(published, min_count=least, changes=protected.changes, progress=asked.progress)


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
    "suppression": cube_suppression,
    "cell-key": _cell_key,
}
