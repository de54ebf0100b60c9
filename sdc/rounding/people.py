"""People beside claims: tables of both over one area tree, rounded so that each benefit <= people <= claims.

A person has one claim or more, and of each benefit one at most.  So in every
area each benefit's claims are at most the people, and people are at most the
claims.  Conversely numbers that keep this in the smallest areas come from some
people with sets of benefits (`sdc.extension`), and then so do the sums above.

1. Tables of claims are rounded together, as if they were alone.
2. They bound the people of each smallest area; where the people start from is
   moved accordingly (`sdc.rounding.people_totals`), tables of people follow
   (`sdc.rounding.transfers`).
3. Tables of people are rounded together from there, as if they were alone.
   Where nothing bounds them, they are what they would be alone.
4. Where the bounds clash with a total above, the values of that neighbourhood are
   picked again (`sdc.rounding.neighbourhoods`).

Every value is within the base of its true count, multiples stay, and everything adds up.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from common.faults import Infeasible
from common.keys import sip_key
from common.progress import SILENT, Progress
from sdc.extension import extend_people
from sdc.figures import figures_of
from sdc.rounding.controlled import ControlledRounding, RoundingPath, round_controlled
from sdc.rounding.neighbourhoods import Mended, mend
from sdc.rounding.people_totals import start_of_people
from sdc.rounding.sheets import Sheet, hashes_of, lay_out, named_areas, replace_values, values_of
from sdc.rounding.transfers import move_totals
from sdc.rounding.tree import tree_of
from sdc.tables import SafeTable, Table, sum_up

__all__ = ["PeopleReport", "round_people_and_claims"]


@dataclass(frozen=True, kw_only=True)
class PeopleReport:
    """How it went: for the reviewer, never for the public.

    Attributes
    ----------
    claims, people : the paths of the two rounds.
    settled : smallest areas whose people the claims settled.
    forced : counts of people moved between categories along paths open in one direction alone.
    loosened : smallest areas where the bounds had to be given up at first.
    neighbourhoods, cells : how many were picked again, and how many cells that changed.
    """

    claims: RoundingPath
    people: RoundingPath
    settled: int
    forced: int
    loosened: int
    neighbourhoods: int
    cells: int


def round_people_and_claims(
    claims: Mapping[str, Table],
    people: Mapping[str, Table],
    *,
    benefit: str | None,
    spec: ControlledRounding,
    key: bytes,
    progress: Progress = SILENT,
) -> tuple[dict[str, SafeTable], dict[str, SafeTable], PeopleReport]:
    """Round tables of claims and tables of people together.

    Parameters
    ----------
    claims : true tables of claims by name, with equal totals; by what is of the
        claim (benefit, duration), not by what is of the person.
    people : true tables of people by name, with equal totals; by what is of the person.
    benefit : name of the table of claims by benefit, of which nobody has two of one; None where there is none.

    Returns
    -------
    The safe tables of claims and of people by the same names, and how it went.

    Raises
    ------
    ValueError
        The tables do not share their hierarchy, or tell of one dimension twice.
    Infeasible
        The true counts do not keep each benefit <= people <= claims, or no
        rounding within the base does; areas are named.
    """
    _check(claims, people, benefit)
    safe_claims, claims_path = round_controlled(claims, spec=spec, key=key, progress=progress)
    progress.step("people between the claims")
    bound = claims[benefit] if benefit else next(iter(claims.values()))
    name = benefit or next(iter(claims))
    first = next(iter(people.values()))
    start = start_of_people(
        first,
        bound,
        safe_claims[name].values,
        binding=benefit is not None,
        base=spec.base,
        key=key,
        figures=figures_of(first.totals(), key).hashes[0].ravel(),
    )
    moved, forced = _moved(people, start.totals, spec.base, key)
    safe_people, people_path = round_controlled(moved, spec=spec, key=key, progress=progress)
    mended = _mend((claims, people), (safe_claims, safe_people), benefit, spec, key, progress)
    extended = extend_people(safe_claims, safe_people, benefit=benefit)
    if not extended.holds:
        raise RuntimeError(f"published values come from no people: {extended.failing[0]}")
    report = PeopleReport(
        claims=claims_path,
        people=people_path,
        settled=start.settled,
        forced=forced,
        loosened=int(start.loosened.sum()),
        neighbourhoods=mended.neighbourhoods if mended else 0,
        cells=mended.cells if mended else 0,
    )
    return safe_claims, safe_people, report


def _check(claims: Mapping[str, Table], people: Mapping[str, Table], benefit: str | None) -> None:
    if benefit is not None and benefit not in claims:
        raise ValueError(f"benefit ({benefit}) must be one of the tables of claims")
    hierarchy = next(iter(claims.values())).hierarchy
    if any(table.hierarchy is not hierarchy for table in (*claims.values(), *people.values())):
        raise ValueError("tables that are rounded together must share one hierarchy")
    told = [set().union(*(table.classification.dimensions for table in tables.values())) for tables in (claims, people)]
    if told[0] & told[1]:
        raise ValueError(f"claims and people must not both be told by {', '.join(sorted(told[0] & told[1]))}")
    every = next(iter(claims.values())).counts[0][:, -1]
    heads = next(iter(people.values())).counts[0][:, -1]
    wrong = (heads > every) | ((heads == 0) & (every > 0))
    if benefit is not None:
        wrong |= claims[benefit].counts[0][:, :-1].max(axis=1, initial=0) > heads
    if wrong.any():
        raise Infeasible(
            f"in {named_areas(hierarchy, np.flatnonzero(wrong))} people and claims do not fit: each benefit's claims must be at "
            "most the people, and people at most the claims; count each person in the area of their claims, "
            "and one claim of a benefit a person",
            demands=("each benefit <= people <= claims",),
        )


def _moved(people: Mapping[str, Table], totals: np.ndarray, base: int, key: bytes) -> tuple[dict[str, Table], int]:
    """The tables of people with other totals, as far as all of them can follow; and what was forced."""
    first = next(iter(people.values()))
    gains = totals - first.counts[0][:, -1]
    if not gains.any():
        return dict(people), 0
    classified = {name: table for name, table in people.items() if len(table.classification)}
    forced = 0
    moved: dict[str, Table] = {}
    if classified:
        result = move_totals(tuple(classified.values()), gains, base=base, key=key)
        totals, forced = totals - result.left, result.forced
        moved = dict(zip(classified, result.tables, strict=True))
    alone = sum_up(first.hierarchy, totals[:, None])
    return {
        name: moved[name]
        if name in moved
        else Table(hierarchy=table.hierarchy, classification=table.classification, counts=alone)
        for name, table in people.items()
    }, forced


def _mend(
    true: tuple[Mapping[str, Table], Mapping[str, Table]],
    safe: tuple[dict[str, SafeTable], dict[str, SafeTable]],
    benefit: str | None,
    spec: ControlledRounding,
    key: bytes,
    progress: Progress,
) -> Mended | None:
    """Pick values again where a bound is broken, in the dictionaries of claims and of people; None where none is.

    Raises
    ------
    Infeasible
        There are no values that keep the bounds.
    """
    tables = [*true[0].values(), *true[1].values()]
    sheet = _sheet(true[0], true[1], benefit)
    values = values_of([*safe[0].values(), *safe[1].values()])
    if not sheet.broken(values[: sheet.tree.areas]).any():
        return None
    mended = mend(
        sheet, values, base=spec.base, secret=sip_key(key, "ties"), figures=hashes_of(tables, key), progress=progress
    )
    if len(mended.left):
        raise Infeasible(
            f"in {named_areas(tables[0].hierarchy, mended.left)} no rounding within the base was found that keeps each "
            "benefit <= people <= claims; publish people beside claims for larger areas, or one of the two",
            demands=("each benefit <= people <= claims", f"base = {spec.base}"),
        )
    split = sum(len(table.classification) + 1 for table in true[0].values())
    for part, columns in zip(safe, np.split(mended.values, [split], axis=1), strict=True):
        part.update(replace_values(part, columns))
    return mended


def _sheet(claims: Mapping[str, Table], people: Mapping[str, Table], benefit: str | None) -> Sheet:
    """Claims and people side by side: totals that are the same, claims - people >= 0, people - benefit >= 0."""
    true = [*claims.values(), *people.values()]
    starts = np.cumsum([0, *(len(table.classification) + 1 for table in true)])
    totals = starts[1:] - 1
    sums = [(int(end), np.arange(start, end)) for start, end in zip(starts, totals, strict=False) if end > start]
    every, heads = int(totals[0]), int(totals[len(claims)])
    sums += [(every, np.array([end])) for end in totals[1 : len(claims)]]
    sums += [(heads, np.array([end])) for end in totals[len(claims) + 1 :]]
    pairs = [(every, heads)]
    if benefit is not None:
        at = list(claims).index(benefit)
        pairs += [(heads, column) for column in range(starts[at], totals[at])]
    ties = np.zeros((len(pairs), starts[-1]), np.int8)
    for row, (larger, smaller) in enumerate(pairs):
        ties[row, larger], ties[row, smaller] = 1, -1
    return Sheet(tree=tree_of(true[0].hierarchy), counts=lay_out(true), sums=tuple(sums), ties=ties)
