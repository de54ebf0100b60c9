"""Real areas with claims made up to equal published counts: two vintages of Trafford, two London boroughs."""

import csv
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from small_place import rows_of

from releases.synth.making import DEMO_KEY, SynthOptions

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
TRAFFORD, LONDON = DATA / "trafford", DATA / "london-two-boroughs"
COPYRIGHT = (
    "Source: Office for National Statistics licensed under the Open Government Licence v.3.0. "
    "Contains OS data © Crown copyright and database right"
)


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
