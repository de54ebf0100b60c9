"""Reads chosen columns of a CSV or Parquet file as text, untouched, and knows where each row stands in the file.

Codes are text: ``00123`` keeps its zeros and ``E1`` never becomes a number.
Everything that stops a file from being read is told at once, as faults.
"""

import codecs
import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pcsv
import pyarrow.parquet as pq

from common.faults import Faults, InputError

__all__ = ["TextColumns", "encoding_fault", "file_fault", "read_text_columns"]

CHUNK_BYTES = 8 << 20

# What a file that is no CSV begins with.
SIGNATURES = ((b"PK\x03\x04", "a workbook or zip file"), (b"\x1f\x8b", "a gzip file"), (b"%PDF", "a PDF"))


@dataclass(frozen=True, kw_only=True, eq=False)
class TextColumns:
    """Columns of a file as text.

    Attributes
    ----------
    path : the file.
    columns : column name to text of shape (rows,), never null; a missing cell is ``""``.
    """

    path: Path
    columns: dict[str, pa.ChunkedArray]

    @cached_property
    def rows(self) -> np.ndarray:
        """Where each row stands: int64 of shape (rows,), line of a CSV (header = 1), row of a Parquet file from 1.

        A CSV record with newlines inside quotes stands where it begins.
        Reading a CSV a second time costs about a second a million rows, so
        this is worked out only once somebody asks, which is when a fault is told.
        """
        if is_parquet(self.path):
            return np.arange(1, len(next(iter(self.columns.values()))) + 1)
        return np.fromiter((line for line, _ in _csv_records(self.path)), dtype=np.int64)[1:]


def read_text_columns(path: Path, columns: Sequence[str]) -> TextColumns:
    """The named columns of a CSV (UTF-8, byte-order mark tolerated, comma) or Parquet file, all as text.

    Empty lines of a CSV are passed over; Parquet columns must be text already,
    and a null there reads as ``""``.

    Raises
    ------
    InputError
        The file is missing, is no file, is empty, has no rows below its header,
        is not UTF-8, lacks a column or has it twice, has rows of another
        width than its header, or holds a column that is not text.
    """
    faults = Faults(str(path))
    file_fault(path, faults)
    faults.raise_if_any()
    wanted = list(dict.fromkeys(columns))
    found = _read_parquet(path, wanted, faults) if is_parquet(path) else _read_csv(path, wanted, faults)
    faults.raise_if_any()
    if len(next(iter(found.values()))) == 0:
        faults.add("no rows", "has a header but no rows", "give the file's rows")
    faults.raise_if_any()
    return TextColumns(path=path, columns=found)


def file_fault(path: Path, faults: Faults) -> None:
    """Note whatever keeps `path` from being opened: missing, a folder, empty, not readable."""
    where = str(path)
    try:
        if path.is_dir():
            faults.add("no file", "is a folder, not a file", "name the file itself", file=where)
        elif path.stat().st_size == 0:
            faults.add("empty file", "is empty", "give the file's rows", file=where)
        else:
            path.open("rb").close()
    except FileNotFoundError:
        faults.add("missing file", "does not exist", "correct the path or put the file there", file=where)
    except OSError as error:
        reason = error.strerror or "unknown reason"
        faults.add("unreadable file", f"cannot be opened ({reason})", "make the file readable", file=where)


def is_parquet(path: Path) -> bool:
    """Whether the file begins as Parquet does; its name does not count."""
    with path.open("rb") as file:
        return file.read(4) == b"PAR1"


def encoding_fault(path: Path) -> tuple[str, int | None] | None:
    """What is wrong with a text file's encoding and on which line, or nothing where it is UTF-8.

    Windows-1252 and UTF-16 are recognised and named: UTF-16 by its
    byte-order mark or by zero bytes, Windows-1252 by bytes that are text there
    but not in UTF-8.
    """
    with path.open("rb") as file:
        head = file.read(4096)
    for signature, what in SIGNATURES:
        if head.startswith(signature):
            return f"is {what}, not CSV", None
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in head:
        return "is encoded as UTF-16, not as UTF-8", None
    return _first_bad_byte(path)


def _first_bad_byte(path: Path) -> tuple[str, int] | None:
    decoder = codecs.getincrementaldecoder("utf-8")()
    line = 1
    with path.open("rb") as file:
        while True:
            chunk = file.read(CHUNK_BYTES)
            try:
                decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                # The decoder's buffer may carry up to three bytes of the chunk before; none of them ends a line.
                line += error.object[: error.start].count(b"\n")
                return (f"is not UTF-8 (it looks like {_likely_encoding(error.object[error.start :])})", line)
            if not chunk:
                return None
            line += chunk.count(b"\n")


def _likely_encoding(sample: bytes) -> str:
    try:
        sample.decode("cp1252")
    except UnicodeDecodeError:
        return "no encoding known here"
    return "Windows-1252"


def _read_csv(path: Path, wanted: list[str], faults: Faults) -> dict[str, pa.ChunkedArray]:
    bad = encoding_fault(path)
    if bad is not None:
        faults.add("wrong encoding", bad[0], "save it as CSV in UTF-8", row=bad[1])
        return {}
    header, lines = _csv_header(path)
    if not header:
        faults.add("empty file", "holds no header and no rows", "give the file's rows")
        return {}
    positions = _find_columns(header, wanted, faults)
    if faults.found:
        return {}
    table = _parse_csv(path, header, lines, sorted(set(positions.values())), faults)
    return {} if table is None else {name: table.column(str(at)) for name, at in positions.items()}


def _parse_csv(path: Path, header: list[str], lines: int, positions: list[int], faults: Faults) -> pa.Table | None:
    bad: list[int] = []

    def keep_out(row: pcsv.InvalidRow) -> str:
        bad.append(row.actual_columns)
        return "skip"

    # Columns go by their position, so that a header with one name twice can be read.
    read = pcsv.ReadOptions(column_names=[str(i) for i in range(len(header))], skip_rows=lines, block_size=CHUNK_BYTES)
    parse = pcsv.ParseOptions(newlines_in_values=True, invalid_row_handler=keep_out)
    names = [str(at) for at in positions]
    types = {name: pa.string() for name in names}
    convert = pcsv.ConvertOptions(include_columns=names, column_types=types, strings_can_be_null=False)
    try:
        table = pcsv.read_csv(path, read_options=read, parse_options=parse, convert_options=convert)
    except pa.ArrowInvalid as error:
        if "Empty CSV" in str(error):
            return pa.table({name: pa.chunked_array([], pa.string()) for name in names})
        # Arrow's own words may quote the row, so they are not passed on.
        faults.add("broken CSV", "cannot be read as CSV", "check its quotes and commas and write it again")
        return None
    if bad:
        _tell_ragged_rows(path, len(header), faults)
    return table


def _tell_ragged_rows(path: Path, width: int, faults: Faults) -> None:
    for line, cells in _csv_records(path):
        if cells != width:
            found = f"has {cells} cells where the header has {width}"
            faults.add("ragged row", found, "give the row one cell per column, with quotes around commas", row=line)


def _csv_header(path: Path) -> tuple[list[str], int]:
    """The first record and the number of lines down to its end."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file)
        for record in reader:
            if record:
                return record, reader.line_num
    return [], 0


def _csv_records(path: Path) -> Iterator[tuple[int, int]]:
    """The line on which each record begins and its number of cells; empty lines are passed over."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file)
        before = 0
        for record in reader:
            if record:
                yield before + 1, len(record)
            before = reader.line_num


def _find_columns(header: list[str], wanted: list[str], faults: Faults) -> dict[str, int]:
    positions: dict[str, int] = {}
    for name in wanted:
        times = header.count(name)
        if times == 1:
            positions[name] = header.index(name)
        elif times:
            faults.add("repeated column", f"stands {times} times in the header", "name each column once", column=name)
        else:
            listed = ", ".join(f"'{column}'" for column in header[:30])
            faults.add("missing column", f"not in the file, which has {listed}", "name a column it has", column=name)
    return positions


def _read_parquet(path: Path, wanted: list[str], faults: Faults) -> dict[str, pa.ChunkedArray]:
    try:
        schema = pq.read_schema(path)
        _find_columns(schema.names, wanted, faults)
        for name in wanted:
            if schema.names.count(name) == 1 and not _is_text(schema.field(name).type):
                found = f"holds {schema.field(name).type}, not text"
                faults.add("not text", found, "write codes as text, so that none loses its zeros", column=name)
        table = None if faults.found else pq.read_table(path, columns=wanted)
    except (pa.ArrowInvalid, OSError, InputError):
        faults.add("broken Parquet", "cannot be read as Parquet", "write the file again")
        return {}
    if table is None:
        return {}
    return {name: pc.fill_null(table.column(name).cast(pa.string()), "") for name in wanted}


def _is_text(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))
