"""`smallarea retention` is done whole or not at all, and nothing outside the folders given is touched."""

import datetime as dt
import fcntl
import hashlib
import os
import shutil
import signal
import stat
from pathlib import Path

import pytest
from held_records import (
    BENEFIT_HOLDINGS,
    CLAIMS,
    RESEARCH_HOLDINGS,
    asked,
    everything,
    people,
    run,
    state,
)
from small_place import command

from common.faults import InputError
from releases.retention.heldfolder import Change, Identity, opened

# --- Nothing outside the folders given ----------------------------------------------------------


@pytest.mark.parametrize("path", ["../other/claims.csv", "/etc/hosts.csv", "sub/claims.csv", "..", ".hidden.csv", "a.txt",
                                  "retention.json", "holdings.toml"])  # fmt: skip
def test_holdings_name_files_of_the_folder_alone(benefit: Path, path: str) -> None:
    (benefit / "holdings.toml").write_text(BENEFIT_HOLDINGS.replace("claims.csv", path))
    with pytest.raises(InputError, match=r"file\.1\.path"):
        run(benefit, do=True)


def outside(tmp_path: Path) -> Path:
    path = tmp_path / "outside.csv"
    path.write_text(CLAIMS)
    return path


@pytest.mark.parametrize("kind", ["link", "hard link", "folder", "pipe"])
def test_a_file_that_leads_elsewhere_is_refused(benefit: Path, tmp_path: Path, kind: str) -> None:
    other, target = outside(tmp_path), benefit / "claims.csv"
    target.unlink()
    if kind == "link":
        target.symlink_to(other)
    elif kind == "hard link":
        os.link(other, target)
    elif kind == "folder":
        target.mkdir()
    else:
        os.mkfifo(target)
    before = everything(benefit)
    with pytest.raises(InputError, match="hard link" if kind == "hard link" else "no plain file"):
        run(benefit, do=True)
    assert everything(benefit) == before and other.read_text() == CLAIMS


@pytest.mark.parametrize("name", ["holdings.toml", "retention.json", ".smallarea-retention"])
def test_links_in_place_of_our_own_files_are_refused(benefit: Path, tmp_path: Path, name: str) -> None:
    other = tmp_path / "elsewhere"
    if name.startswith("."):
        other.mkdir()
        (other / "precious").write_text("kept")
        (other / "plan.json").write_text('{"steps": [{"name": "claims.csv", "was": null, "fresh": null}]}')
    else:
        other.write_text(BENEFIT_HOLDINGS if name == "holdings.toml" else "{}")
        (benefit / name).unlink(missing_ok=True)
    (benefit / name).symlink_to(other)
    before = everything(tmp_path)
    with pytest.raises(InputError):
        run(benefit, do=True)
    assert everything(tmp_path) == before


def test_a_folder_that_is_a_link_missing_a_file_or_given_twice(benefit: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(benefit)
    (tmp_path / "empty").mkdir()
    for wrong in (tmp_path / "link", tmp_path / "nowhere", tmp_path / "empty", benefit / "claims.csv"):
        with pytest.raises(InputError):
            run(wrong, do=True)
    with pytest.raises(InputError, match="same folder"):
        run(benefit, benefit / ".." / "benefit", do=True)
    assert people(benefit)[0] == "P1"


def test_what_holdings_do_not_name_is_left_alone_and_told(benefit: Path) -> None:
    (benefit / "Canary.csv").write_text(CLAIMS)
    (benefit / "sub").mkdir()
    done = command("retention", benefit, "--policy", "benefit-record", "--date", "2024-03-15", "--do")
    assert done.code == 0 and "2 files or folders are not named in holdings.toml" in done.err
    assert (benefit / "Canary.csv").read_text() == CLAIMS and "Canary" not in done.out + done.err


def test_a_mounted_file_is_refused(benefit: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("releases.retention.heldfolder._mounted_in", lambda folder: {"claims.csv"})
    with pytest.raises(InputError, match="mounted there"):
        run(benefit, do=True)


# --- Faults -------------------------------------------------------------------------------------


def test_all_faults_of_all_folders_at_once(benefit: Path, research: Path) -> None:
    (benefit / "holdings.toml").write_text(BENEFIT_HOLDINGS.replace('hold = "fraud_hold"', ""))
    (research / "holdings.toml").write_text(RESEARCH_HOLDINGS.replace("received = 2024-03-01", "owner = 1"))
    done = command("retention", benefit, research, benefit.parent / "x", "--policy", "benefit-record",
                   "--policy", "research-project", "--date", "2024-03-15", "--do")  # fmt: skip
    lines = done.err.splitlines()
    assert done.code == 2 and len(lines) == 3, done.err
    assert "file.1.hold: is missing, and records of this policy may be under a fraud hold" in lines[0]
    assert "owner: is not known here" in lines[1] and "no such folder" in lines[2]


def test_a_column_that_is_missing(benefit: Path) -> None:
    (benefit / "claims.csv").write_text(CLAIMS.replace("claim_end", "ended").replace("fraud_hold", "held"))
    with pytest.raises(InputError) as error:
        run(benefit, do=True)
    assert {fault.column for fault in error.value.faults} == {"claim_end", "fraud_hold"}


def test_a_policy_that_was_not_given_or_is_wrong(benefit: Path, tmp_path: Path) -> None:
    done = command("retention", benefit, "--policy", "research-project")
    assert done.code == 2 and "'benefit-record' was not given" in done.err
    done = command("retention", benefit, "--policy", "benefit-records")
    assert done.code == 2 and "one of benefit-record, research-project" in done.err
    own = tmp_path / "own.toml"
    own.write_text('id = "own"\ntitle = "T"\npurpose = "research"\n[[rule]]\naction = "anonymise"\nafter = "received"\n'
                   'days = 1\n[anonymise]\nkeep = ["surname"]\n[removal]\napprovers = ["Grade 7"]\n')  # fmt: skip
    done = command("retention", benefit, "--policy", own)
    assert done.code == 2 and "surname names or leads to a person" in done.err


def test_a_day_to_come_is_for_dry_runs_alone(benefit: Path) -> None:
    done = command("retention", benefit, "--policy", "benefit-record", "--date", "2999-01-01", "--do")
    assert done.code == 2 and "--date" in done.err and people(benefit)[0] == "P1"
    assert command("retention", benefit, "--policy", "benefit-record", "--date", "2999-01-01").code == 0


def test_a_damaged_state_stops_everything(benefit: Path) -> None:
    (benefit / "retention.json").write_text("{")
    with pytest.raises(InputError, match="holds the requests that wait"):
        run(benefit, do=True)
    assert people(benefit)[0] == "P1"


def test_an_end_that_is_no_date_is_told_by_row_and_nothing_is_done_there(benefit: Path) -> None:
    (benefit / "claims.csv").write_text(CLAIMS.replace("2023-01-15", "last winter"))
    done = command("retention", benefit, "--policy", "benefit-record", "--date", "2024-03-15", "--do")
    assert done.code == 0 and "no date in some rows, first 2" in done.err and "winter" not in done.err + done.out
    assert people(benefit)[0] == "P1"


def test_the_answer_in_json(benefit: Path) -> None:
    told = command("retention", benefit, "--policy", "benefit-record", "--date", "2024-03-15", "--json").plain
    assert told["verdict"] == "due" and told["done"] is False and told["written"] == []
    (folder,) = told["folders"]  # type: ignore[misc]
    assert folder["files"][0]["records"] == "fewer than 10 records" and folder["policy"] == "benefit-record"


# --- Whole or not at all ------------------------------------------------------------------------


def killed_at(step: int, folder: Path, **given: object) -> str:
    """Run in a child that is killed at the step of that number; the step's name, blank where there is none such."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        count = 0

        def at(name: str) -> None:
            nonlocal count
            if count == step:
                os.write(writing, name.encode())
                os.kill(os.getpid(), signal.SIGKILL)
            count += 1

        try:
            run(folder, do=True, at=at, **given)  # type: ignore[arg-type]
        finally:
            os._exit(0)
    os.close(writing)
    _, status = os.waitpid(child, 0)
    name = os.read(reading, 100).decode()
    os.close(reading)
    assert os.WIFSIGNALED(status) == bool(name)
    return name


def test_a_kill_at_any_moment_loses_nothing(research: Path, tmp_path: Path) -> None:
    """Two files and the memory change together: before the decision all old, after it the next run makes all new."""
    holdings = RESEARCH_HOLDINGS + '\n[[file]]\npath = "second.csv"\n'
    (research / "holdings.toml").write_text(holdings)
    shutil.copy(research / "copy.csv", research / "second.csv")
    requests = asked(tmp_path, ("R1", "P3"))
    old = {name: (research / name).read_bytes() for name in ("copy.csv", "second.csv")}
    names, step, decided = [], 0, False
    while True:
        folder = tmp_path / f"at-{step}"
        shutil.copytree(research, folder)
        name = killed_at(step, folder, requests=requests)
        if not name:
            break
        names.append(name)
        decided = decided or name == "decided"
        now = {one: (folder / one).read_bytes() for one in old}
        if not decided:
            assert now == old and not (folder / "retention.json").exists()
        for path in folder.glob(".*"):
            assert stat.S_IMODE(path.stat().st_mode) == 0o700
        dry = command("retention", folder, "--policy", "research-project", "--date", "2024-03-15")
        assert dry.code == 0 and (not list(folder.glob(".*")) or "broken off" in dry.err)
        run(folder, do=True, requests=requests)
        after = {one: (folder / one).read_bytes() for one in old}
        assert all(b"Canary" not in content and content != old[one] for one, content in after.items())
        assert sorted(path.name for path in folder.iterdir()) == [
            "copy.csv",
            "holdings.toml",
            "retention.json",
            "second.csv",
        ]
        assert [(one["id"], one["outcome"]) for one in state(folder)["requests"]] == [("R1", "carried out")]
        assert len(after["copy.csv"].splitlines()) == 12  # eleven of twelve and the header: the request was carried out
        step += 1
    assert names == [
        "staged copy.csv",
        "staged second.csv",
        "staged retention.json",
        "planned",
        "decided",
        "done copy.csv",
        "done second.csv",
        "done retention.json",
        "settled",
    ]


def test_a_file_that_somebody_wrote_meanwhile_is_not_lost(benefit: Path) -> None:
    def at(step: str) -> None:
        if step == "staged claims.csv":
            with (benefit / "claims.csv").open("a") as file:
                file.write("P5,,,Canaryson\n")

    with pytest.raises(InputError, match="changed by somebody else"):
        run(benefit, do=True, at=at)
    assert people(benefit) == ["P1", "P2", "P3", "P4", "P5"]
    assert sorted(path.name for path in benefit.iterdir()) == ["claims.csv", "holdings.toml"]
    run(benefit, do=True)
    assert people(benefit) == ["P2", "P3", "P4", "P5"]


def test_a_file_that_somebody_writes_after_the_decision_is_left_alone_and_no_request_is_closed(benefit: Path) -> None:
    def at(step: str) -> None:
        if step == "decided":
            with (benefit / "claims.csv").open("a") as file:
                file.write("P1,,,Canaryson\n")

    requests = asked(benefit.parent, ("R1", "P3"), ("R2", "P1"))
    with pytest.raises(InputError, match="left alone"):
        run(benefit, do=True, requests=requests, at=at)
    assert people(benefit) == ["P1", "P2", "P3", "P4", "P1"] and not (benefit / "retention.json").exists()
    assert not list(benefit.glob(".*"))
    assert run(benefit, do=True, requests=requests)[1] == "R2: parked: the claim is live"


@pytest.mark.parametrize("call", ["mkdir", "open"])
def test_a_folder_closed_to_this_user(benefit: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    real = getattr(os, call)

    def closed(path: object, *arguments: object, **named: object) -> object:
        if str(path).endswith((".smallarea-retention", "claims.csv")) and "dir_fd" in named:
            raise PermissionError(13, "Permission denied")
        return real(path, *arguments, **named)

    monkeypatch.setattr(os, call, closed)
    with pytest.raises(InputError, match="Permission denied"):
        run(benefit, do=True)
    assert people(benefit)[0] == "P1"


def test_a_broken_run_leaves_a_new_file_alone(research: Path) -> None:
    """Killed after it had decided to delete; before the next run a new delivery came under the same name."""
    late = dt.date(2025, 3, 1)
    for step in range(9):
        if killed_at(step, research, day=late) == "decided":
            break
        shutil.rmtree(research / ".smallarea-retention", ignore_errors=True)
    (research / "copy.csv").unlink()
    (research / "copy.csv").write_text("person_reference,surname,benefit,birth_date,claim_start\nnew,new,UC,,\n")
    with opened(research, to_change=True) as folder:
        assert folder.finish() == ("copy.csv",)
    assert not (research / "retention.json").exists()  # it would say what has not been done
    assert "new" in (research / "copy.csv").read_text()


def test_a_full_disk_changes_nothing(benefit: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    before = hashlib.sha256((benefit / "claims.csv").read_bytes()).digest()
    monkeypatch.setattr("releases.retention.due.rewrite_file", full)
    with pytest.raises(InputError, match="disk is full"):
        run(benefit, do=True)
    assert hashlib.sha256((benefit / "claims.csv").read_bytes()).digest() == before
    assert sorted(path.name for path in benefit.iterdir()) == ["claims.csv", "holdings.toml"]


def test_two_runs_do_not_meet(benefit: Path) -> None:
    with opened(benefit, to_change=True), pytest.raises(InputError, match="another run"):
        run(benefit)
    handle = os.open(benefit, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_SH)
    run(benefit)  # who only looks does not disturb
    with pytest.raises(InputError, match="another run"):
        run(benefit, do=True)
    os.close(handle)


def test_a_change_is_made_only_to_what_was_looked_at(benefit: Path) -> None:
    with opened(benefit, to_change=True) as folder:
        wrong = Identity(1, 2, 3)
        with pytest.raises(InputError, match="changed by somebody else"):
            folder.change([Change(name="claims.csv", was=wrong)])
    assert (benefit / "claims.csv").exists() and not list(benefit.glob(".*"))
