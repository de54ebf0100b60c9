"""Suppression beside the modular method of τ-ARGUS (the engine in pytauargus), on the same tables.

Both are asked to hide the counts of 1 to 4 and what protects them, zeros being
shown.  "100 % protection" is the rule FREQ(5, 100): the interval of a count x must
reach from 0 to 2x.  Ours are asked for 0 to 5.  Timed is what makes a pattern out
of a table and its unsafe cells: their step SUPPRESS, and our `suppress_table` with its
audit; reading records and tabulating them, which their call does too, is told beside it.

The engine runs in a process and an empty folder of its own: it leaves files under
fixed names, and falls over those of an earlier run.  It wants records: a count of x is x
records of 1.
"""

import importlib.util
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path

import numpy as np

from bench.made import KEY, true_tables
from bench.measure import Cost, in_child, median, paired_ratios, runs_a_turn, shared
from bench.results import Row, faster_row
from bench.tablework import below, cell_count, nearest_units
from sdc.rules.threshold import small_cells
from sdc.suppression.audit import LEARNED, audit_pattern
from sdc.suppression.report import level_losses
from sdc.suppression.spec import Protection, SuppressionSpec
from sdc.suppression.suppress import suppress_table
from sdc.tables import SUPPRESSED, TOTAL, Hierarchy, Table

__all__ = ["Argus", "Compared", "compare", "measure_argus", "rows_of", "run_argus"]

ONE = "benefit"
ENGINE = "pytauargus"
MIN_COUNT = 5
RULE, MODULAR = "FREQ(5,100)", "MOD(1,5,0,0,0)"
# Areas in a table of some 4,500 cells; None is a region of mean size, some 165,000 cells.
PLACES: dict[str, tuple[str, float | None, float]] = {"authority": ("lad", 520, 30), "region": ("rgn", None, 70)}
ALIKE = SuppressionSpec(min_count=MIN_COUNT, lone_claimants=False, hide_zeros=False, decoys=0.0, spread=0.0)
USUAL = SuppressionSpec(min_count=MIN_COUNT)

# Runs where nothing of ours is on the path but what is written here.
SCRIPT = """
import json, resource, sys, time
from pytauargus import protect
from pytauargus.engine import Engine

spent = {}

def costed(name, call, *arguments, **options):
    wall, processor = time.perf_counter(), time.process_time()
    result = call(*arguments, **options)
    spent[name] = time.perf_counter() - wall, time.process_time() - processor
    return result

step = Engine.suppress
Engine.suppress = lambda *arguments: costed("step", step, *arguments)
with open("job.json", encoding="utf-8") as file:
    job = json.load(file)
done = costed(
    "call", protect, job["records"], ["area", "category"], response="value", safety_rules=job["rule"],
    suppress=job["suppress"], hrc={"area": job["hierarchy"]}, workdir="work", totcode="Total",
)
status = [[row["area"], row["category"], row["status"]] for row in done.tables[0].rows]
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
with open("done.json", "w", encoding="utf-8") as file:
    json.dump({"spent": spent, "peak": peak, "status": status}, file)
"""


@dataclass(frozen=True, kw_only=True, eq=False)
class Argus:
    """What τ-ARGUS did: cells hidden (bool per level), the cost of the suppression step, and of the whole call."""

    hidden: tuple[np.ndarray, ...]
    step: Cost
    call: Cost


def run_argus(table: Table, seconds: float, *, suppress: str = MODULAR) -> Argus | None:
    """Have τ-ARGUS protect a table whose top level is one area; None if it takes longer than `seconds`.

    Raises
    ------
    RuntimeError
        The engine failed; what it said last is in the message.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _write_job(table, folder, suppress)
        try:
            run = subprocess.run(
                [sys.executable, "-c", SCRIPT], cwd=folder, capture_output=True, text=True, timeout=seconds, check=False
            )
        except subprocess.TimeoutExpired:
            return None
        if run.returncode:
            raise RuntimeError(f"{ENGINE} failed ({run.returncode}): {run.stderr[-2000:]}")
        done = json.loads((folder / "done.json").read_text(encoding="utf-8"))
    costs = {
        what: Cost(seconds=wall, cpu=processor, peak=done["peak"]) for what, (wall, processor) in done["spent"].items()
    }
    hidden = _hidden_cells(table, done["status"])
    return Argus(hidden=hidden, step=costs["step"], call=costs["call"])


def _write_job(table: Table, folder: Path, suppress: str) -> None:
    """The records, the tree of areas in their notation, and what is asked."""
    if len(table.hierarchy.codes[-1]) != 1:
        raise ValueError("the top level must be one area")
    finest = table.counts[0][:, :-1]
    area, column = np.nonzero(finest)
    counts = finest[area, column]
    names = np.array([category for (category,) in table.classification.categories])
    records = {
        "area": np.repeat(table.hierarchy.codes[0][area], counts).tolist(),
        "category": np.repeat(names[column], counts).tolist(),
        "value": [1] * int(counts.sum()),
    }
    tree = folder / "areas.hrc"
    tree.write_text("\n".join(_tree_lines(table.hierarchy, len(table.hierarchy.levels) - 1, 0, -1)) + "\n")
    job = {"records": records, "rule": RULE, "suppress": suppress, "hierarchy": str(tree)}
    (folder / "job.json").write_text(json.dumps(job), encoding="utf-8")


def _tree_lines(hierarchy: Hierarchy, level: int, unit: int, depth: int) -> Iterator[str]:
    """The areas below one, each after as many @ as it is deep; the top itself is their total."""
    if depth >= 0:
        yield "@" * depth + str(hierarchy.codes[level][unit])
    if level:
        for child in np.flatnonzero(hierarchy.parents[level - 1] == unit).tolist():
            yield from _tree_lines(hierarchy, level - 1, child, depth + 1)


def _hidden_cells(table: Table, status: list[list[str]]) -> tuple[np.ndarray, ...]:
    """Their statuses as a pattern: U is primary, M secondary; blanks fill their codes up, and none at all is the total."""
    told = {(area.strip() or TOTAL, column.strip() or TOTAL): each in ("U", "M") for area, column, each in status}
    columns = [*(category for (category,) in table.classification.categories), TOTAL]
    areas = [codes.tolist() for codes in table.hierarchy.codes]
    areas[-1] = [TOTAL]
    return tuple(np.array([[told[area, column] for column in columns] for area in level]) for level in areas)


@dataclass(frozen=True, kw_only=True)
class Pattern:
    """What a pattern hides beside the unsafe cells, and how many cells the audit finds fault with."""

    cells: int
    total: int
    breaches: int

    @classmethod
    def of(cls, table: Table, hidden: tuple[np.ndarray, ...], *, alike: bool, lone: bool = False) -> "Pattern":
        """The pattern, held against what theirs was asked for (0 to 2x), or ours (`alike` False: 0 to 5)."""
        primary = small_cells(table, min_count=MIN_COUNT)
        losses = level_losses(table, hidden, primary)
        audit = audit_pattern(
            table,
            hidden,
            key=KEY,
            min_count=MIN_COUNT,
            width=1 if alike else None,
            protection=Protection(lower=table.counts, upper=table.counts) if alike else None,
            lone_claimants=lone,
        )
        return cls(
            cells=sum(loss.others for loss in losses),
            total=sum(loss.sum_others for loss in losses),
            breaches=sum(int((verdict >= LEARNED).sum()) for verdict in audit.verdict),
        )


@dataclass(frozen=True, kw_only=True)
class Compared:
    """Both sides on one place; `step` and `call` are empty where theirs was stopped before its end."""

    areas: int
    cells: int
    unsafe: int
    step: list[Cost]
    call: list[Cost]
    ours: list[Cost]
    usual: list[Cost]
    patterns: Mapping[str, Pattern]


def measure_argus(folder: Path, repeats: int, seconds: float) -> list[Row]:
    """Rows for an authority and a region; one that says so where the engine is not installed."""
    if importlib.util.find_spec(ENGINE) is None:
        return [Row(name=f"τ-ARGUS: {ENGINE} is not installed, nothing was compared", of="")]
    rows = []
    for place, (level, wanted, target) in PLACES.items():
        print(f"  {place}", file=sys.stderr, flush=True)
        found, _ = in_child(_compare, folder, level, wanted, repeats if place == "authority" else 1, seconds)
        rows += rows_of(place, found, target, seconds)
    return rows


def rows_of(place: str, found: Compared, target: float, seconds: float) -> list[Row]:
    """Theirs, ours asked for as much (which the target is for), and ours as it comes."""
    of = f"{place}: {found.areas:,} areas, {found.cells:,} cells, {found.unsafe:,} of them unsafe"
    ours, usual = found.patterns["ours"], found.patterns["usual"]
    engine = f"τ-ARGUS {MODULAR[:3]}, {ENGINE} {version(ENGINE)}"
    label, usual_label = "suppress_table and its audit, asked for as much", "suppress_table and its audit, as it comes"
    if not found.step:
        return [
            Row(name=f"{engine}: stopped after {seconds:,.0f} s, reading and writing included", of=of),
            Row(name=label, of=of, cost=median(found.ours), figure=_told(ours), verdict="not known"),
            Row(name=usual_label, of=of, cost=median(found.usual), figure=_told(usual)),
        ]
    theirs, wider = found.patterns["theirs"], found.patterns["theirs, 0 to 5"]
    call = median(found.call)
    told = (
        f"{theirs.cells:,} more hidden, {theirs.total:,} in sum; our audit: {theirs.breaches:,} cells short of 0 to 2x, "
        f"{wider.breaches:,} of 0 to 5; its whole call, from records on, {call.seconds:,.1f} s (processor {call.cpu:,.1f} s)"
    )
    times, processor = paired_ratios(found.step, found.ours)
    usual_times, _ = paired_ratios(found.step, found.usual)
    less = ours.cells <= theirs.cells and ours.total <= theirs.total and not ours.breaches
    return [
        Row(name=engine, of=of, cost=median(found.step), figure=told),
        faster_row(
            label,
            of,
            median(found.ours),
            times,
            target,
            told=f" (processor {processor:.1f} ×); {_told(ours)}",
            less=less,
        ),
        Row(
            name=f"{usual_label}: lone claimants, decoys, spread prices",
            of=of,
            cost=median(found.usual),
            figure=f"{usual_times:.1f} × as fast; {_told(usual)}",
        ),
    ]


def _told(pattern: Pattern) -> str:
    return f"{pattern.cells:,} more hidden, {pattern.total:,} in sum, {pattern.breaches} breaches"


def _compare(folder: Path, level: str, wanted: float | None, repeats: int, seconds: float) -> Compared:
    country = true_tables(folder, [ONE])[ONE]
    at = country.hierarchy.levels.index(level)
    table = below(country, at, nearest_units(country.hierarchy, at, wanted)[0])
    return compare(table, repeats, seconds)


def compare(table: Table, repeats: int, seconds: float) -> Compared:
    """Both sides on one table, in turn; theirs is stopped after so many seconds."""
    primary = small_cells(table, min_count=MIN_COUNT)
    actions = {
        name: partial(suppress_table, table, primary=primary, spec=spec, key=KEY)
        for name, spec in (("ours", ALIKE), ("usual", USUAL))
    }
    safe = {name: action()[0] for name, action in actions.items()}
    runs = {name: runs_a_turn(action, repeats) for name, action in actions.items()}
    costs: dict[str, list[Cost]] = {"ours": [], "usual": [], "step": [], "call": []}
    done = run_argus(table, seconds)
    for turn in range(repeats):
        if done is not None:
            costs["step"].append(done.step)
            costs["call"].append(done.call)
        for name, action in actions.items():
            costs[name].append(shared(action, runs[name]))
        if turn + 1 < repeats and done is not None:
            done = run_argus(table, seconds)
    if done is None:
        costs["step"].clear()
        costs["call"].clear()
    hidden = {name: tuple(marks == SUPPRESSED for marks in each.markers) for name, each in safe.items()}
    patterns = {
        "ours": Pattern.of(table, hidden["ours"], alike=False),
        "usual": Pattern.of(table, hidden["usual"], alike=False, lone=True),
    }
    if done is not None:
        patterns["theirs"] = Pattern.of(table, done.hidden, alike=True)
        patterns["theirs, 0 to 5"] = Pattern.of(table, done.hidden, alike=False)
    return Compared(
        areas=table.hierarchy.units[0],
        cells=cell_count(table),
        unsafe=sum(int(mask.sum()) for mask in primary),
        patterns=patterns,
        **costs,
    )
