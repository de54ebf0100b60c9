"""What the page of one table shows: a table per area level, largest areas first, up to a limit of rows.

Published values and markers only; every cell is text made once per different
value, so that pages of thousands of rows stay cheap.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from reports.maps import column_label
from reports.model import ReleaseFacts, ReportTable
from reports.statements import (
    counted_statement,
    marker_meaning,
    markers_in_use,
    period_words,
    rounding_statement,
    words,
    zero_meaning,
)
from reports.textrows import figure_texts
from sdc.tables import Hierarchy

__all__ = [
    "MOST_KEY_FIGURES",
    "ROW_LIMIT",
    "DataTable",
    "LevelOnPage",
    "Marker",
    "Row",
    "TablePage",
    "area_about",
    "key_figures",
    "levels_told",
    "row_order",
    "table_page",
]

ROW_LIMIT = 1_000
MOST_KEY_FIGURES = 4
ORIENTATION = "lad"


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row: its header, what tells more about the area, its figures as text."""

    head: str
    about: tuple[str, ...]
    cells: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class DataTable:
    """One HTML table: `row_heads` head the columns about the area, `columns` those of figures."""

    id: str
    caption: str
    row_heads: tuple[str, ...]
    columns: tuple[str, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True, kw_only=True)
class LevelOnPage:
    """One area level of a table; `table` is None where it has more areas than the page shows."""

    id: str
    heading: str
    plural: str
    areas: int
    table: DataTable | None
    map: Any = None


@dataclass(frozen=True, kw_only=True)
class Marker:
    """A marker that stands in the table, and its meaning."""

    text: str
    meaning: str


@dataclass(frozen=True, kw_only=True)
class TablePage:
    """Everything that the page of one table shows; `path` is from the site's folder.

    `kind` is ``counts``, ``rate`` or ``estimate``; `status`, `period`, `source` and `attributions` are told of
    figures that have their own.
    """

    id: str
    path: str
    title: str
    counted: str
    categories_told: str
    levels_told: str
    rounding: str
    zero: str
    notes: tuple[str, ...]
    markers: tuple[Marker, ...]
    levels: tuple[LevelOnPage, ...]
    downloads: tuple[Any, ...]
    kind: str = "counts"
    status: str = ""
    period: str = ""
    window: str = ""
    source: str = ""
    attributions: tuple[str, ...] = ()

    @property
    def shown(self) -> tuple[LevelOnPage, ...]:
        """The levels that have a table on the page."""
        return tuple(level for level in self.levels if level.table is not None)

    @property
    def left_out(self) -> tuple[LevelOnPage, ...]:
        """The levels that are in the downloads only."""
        return tuple(level for level in self.levels if level.table is None)


def table_page(
    facts: ReleaseFacts,
    table: ReportTable,
    row_limit: int = ROW_LIMIT,
    downloads: Sequence[Any] = (),
    maps: Mapping[tuple[str, str], Any] | None = None,
) -> TablePage:
    """The page of a table, levels from the largest areas down; `maps` by table id and level."""
    hierarchy = table.safe.hierarchy
    order = range(len(hierarchy.levels) - 1, -1, -1)
    return TablePage(
        id=table.id,
        path=f"tables/{table.id}.html",
        title=table.title,
        counted=counted_statement(facts, table),
        window="" if table.since is None else period_words(facts, table),
        categories_told=_categories_told(table),
        levels_told=levels_told(facts, [hierarchy.levels[level] for level in order]),
        rounding=rounding_statement(table.safe.method),
        zero=zero_meaning(table.safe.method),
        notes=table.notes,
        markers=tuple(Marker(text=text, meaning=marker_meaning(text)) for text in markers_in_use(table.safe)),
        levels=tuple(_level(facts, table, level, row_limit, maps or {}) for level in order),
        downloads=tuple(downloads),
    )


def key_figures(facts: ReleaseFacts, tables: Sequence[ReportTable]) -> tuple[dict[str, str], ...]:
    """The totals of a few areas, once for each unit and flow counted, and how many smallest areas there are.

    The areas are the smallest of which there are so few: where a release
    covers one authority of a region, the authority and not the region.
    """
    told, figures = words("pages"), []
    hierarchy = max((table.safe.hierarchy for table in tables), key=lambda one: len(one.levels))
    few = [level for level, units in enumerate(hierarchy.units) if units <= MOST_KEY_FIGURES]
    firsts: dict[str, ReportTable] = {}
    for table in tables if few else ():
        firsts.setdefault(table.counts, table)
    for unit, table in firsts.items():
        cut = len(hierarchy.levels) - len(table.safe.hierarchy.levels)
        level = next((one for one in few if one >= cut), None)
        if level is None:
            continue
        cells = _cells(table, level - cut, slice(-1, None))
        figures += [
            {"label": told["figure"]["total"].format(unit=told["unit"][unit], area=name), "text": row[0]}
            for name, row in zip(_names(facts, hierarchy, level), cells, strict=True)
        ]
    plural = facts.level_names[hierarchy.levels[0]][1]
    label = told["figure"]["areas"].format(plural=plural[:1].upper() + plural[1:])
    return (*figures, {"label": label, "text": f"{hierarchy.units[0]:,}"})


def row_order(hierarchy: Hierarchy, level: int) -> np.ndarray:
    """The order in which a level's areas are read: by the areas they lie in, largest first, then by code."""
    keys = [hierarchy.ancestors(level, above) for above in range(level, len(hierarchy.levels))]
    return np.lexsort(keys)


def _level(
    facts: ReleaseFacts, table: ReportTable, level: int, row_limit: int, maps: Mapping[tuple[str, str], Any]
) -> LevelOnPage:
    hierarchy = table.safe.hierarchy
    name, areas = hierarchy.levels[level], hierarchy.units[level]
    plural = facts.level_names[name][1]
    return LevelOnPage(
        id=name,
        heading=plural[:1].upper() + plural[1:],
        plural=plural,
        areas=areas,
        table=_data_table(facts, table, level) if areas <= row_limit else None,
        map=maps.get((table.id, name)),
    )


def _data_table(facts: ReleaseFacts, table: ReportTable, level: int) -> DataTable:
    told, hierarchy = words("pages")["table"], table.safe.hierarchy
    name = hierarchy.levels[level]
    plural = facts.level_names[name][1]
    heads, names, about = area_about(facts, hierarchy, level)
    cells = _cells(table, level, slice(None))
    rows = tuple(
        Row(head=names[unit], about=tuple(str(column[unit]) for column in about), cells=tuple(cells[unit]))
        for unit in row_order(hierarchy, level).tolist()
    )
    caption = told["caption"].format(title=table.title, plural=plural, period=period_words(facts, table))
    return DataTable(id=f"table-{name}", caption=caption, row_heads=heads, columns=_column_heads(table), rows=rows)


def area_about(
    facts: ReleaseFacts, hierarchy: Hierarchy, level: int
) -> tuple[tuple[str, ...], tuple[str, ...], list[np.ndarray]]:
    """What tells of each area of a level: headings, the row's header, and columns of more: code, the area it lies in."""
    told, name = words("pages")["table"], hierarchy.levels[level]
    singular = facts.level_names[name][0]
    within = _orientation(hierarchy.levels, level)
    names, codes = _names(facts, hierarchy, level), hierarchy.codes[level]
    named = any(one != code for one, code in zip(names, codes, strict=True))
    heads = [singular[:1].upper() + singular[1:], *([told["code"]] if named else [])]
    about = [codes.astype(str)] if named else []
    if within:
        above = facts.level_names[hierarchy.levels[within]][0]
        heads.append(above[:1].upper() + above[1:])
        about.append(np.array(_names(facts, hierarchy, within))[hierarchy.ancestors(level, within)])
    return tuple(heads), names, about


def _orientation(levels: tuple[str, ...], level: int) -> int:
    """The level above that tells readers where an area is; 0 where there is none above."""
    if ORIENTATION in levels and levels.index(ORIENTATION) > level:
        return levels.index(ORIENTATION)
    return level + 1 if level + 1 < len(levels) else 0


def _column_heads(table: ReportTable) -> tuple[str, ...]:
    total = words("pages")["table"]["total"]
    return (*(column_label(table, column) for column in range(len(table.safe.classification))), total)


def _names(facts: ReleaseFacts, hierarchy: Hierarchy, level: int) -> tuple[str, ...]:
    """Name of each unit of a level, its code where it has none."""
    codes = hierarchy.codes[level]
    names = facts.area_names.get(hierarchy.levels[level], np.full(len(codes), ""))
    return tuple(str(name) or str(code) for name, code in zip(names, codes, strict=True))


def _cells(table: ReportTable, level: int, columns: slice) -> list[list[str]]:
    """The figures of a level as readers see them, row by row."""
    values, markers = table.safe.values[level][:, columns], table.safe.markers[level][:, columns]
    texts = figure_texts(values.ravel(), markers.ravel(), lambda value: f"{value:,}", lambda marker: f"[{marker}]")
    listed, wide = texts.to_pylist(), values.shape[1]
    return [listed[start : start + wide] for start in range(0, len(listed), wide)]


def _categories_told(table: ReportTable) -> str:
    told, safe = words("pages"), table.safe
    unit = told["unit"][table.counts]
    if not len(safe.classification):
        return str(told["levels"]["totals_only"].format(unit=unit))
    names = [table.dimension_names.get(name, name).lower() for name in safe.classification.dimensions]
    labels = "; ".join(column_label(table, column) for column in range(len(safe.classification)))
    return str(
        told["levels"]["categories"].format(unit=unit, dimensions=told["levels"]["by"].join(names), labels=labels)
    )


def levels_told(facts: ReleaseFacts, levels: Sequence[str]) -> str:
    """Which kinds of area a table is told by."""
    told = words("pages")["levels"]
    plurals = [facts.level_names[level][1] for level in levels]
    joined = ", ".join(plurals[:-1]) + told["and"] + plurals[-1] if len(plurals) > 1 else plurals[0]
    return str(told["told"].format(plurals=joined))
