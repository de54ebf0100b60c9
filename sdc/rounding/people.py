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
   Where the release before is given, they start within the bounds with values kept
   (`sdc.rounding.keptpeople`) in place of 2.
4. Where the bounds clash with a total above, the values of that neighbourhood are
   picked again (`sdc.rounding.neighbourhoods`).

Every value is within the base of its true count, multiples stay, and everything adds up.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from common.faults import Infeasible
from common.keys import sip_key
from common.progress import SILENT, Progress
from sdc.extension import extend_people
from sdc.figures import figures_of
from sdc.rounding.controlled import ControlledRounding, RoundingPath, round_controlled, told_of
from sdc.rounding.kept import Earlier, with_fewer
from sdc.rounding.keptpeople import people_within
from sdc.rounding.neighbourhoods import Mended, mend
from sdc.rounding.people_totals import bounds_of_people, start_of_people
from sdc.rounding.sheets import Sheet, hashes_of, kept_in, lay_out, named_areas, replace_values, values_of
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
    earlier: Mapping[str, Earlier] | None = None,
    progress: Progress = SILENT,
) -> tuple[dict[str, SafeTable], dict[str, SafeTable], PeopleReport]:
    """Round tables of claims and tables of people together.

    Parameters
    ----------
    claims : true tables of claims by name, with equal totals; by what is of the
        claim (benefit, duration), not by what is of the person.
    people : true tables of people by name, with equal totals; by what is of the person.
    benefit : name of the table of claims by benefit, of which nobody has two of one; None where there is none.
    earlier : by the same names, the release before, whose values are kept where counts did not change.

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
    before = dict(earlier or {})
    hierarchy = next(iter(claims.values())).hierarchy

    def draw(known: dict[str, Earlier]) -> tuple[_Drawn, np.ndarray]:
        drawing = _Drawing(claims=claims, people=people, benefit=benefit, spec=spec, key=key, earlier=known)
        return drawing.draw(progress)

    drawn, left = with_fewer(draw, before, hierarchy)
    if len(left):
        raise Infeasible(
            f"in {named_areas(hierarchy, left)} no rounding within the base was found that keeps each benefit <= people <= "
            "claims; publish people beside claims for larger areas, or one of the two",
            demands=("each benefit <= people <= claims", f"base = {spec.base}"),
        )
    extended = extend_people(drawn.claims, drawn.people, benefit=benefit)
    if not extended.holds:
        raise RuntimeError(f"published values come from no people: {extended.failing[0]}")
    report = drawn.report
    report = replace(
        report,
        claims=told_of(report.claims, claims, drawn.claims, before),
        people=told_of(report.people, people, drawn.people, before),
    )
    return drawn.claims, drawn.people, report


def _check(claims: Mapping[str, Table], people: Mapping[str, Table], benefit: str | None) -> None:
    if benefit is not None and benefit not in claims:
        raise ValueError(f"benefit ({benefit}) must be one of the tables of claims")
    hierarchy = next(iter(claims.values())).hierarchy
    if any(table.hierarchy is not hierarchy for table in (*claims.values(), *people.values())):
        raise ValueError("tables that are rounded together must share one hierarchy")
    told = [set().union(*(table.classification.dimensions for table in tables.values())) for tables in (claims, people)]
    if told[0] & told[1]:
        raise ValueError(f"claims and people must not both be told by {', '.join(sorted(told[0] & told[1]))}")
    if set(claims) & set(people):
        raise ValueError("tables of claims and of people must not share names")
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


class _People(NamedTuple):
    """Tables of people as they are drawn, and how that went."""

    safe: dict[str, SafeTable]
    path: RoundingPath
    settled: int
    forced: int
    loosened: int


class _Drawn(NamedTuple):
    """Tables of claims and of people as they are drawn, and how that went."""

    claims: dict[str, SafeTable]
    people: dict[str, SafeTable]
    report: PeopleReport


@dataclass(frozen=True, kw_only=True, eq=False)
class _Drawing:
    """What is drawn: true tables of claims and of people, and what is to be kept of both."""

    claims: Mapping[str, Table]
    people: Mapping[str, Table]
    benefit: str | None
    spec: ControlledRounding
    key: bytes
    earlier: dict[str, Earlier]

    def draw(self, progress: Progress) -> tuple[_Drawn, np.ndarray]:
        """Claims, people between them, and what clashes picked again; and areas in which bounds are broken even so."""
        known = {name: self.earlier[name] for name in self.claims if name in self.earlier}
        safe, path = round_controlled(self.claims, spec=self.spec, key=self.key, earlier=known, progress=progress)
        progress.step("people between the claims")
        drawn = self._draw_people(safe, progress)
        mended = self._mend(safe, drawn.safe, progress)
        report = PeopleReport(
            claims=path,
            people=drawn.path,
            settled=drawn.settled,
            forced=drawn.forced,
            loosened=drawn.loosened,
            neighbourhoods=mended.neighbourhoods,
            cells=mended.cells,
        )
        return _Drawn(safe, drawn.safe, report), mended.left

    def _draw_people(self, safe: Mapping[str, SafeTable], progress: Progress) -> _People:
        """People between claims that are drawn."""
        bound = self.benefit or next(iter(self.claims))
        known = {name: self.earlier[name] for name in self.people if name in self.earlier}
        if any(found.any() for one in known.values() for found in one.known):
            return self._kept(bound, safe[bound].values, known, progress)
        return self._afresh(bound, safe[bound].values, progress)

    def _afresh(self, name: str, published: tuple[np.ndarray, ...], progress: Progress) -> _People:
        first = next(iter(self.people.values()))
        start = start_of_people(
            first,
            self.claims[name],
            published,
            binding=self.benefit is not None,
            base=self.spec.base,
            key=self.key,
            figures=figures_of(first.totals(), self.key).hashes[0].ravel(),
        )
        moved, forced = _moved(self.people, start.totals, self.spec.base, self.key)
        safe, path = round_controlled(moved, spec=self.spec, key=self.key, progress=progress)
        return _People(safe, path, start.settled, forced, int(start.loosened.sum()))

    def _kept(
        self, name: str, published: tuple[np.ndarray, ...], known: Mapping[str, Earlier], progress: Progress
    ) -> _People:
        binding, base = self.benefit is not None, self.spec.base
        bounds = bounds_of_people(next(iter(self.people.values())), published, binding=binding, base=base)
        within = people_within(
            self.people,
            self.claims[name],
            published,
            bounds,
            known,
            self.earlier.get(name),
            binding=binding,
            base=base,
            key=self.key,
        )
        safe, path = round_controlled(
            self.people, spec=self.spec, key=self.key, earlier=known, within=within, progress=progress
        )
        shown = next(iter(safe.values())).values[0][:, -1]
        outside = bounds.loosened | (shown < bounds.low[0]) | (shown > bounds.high[0])
        return _People(safe, path, bounds.settled, 0, int(outside.sum()))

    def _mend(self, claims: dict[str, SafeTable], people: dict[str, SafeTable], progress: Progress) -> Mended:
        """Pick values again where a bound is broken, in the dictionaries of claims and of people."""
        true = {**self.claims, **self.people}
        sheet = _sheet(self.claims, self.people, self.benefit)
        values = values_of([*claims.values(), *people.values()])
        if not sheet.broken(values[: sheet.tree.areas]).any():
            return Mended(values=values, neighbourhoods=0, cells=0, left=np.empty(0, np.int64))
        mended = mend(
            sheet,
            values,
            base=self.spec.base,
            secret=sip_key(self.key, "ties"),
            figures=hashes_of(list(true.values()), self.key),
            kept=kept_in(true, {**claims, **people}, self.earlier),
            progress=progress,
        )
        split = sum(len(table.classification) + 1 for table in self.claims.values())
        for part, columns in zip((claims, people), np.split(mended.values, [split], axis=1), strict=True):
            part.update(replace_values(part, columns))
        return mended


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
