"""Ties between tables that are drawn apart, mended neighbourhood by neighbourhood.

Where published values of a sheet (`sdc.rounding.sheets`) break a tie or a sum in some area, the values of its
neighbourhood are picked again: those of all units below the unit above it, whose own
values stay; else with those of all units above; else together with other neighbourhoods; else
in wider neighbourhoods.  Everything beside stays.  Each open cell becomes one of the two multiples of the
base next to its true count, by a small mixed-integer programme with all sums
and ties.  To move a cell that is raised at fraction f of the base costs
f + h, one that is not 1 - f + h, h in [0, 1) the key's, times its level: what was drawn is kept
where it can be, and what must move leans where its count leans.  To move a cell that keeps the value
of the release before costs as if its count leant that way altogether, and MORE.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from common.progress import SILENT, Progress
from sdc.rounding.flight import keyed_chances
from sdc.rounding.sheets import Sheet
from sdc.rounding.tree import Tree
from sdc.solver import Programme, Rows

__all__ = ["Mended", "mend", "refit"]

BRANCHES = 2_000
# Open cells of the largest neighbourhood that the solver is asked about.
LARGEST = 20_000
# A little dearer to move than the chances make it, so that a cell is moved only where something is gained.
KEEP = 0.25
MORE = 1.0
GAP = 0.05
WHOLE = 1e-6


@dataclass(frozen=True, kw_only=True, eq=False)
class Mended:
    """Values that keep all sums and ties, but where there are none.

    Attributes
    ----------
    values : int64 of shape (units, columns).
    neighbourhoods, cells : how many were picked again, and how many cells changed by it.
    left : smallest areas in which a tie is still broken, int64; none where all is mended.
    """

    values: np.ndarray
    neighbourhoods: int
    cells: int
    left: np.ndarray


def mend(
    sheet: Sheet,
    values: np.ndarray,
    *,
    base: int,
    secret: np.ndarray,
    figures: np.ndarray,
    kept: np.ndarray | None = None,
    progress: Progress = SILENT,
) -> Mended:
    """Pick values anew wherever a tie or a sum is broken.

    Parameters
    ----------
    values : int64 of shape (units, columns), multiples of the base, each within it
        of its true count, adding up over areas.
    secret, figures : what h is drawn from; figures uint64 of shape (units, columns).
    kept : bool of that shape, values of the release before, which are moved last.
    """
    now = values.copy()
    picking = _Picking(sheet=sheet, values=now, base=base, secret=secret, figures=figures, kept=kept)
    done = 0
    areas = sheet.tree.areas
    above = np.arange(areas)
    levels = len(sheet.tree.offsets) - 1
    for height in range(1 if levels > 1 else 0, max(levels, 1)):
        if height:
            above = sheet.tree.parents[above]
        held = np.unique(above[sheet.broken(now[:areas])])
        if not len(held):
            break
        progress.step("tying tables together", 2 * len(held) + 1)
        for free in _choices(sheet.tree, held):
            # What one choice mended another need not, and its answer would be another by its mere costs.
            if sheet.broken(now[free[free < areas]]).any():
                done += picking.pick(free)
            progress.advance()
    return Mended(
        values=now,
        neighbourhoods=done,
        cells=int((now != values).sum()),
        left=np.flatnonzero(sheet.broken(now[:areas])),
    )


def refit(
    sheet: Sheet,
    values: np.ndarray,
    held: np.ndarray,
    drawn: np.ndarray,
    *,
    base: int,
    secret: np.ndarray,
    figures: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Pick values of columns that are drawn so that there are some for those that are not.

    Parameters
    ----------
    values : int64 of shape (units, columns); what stands in columns that are not drawn does not matter.
    held : units whose own drawn values stay, and below which others are picked;
        their columns that are not drawn may become either multiple.
    drawn : bool of shape (columns,).

    Returns
    -------
    The values, of which drawn columns alone mean something, and the held units for which there are none.
    """
    now = values.copy()
    picking = _Picking(sheet=sheet, values=now, base=base, secret=secret, figures=figures)
    failing = []
    for unit in held:
        below = _free_units(sheet.tree, np.array([unit]), upwards=False)
        if not picking.pick(np.append(below, unit), drawn=drawn):
            failing.append(unit)
    return now, np.array(failing, np.int64)


def _choices(tree: Tree, held: np.ndarray) -> Iterator[np.ndarray]:
    """Which units to pick anew, in turn: inside each neighbourhood; with what lies above it; inside and above all of them."""
    for unit in held:
        yield _free_units(tree, np.array([unit]), upwards=False)
    for unit in held:
        yield _free_units(tree, np.array([unit]), upwards=True)
    yield _free_units(tree, held, upwards=True)


def _free_units(tree: Tree, tops: np.ndarray, *, upwards: bool) -> np.ndarray:
    """All units below the given ones, and where `upwards` these and all above them: int64, ascending."""
    level = tops
    found = [np.empty(0, np.int64)]
    while len(level) and level[0] >= tree.areas:
        level = np.concatenate([tree.children[tree.first_child[unit] : tree.first_child[unit + 1]] for unit in level])
        found.append(level)
    while upwards and len(tops):
        found.append(tops)
        tops = tree.parents[tops]
        tops = tops[tops >= 0]
    return np.unique(np.concatenate(found))


@dataclass(frozen=True, kw_only=True, eq=False)
class _Picking:
    """What values are picked from; `values` are changed in place."""

    sheet: Sheet
    values: np.ndarray
    base: int
    secret: np.ndarray
    figures: np.ndarray
    kept: np.ndarray | None = None

    def pick(self, units: np.ndarray, *, drawn: np.ndarray | None = None) -> bool:
        """Pick the values of some units anew, all others staying; tells whether there were any.

        With `drawn` the last of the units keeps its drawn columns, and what is not drawn costs nothing to move.
        """
        sheet, base = self.sheet, self.base
        counts, present = sheet.counts[units], self.values[units]
        part = counts % base / base
        moving = part > 0
        moving[:, list(sheet.fixed)] = False
        if drawn is not None:
            moving[-1, drawn] = False
        size = int(moving.sum())
        if size > LARGEST:
            return False
        number = np.full(counts.shape, -1)
        number[moving] = np.arange(size)
        floor = np.where(moving, counts, present) // base
        rows = self._rows(units, floor, number, alone=drawn is not None)
        if rows is None:
            return False
        heights = np.searchsorted(sheet.tree.offsets, units, side="right")
        dear = np.broadcast_to(heights[:, None] * (1 if drawn is None else drawn), counts.shape)[moving]
        chance = keyed_chances(self.secret, self.figures[units][moving], 0)
        part, raised = part[moving], (present // base > floor)[moving]
        leans = np.where(raised, part, 1 - part)
        if self.kept is not None:
            leans = np.where(self.kept[units][moving], 1 + MORE, leans)
        costs = np.where(raised, -1, 1) * (leans + chance + KEEP) * dear
        picked = _solve(costs, rows)
        if picked is None:
            return False
        floor[moving] += picked
        self.values[units] = floor * base
        return True

    def _rows(self, units: np.ndarray, floor: np.ndarray, number: np.ndarray, *, alone: bool) -> Rows | None:
        """Sums, ties and areas as rows over the cells that move; None where those that do not contradict each other.

        Where they stand `alone`, nothing is asked above the last of the units.
        """
        sheet, columns = self.sheet, floor.shape[1]
        areas = np.flatnonzero(units < sheet.tree.areas)
        packing = _Packing(rows=Rows(), floor=floor.ravel(), number=number.ravel())
        for whole, parts in sheet.sums:
            cells = areas[:, None] * columns + np.append(parts, whole)
            packing.add(cells, np.append(np.ones(len(parts)), -1.0), np.zeros(len(areas)), 0.0)
        for tie in sheet.ties:
            taken = np.flatnonzero(tie)
            cells = areas[:, None] * columns + taken
            packing.add(cells, tie[taken].astype(float), np.zeros(len(areas)), np.inf)
        every = np.arange(columns)[:, None]
        for parent in np.unique(sheet.tree.parents[units[: len(units) - alone]]):
            if parent < 0:
                continue
            first, last = sheet.tree.first_child[parent : parent + 2]
            children = sheet.tree.children[first:last]
            place, own = np.searchsorted(units, children), int(np.searchsorted(units, parent))
            inside = units[np.minimum(place, len(units) - 1)] == children
            right = -self.values[children[~inside]].sum(axis=0) // self.base
            cells, signs = place[inside] * columns + every, np.ones(int(inside.sum()))
            if own < len(units) and units[own] == parent:
                cells, signs = np.column_stack([cells, own * columns + every]), np.append(signs, -1.0)
            else:
                right = right + self.values[parent] // self.base
            packing.add(cells, signs, right.astype(float), 0.0)
        return packing.rows if packing.possible else None


def _solve(costs: np.ndarray, rows: Rows) -> np.ndarray | None:
    """Least-cost y, each 0 or 1, int64; None where none was found.  Mostly the linear programme's best point is whole."""
    size = len(costs)
    programme = Programme(costs, lower=np.zeros(size), upper=np.ones(size), rows=rows, branches=BRANCHES, gap=GAP)
    found = programme.solve().values
    if found is not None and np.any(np.abs(found - np.round(found)) > WHOLE):
        programme.set_integer(np.ones(size, np.bool_))
        found = programme.solve().values
    return None if found is None else np.round(found).astype(np.int64)


@dataclass(kw_only=True, eq=False)
class _Packing:
    """Rows over the cells that move: right <= Σ signs × (floor + y) <= right + slack."""

    rows: Rows
    floor: np.ndarray
    number: np.ndarray
    possible: bool = True

    def add(self, cells: np.ndarray, signs: np.ndarray, right: np.ndarray, slack: float) -> None:
        """Note rows of one shape: `cells` of shape (rows, entries), `signs` of shape (entries,)."""
        low = right - (self.floor[cells] * signs).sum(axis=1)
        moving = self.number[cells] >= 0
        lengths = moving.sum(axis=1)
        fixed = lengths == 0
        if np.any(low[fixed] > 0) or (slack == 0.0 and np.any(low[fixed] < 0)):
            self.possible = False
        kept = moving[~fixed]
        if len(kept):
            starts = np.concatenate([[0], np.cumsum(lengths[~fixed])])
            entries = np.broadcast_to(signs, cells.shape)[~fixed][kept]
            numbers = self.number[cells[~fixed]][kept]
            self.rows.add_many(starts, numbers, entries, low[~fixed], low[~fixed] + slack)
