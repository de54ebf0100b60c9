"""Differencing: what zones of one division less zones of another leave, as cells of the joint system.

Where two divisions of the same people do not nest, a union of zones of the one less zones of
the other that lie in it is a count of people too, though no table has it.  Those that
may be proven small are looked for, column by column, with the bounds that all tables leave
for the zones:

* slivers of every zone (`sdc.differencing.slivers`);
* the smallest difference around every edge (`sdc.differencing.smallest`);
* sets of overlaps that cannot all be empty, where the former leave any (`sdc.differencing.emptying`).

What matters are sets of people of which every table that fits holds at least one, and none holds
min_count + width - 1 or more: only then can a set be pinned, or narrower than `width`, and its
parts not be.  For if a set may be empty and holds less than `width`, so does each of its parts,
which are cells already.  Those found become cells, each with the equation
Σ zones taken = difference + Σ zones taken away, so that `sdc.attack.systems` judges them as any other.
A zone that may be empty for all that is known is not taken away: that would take nothing from what the others can
hold at most, and add to what is not known.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations

import numpy as np

from common.progress import SILENT, Progress
from sdc.attack.intervals import NO_BOUND
from sdc.attack.joint import Joint
from sdc.attack.naming import figure_name
from sdc.attack.narrowing import NoSolution, narrow
from sdc.attack.overlaps import Overlap, Refined
from sdc.attack.pieces import Piece
from sdc.differencing.divisions import (
    Division,
    Identities,
    atom_words,
    column_words,
    divisions_of,
)
from sdc.differencing.members import Members
from sdc.differencing.proven import Proven, search_column
from sdc.differencing.slivers import slivers
from sdc.differencing.smallest import NoTable
from sdc.differencing.zones import Zones
from sdc.findings import Audit
from sdc.system import CellSystem, Equations, measure_words, stack

__all__ = ["add_differences"]

# Differences that become cells, over all columns; those that hold the fewest people first.
MOST_ADDED = 20_000
# Cells that the name of a difference lists on either side.
MOST_NAMED = 4

Bounds = tuple[np.ndarray, np.ndarray]


def add_differences(
    joint: Joint,
    pieces: Sequence[Piece],
    *,
    min_count: int,
    width: int | None = None,
    most_added: int = MOST_ADDED,
    progress: Progress = SILENT,
) -> tuple[Joint, Audit]:
    """The joint system with the differences that may be proven small, and what was looked at.

    Parameters
    ----------
    joint, pieces : as `sdc.attack.joint.join_pieces` gives and takes them.
    min_count : smallest non-zero count that may be told; a count x is *small* where 1 <= x <= min_count - 1.
        Of differences whose truth nobody has: those that may lie in that range.
    width : promised hi - lo of a small count's interval; min_count - 1 by default.
    most_added : how many are added at most.

    Returns
    -------
    The system with the cells of differences last, and an audit without findings: figures, and what was not looked at.
    """
    width = min_count - 1 if width is None else width
    bounds = _narrowed(joint)
    if bounds is None:
        return joint, Audit(not_checked=("differences: what is published contradicts itself",))
    looker = _Looker(joint, pieces, _of_totals(joint, bounds), min_count, width)
    for dimension, overlap in joint.overlaps.items():
        divisions, columns = _laid_out(pieces, joint.axes, dimension, overlap)
        atoms = atom_words(dimension, overlap)
        for one, other in combinations(divisions, 2):
            zones = Zones.of((one.name, other.name), (one.codes, other.codes), (one.units, other.units))
            if zones.partly.any():
                progress.step(f"differences of {one.name} and {other.name}", len(columns))
                looker.look(zones, (np.concatenate([one.words, other.words]), atoms), columns, progress)
    return looker.added(most_added)


def _laid_out(
    pieces: Sequence[Piece], axes: Sequence[tuple[Refined, ...]], dimension: str, overlap: Overlap
) -> tuple[list[Division], np.ndarray]:
    """Every division of a dimension once, and the words of all columns with their measure: uint64 of shape (columns, 2)."""
    divisions: dict[bytes, Division] = {}
    columns = [np.empty((0, 2), np.uint64)]
    for piece, own in zip(pieces, axes, strict=True):
        for division in divisions_of(piece, own, dimension, overlap):
            divisions.setdefault(division.words.tobytes(), division)
        columns.append(column_words(piece, own, dimension) + measure_words(piece.measure))
    return list(divisions.values()), np.unique(np.concatenate(columns), axis=0)


def _narrowed(joint: Joint) -> Bounds | None:
    """What every sum by itself leaves of each cell; None where nothing is left of one."""
    if (joint.lo > joint.hi).any():
        return None
    try:
        return narrow(joint.system.equations, joint.lo, joint.hi)
    except NoSolution:
        return None


def _of_totals(joint: Joint, narrowed: Bounds) -> Bounds:
    """Bounds of totals: as narrowed, but nothing of one that nobody tells and that does not follow exactly.

    So totals of tables with hidden cells are exact or not known at all, for which the search is complete.
    """
    lo, hi = narrowed
    nothing = (joint.hi >= NO_BOUND) & (joint.lo == 0) & (lo < hi)
    return np.where(nothing, 0, lo), np.where(nothing, NO_BOUND, hi)


@dataclass(kw_only=True, eq=False)
class _Kept:
    """Differences that may be small: cells taken and taken away, identity, and how many people they hold at most."""

    whole: list[Members] = field(default_factory=list)
    less: list[Members] = field(default_factory=list)
    words: list[np.ndarray] = field(default_factory=list)
    most: list[np.ndarray] = field(default_factory=list)


class _Looker:
    """Looks for differences, one pair of divisions after the other; what it finds stands in `added`."""

    def __init__(self, joint: Joint, pieces: Sequence[Piece], bounds: Bounds, min_count: int, width: int) -> None:
        self.joint, self.pieces, self.bounds, self.min_count, self.width = joint, pieces, bounds, min_count, width
        self.kept = _Kept()
        self.index = Identities(joint.system)
        self.figures: dict[str, int] = {}
        self.not_checked: list[str] = []

    def look(self, zones: Zones, words: tuple[np.ndarray, np.ndarray], columns: np.ndarray, progress: Progress) -> None:
        """Look at two divisions in every column that has both; `words` are those of the zones and of the atoms."""
        pair = f"{zones.names[0]} and {zones.names[1]}"
        always = slivers(zones)
        looked = long = broken = open_ = 0
        for column in columns:
            progress.advance(1)
            cells = self.index.find(words[0] + column)
            if not (cells[: zones.sizes[0]] >= 0).any() or not (cells[zones.sizes[0] :] >= 0).any():
                continue
            lo = np.where(cells >= 0, self.bounds[0][cells], 0)
            hi = np.where(cells >= 0, self.bounds[1][cells], NO_BOUND)
            try:
                found = search_column(
                    zones, always, lo, hi, limit=self.min_count + self.width - 1, least=self.min_count
                )
            except NoTable:
                broken += 1
                continue
            looked += found.looked
            long += found.too_long
            open_ += not found.complete
            self._keep_differences(found, cells, words[0], column)
            self._keep_sets(zones, found, words[1], column)
        self._count(f"differences: pairs of {pair} that overlap in part", int(zones.partly.sum()))
        bridges = int((zones.bridges() & zones.partly).sum())
        self._count(f"differences: pairs of {pair} that follow from exact totals", bridges)
        self._count("differences: looked at", looked)
        said = {
            f"{long} that take too many zones to be told": long,
            f"{broken} columns whose totals contradict each other": broken,
            f"{open_} columns in which more sets may be proven": open_,
        }
        self.not_checked += [f"differences of {pair}: {what}" for what, number in said.items() if number]

    def _count(self, name: str, number: int) -> None:
        self.figures[name] = self.figures.get(name, 0) + number

    def _keep_differences(self, found: Proven, cells: np.ndarray, words: np.ndarray, column: np.ndarray) -> None:
        """Keep zones taken less zones taken away; their words are those of the atoms that are left."""
        own = found.whole.sums(words) - found.less.sums(words) + column
        whole, less = (Members(starts=side.starts, items=cells[side.items]) for side in (found.whole, found.less))
        self._keep(whole, less, own, found.most)

    def _keep_sets(self, zones: Zones, found: Proven, words: np.ndarray, column: np.ndarray) -> None:
        """Keep sets of edges as sums of their atoms, of which there must be several."""
        atoms = Members.grouped(zones.edge[zones.edge >= 0], np.flatnonzero(zones.edge >= 0), len(zones.first))
        parts = atoms.chosen(found.edges.items)
        whole = Members.grouped(found.edges.rows[parts.rows], parts.items, len(found.edges))
        if not len(found.edges):
            return
        cells = self.index.find(words + column)
        held = (whole.lengths > 1) & (whole.sums((cells < 0).astype(np.int64)) == 0)
        whole = whole.chosen(held)
        nothing = Members.of([[]] * len(whole))
        self._keep(
            Members(starts=whole.starts, items=cells[whole.items]),
            nothing,
            whole.sums(words) + column,
            np.full(len(whole), NO_BOUND),
        )

    def _keep(self, whole: Members, less: Members, words: np.ndarray, most: np.ndarray) -> None:
        small = self._may_be_small(whole, less)
        self.kept.whole.append(whole.chosen(small))
        self.kept.less.append(less.chosen(small))
        self.kept.words.append(words[small])
        self.kept.most.append(most[small])

    def _may_be_small(self, taken: Members, away: Members) -> np.ndarray:
        """False where the truth is known and not small: bool per difference."""
        truth = self.joint.truth
        unknown = truth < 0
        open_ = taken.sums(unknown.astype(np.int64)) + away.sums(unknown.astype(np.int64)) > 0
        known = np.where(unknown, 0, truth)
        value = taken.sums(known) - away.sums(known)
        return np.asarray(open_ | ((value >= 1) & (value < self.min_count)))

    def added(self, most_added: int) -> tuple[Joint, Audit]:
        """The joint system with what was kept."""
        words = np.concatenate([np.empty((0, 2), np.uint64), *self.kept.words])
        most = np.concatenate([np.empty(0, np.int64), *self.kept.most])
        order = np.lexsort((most, words[:, 1], words[:, 0]))
        new = np.append(True, (words[order[1:]] != words[order[:-1]]).any(axis=1))[: len(order)]
        once = np.sort(order[new])
        once = once[np.argsort(most[once], kind="stable")]
        chosen = np.sort(once[:most_added])
        if len(once) > most_added:
            self.not_checked.append(
                f"differences: {len(once) - most_added} of those that hold somebody and may be small"
            )
        whole, less = (Members.joined(each).chosen(chosen) for each in (self.kept.whole, self.kept.less))
        self.figures["differences: that hold somebody and may be small"] = len(once)
        if len(once) and most[once[0]] < NO_BOUND:
            self.figures["differences: fewest people that one can hold at most"] = int(most[once[0]])
        audit = Audit(
            checked=(
                "differences of zones that do not nest: every set that is proven to hold somebody and may be small",
            ),
            not_checked=tuple(self.not_checked),
            figures=dict(self.figures),
        )
        return _with_cells(self.joint, self.pieces, whole, less, words[chosen], self.index.find(words[chosen])), audit


def _with_cells(
    joint: Joint, pieces: Sequence[Piece], whole: Members, less: Members, words: np.ndarray, cells: np.ndarray
) -> Joint:
    """The joint system with a cell for each difference that is none yet (-1), and the equations of all."""
    system = joint.system
    assert system.identity is not None
    new = cells < 0
    more = int(new.sum())
    cells = np.where(new, len(system) + np.cumsum(new) - 1, cells)
    size = len(system) + more
    rows = np.concatenate([whole.rows, np.arange(len(whole)), less.rows])
    items = np.concatenate([whole.items, cells, less.items])
    signs = np.repeat(np.array([1, -1], np.int8), [len(whole.items), len(items) - len(whole.items)])
    order = np.argsort(rows, kind="stable")
    told = Equations(
        size=size,
        starts=np.concatenate([[0], np.cumsum(whole.lengths + 1 + less.lengths)]).astype(np.int64),
        cells=items[order].astype(np.int32),
        signs=signs[order],
    )
    truth = np.where(joint.truth < 0, 0, joint.truth)
    unknown = (joint.truth < 0).astype(np.int64)
    value = whole.sums(truth) - less.sums(truth)
    value = np.where(whole.sums(unknown) + less.sums(unknown) > 0, -1, value)
    zeros = np.zeros(more, np.int64)
    return replace(
        joint,
        system=CellSystem(
            counts=np.concatenate([system.counts, zeros]),
            equations=stack(size, [replace(system.equations, size=size), told]),
            published=np.concatenate([system.shown, zeros > 0]),
            identity=np.concatenate([system.identity, words[new]]),
            names=_Names(joint, pieces, whole.chosen(new), less.chosen(new)),
        ),
        lo=np.concatenate([joint.lo, zeros]),
        hi=np.concatenate([joint.hi, zeros + NO_BOUND]),
        truth=np.concatenate([joint.truth, value[new]]),
        hidden=np.concatenate([joint.hidden, zeros > 0]),
        teller=np.concatenate([joint.teller, zeros - 1]),
        left=np.concatenate([joint.left, zeros > 0]),
    )


class _Names(Sequence[str]):
    """Names of a system's cells and, behind them, of differences: cells taken less cells taken away."""

    def __init__(self, joint: Joint, pieces: Sequence[Piece], whole: Members, less: Members) -> None:
        self._joint, self._pieces, self._whole, self._less = joint, pieces, whole, less

    def __len__(self) -> int:
        return len(self._joint.system) + len(self._whole)

    def __getitem__(self, cell):  # type: ignore[no-untyped-def]
        at = int(cell) - len(self._joint.system)
        if at < 0:
            return self._joint.system.name(int(cell))
        taken, away = self._listed(self._whole[at]), self._listed(self._less[at])
        return f"{taken} less {away}" if away else taken

    def _listed(self, cells: np.ndarray) -> str:
        names = [figure_name(self._joint, self._pieces, one) for one in cells[:MOST_NAMED].tolist()]
        if len(cells) > MOST_NAMED:
            names.append(f"{len(cells) - MOST_NAMED} more")
        return " and ".join(names)
