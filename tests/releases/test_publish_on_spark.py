"""A release counted by Spark is, byte for byte, the release counted by DuckDB."""

import subprocess
import sys
from pathlib import Path

import pytest
from conftest import Published
from small_place import command, files
from sparkneeds import need_spark


@pytest.mark.slow
def test_both_engines_publish_the_same_bytes(done: Published, place: Path, tmp_path: Path) -> None:
    need_spark()
    # As a command of its own, with a Spark that nobody started before.
    asked = ["publish", place, "--out", tmp_path / "out", "--engine", "spark", "--threads", "2"]
    run = [sys.executable, "-c", "from releases.cli import main; main()", *map(str, asked)]
    ran = subprocess.run(run, capture_output=True, text=True, cwd=Path(__file__).parents[2])
    assert ran.returncode == 0, ran.stderr
    assert files(tmp_path / "out") == files(done.out)
    assert files(tmp_path / "out-review") == files(done.review)
    assert not [path for path in tmp_path.iterdir() if path.name not in ("out", "out-review")]


def test_an_engine_that_there_is_not_is_told(place: Path, tmp_path: Path) -> None:
    ran = command("publish", place, "--out", tmp_path / "out", "--engine", "sparkle")
    assert ran.code == 2
    assert "use one of duckdb, spark" in ran.err
    assert not list(tmp_path.iterdir())
