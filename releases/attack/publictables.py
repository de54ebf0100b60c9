"""Published tables of the same records: how they relate, and what some of them say of another.

Two cells are the same figure where they name the same area and the same
category of the same dimensions, or both the total of the same area.  Other
relations (a margin of a crossing, a dimension recoded) are for the joint attack.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from common.faults import Faults, InputError
from releases.attack.known import KnownFile
from releases.attack.knownbounds import no_bounds
from releases.attack.published import Published
from releases.attack.said import Defaults, Said, gather_tables, table_files
from releases.counts.nests import places_of
from sdc.attack.intervals import Intervals, stated_intervals
from sdc.attack.propagation import propagate
from sdc.tables import SafeTable, Table

__all__ = ["bounds_from", "gather_all", "tell_contradictions"]


def gather_all(paths: Sequence[Path], known: Sequence[KnownFile], defaults: Defaults) -> list[Said]:
    """What is said of every file, release folders taken apart; every fault of every file at once.

    Raises
    ------
    InputError
        See `releases.attack.said.gather_tables`.
    """
    faults, said = Faults(), []
    for path in paths:
        try:
            for file in table_files(path):
                try:
                    said.extend(gather_tables(file, known, defaults))
                except InputError as error:
                    faults.extend(error)
        except InputError as error:
            faults.extend(error)
    faults.raise_if_any()
    return said


def bounds_from(public: Sequence[Published], safe: SafeTable) -> Intervals:
    """Bounds on a table's cells from other published tables, each narrowed by its own sums first.

    Sound; what several of them say together beyond the figures they share is not followed up.
    """
    bounds = no_bounds(safe)
    for table in public:
        own = stated_intervals(table.safe)
        if table.known is not None:
            own = own.intersected(table.known)
        if not any(empty.any() for empty in own.empty()):
            own = propagate(table.safe.hierarchy, own).intervals
        _carry_over(table.safe, own, safe, bounds)
    return bounds


def _carry_over(source: SafeTable, own: Intervals, safe: SafeTable, bounds: Intervals) -> None:
    columns = [
        (theirs, safe.classification.columns.index(category))
        for theirs, category in enumerate(source.classification.columns[:-1])
        if source.classification.dimensions == safe.classification.dimensions
    ]
    columns.append((len(source.classification), len(safe.classification)))
    for at, codes in enumerate(source.hierarchy.codes):
        for level, ours in enumerate(safe.hierarchy.codes):
            unit = places_of(codes, ours)
            here = np.flatnonzero(unit >= 0)
            for theirs, column in columns:
                lo, hi = bounds.lo[level][:, column], bounds.hi[level][:, column]
                np.maximum.at(lo, unit[here], own.lo[at][here, theirs])
                np.minimum.at(hi, unit[here], own.hi[at][here, theirs])


def tell_contradictions(table: Table, public: Sequence[Published]) -> None:
    """Refuse public tables that the true counts do not fit: they are of other records, or made otherwise.

    Raises
    ------
    InputError
        With the number of cells; never a count.
    """
    faults = Faults()
    for one in public:
        exact = SafeTable(
            hierarchy=table.hierarchy,
            classification=table.classification,
            values=table.counts,
            method=one.safe.method,
        )
        bounds = bounds_from([one], exact)
        wrong = sum(
            int(((counts < lo) | (counts > hi)).sum())
            for counts, lo, hi in zip(table.counts, bounds.lo, bounds.hi, strict=True)
        )
        if wrong:
            found = f"{wrong:,} of its figures cannot be true of these counts"
            mend = "correct its method and base, or leave it out if it is about other people"
            faults.add("contradiction", found, mend, file=str(one.said.path))
    faults.raise_if_any()
