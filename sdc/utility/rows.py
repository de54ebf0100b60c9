"""Utility of a safe table as rows for the reviewer: per level and category, per level, and over all cells."""

from collections.abc import Mapping

import numpy as np

from sdc.tables import TOTAL, SafeTable, Table
from sdc.utility.association import between_area_variance, cramers_v, shares
from sdc.utility.cells import cell_measures
from sdc.utility.gaps import area_gaps, category_gaps, shown_cells
from sdc.utility.ranks import rank_measures

__all__ = ["ALL_CELLS", "ALL_LEVELS", "WHOLE_NUMBERS", "utility"]

ALL_CELLS = "all cells"
ALL_LEVELS = "all levels"

WHOLE_NUMBERS = ("cells", "hidden", "sum_hidden", "max_absolute_error", "area_gap_max", "category_gap_max")
GAPS = ("area_gap_max", "area_gap_mean", "category_gap_max", "category_gap_mean")
ORDER = ("rank_correlation", "hotspots_kept", "share_changing_decile")
ASSOCIATION = ("between_area_variance_ratio", "cramers_v", "cramers_v_change")


def utility(true: Table, safe: SafeTable) -> list[dict[str, object]]:
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

    A measure that does not exist for a row is None.  Hidden cells enter
    `hidden`, `share_hidden` and `sum_hidden` alone: no value is imputed for them.

    Every row tells of true counts: for the reviewer, never for the public.

    Raises
    ------
    ValueError
        The tables are not of the same areas and categories.
    """
    _check_alike(true, safe)
    shown = shown_cells(safe)
    rows: list[dict[str, object]] = []
    for level in range(len(safe.hierarchy.levels)):
        rows += _level_rows(true, safe, shown, level)
    pooled = tuple(np.concatenate([part.ravel() for part in parts]) for parts in (true.counts, safe.values, shown))
    gaps = [area_gaps(safe, shown, level).ravel() for level in range(1, len(shown))]
    across = [category_gaps(safe, shown, level) for level in range(len(shown))] if len(safe.classification) else []
    rows.append(_row(ALL_LEVELS, ALL_CELLS, _pooled(*pooled), _gap("area", gaps), _gap("category", across)))
    return rows


def _check_alike(true: Table, safe: SafeTable) -> None:
    same_areas = true.hierarchy is safe.hierarchy or (
        true.hierarchy.levels == safe.hierarchy.levels
        and all(np.array_equal(a, b) for a, b in zip(true.hierarchy.codes, safe.hierarchy.codes, strict=True))
        and all(np.array_equal(a, b) for a, b in zip(true.hierarchy.parents, safe.hierarchy.parents, strict=True))
    )
    if not same_areas or true.classification != safe.classification:
        raise ValueError("the true and the safe table must be of the same areas and categories")


def _level_rows(true: Table, safe: SafeTable, shown: tuple[np.ndarray, ...], level: int) -> list[dict[str, object]]:
    name = safe.hierarchy.levels[level]
    counts, values, seen = true.counts[level], safe.values[level], shown[level]
    measures = cell_measures(counts, values, seen)
    gaps = area_gaps(safe, shown, level) if level else None
    across = [category_gaps(safe, shown, level)] if len(safe.classification) else []
    ratios = _variance_ratios(counts, values, seen)
    rows = []
    for column, codes in enumerate(safe.classification.columns):
        kept = seen[:, column]
        rows.append(
            _row(
                name,
                ", ".join(codes) if column < len(safe.classification) else TOTAL,
                {key: array[column] for key, array in measures.items()},
                _gap("area", [] if gaps is None else [gaps[:, column]]),
                _gap("category", across if column == len(safe.classification) else []),
                rank_measures(counts[kept, column], values[kept, column]),
                {"between_area_variance_ratio": ratios[column]},
            )
        )
    if len(safe.classification):
        rows.append(
            _row(
                name,
                ALL_CELLS,
                _pooled(counts, values, seen),
                _gap("area", [] if gaps is None else [gaps.ravel()]),
                _gap("category", across),
                _association(counts, values, seen),
            )
        )
    return rows


def _pooled(counts: np.ndarray, values: np.ndarray, seen: np.ndarray) -> dict[str, float]:
    measures = cell_measures(counts.reshape(-1, 1), values.reshape(-1, 1), seen.reshape(-1, 1))
    return {key: array[0] for key, array in measures.items()}


def _gap(kind: str, gaps: list[np.ndarray]) -> dict[str, float]:
    """Largest and mean of the gaps that could be taken."""
    known = np.concatenate(gaps) if gaps else np.empty(0)
    known = known[~np.isnan(known)]
    if not known.size:
        return {}
    return {f"{kind}_gap_max": float(known.max()), f"{kind}_gap_mean": float(known.mean())}


def _variance_ratios(counts: np.ndarray, values: np.ndarray, seen: np.ndarray) -> list[float]:
    before, after = shares(counts), shares(values)
    usable = seen & seen[:, -1:] & ~np.isnan(before) & ~np.isnan(after)
    ratios = []
    for column in range(counts.shape[1]):
        kept = usable[:, column]
        truth = between_area_variance(before[kept, column])
        ratios.append(between_area_variance(after[kept, column]) / truth if truth > 0 else np.nan)
    return ratios


def _association(counts: np.ndarray, values: np.ndarray, seen: np.ndarray) -> dict[str, float]:
    inner = values[:, :-1]
    if not seen[:, :-1].all() or (inner < 0).any():
        return {}
    after = cramers_v(inner)
    return {"cramers_v": after, "cramers_v_change": after - cramers_v(counts[:, :-1])}


def _row(level: str, category: str, measures: Mapping[str, float], *more: Mapping[str, float]) -> dict[str, object]:
    found = dict(measures)
    for part in more:
        found.update(part)
    keys = (*measures, *GAPS, *ORDER, *ASSOCIATION)
    return {"level": level, "category": category, **{key: _plain(key, found.get(key)) for key in keys}}


def _plain(key: str, value: float | None) -> object:
    if value is None or np.isnan(value):
        return None
    return int(value) if key in WHOLE_NUMBERS else float(value)
