"""True counts beside published ones, for the reviewer: rules hit per level, the whole comparison, what changed most.

Private: everything here holds true counts.
"""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from reports.longform import quoted
from reports.maps import column_label
from reports.model import ReportTable
from reports.statements import words
from reports.textrows import figure_texts, joined
from sdc.tables import MARKERS, NOT_PUBLISHED, SHOWN, Table

__all__ = ["changes_table", "rules_table", "sample_table", "write_true_beside"]

ROWS_ON_PAGE = 20
CSV_ROWS = 262_144


def rules_table(table: ReportTable, true: Table) -> list[dict[str, object]]:
    """Which rules each level's cells hit: one mapping per level.

    A true count x with 1 <= x <= min_count − 1 is small.  `changed` counts
    shown cells whose value is not the true count; `largest_difference` is the
    largest |published − true| of a shown cell.
    """
    safe = table.safe
    rows: list[dict[str, object]] = []
    for name, counts, values, markers in zip(
        safe.hierarchy.levels, true.counts, safe.values, safe.markers, strict=True
    ):
        small = (counts >= 1) & (counts < safe.method.min_count)
        shown = markers == SHOWN
        difference = np.abs(values - counts)[shown]
        rows.append(
            {
                "table": table.id,
                "level": name,
                "cells": int(counts.size),
                "true_zeros": int((counts == 0).sum()),
                "small": int(small.sum()),
                "small_shown_as_zero": int((small & shown & (values == 0)).sum()),
                "not_shown": int((~shown).sum()),
                "changed": int((difference > 0).sum()),
                "largest_difference": int(difference.max(initial=0)),
            }
        )
    return rows


def changes_table(table: ReportTable, true: Table, *, rows: int = ROWS_ON_PAGE) -> list[dict[str, object]]:
    """The shown cells that differ most from their true counts, in the table's order where they differ alike."""
    cells, sizes = [], []
    for level, (values, counts) in enumerate(zip(table.safe.values, true.counts, strict=True)):
        difference = np.where(table.safe.markers[level] == SHOWN, np.abs(values - counts), 0).ravel()
        first = np.argsort(-difference, kind="stable")[:rows]
        cells += [(level, int(place)) for place in first if difference[place]]
        sizes += [int(difference[place]) for place in first if difference[place]]
    order = np.argsort(-np.array(sizes, dtype=np.int64), kind="stable")[:rows]
    return [_cell(table, true, *cells[place]) for place in order.tolist()]


def sample_table(table: ReportTable, true: Table, *, rows: int = ROWS_ON_PAGE) -> list[dict[str, object]]:
    """Cells evenly spaced over those whose true count is not zero: the same ones each time."""
    filled = [np.flatnonzero(counts) for counts in true.counts]
    ends = np.cumsum([len(places) for places in filled])
    if not ends[-1]:
        return []
    chosen = np.unique(np.linspace(0, ends[-1] - 1, rows).round().astype(np.int64))
    levels = np.searchsorted(ends, chosen, side="right")
    starts = ends - [len(places) for places in filled]
    return [
        _cell(table, true, level, int(filled[level][place - starts[level]]))
        for level, place in zip(levels.tolist(), chosen.tolist(), strict=True)
    ]


def write_true_beside(path: Path, table: ReportTable, true: Table) -> None:
    """Stream every cell to CSV.

    Columns: ``area_level``, ``area``, the dimensions, ``true``, ``published``,
    ``marker``, ``difference``.  Rows stand in the order of the published table; ``published`` and
    ``difference`` (published − true) are empty where a marker stands; a cell that is not
    published has the marker ``x``.
    """
    safe = table.safe
    dimensions = safe.classification.dimensions
    heads = ("area_level", "area", *dimensions, "true", "published", "marker", "difference")
    categories = pa.array([",".join(map(quoted, (*column, ""))) for column in safe.classification.columns], pa.string())
    with path.open("wb") as file:
        file.write((",".join(map(quoted, heads)) + "\n").encode())
        for level, name in enumerate(safe.hierarchy.levels):
            areas = pa.array(
                [f"{quoted(name)},{quoted(str(code))}," for code in safe.hierarchy.codes[level]], pa.string()
            )
            units, columns = safe.values[level].shape
            step = max(1, CSV_ROWS // columns)
            for start in range(0, units, step):
                part = slice(start, min(start + step, units))
                unit = pa.array(np.repeat(np.arange(part.start, part.stop), columns))
                column = pa.array(np.tile(np.arange(columns), part.stop - part.start))
                figures = _figures(true.counts[level][part], safe.values[level][part], safe.markers[level][part])
                file.write(joined([areas.take(unit), categories.take(column), *figures]))


def _figures(counts: np.ndarray, values: np.ndarray, markers: np.ndarray) -> list[pa.Array]:
    """The last four columns of each row."""
    plain = np.zeros(counts.size, np.int8)
    true = figure_texts(counts.ravel(), plain, lambda value: f"{value},", str)
    published = figure_texts(values.ravel(), markers.ravel(), lambda value: f"{value},,", lambda marker: f",{marker},")
    shown = markers.ravel() == SHOWN
    different, index = np.unique(np.where(shown, values.ravel() - counts.ravel(), 0), return_inverse=True)
    differences = pa.array([f"{value}\n" for value in different.tolist()], pa.string()).take(pa.array(index))
    empty = pa.array(np.where(shown, "", "\n"))
    return [true, published, pc.if_else(pa.array(shown), differences, empty)]


def _cell(table: ReportTable, true: Table, level: int, place: int) -> dict[str, object]:
    """One cell in words, with its true count and what was published."""
    safe = table.safe
    unit, column = divmod(place, safe.values[level].shape[1])
    marker = int(safe.markers[level][unit, column])
    value, count = int(safe.values[level][unit, column]), int(true.counts[level][unit, column])
    told = words("pages")["review"]
    last = column == len(safe.classification)
    label = words("pages")["table"]["total"] if last else column_label(table, column)
    absent = told["not_published"] if marker == NOT_PUBLISHED else f"[{MARKERS.get(marker, '')}]"
    return {
        "level": safe.hierarchy.levels[level],
        "area": str(safe.hierarchy.codes[level][unit]),
        "category": label,
        "true": count,
        "published": f"{value:,}" if marker == SHOWN else absent,
        "difference": f"{value - count:+,}" if marker == SHOWN else "",
    }
