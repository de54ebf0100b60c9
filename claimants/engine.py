"""The engine that reads records: DuckDB in memory, reached through Ibis, closed to the network.

Errors of the engine quote what they read, so none of them leaves this module:
each is told again in words of our own, without its text and without a link to it.
"""

import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import duckdb
import ibis
import pyarrow as pa

from common.faults import Fault, InputError

__all__ = ["DEFAULT_MEMORY", "EngineRefusal", "connect", "fetch", "guarded", "keep_table"]

T = TypeVar("T")

DEFAULT_MEMORY = "4GB"
MEMORY = re.compile(r"\d+(\.\d+)?\s*[KMGT]i?B")
BUGS = (
    duckdb.BinderException,
    duckdb.CatalogException,
    duckdb.InternalException,
    duckdb.NotImplementedException,
    duckdb.ParserException,
    duckdb.SyntaxException,
)


class EngineRefusal(Exception):
    """The engine could not read what it was given; says nothing of what that was."""


@contextmanager
def connect(*, spill: Path | None, memory: str = DEFAULT_MEMORY, threads: int | None = None) -> Iterator[Any]:
    """An Ibis connection to a DuckDB of its own, closed at the end.

    Parameters
    ----------
    spill : folder for what does not fit into memory.  It is written to a
        folder of mode 0700 inside, which goes when the connection closes; what
        a killed process leaves is for the owner of `spill` to clear.  (DuckDB
        2.0 encrypts such files only with an extension from the network.)
        None: nothing is ever written.
    memory : limit such as "4GB".
    threads : None leaves it to DuckDB (one a core).

    Raises
    ------
    ValueError
        `memory` or `threads` is not of that form.
    """
    if not MEMORY.fullmatch(memory):
        raise ValueError(f"memory ({memory}) must be a number with KB, MB, GB or TB")
    if threads is not None and threads < 1:
        raise ValueError(f"threads ({threads}) must be at least 1")
    own = None if spill is None else _own_folder(spill)
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
        connection = ibis.duckdb.connect(":memory:", **config)
        try:
            yield connection
        finally:
            connection.disconnect()
    finally:
        if own is not None:
            shutil.rmtree(own, ignore_errors=True)


def _own_folder(spill: Path) -> Path:
    spill.mkdir(mode=0o700, parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix="claims-", dir=spill))


def keep_table(connection: Any, name: str, rows: pa.Table) -> Any:
    """Copy a small table into the engine, where its size is known to the planner.

    Said to DuckDB directly: with sqlglot 30.18 and later, Ibis 12.0.0 leaves the
    name out of the statement that tidies up after its `create_table` (ibis issue 12124).
    """

    def copy() -> Any:
        raw = connection.con
        raw.register("arriving", rows)
        raw.execute(f'CREATE TEMP TABLE "{name}" AS SELECT * FROM arriving')
        raw.unregister("arriving")
        return connection.table(name)

    return guarded(copy)


def fetch(connection: Any, expression: Any) -> pa.Table:
    """Run an expression and return its rows; raises as `guarded` does."""
    return guarded(lambda: connection.to_pyarrow(expression))


def guarded(action: Callable[[], T]) -> T:
    """What `action` returns, its engine errors told again in words of our own.

    Raises
    ------
    InputError
        Memory or the spill folder does not suffice.
    EngineRefusal
        The input could not be read: look into the files for the reason.
    RuntimeError
        The query itself is wrong, which is a bug.
    """
    try:
        return action()
    except duckdb.Error as error:
        told = _told_again(error)
    # Raised outside the handler, so that the engine's error is not linked to ours.
    raise told


def _told_again(error: duckdb.Error) -> Exception:
    if isinstance(error, BUGS):
        return RuntimeError(f"the query for the caseload failed: {type(error).__name__}")
    if "max_temp_directory_size" in str(error) or "No space left" in str(error):
        return InputError([Fault(kind="disk", found="the spill folder is full", mend="give it more room")])
    if isinstance(error, duckdb.OutOfMemoryException):
        mend = "allow more memory or name a spill folder"
        return InputError([Fault(kind="memory", found="the memory allowed does not suffice", mend=mend)])
    return EngineRefusal(type(error).__name__)
