"""Folders of held records for the tests of `smallarea retention`, and a run over them in this process."""

import datetime as dt
import json
import stat
from pathlib import Path

from releases.retention.due import retain

DAY = dt.date(2024, 3, 15)
TODAY = dt.date(2024, 6, 1)
BENEFIT_HOLDINGS = """
purpose = "paying benefits"
policy = "benefit-record"

[[file]]
path = "claims.csv"
hold = "fraud_hold"
"""
RESEARCH_HOLDINGS = """
purpose = "what follows a claim"
policy = "research-project"
received = 2024-03-01
project_end = 2024-08-31

[[file]]
path = "copy.csv"
"""
CLAIMS = """person_reference,claim_end,fraud_hold,surname
P1,2023-01-15,,Canaryson
P2,2023-01-16,,Canaryson
P3,2020-01-01,Y,Canaryson
P4,,,Canaryson
"""
REQUEST = """
[[request]]
id = "{id}"
received = 2024-03-01
asked_by = "the person"
what = "remove all records"
person = "{person}"
approved_by = "Grade 7"
approved = 2024-03-05
"""


def benefit_records(folder: Path) -> Path:
    folder.mkdir()
    (folder / "holdings.toml").write_text(BENEFIT_HOLDINGS)
    (folder / "claims.csv").write_text(CLAIMS)
    return folder


def research_copy(folder: Path) -> Path:
    folder.mkdir()
    (folder / "holdings.toml").write_text(RESEARCH_HOLDINGS)
    rows = [f"P{n},Canary,UC,1990-01-{n + 10},2024-01-{n + 10}" for n in range(12)]
    (folder / "copy.csv").write_text(
        "person_reference,surname,benefit,birth_date,claim_start\n" + "\n".join(rows) + "\n"
    )
    return folder


def asked(folder: Path, *requests: tuple[str, str]) -> Path:
    path = folder / "REQUESTS.toml"
    path.write_text("".join(REQUEST.format(id=id_, person=person) for id_, person in requests))
    path.chmod(0o600)
    return path


def run(
    *folders: Path, day: dt.date = DAY, do: bool = False, requests: Path | None = None, **more: object
) -> list[str]:
    """The outcome of each removal request, after a run in this process."""
    plans = retain(
        folders,
        policies=("benefit-record", "research-project"),
        date=day,
        today=max(day, TODAY),
        requests=requests,
        do=do,
        **more,  # type: ignore[arg-type]
    )
    return [f"{one.id}: {one.outcome}: {one.reason}".strip(": ") for plan in plans for one in plan.requests]


def people(folder: Path) -> list[str]:
    return [line.split(",")[0] for line in (folder / "claims.csv").read_text().splitlines()[1:]]


def state(folder: Path) -> dict[str, list[dict[str, object]]]:
    found = json.loads((folder / "retention.json").read_text())
    assert isinstance(found, dict) and found["private"] is True
    return found


def everything(*folders: Path) -> dict[str, tuple[int, int, bytes]]:
    found = {}
    for folder in folders:
        for path in [folder, *sorted(folder.rglob("*"))]:
            about = path.lstat()
            content = path.read_bytes() if stat.S_ISREG(about.st_mode) else b""
            found[str(path)] = (about.st_mode, about.st_mtime_ns, content)
    return found
