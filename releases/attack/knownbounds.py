"""Bounds that the attacker has from elsewhere: single cells, and figures that no count may pass."""

from collections.abc import Mapping

import numpy as np

from common.faults import Faults
from geography.nesting import encode_text
from releases.attack.known import Bound, Cap
from releases.attack.rowchoices import choose_rows
from releases.attack.said import Said
from releases.counts.nests import places_of
from releases.files.tidyfile import read_tidy
from releases.files.wholenumbers import read_whole_numbers
from releases.rules.ptables import read_ptable
from sdc.attack.intervals import NO_BOUND, Intervals
from sdc.attack.noisebounds import noise_intervals, stated_noise
from sdc.tables import TOTAL, Hierarchy, SafeTable

__all__ = ["known_bounds", "no_bounds"]


def no_bounds(safe: SafeTable) -> Intervals:
    """0 to no bound for every cell, in arrays of their own."""
    return Intervals(
        lo=tuple(np.zeros(values.shape, np.int64) for values in safe.values),
        hi=tuple(np.full(values.shape, NO_BOUND, np.int64) for values in safe.values),
    )


def known_bounds(said: Said, safe: SafeTable, faults: Faults) -> Intervals | None:
    """What ``bounds``, ``caps`` and what is told of noise under ``--known`` say of a table; None where they say nothing.

    Raises
    ------
    InputError
        A file of caps, or a ptable, cannot be read.
    """
    noise = _noise_bounds(said, safe)
    if not (said.known.bounds or said.known.caps):
        return noise
    bounds = no_bounds(safe) if noise is None else noise.copied()
    for bound in said.known.bounds:
        _apply_bound(bound, safe, bounds, faults)
    for cap in said.known.caps:
        _apply_caps(cap, safe, bounds, faults)
    return bounds


def _noise_bounds(said: Said, safe: SafeTable) -> Intervals | None:
    """What somebody knows of noisy figures who knows the ptable, or how far the noise reaches."""
    if said.method != "cell-key":
        return None
    if said.known.ptable is not None:
        return noise_intervals(safe, read_ptable(said.known.ptable))
    if said.known.noise is not None:
        return stated_noise(safe, bound=said.known.noise, zeros_kept=said.known.zeros_kept)
    return None


def _apply_bound(bound: Bound, safe: SafeTable, bounds: Intervals, faults: Faults) -> None:
    at = _area(safe.hierarchy, bound.area)
    column = _column(safe, bound.category)
    if at is None or column is None:
        what = "an area" if at is None else "a category"
        faults.add("bound", f"names {what} that the table has not", "correct it", key=f"file.bounds of {bound.area}")
        return
    level, unit = at
    bounds.lo[level][unit, column] = max(bounds.lo[level][unit, column], bound.lo)
    if bound.hi is not None:
        bounds.hi[level][unit, column] = min(bounds.hi[level][unit, column], bound.hi)


def _apply_caps(cap: Cap, safe: SafeTable, bounds: Intervals, faults: Faults) -> None:
    """Caps of areas that the tree does not have say nothing of this table."""
    dimensions = safe.classification.dimensions
    tidy = read_tidy(cap.path, needed=[cap.area, cap.value, *cap.where], wanted=dimensions, whole=(cap.value,))
    tidy = choose_rows(tidy, cap.where)
    own = Faults(str(cap.path))
    highest = read_whole_numbers(tidy, cap.value, own)
    faults.found.extend(own.found)
    columns = np.full(tidy.height, len(safe.classification))
    if all(name in tidy for name in dimensions) and dimensions:
        rows = zip(*(tidy.text.columns[name].to_pylist() for name in dimensions), strict=True)
        places = {category: place for place, category in enumerate(safe.classification.columns)}
        columns = np.array([places.get(row, -1) for row in rows])
        for row in np.flatnonzero(columns < 0):
            mend = f"name one of the table, or {TOTAL}"
            faults.add("cap", "categories that the table has not", mend, file=str(cap.path), row=tidy.row(row))
    codes, index = encode_text(tidy.text.columns[cap.area])
    for level, known in enumerate(safe.hierarchy.codes):
        unit = places_of(codes, known)[index]
        rows_here = (unit >= 0) & (columns >= 0)
        np.minimum.at(bounds.hi[level], (unit[rows_here], columns[rows_here]), highest[rows_here])


def _area(hierarchy: Hierarchy, code: str) -> tuple[int, int] | None:
    for level, codes in enumerate(hierarchy.codes):
        unit = int(places_of(np.array([code]), codes)[0])
        if unit >= 0:
            return level, unit
    return None


def _column(safe: SafeTable, category: Mapping[str, str]) -> int | None:
    named = tuple(category.get(name, TOTAL) for name in safe.classification.dimensions)
    strange = set(category) - set(safe.classification.dimensions)
    columns = safe.classification.columns
    return columns.index(named) if not strange and named in columns else None
