"""Published figures that no true table could give, told as findings."""

from collections.abc import Mapping

import numpy as np

from sdc.attack.intervals import Intervals, impossible_values
from sdc.attack.listing import MOST_LISTED, listed
from sdc.attack.witness import Names
from sdc.findings import Audit, Finding
from sdc.tables import SafeTable

__all__ = ["contradicted", "impossible_cells"]


def impossible_cells(tables: Mapping[str, SafeTable], own: Mapping[str, Intervals]) -> Audit:
    """Values that the stated method never gives, and cells for which nothing is left possible by themselves."""
    audit = Audit()
    for name, safe in tables.items():
        wrong = impossible_values(safe)
        excluded = tuple(empty & ~each for empty, each in zip(own[name].empty(), wrong, strict=True))
        method = safe.method
        for masks, why in (
            (wrong, f"which {method.name} to base {method.base} never publishes"),
            (excluded, "which what is already public excludes"),
        ):
            audit = audit.joined(_listed(name, safe, masks, why))
    if not audit.findings:
        return Audit()
    return audit.joined(_unknown(", ".join(tables)))


def contradicted(table: str, cell: str, sentence: str) -> Audit:
    """One contradiction that sums have shown; it leaves no intervals to be judged."""
    audit = Audit(
        findings=(_contradiction(table, cell, sentence),),
        figures={f"{table}: sums that together leave no true table": "at least 1"},
    )
    return audit.joined(_unknown(f"{table} and of tables over the same areas"))


def _listed(name: str, safe: SafeTable, masks: tuple[np.ndarray, ...], why: str) -> Audit:
    hits = [(level, *map(int, at)) for level, mask in enumerate(masks) for at in np.argwhere(mask)[:MOST_LISTED]]
    names = Names(safe)

    def tell(place: tuple[int, ...]) -> Finding:
        level, unit, column = place
        return _contradiction(name, names.name_at(level, unit, column), f"{names.shown_at(level, unit, column)}, {why}")

    number = int(sum(mask.sum() for mask in masks))
    return listed(name, f"contradiction, {why}", hits, tell, number) if number else Audit()


def _unknown(tables: str) -> Audit:
    return Audit(
        checked=("whether a true table exists that gives the published values",),
        not_checked=(f"intervals of {tables}: the published values contradict themselves",),
    )


def _contradiction(table: str, cell: str, sentence: str) -> Finding:
    return Finding(kind="contradiction", severity="contradiction", table=table, cell=cell, witness=sentence)
