"""Every method on one table by benefit: against the time of building its margins, and per cell from authority to country.

Each method has a process of its own, so that its peak of memory is its own, in
which everything is run once for nothing before anything is timed: whatever has to be
compiled, or read from the cache of what was compiled before, is not in the figures.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.made import KEY, true_tables
from bench.margins import margins_unit
from bench.measure import Cost, costed, in_child, median, paired_ratios, runs_a_turn, shared
from bench.results import Row, Section, per_cell_rows, ratio_row
from bench.tablework import AUTHORITIES, TYPICAL_AUTHORITY, cell_count, coarser, nearest_units, subtree
from sdc.cellkey.design import PTableSpec, design_ptable
from sdc.cellkey.keys import DEFAULT_RANGE, key_sums
from sdc.cellkey.perturb import CellKey, protect_by_cell_key
from sdc.rounding.controlled import ControlledRounding, round_controlled
from sdc.rounding.conventional import round_conventional
from sdc.rounding.nearest import MinimumDistance, protect_nearest
from sdc.rounding.random import RandomRounding, protect_random
from sdc.rounding.smallcounts import SmallCountRounding, protect_small_counts
from sdc.rules.threshold import small_cells
from sdc.suppression.spec import SuppressionSpec
from sdc.suppression.suppress import suppress_table
from sdc.tables import Table

__all__ = ["METHODS", "measure_methods"]

ONE = "benefit"
MIN_COUNT = 5
LSOA = 1
SEED = 7

# What is to be timed, made ready on a table.
Ready = Callable[[], object]


@dataclass(frozen=True, kw_only=True)
class _Method:
    """One method: its words, what gets it ready, its target in times the margins, and the level it starts from."""

    label: str
    prepare: Callable[[Table], Ready]
    target: float | None = None
    level: int = 0


def _unbiased(table: Table) -> Ready:
    spec = ControlledRounding(base=5, min_count=MIN_COUNT)
    return lambda: round_controlled({ONE: table}, spec=spec, key=KEY)


def _nearest(table: Table) -> Ready:
    spec = MinimumDistance(base=5, min_count=MIN_COUNT)
    return lambda: protect_nearest(table, spec=spec, key=KEY)


def _at_random(table: Table) -> Ready:
    spec = RandomRounding(base=5, min_count=MIN_COUNT)
    return lambda: protect_random(table, spec=spec, key=KEY)


def _conventional(table: Table) -> Ready:
    return lambda: round_conventional(table, base=5, min_count=MIN_COUNT)


def _small_counts(table: Table) -> Ready:
    spec = SmallCountRounding(base=5, min_count=MIN_COUNT)
    return lambda: protect_small_counts(table, spec=spec, key=KEY)


def _cell_key(table: Table) -> Ready:
    """From the sums of record keys of the finest cells; the ptable is designed beforehand, once for all tables."""
    spec = CellKey(ptable=design_ptable(PTableSpec(blocked=MIN_COUNT - 1)).ptable, min_count=MIN_COUNT)
    finest = table.counts[0][:, :-1]
    sums = np.random.default_rng(SEED).integers(0, DEFAULT_RANGE, finest.shape) * (finest > 0)

    def protect() -> object:
        return protect_by_cell_key(table, spec=spec, key=b"", record_keys=key_sums(table.hierarchy, sums))

    return protect


def _suppression(*, lone_claimants: bool) -> Callable[[Table], Ready]:
    def prepare(table: Table) -> Ready:
        spec = SuppressionSpec(min_count=MIN_COUNT, lone_claimants=lone_claimants)
        primary = small_cells(table, min_count=MIN_COUNT)
        return lambda: suppress_table(table, primary=primary, spec=spec, key=KEY)

    return prepare


METHODS: dict[str, _Method] = {
    "conventional": _Method(label="round_conventional", prepare=_conventional),
    "random": _Method(label="protect_random", prepare=_at_random),
    "unbiased": _Method(label="round_controlled", prepare=_unbiased, target=3),
    "minimum-distance": _Method(label="protect_nearest", prepare=_nearest, target=150),
    "small-counts": _Method(label="protect_small_counts", prepare=_small_counts),
    "cell-key": _Method(label="key_sums and protect_by_cell_key", prepare=_cell_key, target=5),
    "suppression-lsoa": _Method(
        label="suppress_table with its audit, from LSOA up, no lone claimants",
        prepare=_suppression(lone_claimants=False),
        target=10,
        level=LSOA,
    ),
    "suppression": _Method(
        label="suppress_table with its audit, no lone claimants",
        prepare=_suppression(lone_claimants=False),
        target=60,
    ),
    "suppression-lone": _Method(
        label="suppress_table with its audit, lone claimants too",
        prepare=_suppression(lone_claimants=True),
        target=150,
    ),
}
"""The methods by the names that `--method` takes."""


def measure_methods(folder: Path, repeats: int, chosen: Sequence[str] = ()) -> list[Section]:
    """Rounds of margins, country, region and authorities in turn, a process for each method; medians over the rounds."""
    against, per_cell, units = [], [], []
    for name in chosen or METHODS:
        print(f"  {name}", file=sys.stderr, flush=True)
        method = METHODS[name]
        (sizes, costs), _ = in_child(_rounds, folder, name, repeats)
        base, cost = costs.pop("margins"), median(costs["country"])
        units += base
        ratio, cpu = paired_ratios(costs["country"], base)
        against.append(ratio_row(method.label, f"{sizes['country'][1]:,} cells", cost, ratio, method.target, cpu=cpu))
        per_cell += per_cell_rows(method.label, sizes, costs)
    unit = Row(name="margins of the table, DuckDB, GROUP BY per level (the unit)", of="all levels", cost=median(units))
    return [
        Section(title="Every method, one table by benefit", rows=(unit, *against)),
        Section(title="Every method, cost per cell from an authority to the country", rows=tuple(per_cell)),
    ]


def _rounds(folder: Path, name: str, repeats: int) -> tuple[dict[str, tuple[int, int]], dict[str, list[Cost]]]:
    """Areas and cells by place; by place, and of the margins, the cost in each round."""
    method = METHODS[name]
    whole = true_tables(folder, [ONE])[ONE]
    places = {place: [coarser(part, method.level) for part in parts] for place, parts in _places(whole).items()}
    actions = {place: _one_after_another(method, tables) for place, tables in places.items()}
    for action in actions.values():
        action()
    runs = {place: runs_a_turn(action, repeats) for place, action in actions.items()}
    costs: dict[str, list[Cost]] = {what: [] for what in ("margins", *actions)}
    with margins_unit(folder, whole) as build:
        for _ in range(repeats):
            costs["margins"].append(costed(build)[1])
            for place, action in actions.items():
                costs[place].append(shared(action, runs[place]))
    sizes = {
        place: (sum(table.hierarchy.units[0] for table in tables), sum(map(cell_count, tables)))
        for place, tables in places.items()
    }
    return sizes, costs


def _one_after_another(method: _Method, tables: Sequence[Table]) -> Ready:
    ready = [method.prepare(table) for table in tables]

    def run() -> None:
        for action in ready:
            action()

    return run


def _places(country: Table) -> dict[str, list[Table]]:
    """Typical authorities, a region of mean size, and the country, from the smallest to the largest."""
    areas = country.hierarchy
    lad, rgn = areas.levels.index("lad"), areas.levels.index("rgn")
    typical = nearest_units(areas, lad, TYPICAL_AUTHORITY, AUTHORITIES)
    return {
        "authority": [subtree(country, lad, unit) for unit in typical],
        "region": [subtree(country, rgn, nearest_units(areas, rgn, None)[0])],
        "country": [country],
    }
