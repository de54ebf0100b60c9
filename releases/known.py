"""What is known of published files beside the files themselves: ``--known FILE.toml``.

One ``[[file]]`` for each published file; every key but `path` may be left out::

    [[file]]
    path = "claims-by-ward.csv"        # from the folder of this file
    nest = "oa<lsoa<lad"               # columns of its area tree, smallest first
    areas = "lookup.csv"               # one row per smallest area, with the nest's columns
    by = ["benefit"]                   # its flat dimensions; [] where it holds totals alone
    categories = "categories.csv"      # columns dimension, category
    method = "conventional-rounding"   # controlled-, conventional-, random- or small-count-rounding,
                                       # cell-key, suppression, exact
    base = 5                           # of a rounding
    steps = 1                          # of controlled rounding: multiples beyond the two next to the count
    max_round = 4                      # of small-count rounding: the largest count that is rounded
    noise = 5                          # of cell-key: the largest noise, where the attacker knows it
    zeros_kept = true                  # of cell-key: whether nobody is always shown as 0
    ptable = "ptable.csv"              # of cell-key: the ptable, where the attacker knows it
    min_count = 5                      # smallest non-zero count that it may tell
    population = "claims"              # files of one population are attacked together (default: all are)
    total = "All"                      # how a margin is written (default: Total)
    [file.columns]                     # where the columns have other names
    level = "area_level"
    area = "area"
    value = "value"
    marker = "marker"
    [file.markers]                     # text in place of a value = its meaning
    "*" = "c"                          # c suppressed, z structural zero, x not available, low a zero
    "1-4" = [1, 4]                     # or the least and the most that it stands for
    [[file.bounds]]                    # what the attacker knows of a cell from elsewhere
    area = "E01000001"
    category = { benefit = "uc" }      # left out: the total
    lo = 3                             # one of lo and hi may be left out
    hi = 40
    [[file.caps]]                      # figures that no count may pass, such as populations
    path = "population.csv"            # columns area, some of the dimensions, value

``[file.insider]`` is refused: the audit tries everybody who knows their own record.
"""

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from common.faults import Faults

__all__ = ["Bound", "Cap", "KnownColumns", "KnownFile", "find_known", "read_known"]

PATHS = ("path", "areas", "categories", "ptable")
Words = Annotated[str, Field(min_length=1)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class KnownColumns(_Part):
    """``[file.columns]``: names of the columns; None where nothing is said."""

    level: Words | None = None
    area: Words | None = None
    value: Words | None = None
    marker: Words | None = None


class Bound(_Part):
    """``[[file.bounds]]``: lo <= count <= hi for one cell."""

    area: Words
    category: dict[str, str] = {}
    lo: Annotated[int, Field(ge=0)] = 0
    hi: Annotated[int, Field(ge=0)] | None = None

    @model_validator(mode="after")
    def _ordered(self) -> "Bound":
        if self.hi is not None and self.hi < self.lo:
            raise ValueError("hi is below lo: exchange them")
        return self


class Cap(_Part):
    """``[[file.caps]]``: a file of figures that the counts may not pass."""

    path: Path
    value: Words = "value"
    area: Words = "area"


class KnownFile(_Part):
    """``[[file]]``: what is known of one published file; see the module."""

    path: Path
    nest: Words | None = None
    areas: Path | None = None
    by: tuple[str, ...] | None = None
    categories: Path | None = None
    method: Words | None = None
    base: Annotated[int, Field(ge=1)] | None = None
    min_count: Annotated[int, Field(ge=2)] | None = None
    steps: Annotated[int, Field(ge=0)] | None = None
    max_round: Annotated[int, Field(ge=1)] | None = None
    noise: Annotated[int, Field(ge=0)] | None = None
    zeros_kept: bool = True
    ptable: Path | None = None
    population: str = ""
    total: Words | None = None
    columns: KnownColumns = KnownColumns()
    markers: dict[str, Literal["c", "z", "x", "low"] | tuple[int, int]] = {}
    bounds: tuple[Bound, ...] = ()
    caps: tuple[Cap, ...] = ()

    @model_validator(mode="after")
    def _marker_ranges(self) -> "KnownFile":
        for text, meaning in self.markers.items():
            if not isinstance(meaning, str) and not 0 <= meaning[0] <= meaning[1]:
                raise ValueError(f"marker '{text}' stands for no range of counts: give the least and the most")
        return self

    @model_validator(mode="after")
    def _noise_told_once(self) -> "KnownFile":
        if self.noise is not None and self.ptable is not None:
            raise ValueError("noise and ptable both say how far noise reaches: give one of them")
        return self


class _Known(_Part):
    file: tuple[KnownFile, ...]


def read_known(path: Path) -> tuple[KnownFile, ...]:
    """What a TOML file says of published files, paths taken from its folder.

    Raises
    ------
    InputError
        The file is missing, is no TOML in UTF-8, or says what it may not; every fault is told.
    """
    faults = Faults(str(path))
    plain = _read_toml(path, faults)
    faults.raise_if_any()
    files = plain.get("file")
    if isinstance(files, list):
        plain = {**plain, "file": [_resolved(one, path.parent) for one in files]}
        for place, one in enumerate(files, start=1):
            if isinstance(one, dict) and "insider" in one:
                found = "what one insider knows is not honoured yet"
                mend = "leave it out: the audit tries everybody who knows their own record"
                faults.add("insider", found, mend, key=f"file.{place}.insider")
    faults.raise_if_any()
    try:
        known = _Known.model_validate(plain).file
    except ValidationError as error:
        for fault in error.errors(include_url=False, include_input=False):
            _add(faults, fault)
        known = ()
    if not known and not faults.found:
        faults.add("empty file", "says nothing of any file", "write a [[file]] for each published file")
    faults.raise_if_any()
    return known


def find_known(known: Sequence[KnownFile], path: Path) -> KnownFile | None:
    """What is known of one file; None where nothing is said."""
    wanted = path.resolve()
    return next((one for one in known if one.path.resolve() == wanted), None)


def _read_toml(path: Path, faults: Faults) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except FileNotFoundError:
        faults.add("missing file", "does not exist", "correct the path or put the file there")
    except OSError as error:
        faults.add("unreadable file", f"cannot be read ({error.strerror})", "name a readable file")
    except UnicodeDecodeError as error:
        faults.add("wrong encoding", f"is not UTF-8 (byte {error.start})", "save it as UTF-8")
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        place = str(error).rpartition("(")[2].rstrip(")") if "(at " in str(error) else "somewhere"
        faults.add("toml", f"is no TOML ({place})", "mend the file there")
    return {}


def _resolved(one: object, folder: Path) -> object:
    """One ``[[file]]`` with its paths taken from the folder of the TOML file."""
    if not isinstance(one, dict):
        return one
    out = {key: _from(folder, value) if key in PATHS else value for key, value in one.items()}
    caps = out.get("caps")
    if isinstance(caps, list):
        out["caps"] = [
            {**cap, "path": _from(folder, cap["path"])} if isinstance(cap, dict) and "path" in cap else cap
            for cap in caps
        ]
    return out


def _from(folder: Path, value: object) -> object:
    return folder / value if isinstance(value, str) and "\0" not in value else value


def _add(faults: Faults, fault: Mapping[str, Any]) -> None:
    key = ".".join(str(part + 1) if isinstance(part, int) else str(part) for part in fault["loc"])
    found, _, mend = str(fault["msg"]).removeprefix("Value error, ").partition(": ")
    kind = str(fault["type"])
    if kind == "missing":
        found, mend = "is missing", "add it"
    elif kind == "extra_forbidden":
        found, mend = "is not known here", "remove it or correct its name"
    elif not mend:
        found, mend = f"does not fit ({found[:1].lower()}{found[1:]})", "correct it"
    faults.add(kind, found, mend, key=key or "the whole file")
