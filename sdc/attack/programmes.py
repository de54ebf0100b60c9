"""Feasibility intervals on tables of any shape, by linear and mixed-integer programmes.

The attacker knows bounds lo <= x <= hi for every cell and that all sums add up.
The interval of a cell is its least and its greatest value over all tables that
fit: two programmes per cell, made few and small by

1. narrowing bounds, sum by sum (`sdc.attack.narrowing`);
2. blocks of open cells, and exact elimination in each: cells that follow from
   sums, classes that move together (`sdc.attack.elimination`);
   of large systems, walks from table to table that show most ends to be reached (`sdc.attack.walking`);
3. one linear programme per block, of which only the costs change, so that each
   answer starts from the last one; every whole table met on the way is noted,
   for it answers for other cells too (`sdc.attack.blocksearch`);
4. where the best point of a linear programme is no whole table, a mixed-integer
   programme, since counts are whole.

On a network step 4 never happens.  Source: methods 4.1 and 5.4 ("Fallback");
the two programmes per cell are those of the audits of τ-ARGUS and sdcTable.
"""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from common.progress import SILENT, Progress
from sdc.attack.blocktasks import Done, Task, search_task
from sdc.attack.elimination import Block, Classes, find_blocks, find_classes
from sdc.attack.intervals import BEYOND_VALUES, NO_BOUND, reach
from sdc.attack.narrowing import NoSolution, narrow
from sdc.attack.walking import Ends, Met, walk_blocks
from sdc.system import Equations, SafeCells
from sdc.tables import NOT_AVAILABLE, NOT_PUBLISHED, SHOWN, STRUCTURAL, SUPPRESSED

__all__ = ["PATHS", "Demand", "Found", "NoSolution", "Settled", "feasible_intervals", "settle", "stated_bounds"]

# How an interval was found, the furthest step that was needed.
PATHS = ("bounds", "narrowing", "elimination", "walks", "LP", "MIP")
BY_BOUNDS, BY_NARROWING, BY_ELIMINATION, BY_WALKS, BY_LP, BY_MIP = range(6)

# Nodes of the search tree per mixed-integer programme.
BRANCHES = 5000

Bounds = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True, kw_only=True, eq=False)
class Demand:
    """How far the asked cells need be followed: down to lo and up to hi, of their shape.

    An end is not followed further once some table reaches that far.  Walks follow neither end of a cell that some table takes
    to `enough`, nor of one that tables take to 0 and to `from_zero` (of the same shape), where these are given.
    """

    lo: np.ndarray
    hi: np.ndarray
    enough: np.ndarray | None = None
    from_zero: np.ndarray | None = None

    def ends(self, bounds: Bounds, asked: np.ndarray) -> Ends:
        """How far each cell is followed; bounds are of shape (cells,)."""
        every = Ends.of((bounds[0].copy(), bounds[1].copy()))
        every.lo[asked] = np.maximum(every.lo[asked], self.lo)
        every.hi[asked] = np.minimum(every.hi[asked], self.hi)
        for whole, part in ((every.enough, self.enough), (every.from_zero, self.from_zero)):
            if part is not None:
                whole[asked] = part
        return every


@dataclass(frozen=True, kw_only=True, eq=False)
class Found:
    """Intervals of the asked cells, arrays of their shape.

    Whole numbers (int64) for counts, float64 for amounts; hi is `NO_BOUND` where
    nothing bounds a cell from above.

    Attributes
    ----------
    lo, hi : no table has a value outside.
    seen_lo, seen_hi : the least and the greatest value in a table that was met.
    path : int8, index into `PATHS`.
    figures : cells that went each path, `blocks`, `largest block`, programmes
        solved (`LPs`, `MIPs`), `stopped` searches, blocks `not eliminated` and `searched by neighbourhoods`.
    """

    lo: np.ndarray
    hi: np.ndarray
    seen_lo: np.ndarray
    seen_hi: np.ndarray
    path: np.ndarray
    figures: dict[str, int]

    @property
    def exact(self) -> np.ndarray:
        """True where both ends were met; an end without bound counts as met."""
        low = np.isclose(self.lo, self.seen_lo, rtol=1e-9, atol=1e-6)
        high = np.isclose(self.hi, self.seen_hi, rtol=1e-9, atol=1e-6)
        return low & (high | (self.hi >= NO_BOUND))


def stated_bounds(safe: SafeCells) -> Bounds:
    """What each cell's value or marker says by itself: lo and hi, int64 of shape (cells,).

    As `sdc.attack.intervals.stated_intervals`, for cells of any table; what is
    suppressed, not available or not published lies in [0, no bound].  So does what
    is shown by methods whose values say nothing without their ptable, or without
    knowing which cells are finest: `known` of `sdc.attack.systems` tells that.
    """
    hidden = np.isin(safe.markers, (SUPPRESSED, NOT_AVAILABLE, NOT_PUBLISHED))
    shown = np.where(safe.markers == SHOWN, safe.values, 0)
    if safe.method.name in BEYOND_VALUES:
        lo, hi = np.zeros_like(shown), np.full_like(shown, NO_BOUND)
    else:
        below, above = reach(safe.method)
        lo, hi = np.maximum(shown - below, 0), shown + above
    lo = np.where(hidden | (safe.markers == STRUCTURAL), 0, lo)
    hi = np.where(hidden, NO_BOUND, np.where(safe.markers == STRUCTURAL, 0, hi))
    return lo, hi


def feasible_intervals(
    equations: Equations,
    lo: np.ndarray,
    hi: np.ndarray,
    *,
    asked: np.ndarray,
    whole: bool = True,
    start: np.ndarray | None = None,
    demand: Demand | None = None,
    branches: int = BRANCHES,
    most_cells: int | None = None,
    progress: Progress = SILENT,
) -> Found:
    """The least and greatest value of each asked cell over all tables that fit.

    Parameters
    ----------
    equations : the sums.
    lo, hi : the attacker's bounds, int64 of shape (cells,); `NO_BOUND` for none above.
    asked : numbers of cells, shape (asked,).
    whole : cells are counts; False for amounts, where values between whole
        numbers make tables too.
    start : a table that fits, such as the true one, int64 of shape (cells,).
        Without it one is looked for, in every block.
    demand : follow ends this far only.
    branches : nodes of the search tree per mixed-integer programme; where they
        do not suffice, an end is sound but may not be exact.
    most_cells : blocks of more open cells are searched in neighbourhoods of so many (`sdc.attack.neighbourhoods`): sound,
        not always exact; None for no limit.  With a limit walks go before programmes, in blocks of any size.

    Raises
    ------
    NoSolution
        No table fits.
    ValueError
        `start` does not fit.
    """
    if start is not None and (np.any(start < lo) or np.any(start > hi) or equations.residuals(start).any()):
        raise ValueError("start must lie within the bounds and add up")
    wanted = np.full(equations.size, start is None)
    wanted[asked] = True
    settled = settle(equations, lo, hi, wanted)
    tell = _Telling(settled.bounds, start)
    want = Ends.of(settled.bounds) if demand is None else demand.ends(settled.bounds, asked)
    is_asked = np.zeros(equations.size, np.bool_)
    is_asked[asked] = True
    progress.step("attack", sum(len(block.cells) for block in settled.blocks))
    walked: list[Met | None] = [None] * len(settled.blocks)
    if whole and most_cells is not None:
        walked = walk_blocks(settled.blocks, settled.bounds, asked=is_asked, want=want, start=start)
    for block, classes, met in zip(settled.blocks, settled.classes, walked, strict=True):
        cells = block.cells
        task = Task(
            block=block,
            classes=classes,
            bounds=(settled.bounds[0][cells], settled.bounds[1][cells]),
            asked=is_asked[cells],
            want=want.at(cells),
            start=None if start is None else start[cells],
            whole=whole,
            branches=branches,
            most_cells=most_cells,
        )
        tell.take(block, search_task(task, met))
        progress.advance(len(cells))
    tell.tally["not eliminated"] = sum(classes is None for classes in settled.classes)
    return tell.found(asked, (lo, hi), settled.determined, whole)


@dataclass(frozen=True, kw_only=True, eq=False)
class Settled:
    """What sums and bounds say without any programme.

    `bounds` after narrowing and elimination, `determined` (bool) the cells that
    elimination settled, and the `blocks` left open, with their `classes` where
    they are not too large.
    """

    bounds: Bounds
    determined: np.ndarray
    blocks: list[Block]
    classes: list[Classes | None]


def settle(equations: Equations, lo: np.ndarray, hi: np.ndarray, wanted: np.ndarray) -> Settled:
    """Take out what follows from sums alone, in the blocks of wanted cells (bool); blocks may fall apart by it.

    Raises
    ------
    NoSolution
        No table fits.
    """
    determined = np.zeros(equations.size, np.bool_)
    bounds = narrow(equations, lo, hi)
    while True:
        lo, hi = bounds
        blocks = find_blocks(equations, lo, hi, wanted)
        classes = [find_classes(block) for block in blocks]
        news = [_determined(block, each) for block, each in zip(blocks, classes, strict=True) if each is not None]
        cells, values = (
            (np.concatenate([np.empty(0, np.int64), *each]) for each in zip(*news, strict=True))
            if news
            else 2 * (np.empty(0, np.int64),)
        )
        if not len(cells):
            return Settled(bounds=bounds, determined=determined, blocks=blocks, classes=classes)
        outside = (values < lo[cells]) | (values > hi[cells])
        if outside.any():
            raise NoSolution(_around(equations, cells[outside][:1]))
        lo[cells] = hi[cells] = values
        determined[cells] = True
        bounds = narrow(equations, lo, hi)


def _determined(block: Block, classes: Classes) -> tuple[np.ndarray, np.ndarray]:
    """Cells whose value follows from sums alone, and the values.  Raises `NoSolution` where one is no whole number."""
    at = np.flatnonzero(classes.slope == 0)
    values, rest = np.divmod(classes.constant[at], classes.scale[at])
    if rest.any():
        raise NoSolution(block.equations)
    return block.cells[at], values


def _around(equations: Equations, cell: np.ndarray) -> np.ndarray:
    """The equations a cell stands in."""
    return np.unique(equations.rows[np.isin(equations.cells, cell)])


class _Telling:
    """What is known of every cell, gathered block by block."""

    def __init__(self, bounds: Bounds, start: np.ndarray | None) -> None:
        closed = bounds[0] == bounds[1]
        self.outer = bounds[0].astype(float), bounds[1].astype(float)
        known = bounds[0] if start is None else start
        met = closed | (start is not None)
        self.seen = np.where(met, known, np.inf).astype(float), np.where(met, known, -np.inf).astype(float)
        self.path = np.full(len(closed), BY_BOUNDS, np.int8)
        self.tally: Counter[str] = Counter({"blocks": 0, "largest block": 0, "LPs": 0, "MIPs": 0, "stopped": 0})

    def take(self, block: Block, done: Done) -> None:
        """Note what was found of a block."""
        cells, found = block.cells, done.found
        for pair, part in ((self.outer, (found.lo, found.hi)), (self.seen, (found.seen_lo, found.seen_hi))):
            pair[0][cells], pair[1][cells] = part
        by_programme = np.where(found.searched, BY_MIP, BY_LP if found.solved else BY_BOUNDS)
        self.path[cells] = np.where(done.programmed, by_programme, BY_WALKS)
        self.tally["blocks"] += 1
        self.tally["largest block"] = max(self.tally["largest block"], len(cells))
        self.tally["LPs"] += found.solved
        self.tally["MIPs"] += found.whole_solved
        self.tally["stopped"] += found.stopped
        if done.by_neighbourhoods:
            self.tally["searched by neighbourhoods"] += 1

    def found(self, asked: np.ndarray, first: Bounds, determined: np.ndarray, whole: bool) -> Found:
        """The asked cells; `first` are the bounds before anything was found."""
        path = np.where(determined, BY_ELIMINATION, self.path)[asked].astype(np.int8)
        moved = (self.outer[0] > first[0]) | (self.outer[1] < first[1])
        path[(path == BY_BOUNDS) & moved[asked]] = BY_NARROWING
        told = [np.clip(each[asked], -1, NO_BOUND) for each in (*self.outer, *self.seen)]
        if whole:
            told = [np.rint(each).astype(np.int64) for each in told]
        figures = {name: int((path == number).sum()) for number, name in enumerate(PATHS)} | dict(self.tally)
        return Found(lo=told[0], hi=told[1], seen_lo=told[2], seen_hi=told[3], path=path, figures=figures)
