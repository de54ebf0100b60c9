"""Utility of a cube's published cells: every margin's rows, and each level over the cells of all margins together.

Measured against true counts: for the reviewer, never for the public.
"""

from collections.abc import Mapping

import numpy as np

from sdc.cube import Cube
from sdc.margins import Block, block_table, blocks_of, in_cells, spread_over_blocks, tables_of_cells
from sdc.system import SafeCells
from sdc.tables import SHOWN, STRUCTURAL, TOTAL, SafeTable
from sdc.utility.imputation import margin_shares
from sdc.utility.rows import ALL_CELLS, ALL_LEVELS, Cells, measure_row, pooled, stacked, utility, worst_gap
from sdc.utility.sizes import size_row

__all__ = ["cube_margin_shares", "cube_sizes", "cube_utility"]


def cube_utility(cube: Cube, cells: SafeCells, *, guessed: np.ndarray | None = None) -> list[dict[str, object]]:
    """What protection cost, with the rows and measures of `sdc.utility.rows.utility`.

    A row per level and category of every margin (its codes joined by ``, ``), one for the
    level's totals, one over all cells of the level, and one over all levels.  Over all cells

    - `area_gap_*` is of |sum - whole| over sums along the areas, `category_gap_*` over all other sums;
    - there is no association.

    Parameters
    ----------
    cells : in the order of ``cube.system()``.
    guessed : what a reader puts in the place of hidden cells, float64 of shape (cells,), see `utility`.
    """
    rows = _rows_of_margins(cube, tables_of_cells(cube, cells), _by_block(cube, guessed))
    levels = cube.axes[0].hierarchy.levels
    groups, gaps = _cells_of_levels(cube, cells, guessed), _gaps(cube, cells, guessed)
    told: list[dict[str, object]] = []
    for at, (name, group) in enumerate(zip(levels, groups, strict=True)):
        told += [row for row in rows if row["level"] == name and row["category"] != TOTAL]
        told += [row for row in rows if row["level"] == name and row["category"] == TOTAL]
        told.append(measure_row(name, ALL_CELLS, pooled(group), *(worst_gap(kind, [gap[at]]) for kind, gap in gaps)))
    whole = Cells(
        name=ALL_LEVELS,
        counts=stacked([group.counts for group in groups]),
        values=stacked([group.values for group in groups]),
        shown=stacked([group.shown for group in groups]),
        valued=stacked([group.valued for group in groups]),
    )
    told.append(measure_row(ALL_LEVELS, ALL_CELLS, pooled(whole), *(worst_gap(kind, gap) for kind, gap in gaps)))
    return told


def cube_sizes(cube: Cube, cells: SafeCells) -> list[dict[str, object]]:
    """Cells per level, of all margins, by the size of their error: rows as `sdc.utility.sizes.change_sizes` gives them."""
    groups = _cells_of_levels(cube, cells, None)
    return [size_row(group.name, group.counts, group.values, group.shown) for group in groups]


def cube_margin_shares(cube: Cube, cells: SafeCells) -> np.ndarray:
    """What a reader guesses of hidden cells by `sdc.utility.imputation.margin_shares` within each margin's own table.

    Returns
    -------
    float64 of shape (cells,), the published value where one is shown, NaN where there is no guess.
    """
    return in_cells(cube, {block: margin_shares(safe) for block, safe in tables_of_cells(cube, cells).items()})


def _rows_of_margins(
    cube: Cube, tables: Mapping[Block, SafeTable], guesses: Mapping[Block, tuple[np.ndarray, ...]] | None
) -> list[dict[str, object]]:
    """Rows of every margin's categories, and of the totals once."""
    rows = []
    top = blocks_of(cube)[-1]
    for block, safe in tables.items():
        filled = None if guesses is None else guesses[block]
        for row in utility(block_table(cube, block), safe, guessed=filled):
            whole = row["category"] == ALL_CELLS or row["level"] == ALL_LEVELS
            if not whole and (block == top or row["category"] != TOTAL):
                rows.append(row)
    return rows


def _by_block(cube: Cube, guessed: np.ndarray | None) -> Mapping[Block, tuple[np.ndarray, ...]] | None:
    return None if guessed is None else spread_over_blocks(cube, guessed)


def _cells_of_levels(cube: Cube, cells: SafeCells, guessed: np.ndarray | None) -> list[Cells]:
    """The cells of all margins at each level of the areas, as columns of one."""
    level, counts = _level_of(cube), cube.values()[cube.numbers() >= 0]
    shown = (cells.markers == SHOWN) | (cells.markers == STRUCTURAL)
    values = cells.values if guessed is None else guessed
    valued = shown if guessed is None else ~np.isnan(guessed)
    return [
        Cells(
            name=name,
            **{
                key: array[level == at].reshape(-1, 1)
                for key, array in (("counts", counts), ("values", values), ("shown", shown), ("valued", valued))
            },
        )
        for at, name in enumerate(cube.axes[0].hierarchy.levels)
    ]


def _level_of(cube: Cube) -> np.ndarray:
    """The level of areas of each cell: int64 of shape (cells,)."""
    sizes = cube.axes[0].sizes
    return np.repeat(np.arange(len(sizes)), sizes)[np.nonzero(cube.numbers() >= 0)[0]]


def _gaps(
    cube: Cube, cells: SafeCells, guessed: np.ndarray | None
) -> tuple[tuple[str, list[np.ndarray]], tuple[str, list[np.ndarray]]]:
    """Per level of the whole, |whole - sum of its parts| of sums along the areas, and of all others; NaN where unknown."""
    equations, level = cube.system().equations, _level_of(cube)
    shown = (cells.markers == SHOWN) | (cells.markers == STRUCTURAL)
    values = np.where(shown, cells.values, np.nan) if guessed is None else guessed
    gap = np.round(np.abs(equations.residuals(values)), 6)
    whole, part = level[equations.cells[equations.starts[:-1]]], level[equations.cells[equations.starts[:-1] + 1]]
    levels = range(len(cube.axes[0].sizes))
    along = [gap[(whole == at) & (part != at)] for at in levels]
    across = [gap[(whole == at) & (part == at)] for at in levels]
    return ("area", along), ("category", across)
