"""Compiled walks from table to table, see `sdc.attack.walking`.

A sum that does not hold is mended by moving one of its cells; other sums then do not hold, and are mended in turn.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from sdc.attack.intervals import NO_BOUND
from sdc.compiled import lean

__all__ = ["Sums", "Table", "mend_all", "projected", "reach", "walk"]

# Cells of a sum that are looked at for one move, those behind the last ones looked at first.
LOOKED_AT = 48
# Longer sums wait until the shorter ones hold: mending those often mends them too.
LONG_SUM = 40
# More room than this counts as this much.
MUCH_ROOM = 1_000_000
# Cells of at most this width are begun in their middle, others this far above their least value at most.
NARROW, SMALL = 16, 4.0
# Sums this close to holding are mended by rounding.
NEARLY = 0.05


class Sums(NamedTuple):
    """Equations both ways, int64: `columns`, `signs` by equation from `starts`; `rows`, `own` (signs) by cell from `first`.

    Σ signs × table = right.
    """

    starts: np.ndarray
    columns: np.ndarray
    signs: np.ndarray
    right: np.ndarray
    first: np.ndarray
    rows: np.ndarray
    own: np.ndarray


class Table(NamedTuple):
    """A table under way: int64 per cell or per equation, but for `waiting` and `astray` (bool).

    table, lo, hi, least, most : per cell, its value, its bounds, and the least and the greatest value met.
    wrong, turn : per equation, by how much it does not hold, and the cell that is looked at first.
    queue, waiting : equations to be mended, oldest first, and which of them are in it.
    moved, before, touched : of the walk under way: how often each cell moved, its value before, cells that moved.
    base, astray, strayed : what the table was when the walks began, and cells that walks which stand have moved.
    """

    table: np.ndarray
    wrong: np.ndarray
    lo: np.ndarray
    hi: np.ndarray
    queue: np.ndarray
    waiting: np.ndarray
    turn: np.ndarray
    moved: np.ndarray
    before: np.ndarray
    touched: np.ndarray
    base: np.ndarray
    astray: np.ndarray
    strayed: np.ndarray
    least: np.ndarray
    most: np.ndarray


@njit(cache=True)
def projected(g, lo, hi, sweeps):  # type: ignore[no-untyped-def]
    """Values (float64) within bounds at which sums nearly hold, moved for each sum in proportion to the room they have."""
    value = np.empty(len(lo))
    for cell in range(len(lo)):
        # What may be anything starts small: sums above it say how large it is.
        width = hi[cell] - lo[cell]
        value[cell] = lo[cell] + (width / 2 if width <= NARROW else min(width / 8, SMALL))
    for sweep in range(sweeps):
        worst = 0.0
        for turn in range(len(g.starts) - 1):
            e = turn if sweep % 2 == 0 else len(g.starts) - 2 - turn
            wrong = -float(g.right[e])
            for i in range(g.starts[e], g.starts[e + 1]):
                wrong += g.signs[i] * value[g.columns[i]]
            worst = max(worst, abs(wrong))
            total = 0.0
            for i in range(g.starts[e], g.starts[e + 1]):
                cell = g.columns[i]
                room = hi[cell] - value[cell] if (g.signs[i] > 0) == (wrong < 0) else value[cell] - lo[cell]
                total += min(room, MUCH_ROOM)
            if wrong == 0.0 or total <= 0.0:
                continue
            share = min(1.0, abs(wrong) / total)
            for i in range(g.starts[e], g.starts[e + 1]):
                cell = g.columns[i]
                up = (g.signs[i] > 0) == (wrong < 0)
                step = share * min(hi[cell] - value[cell] if up else value[cell] - lo[cell], MUCH_ROOM)
                value[cell] += step if up else -step
        if worst < NEARLY:
            break
    return value


@lean
def move(g, s, cell, change, tail, held):  # type: ignore[no-untyped-def]
    """Change one cell, and put its sums that no longer hold in the queue; how many the queue then holds."""
    s.table[cell] += change
    size = len(s.queue)
    for j in range(g.first[cell], g.first[cell + 1]):
        e = g.rows[j]
        s.wrong[e] += g.own[j] * change
        if s.wrong[e] != 0 and not s.waiting[e]:
            s.waiting[e] = True
            s.queue[(tail + held) % size] = e
            held += 1
    return held


@lean
def choose(g, s, e, pinned):  # type: ignore[no-untyped-def]
    """The cell of a sum whose move leaves least wrong, and its change; -1 where none can move."""
    first, length = g.starts[e], g.starts[e + 1] - g.starts[e]
    best, best_change, best_score = -1, 0, np.inf
    wrong = s.wrong[e]
    for k in range(min(length, LOOKED_AT)):
        i = first + (s.turn[e] + k) % length
        cell = g.columns[i]
        if cell == pinned:
            continue
        up = (g.signs[i] > 0) == (wrong < 0)
        room = s.hi[cell] - s.table[cell] if up else s.table[cell] - s.lo[cell]
        if room <= 0:
            continue
        size = min(abs(wrong), room)
        change = size if up else -size
        score = 0
        for j in range(g.first[cell], g.first[cell + 1]):
            other = g.rows[j]
            score += abs(s.wrong[other] + g.own[j] * change) - abs(s.wrong[other])
        # Cells that have moved often are going in circles; of equals the one with the most room left.
        weighed = score / size + s.moved[cell] - min(room - size, 1000) * 1e-4
        if weighed < best_score:
            best, best_change, best_score = cell, change, weighed
    if length > LOOKED_AT:
        s.turn[e] = (s.turn[e] + LOOKED_AT) % length
    return best, best_change


@lean
def mend_all(g, s, moves):  # type: ignore[no-untyped-def]
    """Mend sums, in place, until all hold or the moves are used up."""
    head, held = 0, 0
    size = len(s.queue)
    for e in range(len(g.starts) - 1):
        if s.wrong[e] != 0:
            s.queue[held] = e
            s.waiting[e] = True
            held += 1
    stuck = 0
    while held > 0 and moves > 0 and stuck <= held:
        moves -= 1
        e = s.queue[head]
        head = (head + 1) % size
        held -= 1
        s.waiting[e] = False
        if s.wrong[e] == 0:
            continue
        cell, change = choose(g, s, e, -1)
        if cell < 0:
            stuck += 1
            s.waiting[e] = True
            s.queue[(head + held) % size] = e
            held += 1
            continue
        stuck = 0
        held = move(g, s, cell, change, head, held)
        s.moved[cell] += 1
        if s.wrong[e] != 0 and not s.waiting[e]:
            s.waiting[e] = True
            s.queue[(head + held) % size] = e
            held += 1


@lean
def put(g, s, cell, value):  # type: ignore[no-untyped-def]
    """Give a cell a value, whatever becomes of its sums."""
    change = value - s.table[cell]
    if change != 0:
        s.table[cell] = value
        for j in range(g.first[cell], g.first[cell + 1]):
            s.wrong[g.rows[j]] += g.own[j] * change


@lean
def walk(g, s, start, target, moves, strayed):  # type: ignore[no-untyped-def]
    """Put one cell at a value and mend sums until all hold; note the table if they do.

    Where `strayed` is -1 all is put back.  Otherwise so many cells are listed in `strayed` already: the table stays, and
    those touched are listed too.  Returns how many are listed then (0 where all is put back), -1 where no table was met.
    """
    s.before[start] = s.table[start]
    s.touched[0] = start
    many = 1
    head, held = 0, move(g, s, start, target - s.table[start], 0, 0)
    s.moved[start] = 1
    size = len(s.queue)
    put_off = 0
    while held > 0:
        e = s.queue[head]
        head = (head + 1) % size
        held -= 1
        if s.wrong[e] != 0 and put_off <= held and g.starts[e + 1] - g.starts[e] > LONG_SUM:
            put_off += 1
            s.queue[(head + held) % size] = e
            held += 1
            continue
        s.waiting[e] = False
        if s.wrong[e] == 0:
            continue
        put_off = 0
        cell, change = -1, 0
        if moves > 0:
            moves -= 1
            cell, change = choose(g, s, e, start)
        if cell < 0:
            while held > 0:
                s.waiting[s.queue[head]] = False
                head = (head + 1) % size
                held -= 1
            for k in range(many):
                s.moved[s.touched[k]] = 0
                put(g, s, s.touched[k], s.before[s.touched[k]])
            return -1
        if s.moved[cell] == 0:
            s.before[cell] = s.table[cell]
            s.touched[many] = cell
            many += 1
        s.moved[cell] += 1
        held = move(g, s, cell, change, head, held)
        if s.wrong[e] != 0 and not s.waiting[e]:
            s.waiting[e] = True
            s.queue[(head + held) % size] = e
            held += 1
    listed = max(strayed, 0)
    for k in range(many):
        cell = s.touched[k]
        s.moved[cell] = 0
        s.least[cell] = min(s.least[cell], s.table[cell])
        s.most[cell] = max(s.most[cell], s.table[cell])
        if strayed < 0:
            put(g, s, cell, s.before[cell])
        elif not s.astray[cell]:
            s.astray[cell] = True
            s.strayed[listed] = cell
            listed += 1
    return listed


@lean
def reach(g, s, cells, down, up, enough, from_zero, moves):  # type: ignore[no-untyped-def]
    """Walk to both wanted ends of each cell, the upper one first, and back again.

    A cell that was met at `enough` is followed no further, nor one met at 0 and at `from_zero`; all of one shape.
    """
    for cell in cells:
        for side in range(2):
            if s.most[cell] >= enough[cell] or (s.least[cell] <= 0 and s.most[cell] >= from_zero[cell]):
                break
            target = up[cell] if side == 0 else down[cell]
            if target < NO_BOUND and (s.most[cell] < target if side == 0 else s.least[cell] > target):
                stroll(g, s, cell, target, moves)


@lean
def stroll(g, s, cell, target, moves):  # type: ignore[no-untyped-def]
    """Walk towards a value at one go, or in steps that are halved where no table is met, and back again."""
    if walk(g, s, cell, target, moves, -1) >= 0:
        return
    step = abs(target - s.table[cell]) // 2
    strayed = 0
    while step > 0 and s.table[cell] != target:
        left = target - s.table[cell]
        size = min(step, abs(left))
        found = walk(g, s, cell, s.table[cell] + (size if left > 0 else -size), moves, strayed)
        if found < 0:
            step //= 2
        else:
            strayed = found
    for k in range(strayed):
        astray = s.strayed[k]
        s.astray[astray] = False
        put(g, s, astray, s.base[astray])
