"""Area tree × flat classification as a circulation: conservation is additivity, node by node."""

import numpy as np
import pytest
from attack_tools import flat, tree, true_table
from hypothesis import given, settings
from hypothesis import strategies as st

from sdc.network import build_network, flatten, unflatten
from sdc.tables import Hierarchy, Table

TREES = {
    "one level": Hierarchy(levels=("oa",), codes=(np.array(["A", "B", "C"]),), parents=()),
    "one top": tree([0, 0, 1, 1, 1], [0, 0]),
    "two tops": Hierarchy(
        levels=("oa", "lsoa", "lad"),
        codes=tuple(np.array([f"{level}{i}" for i in range(n)]) for level, n in (("o", 6), ("s", 3), ("t", 2))),
        parents=(np.array([2, 0, 1, 0, 2, 1], np.int32), np.array([1, 0, 1], np.int32)),
    ),
    "only children": tree([0, 1, 1], [0, 0], [0]),
}
CASES = [(name, categories) for name in TREES for categories in (0, 1, 2, 3)]


def incidence(network):
    """Nodes × cells: +1 where a cell's flow enters, -1 where it leaves."""
    matrix = np.zeros((network.nodes, len(network.tails)), np.int64)
    np.add.at(matrix, (network.heads, np.arange(len(network.heads))), 1)
    np.add.at(matrix, (network.tails, np.arange(len(network.tails))), -1)
    return matrix


def indicators(hierarchy, categories):
    """The flow of one record in each finest cell, a row each."""
    rows = []
    for area in range(hierarchy.units[0]):
        for category in range(max(categories, 1)):
            finest = np.zeros((hierarchy.units[0], max(categories, 1)), np.int64)
            finest[area, category] = 1
            table = Table.from_finest(hierarchy=hierarchy, classification=flat(categories), finest=finest)
            rows.append(flatten(table.counts))
    return np.array(rows)


@pytest.mark.parametrize(("name", "categories"), CASES)
def test_circulations_are_the_additive_tables_and_no_others(name, categories):
    """Every additive table is a circulation, and both spaces have one dimension per finest cell."""
    hierarchy = TREES[name]
    matrix = incidence(build_network(hierarchy, categories))
    records = indicators(hierarchy, categories)
    assert not (matrix @ records.T).any()
    assert np.linalg.matrix_rank(records) == len(records)
    assert matrix.shape[1] - np.linalg.matrix_rank(matrix) == len(records)


@settings(deadline=None, max_examples=80)
@given(st.data())
def test_conservation_holds_just_when_a_table_is_additive(data):
    hierarchy, categories = TREES[data.draw(st.sampled_from(sorted(TREES)))], data.draw(st.integers(0, 3))
    finest = data.draw(
        st.lists(
            st.lists(st.integers(0, 9), min_size=max(categories, 1), max_size=max(categories, 1)),
            min_size=hierarchy.units[0],
            max_size=hierarchy.units[0],
        )
    )
    classification = flat(categories)
    table = Table.from_finest(hierarchy=hierarchy, classification=classification, finest=np.array(finest))
    flow = flatten(table.counts)
    for cell in data.draw(st.lists(st.integers(0, len(flow) - 1), max_size=3)):
        flow[cell] += data.draw(st.integers(0, 2))
    network = build_network(hierarchy, categories)
    arrays = unflatten(flow, hierarchy, network.columns)
    try:
        Table(hierarchy=hierarchy, classification=classification, counts=arrays)
        additive = True
    except ValueError:
        additive = False
    assert (not (incidence(network) @ flow).any()) == additive


@pytest.mark.parametrize(("name", "categories"), CASES)
def test_every_node_number_is_used_and_none_is_beyond(name, categories):
    network = build_network(TREES[name], categories)
    assert np.array_equal(np.unique(np.concatenate([network.tails, network.heads])), np.arange(network.nodes))
    units = TREES[name].units
    expected = sum(units) + categories * sum(units[1:]) + units[-1] - (units[0] if categories == 0 else 0)
    assert network.nodes == expected  # R and C nodes and the hubs; without categories the smallest R falls away


def test_nodes_of_two_areas_under_one_by_hand():
    """R(0, 0..1) = 0, 1; R(1, 0) = 2; C(1, 0, 0..1) = 3, 4; H = 5."""
    network = build_network(tree([0, 0]), 2)
    arcs = list(zip(network.tails.tolist(), network.heads.tolist(), strict=True))
    assert arcs == [
        (0, 3), (0, 4), (2, 0),  # area 0: two categories, total
        (1, 3), (1, 4), (2, 1),  # area 1
        (3, 5), (4, 5), (5, 2),  # the top: categories into the hub, total out of it
    ]  # fmt: skip


def test_top_units_share_no_rule():
    """One hub per top unit, and nothing joins the parts of the network under two of them."""
    network = build_network(TREES["two tops"], 2)
    hubs = network.tails[[network.cell(2, unit, 2) for unit in range(2)]]
    assert hubs.tolist() == [network.nodes - 2, network.nodes - 1]
    label = np.arange(network.nodes)
    for _ in range(network.nodes):
        lowest = np.minimum(label[network.tails], label[network.heads])
        np.minimum.at(label, network.tails, lowest)
        np.minimum.at(label, network.heads, lowest)
    assert len(np.unique(label)) == 2 and label[hubs[0]] != label[hubs[1]]
    matrix = incidence(network)
    assert matrix.shape[0] - np.linalg.matrix_rank(matrix) == 2


@pytest.mark.parametrize(("name", "categories"), CASES)
def test_adjacency_lists_every_end_of_every_cell(name, categories):
    network = build_network(TREES[name], categories)
    seen = []
    for node in range(network.nodes):
        for end in network.arcs[network.first_arc[node] : network.first_arc[node + 1]].tolist():
            cell, at_head = end // 2, end % 2
            assert (network.heads if at_head else network.tails)[cell] == node
            seen.append(end)
    assert sorted(seen) == list(range(2 * len(network.tails)))


@pytest.mark.parametrize(("name", "categories"), CASES)
def test_cells_are_numbered_as_tables_are_flattened(name, categories):
    hierarchy = TREES[name]
    network = build_network(hierarchy, categories)
    numbered = np.arange(len(network.tails))
    arrays = unflatten(numbered, hierarchy, network.columns)
    assert np.array_equal(flatten(arrays), numbered)
    for level, array in enumerate(arrays):
        assert array.shape == (hierarchy.units[level], categories + 1)
        for unit in range(array.shape[0]):
            for column in range(array.shape[1]):
                assert array[unit, column] == network.cell(level, unit, column)
    assert network.starts[-1] == len(network.tails)


def test_a_table_survives_flattening():
    table = true_table(TREES["two tops"], [[i, 2 * i] for i in range(6)])
    again = unflatten(flatten(table.counts), table.hierarchy, 3)
    assert all(np.array_equal(a, b) for a, b in zip(again, table.counts, strict=True))
