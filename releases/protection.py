"""Protects the tables of a release by the method its release file names."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from common.progress import SILENT, Progress
from releases.spec import Protection
from sdc.findings import Audit, Finding
from sdc.rounding.controlled import ControlledRounding, RoundingPath, round_controlled
from sdc.rounding.conventional import round_conventional
from sdc.rounding.kept import Earlier
from sdc.tables import SafeTable, Table

__all__ = ["Protected", "judge_method", "protect_tables"]


@dataclass(frozen=True, kw_only=True)
class Protected:
    """Safe tables by id, how it went (for reviewers), what to say, and the release before where values were kept."""

    safe: dict[str, SafeTable]
    path: RoundingPath | None
    notices: tuple[str, ...]
    earlier: Mapping[str, Earlier] = field(default_factory=dict)


def protect_tables(
    spec: Protection,
    tables: Mapping[str, Table],
    *,
    key: bytes,
    earlier: Mapping[str, Earlier] | None = None,
    progress: Progress = SILENT,
) -> Protected:
    """Round all tables of a release, those of controlled rounding together.

    `earlier` is the release before, whose values are kept where counts did not change.

    Raises
    ------
    Infeasible
        The base is below min_count, or no rounding serves all tables.
    """
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
    kept = dict(earlier or {})
    safe, path = round_controlled(tables, spec=rounding, key=key, earlier=kept, progress=progress)
    return Protected(safe=safe, path=path, notices=(), earlier=kept)


def judge_method(spec: Protection) -> Audit:
    """What is to be said of the method itself, whatever the counts: conventional rounding never keeps the promise.

    A count shown as 0 is proven to be below half the base, and totals that are rounded apart
    from their parts narrow others; whether a small count is hit depends on the quarter.
    """
    if spec.method != "conventional-rounding":
        return Audit()
    witness = (
        "conventional rounding keeps no promise: totals are rounded apart from their parts; use controlled-rounding"
    )
    return Audit(findings=(Finding(kind="method leaks", severity="disclosure", table="", cell="", witness=witness),))
