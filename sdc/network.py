"""Area tree × one flat classification as a circulation on one graph.

Every published cell is one arc whose flow is its count; every additivity rule
is the conservation of flow at one node:

* ``R(l, g)``: the total of unit g of level l;
* ``C(l, g, k)``, l >= 1: category k in unit g;
* ``H(g)``: the hub that joins the total and the categories of top unit g.
  Nothing is published above the top level, so its units share no rule.

=====================  =========================  ==========================
cell                   from                       to
=====================  =========================  ==========================
total (l, g)           R(l + 1, parent), or H(g)  R(l, g)
category k of (0, g)   R(0, g)                    C(1, parent, k), or H(g)
category k of (l, g)   C(l, g, k)                 C(l + 1, parent, k), or H(g)
=====================  =========================  ==========================

Without categories the smallest areas' totals flow back to their hub.  The rule
"total = sum of categories" above the smallest level follows from the others.
"""

from dataclasses import dataclass

import numpy as np

from sdc.tables import Hierarchy

__all__ = ["Network", "build_network", "flatten", "unflatten"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Network:
    """Arcs in cell order: level by level, unit by unit, column by column, the total last.

    Attributes
    ----------
    tails, heads : int32 of shape (cells,), the nodes an arc leaves and enters.
    nodes : number of nodes.
    starts : int64 of shape (levels + 1,), the first cell of each level.
    columns : columns per unit (categories + 1).
    first_arc, arcs : adjacency; the arcs at node v are
        ``arcs[first_arc[v]:first_arc[v + 1]]``, each as 2 × cell, plus 1 where
        v is the arc's head.
    """

    tails: np.ndarray
    heads: np.ndarray
    nodes: int
    starts: np.ndarray
    columns: int
    first_arc: np.ndarray
    arcs: np.ndarray

    def cell(self, level: int, unit: int, column: int) -> int:
        """Index of one cell in arc order."""
        return int(self.starts[level]) + unit * self.columns + column


def build_network(hierarchy: Hierarchy, categories: int) -> Network:
    """The circulation of a hierarchy crossed with `categories` flat categories and their total."""
    units = hierarchy.units
    columns = categories + 1
    starts = np.concatenate([[0], np.cumsum(np.array(units, dtype=np.int64) * columns)])
    total_nodes, category_nodes, hub = _number_nodes(units, categories)
    tops = hierarchy.ancestors(0, len(units) - 1).astype(np.int64)
    tails = np.empty(starts[-1], np.int32)
    heads = np.empty(starts[-1], np.int32)
    for level, count in enumerate(units):
        tail = tails[starts[level] : starts[level + 1]].reshape(count, columns)
        head = heads[starts[level] : starts[level + 1]].reshape(count, columns)
        unit = np.arange(count, dtype=np.int64)
        top = level == len(units) - 1
        parent = None if top else hierarchy.parents[level].astype(np.int64)
        tail[:, -1] = hub + unit if parent is None else total_nodes[level + 1] + parent
        head[:, -1] = hub + tops if level == 0 and categories == 0 else total_nodes[level] + unit
        for k in range(categories):
            tail[:, k] = total_nodes[0] + unit if level == 0 else category_nodes[level] + unit * categories + k
            head[:, k] = hub + unit if parent is None else category_nodes[level + 1] + parent * categories + k
    nodes = hub + units[-1]
    first_arc, arcs = _adjacency(tails, heads, nodes)
    return Network(
        tails=tails, heads=heads, nodes=nodes, starts=starts, columns=columns, first_arc=first_arc, arcs=arcs
    )


def flatten(arrays: tuple[np.ndarray, ...]) -> np.ndarray:
    """Per-level arrays of shape (units, columns) as one array in cell order."""
    return np.concatenate([array.ravel() for array in arrays])


def unflatten(flat: np.ndarray, hierarchy: Hierarchy, columns: int) -> tuple[np.ndarray, ...]:
    """The inverse of `flatten`."""
    ends = np.cumsum([units * columns for units in hierarchy.units])[:-1]
    return tuple(part.reshape(-1, columns) for part in np.split(flat, ends))


def _number_nodes(units: tuple[int, ...], categories: int) -> tuple[list[int], list[int], int]:
    """First node number of the totals and of the categories per level, and of the hubs, the last."""
    total_nodes: list[int] = []
    category_nodes: list[int] = []
    number = 0
    for level, count in enumerate(units):
        total_nodes.append(number)
        if level > 0 or categories > 0:
            number += count
        category_nodes.append(number)
        if level > 0:
            number += count * categories
    return total_nodes, category_nodes, number


def _adjacency(tails: np.ndarray, heads: np.ndarray, nodes: int) -> tuple[np.ndarray, np.ndarray]:
    cells = np.arange(len(tails), dtype=np.int64)
    at = np.concatenate([tails, heads])
    ends = np.concatenate([2 * cells, 2 * cells + 1])
    order = np.argsort(at, kind="stable")
    first_arc = np.concatenate([[0], np.cumsum(np.bincount(at, minlength=nodes))])
    return first_arc, ends[order]
