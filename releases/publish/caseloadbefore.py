"""The caseload that a release before published, as the figures that flows lead from: cut to what lasts.

Benefit and sex stay what they are while a claim goes on; by anything else the caseloads of two days differ by more than
flows, and totals alone are taken.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from common.faults import InputError
from releases.attack.publicblock import Told, read_told
from releases.publish.before import PreviousTable
from sdc.tables import Classification, Hierarchy, Method, SafeTable, Table

__all__ = ["LASTING", "CaseloadBefore", "caseloads_before"]

LASTING = ("benefit", "sex")


@dataclass(frozen=True, kw_only=True, eq=False)
class CaseloadBefore:
    """One table of the release before; `truth` where its review pack is at hand."""

    id: str
    safe: SafeTable
    truth: Table | None


def caseloads_before(
    folder: Path,
    manifest: Mapping[str, Any],
    tables: Sequence[PreviousTable],
    now: Sequence[Table],
    *,
    population: str,
) -> tuple[CaseloadBefore, ...] | None:
    """The tables of a population's caseload in a release folder; None where one cannot be read or has other areas.

    `tables` are those of its review pack, or empty; `now` the tables of the new release, whose areas
    and categories they must have to be held against them.
    """
    found = []
    for entry in manifest["tables"]:
        if "measure" in entry or entry["unit"] != population:
            continue
        file = folder / "tables" / f"{entry['id']}.csv"
        safe = _read(file)
        if safe is None or not all(_same_areas(safe.hierarchy, table.hierarchy) for table in now):
            return None
        found.append(_lasting(CaseloadBefore(id=file.stem, safe=safe, truth=_truth(safe, tables)), now))
    return tuple(found)


def _read(file: Path) -> SafeTable | None:
    """A table of controlled rounding, as it was published."""
    try:
        told = read_told(file)
        rows = pq.read_table(file.with_suffix(".parquet"), columns=["value"])
    except (OSError, pa.ArrowException, InputError, KeyError):
        return None
    if told is None or not told.is_network or rows["value"].null_count:
        return None
    columns = told.classification.columns
    ends = np.cumsum(told.hierarchy.units) * len(columns)
    values = rows["value"].to_numpy().astype(np.int64)
    if len(values) != ends[-1]:
        return None
    parts = np.split(values, ends[:-1])
    return _safe(told, tuple(part.reshape(-1, len(columns)) for part in parts))


def _safe(told: Told, values: tuple[np.ndarray, ...]) -> SafeTable:
    method = Method(name=told.method, base=told.base, min_count=told.min_count, **told.further)
    return SafeTable(hierarchy=told.hierarchy, classification=told.classification, values=values, method=method)


def _truth(safe: SafeTable, tables: Sequence[PreviousTable]) -> Table | None:
    """The true counts behind a table: of the one in the review pack that shows the same."""
    for one in (table.before for table in tables):
        alike = one.classification == safe.classification and one.levels == safe.hierarchy.levels
        if alike and all(map(np.array_equal, one.values, safe.values)):
            return Table(hierarchy=safe.hierarchy, classification=safe.classification, counts=one.counts)
    return None


def _same_areas(one: Hierarchy, other: Hierarchy) -> bool:
    """Whether areas and nesting are the same at all levels that both have."""
    shared = min(len(one.levels), len(other.levels))
    one, other = (tree.from_level(len(tree.levels) - shared) for tree in (one, other))
    return (
        one.levels == other.levels
        and all(map(np.array_equal, one.codes, other.codes))
        and all(map(np.array_equal, one.parents, other.parents))
    )


def _lasting(one: CaseloadBefore, now: Sequence[Table]) -> CaseloadBefore:
    """The table, or its totals where it is by what changes, or by other categories than now."""
    own = one.safe.classification
    alike = all(
        _codes(table.classification, name) == _codes(own, name)
        for table in now
        for name in set(own.dimensions) & set(table.classification.dimensions)
    )
    if alike and set(own.dimensions) <= set(LASTING):
        return one
    totals = SafeTable(
        hierarchy=one.safe.hierarchy,
        classification=Classification(dimensions=(), categories=()),
        values=tuple(np.ascontiguousarray(values[:, -1:]) for values in one.safe.values),
        method=one.safe.method,
    )
    return CaseloadBefore(id=one.id, safe=totals, truth=None if one.truth is None else one.truth.totals())


def _codes(classification: Classification, name: str) -> set[str]:
    place = classification.dimensions.index(name)
    return {category[place] for category in classification.categories}
