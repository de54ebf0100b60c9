"""Everything that is said of one published file: by the metadata beside it, under ``--known``, and by options.

Of each fact the first to tell it is believed, in that order; where a later one
says otherwise, a notice tells what was not used.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common.faults import Fault, Faults, InputError
from releases.attack.known import KnownFile, find_all_known
from releases.attack.publicblock import Told, read_told
from releases.counts.nests import parse_nests
from reports.metadata import is_derived
from sdc.attack.intervals import METHODS
from sdc.tables import SMALL_COUNTS, Method

__all__ = [
    "DEFAULT_BASE",
    "DEFAULT_MIN_COUNT",
    "Defaults",
    "Said",
    "gather",
    "gather_tables",
    "method_of",
    "table_files",
]

DEFAULT_BASE = 5
DEFAULT_MIN_COUNT = 5
# Methods that have no base.
UNROUNDED = ("exact", "suppression", "cell-key")


@dataclass(frozen=True, kw_only=True)
class Defaults:
    """What the options say of every file; None and empty where they say nothing."""

    nest: tuple[str, ...] = ()
    by: tuple[str, ...] | None = None
    count: str = "count"
    areas: Path | None = None
    categories: Path | None = None
    method: str | None = None
    base: int | None = None
    min_count: int | None = None


@dataclass(frozen=True, kw_only=True)
class Said:
    """What is said of one file, by whoever says it first; see `Defaults` and `releases.attack.known` for the fields."""

    path: Path
    told: Told | None
    known: KnownFile
    nest: tuple[str, ...]
    by: tuple[str, ...]
    count: str
    areas: Path | None
    categories: Path | None
    method: str
    base: int
    min_count: int | None
    notices: tuple[str, ...]

    @property
    def total(self) -> str:
        """How a margin is written."""
        return self.told.total if self.told else self.known.total or "Total"


def table_files(path: Path) -> tuple[Path, ...]:
    """The file itself, or the tables of a release folder: not those worked out from them, which tell no more.

    Raises
    ------
    InputError
        A folder without a table in it.
    """
    if not path.is_dir():
        return (path,)
    tables = tuple(file for file in sorted((path / "tables").glob("*.csv")) if not is_derived(file))
    if not tables:
        mend = "name a release folder, or the files themselves"
        raise InputError([Fault(kind="no tables", file=str(path), found="is a folder without tables/*.csv", mend=mend)])
    return tables


def gather(path: Path, known: Sequence[KnownFile], defaults: Defaults) -> Said:
    """Put together what is said of one file.

    Raises
    ------
    InputError
        Metadata cannot be read; the method is said by nobody or is not in this version; a nest cannot be read.
    """
    return _gather(path, next(iter(find_all_known(known, path)), KnownFile(path=path)), defaults)


def gather_tables(path: Path, known: Sequence[KnownFile], defaults: Defaults) -> list[Said]:
    """Put together what is said of every table in one file: one for each ``[[file]]`` of its path, else one.

    Raises
    ------
    InputError
        See `gather`; or two tables of the file are its same rows and the same sheet.
    """
    entries = find_all_known(known, path) or (KnownFile(path=path),)
    kinds = [(one.where, one.sheet, one.columns.value) for one in entries]
    if any(kind in kinds[:at] for at, kind in enumerate(kinds)):
        found = f"has {len(entries)} [[file]], and two of them are of the same rows"
        mend = "keep one, or say with where, sheet or columns.value which rows each is of"
        raise InputError([Fault(kind="told twice", file=str(path), found=found, mend=mend)])
    faults, said = Faults(), []
    for one in entries:
        try:
            said.append(_gather(path, one, defaults))
        except InputError as error:
            faults.found += [fault for fault in error.faults if fault not in faults.found]
    faults.raise_if_any()
    return said


def _gather(path: Path, more: KnownFile, defaults: Defaults) -> Said:
    told = read_told(path)
    faults, notices = Faults(str(path)), []
    nest = defaults.nest
    if more.nest is not None:
        nest = parse_nests([more.nest], faults)
    elif told is not None and not nest:
        nest = told.hierarchy.levels
    facts: dict[str, object] = {}
    sources: tuple[tuple[str, object], ...] = (("its metadata", told), ("--known", more), ("the options", defaults))
    if more.kind != "counts":  # options tell how counts were made, not what percentages of them were worked out from
        sources = (("--known", more),)
    for name in ("method", "base", "min_count"):
        said = [(whence, getattr(source, name)) for whence, source in sources if source is not None]
        said = [(whence, value) for whence, value in said if value is not None]
        facts[name] = said[0][1] if said else None
        if name == "method" and more.kind != "counts" and not said:
            facts[name] = "exact"
        if name == "min_count":  # judged by what the user asks for, see `releases.attack.deducing`
            continue
        for whence, value in said[1:]:
            if value != said[0][1]:
                notices.append(f"{path.name}: {name} {value} of {whence} was not used: {said[0][0]} say {said[0][1]}")
    if facts["method"] is None:
        found, mend = "nobody says by which method it was made", "give --method and --base, or say it under --known"
        faults.add("no method", found, mend)
    elif facts["base"] is None and facts["method"] not in UNROUNDED:
        notices.append(f"{path.name}: nobody says the base; taken to be {DEFAULT_BASE}")
    faults.raise_if_any()
    by = told.dimensions if told else more.by if more.by is not None else defaults.by
    least = facts["min_count"]
    return Said(
        path=path,
        told=told,
        known=more,
        nest=nest,
        by=tuple(by or ()),
        count=defaults.count,
        areas=more.areas or defaults.areas,
        categories=more.categories or defaults.categories,
        method=str(facts["method"]),
        base=int(str(facts["base"] or DEFAULT_BASE)),
        min_count=None if least is None else int(str(least)),
        notices=tuple(notices),
    )


def method_of(said: Said, min_count: int) -> Method:
    """The method as an attack needs it: suppression shows exact figures where it shows any.

    Raises
    ------
    InputError
        The method is not known, or its parameters are none that it can have.
    """
    faults = Faults(str(said.path))
    if said.method not in METHODS:
        faults.add("method", f"the method '{said.method}' is not known", f"use one of {', '.join(METHODS)}")
    elif said.base < 2 and said.method not in UNROUNDED:
        faults.add("method", f"base {said.base} rounds nothing", "give a base of 2 or more, or the method exact")
    faults.raise_if_any()
    if said.method in UNROUNDED:
        name = "exact" if said.method == "suppression" else said.method
        return Method(name=name, base=1, min_count=min_count)
    try:
        return Method(name=said.method, base=said.base, min_count=min_count, **_further(said))
    except ValueError as error:
        fault = Fault(kind="method", file=str(said.path), found=str(error), mend="correct it")
        raise InputError([fault]) from None


def _further(said: Said) -> dict[str, Any]:
    """Parameters beside base and min_count, from the metadata where they tell of the same method, else from ``--known``."""
    further: dict[str, Any] = {}
    if said.method == "controlled-rounding" and said.known.steps is not None:
        further["steps"] = said.known.steps
    if said.method == SMALL_COUNTS and said.known.max_round is not None:
        further["max_round"] = said.known.max_round
    if said.told is not None and said.told.method == said.method:
        further |= said.told.further
    return further
