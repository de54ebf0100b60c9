"""Whether all overlaps that may be small can be empty at once: then nothing is proven to live in any of them together.

A set of edges is *proven to hold somebody* if every table that fits has at least one person in it.
Where one table leaves the edges of a set all empty, no subset is.  So one feasible flow with those
edges closed settles all sets at once.  Where there is none, the cut that forbids it is a set
that is proven to hold somebody: it is noted, its edges are opened, and the question is put again.

With what `sdc.differencing.smallest` finds this makes the search complete for two divisions, in the sense
that a set is proven small or too narrow beyond what its parts are only if one is noted, or holds a part of one that is.
"""

from dataclasses import dataclass

import numpy as np

from sdc.attack.maxflow import Cut, NoTable, Residual, feasible_flow
from sdc.differencing.members import Members

__all__ = ["Emptied", "empty_edges"]

# Sets that are noted per column; whether there are more is then not known.
MOST_NOTED = 20


@dataclass(frozen=True, kw_only=True, eq=False)
class Emptied:
    """Sets of edges that cannot all be empty, and whether all others can be, at once."""

    sets: Members
    complete: bool


def empty_edges(residual: Residual, closed: np.ndarray, *, most_noted: int = MOST_NOTED) -> Emptied:
    """Close edges (bool of shape (edges,)) where a table allows it; sets that no table lets be empty are noted.

    `residual` holds a feasible flow of the circulation of `sdc.differencing.smallest.circulation`; it is not changed.
    """
    state = residual.state
    closed, flow = closed.copy(), state.flow.copy()
    noted: list[np.ndarray] = []
    while len(noted) < most_noted:
        upper = state.upper.copy()
        upper[np.flatnonzero(closed)] = 0
        try:
            feasible_flow(residual.network, state.lower, upper, np.minimum(flow, upper))
        except NoTable as none:
            edges = _forced(none.cut, closed)
            noted.append(edges)
            closed[edges] = False
            continue
        return Emptied(sets=Members.of(noted), complete=True)
    return Emptied(sets=Members.of(noted), complete=False)


def _forced(cut: Cut, closed: np.ndarray) -> np.ndarray:
    """The closed edges that would have to carry what the cut asks for."""
    leaving = cut.leaving[cut.leaving < len(closed)]
    edges = leaving[closed[leaving]]
    assert len(edges), "without closed edges there is a table"
    return np.asarray(edges)
