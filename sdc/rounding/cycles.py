"""Unbiased rounding of the categories, by cancelling cycles, with their totals fixed or with those still open.

While some category cell is open, the open cells contain a cycle of the table's
circulation, for conservation gives every node that one of them touches a
second one.  Along a cycle push +up with probability down / (up + down), else
-down, where up and down are the largest steps that keep every cell between its
two neighbouring multiples.  At least one cell settles; expectation, additivity
and bounds are kept.  Source: Cox, "A constructive procedure for unbiased
controlled rounding", JASA 82 (1987), 520-524.

Cycles are cancelled between two neighbouring smallest areas first, then
between neighbouring pairs, and so on, until their whole parent is one group;
then the same one level up.  What a group leaves open hangs together in fewer
than K ways (K categories), whatever its size, and meets one other group at a
time: so a change in one area moves few draws elsewhere, about as many as the
tree is high.  For the same reason a cycle's draw is made from one of its
cells, the one whose hash is the smallest: a cycle that changes a little mostly
keeps it.

A total is the sum of its categories, and totals add up as categories do: in the circulation it is one category more
whose cells run backwards.  So cycles lead through open totals too, where they may
(`sdc.rounding.alone`), and nothing is left open of one table.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from sdc.compiled import lean
from sdc.rounding.draws import draw

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


class _Walk(NamedTuple):
    """Where a walk along the open cells stands.

    Attributes
    ----------
    first : int32 of shape (nodes,), the first live end at each node, or -1.
    position : int32 of shape (nodes,), each node's place on the path walked, or -1.
    path_nodes, path_ends : int64, the path.
    """

    first: np.ndarray
    position: np.ndarray
    path_nodes: np.ndarray
    path_ends: np.ndarray


@njit(cache=True)
def cancel_cycles(tree, joined, table, draws, totals):  # type: ignore[no-untyped-def]
    """Settle every category cell of one table whose totals are settled, in place.

    `draws` are of the table's cells.  `totals` says whether its totals are open too, and settled likewise.

    Returns the number of cycles, and of cells left open: 0, unless the table is not additive.
    """
    depth = len(tree.offsets) - 1
    size = joined.starts[table + 1] - joined.starts[table]
    offset = joined.offset[joined.starts[table] : joined.starts[table + 1]]
    first = np.full(2 * size, -1, np.int32)
    position = np.full(2 * size, -1, np.int32)
    left = np.empty(0, np.int64)
    cycles = 0
    for level in range(1, depth + 1):
        added = _open_cells(joined, table, tree.offsets[level - 1], tree.offsets[level], totals)
        left = np.concatenate((left, added))
        path_nodes = np.empty(2 * len(left) + 1, np.int64)
        walk = _Walk(first, position, path_nodes, np.empty_like(path_nodes))
        largest = 1 + tree.ranks[tree.offsets[level - 1] : tree.offsets[level]].max()
        group = 1
        while group < largest or group == 1:
            group *= 2
            arcs = _build_arcs(tree, joined.columns[table], left, tree.offsets[level - 1], group, size, first)
            cycles += _cancel(offset, joined.width, arcs, walk, draws)
            for node in arcs.nodes:
                first[node] = -1
            left = left[(offset[left] > 0) & (offset[left] < joined.width)]
    return cycles, len(left)


@njit(cache=True)
def _open_cells(joined, table, first_unit, last_unit, totals):  # type: ignore[no-untyped-def]
    """Open category cells of a run of units, and open totals where asked, ascending."""
    columns = joined.columns[table]
    offset = joined.offset[joined.starts[table] :]
    wanted = columns if totals else columns - 1
    found = np.empty((last_unit - first_unit) * wanted, np.int64)
    count = 0
    for unit in range(first_unit, last_unit):
        for cell in range(unit * columns, unit * columns + wanted):
            if 0 < offset[cell] < joined.width:
                found[count] = cell
                count += 1
    return found[:count]


@njit(cache=True)
def _build_arcs(tree, columns, cells, outermost, group, size, first):  # type: ignore[no-untyped-def]
    """Link the open cells at their nodes; `first` takes each node's first end.

    Nodes are numbered as in `sdc.rounding.search`.  Units from `outermost` on
    meet in their parent only in groups of `group` neighbours: each group has a
    node of its own, ``size`` + the cell of its first unit.  Totals, the last column, run backwards.
    """
    nodes = np.empty(2 * len(cells), np.int32)
    onward = np.empty(2 * len(cells), np.int32)
    for arc in range(len(cells) - 1, -1, -1):
        cell = cells[arc]
        unit = cell // columns
        k = cell - unit * columns
        parent = tree.parents[unit]
        nodes[2 * arc] = cell + columns - 1 - k if unit < tree.areas else cell
        if parent < 0:
            nodes[2 * arc + 1] = size + unit * columns
        elif unit < outermost:
            nodes[2 * arc + 1] = parent * columns + k
        else:
            rank = tree.ranks[unit]
            nodes[2 * arc + 1] = size + tree.children[tree.first_child[parent] + rank - rank % group] * columns + k
        if k == columns - 1:
            nodes[2 * arc], nodes[2 * arc + 1] = nodes[2 * arc + 1], nodes[2 * arc]
        for end in (2 * arc + 1, 2 * arc):
            onward[end] = first[nodes[end]]
            first[nodes[end]] = end
    return _Arcs(cells, np.ones(len(cells), np.bool_), nodes, onward)


@lean
def _cancel(offset, width, arcs, walk, draws):  # type: ignore[no-untyped-def]
    """Walk from each live arc until a node repeats, cancel that cycle, and go on from there."""
    live, position, path_nodes, path_ends = arcs.live, walk.position, walk.path_nodes, walk.path_ends
    cycles = 0
    for start in range(len(live)):
        if not live[start]:
            continue
        depth = 0
        path_nodes[0] = arcs.nodes[2 * start]
        position[path_nodes[0]] = 0
        while depth >= 0:
            node = path_nodes[depth]
            came = path_ends[depth - 1] >> 1 if depth > 0 else -1
            end = _next_end(live, arcs.onward, walk.first, node, came)
            if end < 0:
                position[node] = -1
                depth -= 1
                if depth >= 0:
                    live[came] = False
                continue
            path_ends[depth] = end
            reached = np.int64(arcs.nodes[end ^ 1])
            if position[reached] < 0:
                depth += 1
                path_nodes[depth] = reached
                position[reached] = depth
                continue
            bottom = position[reached]
            _push(offset, width, arcs.cells, live, path_ends[bottom : depth + 1], draws)
            cycles += 1
            for step in range(bottom + 1, depth + 1):
                position[path_nodes[step]] = -1
            depth = bottom
    return cycles


@njit(cache=True, inline="always")
def _next_end(live, onward, first, node, came):  # type: ignore[no-untyped-def]
    """The first live end at the node that is not of the arc we came by, or -1; dead ends are unlinked on the way."""
    end = first[node]
    while end >= 0 and not live[end >> 1]:
        end = onward[end]
    first[node] = end
    if end >= 0 and end >> 1 == came:
        after = onward[end]
        while after >= 0 and not live[after >> 1]:
            after = onward[after]
        onward[end] = after
        end = np.int64(after)
    return end


@lean
def _push(offset, width, cells, live, ends, draws):  # type: ignore[no-untyped-def]
    """Draw one step along a cycle, given as the ends at which its arcs are entered, and make it."""
    figures = draws.figures
    chosen = ends[0]
    for end in ends:
        if figures[cells[end >> 1]] < figures[cells[chosen >> 1]]:
            chosen = end
    # The direction in which the cycle was walked must not matter: the cell chosen runs forward.
    turn = chosen & 1
    up = np.int64(width)
    down = np.int64(width)
    for end in ends:
        above = np.int64(offset[cells[end >> 1]])
        below = width - above
        if (end & 1) != turn:
            above, below = below, above
        up = min(up, below)
        down = min(down, above)
    step = up if draw(draws, cells[chosen >> 1], down, up + down) else -down
    for end in ends:
        cell = cells[end >> 1]
        offset[cell] += step if (end & 1) == turn else -step
        if offset[cell] == 0 or offset[cell] == width:
            live[end >> 1] = False
