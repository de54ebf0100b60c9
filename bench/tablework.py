"""What several measures do with tables: rounding and attacking them as a release does, and cutting parts out of them."""

from collections.abc import Mapping

import numpy as np

from bench.made import KEY
from sdc.attack.judge import audit_tables
from sdc.findings import Audit
from sdc.rounding.controlled import ControlledRounding, round_controlled
from sdc.tables import Hierarchy, SafeTable, Table

__all__ = [
    "AUTHORITIES",
    "TYPICAL_AUTHORITY",
    "attack_tables",
    "below",
    "cell_count",
    "coarser",
    "hierarchy_below",
    "linked_places",
    "nearest_units",
    "round_tables",
    "subtree",
]


TYPICAL_AUTHORITY = 570
"""Smallest areas of a typical authority."""
AUTHORITIES = 9
"""One authority may be of an easy or a hard kind; so many typical ones, one after another, are a fair sample."""


def round_tables(tables: Mapping[str, Table]) -> dict[str, SafeTable]:
    """Controlled rounding to base 5, as a release asks for it."""
    return round_controlled(tables, spec=ControlledRounding(base=5, min_count=5), key=KEY)[0]


def attack_tables(safe: Mapping[str, SafeTable], truth: Mapping[str, Table]) -> Audit:
    """The attack as `publish` makes it; refuses to time one that found something."""
    audit = audit_tables(safe, min_count=5, truth=truth)
    if not audit.safe:
        raise RuntimeError("the attack found a disclosure")
    return audit


def nearest_units(hierarchy: Hierarchy, level: int, wanted: float | None, number: int = 1) -> list[int]:
    """The units of a level whose numbers of smallest areas are nearest to `wanted`, or to the mean; the nearest first."""
    sizes = np.bincount(hierarchy.ancestors(0, level))
    order = np.argsort(np.abs(sizes - (sizes.mean() if wanted is None else wanted)), kind="stable")
    return [int(unit) for unit in order[:number]]


def hierarchy_below(hierarchy: Hierarchy, level: int, unit: int) -> tuple[Hierarchy, np.ndarray]:
    """The areas under one unit, which is the top, and which of the smallest areas they are."""
    kept = [np.flatnonzero(hierarchy.ancestors(at, level) == unit) for at in range(level)] + [np.array([unit])]
    return _kept_units(hierarchy, kept), kept[0]


def below(table: Table, level: int, unit: int) -> Table:
    """The part of a table that lies under one unit, which is the top."""
    hierarchy, areas = hierarchy_below(table.hierarchy, level, unit)
    finest = table.counts[0][areas, : max(len(table.classification), 1)]
    return Table.from_finest(hierarchy=hierarchy, classification=table.classification, finest=finest)


def subtree(table: Table, level: int, unit: int) -> Table:
    """The part of a table that lies under one unit, with the levels above it kept (one unit each)."""
    whole = table.hierarchy
    kept = [np.flatnonzero(whole.ancestors(at, level) == unit) for at in range(level)] + [np.array([unit])]
    for at in range(level, len(whole.levels) - 1):
        kept.append(whole.parents[at][kept[at]])
    finest = table.counts[0][kept[0], : max(len(table.classification), 1)]
    return Table.from_finest(hierarchy=_kept_units(whole, kept), classification=table.classification, finest=finest)


def _kept_units(hierarchy: Hierarchy, kept: list[np.ndarray]) -> Hierarchy:
    """The hierarchy of some units of each level, as far up as there are any."""
    return Hierarchy(
        levels=hierarchy.levels[: len(kept)],
        codes=tuple(codes[units] for codes, units in zip(hierarchy.codes, kept, strict=False)),
        parents=tuple(
            np.searchsorted(kept[at + 1], hierarchy.parents[at][kept[at]]).astype(np.int32)
            for at in range(len(kept) - 1)
        ),
    )


def linked_places(
    tables: Mapping[str, Table], name: str, wanted: float | None, number: int = 1
) -> list[dict[str, Table]]:
    """The parts of tables over one hierarchy under the units of level `name` nearest to `wanted` smallest areas."""
    whole = next(iter(tables.values())).hierarchy
    level = whole.levels.index(name)
    return [_linked_below(tables, level, unit) for unit in nearest_units(whole, level, wanted, number)]


def _linked_below(tables: Mapping[str, Table], level: int, unit: int) -> dict[str, Table]:
    parts = {key: subtree(table, level, unit) for key, table in tables.items()}
    hierarchy = next(iter(parts.values())).hierarchy
    return {
        key: Table(hierarchy=hierarchy, classification=part.classification, counts=part.counts)
        for key, part in parts.items()
    }


def coarser(table: Table, level: int) -> Table:
    """A table from one of its levels up."""
    hierarchy = table.hierarchy
    rest = Hierarchy(levels=hierarchy.levels[level:], codes=hierarchy.codes[level:], parents=hierarchy.parents[level:])
    return Table(hierarchy=rest, classification=table.classification, counts=table.counts[level:])


def cell_count(table: Table) -> int:
    """Published cells of a table, all levels, totals included."""
    return int(np.sum([counts.size for counts in table.counts]))
