"""The verdict on published cells of any shape: findings, their proofs, truths that do not fit."""

import re

import numpy as np
import pytest
from attack_tools import tree, true_table
from hypothesis import given, settings
from hypothesis import strategies as st
from system_tools import small_cubes, sum_system, two_way

from common.faults import InputError
from sdc.attack.intervals import NO_BOUND
from sdc.attack.judge import audit_tables
from sdc.attack.systems import PublishedCells, audit_cells
from sdc.cube import Cube
from sdc.network import unflatten
from sdc.system import SafeCells, system_of
from sdc.tables import SHOWN, SUPPRESSED, Method, SafeTable

HIDING = Method(name="exact", base=1)


def published(system, hidden, *, truth=False, values=None, method=HIDING, **more):
    """A system with some cells hidden, as its readers have it."""
    shown = system.counts if values is None else values
    markers = np.where(hidden, SUPPRESSED, SHOWN).astype(np.int8)
    return PublishedCells(
        name="made",
        equations=system.equations,
        safe=SafeCells(values=np.where(hidden, 0, shown), markers=markers, method=method),
        names=system.names or [system.name(cell) for cell in range(len(system))],
        truth=system.counts if truth else None,
        **more,
    )


def kinds(audit):
    return sorted((finding.kind, finding.cell, finding.interval) for finding in audit.findings)


def test_a_square_of_small_counts_with_its_proofs():
    """V1's square: 3 lies in [1, 4] and is pinned; the sums that prove it are named with what they hold."""
    system = two_way([[4, 3], [2, 1]])
    hidden = np.isin(np.arange(9), [0, 1, 3, 4])
    audit = audit_cells(published(system, hidden, truth=True), min_count=5)
    assert kinds(audit) == [
        ("pinned", "Total, c1", (4, 4)),
        ("pinned", "row r0, c1", (1, 4)),
        ("pinned", "row r1, Total", (3, 3)),
        ("too narrow", "row r0, c0", (3, 6)),
        ("too narrow", "row r1, c0", (0, 3)),
        ("too narrow", "row r1, c1", (0, 3)),
    ]
    (middle,) = [finding for finding in audit.findings if finding.cell == "row r0, c1"]
    assert "row r0, Total (7) + row r1, c0 (at least 0) - Total, c0 (6)" in middle.witness
    assert not audit.safe
    assert audit.figures["made: LP"] == 4 and audit.figures["made: MIPs"] == 0


def value_of(proof, counts):
    """The value of "a (1) - 0.5 × b (2)" with the counts of its cells by name."""
    total = 0.0
    for sign, factor, name in re.findall(r"(^|[+-] )(?:([\d.]+) × )?([^()+-][^()]*?) \(", proof):
        total += (-1 if sign.startswith("-") else 1) * float(factor or 1) * counts[name.strip()]
    return total


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10_000), name=st.sampled_from(sorted(small_cubes())))
def test_every_proof_is_an_identity_of_the_true_counts(seed, name):
    """A cell is said to be a sum of others: with the true counts of these it is."""
    axes, margins = small_cubes()[name]
    rng = np.random.default_rng(seed)
    shape = tuple(axis.sizes[0] for axis in axes)
    system = Cube(axes=axes, finest=rng.poisson(2, shape), margins=margins).system()
    audit = audit_cells(published(system, (rng.random(len(system)) < 0.5) | ~system.shown, truth=True), min_count=5)
    counts = {system.name(cell): int(system.counts[cell]) for cell in range(len(system))}
    for finding in audit.findings:
        for proof in re.findall(r"that it is (.*?)(?:, and whole numbers|; it cannot|; so it is)", finding.witness):
            if "more cells" not in proof:
                assert value_of(proof, counts) == pytest.approx(counts[finding.cell])


def test_agrees_with_the_judge_of_networks():
    """The same findings on a table that is a network, rounded or hidden, with and without the truth."""
    rng = np.random.default_rng(5)
    for number in range(6):
        table = true_table(tree([0, 0, 1, 1], [0, 0]), rng.poisson(3, (4, 2)))
        system = system_of(table)
        hidden = rng.random(len(system)) < 0.5
        truth = number % 2 == 0
        markers = unflatten(np.where(hidden, SUPPRESSED, SHOWN).astype(np.int8), table.hierarchy, 3)
        values = unflatten(np.where(hidden, 0, system.counts), table.hierarchy, 3)
        safe = SafeTable(
            hierarchy=table.hierarchy,
            classification=table.classification,
            values=values,
            method=HIDING,
            markers=markers,
        )
        theirs = audit_tables({"made": safe}, min_count=5, truth={"made": table} if truth else {})
        ours = audit_cells(published(system, hidden, truth=truth), min_count=5)
        for kind in ("pinned", "too narrow", "not covered", "insider"):
            assert ours.figures[f"made: {kind}"] == theirs.figures[f"made: {kind}"], kind
        both = [sorted(f.interval for f in audit.findings if f.kind == "pinned") for audit in (ours, theirs)]
        assert both[0] == both[1]


def test_bounds_from_elsewhere_and_rounded_values():
    """A population caps a cell; nearest multiples of 5 are attacked as intervals: V15, four 0 with total 10 are all 2."""
    system = two_way([[40, 30], [20, 10]])
    hidden = np.isin(np.arange(9), [0, 1, 3, 4])
    free = audit_cells(published(system, hidden), min_count=5)
    assert free.findings == ()
    least, most = np.where(np.arange(9) == 0, 31, 0), np.where(np.arange(9) == 0, 41, NO_BOUND)
    (capped,) = audit_cells(published(system, hidden, known=(least, most)), min_count=12).findings
    assert (capped.kind, capped.cell, capped.interval) == ("pinned", "row r1, c1", (1, 11))
    leak = sum_system([2, 2, 2, 2, 8], [(4, [0, 1, 2, 3])])
    nearest = Method(name="conventional-rounding", base=5)
    audit = audit_cells(
        published(leak, np.zeros(5, np.bool_), values=np.array([0, 0, 0, 0, 10]), method=nearest), min_count=5
    )
    pinned = [finding.interval for finding in audit.findings if finding.kind == "pinned"]
    assert pinned == [(2, 2)] * 4


def test_what_no_true_table_could_have_given():
    system = two_way([[4, 3], [2, 1]])
    wrong = np.array(system.counts)
    wrong[2] = 9
    audit = audit_cells(published(system, np.zeros(9, np.bool_), values=wrong), min_count=5)
    (finding,) = audit.findings
    assert finding.kind == finding.severity == "contradiction" and not audit.safe
    assert "this sum cannot be met" in finding.witness
    empty = published(system, np.zeros(9, np.bool_), known=(system.counts + 1, system.counts + 2))
    (finding,) = audit_cells(empty, min_count=5).findings
    assert finding.kind == "contradiction"


def test_a_truth_that_does_not_fit_is_refused_without_counts():
    system = two_way([[4, 3], [2, 1]])
    shown = published(system, np.zeros(9, np.bool_), values=system.counts + 1, truth=True)
    with pytest.raises(InputError) as met:
        audit_cells(shown, min_count=5)
    assert len(met.value.faults) == 9
    assert "row r0, c0" in met.value.faults[0].key
    broken = PublishedCells(
        name="made",
        equations=system.equations,
        safe=published(system, np.ones(9, np.bool_)).safe,
        names=system.names,
        truth=np.arange(9),
    )
    with pytest.raises(InputError) as met:
        audit_cells(broken, min_count=5)
    assert "add up" in met.value.faults[0].found


def test_whole_numbers_are_said_to_be_what_holds():
    """Pairs of at most 1: a sum of halves would allow 1.5, whole numbers 1; the proof says so."""
    system = sum_system([0, 0, 0, 0, 0, 0, 0], [(3, [0, 1]), (4, [1, 2]), (5, [0, 2]), (6, [0, 1, 2])])
    none, cap = np.zeros(7, np.int64), np.array([9, 9, 9, 1, 1, 1, 9])
    audit = audit_cells(published(system, np.ones(7, np.bool_), known=(none, cap)), min_count=5)
    (finding,) = [finding for finding in audit.findings if finding.cell == "cell 6"]
    assert finding.interval == (0, 1)
    assert "whole numbers leave no more" in finding.witness
