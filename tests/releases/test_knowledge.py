"""What is known of published files besides their figures: who stands in them, limits of belief, marks of profiles."""

from pathlib import Path

import pytest

from common.faults import InputError
from releases.attack.deducing import AttackOptions, attack
from releases.attack.known import read_all_known
from releases.attack.markersigns import marks_of
from releases.outcome import Outcome
from releases.rules.profiles import find_profile
from sdc.attack.intervals import NO_BOUND

TABLE = "area,benefit,value\nA1,esa,c\nA1,uc,c\nA1,Total,7\n"
INSIDER = '[[file.insider]]\narea = "A1"\ncategory = { benefit = "uc" }\n'


def attacked(folder: Path, known: str, *, table: str = TABLE, **options: object) -> Outcome:
    (folder / "areas.csv").write_text("oa,lad\nA1,D\nA2,D\n")
    (folder / "one.csv").write_text(table)
    (folder / "known.toml").write_text(f'[[file]]\npath = "one.csv"\n{known}')
    given: dict[str, object] = {"method": "suppression", "by": ("benefit",), "min_count": 5, **options}
    return attack(
        AttackOptions(
            files=(folder / "one.csv",),
            nests=("oa<lad",),
            areas=folder / "areas.csv",
            known=folder / "known.toml",
            **given,  # type: ignore[arg-type]
        )
    )


def kinds(outcome: Outcome) -> set[str]:
    assert outcome.audit is not None
    return {finding.kind for finding in outcome.audit.findings}


def test_one_insider_or_several(tmp_path: Path) -> None:
    path = tmp_path / "known.toml"
    for text in ("[file.insider]", "[[file.insider]]"):
        path.write_text(f'[[file]]\npath = "a.csv"\n{text}\narea = "A1"\nnumber = 2\n')
        (one,) = read_all_known(path).file[0].insider
        assert (one.area, one.number, one.alone, one.name) == ("A1", 2, False, None)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('[[file.insider]]\narea = "A1"\nnumber = 0\n', "insider"),
        ("[[file.insider]]\nnumber = 2\n", "missing"),
        (f'{INSIDER}name = "A"\n{INSIDER}name = "A"\nnumber = 2\n', "say one number"),
        (f'kind = "means"\nof = "b.csv"\nsum_decimals = 0\n{INSIDER}', "insiders stand in counts"),
        ("max_certainty = 0\n", "max_certainty"),
        ("share = 2\n", "share"),
    ],
)
def test_what_cannot_be_said_of_insiders_and_rules(tmp_path: Path, text: str, found: str) -> None:
    path = tmp_path / "known.toml"
    path.write_text(f'[[file]]\npath = "a.csv"\n{text}')
    with pytest.raises(InputError, match=found):
        read_all_known(path)


@pytest.mark.parametrize("change", [("A1", "A9"), ('"uc"', '"odd"'), ("benefit", "sex")])
def test_an_insider_somewhere_else_is_a_fault(tmp_path: Path, change: tuple[str, str]) -> None:
    with pytest.raises(InputError, match="insider of"):
        attacked(tmp_path, INSIDER.replace(*change))


def test_an_insider_learns_what_their_number_leaves(tmp_path: Path) -> None:
    assert "learned by an insider" not in kinds(attacked(tmp_path, INSIDER))
    assert "learned by an insider" in kinds(attacked(tmp_path, INSIDER + "number = 7\n"))


def test_who_is_alone_knows_the_cell(tmp_path: Path) -> None:
    found = attacked(tmp_path, INSIDER + 'alone = true\nname = "a neighbour"\n')
    assert found.audit is not None
    (one,) = [finding for finding in found.audit.findings if finding.kind == "learned by an insider"]
    assert one.interval == (6, 6) and "a neighbour" in one.witness and "(alone)" in one.witness


def test_the_limit_of_belief_is_the_options_then_the_files(tmp_path: Path) -> None:
    """Half of all counts of 1 to 8 stay as they are, and others move by up to 6."""
    rows = "".join(
        f"{i};{i + v};{p};{v}\n" for i in range(1, 9) for v, p in ((-min(i, 6), 0.25), (0, 0.5), (min(i, 6), 0.25))
    )
    (tmp_path / "ptable.csv").write_text(f"i;j;p;v\n0;0;1;0\n{rows}")
    table = "area,benefit,value\nA1,esa,12\nA1,uc,11\n"
    said = 'ptable = "ptable.csv"\n'
    options = {"method": "cell-key", "table": table}
    for known, limit, certain in ((said, None, False), (said + "max_certainty = 0.1\n", None, True), (said, 0.1, True)):
        found = attacked(tmp_path, known, max_certainty=limit, **options)  # type: ignore[arg-type]
        assert ("too certain" in kinds(found)) == certain
    eased = attacked(tmp_path, said + "max_certainty = 0.1\n", max_certainty=1.0, **options)  # type: ignore[arg-type]
    assert "too certain" not in kinds(eased)
    with pytest.raises(InputError, match="max-certainty"):
        attacked(tmp_path, said, max_certainty=1.5, **options)  # type: ignore[arg-type]


def test_marks_of_a_profile() -> None:
    assert marks_of(find_profile("mod-5")) == {"~": (1, 4)}
    assert all(least <= most <= NO_BOUND for least, most in marks_of(find_profile("nhs-hes")).values())


def test_what_nobody_says_is_told(tmp_path: Path) -> None:
    found = attacked(tmp_path, "noise = 5\n", method="cell-key", table="area,benefit,value\nA1,esa,12\n")
    assert found.audit is not None
    assert any("nobody says its ptable" in text for text in found.audit.not_checked)
    found = attacked(tmp_path, "", table="area,benefit,value\nA1,esa,12\n", method="small-count-rounding")
    assert found.audit is not None and any("say share" in text for text in found.audit.not_checked)
