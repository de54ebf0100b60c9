"""How a table of counts is held: hierarchy, classification, true table, safe table.

A table is one int64 array of areas × categories per level of the area
hierarchy.  Column ``k`` is category ``k`` of the classification; the last
column is the total over categories.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

__all__ = [
    "AIMS",
    "LOW",
    "MARKERS",
    "NOT_AVAILABLE",
    "NOT_PUBLISHED",
    "SHOWN",
    "SMALL_COUNTS",
    "STRUCTURAL",
    "SUPPRESSED",
    "TOTAL",
    "Classification",
    "Hierarchy",
    "Method",
    "SafeTable",
    "Table",
    "sum_up",
]

TOTAL = "Total"

# What stands in a safe cell: a number (SHOWN), a marker instead of one, or no row at all.
SHOWN, SUPPRESSED, STRUCTURAL, NOT_AVAILABLE, LOW, NOT_PUBLISHED = range(6)
MARKERS = {SHOWN: "", SUPPRESSED: "c", STRUCTURAL: "z", NOT_AVAILABLE: "x", LOW: "low"}


# What controlled rounding may aim at.
AIMS = ("unbiased", "minimum-distance")
SMALL_COUNTS = "small-count-rounding"


@dataclass(frozen=True, kw_only=True, eq=False)
class Hierarchy:
    """A nested hierarchy of areas, smallest level first.

    Attributes
    ----------
    levels : names of the levels, smallest first, such as ``("oa", "lsoa", "lad")``.
    codes : per level, the codes of its units, sorted by code point, unique.
    parents : per level but the last, int32 of shape (units of the level,):
        the index of each unit's parent in the level above.

    Raises
    ------
    ValueError
        Codes are not sorted and unique, a parent is missing or out of range,
        or a unit above the smallest level has no child.
    """

    levels: tuple[str, ...]
    codes: tuple[np.ndarray, ...]
    parents: tuple[np.ndarray, ...]

    def __post_init__(self) -> None:
        if not self.levels or len(self.codes) != len(self.levels) or len(self.parents) != len(self.levels) - 1:
            raise ValueError("a hierarchy needs codes for each level and parents for each level but the last")
        for level, codes in zip(self.levels, self.codes, strict=True):
            if len(codes) == 0 or np.any(codes[:-1] >= codes[1:]):
                raise ValueError(f"level ({level}) must have at least one code, sorted and unique")
        for index, parents in enumerate(self.parents):
            above = len(self.codes[index + 1])
            if parents.dtype != np.int32 or parents.shape != self.codes[index].shape:
                raise ValueError(f"parents of level ({self.levels[index]}) must be int32, one per unit")
            if parents.min() < 0 or not np.array_equal(np.unique(parents), np.arange(above)):
                raise ValueError(
                    f"every unit of level ({self.levels[index + 1]}) must have a child, none may be unknown"
                )

    @property
    def units(self) -> tuple[int, ...]:
        """Number of units per level."""
        return tuple(len(codes) for codes in self.codes)

    def ancestors(self, below: int, above: int) -> np.ndarray:
        """Index, in level `above`, of each unit of level `below`: int32 of shape (units of `below`,)."""
        index = np.arange(self.units[below], dtype=np.int32)
        for level in range(below, above):
            index = self.parents[level][index]
        return index

    def from_level(self, level: int) -> "Hierarchy":
        """The hierarchy of this level and those above it."""
        if level == 0:
            return self
        return Hierarchy(levels=self.levels[level:], codes=self.codes[level:], parents=self.parents[level:])


@dataclass(frozen=True, kw_only=True)
class Classification:
    """One flat classification: the finest combinations of one or more dimensions.

    Attributes
    ----------
    dimensions : names, such as ``("benefit",)`` or ``("age_band", "sex")``; empty for totals alone.
    categories : the finest combinations, one tuple of codes each, sorted by code point, unique.

    Only the finest combinations and their grand total are published, so that
    area tree × classification stays a network.
    """

    dimensions: tuple[str, ...]
    categories: tuple[tuple[str, ...], ...]

    def __post_init__(self) -> None:
        if list(self.categories) != sorted(set(self.categories)):
            raise ValueError("categories must be sorted by code point and unique")
        for category in self.categories:
            if len(category) != len(self.dimensions) or TOTAL in category or "" in category:
                raise ValueError(
                    f"category ({category}) must name one code per dimension, none blank and none '{TOTAL}'"
                )
        if bool(self.dimensions) != bool(self.categories):
            raise ValueError("a classification needs categories for its dimensions")

    @property
    def columns(self) -> tuple[tuple[str, ...], ...]:
        """What each column of a table's arrays stands for: the categories, then the total."""
        return (*self.categories, (TOTAL,) * len(self.dimensions))

    def __len__(self) -> int:
        return len(self.categories)


def sum_up(hierarchy: Hierarchy, finest: np.ndarray) -> tuple[np.ndarray, ...]:
    """Sums of the smallest areas' rows at every level: arrays of shape (units, columns), `finest` first."""
    arrays = [finest]
    for parents in hierarchy.parents:
        arrays.append(_sum_children(parents, arrays[-1]))
    return tuple(arrays)


def _sum_children(parents: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Sums of the rows by parent, exact in the rows' own type; every parent has a child."""
    if np.any(parents[1:] < parents[:-1]):
        order = np.argsort(parents, kind="stable")
        parents, rows = parents[order], rows[order]
    return np.add.reduceat(rows, np.searchsorted(parents, np.arange(parents[-1] + 1)), axis=0)


@dataclass(frozen=True, kw_only=True, eq=False)
class Table:
    """True counts: additive over areas and categories.

    `counts` holds, per level, int64 of shape (units, categories + 1), the last
    column being the total.  Build it with `Table.from_finest`.

    Raises
    ------
    ValueError
        Shapes or dtypes are wrong, a count is negative, or the counts are not additive.
    """

    hierarchy: Hierarchy
    classification: Classification
    counts: tuple[np.ndarray, ...]

    def __post_init__(self) -> None:
        _check_shapes(self.hierarchy, self.classification, self.counts)
        for level, counts in enumerate(self.counts):
            name = self.hierarchy.levels[level]
            if counts.size and counts.min() < 0:
                raise ValueError(f"counts of level ({name}) must be at least 0")
            if len(self.classification) and np.any(counts[:, :-1].sum(axis=1) != counts[:, -1]):
                raise ValueError(f"categories of level ({name}) must add up to their total")
        for level, parents in enumerate(self.hierarchy.parents):
            if not np.array_equal(_sum_children(parents, self.counts[level]), self.counts[level + 1]):
                raise ValueError(f"level ({self.hierarchy.levels[level]}) must add up to the level above")

    @classmethod
    def from_finest(cls, *, hierarchy: Hierarchy, classification: Classification, finest: np.ndarray) -> "Table":
        """A table from the counts of the smallest areas.

        `finest` is int64 of shape (smallest areas, categories), or
        (smallest areas, 1) holding totals where the classification is empty.
        """
        if len(classification):
            finest = np.column_stack([finest, finest.sum(axis=1)])
        counts = sum_up(hierarchy, np.ascontiguousarray(finest, dtype=np.int64))
        return cls(hierarchy=hierarchy, classification=classification, counts=counts)

    def from_level(self, level: int) -> "Table":
        """The same counts of the areas of this level and those above it."""
        return Table(
            hierarchy=self.hierarchy.from_level(level), classification=self.classification, counts=self.counts[level:]
        )

    def totals(self) -> "Table":
        """The same population by area alone."""
        return Table(
            hierarchy=self.hierarchy,
            classification=Classification(dimensions=(), categories=()),
            counts=tuple(np.ascontiguousarray(counts[:, -1:]) for counts in self.counts),
        )


@dataclass(frozen=True, kw_only=True)
class Method:
    """What may be told of how a safe table was made.

    Attributes
    ----------
    name : one of `sdc.attack.intervals.METHODS`.
    base : rounding base, a whole number above 1 (1 for exact figures).
    min_count : smallest non-zero count that may be told; a true count x with
        1 <= x <= min_count - 1 is *small*.
    aim : of controlled rounding: ``unbiased`` (the mean over keys is the true
        count) or ``minimum-distance`` (as near to the true table as may be).
    share : of minimum distance and of small-count rounding: share of the cells
        drawn by chance; None for the others.
    steps : K of controlled rounding: so many further multiples may a published
        value lie beyond the two next to its true count.
    max_round : of small-count rounding: largest finest count that is rounded, at
        least base - 1; None for the others.
    zeros : of small-count rounding: whether multiples of the base may be raised too.

    Raises
    ------
    ValueError
        A parameter lies outside its range.
    """

    name: str
    base: int = 5
    min_count: int = 5
    aim: str = "unbiased"
    share: float | None = None
    steps: int = 0
    max_round: int | None = None
    zeros: bool = False

    def __post_init__(self) -> None:
        if self.base < 1:
            raise ValueError(f"base ({self.base}) must be at least 1")
        if self.min_count < 2:
            raise ValueError(f"min_count ({self.min_count}) must be at least 2")
        if self.aim not in AIMS:
            raise ValueError(f"aim ({self.aim}) must be one of {', '.join(AIMS)}")
        if self.share is not None and not 0 <= self.share <= 1:
            raise ValueError(f"share ({self.share}) must be from 0 to 1")
        if self.steps < 0:
            raise ValueError(f"steps ({self.steps}) must be at least 0")
        if self.name == SMALL_COUNTS and self.max_round is None:
            object.__setattr__(self, "max_round", self.base - 1)
        if self.max_round is not None and self.max_round < self.base - 1:
            raise ValueError(f"max_round ({self.max_round}) must be at least base - 1 ({self.base - 1})")


@dataclass(frozen=True, kw_only=True, eq=False)
class SafeTable:
    """A table as published: values or markers, and the method that may be told.

    `values` holds, per level, int64 of shape (units, categories + 1); where
    `markers` (int8, same shapes) is not SHOWN the value means nothing and is 0.
    """

    hierarchy: Hierarchy
    classification: Classification
    values: tuple[np.ndarray, ...]
    method: Method
    markers: tuple[np.ndarray, ...] = field(default=())

    def __post_init__(self) -> None:
        _check_shapes(self.hierarchy, self.classification, self.values)
        if not self.markers:
            blank = tuple(np.full(values.shape, SHOWN, np.int8) for values in self.values)
            object.__setattr__(self, "markers", blank)

    def from_level(self, level: int) -> "SafeTable":
        """What is published of the areas of this level and those above it."""
        return SafeTable(
            hierarchy=self.hierarchy.from_level(level),
            classification=self.classification,
            values=self.values[level:],
            method=self.method,
            markers=self.markers[level:],
        )

    def cells(self) -> Iterator[tuple[int, int, int]]:
        """Every cell as (level, unit, column), in the order in which tables are written."""
        for level, values in enumerate(self.values):
            for unit in range(values.shape[0]):
                for column in range(values.shape[1]):
                    yield level, unit, column


def _check_shapes(hierarchy: Hierarchy, classification: Classification, arrays: tuple[np.ndarray, ...]) -> None:
    if len(arrays) != len(hierarchy.levels):
        raise ValueError("a table needs one array per level")
    for units, array in zip(hierarchy.units, arrays, strict=True):
        if array.dtype != np.int64 or array.shape != (units, len(classification) + 1):
            raise ValueError(f"arrays must be int64 of shape (units, categories + 1), not {array.dtype} {array.shape}")
