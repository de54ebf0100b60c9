"""The file of a batch: one row a person, of which the column of references alone is looked at.

A reference is compared as it stands, without blanks around it.  No message repeats
one, nor anything else of the file but the name of the column that was asked for.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from claimants.files import Layout, read_layout
from common.faults import Faults

__all__ = ["Batch", "read_batch"]

MOST_FAULTS = 1000


@dataclass(frozen=True, kw_only=True)
class Batch:
    """The different references of a batch, sorted, and how many rows repeat one that was there before."""

    references: tuple[str, ...]
    repeated: int

    def __repr__(self) -> str:
        return f"Batch({len(self.references)} people)"


def read_batch(path: Path, *, column: str = "person_reference") -> Batch:
    """Read the references of a batch, CSV (UTF-8) or Parquet by the ending of its name.

    Raises
    ------
    InputError
        The file is missing, empty, neither format, lacks the column or has it twice;
        rows that cannot be told apart, or without a reference; every fault is told.
    """
    faults = Faults(str(path))
    if not path.is_file():
        faults.add("missing file", "no file of a batch is here", "name a CSV or Parquet file")
    faults.raise_if_any()
    form = "parquet" if path.suffix.lower() == ".parquet" else "csv"
    layout = _layout(path, form, faults)
    if layout is not None:
        times = layout.columns.count(column)
        if times == 0:
            faults.add("missing column", "the column is missing", "name it with --column", column=column)
        elif times > 1:
            faults.add("column twice", "the column stands there twice", "rename one of them", column=column)
    faults.raise_if_any()
    assert layout is not None
    if form == "csv":
        found = list(_csv_references(path, layout.columns.index(column), len(layout.columns), faults))
    else:
        found = list(_parquet_references(path, column, faults))
    if not found and not faults.found:
        faults.add("empty file", "the batch has no rows", "write one row a person")
    faults.raise_if_any()
    different = sorted(set(found))
    return Batch(references=tuple(different), repeated=len(found) - len(different))


def _layout(path: Path, form: str, faults: Faults) -> Layout | None:
    try:
        return read_layout(path, form, "utf-8", ",", faults)
    except csv.Error:
        faults.add("quoting", "the header cannot be told apart", "close the quotation marks of the field", row=1)
        return None


def _csv_references(path: Path, at: int, width: int, faults: Faults) -> Iterator[str]:
    """The reference of each row; lines without anything are passed over, as the engine does."""
    row = 1
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            next(reader)
            row = reader.line_num + 1
            for fields in reader:
                if fields and len(fields) != width:
                    found = f"{len(fields)} fields where the header has {width}"
                    faults.add("width", found, "write the row again, text in quotation marks", row=row)
                elif fields:
                    yield from _told(fields[at], row, faults)
                if len(faults.found) >= MOST_FAULTS:
                    return
                row = reader.line_num + 1
    except UnicodeDecodeError:
        faults.add("encoding", "bytes that are not UTF-8", "save it as UTF-8")
    except (csv.Error, StopIteration):
        faults.add("quoting", "the row cannot be told apart", "close the quotation marks of the field", row=row)
    except OSError as error:
        faults.add("unreadable file", f"cannot be read ({error.strerror})", "allow reading it")


def _parquet_references(path: Path, column: str, faults: Faults) -> Iterator[str]:
    row = 0
    try:
        with pq.ParquetFile(path) as file:
            type_ = file.schema_arrow.field(column).type
            value = type_.value_type if pa.types.is_dictionary(type_) else type_
            if not (pa.types.is_integer(value) or _is_text(value)):
                found = "the column holds neither text nor whole numbers"
                faults.add("column type", found, "write references as text", column=column)
                return
            for batch in file.iter_batches(columns=[column]):
                batch.validate(full=True)
                for one in batch.column(0).to_pylist():
                    row += 1
                    yield from _told("" if one is None else str(one), row, faults)
                    if len(faults.found) >= MOST_FAULTS:
                        return
    except (pa.ArrowException, OSError, ValueError):
        faults.add("damaged Parquet", "the file is damaged", "write it again")


def _is_text(type_: pa.DataType) -> bool:
    return bool(pa.types.is_string(type_) or pa.types.is_large_string(type_) or pa.types.is_string_view(type_))


def _told(text: str, row: int, faults: Faults) -> Iterator[str]:
    reference = text.strip(" ")
    if reference:
        yield reference
    else:
        faults.add("blank", "the person reference is blank", "leave the row out, or write the reference", row=row)
