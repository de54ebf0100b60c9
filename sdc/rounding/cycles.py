"""Unbiased rounding of the categories, totals fixed, by cancelling cycles.

While some category cell is open, the open cells contain a cycle of the table's
circulation, for conservation gives every node that one of them touches a
second one.  Along a cycle push +up with probability down / (up + down), else
-down, where up and down are the largest steps that keep every cell between its
two neighbouring multiples.  At least one cell settles; expectation, additivity
and bounds are kept.  Source: Cox, "A constructive procedure for unbiased
controlled rounding", JASA 82 (1987), 520-524.

Cycles are cancelled inside the smallest parent areas first, then one level up
at a time, so that a change in one area moves few draws elsewhere.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from common.keys import siphash

__all__ = ["cancel_cycles"]


class _Arcs(NamedTuple):
    """The open cells of one round as arcs: arc i has the ends 2 i (tail) and 2 i + 1 (head).

    Attributes
    ----------
    cells : int64 of shape (arcs,), ascending.
    live : bool of shape (arcs,): still open, and not yet known to lie on no cycle.
    nodes, onward : int32 of shape (ends,): the node at each end, and the next end at the same node, or -1.
    """

    cells: np.ndarray
    live: np.ndarray
    nodes: np.ndarray
    onward: np.ndarray


@njit(cache=True)
def cancel_cycles(tree, joined, table, figures, secret):  # type: ignore[no-untyped-def]
    """Settle every category cell of one table whose totals are settled, in place.

    `figures` uint64 of shape (cells of the table,).

    Returns the number of cycles, and of cells left open: 0, unless the table is not additive.
    """
    depth = len(tree.offsets) - 1
    size = joined.starts[table + 1] - joined.starts[table]
    first = np.full(size, -1, np.int64)
    position = np.full(size, -1, np.int64)
    left = np.empty(0, np.int64)
    cycles = 0
    for level in range(1, depth + 1):
        cells = np.concatenate((left, _open_cells(joined, table, tree.offsets[level - 1], tree.offsets[level])))
        arcs = _build_arcs(tree, joined.columns[table], cells, first)
        cycles += _cancel(joined, table, arcs, first, position, figures, secret)
        for node in arcs.nodes:
            first[node] = -1
        offset = joined.offset[joined.starts[table] :]
        left = np.array([cell for cell in cells if 0 < offset[cell] < joined.width], np.int64)
    return cycles, len(left)


@njit(cache=True)
def _open_cells(joined, table, first_unit, last_unit):  # type: ignore[no-untyped-def]
    """Open category cells of a run of units, ascending."""
    columns = joined.columns[table]
    offset = joined.offset[joined.starts[table] :]
    found = np.empty((last_unit - first_unit) * (columns - 1), np.int64)
    count = 0
    for unit in range(first_unit, last_unit):
        for cell in range(unit * columns, unit * columns + columns - 1):
            if 0 < offset[cell] < joined.width:
                found[count] = cell
                count += 1
    return found[:count]


@njit(cache=True)
def _build_arcs(tree, columns, cells, first):  # type: ignore[no-untyped-def]
    """Link the open cells at their nodes (numbered as in `sdc.rounding.search`); `first` takes each node's first end."""
    nodes = np.empty(2 * len(cells), np.int32)
    onward = np.empty(2 * len(cells), np.int32)
    for arc in range(len(cells) - 1, -1, -1):
        cell = cells[arc]
        unit = cell // columns
        parent = tree.parents[unit]
        total = unit * columns + columns - 1
        nodes[2 * arc] = total if unit < tree.areas else cell
        # Where the smallest areas are the top, an area and its hub would share one number: the hub takes a free one.
        hub = total if unit >= tree.areas else unit * columns
        nodes[2 * arc + 1] = parent * columns + cell - unit * columns if parent >= 0 else hub
        for end in (2 * arc + 1, 2 * arc):
            onward[end] = first[nodes[end]]
            first[nodes[end]] = end
    return _Arcs(cells, np.ones(len(cells), np.bool_), nodes, onward)


@njit(cache=True)
def _cancel(joined, table, arcs, first, position, figures, secret):  # type: ignore[no-untyped-def]
    """Walk from each live arc until a node repeats, cancel that cycle, and go on from there."""
    path_nodes = np.empty(2 * len(arcs.cells) + 1, np.int64)
    path_ends = np.empty(2 * len(arcs.cells) + 1, np.int64)
    offset = joined.offset[joined.starts[table] :]
    words = np.empty(2, np.uint64)
    cycles = 0
    for start in range(len(arcs.cells)):
        if not arcs.live[start]:
            continue
        depth = 0
        path_nodes[0] = arcs.nodes[2 * start]
        position[path_nodes[0]] = 0
        while depth >= 0:
            node = path_nodes[depth]
            came = path_ends[depth - 1] >> 1 if depth > 0 else -1
            end = _next_end(arcs, first, node, came)
            if end < 0:
                position[node] = -1
                depth -= 1
                if depth >= 0:
                    arcs.live[came] = False
                continue
            path_ends[depth] = end
            onward = np.int64(arcs.nodes[end ^ 1])
            if position[onward] < 0:
                depth += 1
                path_nodes[depth] = onward
                position[onward] = depth
                continue
            bottom = position[onward]
            _push(offset, joined.width, arcs, path_ends[bottom : depth + 1], figures, secret, words)
            cycles += 1
            for step in range(bottom + 1, depth + 1):
                position[path_nodes[step]] = -1
            depth = bottom
    return cycles


@njit(cache=True)
def _next_end(arcs, first, node, came):  # type: ignore[no-untyped-def]
    """The first live end at the node that is not of the arc we came by, or -1; dead ends are unlinked on the way."""
    end = first[node]
    while end >= 0 and not arcs.live[end >> 1]:
        end = arcs.onward[end]
    first[node] = end
    if end < 0 or end >> 1 != came:
        return end
    after = arcs.onward[end]
    while after >= 0 and not arcs.live[after >> 1]:
        after = arcs.onward[after]
    arcs.onward[end] = after
    return after


@njit(cache=True)
def _push(offset, width, arcs, ends, figures, secret, words):  # type: ignore[no-untyped-def]
    """Draw one step along a cycle, given as the ends at which its arcs are entered, and make it."""
    lowest = ends[0]
    total = np.uint64(0)
    for end in ends:
        total += figures[arcs.cells[end >> 1]]
        if end >> 1 < lowest >> 1:
            lowest = end
    # The direction in which the cycle was walked must not matter: its first arc in cell order runs forward.
    turn = lowest & 1
    up = np.int64(width)
    down = np.int64(width)
    for end in ends:
        above = np.int64(offset[arcs.cells[end >> 1]])
        below = width - above
        if (end & 1) != turn:
            above, below = below, above
        up = min(up, below)
        down = min(down, above)
    words[0] = total
    words[1] = figures[arcs.cells[lowest >> 1]]
    rises = siphash(secret, words, 2) % np.uint64(up + down) < np.uint64(down)
    step = up if rises else -down
    for end in ends:
        cell = arcs.cells[end >> 1]
        offset[cell] += step if (end & 1) == turn else -step
        if offset[cell] == 0 or offset[cell] == width:
            arcs.live[end >> 1] = False
