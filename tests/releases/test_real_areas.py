"""Releases on real areas: Trafford on 2011 and on 2021 areas, Camden with Kensington and Chelsea on 2011 areas.

Claims are made up so that they equal published counts.  Those counts exist for
LSOAs of 2011 alone: nothing published matches LSOAs of 2021 directly, so on
2021 areas the claims equal the published counts summed to MSOAs, where no MSOA changed.
"""

import csv
import re
import struct
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
from small_place import buckets, change, command, rows_of

from geography.boundaries import mended, read_many
from releases.pipeline import publish
from releases.synth import DEMO_KEY, SynthOptions, synthesise

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
TRAFFORD, LONDON = DATA / "trafford", DATA / "london-two-boroughs"
COPYRIGHT = (
    "Source: Office for National Statistics licensed under the Open Government Licence v.3.0. "
    "Contains OS data © Crown copyright and database right"
)

pytestmark = [
    pytest.mark.real_areas,
    pytest.mark.slow,
]


@dataclass(frozen=True, kw_only=True)
class Case:
    """A release on real areas: options of synth, the published counts by area and the level they are of."""

    name: str
    options: SynthOptions
    out: Path
    level: str
    counts: dict[str, int]
    units: dict[str, int]


def counts_of(path: Path, period: str) -> dict[str, int]:
    return {row["lsoa11cd"]: int(row["value"]) for row in rows_of(path) if row["period"] == period}


def lookup(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def trafford_2011(folder: Path) -> Case:
    counts = TRAFFORD / "claimants_lsoa11.csv"
    options = SynthOptions(
        out=folder / "made",
        key=DEMO_KEY,
        areas=TRAFFORD / "lookup_oa11_lsoa11_msoa11_lad11_rgn11.csv",
        boundaries=tuple((level, TRAFFORD / f"{level}11.geojson") for level in ("oa", "lsoa", "msoa")),
        attribution=f"{COPYRIGHT} 2012",
        match=counts,
        where=(("period", "2017-09"),),
    )
    units = {"oa": 731, "lsoa": 138, "msoa": 28, "lad": 1, "rgn": 1}
    wanted = counts_of(counts, "2017-09")
    return Case(name="trafford-2011", options=options, out=folder / "out", level="lsoa", counts=wanted, units=units)


def trafford_2021(folder: Path) -> Case:
    """MSOA sums of the counts of 2011 LSOAs, on the MSOAs of 2021: their codes are the same 28."""
    of_msoa = {
        row["lsoa11cd"]: row["msoa11cd"] for row in lookup(TRAFFORD / "lookup_oa11_lsoa11_msoa11_lad11_rgn11.csv")
    }
    wanted: Counter[str] = Counter()
    for code, value in counts_of(TRAFFORD / "claimants_lsoa11.csv", "2017-09").items():
        wanted[of_msoa[code]] += value
    areas = TRAFFORD / "lookup_oa21_lsoa21_msoa21_lad22_rgn22.csv"
    assert set(wanted) == {row["msoa21cd"] for row in lookup(areas)}
    lines = ["msoa21cd,value", *(f"{code},{value}" for code, value in sorted(wanted.items()))]
    (folder / "msoa.csv").write_text("\n".join(lines) + "\n")
    package = TRAFFORD / "trafford_2021_bng.gpkg"
    options = SynthOptions(
        out=folder / "made",
        key=DEMO_KEY,
        areas=areas,
        postcodes=TRAFFORD / "postcodes.csv",
        postcode_columns=("pcds", "oa21cd_derived"),
        boundaries=(
            ("oa", TRAFFORD / "oa21_bng.parquet"), ("lsoa", package), ("msoa", package),
            ("lad", TRAFFORD / "lad21.geojson"),
        ),
        attribution=f"{COPYRIGHT} 2022",
        match=folder / "msoa.csv",
    )  # fmt: skip
    units = {"oa": 738, "lsoa": 139, "msoa": 28, "lad": 1, "rgn": 1}
    return Case(
        name="trafford-2021", options=options, out=folder / "out", level="msoa", counts=dict(wanted), units=units
    )


def london(folder: Path) -> Case:
    counts = LONDON / "claimants_lsoa11.csv"
    boundaries = [
        (level, LONDON / f"{borough}_{level}11.geojson")
        for borough in ("camden", "kensington")
        for level in ("oa", "lsoa", "msoa")
    ]
    options = SynthOptions(
        out=folder / "made",
        key=DEMO_KEY,
        areas=LONDON / "lookup_oa11_lsoa11_msoa11_lad21_rgn21.csv",
        boundaries=tuple(boundaries),
        attribution=f"{COPYRIGHT} 2014",
        match=counts,
        where=(("period", "2025-03"),),
    )
    units = {"oa": 1380, "lsoa": 236, "msoa": 49, "lad": 2, "rgn": 1}
    wanted = counts_of(counts, "2025-03")
    return Case(name="two-boroughs", options=options, out=folder / "out", level="lsoa", counts=wanted, units=units)


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
