"""Maps of the areas that an attack exposes, for the reviewer alone.

Each area stands by its worst finding; a table beside each map says the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from reports.mapdrawing import Legend, Picture, draw
from reports.model import Boundary
from reports.statements import words
from reports.tablepages import DataTable, Row
from sdc.findings import SEVERITIES, Audit, Finding
from sdc.mends.sheet import area_named
from sdc.tables import Hierarchy

__all__ = ["ExposedArea", "ExposureMap", "exposed_areas", "exposure_maps"]

# Classes that a map tells apart beside "no finding"; the least grave kinds beyond them share one.
MOST_CLASSES = 4
ROWS = 200


@dataclass(frozen=True, kw_only=True)
class ExposedArea:
    """One area with findings: `worst` is the gravest of them, `number` how many are listed."""

    level: str
    unit: int
    code: str
    worst: Finding
    number: int


@dataclass(frozen=True, kw_only=True)
class ExposureMap:
    """A map of one level as it is written and shown: `png` and `svg` are whole files."""

    level: str
    title: str
    alt: str
    png: bytes
    svg: bytes
    table: DataTable


def exposed_areas(audit: Audit, hierarchy: Hierarchy, *, tables: Sequence[str] = ()) -> tuple[ExposedArea, ...]:
    """The areas of a hierarchy that findings name, smallest level first, gravest first within it.

    `tables` are the names that may stand before a cell's own.
    """
    found: dict[tuple[int, int], list[Finding]] = {}
    for finding in audit.findings:
        text = finding.cell
        for name in tables:
            text = text.removeprefix(f"{name}: ")
        place = area_named(hierarchy, text)
        if place is not None:
            found.setdefault(place, []).append(finding)
    areas = [
        ExposedArea(
            level=hierarchy.levels[level],
            unit=unit,
            code=str(hierarchy.codes[level][unit]),
            worst=min(findings, key=_gravity),
            number=len(findings),
        )
        for (level, unit), findings in found.items()
    ]
    return tuple(sorted(areas, key=lambda one: (hierarchy.levels.index(one.level), _gravity(one.worst), one.unit)))


def _gravity(finding: Finding) -> tuple[int, int, str]:
    order = list(words("attack")["kind"])
    kind = order.index(finding.kind) if finding.kind in order else len(order)
    return SEVERITIES.index(finding.severity), kind, finding.kind


def exposure_maps(
    audit: Audit,
    hierarchy: Hierarchy,
    boundaries: Sequence[Boundary],
    *,
    title: str,
    level_names: Mapping[str, tuple[str, str]],
    area_names: Mapping[str, np.ndarray] | None = None,
    tables: Sequence[str] = (),
    unlisted: int = 0,
) -> tuple[ExposureMap, ...]:
    """One map for each level that has boundaries and an area with findings; none where there are none.

    Where a level has no boundaries its findings are drawn on the areas above that have.

    Parameters
    ----------
    title : of the release, told below the map's own.
    level_names : words of each level, singular and plural.
    area_names : per level the name of each area, blank where it has none.
    unlisted : how many findings are counted and not listed: they are not drawn, which the map says.
    """
    drawable = {boundary.level: boundary for boundary in boundaries if boundary.level in hierarchy.levels}
    areas = _lifted(exposed_areas(audit, hierarchy, tables=tables), hierarchy, drawable)
    maps = []
    for level, boundary in drawable.items():
        ours = [area for area in areas if area.level == level]
        if ours:
            names = _names(hierarchy, level, area_names or {})
            maps.append(_draw(ours, boundary, names, title=title, words_of=level_names[level], unlisted=unlisted))
    return tuple(maps)


def _lifted(
    areas: Sequence[ExposedArea], hierarchy: Hierarchy, drawable: Mapping[str, Boundary]
) -> tuple[ExposedArea, ...]:
    """Areas of levels without boundaries as the areas above them that have; several in one are one."""
    found: dict[tuple[int, int], list[ExposedArea]] = {}
    for area in areas:
        below = hierarchy.levels.index(area.level)
        levels = [at for at in range(below, len(hierarchy.levels)) if hierarchy.levels[at] in drawable]
        if levels:
            unit = int(hierarchy.ancestors(below, levels[0])[area.unit])
            found.setdefault((levels[0], unit), []).append(area)
    return tuple(
        ExposedArea(
            level=hierarchy.levels[level],
            unit=unit,
            code=str(hierarchy.codes[level][unit]),
            worst=min((area.worst for area in inside), key=_gravity),
            number=sum(area.number for area in inside),
        )
        for (level, unit), inside in found.items()
    )


def _names(hierarchy: Hierarchy, level: str, area_names: Mapping[str, np.ndarray]) -> np.ndarray:
    codes = hierarchy.codes[hierarchy.levels.index(level)]
    names = area_names.get(level, np.full(len(codes), ""))
    return np.array([str(name) or str(code) for name, code in zip(names, codes, strict=True)])


def _draw(
    areas: Sequence[ExposedArea],
    boundary: Boundary,
    names: np.ndarray,
    *,
    title: str,
    words_of: tuple[str, str],
    unlisted: int,
) -> ExposureMap:
    told, (singular, plural) = words("attack")["map"], words_of
    shapes = np.asarray(boundary.frame.geometry.values)  # type: ignore[attr-defined]
    classes, place = _classes(areas, len(shapes))
    numbers = np.bincount(place, minlength=len(classes) + 1)
    footer = [told["listed"].format(count=f"{unlisted:,}")] if unlisted else []
    if boundary.attribution:
        footer.append(boundary.attribution)
    heading = told["title"].format(plural=plural)
    png, svg = draw(
        Picture(
            title=told["private"].format(title=heading),
            subtitle=title,
            shapes=shapes,
            place=place,
            legend=Legend(
                heading=told["legend"],
                ranges=(told["none"], *classes),
                notes=tuple(told["areas" if number != 1 else "area"].format(count=f"{number:,}") for number in numbers),
            ),
            footer=tuple(footer),
        )
    )
    spread = "; ".join(f"{name} {number:,}" for name, number in zip(classes[::-1], numbers[:0:-1], strict=True))
    table = _table(areas, boundary.level, names, heading, singular)
    alt = told["alt"].format(count=f"{len(shapes):,}", plural=plural, exposed=f"{len(areas):,}", spread=spread)
    return ExposureMap(level=boundary.level, title=heading, alt=alt, png=png, svg=svg, table=table)


def _classes(areas: Sequence[ExposedArea], shapes: int) -> tuple[tuple[str, ...], np.ndarray]:
    """Names of the classes, least grave first, and the class of each area: 0 where it has no finding."""
    kinds = list(dict.fromkeys(area.worst.kind for area in sorted(areas, key=lambda area: _gravity(area.worst))))
    if len(kinds) > MOST_CLASSES:
        rest = kinds[MOST_CLASSES - 1 :]
        names = [*kinds[: MOST_CLASSES - 1], str(words("attack")["map"]["others"])]
    else:
        rest, names = [], kinds
    rank = {kind: len(names) - (len(names) - 1 if kind in rest else kinds.index(kind)) for kind in kinds}
    place = np.zeros(shapes, np.int64)
    for area in areas:
        place[area.unit] = rank[area.worst.kind]
    return tuple(names[::-1]), place


def _table(areas: Sequence[ExposedArea], level: str, names: np.ndarray, heading: str, singular: str) -> DataTable:
    told = words("attack")["map"]
    order = sorted(areas, key=lambda area: (_gravity(area.worst), area.unit))
    left = f" {told['rows'].format(count=f'{ROWS:,}')}" if len(order) > ROWS else ""
    return DataTable(
        id=f"exposed-{level}",
        caption=f"{heading}{left}",
        row_heads=(singular[:1].upper() + singular[1:], told["code"], told["worst"]),
        columns=(told["number"],),
        rows=tuple(
            Row(
                head=str(names[area.unit]),
                about=(area.code, f"{area.worst.kind}: {area.worst.cell}"),
                cells=(f"{area.number:,}",),
            )
            for area in order[:ROWS]
        ),
    )
