"""Tables of flows in a release: what may be asked, the window they are counted over, and how they are counted.

A flow is a measure of its own: its tables are counted, drawn and judged together, apart from those of the
caseload, and share no figure with these.  What stocks and flows say of each other is in `releases.publish.flowties`.
"""

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from claimants.caseload import Caseload
from claimants.dimensions import Dimension
from claimants.flows import FlowSpec, count_flows
from common.faults import Faults
from common.progress import Progress
from releases.publish.inputs import Inputs
from releases.publish.manifest import read_manifest
from releases.publish.spec import CASELOAD, FLOWS, Flows, Release, TableSpec

__all__ = ["count_flow_tables", "counted_as", "flow_name", "refuse_flows", "tables_of", "with_window"]

T = TypeVar("T")

DURATION = "duration_band"
# What flows can be by; see `claimants.flows.FlowSpec`.
BY = ("benefit", "sex", "age_band")


def tables_of(release: Release, measure: str, found: Mapping[str, T]) -> dict[str, T]:
    """What is kept by table id, of the tables of one measure."""
    measures = {table.id: table.measure for table in release.table}
    return {id_: one for id_, one in found.items() if measures[id_] == measure}


def flow_name(release: Release, measure: str) -> str:
    """The measure of a flow with its window, as the metadata of its tables tell it; blank for a caseload."""
    if measure == CASELOAD:
        return ""
    assert release.flows is not None
    return f"{measure} since {release.flows.since.isoformat()}"


def counted_as(release: Release) -> dict[str, str]:
    """By table id a name of what it counts: figures of two releases can be the same only where it is.

    Flows of two windows are two counts.
    """
    out = {}
    for table in release.table:
        since, unit = release.window_start(table), release.counts(table)
        last = release.release.reference_date
        out[table.id] = unit if since is None else f"{unit}, {table.measure} after {since} to {last}"
    return out


# --- What may be asked ------------------------------------------------------------------------------


def refuse_flows(release: Release, dimensions: Mapping[str, Mapping[str, Dimension]], faults: Faults) -> None:
    """Note what cannot be asked of flows.

    `dimensions` gives, by table id, the table's dimensions by name.
    """
    flows = [table for table in release.table if table.measure in FLOWS]
    if not release.caseload:
        found = "every table is of a flow, and none of the caseload that it changes"
        faults.add("flow", found, "add a table of the caseload", key="table.measure")
    if not flows:
        if release.flows is not None:
            faults.add("flow", "gives a window, and no table is of a flow", "remove it, or set measure", key="flows")
        return
    _refuse_window(release, faults)
    _refuse_beside(release, faults)
    for table in flows:
        _refuse_dimensions(table, dimensions[table.id], faults)


def _refuse_window(release: Release, faults: Faults) -> None:
    last = release.release.reference_date
    if release.flows is None and release.series.previous is None:
        faults.add(
            "flow",
            "a first release has none before it to count flows from",
            "set [flows] from to the day that they are counted from",
            key="flows.from",
        )
    if release.flows is not None and release.flows.since >= last:
        found = f"flows are counted from {release.flows.since}, which is not before the reference date {last}"
        faults.add("flow", found, "give an earlier day", key="flows.from")


def _refuse_beside(release: Release, faults: Faults) -> None:
    """Refuse what would be tied to flows in ways that are not attacked."""
    if len({release.counts(table) for table in release.table}) > 1:
        faults.add(
            "flow",
            "tables of flows stand beside tables of both claims and people: what flows of the one say of the other is not "
            "honoured yet",
            "count claims alone, or people alone, and the other in a release of its own",
            key="table.count",
        )
    if release.claims.non_claimants:
        faults.add(
            "flow",
            "flows are of claims, and people who claim nothing are counted in the caseload",
            "leave non_claimants out, or publish flows in a release of their own",
            key="claims.non_claimants",
        )
    for number, one in enumerate(release.already_public, start=1):
        if one.measure not in (CASELOAD, *FLOWS):
            faults.add(
                "flow",
                f"nobody says what {one.path.name} counts, which may be the caseload or a flow",
                f'set measure = "{CASELOAD}", "{FLOWS[0]}" or "{FLOWS[1]}"',
                key=f"already_public.{number}.measure",
            )


def _refuse_dimensions(table: TableSpec, dimensions: Mapping[str, Dimension], faults: Faults) -> None:
    def refuse(name: str, why: str, mend: str) -> None:
        faults.add(
            "flow", f"table '{table.id}' counts {table.measure}s by {name}: {why}", mend, key=f"table.{table.id}.by"
        )

    for name in dimensions:
        if name == DURATION:
            if table.measure != "off-flow":
                refuse(name, "a claim that starts has lasted no time yet", "leave it out, or count off-flows")
        elif name not in BY:
            why = "it may change while a claim goes on, so that nobody started or stopped to be counted by it"
            refuse(name, why, f"use {', '.join(BY)}")


def with_window(release: Release, file: str) -> Release:
    """The release with the window of its flows: where it gives none, from the reference date of the release before.

    Where that is of the same date, which this one revises, its window is this one's.

    Raises
    ------
    InputError
        The release before is of the same date and tells no window.
    """
    if not release.flow_measures or release.flows is not None:
        return release
    assert release.series.previous is not None
    before = read_manifest(release.series.previous)
    assert before is not None  # a folder that is no release has been refused
    since = dt.date.fromisoformat(before["reference_date"])
    if since >= release.release.reference_date:
        told = {table.get("flow_from") for table in before.get("tables", ())} - {None}
        if len(told) != 1:
            faults = Faults(file)
            found = "the release before is of the same reference date and has no flows"
            faults.add("flow", found, "set [flows] from to the day that they are counted from", key="flows.from")
            faults.raise_if_any()
        since = dt.date.fromisoformat(told.pop())
    return release.model_copy(update={"flows": Flows.model_validate({"from": since})})


# --- Counting ---------------------------------------------------------------------------------------


def count_flow_tables(
    release: Release,
    inputs: Inputs,
    dimensions: Mapping[str, Mapping[str, Dimension]],
    spill: Path,
    progress: Progress,
    threads: int | None,
    engine: str,
) -> dict[str, Caseload]:
    """Each flow that tables are of, by all dimensions that they need: both in one pass, unless these differ.

    Raises
    ------
    InputError
        As `claimants.flows.count_flows`.
    """
    if not release.flow_measures:
        return {}
    assert release.flows is not None
    wanted: dict[str, dict[str, Dimension]] = {measure: {} for measure in release.flow_measures}
    for table in release.table:
        if table.measure in wanted:
            wanted[table.measure] |= dimensions[table.id]
    shared = {name: one for own in wanted.values() for name, one in own.items()}
    if DURATION not in shared and all(shared[name] == one for own in wanted.values() for name, one in own.items()):
        passes = {tuple(wanted): shared}
    else:
        passes = {(measure,): own for measure, own in wanted.items()}
    counted: dict[str, Caseload] = {}
    for flows, by in passes.items():
        spec = FlowSpec(
            from_date=release.flows.since,
            to_date=release.release.reference_date,
            flow=flows[0],
            count=release.populations[0],
            dimensions=tuple(by.values()),
        )
        counted |= count_flows(
            inputs.extract,
            area_codes=inputs.areas.codes[0],
            postcodes=inputs.postcodes,
            spec=spec,
            flows=flows,
            progress=progress,
            engine=engine,
            spill=spill,
            threads=threads,
        )
    return {measure: counted[measure] for measure in release.flow_measures}
