"""The totals tree, drawn once: unbiased, additive, within the base.

Each smallest area whose total is no multiple of the base is *open*.  Two open
areas settle a duel: with residues m and n modulo the base b, either the first
gains u = min(b - m, n) and the second loses it, with probability d / (u + d),
or the first loses d = min(m, b - n) and the second gains it.  One of them is
then a multiple of b.  Two neighbouring areas duel first, then those left open
by neighbouring pairs, and so on until one is left open in their parent, or
none; parents then meet likewise within theirs; the last one left open under a
top unit is rounded up with probability m / b.  Every step keeps the
expectation of every total at every level, and no total leaves its two
neighbouring multiples.

This is the pivotal method of Deville & Tillé, "Unequal probability sampling
without replacement through a splitting method", Biometrika 85 (1998), 89-101,
run along a tree; equally the cycle-cancelling of Cox, "A constructive procedure
for unbiased controlled rounding", JASA 82 (1987), 520-524, on a tree alone.

The draw of a duel depends on the key, the figure of one of its two areas (that
with the smaller hash) and both residues, never on a table; a change in the
other area mostly leaves it as it is.  Tables that must follow can stand in the way; so
the tree is walked up to three times, each time for the areas still open:

1. FREE: two areas duel where every table can follow without bias, whichever
   end is drawn; else they are set apart and meet others further up.
2. FORCED: where every table can follow either end, if need be by force.
3. TURNED: where the end drawn clashes with a table, the other end is taken.

One table alone can always settle what FREE duels leave (`sdc.rounding.alone`), so nothing of it is forced or turned.
Which areas meet depends on the true counts and on earlier draws alone, so that
FREE duels keep every expectation.  Almost all duels are FREE.  Where cells keep
the values of the release before (`sdc.rounding.kept`), the second and the third
walk are then made again, FREEING such cells where nothing else helps.  Areas
that even then stay open are left to `sdc.rounding.repair`.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from sdc.compiled import lean
from sdc.rounding.draws import Draws, draw
from sdc.rounding.follow import drop_flow, find_flow, make_flow
from sdc.rounding.joined import Joined
from sdc.rounding.search import Scratch
from sdc.rounding.tree import Tree

__all__ = ["APART", "DUELS", "TURNS", "Game", "Totals", "draw_totals"]

FREE, FORCED, TURNED, FREEING, FREEING_TURNED = range(5)
# What `Game.counts` counts.
DUELS, TURNS, APART = range(3)


class Totals(NamedTuple):
    """Totals by unit (see `sdc.rounding.tree`), each between two multiples of the base.

    Attributes
    ----------
    values, floor, ceiling : int64 of shape (units,); floor = ceiling at a multiple.
    """

    values: np.ndarray
    floor: np.ndarray
    ceiling: np.ndarray


class Game(NamedTuple):
    """Everything the duels read and write.

    Attributes
    ----------
    forced : int64 of shape (tables,), what was moved by force, in parts of 1 / SCALE.
    counts : int64 of shape (3,): duels settled, of these turned, and pairs set apart.
    gain : int64 of shape (tables,), room for what the present duel forces.
    """

    tree: Tree
    totals: Totals
    draws: Draws
    joined: Joined
    scratch: Scratch
    forced: np.ndarray
    counts: np.ndarray
    gain: np.ndarray


@njit(cache=True)
def draw_totals(game, holds, alone):  # type: ignore[no-untyped-def]
    """Round the totals of every level in place, every table following step by step.

    `holds` says whether any cell is held, `alone` whether one table follows and may
    settle what is left (`sdc.rounding.alone`): nothing is then forced.
    Returns the areas left open, int64: what they would take clashes with a table.
    """
    left = _open_areas(game)
    last = FREE if alone else (FREEING_TURNED if holds else TURNED)
    for mode in range(last + 1):
        if len(left) > 0:
            # Open areas of each unit as a linked list: mostly one, more where a table forbids the duel of two.
            first_open = np.full(len(game.tree.parents), -1, np.int64)
            first_open[left] = left
            _walk(game, first_open, np.full(game.tree.areas, -1, np.int64), mode)
            left = _open_areas(game)
    return left


@njit(cache=True)
def _open_areas(game):  # type: ignore[no-untyped-def]
    found = np.empty(game.tree.areas, np.int64)
    count = 0
    for area in range(game.tree.areas):
        if _is_open(game.totals, area):
            found[count] = area
            count += 1
    return found[:count].copy()


@lean
def _is_open(totals, unit):  # type: ignore[no-untyped-def]
    return totals.floor[unit] < totals.values[unit] < totals.ceiling[unit]


@lean
def _walk(game, first_open, following, mode):  # type: ignore[no-untyped-def]
    """Let open areas duel within their parents, then further up, as far as the mode allows."""
    tree = game.tree
    depth = len(tree.offsets) - 1
    for level in range(1, depth):
        for unit in range(tree.offsets[level], tree.offsets[level + 1]):
            children = tree.children[tree.first_child[unit] : tree.first_child[unit + 1]]
            for child in children:
                _leave_shut(game, level, child, first_open, following)
            group = 1
            while group < len(children):
                for place in range(0, len(children) - group, 2 * group):
                    _merge(game, level, children[place], children[place + group], first_open, following, mode)
                group *= 2
            first_open[unit] = first_open[children[0]]
    for top in range(tree.offsets[depth - 1], tree.offsets[depth]):
        area = first_open[top]
        while area >= 0:
            _duel(game, area, -1, depth, mode)
            area = following[area]


@lean
def _leave_shut(game, level, child, first_open, following):  # type: ignore[no-untyped-def]
    """Leave out areas that have a settled total above them: no duel from here on up can move them."""
    tree, totals = game.tree, game.totals
    before = np.int64(-1)
    area = first_open[child]
    while area >= 0:
        unit = np.int64(area)
        while unit >= 0 and unit < tree.offsets[level] and _is_open(totals, unit):
            unit = tree.parents[unit]
        if unit < 0 or unit >= tree.offsets[level]:
            before = area
        elif before < 0:
            first_open[child] = following[area]
        else:
            following[before] = following[area]
        area = following[area]


@lean
def _merge(game, level, left, right, first_open, following, mode):  # type: ignore[no-untyped-def]
    """The areas open in one group of neighbouring units duel with those of the next; who stays open joins the first."""
    second = first_open[right]
    while second >= 0:
        waiting = following[second]
        before = np.int64(-1)
        first = first_open[left]
        while first >= 0 and _is_open(game.totals, second):
            _duel(game, first, second, level, mode)
            after = following[first]
            if _is_open(game.totals, first):
                before = first
            elif before < 0:
                first_open[left] = after
            else:
                following[before] = after
            first = after
        if _is_open(game.totals, second):
            following[second] = first_open[left]
            first_open[left] = second
        second = waiting


@lean
def _duel(game, first, second, level, mode):  # type: ignore[no-untyped-def]
    """Let two areas duel, or one (second = -1) with the outside; where the mode does not allow it nothing is changed."""
    up, down = _steps(game, first, second, level)
    if up == 0 or down == 0:
        return
    rises = _rises(game.draws, first, second, up, down)
    freeing = mode >= FREEING
    done = _end(game, first, second, level, up, down, rises, False, True, False)
    if not done and (mode == FORCED or mode == FREEING):
        # Asked of both ends, so that it says nothing about the end drawn.
        done = _end(game, first, second, level, up, down, not rises, True, False, freeing)
        done = done and _end(game, first, second, level, up, down, rises, True, True, freeing)
    if not done and (mode == TURNED or mode == FREEING_TURNED):
        done = _end(game, first, second, level, up, down, rises, True, True, freeing)
        if not done:
            done = _end(game, first, second, level, up, down, not rises, True, True, freeing)
            game.counts[TURNS] += done
    game.counts[DUELS if done else APART] += 1


@lean
def _end(game, first, second, level, up, down, rises, force, keep, freeing):  # type: ignore[no-untyped-def]
    """Whether every table can follow one end of a duel; it is made if `keep` says so."""
    source, sink, moved, other = (first, second, up, down) if rises else (second, first, down, up)
    gain = game.gain
    for table in range(len(gain)):
        missing, gain[table] = find_flow(
            game.tree, game.joined, game.scratch, table, source, sink, level, moved, other, force, freeing
        )
        if missing > 0:
            drop_flow(game.scratch)
            return False
    if not keep:
        drop_flow(game.scratch)
        return True
    make_flow(game.joined, game.scratch)
    for table in range(len(gain)):
        game.forced[table] += gain[table]
    _shift(game, source, level, moved)
    _shift(game, sink, level, -moved)
    return True


@lean
def _steps(game, first, second, level):  # type: ignore[no-untyped-def]
    """How much the first may gain from the second, and lose to it, with every total between its multiples."""
    tree, totals = game.tree, game.totals
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


@lean
def _shift(game, area, level, by):  # type: ignore[no-untyped-def]
    """Add to an area's total and to those above it, below `level`; the outside (-1) has none."""
    unit = np.int64(area)
    while unit >= 0 and unit < game.tree.offsets[level]:
        game.totals.values[unit] += by
        unit = game.tree.parents[unit]


@lean
def _rises(draws, first, second, up, down):  # type: ignore[no-untyped-def]
    """Whether the first gains `up`, which has probability down / (up + down), or loses `down`."""
    if second < 0 or draws.figures[first] <= draws.figures[second]:
        return draw(draws, first, down, up + down)
    return not draw(draws, second, up, up + down)
