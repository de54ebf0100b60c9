"""One way of protecting every margin of several dimensions, tried, attacked and measured; see `releases.compare.comparing`."""

import numpy as np

from common.progress import SILENT, Progress
from releases.compare.comparing import Named, Trial, count_findings, without_key, worked_cells, worked_texts
from releases.compare.variants import Variant
from releases.protect.asked import ProtectedCells
from releases.protect.audited import audit_protected_cells
from releases.protect.cubes import protect_cube
from reports.comparison import MARGIN, MIDPOINT, SHOWN, Compared, WorkedArea
from reports.longcells import code_lists
from reports.metadata import public_method
from sdc.attack.intervals import NO_BOUND
from sdc.attack.programmes import stated_bounds
from sdc.cube import Cube
from sdc.findings import Audit
from sdc.promises import strongest_promise
from sdc.tables import SHOWN as SHOWN_MARKER
from sdc.tables import STRUCTURAL, TOTAL
from sdc.utility.cubes import cube_margin_shares, cube_sizes, cube_utility

__all__ = ["try_cube", "worked_cube"]


def try_cube(trial: Trial, cube: Cube, variant: Variant, *, progress: Progress = SILENT) -> Compared:
    """Protect the cube, attack it with all that a reader has, and measure what it cost.

    Raises
    ------
    InputError
        No key is there, or an option lies outside its range.
    Infeasible
        The method has no solution for this table.
    """
    named = Named(progress, variant.name)
    asked = trial.asked(variant, named)
    protected = protect_cube(cube, asked)
    named.step("attacking")
    audit = audit_protected_cells(cube, protected, asked, trial.beside)
    named.step("measuring utility")
    return _measured(trial, cube, variant, protected, audit)


def _measured(trial: Trial, cube: Cube, variant: Variant, protected: ProtectedCells, audit: Audit) -> Compared:
    cells = protected.cells
    shown = (cells.markers == SHOWN_MARKER) | (cells.markers == STRUCTURAL)
    lo, hi = _proven(protected)
    measures = {SHOWN: cube_utility(cube, cells)}
    if not shown.all():
        middle = np.where(shown, cells.values, np.where(hi < NO_BOUND, (lo + hi) / 2, np.nan))
        measures[MIDPOINT] = cube_utility(cube, cells, guessed=middle)
        measures[MARGIN] = cube_utility(cube, cells, guessed=cube_margin_shares(cube, cells))
    here = _cells_of_area(cube, trial.area)
    return Compared(
        name=variant.name,
        parameters=public_method(cells.method),
        promise=strongest_promise(variant.settings, variant.bands),
        audit=audit,
        findings=count_findings(audit),
        utility=measures,
        sizes=cube_sizes(cube, cells),
        worked=worked_texts(cells.values[here], cells.markers[here], shown[here], lo[here], hi[here]),
        notices=without_key(protected.notices, trial.key_file),
    )


def _proven(protected: ProtectedCells) -> tuple[np.ndarray, np.ndarray]:
    """What a reader can prove of each cell: what it says by itself, and as the method has worked it out."""
    lo, hi = stated_bounds(protected.cells)
    if protected.bounds is None:
        return lo, hi
    return np.maximum(lo, protected.bounds[0]), np.minimum(hi, protected.bounds[1])


def worked_cube(cube: Cube, unit: int) -> WorkedArea:
    """What the page says of an area: its true cells, margin after margin as they are published, the total last."""
    here = _cells_of_area(cube, unit)
    codes = {name: texts for name, texts in code_lists(cube).items() if not name.endswith("_level")}
    del codes["area"]
    names = [" / ".join(texts[cell] for texts in codes.values()) for cell in here[:-1]]
    areas = cube.axes[0].hierarchy
    counts = cube.values()[cube.numbers() >= 0]
    return worked_cells(areas.levels[0], str(areas.codes[0][unit]), [*names, TOTAL], counts[here])


def _cells_of_area(cube: Cube, unit: int) -> np.ndarray:
    """The cells of one smallest area, the total last: int64."""
    numbers = cube.numbers()[unit].ravel()
    return numbers[numbers >= 0]
