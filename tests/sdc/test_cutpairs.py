"""Cut-pair labels, against bridges after removing one arc."""

from itertools import pairwise

import numpy as np
from attack_tools import tree
from hypothesis import given, settings
from hypothesis import strategies as st
from suppression_tools import hidden_arcs, random_graph

from sdc.attack.bridges import find_bridges
from sdc.attack.cutpairs import cut_classes, cut_labels


def words_for(number, seed=0):
    return np.random.default_rng(seed).integers(1, 2**63, number).astype(np.uint64)


def pairs_by_removal(tails, heads, nodes):
    """Arcs i, j, neither a bridge, where j is one without i."""
    bridge = find_bridges(tails, heads, nodes)
    pairs = set()
    for i in np.flatnonzero(~bridge):
        rest = np.delete(np.arange(len(tails)), i)
        new = rest[find_bridges(tails[rest], heads[rest], nodes) & ~bridge[rest]]
        pairs |= {(int(i), int(j)) for j in new}
    return pairs


@given(seed=st.integers(0, 10**9))
@settings(deadline=None, max_examples=150)
def test_labels_are_equal_for_cut_pairs_and_0_for_bridges(seed):
    tails, heads, nodes = random_graph(seed)
    labels = cut_labels(tails, heads, nodes, words_for(len(tails), seed))
    assert np.array_equal(labels == 0, find_bridges(tails, heads, nodes))
    found = {(i, j) for i in range(len(tails)) for j in range(len(tails)) if i != j and labels[i] == labels[j] != 0}
    assert found == pairs_by_removal(tails, heads, nodes)


@given(seed=st.integers(0, 10**9))
@settings(deadline=None, max_examples=30)
def test_classes_do_not_hang_on_the_words(seed):
    tails, heads, nodes = random_graph(seed)
    both = [classes_of(cut_labels(tails, heads, nodes, words_for(len(tails), k))) for k in (1, 2)]
    assert both[0] == both[1]


def classes_of(labels):
    members, first = cut_classes(labels)
    return sorted(sorted(members[a:b].tolist()) for a, b in pairwise(first))


def test_v20_a_hidden_square_is_one_class_of_4():
    tails, heads, nodes = hidden_arcs(tree([0, 0]), 3, [(0, unit, column) for unit in (0, 1) for column in (0, 1)])
    assert classes_of(cut_labels(tails, heads, nodes, words_for(4))) == [[0, 1, 2, 3]]


def test_v20_a_hidden_block_of_2_by_3_has_three_classes_of_2():
    """The two cells of a column: a known cell gives only its column partner."""
    cells = [(0, unit, column) for unit in (0, 1) for column in (0, 1, 2)]
    tails, heads, nodes = hidden_arcs(tree([0, 0]), 3, cells)
    assert classes_of(cut_labels(tails, heads, nodes, words_for(6))) == [[0, 3], [1, 4], [2, 5]]


def test_a_word_of_0_is_no_bridge():
    tails, heads = np.array([0, 1]), np.array([1, 0])
    assert np.all(cut_labels(tails, heads, 2, np.zeros(2, np.uint64)) != 0)


def test_no_arcs():
    none = np.zeros(0, np.int32)
    members, first = cut_classes(cut_labels(none, none, 2, np.zeros(0, np.uint64)))
    assert members.tolist() == [] and first.tolist() == [0]
