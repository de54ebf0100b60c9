"""Which sums cannot be fulfilled together in whole numbers: a smallest set of them, for the message.

Sums are left out as long as the rest is still impossible: halves first, then
quarters, down to single ones.  What remains clashes, and none of it can be left
out (where every question was answered within the solver's limit).

Source: J. W. Chinneck and E. W. Dravnieks, "Locating minimal infeasible
constraint sets in linear programs", ORSA Journal on Computing 3 (1991), 157–168,
for the deletion filter.
"""

import numpy as np

from sdc.rounding.flight import Lattice
from sdc.rounding.landing import is_possible

__all__ = ["clashing_sums"]

# Questions asked of the solver at most.
QUESTIONS = 200


def clashing_sums(lattice: Lattice, whole: np.ndarray) -> tuple[np.ndarray, bool]:
    """Positions of sums that clash, int64 ascending; and whether it is proven that they do.

    Where nothing is proven all sums are returned.
    """
    number = len(lattice.right)
    kept = np.ones(number, np.bool_)
    if is_possible(lattice, whole, kept):
        return np.arange(number), False
    asked = 1
    size = max(number // 2, 1)
    while True:
        start = 0
        while start < number and asked < QUESTIONS:
            without = kept.copy()
            without[np.flatnonzero(kept)[start : start + size]] = False
            left = int(kept.sum()) - int(without.sum())
            if left == 0:
                break
            asked += 1
            if is_possible(lattice, whole, without):
                start += size
            else:
                kept = without
        if size == 1 or asked >= QUESTIONS:
            return np.flatnonzero(kept), True
        size //= 2
