"""Whether the theorem on additive rounding (`sdc.attack.theorem`) holds for several tables together.

It asks that published values extend to a non-negative table of the finest cells in
multiples of the base, and that nothing else is known.  Where all finest
cells of the joint system are published they are that table: every other figure has to be
their sum.  So tables of several geographies, of one table's margins, of broad and fine bands are
settled in one pass over the sums.

Tables of different dimensions are margins of a table that nobody publishes, and agree in what they
share.  They are margins of some table in multiples of the base where their dimensions form no *ring*: where
one dimension after the other that only one table has, and one table after the other whose
dimensions another one has, can be taken away until nothing is left (Vorob'ev 1962; Lauritzen, Speed and
Vijayan, "Decomposable graphs and hypergraphs", Journal of the Australian Mathematical Society 36 (1984)).
A × B, B × C and A × C are a ring.  With base 3, all three shown as (0 3 / 3 0), they are margins of
no table, and a cell shown 3 lies in [1, 4], not [1, 5].  So rings are refused.

With K steps a cell's own interval reaches (K + 1)b - 1 up, and as far down as it holds: the
proof is the same, with several finest cells lowered in turn (`sdc.attack.theorem.check_cells`).
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from sdc.attack.intervals import NO_BOUND, reach
from sdc.attack.joint import AREAS, Joint
from sdc.attack.pieces import Piece
from sdc.attack.theorem import Conditions
from sdc.system import Equations
from sdc.tables import LOW, NOT_PUBLISHED, SHOWN

__all__ = ["RING", "check_joint", "in_a_ring"]

RING = "the dimensions of tables form a ring, such as A × B, B × C and A × C: what agrees need not come from one table"


def check_joint(joint: Joint, pieces: Sequence[Piece], *, min_count: int, width: int | None = None) -> Conditions:
    """Check the theorem's conditions for the cells of all pieces together.

    `width` is what hi - lo of a small count's interval must reach, min_count - 1 by default: of a cell shown 0 that is
    (K + 1)b - 1, whatever else is published.
    """
    failing = [reason for piece in pieces for reason in _alone(piece, min_count)]
    if len({(piece.method.base, piece.method.steps) for piece in pieces}) > 1:
        failing.append("tables have different bases or steps")
    if width is not None and any(width > reach(piece.method)[1] for piece in pieces if not failing):
        failing.append(f"an interval of {width} is more than a value says by itself")
    if in_a_ring(pieces):
        failing.append(RING)
    if failing:
        return Conditions(failing=tuple(failing))
    values, clash = _shown_values(joint, pieces)
    if clash:
        return Conditions(failing=("a figure is shown with two values",))
    equations = joint.system.equations
    if not _one_whole_each(equations):
        return Conditions(failing=("tables are tied by more than sums",))
    finest = np.ones(len(values), np.bool_)
    finest[equations.cells[equations.starts[:-1]]] = False
    if (values[finest] < 0).any():
        return Conditions(failing=("some finest cells show no value",))
    summed = _summed(equations, np.where(finest, values, -1))
    if np.any((values >= 0) & (values != summed)) or (summed < 0).any():
        failing.append("some sums are not fulfilled")
    return Conditions(failing=tuple(failing))


def in_a_ring(pieces: Sequence[Piece]) -> bool:
    """Whether the dimensions of the pieces' margins form a ring, so that margins that agree need be those of no table.

    Levels of areas count as dimensions: areas by A, the same areas by B and larger areas by A × B are a ring.
    """
    codes = [{axis.name: tuple(axis.hierarchy.codes[0].tolist()) for axis in piece.axes[1:]} for piece in pieces]
    # Of unlike lists of one dimension nobody may know how they lie on each other: as one, and as two.
    return any(
        _no_way_out(
            {
                frozenset((name, own[name] if apart else ()) for name in margin)
                | frozenset((AREAS, (level,)) for level in piece.axes[0].hierarchy.levels)
                for piece, own in zip(pieces, codes, strict=True)
                for margin in piece.margins
            }
        )
        for apart in (False, True)
    )


def _no_way_out(told: set[frozenset[tuple[str, tuple[str, ...]]]]) -> bool:
    """Whether sets are left when names that stand in one set, and sets that lie in another, are taken away in turn."""
    left = list(told)
    while True:
        times = Counter(name for each in left for name in each)
        less = {frozenset(name for name in each if times[name] > 1) for each in left}
        kept = [each for each in less if not any(each < other for other in less)]
        if len(kept) <= 1:
            return False
        if set(kept) == set(left):
            return True
        left = kept


def _alone(piece: Piece, min_count: int) -> list[str]:
    method = piece.method
    if method.name != "controlled-rounding":
        return [f"{piece.name}: the method is {method.name}, not controlled rounding"]
    failing = []
    if method.base < min_count:
        failing.append(f"{piece.name}: the base is below min_count")
    told = piece.markers != NOT_PUBLISHED
    shown = (piece.markers == SHOWN) | (piece.markers == LOW)
    if np.any(told & ~shown & (piece.hi > 0)):
        failing.append(f"{piece.name}: some cells show no value")
    below, above = reach(method)
    values = piece.values[shown]
    if np.any(values % method.base) or np.any(values < 0):
        failing.append(f"{piece.name}: some values are negative or no multiples of {method.base}")
    more = (piece.lo[shown] > np.maximum(values - below, 0)) | (piece.hi[shown] < values + above)
    if more.any() or np.any((piece.lo[~told] > 0) | (piece.hi[~told] < NO_BOUND)):
        failing.append(f"{piece.name}: more is known of its cells than it tells itself")
    return failing


def _shown_values(joint: Joint, pieces: Sequence[Piece]) -> tuple[np.ndarray, bool]:
    """The value of each joint cell, -1 where none is shown, and whether two pieces differ."""
    values = np.full(len(joint.system), -1, np.int64)
    clash = False
    for piece, place in zip(pieces, joint.places, strict=True):
        told = (place >= 0) & (piece.markers != NOT_PUBLISHED)
        cells, own = place[told], piece.values[told]
        clash = clash or bool(np.any((values[cells] >= 0) & (values[cells] != own)))
        values[cells] = own
    return values, clash


def _one_whole_each(equations: Equations) -> bool:
    """Whether every equation is a whole and its parts."""
    firsts = np.zeros(len(equations.cells), np.bool_)
    firsts[equations.starts[:-1]] = True
    return bool(np.array_equal(equations.signs > 0, firsts))


def _summed(equations: Equations, values: np.ndarray) -> np.ndarray:
    """Values of all cells as sums of known ones (at least 0); -1 where one is no such sum, or two sums differ."""
    values = values.copy()
    wholes, rows = equations.cells[equations.starts[:-1]], equations.rows
    parts = equations.signs < 0
    left = np.ones(len(equations), np.bool_)
    while left.any():
        unknown = np.bincount(rows[parts], values[equations.cells[parts]] < 0, minlength=len(equations))
        ready = left & (unknown == 0)
        if not ready.any():
            return values
        sums = np.bincount(rows[parts], values[equations.cells[parts]], minlength=len(equations)).astype(np.int64)
        values[wholes[ready]] = sums[ready]
        left &= ~ready
    return np.where(_agrees(equations, values), values, -1)


def _agrees(equations: Equations, values: np.ndarray) -> np.ndarray:
    """False for the whole of every sum that does not hold."""
    agrees = np.ones(len(values), np.bool_)
    wrong = equations.residuals(values) != 0
    agrees[equations.cells[equations.starts[:-1]][wrong]] = False
    return agrees
