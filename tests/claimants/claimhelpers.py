"""Small extracts for the tests: three areas, a handful of postcodes, one plain claim to alter."""

import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from claimants.caseload import Caseload, CaseloadSpec, count_caseload
from claimants.consent import Policy
from claimants.dimensions import SENSITIVE, dimension
from claimants.extract import ExtractSpec
from geography.postcodes import Postcodes

AREAS = np.array(["E00000001", "E00000002", "E00000003"])
POSTCODES = Postcodes(
    postcodes=np.array(["AA11AA", "AA11AB", "BB22BB", "CC33CC"]), area=np.array([0, 0, 1, 2], dtype=np.int32)
)
LOOKUP = dict(zip(POSTCODES.postcodes.tolist(), POSTCODES.area.tolist(), strict=True))
DAY = dt.date(2026, 5, 31)
PLAIN = {
    "person_reference": "P1",
    "surname": "Canaryson",
    "forename": "Canarella",
    "birth_date": "1990-06-15",
    "sex": "F",
    "postcode": "AA1 1AA",
    "benefit": "UC",
    "claim_start": "2026-01-10",
    "claim_end": "",
    "notes": "canary notes",
}


def claims(*changes: Mapping[str, object]) -> pd.DataFrame:
    """One plain claim for each set of changes, each of another person unless the changes say otherwise."""
    return pd.DataFrame([PLAIN | {"person_reference": f"P{row}"} | dict(change) for row, change in enumerate(changes)])


def count(
    where: Path,
    frame: pd.DataFrame | None,
    *,
    by: Sequence[str] = (),
    people: bool = False,
    beside: bool = False,
    day: dt.date = DAY,
    postcodes: Postcodes | None = POSTCODES,
    threads: int | None = 1,
    policy: Policy | None = None,
    purpose: str = "counting",
    non_claimants: bool = False,
    engine: str = "duckdb",
    spill: Path | None = None,
    **spec: object,
) -> Caseload:
    """Write the frame as CSV (unless None) and count it."""
    if frame is not None:
        where = where / "claims.csv"
        frame.to_csv(where, index=False)
    return count_caseload(
        ExtractSpec(paths=(where,), **spec),
        area_codes=AREAS,
        postcodes=postcodes,
        spec=CaseloadSpec(
            reference_date=day,
            count="people" if people else "claims",
            dimensions=tuple(dimension(name, purpose=purpose if name in SENSITIVE else "counting") for name in by),
            beside_people=beside,
            policy=policy,
            non_claimants=non_claimants,
        ),
        engine=engine,
        spill=spill,
        threads=threads,
    )


def cells(caseload: Caseload) -> dict[tuple[int, ...], int]:
    """The cells of a caseload as {(area, categories …): count}."""
    return {tuple(row[:-1]): row[-1] for row in zip(*caseload.cells.to_pydict().values(), strict=True)}


def filled(caseload: Caseload) -> dict[str, int]:
    """The buckets that hold a row."""
    return {bucket: rows for bucket, rows in caseload.buckets.items() if rows}
