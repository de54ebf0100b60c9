"""Freeing secondary cells that need not be hidden, and exchanging dear ones for cheaper.

Every demand leans on the secondary cells that the flow which meets it runs over.
A secondary cell can be shown when all demands that lean on it are met without
it: over cells that are hidden anyway, or over others that cost less together
than it does.  Cells are tried once, dearest first.  Nothing is shown that any
demand still needs, so that all intervals asked for stay.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from sdc.compiled import lean
from sdc.suppression.arcs import MUST_SHOW, Arcs, hide_cell, show_cell
from sdc.suppression.guard import Guard, keeps_claimants
from sdc.suppression.meeting import FlowDemands, meet_demand, take_back
from sdc.suppression.mending import mend_one
from sdc.suppression.search import Scratch

__all__ = ["Book", "free_cells", "make_book"]

# Entries there is room for, per demand: most demands lean on one secondary cell or two.
ENTRIES = 6
# A cell whose component holds more cells than these is kept where lone claimants are guarded against.
MOST_LOOKED_AT = 2000


class Book(NamedTuple):
    """Which demand leans on which secondary cell.

    Attributes
    ----------
    fixed : bool of shape (cells,), hidden whatever happens.
    edition : int32 of shape (demands,), raised whenever a demand is met anew: entries of older editions are void.
    newest : int32 of shape (cells,), the newest entry of each cell, -1 for none.
    demand, valid, older : int32 of shape (entries,): the demand, its edition, the cell's entry before.
    used : int64 of shape (1,), entries made.
    leaning : int32 of shape (demands,), room for the demands that lean on a cell; met : bool of shape (demands,).
    kept : int32, room for what they lean on instead, -1 behind each.
    """

    fixed: np.ndarray
    edition: np.ndarray
    newest: np.ndarray
    demand: np.ndarray
    valid: np.ndarray
    older: np.ndarray
    used: np.ndarray
    leaning: np.ndarray
    met: np.ndarray
    kept: np.ndarray


def make_book(arcs: Arcs, scratch: Scratch, demands: FlowDemands, fixed: np.ndarray) -> Book:
    """What every demand leans on now; all must be met.  `fixed` (bool per cell) stay hidden whatever happens.

    The book stays true while cells are hidden, and while they are shown by `free_cells`.
    """
    number, cells = len(demands.cell), len(fixed)
    entries = ENTRIES * number + 1000
    book = Book(
        fixed=fixed,
        edition=np.zeros(number, np.int32),
        newest=np.full(cells, -1, np.int32),
        demand=np.empty(entries, np.int32),
        valid=np.empty(entries, np.int32),
        older=np.empty(entries, np.int32),
        used=np.zeros(1, np.int64),
        leaning=np.empty(number, np.int32),
        met=np.zeros(number, np.bool_),
        kept=np.empty(2 * cells + number, np.int32),
    )
    _lean_all(arcs, scratch, demands, book)
    return book


def free_cells(
    arcs: Arcs, scratch: Scratch, demands: FlowDemands, *, book: Book, tries: np.ndarray, guard: Guard
) -> int:
    """Show or exchange secondary cells, in place, trying `tries` (int32, of cells) in their order.

    All demands are met afterwards as before, and lone claimants who learned
    nothing learn nothing.  Returns how many cells were shown or exchanged.
    """
    return int(_try_all(arcs, scratch, demands, book, guard, tries, np.empty(len(book.fixed), np.int32)))


@lean
def _lean_all(arcs, s, demands, book):  # type: ignore[no-untyped-def]
    """Note what every demand leans on."""
    for i in range(len(demands.cell)):
        meet_demand(arcs, s, demands, i, np.int64(0), book.leaning, np.int64(0))
        for j in range(s.many[0]):
            if _leans(arcs, s, book, j) and book.used[0] < len(book.demand):
                _enter(book, i, s.moved[j])
        take_back(arcs, s, demands, i)


@lean
def _try_all(arcs, s, demands, book, guard, tries, added):  # type: ignore[no-untyped-def]
    freed = np.int64(0)
    for cell in tries:
        if arcs.hidden[cell] and not book.fixed[cell] and _try_one(arcs, s, demands, book, guard, cell, added):
            freed += 1
    return freed


@lean
def _try_one(arcs, s, demands, book, guard, cell, added):  # type: ignore[no-untyped-def]
    """Show one cell if all that lean on it are met for less; whether it is shown now."""
    show_cell(arcs, cell)
    price = arcs.price[cell]
    arcs.price[cell] = MUST_SHOW
    many = _find_leaning(book, cell)
    number = np.int64(0)
    spent = np.int64(0)
    noted = np.int64(0)
    shown = True
    for q in range(many):
        i = book.leaning[q]
        left, number, paid = meet_demand(arcs, s, demands, i, price - spent, added, number)
        spent += paid
        shown = left == 0 and spent < price and noted + s.many[0] < len(book.kept)
        if shown:
            noted = _keep(arcs, s, book, noted)
        take_back(arcs, s, demands, i)
        if not shown:
            break
    arcs.price[cell] = price
    shown = shown and book.used[0] + noted <= len(book.demand)
    if shown and guard.on[0]:
        shown, number = _keep_claimants(arcs, s, guard, cell, price - spent, added, number)
    if shown:
        _rewrite(book, many)
        return True
    for j in range(number):
        show_cell(arcs, added[j])
    hide_cell(arcs, cell)
    return False


@lean
def _keep_claimants(arcs, s, guard, cell, limit, added, number):  # type: ignore[no-untyped-def]
    """Make the components that a shown cell and those hidden instead lie in safe from lone claimants, for less than `limit`.

    Returns whether they are, and how many cells are hidden instead now.
    """
    # The shown cell's two ends, then those of the cells hidden instead.
    i = -2
    while i < number:
        one = added[i] if i >= 0 else cell
        node = arcs.to[2 * one + 1] if i == -1 or arcs.to[2 * one] >= arcs.border[0] else arcs.to[2 * one]
        # What was looked at last carries the last ticket.
        looked_at = i >= 0 and guard.seen[one] == guard.ticket[0]
        if looked_at or keeps_claimants(arcs, s, guard, node, MOST_LOOKED_AT):
            i += 1
            continue
        if guard.learned[0] < 0:
            return False, number
        start, stop = guard.by[0], guard.by[1]
        mended, number, paid = mend_one(arcs, s, guard.learned[0], guard.known, start, stop, limit, added, number)
        limit -= paid
        if not mended or limit <= 0:
            return False, number
        i = -2
    return True, number


@lean
def _find_leaning(book, cell):  # type: ignore[no-untyped-def]
    """List the demands that lean on a cell; returns how many."""
    many = np.int64(0)
    entry = book.newest[cell]
    while entry >= 0:
        i = book.demand[entry]
        if book.valid[entry] == book.edition[i] and not book.met[i]:
            book.met[i] = True
            book.leaning[many] = i
            many += 1
        entry = book.older[entry]
    for q in range(many):
        book.met[book.leaning[q]] = False
    return many


@lean
def _keep(arcs, s, book, noted):  # type: ignore[no-untyped-def]
    """Put by what the demand just met leans on."""
    for j in range(s.many[0]):
        if _leans(arcs, s, book, j):
            book.kept[noted] = s.moved[j]
            noted += 1
    book.kept[noted] = -1
    return noted + 1


@lean
def _rewrite(book, many):  # type: ignore[no-untyped-def]
    """Enter what was put by, in place of what these demands leaned on before."""
    at = 0
    for q in range(many):
        i = book.leaning[q]
        book.edition[i] += 1
        while book.kept[at] >= 0:
            _enter(book, i, book.kept[at])
            at += 1
        at += 1


@njit(cache=True, inline="always")
def _leans(arcs, s, book, j):  # type: ignore[no-untyped-def]
    """Whether the j-th cell moved is a secondary one, and stays moved in the end."""
    cell = s.moved[j]
    return not book.fixed[cell] and arcs.room[2 * cell] != s.before[j]


@njit(cache=True, inline="always")
def _enter(book, i, cell):  # type: ignore[no-untyped-def]
    entry = book.used[0]
    book.used[0] += 1
    book.demand[entry] = i
    book.valid[entry] = book.edition[i]
    book.older[entry] = book.newest[cell]
    book.newest[cell] = entry
