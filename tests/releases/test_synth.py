"""`smallarea synth`: extracts that publish takes unchanged, on a made-up city, a country, or areas given."""

import csv
import tomllib
from collections import Counter
from pathlib import Path

import geopandas as gpd
import pytest
from small_place import AREAS, buckets, change, command, files, lookup_rows, make_place, one_table, rows_of

from claimants.dictionary import shipped_dictionary
from common.faults import InputError
from releases.publish.pipeline import publish
from releases.publish.releasefile import read_release
from releases.synth.making import SynthOptions, synthesise


@pytest.fixture
def lookup(tmp_path: Path) -> Path:
    (tmp_path / "lookup.csv").write_text("\n".join(lookup_rows()) + "\n")
    return tmp_path / "lookup.csv"


def refused(**options: object) -> str:
    out = options["out"]
    assert isinstance(out, Path)
    before = set(out.parent.rglob("*"))
    with pytest.raises(InputError) as caught:
        synthesise(SynthOptions(**options))  # type: ignore[arg-type]
    assert set(out.parent.rglob("*")) == before
    return str(caught.value)


class TestConsent:
    def test_other_columns_and_buckets_are_the_same_without(self, tmp_path: Path) -> None:
        plain, _ = synthesise(SynthOptions(out=tmp_path / "plain", size=900))
        told, _ = synthesise(SynthOptions(out=tmp_path / "told", size=900, consent=True))
        assert plain.buckets == told.buckets
        own, more = (rows_of(tmp_path / name / "claims" / "claims.csv") for name in ("plain", "told"))
        assert [dict(list(row.items())[: len(own[0])]) for row in more] == own
        assert {field for field in set(more[0]) - set(own[0])} <= set(shipped_dictionary().fields)

    def test_rows_of_a_person_tell_one_form(self, tmp_path: Path) -> None:
        synthesise(SynthOptions(out=tmp_path / "told", size=2_000, consent=True))
        forms: dict[str, set[str]] = {}
        rows = rows_of(tmp_path / "told" / "claims" / "claims.csv")
        for row in rows:
            forms.setdefault(row["person_reference"], set()).add(row["consent_form"])
        assert len(rows) > len(forms) and all(len(told) == 1 for told in forms.values())

    @pytest.mark.parametrize("form", ["csv", "parquet"])
    def test_publish_takes_it_unchanged_and_counts_by_consent(self, tmp_path: Path, form: str) -> None:
        made, _ = synthesise(SynthOptions(out=tmp_path / "city", size=4_000, format=form, consent=True))
        publish(change(tmp_path / "city" / "RELEASE.toml", geography__boundary=[]), tmp_path / "out")
        review = tmp_path / "out-review"
        assert buckets(review) == made.buckets
        rows = rows_of(review / "true-beside-published-drugs.csv")
        assert {row["area_level"] for row in rows} == {"lad", "rgn", "ctry"}
        told: Counter[str] = Counter()
        for row in (row for row in rows if row["area_level"] == "lad"):
            told[row["drugs_marker"]] += int(row["true"])
        assert told["Y"] + told["N"] + told["U"] == told["Total"] == made.buckets["counted"]
        assert 0 < told["Y"] < told["U"] and 0 < told["N"] < told["U"]

    def test_areas_without_authorities_are_refused(self, lookup: Path, tmp_path: Path) -> None:
        said = refused(out=tmp_path / "made", size=100, areas=lookup, nest=("oa21cd", "lsoa21cd"), consent=True)
        assert said.startswith("--consent: makes a table for local authorities")


class TestCity:
    def test_folder(self, city: Path) -> None:
        assert set(files(city.parent)) == {
            "RELEASE.toml", "series.key", "claims/claims.csv",
            "geography/lookup.csv", "geography/postcodes.csv", "geography/boundaries.gpkg",
        }  # fmt: skip
        assert (city.parent / "series.key").stat().st_mode & 0o777 == 0o600

    def test_release_file_is_whole_and_says_that_all_is_made_up(self, city: Path) -> None:
        release = read_release(city)
        assert [boundary.level for boundary in release.geography.boundary][:3] == ["oa", "lsoa", "msoa"]
        assert "describe nobody" in release.release.source and release.release.publication.isoweekday() == 2

    def test_same_seed_same_bytes_but_for_the_key(self, city: Path, tmp_path: Path) -> None:
        synthesise(SynthOptions(out=tmp_path / "again", size=3_000, seed=5))
        ours, first = files(tmp_path / "again"), files(city.parent)
        assert ours.pop("series.key") != first.pop("series.key")
        assert ours == first
        assert len((tmp_path / "again" / "series.key").read_bytes().strip()) == 96

    def test_another_seed_other_bytes(self, city: Path, tmp_path: Path) -> None:
        synthesise(SynthOptions(out=tmp_path / "other", size=3_000, seed=6))
        assert files(tmp_path / "other")["claims/claims.csv"] != files(city.parent)["claims/claims.csv"]

    def test_buckets_are_those_that_publish_finds(self, tmp_path: Path) -> None:
        made, _ = synthesise(SynthOptions(out=tmp_path / "city", size=700))
        release = one_table(change(tmp_path / "city" / "RELEASE.toml", geography__boundary=[]), ["sex"])
        publish(release, tmp_path / "out")
        assert buckets(tmp_path / "out-review") == dict(made.buckets)


class TestGiven:
    def test_levels_by_the_names_of_columns(self, place: Path) -> None:
        levels = read_release(place).geography.level
        assert [(level.name, level.code, level.label) for level in levels] == [
            ("oa", "oa21cd", ""), ("lsoa", "lsoa21cd", ""), ("msoa", "msoa21cd", "msoa21nm"), ("lad", "lad22cd", "lad22nm"),
        ]  # fmt: skip
        assert levels[2].plural == "middle layer super output areas"

    def test_levels_by_nest(self, lookup: Path, tmp_path: Path) -> None:
        options = SynthOptions(out=tmp_path / "made", size=200, areas=lookup, nest=("oa21cd", "lad22cd"))
        synthesise(options)
        assert [level.name for level in read_release(tmp_path / "made" / "RELEASE.toml").geography.level] == [
            "oa",
            "lad",
        ]

    def test_title_names_the_place(self, place: Path) -> None:
        assert read_release(place).release.title == "Benefit claims in small areas of Town 1 and Town 2, May 2026"

    def test_without_postcodes_claims_carry_output_areas(self, lookup: Path, tmp_path: Path) -> None:
        made, _ = synthesise(SynthOptions(out=tmp_path / "made", size=300, areas=lookup))
        rows = rows_of(tmp_path / "made" / "claims" / "claims.csv")
        assert "postcode" not in rows[0] and {row["output_area"].strip().upper() for row in rows} <= {*AREAS, ""}
        publish(one_table(tmp_path / "made" / "RELEASE.toml"), tmp_path / "out")
        assert buckets(tmp_path / "out-review")["counted"] == made.buckets["counted"]

    def test_files_and_parquet(self, tmp_path: Path) -> None:
        release = make_place(tmp_path / "place", format="parquet", files=3)
        assert len(list((release.parent / "claims").glob("*.parquet"))) == 3
        publish(one_table(release), tmp_path / "out")
        assert sum(buckets(tmp_path / "out-review").values()) == 600

    def test_country(self, tmp_path: Path) -> None:
        synthesise(SynthOptions(out=tmp_path / "country", size=500, country=400))
        assert len(rows_of(tmp_path / "country" / "geography" / "lookup.csv")) == 400
        assert read_release(tmp_path / "country" / "RELEASE.toml").geography.boundary == ()


class TestBoundaries:
    def made(self, city: Path, tmp_path: Path, *boundaries: tuple[str, Path]) -> list[dict[str, object]]:
        given = city.parent / "geography"
        synthesise(
            SynthOptions(
                out=tmp_path / "made",
                size=100,
                areas=given / "lookup.csv",
                postcodes=given / "postcodes.csv",
                boundaries=boundaries,
                attribution="Ours",
            )
        )
        text = (tmp_path / "made" / "RELEASE.toml").read_text()
        return list(tomllib.loads(text)["geography"]["boundary"])

    def test_layer_and_column_are_found(self, city: Path, tmp_path: Path) -> None:
        package = city.parent / "geography" / "boundaries.gpkg"
        one, two = self.made(city, tmp_path, ("lsoa", package), ("lad", package))
        assert (one["level"], one["layer"], one["code"], one["attribution"]) == ("lsoa", "lsoa", "code", "Ours")
        assert (two["level"], two["layer"]) == ("lad", "lad")
        assert (tmp_path / "made" / str(one["path"])).resolve() == package.resolve()

    def test_files_of_one_level_stand_together(self, city: Path, tmp_path: Path) -> None:
        """As of two neighbouring authorities, each with its own file, in any order of options."""
        frame = gpd.read_file(city.parent / "geography" / "boundaries.gpkg", layer="lad")
        frame.iloc[:1].to_file(tmp_path / "west.geojson")
        frame.iloc[1:].to_file(tmp_path / "east.geojson")
        package = city.parent / "geography" / "boundaries.gpkg"
        west, east = ("lad", tmp_path / "west.geojson"), ("lad", tmp_path / "east.geojson")
        one, two = self.made(city, tmp_path, west, ("msoa", package), east)
        assert one["path"] == ["../west.geojson", "../east.geojson"] and two["level"] == "msoa"
        publish(one_table(tmp_path / "made" / "RELEASE.toml", []), tmp_path / "out")
        assert len(gpd.read_parquet(tmp_path / "out" / "areas" / "lad.parquet")) == len(frame)

    def test_columns_of_one_level_must_agree(self, city: Path, tmp_path: Path) -> None:
        frame = gpd.read_file(city.parent / "geography" / "boundaries.gpkg", layer="lad")
        frame.iloc[:1].to_file(tmp_path / "west.geojson")
        frame.iloc[1:].rename(columns={"code": "LAD22CD"}).to_file(tmp_path / "east.geojson")
        with pytest.raises(InputError, match="another layer or column than west"):
            self.made(city, tmp_path, ("lad", tmp_path / "west.geojson"), ("lad", tmp_path / "east.geojson"))

    def test_faults_are_told_together(self, city: Path, tmp_path: Path) -> None:
        (tmp_path / "text.geojson").write_text("no boundary")
        gpd.GeoDataFrame({"code": ["X"]}, geometry=gpd.points_from_xy([0], [0]), crs=27700).to_file(
            tmp_path / "x.geojson"
        )
        with pytest.raises(InputError) as caught:
            self.made(
                city,
                tmp_path,
                ("ward", tmp_path / "x.geojson"),
                ("oa", tmp_path / "none.gpkg"),
                ("lsoa", tmp_path / "text.geojson"),
                ("msoa", tmp_path / "x.geojson"),
            )
        said = str(caught.value).splitlines()
        assert [part for part in ("no level", "no such file", "cannot be read", "no column") if part in "\n".join(said)] == [
            "no level", "no such file", "cannot be read", "no column",
        ]  # fmt: skip
        assert not (tmp_path / "made").exists()


class TestMatch:
    def counts(self, tmp_path: Path, column: str = "lsoa21cd", **values: str) -> Path:
        codes = sorted({row.split(",")[1] for row in lookup_rows()[1:]})
        lines = [f"period,{column},value"]
        for number, code in enumerate(codes):
            lines += [f"2025-12,{code},{values.get(code, str(5 * number))}", f"2025-11,{code},999"]
        (tmp_path / "counts.csv").write_text("\n".join(lines) + "\n")
        return tmp_path / "counts.csv"

    def test_sums_equal_the_published_counts(self, lookup: Path, tmp_path: Path) -> None:
        path = self.counts(tmp_path)
        made, _ = synthesise(
            SynthOptions(out=tmp_path / "made", areas=lookup, match=path, where=(("period", "2025-12"),))
        )
        assert made.buckets["counted"] == sum(5 * number for number in range(8))
        publish(one_table(tmp_path / "made" / "RELEASE.toml"), tmp_path / "out")
        true = rows_of(tmp_path / "out-review" / "true-beside-published-one.csv")
        lsoas = [int(row["true"]) for row in true if row["area_level"] == "lsoa" and row["sex"] == "Total"]
        assert lsoas == [5 * number for number in range(8)]

    def test_both_periods_at_once(self, lookup: Path, tmp_path: Path) -> None:
        assert "has two values" in refused(out=tmp_path / "made", areas=lookup, match=self.counts(tmp_path))

    @pytest.mark.parametrize("value", ["-5", "2.5", "", "many"])
    def test_values_that_are_no_counts(self, lookup: Path, tmp_path: Path, value: str) -> None:
        path = self.counts(tmp_path, E01911100=value)
        said = refused(out=tmp_path / "made", areas=lookup, match=path, where=(("period", "2025-12"),))
        assert "is no whole number" in said and "counts.csv" in said

    def test_columns(self, lookup: Path, tmp_path: Path) -> None:
        path = self.counts(tmp_path, column="ward")
        said = refused(out=tmp_path / "made", areas=lookup, match=path, where=(("month", "2025-12"),))
        assert "no column holds area codes" in said and "column 'month'" in said

    def test_areas_that_have_no_value(self, lookup: Path, tmp_path: Path) -> None:
        path = self.counts(tmp_path)
        lines = path.read_text().splitlines()
        path.write_text("\n".join(line for line in lines if "E01911100" not in line) + "\n")
        said = refused(out=tmp_path / "made", areas=lookup, match=path, where=(("period", "2025-12"),))
        assert "area E01911100 has no value" in said


class TestOptions:
    @pytest.mark.parametrize(
        ("options", "words"),
        [
            ({}, "either --size or --match"),
            ({"size": 0}, "makes nothing"),
            ({"size": 5, "nest": ("oa21cd",)}, "--nest says something about given areas"),
            ({"size": 5, "boundaries": (("oa", Path("a")),)}, "--boundary says something about given areas"),
            ({"size": 5, "country": 5, "areas": Path("a.csv")}, "exclude each other"),
            ({"match": Path("counts.csv")}, "--match needs the areas"),
        ],
    )
    def test_that_do_not_go_together(self, tmp_path: Path, options: dict[str, object], words: str) -> None:
        assert words in refused(out=tmp_path / "made", **options)

    def test_folder_in_use(self, tmp_path: Path) -> None:
        (tmp_path / "made").mkdir()
        (tmp_path / "made" / "thesis.txt").write_text("years of work")
        assert "is there and not empty" in refused(out=tmp_path / "made", size=5)

    def test_folder_that_is_missing_above(self, lookup: Path, tmp_path: Path) -> None:
        synthesise(SynthOptions(out=tmp_path / "a" / "b" / "made", size=50, areas=lookup))
        assert read_release(tmp_path / "a" / "b" / "made" / "RELEASE.toml").geography.lookup.exists()

    def test_nest_of_columns_that_are_not_there(self, lookup: Path, tmp_path: Path) -> None:
        assert "column 'ward'" in refused(out=tmp_path / "made", size=5, areas=lookup, nest=("oa21cd", "ward"))

    def test_lookup_that_is_missing(self, tmp_path: Path) -> None:
        assert "none.csv" in refused(out=tmp_path / "made", size=5, areas=tmp_path / "none.csv")


def test_command(lookup: Path, tmp_path: Path) -> None:
    ran = command("synth", "--size", 120, "--areas", lookup, "--out", tmp_path / "made", "--format", "parquet")
    assert ran.code == 0 and "Made 120 claims" in ran.out and "smallarea publish" in ran.out
    told = command("synth", "--size", 120, "--areas", lookup, "--out", tmp_path / "two", "--json").plain
    assert sorted(told["written"]) == sorted(str(path) for path in (tmp_path / "two").rglob("*") if path.is_file())  # type: ignore[type-var, arg-type]


def test_people_stand_behind_several_claims(place: Path) -> None:
    with (place.parent / "claims" / "claims.csv").open(encoding="utf-8", newline="") as file:
        persons = Counter(row["person_reference"] for row in csv.DictReader(file))
    assert max(persons.values()) > 1
