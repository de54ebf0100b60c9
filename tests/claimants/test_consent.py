"""The guide, rule by rule (the tables are in guidecases.py), and what a policy file may say."""

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest
from guidecases import GUIDE, Case, cases

from claimants.consent import WORDS, Form, Standing, read_policy, shipped_policy, standing
from claimants.dimensions import SENSITIVE, dimension
from claimants.policyfile import BASES, RULES
from common.faults import InputError
from common.resources import data_path

POLICY = shipped_policy()
SHIPPED = data_path("policies/staff-guide.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize("case", list(cases()), ids=lambda case: f"{case.rule}-{case.expected.name}")
def test_the_guide(case: Case) -> None:
    found = standing(case.record, POLICY, case.on, case.purpose)
    assert found is case.expected, WORDS[found]


def test_every_rule_of_a_policy_has_its_table() -> None:
    # What follows from the standings themselves is tested where rows are counted.
    assert set(GUIDE) == set(RULES) - {"not-stated", "special-protection"}
    assert {case.expected for case in cases()} == set(Standing) == set(WORDS)


def test_what_is_missing_never_counts() -> None:
    bare = next(cases()).record
    bare = replace(bare, form=None, consent_date=None, recorded=None)
    assert not any(standing(replace(bare, field=name), POLICY, dt.date(2026, 5, 31)).counts for name in SENSITIVE)


def test_each_rule_has_its_sentence_and_basis() -> None:
    assert POLICY.example and POLICY.title and {rule.id for rule in POLICY.rules} == set(RULES)
    for rule in POLICY.rules:
        assert rule.sentence.endswith(".") and rule.basis and set(rule.basis) <= set(BASES)
    # Offending rests on article 10, health on article 9.
    assert set(POLICY.rule("written-consent").basis) == set(BASES)


def test_13_weeks_are_91_days() -> None:
    assert POLICY.days_after_claim == POLICY.days_to_new_claim == 91


@pytest.mark.parametrize("name", SENSITIVE)
def test_not_stated_goes_first_and_blank_is_not_stated(name: str) -> None:
    found = dimension(name)
    assert found.categories[0] == "U" and found.spellings[""] == 0 and found.of == "person"


def changed(folder: Path, *changes: tuple[str, str]) -> Path:
    text = SHIPPED
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = folder / "policy.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_policy_of_ones_own(tmp_path: Path) -> None:
    path = changed(tmp_path, ("weeks = 13", "weeks = 4"), ('other_call = ["call",', 'other_call = ["Anruf",'))
    read = read_policy(path)
    assert (read.days_after_claim, read.days_to_new_claim, read.forms["ANRUF"]) == (28, 28, Form.OTHER_CALL)


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("weeks = 13", "weeks = -1", "rule.while-live.weeks"),
        ("weeks = 13", 'weeks = "13"', "rule.new-claim.weeks"),
        ("weeks = 13", "week = 13", "rule.while-live.week"),
        ("valid_from = 2021-01-01", "", "valid_from"),
        ("recorded_before = 2021-01-01", 'recorded_before = "then"', "rule.retrospective.recorded_before"),
        ('"UK GDPR, Article 9"', '"some law"', "rule.implied.basis"),
        ('sentence = "Verbal', 'saying = "Verbal', "rule.verbal.sentence"),
        ('id = "verbal"', 'id = "spoken"', "rule.verbal"),
        ('id = "verbal"', 'id = "implied"', "rule.implied"),
        ('["ESA", "PIP"]', '["EAS"]', "rule.implied.markers"),
        ('always = ["ethnicity",', 'always = ["shoe_size",', "rule.equality.always"),
        ('verbal = ["verbal",', 'verbal = ["written",', "forms.verbal"),
        ('verbal = ["verbal",', 'oral = ["verbal",', "forms"),
        ('title = "Staff', 'titel = "Staff', "titel"),
        ('title = "Staff', "= ", ""),
    ],
)
def test_what_a_policy_may_not_say(old: str, new: str, key: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read_policy(changed(tmp_path, (old, new)))
    assert key in {fault.key for fault in caught.value.faults}


def test_all_faults_of_a_policy_at_once(tmp_path: Path) -> None:
    path = changed(
        tmp_path, ("weeks = 13", "weeks = -1"), ("valid_from = 2021-01-01", ""), ('id = "verbal"', 'id = "x"')
    )
    with pytest.raises(InputError) as caught:
        read_policy(path)
    assert {"valid_from", "rule.while-live.weeks", "rule.new-claim.weeks", "rule.verbal"} <= {
        fault.key for fault in caught.value.faults
    }


def test_a_policy_that_cannot_be_read(tmp_path: Path) -> None:
    for content in (None, b"\xff\xfe"):
        if content:
            (tmp_path / "policy.toml").write_bytes(content)
        with pytest.raises(InputError):
            read_policy(tmp_path / "policy.toml")


def test_a_policy_checks_itself() -> None:
    for wrong in (
        {"rules": ()},
        {"days_after_claim": -1},
        {"implied": {"sex": ("UC",)}},
        {"implied": {"drugs_marker": ("X",)}},
    ):
        with pytest.raises(ValueError, match="must"):
            replace(POLICY, **wrong)
