"""Beside the release before, for the reviewer: the cells that do not show what they showed then, and why.

Private: everything here tells true counts, and which cells kept their value.
"""

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from reports.model import ReportTable
from sdc.rounding.kept import CHANGED, FORCED, KEPT, NEW, Earlier, standing
from sdc.tables import Table

__all__ = ["STANDINGS", "standing_rows", "write_before_beside"]

STANDINGS = {NEW: "new", CHANGED: "changed", KEPT: "kept", FORCED: "moved"}


def standing_rows(table: ReportTable, true: Table, earlier: Earlier) -> list[dict[str, object]]:
    """Per level, how many cells are new, changed, kept or moved: a moved one shows another value of the same count."""
    told = standing(true, table.safe.values, earlier)
    return [
        {
            "table": table.id,
            "level": name,
            **{word: int(np.count_nonzero(codes == code)) for code, word in STANDINGS.items()},
        }
        for name, codes in zip(table.safe.hierarchy.levels, told, strict=True)
    ]


def write_before_beside(path: Path, table: ReportTable, true: Table, earlier: Earlier) -> None:
    """Write every cell that is not kept, to CSV.

    Columns: ``area_level``, ``area``, the dimensions, ``standing`` (``new``, ``changed`` or ``moved``),
    ``true_before``, ``true``, ``published_before``, ``published``; those of before are empty where the cell is new.
    """
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        heads = ("standing", "true_before", "true", "published_before", "published")
        writer.writerow(("area_level", "area", *table.safe.classification.dimensions, *heads))
        writer.writerows(_rows(table, true, earlier))


def _rows(table: ReportTable, true: Table, earlier: Earlier) -> Iterator[tuple[object, ...]]:
    safe = table.safe
    columns = safe.classification.columns
    for level, codes in enumerate(standing(true, safe.values, earlier)):
        units, places = np.nonzero(codes != KEPT)
        areas = safe.hierarchy.codes[level][units].tolist()
        told = [
            array[level][units, places].tolist() for array in (earlier.counts, true.counts, earlier.values, safe.values)
        ]
        stood = codes[units, places].tolist()
        for area, place, code, *figures in zip(areas, places.tolist(), stood, *told, strict=True):
            if code == NEW:
                figures[0] = figures[2] = ""
            yield (safe.hierarchy.levels[level], area, *columns[place], STANDINGS[code], *figures)
