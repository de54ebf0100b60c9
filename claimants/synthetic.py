"""Made-up extracts of claims, of any size, with the trouble that real ones have.

The claims that will be counted on the reference date are laid out first, so many
for each area; rows that will not be counted come on top, each kind with its
share, so that the bucket of every row is known.  Everything is drawn by the array
and written by the chunk; the same specification gives the same files.
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from claimants.claimrows import KINDS, Kind, Rows, draw_rows
from claimants.claimtable import Places, claim_table
from claimants.madeconsent import consent_columns
from claimants.matching import scatter
from claimants.states import BUCKETS
from common.progress import SILENT, Progress

if TYPE_CHECKING:
    from geography.postcodes import Postcodes

__all__ = ["Made", "SyntheticSpec", "Trouble", "homes", "make_records"]

CHUNK_ROWS = 250_000
NEW_PERSON = 0.8
MOST_CLAIMS = 4


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """Share of all rows that is of each kind, and share that is oddly written; the rest is counted."""

    ended: float = 0.12
    late: float = 0.03
    erased: float = 0.01
    duplicate: float = 0.006
    blank_place: float = 0.005
    unknown_place: float = 0.01
    unknown_benefit: float = 0.003
    faulty: float = 0.004
    odd_spelling: float = 0.1

    def __post_init__(self) -> None:
        shares = [getattr(self, item.name) for item in fields(self)]
        if min(shares) < 0 or max(shares) > 1:
            raise ValueError("shares of trouble must be from 0 to 1")
        if self.total >= 1:
            raise ValueError(f"shares of trouble ({self.total:g} together) must be less than 1")

    @property
    def total(self) -> float:
        """Share of rows that will not be counted."""
        return float(sum(getattr(self, kind.name.lower()) for kind in KINDS))


@dataclass(frozen=True, kw_only=True)
class SyntheticSpec:
    """An extract to be made.

    Attributes
    ----------
    size : rows, trouble included; None where counts by area are given.
    reference_date : the date on which the claims are to be counted, whether ends are inclusive or exclusive.
    format : "csv" (dates as text) or "parquet" (dates as dates).
    files : how many files of about equal size.
    consent : whether markers of drug and alcohol misuse and the consent that stands for markers are made too.
    """

    reference_date: dt.date
    size: int | None = None
    seed: int = 1
    format: str = "csv"
    files: int = 1
    consent: bool = False
    trouble: Trouble = field(default_factory=Trouble)

    def __post_init__(self) -> None:
        if self.size is not None and not 1 <= self.size < 500_000_000:
            raise ValueError(f"size ({self.size}) must be from 1 to 499,999,999")
        if self.format not in ("csv", "parquet"):
            raise ValueError(f"format ({self.format}) must be csv or parquet")
        if self.files < 1:
            raise ValueError(f"files ({self.files}) must be at least 1")
        if not 1950 <= self.reference_date.year <= 2100:
            raise ValueError(f"reference_date ({self.reference_date}) must be from 1950 to 2100")


@dataclass(frozen=True, kw_only=True)
class Made:
    """What was made: files, rows, the buckets that counting claims will find, and counted claims by area."""

    paths: tuple[Path, ...]
    rows: int
    buckets: Mapping[str, int]
    counts: np.ndarray


def homes(area_codes: np.ndarray, postcodes: "Postcodes | None") -> np.ndarray:
    """Number of postcodes of each smallest area; 1 each where claims carry output areas."""
    if postcodes is None:
        return np.ones(len(area_codes), dtype=np.int64)
    return np.bincount(postcodes.area, minlength=len(area_codes))


def make_records(
    spec: SyntheticSpec,
    *,
    folder: Path,
    area_codes: np.ndarray,
    postcodes: "Postcodes | None",
    counts: np.ndarray | None = None,
    progress: Progress = SILENT,
) -> Made:
    """Make an extract in `folder`, as claims.csv (or .parquet), numbered if there are several files.

    Parameters
    ----------
    area_codes : codes of the smallest areas, of shape (n,).
    postcodes : where given, claims carry postcodes; else output areas.
    counts : int64 of shape (n,): claims to be counted in each area
        (`matching.match_counts`); None scatters `spec.size` over the areas.

    Raises
    ------
    ValueError
        Both or neither of `counts` and `spec.size` are given, or claims are
        due in an area without a postcode.
    """
    if (counts is None) is (spec.size is None):
        raise ValueError("either size or counts must be given")
    room = homes(area_codes, postcodes)
    rows_of_kind, counts = _amounts(spec, counts, room)
    if np.any(counts[room == 0] > 0):
        raise ValueError("areas without a postcode must have no claims")
    places = Places.of(area_codes, postcodes)
    layout = _people(counts, np.random.default_rng([spec.seed, 1]))
    chunks = -(-max(1, -(-int(counts.sum() + sum(rows_of_kind.values())) // CHUNK_ROWS)) // spec.files) * spec.files
    folder.mkdir(parents=True, exist_ok=True)
    progress.step("Making claims", total=chunks)
    tally = np.zeros(len(Kind), dtype=np.int64)
    paths = []
    for number in range(spec.files):
        path = folder / (f"claims.{spec.format}" if spec.files == 1 else f"claims-{number + 1:03d}.{spec.format}")
        own = range(number * chunks // spec.files, (number + 1) * chunks // spec.files)
        _write(path, spec.format, _tables(spec, own, chunks, layout, rows_of_kind, places, tally, progress))
        paths.append(path)
    buckets = dict.fromkeys(BUCKETS, 0)
    for kind in Kind:
        buckets[kind.bucket] += int(tally[kind])
    return Made(paths=tuple(paths), rows=int(tally.sum()), buckets=buckets, counts=counts)


def _amounts(spec: SyntheticSpec, counts: np.ndarray | None, room: np.ndarray) -> tuple[dict[Kind, int], np.ndarray]:
    """Rows of each kind of trouble, and counted claims by area."""
    shares: dict[Kind, float] = {kind: getattr(spec.trouble, kind.name.lower()) for kind in KINDS}
    if counts is not None:
        size = round(int(counts.sum()) / (1 - spec.trouble.total))
        return {kind: int(share * size) for kind, share in shares.items()}, np.asarray(counts, dtype=np.int64)
    size = spec.size or 0
    rows = {kind: int(share * size) for kind, share in shares.items()}
    return rows, scatter(size - sum(rows.values()), room, np.random.default_rng([spec.seed, 0]))


@dataclass(frozen=True, kw_only=True)
class _People:
    """Persons with counted claims, in random order: area (int32) and number of claims (int8) of each."""

    area: np.ndarray
    claims: np.ndarray


def _people(counts: np.ndarray, rng: np.random.Generator) -> _People:
    """Cut the claims of each area into persons with one to four claims each."""
    area = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
    if not len(area):
        return _People(area=area, claims=np.zeros(0, np.int8))
    new = rng.random(len(area), dtype=np.float32) < NEW_PERSON
    new[0] = True
    new[1:] |= area[1:] != area[:-1]
    place = np.arange(len(area), dtype=np.int64)
    new |= (place - np.maximum.accumulate(np.where(new, place, 0))) % MOST_CLAIMS == 0
    first = np.flatnonzero(new)
    claims = np.diff(first, append=len(area)).astype(np.int8)
    order = rng.permutation(len(first))
    return _People(area=area[first][order], claims=claims[order])


def _tables(
    spec: SyntheticSpec,
    own: range,
    chunks: int,
    people: _People,
    rows_of_kind: Mapping[Kind, int],
    places: Places,
    tally: np.ndarray,
    progress: Progress,
) -> Iterator[pa.Table]:
    """The chunks of one file, one table each; adds the kinds of their rows to `tally`."""
    persons, troubled = len(people.area), 0
    starts = {chunk: sum(rows * chunk // chunks for rows in rows_of_kind.values()) for chunk in own}
    for chunk in own:
        low, high = persons * chunk // chunks, persons * (chunk + 1) // chunks
        amounts = {kind: rows * (chunk + 1) // chunks - rows * chunk // chunks for kind, rows in rows_of_kind.items()}
        troubled = starts[chunk]
        rng = np.random.default_rng([spec.seed, 2, chunk])
        rows: Rows = draw_rows(
            area=people.area[low:high],
            claims=people.claims[low:high],
            first_person=low,
            first_stranger=persons + troubled,
            amounts=amounts,
            homes=places.homes,
            reference=spec.reference_date,
            rng=rng,
        )
        tally += np.bincount(rows.kind, minlength=len(tally))
        as_text = spec.format == "csv"
        table = claim_table(rows, places, spec.reference_date, spec.trouble.odd_spelling, as_text, rng)
        if spec.consent:
            # Drawn apart, so that the other columns are the same without it.
            own_rng = np.random.default_rng([spec.seed, 3, chunk])
            for name, column in consent_columns(rows, spec.reference_date, as_text, own_rng).items():
                table = table.append_column(name, column)
        yield table
        progress.advance()


def _write(path: Path, form: str, tables: Iterator[pa.Table]) -> None:
    first = next(tables)
    if form == "csv":
        with pacsv.CSVWriter(path, first.schema) as writer:
            writer.write_table(first)
            for table in tables:
                writer.write_table(table)
        return
    with pq.ParquetWriter(path, first.schema) as parquet:
        parquet.write_table(first)
        for table in tables:
            parquet.write_table(table)
