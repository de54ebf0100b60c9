"""The audit of a pattern, against vectors and against enumeration."""

import numpy as np
import pytest
from attack_tools import brute_force
from hypothesis import given, settings
from hypothesis import strategies as st
from suppression_tools import KEY, mask, random_table, shown_bounds, table_of

from sdc.attack.intervals import NO_BOUND
from sdc.suppression.audit import EXACT, KNOWN, LEARNED, NARROW, SAFE, VISIBLE, audit_pattern
from sdc.suppression.spec import Protection
from sdc.tables import Classification, Hierarchy, Table


def interval(audit, unit, column, level=0):
    return int(audit.intervals.lo[level][unit, column]), int(audit.intervals.hi[level][unit, column])


def audited(table, hidden, **how):
    return audit_pattern(table, hidden, key=KEY, **{"lone_claimants": False, **how})


def everywhere(table, reach):
    """Protection that asks every cell to be followed so far."""
    far = tuple(np.full_like(counts, reach) for counts in table.counts)
    return Protection(lower=tuple(np.zeros_like(each) for each in far), upper=far)


def test_v1_tau_argus_audit():
    """Rows 7 and 3, columns 6 and 4, the inner square hidden."""
    table = table_of([[5, 2], [1, 2]])
    hidden = mask(table, (0, 0, 0), (0, 0, 1), (0, 1, 0), (0, 1, 1))
    audit = audited(table, hidden, asking=hidden, protection=everywhere(table, 20))
    assert [interval(audit, unit, column) for unit in (0, 1) for column in (0, 1)] == [(3, 6), (1, 4), (0, 3), (0, 3)]


def test_v2_intervals_of_the_gausssuppression_vignette():
    """Iceland and Portugal hidden for young (5, 2, 0) and old (6, 3, 4)."""
    table = table_of([[2, 0, 5], [3, 4, 6]])
    hidden = mask(table, (0, 0, 0), (0, 0, 1), (0, 1, 0), (0, 1, 1))
    audit = audited(table, hidden, asking=hidden, protection=everywhere(table, 20))
    assert [interval(audit, unit, column) for unit in (0, 1) for column in (0, 1)] == [(0, 2), (0, 2), (3, 5), (2, 4)]


def test_v3_fischetti_and_salazar_style():
    """Hidden 8, 22 / 17, 12 with residual sums 30, 29 and 25, 34: the 22 lies in 5 … 30."""
    table = table_of([[8, 22], [17, 12]])
    hidden = mask(table, (0, 0, 0), (0, 0, 1), (0, 1, 0), (0, 1, 1))
    audit = audited(table, hidden, asking=hidden, protection=everywhere(table, 50))
    assert interval(audit, 0, 1) == (5, 30)


def test_v20_bridges_are_exact_and_a_square_has_no_bridge():
    table = table_of([[3, 4, 2], [9, 9, 9]])
    row = audited(table, mask(table, (0, 0, 0), (0, 0, 1), (0, 0, 2)))
    assert row.figures["bridges"] == 3 and not row.clean
    assert row.verdict[0][0].tolist() == [EXACT, EXACT, EXACT, VISIBLE]
    square = audited(table, mask(table, (0, 0, 0), (0, 0, 1), (0, 1, 0), (0, 1, 1)))
    assert square.figures["bridges"] == 0 and square.figures["cells of the largest block"] == 4


def test_a_flagged_cell_that_is_shown_is_known_exactly():
    table = table_of([[3, 9], [9, 9]])
    audit = audited(table, mask(table))
    assert audit.verdict[0][0, 0] == EXACT and not audit.clean


def test_what_is_hidden_to_no_use_is_told_and_does_no_harm():
    table = table_of([[30, 9], [9, 9]])
    audit = audited(table, mask(table, (0, 0, 0)))
    assert audit.verdict[0][0, 0] == KNOWN and audit.clean


def test_a_hidden_cell_that_looks_small_and_narrow_is_a_breach_though_it_is_0():
    """0 and 6 against 6 and 0 hidden, margins shown: the zeros may be up to 6, so they pass; with 3 they do not."""
    for other, verdict in ((6, SAFE), (3, NARROW)):
        table = table_of([[0, other], [other, 0]])
        hidden = mask(table, (0, 0, 0), (0, 0, 1), (0, 1, 0), (0, 1, 1))
        audit = audited(table, hidden, asking=mask(table))
        assert audit.verdict[0][0, 0] == verdict


def test_a_lone_claimant_reads_their_cut_partner():
    table = table_of([[1, 20, 9], [30, 40, 9]])
    hidden = mask(table, (0, 0, 0), (0, 0, 1), (0, 1, 0), (0, 1, 1))
    how = {"asking": mask(table), "min_count": 2}
    assert audited(table, hidden, **how).clean
    audit = audited(table, hidden, lone_claimants=True, **how)
    assert not audit.clean
    assert audit.verdict[0].tolist() == [[SAFE, LEARNED, VISIBLE, VISIBLE], [LEARNED, LEARNED, VISIBLE, VISIBLE]]
    kinds = [finding.kind for finding in audit.as_audit("benefit").findings]
    assert kinds == ["learned by an insider"] * 3


def test_cells_that_the_claimant_stands_alone_in_do_not_count():
    """Methods 10.12: an area with one claimant, whose cell and total are hidden together."""
    table = table_of([[1, 0], [30, 9], [30, 12]])
    hidden = mask(table, (0, 0, 0), (0, 0, 2), (0, 1, 0), (0, 1, 2), (0, 2, 0), (0, 2, 2))
    audit = audited(table, hidden, lone_claimants=True, asking=mask(table))
    assert LEARNED not in audit.verdict[0]


def test_known_bounds_narrow_intervals():
    table = table_of([[5, 2], [1, 2]])
    hidden = mask(table, (0, 0, 0), (0, 0, 1), (0, 1, 0), (0, 1, 1))
    free = shown_bounds(table, hidden)
    known = free.copied()
    known.hi[0][0, 1] = 3
    audit = audited(table, hidden, known=known, asking=hidden, protection=everywhere(table, 20))
    assert interval(audit, 0, 1) == (1, 3) and interval(audit, 0, 0) == (4, 6)
    known.lo[0][0, 1] = 3
    with pytest.raises(ValueError, match="within what is known"):
        audited(table, hidden, known=known)


def test_the_extremes_are_two_tables_that_look_the_same():
    table = random_table(5, levels=3)
    hidden = tuple(counts < 6 for counts in table.counts)
    audit = audited(table, hidden)
    for level, mask_ in enumerate(hidden):
        for unit, column in np.argwhere(mask_)[:6]:
            low, high = audit.extremes(level, unit, column)
            for counts in (low, high):
                true = Table(hierarchy=table.hierarchy, classification=table.classification, counts=counts)
                assert all(
                    np.array_equal(a[~m], b[~m]) for a, b, m in zip(true.counts, table.counts, hidden, strict=True)
                )
            assert low[level][unit, column] == audit.intervals.lo[level][unit, column]
            assert high[level][unit, column] >= min(audit.intervals.hi[level][unit, column], 5)


def test_findings_name_the_sums_and_tell_no_true_count():
    table = table_of([[3, 14, 12], [19, 29, 49]])
    found = audited(table, mask(table, (0, 0, 0))).as_audit("benefit").findings
    assert [finding.kind for finding in found] == ["exact"]
    assert found[0].cell == "oa OA000000, benefit=k0" and found[0].interval == (3, 3)
    assert "published sum" in found[0].witness


@given(seed=st.integers(0, 10**9), share=st.floats(0.1, 0.7))
@settings(deadline=None, max_examples=60)
def test_intervals_equal_brute_force_on_every_pattern(seed, share):
    table = random_table(seed, areas=(2, 4), categories=(2, 4), mean=1.5, levels=2)
    rng = np.random.default_rng(seed)
    hidden = tuple(rng.random(counts.shape) < share for counts in table.counts)
    # The grand total is shown, so that there is an end to what can be tried.
    hidden[-1][:, -1] = False
    if table.counts[-1][:, -1].max() > 12:
        return
    exact = brute_force(table.hierarchy, len(table.classification), shown_bounds(table, hidden))
    if exact == "large":
        return
    audit = audited(table, hidden, asking=hidden, protection=everywhere(table, 40))
    for lo, hi, true_lo, true_hi, counts in zip(
        audit.intervals.lo, audit.intervals.hi, exact.lo, exact.hi, table.counts, strict=True
    ):
        assert np.array_equal(lo, true_lo)
        # The audit stops where enough is known.
        followed = hi < NO_BOUND
        assert np.array_equal(hi[followed], true_hi[followed]) and np.all(true_hi[~followed] >= counts[~followed] + 40)


def test_several_top_units_are_tables_of_their_own():
    hierarchy = Hierarchy(
        levels=("oa", "lsoa"),
        codes=(np.array(["A", "B", "C"]), np.array(["X", "Y"])),
        parents=(np.array([0, 0, 1], np.int32),),
    )
    table = Table.from_finest(
        hierarchy=hierarchy,
        classification=Classification(dimensions=("d",), categories=(("a",), ("b",))),
        finest=np.array([[3, 9], [9, 9], [3, 9]]),
    )
    audit = audited(table, mask(table, (0, 0, 0), (0, 0, 1), (0, 1, 0), (0, 1, 1)))
    assert audit.verdict[0][0, 0] == SAFE and audit.verdict[0][2, 0] == EXACT


def test_a_table_with_nothing_to_hide_is_clean():
    table = table_of([[12, 9], [9, 9]])
    audit = audited(table, mask(table))
    assert audit.clean and all((verdict == VISIBLE).all() for verdict in audit.verdict)
