"""Boundaries of areas: read in any format and CRS, joined to the codes of a level one to one, never by guess.

Coordinates come out in metres on the British National Grid (EPSG:27700).
Reprojection uses what the PROJ library carries: without the OSTN15 grid it is
right to a few metres, which suits maps, not surveying.
"""

from collections.abc import Sequence
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio
import shapely

from common.faults import Faults
from geography.textcolumns import file_fault, is_parquet

__all__ = ["GRID", "mended", "read_boundaries", "read_many"]

GRID = "EPSG:27700"

# Key of `GeoDataFrame.attrs` under which `mended` finds its codes.
MENDED = "mended"


def read_boundaries(path: Path, *, layer: str | None, code: str, codes: np.ndarray, level: str) -> gpd.GeoDataFrame:
    """Boundaries of one level from one file; see `read_many`."""
    return read_many([path], layer=layer, code=code, codes=codes, level=level)


def read_many(
    paths: Sequence[Path], *, layer: str | None, code: str, codes: np.ndarray, level: str
) -> gpd.GeoDataFrame:
    """Boundaries of one level, which may be spread over several files, each in its own CRS.

    Parameters
    ----------
    paths : GeoPackage, GeoParquet, GeoJSON or shapefile.
    layer : layer of the file; may be left out where a file has one.
    code : the column of codes, which must be text.
    codes : text of shape (areas,): all areas of the level, in the order wanted.
    level : the level's name, for messages.

    Returns
    -------
    GeoDataFrame with the columns ``code`` and ``geometry``, one row per area in
    the order of `codes`, in EPSG:27700.  Polygons that cross themselves are made valid;
    `mended` tells which.

    Raises
    ------
    InputError
        A file or layer is missing or cannot be read, the column is missing or
        not text, there is no CRS or the coordinates do not suit it, a
        boundary has no code or no polygon, a code has two boundaries, or codes
        and boundaries do not match one to one.  All such faults are told at once.
    """
    faults = Faults()
    parts = [part for path in paths if (part := _read_one(path, layer, code, faults)) is not None]
    if len(parts) == len(paths):
        _tell_unmatched(parts, codes, level, faults)
    faults.raise_if_any()
    frame = gpd.GeoDataFrame(pd.concat(parts, ignore_index=True), geometry="geometry", crs=GRID)
    frame = frame.set_index("code").loc[codes].reset_index()[["code", "geometry"]]
    return _mend(frame, level)


def mended(frame: gpd.GeoDataFrame) -> tuple[str, ...]:
    """Codes of the boundaries that were not valid as they came and have been mended."""
    return tuple(frame.attrs.get(MENDED, ()))


def _read_one(path: Path, layer: str | None, code: str, faults: Faults) -> gpd.GeoDataFrame | None:
    """One file in EPSG:27700 with the columns code, geometry, file and row; nothing where it cannot be joined at all."""
    local = Faults(str(path))
    file_fault(path, local)
    frame = None
    if not local.found:
        frame = _read_geoparquet(path, code, local) if is_parquet(path) else _read_ogr(path, layer, code, local)
    if frame is not None:
        frame = _check_rows(frame, code, str(path), local)
        _check_crs(frame, local)
    if frame is not None and not any(fault.kind in {"no CRS", "wrong CRS"} for fault in local.found):
        frame = _to_grid(frame, local)
    elif frame is not None:
        frame = frame.set_crs(GRID, allow_override=True)
    faults.found.extend(local.found)
    return frame


def _read_ogr(path: Path, layer: str | None, code: str, faults: Faults) -> gpd.GeoDataFrame | None:
    try:
        layers = [str(name) for name, _ in pyogrio.list_layers(path)]
        chosen = _choose_layer(layers, layer, faults)
        if chosen is None:
            return None
        fields = [str(field) for field in pyogrio.read_info(path, layer=chosen)["fields"]]
        if code not in fields:
            _tell_missing_column(fields, code, faults)
            return None
        frame = gpd.read_file(path, layer=chosen, columns=[code])
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, UnicodeDecodeError):
        _tell_unreadable(faults)
        return None
    if not isinstance(frame, gpd.GeoDataFrame):
        faults.add("no geometry", "has no boundaries", "name a layer of polygons", key=f"layer '{chosen}'")
        return None
    return frame


def _choose_layer(layers: list[str], layer: str | None, faults: Faults) -> str | None:
    listed = ", ".join(f"'{name}'" for name in layers)
    if layer is None and len(layers) == 1:
        return layers[0]
    if layer is None:
        faults.add("no layer named", f"has the layers {listed}", "name the one to read")
        return None
    if layer not in layers:
        faults.add("missing layer", f"has no such layer, but {listed}", "name a layer it has", key=f"layer '{layer}'")
        return None
    return layer


def _read_geoparquet(path: Path, code: str, faults: Faults) -> gpd.GeoDataFrame | None:
    try:
        names = pq.read_schema(path).names
        if code not in names:
            _tell_missing_column(names, code, faults)
            return None
        whole = gpd.read_parquet(path)
    except (ValueError, OSError, pa.ArrowException):
        _tell_unreadable(faults)
        return None
    return whole[[code, whole.geometry.name]]


def _tell_unreadable(faults: Faults) -> None:
    mend = "give a GeoPackage, GeoParquet, GeoJSON or shapefile with all its parts"
    faults.add("unreadable file", "cannot be read as boundaries", mend)


def _tell_missing_column(fields: list[str], code: str, faults: Faults) -> None:
    listed = ", ".join(f"'{field}'" for field in fields[:30]) or "none"
    faults.add("missing column", f"not in the file, which has {listed}", "name the column of codes", column=code)


def _check_rows(frame: gpd.GeoDataFrame, code: str, file: str, faults: Faults) -> gpd.GeoDataFrame:
    """The frame with the columns code, geometry, file, row; notes rows without text for a code or without a polygon."""
    values = frame[code].to_numpy(dtype=object)
    geometry = frame.geometry.to_numpy()
    missing = pd.isna(frame[code]).to_numpy()
    text = np.array([isinstance(value, str) for value in values], dtype=bool)
    if not np.all(text | missing):
        found = f"holds {frame[code].dtype}, not text"
        faults.add("not text", found, "write codes as text, so that none loses its zeros", column=code)
    codes = np.where(text, values, "").astype(str) if len(values) else np.zeros(0, "<U1")
    blank = missing | (text & (np.char.strip(codes) == ""))
    for row in np.flatnonzero(blank) + 1:
        faults.add("boundary without code", "a boundary without a code", "give it its code", row=int(row), column=code)
    for row in np.flatnonzero(~np.isin(shapely.get_type_id(geometry), (3, 6)) | shapely.is_empty(geometry)):
        mend = "give the area its polygon"
        faults.add("no polygon", "no polygon", mend, row=int(row) + 1, column=code, key=str(codes[row]))
    kept = pd.DataFrame({"code": codes, "file": file, "row": np.arange(1, len(codes) + 1)})[~blank]
    return gpd.GeoDataFrame(kept, geometry=geometry[~blank], crs=frame.crs)


def _check_crs(frame: gpd.GeoDataFrame, faults: Faults) -> None:
    # GDAL calls a coordinate system that a GeoPackage leaves open "Undefined …".
    if frame.crs is None or frame.crs.name.lower().startswith(("undefined", "unknown", "unnamed")):
        faults.add("no CRS", "does not say its coordinate reference system", "set it, such as EPSG:27700")
        return
    if frame.crs.is_geographic and len(frame):
        west, south, east, north = frame.total_bounds
        if west < -180 or east > 360 or south < -90 or north > 90:
            found = f"says its coordinates are degrees ({frame.crs.name}), but they are not"
            faults.add("wrong CRS", found, "set the coordinate reference system that they are in")


def _to_grid(frame: gpd.GeoDataFrame, faults: Faults) -> gpd.GeoDataFrame:
    grid = frame.to_crs(GRID)
    if len(grid) and not np.all(np.isfinite(grid.geometry.bounds.dropna().to_numpy())):
        found = f"has coordinates that cannot be put on the British National Grid from {frame.crs.name}"
        faults.add("wrong CRS", found, "set the coordinate reference system that they are in")
    return grid


def _tell_unmatched(parts: Sequence[gpd.GeoDataFrame], codes: np.ndarray, level: str, faults: Faults) -> None:
    """Note codes with two boundaries, boundaries whose code is not in `codes`, and codes without a boundary."""
    every = pd.concat([pd.DataFrame(part[["code", "file", "row"]]) for part in parts], ignore_index=True)
    for code, file, row in every[every["code"].duplicated()].itertuples(index=False):
        mend = "merge its parts into one row, or take one out"
        faults.add("duplicate code", "a second boundary of one area", mend, file=file, row=row, key=code)
    for code, file, row in every[~every["code"].isin(codes)].itertuples(index=False):
        found = f"a boundary of no area of level '{level}' in the lookup"
        mend = "use boundaries and lookup of one vintage, cut to the same areas"
        faults.add("boundary without area", found, mend, file=file, row=row, key=code)
    files = ", ".join(dict.fromkeys(every["file"])) or "the boundaries"
    for code in codes[~np.isin(codes, every["code"].to_numpy(dtype=str))]:
        found = f"area of level '{level}' has no boundary"
        mend = "use boundaries and lookup of one vintage, cut to the same areas"
        faults.add("area without boundary", found, mend, file=files, key=str(code))


def _mend(frame: gpd.GeoDataFrame, level: str) -> gpd.GeoDataFrame:
    geometry = frame.geometry.to_numpy()
    bad = ~shapely.is_valid(geometry)
    if bad.any():
        # The structure method keeps polygons only: rings that fall together leave nothing behind, no stray line.
        repaired = shapely.make_valid(geometry[bad], method="structure", keep_collapsed=False)
        faults = Faults()
        for code in frame["code"].to_numpy()[bad][shapely.is_empty(repaired)]:
            found = f"the boundary of this area of level '{level}' encloses nothing"
            faults.add("no polygon", found, "give the area its polygon", key=str(code))
        faults.raise_if_any()
        geometry = geometry.copy()
        geometry[bad] = repaired
    mended_frame = gpd.GeoDataFrame({"code": frame["code"]}, geometry=geometry, crs=GRID)
    mended_frame.attrs[MENDED] = tuple(str(code) for code in frame["code"].to_numpy()[bad])
    return mended_frame
