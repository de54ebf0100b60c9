"""What pairs of areas cannot settle: the totals of one neighbourhood, solved together.

Linked tables can tie three or more areas' totals to each other, so that no two
of them can move alone.  There a small mixed-integer programme picks the totals:

* ``total(v) = floor(v) + b y(v) + f(v)``, y binary, for every unit v below the neighbourhood's own unit U;
* cells of all tables between their neighbouring multiples, adding up to their totals and to U's present cells;
* f = 0 but where U's own total is between multiples: then one smallest area,
  with the units above it, may stay open (w = 1), to duel with areas elsewhere.

Among the solutions the key picks, by random costs.  The tables then follow in
whole parts of 1 / SCALE, as they follow a duel by force.  It happens to a few
neighbourhoods of a country, is counted, and is the only place where a solver is asked.
"""

import numpy as np
from numba import njit

from common.keys import siphash
from sdc.rounding.follow import drop_flow, follow_totals, make_flow
from sdc.rounding.joined import SCALE
from sdc.rounding.totals import Game

__all__ = ["repair"]

# Seconds are no limit, for the answer must not depend on the machine; branches are.
BRANCHES = 2000


class _Rows:
    """Sparse rows ``lower <= row . x <= upper`` as they are gathered."""

    def __init__(self) -> None:
        self.rows: list[np.ndarray] = []
        self.columns: list[np.ndarray] = []
        self.entries: list[np.ndarray] = []
        self.lower: list[float] = []
        self.upper: list[float] = []

    def add(self, columns: np.ndarray, entries: np.ndarray, lower: float, upper: float) -> None:
        """Note one row."""
        self.rows.append(np.full(len(columns), len(self.lower)))
        self.columns.append(columns)
        self.entries.append(entries)
        self.lower.append(lower)
        self.upper.append(upper)


def repair(game: Game, unit: int, attempt: int) -> bool:
    """Settle the totals within one unit, all but one where its own total is open, in place; tells whether it could.

    `attempt` makes the key pick anew.
    """
    units = _below(game.tree, unit)
    wanted = _solve(game, unit, units, attempt)
    if wanted is None:
        return False
    areas = units[units < game.tree.areas]
    gains = wanted[units < game.tree.areas] - game.totals.values[areas]
    level = int(np.searchsorted(game.tree.offsets, unit, side="right")) - 1
    for table in range(len(game.joined.columns)):
        if not follow_totals(game.tree, game.joined, game.scratch, table, areas, gains * SCALE, level):
            drop_flow(game.scratch)
            return False
    make_flow(game.joined, game.scratch)
    game.forced[:] += int(np.abs(gains).sum()) // 2 * SCALE
    game.totals.values[units] = wanted
    return True


@njit(cache=True)
def _below(tree, unit):  # type: ignore[no-untyped-def]
    """All units below a unit, ascending."""
    found = [np.int64(unit)]
    place = 0
    while place < len(found):
        parent = found[place]
        for index in range(tree.first_child[parent], tree.first_child[parent + 1]):
            found.append(tree.children[index])
        place += 1
    return np.sort(np.array(found)[1:])


def _solve(game: Game, unit: int, units: np.ndarray, attempt: int) -> np.ndarray | None:
    """Totals of the units below a unit that every table can follow, int64; None where there are none or none was found."""
    # Heavy, and seldom needed.
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import coo_array

    base = game.joined.width // SCALE
    count = len(units)
    shut = game.totals.floor[units] == game.totals.ceiling[units]
    is_area = units < game.tree.areas
    floating = game.totals.floor[unit] < game.totals.values[unit] < game.totals.ceiling[unit]
    rows = _Rows()
    cells = _add_cells(game, unit, units, rows)
    _add_totals(game, unit, units, rows)
    size = 3 * count + len(cells)
    upper = np.concatenate([~shut * 1.0, ~shut * float(base), is_area & ~shut & floating, cells])
    rows.add(np.arange(2 * count, 3 * count), np.ones(count), 0, 1)
    matrix = coo_array(
        (np.concatenate(rows.entries), (np.concatenate(rows.rows), np.concatenate(rows.columns))),
        shape=(len(rows.lower), size),
    )
    costs = np.zeros(size)
    costs[: 3 * count] = _costs(game, units, attempt)
    result = milp(
        costs,
        integrality=np.concatenate([np.ones(count), np.zeros(count), np.ones(count), np.zeros(len(cells))]),
        bounds=Bounds(np.zeros(size), upper),
        constraints=LinearConstraint(matrix.tocsr(), rows.lower, rows.upper),
        options={"node_limit": BRANCHES},
    )
    if result.x is None:
        return None
    left = np.round(result.x[count : 2 * count]).astype(np.int64)
    return game.totals.floor[units] + base * np.round(result.x[:count]).astype(np.int64) + left


def _costs(game: Game, units: np.ndarray, attempt: int) -> np.ndarray:
    """Costs of y, f and w: a settled total is kept if it can be; what must change, and how, the key picks.

    A settled total costs 1 + h to change, an open one h - 1/2 to raise, one left open h, with h in [0, 1) keyed.
    """
    words = np.array([0, attempt, 0], np.uint64)
    chance = np.empty((3, len(units)))
    for which in range(3):
        for index, unit in enumerate(units):
            words[0], words[2] = unit, which
            chance[which, index] = int(siphash(game.draws.secret, words, 3)) / 2.0**64
    values, floor, ceiling = (array[units] for array in game.totals)
    settled = np.where(values == ceiling, -1.0 - chance[0], 1.0 + chance[0])
    raising = np.where((floor < values) & (values < ceiling), chance[0] - 0.5, settled)
    return np.concatenate([raising, np.zeros(len(units)), chance[2]])


def _add_totals(game: Game, unit: int, units: np.ndarray, rows: _Rows) -> None:
    """Totals add up; b y + f <= b; f <= b × (areas left open below)."""
    base = game.joined.width // SCALE
    tree, floor = game.tree, game.totals.floor
    count = len(units)
    for parent in [unit, *units[units >= tree.areas]]:
        children = tree.children[tree.first_child[parent] : tree.first_child[parent + 1]]
        at = np.searchsorted(units, children)
        columns, entries = [at, count + at], [np.full(len(at), float(base)), np.ones(len(at))]
        right = float(-floor[children].sum())
        if parent == unit:
            right += float(game.totals.values[unit])
        else:
            own = np.searchsorted(units, parent)
            columns.append(np.array([own, count + own]))
            entries.append(np.array([-float(base), -1.0]))
            right += float(floor[parent])
        rows.add(np.concatenate(columns), np.concatenate(entries), right, right)
    for own, below in enumerate(units):
        rows.add(np.array([own, count + own]), np.array([float(base), 1.0]), -np.inf, base)
        inside = _below(tree, below) if below >= tree.areas else np.array([below])
        at = 2 * count + np.searchsorted(units, inside[inside < tree.areas])
        rows.add(np.append(at, count + own), np.append(np.full(len(at), -float(base)), 1.0), -np.inf, 0)


def _add_cells(game: Game, unit: int, units: np.ndarray, rows: _Rows) -> np.ndarray:
    """Categories add up to the areas' totals and to their parents' categories; returns the cells' upper bounds.

    A cell's variable is what it holds above its lower multiple, whose sums are known from the present cells.
    """
    tree, joined, totals = game.tree, game.joined, game.totals
    base = joined.width // SCALE
    count = len(units)
    bounds: list[np.ndarray] = []
    first = 3 * count
    for table in range(len(joined.columns)):
        columns = int(joined.columns[table])
        categories = columns - 1
        here = joined.starts[table] + units[:, None] * columns + np.arange(categories)
        present = np.maximum(joined.offset[here], 0) / SCALE
        bounds.append(np.where(joined.offset[here] < 0, 0.0, float(base)).ravel())
        variables = first + np.arange(count * categories).reshape(count, categories)
        first += count * categories
        for own in np.flatnonzero(units < tree.areas):
            # Sums hold at present: what moves in the cells moves in the total.
            right = float(present[own].sum() - (totals.values[units[own]] - totals.floor[units[own]]))
            entries = np.concatenate([np.ones(categories), [-float(base), -1.0]])
            rows.add(np.concatenate([variables[own], [own, count + own]]), entries, right, right)
        for parent in [unit, *units[units >= tree.areas]]:
            at = np.searchsorted(units, tree.children[tree.first_child[parent] : tree.first_child[parent + 1]])
            inside = int(np.searchsorted(units, parent)) if parent != unit else -1
            for k in range(categories):
                right = float(present[at, k].sum())
                if inside < 0:
                    rows.add(variables[at, k], np.ones(len(at)), right, right)
                else:
                    entries = np.append(np.ones(len(at)), -1.0)
                    rows.add(
                        np.append(variables[at, k], variables[inside, k]),
                        entries,
                        right - present[inside, k],
                        right - present[inside, k],
                    )
    return np.concatenate(bounds)
