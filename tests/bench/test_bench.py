"""The benchmark at a tiny size: it runs from end to end, checks what it compares, and tells targets and verdicts."""

import subprocess
import sys
from pathlib import Path

import pytest

from bench.measure import Cost, costed, in_child
from bench.results import ratio_row

RUN = Path(__file__).parents[2] / "bench" / "run.py"
COST = Cost(seconds=1.0, cpu=1.0, peak=1)


@pytest.mark.slow
def test_a_tiny_run_measures_everything_and_writes_the_table(tmp_path: Path) -> None:
    results = tmp_path / "RESULTS.md"
    tiny = [
        "--size",
        "3000",
        "--areas",
        "60",
        "--repeats",
        "1",
        "--work",
        str(tmp_path / "work"),
        "--results",
        str(results),
    ]
    done = subprocess.run([sys.executable, str(RUN), *tiny], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    written = results.read_text()
    assert written in done.stdout
    assert "3,000 claims on 60 output areas" in written
    assert str(tmp_path) not in written
    lines = {line.split(" | ")[0].removeprefix("| "): line for line in written.splitlines() if line.startswith("| ")}
    for name, target in (
        ("count_caseload", "≤ 1.25 ×"),
        ("round_controlled, one table", "≤ 3 ×"),
        ("round_controlled, 5 linked tables", "≤ 30 ×"),
        ("round_controlled, one country", "≤ 1.3 ×"),
        ("protect_nearest", "≤ 150 ×"),
        ("key_sums and protect_by_cell_key", "≤ 5 ×"),
        ("suppress_table with its audit, from LSOA up", "≤ 10 ×"),
        ("suppress_table with its audit, no lone claimants", "≤ 60 ×"),
        ("suppress_table with its audit, lone claimants too", "≤ 150 ×"),
        ("protect_random, one country", "≤ 1.3 ×"),
        ("audit_tables, suppressed, by an outsider", "≤ 15 ×"),
        ("audit_tables, rounded each on its own, by an outsider", "≤ 10 ×"),
        ("audit_together, LSOAs and own areas, suppressed", "≤ 5 min"),
        ("round_cube", "≤ 5 min"),
        ("audit_tables, one country", "≤ 1.3 ×"),
        ("publish", "≤ 8 GiB"),
    ):
        line = next(line for start, line in lines.items() if start.startswith(name))
        assert target in line
        assert "meets" in line or "misses by" in line
    assert any("τ-ARGUS" in line for line in written.splitlines())
    for ending in ("csv", "parquet", "ods", "xlsx"):
        assert f"writing {ending}" in lines


def test_a_missed_target_is_told_as_missed() -> None:
    assert ratio_row("x", "", COST, 1.24, 1.25).verdict == "meets"
    assert ratio_row("x", "", COST, 1.75, 1.25).verdict == "misses by 0.50 ×"


def test_peak_memory_is_of_the_work_alone() -> None:
    big = 200 << 20
    _, large = costed(lambda: len(bytearray(big)))
    _, small = costed(lambda: None)
    assert large.peak > big
    assert small.peak < large.peak - big // 2


def test_a_task_that_fails_in_its_process_fails_here() -> None:
    with pytest.raises(RuntimeError, match="invalid literal"):
        in_child(int, "no number")
