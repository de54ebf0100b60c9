"""Whether published figures fit together: multiples of the base, sums over areas and categories, one figure one value.

Zero, shown as a number or as ``low`` or ``z``, counts as 0 in a sum; a sum with
a cell that tells nothing (``c``, ``x``) is not compared.
"""

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from releases.check.notes import SHOWN, Notes
from releases.check.tables import MARKERS, Published

__all__ = ["check_additive", "check_linked", "check_multiples", "sums_to_parents"]

HIDDEN = (MARKERS.index("c"), MARKERS.index("x"))


def check_multiples(published: Published, base: int, notes: Notes) -> bool:
    """Whether every value is a multiple of the base; a finding for each that is not."""
    right = True
    for level, values in enumerate(published.values):
        right &= _tell(
            published, level, values % base != 0, "multiple", f"the value is not a multiple of {base}", notes
        )
    return right


def check_additive(published: Published, notes: Notes) -> bool:
    """Whether categories add up to their total, and areas to the area above; a finding for each that does not.

    total = sum of categories; value of an area = sum of the values of its parts,
    column by column.
    """
    right = True
    hidden = [np.isin(markers, HIDDEN) for markers in published.markers]
    if published.layout.categories:
        for level, values in enumerate(published.values):
            wrong = np.zeros(values.shape, bool)
            wrong[:, -1] = (values[:, :-1].sum(axis=1) != values[:, -1]) & ~hidden[level].any(axis=1)
            right &= _tell(published, level, wrong, "additivity", "the categories do not add up to the total", notes)
    for level, parents in enumerate(published.layout.parents):
        above = published.values[level + 1]
        sums = sums_to_parents(published.values[level], parents, len(above))
        unknown = sums_to_parents(hidden[level].astype(np.int64), parents, len(above)) > 0
        wrong = (sums != above) & ~unknown & ~hidden[level + 1]
        right &= _tell(published, level + 1, wrong, "additivity", "the areas below do not add up to the area", notes)
    return right


def sums_to_parents(values: np.ndarray, parents: np.ndarray, units: int) -> np.ndarray:
    """Sums of the rows of `values` by parent: int64 of shape (units, columns)."""
    order = np.argsort(parents, kind="stable")
    starts = np.searchsorted(parents[order], np.arange(units))
    return np.add.reduceat(values[order], starts, axis=0)


def _tell(published: Published, level: int, wrong: np.ndarray, kind: str, what: str, notes: Notes) -> bool:
    """A finding for each cell of a level where `wrong` is true; True where there is none."""
    units, columns = np.nonzero(wrong)
    for unit, column in zip(units[:SHOWN].tolist(), columns[:SHOWN].tolist(), strict=True):
        notes.wrong(kind, published.file, what, cell=published.layout.cell(level, unit, column))
    notes.more(kind, published.file, max(0, len(units) - SHOWN))
    return len(units) == 0


# --- Between tables -----------------------------------------------------------------------------


def check_linked(tables: Sequence[Published], additive: bool, notes: Notes) -> bool:
    """Whether tables agree wherever they tell the same figure; one may stop at larger areas than another.

    Totals are the same figure in all tables.  Where the method is `additive`,
    so is every margin over the dimensions that two tables share: both must
    extend to one table of the finest cells.  Of a dimension in different bands, those of the same code are the same.
    """
    right = True
    for one, other in combinations(tables, 2):
        if not one.layout.levels_alike(other.layout):
            notes.wrong("linked", other.file, f"has other areas than {one.file}")
            right = False
            continue
        right &= _agree(one, other, (), notes)
        shared = tuple(name for name in one.layout.dimensions if name in other.layout.dimensions)
        alike = tuple(name for name in shared if one.layout.codes_of(name) == other.layout.codes_of(name))
        for name in sorted(set(shared) - set(alike)):
            notes.not_checked(
                f"{one.id} and {other.id} band '{name}' differently; what both together tell was not attacked"
            )
            if additive:
                right &= _agree(one, other, (name,), notes)
        same = set(alike) == set(one.layout.dimensions) == set(other.layout.dimensions)
        if alike and (additive or same):
            right &= _agree(one, other, alike, notes)
    return right


def _agree(one: Published, other: Published, names: tuple[str, ...], notes: Notes) -> bool:
    """Whether both tables have the same margin over `names`, at every level; names empty: the totals."""
    right = True
    for level, level_of_other in one.layout.levels_alike(other.layout):
        a, a_known, keys = _margin(one, level, names)
        b, b_known, other_keys = _margin(other, level_of_other, names)
        common = [(keys.index(key), other_keys.index(key), key) for key in keys if key in other_keys]
        for mine, theirs, key in common:
            wrong = (a[:, mine] != b[:, theirs]) & a_known[:, mine] & b_known[:, theirs]
            units = np.flatnonzero(wrong)
            text = ", ".join(f"{name} {code}" for name, code in zip(names, key, strict=True)) or "the total"
            for unit in units[:SHOWN].tolist():
                area = f"{one.layout.levels[level]} {one.layout.codes[level][unit]}"
                notes.wrong("linked", other.file, f"{text} is another value than in {one.file}", cell=area)
            notes.more("linked", other.file, max(0, len(units) - SHOWN))
            right &= len(units) == 0
    return right


def _margin(
    published: Published, level: int, names: tuple[str, ...]
) -> tuple[np.ndarray, np.ndarray, list[tuple[str, ...]]]:
    """Sums over the dimensions that are not in `names`: values, whether each is known, and the category of each."""
    values, known = published.values[level], ~np.isin(published.markers[level], HIDDEN)
    if not names:
        return values[:, -1:], known[:, -1:], [()]
    places = [published.layout.dimensions.index(name) for name in names]
    projected = [tuple(category[place] for place in places) for category in published.layout.categories]
    keys = sorted(set(projected))
    index = np.array([keys.index(key) for key in projected])
    sums = np.zeros((len(values), len(keys)), np.int64)
    whole = np.ones((len(values), len(keys)), bool)
    for column, key in enumerate(index.tolist()):
        sums[:, key] += values[:, column]
        whole[:, key] &= known[:, column]
    return sums, whole, keys
