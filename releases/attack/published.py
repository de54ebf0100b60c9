"""Published tables read back, ours or anybody's, into safe tables over an area tree.

A published table is tidy, one row per published cell.  Its area stands in the
column `area` (any level; `area_level` beside it where there is one) or in the
nest's columns, the smallest that is filled.  Its value stands in `value`, else
in the column of counts, with markers among the values or in `marker`.

A row whose area is not in the tree is left out and counted in a notice; a cell
of the tree without a row is *not published*: 0 to no bound, never zero.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from common.faults import Faults
from geography.nesting import encode_text, first_rows
from releases.attack.knownbounds import known_bounds
from releases.attack.publishedmarkers import Shown, read_shown
from releases.attack.rowchoices import choose_rows
from releases.attack.said import Said
from releases.counts.categories import cross_categories, own_categories
from releases.counts.nests import places_of
from releases.files.tidyfile import Tidy, quotable, read_header, read_tidy
from reports.longform import AREA_COLUMNS
from sdc.attack.intervals import NO_BOUND, Intervals
from sdc.tables import NOT_PUBLISHED, Classification, Hierarchy, Method, SafeTable

__all__ = [
    "Opened",
    "Published",
    "area_units",
    "file_notices",
    "lay_out",
    "open_published",
    "tell_empty_lists",
    "tell_no_area",
    "tell_outside",
    "tell_repeats",
    "tell_two_meanings",
]

MOST_READINGS = 8


@dataclass(frozen=True, kw_only=True, eq=False)
class Opened:
    """A published file that has been read but not yet laid over a tree.

    `categories` are those that the file itself names, per dimension, margins left out.
    """

    said: Said
    tidy: Tidy
    level: str | None
    areas: tuple[str, ...]
    value: str
    marker: str | None
    categories: dict[str, tuple[str, ...]]


@dataclass(frozen=True, kw_only=True, eq=False)
class Published:
    """A published table as an attack takes it.

    `known` are bounds from markers that stand for a range, from ``bounds`` and
    from ``caps``; None where there are none.
    """

    said: Said
    safe: SafeTable
    known: Intervals | None
    notices: tuple[str, ...]


def open_published(said: Said) -> Opened:
    """Read the columns of a published file.

    Raises
    ------
    InputError
        The file cannot be read, or has no column for areas, a dimension or the value.
    """
    header, columns = read_header(said.path, sheet=said.known.sheet), said.known.columns
    told = said.told
    nests = {} if told is None else told.nests
    level = columns.level or (told.level_column if told else AREA_COLUMNS[0])
    area = columns.area or (told.area_column if told else AREA_COLUMNS[1])
    nest = tuple(name for name in said.nest if name in header)
    areas = (area,) if area in header or columns.area or not nest else nest
    value = columns.value or ("value" if "value" in header or said.count not in header else said.count)
    marker = columns.marker or "marker"
    needed = [*areas, *said.by, *(one.level_column for one in nests.values()), value]
    needed += [name for name in (columns.level, columns.marker) if name]
    needed += said.known.where
    tidy = read_tidy(
        said.path,
        needed=needed,
        wanted=[level, marker, *nest],
        whole=(value,),
        fractions=(value,),
        sheet=said.known.sheet,
    )
    tidy = choose_rows(tidy, said.known.where)
    said, tidy = _renamed(said, tidy)
    return Opened(
        said=said,
        tidy=tidy,
        level=level if level in tidy and areas == (area,) else None,
        areas=areas,
        value=value,
        marker=marker if marker in tidy else None,
        categories={name: own_categories(tidy, name, said.total) for name in said.by if name not in nests},
    )


def _renamed(said: Said, tidy: Tidy) -> tuple[Said, Tidy]:
    """The dimensions under the names that they have in other files."""
    names = said.known.dimensions
    strange = [name for name in names if name not in said.by or said.told is not None]
    by = tuple(names.get(name, name) for name in said.by)
    faults = Faults(str(said.path))
    for name in strange:
        mend = "name a column of by" if said.told is None else "leave it out: its metadata name its dimensions"
        faults.add("dimension", f"'{name}' is no dimension that can be called otherwise", mend, key="file.dimensions")
    taken = [name for name in by if by.count(name) > 1 or (name not in said.by and name in tidy)]
    for name in dict.fromkeys(taken):
        mend = "call every dimension by a name of its own"
        faults.add("dimension", f"'{name}' is the name of another column", mend, key="file.dimensions")
    faults.raise_if_any()
    columns = {names.get(name, name): texts for name, texts in tidy.text.columns.items()}
    return replace(said, by=by), replace(tidy, text=replace(tidy.text, columns=columns))


def lay_out(
    opened: Opened,
    hierarchy: Hierarchy,
    listed: Mapping[str, Sequence[str]],
    method: Method,
    *,
    strict: bool = False,
) -> Published:
    """Lay a published file over an area tree and the categories there are.

    Rows of areas that are not in the tree are left out with a notice, or, if `strict`, faults.

    Raises
    ------
    InputError
        No area is in the tree; a category is not listed; margins of single
        dimensions are told; a cell has two rows; a value is neither a whole
        number of at least 0 nor a known marker; a bound or cap cannot be used.
        All faults are told at once.
    """
    said, tidy = opened.said, opened.tidy
    faults = Faults(str(said.path))
    if said.told is not None and not said.told.is_network:
        mend = "attack it with protect --attack, or as one of the files of attack"
        faults.add("relation", "has several margins or nests, which cannot be honoured here", mend)
    tell_empty_lists(said, listed, faults)
    tell_two_meanings(said, hierarchy, faults)
    faults.raise_if_any()
    classification = said.told.classification if said.told else cross_categories({n: listed[n] for n in said.by})
    unit = area_units(opened, hierarchy, faults)
    column = _columns(tidy, classification, said.total, faults)
    low_is_zero = said.told is not None or method.name != "exact"
    shown = read_shown(tidy, opened.value, opened.marker, said.known.markers, faults, low_is_zero=low_is_zero)
    width = len(classification) + 1
    inside = unit >= 0
    tell_no_area(inside, faults)
    if strict:
        tell_outside(opened, inside, faults)
    place = np.where(inside & (column >= 0), unit * width + column, -1)
    tell_repeats(tidy, place, faults)
    faults.raise_if_any()
    notices = file_notices(opened, int((~inside).sum()), shown.readings)
    safe, ranges = _filled(hierarchy, classification, method, place, shown)
    known = known_bounds(said, safe, faults)
    faults.raise_if_any()
    if ranges is not None:
        known = ranges if known is None else known.intersected(ranges)
    return Published(said=said, safe=safe, known=known, notices=notices)


# --- Areas ----------------------------------------------------------------------------------------


def area_units(opened: Opened, hierarchy: Hierarchy, faults: Faults) -> np.ndarray:
    """For each row its area's number over all levels, smallest level first, int64; -1 where the tree has it not."""
    tidy = opened.tidy
    codes, index = encode_text(_area_column(opened))
    at = np.array([places_of(codes, level) for level in hierarchy.codes])
    starts = np.concatenate([[0], np.cumsum(hierarchy.units)])[:-1]
    if opened.level is not None:
        names, named = encode_text(tidy.text.columns[opened.level])
        levels = np.array([_level(name, hierarchy) for name in names.tolist()])
        if (levels >= 0).any():
            of_row = levels[named]
            unit = at[np.maximum(of_row, 0), index]
            located: np.ndarray = np.where((of_row >= 0) & (unit >= 0), unit + starts[np.maximum(of_row, 0)], -1)
            return located
    many = (at >= 0).sum(axis=0) > 1
    first = first_rows(index, len(codes))
    for code in np.flatnonzero(many):
        found = f"{quotable(str(codes[code]))} stands on two levels of the tree"
        faults.add("two levels", found, f"add a column {AREA_COLUMNS[0]}", row=tidy.row(first[code]))
    level = (at >= 0).argmax(axis=0)
    unit = at[level, np.arange(len(codes))]
    found_at: np.ndarray = np.where(unit >= 0, unit + starts[level], -1)[index]
    return found_at


def _level(name: str, hierarchy: Hierarchy) -> int:
    return hierarchy.levels.index(name) if name in hierarchy.levels else -1


def _area_column(opened: Opened) -> pa.ChunkedArray:
    """The area of each row: the smallest of the columns that is filled and no margin."""
    columns = [opened.tidy.text.columns[name] for name in opened.areas]
    area = columns[-1]
    for column in reversed(columns[:-1]):
        margin = pc.is_in(pc.utf8_trim_whitespace(column), value_set=pa.array(["", opened.said.total]))
        area = pc.if_else(margin, area, column)
    return area


# --- Categories -----------------------------------------------------------------------------------


def _columns(tidy: Tidy, classification: Classification, total: str, faults: Faults) -> np.ndarray:
    """For each row the table's column that its categories name, int64; -1, with a fault, where they name none."""
    rows = np.zeros(tidy.height, np.int64)
    wanted = np.zeros(len(classification) + 1, np.int64)
    margins = np.zeros(tidy.height, np.int64)
    bad = np.zeros(tidy.height, bool)
    for at, name in enumerate(classification.dimensions):
        codes = np.array(sorted({category[at] for category in classification.categories}))
        values, index = encode_text(tidy.text.columns[name])
        margin = values == total
        place = np.where(margin, len(codes), places_of(values, codes))
        first, strange = first_rows(index, len(values)), np.flatnonzero(place < 0)
        for value in strange:
            found = f"{quotable(str(values[value]))} is a category that is in no list"
            faults.add("not in the list", found, "correct the row or the list", row=tidy.row(first[value]), column=name)
        bad |= (place < 0)[index]
        margins += margin[index]
        rows = rows * (len(codes) + 1) + np.maximum(place, 0)[index]
        own = [codes.searchsorted(category[at]) for category in classification.categories]
        wanted = wanted * (len(codes) + 1) + np.array([*own, len(codes)])
    _tell_margins(tidy, (margins > 0) & (margins < len(classification.dimensions)), faults)
    order = np.argsort(wanted)
    spot = np.minimum(np.searchsorted(wanted[order], rows), len(wanted) - 1)
    found_at: np.ndarray = np.where(wanted[order][spot] == rows, order[spot], -1)
    missing = (found_at < 0) & ~bad & ~((margins > 0) & (margins < len(classification.dimensions)))
    for row in np.flatnonzero(missing):
        faults.add("not in the list", "a combination of categories that is in no list", "correct it", row=tidy.row(row))
    return found_at


def _tell_margins(tidy: Tidy, wrong: np.ndarray, faults: Faults) -> None:
    rows = np.flatnonzero(wrong)
    if len(rows):
        found = f"margins of single dimensions (in {len(rows)} rows): several margins at once are not honoured yet"
        mend = "attack the finest cells with their grand total, and each margin, as files of their own"
        faults.add("relation", found, mend, row=tidy.row(rows[0]))


# --- Cells ----------------------------------------------------------------------------------------


def tell_repeats(tidy: Tidy, place: np.ndarray, faults: Faults) -> None:
    """Note a fault for each row whose cell (int64, -1 for none) has a row already."""
    order = np.argsort(place, kind="stable")
    order = order[place[order] >= 0]
    again = np.flatnonzero(place[order][1:] == place[order][:-1]) + 1
    others = [quotable(name) for name in tidy.unnamed if name]
    mend = "give every cell one row" + (f"; name {', '.join(others)} in --by if it tells rows apart" if others else "")
    for at in again:
        row, before = sorted((tidy.row(order[at]), tidy.row(order[at - 1])))[::-1]
        faults.add("repeated row", f"the same cell as row {before}", mend, row=row)


def _filled(
    hierarchy: Hierarchy, classification: Classification, method: Method, place: np.ndarray, shown: Shown
) -> tuple[SafeTable, Intervals | None]:
    """The safe table, and the bounds of markers that stand for a range."""
    shapes = [(units, len(classification) + 1) for units in hierarchy.units]
    size = sum(units * width for units, width in shapes)
    kept = place >= 0
    values, lo, hi = (np.zeros(size, np.int64), np.zeros(size, np.int64), np.full(size, NO_BOUND, np.int64))
    markers = np.full(size, NOT_PUBLISHED, np.int8)
    for array, given in ((values, shown.values), (lo, shown.lo), (hi, shown.hi), (markers, shown.markers)):
        array[place[kept]] = given[kept]
    safe = SafeTable(
        hierarchy=hierarchy,
        classification=classification,
        values=_split(values, shapes),
        markers=_split(markers, shapes),
        method=method,
    )
    if not (lo > 0).any() and (hi == NO_BOUND).all():
        return safe, None
    return safe, Intervals(lo=_split(lo, shapes), hi=_split(hi, shapes))


def _split(flat: np.ndarray, shapes: Sequence[tuple[int, int]]) -> tuple[np.ndarray, ...]:
    ends = np.cumsum([units * width for units, width in shapes])
    return tuple(part.reshape(shape) for part, shape in zip(np.split(flat, ends[:-1]), shapes, strict=True))


def file_notices(opened: Opened, outside: int, readings: Sequence[str]) -> tuple[str, ...]:
    """What a user should know of how a file was read: rows left out, markers that nobody explained, columns ignored."""
    file, notices = opened.said.path.name, []
    if outside:
        notices.append(f"{file}: {outside:,} rows of areas that are not in the area tree were left out")
    if readings:
        more = f"; and {len(readings) - MOST_READINGS} more" if len(readings) > MOST_READINGS else ""
        notices.append(f"{file}: {'; '.join(readings[:MOST_READINGS])}{more}")
    others = [quotable(name) for name in opened.tidy.unnamed if name]
    if others:
        notices.append(f"{file}: columns that nothing names were ignored: {', '.join(others)}")
    return (*opened.said.notices, *opened.tidy.notices, *notices)


def tell_empty_lists(said: Said, listed: Mapping[str, Sequence[str]], faults: Faults) -> None:
    """Note a fault for each dimension without a category."""
    for name in () if said.told else said.by:
        if not listed.get(name):
            faults.add("no category", "holds no category", "give its rows, or leave it out of --by", column=name)


def tell_two_meanings(said: Said, hierarchy: Hierarchy, faults: Faults) -> None:
    """Note a fault for each dimension that has the name of a level of areas."""
    for name in (name for name in said.by if name in hierarchy.levels):
        mend = "give the level another name in --nest and the list of areas, or leave the dimension out"
        faults.add("two meanings", f"'{name}' is a level of areas and a dimension", mend, column=name)


def tell_outside(opened: Opened, inside: np.ndarray, faults: Faults) -> None:
    """Note a fault for each row whose area is not in the tree, where some are."""
    mend = "leave out what does not concern these tables, or correct the code"
    for row in np.flatnonzero(~inside) if inside.any() else ():
        faults.add("unknown area", "an area that none of these tables has", mend, row=opened.tidy.row(row))


def tell_no_area(inside: np.ndarray, faults: Faults) -> None:
    """Note a fault where no row is of an area in the tree."""
    if not inside.any():
        mend = "give --areas and --nest with the areas that it is about"
        faults.add("no area", "none of its areas is in the area tree", mend)
