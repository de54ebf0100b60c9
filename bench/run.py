"""Run the benchmark: `make bench`, or smaller with options.

Makes 10 million claims on 188,880 output areas (once; they stay in bench/work),
measures, prints a table, and at that size writes bench/RESULTS.md.
"""

import argparse
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.aggregation import measure_aggregation, need_cells
from bench.argus import measure_argus
from bench.attacking import measure_attack
from bench.crossed import measure_crossed
from bench.engines import measure_engines
from bench.geographies import measure_geographies
from bench.growth import measure_growth
from bench.linearity import measure_linearity
from bench.made import NATIONAL, WORK, Size, make
from bench.measure import hold_to_cores
from bench.methods import METHODS, measure_methods
from bench.protection import measure_protection
from bench.publication import measure_publication, measure_writing
from bench.results import Row, Section, document

RESULTS = Path(__file__).parent / "RESULTS.md"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a measure is asked.

    How much is made and where, runs behind each median, methods to measure (all if none), seconds that others may take.
    """

    size: Size
    work: Path
    repeats: int
    methods: tuple[str, ...]
    patience: float


Measure = Callable[[Path, Asked], list[Section]]


def _publication(folder: Path, asked: Asked) -> list[Section]:
    whole, steps = measure_publication(folder)
    return [
        Section(title="The whole release", rows=tuple(whole)),
        Section(title="The whole release, step by step", rows=tuple(steps)),
    ]


def _growth(folder: Path, asked: Asked) -> list[Section]:
    rows = measure_growth(asked.size, asked.work, asked.repeats)
    return [Section(title="Claims to counts, from a tenth of the claims to five times as many", rows=tuple(rows))]


def _methods(folder: Path, asked: Asked) -> list[Section]:
    return measure_methods(folder, asked.repeats, asked.methods)


def _argus(folder: Path, asked: Asked) -> list[Section]:
    rows = measure_argus(folder, asked.repeats, asked.patience)
    return [Section(title="Suppression beside τ-ARGUS", rows=tuple(rows))]


def _titled(title: str, measure: Callable[[Path, int], list[Row]]) -> Measure:
    return lambda folder, asked: [Section(title=title, rows=tuple(measure(folder, asked.repeats)))]


MEASURES: dict[str, Measure] = {
    "aggregation": _titled("Claims to counts", measure_aggregation),
    "growth": _growth,
    "engines": _titled("Claims to counts on either engine", measure_engines),
    "protection": _titled("Counts to safe counts", measure_protection),
    "linearity": _titled("Cost per cell, from an authority to the country", measure_linearity),
    "methods": _methods,
    "attack": lambda folder, asked: measure_attack(folder, asked.repeats),
    "geographies": lambda folder, asked: measure_geographies(folder),
    "crossed": _titled("Several margins at once", measure_crossed),
    "argus": _argus,
    "writing": _titled("Safe counts to files", measure_writing),
    "publication": _publication,
}


def main() -> None:
    """Read the options, measure, print, and write the results."""
    options = _options()
    load = os.getloadavg()[0]
    hold_to_cores()
    size = Size(claims=options.size, areas=options.areas)
    folder = make(size, options.work.resolve())
    chosen = options.only or list(MEASURES)
    if "aggregation" not in chosen and not (folder / "cells.parquet").exists():
        need_cells(folder)
    asked = Asked(
        size=size,
        work=options.work.resolve(),
        repeats=options.repeats,
        methods=tuple(options.method or ()),
        patience=options.patience,
    )
    sections: list[Section] = []
    try:
        for name in [name for name in MEASURES if name in chosen]:
            print(f"measuring: {name}", file=sys.stderr, flush=True)
            sections += MEASURES[name](folder, asked)
    finally:
        # What was measured before something failed is not lost.
        text = document(sections, size=str(size), repeats=options.repeats, load=load)
        print(text)
    results = options.results
    if results is None and size == NATIONAL and not options.only and not options.method:
        results = RESULTS
    if results is not None:
        results.write_text(text, encoding="utf-8", newline="\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Speed and memory of smallarea, as ratios against plain DuckDB.")
    parser.add_argument("--size", type=int, default=NATIONAL.claims, help="claims to make (default: %(default)s)")
    parser.add_argument("--areas", type=int, default=NATIONAL.areas, help="output areas to make (default: %(default)s)")
    parser.add_argument("--only", action="append", choices=list(MEASURES), help="measure this alone; repeatable")
    parser.add_argument(
        "--method", action="append", choices=list(METHODS), help="of the methods, measure this alone; repeatable"
    )
    parser.add_argument(
        "--patience", type=float, default=600, help="seconds after which τ-ARGUS is stopped (default: %(default)s)"
    )
    parser.add_argument("--repeats", type=int, default=5, help="runs behind each median (default: %(default)s)")
    parser.add_argument("--work", type=Path, default=WORK, help="where made-up data is kept (default: bench/work)")
    parser.add_argument("--results", type=Path, help="write the results here (default: bench/RESULTS.md at full size)")
    return parser.parse_args()


if __name__ == "__main__":
    main()
