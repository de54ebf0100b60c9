"""Benefit × age × sex with all one-way margins, which is no network: typical authorities, then one region."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from bench.made import KEY, finest_cells, read_ground
from bench.measure import Cost, costed, in_child
from bench.results import Row, minutes_row, per_cell_rows
from bench.tablework import AUTHORITIES, TYPICAL_AUTHORITY, hierarchy_below, nearest_units
from claimants.dimensions import dimension
from releases.counts.shaping import hierarchy_of
from sdc.cube import Axis, Cube, flat_axis, one_way_margins
from sdc.rounding.crossed import round_cube
from sdc.rounding.steps import StepsReport, StepsRounding
from sdc.tables import Hierarchy

__all__ = ["measure_crossed"]

CROSSED = ("benefit", "age_band", "sex")
MINUTES = 5


def measure_crossed(folder: Path, repeats: int) -> list[Row]:
    """Authorities and the region once: what is asked is minutes, which no drift of the machine decides."""
    (sizes, report, costs), _ = in_child(_round, folder)
    label = f"round_cube, {' × '.join(CROSSED)} with one-way margins"
    (areas, cells), cost = sizes["region"], costs["region"]
    row = minutes_row(f"{label}, one region", f"{areas:,} areas, {cells:,} cells", cost, MINUTES)
    told = f"{row.figure}, {report.beyond / cells:.2%} of cells a step or more away, {report.most_steps} at most"
    return [
        replace(row, figure=told),
        *per_cell_rows(label, sizes, {place: [cost] for place, cost in costs.items()}),
    ]


def _round(folder: Path) -> tuple[dict[str, tuple[int, int]], StepsReport, dict[str, Cost]]:
    """By place its areas and cells, and the cost; how it went in the region.  The first authority is run before, for nothing."""
    country = hierarchy_of(read_ground(folder)[0])
    lad, rgn = country.levels.index("lad"), country.levels.index("rgn")
    typical = [
        _cube(folder, country, lad, unit) for unit in nearest_units(country, lad, TYPICAL_AUTHORITY, AUTHORITIES)
    ]
    region = _cube(folder, country, rgn, nearest_units(country, rgn, None)[0])
    _rounded(typical[0])
    _, authorities = costed(lambda: [_rounded(cube) for cube in typical])
    report, cost = costed(lambda: _rounded(region))
    sizes = {"authority": _size(typical), "region": _size([region])}
    return sizes, report, {"authority": authorities, "region": cost}


def _rounded(cube: Cube) -> StepsReport:
    return round_cube(cube, spec=StepsRounding(base=5, min_count=5), key=KEY)[1]


def _size(cubes: list[Cube]) -> tuple[int, int]:
    return sum(len(cube.finest) for cube in cubes), sum(int((cube.numbers() >= 0).sum()) for cube in cubes)


def _cube(folder: Path, country: Hierarchy, level: int, unit: int) -> Cube:
    """The claims under one unit, by area, benefit, age and sex."""
    hierarchy, areas = hierarchy_below(country, level, unit)
    cells = finest_cells(folder)
    place = np.full(country.units[0], -1)
    place[areas] = np.arange(len(areas))
    area = place[cells["area"].to_numpy()]
    here = area >= 0
    places, axes = [area[here]], [Axis(hierarchy=hierarchy, total=False)]
    for name in CROSSED:
        codes = dimension(name).categories
        axes.append(flat_axis(name, codes))
        places.append(np.argsort(np.argsort(np.array(codes, dtype=object)))[cells[name].to_numpy()[here]])
    counts = cells["count"].to_numpy()[here]
    return Cube.from_cells(axes=tuple(axes), places=places, counts=counts, margins=one_way_margins(axes))
