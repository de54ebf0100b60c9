"""The circulation of a table as suppression walks it: hidden arcs first at every node, room along each arc.

A cell is an arc (`sdc.network`).  Leaving node v along it has a code: 2 × cell
at its tail (the count grows), 2 × cell + 1 at its head (the count shrinks); the
other direction of the same arc is the code's last bit turned.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numba import njit

from sdc.attack.bridges import arcs_by_node
from sdc.compiled import lean
from sdc.network import Network

__all__ = ["MUST_SHOW", "Arcs", "hide_cell", "hide_cells", "make_arcs", "show_cell", "show_cells", "with_arcs"]

# The price of a cell that may never be hidden.
MUST_SHOW = 1 << 30


class Arcs(NamedTuple):
    """What is hidden, what hiding costs, and how far a reader of the hidden cells can move each of them.

    Attributes
    ----------
    to : int32 of shape (2 × cells,), the node a code leads to.
    first : int64 of shape (nodes + 1,); the codes that leave node v are ``codes[first[v]:first[v + 1]]``,
        those of hidden cells first, `open[v]` of them.
    codes, slot : int32 of shape (2 × cells,), the codes by node, and where each stands.
    open : int32 of shape (nodes,).
    hidden : bool of shape (cells,).
    price : int32 of shape (cells,), above 0; `MUST_SHOW` where the cell may not be hidden.
    room : int64 of shape (2 × cells,), how much a count can grow (even codes) and shrink (odd codes).
    border : int64 of shape (1,): nodes from here on meet the ends of a whole level.  What lies beyond such a
        node is another matter: no cycle without repeated nodes crosses it twice.
    """

    to: np.ndarray
    first: np.ndarray
    codes: np.ndarray
    slot: np.ndarray
    open: np.ndarray
    hidden: np.ndarray
    price: np.ndarray
    room: np.ndarray
    border: np.ndarray


def make_arcs(
    network: Network, *, counts: np.ndarray, price: np.ndarray, lower: np.ndarray | int, upper: np.ndarray | int
) -> Arcs:
    """All cells shown; everything is per cell in network order, and lower <= counts <= upper is what a reader knows anyway."""
    cells = len(network.tails)
    to = np.empty(2 * cells, np.int32)
    to[0::2], to[1::2] = network.heads, network.tails
    room = np.empty(2 * cells, np.int64)
    room[0::2], room[1::2] = upper - counts, counts - lower
    codes = network.arcs.astype(np.int32)
    slot = np.empty(2 * cells, np.int32)
    slot[codes] = np.arange(2 * cells, dtype=np.int32)
    return Arcs(
        to=to,
        first=network.first_arc.astype(np.int64),
        codes=codes,
        slot=slot,
        open=np.zeros(network.nodes, np.int32),
        hidden=np.zeros(cells, np.bool_),
        price=price.copy(),
        room=room,
        # Without categories every smallest area ends at the top's hub; hubs are numbered last.
        border=np.array([network.nodes if network.columns > 1 else int(network.tails[network.starts[-2]])]),
    )


def with_arcs(network: Network, tails: np.ndarray, heads: np.ndarray, nodes: int) -> Network:
    """The same network with more arcs, behind those of the cells (int32 of shape (arcs,)), and `nodes` nodes in all."""
    tails, heads = np.concatenate([network.tails, tails]), np.concatenate([network.heads, heads])
    first, arcs = arcs_by_node(tails, heads, nodes)
    return replace(network, tails=tails, heads=heads, nodes=nodes, first_arc=first, arcs=arcs)


@lean
def hide_cells(arcs, cells):  # type: ignore[no-untyped-def]
    """Hide the cells listed that are not hidden yet."""
    for cell in cells:
        if not arcs.hidden[cell]:
            hide_cell(arcs, cell)


@lean
def hide_cell(arcs, cell):  # type: ignore[no-untyped-def]
    """Hide one shown cell."""
    arcs.hidden[cell] = True
    for end in range(2):
        code = 2 * cell + end
        node = arcs.to[code ^ 1]
        _swap(arcs, arcs.slot[code], arcs.first[node] + arcs.open[node])
        arcs.open[node] += 1


@lean
def show_cell(arcs, cell):  # type: ignore[no-untyped-def]
    """Show one hidden cell."""
    arcs.hidden[cell] = False
    for end in range(2):
        code = 2 * cell + end
        node = arcs.to[code ^ 1]
        arcs.open[node] -= 1
        _swap(arcs, arcs.slot[code], arcs.first[node] + arcs.open[node])


@njit(cache=True, inline="always")
def _swap(arcs, one, two):  # type: ignore[no-untyped-def]
    first, second = arcs.codes[one], arcs.codes[two]
    arcs.codes[one] = second
    arcs.codes[two] = first
    arcs.slot[second] = one
    arcs.slot[first] = two


@lean
def show_cells(arcs, cells):  # type: ignore[no-untyped-def]
    """Show the cells listed that are hidden."""
    for cell in cells:
        if arcs.hidden[cell]:
            show_cell(arcs, cell)
