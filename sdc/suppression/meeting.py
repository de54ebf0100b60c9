"""Meeting demands: hide the cheapest cells along which a count can move as far as it must.

A demand says that the interval of one cell must reach so far above (or below)
its count.  It is met when that much flow runs from one end of the cell's arc to
the other over hidden cells, the cell itself left out.  What the hidden cells
give for nothing is taken first; then cheapest paths are bought, whole where one
can carry the rest (methods A4).  Counts go back to the true ones after each
demand: two demands need not be met by one table.
"""

from typing import NamedTuple

import numpy as np

from sdc.compiled import lean
from sdc.suppression.search import find_free, find_paid, hide_path, push_path, undo_pushes

__all__ = ["NO_LIMIT", "FlowDemands", "demands_of", "meet_all", "meet_demand", "reach_of", "still_unmet", "take_back"]

NO_LIMIT = 1 << 36


class FlowDemands(NamedTuple):
    """How far cells' intervals must reach.

    Attributes
    ----------
    cell : int32 of shape (demands,).
    up : bool, True where the interval must reach above the count, False below.
    amount : int64, how far, at least 0.
    whole : bool, whether one path must carry all of it.
    gate, allowance : int32 and int64, a hidden cell that may grow by so much for
        this demand and for no other; -1 for none.
    owner : int32, the cell to name where it cannot be met.
    """

    cell: np.ndarray
    up: np.ndarray
    amount: np.ndarray
    whole: np.ndarray
    gate: np.ndarray
    allowance: np.ndarray
    owner: np.ndarray

    def and_also(self, other: "FlowDemands") -> "FlowDemands":
        """Both, these first."""
        return FlowDemands(*(np.concatenate(pair) for pair in zip(self, other, strict=True)))

    def chosen(self, these: np.ndarray) -> "FlowDemands":
        """Some of them: by number, or bool of shape (demands,)."""
        return FlowDemands(*(array[these] for array in self))


def demands_of(cells: np.ndarray, *, lower: np.ndarray, upper: np.ndarray, whole: bool = False) -> FlowDemands:
    """That each cell's interval reaches `lower` below and `upper` above its count.

    `cells`, `lower` and `upper` have shape (n,); the 2 n demands come cell by cell, upwards first.
    """
    twice = np.repeat(cells.astype(np.int32), 2)
    return FlowDemands(
        cell=twice,
        up=np.tile([True, False], len(cells)),
        amount=np.column_stack([upper, lower]).astype(np.int64).ravel(),
        whole=np.full(len(twice), whole),
        gate=np.full(len(twice), -1, np.int32),
        allowance=np.zeros(len(twice), np.int64),
        owner=twice,
    )


@lean
def meet_demand(arcs, s, demands, i, limit, added, number):  # type: ignore[no-untyped-def]
    """Meet one demand by hiding cells for less than `limit`, noted in `added` from `number` on.

    Counts are left moved, for the caller to look at and `take_back`.  Returns
    how much of the amount is left, how many cells are noted now, and what they cost.
    """
    gate = demands.gate[i]
    if gate >= 0:
        arcs.room[2 * gate] = demands.allowance[i]
    return _move(arcs, s, demands.cell[i], demands.up[i], demands.amount[i], demands.whole[i], limit, added, number)


@lean
def take_back(arcs, s, demands, i):  # type: ignore[no-untyped-def]
    """Put counts back to the true ones after a demand, and shut its gate."""
    undo_pushes(arcs, s)
    gate = demands.gate[i]
    if gate >= 0:
        arcs.room[2 * gate] = 0


@lean
def _move(arcs, s, cell, up, amount, whole, limit, added, number):  # type: ignore[no-untyped-def]
    """Let one cell's count grow (or shrink) by an amount; returns as `_flow` does."""
    source = arcs.to[2 * cell] if up else arcs.to[2 * cell + 1]
    target = arcs.to[2 * cell + 1] if up else arcs.to[2 * cell]
    grow = arcs.room[2 * cell]
    shrink = arcs.room[2 * cell + 1]
    own = grow if up else shrink
    if own < amount or source == target:
        return max(amount - own, np.int64(0)), number, np.int64(0)
    # Its own arc is no way around itself.
    arcs.room[2 * cell] = 0
    arcs.room[2 * cell + 1] = 0
    left, number, spent = _flow(arcs, s, source, target, amount, whole, limit, added, number)
    arcs.room[2 * cell] = grow
    arcs.room[2 * cell + 1] = shrink
    return left, number, spent


@lean
def _flow(arcs, s, source, target, amount, whole, limit, added, number):  # type: ignore[no-untyped-def]
    """Send an amount from source to target, hiding cells for less than `limit` where hidden ones do not carry it.

    Returns how much of the amount is left, how many cells are noted in `added` now, and what they cost.
    """
    left = np.int64(amount)
    spent = np.int64(0)
    while left > 0:
        meet = find_free(arcs, s, source, target, left if whole else np.int64(1))
        if meet < 0:
            break
        left -= push_path(arcs, s, meet, left)
    while left > 0 and spent < limit:
        meet = find_paid(arcs, s, source, target, left, limit - spent)[0]
        if meet < 0 and left > 1 and not whole:
            meet = find_paid(arcs, s, source, target, np.int64(1), limit - spent)[0]
        if meet < 0:
            break
        before = number
        number = hide_path(arcs, s, meet, added, number)
        for i in range(before, number):
            spent += arcs.price[added[i]]
        left -= push_path(arcs, s, meet, left)
    return left, number, spent


@lean
def meet_all(arcs, s, demands, added, unmet):  # type: ignore[no-untyped-def]
    """Meet demands one after the other; returns how many cells were hidden and noted in `added`, and fills `unmet`."""
    number = np.int64(0)
    for i in range(len(demands.cell)):
        left, number, _ = meet_demand(arcs, s, demands, i, np.int64(NO_LIMIT), added, number)
        take_back(arcs, s, demands, i)
        unmet[i] = left > 0
    return number


@lean
def still_unmet(arcs, s, demands, unmet):  # type: ignore[no-untyped-def]
    """Fill `unmet` with which demands the cells hidden now do not meet; nothing is hidden."""
    none = np.int64(0)
    for i in range(len(demands.cell)):
        unmet[i] = meet_demand(arcs, s, demands, i, none, demands.owner, none)[0] > 0
        take_back(arcs, s, demands, i)


@lean
def reach_of(arcs, s, cells, enough, width, lowest, highest):  # type: ignore[no-untyped-def]
    """How far below and above its count each hidden cell can be, written to `lowest` and `highest`.

    Upwards no further is looked than to `enough` (per cell), or to a width of `width`.
    """
    none = np.int64(0)
    for i in range(len(cells)):
        cell = cells[i]
        shrink = arcs.room[2 * cell + 1]
        lowest[i] = shrink - _move(arcs, s, cell, False, shrink, False, none, cells, none)[0]
        undo_pushes(arcs, s)
        most = min(arcs.room[2 * cell], max(enough[i], width - lowest[i]))
        highest[i] = most - _move(arcs, s, cell, True, most, False, none, cells, none)[0]
        undo_pushes(arcs, s)
