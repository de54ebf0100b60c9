"""Suppression of one table: textbook patterns, demands, and judges that share no code with it."""

from dataclasses import replace

import numpy as np
import pytest
from attack_tools import tree
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from suppression_tools import (
    KEY,
    PLAIN,
    hidden_of,
    mask,
    random_table,
    shown_bounds,
    small,
    table_of,
    tables_near,
)

from common.faults import Infeasible
from sdc.attack.intervals import NO_BOUND
from sdc.attack.programmes import feasible_intervals
from sdc.network import flatten
from sdc.suppression.audit import audit_pattern
from sdc.suppression.exact import optimal_suppression
from sdc.suppression.plan import Choices
from sdc.suppression.report import DECOY, FORCED, PRIMARY, PUBLISHED, SECONDARY
from sdc.suppression.spec import Protection, SuppressionSpec, base_prices, protection_of
from sdc.suppression.suppress import suppress_table
from sdc.system import system_of
from sdc.tables import SHOWN, STRUCTURAL, SUPPRESSED, Table


def suppressed(table, spec=PLAIN, primary=None, key=KEY, **how):
    primary = small(table, spec.min_count) if primary is None else primary
    return suppress_table(table, primary=primary, spec=spec, key=key, **how)


def pattern(safe, level=0):
    return (safe.markers[level] == SUPPRESSED).astype(int).tolist()


# --- Textbook -------------------------------------------------------------------------------------------------------


def test_v2_pattern_of_the_gausssuppression_vignette():
    """Columns Iceland, Portugal, Spain; rows young, old; the only count below 2 is young Portugal."""
    table = table_of([[2, 0, 5], [3, 4, 6]])
    flagged = mask(table, (0, 0, 1))
    safe, report = suppressed(table, replace(PLAIN, min_count=2), flagged)
    assert pattern(safe) == [[1, 1, 0, 0], [1, 1, 0, 0]] and pattern(safe, 1) == [[0, 0, 0, 0]]
    lo, hi = report.intervals.lo[0], report.intervals.hi[0]
    assert lo[0, 1] == 0 and hi[0, 1] >= 2


def test_six_rows():
    """One small count in a town of five areas: the cheapest other area is hidden with it."""
    table = table_of([[3], [9], [30], [12], [25]])
    safe, report = suppressed(table)
    assert pattern(safe) == [[1, 1], [1, 1], [0, 0], [0, 0], [0, 0]] and pattern(safe, 1) == [[0, 0]]
    assert report.status[0].tolist() == [[1, 1], [2, 2], [0, 0], [0, 0], [0, 0]]
    assert report.intervals.lo[0][0, 0] == 0 and report.intervals.hi[0][0, 0] >= 5


def test_nothing_flagged_nothing_hidden():
    table = table_of([[30, 9], [9, 9]])
    safe, report = suppressed(table)
    assert not any(hidden.any() for hidden in hidden_of(safe))
    assert all(np.array_equal(a, b) for a, b in zip(safe.values, table.counts, strict=True))
    assert [loss.hidden for loss in report.losses] == [0, 0]


def test_primary_and_secondary_carry_one_marker_and_no_value():
    safe, report = suppressed(random_table(11))
    for markers, values, status in zip(safe.markers, safe.values, report.status, strict=True):
        assert np.array_equal(markers == SUPPRESSED, status != PUBLISHED)
        assert set(np.unique(markers)) <= {SHOWN, SUPPRESSED} and not values[markers == SUPPRESSED].any()
    assert safe.method.name == "suppression" and safe.method.base == 1 and safe.method.min_count == 5


def test_totals_alone_are_suppressed_too():
    hierarchy = tree([0, 0, 0, 1, 1], [0, 0])
    table = Table.from_finest(
        hierarchy=hierarchy,
        classification=table_of([[1]]).totals().classification,
        finest=np.array([[2], [7], [20], [9], [30]]),
    )
    safe, _ = suppressed(table)
    assert pattern(safe) == [[1], [1], [0], [0], [0]] and pattern(safe, 1) == [[0], [0]]


def test_one_level_is_a_table_of_rows_of_their_own():
    hierarchy = tree()
    hierarchy = type(hierarchy)(levels=("oa",), codes=(np.array(["A", "B"]),), parents=())
    table = Table.from_finest(
        hierarchy=hierarchy,
        classification=table_of([[1, 1, 1]]).classification,
        finest=np.array([[3, 17, 25], [30, 30, 30]]),
    )
    safe, _ = suppressed(table)
    assert pattern(safe) == [[1, 1, 0, 0], [0, 0, 0, 0]]


# --- What can be asked ----------------------------------------------------------------------------------------------


def test_never_hide_an_authoritys_total():
    """The cheapest way runs over the upper totals until they must be shown."""
    table = table_of([[3, 20], [25, 26], [40, 41], [42, 43]], [0, 0, 1, 1], [0, 0])
    spec = replace(PLAIN, level_factors={"lsoa": 0.001, "msoa": 0.001}, category_factors={("k1",): 10.0})
    safe, _ = suppressed(table, spec)
    assert pattern(safe)[0] == [1, 0, 1] and hidden_of(safe)[1][:, -1].any()
    safe, _ = suppressed(table, replace(spec, show_totals=("lsoa",)))
    assert pattern(safe)[0][0] == 1 and not hidden_of(safe)[1][:, -1].any()


def test_levels_that_must_be_shown_are():
    table = random_table(8, levels=3, areas=(6, 7), mean=20.0)
    top = table.hierarchy.levels[-1]
    safe, _ = suppressed(table, replace(PLAIN, level_factors={top: 0.001}, show_levels=(top,)))
    assert not hidden_of(safe)[-1].any() and hidden_of(safe)[0].any()


def test_zeros_protect_only_where_they_may():
    """A flagged zero grows while its square's other zero does."""
    table = table_of([[0, 30], [30, 0], [20, 20]])
    flagged = mask(table, (0, 0, 0))
    safe, _ = suppressed(table, primary=flagged)
    assert pattern(safe) == [[1, 1, 0], [1, 1, 0], [0, 0, 0]]
    safe, _ = suppressed(table, replace(PLAIN, hide_zeros=False), flagged)
    assert pattern(safe) == [[1, 1, 0], [0, 0, 0], [1, 1, 0]]


def test_chosen_cells_are_hidden_and_protected_and_others_shown():
    table = table_of([[30, 8, 40], [9, 31, 40], [50, 50, 40]])
    safe, report = suppressed(table, choices=Choices(hide=mask(table, (0, 0, 1)), show=mask(table, (0, 1, 0))))
    assert report.status[0][0, 1] == FORCED and hidden_of(safe)[0][0, 1] and not hidden_of(safe)[0][1, 0]
    assert report.intervals.lo[0][0, 1] <= 3 and report.intervals.hi[0][0, 1] >= 13


def test_structural_zeros_are_told_as_such():
    table = table_of([[0, 3, 30], [9, 9, 30], [9, 9, 30]])
    safe, _ = suppressed(table, choices=Choices(structural=mask(table, (0, 0, 0))))
    assert safe.markers[0][0, 0] == STRUCTURAL
    with pytest.raises(ValueError, match="structural zeros must hold 0"):
        suppressed(table, choices=Choices(structural=mask(table, (0, 1, 0))))


def test_protection_levels_can_be_given():
    table = table_of([[3, 17, 25], [19, 29, 49], [30, 30, 30]])
    flagged = mask(table, (0, 0, 0))
    levels = Protection(
        lower=tuple(np.full_like(c, 3) for c in table.counts), upper=tuple(np.full_like(c, 28) for c in table.counts)
    )
    _, report = suppressed(table, primary=flagged, protection=levels)
    assert report.intervals.lo[0][0, 0] == 0 and report.intervals.hi[0][0, 0] >= 31


def test_flagged_cells_of_any_size_are_protected():
    table = table_of([[98, 2, 7], [30, 40, 50], [60, 70, 80]])
    _, report = suppressed(table, primary=mask(table, (0, 0, 0)))
    assert report.intervals.lo[0][0, 0] <= 93 and report.intervals.hi[0][0, 0] >= 103


def test_what_a_reader_knows_anyway_is_no_protection():
    """The cheapest partner is known from elsewhere: another is taken."""
    table = table_of([[3], [9], [30], [12], [25]])
    known = shown_bounds(table, tuple(np.ones(c.shape, bool) for c in table.counts))
    known.lo[0][1] = known.hi[0][1] = 9
    safe, report = suppressed(table, known=known)
    assert pattern(safe)[3] == [1, 1] and report.intervals.hi[0][0, 0] >= 5
    known.hi[0][0] = 2
    with pytest.raises(ValueError, match="within what is known"):
        suppressed(table, known=known)


# --- What cannot be done --------------------------------------------------------------------------------------------


def test_flagged_and_to_be_shown_is_refused_by_name():
    table = table_of([[3, 9], [9, 9]])
    with pytest.raises(Infeasible, match="must be hidden and must be shown: oa OA000000, benefit=k0") as refused:
        suppressed(table, choices=Choices(show=mask(table, (0, 0, 0))))
    assert refused.value.demands == ("flagged cells", "cells that must be shown") and refused.value.exit_code == 3


def test_what_nothing_protects_is_refused_by_name():
    table = table_of([[3, 9], [9, 9]])
    everything_else = tuple(~hit for hit in mask(table, (0, 0, 0)))
    with pytest.raises(Infeasible, match="cannot be protected, whatever else is hidden: oa OA000000, benefit=k0"):
        suppressed(table, choices=Choices(show=everything_else))


def test_names_that_the_table_lacks_are_refused():
    table = table_of([[3, 9], [9, 9]])
    for spec in (replace(PLAIN, show_levels=("ward",)), replace(PLAIN, category_factors={("k9",): 2.0})):
        with pytest.raises(ValueError, match="must be one that the table has"):
            suppressed(table, spec)
    with pytest.raises(ValueError, match="shapes"):
        suppressed(table, primary=(np.zeros((1, 1), bool),))


# --- The key --------------------------------------------------------------------------------------------------------


def test_the_same_key_gives_the_same_pattern_and_another_key_may_not():
    table = random_table(21, areas=(6, 7), categories=(3, 4))
    keyed = SuppressionSpec(decoys=0.1)
    one, two = (suppressed(table, keyed)[0] for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(one.markers, two.markers, strict=True))
    others = [suppressed(table, keyed, key=b"%040d" % number)[0].markers[0] for number in range(8)]
    assert any(not np.array_equal(one.markers[0], other) for other in others)


def test_decoys_are_hidden_like_small_counts():
    table = random_table(4, areas=(6, 7), categories=(3, 4))
    _, report = suppressed(table, SuppressionSpec(decoys=0.5))
    decoys = [status == DECOY for status in report.status]
    assert sum(decoy.sum() for decoy in decoys) > 3
    for decoy, counts, lo, hi in zip(decoys, table.counts, report.intervals.lo, report.intervals.hi, strict=True):
        assert np.all((counts[decoy] == 0) | ((counts[decoy] >= 5) & (counts[decoy] < 10)))
        assert np.all(lo[decoy] <= np.maximum(counts[decoy] - 5, 0)) and np.all(hi[decoy] >= 5)


# --- Judges ---------------------------------------------------------------------------------------------------------


@given(seed=st.integers(0, 10**9), zeros=st.booleans())
@settings(deadline=None, max_examples=60)
def test_brute_force_finds_a_table_for_every_demand(seed, zeros):
    """For each small count there is a table that looks the same in which it is 0, and one in which it is min_count."""
    table = random_table(seed, areas=(2, 5), categories=(2, 4), mean=3.0, levels=2)
    spec = replace(PLAIN, min_count=3, hide_zeros=zeros, decoys=0.05)
    try:
        safe, _ = suppressed(table, spec)
    except Infeasible:
        return
    assume(sum(hidden.sum() for hidden in hidden_of(safe)[:1]) < 16)
    tables = tables_near(table, hidden_of(safe), 3)
    assume(tables is not None)
    for level, hit in enumerate(small(table, 3)):
        for unit, column in np.argwhere(hit):
            values = tables[level][:, unit, column]
            assert values.min() == 0 and values.max() >= 3


@given(seed=st.integers(0, 10**9))
@settings(deadline=None, max_examples=25)
def test_linear_programmes_agree_that_the_pattern_is_safe(seed):
    """All cells hidden, by two programmes each: small ones cover 0 … 5, what looks small is not narrow."""
    table = random_table(seed, areas=(5, 12), categories=(2, 5), levels=3)
    try:
        safe, report = suppressed(table, SuppressionSpec())
    except Infeasible:
        return
    system, hidden = system_of(table), flatten(hidden_of(safe))
    counts = flatten(table.counts)
    found = feasible_intervals(
        system.equations,
        np.where(hidden, 0, counts),
        np.where(hidden, NO_BOUND, counts),
        asked=np.flatnonzero(hidden),
        whole=False,
        start=counts,
    )
    x, lo, hi = counts[hidden], found.lo, found.hi
    is_small = (x >= 1) & (x < 5)
    assert np.all(lo[is_small] == 0) and np.all(hi[is_small] >= 5)
    looks_small = (hi >= 1) & (lo < 5)
    assert np.all(hi[looks_small] - lo[looks_small] >= 4)
    assert np.all((lo[looks_small] == 0) | (hi[looks_small] >= 5))
    told = flatten(report.intervals.lo)[hidden], flatten(report.intervals.hi)[hidden]
    assert np.array_equal(told[0], lo)
    assert np.all((told[1] == hi) | ((told[1] == NO_BOUND) & (hi >= np.maximum(5, lo + 4))))


def test_the_loss_is_close_to_the_optimum_and_never_below_it():
    """Six tables of 60 to 130 cells: at most 15 % above on average, prices moved by the key included."""
    ratios = []
    for seed in range(6):
        table = random_table(seed, areas=(8, 16), categories=(3, 6), mean=6.0)
        spec = SuppressionSpec(decoys=0.0, lone_claimants=False)
        price, flagged, levels = flatten(base_prices(table, spec)), flatten(small(table)), protection_of(table, 5)
        best = optimal_suppression(
            system_of(table),
            primary=flagged,
            lower_level=flatten(levels.lower),
            upper_level=flatten(levels.upper),
            weights=price,
            whole=False,
        )
        hidden = flatten(hidden_of(suppressed(table, spec)[0]))
        cost = price[hidden & ~flagged].sum()
        # Beyond the optimum's demands, nothing hidden may look small and narrow.
        assert best.status == "optimal" and cost >= best.cost - 1e-6 * best.cost
        ratios.append(cost / max(best.cost, 1))
    assert np.mean(ratios) <= 1.15


def test_every_secondary_cell_is_needed():
    """Shown again, one by one, some flagged cell loses its protection or something hidden looks small and narrow."""
    table = random_table(2, areas=(7, 8), categories=(3, 4), mean=6.0)
    safe, report = suppressed(table)
    needless = 0
    for level, status in enumerate(report.status):
        for unit, column in np.argwhere(status == SECONDARY):
            less = tuple(hidden.copy() for hidden in hidden_of(safe))
            less[level][unit, column] = False
            needless += audit_pattern(table, less, key=KEY, lone_claimants=False).clean
    assert needless == 0 and any((status == SECONDARY).any() for status in report.status)


def test_the_report_adds_up():
    table = random_table(2, areas=(7, 8), categories=(3, 4))
    safe, report = suppressed(table, SuppressionSpec(max_share=0.01))
    for loss, counts, hidden, status in zip(report.losses, table.counts, hidden_of(safe), report.status, strict=True):
        assert loss.hidden == hidden.sum() and loss.cells == counts.size
        assert loss.primary == (status == PRIMARY).sum()
        assert loss.sum_primary + loss.sum_others == counts[hidden].sum()
    assert report.path == "network" and table.hierarchy.levels[0] in report.above_share
    assert report.figures["primary cells"] == sum(hit.sum() for hit in small(table))
