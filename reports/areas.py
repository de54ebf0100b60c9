"""The areas of a release to download: boundaries with codes and names, as GeoPackage and GeoParquet."""

from collections.abc import Sequence
from pathlib import Path

from geography.geopackage import write_geopackage
from reports.model import Boundary, ReleaseFacts

__all__ = ["write_areas"]


def write_areas(folder: Path, facts: ReleaseFacts, boundaries: Sequence[Boundary]) -> tuple[Path, ...]:
    """Write ``areas.gpkg`` (a layer per level) and ``<level>.parquet`` (GeoParquet) into a new folder.

    Columns: ``code``, ``name`` (blank where there is none) and the outline, in EPSG:27700.
    """
    folder.mkdir()
    layers = {boundary.level: _named(boundary, facts) for boundary in boundaries}
    package = folder / "areas.gpkg"
    write_geopackage(package, layers)
    written = [package]
    for level, frame in layers.items():
        path = folder / f"{level}.parquet"
        frame.to_parquet(path, index=False)
        written.append(path)
    return tuple(written)


def _named(boundary: Boundary, facts: ReleaseFacts):  # type: ignore[no-untyped-def]
    frame = boundary.frame[["code", "geometry"]].copy()  # type: ignore[index]
    frame.insert(1, "name", [str(name) for name in facts.area_names[boundary.level]])
    return frame
