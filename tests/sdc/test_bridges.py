"""Bridges and blocks, against removing arcs one by one."""

import numpy as np
from attack_tools import tree
from hypothesis import given, settings
from hypothesis import strategies as st
from suppression_tools import components, hidden_arcs, random_graph

from sdc.attack.bridges import arcs_by_node, blocks, find_bridges


def bridges_by_removal(tails, heads, nodes):
    whole = len(set(components(tails, heads, nodes)))
    left = [np.delete(np.arange(len(tails)), arc) for arc in range(len(tails))]
    return [len(set(components(tails[rest], heads[rest], nodes))) > whole for rest in left]


@given(seed=st.integers(0, 10**9))
@settings(deadline=None, max_examples=150)
def test_bridges_are_what_falls_apart(seed):
    tails, heads, nodes = random_graph(seed)
    assert find_bridges(tails, heads, nodes).tolist() == bridges_by_removal(tails, heads, nodes)


@given(seed=st.integers(0, 10**9))
@settings(deadline=None, max_examples=60)
def test_blocks_are_components_without_bridges(seed):
    tails, heads, nodes = random_graph(seed)
    bridge = find_bridges(tails, heads, nodes)
    found = blocks(tails, heads, nodes, bridge)
    assert np.array_equal(found < 0, bridge)
    part = np.array(components(tails[~bridge], heads[~bridge], nodes))
    expected = part[tails[~bridge]]
    same = found[~bridge][:, None] == found[~bridge][None, :]
    assert np.array_equal(same, expected[:, None] == expected[None, :])
    assert set(found[~bridge]) == set(range(len(set(found[~bridge]))))


def test_parallel_arcs_and_loops_are_no_bridges():
    tails, heads = np.array([0, 0, 1, 2]), np.array([1, 1, 1, 1])
    assert find_bridges(tails, heads, 3).tolist() == [False, False, False, True]


def test_no_arcs():
    none = np.zeros(0, np.int32)
    assert find_bridges(none, none, 3).tolist() == []
    assert blocks(none, none, 3, np.zeros(0, bool)).tolist() == []


def test_arcs_by_node_lists_every_end_once():
    tails, heads, nodes = random_graph(7)
    first, ends = arcs_by_node(tails, heads, nodes)
    assert sorted(ends.tolist()) == list(range(2 * len(tails)))
    for node in range(nodes):
        here = ends[first[node] : first[node + 1]]
        assert all((heads if end & 1 else tails)[end >> 1] == node for end in here)


def test_v20_three_hidden_cells_in_one_row_are_three_bridges():
    """Nothing else is hidden: each follows from its column."""
    tails, heads, nodes = hidden_arcs(tree([0, 0]), 3, [(0, 0, 0), (0, 0, 1), (0, 0, 2)])
    assert find_bridges(tails, heads, nodes).tolist() == [True] * 3


def test_v20_squares_and_rectangles_have_no_bridge():
    square = [(0, unit, column) for unit in (0, 1) for column in (0, 1)]
    rectangle = [(0, unit, column) for unit in (0, 1) for column in (0, 1, 2)]
    for cells in (square, rectangle):
        assert not find_bridges(*hidden_arcs(tree([0, 0]), 3, cells)).any()
