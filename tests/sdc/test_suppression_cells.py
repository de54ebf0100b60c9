"""Suppression of cubes with its audit: flagged cells, cells that look small, lone claimants, keys."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from system_tools import nest, two_way

from common.faults import Infeasible
from sdc.attack.intervals import NO_BOUND
from sdc.attack.programmes import feasible_intervals, stated_bounds
from sdc.cube import Cube, all_margins, flat_axis, one_way_margins
from sdc.suppression.cells import CellSuppression, keyed_weights, suppress_cells
from sdc.suppression.demands import room_of
from sdc.suppression.general import GeneralSuppression
from sdc.suppression.insiders import learned_by_claimants
from sdc.tables import NOT_PUBLISHED, SHOWN, SUPPRESSED

KEY = b"no secret: a key for tests of cells"


def cube(seed, mean=6.0, areas=5, margins=all_margins):
    axes = nest("oa<lad", [0] * areas), flat_axis("age", ["o", "y"]), flat_axis("sex", ["f", "m"])
    finest = np.random.default_rng(seed).poisson(mean, (areas, 2, 2))
    return Cube(axes=axes, finest=finest, margins=margins(axes))


def flagged(system, min_count=5):
    return (system.counts > 0) & (system.counts < min_count) & system.shown


def proven(system, safe, known=()):
    """What a reader of the published cells proves of every cell, who knows some cells to hold one."""
    lo, hi = stated_bounds(safe)
    known = np.array(known, np.int64)
    lo[known] = hi[known] = 1
    found = feasible_intervals(system.equations, lo, hi, asked=np.arange(len(system)))
    return found.lo, found.hi


def claims(system):
    """Per person who stands alone in a finest cell, the cells of count 1 that contain them, found by names."""
    names = [system.name(cell).split(", ") for cell in range(len(system))]

    def contains(whole, part):
        return all(a == b or a in ("Total", "lad lad0") for a, b in zip(whole, part, strict=True))

    finest = [cell for cell, name in enumerate(names) if "Total" not in name and name[0].startswith("oa")]
    for person in finest:
        if system.counts[person] == 1:
            known = [c for c in range(len(names)) if system.counts[c] == 1 and contains(names[c], names[person])]
            own = [c for c in range(len(names)) if any(contains(names[k], names[c]) for k in known)]
            yield known, own


@settings(deadline=None, max_examples=12)
@given(seed=st.integers(0, 10_000), mean=st.sampled_from([3.0, 6.0, 12.0]), exact=st.booleans(), one_way=st.booleans())
def test_the_promise_holds(seed, mean, exact, one_way):
    """Small counts could be 0 or 5; nothing looks small and narrow; no lone claimant learns a cell of others."""
    made = cube(seed, mean, margins=one_way_margins if one_way else all_margins)
    system = made.system()
    spec = CellSuppression(pattern=GeneralSuppression(exact_cells=1000 if exact else 0))
    primary = flagged(system)
    try:
        safe, report = suppress_cells(system, primary=primary, spec=spec, key=KEY)
    except Infeasible as refused:
        assert "lone claimants" in refused.demands or "protection levels" in refused.demands
        return
    assert safe.markers[primary].tolist() == [SUPPRESSED] * int(primary.sum())
    shown = safe.markers == SHOWN
    assert safe.values[shown].tolist() == system.counts[shown].tolist()
    lo, hi = proven(system, safe)
    assert np.all(lo[primary] == 0) and np.all(hi[primary] >= 5)
    small = (lo <= 4) & (hi >= 1)
    hidden = ~shown
    assert np.all((hi - lo)[small & hidden] >= 4)
    assert np.all(lo <= system.counts) and np.all(system.counts <= hi)
    assert np.all(report.lo >= lo) or np.all(report.lo <= system.counts)
    for known, own in claims(system):
        hidden_known = [cell for cell in known if hidden[cell]]
        if hidden_known:
            after_lo, after_hi = proven(system, safe, hidden_known)
            learned = hidden & (lo < hi) & (after_lo == after_hi)
            learned[own] = False
            assert not learned.any()


def test_a_key_decides_ties_and_nothing_else_does():
    """The same key gives the same pattern whatever the order of areas and categories; another key may give another."""
    made = cube(11, mean=9.0, areas=6)
    system = made.system()
    spec = CellSuppression(lone_claimants=False)

    def pattern(system, key):
        safe, _ = suppress_cells(system, primary=flagged(system), spec=spec, key=key)
        return {system.name(cell) for cell in np.flatnonzero(safe.markers == SUPPRESSED)}

    first = pattern(system, KEY)
    assert first == pattern(system, KEY)
    # The same counts with the dimensions the other way round: cells stand in another order, names are the same figures.
    axes = made.axes[0], made.axes[2], made.axes[1]
    turned = Cube(axes=axes, finest=np.ascontiguousarray(made.finest.swapaxes(1, 2)), margins=made.margins).system()
    again = {", ".join([area, age, sex]) for area, sex, age in (name.split(", ") for name in pattern(turned, KEY))}
    assert again == first
    assert len({frozenset(pattern(system, b"key %029d" % number)) for number in range(6)}) > 1


def test_weights_are_keyed_and_follow_the_count():
    system = cube(1).system()
    weights = keyed_weights(system, key=KEY, spread=0.25)
    base = 1 + np.log1p(system.counts)
    assert np.all((weights >= base) & (weights < 1.25 * base))
    assert len(np.unique(weights / base)) > 0.9 * len(system)
    assert np.allclose(keyed_weights(system, key=KEY, spread=0.0), base)
    assert np.allclose(keyed_weights(system, key=KEY, spread=0.25, factors=np.full(len(system), 2.0)), 2 * weights)
    with pytest.raises(ValueError, match="identity"):
        keyed_weights(two_way([[1]]).__class__(counts=system.counts, equations=system.equations), key=KEY, spread=0.1)


def test_margins_that_nobody_publishes_are_not_hidden_but_not_published():
    made = cube(3, margins=lambda axes: one_way_margins(axes)[1:])
    system = made.system()
    safe, report = suppress_cells(system, primary=flagged(system), spec=CellSuppression(), key=KEY)
    assert np.array_equal(safe.markers == NOT_PUBLISHED, ~system.shown)
    assert not (report.primary | report.secondary)[~system.shown].any()


def test_a_lone_claimant_learns_what_is_settled_by_their_cell():
    """A hidden square with a 1: the other three follow from it; without the square's partner nothing does."""
    system = two_way([[1, 9, 60], [7, 3, 50], [40, 55, 70]])
    square = np.isin(np.arange(16), [0, 1, 4, 5])
    (learned,) = learned_by_claimants(system, square, room_of(system))
    assert learned.known.tolist() == [0]
    assert learned.cells.tolist() == [1, 4, 5]
    wide = np.isin(np.arange(16), [0, 1, 2, 4, 5, 6, 8, 9, 10])
    assert learned_by_claimants(system, wide, room_of(system)) == []


def test_what_a_claimant_stands_alone_in_is_their_own_affair():
    """The only claimant of an area knows its total and that its other cells are 0; those teach nothing of others."""
    axes = nest("oa<lad", [0, 0, 0]), flat_axis("benefit", ["a", "b"])
    finest = np.array([[1, 0], [30, 40], [25, 35]])
    system = Cube(axes=axes, finest=finest, margins=all_margins(axes)).system()
    hidden = np.isin(np.arange(12), [0, 1, 2])
    assert learned_by_claimants(system, hidden, room_of(system)) == []
    others = np.isin(np.arange(12), [0, 1, 3, 4])
    (learned,) = learned_by_claimants(system, others, room_of(system))
    assert learned.known.tolist() == [0] and learned.cells.tolist() == [3, 4]


def test_zeros_that_may_not_be_hidden_stay():
    system = two_way([[3, 0, 20, 30], [12, 0, 25, 18], [22, 9, 14, 0]])
    spec = CellSuppression(hide_zeros=False, lone_claimants=False)
    safe, _ = suppress_cells(system, primary=flagged(system), spec=spec, key=KEY)
    assert (safe.markers == SUPPRESSED).sum() >= 4
    assert np.all(safe.markers[system.counts == 0] == SHOWN)


def test_refusals():
    system = cube(2).system()
    with pytest.raises(Infeasible) as refused:
        suppress_cells(
            system,
            primary=flagged(system),
            spec=CellSuppression(),
            key=KEY,
            may_hide=np.zeros(len(system), np.bool_),
        )
    assert refused.value.demands
    with pytest.raises(ValueError, match="bool"):
        suppress_cells(system, primary=np.zeros(3), spec=CellSuppression(), key=KEY)
    with pytest.raises(ValueError, match="min_count"):
        CellSuppression(min_count=1)
    with pytest.raises(ValueError, match="spread"):
        CellSuppression(spread=-1)
    assert system.counts.max() < NO_BOUND
