"""Lone claimants: what somebody who stands alone in a hidden cell learns of others, and the cells that stop it.

Whoever stands alone in a cell knows that it is 1.  If another hidden cell is
known then, they have learned it.  For one known cell that is so if and only if
the two are a cut pair of the graph of hidden cells (`sdc.attack.cutpairs`;
negative counts, which flows forbid and cuts do not, cannot matter: the known cell is itself
protected, so whatever ran over it can run around it).  Who stands alone in several cells, such as
the only claimant of their area, knows all of these (`sdc.suppression.region`); where that leaves a
question open, each other cell of the same block is tried by a flow.

Cells that the claimant stands alone in do not count (methods 10.12), nor do
cells that lie within a cell known to be theirs alone.
"""

from dataclasses import dataclass

import numpy as np

from sdc.attack.cutpairs import cut_classes, cut_labels
from sdc.compiled import lean
from sdc.network import Network
from sdc.suppression.arcs import Arcs
from sdc.suppression.claimants import Claimants, changes, hold, own_affair, release
from sdc.suppression.meeting import NO_LIMIT
from sdc.suppression.mending import mend_one
from sdc.suppression.region import Region, learned_off_labels, make_region
from sdc.suppression.search import Scratch

__all__ = ["Exposed", "find_exposed", "hide_from_claimants"]

# Cells known to lone claimants that are held against one cell at a time; the others wait for the next round.
KNOWN = 4
# Cells of its block that a claimant of several cells is tried on.
MOST_TRIED = 4096


@dataclass(frozen=True, kw_only=True, eq=False)
class Exposed:
    """Cells that lone claimants learn.

    Attributes
    ----------
    cell : int32 of shape (n,), cells learned.
    first, known : what the claimants know: cells ``known[first[i]:first[i + 1]]`` of entry i.
    together : bool of shape (n,): whether these are cells of one claimant, who knows all of
        them, or one of each of several claimants.
    untried : lone claimants of several cells whose block was too large to try in full.
    """

    cell: np.ndarray
    first: np.ndarray
    known: np.ndarray
    together: np.ndarray
    untried: int = 0

    def __len__(self) -> int:
        return len(self.cell)

    @classmethod
    def nobody(cls) -> "Exposed":
        """Nothing learned."""
        none = np.zeros(0, np.int32)
        return cls(cell=none, first=np.zeros(1, np.int64), known=none, together=np.zeros(0, np.bool_))

    def joined(self, other: "Exposed") -> "Exposed":
        """Both as one."""
        return Exposed(
            cell=np.concatenate([self.cell, other.cell]),
            first=np.concatenate([self.first, self.first[-1] + other.first[1:]]),
            known=np.concatenate([self.known, other.known]),
            together=np.concatenate([self.together, other.together]),
            untried=self.untried + other.untried,
        )


def find_exposed(
    network: Network,
    arcs: Arcs,
    scratch: Scratch,
    claimants: Claimants,
    words: np.ndarray,
    region: Region | None = None,
) -> Exposed:
    """Cells that some lone claimant learns from the cells hidden now.

    `words` are random 64-bit words, uint64 of shape (cells,).
    """
    hidden = np.flatnonzero(arcs.hidden).astype(np.int32)
    tails, heads = network.tails[hidden], network.heads[hidden]
    labels = cut_labels(tails, heads, network.nodes, words[hidden])
    single = _learned_from_one(hidden, labels, claimants)
    several = _learned_from_several(arcs, scratch, hidden, labels, claimants, region or make_region())
    return single.joined(several)


def _learned_from_one(hidden: np.ndarray, labels: np.ndarray, claimants: Claimants) -> Exposed:
    """Cut pairs with a known cell."""
    members, first = cut_classes(labels)
    sizes = np.diff(first)
    cells = hidden[members]
    of_class = np.repeat(np.arange(len(sizes)), sizes)
    ones = np.bincount(of_class[claimants.alone[cells] >= 0], minlength=len(sizes))
    kept = ((sizes > 1) & (ones > 0))[of_class]
    cells, of_class = cells[kept], of_class[kept]
    # Within a class, those known to somebody first.
    order = np.lexsort((cells, claimants.alone[cells] < 0, of_class))
    cells, of_class = cells[order], of_class[order]
    starts = np.searchsorted(of_class, of_class)
    found = np.full((len(cells), KNOWN), -1, np.int32)
    _pair(cells, starts, *_arrays(claimants), found)
    learned = found[:, 0] >= 0
    number = (found[learned] >= 0).sum(axis=1)
    known = found[learned]
    return Exposed(
        cell=cells[learned],
        first=np.concatenate([[0], np.cumsum(number)]),
        known=known[known >= 0],
        together=np.zeros(len(number), np.bool_),
    )


def _learned_from_several(
    arcs: Arcs, scratch: Scratch, hidden: np.ndarray, labels: np.ndarray, claimants: Claimants, region: Region
) -> Exposed:
    """Cells that become known to claimants who stand alone in several cells."""
    known = hidden[claimants.alone[hidden] >= 0]
    known = known[np.argsort(claimants.alone[known], kind="stable")]
    at = np.flatnonzero(np.diff(claimants.alone[known], prepend=-1))
    number = np.diff(at, append=len(known))
    at, number = at[number > 1], number[number > 1]
    label = np.zeros(len(arcs.hidden), np.uint64)
    label[hidden] = labels
    by_label = hidden[np.argsort(labels, kind="stable")]
    near = np.empty(MOST_TRIED, np.int32)
    room = 64
    while True:
        found = np.empty((room, 2), np.int32)
        total, untried = _try_several(
            arcs, scratch, region, known, at, number, by_label, label, near, *_arrays(claimants), found
        )
        if total <= room:
            break
        room = total
    who, cell = found[:total, 0], found[:total, 1]
    first = np.concatenate([[0], np.cumsum(number[who])])
    places = np.arange(first[-1]) - np.repeat(first[:-1] - at[who], number[who])
    return Exposed(cell=cell, first=first, known=known[places], together=np.ones(total, np.bool_), untried=int(untried))


def _arrays(claimants: Claimants) -> tuple[np.ndarray, ...]:
    return claimants.alone, claimants.unit, claimants.column, claimants.above, claimants.level


def hide_from_claimants(arcs: Arcs, scratch: Scratch, exposed: Exposed) -> tuple[np.ndarray, np.ndarray]:
    """Hide the cheapest cells that let every exposed cell change while what is known stays as it is.

    Returns the cells hidden, and which entries could not be mended (bool).
    """
    added = np.empty(len(arcs.hidden), np.int32)
    unmended = np.zeros(len(exposed), np.bool_)
    number = _mend(arcs, scratch, exposed.cell, exposed.first, exposed.known, exposed.together, added, unmended)
    return added[:number].copy(), unmended


@lean
def _pair(cells, starts, alone, unit, column, above, level, found):  # type: ignore[no-untyped-def]
    """For each cell of a class, up to `KNOWN` cells of the class whose claimants learn it."""
    for i in range(len(cells)):
        number = 0
        j = starts[i]
        while j < len(cells) and starts[j] == starts[i] and alone[cells[j]] >= 0 and number < found.shape[1]:
            if j != i and not own_affair(cells[i], cells[j], alone, unit, column, above, level):
                found[i, number] = cells[j]
                number += 1
            j += 1


@lean
def _try_several(  # type: ignore[no-untyped-def]
    arcs, s, region, known, at, number, by_label, label, near, alone, unit, column, above, level, found
):
    """Cells that claimants of several cells learn: (claimant, cell) in `found` as far as it reaches; how many, and untried."""
    total = 0
    untried = 0
    for i in range(len(at)):
        start, stop = at[i], at[i] + number[i]
        read = learned_off_labels(
            arcs, s, region, known, start, stop, by_label, len(by_label), label, alone, unit, column, above, level
        )
        if read >= 0:
            for p in range(read):
                if total < len(found):
                    found[total, 0] = i
                    found[total, 1] = region.learned[p]
                total += 1
            continue
        many = _cells_around(arcs, s, known, start, stop, near)
        if many < 0:
            untried += 1
            continue
        hold(arcs, s, known, start, stop)
        for p in range(many):
            theirs = False
            for q in range(start, stop):
                theirs = theirs or own_affair(near[p], known[q], alone, unit, column, above, level)
            if not theirs and not changes(arcs, s, near[p]):
                if total < len(found):
                    found[total, 0] = i
                    found[total, 1] = near[p]
                total += 1
        release(arcs, s, known, start, stop)
    return total, untried


@lean
def _cells_around(arcs, s, known, start, stop, near):  # type: ignore[no-untyped-def]
    """List the hidden cells that hang together with known ones; how many, or -1 where they are more than `near` holds."""
    s.ticket[0] += 1
    now = s.ticket[0]
    many = 0
    done = 0
    nodes = 0
    for k in range(start, stop):
        node = arcs.to[2 * known[k]]
        if node >= arcs.border[0]:
            node = arcs.to[2 * known[k] + 1]
        if s.stamp[0, node] != now:
            s.stamp[0, node] = now
            s.queue[0, nodes] = node
            nodes += 1
        while done < nodes:
            node = s.queue[0, done]
            done += 1
            if node >= arcs.border[0]:
                continue
            for place in range(arcs.first[node], arcs.first[node] + arcs.open[node]):
                code = arcs.codes[place]
                # Each cell is met from both ends, and listed at its tail, or at its head where its tail is left out.
                if code & 1 == 0 or arcs.to[code] >= arcs.border[0]:
                    if many == len(near):
                        return -1
                    near[many] = code >> 1
                    many += 1
                other = arcs.to[code]
                if s.stamp[0, other] != now:
                    s.stamp[0, other] = now
                    s.queue[0, nodes] = other
                    nodes += 1
    return many


@lean
def _mend(arcs, s, cells, first, known, together, added, unmended):  # type: ignore[no-untyped-def]
    number = np.int64(0)
    limit = np.int64(NO_LIMIT)
    for i in range(len(cells)):
        before = number
        mended, number, _ = mend_one(arcs, s, cells[i], known, first[i], first[i + 1], limit, added, number)
        if not mended and not together[i]:
            # What several claimants know is not known to one: one after the other.
            mended = True
            for k in range(first[i], first[i + 1]):
                one, number, _ = mend_one(arcs, s, cells[i], known, k, k + 1, limit, added, number)
                mended = mended and one
        unmended[i] = not mended and number == before
    return number
