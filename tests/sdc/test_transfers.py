"""Tables moved to totals that are given."""

import numpy as np
from attack_tools import tree
from hypothesis import given, settings
from hypothesis import strategies as st
from population_tools import by
from rounding_tools import secret, small_tables

from sdc.rounding.controlled import ControlledRounding, round_controlled
from sdc.rounding.transfers import move_totals

BASE = 5
SPEC = ControlledRounding(base=BASE, min_count=BASE)


def between(counts, moved) -> bool:
    """Every cell between the multiples next to its true count; multiples stay."""
    return all(
        np.all(x // BASE * BASE <= v) and np.all(v <= -(-x // BASE) * BASE) for x, v in zip(counts, moved, strict=True)
    )


@settings(deadline=None, max_examples=60)
@given(small_tables(), st.integers(0, 10**6))
def test_a_table_can_be_moved_to_the_totals_of_its_own_roundings(table, number):
    """The table alone has a rounding with these totals, so that the way there is open; nothing is left."""
    rounded, _ = round_controlled({"t": table}, spec=SPEC, key=secret(number))
    wanted = rounded["t"].values[0][:, -1]
    moved = move_totals((table,), wanted - table.counts[0][:, -1], base=BASE, key=secret(number + 1))
    assert not moved.left.any()
    assert np.array_equal(moved.tables[0].counts[0][:, -1], wanted)
    assert between(table.counts, moved.tables[0].counts)


@settings(deadline=None, max_examples=40)
@given(small_tables(), st.integers(0, 10**6), st.data())
def test_what_is_left_is_what_the_totals_lack(table, number, data):
    """Any gains within the multiples: what cannot be done is told, and what is done keeps every bound."""
    totals = table.counts[0][:, -1]
    gains = np.array([data.draw(st.integers(-(x % BASE), -x % BASE)) for x in totals.tolist()])
    moved = move_totals((table,), gains, base=BASE, key=secret(number))
    assert np.array_equal(moved.tables[0].counts[0][:, -1], totals + gains - moved.left)
    assert between(table.counts, moved.tables[0].counts)
    assert np.all(np.sign(moved.left) * np.sign(gains) >= 0) and np.all(np.abs(moved.left) <= np.abs(gains))


def test_several_tables_move_alike_and_the_mean_stays():
    """Two areas whose totals are drawn as a duel: means of their categories over 600 keys are the counts."""
    hierarchy = tree([0, 0])
    first, second = by(hierarchy, "age", [[1, 2, 1], [2, 1, 3]]), by(hierarchy, "sex", [[3, 1], [2, 4]])
    mean, keys = [np.zeros(first.counts[0].shape), np.zeros(second.counts[0].shape)], 600
    for number in range(keys):
        # Totals 4 and 6: the first gains 1 of the second in four draws of five, else it loses 4 to it.
        gain = 1 if number % 5 else -4
        moved = move_totals((first, second), np.array([gain, -gain]), base=BASE, key=secret(number))
        assert not moved.left.any() and moved.forced == 0
        assert np.array_equal(moved.tables[0].counts[0][:, -1], moved.tables[1].counts[0][:, -1])
        mean = [total + table.counts[0] / keys for total, table in zip(mean, moved.tables, strict=True)]
    assert np.abs(mean[0] - first.counts[0]).max() < 0.15 and np.abs(mean[1] - second.counts[0]).max() < 0.15
