"""What each field may be read for, and in which form; what a release may add and narrow."""

from pathlib import Path

import pytest

from claimants.dictionary import Field, read_dictionary, shipped_dictionary
from common.faults import InputError

SENSITIVE = ("offending_marker", "drugs_marker", "alcohol_marker", "health_marker")

# What a provider receives, what the labour market system holds, and what the longitudinal study has.
FIELDS = {
    "referral": (
        "title surname forename national_insurance_number address postcode telephone mobile_telephone other_telephone "
        "disability_status signing_day signing_cycle signing_pattern referral_date incident_marker childcare_need "
        "language_preference mandatory_marker action_plan_aims job_preferences hours_available employment_history last_jobs "
        "licences endorsements additional_information agreed_activities agreed_restrictions qualifications"
    ),
    "system": (
        "employment_status status offending_marker drugs_marker alcohol_marker health_marker refugee_marker ethnicity notes"
    ),
    "study": "benefit_spell_start benefit_spell_end employment_spell_start employment_spell_end earnings",
}


@pytest.mark.parametrize("source", FIELDS)
def test_every_source_is_covered(source: str) -> None:
    for name in FIELDS[source].split():
        assert source in shipped_dictionary().fields[name].sources, name


def test_every_field_says_how_long_it_may_be_kept_and_where_it_is_found() -> None:
    shipped = shipped_dictionary()
    for field in shipped.fields.values():
        assert field.retention in shipped.retention, field.name
        assert field.sources and set(field.sources) <= set(shipped.sources), field.name
        assert set(field.purposes) <= set(shipped.purposes), field.name


def test_free_text_serves_no_purpose() -> None:
    free = [field for field in shipped_dictionary().fields.values() if field.kind == "free text"]
    assert free and all(field.purposes == {} and field.forms == () for field in free)
    with pytest.raises(ValueError, match="must be empty"):
        Field(
            name="notes",
            label="Notes",
            kind="free text",
            forms=("as it stands",),
            purposes={"counting": "as it stands"},
        )


@pytest.mark.parametrize("name", SENSITIVE)
def test_sensitive_markers_count_with_consent_and_by_local_authority(name: str) -> None:
    field = shipped_dictionary().fields[name]
    assert field.kind == "sensitive" and field.consent and field.finest_area == "local authority"


@pytest.mark.parametrize("name", ["ethnicity", "refugee_marker"])
def test_what_is_recorded_for_equality_serves_that_alone(name: str) -> None:
    assert set(shipped_dictionary().fields[name].purposes) == {"equality"}


def test_specially_handled_records_are_never_shown_below_the_country() -> None:
    assert shipped_dictionary().fields["special_protection"].finest_area == "country"


@pytest.mark.parametrize(
    ("name", "purpose", "form", "reason"),
    [
        ("notes", "counting", None, "free text"),
        ("surname", "counting", None, "must not be read for counting; it serves erasure, operations"),
        ("shoe_size", "counting", None, "must be in the data dictionary"),
        ("birth_date", "counting", "as it stands", "age band will do"),
        ("birth_date", "research", "as it stands", "year will do"),
        ("benefit", "operations", "as it stands", "yes or no will do"),
        ("address", "research", "as it stands", "local authority will do"),
        ("birth_date", "counting", "century", "has no form 'century'"),
        ("ethnicity", "counting", None, "it serves equality"),
    ],
)
def test_asking_for_more_than_a_purpose_allows(name: str, purpose: str, form: str | None, reason: str) -> None:
    with pytest.raises(PermissionError) as caught:
        shipped_dictionary().permit(name, purpose, form)
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("name", "purpose", "form"),
    [("birth_date", "counting", "age band"), ("birth_date", "research", "age band"), ("benefit", "counting", None)],
)
def test_what_a_purpose_allows(name: str, purpose: str, form: str | None) -> None:
    assert shipped_dictionary().permit(name, purpose, form).name == name


# --- A release's own ------------------------------------------------------------------------------


def own(folder: Path, text: str) -> Path:
    path = folder / "fields.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_release_may_add_a_field_and_narrow_another(tmp_path: Path) -> None:
    text = """
[field.tenure]
label = "Tenure"
class = "quasi-identifier"
forms = ["owned or not", "as it stands"]
purposes = { research = "owned or not" }
retention = "research"
sources = ["study"]

[field.birth_date]
purposes = { counting = "age band", erasure = "sign of erasure" }
"""
    read = read_dictionary(own(tmp_path, text))
    assert read.permit("tenure", "research").label == "Tenure"
    with pytest.raises(PermissionError, match="must not be read for research"):
        read.permit("birth_date", "research")
    assert read.fields["sex"] == shipped_dictionary().fields["sex"]


@pytest.mark.parametrize(
    ("text", "key", "found"),
    [
        (
            '[field.surname]\npurposes = { research = "as it stands", erasure = "sign of erasure" }',
            "purposes",
            "research",
        ),
        (
            '[field.birth_date]\npurposes = { counting = "as it stands", erasure = "sign of erasure" }',
            "purposes",
            "counting",
        ),
        ("[field.drugs_marker]\nconsent = false", "consent", "without consent"),
        ('[field.drugs_marker]\nfinest_area = "output area"', "finest_area", "local authority at the finest"),
        ('[field.notes]\nclass = "operational"', "class", "another class"),
        ('[field.tenure]\nlabel = "Tenure"', "class", "is missing"),
        ('[field.tenure]\nlabel = "T"\nclass = "odd"\nretention = "claim"', "tenure", "must be one of"),
        ('[field.sex]\nkept = "for ever"', "kept", "is not known here"),
        ('[field.sex]\nretention = "for ever"', "retention", "is not known"),
        ("[other]\nkey = 1", "other", "is not known here"),
    ],
)
def test_what_a_release_may_not_say(text: str, key: str, found: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read_dictionary(own(tmp_path, text))
    assert any(key in fault.key and found in fault.found for fault in caught.value.faults)


def test_all_faults_at_once(tmp_path: Path) -> None:
    text = "[field.drugs_marker]\nconsent = false\n[field.sex]\nkept = 1\n[other]\nkey = 1\n"
    with pytest.raises(InputError) as caught:
        read_dictionary(own(tmp_path, text))
    assert len(caught.value.faults) == 3


@pytest.mark.parametrize("content", [b"\xff\xfe", b"[field", None])
def test_a_file_that_cannot_be_read(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "fields.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError):
        read_dictionary(path)
