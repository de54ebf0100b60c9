"""Hidden cells that follow from published sums alone: bridges of the graph of hidden cells.

A table is a circulation with one arc per cell (`sdc.network`).  Where some cells
are hidden and nothing bounds them, a hidden cell is known exactly if and only if
its arc is a *bridge* (also: isthmus, cut edge) of the undirected graph of hidden
arcs: the sums on one side of a bridge, added up, leave that one cell.  One
depth-first walk finds them all, in time linear in arcs.

A count cannot be negative, which may fix more cells than bridges do: only the
flows of `sdc.attack.residual` see those.  A component without bridges is a
*block*; what is hidden in one block tells nothing of another.

Sources: methods 4.1; D. Gusfield, "A graph theoretic approach to statistical
data security", SIAM Journal on Computing 17 (1988); M.-Y. Kao, "Data security
equals graph connectivity", SIAM Journal on Discrete Mathematics 9 (1996);
R. E. Tarjan, "A note on finding the bridges of a graph", Information Processing
Letters 2 (1974).
"""

import numpy as np
from numba import njit

from sdc.compiled import lean

__all__ = ["arcs_by_node", "blocks", "find_bridges"]


def find_bridges(tails: np.ndarray, heads: np.ndarray, nodes: int) -> np.ndarray:
    """Which arcs are bridges of their undirected multigraph: bool of shape (arcs,).

    Parameters
    ----------
    tails, heads : whole numbers of shape (arcs,), the nodes each arc joins; loops and parallel arcs are no bridges.
    nodes : number of nodes.

    Examples
    --------
    A triangle with a tail:

    >>> find_bridges(np.array([0, 1, 2, 2]), np.array([1, 2, 0, 3]), 4).tolist()
    [False, False, False, True]
    """
    bridge = np.zeros(len(tails), np.bool_)
    if len(tails):
        first, ends = arcs_by_node(tails, heads, nodes)
        _walk(
            tails,
            heads,
            first,
            ends,
            first[:-1].copy(),
            np.zeros((2, nodes), np.int64),
            np.empty(nodes, np.int64),
            bridge,
        )
    return bridge


def blocks(tails: np.ndarray, heads: np.ndarray, nodes: int, bridge: np.ndarray) -> np.ndarray:
    """The block each arc lies in, -1 for a bridge: int64 of shape (arcs,), numbered from 0 as they come."""
    block = np.full(len(tails), -1, np.int64)
    kept = np.flatnonzero(~bridge)
    if len(kept):
        leader = np.arange(nodes, dtype=np.int64)
        _join(tails[kept], heads[kept], leader)
        block[kept] = np.unique(leader[tails[kept]], return_inverse=True)[1]
    return block


def arcs_by_node(tails: np.ndarray, heads: np.ndarray, nodes: int) -> tuple[np.ndarray, np.ndarray]:
    """Adjacency: the ends at node v are ``ends[first[v]:first[v + 1]]``, each 2 × arc, plus 1 where v is the head.

    Arrays int64 of shape (nodes + 1,) and (2 × arcs,).
    """
    first = np.zeros(nodes + 2, np.int64)
    ends = np.empty(2 * len(tails), np.int64)
    _sort(tails, heads, first, ends)
    return first[:-1], ends


@lean
def _sort(tails, heads, first, ends):  # type: ignore[no-untyped-def]
    """Counting sort; `first` comes with one place more than it needs."""
    for arc in range(len(tails)):
        first[tails[arc] + 2] += 1
        first[heads[arc] + 2] += 1
    for node in range(2, len(first)):
        first[node] += first[node - 1]
    for arc in range(len(tails)):
        for end in range(2):
            node = heads[arc] if end else tails[arc]
            ends[first[node + 1]] = 2 * arc + end
            first[node + 1] += 1


@lean
def _walk(tails, heads, first, ends, place, marks, came, bridge):  # type: ignore[no-untyped-def]
    """Depth-first walks from every node; marks[0] is the order in which nodes are met, marks[1] the lowest reached."""
    order, low = marks[0], marks[1]
    met = np.int64(0)
    for root in range(len(order)):
        if order[root] > 0 or first[root] == first[root + 1]:
            continue
        met += 1
        order[root] = low[root] = met
        came[root] = -1
        node = np.int64(root)
        while True:
            if place[node] < first[node + 1]:
                end = ends[place[node]]
                place[node] += 1
                arc = end >> 1
                if came[node] >= 0 and arc == came[node] >> 1:
                    continue
                other = np.int64(tails[arc] if end & 1 else heads[arc])
                if order[other] > 0:
                    low[node] = min(low[node], order[other])
                    continue
                met += 1
                order[other] = low[other] = met
                came[other] = end
                node = other
            elif came[node] < 0:
                break
            else:
                end = came[node]
                above = np.int64(heads[end >> 1] if end & 1 else tails[end >> 1])
                if low[node] == order[node]:
                    bridge[end >> 1] = True
                low[above] = min(low[above], low[node])
                node = above


@lean
def _join(tails, heads, leader):  # type: ignore[no-untyped-def]
    """Union of each arc's ends; in the end every node's leader is the leader of its component."""
    for arc in range(len(tails)):
        one = _leader(leader, tails[arc])
        two = _leader(leader, heads[arc])
        if one < two:
            leader[two] = one
        else:
            leader[one] = two
    for node in range(len(leader)):
        leader[node] = _leader(leader, node)


@njit(cache=True, inline="always")
def _leader(leader, node):  # type: ignore[no-untyped-def]
    while leader[node] != node:
        leader[node] = leader[leader[node]]
        node = leader[node]
    return node
