"""The caseload on a reference date: claims or people, by smallest area and dimensions."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from claimants.besidepeople import claims_beside_people_query
from claimants.consent import Policy
from claimants.counting import KEYS, Tally, claims_query, people_query, tally_claims, tally_people
from claimants.dimensions import Dimension, with_no_benefit
from claimants.engine import DEFAULT_ENGINE, DEFAULT_MEMORY, EngineRefusal, connect, fetch
from claimants.erasure import erasure_needs, weak_erasure_needs
from claimants.extract import Extract, ExtractSpec, open_extract
from claimants.places import area_form
from claimants.protection import PROTECTION
from claimants.recordkeys import RecordKeys, keep_secret, with_record_keys
from claimants.records import Shape, judge, record_needs
from claimants.states import SPECIALLY_PROTECTED, WORDS, State, in_order
from claimants.text import as_code
from common.faults import Faults
from common.progress import SILENT, Progress

if TYPE_CHECKING:
    from geography.postcodes import Postcodes

__all__ = [
    "Caseload",
    "CaseloadSpec",
    "count_caseload",
    "notices_of",
    "open_counted",
    "refuse_areas",
    "refuse_nothing",
]


@dataclass(frozen=True, kw_only=True)
class CaseloadSpec:
    """What is counted.

    Attributes
    ----------
    reference_date : a claim is live on it if start <= date and it has no end,
        or end >= date (extract's end `inclusive`), or end > date (`exclusive`).
    count : "claims", or "people": each person once, by the claim that stands for them.
    dimensions : of the joint table; for people, what a dimension of the claim
        says is said by the claim that stands for the person.
    beside_people : count claims so that they fit people counted by the same dimensions: of each
        benefit one a person, in the person's area (`claimants.besidepeople`).
    policy : whose markers may count (`claimants.consent`); sensitive dimensions need one.
    non_claimants : count people who claim nothing and may be held, in the category "No benefit", which benefits and client
        groups then have beside their own.  By default they are in a bucket of their own.

    Raises
    ------
    ValueError
        `count` is neither, a dimension comes twice, client groups or combinations of
        benefits, which place persons, are asked for claims, or people are to stand beside people;
        a sensitive dimension is asked for without a policy, or with one that is not valid yet on the reference date;
        or combinations of benefits are asked for with people who have none.
    """

    reference_date: dt.date
    count: str = "claims"
    dimensions: tuple[Dimension, ...] = ()
    beside_people: bool = False
    policy: Policy | None = None
    non_claimants: bool = False

    def __post_init__(self) -> None:
        if self.count not in ("claims", "people"):
            raise ValueError(f"count ({self.count}) must be claims or people")
        names = [dimension.name for dimension in self.dimensions]
        if len(set(names)) != len(names):
            raise ValueError(f"dimensions ({', '.join(names)}) must be all different")
        placing = [dimension.name for dimension in self.dimensions if dimension.of_all_claims]
        if self.count == "claims" and placing:
            raise ValueError(f"dimensions ({', '.join(placing)}) must not be asked for claims: they place persons")
        if self.beside_people and self.count != "claims":
            raise ValueError("beside_people must be asked of claims alone")
        sensitive = [dimension.name for dimension in self.dimensions if dimension.sensitive]
        if sensitive and self.policy is None:
            raise ValueError(f"policy must be given: {', '.join(sensitive)} must not be counted without one")
        if sensitive and self.policy is not None and self.reference_date < self.policy.valid_from:
            raise ValueError(
                f"policy (valid from {self.policy.valid_from.isoformat()}) must be valid on the reference date"
            )
        if self.non_claimants and "benefit_combination" in names:
            raise ValueError("non_claimants must not be asked for by benefit_combination: they have no benefit")

    @property
    def counted_by(self) -> tuple[Dimension, ...]:
        """The dimensions of the cells: as asked for, with "No benefit" where people who claim nothing are counted."""
        return tuple(map(with_no_benefit, self.dimensions)) if self.non_claimants else self.dimensions


@dataclass(frozen=True, kw_only=True)
class Caseload:
    """True counts of the smallest areas: for `sdc` and the reviewer, not for publication.

    Attributes
    ----------
    cells : columns `area` (int32, index into the area codes), one int16 column
        per dimension (index into its categories), `count` (int64, >= 1) and, where
        record keys were asked for, `ckey` (int64, sum of the record keys of those
        counted, modulo their range), sorted by area and then by the dimensions;
        what is not there is zero.
    buckets : where every row went, in fixed order; for people, and claims beside people, with one bucket more, and with
        those of people who are in no area's figures where they can occur.
    rows_read : rows of the extract, equal to the sum of the buckets.
    notices : sentences for the reviewer, some with true counts.
    """

    cells: pa.Table
    dimensions: tuple[Dimension, ...]
    buckets: Mapping[str, int]
    rows_read: int
    notices: tuple[str, ...]


def count_caseload(
    extract: ExtractSpec,
    *,
    area_codes: np.ndarray,
    postcodes: "Postcodes | None",
    spec: CaseloadSpec,
    record_keys: RecordKeys | None = None,
    progress: Progress = SILENT,
    engine: str = DEFAULT_ENGINE,
    spill: Path | None = None,
    memory: str = DEFAULT_MEMORY,
    threads: int | None = None,
) -> Caseload:
    """Count the caseload of an extract in one pass over the columns that it takes.

    Parameters
    ----------
    area_codes : codes of the smallest areas, text of shape (n,), sorted.
    postcodes : lookup from postcodes to indices of `area_codes`; None if the
        extract has the code of the smallest area itself (field output_area).
    record_keys : asks for sums of record keys beside the counts, for the cell key method.
    engine : "duckdb" or "spark" (`claimants.engine`); the answer is the same.
    spill : folder for what does not fit into memory; None forbids writing anything, which Spark cannot do.

    Raises
    ------
    InputError
        The extract cannot be read, lacks a column, holds no row, or names
        output areas that `area_codes` lacks; memory does not suffice.
    ValueError
        Record keys are asked for of claims beside people.
    """
    if spec.beside_people and record_keys is not None:
        raise ValueError("record_keys must not be asked for beside_people: cell keys do not keep people <= claims")
    progress.step("Counting claims", total=1)
    with connect(engine=engine, spill=spill, memory=memory, threads=threads) as connection:
        opened = open_counted(connection, extract, spec, postcodes is not None)
        rows = judge(
            connection,
            opened,
            reference_date=spec.reference_date,
            dimensions=spec.counted_by,
            area_codes=area_codes,
            postcodes=postcodes,
            policy=spec.policy,
            non_claimants=spec.non_claimants,
        )
        shape = Shape(areas=len(area_codes), dimensions=spec.counted_by, non_claimants=spec.non_claimants)
        try:
            tally = _tally(connection, rows, shape, spec, record_keys)
            refused = False
        except EngineRefusal:
            refused = True
        if refused:
            raise opened.explain_refusal()
        if State.UNKNOWN_AREA in tally.states:
            refuse_areas(connection, rows, opened)
    occurring = [SPECIALLY_PROTECTED] if any(PROTECTION in part.columns for part in opened.parts) else []
    rows_read = sum(tally.buckets.values())
    if opened.rows is not None and rows_read != opened.rows:
        raise RuntimeError(f"buckets hold {rows_read} rows, the files {opened.rows}")
    refuse_nothing(rows_read, opened)
    progress.advance()
    return Caseload(
        cells=_cells(tally, shape, record_keys),
        dimensions=spec.counted_by,
        buckets=in_order(tally.buckets, *occurring),
        rows_read=rows_read,
        notices=tuple(notices_of(tally, opened)),
    )


def open_counted(connection: Any, extract: ExtractSpec, spec: CaseloadSpec, by_postcode: bool) -> Extract:
    """The extract, opened for the fields that a caseload of the spec needs; raises as `open_extract` does."""
    needs = record_needs(spec.dimensions, postcodes=by_postcode)
    opened = open_extract(connection, extract, needs)
    if {need.field for need in erasure_needs()} <= set(opened.absent):
        opened = open_extract(connection, extract, [*needs, *weak_erasure_needs()])
    return opened


def _tally(connection: Any, rows: Any, shape: Shape, spec: CaseloadSpec, keys: RecordKeys | None) -> Tally:
    keyed = None
    if keys is not None:
        keyed = partial(with_record_keys, secret=keep_secret(connection, keys), key_range=keys.key_range)
    if spec.beside_people:
        return tally_claims(fetch(connection, claims_beside_people_query(rows, shape, spec.reference_date)))
    if spec.count == "claims":
        return tally_claims(fetch(connection, claims_query(rows, keyed)))
    return tally_people(fetch(connection, people_query(rows, shape, spec.reference_date, keyed)))


def _cells(tally: Tally, shape: Shape, keys: RecordKeys | None) -> pa.Table:
    names = ["area", *(dimension.name for dimension in shape.dimensions), "count"]
    columns = [*shape.unpack(tally.cells), tally.counts]
    if keys is not None and tally.keys is not None:
        names, columns = [*names, KEYS], [*columns, tally.keys % keys.key_range]
    return pa.table(dict(zip(names, columns, strict=True)))


def refuse_areas(connection: Any, rows: Any, opened: Extract) -> None:
    """Raise for output areas that the lookup lacks, naming those that have the form of a code."""
    codes = rows.filter(rows.state == int(State.UNKNOWN_AREA)).select(code=as_code(rows.place)).distinct()
    faults = Faults(", ".join(map(str, opened.spec.paths)))
    column, mend = (opened.spec.column("output_area"), "use a lookup of the vintage that the claims are coded to")
    found = sorted(fetch(connection, codes).column("code").to_pylist())
    for code in found:
        if area_form(code):
            faults.add("area missing", f"area {code} is not in the lookup", mend, column=column)
    strange = sum(not area_form(code) for code in found)
    if strange:
        # What has not the form of a code may be anything, a person's postcode too.
        mend = "name the column that holds codes of output areas under [claims.columns]"
        faults.add("area missing", f"{strange} different values have not the form of an area code", mend, column=column)
    faults.raise_if_any()


def refuse_nothing(rows_read: int, opened: Extract) -> None:
    """Raise for an extract without a row."""
    if rows_read == 0:
        faults = Faults(", ".join(map(str, opened.spec.paths)))
        faults.add("empty file", "the extract has no rows", "write the extract again")
        faults.raise_if_any()


def notices_of(tally: Tally, opened: Extract) -> list[str]:
    """Sentences for the reviewer on what was counted and what could not be told."""
    lines = [
        f"{tally.states[state]} rows: {WORDS[state]}" for state in State if tally.states.get(state) and state in WORDS
    ]
    if tally.disagreeing:
        lines.append(
            f"{tally.disagreeing} claims stand there more than once and their copies differ: "
            "the one of the smallest area code and first categories counts"
        )
    if tally.moved:
        lines.append(
            f"{tally.moved} claims are counted in the area of the claim of their person that started last, not in their own: "
            "beside people, all claims of a person stand where the person is counted"
        )
    decisive = [need.field for need in erasure_needs()]
    absent = [field for field in decisive if field in opened.absent]
    if absent:
        lines.append(f"signs of erasure that (part of) the extract does not have: {', '.join(absent)}")
    if len(absent) == len(decisive):
        weak = [need.field for need in weak_erasure_needs()]
        if {"status", "employment_status"} & set(opened.absent):
            lines.append("records that were erased cannot be told from others in (part of) this extract")
        else:
            have = ", ".join(field for field in weak if field not in opened.absent)
            lines.append(f"records count as erased where all of these say so: {have}")
    if PROTECTION in opened.absent:
        lines.append("specially handled records cannot be told from others in (part of) this extract")
    unread = [need.field for need in opened.needs if need.purpose == "consent" and need.field in opened.absent]
    unread = [field for field in unread if field != "consent_to_hold"]
    if unread and any(need.field == "consent_form" for need in opened.needs):
        lines.append(
            f"fields on consent that (part of) the extract does not have: {', '.join(unread)}; "
            "what would count by them is not stated"
        )
    return lines
