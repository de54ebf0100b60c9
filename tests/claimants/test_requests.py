"""Requests for data, as small tables: which step, which form would do, what is refused."""

import dataclasses
import datetime as dt

import pytest

from claimants.dictionary import shipped_dictionary
from claimants.requests import AskedField, Assessment, Request, RequestPolicy, assess_request, check_request
from common.faults import Faults
from releases.requests.requestfile import read_request_policy

POLICY = read_request_policy()
DICTIONARY = shipped_dictionary()
PLAIN = Request(
    title="A request",
    organisation="university",
    purpose="research",
    question="What follows a claim?",
    people="together",
    level="lad",
    first_date=dt.date(2024, 5, 31),
    last_date=dt.date(2025, 5, 31),
    keep_months=12,
    fields=(AskedField(name="benefit"),),
)


def request(*fields: str | tuple[str, str], **changes: object) -> Request:
    asked = tuple(AskedField(name=f) if isinstance(f, str) else AskedField(name=f[0], form=f[1]) for f in fields)
    return dataclasses.replace(PLAIN, **({"fields": asked} if asked else {}), **changes)  # type: ignore[arg-type]


def assessed(*fields: str | tuple[str, str], **changes: object) -> Assessment:
    return assess_request(request(*fields, **changes), POLICY, DICTIONARY)


def refused(one: Request, policy: RequestPolicy = POLICY) -> list[str]:
    faults = Faults("REQUEST.toml")
    check_request(one, policy, DICTIONARY, faults)
    return [f"{fault.key}: {fault.found}; {fault.mend}" for fault in faults.found]


@pytest.mark.parametrize(
    ("organisation", "purpose", "people", "step"),
    [
        ("public", "information", "together", "published"),
        ("university", "research", "together", "published"),
        ("university", "research", "apart", "anonymised"),
        ("university", "research", "linked", "identifiable-research"),
        ("university", "research", "known", None),  # nobody need be known to answer a question about groups
        ("charity", "research", "apart", "anonymised"),
        ("charity", "research", "linked", None),  # not open to a charity
        ("public", "research", "apart", None),
        ("local-authority", "planning", "apart", None),  # counts will do
        ("provider", "programme", "known", "identifiable-operations"),
        ("provider", "programme", "apart", "identifiable-operations"),  # research steps are not open to the purpose
        ("provider", "research", "apart", None),
        ("department", "programme", "linked", "identifiable-operations"),
    ],
)
def test_the_first_step_that_serves_and_is_open(organisation: str, purpose: str, people: str, step: str | None) -> None:
    found = assessed(organisation=organisation, purpose=purpose, people=people)
    assert (found.step.id if found.step else None) == step


@pytest.mark.parametrize(
    ("changes", "step"),
    [
        ({}, "published"),
        ({"level": "oa"}, "published"),
        ({"level": "region"}, "aggregate"),  # no release has regions
        ({"first_date": dt.date(2020, 1, 1)}, "published"),
        ({"first_date": dt.date(2019, 12, 31)}, "aggregate"),  # the day before releases begin
    ],
)
def test_published_figures_are_looked_at_first(changes: dict[str, object], step: str) -> None:
    found = assessed(**changes)
    assert found.step is not None and found.step.id == step


@pytest.mark.parametrize(
    ("fields", "step"),
    [
        ((("birth_date", "age band"), "benefit"), "published"),
        (("birth_date", "benefit"), "published"),  # dates of birth are more than counts need: age bands will do
        (("surname", "benefit"), "published"),  # the name is left out
        (("postcode", "benefit"), "published"),  # the areas asked for will do
        ((("birth_date", "age band"), "benefit", "sex"), "aggregate"),  # three crossed
        (("claim_start",), "aggregate"),  # releases show its length in bands
        ((("claim_start", "length in bands"),), "published"),
        ((("employment_status", "yes or no"),), "aggregate"),
        ((("offending_marker", "yes or no"),), "aggregate"),
    ],
)
def test_a_request_is_placed_by_what_would_do(fields: tuple[str | tuple[str, str], ...], step: str) -> None:
    found = assessed(*fields)
    assert found.step is not None and found.step.id == step


@pytest.mark.parametrize(
    ("purpose", "people", "field", "form", "does"),
    [
        ("research", "together", "birth_date", "", "age band"),
        ("research", "apart", "birth_date", "", "year"),
        ("research", "apart", "birth_date", "year", "year"),
        ("research", "apart", "birth_date", "age band", "age band"),  # coarser than allowed is well
        ("research", "apart", "postcode", "", "LSOA"),
        ("research", "apart", "person_reference", "", "keyed reference"),
        ("research", "apart", "surname", "", ""),
        ("research", "apart", "telephone", "", ""),
        ("research", "apart", "signing_day", "", ""),
        ("research", "apart", "offending_marker", "yes or no", ""),
        ("research", "linked", "person_reference", "", "as it stands, for linking alone"),
        ("research", "linked", "surname", "", ""),
        ("programme", "known", "surname", "", "as it stands"),
        ("programme", "known", "benefit", "", "yes or no"),
        ("programme", "known", "ethnicity", "", ""),  # serves equality alone
        ("equality", "together", "ethnicity", "", "as it stands"),
        ("planning", "together", "ethnicity", "", ""),
    ],
)
def test_form_that_would_do(purpose: str, people: str, field: str, form: str, does: str) -> None:
    found = assessed((field, form), purpose=purpose, people=people, organisation="department")
    (judged,) = found.fields
    assert judged.does == does
    asked = form or DICTIONARY.fields[field].forms[-1]
    assert judged.proportionate == (does == asked or does.endswith("linking alone"))
    assert bool(found.disproportionate) != judged.proportionate and judged.reason


def test_sensitive_fields_are_held_to_their_finest_area() -> None:
    marker = ("offending_marker", "yes or no")
    assert assessed(marker, level="lad").beyond == ()
    ((what, does),) = assessed(marker, level="lsoa").beyond
    assert "LSOA" in what and "local authority" in does
    ((_, does),) = assessed(("special_protection", "yes or no"), level="lad").beyond
    assert "country" in does


@pytest.mark.parametrize(
    ("level", "within", "beyond"),
    [("oa", "S00000001", 1), ("oa", "E00000001", 0), ("lsoa", "S01000001", 0), ("oa", "", 0)],
)
def test_output_areas_are_refused_for_scotland(level: str, within: str, beyond: int) -> None:
    found = assessed(level=level, within=(within,) if within else ())
    assert len(found.beyond) == beyond


@pytest.mark.parametrize(("months", "beyond"), [(24, 0), (25, 1)])
def test_how_long_it_may_be_kept(months: int, beyond: int) -> None:
    assert len(assessed(people="apart", keep_months=months).beyond) == beyond


def test_every_step_says_why() -> None:
    found = assessed(people="linked")
    assert [one.serves for one in found.steps] == [False, False, False, True, False]
    assert all(one.reason for one in found.steps) and len(found.steps) == 5
    assert found.nearest is found.step


def test_where_no_step_is_open_fields_are_held_against_the_last_that_is() -> None:
    found = assessed("birth_date", people="known")
    assert found.step is None and found.nearest.id == "identifiable-research"


def test_free_text_can_never_be_asked_for() -> None:
    texts = [name for name, field in DICTIONARY.fields.items() if field.kind == "free text"]
    assert len(texts) >= 3
    for purpose in ("research", "programme", "equality"):
        lines = refused(request(*texts, purpose=purpose))
        assert len(lines) == len(texts) and all("can never be asked for" in line for line in lines)


def test_everything_that_cannot_be_assessed_is_told_at_once() -> None:
    wrong = request(
        "benefits", "notes", ("sex", "band"), "benefit", "benefit", purpose="x", people="y", level="z", organisation="w",
        first_date=dt.date(2025, 6, 1),
    )  # fmt: skip
    lines = refused(wrong)
    assert [line.split(":")[0] for line in lines] == [
        "request.organisation",
        "request.purpose",
        "request.people",
        "areas.level",
        "dates",
        "field.1.name",
        "field.2.name",
        "field.3.form",
        "field.5.name",
    ]
    assert "did you mean benefit?" in lines[5]
    assert refused(PLAIN) == [] and refused(dataclasses.replace(PLAIN, last_date=PLAIN.first_date)) == []


def test_the_shipped_policy_names_only_what_is_there() -> None:
    assert POLICY.example and len(POLICY.steps) == 5
    for step in POLICY.steps:
        assert step.reads in DICTIONARY.purposes and set(step.links_by) <= set(DICTIONARY.fields)
        assert step.id == "published" or (step.approvals and step.agreements and step.minimum)
    for name, form in POLICY.published.fields.items():
        assert form in DICTIONARY.fields[name].forms
    names = {level.name for level in POLICY.levels}
    assert {field.finest_area for field in DICTIONARY.fields.values() if field.finest_area} <= names


def test_a_policy_that_points_to_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="names step 'nowhere', which is not there"):
        dataclasses.replace(POLICY, purposes=(dataclasses.replace(POLICY.purposes[0], steps=("nowhere",)),))
