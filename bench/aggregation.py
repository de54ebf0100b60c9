"""Claims to counts: `count_caseload` against one DuckDB statement that gives the same counts and buckets."""

import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bench import baselines
from bench.made import DIMENSIONS, REFERENCE, finest_cells, read_ground
from bench.measure import THREADS, Cost, costed, in_child, median, paired_ratios
from bench.results import Row, ratio_row
from claimants.caseload import Caseload, CaseloadSpec, count_caseload
from claimants.dimensions import dimension
from claimants.extract import ExtractSpec

__all__ = ["measure_aggregation", "need_cells", "run_pairs"]

TARGET = 1.25


def measure_aggregation(folder: Path, repeats: int) -> list[Row]:
    """The ratio is the median of the pairs' ratios."""
    ours, theirs, rows = run_pairs(folder, repeats)
    ratio, cpu = paired_ratios(ours, theirs)
    return [
        Row(name="one DuckDB statement, claims to cells and buckets", of=f"{rows:,} rows", cost=median(theirs)),
        ratio_row("count_caseload, same cells and buckets", f"{rows:,} rows", median(ours), ratio, TARGET, cpu=cpu),
    ]


def run_pairs(folder: Path, repeats: int) -> tuple[list[Cost], list[Cost], int]:
    """Costs of our count and of the statement, in turn, each in a fresh process; and the rows of the extract.

    Both may spill what does not fit into the same memory.  Cells and buckets are compared.
    """
    ours: list[Cost] = []
    theirs: list[Cost] = []
    for _ in range(repeats):
        (buckets, cost), _ = in_child(_count, folder)
        ours.append(cost)
        (stated, cost), _ = in_child(_state, folder)
        theirs.append(cost)
        if buckets != stated:
            raise RuntimeError(f"buckets differ: {buckets} and {stated}")
    in_child(_compare, folder)
    return ours, theirs, sum(buckets.values())


def need_cells(folder: Path) -> None:
    """Count the claims once, for what needs the finest cells."""
    in_child(_count, folder)


def _count(folder: Path) -> tuple[dict[str, int], Cost]:
    areas, postcodes = read_ground(folder)
    spec = CaseloadSpec(reference_date=REFERENCE, dimensions=tuple(map(dimension, DIMENSIONS)))

    def count(claims: str) -> Caseload:
        with tempfile.TemporaryDirectory(dir=folder) as spill:
            return count_caseload(
                ExtractSpec(paths=(folder / claims,)),
                area_codes=areas.codes[0],
                postcodes=postcodes,
                spec=spec,
                spill=Path(spill),
                memory=baselines.MEMORY,
                threads=THREADS,
            )

    count("warm")
    caseload, cost = costed(lambda: count("claims"))
    pq.write_table(caseload.cells, folder / "cells.parquet")
    return dict(caseload.buckets), cost


def _state(folder: Path) -> tuple[dict[str, int], Cost]:
    _, postcodes = read_ground(folder)

    def state(claims: str) -> pa.Table:
        with tempfile.TemporaryDirectory(dir=folder) as spill, baselines.connect(Path(spill)) as connection:
            baselines.keep_postcodes(connection, postcodes)
            source = f"read_parquet('{folder / claims / '*.parquet'}')"
            return connection.sql(baselines.claims_statement(source)).to_arrow_table()

    state("warm")
    result, cost = costed(lambda: state("claims"))
    np.save(folder / "stated.npy", baselines.statement_cells(result))
    return baselines.statement_buckets(result), cost


def _compare(folder: Path) -> None:
    cells = finest_cells(folder)
    ours = np.column_stack([cells[name].to_numpy().astype(np.int64) for name in ("area", *DIMENSIONS, "count")])
    if not np.array_equal(ours, np.load(folder / "stated.npy")):
        raise RuntimeError("count_caseload and the statement give different cells")
