"""Which areas and categories there are behind published files, from whoever tells it."""

from collections.abc import Sequence
from pathlib import Path

from common.faults import Faults, InputError
from releases.attack.said import Said
from releases.counts.nests import read_tree, tree_of_columns
from releases.files.tidyfile import read_tidy
from sdc.tables import Hierarchy

__all__ = ["find_trees"]


def find_trees(
    said: Sequence[Said], truth: Path | None, nest: Sequence[str]
) -> tuple[list[Hierarchy], tuple[str, ...]]:
    """The area tree of each file, and notices.

    It comes from a list of areas, else from the file's metadata, else from the
    nest's columns of the truth, else from the metadata of another file.

    Raises
    ------
    InputError
        A list cannot be read, or nobody tells the tree of a file.
    """
    faults, read = Faults(), _Trees(truth, nest)
    trees: list[Hierarchy] = []
    notices: list[str] = []
    others = [(one.path.name, one.told.hierarchy) for one in said if one.told is not None]
    for one in said:
        try:
            tree = read.tree_of(one)
        except InputError as error:
            faults.found += [fault for fault in error.faults if fault not in faults.found]
            continue
        if tree is None and others:
            whence, tree = others[0]
            notices.append(f"{one.path.name}: its area tree is taken from the metadata of {whence}")
        if tree is None:
            mend = "give --areas FILE with --nest, or --truth COUNTS with the nest's columns"
            faults.add("no tree", "nobody says which areas there are and how they nest", mend, file=str(one.path))
        else:
            trees.append(tree)
    faults.raise_if_any()
    return trees, tuple(notices)


class _Trees:
    """Trees read so far: each file is read once, so that tables over one tree share it."""

    def __init__(self, truth: Path | None, nest: Sequence[str]) -> None:
        self.truth, self.nest = truth, tuple(nest)
        self.read: dict[tuple[Path, tuple[str, ...]], Hierarchy] = {}

    def tree_of(self, said: Said) -> Hierarchy | None:
        """The tree of one file; None where nobody tells it."""
        if said.areas is not None:
            return self._once(said.areas, said.nest, counts=False)
        if said.told is not None:
            return said.told.hierarchy
        return None if self.truth is None else self._once(self.truth, self.nest, counts=True)

    def _once(self, path: Path, nest: tuple[str, ...], *, counts: bool) -> Hierarchy:
        if (path, nest) not in self.read:
            self.read[path, nest] = _tree_of_counts(path, nest) if counts else read_tree(path, nest)
        return self.read[path, nest]


def _tree_of_counts(path: Path, nest: Sequence[str]) -> Hierarchy:
    faults = Faults(str(path))
    tree = tree_of_columns(read_tidy(path, needed=nest), nest, faults)
    if tree is None:
        raise InputError(faults.found)
    return tree
