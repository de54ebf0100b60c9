"""Workbooks beside a derived table: a row for each area and category, with the numbers and markers of the CSV."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from releases.check.notes import SHOWN, Notes
from releases.check.sheets import Cell
from releases.check.tables import Layout
from releases.check.workbooks import tables_of_workbook

__all__ = ["check_derived_workbook"]

NONE = "none"


def check_derived_workbook(
    path: Path,
    file: str,
    layout: Layout,
    numbers: Mapping[str, np.ndarray],
    decimals: Mapping[str, int],
    markers: np.ndarray,
    known: Sequence[str],
    notes: Notes,
) -> None:
    """Compare an ODS or XLSX file with the rows of the CSV.

    `numbers` and `markers` are those of all rows in the order of `layout`; `known` the markers by number.
    The first column of each worksheet holds the area's code, the last columns the numbers and the marker.
    """
    areas = {code: place for place, code in enumerate(np.concatenate(layout.codes).tolist())}
    starts = np.concatenate(
        [
            start + np.arange(units) * columns
            for start, (units, columns) in zip(layout.starts, layout.shapes, strict=False)
        ]
    )
    wide, names = len(layout.columns), list(numbers)
    seen = np.zeros(int(layout.starts[-1]), int)
    for sheet, body in tables_of_workbook(path, file, notes):
        times: dict[str, int] = {}
        wrong = []
        for row in body:
            code = str(row[0])
            at = times[code] = times.get(code, -1) + 1
            if code not in areas or at >= wide or len(row) <= len(names) + 1:
                notes.wrong("workbook", file, f"worksheet {sheet} has a row that is no area and category of the table")
                return
            place = int(starts[areas[code]]) + at
            seen[place] += 1
            mark = row[-1]
            said = 0 if mark == NONE else _marker(mark, known)
            cells = row[-1 - len(names) : -1]
            if said != markers[place] or any(
                not _same(cell, int(numbers[name][place]), decimals[name], known)
                for cell, name in zip(cells, names, strict=True)
            ):
                wrong.append(place)
        for place in wrong[:SHOWN]:
            notes.wrong("workbook figure", file, "is another row than in the CSV", cell=layout.cell_of_row(place))
        notes.more("workbook figure", file, max(0, len(wrong) - SHOWN))
    gone = np.flatnonzero(seen != 1)
    for place in gone[:SHOWN].tolist():
        notes.wrong("workbook", file, "does not stand on the worksheets once", cell=layout.cell_of_row(place))
    notes.more("workbook", file, max(0, len(gone) - SHOWN))


def _marker(cell: Cell, known: Sequence[str]) -> int:
    text = cell[1:-1] if isinstance(cell, str) and cell[:1] == "[" and cell[-1:] == "]" else ""
    return known.index(text) if text and text in known else -1


def _same(cell: Cell, number: int, decimals: int, known: Sequence[str]) -> bool:
    """Whether a cell holds a number of the CSV, in steps of 10 ** -decimals; a marker where that is blank."""
    if number == np.iinfo(np.int64).min:
        return _marker(cell, known) > 0
    if isinstance(cell, str) or cell is None:
        return False
    return round(cell * 10**decimals) == number and abs(cell * 10**decimals - number) < 1e-6 * max(1, abs(number))
