"""Nests and flat dimensions as a user names them, and the area tree that the nest's columns hold."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from common.faults import Faults
from geography.areas import Level, read_areas
from geography.nesting import code_column, find_parents, first_rows, tell_overlaps
from releases.counts.shaping import hierarchy_of
from releases.files.tidyfile import Tidy
from reports.longform import AREA_COLUMNS, VALUE_COLUMNS
from sdc.tables import TOTAL, Hierarchy

__all__ = ["check_columns", "parse_further_nests", "parse_nests", "places_of", "read_tree", "tree_of_columns"]


def parse_nests(nests: Sequence[str], faults: Faults) -> tuple[str, ...]:
    """The columns of the one nest that can be honoured, smallest first, from texts such as ``oa<lsoa<lad``.

    Empty, with a fault, where there is none, where one cannot be read, or where there are several.
    """
    if not nests:
        faults.add("option", "no nest of areas is named", "give --nest with its columns, smallest first", key="--nest")
        return ()
    if len(nests) > 1:
        found = f"{len(nests)} nests: two hierarchies at once are no network and are not honoured yet"
        faults.add("relation", found, "give one --nest, and publish by the other apart", key="--nest")
        return ()
    return _columns_of(nests[0], faults)


def parse_further_nests(nests: Sequence[str], faults: Faults) -> tuple[tuple[str, ...], ...]:
    """The columns of nests beside that of the areas, smallest first, each of two levels at least."""
    further = []
    for text in nests:
        columns = _columns_of(text, faults)
        if len(columns) == 1:
            mend = "name it under --by, or give the levels above it"
            faults.add("option", f"the nest '{columns[0]}' has one level", mend, key="--nest")
        further.append(columns)
    return tuple(further)


def _columns_of(text: str, faults: Faults) -> tuple[str, ...]:
    columns = tuple(part.strip() for part in text.split("<"))
    if not all(columns):
        faults.add("option", "a nest has a level without a name", 'write it as "oa<lsoa<lad"', key="--nest")
        return ()
    return columns


def check_columns(nest: Sequence[str], by: Sequence[str], figure: str, faults: Faults) -> None:
    """Note a fault for each column that has two uses, and for each dimension named as a column of the safe table."""
    uses = [("--nest", name) for name in nest] + [("--by", name) for name in by] + [("--count", figure)]
    names = [name for _, name in uses]
    for name in dict.fromkeys(name for name in names if names.count(name) > 1):
        options = dict.fromkeys(option for option, used in uses if used == name)
        found = f"column '{name}' is named {names.count(name)} times ({', '.join(options)})"
        faults.add("option", found, "give every column one use", key=next(iter(options)))
    for name in by:
        if not name:
            faults.add("option", "a dimension without a name", "write --by as benefit,sex", key="--by")
        elif name in (*AREA_COLUMNS, *VALUE_COLUMNS):
            found = f"a dimension called '{name}', which is a column of every safe table"
            faults.add("option", found, "give the dimension another name", key="--by")


def read_tree(path: Path, nest: Sequence[str]) -> Hierarchy:
    """The areas of a lookup with one row per smallest area and the nest's columns.

    Raises
    ------
    InputError
        See `geography.areas.read_areas`; or an area is called Total.
    """
    hierarchy = hierarchy_of(read_areas(path, [Level(name, name) for name in nest]))
    faults = Faults(str(path))
    for column, codes in zip(nest, hierarchy.codes, strict=True):
        if TOTAL in codes:
            _tell_total(column, faults)
    faults.raise_if_any()
    return hierarchy


def tree_of_columns(tidy: Tidy, nest: Sequence[str], faults: Faults) -> Hierarchy | None:
    """The area tree that a table's own nest columns hold; None, with faults, where they hold none."""
    before = len(faults.found)
    coded = [code_column(tidy.text, column, faults) for column in nest]
    for column in coded:
        if TOTAL in column.codes:
            row = tidy.row(first_rows(column.index, len(column.codes))[np.searchsorted(column.codes, TOTAL)])
            _tell_total(column.column, faults, row)
    if all(len(column.codes) for column in coded):
        tell_overlaps(tidy.text, nest, coded, faults)
    parents = [find_parents(tidy.text, child, parent, faults) for child, parent in pairwise(coded)]
    if len(faults.found) > before:
        return None
    return Hierarchy(levels=tuple(nest), codes=tuple(column.codes for column in coded), parents=tuple(parents))


def _tell_total(column: str, faults: Faults, row: int | None = None) -> None:
    mend = f"leave rows of margins out: '{TOTAL}' is worked out here"
    faults.add("margin", f"'{TOTAL}' as an area", mend, row=row, column=column)


def places_of(values: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Where each value stands among sorted codes, int64; -1 where it does not."""
    at = np.minimum(np.searchsorted(codes, values), len(codes) - 1)
    return np.where(codes[at] == values, at, -1)
