"""One published table as a joint attack takes it: places on axes, and what is known of the figure at each.

A *piece* may be a table of an area tree by one flat classification, or a cube with
several margins or nests.  Its axes are those of `sdc.cube`, the nest of areas first.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sdc.attack.intervals import NO_BOUND, Intervals, stated_intervals
from sdc.attack.programmes import stated_bounds
from sdc.cube import Axis, Cube, finest_and_total, flat_axis
from sdc.system import SafeCells
from sdc.tables import NOT_PUBLISHED, STRUCTURAL, Method, SafeTable, Table

__all__ = ["Piece", "piece_of_cells", "piece_of_table"]

Margins = tuple[frozenset[str], ...]
Bounds = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True, kw_only=True, eq=False)
class Piece:
    """A published table; arrays are of the axes' shape, a place for every unit of every level and every total.

    Attributes
    ----------
    name : what findings call it.
    measure : what is counted, and when; figures of two pieces can be the same only where it is.
    axes, margins : see `sdc.cube.Cube`; the first axis is that of the areas.
    values, markers : what is published at each place, `NOT_PUBLISHED` where nothing is.
    lo, hi : int64, what the value or marker and all else that is known say of the count.
    truth : int64 of the shape of the smallest units of each axis; None for an outsider.
    """

    name: str
    measure: str
    axes: tuple[Axis, ...]
    margins: Margins
    values: np.ndarray
    markers: np.ndarray
    lo: np.ndarray
    hi: np.ndarray
    method: Method
    truth: np.ndarray | None = None

    def __post_init__(self) -> None:
        shape = tuple(int(axis.starts[-1]) for axis in self.axes)
        if any(array.shape != shape for array in (self.values, self.markers, self.lo, self.hi)):
            raise ValueError(f"values, markers, lo and hi must be of shape {shape}")
        if self.truth is not None and self.truth.shape != tuple(axis.sizes[0] for axis in self.axes):
            raise ValueError("truth must give one count for every smallest unit of each axis")

    @property
    def dimensions(self) -> tuple[str, ...]:
        """The names of all axes but the areas'."""
        return tuple(axis.name for axis in self.axes[1:])


def piece_of_table(
    name: str,
    safe: SafeTable,
    *,
    measure: str = "",
    known: Intervals | None = None,
    truth: Table | None = None,
) -> Piece:
    """A table of an area tree by one classification as a piece: an axis for each of its dimensions.

    Combinations of codes that the classification has not are taken as empty.
    """
    own = stated_intervals(safe)
    bounds = own if known is None else own.intersected(known)
    axes = (Axis(hierarchy=safe.hierarchy, total=False), *_flat_axes(safe))
    shape = tuple(int(axis.starts[-1]) for axis in axes)
    spots = _spots(safe, axes)
    margin = np.ones(max(1, int(np.prod(shape[1:]))), np.bool_)
    if spots:
        margin = ~_at_finest(axes).ravel()

    def laid(levels: Sequence[np.ndarray], nowhere: int, unpublished: int) -> np.ndarray:
        """Levels of the table on the axes; what stands at combinations that there are not, and at margins untold."""
        whole = np.empty((shape[0], len(margin)), levels[0].dtype)
        whole[:] = np.where(margin, unpublished, nowhere)
        whole[:, np.ravel_multi_index(spots, shape[1:]) if spots else [0]] = np.concatenate(levels)
        return whole.reshape(shape)

    return Piece(
        name=name,
        measure=measure,
        axes=axes,
        margins=finest_and_total(axes),
        values=laid(safe.values, 0, 0),
        markers=laid(safe.markers, STRUCTURAL, NOT_PUBLISHED),
        lo=laid(bounds.lo, 0, 0),
        hi=laid(bounds.hi, 0, NO_BOUND),
        method=safe.method,
        truth=None if truth is None else _finest(truth, axes, spots),
    )


def piece_of_cells(
    name: str,
    cube: Cube,
    cells: SafeCells,
    *,
    measure: str = "",
    known: Bounds | None = None,
    truth: bool = False,
) -> Piece:
    """Published cells of a cube, in the order of ``cube.system()``, as a piece; `truth` says that its counts are true."""
    lo, hi = stated_bounds(cells)
    if known is not None:
        lo, hi = np.maximum(lo, known[0]), np.minimum(hi, known[1])
    held = cube.numbers() >= 0
    arrays = []
    for array, empty in ((cells.values, 0), (cells.markers, NOT_PUBLISHED), (lo, 0), (hi, NO_BOUND)):
        whole = np.full(cube.shape, empty, array.dtype)
        whole[held] = array
        arrays.append(whole)
    return Piece(
        name=name,
        measure=measure,
        axes=cube.axes,
        margins=cube.margins,
        values=arrays[0],
        markers=arrays[1],
        lo=arrays[2],
        hi=arrays[3],
        method=cells.method,
        truth=cube.finest if truth else None,
    )


def _flat_axes(safe: SafeTable) -> list[Axis]:
    classification = safe.classification
    return [
        flat_axis(name, sorted({category[at] for category in classification.categories}))
        for at, name in enumerate(classification.dimensions)
    ]


def _spots(safe: SafeTable, axes: Sequence[Axis]) -> tuple[np.ndarray, ...]:
    """The place of each of the table's columns on every flat axis, the total's last."""
    return tuple(
        np.append(
            np.searchsorted(axis.hierarchy.codes[0], [category[at] for category in safe.classification.categories]),
            axis.sizes[0],
        )
        for at, axis in enumerate(axes[1:])
    )


def _at_finest(axes: Sequence[Axis]) -> np.ndarray:
    """Which places of the flat axes are at the total of none of them: bool of their shape."""
    finest = np.zeros(tuple(int(axis.starts[-1]) for axis in axes[1:]), np.bool_)
    finest[tuple(slice(axis.sizes[0]) for axis in axes[1:])] = True
    return finest


def _finest(truth: Table, axes: Sequence[Axis], spots: Sequence[np.ndarray]) -> np.ndarray:
    """The true counts of the smallest areas, on all axes."""
    counts = truth.counts[0]
    finest = np.zeros((len(counts), *(axis.sizes[0] for axis in axes[1:])), np.int64)
    if not spots:
        return np.ascontiguousarray(counts[:, 0])
    here: tuple[slice | np.ndarray, ...] = (slice(None), *(spot[:-1] for spot in spots))
    finest[here] = counts[:, :-1]
    return finest
