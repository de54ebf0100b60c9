"""The folder's files: all that are listed and no others, unchanged, and nothing among them that may not be public."""

import contextlib
import hashlib
import hmac
import json
import os
import sqlite3
import stat
from pathlib import Path
from urllib.parse import quote

import pyarrow as pa
import pyarrow.parquet as pq

from common.progress import SILENT, Progress
from releases.check.manifest import MANIFEST, Manifest
from releases.check.notes import Notes

__all__ = ["FORBIDDEN_COLUMNS", "check_columns", "check_files"]

FORBIDDEN_COLUMNS = frozenset(
    name
    for names in (
        ("count", "counts", "n", "raw", "original", "unrounded", "pre_sdc_count", "pre_sdc"),
        ("true", "true_count", "true_value", "truth"),
        ("key", "ckey", "cell_key", "record_key", "rkey", "pcv", "pvalue", "ptable"),
        ("status", "reason", "primary", "secondary", "forced", "kept", "redrawn", "bucket"),
        ("noise", "error", "loss", "lower", "upper", "lo", "hi", "interval", "posterior"),
    )
    for name in names
)
"""Names of columns that belong to the reviewers' side; no file of the public folder may have one."""

FORBIDDEN_ENDINGS = frozenset((".key", ".pem", ".toml", ".duckdb", ".db", ".sqlite", ".wal")) | frozenset(
    (".tmp", ".part", ".pickle", ".pkl", ".log", ".bak", ".lock")
)
# A key is 32 bytes at least and in practice a few hundred; a file larger than this is none.
LARGEST_KEY = 1 << 20
BLOCK = 1 << 20


def check_files(directory: Path, manifest: Manifest, notes: Notes, progress: Progress = SILENT) -> None:
    """Compare the folder with the manifest's list, file by file, and look for what may not be there."""
    found = _walk(directory, notes)
    progress.step("checking files", len(found))
    for path in sorted(set(manifest.files) - set(found)):
        notes.wrong("missing file", path, "the manifest lists the file but it is not there")
    for path, size in sorted(found.items()):
        _refuse_private(directory, path, size, manifest, notes)
        if path != MANIFEST:
            _compare(directory, path, size, manifest, notes)
        progress.advance()
    notes.figure("files", len(found))
    notes.checked("files: each one listed, with its size and SHA-256; no key, review pack, hidden or staging file")


def _walk(directory: Path, notes: Notes) -> dict[str, int]:
    """Every plain file below the folder as path -> size; a finding for whatever is no plain file."""
    found: dict[str, int] = {}
    for root, folders, files in os.walk(directory):
        for name in sorted(folders + files):
            full = os.path.join(root, name)
            path = os.path.relpath(full, directory).replace(os.sep, "/")
            what = os.lstat(full)
            if name.startswith("."):
                notes.leak("hidden file", path, "a hidden or staging file has no place in a release")
            if stat.S_ISLNK(what.st_mode):
                notes.wrong("link", path, "a symbolic link has no place in a release")
            elif stat.S_ISREG(what.st_mode):
                found[path] = what.st_size
                if what.st_mode & 0o111:
                    notes.wrong("mode", path, "the file is executable")
                if what.st_mode & 0o022:
                    notes.warn("mode", path, "others than the owner may write to the file")
            elif not stat.S_ISDIR(what.st_mode):
                notes.wrong("link", path, "is neither a file nor a folder")
    return found


def _compare(directory: Path, path: str, size: int, manifest: Manifest, notes: Notes) -> None:
    if path not in manifest.files:
        notes.wrong("unlisted file", path, "the file is there but the manifest does not list it")
        return
    digest, listed = manifest.files[path]
    if size != listed:
        notes.wrong("changed file", path, f"the file has {size} bytes, the manifest says {listed}")
    elif _sha256(directory / path) != digest:
        notes.wrong("changed file", path, "the file's SHA-256 is not the manifest's")


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _refuse_private(directory: Path, path: str, size: int, manifest: Manifest, notes: Notes) -> None:
    ending = os.path.splitext(path)[1].lower()
    if ending in FORBIDDEN_ENDINGS:
        notes.leak("private file", path, f"files that end in '{ending}' have no place in a public folder")
    if size <= LARGEST_KEY and manifest.key_id and _is_key(directory / path, manifest.key_id):
        notes.leak("key file", path, "the file is the key of the release")
    if ending == ".json":
        _refuse_review(directory / path, path, notes)
    elif ending == ".parquet":
        _parquet_columns(directory / path, path, notes)
    elif ending == ".gpkg":
        _geopackage_columns(directory / path, path, notes)
    elif ending == ".csv":
        with open(directory / path, "rb") as file:
            line = file.readline(BLOCK).decode("utf-8", "replace")
        check_columns([name.strip().strip('"') for name in line.lstrip("\ufeff").split(",")], path, notes)


def _is_key(path: Path, key_id: str) -> bool:
    """Whether the file, less one final newline, is the key whose id is HMAC-SHA256(key, "id"), shortened."""
    key = path.read_bytes().removesuffix(b"\n")
    return hmac.new(key, b"id", hashlib.sha256).hexdigest().startswith(key_id.lower())


def _refuse_review(path: Path, name: str, notes: Notes) -> None:
    try:
        plain = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        return
    if isinstance(plain, dict) and "manifest_sha256" in plain:
        notes.leak("review pack", name, "the file belongs to a review pack")


def check_columns(columns: list[str], file: str, notes: Notes) -> None:
    """A finding for each column name that belongs to the reviewers' side."""
    for column in columns:
        if column.strip().lower() in FORBIDDEN_COLUMNS:
            notes.leak("forbidden column", file, f"a public file has the column '{column.strip()}'")


def _parquet_columns(path: Path, name: str, notes: Notes) -> None:
    try:
        check_columns(pq.read_schema(path).names, name, notes)
    except (pa.ArrowException, OSError):
        notes.wrong("unreadable file", name, "cannot be read as Parquet")


def _geopackage_columns(path: Path, name: str, notes: Notes) -> None:
    try:
        address = f"file:{quote(path.resolve().as_posix())}?mode=ro&immutable=1"
        with contextlib.closing(sqlite3.connect(address, uri=True)) as database:
            layers = [row[0] for row in database.execute("SELECT table_name FROM gpkg_contents")]
            for layer in layers:
                columns = database.execute("SELECT name FROM pragma_table_info(?)", (layer,))
                check_columns([row[0] for row in columns], name, notes)
    except sqlite3.Error:
        notes.wrong("unreadable file", name, "cannot be read as a GeoPackage")
