"""Rounding and attack against the time that plain DuckDB takes to build the table's margins."""

import statistics
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bench import baselines
from bench.made import true_tables
from bench.measure import Cost, costed, in_child, median
from bench.results import Row, ratio_row
from bench.tablework import attack_tables, cell_count, round_tables, subtree
from sdc.tables import Table

__all__ = ["measure_protection"]

ROUNDING_TARGET = 3.0
ONE = "benefit"
LEVEL_OF_AUTHORITIES = 3


def measure_protection(folder: Path, repeats: int) -> list[Row]:
    """Rounds of margins, rounding and attack, in turn in one warmed process; ratios are medians over the rounds."""
    (cells, costs), _ = in_child(_rounds, folder, repeats)
    base = costs["margins"]

    def against(name: str, label: str, count: int, target: float | None = None) -> Row:
        pairs = list(zip(costs[name], base, strict=True))
        ratio, cpu = (statistics.median(get(a) / get(b) for a, b in pairs) for get in (_wall, _cpu))
        return ratio_row(label, f"{count:,} cells", median(costs[name]), ratio, target, cpu=cpu)

    one, every = cells[ONE], sum(cells.values())
    return [
        Row(name="margins of one table, DuckDB, GROUP BY per level (the unit)", of=f"{one:,} cells", cost=median(base)),
        against("round one", "round_controlled, one table", one, ROUNDING_TARGET),
        against("round linked", f"round_controlled, {len(cells)} linked tables", every),
        against("attack one", "audit_tables, one table", one),
        against("attack linked", f"audit_tables, {len(cells)} linked tables", every),
    ]


def _wall(cost: Cost) -> float:
    return cost.seconds


def _cpu(cost: Cost) -> float:
    return cost.cpu


def _rounds(folder: Path, repeats: int) -> tuple[dict[str, int], dict[str, list[Cost]]]:
    tables = true_tables(folder)
    one = {ONE: tables[ONE]}
    path = folder / "finest.parquet"
    _write_finest(tables[ONE], path)
    _warm(tables)
    safe = round_tables(tables)
    safe_one = {ONE: safe[ONE]}
    with baselines.connect() as connection:

        def build() -> dict[str, pa.Table]:
            return baselines.margins(connection, str(path), tables[ONE].hierarchy.levels, ONE)

        _same_margins(build(), tables[ONE])
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
    small = {name: subtree(table, LEVEL_OF_AUTHORITIES, 0) for name, table in tables.items()}
    first = next(iter(small.values())).hierarchy
    small = {
        name: Table(hierarchy=first, classification=table.classification, counts=table.counts)
        for name, table in small.items()
    }
    attack_tables(round_tables(small), small)


def _write_finest(table: Table, path: Path) -> None:
    """The long form that the margins start from: a row per non-zero finest cell, with the codes of all its areas."""
    hierarchy = table.hierarchy
    unit, column = np.nonzero(table.counts[0][:, :-1])

    def named(index: np.ndarray, codes: list[str]) -> pa.Array:
        return pa.DictionaryArray.from_arrays(pa.array(index.astype(np.int32)), pa.array(codes))

    columns = {
        level: named(hierarchy.ancestors(0, at)[unit], hierarchy.codes[at].tolist())
        for at, level in enumerate(hierarchy.levels)
    }
    columns[ONE] = named(column, [codes[0] for codes in table.classification.categories])
    columns["count"] = pa.array(table.counts[0][unit, column])
    pq.write_table(pa.table(columns), path, store_schema=False)


def _same_margins(found: Mapping[str, pa.Table], table: Table) -> None:
    """The margins must be those of the table: as many non-zero cells, and the same sum of squares, at every level."""
    for level, counts in zip(table.hierarchy.levels, table.counts, strict=True):
        cells = found[level]["count"].to_numpy()
        true = counts[:, :-1]
        if len(cells) != np.count_nonzero(true) or np.sum(cells**2) != np.sum(true**2):
            raise RuntimeError(f"the margins of level {level} are not those of the table")
