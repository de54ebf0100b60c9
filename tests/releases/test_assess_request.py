"""`smallarea assess-request`: exit codes, faults, the case document in its three forms."""

import json
import re
import stat
from pathlib import Path

import pytest
from small_place import command

REQUEST = """
[request]
title = "Claims <script>alert(1)</script> | near # a *centre*"
organisation = "local-authority"
purpose = "planning"
question = "1. How many?\\n\\n# And where?"
people = "together"
keep_months = 12

[areas]
level = "lsoa"

[dates]
first = 2024-05-31
last = 2024-11-30

[[field]]
name = "benefit"
why = "| a | table | and {{ braces }}"

[[field]]
name = "birth_date"
"""


@pytest.fixture
def asked(tmp_path: Path) -> Path:
    path = tmp_path / "REQUEST.toml"
    path.write_text(REQUEST, encoding="utf-8")
    return path


def test_a_request_that_is_assessed_ends_0_whatever_its_step(asked: Path) -> None:
    done = command("assess-request", asked, "--json")
    told = done.plain
    assert done.code == 0 and told["verdict"] == "published" and told["written"] == []
    assert [one["id"] for one in told["request"]["steps"] if one["serves"]] == ["published", "aggregate"]  # type: ignore[index]
    asked.write_text(REQUEST.replace('"together"', '"known"'), encoding="utf-8")
    done = command("assess-request", asked, "--json")
    assert done.code == 0 and done.plain["verdict"] == "no step" and done.plain["request"]["step"] is None  # type: ignore[index]


def test_the_answer_names_what_is_too_much_and_what_would_do(asked: Path) -> None:
    done = command("assess-request", asked)
    assert "Step 1 of 5: Published figures" in done.out
    assert "Disproportionate: birth_date, as it stands: age band will do" in done.out
    assert "example policy" in done.err


def test_all_faults_at_once(asked: Path, tmp_path: Path) -> None:
    text = REQUEST.replace('"benefit"', '"notes"').replace('"planning"', '"fun"').replace('"birth_date"', '"x"')
    asked.write_text(text, encoding="utf-8")
    done = command("assess-request", asked, "--report", tmp_path / "case.html")
    assert done.code == 2 and len(done.err.splitlines()) == 3 and "free text" in done.err
    assert not (tmp_path / "case.html").exists()
    asked.write_text(REQUEST.replace("keep_months = 12", 'name = "A person"'), encoding="utf-8")
    done = command("assess-request", asked)
    assert done.code == 2 and "request.keep_months: is missing" in done.err and "request.name: is not known" in done.err


@pytest.mark.parametrize("name", ["case.html", "case.md", "case.json"])
def test_the_case_document(asked: Path, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    done = command("assess-request", asked, "--report", path, "--date", "2024-12-01")
    assert done.code == 0, done.err
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    again = path.read_bytes()
    assert command("assess-request", asked, "--report", path, "--date", "2024-12-01").code == 0
    assert path.read_bytes() == again


def test_what_a_requester_writes_cannot_change_the_page(asked: Path, tmp_path: Path) -> None:
    command("assess-request", asked, "--report", tmp_path / "case.html", "--date", "2024-12-01")
    page = (tmp_path / "case.html").read_text(encoding="utf-8")
    assert "<script" not in page and "&lt;script&gt;" in page and "1 December 2024" in page
    assert 'lang="en-GB"' in page and page.count("<h1") == 1 and "Skip to main content" in page
    assert not re.search(r'(src|href)="(https?:)?//', page)


def test_what_a_requester_writes_cannot_change_the_markdown(asked: Path, tmp_path: Path) -> None:
    command("assess-request", asked, "--report", tmp_path / "case.md", "--date", "2024-12-01")
    text = (tmp_path / "case.md").read_text(encoding="utf-8")
    assert "<script>" not in text.replace("\\<", "") and "\\| a \\| table \\|" in text
    headings = [line for line in text.splitlines() if line.startswith("#")]
    assert len(headings) == 10 and "# And where" not in headings
    for table in re.findall(r"(?:^\|.*\n)+", text, re.M):
        widths = {len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}
        assert len(widths) == 1, table


def test_html_and_markdown_say_the_same(asked: Path, tmp_path: Path) -> None:
    for name in ("case.html", "case.md", "case.json"):
        command("assess-request", asked, "--report", tmp_path / name)
    page, text = ((tmp_path / name).read_text(encoding="utf-8") for name in ("case.html", "case.md"))
    plain = json.loads((tmp_path / "case.json").read_text(encoding="utf-8"))
    for kind in plain["needs"].values():
        for line in kind:
            assert line in page and line in text


def test_a_policy_of_ones_own(asked: Path, tmp_path: Path) -> None:
    from common.resources import data_path

    own = data_path("requests.toml").read_text(encoding="utf-8").replace("example = true", "")
    (tmp_path / "own.toml").write_text(own.replace('levels = ["lad", "msoa", "lsoa", "oa"]', 'levels = ["lad"]'))
    done = command("assess-request", asked, "--policy", tmp_path / "own.toml")
    assert done.code == 0 and "Step 2 of 5" in done.out and "example" not in done.err
    (tmp_path / "own.toml").write_text(own.replace('steps = ["published", "aggregate"]', 'steps = ["nowhere"]'))
    done = command("assess-request", asked, "--policy", tmp_path / "own.toml")
    assert done.code == 2 and done.err.count("nowhere") == 4


@pytest.mark.parametrize("report", ["case.txt", "missing/case.html"])
def test_a_report_that_cannot_be_written(asked: Path, tmp_path: Path, report: str) -> None:
    assert command("assess-request", asked, "--report", tmp_path / report).code == 2
