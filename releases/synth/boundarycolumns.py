"""Where a boundary file that was given holds the codes of a level: looked for, so that nobody has to say."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from common.faults import Faults
from geography.areas import Areas

__all__ = ["find_codes"]


def find_codes(path: Path, level: str, areas: Areas, faults: Faults) -> tuple[str | None, str] | None:
    """The layer (None where there is but one) and column of a boundary file that hold codes of a level.

    None where there are none; the reason is noted in `faults`.
    """
    if level not in areas.levels:
        mend = f"use one of {', '.join(areas.levels)}"
        faults.add("level", f"'{level}' is no level of the areas", mend, key="--boundary")
        return None
    if not path.is_file():
        faults.add("missing file", "there is no such file", "correct the path", file=str(path))
        return None
    wanted = set(areas.codes[areas.levels.index(level)].tolist())
    layers = _text_of_layers(path)
    if layers is None:
        mend = "give a GeoPackage, GeoParquet, GeoJSON or shapefile with all its parts"
        faults.add("unreadable file", "cannot be read as boundaries", mend, file=str(path))
        return None
    for layer, frame in layers.items():
        for column in frame.columns:
            if wanted & set(frame[column].astype(str)):
                return layer if len(layers) > 1 else None, str(column)
    found = f"no column holds codes of level {level}"
    faults.add("missing column", found, "give boundaries of the same areas", file=str(path))
    return None


def _text_of_layers(path: Path) -> dict[str, Any] | None:
    """Columns but the geometry of each layer of a boundary file, as data frames; None where it cannot be read."""
    import pyogrio

    try:
        if path.suffix == ".parquet":
            schema = pq.read_schema(path)
            text = [name for name in schema.names if str(schema.field(name).type) in ("string", "large_string")]
            return {"": pq.read_table(path, columns=text).to_pandas()}
        names = [str(name) for name, _ in pyogrio.list_layers(path)]
        return {name: pyogrio.read_dataframe(path, layer=name, read_geometry=False) for name in names}
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, pa.ArrowException, UnicodeDecodeError):
        return None
