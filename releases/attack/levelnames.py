"""What levels of areas are called: ``[file.levels]`` under ``--known``.

Figures of two files are shared where their areas have the same level and code.  A lookup that
calls the level of authorities ``lad11cd`` beside one that calls it ``lad`` would keep them apart.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations, product

import numpy as np
import pyarrow as pa

from common.faults import Faults
from geography.nesting import encode_text
from releases.attack.published import Opened
from releases.attack.said import Said
from sdc.tables import Hierarchy

__all__ = ["alike_by_code", "with_level_names", "with_other_names"]


def with_other_names(said: Sequence[Said], trees: Sequence[Hierarchy]) -> list[Hierarchy]:
    """The trees with levels called what ``levels`` under ``--known`` says they are called in other files.

    Raises
    ------
    InputError
        A name is of no level, or two levels of a tree would have one name.
    """
    faults, found = Faults(), []
    for one, tree in zip(said, trees, strict=True):
        names = one.known.levels
        levels = tuple(names.get(level, level) for level in tree.levels)
        for name in names:
            if name not in tree.levels:
                mend = f"name one of {', '.join(tree.levels)}"
                faults.add("levels", f"'{name}' is no level of its areas", mend, file=str(one.path), key="file.levels")
        if len(set(levels)) < len(levels):
            mend = "call every level by a name of its own"
            faults.add("levels", "two levels of areas have one name", mend, file=str(one.path), key="file.levels")
        found.append(replace(tree, levels=levels) if levels != tree.levels else tree)
    faults.raise_if_any()
    return found


def with_level_names(one: Opened) -> Opened:
    """The file with its column of levels, where it has one, in the names that other files have."""
    names = one.said.known.levels
    if one.level is None or not names:
        return one
    texts, tidy = one.tidy.text, one.tidy
    values, index = encode_text(texts.columns[one.level])
    called = pa.array([names.get(name, name) for name in values.tolist()])
    column = pa.chunked_array([called.take(pa.array(index))])
    return replace(one, tidy=replace(tidy, text=replace(texts, columns={**texts.columns, one.level: column})))


def alike_by_code(trees: Sequence[tuple[str, Hierarchy]]) -> tuple[str, ...]:
    """A notice for every two levels of different names that share codes: nothing that their figures say is shared.

    `trees` are the names of files with their trees.
    """
    found: dict[tuple[str, str], tuple[str, str]] = {}
    different = {id(tree): (file, tree) for file, tree in trees}
    for (file, one), (second, other) in combinations(different.values(), 2):
        levels = product(zip(one.levels, one.codes, strict=True), zip(other.levels, other.codes, strict=True))
        for (level, codes), (name, others) in levels:
            if level not in other.levels and name not in one.levels and np.isin(codes, others).any():
                found.setdefault((level, name), (file, second))
    return tuple(
        f"areas of '{level}' ({file}) and '{name}' ({second}) have the same codes and are taken to be different areas: "
        "if they are the same, call the level alike with levels under --known"
        for (level, name), (file, second) in found.items()
    )
