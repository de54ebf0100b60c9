"""What to call a figure of the joint system: as the table that tells of it does."""

from collections.abc import Sequence

import numpy as np

from sdc.attack.joint import Joint
from sdc.attack.pieces import Piece
from sdc.cube import CubeNames

__all__ = ["figure_name"]


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
