"""Flows over a window: claims or people that join the caseload, leave it or move within it.

The window is (from_date, to_date]: from the day after the first date to the second, so that windows
that follow each other share no day.  What counts for which flow, and in which cell,
stands in `claimants.flowcounting`; the identity that holds there is

    caseload(to_date) = caseload(from_date) + on-flow - off-flow + arrivals - departures,

cell by cell, both caseloads counted from the same extract as the flows, by benefit, sex or
neither.  Bands change by themselves while a claim goes on: with them the identity is not claimed
(`FlowSpec.keeps_identity`).  Age is that on `to_date`; duration is told of off-flows alone,
from the start of the claim to the first day without it.
"""

import datetime as dt
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from claimants.caseload import Caseload, CaseloadSpec, notices_of, open_counted, refuse_areas, refuse_nothing
from claimants.counting import Tally
from claimants.dimensions import Dimension
from claimants.engine import DEFAULT_ENGINE, DEFAULT_MEMORY, EngineRefusal, connect, fetch
from claimants.extract import Extract, ExtractSpec
from claimants.flowcounting import FLOWS, NOT_IN_FLOW, OFF, ON, flow_query, in_window, tally_flow
from claimants.protection import PROTECTION
from claimants.records import Shape, judge
from claimants.states import SPECIALLY_PROTECTED, State, in_order
from common.progress import SILENT, Progress

if TYPE_CHECKING:
    from geography.postcodes import Postcodes

__all__ = ["FlowSpec", "count_flow", "count_flows"]

# Dimensions that stay what they are from one day to another: of a claim its benefit, of a person their sex.
LASTING = ("benefit", "sex")
AGE, DURATION = "age_band", "duration_band"


@dataclass(frozen=True, kw_only=True)
class FlowSpec:
    """Which flow is counted.

    Attributes
    ----------
    from_date, to_date : the window is the days after the first, up to and including the second.
    flow : "on-flow", "off-flow", or "arrival" or "departure" for those who move from one cell to another.
    count : "claims", or "people": each person at most once.
    dimensions : of the joint table: benefit, sex, age_band (age on `to_date`), and for
        off-flows of claims duration_band (when the claim was left).

    Raises
    ------
    ValueError
        The dates are not in order, an attribute is not one of those named, or a dimension cannot go with the flow.
    """

    from_date: dt.date
    to_date: dt.date
    flow: str
    count: str = "claims"
    dimensions: tuple[Dimension, ...] = ()

    def __post_init__(self) -> None:
        if not self.from_date < self.to_date:
            raise ValueError(f"from_date ({self.from_date}) must be before to_date ({self.to_date})")
        if self.flow not in FLOWS:
            raise ValueError(f"flow ({self.flow}) must be one of {', '.join(FLOWS)}")
        if self.count not in ("claims", "people"):
            raise ValueError(f"count ({self.count}) must be claims or people")
        names = [dimension.name for dimension in self.dimensions]
        if len(set(names)) != len(names):
            raise ValueError(f"dimensions ({', '.join(names)}) must be all different")
        for name in names:
            if name not in (*LASTING, AGE, DURATION):
                raise ValueError(f"dimensions ({name}) must be of {', '.join((*LASTING, AGE, DURATION))}")
        if DURATION in names and (self.flow, self.count) != (OFF, "claims"):
            raise ValueError(f"dimensions ({DURATION}) must be asked of off-flows of claims alone")

    @property
    def keeps_identity(self) -> bool:
        """Whether caseloads by the same dimensions differ by the flows exactly."""
        return all(dimension.name in LASTING for dimension in self.dimensions)


def count_flow(
    extract: ExtractSpec,
    *,
    area_codes: np.ndarray,
    postcodes: "Postcodes | None",
    spec: FlowSpec,
    progress: Progress = SILENT,
    engine: str = DEFAULT_ENGINE,
    spill: Path | None = None,
    memory: str = DEFAULT_MEMORY,
    threads: int | None = None,
) -> Caseload:
    """Count one flow: `count_flows` for the flow of the spec alone."""
    flows = count_flows(
        extract,
        area_codes=area_codes,
        postcodes=postcodes,
        spec=spec,
        flows=(spec.flow,),
        progress=progress,
        engine=engine,
        spill=spill,
        memory=memory,
        threads=threads,
    )
    return flows[spec.flow]


def count_flows(
    extract: ExtractSpec,
    *,
    area_codes: np.ndarray,
    postcodes: "Postcodes | None",
    spec: FlowSpec,
    flows: tuple[str, ...] = (ON, OFF),
    progress: Progress = SILENT,
    engine: str = DEFAULT_ENGINE,
    spill: Path | None = None,
    memory: str = DEFAULT_MEMORY,
    threads: int | None = None,
) -> dict[str, Caseload]:
    """Count several flows of one window in one pass over the columns that they take; `spec.flow` has no say.

    Parameters and errors are those of `claimants.caseload.count_caseload`.  Cells are those of a
    caseload.  Buckets are too, but for two things: "not live on the date" says that no day of the
    window, `from_date` included, finds the claim live; and claims that are live in it
    and not in the flow stand in a bucket more, "not in this flow".
    """
    for flow in flows:
        replace(spec, flow=flow)  # says what is wrong with it
    progress.step(f"Counting flows of {spec.count}", total=1)
    duration = next((one for one in spec.dimensions if one.name == DURATION), None)
    judged = tuple(one for one in spec.dimensions if one is not duration)
    shape = Shape(areas=len(area_codes), dimensions=judged)
    with connect(engine=engine, spill=spill, memory=memory, threads=threads) as connection:
        wanted = CaseloadSpec(reference_date=spec.to_date, count=spec.count, dimensions=judged)
        opened = open_counted(connection, extract, wanted, postcodes is not None)
        rows = judge(
            connection,
            opened,
            reference_date=spec.to_date,
            dimensions=judged,
            area_codes=area_codes,
            postcodes=postcodes,
            live_from=spec.from_date,
        )
        placed = in_window(rows, spec.from_date, spec.to_date, extract.end)
        people = spec.count == "people"
        query = flow_query(placed, shape, people=people, last=spec.to_date, duration=duration)
        try:
            happened = fetch(connection, query)
            refused = False
        except EngineRefusal:
            refused = True
        if refused:
            raise opened.explain_refusal()
        tallies = {flow: tally_flow(happened, flow, people) for flow in flows}
        if any(State.UNKNOWN_AREA in tally.states for tally in tallies.values()):
            refuse_areas(connection, placed, opened)
    whole = replace(shape, dimensions=(*judged, duration)) if duration is not None else shape
    counted = {flow: _caseload(tally, whole, spec, opened) for flow, tally in tallies.items()}
    progress.advance()
    return counted


def _caseload(tally: Tally, shape: Shape, spec: FlowSpec, opened: Extract) -> Caseload:
    rows_read = sum(tally.buckets.values())
    if opened.rows is not None and rows_read != opened.rows:
        raise RuntimeError(f"buckets hold {rows_read} rows, the files {opened.rows}")
    refuse_nothing(rows_read, opened)
    occurring = [SPECIALLY_PROTECTED] if any(PROTECTION in part.columns for part in opened.parts) else []
    return Caseload(
        cells=_cells(tally, shape, spec.dimensions),
        dimensions=spec.dimensions,
        buckets=in_order(tally.buckets, *occurring) | {NOT_IN_FLOW: tally.buckets[NOT_IN_FLOW]},
        rows_read=rows_read,
        notices=tuple(notices_of(tally, opened)),
    )


def _cells(tally: Tally, shape: Shape, dimensions: tuple[Dimension, ...]) -> pa.Table:
    """Cells with the dimensions in the order in which they were asked for, sorted by area and then by these."""
    names = ["area", *(dimension.name for dimension in shape.dimensions)]
    columns = dict(zip(names, shape.unpack(tally.cells), strict=True))
    ordered = {"area": columns["area"], **{one.name: columns[one.name] for one in dimensions}}
    table = pa.table({**ordered, "count": tally.counts})
    return table.sort_by([(name, "ascending") for name in ordered])
