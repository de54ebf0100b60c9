"""What people learn who know their own records, over all tables together.

Somebody who is counted knows one cell of every table that they stand in: that it is at least 1, and so is all
that contains it.  A group of k who know each other knows that it is at least k; who knows that nobody else stands
there knows the cell.  With those bounds the joint system is attacked once more.  As the promise says, they may

* learn no other cell exactly.  Cells that hold nobody else are their own affair, and so is what
  lies within a cell that they know to be theirs alone;
* learn too little of what remains of their own cells: the count less k, where it may be small, must leave 0 or
  a value >= min_count, and be no more than k narrower than the promised width.

People are named, or everybody is tried (`sdc.attack.people`).  That is exact, and
asks for as many attacks as there are such people, so that it is done on small systems only; how many were left out is
told.  With the truth, somebody who stands alone in a cell knows that it is 1.

What is known of one cell says nothing of others than the open ones that hang together with it.  So each attack is on these
alone, and people whose cells are known to hold somebody are not tried: they know what everybody knows.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from sdc.attack.elimination import find_blocks
from sdc.attack.intervals import NO_BOUND
from sdc.attack.joint import Joint
from sdc.attack.listing import MOST_LISTED, listed
from sdc.attack.narrowing import NoSolution, narrow
from sdc.attack.people import Person, kinds_of_people, person_of
from sdc.attack.pieces import Piece
from sdc.attack.programmes import Found, feasible_intervals
from sdc.attack.witness import between
from sdc.findings import Audit, Finding
from sdc.system import Equations
from sdc.tables import NOT_PUBLISHED

__all__ = ["MOST_TRIED", "audit_insiders", "learned"]

# Of everybody so many are tried that their blocks of open cells come to no more than this together.
MOST_TRIED = 3_000
# Blocks of more open cells are searched in neighbourhoods of so many.
MOST_CELLS = 240
# Those who are left out are counted up to so many.
MANY = 5_000

Bounds = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True, kw_only=True, eq=False)
class Learned:
    """What people learn: cells that they know exactly, and own cells of which too little remains."""

    exact: np.ndarray
    values: np.ndarray
    bare: np.ndarray
    bounds: Bounds


def learned(
    joint: Joint, person: Person, before: Bounds, *, min_count: int, width: int, most_cells: int | None = MOST_CELLS
) -> Learned | None:
    """What people learn who know their own cells; `before` is what outsiders know of all cells.  None where they cannot be there.

    A count x is *small* where 1 <= x <= min_count - 1; `width` is the promised hi - lo of a small count's interval.
    """
    around = _Surroundings(joint=joint, before=before, blocks=_Blocks.find(joint, before), most_cells=most_cells)
    return around.learned(person, min_count=min_count, width=width)


def audit_insiders(
    joint: Joint,
    pieces: Sequence[Piece],
    named: Sequence[Person],
    names: Sequence[str],
    *,
    min_count: int,
    width: int,
    public: Collection[str] = (),
    all_people: bool = True,
    most_tried: int = MOST_TRIED,
) -> Audit:
    """What named people learn, and everybody where the system is small; findings name cells by `names`.

    The intervals of everybody are taken from all tables; what is judged are cells that tables not in `public` tell.
    """
    by = ", ".join(piece.name for piece in pieces)
    try:
        narrowed = narrow(joint.system.equations, joint.lo, joint.hi)
        blocks = _Blocks.find(joint, narrowed)
        people, left_out = _chosen(joint, pieces, named, blocks, narrowed, most_tried if all_people else 0)
        before = _outsiders(joint, narrowed, blocks, people)
    except NoSolution:
        return Audit()  # a contradiction, which the attack has told
    judged = _judged(joint, pieces, public)
    hits: dict[tuple[str, int], tuple[Person, Learned]] = {}
    around = _Surroundings(joint=joint, before=before, blocks=_Blocks.find(joint, before))
    for person in people:
        found = around.learned(person, min_count=min_count, width=width)
        if found is None:
            continue
        lone = any(alone for _, alone in person.cells) and not person.who
        kind = "learned by a lone claimant" if lone else "learned by an insider"
        for cell in found.exact[judged[found.exact]].tolist():
            hits.setdefault((kind, cell), (person, found))
        for cell in found.bare[judged[found.bare]].tolist() if person.who else ():
            hits.setdefault(("insider", cell), (person, found))
    audit = _told(by, hits, names, len(named), len(people) - len(named))
    if left_out:
        many = f"{left_out:,} or more" if left_out >= MANY else f"{left_out:,}"
        audit = audit.joined(Audit(not_checked=(f"{by}: what {many} kinds of people learn from all tables together",)))
    return audit


@dataclass(frozen=True, kw_only=True, eq=False)
class _Blocks:
    """Open cells that hang together: the block of each cell, -1 for one that is known, and of each block its cells and sums."""

    of: np.ndarray
    cells: tuple[np.ndarray, ...]
    sums: tuple[np.ndarray, ...]

    @classmethod
    def find(cls, joint: Joint, bounds: Bounds) -> "_Blocks":
        blocks = find_blocks(joint.system.equations, *bounds, np.ones(len(joint.system), np.bool_))
        of = np.full(len(joint.system), -1, np.int64)
        for number, block in enumerate(blocks):
            of[block.cells] = number
        return cls(of=of, cells=tuple(block.cells for block in blocks), sums=tuple(block.equations for block in blocks))

    def of_cells(self, cells: Sequence[int]) -> tuple[int, ...]:
        """The blocks that some cells lie in: nothing else hangs on what is known of these."""
        return tuple(sorted({int(self.of[cell]) for cell in cells} - {-1}))

    def around(self, cells: Sequence[int]) -> np.ndarray:
        """Open cells of the blocks that some cells lie in."""
        return np.sort(np.concatenate([np.empty(0, np.int64), *(self.cells[one] for one in self.of_cells(cells))]))

    def sizes(self, rows: np.ndarray) -> np.ndarray:
        """How many open cells hang together with those of each row (-1 for none): int64 of shape (rows,)."""
        within = np.sort(np.where(rows >= 0, self.of[rows], -1), axis=1)
        within[:, 1:][within[:, 1:] == within[:, :-1]] = -1
        sizes = np.array([*(len(cells) for cells in self.cells), 0], np.int64)
        return np.asarray(sizes[within].sum(axis=1))


@dataclass(frozen=True, kw_only=True, eq=False)
class _Part:
    """Some blocks as a system of their own: `cells` of the whole one, those `asked` of them, and their sums."""

    cells: np.ndarray
    asked: np.ndarray
    equations: Equations

    @classmethod
    def of(cls, equations: Equations, blocks: _Blocks, chosen: Sequence[int]) -> "_Part":
        sums = equations.chosen(np.concatenate([blocks.sums[one] for one in chosen]))
        asked = np.concatenate([blocks.cells[one] for one in chosen])
        cells = np.union1d(asked, sums.cells)
        places = np.zeros(equations.size, np.int64)
        places[cells] = np.arange(len(cells))
        return cls(cells=cells, asked=np.sort(places[asked]), equations=sums.renumbered(places, len(cells)))


@dataclass(frozen=True, kw_only=True, eq=False)
class _Surroundings:
    """The open cells around people's own, where what they learn is found; kept for others who know the same cells or alike."""

    joint: Joint
    before: Bounds
    blocks: _Blocks
    most_cells: int | None = MOST_CELLS
    _parts: dict[tuple[int, ...], _Part] = field(default_factory=dict)
    _found: dict[tuple[bytes, ...], Found | None] = field(default_factory=dict)

    def learned(self, person: Person, *, min_count: int, width: int) -> Learned | None:
        """See `learned`."""
        joint, before = self.joint, self.before
        own = np.array([cell for cell, _ in person.cells])
        alone = np.array([alone for _, alone in person.cells])
        lo, hi = before[0].copy(), before[1].copy()
        lo[own] = np.maximum(lo[own], person.number)
        hi[own] = np.where(alone, np.minimum(hi[own], person.number), hi[own])
        if (lo > hi).any():
            return None
        asked = self.blocks.around(own.tolist())
        if (lo[own] > before[0][own]).any() or (hi[own] < before[1][own]).any():
            found = self._intervals(self.blocks.of_cells(own.tolist()), lo, hi)
            if found is None:
                return None
            lo[asked], hi[asked] = found.lo, found.hi
        exact = asked[lo[asked] == hi[asked]]
        if not len(exact) and not person.who:
            return Learned(exact=exact, values=lo[exact], bare=exact, bounds=(lo, hi))
        around, within = _reached(joint, own.tolist()), _within(joint, person)
        theirs = (around & (lo == person.number) & (hi == person.number)) | within
        exact = exact[~theirs[exact]]
        rest_lo, rest_hi = np.maximum(lo, person.number) - person.number, hi - person.number
        small = (before[0] < min_count) & (before[1] >= 1) & around & ~theirs
        if (joint.truth >= 0).any():
            small &= (joint.truth < 0) | ((joint.truth >= 1) & (joint.truth < min_count))
        bare = ((rest_lo > 0) & (rest_hi < min_count)) | (rest_hi - rest_lo < width - person.number)
        return Learned(
            exact=exact, values=lo[exact], bare=np.flatnonzero(small & bare & (before[0] < before[1])), bounds=(lo, hi)
        )

    def _intervals(self, chosen: tuple[int, ...], lo: np.ndarray, hi: np.ndarray) -> Found | None:
        """The intervals of all open cells of some blocks, in their order; None where no table fits.

        Blocks that are alike, with alike bounds, are asked once.
        """
        if chosen not in self._parts:
            self._parts[chosen] = _Part.of(self.joint.system.equations, self.blocks, chosen)
        part = self._parts[chosen]
        lo, hi, sums = lo[part.cells], hi[part.cells], part.equations
        alike = tuple(each.tobytes() for each in (sums.starts, sums.cells, sums.signs, lo, hi, part.asked))
        if alike not in self._found:
            try:
                found = feasible_intervals(sums, lo, hi, asked=part.asked, most_cells=self.most_cells)
            except NoSolution:
                self._found[alike] = None
            else:
                self._found[alike] = found
        return self._found[alike]


def _chosen(
    joint: Joint, pieces: Sequence[Piece], named: Sequence[Person], blocks: _Blocks, narrowed: Bounds, most_tried: int
) -> tuple[list[Person], int]:
    """Named people, and as many others as may be tried; how many are left out, counted up to some thousand.

    Of those whose cells are known to hold somebody, and nobody else where they are alone, all is known already.
    """
    people, left_out = [*named], 0
    if not most_tried:
        return people, 0
    news = (narrowed[0] < 1) | ((joint.truth == 1) & (narrowed[1] > 1))
    for rows in kinds_of_people(joint, pieces):
        rows = rows[(news[rows] & (rows >= 0)).any(axis=1)]
        for row, work in zip(rows, blocks.sizes(rows).tolist(), strict=True):
            if not work:
                continue  # all that they know of themselves is known
            if work <= most_tried:
                people.append(person_of(joint, row))
                most_tried -= work
            elif left_out < MANY:
                left_out += 1
            else:
                return people, left_out
    return people, left_out


def _outsiders(joint: Joint, bounds: Bounds, blocks: _Blocks, people: Sequence[Person]) -> Bounds:
    """What everybody knows of every cell: exact (but for neighbourhoods) where it hangs together with a cell that people know."""
    lo, hi = bounds[0].copy(), bounds[1].copy()
    asked = blocks.around([cell for person in people for cell, _ in person.cells])
    if len(asked):
        found = feasible_intervals(
            joint.system.equations, joint.lo, joint.hi, asked=asked, start=joint.start, most_cells=MOST_CELLS
        )
        lo[asked], hi[asked] = found.lo, found.hi
    return lo, hi


def _judged(joint: Joint, pieces: Sequence[Piece], public: Collection[str]) -> np.ndarray:
    """Cells that a table of ours tells: bool of shape (cells,)."""
    told = np.zeros(len(joint.system), np.bool_)
    for piece, place in zip(pieces, joint.places, strict=True):
        if piece.name not in public:
            told[place[(place >= 0) & (piece.markers != NOT_PUBLISHED)]] = True
    return told & ~joint.left


def _reached(joint: Joint, cells: Sequence[int], *, up: bool = True) -> np.ndarray:
    """Cells that contain one of these (or lie in one), these among them: bool of shape (cells,)."""
    equations = joint.system.equations
    wholes = np.repeat(equations.cells[equations.starts[:-1]], np.diff(equations.starts))
    parts = equations.signs < 0
    sources, ends = (equations.cells[parts], wholes[parts]) if up else (wholes[parts], equations.cells[parts])
    reached = np.zeros(len(joint.system), np.bool_)
    reached[list(cells)] = True
    while True:
        new = ends[reached[sources] & ~reached[ends]]
        if not len(new):
            return reached
        reached[new] = True


def _within(joint: Joint, person: Person) -> np.ndarray:
    """Cells that lie in one that holds these people and nobody else."""
    return _reached(joint, [cell for cell, alone in person.cells if alone], up=False)


def _told(
    by: str,
    hits: Mapping[tuple[str, int], tuple[Person, Learned]],
    names: Sequence[str],
    named: int,
    tried: int,
) -> Audit:
    def tell(hit: tuple[str, int]) -> Finding:
        kind, cell = hit
        person, found = hits[hit]
        lo, hi = int(found.bounds[0][cell]), int(found.bounds[1][cell])
        known = " and ".join(names[each] + (" (alone)" if alone else "") for each, alone in person.cells[:3])
        who = person.who or ("somebody" if person.number == 1 else f"{person.number} people")
        what = f"{who}, counted in {known}, knows that it is at least {person.number}"
        if kind == "insider":
            text = f"{what}; what is left of this cell without them is {between(max(lo - person.number, 0), hi - person.number)}"
        else:
            text = f"{what}; then this cell is {between(lo, hi)}"
        end = None if hi >= NO_BOUND else hi
        return Finding(kind=kind, severity="disclosure", table=by, cell=names[cell], witness=text, interval=(lo, end))

    audit = Audit(
        checked=(f"{by}: what people who know their own records in all tables learn ({named} named, {tried} others)",),
        figures={f"{by}: people tried over all tables": named + tried},
    )
    for kind in dict.fromkeys(kind for kind, _ in hits):
        own = [hit for hit in hits if hit[0] == kind]
        audit = audit.joined(listed(by, f"{kind}, all tables", own[:MOST_LISTED], tell, len(own)))
    return audit
