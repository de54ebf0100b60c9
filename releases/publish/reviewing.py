"""What the reviewer's pack is told: everything that the public is not."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from claimants.caseload import Caseload
from common.keys import key_id
from releases.publish.manifest import plain_hash
from releases.publish.protection import Protected
from releases.publish.spec import Release
from reports.model import Boundary, ReleaseFacts, ReportTable
from reports.review import InputFile, ReviewFacts
from sdc.attack.flips import flip_rows
from sdc.attack.posterior import table_beliefs
from sdc.findings import Audit
from sdc.mends.trying import Mend
from sdc.rounding.controlled import RoundingPath
from sdc.rounding.recodes import RecodesReport
from sdc.tables import TOTAL, SafeTable, Table
from sdc.utility.rows import utility

__all__ = ["review_facts"]

# Beliefs are told for published values up to this multiple of the base: above it no count behind a value is small.
BELIEFS_TOLD = 2


def review_facts(
    release: Release,
    facts: ReleaseFacts,
    tables: tuple[ReportTable, ...],
    true: Mapping[str, Table],
    caseloads: Mapping[str, Caseload],
    audit: Audit,
    protected: Protected,
    *,
    files: Mapping[str, Path],
    spec_path: Path,
    key: bytes,
    notices: tuple[str, ...],
    boundaries: tuple[Boundary, ...] = (),
    mends: tuple[Mend, ...] = (),
    misfits: tuple[Mapping[str, object], ...] = (),
    flows: Mapping[str, Caseload] | None = None,
) -> ReviewFacts:
    """Gather the reviewer's facts of a release; `caseloads` are by population, claims first, `flows` by measure.

    `boundaries` are for the maps of exposed areas; `mends` what was tried where an exception lets findings pass.
    """
    caseload, *beside = caseloads.values()
    posterior = [row for table in tables for row in _beliefs(table, release.protection.min_count)]
    return ReviewFacts(
        release=facts,
        tables=tables,
        true=tuple(true[table.id] for table in tables),
        audit=audit,
        buckets=caseload.buckets,
        rows_read=caseload.rows_read,
        people_buckets=beside[0].buckets if beside else {},
        flow_buckets={measure: one.buckets for measure, one in (flows or {}).items()},
        spec_text=spec_path.read_text(encoding="utf-8-sig"),
        inputs=tuple(
            InputFile(name=path.name, purpose=purpose, sha256=plain_hash(path), size=path.stat().st_size)
            for purpose, path in files.items()
        ),
        making={"key id": key_id(key), **_making(protected), **_making_of_flows(protected)},
        posterior=tuple(posterior),
        highest_posterior=max((float(str(row["likeliest_value_probability"])) for row in posterior), default=None),
        max_certainty=release.protection.max_certainty,
        utility=tuple({"table": table.id, **row} for table in tables for row in utility(true[table.id], table.safe)),
        exceptions=tuple(one.model_dump(mode="json") for one in release.exception),
        notices=notices,
        boundaries=boundaries,
        mends=mends,
        misfits=misfits,
        earlier=protected.earlier,
        flips=tuple(
            {"table": table.id, **row}
            for table in tables
            if table.id in protected.earlier
            for row in flip_rows(table.safe, protected.earlier[table.id], true[table.id])
        ),
    )


def _making(protected: Protected) -> dict[str, object]:
    if protected.path is None:
        return {"rounding": "each cell by itself"}
    if isinstance(protected.path, RoundingPath):
        return _making_of(protected.path)
    if isinstance(protected.path, RecodesReport):
        return _making_of(protected.path.broadest) | _making_of_recodes(protected.path)
    told = protected.path
    parts = {"claims": _making_of(told.claims), "people": _making_of(told.people)}
    return {f"{part}: {name}": value for part, rows in parts.items() for name, value in rows.items()} | {
        "people beside claims: smallest areas whose people the claims settled": told.settled,
        "people beside claims: counts of people moved by force (a possible bias)": told.forced,
        "people beside claims: smallest areas where bounds were given up at first": told.loosened,
        "people beside claims: neighbourhoods picked again": told.neighbourhoods,
        "people beside claims: cells that changed by that": told.cells,
    }


def _making_of_flows(protected: Protected) -> dict[str, object]:
    return {
        f"{measure}: {name}": value
        for measure, path in protected.flows.items()
        for name, value in _making_of(path).items()
    }


def _making_of_recodes(told: RecodesReport) -> dict[str, object]:
    return {
        "bands inside bands: bands that were split": told.split,
        "bands inside bands: counts moved by force (a possible bias)": told.forced,
        "bands inside bands: neighbourhoods whose broader values were picked again": told.refitted,
        "bands inside bands: smallest areas that finer bands could not follow even so": told.missed,
        "bands inside bands: neighbourhoods picked again in the end": told.neighbourhoods,
        "bands inside bands: cells that changed by that": told.cells,
    }


def _making_of(path: RoundingPath) -> dict[str, object]:
    told = asdict(path)
    forced = told.pop("forced")
    # Told table by table and level by level beside the release before.
    for name in ("kept", "moved", "redrawn"):
        del told[name]
    if not told["forgotten"]:
        del told["forgotten"]
    names = {
        "duels": "totals: duels settled",
        "turned": "totals: duels turned because a table had no rounding for the draw",
        "apart": "totals: pairs of areas set apart, because a table could not follow both ends without bias",
        "repaired": "totals: neighbourhoods solved together, because tables tie three or more areas to each other",
        "together": "totals: smallest areas drawn with the categories of one table, because these tie three or more of them",
        "cycles": "categories: cycles cancelled",
        "forgotten": "areas around which no value of the release before could be kept",
    }
    out: dict[str, object] = {names.get(name, name): value for name, value in told.items()}
    return out | {f"{name}: counts moved by force (a possible bias)": round(by, 3) for name, by in forced.items()}


def _beliefs(table: ReportTable, min_count: int) -> list[dict[str, object]]:
    """One row per level, category and small published value: what an attacker would believe of it."""
    safe: SafeTable = table.safe
    rows: list[dict[str, object]] = []
    for belief in table_beliefs(safe, min_count=min_count):
        for at, shown in enumerate(belief.shown.tolist()):
            if shown > BELIEFS_TOLD * safe.method.base:
                break
            rows.append(
                {
                    "table": table.id,
                    "level": safe.hierarchy.levels[belief.level],
                    "category": ", ".join(safe.classification.columns[belief.column]) or TOTAL,
                    "shown": shown,
                    "cells": int(belief.cells[at]),
                    "likeliest_value": int(belief.likeliest[at]),
                    "likeliest_value_probability": round(float(belief.certainty[at]), 4),
                    "small_probability": round(float(belief.small[at]), 4),
                    "prior": str(belief.prior),
                }
            )
    return rows
