"""The private report of ``protect`` and ``attack``: everything a reviewer may see and nobody else.

It holds true counts, and says so: ``"private": true``.  The file is written for
its owner alone (mode 0600).
"""

from typing import Any

import numpy as np

from releases.protect.asked import Protected, ProtectedCells
from releases.software import software_name
from reports.attackreport import audit_as_dict
from reports.longcells import code_lists
from reports.metadata import public_method
from sdc.attack.intervals import NO_BOUND, Intervals, stated_intervals
from sdc.attack.programmes import stated_bounds
from sdc.attack.propagation import propagate
from sdc.cube import Cube
from sdc.findings import Audit
from sdc.margins import block_name, block_table, tables_of_cells
from sdc.tables import MARKERS, SHOWN, Table
from sdc.utility.rows import utility

__all__ = ["cube_report", "protect_report"]

WARNING = "Private: for reviewers alone. Holds true counts and how they were protected."


def protect_report(
    *,
    source: str,
    out: str | None,
    true: Table,
    known: Intervals | None,
    protected: Protected,
    audit: Audit | None,
) -> dict[str, Any]:
    """The report on one protected table as plain data.

    ``levels`` holds, per level, the codes and one list per area of each of
    ``true``, ``published`` (null where a marker stands), ``marker``, ``status``
    (``published``: as counted; ``rounded``: changed; of suppression, why the cell is
    hidden), and ``lo``, ``hi``: the interval that the method has worked out, else
    that after propagation of what is published and already known, which an attack
    may narrow further; ``hi`` is null where there is no bound, or none was looked for.
    """
    safe = protected.safe
    own = stated_intervals(safe) if known is None else stated_intervals(safe).intersected(known)
    empty = any(part.any() for part in own.empty())
    bounds = own if empty else propagate(safe.hierarchy, own).intervals
    if protected.intervals is not None:
        bounds = bounds.intersected(protected.intervals)
    method = safe.method
    return {
        "private": True,
        "warning": WARNING,
        "form": 1,
        "command": "protect",
        "software": software_name(),
        "counts": source,
        "written": out,
        "method": public_method(method),
        "protection": protected.report,
        "audit": None if audit is None else audit_as_dict(audit),
        "loss": utility(true, safe),
        "dimensions": list(safe.classification.dimensions),
        "columns": [list(column) for column in safe.classification.columns],
        "levels": [_level(level, protected, true, bounds) for level in range(len(safe.values))],
    }


def cube_report(
    *, source: str, out: str | None, cube: Cube, protected: ProtectedCells, audit: Audit | None
) -> dict[str, Any]:
    """The report on one protected table with several margins as plain data.

    ``table`` holds one list per column, a place for every published cell, in the
    order of the public table: its codes, ``true``, ``published`` (null where a
    marker stands), ``marker``, ``status``, ``lo`` and ``hi`` as in `protect_report`.
    ``loss`` is told margin by margin.
    """
    cells = protected.cells
    true = cube.values()[cube.numbers() >= 0]
    shown = cells.markers == SHOWN
    lo, hi = _stated(protected)
    names = np.array([MARKERS.get(code, "x") for code in range(max(MARKERS) + 2)], dtype=object)
    status = np.where(shown & (cells.values == true), "published", np.where(shown, "rounded", "marked"))
    return {
        "private": True,
        "warning": WARNING,
        "form": 1,
        "command": "protect",
        "software": software_name(),
        "counts": source,
        "written": out,
        "method": public_method(cells.method),
        "protection": protected.report,
        "audit": None if audit is None else audit_as_dict(audit),
        "loss": {
            block_name(cube, block): utility(block_table(cube, block), safe)
            for block, safe in tables_of_cells(cube, cells).items()
        },
        "dimensions": [axis.name for axis in cube.axes[1:]],
        "table": {
            **code_lists(cube),
            "true": true.tolist(),
            "published": _with_nulls(cells.values, shown),
            "marker": names[cells.markers].tolist(),
            "status": (status if protected.status is None else protected.status).tolist(),
            "lo": lo.tolist(),
            "hi": _with_nulls(hi, hi < NO_BOUND),
        },
    }


def _stated(protected: ProtectedCells) -> tuple[np.ndarray, np.ndarray]:
    """What each cell says by itself, or what the method has worked out."""
    lo, hi = stated_bounds(protected.cells)
    if protected.bounds is None:
        return lo, hi
    return np.maximum(lo, protected.bounds[0]), np.minimum(hi, protected.bounds[1])


def _level(level: int, protected: Protected, true: Table, bounds: Intervals) -> dict[str, Any]:
    safe = protected.safe
    values, markers, counts = safe.values[level], safe.markers[level], true.counts[level]
    shown = markers == SHOWN
    status = np.where(shown & (values == counts), "published", np.where(shown, "rounded", "marked"))
    if protected.status is not None:
        status = protected.status[level]
    names = np.array([MARKERS.get(code, "x") for code in range(max(MARKERS) + 2)], dtype=object)
    return {
        "level": safe.hierarchy.levels[level],
        "codes": safe.hierarchy.codes[level].tolist(),
        "true": counts.tolist(),
        "published": _with_nulls(values, shown),
        "marker": names[markers].tolist(),
        "status": status.tolist(),
        "lo": bounds.lo[level].tolist(),
        "hi": _with_nulls(bounds.hi[level], bounds.hi[level] < NO_BOUND),
    }


def _with_nulls(numbers: np.ndarray, kept: np.ndarray) -> list[Any]:
    """Numbers, or rows of them, null where one is not kept."""
    plain = numbers.astype(object)
    plain[~kept] = None
    rows: list[Any] = plain.tolist()
    return rows
