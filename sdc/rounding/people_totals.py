"""People between the claims: from where their totals are drawn, once the claims are.

In every smallest area each benefit's claims X_b, people P and all claims S keep
``max X_b <= P <= S``.  Let r be the published claims.  People must then be
published between

    low  = max(lower multiple of P, max r_b)  and  high = min(upper multiple of P, r_S),

which is never empty: r_b <= upper multiple of X_b <= that of P, and so on.  Where
low = high the claims have settled the people.  They do so by chance; so that
this pushes nothing, people elsewhere start from somewhat less or more.  With
f = (P mod b)/b, where ``low`` is the upper multiple with probability g, and ``high`` is
with probability h, people whom the claims left open start at

    lower multiple + b (f - g) / (h - g),

so that their mean over the claims' draws is P.  (h is known; g is where at most
one benefit could bind, and is taken as if benefits were drawn apart where
several could.)  The same goes for the areas above; areas of one parent make up
for each other.  What comes out is a table of whole counts between the same
multiples as the true one, that unbiased rounding starts from.

To make up for each other leaves means alone only if it is shared in the same
proportions whichever way it goes: by m (b - m), m the remainder, among areas
that the claims can never bind.  What these cannot take is shared by room, which
pushes a little.
"""

from dataclasses import dataclass

import numpy as np

from common.keys import sip_key
from sdc.rounding.flight import keyed_chances
from sdc.tables import Table

__all__ = ["Bounds", "Start", "bounds_of_people", "open_share", "own_bounds", "start_of_people"]

NOTHING = 1e-9


@dataclass(frozen=True, kw_only=True, eq=False)
class Start:
    """Where people are drawn from.

    Attributes
    ----------
    totals : int64 of shape (smallest areas,).
    settled : areas whose people the claims have settled though they were open.
    loosened : bool of shape (smallest areas,): areas in which the claims' bounds had to be given up,
        because an area above could not hold what they ask for.
    """

    totals: np.ndarray
    settled: int
    loosened: np.ndarray


@dataclass(frozen=True, kw_only=True, eq=False)
class Bounds:
    """Between what people may be published, once the claims are.

    Attributes
    ----------
    low, high : per level int64 of shape (units,), multiples of the base; those of the areas in a unit
        can add up to anything between the unit's own.
    loosened : bool of shape (smallest areas,): areas in which the claims' bounds had to be given up,
        because an area above could not hold what they ask for.
    settled : smallest areas whose people the claims have settled though they were open.
    """

    low: tuple[np.ndarray, ...]
    high: tuple[np.ndarray, ...]
    loosened: np.ndarray
    settled: int


def start_of_people(
    people: Table,
    claims: Table,
    published: tuple[np.ndarray, ...],
    *,
    binding: bool,
    base: int,
    key: bytes,
    figures: np.ndarray,
) -> Start:
    """Whole counts of people from which they are drawn beside claims that are.

    Parameters
    ----------
    people : their totals; the last column counts.
    claims : true claims, by benefit where `binding`.
    published : the claims' published values, per level int64 of shape (units, columns), the total last.
    binding : whether the columns of `claims` are benefits, which nobody has twice.
    figures : uint64 of shape (smallest areas,), the hash of each area's people.
    """
    totals = [counts[:, -1] for counts in people.counts]
    bounds = bounds_of_people(people, published, binding=binding, base=base)
    shares = [
        open_share(values, counts, binding=binding, base=base)
        for values, counts in zip(totals, claims.counts, strict=True)
    ]
    targets, weights = [], []
    for values, shown, (share, free) in zip(totals, published, shares, strict=True):
        targets.append(
            np.clip(values // base * base + base * share, *own_bounds(values, shown, binding=binding, base=base))
        )
        weights.append(values % base * (base - values % base) * free.astype(float))
    targets[0] = np.where(bounds.loosened, totals[0], targets[0])
    chances = keyed_chances(sip_key(key, "people beside claims"), figures, 0)
    return Start(
        totals=_downwards(people, targets, weights, bounds, chances), settled=bounds.settled, loosened=bounds.loosened
    )


def own_bounds(people: np.ndarray, published: np.ndarray, *, binding: bool, base: int) -> tuple[np.ndarray, np.ndarray]:
    """``low`` and ``high`` of units by themselves, given their claims' published values (units, columns), the total last."""
    floor = people // base * base
    ceiling = np.where(people == floor, floor, floor + base)
    low = np.maximum(floor, published[:, :-1].max(axis=1, initial=0)) if binding else floor
    return low, np.minimum(ceiling, published[:, -1])


def bounds_of_people(people: Table, published: tuple[np.ndarray, ...], *, binding: bool, base: int) -> Bounds:
    """Between what people may lie at every level, given the claims' published values."""
    floors = [counts[:, -1] // base * base for counts in people.counts]
    ceilings = [
        np.where(counts[:, -1] == floor, floor, floor + base)
        for counts, floor in zip(people.counts, floors, strict=True)
    ]
    low, high = own_bounds(people.counts[0][:, -1], published[0], binding=binding, base=base)
    loosened = np.zeros(len(low), np.bool_)
    while True:
        lows, highs, clashing = _bounds_above(people, low, high, floors, ceilings)
        clashing &= ~loosened
        if not clashing.any():
            break
        loosened |= clashing
        low, high = np.where(loosened, floors[0], low), np.where(loosened, ceilings[0], high)
    settled = int(((low == high) & (floors[0] < ceilings[0])).sum())
    return Bounds(low=lows, high=highs, loosened=loosened, settled=settled)


def open_share(people: np.ndarray, claims: np.ndarray, *, binding: bool, base: int) -> tuple[np.ndarray, np.ndarray]:
    """With what chance people whom the claims leave open are raised, float64; and units that claims can never bind, bool."""
    part = people % base / base
    every = claims[:, -1]
    chance_high = np.where(every // base == people // base, every % base / base, 1.0)
    chance_low = np.zeros(len(people))
    if binding:
        benefits = claims[:, :-1]
        tight = np.where(benefits // base == (people // base)[:, None], benefits % base / base, 0.0)
        # Of benefits that fill their area's claims to below one multiple of the base, at most one is raised.
        alone = every // base == (benefits // base).sum(axis=1)
        chance_low = np.where(alone, tight.sum(axis=1), 1 - np.prod(1 - tight, axis=1))
        chance_low = np.minimum(chance_low, np.minimum(part, chance_high))
    spread = chance_high - chance_low
    share = np.divide(part - chance_low, spread, out=part.copy(), where=spread > NOTHING)
    return np.clip(share, 0, 1), (chance_low == 0) & (chance_high == 1)


def _bounds_above(
    people: Table, low: np.ndarray, high: np.ndarray, floors: list[np.ndarray], ceilings: list[np.ndarray]
) -> tuple[tuple[np.ndarray, ...], tuple[np.ndarray, ...], np.ndarray]:
    """Lower and upper bounds at every level, and the smallest areas below a unit that cannot hold its areas' bounds (bool)."""
    hierarchy = people.hierarchy
    lows, highs = [low], [high]
    clashing = np.zeros(len(low), np.bool_)
    for level, parents in enumerate(hierarchy.parents):
        units = hierarchy.units[level + 1]
        least, most = (_sums(parents, values, units) for values in (lows[-1], highs[-1]))
        clash = (least > ceilings[level + 1]) | (most < floors[level + 1])
        clashing |= clash[hierarchy.ancestors(0, level + 1)]
        lows.append(np.maximum(least, floors[level + 1]))
        highs.append(np.minimum(most, ceilings[level + 1]))
    return tuple(lows), tuple(highs), clashing


def _downwards(
    people: Table, targets: list[np.ndarray], weights: list[np.ndarray], bounds: Bounds, chances: np.ndarray
) -> np.ndarray:
    """Whole totals within bounds that add up, near the targets, from the top level down: those of the smallest areas."""
    hierarchy = people.hierarchy
    top = np.clip(targets[-1], bounds.low[-1], bounds.high[-1])
    totals = np.floor(np.round(top, 6) + chances[_first_areas(people, len(hierarchy.parents))]).astype(np.int64)
    for level in range(len(hierarchy.parents) - 1, -1, -1):
        parents, low, high = hierarchy.parents[level], bounds.low[level], bounds.high[level]
        wanted = np.clip(targets[level], low, high)
        for weight in (weights[level], weights[level], weights[level] > 0, np.ones(len(low))):
            wanted = _made_up(parents, totals, wanted, low, high, weight)
        totals = _whole(parents, wanted, totals, chances[_first_areas(people, level + 1)])
    return totals


def _first_areas(people: Table, level: int) -> np.ndarray:
    """The first smallest area in each unit of a level, whose figure its chance is drawn from: int64."""
    ancestors = people.hierarchy.ancestors(0, level)
    first = np.zeros(people.hierarchy.units[level], np.int64)
    first[ancestors[::-1]] = np.arange(len(ancestors))[::-1]
    return first


def _made_up(
    parents: np.ndarray, totals: np.ndarray, wanted: np.ndarray, low: np.ndarray, high: np.ndarray, weight: np.ndarray
) -> np.ndarray:
    """What is wanted, with what each parent lacks shared by weight as far as bounds let it.

    Weights that are all 0 or 1 are taken times the room.
    """
    lacking = (totals - _sums(parents, wanted, len(totals)))[parents]
    room = np.where(lacking > 0, high - wanted, wanted - low)
    share = weight * room if weight.max(initial=0) <= 1 else weight
    whole = _sums(parents, share.astype(float), len(totals))[parents]
    part = np.divide(np.abs(lacking) * share, whole, out=np.zeros(len(room)), where=whole > NOTHING)
    moved: np.ndarray = wanted + np.sign(lacking) * np.minimum(part, room)
    return moved


def _whole(parents: np.ndarray, wanted: np.ndarray, sums: np.ndarray, chances: np.ndarray) -> np.ndarray:
    """Whole numbers next to those wanted that add up to `sums`, each with its mean: systematic sampling by parent."""
    order = np.argsort(parents, kind="stable")
    group = parents[order]
    reached = np.cumsum(wanted[order])
    ends = np.flatnonzero(np.r_[group[1:] != group[:-1], True])
    starts = np.r_[0, ends[:-1] + 1]
    before = np.zeros(len(sums))
    before[group[starts]] = np.r_[0.0, reached[ends[:-1]]]
    within = np.round(reached - before[group], 6)
    within[ends] = sums[group[ends]]
    steps = np.floor(within + chances[group])
    out = np.empty(len(parents), np.int64)
    out[order] = steps - np.r_[0.0, steps[:-1]]
    out[order[starts]] = steps[starts]
    return out


def _sums(parents: np.ndarray, values: np.ndarray, units: int) -> np.ndarray:
    summed: np.ndarray = np.bincount(parents, weights=values, minlength=units)
    return summed if values.dtype.kind == "f" else summed.astype(np.int64)
