"""What pairs of areas cannot settle: the totals of a few neighbourhoods, solved together.

Linked tables can tie three or more areas' totals to each other, so that no two
of them can move alone.  Free are then all areas of the *neighbourhood*, the
unit that holds such a clash.  A small mixed-integer programme picks totals of
the free areas and of the open units above them:

* ``total(v) = floor(v) + b y(v)``, y binary, additive;
* categories inside the neighbourhood between their neighbouring multiples
  (their own rounding comes later), additive too.

The costs keep settled totals as they are where that is possible; the rest is
the key's choice.  Then the tables are asked to follow in whole parts of
1 / SCALE, as they follow a duel by force, by whatever way the whole tree
offers.  Where one cannot, the key chooses anew, then in a wider neighbourhood.
It happens to a few neighbourhoods of a country, is counted, and is the only
place where a solver is asked.
"""

import numpy as np

from common.keys import siphash
from sdc.rounding.follow import drop_flow, follow_totals, make_flow
from sdc.rounding.joined import HELD_HIGH, SCALE, SHUT
from sdc.rounding.totals import Game
from sdc.solver import Rows, solve_mip

__all__ = ["repair"]

BRANCHES = 2000
# Cells and totals of the largest neighbourhood that the solver is asked about.
LARGEST = 20_000
ATTEMPTS = 4


def repair(game: Game, clashes: np.ndarray) -> tuple[np.ndarray, int]:
    """Settle the open areas and all totals above them, in place.

    Returns the areas that could not be settled, and the number of neighbourhoods that were.
    """
    settled = 0
    for height in range(1, len(game.tree.offsets) - 1):
        held = _lifted(game, clashes, height)
        for unit in np.unique(_lowest_settled(game, held)):
            neighbourhoods = np.unique(held[_lowest_settled(game, held) == unit])
            if len(neighbourhoods) and _settle(game, neighbourhoods, int(unit)):
                settled += len(neighbourhoods)
        clashes = clashes[_is_open(game, clashes)]
    return clashes, settled


def _lifted(game: Game, units: np.ndarray, height: int) -> np.ndarray:
    for _ in range(height):
        units = game.tree.parents[units]
    return units


def _is_open(game: Game, units: np.ndarray) -> np.ndarray:
    values, floor, ceiling = (array[units] for array in game.totals)
    return (floor < values) & (values < ceiling)


def _lowest_settled(game: Game, units: np.ndarray) -> np.ndarray:
    """Each unit, or the lowest above it whose total is settled; the top unit where none is."""
    units = units.copy()
    while True:
        rises = _is_open(game, units) & (game.tree.parents[units] >= 0)
        if not rises.any():
            return units
        units[rises] = game.tree.parents[units[rises]]


def _settle(game: Game, neighbourhoods: np.ndarray, unit: int) -> bool:
    """Settle all that is open in the neighbourhoods and between them and a unit above; tells whether it could."""
    inside = _units_below(game, neighbourhoods)
    units = np.union1d(inside, _units_between(game, neighbourhoods, unit))
    if _open_cells(game, inside) > LARGEST:
        return False
    for attempt in range(ATTEMPTS):
        wanted = _solve(game, units, inside, attempt)
        if wanted is None:
            return False
        if _follow(game, units, wanted):
            return True
    return False


def _open_cells(game: Game, units: np.ndarray) -> int:
    """How many cells of the units may move in all tables, totals counted once for each."""
    cells = 0
    for start, columns in zip(game.joined.starts, game.joined.columns, strict=False):
        cells += int(
            np.count_nonzero(game.joined.offset[start + units[:, None] * columns + np.arange(columns)] != SHUT)
        )
    return cells


def _units_below(game: Game, tops: np.ndarray) -> np.ndarray:
    """The given units and all that lie in them, int64, ascending."""
    parents, offsets = game.tree.parents, game.tree.offsets
    inside = np.zeros(len(parents), np.bool_)
    inside[tops] = True
    for level in range(len(offsets) - 3, -1, -1):
        units = np.arange(offsets[level], offsets[level + 1])
        inside[units] |= inside[parents[units]]
    return np.flatnonzero(inside)


def _units_between(game: Game, units: np.ndarray, last: int) -> np.ndarray:
    """The given units and all above them up to `last`, int64."""
    found = [units]
    while np.any(units != last):
        units = game.tree.parents[units[units != last]]
        found.append(units)
    return np.concatenate(found)


def _follow(game: Game, units: np.ndarray, wanted: np.ndarray) -> bool:
    """Give the units the totals wanted, every table following; tells whether it could, and changes nothing if not."""
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


def _solve(game: Game, units: np.ndarray, inside: np.ndarray, attempt: int) -> np.ndarray | None:
    """Totals of the units, of which the last is settled and stays; None where there are none."""
    count = len(units)
    floor, ceiling = game.totals.floor[units], game.totals.ceiling[units]
    rows = Rows()
    _add_totals(game, units, rows)
    if not _is_open(game, units[-1:])[0]:
        raised_last = float(game.totals.values[units[-1]] > floor[-1])
        rows.add(np.array([count - 1]), np.ones(1), raised_last, raised_last)
    cells = _add_cells(game, units, inside, rows)
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


def _add_cells(game: Game, units: np.ndarray, inside: np.ndarray, rows: Rows) -> np.ndarray:
    """Categories of the units inside add up to their areas and parents; returns the cells' upper bounds.

    A cell's variable is what it holds above its lower multiple; its present value is known, and so every sum.
    """
    base = game.joined.width // SCALE
    above = game.totals.values[inside] - game.totals.floor[inside]
    areas = np.flatnonzero(inside < game.tree.areas)
    totals = np.searchsorted(units, inside[areas])
    families = _families(game, inside)
    bounds = []
    first = len(units)
    for start, columns in zip(game.joined.starts, game.joined.columns, strict=False):
        categories = int(columns) - 1
        offset = game.joined.offset[start + inside[:, None] * columns + np.arange(categories)]
        # Cells that are held may move here.
        present = np.where(offset == HELD_HIGH, game.joined.width, np.maximum(offset, 0)) / SCALE
        bounds.append(np.where(offset == SHUT, 0.0, base).ravel())
        cells = first + np.arange(len(inside) * categories).reshape(len(inside), categories)
        first += cells.size
        for area, total in zip(areas, totals, strict=True):
            _equate(rows, cells[area], np.array([total]), float(present[area].sum() - above[area]), base)
        for parent, children in families:
            for k in range(categories):
                right = float(present[children, k].sum() - present[parent, k])
                _equate(rows, cells[children, k], cells[parent : parent + 1, k], right)
    return np.concatenate(bounds) if bounds else np.empty(0)


def _equate(rows: Rows, plus: np.ndarray, minus: np.ndarray, right: float, times: float = 1.0) -> None:
    """Note ``sum of plus - times × sum of minus = right``."""
    entries = np.concatenate([np.ones(len(plus)), np.full(len(minus), -times)])
    rows.add(np.concatenate([plus, minus]), entries, right, right)


def _families(game: Game, units: np.ndarray) -> list[tuple[int, np.ndarray]]:
    """Each unit that has others among the units below it, with these, as positions among the units."""
    parents = game.tree.parents[units]
    inner = np.flatnonzero(np.isin(parents, units))
    order = inner[np.argsort(parents[inner], kind="stable")]
    names, starts = np.unique(parents[order], return_index=True)
    return (
        list(zip(np.searchsorted(units, names).tolist(), np.split(order, starts[1:]), strict=True))
        if len(order)
        else []
    )
