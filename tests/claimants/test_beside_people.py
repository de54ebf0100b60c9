"""Claims counted beside people: one of a benefit a person, where the person is counted."""

from pathlib import Path

import pytest
from claimhelpers import AREAS, DAY, POSTCODES, cells, claims, count, filled

from claimants.caseload import CaseloadSpec, count_caseload
from claimants.extract import ExtractSpec
from claimants.recordkeys import RecordKeys

MOVED = {"person_reference": "A", "postcode": "CC3 3CC", "claim_start": "2026-03-01"}
ONE_PERSON = (
    {"person_reference": "A", "benefit": "UC"},
    {"person_reference": "A", "benefit": "PIP", "postcode": "BB2 2BB"},
    {"person_reference": "A", "benefit": "UC", "claim_start": "2025-01-10"},
    MOVED | {"benefit": "JSA"},
)


def test_all_claims_of_a_person_stand_where_the_person_is_counted(tmp_path: Path) -> None:
    """The person moved to the third area with the claim that started last; UC counts once, by its later start."""
    found = count(tmp_path, claims(*ONE_PERSON), by=("benefit",), beside=True)
    assert cells(found) == {(2, 3): 1, (2, 4): 1, (2, 5): 1}
    assert cells(count(tmp_path, claims(*ONE_PERSON), people=True)) == {(2,): 1}
    assert filled(found) == {"counted": 3, "another claim of a person counted": 1}


def test_the_reviewer_is_told_how_many_were_moved(tmp_path: Path) -> None:
    (told,) = [text for text in count(tmp_path, claims(*ONE_PERSON), beside=True).notices if "in the area" in text]
    assert told.startswith("2 claims are counted in the area of the claim of their person that started last")
    alone = count(tmp_path, claims({}, {"benefit": "PIP"}), by=("benefit",), beside=True)
    assert not [text for text in alone.notices if "in the area" in text]


def test_what_the_claim_says_stays_with_the_claim(tmp_path: Path) -> None:
    """Two months and thirty days, and six years: each claim in its own band, both in the third area."""
    rows = ({"person_reference": "A", "claim_start": "2020-01-10"}, MOVED | {"benefit": "JSA"})
    assert cells(count(tmp_path, claims(*rows), by=("duration_band",), beside=True)) == {(2, 0): 1, (2, 5): 1}


def test_copies_of_a_claim_are_duplicates_still(tmp_path: Path) -> None:
    rows = (
        {"person_reference": "A"},
        {"person_reference": "A"},
        {"person_reference": "A", "claim_start": "2024-01-10"},
    )
    assert filled(count(tmp_path, claims(*rows), beside=True)) == {
        "counted": 1, "duplicate": 1, "another claim of a person counted": 1,
    }  # fmt: skip


def test_where_nobody_has_two_claims_they_are_claims_alone(tmp_path: Path) -> None:
    frame = claims({}, {"benefit": "PIP", "postcode": "BB2 2BB"}, {"postcode": ""})
    beside, alone = (count(tmp_path, frame, by=("benefit", "sex"), beside=beside) for beside in (True, False))
    assert cells(beside) == cells(alone) and filled(beside) == filled(alone)


def test_people_cannot_stand_beside_people() -> None:
    with pytest.raises(ValueError, match="beside_people"):
        CaseloadSpec(reference_date=DAY, count="people", beside_people=True)


def test_cell_keys_do_not_go_with_it(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="record_keys"):
        count_caseload(
            ExtractSpec(paths=(tmp_path / "claims.csv",), end="inclusive"),
            area_codes=AREAS,
            postcodes=POSTCODES,
            spec=CaseloadSpec(reference_date=DAY, beside_people=True),
            record_keys=RecordKeys(key=b"k" * 32, key_range=256),
        )
