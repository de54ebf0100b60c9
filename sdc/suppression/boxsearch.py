"""Changes of a cube that leave its sums as they are, and the cheapest of them that moves a cell.

A *box* raises some cells by one and lowers as many others or none: on each axis
one finest place goes up, and one goes down or none does; a cell at places p moves
by the product of what its places do (`sdc.lattice`).  Boxes with one place going
up and one going down on every axis are the hypercubes of the hypercube method;
here a place may also move alone, with all totals above it.  So every table of a
cube can be reached from every other.

A cell that is hidden, or that moves already, costs next to nothing.  Options of
each axis are ranked by what they cost at the cell's own places on all others;
then they are combined depth first, and what cannot become cheaper than the best
box so far, or would take a cell below 0, is cut off.  It is a heuristic: only
the best options of each axis are looked at.

Source: Hundepool et al., *Handbook on Statistical Disclosure Control*, 2nd ed.
(2024), 4.4 (hypercube method).
"""

from typing import NamedTuple

import numpy as np

from sdc.compiled import lean
from sdc.lattice import Frame

__all__ = ["NEVER", "Bench", "cheapest_box", "make_bench", "must_stay"]

# The price of what may not be hidden.
NEVER = 1e30
# What moving a hidden cell costs, as a share of the cheapest price: of two boxes that hide nothing more, the smaller.
STEP = 1e-5
# Options of one axis that are kept; places going up, each of which may also move alone, and places going down for each
# common place above; finest places looked at for each.
OPTIONS, UPS, DOWNS, LOOKED = 40, 6, 10, 600
# Cells of one box, and cells looked at in the search for one.
CORNERS, EFFORT = 4096, 60_000


class Bench(NamedTuple):
    """What is known of the cells, and working memory.

    Attributes
    ----------
    down, up : int64 of shape (cells,), how far each cell can move; a very large number for no bound.
    price : float64 of shape (cells,), what hiding each cell costs, `NEVER` for what may not be hidden.
    hidden : bool of shape (cells,).
    barred : int64 of shape (cells,): cells where it equals ``ticket[0]`` may not move.
    moved : int64 of shape (cells,), the change so far. touched : cells that it touches; many : their number.
    """

    down: np.ndarray
    up: np.ndarray
    price: np.ndarray
    hidden: np.ndarray
    barred: np.ndarray
    ticket: np.ndarray
    moved: np.ndarray
    touched: np.ndarray
    noted: np.ndarray
    many: np.ndarray
    step: np.ndarray
    # A cell that must not be moved further; the price of overdrafts, 0 where there may be none; cells tried in vain.
    locked: np.ndarray
    overdraft: np.ndarray
    tired: np.ndarray
    turn: np.ndarray
    kept: np.ndarray
    kept_cell: np.ndarray
    kept_move: np.ndarray
    # Per axis and option: the place going up, the one going down or -1, the common place above, and the price by itself.
    going_up: np.ndarray
    going_down: np.ndarray
    common: np.ndarray
    alone: np.ndarray
    options: np.ndarray
    least: np.ndarray
    # Ranked places with their prices, for one axis at a time.
    ups: np.ndarray
    ups_price: np.ndarray
    downs: np.ndarray
    downs_price: np.ndarray
    # Partial boxes: places of the whole and signs, one after another as axes are added.
    spot: np.ndarray
    sign: np.ndarray
    ends: np.ndarray
    paid: np.ndarray
    space: np.ndarray
    tried: np.ndarray
    best_spot: np.ndarray
    best_sign: np.ndarray
    effort: np.ndarray


def make_bench(frame: Frame, *, down: np.ndarray, up: np.ndarray, price: np.ndarray, hidden: np.ndarray) -> Bench:
    """A bench for one cube; `hidden` is the pattern it starts with."""
    cells, axes = frame.places.shape
    payable = price[price < NEVER]
    return Bench(
        down=down.astype(np.int64),
        up=up.astype(np.int64),
        price=price.astype(np.float64),
        hidden=hidden.copy(),
        barred=np.zeros(cells, np.int64),
        ticket=np.ones(1, np.int64),
        moved=np.zeros(cells, np.int64),
        touched=np.empty(cells, np.int32),
        noted=np.zeros(cells, np.bool_),
        many=np.zeros(1, np.int64),
        step=np.array([STEP * float(payable.min(initial=1.0))]),
        locked=np.full(1, -1, np.int64),
        overdraft=np.zeros(1),
        tired=np.zeros(cells, np.int64),
        turn=np.zeros(1, np.int64),
        kept=np.zeros(1, np.int64),
        kept_cell=np.empty(cells, np.int32),
        kept_move=np.empty(cells, np.int64),
        going_up=np.empty((axes, OPTIONS), np.int32),
        going_down=np.empty((axes, OPTIONS), np.int32),
        common=np.empty((axes, OPTIONS), np.int32),
        alone=np.empty((axes, OPTIONS), np.float64),
        options=np.zeros(axes, np.int64),
        least=np.zeros(axes + 1, np.float64),
        ups=np.empty(UPS, np.int32),
        ups_price=np.empty(UPS, np.float64),
        downs=np.empty(DOWNS, np.int32),
        downs_price=np.empty(DOWNS, np.float64),
        spot=np.empty((axes + 1, CORNERS), np.int64),
        sign=np.empty((axes + 1, CORNERS), np.int8),
        ends=np.zeros(axes + 1, np.int64),
        paid=np.zeros(axes + 1, np.float64),
        space=np.zeros(axes + 1, np.int64),
        tried=np.zeros(axes + 1, np.int64),
        best_spot=np.empty(CORNERS, np.int64),
        best_sign=np.empty(CORNERS, np.int8),
        effort=np.zeros(1, np.int64),
    )


@lean
def _toll(b, number, sign):  # type: ignore[no-untyped-def]
    """What moving a cell by one costs; at least `NEVER` where it cannot move."""
    if number < 0:
        return 0.0
    if number == b.locked[0]:
        return NEVER
    if _room(b, number, sign) < 1:
        return b.overdraft[0] if b.overdraft[0] > 0.0 else NEVER
    if b.hidden[number] or b.moved[number] != 0:
        return b.step[0]
    return b.price[number]


@lean
def must_stay(b, number):  # type: ignore[no-untyped-def]
    """Whether a cell is known to the reader, or shown and not to be hidden."""
    return b.barred[number] == b.ticket[0] or (b.price[number] >= NEVER and not b.hidden[number])


@lean
def _room(b, number, sign):  # type: ignore[no-untyped-def]
    """How far a cell may still move; what must not move at all may come back."""
    if must_stay(b, number):
        return max(-sign * b.moved[number], 0)
    if sign > 0:
        return b.up[number] - b.moved[number]
    return b.down[number] + b.moved[number]


@lean
def cheapest_box(frame, b, cell, sign, need):  # type: ignore[no-untyped-def]
    """The box that moves a cell at least price per step; how many corners it has (0 for none) and by how much it goes."""
    axes = frame.places.shape[1]
    base = np.int64(0)
    for axis in range(axes):
        base += frame.strides[axis] * frame.places[cell, axis]
    own = b.step[0]
    if _room(b, cell, sign) < 1:
        return np.int64(0), np.int64(0)
    b.spot[0, 0] = base
    b.sign[0, 0] = sign
    b.ends[0] = 1
    b.paid[0] = own
    b.space[0] = min(need, _room(b, cell, sign))
    b.least[axes] = 0.0
    for axis in range(axes - 1, -1, -1):
        _rank_options(frame, b, cell, sign, axis, base)
        if b.options[axis] == 0:
            return np.int64(0), np.int64(0)
        b.least[axis] = b.least[axis + 1] + b.alone[axis, 0]
    return _combine(frame, b, cell, need)


@lean
def _keep(places, prices, number, most, place, price):  # type: ignore[no-untyped-def]
    """Keep a place among the cheapest, in order; returns how many there are."""
    if number == most and price >= prices[most - 1]:
        return number
    at = number if number < most else most - 1
    while at > 0 and prices[at - 1] > price:
        prices[at] = prices[at - 1]
        places[at] = places[at - 1]
        at -= 1
    prices[at] = price
    places[at] = place
    return min(number + 1, most)


@lean
def _climb(frame, b, start, top, axis, rest, sign):  # type: ignore[no-untyped-def]
    """What a place and those above it, up to below `top`, cost on one axis."""
    price = 0.0
    place = start
    while place != top and price < NEVER:
        price += _toll(b, frame.number[rest + frame.strides[axis] * place], sign)
        place = frame.above[frame.first[axis] + place]
    return price


@lean
def _lies_below(frame, axis, place, above):  # type: ignore[no-untyped-def]
    while place >= 0 and place != above:
        place = frame.above[frame.first[axis] + place]
    return place == above


@lean
def _rank_options(frame, b, cell, sign, axis, base):  # type: ignore[no-untyped-def]
    """The cheapest things one axis can do, by what they cost with the cell's own places on all other axes."""
    own = frame.places[cell, axis]
    first = frame.first[axis]
    rest = base - frame.strides[axis] * own
    b.options[axis] = 0
    begin, end = frame.begin[first + own], frame.begin[first + own + 1]
    ups = np.int64(0)
    for k in range(begin, min(end, begin + LOOKED)):
        price = _climb(frame, b, frame.leaves[k], own, axis, rest, sign)
        if price < NEVER:
            ups = _keep(b.ups, b.ups_price, ups, UPS, frame.leaves[k], price)
    if ups == 0:
        return
    # Upwards place by place: what all that lies below the next one has in common stays as it is.
    along = 0.0
    branch = own
    above = frame.above[first + own]
    while along < NEVER:
        if above < 0:
            for i in range(ups):
                _add_option(b, axis, OPTIONS, b.ups[i], -1, -1, along + b.ups_price[i])
            return
        downs = _rank_downs(frame, b, axis, rest, sign, branch, above)
        for i in range(ups):
            for j in range(downs):
                _add_option(
                    b, axis, OPTIONS - UPS, b.ups[i], b.downs[j], above, along + b.ups_price[i] + b.downs_price[j]
                )
        along += _toll(b, frame.number[rest + frame.strides[axis] * above], sign)
        branch = above
        above = frame.above[first + above]


@lean
def _rank_downs(frame, b, axis, rest, sign, branch, above):  # type: ignore[no-untyped-def]
    """The cheapest finest places below `above`, but not below `branch`, to go the other way."""
    begin, end = frame.begin[frame.first[axis] + above], frame.begin[frame.first[axis] + above + 1]
    number = end - begin
    downs = np.int64(0)
    # Where there are many, those next to the branch.
    start = np.int64(0)
    if number > LOOKED:
        target = frame.leaves[frame.begin[frame.first[axis] + branch]]
        while start < number and frame.leaves[begin + start] < target:
            start += 1
        start = max(np.int64(0), start - LOOKED // 2)
    for k in range(min(number, LOOKED)):
        leaf = frame.leaves[begin + (start + k) % number]
        if _lies_below(frame, axis, leaf, branch):
            continue
        price = _climb(frame, b, leaf, above, axis, rest, -sign)
        if price < NEVER:
            downs = _keep(b.downs, b.downs_price, downs, DOWNS, leaf, price)
    return downs


@lean
def _add_option(b, axis, most, up, down, common, price):  # type: ignore[no-untyped-def]
    """Keep an option among the cheapest `most` of its axis, in order of price."""
    number = b.options[axis]
    if price >= NEVER or (number == most and price >= b.alone[axis, number - 1]):
        return
    at = number if number < most else most - 1
    while at > 0 and b.alone[axis, at - 1] > price:
        b.alone[axis, at] = b.alone[axis, at - 1]
        b.going_up[axis, at] = b.going_up[axis, at - 1]
        b.going_down[axis, at] = b.going_down[axis, at - 1]
        b.common[axis, at] = b.common[axis, at - 1]
        at -= 1
    b.alone[axis, at] = price
    b.going_up[axis, at] = up
    b.going_down[axis, at] = down
    b.common[axis, at] = common
    b.options[axis] = min(number + 1, most)


@lean
def _combine(frame, b, cell, need):  # type: ignore[no-untyped-def]
    """Depth first over the options of all axes; the best box is left in `best_spot` and `best_sign`."""
    axes = frame.places.shape[1]
    best = NEVER
    corners, best_room = np.int64(0), np.int64(0)
    depth = 0
    b.tried[0] = -1
    b.effort[0] = 0
    while depth >= 0:
        if depth == axes:
            best = b.paid[axes] / b.space[axes]
            best_room = b.space[axes]
            corners = b.ends[axes]
            for k in range(corners):
                b.best_spot[k] = b.spot[axes, k]
                b.best_sign[k] = b.sign[axes, k]
            if best_room == need and b.paid[axes] <= corners * b.step[0]:
                break
            depth -= 1
            continue
        b.tried[depth] += 1
        option = b.tried[depth]
        spent = b.effort[0] > (EFFORT if corners > 0 else 10 * EFFORT)
        if spent or option >= b.options[depth]:
            depth -= 1
            continue
        # Options stand in order of price: no later one is cheaper.
        if b.paid[depth] + b.alone[depth, option] + b.least[depth + 1] >= best * b.space[depth]:
            depth -= 1
            continue
        goes = _spread(frame, b, cell, depth, option)
        if goes and b.paid[depth + 1] + b.least[depth + 1] < best * b.space[depth + 1]:
            depth += 1
            if depth < axes:
                b.tried[depth] = -1
    return corners, best_room


@lean
def _spread(frame, b, cell, axis, option):  # type: ignore[no-untyped-def]
    """Multiply a partial box by an option of one more axis; False where a cell cannot move, or there is no room."""
    own = frame.places[cell, axis]
    first, stride = frame.first[axis], frame.strides[axis]
    paid, space = b.paid[axis], b.space[axis]
    number = np.int64(0)
    for side in range(2):
        place = b.going_up[axis, option] if side == 0 else b.going_down[axis, option]
        turn = 1 if side == 0 else -1
        while place >= 0 and place != b.common[axis, option]:
            for k in range(b.ends[axis]):
                if number == CORNERS:
                    return False
                spot = b.spot[axis, k] + stride * (place - own)
                sign = b.sign[axis, k] * turn
                corner = frame.number[spot]
                if place != own and corner >= 0:
                    paid += _toll(b, corner, sign)
                    if paid >= NEVER:
                        return False
                    room = _room(b, corner, sign)
                    if room > 0:
                        space = min(space, room)
                b.spot[axis + 1, number] = spot
                b.sign[axis + 1, number] = sign
                number += 1
            b.effort[0] += b.ends[axis]
            place = frame.above[first + place]
    b.ends[axis + 1] = number
    b.paid[axis + 1] = paid
    b.space[axis + 1] = space
    return True
