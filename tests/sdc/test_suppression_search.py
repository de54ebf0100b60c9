"""Paths over hidden and shown cells, against a plain search."""

import numpy as np
from attack_tools import tree
from hypothesis import given, settings
from hypothesis import strategies as st
from suppression_tools import random_table, table_of

from sdc.network import build_network, flatten
from sdc.suppression.arcs import MUST_SHOW, hide_cell, hide_cells, make_arcs, show_cell
from sdc.suppression.meeting import demands_of, meet_all, still_unmet
from sdc.suppression.search import find_free, find_paid, hide_path, make_scratch, push_path, undo_pushes

NONE = -1


def random_search(seed):
    """A graph of which some cells are hidden and some must be shown, prices at random."""
    rng = np.random.default_rng(seed)
    table = random_table(seed, areas=(3, 8), levels=3)
    network = build_network(table.hierarchy, len(table.classification))
    cells = len(network.tails)
    price = np.where(rng.random(cells) < 0.1, MUST_SHOW, rng.integers(10, 100, cells)).astype(np.int32)
    arcs = make_arcs(network, counts=flatten(table.counts), price=price, lower=0, upper=1 << 40)
    hide_cells(arcs, np.flatnonzero(rng.random(cells) < 0.4).astype(np.int32))
    return network, arcs, make_scratch(arcs), rng


def steps(arcs, need, paid):
    """Every step (from, to, price) with room."""
    found = []
    for code in range(len(arcs.to)):
        toll = 1 if arcs.hidden[code >> 1] else int(arcs.price[code >> 1])
        if arcs.room[code] >= need and (arcs.hidden[code >> 1] or (paid and toll < MUST_SHOW)):
            found.append((int(arcs.to[code ^ 1]), int(arcs.to[code]), toll))
    return found


def least_price(arcs, source, target, need, *, paid):
    """Bellman and Ford's."""
    far = {source: 0}
    edges = steps(arcs, need, paid)
    for _ in range(len(arcs.open)):
        changed = False
        for a, b, toll in edges:
            if a in far and far[a] + toll < far.get(b, 1 << 60):
                far[b] = far[a] + toll
                changed = True
        if not changed:
            break
    return far.get(target)


@given(seed=st.integers(0, 10**9), need=st.integers(1, 4))
@settings(deadline=None, max_examples=60)
def test_paths_are_found_where_there_are_any_and_cost_the_least(seed, need):
    network, arcs, scratch, rng = random_search(seed)
    source, target = (int(node) for node in rng.integers(0, network.nodes, 2))
    meet, price = find_paid(arcs, scratch, source, target, need, 1 << 36)
    expected = least_price(arcs, source, target, need, paid=True)
    assert (meet == NONE) == (expected is None)
    if expected is not None:
        assert price == expected
        assert find_paid(arcs, scratch, source, target, need, price)[0] == (meet if source == target else NONE)
    free = find_free(arcs, scratch, source, target, need)
    assert (free == NONE) == (least_price(arcs, source, target, need, paid=False) is None)


@given(seed=st.integers(0, 10**9))
@settings(deadline=None, max_examples=40)
def test_what_is_pushed_keeps_sums_and_can_be_undone(seed):
    network, arcs, scratch, rng = random_search(seed)
    before = arcs.room.copy()
    source, target = (int(node) for node in rng.integers(0, network.nodes, 2))
    total = 0
    for _ in range(3):
        meet = find_paid(arcs, scratch, source, target, 1, 1 << 36)[0]
        if meet == NONE or source == target:
            break
        hide_path(arcs, scratch, meet, np.empty(len(arcs.hidden), np.int32), 0)
        total += push_path(arcs, scratch, meet, 3)
    moved = before[0::2] - arcs.room[0::2]
    surplus = np.zeros(network.nodes, np.int64)
    np.add.at(surplus, network.heads, moved)
    np.subtract.at(surplus, network.tails, moved)
    expected = np.zeros(network.nodes, np.int64)
    expected[target] += total
    expected[source] -= total
    assert np.array_equal(surplus, expected) and arcs.room.min() >= 0
    assert np.array_equal(arcs.room[0::2] + arcs.room[1::2], before[0::2] + before[1::2])
    assert arcs.hidden[moved != 0].all()
    undo_pushes(arcs, scratch)
    assert np.array_equal(arcs.room, before)


@given(seed=st.integers(0, 10**9))
@settings(deadline=None, max_examples=30)
def test_hidden_cells_stand_first_at_every_node(seed):
    network, arcs, _, rng = random_search(seed)
    for cell in rng.integers(0, len(arcs.hidden), 40):
        (show_cell if arcs.hidden[cell] else hide_cell)(arcs, cell)
    assert sorted(arcs.codes.tolist()) == list(range(len(arcs.codes)))
    assert np.array_equal(arcs.codes[arcs.slot], np.arange(len(arcs.codes)))
    for node in range(network.nodes):
        here = arcs.codes[arcs.first[node] : arcs.first[node + 1]]
        assert all(arcs.to[code ^ 1] == node for code in here)
        hidden = arcs.hidden[here >> 1]
        assert hidden[: arcs.open[node]].all() and not hidden[arcs.open[node] :].any()


def test_a_demand_is_met_or_told():
    """The corner of a square whose sums must be shown can grow by what its row holds, not by more."""
    table = table_of([[3, 9], [8, 30]])
    network = build_network(table.hierarchy, 2)
    counts = flatten(table.counts)
    inner = np.array([0, 1, 3, 4])
    price = np.full(len(counts), MUST_SHOW, np.int32)
    price[inner] = 10
    for amount, unmet in ((8, False), (9, True)):
        arcs = make_arcs(network, counts=counts, price=price, lower=0, upper=1 << 40)
        demands = demands_of(np.array([0]), lower=np.array([3]), upper=np.array([amount]))
        hide_cell(arcs, 0)
        found = np.zeros(2, bool)
        number = meet_all(arcs, make_scratch(arcs), demands, np.empty(len(counts), np.int32), found)
        assert found.tolist() == [unmet, False] and number == 3 and arcs.hidden[inner].all()
        still_unmet(arcs, make_scratch(arcs), demands, found)
        assert found.tolist() == [unmet, False]


def test_one_path_must_carry_all_where_that_is_asked():
    """Two partners of 4 and 5 carry 7 between them, not alone; one of 20 does."""
    table = table_of([[9], [4], [5], [20]], [0, 0, 0, 0])
    totals = table.totals()
    network = build_network(totals.hierarchy, 0)
    counts = flatten(totals.counts)
    for whole, expected in ((False, [0, 1, 2]), (True, [0, 3])):
        price = np.array([1, 1, 1, 90, MUST_SHOW], np.int32)
        arcs = make_arcs(network, counts=counts, price=price, lower=0, upper=1 << 40)
        for cell in (0, 1, 2) if not whole else (0,):
            hide_cell(arcs, cell)
        demands = demands_of(np.array([0]), lower=np.array([0]), upper=np.array([7]), whole=whole)
        unmet = np.zeros(2, bool)
        meet_all(arcs, make_scratch(arcs), demands, np.empty(len(counts), np.int32), unmet)
        assert not unmet.any() and np.flatnonzero(arcs.hidden).tolist() == expected


def test_tree_has_a_border_only_without_categories():
    """Where all smallest areas end at one node, that node is a border."""
    plain = build_network(tree([0, 0]), 0)
    counts = np.array([3, 4, 7])
    arcs = make_arcs(plain, counts=counts, price=np.ones(3, np.int32), lower=0, upper=9)
    assert arcs.border.tolist() == [plain.nodes - 1]
    classified = build_network(tree([0, 0]), 2)
    counts = np.array([1, 2, 3, 1, 3, 4, 2, 5, 7])
    arcs = make_arcs(classified, counts=counts, price=np.ones(9, np.int32), lower=0, upper=9)
    assert arcs.border.tolist() == [classified.nodes]
