"""The engines that read records, behind one door: DuckDB in this process (default), or Spark.

What is asked of records is written once, as Ibis expressions, and runs on either;
the answers are the same to the last digit.  An engine is an `Engine`; which one it is,
only `connect` and the engine's own module know.

Errors of engines quote what they read, so none of them leaves this room:
each is told again in words of our own, without its text and without a link to it.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import pyarrow as pa

from common.faults import Fault, InputError

__all__ = [
    "DEFAULT_ENGINE",
    "DEFAULT_MEMORY",
    "ENGINES",
    "CsvForm",
    "Engine",
    "EngineRefusal",
    "bytes_of",
    "connect",
    "fetch",
    "guarded",
    "keep_table",
]

T = TypeVar("T")

ENGINES = ("duckdb", "spark")
DEFAULT_ENGINE = "duckdb"
DEFAULT_MEMORY = "4GB"
MEMORY = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT])(i?)B")


class EngineRefusal(Exception):
    """The engine could not read what it was given; says nothing of what that was."""


@dataclass(frozen=True, kw_only=True)
class CsvForm:
    """How a CSV file is written: the encoding by the name that both engines know, one sign between fields."""

    encoding: str
    delimiter: str


class Engine(Protocol):
    """What an engine can do; the functions of this module are how it is asked.

    `name` is that of `ENGINES`; `backend` is the Ibis backend behind it, for whoever needs its own tongue.
    """

    name: str
    backend: Any

    def read_csv(
        self, files: Sequence[Path], width: int, form: CsvForm, wanted: Sequence[int]
    ) -> tuple[Any, int | None]:
        """The rows of CSV files with a header each: an Ibis table of text columns c0, c1 … by position, and how many they are.

        The number is None where it is not known before the rows are read.

        `width` is the number of columns, `wanted` the positions that will be read, at least one.  Nothing
        is guessed: a row of another width, an open quotation mark or bytes of another encoding refuse
        the whole.  A field with nothing in it, in quotation marks or not, is missing.
        """

    def read_parquet(self, files: Sequence[Path], columns: Mapping[str, pa.DataType]) -> Any:
        """The rows of Parquet files of one layout as an Ibis table of (at least) these columns."""

    def keep_table(self, name: str, rows: pa.Table) -> Any:
        """A small table copied into the engine."""

    def fetch(self, expression: Any) -> pa.Table:
        """The rows of an expression, in the types that Ibis says."""

    def told_again(self, error: Exception) -> Exception | None:
        """An error of this engine in words of our own; None if the error is of somebody else."""


# The engines in use, by whose errors `guarded` goes.
_open: list[Engine] = []


@contextmanager
def connect(
    *,
    engine: str = DEFAULT_ENGINE,
    spill: Path | None,
    memory: str = DEFAULT_MEMORY,
    threads: int | None = None,
) -> Iterator[Engine]:
    """An engine of its own, closed at the end.

    Parameters
    ----------
    engine : "duckdb", or "spark": the session that this process has or that Spark's own
        configuration asks for, else one on this machine alone (`claimants.sparksession`).
    spill : folder for what does not fit into memory.  It is written to a
        folder of mode 0700 inside, which goes when the connection closes; what
        a killed process leaves is for the owner of `spill` to clear.
        None: nothing is ever written, which Spark cannot do.
    memory : limit such as "4GB": of DuckDB's memory, of the heap of Spark's Java on this machine.
    threads : None leaves it to the engine (one a core).

    Raises
    ------
    InputError
        There is no engine of that name; Spark is asked for and not installed, or has no Java that it can run on.
    ValueError
        `memory` or `threads` is not of that form, or Spark is to write nothing.
    """
    if engine not in ENGINES:
        mend = f"use one of {', '.join(ENGINES)}"
        raise InputError([Fault(kind="unknown engine", key="engine", found=f"'{engine}' is not known", mend=mend)])
    bytes_of(memory)
    if threads is not None and threads < 1:
        raise ValueError(f"threads ({threads}) must be at least 1")
    with _opener(engine)(spill=spill, memory=memory, threads=threads) as opened:
        _open.append(opened)
        try:
            yield opened
        finally:
            _open.remove(opened)


def _opener(engine: str) -> Callable[..., AbstractContextManager[Engine]]:
    """Loads the engine's module: what is not asked for costs nothing, and need not be installed."""
    if engine == "spark":
        from claimants.sparkengine import open_spark

        return open_spark
    from claimants.duckdbengine import open_duckdb

    return open_duckdb


def bytes_of(memory: str) -> int:
    """How many bytes an amount of memory is ("4GB" is 4 times 1,000 cubed, "4GiB" 4 times 1,024 cubed).

    Raises
    ------
    ValueError
        It is no such amount.
    """
    found = MEMORY.fullmatch(memory)
    if found is None:
        raise ValueError(f"memory ({memory}) must be a number with KB, MB, GB or TB")
    amount, unit, binary = found.groups()
    return int(float(amount) * (1024 if binary else 1000) ** (1 + "KMGT".index(unit)))


def keep_table(connection: Engine, name: str, rows: pa.Table) -> Any:
    """Copy a small table into the engine, where its size is known to the planner; raises as `guarded` does."""
    return guarded(lambda: connection.keep_table(name, rows))


def fetch(connection: Engine, expression: Any) -> pa.Table:
    """Run an expression and return its rows; raises as `guarded` does."""
    return guarded(lambda: connection.fetch(expression))


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
    except Exception as error:
        told = next((told for engine in _open if (told := engine.told_again(error)) is not None), None)
        if told is None:
            raise
    # Raised outside the handler, so that the engine's error is not linked to ours.
    raise told
