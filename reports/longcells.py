"""The long form of a cube's cells: as `reports.longform`, with a column per dimension and ``Total`` for every margin.

Rows are sorted by level of the areas, then area, then by each dimension's codes by
code point, ``Total`` last.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from reports.longform import AREA_COLUMNS, VALUE_COLUMNS, quoted
from reports.textrows import figure_texts, joined
from sdc.cube import Axis, Cube
from sdc.system import SafeCells
from sdc.tables import MARKERS, NOT_PUBLISHED, SHOWN

__all__ = ["cell_columns", "write_long_cells"]

ROWS = 262_144


def cell_columns(cube: Cube) -> tuple[str, ...]:
    """The columns of the long form, in order."""
    return (*AREA_COLUMNS, *(axis.name for axis in cube.axes[1:]), *VALUE_COLUMNS)


def write_long_cells(cube: Cube, cells: SafeCells, path: Path) -> None:
    """Write published cells, in the order of ``cube.system()``, to a file that ends in ``.csv`` or ``.parquet``.

    The same cells give the same bytes; a cell that is not published has no row.
    """
    if path.suffix.lower() == ".csv":
        _write_csv(cube, cells, path)
    else:
        _write_parquet(cube, cells, path)


def _parts(cube: Cube, cells: SafeCells) -> Iterator[tuple[tuple[np.ndarray, ...], np.ndarray, np.ndarray]]:
    """Rows in order: the place on every axis, the value and the marker of each."""
    held = np.flatnonzero(cube.numbers().ravel() >= 0)
    kept = np.flatnonzero(cells.markers != NOT_PUBLISHED)
    for start in range(0, len(kept), ROWS):
        rows = kept[start : start + ROWS]
        yield np.unravel_index(held[rows], cube.shape), cells.values[rows], cells.markers[rows]


def _write_csv(cube: Cube, cells: SafeCells, path: Path) -> None:
    levels, codes = (pa.array([f"{quoted(text)}," for text in texts]) for texts in _area_texts(cube.axes[0]))
    others = [pa.array([f"{quoted(text)}," for text in _texts(axis)]) for axis in cube.axes[1:]]
    with path.open("wb") as file:
        file.write((",".join(map(quoted, cell_columns(cube))) + "\n").encode())
        for places, values, markers in _parts(cube, cells):
            index = [pa.array(place) for place in places]
            figures = figure_texts(values, markers, lambda value: f"{value},\n", lambda marker: f",{marker}\n")
            texts = [levels.take(index[0]), codes.take(index[0])]
            texts += [other.take(place) for other, place in zip(others, index[1:], strict=True)]
            file.write(joined([*texts, figures]))


def _write_parquet(cube: Cube, cells: SafeCells, path: Path) -> None:
    text, packed = pa.string(), pa.dictionary(pa.int32(), pa.string())
    schema = pa.schema(
        [pa.field(name, pa.int64() if name == "value" else packed, name == "value") for name in cell_columns(cube)]
    )
    columns = [*_area_texts(cube.axes[0]), *(_texts(axis) for axis in cube.axes[1:])]
    words = [(sorted(set(texts)), texts) for texts in columns]
    places = [np.searchsorted(np.array(different), np.array(texts)).astype(np.int32) for different, texts in words]
    marks = pa.array([MARKERS[marker] for marker in sorted(MARKERS)], text)
    with pq.ParquetWriter(path, schema, compression="zstd", store_schema=False) as writer:
        for at, values, markers in _parts(cube, cells):
            rows = [at[0], *at]
            arrays = [
                pa.DictionaryArray.from_arrays(pa.array(place[row]), pa.array(different, text))
                for (different, _), place, row in zip(words, places, rows, strict=True)
            ]
            shown = pa.array(values, mask=markers != SHOWN)
            marker = pa.DictionaryArray.from_arrays(pa.array(markers.astype(np.int32)), marks)
            writer.write_batch(pa.RecordBatch.from_arrays([*arrays, shown, marker], schema=schema))


def _area_texts(areas: Axis) -> tuple[list[str], list[str]]:
    """Level and code of every place on the axis of areas."""
    places = [areas.code(place) for place in range(int(areas.starts[-1]))]
    return [level for level, _ in places], [code for _, code in places]


def _texts(axis: Axis) -> list[str]:
    """The code of every place on another axis."""
    return [axis.code(place)[1] for place in range(int(axis.starts[-1]))]
