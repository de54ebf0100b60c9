"""Areas of a country or a council, held as nested levels, and read from a lookup in its own column names."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from common.faults import Faults
from geography.nesting import CodedColumn, code_column, find_parents, tell_names, tell_overlaps
from geography.textcolumns import TextColumns, read_text_columns

__all__ = ["Areas", "Level", "read_areas"]


@dataclass(frozen=True)
class Level:
    """One level of areas in a lookup: what we call it, and the columns of its codes and (where there are any) names."""

    name: str
    code: str
    label: str = ""

    def __post_init__(self) -> None:
        if not self.name or not self.code:
            raise ValueError(f"level ({self.name!r}, {self.code!r}) must have a name and a column of codes")


@dataclass(frozen=True, kw_only=True, eq=False)
class Areas:
    """Nested areas, smallest level first.

    Attributes
    ----------
    levels : names of the levels, such as ``("oa", "lsoa", "lad")``.
    codes : per level, text of shape (areas of the level,), sorted by code point, unique, none blank.
    names : per level, text of the same shape, ``""`` where an area has no name.
    parents : per level but the last, int32 of shape (areas of the level,):
        where each area's parent stands in the level above.

    Raises
    ------
    ValueError
        The arrays do not fit together so.
    """

    levels: tuple[str, ...]
    codes: tuple[np.ndarray, ...]
    names: tuple[np.ndarray, ...]
    parents: tuple[np.ndarray, ...]

    def __post_init__(self) -> None:
        depth = len(self.levels)
        if not depth or (len(self.codes), len(self.names), len(self.parents)) != (depth, depth, depth - 1):
            raise ValueError("areas need codes and names for each level and parents for each level but the last")
        for level, codes, names in zip(self.levels, self.codes, self.names, strict=True):
            if len(codes) == 0 or np.any(codes[:-1] >= codes[1:]) or names.shape != codes.shape:
                raise ValueError(f"level ({level}) must have codes, sorted and unique, and a name for each")
        for index, parents in enumerate(self.parents):
            above = len(self.codes[index + 1])
            fits = parents.dtype == np.int32 and parents.shape == self.codes[index].shape
            if not fits or not np.array_equal(np.unique(parents), np.arange(above)):
                raise ValueError(f"level ({self.levels[index]}) must have int32 parents, one per area, none childless")

    @property
    def sizes(self) -> tuple[int, ...]:
        """Number of areas per level."""
        return tuple(len(codes) for codes in self.codes)

    def ancestors(self, below: int, above: int) -> np.ndarray:
        """Where each area of level `below` lies in level `above`: int32 of shape (areas of `below`,)."""
        index = np.arange(len(self.codes[below]), dtype=np.int32)
        for level in range(below, above):
            index = self.parents[level][index]
        return index


def read_areas(path: Path, levels: Sequence[Level]) -> Areas:
    """Areas from a lookup with one row per smallest area, in CSV or Parquet.

    `levels` name the columns, smallest first; other columns are not read.
    Rows that repeat a smallest area are fine where they agree.

    Raises
    ------
    InputError
        The file cannot be read (see `read_text_columns`), a code is blank or
        has spaces around it, an area has two parents or two names, a code
        stands on two levels, or areas contain each other in a circle.  All
        such faults are told at once.
    """
    faults = Faults(str(path))
    _check_levels(levels, faults)
    faults.raise_if_any()
    text = read_text_columns(path, [column for level in levels for column in (level.code, level.label) if column])
    coded = [code_column(text, level.code, faults) for level in levels]
    tell_overlaps(text, [level.name for level in levels], coded, faults)
    parents = [find_parents(text, coded[index], coded[index + 1], faults) for index in range(len(levels) - 1)]
    names = [_names(text, level, column, faults) for level, column in zip(levels, coded, strict=True)]
    faults.raise_if_any()
    return Areas(
        levels=tuple(level.name for level in levels),
        codes=tuple(column.codes for column in coded),
        names=tuple(names),
        parents=tuple(parents),
    )


def _check_levels(levels: Sequence[Level], faults: Faults) -> None:
    if not levels:
        faults.add("no levels", "no level of areas is asked for", "name at least one level and its column")
    for what, values in (("name", [level.name for level in levels]), ("code", [level.code for level in levels])):
        for value in dict.fromkeys(value for value in values if values.count(value) > 1):
            found = f"{values.count(value)} levels have the {what} '{value}'"
            faults.add("overlapping levels", found, f"give each level a {what} of its own")


def _names(text: TextColumns, level: Level, coded: CodedColumn, faults: Faults) -> np.ndarray:
    if not level.label:
        return np.full(len(coded.codes), "", dtype="<U1")
    names: pa.ChunkedArray = text.columns[level.label]
    return tell_names(text, level.label, coded, names, faults)
