"""The same figure under two names: columns of two tables behind which the same records stand.

Tables of one population are counted from one joint table.  Column i of one
table and column j of another hold the same records when every record in i is in
j and the reverse.  Drawn apart, one figure would be published with two values,
each of which narrows the other (methods 10.3); two such columns must be merged
or refused.  Where i lies inside j everywhere, they are linked as part and whole
(10.4), which tables that share their totals alone do not honour.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from sdc.tables import Hierarchy, sum_up

__all__ = ["Joint", "RelatedColumns", "coincidences", "nested_columns", "same_columns"]

# Per unit and column, the first and the last column of the other table that it shares a record with.
Partners = tuple[np.ndarray, np.ndarray]
NO_PARTNER = np.iinfo(np.int32).max


@dataclass(frozen=True, kw_only=True, eq=False)
class Joint:
    """Counts of one population by smallest area and all dimensions together.

    Attributes
    ----------
    area : int32 of shape (cells,), index of the smallest area.
    categories : per dimension, an integer array of shape (cells,), index into its codes.
        Two bandings of one dimension are two dimensions here, under names of their own.
    count : int64 of shape (cells,), records; a cell not listed, or listed with 0, holds none.
    codes : per dimension, its categories' codes.

    Raises
    ------
    ValueError
        Lengths differ, a count is negative, or an index is out of range.
    """

    area: np.ndarray
    categories: Mapping[str, np.ndarray]
    count: np.ndarray
    codes: Mapping[str, tuple[str, ...]]

    def __post_init__(self) -> None:
        if set(self.categories) != set(self.codes):
            raise ValueError("every dimension must have its codes")
        for name, index in (("area", self.area), ("count", self.count), *self.categories.items()):
            if index.shape != self.area.shape or index.ndim != 1 or not np.issubdtype(index.dtype, np.integer):
                raise ValueError(f"({name}) must be whole numbers, one per joint cell")
            if index.size and index.min() < 0:
                raise ValueError(f"({name}) must be at least 0")
        for name, index in self.categories.items():
            if index.size and index.max() >= len(self.codes[name]):
                raise ValueError(f"({name}) must have a code for every index")

    def width(self, dimensions: tuple[str, ...]) -> int:
        """Number of combinations of the dimensions' categories."""
        return int(np.prod([len(self.codes[name]) for name in dimensions], dtype=np.int64))

    def columns(self, dimensions: tuple[str, ...]) -> np.ndarray:
        """The combination each joint cell lies in: int64 of shape (cells,), the last dimension running fastest."""
        column = np.zeros(self.area.shape, np.int64)
        for name in dimensions:
            column = column * len(self.codes[name]) + self.categories[name]
        return column

    def names(self, dimensions: tuple[str, ...], column: int) -> tuple[str, ...]:
        """The codes of one combination, the inverse of `columns`."""
        sizes = [len(self.codes[name]) for name in dimensions]
        index = np.unravel_index(column, sizes)
        return tuple(self.codes[name][int(at)] for name, at in zip(dimensions, index, strict=True))


@dataclass(frozen=True, kw_only=True)
class RelatedColumns:
    """A column of one table and one of another: the same records, or the first's are all among the second's.

    Attributes
    ----------
    first_table, first, second_table, second : the tables' names and the columns' codes.
    records : how many records the first holds; for the reviewer alone.
    same : True where both hold the same records, False where the second holds more.
    is_total : the second holds every record of the population.  Then additivity
        and shared totals give both the same value already, or settle part and whole.
    """

    first_table: str
    first: tuple[str, ...]
    second_table: str
    second: tuple[str, ...]
    records: int
    same: bool
    is_total: bool

    def sentence(self) -> str:
        """What was found, in words that tell no count."""
        first = f"column ({', '.join(self.first)}) of table ({self.first_table})"
        second = f"column ({', '.join(self.second)}) of table ({self.second_table})"
        if self.same:
            return f"{first} and {second} hold the same records in every area: publish one of the two"
        return f"{first} holds only records that {second} holds too: they are linked as part and whole"


def same_columns(joint: Joint, tables: Mapping[str, tuple[str, ...]]) -> tuple[RelatedColumns, ...]:
    """Pairs of columns of two tables that hold the same records in every area.

    Parameters
    ----------
    joint : what all tables are counted from.
    tables : per table, the dimensions it is by.

    Returns
    -------
    The pairs in the order of the tables and their columns.  Columns without
    records are left out: they are 0 wherever they stand.

    Raises
    ------
    ValueError
        A table is by a dimension that the joint counts lack.
    """
    return tuple(pair for pair in _related(joint, tables) if pair.same)


def nested_columns(joint: Joint, tables: Mapping[str, tuple[str, ...]]) -> tuple[RelatedColumns, ...]:
    """Pairs of columns of two tables where all records of the first are among the second's, which has more.

    By definition (age 18 to 24 inside 16 to 24) or by chance in these data: a
    column of few records often lies inside another.  Parameters and order as in
    `same_columns`; a pair may stand in either order of its tables.
    """
    return tuple(pair for pair in _related(joint, tables) if not pair.same)


def coincidences(
    joint: Joint, tables: Mapping[str, tuple[str, ...]], *, hierarchy: Hierarchy, min_count: int
) -> list[dict[str, object]]:
    """How often two cells of one area hold the same records although their columns differ elsewhere.

    For instance, all carers of one area happen to be women.  The two cells
    are one figure in that area, and may be shown with two values where they are
    drawn apart.  Published tables do not say that they coincide, but somebody
    who knows the area may.  Counts for the reviewer, a row per pair of tables and level:

    `first_table`, `second_table`, `level`, `pairs` (pairs of cells with the same
    records), `areas` (in which there is one), `settled` (pairs that hold all
    records of their area: additivity and shared totals give both one value),
    `small` (pairs not settled, with 1 <= x <= min_count - 1).  Pairs of columns
    that are the same in every area are not counted.

    Raises
    ------
    ValueError
        A table is by a dimension that the joint counts lack, or an area is not in the hierarchy.
    """
    live = _live(joint, tables)
    if live.area.size and int(live.area.max()) >= hierarchy.units[0]:
        raise ValueError("every area of the joint counts must be in the hierarchy")
    rows = []
    for first, second in combinations(live.columns, 2):
        left, right = live.columns[first], live.columns[second]
        widths = live.widths[first], live.widths[second]
        everywhere = _alone_together(_table_of(live, first, second) > 0)
        ahead = _partners(live.area, left, right, (hierarchy.units[0], widths[0]))
        back = _partners(live.area, right, left, (hierarchy.units[0], widths[1]))
        counts = sum_up(hierarchy, _bincount(live.area, left, live.count, (hierarchy.units[0], widths[0])))
        for level, name in enumerate(hierarchy.levels):
            if level:
                ahead, back = (_partners_up(hierarchy, level, partners) for partners in (ahead, back))
            told = _tally(ahead, back, counts[level], everywhere, min_count)
            rows.append({"first_table": first, "second_table": second, "level": name, **told})
    return rows


@dataclass(frozen=True, kw_only=True, eq=False)
class _Live:
    """The joint cells that hold a record, and the column of each in every table that has columns of its own."""

    area: np.ndarray
    count: np.ndarray
    columns: dict[str, np.ndarray]
    widths: dict[str, int]


def _live(joint: Joint, tables: Mapping[str, tuple[str, ...]]) -> _Live:
    for name, dimensions in tables.items():
        missing = [dimension for dimension in dimensions if dimension not in joint.codes]
        if missing:
            raise ValueError(f"table ({name}) is by ({', '.join(missing)}), which the joint counts lack")
    live = joint.count > 0
    classified = {name: dimensions for name, dimensions in tables.items() if dimensions}
    return _Live(
        area=joint.area[live],
        count=joint.count[live],
        columns={name: joint.columns(dimensions)[live] for name, dimensions in classified.items()},
        widths={name: joint.width(dimensions) for name, dimensions in classified.items()},
    )


def _related(joint: Joint, tables: Mapping[str, tuple[str, ...]]) -> Iterator[RelatedColumns]:
    live = _live(joint, tables)
    everybody = int(live.count.sum())
    for one, two in combinations(live.columns, 2):
        both = _table_of(live, one, two)
        in_first, in_second = both.sum(axis=1), both.sum(axis=0)
        inside = (both == in_first[:, None]) & (both > 0)
        around = (both == in_second[None, :]) & (both > 0)
        for i, j in np.argwhere(inside | around).tolist():
            names = (one, joint.names(tables[one], i)), (two, joint.names(tables[two], j))
            (first_table, first), (second_table, second) = names if inside[i, j] else names[::-1]
            yield RelatedColumns(
                first_table=first_table,
                first=first,
                second_table=second_table,
                second=second,
                records=int(both[i, j]),
                same=bool(inside[i, j] and around[i, j]),
                is_total=int(max(in_first[i], in_second[j])) == everybody,
            )


def _table_of(live: _Live, first: str, second: str) -> np.ndarray:
    """Records by the columns of two tables: int64 of shape (columns of the first, of the second)."""
    shape = (live.widths[first], live.widths[second])
    return _bincount(live.columns[first], live.columns[second], live.count, shape)


def _bincount(row: np.ndarray, column: np.ndarray, count: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    cells = row.astype(np.int64) * shape[1] + column
    # A weighted bincount sums in floating point, which is exact to 2**53.
    return np.bincount(cells, weights=count, minlength=shape[0] * shape[1]).astype(np.int64).reshape(shape)


def _alone_together(met: np.ndarray) -> np.ndarray:
    """Where row and column meet nothing but each other: bool shaped as `met`."""
    alone: np.ndarray = met & (met.sum(axis=1) == 1)[:, None] & (met.sum(axis=0) == 1)[None, :]
    return alone


def _partners(unit: np.ndarray, own: np.ndarray, other: np.ndarray, shape: tuple[int, int]) -> Partners:
    low, high = np.full(shape[0] * shape[1], NO_PARTNER, np.int32), np.full(shape[0] * shape[1], -1, np.int32)
    cells, other = unit.astype(np.int64) * shape[1] + own, other.astype(np.int32)
    np.minimum.at(low, cells, other)
    np.maximum.at(high, cells, other)
    return low.reshape(shape), high.reshape(shape)


def _partners_up(hierarchy: Hierarchy, level: int, partners: Partners) -> Partners:
    """The partners of a level from those of the level below."""
    parents = hierarchy.parents[level - 1]
    order = np.argsort(parents, kind="stable")
    first_child = np.searchsorted(parents[order], np.arange(hierarchy.units[level]))
    low, high = (array[order] for array in partners)
    return np.minimum.reduceat(low, first_child, axis=0), np.maximum.reduceat(high, first_child, axis=0)


def _tally(
    ahead: Partners, back: Partners, counts: np.ndarray, everywhere: np.ndarray, min_count: int
) -> dict[str, object]:
    """Counts of one level's coincidences.

    In one unit, columns i and j hold the same records if and only if i shares
    records with no column but j, and j with none but i.
    """
    unit, i = np.nonzero(ahead[0] == ahead[1])
    j = ahead[1][unit, i]
    kept = (back[0][unit, j] == back[1][unit, j]) & ~everywhere[i, j]
    unit, i = unit[kept], i[kept]
    settled = (ahead[1] >= 0).sum(axis=1)[unit] == 1
    return {
        "pairs": unit.size,
        "areas": np.unique(unit).size,
        "settled": int(settled.sum()),
        "small": int((~settled & (counts[unit, i] < min_count)).sum()),
    }
