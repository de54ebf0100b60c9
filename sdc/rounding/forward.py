"""Which of the small counts become the base: a forward search, then exchanges.

A number of candidates is to be raised to the base, all others lowered to 0, so
that sums stay near their true values.  Each published cell p has a residual,
what the candidates in it hold less what those raised so far bring.  The
candidate whose published cells' residuals add up to the most is raised, and
these residuals fall by the base; and so on.  Raising it lowers the sum of
squared residuals by the most, as all candidates stand in equally many published
cells, or nearly so.  Then the raised candidate with the smallest sum is lowered
and the best one raised in its place, until the last one raised is the one that
would be lowered.

Source: Ø. Langsrud and J. Heldal, "An algorithm for small count rounding of
tabular data", Privacy in Statistical Databases, Valencia 2018.

`forward_flat` looks at every candidate each time.  `forward_tree` finds the same
ones in an area tree: there a candidate's sum is one of residuals along its way
to the top, so that each unit keeps the best of its children.
"""

import numpy as np
from numba import njit

from sdc.compiled import lean

__all__ = ["CANDIDATE", "RAISED", "forward_flat", "forward_tree"]

# What a cell of the search is.
CANDIDATE, RAISED = 1, 2
NEVER = np.int64(1) << 60
# Exchanges beyond one for each raised candidate.
MORE_EXCHANGES = 100


@njit(cache=True)
def forward_flat(starts, cells, residual, ranks, base, number):  # type: ignore[no-untyped-def]
    """Raise `number` candidates.

    Parameters
    ----------
    starts, cells : candidate i stands in the published cells ``cells[starts[i]:starts[i + 1]]``.
    residual : int64 of shape (published cells,), changed in place.
    ranks : uint64 of shape (candidates,); of equally good ones the smallest goes first.

    Returns
    -------
    Whether each candidate is raised, bool; and the number of exchanges.
    """
    count = len(starts) - 1
    raised = np.zeros(count, np.bool_)
    last = -1
    for _ in range(number):
        last = _extreme(starts, cells, residual, ranks, raised, False)
        _change(starts, cells, residual, last, -base)
        raised[last] = True
    exchanges = 0
    while 0 < number < count and exchanges < number + MORE_EXCHANGES:
        lowest = _extreme(starts, cells, residual, ranks, raised, True)
        if _sum(starts, cells, residual, lowest) == _sum(starts, cells, residual, last):
            break
        _change(starts, cells, residual, lowest, base)
        raised[lowest] = False
        last = _extreme(starts, cells, residual, ranks, raised, False)
        _change(starts, cells, residual, last, -base)
        raised[last] = True
        exchanges += 1
    return raised, exchanges


@lean
def _sum(starts, cells, residual, candidate):  # type: ignore[no-untyped-def]
    total = np.int64(0)
    for place in range(starts[candidate], starts[candidate + 1]):
        total += residual[cells[place]]
    return total


@lean
def _change(starts, cells, residual, candidate, by):  # type: ignore[no-untyped-def]
    for place in range(starts[candidate], starts[candidate + 1]):
        residual[cells[place]] += by


@lean
def _extreme(starts, cells, residual, ranks, raised, least):  # type: ignore[no-untyped-def]
    """The raised candidate with the least sum, or the one not raised with the most."""
    best, found = np.int64(0), -1
    for candidate in range(len(raised)):
        if raised[candidate] != least:
            continue
        value = _sum(starts, cells, residual, candidate)
        if least:
            value = -value
        if found < 0 or value > best or (value == best and ranks[candidate] < ranks[found]):
            best, found = value, candidate
    return found


@njit(cache=True)
def forward_tree(branching, state, residual, ranks, base, number):  # type: ignore[no-untyped-def]
    """Raise `number` candidates of an area tree × categories, every cell of which is published.

    Parameters
    ----------
    branching : the tree (`sdc.rounding.branching`).
    state : int8 of shape (smallest areas, categories), 1 for candidates; those raised become 2.
    residual : int64 of shape (real units, categories + 1), the total last; changed in place.
    ranks : uint64 shaped as `state`.

    Returns
    -------
    The number of exchanges.
    """
    units, categories = len(branching.parents), state.shape[1]
    most = np.empty((units, categories), np.int64)
    least = np.empty((units, categories), np.int64)
    best = np.empty((units, categories), np.int64)
    worst = np.empty((units, categories), np.int64)
    for place in range(units - 1, -1, -1):
        _gather(branching, state, residual, ranks, most, best, least, worst, branching.downward[place])
    last_area, last_category = -1, -1
    for _ in range(number):
        last_area, last_category = _top(branching, ranks, most, best, 1)
        _turn(branching, state, residual, ranks, most, best, least, worst, last_area, last_category, RAISED, -base)
    exchanges = 0
    while number > 0 and exchanges < number + MORE_EXCHANGES:
        if _top(branching, ranks, most, best, 1)[0] < 0:
            break
        area, category = _top(branching, ranks, least, worst, -1)
        if _way(branching, residual, area, category) == _way(branching, residual, last_area, last_category):
            break
        _turn(branching, state, residual, ranks, most, best, least, worst, area, category, CANDIDATE, base)
        last_area, last_category = _top(branching, ranks, most, best, 1)
        _turn(branching, state, residual, ranks, most, best, least, worst, last_area, last_category, RAISED, -base)
        exchanges += 1
    return exchanges


@lean
def _way(branching, residual, area, category):  # type: ignore[no-untyped-def]
    """The residuals of all published cells that a candidate stands in, added up."""
    total = np.int64(0)
    unit = np.int64(area)
    while unit >= 0:
        total += _own(branching, residual, unit, category)
        unit = branching.parents[unit]
    return total


@lean
def _own(branching, residual, unit, category):  # type: ignore[no-untyped-def]
    """What one unit adds: its category's residual and its total's; without categories its total's alone."""
    if unit >= branching.real:
        return np.int64(0)
    columns = residual.shape[1]
    return residual[unit, columns - 1] + (residual[unit, category] if columns > 1 else 0)


@lean
def _gather(branching, state, residual, ranks, most, best, least, worst, unit):  # type: ignore[no-untyped-def]
    """The best candidate and the worst raised one below a unit, for each category."""
    for category in range(state.shape[1]):
        high, high_area, low, low_area = -NEVER, np.int64(-1), NEVER, np.int64(-1)
        if unit < branching.areas:
            if state[unit, category] == CANDIDATE:
                high, high_area = np.int64(0), np.int64(unit)
            elif state[unit, category] == RAISED:
                low, low_area = np.int64(0), np.int64(unit)
        for place in range(branching.first_child[unit], branching.first_child[unit + 1]):
            child = branching.children[place]
            area = best[child, category]
            if area >= 0 and _beats(most[child, category], area, high, high_area, category, ranks):
                high, high_area = most[child, category], area
            area = worst[child, category]
            if area >= 0 and _beats(-least[child, category], area, -low, low_area, category, ranks):
                low, low_area = least[child, category], area
        own = _own(branching, residual, unit, category)
        best[unit, category], worst[unit, category] = high_area, low_area
        most[unit, category] = high + own if high_area >= 0 else -NEVER
        least[unit, category] = low + own if low_area >= 0 else NEVER


@lean
def _beats(value, area, held, held_area, category, ranks):  # type: ignore[no-untyped-def]
    """Whether one candidate of a category goes before another."""
    if held_area < 0 or value > held:
        return True
    return value == held and ranks[area, category] < ranks[held_area, category]


@lean
def _top(branching, ranks, values, areas, sign):  # type: ignore[no-untyped-def]
    """The best of all top units and categories: its area and category, -1 where there is none."""
    found_area, found_category, held = np.int64(-1), 0, np.int64(0)
    for place in range(len(branching.downward)):
        unit = branching.downward[place]
        if branching.parents[unit] >= 0:
            break
        for category in range(values.shape[1]):
            area = areas[unit, category]
            if area < 0:
                continue
            value = sign * values[unit, category]
            if (
                found_area < 0
                or value > held
                or (value == held and ranks[area, category] < ranks[found_area, found_category])
            ):
                found_area, found_category, held = area, category, value
    return found_area, found_category


@lean
def _turn(  # type: ignore[no-untyped-def]
    branching, state, residual, ranks, most, best, least, worst, area, category, into, by
):
    """Raise or lower one candidate, and put its way to the top in order."""
    state[area, category] = into
    columns = residual.shape[1]
    unit = np.int64(area)
    while unit >= 0:
        if unit < branching.real:
            residual[unit, columns - 1] += by
            if columns > 1:
                residual[unit, category] += by
        _gather(branching, state, residual, ranks, most, best, least, worst, unit)
        unit = branching.parents[unit]
