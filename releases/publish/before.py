"""The release before: what it published, from its folder, and the true counts behind it, from its review pack.

True counts say which figures did not change, so that these can keep their values.
Both files of a table hold the same cells in the same order, and are held to each
other: a review pack of another release, or a changed file, is refused.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pv
import pyarrow.parquet as pq

from common.faults import Faults
from releases.files.releasefolder import MANIFEST
from releases.publish.manifest import plain_hash
from sdc.rounding.kept import Before, Earlier, earlier_of
from sdc.tables import Classification, Table

__all__ = ["PreviousTable", "match_tables", "read_previous"]

BESIDE = "true-beside-published-{id}.csv"
SUMMARY = "summary.json"


@dataclass(frozen=True, kw_only=True, eq=False)
class PreviousTable:
    """One table of the release before, and what it counts: ``claims`` or ``people``, or which flow of which window."""

    unit: str
    before: Before


def read_previous(folder: Path, review: Path, manifest: Mapping[str, Any], file: str) -> tuple[PreviousTable, ...]:
    """Every table of the release in `folder`, with the true counts that its review pack holds.

    Raises
    ------
    InputError
        The review pack is missing or of another release, or a file is missing, changed or cannot be read.
    """
    faults = Faults(file)
    _check_pack(folder, review, faults)
    faults.raise_if_any()
    hashes = {one["path"]: one["sha256"] for one in manifest.get("files", ())}
    found = []
    for told in manifest.get("tables", ()):
        public, beside = f"tables/{told['id']}.parquet", BESIDE.format(id=told["id"])
        path = folder / public
        if not path.is_file() or plain_hash(path) != hashes.get(public):
            faults.add(
                "series",
                f"{public} of the release before is missing, or not as it was published",
                "restore the folder that publish wrote; `smallarea check` tells what else is amiss",
                key="series.previous",
            )
            continue
        one = _read_table(path, review / beside, tuple(told["dimensions"]))
        if one is None:
            faults.add(
                "series",
                f"{beside} in the review pack of the release before does not fit what was published",
                "restore the review pack that publish wrote",
                key="series.previous_review",
            )
            continue
        found.append(PreviousTable(unit=_counted(told, manifest), before=one))
    faults.raise_if_any()
    return tuple(found)


def match_tables(
    tables: Mapping[str, Table], units: Mapping[str, str], previous: Sequence[PreviousTable]
) -> dict[str, Earlier]:
    """Each table's cells in the release before: in the table of the same dimensions, else the totals of another.

    Tables are compared by what they count and by their dimensions, never by their ids.
    """
    found = {}
    for name, table in tables.items():
        same = [one.before for one in previous if one.unit == units[name]]
        # More of its categories first, then any table, for its totals.
        same.sort(key=lambda one: -_shared(table.classification, one.classification))
        if same:
            found[name] = earlier_of(table, same[0])
    return found


def _counted(told: Mapping[str, Any], manifest: Mapping[str, Any]) -> str:
    """What a table counts, as `releases.publish.flowtables.counted_as` names it."""
    unit, measure = str(told["unit"]), told.get("measure")
    return unit if measure is None else f"{unit}, {measure} after {told['flow_from']} to {manifest['reference_date']}"


def _shared(one: Classification, other: Classification) -> int:
    if one.dimensions != other.dimensions:
        return -1
    return len(set(one.categories) & set(other.categories))


def _check_pack(folder: Path, review: Path, faults: Faults) -> None:
    mend = "set series.previous_review to where it is, or series.keep_values = false to draw this release afresh"
    if not review.is_dir():
        faults.add(
            "series",
            f"the review pack of the release before, {review.name}, is not there; its true counts say which figures "
            "did not change",
            mend,
            key="series.previous_review",
        )
        return
    try:
        told = json.loads((review / SUMMARY).read_bytes())["manifest_sha256"]
    except (OSError, ValueError, TypeError, LookupError):
        told = None
    if told != plain_hash(folder / MANIFEST):
        faults.add(
            "series",
            f"{review.name} is not the review pack of the release before, {folder.name}",
            mend,
            key="series.previous_review",
        )


def _read_table(public: Path, beside: Path, dimensions: tuple[str, ...]) -> Before | None:
    """A table from its published file and its true counts; None where the two do not fit together."""
    names = ("area_level", "area", *dimensions)
    text = dict.fromkeys(names, pa.string())
    options = pv.ConvertOptions(
        column_types={**text, "true": pa.int64(), "published": pa.int64()},
        include_columns=[*names, "true", "published"],
        strings_can_be_null=False,
    )
    try:
        shown = pq.read_table(public, columns=[*names, "value"])
        true = pv.read_csv(beside, convert_options=options)
    except (OSError, pa.ArrowException, KeyError):
        return None
    if any(not _equal(shown[name], true[name]) for name in names) or not _equal(shown["value"], true["published"]):
        return None
    if shown["value"].null_count or true["true"].null_count:
        return None
    return _shaped(true, dimensions)


def _equal(one: pa.ChunkedArray, other: pa.ChunkedArray) -> bool:
    return len(one) == len(other) and bool(
        pc.all(pc.equal(one, other.cast(one.type)), skip_nulls=False).as_py() is True
    )


def _shaped(rows: pa.Table, dimensions: tuple[str, ...]) -> Before | None:
    """Rows in the order in which tables are written (level, area, category, the total last) as arrays per level."""
    level = rows["area_level"].combine_chunks().dictionary_encode()
    runs = level.indices.to_numpy()
    starts = np.flatnonzero(np.append(True, runs[1:] != runs[:-1]))
    ends = np.append(starts[1:], len(runs))
    area = rows["area"].combine_chunks()
    width = _width(area, int(ends[0]))
    if np.any((ends - starts) % width):
        return None
    head = rows.slice(0, width)
    columns = list(zip(*(head[name].to_pylist() for name in dimensions), strict=True)) if dimensions else [()]
    categories = tuple(columns[:-1]) if dimensions else ()
    counts, values = (rows[name].to_numpy().astype(np.int64) for name in ("true", "published"))
    return Before(
        levels=tuple(level.dictionary[int(runs[start])].as_py() for start in starts),
        codes=tuple(
            np.array(area.slice(start, end - start).to_pylist()[::width])
            for start, end in zip(starts, ends, strict=True)
        ),
        classification=Classification(dimensions=dimensions, categories=categories),
        counts=tuple(counts[start:end].reshape(-1, width) for start, end in zip(starts, ends, strict=True)),
        values=tuple(values[start:end].reshape(-1, width) for start, end in zip(starts, ends, strict=True)),
    )


def _width(area: pa.Array, most: int) -> int:
    """How many rows the first area has, of those of its level: one for each category, and the total."""
    other = np.flatnonzero(pc.not_equal(area.slice(0, most), area[0]).to_numpy(zero_copy_only=False))
    return int(other[0]) if len(other) else most
