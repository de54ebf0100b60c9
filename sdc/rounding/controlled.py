"""Unbiased additive controlled rounding of one table, or of several that share their totals.

The totals tree is drawn once (`sdc.rounding.totals`); each table follows it
(`sdc.rounding.follow`) and is then rounded with its totals fixed
(`sdc.rounding.cycles`).  Every cell becomes one of the two multiples of the
base next to it: |r - x| < base, multiples stay, every margin adds up, and the
mean over keys is the true count but for the forced moves, which are counted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from common.faults import Infeasible
from common.keys import sip_key
from common.progress import SILENT, Progress
from sdc.figures import figures_of
from sdc.network import flatten, unflatten
from sdc.rounding.cycles import cancel_cycles
from sdc.rounding.draws import make_draws
from sdc.rounding.joined import SCALE, Joined, join_tables, rounded_values
from sdc.rounding.repair import repair
from sdc.rounding.search import make_scratch
from sdc.rounding.totals import APART, DUELS, TURNS, Game, Totals, draw_totals
from sdc.rounding.tree import Tree, tree_of
from sdc.tables import Method, SafeTable, Table

__all__ = ["ControlledRounding", "RoundingPath", "round_controlled"]


@dataclass(frozen=True, kw_only=True)
class ControlledRounding:
    """What is asked of controlled rounding.

    Attributes
    ----------
    base : rounding base b; every published count is a multiple of it.
    min_count : smallest non-zero count that may be told; b >= min_count, so
        that no small count (1 <= x <= min_count - 1) is proven small.
    """

    base: int = 5
    min_count: int = 5

    def __post_init__(self) -> None:
        if self.base < 2:
            raise ValueError(f"base ({self.base}) must be at least 2")
        if self.min_count < 2:
            raise ValueError(f"min_count ({self.min_count}) must be at least 2")
        if self.base < self.min_count:
            raise Infeasible(
                f"base {self.base} is below min_count {self.min_count}: a count shown 0 would be proven to be at most "
                f"{self.base - 1}, one shown {self.base} to be at most {2 * self.base - 1} and every small count could be "
                "pinned; raise base or lower min_count",
                demands=(f"base = {self.base}", f"min_count = {self.min_count}"),
            )


@dataclass(frozen=True, kw_only=True)
class RoundingPath:
    """How it went: for the reviewer, never for the public.

    Attributes
    ----------
    duels : duels settled.
    turned : of these, settled against their draw, because a table had no rounding for it.
    apart : pairs set apart, because a table could not follow both ends without bias.
    repaired : neighbourhoods whose totals a solver picked together, because the tables tie three or more areas to each other.
    cycles : cycles of category cells cancelled.
    forced : by table, how many counts were moved by force, summed over duels.

    Where `apart`, `turned` and `repaired` are 0 the totals are those of the population rounded alone.
    """

    duels: int
    turned: int
    apart: int
    repaired: int
    cycles: int
    forced: dict[str, float]


def round_controlled(
    tables: Mapping[str, Table], *, spec: ControlledRounding, key: bytes, progress: Progress = SILENT
) -> tuple[dict[str, SafeTable], RoundingPath]:
    """Round tables of one population over one hierarchy, so that one figure has one value.

    Parameters
    ----------
    tables : true tables by name, with equal totals over the same hierarchy.

    Returns
    -------
    The safe tables by the same names, and the path taken.

    Raises
    ------
    ValueError
        The tables do not share their hierarchy and totals.
    Infeasible
        No totals were found that serve every table.
    """
    _check_shared(tables)
    progress.step("drawing totals")
    figures = {name: figures_of(table, key).hashes for name, table in tables.items()}
    # The fewer the categories, the fewer the ways: what cannot be followed shows in narrow tables first.
    narrow_first = sorted(tables.items(), key=lambda item: len(item[1].classification))
    classified = {name: table for name, table in narrow_first if len(table.classification)}
    hierarchy = next(iter(tables.values())).hierarchy
    tree = tree_of(hierarchy)
    totals, joined, path = _draw(tables, list(classified.values()), tree, next(iter(figures.values())), spec, key)
    progress.step("rounding tables", len(classified))
    values = {name: totals for name in tables}
    cycles = 0
    for index, (name, table) in enumerate(classified.items()):
        cycles += _round_categories(tree, joined, index, flatten(figures[name]), key)
        values[name] = rounded_values(joined, index, table, totals, spec.base)
        progress.advance()
    method = Method(name="controlled-rounding", base=spec.base, min_count=spec.min_count)
    safe = {
        name: SafeTable(hierarchy=hierarchy, classification=table.classification, values=values[name], method=method)
        for name, table in tables.items()
    }
    forced = dict(zip(classified, path.forced.values(), strict=True))
    return safe, replace(path, cycles=cycles, forced=forced)


def _check_shared(tables: Mapping[str, Table]) -> None:
    first, *others = tables.values()
    for table in others:
        if table.hierarchy is not first.hierarchy:
            raise ValueError("tables that are rounded together must share one hierarchy")
        for mine, theirs in zip(first.counts, table.counts, strict=True):
            if not np.array_equal(mine[:, -1], theirs[:, -1]):
                raise ValueError("tables that are rounded together must have equal totals")


def _draw(
    tables: Mapping[str, Table],
    classified: Sequence[Table],
    tree: Tree,
    hashes: tuple[np.ndarray, ...],
    spec: ControlledRounding,
    key: bytes,
) -> tuple[tuple[np.ndarray, ...], Joined, RoundingPath]:
    """Draw the totals with every table following; returns totals per level as (units, 1), the moved tables, the path."""
    first = next(iter(tables.values()))
    hierarchy = first.hierarchy
    figures = np.ascontiguousarray(hashes[0][:, -1])
    joined = join_tables(classified, spec.base)
    game = Game(
        tree=tree,
        totals=_open_totals(first, spec.base),
        draws=make_draws(sip_key(key, "totals"), figures),
        joined=joined,
        scratch=make_scratch(joined),
        forced=np.zeros(len(classified), np.int64),
        counts=np.zeros(3, np.int64),
        gain=np.zeros(len(classified), np.int64),
    )
    clashes, repaired = repair(game, draw_totals(game))
    if len(clashes):
        raise Infeasible(
            f"the totals of {', '.join(hierarchy.codes[0][clashes[:5]])} have no rounding that serves every table "
            f"({len(clashes)} areas in all); round fewer tables together, with fewer categories",
            demands=tuple(tables),
        )
    path = RoundingPath(
        duels=int(game.counts[DUELS]),
        turned=int(game.counts[TURNS]),
        apart=int(game.counts[APART]),
        repaired=repaired,
        cycles=0,
        forced={str(index): float(parts) / SCALE for index, parts in enumerate(game.forced)},
    )
    return unflatten(game.totals.values, hierarchy, 1), joined, path


def _open_totals(table: Table, base: int) -> Totals:
    values = np.concatenate([counts[:, -1] for counts in table.counts])
    floor = values // base * base
    return Totals(values=values, floor=floor, ceiling=np.where(values == floor, floor, floor + base))


def _round_categories(tree: Tree, joined: Joined, index: int, figures: np.ndarray, key: bytes) -> int:
    """Round one table's category cells with its totals fixed, in place; returns the number of cycles cancelled."""
    cycles, left = cancel_cycles(tree, joined, index, make_draws(sip_key(key, "categories"), figures))
    if left:
        raise RuntimeError("a category cell was left open: conservation does not hold")
    return int(cycles)
