"""The true counts behind published tables, from a file of counts whose categories may be finer than theirs."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from releases.attack.categorylists import CodeList, Leaves
from releases.attack.said import Said
from releases.counts.categories import own_categories
from releases.counts.intable import read_truth
from releases.files.tidyfile import read_header, read_tidy
from sdc.cube import Axis

__all__ = ["read_true_counts", "truth_list"]


def truth_list(path: Path, dimension: str) -> CodeList | None:
    """The categories of one dimension in a file of counts, which are all there are; None where it has no such column."""
    if dimension not in read_header(path):
        return None
    codes = own_categories(read_tidy(path, needed=[dimension]), dimension)
    return CodeList(name=path.name, codes=frozenset(codes), complete=True) if codes else None


def read_true_counts(
    path: Path, said: Said, axes: Sequence[Axis], leaves: Mapping[str, tuple[Leaves, Leaves]], count: str
) -> tuple[np.ndarray | None, tuple[str, ...]]:
    """True counts of the smallest units of every axis, int64, and notices; None where the file cannot tell them.

    `leaves` are, per dimension, those of the table's categories and of the truth's.

    Raises
    ------
    InputError
        As `releases.counts.intable.read_truth`.
    """
    header = read_header(path)
    tree = axes[0].hierarchy
    nest = next((one for one in (said.nest, tree.levels) if one and one[0] in header and _fits(one, tree.levels)), None)
    without = f"{said.path.name}: judged without the truth, which has no column"
    if nest is None:
        return None, (f"{without} of its smallest areas ({tree.levels[0]})",)
    missing = [axis.name for axis in axes[1:] if axis.name not in header]
    if missing:
        return None, (f"{without} {', '.join(missing)}",)
    codes, recoded = {}, {}
    for number, axis in enumerate(axes[1:], start=1):
        ours = axis.hierarchy.codes[0].tolist()
        theirs = truth_list(path, axis.name)
        if theirs is None or theirs.codes <= set(ours):
            codes[axis.name] = ours
            continue
        places = _recoded(sorted(theirs.codes), ours, leaves.get(axis.name))
        if places is None:
            text = f"whose categories of {axis.name} are not known to make up its own"
            return None, (f"{said.path.name}: judged without the truth, {text}",)
        codes[axis.name], recoded[number] = sorted(theirs.codes), (places, len(ours))
    table, notices = read_truth(path, hierarchy=tree, nest=nest, dimensions=codes, count=count)
    finest = table.counts[0][:, :-1] if codes else table.counts[0][:, 0]
    finest = finest.reshape(len(finest), *(len(own) for own in codes.values()))
    for number, (places, size) in recoded.items():
        finest = _added_up(finest, number, places, size)
    return np.ascontiguousarray(finest), notices


def _fits(nest: Sequence[str], levels: Sequence[str]) -> bool:
    """Whether columns can hold the levels of a tree: as many, or of their names."""
    return len(nest) == len(levels) or nest[0] == levels[0]


def _recoded(theirs: Sequence[str], ours: Sequence[str], leaves: tuple[Leaves, Leaves] | None) -> np.ndarray | None:
    """The place of the category of ours that each of theirs lies in; None where one lies in none."""
    if leaves is None:
        return None
    own, other = leaves
    places = [
        next((at for at, code in enumerate(ours) if other.get(part, frozenset([part])) <= own[code]), -1)
        for part in theirs
    ]
    return None if -1 in places else np.array(places)


def _added_up(finest: np.ndarray, axis: int, places: np.ndarray, size: int) -> np.ndarray:
    """Counts added up along one axis, each index going to its place."""
    rows = np.moveaxis(finest, axis, 0)
    out = np.zeros((size, *rows.shape[1:]), np.int64)
    np.add.at(out, places, rows)
    return np.moveaxis(out, 0, axis)
