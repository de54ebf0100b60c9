"""A table with several dimensions and several margins: area nest × other nests × flat dimensions.

Every dimension is an *axis*: the units of its smallest level, then those of the
level above, and so on, with the total last where it has one.  A flat dimension
has one level and a total; the nest of areas has levels and no total.  A cell is
one place on every axis.  A *margin* is the set of axes that a table is by, all
others being at their total; which margins are published is part of the cube.

With more than the finest cells and the grand total of several flat axes, or with
two nests, the cube is no network.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np

from sdc.figures import SEPARATOR
from sdc.lattice import make_lattice
from sdc.system import Areas, CellSystem, Equations, add_up, areas_of, identity_words, measure_words, stack
from sdc.tables import TOTAL, Hierarchy, Table

__all__ = ["Axis", "Cube", "all_margins", "cube_of", "finest_and_total", "flat_axis", "one_way_margins"]

# One level of every axis, the total being one past the last.
Levels = tuple[int, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Axis:
    """One dimension: its places are the units of each level, smallest level first, then the total.

    Attributes
    ----------
    hierarchy : the levels.  A flat dimension has one.
    total : whether there is a total above the last level.
    """

    hierarchy: Hierarchy
    total: bool = True

    @property
    def name(self) -> str:
        """The name of the smallest level."""
        return self.hierarchy.levels[0]

    @property
    def sizes(self) -> tuple[int, ...]:
        """Places per level, the total being a level of one place."""
        return (*self.hierarchy.units, 1) if self.total else self.hierarchy.units

    @property
    def starts(self) -> np.ndarray:
        """First place of each level, then the number of places: int64 of shape (levels + 1,)."""
        return np.concatenate([[0], np.cumsum(self.sizes)]).astype(np.int64)

    @property
    def top(self) -> int:
        """The last level: the total where there is one."""
        return len(self.sizes) - 1

    def ancestors(self, below: int, above: int) -> np.ndarray:
        """Index, in level `above`, of each unit of level `below`."""
        if self.total and above == self.top:
            return np.zeros(self.sizes[below], np.int64)
        return self.hierarchy.ancestors(below, above).astype(np.int64)

    def above(self) -> np.ndarray:
        """The place above each place, -1 at the top: int64 of shape (places,)."""
        starts = self.starts
        above = [parents + start for parents, start in zip(self.hierarchy.parents, starts[1:], strict=False)]
        last = self.hierarchy.units[-1]
        top = [np.full(last, starts[-2]), np.array([-1])] if self.total else [np.full(last, -1)]
        return np.concatenate([*above, *top]).astype(np.int64)

    def code(self, place: int) -> tuple[str, str]:
        """Level and code of one place; the total has no level."""
        level = int(np.searchsorted(self.starts, place, side="right")) - 1
        if self.total and level == self.top:
            return "", TOTAL
        return self.hierarchy.levels[level], str(self.hierarchy.codes[level][place - self.starts[level]])

    def words(self) -> np.ndarray:
        """What each place adds to the identity of its cells: uint64 of shape (places, 2)."""
        levels = zip(self.hierarchy.levels, self.hierarchy.codes, strict=True)
        words = [identity_words(name, codes) for name, codes in levels]
        return np.concatenate([*words, np.zeros((int(self.total), 2), np.uint64)])


def flat_axis(name: str, codes: Sequence[str]) -> Axis:
    """A flat dimension with a total; `codes` in any order."""
    return Axis(hierarchy=Hierarchy(levels=(name,), codes=(np.array(sorted(codes)),), parents=()))


def all_margins(axes: Sequence[Axis]) -> tuple[frozenset[str], ...]:
    """Every set of the axes that have a total."""
    names = [axis.name for axis in axes if axis.total]
    return tuple(frozenset(chosen) for k in range(len(names), -1, -1) for chosen in combinations(names, k))


def finest_and_total(axes: Sequence[Axis]) -> tuple[frozenset[str], ...]:
    """All axes with a total, and none."""
    return frozenset(axis.name for axis in axes if axis.total), frozenset()


def one_way_margins(axes: Sequence[Axis]) -> tuple[frozenset[str], ...]:
    """All axes with a total, each by itself, and none."""
    names = [axis.name for axis in axes if axis.total]
    return tuple(dict.fromkeys([frozenset(names), *(frozenset([name]) for name in names), frozenset()]))


@dataclass(frozen=True, kw_only=True, eq=False)
class Cube:
    """Counts over several axes with chosen margins.

    Attributes
    ----------
    axes : the nest of areas first.  Level names must differ.
    finest : int64 of shape (smallest units of each axis); what everything is a sum of.
    margins : sets of axes with a total that are published, `()` for the grand total.
        Axes without total stand in every margin.
    measure : what is counted; two cubes' cells are one figure only where it is the same.

    Raises
    ------
    ValueError
        Names repeat, shapes differ, a count is negative, or a margin names an unknown axis or none is given.
    """

    axes: tuple[Axis, ...]
    finest: np.ndarray
    margins: tuple[frozenset[str], ...]
    measure: str = ""

    def __post_init__(self) -> None:
        levels = [level for axis in self.axes for level in axis.hierarchy.levels]
        if len(set(levels)) != len(levels):
            raise ValueError("every level of every axis must have a name of its own")
        shape = tuple(axis.sizes[0] for axis in self.axes)
        if self.finest.dtype != np.int64 or self.finest.shape != shape:
            raise ValueError(f"finest must be int64 of shape {shape}")
        if self.finest.size and self.finest.min() < 0:
            raise ValueError("counts must be at least 0")
        known = {axis.name for axis in self.axes if axis.total}
        unknown = sorted({name for margin in self.margins for name in margin} - known)
        if unknown or not self.margins:
            raise ValueError(f"margins must be sets of {sorted(known)}, not of {unknown}")

    @classmethod
    def from_cells(
        cls,
        *,
        axes: tuple[Axis, ...],
        places: Sequence[np.ndarray],
        counts: np.ndarray,
        margins: tuple[frozenset[str], ...],
        measure: str = "",
    ) -> "Cube":
        """A cube from its non-zero finest cells: per axis the index of the smallest unit, and the counts, all of one shape.

        Cells that are named twice are added up.
        """
        finest = np.zeros(tuple(axis.sizes[0] for axis in axes), np.int64)
        np.add.at(finest, tuple(places), counts)
        return cls(axes=axes, finest=finest, margins=margins, measure=measure)

    @property
    def shape(self) -> tuple[int, ...]:
        """Places per axis."""
        return tuple(int(axis.starts[-1]) for axis in self.axes)

    def published_levels(self) -> tuple[Levels, ...]:
        """The combinations of levels that are published, smallest first."""
        found: set[Levels] = set()
        for margin in self.margins:
            found.update(product(*(_levels_in(axis, margin) for axis in self.axes)))
        return tuple(sorted(found))

    def held_levels(self) -> tuple[Levels, ...]:
        """The published combinations, and that of the finest cells, which all others are sums of."""
        return tuple(sorted({*self.published_levels(), (0,) * len(self.axes)}))

    def numbers(self) -> np.ndarray:
        """The cell at each place: int64 of `shape`, -1 where none is held.

        Cells are numbered place by place, the last axis running fastest; with
        all margins the number is that of the place in the array.
        """
        held = self._where(self.held_levels())
        return np.where(held, np.cumsum(held).reshape(held.shape) - 1, -1)

    def values(self) -> np.ndarray:
        """The count at each place, published or not: int64 of `shape`."""
        values = self.finest
        for number, axis in enumerate(self.axes):
            values = _sums_along(axis, values, number)
        return values

    def system(self) -> CellSystem:
        """The cube as cells and equations: each sum over the next smaller margins held."""
        held, numbers = self.held_levels(), self.numbers()
        here = numbers >= 0
        size = int(here.sum())
        pairs = [(above, below) for above in held for below in _next_below(above, held)]
        return CellSystem(
            counts=self.values()[here],
            equations=stack(size, [self._sums(numbers, size, above, below) for above, below in pairs]),
            published=self._where(self.published_levels())[here],
            identity=self._identity()[here],
            names=CubeNames(self.axes, np.flatnonzero(here), self.shape),
            areas=self._areas(np.flatnonzero(here)),
            lattice=make_lattice(numbers, [(axis.name, axis.above()) for axis in self.axes]),
        )

    def _areas(self, places: np.ndarray) -> Areas | None:
        """Where the held cells lie, if the first axis is one of areas: it has no total."""
        if self.axes[0].total:
            return None
        return areas_of(self.axes[0].hierarchy, places // int(np.prod(self.shape[1:], dtype=np.int64)))

    def _where(self, levels: Sequence[Levels]) -> np.ndarray:
        """True at the places of these combinations of levels: bool of `shape`."""
        chosen = np.zeros(tuple(len(axis.sizes) for axis in self.axes), np.bool_)
        chosen[tuple(zip(*levels, strict=True))] = True
        level_at = [np.repeat(np.arange(len(axis.sizes)), axis.sizes) for axis in self.axes]
        return chosen[np.ix_(*level_at)]

    def _block(self, levels: Levels) -> tuple[slice, ...]:
        return tuple(
            slice(int(axis.starts[level]), int(axis.starts[level + 1]))
            for axis, level in zip(self.axes, levels, strict=True)
        )

    def _sums(self, numbers: np.ndarray, size: int, above: Levels, below: Levels) -> Equations:
        """Each cell of one block as the sum of the cells of a smaller block inside it."""
        wholes, parts = numbers[self._block(above)], numbers[self._block(below)]
        steps = zip(self.axes, below, above, strict=True)
        group = np.arange(wholes.size).reshape(wholes.shape)[np.ix_(*(axis.ancestors(b, a) for axis, b, a in steps))]
        return add_up(size=size, wholes=wholes.ravel(), parts=parts.ravel(), groups=group.ravel())

    def _identity(self) -> np.ndarray:
        words: np.ndarray = measure_words(self.measure)
        for axis in self.axes:
            words = words[..., None, :] + axis.words()
        return words


def _levels_in(axis: Axis, margin: frozenset[str]) -> range:
    if not axis.total:
        return range(len(axis.sizes))
    return range(axis.top) if axis.name in margin else range(axis.top, axis.top + 1)


def _next_below(above: Levels, held: Sequence[Levels]) -> list[Levels]:
    """The largest held combinations strictly below one: all else below it is below one of these."""
    lower = [each for each in held if each != above and all(a <= b for a, b in zip(each, above, strict=True))]
    return [
        each
        for each in lower
        if not any(other != each and all(a <= b for a, b in zip(each, other, strict=True)) for other in lower)
    ]


def _sums_along(axis: Axis, values: np.ndarray, number: int) -> np.ndarray:
    """Values with the levels above, and the total, added along one axis of the array."""
    rows = np.moveaxis(values, number, 0)
    levels = [rows]
    for parents in axis.hierarchy.parents:
        order = np.argsort(parents, kind="stable")
        first = np.searchsorted(parents[order], np.arange(int(parents.max()) + 1))
        levels.append(np.add.reduceat(levels[-1][order], first, axis=0))
    if axis.total:
        levels.append(levels[-1].sum(axis=0, keepdims=True))
    return np.ascontiguousarray(np.moveaxis(np.concatenate(levels), 0, number))


class CubeNames(Sequence[str]):
    """Names of a cube's cells: level and code of the area, then the code on every other axis."""

    def __init__(self, axes: tuple[Axis, ...], places: np.ndarray, shape: tuple[int, ...]) -> None:
        self._axes, self._places, self._shape = axes, places, shape

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, cell):  # type: ignore[no-untyped-def]
        at = np.unravel_index(int(self._places[int(cell)]), self._shape)
        (level, code), *others = (axis.code(int(place)) for axis, place in zip(self._axes, at, strict=True))
        return ", ".join([f"{level} {code}".strip(), *(code.replace(SEPARATOR, ", ") for _, code in others)])


def cube_of(table: Table) -> Cube:
    """A table as a cube of two axes: its cells stand in the order of `sdc.network.flatten`."""
    axes = [Axis(hierarchy=table.hierarchy, total=False)]
    finest = table.counts[0]
    if len(table.classification):
        codes = [SEPARATOR.join(category) for category in table.classification.categories]
        axes.append(flat_axis(SEPARATOR.join(table.classification.dimensions), codes))
        finest = np.ascontiguousarray(finest[:, :-1])
    else:
        finest = np.ascontiguousarray(finest[:, 0])
    return Cube(axes=tuple(axes), finest=finest, margins=all_margins(axes))
