"""Combinations of benefits: each person in exactly one category, by the set of benefits of all their live claims."""

import datetime as dt
import tomllib
from itertools import combinations as subsets
from pathlib import Path

import pytest
from claimhelpers import cells, claims, count

from claimants.caseload import CaseloadSpec
from claimants.dimensions import dimension
from common.resources import data_path

WANTED = dimension("benefit_combination")
BENEFITS = dimension("benefit").categories


def categories(where: Path, *changes: dict[str, object]) -> dict[str, int]:
    """How many people fall into each category that anybody falls into."""
    found = count(where, claims(*changes), by=("benefit_combination",), people=True)
    told: dict[str, int] = {}
    for (_, category), people in cells(found).items():
        told[WANTED.categories[category]] = told.get(WANTED.categories[category], 0) + people
    return told


def of(person: str, *benefits: str, **more: object) -> list[dict[str, object]]:
    return [{"person_reference": person, "benefit": benefit, **more} for benefit in benefits]


@pytest.mark.parametrize(
    ("benefits", "category"),
    [
        (("UC",), "UC"),
        (("UC", "PIP"), "PIP_UC"),
        (("PIP", "UC"), "PIP_UC"),
        (("ESA", "PIP"), "ESA_PIP"),
        (("CA", "PIP", "UC"), "CA_PIP_UC"),
        (("JSA", "IS"), "OTHER"),
        (("CA", "ESA", "IS", "JSA", "PIP", "UC"), "OTHER"),
    ],
)
def test_the_set_of_benefits_says_the_category(tmp_path: Path, benefits: tuple[str, ...], category: str) -> None:
    assert categories(tmp_path, *of("A", *benefits)) == {category: 1}


def test_every_set_of_benefits_has_one_category(tmp_path: Path) -> None:
    every = [one for size in range(1, len(BENEFITS) + 1) for one in subsets(BENEFITS, size)]
    rows = [row for number, one in enumerate(every) for row in of(f"P{number}", *one)]
    told = categories(tmp_path, *rows)
    named = {WANTED.categories[index] for index in WANTED.combinations.values()}
    assert len(every) == 63 and sum(told.values()) == 63
    assert told == {**dict.fromkeys(named, 1), "OTHER": 63 - len(named)}


@pytest.mark.parametrize(
    ("second", "category"),
    [
        ({"benefit": "UC", "claim_start": "2025-01-10"}, "UC"),  # two claims of one benefit are one benefit
        ({"benefit": "UC"}, "UC"),  # a copy
        ({"benefit": "PIP", "claim_end": "2026-05-30"}, "UC"),  # not live on the date
        ({"benefit": "PIP", "claim_end": "2026-05-31"}, "PIP_UC"),  # live on its last day
        ({"benefit": "PIP", "claim_start": "2026-06-01"}, "UC"),  # begins the day after
        ({"benefit": "XX"}, "UC"),  # no benefit of the list
        ({"benefit": "PIP", "postcode": ""}, "PIP_UC"),  # has no area, and yet a say: as for client groups
        ({"benefit": "PIP", "postcode": "ZZ9 9ZZ"}, "PIP_UC"),
        ({"benefit": "PIP", "claim_start": "never"}, "UC"),  # faulty
        ({"benefit": "PIP", "surname": "DELETED"}, "UC"),  # erased
    ],
)
def test_which_claims_have_a_say(tmp_path: Path, second: dict[str, object], category: str) -> None:
    assert categories(tmp_path, *of("A", "UC"), {"person_reference": "A", **second}) == {category: 1}


def test_a_person_without_any_countable_claim_is_not_counted(tmp_path: Path) -> None:
    assert categories(tmp_path, *of("A", "UC", "PIP", postcode=""), *of("B", "JSA")) == {"JSA": 1}


def test_a_person_stands_in_the_area_of_the_claim_that_started_last(tmp_path: Path) -> None:
    frame = claims(
        *of("A", "UC", postcode="AA1 1AA", claim_start="2026-01-01"),
        *of("A", "PIP", postcode="BB2 2BB", claim_start="2026-02-01"),
    )
    found = count(tmp_path, frame, by=("benefit_combination",), people=True)
    assert cells(found) == {(1, WANTED.categories.index("PIP_UC")): 1}


def test_it_places_persons_and_so_no_claims() -> None:
    with pytest.raises(ValueError, match=r"dimensions \(benefit_combination\) must not be asked for claims"):
        CaseloadSpec(reference_date=dt.date(2026, 5, 31), dimensions=(WANTED,))


def test_the_list_is_of_different_sets_of_known_benefits() -> None:
    raw = tomllib.loads(data_path("benefit_combinations.toml").read_text(encoding="utf-8"))
    sets = [frozenset(entry["benefits"]) for entry in raw["combination"]]
    assert len(set(sets)) == len(sets) and {frozenset([code]) for code in BENEFITS} <= set(sets)
    assert WANTED.categories[-1] == raw["other"]["code"]
    assert all(entry["code"] == "_".join(sorted(entry["benefits"])) for entry in raw["combination"])
