"""Moving a cell of a cube by boxes that are laid on each other, and mending what that costs.

The cheapest boxes (`sdc.suppression.boxsearch`) are laid one by one until the cell
has moved as far as it must.  Where all cells may be hidden every count can be
raised so, and lowered to 0.  Then movements that cost much are taken back, dearest
first, by further boxes that leave the cell alone.  The same is tried from boxes
that move cells further than they may, or cells that must be shown: where all of
that can be taken back, a way is found that no box alone goes, such as the cycle of
six cells in which two squares meet in a cell that must stay.
"""

import numpy as np

from sdc.compiled import lean
from sdc.suppression.boxsearch import NEVER, cheapest_box, must_stay

__all__ = ["move_cell", "undo"]

# Boxes laid for one move; movements that are tried to be taken back.
BOXES, MENDS = 60, 16
# The price of moving a cell further than it may, to be taken back by another box: more than any cells cost.
OVERDRAFT = 1e12


@lean
def move_cell(frame, b, cell, sign, amount):  # type: ignore[no-untyped-def]
    """Move a cell by `amount` in the direction of `sign`, over cells that cost as little as is found.

    Returns what the cells cost that must be hidden for it, or `NEVER` where no
    change was found.  The change is left in `moved`; `touched` may hold cells
    whose movements cancel each other.
    """
    b.locked[0] = -1
    b.overdraft[0] = 0.0
    _lay(frame, b, cell, sign, amount)
    b.locked[0] = cell
    price = _standing(b) if b.moved[cell] == sign * amount else NEVER
    if price <= 0.0:
        return price
    if price < NEVER:
        price = _mend(frame, b, cell, price)
        if price <= 0.0:
            return price
    _remember(b)
    undo(b)
    b.locked[0] = -1
    b.overdraft[0] = OVERDRAFT
    _lay(frame, b, cell, sign, amount)
    b.locked[0] = cell
    b.overdraft[0] = 0.0
    other = NEVER
    if b.moved[cell] == sign * amount:
        other = _mend(frame, b, cell, _standing(b))
    if other < min(price, OVERDRAFT):
        return other
    _recall(b)
    return price


@lean
def undo(b):  # type: ignore[no-untyped-def]
    """Take back all movements."""
    for k in range(b.many[0]):
        b.moved[b.touched[k]] = 0
        b.noted[b.touched[k]] = False
    b.many[0] = 0


@lean
def _remember(b):  # type: ignore[no-untyped-def]
    b.kept[0] = b.many[0]
    for k in range(b.many[0]):
        b.kept_cell[k] = b.touched[k]
        b.kept_move[k] = b.moved[b.touched[k]]


@lean
def _recall(b):  # type: ignore[no-untyped-def]
    undo(b)
    for k in range(b.kept[0]):
        _note(b, b.kept_cell[k])
        b.moved[b.kept_cell[k]] = b.kept_move[k]


@lean
def _note(b, number):  # type: ignore[no-untyped-def]
    if not b.noted[number]:
        b.noted[number] = True
        b.touched[b.many[0]] = number
        b.many[0] += 1


@lean
def _lay(frame, b, cell, sign, amount):  # type: ignore[no-untyped-def]
    """Lay the cheapest boxes, one on the other, until a cell has moved by `amount` or there is none."""
    left = np.int64(amount)
    for _ in range(BOXES):
        if left == 0:
            return
        corners, room = cheapest_box(frame, b, cell, sign, left)
        if corners == 0:
            return
        _apply(frame, b, corners, room)
        left -= room


@lean
def _apply(frame, b, corners, times):  # type: ignore[no-untyped-def]
    for k in range(corners):
        number = frame.number[b.best_spot[k]]
        if number >= 0:
            _note(b, number)
            b.moved[number] += b.best_sign[k] * times


@lean
def _standing(b):  # type: ignore[no-untyped-def]
    """What the cells cost that the change moves, `OVERDRAFT` for each that it must not move as far."""
    price = 0.0
    for k in range(b.many[0]):
        number = b.touched[k]
        if b.moved[number] != 0:
            price += _cost_of(b, number)
    return price


@lean
def _cost_of(b, number):  # type: ignore[no-untyped-def]
    move = b.moved[number]
    if must_stay(b, number) or move > b.up[number] or -move > b.down[number]:
        return OVERDRAFT
    return 0.0 if b.hidden[number] else b.price[number]


@lean
def _mend(frame, b, cell, price):  # type: ignore[no-untyped-def]
    """Take movements back that cost much, dearest first, by further boxes that leave the cell alone; the price then."""
    b.turn[0] += 1
    for _ in range(MENDS):
        worst, dearest = np.int64(-1), b.step[0]
        for k in range(b.many[0]):
            number = b.touched[k]
            if b.moved[number] != 0 and number != cell and b.tired[number] != b.turn[0]:
                cost = _cost_of(b, number)
                if cost > dearest:
                    worst, dearest = np.int64(number), cost
        if worst < 0:
            return price
        b.tired[worst] = b.turn[0]
        move = b.moved[worst]
        excess = abs(move)
        if dearest >= OVERDRAFT and not must_stay(b, worst):
            excess = move - b.up[worst] if move > 0 else -move - b.down[worst]
        back = -1 if move > 0 else 1
        corners, times = cheapest_box(frame, b, worst, back, excess)
        if corners == 0:
            if dearest >= OVERDRAFT:
                return price
            continue
        _apply(frame, b, corners, times)
        after = _standing(b)
        if after < price:
            price = after
            if times < excess:
                b.tired[worst] = 0
        else:
            _apply(frame, b, corners, -times)
    return price
