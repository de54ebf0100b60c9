"""Random rounding of a cube: every published cell by its own keyed draw, one figure one value.

A cell of a margin is drawn from the same figure as in a table by that margin's
dimensions alone, so that the cube agrees with such tables.  Where a cell of a
smallest area holds the same records as a coarser cell around it (everybody on a
benefit is in one age band), it is the same figure, and takes the coarser one's.
"""

from collections.abc import Sequence
from itertools import product

import numpy as np

from common.keys import sip_key
from common.progress import SILENT, Progress
from sdc.cube import Axis, Cube, Levels
from sdc.figures import figures_of
from sdc.rounding.random import RandomReport, RandomRounding, draw_all
from sdc.tables import Classification, Table, sum_up

__all__ = ["protect_random_cube"]


def protect_random_cube(
    cube: Cube, *, spec: RandomRounding, key: bytes, progress: Progress = SILENT
) -> tuple[np.ndarray, RandomReport]:
    """Round every cell of a cube by its own draw.

    Returns
    -------
    Values in the order of ``cube.system()``, int64 of shape (n,), and how it went
    (`gaps` are the sums of that system that are not fulfilled).  Finest cells that
    are not published are drawn as well.

    Raises
    ------
    ValueError
        The nest of areas has a total.
    """
    areas, *others = cube.axes
    if areas.total:
        raise ValueError(f"the nest of areas ({areas.name}) must have no total: name its top level")
    progress.step("drawing cells")
    blocks = sorted({levels[1:] for levels in cube.held_levels()}, key=lambda each: (-sum(each), each))
    figures: dict[Levels, np.ndarray] = {}
    values = np.zeros(cube.shape, np.uint64)
    for block in blocks:
        counts = _block_counts(cube, others, block)
        figures[block] = _own_or_coarser(others, block, counts, _figures(cube, block, counts, key), figures, blocks)
        place = tuple(
            slice(int(axis.starts[level]), int(axis.starts[level + 1]))
            for axis, level in zip(others, block, strict=True)
        )
        stacked = np.concatenate(sum_up(areas.hierarchy, figures[block]))
        values[(slice(None), *place)] = stacked.reshape(values[(slice(None), *place)].shape)
    held = cube.numbers() >= 0
    counts = cube.values()[held]
    published = draw_all(sip_key(key, "random rounding"), values[held], counts, spec.base)
    gaps = int(np.count_nonzero(cube.system().equations.residuals(published)))
    return published, RandomReport.of(published, counts, gaps)


def _block_counts(cube: Cube, others: Sequence[Axis], block: Levels) -> np.ndarray:
    """Counts of one combination of levels of the other axes: int64 of shape (smallest areas, cells)."""
    counts = cube.finest
    for number, (axis, level) in enumerate(zip(others, block, strict=True), start=1):
        group = axis.ancestors(0, level)
        rows = np.moveaxis(counts, number, 0)
        summed = np.zeros((axis.sizes[level], *rows.shape[1:]), np.int64)
        np.add.at(summed, group, rows)
        counts = np.moveaxis(summed, 0, number)
    return np.ascontiguousarray(counts.reshape(len(counts), -1))


def _figures(cube: Cube, block: Levels, counts: np.ndarray, key: bytes) -> np.ndarray:
    """Hashes of a block's cells in the smallest areas, as a table by its dimensions has them."""
    areas, *others = cube.axes
    told = [(axis, level) for axis, level in zip(others, block, strict=True) if not (axis.total and level == axis.top)]
    codes = [axis.hierarchy.codes[level] for axis, level in told]
    categories = tuple(tuple(str(code) for code in each) for each in product(*codes)) if told else ()
    table = Table.from_finest(
        hierarchy=areas.hierarchy,
        classification=Classification(
            dimensions=tuple(axis.hierarchy.levels[level] for axis, level in told),
            categories=categories,
        ),
        finest=counts,
    )
    return figures_of(table, key).hashes[0][:, : counts.shape[1]]


def _own_or_coarser(
    others: Sequence[Axis],
    block: Levels,
    counts: np.ndarray,
    own: np.ndarray,
    figures: dict[Levels, np.ndarray],
    blocks: Sequence[Levels],
) -> np.ndarray:
    """The figure of each cell: that of the coarsest cell around it with the same count, or its own."""
    found, settled = own.copy(), np.zeros(own.shape, np.bool_)
    for coarser in blocks:
        if coarser not in figures or not all(a >= b for a, b in zip(coarser, block, strict=True)):
            continue
        around = _positions(others, block, coarser)
        whole = np.zeros((figures[coarser].shape[1], len(counts)), np.int64)
        np.add.at(whole, around, counts.T)
        same = (counts == whole[around].T) & ~settled
        found[same] = figures[coarser][:, around][same]
        settled |= same
    return found


def _positions(others: Sequence[Axis], block: Levels, coarser: Levels) -> np.ndarray:
    """Which cell of a coarser block each cell of a block lies in: int64 of shape (cells,)."""
    position = np.zeros(1, np.int64)
    for axis, below, above in zip(others, block, coarser, strict=True):
        position = (position[:, None] * axis.sizes[above] + axis.ancestors(below, above)).ravel()
    return position
