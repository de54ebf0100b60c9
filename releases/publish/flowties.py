"""What flows and caseloads say of each other, as the relations that an attack asks.

With the caseload before, for counts of one extract and of what lasts (benefit, sex),

    after + off-flow = before + on-flow    (+ arrivals - departures, which nobody publishes)

The caseload before was published from another extract, and people move: an attacker knows the relation only where
it holds.  So it is asked where the true counts fulfil it everywhere or, where those behind the release before
are not at hand, where the published figures do not rule it out.  Within one extract always

    on-flow <= after + off-flow

cell by cell, whatever both are told by: who joined is still there, or has left again, in the same cell.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import TypeVar

import numpy as np

from releases.attack.pieces import Read
from releases.publish.caseloadbefore import LASTING, CaseloadBefore, caseloads_before
from releases.publish.flowtables import tables_of
from releases.publish.manifest import read_manifest
from releases.publish.series import Place
from releases.publish.spec import CASELOAD, FLOWS, Release
from sdc.attack.intervals import stated_intervals
from sdc.attack.joint import Flow
from sdc.attack.pieces import piece_of_table
from sdc.tables import SafeTable, Table

__all__ = ["tie_flows"]

T = TypeVar("T")

ON, OFF = FLOWS

# Of each category of a margin, by level name, a figure for each area: int64 of shape (units,).
Margin = dict[tuple[str, ...], dict[str, np.ndarray]]


def tie_flows(release: Release, read: Read, true: Mapping[str, Table], place: Place) -> Read:
    """What was read, with the relations of flows, and the caseload of the release before where they are tied to it."""
    if not release.flow_measures:
        return read
    by_name = {piece.name: piece.measure for piece in read.pieces}
    named: dict[str, str] = {table.measure: by_name[table.id] for table in release.table}
    after, on, off = named[CASELOAD], named.get(ON), named.get(OFF)
    flows = () if on is None or off is None else (Flow(before=None, after=after, on=on, off=off),)
    earlier, untied = _earlier(release, true, place)
    name = f"caseload of {place.previous}"
    if earlier:
        flows = (*flows, Flow(before=name, after=after, on=on, off=off))
    pieces = [
        piece_of_table(f"{one.id} of {place.previous}", one.safe, measure=name, truth=one.truth) for one in earlier
    ]
    return replace(
        read,
        public_pieces=(*read.public_pieces, *pieces),
        flows=(*read.flows, *flows),
        untied=(*read.untied, *untied),
    )


def _earlier(
    release: Release, true: Mapping[str, Table], place: Place
) -> tuple[tuple[CaseloadBefore, ...], tuple[str, ...]]:
    """The caseload of the day that flows are counted from, where the relation ties it; and what is not attacked."""
    assert release.flows is not None
    folder, since = release.series.previous, release.flows.since.isoformat()
    manifest = None if folder is None else read_manifest(folder)
    if folder is None or manifest is None or manifest["reference_date"] != since:
        return (), (f"flows with the caseload of {since}, where that was published: it is not the release before",)
    told = f"flows with the caseload of {manifest['id']}, the release before"
    tables = list(true.values())
    found = caseloads_before(folder, manifest, place.tables, tables, population=release.populations[0])
    if found is None:
        return (), (f"{told}: its tables cannot be held against these, or have other areas",)
    if not found:
        return (), (f"{told}: it has no table of {release.populations[0]}",)
    if not _fit(release, found, true):
        why = "it was counted from another extract, or people moved"
        return (), (f"{told}: with the flows between, its counts are not exactly those of this release ({why})",)
    return found, ()


def _fit(release: Release, earlier: Sequence[CaseloadBefore], true: Mapping[str, Table]) -> bool:
    """Whether after + off = before + on may be taken to hold, by every margin of what lasts that all of them tell.

    Of a flow that is not published nothing is known but that it is 0 or more.
    """
    for names in (some for size in range(len(LASTING) + 1) for some in combinations(LASTING, size)):
        own = {
            measure: _first(_margin_of(table, names) for table in tables_of(release, measure, true).values())
            for measure in (CASELOAD, *release.flow_measures)
        }
        before = _first(_bounds(one, names) for one in earlier)
        told = {measure: margin for measure, margin in own.items() if margin is not None}
        if before is None or len(told) < len(own):
            continue
        for category, level in ((key, name) for key, levels in before[0].items() for name in levels):
            if not all(level in margin[category] for margin in told.values()):
                continue
            signed = {CASELOAD: 1, OFF: 1, ON: -1}
            implied = sum(signed[measure] * margin[category][level] for measure, margin in told.items())
            lo, hi = (side[category][level] for side in before)
            if (ON in told and np.any(implied > hi)) or (OFF in told and np.any(implied < lo)):
                return False
    return True


def _first(found: Iterator[T | None]) -> T | None:
    return next((one for one in found if one is not None), None)


def _bounds(one: CaseloadBefore, names: tuple[str, ...]) -> tuple[Margin, Margin] | None:
    """The least and the most of a caseload before, by a margin: its true counts, else what its values leave open."""
    if one.truth is not None:
        exact = _margin_of(one.truth, names)
        return None if exact is None else (exact, exact)
    stated = stated_intervals(one.safe)
    lo, hi = (_margin(one.safe, side, names) for side in (stated.lo, stated.hi))
    return None if lo is None or hi is None else (lo, hi)


def _margin_of(table: Table, names: tuple[str, ...]) -> Margin | None:
    return _margin(table, table.counts, names)


def _margin(table: Table | SafeTable, levels: Sequence[np.ndarray], names: tuple[str, ...]) -> Margin | None:
    """Figures by some of a table's dimensions, summed over the others; None where it is not by all of them."""
    own = table.classification
    if not set(names) <= set(own.dimensions):
        return None
    named = list(zip(table.hierarchy.levels, levels, strict=True))
    if not names:
        return {(): {level: figures[:, -1] for level, figures in named}}
    places = [own.dimensions.index(name) for name in names]
    found: Margin = {}
    for column, codes in enumerate(own.categories):
        margin = found.setdefault(tuple(codes[place] for place in places), {})
        for level, figures in named:
            margin[level] = margin.get(level, 0) + figures[:, column]
    return found
