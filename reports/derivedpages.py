"""What the page of a derived table shows: a table per area level, as of any other, with status and markers."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from reports.derived import DERIVED_MARKERS, LOW_RELIABILITY, DerivedTable, FigureColumn, number_text
from reports.derivedwords import derived_marker_meaning
from reports.model import ReleaseFacts
from reports.statements import long_date, words
from reports.tablepages import (
    ROW_LIMIT,
    DataTable,
    LevelOnPage,
    Marker,
    Row,
    TablePage,
    area_about,
    levels_told,
    row_order,
)
from reports.textrows import figure_texts
from sdc.tables import SHOWN

__all__ = ["derived_page"]


def derived_page(
    facts: ReleaseFacts, table: DerivedTable, row_limit: int = ROW_LIMIT, downloads: Sequence[Any] = ()
) -> TablePage:
    """The page of a derived table, levels from the largest areas down."""
    order = list(reversed(table.levels))
    told = words("derived")
    return TablePage(
        id=table.id,
        path=f"tables/{table.id}.html",
        title=table.title,
        counted=table.made[0],
        categories_told=told["rate" if table.kind == "rate" else "estimate"]["short"].format(
            heading=table.columns[0].heading, second=table.columns[1].heading
        ),
        levels_told=levels_told(facts, [table.hierarchy.levels[level] for level in order]),
        rounding="",
        zero="",
        notes=(*table.made[1:], table.protection, *table.notes),
        markers=tuple(Marker(text=text, meaning=derived_marker_meaning(text)) for text in table.markers_in_use),
        levels=tuple(_level(facts, table, level, row_limit) for level in order),
        downloads=tuple(downloads),
        status=table.status[:1].upper() + table.status[1:],
        period=table.period,
        kind=table.kind,
        source=table.source,
        attributions=table.attributions,
    )


def _level(facts: ReleaseFacts, table: DerivedTable, level: int, row_limit: int) -> LevelOnPage:
    name, areas = table.hierarchy.levels[level], table.hierarchy.units[level]
    plural = facts.level_names[name][1]
    return LevelOnPage(
        id=name,
        heading=plural[:1].upper() + plural[1:],
        plural=plural,
        areas=areas,
        table=_data_table(facts, table, level) if areas <= row_limit else None,
    )


def _data_table(facts: ReleaseFacts, table: DerivedTable, level: int) -> DataTable:
    told = words("pages")["table"]
    heads, names, about = area_about(facts, table.hierarchy, level)
    columns, cells = _columns(table, level)
    rows = tuple(
        Row(
            head=names[unit],
            about=tuple(str(column[unit]) for column in about),
            cells=tuple(column[unit] for column in cells),
        )
        for unit in row_order(table.hierarchy, level).tolist()
    )
    name = table.hierarchy.levels[level]
    plural = facts.level_names[name][1]
    period = table.period or long_date(facts.reference_date)
    caption = told["caption"].format(title=table.title, plural=plural, period=period)
    return DataTable(id=f"table-{name}", caption=caption, row_heads=heads, columns=columns, rows=rows)


def _columns(table: DerivedTable, level: int) -> tuple[tuple[str, ...], list[list[str]]]:
    """Headings and cells: every column of a table of totals, else the first for each category.

    Where all categories have the same second column, such as one denominator, it stands behind them once.
    """
    first, others = table.columns[0], table.columns[1:]
    wide = len(table.classification)
    if not wide:
        cells = [_cells(table, column, level, 0) for column in table.columns]
        return tuple(column.heading for column in table.columns), cells
    total = words("pages")["table"]["total"]
    headings = [*(_label(table, category) for category in table.classification.categories), total]
    cells = [_cells(table, first, level, place) for place in range(wide + 1)]
    for column in others:
        if np.all(column.values[level] == column.values[level][:, -1:]):
            headings.append(column.heading)
            cells.append(_cells(table, column, level, wide))
    return tuple(headings), cells


def _label(table: DerivedTable, category: tuple[str, ...]) -> str:
    dimensions = table.classification.dimensions
    return ", ".join(
        table.labels.get(name, {}).get(code, code) for name, code in zip(dimensions, category, strict=True)
    )


def _cells(table: DerivedTable, column: FigureColumn, level: int, place: int) -> list[str]:
    """One column's figures as readers see them, with the marker that stands beside a number behind it."""
    values, markers = column.values[level][:, place], column.markers[level][:, place]
    texts: list[str] = figure_texts(
        values,
        markers,
        lambda value: number_text(value, column.decimals, grouped=True),
        lambda marker: f"[{marker}]",
    ).to_pylist()
    if column is not table.columns[0]:
        return texts
    beside = (table.markers[level][:, place] == LOW_RELIABILITY) & (markers == SHOWN)
    behind = f" [{DERIVED_MARKERS[LOW_RELIABILITY]}]"
    return [text + behind if marked else text for text, marked in zip(texts, beside.tolist(), strict=True)]
