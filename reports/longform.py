"""The long form of a safe table, streamed: one row per area and category, as CSV or Parquet by the ending.

Columns, in this order: ``area_level``, ``area``, one per flat dimension,
``value`` (whole number; empty where nothing may be told) and ``marker``
(empty, ``c`` suppressed, ``z`` structural zero, ``x`` not available, ``low``
instead of a zero).  A derived table (`reports.derived`) has its own columns of
numbers in the place of ``value``, each with its fixed number of decimals, and the marker ``u``
beside a number.  Rows are sorted by level in nest order, then area, then
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
from reports.derived import DERIVED_MARKERS, DerivedTable, number_text
from reports.textrows import figure_texts, joined
from sdc.tables import MARKERS, NOT_PUBLISHED, SHOWN, SafeTable

__all__ = ["AREA_COLUMNS", "VALUE_COLUMNS", "long_columns", "long_schema", "quoted", "write_long"]

AREA_COLUMNS = ("area_level", "area")
VALUE_COLUMNS = ("value", "marker")
CSV_ROWS = 262_144
PARQUET_ROWS = 1_048_576


def long_columns(table: SafeTable | DerivedTable) -> tuple[str, ...]:
    """The columns of the long form, in order.

    Raises
    ------
    ValueError
        A dimension has the name of another column.
    """
    numbers = tuple(_decimals(table))
    columns = (*AREA_COLUMNS, *table.classification.dimensions, *numbers, VALUE_COLUMNS[-1])
    if len(set(columns)) != len(columns):
        raise ValueError(
            f"dimensions {table.classification.dimensions} must not repeat or take the name of another column"
        )
    return columns


def _decimals(table: SafeTable | DerivedTable) -> dict[str, int]:
    """The columns of numbers, in order, each with its number of decimals."""
    if isinstance(table, SafeTable):
        return {VALUE_COLUMNS[0]: 0}
    return {column.name: column.decimals for column in table.columns}


def long_schema(table: SafeTable | DerivedTable) -> pa.Schema:
    """Arrow types of the long form: text, but for columns of numbers, which are int64 or decimal and may be null."""
    types = {
        name: pa.decimal128(18, decimals) if decimals else pa.int64() for name, decimals in _decimals(table).items()
    }
    return pa.schema([pa.field(name, types.get(name, pa.string()), name in types) for name in long_columns(table)])


def write_long(safe: SafeTable | DerivedTable, path: Path, *, progress: Progress = SILENT) -> None:
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
    """Part of one level's rows: index of unit and of column for each row, numbers, what stands instead, row markers."""

    level: int
    unit: np.ndarray
    column: np.ndarray
    numbers: tuple[tuple[np.ndarray, np.ndarray], ...]
    markers: np.ndarray


def _parts(table: SafeTable | DerivedTable, rows: int) -> Iterator[_Rows]:
    """The rows in order, level by level, at most about `rows` at a time."""
    for level, markers in enumerate(table.markers):
        units, columns = markers.shape
        step = max(1, rows // columns)
        for start in range(0, units, step):
            stop = min(start + step, units)
            unit = np.repeat(np.arange(start, stop, dtype=np.int32), columns)
            column = np.tile(np.arange(columns, dtype=np.int32), stop - start)
            marked = markers[start:stop].ravel()
            numbers = tuple(
                (values[start:stop].ravel(), missing[start:stop].ravel()) for values, missing in _numbers(table, level)
            )
            kept = marked != NOT_PUBLISHED
            if kept.all():
                yield _Rows(level=level, unit=unit, column=column, numbers=numbers, markers=marked)
            elif kept.any():
                numbers = tuple((values[kept], missing[kept]) for values, missing in numbers)
                yield _Rows(level=level, unit=unit[kept], column=column[kept], numbers=numbers, markers=marked[kept])


def _numbers(table: SafeTable | DerivedTable, level: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Values of one level, and what stands instead of them, for each column of numbers."""
    if isinstance(table, SafeTable):
        return [(table.values[level], table.markers[level])]
    return [(column.values[level], column.markers[level]) for column in table.columns]


def quoted(text: str) -> str:
    """A text as a CSV field (RFC 4180, section 2)."""
    if any(mark in text for mark in ',"\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text


def _write_csv(safe: SafeTable | DerivedTable, path: Path, progress: Progress) -> None:
    columns = long_columns(safe)
    categories = pa.array([",".join(map(quoted, (*column, ""))) for column in safe.classification.columns], pa.string())
    areas = [
        pa.array([f"{quoted(level)},{quoted(str(code))}," for code in codes], pa.string())
        for level, codes in zip(safe.hierarchy.levels, safe.hierarchy.codes, strict=True)
    ]
    progress.step(f"writing {path.name}", sum(markers.size for markers in safe.markers))
    with path.open("wb") as file:
        file.write((",".join(map(quoted, columns)) + "\n").encode())
        for rows in _parts(safe, CSV_ROWS):
            place = [areas[rows.level].take(pa.array(rows.unit)), categories.take(pa.array(rows.column))]
            file.write(joined([*place, *_figure_fields(safe, rows)]))
            progress.advance(len(rows.markers))


def _figure_fields(table: SafeTable | DerivedTable, rows: _Rows) -> list[pa.Array]:
    """The fields behind the categories, up to the end of the line."""
    if isinstance(table, SafeTable):
        values, markers = rows.numbers[0]
        return [figure_texts(values, markers, lambda value: f"{value},\n", lambda marker: f",{marker}\n")]
    fields = [
        figure_texts(
            values,
            missing,
            lambda value, column=column: f"{number_text(value, column.decimals)},",  # type: ignore[misc]
            lambda marker: ",",
        )
        for column, (values, missing) in zip(table.columns, rows.numbers, strict=True)
    ]
    return [*fields, _marker_texts("\n").take(pa.array(rows.markers))]


def _marker_texts(after: str = "") -> pa.Array:
    """The text of every marker at the place of its number."""
    return pa.array([DERIVED_MARKERS.get(number, "") + after for number in range(max(DERIVED_MARKERS) + 1)])


def _write_parquet(safe: SafeTable | DerivedTable, path: Path, progress: Progress) -> None:
    schema = long_schema(safe)
    numbers = _decimals(safe)
    # Columns go in as dictionaries, for speed; without the stored schema readers get plain text.
    packed = pa.schema(
        [
            field if field.name in numbers else field.with_type(pa.dictionary(pa.int32(), pa.string()))
            for field in schema
        ]
    )
    progress.step(f"writing {path.name}", sum(markers.size for markers in safe.markers))
    with pq.ParquetWriter(path, packed, compression="zstd", store_schema=False) as writer:
        for rows in _parts(safe, PARQUET_ROWS):
            writer.write_batch(_record_batch(safe, rows, packed))
            progress.advance(len(rows.markers))


def _record_batch(safe: SafeTable | DerivedTable, rows: _Rows, schema: pa.Schema) -> pa.RecordBatch:
    def packed(index: np.ndarray, texts: list[str]) -> pa.Array:
        return pa.DictionaryArray.from_arrays(pa.array(index, pa.int32()), pa.array(texts, pa.string()))

    arrays = [
        packed(np.zeros(len(rows.markers), np.int32), [safe.hierarchy.levels[rows.level]]),
        packed(rows.unit, safe.hierarchy.codes[rows.level].tolist()),
    ]
    for dimension in range(len(safe.classification.dimensions)):
        texts = [column[dimension] for column in safe.classification.columns]
        different = sorted(set(texts))
        place = np.array([different.index(text) for text in texts], np.int32)
        arrays.append(packed(place[rows.column], different))
    for (values, missing), decimals in zip(rows.numbers, _decimals(safe).values(), strict=True):
        arrays.append(_number_array(values, missing != SHOWN, decimals))
    # A dictionary must hold no text twice: Parquet would write bytes of chance behind it.
    known = MARKERS if isinstance(safe, SafeTable) else DERIVED_MARKERS
    place = np.searchsorted(sorted(known), rows.markers).astype(np.int32)
    marks = [known[marker] for marker in sorted(known)]
    return pa.RecordBatch.from_arrays([*arrays, packed(place, marks)], schema=schema)


def _number_array(values: np.ndarray, missing: np.ndarray, decimals: int) -> pa.Array:
    """Numbers as int64, or as exact decimals where they have any; null where they are missing."""
    if not decimals:
        return pa.array(values, mask=missing)
    # A decimal of 128 bits is its whole number of last places, low half first; the high half repeats the sign.
    halves = np.column_stack([values, values >> 63]).astype("<i8")
    there = pa.array(~missing).buffers()[1]
    return pa.Array.from_buffers(pa.decimal128(18, decimals), len(values), [there, pa.py_buffer(halves.tobytes())])
