"""How a table follows its totals: each duel of the totals becomes a flow between the two areas' categories.

When one area gains u counts of another (see `sdc.rounding.totals`), or would
have lost d to it had the draw gone otherwise, the same must pass from the
other's categories to its own.  A flow v of one unit through the table's open
cells is chosen such that both ends of the draw, +u v and -d v, keep every cell
between its neighbouring multiples; +u v is made.  As the end +u has probability
d / (u + d), and v does not depend on it, the expectation of every cell is kept.

Flow goes up one category of the one area and down the same category of the
other first, then round by paths, in the smallest unit that holds both areas,
then in wider ones.

Where no such flow of one whole unit is found, what is missing is made along
paths that are open for the drawn end alone: a *forced* move, counted, because
it is the one place where a small bias can enter.  Where even that is shut in
the whole table, the draw has no rounding of this table: a *clash*.
"""

import numpy as np
from numba import njit

from sdc.compiled import lean
from sdc.rounding.joined import HELD_HIGH, SCALE
from sdc.rounding.search import EXHAUSTED, OUT_OF_BUDGET, add_flow, find_path, push_path, spare

__all__ = ["drop_flow", "find_flow", "follow_totals", "make_flow"]

# Nodes that one search for an unbiased flow may look at: the cells of a few hundred areas.  What it does not find
# there is forced nearby, so that no search costs more for a larger country.
BUDGET = 4096
NO_BUDGET = 1 << 62
# A search is not repeated for less than one part in so many of what is to move.
GRAINS = 64


@lean
def find_flow(tree, joined, scratch, table, source, sink, level, up, down, force, freeing):  # type: ignore[no-untyped-def]
    """Add to `scratch.flow` how one table follows a draw that moves `up` counts from source to sink.

    `down` is what the other end of the draw would have moved back, 0 if that
    is of no account.  `source` and `sink` are smallest areas whose smallest
    common unit is of the given level, or one of them -1, the outside of the other's top unit.
    What no unbiased flow was found for is made by force if `force` says so;
    what even so is not found frees cells that are held if `freeing` says so.

    Returns what could not be moved (0 unless the draw clashes) and what was
    forced, both in parts of 1 / SCALE.
    """
    left = up * SCALE
    left -= _straight(tree, joined, scratch, table, source, sink, level, up, down, left, False)
    if left > 0:
        left = _around(tree, joined, scratch, table, source, sink, level, up, down, left, BUDGET, False)
    if left == 0 or not force:
        return left, np.int64(0)
    forced = left
    left -= _straight(tree, joined, scratch, table, source, sink, level, up, 0, left, False)
    if left > 0:
        left = _around(tree, joined, scratch, table, source, sink, level, up, 0, left, NO_BUDGET, False)
    if left > 0 and freeing:
        left -= _straight(tree, joined, scratch, table, source, sink, level, up, 0, left, True)
        if left > 0:
            left = _around(tree, joined, scratch, table, source, sink, level, up, 0, left, NO_BUDGET, True)
    return left, forced


@njit(cache=True)
def follow_totals(tree, joined, scratch, table, areas, gains):  # type: ignore[no-untyped-def]
    """Add to `scratch.flow` how one table follows, by force, when several areas of one top unit move at once.

    `gains` int64, one per area, in parts of 1 / SCALE; what they do not give
    each other comes from, or goes to, the outside.  Tells whether it could.
    """
    columns = joined.columns[table]
    count = len(areas)
    nodes = np.empty(count + 1, np.int64)
    left = np.empty(count + 1, np.int64)
    for index in range(count):
        nodes[index] = _node(tree, columns, areas[index], -1)
        left[index] = gains[index]
    nodes[count] = _node(tree, columns, -1, areas[0])
    left[count] = -gains.sum()
    for scope in range(1, len(tree.offsets)):
        for gainer in np.flatnonzero(left > 0):
            for loser in np.flatnonzero(left < 0):
                while left[gainer] > 0 and left[loser] < 0:
                    source, sink = nodes[gainer], nodes[loser]
                    meeting = find_path(tree, joined, scratch, table, source, sink, scope, 1, 1, 0, NO_BUDGET, True)
                    if meeting < 0:
                        break
                    part = push_path(
                        joined, scratch, table, source, sink, meeting, min(left[gainer], -left[loser]), 1, 0, True
                    )
                    left[gainer] -= part
                    left[loser] += part
    return not np.any(left)


@lean
def make_flow(joined, scratch):  # type: ignore[no-untyped-def]
    """Move the cells as the present duel's flow says, and clear it."""
    for place in range(scratch.listed_count[0]):
        cell = scratch.touched[place]
        if scratch.flow[cell] != 0 and joined.offset[cell] < 0:
            joined.offset[cell] = joined.width if joined.offset[cell] == HELD_HIGH else 0
        joined.offset[cell] += scratch.flow[cell]
    drop_flow(scratch)


@lean
def drop_flow(scratch):  # type: ignore[no-untyped-def]
    """Clear the present duel's flow."""
    for place in range(scratch.listed_count[0]):
        cell = scratch.touched[place]
        scratch.flow[cell] = 0
        scratch.listed[cell] = False
    scratch.listed_count[0] = 0


@lean
def _straight(tree, joined, scratch, table, source, sink, level, up, down, whole, freeing):  # type: ignore[no-untyped-def]
    """Send what can go up a category from the source and down it to the sink; returns how much.

    It is spread over the categories by their room, so that cells stay off
    their multiples and leave ways open for later duels.
    """
    start, columns, limit = joined.starts[table], joined.columns[table], tree.offsets[level]
    offset, flow, width, parents, share = joined.offset, scratch.flow, joined.width, tree.parents, scratch.share
    total = np.int64(0)
    for k in range(columns - 1):
        room = whole
        for end in range(2):
            unit = sink if end else source
            while unit >= 0 and unit < limit and room > 0:
                cell = start + unit * columns + k
                room = min(room, spare(offset, flow, width, cell, end == 0, up, down, freeing))
                unit = parents[unit]
        share[k] = room
        total += room
    send = min(total, whole)
    left = send
    for k in range(columns - 1):
        if share[k] == 0:
            continue
        # Of what is left, the share this category has of the room left: rounding errors do not add up.
        part = left * share[k] // total
        total -= share[k]
        left -= part
        for end in range(2):
            unit = sink if end else source
            while unit >= 0 and unit < limit and part > 0:
                add_flow(scratch, start + unit * columns + k, -part if end else part)
                unit = parents[unit]
    return send


@lean
def _around(tree, joined, scratch, table, source, sink, level, up, down, left, budget, freeing):  # type: ignore[no-untyped-def]
    """Send what is left by paths, within the common unit first, then in wider ones; returns what then remains."""
    depth = len(tree.offsets) - 1
    if depth == 1:
        return left
    columns = joined.columns[table]
    start = _node(tree, columns, source, sink)
    end = _node(tree, columns, sink, source)
    grain = max(np.int64(1), up * SCALE // GRAINS) if down > 0 else np.int64(1)
    for scope in range(level, depth + 1):
        while left > 0:
            least = min(left, grain)
            meeting = find_path(tree, joined, scratch, table, start, end, scope, least, up, down, budget, freeing)
            if meeting == EXHAUSTED or meeting == OUT_OF_BUDGET:
                return left
            if meeting < 0:
                break
            left -= push_path(joined, scratch, table, start, end, meeting, left, up, down, freeing)
    return left


@lean
def _node(tree, columns, area, other):  # type: ignore[no-untyped-def]
    """The node of a smallest area, or of the hub above the other end where there is none."""
    if area >= 0:
        return area * columns + columns - 1
    unit = np.int64(other)
    while tree.parents[unit] >= 0:
        unit = tree.parents[unit]
    return unit * columns + columns - 1
