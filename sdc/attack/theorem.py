"""When additivity adds nothing: the conditions under which each cell's own interval is exact.

**Theorem** (methods 4.2).  Published values r, multiples of b at least 0, each
within b of its true count; r itself extends to a non-negative table of the
finest cells whose entries are multiples of b; and nothing else is known.  Then
the feasibility interval of every cell, given all published values together, is
[max(0, r - b + 1), r + b - 1].

*Proof.*  r is itself a possible true table.  Upper end: raise one finest cell
below the cell by b - 1, and with it everything that contains it: every cell
stays within b - 1 of its published value.  Lower end: for r = 0 it is reached
by r; for r >= b some finest cell below it holds at least b; lower that one by
b - 1, and with it everything that contains it.

**Corollary** (insiders, b >= 3).  Somebody who knows that their own finest cell
f holds at least one learns no other cell exactly, and what remains of f and of
everything that contains it has an interval with 0 or a value >= b in it, at most one narrower.
*Proof.*  Start from r, with f and all that contains it raised by one where
r_f = 0.  Another finest cell can still be raised by b - 2 >= 1, so that no cell
outside f's own is certain.  For a cell g that contains f: raising f from r by
b - 1 leaves r_g + b - 2 others; if r_g = 0, f alone leaves 0; so the remainder
spans at least b - 2 and holds 0 (r_g = 0) or r_g + b - 2 >= b (r_g >= b >= 2).
The same holds for a lone claimant, who knows that f is exactly one: then r_f is
0 or b, and in the latter case f and all that contains it start b - 1 lower.

Tables of one area tree with equal totals and no dimension in common extend to a
joint table of the finest cells, area by area: cells of two margins with equal
sums can always be filled, in steps of b.  The code checks every condition and
says which one fails; it assumes none.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from sdc.attack.intervals import Intervals, impossible_values, shown_values, stated_intervals
from sdc.system import Equations, SafeCells
from sdc.tables import LOW, SHOWN, SafeTable, sum_up

__all__ = ["Conditions", "check_cells", "check_conditions"]


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """Whether the theorem holds for a set of tables, and what stands against it."""

    failing: tuple[str, ...]

    @property
    def hold(self) -> bool:
        """True when every condition holds."""
        return not self.failing


def check_conditions(tables: Mapping[str, SafeTable], known: Mapping[str, Intervals] | None = None) -> Conditions:
    """Check the theorem's conditions for tables over one area tree that count the same records.

    `known` is what else the attacker has, as bounds per table.
    """
    failing = [reason for name, safe in tables.items() for reason in _alone(name, safe)]
    failing += _together(tables)
    for name, bounds in (known or {}).items():
        if name in tables and _says_more(bounds, tables[name]):
            failing.append(f"{name}: more is known of its cells than it tells itself")
    return Conditions(failing=tuple(failing))


def check_cells(equations: Equations, safe: SafeCells, *, finest: np.ndarray) -> Conditions:
    """Check the theorem's conditions for cells of any table whose finest cells (bool per cell) are all published.

    With steps the interval of a cell is [max(0, r - (K + 1)b + 1), r + (K + 1)b - 1], by
    the same proof: a finest cell is raised, or several finest cells are lowered, by so much in all.
    """
    method = safe.method
    failing = []
    if method.name != "controlled-rounding":
        failing.append(f"the method is {method.name}, not controlled rounding")
    elif method.base < method.min_count:
        failing.append("the base is below min_count")
    shown = np.isin(safe.markers, (SHOWN, LOW))
    if not shown[finest].all():
        failing.append("some finest cells show no value")
    if np.any(safe.values[shown] % method.base) or np.any(safe.values < 0):
        failing.append(f"some values are negative or no multiples of {method.base}")
    if equations.residuals(safe.values).any():
        failing.append("some sums are not fulfilled")
    return Conditions(failing=tuple(failing))


def _alone(name: str, safe: SafeTable) -> list[str]:
    if safe.method.name != "controlled-rounding":
        return [f"{name}: the method is {safe.method.name}, not controlled rounding"]
    if safe.method.steps:
        return [f"{name}: values may lie further than the base from their counts"]
    if any(not np.isin(markers, (SHOWN, LOW)).all() for markers in safe.markers):
        return [f"{name}: some cells show no value"]
    if any(wrong.any() for wrong in impossible_values(safe)):
        return [f"{name}: some values are negative or no multiples of {safe.method.base}"]
    values = [value for value, _ in shown_values(safe)]
    reasons = []
    if len(safe.classification) and any(np.any(v[:, :-1].sum(axis=1) != v[:, -1]) for v in values):
        reasons.append(f"{name}: categories do not add up to their totals")
    sums = sum_up(safe.hierarchy, values[0])
    if any(not np.array_equal(above, value) for above, value in zip(sums, values, strict=True)):
        reasons.append(f"{name}: areas do not add up to the areas above")
    return reasons


def _together(tables: Mapping[str, SafeTable]) -> list[str]:
    names = list(tables)
    first = tables[names[0]]
    reasons = []
    dimensions: dict[str, str] = {}
    for name in names:
        safe = tables[name]
        for dimension in safe.classification.dimensions:
            if dimension in dimensions:
                reasons.append(f"{dimensions[dimension]} and {name} both tell of {dimension}")
            dimensions[dimension] = name
        if safe.method.base != first.method.base:
            reasons.append(f"{names[0]} and {name} have different bases")
        pairs = zip(shown_values(first), shown_values(safe), strict=True)
        if any(not np.array_equal(a[0][:, -1], b[0][:, -1]) for a, b in pairs):
            reasons.append(f"{names[0]} and {name} show different totals")
    return reasons


def _says_more(bounds: Intervals, safe: SafeTable) -> bool:
    stated = stated_intervals(safe)
    both = stated.intersected(bounds)
    same = zip((*both.lo, *both.hi), (*stated.lo, *stated.hi), strict=True)
    return any(not np.array_equal(a, b) for a, b in same)
