"""Ptables as files: the form of the ptable package and tau-ARGUS, and the form of the Office for National Statistics.

==============  ===============================================  =================================================
form            columns                                          as
==============  ===============================================  =================================================
``ptable``      i; j; p; v; p_int_lb; p_int_ub (; type)          one row per true count i and noise v = j - i, its
                                                                 probability and where it ends in [0, 1]
``tau-argus``   i; j; p; v; p_int_ub                             the same without lower bounds
``ons``         pcv, ckey, pvalue                                one row per pcv 1 … 750 and cell key 0 … M - 1
==============  ===============================================  =================================================

The first two separate columns by ``;`` as the package's export does (a comma is
read too), the third by ``,``.  Which form a file has is told by its header.  A
ptable holds no counts, so messages may repeat what they find; but the ptable is
as secret as D is: these files stay with the key.
"""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pcsv

from common.faults import Faults, InputError
from geography.textcolumns import encoding_fault, file_fault
from sdc.cellkey.ptable import ONS_LAST, ONS_REUSE, KeyTable, PTable, in_keys, rows_of

__all__ = ["FORMS", "read_ptable", "write_ptable"]

FORMS = ("ptable", "tau-argus", "ons")
ONS_COLUMNS = ("pcv", "ckey", "pvalue")
DIGITS = 8
# Files hold probabilities to 8 digits.
ROUNDED = 2e-7
MOST_NOISE, MOST_ROWS = 1000, 10_000


@dataclass(frozen=True, kw_only=True, eq=False)
class _Rows:
    """Columns of a ptable file as numbers, and the line each row stands on."""

    columns: dict[str, np.ndarray]
    lines: np.ndarray


def read_ptable(path: Path, *, key_range: int | None = None) -> PTable | KeyTable:
    """A ptable from a file of any of the three forms.

    Parameters
    ----------
    key_range : M of the record keys it is to serve; checked where the file itself
        is made for keys (``ons``).

    Raises
    ------
    InputError
        The file cannot be read or is no ptable for counts: a row is missing or
        twice, a row's probabilities are negative or do not add up to 1, a noise is
        no whole number, takes a count below 0 or moves a zero, or its keys are not
        those asked for.  All faults are told at once.
    """
    faults = Faults(str(path))
    file_fault(path, faults)
    faults.raise_if_any()
    wrong = encoding_fault(path)
    if wrong is not None:
        faults.add("wrong encoding", wrong[0], "save it as CSV in UTF-8", row=wrong[1])
    faults.raise_if_any()
    with path.open(encoding="utf-8-sig", newline="") as file:
        first = file.readline()
        delimiter = ";" if ";" in first else ","
        header = [name.strip() for name in next(csv.reader([first], delimiter=delimiter), [])]
        reader = csv.reader(file, delimiter=delimiter)
        if set(ONS_COLUMNS) <= set(header):
            rows = _at_once(path, delimiter) or _numbers(reader, header, ONS_COLUMNS, (), faults)
            return _key_table(rows, key_range, faults)
        if {"i", "v", "p"} <= set(header):
            return _ptable(_read_intervals(reader, header, faults), faults)
    found = "its columns are neither those of the ptable package nor those of the ONS"
    faults.add("no ptable", found, "give i;j;p;v;p_int_lb;p_int_ub or pcv,ckey,pvalue", row=1)
    raise InputError(faults.found)


def write_ptable(ptable: PTable | KeyTable, path: Path, *, form: str = "ptable", key_range: int = 256) -> None:
    """Write a ptable in one of `FORMS`, overwriting `path`.

    Parameters
    ----------
    key_range : M of the form ``ons``, where the ptable is not made for keys itself.

    Raises
    ------
    ValueError
        The form is none, or asks for probabilities that a table of keys does not have.
    """
    if form not in FORMS:
        raise ValueError(f"form ({form}) must be one of {', '.join(FORMS)}")
    if form == "ons":
        lines = _ons_lines(ptable if isinstance(ptable, KeyTable) else in_keys(ptable, key_range))
    elif isinstance(ptable, KeyTable):
        raise ValueError(f"form ({form}) must be ons for a ptable that is made for keys")
    else:
        lines = _interval_lines(ptable, with_lower=form == "ptable")
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(f"{line}\n" for line in lines)


# --- Writing --------------------------------------------------------------------------------------


def _interval_lines(ptable: PTable, *, with_lower: bool) -> Iterator[str]:
    """Bounds are rounded first and probabilities are their differences, so that the file agrees with itself."""
    upper = np.round(ptable.upper, DIGITS)
    first = np.diff(ptable.rows, prepend=-1) > 0
    lower = np.where(first, 0.0, np.concatenate([[0.0], upper[:-1]]))
    yield "i;j;p;v;p_int_lb;p_int_ub" if with_lower else "i;j;p;v;p_int_ub"
    for i, v, low, high in zip(ptable.rows, ptable.noise, lower, upper, strict=True):
        bounds = f"{low:.{DIGITS}f};{high:.{DIGITS}f}" if with_lower else f"{high:.{DIGITS}f}"
        yield f"{i};{i + v};{high - low:.{DIGITS}f};{v};{bounds}"


def _ons_lines(table: KeyTable) -> Iterator[str]:
    yield "pcv,ckey,pvalue"
    rows = rows_of(table, np.arange(1, ONS_LAST + 1))
    for pcv, noise in enumerate(table.noise[rows].tolist(), start=1):
        yield from (f"{pcv},{ckey},{value}" for ckey, value in enumerate(noise))


# --- Reading --------------------------------------------------------------------------------------


def _at_once(path: Path, delimiter: str) -> _Rows | None:
    """The columns of an ONS file that is in order, of some millions of rows; None leaves it to the reader that finds faults."""
    options = pcsv.ConvertOptions(
        column_types=dict.fromkeys(ONS_COLUMNS, pa.int64()),
        include_columns=list(ONS_COLUMNS),
        strings_can_be_null=False,
    )
    try:
        table = pcsv.read_csv(path, parse_options=pcsv.ParseOptions(delimiter=delimiter), convert_options=options)
    except (pa.ArrowException, KeyError):
        return None
    if not table.num_rows or any(column.null_count for column in table.columns):
        return None
    columns = {name: np.asarray(table.column(name).to_numpy()) for name in ONS_COLUMNS}
    return _Rows(columns=columns, lines=np.arange(2, table.num_rows + 2))


def _numbers(
    reader: Iterable[list[str]], header: list[str], whole: tuple[str, ...], broken: tuple[str, ...], faults: Faults
) -> _Rows:
    """The wanted columns as numbers: int64 for `whole`, float64 for `broken`; a fault for each that is none."""
    places = {name: header.index(name) for name in (*whole, *broken)}
    texts: dict[str, list[str]] = {name: [] for name in places}
    stands: list[int] = []
    for line, record in enumerate(reader, start=2):
        if not any(record):
            continue
        if len(record) != len(header):
            mend = "give every row the header's columns"
            faults.add("width", f"{len(record)} columns, the header has {len(header)}", mend, row=line)
            continue
        stands.append(line)
        for name, place in places.items():
            texts[name].append(record[place].strip())
    if not stands:
        faults.add("no rows", "has a header but no rows", "give the ptable's rows")
    faults.raise_if_any()
    lines = np.array(stands)
    columns = {name: _column(name, texts[name], lines, faults, whole=name in whole) for name in places}
    faults.raise_if_any()
    return _Rows(columns=columns, lines=lines)


def _column(name: str, texts: list[str], lines: np.ndarray, faults: Faults, *, whole: bool) -> np.ndarray:
    values, index = np.unique(np.array(texts), return_inverse=True)
    numbers = np.array([_number(text) for text in values.tolist()])
    good = np.isfinite(numbers) & (not whole or (numbers == np.round(numbers)) & (np.abs(numbers) < 1 << 40))
    for at in np.flatnonzero(~good[index]):
        what = "a whole number" if whole else "a number"
        faults.add("no number", f"'{texts[at][:40]}'", f"give {what}", row=int(lines[at]), column=name)
    kept = np.where(good, numbers, 0.0)
    return (kept.astype(np.int64) if whole else kept)[index]


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


def _read_intervals(reader: Iterable[list[str]], header: list[str], faults: Faults) -> _Rows:
    optional = tuple(name for name in ("p_int_lb", "p_int_ub") if name in header)
    if "type" in header:
        reader = list(_only_counts(reader, header.index("type"), faults))
        faults.raise_if_any()
    with_target = ("j",) if "j" in header else ()
    return _numbers(reader, header, ("i", "v", *with_target), ("p", *optional), faults)


def _only_counts(reader: Iterable[list[str]], at: int, faults: Faults) -> Iterator[list[str]]:
    for line, record in enumerate(reader, start=2):
        if len(record) > at and record[at].strip() not in ("all", ""):
            found = f"type '{record[at].strip()[:40]}': a ptable for amounts"
            faults.add("type", found, "give a ptable for counts, of type all", row=line, column="type")
        yield record


def _ptable(rows: _Rows, faults: Faults) -> PTable:
    i, v, p = rows.columns["i"], rows.columns["v"], rows.columns["p"]
    _tell(rows, (i < 0) | (i > MOST_ROWS), f"i outside 0 to {MOST_ROWS:,}", "correct the row", "i", faults)
    faults.raise_if_any()
    if "j" in rows.columns:
        _tell(rows, rows.columns["j"] != i + v, "j is not i + v", "correct the row", "j", faults)
    _tell(rows, p < -ROUNDED, "a negative probability", "give 0 or more", "p", faults)
    _tell_noise(rows, i, v, "v", faults)
    _tell(rows, np.diff(i, prepend=i[0]) < 0, "rows are not in the order of i", "sort the file by i", "i", faults)
    _tell_gaps(i, "i", 1, faults)
    faults.raise_if_any()
    if i[0] > 0:
        # A file may leave out that zeros are kept.
        rows = _with_zero(rows)
        i, v, p = rows.columns["i"], rows.columns["v"], rows.columns["p"]
    first = np.diff(i, prepend=-1) > 0
    upper = _cumulated(p, first)
    ends = np.flatnonzero(np.append(first[1:], True))
    # As many roundings as the row has entries.
    off = np.abs(upper[ends] - 1) > ROUNDED * np.diff(np.append(-1, ends))
    wrong = np.zeros(len(i), np.bool_)
    wrong[ends[off]] = True
    _tell(rows, wrong, "probabilities of the row do not add up to 1", "correct them", "p", faults)
    if "p_int_ub" in rows.columns:
        told = rows.columns["p_int_ub"]
        far = np.abs(told - upper) > ROUNDED * (np.arange(len(i)) + 2)
        _tell(rows, far, "p_int_ub is not the sum of p so far", "sort each row as it is cumulated", "p_int_ub", faults)
        upper = told.copy()
    faults.raise_if_any()
    upper[ends] = 1.0
    return PTable(rows=i, noise=v, upper=np.minimum(upper, 1.0))


def _with_zero(rows: _Rows) -> _Rows:
    start = {"p": 1.0, "p_int_ub": 1.0}
    columns = {name: np.append(start.get(name, 0), each).astype(each.dtype) for name, each in rows.columns.items()}
    return _Rows(columns=columns, lines=np.append(rows.lines[0], rows.lines))


def _key_table(rows: _Rows, key_range: int | None, faults: Faults) -> KeyTable:
    pcv, ckey, noise = (rows.columns[name] for name in ("pcv", "ckey", "pvalue"))
    _tell(rows, (pcv < 0) | (pcv > ONS_LAST), f"pcv outside 0 to {ONS_LAST}", "leave the row out", "pcv", faults)
    _tell(rows, (ckey < 0) | (ckey >= 1 << 16), "a cell key outside 0 to 65,535", "correct the row", "ckey", faults)
    _tell_noise(rows, pcv, noise, "pvalue", faults)
    _tell_gaps(pcv[pcv > 0], "pcv", 1, faults)
    faults.raise_if_any()
    keys = int(ckey.max()) + 1
    if key_range is not None and keys != key_range:
        found = f"stops at ckey {keys - 1}, record keys run to {key_range - 1}"
        faults.add("key range", found, "regenerate the ptable or the keys", column="ckey")
    if int(pcv.max()) != ONS_LAST:
        found = (
            f"pcv stops at {int(pcv.max())}: counts above {ONS_LAST} use rows {ONS_LAST - ONS_REUSE + 1} to {ONS_LAST}"
        )
        faults.add("missing row", found, f"give rows up to pcv {ONS_LAST}", column="pcv")
    faults.raise_if_any()
    place = pcv * keys + ckey
    times = np.bincount(place, minlength=(ONS_LAST + 1) * keys).reshape(-1, keys)
    order = np.argsort(place, kind="stable")
    again = np.zeros(len(place), np.bool_)
    again[order[1:]] = place[order][1:] == place[order][:-1]
    _tell(rows, again, "the same pcv and ckey once more", "give every pair one row", "ckey", faults)
    for row, key in np.argwhere(times[1:] == 0):
        faults.add("missing row", f"pcv {row + 1} has no row for ckey {key}", "regenerate the ptable", column="ckey")
    faults.raise_if_any()
    table = np.zeros(((ONS_LAST + 1) * keys), np.int16)
    table[place] = noise
    return KeyTable(noise=table.reshape(-1, keys), reuse=ONS_REUSE)


def _tell_noise(rows: _Rows, counts: np.ndarray, noise: np.ndarray, column: str, faults: Faults) -> None:
    mend = "regenerate the ptable"
    _tell(rows, counts + noise < 0, "takes a count below 0", mend, column, faults)
    _tell(rows, (counts == 0) & (noise != 0), "moves a zero, which is kept here", mend, column, faults)
    _tell(rows, np.abs(noise) > MOST_NOISE, f"a noise beyond {MOST_NOISE}", mend, column, faults)


def _tell_gaps(found: np.ndarray, column: str, first: int, faults: Faults) -> None:
    for row in np.setdiff1d(np.arange(first, int(found.max(initial=first)) + 1), found):
        faults.add("missing row", f"no row for {column} {row}", "regenerate the ptable", column=column)


def _tell(rows: _Rows, wrong: np.ndarray, found: str, mend: str, column: str, faults: Faults) -> None:
    for at in np.flatnonzero(wrong):
        faults.add(found, found, mend, row=int(rows.lines[at]), column=column)


def _cumulated(p: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Running sums that start afresh where `first` is True."""
    starts = np.flatnonzero(first)
    return np.concatenate([np.cumsum(part) for part in np.split(p, starts[1:])])
