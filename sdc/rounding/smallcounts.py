"""Small-count rounding: only small finest cells change, to 0 or to the base, and everything is added up from them.

With base b and max_round (b - 1 unless said otherwise), a finest cell x that
stands in a published cell of 1 … max_round, and is no multiple of b and at most
max_round itself, becomes b·floor(x / b) or that plus b; all others stay as they
are.  All sums are added up from the finest cells, so that the published table is
that of edited records: additive in every direction, for every table counted
from the same finest cells.  About (sum of the remainders) / b cells are raised,
and which ones is chosen so that sums stay near their true values
(`sdc.rounding.forward`).  Nothing bounds the error of a sum by itself.

**A share by chance.**  A choice by rule can be run backwards: of two cells the
larger is raised, so that (0, 5) proves the first to be at most 3.  So each cell
that is to be rounded is, with probability `share`, drawn by itself: raised with
probability (x mod b) / b.  As every one of them may be drawn so, no pattern of 0
and b excludes any small counts behind it.  A share of 0 is the textbook's
method.

Source: Ø. Langsrud and J. Heldal, "An algorithm for small count rounding of
tabular data", Privacy in Statistical Databases, Valencia 2018; parameters as in
the R package SmallCountRounding.
"""

from dataclasses import dataclass

import numpy as np

from common.keys import sip_key
from common.progress import SILENT, Progress
from sdc.attack.elimination import find_blocks, find_classes
from sdc.figures import figures_of
from sdc.rounding.bases import check_base
from sdc.rounding.branching import branch
from sdc.rounding.flight import keyed_chances
from sdc.rounding.forward import CANDIDATE, RAISED, forward_flat, forward_tree
from sdc.rounding.inner import finest_cells, parts_of, system_figures
from sdc.system import CellSystem
from sdc.tables import SMALL_COUNTS, Method, SafeTable, Table, sum_up

__all__ = ["SmallCountReport", "SmallCountRounding", "protect_small_counts", "round_small_counts"]

MOST_CHILDREN = 16


@dataclass(frozen=True, kw_only=True)
class SmallCountRounding:
    """What is asked of small-count rounding.

    Attributes
    ----------
    base : rounding base b, at least `min_count`.
    min_count : smallest non-zero count that may be told; a true count x with
        1 <= x <= min_count - 1 is *small*.
    max_round : largest finest count that is rounded, at least b - 1; None for b - 1.
    share : share of the cells to be rounded that are drawn by chance, 0 to 1; may be told.
    zeros : whether finest cells that are multiples of b (0 among them) and stand
        in a published cell of 1 … max_round may be raised as well.
    identify_new : whether to go on where published cells have become small by rounding others.
    reveal_check : whether to round small finest cells that are not published but
        follow from those that are.

    The last two matter only where some finest cells are not published.
    """

    base: int = 5
    min_count: int = 5
    max_round: int | None = None
    share: float = 0.25
    zeros: bool = False
    identify_new: bool = True
    reveal_check: bool = True

    def __post_init__(self) -> None:
        check_base(self.base, self.min_count)
        if not 0 <= self.share <= 1:
            raise ValueError(f"share ({self.share}) must be between 0 and 1")
        if self.max_round is not None and self.max_round < self.base - 1:
            raise ValueError(f"max_round ({self.max_round}) must be at least base - 1 ({self.base - 1})")

    @property
    def largest(self) -> int:
        """Largest finest count that is rounded."""
        return self.base - 1 if self.max_round is None else self.max_round

    def told(self) -> Method:
        """What may be told of it."""
        return Method(
            name=SMALL_COUNTS,
            base=self.base,
            min_count=self.min_count,
            share=self.share,
            max_round=self.largest,
            zeros=self.zeros,
        )

    def may_round(self, counts: np.ndarray) -> np.ndarray:
        """Finest counts that are rounded where they stand in a small published cell: bool."""
        return (counts <= self.largest) & ((counts % self.base > 0) | self.zeros)

    def is_small(self, counts: np.ndarray) -> np.ndarray:
        """Published counts whose finest cells are rounded: 1 … max_round, bool."""
        return (counts >= 1) & (counts <= self.largest)


@dataclass(frozen=True, kw_only=True)
class SmallCountReport:
    """How it went: for the reviewer, never for the public.

    Attributes
    ----------
    path : "forward search in the tree" or "forward search".
    candidates, raised : finest cells that were rounded, and how many of them upwards.
    chance : of the candidates, how many were drawn by chance.
    exchanges : of raised cells, in the search.
    rounds : searches, one after another.
    loss : Σ |r - x| over all published cells; `largest`, the largest |r - x|.
    """

    path: str
    candidates: int
    raised: int
    chance: int
    exchanges: int
    rounds: int
    loss: int
    largest: int


def protect_small_counts(
    table: Table, *, spec: SmallCountRounding, key: bytes, progress: Progress = SILENT
) -> tuple[SafeTable, SmallCountReport]:
    """Round the small finest cells of a table, all of whose cells are published.

    Work is about (cells rounded upwards) × (levels) × `MOST_CHILDREN` × (categories).

    Returns the safe table, method ``small-count-rounding``, and how it went.
    """
    progress.step("choosing cells")
    categories = max(len(table.classification), 1)
    finest = table.counts[0][:, :categories]
    figures = figures_of(table, key).hashes[0][:, :categories]
    # Published itself, a finest cell is small; a multiple of the base is in question where one of its sums is small.
    chosen = spec.may_round(finest) & (spec.is_small(finest) | _in_small_sum(table, spec, categories))
    draws = _draws(spec, key, figures[chosen], finest[chosen])
    remainders = np.where(chosen, finest % spec.base, 0)
    rounded = finest.copy()
    rounded[chosen] += np.where(draws.raised, spec.base, 0) - finest[chosen] % spec.base
    state = np.zeros(finest.shape, np.int8)
    state[chosen] = np.where(draws.chance, 0, CANDIDATE)
    left = state == CANDIDATE
    # What is to be made good: the remainders of the cells that are left, and the errors of those drawn by chance.
    owed = np.where(left, remainders, finest - rounded)
    number = _number(int(owed.sum()), int(left.sum()), spec.base)
    residual = np.concatenate(sum_up(table.hierarchy, _with_total(owed, len(table.classification))))
    ranks = np.zeros(finest.shape, np.uint64)
    ranks[chosen] = draws.ranks
    exchanges = forward_tree(branch(table.hierarchy, MOST_CHILDREN), state, residual, ranks, spec.base, number)
    rounded[state == RAISED] += spec.base
    values = sum_up(table.hierarchy, _with_total(rounded, len(table.classification)))
    safe = SafeTable(
        hierarchy=table.hierarchy,
        classification=table.classification,
        values=values,
        method=spec.told(),
    )
    errors = [np.abs(v - x) for v, x in zip(values, table.counts, strict=True)]
    report = SmallCountReport(
        path="forward search in the tree",
        candidates=int(chosen.sum()),
        raised=int((rounded > finest).sum()),
        chance=int(draws.chance.sum()),
        exchanges=int(exchanges),
        rounds=1,
        loss=int(sum(error.sum() for error in errors)),
        largest=int(max(error.max() for error in errors)),
    )
    return safe, report


def round_small_counts(
    system: CellSystem, *, spec: SmallCountRounding, key: bytes, figures: np.ndarray | None = None
) -> tuple[np.ndarray, SmallCountReport]:
    """Round the small finest cells of a system, some of whose cells need not be published.

    Looks at every candidate for each cell it raises: for some ten thousand candidates.

    Parameters
    ----------
    figures : uint64 of shape (n,), the keyed hash of each cell's figure; None for that of its identity and count.

    Returns
    -------
    The value of every cell, published or not, int64 of shape (n,), and how it went.

    Raises
    ------
    ValueError
        Cells are not sums of the same finest cells throughout (`sdc.rounding.inner.parts_of`).
    """
    finest, parts = finest_cells(system), parts_of(system)
    figures = system_figures(system, key) if figures is None else figures
    shown = np.flatnonzero(system.shown)
    inside = _Inside(finest, [parts[cell] for cell in shown.tolist()], len(system))
    exact, current = system.counts[finest], system.counts[finest].copy()
    done = np.zeros(len(finest), np.bool_)
    drawn, exchanges, rounds = 0, 0, 0
    while True:
        published = inside.sums(current)
        wanted = _wanted(system, spec, inside, exact, current, published, parts, rounds == 0)
        if not wanted.any():
            break
        chosen = np.flatnonzero(wanted)
        draws = _draws(spec, key, figures[finest[chosen]], current[chosen], rounds)
        remainders = current[chosen] % spec.base
        floor = current[chosen] - remainders
        current[chosen] = np.where(draws.chance, floor + spec.base * draws.raised, floor)
        left = chosen[~draws.chance]
        number = _number(int(exact.sum() - current.sum()), len(left), spec.base)
        starts, cells = inside.of(left)
        residual = inside.sums(exact) - inside.sums(current)
        raised, used = forward_flat(starts, cells, residual, draws.ranks[~draws.chance], spec.base, number)
        current[left[raised]] += spec.base
        done |= wanted
        drawn, exchanges, rounds = drawn + int(draws.chance.sum()), exchanges + int(used), rounds + 1
    values = np.array([current[np.searchsorted(finest, parts[cell])].sum() for cell in range(len(system))])
    error = np.abs(values - system.counts)[shown]
    report = SmallCountReport(
        path="forward search",
        candidates=int(done.sum()),
        raised=int((current > exact).sum()),
        chance=drawn,
        exchanges=exchanges,
        rounds=rounds,
        loss=int(error.sum()),
        largest=int(error.max(initial=0)),
    )
    return values, report


@dataclass(frozen=True, kw_only=True, eq=False)
class _Draws:
    """The key's part: who is drawn by chance, who of these is raised, and who goes first among equals."""

    chance: np.ndarray
    raised: np.ndarray
    ranks: np.ndarray


def _draws(spec: SmallCountRounding, key: bytes, figures: np.ndarray, counts: np.ndarray, tag: int = 0) -> _Draws:
    secret = sip_key(key, "small counts")
    by_chance, up, ranks = (keyed_chances(secret, figures, 3 * tag + each) for each in range(3))
    chance = by_chance < spec.share
    return _Draws(
        chance=chance, raised=chance & (up * spec.base < counts % spec.base), ranks=(ranks * 2.0**53).astype(np.uint64)
    )


def _number(owed: int, candidates: int, base: int) -> int:
    """How many candidates to raise: what is owed in bases, to the nearest whole number."""
    return min(max((2 * owed + base) // (2 * base), 0), candidates)


def _with_total(finest: np.ndarray, categories: int) -> np.ndarray:
    return np.column_stack([finest, finest.sum(axis=1)]) if categories else finest


def _in_small_sum(table: Table, spec: SmallCountRounding, categories: int) -> np.ndarray:
    """Whether a finest cell stands in a published sum of 1 … max_round: bool of shape (smallest areas, categories)."""
    found = np.zeros((len(table.counts[0]), categories), np.bool_)
    for level, counts in enumerate(table.counts):
        small = spec.is_small(counts)[table.hierarchy.ancestors(0, level)]
        found |= small[:, :categories] | small[:, -1:]
    return found


class _Inside:
    """Which published cells each finest cell stands in, by position among both."""

    def __init__(self, finest: np.ndarray, parts: list[np.ndarray], size: int) -> None:
        position = np.full(size, -1)
        position[finest] = np.arange(len(finest))
        self._members = position[np.concatenate([np.empty(0, np.int64), *parts])]
        self._cells = np.repeat(np.arange(len(parts)), [len(each) for each in parts])
        self._number = len(parts)
        order = np.argsort(self._members, kind="stable")
        self._by_member = self._cells[order]
        self._starts = np.concatenate([[0], np.cumsum(np.bincount(self._members, minlength=len(finest)))])

    def sums(self, values: np.ndarray) -> np.ndarray:
        """Published cells from the finest: int64 of shape (published cells,)."""
        sums = np.zeros(self._number, np.int64)
        np.add.at(sums, self._cells, values[self._members])
        return sums

    def touched(self, published: np.ndarray) -> np.ndarray:
        """Finest cells that stand in one of these published cells (bool): bool."""
        found = np.zeros(len(self._starts) - 1, np.bool_)
        found[self._members[published[self._cells]]] = True
        return found

    def of(self, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Compressed rows: the published cells that each of these finest cells stands in."""
        parts = [self._by_member[self._starts[each] : self._starts[each + 1]] for each in chosen.tolist()]
        starts = np.concatenate([[0], np.cumsum([len(each) for each in parts])]).astype(np.int64)
        return starts, np.concatenate([np.empty(0, np.int64), *parts])


def _wanted(
    system: CellSystem,
    spec: SmallCountRounding,
    inside: _Inside,
    exact: np.ndarray,
    current: np.ndarray,
    published: np.ndarray,
    parts: tuple[np.ndarray, ...],
    first: bool,
) -> np.ndarray:
    """Finest cells to be rounded next: bool."""
    open_still = (current <= spec.largest) & (current % spec.base > 0)
    wanted = np.zeros(len(current), np.bool_)
    if first:
        wanted |= inside.touched(spec.is_small(published)) & spec.may_round(current)
    elif spec.identify_new:
        wanted |= inside.touched(spec.is_small(published) & (published % spec.base > 0)) & open_still
    if spec.reveal_check and not wanted.any():
        wanted |= _revealed(system, inside, current, parts) & open_still
    return wanted


def _revealed(system: CellSystem, inside: _Inside, current: np.ndarray, parts: tuple[np.ndarray, ...]) -> np.ndarray:
    """Finest cells that follow from the published values: bool; by exact elimination, all that are in a shown 0 being 0."""
    finest = finest_cells(system)
    values = np.array([current[np.searchsorted(finest, parts[cell])].sum() for cell in range(len(system))])
    low, high = np.where(system.shown, values, 0), np.where(system.shown, values, np.iinfo(np.int32).max)
    high[finest[inside.touched(inside.sums(current) == 0)]] = 0
    found = low[finest] == high[finest]
    for block in find_blocks(system.equations, low, high, ~system.shown):
        classes = find_classes(block)
        if classes is not None:
            found[np.isin(finest, block.cells[classes.slope == 0])] = True
    return found
