"""The attacker at national size, against the time of building one table's margins, and its cost per cell on the way there.

Tables are attacked as `publish` does it, with the truth, and as an outsider does.  Where figures are rounded each on its own
the theorem on additive rounding does not hold, and bounds go by propagation and max flow.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from bench.made import KEY, true_tables
from bench.margins import margins_unit
from bench.measure import Cost, costed, in_child, median, paired_ratios, runs_a_turn, shared
from bench.results import Row, Section, per_cell_rows, ratio_row
from bench.tablework import AUTHORITIES, TYPICAL_AUTHORITY, cell_count, nearest_units, round_tables, subtree
from sdc.attack.intervals import Intervals
from sdc.attack.judge import audit_tables
from sdc.attack.noisebounds import stated_noise
from sdc.cellkey.design import PTableSpec, design_ptable
from sdc.cellkey.keys import DEFAULT_RANGE, key_sums
from sdc.cellkey.perturb import CellKey, protect_by_cell_key
from sdc.findings import Audit
from sdc.rounding.conventional import round_conventional
from sdc.rounding.random import RandomRounding, protect_random
from sdc.rounding.smallcounts import SmallCountRounding, protect_small_counts
from sdc.rules.threshold import small_cells
from sdc.suppression.spec import SuppressionSpec
from sdc.suppression.suppress import suppress_table
from sdc.tables import SafeTable, Table

__all__ = ["MIN_COUNT", "ONE", "SAFE", "known_of", "measure_attack"]

ONE = "benefit"
MIN_COUNT = 5
SEED = 7
ASKED = f"{ONE}: cells asked"


def _suppressed(table: Table) -> SafeTable:
    primary = small_cells(table, min_count=MIN_COUNT)
    return suppress_table(table, primary=primary, spec=SuppressionSpec(min_count=MIN_COUNT), key=KEY)[0]


def _at_random(table: Table) -> SafeTable:
    return protect_random(table, spec=RandomRounding(base=5, min_count=MIN_COUNT), key=KEY)[0]


def _small_counts(table: Table) -> SafeTable:
    return protect_small_counts(table, spec=SmallCountRounding(base=5, min_count=MIN_COUNT), key=KEY)[0]


def _noisy(table: Table) -> SafeTable:
    """By the cell key method; keys of records are drawn anew for each table, as those of another release are."""
    spec = CellKey(ptable=design_ptable(PTableSpec(blocked=MIN_COUNT - 1)).ptable, min_count=MIN_COUNT)
    finest = table.counts[0][:, : max(1, len(table.classification))]
    sums = np.random.default_rng(SEED).integers(0, DEFAULT_RANGE, finest.shape) * (finest > 0)
    return protect_by_cell_key(table, spec=spec, key=b"", record_keys=key_sums(table.hierarchy, sums))[0]


def known_of(safe: SafeTable) -> Intervals | None:
    """What everybody knows of figures besides their values: how far noise reaches."""
    if safe.method.name != "cell-key":
        return None
    return stated_noise(safe, bound=PTableSpec(blocked=MIN_COUNT - 1).bound)


SAFE: dict[str, Callable[[Table], SafeTable]] = {
    "suppressed": _suppressed,
    "rounded together": lambda table: round_tables({ONE: table})[ONE],
    "rounded each on its own": partial(round_conventional, base=5, min_count=MIN_COUNT),
    "rounded at random, each on its own": _at_random,
    "small counts rounded": _small_counts,
    "noisy": _noisy,
}
"""Ways to make a table safe, or as others make it."""


@dataclass(frozen=True, kw_only=True)
class _Attack:
    """A table as it was made safe, whether its truth is given, and the target in times the margins."""

    how: str
    truth: bool
    target: float

    @property
    def label(self) -> str:
        who = "with the truth" if self.truth else "by an outsider"
        return f"audit_tables, {self.how}, {who}"


ATTACKS = (
    _Attack(how="suppressed", truth=True, target=15),
    _Attack(how="suppressed", truth=False, target=15),
    _Attack(how="rounded together", truth=True, target=10),
    _Attack(how="rounded each on its own", truth=True, target=10),
    _Attack(how="rounded each on its own", truth=False, target=10),
    _Attack(how="rounded at random, each on its own", truth=False, target=10),
)


def measure_attack(folder: Path, repeats: int) -> list[Section]:
    """Rounds of margins, country, region and authorities in turn, a process for each attack; medians over the rounds."""
    against, per_cell, units = [], [], []
    for attack in ATTACKS:
        print(f"  {attack.label}", file=sys.stderr, flush=True)
        (sizes, asked, costs), _ = in_child(_rounds, folder, attack, repeats)
        base = costs.pop("margins")
        units += base
        ratio, cpu = paired_ratios(costs["country"], base)
        of = f"{sizes['country'][1]:,} cells, {f'{asked:,} of them asked' if asked else 'by the theorem'}"
        against.append(ratio_row(attack.label, of, median(costs["country"]), ratio, attack.target, cpu=cpu))
        per_cell += per_cell_rows(attack.label, sizes, costs)
    unit = Row(name="margins of the table, DuckDB, GROUP BY per level (the unit)", of="all levels", cost=median(units))
    return [
        Section(title="The attacker on one table", rows=(unit, *against)),
        Section(
            title="The attacker on one table, cost per cell from an authority to the country", rows=tuple(per_cell)
        ),
    ]


def _rounds(
    folder: Path, attack: _Attack, repeats: int
) -> tuple[dict[str, tuple[int, int]], int, dict[str, list[Cost]]]:
    """Areas and cells by place, cells asked in the country; by place, and of the margins, the cost in each round."""
    whole = true_tables(folder, [ONE])[ONE]
    areas = whole.hierarchy
    lad, rgn = areas.levels.index("lad"), areas.levels.index("rgn")
    typical = nearest_units(areas, lad, TYPICAL_AUTHORITY, AUTHORITIES)
    places = {
        "authority": [subtree(whole, lad, unit) for unit in typical],
        "region": [subtree(whole, rgn, nearest_units(areas, rgn, None)[0])],
        "country": [whole],
    }
    actions = {place: _one_after_another(attack, tables) for place, tables in places.items()}
    # The first run of each, which may still compile, is for nothing.
    asked = [_asked(action()) for action in actions.values()][-1]
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
    return sizes, asked, costs


def _asked(audits: list[Audit]) -> int:
    figures = [audit.figures.get(ASKED, 0) for audit in audits]
    return sum(figure for figure in figures if isinstance(figure, int))


def _one_after_another(attack: _Attack, tables: list[Table]) -> Callable[[], list[Audit]]:
    ready = [(SAFE[attack.how](table), {ONE: table} if attack.truth else None) for table in tables]
    return lambda: [audit_tables({ONE: safe}, min_count=MIN_COUNT, truth=truth) for safe, truth in ready]
