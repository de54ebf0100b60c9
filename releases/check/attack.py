"""An attack of its own: what the published figures let somebody prove.

For additive rounding to a base b the theorem answers at once: where all values
are multiples of b, not negative, additive over areas and categories, and equal
wherever two tables tell the same figure, the feasibility interval of a cell
shown r is exactly [max(0, r - b + 1), r + b - 1], however the rest is used.
(Start from the published table itself; raise one smallest cell and all its sums
by b - 1, or lower one that shows at least b.)

Otherwise each cell starts with its method's stated interval and additivity
narrows it until nothing changes:

    total  in [max(lo, sum of parts' lo), min(hi, sum of parts' hi)]
    part k in [max(lo, total lo - (sum of parts' hi - hi_k)), min(hi, total hi - (sum of parts' lo - lo_k))]

with parts the categories of a total and the areas below an area.  This is
sound (what it proves is proven) and not complete (more may be provable).

The promise, with m = min_count, for every cell whose interval meets 1 … m - 1:
it contains 0 or a value of at least m, and its width hi - lo is at least m - 1.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from common.progress import SILENT, Progress
from releases.check.additivity import check_additive, check_linked, check_multiples, sums_to_parents
from releases.check.notes import SHOWN, Notes
from releases.check.tables import MARKERS, Published

__all__ = ["METHODS", "Bounds", "attack", "narrow", "stated"]

METHODS = ("controlled-rounding", "conventional-rounding", "random-rounding", "exact")
# Stands for "no bound"; sums of a whole country of it stay below 2^63.
NO_BOUND = 1 << 40
SWEEPS = 50


@dataclass(frozen=True, kw_only=True, eq=False)
class Bounds:
    """Feasibility intervals of a table: per level int64 `lo` and `hi` of shape (units, columns)."""

    lo: tuple[np.ndarray, ...]
    hi: tuple[np.ndarray, ...]


def attack(
    tables: Sequence[Published],
    *,
    method: str,
    base: int,
    min_count: int,
    notes: Notes,
    unit: str = "",
    progress: Progress = SILENT,
) -> None:
    """Attack all tables of a release that count one `unit` together, and note every broken promise."""
    if method not in METHODS:
        notes.wrong(
            "method", "manifest.json", f"the method '{method}' is not known here, so that nothing could be attacked"
        )
        notes.not_checked("attack: the method is not known")
        return
    progress.step("attacking", len(tables))
    multiples = [method == "exact" or check_multiples(table, base, notes) for table in tables]
    if method == "controlled-rounding":
        additive = [check_additive(table, notes) for table in tables]
        linked = check_linked(tables, True, notes)
        notes.checked("additivity over areas and categories, multiples of the base, one figure one value")
        shown = all(table.numbers for table in tables)
        if all(multiples) and all(additive) and linked and shown and _decomposable(tables):
            notes.figure(" on ".join(filter(None, ("attack", unit))), "theorem: no interval can be narrowed")
            _by_theorem(tables, base, min_count, notes)
            return
    else:
        check_linked(tables, False, notes)
        notes.checked("multiples of the base, one figure one value")
    _by_propagation(tables, method, base, min_count, notes, progress)


def _decomposable(tables: Sequence[Published]) -> bool:
    """Whether equal margins in pairs are enough for one table behind all of them.

    True where the dimensions of the tables can be reduced to nothing by taking
    away, again and again, a dimension that one table alone has and a table
    whose dimensions another has (Graham's reduction of an acyclic hypergraph;
    Beeri, Fagin, Maier and Yannakakis, J. ACM 30 (1983), theorem 3.4).
    """
    edges = [set(table.layout.dimensions) for table in tables]
    if any(not _alike(one, other) for one, other in combinations(tables, 2)):
        return False  # the same variable, recoded: margins say nothing of how the parts lie
    while True:
        lone = {name for name in set().union(*edges) if sum(name in edge for edge in edges) == 1}
        reduced = [edge - lone for edge in edges]
        kept = [
            edge
            for place, edge in enumerate(reduced)
            if not any(
                edge < other or (edge == other and place > at) for at, other in enumerate(reduced) if at != place
            )
        ]
        if kept == edges:
            return len(kept) == 1 and not kept[0]
        edges = kept


def _alike(one: Published, other: Published) -> bool:
    """Whether two tables have the same codes in every dimension that both name."""
    return all(
        one.layout.codes_of(name) == other.layout.codes_of(name)
        for name in one.layout.dimensions
        if name in other.layout.dimensions
    )


def _by_theorem(tables: Sequence[Published], base: int, min_count: int, notes: Notes) -> None:
    """Judge each published value by the theorem's interval."""
    if base < min_count:
        notes.leak(
            "promise",
            "manifest.json",
            f"base {base} is below min_count {min_count}: a count shown 0 or {base} is told too narrowly",
        )
    for table in tables:
        lo = tuple(np.maximum(0, values - base + 1) for values in table.values)
        hi = tuple(values + base - 1 for values in table.values)
        _judge(table, Bounds(lo=lo, hi=hi), min_count, notes)
    notes.checked("attack: the theorem on additive rounding, so that every interval is exact")
    notes.not_checked(
        "what others publish of the same people, and earlier releases of the series: their files are not in the folder"
    )


def _by_propagation(
    tables: Sequence[Published], method: str, base: int, min_count: int, notes: Notes, progress: Progress
) -> None:
    all_bounds = [stated(table, method, base) for table in tables]
    before = [sum(int((hi - lo).sum()) for lo, hi in zip(bounds.lo, bounds.hi, strict=True)) for bounds in all_bounds]
    narrowed = _narrow_together(tables, all_bounds)
    for table, bounds, width in zip(tables, narrowed, before, strict=True):
        now = sum(int((hi - lo).sum()) for lo, hi in zip(bounds.lo, bounds.hi, strict=True))
        notes.figure(
            f"attack on {table.id}", "propagation narrowed intervals" if now < width else "propagation narrowed nothing"
        )
        _judge(table, bounds, min_count, notes)
        progress.advance()
    notes.checked("attack: propagation of intervals over areas, categories and equal totals, which is sound")
    notes.not_checked(
        "attack: whether more than propagation proves can be proven; what insiders learn; other releases and publishers"
    )


def stated(table: Published, method: str, base: int) -> Bounds:
    """What each cell tells by itself.

    Shown r: [r, r] for exact figures; [r - floor(b/2), r + floor((b-1)/2)] for
    conventional rounding, halves up; [r - b + 1, r + b - 1] for controlled and
    random rounding; never below 0.  ``z``: [0, 0].  ``low``: as a shown 0.
    ``c`` and ``x``: 0 to no bound.
    """
    below, above = {"exact": (0, 0), "conventional-rounding": (base // 2, (base - 1) // 2)}.get(
        method, (base - 1, base - 1)
    )
    lows, highs = [], []
    for values, markers in zip(table.values, table.markers, strict=True):
        lo, hi = np.maximum(0, values - below), values + above
        nothing = np.isin(markers, (MARKERS.index("c"), MARKERS.index("x")))
        structural = markers == MARKERS.index("z")
        lows.append(np.where(nothing | structural, 0, lo))
        highs.append(np.where(nothing, NO_BOUND, np.where(structural, 0, hi)))
    return Bounds(lo=tuple(lows), hi=tuple(highs))


def _narrow_together(tables: Sequence[Published], all_bounds: list[Bounds]) -> list[Bounds]:
    """Narrow each table, hand the narrowest totals to all, until nothing changes."""
    for _ in range(SWEEPS):
        narrowed = [narrow(table, bounds) for table, bounds in zip(tables, all_bounds, strict=True)]
        shared = _share_totals(tables, narrowed)
        settled = all(_same(one, other) for one, other in zip(all_bounds, shared, strict=True))
        if settled or any(_impossible(bounds) for bounds in shared):
            return shared
        all_bounds = shared
    return all_bounds


def _share_totals(tables: Sequence[Published], all_bounds: list[Bounds]) -> list[Bounds]:
    deepest = max(tables, key=lambda table: len(table.layout.levels)).layout
    shared = list(all_bounds)
    alike = [dict(deepest.levels_alike(table.layout)) for table in tables]
    for level in range(len(deepest.levels)):
        having = [(place, levels[level]) for place, levels in enumerate(alike) if level in levels]
        lo = np.max([all_bounds[place].lo[own][:, -1] for place, own in having], axis=0)
        hi = np.min([all_bounds[place].hi[own][:, -1] for place, own in having], axis=0)
        for place, own in having:
            lows, highs = [list(arrays) for arrays in (shared[place].lo, shared[place].hi)]
            lows[own] = np.column_stack([lows[own][:, :-1], lo])
            highs[own] = np.column_stack([highs[own][:, :-1], hi])
            shared[place] = Bounds(lo=tuple(lows), hi=tuple(highs))
    return shared


def _same(one: Bounds, other: Bounds) -> bool:
    pairs = (*zip(one.lo, other.lo, strict=True), *zip(one.hi, other.hi, strict=True))
    return all(np.array_equal(a, b) for a, b in pairs)


def narrow(table: Published, bounds: Bounds) -> Bounds:
    """Propagate one table's additivity to a fixed point (at most `SWEEPS` sweeps, up then down)."""
    lo, hi = ([array.copy() for array in bounds.lo], [array.copy() for array in bounds.hi])
    for _ in range(SWEEPS):
        before = [array.copy() for array in (*lo, *hi)]
        levels = range(len(lo))
        for level in (*levels, *reversed(levels)):
            if table.layout.categories:
                _narrow_categories(lo[level], hi[level])
            if level + 1 < len(lo):
                _narrow_areas(lo, hi, level, table.layout.parents[level])
        settled = all(np.array_equal(a, b) for a, b in zip(before, (*lo, *hi), strict=True))
        if settled or _impossible(Bounds(lo=tuple(lo), hi=tuple(hi))):
            break
    return Bounds(lo=tuple(lo), hi=tuple(hi))


def _impossible(bounds: Bounds) -> bool:
    """Whether some interval is empty: narrowing on would only spread the contradiction."""
    return any(bool(np.any(lo > hi)) for lo, hi in zip(bounds.lo, bounds.hi, strict=True))


def _narrow_categories(lo: np.ndarray, hi: np.ndarray) -> None:
    """Narrow categories and totals of one level, in place."""
    low, high = lo[:, :-1].sum(axis=1), hi[:, :-1].sum(axis=1)
    lo[:, -1], hi[:, -1] = np.maximum(lo[:, -1], low), np.minimum(hi[:, -1], high)
    rest_high, rest_low = high[:, None] - hi[:, :-1], low[:, None] - lo[:, :-1]
    lo[:, :-1] = np.maximum(lo[:, :-1], lo[:, -1:] - rest_high)
    hi[:, :-1] = np.minimum(hi[:, :-1], hi[:, -1:] - rest_low)


def _narrow_areas(lo: list[np.ndarray], hi: list[np.ndarray], level: int, parents: np.ndarray) -> None:
    """Narrow the areas of a level and the areas above them, in place."""
    units = len(lo[level + 1])
    low, high = (sums_to_parents(lo[level], parents, units), sums_to_parents(hi[level], parents, units))
    lo[level + 1] = np.maximum(lo[level + 1], low)
    hi[level + 1] = np.minimum(hi[level + 1], high)
    rest_high, rest_low = high[parents] - hi[level], low[parents] - lo[level]
    lo[level] = np.maximum(lo[level], lo[level + 1][parents] - rest_high)
    hi[level] = np.minimum(hi[level], hi[level + 1][parents] - rest_low)


def _judge(table: Published, bounds: Bounds, min_count: int, notes: Notes) -> None:
    """Note every cell whose interval breaks the promise, or that no true table could give."""
    for level, (lo, hi) in enumerate(zip(bounds.lo, bounds.hi, strict=True)):
        impossible = lo > hi
        small = (lo <= min_count - 1) & (hi >= 1) & ~impossible
        pinned = small & (lo >= 1) & (hi <= min_count - 1)
        narrow_ones = small & ~pinned & (hi - lo < min_count - 1)
        for unit, column in _first(impossible, "impossible", table, notes):
            cell = table.layout.cell(level, unit, column)
            notes.wrong(
                "impossible", table.file, "no true table could give these figures under the stated method", cell=cell
            )
        for wrong, kind, what in (
            (pinned, "pinned", f"the count behind it is proven to be one of 1 to {min_count - 1}"),
            (narrow_ones, "narrow", f"the count behind it may be small and is proven within less than {min_count - 1}"),
        ):
            for unit, column in _first(wrong, kind, table, notes):
                top = int(hi[unit, column])
                interval = (int(lo[unit, column]), top if top < NO_BOUND else None)
                notes.leak(kind, table.file, what, cell=table.layout.cell(level, unit, column), interval=interval)


def _first(wrong: np.ndarray, kind: str, table: Published, notes: Notes) -> list[tuple[int, int]]:
    """The first cells where `wrong` is true; the others are counted."""
    units, columns = np.nonzero(wrong)
    notes.more(kind, table.file, max(0, len(units) - SHOWN))
    return list(zip(units[:SHOWN].tolist(), columns[:SHOWN].tolist(), strict=True))
