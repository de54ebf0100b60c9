"""Taking cells out of sheets, and protecting them anew: what could have been published instead.

Markers and values change; a piece's bounds follow, but for what is known of it from elsewhere.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import cast

import numpy as np

from sdc.attack.pieces import Piece
from sdc.mends.sheet import Published, Sheet, Sheets, label_of, sheet_of_piece, stated_of
from sdc.tables import NOT_PUBLISHED, STRUCTURAL, Method, SafeTable

__all__ = ["cells_anew", "columns_in", "protected_anew", "tables_of", "taken_out"]


def taken_out(sheet: Sheet, cells: np.ndarray, marker: int) -> Sheet:
    """The sheet with the cells (bool of its shape) under a marker; structural zeros and what is not published stay so."""
    cells = cells & ~np.isin(sheet.markers, (NOT_PUBLISHED, STRUCTURAL))
    markers = np.where(cells, marker, sheet.markers).astype(np.int8)
    values = np.where(cells, 0, sheet.values)
    if sheet.table is None:
        return _with_piece(replace(sheet, values=values, markers=markers), values, markers, cells)
    ends = sheet.starts[1:-1]
    table = replace(sheet.table, values=tuple(np.split(values, ends)), markers=tuple(np.split(markers, ends)))
    return _laid(replace(sheet, values=values, markers=markers, table=table), cells)


def protected_anew(sheet: Sheet, safe: SafeTable) -> Sheet:
    """The sheet of the same table by another method; structural zeros stay what they are."""
    values, markers = np.concatenate(safe.values), np.concatenate(safe.markers)
    if sheet.table is None:
        assert sheet.piece is not None
        of_columns = columns_in(safe.classification.columns, sheet.dimensions, sheet)
        values = np.where(of_columns >= 0, values[:, of_columns], sheet.values)
        markers = np.where(of_columns >= 0, markers[:, of_columns], sheet.markers)
    structural = sheet.markers == STRUCTURAL
    values = np.where(structural, 0, values)
    markers = np.where(structural, STRUCTURAL, markers).astype(np.int8)
    changed = replace(sheet, values=values, markers=markers, method=safe.method)
    if sheet.table is None:
        return _with_piece(changed, values, markers, ~structural & (markers != NOT_PUBLISHED))
    ends = sheet.starts[1:-1]
    table = replace(safe, values=tuple(np.split(values, ends)), markers=tuple(np.split(markers, ends)))
    return _laid(replace(changed, table=table), ~structural)


def cells_anew(sheet: Sheet, values: np.ndarray, markers: np.ndarray, method: Method) -> Sheet:
    """The sheet of a piece with other values (of its shape) by another method."""
    changed = replace(sheet, values=values, markers=markers, method=method)
    return _with_piece(changed, values, markers, markers != NOT_PUBLISHED)


def _laid(sheet: Sheet, cells: np.ndarray) -> Sheet:
    """A sheet of a table with its piece, if it has one, brought in line at the cells that changed."""
    if sheet.piece is None:
        return sheet
    inner = sheet_of_piece(sheet.piece, sheet.known)
    of_columns = columns_in(sheet.columns, sheet.dimensions, inner)
    told = (of_columns >= 0) & cells[:, of_columns]
    values = np.where(told, sheet.values[:, of_columns], inner.values)
    markers = np.where(told, sheet.markers[:, of_columns], inner.markers).astype(np.int8)
    return _with_piece(sheet, values, markers, told)


def columns_in(columns: Sequence[tuple[str, ...]], dimensions: Sequence[str], sheet: Sheet) -> np.ndarray:
    """Where each column of a sheet stands among the columns of a table, -1 where nowhere: int64."""
    at = {label_of(dimensions, codes): number for number, codes in enumerate(columns)}
    return np.array([at.get(label_of(sheet.dimensions, codes), -1) for codes in sheet.columns], np.int64)


def _with_piece(sheet: Sheet, values: np.ndarray, markers: np.ndarray, cells: np.ndarray) -> Sheet:
    """The sheet with a piece that has these values and markers, of its rows and columns; `cells` are those that changed."""
    piece = sheet.piece
    assert piece is not None and sheet.known is not None
    shape = piece.values.shape
    values, markers, cells = values.reshape(shape), markers.reshape(shape), cells.reshape(shape)
    lo, hi = stated_of(values, markers, sheet.method)
    made = replace(
        piece,
        values=values,
        markers=markers,
        method=sheet.method,
        lo=np.where(cells, np.maximum(lo, sheet.known[0]), piece.lo),
        hi=np.where(cells, np.minimum(hi, sheet.known[1]), piece.hi),
    )
    return replace(sheet, piece=made)


def tables_of(sheets: Sheets, like: Published) -> Published:
    """The tables that sheets stand for, in the form that `like` has."""
    if isinstance(like, Mapping):
        return {sheet.name: sheet.table for sheet in sheets if sheet.table is not None}
    if any(sheet.target is not None for sheet in sheets):
        return [
            replace(sheet.target, piece=sheet.piece, table=sheet.table)
            for sheet in sheets
            if sheet.target is not None and sheet.piece is not None
        ]
    return cast(list[Piece], [sheet.piece for sheet in sheets])
