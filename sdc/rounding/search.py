"""Paths through one table along which counts can still move.

The table's cells are the arcs of the circulation of `sdc.network`; its nodes
take the numbers of cells (within the table, columns per unit = categories + 1):

* ``R(o)``, smallest area o: the cell of its total;
* ``C(u, k)``, category k in a unit u above the smallest: the cell (u, k), which is also the arc that leaves it upwards;
* ``H(g)``, the hub of a top unit g: the cell of its total.

So a cell's head follows from the unit's parent alone, and the whole graph is
the area tree itself.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from sdc.compiled import lean
from sdc.rounding.joined import HELD_HIGH, SHUT, Joined

__all__ = ["EXHAUSTED", "OUT_OF_BUDGET", "OUT_OF_SCOPE", "Scratch", "find_path", "make_scratch", "push_path", "spare"]

# What `find_path` returns where it finds none.
OUT_OF_SCOPE, EXHAUSTED, OUT_OF_BUDGET = -1, -2, -3


class Scratch(NamedTuple):
    """Working memory that outlives a search, so that a search costs what it visits and no more.

    Attributes
    ----------
    flow : int32 of shape (cells,), what the present duel moves along each cell; 0 between duels.
    listed, touched, count : whether a cell is among those the present duel
        touches, these cells, and how many they are.
    stamp, came, back, queue : of shape (2, cells of the widest table), for the
        two sides of a search: the ticket of the search that reached a node,
        the cell by which it did (2 × cell, + 1 where it climbed), the node
        before, and the nodes to look at.
    ticket : number of the present search.
    share : int64 of shape (widest columns,).
    done, length, barred : of shape (2,), for the two sides of a search: how many nodes of its queue were looked at, how
        many it holds, and whether a way out of scope was met.
    """

    flow: np.ndarray
    listed: np.ndarray
    touched: np.ndarray
    listed_count: np.ndarray
    stamp: np.ndarray
    came: np.ndarray
    back: np.ndarray
    queue: np.ndarray
    ticket: np.ndarray
    share: np.ndarray
    done: np.ndarray
    length: np.ndarray
    barred: np.ndarray


def make_scratch(joined: Joined) -> Scratch:
    """Working memory for the joined tables."""
    cells = len(joined.offset)
    widest = int(np.diff(joined.starts).max(initial=0))
    return Scratch(
        flow=np.zeros(cells, np.int32),
        listed=np.zeros(cells, np.bool_),
        touched=np.empty(cells, np.int64),
        listed_count=np.zeros(1, np.int64),
        stamp=np.zeros((2, widest), np.int64),
        came=np.empty((2, widest), np.int64),
        back=np.empty((2, widest), np.int64),
        queue=np.empty((2, widest), np.int64),
        ticket=np.zeros(1, np.int64),
        share=np.empty(int(joined.columns.max(initial=1)), np.int64),
        done=np.zeros(2, np.int64),
        length=np.zeros(2, np.int64),
        barred=np.zeros(2, np.bool_),
    )


@njit(cache=True, inline="always")
def spare(offset, flow, width, cell, forward, up, down, freeing):  # type: ignore[no-untyped-def]
    """How much more may flow along a cell, forward or backward, in parts of 1 / SCALE.

    The draw moves `up` parts, and would have moved `down` parts the other way
    had it gone otherwise (0: that does not count).  Both must leave the cell
    between its multiples; the second to within one part, so that shares of a
    whole add up to the whole.  A cell that is held moves only if `freeing` says so.
    """
    above = np.int64(offset[cell])
    if above < 0:
        if above == SHUT or not freeing:
            return np.int64(0)
        above = np.int64(width) if above == HELD_HIGH else np.int64(0)
    below = width - above
    if not forward:
        above, below = below, above
    if down > 0:
        below = min(below, (above * up + down - 1) // down)
    return below - flow[cell] if forward else below + flow[cell]


@lean
def find_path(tree, joined, scratch, table, source, sink, scope, least, up, down, budget, freeing):  # type: ignore[no-untyped-def]
    """Look for a path from source to sink with room for `least`, from both ends at once.

    The two sides take turns node by node, so that a search fails as soon as
    the side with fewer open ways is exhausted.  Cells of units of level
    `scope` and above are not used, and held cells only if `freeing` says so.

    Returns
    -------
    The node where the sides meet; else OUT_OF_SCOPE where a wider scope may
    find a path, EXHAUSTED where none will, OUT_OF_BUDGET after looking at `budget` nodes.
    """
    first_child, children, parents, areas = tree.first_child, tree.children, tree.parents, tree.areas
    offset, flow, width = joined.offset[joined.starts[table] :], scratch.flow[joined.starts[table] :], joined.width
    stamp, came, back, queue = scratch.stamp, scratch.came, scratch.back, scratch.queue
    columns = joined.columns[table]
    categories = columns - 1
    limit = tree.offsets[scope]
    scratch.ticket[0] += 1
    ticket = scratch.ticket[0]
    done, length, barred = scratch.done, scratch.length, scratch.barred
    for side in range(2):
        done[side] = 0
        length[side] = 1
        barred[side] = False
    queue[0, 0] = source
    queue[1, 0] = sink
    stamp[0, source] = ticket
    stamp[1, sink] = ticket
    side = 1
    for _ in range(budget):
        side = 1 - side
        if done[side] == length[side]:
            return OUT_OF_SCOPE if barred[side] else EXHAUSTED
        node = queue[side, done[side]]
        done[side] += 1
        unit = node // columns
        k = node - unit * columns
        # A smallest area's categories lead up, a hub's lead down; a category leads up to the parent, down to the children.
        first, last = (0, categories) if k == categories else (first_child[unit] - 1, first_child[unit + 1])
        for place in range(first, last):
            climbs = unit < areas
            if k == categories:
                cell = unit * columns + place
                onward = parents[unit] * columns + place if climbs else cell
            elif place < first_child[unit]:
                climbs = True
                cell = node
                onward = parents[unit] * columns + k if parents[unit] >= 0 else unit * columns + categories
            else:
                cell = children[place] * columns + k
                onward = children[place] * columns + categories if children[place] < areas else cell
            if (
                stamp[side, onward] == ticket
                or spare(offset, flow, width, cell, climbs == (side == 0), up, down, freeing) < least
            ):
                continue
            if climbs and unit >= limit:
                barred[side] = True
                continue
            stamp[side, onward] = ticket
            came[side, onward] = 2 * cell + climbs
            back[side, onward] = node
            queue[side, length[side]] = onward
            length[side] += 1
            if stamp[1 - side, onward] == ticket:
                return onward
    return OUT_OF_BUDGET


@lean
def push_path(joined, scratch, table, source, sink, meeting, most, up, down, freeing):  # type: ignore[no-untyped-def]
    """Send as much as the path found has room for, at most `most`; returns how much."""
    start = joined.starts[table]
    offset, flow, width = joined.offset, scratch.flow, joined.width
    part = most
    for side in range(2):
        node = meeting
        while node != (sink if side else source):
            came = scratch.came[side, node]
            room = spare(offset, flow, width, start + (came >> 1), (came & 1) != side, up, down, freeing)
            part = min(part, room)
            node = scratch.back[side, node]
    for side in range(2):
        node = meeting
        while node != (sink if side else source):
            came = scratch.came[side, node]
            add_flow(scratch, start + (came >> 1), part if (came & 1) != side else -part)
            node = scratch.back[side, node]
    return part


@lean
def add_flow(scratch, cell, amount):  # type: ignore[no-untyped-def]
    """Note that the present duel moves a cell by so much more."""
    scratch.flow[cell] += amount
    if not scratch.listed[cell]:
        scratch.listed[cell] = True
        scratch.touched[scratch.listed_count[0]] = cell
        scratch.listed_count[0] += 1
