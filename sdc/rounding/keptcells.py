"""Categories that keep the values of the release before, made additive: the point from which cycles go on.

A table starts with its kept cells at their earlier values and every other cell
somewhere between its multiples.  At a node of its circulation more may then come
in than goes out: the node's *excess*.  Excess is sent, along paths with room, to
nodes that lack as much, nearest first.

Nodes are those of `sdc.rounding.search`, and two kinds more: the hub of a top
unit has a number of its own, behind the cells, so that trees of one level work
too; and the total's cell of every unit above the smallest is a node as well,
through which totals flow from the hub down to the areas.

A kept cell is *held*: it counts as HELD steps of a path, so that it gives way
only where every way round is longer.  First paths are sought that free no cell,
from the nodes in excess and then from those that lack; then paths that free
some; then paths that move totals as well, which other tables must then follow:
a single table has always a way then.  These searches have a budget of nodes to
look at.  What is left over are a few nodes far from each other.  Each is paired
with the next in the order of the area tree, and a way is sought by A* (Hart,
Nilsson and Raphael 1968) with the least number of steps that the tree leaves as
the estimate.  Order among equals comes from the hashes of figures.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from sdc.compiled import lean
from sdc.rounding.joined import HELD_HIGH, SCALE, SHUT

__all__ = ["Room", "Shared", "excess_of", "make_room", "route"]

# A held cell gives way where each way round it is longer by so many cells; a total moves where it is by so many, and by as
# many again for each time it moved before, lest two tables move it to and fro.
HELD = 3
MOVED = 4
OFTEN = 5
LONGEST = HELD + MOVED * OFTEN + 1
# Whether held cells may be freed, whether totals may be moved, and how many nodes a search may look at.
PASSES = (
    (False, False, 200),
    (True, False, 300),
    (True, False, 2000),
    (True, True, 2000),
)
UNBOUND = 1 << 62
NEAREST = -1


class Shared(NamedTuple):
    """The totals that tables share, by unit.

    Attributes
    ----------
    values, floor, ceiling : int64, each total between its two multiples.
    held : bool, whether it keeps its value; no longer once it moved.
    moved : int64, how often it moved.
    """

    values: np.ndarray
    floor: np.ndarray
    ceiling: np.ndarray
    held: np.ndarray
    moved: np.ndarray


class Room(NamedTuple):
    """Working memory of the searches.

    Attributes
    ----------
    stamp, came, back : of shape (nodes,): the ticket of the search that settled a node, the
        cell by which it came there (2 × cell, + 1 where it followed the cell's direction), and the node before.
    entries : int64 of shape (entries, 4): nodes to be looked at, with came, back and the next entry of their distance.
    first, last : int64 of shape (longest step + 1,), the entries of each distance, modulo their number.
    state : int64 of shape (2,), the present ticket and the number of entries.
    """

    stamp: np.ndarray
    came: np.ndarray
    back: np.ndarray
    entries: np.ndarray
    first: np.ndarray
    last: np.ndarray
    state: np.ndarray


def make_room(cells: int, tops: int) -> Room:
    """Working memory for a table of so many cells and top units."""
    nodes = cells + tops
    return Room(
        stamp=np.zeros(nodes, np.int64),
        came=np.empty(nodes, np.int64),
        back=np.empty(nodes, np.int64),
        entries=np.empty((2 * cells + 2, 4), np.int64),
        first=np.empty(LONGEST + 1, np.int64),
        last=np.empty(LONGEST + 1, np.int64),
        state=np.zeros(2, np.int64),
    )


@njit(cache=True)
def excess_of(tree, joined, table, floor, totals):  # type: ignore[no-untyped-def]
    """What comes in at each node less what goes out, int64 of shape (nodes,), in parts of 1 / SCALE.

    `floor` int64 of shape (cells of the table,), each cell's lower multiple; `totals` int64 of
    shape (units,); both in the same parts.
    """
    columns = joined.columns[table]
    size = len(floor)
    tops = tree.offsets[len(tree.offsets) - 2]
    excess = np.zeros(size + len(tree.parents) - tops, np.int64)
    for unit in range(len(tree.parents)):
        if unit < tree.areas:
            excess[unit * columns + columns - 1] += totals[unit]
        if unit >= tops:
            excess[size + unit - tops] -= totals[unit]
        for cell in range(unit * columns, unit * columns + columns - 1):
            value = floor[cell] + _above(joined, joined.starts[table] + cell)
            excess[_tail(tree, columns, cell)] -= value
            excess[_head(tree, columns, size, tops, cell)] += value
    return excess


@njit(cache=True)
def route(tree, joined, table, shared, excess, figures, room):  # type: ignore[no-untyped-def]
    """Send every node's excess to nodes that lack, in place.

    `figures` uint64 of shape (cells of the table,).  Returns how many times totals were
    moved, after which other tables have excess, and how many nodes are left with any.
    """
    nodes = np.flatnonzero(excess)
    moves = 0
    for freeing, moving, budget in PASSES:
        for sign in (1, -1):
            for node in nodes:
                while excess[node] * sign > 0:
                    end = _seek(
                        tree, joined, table, shared, excess, figures, room, node, NEAREST, sign, freeing, moving, budget
                    )
                    if end < 0:
                        break
                    moves += _send(tree, joined, table, shared, excess, room, node, end, sign, freeing)
        nodes = nodes[excess[nodes] != 0]
    nodes = nodes[np.argsort(_places(tree, nodes, joined.columns[table], len(figures)), kind="mergesort")]
    for index in range(len(nodes)):
        node = nodes[index]
        while excess[node] != 0:
            sign = 1 if excess[node] > 0 else -1
            goal = _next(excess, nodes, index, sign)
            end = _seek(tree, joined, table, shared, excess, figures, room, node, goal, sign, True, True, UNBOUND)
            if end < 0:
                break
            moves += _send(tree, joined, table, shared, excess, room, node, end, sign, True)
    return moves, np.count_nonzero(excess)


@njit(cache=True)
def _places(tree, nodes, columns, size):  # type: ignore[no-untyped-def]
    """The first smallest area under each node."""
    places = np.empty(len(nodes), np.int64)
    for index in range(len(nodes)):
        unit = _unit_of(tree, columns, size, nodes[index])
        while unit >= tree.areas:
            unit = tree.children[tree.first_child[unit]]
        places[index] = unit
    return places


@lean
def _next(excess, nodes, index, sign):  # type: ignore[no-untyped-def]
    """The nearest of the nodes, in their order, that lacks what this one has too much of; -1 where none does."""
    for step in range(1, len(nodes)):
        if index - step >= 0 and excess[nodes[index - step]] * sign < 0:
            return nodes[index - step]
        if index + step < len(nodes) and excess[nodes[index + step]] * sign < 0:
            return nodes[index + step]
    return np.int64(-1)


@lean
def _unit_of(tree, columns, size, node):  # type: ignore[no-untyped-def]
    return tree.offsets[len(tree.offsets) - 2] + node - size if node >= size else node // columns


@lean
def _least_steps(tree, columns, size, node, goal):  # type: ignore[no-untyped-def]
    """No way between two nodes has fewer steps than there are levels to climb and to descend; 0 where there is no goal."""
    if goal < 0:
        return np.int64(0)
    one = _unit_of(tree, columns, size, node)
    two = _unit_of(tree, columns, size, goal)
    steps = np.int64(0)
    while one != two:
        # Units are numbered level by level: the smaller number is on the lower level, or both are on the same.
        if one < two:
            one = tree.parents[one]
        else:
            two = tree.parents[two]
        steps += 1
        if one < 0 or two < 0:
            return np.int64(0)
    return steps


@lean
def _above(joined, cell):  # type: ignore[no-untyped-def]
    """A cell above its lower multiple, held or not."""
    offset = np.int64(joined.offset[cell])
    if offset < 0:
        return np.int64(joined.width) if offset == HELD_HIGH else np.int64(0)
    return offset


@lean
def _spare(joined, shared, start, columns, cell, rises, freeing):  # type: ignore[no-untyped-def]
    """How far a cell of a table may rise, or fall."""
    unit = cell // columns
    if cell - unit * columns == columns - 1:
        if shared.held[unit] and not freeing:
            return np.int64(0)
        value = shared.values[unit]
        return SCALE * (shared.ceiling[unit] - value if rises else value - shared.floor[unit])
    offset = joined.offset[start + cell]
    if offset == SHUT or (offset < 0 and not freeing):
        return np.int64(0)
    above = _above(joined, start + cell)
    return joined.width - above if rises else above


@lean
def _tail(tree, columns, cell):  # type: ignore[no-untyped-def]
    unit = cell // columns
    return unit * columns + columns - 1 if unit < tree.areas else cell


@lean
def _head(tree, columns, size, tops, cell):  # type: ignore[no-untyped-def]
    unit = cell // columns
    parent = tree.parents[unit]
    return size + unit - tops if parent < 0 else parent * columns + cell - unit * columns


@lean
def _add(room, node, came, back, distance):  # type: ignore[no-untyped-def]
    """Note a node to be looked at, at a distance."""
    slot = distance % (LONGEST + 1)
    entry = room.state[1]
    room.state[1] += 1
    room.entries[entry, 0] = node
    room.entries[entry, 1] = came
    room.entries[entry, 2] = back
    room.entries[entry, 3] = -1
    if room.first[slot] < 0:
        room.first[slot] = entry
    else:
        room.entries[room.last[slot], 3] = entry
    room.last[slot] = entry


@lean
def _seek(  # type: ignore[no-untyped-def]
    tree, joined, table, shared, excess, figures, room, start, goal, sign, freeing, moving, budget
):
    """The nearest node of the other sign that has a way from the start (to it, for sign -1), or -1.

    With a goal the search makes for that; any such node that it meets will do.
    """
    size = joined.starts[table + 1] - joined.starts[table]
    columns = joined.columns[table]
    room.state[0] += 1
    room.state[1] = 0
    room.first[:] = -1
    distance = np.int64(_least_steps(tree, columns, size, start, goal))
    _add(room, start, -1, -1, distance)
    idle = 0
    while idle <= LONGEST:
        slot = distance % (LONGEST + 1)
        entry = room.first[slot]
        if entry < 0:
            distance += 1
            idle += 1
            continue
        idle = 0
        room.first[slot] = room.entries[entry, 3]
        node = room.entries[entry, 0]
        if room.stamp[node] == room.state[0]:
            continue
        room.stamp[node] = room.state[0]
        room.came[node] = room.entries[entry, 1]
        room.back[node] = room.entries[entry, 2]
        if excess[node] * sign < 0:
            return node
        if budget == 0:
            return np.int64(-1)
        budget -= 1
        past = distance - _least_steps(tree, columns, size, node, goal)
        _spread(tree, joined, table, shared, figures, room, node, goal, past, sign, freeing, moving)
    return np.int64(-1)


@lean
def _spread(  # type: ignore[no-untyped-def]
    tree, joined, table, shared, figures, room, node, goal, past, sign, freeing, moving
):
    """Note all nodes next to one; where to begin among them comes from the hash of its figure."""
    start, columns = joined.starts[table], joined.columns[table]
    size = joined.starts[table + 1] - start
    tops = tree.offsets[len(tree.offsets) - 2]
    last = columns - 1
    at_hub = node >= size
    unit = tops + node - size if at_hub else node // columns
    k = last if at_hub else node - unit * columns
    below = tree.first_child[unit]
    children = tree.first_child[unit + 1] - below
    # An area and a hub have their categories next to them; a category its own cell, above, and those of its children;
    # a unit's total its own cell, above, and those of its children, the other way round.
    whole = k == last and not at_hub
    spread = last if at_hub or (whole and unit < tree.areas) else children
    ways = spread + (1 if moving or k < last else 0)
    # A figure's hash is a multiple of its count: its upper half is what is spread evenly.
    turn = np.int64((figures[unit * columns + k] >> np.uint64(32)) % np.uint64(ways)) if ways > 0 else np.int64(0)
    for number in range(ways):
        way = number + turn if number + turn < ways else number + turn - ways
        own = way == spread
        if at_hub:
            # Down to the top unit's categories against their direction; down its total with it.
            cell = unit * columns + (last if own else way)
            along = own
            onward = cell if own else _tail(tree, columns, cell)
        elif whole:
            climbs = own or unit < tree.areas
            cell = node if own else (unit * columns + way if climbs else tree.children[below + way] * columns + last)
            along = not own
            onward = _head(tree, columns, size, tops, cell) if climbs else cell
        else:
            cell = node if own else tree.children[below + way] * columns + k
            along = own
            onward = _head(tree, columns, size, tops, cell) if own else _tail(tree, columns, cell)
        if room.stamp[onward] == room.state[0]:
            continue
        if _spare(joined, shared, start, columns, cell, along == (sign > 0), freeing) == 0:
            continue
        here = cell // columns
        total = cell - here * columns == last
        step = 1 + (MOVED * min(OFTEN, 1 + shared.moved[here]) if total else 0)
        if (total and shared.held[here]) or (not total and joined.offset[start + cell] < 0):
            step += HELD - 1
        step += _least_steps(tree, columns, size, onward, goal)
        _add(room, onward, 2 * cell + along, node, past + step)


@lean
def _send(tree, joined, table, shared, excess, room, start, end, sign, freeing):  # type: ignore[no-untyped-def]
    """Send along the path found as much as it has room for, and as both ends need; what is held on it is freed.

    Tells whether a total was moved.
    """
    first, columns = joined.starts[table], joined.columns[table]
    part = min(abs(excess[start]), abs(excess[end]))
    node = end
    while node != start:
        came = room.came[node]
        rises = ((came & 1) == 1) == (sign > 0)
        part = min(part, _spare(joined, shared, first, columns, came >> 1, rises, freeing))
        node = room.back[node]
    moved = False
    node = end
    while node != start:
        came = room.came[node]
        cell = came >> 1
        by = part if ((came & 1) == 1) == (sign > 0) else -part
        unit = cell // columns
        if cell - unit * columns == columns - 1:
            shared.values[unit] += by // SCALE
            shared.held[unit] = False
            shared.moved[unit] += 1
            moved = True
        else:
            joined.offset[first + cell] = _above(joined, first + cell) + by
        node = room.back[node]
    excess[start] -= sign * part
    excess[end] += sign * part
    return moved
