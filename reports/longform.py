"""The long form of a safe table, streamed: one row per area and category, as CSV or Parquet by the ending.

Columns, in this order: ``area_level``, ``area``, one per flat dimension,
``value`` (whole number; empty where nothing may be told) and ``marker``
(empty, ``c`` suppressed, ``z`` structural zero, ``x`` not available, ``low``
instead of a zero).  Rows are sorted by level in nest order, then area, then
categories by code point, ``Total`` last.  A cell that is not published has no
row.  Nothing else is ever written: the columns are an allow-list.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from common.faults import Fault, InputError
from common.progress import SILENT, Progress
from reports.textrows import figure_texts, joined
from sdc.tables import MARKERS, NOT_PUBLISHED, SHOWN, SafeTable

__all__ = ["AREA_COLUMNS", "VALUE_COLUMNS", "long_columns", "long_schema", "quoted", "write_long"]

AREA_COLUMNS = ("area_level", "area")
VALUE_COLUMNS = ("value", "marker")
CSV_ROWS = 262_144
PARQUET_ROWS = 1_048_576


def long_columns(safe: SafeTable) -> tuple[str, ...]:
    """The columns of the long form, in order.

    Raises
    ------
    ValueError
        A dimension has the name of another column.
    """
    columns = (*AREA_COLUMNS, *safe.classification.dimensions, *VALUE_COLUMNS)
    if len(set(columns)) != len(columns):
        raise ValueError(
            f"dimensions {safe.classification.dimensions} must not repeat or take the name of another column"
        )
    return columns


def long_schema(safe: SafeTable) -> pa.Schema:
    """Arrow types of the long form: text, but for ``value``, which is int64 and may be null."""
    return pa.schema(
        [pa.field(name, pa.int64() if name == "value" else pa.string(), name == "value") for name in long_columns(safe)]
    )


def write_long(safe: SafeTable, path: Path, *, progress: Progress = SILENT) -> None:
    """Write the long form to a file that ends in ``.csv`` or ``.parquet``.

    CSV is UTF-8 without a byte order mark, lines end in a line feed, and a
    text is quoted only where it must be.  In Parquet an empty ``value`` is
    null and an empty ``marker`` is empty text.  The same table gives the same
    bytes.

    Raises
    ------
    InputError
        The file has another ending.
    """
    ending = path.suffix.lower()
    if ending == ".csv":
        _write_csv(safe, path, progress)
    elif ending == ".parquet":
        _write_parquet(safe, path, progress)
    else:
        found = f"ending '{path.suffix}' of the file to write"
        raise InputError(
            [Fault(kind="ending", found=found, mend="name a file that ends in .csv or .parquet", file=str(path))]
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Rows:
    """Part of one level's rows: index of unit and of column for each row, with value and marker."""

    level: int
    unit: np.ndarray
    column: np.ndarray
    values: np.ndarray
    markers: np.ndarray


def _parts(safe: SafeTable, rows: int) -> Iterator[_Rows]:
    """The rows in order, level by level, at most about `rows` at a time."""
    for level, (values, markers) in enumerate(zip(safe.values, safe.markers, strict=True)):
        units, columns = values.shape
        step = max(1, rows // columns)
        for start in range(0, units, step):
            stop = min(start + step, units)
            unit = np.repeat(np.arange(start, stop, dtype=np.int32), columns)
            column = np.tile(np.arange(columns, dtype=np.int32), stop - start)
            flat, marked = values[start:stop].ravel(), markers[start:stop].ravel()
            kept = marked != NOT_PUBLISHED
            if kept.all():
                yield _Rows(level=level, unit=unit, column=column, values=flat, markers=marked)
            elif kept.any():
                yield _Rows(level=level, unit=unit[kept], column=column[kept], values=flat[kept], markers=marked[kept])


def quoted(text: str) -> str:
    """A text as a CSV field (RFC 4180, section 2)."""
    if any(mark in text for mark in ',"\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text


def _write_csv(safe: SafeTable, path: Path, progress: Progress) -> None:
    columns = long_columns(safe)
    categories = pa.array([",".join(map(quoted, (*column, ""))) for column in safe.classification.columns], pa.string())
    areas = [
        pa.array([f"{quoted(level)},{quoted(str(code))}," for code in codes], pa.string())
        for level, codes in zip(safe.hierarchy.levels, safe.hierarchy.codes, strict=True)
    ]
    progress.step(f"writing {path.name}", sum(values.size for values in safe.values))
    with path.open("wb") as file:
        file.write((",".join(map(quoted, columns)) + "\n").encode())
        for rows in _parts(safe, CSV_ROWS):
            figures = figure_texts(
                rows.values, rows.markers, lambda value: f"{value},\n", lambda marker: f",{marker}\n"
            )
            file.write(
                joined([areas[rows.level].take(pa.array(rows.unit)), categories.take(pa.array(rows.column)), figures])
            )
            progress.advance(len(rows.values))


def _write_parquet(safe: SafeTable, path: Path, progress: Progress) -> None:
    schema = long_schema(safe)
    # Columns go in as dictionaries, for speed; without the stored schema readers get plain text.
    packed = pa.schema(
        [
            field.with_type(pa.dictionary(pa.int32(), pa.string())) if field.name != "value" else field
            for field in schema
        ]
    )
    progress.step(f"writing {path.name}", sum(values.size for values in safe.values))
    with pq.ParquetWriter(path, packed, compression="zstd", store_schema=False) as writer:
        for rows in _parts(safe, PARQUET_ROWS):
            writer.write_batch(_record_batch(safe, rows, packed))
            progress.advance(len(rows.values))


def _record_batch(safe: SafeTable, rows: _Rows, schema: pa.Schema) -> pa.RecordBatch:
    def packed(index: np.ndarray, texts: list[str]) -> pa.Array:
        return pa.DictionaryArray.from_arrays(pa.array(index, pa.int32()), pa.array(texts, pa.string()))

    arrays = [
        packed(np.zeros(len(rows.values), np.int32), [safe.hierarchy.levels[rows.level]]),
        packed(rows.unit, safe.hierarchy.codes[rows.level].tolist()),
    ]
    for dimension in range(len(safe.classification.dimensions)):
        texts = [column[dimension] for column in safe.classification.columns]
        different = sorted(set(texts))
        place = np.array([different.index(text) for text in texts], np.int32)
        arrays.append(packed(place[rows.column], different))
    shown = pa.array(rows.values, mask=rows.markers != SHOWN)
    marks = [MARKERS[marker] for marker in sorted(MARKERS)]
    return pa.RecordBatch.from_arrays([*arrays, shown, packed(rows.markers.astype(np.int32), marks)], schema=schema)
