"""Breakdowns by what is sensitive, special protection and people who claim nothing, counted from files."""

import datetime as dt
import tempfile
from pathlib import Path

import claimreference as reference
import pandas as pd
import pytest
from claimhelpers import DAY, LOOKUP, cells, claims, count, filled
from consentcases import ASKED, VALUES
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from claimants.caseload import CaseloadSpec
from claimants.consent import shipped_policy
from claimants.dimensions import SENSITIVE, dimension
from claimants.records import record_needs
from claimants.states import BUCKETS
from common.faults import InputError

POLICY = shipped_policy()
CONSENT = {
    "consent_form": "written",
    "consent_date": "2026-02-01",
    "consent_withdrawn": "",
    "marker_recorded": "2026-02-01",
}
U, Y, N = 0, 1, 2
# A count takes a second to plan: what fails is told as it was found.
QUICK = (Phase.explicit, Phase.reuse, Phase.generate)
ROWS = st.fixed_dictionaries({name: st.sampled_from(values) for name, values in VALUES.items()})


@pytest.mark.parametrize(("by", "people", "purpose", "non_claimants"), ASKED)
@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck), phases=QUICK)
@given(rows=st.lists(ROWS, min_size=1, max_size=80), split=st.booleans())
def test_cells_and_buckets_equal_the_reference(
    by: tuple[str, ...], people: bool, purpose: str, non_claimants: bool, rows: list[dict[str, str]], split: bool
) -> None:
    frame = pd.DataFrame(rows)
    asked = {"people": people, "purpose": purpose, "non_claimants": non_claimants}
    expected, buckets = reference.count(frame, names=by, lookup=LOOKUP, day=DAY, end="inclusive", **asked)  # type: ignore[arg-type]
    with tempfile.TemporaryDirectory() as folder:
        first = frame.iloc[: len(frame) // 2] if split else frame
        first.iloc[::-1].to_csv(Path(folder) / "one.csv", index=False)
        if split:
            frame.iloc[len(frame) // 2 :][frame.columns[::-1]].to_csv(Path(folder) / "two.csv", index=False)
        found = count(Path(folder), None, by=by, policy=POLICY, **asked)  # type: ignore[arg-type]
        without = count(Path(folder), None, people=people, non_claimants=non_claimants)
    assert cells(found) == dict(expected)
    assert filled(found) == {name: number for name, number in buckets.items() if number}
    assert found.rows_read == sum(found.buckets.values()) == len(frame)
    # Each breakdown adds up to the same totals as without it.
    totals: dict[tuple[int, ...], int] = {}
    for (area, *_), number in cells(found).items():
        totals[(area,)] = totals.get((area,), 0) + number
    assert totals == cells(without) and found.buckets == without.buckets


def test_without_valid_consent_a_person_is_not_stated_and_stays_in_the_total(tmp_path: Path) -> None:
    marked = {"drugs_marker": "Y", **CONSENT}
    frame = claims(
        marked,
        marked | {"drugs_marker": "N"},
        marked | {"drugs_marker": ""},
        marked | {"drugs_marker": "perhaps"},  # unknown is neither yes nor no
        marked | {"consent_form": ""},
        marked | {"consent_form": "", "drugs_marker": "N"},
        marked | {"consent_withdrawn": "2026-05-31"},
    )
    found = count(tmp_path, frame, by=("drugs_marker",), policy=POLICY)
    assert cells(found) == {(0, U): 5, (0, Y): 1, (0, N): 1}
    assert filled(found) == {"counted": 7}


def test_a_form_of_an_ended_claim_that_the_extract_holds(tmp_path: Path) -> None:
    """The new claim starts 91 days after the end of the old one, or 92."""
    signed = {
        "drugs_marker": "Y",
        **CONSENT,
        "consent_date": "2025-03-01",
        "marker_recorded": "2025-03-01",
        "still_relevant": "Y",
    }
    ended = signed | {"claim_start": "2024-05-01", "claim_end": "2025-11-28"}
    for start, category in (("2026-02-27", Y), ("2026-02-28", U)):
        frame = claims(ended | {"person_reference": "A"}, signed | {"person_reference": "A", "claim_start": start})
        found = count(tmp_path, frame, by=("drugs_marker",), policy=POLICY)
        assert (cells(found), filled(found)) == ({(0, category): 1}, {"counted": 1, "not live on the date": 1})


def test_of_copies_that_disagree_not_stated_stands(tmp_path: Path) -> None:
    same = {"person_reference": "A", "drugs_marker": "Y", **CONSENT}
    found = count(
        tmp_path, claims(same, same | {"consent_withdrawn": "2026-05-01"}), by=("drugs_marker",), policy=POLICY
    )
    assert cells(found) == {(0, U): 1}


def test_of_a_person_the_row_that_stands_for_them_is_told(tmp_path: Path) -> None:
    same = {"person_reference": "A", "drugs_marker": "Y", **CONSENT}
    frame = claims(same, same | {"benefit": "PIP", "claim_start": "2026-02-01", "consent_form": ""})
    assert cells(count(tmp_path, frame, by=("drugs_marker",), people=True, policy=POLICY)) == {(0, U): 1}


def test_what_serves_equality_alone_is_refused_elsewhere(tmp_path: Path) -> None:
    frame = claims({"ethnicity": "white", "refugee_marker": "Y", **CONSENT})
    for name in ("ethnicity", "refugee_marker"):
        with pytest.raises(PermissionError, match="serves equality"):
            count(tmp_path, frame, by=(name,), policy=POLICY)
    with pytest.raises(PermissionError, match="must not be read for equality"):
        count(tmp_path, frame.assign(drugs_marker="Y"), by=("drugs_marker",), policy=POLICY, purpose="equality")
    white = dimension("ethnicity").categories.index("WHITE")
    assert cells(count(tmp_path, frame, by=("ethnicity",), policy=POLICY, purpose="equality")) == {(0, white): 1}


def test_fields_of_consent_must_be_there_where_the_dictionary_asks_for_it(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        count(tmp_path, claims({"drugs_marker": "Y"}), by=("drugs_marker",), policy=POLICY)
    missing = {fault.column for fault in caught.value.faults}
    assert missing == {"consent_form", "consent_date", "consent_withdrawn"}


def test_fields_that_are_not_there_are_told(tmp_path: Path) -> None:
    found = count(tmp_path, claims({"drugs_marker": "Y", **CONSENT}), by=("drugs_marker",), policy=POLICY)
    assert any("still_relevant" in notice and "not stated" in notice for notice in found.notices)


def test_words_of_an_extract_of_ones_own(tmp_path: Path) -> None:
    frame = claims(
        {"drugs_marker": "Ja", **CONSENT, "consent_form": "A7", "benefit": "0", "consent_to_hold": "2026-02-01"}
    )
    values = {"drugs_marker": {"ja": "Y"}, "consent_form": {"a7": "written"}, "benefit": {"0": "NONE"}}
    found = count(tmp_path, frame, by=("drugs_marker",), policy=POLICY, non_claimants=True, values=values)
    assert cells(found) == {(0, Y): 1}
    with pytest.raises(InputError, match="is not known"):
        count(tmp_path, frame, by=("drugs_marker",), policy=POLICY, values={"consent_form": {"a7": "oral"}})


def test_where_nothing_sensitive_is_asked_for_nothing_of_it_is_read() -> None:
    plain = {need.field for need in record_needs([dimension("sex")], postcodes=True)}
    assert not plain & {*SENSITIVE, "consent_form", "consent_date", "marker_recorded", "given_for"}
    drugs = {need.field: need.purpose for need in record_needs([dimension("drugs_marker")], postcodes=True)}
    assert drugs["drugs_marker"] == "counting" and drugs["consent_form"] == "consent" and "health_marker" not in drugs


@pytest.mark.parametrize("mark", ["Y", "yes", "1", "see file"])
def test_people_under_special_protection_are_in_no_area(tmp_path: Path, mark: str) -> None:
    same = {"person_reference": "A", "special_protection": ""}
    frame = claims(
        same,
        same | {"benefit": "PIP", "postcode": ""},
        same | {"special_protection": mark, "claim_end": "2026-02-01"},  # the mark of a claim that ended
        {"special_protection": "N"},
        {"special_protection": "unknown"},
    )
    for people in (False, True):
        found = count(tmp_path, frame, people=people)
        assert filled(found) == {"counted": 2, "specially protected": 2, "not live on the date": 1}
        assert sum(cells(found).values()) == 2


def test_an_erased_row_may_mark_its_person_and_a_blank_person_marks_nobody(tmp_path: Path) -> None:
    frame = claims(
        {"person_reference": "A", "special_protection": ""},
        {"person_reference": "A ", "special_protection": "Y", "surname": "DELETED"},
        {"person_reference": "", "special_protection": "Y"},
        {"special_protection": ""},
    )
    assert filled(count(tmp_path, frame)) == {"counted": 1, "specially protected": 1, "erased": 1, "faulty": 1}


def test_a_bucket_stands_where_it_can_occur(tmp_path: Path) -> None:
    assert tuple(count(tmp_path, claims({})).buckets) == BUCKETS
    found = count(tmp_path, claims({"special_protection": ""}))
    assert tuple(found.buckets) == (*BUCKETS, "specially protected")
    assert not any("specially" in notice for notice in found.notices)
    assert any("specially" in notice for notice in count(tmp_path, claims({})).notices)


@pytest.mark.parametrize(
    ("change", "bucket"),
    [
        ({"consent_to_hold": "2026-05-31"}, "no benefit claimed"),
        ({"consent_to_hold": "2026-06-01"}, "no consent to be held"),
        ({"consent_to_hold": ""}, "no consent to be held"),
        ({"consent_to_hold": "yes"}, "no consent to be held"),  # no date
        ({"consent_to_hold": "2026-01-01", "consent_withdrawn": "2026-05-31"}, "no consent to be held"),
        ({"consent_to_hold": "2026-01-01", "consent_withdrawn": "2026-06-01"}, "no benefit claimed"),
        ({"consent_to_hold": "2026-03-02", "consent_withdrawn": "2026-03-01"}, "no benefit claimed"),  # given anew
        ({"consent_to_hold": "2026-01-01", "claim_end": "2026-02-01"}, "not live on the date"),
        ({"consent_to_hold": "2026-01-01", "benefit": ""}, "unknown code"),  # a blank benefit is not "none"
        ({}, "no consent to be held"),
    ],
)
def test_people_who_claim_nothing(tmp_path: Path, change: dict[str, str], bucket: str) -> None:
    assert filled(count(tmp_path, claims({"benefit": "no benefit"} | change))) == {bucket: 1}


def test_people_who_claim_nothing_count_where_a_release_asks_for_them(tmp_path: Path) -> None:
    held = {"benefit": "none", "consent_to_hold": "2026-01-01"}
    frame = claims(
        held,
        {"benefit": "none", "consent_to_hold": ""},
        {"person_reference": "A", "benefit": "UC"},
        held | {"person_reference": "A", "claim_start": "2026-05-01"},  # who claims something stands by a claim
    )
    found = count(tmp_path, frame, by=("benefit",), people=True, non_claimants=True)
    assert [one.categories[-1] for one in found.dimensions] == ["NONE"]
    assert cells(found) == {(0, 5): 1, (0, 6): 1}
    assert filled(found) == {"counted": 2, "no consent to be held": 1, "another claim of a person counted": 1}
    groups = count(tmp_path, frame, by=("client_group",), people=True, non_claimants=True)
    assert cells(groups) == {(0, 3): 1, (0, 5): 1}
    assert filled(count(tmp_path, frame, by=("benefit",))) == {
        "counted": 1,
        "no consent to be held": 1,
        "no benefit claimed": 2,
    }


@pytest.mark.parametrize(
    "wrong",
    [
        {"dimensions": (dimension("drugs_marker"),)},
        {"dimensions": (dimension("drugs_marker"),), "policy": POLICY, "reference_date": dt.date(2020, 12, 31)},
        {"dimensions": (dimension("benefit_combination"),), "count": "people", "non_claimants": True},
    ],
)
def test_specs_check_themselves(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="must"):
        CaseloadSpec(**{"reference_date": DAY, **wrong})  # type: ignore[arg-type]
