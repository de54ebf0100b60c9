"""Everything that can be wrong in what `publish` is given: told plainly, all of a file at once, and nothing written."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import geopandas as gpd
import pytest
from conftest import Published
from small_place import (
    AREAS,
    COLUMNS,
    POSTCODES,
    buckets,
    change,
    claim,
    command,
    copied,
    files,
    lookup_rows,
    one_table,
    read_claims,
    write_claims,
)

from releases.publish.pipeline import publish


def refused(release: Path, out: Path | None = None) -> list[str]:
    """Publish, which must fail with exit code 2, leave nothing behind and tell no traceback; the lines it says."""
    out = release.parent.parent.parent / "out" if out is None else out
    before = files(out.parent) if out.parent.exists() else {}
    ran = command("publish", release, "--out", out)
    assert ran.code == 2, ran.out + ran.err
    assert ran.out == "" and "Traceback" not in ran.err
    assert (files(out.parent) if out.parent.exists() else {}) == before
    lines = ran.err.splitlines()
    assert lines and all("; " in line for line in lines)
    return lines


def lookup(release: Path) -> Path:
    return release.parent.parent / "lookup.csv"


def spoil(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


class TestFiles:
    def test_missing_extract(self, release: Path) -> None:
        shutil.rmtree(release.parent / "claims")
        (line,) = refused(release)
        assert "no file of claims is here" in line

    def test_missing_lookup(self, release: Path) -> None:
        lookup(release).unlink()
        assert "lookup.csv" in refused(release)[0]

    def test_missing_postcodes_and_boundary_at_once(self, release: Path) -> None:
        (release.parent.parent / "postcodes.csv").unlink()
        change(release, geography__boundary=[{"level": "oa", "path": "oa.gpkg", "code": "code", "attribution": "Ours"}])
        lines = refused(release)
        assert len(lines) == 2 and "postcodes.csv" in lines[0] and "oa.gpkg" in lines[1]

    def test_missing_figures_already_public(self, release: Path) -> None:
        change(one_table(release), already_public=[{"path": "known.csv"}])
        assert "known.csv" in refused(release)[0]

    def test_folder_without_files(self, release: Path) -> None:
        (release.parent / "claims" / "claims.csv").unlink()
        assert "no file of claims is here" in refused(release)[0]

    def test_unreadable_extract_as_another_user(self, release: Path) -> None:
        if os.geteuid() != 0:
            pytest.skip("only root can become another user")
        with tempfile.TemporaryDirectory() as name:
            given = Path(name) / "given"
            shutil.copytree(release.parent.parent, given)
            for path in (Path(name), *given.rglob("*")):
                path.chmod(0o755 if path.is_dir() else 0o644)
            (given / "source" / "claims" / "claims.csv").chmod(0o600)
            (Path(name) / "place").mkdir(mode=0o777)
            (Path(name) / "place").chmod(0o777)
            os.seteuid(65534)
            try:
                ran = command("publish", given / "source" / "RELEASE.toml", "--out", Path(name) / "place" / "out")
            finally:
                os.seteuid(0)
            assert ran.code == 2 and "claims.csv: cannot be read" in ran.err
            assert list((Path(name) / "place").iterdir()) == []

    @pytest.mark.parametrize("name", ["claims", "lookup", "postcodes"])
    def test_empty(self, release: Path, name: str) -> None:
        path = {"claims": release.parent / "claims" / "claims.csv", "lookup": lookup(release)}.get(
            name, release.parent.parent / "postcodes.csv"
        )
        path.write_bytes(b"")
        assert "empty" in refused(release)[0] and name in refused(release)[0]

    def test_header_alone(self, release: Path) -> None:
        write_claims(release, [])
        assert "the extract has no rows" in refused(release)[0]


class TestColumns:
    def test_missing_columns_are_told_together(self, release: Path) -> None:
        rows = read_claims(release)
        write_claims(release, rows, columns=[name for name in COLUMNS if name not in ("benefit", "sex", "birth_date")])
        lines = refused(release)
        assert len(lines) == 3
        assert all(
            f"column '{name}': the column is missing" in "\n".join(lines) for name in ("benefit", "sex", "birth_date")
        )

    def test_only_columns_that_a_table_needs_are_missed(self, release: Path) -> None:
        rows = read_claims(release)
        write_claims(release, rows, columns=[name for name in COLUMNS if name not in ("sex", "notes", "address")])
        publish(one_table(release, ["benefit"]), release.parent.parent.parent / "out")

    def test_missing_column_of_the_lookup(self, release: Path) -> None:
        spoil(lookup(release), "msoa21cd,", "msoa,")
        (line,) = refused(release)
        assert "lookup.csv" in line and "msoa21cd" in line

    def test_a_column_twice(self, release: Path) -> None:
        path = release.parent / "claims" / "claims.csv"
        spoil(path, '"notes"', '"sex"')
        assert "stands there twice" in refused(release)[0]

    def test_field_that_no_extract_has(self, release: Path) -> None:
        change(release, claims__columns={"shoe_size": "size"})
        assert "'shoe_size' is no field of an extract" in refused(release)[0]

    def test_value_for_a_code_that_no_list_has(self, release: Path) -> None:
        change(release, claims__values={"benefit": {"Dole": "XYZ"}})
        assert "'XYZ' is not in the code list" in refused(release)[0]


class TestEncoding:
    def french(self, release: Path, encoding: str) -> list[dict[str, str]]:
        rows = [claim(number, surname="Lefèvre") for number in range(60)]
        write_claims(release, rows, encoding=encoding)
        return rows

    def test_windows_1252(self, release: Path) -> None:
        self.french(release, "cp1252")
        (line,) = refused(release)
        assert "row 2" in line and "Windows-1252" in line and "Lef" not in line

    def test_windows_1252_that_is_declared(self, release: Path, tmp_path: Path) -> None:
        self.french(release, "cp1252")
        publish(change(one_table(release), claims__encoding="windows-1252"), tmp_path / "out")
        assert buckets(tmp_path / "out-review")["counted"] == 60

    def test_utf_16(self, release: Path) -> None:
        self.french(release, "utf-16")
        assert "UTF-16" in refused(release)[0]

    @pytest.mark.parametrize("encoding", ["cp1252", "utf-16"])
    def test_of_the_lookup(self, release: Path, encoding: str) -> None:
        text = lookup(release).read_text().replace("Place 11", "Plàce 11")
        lookup(release).write_text(text, encoding=encoding)
        line = refused(release)[0]
        assert "lookup.csv" in line and ("Windows-1252" if encoding == "cp1252" else "UTF-16") in line

    def test_an_encoding_that_is_not_known(self, release: Path) -> None:
        change(release, claims__encoding="ebcdic")
        assert "encoding (ebcdic) must be one of" in refused(release)[0]

    def test_byte_order_marks_change_nothing(self, done: Published, release: Path, tmp_path: Path) -> None:
        for path in (
            release.parent / "claims" / "claims.csv",
            lookup(release),
            release.parent.parent / "postcodes.csv",
        ):
            path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
        publish(release, tmp_path / "out")
        assert files(tmp_path / "out")["tables/benefit.csv"] == files(done.out)["tables/benefit.csv"]


class TestRows:
    """A row that is wrong goes into a bucket and is told there; the release goes on without it."""

    GOOD = 48

    def counted(self, release: Path, tmp_path: Path, *rows: dict[str, str]) -> dict[str, int]:
        good = [claim(number) for number in range(self.GOOD)]
        write_claims(release, [*good, *rows])
        change(
            release,
            table=[{"id": "age", "title": "Age", "by": ["age_band"]}, {"id": "sex", "title": "Sex", "by": ["sex"]}],
        )
        ran = command("publish", release, "--out", tmp_path / "out")
        assert ran.code == 0, ran.err
        found = buckets(tmp_path / "out-review")
        assert sum(found.values()) == self.GOOD + len(rows)
        assert found["counted"] == self.GOOD
        return {name: number for name, number in found.items() if number and name != "counted"}

    def test_duplicate_rows(self, release: Path, tmp_path: Path) -> None:
        copy = claim(3)
        assert self.counted(release, tmp_path, copy, copy, copy | {"surname": "Other"}) == {"duplicate": 3}

    def test_unknown_benefit(self, release: Path, tmp_path: Path) -> None:
        rows = [claim(900 + number, benefit=text) for number, text in enumerate(("XX", "", "Universal  Credits"))]
        assert self.counted(release, tmp_path, *rows) == {"unknown code": 3}

    def test_unknown_sex_and_blank_age(self, release: Path, tmp_path: Path) -> None:
        rows = [claim(900, sex="Q"), claim(901, birth_date=""), claim(902, birth_date="2015-01-01")]
        assert self.counted(release, tmp_path, *rows) == {"unknown code": 3}

    def test_impossible_dates(self, release: Path, tmp_path: Path) -> None:
        texts = ("2026-02-30", "2026-13-01", "31/01/2026", "soon", "")
        rows = [claim(900 + number, claim_start=text) for number, text in enumerate(texts)]
        rows += [
            claim(920, claim_end="2027-02-29"),
            claim(921, birth_date="1980-00-10"),
            claim(922, birth_date="2026-06-01"),
        ]
        assert self.counted(release, tmp_path, *rows) == {"faulty": 8}

    def test_end_before_start(self, release: Path, tmp_path: Path) -> None:
        assert self.counted(release, tmp_path, claim(900, claim_end="2026-01-04")) == {"faulty": 1}

    def test_no_person(self, release: Path, tmp_path: Path) -> None:
        assert self.counted(release, tmp_path, claim(900, person_reference="  ")) == {"faulty": 1}

    def test_postcodes_that_do_not_exist_or_are_blank(self, release: Path, tmp_path: Path) -> None:
        rows = [
            claim(900 + number, postcode=text) for number, text in enumerate(("ZZ99 9ZZ", "", " ", "nowhere", "ZY10"))
        ]
        assert self.counted(release, tmp_path, *rows) == {"no area": 5}

    def test_not_live(self, release: Path, tmp_path: Path) -> None:
        rows = [claim(900, claim_start="2026-06-01"), claim(901, claim_end="2026-05-30")]
        assert self.counted(release, tmp_path, *rows) == {"not live on the date": 2}

    def test_erased(self, release: Path, tmp_path: Path) -> None:
        erased = claim(900, surname="DELETED", forename="DELETED", birth_date="01/01/1901", status="Inactive",
                       employment_status="Not Known")  # fmt: skip
        assert self.counted(release, tmp_path, erased) == {"erased": 1}

    def test_odd_spacing_and_case_of_postcodes(self, release: Path, tmp_path: Path) -> None:
        tidy = [claim(number) for number in range(48)]
        write_claims(release, tidy)
        publish(one_table(release), tmp_path / "tidy")
        for number, row in enumerate(tidy):
            text = row["postcode"]
            row["postcode"] = (text.lower(), text.replace(" ", ""), f"  {text} ", text.replace(" ", "   "))[number % 4]
        write_claims(release, tidy)
        publish(release, tmp_path / "odd")
        assert buckets(tmp_path / "odd-review")["counted"] == 48
        assert files(tmp_path / "odd")["tables/one.csv"] == files(tmp_path / "tidy")["tables/one.csv"]

    def test_rows_of_another_width(self, release: Path) -> None:
        path = write_claims(release, [claim(number) for number in range(48)])
        with path.open("a") as file:
            file.write("P1,Somebody\n")
        (line,) = refused(release)
        assert "row 50" in line and "2 fields where the header has 15" in line and "Somebody" not in line


class TestAreas:
    def test_area_with_two_parents(self, release: Path) -> None:
        with lookup(release).open("a") as file:
            file.write(lookup_rows()[1].replace("E01911100", "E01911200") + "\n")
        lines = refused(release)
        assert any(AREAS[0] in line and "row 26" in line for line in lines)

    def test_lsoa_with_two_parents(self, release: Path) -> None:
        spoil(lookup(release), "E01911100,E02911000,Place 11", "E01911100,E02912000,Place 12")
        assert any("E01911100" in line for line in refused(release))

    def test_overlapping_levels(self, release: Path) -> None:
        """One code on two levels."""
        text = lookup(release).read_text()
        lookup(release).write_text(text.replace("E02911000", "E01911100"))
        assert any("E01911100" in line for line in refused(release))

    def test_gap(self, release: Path) -> None:
        spoil(lookup(release), "E02911000,Place 11", ",")
        assert any("row 2" in line and "msoa21cd" in line for line in refused(release))

    def test_output_area_of_the_extract_that_the_lookup_lacks(self, release: Path) -> None:
        rows = [claim(number, output_area=AREAS[number % 24]) for number in range(40)]
        rows.append(claim(100, output_area="E00000001"))
        rows.append(claim(101, output_area="12 Marton Road"))
        write_claims(release, rows, columns=(*COLUMNS, "output_area"))
        lines = refused(change(release, geography__postcodes=None))
        assert len(lines) == 2 and "area E00000001 is not in the lookup" in lines[0]
        assert "1 different values have not the form of an area code" in lines[1] and "Marton" not in lines[1]

    def test_postcode_in_two_areas(self, release: Path) -> None:
        with (release.parent.parent / "postcodes.csv").open("a") as file:
            file.write(f"{POSTCODES[AREAS[0]][0]},{AREAS[5]}\n")
        assert any("postcodes.csv" in line for line in refused(release))

    def test_postcodes_without_an_area_are_told(self, release: Path, tmp_path: Path) -> None:
        with (release.parent.parent / "postcodes.csv").open("a") as file:
            file.write("ZY99 9AA,\nZY99 9AB,E00999999\n")
        notices = publish(one_table(release), tmp_path / "out").notices
        assert any("1 postcodes without an area" in notice for notice in notices)
        assert any("1 postcodes in areas that the area lookup lacks" in notice for notice in notices)


class TestBoundaries:
    @pytest.fixture
    def lad(self, city: Path, tmp_path: Path) -> tuple[Path, gpd.GeoDataFrame, Path]:
        """The city with boundaries of its two authorities alone, those boundaries, and the folder they go to."""
        release = one_table(Path(shutil.copytree(city.parent, tmp_path / "given" / "city")) / "RELEASE.toml", [])
        frame = gpd.read_file(city.parent / "geography" / "boundaries.gpkg", layer="lad")
        return release, frame, release.parent / "geography"

    def level(self, release: Path, *paths: str) -> Path:
        boundary = {"level": "lad", "path": list(paths), "code": "code", "attribution": "Boundaries made up"}
        return change(release, geography__boundary=[boundary])

    def test_boundary_without_code(self, lad: tuple[Path, gpd.GeoDataFrame, Path]) -> None:
        release, frame, folder = lad
        frame.loc[1, "code"] = ""
        frame.to_file(folder / "lad.geojson")
        lines = refused(self.level(release, "geography/lad.geojson"))
        assert any("a boundary without a code" in line and "row 2" in line for line in lines)

    def test_area_without_boundary_and_boundary_without_area(self, lad: tuple[Path, gpd.GeoDataFrame, Path]) -> None:
        release, frame, folder = lad
        lost = frame.loc[1, "code"]
        frame.loc[1, "code"] = "E08999999"
        frame.to_file(folder / "lad.geojson")
        lines = refused(self.level(release, "geography/lad.geojson"))
        assert len(lines) == 2
        assert any("E08999999" in line for line in lines) and any(str(lost) in line for line in lines)

    def test_two_boundaries_of_one_area(self, lad: tuple[Path, gpd.GeoDataFrame, Path]) -> None:
        release, frame, folder = lad
        frame.to_file(folder / "one.geojson")
        frame.iloc[:1].to_file(folder / "two.geojson")
        assert (
            "a second boundary of one area"
            in refused(self.level(release, "geography/one.geojson", "geography/two.geojson"))[0]
        )

    def test_mixed_crs(self, lad: tuple[Path, gpd.GeoDataFrame, Path], tmp_path: Path) -> None:
        """Each file has its own; all come out on one grid."""
        release, frame, folder = lad
        frame.iloc[:1].to_crs("EPSG:4326").to_file(folder / "one.geojson")
        frame.iloc[1:].to_crs("EPSG:3857").to_file(folder / "two.gpkg")
        publish(self.level(release, "geography/one.geojson", "geography/two.gpkg"), tmp_path / "out")
        there = gpd.read_parquet(tmp_path / "out" / "areas" / "lad.parquet")
        assert there.crs.to_epsg() == 27700
        assert list(there.area / frame.area) == pytest.approx([1, 1], rel=0.01)
        assert there.centroid.distance(frame.centroid).max() < 20

    def test_no_crs(self, lad: tuple[Path, gpd.GeoDataFrame, Path]) -> None:
        release, frame, folder = lad
        frame.set_crs(None, allow_override=True).to_parquet(folder / "lad.parquet")
        assert "coordinate reference system" in refused(self.level(release, "geography/lad.parquet"))[0]

    def test_no_boundary_file_at_all(self, lad: tuple[Path, gpd.GeoDataFrame, Path]) -> None:
        release, _, folder = lad
        (folder / "lad.geojson").write_text("not a boundary")
        assert "cannot be read as boundaries" in refused(self.level(release, "geography/lad.geojson"))[0]


class TestAlreadyPublic:
    @pytest.mark.parametrize("value", ["-5", "2.5", "1e3", "five", "99999999999999999999999"])
    def test_values_that_are_no_counts(self, release: Path, value: str) -> None:
        (release.parent / "known.csv").write_text(f"area_level,area,value\nlad,E08910000,{value}\n")
        change(one_table(release), already_public=[{"path": "known.csv"}])
        (line,) = refused(release)
        assert "known.csv, row 2, column 'value'" in line

    def test_areas_and_categories_that_no_table_has(self, release: Path) -> None:
        rows = ("lad,E08999999,Total,5", "ward,E05000001,Total,5", "lad,E08910000,X,5")
        (release.parent / "known.csv").write_text("\n".join(("area_level,area,sex,value", *rows)) + "\n")
        change(one_table(release), already_public=[{"path": "known.csv"}])
        lines = refused(release)
        assert [row for line in lines for row in re.findall(r"row \d+", line)] == ["row 2", "row 3"]
        assert any("different categories of sex" in line and "[[recode]]" in line for line in lines)

    def test_missing_column(self, release: Path) -> None:
        (release.parent / "known.csv").write_text("area_level,area\nlad,E08910000\n")
        change(one_table(release), already_public=[{"path": "known.csv"}])
        assert "column 'value'" in refused(release)[0]

    def test_rows_that_are_too_short(self, release: Path) -> None:
        (release.parent / "known.csv").write_text("area_level,area,sex,value\nlad,E08910000\n")
        change(one_table(release), already_public=[{"path": "known.csv"}])
        assert "row 2" in refused(release)[0]


class TestFolders:
    def test_something_else_than_a_release(self, release: Path, tmp_path: Path) -> None:
        (tmp_path / "out").mkdir()
        (tmp_path / "out" / "thesis.txt").write_text("years of work")
        assert "holds something else than a release" in refused(release)[0]

    def test_review_folder_inside_the_release(self, release: Path, tmp_path: Path) -> None:
        ran = command("publish", release, "--out", tmp_path / "out", "--review-dir", tmp_path / "out" / "review")
        assert ran.code == 2 and "inside" in ran.err and not (tmp_path / "out").exists()

    def test_inputs_inside_the_release(self, release: Path, tmp_path: Path) -> None:
        lines = refused(release, release.parent)
        assert any("claims.csv" in line and "lies inside" in line for line in lines) and release.exists()

    def test_unwritable_as_another_user(self, place: Path) -> None:
        if os.geteuid() != 0:
            pytest.skip("only root can become another user")
        with tempfile.TemporaryDirectory() as name:
            release = one_table(copied(place, Path(name) / "given"))
            closed = Path(name) / "closed"
            closed.mkdir()
            for path in (Path(name), *Path(name).rglob("*")):
                path.chmod(0o755 if path.is_dir() else 0o644)
            os.seteuid(65534)
            try:
                ran = command("publish", release, "--out", closed / "out")
            finally:
                os.seteuid(0)
            assert ran.code == 2 and "no right to write there" in ran.err and "Traceback" not in ran.err
            assert list(closed.iterdir()) == []

    def test_two_commands_at_one_folder(self, release: Path, tmp_path: Path) -> None:
        said = []

        def at(step: str) -> None:
            if step == "staged":
                said.append(command("publish", release, "--out", tmp_path / "out"))

        publish(one_table(release), tmp_path / "out", at=at)
        assert said[0].code == 2 and "another command is writing this folder" in said[0].err


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 512 KiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if done.returncode != 0:
        pytest.skip("mounting a small file system needs root")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


class TestFullDisk:
    def test_while_writing(self, release: Path, small_disk: Path) -> None:
        (line,) = refused(release, small_disk / "out")
        assert "the disk is full; nothing was written and the folder is as it was" in line
        assert list(small_disk.iterdir()) == []

    def test_from_the_start(self, release: Path, small_disk: Path) -> None:
        with suppress(OSError):
            (small_disk / "filler").write_bytes(bytes(1_000_000))
        assert "the disk is full" in refused(release, small_disk / "out")[0]
        assert [path.name for path in small_disk.iterdir()] == ["filler"]

    def test_only_the_review_folder_is_there(self, release: Path, small_disk: Path, tmp_path: Path) -> None:
        with suppress(OSError):
            (small_disk / "filler").write_bytes(bytes(480_000))
        ran = command("publish", release, "--out", tmp_path / "out", "--review-dir", small_disk / "pack")
        assert ran.code == 2 and "the disk is full" in ran.err
        assert not (tmp_path / "out").exists() and [path.name for path in small_disk.iterdir()] == ["filler"]


def test_no_fault_ever_shows_a_person_s_value(release: Path) -> None:
    """Rows that no reader can take: what is said of them names rows and columns alone."""
    row = claim(
        1, surname="Kanarienvogel", postcode="ZY10 1AA", national_insurance_number="QQ123456C", birth_date="1971-07-17"
    )
    path = write_claims(release, [row])
    path.write_text(path.read_text() + 'P9,"Kanarienvogel,QQ123456C,1971-07-17,ZY10 1AA\n')
    said = "\n".join(refused(release))
    assert not [text for text in ("Kanarienvogel", "QQ123456C", "1971-07-17", "ZY10") if text in said]


def test_several_files_at_once(release: Path) -> None:
    """What can be read before the claims is told together."""
    with lookup(release).open("a") as file:
        file.write(",,,,,\n")
    change(release, claims__encoding="ebcdic")
    lines = refused(release)
    assert any("ebcdic" in line for line in lines) and any("lookup.csv" in line for line in lines)
