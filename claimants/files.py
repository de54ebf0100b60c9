"""The files of an extract: finding them, and what each says of its columns.

Messages name files, rows and columns that were asked for.  They never repeat
anything else that a file holds: the first line of a file without a header is a
person's record.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from claimants.csvfiles import read_header
from common.faults import Faults

__all__ = ["FORMATS", "Layout", "diagnose_parquet", "find_files", "read_layout"]

FORMATS = ("csv", "parquet")


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
        try:
            matches = list(_matches(path, form))
        except OSError as error:
            found_there = f"cannot be looked for ({error.strerror})"
            faults.add("unreadable file", found_there, "name it correctly and allow reading it", file=str(path))
            continue
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
    elif any(sign in path.name for sign in "*?[") and "**" not in path.name:
        yield from (file for file in path.parent.glob(path.name) if file.is_file())


def read_layout(path: Path, form: str, encoding: str, delimiter: str, faults: Faults) -> Layout | None:
    """Columns of one file, or None after noting why they cannot be read."""
    try:
        if path.stat().st_size == 0:
            faults.add("empty file", "the file is empty", "write the extract again", file=str(path))
            return None
        if form == "parquet":
            return _parquet_layout(path)
        columns = read_header(path, encoding, delimiter, faults)
        return None if columns is None else Layout(path=path, columns=columns)
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


def diagnose_parquet(path: Path, columns: Sequence[str], faults: Faults) -> None:
    """Note a Parquet file whose needed columns cannot be read whole."""
    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(columns=list(columns)):
                batch.validate(full=True)
    except (pa.ArrowException, OSError, ValueError):
        faults.add("damaged Parquet", "the file is damaged", "write the extract again", file=str(path))
