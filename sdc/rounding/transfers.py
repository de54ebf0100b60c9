"""Moving a table's categories so that its totals become others that are given.

Given are a table and what each smallest area is to gain or lose.  An area that
gains is paired with one that loses, neighbours first, and what the one gives the
other passes between their categories in every table at once: up the category
of the one, down the same category of the other, or round by a path
(`sdc.rounding.search`).  All cells stay between the two multiples of the base
next to their true counts, multiples do not move, everything stays additive, and
everything stays whole: the result is a table again, which can be rounded.

What passes is shared among the categories as if the two areas settled a duel
(`sdc.rounding.totals`) whose other end might have come as well: with residues m
and n the first gains ``up = min(b - m, n)`` or loses ``down = min(m, b - n)``, and
a category takes no more than leaves room for either.  Whole counts are picked
from such shares by systematic sampling, the start of which is the key's.  So the
mean of a cell over keys is its true count, but where a path was needed that is
open in one direction alone: such moves are counted as *forced*.

What no path can bring is left; the caller learns where.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from common.keys import sip_key, siphash
from sdc.compiled import lean
from sdc.figures import figures_of
from sdc.rounding.follow import drop_flow, make_flow
from sdc.rounding.joined import SCALE, Joined, join_tables
from sdc.rounding.search import Scratch, add_flow, find_path, make_scratch, push_path
from sdc.rounding.tree import Tree, tree_of
from sdc.tables import Table

__all__ = ["Moved", "move_totals"]

BUDGET = 1 << 14
FORCED, PATHS = range(2)


@dataclass(frozen=True, kw_only=True, eq=False)
class Moved:
    """Tables with other totals.

    Attributes
    ----------
    tables : in the order given, each between the multiples next to the true counts.
    left : int64 of shape (smallest areas,), what each area should still gain; 0 nearly everywhere.
    forced : counts moved along paths that were open in one direction alone.
    """

    tables: tuple[Table, ...]
    left: np.ndarray
    forced: int


class _Moves(NamedTuple):
    """What the transfers read and write.

    Attributes
    ----------
    residue : int64 of shape (units,), each total above its lower multiple, as it now stands.
    width : int64 of shape (units,), the base, and 0 where the total is a multiple, which stays.
    left : int64 of shape (smallest areas,), what is still to gain.
    secret, figures, drawn, words : what uniform numbers are drawn from, by smallest area.
    counts : int64 of shape (2,): counts forced, paths looked for.
    """

    tree: Tree
    joined: Joined
    scratch: Scratch
    residue: np.ndarray
    width: np.ndarray
    left: np.ndarray
    secret: np.ndarray
    figures: np.ndarray
    drawn: np.ndarray
    words: np.ndarray
    counts: np.ndarray


def move_totals(tables: tuple[Table, ...], gains: np.ndarray, *, base: int, key: bytes) -> Moved:
    """Give the smallest areas other totals, every table following.

    Parameters
    ----------
    tables : with categories, over one hierarchy and with equal totals.
    gains : int64 of shape (smallest areas,): what each total is to gain, such
        that no total of any unit leaves its two neighbouring multiples.  What they do not give
        each other comes from, or goes to, the outside.
    base : rounding base b.
    """
    first = tables[0]
    joined = join_tables(tables, base)
    totals = np.concatenate([counts[:, -1] for counts in first.counts])
    moves = _Moves(
        tree=tree_of(first.hierarchy),
        joined=joined,
        scratch=make_scratch(joined),
        residue=totals % base,
        width=np.where(totals % base == 0, 0, base),
        left=gains.astype(np.int64),
        secret=sip_key(key, "transfers"),
        figures=figures_of(first.totals(), key).hashes[0].ravel(),
        drawn=np.zeros(len(gains), np.int32),
        words=np.empty(2, np.uint64),
        counts=np.zeros(2, np.int64),
    )
    before = joined.offset.copy()
    _transfer_all(moves)
    shifts = (joined.offset - before) // SCALE
    moved = tuple(_shifted(table, shifts[start:]) for table, start in zip(tables, joined.starts, strict=False))
    return Moved(tables=moved, left=moves.left, forced=int(moves.counts[FORCED]))


def _shifted(table: Table, shifts: np.ndarray) -> Table:
    areas, columns = table.counts[0].shape
    shift = shifts[: areas * columns].reshape(areas, columns)[:, :-1]
    return Table.from_finest(
        hierarchy=table.hierarchy, classification=table.classification, finest=table.counts[0][:, :-1] + shift
    )


def _transfer_all(moves: _Moves) -> None:
    """Pair areas that gain with areas that lose within their parent, then further up, then with the outside."""
    tree, left = moves.tree, moves.left
    depth = len(tree.offsets) - 1
    above = np.arange(tree.areas)
    for level in range(1, depth + 1):
        waiting = np.flatnonzero(left)
        if level == depth:
            starts = np.arange(len(waiting) + 1)
        else:
            above = tree.parents[above]
            waiting = waiting[np.argsort(above[waiting], kind="stable")]
            starts = np.append(np.flatnonzero(np.diff(above[waiting], prepend=-1)), len(waiting))
        _pair(moves, waiting, starts, level, level == depth)


@lean
def _pair(moves, areas, starts, level, outside):  # type: ignore[no-untyped-def]
    """In each group, let each area that gains take from those that lose, the next in line first.

    Or let each settle with the outside.
    """
    left = moves.left
    for group in range(len(starts) - 1):
        first, last = starts[group], starts[group + 1]
        for gainer in areas[first:last]:
            for place in range(first, last):
                loser = np.int64(-1) if outside else areas[place]
                if outside or (left[gainer] > 0 and left[loser] < 0):
                    _give(moves, gainer, loser, level)


@lean
def _give(moves, gainer, loser, level):  # type: ignore[no-untyped-def]
    """Pass what one area needs from another to it, in every table or in none; loser = -1 is the outside.

    With the outside an area may gain or lose.
    """
    left, residue, width = moves.left, moves.residue, moves.width
    source, sink = np.int64(gainer), np.int64(loser)
    amount = abs(left[gainer])
    if loser < 0:
        up, down = width[gainer] - residue[gainer], residue[gainer]
        if left[gainer] < 0:
            up, down = down, up
            source, sink = np.int64(-1), np.int64(gainer)
    else:
        amount = min(amount, -left[loser])
        up = min(width[gainer] - residue[gainer], residue[loser])
        down = min(residue[gainer], width[loser] - residue[loser])
    amount = _within_totals(moves, source, sink, level, amount)
    forced = np.int64(0)
    while amount > 0:
        forced = _follow_all(moves, source, sink, level, amount, max(up, amount), down)
        if forced >= 0:
            break
        amount -= 1
    if amount <= 0:
        return
    make_flow(moves.joined, moves.scratch)
    moves.counts[FORCED] += forced
    for end in range(2):
        unit = sink if end else source
        step = -amount if end else amount
        if unit >= 0:
            left[unit] -= step
        while unit >= 0 and unit < moves.tree.offsets[level]:
            residue[unit] += step
            unit = moves.tree.parents[unit]


@lean
def _within_totals(moves, source, sink, level, amount):  # type: ignore[no-untyped-def]
    """As much of an amount as no total below the common unit forbids."""
    for end in range(2):
        unit = sink if end else source
        while unit >= 0 and unit < moves.tree.offsets[level]:
            amount = min(amount, moves.residue[unit] if end else moves.width[unit] - moves.residue[unit])
            unit = moves.tree.parents[unit]
    return amount


@lean
def _follow_all(moves, source, sink, level, amount, up, down):  # type: ignore[no-untyped-def]
    """Add to `scratch.flow` how all tables pass an amount; returns counts passed by force, or -1 where one cannot."""
    forced = np.int64(0)
    for table in range(len(moves.joined.columns)):
        lacking = amount - _straight(moves, table, source, sink, level, amount, up, down)
        # Such that the other end could have come as well; what that leaves, by force.
        for force in range(down == 0, 2):
            if lacking > 0:
                rest = _around(moves, table, source, sink, level, lacking, 1 if force else up, 0 if force else down)
                forced += (lacking - rest) * force
                lacking = rest
        if lacking > 0:
            drop_flow(moves.scratch)
            return np.int64(-1)
    return forced


@lean
def _straight(moves, table, source, sink, level, amount, up, down):  # type: ignore[no-untyped-def]
    """Pass counts along one category of both areas, shared by the categories' room; returns how many."""
    tree, joined, scratch = moves.tree, moves.joined, moves.scratch
    start, columns, limit = joined.starts[table], joined.columns[table], tree.offsets[level]
    total = 0.0
    for k in range(columns - 1):
        room = np.float64(amount)
        for end in range(2):
            unit = sink if end else source
            while unit >= 0 and unit < limit and room > 0:
                cell = start + unit * columns + k
                room = min(room, _room(joined, scratch, cell, end == 0, up, down))
                unit = tree.parents[unit]
        scratch.share[k] = np.int64(room * SCALE)
        total += scratch.share[k]
    if total == 0:
        return np.int64(0)
    # Systematic sampling: each category takes its share rounded down or up, with the right chances.
    send = min(total / SCALE, np.float64(amount))
    place = _uniform(moves, source if source >= 0 else sink)
    reached, sent, done = 0.0, np.int64(0), np.int64(0)
    for k in range(columns - 1):
        if scratch.share[k] == 0:
            continue
        reached += scratch.share[k]
        sent = min(np.int64(np.floor(reached / total * send + place + 1e-9)), amount)
        part = sent - done
        done = sent
        for end in range(2):
            unit = sink if end else source
            while unit >= 0 and unit < limit and part > 0:
                add_flow(scratch, start + unit * columns + k, -part * SCALE if end else part * SCALE)
                unit = tree.parents[unit]
    return done


@lean
def _room(joined, scratch, cell, forward, up, down):  # type: ignore[no-untyped-def]
    """Counts that may be added to a cell, or taken from it, such that `down / up` times as many might go the other way."""
    held = np.int64(joined.offset[cell])
    if held < 0:
        return 0.0
    held += scratch.flow[cell]
    above = (joined.width - held) / SCALE
    below = held / SCALE
    if not forward:
        above, below = below, above
    return min(above, below * up / down) if down > 0 else np.float64(above)


@lean
def _around(moves, table, source, sink, level, lacking, up, down):  # type: ignore[no-untyped-def]
    """Pass what is lacking by paths, within the common unit first, then in wider ones; returns what then lacks."""
    tree, joined, scratch = moves.tree, moves.joined, moves.scratch
    depth = len(tree.offsets) - 1
    columns = joined.columns[table]
    start, end = _node(tree, columns, source, sink), _node(tree, columns, sink, source)
    for scope in range(level, depth + 1):
        while lacking > 0:
            moves.counts[PATHS] += 1
            meeting = find_path(tree, joined, scratch, table, start, end, scope, SCALE, up, down, BUDGET, False)
            if meeting < 0:
                break
            lacking -= _push(moves, table, start, end, meeting, lacking, up, down)
    return lacking


@lean
def _push(moves, table, start, end, meeting, most, up, down):  # type: ignore[no-untyped-def]
    """Send as many whole counts as the path found has room for; returns how many."""
    part = push_path(moves.joined, moves.scratch, table, start, end, meeting, most * SCALE, up, down, False)
    spill = part % SCALE
    if spill > 0:
        _push_back(moves, table, start, end, meeting, spill)
    return part // SCALE


@lean
def _push_back(moves, table, start, end, meeting, spill):  # type: ignore[no-untyped-def]
    """Take back the part of a count that a path carried, so that all stays whole."""
    scratch, first = moves.scratch, moves.joined.starts[table]
    for side in range(2):
        node = meeting
        while node != (end if side else start):
            came = scratch.came[side, node]
            add_flow(scratch, first + (came >> 1), -spill if (came & 1) != side else spill)
            node = scratch.back[side, node]


@lean
def _node(tree, columns, area, other):  # type: ignore[no-untyped-def]
    """The node of a smallest area, or of the hub above the other end where there is none."""
    if area >= 0:
        return area * columns + columns - 1
    unit = np.int64(other)
    while tree.parents[unit] >= 0:
        unit = tree.parents[unit]
    return unit * columns + columns - 1


@lean
def _uniform(moves, area):  # type: ignore[no-untyped-def]
    """The next number in [0, 1) drawn from one area's figure."""
    moves.words[0] = moves.figures[area]
    moves.words[1] = moves.drawn[area]
    moves.drawn[area] += 1
    return np.float64(siphash(moves.secret, moves.words, 2) >> np.uint64(11)) * 2.0**-53
