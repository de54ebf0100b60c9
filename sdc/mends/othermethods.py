"""Sheets protected anew, from the truth: by controlled rounding, or by suppression that protects what it hides.

For trying alone: what is published is made by the method itself, with the key of
the release.  Which areas and categories a table has stays as it is.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from sdc.cube import Cube, finest_and_total
from sdc.mends.editing import cells_anew, protected_anew
from sdc.mends.sheet import Sheet, Sheets
from sdc.rounding.controlled import ControlledRounding, round_controlled
from sdc.rounding.crossed import round_cube
from sdc.rounding.steps import StepsRounding
from sdc.suppression.linked import suppress_linked
from sdc.suppression.spec import SuppressionSpec
from sdc.suppression.suppress import suppress_table
from sdc.tables import NOT_PUBLISHED, SHOWN, STRUCTURAL, TOTAL, Classification, Hierarchy, Method, SafeTable, Table

__all__ = ["TRIAL_KEY", "rounded_anew", "suppressed_anew"]

# Decides which of many tables is tried; nothing made with it is published, so it is no secret.
TRIAL_KEY = b"smallarea tries a mend with this key, which is no secret"


def rounded_anew(sheets: Sequence[Sheet], *, base: int, min_count: int, key: bytes = TRIAL_KEY) -> Sheets:
    """All sheets by controlled rounding, those of one population together.

    Raises
    ------
    Infeasible
        No rounding was found, or the base is below min_count.
    ValueError
        The truth of a sheet is not known.
    """
    spec = ControlledRounding(base=base, min_count=min_count)

    def together(tables: dict[str, Table]) -> dict[str, SafeTable]:
        return round_controlled(tables, spec=spec, key=key)[0]

    plain = [sheet for sheet in sheets if _table_of(sheet) is not None]
    made = _by_population(plain, together)
    for sheet in sheets:
        if sheet.name not in made:
            made[sheet.name] = _rounded_cube(sheet, base=base, min_count=min_count, key=key)
    return tuple(made[sheet.name] for sheet in sheets)


def suppressed_anew(
    sheets: Sequence[Sheet], hidden: Sequence[np.ndarray], *, min_count: int, key: bytes = TRIAL_KEY
) -> Sheets:
    """All sheets by suppression: small counts and `hidden` (bool per sheet, of its shape) with others that protect them.

    Raises
    ------
    Infeasible
        No pattern was found.
    ValueError
        The truth of a sheet is not known, or a sheet has several margins.
    """
    spec = SuppressionSpec(min_count=min_count)
    primary = {}
    for sheet, mask in zip(sheets, hidden, strict=True):
        assert sheet.truth is not None
        if _table_of(sheet) is None:
            raise ValueError(f"{sheet.name} has several margins")
        flagged = mask | ((sheet.truth >= 1) & (sheet.truth < min_count))
        primary[sheet.name] = (sheet, flagged)

    def together(tables: dict[str, Table]) -> dict[str, SafeTable]:
        flags = {name: _per_level(*primary[name]) for name in tables}
        if len(tables) > 1:
            return suppress_linked(tables, primary=flags, spec=spec, key=key)[0]
        return {
            name: suppress_table(table, primary=flags[name], spec=spec, key=key)[0] for name, table in tables.items()
        }

    made = _by_population(sheets, together)
    return tuple(made[sheet.name] for sheet in sheets)


def _per_level(sheet: Sheet, cells: np.ndarray) -> tuple[np.ndarray, ...]:
    """A mask of a sheet as masks of its table; of a piece the places that its table has."""
    return tuple(np.split(cells[:, _columns(sheet)], sheet.starts[1:-1]))


def _columns(sheet: Sheet) -> np.ndarray:
    """The columns of a sheet that are its table's: the finest, then the total."""
    if sheet.table is not None:
        return np.arange(len(sheet.columns))
    finest = [at for at, codes in enumerate(sheet.columns) if TOTAL not in codes]
    total = [at for at, codes in enumerate(sheet.columns) if all(code == TOTAL for code in codes)]
    return np.array([*finest, *total] if sheet.dimensions else [0])


@dataclass(frozen=True, kw_only=True, eq=False)
class _Population:
    """Tables over one hierarchy with equal totals."""

    hierarchy: Hierarchy
    tables: dict[str, Table]


def _by_population(
    sheets: Sequence[Sheet], protect: Callable[[dict[str, Table]], dict[str, SafeTable]]
) -> dict[str, Sheet]:
    populations: list[_Population] = []
    for sheet in sheets:
        table = _table_of(sheet)
        if table is None:
            raise ValueError(f"the truth of {sheet.name} is not known")
        for one in populations:
            if _same_people(next(iter(one.tables.values())), table):
                one.tables[sheet.name] = replace(table, hierarchy=one.hierarchy)
                break
        else:
            populations.append(_Population(hierarchy=table.hierarchy, tables={sheet.name: table}))
    by_name = {sheet.name: sheet for sheet in sheets}
    made = {}
    for one in populations:
        for name, safe in protect(one.tables).items():
            made[name] = protected_anew(by_name[name], safe)
    return made


def _same_people(one: Table, other: Table) -> bool:
    a, b = one.hierarchy, other.hierarchy
    if a is not b and (a.levels != b.levels or a.units != b.units):
        return False
    same = zip((*a.codes, *a.parents), (*b.codes, *b.parents), strict=True)
    return all(np.array_equal(x, y) for x, y in same) and np.array_equal(one.counts[0][:, -1], other.counts[0][:, -1])


def _table_of(sheet: Sheet) -> Table | None:
    """The true table behind a sheet, None where it is not known or the sheet is no plain table."""
    if sheet.truth is None:
        return None
    if sheet.table is not None:
        counts = tuple(np.split(sheet.truth, sheet.starts[1:-1]))
        return Table(hierarchy=sheet.hierarchy, classification=sheet.table.classification, counts=counts)
    assert sheet.piece is not None
    flat = all(len(axis.hierarchy.levels) == 1 and axis.total for axis in sheet.piece.axes[1:])
    if not flat or set(sheet.piece.margins) != set(finest_and_total(sheet.piece.axes)):
        return None
    columns = _columns(sheet)
    classification = Classification(
        dimensions=sheet.dimensions,
        categories=tuple(sheet.columns[at] for at in columns[:-1]) if sheet.dimensions else (),
    )
    counts = tuple(np.ascontiguousarray(part) for part in np.split(sheet.truth[:, columns], sheet.starts[1:-1]))
    return Table(hierarchy=sheet.hierarchy, classification=classification, counts=counts)


def _rounded_cube(sheet: Sheet, *, base: int, min_count: int, key: bytes) -> Sheet:
    """A sheet with several margins by controlled rounding, with a further step where nothing nearer adds up."""
    piece = sheet.piece
    if piece is None or piece.truth is None:
        raise ValueError(f"the truth of {sheet.name} is not known")
    cube = Cube(axes=piece.axes, finest=piece.truth, margins=piece.margins)
    spec = StepsRounding(base=base, min_count=min_count)
    rounded, _ = round_cube(cube, spec=spec, key=key)
    held = cube.numbers() >= 0
    values, markers = np.zeros(cube.shape, np.int64), np.full(cube.shape, NOT_PUBLISHED, np.int8)
    published = held & (piece.markers != NOT_PUBLISHED)
    values[held] = rounded
    markers[published] = SHOWN
    markers[piece.markers == STRUCTURAL] = STRUCTURAL
    method = Method(name="controlled-rounding", base=base, min_count=min_count, steps=spec.steps)
    rows = len(sheet.values)
    return cells_anew(sheet, np.where(markers == SHOWN, values, 0).reshape(rows, -1), markers.reshape(rows, -1), method)
