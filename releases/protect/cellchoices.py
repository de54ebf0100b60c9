"""Cells that somebody has decided about before suppression: a file of cells to hide, to show, or that can only be 0.

CSV or Parquet with the columns ``area``, the table's dimensions (``Total`` for a
margin) and ``choice``: ``hide``, ``show`` or ``structural``.  A column
``area_level``, or that of another nest, is needed only where a code stands on two
levels.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from common.faults import Faults
from geography.nesting import encode_text
from releases.counts.nests import places_of
from releases.files.tidyfile import Tidy, read_tidy
from sdc.cube import Axis, Cube
from sdc.suppression.cellspec import CellChoices
from sdc.suppression.plan import Choices, Masks
from sdc.tables import TOTAL, Table

__all__ = ["CHOICES", "read_cell_choices", "read_choices"]

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
    level, unit = _units(tidy, AREA, LEVEL, table.hierarchy.levels, table.hierarchy.codes, faults)
    column = _columns(tidy, table, by, faults)
    choice = _choices(tidy, (level, unit, column), faults)
    masks: list[Masks] = []
    for number in range(len(CHOICES)):
        mask = tuple(np.zeros(counts.shape, np.bool_) for counts in table.counts)
        for at in np.flatnonzero(choice == number).tolist():
            mask[level[at]][unit[at], column[at]] = True
        masks.append(mask)
    counts = np.array([table.counts[where[0]][where[1:]] for where in zip(level, unit, column, strict=True)], np.int64)
    _tell_counted(tidy, choice, counts, faults)
    return Choices(hide=masks[0], show=masks[1], structural=masks[2])


def read_cell_choices(path: Path, cube: Cube) -> CellChoices:
    """The choices of a file, laid over a cube: bool of shape (cells,) each, in the order of ``cube.system()``.

    Raises
    ------
    InputError
        As for `read_choices`.
    """
    names = [AREA, *(axis.name for axis in cube.axes[1:])]
    level_names = [f"{name}_level" for name in names]
    tidy = read_tidy(path, needed=[*names, CHOICE], wanted=level_names, whole=())
    faults = Faults(str(path))
    places = []
    for axis, name, level_name in zip(cube.axes, names, level_names, strict=True):
        level, unit = _units(tidy, name, level_name, *_codes_of(axis), faults)
        places.append(np.where(unit >= 0, axis.starts[level] + unit, -1))
    choice = _choices(tidy, places, faults)
    numbers = cube.numbers()
    cells = numbers[tuple(places)]
    for row in np.flatnonzero(cells < 0).tolist():
        faults.add("no cell", "a cell that is not published", "leave it out", row=tidy.row(row))
    faults.raise_if_any()
    _tell_counted(tidy, choice, cube.values()[numbers >= 0][cells], faults)
    masks = np.zeros((len(CHOICES), int((numbers >= 0).sum())), np.bool_)
    masks[choice, cells] = True
    return CellChoices(hide=masks[0], show=masks[1], structural=masks[2])


def _codes_of(axis: Axis) -> tuple[tuple[str, ...], tuple[np.ndarray, ...]]:
    """What the levels of an axis are called, and the codes of each, its total among them."""
    levels, codes = axis.hierarchy.levels, axis.hierarchy.codes
    return ((*levels, TOTAL), (*codes, np.array([TOTAL]))) if axis.total else (levels, codes)


def _units(
    tidy: Tidy, column: str, level_column: str, levels: Sequence[str], codes: Sequence[np.ndarray], faults: Faults
) -> tuple[np.ndarray, np.ndarray]:
    """Level and unit of each row's code in a tree; -1 with a fault where it has none."""
    what = "an area" if column == AREA else f"a code of {column}"
    given, index = encode_text(tidy.text.columns[column])
    at = np.array([places_of(given, level) for level in codes])
    found = at >= 0
    if level_column in tidy:
        named = _indexed(tidy, level_column, levels, "is no level", f"use one of {', '.join(levels)}", faults)
        unit = np.where(named >= 0, at[np.maximum(named, 0), index], -1)
        level = np.maximum(named, 0)
    else:
        for code in np.flatnonzero(found.sum(axis=0) > 1).tolist():
            row = tidy.row(int(np.flatnonzero(index == code)[0]))
            mend = f"add a column {level_column}"
            faults.add("two levels", f"{what} that stands on two levels", mend, row=row, column=column)
        level = np.where(found.any(axis=0), found.argmax(axis=0), 0)[index]
        unit = at[level, index]
    for row in np.flatnonzero(unit < 0).tolist():
        mend = "correct it" if column == AREA else f"use the table's own, or {TOTAL}"
        faults.add("not known", f"{what} that the table has not", mend, row=tidy.row(row), column=column)
    return level, unit


def _choices(tidy: Tidy, cells: Sequence[np.ndarray], faults: Faults) -> np.ndarray:
    """The number of each row's choice, once every fault of the rows is told and no cell is named twice."""
    choice = _indexed(tidy, CHOICE, CHOICES, "is no choice", f"use {', '.join(CHOICES)}", faults)
    faults.raise_if_any()
    _, first, of = np.unique(np.stack(cells, axis=1), axis=0, return_index=True, return_inverse=True)
    for row in np.flatnonzero(first[of.ravel()] != np.arange(tidy.height)).tolist():
        faults.add("repeated", "a cell that an earlier row names too", "leave one of the rows out", row=tidy.row(row))
    faults.raise_if_any()
    return choice


def _tell_counted(tidy: Tidy, choice: np.ndarray, counts: np.ndarray, faults: Faults) -> None:
    """Refuse structural zeros in which somebody is counted; `counts` is of each row's cell."""
    for at in np.flatnonzero((choice == CHOICES.index("structural")) & (counts > 0)).tolist():
        found = "a structural zero in which somebody is counted"
        faults.add("structural", found, "correct the choice or the counts", row=tidy.row(at), column=CHOICE)
    faults.raise_if_any()


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
