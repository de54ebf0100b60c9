"""Compiled walks on the residual graph of a circulation with bounds.

Arcs are cells; an arc with flow x and bounds l <= x <= u can carry u - x more
along itself and x - l back.  Any feasible flow is as good a starting point as
any other, so nothing is undone between questions: a pushed flow stays, and
every value an arc was seen to take is noted, so that many questions answer
themselves.

Searches go from both ends at once, an arc at a time, and stop when they meet or
when either side has nowhere to go.  A cell that is held by a few published
sums is then settled by looking at those sums alone, not at the whole country.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

__all__ = ["Graph", "State", "mend_downhill", "mend_nearby", "repair", "search", "shift", "shut_in", "tighten"]

# Nodes that each surplus is sent to look at, at most, round after round, before all of them are looked at together.
NEARBY = (50, 1000)
# Arcs on the longest way that is looked for from there on, round after round, before it is asked whether there is any.
FURTHEST = (6, 10, 14, 20, 40, 100)


class Graph(NamedTuple):
    """The network's arrays: tails, heads int32; adjacency as in `sdc.network.Network`."""

    tails: np.ndarray
    heads: np.ndarray
    first_arc: np.ndarray
    arcs: np.ndarray


class State(NamedTuple):
    """Flow and bounds per arc, and the searches' scratch space per node.

    flow, lower, upper, least, most : int64 per arc; `least` and `most` are the
        smallest and largest flow seen so far.
    stamp, via : int64 of shape (2, nodes); queue : int32 of shape (2, nodes);
        first index 0 is the search from the source, 1 the one from the target.
        A stamp equal to the number of the present search means visited.
    place : int64 of shape (2, 4): per side head and tail of its queue, next
        arc, arcs looked at.
    round : int64 of shape (2,), the number of the present search, and arcs looked at in all.
    """

    flow: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    least: np.ndarray
    most: np.ndarray
    stamp: np.ndarray
    via: np.ndarray
    queue: np.ndarray
    place: np.ndarray
    round: np.ndarray


@njit(cache=True)
def search(g, s, source, target, skip):  # type: ignore[no-untyped-def]
    """Find a residual path from source to target that avoids arc `skip`.

    Returns the node where both searches met, or -1 (-2) where the search from
    the source (target) has nowhere to go: its queue is then the closed side of a cut.
    """
    s.round[0] += 1
    now = s.round[0]
    for side in range(2):
        start = source if side == 0 else target
        s.stamp[side, start] = now
        s.via[side, start] = -1
        s.queue[side, 0] = start
        s.place[side, 0] = 0
        s.place[side, 1] = 1
        s.place[side, 2] = g.first_arc[start]
        s.place[side, 3] = 0
    if source == target:
        return source
    while True:
        side = 0 if s.place[0, 3] <= s.place[1, 3] else 1
        node = s.queue[side, s.place[side, 0]]
        if s.place[side, 2] == g.first_arc[node + 1]:
            s.place[side, 0] += 1
            if s.place[side, 0] == s.place[side, 1]:
                return -1 - side
            s.place[side, 2] = g.first_arc[s.queue[side, s.place[side, 0]]]
            continue
        arc = g.arcs[s.place[side, 2]]
        s.place[side, 2] += 1
        s.place[side, 3] += 1
        s.round[1] += 1
        cell = arc >> 1
        if cell == skip:
            continue
        at_tail = (arc & 1) == 0
        if at_tail == (side == 0):
            room = s.upper[cell] - s.flow[cell]
        else:
            room = s.flow[cell] - s.lower[cell]
        if room <= 0:
            continue
        other = g.heads[cell] if at_tail else g.tails[cell]
        if s.stamp[side, other] == now:
            continue
        s.stamp[side, other] = now
        s.via[side, other] = arc
        if s.stamp[1 - side, other] == now:
            return other
        s.queue[side, s.place[side, 1]] = other
        s.place[side, 1] += 1


@njit(cache=True)
def shift(g, s, cell, up, limit):  # type: ignore[no-untyped-def]
    """Raise (or lower) the flow of one arc by as much as the rest allows, at most `limit`.

    Returns how far it moved, and 0 where the limit was reached, else which side of
    the last search closed (-1 or -2, see `search`).
    """
    source = g.heads[cell] if up else g.tails[cell]
    target = g.tails[cell] if up else g.heads[cell]
    sign = 1 if up else -1
    moved = 0
    while moved < limit:
        meet = search(g, s, source, target, cell)
        if meet < 0:
            return moved, meet
        push = limit - moved
        for side in range(2):
            node = meet
            while s.via[side, node] >= 0:
                arc = s.via[side, node]
                one = arc >> 1
                at_tail = (arc & 1) == 0
                room = s.upper[one] - s.flow[one] if at_tail == (side == 0) else s.flow[one] - s.lower[one]
                push = min(push, room)
                node = g.tails[one] if at_tail else g.heads[one]
        for side in range(2):
            node = meet
            while s.via[side, node] >= 0:
                arc = s.via[side, node]
                one = arc >> 1
                at_tail = (arc & 1) == 0
                s.flow[one] += push if at_tail == (side == 0) else -push
                s.least[one] = min(s.least[one], s.flow[one])
                s.most[one] = max(s.most[one], s.flow[one])
                node = g.tails[one] if at_tail else g.heads[one]
        s.flow[cell] += sign * push
        s.least[cell] = min(s.least[cell], s.flow[cell])
        s.most[cell] = max(s.most[cell], s.flow[cell])
        moved += push
    return moved, 0


@njit(cache=True)
def tighten(g, s, asked, enough, width, lo, hi, exact):  # type: ignore[no-untyped-def]
    """Tight lower and upper bound of each asked arc, written to lo, hi, exact.

    Upper bounds are not followed beyond max(enough, lo + width): where that is
    reached and the arc's own bound is higher, hi is that bound and exact False.
    """
    for i in range(len(asked)):
        cell = asked[i]
        lower = s.lower[cell]
        upper = s.upper[cell]
        lo[i] = lower
        hi[i] = upper
        exact[i] = True
        if g.tails[cell] == g.heads[cell]:
            continue
        if s.least[cell] > lower:
            shift(g, s, cell, False, s.flow[cell] - lower)
            lo[i] = s.least[cell]
        stop = min(upper, max(enough, lo[i] + width))
        closed = 0
        if s.most[cell] < stop:
            closed = shift(g, s, cell, True, stop - s.flow[cell])[1]
        if closed < 0:
            hi[i] = s.most[cell]
        elif stop < upper:
            exact[i] = False


@njit(cache=True)
def shut_in(g, s, insiders, open_cells, found):  # type: ignore[no-untyped-def]
    """Cells whose value becomes certain to an insider who knows that arc `insiders[i]` is at least 1.

    Looked at: the arcs at both ends of the insider's arc for which `open_cells` is
    True (uncertain to an outsider), but their own.  (insider, cell, value) goes to
    `found`, which must have room for every arc looked at; returns how many.
    """
    number = 0
    for i in range(len(insiders)):
        own = insiders[i]
        if s.flow[own] == 0 and shift(g, s, own, True, 1)[0] == 0:
            continue
        lower = s.lower[own]
        s.lower[own] = 1
        for end in range(2):
            node = g.tails[own] if end == 0 else g.heads[own]
            for j in range(g.first_arc[node], g.first_arc[node + 1]):
                cell = g.arcs[j] >> 1
                if cell == own or not open_cells[cell] or g.tails[cell] == g.heads[cell]:
                    continue
                if s.flow[cell] < s.upper[cell] and shift(g, s, cell, True, 1)[0] == 1:
                    continue
                if s.flow[cell] > s.lower[cell] and shift(g, s, cell, False, 1)[0] == 1:
                    continue
                found[number, 0] = own
                found[number, 1] = cell
                found[number, 2] = s.flow[cell]
                number += 1
        s.lower[own] = lower
    return number


@njit(cache=True)
def mend_nearby(g, flow, lower, upper, excess, most):  # type: ignore[no-untyped-def]
    """Send what each surplus node has along shortest residual paths to nodes that lack something, in place.

    A search that has visited `most` nodes is given up.
    """
    stamp = np.full(len(excess), -1, np.int32)
    via = np.empty(len(excess), np.int64)
    queue = np.empty(most + 1, np.int32)
    searches = 0
    for source in range(len(excess)):
        while excess[source] > 0:
            stamp[source] = searches
            queue[0] = source
            head, filled, target = 0, 1, -1
            while head < filled and filled <= most and target < 0:
                node = queue[head]
                head += 1
                for j in range(g.first_arc[node], g.first_arc[node + 1]):
                    arc = g.arcs[j]
                    cell = arc >> 1
                    at_tail = (arc & 1) == 0
                    room = upper[cell] - flow[cell] if at_tail else flow[cell] - lower[cell]
                    other = g.heads[cell] if at_tail else g.tails[cell]
                    if room <= 0 or stamp[other] == searches:
                        continue
                    stamp[other] = searches
                    via[other] = arc
                    if excess[other] < 0:
                        target = other
                        break
                    queue[filled] = other
                    filled += 1
                    if filled > most:
                        break
            searches += 1
            if target < 0:
                break
            push = min(excess[source], -excess[target])
            for change in range(2):
                node = target
                while node != source:
                    arc = via[node]
                    cell = arc >> 1
                    at_tail = (arc & 1) == 0
                    if change == 1:
                        flow[cell] += push if at_tail else -push
                    else:
                        push = min(push, upper[cell] - flow[cell] if at_tail else flow[cell] - lower[cell])
                    node = g.tails[cell] if at_tail else g.heads[cell]
            excess[source] -= push
            excess[target] += push


@njit(cache=True)
def mend_downhill(g, flow, lower, upper, excess, furthest):  # type: ignore[no-untyped-def]
    """Send what surplus nodes have downhill, in place: each arc of the way leads one nearer to a node that lacks something.

    Distances are found once, backwards from all of these; where a node has no way down any more its distance
    is raised.  Ways of more than `furthest` arcs are not looked for.

    Source: R. K. Ahuja and J. B. Orlin, "Distance-directed augmenting path algorithms for maximum flow and
    parametric maximum flow problems", Naval Research Logistics 38 (1991).
    """
    nodes = len(excess)
    height = _heights(g, flow, lower, upper, excess, furthest)
    pointer = g.first_arc[:-1].astype(np.int64)
    path = np.empty(furthest + 2, np.int64)
    for source in range(nodes):
        node, depth = source, 0
        while excess[source] > 0 and height[source] <= furthest:
            if excess[node] < 0:
                push = min(excess[source], -excess[node])
                for d in range(depth):
                    cell = path[d] >> 1
                    push = min(push, upper[cell] - flow[cell] if (path[d] & 1) == 0 else flow[cell] - lower[cell])
                for d in range(depth):
                    flow[path[d] >> 1] += push if (path[d] & 1) == 0 else -push
                excess[source] -= push
                excess[node] += push
                node, depth = source, 0
                continue
            if pointer[node] < g.first_arc[node + 1]:
                arc = g.arcs[pointer[node]]
                cell = arc >> 1
                at_tail = (arc & 1) == 0
                room = upper[cell] - flow[cell] if at_tail else flow[cell] - lower[cell]
                other = g.heads[cell] if at_tail else g.tails[cell]
                if room > 0 and height[other] == height[node] - 1:
                    path[depth] = arc
                    depth += 1
                    node = other
                else:
                    pointer[node] += 1
                continue
            lowest = furthest
            for j in range(g.first_arc[node], g.first_arc[node + 1]):
                arc = g.arcs[j]
                cell = arc >> 1
                at_tail = (arc & 1) == 0
                room = upper[cell] - flow[cell] if at_tail else flow[cell] - lower[cell]
                other = g.heads[cell] if at_tail else g.tails[cell]
                if room > 0:
                    lowest = min(lowest, height[other])
            height[node] = lowest + 1
            pointer[node] = g.first_arc[node]
            if depth > 0:
                depth -= 1
                arc = path[depth]
                node = g.tails[arc >> 1] if (arc & 1) == 0 else g.heads[arc >> 1]


@njit(cache=True)
def _heights(g, flow, lower, upper, excess, furthest):  # type: ignore[no-untyped-def]
    """Arcs on the shortest way from each node to one that lacks something, `furthest` + 1 at most."""
    nodes = len(excess)
    height = np.full(nodes, furthest + 1, np.int32)
    queue = np.empty(nodes, np.int32)
    filled = 0
    for node in range(nodes):
        if excess[node] < 0:
            height[node] = 0
            queue[filled] = node
            filled += 1
    head = 0
    while head < filled and height[queue[head]] < furthest:
        node = queue[head]
        head += 1
        for j in range(g.first_arc[node], g.first_arc[node + 1]):
            arc = g.arcs[j]
            cell = arc >> 1
            at_tail = (arc & 1) == 0
            # Backwards: what could flow into the node.
            room = flow[cell] - lower[cell] if at_tail else upper[cell] - flow[cell]
            other = g.heads[cell] if at_tail else g.tails[cell]
            if room > 0 and height[other] > furthest:
                height[other] = height[node] + 1
                queue[filled] = other
                filled += 1
    return height


@njit(cache=True)
def repair(g, flow, lower, upper, excess):  # type: ignore[no-untyped-def]
    """Move flow until every node is balanced, in place.

    Most of what is wrong is mended nearby, by the shortest path from each surplus node to one that lacks something, and
    then along distances; what is left goes by Dinic's blocking flows from all surplus nodes at once: these also
    prove that nothing can be mended.

    `excess` is inflow less outflow per node.  Returns the distance of each node
    from the nodes that still have a surplus, -1 where they cannot reach it: all
    -1 when the flow is feasible; otherwise the nodes reached prove that none exists.

    Source: E. A. Dinic, "Algorithm for solution of a problem of maximum flow in
    networks with power estimation", Soviet Math. Doklady 11 (1970).
    """
    nodes = len(excess)
    distance = np.empty(nodes, np.int32)
    queue = np.empty(nodes, np.int32)
    path = np.empty(nodes, np.int64)
    pointer = np.empty(nodes, np.int64)
    for most in NEARBY:
        mend_nearby(g, flow, lower, upper, excess, most)
    for furthest in FURTHEST:
        mend_downhill(g, flow, lower, upper, excess, furthest)
    while True:
        distance[:] = -1
        filled = 0
        for node in range(nodes):
            if excess[node] > 0:
                distance[node] = 0
                queue[filled] = node
                filled += 1
        sources = filled
        reached = nodes + 1
        at = 0
        while at < filled:
            node = queue[at]
            at += 1
            if distance[node] >= reached:
                break
            for j in range(g.first_arc[node], g.first_arc[node + 1]):
                arc = g.arcs[j]
                cell = arc >> 1
                at_tail = (arc & 1) == 0
                room = upper[cell] - flow[cell] if at_tail else flow[cell] - lower[cell]
                other = g.heads[cell] if at_tail else g.tails[cell]
                if room > 0 and distance[other] < 0:
                    distance[other] = distance[node] + 1
                    queue[filled] = other
                    filled += 1
                    if excess[other] < 0 and reached > nodes:
                        reached = distance[other]
        if reached > nodes:
            return distance
        pointer[:] = g.first_arc[:-1]
        for i in range(sources):
            source = queue[i]
            node = source
            depth = 0
            while excess[source] > 0:
                if excess[node] < 0:
                    push = min(excess[source], -excess[node])
                    for d in range(depth):
                        cell = path[d] >> 1
                        room = upper[cell] - flow[cell] if (path[d] & 1) == 0 else flow[cell] - lower[cell]
                        push = min(push, room)
                    for d in range(depth):
                        flow[path[d] >> 1] += push if (path[d] & 1) == 0 else -push
                    excess[source] -= push
                    excess[node] += push
                    node = source
                    depth = 0
                    continue
                if pointer[node] == g.first_arc[node + 1]:
                    if depth == 0:
                        break
                    depth -= 1
                    arc = path[depth]
                    node = g.tails[arc >> 1] if (arc & 1) == 0 else g.heads[arc >> 1]
                    pointer[node] += 1
                    continue
                arc = g.arcs[pointer[node]]
                cell = arc >> 1
                at_tail = (arc & 1) == 0
                room = upper[cell] - flow[cell] if at_tail else flow[cell] - lower[cell]
                other = g.heads[cell] if at_tail else g.tails[cell]
                if room > 0 and distance[other] == distance[node] + 1:
                    path[depth] = arc
                    depth += 1
                    node = other
                else:
                    pointer[node] += 1
