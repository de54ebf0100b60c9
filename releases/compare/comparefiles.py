"""The files of a comparison: the page, every figure as a row of CSV, and everything as JSON.  All of them are private."""

import csv
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from releases.files.wholefiles import Writing
from reports.attackreport import audit_as_dict
from reports.comparison import READINGS, Compared, Comparison, adds_up, recommendations
from reports.comparisonpage import comparison_page
from reports.metadata import json_text
from reports.statements import words

__all__ = ["FORMAT", "NAMES", "comparison_files"]

FORMAT = "smallarea comparison 1"
NAMES = ("compare.html", "compare.csv", "compare.json")
HEADS = ("method", "hidden_cells", "level", "category", "measure", "value")
# What `hidden_cells` says of how cells without a value entered the measure.
HIDDEN_CELLS = dict(zip(READINGS, ("left out", "middle of interval", "share of margins"), strict=True))


def comparison_files(folder: Path, facts: Comparison) -> list[Writing]:
    """The files to write into the folder, the one that marks it as ours last."""

    def page(path: Path) -> None:
        path.write_text(comparison_page(facts), encoding="utf-8", newline="\n")

    def rows(path: Path) -> None:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(HEADS)
            for method in facts.methods:
                writer.writerows(_rows_of(method))

    def plain(path: Path) -> None:
        path.write_text(json_text(_as_dict(facts)), encoding="utf-8", newline="\n")

    makers = dict(zip(NAMES, (page, rows, plain), strict=True))
    return [Writing(target=folder / name, write=make, private=True) for name, make in makers.items()]


def _rows_of(method: Compared) -> Iterator[tuple[object, ...]]:
    """Every measure that exists, a row each; the sizes of errors after them, over all cells of a level."""
    for reading, rows in method.utility.items():
        for row in rows:
            where = (method.name, HIDDEN_CELLS[reading], row["level"], row["category"])
            for measure, value in row.items():
                if measure not in ("level", "category") and value is not None:
                    yield (*where, measure, value)
    for row in method.sizes:
        for name, number in row.items():
            if name not in ("level", "cells"):
                where = (method.name, HIDDEN_CELLS[READINGS[0]], row["level"], "all cells")
                yield (*where, f"cells with error: {name}", number)


def _as_dict(facts: Comparison) -> dict[str, Any]:
    return {
        "private": True,
        "warning": words("comparison")["private"],
        "format": FORMAT,
        "software": facts.software,
        "counts": facts.counts,
        "dimensions": list(facts.dimensions),
        "levels": [{"level": level, "areas": areas} for level, areas in facts.levels],
        "min_count": facts.min_count,
        "recommendations": list(recommendations(facts)),
        "not_compared": [{"method": name, "reason": reason} for name, reason in facts.unfit],
        "methods": [_method(method) for method in facts.methods],
        "worked_area": asdict(facts.worked),
        "notices": list(facts.notices),
    }


def _method(method: Compared) -> dict[str, Any]:
    return {
        "method": method.name,
        "parameters": dict(method.parameters),
        "promise": method.promise,
        "adds_up": adds_up(method),
        "findings": method.findings,
        "audit": audit_as_dict(method.audit),
        "sizes": [dict(row) for row in method.sizes],
        "utility": {HIDDEN_CELLS[reading]: [dict(row) for row in rows] for reading, rows in method.utility.items()},
        "worked_area": list(method.worked),
        "notices": list(method.notices),
    }
