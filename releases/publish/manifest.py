"""The manifest of a release folder: what it is, how it was made, and a hash of every file in it."""

import datetime as dt
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from common.keys import key_id, sub_key
from releases.files.releasefolder import MANIFEST
from releases.publish.spec import Release
from releases.software import software_version
from reports.derived import DerivedTable
from reports.model import ReleaseFacts, ReportTable
from sdc.tables import MARKERS

__all__ = ["FORMAT", "fingerprint", "manifest_of", "plain_hash", "read_manifest", "write_manifest"]

FORMAT = "smallarea release 1"
CHUNK = 1 << 20
LIBRARIES = ("duckdb", "ibis-framework", "numba", "numpy", "pyarrow")


def plain_hash(path: Path) -> str:
    """SHA-256 of a file in hexadecimal: for published files, and for reviewers."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def fingerprint(key: bytes, path: Path) -> str:
    """Keyed fingerprint of an input file: HMAC-SHA256 under a sub-key.

    A plain hash of a small table can be searched: all likely contents are
    tried until one fits.
    """
    digest = hmac.new(sub_key(key, "fingerprint"), digestmod=hashlib.sha256)
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def manifest_of(
    release: Release,
    facts: ReleaseFacts,
    tables: Sequence[ReportTable],
    derived: Sequence[DerivedTable] = (),
    *,
    key: bytes,
    specification: str,
    inputs: Mapping[str, str],
    folder: Path,
) -> dict[str, Any]:
    """The manifest of a release whose files all stand in `folder`, as plain data."""
    hierarchy = max((table.safe.hierarchy for table in tables), key=lambda one: len(one.levels))
    return {
        "format": FORMAT,
        "id": facts.id,
        "title": facts.title,
        "series": facts.series,
        "status": facts.status,
        "label": facts.label,
        "reference_date": facts.reference_date.isoformat(),
        "extract_date": facts.extract_date.isoformat(),
        "publication": facts.publication.isoformat(),
        "next_publication": facts.next_publication.isoformat(),
        "previous": facts.previous or None,
        "population": facts.population,
        "method": {
            "name": release.protection.method,
            "base": release.protection.base,
            "min_count": release.protection.min_count,
        },
        "exceptions": [
            {"rule": one.rule, "expires": one.expires.isoformat()} | ({"tables": list(one.table)} if one.table else {})
            for one in release.exception
        ],
        "areas": {"levels": list(hierarchy.levels), "units": dict(zip(hierarchy.levels, hierarchy.units, strict=True))},
        "tables": [
            {
                "id": table.id,
                "title": table.title,
                "dimensions": list(table.safe.classification.dimensions),
                "unit": table.unit,
                **({} if table.since is None else {"measure": table.measure, "flow_from": table.since.isoformat()}),
                "cells": _cells_by_marker(table),
            }
            for table in tables
        ],
        **({"derived": [_derived_entry(table) for table in derived]} if derived else {}),
        "key_id": key_id(key),
        "fingerprints": {"specification": specification, "inputs": dict(inputs)},
        "software": {
            "smallarea": software_version(),
            **{name: version(name) for name in LIBRARIES},
        },
        "files": [
            {"path": path.relative_to(folder).as_posix(), "sha256": plain_hash(path), "bytes": path.stat().st_size}
            for path in sorted(folder.rglob("*"), key=lambda path: path.relative_to(folder).as_posix())
            if path.is_file()
        ],
    }


def write_manifest(manifest: Mapping[str, Any], folder: Path) -> Path:
    """Write the manifest into its folder, last of all files."""
    path = folder / MANIFEST
    path.write_text(json.dumps(manifest, indent=1, ensure_ascii=False) + "\n", encoding="utf-8", newline="\n")
    return path


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """The manifest of a release folder, or None where there is none of ours that says id, series and date."""
    try:
        plain = json.loads((folder / MANIFEST).read_bytes())
        dt.date.fromisoformat(plain["reference_date"])
        named = all(isinstance(plain[name], str) for name in ("id", "series"))
    except (OSError, ValueError, TypeError, LookupError):
        return None
    return plain if named and plain.get("format") == FORMAT else None


def _derived_entry(table: DerivedTable) -> dict[str, Any]:
    """A table that was worked out from published ones, or supplied: with its status, as its source has it."""
    return {
        "id": table.id,
        "title": table.title,
        "kind": table.kind,
        "status": table.status,
        "levels": [table.hierarchy.levels[level] for level in table.levels],
        **({"of": table.facts["of"]} if "of" in table.facts else {}),
        "cells": table.cells_by_marker,
    }


def _cells_by_marker(table: ReportTable) -> dict[str, int]:
    cells: dict[str, int] = {}
    for code, name in MARKERS.items():
        number = sum(int(np.count_nonzero(markers == code)) for markers in table.safe.markers)
        if number:
            cells[name or "shown"] = number
    return cells
