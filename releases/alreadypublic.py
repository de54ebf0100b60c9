"""Figures that others have published of the same people: bounds that the attacker has beforehand."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from common.faults import Faults
from releases.spec import AlreadyPublic
from releases.wholenumbers import LARGEST, whole_number
from sdc.attack.intervals import NO_BOUND, Intervals
from sdc.tables import TOTAL, SafeTable

__all__ = ["read_already_public"]


def read_already_public(
    specs: Sequence[AlreadyPublic], tables: Mapping[str, SafeTable], file: str
) -> dict[str, Intervals]:
    """Bounds on the cells of each table from files with the columns ``area_level``, ``area``, dimensions, ``value``.

    A file bears on every table whose dimensions are among its own; dimensions
    that the table lacks must be Total in the row.  A figure r rounded to the
    nearest b bounds the count by r - b // 2 and r + (b - 1) // 2; b = 1 is exact.

    Raises
    ------
    InputError
        A file cannot be read, names an area or category that no table has, or
        holds a value that is no whole number.
    """
    faults = Faults(file)
    bounds = {
        name: (
            tuple(np.zeros(values.shape, np.int64) for values in safe.values),
            tuple(np.full(values.shape, NO_BOUND, np.int64) for values in safe.values),
        )
        for name, safe in tables.items()
    }
    for spec in specs:
        for row, entry in _rows(spec.path, faults):
            _apply(spec, row, entry, tables, bounds, faults)
    faults.raise_if_any()
    return {name: Intervals(lo=lo, hi=hi) for name, (lo, hi) in bounds.items()} if specs else {}


def _rows(path: Path, faults: Faults) -> list[tuple[int, dict[str, str]]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as handle:
            reader = csv.DictReader(handle)
            missing = [name for name in ("area_level", "area", "value") if name not in (reader.fieldnames or ())]
            for name in missing:
                faults.add("missing column", "is missing", "add it", file=path.name, row=1, column=name)
            return [] if missing else [(reader.line_num, entry) for entry in reader]
    except OSError as error:
        faults.add("missing file", f"cannot be read ({error.strerror})", "correct the path", file=str(path))
    except UnicodeDecodeError:
        faults.add("encoding", "is not UTF-8", "save it as UTF-8", file=path.name)
    return []


def _apply(
    spec: AlreadyPublic,
    row: int,
    entry: Mapping[str, str],
    tables: Mapping[str, SafeTable],
    bounds: Mapping[str, tuple[tuple[np.ndarray, ...], tuple[np.ndarray, ...]]],
    faults: Faults,
) -> None:
    file = spec.path.name
    text = (entry.get("value") or "").strip()
    if not text:
        return
    value = whole_number(text)
    if value is None:
        faults.add(
            "value",
            f"is no whole number from 0 to {LARGEST:,}",
            "give whole numbers, or nothing where nothing is public",
            file=file,
            row=row,
            column="value",
        )
        return
    named = {
        name: code for name, code in entry.items() if name not in ("area_level", "area", "value", "marker") and name
    }
    used = False
    for table, safe in tables.items():
        cell = _cell(safe, entry["area_level"], entry["area"], named)
        if cell is None:
            continue
        used = True
        level, unit, column = cell
        lo, hi = bounds[table]
        lo[level][unit, column] = max(lo[level][unit, column], value - spec.base // 2)
        hi[level][unit, column] = min(hi[level][unit, column], value + (spec.base - 1) // 2)
    if not used:
        faults.add(
            "unknown cell",
            "names an area or category that no table of this release has",
            "leave out what does not concern this release, or correct the codes",
            file=file,
            row=row,
            key=f"{entry['area_level']} {entry['area']}",
        )


def _cell(safe: SafeTable, level: str, area: str, named: Mapping[str, str]) -> tuple[int, int, int] | None:
    hierarchy, classification = safe.hierarchy, safe.classification
    if level not in hierarchy.levels:
        return None
    at = hierarchy.levels.index(level)
    unit = int(np.searchsorted(hierarchy.codes[at], area))
    if unit == len(hierarchy.codes[at]) or hierarchy.codes[at][unit] != area:
        return None
    if any(code != TOTAL for name, code in named.items() if name not in classification.dimensions):
        return None
    wanted = tuple(named.get(name, TOTAL) for name in classification.dimensions)
    if wanted not in classification.columns:
        return None
    return at, unit, classification.columns.index(wanted)
