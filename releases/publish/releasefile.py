"""Reads a release file, RELEASE.toml, with every fault at once and every path taken from its folder."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from common.faults import Faults
from releases.attack.known import with_paths
from releases.files.tomlfile import read_toml, validated
from releases.publish.spec import Release

__all__ = ["read_release"]

PATHS = {
    ("series", "previous"),
    ("series", "previous_review"),
    ("series", "earlier"),
    ("series", "key_file"),
    ("claims", "path"),
    ("claims", "dictionary"),
    ("claims", "policy"),
    ("geography", "lookup"),
}


def read_release(path: Path) -> Release:
    """Read a release file.

    Raises
    ------
    InputError
        The file is missing, is no TOML in UTF-8, or says what it may not; every fault is told.
    """
    faults = Faults(path.name)
    plain = read_toml(path, "a release file", faults)
    _refuse_two_geographies(plain, faults)
    return validated(_resolved(plain, path.parent), Release, faults)


def _refuse_two_geographies(plain: Mapping[str, Any], faults: Faults) -> None:
    if isinstance(plain.get("geography"), list):
        faults.add(
            "relation",
            "two geographies or vintages of the same people are not honoured yet",
            "write one [geography]; publish the other as a series of its own only if no difference is a count of people",
            key="geography",
        )
        faults.raise_if_any()


def _resolved(plain: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """The plain content with every path taken from the release file's folder."""
    out: dict[str, Any] = {name: dict(part) if isinstance(part, dict) else part for name, part in plain.items()}
    for part, name in PATHS:
        if isinstance(out.get(part), dict) and name in out[part]:
            out[part][name] = _from(folder, out[part][name])
    geography = out.get("geography")
    if isinstance(geography, dict):
        if isinstance(geography.get("postcodes"), dict):
            geography["postcodes"] = _with_path(geography["postcodes"], folder)
        if isinstance(geography.get("sizes"), dict):
            geography["sizes"] = _with_path(geography["sizes"], folder)
        if isinstance(geography.get("boundary"), list):
            geography["boundary"] = [_with_path(one, folder) for one in geography["boundary"]]
    for part in ("denominator", "estimate"):
        if isinstance(out.get(part), list):
            out[part] = [_with_path(one, folder) for one in out[part]]
    for part in ("already_public", "overlap"):
        out |= {part: with_paths(out[part], folder)} if part in out else {}
    return out


def _with_path(part: object, folder: Path) -> object:
    return {**part, "path": _from(folder, part["path"])} if isinstance(part, dict) and "path" in part else part


def _from(folder: Path, value: object) -> object:
    if isinstance(value, list):
        return tuple(_from(folder, one) for one in value)
    return folder / value if isinstance(value, str) else value
