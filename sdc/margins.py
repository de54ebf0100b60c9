"""The margins of a cube as tables, and what is published of them as cells of the cube.

A margin is a set of flat dimensions: the table by these, with all others added
up.  Methods that treat every figure by itself (cell keys, conventional rounding)
work margin by margin; the grand totals stand in each margin and are the same figures there.
"""

from collections.abc import Mapping

import numpy as np

from sdc.cube import Axis, Cube, all_margins, flat_axis
from sdc.system import SafeCells
from sdc.tables import Classification, Hierarchy, SafeTable, Table

__all__ = [
    "cells_of_margins",
    "cube_of_crossing",
    "in_cells",
    "margin_classification",
    "margin_table",
    "margins_of_cells",
]

Margin = frozenset[str]
Levels = tuple[np.ndarray, ...]


def cube_of_crossing(table: Table) -> Cube:
    """A table by the crossing of several flat dimensions as a cube with every margin.

    Raises
    ------
    ValueError
        The categories are not the full crossing of the dimensions' codes.
    """
    dimensions = table.classification.dimensions
    codes = [sorted({category[at] for category in table.classification.categories}) for at in range(len(dimensions))]
    sizes = [len(each) for each in codes]
    if int(np.prod(sizes)) != len(table.classification):
        raise ValueError("categories must be every combination of the dimensions' codes")
    axes = (
        Axis(hierarchy=table.hierarchy, total=False),
        *(flat_axis(name, each) for name, each in zip(dimensions, codes, strict=True)),
    )
    finest = np.ascontiguousarray(table.counts[0][:, :-1].reshape(-1, *sizes))
    return Cube(axes=axes, finest=finest, margins=all_margins(axes))


def margin_classification(cube: Cube, margin: Margin) -> Classification:
    """The crossing of a margin's dimensions, in the order of the cube's axes."""
    kept = [axis for axis in cube.axes[1:] if axis.name in margin]
    codes = [axis.hierarchy.codes[0].tolist() for axis in kept]
    grids = np.meshgrid(*[np.arange(len(each)) for each in codes], indexing="ij") if codes else []
    categories = tuple(
        tuple(codes[at][int(place)] for at, place in enumerate(places))
        for places in zip(*(grid.ravel() for grid in grids), strict=True)
    )
    return Classification(dimensions=tuple(axis.name for axis in kept), categories=categories)


def margin_table(cube: Cube, margin: Margin, finest: np.ndarray | None = None) -> Table:
    """The table by one margin's dimensions; of `finest` (as the cube's own) in place of its counts, where given."""
    summed = cube.finest if finest is None else finest
    out = tuple(at for at, axis in enumerate(cube.axes) if at and axis.name not in margin)
    summed = summed.sum(axis=out)
    return Table.from_finest(
        hierarchy=cube.axes[0].hierarchy,
        classification=margin_classification(cube, margin),
        finest=summed.reshape(len(summed), -1),
    )


def cells_of_margins(cube: Cube, tables: Mapping[Margin, SafeTable]) -> SafeCells:
    """What safe tables, one per margin, publish of the cube's cells, in the order of ``cube.system()``."""
    return SafeCells(
        values=in_cells(cube, {margin: table.values for margin, table in tables.items()}),
        markers=in_cells(cube, {margin: table.markers for margin, table in tables.items()}),
        method=next(iter(tables.values())).method,
    )


def in_cells(cube: Cube, arrays: Mapping[Margin, Levels]) -> np.ndarray:
    """Arrays per level of each margin's table, of shape (units, categories + 1), as one array over the cube's cells."""
    first = next(iter(arrays.values()))[0]
    whole = np.zeros(cube.shape, first.dtype)
    for margin, levels in arrays.items():
        block = (slice(None), *_block(cube, margin))
        last = max(1, levels[0].shape[1] - 1)
        whole[block] = np.concatenate([level[:, :last] for level in levels]).reshape(whole[block].shape)
    return whole[cube.numbers() >= 0]


def margins_of_cells(cube: Cube, cells: SafeCells) -> dict[Margin, SafeTable]:
    """The published cells as a safe table per published margin."""
    held = cube.numbers() >= 0
    values, markers = np.zeros(cube.shape, np.int64), np.zeros(cube.shape, np.int8)
    values[held], markers[held] = cells.values, cells.markers
    whole = tuple(slice(int(axis.starts[axis.top]), None) for axis in cube.axes[1:])
    tables = {}
    for margin in cube.margins:
        block = (slice(None), *_block(cube, margin))
        columns: list[np.ndarray] = [array[block].reshape(len(array), -1) for array in (values, markers)]
        if margin:
            totals = [array[(slice(None), *whole)].reshape(-1, 1) for array in (values, markers)]
            columns = [np.concatenate(pair, axis=1) for pair in zip(columns, totals, strict=True)]
        hierarchy = cube.axes[0].hierarchy
        tables[margin] = SafeTable(
            hierarchy=hierarchy,
            classification=margin_classification(cube, margin),
            values=_by_level(columns[0], hierarchy),
            markers=_by_level(columns[1], hierarchy),
            method=cells.method,
        )
    return tables


def _block(cube: Cube, margin: Margin) -> tuple[slice, ...]:
    """Where a margin's finest cells stand on every axis but the areas'."""
    return tuple(
        slice(0, axis.sizes[0]) if axis.name in margin else slice(int(axis.starts[axis.top]), None)
        for axis in cube.axes[1:]
    )


def _by_level(rows: np.ndarray, hierarchy: Hierarchy) -> tuple[np.ndarray, ...]:
    ends = np.cumsum(hierarchy.units)
    return tuple(np.ascontiguousarray(part) for part in np.split(rows, ends[:-1]))
