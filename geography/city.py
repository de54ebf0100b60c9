"""A made-up city: areas, postcodes, households and boundaries of a place that is not there; same seed, same city.

It is built as output areas are: small blocks between streets, each a postcode,
are grouped into output areas of even size, those into LSOAs, those into MSOAs
and those into local authorities, none across the river unless one authority is asked for.
"""

from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely

from geography.areas import Areas
from geography.boundaries import GRID
from geography.geopackage import write_geopackage
from geography.grouping import Graph, group
from geography.lookups import MADE_LEVELS, write_lookups
from geography.madepostcodes import made_postcodes
from geography.placenames import AUTHORITIES, COUNTRY, REGION, block_names, lettered, numbered_codes
from geography.postcodes import Postcodes
from geography.townplan import Plan, draw_plan

__all__ = ["City", "make_city", "write_city"]

BLOCKS_PER_OA = 9.5
OAS_PER_LSOA = 4.8
LSOAS_PER_MSOA = 4.8
HOUSEHOLDS_PER_OA = 125
MAIN_ROAD = 0.35
"""How strongly the two sides of a main road belong together, beside those of a street."""


@dataclass(frozen=True, kw_only=True, eq=False)
class City:
    """A made-up city.

    Attributes
    ----------
    areas : output areas, LSOAs, MSOAs, local authorities, one region, one country (`lookups.MADE_LEVELS`).
    postcodes : a postcode per block.
    households : int64 of shape (postcodes,): households per postcode, at least 1.
    boundaries : for ``oa``, ``lsoa``, ``msoa`` and ``lad`` a GeoDataFrame with
        ``code``, ``name`` and ``geometry``, in the order of the codes, in EPSG:27700.
    """

    areas: Areas
    postcodes: Postcodes
    households: np.ndarray
    boundaries: dict[str, gpd.GeoDataFrame]


def make_city(*, seed: int, authorities: int = 2, output_areas: int = 320) -> City:
    """A made-up city of so many local authorities and output areas, about 125 households in each output area.

    Raises
    ------
    ValueError
        There are fewer than 30 output areas per authority, or more authorities than names.
    """
    if not 1 <= authorities <= len(AUTHORITIES):
        raise ValueError(f"authorities ({authorities}) must be 1 to {len(AUTHORITIES)}")
    if output_areas < 30 * max(authorities, 2):
        raise ValueError(f"output_areas ({output_areas}) must be at least {30 * max(authorities, 2)}")
    rng = np.random.default_rng(seed)
    plan = draw_plan(blocks=round(BLOCKS_PER_OA * output_areas), rng=rng)
    total = HOUSEHOLDS_PER_OA * output_areas
    households = np.maximum(np.round(plan.crowding * total / plan.crowding.sum()), 1).astype(np.int64)
    graph = _block_graph(plan, households)
    nest, places = _nest(graph, authorities, output_areas, rng)
    block_order, nest = _in_order(nest, places)
    areas = _name_areas(nest, rng)
    return City(
        areas=areas,
        postcodes=Postcodes(postcodes=made_postcodes(len(block_order)), area=nest[0]),
        households=households[block_order],
        boundaries=_draw_boundaries(plan.bend.polygons(plan.blocks[block_order]), nest[0], areas),
    )


def write_city(city: City, folder: Path) -> tuple[Path, ...]:
    """Write ``lookup.csv``, ``postcodes.csv`` and ``boundaries.gpkg`` (a layer per level) into an existing folder.

    The same city gives the same bytes.  Returns the paths written.
    """
    boundaries = folder / "boundaries.gpkg"
    write_geopackage(boundaries, city.boundaries)
    return (*write_lookups(folder, areas=city.areas, postcodes=city.postcodes), boundaries)


def _block_graph(plan: Plan, households: np.ndarray) -> Graph:
    """Blocks, their households, and who shares a street; a street between two districts is a main road."""
    coordinates, block = shapely.get_coordinates(plan.blocks, return_index=True)
    start, end, owner = coordinates[:-1], coordinates[1:], block[:-1]
    same = owner == block[1:]
    flip = (start[:, 0] > end[:, 0]) | ((start[:, 0] == end[:, 0]) & (start[:, 1] > end[:, 1]))
    edges = np.where(flip[:, None], np.hstack([end, start]), np.hstack([start, end]))[same]
    owner = owner[same]
    # Blocks share their vertices exactly, so that a shared piece of border is the same four numbers twice.
    order = np.lexsort((owner, *edges.T[::-1]))
    edges, owner = edges[order], owner[order]
    twin = np.flatnonzero(np.all(edges[:-1] == edges[1:], axis=1))
    pairs = np.sort(np.column_stack([owner[twin], owner[twin + 1]]), axis=1)
    length = np.hypot(*(edges[twin, 2:] - edges[twin, :2]).T)
    borders, which = np.unique(pairs, axis=0, return_inverse=True)
    main = plan.district[borders[:, 0]] != plan.district[borders[:, 1]]
    return Graph(
        places=shapely.get_coordinates(shapely.point_on_surface(plan.blocks)),
        weights=households.astype(np.float64),
        borders=borders,
        ties=np.bincount(which.ravel(), length) * np.where(main, MAIN_ROAD, 1.0),
    )


def _nest(
    graph: Graph, authorities: int, output_areas: int, rng: np.random.Generator
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Groups level by level (blocks to OAs, … MSOAs to authorities) and the middle of each unit, blocks first."""
    lsoas = round(output_areas / OAS_PER_LSOA)
    counts = [output_areas, lsoas, max(round(lsoas / LSOAS_PER_MSOA), authorities), authorities]
    nest, places = [], [graph.places]
    for count in counts:
        # One authority holds both banks; every other group keeps to one.
        groups = np.zeros(len(graph.weights), dtype=np.int64) if count == 1 else group(graph, count, rng)
        graph = graph.merged(groups)
        nest.append(groups)
        places.append(graph.places)
    return nest, places


def _in_order(nest: list[np.ndarray], places: list[np.ndarray]) -> tuple[np.ndarray, list[np.ndarray]]:
    """Number the units of every level parent by parent and, within a parent, from north to south.

    Returns the order of the blocks and, per level, the parent of each unit in the new numbers (int32).
    """
    place = places[-1]
    order = np.lexsort((place[:, 0], -place[:, 1]))
    numbered: list[np.ndarray] = []
    for level in range(len(nest) - 1, -1, -1):
        rank = np.empty(len(order), dtype=np.int64)
        rank[order] = np.arange(len(order))
        parent, place = rank[nest[level]], places[level]
        order = np.lexsort((place[:, 0], -place[:, 1], parent))
        numbered.insert(0, parent[order].astype(np.int32))
    return order, numbered


def _name_areas(nest: list[np.ndarray], rng: np.random.Generator) -> Areas:
    lsoa, msoa, lad = nest[1], nest[2], nest[3]
    count = int(lad.max()) + 1
    lad_names = np.array(AUTHORITIES)[rng.permutation(len(AUTHORITIES))[:count]]
    msoa_names = block_names(lad_names, lad)
    lsoa_names = lettered(msoa_names, msoa)
    kinds = (("E00", len(lsoa)), ("E01", len(msoa)), ("E02", len(lad)), ("E08", count), ("E12", 1), ("E92", 1))
    return Areas(
        levels=tuple(level.name for level in MADE_LEVELS),
        codes=tuple(numbered_codes(prefix, number) for prefix, number in kinds),
        names=(np.full(len(lsoa), ""), lsoa_names, msoa_names, lad_names, np.array([REGION]), np.array([COUNTRY])),
        parents=(lsoa, msoa, lad, np.zeros(count, np.int32), np.zeros(1, np.int32)),
    )


def _draw_boundaries(blocks: np.ndarray, area: np.ndarray, areas: Areas) -> dict[str, gpd.GeoDataFrame]:
    """Boundaries per level, each the union of its blocks: shared borders are the same to the last centimetre."""
    frames = {}
    for level, name in enumerate(("oa", "lsoa", "msoa", "lad")):
        unit = areas.ancestors(0, level)[area]
        parts = np.split(blocks[np.argsort(unit, kind="stable")], np.cumsum(np.bincount(unit))[:-1])
        shapes = shapely.normalize(np.array([shapely.coverage_union_all(part) for part in parts], dtype=object))
        columns = {"code": areas.codes[level], "name": areas.names[level]}
        frames[name] = gpd.GeoDataFrame(columns, geometry=shapes, crs=GRID)
    return frames
