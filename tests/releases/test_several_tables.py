"""Several tables in one file, levels that files call differently, and numbers as producers write them."""

from pathlib import Path

import pytest

from common.faults import InputError
from releases.attack.deducing import AttackOptions, attack
from releases.outcome import Outcome
from sdc.findings import Audit

# Two months one below another; the second alone gives four parts shown 0 of a whole shown 10.
LONG = """month,sex,place,claims
2026-01,f,A1,20
2026-01,f,A2,20
2026-01,f,A3,20
2026-01,f,A4,20
2026-01,f,L1,80
2026-02,f,A1,0
2026-02,f,A2,0
2026-02,f,A3,0
2026-02,f,A4,0
2026-02,f,L1,10
2026-02,m,L1,300
"""
TREE = "oa,lsoa\nA1,L1\nA2,L1\nA3,L1\nA4,L1\n"
ONE = """
[[file]]
path = "long.csv"
nest = "oa<lsoa"
areas = "tree.csv"
method = "conventional-rounding"
base = 5
date = "{month}"
[file.columns]
area = "place"
value = "claims"
[file.where]
month = "{month}"
sex = "f"
"""


def attacked(folder: Path, known: str, *paths: str, **files: str) -> Outcome:
    for name, text in {"long.csv": LONG, "tree.csv": TREE, "known.toml": known, **files}.items():
        (folder / name).write_text(text, encoding="utf-8")
    options = AttackOptions(files=tuple(folder / path for path in paths), known=folder / "known.toml", min_count=5)
    return attack(options)


def audit_of(outcome: Outcome) -> Audit:
    assert outcome.audit is not None
    return outcome.audit


def refused(folder: Path, known: str, *paths: str, **files: str) -> list[tuple[str, str, str]]:
    with pytest.raises(InputError) as caught:
        attacked(folder, known, *paths, **files)
    return [(fault.kind, fault.column or "", fault.found) for fault in caught.value.faults]


def test_each_file_entry_is_a_table_of_its_own(tmp_path: Path) -> None:
    known = ONE.format(month="2026-01") + ONE.format(month="2026-02")
    outcome = attacked(tmp_path, known, "long.csv")
    assert {(one.table, one.cell, one.interval) for one in audit_of(outcome).findings if one.kind == "pinned"} == {
        ("long (2026-02)", f"oa A{number}, Total", (2, 2)) for number in (1, 2, 3, 4)
    }
    assert not any("columns that nothing names" in notice for notice in outcome.notices)


def test_texts_that_stand_in_no_row_are_told_together(tmp_path: Path) -> None:
    known = ONE.format(month="January").replace('sex = "f"', 'sex = "x"')
    found = refused(tmp_path, known, "long.csv")
    assert found == [("where", "month", "no row holds 'January'"), ("where", "sex", "no row holds 'x'")]
    both = ONE.format(month="2026-01").replace('sex = "f"', 'sex = "m"')
    assert [kind for kind, _, _ in refused(tmp_path, both, "long.csv")] == ["where"]
    missing = ONE.format(month="2026-01").replace("month =", "period =")
    assert [(kind, column) for kind, column, _ in refused(tmp_path, missing, "long.csv")] == [
        ("missing column", "period")
    ]


def test_faults_name_the_row_of_the_file(tmp_path: Path) -> None:
    text = LONG.replace("2026-02,f,A3,0", "2026-02,f,A3,none")
    for name, content in {"long.csv": text, "tree.csv": TREE, "known.toml": ONE.format(month="2026-02")}.items():
        (tmp_path / name).write_text(content)
    with pytest.raises(InputError) as caught:
        attack(AttackOptions(files=(tmp_path / "long.csv",), known=tmp_path / "known.toml"))
    assert [(fault.row, fault.column) for fault in caught.value.faults] == [(9, "claims")]


def test_the_same_rows_twice_are_a_fault(tmp_path: Path) -> None:
    found = refused(tmp_path, 2 * ONE.format(month="2026-01"), "long.csv")
    assert [kind for kind, _, _ in found] == ["told twice"]


def test_percentages_of_a_file_with_several_tables_are_refused(tmp_path: Path) -> None:
    known = ONE.format(month="2026-01") + ONE.format(month="2026-02")
    known += '\n[[file]]\npath = "shares.csv"\nkind = "percentages"\nof = "long.csv"\nshare_of = "sex"\n'
    found = refused(tmp_path, known, "long.csv", "shares.csv", **{"shares.csv": "area,sex,value\nA1,f,50\n"})
    assert ("of", "", "is of long.csv, which is attacked as 2 tables") in found


def test_caps_of_some_rows_alone(tmp_path: Path) -> None:
    caps = '[[file.caps]]\npath = "people.csv"\nwhere = {{ sex = "{sex}" }}\n'
    people = "area,sex,value\nA1,all,9\nA1,f,2\nA2,all,90\nA2,f,40\n"
    known = ONE.format(month="2026-01") + caps
    fine = attacked(tmp_path, known.format(sex="all"), "long.csv", **{"people.csv": people})
    assert {one.kind for one in audit_of(fine).findings} == {"contradiction"}  # 20 shown, 9 people
    lower = people.replace("A1,all,9", "A1,all,900")
    fine = attacked(tmp_path, known.format(sex="all"), "long.csv", **{"people.csv": lower})
    assert audit_of(fine).safe


LEVELS = """
[[file]]
path = "one.csv"
nest = "oa<lsoa"
areas = "tree.csv"
[[file]]
path = "two.csv"
nest = "lsoa11cd"
areas = "other.csv"
{levels}
"""
APART = {
    "one.csv": "area,value\nA1,0\nA2,0\nA3,0\nA4,0\n",
    "two.csv": "area,value\nL1,10\n",
    "other.csv": "lsoa11cd\nL1\n",
}


@pytest.mark.parametrize("told", [False, True])
def test_a_level_that_files_call_differently(tmp_path: Path, told: bool) -> None:
    """Untold, nothing is shared, and a notice says so; told, four parts shown 0 make up the 10 of the other file."""
    for name, text in {**APART, "tree.csv": TREE}.items():
        (tmp_path / name).write_text(text)
    levels = '[file.levels]\nlsoa11cd = "lsoa"\n' if told else ""
    (tmp_path / "known.toml").write_text(LEVELS.format(levels=levels))
    outcome = attack(
        AttackOptions(
            files=(tmp_path / "one.csv", tmp_path / "two.csv"),
            known=tmp_path / "known.toml",
            method="conventional-rounding",
            base=5,
            min_count=5,
        )
    )
    assert any("levels under --known" in notice for notice in outcome.notices) is not told
    assert any(one.kind == "pinned" and one.interval == (2, 2) for one in audit_of(outcome).findings) is told


def test_levels_that_are_none_are_faults(tmp_path: Path) -> None:
    for name, text in {**APART, "tree.csv": TREE}.items():
        (tmp_path / name).write_text(text)
    levels = '[file.levels]\nward = "lsoa"\n'
    (tmp_path / "known.toml").write_text("[[file]]\npath = 'one.csv'\nnest = 'oa<lsoa'\nareas = 'tree.csv'\n" + levels)
    with pytest.raises(InputError) as caught:
        attack(AttackOptions(files=(tmp_path / "one.csv",), known=tmp_path / "known.toml", method="exact"))
    assert [(fault.kind, fault.key) for fault in caught.value.faults] == [("levels", "file.levels")]


def test_noughts_behind_a_decimal_point_are_no_fraction(tmp_path: Path) -> None:
    known = ONE.format(month="2026-02")
    long = LONG.replace(",0\n", ",0.0\n").replace(",10\n", ",10.00\n")
    outcome = attacked(tmp_path, known, "long.csv", **{"long.csv": long})
    assert sum(one.kind == "pinned" for one in audit_of(outcome).findings) == 4
    assert any("noughts alone behind a decimal point" in notice for notice in outcome.notices)
    half = refused(tmp_path, known, "long.csv", **{"long.csv": LONG.replace(",10\n", ",10.5\n")})
    assert [kind for kind, _, _ in half] == ["no number"]
