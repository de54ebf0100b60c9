"""DuckDB in memory, reached through Ibis, closed to the network: the engine where no other is asked for."""

import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import ibis
import pyarrow as pa

from claimants.engine import CsvForm, EngineRefusal
from common.faults import Fault, InputError

__all__ = ["DuckDB", "open_duckdb", "own_folder", "told_again"]

MOMENT = "timestamp('UTC')"
BUGS = (
    duckdb.BinderException,
    duckdb.CatalogException,
    duckdb.InternalException,
    duckdb.NotImplementedException,
    duckdb.ParserException,
    duckdb.SyntaxException,
)


@contextmanager
def open_duckdb(*, spill: Path | None, memory: str, threads: int | None) -> Iterator["DuckDB"]:
    """A DuckDB of its own, closed at the end; see `claimants.engine.connect`.

    What is spilled is written in the clear: DuckDB 2.0 encrypts such files only with an extension from the network.
    """
    own = None if spill is None else own_folder(spill)
    config: dict[str, Any] = {
        "memory_limit": memory,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "preserve_insertion_order": False,
        # An empty folder name forbids spilling; DuckDB's own default is a folder in the working directory.
        "temp_directory": "" if own is None else str(own),
    }
    if threads is not None:
        config["threads"] = threads
    try:
        backend = ibis.duckdb.connect(":memory:", **config)
        try:
            yield DuckDB(backend)
        finally:
            backend.disconnect()
    finally:
        if own is not None:
            shutil.rmtree(own, ignore_errors=True)


def own_folder(spill: Path) -> Path:
    """A new folder in `spill`, for this user alone."""
    spill.mkdir(mode=0o700, parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix="claims-", dir=spill))


class DuckDB:
    """The engine `duckdb`; see `claimants.engine.Engine`."""

    name = "duckdb"

    def __init__(self, backend: Any) -> None:
        self.backend = backend

    def read_csv(
        self, files: Sequence[Path], width: int, form: CsvForm, wanted: Sequence[int], **more: Any
    ) -> tuple[Any, int | None]:
        # Everything is stated, nothing guessed: columns by position and as text, so that
        # neither the header nor the first rows can change how the others are read.
        table = self.backend.read_csv(
            [_literal(path) for path in files],
            columns={f"c{index}": "string" for index in range(width)},
            auto_detect=False,
            header=True,
            delim=form.delimiter,
            quote='"',
            escape='"',
            strict_mode=True,
            encoding=form.encoding,
            hive_partitioning=False,
            **more,
        )
        return table, None

    def read_parquet(self, files: Sequence[Path], columns: Mapping[str, pa.DataType], **more: Any) -> Any:
        table = self.backend.read_parquet([_literal(path) for path in files], hive_partitioning=False, **more)
        # Ibis 12.0.0 does not know DuckDB's type of moments in nanoseconds, and would take them for text.
        moments = [name for name, type_ in columns.items() if pa.types.is_timestamp(type_) and type_.tz]
        return table.mutate(**{name: table[name].cast(MOMENT) for name in moments}) if moments else table

    def keep_table(self, name: str, rows: pa.Table) -> Any:
        # Said to DuckDB directly: with sqlglot 30.18 and later, Ibis 12.0.0 leaves the
        # name out of the statement that tidies up after its `create_table` (ibis issue 12124).
        raw = self.backend.con
        raw.register("arriving", rows)
        raw.execute(f'CREATE TEMP TABLE "{name}" AS SELECT * FROM arriving')
        raw.unregister("arriving")
        return self.backend.table(name)

    def fetch(self, expression: Any) -> pa.Table:
        return self.backend.to_pyarrow(expression)

    def told_again(self, error: Exception) -> Exception | None:
        return told_again(error)


def told_again(error: Exception) -> Exception | None:
    """An error of DuckDB in words of our own; None if the error is of somebody else."""
    if not isinstance(error, duckdb.Error):
        return None
    if isinstance(error, BUGS):
        return RuntimeError(f"the query for the caseload failed: {type(error).__name__}")
    if "max_temp_directory_size" in str(error) or "No space left" in str(error):
        return InputError([Fault(kind="disk", found="the spill folder is full", mend="give it more room")])
    if isinstance(error, duckdb.OutOfMemoryException):
        mend = "allow more memory or name a spill folder"
        return InputError([Fault(kind="memory", found="the memory allowed does not suffice", mend=mend)])
    return EngineRefusal(type(error).__name__)


def _literal(path: Path) -> str:
    """A path as a pattern that matches itself alone."""
    return "".join(f"[{sign}]" if sign in "*?[" else sign for sign in str(path))
