"""One table has always a rounding: totals that no duel settled are drawn together with its categories.

Duels move two areas' totals at once (`sdc.rounding.totals`).  In a sparse table
open areas can be left whose categories tie three or more of them to each
other.  One table and its totals are one circulation, though (`sdc.network`),
and while any of its cells is open an unbiased cycle leads through it, be it
through several totals: Cox, "A constructive procedure for unbiased controlled
rounding", JASA 82 (1987), 520-524.  So what duels left is drawn in the cycles
of the categories, and no mean is shifted.
"""

import numpy as np

from sdc.rounding.cycles import cancel_cycles
from sdc.rounding.draws import Draws
from sdc.rounding.joined import SCALE, Joined
from sdc.rounding.totals import Totals
from sdc.rounding.tree import Tree

__all__ = ["settle_alone"]


def settle_alone(tree: Tree, totals: Totals, joined: Joined, draws: Draws) -> tuple[int, int]:
    """Settle the totals still open and all categories of the one table joined, in place.

    `draws` are of the table's cells.

    Returns
    -------
    How many smallest areas' totals were open, and the number of cycles cancelled.

    Raises
    ------
    ValueError
        More tables than one are joined.
    RuntimeError
        A cell was left open: the table is not additive.
    """
    if len(joined.columns) != 1:
        raise ValueError("several tables that share their totals are no circulation: one alone can be settled so")
    shown = joined.offset[joined.starts[0] :].reshape(-1, joined.columns[0])[:, -1]
    open_units = np.flatnonzero((totals.floor < totals.values) & (totals.values < totals.ceiling))
    shown[:] = 0
    shown[open_units] = (totals.values - totals.floor)[open_units] * SCALE
    cycles, left = cancel_cycles(tree, joined, 0, draws, True)
    if left:
        raise RuntimeError("a cell was left open: conservation does not hold")
    raised = shown[open_units] == joined.width
    totals.values[open_units] = np.where(raised, totals.ceiling[open_units], totals.floor[open_units])
    return int(np.count_nonzero(open_units < tree.areas)), int(cycles)
