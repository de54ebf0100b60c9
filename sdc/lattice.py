"""Where the cells of a cube stand, so that changes of the table can be built axis by axis.

Every cell of a cube has a place on every axis (`sdc.cube`), and every place lies
below another: an area in the one above, a category in the total.  Raise the
finest place i of an axis and all places above it, lower a finest place j and all
above *that*: what both have above them stays as it is.  Do the like on every axis
and multiply: all sums of the cube hold, whatever margins are published.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

__all__ = ["Frame", "Lattice", "make_lattice"]


class Frame(NamedTuple):
    """A lattice as compiled code wants it; places are numbered per axis, arrays over places stand axis after axis.

    Attributes
    ----------
    number : int32, the cell at each place of the whole, last axis running fastest; -1 where none is held.
    places : int32 of shape (cells, axes).
    strides : int64 of shape (axes,), what one place more on an axis adds to the place of the whole.
    first : int64 of shape (axes + 1,), where each axis begins in arrays over places.
    above : int32, the place above; -1 at the top.
    begin, leaves : the finest places below or at each place are ``leaves[begin[place]:begin[place + 1]]``.
    """

    number: np.ndarray
    places: np.ndarray
    strides: np.ndarray
    first: np.ndarray
    above: np.ndarray
    begin: np.ndarray
    leaves: np.ndarray


@dataclass(frozen=True, kw_only=True, eq=False)
class Lattice:
    """The axes of a cube and the places of its cells.

    Attributes
    ----------
    frame : arrays; axes in an order that hangs on their names alone.
    axes : names of the axes, in that order.
    """

    frame: Frame
    axes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.frame.places)


def make_lattice(numbers: np.ndarray, axes: Sequence[tuple[str, np.ndarray]]) -> Lattice:
    """A lattice from the cell at each place, and per axis its name and the place above each place (-1 at the top).

    A place that is above none is a finest one.  Axes are put in order of their
    names, so that no search depends on how a table was laid out.

    Raises
    ------
    ValueError
        Shapes differ, or a place is above itself.
    """
    if numbers.shape != tuple(len(above) for _, above in axes):
        raise ValueError("numbers must have one place per place of every axis")
    if any(np.any(above == np.arange(len(above))) for _, above in axes):
        raise ValueError("no place may be above itself")
    order = sorted(range(len(axes)), key=lambda k: axes[k][0])
    turned = np.ascontiguousarray(numbers.transpose(order))
    above = [axes[k][1].astype(np.int32) for k in order]
    held = np.flatnonzero(turned.ravel() >= 0)
    cells = turned.ravel()[held]
    places = np.empty((len(held), len(order)), np.int32)
    places[cells] = np.column_stack(np.unravel_index(held, turned.shape))
    parts = [_leaves_below(each) for each in above]
    begin = np.concatenate([np.concatenate([counts for counts, _ in parts]), [0]]).astype(np.int64)
    return Lattice(
        frame=Frame(
            number=turned.ravel().astype(np.int32),
            places=places,
            strides=np.array([int(np.prod(turned.shape[k + 1 :], dtype=np.int64)) for k in range(turned.ndim)]),
            first=np.concatenate([[0], np.cumsum([len(each) for each in above])]).astype(np.int64),
            above=np.concatenate(above),
            begin=np.cumsum(begin) - begin,
            leaves=np.concatenate([leaves for _, leaves in parts]).astype(np.int32),
        ),
        axes=tuple(axes[k][0] for k in order),
    )


def _leaves_below(above: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How many finest places lie below or at each place of an axis, and which, place after place."""
    finest = np.setdiff1d(np.arange(len(above)), above)
    owners, leaves = [finest], [finest]
    at = above[finest]
    while np.any(at >= 0):
        owners.append(at[at >= 0])
        leaves.append(finest[at >= 0])
        at = np.where(at >= 0, above[np.maximum(at, 0)], -1)
    owner, leaf = np.concatenate(owners), np.concatenate(leaves)
    return np.bincount(owner, minlength=len(above)), leaf[np.lexsort((leaf, owner))]
