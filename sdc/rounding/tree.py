"""The area tree as compiled code walks it: every unit of every level under one number."""

from typing import NamedTuple

import numpy as np

from sdc.tables import Hierarchy

__all__ = ["Tree", "tree_of"]


class Tree(NamedTuple):
    """Units numbered level by level, smallest first; a unit of level l and index g has the number ``offsets[l] + g``.

    Attributes
    ----------
    areas : number of smallest areas, which are the units 0 .. areas - 1.
    offsets : int64 of shape (levels + 1,), the first unit of each level, and the number of units.
    parents : int64 of shape (units,), each unit's parent, -1 at the top.
    first_child, children : the children of unit u are
        ``children[first_child[u]:first_child[u + 1]]``, ascending; smallest areas have none.
    ranks : int64 of shape (units,), each unit's place among its parent's children, from 0.
    """

    areas: int
    offsets: np.ndarray
    parents: np.ndarray
    first_child: np.ndarray
    children: np.ndarray
    ranks: np.ndarray


def tree_of(hierarchy: Hierarchy) -> Tree:
    """The hierarchy's units under one numbering."""
    offsets = np.concatenate([[0], np.cumsum(hierarchy.units)]).astype(np.int64)
    below = [parents + offset for parents, offset in zip(hierarchy.parents, offsets[1:-1], strict=True)]
    parents = np.concatenate([*below, np.full(hierarchy.units[-1], -1)]).astype(np.int64)
    children = np.argsort(parents[: offsets[-2]], kind="stable").astype(np.int64)
    counts = np.bincount(parents[: offsets[-2]], minlength=offsets[-1])
    first_child = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    ranks = np.zeros(offsets[-1], np.int64)
    ranks[children] = np.arange(len(children)) - first_child[parents[children]]
    return Tree(
        areas=hierarchy.units[0],
        offsets=offsets,
        parents=parents,
        first_child=first_child,
        children=children,
        ranks=ranks,
    )
