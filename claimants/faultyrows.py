"""Where the rows stand that did not fit: the second look, taken only when some were counted.

Counting says how many rows are in each state and reads files in whatever order is fastest.  Here the same
rules are put to the same rows once more, read in order and numbered, and the first few places of
each state are kept.  A place is a file and a row; no value of a row is ever part of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ibis
import numpy as np

from claimants.caseload import CaseloadSpec, open_counted
from claimants.engine import DEFAULT_MEMORY, EngineRefusal, connect, fetch
from claimants.extract import ExtractSpec
from claimants.numberedrows import Numbered, open_numbered
from claimants.records import judge
from claimants.states import BUCKET_OF, WORDS, State

if TYPE_CHECKING:
    from geography.postcodes import Postcodes

__all__ = ["BUCKETS_OF_MISFITS", "MISFITTING", "MOST_PLACES", "Misfit", "locate_rows"]

MOST_PLACES = 1000
"""How many rows of a state are placed in each file."""
BUCKETS_OF_MISFITS = ("faulty", "unknown code", "no area")
MISFITTING = tuple(state for state, bucket in BUCKET_OF.items() if bucket in BUCKETS_OF_MISFITS)
"""States of rows that do not fit what they should say."""

PLACE = "the field of the place"
_AT_SOURCE = "fill it in at the source"
_A_DATE = "write dates in the form that [claims] dates declares"
# State → the fields concerned, and how to mend it.
_ABOUT: Mapping[State, tuple[tuple[str, ...], str]] = {
    State.BLANK_PLACE: ((PLACE,), _AT_SOURCE),
    State.UNKNOWN_POSTCODE: ((PLACE,), "correct it at the source, or use a newer lookup of postcodes"),
    State.UNKNOWN_AREA: ((PLACE,), "use a lookup of the vintage that the claims are coded to"),
    State.UNKNOWN_BENEFIT: (("benefit",), "add the spelling under [claims.values.benefit]"),
    State.UNKNOWN_SEX: (("sex",), "add the spelling under [claims.values.sex]"),
    State.NO_BIRTH_DATE: (("birth_date",), _AT_SOURCE),
    State.NO_AGE_BAND: (("birth_date",), "correct it at the source if the age is wrong"),
    State.NO_PERSON: (("person_reference",), _AT_SOURCE),
    State.NO_START: (("claim_start",), _AT_SOURCE),
    State.START_NO_DATE: (("claim_start",), _A_DATE),
    State.END_NO_DATE: (("claim_end",), _A_DATE),
    State.END_BEFORE_START: (("claim_start", "claim_end"), "correct either at the source"),
    State.BIRTH_NO_DATE: (("birth_date",), _A_DATE),
    State.BORN_LATER: (("birth_date",), "correct it at the source"),
}


@dataclass(frozen=True, kw_only=True)
class Misfit:
    """Rows of one state that did not fit.

    Attributes
    ----------
    state, bucket : what became of the rows.
    words : what was found, in words.
    columns : columns of the file that are concerned.
    mend : how to mend it.
    rows : how many rows there are.
    files : file → how many rows of it, in the order of the files.
    places : file and row (line of a CSV file, the header is line 1; row of a Parquet file from 1) of the first
        rows of each file, in order.
    """

    state: State
    words: str
    columns: tuple[str, ...]
    mend: str
    rows: int
    files: Mapping[str, int] = field(default_factory=dict)
    places: tuple[tuple[str, int], ...] = ()

    @property
    def bucket(self) -> str:
        """The bucket that the rows are in."""
        return BUCKET_OF[self.state]

    def first(self, file: str, most: int) -> list[int]:
        """The first rows in a file."""
        return [row for name, row in self.places if name == file][:most]


@ibis.udf.agg.builtin(name="min")  # type: ignore[untyped-decorator]
def _smallest(number: int, most: int) -> list[int]:  # type: ignore[empty-body]
    """The smallest few numbers."""


def locate_rows(
    extract: ExtractSpec,
    *,
    area_codes: np.ndarray,
    postcodes: "Postcodes | None",
    spec: CaseloadSpec,
    most: int = MOST_PLACES,
    spill: Path | None = None,
    memory: str = DEFAULT_MEMORY,
    threads: int | None = None,
) -> tuple[Misfit, ...]:
    """Where the rows stand that `claimants.caseload.count_caseload` of the same arguments puts into `MISFITTING` states.

    Runs on DuckDB whichever engine counted.

    Parameters
    ----------
    most : rows that are placed of each state in each file; all are counted.

    Returns
    -------
    One `Misfit` for each state that has rows, in the order of the states.

    Raises
    ------
    InputError
        The extract can no longer be read, or memory does not suffice.
    ValueError
        `most` is less than 1.
    """
    if most < 1:
        raise ValueError(f"most ({most}) must be at least 1")
    with connect(engine="duckdb", spill=spill, memory=memory, threads=threads) as connection:
        opened = open_counted(connection, extract, spec, postcodes is not None)
        try:
            numbered = open_numbered(connection, opened)  # type: ignore[arg-type]
            rows = judge(
                connection,
                numbered.extract,
                reference_date=spec.reference_date,
                dimensions=spec.counted_by,
                area_codes=area_codes,
                postcodes=postcodes,
                policy=spec.policy,
                non_claimants=spec.non_claimants,
            )
            found = fetch(connection, _query(rows, most)).to_pylist()
            refused = False
        except EngineRefusal:
            refused = True
        if refused:
            raise opened.explain_refusal()
    return _misfits(found, numbered, "output_area" if postcodes is None else "postcode")


def _query(rows: Any, most: int) -> Any:
    """Rows that do not fit.  Grain: state × file; columns `state`, `source_file`, `rows`, `first` (numbers of rows)."""
    misfits = rows.filter(rows.state.isin([int(state) for state in MISFITTING]))
    return misfits.group_by("state", "source_file").aggregate(
        rows=misfits.count(), first=_smallest(misfits.source_row, most)
    )


def _misfits(found: list[dict[str, Any]], numbered: Numbered, place: str) -> tuple[Misfit, ...]:
    spec = numbered.extract.spec
    by_state: dict[State, dict[str, dict[str, Any]]] = {}
    for one in found:
        by_state.setdefault(State(one["state"]), {})[one["source_file"]] = one
    files = [str(layout.path) for layout in numbered.extract.layouts]
    misfits = []
    for state in sorted(by_state):
        fields, mend = _ABOUT[state]
        of = {file: by_state[state][file] for file in files if file in by_state[state]}
        places = [(file, row) for file, one in of.items() for row in numbered.places(file, one["first"])]
        misfits.append(
            Misfit(
                state=state,
                words=WORDS[state].removeprefix(f"{BUCKET_OF[state]}: "),
                columns=tuple(spec.column(place if name == PLACE else name) for name in fields),
                mend=mend,
                rows=sum(one["rows"] for one in of.values()),
                files={file: one["rows"] for file, one in of.items()},
                places=tuple(places),
            )
        )
    return tuple(misfits)
