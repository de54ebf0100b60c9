"""From a unit's rounded cells to its children's, where several margins are published: a random walk by swaps.

A unit's finest cells are rounded; each is the sum of its children's.  A child's
finest cell is one of the two multiples next to its true count, so that in each
column it is known how many children are raised.  A *swap* in a column lowers one
child and raises another: the sums of the column stay as they are, the margins of
the two children change by one multiple.

Swaps are proposed at random and accepted by the rule of Metropolis et al. such
that the walk tends to

    product of f / (1 - f) over raised cells  ×  exp(-β Σ (d² + c e²))  ×  exp(Σ λ over raised margins),

f the fraction of the base at which a cell stands, d how many multiples a margin
lies outside of its own two, e how many beyond the steps allowed, and β growing from sweep to sweep, so that in the
end as few margins as possible lie outside.  With the first factor alone each
cell would be raised with about probability f; λ makes up for what the margins'
spread does to the odds of a margin being raised:

    λ = ln(m / (b - m)) + b(b - 2m) / (2 s²),   s² = Σ m_i (b - m_i) over the margin's cells.

f starts from x / b and takes over its share of what the unit itself was moved
by, in linear parts: E f = x / b as long as the unit's own mean is its count.

Sources: N. Metropolis et al., "Equation of state calculations by fast computing
machines", Journal of Chemical Physics 21 (1953), 1087–1092; S. Kirkpatrick,
C. D. Gelatt and M. P. Vecchi, "Optimization by simulated annealing", Science 220
(1983), 671–680.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from common.keys import siphash
from sdc.compiled import lean

__all__ = ["Crossed", "margin_lean", "settle_below", "settle_children", "take_over"]

# How far a fraction is kept from 0 and 1, so that no cell is tied to its side.
EDGE = 0.02
# β at the first sweep and the last.
FIRST_WEIGHT, LAST_WEIGHT = 2.0, 10.0
# How much dearer a multiple is that lies beyond the steps allowed.
TOO_FAR = 15


class Crossed(NamedTuple):
    """Areas × published columns, true and rounded.

    Attributes
    ----------
    counts : int64 of shape (units, columns).
    rounded : int64 of that shape, in multiples of the base; changed in place.
    base : the base.
    steps : how many multiples a margin may lie outside of its own two.
    finest : int64, the columns that are finest cells.
    margins : int64, the columns that are sums of them.
    starts, inside : the margins (positions in `margins`) that finest column i
        stands in are ``inside[starts[i]:starts[i + 1]]``.
    odds : float64 of shape (units, finest), ln f / (1 - f) of each cell; see `take_over`.
    lean : float64 of shape (units, margins), λ.
    """

    counts: np.ndarray
    rounded: np.ndarray
    base: int
    steps: int
    finest: np.ndarray
    margins: np.ndarray
    starts: np.ndarray
    inside: np.ndarray
    odds: np.ndarray
    lean: np.ndarray


class _Block(NamedTuple):
    """The open cells of some units.

    column, unit : the open cells, column by column.
    first, open_in : per column, where its open cells start and how many they are.
    """

    column: np.ndarray
    unit: np.ndarray
    first: np.ndarray
    open_in: np.ndarray


class _Stream(NamedTuple):
    """Keyed draws of one block: SipHash of the block's figure, its attempt and a counter."""

    secret: np.ndarray
    words: np.ndarray


def margin_lean(
    counts: np.ndarray, base: int, finest: np.ndarray, margins: np.ndarray, member: np.ndarray
) -> np.ndarray:
    """λ of every margin: float64 of shape (units, margins).

    `member` is bool of shape (finest, margins), which finest columns a margin is the sum of.
    """
    rest = counts[:, finest] % base
    spread = (rest * (base - rest)) @ member.astype(np.int64)
    over = counts[:, margins] % base
    asked = (over > 0) & (spread > 0)
    ratio = np.where(asked, over / np.where(asked, base - over, 1), 1.0)
    return _exact(np.log(ratio) + np.where(asked, base * (base - 2.0 * over) / np.maximum(2 * spread, 1), 0.0))


def take_over(crossed: Crossed, parents: np.ndarray, children: np.ndarray) -> None:
    """Set the odds of some units' cells, in place, their parents being rounded.

    A parent was moved by r - x.  Each child takes s (r - x), s = t / Σ t, where
    t = min(m / M, (b - m) / (b - M)) for remainders m of the child and M of the
    parent.  t is concave in m, 0 at both ends and 1 at M, so that Σ t >= 1 and no
    child is moved past a multiple, whichever way the parent went.
    """
    base, finest = crossed.base, crossed.finest
    above = parents[children]
    groups, group = np.unique(above, return_inverse=True)
    rest = crossed.counts[np.ix_(children, finest)] % base
    whole = crossed.counts[np.ix_(groups, finest)]
    over, moved = whole % base, crossed.rounded[np.ix_(groups, finest)] * base - whole
    tent = np.minimum(rest * (base - over)[group], (base - rest) * over[group]).astype(float)
    total = np.zeros(whole.shape)
    np.add.at(total, group, tent)
    share = tent / np.where(total > 0, total, 1.0)[group]
    fraction = np.clip((rest + share * moved[group]) / base, EDGE, 1 - EDGE)
    crossed.odds[children] = _exact(np.log(fraction / (1 - fraction)))


def _exact(values: np.ndarray) -> np.ndarray:
    """To a millionth: logarithms differ in their last digits from machine to machine."""
    return np.round(values * 2.0**20) / 2.0**20


@njit(cache=True)
def settle_children(crossed, tree, units, figures, secret, attempt, sweeps):  # type: ignore[no-untyped-def]
    """Round the children of some units, whose own cells are rounded and whose children have their odds, in place.

    Parameters
    ----------
    tree : `sdc.rounding.tree.Tree`.
    units : int64, the units.
    figures : uint64 per unit, what draws are made from.
    attempt : tells the draws of one attempt from another's.
    sweeps : how many swaps are proposed per open cell.

    Returns
    -------
    Per unit, by how many multiples the worst margin of a child lies beyond its own two: int64.
    """
    worst = np.zeros(len(units), np.int64)
    for place in range(len(units)):
        unit = units[place]
        own = tree.children[tree.first_child[unit] : tree.first_child[unit + 1]]
        stream = _Stream(secret, np.array([figures[unit], np.uint64(attempt), np.uint64(0)], np.uint64))
        block = _make_block(crossed, len(own))
        count = _open(crossed, own, block)
        _fill(crossed, unit, own, block, stream)
        _anneal(crossed, tree.parents, block, stream, count, sweeps)
        worst[place] = _worst(crossed, own)
    return worst


@njit(cache=True)
def settle_below(crossed, tree, top, level, figures, secret, attempt, sweeps):  # type: ignore[no-untyped-def]
    """Move all units below one, down to a level, together and in place, all of them being rounded.

    Units of the level are swapped whatever their parents; those between take the
    change, and keep their finest cells within the base.  `level` is counted from
    the smallest areas; other parameters as in `settle_children`.

    Returns by how many multiples the worst margin of any of them lies beyond its own two.
    """
    found = np.array([top])
    worst = np.int64(0)
    while found[0] >= tree.offsets[level + 1]:
        found = _children_of(tree, found)
    stream = _Stream(secret, np.array([figures[top], np.uint64(attempt), np.uint64(0)], np.uint64))
    block = _make_block(crossed, len(found))
    count = _open(crossed, found, block)
    _anneal(crossed, tree.parents, block, stream, count, sweeps)
    found = np.array([top])
    while found[0] >= tree.offsets[level + 1]:
        found = _children_of(tree, found)
        worst = max(worst, _worst(crossed, found))
    return worst


@njit(cache=True)
def _children_of(tree, units):  # type: ignore[no-untyped-def]
    number = 0
    for unit in units:
        number += tree.first_child[unit + 1] - tree.first_child[unit]
    found = np.empty(number, np.int64)
    number = 0
    for unit in units:
        for place in range(tree.first_child[unit], tree.first_child[unit + 1]):
            found[number] = tree.children[place]
            number += 1
    return found


@njit(cache=True)
def _make_block(crossed, size):  # type: ignore[no-untyped-def]
    width = len(crossed.finest)
    room = size * width
    return _Block(
        np.empty(room, np.int64), np.empty(room, np.int64), np.zeros(width, np.int64), np.zeros(width, np.int64)
    )


@lean
def _open(crossed, own, block):  # type: ignore[no-untyped-def]
    """List the open cells of some units; returns how many they are."""
    count = 0
    for i in range(len(crossed.finest)):
        block.first[i] = count
        for unit in own:
            if crossed.counts[unit, crossed.finest[i]] % crossed.base > 0:
                block.column[count], block.unit[count] = i, unit
                count += 1
        block.open_in[i] = count - block.first[i]
    return count


@lean
def _fill(crossed, unit, own, block, stream):  # type: ignore[no-untyped-def]
    """Raise as many children in each column as the unit's cell asks for, at random to begin with."""
    for child in own:
        for margin in crossed.margins:
            crossed.rounded[child, margin] = 0
    for i in range(len(crossed.finest)):
        at = crossed.finest[i]
        number = crossed.rounded[unit, at]
        for child in own:
            floor = crossed.counts[child, at] // crossed.base
            crossed.rounded[child, at] = 0
            _add(crossed, child, i, floor)
            number -= floor
        left = block.open_in[i]
        for place in range(block.first[i], block.first[i] + block.open_in[i]):
            if number > 0 and _below(stream, left) < number:
                _add(crossed, block.unit[place], i, 1)
                number -= 1
            left -= 1


@lean
def _add(crossed, unit, i, by):  # type: ignore[no-untyped-def]
    """Add to one finest cell, and to the margins it stands in."""
    crossed.rounded[unit, crossed.finest[i]] += by
    for place in range(crossed.starts[i], crossed.starts[i + 1]):
        crossed.rounded[unit, crossed.margins[crossed.inside[place]]] += by


@lean
def _anneal(crossed, parents, block, stream, count, sweeps):  # type: ignore[no-untyped-def]
    """Propose swaps, margins weighing more from sweep to sweep."""
    for sweep in range(sweeps):
        weight = FIRST_WEIGHT + (LAST_WEIGHT - FIRST_WEIGHT) * sweep / sweeps
        for _ in range(count):
            place = _below(stream, count)
            i = block.column[place]
            down = block.unit[place]
            up = block.unit[block.first[i] + _below(stream, block.open_in[i])]
            if _is_raised(crossed, down, i) == _is_raised(crossed, up, i):
                continue
            if not _is_raised(crossed, down, i):
                down, up = up, down
            gain = crossed.odds[up, i] - crossed.odds[down, i]
            high, low = up, down
            possible = True
            while high != low and possible:
                gain += _gains(crossed, high, i, 1, weight) + _gains(crossed, low, i, -1, weight)
                possible = not _is_raised(crossed, high, i) and _is_lowerable(crossed, low, i)
                high, low = parents[high], parents[low]
            if possible and (gain >= 0.0 or _log_draw(stream) < gain):
                _swap(crossed, parents, up, down, i)


@lean
def _swap(crossed, parents, up, down, i):  # type: ignore[no-untyped-def]
    """Raise one unit and lower another in a column, and all that holds one of them but not both."""
    while up != down:
        _add(crossed, up, i, 1)
        _add(crossed, down, i, -1)
        up, down = parents[up], parents[down]


@lean
def _is_raised(crossed, unit, i):  # type: ignore[no-untyped-def]
    """Whether a finest cell stands at the upper of its two multiples, or has but one."""
    at = crossed.finest[i]
    return crossed.rounded[unit, at] * crossed.base >= crossed.counts[unit, at]


@lean
def _is_lowerable(crossed, unit, i):  # type: ignore[no-untyped-def]
    """Whether a finest cell stands above its true count."""
    at = crossed.finest[i]
    return crossed.rounded[unit, at] * crossed.base > crossed.counts[unit, at]


@lean
def _gains(crossed, unit, i, by, weight):  # type: ignore[no-untyped-def]
    """What the log weight of a unit's margins gains when one of its finest cells is moved by one multiple."""
    gain = 0.0
    for place in range(crossed.starts[i], crossed.starts[i + 1]):
        margin = crossed.inside[place]
        x = crossed.counts[unit, crossed.margins[margin]]
        at = crossed.rounded[unit, crossed.margins[margin]]
        lower = x // crossed.base
        upper = lower + (x % crossed.base > 0)
        after = _blame(max(lower - at - by, at + by - upper, 0), crossed.steps)
        before = _blame(max(lower - at, at - upper, 0), crossed.steps)
        lifted = np.int64(at + by >= upper) - np.int64(at >= upper)
        gain += lifted * crossed.lean[unit, margin] - weight * (after - before)
    return gain


@lean
def _blame(outside, steps):  # type: ignore[no-untyped-def]
    """What a margin so many multiples outside of its own two is blamed for: d², and much more beyond the steps allowed."""
    over = max(outside - steps, 0)
    return outside * outside + TOO_FAR * over * over


@lean
def _worst(crossed, own):  # type: ignore[no-untyped-def]
    """By how many multiples the worst margin of some units lies outside of its own two."""
    worst = np.int64(0)
    for unit in own:
        for margin in crossed.margins:
            x, at = crossed.counts[unit, margin], crossed.rounded[unit, margin]
            worst = max(worst, x // crossed.base - at, at + (-x) // crossed.base)
    return worst


@lean
def _word(stream):  # type: ignore[no-untyped-def]
    stream.words[2] += np.uint64(1)
    return siphash(stream.secret, stream.words, 3)


@lean
def _below(stream, number):  # type: ignore[no-untyped-def]
    """A draw from 0 … number - 1."""
    return np.int64(_word(stream) % np.uint64(number))


@lean
def _log_draw(stream):  # type: ignore[no-untyped-def]
    """The logarithm of a draw from (0, 1]."""
    return _log((np.float64(_word(stream) >> np.uint64(11)) + 1.0) * 2.0**-53)


@lean
def _log(value):  # type: ignore[no-untyped-def]
    """The natural logarithm, by additions and multiplications alone: the same on every machine, to some ten digits."""
    logarithm = 0.0
    while value < 0.7:
        value *= 2.0
        logarithm -= 0.6931471805599453
    while value > 1.4:
        value *= 0.5
        logarithm += 0.6931471805599453
    # ln v = 2 artanh((v - 1) / (v + 1)).
    ratio = (value - 1.0) / (value + 1.0)
    square = ratio * ratio
    return logarithm + 2.0 * ratio * (
        1.0 + square * (1 / 3 + square * (1 / 5 + square * (1 / 7 + square * (1 / 9 + square / 11))))
    )
