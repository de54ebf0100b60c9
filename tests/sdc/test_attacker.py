"""The attacker equals enumeration: releases of every kind, drawn at random, against all worlds that fit them."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from attack_tools import tree
from attacker_cases import KINDS, PUBLISH, drawn_case
from attacker_judge import OF_CELLS, judge, judge_jointly, worlds_of
from test_joint_attack import table_of

from sdc.attack import jointly
from sdc.attack.intervals import NO_BOUND, stated_intervals
from sdc.attack.joint import join_pieces
from sdc.attack.jointly import JointNames, audit_pieces
from sdc.attack.judge import audit_tables
from sdc.attack.maxflow import feasible_residual
from sdc.attack.pieces import piece_of_table
from sdc.attack.programmes import feasible_intervals
from sdc.attack.targets import Target
from sdc.attack.witness import Names, flat_bounds
from sdc.findings import Audit
from sdc.network import build_network, flatten

# Cases of each kind in `make test`; blocks of so many in `make test-long`.
FEW, BLOCK, BLOCKS = 18, 100, 10


def judged(kind: str, seeds: range) -> int:
    """How many cases could be tried; a fault is told with its seed."""
    tried = 0
    for seed in seeds:
        try:
            tried += judge(drawn_case(kind, seed))
        except Exception as fault:
            raise AssertionError(f"{kind}, seed {seed}: {fault}") from fault
    return tried


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_the_attack_equals_enumeration(kind: str) -> None:
    assert judged(kind, range(FEW)) >= FEW - 2


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_the_verdict_alone_is_that_of_the_whole_attack(kind: str) -> None:
    for seed in range(6):
        case = drawn_case(kind, seed)
        assert case.together(verdict=True).safe == case.together().safe, f"{kind}, seed {seed}"


@pytest.mark.long
@pytest.mark.parametrize("block", range(1, BLOCKS + 1))
@pytest.mark.parametrize("kind", sorted(KINDS))
def test_the_attack_equals_enumeration_at_length(kind: str, block: int) -> None:
    assert judged(kind, range(block * BLOCK, (block + 1) * BLOCK)) >= 0.9 * BLOCK


def test_the_judge_sees_a_finding_that_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    kinds = ("two geographies", "linked in a chain", "two lists of bands", "two dates")
    cases = [drawn_case(kind, seed) for kind in kinds for seed in range(6)]
    telling = [case for case in cases if any(f.kind == "pinned" for f in case.jointly().findings)]
    assert len(telling) > 6
    audit_cells = jointly.audit_cells

    def quiet(*args: Any, **more: Any) -> Audit:
        found = audit_cells(*args, **more)
        return replace(found, findings=tuple(f for f in found.findings if f.kind != "pinned"))

    monkeypatch.setattr(jointly, "audit_cells", quiet)
    for case in telling:
        with pytest.raises(AssertionError):
            judge(case)


def test_the_judge_sees_a_table_that_is_overlooked() -> None:
    """With one table of two left out of the attack, but not of the worlds, intervals are too wide."""
    seen = 0
    for seed in range(12):
        case = drawn_case("linked by totals", seed)
        worlds = worlds_of(case)
        assert worlds is not None
        less = replace(case, targets=case.targets[:1], sums=case.sums[:1])
        try:
            judge_jointly(less, worlds)
        except AssertionError as fault:
            seen += "truly" in str(fault)
    assert seen >= 4


def shaped(seed: int) -> tuple[Target, str]:
    """A table of up to sixty cells over three levels, published in one of the ways."""
    rng = np.random.default_rng(seed)
    middle = int(rng.integers(1, 4))
    parents = np.sort(np.concatenate([np.arange(middle), rng.integers(0, middle, int(rng.integers(1, 7)))]))
    hierarchy = tree(parents.tolist(), [0] * middle)
    columns = int(rng.integers(1, 5))
    dimensions = {"benefit": [f"b{at}" for at in range(columns)]} if columns > 1 else {}
    table = table_of(hierarchy, dimensions, rng.poisson(rng.choice([1.0, 3.0, 6.0]), (len(parents), columns)))
    way = str(rng.choice([name for name in PUBLISH if "controlled" not in name]))
    safe, known = PUBLISH[way](table, rng)
    truth = table if rng.random() < 0.5 else None
    piece = piece_of_table("table", safe, known=known, truth=truth)
    return Target(piece=piece, table=safe, known=known, truth=truth), way


def networks_agree(seed: int) -> None:
    """Max flow and programmes: the same interval of every cell, and the same findings."""
    target, way = shaped(seed)
    piece, safe, known, truth = target.piece, target.table, target.known, target.truth
    assert safe is not None
    bounds = stated_intervals(safe) if known is None else stated_intervals(safe).intersected(known)
    network = build_network(safe.hierarchy, len(safe.classification))
    lower, upper = flat_bounds(bounds)
    residual = feasible_residual(network, lower, upper, flatten(safe.values))
    lo, hi, exact = residual.intervals(np.arange(len(lower)), enough=NO_BOUND, width=0)
    joint = join_pieces([piece])
    found = feasible_intervals(
        joint.system.equations, joint.lo, joint.hi, asked=np.arange(len(joint.system)), start=joint.start
    )
    cells = joint.places[0].ravel()
    assert exact.all() and found.exact.all() and len(cells) == len(lo)
    assert found.figures["MIP"] == 0, "a network needs no search"
    assert found.lo[cells].tolist() == lo.tolist(), f"{way}, seed {seed}"
    assert found.hi[cells].tolist() == np.where(hi > NO_BOUND // 2, NO_BOUND, hi).tolist(), f"{way}, seed {seed}"
    by_flow = audit_tables(
        {"table": safe},
        min_count=3,
        known={} if known is None else {"table": known},
        truth={} if truth is None else {"table": truth},
    )
    by_programmes = audit_pieces([piece], min_count=3)
    # An area and its only child are one figure of the joint system, told once.
    of_flow = dict(zip(map(Names(safe).name, range(len(cells))), cells.tolist(), strict=True))
    of_joint = {name: cell for cell, name in enumerate(JointNames(joint, [piece]))}
    for kind in OF_CELLS:
        one, other = (
            {(place[f.cell], f.interval) for f in audit.findings if f.kind == kind}
            for audit, place in ((by_flow, of_flow), (by_programmes, of_joint))
        )
        listed = [audit.figures[f"table: {kind}"] <= 20 for audit in (by_flow, by_programmes)]
        assert one == other or not all(listed), f"{way}, seed {seed}: {kind}"


@pytest.mark.parametrize("first", range(0, 200, 40))
def test_networks_by_flow_and_by_programmes_agree(first: int) -> None:
    for seed in range(first, first + 40):
        networks_agree(seed)


@pytest.mark.long
@pytest.mark.parametrize("first", range(1000, 5000, 250))
def test_networks_by_flow_and_by_programmes_agree_at_length(first: int) -> None:
    for seed in range(first, first + 250):
        networks_agree(seed)
