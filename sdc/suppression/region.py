"""What somebody who stands alone in several cells learns, read off labels instead of tried cell by cell.

They know their cells K, and with these all that lies within them: their *region*
O, which hangs together.  Take O away.  If every two nodes at its border can still
be reached from each other, every node reaches what it reached before, and

    another hidden cell is known to them  <=>  it makes up a cut with some cells of O
                                          <=>  its label is the exclusive or of theirs

(labels: `sdc.attack.cutpairs`).  For in a graph of which every part is reached from every
other, an arc that can be walked both ways lies on a cycle in one of them unless it
is a bridge, and one that can be walked one way lies on a cycle in any case.

Source: F. Boesch and R. Tindell, "Robbins's theorem for mixed multigraphs",
American Mathematical Monthly 87 (1980), 716–719.
"""

from typing import NamedTuple

import numpy as np

from sdc.compiled import lean
from sdc.suppression.claimants import changes, own_affair
from sdc.suppression.search import find_free

__all__ = ["MOST_RANK", "Region", "learned_off_labels", "make_region"]

# Regions whose labels have more than so many independent sums (2**n of them) are tried cell by cell.
MOST_RANK = 12
MOST_OWN = 64
MOST_BORDER = 128


class Region(NamedTuple):
    """Working memory: cells of a region and the room along them, nodes at its border, labels its cells span, what is learned."""

    own: np.ndarray
    room: np.ndarray
    border: np.ndarray
    basis: np.ndarray
    learned: np.ndarray
    most_rank: np.ndarray


def make_region(most_rank: int = MOST_RANK) -> Region:
    """Working memory; with a `most_rank` of 0 nothing is read off labels."""
    return Region(
        own=np.empty(MOST_OWN, np.int32),
        room=np.empty(2 * MOST_OWN, np.int64),
        border=np.empty(MOST_BORDER, np.int32),
        basis=np.empty(64, np.uint64),
        learned=np.empty(64, np.int32),
        most_rank=np.array([most_rank]),
    )


@lean
def learned_off_labels(arcs, s, region, known, start, stop, cells, number, label, alone, unit, column, above, level):  # type: ignore[no-untyped-def]
    """List in `region.learned` hidden cells that the claimant of ``known[start:stop]`` learns; how many, -1 if it must be tried.

    `cells` are hidden cells by ascending label, the first `number` of them; `label` is per cell.
    """
    many = _own_cells(arcs, s, region, known, start, stop, alone, unit, column, above, level)
    if many < 0:
        return np.int64(-1)
    rank = _span(region, many, label)
    if rank > region.most_rank[0]:
        return np.int64(-1)
    for k in range(2 * many):
        code = 2 * region.own[k >> 1] + (k & 1)
        region.room[k] = arcs.room[code]
        arcs.room[code] = 0
    around = _runs_around(arcs, s, region, many)
    found = np.int64(0)
    if around:
        sum_of = np.uint64(0)
        for step in range(1, 1 << rank):
            # Every sum once, each from the one before by one label (Gray's code).
            bit = 0
            while step >> bit & 1 == 0:
                bit += 1
            sum_of ^= region.basis[bit]
            place = _first_of(cells, number, label, sum_of)
            while place < number and label[cells[place]] == sum_of and found < len(region.learned):
                cell = cells[place]
                place += 1
                # Equal by chance, or in truth.
                if _is_own(region, many, cell) or changes(arcs, s, cell):
                    continue
                theirs = False
                for q in range(start, stop):
                    theirs = theirs or own_affair(cell, known[q], alone, unit, column, above, level)
                if not theirs:
                    region.learned[found] = cell
                    found += 1
    for k in range(2 * many):
        arcs.room[2 * region.own[k >> 1] + (k & 1)] = region.room[k]
    return found if around else np.int64(-1)


@lean
def _own_cells(arcs, s, region, known, start, stop, alone, unit, column, above, level):  # type: ignore[no-untyped-def]
    """List known cells and the hidden cells within them that hang together with them; how many, -1 for too many."""
    s.ticket[0] += 1
    now = s.ticket[0]
    many = 0
    nodes = 0
    done = 0
    for k in range(start, stop):
        for end in range(2):
            node = arcs.to[2 * known[k] + end]
            if node < arcs.border[0] and s.stamp[0, node] != now:
                s.stamp[0, node] = now
                s.queue[0, nodes] = node
                nodes += 1
        if not _is_own(region, many, known[k]):
            if many == len(region.own):
                return -1
            region.own[many] = known[k]
            many += 1
    while done < nodes:
        node = s.queue[0, done]
        done += 1
        for place in range(arcs.first[node], arcs.first[node] + arcs.open[node]):
            cell = arcs.codes[place] >> 1
            theirs = False
            for q in range(start, stop):
                theirs = theirs or own_affair(cell, known[q], alone, unit, column, above, level)
            if not theirs or _is_own(region, many, cell):
                continue
            if many == len(region.own):
                return -1
            region.own[many] = cell
            many += 1
            other = arcs.to[arcs.codes[place]]
            if other < arcs.border[0] and s.stamp[0, other] != now:
                s.stamp[0, other] = now
                s.queue[0, nodes] = other
                nodes += 1
    return many


@lean
def _is_own(region, many, cell):  # type: ignore[no-untyped-def]
    found = False
    for k in range(many):
        found = found or region.own[k] == cell
    return found


@lean
def _span(region, many, label):  # type: ignore[no-untyped-def]
    """Independent labels that those of the region's cells are sums of, in `basis`; how many."""
    rank = 0
    for k in range(many):
        left = label[region.own[k]]
        for b in range(rank):
            # Each keeps its highest bit to itself.
            if left ^ region.basis[b] < left:
                left ^= region.basis[b]
        if left == 0:
            continue
        if rank == len(region.basis):
            return rank + 1
        place = rank
        while place > 0 and region.basis[place - 1] < left:
            region.basis[place] = region.basis[place - 1]
            place -= 1
        region.basis[place] = left
        rank += 1
    return rank


@lean
def _runs_around(arcs, s, region, many):  # type: ignore[no-untyped-def]
    """Whether nodes at the held region's border can be reached from each other."""
    nodes = 0
    for k in range(many):
        for end in range(2):
            node = arcs.to[2 * region.own[k] + end]
            if node >= arcs.border[0]:
                continue
            listed = False
            for i in range(nodes):
                listed = listed or region.border[i] == node
            if listed:
                continue
            outside = False
            for place in range(arcs.first[node], arcs.first[node] + arcs.open[node]):
                outside = outside or not _is_own(region, many, arcs.codes[place] >> 1)
            if outside:
                if nodes == len(region.border):
                    return False
                region.border[nodes] = node
                nodes += 1
    for i in range(1, nodes):
        if find_free(arcs, s, region.border[0], region.border[i], np.int64(1)) < 0:
            return False
        if find_free(arcs, s, region.border[i], region.border[0], np.int64(1)) < 0:
            return False
    return True


@lean
def _first_of(cells, number, label, wanted):  # type: ignore[no-untyped-def]
    """The first place of a label among cells listed by label."""
    low, high = 0, number
    while low < high:
        middle = (low + high) // 2
        if label[cells[middle]] < wanted:
            low = middle + 1
        else:
            high = middle
    return low
