"""Rounding and attack against the time that plain DuckDB takes to build the table's margins."""

from collections.abc import Callable, Mapping
from pathlib import Path

from bench.made import linked_tables
from bench.margins import margins_unit
from bench.measure import Cost, costed, in_child, median, paired_ratios
from bench.results import Row, ratio_row
from bench.tablework import attack_tables, cell_count, linked_places, round_tables
from sdc.tables import Table

__all__ = ["measure_protection"]

ROUNDING_TARGET, LINKED_TARGET = 3.0, 30.0
ONE = "benefit"


def measure_protection(folder: Path, repeats: int) -> list[Row]:
    """Rounds of margins, rounding and attack, in turn in one warmed process; ratios are medians over the rounds."""
    (cells, costs), _ = in_child(_rounds, folder, repeats)
    base = costs["margins"]

    def against(name: str, label: str, count: int, target: float | None = None) -> Row:
        ratio, cpu = paired_ratios(costs[name], base)
        return ratio_row(label, f"{count:,} cells", median(costs[name]), ratio, target, cpu=cpu)

    one, every = cells[ONE], sum(cells.values())
    return [
        Row(name="margins of one table, DuckDB, GROUP BY per level (the unit)", of=f"{one:,} cells", cost=median(base)),
        against("round one", "round_controlled, one table", one, ROUNDING_TARGET),
        against("round linked", f"round_controlled, {len(cells)} linked tables", every, LINKED_TARGET),
        against("attack one", "audit_tables, one table", one),
        against("attack linked", f"audit_tables, {len(cells)} linked tables", every),
    ]


def _rounds(folder: Path, repeats: int) -> tuple[dict[str, int], dict[str, list[Cost]]]:
    tables = linked_tables(folder)
    one = {ONE: tables[ONE]}
    _warm(tables)
    safe = round_tables(tables)
    safe_one = {ONE: safe[ONE]}
    with margins_unit(folder, tables[ONE]) as build:
        actions: dict[str, Callable[[], object]] = {
            "margins": build,
            "round one": lambda: round_tables(one),
            "round linked": lambda: round_tables(tables),
            "attack one": lambda: attack_tables(safe_one, one),
            "attack linked": lambda: attack_tables(safe, tables),
        }
        costs: dict[str, list[Cost]] = {name: [] for name in actions}
        for _ in range(repeats):
            for name, action in actions.items():
                costs[name].append(costed(action)[1])
    return {name: cell_count(table) for name, table in tables.items()}, costs


def _warm(tables: Mapping[str, Table]) -> None:
    """Have everything compiled that the tables will run through, on one authority."""
    (small,) = linked_places(tables, "lad", None)
    attack_tables(round_tables(small), small)
