"""One marker for all cells without a number: no figure is lost, and what signs told apart is told no more."""

from collections.abc import Collection
from dataclasses import replace

import numpy as np

from sdc.attack.onesign import shown_as_zero, under_one_sign
from sdc.findings import Audit
from sdc.mends.editing import columns_in
from sdc.mends.sheet import Sheet, Sheets, sheet_of_piece, sheets_of
from sdc.tables import MARKERS, SafeTable

__all__ = ["alike", "has_signs", "marked", "told_alike"]


def has_signs(sheet: Sheet) -> bool:
    """Whether it is known which signs stand in a table, and what is known of it without them."""
    target = sheet.target
    return target is not None and target.signs is not None and target.silent is not None


def marked(audit: Audit, sheets: Sheets) -> frozenset[str]:
    """The tables whose signs give something away."""
    found = {finding.table for finding in audit.findings if finding.kind == "marker" and finding.severity != "warning"}
    return frozenset(sheet.name for sheet in sheets if has_signs(sheet) and sheet.name in found)


def alike(sheets: Sheets, names: Collection[str]) -> Sheets:
    """The sheets, those named with one sign in all cells without a number."""
    return tuple(_alike(sheet) if sheet.name in names and has_signs(sheet) else sheet for sheet in sheets)


def told_alike(sheet: Sheet) -> tuple[str, ...]:
    """Which signs of a sheet are shown alike, and as what: a sentence part for one sign, and for 0."""
    target = sheet.target
    assert target is not None and target.signs is not None
    signs = target.signs
    zero = set(signs.of[np.isin(signs.places, shown_as_zero(target.piece, signs))].tolist())
    hidden = [text for at, text in enumerate(signs.texts) if at not in zero]
    parts = ((hidden, MARKERS[sheet.hides_as]), ([text for at, text in enumerate(signs.texts) if at in zero], "0"))
    return tuple(
        f"{sheet.name}: {', '.join(repr(text) for text in texts)} shown as '{sign}'" for texts, sign in parts if texts
    )


def _alike(sheet: Sheet) -> Sheet:
    target = sheet.target
    assert target is not None and target.signs is not None and target.silent is not None
    piece = under_one_sign(target.piece, target.signs, target.silent)
    table = None if target.table is None else _table_of(sheet, target.table, sheet_of_piece(piece, None))
    (made,) = sheets_of([replace(target, piece=piece, table=table, known=target.silent.known, signs=None, silent=None)])
    return made


def _table_of(sheet: Sheet, table: SafeTable, inner: Sheet) -> SafeTable:
    """A table with what its piece, as a sheet, shows."""
    at = columns_in(inner.columns, inner.dimensions, sheet)
    ends = sheet.starts[1:-1]
    values, markers = (np.ascontiguousarray(array[:, at]) for array in (inner.values, inner.markers))
    return replace(table, values=tuple(np.split(values, ends)), markers=tuple(np.split(markers, ends)))
