"""Cells that somebody has decided about before suppression: a file of cells to hide, to show, or that can only be 0.

CSV or Parquet with the columns ``area``, the table's dimensions (``Total`` for a
margin) and ``choice``: ``hide``, ``show`` or ``structural``.  A column
``area_level`` is needed only where a code stands on two levels.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from common.faults import Faults
from geography.nesting import encode_text
from releases.nests import places_of
from releases.tidyfile import Tidy, read_tidy
from sdc.suppression.plan import Choices, Masks
from sdc.tables import TOTAL, Table

__all__ = ["CHOICES", "read_choices"]

CHOICES = ("hide", "show", "structural")
LEVEL, AREA, CHOICE = "area_level", "area", "choice"


def read_choices(path: Path, table: Table) -> Choices:
    """The choices of a file, laid over a table.

    Raises
    ------
    InputError
        The file cannot be read; an area, category or choice is not known, or an area
        stands on two levels; a cell is named twice; a structural zero is counted.  All faults are told at once.
    """
    by = table.classification.dimensions
    tidy = read_tidy(path, needed=[AREA, *by, CHOICE], wanted=[LEVEL], whole=())
    faults = Faults(str(path))
    level, unit = _areas(tidy, table, faults)
    column = _columns(tidy, table, by, faults)
    choice = _indexed(tidy, CHOICE, CHOICES, "is no choice", f"use {', '.join(CHOICES)}", faults)
    faults.raise_if_any()
    _tell_repeats(tidy, level, unit, column, faults)
    masks: list[Masks] = []
    for number in range(len(CHOICES)):
        mask = tuple(np.zeros(counts.shape, np.bool_) for counts in table.counts)
        for at in np.flatnonzero(choice == number).tolist():
            mask[level[at]][unit[at], column[at]] = True
        masks.append(mask)
    for at in np.flatnonzero(choice == CHOICES.index("structural")).tolist():
        if table.counts[level[at]][unit[at], column[at]]:
            found = "a structural zero in which somebody is counted"
            faults.add("structural", found, "correct the choice or the counts", row=tidy.row(at), column=CHOICE)
    faults.raise_if_any()
    return Choices(hide=masks[0], show=masks[1], structural=masks[2])


def _areas(tidy: Tidy, table: Table, faults: Faults) -> tuple[np.ndarray, np.ndarray]:
    """Level and unit of each row's area; -1 with a fault where it has none."""
    codes, index = encode_text(tidy.text.columns[AREA])
    at = np.array([places_of(codes, level) for level in table.hierarchy.codes])
    found = at >= 0
    if LEVEL in tidy:
        named = _indexed(tidy, LEVEL, table.hierarchy.levels, "is no level", "use one of the nest", faults)
        unit = np.where(named >= 0, at[np.maximum(named, 0), index], -1)
        level = named
    else:
        for code in np.flatnonzero(found.sum(axis=0) > 1).tolist():
            row = tidy.row(int(np.flatnonzero(index == code)[0]))
            faults.add("two levels", "an area that stands on two levels", f"add a column {LEVEL}", row=row, column=AREA)
        of_code = np.where(found.any(axis=0), found.argmax(axis=0), -1)
        level = of_code[index]
        unit = np.where(level >= 0, at[np.maximum(level, 0), index], -1)
    for row in np.flatnonzero(unit < 0).tolist():
        faults.add("no area", "an area that the table has not", "correct it", row=tidy.row(row), column=AREA)
    return level, unit


def _columns(tidy: Tidy, table: Table, by: Sequence[str], faults: Faults) -> np.ndarray:
    """The table's column of each row; -1 with a fault where it has none."""
    named = [np.array(tidy.text.columns[name].to_pylist(), dtype=object) for name in by]
    places = {category: number for number, category in enumerate(table.classification.columns)}
    found = np.array([places.get(tuple(row), -1) for row in zip(*named, strict=True)], np.int64)
    if not by:
        found = np.zeros(tidy.height, np.int64)
    for row in np.flatnonzero(found < 0).tolist():
        mend = f"use the table's own categories, or {TOTAL} in every dimension"
        faults.add("no category", "a category that the table has not", mend, row=tidy.row(row), column=by[0])
    return found


def _indexed(tidy: Tidy, column: str, known: Sequence[str], what: str, mend: str, faults: Faults) -> np.ndarray:
    """Where each row's word stands among known ones; -1 with a fault where it does not."""
    words = tidy.text.columns[column].to_pylist()
    found = np.array([known.index(word) if word in known else -1 for word in words], np.int64)
    for row in np.flatnonzero(found < 0).tolist():
        faults.add("not known", what, mend, row=tidy.row(row), column=column)
    return found


def _tell_repeats(tidy: Tidy, level: np.ndarray, unit: np.ndarray, column: np.ndarray, faults: Faults) -> None:
    cells = np.stack([level, unit, column], axis=1)
    _, first, of = np.unique(cells, axis=0, return_index=True, return_inverse=True)
    for row in np.flatnonzero(first[of.ravel()] != np.arange(len(cells))).tolist():
        faults.add("repeated", "a cell that an earlier row names too", "leave one of the rows out", row=tidy.row(row))
    faults.raise_if_any()
