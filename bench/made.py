"""What the benchmark runs on: a made-up country with claims, made once and kept in ``bench/work``."""

import datetime as dt
import hashlib
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from claimants.dimensions import dimension
from geography.areas import Areas, read_areas
from geography.lookups import MADE_LEVELS, POSTCODE_AREA, POSTCODE_COLUMN
from geography.postcodes import Postcodes, read_postcodes
from releases.counts.shaping import hierarchy_of, tabulate
from releases.synth.making import DEMO_KEY, REFERENCE_DATE, SynthOptions, synthesise
from sdc.tables import Classification, Table

__all__ = [
    "DIMENSIONS",
    "KEY",
    "NATIONAL",
    "REFERENCE",
    "WORK",
    "Size",
    "finest_cells",
    "linked_tables",
    "make",
    "read_ground",
    "true_tables",
]

WORK = Path(__file__).parent / "work"
KEY = DEMO_KEY
REFERENCE: dt.date = REFERENCE_DATE
DIMENSIONS = ("benefit", "age_band", "sex", "duration_band")
WARM_ROWS = 1000
FIFTH, FIFTH_SHARES, FIFTH_SEED = "group", (8, 4, 2, 1, 1), 5
ROOT = Path(__file__).parents[1]
# Whatever these say changes what is made, so that what was kept of before is of no use.
MAKERS = (
    "releases/synth/making.py",
    "geography/country.py",
    "geography/made*.py",
    "claimants/claim*.py",
    "claimants/synthetic.py",
)


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much is made: rows of the extract, and output areas."""

    claims: int
    areas: int

    def __str__(self) -> str:
        return f"{self.claims:,} claims on {self.areas:,} output areas"


NATIONAL = Size(claims=10_000_000, areas=188_880)
"""England and Wales in 2021, a quarter's claims."""


def make(size: Size, work: Path) -> Path:
    """The folder in `work` with RELEASE.toml, claims (Parquet) and geography; made if it is not there."""
    folder = work / f"{size.claims}-{size.areas}-{_recipe()}"
    if not folder.exists():
        for old in work.glob(f"{size.claims}-{size.areas}-*"):
            shutil.rmtree(old)
        work.mkdir(exist_ok=True)
        print(f"making {size}", file=sys.stderr, flush=True)
        synthesise(SynthOptions(out=folder, size=size.claims, country=size.areas, format="parquet", key=KEY))
        (folder / "warm").mkdir()
        first = next(pq.ParquetFile(folder / "claims" / "claims.parquet").iter_batches(WARM_ROWS))
        pq.write_table(pa.Table.from_batches([first]), folder / "warm" / "claims.parquet")
    return folder


def _recipe() -> str:
    sources = sorted(path for pattern in MAKERS for path in ROOT.glob(pattern))
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:12]


def read_ground(folder: Path) -> tuple[Areas, Postcodes]:
    """Areas and postcodes of a folder that `make` made."""
    areas = read_areas(folder / "geography" / "lookup.csv", MADE_LEVELS)
    place = folder / "geography" / "postcodes.csv"
    return areas, read_postcodes(place, postcode=POSTCODE_COLUMN, area=POSTCODE_AREA, areas=areas)


def finest_cells(folder: Path) -> pa.Table:
    """The joint finest cells that the aggregation left in the folder."""
    return pq.read_table(folder / "cells.parquet")


def true_tables(folder: Path, names: Sequence[str] = DIMENSIONS) -> dict[str, Table]:
    """A true table by each of these dimensions, over one hierarchy."""
    hierarchy = hierarchy_of(read_ground(folder)[0])
    cells = finest_cells(folder)
    return {name: tabulate(cells, {name: dimension(name)}, hierarchy) for name in names}


def linked_tables(folder: Path) -> dict[str, Table]:
    """Five one-way tables of the same claims: those by each dimension, and one by a made-up variable of five values."""
    tables = true_tables(folder)
    first = next(iter(tables.values()))
    shares = np.array(FIFTH_SHARES) / sum(FIFTH_SHARES)
    finest = np.random.default_rng(FIFTH_SEED).multinomial(first.counts[0][:, -1], shares)
    classification = Classification(dimensions=(FIFTH,), categories=tuple((f"{FIFTH}{n}",) for n in range(len(shares))))
    fifth = Table.from_finest(hierarchy=first.hierarchy, classification=classification, finest=finest)
    return {**tables, FIFTH: fifth}
