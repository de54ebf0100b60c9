"""The formats one by one, and `publish` as a whole, step by step."""

import shutil
import sys
from pathlib import Path

from bench.made import true_tables
from bench.measure import THREADS, Cost, Meter, costed, in_child
from bench.results import MIB, Row, limit_row
from bench.tablework import round_tables
from releases.publish.facts import release_facts, report_table
from releases.publish.inputs import dimensions_of, read_inputs
from releases.publish.pipeline import publish
from releases.publish.releasefile import read_release
from reports.csvw import write_csvw
from reports.longform import write_long
from reports.model import ReleaseFacts, ReportTable
from reports.ods import write_ods
from reports.workbook import build_workbook
from reports.xlsx import write_xlsx

__all__ = ["measure_publication", "measure_writing"]

MEMORY_GIB = 8
TABLE_OF = {"benefit": "benefit", "age": "age_band", "sex": "sex", "duration": "duration_band"}
"""Tables of the made-up release file, and the dimension of each."""


def measure_writing(folder: Path, repeats: int) -> list[Row]:
    """Every table of the release in every format; one row a format."""
    (cells, found), _ = in_child(_write_all, folder)
    of = f"{len(TABLE_OF)} tables, {cells:,} cells"
    return [
        Row(name=f"writing {name}", of=of, cost=cost, figure=f"{size / MIB:,.1f} MiB")
        for name, (size, cost) in found.items()
    ]


def measure_publication(folder: Path) -> tuple[list[Row], list[Row]]:
    """The whole of `publish`, records to checked folder: its row against the memory allowed, and a row per step."""
    out = folder / "out"
    for place in (out, out.with_name("out-review")):
        shutil.rmtree(place, ignore_errors=True)
    (steps, whole, written), tree = in_child(_publish, folder, out)
    peak = max(tree, whole.peak, *(cost.peak for _, cost in steps))
    whole = Cost(seconds=whole.seconds, cpu=whole.cpu, peak=peak)
    of = f"{written['files']:,} files, {written['bytes'] / MIB:,.0f} MiB"
    total = limit_row("publish: records, counts, rounding, attack, every format, pages, check", of, whole, MEMORY_GIB)
    return [total], [
        Row(name=name, of="", cost=cost, figure=f"{cost.seconds / whole.seconds:.0%} of the time")
        for name, cost in steps
    ]


class _StepCosts:
    """A progress that measures each step from its start to the start of the next."""

    def __init__(self) -> None:
        self.costs: list[tuple[str, Cost]] = []
        self._name = "starting"
        self._meter = Meter()

    def step(self, name: str, total: int | None = None) -> None:
        self.costs.append((self._name, self._meter.read()))
        print(f"  {name}", file=sys.stderr, flush=True)
        self._name, self._meter = name, Meter()

    def advance(self, parts: int = 1) -> None:
        """Parts are of no interest here."""


def _publish(folder: Path, out: Path) -> tuple[list[tuple[str, Cost]], Cost, dict[str, int]]:
    steps = _StepCosts()

    def run() -> None:
        publish(folder / "RELEASE.toml", out, progress=steps, threads=THREADS)

    _, whole = costed(run)
    steps.step("end")
    review = out.with_name("out-review")
    sizes = [path.stat().st_size for place in (out, review) for path in place.rglob("*") if path.is_file()]
    for place in (out, review):
        shutil.rmtree(place)
    return steps.costs, whole, {"files": len(sizes), "bytes": sum(sizes)}


def _write_all(folder: Path) -> tuple[int, dict[str, tuple[int, Cost]]]:
    tables, facts = _report_tables(folder)
    place = folder / "tables"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    writers = {
        "csv": lambda table, path: write_long(table.safe, path),
        "parquet": lambda table, path: write_long(table.safe, path),
        "csv-metadata.json": lambda table, path: write_csvw(table, facts, path),
        "ods": lambda table, path: write_ods(build_workbook(table, facts), path),
        "xlsx": lambda table, path: write_xlsx(build_workbook(table, facts), path),
    }
    found = {}
    for ending, write in writers.items():
        paths = [place / f"{table.id}.{ending}" for table in tables]

        def write_each(write=write, paths=paths) -> None:  # type: ignore[no-untyped-def]
            for table, path in zip(tables, paths, strict=True):
                write(table, path)

        _, cost = costed(write_each)
        found[ending] = (sum(path.stat().st_size for path in paths), cost)
    shutil.rmtree(place)
    return sum(sum(values.size for values in table.safe.values) for table in tables), found


def _report_tables(folder: Path) -> tuple[list[ReportTable], ReleaseFacts]:
    """The safe tables of the release with their words, as `publish` hands them to the writers."""
    path = folder / "RELEASE.toml"
    release = read_release(path)
    dimensions = dimensions_of(release, path.name)
    facts = release_facts(release, read_inputs(release, path.name).areas, "")
    true = true_tables(folder)
    safe = round_tables(true)
    tables = [
        report_table(spec, safe[TABLE_OF[spec.id]], dimensions[spec.id], release.counts(spec)) for spec in release.table
    ]
    return tables, facts
