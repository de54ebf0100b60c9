"""A release of one variable in two lists of bands that nest: broad bands are the sums of fine ones."""

import datetime as dt
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import Published, published
from small_place import change, command, copied, files, rows_of

from claimants.dimensions import dimension
from releases.publish.pipeline import publish
from releases.publish.recodings import Recoding, bands_nest

TABLES = (
    {"id": "broad", "title": "Claims by broad age", "by": ["age_band"], "bands": {"age_band": "broad"}},
    {"id": "fine", "title": "Claims by age", "by": ["age_band"]},
    {"id": "sex", "title": "Claims by sex", "by": ["sex"]},
)
# Fine bands by the broad one that they lie in.
INSIDE = {"Y16T24": "Y16T24", "Y25T34": "Y25T44", "Y35T44": "Y25T44", "Y45T54": "Y45T64", "Y55T64": "Y45T64"}


@pytest.fixture(scope="module")
def banded(place: Path, tmp_path_factory: pytest.TempPathFactory) -> Published:
    folder = tmp_path_factory.mktemp("banded")
    return published(change(copied(place, folder / "given"), table=list(TABLES)), folder)


def by_area(path: Path, column: str) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for row in rows_of(path):
        found.setdefault(row["area"], {})[row["age_band"]] = int(row[column])
    return found


def summed(fine: dict[str, int]) -> dict[str, int]:
    broad: dict[str, int] = {}
    for band, number in fine.items():
        whole = INSIDE.get(band, band)
        broad[whole] = broad.get(whole, 0) + number
    return broad


class TestFigures:
    def test_broad_bands_are_sums_of_fine_ones(self, banded: Published) -> None:
        broad, fine = (by_area(banded.out / "tables" / f"{name}.csv", "value") for name in ("broad", "fine"))
        assert len(broad) == 24 + 8 + 4 + 2 and {len(row) for row in broad.values()} == {5}
        assert broad == {area: summed(row) for area, row in fine.items()}

    def test_true_counts_too(self, banded: Published) -> None:
        name = "true-beside-published-{}.csv"
        broad, fine = (by_area(banded.review / name.format(one), "true") for one in ("broad", "fine"))
        assert broad == {area: summed(row) for area, row in fine.items()}
        assert sum(number % 5 > 0 for row in broad.values() for number in row.values()) > 50

    def test_every_figure_is_within_the_base_of_its_own_count(self, banded: Published) -> None:
        for one in ("broad", "fine", "sex"):
            rows = rows_of(banded.review / f"true-beside-published-{one}.csv")
            assert all(int(row["published"]) % 5 == 0 and abs(int(row["difference"])) < 5 for row in rows)

    def test_a_broad_list_alone_counts_the_same(self, banded: Published, tmp_path: Path) -> None:
        release = change(copied(banded.source, tmp_path / "given"), table=[TABLES[0]])
        publish(release, tmp_path / "out")
        name = "true-beside-published-broad.csv"
        assert by_area(tmp_path / "out-review" / name, "true") == by_area(banded.review / name, "true")

    def test_the_same_bytes_twice(self, banded: Published, tmp_path: Path) -> None:
        publish(banded.source, tmp_path / "out")
        assert files(tmp_path / "out") == files(banded.out)


class TestTold:
    def test_check(self, banded: Published) -> None:
        ran = command("check", banded.out, "--review-dir", banded.review)
        assert ran.code == 0, ran.err

    def test_a_band_of_both_lists_is_one_figure(self, banded: Published, tmp_path: Path) -> None:
        shutil.copytree(banded.out, tmp_path / "out")
        path = tmp_path / "out" / "tables" / "broad.csv"
        path.write_text(
            re.sub(r",Y16T24,(\d+),", lambda found: f",Y16T24,{int(found[1]) + 5},", path.read_text(), count=1)
        )
        ran = command("check", tmp_path / "out")
        assert ran.code == 1 and "age_band Y16T24 is another value than in tables/broad.csv" in ran.err

    def test_the_reviewer(self, banded: Published) -> None:
        page = (banded.review / "review.html").read_text(encoding="utf-8")
        assert "every list of age_band is a sum of the finest, so that all intervals are exact" in page
        assert "bands inside bands: bands that were split" in page and "hold the same records" not in page

    def test_the_public_is_told_nothing_of_how(self, banded: Published) -> None:
        for path in banded.out.rglob("*"):
            if path.suffix in (".html", ".json"):
                assert "picked again" not in path.read_text(encoding="utf-8")
        block = json.loads((banded.out / "tables" / "broad.csv-metadata.json").read_text())["notes"][0]["smallarea"]
        assert "population" not in block


# Reference date, extract, publication and the next one of two later releases.
QUARTERS = (
    ("2026-08-31", "2026-12-31", "2027-02-16", "2027-05-18"),
    ("2026-11-30", "2027-03-31", "2027-05-18", "2027-08-17"),
)


class TestSeries:
    def test_three_releases_keep_values_and_every_promise(self, banded: Published, tmp_path: Path) -> None:
        before = banded.out
        for date, extract, out, after in QUARTERS:
            release = copied(banded.source, tmp_path / f"given {date}")
            change(release, series__first=None, series__previous=str(before))
            change(release, release__reference_date=date, release__extract_date=extract)
            change(release, release__publication=f"{out}T09:30:00", release__next_publication=after)
            told = publish(release, tmp_path / date)
            assert any("keep their values" in notice for notice in told.notices)
            broad, fine = (by_area(tmp_path / date / "tables" / f"{name}.csv", "value") for name in ("broad", "fine"))
            assert broad == {area: summed(row) for area, row in fine.items()}
            review = tmp_path / f"{date}-review"
            assert command("check", tmp_path / date, "--review-dir", review).code == 0
            standing = rows_of(review / "standings.csv")
            assert {row["table"] for row in standing} == {"broad", "fine", "sex"}
            kept, moved = (sum(int(row[name]) for row in standing) for name in ("kept", "moved"))
            assert kept > 0.8 * (kept + moved)
            assert {row["table"] for row in rows_of(review / "flips.csv")} == {"broad", "fine", "sex"}
            before = tmp_path / date

    def test_a_revision_that_changes_nothing(self, banded: Published, tmp_path: Path) -> None:
        release = copied(banded.source, tmp_path / "given")
        change(release, series__first=None, series__previous=str(banded.out), release__status="revised")
        publish(release, tmp_path / "again")
        for name in ("broad", "fine", "sex"):
            path = Path("tables") / f"{name}.csv"
            assert (banded.out / path).read_bytes() == (tmp_path / "again" / path).read_bytes()

    def test_a_list_that_is_added_later_is_drawn_beside_kept_ones(self, banded: Published, tmp_path: Path) -> None:
        """A release of the fine list alone, then of both: most fine figures stay, and the broad ones are their sums.

        What was shown of two fine bands may be too far from the count of both.
        """
        release = change(copied(banded.source, tmp_path / "given"), table=list(TABLES[1:]))
        publish(release, tmp_path / "first")
        change(release, table=list(TABLES), series__first=None, series__previous=str(tmp_path / "first"))
        publish(change(release, release__status="revised"), tmp_path / "second")
        first, fine = (by_area(tmp_path / name / "tables" / "fine.csv", "value") for name in ("first", "second"))
        broad = by_area(tmp_path / "second" / "tables" / "broad.csv", "value")
        assert broad == {area: summed(row) for area, row in fine.items()}
        flips = sum(first[area][band] != fine[area][band] for area in first for band in first[area])
        assert flips < 0.25 * sum(len(row) for row in first.values())


class TestNesting:
    def test_shipped_lists_nest(self) -> None:
        for name in ("age_band", "duration_band"):
            assert bands_nest(dimension(name), dimension(name, "broad"))
            assert bands_nest(dimension(name, "broad"), dimension(name))

    def test_lists_that_do_not(self) -> None:
        fine, broad = dimension("age_band"), dimension("age_band", "broad")
        years = [start // 12 for start in broad.starts]
        assert years == [16, 25, 45, 65]
        overlapping = replace(broad, starts=(16 * 12, 30 * 12, 45 * 12, 65 * 12))
        shorter = replace(broad, stop=100 * 12)
        later = replace(broad, starts=(25 * 12, 35 * 12, 45 * 12, 65 * 12))
        assert not any(bands_nest(fine, one) for one in (overlapping, shorter, later, dimension("sex")))

    def test_columns_are_sorted_by_code_and_bands_are_not(self) -> None:
        """Bands whose codes sort otherwise than their ages still go where they lie."""
        codes = ("c", "a", "b")
        fine = replace(
            dimension("age_band"), categories=codes, labels=dict.fromkeys(codes, "x"), starts=(192, 216, 300)
        )
        broad = replace(fine, categories=("z", "y"), labels=dict.fromkeys("zy", "x"), starts=(192, 300))
        recoding = Recoding(name="age_band", bands={"broad": broad, "fine": fine})
        assert recoding.indices("broad").tolist() == [0, 0, 1] and recoding.indices("broad").dtype == np.int16
        assert recoding.recodes() == {"broad": (1, 1, 0), "fine": (2, 0, 1)}
        assert recoding.broader == ("broad",) and fine.cutoffs(dt.date(2026, 5, 31))[1] == dt.date(2008, 5, 31)
