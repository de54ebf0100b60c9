"""Controlled rounding at minimum distance: additive, |r - x| < b, and as near to the true table as may be.

With u = floor(x / b), m = x mod b, every cell becomes r = b(u + y), y in {0, 1}
(y = 0 where m = 0), so that

    Σ w |r - x|  =  Σ w (b - 2m) y  +  what does not depend on y

is least while every sum holds.  Area tree × one flat classification is a
network, so that this is a least-cost flow with arcs of capacity 1
(`sdc.rounding.mincost`): whole, exact, and always possible.

**Why a share of the cells is drawn by chance.**  Minimum distance alone can be
run backwards: one area shown (0, 0 | 0) with base 5 has cells of 0 to 2 and a
total of 0 to 3, for larger counts would have been rounded otherwise.  So each
cell is, with probability `share`, drawn by chance: its cost becomes
w (b - 2m + z), z uniform in (-b, b), which alone rounds it up with probability
m / b.  The others keep their cost, but for ties, which the key breaks.

*Nothing is proven beyond each cell's own interval.*  Let r be a published table
and x any true table with |r - x| < b that adds up.  With positive probability
every cell with m > 0 is drawn by chance, and z is such that cells with r > x
have a negative cost and cells with r < x a positive one; then r is the only
optimum, of the whole and of every block.  So x cannot be excluded, and the
intervals are those of the theorem (`sdc.attack.theorem`).  The share says how
much that costs, and how much is left to belief: a cell with m = 1 is shown
above its count with probability about share / b.

**Large tables** are cut at a level of larger areas: first that level and those
above it, then each of its areas with its own cells fixed.  Where these have no
rounding (methods: possible in theory), the area above is solved as one, and so
on up.

Sources: L. H. Cox and L. R. Ernst, "Controlled rounding", INFOR 20 (1982),
423–432; B. D. Causey, L. H. Cox and L. R. Ernst, "Applications of
transportation theory to statistical problems", JASA 80 (1985), 903–909.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from common.faults import Infeasible
from common.keys import sip_key
from common.progress import SILENT, Progress
from sdc.figures import figures_of
from sdc.network import Network, build_network, flatten, unflatten
from sdc.rounding.bases import check_base
from sdc.rounding.flight import keyed_chances
from sdc.rounding.mincost import least_cost_flow
from sdc.tables import Hierarchy, Method, SafeTable, Table

__all__ = ["MinimumDistance", "NearestPath", "nearest_values", "protect_nearest", "raising_costs"]

# Costs are whole numbers, in parts of a count.
PARTS = 1 << 20
# Ties are broken by at most so much a cell, in counts: sums of distances are whole numbers.
TIE = 1 / 256
# Beyond this the costs of a light level would be lost among the parts of a count.
MOST_WEIGHT = 1000
# A block should be worth the work of setting it up.
LEAST_BLOCK = 1500


@dataclass(frozen=True, kw_only=True)
class MinimumDistance:
    """What is asked of controlled rounding at minimum distance.

    Attributes
    ----------
    base : rounding base b, at least `min_count`.
    min_count : smallest non-zero count that may be told; a true count x with
        1 <= x <= min_count - 1 is *small*.
    share : share of the cells that are drawn by chance, above 0 and at most 1; may be told.
    weights : what a count of distance weighs at each level, smallest areas
        first, above 0; empty for 1 everywhere.  None may be above `MOST_WEIGHT` times another.
    joint_cells : tables of up to so many cells are solved as one; larger ones are cut.
    """

    base: int = 5
    min_count: int = 5
    share: float = 0.25
    weights: tuple[float, ...] = ()
    joint_cells: int = 50_000

    def __post_init__(self) -> None:
        check_base(self.base, self.min_count)
        if not 0 <= self.share <= 1:
            raise ValueError(f"share ({self.share}) must be above 0 and at most 1")
        if any(weight <= 0 for weight in self.weights):
            raise ValueError("weights must be above 0")
        if self.weights and max(self.weights) > MOST_WEIGHT * min(self.weights):
            raise ValueError(f"no weight may be more than {MOST_WEIGHT} times another")
        if self.share == 0:
            raise Infeasible(
                "minimum distance with a share of 0 drawn by chance can be run backwards: an area shown 0 throughout "
                f"would be proven to hold at most {self.base // 2} in every cell; ask for a share above 0, or for "
                "unbiased controlled rounding",
                demands=("share = 0", f"min_count = {self.min_count}"),
            )

    def told(self) -> Method:
        """What may be told of it."""
        return Method(
            name="controlled-rounding",
            base=self.base,
            min_count=self.min_count,
            aim="minimum-distance",
            share=self.share,
        )


@dataclass(frozen=True, kw_only=True)
class NearestPath:
    """How it went: for the reviewer, never for the public.

    Attributes
    ----------
    path : always "network".
    loss : Σ |r - x| over all cells; `weighted`, the same with the weights of the levels.
    chance : cells that were drawn by chance.
    blocks : parts that were solved one by one; 1 where the table was solved as one.
    joined : blocks without a rounding of their own, solved together with the area above.
    pivots : steps of the network simplex method.
    """

    path: str = "network"
    loss: int = 0
    weighted: float = 0.0
    chance: int = 0
    blocks: int = 0
    joined: int = 0
    pivots: int = 0


def protect_nearest(
    table: Table, *, spec: MinimumDistance, key: bytes, progress: Progress = SILENT
) -> tuple[SafeTable, NearestPath]:
    """Round a table at minimum distance.

    Returns the safe table, method ``controlled-rounding``, and how it went.

    Raises
    ------
    ValueError
        There are weights, but not one for each level.
    """
    weights = spec.weights or (1.0,) * len(table.counts)
    if len(weights) != len(table.counts):
        raise ValueError(f"weights ({len(weights)}) must be one for each of {len(table.counts)} levels")
    progress.step("drawing costs")
    figures = figures_of(table, key).hashes
    secret = sip_key(key, "minimum distance")
    costs, chance = raising_costs(table, figures, secret, spec, weights)
    values, path = nearest_values(
        table, costs, spec.base, _cuts(table.hierarchy, len(table.classification) + 1, spec.joint_cells), progress
    )
    distances = [np.abs(v - x) for v, x in zip(values, table.counts, strict=True)]
    safe = SafeTable(
        hierarchy=table.hierarchy,
        classification=table.classification,
        values=values,
        method=spec.told(),
    )
    loss = [int(distance.sum()) for distance in distances]
    weighted = float(sum(weight * each for weight, each in zip(weights, loss, strict=True)))
    return safe, replace(path, loss=sum(loss), weighted=weighted, chance=chance)


def raising_costs(
    table: Table,
    figures: Sequence[np.ndarray],
    secret: np.ndarray,
    spec: MinimumDistance,
    weights: Sequence[float],
    *,
    share: float | None = None,
) -> tuple[tuple[np.ndarray, ...], int]:
    """What raising each cell costs: int64 shaped as the table's counts, in parts of 1 / `PARTS`; and how many are by chance.

    `share` stands in for that of the spec; 0 gives plain minimum distance, ties broken by the key.
    """
    share = spec.share if share is None else share
    costs, drawn = [], 0
    for counts, hashes, weight in zip(table.counts, figures, weights, strict=True):
        shape, flat = counts.shape, hashes.ravel()
        chosen = (keyed_chances(secret, flat, 0) < share).reshape(shape)
        noise = 2 * keyed_chances(secret, flat, 1).reshape(shape) - 1
        distance = spec.base - 2 * (counts % spec.base) + noise * np.where(chosen, spec.base, TIE)
        costs.append(np.round(weight / max(weights) * PARTS * distance).astype(np.int64))
        drawn += int((chosen & (counts % spec.base > 0)).sum())
    return tuple(costs), drawn


def nearest_values(
    table: Table, costs: Sequence[np.ndarray], base: int, cuts: Sequence[int], progress: Progress = SILENT
) -> tuple[tuple[np.ndarray, ...], NearestPath]:
    """The additive rounding within the base that costs least.

    Parameters
    ----------
    costs : int64 per level, of raising each cell.
    cuts : levels, ascending, at which the table is cut; none for the exact optimum of the whole.

    Returns
    -------
    Published values per level, and the path with `blocks`, `joined` and `pivots`.
    """
    levels = len(table.counts)
    values = [np.zeros_like(counts) for counts in table.counts]
    path = NearestPath()
    progress.step("rounding", len(cuts) + 1)
    for low, high in zip([*reversed(cuts), 0], [levels, *reversed(cuts)], strict=True):
        part = _Part.of(table, costs, base, low)
        raised = np.zeros(len(part.floor), np.int64)
        if high < levels:
            above = flatten(tuple(values[high:])) // base
            raised[-len(above) :] = above - part.floor[-len(above) :]
        path = _solve_part(part, raised, high - low, path)
        values[low:] = unflatten((part.floor + raised) * base, part.hierarchy, part.network.columns)
        progress.advance()
    return tuple(values), path


@dataclass(frozen=True, kw_only=True, eq=False)
class _Part:
    """The levels from `low` up as a network of their own, cells flat.

    floor : int64, u of each cell; open : bool, m > 0; costs : int64.
    """

    hierarchy: Hierarchy
    network: Network
    floor: np.ndarray
    open: np.ndarray
    costs: np.ndarray

    @classmethod
    def of(cls, table: Table, costs: Sequence[np.ndarray], base: int, low: int) -> "_Part":
        whole = table.hierarchy
        hierarchy = Hierarchy(levels=whole.levels[low:], codes=whole.codes[low:], parents=whole.parents[low:])
        counts = flatten(table.counts[low:])
        return cls(
            hierarchy=hierarchy,
            network=build_network(hierarchy, len(table.classification)),
            floor=counts // base,
            open=counts % base > 0,
            costs=flatten(tuple(costs[low:])),
        )


def _solve_part(part: _Part, raised: np.ndarray, fixed: int, path: NearestPath) -> NearestPath:
    """Round all levels below the level `fixed`, whose cells stand in `raised`; the number of levels for none fixed.

    Units without a rounding of their own hand on to the unit above, which is then free itself.
    """
    levels = len(part.hierarchy.levels)
    waiting = np.arange(part.hierarchy.units[min(fixed, levels - 1)])
    blocks, joined, pivots = path.blocks, path.joined, path.pivots
    for level in range(fixed, levels + 1):
        failed = []
        for unit, cells in _blocks(part, level, waiting):
            flow, exists, used = _solve_block(part, raised, cells, level, unit)
            blocks, pivots = blocks + 1, pivots + used
            if exists:
                raised[cells] = flow
            else:
                failed.append(unit)
        if not failed:
            return replace(path, blocks=blocks, joined=joined, pivots=pivots)
        joined += len(failed)
        above = part.hierarchy.parents[level] if level + 1 < levels else np.arange(part.hierarchy.units[-1])
        waiting = np.unique(above[failed])
    raise RuntimeError("a table has no rounding: it does not add up")


def _blocks(part: _Part, level: int, units: np.ndarray) -> list[tuple[int, np.ndarray]]:
    """The cells below each of these units, int64 ascending; past the last level, a top unit's own cells are among them."""
    top = min(level, len(part.hierarchy.levels) - 1)
    owners = [np.repeat(part.hierarchy.ancestors(below, top), part.network.columns) for below in range(level)]
    owner = np.concatenate(owners)
    cells = np.flatnonzero(np.isin(owner, units))
    order = cells[np.argsort(owner[cells], kind="stable")]
    return list(zip(units.tolist(), np.split(order, np.searchsorted(owner[order], units[1:])), strict=True))


def _solve_block(
    part: _Part, raised: np.ndarray, cells: np.ndarray, level: int, unit: int
) -> tuple[np.ndarray, bool, int]:
    """Which of a block's cells are raised, int64; whether there is a rounding; and the pivots it took."""
    network = part.network
    nodes, ends = np.unique(np.concatenate([network.tails[cells], network.heads[cells]]), return_inverse=True)
    tails, heads = ends[: len(cells)], ends[len(cells) :]
    supplies = np.zeros(len(nodes), np.int64)
    np.add.at(supplies, heads, part.floor[cells])
    np.subtract.at(supplies, tails, part.floor[cells])
    if level < len(part.hierarchy.levels):
        _settle_ends(part, raised, network.cell(level, unit, 0), nodes, supplies)
    if supplies.sum() != 0:
        return np.zeros(0, np.int64), False, 0
    open_cells = np.flatnonzero(part.open[cells])
    flow, exists, pivots = least_cost_flow(
        tails[open_cells].astype(np.int32),
        heads[open_cells].astype(np.int32),
        part.costs[cells[open_cells]],
        supplies,
    )
    out = np.zeros(len(cells), np.int64)
    out[open_cells] = flow
    return out, exists, pivots


def _settle_ends(part: _Part, raised: np.ndarray, first: int, nodes: np.ndarray, supplies: np.ndarray) -> None:
    """Add to the supplies what the fixed cells above a block bring in or take out."""
    network = part.network
    fixed = np.arange(first, first + network.columns)
    amounts = part.floor[fixed] + raised[fixed]
    for ends, sign in ((network.heads[fixed], 1), (network.tails[fixed], -1)):
        at = np.minimum(np.searchsorted(nodes, ends), len(nodes) - 1)
        inside = nodes[at] == ends
        np.add.at(supplies, at[inside], sign * amounts[inside])


def _cuts(hierarchy: Hierarchy, columns: int, joint_cells: int) -> tuple[int, ...]:
    """Levels at which a table is cut, ascending: such that blocks have `LEAST_BLOCK` cells or more on average."""
    cuts: list[int] = []
    low = 0
    while sum(hierarchy.units[low:]) * columns > joint_cells:
        for level in range(low + 1, len(hierarchy.units)):
            if sum(hierarchy.units[low:level]) * columns >= LEAST_BLOCK * hierarchy.units[level]:
                cuts.append(level)
                low = level
                break
        else:
            break
    return tuple(cuts)
