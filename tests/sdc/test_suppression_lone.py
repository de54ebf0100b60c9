"""Lone claimants: what they can prove, by enumeration, against what the method guards."""

from dataclasses import replace

import numpy as np
from attack_tools import flat, tree
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from suppression_tools import KEY, PLAIN, hidden_of, random_table, small, table_of, tables_near

from common.faults import Infeasible
from sdc.network import build_network, flatten
from sdc.suppression.arcs import MUST_SHOW, hide_cells, make_arcs
from sdc.suppression.claimants import claimants_of
from sdc.suppression.guard import keeps_claimants, make_guard
from sdc.suppression.lone import find_exposed, hide_from_claimants
from sdc.suppression.region import make_region
from sdc.suppression.search import make_scratch
from sdc.suppression.suppress import suppress_table
from sdc.tables import Table

GUARDED = replace(PLAIN, min_count=3, lone_claimants=True)


def cells_of_person(table, finest):
    """Cells that the only claimant of a finest cell stands alone in: (level, unit, column)."""
    unit, column = finest
    total = table.counts[0].shape[1] - 1
    cells = []
    for level in range(len(table.counts)):
        above = int(table.hierarchy.ancestors(0, level)[unit])
        cells += [(level, above, k) for k in (column, total) if table.counts[level][above, k] == 1]
    return cells


def learned_by(table, hidden, near, known):
    """Hidden cells that are the same in every table that looks the same and agrees on the known cells."""
    fits = np.ones(len(near[0]), bool)
    for level, unit, column in known:
        fits &= near[level][:, unit, column] == table.counts[level][unit, column]
    return {
        (level, int(unit), int(column))
        for level, values in enumerate(near)
        for unit, column in np.argwhere(hidden[level] & (values[fits] == values[fits][0]).all(axis=0))
    }


def is_within(table, cell, other):
    """Whether a cell lies within another."""
    total = table.counts[0].shape[1] - 1
    if cell[0] > other[0] or (other[2] not in (total, cell[2])):
        return False
    return int(table.hierarchy.ancestors(cell[0], other[0])[cell[1]]) == other[1]


def secrets_told(table, hidden, near):
    """Cells that some lone claimant learns, their own affairs left out: by enumeration."""
    outsider = learned_by(table, hidden, near, [])
    told = set()
    for finest in np.argwhere(table.counts[0][:, :-1] == 1):
        own = cells_of_person(table, finest)
        whole = [cell for cell in own if hidden[cell[0]][cell[1:]]]
        for known in [*([cell] for cell in whole), whole]:
            learned = learned_by(table, hidden, near, known) - outsider - set(own)
            told |= {cell for cell in learned if not any(is_within(table, cell, other) for other in known)}
    return told


@given(seed=st.integers(0, 10**9))
@settings(deadline=None, max_examples=80)
def test_nobody_who_stands_alone_learns_a_cell(seed):
    table = random_table(seed, areas=(2, 5), categories=(2, 4), mean=2.0, levels=2)
    try:
        safe, _ = suppress_table(table, primary=small(table, 3), spec=GUARDED, key=KEY)
    except Infeasible:
        return
    hidden = hidden_of(safe)
    assume(hidden[0][:, :-1].sum() < 8)
    near = tables_near(table, hidden, 2)
    assume(near is not None)
    assert not secrets_told(table, hidden, near)


@given(seed=st.integers(0, 10**9))
@settings(deadline=None, max_examples=80)
def test_what_is_found_to_be_learned_is_learned_and_nothing_else_is(seed):
    """On patterns without guard, all of whose cells can move: exactly the cells found by enumeration."""
    table = random_table(seed, areas=(2, 5), categories=(2, 4), mean=2.0, levels=2)
    try:
        safe, _ = suppress_table(table, primary=small(table, 3), spec=replace(GUARDED, lone_claimants=False), key=KEY)
    except Infeasible:
        return
    hidden = hidden_of(safe)
    assume(hidden[0][:, :-1].sum() < 8)
    near = tables_near(table, hidden, 2)
    assume(near is not None)
    _, arcs, scratch, claimants, words, exposed = exposed_by(table, hidden)
    network = build_network(table.hierarchy, len(table.classification))
    expected = {network.cell(*cell) for cell in secrets_told(table, hidden, near)}
    assert set(exposed.cell.tolist()) == expected
    # The guard, which looks at one component at a time, finds the same.
    guard = make_guard(claimants, words, network.nodes, on=True)
    ends = {
        int(node) for cell in np.flatnonzero(flatten(hidden)) for node in (network.tails[cell], network.heads[cell])
    }
    assert all(keeps_claimants(arcs, scratch, guard, node, 1000) for node in ends) == (not expected)


def test_what_is_read_off_labels_is_what_trials_find():
    """On larger tables: claimants of several cells, by labels and cell by cell."""
    told = 0
    for seed in range(60):
        table = random_table(seed, areas=(12, 30), categories=(3, 9), mean=1.2, levels=3)
        plain = replace(GUARDED, min_count=5, lone_claimants=False)
        try:
            safe, _ = suppress_table(table, primary=small(table, 5), spec=plain, key=KEY)
        except Infeasible:
            continue
        network, arcs, scratch, claimants, words, exposed = exposed_by(table, hidden_of(safe))
        tried = find_exposed(network, arcs, scratch, claimants, words, make_region(0))
        assert read_by_claimant(exposed) == read_by_claimant(tried)
        told += int(exposed.together.sum())
    assert told > 0


def read_by_claimant(exposed):
    """Who learns what, of claimants of several cells."""
    return {
        (tuple(sorted(exposed.known[exposed.first[i] : exposed.first[i + 1]].tolist())), int(exposed.cell[i]))
        for i in np.flatnonzero(exposed.together)
    }


def exposed_by(table, hidden, shown=()):
    network = build_network(table.hierarchy, len(table.classification))
    counts = flatten(table.counts)
    price = np.full(len(counts), 10, np.int32)
    price[list(shown)] = MUST_SHOW
    arcs = make_arcs(network, counts=counts, price=price, lower=0, upper=1 << 40)
    hide_cells(arcs, np.flatnonzero(flatten(hidden)).astype(np.int32))
    scratch, claimants = make_scratch(arcs), claimants_of(table)
    words = np.random.default_rng(0).integers(1, 2**63, len(counts)).astype(np.uint64)
    return network, arcs, scratch, claimants, words, find_exposed(network, arcs, scratch, claimants, words)


def square():
    """One claimant in the corner of a hidden square; another column and row are shown."""
    table = table_of([[1, 20, 9], [30, 40, 9], [8, 8, 8]])
    hidden = tuple(np.zeros(counts.shape, bool) for counts in table.counts)
    hidden[0][:2, :2] = True
    return table, hidden


def test_the_claimant_of_a_square_reads_its_other_three_cells():
    table, hidden = square()
    *_, exposed = exposed_by(table, hidden)
    assert sorted(exposed.cell.tolist()) == [1, 4, 5] and not exposed.together.any()
    assert exposed.known.tolist() == [0, 0, 0]


def test_mending_hides_until_nobody_learns():
    table, hidden = square()
    network, arcs, scratch, claimants, words, exposed = exposed_by(table, hidden)
    added, unmended = hide_from_claimants(arcs, scratch, exposed)
    assert len(added) and not unmended.any() and arcs.hidden[added].all()
    assert not len(find_exposed(network, arcs, scratch, claimants, words))


def test_what_cannot_be_mended_is_told():
    table, hidden = square()
    others = np.flatnonzero(~flatten(hidden))
    _, arcs, scratch, _, _, exposed = exposed_by(table, hidden, shown=others)
    added, unmended = hide_from_claimants(arcs, scratch, exposed)
    assert not len(added) and unmended.all()


def test_who_stands_alone_where():
    """One claimant in the first area, alone there and in their category of the first LSOA."""
    table = Table.from_finest(
        hierarchy=tree([0, 0, 1], [0, 0]), classification=flat(2), finest=np.array([[1, 0], [0, 7], [9, 9]])
    )
    alone = claimants_of(table).alone.reshape(-1, 3)
    assert (alone >= 0).tolist() == [
        [True, False, True],
        [False, False, False],
        [False, False, False],
        [True, False, False],
        [False, False, False],
        [False, False, False],
    ]
    assert len(set(alone[alone >= 0].tolist())) == 1


def test_a_claimant_of_several_cells_knows_them_all():
    """Alone in the area and in the category of the LSOA: what only both together give away is found."""
    rng = np.random.default_rng(3)
    found = 0
    for _ in range(300):
        finest = rng.integers(0, 3, (3, 3)) * rng.integers(0, 2, (3, 3)) * 4
        finest[0] = [1, 0, 0]
        table = table_of(finest)
        hidden = tuple(rng.random(counts.shape) < 0.6 for counts in table.counts)
        hidden[0][0, 0] = hidden[0][0, -1] = True
        near = tables_near(table, hidden, 1)
        *_, exposed = exposed_by(table, hidden)
        together = set(exposed.cell[exposed.together].tolist())
        if near is None or not together:
            continue
        network = build_network(table.hierarchy, 3)
        told = {network.cell(*cell) for cell in secrets_told(table, hidden, near)}
        known = {network.cell(*cell) for cell in learned_by(table, hidden, near, [])}
        assert together - known <= told
        found += len(together - known)
    assert found > 0


def test_totals_alone_are_guarded_too():
    """All smallest areas end at one hub: what lies beyond it is no business of a claimant's."""
    hierarchy = tree([0, 0, 0, 1, 1, 1], [0, 0])
    finest = np.array([[1], [7], [20], [9], [30], [11]])
    table = Table.from_finest(hierarchy=hierarchy, classification=flat(0), finest=finest)
    alone, _ = suppress_table(table, primary=small(table, 3), spec=replace(GUARDED, lone_claimants=False), key=KEY)
    assert hidden_of(alone)[0].sum() == 2
    guarded, _ = suppress_table(table, primary=small(table, 3), spec=GUARDED, key=KEY)
    assert hidden_of(guarded)[0].sum() == 3 and hidden_of(guarded)[0][:3].all()
