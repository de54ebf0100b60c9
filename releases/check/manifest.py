"""The manifest as the folder gives it: its form, its closed lists and its dates.

``manifest.json`` of form ``smallarea release 1`` is one object; `KEYS` lists
what it must hold and of which type.
"""

import datetime as dt
import hashlib
import json
import re
from dataclasses import dataclass, field
from pathlib import Path

from common.faults import Fault, InputError
from releases.check.notes import Notes

__all__ = ["MANIFEST", "Manifest", "TableEntry", "read_manifest"]

MANIFEST = "manifest.json"
FORMAT = "smallarea release 1"
KEYS: dict[str, type | tuple[type, ...]] = {
    "format": str,
    "id": str,
    "title": str,
    "series": str,
    "status": str,
    "label": str,
    "reference_date": str,
    "extract_date": str,
    "publication": str,
    "next_publication": str,
    "previous": (str, type(None)),
    "population": str,
    "method": dict,
    "areas": dict,
    "tables": list,
    "key_id": str,
    "fingerprints": dict,
    "software": dict,
    "files": list,
}
STATUSES = ("provisional", "revised", "final")
LABELS = ("none", "", "accredited official statistics", "official statistics", "official statistics in development")
UNITS = ("claims", "people")
POPULATIONS = (*UNITS, " and ".join(UNITS))
RULES = ("method leaks", "finest area")
KINDS = ("rate", "estimate")
FLOWS = ("on-flow", "off-flow")
HEX = re.compile(r"[0-9a-f]{16,128}")
SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, kw_only=True)
class TableEntry:
    """One table as the manifest lists it.

    `unit` is what it counts, `measure` whether of the caseload or of a flow, which is counted from the day `flow_from`;
    `cells` gives published cells by marker, ``shown`` for numbers.
    """

    id: str
    unit: str
    dimensions: tuple[str, ...]
    cells: dict[str, int]
    measure: str = "caseload"
    flow_from: str = ""

    @property
    def counts(self) -> str:
        """What its figures are: tables of one name share figures."""
        return self.unit if self.measure not in FLOWS else f"{self.unit} {self.measure}"


@dataclass(frozen=True, kw_only=True)
class DerivedEntry:
    """A table worked out from published ones (``rate``, of the table `of`) or supplied (``estimate``)."""

    id: str
    kind: str
    status: str
    of: str
    levels: tuple[str, ...]
    cells: dict[str, int]


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What later checks need of the manifest; parts that were wrong are left empty, and the finding says so.

    `files` gives path -> (sha256, bytes); `excepted` gives the rule and last day
    of each exception that is in force on the day of publication; `base` and `min_count` are 0 and
    `method` is empty where the manifest's own cannot be used.
    """

    id: str
    sha256: str
    method: str = ""
    base: int = 0
    min_count: int = 0
    levels: tuple[str, ...] = ()
    units: dict[str, int] = field(default_factory=dict)
    tables: tuple[TableEntry, ...] = ()
    derived: tuple[DerivedEntry, ...] = ()
    key_id: str = ""
    files: dict[str, tuple[str, int]] = field(default_factory=dict)
    excepted: tuple[tuple[str, dt.date], ...] = ()


def read_manifest(directory: Path, notes: Notes) -> Manifest:
    """Read and check the manifest of a folder.

    Raises
    ------
    InputError
        The folder is none, or holds no release of a form that is known here.
    """
    path = directory / MANIFEST
    if not directory.is_dir():
        raise _no_release(directory, "is no folder")
    try:
        raw = path.read_bytes()
        plain = json.loads(raw)
    except FileNotFoundError:
        raise _no_release(directory, f"holds no {MANIFEST}") from None
    except (OSError, ValueError):
        raise _no_release(path, "cannot be read as JSON") from None
    found = plain.get("format") if isinstance(plain, dict) else None
    if found != FORMAT:
        raise _no_release(path, f"is not of the form '{FORMAT}'")
    right = _right_keys(plain, notes)
    _check_words(right, notes)
    _check_dates(right, notes)
    _check_fingerprints(right, notes)
    method, base, min_count = _method(right, notes)
    levels, units = _areas(right, notes)
    notes.checked("manifest: form, closed lists, dates, fingerprints")
    return Manifest(
        id=str(right.get("id", "")),
        sha256=hashlib.sha256(raw).hexdigest(),
        method=method,
        base=base,
        min_count=min_count,
        levels=levels,
        units=units,
        tables=_tables(right, notes),
        derived=_derived(plain, right, notes),
        key_id=str(right.get("key_id", "")),
        files=_files(right, notes),
        excepted=_exceptions(plain, right, notes),
    )


def _no_release(where: Path, found: str) -> InputError:
    mend = "name the folder that `smallarea publish` wrote"
    return InputError([Fault(kind="release", file=str(where), found=found, mend=mend)])


def _right_keys(plain: dict[str, object], notes: Notes) -> dict[str, object]:
    """The keys that are there with the right type; a finding for each other."""
    right = {}
    for key, kind in KEYS.items():
        if key not in plain:
            notes.wrong("manifest", MANIFEST, f"the key '{key}' is missing")
        elif not isinstance(plain[key], kind) or isinstance(plain[key], bool):
            notes.wrong("manifest", MANIFEST, f"the key '{key}' holds a value of the wrong type")
        else:
            right[key] = plain[key]
    for key in ("id", "title", "series"):
        if right.get(key) == "":
            notes.wrong("manifest", MANIFEST, f"the key '{key}' is empty")
    if "previous" in right and right["previous"] in ("", right.get("id")):
        notes.wrong("manifest", MANIFEST, "'previous' must name another release, or be null for the first of a series")
    return right


def _check_words(right: dict[str, object], notes: Notes) -> None:
    for key, words in (("status", STATUSES), ("label", LABELS), ("population", POPULATIONS)):
        if key in right and right[key] not in words:
            notes.wrong("manifest", MANIFEST, f"'{key}' is not one of {', '.join(filter(None, words))}")


def _check_dates(right: dict[str, object], notes: Notes) -> None:
    """Reference date <= extract date <= publication < next publication, each in ISO form."""
    dates: dict[str, dt.date] = {}
    for key in ("reference_date", "extract_date", "publication", "next_publication"):
        if key in right:
            try:
                dates[key] = dt.datetime.fromisoformat(str(right[key])).date()
            except ValueError:
                notes.wrong("manifest", MANIFEST, f"'{key}' is not a date in the form 2026-05-31")
    for before, after in (("reference_date", "extract_date"), ("extract_date", "publication")):
        if before in dates and after in dates and dates[before] > dates[after]:
            notes.wrong("manifest", MANIFEST, f"'{before}' lies after '{after}'")
    if "publication" in dates and "next_publication" in dates and dates["publication"] >= dates["next_publication"]:
        notes.wrong("manifest", MANIFEST, "'next_publication' does not lie after 'publication'")


def _check_fingerprints(right: dict[str, object], notes: Notes) -> None:
    prints = right.get("fingerprints")
    if isinstance(prints, dict):
        inputs = prints.get("inputs")
        if not isinstance(inputs, dict) or not inputs or not all(_is_hex(value) for value in inputs.values()):
            notes.wrong("manifest", MANIFEST, "'fingerprints' holds no keyed fingerprint for each input")
        if not _is_hex(prints.get("specification")):
            notes.wrong("manifest", MANIFEST, "'fingerprints' holds no keyed fingerprint of the specification")
    if "key_id" in right and not _is_hex(right["key_id"]):
        notes.wrong("manifest", MANIFEST, "'key_id' is not hexadecimal")
    software = right.get("software")
    if isinstance(software, dict) and not (
        software and all(isinstance(version, str) and version for version in software.values())
    ):
        notes.wrong("manifest", MANIFEST, "'software' does not give a version for each part")


def _is_hex(value: object) -> bool:
    return isinstance(value, str) and HEX.fullmatch(value) is not None


def _whole(value: object, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def _method(right: dict[str, object], notes: Notes) -> tuple[str, int, int]:
    method = right.get("method")
    if not isinstance(method, dict):
        return "", 0, 0
    name, base, min_count = (method.get("name"), method.get("base"), method.get("min_count"))
    if not (isinstance(name, str) and name and _whole(base, 1) and _whole(min_count, 2)):
        notes.wrong(
            "manifest", MANIFEST, "'method' does not give a name, a base of at least 1 and a min_count of at least 2"
        )
        return "", 0, 0
    return name, int(str(base)), int(str(min_count))


def _areas(right: dict[str, object], notes: Notes) -> tuple[tuple[str, ...], dict[str, int]]:
    areas = right.get("areas")
    if not isinstance(areas, dict):
        return (), {}
    levels, units = areas.get("levels"), areas.get("units")
    right_levels = isinstance(levels, list) and levels and all(isinstance(level, str) and level for level in levels)
    if not right_levels or not isinstance(units, dict) or set(units) != set(levels or ()):
        notes.wrong("manifest", MANIFEST, "'areas' does not give its levels and the number of units of each")
        return (), {}
    if not all(_whole(number, 1) for number in units.values()):
        notes.wrong("manifest", MANIFEST, "'areas' gives a number of units that is not a whole number of at least 1")
        return (), {}
    return tuple(levels or ()), {str(level): int(number) for level, number in units.items()}


def _tables(right: dict[str, object], notes: Notes) -> tuple[TableEntry, ...]:
    entries = []
    seen: set[str] = set()
    for place, plain in enumerate(right.get("tables", ()) or (), start=1):  # type: ignore[arg-type, var-annotated]
        entry = _table(plain)
        if entry is None:
            notes.wrong(
                "manifest", MANIFEST, f"entry {place} of 'tables' does not give id, title, dimensions, unit and cells"
            )
        elif entry.id in seen:
            notes.wrong("manifest", MANIFEST, f"the table '{entry.id}' is listed twice")
        else:
            seen.add(entry.id)
            entries.append(entry)
    _check_units(right, {entry.unit for entry in entries}, notes)
    _check_windows(right, entries, notes)
    if "tables" in right and not entries:
        notes.wrong("manifest", MANIFEST, "no table is listed")
    return tuple(entries)


def _table(plain: object) -> TableEntry | None:
    if not isinstance(plain, dict):
        return None
    name, dimensions, cells = (plain.get("id"), plain.get("dimensions"), plain.get("cells"))
    texts = all(isinstance(plain.get(key), str) and plain.get(key) for key in ("id", "title", "unit"))
    named = isinstance(dimensions, list) and all(isinstance(dimension, str) for dimension in dimensions)
    counted = isinstance(cells, dict) and all(_whole(number, 0) for number in cells.values())
    if not (texts and named and counted) or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", str(name)):
        return None
    return TableEntry(
        id=str(name),
        unit=str(plain["unit"]),
        dimensions=tuple(dimensions or ()),
        cells=dict(cells or {}),
        measure=str(plain.get("measure", "caseload")),
        flow_from=str(plain.get("flow_from", "")),
    )


def _derived(plain: dict[str, object], right: dict[str, object], notes: Notes) -> tuple[DerivedEntry, ...]:
    """The tables under ``derived``, a key that may be missing."""
    listed = plain.get("derived", [])
    if not isinstance(listed, list):
        notes.wrong("manifest", MANIFEST, "the key 'derived' holds a value of the wrong type")
        return ()
    entries: list[DerivedEntry] = []
    taken = {one.get("id") for one in right.get("tables", ()) or () if isinstance(one, dict)}  # type: ignore[attr-defined]
    for place, one in enumerate(listed, start=1):
        entry = _derived_entry(one)
        if entry is None:
            what = "does not give id, title, kind, status, levels and cells"
            notes.wrong("manifest", MANIFEST, f"entry {place} of 'derived' {what}")
        elif entry.id in taken:
            notes.wrong("manifest", MANIFEST, f"the table '{entry.id}' is listed twice")
        else:
            taken.add(entry.id)
            entries.append(entry)
    return tuple(entries)


def _derived_entry(plain: object) -> DerivedEntry | None:
    if not isinstance(plain, dict) or plain.get("kind") not in KINDS:
        return None
    name, levels, cells, of = (plain.get(key) for key in ("id", "levels", "cells", "of"))
    texts = all(isinstance(plain.get(key), str) for key in ("id", "title", "status"))
    named = isinstance(levels, list) and levels and all(isinstance(level, str) for level in levels)
    counted = isinstance(cells, dict) and all(_whole(number, 1) for number in cells.values())
    if not (texts and named and counted) or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", str(name)):
        return None
    if isinstance(of, str) != (plain["kind"] == "rate"):
        return None
    return DerivedEntry(
        id=str(name),
        kind=plain["kind"],
        status=plain["status"],
        of=of or "",
        levels=tuple(levels or ()),
        cells=dict(cells or {}),
    )


def _check_units(right: dict[str, object], units: set[str], notes: Notes) -> None:
    """Each table counts claims or people, and 'population' says what all of them count."""
    if not units <= set(UNITS):
        notes.wrong("manifest", MANIFEST, f"a table's 'unit' is not one of {', '.join(UNITS)}")
    elif units and right.get("population") in POPULATIONS and set(str(right["population"]).split(" and ")) != units:
        notes.wrong("manifest", MANIFEST, "'population' is not what the tables count")


def _check_windows(right: dict[str, object], entries: list[TableEntry], notes: Notes) -> None:
    """A flow is counted from one day, which lies before the reference date; a caseload tells neither."""
    for entry in entries:
        if entry.measure == "caseload" and not entry.flow_from:
            continue
        try:
            first = dt.date.fromisoformat(entry.flow_from)
            last = dt.date.fromisoformat(str(right.get("reference_date")))
        except ValueError:
            first, last = dt.date.max, dt.date.min
        if entry.measure not in FLOWS or first >= last:
            what = f"the table '{entry.id}' is of no flow of days before the reference date, and says so"
            notes.wrong("manifest", MANIFEST, what)
    if len({entry.flow_from for entry in entries if entry.measure in FLOWS}) > 1:
        notes.wrong("manifest", MANIFEST, "tables of flows are of different windows")


def _exceptions(plain: dict[str, object], right: dict[str, object], notes: Notes) -> tuple[tuple[str, dt.date], ...]:
    """The exceptions in force: publication's date <= expires.  The key ``exceptions`` may be missing."""
    try:
        day = dt.datetime.fromisoformat(str(right.get("publication"))).date()
    except ValueError:
        day = dt.date.max
    listed = plain.get("exceptions", [])
    if not isinstance(listed, list):
        notes.wrong("manifest", MANIFEST, "the key 'exceptions' holds a value of the wrong type")
        return ()
    in_force = []
    for place, one in enumerate(listed, start=1):
        rule, last = _exception(one)
        if last is None:
            notes.wrong(
                "manifest", MANIFEST, f"entry {place} of 'exceptions' does not give a known rule and its last day"
            )
        elif last < day:
            notes.warn("exception", MANIFEST, f"the exception for '{rule}' ended on {last}, before the publication")
        else:
            in_force.append((rule, last))
            what = {"method leaks": "the full promise is not kept", "finest area": "tables go down to smaller areas"}[
                rule
            ]
            notes.warn("exception", MANIFEST, f"{what}: '{rule}' is allowed until {last}")
    return tuple(in_force)


def _exception(one: object) -> tuple[str, dt.date | None]:
    if not isinstance(one, dict) or one.get("rule") not in RULES:
        return "", None
    try:
        return str(one["rule"]), dt.date.fromisoformat(str(one.get("expires")))
    except ValueError:
        return "", None


def _files(right: dict[str, object], notes: Notes) -> dict[str, tuple[str, int]]:
    files: dict[str, tuple[str, int]] = {}
    order: list[str] = []
    for place, plain in enumerate(right.get("files", ()) or (), start=1):  # type: ignore[arg-type, var-annotated]
        path = plain.get("path") if isinstance(plain, dict) else None
        if not (isinstance(plain, dict) and isinstance(path, str) and _is_entry(plain)):
            notes.wrong("manifest", MANIFEST, f"entry {place} of 'files' does not give path, sha256 and bytes")
        elif not _is_plain_path(path):
            notes.wrong(
                "manifest", MANIFEST, f"entry {place} of 'files' has a path that does not stay inside the folder"
            )
        elif path in files:
            notes.wrong("manifest", path, "the file is listed twice")
        else:
            files[path] = (plain["sha256"], plain["bytes"])
            order.append(path)
    if order != sorted(order):
        notes.wrong("manifest", MANIFEST, "'files' is not sorted by path")
    return files


def _is_entry(plain: dict[str, object]) -> bool:
    return (
        isinstance(plain.get("sha256"), str)
        and bool(SHA256.fullmatch(str(plain["sha256"])))
        and _whole(plain.get("bytes"), 0)
    )


def _is_plain_path(path: str) -> bool:
    parts = path.split("/")
    return path != MANIFEST and "\\" not in path and all(part not in ("", ".", "..") for part in parts)
