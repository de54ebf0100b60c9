"""The verdict: planted disclosures are found, clean tables pass, the truth is checked, linked tables are sound."""

import numpy as np
import pytest
from attack_tools import (
    CONTROLLED,
    CONVENTIONAL,
    EXACT,
    RANDOM,
    additive,
    at_random,
    brute_force,
    contains,
    every_table,
    flat,
    nearest,
    shown,
    tree,
    true_table,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from common.faults import InputError
from sdc.attack.intervals import NO_BOUND, Intervals, stated_intervals
from sdc.attack.judge import audit_tables
from sdc.attack.linked import joint_bounds
from sdc.attack.theorem import check_conditions
from sdc.tables import STRUCTURAL, SUPPRESSED, Classification, Method, SafeTable, Table

LEAVES = tree([0, 0, 0, 0])


def fours(values, method=CONVENTIONAL):
    return shown(true_table(LEAVES, [0] * 4), [[[v] for v in values[:4]], [[values[4]]]], method)


def found(audit, kind):
    return {finding.cell: finding for finding in audit.findings if finding.kind == kind}


def test_v15_is_told_with_its_reason():
    """Four areas shown 0 under a total of 10, nearest 5: each is exactly 2, and the sentence says why."""
    audit = audit_tables({"totals": fours([0, 0, 0, 0, 10])}, min_count=5)
    pinned = found(audit, "pinned")
    assert not audit.safe
    assert len(pinned) == 4
    finding = pinned["oa OA000001, Total"]
    assert finding.interval == (2, 2)
    assert finding.severity == "disclosure"
    assert "shown 0, which alone says 0 to 2" in finding.witness
    assert "it equals lsoa LSOA000000, Total (shown 10, at least 8) less oa OA000000, Total" in finding.witness
    assert "so at least 2" in finding.witness
    assert audit.figures["totals: path"] == "max flow"


def test_conventional_rounding_never_meets_the_promise():
    """A cell shown 0 lies in 0 to 2: narrower than 4, whatever else is published."""
    audit = audit_tables({"totals": fours([0, 5, 10, 5, 20])}, min_count=5)
    narrow = found(audit, "too narrow")
    assert narrow["oa OA000000, Total"].interval == (0, 2)
    assert "oa OA000001, Total" not in narrow


def test_width_may_be_asked_for_less():
    audit = audit_tables({"totals": fours([0, 5, 10, 5, 20])}, min_count=3, width=2)
    assert audit.safe


def test_additive_controlled_rounding_passes_by_the_theorem():
    table = true_table(tree([0, 0, 1, 1], [0, 0]), [[1, 2], [0, 3], [4, 1], [2, 2]])
    for seed in range(5):
        safe = additive(table, seed)
        audit = audit_tables({"benefit": safe}, min_count=5, sensitive=("benefit",), truth={"benefit": table})
        assert audit.safe
        assert audit.figures["benefit: path"] == "theorem"
        assert audit.figures["benefit: cells narrowed by other cells"] == 0
        assert any("by proof" in line for line in audit.checked)


def test_a_base_below_min_count_is_not_enough():
    """Base 3 under min_count 5: shown 0 is 0 to 2 and shown 3 is 1 to 5."""
    table = true_table(tree([0, 0]), [3, 3])
    safe = shown(table, table.counts, Method(name="controlled-rounding", base=3, min_count=5))
    audit = audit_tables({"totals": safe}, min_count=5)
    assert audit.safe  # 1 to 5 holds 5, and spans 4
    safe = shown(table, [[[0], [6]], [[6]]], safe.method)
    assert set(found(audit_tables({"totals": safe}, min_count=5), "too narrow")) == {"oa OA000000, Total"}


def test_exact_small_counts_are_pinned_and_zeros_are_not():
    table = true_table(LEAVES, [3, 0, 7, 12])
    audit = audit_tables({"totals": shown(table, table.counts, EXACT)}, min_count=5)
    assert set(found(audit, "pinned")) == {"oa OA000000, Total"}
    assert [finding.kind for finding in audit.findings] == ["pinned"]


def test_something_exact_known_elsewhere_voids_the_theorem():
    """Areas shown 0 and 0 under 0, base 5; elsewhere stands that the total is exactly 4: nothing pinned, but narrowed;
    and at exactly 8 under 5, 0, 0: the first is at least 0, the others reach 4."""
    table = true_table(tree([0, 0]), [2, 2])
    safe = shown(table, [[[0], [0]], [[0]]], CONTROLLED)
    known = Intervals(lo=(np.zeros((2, 1), np.int64), np.array([[1]])), hi=(np.full((2, 1), NO_BOUND), np.array([[1]])))
    assert check_conditions({"totals": safe}).hold
    assert not check_conditions({"totals": safe}, {"totals": known}).hold
    audit = audit_tables({"totals": safe}, min_count=5, known={"totals": known})
    assert set(found(audit, "pinned")) == {"lsoa LSOA000000, Total"}
    assert found(audit, "too narrow")["oa OA000000, Total"].interval == (0, 1)
    assert "more is known" in audit.figures["totals: the theorem does not hold"][0]


def test_known_that_excludes_a_shown_value_is_a_contradiction():
    table = true_table(tree(), [7])
    known = Intervals(lo=(np.array([[30]]),), hi=(np.array([[40]]),))
    audit = audit_tables({"t": shown(table, [[[5]]], CONTROLLED)}, min_count=5, known={"t": known})
    assert [finding.severity for finding in audit.findings] == ["contradiction"]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([0, 0, 0, 0, 50], "add up to between 0 and 8"),
        ([0, 7, 0, 0, 10], "never publishes"),
        ([0, -5, 0, 0, 0], "never"),
    ],
)
def test_figures_that_no_true_table_gives_are_a_finding(values, words):
    audit = audit_tables({"totals": fours(values)}, min_count=5)
    assert not audit.safe
    assert {finding.kind for finding in audit.findings} == {"contradiction"}
    assert words in audit.findings[0].witness


def bounded(columns):
    """Hidden 4 × 5 cells: two areas of 3 or more in three categories bounded in all; two areas in two others."""
    table = true_table(tree([0, 0, 0, 0]), np.zeros((4, 5)))
    lo = [np.zeros((4, 6), np.int64), np.zeros((1, 6), np.int64)]
    hi = [np.full((4, 6), 9), np.full((1, 6), NO_BOUND)]
    lo[0][:2, 5] = 3
    hi[0][:2, 3:5] = hi[0][2:, :3] = 0
    hi[0][2:, 3:5] = 2
    hi[1][0, :3] = columns
    markers = [np.full_like(c, SUPPRESSED) for c in table.counts]
    return shown(table, table.counts, EXACT, markers), Intervals(lo=tuple(lo), hi=tuple(hi))


def test_a_contradiction_that_only_the_flow_sees_is_told_as_an_equation():
    """Two areas of 3 or more each in categories that hold at most 2, 2 and 1 in all: no one sum says so."""
    safe, known = bounded([2, 2, 1])
    bounds, clash, _ = joint_bounds({"t": safe}, {"t": known})
    assert clash is None
    assert brute_force(safe.hierarchy, 5, bounds["t"]) is None
    audit = audit_tables({"t": safe}, min_count=5, known={"t": known})
    assert [finding.kind for finding in audit.findings] == ["contradiction"]
    assert "must equal" in audit.findings[0].witness
    assert "at least 6 against at most 5" in audit.findings[0].witness
    safe, known = bounded([2, 2, 2])
    assert not found(audit_tables({"t": safe}, min_count=5, known={"t": known}), "contradiction")


def test_only_truly_small_counts_count_with_the_truth():
    """Shown 0, 0, 5, nearest 5: without the truth both zeros fail; truly 0 and 3 only the 3 does, in the other."""
    table = true_table(tree([0, 0]), [0, 2])
    safe = nearest(table)
    assert len(found(audit_tables({"t": safe}, min_count=5), "too narrow")) == 3
    audit = audit_tables({"t": safe}, min_count=5, truth={"t": table})
    assert set(found(audit, "too narrow")) == {"oa OA000001, Total", "lsoa LSOA000000, Total"}


def test_a_truth_outside_its_interval_is_an_input_error_without_the_count():
    table = true_table(tree([0, 0]), [3, 11])
    safe = shown(table, [[[5], [20]], [[20]]], CONTROLLED)
    with pytest.raises(InputError) as error:
        audit_tables({"t": safe}, min_count=5, truth={"t": table})
    assert [fault.key for fault in error.value.faults] == ["t: oa OA000001, Total", "t: lsoa LSOA000000, Total"]
    assert "11" not in str(error.value)
    assert "14" not in str(error.value)


def test_truths_of_other_records_or_other_areas_are_input_errors():
    a, b = true_table(tree([0, 0]), [[1, 1], [2, 2]]), true_table(tree([0, 0]), [[1, 0], [2, 2]], "age")
    tables = {"a": at_random(a, 1), "b": at_random(b, 1)}
    with pytest.raises(InputError, match="different totals"):
        audit_tables(tables, min_count=5, truth={"a": a, "b": b})
    with pytest.raises(InputError, match="other areas or categories"):
        audit_tables(tables, min_count=5, truth={"a": b})


def test_suppression_asks_that_zero_and_min_count_are_possible():
    """Hidden 2 × 2, rows 7 and 3, columns 6 and 4 (V1): x11 in 3 to 6 is too narrow; wide but not covering 0 is not enough."""
    table = true_table(tree([0, 0]), [[4, 3], [2, 1]])
    markers = [np.zeros_like(c) for c in table.counts]
    markers[0][:, :2] = SUPPRESSED
    safe = shown(table, table.counts, EXACT, markers)
    audit = audit_tables({"t": safe}, min_count=5, truth={"t": table})
    assert found(audit, "too narrow")["oa OA000000, benefit=k0"].interval == (3, 6)
    table = true_table(tree([0, 0]), [[4, 30], [30, 9]])
    audit = audit_tables({"t": shown(table, table.counts, EXACT, markers)}, min_count=5, truth={"t": table})
    assert audit.safe
    table = true_table(tree([0, 0]), [[4, 30], [30, 1]])
    audit = audit_tables({"t": shown(table, table.counts, EXACT, markers)}, min_count=5, truth={"t": table})
    assert found(audit, "not covered")["oa OA000000, benefit=k0"].interval == (3, 34)


def test_one_equation_is_told_once_where_it_makes_a_cell_exact():
    """V20: three hidden cells, three columns, one row: the first is its column less the other area."""
    table = true_table(tree([0, 0]), [[3, 4, 2], [9, 8, 7]])
    markers = [np.zeros_like(c) for c in table.counts]
    markers[0][0, :3] = SUPPRESSED
    audit = audit_tables({"t": shown(table, table.counts, EXACT, markers)}, min_count=5)
    witness = found(audit, "pinned")["oa OA000000, benefit=k0"].witness
    assert "lsoa LSOA000000, benefit=k0 (shown 12) less oa OA000001, benefit=k0 (shown 9), so exactly 3" in witness
    assert witness.count("it equals") == 1


def test_insiders_learn_their_neighbour():
    """Two areas shown 0 under 3 (nearest 3: 0 is 0 to 1, 3 is 2 to 4): both exactly 1.
    Under a hidden total known to be at most 1, whoever is counted in one knows that the other is empty."""
    table = true_table(tree([0, 0]), [1, 0])
    markers = [np.full_like(c, SUPPRESSED) for c in table.counts]
    known = Intervals(lo=(np.zeros((2, 1), np.int64), np.array([[0]])), hi=(np.full((2, 1), NO_BOUND), np.array([[1]])))
    safe = shown(table, table.counts, EXACT, markers)
    audit = audit_tables({"t": safe}, min_count=2, width=1, known={"t": known})
    learned = found(audit, "learned by an insider")
    assert learned["oa OA000001, Total"].interval == (0, 0)
    assert "somebody counted in oa OA000000, Total" in learned["oa OA000001, Total"].witness
    assert "lsoa LSOA000000, Total" not in learned  # they stand alone in it


def test_what_remains_for_insiders():
    """Exactly 5 possible values 2 to 5 for min_count 5, width 3: less themselves, 1 to 4 is small for certain."""
    table = true_table(tree(), [4])
    known = Intervals(lo=(np.array([[2]]),), hi=(np.array([[5]]),))
    safe = shown(table, [[[0]]], EXACT, [[[SUPPRESSED]]])
    audit = audit_tables({"t": safe}, min_count=5, width=3, known={"t": known})
    assert set(found(audit, "insider")) == {"oa OA000000, Total"}
    assert audit_tables({"t": safe}, min_count=5, width=3).safe


def test_group_disclosure_only_where_declared():
    """V9: married (6, 0): all have the first category, none the second; divorced (5, 1) shares nothing at k = 0."""
    table = true_table(tree([0, 0]), [[6, 0], [5, 1]])
    safe = shown(table, table.counts, EXACT)
    plain = audit_tables({"t": safe}, min_count=2, width=0)
    assert any("not declared sensitive: benefit" in line for line in plain.not_checked)
    assert found(plain, "group") == {}
    exposed = found(audit_tables({"t": safe}, min_count=2, width=0, sensitive=("benefit",)), "group")
    assert set(exposed) == {"oa OA000000, benefit=k0", "oa OA000000, benefit=k1"}
    assert "all of them have benefit=k0" in exposed["oa OA000000, benefit=k0"].witness
    assert not found(audit_tables({"t": safe}, min_count=2, width=0, sensitive=("benefit",), group_size=6), "group")


def test_structural_zeros_expose_nobody():
    table = true_table(tree([0, 0]), [[6, 0, 2], [5, 1, 2]])
    markers = [np.zeros_like(c) for c in table.counts]
    markers[0][0, 1] = STRUCTURAL
    safe = shown(table, table.counts, EXACT, markers)
    assert not found(audit_tables({"t": safe}, min_count=2, width=0, sensitive=("benefit",)), "group")


def test_groups_by_the_other_dimensions():
    """Age by sex, sex sensitive: 3 young people, all women, in an area where both sexes and ages live."""
    classification = Classification(
        dimensions=("age", "sex"), categories=(("old", "f"), ("old", "m"), ("young", "f"), ("young", "m"))
    )
    table = Table.from_finest(hierarchy=tree(), classification=classification, finest=np.array([[9, 8, 3, 0]]))
    safe = SafeTable(hierarchy=tree(), classification=classification, values=table.counts, method=EXACT)
    exposed = found(audit_tables({"t": safe}, min_count=2, width=0, sensitive=("sex",)), "group")
    assert set(exposed) == {"oa OA000000, age=young, sex=f", "oa OA000000, age=young, sex=m"}


def test_findings_past_twenty_are_counted():
    table = true_table(tree([0] * 30), [2] * 30)
    audit = audit_tables({"t": shown(table, table.counts, EXACT)}, min_count=5)
    assert len(found(audit, "pinned")) == 20
    assert (audit.figures["t: pinned"], audit.figures["t: pinned, not listed"]) == (30, 10)


def test_one_figure_shown_with_two_values_is_pinned():
    """Section 10.3: the same total shown 0 in one table and 5 in another lies in 1 to 4."""
    a, b = true_table(tree([0, 0]), [[1, 2], [9, 9]]), true_table(tree([0, 0]), [[3, 0], [8, 10]], "age")
    low = shown(a, [[[0, 0, 0], [10, 10, 20]], [[10, 10, 20]]], CONTROLLED)
    high = shown(b, [[[5, 0, 5], [10, 10, 20]], [[15, 10, 25]]], CONTROLLED)
    audit = audit_tables({"a": low, "b": high}, min_count=5, truth={"a": a, "b": b})
    pinned = found(audit, "pinned")
    assert pinned["oa OA000000, Total"].interval == (1, 4)
    assert pinned["oa OA000000, Total"].table == "a"
    assert "all tables together leave 1 to 4" in pinned["oa OA000000, Total"].witness
    assert [f.cell for f in audit.findings].count("oa OA000000, Total") == 1
    assert any("different totals" in line for line in audit.figures["a, b: the theorem does not hold"])


def test_linked_tables_with_one_totals_tree_pass_by_the_theorem():
    a, b = (
        true_table(LEAVES, [[1, 2], [0, 3], [4, 4], [7, 1]]),
        true_table(LEAVES, [[3, 0], [1, 2], [8, 0], [4, 4]], "age"),
    )
    one, two = additive(a, 1), additive(b, 1)
    for seed in range(2, 400):
        if all(np.array_equal(x[:, -1], y[:, -1]) for x, y in zip(one.values, two.values, strict=True)):
            break
        one, two = additive(a, seed), additive(b, 3 * seed)
    assert check_conditions({"a": one, "b": two, "t": totals_of(one)}).hold
    audit = audit_tables({"a": one, "b": two}, min_count=5, truth={"a": a, "b": b})
    assert audit.safe
    assert audit.figures["a: path"] == audit.figures["b: path"] == "theorem"


def totals_of(safe):
    return SafeTable(
        hierarchy=safe.hierarchy,
        classification=flat(0),
        values=tuple(np.ascontiguousarray(v[:, -1:]) for v in safe.values),
        method=safe.method,
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda v: v[0].__setitem__((0, 0), v[0][0, 0] + 5), "do not add up"),
        (lambda v: v[1].__setitem__((0, 0), v[1][0, 0] + 1), "no multiples"),
    ],
)
def test_conditions_name_what_fails(change, words):
    table = true_table(tree([0, 0]), [[5, 10], [0, 5]])
    values = [c.copy() for c in table.counts]
    change(values)
    failing = check_conditions({"t": shown(table, values, CONTROLLED)}).failing
    assert any(words in reason for reason in failing)


def test_conditions_refuse_tables_that_share_a_dimension():
    table = true_table(tree([0, 0]), [[5, 10], [0, 5]])
    safe = shown(table, table.counts, CONTROLLED)
    assert any("both tell of benefit" in r for r in check_conditions({"a": safe, "b": safe}).failing)


def joint_truth(hierarchy, stated_a, stated_b):
    """Exact joint intervals of two tables with equal totals, by enumeration of both."""
    a, b = (every_table(hierarchy, s.lo[0].shape[1] - 1, s) for s in (stated_a, stated_b))
    if a is None or b is None:
        return None
    key_a, key_b = a[0][:, :, -1], b[0][:, :, -1]
    common = {tuple(row) for row in key_a.tolist()} & {tuple(row) for row in key_b.tolist()}
    kept = [np.array([tuple(row) in common for row in key.tolist()], bool) for key in (key_a, key_b)]
    if not common:
        return None
    return [
        Intervals(lo=tuple(t[k].min(axis=0) for t in each), hi=tuple(t[k].max(axis=0) for t in each))
        for each, k in zip((a, b), kept, strict=True)
    ]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(0, 5), min_size=8, max_size=8), st.integers(0, 2**20), st.sampled_from([CONVENTIONAL, RANDOM])
)
def test_linked_bounds_contain_the_joint_brute_force(counts, seed, method):
    """Soundness across tables: no joint bound excludes a pair of true tables with equal totals."""
    hierarchy = tree([0, 0])
    cube = np.array(counts).reshape(2, 2, 2)
    a, b = true_table(hierarchy, cube.sum(axis=2)), true_table(hierarchy, cube.sum(axis=1), "age")
    round_ = nearest if method is CONVENTIONAL else lambda t: at_random(t, seed, Method(name="random-rounding", base=3))
    tables = {"a": round_(a), "b": round_(b)}
    stated = {name: stated_intervals(safe) for name, safe in tables.items()}
    truth = joint_truth(hierarchy, stated["a"], stated["b"])
    bounds, clash, settled = joint_bounds(tables, stated)
    assert clash is None
    assert settled
    if truth is not None:
        assert contains(bounds["a"], truth[0])
        assert contains(bounds["b"], truth[1])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 5), min_size=6, max_size=6), st.integers(0, 2**20), st.booleans())
def test_what_is_called_pinned_is_pinned_and_nothing_pinned_is_missed(counts, seed, known_truth):
    """Sound and complete on one table: findings equal those of brute force, with and without the truth."""
    hierarchy = tree([0, 1, 0], [0, 0])
    table = true_table(hierarchy, np.array(counts).reshape(3, 2))
    safe = at_random(table, seed, Method(name="random-rounding", base=3, min_count=4))
    exact = brute_force(hierarchy, 2, stated_intervals(safe))
    if isinstance(exact, str):
        return
    audit = audit_tables({"t": safe}, min_count=4, truth={"t": table} if known_truth else None)
    expected = {"pinned": set(), "too narrow": set()}
    for level, (lo, hi) in enumerate(zip(exact.lo, exact.hi, strict=True)):
        for (unit, column), low in np.ndenumerate(lo):
            high, true = hi[unit, column], table.counts[level][unit, column]
            if not (1 <= true < 4 if known_truth else low < 4 and high >= 1):
                continue
            category = "Total" if column == 2 else f"benefit=k{column}"
            name = f"{hierarchy.levels[level]} {hierarchy.codes[level][unit]}, {category}"
            if low >= 1 and high < 4:
                expected["pinned"].add(name)
            elif high - low < 3:
                expected["too narrow"].add(name)
    for kind, cells in expected.items():
        assert set(found(audit, kind)) == cells


def test_tables_over_other_areas_are_attacked_apart_and_said_so():
    a, b = true_table(tree([0, 0]), [5, 10]), true_table(LEAVES, [5, 5, 5, 0])
    tables = {"a": shown(a, a.counts, CONTROLLED), "b": shown(b, b.counts, CONTROLLED)}
    audit = audit_tables(tables, min_count=5)
    assert audit.safe
    assert "tables over different areas against each other" in audit.not_checked


def test_rules_check_themselves():
    with pytest.raises(ValueError, match=r"min_count \(1\)"):
        audit_tables({"t": fours([0, 0, 0, 0, 0])}, min_count=1)
