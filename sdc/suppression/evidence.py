"""What changes of a cube prove of its hidden cells: how far each can move, and for whom.

A change that leaves all sums and all shown cells as they are is evidence: no
reader can tell the true table from the one it leads to.  The certificates of a
pattern are many such changes, and most hidden cells are moved by several.  So
it is settled for nearly all cells, without another search,

* how wide a cell is at least;
* that somebody who stands alone in some cells does not learn a cell: a change
  that moves it leaves what they know as it is.

What is left open is looked for by boxes over hidden cells
(`sdc.suppression.crossed`), and where nothing is found it becomes a demand.
Nothing is missed: every hidden cell is held against every lone claimant.  Cells
may be protected that were safe, where a change exists that is not found.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numba import njit

from sdc.attack.changes import Changes
from sdc.suppression.certificates import Sparse
from sdc.suppression.crossed import Crossed
from sdc.suppression.demands import Demands, Room
from sdc.suppression.insiders import persons_of
from sdc.system import CellSystem

__all__ = ["Claims", "changes_over", "gather", "learned_demands", "narrow_demands"]

NOTHING = np.empty(0, np.int64)


def gather(cube: Crossed, more: Iterable[Sparse] = ()) -> Changes:
    """The changes that certificates of a pattern are, and further ones."""
    held = (cube.held(number) for number in range(2 * len(cube.demands)))
    return Changes.of((*held, *more), len(cube.system))


def changes_over(system: CellSystem, hidden: np.ndarray, *, room: Room, cells: np.ndarray, min_count: int) -> Changes:
    """Changes of a cube over hidden cells (bool of shape (cells,)) that take small cells to 0 and to min_count, as far as found.

    For the attack on a pattern of which no certificates are at hand.
    """
    cube = Crossed(system, Demands.of(NOTHING), prices=np.ones(len(system)), may_hide=hidden, room=room)
    cube.hidden[:] = hidden | ~system.shown
    found: list[Sparse] = []
    with cube.hidden_alone():
        for cell in cells.tolist():
            x = int(system.counts[cell])
            for up, distance in ((True, min_count - x), (False, x)):
                change = cube.over_hidden(cell, up=up, distance=distance, known=NOTHING) if distance > 0 else None
                if change is not None:
                    found.append(change)
    return Changes.of(found, len(system))


def narrow_demands(cube: Crossed, evidence: Changes, min_count: int) -> Demands:
    """Demands for hidden cells that may look small and be narrow: width min_count - 1.

    A cell that holds 2 (min_count - 1) or more and may be below min_count is wide.
    Cells that have demands are left to these.
    """
    doubtful = cube.hidden & cube.system.shown & ~cube.always & (cube.system.counts < 2 * (min_count - 1))
    cells = np.flatnonzero(doubtful)
    fall, rise = evidence.reach(cells)
    return Demands.of(cells[fall + rise < min_count - 1], width=float(min_count - 1))


def learned_demands(cube: Crossed, evidence: Changes, claims: "Claims") -> tuple[Demands, list[Sparse]]:
    """Demands for cells that lone claimants learn as far as could be found, and the changes that clear others."""
    cells, persons = _open_questions(
        cube.hidden & cube.system.shown,
        claims.person,
        claims.first,
        claims.known,
        cube.frame.places,
        cube.frame.above,
        cube.frame.first,
        evidence.starts,
        evidence.cells,
        evidence.first,
        evidence.at,
    )
    found: list[Sparse] = []
    left: list[tuple[int, int]] = []
    with cube.hidden_alone():
        for cell, person in zip(cells.tolist(), persons.tolist(), strict=True):
            known = claims.hidden_by(person, cube.hidden)
            change = cube.over_hidden(cell, up=True, distance=1, known=known)
            if change is None and cube.bench.down[cell] > 0:
                change = cube.over_hidden(cell, up=False, distance=1, known=known)
            if change is None:
                left.append((cell, person))
            else:
                found.append(change)
    readers = sorted({person for _, person in left})
    at = np.array([cell for cell, _ in left], np.int64)
    demands = Demands(
        cells=at,
        lower=np.zeros(len(at)),
        upper=np.zeros(len(at)),
        width=np.ones(len(at)),
        reader=np.array([readers.index(person) for _, person in left], np.int64),
        knows=tuple(claims.hidden_by(person, cube.hidden) for person in readers),
    )
    return demands, found


@dataclass(frozen=True, kw_only=True, eq=False)
class Claims:
    """Who stands alone where: `person` per cell (-1 for nobody), and per person the cells they stand alone in."""

    person: np.ndarray
    first: np.ndarray
    known: np.ndarray

    @classmethod
    def of(cls, system: CellSystem) -> "Claims":
        """The lone claimants of a system."""
        alone = persons_of(system)
        cells = np.flatnonzero(alone >= 0)
        names, number = np.unique(alone[cells], return_inverse=True)
        person = np.full(len(alone), -1, np.int64)
        person[cells] = number
        order = np.argsort(number, kind="stable")
        lengths = np.bincount(number, minlength=len(names))
        return cls(person=person, first=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64), known=cells[order])

    def hidden_by(self, person: int, hidden: np.ndarray) -> np.ndarray:
        """The hidden cells that one person knows to hold them alone."""
        known = self.known[self.first[person] : self.first[person + 1]]
        return known[hidden[known]]


@njit(cache=True)
def _open_questions(asked, person, claim_first, known, places, above, axis_first, starts, cells, first, at):  # type: ignore[no-untyped-def]
    """Cells asked for (bool) and persons for whom no change moves the cell and leaves what they know: two int64 arrays."""
    held = 256
    found = np.empty((2, held), np.int64)
    number = 0
    for cell in range(len(asked)):
        if not asked[cell]:
            continue
        begin, end = first[cell], first[cell + 1]
        # Who is not touched by the first change learns nothing; without any change all questions about the cell are open
        # elsewhere: it has no interval to begin with.
        if begin == end:
            continue
        mark = number
        for k in range(starts[at[begin]], starts[at[begin] + 1]):
            who = person[cells[k]]
            if who < 0 or _own(cell, who, claim_first, known, places, above, axis_first):
                continue
            if _cleared(who, person, begin, end, starts, cells, at) or np.any(found[1, mark:number] == who):
                continue
            if number == held:
                held *= 2
                larger = np.empty((2, held), np.int64)
                larger[:, :number] = found[:, :number]
                found = larger
            found[0, number] = cell
            found[1, number] = who
            number += 1
    return found[0, :number].copy(), found[1, :number].copy()


@njit(cache=True)
def _cleared(who, person, begin, end, starts, cells, at):  # type: ignore[no-untyped-def]
    """Whether some change leaves all that a person knows as it is."""
    for change in at[begin:end]:
        touched = False
        for k in range(starts[change], starts[change + 1]):
            if person[cells[k]] == who:
                touched = True
                break
        if not touched:
            return True
    return False


@njit(cache=True)
def _own(cell, who, claim_first, known, places, above, axis_first):  # type: ignore[no-untyped-def]
    """Whether a cell lies within one that a person stands alone in."""
    for k in range(claim_first[who], claim_first[who + 1]):
        within = True
        for axis in range(places.shape[1]):
            place, target = places[cell, axis], places[known[k], axis]
            while place >= 0 and place != target:
                place = above[axis_first[axis] + place]
            if place != target:
                within = False
                break
        if within:
            return True
    return False
