"""Tables over one area tree that tell some of the same figures: joint bounds.

Two columns of two tables are the same figure where they name the same category
of the same dimensions; the total is the same figure in all.  Bounds of shared
columns are intersected and propagated in every table until nothing changes
anywhere.  Sound across tables; exactness is each table's own affair.
"""

from collections.abc import Iterator, Mapping

import numpy as np

from sdc.attack.intervals import Intervals
from sdc.attack.propagation import Contradiction, propagate
from sdc.tables import Hierarchy, SafeTable

__all__ = ["first_tellers", "joint_bounds", "same_areas", "share"]


def same_areas(tables: Mapping[str, SafeTable]) -> list[dict[str, SafeTable]]:
    """The tables in groups that stand over the same area tree, in the order given."""
    groups: list[dict[str, SafeTable]] = []
    for name, safe in tables.items():
        for group in groups:
            if _equal(next(iter(group.values())).hierarchy, safe.hierarchy):
                group[name] = safe
                break
        else:
            groups.append({name: safe})
    return groups


def joint_bounds(
    tables: Mapping[str, SafeTable], stated: Mapping[str, Intervals]
) -> tuple[dict[str, Intervals], tuple[str, Contradiction] | None, bool]:
    """Bounds of every table after propagation within and sharing between them, to a joint fixed point.

    Returns the bounds, the first contradiction with the table it lies in, and
    whether all bounds had settled.  A figure that two tables' intervals exclude
    between them is a contradiction of a sum with one part.
    """
    bounds = dict(stated)
    settled = True
    waiting = list(tables)
    while waiting:
        for name in waiting:
            result = propagate(tables[name].hierarchy, bounds[name])
            bounds[name] = result.intervals
            settled &= result.settled
            if result.contradiction is not None:
                return bounds, (name, result.contradiction), settled
        bounds, changed = share(tables, bounds)
        clash = _first_clash(bounds)
        if clash is not None:
            return bounds, clash, settled
        waiting = changed
    return bounds, None, settled


def share(tables: Mapping[str, SafeTable], bounds: Mapping[str, Intervals]) -> tuple[dict[str, Intervals], list[str]]:
    """Intersect the bounds of shared columns; returns all bounds and the names of the tables they changed in."""
    shared: dict[str, Intervals] = {name: each.copied() for name, each in bounds.items()}
    for tellers in _shared_columns(tables):
        for level in range(len(next(iter(tables.values())).hierarchy.levels)):
            lo = np.maximum.reduce([bounds[name].lo[level][:, column] for name, column in tellers])
            hi = np.minimum.reduce([bounds[name].hi[level][:, column] for name, column in tellers])
            for name, column in tellers:
                shared[name].lo[level][:, column] = lo
                shared[name].hi[level][:, column] = hi
    changed = [name for name in tables if not _same(bounds[name], shared[name])]
    return shared, changed


def first_tellers(tables: Mapping[str, SafeTable]) -> dict[str, np.ndarray]:
    """Per table, True for each column that no earlier table tells: bool of shape (columns,)."""
    told: set[tuple[tuple[str, ...], tuple[str, ...]]] = set()
    first = {}
    for name, safe in tables.items():
        keys = list(_keys(safe))
        first[name] = np.array([key not in told for key in keys])
        told.update(keys)
    return first


def _keys(safe: SafeTable) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    """What each column counts, named alike in every table."""
    for category in safe.classification.categories:
        yield safe.classification.dimensions, category
    yield (), ()


def _shared_columns(tables: Mapping[str, SafeTable]) -> list[list[tuple[str, int]]]:
    tellers: dict[tuple[tuple[str, ...], tuple[str, ...]], list[tuple[str, int]]] = {}
    for name, safe in tables.items():
        for column, key in enumerate(_keys(safe)):
            tellers.setdefault(key, []).append((name, column))
    return [each for each in tellers.values() if len(each) > 1]


def _first_clash(bounds: Mapping[str, Intervals]) -> tuple[str, Contradiction] | None:
    for name, each in bounds.items():
        for level, empty in enumerate(each.empty()):
            if empty.any():
                unit, column = (int(index) for index in np.argwhere(empty)[0])
                pair = (int(each.lo[level][unit, column]), int(each.hi[level][unit, column]))
                return name, Contradiction(level=level, unit=unit, column=column, over="tables", whole=pair, parts=pair)
    return None


def _same(a: Intervals, b: Intervals) -> bool:
    return all(np.array_equal(x, y) for x, y in zip((*a.lo, *a.hi), (*b.lo, *b.hi), strict=True))


def _equal(a: Hierarchy, b: Hierarchy) -> bool:
    return a is b or (
        a.levels == b.levels
        and all(np.array_equal(x, y) for x, y in zip(a.codes, b.codes, strict=True))
        and all(np.array_equal(x, y) for x, y in zip(a.parents, b.parents, strict=True))
    )
