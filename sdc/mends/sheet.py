"""Published tables as sheets of areas by categories, whatever holds them.

A sheet is a table of an area tree (`sdc.tables.SafeTable`), a piece of a joint
attack (`sdc.attack.pieces.Piece`), or both as one target (`sdc.attack.targets.Target`); its rows are the areas of all levels
and its columns the categories and totals.  `sdc.mends.editing` takes cells out of it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from sdc.attack.intervals import NO_BOUND
from sdc.attack.onesign import hides_as
from sdc.attack.pieces import Piece
from sdc.attack.programmes import stated_bounds
from sdc.attack.targets import Target
from sdc.cube import Cube
from sdc.system import SafeCells
from sdc.tables import (
    SHOWN,
    TOTAL,
    Hierarchy,
    Method,
    SafeTable,
    Table,
)

__all__ = [
    "Bounds",
    "Cell",
    "Published",
    "Sheet",
    "Sheets",
    "area_named",
    "label_of",
    "sheet_of_piece",
    "sheets_of",
    "shown_cells",
    "stated_of",
]

# What an attack takes: tables by name, pieces, or targets.
Published = Mapping[str, SafeTable] | Sequence[Piece] | Sequence[Target]
# Sheet, row and column.
Cell = tuple[int, int, int]
Bounds = tuple[np.ndarray, np.ndarray]
Label = tuple[str, str, str, frozenset[tuple[str, str]]]


@dataclass(frozen=True, kw_only=True, eq=False)
class Sheet:
    """One published table; arrays are of shape (areas of all levels, columns).

    Attributes
    ----------
    name, measure : as of the table or piece.
    hierarchy : the areas; rows are those of the smallest level first.
    dimensions, columns : the codes that each column is of, `TOTAL` where it is a total.
    values, markers : what is published.
    truth : true counts, or None.
    table, piece, target : what the sheet was made of, each None where it is not.
    known : lo and hi from elsewhere, of the piece's shape.
    """

    name: str
    measure: str
    hierarchy: Hierarchy
    dimensions: tuple[str, ...]
    columns: tuple[tuple[str, ...], ...]
    values: np.ndarray
    markers: np.ndarray
    method: Method
    truth: np.ndarray | None = None
    table: SafeTable | None = None
    piece: Piece | None = None
    target: Target | None = None
    known: Bounds | None = None

    @cached_property
    def starts(self) -> np.ndarray:
        """First row of each level, then the number of rows."""
        return np.concatenate([[0], np.cumsum(self.hierarchy.units)])

    @property
    def hides_as(self) -> int:
        """The marker of a cell that is taken out: suppressed where figures are as counted, else not available."""
        return hides_as(self.method)

    def level(self, row: int) -> int:
        """The level of a row."""
        return int(np.searchsorted(self.starts, row, side="right")) - 1

    def label(self, row: int, column: int) -> Label:
        """What a cell counts, named alike in every table."""
        level = self.level(row)
        code = str(self.hierarchy.codes[level][row - self.starts[level]])
        return self.measure, self.hierarchy.levels[level], code, self._labels[column]

    def name_of(self, row: int, column: int) -> str:
        """What to call a cell in a sentence."""
        _, level, code, _ = self.label(row, column)
        pairs = zip(self.dimensions, self.columns[column], strict=True)
        told = [f"{dimension}={category}" for dimension, category in pairs if category != TOTAL]
        return ", ".join([f"{level} {code}", *(told or [TOTAL])])

    def place(self, label: Label) -> tuple[int, int] | None:
        """Row and column of what a label names, None where the table has no such cell."""
        measure, level, code, categories = label
        column = self._by_label.get(categories)
        if measure != self.measure or column is None or level not in self.hierarchy.levels:
            return None
        at = self.hierarchy.levels.index(level)
        unit = _unit(self.hierarchy.codes[at], code)
        return None if unit is None else (int(self.starts[at]) + unit, column)

    def read(self, text: str) -> tuple[int, int] | None:
        """Row and column of a cell that a finding names, None where it is none of this table."""
        text = text.removeprefix(f"{self.name}: ")
        for level, unit, rest in _areas_named(self.hierarchy, text):
            if rest in self._by_name:
                return int(self.starts[level]) + unit, self._by_name[rest]
        return None

    def near(self, row: int, column: int) -> np.ndarray:
        """The other cells of the sums that a cell stands in, of its own level: rows and columns, shape (cells, 2)."""
        level = self.level(row)
        rows = np.array([row])
        if level + 1 < len(self.hierarchy.levels):
            parents = self.hierarchy.parents[level]
            rows = self.starts[level] + np.flatnonzero(parents == parents[row - self.starts[level]])
        along = np.stack([rows, np.full(len(rows), column)], axis=1)
        across = np.stack([np.full(len(self.columns), row), np.arange(len(self.columns))], axis=1)
        both = np.concatenate([along, across])
        return both[(both != (row, column)).any(axis=1)]

    @cached_property
    def _labels(self) -> list[frozenset[tuple[str, str]]]:
        return [label_of(self.dimensions, codes) for codes in self.columns]

    @cached_property
    def _by_label(self) -> dict[frozenset[tuple[str, str]], int]:
        return {label: column for column, label in enumerate(self._labels)}

    @cached_property
    def _by_name(self) -> dict[str, int]:
        """Columns by every name that findings give them."""
        names: dict[str, int] = {}
        for column, codes in enumerate(self.columns):
            pairs = [f"{name}={code}" for name, code in zip(self.dimensions, codes, strict=True)]
            for name in (", ".join(codes), ", ".join(pairs)):
                names[name] = column
            if all(code == TOTAL for code in codes):
                names[TOTAL] = names[""] = column
        return names


Sheets = tuple[Sheet, ...]


def area_named(hierarchy: Hierarchy, text: str) -> tuple[int, int] | None:
    """Level and unit of the area that the name of a cell begins with, None where it is none of these."""
    return next(((level, unit) for level, unit, _ in _areas_named(hierarchy, text)), None)


def _areas_named(hierarchy: Hierarchy, text: str) -> Iterator[tuple[int, int, str]]:
    """Level and unit of areas that a text may begin with, and what stands behind: codes may hold commas."""
    for level, name in enumerate(hierarchy.levels):
        if not text.startswith(f"{name} "):
            continue
        rest = text[len(name) + 1 :]
        for end in [*(at for at in range(len(rest)) if rest.startswith(", ", at)), len(rest)]:
            unit = _unit(hierarchy.codes[level], rest[:end])
            if unit is not None:
                yield level, unit, rest[end + 2 :]


def _unit(codes: np.ndarray, code: str) -> int | None:
    at = int(np.searchsorted(codes, code))
    return at if at < len(codes) and str(codes[at]) == code else None


def sheets_of(
    tables: Published,
    *,
    truth: Mapping[str, Table] | None = None,
    known: Mapping[str, Bounds] | None = None,
    measures: Mapping[str, str] | None = None,
) -> Sheets:
    """Tables as sheets.

    Parameters
    ----------
    truth, measures : true tables and what is counted by name, for tables; pieces and targets hold their own.
    known : of pieces, what is known from elsewhere as lo and hi of their shape.  Where nothing is said,
        a bound of a piece that is closer than its value says is taken for such.
    """
    if isinstance(tables, Mapping):
        of, true = measures or {}, truth or {}
        return tuple(sheet_of_table(name, safe, true.get(name), of.get(name, "")) for name, safe in tables.items())
    sheets = []
    for one in tables:
        piece = one.piece if isinstance(one, Target) else one
        sheet = sheet_of_piece(piece, (known or {}).get(piece.name))
        if isinstance(one, Target):
            if one.table is not None:
                of_table = sheet_of_table(piece.name, one.table, one.truth, piece.measure)
                sheet = replace(of_table, piece=piece, known=sheet.known)
            sheet = replace(sheet, target=one)
        sheets.append(sheet)
    return tuple(sheets)


def sheet_of_table(name: str, safe: SafeTable, truth: Table | None, measure: str) -> Sheet:
    return Sheet(
        name=name,
        measure=measure,
        hierarchy=safe.hierarchy,
        dimensions=safe.classification.dimensions,
        columns=safe.classification.columns,
        values=np.concatenate(safe.values),
        markers=np.concatenate(safe.markers),
        method=safe.method,
        table=safe,
        truth=None if truth is None else np.concatenate(truth.counts),
    )


def sheet_of_piece(piece: Piece, known: Bounds | None) -> Sheet:
    rows = piece.values.shape[0]
    if known is None:
        lo, hi = stated_of(piece.values, piece.markers, piece.method)
        known = np.where(piece.lo > lo, piece.lo, 0), np.where(piece.hi < hi, piece.hi, NO_BOUND)
    truth = None
    if piece.truth is not None:
        truth = Cube(axes=piece.axes, finest=piece.truth, margins=piece.margins).values().reshape(rows, -1)
    return Sheet(
        name=piece.name,
        measure=piece.measure,
        hierarchy=piece.axes[0].hierarchy,
        dimensions=piece.dimensions,
        columns=_columns_of(piece),
        values=piece.values.reshape(rows, -1),
        markers=piece.markers.reshape(rows, -1),
        method=piece.method,
        piece=piece,
        truth=truth,
        known=known,
    )


def _columns_of(piece: Piece) -> tuple[tuple[str, ...], ...]:
    """The codes of each place of a piece on all axes but the areas', in the order of the array."""
    return tuple(
        tuple(axis.code(int(at))[1] for axis, at in zip(piece.axes[1:], place, strict=True))
        for place in np.ndindex(*piece.values.shape[1:])
    )


def shown_cells(sheet: Sheet) -> np.ndarray:
    """Cells that show a value: bool of the sheet's shape."""
    shown: np.ndarray = sheet.markers == SHOWN
    return shown


def label_of(dimensions: Sequence[str], codes: Sequence[str]) -> frozenset[tuple[str, str]]:
    return frozenset((name, code) for name, code in zip(dimensions, codes, strict=True) if code != TOTAL)


def stated_of(values: np.ndarray, markers: np.ndarray, method: Method) -> Bounds:
    lo, hi = stated_bounds(SafeCells(values=values.ravel(), markers=markers.ravel(), method=method))
    return lo.reshape(values.shape), hi.reshape(values.shape)
