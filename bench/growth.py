"""How the cost of counting grows with the extract: a tenth of the claims, all of them, and five times as many."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from bench.aggregation import TARGET, run_pairs
from bench.made import Size, make
from bench.measure import Cost, median, paired_ratios
from bench.results import Row, limit_row, ratio_row

__all__ = ["measure_growth"]

SHARES = (0.1, 1, 5)
LINEAR = 1.3
GIBIBYTES = 8


def measure_growth(size: Size, work: Path, repeats: int) -> list[Row]:
    """For each size our count beside the statement; for the largest its memory, and the cost of a claim beside smaller."""
    costs: dict[int, list[Cost]] = {}
    rows: list[Row] = []
    for share in SHARES:
        folder = make(replace(size, claims=round(size.claims * share)), work)
        ours, theirs, claims = run_pairs(folder, repeats)
        costs[claims] = ours
        ratio, cpu = paired_ratios(ours, theirs)
        of = f"{claims:,} rows"
        rows.append(Row(name="one DuckDB statement, claims to cells and buckets", of=of, cost=median(theirs)))
        rows.append(ratio_row("count_caseload, same cells and buckets", of, median(ours), ratio, TARGET, cpu=cpu))
    largest = max(costs)
    rows.append(limit_row("count_caseload, memory", f"{largest:,} rows", median(costs[largest]), GIBIBYTES))
    return [*rows, *_growth(costs)]


def _growth(costs: Mapping[int, list[Cost]]) -> list[Row]:
    """Cost of a claim of the largest extract beside that of each smaller one."""
    *smaller, largest = sorted(costs)
    rows = []
    for claims in smaller:
        wall, cpu = (one * claims / largest for one in paired_ratios(costs[largest], costs[claims]))
        of = f"{largest:,} rows beside {claims:,}"
        rows.append(ratio_row("count_caseload, cost of a claim", of, median(costs[largest]), wall, LINEAR, cpu=cpu))
    return rows
