"""Spark, reached through Ibis: the engine for extracts that are read on a cluster.

Spark reads much that DuckDB refuses.  So that both take and refuse the same:

- CSV files are read through by DuckDB first.  What it refuses Spark never sees, and so never quotes
  in a log; the rows that it finds are those that Spark's answer is held to.
- Of Parquet files the types are stated and not inferred.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from claimants import duckdbengine
from claimants.engine import CsvForm, EngineRefusal
from claimants.sparksession import sockets_left_open, spark_session
from common.faults import Fault, Faults, InputError

__all__ = ["Spark", "open_spark"]

# Bytes of a kept table that each worker is given whole, so that the records need not be moved to meet it.
MOST_COPIED = 1 << 28
# Names of Spark's errors that say that the query is wrong, whatever the records.
BUGS = ("AnalysisException", "ParseException", "UnsupportedOperationException", "IllegalArgumentException")
STRICT_CSV = {
    "header": "true",
    "enforceSchema": "true",
    "quote": '"',
    "escape": '"',
    "unescapedQuoteHandling": "RAISE_ERROR",
    "multiLine": "true",
    "mode": "FAILFAST",
    # Rows are held to their width only where all of their fields are taken apart.
    "columnPruning": "false",
    "maxCharsPerColumn": "-1",
    "nullValue": "",
    "emptyValue": "",
}
# Name for DuckDB → name for Spark.
ENCODINGS = {"utf-8": "UTF-8", "utf-16": "UTF-16", "latin-1": "ISO-8859-1"}
DELIMITERS = {"\\": "\\\\"}
# Paths are files and no patterns, and the names of their folders are no columns.
PLAIN_PATHS = {"__globPaths__": "false", "recursiveFileLookup": "true"}
INTEGERS = {
    "int8": "TINYINT",
    "int16": "SMALLINT",
    "int32": "INT",
    "int64": "BIGINT",
    "uint8": "SMALLINT",
    "uint16": "INT",
    "uint32": "BIGINT",
    "uint64": "DECIMAL(20, 0)",
}


@contextmanager
def open_spark(*, spill: Path | None, memory: str, threads: int | None) -> Iterator["Spark"]:
    """Spark for one piece of work; see `claimants.engine.connect`."""
    with spark_session(spill=spill, memory=memory, threads=threads) as session:
        yield Spark(session, memory=memory, threads=threads)


class Spark:
    """The engine `spark`; see `claimants.engine.Engine`."""

    name = "spark"

    def __init__(self, session: Any, *, memory: str, threads: int | None) -> None:
        from claimants.sparkdialect import SparkBackend

        self.backend: Any = SparkBackend().connect(session)
        self._session = session
        self._memory, self._threads = memory, threads
        self._views = 0

    def read_csv(
        self, files: Sequence[Path], width: int, form: CsvForm, wanted: Sequence[int]
    ) -> tuple[Any, int | None]:
        from pyspark.sql import functions as sql

        _refuse_names(files)
        rows = self._judge(files, width, form, wanted)
        schema = ", ".join(f"c{place} STRING" for place in range(width))
        written = {"sep": DELIMITERS.get(form.delimiter, form.delimiter), "encoding": ENCODINGS[form.encoding]}
        options = STRICT_CSV | written | {"maxColumns": str(width + 1)}
        frame = self._reader(schema, options).csv(_addresses(files))
        columns = [sql.nullif(frame[f"c{place}"], sql.lit("")).alias(f"c{place}") for place in wanted]
        return self._view(frame.select(*columns)), rows

    def _judge(self, files: Sequence[Path], width: int, form: CsvForm, wanted: Sequence[int]) -> int:
        """Have DuckDB read the files by its own rules: how many rows they have."""
        with duckdbengine.open_duckdb(spill=None, memory=self._memory, threads=self._threads) as judge:
            table, _ = judge.read_csv(files, width, form, wanted)
            read = {f"c{place}": table[f"c{place}"].count() for place in wanted}
            return int(judge.fetch(table.aggregate(rows=table.count(), **read)).column("rows")[0].as_py())

    def read_parquet(self, files: Sequence[Path], columns: Mapping[str, pa.DataType]) -> Any:
        from pyspark.sql import functions as sql
        from pyspark.sql.types import StructType

        _refuse_names(files)
        types = {name: _stated(files[0], name, type_) for name, type_ in columns.items()}
        stated = ", ".join(f"{_quoted(name)} {type_}" for name, type_ in types.items() if type_ != "VOID")
        frame = self._reader(stated or StructType(), {"mergeSchema": "false"}).parquet(*_addresses(files))
        taken = []
        for name, type_ in types.items():
            if type_ == "VOID":
                column = sql.lit(None).cast("string")
            elif type_ == "BIGINT" and pa.types.is_timestamp(columns[name]):
                column = sql.expr("timestamp_micros(({0} - pmod({0}, 1000)) div 1000)".format(_quoted(name)))
            else:
                column = frame[_quoted(name)]
            taken.append(column.alias(name))
        return self._view(frame.select(*taken))

    def _reader(self, schema: Any, options: Mapping[str, str]) -> Any:
        return self._session.read.schema(schema).options(**options, **PLAIN_PATHS)

    def _view(self, frame: Any) -> Any:
        self._views += 1
        frame.createOrReplaceTempView(f"read_{self._views}")
        return self.backend.table(f"read_{self._views}")

    def keep_table(self, name: str, rows: pa.Table) -> Any:
        context = self._session.sparkContext
        encrypted = context._encryption_enabled
        # Through a socket and by no file, which is what Spark does where files are encrypted: a key may be among the rows.
        context._encryption_enabled = True
        try:
            with sockets_left_open():
                frame = self._session.createDataFrame(rows)
        finally:
            context._encryption_enabled = encrypted
        if rows.nbytes <= MOST_COPIED:
            frame = frame.hint("broadcast")
        frame.createTempView(name)
        return self.backend.table(name)

    def fetch(self, expression: Any) -> pa.Table:
        table = expression.as_table()
        with sockets_left_open():
            found = self._session.sql(self.backend.compile(table)).toArrow()
        return found.cast(table.schema().to_pyarrow())

    def told_again(self, error: Exception) -> Exception | None:
        return duckdbengine.told_again(error) or _told_again(error)


def _refuse_names(files: Sequence[Path]) -> None:
    """Raise for files that Spark would pass over without a word, or stumble over."""
    faults = Faults()
    for path in files:
        if path.name.startswith(("_", ".")) or path.name.endswith("._COPYING_"):
            found = "Spark passes over files whose names begin with _ or ."
        elif ":" in str(path):
            found = "Spark cannot read files with a colon in their path"
        else:
            continue
        faults.add("file name", found, "give it another name, or use the engine duckdb", file=str(path))
    faults.raise_if_any()


def _addresses(files: Sequence[Path]) -> list[str]:
    # Files of this machine (or mounted alike on all), whatever file system a cluster takes by default.
    return [f"file://{path}" for path in files]


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _stated(file: Path, name: str, type_: pa.DataType) -> str:
    """The type by which Spark is to read a column that pyarrow reads as `type_`: "VOID" for nothing but missing values.

    BIGINT for a timestamp says that it counts nanoseconds, which Spark reads as numbers alone.
    """
    if pa.types.is_dictionary(type_):
        type_ = type_.value_type
    if pa.types.is_null(type_):
        return "VOID"
    if pa.types.is_date(type_):
        return "DATE"
    if pa.types.is_timestamp(type_):
        return _timestamp(file, name)
    return INTEGERS.get(str(type_), "STRING")


def _timestamp(file: Path, name: str) -> str:
    with pq.ParquetFile(file) as read:
        schema = read.schema
        column = next(schema.column(place) for place in range(len(schema)) if schema.column(place).path == name)
    if column.physical_type == "INT96":
        return "TIMESTAMP"
    said = json.loads(column.logical_type.to_json())
    if said.get("timeUnit") == "nanoseconds":
        return "BIGINT"
    return "TIMESTAMP" if said.get("isAdjustedToUTC") else "TIMESTAMP_NTZ"


def _told_again(error: Exception) -> Exception | None:
    from py4j.protocol import Py4JError, Py4JJavaError
    from pyspark.errors import PySparkException

    if not isinstance(error, (PySparkException, Py4JError, ConnectionError, EOFError)):
        return None
    kind, text = type(error).__name__, str(error)
    if kind in BUGS:
        return RuntimeError(f"the query for the caseload failed: {kind}")
    if "No space left" in text:
        return InputError([Fault(kind="disk", found="the spill folder is full", mend="give it more room")])
    if "OutOfMemory" in text or not isinstance(error, (PySparkException, Py4JJavaError)):
        found = "the memory allowed does not suffice, or Spark was ended"
        return InputError([Fault(kind="memory", found=found, mend="allow more memory")])
    return EngineRefusal(kind)
