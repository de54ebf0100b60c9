"""k-disclosure: all of a group, or all but k, share a category of a sensitive dimension.

A cell c is *directly disclosive* for a coalition of k, who know their own
records, if a published total p over the sensitive dimension contains it and

    |p| - k <= |c|        (and |c| >= 1: of nobody nothing is disclosed).

With k = 0 it is the 100 % case; k = 1 adds the group that is split between one
person and all the others, who are then known to that person.

**Which totals p.**  The group is an area's people by the table's other
dimensions, the sensitive one summed over.  Summing over other dimensions as
well finds nothing new: if p is a sum of groups p_g and c the sum of their cells
c_g, then |p_g| - |c_g| <= |p| - |c| <= k, so that every c_g >= 1 is flagged in
its own group.  Nor does an area further up: where the areas themselves are
sensitive, c within its parent is flagged whenever c within a grandparent is,
for the parent is no larger (an only child is held against the nearest area
above that has another one in it).  The exemption of large groups keeps this order.

Combinations of categories that mean something (*disability benefits*, or the
levels of a recode) are wholes and parts of their own.  Where the people of a
combination make up their group, every cell of it is flagged: the sum stays
uncertain only if a part of it does.

Sources: D. P. Lupp and Ø. Langsrud, "Suppression of directly disclosive cells in
frequency tables" (2021); Hundepool et al., *Handbook on Statistical Disclosure
Control*, 2nd ed. (2024), sections 5.2 and 5.9.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from sdc.rules.flags import Flags, combine, no_flags
from sdc.rules.zeros import Zeros
from sdc.tables import Classification, Table

__all__ = ["Combination", "KDisclosure", "directly_disclosive"]

# Larger than any group: of a top area nobody could say that its people might live elsewhere.
NO_CHOICE = np.iinfo(np.int64).max


@dataclass(frozen=True, kw_only=True)
class Combination:
    """Categories of one dimension that together mean something: a name and their codes."""

    dimension: str
    name: str
    codes: tuple[str, ...]

    def __post_init__(self) -> None:
        if len(set(self.codes)) < 2:
            raise ValueError(f"combination ({self.name}) must join at least two codes of {self.dimension}")


@dataclass(frozen=True, kw_only=True)
class KDisclosure:
    """Flags cells that are directly disclosive for a coalition of k, in dimensions declared sensitive.

    Attributes
    ----------
    sensitive : dimensions; those that a table lacks are passed over.
    k : how many members of the group the attacker knows; 0 for an outsider.
    upper_bound : groups of at least so many people are exempt; None exempts none.
    combinations : meaningful combinations of a sensitive dimension's codes.
    areas : whether to be of one area is itself sensitive, within the area above.
    nobody : flag as well where all but k of the group *lack* the category,
        |c| <= k and |p| >= 1; with k = 0 these are the zeros of groups that are not empty.
    zeros : structural zeros are no choice: a group that has one possible category is not flagged.

    Raises
    ------
    ValueError
        k is below 0, the upper bound below 1, or a combination belongs to a dimension not declared sensitive.
    """

    sensitive: tuple[str, ...] = ()
    k: int = 0
    upper_bound: int | None = None
    combinations: tuple[Combination, ...] = ()
    areas: bool = False
    nobody: bool = False
    zeros: Zeros = field(default_factory=Zeros)

    def __post_init__(self) -> None:
        if self.k < 0:
            raise ValueError(f"k ({self.k}) must be at least 0")
        if self.upper_bound is not None and self.upper_bound < 1:
            raise ValueError(f"upper_bound ({self.upper_bound}) must be at least 1, or None")
        for combination in self.combinations:
            if combination.dimension not in self.sensitive:
                raise ValueError(f"combination ({combination.name}) must be of a sensitive dimension")

    def flags(self, table: Table, /) -> Flags:
        """Flags of the directly disclosive cells, one reason for each sensitive dimension."""
        found = [self._within(table, name) for name in self.sensitive if name in table.classification.dimensions]
        if self.areas:
            found.append(self._within_parents(table))
        return combine(*found) if found else no_flags(table)

    def _within(self, table: Table, dimension: str) -> Flags:
        """Flags within the groups that the other dimensions and the areas make."""
        hit = tuple(np.zeros(counts.shape, np.bool_) for counts in table.counts)
        structural = self.zeros.structural(table.classification)[:-1]
        for whole, part in _pairs(table.classification, dimension, self.combinations, structural):
            for level, counts in enumerate(table.counts):
                hit[level][:, part.columns] |= self._hit(counts, whole, part)
        known = f", or all but at most {self.k}," if self.k else ""
        lack = ", or lack it" if self.nobody else ""
        reason = f"all of the people in its group{known} share its category of {dimension}{lack}"
        return Flags(rule="k-disclosure", reason=reason, hit=hit)

    def _hit(self, counts: np.ndarray, whole: "_Sums", part: "_Sums") -> np.ndarray:
        """Which cells of the part are disclosive within their whole: bool of shape (units, columns of the part)."""
        size, share = whole.of(counts)[:, part.within], part.of(counts)
        some = directly_disclosive(share, size, k=self.k, upper_bound=self.upper_bound)
        found = some[:, part.group] & (counts[:, part.columns] >= 1)
        if self.nobody and part.single:
            lack = (share <= self.k) & (size >= 1) & (size < _bound(self.upper_bound))
            found |= lack[:, part.group]
        return found

    def _within_parents(self, table: Table) -> Flags:
        """Flags within the nearest area above that has another one in it, for every column."""
        sizes = [np.full(table.counts[-1].shape, NO_CHOICE)]
        for parents, above in zip(reversed(table.hierarchy.parents), reversed(table.counts), strict=False):
            alone = np.bincount(parents)[parents] == 1
            sizes.append(np.where(alone[:, None], sizes[-1][parents], above[parents]))
        hit = tuple(
            directly_disclosive(counts, size, k=self.k, upper_bound=self.upper_bound)
            for counts, size in zip(table.counts, reversed(sizes), strict=True)
        )
        known = f", or all but at most {self.k}," if self.k else ""
        reason = f"all of its people in the area above{known} are in this area"
        return Flags(rule="k-disclosure", reason=reason, hit=hit)


def directly_disclosive(part: np.ndarray, whole: np.ndarray, *, k: int, upper_bound: int | None = None) -> np.ndarray:
    """Where |whole| - k <= |part| and |part| >= 1, and the whole is below the upper bound; any shapes alike.

    >>> directly_disclosive(np.array([6, 5, 2, 0]), np.array([6, 6, 4, 1]), k=0).tolist()
    [True, False, False, False]
    >>> directly_disclosive(np.array([6, 5, 2, 0]), np.array([6, 6, 4, 1]), k=1).tolist()
    [True, True, False, False]
    """
    return (part >= 1) & (whole - k <= part) & (whole < _bound(upper_bound))


def _bound(upper_bound: int | None) -> int:
    return NO_CHOICE if upper_bound is None else upper_bound


@dataclass(frozen=True, kw_only=True, eq=False)
class _Sums:
    """Columns that are summed by group, sorted by group.

    Attributes
    ----------
    columns : the columns, int64 of shape (columns,).
    starts : where each group starts among them.
    group : the group of each column, int64 of shape (columns,), from 0 among these groups.
    within : the place of each of these groups among the groups of the whole.
    single : whether the columns are of one code, not of a combination.
    """

    columns: np.ndarray
    starts: np.ndarray
    group: np.ndarray
    within: np.ndarray
    single: bool = False

    def of(self, counts: np.ndarray) -> np.ndarray:
        """Sums by group, int64 of shape (units, groups)."""
        return np.add.reduceat(counts[:, self.columns], self.starts, axis=1)


def _pairs(
    classification: Classification, dimension: str, combinations: tuple[Combination, ...], structural: np.ndarray
) -> Iterator[tuple[_Sums, _Sums]]:
    """Every whole with every part of it: all codes, or a combination; with each code, or a smaller combination."""
    at = classification.dimensions.index(dimension)
    codes = np.array([category[at] for category in classification.categories])
    others = [category[:at] + category[at + 1 :] for category in classification.categories]
    numbers = {group: number for number, group in enumerate(dict.fromkeys(others))}
    groups = np.array([numbers[group] for group in others], np.int64)
    everything = frozenset(codes.tolist())
    combined = [_known(combination, everything) for combination in combinations if combination.dimension == dimension]
    singles = [frozenset([code]) for code in sorted(everything)]
    for whole in dict.fromkeys([everything, *combined]):
        for part in dict.fromkeys([*singles, *combined]):
            if part < whole:
                pair = _sums(codes, groups, structural, whole, part)
                if pair is not None:
                    yield pair


def _known(combination: Combination, codes: frozenset[str]) -> frozenset[str]:
    unknown = sorted(set(combination.codes) - codes)
    if unknown:
        raise ValueError(f"combination ({combination.name}) names {', '.join(unknown)}, which the table does not have")
    return frozenset(combination.codes)


def _sums(
    codes: np.ndarray, groups: np.ndarray, structural: np.ndarray, whole: frozenset[str], part: frozenset[str]
) -> tuple[_Sums, _Sums] | None:
    """The columns of both, in the groups in which the whole leaves a choice beside the part; None where none does."""
    possible = np.isin(codes, sorted(whole)) & ~structural
    inside = possible & np.isin(codes, sorted(part))
    chosen = np.intersect1d(groups[inside], groups[possible & ~inside])
    if not len(chosen):
        return None
    possible &= np.isin(groups, chosen)
    return (
        _sorted(possible, groups, chosen, single=False),
        _sorted(inside & np.isin(groups, chosen), groups, chosen, single=len(part) == 1),
    )


def _sorted(mask: np.ndarray, groups: np.ndarray, chosen: np.ndarray, *, single: bool) -> _Sums:
    columns = np.flatnonzero(mask)
    columns = columns[np.argsort(groups[columns], kind="stable")]
    present, starts, group = np.unique(groups[columns], return_index=True, return_inverse=True)
    return _Sums(columns=columns, starts=starts, group=group, within=np.searchsorted(chosen, present), single=single)
