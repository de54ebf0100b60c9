"""Unbiased additive controlled rounding of one table, or of several that share their totals.

The totals tree is drawn once (`sdc.rounding.totals`); each table follows it
(`sdc.rounding.follow`) and is then rounded with its totals fixed
(`sdc.rounding.cycles`).  Every cell becomes one of the two multiples of the
base next to it: |r - x| < base, multiples stay, every margin adds up, and the
mean over keys is the true count but for the forced moves, which are counted.
Where the release before is given, unchanged counts keep their values
(`sdc.rounding.keptstart`).  Where something beside the tables binds their totals, these are
drawn within those bounds (`sdc.rounding.within`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from common.faults import Infeasible
from common.keys import sip_key
from common.progress import SILENT, Progress
from sdc.figures import figures_of
from sdc.network import flatten, unflatten
from sdc.rounding.alone import settle_alone
from sdc.rounding.cycles import cancel_cycles
from sdc.rounding.draws import Draws, make_draws
from sdc.rounding.joined import SCALE, rounded_values
from sdc.rounding.kept import (
    CHANGED,
    FORCED,
    FORGOTTEN_AROUND,
    KEPT,
    Earlier,
    forget,
    standing,
)
from sdc.rounding.keptstart import Begun, begin
from sdc.rounding.repair import repair
from sdc.rounding.search import make_scratch
from sdc.rounding.totals import APART, DUELS, TURNS, Game, draw_totals
from sdc.rounding.tree import Tree, tree_of
from sdc.rounding.within import Within, loosen
from sdc.tables import Hierarchy, Method, SafeTable, Table

__all__ = ["ControlledRounding", "RoundingPath", "round_controlled", "told_of"]


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
    together : smallest areas of one table alone whose totals were drawn with its categories, for the same reason.
    cycles : cycles of category cells cancelled.
    forced : by table, how many counts were moved by force, summed over duels.
    kept : by table, cells whose count did not change and that kept their value; empty at a first publication.
    moved : by table, cells whose count did not change and that had to take another value.
    redrawn : by table, cells of the release before whose count changed.
    forgotten : smallest areas around which nothing could be kept, because no rounding was found otherwise.

    Where `apart`, `turned`, `repaired` and `together` are 0 the totals are those of the population rounded alone.
    """

    duels: int
    turned: int
    apart: int
    repaired: int
    together: int
    cycles: int
    forced: dict[str, float]
    kept: dict[str, int] = field(default_factory=dict)
    moved: dict[str, int] = field(default_factory=dict)
    redrawn: dict[str, int] = field(default_factory=dict)
    forgotten: int = 0


def round_controlled(
    tables: Mapping[str, Table],
    *,
    spec: ControlledRounding,
    key: bytes,
    earlier: Mapping[str, Earlier] | None = None,
    within: Within | None = None,
    progress: Progress = SILENT,
) -> tuple[dict[str, SafeTable], RoundingPath]:
    """Round tables of one population over one hierarchy, so that one figure has one value.

    Parameters
    ----------
    tables : true tables by name, with equal totals over the same hierarchy.
    earlier : by the same names, the release before as `sdc.rounding.kept.earlier_of` gives it; tables may be missing.
    within : bounds of the totals; given up around areas for which no start within them is found.

    Returns
    -------
    The safe tables by the same names, and the path taken.

    Raises
    ------
    ValueError
        The tables do not share their hierarchy and totals, or `earlier` is not of their shapes.
    Infeasible
        No totals were found that serve every table.
    """
    before = dict(earlier or {})
    _check_shared(tables)
    _check_earlier(tables, before)
    progress.step("drawing totals")
    work = _prepare(tables, spec, key)
    known, forgotten = before, 0
    height = FORGOTTEN_AROUND if within is None else LOOSENED_AROUND
    while True:
        begun = begin(
            tables,
            work.classified,
            known,
            tree=work.tree,
            figures=work.figures,
            base=spec.base,
            within=within,
        )
        clashes, totals, path = (begun.stuck, (), None) if len(begun.stuck) else _draw(work, begun, spec, key)
        if path is not None:
            break
        bound, within = within, loosen(within, work.tree, clashes, height)
        if height >= FORGOTTEN_AROUND:
            fewer = forget(known, work.hierarchy, clashes, height)
            same = bound is None and _cells_known(fewer) == _cells_known(known)
            if height >= len(work.hierarchy.levels) and same:
                raise _clash(tables, clashes)
            known, forgotten = fewer, forgotten + len(clashes)
        height += 1
    progress.step("rounding tables", len(work.classified))
    values = {name: totals for name in tables}
    cycles = 0
    for index, (name, table) in enumerate(work.classified.items()):
        cycles += _round_categories(work, begun, index, name, key)
        values[name] = rounded_values(begun.joined, index, table, totals, spec.base)
        progress.advance()
    method = Method(name="controlled-rounding", base=spec.base, min_count=spec.min_count)
    safe = {
        name: SafeTable(
            hierarchy=work.hierarchy, classification=table.classification, values=values[name], method=method
        )
        for name, table in tables.items()
    }
    return safe, told_of(replace(path, cycles=path.cycles + cycles, forgotten=forgotten), tables, safe, before)


def told_of(
    path: RoundingPath, tables: Mapping[str, Table], safe: Mapping[str, SafeTable], earlier: Mapping[str, Earlier]
) -> RoundingPath:
    """The path with how many cells kept their value, were moved, and were drawn anew, by table that the release before has."""
    stood = {
        name: flatten(standing(table, safe[name].values, earlier[name]))
        for name, table in tables.items()
        if name in earlier
    }
    kept, moved, redrawn = (
        {name: int(np.count_nonzero(codes == code)) for name, codes in stood.items()}
        for code in (KEPT, FORCED, CHANGED)
    )
    return replace(path, kept=kept, moved=moved, redrawn=redrawn)


# Where keeping values leaves no rounding, bounds are given up in units so many levels above the areas concerned; then,
# from FORGOTTEN_AROUND on, kept values too.
LOOSENED_AROUND = 1


@dataclass(frozen=True, kw_only=True)
class _Work:
    """What every attempt works on: tables, those of them with categories in the order they are joined, hashes, tree."""

    tables: Mapping[str, Table]
    classified: dict[str, Table]
    figures: dict[str, np.ndarray]
    hierarchy: Hierarchy
    tree: Tree


def _prepare(tables: Mapping[str, Table], spec: ControlledRounding, key: bytes) -> _Work:
    # The fewer the categories, the fewer the ways: what cannot be followed shows in narrow tables first.
    narrow_first = sorted(tables.items(), key=lambda item: len(item[1].classification))
    hierarchy = next(iter(tables.values())).hierarchy
    return _Work(
        tables=tables,
        classified={name: table for name, table in narrow_first if len(table.classification)},
        figures={name: flatten(figures_of(table, key).hashes) for name, table in tables.items()},
        hierarchy=hierarchy,
        tree=tree_of(hierarchy),
    )


def _check_shared(tables: Mapping[str, Table]) -> None:
    first, *others = tables.values()
    for table in others:
        if table.hierarchy is not first.hierarchy:
            raise ValueError("tables that are rounded together must share one hierarchy")
        for mine, theirs in zip(first.counts, table.counts, strict=True):
            if not np.array_equal(mine[:, -1], theirs[:, -1]):
                raise ValueError("tables that are rounded together must have equal totals")


def _check_earlier(tables: Mapping[str, Table], earlier: Mapping[str, Earlier]) -> None:
    for name, one in earlier.items():
        if name not in tables or [a.shape for a in one.counts] != [a.shape for a in tables[name].counts]:
            raise ValueError(f"earlier ({name}) must have the shapes of the table of that name")


def _clash(tables: Mapping[str, Table], areas: np.ndarray) -> Infeasible:
    codes = next(iter(tables.values())).hierarchy.codes[0]
    return Infeasible(
        f"the totals of {', '.join(codes[areas[:5]])} have no rounding that serves every table "
        f"({len(areas)} areas in all); round fewer tables together, with fewer categories",
        demands=tuple(tables),
    )


def _draw(
    work: _Work, begun: Begun, spec: ControlledRounding, key: bytes
) -> tuple[np.ndarray, tuple[np.ndarray, ...], RoundingPath | None]:
    """Draw the totals with every table following.

    Returns the areas that clash, totals per level as (units, 1), and the path: None where any area clashes.
    """
    first = next(iter(work.tables))
    columns = len(work.tables[first].classification) + 1
    joined = begun.joined
    game = Game(
        tree=work.tree,
        totals=begun.totals,
        draws=make_draws(sip_key(key, "totals"), np.ascontiguousarray(work.figures[first].reshape(-1, columns)[:, -1])),
        joined=joined,
        scratch=make_scratch(joined),
        forced=np.zeros(len(work.classified), np.int64),
        counts=np.zeros(3, np.int64),
        gain=np.zeros(len(work.classified), np.int64),
    )
    clashes = draw_totals(game, begun.holds, len(work.classified) == 1)
    repaired = together = cycles = 0
    if len(clashes) and len(work.classified) == 1:
        (name,) = work.classified
        together, cycles = settle_alone(work.tree, game.totals, joined, _draws_of_cells(work, name, key))
    elif len(clashes):
        clashes, repaired = repair(game, clashes)
        if len(clashes):
            return clashes, (), None
    path = RoundingPath(
        duels=int(game.counts[DUELS]),
        turned=int(game.counts[TURNS]),
        apart=int(game.counts[APART]),
        repaired=repaired,
        together=together,
        cycles=cycles,
        forced={name: float(parts) / SCALE for name, parts in zip(work.classified, game.forced, strict=True)},
    )
    return clashes, unflatten(game.totals.values, work.hierarchy, 1), path


def _round_categories(work: _Work, begun: Begun, index: int, name: str, key: bytes) -> int:
    """Round one table's category cells with its totals fixed, in place; returns the number of cycles cancelled."""
    joined = begun.joined
    cycles, left = cancel_cycles(work.tree, joined, index, _draws_of_cells(work, name, key), False)
    if left:
        raise RuntimeError("a category cell was left open: conservation does not hold")
    return int(cycles)


def _draws_of_cells(work: _Work, name: str, key: bytes) -> Draws:
    return make_draws(sip_key(key, "categories"), work.figures[name])


def _cells_known(earlier: Mapping[str, Earlier]) -> int:
    return sum(int(np.count_nonzero(known)) for one in earlier.values() for known in one.known)
