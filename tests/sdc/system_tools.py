"""Small systems and the brute-force judge: every table of finest cells that fits, one by one."""

from functools import cache
from itertools import combinations

import numpy as np
from enumeration import every_world

from sdc.cube import Axis, Cube, all_margins, flat_axis, one_way_margins
from sdc.system import CellSystem, Equations, add_up
from sdc.tables import Hierarchy


def nest(levels, *parents, total=False):
    """An axis from lists of parents: nest("oa<lsoa<lad", [0, 0, 1], [0, 0])."""
    names = tuple(levels.split("<"))
    sizes = [len(each) for each in parents] + [max(parents[-1]) + 1 if parents else 1]
    codes = tuple(
        np.array([f"{name}{i:0{len(str(n - 1))}}" for i in range(n)]) for name, n in zip(names, sizes, strict=True)
    )
    hierarchy = Hierarchy(levels=names, codes=codes, parents=tuple(np.array(each, np.int32) for each in parents))
    return Axis(hierarchy=hierarchy, total=total)


def two_way(inner):
    """A two-way table with margins as a system: rows × columns, the last of each being the total."""
    inner = np.array(inner, np.int64)
    rows = flat_axis("row", [f"r{i}" for i in range(inner.shape[0])])
    columns = flat_axis("column", [f"c{i}" for i in range(inner.shape[1])])
    cube = Cube(axes=(rows, columns), finest=inner, margins=all_margins((rows, columns)))
    return cube.system()


def sum_system(counts, sums):
    """A system from counts and sums (whole, parts)."""
    counts = np.array(counts, np.int64)
    wholes = np.array([whole for whole, _ in sums])
    parts = np.concatenate([np.array(each) for _, each in sums])
    groups = np.repeat(np.arange(len(sums)), [len(each) for _, each in sums])
    return CellSystem(counts=counts, equations=add_up(size=len(counts), wholes=wholes, parts=parts, groups=groups))


def matrix_of(equations: Equations):
    """The equations as a dense matrix."""
    dense = np.zeros((len(equations), equations.size), np.int64)
    dense[equations.rows, equations.cells] = equations.signs
    return dense


@cache
def compositions(cells, most):
    """All tables of so many cells whose sum is at most `most`: int64 of shape (tables, cells)."""
    bars = np.array(list(combinations(range(most + cells), cells)), np.int64)
    return np.diff(bars, axis=1, prepend=-1) - 1


def every_cell(cube, finest):
    """All held cells of a cube, for many tables of finest cells: int64 of shape (tables, cells)."""
    here = cube.numbers() >= 0
    rows = []
    for table in finest:
        other = Cube(axes=cube.axes, finest=table.reshape(cube.finest.shape), margins=cube.margins)
        rows.append(other.values()[here])
    return np.array(rows)


def sums_of_finest(cube):
    """Every held cell as a sum of finest cells: int64 of shape (cells, finest)."""
    size = cube.finest.size
    return every_cell(cube, np.eye(size, dtype=np.int64)).T


def brute_force(cube, lo, hi):
    """The least and greatest value of every cell over all tables that fit; None where none does."""
    sums = sums_of_finest(cube)
    worlds = every_world(sums, lo, hi)
    assert worlds is not None, "too many tables to try"
    tables = worlds @ sums.T
    return (tables.min(axis=0), tables.max(axis=0)) if len(tables) else None


def small_cubes():
    """Cubes that are no network: three flat margins, two nests, area × two margins; with 8 finest cells at most."""
    pair = (nest("oa<lad", [0, 0]), flat_axis("age", ["o", "y"]), flat_axis("sex", ["f", "m"]))
    flat = (flat_axis("age", ["o", "y"]), flat_axis("sex", ["f", "m"]), flat_axis("work", ["n", "w"]))
    nests = (nest("oa<lsoa<lad", [0, 0, 1], [0, 0]), nest("job<trade", [0, 1], total=True))
    return {
        "area × age × sex, all margins": (pair, all_margins(pair)),
        "area × age × sex, one-way margins": (pair, one_way_margins(pair)),
        "age × sex × work, two-way margins alone": (flat, (*all_margins(flat)[1:4], frozenset())),
        "two nests": (nests, all_margins(nests)),
    }
