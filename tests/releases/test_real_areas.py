"""Releases on real areas: Trafford on 2011 and on 2021 areas, Camden with Kensington and Chelsea on 2011 areas.

Claims are made up so that they equal published counts.  Those counts exist for
LSOAs of 2011 alone: nothing published matches LSOAs of 2021 directly, so on
2021 areas the claims equal the published counts summed to MSOAs, where no MSOA changed.
"""

import re
import struct
from collections import Counter
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
from real_places import COPYRIGHT, Case, london, lookup, trafford_2011, trafford_2021
from small_place import buckets, change, command, rows_of

from geography.boundaries import mended, read_many
from releases.publish.pipeline import publish
from releases.synth.making import synthesise

pytestmark = [
    pytest.mark.real_areas,
    pytest.mark.slow,
]


@pytest.fixture(scope="module", params=[trafford_2011, trafford_2021, london], ids=lambda make: make.__name__)
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Case:
    """Made and published once; each a series of its own."""
    made: Case = request.param(tmp_path_factory.mktemp("real"))
    synthesise(made.options)
    publish(change(made.options.out / "RELEASE.toml", series__id=made.name), made.out)
    return made


def test_true_sums_equal_the_published_counts(case: Case) -> None:
    review = case.out.with_name("out-review")
    for table, column in (("benefit", "benefit"), ("age", "age_band"), ("sex", "sex"), ("duration", "duration_band")):
        rows = rows_of(review / f"true-beside-published-{table}.csv")
        true = {
            row["area"]: int(row["true"]) for row in rows if row["area_level"] == case.level and row[column] == "Total"
        }
        assert true == case.counts
    assert buckets(review)["counted"] == sum(case.counts.values())


def test_areas_boundaries_and_counts_join_one_to_one(case: Case) -> None:
    rows = rows_of(case.out / "tables" / "sex.csv")
    shown = Counter(row["area_level"] for row in rows if row["sex"] == "Total")
    assert dict(shown) == case.units
    for level in ("oa", "lsoa", "msoa"):
        drawn = gpd.read_parquet(case.out / "areas" / f"{level}.parquet")
        codes = [row["area"] for row in rows if row["area_level"] == level and row["sex"] == "Total"]
        assert sorted(drawn["code"]) == codes == sorted(set(codes))
        assert drawn.crs.to_epsg() == 27700 and drawn.is_valid.all() and (drawn.area > 0).all()


def test_levels_cover_the_same_ground(case: Case) -> None:
    grounds = [gpd.read_parquet(case.out / "areas" / f"{level}.parquet").area.sum() for level in ("oa", "lsoa", "msoa")]
    assert np.ptp(grounds) < 0.01 * grounds[0]


def test_maps(case: Case) -> None:
    for level in ("oa", "lsoa", "msoa"):
        raw = (case.out / "maps" / f"benefit-{level}.png").read_bytes()
        width, height = struct.unpack(">II", raw[16:24])
        assert raw.startswith(b"\x89PNG") and min(width, height) >= 1000
        drawn = (case.out / "maps" / f"benefit-{level}.svg").read_text(encoding="utf-8")
        lines = re.findall(r">([^<>]+)</(?:text|tspan)>", drawn)
        assert COPYRIGHT in " ".join(" ".join(lines).split())


def test_check(case: Case) -> None:
    assert (
        command("check", case.out, "--review-dir", case.out.with_name("out-review"), "--json").plain["verdict"]
        == "safe"
    )


def test_outlines_that_are_not_valid_as_published_are_told(case: Case) -> None:
    paths: dict[str, list[Path]] = {}
    for level, path in case.options.boundaries:
        paths.setdefault(level, []).append(path)
    page = (case.out.with_name("out-review") / "review.html").read_text(encoding="utf-8")
    if case.name == "trafford-2011":
        for level, number in (("oa", 2), ("lsoa", 2), ("msoa", 1)):
            codes = np.unique([row[f"{level}11cd"] for row in lookup(case.options.areas or Path())])
            frame = read_many(paths[level], layer=None, code="area_code", codes=codes, level=level)
            assert len(mended(frame)) == number
            assert f"boundaries of level {level}: {number} invalid outlines were mended" in page
    else:
        assert "invalid outlines" not in page


def test_postcodes_of_no_area_are_told(case: Case) -> None:
    page = (case.out.with_name("out-review") / "review.html").read_text(encoding="utf-8")
    assert ("39 postcodes without an area" in page) is (case.name == "trafford-2021")


def test_the_other_vintage_is_another_series(tmp_path: Path) -> None:
    """Beside a release on 2011 areas one on 2021 areas under the same series is refused, as a second first release."""
    first = trafford_2011(tmp_path)
    synthesise(first.options)
    publish(change(first.options.out / "RELEASE.toml", table=[{"id": "all", "title": "All", "by": []}]), first.out)
    (tmp_path / "second").mkdir()
    second = trafford_2021(tmp_path / "second")
    synthesise(second.options)
    dates = {"reference_date": "2026-08-31", "extract_date": "2026-11-01"}
    release = change(second.options.out / "RELEASE.toml", **{f"release__{name}": date for name, date in dates.items()})
    ran = command("publish", release, "--out", tmp_path / "out-2021")
    assert ran.code == 2 and "is a release of the series" in ran.err
