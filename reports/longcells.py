"""The long form of a cube's cells: as `reports.longform`, with a column per dimension and ``Total`` for every margin.

A nest beside the areas has two columns, ``<smallest level>_level`` and ``<smallest level>``.

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
from sdc.tables import MARKERS, NOT_PUBLISHED, SHOWN, TOTAL

__all__ = ["cell_columns", "code_lists", "write_long_cells"]

ROWS = 262_144


def cell_columns(cube: Cube) -> tuple[str, ...]:
    """The columns of the long form, in order; a nest has one for the level and one for the code."""
    return (*AREA_COLUMNS, *(name for axis in cube.axes[1:] for name in _names(axis)), *VALUE_COLUMNS)


def code_lists(cube: Cube) -> dict[str, list[str]]:
    """Level and code columns of every published cell, in the order of the long form."""
    places = np.unravel_index(np.flatnonzero(cube.numbers().ravel() >= 0), cube.shape)
    return {name: np.array(texts, dtype=object)[places[at]].tolist() for name, at, texts in _code_columns(cube)}


def _names(axis: Axis) -> tuple[str, ...]:
    return (axis.name,) if len(axis.hierarchy.levels) == 1 else (f"{axis.name}_level", axis.name)


def _code_columns(cube: Cube) -> list[tuple[str, int, list[str]]]:
    """Each column's name, the axis it is of, and its text at every place on that axis."""
    columns = []
    for at, axis in enumerate(cube.axes):
        levels, codes = _level_texts(axis)
        names = AREA_COLUMNS if at == 0 else _names(axis)
        columns += [(name, at, texts) for name, texts in zip(names, (levels, codes)[-len(names) :], strict=True)]
    return columns


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
    columns = [(at, pa.array([f"{quoted(text)}," for text in texts])) for _, at, texts in _code_columns(cube)]
    with path.open("wb") as file:
        file.write((",".join(map(quoted, cell_columns(cube))) + "\n").encode())
        for places, values, markers in _parts(cube, cells):
            index = [pa.array(place) for place in places]
            figures = figure_texts(values, markers, lambda value: f"{value},\n", lambda marker: f",{marker}\n")
            file.write(joined([*(texts.take(index[at]) for at, texts in columns), figures]))


def _write_parquet(cube: Cube, cells: SafeCells, path: Path) -> None:
    text, packed = pa.string(), pa.dictionary(pa.int32(), pa.string())
    schema = pa.schema(
        [pa.field(name, pa.int64() if name == "value" else packed, name == "value") for name in cell_columns(cube)]
    )
    columns = []
    for _, at, texts in _code_columns(cube):
        different = sorted(set(texts))
        place = {word: number for number, word in enumerate(different)}
        columns.append((at, np.array([place[word] for word in texts], np.int32), pa.array(different, text)))
    marks = pa.array([MARKERS[marker] for marker in sorted(MARKERS)], text)
    with pq.ParquetWriter(path, schema, compression="zstd", store_schema=False) as writer:
        for places, values, markers in _parts(cube, cells):
            arrays = [
                pa.DictionaryArray.from_arrays(pa.array(of_place[places[at]]), words) for at, of_place, words in columns
            ]
            shown = pa.array(values, mask=markers != SHOWN)
            marker = pa.DictionaryArray.from_arrays(pa.array(markers.astype(np.int32)), marks)
            writer.write_batch(pa.RecordBatch.from_arrays([*arrays, shown, marker], schema=schema))


def _level_texts(axis: Axis) -> tuple[list[str], list[str]]:
    """Level and code of every place on an axis; ``Total`` for both at its total."""
    places = [axis.code(place) for place in range(int(axis.starts[-1]))]
    return [level or TOTAL for level, _ in places], [code for _, code in places]
