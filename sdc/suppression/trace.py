"""Which smallest areas a change of totals moves, and by how much."""

from dataclasses import dataclass

import numpy as np

from sdc.compiled import lean
from sdc.suppression.arcs import Arcs
from sdc.suppression.meeting import FlowDemands, meet_demand, take_back
from sdc.suppression.search import Scratch

__all__ = ["Traces", "trace_changes"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Traces:
    """Moves of smallest areas' totals; change i makes the moves ``first[i]`` to ``first[i + 1] - 1``.

    `area` is int32, `by` int64 (above 0 where the area's total grows), `met`
    (bool per change) says whether there is such a change at all.
    """

    first: np.ndarray
    area: np.ndarray
    by: np.ndarray
    met: np.ndarray


def trace_changes(arcs: Arcs, scratch: Scratch, demands: FlowDemands, areas: int) -> Traces:
    """How the demands are met by the cells hidden now.

    The graph is that of totals alone: cell o below `areas` is the total of smallest area o.
    """
    number = len(demands.cell)
    first, met = np.zeros(number + 1, np.int64), np.zeros(number, np.bool_)
    room = 4 * number + 16
    while True:
        area, by = np.empty(room, np.int32), np.empty(room, np.int64)
        moves = _trace(arcs, scratch, demands, areas, first, area, by, met)
        if moves <= room:
            return Traces(first=first, area=area[:moves], by=by[:moves], met=met)
        room = moves


@lean
def _trace(arcs, s, demands, areas, first, area, by, met):  # type: ignore[no-untyped-def]
    """Fill the arrays as far as they reach; returns how many moves there are."""
    moves = 0
    for i in range(len(met)):
        met[i] = meet_demand(arcs, s, demands, i, np.int64(0), s.moved, np.int64(0))[0] == 0
        for j in range(s.many[0]):
            cell = s.moved[j]
            grown = s.before[j] - arcs.room[2 * cell]
            if cell < areas and grown != 0:
                if moves < len(area):
                    area[moves] = cell
                    by[moves] = grown
                moves += 1
        take_back(arcs, s, demands, i)
        # Flows run around the cell itself.
        if demands.cell[i] < areas and demands.amount[i] > 0:
            if moves < len(area):
                area[moves] = demands.cell[i]
                by[moves] = demands.amount[i] if demands.up[i] else -demands.amount[i]
            moves += 1
        first[i + 1] = moves
    return moves
