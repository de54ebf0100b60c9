"""CSV files as they lie on disk: the header, what keeps an engine from reading one, and the line of each row.

Rows are told apart by the rules that the engine goes by (RFC 4180: a field in quotation marks may
hold line ends, lines with nothing on them are no rows), in plain Python: slow, for the header
and for use after an engine has refused a file or has said which rows it could not place.
Nothing here repeats what a file holds.
"""

import codecs
import csv
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from common.faults import Faults

__all__ = ["ENCODINGS", "diagnose_csv", "lines_of_rows", "read_header"]

# Name in the spec → name for Python and for DuckDB. Windows-1252 and Latin-1 differ in
# signs that no rule of ours looks at, and DuckDB knows only the latter.
ENCODINGS = {
    "utf-8": ("utf-8-sig", "utf-8"),
    "utf-16": ("utf-16", "utf-16"),
    "windows-1252": ("cp1252", "latin-1"),
    "latin-1": ("latin-1", "latin-1"),
}
DELIMITERS = ",;\t|"
SAMPLE_BYTES = 1 << 20
MOST_FAULTS = 1000
# What the engine takes in one row, in bytes.
LONGEST_ROW = 2_000_000


@dataclass(frozen=True)
class Row:
    """A row of a CSV file: the line on which it begins (the header is line 1), its fields, how its last line ends, its bytes.

    No `width` says that the row cannot be told from what follows, because a quotation mark is not closed.
    """

    line: int
    width: int | None
    end: str
    size: int


def read_header(path: Path, encoding: str, delimiter: str, faults: Faults) -> tuple[str, ...] | None:
    """The names of the columns of a CSV file, or None after noting what is wrong with them."""
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
    except UnicodeError:
        _find_encoding_fault(path, encoding, faults)
        return None
    found = _names(text, delimiter, whole)
    if isinstance(found, tuple):
        return found
    faults.add("header", *found.split("; "), file=str(path), row=1)
    return None


def _names(text: str, delimiter: str, whole: bool) -> tuple[str, ...] | str:
    """The names at the beginning of a text, or what is wrong with them and how to mend it."""
    if text.startswith("\ufeff"):
        return "the file begins with two byte order marks; save it again with one or none"
    lines = io.StringIO(text, newline="")
    try:
        header = next(csv.reader(lines, delimiter=delimiter, strict=True), [])
    except csv.Error:
        return "the names of the columns cannot be told apart; close their quotation marks"
    if not whole and lines.tell() == len(text):
        return f"the names of the columns do not end within {SAMPLE_BYTES:,} bytes; close their quotation marks"
    if not header:
        return "the first line is empty; begin the file with the names of the columns"
    if len(header) == 1 and any(sign in header[0] for sign in DELIMITERS):
        return "with the delimiter declared there is one column; declare the delimiter that the file has"
    return tuple(name.strip() for name in header)


def diagnose_csv(path: Path, columns: int, encoding: str, delimiter: str, faults: Faults) -> None:
    """Note every row that keeps a CSV file from being read: slow, for use after the engine refused it."""
    if _find_encoding_fault(path, encoding, faults):
        return
    first: str | None = None
    for row in _rows(path, encoding, delimiter):
        told = len(faults.found)
        first = first or row.end
        if row.size > LONGEST_ROW:
            found = f"a row of more than {LONGEST_ROW:,} bytes"
            mend = "close the quotation marks of its fields, or leave long text out"
            faults.add("long row", found, mend, file=str(path), row=row.line)
        elif row.width is None:
            mend = "close the quotation marks of the field"
            faults.add("quoting", "the row cannot be told apart", mend, file=str(path), row=row.line)
        elif row.width not in (0, columns):
            found = f"{row.width} fields where the header has {columns}"
            faults.add("width", found, "write the row again, text in quotation marks", file=str(path), row=row.line)
        if row.end not in ("", first) and len(faults.found) == told:
            found = "the line ends in another way than the lines before"
            faults.add("line ends", found, "write all lines with the same line end", file=str(path), row=row.line)
            return
        if len(faults.found) >= MOST_FAULTS:
            return


def lines_of_rows(path: Path, encoding: str, delimiter: str, rows: Sequence[int], of: int) -> dict[int, int]:
    """Rows of a CSV file, counted from 1 behind the header, to the lines on which they begin.

    `of` is how many rows the file has.  Where it has as many lines, and one for the header, each row is one line.
    """
    if encoding != "utf-16" and _count_lines(path) == of + 1:
        return {row: row + 1 for row in rows}
    wanted, found = set(rows), dict[int, int]()
    number = -1
    for row in _rows(path, encoding, delimiter):
        if row.width == 0:
            continue
        number += 1
        if number in wanted:
            found[number] = row.line
            if len(found) == len(wanted):
                break
    return found


def _count_lines(path: Path) -> int:
    """How many lines a file has, by the bytes of their ends: a line feed, or a carriage return where there is none."""
    feeds = returns = 0
    last = b""
    with path.open("rb") as file:
        while chunk := file.read(SAMPLE_BYTES):
            feeds += chunk.count(b"\n")
            returns += chunk.count(b"\r")
            last = chunk[-1:]
    end = b"\n" if feeds else b"\r"
    return (feeds or returns) + (last != end)


def _find_encoding_fault(path: Path, encoding: str, faults: Faults) -> bool:
    """Whether a file holds bytes that its encoding does not have, after noting the first line that does."""
    decoder = codecs.getincrementaldecoder(ENCODINGS[encoding][0])()
    row = 1
    with path.open("rb") as file:
        while True:
            chunk = file.read(SAMPLE_BYTES)
            try:
                row += decoder.decode(chunk, final=not chunk).count("\n")
            except UnicodeError as error:
                if isinstance(error, UnicodeDecodeError):
                    before = error.object[: error.start]
                    row += before.decode(_plain(encoding, path), errors="replace").count("\n")
                found = f"bytes that are not {encoding}" + (", likely Windows-1252" if encoding == "utf-8" else "")
                mend = "save it as UTF-8, or declare its encoding"
                faults.add("encoding", found, mend, file=str(path), row=row)
                return True
            if not chunk:
                return False


def _plain(encoding: str, path: Path) -> str:
    """The encoding of bytes in the middle of a file, where no mark says which way round they are."""
    if encoding != "utf-16":
        return ENCODINGS[encoding][0]
    with path.open("rb") as file:
        return "utf-16-be" if file.read(2) == codecs.BOM_UTF16_BE else "utf-16-le"


def _rows(path: Path, encoding: str, delimiter: str) -> Iterator[Row]:
    """All rows of a CSV file and the header, in order; after one that cannot be told apart there are no more."""
    with path.open(encoding=ENCODINGS[encoding][0], errors="replace", newline="") as file, _fields_of_any_length():
        lines = _Lines(file)
        reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=delimiter != " ", strict=True)
        while True:
            lines.begin()
            try:
                fields = next(reader)
            except StopIteration:
                return
            except csv.Error:
                yield Row(lines.first, None, lines.end, lines.size)
                return
            yield Row(lines.first, len(fields), lines.end, lines.size)


class _Lines:
    """The lines of a file, remembering for the row that is being read where it began, its size and its last line's end."""

    def __init__(self, file: io.TextIOBase) -> None:
        self._file = file
        self.read = 0
        self.begin()

    def begin(self) -> None:
        self.first, self.size, self.end = self.read + 1, 0, ""

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = next(self._file)
        self.read += 1
        self.size += len(line.encode("utf-8", "replace"))
        self.end = line[len(line.rstrip("\r\n")) :]
        return line


@contextmanager
def _fields_of_any_length() -> Iterator[None]:
    limit = csv.field_size_limit((1 << 31) - 1)
    try:
        yield
    finally:
        csv.field_size_limit(limit)
