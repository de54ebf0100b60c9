"""Protects the tables of a release by the method its release file names."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from common.progress import SILENT, Progress
from releases.publish.spec import Protection
from sdc.findings import Audit, Finding
from sdc.rounding.controlled import ControlledRounding, RoundingPath, round_controlled
from sdc.rounding.conventional import round_conventional
from sdc.rounding.kept import Earlier
from sdc.rounding.people import PeopleReport, round_people_and_claims
from sdc.rounding.recodes import RecodesReport, round_recodes
from sdc.tables import SafeTable, Table

__all__ = ["Protected", "benefit_table", "judge_method", "protect_tables", "split_tables"]

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Protected:
    """Safe tables by id, how it went (for reviewers), what to say, and the release before where values were kept.

    `flows` says how it went with the tables of each flow.
    """

    safe: dict[str, SafeTable]
    path: RoundingPath | PeopleReport | RecodesReport | None
    notices: tuple[str, ...]
    earlier: Mapping[str, Earlier] = field(default_factory=dict)
    flows: Mapping[str, RoundingPath] = field(default_factory=dict)

    def with_flow(self, measure: str, other: "Protected") -> "Protected":
        """These tables and those of a flow, which were drawn by themselves."""
        own = {measure: other.path} if isinstance(other.path, RoundingPath) else {}
        return Protected(
            safe={**self.safe, **other.safe},
            path=self.path,
            notices=tuple(dict.fromkeys((*self.notices, *other.notices))),
            earlier={**self.earlier, **other.earlier},
            flows={**self.flows, **own},
        )


def protect_tables(
    spec: Protection,
    tables: Mapping[str, Table],
    *,
    counted: Mapping[str, str],
    key: bytes,
    recodes: Mapping[str, Sequence[int]] | None = None,
    earlier: Mapping[str, Earlier] | None = None,
    progress: Progress = SILENT,
) -> Protected:
    """Round all tables of a release, those of controlled rounding together.

    `counted` says of each table whether it counts ``claims`` or ``people``; where some count
    each, all are drawn so that people stand between each benefit's claims and all claims.
    `recodes` are tables by one variable in bands that nest, as `sdc.rounding.recodes` has them.
    `earlier` is the release before, whose values are kept where counts did not change.

    Raises
    ------
    Infeasible
        The base is below min_count, or no rounding serves all tables.
    ValueError
        People beside claims are given with recodes, or either is to be rounded conventionally.
    """
    both = len(set(counted.values())) > 1
    if (both or recodes) and (spec.method != "controlled-rounding" or (both and recodes)):
        raise ValueError("people beside claims, and recodes, must be drawn apart, by controlled rounding")
    kept = dict(earlier or {})
    if recodes:
        return _recodes(spec, tables, recodes, kept, key, progress)
    if both:
        return _people_and_claims(spec, tables, counted, kept, key, progress)
    if spec.method == "conventional-rounding":
        progress.step("rounding tables")
        safe = {
            name: round_conventional(table, base=spec.base, min_count=spec.min_count) for name, table in tables.items()
        }
        return Protected(
            safe=safe,
            path=None,
            notices=("conventional rounding leaks by itself: totals are rounded apart from their parts",),
        )
    rounding = ControlledRounding(base=spec.base, min_count=spec.min_count)
    safe, path = round_controlled(tables, spec=rounding, key=key, earlier=kept, progress=progress)
    return Protected(safe=safe, path=path, notices=(), earlier=kept)


def split_tables(tables: Mapping[str, T], counted: Mapping[str, str]) -> tuple[dict[str, T], dict[str, T]]:
    """What is kept by table id, apart for tables of claims and of people."""
    claims, people = (
        {name: one for name, one in tables.items() if counted[name] == unit} for unit in ("claims", "people")
    )
    return claims, people


def benefit_table(claims: Mapping[str, Table | SafeTable]) -> str | None:
    """The table of claims by benefit, of which nobody has two of one; None where there is none."""
    found = (name for name, one in claims.items() if one.classification.dimensions == ("benefit",))
    return next(found, None)


def _people_and_claims(
    spec: Protection,
    tables: Mapping[str, Table],
    counted: Mapping[str, str],
    kept: Mapping[str, Earlier],
    key: bytes,
    progress: Progress,
) -> Protected:
    claims, people = split_tables(tables, counted)
    safe_claims, safe_people, report = round_people_and_claims(
        claims,
        people,
        benefit=benefit_table(claims),
        spec=ControlledRounding(base=spec.base, min_count=spec.min_count),
        key=key,
        earlier=kept,
        progress=progress,
    )
    safe = {**safe_claims, **safe_people}
    return Protected(safe={name: safe[name] for name in tables}, path=report, notices=(), earlier=kept)


def _recodes(
    spec: Protection,
    tables: Mapping[str, Table],
    recodes: Mapping[str, Sequence[int]],
    kept: Mapping[str, Earlier],
    key: bytes,
    progress: Progress,
) -> Protected:
    safe, report = round_recodes(
        {name: tables[name] for name in recodes},
        recodes,
        others={name: table for name, table in tables.items() if name not in recodes},
        spec=ControlledRounding(base=spec.base, min_count=spec.min_count),
        key=key,
        earlier=kept,
        progress=progress,
    )
    return Protected(safe={name: safe[name] for name in tables}, path=report, notices=(), earlier=kept)


def judge_method(method: str) -> Audit:
    """What is to be said of the method itself, whatever the counts: conventional rounding never keeps the promise.

    A count shown as 0 is proven to be below half the base, and totals that are rounded apart
    from their parts narrow others; whether a small count is hit depends on the quarter.
    """
    if method != "conventional-rounding":
        return Audit()
    witness = (
        "conventional rounding keeps no promise: totals are rounded apart from their parts; use controlled-rounding"
    )
    return Audit(findings=(Finding(kind="method leaks", severity="disclosure", table="", cell="", witness=witness),))
