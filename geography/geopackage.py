"""Writes boundaries as a GeoPackage, with the same bytes for the same boundaries."""

from collections.abc import Mapping
from pathlib import Path

import geopandas as gpd
import pyogrio

__all__ = ["write_geopackage"]

# A GeoPackage notes when each layer last changed.  The clock would make every file differ, so a fixed time stands in.
LAST_CHANGE = "2000-01-01T00:00:00.000Z"


def write_geopackage(path: Path, layers: Mapping[str, gpd.GeoDataFrame]) -> None:
    """Write each frame as a layer of multipolygons; a file that is there is replaced."""
    path.unlink(missing_ok=True)
    before = pyogrio.get_gdal_config_option("OGR_CURRENT_DATE")
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": LAST_CHANGE})
    try:
        for layer, frame in layers.items():
            frame.to_file(path, layer=layer, driver="GPKG", promote_to_multi=True, mode="a" if path.exists() else "w")
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": before})
