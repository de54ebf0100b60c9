"""Two-way bounds propagation: what the sums of a table say about its cells.

For every sum T = k1 + k2 + … (a total over its categories, a parent over its
children) each side narrows the other:

    T   in [max(T.lo, Σ lo),  min(T.hi, Σ hi)]
    k_i in [max(lo_i, T.lo - Σ_{j≠i} hi_j),  min(hi_i, T.hi - Σ_{j≠i} lo_j)]

up and down the tree until nothing changes.  Sound everywhere; exact on a single
tree; not exact on area tree × classification (`sdc.attack.maxflow` is).  Work
is proportional to cells for each sweep; a handful of sweeps is usual.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sdc.attack.intervals import NO_BOUND, Intervals
from sdc.tables import Hierarchy

__all__ = ["Contradiction", "Propagated", "propagate"]

# Bounds that creep by one a sweep (possible only without upper bounds) stop here: the result is sound at any time.
MOST_SWEEPS = 200

Add = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True, kw_only=True)
class Contradiction:
    """A sum that no true table can meet.

    The whole is the cell (`level`, `unit`, `column`); its parts are its child
    areas, or its categories where `over` is ``categories``.  `whole` and
    `parts` are the bounds that do not meet: of the cell, and of its parts added up.
    """

    level: int
    unit: int
    column: int
    over: str
    whole: tuple[int, int]
    parts: tuple[int, int]


@dataclass(frozen=True, kw_only=True, eq=False)
class Propagated:
    """Narrowed intervals, or the first contradiction met (then `intervals` is as far as it came).

    `settled` is False where bounds were still moving when the sweeps ended.
    """

    intervals: Intervals
    contradiction: Contradiction | None
    sweeps: int
    settled: bool


def propagate(hierarchy: Hierarchy, stated: Intervals) -> Propagated:
    """Narrow `stated` by every sum of area tree × classification, to a fixed point.

    `stated` must not be empty anywhere (lo <= hi).
    """
    bounds = stated.copied()
    sums = _sums(hierarchy, bounds)
    changes = [0] * len(hierarchy.levels)  # how often each level has changed
    seen: list[tuple[int, ...]] = [()] * len(sums)
    for sweep in range(1, MOST_SWEEPS + 1):
        before = list(changes)
        for index in (*range(len(sums)), *reversed(range(len(sums)))):
            each = sums[index]
            if seen[index] == tuple(changes[level] for level in each.levels):
                continue
            found = each.narrow(changes)
            if found is not None:
                return Propagated(intervals=bounds, contradiction=found, sweeps=sweep, settled=True)
            seen[index] = tuple(changes[level] for level in each.levels)
        if changes == before:
            return Propagated(intervals=bounds, contradiction=None, sweeps=sweep, settled=True)
    return Propagated(intervals=bounds, contradiction=None, sweeps=MOST_SWEEPS, settled=False)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Sums:
    """All sums of one kind at one level: wholes, parts, and how parts are added up."""

    levels: tuple[int, ...]
    over: str
    whole_lo: np.ndarray
    whole_hi: np.ndarray
    part_lo: np.ndarray
    part_hi: np.ndarray
    add: Add
    spread: Add

    def narrow(self, changes: list[int]) -> Contradiction | None:
        """Narrow wholes and parts in place, once; count what changed in `changes`."""
        unbounded = self.part_hi >= NO_BOUND
        any_unbounded = bool(unbounded.any())
        bounded_hi = np.where(unbounded, 0, self.part_hi) if any_unbounded else self.part_hi
        sum_lo, sum_hi = self.add(self.part_lo), self.add(bounded_hi)
        open_parts = self.add(unbounded.astype(np.int64)) if any_unbounded else None
        top = sum_hi if open_parts is None else np.where(open_parts > 0, NO_BOUND, sum_hi)
        lo, hi = np.maximum(self.whole_lo, sum_lo), np.minimum(self.whole_hi, top)
        if (lo > hi).any():
            return self._contradiction(lo > hi, sum_lo, top)
        changed_whole = _write(self.whole_lo, lo) | _write(self.whole_hi, hi)
        least = self.spread(lo - sum_hi) + bounded_hi
        if open_parts is not None:
            least = np.where(self.spread(open_parts) > unbounded, 0, least)
        most = self.spread(hi - sum_lo) + self.part_lo
        most = np.where(self.spread(hi) >= NO_BOUND, NO_BOUND, most)
        changed_part = _write(self.part_lo, np.maximum(self.part_lo, least))
        changed_part |= _write(self.part_hi, np.minimum(self.part_hi, most))
        changes[self.levels[0]] += changed_part
        changes[self.levels[-1]] += changed_whole
        return None

    def _contradiction(self, clash: np.ndarray, sum_lo: np.ndarray, sum_hi: np.ndarray) -> Contradiction:
        unit, column = (int(index) for index in np.argwhere(clash)[0])
        whole = (int(self.whole_lo[unit, column]), int(self.whole_hi[unit, column]))
        parts = (int(sum_lo[unit, column]), int(sum_hi[unit, column]))
        told = -1 if self.over == "categories" else column
        return Contradiction(level=self.levels[-1], unit=unit, column=told, over=self.over, whole=whole, parts=parts)


def _write(old: np.ndarray, new: np.ndarray) -> bool:
    if np.array_equal(old, new):
        return False
    old[...] = new
    return True


def _sums(hierarchy: Hierarchy, bounds: Intervals) -> list[_Sums]:
    """Every sum of the table, from the smallest areas upward, as views into `bounds`."""
    sums: list[_Sums] = []
    for level, (lo, hi) in enumerate(zip(bounds.lo, bounds.hi, strict=True)):
        if lo.shape[1] > 1:
            sums.append(_over_categories(level, lo, hi))
        if level < len(hierarchy.parents):
            sums.append(_over_areas(level, hierarchy.parents[level], bounds))
    return sums


def _over_categories(level: int, lo: np.ndarray, hi: np.ndarray) -> _Sums:
    return _Sums(
        levels=(level,),
        over="categories",
        whole_lo=lo[:, -1:],
        whole_hi=hi[:, -1:],
        part_lo=lo[:, :-1],
        part_hi=hi[:, :-1],
        add=lambda parts: parts.sum(axis=1, keepdims=True),
        spread=lambda whole: whole,
    )


def _over_areas(level: int, parents: np.ndarray, bounds: Intervals) -> _Sums:
    order = np.argsort(parents, kind="stable")
    starts = np.searchsorted(parents[order], np.arange(bounds.lo[level + 1].shape[0]))
    in_order = bool(np.all(order[:-1] < order[1:]))
    return _Sums(
        levels=(level, level + 1),
        over="areas",
        whole_lo=bounds.lo[level + 1],
        whole_hi=bounds.hi[level + 1],
        part_lo=bounds.lo[level],
        part_hi=bounds.hi[level],
        add=lambda parts: np.add.reduceat(parts if in_order else parts[order], starts, axis=0),
        spread=lambda whole: whole[parents],
    )
