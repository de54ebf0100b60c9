"""Which published tables say something of each other: they count the same, or what a relation ties, where areas meet."""

from collections.abc import Mapping, Sequence

import numpy as np

from sdc.attack.joint import AREAS, Flow, Within
from sdc.attack.overlaps import Overlap, overlap_of_trees
from sdc.attack.pieces import Piece
from sdc.differencing.revisions import Revision
from sdc.tables import Hierarchy

__all__ = ["related_sets", "same_tree"]


def related_sets(
    pieces: Sequence[Piece],
    *,
    overlaps: Mapping[str, Overlap],
    within: Sequence[Within] = (),
    flows: Sequence[Flow] = (),
    revisions: Sequence[Revision] = (),
) -> list[list[int]]:
    """Tables that say something of each other, directly or through others: numbers, in the order given."""
    ties = [{one.parts, one.whole} for one in within]
    ties += [set(one.measures) for one in flows]
    ties += [{one.before, one.after} for one in revisions]
    of = list(range(len(pieces)))
    for second, two in enumerate(pieces):
        for first, one in enumerate(pieces[:second]):
            counted = one.measure == two.measure or any({one.measure, two.measure} <= tie for tie in ties)
            if counted and of[first] != of[second] and _meet(one, two, overlaps):
                old, new = max(of[first], of[second]), min(of[first], of[second])
                of = [new if each == old else each for each in of]
    return [[k for k, each in enumerate(of) if each == name] for name in dict.fromkeys(of)]


def _meet(one: Piece, two: Piece, overlaps: Mapping[str, Overlap]) -> bool:
    """Whether the areas of two tables are known to lie on each other."""
    first, second = one.axes[0].hierarchy, two.axes[0].hierarchy
    if set(first.levels) & set(second.levels):
        return any(
            len(np.intersect1d(first.codes[first.levels.index(level)], second.codes[second.levels.index(level)]))
            for level in set(first.levels) & set(second.levels)
        )
    if overlap_of_trees([first, second]) is not None:
        return True
    areas = overlaps.get(AREAS)
    return areas is not None and all(areas.division_of(piece.axes[0]) is not None for piece in (one, two))


def same_tree(one: Hierarchy, other: Hierarchy) -> bool:
    """Whether two area trees have the same levels, areas and nesting."""
    return one is other or (
        one.levels == other.levels
        and all(np.array_equal(a, b) for a, b in zip(one.codes, other.codes, strict=True))
        and all(np.array_equal(a, b) for a, b in zip(one.parents, other.parents, strict=True))
    )
