"""Frozen extracts: what counting a quarter needs, in the coarsest form that gives the same counts, and no more.

A frozen extract holds one row for each claim that was live on some day from the first date of
its window to the reference date, by fields of the data dictionary:

- `person_reference`: a keyed reference (`claimants.pseudonyms`);
- `benefit`: its code; `sex`, where some table is by it: its code;
- `claim_start`: as it stands; `claim_end`: as it stands where the claim was over on the reference
  date, else blank, since nobody needs to know when a live claim was going to end;
- `output_area`: the smallest area, in place of a postcode;
- `birth_date`, where some table is by age: the latest date of birth of the age band on the reference date.  It says the
  band and no more, and counts like the true one.

Erased records, people under special protection, faulty rows and claims that could not be counted are not in it,
copies of a claim are one row: the one that would count.  Sensitive markers are never frozen.  Where some table is of
all claims of a person (client groups, combinations of benefits), claims that have a
say there and no place of their own are kept with a blank one.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import ibis
import numpy as np
import pyarrow as pa

from claimants.counting import whole
from claimants.dimensions import Dimension, dimension
from claimants.engine import EngineRefusal, fetch, guarded, keep_table
from claimants.flowcounting import in_window
from claimants.pseudonyms import with_pseudonyms
from claimants.records import Shape
from claimants.spells import day_number, first_day_after, in_days
from claimants.states import LIVE_WITH_BENEFIT, State

__all__ = ["FORMS", "LATE", "FreezeSpec", "batches_of", "claims_started", "forms_of", "frozen_rows", "late_counts"]

# Field of the dictionary → purpose it is frozen for, and the form it is frozen in.
FORMS = {
    "person_reference": ("linking", "keyed reference"),
    "benefit": ("counting", "as it stands"),
    "claim_start": ("counting", "as it stands"),
    "claim_end": ("counting", "as it stands"),
    "output_area": ("placing", "as it stands"),
    "birth_date": ("counting", "age band"),
    "sex": ("counting", "as it stands"),
}
ROWS_AT_ONCE = 1 << 17
TYPES = {"claim_start": pa.date32(), "claim_end": pa.date32(), "birth_date": pa.date32()}
LATE = (
    "provisional",
    "started_late",
    "started_late_and_live",
    "ended_late",
    "end_taken_back",
    "end_moved",
    "gone",
    "gone_and_live",
    "revised",
)


@dataclass(frozen=True, kw_only=True)
class FreezeSpec:
    """What is frozen.

    Attributes
    ----------
    reference_date : of the quarter.
    from_date : first day of the window; claims that were over before it are left out.
    dimensions : all that tables of the quarter are by.

    Raises
    ------
    ValueError
        The dates are not in order, or ages are asked for in bands of which none divides all others.
    """

    reference_date: dt.date
    from_date: dt.date
    dimensions: tuple[Dimension, ...] = ()

    def __post_init__(self) -> None:
        if not self.from_date < self.reference_date:
            raise ValueError(f"from_date ({self.from_date}) must be before reference_date ({self.reference_date})")
        ages = [one for one in self.dimensions if one.name == "age_band"]
        cuts = [{*one.starts, *([] if one.stop is None else [one.stop])} for one in ages]
        if any(not one <= max(cuts, key=len) for one in cuts):
            raise ValueError("age bands must be unions of those of one list")

    @property
    def judged(self) -> tuple[Dimension, ...]:
        """The dimensions that a row must have a category of, in the order of cells: of ages the finest bands."""
        names = {one.name for one in self.dimensions}
        sex = [dimension("sex")] if "sex" in names else []
        ages = [one for one in self.dimensions if one.name == "age_band"]
        return (dimension("benefit"), *sex, *([max(ages, key=lambda one: len(one.starts))] if ages else []))

    @property
    def left_out(self) -> tuple[str, ...]:
        """Dimensions that a frozen extract cannot be counted by."""
        kept = {"benefit", "sex", "age_band", "duration_band"}
        return tuple(dict.fromkeys(o.name for o in self.dimensions if o.name not in kept and not o.of_all_claims))

    @property
    def states(self) -> tuple[State, ...]:
        """States of rows that are kept."""
        return LIVE_WITH_BENEFIT if any(one.of_all_claims for one in self.dimensions) else (State.LEFT,)


def forms_of(spec: FreezeSpec) -> dict[str, str]:
    """The fields of the frozen extract, in order, with the form of each."""
    absent = {"birth_date", "sex"} - {one.field for one in spec.judged}
    return {field: form for field, (_, form) in FORMS.items() if field not in absent}


def claims_started(rows: Any, pads: Any, spec: FreezeSpec, *, end: str, length: int) -> Any:
    """All claims that started by the reference date, one row each, under their pseudonyms.

    `rows` are those of `claimants.records.judge` by `spec.judged`, live from the first day there is.
    Columns `person` (pseudonym), `benefit` (index), `start` (date), `end` (the latest of its copies), `off`
    (int64 days), `placed` (bool: could be counted) and `cell` (of the copy that counts on the reference date).
    """
    rows = in_window(rows, spec.from_date, spec.reference_date, end)
    rows = rows.filter(rows.state.isin([int(state) for state in spec.states]))
    placed = rows.state == int(State.LEFT)
    claims = rows.group_by(person=rows.person, benefit=rows.benefit, start=rows.start, placed=placed).aggregate(
        end=rows.end.max(),
        off=rows.off.max(),
        live_cell=rows.cell.min(where=rows.on_last),
        any_cell=rows.cell.min(),
    )
    claims = claims.mutate(cell=claims.live_cell.coalesce(claims.any_cell)).drop("live_cell", "any_cell")
    named = with_pseudonyms(claims, pads, length=length)
    return named.drop("person").rename(person="pseudonym")


def frozen_rows(connection: Any, claims: Any, spec: FreezeSpec, area_codes: np.ndarray) -> Any:
    """The rows of the frozen extract, sorted: an Ibis table with the columns of `forms_of`."""
    shape = Shape(areas=len(area_codes), dimensions=spec.judged)
    kept = claims.filter(claims.off > day_number(spec.from_date))
    kept = kept.mutate(area=ibis.cases((kept.placed, _unpacked(kept.cell, shape)[0]), else_=None).cast("int32"))
    codes = pa.table({"index": np.arange(len(area_codes), dtype=np.int32), "code": pa.array(area_codes.tolist())})
    areas = keep_table(connection, "frozen_areas", codes)
    kept = kept.left_join(areas, kept.area == areas["index"]).drop("index", "area")
    over = kept.off <= day_number(spec.reference_date)
    columns = {
        "person_reference": kept.person,
        "benefit": _coded(kept.benefit, dimension("benefit").categories),
        "claim_start": kept.start,
        "claim_end": ibis.cases((over, kept.end), else_=None),
        "output_area": kept.code,
    }
    for one, index in zip(spec.judged, _unpacked(kept.cell, shape)[1:], strict=True):
        if one.name == "age_band":
            bands = enumerate(one.cutoffs(spec.reference_date))
            dates = [(kept.placed & (index == at), ibis.literal(cutoff)) for at, cutoff in bands]
            columns["birth_date"] = ibis.cases(*dates, else_=None)
        elif one.name == "sex":
            columns["sex"] = ibis.cases((kept.placed, _coded(index, one.categories)), else_=None)
    ordered = kept.select(**{field: columns[field] for field in forms_of(spec)})
    return ordered.order_by([ordered[field] for field in ordered.columns])


def batches_of(connection: Any, rows: Any) -> Iterator[pa.Table]:
    """Frozen rows as Arrow tables of `ROWS_AT_ONCE` rows, the last one shorter; raises as `claimants.engine.fetch` does.

    The lengths do not depend on how the engine hands the rows over: the same rows make the same file.
    """
    columns = pa.schema([(name, TYPES.get(name, pa.string())) for name in rows.columns])
    waiting, told = columns.empty_table(), False
    for arriving in _arriving(connection, rows):
        waiting = pa.concat_tables([waiting, arriving.cast(columns)])
        while waiting.num_rows >= ROWS_AT_ONCE:
            yield waiting.slice(0, ROWS_AT_ONCE).combine_chunks()
            waiting, told = waiting.slice(ROWS_AT_ONCE), True
    if waiting.num_rows or not told:
        yield waiting.combine_chunks()


def _arriving(connection: Any, rows: Any) -> Iterator[pa.Table]:
    """Rows as they come out of the engine: of DuckDB piece by piece, so that they need not fit into memory at once."""
    if connection.name != "duckdb":
        yield fetch(connection, rows)
        return
    # Said to DuckDB directly: Ibis 12.0.0 asks for batches by a name that DuckDB 2.0 does not have any more.
    reader = guarded(lambda: connection.backend.con.sql(connection.backend.compile(rows)).to_arrow_reader(ROWS_AT_ONCE))
    while (batch := guarded(lambda: _next(reader))) is not None:
        yield pa.Table.from_batches([batch])


def _next(reader: pa.RecordBatchReader) -> pa.RecordBatch | None:
    try:
        return reader.read_next_batch()
    except StopIteration:
        return None
    except pa.ArrowException:
        refused = EngineRefusal("the rows cannot be read")  # without the error's text, which may quote them
    raise refused


def _unpacked(cell: Any, shape: Shape) -> list[Any]:
    """The index of the area and of each category that make up a cell: expressions of int64."""
    return [(cell // stride) % size for stride, size in zip(shape.strides, shape.sizes, strict=True)]


def _coded(index: Any, codes: Sequence[str]) -> Any:
    return ibis.cases(*((index == at, code) for at, code in enumerate(codes)), else_=None)


def late_counts(claims: Any, provisional: Any, spec: FreezeSpec, *, end: str) -> Any:
    """How a provisional frozen extract differs from the claims as they are known now: true counts by benefit.

    `claims` are those of `claims_started`, `provisional` the frozen rows of before, under the same key.
    Grain: benefit (code); columns those of `LATE`, int64, of claims that can be counted:

    - `provisional`, `revised`: live on the reference date, as known then and now;
    - `started_late`: not known then, though they started by the reference date; `started_late_and_live`: of these, live on it;
    - `ended_late`: live then; known now to have been over on the reference date;
    - `end_taken_back`: over then, and live now; `end_moved`: over both times, with another end;
    - `gone`: known then and not any more (withdrawn, erased, not placed, recorded under another start); `gone_and_live`.

        revised = provisional + started_late_and_live + end_taken_back - ended_late - gone_and_live
    """
    day = day_number(spec.reference_date)
    now = claims.filter(claims.placed)
    now = now.select(
        person=now.person,
        benefit=_coded(now.benefit, dimension("benefit").categories),
        started=in_days(now.start),
        off=now.off,
    )
    then = provisional.filter(provisional.output_area.notnull())
    then = then.select(
        then_person=then.person_reference,
        then_benefit=then.benefit,
        then_started=in_days(then.claim_start),
        then_off=first_day_after(then.claim_end, end),
    )
    same = [now.person == then.then_person, now.benefit == then.then_benefit, now.started == then.then_started]
    both = now.outer_join(then, same)
    is_now, was = both.person.notnull(), both.then_person.notnull()
    live, lived = is_now & (both.off > day), was & (both.then_off > day)
    late = is_now & ~was & (both.off > day_number(spec.from_date))
    told = {
        "provisional": lived,
        "started_late": late,
        "started_late_and_live": late & live,
        "ended_late": lived & is_now & ~live,
        "end_taken_back": was & ~lived & live,
        "end_moved": was & ~lived & is_now & ~live & (both.off != both.then_off),
        "gone": was & ~is_now,
        "gone_and_live": lived & ~is_now,
        "revised": live,
    }
    flags = {name: told[name].fill_null(False).cast("int64") for name in LATE}
    counted = both.select(benefit=both.benefit.coalesce(both.then_benefit), **flags)
    sums = {name: whole(counted[name].sum()) for name in LATE}
    return counted.group_by("benefit").aggregate(**sums).order_by("benefit")
