"""Boundaries: any format and CRS in, one polygon per area out, and every mismatch told."""

import json
import sqlite3
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely

from common.faults import InputError
from geography.boundaries import mended, read_boundaries, read_many

CODES = np.array(["A1", "A2", "A3"])
SQUARES = [shapely.box(580_000 + 100 * at, 480_000, 580_100 + 100 * at, 480_100) for at in range(3)]


def frame(
    codes: list[str | None] | None = None, shapes: list[shapely.Geometry | None] | None = None
) -> gpd.GeoDataFrame:
    codes = CODES.tolist() if codes is None else codes
    return gpd.GeoDataFrame({"cd": codes}, geometry=SQUARES[: len(codes)] if shapes is None else shapes, crs=27700)


def write(path: Path, of: gpd.GeoDataFrame) -> Path:
    of.to_parquet(path) if path.suffix == ".parquet" else of.to_file(path)
    return path


def read(path: Path, codes: np.ndarray = CODES) -> gpd.GeoDataFrame:
    return read_boundaries(path, layer=None, code="cd", codes=codes, level="oa")


def told(path: Path | list[Path], codes: np.ndarray = CODES) -> list[tuple[str, int | None, str]]:
    with pytest.raises(InputError) as caught:
        read_many(path if isinstance(path, list) else [path], layer=None, code="cd", codes=codes, level="oa")
    return [(fault.kind, fault.row, fault.key) for fault in caught.value.faults]


@pytest.mark.parametrize("name", ["b.gpkg", "b.geojson", "b.shp", "b.parquet"])
@pytest.mark.parametrize("crs", [27700, 4326, 3857])
def test_every_format_and_crs_comes_out_alike_in_the_order_of_the_codes(tmp_path: Path, name: str, crs: int) -> None:
    path = write(tmp_path / name, frame().iloc[::-1].to_crs(crs))
    found = read(path)
    assert list(found.columns) == ["code", "geometry"]
    assert found["code"].tolist() == CODES.tolist()
    assert found.crs.to_epsg() == 27700
    assert shapely.hausdorff_distance(found.geometry.to_numpy(), np.array(SQUARES)).max() < 0.05
    assert mended(found) == ()


def test_files_of_one_level_may_each_have_their_own_crs(tmp_path: Path) -> None:
    one = write(tmp_path / "one.gpkg", frame()[:2])
    two = write(tmp_path / "two.geojson", frame()[2:].to_crs(4326))
    found = read_many([two, one], layer=None, code="cd", codes=CODES, level="oa")
    assert shapely.hausdorff_distance(found.geometry.to_numpy(), np.array(SQUARES)).max() < 0.05


def test_unmatched_codes_are_told_both_ways(tmp_path: Path) -> None:
    path = write(tmp_path / "b.gpkg", frame(["A1", "B8", "B9"]))
    assert told(path) == [
        ("boundary without area", 2, "B8"),
        ("boundary without area", 3, "B9"),
        ("area without boundary", None, "A2"),
        ("area without boundary", None, "A3"),
    ]


def test_boundaries_without_code_or_polygon_and_twice_are_told_together(tmp_path: Path) -> None:
    line = shapely.LineString([(0, 0), (1, 1)])
    shapes = [SQUARES[0], SQUARES[1], SQUARES[2], SQUARES[2], line, None]
    path = write(tmp_path / "b.parquet", frame(["A1", None, "A1", " ", "A2", "A3"], shapes))
    assert told(path) == [
        ("boundary without code", 2, ""),
        ("boundary without code", 4, ""),
        ("no polygon", 5, "A2"),
        ("no polygon", 6, "A3"),
        ("duplicate code", 3, "A1"),
    ]


@pytest.mark.parametrize("name", ["b.gpkg", "b.shp", "b.parquet"])
@pytest.mark.filterwarnings("ignore:'crs' was not provided")
def test_no_crs_is_told(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / name, frame().set_crs(None, allow_override=True))
    assert told(path) == [("no CRS", None, "")]


@pytest.mark.parametrize("srs", [-1, 0])
def test_a_geopackage_that_leaves_its_crs_open_has_none(tmp_path: Path, srs: int) -> None:
    path = write(tmp_path / "b.gpkg", frame())
    with sqlite3.connect(path) as package:
        package.execute("update gpkg_geometry_columns set srs_id = ?", [srs])
        package.execute("update gpkg_contents set srs_id = ?", [srs])
    package.close()
    assert told(path) == [("no CRS", None, "")]


def test_metres_in_a_geojson_that_says_degrees_are_told(tmp_path: Path) -> None:
    path = tmp_path / "b.geojson"
    features = [
        {"type": "Feature", "properties": {"cd": code}, "geometry": shapely.geometry.mapping(square)}
        for code, square in zip(CODES.tolist(), SQUARES, strict=True)
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    assert told(path) == [("wrong CRS", None, "")]


def test_a_polygon_that_crosses_itself_is_mended_and_named(tmp_path: Path) -> None:
    bow = shapely.Polygon([(0, 0), (10, 10), (10, 0), (0, 10)])
    found = read(write(tmp_path / "b.parquet", frame(shapes=[SQUARES[0], bow, SQUARES[2]])))
    assert mended(found) == ("A2",)
    assert found.is_valid.all()
    assert found.geometry[1].area == pytest.approx(50)
    assert found.geometry[0].equals_exact(SQUARES[0])


def test_a_polygon_that_encloses_nothing_is_told(tmp_path: Path) -> None:
    flat = shapely.Polygon([(0, 0), (10, 10), (5, 5), (0, 0)])
    assert told(write(tmp_path / "b.parquet", frame(shapes=[SQUARES[0], flat, SQUARES[2]]))) == [
        ("no polygon", None, "A2")
    ]


def test_layers_must_be_there_and_be_named_where_there_are_several(tmp_path: Path) -> None:
    path = tmp_path / "b.gpkg"
    frame().to_file(path, layer="oa")
    frame().to_file(path, layer="lsoa", mode="a")
    assert len(read_boundaries(path, layer="lsoa", code="cd", codes=CODES, level="lsoa")) == 3
    assert [kind for kind, _, _ in told(path)] == ["no layer named"]
    with pytest.raises(InputError, match="no such layer, but 'oa', 'lsoa'"):
        read_boundaries(path, layer="msoa", code="cd", codes=CODES, level="oa")


def test_missing_and_unreadable_files_and_columns_are_told_together(tmp_path: Path) -> None:
    (tmp_path / "empty.gpkg").touch()
    (tmp_path / "text.gpkg").write_text("no boundaries here\n")
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 and no more")
    other = write(tmp_path / "other.gpkg", frame().rename(columns={"cd": "ward"}))
    names = ["none.gpkg", "empty.gpkg", "text.gpkg", "broken.parquet"]
    assert [kind for kind, _, _ in told([*(tmp_path / name for name in names), other])] == [
        "missing file",
        "empty file",
        "unreadable file",
        "unreadable file",
        "missing column",
    ]


@pytest.mark.parametrize("name", ["b.gpkg", "b.parquet"])
def test_codes_that_are_numbers_are_told(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / name, gpd.GeoDataFrame({"cd": [1, 2, 3]}, geometry=SQUARES, crs=27700))
    assert "not text" in [kind for kind, _, _ in told(path)]


def test_a_layer_without_geometry_is_told(tmp_path: Path) -> None:
    path = tmp_path / "b.csv"
    path.write_text("cd\nA1\n")
    assert [kind for kind, _, _ in told(path)] == ["no geometry"]
