"""Several systems as one: shared cells, and inequalities between cells, as equations.

Cells of the same identity are one cell; what is told twice is told once.  Where
cells are related otherwise, the relation becomes an equation with a new cell that
stands in no published table: a <= b is b = a + what is left.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from sdc.system import Areas, CellSystem, Equations, add_up, measure_words, stack

__all__ = ["Joined", "join_systems", "with_at_most", "with_more_cells", "with_sums"]

# Two odd constants (fractions of the golden ratio and of pi), so that a cell number gives two unrelated words.
ODD_WORDS = np.array([0x9E3779B97F4A7C15, 0x243F6A8885A308D3], np.uint64)


@dataclass(frozen=True, kw_only=True, eq=False)
class Joined:
    """Several systems as one.

    `places` holds, per system in the order given, int64 of shape (its cells,):
    where each of its cells stands in `system`.
    """

    system: CellSystem
    places: tuple[np.ndarray, ...]


def join_systems(systems: Sequence[CellSystem]) -> Joined:
    """Several systems as one: cells of the same identity are one cell, equations told twice are told once.

    Cells keep the order in which they are first met.

    Raises
    ------
    ValueError
        A system's cells have no identity, or the same figure has two counts.
    """
    if any(system.identity is None for system in systems):
        raise ValueError("systems can be joined only if every cell has an identity")
    identity = np.concatenate([system.identity for system in systems if system.identity is not None])
    counts = np.concatenate([system.counts for system in systems])
    first, number = _first_met(identity)
    if np.any(counts[first][number] != counts):
        cell = int(np.flatnonzero(counts[first][number] != counts)[0])
        raise ValueError(f"{_name_of(systems, cell)} must have the same count in every table")
    ends = np.cumsum([len(system) for system in systems])[:-1]
    places = tuple(np.split(number, ends))
    shown = np.zeros(len(first), np.bool_)
    for system, place in zip(systems, places, strict=True):
        shown[place] |= system.shown
    renumbered = [system.equations.renumbered(place, len(first)) for system, place in zip(systems, places, strict=True)]
    joined = CellSystem(
        counts=counts[first],
        equations=_told_once(stack(len(first), renumbered)),
        published=shown,
        identity=identity[first],
        names=JoinedNames(systems, first),
        areas=_joined_areas(systems, first),
    )
    return Joined(system=joined, places=places)


def _joined_areas(systems: Sequence[CellSystem], first: np.ndarray) -> Areas | None:
    """The trees of all systems as one; None where one has none.  `first` are the cells that stay, counted through all."""
    trees = [system.areas for system in systems if system.areas is not None]
    if len(trees) < len(systems):
        return None
    starts = np.cumsum([0, *(len(tree.parents) for tree in trees)])
    met, number = _first_met(np.concatenate([tree.words for tree in trees]))
    unit = np.concatenate([tree.unit + start for tree, start in zip(trees, starts, strict=False)])
    above = [np.where(tree.parents < 0, -1, tree.parents + start) for tree, start in zip(trees, starts, strict=False)]
    # A top unit of one table may lie below another in the next.
    parents = np.full(len(met), -1, np.int64)
    for tree, own, start in zip(trees, above, starts, strict=False):
        at = number[start : start + len(tree.parents)]
        parents[at] = np.where(own < 0, parents[at], number[own])
    words = np.concatenate([tree.words for tree in trees])[met]
    return Areas(unit=number[unit][first].astype(np.int32), parents=parents.astype(np.int32), words=words)


class JoinedNames(Sequence[str]):
    """Names of a joined system's cells: what the first table that has a cell calls it."""

    def __init__(self, systems: Sequence[CellSystem], first: np.ndarray) -> None:
        self._systems, self._first = systems, first

    def __len__(self) -> int:
        return len(self._first)

    def __getitem__(self, cell):  # type: ignore[no-untyped-def]
        return _name_of(self._systems, int(self._first[cell]))


def _name_of(systems: Sequence[CellSystem], cell: int) -> str:
    """The name of a cell counted through all systems in turn."""
    for system in systems:
        if cell < len(system):
            return system.name(cell)
        cell -= len(system)
    raise IndexError("no such cell")


def _first_met(keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows of two words that differ, in the order first met (their row numbers), and which of them each row is."""
    order = np.lexsort((keys[:, 1], keys[:, 0]))
    ranked = keys[order]
    new = np.concatenate([np.ones(min(1, len(keys)), np.bool_), np.any(ranked[1:] != ranked[:-1], axis=1)])
    # The sort is stable: the first of equal rows is the one that was met first.
    first = order[new]
    number = np.empty(len(keys), np.int64)
    number[order] = np.cumsum(new) - 1
    met = np.argsort(first)
    rank = np.empty(len(met), np.int64)
    rank[met] = np.arange(len(met))
    return first[met], rank[number]


def _told_once(equations: Equations) -> Equations:
    """The equations without those that equal an earlier one: compared by sums of 128-bit words of their entries."""
    if not len(equations):
        return equations
    numbers = equations.cells.astype(np.uint64)[:, None] * ODD_WORDS
    words = _spread(numbers) * equations.signs.astype(np.int64).view(np.uint64)[:, None]
    first, _ = _first_met(np.add.reduceat(words, equations.starts[:-1], axis=0))
    return equations.chosen(first)


def _spread(words: np.ndarray) -> np.ndarray:
    """A bijection of 64-bit words that spreads every bit (the finaliser of SplitMix64, Steele et al. 2014)."""
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))


def with_sums(system: CellSystem, parts: np.ndarray, groups: np.ndarray) -> CellSystem:
    """The system with a new cell for each group, the sum of its parts, in no published table.

    `parts` holds cells and `groups` numbers from 0, both of shape (entries,).
    The new cells stand at the end in the order of their groups.
    """
    number = int(groups.max()) + 1 if groups.size else 0
    size = len(system) + number
    sums, words = np.zeros(number, np.int64), np.zeros((number, 2), np.uint64)
    np.add.at(sums, groups, system.counts[parts])
    if system.identity is not None:
        np.add.at(words, groups, _spread(system.identity[parts]))
    added = add_up(size=size, wholes=np.arange(len(system), size), parts=parts, groups=groups)
    firsts = parts[np.unique(groups, return_index=True)[1]]
    return _extended(system, sums, added, words, MoreNames(system, "the sum of", firsts, " and others"), firsts)


def with_at_most(system: CellSystem, smaller: np.ndarray, larger: np.ndarray) -> CellSystem:
    """The system with ``smaller[i] <= larger[i]`` as equations: larger = smaller + what is left.

    Both hold cells, shape (pairs,).  What is left is a new cell for each pair,
    at the end, in no published table.  For people and claims: each benefit is at
    most the people, and these are at most the sum of the benefits (`with_sums`).

    Raises
    ------
    ValueError
        The counts themselves break an inequality.
    """
    left = system.counts[larger] - system.counts[smaller]
    if left.size and left.min() < 0:
        cell = int(smaller[np.flatnonzero(left < 0)[0]])
        raise ValueError(f"{system.name(cell)} must be at most what it is part of")
    size = len(system) + len(left)
    new, pairs = np.arange(len(system), size), np.arange(len(left))
    parts, groups = np.concatenate([smaller, new]), np.concatenate([pairs, pairs])
    added = add_up(size=size, wholes=larger, parts=parts, groups=groups)
    words = np.zeros((len(left), 2), np.uint64)
    if system.identity is not None:
        words = system.identity[larger] - _spread(system.identity[smaller])
    return _extended(system, left, added, words, MoreNames(system, "all but", smaller, ""), smaller)


def with_more_cells(system: CellSystem, added: Equations, *, beside: np.ndarray, called: str) -> CellSystem:
    """The system with the equations `added`, which are over its cells and one more behind them for each of `beside`.

    The new cells are in no published table and count 0; each is `called` so of the cell beside it.
    """
    words = np.zeros((len(beside), 2), np.uint64)
    if system.identity is not None:
        words = system.identity[beside] + measure_words(called)
    counts = np.zeros(len(beside), np.int64)
    return _extended(system, counts, added, words, MoreNames(system, called, beside, ""), beside)


def _extended(
    system: CellSystem, counts: np.ndarray, added: Equations, words: np.ndarray, names: "MoreNames", beside: np.ndarray
) -> CellSystem:
    """The system with more cells, in no published table, and the equations that tie them to the others.

    A new cell lies in the area of the cell `beside` it.
    """
    areas = system.areas
    return CellSystem(
        counts=np.concatenate([system.counts, counts]),
        equations=stack(added.size, [replace(system.equations, size=added.size), added]),
        published=np.concatenate([system.shown, np.zeros(len(counts), np.bool_)]),
        identity=None if system.identity is None else np.concatenate([system.identity, words]),
        names=names,
        areas=None if areas is None else replace(areas, unit=np.concatenate([areas.unit, areas.unit[beside]])),
    )


class MoreNames(Sequence[str]):
    """Names of a system's cells and, behind them, of new cells: words before and after the name of an old one."""

    def __init__(self, system: CellSystem, before: str, of: np.ndarray, after: str) -> None:
        self._system, self._before, self._of, self._after = system, before, of, after

    def __len__(self) -> int:
        return len(self._system) + len(self._of)

    def __getitem__(self, cell):  # type: ignore[no-untyped-def]
        if cell < len(self._system):
            return self._system.name(int(cell))
        return f"{self._before} {self._system.name(int(self._of[int(cell) - len(self._system)]))}{self._after}"
