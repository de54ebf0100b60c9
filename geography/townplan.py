"""The ground of a made-up city: land, a river, districts with street grids of their own, and blocks between streets.

Lines are laid out first, cut at every crossing and closed into faces, so that
neighbours share each vertex exactly.  A smooth bend of the whole plane
(`Bend`) then takes the ruler's straightness out of them; as it maps equal
points to equal points, borders still meet exactly.
"""

from dataclasses import dataclass

import numpy as np
import shapely

__all__ = ["Bend", "Plan", "draw_plan"]

# The plan lies in the North Sea, where the grid is valid and no real place is: metres east and north on EPSG:27700.
CENTRE = np.array([580_000.0, 480_000.0])
STEP = 40.0
"""Longest straight piece of a border before it is bent, in metres."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Plan:
    """Blocks of a made-up city, before anything is grouped.

    Attributes
    ----------
    blocks : polygons of shape (blocks,), not yet bent.
    district : int64 of shape (blocks,): the district each lies in.
    crowding : float64 of shape (blocks,): households per block relative to the mean, above 0.
    bend : how to bend what is made of the blocks.
    """

    blocks: np.ndarray
    district: np.ndarray
    crowding: np.ndarray
    bend: "Bend"


class Bend:
    """A smooth shift of the plane: a sum of waves, each so flat that no two points can swap places.

    A wave of length L that shifts by at most a has slope 2πa/L; the slopes add up
    to less than 1, which keeps the shift one to one.
    """

    # Wavelength in metres, amplitude in metres, waves of each.
    OCTAVES = ((5200.0, 110.0, 3), (1900.0, 34.0, 4), (640.0, 12.0, 5), (230.0, 3.2, 6))

    def __init__(self, rng: np.random.Generator) -> None:
        waves, shifts, phases = [], [], []
        for length, amplitude, count in self.OCTAVES:
            angle = rng.random(count) * 2 * np.pi
            waves.append(np.column_stack([np.cos(angle), np.sin(angle)]) * 2 * np.pi / length)
            toward = rng.random(count) * 2 * np.pi
            shifts.append(np.column_stack([np.cos(toward), np.sin(toward)]) * amplitude / np.sqrt(count))
            phases.append(rng.random(count) * 2 * np.pi)
        self.waves, self.shifts, self.phases = np.vstack(waves), np.vstack(shifts), np.concatenate(phases)

    def __call__(self, points: np.ndarray) -> np.ndarray:
        """Points of shape (points, 2), bent and rounded to the centimetre."""
        bent: np.ndarray = np.round(points + np.sin(points @ self.waves.T + self.phases) @ self.shifts, 2)
        return bent

    def polygons(self, polygons: np.ndarray) -> np.ndarray:
        """Polygons with every border cut into short pieces and bent; shared borders stay shared."""
        return np.array([self._polygon(polygon) for polygon in polygons], dtype=object)

    def _polygon(self, polygon: shapely.Geometry) -> shapely.Geometry:
        if polygon.geom_type == "MultiPolygon":
            return shapely.MultiPolygon([self._polygon(part) for part in polygon.geoms])
        rings = [self._ring(np.asarray(ring.coords)) for ring in (polygon.exterior, *polygon.interiors)]
        return shapely.Polygon(rings[0], rings[1:])

    def _ring(self, ring: np.ndarray) -> np.ndarray:
        start, end = ring[:-1], ring[1:]
        # Each piece is cut from its lesser end, whichever way the ring runs, so that both neighbours cut it alike.
        flip = (start[:, 0] > end[:, 0]) | ((start[:, 0] == end[:, 0]) & (start[:, 1] > end[:, 1]))
        low, high = np.where(flip[:, None], end, start), np.where(flip[:, None], start, end)
        pieces = np.maximum(np.ceil(np.hypot(*(high - low).T) / STEP), 1).astype(np.int64)
        edge = np.repeat(np.arange(len(start)), pieces)
        step = np.arange(len(edge)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
        share = np.where(flip[edge], pieces[edge] - step, step) / pieces[edge]
        bent = self(low[edge] + (high - low)[edge] * share[:, None])
        return np.vstack([bent, bent[:1]])


@dataclass(frozen=True, kw_only=True, eq=False)
class _Towns:
    """Centres of the city and its suburbs, and how far and how strongly each draws people."""

    places: np.ndarray
    reach: np.ndarray
    pull: np.ndarray

    def density(self, points: np.ndarray) -> np.ndarray:
        """Relative density of households at points of shape (points, 2): 1 in the middle of the main centre, above 0."""
        gap = np.hypot(*(points[:, None] - self.places[None]).transpose(2, 0, 1))
        drawn: np.ndarray = (self.pull * np.exp(-((gap / self.reach) ** 1.3))).sum(axis=1)
        drawn[drawn < 0.006] = 0.006
        return drawn


def draw_plan(*, blocks: int, rng: np.random.Generator) -> Plan:
    """A plan of about `blocks` blocks on a city whose size grows with their number."""
    radius = 5600.0 * np.sqrt(blocks / 2700.0)
    outline, coast, river = _draw_land(radius, rng)
    towns = _place_towns(radius, river, rng)
    dry = coast.difference(_widen_river(river, radius, rng))
    districts = _draw_districts(outline, dry, radius, towns, rng)
    ground = shapely.union_all(districts)
    lines, spacing = _draw_streets(districts, towns, blocks, rng)
    faces = _close_faces([*lines, ground.boundary, *(district.boundary for district in districts)], ground)
    return _describe(faces, districts, spacing, Bend(rng), rng)


def _draw_land(radius: float, rng: np.random.Generator) -> tuple[shapely.Polygon, shapely.Polygon, np.ndarray]:
    """The city's rough outline, the land west of the coast, and the river's middle line from west to east: (points, 2)."""
    angle = np.linspace(0, 2 * np.pi, 241)[:-1]
    reach = np.ones_like(angle)
    for wave in range(2, 10):
        reach += 0.24 / wave**1.15 * rng.uniform(0.5, 1.0) * np.sin(wave * angle + rng.random() * 2 * np.pi)
    outline = np.column_stack([1.15 * reach * np.cos(angle), 0.92 * reach * np.sin(angle)])
    along = np.linspace(-1.9, 1.9, 260)
    middle = (
        _waves(along, ((0.7, 0.15), (1.5, 0.13), (2.7, 0.07), (4.6, 0.028)), rng) + rng.uniform(-0.25, 0.25) * along
    )
    # The river passes near the middle of the city, so that there are two banks to speak of.
    river = np.column_stack([along, middle - np.interp(0.0, along, middle) - 0.05])
    shore = 0.86 + _waves(along, ((0.6, 0.07), (1.4, 0.05), (3.1, 0.03), (6.3, 0.014), (11.0, 0.007)), rng)
    corners = [[-2.5, 1.9], [-2.5, -1.9]]
    coast = np.vstack([np.column_stack([shore, along]), corners])
    return (
        shapely.Polygon(outline * radius + CENTRE),
        shapely.Polygon(coast * radius + CENTRE),
        river * radius + CENTRE,
    )


def _waves(along: np.ndarray, heights: tuple[tuple[float, float], ...], rng: np.random.Generator) -> np.ndarray:
    """A sum of sine waves, each given by half-waves per unit and height, with phases by chance."""
    count, height = np.array(heights).T
    phases = rng.random(len(heights)) * 2 * np.pi
    waves: np.ndarray = height * np.sin(np.pi * count * along[:, None] + phases)
    summed: np.ndarray = waves.sum(axis=1)
    return summed


def _widen_river(river: np.ndarray, radius: float, rng: np.random.Generator) -> shapely.Geometry:
    """The river as water: narrow in the west, an estuary in the east."""
    along = (river[:, 0] - CENTRE[0]) / radius
    width = radius / 5600.0 * (34 + 14 * (along + 1.9) + 430 * np.clip(along - 0.25, 0, None) ** 2)
    width *= 1 + 0.07 * np.sin(along * 21 + rng.random() * 6)
    pieces = [
        shapely.convex_hull(shapely.union(shapely.Point(a).buffer(r), shapely.Point(b).buffer(s)))
        for a, b, r, s in zip(river[:-1], river[1:], width[:-1], width[1:], strict=True)
    ]
    return shapely.union_all(pieces).simplify(1.5)


def _place_towns(radius: float, river: np.ndarray, rng: np.random.Generator) -> _Towns:
    """The main centre by the river, and half a dozen smaller ones around it."""
    main = river[np.argmin(np.abs(river[:, 0] - CENTRE[0]))] + np.array([0.0, 0.07 * radius])
    angle = (np.arange(7) + rng.uniform(-0.35, 0.35, 7)) * 2 * np.pi / 7 + rng.random() * 2 * np.pi
    gap = rng.uniform(0.42, 0.78, 7) * radius
    around = CENTRE + np.column_stack([1.15 * gap * np.cos(angle), 0.9 * gap * np.sin(angle)])
    return _Towns(
        places=np.vstack([main, main + np.array([0.12, -0.2]) * radius, around]),
        reach=np.concatenate([[0.30, 0.26], rng.uniform(0.10, 0.19, 7)]) * radius,
        pull=np.concatenate([[0.85, 0.45], rng.uniform(0.2, 0.5, 7)]),
    )


def _draw_districts(
    outline: shapely.Polygon, dry: shapely.Geometry, radius: float, towns: _Towns, rng: np.random.Generator
) -> list[shapely.Polygon]:
    """Districts between main roads: small where it is dense, wide at the edge.

    Those whose middle lies in the outline are the city's, whole, so that it
    ends along roads and field borders; on the water side it ends at the bank.
    """
    tries = CENTRE + rng.uniform(-1.8, 1.8, (9000, 2)) * radius
    apart = 0.075 * radius / np.clip(towns.density(tries), 0.10, 1.0) ** 0.33
    seeds = tries[:1]
    for point, gap in zip(tries[1:], apart[1:], strict=True):
        if np.min(((seeds - point) ** 2).sum(axis=1)) > gap**2:
            seeds = np.vstack([seeds, point])
    cells = shapely.get_parts(shapely.voronoi_polygons(shapely.MultiPoint(seeds), ordered=True))
    inside = cells[shapely.contains_xy(outline, seeds[:, 0], seeds[:, 1])]
    pieces = shapely.get_parts(shapely.intersection(inside, dry))
    return _two_banks(pieces[(shapely.get_type_id(pieces) == 3) & (shapely.area(pieces) > 500.0)])


def _two_banks(pieces: np.ndarray) -> list[shapely.Polygon]:
    """The districts of the two largest stretches of land: no island, no scrap beyond a bend of the river."""
    land = shapely.get_parts(shapely.union_all(pieces))
    banks = shapely.MultiPolygon(list(land[np.argsort(-shapely.area(land), kind="stable")[:2]]))
    return list(pieces[shapely.intersects(banks, shapely.point_on_surface(pieces))])


def _draw_streets(
    districts: list[shapely.Polygon], towns: _Towns, blocks: int, rng: np.random.Generator
) -> tuple[list[shapely.Geometry], np.ndarray]:
    """Borders of the blocks inside each district, and the block spacing of each district in metres."""
    middles = shapely.get_coordinates(shapely.point_on_surface(np.array(districts, dtype=object)))
    # Some districts are parks, works or docks: few people on much ground.
    quiet = np.where(rng.random(len(districts)) < 0.08, 0.22, 1.0) * rng.uniform(0.8, 1.25, len(districts))
    density = towns.density(middles) * quiet
    area = shapely.area(np.array(districts, dtype=object))
    spacing = np.sqrt(np.sum(area * density) / (blocks * density))
    lines = []
    for district, gap in zip(districts, spacing, strict=True):
        points = _street_points(district, float(gap), rng)
        if len(points) > 1:
            cells = shapely.voronoi_polygons(shapely.MultiPoint(points), extend_to=district, only_edges=True)
            lines.append(shapely.intersection(cells, district))
    return lines, spacing


def _street_points(district: shapely.Polygon, gap: float, rng: np.random.Generator) -> np.ndarray:
    """Middles of blocks on a turned, stretched and shaken grid, none too near the district's edge: (points, 2)."""
    middle, size = np.asarray(district.centroid.coords)[0], np.hypot(*np.subtract(*np.reshape(district.bounds, (2, 2))))
    stretch, angle = rng.uniform(1.0, 1.45), rng.random() * np.pi
    # Old and outlying places grew without a grid.
    shake = 0.16 if gap < 130 else 0.33
    count = int(np.ceil(size / gap)) + 2
    columns, rows = np.meshgrid(np.arange(-count, count + 1), np.arange(-count, count + 1))
    grid = np.column_stack([(columns + 0.5 * (rows % 2)).ravel() * stretch, rows.ravel() / stretch]) * gap
    grid = grid + rng.uniform(-shake, shake, grid.shape) * gap
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    points: np.ndarray = grid @ turn.T + middle
    inner = district.buffer(-0.28 * gap)
    inside: np.ndarray = shapely.contains_xy(inner, points[:, 0], points[:, 1])
    kept: np.ndarray = points[inside]
    return kept


def _close_faces(lines: list[shapely.Geometry], ground: shapely.Geometry) -> np.ndarray:
    noded = shapely.union_all(np.array(lines, dtype=object), grid_size=0.01)
    faces: np.ndarray = shapely.get_parts(shapely.polygonize([noded]))
    inside = shapely.get_coordinates(shapely.point_on_surface(faces))
    dry: np.ndarray = shapely.contains_xy(ground, inside[:, 0], inside[:, 1])
    kept: np.ndarray = faces[dry]
    return kept


def _describe(
    faces: np.ndarray, districts: list[shapely.Polygon], spacing: np.ndarray, bend: Bend, rng: np.random.Generator
) -> Plan:
    tree = shapely.STRtree(districts)
    inside = shapely.point_on_surface(faces)
    face, district = tree.query(inside, predicate="intersects")
    home = np.zeros(len(faces), dtype=np.int64)
    home[face[::-1]] = district[::-1]
    # A block cut short by a main road or the bank holds fewer households, in proportion.
    part = np.clip(shapely.area(faces) / spacing[home] ** 2, 0.02, 1.4)
    # Faces come in no promised order: sorting them by place keeps the city the same everywhere.
    place = shapely.get_coordinates(inside)
    order = np.lexsort([place[:, 0], place[:, 1]])
    crowding = part[order] * rng.uniform(0.7, 1.3, len(faces))
    return Plan(blocks=faces[order], district=home[order], crowding=crowding / crowding.mean(), bend=bend)
