"""A table as it would stand if one sign did for all cells without a number: what its own signs told is taken back.

In a rounded table what stands for nobody, and for somebody rounded to nobody, is shown as 0 alike; in
any table a sign for nobody is shown as the 0 that it is.  All other signs become one.
"""

from dataclasses import dataclass, replace

import numpy as np

from sdc.attack.intervals import Intervals
from sdc.attack.markers import LOW_SIGN, NOBODY, ROUNDED, Signs, furthest, is_rounded
from sdc.attack.pieces import Piece
from sdc.tables import NOT_AVAILABLE, SHOWN, SUPPRESSED, Method

__all__ = ["Silent", "hides_as", "shown_as_zero", "under_one_sign"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Silent:
    """What is known of a table whose signs say no more than that no number is told.

    Attributes
    ----------
    lo, hi : int64 of the piece's shape, with what its values say.
    known : of the table as a network, what is known besides its values and markers; None where nothing is.
    """

    lo: np.ndarray
    hi: np.ndarray
    known: Intervals | None = None


def hides_as(method: Method) -> int:
    """The marker of a cell without a number: suppressed where figures are as counted, else not available."""
    return SUPPRESSED if method.name in ("exact", "suppression") else NOT_AVAILABLE


def shown_as_zero(piece: Piece, signs: Signs) -> np.ndarray:
    """Flat places whose sign would be shown as 0."""
    return signs.cells(NOBODY, *((ROUNDED, LOW_SIGN) if is_rounded(piece) else ()))


def under_one_sign(piece: Piece, signs: Signs, silent: Silent) -> Piece:
    """The piece with one sign in all cells without a number, and with what is known of it then."""
    zero = shown_as_zero(piece, signs)
    values, markers, lo, hi = (each.ravel().copy() for each in (piece.values, piece.markers, silent.lo, silent.hi))
    markers[signs.places] = hides_as(piece.method)
    markers[zero], values[zero] = SHOWN, 0
    hi[zero] = np.minimum(hi[zero], furthest(piece) if is_rounded(piece) else 0)
    shape = piece.values.shape
    return replace(
        piece,
        values=values.reshape(shape),
        markers=markers.reshape(shape),
        lo=lo.reshape(shape),
        hi=hi.reshape(shape),
    )
