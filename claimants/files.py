"""The files of an extract: finding them, and what each says of its columns.

Messages name files, rows and columns that were asked for.  They never repeat
anything else that a file holds: the first line of a file without a header is a
person's record.
"""

import codecs
import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from common.faults import Faults

__all__ = ["ENCODINGS", "FORMATS", "Layout", "diagnose_csv", "diagnose_parquet", "find_files", "read_layout"]

FORMATS = ("csv", "parquet")
# Name in the spec → name for Python and for DuckDB. Windows-1252 and Latin-1 differ in
# signs that no rule of ours looks at, and DuckDB knows only the latter.
ENCODINGS = {
    "utf-8": ("utf-8-sig", "utf-8"),
    "utf-16": ("utf-16", "utf-16"),
    "windows-1252": ("cp1252", "latin-1"),
    "latin-1": ("latin-1", "latin-1"),
}
SAMPLE_BYTES = 1 << 20
MOST_FAULTS = 1000


@dataclass(frozen=True, kw_only=True)
class Layout:
    """What a file says of itself: its columns, for Parquet their types and the number of rows."""

    path: Path
    columns: tuple[str, ...]
    types: tuple[pa.DataType, ...] = ()
    rows: int | None = None


def find_files(paths: Sequence[Path], form: str | None, faults: Faults) -> tuple[list[Path], str]:
    """All files that paths, folders and patterns stand for, sorted, each once, and their format."""
    found: set[Path] = set()
    for path in paths:
        matches = list(_matches(path, form))
        if not matches:
            mend = "name a CSV or Parquet file, a folder of them, or a pattern that matches some"
            faults.add("missing file", "no file of claims is here", mend, file=str(path))
        found.update(match.resolve() for match in matches)
    endings = {path.suffix.lower() for path in found}
    if form is None:
        if len(endings & {".csv", ".parquet"}) > 1:
            faults.add("format", "CSV and Parquet files are mixed", "name the format, or files of one format")
        form = "parquet" if endings == {".parquet"} else "csv"
    return sorted(found), form


def _matches(path: Path, form: str | None) -> Iterator[Path]:
    endings = {f".{name}" for name in FORMATS if form in (None, name)}
    if path.is_file():
        yield path
    elif path.is_dir():
        for file in path.iterdir():
            if file.is_file() and file.suffix.lower() in endings and not file.name.startswith("."):
                yield file
    elif any(sign in path.name for sign in "*?["):
        yield from (file for file in path.parent.glob(path.name) if file.is_file())


def read_layout(path: Path, form: str, encoding: str, delimiter: str, faults: Faults) -> Layout | None:
    """Columns of one file, or None after noting why they cannot be read."""
    try:
        if path.stat().st_size == 0:
            faults.add("empty file", "the file is empty", "write the extract again", file=str(path))
            return None
        if form == "parquet":
            return _parquet_layout(path)
        return _csv_layout(path, encoding, delimiter, faults)
    except OSError as error:
        faults.add("unreadable file", f"cannot be read ({error.strerror})", "allow reading it", file=str(path))
    except (pa.ArrowException, ValueError):
        faults.add("not Parquet", "is not a Parquet file, or is damaged", "write the extract again", file=str(path))
    return None


def _parquet_layout(path: Path) -> Layout:
    with pq.ParquetFile(path) as file:
        schema = file.schema_arrow
        return Layout(
            path=path, columns=tuple(schema.names), types=tuple(schema.types), rows=int(file.metadata.num_rows)
        )


def _csv_layout(path: Path, encoding: str, delimiter: str, faults: Faults) -> Layout | None:
    with path.open("rb") as file:
        sample = file.read(SAMPLE_BYTES)
        whole = len(sample) < SAMPLE_BYTES
    if encoding != "utf-16" and (sample[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) or b"\0" in sample[:200]):
        mend = "save it as UTF-8, or declare the encoding utf-16"
        faults.add("encoding", "the file is encoded in UTF-16, or is no text", mend, file=str(path))
        return None
    decoder = codecs.getincrementaldecoder(ENCODINGS[encoding][0])()
    try:
        text = decoder.decode(sample, final=whole)
    except UnicodeDecodeError as error:
        row = error.object[: error.start].count(b"\n") + 1
        _add_encoding_fault(path, row, encoding, faults)
        return None
    header = next(csv.reader(io.StringIO(text), delimiter=delimiter), [])
    return Layout(path=path, columns=tuple(name.strip() for name in header))


def _add_encoding_fault(path: Path, row: int, encoding: str, faults: Faults) -> None:
    found = f"bytes that are not {encoding}" + (", likely Windows-1252" if encoding == "utf-8" else "")
    faults.add("encoding", found, "save it as UTF-8, or declare its encoding", file=str(path), row=row)


def diagnose_csv(path: Path, columns: int, encoding: str, delimiter: str, faults: Faults) -> None:
    """Note every row that keeps a CSV file from being read: slow, for use after the engine refused it."""
    if encoding == "utf-8":
        with path.open("rb") as file:
            for row, line in enumerate(file, start=1):
                try:
                    line.decode("utf-8")
                except UnicodeDecodeError:
                    _add_encoding_fault(path, row, encoding, faults)
                    return
    for row, width in _row_widths(path, encoding, delimiter):
        if width is None:
            mend = "close the quotation marks of the field"
            faults.add("quoting", "the row cannot be told apart", mend, file=str(path), row=row)
        elif width not in (0, columns):
            found = f"{width} fields where the header has {columns}"
            faults.add("width", found, "write the row again, text in quotation marks", file=str(path), row=row)
        if len(faults.found) >= MOST_FAULTS:
            return


def _row_widths(path: Path, encoding: str, delimiter: str) -> Iterator[tuple[int, int | None]]:
    with path.open(encoding=ENCODINGS[encoding][0], errors="replace", newline="") as file:
        reader = csv.reader(file, delimiter=delimiter, strict=True)
        row = 1
        try:
            for fields in reader:
                yield row, len(fields)
                row = reader.line_num + 1
        except csv.Error:
            yield row, None


def diagnose_parquet(path: Path, columns: Sequence[str], faults: Faults) -> None:
    """Note a Parquet file whose needed columns cannot be read whole."""
    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(columns=list(columns)):
                batch.validate(full=True)
    except (pa.ArrowException, OSError, ValueError):
        faults.add("damaged Parquet", "the file is damaged", "write the extract again", file=str(path))
