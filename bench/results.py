"""The table of results, on the screen and in RESULTS.md."""

import datetime as dt
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

import psutil

from bench.measure import THREADS, Cost, median, paired_ratios

__all__ = [
    "Row",
    "Section",
    "document",
    "faster_row",
    "limit_row",
    "markdown",
    "minutes_row",
    "per_cell_rows",
    "ratio_row",
]

LIBRARIES = ("duckdb", "ibis-framework", "numba", "numpy", "pyarrow", "pandas", "xlsxwriter")
MIB = 1 << 20
PER_CELL_TARGET = 1.3
INTRODUCTION = """\
Ratios are medians of paired runs within this run; seconds are medians; memory is the \
largest resident set of the process while the work ran. Everything is held to two cores and two threads. \
Whatever is timed in a warmed process was run there once before, for nothing: compiling, and reading what was \
compiled before, is not in its figures. Costs per cell of an authority are of nine typical ones, one after another. \
Records and areas are made up."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line: what was done, on how much, its cost, the figure that counts, what was asked and whether it is met."""

    name: str
    of: str
    cost: Cost | None = None
    figure: str = ""
    target: str = ""
    verdict: str = ""


@dataclass(frozen=True, kw_only=True)
class Section:
    """Rows under a heading."""

    title: str
    rows: tuple[Row, ...]


def ratio_row(
    name: str, of: str, cost: Cost, ratio: float, target: float | None = None, *, cpu: float | None = None
) -> Row:
    """A row whose figure is a ratio that is to be at most `target`; of processor seconds too, if given."""
    figure = f"{ratio:.2f} ×" + ("" if cpu is None else f" (processor {cpu:.2f} ×)")
    if target is None:
        return Row(name=name, of=of, cost=cost, figure=figure)
    return Row(
        name=name, of=of, cost=cost, figure=figure, target=f"≤ {target:g} ×", verdict=_verdict(ratio, target, " ×")
    )


def limit_row(name: str, of: str, cost: Cost, gibibytes: float) -> Row:
    """A row whose figure is peak memory."""
    held = cost.peak / 1024 / MIB
    return Row(
        name=name,
        of=of,
        cost=cost,
        figure=f"{cost.seconds / 60:.1f} min, {held:.2f} GiB",
        target=f"≤ {gibibytes:g} GiB",
        verdict=_verdict(held, gibibytes, " GiB"),
    )


def minutes_row(name: str, of: str, cost: Cost, minutes: float) -> Row:
    """A row whose figure is time in minutes."""
    taken = cost.seconds / 60
    return Row(
        name=name,
        of=of,
        cost=cost,
        figure=f"{taken:.1f} min",
        target=f"≤ {minutes:g} min",
        verdict=_verdict(taken, minutes, " min"),
    )


def faster_row(
    name: str, of: str, cost: Cost, times: float, target: float, *, told: str = "", less: bool = True
) -> Row:
    """A row that is to be `target` times as fast as something else, and no worse: `less` says whether it is not."""
    enough = "meets" if times >= target else f"misses by {target - times:.1f} ×"
    return Row(
        name=name,
        of=of,
        cost=cost,
        figure=f"{times:.1f} × as fast{told}",
        target=f"≥ {target:g} ×, no more hidden, audit clean",
        verdict=enough if less else f"{enough}, but more is hidden or the audit finds something",
    )


def per_cell_rows(label: str, sizes: Mapping[str, tuple[int, int]], costs: Mapping[str, Sequence[Cost]]) -> list[Row]:
    """A row for each place, smallest first and the largest last: the cost per cell beside that of the others.

    Parameters
    ----------
    sizes : by place, areas and cells of what was run.
    costs : by place, its costs in each turn.
    """
    first, *_, last = sizes
    rows = []
    for place, (areas, cells) in sizes.items():
        cost = median(costs[place])

        def against(other: str, place: str = place, cells: int = cells) -> tuple[float, float]:
            wall, processor = paired_ratios(costs[place], costs[other])
            return wall * sizes[other][1] / cells, processor * sizes[other][1] / cells

        name = f"{label}, one {place}: {cost.seconds / cells * 1e9:,.0f} ns a cell"
        target = PER_CELL_TARGET if place == last else None
        ratio, processor = against(first)
        row = ratio_row(name, f"{areas:,} areas, {cells:,} cells", cost, ratio, target, cpu=processor)
        beside = [f"{against(other)[0]:.2f} × of a {other}" for other in [*sizes][1:-1]]
        rows.append(replace(row, figure=", ".join([row.figure, *beside])))
    return rows


def _verdict(figure: float, target: float, unit: str) -> str:
    return "meets" if figure <= target else f"misses by {figure - target:.2f}{unit}"


def markdown(section: Section) -> str:
    """A section as a Markdown table."""
    head = ("what", "of", "wall s", "processor s", "peak MiB", "figure", "target", "verdict")
    lines = [head, ("---", "---", "---:", "---:", "---:", "---:", "---:", "---")]
    lines += [(row.name, row.of, *_cost_cells(row.cost), row.figure, row.target, row.verdict) for row in section.rows]
    table = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    return f"## {section.title}\n\n{table}\n"


def _cost_cells(cost: Cost | None) -> tuple[str, str, str]:
    if cost is None:
        return "", "", ""
    return f"{cost.seconds:,.3f}", f"{cost.cpu:,.3f}", f"{cost.peak / MIB:,.0f}"


def document(sections: Sequence[Section], *, size: str, repeats: int, load: float) -> str:
    """RESULTS.md: when, on what, how often, and every table."""
    day = dt.date.today()
    parts = [
        "# Benchmark results\n",
        f"Written by `make bench`. {INTRODUCTION}\n",
        f"{day.day} {day:%B %Y}. {size}. Runs behind each median: {repeats}; what takes minutes ran once.\n",
        f"{_machine()} Load when the run began: {load:.1f}.\n",
        *(markdown(section) for section in sections),
    ]
    return "\n".join(parts)


def _machine() -> str:
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    memory = psutil.virtual_memory().total / 1024 / MIB
    return (
        f"{_processor()}, {THREADS} of {os.cpu_count()} cores, {memory:.0f} GiB of memory, {platform.system()}. "
        f"Python {platform.python_version()}, {libraries}."
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
