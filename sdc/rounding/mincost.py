"""Least-cost flow through arcs of capacity 1, by the network simplex method.

A basis is a spanning tree; every arc outside of it carries 0 or 1.  An outside
arc that would lower the cost enters, flow is pushed round the cycle it closes,
and an arc that stops the push leaves.  Each node hangs from an artificial root
at first by an arc so dear that it carries nothing in the end unless no flow
exists.  The leaving arc is the last one met when the cycle is walked from its
top in the direction of the push, which keeps the tree *strongly feasible* and
rules out going round in circles.

All costs are whole numbers, so that the optimum is exact; with costs drawn so
that no two flows cost the same it is unique, whatever the order of the arcs.

Sources: W. H. Cunningham, "A network simplex method", Mathematical Programming
11 (1976), 105–116; R. K. Ahuja, T. L. Magnanti and J. B. Orlin, *Network Flows*
(1993), chapter 11.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from sdc.compiled import lean

__all__ = ["least_cost_flow"]

# Arcs outside the tree: carrying 0, carrying 1.  Arcs in the tree.
AT_ZERO, AT_ONE, IN_TREE = 1, -1, 0
NO_LIMIT = np.int64(1) << 40


class _Tree(NamedTuple):
    """The spanning tree; node n is the artificial root.

    Attributes
    ----------
    tails, heads, costs, flow, state : per arc, the artificial ones last: arc m + v joins node v to the root.
    parent, above : per node, its parent and the arc that joins the two.
    depth, potential : per node.
    first_child, next_sibling, last_sibling : per node, -1 for none.
    stack : per node, room for a walk.
    """

    tails: np.ndarray
    heads: np.ndarray
    costs: np.ndarray
    flow: np.ndarray
    state: np.ndarray
    parent: np.ndarray
    above: np.ndarray
    depth: np.ndarray
    potential: np.ndarray
    first_child: np.ndarray
    next_sibling: np.ndarray
    last_sibling: np.ndarray
    stack: np.ndarray


@njit(cache=True)
def least_cost_flow(tails, heads, costs, supplies):  # type: ignore[no-untyped-def]
    """The flow of 0 or 1 along every arc that costs least.

    Parameters
    ----------
    tails, heads : int32 of shape (arcs,), nodes from 0.
    costs : int64 of shape (arcs,), of carrying 1.
    supplies : int64 of shape (nodes,): what leaves each node less what enters it; adds up to 0.

    Returns
    -------
    flow : int8 of shape (arcs,).
    exists : whether there is a flow at all; if not, `flow` means nothing.
    pivots : how many arcs entered.
    """
    arcs = len(tails)
    tree = _artificial(tails, heads, costs, supplies)
    block = max(np.int64(np.sqrt(arcs)), np.int64(10))
    pivots = 0
    start = 0
    while True:
        entering, start = _cheapest(tree, arcs, start, block)
        if entering < 0:
            break
        _enter(tree, entering, arcs)
        pivots += 1
    exists = True
    for arc in range(arcs, len(tree.flow)):
        if tree.flow[arc] > 0:
            exists = False
    return tree.flow[:arcs].astype(np.int8), exists, pivots


@njit(cache=True)
def _artificial(tails, heads, costs, supplies):  # type: ignore[no-untyped-def]
    """The tree in which every node hangs from the root by its own dear arc."""
    arcs, nodes = len(tails), len(supplies)
    dearest = np.int64(1)
    for arc in range(arcs):
        dearest = max(dearest, abs(costs[arc]))
    dear = dearest * (nodes + 1)
    all_tails = np.empty(arcs + nodes, np.int32)
    all_heads = np.empty(arcs + nodes, np.int32)
    all_costs = np.empty(arcs + nodes, np.int64)
    all_tails[:arcs] = tails
    all_heads[:arcs] = heads
    all_costs[:arcs] = costs
    all_costs[arcs:] = dear
    flow = np.zeros(arcs + nodes, np.int64)
    state = np.full(arcs + nodes, AT_ZERO, np.int8)
    state[arcs:] = IN_TREE
    parent = np.full(nodes + 1, nodes, np.int32)
    parent[nodes] = -1
    above = np.empty(nodes + 1, np.int32)
    above[nodes] = -1
    depth = np.ones(nodes + 1, np.int32)
    depth[nodes] = 0
    potential = np.zeros(nodes + 1, np.int64)
    next_sibling = np.full(nodes + 1, -1, np.int32)
    last_sibling = np.full(nodes + 1, -1, np.int32)
    first_child = np.full(nodes + 1, -1, np.int32)
    if nodes > 0:
        first_child[nodes] = 0
    for node in range(nodes):
        arc = arcs + node
        above[node] = arc
        # An arc that carries nothing must lead to the root, or the tree is not strongly feasible.
        if supplies[node] >= 0:
            all_tails[arc], all_heads[arc] = node, nodes
            potential[node] = -dear
        else:
            all_tails[arc], all_heads[arc] = nodes, node
            potential[node] = dear
        flow[arc] = abs(supplies[node])
        if node + 1 < nodes:
            next_sibling[node] = node + 1
        if node > 0:
            last_sibling[node] = node - 1
    return _Tree(
        all_tails,
        all_heads,
        all_costs,
        flow,
        state,
        parent,
        above,
        depth,
        potential,
        first_child,
        next_sibling,
        last_sibling,
        np.empty(nodes + 1, np.int32),
    )


@lean
def _cheapest(tree, arcs, start, block):  # type: ignore[no-untyped-def]
    """The arc of the next block that would lower the cost most, and where to look next; -1 where none would."""
    tails, heads, costs, state, potential = tree.tails, tree.heads, tree.costs, tree.state, tree.potential
    best = np.int64(0)
    found = np.int64(-1)
    left = block
    arc = np.int64(start)
    for _ in range(arcs):
        if arc == arcs:
            arc = np.int64(0)
        reduced = state[arc] * (costs[arc] + potential[tails[arc]] - potential[heads[arc]])
        if reduced < best:
            best, found = reduced, arc
        arc += 1
        left -= 1
        if left == 0:
            if found >= 0:
                return found, arc
            left = block
    return found, arc


@lean
def _enter(tree, entering, arcs):  # type: ignore[no-untyped-def]
    """Push round the cycle that an arc closes, and put the tree in order."""
    parent, above, tails, heads, flow = tree.parent, tree.above, tree.tails, tree.heads, tree.flow
    forward = tree.state[entering] == AT_ZERO
    # The push leaves `first` along the entering arc and comes back to it down the tree from the top of the cycle.
    first = tails[entering] if forward else heads[entering]
    second = heads[entering] if forward else tails[entering]
    top = _meet(tree, first, second)
    push = np.int64(1)
    leaving = np.int64(-1)
    on_first = False
    node = first
    while node != top:
        arc = above[node]
        room = flow[arc] if tails[arc] == node else _room(flow, arc, arcs)
        if room < push:
            push, leaving, on_first = room, np.int64(node), True
        node = parent[node]
    node = second
    while node != top:
        arc = above[node]
        room = _room(flow, arc, arcs) if tails[arc] == node else flow[arc]
        if room <= push:
            push, leaving, on_first = room, np.int64(node), False
        node = parent[node]
    if push > 0:
        flow[entering] += push if forward else -push
        node = first
        while node != top:
            arc = above[node]
            flow[arc] += -push if tails[arc] == node else push
            node = parent[node]
        node = second
        while node != top:
            arc = above[node]
            flow[arc] += push if tails[arc] == node else -push
            node = parent[node]
    if leaving < 0:
        tree.state[entering] = -tree.state[entering]
        return
    gone = above[leaving]
    tree.state[gone] = AT_ZERO if flow[gone] == 0 else AT_ONE
    tree.state[entering] = IN_TREE
    _hang(tree, first if on_first else second, second if on_first else first, leaving, entering)


@lean
def _room(flow, arc, arcs):  # type: ignore[no-untyped-def]
    """How much more an arc can carry; artificial arcs have no limit."""
    return 1 - flow[arc] if arc < arcs else NO_LIMIT


@lean
def _meet(tree, first, second):  # type: ignore[no-untyped-def]
    """The lowest node above both."""
    parent, depth = tree.parent, tree.depth
    while first != second:
        if depth[first] >= depth[second]:
            first = parent[first]
        else:
            second = parent[second]
    return first


@lean
def _hang(tree, node, under, cut, entering):  # type: ignore[no-untyped-def]
    """Cut the branch at `cut` off its parent and hang it by its node `node` under another, along the entering arc."""
    parent, above = tree.parent, tree.above
    arc = np.int32(entering)
    child, onto = np.int32(node), np.int32(under)
    while True:
        next_up, next_arc = parent[child], above[child]
        _unlink(tree, child)
        parent[child], above[child] = onto, arc
        _link(tree, child)
        if child == cut:
            break
        onto, child, arc = child, next_up, next_arc
    # Potentials of the branch shift by one number, so that the entering arc has no reduced cost.
    tails, heads, potential, depth, stack = tree.tails, tree.heads, tree.potential, tree.depth, tree.stack
    reduced = tree.costs[entering] + potential[tails[entering]] - potential[heads[entering]]
    change = -reduced if tails[entering] == node else reduced
    stack[0] = node
    height = 1
    while height > 0:
        height -= 1
        at = stack[height]
        potential[at] += change
        depth[at] = depth[parent[at]] + 1
        below = tree.first_child[at]
        while below >= 0:
            stack[height] = below
            height += 1
            below = tree.next_sibling[below]


@lean
def _unlink(tree, node):  # type: ignore[no-untyped-def]
    """Take a node out of its parent's list of children."""
    before, after = tree.last_sibling[node], tree.next_sibling[node]
    if before >= 0:
        tree.next_sibling[before] = after
    else:
        tree.first_child[tree.parent[node]] = after
    if after >= 0:
        tree.last_sibling[after] = before


@lean
def _link(tree, node):  # type: ignore[no-untyped-def]
    """Put a node at the head of its parent's list of children."""
    onto = tree.parent[node]
    after = tree.first_child[onto]
    tree.next_sibling[node] = after
    tree.last_sibling[node] = -1
    if after >= 0:
        tree.last_sibling[after] = node
    tree.first_child[onto] = node
