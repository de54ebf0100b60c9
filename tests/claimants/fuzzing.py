"""A fuzzer of extracts: good claims that carry canaries, and random damage to them; one seed, one case, always the same.

Canaries are values of people that nobody ever writes by accident: names, references, National
Insurance numbers, postcodes, dates of birth and notes.  `told_canaries` finds them in whatever is
said, whole or in part (a flipped byte breaks a name, and what is left of it is a name still).
"""

import csv
import datetime as dt
import decimal
import io
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from geography.postcodes import Postcodes

AREAS = np.array(["E00000001", "E00000002", "E00000003"])
POSTCODES = Postcodes(postcodes=np.array(["QZ74XJ", "QZ85XW", "ZX19QV"]), area=np.array([0, 1, 2], dtype=np.int32))
DAY = dt.date(2026, 5, 31)

SURNAMES = ("Vrzkowick", "Xhoqueville", "O'Wqyzer", "Jaxqvist", "Zwickéfjord")
FORENAMES = ("Qwyllabeth", "Bzorkina", "Xavqo Jr", "Fjzorah")
BIRTHS = ("1937-08-23", "1964-11-07", "1989-02-28", "2003-07-19", "2031-01-09", "", "12/31/1971")
HOMES = ("QZ7 4XJ", "qz85xw", "ZX1 9QV", "XQ3 7ZJ", "")
COLUMNS = (
    "person_reference", "national_insurance_number", "surname", "forename", "birth_date", "sex", "postcode",
    "benefit", "claim_start", "claim_end", "notes",
)  # fmt: skip
NEEDED = ("person_reference", "benefit", "claim_start", "claim_end", "postcode")
NASTY = (
    "", " ", "\t", "\0", '"', '""', "'", ",", ";", "\n", "\r\n", "\r", "\ufeff", "\u200b", "\u202e", "NULL", "nan", "\\N", "\\",
    "'; DROP TABLE claims; --", "=1+1", "{value}", "%s", "%(a)d", "\x1a", "\x7f", "😀", "ß", "e\u0301", "0", "-1", "1e309",
    "0000-00-00", "0000-01-01", "9999-12-31", "10000-01-01", "2026-02-30", "31/05/2026", "2026-05-31T00:00", " 2026-01-01 ",
    "UC", "JSA", "deleted", "01/01/1901", "M",
)  # fmt: skip
LINE_ENDS = ("\n", "\r\n", "\r")

PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}

Table = list[list[str]]


@dataclass(kw_only=True)
class Case:
    """A damaged extract: its folder, how it is declared, and what was done to it.

    `gentle` spares the header, the width of rows and the bytes, so that most such files can be read.
    `whole` says that no byte was touched after the file was written, so that what was written can be relied on.
    """

    folder: Path
    seed: int
    form: str
    gentle: bool
    declared: dict[str, str] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)
    whole: bool = True


def good_table(random: Random, rows: int) -> Table:
    """A header and rows of claims, some of which end in buckets other than `counted`."""
    table = [list(COLUMNS)]
    for _ in range(rows):
        number = random.randrange(rows)
        start = DAY - dt.timedelta(days=random.randrange(-20, 900))
        table.append(
            [
                f"REF7Q{number:03d}KX",
                f"QQ{730000 + number * 37}C",
                random.choice(SURNAMES) if random.random() > 0.05 else "DELETED",
                random.choice(FORENAMES),
                random.choice(BIRTHS),
                random.choice("FMfmU"),
                random.choice(HOMES),
                random.choice(("UC", "JSA", "uc ", "PIP", "ESA", "Wqzpenzov")),
                start.isoformat(),
                random.choice(("", "", "2026-05-31", "2026-12-24", "2021-01-01")),
                f'xqnote{number} wants, "zqwork"\nnear zqhome' if random.random() < 0.2 else f"xqnote{number}",
            ]
        )
    return table


def _place(random: Random, table: Table) -> tuple[int, int]:
    row = random.randrange(1, len(table)) if len(table) > 1 else 0
    return row, random.randrange(max(len(table[row]), 1))


def _swap_cells(random: Random, table: Table) -> None:
    (one, left), (other, right) = _place(random, table), _place(random, table)
    table[one][left], table[other][right] = table[other][right], table[one][left]


def _blank_cell(random: Random, table: Table) -> None:
    row, column = _place(random, table)
    table[row][column] = ""


def _nasty_cell(random: Random, table: Table) -> None:
    row, column = _place(random, table)
    table[row][column] = random.choice(("", table[row][column])) + random.choice(NASTY)


def _long_cell(random: Random, table: Table) -> None:
    row, column = _place(random, table)
    table[row][column] = "Vrzkowick" * random.choice((100, 2_000))


def _nasty_column(random: Random, table: Table) -> None:
    _, column = _place(random, table)
    text = random.choice(NASTY)
    for row in table[1:]:
        row[column : column + 1] = [text]


def _drop_column(random: Random, table: Table) -> None:
    _, column = _place(random, table)
    for row in table:
        del row[column : column + 1]


def _double_column(random: Random, table: Table) -> None:
    _, column = _place(random, table)
    for row in table:
        row.append(row[column] if column < len(row) else "")


def _rename_column(random: Random, table: Table) -> None:
    column = random.randrange(len(table[0]))
    old = table[0][column]
    table[0][column] = random.choice((old.upper(), f" {old} ", old + "_1", "Vrzkowick", random.choice(NASTY), old[:-1]))


def _swap_columns(random: Random, table: Table) -> None:
    one, other = random.randrange(len(table[0])), random.randrange(len(table[0]))
    table[0][one], table[0][other] = table[0][other], table[0][one]


def _drop_header(random: Random, table: Table) -> None:
    del table[0]


def _double_row(random: Random, table: Table) -> None:
    row = random.randrange(len(table))
    table.insert(random.randrange(1, len(table) + 1), list(table[row]))


def _short_row(random: Random, table: Table) -> None:
    row, column = _place(random, table)
    del table[row][column]


def _long_row(random: Random, table: Table) -> None:
    table[random.randrange(len(table))].append(random.choice(("", "Vrzkowick")))


def _empty_row(random: Random, table: Table) -> None:
    table.insert(random.randrange(len(table) + 1), [])


OF_TABLES: tuple[Callable[[Random, Table], None], ...] = (
    _swap_cells, _blank_cell, _nasty_cell, _nasty_cell, _nasty_cell, _long_cell, _nasty_column, _drop_column, _double_column,
    _rename_column, _swap_columns, _drop_header, _double_row, _short_row, _long_row, _empty_row,
)  # fmt: skip
GENTLE = (_swap_cells, _blank_cell, _nasty_cell, _nasty_cell, _nasty_cell, _long_cell, _double_row)


def _flip(random: Random, content: bytearray) -> None:
    for _ in range(random.choice((1, 1, 3, 30))):
        content[random.randrange(len(content))] ^= 1 << random.randrange(8)


def _insert(random: Random, content: bytearray) -> None:
    place = random.randrange(len(content) + 1)
    content[place:place] = random.choice(
        (b"\0", b'"', b"\n", b"\r", b"\xff", b",", b"\xef\xbb\xbf", random.randbytes(9))
    )


def _cut_out(random: Random, content: bytearray) -> None:
    place = random.randrange(len(content))
    del content[place : place + random.choice((1, 2, 40, 400))]


def _cut_short(random: Random, content: bytearray) -> None:
    del content[random.randrange(len(content)) :]


def _repeat(random: Random, content: bytearray) -> None:
    place = random.randrange(len(content))
    content[place:place] = content[place : place + random.randrange(1, 300)]


def _wipe(random: Random, content: bytearray) -> None:
    place = random.randrange(len(content))
    part = content[place : place + random.randrange(1, 60)]
    content[place : place + len(part)] = bytes(len(part))


def _mark_first(random: Random, content: bytearray) -> None:
    content[:0] = random.choice((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\n", b"\r\n", b"PAR1", b" "))


def _mix_encodings(random: Random, content: bytearray) -> None:
    place = random.randrange(len(content))
    content[place:] = content[place:].decode("latin-1").encode(random.choice(("utf-8", "utf-16", "utf-16-le")))


OF_BYTES: tuple[Callable[[Random, bytearray], None], ...] = (
    _flip, _flip, _insert, _insert, _cut_out, _cut_short, _repeat, _wipe, _mark_first, _mix_encodings,
)  # fmt: skip

TYPES: tuple[pa.DataType, ...] = (
    pa.int32(), pa.int64(), pa.uint64(), pa.float64(), pa.bool_(), pa.binary(), pa.large_string(), pa.null(), pa.date32(),
    pa.date64(), pa.timestamp("s"), pa.timestamp("us"), pa.timestamp("ns"), pa.timestamp("us", tz="Vrzkowick"), pa.time64("us"),
    pa.duration("us"), pa.decimal128(9, 2), pa.list_(pa.string()), pa.struct([("Vrzkowick", pa.string())]), pa.binary(4),
    pa.dictionary(pa.int32(), pa.string()), pa.dictionary(pa.int8(), pa.int64()), pa.map_(pa.string(), pa.string()),
)  # fmt: skip


def _made(random: Random, type_: pa.DataType, rows: int) -> pa.Array:
    """A column of a type, with values far out in it."""
    wide = random.choice((2**31 - 1, -(2**31), 739_000, 20_000, 0, -719_163, -719_162, 2_932_896, 2_932_897))
    if pa.types.is_date32(type_):
        return pa.array([wide] * rows, pa.int32()).cast(type_)
    if pa.types.is_date64(type_):
        return pa.array([wide * 86_400_000] * rows, pa.int64()).cast(type_)
    if pa.types.is_timestamp(type_):
        # As far as every unit reaches: nanoseconds end in the year 2262.
        days = wide if type_.unit in ("s", "us") and abs(wide) < 10_000_000 else wide % 100_000
        return pa.array([days * 86_400 * PER_SECOND[type_.unit]] * rows, pa.int64()).cast(type_)
    one: dict[str, object] = {
        "bool": True, "double": 1.5, "time64": dt.time(7), "duration": dt.timedelta(7), "decimal128": decimal.Decimal("7.5"),
        "list": ["Vrzkowick"], "struct": {"Vrzkowick": "Qwyllabeth"}, "map": [("Vrzkowick", "Qwyllabeth")], "null": None,
        "binary": b"Vrzkowick", "fixed_size_binary": b"Vrzk", "large_string": "Vrzkowick",
    }  # fmt: skip
    name = str(type_).split("[")[0].split("(")[0].split("<")[0]
    if name == "dictionary":
        plain = pa.array(["UC"] * rows) if pa.types.is_string(type_.value_type) else pa.array([7] * rows)
        return plain.dictionary_encode().cast(type_)
    return pa.array([one.get(name, 7)] * rows, type_)


def make_case(seed: int, folder: Path) -> Case:
    """Write the extract of a seed into a folder, which must be empty."""
    random = Random(seed)
    form = "parquet" if random.random() < 0.35 else "csv"
    case = Case(folder=folder, seed=seed, form=form, gentle=random.random() < 0.5)
    for number in range(random.choice((1, 1, 1, 2, 3))):
        table = good_table(random, random.randrange(1, 40))
        path = folder / f"{number}.{form}"
        content = bytearray(_parquet(random, case, table) if form == "parquet" else _csv(random, case, table))
        if not case.gentle and random.random() < 0.5:
            case.whole = False
            for _ in range(random.choice((1, 1, 2, 5))):
                damage = random.choice(OF_BYTES)
                if content:
                    damage(random, content)
                    case.done.append(damage.__name__)
        path.write_bytes(bytes(content))
    return case


def _damaged(random: Random, case: Case, table: Table, most: int) -> None:
    kinds = GENTLE if case.gentle else OF_TABLES
    for _ in range(random.randrange(most)):
        damage = random.choice(kinds)
        if table and all(row for row in table):
            damage(random, table)
            case.done.append(damage.__name__)


def _csv(random: Random, case: Case, table: Table) -> bytes:
    _damaged(random, case, table, 5)
    delimiter = random.choice(",,,,;\t|")
    if case.gentle or random.random() < 0.9:
        case.declared.setdefault("delimiter", delimiter)
        delimiter = case.declared["delimiter"]
    end = random.choice(LINE_ENDS)
    out = io.StringIO(newline="")
    writer = csv.writer(
        out,
        delimiter=delimiter,
        lineterminator=end,
        quoting=random.choice((csv.QUOTE_MINIMAL, csv.QUOTE_MINIMAL, csv.QUOTE_ALL)),
    )
    writer.writerows(table)
    text = out.getvalue()
    if not case.gentle and random.random() < 0.05:
        case.done.append("line ends mixed")
        place = random.randrange(len(text) + 1)
        text = text[:place] + text[place:].replace(end, random.choice(LINE_ENDS))
    if random.random() < 0.05:
        text = text.removesuffix(end)
    encoding = random.choice(("utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16", "latin-1", "cp1252"))
    if case.gentle or random.random() < 0.9:
        case.declared.setdefault("encoding", {"utf-8-sig": "utf-8", "cp1252": "windows-1252"}.get(encoding, encoding))
        encoding = case.declared["encoding"].replace("windows-1252", "cp1252")
    return text.encode(encoding, "replace")


def _parquet(random: Random, case: Case, table: Table) -> bytes:
    _damaged(random, case, table, 3)
    width = max((len(row) for row in table), default=0)
    rows = [row + [""] * (width - len(row)) for row in table]
    names = rows[0] if rows else []
    arrays = [pa.array([row[place] or None for row in rows[1:]], pa.string()) for place in range(width)]
    for _ in range(random.choice((0, 0, 1)) if case.gentle else 1):
        place, type_ = random.randrange(max(width, 1)), random.choice(TYPES)
        if place < width:
            arrays[place] = _made(random, type_, len(rows) - 1)
            case.done.append(f"{names[place]!r} as {type_}")
    out = io.BytesIO()
    pq.write_table(
        pa.Table.from_arrays(arrays, names=names),
        out,
        row_group_size=random.choice((1, 7, 1000)),
        compression=random.choice(("none", "snappy", "zstd")),
        use_dictionary=random.random() < 0.5,
        data_page_version=random.choice(("1.0", "2.0")),
    )
    return out.getvalue()


def slow_reading(case: Case) -> pd.DataFrame | None:
    """The claims of all files as text, by a slow and strict reader; None where it cannot tell for certain what they are."""
    if case.form == "parquet" and not case.whole:
        return None
    read = _slow_parquet if case.form == "parquet" else lambda path: _slow_csv(path, case)
    frames = [read(path) for path in sorted(case.folder.iterdir())]
    found = [frame for frame in frames if frame is not None]
    return pd.concat(found, ignore_index=True) if len(found) == len(frames) else None


def _slow_csv(path: Path, case: Case) -> pd.DataFrame | None:
    encoding = case.declared.get("encoding", "utf-8").replace("windows-1252", "latin-1")
    try:
        text = path.read_bytes().decode(encoding).removeprefix("\ufeff")
    except UnicodeError:
        return None
    rows = slow_rows(text, case.declared.get("delimiter", ","))
    if not rows or {len(row) for row in rows} != {len(rows[0])}:
        return None
    return _framed([name.strip() for name in rows[0]], rows[1:])


def _framed(names: list[str], rows: list[list[str]]) -> pd.DataFrame | None:
    known = [name for name in names if name in COLUMNS]
    if len(set(known)) < len(known) or not set(NEEDED) <= set(known):
        return None
    return pd.DataFrame([dict(zip(names, row, strict=True)) for row in rows], columns=names, dtype=object)[known]


def slow_rows(text: str, delimiter: str) -> list[list[str]] | None:
    """Rows of a CSV text sign by sign; None where a quotation mark or a line end stands where it should not."""
    rows: list[list[str]] = []
    fields, value, state, ends, place = list[str](), list[str](), "start", set[str](), 0
    while place <= len(text):
        sign = text[place : place + 1]
        if state == "quoted":
            if sign == "":
                return None
            if sign == '"' and text[place + 1 : place + 2] == '"':
                value.append(sign)
                place += 1
            elif sign == '"':
                state = "closed"
            else:
                value.append(sign)
        elif sign == delimiter:
            fields.append("".join(value))
            value, state = [], "start"
        elif sign in ("", "\n", "\r"):
            if sign == "\r" and text[place + 1 : place + 2] == "\n":
                sign, place = "\r\n", place + 1
            ends |= {sign} - {""}
            if fields or value or state == "closed":
                rows.append([*fields, "".join(value)])
            elif not rows and sign:
                return None
            fields, value, state = [], [], "start"
        elif state == "closed":
            return None
        elif sign == '"' and not "".join(value[:9]).strip():
            if value:
                return None
            state = "quoted"
        else:
            value.append(sign)
            state = "plain"
        place += 1
    return rows if len(ends) <= 1 else None


def _slow_parquet(path: Path) -> pd.DataFrame | None:
    with pq.ParquetFile(path) as file:
        table = file.read()
    lower = [name.lower() for name in table.column_names]
    if len(set(lower)) < len(lower):
        return None
    columns = {name: _slow_texts(table.column(name)) for name in table.column_names if name in COLUMNS}
    if not set(NEEDED) <= set(columns) or None in columns.values():
        return None
    return pd.DataFrame(columns, dtype=object)


def _slow_texts(column: pa.ChunkedArray) -> list[str | None] | None:
    type_ = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if pa.types.is_date(type_) or pa.types.is_timestamp(type_):
        return [
            _slow_day(value, type_)
            for value in column.cast(pa.int32() if type_ == pa.date32() else pa.int64()).to_pylist()
        ]
    return [None if value is None else str(value) for value in column.to_pylist()]


def _slow_day(value: int | None, type_: pa.DataType) -> str | None:
    if value is None:
        return None
    a_day = {"date32[day]": 1, "date64[ms]": 86_400_000}.get(str(type_))
    a_day = a_day or PER_SECOND[type_.unit] * 86_400
    days = value // a_day + dt.date(1970, 1, 1).toordinal()
    return dt.date.fromordinal(days).isoformat() if 1 <= days <= dt.date.max.toordinal() else "no date of the calendar"


def _pieces(text: str) -> set[str]:
    return {text[start : start + 5] for start in range(len(text) - 4)}


PIECES = set().union(
    *(
        _pieces(text.lower())
        for text in (*SURNAMES, *FORENAMES, "REF7Q", "QQ73", "Wqzpenzov", "xqnote", "zqwork", "zqhome")
    ),
    *(_pieces(home.lower()) for home in HOMES),
    {home.lower().replace(" ", "") for home in HOMES if home},
    {birth for birth in BIRTHS if birth},
)


def told_canaries(text: str) -> list[str]:
    """Pieces of canaries that stand in a text."""
    lower = text.lower()
    return sorted(piece for piece in PIECES if piece in lower)
