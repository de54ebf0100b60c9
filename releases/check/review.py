"""The reviewers' folder: closed to others, of the same release, and true counts that agree with what is published.

Nothing said here carries a true count: a finding names the cell alone.
"""

import json
import os
import stat
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from common.faults import Fault, InputError
from releases.check.additivity import sums_to_parents
from releases.check.flows import compare_flows
from releases.check.manifest import UNITS, Manifest
from releases.check.notes import SHOWN, Notes
from releases.check.people import by_unit, compare_people
from releases.check.tables import MARKERS, Published, read_long, whole_numbers

__all__ = ["check_review"]

SUMMARY = "summary.json"
SIGNED = r"^(0|-?[1-9][0-9]{0,14})$"
BESIDE = "true-beside-published-{id}.csv"


def check_review(review: Path, manifest: Manifest, tables: Sequence[Published], notes: Notes) -> None:
    """Check the review folder against the release that was read from its public folder.

    Raises
    ------
    InputError
        The folder is not there.
    """
    if not review.is_dir():
        mend = "name the folder that `smallarea publish` wrote for reviewers, or leave --review-dir out"
        raise InputError([Fault(kind="review", file=str(review), found="is no folder", mend=mend)])
    _check_modes(review, notes)
    _check_summary(review, manifest, notes)
    true_counts: dict[str, tuple[np.ndarray, ...]] = {}
    for table in tables:
        true = _true_counts(review, table, notes)
        if true is not None:
            _check_error(table, true, manifest, notes)
            _check_additive(table, true, notes)
            true_counts[table.id] = true
    counted = by_unit([table for table in tables if table.id in true_counts], manifest)
    for alike in counted.values():
        _check_same_totals([(one, tuple(level[:, -1] for level in true_counts[one.id])) for one in alike], notes)
    if set(counted) == set(UNITS):
        compare_people(counted, true_counts, notes, file=f"review/{BESIDE}")
    known = [table for table in tables if table.id in true_counts]
    compare_flows(known, true_counts, manifest, notes, file=f"review/{BESIDE}")
    notes.checked("review folder: closed to others, same release, true counts additive and within the method's bound")


def _check_modes(review: Path, notes: Notes) -> None:
    if stat.S_IMODE(review.stat().st_mode) != 0o700:
        notes.leak("mode", "review", "the review folder is not of mode 0700")
    for root, folders, files in os.walk(review):
        for name in sorted(folders + files):
            mode = os.lstat(os.path.join(root, name)).st_mode
            path = os.path.relpath(os.path.join(root, name), review)
            if stat.S_ISLNK(mode):
                notes.wrong("link", f"review/{path}", "a symbolic link has no place in a review folder")
            elif mode & 0o077:
                notes.leak("mode", f"review/{path}", "others than the owner have rights to a file of the reviewers")


def _check_summary(review: Path, manifest: Manifest, notes: Notes) -> None:
    try:
        plain = json.loads((review / SUMMARY).read_bytes())
    except (OSError, ValueError):
        notes.wrong("review", f"review/{SUMMARY}", "is missing or cannot be read as JSON")
        return
    told = plain if isinstance(plain, dict) else {}
    if told.get("release") != manifest.id:
        notes.wrong("review", f"review/{SUMMARY}", "belongs to another release than the public folder")
    if told.get("manifest_sha256") != manifest.sha256:
        notes.wrong("review", f"review/{SUMMARY}", "belongs to another manifest than that of the public folder")


def _true_counts(review: Path, table: Published, notes: Notes) -> tuple[np.ndarray, ...] | None:
    """True counts per level from ``true-beside-published-<id>.csv``.

    Its columns `published`, `marker` and `difference` (published - true) must be
    those of the public file; value and difference are empty where a marker stands.
    """
    name = BESIDE.format(id=table.id)
    file = f"review/{name}"
    columns = ("area_level", "area", *table.layout.dimensions, "true", "published", "marker", "difference")
    long = read_long(review / name, file, columns, table.layout, notes)
    if long is None:
        return None
    true = whole_numbers(long, "true", file, table.layout, notes)
    told = whole_numbers(long, "published", file, table.layout, notes)
    marker = pc.index_in(long["marker"], value_set=pa.array(MARKERS)).to_numpy().astype(np.float64)
    difference = _signed_numbers(long["difference"])
    markers = np.concatenate([each.ravel() for each in table.markers])
    public = np.where(markers == 0, np.concatenate([each.ravel() for each in table.values]).astype(np.float64), np.nan)
    _tell(_differ(told, public), "the published value is not that of the public file", file, table, notes)
    _tell(marker != markers, "the marker is not that of the public file", file, table, notes)
    what = "the difference is not the published value less the true count"
    _tell(_differ(difference, public - true) & ~np.isnan(true), what, file, table, notes)
    _tell(np.isnan(true), "has no true count", file, table, notes)
    return None if np.isnan(true).any() else table.layout.split(true.astype(np.int64))


def _differ(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """True where two columns differ; two that are both empty (NaN) do not."""
    different: np.ndarray = ~((one == other) | (np.isnan(one) & np.isnan(other)))
    return different


def _signed_numbers(column: pa.ChunkedArray) -> np.ndarray:
    """Whole numbers with or without a minus sign as float64: NaN where blank, infinite where anything else stands."""
    blank = pc.equal(column, "").to_numpy()
    signed = pc.match_substring_regex(column, SIGNED).to_numpy()
    numbers: np.ndarray = pc.if_else(pa.array(signed), column, None).cast(pa.float64()).to_numpy(zero_copy_only=False)
    return np.where(signed | blank, numbers, np.inf)


def _check_error(table: Published, true: tuple[np.ndarray, ...], manifest: Manifest, notes: Notes) -> None:
    """|published - true| < base; for conventional rounding 2 |published - true| <= base; none for exact figures."""
    twice = {"conventional-rounding": manifest.base, "exact": 0}.get(manifest.method, 2 * manifest.base - 1)
    wrong = [
        (2 * np.abs(values - counts) > twice) & (markers == 0)
        for values, counts, markers in zip(table.values, true, table.markers, strict=True)
    ]
    flat = np.concatenate([array.ravel() for array in wrong])
    _tell(flat, "the published value lies further from the true count than the method allows", table.file, table, notes)


def _check_additive(table: Published, true: tuple[np.ndarray, ...], notes: Notes) -> None:
    file = f"review/{BESIDE.format(id=table.id)}"
    wrong = [np.zeros(counts.shape, bool) for counts in true]
    for level, counts in enumerate(true):
        if table.layout.categories:
            wrong[level][:, -1] |= counts[:, :-1].sum(axis=1) != counts[:, -1]
        if level:
            parents = table.layout.parents[level - 1]
            wrong[level] |= sums_to_parents(true[level - 1], parents, len(counts)) != counts
    flat = np.concatenate([array.ravel() for array in wrong])
    _tell(flat, "the true counts do not add up to this cell", file, table, notes)


def _check_same_totals(totals: list[tuple[Published, tuple[np.ndarray, ...]]], notes: Notes) -> None:
    first, wanted = max(totals, key=lambda one: len(one[1]))
    for table, counts in totals:
        alike = first.layout.levels_alike(table.layout)
        if any(not np.array_equal(counts[mine], wanted[level]) for level, mine in alike):
            notes.wrong("review", f"review/{BESIDE.format(id=table.id)}", f"has other true totals than {first.id}")


def _tell(wrong: np.ndarray, what: str, file: str, table: Published, notes: Notes) -> None:
    rows = np.flatnonzero(wrong)
    for row in rows[:SHOWN].tolist():
        notes.wrong("review", file, what, cell=table.layout.cell_of_row(row))
    notes.more("review", file, max(0, len(rows) - SHOWN))
