"""Releases with sensitive breakdowns: by consent, for their purpose, for large areas alone, by the policy named."""

from pathlib import Path

import pytest
from small_place import AREAS, COLUMNS, buckets, change, claim, command, make_place, rows_of, write_claims

CONSENT = ("drugs_marker", "ethnicity", "consent_form", "consent_date", "consent_withdrawn", "marker_recorded")
DRUGS = {"id": "drugs", "title": "Claims by drug misuse", "by": ["drugs_marker"], "finest": "lad"}
BENEFIT = {"id": "benefit", "title": "Claims by benefit", "by": ["benefit"]}
WRITTEN = {"consent_form": "written", "consent_date": "2026-01-06", "marker_recorded": "2026-01-06"}
LIFTED = {
    "rule": "finest area",
    "table": "drugs",
    "reason": "agreed with the partners",
    "owner": "Head of Statistics",
    "expires": "2027-03-31",
}


@pytest.fixture
def release(tmp_path: Path) -> Path:
    """120 claims; of every four, two say drug misuse with consent, one without, and one says nothing."""
    found = change(make_place(tmp_path), table=[BENEFIT, DRUGS])
    said = [
        {"drugs_marker": "Y", **WRITTEN},
        {"drugs_marker": "N", **WRITTEN},
        {"drugs_marker": "Y"},
        {},
    ]
    rows = [claim(number, **said[number // 6 % 4], ethnicity="A") for number in range(480)]
    write_claims(found, rows, columns=(*COLUMNS, *CONSENT))
    return found


def refused(release: Path) -> str:
    ran = command("publish", release, "--out", release.parent / "out")
    assert ran.code == 2, ran.err
    assert not (release.parent / "out").exists()
    return ran.err


def true(review: Path, table: str) -> dict[tuple[str, ...], int]:
    rows = rows_of(review / f"true-beside-published-{table}.csv")
    return {tuple(row.values())[:-4]: int(row["true"]) for row in rows}


def test_without_consent_a_person_stays_in_the_total_and_is_not_stated(release: Path, tmp_path: Path) -> None:
    ran = command("publish", release, "--out", tmp_path / "out")
    assert ran.code == 0, ran.err
    counts = true(tmp_path / "out-review", "drugs")
    towns = {area for _, area, _ in counts}
    told = {code: sum(counts["lad", town, code] for town in towns) for code in ("Y", "N", "U", "Total")}
    assert told == {"Y": 120, "N": 120, "U": 240, "Total": 480}
    assert {row["area_level"] for row in rows_of(tmp_path / "out" / "tables" / "drugs.csv")} == {"lad"}
    page = (tmp_path / "out" / "tables" / "drugs.html").read_text()
    assert "Not stated" in page and "drug misuse" in page.lower()
    assert "such as for want of consent" in page
    assert "want of consent" not in (tmp_path / "out" / "tables" / "benefit.html").read_text()
    assert command("check", tmp_path / "out", "--review-dir", tmp_path / "out-review").code == 0


def test_the_notice_names_the_sensitive_fields_that_are_read(release: Path, tmp_path: Path) -> None:
    assert command("publish", release, "--out", tmp_path / "out").code == 0
    notice = (tmp_path / "out" / "privacy.html").read_text()
    assert "Drug misuse" in notice and "Kind of consent recorded" in notice


def test_below_local_authorities_it_is_refused_and_says_what_would_do(release: Path) -> None:
    said = refused(change(release, table=[BENEFIT, DRUGS | {"finest": ""}]))
    assert "table 'drugs' is by drugs_marker, which is shown for no area smaller than local authority" in said
    assert 'set finest = "lad"' in said and "exception 'finest area'" in said


def test_an_exception_with_reason_owner_and_expiry_lifts_it_and_is_printed(release: Path, tmp_path: Path) -> None:
    change(release, table=[BENEFIT, DRUGS | {"finest": "lsoa"}], exception=[LIFTED])
    ran = command("publish", release, "--out", tmp_path / "out")
    assert ran.code == 0, ran.err
    page = (tmp_path / "out" / "tables" / "drugs.html").read_text()
    assert "Claims by drug misuse: shown for smaller areas than figures of this kind are by rule." in page
    assert "Allowed until 31 March 2027 by Head of Statistics." in page
    ran = command("check", tmp_path / "out")
    assert (
        ran.code == 0
        and "tables go down to smaller areas: 'finest area' is allowed until 2027-03-31" in ran.err + ran.out
    )


@pytest.mark.parametrize(
    ("change_", "said"),
    [
        ({"expires": "2026-06-01"}, "the exception 'finest area' expires on 2026-06-01, before publication"),
        ({"table": "benefit"}, "table 'drugs' is by drugs_marker"),
        ({"table": "other"}, "an exception names other, which is no table"),
        ({"table": []}, "an exception 'finest area' is for the tables that it names"),
        ({"reason": None}, "exception.1.reason"),
    ],
)
def test_an_exception_that_does_not_hold(release: Path, change_: dict[str, object], said: str) -> None:
    exception = {name: value for name, value in (LIFTED | change_).items() if value is not None}
    assert said in refused(change(release, table=[BENEFIT, DRUGS | {"finest": "lsoa"}], exception=[exception]))


def test_an_exception_for_areas_excuses_no_disclosure(release: Path) -> None:
    change(release, table=[BENEFIT, DRUGS], exception=[LIFTED], protection__method="conventional-rounding")
    ran = command("publish", release, "--out", release.parent / "out")
    assert ran.code == 1 and "conventional rounding keeps no promise" in ran.err + ran.out


def test_ethnicity_is_counted_for_equality_monitoring_alone(release: Path, tmp_path: Path) -> None:
    table = {"id": "group", "title": "Claims by ethnic group", "by": ["ethnicity"], "finest": "lad"}
    said = refused(change(release, table=[BENEFIT, table]))
    assert "field (ethnicity) is sensitive and must not be read for counting; it serves equality" in said
    ran = command(
        "publish", change(release, table=[BENEFIT, table | {"purpose": "equality"}]), "--out", tmp_path / "out"
    )
    assert ran.code == 0, ran.err


def test_a_policy_that_was_not_valid_yet(release: Path, tmp_path: Path) -> None:
    own = tmp_path / "policy.toml"
    shipped = Path(__file__).parents[2] / "data" / "policies" / "staff-guide.toml"
    own.write_text(shipped.read_text().replace("valid_from = 2021-01-01", "valid_from = 2027-01-01"))
    said = refused(change(release, claims__policy="../policy.toml"))
    assert "is valid from 2027-01-01, after the reference date" in said
    own.write_text("title = 3\n")
    assert "policy.toml" in refused(release)


def test_consent_columns_must_be_there(release: Path) -> None:
    write_claims(release, [claim(1, drugs_marker="Y")], columns=(*COLUMNS, "drugs_marker"))
    said = refused(release)
    assert "column 'consent_form'" in said and "column 'consent_date'" in said


def test_people_under_special_protection_are_in_no_area(release: Path, tmp_path: Path) -> None:
    rows = [claim(number, special_protection="Y" if number < 7 else "") for number in range(480)]
    write_claims(change(release, table=[BENEFIT]), rows, columns=(*COLUMNS, "special_protection"))
    assert command("publish", release, "--out", tmp_path / "out").code == 0
    found = buckets(tmp_path / "out-review")
    assert found["counted"] == 473 and found["specially protected"] == 7
    assert "specially protected" not in "".join(
        path.read_text() for path in (tmp_path / "out").rglob("*") if path.suffix in (".html", ".csv", ".json")
    )


def test_people_who_claim_nothing_count_where_they_are_asked_for_and_may_be_held(release: Path, tmp_path: Path) -> None:
    rows = [claim(number) for number in range(240)]
    rows += [claim(number, benefit="NONE", consent_to_hold="2026-01-05") for number in range(240, 300)]
    rows += [claim(number, benefit="NONE") for number in range(300, 310)]
    write_claims(change(release, table=[BENEFIT]), rows, columns=(*COLUMNS, "consent_to_hold"))
    assert command("publish", release, "--out", tmp_path / "without").code == 0
    assert buckets(tmp_path / "without-review")["no benefit claimed"] == 60
    assert command("publish", change(release, claims__non_claimants=True), "--out", tmp_path / "with").code == 0
    found = buckets(tmp_path / "with-review")
    assert found["counted"] == 300 and found["no consent to be held"] == 10
    assert "No benefit" in (tmp_path / "with" / "tables" / "benefit.html").read_text()


def sizes(folder: Path, **smaller: str) -> Path:
    lines = [f"{area},{smaller.get('households', 120)},{smaller.get('residents', 290)}" for area in AREAS]
    lines[0] = f"{AREAS[0]},39,290"
    lines[1] = f"{AREAS[1]},120,99"
    path = folder / "sizes.csv"
    path.write_text("oa,households,residents\n" + "\n".join(lines) + "\n")
    return path


def test_areas_below_40_households_or_100_residents_are_refused(release: Path, tmp_path: Path) -> None:
    sizes(tmp_path)
    change(release, table=[BENEFIT], geography__sizes={"path": "../sizes.csv", "area": "oa"})
    said = refused(release)
    assert f"area {AREAS[0]} of level 'oa' is not known to have 40 households" in said
    assert f"area {AREAS[1]} of level 'oa' is not known to have 100 residents" in said
    assert AREAS[2] not in said
    ran = command("publish", change(release, table=[BENEFIT | {"finest": "lsoa"}]), "--out", tmp_path / "out")
    assert ran.code == 0, ran.err


def test_an_area_without_a_size_is_not_known_to_be_large_enough(release: Path, tmp_path: Path) -> None:
    path = sizes(tmp_path)
    path.write_text("\n".join([*path.read_text().splitlines()[:-1], "E00999999,100,300"]) + "\n")
    change(release, table=[BENEFIT], geography__sizes={"path": "../sizes.csv", "area": "oa"})
    said = refused(release)
    assert "area 'E00999999' is no area of the level 'oa'" in said


def test_output_areas_of_scotland_are_refused(release: Path) -> None:
    for name in ("lookup.csv", "postcodes.csv"):
        path = release.parent.parent / name
        path.write_text(path.read_text().replace("E009", "S009"))
    lookup = release.parent / "geography" / "lookup.csv"
    for path in (release.parent / "geography").glob("*.csv") if lookup.parent.exists() else ():
        path.write_text(path.read_text().replace("E009", "S009"))
    assert "level 'oa' holds output areas of Scotland" in refused(change(release, table=[BENEFIT]))
