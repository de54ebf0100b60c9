"""`smallarea retention`: what is due, requests for removal, and a dry run as the default."""

import datetime as dt
import stat
from pathlib import Path

import pytest
from held_records import CLAIMS, DAY, RESEARCH_HOLDINGS, asked, everything, people, run, state
from small_place import command

from common.faults import InputError
from releases.retention.due import retain

# --- What is due --------------------------------------------------------------------------------


def test_a_dry_run_is_the_default_and_touches_nothing(benefit: Path, research: Path) -> None:
    before = everything(benefit, research)
    done = command(
        "retention", benefit, research, "--policy", "benefit-record", "--policy", "research-project",
        "--date", "2024-03-15", "--requests", asked(benefit.parent, ("R1", "P2")),
    )  # fmt: skip
    assert done.code == 0 and everything(benefit, research) == before
    assert "claims.csv: fewer than 10 records due to be deleted (14 months after claim end)" in done.out
    assert "claims.csv: fewer than 10 records due, but under a fraud hold" in done.out
    assert "copy.csv: due: anonymise (14 days after received, since 2024-03-15)" in done.out
    assert "later, on 2025-03-01: delete (6 months after project end)" in done.out
    assert "request R1: parked: inside the audit period" in done.out
    assert "Dry run: nothing was changed" in done.out
    for value in ("P1", "P2", "Canary", "2023-01"):
        assert value not in done.out + done.err


def test_records_that_are_due_go_and_the_others_stay_as_they_are(benefit: Path) -> None:
    (benefit / "claims.csv").chmod(0o640)
    run(benefit, do=True)
    assert (benefit / "claims.csv").read_text() == CLAIMS.replace("P1,2023-01-15,,Canaryson\n", "")
    assert stat.S_IMODE((benefit / "claims.csv").stat().st_mode) == 0o640
    assert stat.S_IMODE((benefit / "retention.json").stat().st_mode) == 0o600
    assert sorted(path.name for path in benefit.iterdir()) == ["claims.csv", "holdings.toml", "retention.json"]
    before = everything(benefit)
    run(benefit, do=True)
    assert everything(benefit) == before  # nothing due: nothing written


@pytest.mark.parametrize(("on", "there"), [("2024-03-14", True), ("2024-03-15", False), ("2024-05-01", False)])
def test_the_last_day_of_14_months(benefit: Path, on: str, there: bool) -> None:
    run(benefit, day=dt.date.fromisoformat(on), do=True)
    assert ("P1" in people(benefit)) is there


@pytest.mark.parametrize(
    ("on", "columns", "there"),
    [
        ("2024-03-14", 5, True),  # the 13th day
        ("2024-03-15", 3, True),  # two weeks are over
        ("2025-02-28", 3, True),
        ("2025-03-01", 0, False),  # six months after 31 August
    ],
)
def test_a_research_copy_is_anonymised_and_deleted(research: Path, on: str, columns: int, there: bool) -> None:
    run(research, day=dt.date.fromisoformat(on), do=True)
    assert (research / "copy.csv").exists() is there
    if there:
        text = (research / "copy.csv").read_text()
        assert len(text.splitlines()[0].split(",")) == columns and ("Canary" in text) is (columns == 5)


def test_what_was_anonymised_is_not_anonymised_again_but_a_new_delivery_is(research: Path) -> None:
    first = (research / "copy.csv").read_bytes()
    run(research, do=True)
    left = everything(research)
    run(research, do=True)
    assert everything(research) == left
    (research / "copy.csv").write_bytes(first)
    run(research, do=True)
    assert "Canary" not in (research / "copy.csv").read_text()


def test_a_project_without_an_end_is_told_so(research: Path) -> None:
    (research / "holdings.toml").write_text(RESEARCH_HOLDINGS.replace("project_end = 2024-08-31\n", ""))
    (plan,) = retain([research], policies=["research-project"], date=DAY, today=DAY)
    assert [(later.action, later.day) for later in plan.files[0].later] == [("delete", None)]


# --- Removal requests ---------------------------------------------------------------------------


def test_a_request_inside_the_audit_period_is_parked_and_carried_out_afterwards(benefit: Path) -> None:
    requests = asked(benefit.parent, ("R1", "P2"), ("R2", "P3"), ("R3", "P4"), ("R4", "P9"), ("R5", "P1"))
    first = ["R1: parked: inside the audit period", "R2: parked: under a fraud hold", "R3: parked: the claim is live"]
    rest = ["R4: nothing to remove: no record has this reference", "R5: carried out"]
    assert run(benefit, requests=requests, do=True) == first + rest
    assert people(benefit) == ["P2", "P3", "P4"]
    assert run(benefit, day=dt.date(2024, 3, 16), do=True)[0] == "R1: carried out"  # without the file of requests
    assert people(benefit) == ["P3", "P4"]


def test_of_a_person_with_two_claims_what_may_go_goes_and_the_rest_is_parked(benefit: Path) -> None:
    (benefit / "claims.csv").write_text(CLAIMS.replace("P2,", "P1,"))
    assert run(benefit, requests=asked(benefit.parent, ("R1", "P1")), do=True) == [
        "R1: parked: inside the audit period"
    ]
    assert people(benefit) == ["P1", "P3", "P4"]


def test_a_fraud_hold_that_is_lifted_lets_the_request_through(benefit: Path) -> None:
    run(benefit, requests=asked(benefit.parent, ("R1", "P3")), do=True)
    (benefit / "claims.csv").write_text((benefit / "claims.csv").read_text().replace(",Y,", ",N,"))
    assert run(benefit, do=True) == ["R1: carried out"]
    assert people(benefit) == ["P2", "P4"]


def test_requests_are_logged_with_who_asked_what_and_who_approved_for_12_months(benefit: Path) -> None:
    requests = asked(benefit.parent, ("R1", "P1"), ("R2", "P4"))
    run(benefit, requests=requests, do=True)
    done, waits = state(benefit)["requests"]
    assert done["asked_by"] == "the person" and done["what"] == "remove all records"
    assert done["approved_by"] == "Grade 7" and done["outcome"] == "carried out" and done["closed"] == "2024-03-15"
    assert done["person"] == "" and waits["person"] == "P4"  # a reference is kept only as long as it is needed
    run(benefit, day=dt.date(2025, 3, 14), do=True)
    assert [one["id"] for one in state(benefit)["requests"]] == ["R1", "R2"]
    run(benefit, day=dt.date(2025, 3, 15), do=True)
    assert [one["id"] for one in state(benefit)["requests"]] == ["R2"]  # what waits is never forgotten


def test_a_request_given_again_is_not_carried_out_twice(benefit: Path) -> None:
    requests = asked(benefit.parent, ("R1", "P1"))
    run(benefit, requests=requests, do=True)
    with (benefit / "claims.csv").open("a") as file:
        file.write("P1,,,Canaryson\n")  # a new claim, after the request
    assert run(benefit, requests=requests, do=True) == [] and "P1" in people(benefit)


def test_a_research_copy_follows_its_own_policy(benefit: Path, research: Path) -> None:
    requests = asked(benefit.parent, ("R1", "P2"))
    told = run(benefit, research, day=dt.date(2024, 3, 6), requests=requests, do=True)
    assert told == ["R1: parked: inside the audit period", "R1: carried out"]
    assert "P2," not in (research / "copy.csv").read_text() and "P1," in (research / "copy.csv").read_text()
    run(research, do=True)
    (told,) = run(research, requests=asked(benefit.parent, ("R2", "P3")), do=True)
    assert told == "R2: nothing to remove: the copy is anonymised: nobody can be told apart in it"


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("Grade 7", "Grade 9", "'Grade 9' may not approve removals under the policy benefit-record"),
        ("the person", "a neighbour", "request.1.asked_by"),
        ("2024-03-05", "2024-02-29", "approved is before received"),
        ("2024-03-05", "2024-03-16", "request.1.approved: is after 2024-03-15"),
        ('person = "P1"\n', "", "request.1.person: is missing"),
        ('approved_by = "Grade 7"\n', "", "request.1.approved_by: is missing"),
        ('person = "P1"', "person = P1", "is no TOML"),
        ('person = "P1"', "person = 777111", "request.1.person"),
        ("[[request]]", "[[requests]]", "request: is missing"),
    ],
)
def test_requests_that_are_wrong(benefit: Path, old: str, new: str, found: str) -> None:
    path = asked(benefit.parent, ("R1", "P1"))
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(InputError) as error:
        run(benefit, requests=path, do=True)
    assert found in str(error.value) and "P1" not in str(error.value) and "777111" not in str(error.value)
    assert people(benefit)[0] == "P1"


def test_an_id_used_for_another_request_is_refused(benefit: Path) -> None:
    run(benefit, requests=asked(benefit.parent, ("R1", "P2")), do=True)
    with pytest.raises(InputError, match="R1 is logged for another request"):
        run(benefit, requests=asked(benefit.parent, ("R1", "P4")))


def test_a_file_of_requests_that_others_can_read_is_told(benefit: Path) -> None:
    path = asked(benefit.parent, ("R1", "P2"))
    path.chmod(0o644)
    done = command("retention", benefit, "--policy", "benefit-record", "--requests", path, "--date", "2024-03-15")
    assert done.code == 0 and "chmod 600" in done.err
