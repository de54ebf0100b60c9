"""A release of claims and of people: drawn together, told apart, and checked against each other."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from conftest import Published, published
from made_release import Made, summed, write_release
from small_place import (
    AREAS,
    POSTCODES,
    buckets,
    change,
    claim,
    command,
    copied,
    files,
    read_claims,
    rows_of,
    write_claims,
)

from common.faults import Infeasible
from releases.check import check_release
from releases.outcome import Refused
from releases.publish.manifest import read_manifest
from releases.publish.pipeline import publish
from sdc.extension import Extended

TABLES = (
    {"id": "benefit", "title": "Claims by benefit", "by": ["benefit"]},
    {"id": "duration", "title": "Claims by duration", "by": ["duration_band"]},
    {"id": "age", "title": "People by age", "by": ["age_band"], "count": "people"},
    {"id": "sex", "title": "People by sex", "by": ["sex"], "count": "people"},
)
DIMENSIONS = {"benefit": "benefit", "duration": "duration_band", "age": "age_band", "sex": "sex"}


def add_odd_persons(release: Path) -> None:
    """Persons with claims in two areas, and with two claims of one benefit, both live."""
    given = read_claims(release)
    odd = []
    for number in range(30):
        row = claim(number, person_reference=f"T{number:09d}", sex="FM"[number % 2])
        elsewhere = POSTCODES[AREAS[(number + 5) % len(AREAS)]][0]
        odd += [row, row | {"benefit": "PIP", "postcode": elsewhere, "claim_start": "2026-02-01"}]
        odd += [row | {"claim_start": "2024-01-05"}] * (number < 10)
    write_claims(release, given + odd)


@pytest.fixture(scope="module")
def both(place: Path, tmp_path_factory: pytest.TempPathFactory) -> Published:
    """The small place with persons of several claims, published with two tables of each."""
    folder = tmp_path_factory.mktemp("both")
    release = change(copied(place, folder / "given"), table=list(TABLES))
    add_odd_persons(release)
    return published(release, folder)


def values(
    folder: Path, table: str, name: str = "{}.csv", column: str = "value"
) -> dict[tuple[str, str], dict[str, int]]:
    """By level and area, the number of each category."""
    found: dict[tuple[str, str], dict[str, int]] = {}
    for row in rows_of(folder / name.format(table)):
        found.setdefault((row["area_level"], row["area"]), {})[row[DIMENSIONS[table]]] = int(row[column])
    return found


def keeps_the_tie(
    benefit: dict[tuple[str, str], dict[str, int]], people: dict[tuple[str, str], dict[str, int]]
) -> bool:
    return benefit.keys() == people.keys() and all(
        max(number for category, number in row.items() if category != "Total") <= people[area]["Total"] <= row["Total"]
        for area, row in benefit.items()
    )


class TestFigures:
    def test_each_benefit_at_most_people_at_most_claims(self, both: Published) -> None:
        folder = both.out / "tables"
        for people in ("age", "sex"):
            assert keeps_the_tie(values(folder, "benefit"), values(folder, people))
        beside = "true-beside-published-{}.csv"
        assert keeps_the_tie(values(both.review, "benefit", beside, "true"), values(both.review, "sex", beside, "true"))

    def test_one_total_of_claims_and_one_of_people(self, both: Published) -> None:
        totals = {
            name: {area: row["Total"] for area, row in values(both.out / "tables", name).items()} for name in DIMENSIONS
        }
        assert totals["benefit"] == totals["duration"] and totals["age"] == totals["sex"]
        assert totals["benefit"] != totals["age"]

    def test_every_figure_is_within_the_base_of_its_count(self, both: Published) -> None:
        for name in DIMENSIONS:
            rows = rows_of(both.review / f"true-beside-published-{name}.csv")
            assert all(int(row["published"]) % 5 == 0 and abs(int(row["difference"])) < 5 for row in rows)

    def test_persons_stand_in_one_area_with_all_their_claims(self, both: Published) -> None:
        found, people = (
            buckets(both.review),
            {row["bucket"]: int(row["rows"]) for row in rows_of(both.review / "buckets-people.csv")},
        )
        assert sum(found.values()) == sum(people.values()) == 600 + 30 + 30 + 10
        assert found["another claim of a person counted"] == 10
        assert people["another claim of a person counted"] == found["counted"] + 10 - people["counted"]
        page = (both.review / "review.html").read_text(encoding="utf-8")
        assert "30 claims are counted in the area of the claim of their person that started last" in page
        assert "Counting claims: every input row" in page and "Counting people: every input row" in page

    def test_the_reviewer_sees_how_they_were_drawn(self, both: Published) -> None:
        page = (both.review / "review.html").read_text(encoding="utf-8")
        assert "claims: totals: duels settled" in page and "people: totals: duels settled" in page
        assert "smallest areas whose people the claims settled" in page
        assert "published people and claims come from people with sets of benefits, area by area" in page

    def test_the_same_bytes_twice(self, both: Published, tmp_path: Path) -> None:
        publish(both.source, tmp_path / "out")
        assert files(tmp_path / "out") == files(both.out)
        assert files(tmp_path / "out-review") == files(both.review)


class TestWords:
    def test_each_table_says_what_it_counts(self, both: Published) -> None:
        for name, counted in (("benefit", "Figures count claims, one of each"), ("sex", "Figures count people.")):
            page = (both.out / "tables" / f"{name}.html").read_text(encoding="utf-8")
            metadata = (both.out / "tables" / f"{name}.csv-metadata.json").read_text(encoding="utf-8")
            assert counted in page and counted in metadata
        told = json.loads((both.out / "tables" / "sex.csv-metadata.json").read_text(encoding="utf-8"))
        assert told["notes"][0]["smallarea"]["population"] == "people"
        assert told["tableSchema"]["columns"][-2]["dc:description"].startswith("Number of people.")

    def test_home_page_and_methods(self, both: Published) -> None:
        home = (both.out / "index.html").read_text(encoding="utf-8")
        assert re.search(r"<dt>Claims in Place 11</dt>", home) and re.search(r"<dt>People in Place 11</dt>", home)
        methods = (both.out / "methods.html").read_text(encoding="utf-8")
        assert "at least as many people as claims of any one benefit" in methods
        assert "All claims of a person are counted in one area" in methods

    def test_manifest(self, both: Published) -> None:
        plain = json.loads((both.out / "manifest.json").read_text(encoding="utf-8"))
        assert plain["population"] == "claims and people"
        assert [table["unit"] for table in plain["tables"]] == ["claims", "claims", "people", "people"]

    def test_what_is_public_tells_nothing_of_how_it_was_drawn(self, both: Published) -> None:
        for path in both.out.rglob("*"):
            if path.suffix in (".html", ".json", ".csv"):
                said = path.read_text(encoding="utf-8")
                assert not [word for word in ("settled", "loosened", "forced") if word in said], path.name


class TestCheck:
    def test_with_and_without_the_review_folder(self, both: Published) -> None:
        for more in ([], ["--review-dir", both.review]):
            ran = command("check", both.out, *more)
            assert ran.code == 0 and "each benefit's claims <= people <= claims in every area" in ran.out

    def test_attacked_together(self, both: Published) -> None:
        ran = command("attack", *(both.out / "tables" / f"{name}.csv" for name in DIMENSIONS))
        assert ran.code == 0 and "people and claims come from people with sets of benefits" in ran.out


def made(people: list[int], benefits: list[list[int]]) -> tuple[Made, ...]:
    """Claims by benefit and people in all of the six areas, exact multiples that are their own true counts."""
    heads = tuple(np.ascontiguousarray(level[:, -1:]) for level in summed(np.array(people)[:, None]))
    claims = summed(np.array(benefits))
    return (
        Made(id="claims", dimensions=("benefit",), true=claims, shown=claims),
        Made(id="people", dimensions=(), true=heads, shown=heads, unit="people"),
    )


CLAIMS = [[5, 5], [0, 5], [10, 5], [0, 0], [10, 10], [5, 5]]


class TestCheckOfMadeReleases:
    def test_that_could_be_of_people(self, tmp_path: Path) -> None:
        write_release(tmp_path / "out", tmp_path / "review", tables=made([5, 5, 15, 0, 15, 10], CLAIMS))
        audit = check_release(tmp_path / "out", tmp_path / "review")
        assert not audit.findings, audit.findings

    @pytest.mark.parametrize(
        ("people", "cell"),
        [
            ([5, 5, 5, 0, 15, 10], "oa E00000003, benefit jsa"),
            ([5, 10, 15, 0, 15, 10], "oa E00000002, benefit Total"),
            ([5, 5, 15, 0, 15, 0], "oa E00000006, benefit Total"),
            ([5, 5, 15, 5, 15, 10], "oa E00000004, benefit Total"),
        ],
        ids=["fewer than claim one benefit", "more than there are claims", "claims of nobody", "nobody's claims"],
    )
    def test_that_could_not(self, tmp_path: Path, people: list[int], cell: str) -> None:
        write_release(tmp_path / "out", tmp_path / "review", tables=made(people, CLAIMS))
        audit = check_release(tmp_path / "out", tmp_path / "review")
        found = {(one.kind, one.table, one.cell) for one in audit.findings}
        assert ("people", "tables/claims.csv", cell) in found
        assert ("people", "review/true-beside-published-claims.csv", cell) in found
        assert {one.kind for one in audit.findings} == {"people"} and not audit.safe

    def test_a_population_that_the_tables_do_not_count(self, tmp_path: Path) -> None:
        write_release(tmp_path / "out", tables=made([5, 5, 15, 0, 15, 10], CLAIMS))
        path = tmp_path / "out" / "manifest.json"
        path.write_text(path.read_text().replace('"claims and people"', '"claims"'))
        assert [one.witness for one in check_release(tmp_path / "out").findings] == [
            "'population' is not what the tables count"
        ]

    def test_metadata_of_another_population(self, tmp_path: Path) -> None:
        write_release(tmp_path / "out", tables=made([5, 5, 15, 0, 15, 10], CLAIMS))
        path = tmp_path / "out" / "tables" / "people.csv-metadata.json"
        path.write_text(path.read_text().replace('"population": "people"', '"population": "claims"'))
        assert "tells another population" in " ".join(one.witness for one in check_release(tmp_path / "out").findings)


def test_areas_for_which_there_is_no_rounding_are_named(release: Path, tmp_path: Path) -> None:
    """Three areas with 5 claims each must show 5 people each, but the area above has exactly 10 people."""
    rows = [claim(number) for number in range(3, 96) if number % len(AREAS) >= 3]
    rows = [row | {"sex": "FM"[k % 3 == 0], "benefit": ("UC", "JSA")[k % 4 == 0]} for k, row in enumerate(rows)]
    rows += [row | {"benefit": "PIP"} for row in rows[::2]]
    for area, heads in enumerate((3, 3, 4)):
        own = [claim(area, person_reference=f"S{area}{number:08d}") for number in range(heads)]
        rows += own + [row | {"benefit": "PIP"} for row in own[: 5 - heads]]
    write_claims(release, rows)
    change(release, table=[TABLES[0], TABLES[3]])
    with pytest.raises(Infeasible) as refused:
        publish(release, tmp_path / "out")
    said = str(refused.value)
    assert AREAS[0] in said and "publish people beside claims for larger areas, or one of the two" in said
    assert not (tmp_path / "out").exists() and not (tmp_path / "out-review").exists()
    assert command("publish", release, "--out", tmp_path / "out").code == 3


# A small place, and a sixth of its claims begin, end or change their band within a quarter.
KEPT_SHARE = 0.8
# Reference date, extract, publication and the next one of two later releases.
QUARTERS = (
    ("2026-08-31", "2026-12-31", "2027-02-16", "2027-05-18"),
    ("2026-11-30", "2027-03-31", "2027-05-18", "2027-08-17"),
)
LATER = {
    "release__reference_date": "2026-08-31",
    "release__extract_date": "2026-12-31",
    "release__publication": "2027-02-16T09:30:00",
    "release__next_publication": "2027-05-18",
    "series__first": None,
}


def test_figures_of_nobody_are_not_written(both: Published, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What `sdc.extension` stands against stops the release, whatever drew the figures."""

    def nobody(*given: object, **more: object) -> Extended:
        return Extended(failing=("E00000001: claims and people come from no people",), areas=np.array([0]))

    monkeypatch.setattr("releases.publish.judging.extend_people", nobody)
    with pytest.raises(Refused) as refused:
        publish(both.source, tmp_path / "out")
    (finding,) = refused.value.outcome.audit.findings
    assert (finding.kind, finding.severity) == ("people", "contradiction")
    assert list(tmp_path.iterdir()) == []


class TestSeries:
    def test_three_releases_keep_values_and_every_promise(self, both: Published, tmp_path: Path) -> None:
        before = both.out
        for date, extract, out, after in QUARTERS:
            release = change(copied(both.source, tmp_path / f"given {date}"), series__previous=str(before), **LATER)
            change(release, release__reference_date=date, release__extract_date=extract)
            change(release, release__publication=f"{out}T09:30:00", release__next_publication=after)
            told = publish(release, tmp_path / date)
            assert any("keep their values" in notice for notice in told.notices)
            folder, review = tmp_path / date / "tables", tmp_path / f"{date}-review"
            assert all(keeps_the_tie(values(folder, "benefit"), values(folder, people)) for people in ("age", "sex"))
            assert command("check", tmp_path / date, "--review-dir", review).code == 0
            standing = rows_of(review / "standings.csv")
            assert {row["table"] for row in standing} == set(DIMENSIONS)
            kept, moved = (sum(int(row[name]) for row in standing) for name in ("kept", "moved"))
            assert kept > KEPT_SHARE * (kept + moved)
            assert {row["table"] for row in rows_of(review / "flips.csv")} == set(DIMENSIONS)
            before = tmp_path / date

    def test_a_revision_that_changes_nothing(self, both: Published, tmp_path: Path) -> None:
        release = copied(both.source, tmp_path / "given")
        change(release, series__first=None, series__previous=str(both.out), release__status="revised")
        publish(release, tmp_path / "again")
        for name in DIMENSIONS:
            path = Path("tables") / f"{name}.csv"
            assert (both.out / path).read_bytes() == (tmp_path / "again" / path).read_bytes()
        page = (tmp_path / "again-review" / "review.html").read_text(encoding="utf-8")
        told = [read_manifest(folder) for folder in (tmp_path / "again", both.out)]
        named = " after ".join(f"edition {one['id']}" for one in told)
        for unit in ("claims", "people"):
            assert (
                f"changes of {named} (population {unit}, date {told[0]['reference_date']}): no small one is proven (by proof)"
                in page
            )

    def test_a_revision_is_drawn_together_with_what_it_revises(self, both: Published, tmp_path: Path) -> None:
        """Twenty persons with two claims each, registered late: most figures stay."""
        release = copied(both.source, tmp_path / "given")
        late = [claim(5 * number, person_reference=f"L{number:09d}") for number in range(20)]
        write_claims(release, [*read_claims(release), *late, *(row | {"benefit": "PIP"} for row in late)])
        change(release, series__first=None, series__previous=str(both.out), release__status="revised")
        publish(release, tmp_path / "revised")
        for name in DIMENSIONS:
            then, now = (values(folder / "tables", name) for folder in (both.out, tmp_path / "revised"))
            cells = [(area, category) for area, row in then.items() for category in row]
            flips = sum(then[area][category] != now[area][category] for area, category in cells)
            assert flips < 0.3 * len(cells)

    def test_the_same_bytes_twice(self, both: Published, tmp_path: Path) -> None:
        release = change(copied(both.source, tmp_path / "given"), series__previous=str(both.out), **LATER)
        for name in ("august", "once-more"):
            publish(release, tmp_path / name)
        assert files(tmp_path / "august") == files(tmp_path / "once-more")
        assert files(tmp_path / "august-review") == files(tmp_path / "once-more-review")

    def test_claims_alone_after_it_keep_the_values_of_claims(self, both: Published, tmp_path: Path) -> None:
        release = change(copied(both.source, tmp_path / "given"), series__previous=str(both.out), **LATER)
        change(release, release__reference_date="2026-05-31", release__status="revised", table=[TABLES[0]])
        publish(release, tmp_path / "again")
        standing = rows_of(tmp_path / "again-review" / "standings.csv")
        assert sum(int(row["kept"]) for row in standing) > sum(int(row["changed"]) for row in standing)
