"""The same count on either engine: cells, buckets and sums of record keys must be the same to the last digit."""

import tempfile
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq

from bench import baselines
from bench.made import DIMENSIONS, KEY, REFERENCE, read_ground
from bench.measure import THREADS, Cost, costed, in_child
from bench.results import Row, ratio_row
from claimants.caseload import Caseload, CaseloadSpec, count_caseload
from claimants.dimensions import dimension
from claimants.extract import ExtractSpec
from claimants.recordkeys import RecordKeys

__all__ = ["measure_engines"]


def measure_engines(folder: Path, repeats: int) -> list[Row]:
    """One run of each in a fresh process: Spark's is too long for more, and starts a Java that is part of its cost."""
    costs: dict[str, Cost] = {}
    told: dict[str, dict[str, int]] = {}
    for engine in ("duckdb", "spark"):
        (told[engine], cost), peak = in_child(_count, folder, engine)
        costs[engine] = replace(cost, peak=peak)
    if told["duckdb"] != told["spark"]:
        raise RuntimeError(f"buckets differ: {told}")
    cells = in_child(_compare, folder)[0]
    of = f"{sum(told['spark'].values()):,} rows, {cells:,} cells"
    ratio = costs["spark"].seconds / costs["duckdb"].seconds
    cpu = costs["spark"].cpu / costs["duckdb"].cpu
    return [
        Row(name="DuckDB: cells, buckets and sums of record keys", of=of, cost=costs["duckdb"]),
        ratio_row(
            "Spark on this machine, started and ended: the same to the last digit", of, costs["spark"], ratio, cpu=cpu
        ),
    ]


def _count(folder: Path, engine: str) -> tuple[dict[str, int], Cost]:
    areas, postcodes = read_ground(folder)

    def count() -> Caseload:
        with tempfile.TemporaryDirectory(dir=folder) as spill:
            return count_caseload(
                ExtractSpec(paths=(folder / "claims",)),
                area_codes=areas.codes[0],
                postcodes=postcodes,
                spec=CaseloadSpec(reference_date=REFERENCE, dimensions=tuple(map(dimension, DIMENSIONS))),
                record_keys=RecordKeys(key=KEY),
                engine=engine,
                spill=Path(spill),
                memory=baselines.MEMORY,
                threads=THREADS,
            )

    caseload, cost = costed(count)
    pq.write_table(caseload.cells, _kept(folder, engine))
    return dict(caseload.buckets), cost


def _compare(folder: Path) -> int:
    """Raise unless both kept the same cells; how many there are."""
    first, second = (pq.read_table(_kept(folder, engine)) for engine in ("duckdb", "spark"))
    if not first.equals(second):
        raise RuntimeError("the engines give different cells or sums of record keys")
    return int(first.num_rows)


def _kept(folder: Path, engine: str) -> Path:
    return folder / f"cells-{engine}.parquet"
