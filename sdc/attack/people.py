"""People who know their own records: who they are, and the joint cells that each of them stands in.

They are *named* (`Insider`), or everybody is asked for: each atom of area by each combination of the
categories that tables of one measure tell, which stands in one finest cell of each table.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np

from sdc.attack.joint import Joint
from sdc.attack.overlaps import Refined
from sdc.attack.pieces import Piece
from sdc.differencing.divisions import Identities
from sdc.system import measure_words

__all__ = ["Insider", "Person", "everybody", "kinds_of_people", "named_people", "person_of"]

# Combinations of atoms that are looked at at once, or one atom of area with all its combinations.
AT_ONCE = 50_000


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
    """One person of every kind that `kinds_of_people` tells; with the truth, whoever stands alone in a cell knows it."""
    for rows in kinds_of_people(joint, pieces):
        yield from (person_of(joint, row) for row in rows)


def person_of(joint: Joint, row: np.ndarray) -> Person:
    """Somebody who stands in these cells, and with the truth knows where they are alone."""
    cells = row[row >= 0].tolist()
    return Person(who="", number=1, cells=tuple((cell, bool(joint.truth[cell] == 1)) for cell in cells))


def kinds_of_people(joint: Joint, pieces: Sequence[Piece]) -> Iterator[np.ndarray]:
    """The finest cells, one of each table, that somebody stands in: every kind of people once, many at a time.

    int64 of shape (kinds, cells), each row ascending, with -1 before the cells of those who stand in fewer.
    Nobody is where a cell is known to be empty; with the truth only who may be there.
    """
    empty = (joint.hi < 1) | (joint.truth == 0)
    for measure in dict.fromkeys(piece.measure for piece in pieces):
        seen: set[bytes] = set()
        for cells in _Atoms.of(joint, pieces, measure).combinations():
            rows = _each_once(cells)
            rows = rows[(rows[:, -1:] >= 0).any(axis=1) & ~(empty[rows] & (rows >= 0)).any(axis=1)]
            words = [row.tobytes() for row in rows]
            new = [at for at, word in enumerate(words) if word not in seen]
            seen.update(words)
            if new:
                yield rows[new]


def _each_once(cells: np.ndarray) -> np.ndarray:
    """Rows as sets of cells, ascending behind -1 for what is missing; each set once, in the order of the rows."""
    rows = np.sort(cells, axis=1)
    rows[:, 1:][rows[:, 1:] == rows[:, :-1]] = -1
    rows = np.sort(rows, axis=1)
    first = np.sort(np.unique(rows, axis=0, return_index=True)[1])
    return np.asarray(rows[first])


@dataclass(frozen=True, kw_only=True, eq=False)
class _Atoms:
    """The atoms of every dimension of tables of one measure, and the finest cells that a combination of them stands in.

    Attributes
    ----------
    own : numbers of the pieces.
    atoms : by dimension, the words of its atoms: uint64 of shape (atoms, 2).
    places : by piece and dimension, the place of the finest unit of the piece that each atom lies in, -1 for none.
    index : finds joint cells by their identity.
    """

    joint: Joint
    pieces: Sequence[Piece]
    own: Sequence[int]
    atoms: Mapping[str, np.ndarray]
    places: Mapping[tuple[int, str], np.ndarray]
    index: Identities

    @classmethod
    def of(cls, joint: Joint, pieces: Sequence[Piece], measure: str) -> "_Atoms":
        own = [number for number, piece in enumerate(pieces) if piece.measure == measure]
        found: dict[tuple[int, str], dict[bytes, int]] = {}
        words: dict[str, dict[bytes, None]] = {}
        for piece in own:
            for name, refined in zip(_names(pieces[piece]), joint.axes[piece], strict=True):
                above = refined.axis.hierarchy.parents[0] if refined.added else np.arange(refined.axis.sizes[0])
                found[piece, name] = dict(zip(_words(refined), above.tolist(), strict=True))
                words.setdefault(name, {}).update(dict.fromkeys(found[piece, name]))
        return cls(
            joint=joint,
            pieces=pieces,
            own=own,
            atoms={name: np.frombuffer(b"".join(each), np.uint64).reshape(-1, 2) for name, each in words.items()},
            places={
                (piece, name): np.array([places.get(word, -1) for word in words[name]], np.int64)
                for (piece, name), places in found.items()
            },
            index=Identities(joint.system),
        )

    def combinations(self) -> Iterator[np.ndarray]:
        """The cells of every combination of atoms, some areas at a time: int64 of shape (combinations, cells), -1 for none."""
        sizes = {name: len(atoms) for name, atoms in self.atoms.items()}
        a_row = int(np.prod([size for name, size in sizes.items() if name]))
        step = max(AT_ONCE // max(a_row, 1), 1)
        for first in range(0, sizes[""], step):
            chosen = {name: np.arange(size) for name, size in sizes.items()}
            chosen[""] = chosen[""][first : first + step]
            shape = tuple(len(each) for each in chosen.values())
            columns = [np.broadcast_to(each, shape).ravel() for each in self._crossed(chosen)]
            yield np.stack(columns, axis=1)

    def cells(self, of: Mapping[str, int]) -> tuple[int, ...]:
        """The finest cells with these atoms, by their numbers, in tables of no other dimension; sorted."""
        chosen = {name: np.array([of[name]]) if name in of else np.empty(0, np.int64) for name in self.atoms}
        found = {int(cell) for cells in self._crossed(chosen) for cell in cells.ravel()}
        return tuple(sorted(found - {-1}))

    def _crossed(self, chosen: Mapping[str, np.ndarray]) -> Iterator[np.ndarray]:
        """Of each table the cell that each combination of the chosen atoms lies in, and its part with just these atoms.

        int64, of as many axes as there are dimensions, of length 1 along those that the table has not; -1 for none.
        """
        every = list(self.atoms)
        for piece in self.own:
            names = _names(self.pieces[piece])
            if any(not len(chosen[name]) for name in names):
                continue
            order = sorted(range(len(names)), key=lambda at: every.index(names[at]))
            shape = tuple(len(chosen[name]) if name in names else 1 for name in every)
            places = [self.places[piece, name][chosen[name]] for name in names]
            inside = reduce(np.logical_and.outer, [place >= 0 for place in places])
            cells = self.joint.places[piece][np.ix_(*(np.maximum(place, 0) for place in places))]
            words = measure_words(self.pieces[piece].measure)
            for name in names:
                words = words[..., None, :] + self.atoms[name][chosen[name]]
            parts = self.index.find(words.reshape(-1, 2)).reshape(inside.shape)
            for each in (cells, parts):
                yield np.where(inside, each, -1).transpose(order).reshape(shape)

    def crossed(self, entries: Sequence[tuple[int, Insider]]) -> tuple[int, ...]:
        """The cells of the one atom that is left in each dimension, where all entries are of the same people."""
        left: dict[str, set[int]] = {}
        for piece, one in entries:
            for name, refined, place in zip(_names(self.pieces[piece]), self.joint.axes[piece], one.place, strict=True):
                words = _atoms_in(refined, place + refined.added)
                within = {at for at, own in enumerate(self.atoms[name]) if own.tobytes() in words}
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
