"""What may be said of published files under ``--known``."""

import re
from pathlib import Path

import pytest

import releases.attack.known
from common.faults import InputError
from releases.attack.known import Known, read_all_known


def refused(folder: Path, text: str) -> list[tuple[str, str]]:
    (folder / "known.toml").write_text(text)
    with pytest.raises(InputError) as caught:
        read_all_known(folder / "known.toml")
    return [(fault.kind, fault.key) for fault in caught.value.faults]


def test_the_examples_of_the_docstring_can_be_read(tmp_path: Path) -> None:
    """Every key is shown there, and what is shown is understood; keys that exclude each other stand apart here."""
    blocks = re.findall(r"::\n\n((?:    .*\n|\n)+)", releases.attack.known.__doc__ or "")
    text = "\n".join(line[4:] for block in blocks for line in block.splitlines())
    apart = re.compile(r"^(kind|of|decimals|denominator|share_of|per|sum_decimals|ptable) = .*$", re.M)
    assert len(apart.findall(text)) == 8
    (tmp_path / "known.toml").write_text(apart.sub("", text))
    known = read_all_known(tmp_path / "known.toml")
    assert len(known.file) == len(known.overlap) == len(known.recode) == len(known.within) == len(known.flow) == 1
    assert known.file[0].edition == "2" and known.recode[0].of == {"16-24": ("16-17", "18-24")}
    assert known.overlap[0].path == tmp_path / "lookup.csv" and known.folder == tmp_path
    assert read_all_known(tmp_path / "known.toml").file == known.file


@pytest.mark.parametrize("date", ['"2026-05-31"', "2026-05-31", '"2026-Q1"', "2026"])
def test_dates_however_they_are_written(tmp_path: Path, date: str) -> None:
    (tmp_path / "known.toml").write_text(f'[[file]]\npath = "a.csv"\ndate = {date}\n')
    assert read_all_known(tmp_path / "known.toml").file[0].date == date.strip('"')


def test_relations_may_stand_alone(tmp_path: Path) -> None:
    (tmp_path / "known.toml").write_text('[[within]]\nparts = "a"\nwhole = "b"\nby = "c"\n')
    assert read_all_known(tmp_path / "known.toml").file == ()


@pytest.mark.parametrize(
    ("text", "kind", "key"),
    [
        ("", "empty file", ""),
        ('folder = "x"\n[[file]]\npath = "a"\n', "extra_forbidden", "folder"),
        ('[[overlap]]\ndimension = "area"\npath = "a"\n', "missing", "overlap.1.columns"),
        ('[[overlap]]\ndimension = "area"\npath = "a"\ncolumns = ["x"]\n', "too_short", "overlap.1.columns"),
        ('[[recode]]\ndimension = "age"\nof = 3\n', "dict_type", "recode.1.of"),
        ('[[flow]]\nbefore = "a"\nafter = "b"\non = "c"\n', "missing", "flow.1.off"),
        ('[[file]]\npath = "a"\nkind = "shares"\n', "literal_error", "file.1.kind"),
        ('[[file]]\npath = "a"\nper = 10\n', "value_error", "file.1"),
        ('[[file]]\npath = "a"\ndate = 2026-05-31T10:00:00\n', "string_type", "file.1.date"),
        ('[[file]]\npath = "a"\nedition = true\n', "string_type", "file.1.edition"),
        ("file = 3\n", "tuple_type", "file"),
        ("overlap = [1]\n", "model_type", "overlap.1"),
    ],
)
def test_what_cannot_be_said(tmp_path: Path, text: str, kind: str, key: str) -> None:
    found = refused(tmp_path, text)
    assert (kind, key) in [(one, where if where != "the whole file" else "") for one, where in found]


def test_every_table_is_in_the_reference() -> None:
    text = (Path(__file__).resolve().parents[2] / "docs/reference/commands.md").read_text(encoding="utf-8")
    section = text.split("### How files relate\n", 1)[1]
    told = re.findall(r"^\| `\[\[(\w+)\]\]` \| (.*) \|$", section, re.M)
    assert {name for name, _ in told} == set(Known.model_fields) - {"file", "folder"}
    for name, keys in told:
        model = Known.model_fields[name].annotation.__args__[0]  # type: ignore[union-attr]
        assert all(re.search(rf"`(recode\.)?\[?{key}|`\[recode\.{key}\]", keys) for key in model.model_fields), name
