"""A derived table as worksheets: one per area level, a row for each area and category, numbers and marker side by side.

A marker beside a number would make the number text, so it stands in a column of
its own, behind the numbers.
"""

import numpy as np
import pyarrow as pa

from reports.derived import DERIVED_MARKERS, DerivedTable, FigureColumn, number_text
from reports.derivedwords import derived_marker_meaning
from reports.model import ReleaseFacts
from reports.sheets import SHEET_ROWS, TITLE, Column, Figures, Grid, Line, Sheet, Texts
from reports.statements import words
from reports.wide import (
    Part,
    area_columns,
    authority_level,
    column_width,
    has_gap,
    identifier,
    parts_of,
    sheet_title,
    split_sentence,
)
from sdc.tables import MARKERS, NOT_AVAILABLE, SHOWN

__all__ = ["derived_sheets"]

LINES = 8
NARROWEST = 12


def derived_sheets(
    table: DerivedTable, facts: ReleaseFacts, *, notes: int, rows_per_sheet: int = SHEET_ROWS
) -> tuple[Sheet, ...]:
    """The worksheets of a derived table, largest areas first; see `reports.wide.wide_sheets` for `notes`.

    Raises
    ------
    ValueError
        `rows_per_sheet` leaves no room for the rows of one area.
    """
    splitter = authority_level(table.hierarchy, facts)
    room = (rows_per_sheet - LINES) // (len(table.classification) + 1)
    if room < 1:
        raise ValueError(f"rows_per_sheet ({rows_per_sheet}) must leave room for the rows of an area")
    return tuple(
        _sheet(table, facts, part, notes)
        for level in reversed(table.levels)
        for part in parts_of(table, level, splitter, room)
    )


def _sheet(table: DerivedTable, facts: ReleaseFacts, part: Part, notes: int) -> Sheet:
    level = table.hierarchy.levels[part.level]
    wide = len(table.classification) + 1
    rows = Part(level=part.level, units=np.repeat(part.units, wide))
    columns = (
        *area_columns(table.hierarchy, facts, rows),
        *_category_columns(table, len(part.units)),
        *(_figures(column, part) for column in table.columns),
        _marker_column(table, part),
    )
    suffix = f"_part_{part.number}" if part.of > 1 else ""
    own = {"period": table.period, "status": table.status} if table.period else {}
    title = sheet_title(table.title, table.hierarchy, facts, part, **own)
    return Sheet(
        name=identifier(level.upper())[: 31 - len(suffix)] + suffix,
        description=title,
        lines=_lines(table, facts, part, title, columns, notes),
        grid=Grid(name=identifier(f"{table.id}_by_{level}{suffix}"), columns=columns),
    )


def _category_columns(table: DerivedTable, units: int) -> tuple[Column, ...]:
    """The label of each row's category, a column for each dimension."""
    total = words("pages")["table"]["total"]
    columns = []
    for place, name in enumerate(table.classification.dimensions):
        labels = table.labels.get(name, {})
        codes = [category[place] for category in table.classification.categories]
        texts = [*(labels.get(code, code) for code in codes), total]
        heading = table.dimension_names.get(name, name)
        cells = Texts(texts=pa.array(texts, pa.string()), index=np.tile(np.arange(len(texts)), units))
        columns.append(Column(heading=heading, cells=cells, width=column_width(heading, max(map(len, texts)))))
    return tuple(columns)


def _figures(column: FigureColumn, part: Part) -> Column:
    values, markers = column.values[part.level][part.units], column.markers[part.level][part.units]
    cells = Figures(values=values.ravel(), markers=markers.ravel(), decimals=column.decimals)
    longest = len(number_text(int(np.abs(values).max()), column.decimals, grouped=True))
    return Column(heading=column.heading, cells=cells, width=column_width(column.heading, longest))


def _marker_column(table: DerivedTable, part: Part) -> Column:
    told = words("derived")["heading"]
    texts = [f"[{DERIVED_MARKERS[one]}]" if DERIVED_MARKERS.get(one) else "" for one in range(max(DERIVED_MARKERS) + 1)]
    texts[SHOWN] = told["no_marker"]
    index = table.markers[part.level][part.units].ravel().astype(np.int32)
    return Column(heading=told["marker"], cells=Texts(texts=pa.array(texts, pa.string()), index=index), width=NARROWEST)


def _lines(
    table: DerivedTable, facts: ReleaseFacts, part: Part, title: str, columns: tuple[Column, ...], notes: int
) -> tuple[Line, ...]:
    """What column A says above the table."""
    told = words("workbook")["sheet"]
    references = "".join(told["reference"].format(number=number) for number in range(1, notes + 1))
    texts = [
        told["refers"],
        split_sentence(table.hierarchy, facts, part),
        _shorthand(table, part, columns),
        words("derived")["status"]["note"].format(status=table.status) if table.status else "",
        told["source"].format(source=table.source),
    ]
    return (Line(text=f"{title} {references}", style=TITLE), *(Line(text=text) for text in texts if text))


def _shorthand(table: DerivedTable, part: Part, columns: tuple[Column, ...]) -> str:
    """One sentence with every marker that stands on this worksheet; blank where none does."""
    told = words("workbook")["sheet"]
    used = {DERIVED_MARKERS[one] for one in np.unique(table.markers[part.level][part.units]).tolist()}
    for column in columns:
        if isinstance(column.cells, Figures):
            used.update(MARKERS.get(one, MARKERS[NOT_AVAILABLE]) for one in np.unique(column.cells.markers).tolist())
        elif has_gap(column.cells):
            used.add(MARKERS[NOT_AVAILABLE])
    meanings = [
        told["marker"].format(marker=marker, meaning=derived_marker_meaning(marker))
        for marker in DERIVED_MARKERS.values()
        if marker and marker in used
    ]
    return str(told["shorthand"].format(markers="; ".join(meanings))) if meanings else ""
