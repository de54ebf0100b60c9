"""Real lookups and boundaries, in their own column names: every code of one side is found on the other."""

from pathlib import Path

import numpy as np
import pytest
import shapely

from geography.areas import Areas, Level, read_areas
from geography.boundaries import mended, read_boundaries, read_many
from geography.codes import code_notices
from geography.postcodes import read_postcodes

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"

pytestmark = pytest.mark.real_areas

TRAFFORD, LONDON = DATA / "trafford", DATA / "london-two-boroughs"


def trafford(year: str, lad: str) -> Areas:
    levels = [Level("oa", f"oa{year}cd"), Level("lsoa", f"lsoa{year}cd", f"lsoa{year}nm")]
    levels += [Level("msoa", f"msoa{year}cd", f"msoa{year}nm")]
    levels += [Level("lad", f"lad{lad}cd", f"lad{lad}nm"), Level("rgn", f"rgn{lad}cd", f"rgn{lad}nm")]
    name = f"lookup_oa{year}_lsoa{year}_msoa{year}_lad{lad}_rgn{lad}.csv"
    return read_areas(TRAFFORD / name, levels)


@pytest.mark.parametrize(
    ("year", "lad", "sizes", "invalid"),
    [("11", "11", (731, 138, 28, 1, 1), (2, 2, 1)), ("21", "22", (738, 139, 28, 1, 1), (0, 0, 0))],
)
def test_trafford_geojson(year: str, lad: str, sizes: tuple[int, ...], invalid: tuple[int, ...]) -> None:
    areas = trafford(year, lad)
    assert areas.sizes == sizes
    assert areas.names[3].tolist() == ["Trafford"]
    assert all(code_notices(level, codes) == () for level, codes in zip(areas.levels, areas.codes, strict=True))
    for at, level in enumerate(("oa", "lsoa", "msoa")):
        path = TRAFFORD / f"{level}{year}.geojson"
        frame = read_boundaries(path, layer=None, code="area_code", codes=areas.codes[at], level=level)
        assert frame["code"].tolist() == areas.codes[at].tolist()
        assert len(mended(frame)) == invalid[at]
        assert frame.is_valid.all()
        assert frame.area.sum() / 1e6 == pytest.approx(106, abs=1.5), "square kilometres of the borough"


def test_trafford_geopackage_and_geoparquet_agree_with_geojson() -> None:
    areas = trafford("21", "22")
    package = TRAFFORD / "trafford_2021_bng.gpkg"
    for at, level in enumerate(("oa", "lsoa", "msoa")):
        codes = areas.codes[at]
        grid = read_boundaries(package, layer=f"{level}21", code=f"{level.upper()}21CD", codes=codes, level=level)
        degrees = read_boundaries(
            TRAFFORD / f"{level}21.geojson", layer=None, code="area_code", codes=codes, level=level
        )
        assert shapely.hausdorff_distance(grid.geometry.to_numpy(), degrees.geometry.to_numpy()).max() < 5
    path = TRAFFORD / "oa21_bng.parquet"
    parquet = read_boundaries(path, layer=None, code="OA21CD", codes=areas.codes[0], level="oa")
    package_oa = read_boundaries(package, layer="oa21", code="OA21CD", codes=areas.codes[0], level="oa")
    assert parquet.geometry.geom_equals_exact(package_oa.geometry, 0.001).all()


def test_trafford_postcodes() -> None:
    areas = trafford("21", "22")
    path = TRAFFORD / "postcodes.csv"
    found = read_postcodes(path, postcode="pcds", area="oa21cd_derived", areas=areas)
    assert (len(found.postcodes), found.unlocated, found.outside) == (11_225, 39, 0)
    place = np.searchsorted(found.postcodes, "M154AB")
    assert found.postcodes[place] == "M154AB"
    assert areas.codes[0][found.area[place]] == "E00031366"


def test_two_london_boroughs() -> None:
    levels = [Level("oa", "OA11CD"), Level("lsoa", "LSOA11CD"), Level("msoa", "MSOA11CD")]
    levels += [Level("lad", "LAD21CD", "LAD21NM"), Level("rgn", "RGN21CD")]
    areas = read_areas(LONDON / "lookup_oa11_lsoa11_msoa11_lad21_rgn21.csv", levels)
    assert areas.sizes == (1380, 236, 49, 2, 1)
    for at, level in enumerate(("oa", "lsoa", "msoa")):
        paths = [LONDON / f"{borough}_{level}11.geojson" for borough in ("camden", "kensington")]
        code = f"{level.upper()}11CD"
        frame = read_many(paths, layer=None, code=code, codes=areas.codes[at], level=level)
        assert frame["code"].tolist() == areas.codes[at].tolist()
        assert frame.is_valid.all()
