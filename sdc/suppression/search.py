"""Paths along which a reader of the hidden cells can still move counts, and the cheapest cells to add to them.

Two searches, both from both ends at once: `find_free` walks hidden cells alone,
breadth first; `find_paid` is Dijkstra's over all cells, where a hidden cell
costs next to nothing and a shown one its price (methods A4; J. Castro,
"Network flows heuristics for complementary cell suppression", 2003, uses
shortest paths in the same way on two-way tables).
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from sdc.compiled import lean
from sdc.suppression.arcs import MUST_SHOW, Arcs, hide_cell

__all__ = ["Scratch", "find_free", "find_paid", "hide_path", "make_scratch", "push_path", "undo_pushes"]

# A hidden cell's price: of two ways that hide nothing more, the shorter is taken.
STEP = 1
NODE_BITS = 26


class Scratch(NamedTuple):
    """Working memory that outlives a search, so that a search costs what it visits and no more.

    Attributes
    ----------
    stamp, via : of shape (2, nodes), for the two sides: the ticket of the search that reached a node, the code by
        which it did (towards the search's own end on side 1), -1 at the ends.
    queue : int32 of shape (2, nodes). place : int64 of shape (2, 4): head and tail of the queue, next code, codes looked at.
    far : int64 of shape (2, nodes), prices from the ends; settled : int64 of shape (2, nodes).
    heap : int64 of shape (2, codes + 2), price × 2**NODE_BITS + node. size : int64 of shape (2,).
    moved, before : cells moved since the last undo, and their room to grow before that; noted : bool of shape (cells,),
        whether a cell is among them; many : their number, of shape (1,).
    ticket : int64 of shape (1,).
    """

    stamp: np.ndarray
    via: np.ndarray
    queue: np.ndarray
    place: np.ndarray
    far: np.ndarray
    settled: np.ndarray
    heap: np.ndarray
    size: np.ndarray
    moved: np.ndarray
    before: np.ndarray
    noted: np.ndarray
    many: np.ndarray
    ticket: np.ndarray


def make_scratch(arcs: Arcs) -> Scratch:
    """Working memory for one graph."""
    nodes, codes = len(arcs.open), len(arcs.to)
    return Scratch(
        stamp=np.zeros((2, nodes), np.int64),
        via=np.empty((2, nodes), np.int32),
        queue=np.empty((2, nodes), np.int32),
        place=np.zeros((2, 4), np.int64),
        far=np.empty((2, nodes), np.int64),
        settled=np.zeros((2, nodes), np.int64),
        heap=np.empty((2, codes + 2), np.int64),
        size=np.zeros(2, np.int64),
        moved=np.empty(codes // 2, np.int32),
        # Two ends of every cell that claimants know (`sdc.suppression.claimants.hold`), where a cell may stand twice.
        before=np.empty(2 * codes, np.int64),
        noted=np.zeros(codes // 2, np.bool_),
        many=np.zeros(1, np.int64),
        ticket=np.zeros(1, np.int64),
    )


@lean
def find_free(arcs, s, source, target, need):  # type: ignore[no-untyped-def]
    """Find a path of hidden cells with room for `need` from source to target; returns where the sides meet, or -1."""
    s.ticket[0] += 1
    now = s.ticket[0]
    for side in range(2):
        end = source if side == 0 else target
        s.stamp[side, end] = now
        s.via[side, end] = -1
        s.queue[side, 0] = end
        s.place[side, 0] = 0
        s.place[side, 1] = 1
        s.place[side, 2] = arcs.first[end]
        s.place[side, 3] = 0
    if source == target:
        return np.int64(source)
    while True:
        side = 0 if s.place[0, 3] <= s.place[1, 3] else 1
        node = s.queue[side, s.place[side, 0]]
        at = s.place[side, 2]
        if at == arcs.first[node] + arcs.open[node]:
            s.place[side, 0] += 1
            if s.place[side, 0] == s.place[side, 1]:
                return np.int64(-1)
            s.place[side, 2] = arcs.first[s.queue[side, s.place[side, 0]]]
            continue
        s.place[side, 2] += 1
        s.place[side, 3] += 1
        code = arcs.codes[at]
        other = arcs.to[code]
        if s.stamp[side, other] == now or arcs.room[code ^ side] < need:
            continue
        s.stamp[side, other] = now
        s.via[side, other] = code
        if s.stamp[1 - side, other] == now:
            return np.int64(other)
        s.queue[side, s.place[side, 1]] = other
        s.place[side, 1] += 1


@lean
def find_paid(arcs, s, source, target, need, limit):  # type: ignore[no-untyped-def]
    """Find the cheapest path with room for `need` that costs less than `limit`.

    Returns where the sides meet, or -1, and its price.
    """
    s.ticket[0] += 1
    now = s.ticket[0]
    for side in range(2):
        end = source if side == 0 else target
        s.stamp[side, end] = now
        s.far[side, end] = 0
        s.via[side, end] = -1
        s.heap[side, 0] = end
        s.size[side] = 1
    best = np.int64(limit)
    meet = np.int64(-1)
    if source == target:
        return np.int64(source), np.int64(0)
    mask = (np.int64(1) << NODE_BITS) - 1
    while s.size[0] > 0 and s.size[1] > 0:
        top0 = s.heap[0, 0] >> NODE_BITS
        top1 = s.heap[1, 0] >> NODE_BITS
        if top0 + top1 >= best:
            break
        side = 0 if top0 <= top1 else 1
        # Of many arcs at one node only few matter: the other side finds them.
        if s.heap[side, 0] & mask >= arcs.border[0] and s.heap[1 - side, 0] & mask < arcs.border[0]:
            side = 1 - side
        key = _pop(s.heap[side], s.size, side)
        node = key & mask
        price = key >> NODE_BITS
        if s.settled[side, node] == now:
            continue
        s.settled[side, node] = now
        shown = arcs.first[node] + arcs.open[node]
        for at in range(arcs.first[node], arcs.first[node + 1]):
            code = arcs.codes[at]
            if arcs.room[code ^ side] < need:
                continue
            if at < shown:
                onward = price + STEP
            else:
                toll = arcs.price[code >> 1]
                if toll >= MUST_SHOW:
                    continue
                onward = price + toll
            other = arcs.to[code]
            if onward >= best or (s.stamp[side, other] == now and s.far[side, other] <= onward):
                continue
            s.stamp[side, other] = now
            s.far[side, other] = onward
            s.via[side, other] = code
            _push(s.heap[side], s.size, side, (onward << NODE_BITS) | np.int64(other))
            if s.stamp[1 - side, other] == now and onward + s.far[1 - side, other] < best:
                best = onward + s.far[1 - side, other]
                meet = np.int64(other)
    return meet, best


@lean
def push_path(arcs, s, meet, most):  # type: ignore[no-untyped-def]
    """Move counts along the path found, by as much as it has room for and `most` at most; returns by how much."""
    part = np.int64(most)
    for side in range(2):
        node = meet
        while s.via[side, node] >= 0:
            code = s.via[side, node]
            part = min(part, arcs.room[code ^ side])
            node = arcs.to[code ^ 1]
    for side in range(2):
        node = meet
        while s.via[side, node] >= 0:
            code = s.via[side, node]
            _note(arcs, s, code >> 1)
            arcs.room[code ^ side] -= part
            arcs.room[code ^ side ^ 1] += part
            node = arcs.to[code ^ 1]
    return part


@lean
def undo_pushes(arcs, s):  # type: ignore[no-untyped-def]
    """Put the counts back to the true ones."""
    for i in range(s.many[0]):
        cell = s.moved[i]
        whole = arcs.room[2 * cell] + arcs.room[2 * cell + 1]
        arcs.room[2 * cell] = s.before[i]
        arcs.room[2 * cell + 1] = whole - s.before[i]
        s.noted[cell] = False
    s.many[0] = 0


@lean
def _note(arcs, s, cell):  # type: ignore[no-untyped-def]
    """Keep a cell's room before it is first moved."""
    if not s.noted[cell]:
        s.noted[cell] = True
        s.moved[s.many[0]] = cell
        s.before[s.many[0]] = arcs.room[2 * cell]
        s.many[0] += 1


@lean
def hide_path(arcs, s, meet, added, number):  # type: ignore[no-untyped-def]
    """Hide the shown cells of the path found, noting them in `added` from `number` on; returns how many are noted now."""
    for side in range(2):
        node = meet
        while s.via[side, node] >= 0:
            code = s.via[side, node]
            if not arcs.hidden[code >> 1]:
                hide_cell(arcs, code >> 1)
                added[number] = code >> 1
                number += 1
            node = arcs.to[code ^ 1]
    return number


@njit(cache=True, inline="always")
def _push(heap, size, side, key):  # type: ignore[no-untyped-def]
    at = size[side]
    size[side] += 1
    while at > 0:
        above = (at - 1) >> 1
        if heap[above] <= key:
            break
        heap[at] = heap[above]
        at = above
    heap[at] = key


@njit(cache=True, inline="always")
def _pop(heap, size, side):  # type: ignore[no-untyped-def]
    top = heap[0]
    size[side] -= 1
    last = heap[size[side]]
    at = 0
    while True:
        below = 2 * at + 1
        if below >= size[side]:
            break
        if below + 1 < size[side] and heap[below + 1] < heap[below]:
            below += 1
        if heap[below] >= last:
            break
        heap[at] = heap[below]
        at = below
    heap[at] = last
    return top
