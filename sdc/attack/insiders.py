"""What people learn who know their own records, over all tables together.

Somebody who is counted knows one cell of every table that they stand in: that it is at least 1, and so is all
that contains it.  A group of k who know each other knows that it is at least k; who knows that nobody else stands
there knows the cell.  With those bounds the joint system is attacked once more.  As the promise says, they may

* learn no other cell exactly.  Cells that hold nobody else are their own affair, and so is what
  lies within a cell that they know to be theirs alone;
* learn too little of what remains of their own cells: the count less k, where it may be small, must leave 0 or
  a value >= min_count, and be no more than k narrower than the promised width.

People are *named* (`Insider`), or everybody is tried: each atom of area by each combination of the
categories that tables of one measure tell, which stands in one finest cell of each.  That is exact, and
asks for as many attacks as there are such people, so that it is done on small systems only; how many were left out is
told.  With the truth, somebody who stands alone in a cell knows that it is 1.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from sdc.attack.elimination import find_blocks
from sdc.attack.intervals import NO_BOUND
from sdc.attack.joint import Joint
from sdc.attack.listing import MOST_LISTED, listed
from sdc.attack.narrowing import NoSolution, narrow
from sdc.attack.overlaps import Refined
from sdc.attack.pieces import Piece
from sdc.attack.programmes import feasible_intervals
from sdc.attack.witness import between
from sdc.findings import Audit, Finding
from sdc.system import measure_words
from sdc.tables import NOT_PUBLISHED

__all__ = ["MOST_TRIED", "Insider", "Person", "audit_insiders", "everybody", "learned", "named_people"]

# Of everybody so many are tried that their blocks of open cells come to no more than this together.
MOST_TRIED = 3_000
# Blocks of more open cells are searched in neighbourhoods of so many.
MOST_CELLS = 240
# Those who are left out are counted up to so many.
MANY = 5_000

Bounds = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True, kw_only=True)
class Insider:
    """People who know that they are counted at one place of one table.

    Attributes
    ----------
    place : of the piece, one index for each axis.
    number : how many they are.
    alone : whether they know that nobody else is counted there.
    who : what to call them; entries of one name are the same people, in whatever table.
    """

    place: tuple[int, ...]
    number: int = 1
    alone: bool = False
    who: str = ""

    def __post_init__(self) -> None:
        if self.number < 1:
            raise ValueError(f"number ({self.number}) must be at least 1")


@dataclass(frozen=True, kw_only=True)
class Person:
    """People with all joint cells that they know themselves to be in: each cell, and whether nobody else is."""

    who: str
    number: int
    cells: tuple[tuple[int, bool], ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Learned:
    """What people learn: cells that they know exactly, and own cells of which too little remains."""

    exact: np.ndarray
    values: np.ndarray
    bare: np.ndarray
    bounds: Bounds


def named_people(joint: Joint, pieces: Sequence[Piece], insiders: Mapping[int, Sequence[Insider]]) -> list[Person]:
    """Insiders by number of their piece, put together by name; where one atom is in all that they say, they know it too.

    Raises
    ------
    ValueError
        Entries of one name are of different numbers of people.
    """
    found: dict[str, list[tuple[int, Insider]]] = {}
    for piece, entries in insiders.items():
        for at, one in enumerate(entries):
            found.setdefault(one.who or f"insider {piece + 1}.{at + 1}", []).append((piece, one))
    people = []
    for who, entries_of in found.items():
        if len({one.number for _, one in entries_of}) > 1:
            raise ValueError(f"number must be the same in all entries of {who}")
        cells = dict.fromkeys(_crossed_cells(joint, pieces, entries_of), False)
        for piece, one in entries_of:
            cell = int(joint.places[piece][one.place])
            cells[cell] = cells.get(cell, False) or one.alone
        cells.pop(-1, None)
        if cells:
            people.append(Person(who=who, number=entries_of[0][1].number, cells=tuple(sorted(cells.items()))))
    return people


def _crossed_cells(joint: Joint, pieces: Sequence[Piece], entries: Sequence[tuple[int, Insider]]) -> list[int]:
    """What entries of the same people say together, measure by measure."""
    found: list[int] = []
    for measure in dict.fromkeys(pieces[piece].measure for piece, _ in entries):
        own = [entry for entry in entries if pieces[entry[0]].measure == measure]
        found += _Atoms.of(joint, pieces, measure).crossed(own)
    return found


def everybody(joint: Joint, pieces: Sequence[Piece]) -> Iterator[Person]:
    """One person of every kind that tables of one measure tell of: they stand in a finest cell of each table.

    Of those with the same cells, one.  With the truth only people who may be there, and whoever stands alone in a cell knows it.
    """
    for measure in dict.fromkeys(piece.measure for piece in pieces):
        seen: set[tuple[int, ...]] = set()
        for cells in _Atoms.of(joint, pieces, measure).combinations():
            if not cells or cells in seen:
                continue
            seen.add(cells)
            here = np.array(cells)
            if (joint.hi[here] < 1).any() or (joint.truth[here] == 0).any():
                continue
            yield Person(who="", number=1, cells=tuple((cell, bool(joint.truth[cell] == 1)) for cell in cells))


@dataclass(frozen=True, kw_only=True, eq=False)
class _Atoms:
    """The atoms of every dimension of tables of one measure, and the finest cells that a combination of them stands in.

    Attributes
    ----------
    own : numbers of the pieces.
    places : by piece and dimension, the place of the finest unit of the piece that each atom (by its words) lies in.
    index : joint cells by their identity.
    """

    joint: Joint
    pieces: Sequence[Piece]
    own: Sequence[int]
    places: Mapping[tuple[int, str], Mapping[bytes, int]]
    index: Mapping[bytes, int]

    @classmethod
    def of(cls, joint: Joint, pieces: Sequence[Piece], measure: str) -> "_Atoms":
        own = [number for number, piece in enumerate(pieces) if piece.measure == measure]
        places: dict[tuple[int, str], dict[bytes, int]] = {}
        for piece in own:
            for name, refined in zip(_names(pieces[piece]), joint.axes[piece], strict=True):
                above = refined.axis.hierarchy.parents[0] if refined.added else np.arange(refined.axis.sizes[0])
                places[piece, name] = dict(zip(_words(refined), above.tolist(), strict=True))
        assert joint.system.identity is not None
        index = {words.tobytes(): cell for cell, words in enumerate(joint.system.identity)}
        return cls(joint=joint, pieces=pieces, own=own, places=places, index=index)

    def combinations(self) -> Iterator[tuple[int, ...]]:
        """The cells of every combination of atoms."""
        atoms: dict[str, dict[bytes, None]] = {}
        for (_, name), places in self.places.items():
            atoms.setdefault(name, {}).update(dict.fromkeys(places))
        for combination in product(*atoms.values()):
            yield self.cells(dict(zip(atoms, combination, strict=True)))

    def cells(self, of: Mapping[str, bytes]) -> tuple[int, ...]:
        """The finest cells with these atoms, and what no division cuts of them, in tables of no other dimension; sorted."""
        measure = measure_words(self.pieces[self.own[0]].measure)
        cells = set()
        for piece in self.own:
            names = _names(self.pieces[piece])
            place = tuple(self.places[piece, name].get(of.get(name, b""), -1) for name in names)
            if min(place) >= 0:
                atoms = [np.frombuffer(of[name], np.uint64) for name in names]
                words = measure + np.sum(atoms, axis=0, dtype=np.uint64)
                cells |= {int(self.joint.places[piece][place]), self.index.get(words.tobytes(), -1)}
        return tuple(sorted(cells - {-1}))

    def crossed(self, entries: Sequence[tuple[int, Insider]]) -> tuple[int, ...]:
        """The cells of the one atom that is left in each dimension, where all entries are of the same people."""
        left: dict[str, set[bytes]] = {}
        for piece, one in entries:
            for name, refined, place in zip(_names(self.pieces[piece]), self.joint.axes[piece], one.place, strict=True):
                within = _atoms_in(refined, place + refined.added)
                left[name] = left[name] & within if name in left else within
        return self.cells({name: next(iter(atoms)) for name, atoms in left.items() if len(atoms) == 1})


def _words(refined: Refined) -> list[bytes]:
    """What each atom of an axis is known by, in every table."""
    return [refined.words[at].tobytes() for at in range(refined.axis.sizes[0])]


def _atoms_in(refined: Refined, place: int) -> set[bytes]:
    """The atoms at a place of an axis."""
    words, starts = np.array(_words(refined), object), refined.axis.starts
    level = int(np.searchsorted(starts, place, side="right")) - 1
    if level >= len(refined.axis.hierarchy.levels):  # the total
        return set(words.tolist())
    inside = refined.axis.hierarchy.ancestors(0, level) == place - int(starts[level])
    return set(words[inside].tolist())


def _names(piece: Piece) -> tuple[str, ...]:
    return ("", *piece.dimensions)


def learned(
    joint: Joint, person: Person, before: Bounds, *, min_count: int, width: int, most_cells: int | None = MOST_CELLS
) -> Learned | None:
    """What people learn who know their own cells; `before` is what outsiders know of all cells.  None where they cannot be there.

    A count x is *small* where 1 <= x <= min_count - 1; `width` is the promised hi - lo of a small count's interval.
    """
    equations = joint.system.equations
    lo, hi = before[0].copy(), before[1].copy()
    for cell, alone in person.cells:
        lo[cell] = max(lo[cell], person.number)
        hi[cell] = min(hi[cell], person.number) if alone else hi[cell]
    if (lo > hi).any():
        return None
    asked = _Blocks.find(joint, before).around([cell for cell, _ in person.cells])
    try:
        found = feasible_intervals(equations, lo, hi, asked=asked, most_cells=most_cells)
    except NoSolution:
        return None
    lo[asked], hi[asked] = found.lo, found.hi
    around, within = _reached(joint, [cell for cell, _ in person.cells]), _within(joint, person)
    theirs = (around & (lo == person.number) & (hi == person.number)) | within
    exact = asked[(lo[asked] == hi[asked]) & ~theirs[asked]]
    rest_lo, rest_hi = np.maximum(lo, person.number) - person.number, hi - person.number
    small = (before[0] < min_count) & (before[1] >= 1) & around & ~theirs
    if (joint.truth >= 0).any():
        small &= (joint.truth < 0) | ((joint.truth >= 1) & (joint.truth < min_count))
    bare = ((rest_lo > 0) & (rest_hi < min_count)) | (rest_hi - rest_lo < width - person.number)
    return Learned(
        exact=exact, values=lo[exact], bare=np.flatnonzero(small & bare & (before[0] < before[1])), bounds=(lo, hi)
    )


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
        people, left_out = _chosen(joint, pieces, named, blocks, most_tried if all_people else 0)
        before = _outsiders(joint, narrowed, blocks, people)
    except NoSolution:
        return Audit()  # a contradiction, which the attack has told
    judged = _judged(joint, pieces, public)
    hits: dict[tuple[str, int], tuple[Person, Learned]] = {}
    for person in people:
        found = learned(joint, person, before, min_count=min_count, width=width)
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
    """Open cells that hang together: the block of each cell, -1 for one that is known, and the cells of each block."""

    of: np.ndarray
    cells: tuple[np.ndarray, ...]

    @classmethod
    def find(cls, joint: Joint, bounds: Bounds) -> "_Blocks":
        blocks = find_blocks(joint.system.equations, *bounds, np.ones(len(joint.system), np.bool_))
        of = np.full(len(joint.system), -1, np.int64)
        for number, block in enumerate(blocks):
            of[block.cells] = number
        return cls(of=of, cells=tuple(block.cells for block in blocks))

    def around(self, cells: Sequence[int]) -> np.ndarray:
        """Open cells of the blocks that some cells lie in: nothing else hangs on what is known of these."""
        chosen = sorted({int(self.of[cell]) for cell in cells} - {-1})
        return np.sort(np.concatenate([np.empty(0, np.int64), *(self.cells[number] for number in chosen)]))


def _chosen(
    joint: Joint, pieces: Sequence[Piece], named: Sequence[Person], blocks: _Blocks, most_tried: int
) -> tuple[list[Person], int]:
    """Named people, and as many others as may be tried; how many are left out, counted up to some thousand."""
    people, left_out = [*named], 0
    if not most_tried:
        return people, 0
    for person in everybody(joint, pieces):
        work = len(blocks.around([cell for cell, _ in person.cells]))
        if not work:
            continue  # all that they know of themselves is known
        if work <= most_tried:
            people.append(person)
            most_tried -= work
        elif left_out < MANY:
            left_out += 1
        else:
            break
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
