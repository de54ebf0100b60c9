"""Published tables with several margins or nests, laid over their axes: what `releases.attack.published` does for networks.

A row stands for one place on every axis: an area of any level, a category or the
total of each dimension, a unit of any level or the total of each further nest.
The margins that are told are those that some row stands for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from common.faults import Faults
from geography.nesting import encode_text, first_rows
from releases.attack.axisplaces import bounds_of_cells
from releases.attack.published import (
    Opened,
    area_units,
    file_notices,
    tell_empty_lists,
    tell_no_area,
    tell_outside,
    tell_repeats,
    tell_two_meanings,
)
from releases.attack.publishedmarkers import Shown, read_shown
from releases.attack.said import Said
from releases.counts.nests import places_of
from releases.files.tidyfile import quotable
from releases.rules.ptables import read_ptable
from sdc.attack.intervals import NO_BOUND, rounded_small_counts
from sdc.attack.noisebounds import noise_intervals, stated_noise
from sdc.attack.pieces import Piece
from sdc.attack.programmes import stated_bounds
from sdc.cube import Axis, flat_axis
from sdc.system import SafeCells
from sdc.tables import (
    NOT_PUBLISHED,
    SHOWN,
    SMALL_COUNTS,
    STRUCTURAL,
    TOTAL,
    Classification,
    Hierarchy,
    Method,
    SafeTable,
)

__all__ = ["RowPlaces", "has_margins", "lay_out_cells", "locate_rows", "table_axes"]

MOST_PLACES = 1 << 27

Bounds = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True, kw_only=True, eq=False)
class RowPlaces:
    """Where rows stand on axes: the flat place of each (int64, -1 for none), and the margins that rows stand for."""

    axes: tuple[Axis, ...]
    place: np.ndarray
    margins: tuple[frozenset[str], ...]
    outside: int

    @property
    def shape(self) -> tuple[int, ...]:
        """Places per axis."""
        return tuple(int(axis.starts[-1]) for axis in self.axes)


def has_margins(opened: Opened) -> bool:
    """Whether some row of a file stands for a margin of single dimensions."""
    if len(opened.said.by) < 2:
        return False
    number = np.zeros(opened.tidy.height, np.int64)
    for name in opened.said.by:
        values, index = encode_text(opened.tidy.text.columns[name])
        number += (values == opened.said.total)[index]
    return bool(((number > 0) & (number < len(opened.said.by))).any())


def table_axes(
    opened: Opened, hierarchy: Hierarchy, listed: Mapping[str, Sequence[str]], faults: Faults
) -> tuple[Axis, ...]:
    """The axes of a file: its areas, then its dimensions and further nests as their columns stand.

    A fault is noted where a dimension has no category, or the name of a level, or where there are too many places.
    """
    said = opened.said
    tell_empty_lists(said, listed, faults)
    nests = said.told.nests if said.told else {}
    tell_two_meanings(said, hierarchy, faults)
    for name in said.by:
        if TOTAL in listed.get(name, ()):
            faults.add("margin", f"'{TOTAL}' as a category", "leave it out of the list", column=name)
    others = [
        Axis(hierarchy=nests[name].hierarchy) if name in nests else flat_axis(name, listed.get(name) or ["?"])
        for name in said.by
    ]
    axes = (Axis(hierarchy=hierarchy, total=False), *others)
    places = float(np.prod([float(axis.starts[-1]) for axis in axes]))
    if places > MOST_PLACES:
        mend = "name fewer dimensions, or attack its levels or parts as files of their own"
        faults.add("size", f"{places:,.0f} areas × categories are more than can be held", mend)
    return axes


def locate_rows(opened: Opened, axes: Sequence[Axis], faults: Faults) -> RowPlaces:
    """Where the rows of a file stand; faults for categories that are in no list, and for cells with two rows."""
    tidy, said = opened.tidy, opened.said
    unit = area_units(opened, axes[0].hierarchy, faults)
    inside = unit >= 0
    tell_no_area(inside, faults)
    place = np.maximum(unit, 0)
    good = inside.copy()
    at_total = np.zeros((len(axes) - 1, tidy.height), np.bool_)
    for number, axis in enumerate(axes[1:]):
        on_axis = _nest_places(opened, axis, faults) if len(axis.hierarchy.levels) > 1 else _codes(opened, axis, faults)
        good &= on_axis >= 0
        at_total[number] = on_axis == axis.starts[-1] - 1
        place = place * axis.starts[-1] + np.maximum(on_axis, 0)
    place = np.where(good, place, -1)
    tell_repeats(tidy, place, faults)
    margins = {
        frozenset(axis.name for axis, total in zip(axes[1:], row, strict=True) if not total)
        for row in np.unique(at_total[:, good], axis=1).T.tolist()
    }
    if said.told is not None and said.told.margins is not None:
        margins |= set(said.told.margins)
    order = sorted(margins, key=lambda margin: (-len(margin), sorted(margin)))
    return RowPlaces(axes=tuple(axes), place=place, margins=tuple(order), outside=int((~inside).sum()))


def _codes(opened: Opened, axis: Axis, faults: Faults) -> np.ndarray:
    """For each row the place of its category on a flat axis, the total's being the last; -1, with a fault, for none."""
    tidy = opened.tidy
    values, index = encode_text(tidy.text.columns[axis.name])
    place = np.where(values == opened.said.total, axis.sizes[0], places_of(values, axis.hierarchy.codes[0]))
    _tell_strange(opened, axis.name, values, index, place < 0, faults)
    located: np.ndarray = place[index]
    return located


def _nest_places(opened: Opened, axis: Axis, faults: Faults) -> np.ndarray:
    """For each row the place of its unit on the axis of a nest, by level and code."""
    assert opened.said.told is not None
    nest, total = opened.said.told.nests[axis.name], opened.said.total
    columns = opened.tidy.text.columns
    levels, level_at = encode_text(columns[nest.level_column])
    codes, code_at = encode_text(columns[nest.column])
    place = np.full(opened.tidy.height, -1, np.int64)
    for level, (name, known) in enumerate(zip(axis.hierarchy.levels, axis.hierarchy.codes, strict=True)):
        at = places_of(codes, known)[code_at]
        here = (levels == name)[level_at] & (at >= 0)
        place[here] = at[here] + axis.starts[level]
    place[(levels == total)[level_at] & (codes == total)[code_at]] = axis.starts[-1] - 1
    for row in np.flatnonzero(place < 0):
        found = "a level and a code that do not stand in the nest together"
        faults.add("not in the list", found, "correct the row", row=opened.tidy.row(row), column=axis.name)
    return place


def _tell_strange(
    opened: Opened, column: str, values: np.ndarray, index: np.ndarray, strange: np.ndarray, faults: Faults
) -> None:
    first = first_rows(index, len(values))
    for value in np.flatnonzero(strange):
        found = f"{quotable(str(values[value]))} is a category that is in no list"
        row = opened.tidy.row(first[value])
        faults.add("not in the list", found, "correct the row or the list", row=row, column=column)


# --- Cells ----------------------------------------------------------------------------------------


def lay_out_cells(
    name: str,
    opened: Opened,
    hierarchy: Hierarchy,
    listed: Mapping[str, Sequence[str]],
    method: Method,
    measure: str,
    *,
    strict: bool = False,
) -> tuple[Piece, tuple[str, ...]]:
    """A file of counts as a piece, and what a user should know of how it was read.

    Raises
    ------
    InputError
        As `releases.attack.published.lay_out`; margins of single dimensions are welcome here.
    """
    said, tidy = opened.said, opened.tidy
    faults = Faults(str(said.path))
    axes = table_axes(opened, hierarchy, listed, faults)
    faults.raise_if_any()
    rows = locate_rows(opened, axes, faults)
    if strict:
        tell_outside(opened, area_units(opened, hierarchy, Faults()) >= 0, faults)
    low_is_zero = said.told is not None or method.name != "exact"
    shown = read_shown(tidy, opened.value, opened.marker, said.known.markers, faults, low_is_zero=low_is_zero)
    faults.raise_if_any()
    cells, ranges = _filled(rows, shown, method)
    lo, hi = _stated(said, rows, cells)
    told = bounds_of_cells(said, axes, faults)
    faults.raise_if_any()
    for more in (ranges, told):
        lo, hi = np.maximum(lo, more[0].ravel()), np.minimum(hi, more[1].ravel())
    if said.told is not None and said.told.classification.categories:
        _mark_absent(said, rows, cells, hi)
    arrays = [array.reshape(rows.shape) for array in (cells.values, cells.markers, lo, hi)]
    piece = Piece(
        name=name,
        measure=measure,
        axes=axes,
        margins=rows.margins,
        values=arrays[0],
        markers=arrays[1],
        lo=arrays[2],
        hi=arrays[3],
        method=method,
    )
    return piece, file_notices(opened, rows.outside, shown.readings)


def _filled(rows: RowPlaces, shown: Shown, method: Method) -> tuple[SafeCells, Bounds]:
    """What is published at every place, and the bounds of markers that stand for a range."""
    size = int(np.prod(rows.shape))
    kept = rows.place >= 0
    values, markers = np.zeros(size, np.int64), np.full(size, NOT_PUBLISHED, np.int8)
    lo, hi = np.zeros(size, np.int64), np.full(size, NO_BOUND, np.int64)
    for array, given in ((values, shown.values), (markers, shown.markers), (lo, shown.lo), (hi, shown.hi)):
        array[rows.place[kept]] = given[kept]
    return SafeCells(values=values, markers=markers, method=method), (lo, hi)


def _stated(said: Said, rows: RowPlaces, cells: SafeCells) -> Bounds:
    """What values and markers say by themselves, with what is known of noise and of which cells are finest."""
    lo, hi = stated_bounds(cells)
    if cells.method.name == SMALL_COUNTS:
        finest = np.zeros(rows.shape, np.bool_)
        finest[tuple(slice(axis.sizes[0]) for axis in rows.axes)] = True
        told = finest.ravel() & (cells.markers == SHOWN)
        lo[told], hi[told] = rounded_small_counts(cells.values[told], cells.method)
    if said.method != "cell-key" or (said.known.ptable is None and said.known.noise is None):
        return lo, hi
    safe = _as_table(cells)
    if said.known.ptable is not None:
        noisy = noise_intervals(safe, read_ptable(said.known.ptable))
    else:
        noisy = stated_noise(safe, bound=said.known.noise or 0, zeros_kept=said.known.zeros_kept)
    return np.maximum(lo, noisy.lo[0][:, 0]), np.minimum(hi, noisy.hi[0][:, 0])


def _as_table(cells: SafeCells) -> SafeTable:
    """Cells as a table of as many areas: noise takes each figure by itself."""
    number = len(cells.values)
    names = np.char.zfill(np.arange(number).astype(str), len(str(number)))
    return SafeTable(
        hierarchy=Hierarchy(levels=("cell",), codes=(names,), parents=()),
        classification=Classification(dimensions=(), categories=()),
        values=(cells.values[:, None],),
        markers=(cells.markers[:, None],),
        method=cells.method,
    )


def _mark_absent(said: Said, rows: RowPlaces, cells: SafeCells, hi: np.ndarray) -> None:
    """Mark combinations of flat categories that the metadata do not list as empty: nobody is in them."""
    assert said.told is not None
    flat = said.told.classification
    at = [number for number, axis in enumerate(rows.axes) if axis.name in flat.dimensions]
    listed = set(flat.categories)
    if len(listed) == int(np.prod([rows.axes[number].sizes[0] for number in at])):
        return
    absent = np.ones(tuple(rows.axes[number].sizes[0] for number in at), np.bool_)
    for category in listed:
        code = dict(zip(flat.dimensions, category, strict=True))
        absent[tuple(int(np.searchsorted(rows.axes[n].hierarchy.codes[0], code[rows.axes[n].name])) for n in at)] = (
            False
        )
    finest = np.zeros(rows.shape, np.bool_)
    inner = tuple(slice(axis.sizes[0]) if number in at else slice(None) for number, axis in enumerate(rows.axes))
    finest[inner] = np.expand_dims(absent, tuple(n for n in range(len(rows.axes)) if n not in at))
    gone = finest.ravel() & (cells.markers == NOT_PUBLISHED)
    cells.markers[gone] = STRUCTURAL
    hi[gone] = 0
