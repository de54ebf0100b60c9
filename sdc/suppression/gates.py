"""A table's graph in which totals stand still but for changes that all linked tables make together.

A *change* is a set of moves of smallest areas' totals that sum to nothing (the
top counts as an area).  It becomes an arc between two nodes of its own: from
every area that loses something there is an arc to the first, from the second
one to every area that gains.  What runs along the change's arc comes out of
the categories of those that gain and is missing in the categories of those that
lose.  The arc is hidden behind a gate: only demands that name it may use it.
"""

from dataclasses import dataclass, replace

import numpy as np

from sdc.attack.intervals import NO_BOUND
from sdc.network import Network
from sdc.suppression.arcs import MUST_SHOW, hide_cells, make_arcs, with_arcs
from sdc.suppression.meeting import FlowDemands, still_unmet
from sdc.suppression.search import make_scratch
from sdc.suppression.secondary import Search
from sdc.suppression.trace import Traces
from sdc.tables import Table

__all__ = ["Changes", "Gates", "gates_of"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Changes:
    """Changes of totals, each for the sake of one.

    Attributes
    ----------
    owner : int32 of shape (changes,), the area whose total it is, numbered over all levels.
    up : bool, whether it raises that total. amount : int64, by how much, above 0.
    moves : what it does to smallest areas.
    """

    owner: np.ndarray
    up: np.ndarray
    amount: np.ndarray
    moves: Traces


@dataclass(frozen=True, kw_only=True, eq=False)
class Gates:
    """The arcs that changes add to one table's graph.

    Attributes
    ----------
    cells : how many cells the table has; added arcs are numbered from there, the changes' own first.
    tails, heads, room : int32, int32 and int64 of shape (added arcs,); the changes' own have no room until asked.
    nodes : nodes of the graph with those of the changes.
    """

    changes: Changes
    cells: int
    columns: int
    tails: np.ndarray
    heads: np.ndarray
    room: np.ndarray
    nodes: int

    @property
    def arcs(self) -> np.ndarray:
        """The changes' own arcs."""
        return (self.cells + np.arange(len(self.changes.amount))).astype(np.int32)

    def opened(self, plain: Search, still: np.ndarray) -> Search:
        """The table's graph with these arcs; the cells `still` (bool of shape (cells,)) cannot move."""
        network = with_arcs(plain.network, self.tails, self.heads, self.nodes)
        added = len(self.tails)
        counts = np.concatenate([plain.counts, np.zeros(added, np.int64)])
        price = np.concatenate([plain.price, np.full(added, MUST_SHOW, np.int32)])
        arcs = make_arcs(network, counts=counts, price=price, lower=0, upper=NO_BOUND)
        own = arcs.room[: 2 * self.cells]
        own[:] = plain.arcs.room
        own[np.repeat(still, 2)] = 0
        arcs.room[2 * self.cells :: 2] = self.room
        return replace(
            plain,
            network=network,
            counts=counts,
            price=price,
            words=np.concatenate([plain.words, np.zeros(added, np.uint64)]),
            place=np.concatenate([plain.place, np.full(added, -1, np.int32)]),
            arcs=arcs,
            scratch=make_scratch(arcs),
        )

    def demands(self) -> FlowDemands:
        """That every change can happen."""
        changes = self.changes
        return FlowDemands(
            cell=self.arcs,
            up=np.ones(len(self.arcs), np.bool_),
            amount=changes.amount,
            whole=np.zeros(len(self.arcs), np.bool_),
            gate=self.arcs,
            allowance=changes.amount,
            owner=(changes.owner * self.columns + self.columns - 1).astype(np.int32),
        )

    def helped(self, demands: FlowDemands, counts: np.ndarray) -> FlowDemands:
        """Demands of the table's cells, helped by the changes of their own areas' totals.

        Upwards, a cell may grow along with its area's total.  Downwards, where
        the total can go down to 0 all that is in it does, and nothing more is asked.
        """
        changes = self.changes
        area = demands.cell // self.columns
        grows = np.full(len(counts) // self.columns, -1, np.int32)
        grows[changes.owner[changes.up]] = self.arcs[changes.up]
        total = counts[changes.owner * self.columns + self.columns - 1]
        empties = np.zeros(len(grows), np.bool_)
        empties[changes.owner[~changes.up & (changes.amount == total)]] = True
        gate = np.where(demands.up, grows[area], -1).astype(np.int32)
        allowance = np.zeros(len(gate), np.int64)
        allowance[gate >= 0] = changes.amount[gate[gate >= 0] - self.cells]
        amount = np.where(~demands.up & empties[area], 0, demands.amount)
        return demands._replace(gate=gate, allowance=allowance, amount=amount)

    def unmet(self, search: Search, hidden: np.ndarray, demands: FlowDemands) -> np.ndarray:
        """Which demands these hidden categories (bool of shape (cells,)) do not meet, on a fresh graph."""
        added = np.arange(self.cells, self.cells + len(self.tails))
        hide_cells(search.arcs, np.concatenate([np.flatnonzero(hidden), added]).astype(np.int32))
        unmet = np.zeros(len(demands.cell), np.bool_)
        still_unmet(search.arcs, search.scratch, demands, unmet)
        return unmet


def gates_of(table: Table, network: Network, changes: Changes) -> Gates:
    """The arcs that changes add to a table's graph."""
    number, columns = len(changes.amount), network.columns
    moves = changes.moves
    change = np.repeat(np.arange(number), np.diff(moves.first))
    inside = network.heads[columns - 1 : network.starts[1] : columns][moves.area]
    # What the areas do not balance runs over the top.
    rest = np.zeros(number, np.int64)
    np.subtract.at(rest, change, moves.by)
    open_ends = np.flatnonzero(rest)
    top = _hubs(table, network, changes, open_ends)
    change, node = np.concatenate([change, open_ends]), np.concatenate([inside, top])
    by = np.concatenate([moves.by, rest[open_ends]])
    first, second = network.nodes + 2 * change, network.nodes + 2 * change + 1
    own = network.nodes + 2 * np.arange(number)
    return Gates(
        changes=changes,
        cells=len(network.tails),
        columns=columns,
        tails=np.concatenate([own, np.where(by < 0, node, second)]).astype(np.int32),
        heads=np.concatenate([own + 1, np.where(by < 0, first, node)]).astype(np.int32),
        room=np.concatenate([np.zeros(number, np.int64), np.abs(by)]),
        nodes=network.nodes + 2 * number,
    )


def _hubs(table: Table, network: Network, changes: Changes, among: np.ndarray) -> np.ndarray:
    """The node at the top that each of some changes runs over."""
    hierarchy, columns = table.hierarchy, network.columns
    hubs = network.tails[network.starts[-2] + columns - 1 :: columns]
    area = changes.moves.area[changes.moves.first[among]]
    return hubs[hierarchy.ancestors(0, len(hierarchy.levels) - 1)[area]]
