"""The documentation holds: its commands run, its examples are true, its tables name what the code has and nothing else."""

import doctest
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import pytest
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from typer.main import get_command

from claimants.consent import Form, shipped_policy
from claimants.dimensions import DIMENSIONS, dimension
from claimants.policyfile import RULES
from claimants.states import BUCKETS, OCCURRING
from common.resources import data_path
from releases.attack.known import KnownFile
from releases.cli import app
from releases.publish.manifest import FORMAT
from releases.publish.spec import AlreadyPublic, Release

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "GLOSSARY.md", *DOCS.rglob("*.md")])
RUN_PAGES = [page for page in PAGES if re.search(r"^```console run", page.read_text(encoding="utf-8"), re.M)]
PYTHON_PAGES = [page for page in PAGES if "```python" in page.read_text(encoding="utf-8")]
LARGEST_IMAGE = 300_000
BENDING = doctest.ELLIPSIS


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


# --- Commands -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Step:
    """A command of a page, what the page says it answers ("" for nothing said), and its exit code."""

    command: str
    answer: str
    exit_code: int


def steps_of(text: str) -> Iterator[Step]:
    """Commands of the blocks fenced as ``console run``; the last of a block ends with its ``exit=N``."""
    for options, block in re.findall(r"^```console run([^\n]*)\n(.*?)^```$", text, re.M | re.S):
        code = int((re.search(r"exit=(\d)", options) or ["", "0"])[1])
        steps = re.findall(r"^\$ ([^\n]*(?:\n> [^\n]*)*)\n?((?:(?!\$ |> )[^\n]*\n)*)", block, re.M)
        for at, (command, answer) in enumerate(steps):
            yield Step(command.replace("\n> ", "\n"), answer, code if at == len(steps) - 1 else 0)


def answers(wanted: str, got: str) -> bool:
    """Whether the output is what the page shows, where ``...`` stands for anything, also for whole lines."""
    return doctest.OutputChecker().check_output(wanted, got, BENDING)


@pytest.mark.slow
@pytest.mark.parametrize("page", RUN_PAGES, ids=name_of)
def test_commands_of_a_page_run_as_they_stand(page: Path, tmp_path: Path) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "XDG_CONFIG_HOME": str(tmp_path / "configuration"), "COLUMNS": "80"}
    work = tmp_path / "work"
    work.mkdir()
    for step in steps_of(page.read_text(encoding="utf-8")):
        done = subprocess.run(
            ["sh", "-c", step.command],
            cwd=work,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == step.exit_code, f"{step.command}\n{done.stdout}"
        if step.answer:
            assert answers(step.answer, done.stdout), f"{step.command}\n{done.stdout}\nis not\n{step.answer}"


def test_steps_are_told_apart() -> None:
    text = "```console run exit=1\n$ cat << END\n> one\n> END\none\n$ false\n```\n\n```console\n$ never\n```\n"
    assert list(steps_of(text)) == [Step("cat << END\none\nEND", "one\n", 0), Step("false", "", 1)]


def test_tutorial_and_how_to_guides_have_commands_that_run() -> None:
    run = {name_of(page) for page in RUN_PAGES}
    assert {"docs/tutorials/your-first-release.md", "docs/how-to/protect-one-table.md"} <= run


# --- Worked examples ------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PYTHON_PAGES, ids=name_of)
def test_worked_examples_are_what_the_code_gives(page: Path) -> None:
    found = doctest.testfile(str(page), module_relative=False, verbose=False, encoding="utf-8")
    assert found.attempted > 0 and found.failed == 0


# --- Links, words, pictures -----------------------------------------------------------------------


def anchors_of(page: Path) -> set[str]:
    """Anchors of a page's headings, as they are made by the usual rule."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_resolve(page: Path) -> None:
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        path, _, anchor = target.partition("#")
        if path.startswith(("https://", "http://", "mailto:")):
            continue
        file = (page.parent / path).resolve() if path else page
        if not file.exists() or (anchor and anchor not in anchors_of(file)):
            broken.append(target)
    assert broken == []


def test_every_page_is_reached_from_the_index() -> None:
    reached, waiting = set(), [DOCS / "index.md"]
    while waiting:
        page = waiting.pop()
        if page in reached:
            continue
        reached.add(page)
        links = re.findall(r"\]\(([^)#\s]+\.md)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
        waiting += [(page.parent / link).resolve() for link in links]
    assert set(DOCS.rglob("*.md")) <= reached


def test_glossary_has_each_word_once_in_order() -> None:
    text = (DOCS / "glossary.md").read_text(encoding="utf-8")
    terms = [term.strip("`") for term in re.findall(r"^\*\*(.+?)\*\*", text, re.M)]
    plain = [re.sub(r" \(.*\)", "", term).lower().replace("_", " ") for term in terms]
    assert len(plain) > 40 and plain == sorted(plain) and len(set(plain)) == len(plain)
    assert "**" not in (ROOT / "GLOSSARY.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_pages_are_in_plain_words(page: Path) -> None:
    text = page.read_text(encoding="utf-8").lower()
    for word in ("simply", "utilise", "leverage", "seamless", "/tmp", "../shared"):
        assert word not in text, word


def test_pictures_are_small() -> None:
    sizes = {picture.name: picture.stat().st_size for picture in (DOCS / "images").iterdir()}
    assert sizes and all(size < LARGEST_IMAGE for size in sizes.values()), sizes


def test_decisions_are_numbered_dated_and_listed() -> None:
    records = sorted((DOCS / "decisions").glob("[0-9]*.md"))
    listed = (DOCS / "decisions" / "README.md").read_text(encoding="utf-8")
    assert [record.name[:4] for record in records] == [f"{number:04}" for number in range(1, len(records) + 1)]
    for number, record in enumerate(records, start=1):
        text = record.read_text(encoding="utf-8")
        title, date = text.splitlines()[0], text.splitlines()[2]
        assert title.startswith(f"# {number}. ") and re.match(r"\d{4}-\d\d-\d\d\. ", date), record.name
        assert f"{number}. [{title.removeprefix(f'# {number}. ')}]({record.name})" in listed


# --- Reference against code -----------------------------------------------------------------------


def reference(name: str) -> str:
    return (DOCS / "reference" / f"{name}.md").read_text(encoding="utf-8")


def rows_under(text: str, heading: str) -> list[list[str]]:
    """Rows of the first table under a heading, cells without their back quotes."""
    section = re.split(r"^#+ ", text.split(f"\n{heading}\n", 1)[1], maxsplit=1, flags=re.M)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in lines[2:]]


def first_cells(text: str, heading: str) -> list[str]:
    return [row[0] for row in rows_under(text, heading)]


def test_every_command_and_option_is_documented_and_no_other() -> None:
    text = reference("commands")
    commands = get_command(app).commands  # type: ignore[attr-defined]
    headings = {match[2]: match[0] for match in re.finditer(r"^(## `smallarea ([\w-]+)[^\n]*)$", text, re.M)}
    assert set(headings) == set(commands)
    for name, command in commands.items():
        options = {option for one in command.params for option in one.opts if option.startswith("--")} - {"--help"}
        documented = first_cells(text, headings[name])
        assert set(documented) == options and len(documented) == len(options), name


def models(model: type[BaseModel], key: str = "") -> Iterator[tuple[str, type[BaseModel]]]:
    """Every table that a release file may have, as the reference heads it, and its model."""
    for name, field in model.model_fields.items():
        inner, many = inner_model(field.annotation)
        if inner is not None:
            path = f"{key}.{name}" if key else name
            yield (f"## `[[{path}]]`" if many else f"## `[{path}]`"), inner
            if inner is not AlreadyPublic:  # what it has of a known file stands there
                yield from models(inner, path)


def inner_model(annotation: object) -> tuple[type[BaseModel] | None, bool]:
    """The model inside an annotation, and whether there may be many."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, False
    for part in get_args(annotation):
        found, many = inner_model(part)
        if found is not None:
            return found, many or "tuple" in str(annotation)
    return None, False


def keys_of(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """The fields of a part of the release file by the names that they have there."""
    return {field.alias or name: field for name, field in model.model_fields.items()}


def test_every_key_of_a_release_file_is_documented_and_no_other() -> None:
    text = reference("release-file")
    tables = dict(models(Release))
    headings = re.findall(r"^(## `\[.*)$", text, re.M)
    assert sorted(headings) == sorted(tables)
    for heading, model in tables.items():
        rows = rows_under(text, heading)
        named = [row[0] for row in rows]
        elsewhere = set(KnownFile.model_fields) - set(named) if model is AlreadyPublic else set()
        assert sorted(named) == sorted(set(keys_of(model)) - elsewhere), heading
        for name, _, default, _ in rows:
            assert (default == "required") == keys_of(model)[name].is_required(), f"{heading} {name}"


def test_defaults_of_a_release_file_are_those_of_the_code() -> None:
    text = reference("release-file")
    for heading, model in models(Release):
        for name, _, default, _ in rows_under(text, heading):
            value = 1 if (model, name) == (AlreadyPublic, "base") else keys_of(model)[name].default
            if isinstance(value, str | int | float) and not isinstance(value, bool) and value != "":
                assert default == str(value), f"{heading} {name}"


def test_every_key_of_a_known_file_is_documented_and_no_other() -> None:
    assert sorted(first_cells(reference("commands"), "## The known file")) == sorted(KnownFile.model_fields)


def test_data_dictionary_is_that_of_the_code() -> None:
    fields = tomllib.loads(data_path("dictionary.toml").read_text(encoding="utf-8"))["field"]
    text = reference("data-dictionary")
    raw = tomllib.loads(data_path("dictionary.toml").read_text(encoding="utf-8"))
    serves = {
        name: "; ".join(f"{purpose}: {form}" for purpose, form in one.get("purposes", {}).items()) or "never read"
        for name, one in fields.items()
    }
    assert rows_under(f"\n{text}", "# Data dictionary") == [
        [name, one["label"], one["class"], serves[name], one["retention"], ", ".join(one["sources"])]
        for name, one in fields.items()
    ]
    for heading, key in (
        ("## Purposes", "purpose"),
        ("## How long", "retention"),
        ("## Where fields are found", "source"),
    ):
        assert {row[0]: row[1] for row in rows_under(text, heading)} == raw[key]
    assert rows_under(text, "## Sensitive fields") == [
        [name, one.get("finest_area", ""), "yes" if one.get("consent") else "no"]
        for name, one in fields.items()
        if one["class"] == "sensitive"
    ]
    erased = {name: "yes" if one.get("decisive") else "no" for name, one in fields.items() if "erased" in one}
    assert {row[0]: row[2] for row in rows_under(text, "## Signs of erasure")} == erased


def test_code_lists_are_those_of_the_code() -> None:
    text = reference("code-lists")
    assert re.findall(r"^## `(\w+)`$", text, re.M) and set(re.findall(r"^## `(\w+)`$", text, re.M)) == set(DIMENSIONS)
    for name in ("benefit", "sex"):
        told = {row[0]: row[1] for row in rows_under(text, f"## `{name}`")}
        assert told == dict(dimension(name).labels)
    for name in ("age_band", "duration_band"):
        for bands in ("standard", "broad"):
            told = {row[1]: row[2] for row in rows_under(text, f"## `{name}`") if row[0] == bands}
            assert told == dict(dimension(name, bands).labels)
    groups = {row[1]: row[2] for row in rows_under(text, "## `client_group`")}
    assert groups == dict(dimension("client_group").labels)
    combinations = {row[0]: row[1] for row in rows_under(text, "## `benefit_combination`")}
    assert combinations == dict(dimension("benefit_combination").labels)


def test_buckets_are_those_of_the_code() -> None:
    told = re.findall(r"^\| \d+ \| `([^`]+)` \|", reference("buckets"), re.M)
    assert sorted(told) == sorted([*BUCKETS, *OCCURRING])


def test_consent_policy_is_that_of_the_code() -> None:
    text = reference("consent-policy")
    assert [row[0] for row in rows_under(text, "## `[[rule]]`")] == list(RULES)
    assert [row[0] for row in rows_under(text, "## `[forms]`")] == [form.name.lower() for form in Form]
    told = rows_under(
        (DOCS / "explanation" / "what-is-counted.md").read_text(encoding="utf-8"), "## What is said of them"
    )
    policy = shipped_policy()
    assert [(row[0], row[1].replace('"', "'")) for row in told] == [(rule.id, rule.sentence) for rule in policy.rules]
    for row, rule in zip(told, policy.rules, strict=True):
        assert re.findall(r"\d+", row[2]) == [basis.rsplit(" ", 1)[1] for basis in rule.basis]
    lists = rows_under(reference("code-lists"), "## Sensitive fields")
    for name, list_ in (("drugs_marker", "markers"), ("ethnicity", "ethnicity")):
        assert {row[1]: row[2] for row in lists if row[0] == list_} == dict(dimension(name).labels)


def test_exit_codes_and_manifest_format_are_those_of_the_code() -> None:
    from common.faults import Disclosure, Infeasible, InputError

    codes = [int(cell) for cell in first_cells(reference("commands"), "## Exit codes")]
    assert codes == [0, Disclosure.exit_code, InputError.exit_code, Infeasible.exit_code]
    assert f"`{FORMAT}`" in reference("release-folder")
