"""The margins of a cube as tables, and what is published of them as cells of the cube.

A *block* says at which level every axis but the areas' stands, its total being a
level of its own: with flat dimensions, which of them a table is by; with nests,
at which of their levels.  Methods that treat every figure by itself (cell keys)
work block by block; the grand totals stand in each table and are the same figures there.
"""

from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np

from sdc.cube import Axis, Cube, all_margins, flat_axis
from sdc.system import SafeCells
from sdc.tables import Classification, Hierarchy, SafeTable, Table

__all__ = [
    "Block",
    "block_classification",
    "block_counts",
    "block_name",
    "block_table",
    "blocks_of",
    "cells_of_blocks",
    "cube_of_crossing",
    "in_cells",
    "spread_over_blocks",
    "tables_of_cells",
]

Block = tuple[int, ...]
Levels = tuple[np.ndarray, ...]


def cube_of_crossing(table: Table, nests: Sequence[Hierarchy] = ()) -> Cube:
    """A table by the crossing of several dimensions as a cube with every margin.

    `nests` are the trees above the last dimensions, one each; the others are flat.

    Raises
    ------
    ValueError
        The categories are not the full crossing of the dimensions' codes, or a tree has other codes.
    """
    dimensions = table.classification.dimensions
    codes = [sorted({category[at] for category in table.classification.categories}) for at in range(len(dimensions))]
    sizes = [len(each) for each in codes]
    if int(np.prod(sizes)) != len(table.classification):
        raise ValueError("categories must be every combination of the dimensions' codes")
    flat = len(dimensions) - len(nests)
    if any(tree.codes[0].tolist() != own for tree, own in zip(nests, codes[flat:], strict=True)):
        raise ValueError("the smallest level of a nest must hold the dimension's codes")
    axes = (
        Axis(hierarchy=table.hierarchy, total=False),
        *(flat_axis(name, each) for name, each in zip(dimensions[:flat], codes[:flat], strict=True)),
        *(Axis(hierarchy=tree) for tree in nests),
    )
    finest = np.ascontiguousarray(table.counts[0][:, :-1].reshape(-1, *sizes))
    return Cube(axes=axes, finest=finest, margins=all_margins(axes))


def blocks_of(cube: Cube) -> tuple[Block, ...]:
    """The published blocks, finest first, the grand total last."""
    return tuple(sorted({levels[1:] for levels in cube.published_levels()}))


def block_name(cube: Cube, block: Block) -> str:
    """What a block is called: the levels that its table is by."""
    return " × ".join(level for level, _ in _told(cube, block)) or "total"


def block_classification(cube: Cube, block: Block) -> Classification:
    """The crossing of the codes of a block's levels, in the order of the cube's axes."""
    told = _told(cube, block)
    return Classification(
        dimensions=tuple(level for level, _ in told),
        categories=tuple(product(*(codes for _, codes in told))) if told else (),
    )


def block_counts(cube: Cube, block: Block, finest: np.ndarray | None = None) -> np.ndarray:
    """Counts of a block's cells in the smallest areas: int64 of shape (smallest areas, cells).

    `finest` (as the cube's own) takes the place of its counts, where given.
    """
    counts = cube.finest if finest is None else finest
    for number, (axis, level) in enumerate(zip(cube.axes[1:], block, strict=True), start=1):
        group = axis.ancestors(0, level)
        rows = np.moveaxis(counts, number, 0)
        summed = np.zeros((axis.sizes[level], *rows.shape[1:]), np.int64)
        np.add.at(summed, group, rows)
        counts = np.moveaxis(summed, 0, number)
    return np.ascontiguousarray(counts.reshape(len(counts), -1))


def block_table(cube: Cube, block: Block) -> Table:
    """The table by a block's levels."""
    return Table.from_finest(
        hierarchy=cube.axes[0].hierarchy,
        classification=block_classification(cube, block),
        finest=block_counts(cube, block),
    )


def cells_of_blocks(cube: Cube, tables: Mapping[Block, SafeTable]) -> SafeCells:
    """What safe tables, one per block, publish of the cube's cells, in the order of ``cube.system()``."""
    return SafeCells(
        values=in_cells(cube, {block: table.values for block, table in tables.items()}),
        markers=in_cells(cube, {block: table.markers for block, table in tables.items()}),
        method=next(iter(tables.values())).method,
    )


def in_cells(cube: Cube, arrays: Mapping[Block, Levels]) -> np.ndarray:
    """Arrays per level of each block's table, of shape (units, categories + 1), as one array over the cube's cells."""
    first = next(iter(arrays.values()))[0]
    whole = np.zeros(cube.shape, first.dtype)
    for block, levels in arrays.items():
        place = _place(cube, block)
        last = max(1, levels[0].shape[1] - 1)
        whole[place] = np.concatenate([level[:, :last] for level in levels]).reshape(whole[place].shape)
    return whole[cube.numbers() >= 0]


def tables_of_cells(cube: Cube, cells: SafeCells) -> dict[Block, SafeTable]:
    """The published cells as a safe table per published block."""
    values, markers = spread_over_blocks(cube, cells.values), spread_over_blocks(cube, cells.markers)
    return {
        block: SafeTable(
            hierarchy=cube.axes[0].hierarchy,
            classification=block_classification(cube, block),
            values=values[block],
            markers=markers[block],
            method=cells.method,
        )
        for block in blocks_of(cube)
    }


def spread_over_blocks(cube: Cube, array: np.ndarray) -> dict[Block, Levels]:
    """An array over the cube's cells as arrays per level of each block's table, of shape (units, categories + 1)."""
    whole = np.zeros(cube.shape, array.dtype)
    whole[cube.numbers() >= 0] = array
    hierarchy = cube.axes[0].hierarchy
    top = tuple(axis.top for axis in cube.axes[1:])
    totals = whole[_place(cube, top)].reshape(-1, 1)
    spread = {}
    for block in blocks_of(cube):
        columns = totals
        if block != top:
            columns = np.concatenate([whole[_place(cube, block)].reshape(len(whole), -1), totals], axis=1)
        spread[block] = _by_level(columns, hierarchy)
    return spread


def _told(cube: Cube, block: Block) -> list[tuple[str, list[str]]]:
    """Name and codes of each level that a block's table is by."""
    return [
        (axis.hierarchy.levels[level], axis.hierarchy.codes[level].tolist())
        for axis, level in zip(cube.axes[1:], block, strict=True)
        if not (axis.total and level == axis.top)
    ]


def _place(cube: Cube, block: Block) -> tuple[slice, ...]:
    """Where a block's cells stand in the cube, all areas."""
    others = zip(cube.axes[1:], block, strict=True)
    return (slice(None), *(slice(int(axis.starts[level]), int(axis.starts[level + 1])) for axis, level in others))


def _by_level(rows: np.ndarray, hierarchy: Hierarchy) -> Levels:
    ends = np.cumsum(hierarchy.units)
    return tuple(np.ascontiguousarray(part) for part in np.split(rows, ends[:-1]))
