"""A made-up town for the tests of pages and maps: areas, boundaries, true and published tables, facts."""

import datetime as dt
from dataclasses import dataclass

import geopandas
import numpy as np
import shapely

from reports.model import Boundary, Contact, ReleaseFacts, ReportTable
from sdc.tables import SHOWN, SUPPRESSED, Classification, Hierarchy, Method, SafeTable, Table, sum_up

LEVEL_NAMES = {
    "oa": ("output area", "output areas"),
    "lsoa": ("lower layer super output area", "lower layer super output areas"),
    "msoa": ("middle layer super output area", "middle layer super output areas"),
    "lad": ("local authority", "local authorities"),
}
PREFIX = {"oa": "E00", "lsoa": "E01", "msoa": "E02", "lad": "E08"}
BENEFITS = {
    "AA": "Attendance Allowance",
    "CA": "Carer's Allowance",
    "ESA": "Employment and Support Allowance",
    "HB": "Housing Benefit",
    "PC": "Pension Credit",
    "PIP": "Personal Independence Payment",
    "UC": "Universal Credit",
}
AGES = {"A16": "16 to 24", "A25": "25 to 49", "A50": "50 to 65", "A66": "66 and over"}
SEXES = {"F": "Female", "M": "Male"}


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Everything that pages are made from."""

    facts: ReleaseFacts
    tables: tuple[ReportTable, ...]
    true: tuple[Table, ...]
    boundaries: tuple[Boundary, ...]


def make_scene(*, areas: int = 240, seed: int = 7, suppressed: bool = False) -> Scene:
    """A town of `areas` output areas in two local authorities, with two tables of claims."""
    rng = np.random.default_rng(seed)
    hierarchy, frames = _town(areas, rng)
    names = _names(hierarchy)
    by_benefit = _true_table(
        hierarchy, Classification(dimensions=("benefit",), categories=tuple((c,) for c in sorted(BENEFITS))), rng
    )
    crossing = tuple((age, sex) for age in sorted(AGES) for sex in sorted(SEXES))
    by_age = _true_table(hierarchy, Classification(dimensions=("age_band", "sex"), categories=crossing), rng)
    tables = (
        ReportTable(
            id="benefit",
            title="Claims by benefit",
            safe=_published(by_benefit, rng, suppressed),
            dimension_names={"benefit": "Benefit"},
            labels={"benefit": BENEFITS},
            notes=("Universal Credit counts claims with a payment due.",),
        ),
        ReportTable(
            id="age-sex",
            title="Claims by age band and sex",
            safe=_published(by_age, rng, False),
            dimension_names={"age_band": "Age band", "sex": "Sex"},
            labels={"age_band": AGES, "sex": SEXES},
        ),
    )
    boundaries = tuple(
        Boundary(level=level, frame=frame, attribution="Made-up boundaries, free to use.")
        for level, frame in frames.items()
    )
    return Scene(facts=_facts(names), tables=tables, true=(by_benefit, by_age), boundaries=boundaries)


def _town(areas: int, rng: np.random.Generator) -> tuple[Hierarchy, dict[str, geopandas.GeoDataFrame]]:
    angle = np.linspace(0, 2 * np.pi, 200)
    radius = 4000 * (1 + 0.12 * np.sin(3 * angle + 1) + 0.05 * np.sin(7 * angle))
    edge = shapely.Polygon(np.column_stack([400_000 + 1.25 * radius * np.cos(angle), 300_000 + radius * np.sin(angle)]))
    points = []
    while len(points) < areas:
        point = np.array([400_000, 300_000]) + rng.normal(scale=(2600, 2000), size=2)
        if edge.contains(shapely.Point(point)):
            points.append(point)
    points = np.array(points)
    cells = shapely.get_parts(shapely.voronoi_polygons(shapely.MultiPoint(points), extend_to=edge, ordered=True))
    shapes = shapely.intersection(cells, edge)
    order = _snake(points)
    shapes = shapes[order]
    lsoa = (np.arange(areas) // 5).astype(np.int32)
    msoa = (np.arange(lsoa.max() + 1) // 5).astype(np.int32)
    lad = np.minimum(np.arange(msoa.max() + 1) // max(1, (msoa.max() + 2) // 2), 1).astype(np.int32)
    counts = (areas, lsoa.max() + 1, msoa.max() + 1, lad.max() + 1)
    levels = ("oa", "lsoa", "msoa", "lad")
    codes = tuple(
        np.array([f"{PREFIX[level]}{990000 + k}" for k in range(count)])
        for level, count in zip(levels, counts, strict=True)
    )
    hierarchy = Hierarchy(levels=levels, codes=codes, parents=(lsoa, msoa, lad))
    frames, current = {}, shapes
    for index, level in enumerate(levels):
        frames[level] = geopandas.GeoDataFrame({"code": codes[index]}, geometry=list(current), crs="EPSG:27700")
        if index < 3:
            parents = hierarchy.parents[index]
            current = np.array([shapely.union_all(current[parents == k]) for k in range(counts[index + 1])])
    return hierarchy, frames


def _snake(points: np.ndarray) -> np.ndarray:
    """An order that keeps neighbours together: strips from west to east, up and down in turn."""
    strip = np.argsort(np.argsort(points[:, 0])) * 8 // len(points)
    return np.lexsort((np.where(strip % 2, -points[:, 1], points[:, 1]), strip))


def _names(hierarchy: Hierarchy) -> dict[str, np.ndarray]:
    lads = np.array(["Northmere", "Southmere"])[: hierarchy.units[3]]
    msoas = np.array([f"{lads[p]} {k + 1:03d}" for k, p in enumerate(hierarchy.parents[2])])
    lsoas = np.array([f"{msoas[p]}{'ABCDE'[k % 5]}" for k, p in enumerate(hierarchy.parents[1])])
    return {"oa": np.full(hierarchy.units[0], ""), "lsoa": lsoas, "msoa": msoas, "lad": lads}


def _true_table(hierarchy: Hierarchy, classification: Classification, rng: np.random.Generator) -> Table:
    areas, wide = hierarchy.units[0], len(classification)
    level = np.repeat(rng.gamma(3.0, 2.4, hierarchy.units[1]), np.bincount(hierarchy.parents[0]))[:areas]
    weight = rng.gamma(1.2, 1.0, wide)
    finest = rng.poisson(level[:, None] * weight / weight.mean() * 0.6).astype(np.int64)
    return Table.from_finest(hierarchy=hierarchy, classification=classification, finest=finest)


def _published(true: Table, rng: np.random.Generator, suppressed: bool) -> SafeTable:
    """Rounded at random in the smallest areas and added up: enough for pages, no protection to rely on."""
    finest = true.counts[0][:, :-1]
    rounded = finest // 5 * 5 + 5 * (rng.random(finest.shape) < finest % 5 / 5)
    values = sum_up(true.hierarchy, np.column_stack([rounded, rounded.sum(axis=1)]).astype(np.int64))
    markers = tuple(np.full(array.shape, SHOWN, np.int8) for array in values)
    if suppressed:
        for array, marks in zip(values[:2], markers[:2], strict=True):
            marks[::9] = SUPPRESSED
            array[::9] = 0
    method = Method(name="controlled-rounding", base=5, min_count=5)
    return SafeTable(
        hierarchy=true.hierarchy, classification=true.classification, values=values, method=method, markers=markers
    )


def _facts(names: dict[str, np.ndarray]) -> ReleaseFacts:
    return ReleaseFacts(
        id="benefits-small-areas-2026-05",
        title="Benefit claims in small areas, May 2026",
        summary="How many benefit claims were live on 31 May 2026 in each output area of two made-up districts.",
        producer="Small area statistics team",
        series="benefits-small-areas",
        reference_date=dt.date(2026, 5, 31),
        extract_date=dt.date(2026, 10, 5),
        publication=dt.datetime(2026, 11, 17, 9, 30),
        next_publication=dt.date(2027, 2, 16),
        status="provisional",
        label="none",
        population="claims",
        licence="OGL-UK-3.0",
        source="Made-up benefit records",
        contacts=(
            Contact(role="Statistician", name="Small area statistics team", email="statistics@example.org"),
            Contact(role="Press", name="Press office", email="press@example.org", telephone="01632 960000"),
        ),
        previous="",
        level_names=LEVEL_NAMES,
        area_names=names,
        software="smallarea 0.1.0",
    )
