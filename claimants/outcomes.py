"""What becomes of people whose claims end: how long they lasted, what follows, who is in employment later.

All three start from claims that can be counted, copies once, linked into spells (`claimants.spells`).  A spell
*ends in the window* (a, b] when its first day without, `off`, is one of these days:

    a < off <= b.

- **Durations** (`count_ended_spells`): spells of a person and benefit that end in the window, by area (of the claim
  that ended last; of those, the first by code), benefit and duration band from the start to `off`.
- **Movements** (`count_movements`): people by the benefit of such a spell and the one they move to: another benefit that
  starts from `gap_days` before to `gap_days` after `off` and goes on after it.  Of several the nearest; then the one
  that starts first; then the first in the code list.  None of them is "no other benefit".  A person counts once in each pair.
- **Employment** (`count_employment`): people all of whose claims end in the window, by the benefit that ended last, and of
  them those who are in an employment spell 13, 26 and 52 weeks after `off`.  Whoever's day lies after the last
  day that the employment extract knows is left out of that share (`known`).

Results are true counts, for `sdc` and the reviewer.
"""

import datetime as dt
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from claimants.caseload import CaseloadSpec, open_counted, refuse_areas
from claimants.counting import whole
from claimants.dates import FIRST_DAY, as_date
from claimants.dimensions import Dimension, dimension
from claimants.engine import DEFAULT_ENGINE, DEFAULT_MEMORY, EngineRefusal, connect, fetch
from claimants.extract import ExtractSpec, Need, open_extract
from claimants.flowcounting import in_window, months_between
from claimants.records import judge
from claimants.spells import FOREVER, SpellSpec, day_number, first_day_after, in_days, spells_of
from claimants.states import State
from claimants.text import is_blank, trimmed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geography.postcodes import Postcodes

__all__ = ["NO_OTHER", "EndingSpec", "Source", "count_employment", "count_ended_spells", "count_movements"]

NO_OTHER = "no other benefit"
WEEKS = (13, 26, 52)
EMPLOYMENT = ("employment_spell_start", "employment_spell_end")


@dataclass(frozen=True, kw_only=True)
class EndingSpec:
    """Which endings are looked at.

    Attributes
    ----------
    from_date, to_date : a and b of the window (a, b].
    join_days : claims with so many days between them are one spell.

    Raises
    ------
    ValueError
        The dates are not in order.
    """

    from_date: dt.date
    to_date: dt.date
    join_days: int = 0

    def __post_init__(self) -> None:
        if not self.from_date < self.to_date:
            raise ValueError(f"from_date ({self.from_date}) must be before to_date ({self.to_date})")


@dataclass(frozen=True, kw_only=True)
class Source:
    """An extract, its areas, and how it is read: as `claimants.caseload.count_caseload` takes them."""

    extract: ExtractSpec
    area_codes: np.ndarray
    postcodes: "Postcodes | None" = None
    engine: str = DEFAULT_ENGINE
    spill: Path | None = None
    memory: str = DEFAULT_MEMORY
    threads: int | None = None

    @contextmanager
    def connected(self) -> "Iterator[Any]":
        """An engine for the source."""
        with connect(engine=self.engine, spill=self.spill, memory=self.memory, threads=self.threads) as connection:
            yield connection


def count_ended_spells(source: Source, spec: EndingSpec, bands: Dimension | None = None) -> pa.Table:
    """Spells that end in the window: columns `area` (int32), `benefit`, `duration_band` (int16) and `count` (int64), sorted."""
    bands = dimension("duration_band") if bands is None else bands
    with source.connected() as connection:
        claims = _claims(connection, source, spec.to_date)
        spells = _ended(_spells(claims, spec, ("person", "benefit"), len(source.area_codes)), spec)
        months = months_between(spells.start, spells.gone)
        band = sum((months >= least).cast("int16") for least in bands.starts[1:])
        counted = spells.group_by(
            area=spells.place.cast("int32"), benefit=spells.benefit.cast("int16"), duration_band=band
        )
        counted = counted.aggregate(count=lambda t: whole(t.count()))
        found = fetch(connection, counted)
    schema = pa.schema([("area", "int32"), ("benefit", "int16"), ("duration_band", "int16"), ("count", "int64")])
    return _sorted(found.cast(schema))


def count_movements(source: Source, spec: EndingSpec, gap_days: int) -> pa.Table:
    """People by the benefit that ended and the one they moved to: columns `from_benefit`, `to_benefit` (codes) and `people`.

    The extract must be late enough to know what starts by `to_date` + `gap_days`.

    Raises
    ------
    ValueError
        `gap_days` is negative.
    """
    if gap_days < 0:
        raise ValueError(f"gap_days ({gap_days}) must be 0 or more")
    codes = dimension("benefit").categories
    with source.connected() as connection:
        claims = _claims(connection, source, spec.to_date + dt.timedelta(days=gap_days))
        spells = _spells(claims, spec, ("person", "benefit"), len(source.area_codes))
        ended = _ended(spells, spec).select("person", "benefit", "off")
        others = spells.select(person_to=spells.person, to=spells.benefit, begins=spells["first"], lasts=spells.off)
        near = [
            ended.person == others.person_to,
            ended.benefit != others.to,
            others.begins >= ended.off - gap_days,
            others.begins <= ended.off + gap_days,
            others.lasts > ended.off,
        ]
        pairs = ended.left_join(others, near)
        away = pairs.begins - pairs.off
        # How far away, then whether after, then which: the smallest stands.
        rank = (away.abs() * 2 + (away > 0).cast("int64")) * len(codes) + pairs.to
        moved = pairs.group_by(person=pairs.person, benefit=pairs.benefit, off=pairs.off).aggregate(rank=rank.min())
        each = moved.select("person", "benefit", to=(moved["rank"] % len(codes)).fill_null(len(codes))).distinct()
        found = fetch(connection, each.group_by("benefit", "to").aggregate(people=lambda t: whole(t.count())))
    names = pa.array([*codes, NO_OTHER])
    found = _sorted(
        found.select(["benefit", "to", "people"]).cast(pa.schema([(n, "int64") for n in ("benefit", "to", "people")]))
    )
    return pa.table(
        {
            "from_benefit": names.take(found.column("benefit")),
            "to_benefit": names.take(found.column("to")),
            "people": found.column("people"),
        }
    )


def count_employment(
    source: Source, employment: ExtractSpec, spec: EndingSpec, *, known_until: dt.date, weeks: Sequence[int] = WEEKS
) -> pa.Table:
    """Employment after people left: columns `benefit` (code), `weeks`, `off_flow`, `known` and `employed` (int64).

    `employment` has one row a spell: person_reference, employment_spell_start and
    employment_spell_end (blank while it lasts), its references keyed under the same key as those of the claims, or both
    as they stand.  Rows without a reference, or whose dates are none or run backwards, are passed over.

        employed <= known <= off_flow;     share = employed / known.
    """
    codes = dimension("benefit").categories
    with source.connected() as connection:
        claims = _claims(connection, source, spec.to_date)
        left = _ended(_spells(claims, spec, ("person",), len(codes), place="benefit"), spec)
        # Of several spells of a person that end in the window the last one: the smallest rank.
        rank = (FOREVER - left.off) * len(codes) + left.place
        people = left.group_by("person").aggregate(rank=rank.min())
        people = people.mutate(off=FOREVER - people["rank"] // len(codes), benefit=people["rank"] % len(codes))
        jobs = _employment(connection, employment)
        both = people.left_join(jobs, people.person == jobs.worker)
        flags = {
            f"at_{week}": ((both.begins <= both.off + 7 * week) & (both.lasts > both.off + 7 * week)).cast("int64")
            for week in weeks
        }
        marked = both.mutate(**flags)
        each = marked.group_by(person=marked.person, benefit=marked.benefit, off=marked.off).aggregate(
            **{name: marked[name].max() for name in flags}
        )
        columns: dict[str, Any] = {"off_flow": whole(each.count())}
        for week in weeks:
            known = each.off + 7 * week <= day_number(known_until)
            columns[f"known_{week}"] = whole(known.cast("int64").sum())
            columns[f"employed_{week}"] = whole((known & (each[f"at_{week}"] == 1)).cast("int64").sum())
        found = fetch(connection, each.group_by("benefit").aggregate(**columns)).to_pylist()
    told = [
        (codes[row["benefit"]], week, row["off_flow"], row[f"known_{week}"], row[f"employed_{week}"])
        for row in sorted(found, key=lambda row: int(row["benefit"]))
        for week in weeks
    ]
    names = {"benefit": pa.string()} | dict.fromkeys(("weeks", "off_flow", "known", "employed"), pa.int64())
    return pa.table(
        {name: pa.array([row[at] for row in told], type_) for at, (name, type_) in enumerate(names.items())}
    )


def _claims(connection: Any, source: Source, last: dt.date) -> Any:
    """Claims that can be counted and started by `last`, one row each: person, benefit, start, gone, first, off, area."""
    extract, postcodes = source.extract, source.postcodes
    opened = open_counted(connection, extract, CaseloadSpec(reference_date=last), postcodes is not None)
    judged = judge(
        connection,
        opened,
        reference_date=last,
        dimensions=(),
        area_codes=source.area_codes,
        postcodes=postcodes,
        live_from=FIRST_DAY,
    )
    try:
        if postcodes is None:
            refuse_areas(connection, judged, opened)
        refused = False
    except EngineRefusal:
        refused = True
    if refused:
        raise opened.explain_refusal()
    rows = in_window(judged, FIRST_DAY, last, extract.end)
    rows = rows.filter(rows.state == int(State.LEFT))
    return rows.group_by(person=rows.person, benefit=rows.benefit, start=rows.start).aggregate(
        gone=rows.gone.max(), first=rows["first"].min(), off=rows.off.max(), area=rows.cell.min()
    )


def _spells(claims: Any, spec: EndingSpec, by: tuple[str, ...], places: int, place: str = "area") -> Any:
    """Spells with `start` and `gone` (dates), `first` and `off`, and the `place` of the claim that ended last, smallest first."""
    linked = spells_of(claims, SpellSpec(by=by, join_days=spec.join_days))
    ranked = linked.mutate(_rank=(FOREVER - linked.off) * places + linked[place])
    spells = ranked.group_by([*by, "spell"]).aggregate(
        start=ranked.start.min(),
        gone=ranked.gone.max(),
        first=ranked["first"].min(),
        off=ranked.off.max(),
        _rank=ranked["_rank"].min(),
    )
    return spells.mutate(place=spells["_rank"] % places).drop("_rank")


def _ended(spells: Any, spec: EndingSpec) -> Any:
    return spells.filter((spells.off > day_number(spec.from_date)) & (spells.off <= day_number(spec.to_date)))


def _employment(connection: Any, spec: ExtractSpec) -> Any:
    """Employment spells: `worker` (text), `begins` and `lasts` (int64 days, the first day without)."""
    needs = [Need(field="person_reference", purpose="linking")]
    needs += [Need(field=name, purpose="counting", date=True) for name in EMPLOYMENT]
    opened = open_extract(connection, spec, needs)
    parts = []
    for part in opened.parts:
        start, _ = as_date(part.employment_spell_start, spec.dates)
        end, no_end = as_date(part.employment_spell_end, spec.dates)
        rows = part.select(worker=trimmed(part.person_reference), start=start, end=end, no_end=no_end)
        sound = ~is_blank(rows.worker) & rows.start.notnull() & (rows.no_end | (rows.end >= rows.start))
        rows = rows.filter(sound)
        parts.append(
            rows.select(worker=rows.worker, begins=in_days(rows.start), lasts=first_day_after(rows.end, spec.end))
        )
    union = parts[0]
    for part in parts[1:]:
        union = union.union(part)
    return union


def _sorted(table: pa.Table) -> pa.Table:
    return table.sort_by([(name, "ascending") for name in table.column_names[:-1]])
