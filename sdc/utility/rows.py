"""Utility of a safe table as rows for the reviewer: per level and category, per level, and over all cells."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sdc.tables import TOTAL, SafeTable, Table
from sdc.utility.association import between_area_variance, cramers_v, shares
from sdc.utility.cells import cell_measures
from sdc.utility.gaps import area_gaps, category_gaps, shown_cells
from sdc.utility.ranks import rank_measures

__all__ = [
    "ALL_CELLS",
    "ALL_LEVELS",
    "WHOLE_NUMBERS",
    "Cells",
    "measure_row",
    "pooled",
    "stacked",
    "utility",
    "worst_gap",
]

Arrays = tuple[np.ndarray, ...]

ALL_CELLS = "all cells"
ALL_LEVELS = "all levels"

WHOLE_NUMBERS = ("cells", "hidden", "sum_hidden", "max_absolute_error", "area_gap_max", "category_gap_max")
GAPS = ("area_gap_max", "area_gap_mean", "category_gap_max", "category_gap_mean")
ORDER = ("rank_correlation", "hotspots_kept", "share_changing_decile")
ASSOCIATION = ("between_area_variance_ratio", "cramers_v", "cramers_v_change")


def utility(true: Table, safe: SafeTable, *, guessed: Arrays | None = None) -> list[dict[str, object]]:
    """What protection cost, measured against the true table.

    A row per level and column, a row per level over all its columns (`category`
    is ``all cells``) where the table has categories, and a row over the whole
    table (`level` is ``all levels``).  All rows have the same keys: `level`,
    `category` (codes joined by ``, ``), then the measures of
    `sdc.utility.cells.cell_measures` and `sdc.utility.ranks.rank_measures`, and

    - `area_gap_max`, `area_gap_mean`: of |sum of children - parent|, above the smallest level;
    - `category_gap_max`, `category_gap_mean`: of |sum of categories - total|, for totals and all cells;
    - `between_area_variance_ratio`: variance over areas of the category's share of the area's
      total, published over true, over areas shown and with totals above 0 in both (for totals: of the counts);
    - `cramers_v`, `cramers_v_change`: of areas × categories, published, and
      published less true; for all cells of a level of which none is hidden.

    A measure that does not exist for a row is None.  Hidden cells enter `hidden`,
    `share_hidden` and `sum_hidden` alone, unless `guessed` says what a reader puts
    in their place: float64 per level, of the table's shape, the published value
    where one is shown, NaN where there is no guess (`sdc.utility.imputation`).  Then
    errors, gaps, order and association are those of the table so filled.

    Every row tells of true counts: for the reviewer, never for the public.

    Raises
    ------
    ValueError
        The tables are not of the same areas and categories.
    """
    _check_alike(true, safe)
    shown = shown_cells(safe)
    filled = guessed or tuple(np.where(seen, r, np.nan) for r, seen in zip(safe.values, shown, strict=True))
    values = safe.values if guessed is None else guessed
    levels = [
        Cells(name=name, counts=x, values=r, shown=seen, valued=~np.isnan(whole))
        for name, x, r, seen, whole in zip(safe.hierarchy.levels, true.counts, values, shown, filled, strict=True)
    ]
    with_total = bool(len(safe.classification))
    gaps = [area_gaps(safe.hierarchy, filled[at - 1], filled[at], at) if at else None for at in range(len(levels))]
    across = [category_gaps(whole) if with_total else None for whole in filled]
    rows: list[dict[str, object]] = []
    for level, gap, over in zip(levels, gaps, across, strict=True):
        rows += _level_rows(safe, level, gap, over)
    whole_table = Cells(
        name=ALL_LEVELS,
        counts=stacked([level.counts for level in levels]),
        values=stacked([level.values for level in levels]),
        shown=stacked([level.shown for level in levels]),
        valued=stacked([level.valued for level in levels]),
    )
    rows.append(
        measure_row(ALL_LEVELS, ALL_CELLS, pooled(whole_table), worst_gap("area", gaps), worst_gap("category", across))
    )
    return rows


@dataclass(frozen=True, kw_only=True, eq=False)
class Cells:
    """Cells of one level: true counts, values or guesses, where a value is shown, where there is a value or a guess."""

    name: str
    counts: np.ndarray
    values: np.ndarray
    shown: np.ndarray
    valued: np.ndarray


def stacked(parts: Sequence[np.ndarray]) -> np.ndarray:
    """Arrays of any shapes as one row of cells."""
    return np.concatenate([part.ravel() for part in parts])


def _check_alike(true: Table, safe: SafeTable) -> None:
    same_areas = true.hierarchy is safe.hierarchy or (
        true.hierarchy.levels == safe.hierarchy.levels
        and all(np.array_equal(a, b) for a, b in zip(true.hierarchy.codes, safe.hierarchy.codes, strict=True))
        and all(np.array_equal(a, b) for a, b in zip(true.hierarchy.parents, safe.hierarchy.parents, strict=True))
    )
    if not same_areas or true.classification != safe.classification:
        raise ValueError("the true and the safe table must be of the same areas and categories")


def _level_rows(
    safe: SafeTable, level: Cells, gaps: np.ndarray | None, across: np.ndarray | None
) -> list[dict[str, object]]:
    measures = cell_measures(level.counts, level.values, level.shown, level.valued)
    ratios = _variance_ratios(level)
    last = len(safe.classification)
    rows = []
    for column, codes in enumerate(safe.classification.columns):
        kept = level.valued[:, column]
        rows.append(
            measure_row(
                level.name,
                ", ".join(codes) if column < last else TOTAL,
                {key: array[column] for key, array in measures.items()},
                worst_gap("area", [] if gaps is None else [gaps[:, column]]),
                worst_gap("category", [across if column == last else None]),
                rank_measures(level.counts[kept, column], level.values[kept, column]),
                {"between_area_variance_ratio": ratios[column]},
            )
        )
    if last:
        together = pooled(level), worst_gap("area", [gaps]), worst_gap("category", [across]), _association(level)
        rows.append(measure_row(level.name, ALL_CELLS, *together))
    return rows


def pooled(level: Cells) -> dict[str, float]:
    """Measures of `sdc.utility.cells.cell_measures` over all cells together."""
    arrays = (level.counts, level.values, level.shown, level.valued)
    measures = cell_measures(*(array.reshape(-1, 1) for array in arrays))
    return {key: array[0] for key, array in measures.items()}


def worst_gap(kind: str, gaps: Sequence[np.ndarray | None]) -> dict[str, float]:
    """Largest and mean of the gaps that could be taken."""
    taken = [gap.ravel() for gap in gaps if gap is not None]
    known = np.concatenate(taken) if taken else np.empty(0)
    known = known[~np.isnan(known)]
    if not known.size:
        return {}
    return {f"{kind}_gap_max": float(known.max()), f"{kind}_gap_mean": float(known.mean())}


def _variance_ratios(level: Cells) -> list[float]:
    before, after = shares(level.counts), shares(level.values)
    usable = level.valued & level.valued[:, -1:] & ~np.isnan(before) & ~np.isnan(after)
    ratios = []
    for column in range(level.counts.shape[1]):
        kept = usable[:, column]
        truth = between_area_variance(before[kept, column])
        ratios.append(between_area_variance(after[kept, column]) / truth if truth > 0 else np.nan)
    return ratios


def _association(level: Cells) -> dict[str, float]:
    inner = level.values[:, :-1]
    if not level.valued[:, :-1].all() or (inner < 0).any():
        return {}
    after = cramers_v(inner)
    return {"cramers_v": after, "cramers_v_change": after - cramers_v(level.counts[:, :-1])}


def measure_row(
    level: str, category: str, measures: Mapping[str, float], *more: Mapping[str, float]
) -> dict[str, object]:
    """A row as `utility` gives it: every measure, None where there is none, as plain numbers."""
    found = dict(measures)
    for part in more:
        found.update(part)
    keys = (*measures, *GAPS, *ORDER, *ASSOCIATION)
    return {"level": level, "category": category, **{key: _plain(key, found.get(key)) for key in keys}}


def _plain(key: str, value: float | None) -> object:
    if value is None or np.isnan(value):
        return None
    whole = (
        key in WHOLE_NUMBERS and float(value).is_integer()
    )  # guesses leave errors and gaps that are no whole numbers
    return int(value) if whole else float(value)
