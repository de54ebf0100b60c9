"""Both engines read alike and answer alike: judged by the slow and obvious reference, and by each other."""

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path

import claimreference as reference
import ibis
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from claimhelpers import DAY, claims
from enginecases import (
    KEYS,
    ODD,
    ODD_STARTS,
    STARTS,
    cells_and_keys,
    count_with,
    every_character,
    expected,
    random_extracts,
)
from sparkneeds import need_spark

from claimants import sparkengine
from claimants.dates import as_date
from claimants.engine import CsvForm, Engine, EngineRefusal, connect, fetch, guarded, keep_table
from claimants.places import locate
from claimants.recordkeys import keep_secret, key_of_person, with_record_keys
from claimants.text import as_code, code_of, trimmed
from common.faults import InputError

pytestmark = pytest.mark.slow

COUNTS = [
    ("claims", ("benefit", "age_band", "sex", "duration_band"), True, "inclusive", "csv"),
    ("claims", (), True, "exclusive", "parquet"),
    ("people", ("age_band", "sex"), True, "exclusive", "parquet"),
    ("people", ("sex", "client_group"), True, "inclusive", "csv"),
    ("people", ("client_group", "benefit_combination"), False, "inclusive", "parquet"),
    ("claims beside people", ("benefit", "duration_band"), False, "exclusive", "csv"),
]


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """One Spark for the whole module: it takes some ten seconds to start.  Counts find it running and use it."""
    need_spark()
    with connect(engine="spark", spill=tmp_path_factory.mktemp("spark"), memory="1GB", threads=2) as engine:
        yield engine


@pytest.fixture(scope="module")
def duckdb() -> Iterator[Engine]:
    with connect(spill=None, threads=2) as engine:
        yield engine


@pytest.fixture(scope="module")
def engines(duckdb: Engine, spark: Engine) -> tuple[Engine, Engine]:
    return duckdb, spark


def both(engines: tuple[Engine, Engine], ask: Callable[[Engine], pa.Table]) -> list[list[dict[str, object]]]:
    """What each engine answers, rows in one order."""
    return [sorted(ask(engine).to_pylist(), key=repr) for engine in engines]


# --- Counts -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("counted", "by", "keyed", "end", "form"), COUNTS)
def test_random_extracts_are_counted_as_by_the_reference(
    spark: Engine, tmp_path: Path, counted: str, by: tuple[str, ...], keyed: bool, end: str, form: str
) -> None:
    frame = random_extracts(many=20, rows=60, seed=len(by) + (form == "csv"))
    extract = tmp_path / "extract"
    extract.mkdir()
    # Two files, the second with its columns in another order.
    halves = (frame.iloc[:500], frame.iloc[500:][frame.columns[::-1]])
    for name, half in zip(("one", "two"), halves, strict=True):
        if form == "csv":
            half.to_csv(extract / f"{name}.csv", index=False)
        else:
            table = pa.Table.from_pandas(half.astype("string"), preserve_index=False)
            pq.write_table(table, extract / f"{name}.parquet")
    cells, keys, buckets = expected(frame, counted=counted, by=by, end=end)
    assert sum(cells.values()) > 50 and len(buckets) >= 7
    for engine in ("duckdb", "spark"):
        found = count_with(engine, extract, tmp_path / "spill", counted=counted, by=by, keyed=keyed, end=end)
        counts, sums = cells_and_keys(found)
        assert counts == cells, engine
        assert not keyed or sums == keys, engine
        assert {bucket: rows for bucket, rows in found.buckets.items() if rows} == buckets, engine
        assert found.rows_read == len(frame), engine


# --- Words -------------------------------------------------------------------------------------------


def test_every_character_is_compared_alike(engines: tuple[Engine, Engine]) -> None:
    rows = every_character()
    answers = []
    for engine in engines:
        texts = keep_table(engine, "characters", rows)
        text = texts.text
        found = fetch(engine, texts.select(texts.row, code=as_code(text), letters=text.length()))
        answers.append(found.sort_by("row").to_pydict())
    python = [code_of(text) for text in rows.column("text").to_pylist()]
    assert answers[0]["code"] == python
    # Private letters stand for others in Spark; in no code list is one of them.
    private = [row for row, text in enumerate(python) if any("\U0010fe00" <= sign < "\U0010ff00" for sign in text)]
    assert [code for row, code in enumerate(answers[1]["code"]) if row not in private] == [
        code for row, code in enumerate(python) if row not in private
    ]
    assert answers[0]["letters"] == answers[1]["letters"] == [len(text) for text in rows.column("text").to_pylist()]


def test_blanks_around_are_taken_off_alike(engines: tuple[Engine, Engine]) -> None:
    signs = [chr(code) for code in [*range(1, 0x250), *range(0x1600, 0x1700), *range(0x2000, 0x2100), 0x3000, 0xFEFF]]
    texts = pa.table({"text": [f"{sign}x{sign}" for sign in signs] + [f" {sign}x {sign} " for sign in signs]})

    def ask(engine: Engine) -> pa.Table:
        rows = keep_table(engine, "blanks", texts)
        return fetch(engine, rows.select(rows.text, code=as_code(rows.text), value=trimmed(rows.text)))

    first, second = both(engines, ask)
    assert first == second
    assert all(row["code"] == code_of(str(row["text"])) for row in first)
    assert all(row["value"] == str(row["text"]).strip(" ") for row in first)


def test_dates_are_read_alike(engines: tuple[Engine, Engine]) -> None:
    odd = [f"{year}-{month}-{day}" for year in ("2024", "2100", "0001", "9999", " 026", "\t026")
           for month in ("02", "12", "13", "2 ") for day in ("28", "29", "30", "31", "1 ", "1T", "1Z", "1\t", "00")]  # fmt: skip
    given = [*STARTS, *filter(None, ODD_STARTS), *odd]
    table = pa.table({"iso": given, "day_first": ["/".join(reversed(text.split("-"))) for text in given]})

    def ask(engine: Engine) -> pa.Table:
        rows = keep_table(engine, "dates", table)
        other = as_date(rows.day_first, "day-first")[0]
        days = ibis.literal(DAY).delta(as_date(rows.iso, "iso")[0], unit="day")
        return fetch(engine, rows.select(rows.iso, date=as_date(rows.iso, "iso")[0], other=other, days=days))

    first, second = both(engines, ask)
    assert first == second
    assert [row["date"] for row in first] == [reference.date(row["iso"]) for row in first]
    told = [row for row in first if row["date"] is not None]
    assert len(told) > 20
    assert all(row["days"] == (DAY - row["date"]).days for row in told)  # type: ignore[operator]
    stripped = [row for row in told if row["iso"] == str(row["iso"]).strip()]
    assert all(row["other"] == row["date"] for row in stripped)


def test_postcodes_are_matched_alike(engines: tuple[Engine, Engine]) -> None:
    from claimhelpers import AREAS, POSTCODES

    gaps = "\t\n\v\f\r \u00a0\u2007\u202f\u0085\u1680\u2009\u200b\u3000\ufeff"
    texts = [f"{gap}cc3{gap}{gap}3cC{gap}" for gap in gaps]
    texts += [*filter(None, ODD["postcode"]), "AA1\\s1AA", "[AA11AA]", ""]

    def ask(engine: Engine) -> pa.Table:
        rows = keep_table(engine, "texts", pa.table({"place": texts}))
        return fetch(engine, locate(engine, rows, AREAS, POSTCODES))

    first, second = both(engines, ask)
    assert first == second
    assert sum(row["area"] == 2 for row in first) > 9


def test_record_keys_of_odd_references_are_those_of_the_formula(engines: tuple[Engine, Engine]) -> None:
    persons = [*filter(None, ODD["benefit"]), "漢字", "𐐀𐐀", "👩‍🔬", "e\u0301", "é", "\u00a0", "1", "-1", "x" * 300]

    def ask(engine: Engine) -> pa.Table:
        rows = keep_table(engine, "referred", pa.table({"person": [*persons, None]}))
        return fetch(engine, with_record_keys(rows, keep_secret(engine, KEYS), KEYS.key_range))

    first, second = both(engines, ask)
    assert first == second
    assert all(row["record_key"] == (row["person"] and key_of_person(row["person"], KEYS)) for row in first)


def test_the_key_is_in_no_plan(spark: Engine, tmp_path: Path) -> None:
    path = tmp_path / "claims.parquet"
    pq.write_table(pa.table({"person": ["Canary", "A"], "cell": [1, 2]}), path)
    rows = spark.read_parquet([path], {"person": pa.string(), "cell": pa.int64()})
    keyed = with_record_keys(rows, keep_secret_again(spark), KEYS.key_range)
    query = keyed.group_by("cell").aggregate(ckey=keyed.record_key.sum())
    session = spark.backend._session
    plans = []
    for adaptive in ("true", "false"):
        session.conf.set("spark.sql.adaptive.enabled", adaptive)
        told = session.sql(spark.backend.compile(query))._jdf.queryExecution()
        explain = session._jvm.PythonSQLUtils.explainString
        plans += [explain(told, mode) for mode in ("extended", "formatted", "codegen", "cost")]
    session.conf.set("spark.sql.adaptive.enabled", "true")
    assert sum("sha2" in plan for plan in plans) >= 6
    assert any("BroadcastNestedLoopJoin" in plan and "public Object generate" in plan for plan in plans)
    assert not [part for at in range(0, 64, 12) for plan in plans if (part := KEYS.secret[at : at + 12]) in plan]
    assert not [plan for plan in plans if "Canary" in plan]


def keep_secret_again(engine: Engine) -> ibis.Table:
    """The table that `keep_secret` keeps; a connection keeps it once, and tests share theirs."""
    try:
        return keep_secret(engine, KEYS)
    except RuntimeError:
        return engine.backend.table("record_key_secret")


# --- Files -------------------------------------------------------------------------------------------

PLAIN = CsvForm(encoding="utf-8", delimiter=",")
CSV_FILES: dict[str, tuple[bytes, CsvForm]] = {
    "plain": (b"a,b,c\n1,2,3\n4,5,6\n", PLAIN),
    "no line end at the end": (b"a,b,c\n1,2,3\n4,5,6", PLAIN),
    "carriage returns": (b"a,b,c\r\n1,2,3\r\n4,5,6\r\n", PLAIN),
    "byte order mark": (b"\xef\xbb\xbfa,b,c\n1,2,3\n", PLAIN),
    "byte order mark and quotes": (b'\xef\xbb\xbf"a","b","c"\n1,2,3\n', PLAIN),
    "empty fields": (b'a,b,c\n,,\n"","",""\n1,"",\n , \t,x\n', PLAIN),
    "blank lines": (b"a,b,c\n\n1,2,3\n\n\n4,5,6\n\n", PLAIN),
    "quotes": (b'a,b,c\n"1,1","2""2","3\n3"\n"""",\'x\',x"y\n', PLAIN),
    "quoted line ends": (b'a,b,c\n"1\r\n1","2\n\n2","3"\n', PLAIN),
    "spaces are kept": (b'a,b,c\n 1 ,\t2\t,3 \n', PLAIN),
    "no comments": (b"a,b,c\n#1,2,3\n//4,5,6\n\\,\\n,\\\"\n", PLAIN),
    "words for nothing": (b"a,b,c\nnull,NULL,NA\nNaN,None,\\N\n", PLAIN),
    "numbers as text": (b"a,b,c\n007,1e5,0x10\n+1,-0,1_000\n", PLAIN),
    "semicolons": (b"a;b;c\n1,1;2;3\n", CsvForm(encoding="utf-8", delimiter=";")),
    "tabs": (b"a\tb\tc\n1\t2\t3\n", CsvForm(encoding="utf-8", delimiter="\t")),
    "bars": (b"a|b|c\n1|2|3\n", CsvForm(encoding="utf-8", delimiter="|")),
    "carets": (b"a^b^c\n1^2^3\n", CsvForm(encoding="utf-8", delimiter="^")),
    "backslashes": (b"a\\b\\c\n1\\2\\3\n", CsvForm(encoding="utf-8", delimiter="\\")),
    "latin-1": ("a,b,c\né,ß,\u00a0\n".encode("latin-1"), CsvForm(encoding="latin-1", delimiter=",")),
    "utf-16": ("a,b,c\né,漢,3\n".encode("utf-16"), CsvForm(encoding="utf-16", delimiter=",")),
    "letters of two in utf-16": ("a,b,c\n1,2,👩\n".encode("utf-16"), CsvForm(encoding="utf-16", delimiter=",")),
    "many kinds of letters": ("a,b,c\né,漢,👩‍🔬\n".encode(), PLAIN),
    "next line and line separator": ("a,b,c\n1\u0085,2\u2028,3\n".encode(), PLAIN),
    "too short": (b"a,b,c\n1,2,3\n4,5\n", PLAIN),
    "too long": (b"a,b,c\n1,2,3\n4,5,6,7\n", PLAIN),
    "never closed": (b'a,b,c\n1,2,3\n4,5,"6\n', PLAIN),
    "never closed before others": (b'a,b,c\n1,"2,3\n4,5,6\n', PLAIN),
    "text behind a quotation": (b'a,b,c\n"1"x,2,3\n', PLAIN),
    "bytes of another encoding": (b"a,b,c\n1,\xe9,3\n", PLAIN),
    "only a header": (b"a,b,c\n", PLAIN),
}  # fmt: skip
REFUSED = {
    "letters of two in utf-16",
    "too short",
    "too long",
    "never closed",
    "never closed before others",
    "text behind a quotation",
    "bytes of another encoding",
}


def read_rows(engine: Engine, path: Path, form: CsvForm) -> list[dict[str, object]] | str:
    try:
        table, number = guarded(lambda: engine.read_csv([path], 3, form, [0, 1, 2]))
        rows = fetch(engine, table.select("c0", "c1", "c2")).to_pylist()
    except EngineRefusal:
        return "refused"
    assert number in (None, len(rows))
    return sorted(rows, key=repr)


@pytest.mark.parametrize("name", CSV_FILES)
def test_csv_files_are_read_alike(engines: tuple[Engine, Engine], tmp_path: Path, name: str) -> None:
    content, form = CSV_FILES[name]
    path = tmp_path / "claims.csv"
    path.write_bytes(content)
    first, second = (read_rows(engine, path, form) for engine in engines)
    assert first == second
    assert (first == "refused") == (name in REFUSED)


def test_spark_itself_holds_rows_to_their_width(spark: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sparkengine.Spark, "_judge", lambda *_: None)
    for name in ("too short", "too long", "never closed before others", "text behind a quotation"):
        path = tmp_path / "claims.csv"
        path.write_bytes(CSV_FILES[name][0])
        assert read_rows(spark, path, PLAIN) == "refused", name


def test_a_refused_extract_is_explained_alike_and_no_value_is_told(spark: Engine, tmp_path: Path) -> None:
    path = tmp_path / "claims.csv"
    claims({}, {}).to_csv(path, index=False)
    with path.open("a") as file:
        file.write("Canaryson,too,short\n")
    said = []
    for engine in ("duckdb", "spark"):
        with pytest.raises(InputError) as caught:
            count_with(engine, path, tmp_path / "spill", counted="claims", by=(), keyed=False)
        assert caught.value.__cause__ is None and caught.value.__context__ is None
        said.append(str(caught.value))
    assert said[0] == said[1]
    assert "row 4: 3 fields where the header has 10" in said[0]
    assert "Canary" not in said[0]


def test_names_of_files_are_no_patterns(engines: tuple[Engine, Engine], tmp_path: Path) -> None:
    folder = tmp_path / "sex=F" / "a b%20#{x,y}"
    folder.mkdir(parents=True)
    names = ["[a]*?.csv", "{a,b}.csv", "ü é.csv", "a+b&c.csv", "100%.csv"]
    for number, name in enumerate((*names, "decoy.csv", "a.csv", "ab.csv")):
        (folder / name).write_text(f"a,b,c\n{number},2,3\n")
    found = []
    for engine in engines:
        table, _ = engine.read_csv([folder / name for name in names], 3, PLAIN, [0])
        found.append(sorted(fetch(engine, table.select("c0")).column("c0").to_pylist()))
    assert found[0] == found[1] == ["0", "1", "2", "3", "4"]


@pytest.mark.parametrize("name", ["_claims.csv", "_claims.parquet", "new:claims.csv"])
def test_a_file_that_spark_would_not_read_is_refused(spark: Engine, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name.endswith("csv"):
        claims({}).to_csv(path, index=False)
    else:
        pq.write_table(pa.Table.from_pandas(claims({})), path)
    with pytest.raises(InputError, match=r"Spark (passes over|cannot read)"):
        count_with("spark", path, tmp_path / "spill", counted="claims", by=(), keyed=False)


# --- Parquet ------------------------------------------------------------------------------------------

DAYS = [dt.date.fromisoformat(day) for day in ("2026-01-10", "1582-10-04", "1582-10-10", "0001-01-01", "9999-12-31")]
TIMES = [
    dt.datetime(1999, 12, 31, 23, 59, 59, 999999),
    dt.datetime(1969, 12, 31, 0, 0, 0, 1),
    dt.datetime(1850, 6, 1, 12),
    dt.datetime(2026, 3, 29, 1, 30),
    None,
]
TEXTS = ["a", "", None, "é", "007"]
INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")


def times(unit: str, zone: str | None = None) -> pa.Array:
    return pa.array(TIMES, pa.timestamp("us")).cast(pa.timestamp(unit, zone), safe=False)


COLUMNS: dict[str, pa.Array] = {
    "string": pa.array(TEXTS, pa.string()),
    "large string": pa.array(TEXTS, pa.large_string()),
    "dictionary": pa.array(TEXTS, pa.string()).dictionary_encode(),
    "dictionary of numbers": pa.array([1, 2, None, 1], pa.int32()).dictionary_encode(),
    "null": pa.nulls(4),
    "date32": pa.array([*DAYS, None], pa.date32()),
    "date64": pa.array([*DAYS, None], pa.date64()),
    **{f"times in {unit}": times(unit) for unit in ("s", "ms", "us", "ns")},
    **{f"times in {unit} of utc": times(unit, "UTC") for unit in ("ms", "us", "ns")},
    "times of London": times("us", "Europe/London"),
    **{name: pa.array([0, 1, 100, None], name) for name in INTEGERS},
    "large int64": pa.array([2**63 - 1, -(2**63), 0], pa.int64()),
    "large uint64": pa.array([2**64 - 1, 2**63], pa.uint64()),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_parquet_columns_are_read_alike(engines: tuple[Engine, Engine], tmp_path: Path, name: str) -> None:
    column = COLUMNS[name]
    odd = pa.array([dt.time(1, 2, 3)] * len(column))
    table = pa.table({"Odd.`name": column, "odd.`name": pa.nulls(len(column), pa.string()), "not read": odd})
    path = tmp_path / "claims.parquet"
    pq.write_table(table.drop_columns("odd.`name"), path)

    def ask(engine: Engine) -> pa.Table:
        read = engine.read_parquet([path], {"Odd.`name": pq.read_schema(path).field(0).type})["Odd.`name"]
        if read.type().is_date() or read.type().is_timestamp():
            return fetch(engine, as_date(read, "iso")[0].name("date").as_table())
        return fetch(engine, read.cast("string").name("text").as_table())

    first, second = ([tuple(row.values()) for row in rows] for rows in both(engines, ask))
    assert first == second
    assert len(first) == len(column)


def test_timestamps_of_96_bits_are_read_alike(engines: tuple[Engine, Engine], tmp_path: Path) -> None:
    path = tmp_path / "claims.parquet"
    pq.write_table(pa.table({"t": pa.array(TIMES, pa.timestamp("us"))}), path, use_deprecated_int96_timestamps=True)
    type_ = pq.read_schema(path).field(0).type

    def ask(engine: Engine) -> pa.Table:
        return fetch(engine, engine.read_parquet([path], {"t": type_}).t.date().name("d").as_table())

    first, second = both(engines, ask)
    assert first == second
    assert {row["d"] for row in first} == {time and time.date() for time in TIMES}


def test_a_damaged_parquet_file_is_refused(spark: Engine, tmp_path: Path) -> None:
    path = tmp_path / "claims.parquet"
    pq.write_table(pa.Table.from_pandas(pd.concat([claims({})] * 3000)), path)
    content = bytearray(path.read_bytes())
    content[200:4000] = b"\xff" * 3800
    path.write_bytes(bytes(content))
    with pytest.raises(InputError) as caught:
        count_with("spark", path, tmp_path / "spill", counted="claims", by=("sex",), keyed=False)
    assert "damaged" in str(caught.value)
