"""Group disclosure: can it be proven that all of a small group, or none, share an attribute?

For each dimension declared sensitive, a group is the people of one area, in all
and by each combination of the table's other dimensions (k-disclosure with k = 0:
P.-K. Lupp & Ø. Langsrud 2021; Handbook on Statistical Disclosure Control, 2nd
ed. 2024, 5.9).  A group is *small* where its size is proven below `group_size`,
and exposed for a category of the sensitive dimension where it may hold anybody and

* every other category's upper bound is 0: all share it, if there are any;
* or the category's upper bound is 0: none has it.

Structural zeros are no news and are left out.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from sdc.attack.intervals import Intervals
from sdc.tables import STRUCTURAL, SafeTable

__all__ = ["Exposure", "Group", "exposed", "groups_of", "small_groups"]


@dataclass(frozen=True, kw_only=True)
class Group:
    """One kind of group: its columns, and per category of the sensitive dimension the columns that have it."""

    dimension: str
    members: tuple[int, ...]
    shares: tuple[tuple[str, tuple[int, ...]], ...]


@dataclass(frozen=True, kw_only=True)
class Exposure:
    """A small group of which all, or none, provably share a category."""

    level: int
    unit: int
    column: int
    dimension: str
    category: str
    everybody: bool
    size: int


def groups_of(safe: SafeTable, sensitive: tuple[str, ...]) -> Iterator[Group]:
    """The groups that a table tells of, for each sensitive dimension that it has."""
    dimensions, categories = (safe.classification.dimensions, safe.classification.categories)
    for dimension in sensitive:
        if dimension not in dimensions:
            continue
        at = dimensions.index(dimension)
        whole: dict[tuple[str, ...], list[int]] = {(): list(range(len(categories)))}
        if len(dimensions) > 1:
            for column, category in enumerate(categories):
                whole.setdefault(category[:at] + category[at + 1 :], []).append(column)
        for members in whole.values():
            shares: dict[str, list[int]] = {}
            for column in members:
                shares.setdefault(categories[column][at], []).append(column)
            plain = tuple((code, tuple(columns)) for code, columns in shares.items())
            yield Group(dimension=dimension, members=tuple(members), shares=plain)


def small_groups(bounds: Intervals, group: Group, group_size: int) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """Per level: the level, the units where the group is proven smaller than `group_size` and may hold
    anybody (bool), and the upper bounds of its size."""
    for level, hi in enumerate(bounds.hi):
        members = hi[:, list(group.members)]
        size = np.minimum(members.sum(axis=1), hi[:, -1])
        yield level, (size < group_size) & (size > 0), size


def exposed(safe: SafeTable, bounds: Intervals, group: Group, group_size: int) -> Iterator[Exposure]:
    """Every exposure of one kind of group, given upper bounds that have been proven."""
    for level, small, size in small_groups(bounds, group, group_size):
        hi, markers = bounds.hi[level], safe.markers[level]
        possible = {code: (markers[:, list(columns)] != STRUCTURAL).any(axis=1) for code, columns in group.shares}
        some = {code: hi[:, list(columns)].sum(axis=1) > 0 for code, columns in group.shares}
        holders = np.sum(list(some.values()), axis=0)
        choices = np.sum(list(possible.values()), axis=0)
        for code, columns in group.shares:
            for everybody, hit in (
                (True, small & some[code] & (holders == 1) & (choices > 1)),
                (False, small & ~some[code] & possible[code]),
            ):
                for unit in np.flatnonzero(hit):
                    yield Exposure(
                        level=level,
                        unit=int(unit),
                        column=columns[0],
                        dimension=group.dimension,
                        category=code,
                        everybody=everybody,
                        size=int(size[unit]),
                    )
