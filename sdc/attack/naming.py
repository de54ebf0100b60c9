"""What to call a figure of the joint system: as the table that tells of it does."""

from collections.abc import Sequence

import numpy as np

from sdc.attack.intervals import NO_BOUND
from sdc.attack.joint import Joint
from sdc.attack.listing import several
from sdc.attack.pieces import Piece
from sdc.attack.programmes import stated_bounds
from sdc.attack.witness import leaving, shown_text
from sdc.cube import CubeNames
from sdc.system import SafeCells
from sdc.tables import NOT_PUBLISHED, SMALL_COUNTS

__all__ = ["figure_name", "figure_shown"]


def figure_name(joint: Joint, pieces: Sequence[Piece], cell: int) -> str:
    """Level and code of the area, then the other codes; what no table tells of is called by its atoms.

    An area that no other division cuts is itself an atom, and would else be called that.
    """
    teller = int(joint.teller[cell])
    if teller < 0:
        return joint.system.name(cell)
    place = int(np.flatnonzero(joint.places[teller].ravel() == cell)[0])
    axes = pieces[teller].axes
    shape = joint.places[teller].shape
    return str(CubeNames(axes, np.arange(joint.places[teller].size), shape)[place])


def figure_shown(joint: Joint, pieces: Sequence[Piece], cell: int) -> str:
    """What tables show of a cell, and that this leaves what follows."""
    seen: dict[str, list[str]] = {}
    lo, hi, own = 0, NO_BOUND, True
    for piece, place in zip(pieces, joint.places, strict=True):
        at = np.flatnonzero((place.ravel() == cell) & (piece.markers.ravel() != NOT_PUBLISHED))
        if not len(at):
            continue
        values, markers = piece.values.ravel()[at], piece.markers.ravel()[at]
        for value, marker in zip(values.tolist(), markers.tolist(), strict=True):
            seen.setdefault(shown_text(value, marker), []).append(piece.name)
        least, most = stated_bounds(SafeCells(values=values, markers=markers, method=piece.method))
        lo, hi = max(lo, int(least.max())), min(hi, int(most.min()))
        own &= piece.method.name != SMALL_COUNTS  # how far one of these reaches, its place in the table says too
    told = [
        text if len(seen) == 1 else f"{text} in {several(list(dict.fromkeys(names)))}" for text, names in seen.items()
    ]
    return leaving(told, alone=bool(seen) and (not own or (lo, hi) == (int(joint.lo[cell]), int(joint.hi[cell]))))
