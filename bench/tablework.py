"""What several measures do with tables: rounding and attacking them as a release does, and cutting parts out."""

from collections.abc import Mapping

import numpy as np

from bench.made import KEY
from sdc.attack.judge import audit_tables
from sdc.findings import Audit
from sdc.rounding.controlled import ControlledRounding, round_controlled
from sdc.tables import Hierarchy, SafeTable, Table

__all__ = ["attack_tables", "cell_count", "round_tables", "subtree"]


def round_tables(tables: Mapping[str, Table]) -> dict[str, SafeTable]:
    """Controlled rounding to base 5, as a release asks for it."""
    return round_controlled(tables, spec=ControlledRounding(base=5, min_count=5), key=KEY)[0]


def attack_tables(safe: Mapping[str, SafeTable], truth: Mapping[str, Table]) -> Audit:
    """The attack as `publish` makes it; refuses to time one that found something."""
    audit = audit_tables(safe, min_count=5, truth=truth)
    if not audit.safe:
        raise RuntimeError("the attack found a disclosure")
    return audit


def subtree(table: Table, level: int, unit: int) -> Table:
    """The part of a table that lies under one unit, with the levels above it kept (one unit each)."""
    hierarchy = table.hierarchy
    kept = [np.flatnonzero(hierarchy.ancestors(at, level) == unit) for at in range(level)] + [np.array([unit])]
    for at in range(level, len(hierarchy.levels) - 1):
        kept.append(hierarchy.parents[at][kept[at]])
    parents = [
        np.searchsorted(kept[at + 1], hierarchy.parents[at][kept[at]]).astype(np.int32) for at in range(len(kept) - 1)
    ]
    small = Hierarchy(
        levels=hierarchy.levels,
        codes=tuple(codes[units] for codes, units in zip(hierarchy.codes, kept, strict=True)),
        parents=tuple(parents),
    )
    finest = table.counts[0][kept[0], :-1]
    return Table.from_finest(hierarchy=small, classification=table.classification, finest=finest)


def cell_count(table: Table) -> int:
    """Published cells of a table, all levels, totals included."""
    return int(np.sum([counts.size for counts in table.counts]))
