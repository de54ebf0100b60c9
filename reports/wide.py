"""A safe table as worksheets: one per area level, areas × categories.

Codes stand in their own column beside names; behind them come the area that
holds the row's area and its local authority, then one column of figures per
category, the total last.  A level with more rows than a worksheet holds is
split by local authority: whole authorities, in the order of their codes, as
many as fit on each part.
"""

import re
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from reports.model import ReleaseFacts, ReportTable
from reports.sheets import SHEET_COLUMNS, SHEET_ROWS, TITLE, Column, Figures, Grid, Line, Sheet, Texts
from reports.statements import (
    counted_words,
    long_date,
    marker_meaning,
    period_words,
    rounding_statement,
    words,
    zero_meaning,
)
from sdc.tables import MARKERS, NOT_AVAILABLE, NOT_PUBLISHED, Hierarchy, SafeTable

__all__ = [
    "Part",
    "area_columns",
    "authority_level",
    "column_width",
    "has_gap",
    "identifier",
    "parts_of",
    "sheet_title",
    "split_sentence",
    "wide_sheets",
]

# Widths of columns in characters.
NARROWEST, WIDEST = 12, 80
# What stands where an area has no name although others of its level have one.
NO_NAME = f"[{MARKERS[NOT_AVAILABLE]}]"


class Banded(Protocol):
    """What can be cut into worksheets: areas, and markers of their cells."""

    @property
    def hierarchy(self) -> Hierarchy:
        """The areas."""

    @property
    def markers(self) -> tuple[np.ndarray, ...]:
        """Per level, int8 of shape (units, columns)."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Part:
    """The rows of one worksheet: units of a level in the order of their codes, and which part this is."""

    level: int
    units: np.ndarray
    number: int = 1
    of: int = 1
    first: str = ""
    last: str = ""
    splitter: int | None = None


def wide_sheets(
    table: ReportTable, facts: ReleaseFacts, *, notes: int, rows_per_sheet: int = SHEET_ROWS
) -> tuple[Sheet, ...]:
    """The worksheets of a table, largest areas first.

    `notes` is how many notes the workbook has for its tables; each title
    refers to them.  An area without any published cell has no row; any other
    cell that is not published shows ``[x]``.

    Raises
    ------
    ValueError
        The table has more columns than a worksheet holds.
    """
    splitter = authority_level(table.safe.hierarchy, facts)
    # Above the rows of a part stand the lines, of them the sentences on shorthand and on the split, and the header row.
    room = rows_per_sheet - len(_lines(table, facts, Part(level=0, units=np.arange(1)), "", notes)) - 3
    if room < 1:
        raise ValueError(f"rows_per_sheet ({rows_per_sheet}) must leave room for rows below the lines of text")
    sheets = []
    for level in reversed(range(len(table.safe.hierarchy.levels))):
        for part in parts_of(table.safe, level, splitter, room):
            sheets.append(_sheet(table, facts, part, notes))
    return tuple(sheets)


def authority_level(hierarchy: Hierarchy, facts: ReleaseFacts) -> int | None:
    """The level of local authorities, known by its words in the release file; None where there is none."""
    for index, level in enumerate(hierarchy.levels):
        if "authorit" in facts.level_names.get(level, ("", ""))[1].lower() or level.lower() in ("lad", "la", "lau"):
            return index
    return None


def parts_of(safe: Banded, level: int, splitter: int | None, room: int) -> list[Part]:
    """The published units of a level, in as many parts as worksheets need."""
    units = np.flatnonzero(np.any(safe.markers[level] != NOT_PUBLISHED, axis=1))
    if len(units) <= room:
        return [Part(level=level, units=units)] if len(units) else []
    if splitter is not None and splitter > level:
        above = safe.hierarchy.ancestors(level, splitter)[units]
        sizes = np.bincount(above, minlength=safe.hierarchy.units[splitter])
        if sizes.max() <= room:
            runs = _packed(sizes, room)
            blocks = [units[(above >= first) & (above <= last)] for first, last in runs]
            return _numbered(level, blocks, runs, safe.hierarchy.codes[splitter], splitter)
    # No authorities, or one that is itself too long: as many areas as fit, in the order of their codes.
    blocks = [units[start : start + room] for start in range(0, len(units), room)]
    runs = [(int(block[0]), int(block[-1])) for block in blocks]
    return _numbered(level, blocks, runs, safe.hierarchy.codes[level], None)


def _numbered(
    level: int, blocks: list[np.ndarray], runs: list[tuple[int, int]], codes: np.ndarray, splitter: int | None
) -> list[Part]:
    """Parts that know their number and, by code, the first and the last area that they hold."""
    return [
        Part(
            level=level,
            units=block,
            number=number,
            of=len(blocks),
            first=str(codes[first]),
            last=str(codes[last]),
            splitter=splitter,
        )
        for number, (block, (first, last)) in enumerate(zip(blocks, runs, strict=True), 1)
    ]


def _packed(sizes: np.ndarray, room: int) -> list[tuple[int, int]]:
    """Runs of authorities, first and last, each run with at most `room` rows; no authority has more."""
    runs, first, held = [], 0, 0
    for place, size in enumerate(sizes.tolist()):
        if held + size > room:
            runs.append((first, place - 1))
            first, held = place, 0
        held += size
    return [*runs, (first, len(sizes) - 1)]


def _sheet(table: ReportTable, facts: ReleaseFacts, part: Part, notes: int) -> Sheet:
    level = table.safe.hierarchy.levels[part.level]
    columns = (*area_columns(table.safe.hierarchy, facts, part), *_figure_columns(table, part))
    if len(columns) > SHEET_COLUMNS:
        raise ValueError(f"table ({table.id}) has {len(columns)} columns, a worksheet holds {SHEET_COLUMNS}")
    suffix = f"_part_{part.number}" if part.of > 1 else ""
    grid = Grid(name=identifier(f"{table.id}_by_{level}{suffix}"), columns=columns)
    shorthand = _shorthand(table.safe, columns)
    name = identifier(level.upper())[: 31 - len(suffix)] + suffix
    lines = _lines(table, facts, part, shorthand, notes)
    return Sheet(
        name=name, description=sheet_title(table.title, table.safe.hierarchy, facts, part), lines=lines, grid=grid
    )


def identifier(text: str) -> str:
    """A name for a worksheet or a table: letters, digits and underscores, a letter first."""
    name = re.sub(r"\W", "_", text)
    return name if name[:1].isalpha() else f"table_{name}"


def sheet_title(
    title: str, hierarchy: Hierarchy, facts: ReleaseFacts, part: Part, *, period: str = "", status: str = ""
) -> str:
    """Contents, kind of area, period and status, by default those of the release."""
    told = words("workbook")["sheet"]
    level = hierarchy.levels[part.level]
    text: str = told["part" if part.of > 1 else "title"].format(
        title=title,
        plural=facts.level_names.get(level, (level, level))[1],
        period=period or long_date(facts.reference_date),
        status=status or words("metadata")["status"][facts.status].lower(),
        part=part.number,
        parts=part.of,
    )
    return text


def _lines(table: ReportTable, facts: ReleaseFacts, part: Part, shorthand: str, notes: int) -> tuple[Line, ...]:
    """What column A says above the table."""
    told = words("workbook")["sheet"]
    references = "".join(told["reference"].format(number=number) for number in range(1, notes + 1))
    texts = [
        told["refers"],
        split_sentence(table.safe.hierarchy, facts, part),
        shorthand,
        rounding_statement(table.safe.method),
        *facts.statements,
        told["source"].format(source=facts.source),
    ]
    title = sheet_title(table.title, table.safe.hierarchy, facts, part, period=period_words(facts, table))
    return (
        Line(text=f"{title} {references}", style=TITLE),
        *(Line(text=text) for text in texts if text),
    )


def split_sentence(hierarchy: Hierarchy, facts: ReleaseFacts, part: Part) -> str:
    """Which rows a part of a split table holds; blank where it is whole."""
    told = words("workbook")["sheet"]
    if part.of == 1:
        return ""
    if part.splitter is None:
        return str(told["split_rows"].format(first=part.first, last=part.last))
    level = hierarchy.levels[part.splitter]
    splitter = facts.level_names.get(level, (level, level))[0]
    return str(told["split"].format(splitter=splitter, first=part.first, last=part.last))


def _shorthand(safe: SafeTable, columns: tuple[Column, ...]) -> str:
    """One sentence with every marker that stands on this worksheet, and always what 0 means."""
    told = words("workbook")["sheet"]
    used: set[str] = set()
    for column in columns:
        if isinstance(column.cells, Figures):
            numbers = np.unique(column.cells.markers).tolist()
            used.update(MARKERS.get(number, MARKERS[NOT_AVAILABLE]) for number in numbers)
        elif has_gap(column.cells):
            used.add(MARKERS[NOT_AVAILABLE])
    meanings = [
        told["marker"].format(marker=marker, meaning=marker_meaning(marker))
        for marker in MARKERS.values()
        if marker and marker in used
    ]
    meanings.append(told["zero"].format(zero=zero_meaning(safe.method)))
    return str(told["shorthand"].format(markers="; ".join(meanings)))


def has_gap(cells: Texts) -> bool:
    """Whether an area has no name although others of its level have one."""
    return bool(pc.any(pc.equal(_taken(cells), NO_NAME)).as_py())


def _taken(cells: Texts) -> pa.Array:
    return cells.texts if cells.index is None else cells.texts.take(pa.array(cells.index))


def area_columns(hierarchy: Hierarchy, facts: ReleaseFacts, part: Part) -> tuple[Column, ...]:
    """Code and name of the row's area, of the area that holds it, and of its local authority.

    A holder that is the same for every row says nothing and is left out.
    """
    authority = authority_level(hierarchy, facts)
    columns = _level_columns(hierarchy, facts, part.level, part.units)
    for above in sorted({part.level + 1, -1 if authority is None else authority}):
        if part.level < above < len(hierarchy.levels) and hierarchy.units[above] > 1:
            index = hierarchy.ancestors(part.level, above)[part.units]
            columns += _level_columns(hierarchy, facts, above, index)
    return tuple(columns)


def _level_columns(hierarchy: Hierarchy, facts: ReleaseFacts, level: int, index: np.ndarray) -> list[Column]:
    told = words("workbook")["sheet"]
    name = hierarchy.levels[level]
    singular = facts.level_names.get(name, (name, name))[0]
    heading = singular[:1].upper() + singular[1:]
    columns = [_text_column(told["code"].format(level=heading), hierarchy.codes[level], index)]
    names = facts.area_names.get(name)
    if names is not None and np.any(names != ""):
        columns.append(_text_column(told["name"].format(level=heading), np.where(names == "", NO_NAME, names), index))
    return columns


def _text_column(heading: str, texts: np.ndarray, index: np.ndarray) -> Column:
    longest = int(np.char.str_len(texts.astype(np.str_)).max())
    cells = Texts(texts=pa.array(texts.tolist(), pa.string()), index=index)
    return Column(heading=heading, cells=cells, width=column_width(heading, longest))


def column_width(heading: str, longest: int) -> int:
    """Wide enough for the longest cell, and for the heading, in bold, on about three lines."""
    word = max(len(word) for word in heading.split())
    return min(WIDEST, max(NARROWEST, longest + 2, word + 3, len(heading) // 3 + 8))


def _figure_columns(table: ReportTable, part: Part) -> tuple[Column, ...]:
    """One column per category and the total; a column without any published cell is left out."""
    values = table.safe.values[part.level][part.units]
    markers = table.safe.markers[part.level][part.units]
    columns = []
    for place, heading in enumerate(_figure_headings(table)):
        cells = Figures(values=values[:, place], markers=markers[:, place])
        if np.any(cells.markers != NOT_PUBLISHED):
            longest = len(f"{int(cells.values.max()):,}")
            columns.append(Column(heading=heading, cells=cells, width=column_width(heading, longest)))
    return tuple(columns)


def _figure_headings(table: ReportTable) -> list[str]:
    """A heading for each column of the table, unit in round brackets; equal labels are told apart by their codes."""
    told = words("workbook")["sheet"]
    dimensions = table.safe.classification.dimensions
    labels = []
    for category in table.safe.classification.categories:
        parts = [table.labels.get(name, {}).get(code, code) for name, code in zip(dimensions, category, strict=True)]
        labels.append(", ".join(parts))
    told_apart = [
        f"{label} {', '.join(category)}" if labels.count(label) > 1 else label
        for label, category in zip(labels, table.safe.classification.categories, strict=True)
    ]
    headings = [told["figure"].format(label=label, unit=counted_words(table)) for label in told_apart]
    return [*headings, told["total"].format(unit=counted_words(table))]
