"""Two editions of the same figures: the change of each is a count of people taken in or out.

When a reference date is published again, whoever has both editions subtracts.  With the
intervals that all tables leave for the figure then, [lo, hi], and now, [lo', hi'], the change lies in

    [lo' - hi, hi' - lo].

Nothing is assumed of figures that seem not to have changed.  A change d is *small* where
1 <= |d| <= min_count - 1; it is *pinned* where its interval holds neither 0 nor any change of
min_count or more, either way.  Figures are matched by what they are of: zones that are the same atoms, one by
one or together (two that an area was split into, two that were merged into one, some that became
others), so that a change of areas between two editions is followed too.

Two reference dates are not two editions: what came between is told, if at all, by
flows (`sdc.attack.joint.Flow`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from common.progress import SILENT, Progress
from sdc.attack.joint import AREAS, Joint
from sdc.attack.listing import MOST_LISTED, listed
from sdc.attack.naming import figure_name
from sdc.attack.narrowing import NoSolution, narrow
from sdc.attack.pieces import Piece
from sdc.attack.programmes import feasible_intervals
from sdc.attack.witness import between
from sdc.differencing.divisions import Division, Identities, column_words, divisions_of
from sdc.differencing.members import Members
from sdc.differencing.zones import Zones
from sdc.findings import Audit, Finding
from sdc.system import measure_words

__all__ = ["Revision", "audit_revision"]

# Cells whose intervals are made exact at most; for others what single sums say has to do.
MOST_ASKED = 20_000
# Blocks of more open cells are searched in neighbourhoods of so many, as `sdc.attack.jointly` has it.
MOST_CELLS = 240

Bounds = tuple[np.ndarray, np.ndarray]
Sets = tuple[Members, Members]


@dataclass(frozen=True, kw_only=True)
class Revision:
    """Two measures that are editions of one: what was published before, and what after."""

    before: str
    after: str

    @property
    def name(self) -> str:
        """What tells the two apart, and what they have in common."""
        then, now = self.before.split(", "), self.after.split(", ")
        common = [word for word in now if word in then]
        apart = [", ".join(word for word in words if word not in common) or "that" for words in (now, then)]
        return f"{apart[0]} after {apart[1]}" + (f" ({', '.join(common)})" if common else "")


def audit_revision(
    joint: Joint,
    pieces: Sequence[Piece],
    revision: Revision,
    *,
    min_count: int,
    most_asked: int = MOST_ASKED,
    progress: Progress = SILENT,
) -> Audit:
    """Changes between two editions that are proven to be small.

    Parameters
    ----------
    joint, pieces : as `sdc.attack.joint.join_pieces` gives and takes them; the two editions have two measures.
    min_count : smallest non-zero count that may be told.  Of changes whose truth is known, only those d
        with 1 <= |d| <= min_count - 1 count.
    """
    name = revision.name
    figures = _figures(joint, pieces, revision)
    small = _may_be_small(joint, figures, min_count)
    figures = figures[0].chosen(small), figures[1].chosen(small)
    try:
        bounds, left = _bounds(joint, figures, min_count, most_asked, progress)
    except NoSolution:
        return Audit(not_checked=(f"changes of {name}: what is published contradicts itself",))
    lo, hi = _change(figures, bounds)
    pinned = np.flatnonzero(((lo >= 1) & (hi < min_count)) | ((hi <= -1) & (lo > -min_count)))

    def tell(at: int) -> Finding:
        now, then = (_told(joint, pieces, cells[at], bounds) for cells in (figures[1], figures[0]))
        many = between(*sorted((abs(int(lo[at])), abs(int(hi[at])))))
        word = "more" if lo[at] >= 1 else "fewer"
        text = f"now {now}, before {then}: so {many} {word} than before, and nothing but a small change is possible"
        return Finding(
            kind="revision",
            severity="disclosure",
            table=revision.after,
            cell=" and ".join(figure_name(joint, pieces, cell) for cell in figures[1][at].tolist()),
            witness=text,
            interval=(int(lo[at]), int(hi[at])),
        )

    audit = listed(name, "revision", pinned[:MOST_LISTED].tolist(), tell, len(pinned))
    not_checked = (f"changes of {name}: {left} figures whose interval may be closer still",) if left else ()
    return audit.joined(
        Audit(
            checked=(f"changes of {name}: no small one is proven",),
            not_checked=not_checked,
            figures={f"{name}: changes that may be small": int(small.sum())},
        )
    )


def _figures(joint: Joint, pieces: Sequence[Piece], revision: Revision) -> Sets:
    """Cells before and cells after that are the same people's figure, each pair once."""
    identities, known = Identities(joint.system), joint.overlaps
    editions: dict[str, list[tuple[list[Division], np.ndarray]]] = {revision.before: [], revision.after: []}
    for piece, axes in zip(pieces, joint.axes, strict=True):
        if piece.measure in editions:
            divisions = divisions_of(piece, axes, AREAS, known.get(AREAS))
            editions[piece.measure].append((divisions, column_words(piece, axes, AREAS)))
    words = [measure_words(measure) for measure in editions]
    found: list[Sets] = [(Members.of([]), Members.of([]))]
    for (one, own), (other, theirs) in product(*editions.values()):
        columns = _in_both(own, theirs)
        for sets, levels in _alike(one, other, AREAS in known):
            for column in columns:
                cells = [
                    identities.find(level.words + column + measure)
                    for level, measure in zip(levels, words, strict=True)
                ]
                found.append(_held(sets, cells))
    before, after = (Members.joined(side) for side in zip(*found, strict=True))
    return _once(identities.identity, before, after)


def _in_both(own: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """Pairs of words that stand in both."""
    both, times = np.unique(np.concatenate([own, theirs]), axis=0, return_counts=True)
    return np.asarray(both[times > 1])


def _alike(
    before: Sequence[Division], after: Sequence[Division], overlap: bool
) -> Iterator[tuple[Sets, tuple[Division, Division]]]:
    """Units of two editions that are the same people, one by one or the fewest together, level by level.

    Levels of the same name are held against each other, and the smallest of either; by their codes where no overlap is known.
    """
    pairs = [(one, other) for one in before for other in after if one.name == other.name]
    if overlap and before[0].name != after[0].name:
        pairs.append((before[0], after[0]))
    for one, other in pairs:
        units = one.units, other.units
        if not overlap:
            codes = np.union1d(one.codes, other.codes)
            units = tuple(_place(each.codes, codes) for each in (one, other))  # type: ignore[assignment]
        zones = Zones.of((one.name, other.name), (one.codes, other.codes), units)
        component = zones.components()
        number = int(component.max(initial=-1)) + 1
        closed = np.bincount(component[zones.open_ended], minlength=number) == 0
        split = zones.sizes[0]
        sets = [Members.grouped(part, np.arange(len(part)), number) for part in (component[:split], component[split:])]
        told = closed & (sets[0].lengths > 0) & (sets[1].lengths > 0)
        yield (sets[0].chosen(told), sets[1].chosen(told)), (one, other)


def _place(codes: np.ndarray, among: np.ndarray) -> np.ndarray:
    """Of each of `among` the place in `codes` (sorted), -1 for none."""
    place = np.minimum(np.searchsorted(codes, among), len(codes) - 1)
    return np.where(codes[place] == among, place, -1)


def _held(sets: Sets, cells: Sequence[np.ndarray]) -> Sets:
    """Sets of units as cells; those of which a cell is not held are left out."""
    held = np.ones(len(sets[0]), np.bool_)
    for side, own in zip(sets, cells, strict=True):
        held &= side.sums((own < 0).astype(np.int64)) == 0
    before, after = (
        Members(starts=side.starts, items=own[side.items]).chosen(held) for side, own in zip(sets, cells, strict=True)
    )
    return before, after


def _once(identity: np.ndarray, before: Members, after: Members) -> Sets:
    """The same pairs of sets of cells, each once, in the order first met; told apart by sums of their cells' words."""
    words = np.concatenate([before.sums(identity), after.sums(identity)], axis=1)
    order = np.lexsort(words.T)
    new = np.append(True, (words[order[1:]] != words[order[:-1]]).any(axis=1))[: len(order)]
    first = np.sort(order[new])
    return before.chosen(first), after.chosen(first)


def _may_be_small(joint: Joint, figures: Sets, min_count: int) -> np.ndarray:
    """False where the true change is known and not small: bool per figure."""
    unknown = (joint.truth < 0).astype(np.int64)
    known = np.where(joint.truth < 0, 0, joint.truth)
    before, after = figures
    change = np.abs(after.sums(known) - before.sums(known))
    return np.asarray((before.sums(unknown) + after.sums(unknown) > 0) | ((change >= 1) & (change < min_count)))


def _change(figures: Sets, bounds: Bounds) -> Bounds:
    """Least and greatest change of each figure; beyond ±`NO_BOUND` there is none."""
    (lo, hi), (before, after) = bounds, figures
    least, most = after.sums(lo) - before.most(hi), after.most(hi) - before.sums(lo)
    return least, most


def _bounds(joint: Joint, figures: Sets, min_count: int, most_asked: int, progress: Progress) -> tuple[Bounds, int]:
    """Bounds of all cells, exact where it may matter, and how many figures are left with what single sums say.

    Raises
    ------
    NoSolution
        What is published contradicts itself.
    """
    system = joint.system
    lo, hi = narrow(system.equations, joint.lo, joint.hi)
    least, most = _change(figures, (lo, hi))
    pinned = ((least >= 1) & (most < min_count)) | ((most <= -1) & (least > -min_count))
    settled = pinned | (least >= min_count) | (most <= -min_count)
    open_cells = lo < hi
    moving = figures[0].sums(open_cells.astype(np.int64)) + figures[1].sums(open_cells.astype(np.int64)) > 0
    open_ = np.flatnonzero(~settled & moving)
    open_ = open_[np.argsort((most - least)[open_], kind="stable")]
    sizes = np.cumsum((figures[0].lengths + figures[1].lengths)[open_])
    asked_of = open_[sizes <= most_asked]
    cells = np.unique(np.concatenate([side.chosen(asked_of).items for side in figures]))
    cells = cells[open_cells[cells]]
    if len(cells):
        found = feasible_intervals(
            system.equations,
            joint.lo,
            joint.hi,
            asked=cells,
            start=joint.start,
            most_cells=MOST_CELLS,
            progress=progress,
        )
        lo[cells], hi[cells] = found.lo, found.hi
    return (lo, hi), len(open_) - len(asked_of)


def _told(joint: Joint, pieces: Sequence[Piece], cells: np.ndarray, bounds: Bounds) -> str:
    """Cells with what is known of each."""
    told = [
        f"{figure_name(joint, pieces, cell)} ({between(int(bounds[0][cell]), int(bounds[1][cell]))})"
        for cell in cells.tolist()
    ]
    return " and ".join(told)
