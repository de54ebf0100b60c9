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

from claimants.dates import as_date, whole_months_before
from claimants.dimensions import Dimension, dimension, normal_code
from claimants.engine import keep_table
from claimants.erasure import PARTLY, WHOLLY, erasure_needs, erasure_of
from claimants.extract import Extract, ExtractSpec, Need
from claimants.places import locate
from claimants.states import State
from claimants.text import as_code, is_blank, trimmed
from common.faults import Faults

if TYPE_CHECKING:
    from geography.postcodes import Postcodes

__all__ = ["Shape", "judge", "record_needs"]

NO_CATEGORY = -1


@dataclass(frozen=True, kw_only=True)
class Shape:
    """The shape of the joint table: areas × categories of each dimension.

    Raises
    ------
    ValueError
        There are more cells than a 64-bit number of days and cells can hold.
    """

    areas: int
    dimensions: tuple[Dimension, ...]

    def __post_init__(self) -> None:
        # Counts of people rank claims by days since their start (at most 2**22) and cell in one number.
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


def record_needs(dimensions: Sequence[Dimension], *, postcodes: bool) -> list[Need]:
    """The fields that a caseload needs, and no other."""
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
    have = {need.field for need in needs}
    return needs + [need for need in erasure_needs() if need.field not in have]


def judge(
    connection: Any,
    extract: Extract,
    *,
    reference_date: dt.date,
    dimensions: Sequence[Dimension],
    area_codes: np.ndarray,
    postcodes: "Postcodes | None",
) -> Any:
    """All rows of an extract, each with its state and, where nothing speaks against it, its cell.

    Returns
    -------
    Ibis table with columns `state` (int8, a `State`), `person` (text),
    `benefit` (int8 index), `group` (int8 index of the benefit's client group),
    `start` (date), `place` (text) and `cell` (int64; of no meaning unless the state is `LEFT`; the
    place of the dimension client_group in it is 0).
    """
    names = {dimension.name for dimension in dimensions}
    parts = [_standardise(part, extract.spec, names) for part in extract.parts]
    rows = parts[0] if len(parts) == 1 else ibis.union(*parts, distinct=False)
    rows = _code_benefits(connection, rows, extract.spec)
    for wanted in dimensions:
        if wanted.name == "sex":
            rows = _code(connection, rows, wanted, extract.spec)
    rows = locate(connection, rows, area_codes, postcodes)
    bands = {wanted.name: _band(rows, wanted, reference_date) for wanted in dimensions if wanted.starts}
    rows = rows.mutate(**bands) if bands else rows
    shape = Shape(areas=len(area_codes), dimensions=tuple(dimensions))
    return rows.select(
        "person",
        "benefit",
        "group",
        "start",
        "place",
        state=_state(rows, names, extract.spec.end, reference_date),
        cell=_cell(rows, shape),
    )


def _standardise(part: Any, spec: ExtractSpec, names: set[str]) -> Any:
    """A part of an extract with dates as dates and codes as they are compared."""
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
    }
    if "age_band" in names:
        columns["birth"], columns["no_birth"] = as_date(part.birth_date, spec.dates)
    if "sex" in names:
        columns["sex_text"] = as_code(part.sex).fill_null("")
    return part.select(**columns)


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
    benefits = dimension("benefit")
    spellings = _spellings(benefits, spec)
    groups = [dimension("client_group").groups[code] for code in benefits.categories]
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


def _state(rows: Any, names: set[str], end: str, reference: dt.date) -> Any:
    """State of each row by the order that states.py lays down."""
    date = ibis.literal(reference)
    over = rows.end < date if end == "inclusive" else rows.end <= date
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
    rules += [((rows.start > date) | over, State.NOT_LIVE), (rows.benefit == NO_CATEGORY, State.UNKNOWN_BENEFIT)]
    if "sex" in names:
        rules.append((rows.sex == NO_CATEGORY, State.UNKNOWN_SEX))
    if "age_band" in names:
        rules += [(rows.no_birth, State.NO_BIRTH_DATE), (rows.age_band == NO_CATEGORY, State.NO_AGE_BAND)]
    return ibis.cases(*((rule, int(state)) for rule, state in rules), else_=rows.place_state).cast("int8")


def _cell(rows: Any, shape: Shape) -> Any:
    cell = rows.area.cast("int64") * shape.strides[0]
    for wanted, stride in zip(shape.dimensions, shape.strides[1:], strict=True):
        if wanted.name != "client_group":
            cell = cell + rows[wanted.name].cast("int64") * stride
    return cell
