"""Choropleths of safe tables, one per area level, as PNG and SVG with the words that go with them.

Only published values are drawn.  An area whose figure is not shown is hatched
and has its marker in the legend, never the colour of the lowest class.  The
same table and boundaries give the same bytes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from common.progress import SILENT, Progress
from reports.classes import MapClasses, map_classes
from reports.mapdrawing import Hatching, Legend, Picture, draw
from reports.model import Boundary, ReleaseFacts, ReportTable
from reports.statements import (
    counted_words,
    marker_meaning,
    period_words,
    rounding_statement,
    words,
    zero_meaning,
)
from sdc.tables import MARKERS, NOT_PUBLISHED, SHOWN

__all__ = ["DrawnMap", "MapRequest", "column_label", "draw_map", "map_alt", "map_requests", "map_title", "write_maps"]

OUTLINE_LEVEL = "lad"
FEWEST_AREAS = 4
NAMED_IN_ALT = 3


@dataclass(frozen=True, kw_only=True)
class MapRequest:
    """One map that is wanted: a table, a level for which there are boundaries, a column (-1: the total)."""

    table: str
    level: str
    column: int = -1


@dataclass(frozen=True, kw_only=True)
class DrawnMap:
    """A map as it lies in the folder: `png` and `svg` are file names beside each other, `classes` how many it tells apart."""

    table: str
    level: str
    column: int
    classes: int
    title: str
    alt: str
    png: str
    svg: str
    attribution: str


def map_requests(tables: Sequence[ReportTable], boundaries: Sequence[Boundary]) -> tuple[MapRequest, ...]:
    """The maps of a release: for each unit counted, the total at every level with boundaries and at least four areas.

    One figure has one value in all tables, so that the total of a second
    table over the same claims would be the same map again.
    """
    firsts: dict[str, ReportTable] = {}
    for table in tables:
        firsts.setdefault(table.counts, table)
    return tuple(
        MapRequest(table=table.id, level=level)
        for table in firsts.values()
        for level, areas in zip(table.safe.hierarchy.levels, table.safe.hierarchy.units, strict=True)
        if areas >= FEWEST_AREAS and any(boundary.level == level for boundary in boundaries)
    )


def write_maps(
    facts: ReleaseFacts,
    tables: Sequence[ReportTable],
    boundaries: Sequence[Boundary],
    folder: Path,
    *,
    requests: Sequence[MapRequest] | None = None,
    progress: Progress = SILENT,
) -> tuple[DrawnMap, ...]:
    """Draw the maps into `folder` (made if missing) as ``<table>-<level>.png`` and ``.svg``; by default `map_requests`.

    Raises
    ------
    KeyError
        A request names a table or a level that is not there.
    """
    wanted = map_requests(tables, boundaries) if requests is None else requests
    by_id, by_level = {table.id: table for table in tables}, {boundary.level: boundary for boundary in boundaries}
    folder.mkdir(parents=True, exist_ok=True)
    progress.step("drawing maps", len(wanted))
    drawn = []
    for request in wanted:
        table, boundary = by_id[request.table], by_level[request.level]
        png, svg = draw_map(facts, table, boundary, outlines=by_level.get(OUTLINE_LEVEL), column=request.column)
        name = _file_name(table, request)
        (folder / f"{name}.png").write_bytes(png)
        (folder / f"{name}.svg").write_bytes(svg)
        drawn.append(
            DrawnMap(
                table=request.table,
                level=request.level,
                column=request.column,
                classes=_class_count(table, request),
                title=map_title(facts, table, request.level, request.column),
                alt=map_alt(facts, table, request.level, request.column),
                png=f"{name}.png",
                svg=f"{name}.svg",
                attribution=boundary.attribution,
            )
        )
        progress.advance()
    return tuple(drawn)


def _class_count(table: ReportTable, request: MapRequest) -> int:
    level = table.safe.hierarchy.levels.index(request.level)
    arrays = table.safe.values[level], table.safe.markers[level]
    classes, _ = _classified(table, *(array[:, request.column] for array in arrays))
    return len(classes) if classes else 0


def _file_name(table: ReportTable, request: MapRequest) -> str:
    if request.column in (-1, len(table.safe.classification)):
        return f"{table.id}-{request.level}"
    category = "-".join(table.safe.classification.columns[request.column])
    plain = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in category.lower())
    # The number keeps two categories apart whose codes differ in other letters alone.
    return f"{table.id}-{request.column + 1}-{plain}-{request.level}"


def draw_map(
    facts: ReleaseFacts,
    table: ReportTable,
    boundary: Boundary,
    *,
    outlines: Boundary | None = None,
    column: int = -1,
) -> tuple[bytes, bytes]:
    """One map as the bytes of a PNG and of an SVG file.

    `boundary.frame` holds one polygon per unit of its level, in the
    hierarchy's order.  `outlines` are drawn over it, thicker, where their
    level is the map's own or lies above it.

    Raises
    ------
    ValueError
        There is not one polygon for each unit.
    """
    level = table.safe.hierarchy.levels.index(boundary.level)
    shapes = _shapes(boundary)
    if len(shapes) != table.safe.hierarchy.units[level]:
        raise ValueError(f"boundaries of level ({boundary.level}) must be one for each of its areas")
    values, markers = table.safe.values[level][:, column], table.safe.markers[level][:, column]
    classes, place = _classified(table, values, markers)
    outlined = _outlined(table, boundary.level, outlines)
    return draw(
        Picture(
            title=map_title(facts, table, boundary.level, column),
            subtitle=f"{facts.title}. "
            + words("maps")["status"].format(status=words("metadata")["status"][facts.status]),
            shapes=shapes,
            place=place,
            legend=_legend(facts, table, boundary.level, classes, place, markers),
            outlines=_shapes(outlines) if outlined and outlines else np.array([], dtype=object),
            outline_names=_names(facts, table, outlines.level) if outlined and outlines else (),
            footer=_footer(facts, table, boundary, outlines if outlined else None),
        )
    )


def map_title(facts: ReleaseFacts, table: ReportTable, level: str, column: int = -1) -> str:
    """What the map shows, where and when."""
    told = words("maps")
    singular, _ = facts.level_names[level]
    unit, period = told["unit"][table.counts], period_words(facts, table)
    if column in (-1, len(table.safe.classification)):
        return str(told["title"].format(unit=unit, singular=singular, period=period))
    category = column_label(table, column)
    return str(told["title_category"].format(category=category, unit=unit.lower(), singular=singular, period=period))


def column_label(table: ReportTable, column: int) -> str:
    """The words of one column of a table's arrays, such as ``16 to 24, female``."""
    codes = table.safe.classification.columns[column]
    dimensions = table.safe.classification.dimensions
    return ", ".join(table.labels.get(name, {}).get(code, code) for name, code in zip(dimensions, codes, strict=True))


def map_alt(facts: ReleaseFacts, table: ReportTable, level: str, column: int = -1) -> str:
    """A text alternative: what is mapped, how areas spread over the classes, where figures are largest."""
    told = words("maps")
    index = table.safe.hierarchy.levels.index(level)
    values, markers = table.safe.values[index][:, column], table.safe.markers[index][:, column]
    classes, place = _classified(table, values, markers)
    singular, plural = facts.level_names[level]
    counts = [int(np.count_nonzero(place == k)) for k in range(len(classes))] if classes else []
    ranges = [_range_words(low, high, "") for low, high in classes.ranges] if classes else []
    parts = [told["spread"].format(count=f"{n:,}", range=text) for n, text in zip(counts, ranges, strict=True)]
    hatched = int(np.count_nonzero(markers != SHOWN))
    return str(
        told["alt"].format(
            count=f"{len(values):,}",
            plural=plural,
            unit=counted_words(table),
            period=period_words(facts, table),
            classes=told["one_class"] if len(counts) == 1 else told["classes"].format(number=len(counts)),
            lowest=f"{classes.least:,}" if classes else "",
            highest=f"{classes.limits[-1]:,}" if classes else "",
            spread=_sentence("; ".join(parts)) + _largest(facts, table, level, values, markers),
            marked=told["marked"].format(count=f"{hatched:,}", plural=singular if hatched == 1 else plural)
            if hatched
            else "",
        )
    )


def _sentence(text: str) -> str:
    return words("maps")["spread_start"].format(spread=text) if text else ""


def _largest(facts: ReleaseFacts, table: ReportTable, level: str, values: np.ndarray, markers: np.ndarray) -> str:
    shown = np.flatnonzero(markers == SHOWN)
    if len(shown) <= NAMED_IN_ALT:
        return ""
    first = shown[np.argsort(-values[shown], kind="stable")[:NAMED_IN_ALT]]
    names = _names(facts, table, level)
    return str(words("maps")["most"].format(areas=", ".join(f"{names[unit]} ({values[unit]:,})" for unit in first)))


def _names(facts: ReleaseFacts, table: ReportTable, level: str) -> tuple[str, ...]:
    """Name of each unit of a level, its code where it has none."""
    codes = table.safe.hierarchy.codes[table.safe.hierarchy.levels.index(level)]
    names = facts.area_names.get(level, np.full(len(codes), ""))
    return tuple(str(name) or str(code) for name, code in zip(names, codes, strict=True))


def _shapes(boundary: Boundary) -> np.ndarray:
    return np.asarray(boundary.frame.geometry.values)  # type: ignore[attr-defined]


def _classified(table: ReportTable, values: np.ndarray, markers: np.ndarray) -> tuple[MapClasses | None, np.ndarray]:
    """The classes, and for each unit its class, or -1 - marker where no figure is shown."""
    place = -1 - markers.astype(np.int64)
    shown = markers == SHOWN
    if not shown.any():
        return None, place
    classes = map_classes(values[shown], base=table.safe.method.base)
    place[shown] = classes.index(values[shown])
    return classes, place


def _outlined(table: ReportTable, level: str, outlines: Boundary | None) -> bool:
    levels = table.safe.hierarchy.levels
    return outlines is not None and outlines.level in levels and levels.index(outlines.level) >= levels.index(level)


def _range_words(low: int, high: int, zero: str) -> str:
    told = words("maps")
    if low == 0 and zero:
        return str(
            told["zero_range"].format(high=f"{high:,}", zero=zero) if high else told["zero_single"].format(zero=zero)
        )
    return str(
        told["single"].format(low=f"{low:,}") if low == high else told["range"].format(low=f"{low:,}", high=f"{high:,}")
    )


def _legend(
    facts: ReleaseFacts,
    table: ReportTable,
    level: str,
    classes: MapClasses | None,
    place: np.ndarray,
    markers: np.ndarray,
) -> Legend:
    told, zero = words("maps"), zero_meaning(table.safe.method)

    def areas(number: int) -> str:
        return str(told["area"] if number == 1 else told["areas"].format(count=f"{number:,}"))

    ranges = classes.ranges if classes else ()
    hatched = []
    for marker in np.unique(markers[markers != SHOWN]).tolist():
        text = MARKERS.get(marker, "")
        meaning = (
            told["absent"]
            if marker == NOT_PUBLISHED
            else told["marker"].format(marker=text, meaning=marker_meaning(text))
        )
        hatched.append(Hatching(place=-1 - marker, text=meaning, note=areas(int(np.count_nonzero(markers == marker)))))
    return Legend(
        heading=told["legend"].format(unit=told["unit"][table.counts]),
        ranges=tuple(_range_words(low, high, zero) for low, high in ranges),
        notes=tuple(areas(int(np.count_nonzero(place == k))) for k in range(len(ranges))),
        hatched=tuple(hatched),
    )


def _footer(facts: ReleaseFacts, table: ReportTable, boundary: Boundary, outlines: Boundary | None) -> tuple[str, ...]:
    told = words("maps")
    attributions = dict.fromkeys(
        line for line in (boundary.attribution, outlines.attribution if outlines else "") if line
    )
    return (
        rounding_statement(table.safe.method),
        told["source"].format(source=facts.source),
        *(told["copyright"].format(attribution=line) for line in attributions),
    )
