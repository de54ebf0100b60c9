"""Narrowing: what each sum by itself says about its cells, to a fixed point, for equations of any shape.

As `sdc.attack.propagation` does for a table: a sum Σ s x = 0 gives every one of
its cells the bounds that the other cells leave it.  Sound; not exact where sums
overlap.
"""

import numpy as np
from numba import njit

from sdc.attack.intervals import NO_BOUND
from sdc.system import Equations

__all__ = ["NoSolution", "narrow"]

# Bounds that creep stop after this many visits to each equation; the result is sound at any time.
MOST_VISITS = 100


class NoSolution(Exception):  # an answer, not a failure
    """No table fits the bounds; `equations` are the sums that cannot all be met."""

    def __init__(self, equations: np.ndarray) -> None:
        self.equations = equations
        super().__init__("no table fits the bounds")


def narrow(equations: Equations, lo: np.ndarray, hi: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Bounds narrowed by every sum, to a fixed point; int64 of shape (cells,), `NO_BOUND` for none above.

    Raises
    ------
    NoSolution
        A sum cannot be met.
    """
    lo, hi = lo.copy(), np.minimum(hi, NO_BOUND)
    first, at = _transposed(equations)
    broken = _narrow(equations.starts, equations.cells, equations.signs, first, at, lo, hi)
    if broken >= 0:
        raise NoSolution(np.array([broken]))
    return lo, hi


def _transposed(equations: Equations) -> tuple[np.ndarray, np.ndarray]:
    """The equations each cell stands in: those of cell c are ``at[first[c]:first[c + 1]]``."""
    order = np.argsort(equations.cells, kind="stable")
    lengths = np.bincount(equations.cells, minlength=equations.size)
    return np.concatenate([[0], np.cumsum(lengths)]), equations.rows[order]


@njit(cache=True)
def _narrow(starts, cells, signs, first, at, lo, hi):  # type: ignore[no-untyped-def]
    """Visit equations until none changes anything; the number of one that cannot be met, or -1."""
    number = len(starts) - 1
    queue = np.arange(number)
    waiting = np.ones(number, np.bool_)
    head, held, left = 0, number, number * MOST_VISITS
    while held > 0 and left > 0:
        equation = queue[head]
        head = (head + 1) % number
        held -= 1
        left -= 1
        waiting[equation] = False
        # Bounds of the sum of terms s x; open ends are counted, not added.
        low, high, open_low, open_high = 0, 0, 0, 0
        for e in range(starts[equation], starts[equation + 1]):
            cell = cells[e]
            unbounded = hi[cell] >= NO_BOUND
            if signs[e] > 0:
                low += lo[cell]
                open_high += unbounded
                high += 0 if unbounded else hi[cell]
            else:
                high -= lo[cell]
                open_low += unbounded
                low -= 0 if unbounded else hi[cell]
        if (open_low == 0 and low > 0) or (open_high == 0 and high < 0):
            return equation
        for e in range(starts[equation], starts[equation + 1]):
            cell = cells[e]
            unbounded = hi[cell] >= NO_BOUND
            top = 0 if unbounded else hi[cell]
            if signs[e] > 0:
                others_low, free_low = low - lo[cell], open_low
                others_high, free_high = high - top, open_high - unbounded
                new_lo = -others_high if free_high == 0 else lo[cell]
                new_hi = -others_low if free_low == 0 else hi[cell]
            else:
                others_low, free_low = low + top, open_low - unbounded
                others_high, free_high = high + lo[cell], open_high
                new_lo = others_low if free_low == 0 else lo[cell]
                new_hi = others_high if free_high == 0 else hi[cell]
            new_lo, new_hi = max(new_lo, lo[cell]), min(new_hi, hi[cell])
            if new_lo > new_hi:
                return equation
            if new_lo > lo[cell] or new_hi < hi[cell]:
                # The sums of this equation's terms move with the cell.
                if signs[e] > 0:
                    low += new_lo - lo[cell]
                    if new_hi < NO_BOUND:
                        high += new_hi - top
                        open_high -= unbounded
                else:
                    high -= new_lo - lo[cell]
                    if new_hi < NO_BOUND:
                        low -= new_hi - top
                        open_low -= unbounded
                lo[cell], hi[cell] = new_lo, new_hi
                for k in range(first[cell], first[cell + 1]):
                    other = at[k]
                    if not waiting[other]:
                        waiting[other] = True
                        queue[(head + held) % number] = other
                        held += 1
    return -1
