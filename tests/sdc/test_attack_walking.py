"""Walks from table to table: what they meet is possible, and what is judged of it is what programmes judge."""

import numpy as np
import pytest
from attack_tools import tree, true_table
from hypothesis import given, settings
from hypothesis import strategies as st
from test_attack_neighbourhoods import two_geographies

from sdc.attack.elimination import Block
from sdc.attack.intervals import NO_BOUND
from sdc.attack.jointly import audit_pieces
from sdc.attack.maxflow import NoTable, feasible_flow
from sdc.attack.narrowing import NoSolution
from sdc.attack.programmes import Demand, feasible_intervals, settle
from sdc.attack.walking import Ends, meet, walk_blocks, walk_to_table
from sdc.findings import Audit
from sdc.network import build_network
from sdc.system import system_of


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 10_000), how=st.sampled_from(["hidden", "rounded"]))
def test_what_walks_meet_is_possible(seed: int, how: str) -> None:
    """No value outside the exact interval is met, and an end that is said to be met is one."""
    _, joint = two_geographies(seed, how)
    equations, every = joint.system.equations, np.arange(len(joint.system))
    exact = feasible_intervals(equations, joint.lo, joint.hi, asked=every)
    settled = settle(equations, joint.lo, joint.hi, np.ones(len(every), np.bool_))
    walked = walk_blocks(settled.blocks, settled.bounds, asked=every >= 0, want=Ends.of(settled.bounds), start=None)
    for block, met in zip(settled.blocks, walked, strict=True):
        if met is not None:
            assert np.all(met.least >= exact.lo[block.cells]) and np.all(met.most <= exact.hi[block.cells])
            assert np.all(met.least <= met.table) and np.all(met.table <= met.most)


@settings(deadline=None, max_examples=30)
@given(
    seed=st.integers(0, 10_000),
    how=st.sampled_from(["hidden", "rounded"]),
    min_count=st.sampled_from([3, 4]),
    width=st.sampled_from([None, 2, 6]),
)
def test_findings_are_those_of_programmes_alone(seed: int, how: str, min_count: int, width: int | None) -> None:
    pieces, _ = two_geographies(seed, how)
    walked = audit_pieces(pieces, min_count=min_count, width=width)
    solved = audit_pieces(pieces, min_count=min_count, width=width, most_cells=None)  # type: ignore[arg-type]

    def told(audit: Audit) -> set[object]:
        return {(finding.kind, finding.cell, finding.interval) for finding in audit.findings}

    assert told(walked) == told(solved)


def test_enough_is_enough() -> None:
    """A cell that a table takes far enough is not followed, and each of the two limits stands by itself."""
    _, joint = two_geographies(3, "rounded", areas=60)
    equations, every = joint.system.equations, np.arange(len(joint.system))
    far = np.full(len(every), NO_BOUND)

    def met(enough: np.ndarray, from_zero: np.ndarray) -> np.ndarray:
        demand = Demand(lo=0 * every, hi=far, enough=enough, from_zero=from_zero)
        return feasible_intervals(equations, joint.lo, joint.hi, asked=every, demand=demand, most_cells=60).exact

    assert met(far, far).all()
    assert not met(np.ones_like(far), far).all()
    assert met(far, np.ones_like(far)).sum() > met(np.ones_like(far), far).sum()


def test_a_table_that_does_not_fit_is_no_start() -> None:
    block = _block([(0, [1, 2])], 3)
    bounds = np.zeros(3, np.int64), np.full(3, 9)
    with pytest.raises(ValueError, match="add up"):
        meet(block, bounds, np.array([5, 1, 1]), asked=np.ones(3, np.bool_), want=Ends.of(bounds))
    table = walk_to_table(block, (np.array([7, 0, 0]), np.array([9, 4, 4])))
    assert table is not None and table[0] == table[1] + table[2] and 7 <= table[0] <= 8
    assert walk_to_table(block, (np.array([9, 0, 0]), np.array([9, 4, 4]))) is None


def _block(sums: list[tuple[int, list[int]]], cells: int) -> Block:
    return Block(
        cells=np.arange(cells),
        equations=np.arange(len(sums)),
        starts=np.cumsum([0, *(1 + len(parts) for _, parts in sums)]),
        columns=np.concatenate([[whole, *parts] for whole, parts in sums]),
        signs=np.concatenate([[1, *(-1 for _ in parts)] for _, parts in sums]),
        right=np.zeros(len(sums), np.int64),
    )


@settings(deadline=None, max_examples=150)
@given(seed=st.integers(0, 100_000), loose=st.integers(0, 2))
def test_a_flow_is_found_where_a_programme_finds_a_table(seed, loose):
    """Values rounded apart are mended nearby, downhill, or by blocking flows, and only where no table fits not at all."""
    rng = np.random.default_rng(seed)
    hierarchy = tree([0, 0, 0, 1, 1, 1, 1, 2], [0, 0, 1], [0, 0])
    table = true_table(hierarchy, rng.poisson(1.5, (8, 2)))
    network = build_network(hierarchy, 2)
    true = np.concatenate([counts.ravel() for counts in table.counts]).astype(np.int64)
    shown = np.maximum(true + rng.integers(-2, 3, len(true)), 0)
    lower, upper = np.maximum(shown - loose, 0), shown + loose
    system = system_of(table)
    cells = np.arange(len(true))
    try:
        feasible_intervals(system.equations, lower, upper, asked=cells[:1])
        fits = True
    except NoSolution:
        fits = False
    try:
        flow = feasible_flow(network, lower, upper, shown)
    except NoTable:
        assert not fits
        return
    assert fits
    assert np.all(flow >= lower) and np.all(flow <= upper) and not system.equations.residuals(flow).any()
