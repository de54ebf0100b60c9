"""The command: exit codes, faults on standard error, one JSON object, progress on a terminal only."""

import io
import json
import os
import subprocess
import sys
import threading
import tty
from contextlib import suppress
from pathlib import Path

import pytest
from conftest import Published
from small_place import change, command, files, one_table

from releases.console import shown_progress
from releases.software import software_version

KEYS = ["command", "version", "exit_code", "verdict", "faults", "findings", "checked", "not_checked", "written"]
SMALLAREA = [sys.executable, "-c", "from releases.cli import main; main()"]
ROOT = Path(__file__).resolve().parents[2]


class TestJson:
    def test_done(self, release: Path, tmp_path: Path) -> None:
        ran = command("publish", one_table(release), "--out", tmp_path / "out", "--json")
        told = ran.plain
        assert list(told) == KEYS and ran.code == told["exit_code"] == 0
        assert told["command"] == "publish" and told["verdict"] == "safe" and told["version"] == software_version()
        assert told["written"] == [str(tmp_path / "out"), str(tmp_path / "out-review")]
        assert told["faults"] == [] and told["checked"] and told["not_checked"]

    def test_a_disclosure(self, release: Path, tmp_path: Path) -> None:
        change(one_table(release, ["benefit"]), protection__method="conventional-rounding")
        ran = command("publish", release, "--out", tmp_path / "out", "--json")
        told = ran.plain
        assert list(told) == KEYS and ran.code == told["exit_code"] == 1 and told["verdict"] == "not safe"
        findings = told["findings"]
        assert isinstance(findings, list) and len(findings) > 0
        assert list(findings[0]) == ["kind", "severity", "table", "cell", "interval", "witness"]
        assert told["written"] == [] and not (tmp_path / "out").exists()

    def test_a_fault(self, release: Path, tmp_path: Path) -> None:
        change(release, release__status="draft", protection__base=1)
        ran = command("publish", release, "--out", tmp_path / "out", "--json")
        told = ran.plain
        assert list(told) == KEYS and ran.code == told["exit_code"] == 2 and told["verdict"] == "wrong input"
        faults = told["faults"]
        assert isinstance(faults, list) and [fault["key"] for fault in faults] == ["release.status", "protection.base"]
        assert list(faults[0]) == ["file", "row", "column", "key", "found", "mend"]

    def test_no_solution(self, release: Path, tmp_path: Path) -> None:
        change(release, protection__base=3)
        ran = command("publish", release, "--out", tmp_path / "out", "--json")
        told = ran.plain
        assert list(told) == KEYS and ran.code == told["exit_code"] == 3 and told["verdict"] == "no solution"
        assert "base" in ran.err and "min_count" in ran.err and not (tmp_path / "out").exists()

    @pytest.mark.parametrize(
        "arguments",
        [
            ["publish"],
            ["publish", "RELEASE.toml"],
            ["publish", "RELEASE.toml", "--out"],
            ["publish", "RELEASE.toml", "--out", "x", "--threads", "0"],
            ["publish", "RELEASE.toml", "--out", "x", "--colour", "red"],
            ["synth", "--out", "x", "--size", "many"],
            ["synth", "--out", "x", "--size", "5", "--date", "yesterday"],
            ["synth", "--out", "x", "--size", "5", "--format", "xlsx"],
            ["synth", "--out", "x", "--size", "5", "--boundary", "oa.gpkg"],
            ["frobnicate"],
        ],
    )
    def test_options_that_cannot_be_read(
        self, arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        told = command(arguments[0], "--json", *arguments[1:])
        assert told.code == told.plain["exit_code"] == 2 and told.plain["faults"]
        plain = command(*arguments)
        assert plain.code == 2 and plain.out == "" and plain.err.strip() and "Traceback" not in plain.err
        assert list(tmp_path.iterdir()) == []

    def test_check(self, done: Published, tmp_path: Path) -> None:
        assert command("check", done.out, "--json").plain["verdict"] == "safe"
        ran = command("check", tmp_path, "--json")
        assert ran.code == ran.plain["exit_code"] == 2


class TestFaults:
    def test_a_line_each_on_standard_error(self, release: Path, tmp_path: Path) -> None:
        change(release, release__status="draft", release__title="")
        ran = command("publish", release, "--out", tmp_path / "out")
        assert ran.out == "" and len(ran.err.splitlines()) == 2

    def test_after_twenty_of_a_kind_how_many_more(self, release: Path, tmp_path: Path) -> None:
        change(release, release={f"key{number}": 1 for number in range(30)})
        lines = command("publish", release, "--out", tmp_path / "out").err.splitlines()
        assert sum("is not known here" in line for line in lines) == 20
        assert "RELEASE.toml: and 10 more of the kind 'extra_forbidden'" in lines

    def test_help_shows_an_example(self) -> None:
        for name in ("demo", "publish", "protect", "attack", "check", "synth"):
            ran = command(name, "--help")
            assert ran.code == 0 and f"Example: smallarea {name}" in ran.out


def test_what_is_said_of_a_release(release: Path, tmp_path: Path) -> None:
    ran = command("publish", one_table(release), "--out", tmp_path / "out")
    assert ran.code == 0 and ran.err == ""
    assert ran.out.splitlines() == [
        f"Published {tmp_path}/out: open {tmp_path}/out/index.html",
        f"For reviewers only: {tmp_path}/out-review/review.html",
    ]


class Terminal:
    """A stream that is a terminal, read all the while, for a terminal that nobody reads stops who writes to it."""

    def __init__(self) -> None:
        self._reader, writer = os.openpty()
        tty.setraw(writer)
        self.stream = os.fdopen(writer, "w")
        self._parts: list[bytes] = []
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        with suppress(OSError):  # what reading says once the last writer has gone
            while part := os.read(self._reader, 65_536):
                self._parts.append(part)

    def drawn(self) -> str:
        """Close the terminal; everything that was drawn on it."""
        self.stream.close()
        self._thread.join(timeout=60)
        assert not self._thread.is_alive()
        os.close(self._reader)
        return b"".join(self._parts).decode()


class TestProgress:
    def test_on_a_terminal(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TERM", "xterm")
        terminal = Terminal()
        shown = shown_progress(terminal.stream)
        shown.step("counting claims", total=2)
        shown.advance()
        shown.step("rounding tables")
        shown.finish()  # type: ignore[attr-defined]
        drawn = terminal.drawn()
        assert "Counting claims" in drawn and "Rounding tables" in drawn

    def test_nowhere_else(self) -> None:
        stream = io.StringIO()
        shown = shown_progress(stream)
        shown.step("counting claims")
        shown.advance()
        assert stream.getvalue() == ""

    @pytest.mark.slow
    def test_of_the_command(self, release: Path, tmp_path: Path) -> None:
        """On a terminal progress goes to standard error; standard output still carries one JSON object."""
        one_table(release)
        arguments = [*SMALLAREA, "publish", str(release), "--out", str(tmp_path / "out"), "--json"]
        terminal = Terminal()
        environment = os.environ | {"TERM": "xterm", "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            arguments,
            stdout=subprocess.PIPE,
            stderr=terminal.stream,
            env=environment,
            check=False,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0 and json.loads(done.stdout)["exit_code"] == 0
        assert "Counting claims" in terminal.drawn()
        again = subprocess.run(arguments, capture_output=True, env=environment, check=False, text=True, timeout=300)
        assert again.returncode == 0 and again.stderr == "" and json.loads(again.stdout)["exit_code"] == 0


@pytest.mark.slow
def test_demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    ran = command("demo", "--out", tmp_path / "demo")
    assert ran.code == 0 and "no secret" in ran.out
    assert list((tmp_path / "tmp").iterdir()) == []
    assert {"index.html", "maps.html", "manifest.json"} <= set(files(tmp_path / "demo"))
    assert command("check", tmp_path / "demo", "--review-dir", tmp_path / "demo-review").code == 0
