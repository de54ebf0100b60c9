"""Totals that keep the values of the release before, made additive: the point from which duels go on.

On a tree of totals every unit has a range [low, high]: a total that keeps its
value has that value alone, another its two neighbouring multiples and what lies
between, cut down to what the tables' kept categories can add up to.  From the
bottom up a unit's range is cut to the sums that its children can reach:

    low(u) := max(low(u), sum of low(children)),  high(u) := min(high(u), sum of high(children)).

Where nothing is left of it, the end nearest to what the children can reach is
taken, and some children must give way.  From the top down every unit then has
a value: the one nearest to its target, and children share what their targets
leave over by the room in their ranges.  A child gives way by taking the whole
range between its multiples; which one does is the key's choice, through the
hash of its figure.  Every value between a unit's multiples is the sum of such
values of its children, so that this always ends with additive totals.
"""

import numpy as np
from numba import njit

from sdc.compiled import lean

__all__ = ["meet_totals"]


@njit(cache=True)
def meet_totals(tree, low, high, floor, ceiling, target, figures):  # type: ignore[no-untyped-def]
    """Additive totals within the ranges wherever they allow it, and between their multiples everywhere.

    `low`, `high` (changed in place), `floor`, `ceiling` and `target` are int64, `figures`
    uint64, of shape (units,); returns int64 of that shape.
    """
    depth = len(tree.offsets) - 1
    for unit in range(tree.areas, len(tree.parents)):
        _cut(low, high, unit, _children(tree, unit))
    values = np.empty(len(tree.parents), np.int64)
    for unit in range(tree.offsets[depth - 1], tree.offsets[depth]):
        values[unit] = min(high[unit], max(low[unit], target[unit]))
    for unit in range(len(tree.parents) - 1, tree.areas - 1, -1):
        children = _children(tree, unit)
        _give_way(low, high, floor, ceiling, figures, children, values[unit])
        _share(low, high, target, values, children, values[unit])
    return values


@njit(cache=True, inline="always")
def _children(tree, unit):  # type: ignore[no-untyped-def]
    return tree.children[tree.first_child[unit] : tree.first_child[unit + 1]]


@lean
def _cut(low, high, unit, children):  # type: ignore[no-untyped-def]
    """Cut a unit's range to what its children can reach, or to its end nearest to that."""
    least = np.int64(0)
    most = np.int64(0)
    for child in children:
        least += low[child]
        most += high[child]
    if most < low[unit]:
        high[unit] = low[unit]
    elif least > high[unit]:
        low[unit] = high[unit]
    else:
        low[unit] = max(low[unit], least)
        high[unit] = min(high[unit], most)


@lean
def _give_way(low, high, floor, ceiling, figures, children, wanted):  # type: ignore[no-untyped-def]
    """Widen children's ranges, those with the smallest hashes first, until they can add up to `wanted`."""
    least = np.int64(0)
    most = np.int64(0)
    for child in children:
        least += low[child]
        most += high[child]
    while wanted < least or wanted > most:
        chosen = np.int64(-1)
        for child in children:
            helps = low[child] > floor[child] if wanted < least else high[child] < ceiling[child]
            if helps and (chosen < 0 or figures[child] < figures[chosen]):
                chosen = child
        least += floor[chosen] - low[chosen]
        most += ceiling[chosen] - high[chosen]
        low[chosen] = floor[chosen]
        high[chosen] = ceiling[chosen]


@lean
def _share(low, high, target, values, children, wanted):  # type: ignore[no-untyped-def]
    """Values of the children that add up to `wanted`: their targets, and what is over by their room."""
    over = wanted
    for child in children:
        values[child] = min(high[child], max(low[child], target[child]))
        over -= values[child]
    room = np.int64(0)
    for child in children:
        room += high[child] - values[child] if over > 0 else values[child] - low[child]
    for child in children:
        if over == 0:
            break
        own = high[child] - values[child] if over > 0 else values[child] - low[child]
        # Of what is left, the share this child has of the room left: rounding errors do not add up.
        size = over if over > 0 else -over
        part = size * own // room if room > 0 else np.int64(0)
        room -= own
        values[child] += part if over > 0 else -part
        over -= part if over > 0 else -part
