"""The totals tree, drawn once: unbiased, additive, within the base.

Each smallest area whose total is no multiple of the base is *open*.  Two open
areas settle a duel: with residues m and n modulo the base b, either the first
gains u = min(b - m, n) and the second loses it, with probability d / (u + d),
or the first loses d = min(m, b - n) and the second gains it.  One of them is
then a multiple of b.  Areas duel within their parent first, then the one left
open in each parent within the grandparent, and so on; the last one left open
under a top unit is rounded up with probability m / b.  Every step keeps the
expectation of every total at every level, and no total leaves its two
neighbouring multiples.

This is the pivotal method of Deville & Tillé, "Unequal probability sampling
without replacement through a splitting method", Biometrika 85 (1998), 89-101,
run along a tree; equally the cycle-cancelling of Cox, "A constructive procedure
for unbiased controlled rounding", JASA 82 (1987), 520-524, on a tree alone.

The draw of a duel depends on the key, the figures of its two areas and their
residues, never on a table.  A table can only forbid an end: then the other end
is taken (the duel is *turned*), or, where both are forbidden, the two areas
stay open and duel with others further up.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from common.keys import siphash
from sdc.rounding.follow import drop_flow, find_flow, make_flow

__all__ = ["Draws", "Totals", "draw_totals"]


class Totals(NamedTuple):
    """Totals by unit (see `sdc.rounding.tree`), each between two multiples of the base.

    Attributes
    ----------
    values, floor, ceiling : int64 of shape (units,); floor = ceiling at a multiple.
    """

    values: np.ndarray
    floor: np.ndarray
    ceiling: np.ndarray


class Draws(NamedTuple):
    """What the duels' draws are made from.

    Attributes
    ----------
    secret : the sub-key, two words.
    figures : uint64 of shape (areas,), the hash of each smallest area's total.
    attempts : int64 of shape (areas,), how often the area's draws were made anew.
    """

    secret: np.ndarray
    figures: np.ndarray
    attempts: np.ndarray


@njit(cache=True)
def draw_totals(tree, totals, draws, joined, scratch, modes):  # type: ignore[no-untyped-def]
    """Round the totals of every level in place, every table following step by step.

    Returns
    -------
    Per table what was moved by force (parts of 1 / SCALE); int64 of the
    number of duels, of those turned and of pairs set apart; and the areas left open, which clash.
    """
    forced = np.zeros(len(joined.columns), np.int64)
    counts = np.zeros(3, np.int64)
    for mode in modes:
        _settle(tree, totals, draws, joined, scratch, mode, forced, counts)
    left = np.array([area for area in range(tree.areas) if _is_open(totals, area)], np.int64)
    return forced, counts, left


@njit(cache=True)
def _settle(tree, totals, draws, joined, scratch, mode, forced, counts):  # type: ignore[no-untyped-def]
    """Let open areas duel within their parents, then further up, as far as the mode allows."""
    depth = len(tree.offsets) - 1
    # Open areas of each unit as a linked list: mostly one, more where a table forbids the duel of two.
    following = np.full(tree.areas, -1, np.int64)
    first_open = np.full(len(tree.parents), -1, np.int64)
    for area in range(tree.areas):
        if _is_open(totals, area):
            first_open[area] = area
    for unit in range(tree.areas, len(tree.parents)):
        level = _level(tree, unit)
        for place in range(tree.first_child[unit], tree.first_child[unit + 1]):
            second = first_open[tree.children[place]]
            while second >= 0:
                waiting = following[second]
                following[second] = -1
                _meet(tree, totals, draws, joined, scratch, level, unit, second, first_open, following, mode, forced, counts)
                second = waiting
    for top in range(tree.offsets[depth - 1], tree.offsets[depth]):
        first = first_open[top]
        while first >= 0:
            _duel(tree, totals, draws, joined, scratch, first, -1, depth, mode, forced, counts)
            first = following[first]


@njit(cache=True)
def _meet(tree, totals, draws, joined, scratch, level, unit, second, first_open, following, mode, forced, counts):  # type: ignore[no-untyped-def]
    """An open area duels with those already open in the unit, until it is settled; else it joins them."""
    before = np.int64(-1)
    first = first_open[unit]
    while first >= 0 and _is_open(totals, second):
        _duel(tree, totals, draws, joined, scratch, first, second, level, mode, forced, counts)
        after = following[first]
        if _is_open(totals, first):
            before = first
        elif before < 0:
            first_open[unit] = after
        else:
            following[before] = after
        first = after
    if _is_open(totals, second):
        if before < 0:
            first_open[unit] = second
        else:
            following[before] = second


@njit(cache=True, inline="always")
def _is_open(totals, unit):  # type: ignore[no-untyped-def]
    return totals.floor[unit] < totals.values[unit] < totals.ceiling[unit]


@njit(cache=True)
def _level(tree, unit):  # type: ignore[no-untyped-def]
    level = 0
    while unit >= tree.offsets[level + 1]:
        level += 1
    return level


@njit(cache=True)
def _duel(tree, totals, draws, joined, scratch, first, second, level, mode, forced, counts):  # type: ignore[no-untyped-def]
    """Settle one duel in totals and tables; nothing is changed where the tables allow neither end."""
    up, down = _steps(tree, totals, first, second, level)
    if up == 0 or down == 0:
        return
    rises = _draw(draws, first, second, up, down)
    for turn in range(2):
        source, sink, moved, other = (first, second, up, down) if rises else (second, first, down, up)
        if mode == 1 and turn == 0:
            ok = _follow(tree, joined, scratch, source, sink, level, moved, other, False, forced)
            if not ok:
                ok = _can(tree, joined, scratch, sink, source, level, other, moved, forced) and _follow(tree, joined, scratch, source, sink, level, moved, other, True, forced)
        else:
            ok = _follow(tree, joined, scratch, source, sink, level, moved, other, mode > 0, forced)
        if ok:
            _shift(tree, totals, source, level, moved)
            _shift(tree, totals, sink, level, -moved)
            counts[0] += 1
            counts[1] += turn
            return
        if mode < 2:
            break
        rises = not rises
    counts[2] += 1


@njit(cache=True)
def _follow(tree, joined, scratch, source, sink, level, moved, other, force, forced):  # type: ignore[no-untyped-def]
    """Let every table follow one end of a duel; tells whether all could, else none has moved."""
    gain = np.zeros(len(forced), np.int64)
    for table in range(len(forced)):
        missing, gain[table] = find_flow(tree, joined, scratch, table, source, sink, level, moved, other, force)
        if missing > 0:
            drop_flow(scratch)
            return False
    make_flow(joined, scratch)
    forced += gain
    return True


@njit(cache=True)
def _can(tree, joined, scratch, source, sink, level, moved, other, forced):  # type: ignore[no-untyped-def]
    able = True
    for table in range(len(forced)):
        missing, _ = find_flow(tree, joined, scratch, table, source, sink, level, moved, other, True)
        if missing > 0:
            able = False
            break
    drop_flow(scratch)
    return able


@njit(cache=True)
def _steps(tree, totals, first, second, level):  # type: ignore[no-untyped-def]
    """How much the first may gain from the second, and lose to it, with every total between its multiples."""
    up = np.int64(1) << 60
    down = up
    for end in range(2):
        unit = second if end else first
        while unit >= 0 and unit < tree.offsets[level]:
            above = totals.ceiling[unit] - totals.values[unit]
            below = totals.values[unit] - totals.floor[unit]
            up = min(up, below if end else above)
            down = min(down, above if end else below)
            unit = tree.parents[unit]
    return up, down


@njit(cache=True)
def _shift(tree, totals, area, level, by):  # type: ignore[no-untyped-def]
    """Add to an area's total and to those above it, below `level`; the outside (-1) has none."""
    unit = np.int64(area)
    while unit >= 0 and unit < tree.offsets[level]:
        totals.values[unit] += by
        unit = tree.parents[unit]


@njit(cache=True)
def _draw(draws, first, second, up, down):  # type: ignore[no-untyped-def]
    """Whether the first gains `up`, which has probability down / (up + down), or loses `down`."""
    words = np.empty(3, np.uint64)
    words[0] = draws.figures[first]
    words[1] = draws.figures[second] if second >= 0 else np.uint64(0)
    words[2] = np.uint64(draws.attempts[first])
    return siphash(draws.secret, words, 3) % np.uint64(up + down) < np.uint64(down)
