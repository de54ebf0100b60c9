"""A table of counts going in: tidy CSV or Parquet, one row per combination, into a true table.

Which cells the table has depends on the lists of areas and of categories alone,
never on who happens to be counted: a combination without a row is a zero.
Without lists the user must say that the file itself names everything.

No message repeats a count.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from common.faults import Faults, InputError
from geography.nesting import encode_text, first_rows
from releases.counts.categories import cross_categories, own_categories, read_categories, tell_wrong_categories
from releases.counts.nests import check_columns, places_of, read_tree, tree_of_columns
from releases.files.tidyfile import Tidy, quotable, read_tidy
from releases.files.wholenumbers import LARGEST, read_whole_numbers
from sdc.tables import Classification, Hierarchy, Table

__all__ = ["Counted", "CountsSpec", "read_counts", "read_truth"]

KEY_COLUMN = "ckey"
MOST_CELLS = 1 << 27


@dataclass(frozen=True, kw_only=True)
class CountsSpec:
    """How a table of counts is to be read.

    Attributes
    ----------
    path : the file.
    nest : columns that hold the area tree, smallest first.
    by : columns of flat dimensions; several are flattened to their finest crossing.
    further : columns of further nests, smallest first, which the file holds itself;
        the smallest of each is a dimension behind those of `by`.
    count : the column of counts.
    areas, categories : files that list all areas and all categories there are.
    complete : True where the file itself names everything that neither list does.
    record_keys : whether to read sums of record keys from the column ``ckey``, if there is one.
    """

    path: Path
    nest: tuple[str, ...]
    by: tuple[str, ...] = ()
    further: tuple[tuple[str, ...], ...] = ()
    count: str = "count"
    areas: Path | None = None
    categories: Path | None = None
    complete: bool = False
    record_keys: bool = False

    @property
    def dimensions(self) -> tuple[str, ...]:
        """Columns of all dimensions: the flat ones, then the smallest of each further nest."""
        return (*self.by, *(nest[0] for nest in self.further))


@dataclass(frozen=True, kw_only=True, eq=False)
class Counted:
    """The true table, and what a user should know of how it was read.

    `keys` int64 of shape (smallest areas, categories), or (smallest areas, 1) for
    totals alone: sums of record keys; None where none were asked for or given.
    `nests` are the trees of the further nests.
    """

    table: Table
    notices: tuple[str, ...]
    keys: np.ndarray | None = None
    nests: tuple[Hierarchy, ...] = ()


def read_counts(spec: CountsSpec) -> Counted:
    """Read a table of counts.

    Raises
    ------
    InputError
        Lists are missing and nobody says that the file is complete; a file
        cannot be read; a count is no whole number of at least 0, or too large; a
        category or area is blank, ``Total``, or in no list; the tree does not
        nest or the rows disagree with it; rows repeat.  All faults are told at once.
    """
    faults = Faults(str(spec.path))
    check_columns(spec.nest, _uses(spec), spec.count, faults)
    _check_lists(spec, faults)
    faults.raise_if_any()
    tree, listed, notices = _read_lists(spec, faults)
    try:
        tidy = _read_file(
            spec.path, spec.nest, _uses(spec), spec.count, own_tree=spec.areas is None, keys=spec.record_keys
        )
    except InputError as error:
        faults.extend(error)
        raise InputError(faults.found) from None
    if spec.areas is None:
        tree = tree_of_columns(tidy, spec.nest, faults)
    counts = read_whole_numbers(tidy, spec.count, faults)
    keys = _read_keys(tidy, counts, faults) if spec.record_keys and KEY_COLUMN in tidy else None
    dimensions = {name: listed.get(name) or own_categories(tidy, name) for name in spec.dimensions}
    nests = [tree_of_columns(tidy, nest, faults) for nest in spec.further]
    for nest, found in zip(spec.further, nests, strict=True):
        _tell_without_parent(nest, found, dimensions[nest[0]], faults)
    index = _dimension_index(tidy, dimensions, faults)
    units = None if tree is None else _area_index(tidy, tree, spec.nest, faults)
    if tree is None or units is None:
        raise InputError(faults.found)
    _refuse_size(tree, dimensions, faults)
    faults.raise_if_any()
    classification = cross_categories(dimensions)
    place = _places(units, index, dimensions)
    _tell_repeats(tidy, place, faults)
    _refuse_sum(counts, faults)
    faults.raise_if_any()
    notices += tidy.notices + _told_of_columns(tidy)
    return Counted(
        table=_tabulated(tree, classification, place, counts),
        notices=notices,
        keys=None if keys is None else _by_cell(tree, classification, place, keys),
        nests=tuple(found for found in nests if found is not None),
    )


def read_truth(
    path: Path, *, hierarchy: Hierarchy, nest: Sequence[str], dimensions: Mapping[str, Sequence[str]], count: str
) -> tuple[Table, tuple[str, ...]]:
    """True counts over a given tree and given categories, summed over whatever other dimensions the file has.

    Raises
    ------
    InputError
        As `read_counts`, but for rows that repeat in the dimensions asked for.
    """
    faults = Faults(str(path))
    tidy = _read_file(path, nest, tuple(dimensions), count, own_tree=False)
    counts = read_whole_numbers(tidy, count, faults)
    index = _dimension_index(tidy, dimensions, faults)
    units = _area_index(tidy, hierarchy, nest, faults)
    _refuse_sum(counts, faults)
    faults.raise_if_any()
    place = _places(units, index, dimensions)
    return _tabulated(hierarchy, cross_categories(dimensions), place, counts), tidy.notices


# --- What is asked, and the lists -----------------------------------------------------------------


def _uses(spec: CountsSpec) -> tuple[str, ...]:
    """All columns that a table is by beside its areas, whether they are published by themselves or are levels of a nest."""
    return (*spec.by, *(column for nest in spec.further for column in nest))


def _tell_without_parent(nest: Sequence[str], tree: Hierarchy | None, codes: Sequence[str], faults: Faults) -> None:
    """Note a fault for listed codes of a further nest that no row gives a place in it."""
    missing = [] if tree is None else sorted(set(codes) - set(tree.codes[0].tolist()))
    for code in missing:
        found = f"{quotable(code)} is in the list, and no row says which {nest[1]} it lies in"
        faults.add("no place", found, "add a row for it, with a count of 0 where nobody is counted", column=nest[0])


def _check_lists(spec: CountsSpec, faults: Faults) -> None:
    if spec.complete:
        return
    if spec.areas is None:
        found = "which areas there are is said nowhere, and rows must not depend on who is counted"
        faults.add("no list", found, "give --areas FILE, or --complete if COUNTS names every area", key="--areas")
    if spec.dimensions and spec.categories is None:
        found = "which categories there are is said nowhere, and rows must not depend on who is counted"
        mend = "give --categories FILE, or --complete if COUNTS names every category"
        faults.add("no list", found, mend, key="--categories")


def _read_lists(
    spec: CountsSpec, faults: Faults
) -> tuple[Hierarchy | None, dict[str, tuple[str, ...]], tuple[str, ...]]:
    tree: Hierarchy | None = None
    listed: dict[str, tuple[str, ...]] = {}
    notices: tuple[str, ...] = ()
    try:
        tree = None if spec.areas is None else read_tree(spec.areas, spec.nest)
    except InputError as error:
        faults.extend(error)
    try:
        if spec.categories is not None:
            listed, notices = read_categories(spec.categories, spec.dimensions)
            if not spec.complete:
                _tell_unlisted(spec, listed, faults)
    except InputError as error:
        faults.extend(error)
    return tree, listed, notices


def _tell_unlisted(spec: CountsSpec, listed: Mapping[str, Sequence[str]], faults: Faults) -> None:
    for name in spec.dimensions:
        if name not in listed:
            mend = "add its categories, or give --complete if COUNTS names every one"
            faults.add("no list", f"lists no category of '{name}'", mend, file=str(spec.categories))


# --- Rows to cells --------------------------------------------------------------------------------


def _read_file(
    path: Path, nest: Sequence[str], by: Sequence[str], count: str, *, own_tree: bool, keys: bool = False
) -> Tidy:
    above = list(nest[1:])
    needed = [nest[0], *(above if own_tree else ()), *by, count]
    wanted = [*above, *([KEY_COLUMN] if keys else [])]
    return read_tidy(path, needed=needed, wanted=wanted, whole=(count, KEY_COLUMN))


def _read_keys(tidy: Tidy, counts: np.ndarray, faults: Faults) -> np.ndarray:
    """Sums of record keys, int64 of shape (rows,), with a fault for each row where nobody is counted but has a key."""
    keys = read_whole_numbers(tidy, KEY_COLUMN, faults)
    for at in np.flatnonzero((counts == 0) & (keys > 0)):
        found = "a sum of record keys beside a count of 0"
        faults.add("key of nobody", found, "give 0 where nobody is counted", row=tidy.row(at), column=KEY_COLUMN)
    return keys


def _dimension_index(tidy: Tidy, dimensions: Mapping[str, Sequence[str]], faults: Faults) -> dict[str, np.ndarray]:
    """Per dimension, where each row's category stands in the sorted list, int64; -1, with faults, where it does not."""
    places: dict[str, np.ndarray] = {}
    for name, codes in dimensions.items():
        values, index = encode_text(tidy.text.columns[name])
        possible = tell_wrong_categories(tidy, name, values, index, faults)
        at = places_of(values, np.array(sorted(codes) or ["Total"]))
        _tell_strangers(tidy, name, (values, index), possible & (at < 0), "a category", faults)
        places[name] = at[index]
    return places


def _area_index(tidy: Tidy, tree: Hierarchy, nest: Sequence[str], faults: Faults) -> np.ndarray:
    """Where each row's smallest area stands in the tree, int64; -1, with a fault, where it does not.

    Larger areas that the rows name must be those of the tree.
    """
    values, index = encode_text(tidy.text.columns[nest[0]])
    at = places_of(values, tree.codes[0])
    blank = np.char.strip(values) == ""
    for row in np.flatnonzero(blank[index]):
        faults.add("blank code", "no code", "give every row its area", row=tidy.row(row), column=nest[0])
    _tell_strangers(tidy, nest[0], (values, index), ~blank & (at < 0), "an area", faults)
    units: np.ndarray = at[index]
    for level, column in _larger_levels(tree, nest):
        if column in tidy:
            _tell_disagreement(tidy, tree, level, column, units, faults)
    return units


def _larger_levels(tree: Hierarchy, nest: Sequence[str]) -> list[tuple[int, str]]:
    """Levels above the smallest with their columns: in order where nest and tree are as deep, else by name."""
    if len(nest) == len(tree.levels):
        return list(enumerate(nest))[1:]
    return [(tree.levels.index(column), column) for column in nest[1:] if column in tree.levels[1:]]


def _tell_disagreement(tidy: Tidy, tree: Hierarchy, level: int, column: str, units: np.ndarray, faults: Faults) -> None:
    """Note a fault for each smallest area and larger area that stand together in rows but not in the tree."""
    values, index = encode_text(tidy.text.columns[column])
    named = places_of(values, tree.codes[level])[index]
    wrong = np.flatnonzero((units >= 0) & (named != tree.ancestors(0, level)[units]))
    _, first = np.unique(units[wrong] * np.int64(len(values)) + index[wrong], return_index=True)
    for at in wrong[np.sort(first)]:
        code, said = tree.codes[0][units[at]], quotable(str(values[index[at]]))
        right = tree.codes[level][tree.ancestors(0, level)[units[at]]]
        found = f"{code} lies in {right} by the list of areas, the row says {said}"
        faults.add("disagreement", found, "correct the row or the list", row=tidy.row(at), column=column)


def _tell_strangers(
    tidy: Tidy, column: str, coded: tuple[np.ndarray, np.ndarray], strange: np.ndarray, what: str, faults: Faults
) -> None:
    """Note a fault for each value that is in no list, at the first row where it stands."""
    values, index = coded
    wrong = np.flatnonzero(strange)
    if not len(wrong):
        return
    first, times = first_rows(index, len(values)), np.bincount(index, minlength=len(values))
    for value in wrong[np.argsort(first[wrong], kind="stable")]:
        often = f" (in {times[value]} rows)" if times[value] > 1 else ""
        found = f"{quotable(str(values[value]))} is {what} that is in no list{often}"
        row = tidy.row(first[value])
        faults.add("not in the list", found, "correct the row or add to the list", row=row, column=column)


def _refuse_size(tree: Hierarchy, dimensions: Mapping[str, Sequence[str]], faults: Faults) -> None:
    columns = 1 + int(np.prod([float(len(codes)) for codes in dimensions.values()]))
    if columns * sum(tree.units) > MOST_CELLS:
        found = f"{sum(tree.units):,} areas × {columns:,} categories are more cells than can be held"
        faults.add("size", found, "name fewer dimensions, or coarser ones", key="--by")


def _places(units: np.ndarray, index: Mapping[str, np.ndarray], dimensions: Mapping[str, Sequence[str]]) -> np.ndarray:
    """For each row its cell among smallest areas × crossed categories, int64."""
    place = units.astype(np.int64)
    for name, codes in dimensions.items():
        place = place * len(codes) + index[name]
    return place


def _tell_repeats(tidy: Tidy, place: np.ndarray, faults: Faults) -> None:
    """Note a fault for each row that has the combination of a row before."""
    order = np.argsort(place, kind="stable")
    again = np.concatenate([[False], place[order][1:] == place[order][:-1]])
    if not again.any():
        return
    starts = np.maximum.accumulate(np.where(again, 0, np.arange(len(order))))
    others = [quotable(name) for name in tidy.unnamed if name and name != KEY_COLUMN]
    mend = "give every combination one row"
    if others:
        mend += f"; if {', '.join(others)} tell the rows apart, name them in --by or add up over them"
    for at in np.flatnonzero(again)[np.argsort(order[again], kind="stable")]:
        first = tidy.row(order[starts[at]])
        faults.add("repeated row", f"the same combination as row {first}", mend, row=tidy.row(order[at]))


def _refuse_sum(counts: np.ndarray, faults: Faults) -> None:
    if counts.sum(dtype=np.float64) > LARGEST:
        faults.add("huge count", f"the counts add up to more than {LARGEST:,}", "give counts of people or claims")


def _tabulated(tree: Hierarchy, classification: Classification, place: np.ndarray, counts: np.ndarray) -> Table:
    finest = _by_cell(tree, classification, place, counts)
    return Table.from_finest(hierarchy=tree, classification=classification, finest=finest)


def _by_cell(tree: Hierarchy, classification: Classification, place: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """Sums of the rows' numbers by finest cell, int64 of shape (smallest areas, categories or 1)."""
    columns = max(len(classification), 1)
    finest = np.zeros(tree.units[0] * columns, np.int64)
    np.add.at(finest, place, numbers)
    return finest.reshape(tree.units[0], columns)


def _told_of_columns(tidy: Tidy) -> tuple[str, ...]:
    file = tidy.text.path.name
    notices = []
    others = [quotable(name) if name else "one without a name" for name in tidy.unnamed if name != KEY_COLUMN]
    if others:
        notices.append(f"{file}: columns that no option names were ignored: {', '.join(others)}")
    if KEY_COLUMN in tidy.unnamed:
        notices.append(f"{file}: column '{KEY_COLUMN}' was ignored: sums of record keys serve cell-key alone")
    return tuple(notices)
