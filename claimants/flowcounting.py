"""Flows of a window: which claims or people join the caseload, leave it or move within it, and in which cell.

Let a be the first day of the window's comparison (`from_date`), b the last (`to_date`), and let each unit (a
claim, or a person) have the cell p_a in which the caseload of day a counts it, or
none, the cell p_b of day b, or none, and the cell p_w among all its claims live from a
to b.  A *break* is a day in (a, b] without the unit.  Then a unit is counted

    on-flow     not on a:  in p_b, or, if not on b either, in p_w
                on a:      in p_b, if there was a break and it is on b
    off-flow    on a:      in p_a, if there was a break (not being on b is one)
                not on a:  in p_w, if not on b
    arrival     on a and b without a break, p_a and p_b differ: in p_b
    departure   the same units, in p_a

at most once in each.  Case by case, and so cell by cell,

    caseload(b) = caseload(a) + on-flow - off-flow + arrivals - departures.

Claims are never interrupted; one arrives and departs only if its copies disagree on the cell
and end on different days.  For claims whose copies agree the last two are nil.
"""

import datetime as dt
from typing import Any

import ibis
import numpy as np
import pyarrow as pa

from claimants.counting import Tally, whole
from claimants.dimensions import Dimension
from claimants.records import Shape
from claimants.spells import day_number, first_day_after, in_days
from claimants.states import ANOTHER_CLAIM, BUCKET_OF, COUNTED, DUPLICATE, State

__all__ = [
    "ARRIVAL",
    "DEPARTURE",
    "FLOWS",
    "NOT_IN_FLOW",
    "OFF",
    "ON",
    "column_of",
    "flow_query",
    "in_window",
    "months_between",
    "tally_flow",
]

ON, OFF, ARRIVAL, DEPARTURE = "on-flow", "off-flow", "arrival", "departure"
FLOWS = (ON, OFF, ARRIVAL, DEPARTURE)
NOT_IN_FLOW = "not in this flow"
# What is said of a row before it is asked whether its claim is live.
BEFORE_LIVE = (
    State.ERASED,
    State.PARTLY_ERASED,
    State.NO_PERSON,
    State.NO_START,
    State.START_NO_DATE,
    State.END_NO_DATE,
    State.END_BEFORE_START,
    State.BIRTH_NO_DATE,
    State.BORN_LATER,
)


def in_window(rows: Any, first: dt.date, last: dt.date, end: str) -> Any:
    """Rows of `claimants.records.judge` over a window, with the days that flows go by.

    Adds `first` and `off` (int64 days), `gone` (`off` as a date, missing where there is no end), `on_first`
    and `on_last` (bool): whether the claim is live on the first and the last day of the window.  A claim that
    is live on no day at all, because an exclusive end falls on its start, is not live in the window either.
    """
    rows = rows.mutate(first=in_days(rows.start), off=first_day_after(rows.end, end))
    never = (rows.off <= rows["first"]) & ~rows.state.isin([int(state) for state in BEFORE_LIVE])
    gone = rows.end + ibis.interval(days=1) if end == "inclusive" else rows.end
    return rows.mutate(
        gone=gone.cast("date"),
        state=ibis.cases((never, int(State.NOT_LIVE)), else_=rows.state).cast("int8"),
        on_first=(rows["first"] <= day_number(first)) & (rows.off > day_number(first)),
        on_last=rows.off > day_number(last),
    )


def flow_query(rows: Any, shape: Shape, *, people: bool, last: dt.date, duration: Dimension | None) -> Any:
    """Counts by state and by what happened: one row for each set of cells in which units count for the flows.

    Columns: `state`, a cell (int64, missing where not in it) for each flow, named by `column_of`, `units`, `claims`,
    `rows` and `disagreeing`.  `rows` are those of `in_window`; with `duration`, the cell of an off-flow is
    `shape`'s times the number of its bands plus the band reached on the day of the off-flow.
    """
    claims = _claims(rows, lasting=duration is not None)
    units = _people(claims, shape, last) if people else _each(claims)
    happened = {column_of(flow): _cell_of(units, flow) for flow in FLOWS}
    if duration is not None:
        months = months_between(units.start, units.gone)
        reached = [(months >= least, index) for index, least in enumerate(duration.starts)]
        band = ibis.cases(*reversed(reached), else_=0).cast("int64")
        happened[column_of(OFF)] = happened[column_of(OFF)] * len(duration.categories) + band
    return units.group_by(state=units.state, **happened).aggregate(
        units=units.count(),
        claims=whole(units.claims.sum()),
        rows=whole(units.rows.sum()),
        disagreeing=whole(units.disagreeing.sum()),
    )


def column_of(flow: str) -> str:
    """The column of `flow_query` that holds the cells of a flow."""
    return flow.replace("-", "_")


def _claims(rows: Any, *, lasting: bool) -> Any:
    """Rows that are left by claim (person, benefit, start), all others folded into one group a state.

    Copies of a claim are one claim; it lasts as long as any of them.
    """
    left = rows.state == int(State.LEFT)
    return rows.group_by(
        state=rows.state,
        person=ibis.cases((left, rows.person), else_=None),
        benefit=ibis.cases((left, rows.benefit), else_=None),
        start=ibis.cases((left, rows.start), else_=None),
    ).aggregate(
        rows=rows.count(),
        at_first=rows.cell.min(where=left & rows.on_first),
        at_last=rows.cell.min(where=left & rows.on_last),
        within=rows.cell.min(where=left),
        other=rows.cell.max(where=left),
        off=rows.off.max(where=left),
        **({"gone": rows.gone.max(where=left)} if lasting else {}),
    )


def _each(claims: Any) -> Any:
    """Every claim as a unit of its own: interrupted only by its end."""
    left = claims.state == int(State.LEFT)
    return claims.mutate(
        broken=claims.at_last.isnull(),
        claims=_flag(left),
        disagreeing=_flag(left & (claims.within != claims.other)),
    )


def _people(claims: Any, shape: Shape, last: dt.date) -> Any:
    """Persons, each in the cell of the claim that stands for them: started last; of those, of the smallest cell."""
    left = claims.state == int(State.LEFT)
    days = (day_number(last) - in_days(claims.start)) * shape.cells
    claims = claims.mutate(_first=in_days(claims.start), _claim=_flag(left))
    earlier = ibis.window(
        group_by=[claims.state, claims.person], order_by=[claims["_first"], claims.off], preceding=(None, 1)
    )
    claims = claims.mutate(_until=claims.off.max().over(earlier), _days=days)
    parted = _flag(claims["_first"] > claims["_until"])
    people = claims.group_by(state=claims.state, person=claims.person).aggregate(
        rank_first=(claims["_days"] + claims.at_first).min(),
        rank_last=(claims["_days"] + claims.at_last).min(),
        rank_within=(claims["_days"] + claims.within).min(),
        parted=parted.max(),
        claims=whole(claims["_claim"].sum()),
        rows=whole(claims.rows.sum()),
        disagreeing=whole((claims.within != claims.other).sum()),
    )
    return people.mutate(
        at_first=people.rank_first % shape.cells,
        at_last=people.rank_last % shape.cells,
        within=people.rank_within % shape.cells,
        broken=people.rank_last.isnull() | (people.parted > 0),
    )


def _cell_of(units: Any, flow: str) -> Any:
    """The cell in which a unit counts for a flow, missing where it does not: the table of this module's docstring."""
    on_first, on_last = units.at_first.notnull(), units.at_last.notnull()
    moved = on_first & on_last & ~units.broken & (units.at_first != units.at_last)
    rules: dict[str, list[tuple[Any, Any]]] = {
        ON: [
            (~on_first & on_last, units.at_last),
            (~on_first, units.within),
            (units.broken & on_last, units.at_last),
        ],
        OFF: [(on_first & units.broken, units.at_first), (~on_first & ~on_last, units.within)],
        ARRIVAL: [(moved, units.at_last)],
        DEPARTURE: [(moved, units.at_first)],
    }
    return ibis.cases(*rules[flow], else_=None).cast("int64")


def _flag(holds: Any) -> Any:
    """1 where something holds, else 0, int64."""
    return holds.cast("int64").fill_null(0)


def months_between(start: Any, day: Any) -> Any:
    """Whole months from `start` to `day`, as `claimants.dates.whole_months_before` counts them: int64."""
    months = (day.year() - start.year()) * 12 + day.month() - start.month()
    return months.cast("int64") - _flag(day.day() < start.day())


def tally_flow(table: pa.Table, flow: str, people: bool) -> Tally:
    """The result of `flow_query`, told apart into the cells of one flow and the buckets; every row is in one bucket."""
    column = {name: np.asarray(table.column(name).fill_null(-1).to_numpy()) for name in table.column_names}
    left = column["state"] == State.LEFT
    cell = column[column_of(flow)]
    counted = left & (cell >= 0)
    cells, place = np.unique(cell[counted], return_inverse=True)
    counts = np.zeros(len(cells), np.int64)
    np.add.at(counts, place, column["units"][counted])
    states: dict[State, int] = {}
    for state, rows in zip(column["state"][~left], column["rows"][~left], strict=True):
        states[State(int(state))] = states.get(State(int(state)), 0) + int(rows)
    buckets: dict[str, int] = {}
    for known, number in states.items():
        buckets[BUCKET_OF[known]] = buckets.get(BUCKET_OF[known], 0) + number
    buckets[COUNTED] = int(counts.sum())
    if people:
        buckets[ANOTHER_CLAIM] = int(column["claims"][counted].sum()) - buckets[COUNTED]
    buckets[NOT_IN_FLOW] = int(column["claims"][left & ~counted].sum())
    buckets[DUPLICATE] = int(column["rows"][left].sum()) - int(column["claims"][left].sum())
    disagreeing = int(column["disagreeing"][left].sum())
    return Tally(cells=cells, counts=counts, states=states, buckets=buckets, disagreeing=disagreeing)
