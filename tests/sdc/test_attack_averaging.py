"""Averaging noise away: the variance that is claimed is the one that repeated noise has, and textbook cases."""

import numpy as np
import pytest
from test_joint_attack import exact, flat_tree, table_of

from sdc.attack.averaging import averaged, averaging_audit
from sdc.attack.joint import join_pieces
from sdc.attack.jointly import JointNames
from sdc.attack.pieces import Piece, piece_of_table
from sdc.tables import Method, SafeTable, Table

VARIANCE = 4.0
NOISY = Method(name="cell-key", base=1, min_count=3)


def noisy(table: Table, rng: np.random.Generator) -> SafeTable:
    values = tuple(x + rng.integers(-3, 4, x.shape) for x in table.counts)
    return SafeTable(hierarchy=table.hierarchy, classification=table.classification, values=values, method=NOISY)


def partitions(number: int) -> list[Table]:
    """One area's 40 people by several variables of their own, two categories each."""
    tree = flat_tree("oa", ["A"], top="none")
    return [table_of(tree, {f"v{k}": ["a", "b"]}, np.array([[10 + k, 30 - k]])) for k in range(number)]


def test_partitions_of_the_same_people_leave_the_variance_over_one_and_their_number() -> None:
    """V / (1 + Σ 1 / parts): each table's parts give the total once more; totals that agree count once."""
    tables = partitions(4)
    same = [exact(table) for table in tables]
    pieces = [piece_of_table(f"t{k}", safe) for k, safe in enumerate(same)]
    joint = join_pieces(pieces)
    _, variance = averaged(joint, pieces, {piece.name: VARIANCE for piece in pieces})
    total = int(joint.places[0][0, -1])
    assert variance[total] == pytest.approx(VARIANCE / (1 + 4 / 2))


def test_the_variance_is_what_repetition_shows() -> None:
    """Two areas by three categories, noise drawn 4,000 times: every estimate is unbiased and varies as claimed."""
    rng = np.random.default_rng(3)
    table = table_of(flat_tree("oa", ["A", "B"]), {"b": ["x", "y", "z"]}, np.array([[20, 14, 9], [11, 30, 7]]))
    estimates, claimed = [], None
    for _ in range(4000):
        piece = piece_of_table("t", noisy(table, rng))
        joint = join_pieces([piece])
        estimate, claimed = averaged(joint, [piece], {"t": VARIANCE})
        estimates.append(estimate)
    true = piece_of_table("t", exact(table)).values.ravel()[np.argsort(joint.places[0].ravel())]
    found = np.array(estimates)
    assert claimed is not None
    assert np.abs(found.mean(axis=0) - true).max() < 0.15
    # An estimate from its own figure, three categories or a whole less two, and two areas.
    assert np.allclose(found.var(axis=0), claimed, rtol=0.1)


def test_many_tables_make_a_small_count_certain() -> None:
    tree = flat_tree("oa", ["A"], top="none")
    tables = [table_of(tree, {f"v{k}": ["a", "b"]}, np.array([[1, 1]])) for k in range(60)]
    pieces: list[Piece] = [piece_of_table(f"t{k}", exact(table)) for k, table in enumerate(tables)]
    joint = join_pieces(pieces)
    variances = {piece.name: 2.0 for piece in pieces}
    audit = averaging_audit(joint, pieces, variances, JointNames(joint, pieces), min_count=5)
    assert [finding.kind for finding in audit.findings] == ["averaging"]
    assert "it is 2 with a probability of" in audit.findings[0].witness
    few = averaging_audit(join_pieces(pieces[:5]), pieces[:5], variances, JointNames(joint, pieces), min_count=5)
    assert few.safe and few.figures


def test_true_figures_are_not_averaged() -> None:
    piece = piece_of_table("t", exact(partitions(1)[0]))
    joint = join_pieces([piece])
    assert averaging_audit(joint, [piece], {}, JointNames(joint, [piece]), min_count=5).safe
