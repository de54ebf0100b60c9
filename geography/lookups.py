"""Writes areas and postcodes as the lookup files that `read_areas` and `read_postcodes` take; same input, same bytes."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pcsv

from geography.areas import Areas, Level
from geography.postcodes import Postcodes

__all__ = ["MADE_LEVELS", "POSTCODE_AREA", "POSTCODE_COLUMN", "write_lookups"]

MADE_LEVELS = (
    Level("oa", "oa21cd"),
    Level("lsoa", "lsoa21cd", "lsoa21nm"),
    Level("msoa", "msoa21cd", "msoa21nm"),
    Level("lad", "lad22cd", "lad22nm"),
    Level("rgn", "rgn22cd", "rgn22nm"),
    Level("ctry", "ctry22cd", "ctry22nm"),
)
"""Levels of made-up areas and the columns of their lookup, smallest first."""

POSTCODE_COLUMN, POSTCODE_AREA = "pcds", MADE_LEVELS[0].code
"""Columns of the postcode lookup: the postcode as it is written, and its smallest area."""


def write_lookups(
    folder: Path, *, areas: Areas, postcodes: Postcodes, levels: Sequence[Level] = MADE_LEVELS
) -> tuple[Path, Path]:
    """Write ``lookup.csv`` (a row per smallest area) and ``postcodes.csv`` (a row per postcode) into an existing folder.

    Rows are sorted by code and by postcode; lines end in a newline alone.

    Raises
    ------
    ValueError
        `levels` are not those of `areas`.
    """
    if tuple(level.name for level in levels) != areas.levels:
        raise ValueError(f"levels ({', '.join(level.name for level in levels)}) must be those of the areas")
    columns: dict[str, pa.Array] = {}
    for at, level in enumerate(levels):
        index = pa.array(areas.ancestors(0, at))
        columns[level.code] = pa.array(areas.codes[at]).take(index)
        if level.label:
            columns[level.label] = pa.array(areas.names[at]).take(index)
    lookup, located = folder / "lookup.csv", folder / "postcodes.csv"
    _write_csv(lookup, pa.table(columns))
    _write_csv(located, _postcode_table(areas, postcodes, levels[0].code))
    return lookup, located


def _postcode_table(areas: Areas, postcodes: Postcodes, column: str) -> pa.Table:
    tight = pa.array(postcodes.postcodes)
    spaced = pc.binary_join_element_wise(pc.utf8_slice_codeunits(tight, 0, -3), pc.utf8_slice_codeunits(tight, -3), " ")
    return pa.table({POSTCODE_COLUMN: spaced, column: pa.array(areas.codes[0]).take(pa.array(postcodes.area))})


def _write_csv(path: Path, table: pa.Table) -> None:
    special = any(np.any(pc.match_substring_regex(column, '[",\r\n]').to_numpy()) for column in table.columns)
    # Arrow either quotes every text or none; codes and plain names need no quotes.
    options = pcsv.WriteOptions(include_header=False, quoting_style="needed" if special else "none")
    with path.open("wb") as file:
        file.write((",".join(table.column_names) + "\n").encode())
        pcsv.write_csv(table, file, options)
