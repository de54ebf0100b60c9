"""Small graphs and tables for suppression, and judges that share no code with it."""

import numpy as np
from attack_tools import every_table, flat, tree

from sdc.attack.intervals import NO_BOUND, Intervals
from sdc.network import build_network, unflatten
from sdc.suppression.spec import SuppressionSpec
from sdc.tables import SUPPRESSED, Table

KEY = b"a key that is no secret, for tests"
PLAIN = SuppressionSpec(decoys=0.0, spread=0.0, lone_claimants=False)


def random_graph(seed):
    """A multigraph with a dozen nodes, loops and parallel arcs included."""
    rng = np.random.default_rng(seed)
    nodes = int(rng.integers(1, 12))
    arcs = int(rng.integers(0, 18))
    return rng.integers(0, nodes, arcs).astype(np.int32), rng.integers(0, nodes, arcs).astype(np.int32), nodes


def components(tails, heads, nodes):
    """The least node that each node hangs together with."""
    leader = list(range(nodes))
    for _ in range(nodes):
        for a, b in zip(tails, heads, strict=True):
            leader[a] = leader[b] = min(leader[a], leader[b])
    return leader


def hidden_arcs(hierarchy, categories, cells):
    """Tails and heads of some cells' arcs, and the number of nodes."""
    network = build_network(hierarchy, categories)
    at = [network.cell(*cell) for cell in cells]
    return network.tails[at], network.heads[at], network.nodes


def table_of(finest, *parents):
    """A table of small areas × categories under parents, or with all areas under one."""
    finest = np.array(finest, np.int64)
    hierarchy = tree(*(parents or ([0] * len(finest),)))
    return Table.from_finest(hierarchy=hierarchy, classification=flat(finest.shape[1]), finest=finest)


def random_table(seed, *, areas=(3, 7), categories=(2, 4), mean=4.0, levels=3):
    """Counts with many small ones and some zeros."""
    rng = np.random.default_rng(seed)
    units, parents = int(rng.integers(*areas)), []
    for _ in range(levels - 1):
        above = max(1, units // 2) if len(parents) < levels - 2 else 1
        parents.append(np.sort(np.concatenate([np.arange(above), rng.integers(0, above, units - above)])).tolist())
        units = above
    columns = int(rng.integers(*categories))
    finest = rng.negative_binomial(1.2, 1.2 / (1.2 + mean), (len(parents[0]), columns))
    return table_of(finest, *parents)


def small(table, min_count=5):
    """Small counts, per level."""
    return tuple((counts >= 1) & (counts < min_count) for counts in table.counts)


def hidden_of(safe):
    """What a safe table hides, per level."""
    return tuple(markers == SUPPRESSED for markers in safe.markers)


def mask(table, *cells):
    """Bool per level, True at (level, unit, column)."""
    masks = tuple(np.zeros(counts.shape, bool) for counts in table.counts)
    for level, unit, column in cells:
        masks[level][unit, column] = True
    return masks


def shown_bounds(table, hidden, *, most=NO_BOUND):
    """What a reader sees: exact values, and 0 … most (or count ± most) where hidden."""
    lo = tuple(np.where(mask, 0, counts) for counts, mask in zip(table.counts, hidden, strict=True))
    hi = tuple(np.where(mask, most, counts) for counts, mask in zip(table.counts, hidden, strict=True))
    return Intervals(lo=lo, hi=hi)


def near_bounds(table, hidden, reach):
    """As `shown_bounds`, hidden cells within `reach` of their counts."""
    lo = tuple(np.where(m, np.maximum(c - reach, 0), c) for c, m in zip(table.counts, hidden, strict=True))
    hi = tuple(np.where(m, c + reach, c) for c, m in zip(table.counts, hidden, strict=True))
    return Intervals(lo=lo, hi=hi)


def tables_near(table, hidden, reach):
    """Every table that looks the same and differs by at most `reach` a cell: per level, (tables, units, columns)."""
    return every_table(table.hierarchy, len(table.classification), near_bounds(table, hidden, reach))


def per_level(table, flat_array):
    return unflatten(flat_array, table.hierarchy, table.counts[0].shape[1])
