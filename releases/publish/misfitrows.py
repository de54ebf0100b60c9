"""Rows of the extract that did not fit: too many of them stop a release, the others are listed for its reviewers."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from claimants.caseload import Caseload, CaseloadSpec
from claimants.faultyrows import BUCKETS_OF_MISFITS, MOST_PLACES, Misfit, locate_rows
from common.faults import Faults
from releases.publish.inputs import Inputs

__all__ = ["misfit_notices", "misfit_rows", "place_misfits"]

FAULTY = "faulty"
FIRST = 5
"""Rows of a file that a message names."""


def place_misfits(
    inputs: Inputs,
    spec: CaseloadSpec,
    caseload: Caseload,
    *,
    most_faulty: float,
    file: str,
    spill: Path,
    threads: int | None,
) -> tuple[Misfit, ...]:
    """Where the rows stand that did not fit, looked for only if there are any.

    Parameters
    ----------
    caseload : what was counted of `spec`.
    most_faulty : the share of the rows read that may be faulty: faulty <= most_faulty × rows read.
    file : the release file, for what is said of its keys.

    Raises
    ------
    InputError
        More rows are faulty, with one fault for each kind and file; or the extract has changed since it was counted.
    """
    if not any(caseload.buckets[bucket] for bucket in BUCKETS_OF_MISFITS):
        return ()
    misfits = locate_rows(
        inputs.extract,
        area_codes=inputs.areas.codes[0],
        postcodes=inputs.postcodes,
        spec=spec,
        spill=spill,
        threads=threads,
    )
    _refuse_changed(misfits, caseload, file)
    if caseload.buckets[FAULTY] > most_faulty * caseload.rows_read:
        _refuse_faulty(misfits, caseload, most_faulty, file)
    return misfits


def _refuse_changed(misfits: Sequence[Misfit], caseload: Caseload, file: str) -> None:
    faults = Faults(file)
    found = {bucket: sum(one.rows for one in misfits if one.bucket == bucket) for bucket in BUCKETS_OF_MISFITS}
    if any(found[bucket] != caseload.buckets[bucket] for bucket in BUCKETS_OF_MISFITS):
        mend = "publish again when nobody writes to it"
        faults.add("changed", "the extract has changed while it was read", mend, key="claims.path")
    faults.raise_if_any()


def _refuse_faulty(misfits: Sequence[Misfit], caseload: Caseload, most_faulty: float, file: str) -> None:
    faults = Faults(file)
    found = f"{caseload.buckets[FAULTY]:,} of {caseload.rows_read:,} rows are faulty, more than the share of {most_faulty:g}"
    faults.add("most faulty", found, "mend the rows named here, or allow more of them", key="claims.most_faulty")
    for misfit in misfits:
        if misfit.bucket != FAULTY:
            continue
        for name, rows in misfit.files.items():
            first = misfit.first(name, FIRST)
            others = f", first in rows {_listed(first)}" if rows > 1 else ""
            faults.add(
                misfit.words,
                f"{misfit.words} in {rows:,} {'rows' if rows > 1 else 'row'}{others}",
                misfit.mend,
                file=name,
                row=first[0] if first else None,
                column="' and '".join(misfit.columns),
            )
    faults.raise_if_any()


def _listed(rows: Iterable[int]) -> str:
    return ", ".join(map(str, rows))


def misfit_notices(misfits: Sequence[Misfit]) -> tuple[str, ...]:
    """Sentences for the reviewer: of each kind and file, the first rows."""
    names = _short_names(misfits)
    return tuple(
        f"{one.bucket}: {one.words}: {'rows' if rows > 1 else 'row'} {_listed(one.first(file, FIRST))} of {names[file]}"
        + (f" and {rows - FIRST:,} more" if rows > FIRST else "")
        for one in misfits
        for file, rows in one.files.items()
    )


def misfit_rows(misfits: Sequence[Misfit]) -> tuple[dict[str, object], ...]:
    """Rows of ``rows-that-did-not-fit.csv``: file, row, column, bucket and what was found; no value of a row.

    At most `MOST_PLACES` rows of each kind and file, and behind them how many more there are.
    """
    names = _short_names(misfits)
    listed: list[dict[str, object]] = []
    for one in misfits:
        about: dict[str, object] = {"column": " and ".join(one.columns), "bucket": one.bucket, "found": one.words}
        for file, rows in one.files.items():
            listed += [{"file": names[file], "row": row, **about} for row in one.first(file, MOST_PLACES)]
            if rows > MOST_PLACES:
                more = {"found": f"{one.words}: {rows - MOST_PLACES:,} rows more"}
                listed.append({"file": names[file], "row": None, **about, **more})
    return tuple(listed)


def _short_names(misfits: Sequence[Misfit]) -> dict[str, str]:
    """Files by their names from the folder that holds all of them."""
    files = sorted({file for one in misfits for file in one.files})
    if not files:
        return {}
    folder = os.path.commonpath([os.path.dirname(file) for file in files])
    return {file: os.path.relpath(file, folder) for file in files}
