"""How divisions of one dimension lie on each other: two geographies, two lists of age bands.

A *division* is a set of units that do not overlap.  An *atom* is what no division
cuts: the units of each are unions of atoms.  Two partitions and their atoms are a
graph, zones as nodes and atoms as edges; with more they are a hypergraph.  Source
for geographic differencing: methods 4.3, and the works named there.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sdc.cube import Axis
from sdc.system import identity_words
from sdc.tables import Hierarchy

__all__ = ["ATOM", "NotJoined", "Overlap", "Refined", "overlap_of_trees", "refine"]

# The level that stands below the smallest published one where another division cuts it.
ATOM = "atom"
JOINT = " & "


class NotJoined(ValueError):
    """Tables that cannot be one system: what is said of them does not fit them."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Overlap:
    """Divisions of one dimension, atom by atom; build it with `of`.

    Attributes
    ----------
    divisions : per division the code of the unit that each atom lies in, text of shape (atoms,), ``""`` where it
        lies in none.  Divisions of areas are called by their level; others by any name.
    """

    divisions: Mapping[str, np.ndarray]

    @classmethod
    def of(cls, divisions: Mapping[str, Sequence[str] | np.ndarray]) -> "Overlap":
        """The overlap that rows tell, such as those of a lookup: rows alike are one atom.

        Raises
        ------
        ValueError
            There is no division, or they do not have the same number of rows.
        """
        columns = [np.asarray(codes, np.str_) for codes in divisions.values()]
        if len({len(column) for column in columns}) != 1:
            raise ValueError("divisions must have the same number of rows, and there must be one")
        numbers = np.stack([np.unique(column, return_inverse=True)[1] for column in columns], axis=1)
        _, first = np.unique(numbers, axis=0, return_index=True)
        return cls(divisions={name: column[first] for name, column in zip(divisions, columns, strict=True)})

    def __len__(self) -> int:
        return len(next(iter(self.divisions.values())))

    def names(self) -> np.ndarray:
        """What each atom is called: the codes of the units it lies in."""
        rows = zip(*(codes.tolist() for codes in self.divisions.values()), strict=True)
        return np.array([JOINT.join(code for code in row if code) for row in rows])

    def division_of(self, axis: Axis) -> str | None:
        """The division that an axis' smallest units are of: by the level's name, else by the codes; None for none."""
        if axis.name in self.divisions:
            return axis.name
        codes = axis.hierarchy.codes[0]
        fitting = {name: np.unique(own) for name, own in self.divisions.items() if np.isin(codes, own).all()}
        return min(fitting, key=lambda name: len(fitting[name])) if fitting else None


def overlap_of_trees(trees: Sequence[Hierarchy], *, levels: Collection[str] | None = None) -> Overlap | None:
    """What area trees say of each other where one of them holds all the levels; None where none does.

    The levels are the smallest of each tree where none are given.  A tree of output areas,
    LSOAs and wards says how LSOAs and wards lie on each other; so do two trees over the same output areas.
    """
    wanted = sorted({tree.levels[0] for tree in trees} if levels is None else levels)
    for tree in trees:
        columns = _columns_over(tree, trees, wanted)
        if columns is not None:
            return Overlap.of(columns)
    return None


def _columns_over(tree: Hierarchy, trees: Sequence[Hierarchy], wanted: Sequence[str]) -> dict[str, np.ndarray] | None:
    """The unit of each level that every smallest area of a tree lies in, from all trees over the same smallest areas."""
    columns: dict[str, np.ndarray] = {}
    for other in (tree, *trees):
        if tree.levels[0] not in other.levels:
            continue
        base = other.levels.index(tree.levels[0])
        own = other.codes[base]
        place = np.minimum(np.searchsorted(own, tree.codes[0]), len(own) - 1)
        if not np.array_equal(own[place], tree.codes[0]):
            continue
        for at in range(base, len(other.levels)):
            columns.setdefault(other.levels[at], other.codes[at][other.ancestors(base, at)][place])
    if not set(wanted) <= set(columns):
        return None
    # Every unit that some tree has must lie somewhere.
    for other in trees:
        for level, codes in zip(other.levels, other.codes, strict=True):
            if level in wanted and not np.isin(codes, columns[level]).all():
                return None
    return {level: columns[level] for level in wanted}


@dataclass(frozen=True, kw_only=True, eq=False)
class Refined:
    """An axis over atoms.

    Attributes
    ----------
    axis : with a level of atoms below its smallest units where another division cuts these.
    added : places that were added, all of them before those of the axis as it was; 0 where none were.
    words : uint64 of shape (places of `axis`, 2): the same for two units, of whatever division, that are the same atoms;
        nothing for the total, and for a category that is all there is.
    """

    axis: Axis
    added: int
    words: np.ndarray


def refine(axis: Axis, *, dimension: str, overlap: Overlap | None = None, by_name: Collection[str] = ()) -> Refined:
    """An axis over the atoms of an overlap; over its own smallest units where there is none.

    `dimension` is what the axis is of, the same for every division.  Units of levels `by_name` are
    the same where level and code are, others where their atoms are.  A unit that
    the overlap does not know is an atom of its own.

    Raises
    ------
    NotJoined
        The axis is of no division of the overlap.
    """
    own = axis.hierarchy.codes[0]
    if overlap is None:
        return Refined(axis=axis, added=0, words=_words(axis, identity_words(axis.name, own), by_name))
    names, parents = _atoms(axis, overlap)
    level = f"{ATOM} of {dimension}"
    if len(names) == len(own):
        finest = identity_words(level, names[np.argsort(parents)])
        return Refined(axis=axis, added=0, words=_words(axis, finest, by_name))
    tree = axis.hierarchy
    finer = Axis(
        hierarchy=Hierarchy(
            levels=(level, *tree.levels),
            codes=(names, *tree.codes),
            parents=(parents, *tree.parents),
        ),
        total=axis.total,
    )
    return Refined(axis=finer, added=len(names), words=_words(finer, identity_words(level, names), by_name))


def _atoms(axis: Axis, overlap: Overlap) -> tuple[np.ndarray, np.ndarray]:
    """Sorted names of the atoms in an axis' smallest units, and the unit that each lies in (int32)."""
    division = overlap.division_of(axis)
    if division is None:
        raise NotJoined(f"the overlap must have a division of the units of {axis.name}")
    codes, own = np.asarray(overlap.divisions[division], np.str_), axis.hierarchy.codes[0]
    place = np.minimum(np.searchsorted(own, codes), len(own) - 1)
    inside = own[place] == codes
    lone = np.setdiff1d(np.arange(len(own)), place[inside])
    names = np.concatenate([overlap.names()[inside], own[lone]])
    order = np.argsort(names, kind="stable")
    return names[order], np.concatenate([place[inside], lone]).astype(np.int32)[order]


def _words(axis: Axis, finest: np.ndarray, by_name: Collection[str]) -> np.ndarray:
    """Words of every place: sums of the finest ones; by level and code where units are the same by name."""
    words = [finest]
    for parents, units in zip(axis.hierarchy.parents, axis.hierarchy.units[1:], strict=True):
        above = np.zeros((units, 2), np.uint64)
        np.add.at(above, parents, words[-1])
        words.append(above)
    if axis.total:
        whole = finest.sum(axis=0, dtype=np.uint64)
        words = [np.where((level == whole).all(axis=1)[:, None], np.uint64(0), level) for level in words]
        words.append(np.zeros((1, 2), np.uint64))
    for at, (level, codes) in enumerate(zip(axis.hierarchy.levels, axis.hierarchy.codes, strict=True)):
        if level in by_name:
            words[at] = identity_words(level, codes)
    return np.concatenate(words)
