"""Cost per cell of rounding and attack, from one authority through a region to the country."""

import math
import statistics
from dataclasses import replace
from pathlib import Path

import numpy as np

from bench.made import true_tables
from bench.measure import Cost, costed, in_child, median, shared
from bench.results import Row, ratio_row
from bench.tablework import attack_tables, cell_count, round_tables, subtree
from sdc.tables import Table

__all__ = ["measure_linearity"]

TARGET = 1.3
TYPICAL_AUTHORITY = 570
# Small places are run so often that a turn takes as long as this; one run of theirs would be all noise.
SECONDS_A_TURN = 0.5
ONE = "benefit"
WORK = {"round": "round_controlled", "attack": "audit_tables"}


def measure_linearity(folder: Path, repeats: int) -> list[Row]:
    """The three places take turns in one warmed process; ratios of cost per cell are medians over the turns."""
    (sizes, costs), _ = in_child(_turns, folder, repeats)
    rows = []
    for work, label in WORK.items():
        for place, (areas, cells) in sizes.items():
            cost = median(costs[work, place])
            name = f"{label}, one {place}: {cost.seconds / cells * 1e9:,.0f} ns a cell"
            target = TARGET if place == "country" else None

            def against(
                other: str, here: list[Cost] = costs[work, place], work: str = work, cells: int = cells
            ) -> float:
                pairs = zip(here, costs[work, other], strict=True)
                return statistics.median(one.seconds / two.seconds for one, two in pairs) * sizes[other][1] / cells

            row = ratio_row(name, f"{areas:,} areas, {cells:,} cells", cost, against("authority"), target)
            rows.append(replace(row, figure=f"{row.figure} ({against('region'):.2f} × of a region)"))
    return rows


def _turns(folder: Path, repeats: int) -> tuple[dict[str, tuple[int, int]], dict[tuple[str, str], list[Cost]]]:
    """Per place its areas and cells; per work and place the cost of a run in each turn."""
    places = _places(true_tables(folder)[ONE])
    actions = {}
    for place, table in places.items():
        tables = {ONE: table}
        safe = round_tables(tables)
        actions["round", place] = lambda tables=tables: round_tables(tables)
        actions["attack", place] = lambda safe=safe, tables=tables: attack_tables(safe, tables)
    costs: dict[tuple[str, str], list[Cost]] = {what: [] for what in actions}
    # The first run of each, which may still compile, is for nothing; the second says how many make a turn.
    for action in actions.values():
        action()
    runs = {
        what: math.ceil(SECONDS_A_TURN / costed(action)[1].seconds) if repeats > 1 else 1
        for what, action in actions.items()
    }
    for _ in range(repeats):
        for what, action in actions.items():
            costs[what].append(shared(action, runs[what]))
    return {place: (table.hierarchy.units[0], cell_count(table)) for place, table in places.items()}, costs


def _places(country: Table) -> dict[str, Table]:
    authority = subtree(country, *_unit_of(country, "lad", TYPICAL_AUTHORITY))
    region = subtree(country, *_unit_of(country, "rgn", None))
    return {"authority": authority, "region": region, "country": country}


def _unit_of(table: Table, name: str, wanted: int | None) -> tuple[int, int]:
    """The unit of a level whose number of smallest areas is nearest to `wanted`, or to the mean."""
    level = table.hierarchy.levels.index(name)
    sizes = np.bincount(table.hierarchy.ancestors(0, level))
    return level, int(np.argmin(np.abs(sizes - (sizes.mean() if wanted is None else wanted))))
