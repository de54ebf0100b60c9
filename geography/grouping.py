"""Groups neighbouring blocks into areas of even size that hang together, as output areas are made from postcodes.

Seeds are spread and centred first (Lloyd's iteration), regions grow from them
over shared borders, the lightest first.  Border blocks then move between
neighbours: from heavier to lighter for as long as that makes sizes more even, and
wherever it shortens the borders between regions without making sizes much less so.
"""

import heapq
from dataclasses import dataclass

import numpy as np

__all__ = ["Graph", "group"]

CENTRING_ROUNDS = 12
ROUNDS = 25
UNEVEN = 0.16
"""How far a region's weight may stray from the mean for the sake of a shorter border."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Graph:
    """Blocks and which of them share a border.

    Attributes
    ----------
    places : float64 of shape (blocks, 2): a point inside each, in metres.
    weights : float64 of shape (blocks,), above 0: households, say.
    borders : int64 of shape (borders, 2): pairs of blocks that share a border, each pair once.
    ties : float64 of shape (borders,), above 0: how strongly the border's two sides
        belong together.  Its length in metres makes for round regions; less along a
        main road makes them keep to one side of it.
    """

    places: np.ndarray
    weights: np.ndarray
    borders: np.ndarray
    ties: np.ndarray

    def neighbours(self) -> list[list[tuple[int, float]]]:
        """For each block its neighbours and the ties to them, in order."""
        near: list[list[tuple[int, float]]] = [[] for _ in self.weights]
        for (one, other), tie in zip(self.borders.tolist(), self.ties.tolist(), strict=True):
            near[one].append((other, tie))
            near[other].append((one, tie))
        return [sorted(pairs) for pairs in near]

    def merged(self, groups: np.ndarray) -> "Graph":
        """The graph of the groups: weights and ties add up, places are weighted means."""
        count = int(groups.max()) + 1
        weights = np.bincount(groups, self.weights, count)
        sums = [np.bincount(groups, self.weights * self.places[:, axis], count) for axis in (0, 1)]
        pairs = np.sort(groups[self.borders], axis=1)
        between = pairs[:, 0] != pairs[:, 1]
        borders, which = np.unique(pairs[between], axis=0, return_inverse=True)
        ties = np.bincount(which.ravel(), self.ties[between], len(borders))
        return Graph(places=np.column_stack(sums) / weights[:, None], weights=weights, borders=borders, ties=ties)


def group(graph: Graph, groups: int, rng: np.random.Generator) -> np.ndarray:
    """The group of each block: int64 of shape (blocks,), 0 … at least `groups` − 1.

    Every group hangs together over shared borders.  Parts of the graph that do
    not (the two banks of a river) share out the groups by weight, one each at
    least, so that there are more groups than asked for where there are more parts.
    """
    near = graph.neighbours()
    parts = _parts(near)
    shares = _share_out(np.array([graph.weights[part].sum() for part in parts]), groups, [len(part) for part in parts])
    result = np.full(len(graph.weights), -1, dtype=np.int64)
    first = 0
    for part, share in zip(parts, shares, strict=True):
        seeds = _centre_seeds(graph.places[part], graph.weights[part], share, rng)
        _grow(graph, near, part, seeds, first, result)
        first += share
    for _ in range(ROUNDS):
        if not _even_out(graph, near, result) + _round_off(graph, near, result):
            break
    return result


def _parts(near: list[list[tuple[int, float]]]) -> list[np.ndarray]:
    """Blocks by the connected part they belong to, each sorted, in the order of their first block."""
    part = np.full(len(near), -1, dtype=np.int64)
    count = 0
    for start in range(len(near)):
        if part[start] >= 0:
            continue
        part[start] = count
        waiting = [start]
        while waiting:
            for other, _ in near[waiting.pop()]:
                if part[other] < 0:
                    part[other] = count
                    waiting.append(other)
        count += 1
    return [np.flatnonzero(part == at) for at in range(count)]


def _share_out(weights: np.ndarray, groups: int, limits: list[int]) -> list[int]:
    """Groups per part: one each, then one at a time to the part with the most weight per group."""
    shares = np.ones(len(weights), dtype=np.int64)
    room = np.array(limits)
    while shares.sum() < groups and np.any(shares < room):
        shares[np.argmax(np.where(shares < room, weights / (shares + 0.5), -1.0))] += 1
    return [int(share) for share in shares]


def _centre_seeds(places: np.ndarray, weights: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Centres of `count` compact clusters of about even weight: float64 of shape (count, 2)."""
    middle = places.mean(axis=0)
    places = places - middle
    picked = [int(rng.choice(len(places), p=weights / weights.sum()))]
    gap = np.full(len(places), np.inf)
    while len(picked) < count:
        gap = np.minimum(gap, ((places - places[picked[-1]]) ** 2).sum(axis=1))
        chance = gap * weights
        picked.append(int(rng.choice(len(places), p=chance / chance.sum())))
    centres = places[picked]
    for _ in range(CENTRING_ROUNDS):
        # |place − centre|² less |place|², which is the same for every centre.
        nearest = ((centres**2).sum(axis=1) - 2 * places @ centres.T).argmin(axis=1)
        weight = np.bincount(nearest, weights, count)
        sums = np.column_stack([np.bincount(nearest, weights * places[:, axis], count) for axis in (0, 1)])
        centres = np.where(weight[:, None] > 0, sums / np.maximum(weight, 1e-9)[:, None], centres)
    result: np.ndarray = centres + middle
    return result


def _grow(
    graph: Graph,
    near: list[list[tuple[int, float]]],
    part: np.ndarray,
    seeds: np.ndarray,
    first: int,
    result: np.ndarray,
) -> None:
    """Fill in `result` for one connected part: the lightest region takes its nearest free neighbour, and so on."""
    count = len(seeds)
    load = np.zeros(count)
    fronts: list[list[tuple[float, int]]] = [[] for _ in range(count)]

    def take(region: int, block: int) -> None:
        result[block] = first + region
        load[region] += graph.weights[block]
        for other, _ in near[block]:
            if result[other] < 0:
                reach = float(((graph.places[other] - seeds[region]) ** 2).sum())
                heapq.heappush(fronts[region], (reach, other))

    for region, seed in enumerate(seeds):
        free = part[result[part] < 0]
        take(region, int(free[((graph.places[free] - seed) ** 2).sum(axis=1).argmin()]))
    while True:
        open_regions = [region for region in range(count) if _drop_taken(fronts[region], result)]
        if not open_regions:
            return
        lightest = min(open_regions, key=lambda region: (load[region], region))
        take(lightest, heapq.heappop(fronts[lightest])[1])


def _drop_taken(front: list[tuple[float, int]], result: np.ndarray) -> bool:
    while front and result[front[0][1]] >= 0:
        heapq.heappop(front)
    return bool(front)


def _even_out(graph: Graph, near: list[list[tuple[int, float]]], result: np.ndarray) -> int:
    """Move border blocks to lighter regions, in place, where that makes the two more even; returns how many moved."""
    load = np.bincount(result, graph.weights)
    moved = 0
    for block in np.argsort(-load[result], kind="stable").tolist():
        here, weight = int(result[block]), graph.weights[block]
        there = sorted({int(result[other]) for other, _ in near[block]} - {here}, key=lambda region: load[region])
        if there and load[here] - load[there[0]] > weight and _outside(load, here) + _outside(load, there[0]) > 0:
            moved += _move(block, there[0], near, result, load, weight)
    return moved


def _round_off(graph: Graph, near: list[list[tuple[int, float]]], result: np.ndarray) -> int:
    """Move blocks to where they are tied most, in place, if sizes stay within `UNEVEN`; returns how many moved."""
    load = np.bincount(result, graph.weights)
    least, most = load.mean() * (1 - UNEVEN), load.mean() * (1 + UNEVEN)
    moved = 0
    for block in range(len(near)):
        here, weight = int(result[block]), graph.weights[block]
        ties: dict[int, float] = {}
        for other, tie in near[block]:
            region = int(result[other])
            ties[region] = ties.get(region, 0.0) + tie
        to = max(sorted(ties), key=lambda region: ties[region], default=here)
        if to != here and ties[to] > ties.get(here, 0.0) and load[here] - weight > least and load[to] + weight < most:
            moved += _move(block, to, near, result, load, weight)
    return moved


def _outside(load: np.ndarray, region: int) -> bool:
    return bool(abs(load[region] / load.mean() - 1) > UNEVEN)


def _move(
    block: int, to: int, near: list[list[tuple[int, float]]], result: np.ndarray, load: np.ndarray, weight: float
) -> bool:
    """Move a block, in place, unless its region would fall apart or vanish; returns whether it moved."""
    if not _whole_without(block, near, result):
        return False
    load[result[block]] -= weight
    load[to] += weight
    result[block] = to
    return True


def _whole_without(block: int, near: list[list[tuple[int, float]]], result: np.ndarray) -> bool:
    """Whether the block's region has others and still hangs together when the block has gone."""
    here = result[block]
    own = [other for other, _ in near[block] if result[other] == here]
    if not own:
        return False
    missing = set(own[1:])
    waiting, seen = [own[0]], {block, own[0]}
    while waiting and missing:
        for other, _ in near[waiting.pop()]:
            if result[other] == here and other not in seen:
                seen.add(other)
                missing.discard(other)
                waiting.append(other)
    return not missing
