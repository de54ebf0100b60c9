"""The lone-claimant rule on one component of the graph of hidden cells, for checks by the thousand.

What `sdc.suppression.lone` finds on the whole graph is found here around one
node: the same labels, on the cells that hang together with it, and the same
trials for claimants of several cells.
"""

from typing import NamedTuple

import numpy as np

from sdc.compiled import lean
from sdc.suppression.claimants import Claimants, changes, hold, own_affair, release
from sdc.suppression.region import Region, learned_off_labels, make_region

__all__ = ["Guard", "keeps_claimants", "make_guard"]


class Guard(NamedTuple):
    """Who stands alone where (`sdc.suppression.claimants`), and working memory for one component.

    Attributes
    ----------
    alone, unit, column, above, level : as in `Claimants`.
    words : uint64 of shape (cells,), random words. on : bool of shape (1,), whether the rule is asked for.
    reached, came, queue, sums : per node: ticket of the last visit, arc by which it was met, the nodes met, joined words.
    seen, label, cells : per cell: ticket of the last visit, its label, the cells met.
    known : int32 of shape (cells,), cells known to somebody. ticket : int64 of shape (1,).
    learned : int32 of shape (1,), a cell that was found to be learned; by : int64 of shape (2,), from which cells:
        ``known[by[0]:by[1]]``.
    region : working memory for claimants of several cells.
    """

    alone: np.ndarray
    unit: np.ndarray
    column: np.ndarray
    above: np.ndarray
    level: np.ndarray
    words: np.ndarray
    on: np.ndarray
    reached: np.ndarray
    came: np.ndarray
    queue: np.ndarray
    sums: np.ndarray
    seen: np.ndarray
    label: np.ndarray
    cells: np.ndarray
    known: np.ndarray
    ticket: np.ndarray
    learned: np.ndarray
    by: np.ndarray
    region: Region


def make_guard(claimants: Claimants, words: np.ndarray, nodes: int, *, on: bool) -> Guard:
    """A guard over a table's hidden cells; with `on` False it lets everything pass."""
    cells = len(words) if on else 1
    nodes = nodes if on else 1
    return Guard(
        alone=claimants.alone,
        unit=claimants.unit,
        column=claimants.column,
        above=claimants.above,
        level=claimants.level,
        words=words,
        on=np.array([on]),
        reached=np.zeros(nodes, np.int64),
        came=np.empty(nodes, np.int64),
        queue=np.empty(nodes, np.int32),
        sums=np.empty(nodes, np.uint64),
        seen=np.zeros(cells, np.int64),
        label=np.empty(cells, np.uint64),
        cells=np.empty(cells, np.int32),
        known=np.empty(cells, np.int32),
        ticket=np.zeros(1, np.int64),
        learned=np.empty(1, np.int32),
        by=np.empty(2, np.int64),
        region=make_region(),
    )


@lean
def keeps_claimants(arcs, s, guard, node, most):  # type: ignore[no-untyped-def]
    """Whether no lone claimant learns a cell of the component that hangs together with `node`.

    Where one does, the first cell found is left in `learned`, and what it is learned from in `by`.
    A component of more than `most` cells is not looked at: then False, and `learned` is -1.
    """
    if node >= arcs.border[0]:
        return True
    number = _label_component(arcs, guard, node, most)
    guard.learned[0] = -1
    if number < 0:
        return False
    _sort(guard.cells, number, guard.label)
    known = np.int64(0)
    start = 0
    for i in range(1, number + 1):
        if i < number and guard.label[guard.cells[i]] == guard.label[guard.cells[start]]:
            continue
        if i > start + 1 and guard.label[guard.cells[start]] != 0 and not _class_safe(guard, start, i):
            return False
        start = i
    for i in range(number):
        if guard.alone[guard.cells[i]] >= 0:
            guard.known[known] = guard.cells[i]
            known += 1
    _sort(guard.known, known, guard.alone)
    return _several_safe(arcs, s, guard, number, known)


@lean
def _label_component(arcs, guard, node, most):  # type: ignore[no-untyped-def]
    """Label the cells that hang together with a node (see `sdc.attack.cutpairs`) and list them; how many, or -1."""
    guard.ticket[0] += 1
    now = guard.ticket[0]
    guard.reached[node] = now
    guard.came[node] = -1
    guard.sums[node] = 0
    guard.queue[0] = node
    done = 0
    nodes = 1
    number = np.int64(0)
    while done < nodes:
        here = guard.queue[done]
        done += 1
        if here >= arcs.border[0]:
            continue
        for at in range(arcs.first[here], arcs.first[here] + arcs.open[here]):
            code = arcs.codes[at]
            cell = code >> 1
            if guard.seen[cell] == now:
                continue
            if number >= most:
                return np.int64(-1)
            guard.seen[cell] = now
            guard.cells[number] = cell
            number += 1
            other = arcs.to[code]
            if guard.reached[other] != now:
                guard.reached[other] = now
                guard.came[other] = code
                guard.sums[other] = 0
                guard.queue[nodes] = other
                nodes += 1
            else:
                word = guard.words[cell]
                guard.label[cell] = word
                guard.sums[here] ^= word
                guard.sums[other] ^= word
    for i in range(nodes - 1, 0, -1):
        here = guard.queue[i]
        code = guard.came[here]
        guard.label[code >> 1] = guard.sums[here]
        guard.sums[arcs.to[code ^ 1]] ^= guard.sums[here]
    return number


@lean
def _sort(cells, number, by):  # type: ignore[no-untyped-def]
    """Shell sort of the first `number` cells."""
    gap = number // 2
    while gap > 0:
        for i in range(gap, number):
            cell = cells[i]
            j = i
            while j >= gap and by[cells[j - gap]] > by[cell]:
                cells[j] = cells[j - gap]
                j -= gap
            cells[j] = cell
        gap //= 2


@lean
def _class_safe(guard, start, stop):  # type: ignore[no-untyped-def]
    """Whether nobody alone in a cell of a class learns another cell of it."""
    for i in range(start, stop):
        one = guard.cells[i]
        if guard.alone[one] < 0:
            continue
        for j in range(start, stop):
            other = guard.cells[j]
            if i != j and not own_affair(other, one, guard.alone, guard.unit, guard.column, guard.above, guard.level):
                guard.learned[0] = other
                guard.known[0] = one
                guard.by[0] = 0
                guard.by[1] = 1
                return False
    return True


@lean
def _several_safe(arcs, s, guard, number, known):  # type: ignore[no-untyped-def]
    """Whether nobody alone in several cells learns another cell; `known` cells are listed person by person."""
    start = 0
    for i in range(1, known + 1):
        if i < known and guard.alone[guard.known[i]] == guard.alone[guard.known[start]]:
            continue
        safe = True
        read = np.int64(0)
        if i > start + 1:
            read = learned_off_labels(
                arcs,
                s,
                guard.region,
                guard.known,
                start,
                i,
                guard.cells,
                number,
                guard.label,
                guard.alone,
                guard.unit,
                guard.column,
                guard.above,
                guard.level,
            )
        if read > 0:
            safe = False
            guard.learned[0] = guard.region.learned[0]
            guard.by[0] = start
            guard.by[1] = i
        elif read < 0:
            hold(arcs, s, guard.known, start, i)
            for k in range(number):
                cell = guard.cells[k]
                theirs = False
                for q in range(start, i):
                    theirs = theirs or own_affair(
                        cell, guard.known[q], guard.alone, guard.unit, guard.column, guard.above, guard.level
                    )
                if not theirs and not changes(arcs, s, cell):
                    safe = False
                    guard.learned[0] = cell
                    guard.by[0] = start
                    guard.by[1] = i
                    break
            release(arcs, s, guard.known, start, i)
        if not safe:
            return False
        start = i
    return True
