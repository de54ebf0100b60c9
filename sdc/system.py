"""Tables in general form: cells and the sums that tie them together.

A *system* is a list of cells with true counts and a list of equations
``total - part - part … = 0``.  Any table, any number of margins, any number of
hierarchies and any set of linked tables is one; only area tree × one flat
classification is a network as well (`sdc.network`).

Two cells of two tables are the same figure by definition where they count the
same thing in the same area and categories (`CellSystem.identity`); then they are
one cell of the joined system (`sdc.joining`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from common.keys import sip_key
from sdc.figures import SEPARATOR
from sdc.keyedcodes import keyed_codes
from sdc.lattice import Lattice
from sdc.tables import SHOWN, Hierarchy, Method, Table

__all__ = [
    "Areas",
    "CellSystem",
    "Equations",
    "SafeCells",
    "add_up",
    "areas_of",
    "identity_words",
    "measure_words",
    "stack",
    "system_of",
]

# Identities are public names shortened to 128 bits, not secrets.
NAMING_KEY = b"smallarea names of cells"


@dataclass(frozen=True, kw_only=True, eq=False)
class Equations:
    """Sums in compressed rows: equation e is Σ signs × value over ``starts[e]:starts[e + 1]`` = 0.

    Attributes
    ----------
    size : number of cells, n.
    starts : int64 of shape (equations + 1,).
    cells : int32 of shape (entries,), from 0 to n - 1; no cell stands twice in one equation.
    signs : int8 of shape (entries,): +1 for the total, which comes first, -1 for its parts.

    Raises
    ------
    ValueError
        Shapes, types or ranges are wrong, or an equation is empty.
    """

    size: int
    starts: np.ndarray
    cells: np.ndarray
    signs: np.ndarray

    def __post_init__(self) -> None:
        if self.starts.dtype != np.int64 or self.cells.dtype != np.int32 or self.signs.dtype != np.int8:
            raise ValueError("starts must be int64, cells int32 and signs int8")
        if self.cells.shape != self.signs.shape or self.starts[0] != 0 or self.starts[-1] != len(self.cells):
            raise ValueError("starts must run from 0 to the number of entries, with one sign per entry")
        if np.any(np.diff(self.starts) <= 0):
            raise ValueError("no equation may be empty")
        if self.cells.size and (self.cells.min() < 0 or self.cells.max() >= self.size):
            raise ValueError(f"cells must lie from 0 to {self.size - 1}")
        if np.any(np.abs(self.signs) != 1):
            raise ValueError("signs must be 1 or -1")

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def rows(self) -> np.ndarray:
        """The equation that each entry stands in: int64 of shape (entries,)."""
        return np.repeat(np.arange(len(self)), np.diff(self.starts))

    def residuals(self, values: np.ndarray) -> np.ndarray:
        """Σ signs × value per equation, in the values' own type: shape (equations,)."""
        if not len(self):
            return np.zeros(0, values.dtype)
        return np.add.reduceat(values[self.cells] * self.signs, self.starts[:-1])

    def entries(self, equation: int) -> tuple[np.ndarray, np.ndarray]:
        """Cells and signs of one equation."""
        part = slice(self.starts[equation], self.starts[equation + 1])
        return self.cells[part], self.signs[part]

    def chosen(self, equations: np.ndarray) -> "Equations":
        """These equations alone, over the same cells."""
        lengths = np.diff(self.starts)[equations]
        starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        at = np.arange(starts[-1]) + np.repeat(self.starts[equations] - starts[:-1], lengths)
        return Equations(size=self.size, starts=starts, cells=self.cells[at], signs=self.signs[at])

    def renumbered(self, numbers: np.ndarray, size: int) -> "Equations":
        """The same sums over cells under other numbers: `numbers` of shape (n,), each below `size`."""
        return Equations(
            size=size, starts=self.starts, cells=numbers[self.cells].astype(np.int32, copy=False), signs=self.signs
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Areas:
    """Where cells lie in the tree of areas; what large tables are taken to pieces by.

    Attributes
    ----------
    unit : int32 of shape (cells,), the area each cell tells of.
    parents : int32 of shape (units,), the unit above each, -1 at the top.
    words : uint64 of shape (units, 2), the same for the same area in every table (`identity_words`).
    """

    unit: np.ndarray
    parents: np.ndarray
    words: np.ndarray


@dataclass(frozen=True, kw_only=True, eq=False)
class CellSystem:
    """Cells with their counts and the equations between them.

    Attributes
    ----------
    counts : int64 of shape (n,), at least 0.  Amounts of money stand in their smallest unit.
    equations : over the n cells.
    published : bool of shape (n,); False for a cell that stands in no published
        table but that the others are sums of.  All True where nothing is said.
    identity : uint64 of shape (n, 2), the same for the same area and categories
        in every table; None where cells have no names to share.
    names : what to call each cell in a sentence; None where nobody asks.
    areas : where the cells lie; None where they lie nowhere.
    lattice : where a cube's cells stand on its axes; None for what is no cube.

    Raises
    ------
    ValueError
        Shapes or types are wrong, a count is negative, or a sum does not add up.
    """

    counts: np.ndarray
    equations: Equations
    published: np.ndarray | None = None
    identity: np.ndarray | None = None
    names: Sequence[str] | None = None
    areas: Areas | None = None
    lattice: Lattice | None = None

    def __post_init__(self) -> None:
        n = self.equations.size
        if self.counts.dtype != np.int64 or self.counts.shape != (n,):
            raise ValueError(f"counts must be int64, one for each of {n} cells")
        if self.counts.size and self.counts.min() < 0:
            raise ValueError("counts must be at least 0")
        if self.published is None:
            object.__setattr__(self, "published", np.ones(n, np.bool_))
        elif self.published.dtype != np.bool_ or self.published.shape != (n,):
            raise ValueError("published must be bool, one per cell")
        if self.identity is not None and (self.identity.dtype != np.uint64 or self.identity.shape != (n, 2)):
            raise ValueError("identity must be uint64, two words per cell")
        if self.areas is not None and self.areas.unit.shape != (n,):
            raise ValueError("areas must give one unit per cell")
        if self.lattice is not None and len(self.lattice) != n:
            raise ValueError("the lattice must place every cell")
        broken = np.flatnonzero(self.equations.residuals(self.counts))
        if broken.size:
            whole = int(self.equations.entries(int(broken[0]))[0][0])
            raise ValueError(f"the parts of {self.name(whole)} must add up to it")

    def __len__(self) -> int:
        return len(self.counts)

    @property
    def shown(self) -> np.ndarray:
        """`published`, which is never None once the system stands."""
        assert self.published is not None
        return self.published

    def name(self, cell: int) -> str:
        """What to call one cell in a sentence."""
        return self.names[cell] if self.names is not None else f"cell {cell}"


@dataclass(frozen=True, kw_only=True, eq=False)
class SafeCells:
    """A system's cells as published: what a `SafeTable` is for a table.

    `values` (int64) and `markers` (int8), both of shape (n,); where a marker is
    not SHOWN the value means nothing and is 0.
    """

    values: np.ndarray
    markers: np.ndarray
    method: Method

    def __post_init__(self) -> None:
        if self.values.dtype != np.int64 or self.markers.dtype != np.int8 or self.values.shape != self.markers.shape:
            raise ValueError("values must be int64 and markers int8, one each per cell")
        if np.any(self.values[self.markers != SHOWN]):
            raise ValueError("a cell that shows no value must hold 0")


def add_up(*, size: int, wholes: np.ndarray, parts: np.ndarray, groups: np.ndarray) -> Equations:
    """Equations ``wholes[g] = Σ parts of group g``.

    `wholes` holds cells, shape (equations,); `parts` cells and `groups` the
    equation each is a part of, both of shape (parts,); every group has a part.
    """
    order = np.argsort(groups, kind="stable")
    lengths = np.bincount(groups, minlength=len(wholes))
    starts = np.concatenate([[0], np.cumsum(lengths + 1)]).astype(np.int64)
    cells = np.empty(starts[-1], np.int32)
    signs = np.full(starts[-1], -1, np.int8)
    signs[starts[:-1]] = 1
    cells[signs == 1] = wholes
    cells[signs == -1] = parts[order]
    return Equations(size=size, starts=starts, cells=cells, signs=signs)


def stack(size: int, blocks: Sequence[Equations]) -> Equations:
    """The equations of all blocks, in order, over the same `size` cells."""
    offsets = np.cumsum([0, *(len(block.cells) for block in blocks)])
    starts = [block.starts[:-1] + offset for block, offset in zip(blocks, offsets, strict=False)]
    return Equations(
        size=size,
        starts=np.concatenate([*starts, offsets[-1:]]).astype(np.int64),
        cells=np.concatenate([np.empty(0, np.int32), *(block.cells for block in blocks)]),
        signs=np.concatenate([np.empty(0, np.int8), *(block.signs for block in blocks)]),
    )


def system_of(table: Table, *, measure: str = "") -> CellSystem:
    """A table as a system, cells in the order of `sdc.network.flatten`.

    Its equations are all of the table's sums: every total over its categories,
    and every column of every unit over its children.  `measure` says what is
    counted; cells of two tables are one figure only where it is the same.
    """
    units, columns = table.hierarchy.units, len(table.classification) + 1
    starts = np.concatenate([[0], np.cumsum(np.array(units, np.int64) * columns)])
    numbers = [np.arange(a, b).reshape(-1, columns) for a, b in pairwise(starts)]
    size = int(starts[-1])
    blocks = []
    for level, cells in enumerate(numbers):
        if columns > 1:
            groups = np.repeat(np.arange(len(cells)), columns - 1)
            blocks.append(add_up(size=size, wholes=cells[:, -1], parts=cells[:, :-1].ravel(), groups=groups))
        if level + 1 < len(units):
            parents = table.hierarchy.parents[level].astype(np.int64)
            groups = (parents[:, None] * columns + np.arange(columns)).ravel()
            blocks.append(add_up(size=size, wholes=numbers[level + 1].ravel(), parts=cells.ravel(), groups=groups))
    return CellSystem(
        counts=np.concatenate([counts.ravel() for counts in table.counts]),
        equations=stack(size, blocks),
        identity=_identity_of(table) + measure_words(measure),
        names=TableNames(table),
        areas=areas_of(table.hierarchy, np.repeat(np.arange(sum(units)), columns)),
    )


def areas_of(hierarchy: Hierarchy, unit: np.ndarray) -> Areas:
    """A hierarchy's units numbered level by level, smallest first; `unit` is that of each cell."""
    starts = np.cumsum([0, *hierarchy.units])
    above = [parents + start for parents, start in zip(hierarchy.parents, starts[1:], strict=False)]
    top = np.full(hierarchy.units[-1], -1)
    words = [identity_words(level, codes) for level, codes in zip(hierarchy.levels, hierarchy.codes, strict=True)]
    return Areas(
        unit=unit.astype(np.int32),
        parents=np.concatenate([*above, top]).astype(np.int32),
        words=np.concatenate(words),
    )


class TableNames(Sequence[str]):
    """Names of a table's cells: level, area, categories or the total."""

    def __init__(self, table: Table) -> None:
        self._hierarchy, self._columns = table.hierarchy, table.classification.columns
        self._ends = np.cumsum(np.array(table.hierarchy.units) * len(self._columns))

    def __len__(self) -> int:
        return int(self._ends[-1])

    def __getitem__(self, cell):  # type: ignore[no-untyped-def]
        level = int(np.searchsorted(self._ends, cell, side="right"))
        first = int(self._ends[level - 1]) if level else 0
        unit, column = divmod(int(cell) - first, len(self._columns))
        area = f"{self._hierarchy.levels[level]} {self._hierarchy.codes[level][unit]}"
        return ", ".join([area, *(code for code in self._columns[column])])


def identity_words(level: str, codes: np.ndarray) -> np.ndarray:
    """Two words for each code of a level or dimension: uint64 of shape (codes, 2).

    A cell's identity is the sum, modulo 2**64, of its codes' words; a total adds
    nothing.  A code joined of several dimensions by `SEPARATOR`, under names
    joined alike, is the sum of its parts' words.
    """
    words = np.zeros((len(codes), 2), np.uint64)
    names = level.split(SEPARATOR)
    parts = [np.asarray(codes, np.str_)]
    if len(names) > 1:
        parts = [np.array(column) for column in zip(*(str(code).split(SEPARATOR) for code in codes), strict=True)]
    for name, column in zip(names, parts, strict=True):
        for half in (0, 1):
            secret = sip_key(NAMING_KEY, f"{half}{SEPARATOR}{name}")
            words[:, half] += keyed_codes(secret, column)
    return words


def measure_words(measure: str) -> np.ndarray:
    """What a measure adds to the identity of its cells: uint64 of shape (2,); nothing where it has no name."""
    return identity_words("measure", np.array([measure]))[0] if measure else np.zeros(2, np.uint64)


def _identity_of(table: Table) -> np.ndarray:
    classification = table.classification
    total = np.zeros((1, 2), np.uint64)
    columns = total
    if len(classification):
        name = SEPARATOR.join(classification.dimensions)
        codes = np.array([SEPARATOR.join(category) for category in classification.categories])
        columns = np.concatenate([identity_words(name, codes), total])
    levels = zip(table.hierarchy.levels, table.hierarchy.codes, strict=True)
    return np.concatenate([(identity_words(n, c)[:, None, :] + columns).reshape(-1, 2) for n, c in levels])
