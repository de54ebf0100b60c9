"""A release from end to end: what is in the folder, that it is the same bytes each time, and what is refused."""

import json
import re
import shutil
import stat
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest
from conftest import Published
from small_place import (
    AREAS,
    buckets,
    change,
    claim,
    command,
    copied,
    files,
    one_table,
    read_claims,
    rows_of,
    write_claims,
)

from common.faults import Disclosure, Infeasible, InputError
from releases.check import check_release
from releases.publish.pipeline import publish

TABLES = ("benefit", "age", "sex", "duration")
MANIFEST = {
    "format", "id", "title", "series", "status", "label", "reference_date", "extract_date", "publication",
    "next_publication", "previous", "population", "method", "exceptions", "areas", "tables", "key_id", "fingerprints",
    "software", "files",
}  # fmt: skip
TRUE_WORDS = re.compile(r"\b(true|truth|small|loss|status_of_cell|difference)\b")


class TestFolder:
    def test_contents(self, city_done: Published) -> None:
        there = set(files(city_done.out))
        for table in TABLES:
            for ending in (".csv", ".csv-metadata.json", ".ods", ".xlsx", ".parquet", ".html"):
                assert f"tables/{table}{ending}" in there
        assert {
            f"maps/benefit-{level}.{ending}" for level in ("oa", "lsoa", "msoa") for ending in ("png", "svg")
        } <= there
        assert {"areas/areas.gpkg", "areas/oa.parquet", "index.html", "methods.html", "maps.html"} <= there
        assert not [name for name in there if "review" in name or "key" in name.rsplit("/", 1)[-1]]

    def test_modes(self, city_done: Published) -> None:
        assert stat.S_IMODE(city_done.out.stat().st_mode) == 0o755
        assert stat.S_IMODE(city_done.review.stat().st_mode) == 0o700
        assert {stat.S_IMODE(path.stat().st_mode) for path in city_done.review.rglob("*") if path.is_file()} == {0o600}

    def test_nothing_else_is_left(self, done: Published) -> None:
        assert {path.name for path in done.out.parent.iterdir()} == {"out", "out-review"}

    def test_manifest(self, city_done: Published) -> None:
        plain = json.loads((city_done.out / "manifest.json").read_text())
        assert set(plain) == MANIFEST
        hashes = files(city_done.out)
        assert {one["path"]: one["sha256"] for one in plain["files"]} == {
            name: digest for name, digest in hashes.items() if name != "manifest.json"
        }
        assert plain["id"] == "benefits-small-areas-2026-05-31"
        assert plain["method"] == {"name": "controlled-rounding", "base": 5, "min_count": 5}
        assert {table["id"]: set(table["cells"]) for table in plain["tables"]} == {name: {"shown"} for name in TABLES}

    def test_fingerprints_are_keyed(self, done: Published) -> None:
        """A plain hash of a small input can be searched, so none is in the manifest; reviewers have it."""
        text = (done.out / "manifest.json").read_text()
        inputs = [done.source, *done.source.parent.rglob("*.csv"), *done.source.parent.parent.glob("*.csv")]
        plain = set(files(done.source.parent).values()) | set(files(done.source.parent.parent).values())
        assert len(inputs) >= 4 and not [digest for digest in plain if digest in text]
        told = {row["sha256"] for row in rows_of(done.review / "inputs.csv")}
        assert told <= plain and len(told) == 3

    def test_key_is_nowhere(self, done: Published) -> None:
        key = (done.source.parent / "series.key").read_bytes().strip()
        for folder in (done.out, done.review):
            assert not [path for path in folder.rglob("*") if path.is_file() and key in path.read_bytes()]

    def test_every_area_and_category_has_a_row(self, done: Published) -> None:
        rows = rows_of(done.out / "tables" / "benefit.csv")
        oas = [row for row in rows if row["area_level"] == "oa"]
        assert [row["area"] for row in oas] == [area for area in AREAS for _ in range(7)]
        assert [row["area_level"] for row in rows] == sorted(
            (row["area_level"] for row in rows), key=["oa", "lsoa", "msoa", "lad"].index
        )
        assert [row["benefit"] for row in rows[:7]] == ["CA", "ESA", "IS", "JSA", "PIP", "UC", "Total"]

    def test_one_figure_has_one_value(self, done: Published) -> None:
        totals = [
            {(row["area_level"], row["area"]): row["value"] for row in rows_of(done.out / "tables" / f"{name}.csv")
             if row[column] == "Total"}
            for name, column in zip(TABLES, ("benefit", "age_band", "sex", "duration_band"), strict=True)
        ]  # fmt: skip
        assert len(totals[0]) == 24 + 8 + 4 + 2
        assert all(one == totals[0] for one in totals)


class TestReview:
    def test_buckets_add_up_to_the_rows_read(self, city_done: Published) -> None:
        found = buckets(city_done.review)
        assert list(found) == [
            "counted", "not live on the date", "erased", "duplicate", "no area", "unknown code", "faulty",
        ]  # fmt: skip
        assert sum(found.values()) == 3_000 and min(found.values()) > 0

    def test_true_beside_published(self, done: Published) -> None:
        rows = rows_of(done.review / "true-beside-published-benefit.csv")
        published = rows_of(done.out / "tables" / "benefit.csv")
        assert [(row["area_level"], row["area"], row["benefit"], row["published"]) for row in rows] == [
            (row["area_level"], row["area"], row["benefit"], row["value"]) for row in published
        ]
        assert max(abs(int(row["true"]) - int(row["published"])) for row in rows) in (1, 2, 3, 4)
        towns = [int(row["true"]) for row in rows if row["area_level"] == "lad" and row["benefit"] == "Total"]
        assert sum(towns) == buckets(done.review)["counted"]

    def test_what_was_asked_and_what_was_found(self, city_done: Published) -> None:
        page = (city_done.review / "review.html").read_text(encoding="utf-8")
        assert "PRIVATE" in page and "controlled-rounding" in page
        assert rows_of(city_done.review / "posterior.csv") and rows_of(city_done.review / "utility.csv")

    def test_belongs_to_its_release(self, done: Published) -> None:
        summary = json.loads((done.review / "summary.json").read_text())
        assert summary["manifest_sha256"] == files(done.out)["manifest.json"]


class TestNoTrueCount:
    def test_published_values_are_multiples_of_the_base(self, done: Published) -> None:
        for name in TABLES:
            true = [int(row["true"]) for row in rows_of(done.review / f"true-beside-published-{name}.csv")]
            assert sum(count % 5 > 0 for count in true) > 50  # else the test below could not fail
            values = [int(row["value"]) for row in rows_of(done.out / "tables" / f"{name}.csv")]
            assert all(value % 5 == 0 for value in values)

    def test_pages_show_multiples_of_the_base(self, done: Published) -> None:
        cell = re.compile(r'<td class="[^"]*--numeric[^"]*">([^<]*)</td>')
        for page in (done.out / "tables").glob("*.html"):
            shown = [text.replace(",", "") for text in cell.findall(page.read_text(encoding="utf-8"))]
            figures = [int(text) for text in shown if text.isdigit()]
            assert len(figures) > 100 and all(figure % 5 == 0 for figure in figures), page.name

    def test_no_column_of_them(self, city_done: Published) -> None:
        for path in city_done.out.rglob("*"):
            if path.suffix == ".parquet":
                names = pq.read_schema(path).names
            elif path.suffix == ".csv":
                names = path.read_text(encoding="utf-8").split("\n", 1)[0].split(",")
            else:
                continue
            assert not [name for name in names if TRUE_WORDS.search(name)], path.name


class TestSameBytes:
    def test_twice(self, done: Published, tmp_path: Path) -> None:
        publish(done.source, tmp_path / "out")
        assert files(tmp_path / "out") == files(done.out)
        assert files(tmp_path / "out-review") == files(done.review)

    @pytest.mark.slow
    def test_city_twice_maps_and_all(self, city_done: Published, tmp_path: Path) -> None:
        publish(city_done.source, tmp_path / "out")
        assert files(tmp_path / "out") == files(city_done.out)

    def test_into_the_same_folder(self, release: Path, tmp_path: Path) -> None:
        one_table(release)
        publish(release, tmp_path / "out")
        before = files(tmp_path)
        publish(release, tmp_path / "out")
        assert files(tmp_path) == before

    def test_rows_in_another_order(self, done: Published, release: Path, tmp_path: Path) -> None:
        path = release.parent / "claims" / "claims.csv"
        table = pacsv.read_csv(path, parse_options=pacsv.ParseOptions(newlines_in_values=True))
        order = pa.array(range(len(table) - 1, -1, -1))
        pacsv.write_csv(table.take(order), path)
        self.same_figures(done, release, tmp_path)

    def test_split_over_files(self, done: Published, release: Path, tmp_path: Path) -> None:
        claims = release.parent / "claims" / "claims.csv"
        rows, columns = read_claims(release), tuple(read_claims(release)[0])
        for part in range(3):
            write_claims(release, rows[part::3], columns=columns).rename(claims.with_name(f"part-{part}.csv"))
        self.same_figures(done, release, tmp_path)

    @pytest.mark.parametrize("threads", [1, 2])
    def test_threads(self, done: Published, tmp_path: Path, threads: int) -> None:
        publish(done.source, tmp_path / "out", threads=threads)
        assert files(tmp_path / "out") == files(done.out)

    def test_parquet(self, done: Published, release: Path, tmp_path: Path) -> None:
        folder = release.parent / "claims"
        rows = read_claims(release)
        pq.write_table(pa.Table.from_pylist(rows), folder / "claims.parquet")
        (folder / "claims.csv").unlink()
        self.same_figures(done, release, tmp_path)

    def test_another_key_draws_otherwise(self, done: Published, release: Path, tmp_path: Path) -> None:
        (release.parent / "series.key").write_bytes(b"k" * 32)
        publish(release, tmp_path / "out")
        assert files(tmp_path / "out")["tables/sex.csv"] != files(done.out)["tables/sex.csv"]

    @staticmethod
    def same_figures(done: Published, release: Path, tmp_path: Path) -> None:
        """Everything published is the same but the manifest, which holds the fingerprints of the input files."""
        publish(release, tmp_path / "out")
        ours, first = files(tmp_path / "out"), files(done.out)
        assert ours.pop("manifest.json") != first.pop("manifest.json")
        assert ours == first


class TestCheck:
    def test_with_and_without_the_review_folder(self, done: Published) -> None:
        assert command("check", done.out).code == 0
        assert command("check", done.out, "--review-dir", done.review).code == 0

    def test_the_city(self, city_done: Published) -> None:
        audit = check_release(city_done.out, city_done.review)
        assert audit.safe and not audit.findings

    def test_a_changed_figure_is_found(self, done: Published, tmp_path: Path) -> None:
        shutil.copytree(done.out, tmp_path / "out")
        path = tmp_path / "out" / "tables" / "sex.csv"
        text = path.read_text()
        path.write_text(re.sub(r",F,(\d+),", lambda found: f",F,{int(found[1]) + 5},", text, count=1))
        ran = command("check", tmp_path / "out")
        assert ran.code == 1 and "tables/sex.csv" in ran.err


class TestOtherTables:
    def test_people_by_client_group(self, release: Path, tmp_path: Path) -> None:
        one_table(release, ["client_group"])
        change(release, release__population="people")
        publish(release, tmp_path / "out")
        found = buckets(tmp_path / "out-review")
        assert found["another claim of a person counted"] > 0 and sum(found.values()) == 600
        rows = rows_of(tmp_path / "out" / "tables" / "one.csv")
        towns = [row for row in rows if row["area_level"] == "lad"]
        for code in ("E08910000", "E08920000"):
            values = {row["client_group"]: int(row["value"]) for row in towns if row["area"] == code}
            assert values.pop("Total") == sum(values.values()) and len(values) == 5
        assert command("check", tmp_path / "out", "--review-dir", tmp_path / "out-review").code == 0

    def test_people_and_claims_of_a_person_with_two_benefits(self, release: Path, tmp_path: Path) -> None:
        rows = [claim(number) for number in range(48)]
        rows += [row | {"benefit": "PIP"} for row in rows[:10]]
        write_claims(release, rows)
        one_table(release, ["sex"])
        publish(release, tmp_path / "claims")
        change(release, release__population="people")
        publish(release, tmp_path / "people")
        assert buckets(tmp_path / "claims-review")["counted"] == 58
        assert buckets(tmp_path / "people-review")["counted"] == 48

    def test_totals_alone(self, release: Path, tmp_path: Path) -> None:
        one_table(release, [])
        publish(release, tmp_path / "out")
        rows = rows_of(tmp_path / "out" / "tables" / "one.csv")
        assert list(rows[0]) == ["area_level", "area", "value", "marker"] and len(rows) == 24 + 8 + 4 + 2
        assert command("check", tmp_path / "out", "--review-dir", tmp_path / "out-review").code == 0

    def test_crossing(self, release: Path, tmp_path: Path) -> None:
        one_table(release, ["age_band", "sex"])
        publish(release, tmp_path / "out")
        rows = rows_of(tmp_path / "out" / "tables" / "one.csv")
        assert len(rows) == (24 + 8 + 4 + 2) * (6 * 3 + 1)
        assert {(row["age_band"], row["sex"]) for row in rows if "Total" in (row["age_band"], row["sex"])} == {
            ("Total", "Total")
        }
        assert command("check", tmp_path / "out", "--review-dir", tmp_path / "out-review").code == 0

    def test_broad_bands(self, release: Path, tmp_path: Path) -> None:
        one_table(release, ["age_band"], bands={"age_band": "broad"})
        publish(release, tmp_path / "out")
        assert {row["age_band"] for row in rows_of(tmp_path / "out" / "tables" / "one.csv")} == {
            "Y16T24", "Y25T44", "Y45T64", "Y_GE65", "Total",
        }  # fmt: skip

    def test_end_exclusive_leaves_out_who_ends_on_the_date(self, release: Path, tmp_path: Path) -> None:
        ends = ("2026-05-30", "2026-05-31", "2026-06-01", "")
        write_claims(release, [claim(number, claim_end=ends[number % 4]) for number in range(48)])
        one_table(release)
        publish(release, tmp_path / "inclusive")
        change(release, claims__end="exclusive")
        publish(release, tmp_path / "exclusive")
        assert buckets(tmp_path / "inclusive-review")["counted"] == 36
        assert buckets(tmp_path / "exclusive-review")["counted"] == 24

    def test_columns_and_values_of_the_extract_s_own(self, done: Published, release: Path, tmp_path: Path) -> None:
        rows = read_claims(release)
        columns = ["Wohlfahrt" if name == "benefit" else name for name in rows[0]]
        for row in rows:
            row["Wohlfahrt"] = "U-Cred" if row["benefit"].strip() == "UC" else row["benefit"]
        write_claims(release, rows, columns=columns)
        change(release, claims__columns={"benefit": "Wohlfahrt"}, claims__values={"benefit": {"u-cred": "UC"}})
        TestSameBytes.same_figures(done, release, tmp_path)


class TestExceptions:
    def test_conventional_rounding_is_refused(self, release: Path, tmp_path: Path) -> None:
        one_table(release, ["benefit"])
        change(release, protection__method="conventional-rounding")
        with pytest.raises(Disclosure, match="nothing was published") as caught:
            publish(release, tmp_path / "out")
        assert caught.value.exit_code == 1 and caught.value.findings
        assert {path.name for path in tmp_path.iterdir()} == {"given"}

    def test_refused_even_where_no_count_is_small(self, release: Path, tmp_path: Path) -> None:
        """The method keeps no promise, whatever the counts of one quarter are."""
        write_claims(release, [claim(number, sex="F") for number in range(24 * 6)])
        change(one_table(release, []), protection__method="conventional-rounding")
        ran = command("publish", release, "--out", tmp_path / "out")
        assert ran.code == 1 and "method leaks" in ran.err and not (tmp_path / "out").exists()

    def test_an_exception_allows_it_and_is_printed(self, release: Path, tmp_path: Path) -> None:
        one_table(release, ["benefit"])
        self.excepted(release, "2027-06-30")
        ran = command("publish", release, "--out", tmp_path / "out")
        assert ran.code == 0, ran.err
        # The findings of the attack tell which true counts are small: they are for the reviewer.
        assert "pinned" in ran.err and "told in the review report" in ran.err and "nothing but a small" not in ran.err
        assert "nothing but a small" in (tmp_path / "out-review" / "review.html").read_text(encoding="utf-8")
        for page in ("index.html", "tables/one.html"):
            assert "does not keep the full promise" in (tmp_path / "out" / page).read_text(encoding="utf-8")
        assert "Chief statistician" in (tmp_path / "out-review" / "review.html").read_text(encoding="utf-8")
        assert json.loads((tmp_path / "out" / "manifest.json").read_text())["exceptions"] == [
            {"rule": "method leaks", "expires": "2027-06-30"}
        ]
        checked = command("check", tmp_path / "out", "--review-dir", tmp_path / "out-review")
        assert checked.code == 0 and "warning" in checked.err

    def test_an_exception_that_has_expired_does_not(self, release: Path, tmp_path: Path) -> None:
        self.excepted(release, "2026-11-16")
        with pytest.raises(InputError, match="expires on 2026-11-16, before publication"):
            publish(release, tmp_path / "out")

    @staticmethod
    def excepted(release: Path, expires: str) -> None:
        change(release, protection__method="conventional-rounding")
        exception = {"rule": "method leaks", "reason": "Asked for by users.", "owner": "Chief statistician"}
        change(release, exception=[exception | {"expires": expires}])


class TestRefused:
    def test_base_below_min_count(self, release: Path, tmp_path: Path) -> None:
        change(release, protection__base=3)
        with pytest.raises(Infeasible, match="min_count") as caught:
            publish(release, tmp_path / "out")
        assert caught.value.exit_code == 3 and caught.value.demands
        assert {path.name for path in tmp_path.iterdir()} == {"given"}

    def test_figures_already_public_that_give_counts_away(self, release: Path, tmp_path: Path) -> None:
        """Somebody published exact totals of two output areas of an LSOA; ours would pin small counts."""
        publish(one_table(release, ["benefit"]), tmp_path / "out")
        true = rows_of(tmp_path / "out-review" / "true-beside-published-one.csv")
        known = [row for row in true if row["area_level"] == "oa" and row["benefit"] != "Total"]
        lines = [
            "area_level,area,benefit,value",
            *(f"oa,{row['area']},{row['benefit']},{row['true']}" for row in known),
        ]
        (release.parent / "known.csv").write_text("\n".join(lines) + "\n")
        change(release, already_public=[{"path": "known.csv"}], series__id="another")
        with pytest.raises(Disclosure):
            publish(release, tmp_path / "other")
        assert not (tmp_path / "other").exists()

    def test_figures_already_public_that_fit(self, release: Path, tmp_path: Path) -> None:
        one_table(release, ["sex"])
        publish(release, tmp_path / "first")
        true = rows_of(tmp_path / "first-review" / "true-beside-published-one.csv")
        (lad,) = (int(row["true"]) for row in true if (row["area"], row["sex"]) == ("E08910000", "Total"))
        (release.parent / "known.csv").write_text(
            f"area_level,area,sex,value\nlad,E08910000,Total,{(lad + 5) // 10 * 10}\n"
        )
        change(release, already_public=[{"path": "known.csv", "base": 10}], series__id="another")
        publish(release, tmp_path / "out")

    def test_old_release_stays_when_the_new_one_is_refused(self, release: Path, tmp_path: Path) -> None:
        one_table(release, ["benefit"])
        publish(release, tmp_path / "out")
        before = files(tmp_path / "out") | files(tmp_path / "out-review")
        change(release, protection__method="conventional-rounding")
        assert command("publish", release, "--out", tmp_path / "out").code == 1
        assert files(tmp_path / "out") | files(tmp_path / "out-review") == before


def test_a_release_at_another_place_with_its_own_review_folder(place: Path, tmp_path: Path) -> None:
    release = one_table(copied(place, tmp_path / "given"), [])
    done = publish(release, tmp_path / "a" / "b" / "out", review=tmp_path / "c" / "pack")
    assert done.release.is_dir() and (tmp_path / "c" / "pack" / "review.html").exists()
    assert not (tmp_path / "a" / "b" / "out-review").exists()
