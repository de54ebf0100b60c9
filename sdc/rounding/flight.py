"""An unbiased walk of many cells at once towards multiples of the base, where the table is no network.

Cells are held in multiples of the base: cell j may take lower_j <= y_j <= upper_j,
and sums tie them together.  From a point that fulfils the sums, take any
direction that keeps them, and the largest steps `up` and `down` along it that
keep every cell within its bounds.  Go `up` with probability down / (up + down),
else `down`: the mean stays where it was, and at least one cell settles at a
bound.  Go on until no direction is left.  This is the flight phase of the cube
method; on a network its directions are cycles, and it ends with whole numbers.
Elsewhere it ends in a corner in which some cells may still be fractional; they
are landed by `sdc.rounding.landing`.

The sums are kept as a table of Gauss-Jordan elimination: each *basic* cell is
what the sums make it, given the others.  Moving one of the others moves the
basic cells that depend on it.  A basic cell that settles changes places with
the cell that moved.  Rounding errors do no harm: what is published is found and
checked in whole numbers afterwards.

Source: J.-C. Deville and Y. Tillé, "Efficient balanced sampling: the cube
method", Biometrika 91 (2004), 893–912.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from common.keys import siphash
from sdc.compiled import lean

__all__ = ["CLOSE", "Lattice", "fly", "keyed_chances"]

# Nearer to a bound than this is at the bound; smaller entries of the elimination are rounding errors.
CLOSE = 1e-7
NOTHING = 1e-10


class Lattice(NamedTuple):
    """Cells in multiples of the base, their bounds and their sums.

    Attributes
    ----------
    lower, upper : float64 of shape (n,), lower <= upper; whole numbers but where a start lies outside of them.
    starts, cells, signs : sums in compressed rows, as in `sdc.system.Equations`.
    right : int64 of shape (sums,): Σ signs × y over a row must be this.
    """

    lower: np.ndarray
    upper: np.ndarray
    starts: np.ndarray
    cells: np.ndarray
    signs: np.ndarray
    right: np.ndarray


class _Tableau(NamedTuple):
    """Each row: basic cell + Σ entries × (cells of the live columns) is constant.

    Attributes
    ----------
    entries : float64 of shape (sums, columns).
    basic : int64 of shape (sums,), the column of the row's basic cell, or -1.
    live : bool of shape (columns,): neither basic nor settled.
    listed : int64 of shape (columns,), room for a list of columns.
    """

    entries: np.ndarray
    basic: np.ndarray
    live: np.ndarray
    listed: np.ndarray


def keyed_chances(secret: np.ndarray, figures: np.ndarray, tag: int) -> np.ndarray:
    """One number in [0, 1) for each figure, by keyed hash: float64 of shape (n,); `tag` tells several apart."""
    return _chances(secret, np.ascontiguousarray(figures, dtype=np.uint64), np.uint64(tag))


@njit(cache=True)
def _chances(secret, figures, tag):  # type: ignore[no-untyped-def]
    words = np.empty(2, np.uint64)
    words[1] = tag
    out = np.empty(len(figures), np.float64)
    for i in range(len(figures)):
        words[0] = figures[i]
        out[i] = np.float64(siphash(secret, words, 2) >> np.uint64(11)) * 2.0**-53
    return out


def fly(lattice: Lattice, values: np.ndarray, order: np.ndarray, chances: np.ndarray) -> np.ndarray:
    """Walk from `values` to a corner: float64 of shape (n,).

    Parameters
    ----------
    values : float64 of shape (n,), fulfilling the sums and bounds, in multiples of the base.
    order : int64 of shape (n,), the order in which cells are taken; the key's.
    chances : float64 of shape (n,) in [0, 1), the draw of the step that each cell leads.

    The elimination is dense: (sums) × (cells not at a bound) numbers.
    """
    free = (lattice.lower + CLOSE < values) & (values < lattice.upper - CLOSE)
    cells = np.flatnonzero(free)
    column = np.cumsum(free) - 1
    entries = np.zeros((len(lattice.right), len(cells)))
    there = free[lattice.cells]
    rows = np.repeat(np.arange(len(lattice.right)), np.diff(lattice.starts))[there]
    np.add.at(entries, (rows, column[lattice.cells[there]]), lattice.signs[there].astype(float))
    tableau = _Tableau(
        entries=entries,
        basic=np.full(len(entries), -1, np.int64),
        live=np.ones(len(cells), np.bool_),
        listed=np.empty(len(cells), np.int64),
    )
    point = values[cells]
    queue = column[order[free[order]]]
    _walk(tableau, point, lattice.lower[cells], lattice.upper[cells], queue, chances[cells])
    out = values.copy()
    out[cells] = point
    return out


@lean
def _walk(tableau, point, lower, upper, queue, chances):  # type: ignore[no-untyped-def]
    """Make one cell of each sum basic, then move the others one by one."""
    _solve_for_basic(tableau)
    for column in queue:
        if tableau.live[column]:
            _step(tableau, point, lower, upper, column, chances[column])


@lean
def _solve_for_basic(tableau):  # type: ignore[no-untyped-def]
    """Make one cell of each sum basic: the one that stands in the fewest rows, so that little fills up."""
    rows, columns = tableau.entries.shape
    for row in range(rows):
        best, fewest = -1, rows + 1
        for column in range(columns):
            if tableau.live[column] and abs(tableau.entries[row, column]) > 0.5:
                found = 0
                for other in range(rows):
                    found += tableau.entries[other, column] != 0.0
                if found < fewest:
                    best, fewest = column, found
        if best < 0:
            for column in range(columns):
                if tableau.live[column] and abs(tableau.entries[row, column]) > 1e-6:
                    best = column
                    break
        if best >= 0:
            _pivot(tableau, row, best)


@lean
def _pivot(tableau, row, column):  # type: ignore[no-untyped-def]
    """Make a column basic in a row; what was basic there is settled and leaves."""
    entries, live, listed = tableau.entries, tableau.live, tableau.listed
    live[column] = False
    tableau.basic[row] = column
    scale = 1.0 / entries[row, column]
    count = 0
    for other in range(entries.shape[1]):
        if live[other] and entries[row, other] != 0.0:
            entries[row, other] *= scale
            listed[count] = other
            count += 1
    entries[row, column] = 0.0
    for other in range(entries.shape[0]):
        factor = entries[other, column]
        if factor == 0.0:
            continue
        entries[other, column] = 0.0
        for place in range(count):
            at = listed[place]
            entry = entries[other, at] - factor * entries[row, at]
            entries[other, at] = entry if abs(entry) > NOTHING else 0.0


@lean
def _step(tableau, point, lower, upper, column, chance):  # type: ignore[no-untyped-def]
    """Move one column up or down as far as it goes, and settle what stops it."""
    entries, basic = tableau.entries, tableau.basic
    up, down = upper[column] - point[column], point[column] - lower[column]
    up_row, down_row = -1, -1
    for row in range(entries.shape[0]):
        entry = entries[row, column]
        if entry == 0.0 or basic[row] < 0:
            continue
        cell = basic[row]
        above = max(upper[cell] - point[cell], 0.0) / abs(entry)
        below = max(point[cell] - lower[cell], 0.0) / abs(entry)
        if entry > 0.0:
            above, below = below, above
        # Of cells that stop the step together, the one with the largest entry leaves: the safest to divide by.
        if above < up - NOTHING or (above < up + NOTHING and up_row >= 0 and abs(entry) > abs(entries[up_row, column])):
            up, up_row = min(above, up), row
        if below < down - NOTHING or (
            below < down + NOTHING and down_row >= 0 and abs(entry) > abs(entries[down_row, column])
        ):
            down, down_row = min(below, down), row
    shut_up, shut_down = up < CLOSE, down < CLOSE
    if shut_up or shut_down:
        # A basic cell is at its bound already, and would leave it at one of the two ends.
        row = up_row if shut_up else down_row
        if row >= 0:
            _pivot(tableau, row, column)
        else:
            tableau.live[column] = False
        return
    rises = chance * (up + down) < down
    step, stop = (up, up_row) if rises else (-down, down_row)
    point[column] += step
    for row in range(entries.shape[0]):
        if entries[row, column] != 0.0 and basic[row] >= 0:
            point[basic[row]] -= step * entries[row, column]
    if stop < 0:
        point[column] = upper[column] if rises else lower[column]
        tableau.live[column] = False
    else:
        cell = basic[stop]
        point[cell] = upper[cell] if point[cell] - lower[cell] > 0.5 * (upper[cell] - lower[cell]) else lower[cell]
        _pivot(tableau, stop, column)
