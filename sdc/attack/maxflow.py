"""Exact feasibility intervals on area tree × one flat classification, by residual max flow.

The table is a circulation with one arc per cell (`sdc.network`); the attacker's
bounds are bounds on arcs.  From any feasible flow x, arc e = (u, v) reaches

    hi(e) = x_e + max flow from v to u,    lo(e) = x_e - max flow from u to v

in the residual graph without e.  All bounds are whole numbers, so the flows are
too, and the intervals are exactly those of the true tables that fit.  An
outsider has no true table to start from: the published values serve where they
add up, otherwise they are repaired by blocking flows, and where that fails no
true table exists.

Sources: methods 4.1 and 4.2; D. Gusfield, "A graph theoretic approach to
statistical data security", SIAM Journal on Computing 17 (1988), for two-way tables.
"""

from dataclasses import dataclass

import numpy as np

from common.progress import SILENT, Progress
from sdc.attack.intervals import NO_BOUND
from sdc.attack.residual import Graph, State, repair, shift, shut_in, tighten
from sdc.network import Network

__all__ = ["Cut", "Extreme", "NoTable", "Residual", "feasible_flow", "feasible_residual"]

CHUNK = 20_000


@dataclass(frozen=True, kw_only=True, eq=False)
class Cut:
    """Some of the table's sums added up: what is left of them is one equation between cells.

    Σ flow of `leaving` = Σ flow of `entering`; every other cell cancels.
    `sums` is how many sums (nodes) were added.
    """

    entering: np.ndarray
    leaving: np.ndarray
    sums: int


class NoTable(Exception):  # an answer, not a failure
    """No true table fits the bounds; `cut` is the equation that cannot be met."""

    def __init__(self, cut: Cut) -> None:
        self.cut = cut
        super().__init__("no table of whole numbers fits the bounds")


@dataclass(frozen=True, kw_only=True, eq=False)
class Extreme:
    """The smallest or largest value of a cell, and the equation that forbids more.

    `cut` is None where the cell's own bound is reached: then that bound is the
    reason.  `flow` is a whole table with that value, where it was asked for.
    """

    value: int
    cut: Cut | None
    flow: np.ndarray | None = None


def feasible_flow(network: Network, lower: np.ndarray, upper: np.ndarray, start: np.ndarray) -> np.ndarray:
    """A table of whole numbers within bounds that adds up, near `start`.

    All arrays are int64 in cell order; lower <= upper must hold everywhere.

    Raises
    ------
    NoTable
        There is none.
    """
    flow: np.ndarray = np.clip(start, lower, upper)
    excess = _excess(network, flow)
    if not excess.any():
        return flow
    surplus = excess.copy()
    graph = _graph(network)
    distance = repair(graph, flow, lower, upper, surplus)
    if (surplus > 0).any():
        source = int(np.flatnonzero(surplus > 0)[0])
        raise NoTable(_cut(network, _reachable(network, flow, lower, upper, source, distance >= 0)))
    return flow


def feasible_residual(network: Network, lower: np.ndarray, upper: np.ndarray, start: np.ndarray) -> "Residual":
    """A `Residual` that starts from a feasible flow near `start`; raises `NoTable` where there is none."""
    return Residual(network, lower, upper, feasible_flow(network, lower, upper, start))


class Residual:
    """A feasible flow with its bounds, ready to be asked.  Holds working state; what it returns is new."""

    def __init__(self, network: Network, lower: np.ndarray, upper: np.ndarray, flow: np.ndarray) -> None:
        if np.any(flow < lower) or np.any(flow > upper) or _excess(network, flow).any():
            raise ValueError("flow must lie within its bounds and add up")
        self.network = network
        self.graph = _graph(network)
        self.state = State(
            flow=flow.copy(),
            lower=lower.copy(),
            upper=upper.copy(),
            least=flow.copy(),
            most=flow.copy(),
            stamp=np.zeros((2, network.nodes), np.int64),
            via=np.zeros((2, network.nodes), np.int64),
            queue=np.zeros((2, network.nodes), np.int32),
            place=np.zeros((2, 4), np.int64),
            round=np.zeros(2, np.int64),
        )

    def intervals(
        self, asked: np.ndarray, *, enough: int, width: int, progress: Progress = SILENT
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Tight (lo, hi) of the asked cells, and where they are exact.

        `asked` holds cell indices, shape (n,); the results have that shape.  An
        upper bound is followed up to max(enough, lo + width) only: a cell that
        reaches it and is not bounded there keeps its own upper bound, which is sound, with exact False.
        """
        lo, hi = np.zeros(len(asked), np.int64), np.zeros(len(asked), np.int64)
        exact = np.zeros(len(asked), np.bool_)
        for start in range(0, len(asked), CHUNK):
            part = slice(start, start + CHUNK)
            tighten(self.graph, self.state, asked[part], enough, width, lo[part], hi[part], exact[part])
            progress.advance(len(asked[part]))
        return lo, hi, exact

    def extreme(self, cell: int, *, up: bool, table: bool = False) -> Extreme:
        """The largest (or smallest) value of one cell, without any early stop, and its reason.

        With `table`, also a whole table of that extreme: together the smallest
        and the largest are the two tables that no reader can tell apart.
        """
        state = self.state
        bound = int(state.upper[cell] if up else state.lower[cell])
        cut = None
        if self.network.tails[cell] == self.network.heads[cell]:
            state.flow[cell] = bound
        else:
            closed = shift(self.graph, state, cell, up, abs(bound - int(state.flow[cell])))[1]
            cut = self._closed_side(-1 - closed) if closed < 0 else None
        value = int(state.flow[cell])
        if value >= NO_BOUND // 2:  # what holds it is "no bound" elsewhere, which is no reason
            value, cut = NO_BOUND, None
        return Extreme(value=value, cut=cut, flow=state.flow.copy() if table else None)

    def _closed_side(self, side: int) -> Cut:
        """The sums at the nodes that the last search visited from one side; work is that search's, not the table's."""
        network, state = self.network, self.state
        nodes = state.queue[side, : state.place[side, 1]]
        arcs = np.concatenate([network.arcs[network.first_arc[v] : network.first_arc[v + 1]] for v in nodes])
        cells, at_tail = arcs >> 1, (arcs & 1) == 0
        other = np.where(at_tail, network.heads[cells], network.tails[cells])
        crossing = state.stamp[side, other] != state.round[0]
        return Cut(
            entering=np.sort(cells[crossing & ~at_tail]), leaving=np.sort(cells[crossing & at_tail]), sums=len(nodes)
        )

    def learned_by_insiders(self, insiders: np.ndarray, uncertain: np.ndarray) -> np.ndarray:
        """Cells that become certain to somebody who knows that their own finest cell holds at least one.

        `insiders` are arcs of smallest areas; `uncertain` (bool per cell) says
        which cells an outsider is not certain of.  Looks at the cells in the two
        sums that the insider's cell stands in.  Returns int64 of shape (n, 3):
        insider's cell, cell learned, its value.
        """
        degrees = np.diff(self.network.first_arc)
        room = degrees[self.network.tails[insiders]].sum() + degrees[self.network.heads[insiders]].sum()
        found = np.zeros((int(room), 3), np.int64)
        return found[: shut_in(self.graph, self.state, insiders, uncertain, found)]


def _graph(network: Network) -> Graph:
    return Graph(tails=network.tails, heads=network.heads, first_arc=network.first_arc, arcs=network.arcs)


def _excess(network: Network, flow: np.ndarray) -> np.ndarray:
    """Inflow less outflow per node: int64 of shape (nodes,)."""
    excess = np.zeros(network.nodes, np.int64)
    np.add.at(excess, network.heads, flow)
    np.subtract.at(excess, network.tails, flow)
    return excess


def _cut(network: Network, inside: np.ndarray) -> Cut:
    """The sums at the nodes `inside` (bool per node), added up."""
    from_inside, to_inside = inside[network.tails], inside[network.heads]
    return Cut(
        entering=np.flatnonzero(~from_inside & to_inside),
        leaving=np.flatnonzero(from_inside & ~to_inside),
        sums=int(inside.sum()),
    )


def _reachable(
    network: Network, flow: np.ndarray, lower: np.ndarray, upper: np.ndarray, source: int, among: np.ndarray
) -> np.ndarray:
    """Nodes that flow can still reach from one node with a surplus: bool per node."""
    inside = np.zeros(network.nodes, np.bool_)
    inside[source] = True
    waiting = [source]
    while waiting:
        node = waiting.pop()
        for arc in network.arcs[network.first_arc[node] : network.first_arc[node + 1]]:
            cell, at_tail = arc >> 1, (arc & 1) == 0
            room = upper[cell] - flow[cell] if at_tail else flow[cell] - lower[cell]
            other = int(network.heads[cell] if at_tail else network.tails[cell])
            if room > 0 and not inside[other] and among[other]:
                inside[other] = True
                waiting.append(other)
    return inside
