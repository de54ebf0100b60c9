"""Places on axes by the names that files give them: bounds and caps under ``--known``, and figures of other tables."""

from collections.abc import Mapping, Sequence

import numpy as np

from common.faults import Faults
from geography.nesting import encode_text
from releases.attack.known import Bound, Cap
from releases.attack.rowchoices import choose_rows
from releases.attack.said import Said
from releases.counts.nests import places_of
from releases.files.tidyfile import read_tidy
from releases.files.wholenumbers import read_whole_numbers
from sdc.attack.intervals import NO_BOUND
from sdc.cube import Axis
from sdc.tables import TOTAL

__all__ = ["bounds_of_cells", "place_of", "places_on", "places_there"]

Bounds = tuple[np.ndarray, np.ndarray]


def place_of(axis: Axis, code: str) -> int:
    """The place of a code on an axis, of the smallest level that has it; -1 for none."""
    if axis.total and code == TOTAL:
        return int(axis.starts[-1]) - 1
    for level, codes in enumerate(axis.hierarchy.codes):
        at = int(places_of(np.array([code]), codes)[0])
        if at >= 0:
            return at + int(axis.starts[level])
    return -1


def places_on(axis: Axis, codes: np.ndarray) -> np.ndarray:
    """`place_of` for each of many codes: int64 of their shape."""
    found = np.full(codes.shape, -1, np.int64)
    for level in reversed(range(len(axis.hierarchy.levels))):
        at = places_of(codes, axis.hierarchy.codes[level])
        found = np.where(at >= 0, at + axis.starts[level], found)
    if axis.total:
        found = np.where(codes == TOTAL, axis.starts[-1] - 1, found)
    return found


def places_there(axes: Sequence[Axis], theirs: Sequence[Axis], at_total: Sequence[str] = ()) -> tuple[np.ndarray, ...]:
    """For every place of some axes, the place of the same figure on the axes of another table: an open mesh.

    Areas are matched by level and code, else by code; dimensions by name and code.  A
    dimension that only they have, or that is named in `at_total`, is at its total; of one that
    only we have all categories go to the same place.  -1 where they have no such place.
    """
    mesh = []
    names = [axis.name for axis in axes]
    for number, axis in enumerate(theirs):
        ours = 0 if number == 0 else names.index(axis.name) if axis.name in names[1:] else None
        shape = [1] * len(axes)
        if ours is None or (number and axis.name in at_total):
            place = np.array([int(axis.starts[-1]) - 1 if axis.total else -1])
        else:
            place = _same_units(axes[ours], axis)
            shape[ours] = len(place)
        mesh.append(place.reshape(shape))
    return tuple(mesh)


def _same_units(ours: Axis, theirs: Axis) -> np.ndarray:
    """For each place of an axis that of the same unit on another: by level and code, else by code."""
    found = np.full(int(ours.starts[-1]), -1, np.int64)
    for level, (name, codes) in enumerate(zip(ours.hierarchy.levels, ours.hierarchy.codes, strict=True)):
        here = slice(int(ours.starts[level]), int(ours.starts[level + 1]))
        if name in theirs.hierarchy.levels:
            other = theirs.hierarchy.levels.index(name)
            at = places_of(codes, theirs.hierarchy.codes[other])
            found[here] = np.where(at >= 0, at + theirs.starts[other], -1)
        else:
            found[here] = places_on(theirs, codes)
    if ours.total and theirs.total:
        found[-1] = theirs.starts[-1] - 1
    return found


def bounds_of_cells(said: Said, axes: Sequence[Axis], faults: Faults) -> Bounds:
    """What ``bounds`` and ``caps`` under ``--known`` say of a table over these axes: lo and hi of its shape.

    Raises
    ------
    InputError
        A file of caps cannot be read.
    """
    shape = tuple(int(axis.starts[-1]) for axis in axes)
    lo, hi = np.zeros(shape, np.int64), np.full(shape, NO_BOUND, np.int64)
    for bound in said.known.bounds:
        place = _place_of_bound(bound, axes, faults)
        if place is not None:
            lo[place] = max(lo[place], bound.lo)
            hi[place] = min(hi[place], NO_BOUND if bound.hi is None else bound.hi)
    for cap in said.known.caps:
        _apply_caps(cap, axes, hi, faults)
    return lo, hi


def _place_of_bound(bound: Bound, axes: Sequence[Axis], faults: Faults) -> tuple[int, ...] | None:
    strange = set(bound.category) - {axis.name for axis in axes[1:]}
    area = place_of(axes[0], bound.area)
    place = (area, *(place_of(axis, bound.category.get(axis.name, TOTAL)) for axis in axes[1:]))
    if min(place) >= 0 and not strange:
        return place
    what = "an area" if area < 0 else "a category"
    faults.add("bound", f"names {what} that the table has not", "correct it", key=f"file.bounds of {bound.area}")
    return None


def _apply_caps(cap: Cap, axes: Sequence[Axis], hi: np.ndarray, faults: Faults) -> None:
    """Caps of areas that the tree does not have say nothing of this table."""
    dimensions = [axis.name for axis in axes[1:]]
    tidy = read_tidy(cap.path, needed=[cap.area, cap.value, *cap.where], wanted=dimensions, whole=(cap.value,))
    tidy = choose_rows(tidy, cap.where)
    own = Faults(str(cap.path))
    highest = read_whole_numbers(tidy, cap.value, own)
    named: Mapping[str, tuple[np.ndarray, np.ndarray]] = {
        name: encode_text(tidy.text.columns[name]) for name in (cap.area, *dimensions) if name in tidy
    }
    rows = np.ones(tidy.height, np.bool_)
    places = []
    for number, axis in enumerate(axes):
        name = cap.area if number == 0 else axis.name
        if name not in named:
            places.append(np.full(tidy.height, int(axis.starts[-1]) - 1))
            continue
        values, index = named[name]
        at = places_on(axis, values)[index]
        for row in np.flatnonzero((at < 0) & bool(number)):
            found, mend = "categories that the table has not", f"name one of the table, or {TOTAL}"
            own.add("cap", found, mend, row=tidy.row(row), column=name)
        rows &= at >= 0
        places.append(at)
    faults.found.extend(own.found)
    np.minimum.at(hi, tuple(place[rows] for place in places), highest[rows])
