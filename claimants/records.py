"""Rows of an extract to rows that can be counted: one state and one cell each.

What a row can tell by itself is told here, as Ibis expressions over all rows at
once.  A cell is one whole number: the index of the area, then of each
category, in mixed radix, so that grouping later compares numbers and not text.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Any

import ibis
import numpy as np
import pyarrow as pa

from claimants.consent import Policy
from claimants.consentrows import consent_needs, hold_columns, hold_needs, sensitive_columns, with_allowed, with_held
from claimants.dates import as_date, whole_months_before
from claimants.dimensions import Dimension, dimension, no_benefit_spellings, normal_code, with_no_benefit
from claimants.engine import keep_table
from claimants.erasure import PARTLY, WHOLLY, erasure_needs, erasure_of
from claimants.extract import Extract, ExtractSpec, Need
from claimants.numberedrows import SOURCE
from claimants.places import locate
from claimants.protection import PROTECTION, marked, protection_needs, with_protected
from claimants.states import State
from claimants.text import as_code, is_blank, trimmed
from common.faults import Faults

if TYPE_CHECKING:
    from geography.postcodes import Postcodes

__all__ = ["MOST_DAYS", "NO_BENEFIT_INDEX", "Shape", "judge", "record_needs"]

NO_CATEGORY = -1
# The index of `NO_BENEFIT`, behind that of every benefit.
NO_BENEFIT_INDEX = len(dimension("benefit").categories)
# More days than there are between two dates.
MOST_DAYS = 1 << 22


@dataclass(frozen=True, kw_only=True)
class Shape:
    """The shape of the joint table: areas × categories of each dimension.

    `non_claimants`: rows of people who claim nothing are counted too.

    Raises
    ------
    ValueError
        There are more cells than a 64-bit number of days and cells can hold.
    """

    areas: int
    dimensions: tuple[Dimension, ...]
    non_claimants: bool = False

    def __post_init__(self) -> None:
        # Counts of people rank claims by days since their start and cell in one number: rows of no claim by up to
        # 3,652,058 + MOST_DAYS days, less than 2**23.
        if self.cells >= 1 << 40:
            raise ValueError(f"cells ({self.cells}) must be less than {1 << 40}: ask for fewer dimensions at once")

    @property
    def sizes(self) -> tuple[int, ...]:
        """Number of areas, then of categories of each dimension."""
        return (self.areas, *(len(dimension.categories) for dimension in self.dimensions))

    @property
    def cells(self) -> int:
        """Number of cells of the joint table."""
        return reduce(lambda product, size: product * size, self.sizes, 1)

    @property
    def strides(self) -> tuple[int, ...]:
        """What one step of the area, then of each dimension, adds to the number of a cell."""
        sizes = self.sizes
        return tuple(reduce(lambda product, size: product * size, sizes[i + 1 :], 1) for i in range(len(sizes)))

    def unpack(self, cells: np.ndarray) -> list[np.ndarray]:
        """Numbers of cells, int64 of shape (n,), to int32 areas and int16 categories, each of shape (n,)."""
        parts = []
        rest = cells
        for stride in self.strides[:-1]:
            part, rest = np.divmod(rest, stride)
            parts.append(part)
        parts.append(rest)
        return [parts[0].astype(np.int32), *(part.astype(np.int16) for part in parts[1:])]


def record_needs(dimensions: Sequence[Dimension], *, postcodes: bool, protection: bool = True) -> list[Need]:
    """The fields that a caseload needs, and no other; with `protection` those that keep people out of it, if there.

    Sensitive dimensions are read for their own purpose, and with the fields that say whether they may count.
    """
    names = {dimension.name for dimension in dimensions}
    needs = [
        Need(field="person_reference", purpose="linking"),
        Need(field="benefit", purpose="counting"),
        Need(field="claim_start", purpose="counting", date=True),
        Need(field="claim_end", purpose="counting", date=True),
        Need(field="postcode" if postcodes else "output_area", purpose="placing"),
    ]
    if "age_band" in names:
        needs.append(Need(field="birth_date", purpose="counting", date=True))
    if "sex" in names:
        needs.append(Need(field="sex", purpose="counting"))
    for wanted in dimensions:
        if wanted.sensitive:
            needs.append(Need(field=wanted.field, purpose=wanted.purpose))
    needs += consent_needs(dimensions)
    for more in (erasure_needs(), protection_needs() if protection else ()):
        have = {need.field for need in needs}
        needs += [need for need in more if need.field not in have]
    return needs


def judge(
    connection: Any,
    extract: Extract,
    *,
    reference_date: dt.date,
    dimensions: Sequence[Dimension],
    area_codes: np.ndarray,
    postcodes: "Postcodes | None",
    live_from: dt.date | None = None,
    policy: Policy | None = None,
    non_claimants: bool = False,
) -> Any:
    """All rows of an extract, each with its state and, where nothing speaks against it, its cell.

    A claim must be live on the reference date; given `live_from`, on some day from then to the reference date.
    Sensitive dimensions need the `policy` that says whose markers may count; whether they may is judged on the
    reference date.  `non_claimants` counts people who claim nothing and may be held.

    Returns
    -------
    Ibis table with columns `state` (int8, a `State`), `person` (text),
    `benefit` (int8 index), `group` (int8 index of the benefit's client group),
    `start` and `end` (dates; no end is missing), `place` (text) and `cell` (int64; of no meaning unless the state is `LEFT`; the
    place in it of client_group and of benefit_combination is 0).
    """
    names = {dimension.name for dimension in dimensions}
    sensitive = [wanted for wanted in dimensions if wanted.sensitive]
    if sensitive and policy is None:
        raise ValueError(f"policy must be given: {sensitive[0].name} is sensitive")
    # What an extract does not have costs nothing.
    there = {name for part in extract.parts for name in part.columns}
    holding = bool(sensitive) or any(need.field in there for need in hold_needs())
    protecting = PROTECTION in there
    parts = [
        part.select(
            **_standard_columns(part, extract.spec, names),
            **(hold_columns(part, extract.spec) if holding else {}),
            **({"marked": marked(part, extract.spec)} if protecting else {}),
            **(sensitive_columns(part, extract.spec, sensitive, policy) if policy is not None else {}),
        )
        for part in extract.parts
    ]
    source = parts[0] if len(parts) == 1 else ibis.union(*parts, distinct=False)
    rows = _code_benefits(connection, source, extract.spec)
    rows = with_held(rows, reference_date) if holding else rows
    for wanted in dimensions:
        if wanted.name == "sex" or wanted.sensitive:
            rows = _code(connection, rows, wanted, extract.spec)
    if protecting:
        rows = with_protected(rows, source)
    if policy is not None and sensitive:
        rows = with_allowed(rows, source, sensitive, policy, extract.spec, reference_date)
    rows = locate(connection, rows, area_codes, postcodes)
    bands = {wanted.name: _band(rows, wanted, reference_date) for wanted in dimensions if wanted.starts}
    rows = rows.mutate(**bands) if bands else rows
    shape = Shape(areas=len(area_codes), dimensions=tuple(dimensions))
    return rows.select(
        "person",
        "benefit",
        "group",
        "start",
        "end",
        "place",
        *(name for name in SOURCE if name in rows.columns),
        state=_state(rows, names, extract.spec.end, live_from or reference_date, reference_date, non_claimants),
        cell=_cell(rows, shape),
    )


def _standard_columns(part: Any, spec: ExtractSpec, names: set[str]) -> dict[str, Any]:
    """Columns of a part of an extract: dates as dates and codes as they are compared."""
    start, no_start = as_date(part.claim_start, spec.dates)
    end, no_end = as_date(part.claim_end, spec.dates)
    columns = {
        "person": trimmed(part.person_reference),
        "benefit_text": as_code(part.benefit),
        "start": start,
        "no_start": no_start,
        "end": end,
        "no_end": no_end,
        "place": (part.postcode if "postcode" in part.columns else part.output_area).cast("string"),
        "erasure": erasure_of(part),
        **{name: part[name] for name in SOURCE if name in part.columns},
    }
    if "age_band" in names:
        columns["birth"], columns["no_birth"] = as_date(part.birth_date, spec.dates)
    if "sex" in names:
        columns["sex_text"] = as_code(part.sex).fill_null("")
    return columns


def _spellings(wanted: Dimension, spec: ExtractSpec) -> dict[str, int]:
    """How values of the file are written → index, the release's own spellings first."""
    faults = Faults()
    spellings = dict(wanted.spellings)
    for text, code in spec.values.get(wanted.field, {}).items():
        if code in wanted.categories:
            spellings[normal_code(text)] = wanted.categories.index(code)
        else:
            mend = f"use one of {', '.join(wanted.categories)}"
            key = f"claims.values.{wanted.field}"
            faults.add("unknown code", f"'{code}' is not in the code list", mend, key=key)
    faults.raise_if_any()
    return spellings


def _code_benefits(connection: Any, rows: Any, spec: ExtractSpec) -> Any:
    """Rows with the index of the benefit and of the client group that it leads to."""
    benefits = with_no_benefit(dimension("benefit"))
    none = dict.fromkeys(no_benefit_spellings(), NO_BENEFIT_INDEX)
    spellings = none | _spellings(benefits, spec)
    group_of = with_no_benefit(dimension("client_group")).groups
    groups = [group_of[code] for code in benefits.categories]
    lookup = pa.table(
        {
            "benefit_key": pa.array(list(spellings), pa.string()),
            "benefit": pa.array(list(spellings.values()), pa.int8()),
            "group": pa.array([groups[index] for index in spellings.values()], pa.int8()),
        }
    )
    table = keep_table(connection, "benefits", lookup)
    joined = rows.left_join(table, rows.benefit_text == table.benefit_key).drop("benefit_key", "benefit_text")
    return joined.mutate(benefit=joined.benefit.fill_null(NO_CATEGORY))


def _code(connection: Any, rows: Any, wanted: Dimension, spec: ExtractSpec) -> Any:
    """Rows with the index of a code-list dimension, `NO_CATEGORY` where the list lacks the value."""
    spellings = _spellings(wanted, spec)
    text, key = f"{wanted.name}_text", f"{wanted.name}_key"
    lookup = pa.table(
        {key: pa.array(list(spellings), pa.string()), wanted.name: pa.array(list(spellings.values()), pa.int8())}
    )
    table = keep_table(connection, wanted.name, lookup)
    joined = rows.left_join(table, rows[text] == table[key]).drop(key, text)
    return joined.mutate(**{wanted.name: joined[wanted.name].fill_null(NO_CATEGORY)})


def _band(rows: Any, wanted: Dimension, reference: dt.date) -> Any:
    """Index of the band of a date, `NO_CATEGORY` outside the bands: oldest band first, date <= cut-off."""
    date = rows.birth if wanted.field == "birth_date" else rows.start
    branches = [(date <= ibis.literal(cutoff), index) for index, cutoff in enumerate(wanted.cutoffs(reference))]
    if wanted.stop is not None:
        branches.append((date <= ibis.literal(whole_months_before(reference, wanted.stop)), NO_CATEGORY))
    return ibis.cases(*reversed(branches), else_=NO_CATEGORY).cast("int8")


def _state(rows: Any, names: set[str], end: str, first: dt.date, last: dt.date, non_claimants: bool = False) -> Any:
    """State of each row by the order that states.py lays down; live on some day from `first` to `last`."""
    date = ibis.literal(last)
    over = rows.end < ibis.literal(first) if end == "inclusive" else rows.end <= ibis.literal(first)
    rules: list[tuple[Any, State]] = [
        (rows.erasure == WHOLLY, State.ERASED),
        (rows.erasure == PARTLY, State.PARTLY_ERASED),
        (is_blank(rows.person), State.NO_PERSON),
        (rows.no_start, State.NO_START),
        (rows.start.isnull(), State.START_NO_DATE),
        (rows.end.isnull() & ~rows.no_end, State.END_NO_DATE),
        (rows.end < rows.start, State.END_BEFORE_START),
    ]
    if "age_band" in names:
        rules += [(rows.birth.isnull() & ~rows.no_birth, State.BIRTH_NO_DATE), (rows.birth > date, State.BORN_LATER)]
    rules.append(((rows.start > date) | over, State.NOT_LIVE))
    if "protected" in rows.columns:
        rules.append((rows.protected, State.PROTECTED))
    nothing = rows.benefit == NO_BENEFIT_INDEX
    rules.append((nothing & ~rows.held if "held" in rows.columns else nothing, State.NOT_HELD))
    if "held" in rows.columns and not non_claimants:
        rules.append((nothing, State.NO_BENEFIT))
    rules.append((rows.benefit == NO_CATEGORY, State.UNKNOWN_BENEFIT))
    if "sex" in names:
        rules.append((rows.sex == NO_CATEGORY, State.UNKNOWN_SEX))
    if "age_band" in names:
        rules += [(rows.no_birth, State.NO_BIRTH_DATE), (rows.age_band == NO_CATEGORY, State.NO_AGE_BAND)]
    return ibis.cases(*((rule, int(state)) for rule, state in rules), else_=rows.place_state).cast("int8")


def _cell(rows: Any, shape: Shape) -> Any:
    cell = rows.area.cast("int64") * shape.strides[0]
    for wanted, stride in zip(shape.dimensions, shape.strides[1:], strict=True):
        if not wanted.of_all_claims:
            cell = cell + rows[wanted.name].cast("int64") * stride
    return cell
