"""How many people of a batch meet criteria: the one true figure that batch validation has, told to `draw_share` alone.

A person meets the criteria if one row of the extract does.  Such a row was not erased,
not even in part, has a person reference and dates that are dates and in order, is live on the
date, has a benefit of the code list, and falls into a wanted category of every dimension
asked about.  Where the claimant lives has no say, so the place is not read.

Of people under special protection nothing is told, so they meet no criteria: to whoever asks
they are people whom the extract does not hold (`claimants.protection`).
"""

import contextlib
import datetime as dt
import functools
import operator
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import ibis
import pyarrow as pa

from claimants.batchcriteria import Criteria, criteria_needs
from claimants.dates import as_date, whole_months_before
from claimants.dimensions import Dimension, dimension, normal_code
from claimants.engine import DEFAULT_MEMORY, EngineRefusal, connect, fetch, keep_table
from claimants.erasure import NOT_ERASED, erasure_needs, erasure_of, weak_erasure_needs
from claimants.extract import Extract, ExtractSpec, open_extract
from claimants.protection import marked, with_protected
from claimants.text import as_code, is_blank, trimmed
from common.faults import Faults

__all__ = ["count_meeting"]


def count_meeting(
    extract: ExtractSpec,
    references: Iterable[str],
    criteria: Criteria,
    *,
    reference_date: dt.date,
    memory: str = DEFAULT_MEMORY,
    threads: int | None = None,
    spill: Path | None = None,
) -> int:
    """How many of the people with these references meet the criteria on the date.  A true count: tell it nobody.

    Raises
    ------
    InputError
        The extract cannot be read, lacks a column or holds no row; memory does not suffice.
    """
    with connect(spill=spill, memory=memory, threads=threads) as connection:
        opened = _open(connection, extract, criteria)
        batch = keep_table(connection, "batch", pa.table({"reference": pa.array(sorted(set(references)), pa.string())}))
        parts = [
            part.select(
                person=trimmed(part.person_reference),
                meets=_meets(part, extract, criteria, reference_date),
                marked=marked(part, extract),
            )
            for part in opened.parts
        ]
        rows = parts[0] if len(parts) == 1 else ibis.union(*parts, distinct=False)
        joined = with_protected(rows, rows).left_join(batch, ibis._.person == batch.reference)
        meeting = joined.person.nunique(where=joined.meets & joined.reference.notnull() & ~joined.protected)
        answer = None
        with contextlib.suppress(EngineRefusal):
            answer = fetch(connection, joined.aggregate(meeting=meeting, rows=joined.count())).to_pylist()[0]
        if answer is None:
            raise opened.explain_refusal()
    if answer["rows"] == 0:
        faults = Faults(", ".join(map(str, extract.paths)))
        faults.add("empty file", "the extract has no rows", "write the extract again")
        faults.raise_if_any()
    return int(answer["meeting"])


def _open(connection: Any, extract: ExtractSpec, criteria: Criteria) -> Extract:
    needs = criteria_needs(criteria)
    have = {need.field for need in needs}
    decisive = [need for need in erasure_needs() if need.field not in have]
    opened = open_extract(connection, extract, [*needs, *decisive])
    if {need.field for need in erasure_needs()} <= set(opened.absent):
        opened = open_extract(connection, extract, [*needs, *decisive, *weak_erasure_needs()])
    return opened


def _meets(part: Any, spec: ExtractSpec, criteria: Criteria, reference: dt.date) -> Any:
    """Whether a row of a part of an extract meets all criteria: never missing, so that it can be filtered by."""
    date = ibis.literal(reference)
    start, _ = as_date(part.claim_start, spec.dates)
    end, no_end = as_date(part.claim_end, spec.dates)
    over = end < date if spec.end == "inclusive" else end <= date
    open_or_later = no_end | (end.notnull() & (end >= start) & ~over)
    conditions = [
        erasure_of(part) == NOT_ERASED,
        ~is_blank(trimmed(part.person_reference)),
        start <= date,
        open_or_later,
        _is_code(part.benefit, dimension("benefit"), criteria.allowed.get("benefit"), spec),
    ]
    if "sex" in criteria.allowed:
        conditions.append(_is_code(part.sex, dimension("sex"), criteria.allowed["sex"], spec))
    if "duration_band" in criteria.allowed:
        conditions.append(_in_bands(start, dimension("duration_band"), criteria.allowed["duration_band"], reference))
    if "age_band" in criteria.allowed:
        birth, _ = as_date(part.birth_date, spec.dates)
        conditions.append(_in_bands(birth, dimension("age_band"), criteria.allowed["age_band"], reference))
    return functools.reduce(operator.and_, (condition.fill_null(False) for condition in conditions))


def _is_code(column: Any, wanted: Dimension, allowed: tuple[int, ...] | None, spec: ExtractSpec) -> Any:
    """Whether a coded field is written in a way that stands for a category of `allowed`, of any if None."""
    spellings = dict(wanted.spellings)
    faults = Faults()
    for text, code in spec.values.get(wanted.field, {}).items():
        if code in wanted.categories:
            spellings[normal_code(text)] = wanted.categories.index(code)
        else:
            mend, key = f"use one of {', '.join(wanted.categories)}", f"claims.values.{wanted.field}"
            faults.add("unknown code", f"'{code}' is not in the code list", mend, key=key)
    faults.raise_if_any()
    texts = [text for text, index in spellings.items() if allowed is None or index in allowed]
    return as_code(column).fill_null("").isin(texts)


def _in_bands(date: Any, wanted: Dimension, allowed: tuple[int, ...], reference: dt.date) -> Any:
    """Whether a date falls into one of the bands: cut-off of the next band < date <= cut-off of its own."""
    cutoffs = wanted.cutoffs(reference)
    past = None if wanted.stop is None else whole_months_before(reference, wanted.stop)
    ends = [*cutoffs[1:], past]
    inside = []
    for index in allowed:
        reached = date <= ibis.literal(cutoffs[index])
        after = ends[index]
        inside.append(reached if after is None else reached & (date > ibis.literal(after)))
    return functools.reduce(operator.or_, inside)
