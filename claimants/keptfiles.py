"""Files of records that are kept: what becomes of each record, and the file without those that go.

Records are read one after another and looked at in the columns that the rules need.  What
is kept of a CSV file keeps its bytes; what is kept of a Parquet file keeps its schema.
An anonymised file is written from nothing but how often each row of what is left occurs,
in order of the text, so that neither place nor order of a record survives.

Nothing here knows folders: it is given open files, and gives rows to where it is told.
"""

import csv
import datetime as dt
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from claimants.retention import Anonymising, Fate, Record, RetentionPolicy, fate_of
from common.faults import Fault, InputError

__all__ = ["FileForm", "Looked", "anonymise_file", "header_of", "look_at", "rewrite_file"]

BATCH = 50_000
FIRST_ROWS = 5
ISO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
COARSE = {"year": re.compile(r"[0-9]{4}"), "month": re.compile(r"[0-9]{4}-[0-9]{2}")}
NO_HOLD = {"", "n", "no", "0", "false", "none"}


@dataclass(frozen=True, kw_only=True)
class FileForm:
    """How a file of records is written.

    Attributes
    ----------
    name : what messages call the file.
    form : "csv" or "parquet".
    columns : field of the dictionary → column of the file, where they differ.
    hold : column that says whether a fraud hold lies on a record; blank for none.
    dates : "iso" (YYYY-MM-DD) or "day-first" (DD/MM/YYYY).
    """

    name: str
    form: str
    columns: Mapping[str, str] = field(default_factory=dict)
    hold: str = ""
    dates: str = "iso"
    delimiter: str = ","

    def column(self, name: str) -> str:
        """The column that holds a field."""
        return self.columns.get(name, name)


@dataclass(frozen=True, kw_only=True)
class Looked:
    """What becomes of the records of a file.

    Attributes
    ----------
    fates : how many records have each fate.
    requests : person → fates of their records (only persons asked for who have any).
    unreadable : the first rows whose end of claim is no date (CSV: line of the file; Parquet: 1-based).
    """

    fates: Counter[Fate]
    requests: Mapping[str, Counter[Fate]]
    unreadable: tuple[int, ...] = ()


@dataclass(frozen=True)
class _Row:
    """One record: the values of the columns asked for, its number, and what is written to keep it."""

    number: int
    values: tuple[Any, ...]
    kept: Any


def header_of(file: IO[bytes], form: FileForm) -> tuple[str, ...]:
    """Names of the columns, in order."""
    file.seek(0)
    if form.form == "parquet":
        with _plain_faults(form):
            return tuple(pq.ParquetFile(file).schema_arrow.names)
    first = next(_csv_rows(file, form, ()), None)
    if first is None:
        raise InputError([Fault(kind="empty file", file=form.name, found="is empty", mend="write a header at least")])
    return tuple(str(value) for value in first.values)


def look_at(
    file: IO[bytes], form: FileForm, policy: RetentionPolicy, day: dt.date, persons: Collection[str] = ()
) -> Looked:
    """What becomes of each record of a file on a day.

    Raises
    ------
    InputError
        A row cannot be read: nothing of such a file is deleted.
    """
    fates: Counter[Fate] = Counter()
    requests: dict[str, Counter[Fate]] = {}
    unreadable: list[int] = []
    for row, fate, person in _judged(file, form, policy, day, persons):
        fates[fate] += 1
        if person:
            requests.setdefault(person, Counter())[fate] += 1
        if fate in (Fate.UNREADABLE, Fate.PARKED_UNREADABLE) and len(unreadable) < FIRST_ROWS:
            unreadable.append(row.number)
    return Looked(fates=fates, requests=requests, unreadable=tuple(unreadable))


def rewrite_file(
    file: IO[bytes],
    out: IO[bytes],
    form: FileForm,
    policy: RetentionPolicy,
    day: dt.date,
    persons: Collection[str] = (),
) -> None:
    """Write the file without the records that are due or removed at request; the others stay as they are."""
    header_of(file, form)
    gone = (Fate.DUE, Fate.REMOVED)
    kept = (row.kept for row, fate, _ in _judged(file, form, policy, day, persons) if fate not in gone)
    if form.form == "csv":
        file.seek(0)
        out.write(next(iter(_csv_rows(file, form, ()))).kept)
        for line in kept:
            out.write(line)
        return
    file.seek(0)
    schema = pq.ParquetFile(file).schema_arrow
    with pq.ParquetWriter(out, schema) as writer:
        for batch in _in_batches(kept):
            writer.write_table(batch.cast(schema) if batch.schema != schema else batch)


def anonymise_file(
    file: IO[bytes],
    out: IO[bytes],
    form: FileForm,
    policy: RetentionPolicy,
    day: dt.date,
    persons: Collection[str] = (),
) -> bool:
    """Write the anonymised file; whether rows that too few share were left out.

    Raises
    ------
    ValueError
        The policy does not say what is left of a record.
    """
    rules = policy.anonymising
    if rules is None:
        raise ValueError(f"policy ({policy.id}) must have [anonymise]")
    header = header_of(file, form)
    present = [name for name in rules.forms if form.column(name) in header]
    counted: Counter[tuple[str, ...]] = Counter()
    gone = (Fate.DUE, Fate.REMOVED)
    for row, fate, _ in _judged(file, form, policy, day, persons, also=[form.column(name) for name in present]):
        if fate not in gone:
            values = row.values[-len(present) :] if present else ()
            counted[tuple(_coarse(v, rules.forms[n], form.dates) for n, v in zip(present, values, strict=True))] += 1
    shared = {row: times for row, times in counted.items() if times >= rules.min_group}
    _write_shared(shared, present, out, form, rules)
    return len(shared) < len(counted)


def _write_shared(
    shared: Mapping[tuple[str, ...], int], fields: Sequence[str], out: IO[bytes], form: FileForm, rules: Anonymising
) -> None:
    rows = [row for row in sorted(shared) for _ in range(shared[row])]
    if form.form == "csv":
        out.write(_csv_line(fields))
        for row in rows:
            out.write(_csv_line(row))
        return
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(fields)
    arrays = [pa.array(list(column), pa.string()) for column in columns]
    pq.write_table(pa.Table.from_arrays(arrays, names=list(fields)), out)


def _csv_line(values: Sequence[str]) -> bytes:
    parts = [f'"{v.replace(chr(34), chr(34) * 2)}"' if any(sign in v for sign in '",\r\n') else v for v in values]
    return (",".join(parts) + "\n").encode()


def _coarse(value: Any, form: str, dates: str) -> str:
    """A value in the form that is left of it; a date that cannot be read leaves nothing."""
    if form == "as it stands":
        return "" if value is None else str(value).strip()
    if isinstance(value, str) and COARSE[form].fullmatch(value.strip()):
        return value.strip()  # so already: a copy that is anonymised again stays as it is
    date, _ = _date(value, dates)
    if date is None:
        return ""
    return f"{date.year:04}" if form == "year" else f"{date.year:04}-{date.month:02}"


# --- Reading ------------------------------------------------------------------------------------


def _judged(
    file: IO[bytes],
    form: FileForm,
    policy: RetentionPolicy,
    day: dt.date,
    persons: Collection[str],
    also: Sequence[str] = (),
) -> Iterator[tuple[_Row, Fate, str]]:
    """Every record with its fate, and the person who asked for it to go ("" for nobody)."""
    header = header_of(file, form)
    file.seek(0)
    end, person = form.column("claim_end"), form.column("person_reference")
    wanted = [name if name in header else "" for name in (end, person, form.hold)] + list(also)
    asked = frozenset(persons)
    for row in _rows(file, form, [name for name in wanted if name]):
        given = iter(row.values)
        ends, who, hold = (next(given) if name else None for name in wanted[:3])
        found, readable = _date(ends, form.dates)
        name = "" if who is None else str(who).strip()
        record = Record(
            end=found,
            readable=readable,
            hold=hold is not None and str(hold).strip().lower() not in NO_HOLD,
            requested=name in asked and bool(name),
        )
        yield row, fate_of(record, policy, day), name if record.requested else ""


def _date(value: Any, form: str) -> tuple[dt.date | None, bool]:
    """A value as a date (None where blank), and whether it could be read."""
    if value is None or isinstance(value, dt.date):
        return (value.date() if isinstance(value, dt.datetime) else value), True
    text = str(value).strip()
    if not text:
        return None, True
    if form == "day-first":
        text = f"{text[6:]}-{text[3:5]}-{text[:2]}" if text[2:3] == text[5:6] == "/" else ""
    try:  # the shape comes first because the reader takes more forms than ours
        return (dt.date.fromisoformat(text), True) if ISO.fullmatch(text) else (None, False)
    except ValueError:
        return None, False


def _rows(file: IO[bytes], form: FileForm, columns: Sequence[str]) -> Iterator[_Row]:
    if form.form == "parquet":
        yield from _parquet_rows(file, form, columns)
        return
    rows = _csv_rows(file, form, columns)
    next(rows, None)
    yield from rows


class _Lines:
    """Lines of a file, with those taken since the last look."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._taken = file, list[bytes]()
        self.number = 0

    def __iter__(self) -> Iterator[str]:
        for line in self._file:
            self.number += 1
            self._taken.append(line)
            yield line.decode("utf-8-sig" if self.number == 1 else "utf-8")

    def taken(self) -> bytes:
        """The bytes taken since the last call."""
        whole, self._taken = b"".join(self._taken), []
        return whole


def _csv_rows(file: IO[bytes], form: FileForm, columns: Sequence[str]) -> Iterator[_Row]:
    """The header with all its values first, then every record with the values of `columns`."""
    lines = _Lines(file)
    reader = csv.reader(iter(lines), delimiter=form.delimiter, strict=True)
    places: list[int] | None = None
    width, number = 0, 1
    with _plain_faults(form, lines):
        for values in reader:
            row = lines.taken()
            if places is None:
                header = [name.strip() for name in values]
                _check_once(header, columns, form)
                places, width = [header.index(name) for name in columns], len(values)
                yield _Row(1, tuple(header), row if row.endswith(b"\n") else row + b"\n")
            elif len(values) == width:
                yield _Row(
                    number, tuple(values[place] for place in places), row if row.endswith(b"\n") else row + b"\n"
                )
            elif values:
                found = f"{len(values)} fields where the header has {width}"
                mend = "write the row again, text in quotation marks; nothing is deleted from such a file"
                raise InputError([Fault(kind="width", file=form.name, row=number, found=found, mend=mend)])
            number = lines.number + 1


def _check_once(header: Sequence[str], columns: Sequence[str], form: FileForm) -> None:
    for name in columns:
        if header.count(name) != 1:
            found = "the column is missing" if name not in header else "the column stands there twice"
            fault = Fault(kind="column", file=form.name, column=name, found=found, mend="correct it, or the holdings")
            raise InputError([fault])


def _parquet_rows(file: IO[bytes], form: FileForm, columns: Sequence[str]) -> Iterator[_Row]:
    with _plain_faults(form):
        table = pq.ParquetFile(file)
        _check_once(table.schema_arrow.names, columns, form)
        number = 0
        for batch in table.iter_batches(batch_size=BATCH):
            values = [batch.column(name).to_pylist() for name in columns]
            for at in range(batch.num_rows):
                number += 1
                yield _Row(number, tuple(column[at] for column in values), (batch, at))


def _in_batches(kept: Iterator[tuple[pa.RecordBatch, int]]) -> Iterator[pa.Table]:
    """Rows of batches, given as (batch, place), as tables: one for each batch that any row is kept of."""
    batch, places = None, list[int]()
    for one, at in kept:
        if batch is not None and one is not batch:
            yield pa.Table.from_batches([batch]).take(places)
            places = []
        batch = one
        places.append(at)
    if batch is not None:
        yield pa.Table.from_batches([batch]).take(places)


class _plain_faults:
    """Turns what readers raise into faults that hold no value."""

    def __init__(self, form: FileForm, lines: _Lines | None = None) -> None:
        self._form, self._lines = form, lines

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        row = self._lines.number if self._lines else None
        found = ""
        if isinstance(error, UnicodeDecodeError):
            found, mend = "bytes that are not UTF-8", "save it as UTF-8"
        elif isinstance(error, csv.Error):
            found, mend = "the row cannot be told apart", "close the quotation marks of the field"
        elif isinstance(error, pa.ArrowException):
            found, mend = "is damaged or no Parquet", "write it again"
        if found:
            raise InputError(
                [Fault(kind="unreadable", file=self._form.name, row=row, found=found, mend=mend)]
            ) from None
