"""A release by combinations of benefits: people alone, each once, and with no table that it is tied to."""

from collections import Counter
from pathlib import Path

import pytest
from small_place import change, claim, command, one_table, rows_of, write_claims
from test_relations import refused, table

from releases.publish.pipeline import publish


def test_people_by_combination_of_benefits(release: Path, tmp_path: Path) -> None:
    one_table(release, ["benefit_combination"])
    change(release, release__population="people")
    rows = [claim(number) for number in range(200)]
    rows += [row | {"benefit": "PIP"} for row in rows[:90]]
    rows += [row | {"benefit": "JSA"} for row in rows[:40]]  # three benefits that are no category: another combination
    write_claims(release, rows)
    publish(release, tmp_path / "out")
    true: Counter[str] = Counter()
    for row in rows_of(tmp_path / "out-review" / "true-beside-published-one.csv"):
        if row["area_level"] == "lad":
            true[row["benefit_combination"]] += int(row["true"])
    assert {name: number for name, number in true.items() if number} == {
        "UC": 110,
        "PIP_UC": 50,
        "OTHER": 40,
        "Total": 200,
    }
    assert command("check", tmp_path / "out", "--review-dir", tmp_path / "out-review").code == 0
    page = (tmp_path / "out" / "tables" / "one.html").read_text(encoding="utf-8")
    assert "Other combination" in page and "Universal Credit only" in page


def test_claims_by_combination(release: Path) -> None:
    (line,) = refused(release, table("one", "benefit_combination"))
    assert "counts claims by benefit_combination, which places persons" in line


@pytest.mark.parametrize("by", [(), ("benefit",), ("duration_band",)])
def test_combinations_beside_claims(release: Path, by: tuple[str, ...]) -> None:
    (line,) = refused(release, table("claims", *by), table("people", "benefit_combination", count="people"))
    assert "counts people by benefit_combination beside claims" in line


@pytest.mark.parametrize(
    ("first", "second"), [("client_group", "benefit_combination"), ("benefit_combination", "client_group")]
)
def test_combinations_beside_client_groups(release: Path, first: str, second: str) -> None:
    (line,) = refused(release, table("a", first, count="people"), table("b", second, count="people"))
    assert "a group is made up of combinations" in line
