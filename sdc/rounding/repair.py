"""What pairs of areas cannot settle: the totals of a few neighbourhoods, solved together.

Linked tables can tie three or more areas' totals to each other, so that no two
of them can move alone.  There a small mixed-integer programme picks the totals
of the *free* areas (the clashing ones and their neighbours) and of the units above them:

* ``total(v) = floor(v) + b y(v)``, y binary;
* every free area's categories, and the categories of the units above, between
  their neighbouring multiples (their own rounding comes later);
* all additive, with the areas that are not free as they are.

The costs keep settled totals as they are where that is possible; the rest is
the key's choice.  The tables then follow in whole parts of 1 / SCALE, as they
follow a duel by force.  It happens to a few neighbourhoods of a country, is
counted, and is the only place where a solver is asked.
"""

import numpy as np

from common.keys import siphash
from sdc.rounding.follow import drop_flow, follow_totals, make_flow
from sdc.rounding.joined import SCALE
from sdc.rounding.totals import Game
from sdc.solver import Rows, solve_mip

__all__ = ["repair"]

BRANCHES = 2000


def repair(game: Game, clashes: np.ndarray, *, height: int, attempt: int) -> bool:
    """Settle the open areas of one top unit and all totals above them, in place; tells whether it could.

    `clashes` are the top unit's open areas; free with them are all areas in
    the same units `height` levels up.  `attempt` makes the key choose anew.
    """
    units = _free_units(game, clashes, height)
    wanted = _solve(game, units, attempt)
    if wanted is None:
        return False
    areas = units[units < game.tree.areas]
    gains = (wanted - game.totals.values[units])[: len(areas)]
    for table in range(len(game.joined.columns)):
        if not follow_totals(game.tree, game.joined, game.scratch, table, areas, gains * SCALE):
            drop_flow(game.scratch)
            return False
    make_flow(game.joined, game.scratch)
    game.forced[:] += int(np.maximum(gains, 0).sum()) * SCALE
    game.totals.values[units] = wanted
    return True


def _free_units(game: Game, clashes: np.ndarray, height: int) -> np.ndarray:
    """The free areas and all units above them, int64, ascending."""
    parents, offsets = game.tree.parents, game.tree.offsets
    above = np.arange(game.tree.areas)
    for _ in range(min(height, len(offsets) - 2)):
        above = parents[above]
    found = [np.flatnonzero(np.isin(above, above[clashes]))]
    while found[-1][0] < offsets[-2]:
        found.append(np.unique(parents[found[-1]]))
    return np.concatenate(found)


def _solve(game: Game, units: np.ndarray, attempt: int) -> np.ndarray | None:
    """Totals of the units that every table can follow, int64; None where there are none or none was found."""
    count = len(units)
    floor, ceiling = game.totals.floor[units], game.totals.ceiling[units]
    rows = Rows()
    _add_totals(game, units, rows)
    cells = _add_cells(game, units, rows)
    best = solve_mip(
        np.concatenate([_costs(game, units, attempt), np.zeros(len(cells))]),
        integer=np.arange(count + len(cells)) < count,
        upper=np.concatenate([floor < ceiling, cells]),
        rows=rows,
        branches=BRANCHES,
    )
    if best is None:
        return None
    raised: np.ndarray = np.round(best[:count]).astype(np.int64)
    return np.where(raised == 1, ceiling, floor)


def _costs(game: Game, units: np.ndarray, attempt: int) -> np.ndarray:
    """Cost of raising each total: at least 1 for changing a settled one, h - 1/2 for an open one.

    h in [0, 1) is the key's for each smallest area's figure, and 0 above.
    """
    areas = units[units < game.tree.areas]
    words = np.array([0, attempt], np.uint64)
    chance = np.zeros(len(units))
    for index, figure in enumerate(game.draws.figures[areas]):
        words[0] = figure
        chance[index] = int(siphash(game.draws.secret, words, 2)) / 2.0**64
    values, floor, ceiling = (array[units] for array in game.totals)
    settled = np.where(values == ceiling, -1.0 - chance, 1.0 + chance)
    return np.where((floor < values) & (values < ceiling), chance - 0.5, settled)


def _add_totals(game: Game, units: np.ndarray, rows: Rows) -> None:
    """Free children add up to their parent less the others: sum b y(child) - b y(parent) is known from the present."""
    base = game.joined.width // SCALE
    above = (game.totals.values[units] - game.totals.floor[units]) / base
    for parent, children in _families(game, units):
        _equate(rows, children, np.array([parent]), float(above[children].sum() - above[parent]))


def _add_cells(game: Game, units: np.ndarray, rows: Rows) -> np.ndarray:
    """The same for categories, and categories add up to their areas; returns the cells' upper bounds.

    A cell's variable is what it holds above its lower multiple; its present value is known, and so every sum.
    """
    base = game.joined.width // SCALE
    count = len(units)
    above = (game.totals.values[units] - game.totals.floor[units]).astype(float)
    bounds = []
    first = count
    for start, columns in zip(game.joined.starts, game.joined.columns, strict=False):
        categories = int(columns) - 1
        offset = game.joined.offset[start + units[:, None] * columns + np.arange(categories)]
        present = np.maximum(offset, 0) / SCALE
        bounds.append(np.where(offset < 0, 0.0, base).ravel())
        cells = first + np.arange(count * categories).reshape(count, categories)
        first += count * categories
        for area in np.flatnonzero(units < game.tree.areas):
            _equate(rows, cells[area], np.array([area]), float(present[area].sum() - above[area]), base)
        for parent, children in _families(game, units):
            for k in range(categories):
                right = float(present[children, k].sum() - present[parent, k])
                _equate(rows, cells[children, k], cells[parent : parent + 1, k], right)
    return np.concatenate(bounds) if bounds else np.empty(0)


def _equate(rows: Rows, plus: np.ndarray, minus: np.ndarray, right: float, times: float = 1.0) -> None:
    """Note ``sum of plus - times × sum of minus = right``."""
    entries = np.concatenate([np.ones(len(plus)), np.full(len(minus), -times)])
    rows.add(np.concatenate([plus, minus]), entries, right, right)


def _families(game: Game, units: np.ndarray) -> list[tuple[int, np.ndarray]]:
    """Each unit above free ones, with these, as positions among the units."""
    parents = game.tree.parents[units]
    inner = np.flatnonzero(parents >= 0)
    order = inner[np.argsort(parents[inner], kind="stable")]
    names, starts = np.unique(parents[order], return_index=True)
    return (
        list(zip(np.searchsorted(units, names).tolist(), np.split(order, starts[1:]), strict=True))
        if len(order)
        else []
    )
