"""What all noisy figures together leave to be believed: equal to Bayes' rule worked out by hand."""

import numpy as np
import pytest
from test_joint_attack import flat_tree, table_of
from test_noise_attack import designed

from sdc.attack.averagedbeliefs import combined_audit, combined_beliefs
from sdc.attack.averaging import noise_variance
from sdc.attack.joint import join_pieces
from sdc.attack.jointly import JointNames
from sdc.attack.noisebeliefs import fit_noise_prior
from sdc.attack.pieces import Piece, piece_of_table
from sdc.attack.targets import Target
from sdc.attack.together import audit_together
from sdc.cellkey.ptable import noise_shares, rows_of
from sdc.tables import Method, SafeTable

NOISY = Method(name="cell-key", base=1, min_count=3)


def areas(name: str, values: list[int]) -> tuple[Piece, SafeTable]:
    """Areas of one level that nobody adds up."""
    codes = [f"A{at:02}" for at in range(len(values))]
    tree = flat_tree("oa", codes)
    table = table_of(tree, {}, np.array(values))
    markers = (np.zeros((len(values), 1), np.int8), np.full((1, 1), 5, np.int8))
    safe = SafeTable(
        hierarchy=tree, classification=table.classification, values=table.counts, markers=markers, method=NOISY
    )
    return piece_of_table(name, safe), safe


def test_figures_drawn_apart_are_weighed_by_the_ptable() -> None:
    """One count shown as 3 in one table and as 5 in another: what both allow, by the prior of the first."""
    ptable = designed(3, 3.0)
    one, two = [3, 4, 6, 0, 2, 5], [5, 4, 6, 0, 2, 5]
    pieces = [areas("one", one)[0], areas("two", two)[0]]
    joint = join_pieces(pieces)
    belief = combined_beliefs(joint, pieces, {"one": ptable, "two": ptable}, min_count=5)
    cell = int(joint.places[0][0])
    at = int(np.flatnonzero(belief.cells == cell)[0])
    shares, first = noise_shares(ptable)
    values, cells = np.unique(one, return_counts=True)
    prior = fit_noise_prior(values, cells, ptable)
    counts = np.arange(0, 30)
    chance = np.exp(prior.log_mass(counts))
    for shown in (3, 5):
        noise = shown - counts - first
        inside = (noise >= 0) & (noise < shares.shape[1])
        chance *= np.where(inside, shares[rows_of(ptable, counts), np.clip(noise, 0, shares.shape[1] - 1)], 0)
    chance /= chance.sum()
    for count, mass in zip(belief.counts[at], belief.mass[at], strict=True):
        assert mass == pytest.approx(chance[count], abs=1e-9) or mass == 0
    assert belief.likeliest[at] == counts[chance.argmax()]


def test_sums_pull_belief_towards_what_they_leave() -> None:
    """Two areas of a known total: the figure that the whole leaves weighs by the noise of its parts."""
    ptable = designed(3, 3.0)
    tree = flat_tree("oa", ["A", "B"])
    shown = table_of(tree, {}, np.array([4, 9]))
    method = Method(name="cell-key", base=1, min_count=3)
    apart = SafeTable(hierarchy=tree, classification=shown.classification, values=shown.counts, method=method)
    off = SafeTable(
        hierarchy=tree,
        classification=shown.classification,
        values=(shown.counts[0], shown.counts[1] + 3),
        method=method,
    )
    means = []
    for safe in (apart, off):
        pieces = [piece_of_table("t", safe)]
        joint = join_pieces(pieces)
        belief = combined_beliefs(joint, pieces, {"t": ptable}, min_count=5)
        at = int(np.flatnonzero(belief.cells == int(joint.places[0][0]))[0])
        means.append(float(belief.counts[at] @ belief.mass[at]))
    assert means[1] > means[0] + 0.1
    assert noise_variance(ptable) > 0


def test_many_tables_make_a_small_count_too_certain_and_the_limit_is_the_askers() -> None:
    ptable = designed(3, 3.0)
    shown = [[3, 9, 9], [1, 9, 9], [6, 9, 9]]
    made = [areas(f"t{number}", values) for number, values in enumerate(shown)]
    pieces = [piece for piece, _ in made]
    joint = join_pieces(pieces)
    names = JointNames(joint, pieces)
    ptables = {piece.name: ptable for piece in pieces}
    strict = combined_audit(joint, pieces, ptables, names, min_count=5, max_certainty=0.6)
    assert [finding.kind for finding in strict.findings] == ["averaging"]
    assert combined_audit(joint, pieces, ptables, names, min_count=5, max_certainty=1.0).safe
    few = combined_audit(join_pieces(pieces[:1]), pieces[:1], {"t0": ptable}, names, min_count=5, max_certainty=0.6)
    assert few.safe
    with pytest.raises(ValueError, match="max_certainty"):
        combined_audit(joint, pieces, ptables, names, min_count=5, max_certainty=0.0)


def test_the_limit_reaches_the_attack() -> None:
    ptable = designed(3, 3.0)
    piece, safe = areas("t", [1, 0, 0, 9, 1, 0, 2, 0])
    kinds = []
    for limit in (0.2, 1.0):
        target = Target(piece=piece, table=safe, ptable=ptable, variance=noise_variance(ptable))
        audit = audit_together([target], min_count=3, max_certainty=limit)
        kinds.append({finding.kind for finding in audit.findings})
    assert {"too certain", "averaging"} & kinds[0] and not {"too certain", "averaging"} & kinds[1]
