"""Run the benchmark: `make bench`, or smaller with options.

Makes 10 million claims on 188,880 output areas (once; they stay in bench/work),
measures, prints a table, and at that size writes bench/RESULTS.md.
"""

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path

from bench.aggregation import measure_aggregation, need_cells
from bench.linearity import measure_linearity
from bench.made import NATIONAL, WORK, Size, make
from bench.measure import hold_to_cores
from bench.protection import measure_protection
from bench.publication import measure_publication, measure_writing
from bench.results import Row, Section, document

RESULTS = Path(__file__).parent / "RESULTS.md"


def _publication(folder: Path, repeats: int) -> list[Section]:
    whole, steps = measure_publication(folder)
    return [
        Section(title="The whole release", rows=tuple(whole)),
        Section(title="The whole release, step by step", rows=tuple(steps)),
    ]


def _titled(title: str, measure: Callable[[Path, int], list[Row]]) -> Callable[[Path, int], list[Section]]:
    return lambda folder, repeats: [Section(title=title, rows=tuple(measure(folder, repeats)))]


MEASURES: dict[str, Callable[[Path, int], list[Section]]] = {
    "aggregation": _titled("Claims to counts", measure_aggregation),
    "protection": _titled("Counts to safe counts", measure_protection),
    "linearity": _titled("Cost per cell, from an authority to the country", measure_linearity),
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
    sections = []
    for name in [name for name in MEASURES if name in chosen]:
        print(f"measuring: {name}", file=sys.stderr, flush=True)
        sections += MEASURES[name](folder, options.repeats)
    text = document(sections, str(size), load)
    print(text)
    results = options.results
    if results is None and size == NATIONAL and not options.only:
        results = RESULTS
    if results is not None:
        results.write_text(text, encoding="utf-8", newline="\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Speed and memory of smallarea, as ratios against plain DuckDB.")
    parser.add_argument("--size", type=int, default=NATIONAL.claims, help="claims to make (default: %(default)s)")
    parser.add_argument("--areas", type=int, default=NATIONAL.areas, help="output areas to make (default: %(default)s)")
    parser.add_argument("--only", action="append", choices=list(MEASURES), help="measure this alone; repeatable")
    parser.add_argument("--repeats", type=int, default=5, help="runs behind each median (default: %(default)s)")
    parser.add_argument("--work", type=Path, default=WORK, help="where made-up data is kept (default: bench/work)")
    parser.add_argument("--results", type=Path, help="write the results here (default: bench/RESULTS.md at full size)")
    return parser.parse_args()


if __name__ == "__main__":
    main()
