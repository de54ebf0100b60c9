"""Linked tables: what several tables say together, judged by linear programmes over all of them."""

from dataclasses import replace

import numpy as np
import pytest
from attack_tools import flat, tree
from hypothesis import given, settings
from hypothesis import strategies as st
from suppression_tools import KEY, PLAIN, hidden_of, mask, small

from common.faults import Infeasible
from sdc.attack.intervals import NO_BOUND
from sdc.attack.programmes import feasible_intervals
from sdc.joining import join_systems
from sdc.network import flatten
from sdc.suppression.audit import audit_pattern
from sdc.suppression.linked import suppress_linked
from sdc.suppression.plan import Choices
from sdc.suppression.report import FORCED, PRIMARY
from sdc.suppression.spec import SuppressionSpec
from sdc.suppression.suppress import suppress_table
from sdc.system import system_of
from sdc.tables import Table


def linked_tables(seed, *, areas=12, columns=(3, 2), mean=9.0):
    """People by benefit and by sex: each person in one category of each."""
    rng = np.random.default_rng(seed)
    above = max(2, areas // 4)
    parents = np.sort(np.concatenate([np.arange(above), rng.integers(0, above, areas - above)])).tolist()
    hierarchy = tree(parents, [0] * above)
    totals = rng.negative_binomial(1.5, 1.5 / (1.5 + mean), areas)
    tables = {}
    for number, width in enumerate(columns):
        shares = rng.dirichlet(np.ones(width) * 3)
        finest = np.array([rng.multinomial(total, shares) for total in totals])
        tables[f"t{number}"] = Table.from_finest(
            hierarchy=hierarchy, classification=flat(width, f"d{number}"), finest=finest
        )
    return tables


def suppressed(tables, spec, **how):
    return suppress_linked(
        tables,
        primary={name: small(table, spec.min_count) for name, table in tables.items()},
        spec=spec,
        key=KEY,
        **how,
    )


def joint_intervals(tables, safe):
    """Exact bounds of every cell, per table, from all tables together."""
    joined = join_systems([system_of(table) for table in tables.values()])
    counts = joined.system.counts
    hidden = np.ones(len(counts), bool)
    for table, place in zip(safe.values(), joined.places, strict=True):
        hidden[place[~flatten(hidden_of(table))]] = False
    found = feasible_intervals(
        joined.system.equations,
        np.where(hidden, 0, counts),
        np.where(hidden, NO_BOUND, counts),
        asked=np.arange(len(counts)),
        whole=False,
        start=counts,
    )
    return {name: (found.lo[place], found.hi[place]) for name, place in zip(tables, joined.places, strict=True)}


def covered(tables, safe, min_count):
    """Whether all tables together leave every small count 0 to min_count."""
    joint = joint_intervals(tables, safe)
    for name, table in tables.items():
        counts = flatten(table.counts)
        is_small = (counts >= 1) & (counts < min_count)
        lo, hi = joint[name]
        if np.any(lo[is_small] > 0) or np.any(hi[is_small] < min_count):
            return False
    return True


@given(seed=st.integers(0, 10**9), columns=st.sampled_from([(3, 2), (4, 3), (2, 2, 3)]))
@settings(deadline=None, max_examples=25)
def test_all_tables_together_leave_small_counts_open(seed, columns):
    tables = linked_tables(seed, columns=columns)
    try:
        safe, _ = suppressed(tables, SuppressionSpec(min_count=3))
    except Infeasible:
        return
    assert covered(tables, safe, 3)


def test_tables_suppressed_apart_do_not():
    """Why it is done together: among a few sets of tables, some suppressed one by one give a count away."""
    told = 0
    for seed in range(12):
        tables = linked_tables(seed)
        spec = replace(PLAIN, min_count=3)
        try:
            apart = {
                name: suppress_table(table, primary=small(table, 3), spec=spec, key=KEY)[0]
                for name, table in tables.items()
            }
        except Infeasible:
            continue
        told += not covered(tables, apart, 3)
    assert told > 0


def test_most_sets_of_tables_can_be_done():
    done = 0
    for seed in range(10):
        try:
            suppressed(linked_tables(seed, areas=30), SuppressionSpec())
        except Infeasible:
            continue
        done += 1
    assert done >= 8


def test_a_total_hidden_in_one_is_hidden_in_all_and_each_audit_is_clean():
    tables = linked_tables(2, areas=30, columns=(4, 3, 2))
    safe, reports = suppressed(tables, SuppressionSpec())
    first, *others = ([hidden[:, -1] for hidden in hidden_of(each)] for each in safe.values())
    assert any(level.any() for level in first)
    for other in others:
        assert all(np.array_equal(a, b) for a, b in zip(first, other, strict=True))
    for name, table in tables.items():
        audit = audit_pattern(table, hidden_of(safe[name]), key=KEY)
        assert audit.clean and reports[name].path == "network, totals first"


def test_a_total_flagged_in_one_is_flagged_in_all():
    tables = linked_tables(2, areas=30)
    primary = {name: small(table) for name, table in tables.items()}
    unit = int(np.argmax(tables["t0"].counts[0][:, -1]))
    primary["t0"][0][unit, -1] = True
    safe, reports = suppress_linked(tables, primary=primary, spec=SuppressionSpec(), key=KEY)
    assert all(hidden_of(each)[0][unit, -1] for each in safe.values())
    assert all(report.status[0][unit, -1] == PRIMARY for report in reports.values())


def test_a_table_of_totals_may_be_among_them():
    tables = linked_tables(4, areas=30)
    tables["people"] = tables["t0"].totals()
    safe, _ = suppressed(tables, SuppressionSpec())
    shared = [hidden[:, -1] for hidden in hidden_of(safe["t0"])]
    assert all(np.array_equal(a[:, 0], b) for a, b in zip(hidden_of(safe["people"]), shared, strict=True))


def test_chosen_cells_are_hidden():
    tables = linked_tables(2, areas=30)
    unit = int(np.argmax(tables["t1"].counts[0][:, 0]))
    choices = {"t1": Choices(hide=mask(tables["t1"], (0, unit, 0)))}
    safe, reports = suppressed(tables, SuppressionSpec(), choices=choices)
    assert hidden_of(safe["t1"])[0][unit, 0] and reports["t1"].status[0][unit, 0] == FORCED


def test_the_same_key_gives_the_same_patterns():
    tables = linked_tables(6, areas=30)
    one, two = (suppressed(tables, SuppressionSpec())[0] for _ in range(2))
    for name in tables:
        assert all(np.array_equal(a, b) for a, b in zip(one[name].markers, two[name].markers, strict=True))


def test_tables_that_share_nothing_are_refused():
    tables = linked_tables(1)
    other = linked_tables(2)["t1"]
    with pytest.raises(ValueError, match="share one hierarchy"):
        suppressed({"t0": tables["t0"], "t1": other}, SuppressionSpec())
    uneven = Table.from_finest(
        hierarchy=tables["t0"].hierarchy, classification=flat(2), finest=tables["t1"].counts[0][:, :-1] + 1
    )
    with pytest.raises(ValueError, match="equal totals"):
        suppressed({"t0": tables["t0"], "t1": uneven}, SuppressionSpec())
