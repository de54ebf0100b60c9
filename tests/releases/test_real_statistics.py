"""Rates, flows and sensitive breakdowns on real areas: two London boroughs, and the sizes of Trafford's output areas.

Claims are made up on real areas, about as many as published; populations and households are as published.
"""

import csv
import re
from collections import Counter
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pytest
import tomlkit
from derived_place import with_parts
from real_places import LONDON, TRAFFORD, Case, london, lookup, trafford_2021
from small_place import buckets, change, command, rows_of

from releases.publish.pipeline import publish
from releases.synth.making import synthesise

pytestmark = [
    pytest.mark.real_areas,
    pytest.mark.slow,
]

BENEFITS = ("UC", "PIP", "ESA", "CA", "JSA", "IS")
SINCE, DAY = "2026-02-28", "2026-05-31"
OFFENDING = {"id": "offending", "title": "Claims by offending", "by": ["offending_marker"], "finest": "lad"}
TABLES = [
    {"id": "all", "title": "Claims by benefit", "by": ["benefit"]},
    {"id": "on", "title": "Claims that started", "by": ["benefit"], "measure": "on-flow", "finest": "msoa"},
    {"id": "off", "title": "Claims that ended", "by": ["duration_band"], "measure": "off-flow", "finest": "lad"},
    OFFENDING,
]
RESIDENTS = {
    "id": "residents",
    "title": "Residents",
    "path": "residents.csv",
    "level": "lsoa",
    "reference_date": "2020-06-30",
    "source": "Mid-year population estimates",
    "status": "official",
}
RATE = {"id": "rate", "title": "Claims per 1,000 residents", "of": "all", "denominator": "residents"}


def clean(path: Path) -> list[dict[str, str]]:
    """The rows of an extract that are written as code lists write them, one of each claim; no other is left in it."""
    day = re.compile(r"\d{4}-\d\d-\d\d")
    found = {}
    for row in rows_of(path):
        written = row["benefit"] in BENEFITS and row["output_area"].startswith("E") and row["status"] != "Inactive"
        dates = day.fullmatch(row["claim_start"]) and day.fullmatch(row["claim_end"] or DAY)
        if written and dates and row["surname"] != "DELETED":
            found[row["person_reference"], row["benefit"], row["claim_start"]] = row
    return list(found.values())


def consents(row: dict[str, str]) -> bool:
    return row["person_reference"][-1] in "02468"


def with_consent(row: dict[str, str]) -> dict[str, str]:
    """The row, with a written consent of every second person."""
    day = max(row["claim_start"], "2026-01-06")
    written = {"consent_form": "written", "consent_date": day}
    return (
        row
        | (written if consents(row) else dict.fromkeys(written, ""))
        | {"consent_withdrawn": "", "marker_recorded": day}
    )


def live(row: dict[str, str], day: str) -> bool:
    return row["claim_start"] <= day and (not row["claim_end"] or row["claim_end"] >= day)


def true(case: Case, table: str, level: str, column: str) -> dict[tuple[str, str], int]:
    rows = rows_of(case.out.with_name("out-review") / f"true-beside-published-{table}.csv")
    return {(row["area"], row[column]): int(row["true"]) for row in rows if row["area_level"] == level}


@pytest.fixture(scope="module")
def boroughs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Case, list[dict[str, str]]]:
    """The release of two boroughs, and its claims, each with its authority."""
    made = london(tmp_path_factory.mktemp("statistics"))
    synthesise(made.options)
    folder = made.options.out
    path = folder / "claims" / "claims.csv"
    claims = [with_consent(row) for row in clean(path)]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(claims[0]))
        writer.writeheader()
        writer.writerows(claims)
    of_lad = {row["OA11CD"]: row["LAD21CD"] for row in lookup(made.options.areas or Path())}
    residents = [row for row in rows_of(LONDON / "population_lsoa11.csv") if row["label_year"] == "2020"]
    lines = ["area,value", *(f"{row['lsoa11cd']},{row['population']}" for row in residents)]
    (folder / "residents.csv").write_text("\n".join(lines) + "\n")
    release = change(
        folder / "RELEASE.toml",
        series__id="two-boroughs",
        table=TABLES,
        flows={"from": tomlkit.date(SINCE)},
    )
    publish(with_parts(release, denominator=[RESIDENTS], rate=[RATE]), made.out)
    return made, [row | {"lad": of_lad[row["output_area"]]} for row in claims]


def test_true_counts_are_those_of_a_plain_count(boroughs: tuple[Case, list[dict[str, str]]]) -> None:
    case, claims = boroughs
    now = Counter(row["lad"] for row in claims if live(row, DAY))
    before = Counter(row["lad"] for row in claims if live(row, SINCE))
    assert len(now) == 2 and buckets(case.out.with_name("out-review"))["counted"] == sum(now.values()) > 9_000
    stocks, on = true(case, "all", "lad", "benefit"), true(case, "on", "lad", "benefit")
    off, offending = true(case, "off", "lad", "duration_band"), true(case, "offending", "lad", "offending_marker")
    told = Counter(row["lad"] for row in claims if live(row, DAY) and consents(row) and row["offending_marker"] == "Y")
    for lad in now:
        assert stocks[lad, "Total"] == offending[lad, "Total"] == now[lad]
        assert on[lad, "Total"] - off[lad, "Total"] == now[lad] - before[lad] != 0
        assert offending[lad, "Y"] == told[lad] > 0
        assert offending[lad, "U"] > now[lad] // 4


def test_rates_are_those_of_published_figures_and_published_populations(
    boroughs: tuple[Case, list[dict[str, str]]],
) -> None:
    case, _ = boroughs
    people = {
        row["lsoa11cd"]: int(row["population"])
        for row in rows_of(LONDON / "population_lsoa11.csv")
        if row["label_year"] == "2020"
    }
    figures = {
        row["area"]: row["value"]
        for row in rows_of(case.out / "tables" / "all.csv")
        if row["area_level"] == "lsoa" and row["benefit"] == "Total"
    }
    rates = {row["area"]: row for row in rows_of(case.out / "tables" / "rate.csv") if row["benefit"] == "Total"}
    assert len(rates) == len(people) == 236
    for area, row in rates.items():
        expected = (Decimal(figures[area]) * 1000 / people[area]).quantize(Decimal("0.1"), ROUND_HALF_UP)
        assert (row["value"], row["denominator"]) == (str(expected), str(people[area]))
    page = (case.out / "tables" / "rate.html").read_text(encoding="utf-8")
    assert "Mid-year population estimates" in page


def test_check_of_statistics(boroughs: tuple[Case, list[dict[str, str]]]) -> None:
    case, _ = boroughs
    ran = command("check", case.out, "--review-dir", case.out.with_name("out-review"), "--json")
    assert ran.plain["verdict"] == "safe"


def test_areas_with_few_households_or_residents_are_found_among_real_ones(tmp_path: Path) -> None:
    """Sizes of output areas as the census and mid-year estimates publish them: none of Trafford's is too small, until one is."""
    case = trafford_2021(tmp_path)
    synthesise(case.options)
    households: Counter[str] = Counter()
    for row in rows_of(TRAFFORD / "census2021_household_size.csv"):
        if row["geography"] == "OA":
            households[row["area_code"]] += int(row["value"])
    residents = {
        row["area_code"]: int(row["all_ages"])
        for row in rows_of(TRAFFORD / "population_oa_mid_year.csv")
        if row["oa_vintage"] == "2021" and row["period"] == "2022-06-30" and row["sex"] == "Persons"
    }
    assert set(households) == set(residents) and len(residents) == 738
    assert min(households.values()) == 42 and min(residents.values()) == 112

    def release(changed: dict[str, int]) -> Path:
        lines = [f"{area},{changed.get(area, households[area])},{residents[area]}" for area in sorted(residents)]
        (tmp_path / "sizes.csv").write_text("oa,households,residents\n" + "\n".join(lines) + "\n")
        table = [{"id": "all", "title": "All", "by": []}]
        sizes = {"path": "../sizes.csv", "area": "oa"}
        return change(case.options.out / "RELEASE.toml", table=table, geography__sizes=sizes)

    area = max(residents)
    ran = command("publish", release({area: 39}), "--out", tmp_path / "small")
    assert ran.code == 2 and f"area {area} of level 'oa' is not known to have 40 households" in ran.err
    assert len(ran.err.splitlines()) == 1
    ran = command("publish", release({}), "--out", case.out)
    assert ran.code == 0, ran.err
