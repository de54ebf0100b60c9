"""What a reader of the hidden cells can still believe: deviations from the true table that leave all sums as they are.

A table that fits what is published is the true one plus d, where M d = 0, d = 0
on shown cells and -down <= d <= up on hidden ones.  Two programmes over d, each
kept between questions, of which only costs and bounds change:

* `Reader`: how far can one cell move while only some cells are open?  With the
  dual answer: which cells, if opened, could move it further.
* `Support`: the cheapest cells to open so that one cell can move that far.

Source: M. Fischetti and J. J. Salazar-González, "Solving the cell suppression
problem on tabular data with linear constraints", Management Science 47 (2001),
1008–1027; the second is the linear programme behind its heuristic.
"""

from dataclasses import dataclass

import numpy as np

from sdc.solver import NO_LIMIT, OPTIMAL, Programme, Rows
from sdc.suppression.demands import Room
from sdc.system import Equations

__all__ = ["NOISE", "NOTHING", "SLACK", "Move", "Reader", "Support"]

# No cells.
NOTHING = np.empty(0, np.int64)
# Duals and flows below this are noise of the solver's arithmetic.
NOISE = 1e-9
# Relative: a demand that is missed by less is met.
SLACK = 1e-6
# A whole deviation need not be the cheapest.
GOOD_ENOUGH = 1.0


def _sum_rows(equations: Equations, *halves: float) -> Rows:
    """M d = 0, d being the sum of as many parts as there are signs given."""
    rows = Rows()
    zeros = np.zeros(len(equations))
    parts = [(equations.cells + half * equations.size, sign * equations.signs) for half, sign in enumerate(halves)]
    order = np.argsort(np.concatenate([equations.rows] * len(parts)), kind="stable")
    columns = np.concatenate([columns for columns, _ in parts])[order]
    entries = np.concatenate([entries for _, entries in parts])[order]
    rows.add_many(equations.starts * len(parts), columns, entries.astype(float), zeros, zeros)
    return rows


class Reader:
    """How far one cell can move while the cells are open by given shares: 1 for hidden, 0 for shown."""

    def __init__(self, equations: Equations, room: Room) -> None:
        self._room, self._size = room, equations.size
        self._every = np.arange(equations.size)
        zeros = np.zeros(equations.size)
        self._programme = Programme(zeros, lower=zeros, upper=zeros, rows=_sum_rows(equations, 1.0))
        self._costed = np.zeros(0, np.int64)
        self._open: np.ndarray = zeros
        self._cap = np.inf

    @property
    def solves(self) -> int:
        """Programmes solved."""
        return self._programme.solves

    def open(self, shares: np.ndarray, cap: float = np.inf) -> None:
        """Set how far each cell is open, float64 of shape (cells,); no cell moves further than `cap` × its share."""
        self._open, self._cap = shares, cap
        lower, upper = self._bounds(self._every)
        self._programme.set_bounds(self._every, lower, upper)

    def reopen(self, cells: np.ndarray, shares: np.ndarray) -> None:
        """Change how far some cells are open."""
        self._open = self._open.copy()
        self._open[cells] = shares
        self._programme.set_bounds(cells, *self._bounds(cells))

    def _bounds(self, cells: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        shares = self._open[cells]
        down, up = np.minimum(self._room.down[cells], self._cap), np.minimum(self._room.up[cells], self._cap)
        shut = shares <= 0
        with np.errstate(invalid="ignore"):
            return np.where(shut, 0.0, -down * shares), np.where(shut, 0.0, up * shares)

    def move(self, cell: int, *, up: bool, target: float, known: np.ndarray = NOTHING) -> "Move":
        """Move the cell as far as it goes towards `target`, for a reader who knows the values of some cells too."""
        at = np.array([cell])
        shut = known
        self._programme.set_costs(self._costed, np.zeros(len(self._costed)))
        self._programme.set_costs(at, np.array([-1.0 if up else 1.0]))
        self._costed = at
        lower, upper = self._bounds(at)
        self._programme.set_bounds(at, np.maximum(lower, -target), np.minimum(upper, target))
        self._programme.set_bounds(shut, np.zeros(len(shut)), np.zeros(len(shut)))
        solution = self._programme.solve()
        self._programme.set_bounds(at, lower, upper)
        self._programme.set_bounds(shut, *self._bounds(shut))
        if solution.values is None or solution.status != OPTIMAL:
            raise ArithmeticError("the solver did not finish a linear programme that has a solution")
        return Move(
            up=up,
            distance=abs(float(solution.values[cell])),
            deviation=_tidy(solution.values),
            reduced=solution.reduced,
            known=known,
        )

    def move_together(self, cells: np.ndarray, targets: np.ndarray, *, up: bool) -> np.ndarray:
        """One deviation that moves many cells towards their targets at once, as many as it can."""
        self._programme.set_costs(self._costed, np.zeros(len(self._costed)))
        self._programme.set_costs(cells, np.full(len(cells), -1.0 if up else 1.0))
        self._costed = cells
        lower, upper = self._bounds(cells)
        self._programme.set_bounds(cells, np.maximum(lower, -targets), np.minimum(upper, targets))
        solution = self._programme.solve()
        self._programme.set_bounds(cells, lower, upper)
        if solution.values is None or solution.status != OPTIMAL:
            raise ArithmeticError("the solver did not finish a linear programme that has a solution")
        return _tidy(solution.values)

    def helps(self, move: "Move", target: float) -> np.ndarray:
        """What opening cells would add to a move: a, float64 of shape (cells,).

        Every pattern h (0 or 1 per cell) under which the cell can move by the
        target has Σ a h >= target: duals of the bounds times the room there is,
        cut at the target, which is as good for whole patterns.
        """
        reduced = move.reduced
        grows, shrinks = reduced < -NOISE, reduced > NOISE
        helps = np.zeros(self._size)
        helps[grows] = -reduced[grows] * self._room.up[grows]
        helps[shrinks] = reduced[shrinks] * self._room.down[shrinks]
        helps[move.known] = 0.0
        return np.minimum(helps, target)


@dataclass(frozen=True, kw_only=True, eq=False)
class Move:
    """How far a cell could move, the deviation it moved with, and the reduced costs there."""

    up: bool
    distance: float
    deviation: np.ndarray
    reduced: np.ndarray
    known: np.ndarray


class Support:
    """The cheapest cells to open so that one cell can move by a given distance.

    Cheapest by Σ price × |d|, which stands in for Σ price over cells with d ≠ 0.
    With `branches` deviations are whole numbers, looked for with so many nodes of a search tree.
    """

    def __init__(self, equations: Equations, room: Room, *, branches: int | None = None) -> None:
        self._size = equations.size
        upper = np.concatenate([room.up, room.down])
        zeros = np.zeros(2 * self._size)
        self._room = self._upper = upper
        self._prices = zeros
        self._programme = Programme(
            zeros,
            lower=zeros,
            upper=upper,
            rows=_sum_rows(equations, 1.0, -1.0),
            integer=None if branches is None else np.ones(len(zeros), np.bool_),
            branches=NO_LIMIT if branches is None else branches,
            gap=None if branches is None else GOOD_ENOUGH,
        )
        self._whole = branches is not None

    @property
    def solves(self) -> int:
        """Programmes solved."""
        return self._programme.solves

    def set_prices(self, prices: np.ndarray, *, closed: np.ndarray) -> None:
        """Price per unit that each cell moves, float64 of shape (cells,), and which cells may not move."""
        every = np.arange(2 * self._size)
        self._prices = np.concatenate([prices, prices])
        self._programme.set_costs(every, self._prices)
        self._upper = np.where(np.concatenate([closed, closed]), 0.0, self._room)
        self._programme.set_bounds(every, np.zeros(len(every)), self._upper)

    def lower_prices(self, cells: np.ndarray, price: float) -> None:
        """One price for some cells."""
        at = np.concatenate([cells, cells + self._size])
        self._prices[at] = price
        self._programme.set_costs(at, self._prices[at])

    def find(self, cell: int, *, up: bool, distance: float, known: np.ndarray = NOTHING) -> np.ndarray | None:
        """The cheapest deviation in which the cell moves by `distance`, of shape (cells,); None where there is none."""
        own = np.array([cell, cell + self._size])
        there, back = own if up else own[::-1]
        if self._upper[there] < distance - SLACK * max(1.0, distance):
            return None
        shut = np.concatenate([known, known + self._size])
        fixed, level = np.array([there]), np.array([min(distance, self._upper[there])])
        self._programme.set_bounds(fixed, level, level)
        closing = np.concatenate([np.array([back]), shut])
        self._programme.set_bounds(closing, np.zeros(len(closing)), np.zeros(len(closing)))
        solution = self._programme.solve()
        changed = np.concatenate([fixed, closing])
        self._programme.set_bounds(changed, np.zeros(len(changed)), self._upper[changed])
        if solution.values is None or not (self._whole or solution.optimal):
            return None
        return _tidy(solution.values[: self._size] - solution.values[self._size :])

    def find_many(self, cells: np.ndarray, targets: np.ndarray, *, up: bool, reward: float) -> np.ndarray | None:
        """A deviation that moves cells towards their targets where each step is worth its price; None without an answer."""
        own = cells if up else cells + self._size
        self._programme.set_costs(own, np.full(len(own), -reward))
        self._programme.set_bounds(own, np.zeros(len(own)), np.minimum(targets, self._upper[own]))
        solution = self._programme.solve()
        self._programme.set_costs(own, self._prices[own])
        self._programme.set_bounds(own, np.zeros(len(own)), self._upper[own])
        if solution.values is None or not solution.optimal:
            return None
        return _tidy(solution.values[: self._size] - solution.values[self._size :])


def _tidy(deviation: np.ndarray) -> np.ndarray:
    """A deviation without the noise of the solver's arithmetic: whole numbers where it is close to them."""
    whole = np.rint(deviation)
    return (
        whole
        if np.abs(deviation - whole).max(initial=0.0) < SLACK
        else np.where(np.abs(deviation) < SLACK, 0.0, deviation)
    )
