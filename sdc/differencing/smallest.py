"""The smallest difference around every edge: how many people two divisions let the part of two zones hold at most.

A *difference* is a union of zones of one division less zones of the other that lie in
it.  With bounds lo <= total <= hi for every zone, its count is at most
Σ hi of the zones taken - Σ lo of those taken away.  The totals and edges of two divisions
are a circulation (a hub, an arc from it to each zone of the first division, the edges, an
arc from each zone of the second back), and by the theorem of maximum flow and
minimum cut (Ford & Fulkerson 1956)

    the most that an edge e can hold = the least such bound over all differences that contain e.

So one flow per edge, followed no further than `below`, finds the smallest
difference around it, however many zones that takes; nothing is enumerated.

**What is complete.**  Where every zone's total is either exact or not known at all (in
[0, no bound]), some set of edges is proven to hold 1 to below - 1 people if and
only if one of the differences found here is exactly so many: of a set Y so proven some edge e
can hold somebody, and no more than Y; its difference takes exact zones alone, and taking away
exact ones alone leaves it a number from 1 to below - 1.  With totals in intervals others may be
proven small too: `sdc.differencing.emptying` says whether there are any.
"""

from dataclasses import dataclass

import numpy as np
from numba import njit

from sdc.attack.bridges import arcs_by_node
from sdc.attack.intervals import NO_BOUND
from sdc.attack.maxflow import NoTable, Residual, feasible_residual
from sdc.attack.residual import shift
from sdc.differencing.members import Members
from sdc.differencing.zones import Zones
from sdc.network import Network

__all__ = ["NoTable", "Smallest", "circulation", "smallest_differences"]

# Zones of one difference that are told; a larger one is counted only.
MOST_ZONES = 200
CHUNK = 10_000


@dataclass(frozen=True, kw_only=True, eq=False)
class Smallest:
    """What was found around edges.

    Attributes
    ----------
    edges : int64 of shape (asked,), the edges asked.
    most : int64 of their shape, the most that each can hold, or `below` where that is as much or more.
    whole, less : per difference the zones taken and taken away; of each edge with most < below one, the same
        only once, but for those of a zone by itself.
    too_long : edges whose difference takes more than `MOST_ZONES` zones.
    """

    edges: np.ndarray
    most: np.ndarray
    whole: Members
    less: Members
    too_long: int


def smallest_differences(
    zones: Zones,
    lo: np.ndarray,
    hi: np.ndarray,
    *,
    below: int,
    start: np.ndarray | None = None,
    residual: Residual | None = None,
) -> Smallest:
    """The smallest difference around every edge whose zones overlap in part, where it is of fewer than `below` people.

    Parameters
    ----------
    lo, hi : bounds of every zone's total, int64 of shape (zones,); `NO_BOUND` for none.  Populations are given as lo = hi.
    start : counts of the edges, such as the true ones, int64 of shape (edges,).
    residual : their `circulation`, where the caller has use for it.

    Raises
    ------
    NoTable
        No counts fit the totals.
    """
    edges = np.flatnonzero(zones.partly)
    if not len(edges):
        nothing = Members.of([])
        return Smallest(edges=edges, most=np.empty(0, np.int64), whole=nothing, less=nothing, too_long=0)
    residual = circulation(zones, lo, hi, start) if residual is None else residual
    most = np.empty(len(edges), np.int64)
    seed = [np.empty(0, np.int64)]
    visited = []
    long = 0
    for first in range(0, len(edges), CHUNK):
        asked = edges[first : first + CHUNK]
        found = np.empty((len(asked), MOST_ZONES), np.int64)
        number, side = np.zeros(len(asked), np.int64), np.zeros(len(asked), np.int64)
        _follow(residual.graph, residual.state, asked, below, len(zones), most[first:], found, number, side)
        long += int((number > MOST_ZONES).sum())
        held = np.flatnonzero((number > 0) & (number <= MOST_ZONES))
        seed.append(np.where(side[held] == 1, zones.first[asked[held]], zones.second[asked[held]]))
        visited += [found[at, : number[at]] for at in held.tolist()]
    whole, less = _split(zones, Members.of(visited), np.concatenate(seed))
    return Smallest(edges=edges, most=most, whole=whole, less=less, too_long=long)


def circulation(zones: Zones, lo: np.ndarray, hi: np.ndarray, start: np.ndarray | None = None) -> Residual:
    """The circulation with counts that fit: the edges first, then an arc for each zone; raises `NoTable` where none do."""
    hub, firsts = len(zones), np.arange(len(zones)) < zones.sizes[0]
    inner = np.where(zones.first < 0, hub, zones.first), np.where(zones.second < 0, hub, zones.second)
    own = np.arange(len(zones))
    tails = np.concatenate([inner[0], np.where(firsts, hub, own)])
    heads = np.concatenate([inner[1], np.where(firsts, own, hub)])
    first_arc, arcs = arcs_by_node(tails, heads, hub + 1)
    network = Network(
        tails=tails.astype(np.int32),
        heads=heads.astype(np.int32),
        nodes=hub + 1,
        starts=np.array([0, len(tails)]),
        columns=1,
        first_arc=first_arc,
        arcs=arcs,
    )
    if start is None:
        start = np.zeros(len(inner[0]), np.int64)
        _fill(*inner, np.append(lo, NO_BOUND), start)
    totals = np.zeros(hub + 1, np.int64)
    np.add.at(totals, inner[0], start)
    np.add.at(totals, inner[1], start)
    lower = np.concatenate([np.zeros(len(start), np.int64), lo])
    upper = np.concatenate([np.full(len(start), NO_BOUND), hi])
    return feasible_residual(network, lower, upper, np.concatenate([start, totals[:hub]]))


@njit(cache=True)
def _fill(first, second, room, start):  # type: ignore[no-untyped-def]
    """Give every edge what both of its zones still have room for, one after the other."""
    left = room.copy()
    for edge in range(len(first)):
        give = min(left[first[edge]], left[second[edge]])
        start[edge] = give
        left[first[edge]] -= give
        left[second[edge]] -= give


@njit(cache=True)
def _follow(g, s, asked, below, hub, most, found, number, side):  # type: ignore[no-untyped-def]
    """Raise every asked edge until `below`; where that fails, note the zones on one side of the cut.

    side 1 is that of the edge's tail.  `number` tells how many zones there are, more than
    `found` has room for where it is too long.
    """
    for i in range(len(asked)):
        edge = asked[i]
        most[i] = below
        if s.most[edge] >= below:
            continue
        closed = shift(g, s, edge, True, below - s.flow[edge])[1]
        if closed == 0:
            continue
        most[i] = s.flow[edge]
        if most[i] == 0:
            continue
        own = -1 - closed
        # The hub's side holds everybody else: take the other one, which the search may not have walked to its end.
        if s.stamp[own, hub] == s.round[0]:
            own = 1 - own
            _walk_on(g, s, own, edge)
        number[i] = s.place[own, 1]
        side[i] = own
        for k in range(min(number[i], found.shape[1])):
            found[i, k] = s.queue[own, k]


@njit(cache=True)
def _walk_on(g, s, side, skip):  # type: ignore[no-untyped-def]
    """Go on with one side of a search that ended on the other."""
    now = s.round[0]
    while True:
        node = s.queue[side, s.place[side, 0]]
        if s.place[side, 2] == g.first_arc[node + 1]:
            s.place[side, 0] += 1
            if s.place[side, 0] == s.place[side, 1]:
                return
            s.place[side, 2] = g.first_arc[s.queue[side, s.place[side, 0]]]
            continue
        arc = g.arcs[s.place[side, 2]]
        s.place[side, 2] += 1
        cell = arc >> 1
        at_tail = (arc & 1) == 0
        room = s.upper[cell] - s.flow[cell] if at_tail == (side == 0) else s.flow[cell] - s.lower[cell]
        other = g.heads[cell] if at_tail else g.tails[cell]
        if cell == skip or room <= 0 or s.stamp[side, other] == now:
            continue
        s.stamp[side, other] = now
        s.queue[side, s.place[side, 1]] = other
        s.place[side, 1] += 1


def _split(zones: Zones, visited: Members, seed: np.ndarray) -> tuple[Members, Members]:
    """Zones of the seed's division are taken, those of the other taken away; equal ones once, zones by themselves not."""
    taken = (visited.items < zones.sizes[0]) == (seed[visited.rows] < zones.sizes[0])
    whole, less = visited.kept(taken), visited.kept(~taken)
    words = whole.sums(zones.words) - less.sums(zones.words)
    once = np.zeros(len(visited), np.bool_)
    once[np.unique(words, return_index=True)[1]] = True
    once &= less.lengths > 0
    return whole.chosen(once), less.chosen(once)
