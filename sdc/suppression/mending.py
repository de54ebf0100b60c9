"""Mending what a lone claimant learns: the cheapest cells that let one cell change while what they know stays."""

import numpy as np

from sdc.compiled import lean
from sdc.suppression.claimants import changes, hold, release
from sdc.suppression.search import find_paid, hide_path

__all__ = ["mend_one"]


@lean
def mend_one(arcs, s, cell, known, start, stop, limit, added, number):  # type: ignore[no-untyped-def]
    """Let one hidden cell grow or shrink by one, whichever is cheaper, while ``known[start:stop]`` stay as they are.

    Hides cells for less than `limit`, noted in `added` from `number` on.
    Returns whether the cell can change now, how many cells are noted, and what they cost.
    """
    hold(arcs, s, known, start, stop)
    spent = np.int64(0)
    mended = changes(arcs, s, cell)
    if not mended:
        meet = _cheaper_way(arcs, s, cell, limit)
        mended = meet >= 0
        if mended:
            before = number
            number = hide_path(arcs, s, meet, added, number)
            for i in range(before, number):
                spent += arcs.price[added[i]]
    release(arcs, s, known, start, stop)
    return mended, number, spent


@lean
def _cheaper_way(arcs, s, cell, limit):  # type: ignore[no-untyped-def]
    """Find the cheaper of the paths over which a cell grows and over which it shrinks; where its sides meet, or -1."""
    tail = arcs.to[2 * cell + 1]
    head = arcs.to[2 * cell]
    grow = arcs.room[2 * cell]
    shrink = arcs.room[2 * cell + 1]
    arcs.room[2 * cell] = 0
    arcs.room[2 * cell + 1] = 0
    grows, most = np.int64(-1), np.int64(limit)
    if grow > 0:
        grows, most = find_paid(arcs, s, head, tail, np.int64(1), most)
    meet = np.int64(-1)
    if shrink > 0:
        meet = find_paid(arcs, s, tail, head, np.int64(1), most)[0]
    if meet < 0 and grows >= 0:
        # The second search has written over the path of the first.
        meet = find_paid(arcs, s, head, tail, np.int64(1), np.int64(limit))[0]
    arcs.room[2 * cell] = grow
    arcs.room[2 * cell + 1] = shrink
    return meet
