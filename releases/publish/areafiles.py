"""Public files of figures by area, laid on the areas of a release: denominators and survey estimates.

Every row must be of an area of a level that the file is for, and every such area
must have its row; what is wrong is told for all rows at once.  A blank value is
an answer: it is not available.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow.compute as pc

from common.faults import Faults
from geography.nesting import encode_text
from releases.counts.nests import places_of
from releases.files.tidyfile import Tidy, quotable, read_tidy
from releases.publish.statspec import AreaFile
from sdc.tables import TOTAL, Hierarchy

__all__ = ["AreaRows", "place_rows", "spread"]


@dataclass(frozen=True, kw_only=True, eq=False)
class AreaRows:
    """Rows of a file with their places.

    Attributes
    ----------
    tidy : the file.
    kept : rows that are of an area of the release, ascending: int64 of shape (rows kept,).
    level, unit : of each kept row, int64.
    category : for each dimension of the file, the place of each kept row's code among its codes, `TOTAL` last.
    left_out : rows of other areas, which the release file lets be left out.
    """

    tidy: Tidy
    kept: np.ndarray
    level: np.ndarray
    unit: np.ndarray
    category: Mapping[str, np.ndarray]
    left_out: int

    def texts(self, column: str) -> np.ndarray:
        """A column of the kept rows, without blanks around its texts."""
        trimmed: np.ndarray = pc.utf8_trim_whitespace(self.tidy.text.columns[column]).to_numpy()[self.kept].astype(str)
        return trimmed


def place_rows(
    file: AreaFile,
    hierarchy: Hierarchy,
    codes: Mapping[str, Sequence[str]],
    faults: Faults,
    *,
    numbers: Sequence[str],
    texts: Sequence[str] = (),
) -> AreaRows:
    """Read a file and lay its rows on the areas.

    `codes` gives, for each dimension that the file is told by, its codes; `numbers` and `texts` are the
    columns of figures and of words.  Faults of rows are noted in `faults`.

    Raises
    ------
    InputError
        The file cannot be read, or lacks a column.
    """
    keys = [file.area, *([file.level_column] if file.level_column else []), *codes]
    tidy = read_tidy(file.path, needed=[*keys, *numbers, *texts], whole=numbers, fractions=numbers)
    level, unit = _areas(file, tidy, hierarchy, faults)
    wanted = {name: _codes(tidy, name, [*known, TOTAL], faults) for name, known in codes.items()}
    # An area that is not placed is left out, or is a fault by now.
    kept = np.flatnonzero(level >= 0)
    rows = AreaRows(
        tidy=tidy,
        kept=kept,
        level=level[kept],
        unit=unit[kept],
        category={name: place[kept] for name, place in wanted.items()},
        left_out=len(level) - len(kept),
    )
    _tell_repeats(rows, codes, hierarchy, file.area, faults)
    if file.complete:
        _tell_missing(file, rows, hierarchy, faults)
    return rows


def spread(rows: AreaRows, values: np.ndarray, level: int, shape: tuple[int, ...], blank: int) -> np.ndarray:
    """Values of the kept rows as an array of one level: (units, codes and total of each dimension), `blank` elsewhere."""
    out = np.full(shape, blank, values.dtype)
    here = np.flatnonzero(rows.level == level)
    out[rows.unit[here], *(place[here] for place in rows.category.values())] = values[here]
    return out


def _areas(file: AreaFile, tidy: Tidy, hierarchy: Hierarchy, faults: Faults) -> tuple[np.ndarray, np.ndarray]:
    """Level and unit of each row, int64; -1 where the row is of no area that the file is for."""
    areas, index = encode_text(tidy.text.columns[file.area])
    bare = np.char.strip(areas)
    found = np.full((len(hierarchy.levels), len(areas)), -1, np.int64)
    for place, codes in enumerate(hierarchy.codes):
        found[place] = places_of(bare, codes)
    at = found[:, index]
    allowed = np.array([not file.level or name in file.level for name in hierarchy.levels])
    said = _levels_said(file, tidy, hierarchy, faults)
    if said is None:
        level = np.where((at >= 0).any(axis=0), np.argmax(at >= 0, axis=0), -1)
    else:
        level = np.where(np.take_along_axis(at, np.maximum(said, 0)[None, :], 0)[0] >= 0, said, -1)
    right = level >= 0
    right[right] = allowed[level[right]]
    elsewhere = (at >= 0).any(axis=0) & ~right
    blank = (bare == "")[index]
    told = np.ones(len(right), bool) if said is None else said >= -1
    for row in np.flatnonzero(~right & told).tolist():
        name = quotable(str(bare[index[row]]))
        line = tidy.row(row)
        if blank[row]:
            faults.add("blank area", "has no area", "give every row its area", row=line, column=file.area)
        elif elsewhere[row] and (said is not None or file.other_areas == "refuse"):
            actual = hierarchy.levels[int(np.argmax(at[:, row] >= 0))]
            mend = "name its level under level or in the column of levels, or take the row out"
            faults.add("wrong level", f"area {name} is of the level {actual}", mend, row=line, column=file.area)
        elif not elsewhere[row] and file.other_areas == "refuse":
            mend = 'use the vintage of the release, or set other_areas = "leave out"'
            faults.add("unknown area", f"area {name} is not in the lookup", mend, row=line, column=file.area)
    unit = np.take_along_axis(at, np.maximum(level, 0)[None, :], 0)[0]
    return np.where(right, level, -1), np.where(right, unit, -1)


def _levels_said(file: AreaFile, tidy: Tidy, hierarchy: Hierarchy, faults: Faults) -> np.ndarray | None:
    """Place of the level that each row names, int64, -1 for another and -2 where a fault told it; None without a column."""
    if file.level_column is None:
        return None
    names, index = encode_text(tidy.text.columns[file.level_column])
    known = [hierarchy.levels.index(name) if name in hierarchy.levels else -1 for name in np.char.strip(names).tolist()]
    said = np.array(known, np.int64)[index]
    if file.other_areas == "refuse":
        for row in np.flatnonzero(said < 0).tolist():
            found = f"{quotable(str(names[index[row]]))} is no level of the geography"
            mend = f'use {", ".join(hierarchy.levels)}, or set other_areas = "leave out"'
            faults.add("wrong level", found, mend, row=tidy.row(row), column=file.level_column)
        said[said < 0] = -2
    return said


def _codes(tidy: Tidy, name: str, known: Sequence[str], faults: Faults) -> np.ndarray:
    """Place of each row's code among those of a dimension, int64; -1 where it is none of them, which is a fault."""
    texts, index = encode_text(tidy.text.columns[name])
    places = np.array([known.index(text) if text in known else -1 for text in np.char.strip(texts).tolist()], np.int64)
    for row in np.flatnonzero(places[index] < 0).tolist():
        found = f"{quotable(str(texts[index[row]]))} is no code of {name}"
        faults.add("unknown category", found, f"use {', '.join(known)}", row=tidy.row(row), column=name)
    return places[index]


def _tell_repeats(
    rows: AreaRows, codes: Mapping[str, Sequence[str]], hierarchy: Hierarchy, column: str, faults: Faults
) -> None:
    """A fault for each row that is of the area and category of an earlier one."""
    place = rows.level * max(hierarchy.units) + rows.unit
    for name, known in codes.items():
        place = place * (len(known) + 2) + rows.category[name]
    _, first = np.unique(place, return_index=True)
    again = np.setdiff1d(np.arange(len(place)), first)
    for at in again.tolist():
        code = hierarchy.codes[rows.level[at]][rows.unit[at]]
        mend = "leave one row for each area" + (" and category" if codes else "")
        line = rows.tidy.row(int(rows.kept[at]))
        faults.add("twice", f"area '{code}' has this row twice", mend, row=line, column=column)


def _tell_missing(file: AreaFile, rows: AreaRows, hierarchy: Hierarchy, faults: Faults) -> None:
    """A fault for each area, of the levels that the file is for, that has no row."""
    named = file.level or tuple(hierarchy.levels[level] for level in np.unique(rows.level).tolist())
    for name in (one for one in hierarchy.levels if one in named):
        level = hierarchy.levels.index(name)
        there = np.zeros(hierarchy.units[level], bool)
        there[rows.unit[rows.level == level]] = True
        for code in hierarchy.codes[level][~there].tolist():
            mend = "give it a row, with a blank value where none is available, or set complete = false"
            faults.add("missing area", f"area '{code}' of level {name} has no row", mend, column=file.area)
