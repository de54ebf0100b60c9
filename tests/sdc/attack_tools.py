"""Small tables and the brute-force judge: every true table that fits, one by one."""

import numpy as np
from enumeration import every_world, sums_of_tree

from sdc.attack.intervals import NO_BOUND, Intervals
from sdc.tables import Classification, Hierarchy, Method, SafeTable, Table, sum_up

CONTROLLED = Method(name="controlled-rounding", base=5, min_count=5)
CONVENTIONAL = Method(name="conventional-rounding", base=5, min_count=5)
RANDOM = Method(name="random-rounding", base=5, min_count=5)
EXACT = Method(name="exact", base=1, min_count=5)


def tree(*parents):
    """A hierarchy from lists of parents, smallest level first: tree([0, 0, 1], [0, 0]) has 3, 2 and 1 areas."""
    sizes = [len(each) for each in parents] + [max(parents[-1]) + 1 if parents else 1]
    names = ("oa", "lsoa", "msoa", "lad")[: len(sizes)]
    codes = tuple(np.array([f"{name.upper()}{i:06}" for i in range(n)]) for name, n in zip(names, sizes, strict=True))
    return Hierarchy(levels=names, codes=codes, parents=tuple(np.array(each, np.int32) for each in parents))


def flat(number, dimension="benefit"):
    if number == 0:
        return Classification(dimensions=(), categories=())
    return Classification(dimensions=(dimension,), categories=tuple((f"k{i}",) for i in range(number)))


def true_table(hierarchy, finest, dimension="benefit"):
    """A true table; finest of shape (areas, categories), or (areas,) for totals alone."""
    finest = np.array(finest, np.int64)
    if finest.ndim == 1:
        return Table.from_finest(hierarchy=hierarchy, classification=flat(0), finest=finest[:, None])
    return Table.from_finest(hierarchy=hierarchy, classification=flat(finest.shape[1], dimension), finest=finest)


def shown(table, values, method, markers=()):
    """A safe table; values per level."""
    return SafeTable(
        hierarchy=table.hierarchy,
        classification=table.classification,
        values=tuple(np.array(v, np.int64) for v in values),
        method=method,
        markers=tuple(np.array(m, np.int8) for m in markers),
    )


def nearest(table, method=CONVENTIONAL):
    """Every cell rounded apart to the nearest multiple of the base."""
    b = method.base
    return shown(table, [b * ((2 * c + b) // (2 * b)) for c in table.counts], method)


def at_random(table, seed, method=RANDOM):
    """Every cell rounded apart, without bias."""
    rng = np.random.default_rng(seed)
    b = method.base
    values = [b * (c // b + (rng.random(c.shape) < (c % b) / b)) for c in table.counts]
    return shown(table, values, method)


def additive(table, seed, method=CONTROLLED):
    """Some additive zero-restricted rounding: finest cells tried at random until every sum is within the base."""
    rng = np.random.default_rng(seed)
    b, finest = method.base, table.counts[0]
    finest = finest[:, :-1] if len(table.classification) else finest
    for _ in range(5000):
        rounded = b * (finest // b + (rng.random(finest.shape) < (finest % b) / b))
        with_totals = np.column_stack([rounded, rounded.sum(axis=1)]) if len(table.classification) else rounded
        values = sum_up(table.hierarchy, with_totals)
        if all(np.all(np.abs(v - c) < b) for v, c in zip(values, table.counts, strict=True)):
            return shown(table, values, method)
    return None


def every_table(hierarchy, categories, bounds):
    """All non-negative tables within bounds that add up: per level, int64 of shape (tables, units, columns).

    None where there are too many to try.
    """
    levels = sums_of_tree(hierarchy.parents, categories)
    sums = np.concatenate([each.reshape(-1, each.shape[-1]) for each in levels])
    lo, hi = (np.concatenate([each.ravel() for each in ends]) for ends in (bounds.lo, bounds.hi))
    worlds = every_world(sums, lo, hi)
    return None if worlds is None else [np.tensordot(worlds, each, axes=([1], [2])) for each in levels]


def brute_force(hierarchy, categories, bounds):
    """Exact intervals by enumeration; None where no table fits, "large" where there are too many to try."""
    tables = every_table(hierarchy, categories, bounds)
    if tables is None:
        return "large"
    if len(tables[0]) == 0:
        return None
    return Intervals(lo=tuple(t.min(axis=0) for t in tables), hi=tuple(t.max(axis=0) for t in tables))


def same(a, b):
    return all(np.array_equal(x, y) for x, y in zip((*a.lo, *a.hi), (*b.lo, *b.hi), strict=True))


def contains(outer, inner):
    pairs = zip(outer.lo, outer.hi, inner.lo, inner.hi, strict=True)
    return all(np.all(a <= c) and np.all((b >= d) | (b >= NO_BOUND)) for a, b, c, d in pairs)
