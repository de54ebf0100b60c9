"""The area tree with no unit of more than a few children, so that work per unit is bounded.

An authority of a thousand areas without levels between is as good as one whose
areas stand in groups that nobody publishes.  Such groups are *virtual* units.
"""

from typing import NamedTuple

import numpy as np

from sdc.rounding.tree import Tree, tree_of
from sdc.tables import Hierarchy

__all__ = ["Branching", "branch", "branch_tree"]


class Branching(NamedTuple):
    """Units of a tree, each with a bounded number of children.

    Units below `real` are those of `sdc.rounding.tree.Tree`, under its numbers; the others are virtual.

    Attributes
    ----------
    areas, real : number of smallest areas, and of units that are real.
    parents : int64 of shape (units,), -1 at the top.
    first_child, children : the children of unit u are ``children[first_child[u]:first_child[u + 1]]``, ascending.
    downward : int64 of shape (units,), every unit after its parent.
    """

    areas: int
    real: int
    parents: np.ndarray
    first_child: np.ndarray
    children: np.ndarray
    downward: np.ndarray


def branch(hierarchy: Hierarchy, most: int) -> Branching:
    """The hierarchy with at most `most` children to a unit; `most` is 2 or more."""
    return branch_tree(tree_of(hierarchy), most)


def branch_tree(tree: Tree, most: int) -> Branching:
    """The same for a tree."""
    if most < 2:
        raise ValueError(f"most ({most}) must be at least 2")
    real = len(tree.parents)
    parents = [tree.parents.copy()]
    added = real
    counts = np.diff(tree.first_child)
    for unit in np.flatnonzero(counts > most).tolist():
        children = tree.children[tree.first_child[unit] : tree.first_child[unit + 1]]
        while len(children) > most:
            groups = -(-len(children) // most)
            group = np.arange(len(children)) * groups // len(children)
            _adopt(parents, children, added + group, real)
            children = np.arange(added, added + groups)
            parents.append(np.full(groups, unit, np.int64))
            added += groups
    every = np.concatenate(parents)
    below = np.flatnonzero(every >= 0)
    order = below[np.argsort(every[below], kind="stable")]
    first_child = np.concatenate([[0], np.cumsum(np.bincount(every[below], minlength=added))]).astype(np.int64)
    return Branching(
        areas=tree.areas,
        real=real,
        parents=every,
        first_child=first_child,
        children=order.astype(np.int64),
        downward=np.argsort(_depths(every), kind="stable").astype(np.int64),
    )


def _adopt(parents: list[np.ndarray], children: np.ndarray, onto: np.ndarray, real: int) -> None:
    """Set the parents of real units, or of the virtual ones made last."""
    if children[0] < real:
        parents[0][children] = onto
    else:
        parents[-1][:] = onto


def _depths(parents: np.ndarray) -> np.ndarray:
    """How many units lie above each."""
    depth = np.zeros(len(parents), np.int64)
    above = parents.copy()
    while (above >= 0).any():
        depth += above >= 0
        above = np.where(above >= 0, parents[above], -1)
    return depth
