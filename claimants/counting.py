"""Rows to counts: copies of a claim, claims of a person, cells and buckets in one pass.

Rows that a rule of their own has put into a bucket are folded into one group
a state.  Rows that are left are grouped by claim (person, benefit and start), so
that copies of a claim count once, and for counts of people then by person.  Of
several rows the one that stands is chosen by what the rows say and never by
where they stand:

- of copies of a claim, the one with the smallest cell: area by code point, then
  the categories in the order of the dimensions;
- of a person's claims, the one that started last; of those, the one with the
  smallest cell.

The client group of a person is the first of data/client_groups.toml that any of
their live claims with a known benefit leads to, whether or not that claim has
an area or could be counted itself.  The combination of benefits of a person is
that of data/benefit_combinations.toml for the set of benefits of these same claims.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any

import ibis
import numpy as np
import pyarrow as pa

from claimants.dimensions import Dimension, dimension
from claimants.records import MOST_DAYS, NO_BENEFIT_INDEX, Shape
from claimants.states import ANOTHER_CLAIM, BUCKET_OF, BUCKETS, COUNTED, DUPLICATE, LIVE_WITH_BENEFIT, State

__all__ = [
    "KEYS",
    "Keyed",
    "Tally",
    "by_claim",
    "claims_query",
    "days_and_cell",
    "people_query",
    "tally_claims",
    "tally_people",
    "whole",
]

KEYS = "ckey"
OTHERS = "others"
# Rows with a column `person` to the same with a column `record_key` (`claimants.recordkeys.with_record_keys`).
Keyed = Callable[[Any], Any]


@dataclass(frozen=True, kw_only=True)
class Tally:
    """Counts by cell (two int64 arrays, cells ascending), rows by state, buckets, and claims whose copies disagree.

    `keys` are sums of record keys by cell, int64 like the counts, where they were asked for.
    `moved` are claims counted in another area than their own, which claims beside people alone may be.
    """

    cells: np.ndarray
    counts: np.ndarray
    states: dict[State, int]
    buckets: dict[str, int]
    disagreeing: int
    keys: np.ndarray | None = None
    moved: int = 0


def by_claim(rows: Any, kept: Any) -> Any:
    """Rows grouped by state and, where `kept`, by claim: rows, smallest and largest cell."""
    return rows.group_by(
        state=rows.state,
        person=ibis.cases((kept, rows.person), else_=None),
        benefit=ibis.cases((kept, rows.benefit), else_=None),
        start=ibis.cases((kept, rows.start), else_=None),
    ).aggregate(rows=rows.count(), cell=rows.cell.min(), other=rows.cell.max(), group=rows.group.min())


def claims_query(rows: Any, keyed: Keyed | None = None) -> Any:
    """Counts of claims by state and cell.

    Grain: state × cell; columns `state`, `cell`, `claims`, `rows`, `disagreeing`,
    and, given `keyed`, `ckey`: the sum of the claimants' record keys, one for
    each claim.  The cell is missing but for the state `LEFT`.
    """
    left = rows.state == int(State.LEFT)
    claims = by_claim(rows, left).drop("group")
    if keyed is not None:
        claims = keyed(claims)
    cell = ibis.cases((claims.state == int(State.LEFT), claims.cell), else_=None)
    columns = {
        "claims": claims.count(),
        "rows": whole(claims.rows.sum()),
        "disagreeing": whole((claims.cell != claims.other).sum()),
    }
    if keyed is not None:
        columns[KEYS] = whole(claims.record_key.sum())
    return claims.group_by(state=claims.state, cell=cell).aggregate(**columns)


def people_query(rows: Any, shape: Shape, reference: dt.date, keyed: Keyed | None = None) -> Any:
    """Counts of people by cell, with the rows that stand behind them by state.

    Grain: state × cell; columns `state`, `cell`, `people`, `claims`,
    `disagreeing`, and `rows_<state>` for each state in which a row may have a
    say in its person's client group or combination of benefits (`LIVE_WITH_BENEFIT`); given `keyed`, `ckey`:
    the sum of the people's record keys.  Persons of whom no row is left have no cell.
    """
    kept_states = LIVE_WITH_BENEFIT if any(wanted.of_all_claims for wanted in shape.dimensions) else (State.LEFT,)
    kept = rows.state.isin([int(state) for state in kept_states])
    claims = by_claim(rows, kept)
    left = claims.state == int(State.LEFT)
    rank = days_and_cell(claims, shape, reference)
    of_person = claims.person.notnull()
    people = claims.group_by(
        state=ibis.cases((of_person, int(State.LEFT)), else_=claims.state), person=claims.person
    ).aggregate(
        rank=rank.min(where=left),
        **_of_all_claims(claims, shape, of_person),
        claims=whole((left & of_person).sum()),
        disagreeing=whole((left & (claims.cell != claims.other)).sum()),
        rows_folded=whole(claims.rows.sum(where=~of_person)),
        **{
            _rows_name(state): whole(claims.rows.sum(where=of_person & (claims.state == int(state))))
            for state in kept_states
        },
    )
    if keyed is not None:
        people = keyed(people)
    cell = people.rank % shape.cells
    for wanted, stride in zip(shape.dimensions, shape.strides[1:], strict=True):
        if wanted.groups:
            cell = cell + people.group.cast("int64") * stride
        elif wanted.combinations:
            cell = cell + _combination(people.benefits, wanted) * stride
    names = ["claims", "disagreeing", "rows_folded", *map(_rows_name, kept_states)]
    columns = {"people": whole(people.rank.notnull().sum()), **{name: whole(people[name].sum()) for name in names}}
    if keyed is not None:
        columns[KEYS] = whole(people.record_key.sum(where=people.rank.notnull()))
    return people.group_by(state=people.state, cell=cell).aggregate(**columns)


def days_and_cell(claims: Any, shape: Shape, reference: dt.date) -> Any:
    """The rank of a claim among those of its person, smaller is first: days since its start, then its cell.

    A row that says that its person claims nothing comes behind every claim of theirs.
    """
    days = ibis.literal(reference).delta(claims.start, unit="day").cast("int64")
    if shape.non_claimants:
        days = days + ibis.cases((claims.benefit == NO_BENEFIT_INDEX, MOST_DAYS), else_=0)
    return days * shape.cells + claims.cell


def _of_all_claims(claims: Any, shape: Shape, of_person: Any) -> dict[str, Any]:
    """What is kept of all claims of a person, for the dimensions that ask for it: first group, set of benefits."""
    columns = {}
    if any(wanted.groups for wanted in shape.dimensions):
        columns["group"] = claims.group.min(where=of_person)
    if any(wanted.combinations for wanted in shape.dimensions):
        # The set as one number: benefit i adds 2**i, however many claims there are of it. (Ibis has no bit_or on Spark.)
        bits = [
            ibis.cases((claims.benefit == index, 1 << index), else_=0).cast("int64").max(where=of_person)
            for index in range(len(dimension("benefit").categories))
        ]
        columns["benefits"] = reduce(add, bits)
    return columns


def _combination(benefits: Any, wanted: Dimension) -> Any:
    """Index of the category of a set of benefits, given as one number; the last where no category is of that set."""
    codes = dimension("benefit").categories
    known = [(sum(1 << codes.index(code) for code in one), index) for one, index in wanted.combinations.items()]
    cases = [(benefits == number, index) for number, index in known]
    return ibis.cases(*cases, else_=len(wanted.categories) - 1).cast("int64")


def _rows_name(state: State) -> str:
    return f"rows_{state.name.lower()}"


def whole(amount: Any) -> Any:
    """A sum as int64, 0 where there was nothing to sum."""
    # Sums of whole numbers are 128 bits wide in DuckDB, and would leave it as floating point.
    return amount.fill_null(0).cast("int64")


def tally_claims(table: pa.Table) -> Tally:
    """The result of `claims_query`, or of claims beside people, told apart into cells and buckets."""
    state = _column(table, "state")
    rows = _column(table, "rows")
    left = state == State.LEFT
    claims = _column(table, "claims")[left]
    cells, counts, keys = _sorted(table, left, claims)
    states = {State(int(value)): int(count) for value, count in zip(state[~left], rows[~left], strict=True)}
    buckets = _buckets(states)
    buckets[COUNTED] = int(claims.sum())
    moved = 0
    if OTHERS in table.column_names:
        buckets[ANOTHER_CLAIM] = int(_column(table, OTHERS)[left].sum())
        moved = int(_column(table, "moved")[left].sum())
    buckets[DUPLICATE] = int(rows[left].sum()) - buckets[COUNTED] - buckets.get(ANOTHER_CLAIM, 0)
    disagreeing = int(_column(table, "disagreeing")[left].sum())
    return Tally(
        cells=cells, counts=counts, states=states, buckets=buckets, disagreeing=disagreeing, keys=keys, moved=moved
    )


def tally_people(table: pa.Table) -> Tally:
    """The result of `people_query`, told apart into cells and buckets."""
    people = _column(table, "people")
    standing = people > 0
    cells, counts, keys = _sorted(table, standing, people[standing])
    states: dict[State, int] = {}
    for value, count in zip(_column(table, "state"), _column(table, "rows_folded"), strict=True):
        state = State(int(value))
        states[state] = states.get(state, 0) + int(count)
    for state in LIVE_WITH_BENEFIT:
        if _rows_name(state) in table.column_names:
            states[state] = states.get(state, 0) + int(_column(table, _rows_name(state)).sum())
    rows = states.pop(State.LEFT, 0)
    claims = int(_column(table, "claims").sum())
    buckets = _buckets(states)
    buckets[COUNTED] = int(people.sum())
    buckets[ANOTHER_CLAIM] = claims - buckets[COUNTED]
    buckets[DUPLICATE] = rows - claims
    disagreeing = int(_column(table, "disagreeing").sum())
    return Tally(cells=cells, counts=counts, states=states, buckets=buckets, disagreeing=disagreeing, keys=keys)


def _column(table: pa.Table, name: str) -> np.ndarray:
    column = table.column(name)
    if column.null_count:
        column = column.fill_null(0)
    return np.asarray(column.to_numpy())


def _sorted(table: pa.Table, kept: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Cells, counts and, where there are any, sums of record keys of the rows that are kept, cells ascending."""
    cells = _column(table, "cell")[kept]
    order = np.argsort(cells)
    keys = _column(table, KEYS)[kept][order] if KEYS in table.column_names else None
    return cells[order], counts[order], keys


def _buckets(states: dict[State, int]) -> dict[str, int]:
    buckets = dict.fromkeys(BUCKETS, 0)
    for state, rows in states.items():
        buckets[BUCKET_OF[state]] = buckets.get(BUCKET_OF[state], 0) + rows
    return buckets
