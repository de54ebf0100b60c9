"""Tables of ours that are not written yet, as files of an attack: of themselves they say what their metadata will say."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from geography.textcolumns import TextColumns
from releases.attack.known import KnownFile
from releases.attack.measures import Counting
from releases.attack.piecefiles import PieceFile
from releases.attack.publicblock import told_by
from releases.attack.published import Opened, Published
from releases.attack.said import Said
from releases.files.tidyfile import Tidy
from reports.longform import AREA_COLUMNS
from reports.metadata import cube_block, metadata_block
from sdc.attack.intervals import Intervals
from sdc.attack.pieces import piece_of_cells, piece_of_table
from sdc.cube import Cube
from sdc.system import SafeCells
from sdc.tables import SHOWN, Hierarchy, Method, SafeTable, Table

__all__ = ["as_counted", "cells_as_counted", "unwritten_cells", "unwritten_table"]


def as_counted(table: Table, *, min_count: int = 2) -> SafeTable:
    """The true table in the form that published ones are held against; it is never written."""
    method = Method(name="exact", base=1, min_count=min_count)
    return SafeTable(hierarchy=table.hierarchy, classification=table.classification, values=table.counts, method=method)


def cells_as_counted(cube: Cube, *, min_count: int = 2) -> SafeCells:
    """A cube's true cells in that form."""
    counts = cube.values()[cube.numbers() >= 0]
    method = Method(name="exact", base=1, min_count=min_count)
    return SafeCells(values=counts, markers=np.full(counts.shape, SHOWN, np.int8), method=method)


def unwritten_table(
    path: Path,
    safe: SafeTable,
    *,
    population: str = "",
    measure: str = "",
    date: str = "",
    edition: str = "",
    known: Intervals | None = None,
    truth: Table | None = None,
) -> PieceFile:
    """A safe table as a file of an attack.

    Parameters
    ----------
    path : where it will stand; nothing is read there.
    population, measure, date, edition : what it counts, see `releases.attack.measures`.
    known : bounds that its readers have besides its values.
    truth : the true counts behind it.
    """
    block = metadata_block(safe, file=path.name, software="", measure=measure)
    if population:
        block["population"] = population
    one = _file(path, block, safe.hierarchy, safe.method, date=date, edition=edition)
    one.published = Published(said=one.said, safe=safe, known=known, notices=())
    one.truth = truth
    one.piece = piece_of_table(one.name, safe, known=known, truth=truth)
    return one


def unwritten_cells(path: Path, cube: Cube, cells: SafeCells) -> PieceFile:
    """A table with several margins, whose true counts are the cube's, as a file of an attack."""
    one = _file(path, cube_block(cube, cells, file=path.name, software=""), cube.axes[0].hierarchy, cells.method)
    one.piece = piece_of_cells(one.name, cube, cells, truth=True)
    return one


def _file(
    path: Path, block: dict[str, Any], tree: Hierarchy, method: Method, *, date: str = "", edition: str = ""
) -> PieceFile:
    told = told_by(path, block)
    said = Said(
        path=path,
        told=told,
        known=KnownFile(path=path, date=date or None, edition=edition or None),
        nest=tree.levels,
        by=told.dimensions,
        count="count",
        areas=None,
        categories=None,
        method=method.name,
        base=method.base,
        min_count=method.min_count,
        notices=(),
    )
    return PieceFile(name=path.stem, judged=True, opened=_nothing_read(said), counting=Counting(), tree=tree)


def _nothing_read(said: Said) -> Opened:
    columns = {name: pa.chunked_array([], pa.string()) for name in (*AREA_COLUMNS, *said.by, "value")}
    return Opened(
        said=said,
        tidy=Tidy(text=TextColumns(path=said.path, columns=columns)),
        level=AREA_COLUMNS[0],
        areas=(AREA_COLUMNS[1],),
        value="value",
        marker=None,
        categories={name: () for name in said.by if said.told is None or name not in said.told.nests},
    )
