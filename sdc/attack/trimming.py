"""Area trees without the levels below the smallest that is told: nobody publishes them, nothing is lost with them.

What those levels say of how two geographies lie on each other is kept as an overlap.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from sdc.attack.intervals import NO_BOUND
from sdc.attack.joint import AREAS
from sdc.attack.overlaps import Overlap, overlap_of_trees
from sdc.attack.pieces import Piece
from sdc.cube import Axis
from sdc.tables import NOT_PUBLISHED, Hierarchy

__all__ = ["cut_below", "trimmed"]


def trimmed(pieces: Sequence[Piece], overlaps: Mapping[str, Overlap]) -> tuple[list[Piece], dict[str, Overlap]]:
    """The pieces over the levels that they tell, and the overlaps with a division for each of their smallest."""
    cuts = [_told_from(piece) for piece in pieces]
    trees = [piece.axes[0].hierarchy for piece in pieces]
    wanted = {tree.levels[cut] for tree, cut in zip(trees, cuts, strict=True)}
    overlaps = dict(overlaps)
    given = overlaps.get(AREAS)
    if given is not None:
        overlaps[AREAS] = _with_divisions(given, trees, wanted)
    elif len(wanted) > 1:
        found = overlap_of_trees(trees, levels=wanted)
        if found is not None:
            overlaps[AREAS] = found
    return [cut_below(piece, cut) for piece, cut in zip(pieces, cuts, strict=True)], overlaps


def _told_from(piece: Piece) -> int:
    """The smallest level of areas of which anything is published or known."""
    axis = piece.axes[0]
    told = (piece.markers != NOT_PUBLISHED) | (piece.lo > 0) | (piece.hi < NO_BOUND)
    rows = told.reshape(len(told), -1).any(axis=1)
    first = int(np.flatnonzero(rows)[0]) if rows.any() else 0
    return int(np.searchsorted(axis.starts, first, side="right")) - 1


def cut_below(piece: Piece, level: int) -> Piece:
    """The piece without the levels of areas below this one."""
    if level == 0:
        return piece
    axis = piece.axes[0]
    tree = axis.hierarchy
    upper = Hierarchy(levels=tree.levels[level:], codes=tree.codes[level:], parents=tree.parents[level:])
    first = int(axis.starts[level])
    truth = piece.truth
    if truth is not None:
        summed = np.zeros((tree.units[level], *truth.shape[1:]), np.int64)
        np.add.at(summed, tree.ancestors(0, level), truth)
        truth = summed
    return replace(
        piece,
        axes=(Axis(hierarchy=upper, total=axis.total), *piece.axes[1:]),
        values=piece.values[first:],
        markers=piece.markers[first:],
        lo=piece.lo[first:],
        hi=piece.hi[first:],
        truth=truth,
    )


def _with_divisions(given: Overlap, trees: Sequence[Hierarchy], wanted: set[str]) -> Overlap:
    """An overlap with the divisions of larger areas too, as the trees nest its own in them."""
    divisions = {name: np.asarray(codes, np.str_) for name, codes in given.divisions.items()}
    for tree in trees:
        known = [level for level in tree.levels if level in divisions]
        for level in sorted(wanted & set(tree.levels) - set(divisions)):
            if not known:
                continue
            below, above = tree.levels.index(known[0]), tree.levels.index(level)
            if below > above:
                continue
            own = tree.codes[below]
            place = np.minimum(np.searchsorted(own, divisions[known[0]]), len(own) - 1)
            inside = own[place] == divisions[known[0]]
            divisions[level] = np.where(inside, tree.codes[above][tree.ancestors(below, above)][place], "")
    told = {name: codes for name, codes in divisions.items() if name in wanted}
    return Overlap.of(told) if told else given
