"""Two editions of one reference date, areas that change between them, and two dates with flows."""

import csv
import itertools
from pathlib import Path

import numpy as np
import pytest
from difference_tools import audit_with_differences, pieces_of
from hypothesis import given, settings
from hypothesis import strategies as st
from test_joint_attack import exact, flat_tree, hidden, rounded, table_of

from sdc.attack.intervals import NO_BOUND
from sdc.attack.joint import AREAS, Flow, join_pieces
from sdc.attack.jointly import audit_pieces
from sdc.attack.overlaps import Overlap
from sdc.attack.pieces import piece_of_table
from sdc.differencing.revisions import Revision, audit_revision
from sdc.rounding.conventional import round_conventional

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
EDITIONS = Revision(before="first edition", after="second edition")


def editions(before, after, publish=exact, truth=False):
    """One table of areas A, B, … in two editions."""
    tree = flat_tree("oa", [chr(ord("A") + at) for at in range(len(before))])
    pieces = []
    for measure, counts in (("first edition", before), ("second edition", after)):
        table = table_of(tree, {}, np.array(counts))
        pieces.append(piece_of_table(measure, publish(table), measure=measure, truth=table if truth else None))
    return pieces


def audited(pieces, overlaps=None, min_count=5, **options):
    joint = join_pieces(pieces, overlaps=overlaps)
    return audit_revision(joint, pieces, EDITIONS, min_count=min_count, **options)


def test_a_small_change_between_two_exact_editions_is_proven() -> None:
    audit = audited(editions([50, 60, 70], [52, 60, 64]))
    found = {finding.cell: finding.interval for finding in audit.findings}
    # A gained 2, C lost 6, which is no small change; the town lost 4.
    assert found == {"oa A": (2, 2), "lad T": (-4, -4)}
    assert "now oa A (exactly 52), before oa A (exactly 50): so exactly 2 more" in audit.findings[0].witness
    assert "fewer than before" in audit.findings[1].witness and not audit.safe


def test_rounded_editions_prove_no_small_change() -> None:
    """Zero-restricted rounding to 5, or to the nearest 5: two steps apart are no less than 2 × 5 - 8 and no more than 18."""
    for publish in (lambda table: round_conventional(table, base=5, min_count=5), rounded):
        assert audited(editions([50, 61, 70], [53, 69, 64], publish=publish)).safe


def test_a_change_hidden_in_both_editions_follows_from_sums() -> None:
    """A hidden count is what the others leave of the total, in either edition."""
    audit = audited(editions([2, 60, 70], [1, 60, 70], publish=hidden))
    assert {f.cell: f.interval for f in audit.findings} == {"oa A": (-1, -1), "lad T": (-1, -1)}


def test_with_the_truth_only_small_changes_count() -> None:
    audit = audited(editions([50, 60, 70], [52, 60, 90], truth=True))
    assert [finding.interval for finding in audit.findings] == [(2, 2)]


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 10_000), how=st.sampled_from(["exact", "hidden", "rounded"]))
def test_changes_equal_enumeration(seed: int, how: str) -> None:
    rng = np.random.default_rng(seed)
    before = rng.integers(0, 5, 3)
    after = np.maximum(before + rng.integers(-1, 3, 3), 0)
    publish = {"exact": exact, "hidden": hidden, "rounded": rounded}[how]
    pieces = editions(before, after, publish=publish)
    worlds = np.array(list(itertools.product(range(16), repeat=3)))
    worlds = np.concatenate([worlds, worlds.sum(axis=1, keepdims=True)], axis=1)
    ends = []
    for piece in pieces:
        own = worlds[((worlds >= piece.lo.ravel()) & (worlds <= piece.hi.ravel())).all(axis=1)]
        ends.append((own.min(axis=0), own.max(axis=0)))
    least, most = ends[1][0] - ends[0][1], ends[1][1] - ends[0][0]
    pinned = ((least >= 1) & (most < 4)) | ((most <= -1) & (least > -4))
    names = ["oa A", "oa B", "oa C", "lad T"]
    found = {finding.cell: finding.interval for finding in audited(pieces, min_count=4).findings}
    assert found == {names[at]: (int(least[at]), int(most[at])) for at in np.flatnonzero(pinned)}


# 2011 and 2021: U unchanged, S split in two, M merged, X two that became other two, and one that is new.
VINTAGES = {
    "lsoa11": ["U", "S", "S", "M1", "M2", "X1", "X1", "X2", ""],
    "lsoa21": ["U", "Sa", "Sb", "M", "M", "Xa", "Xb", "Xb", "new"],
}


def vintages(before, after):
    """One edition by the old areas, the next by the new ones; counts per atom."""
    pieces = []
    for (name, codes), counts, measure in zip(VINTAGES.items(), (before, after), ("first", "second"), strict=True):
        inside = np.array(codes) != ""
        own = {name: np.array(codes)[inside]}
        pieces += pieces_of(own, np.array(counts)[inside], measure=f"{measure} edition")
    return pieces


def test_areas_that_changed_between_two_editions_are_compared_together() -> None:
    overlaps = {AREAS: Overlap.of(VINTAGES)}
    before = [50, 20, 30, 40, 45, 30, 35, 50, 0]
    after = [52, 20, 31, 43, 45, 30, 35, 54, 99]
    found = {finding.cell: finding.interval for finding in audited(vintages(before, after), overlaps).findings}
    changes = {name.replace("lsoa21 ", ""): interval for name, interval in found.items()}
    assert changes["U"] == (2, 2) and changes["M"] == (3, 3)
    assert changes["Sa and Sb"] == (1, 1)
    assert changes["Xa and Xb"] == (4, 4)
    assert len(changes) == 4


def test_one_edition_in_two_vintages_of_areas_is_differencing() -> None:
    """The same date by old and by new areas: X1 less Xa is people, and U is one figure with one value."""
    before = [50, 20, 30, 40, 45, 30, 2, 50, 0]
    pieces = vintages(before, before)
    pieces = [*pieces[:1], *pieces_of({"lsoa21": np.array(VINTAGES["lsoa21"])[:8]}, np.array(before)[:8])]
    pieces[0] = pieces_of({"lsoa11": np.array(VINTAGES["lsoa11"])[:8]}, np.array(before)[:8])[0]
    audit = audit_with_differences(pieces, {AREAS: Overlap.of(VINTAGES)})
    assert (2, 2) in {finding.interval for finding in audit.findings if finding.kind == "pinned"}


@pytest.mark.real_areas
def test_lsoas_of_2011_and_2021() -> None:
    """Sixteen authorities: every comparison that the official table of changes allows, and no other."""
    with (SHARED / "lsoa-change-2011-2021" / "lsoa11_lsoa21_lad22.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = sorted({(row["lsoa11cd"], row["lsoa21cd"], row["chgind"]) for row in csv.DictReader(file)})
    old, new, kinds = (np.array(column) for column in zip(*rows, strict=True))
    overlap = {AREAS: Overlap.of({"lsoa11": old, "lsoa21": new})}
    rng = np.random.default_rng(11)
    before = rng.integers(40, 90, len(rows))
    after = before.copy()
    # Three more in every 2021 area that is part of an official change of one kind.
    for kind, tell in {"U": 400, "S": 20, "M": 6}.items():
        places = np.flatnonzero(kinds == kind)
        codes = np.unique(old[places] if kind == "S" else new[places])[:tell]
        for code in codes:
            after[places[(old if kind == "S" else new)[places] == code][0]] += 3
    pieces = [
        *pieces_of({"lsoa11": old}, before, measure="first edition"),
        *pieces_of({"lsoa21": new}, after, measure="second edition"),
    ]
    audit = audited(pieces, overlap)
    expected = sum(
        min(tell, len(np.unique((old if kind == "S" else new)[kinds == kind])))
        for kind, tell in {"U": 400, "S": 20, "M": 6}.items()
    )
    assert audit.figures["second edition after first edition: revision"] == expected
    assert {finding.interval for finding in audit.findings} == {(3, 3)}


def test_what_flows_leave_of_a_hidden_one_is_proven() -> None:
    """Caseloads 40 and 45, seven came: two left, though that is hidden."""
    tree = flat_tree("oa", ["A", "B"])
    counts = {"before": [40, 50], "after": [45, 61], "on": [7, 30], "off": [2, 19]}
    pieces = [
        piece_of_table(name, hidden(table_of(tree, {}, np.array(own))), measure=name) for name, own in counts.items()
    ]
    flow = Flow(before="before", after="after", on="on", off="off")
    audit = audit_pieces(pieces, min_count=5, flows=[flow])
    assert [(f.kind, f.interval) for f in audit.findings] == [("pinned", (2, 2))]
    assert audit.findings[0].cell == "off: oa A"
    # Without the flow between them two dates prove nothing of who left, though the town's total does.
    alone = [piece for piece in pieces if piece.name != "off"]
    assert audit_pieces(alone, min_count=5).safe


def test_two_dates_are_not_two_editions() -> None:
    """A net change between two dates is no count of people: it is looked at where flows are told, and only there."""
    pieces = editions([50, 60, 70], [52, 60, 64])
    assert audit_pieces(pieces, min_count=5).safe


def test_figures_that_are_left_are_told() -> None:
    pieces = editions([50, 2, 1, 70], [53, 2, 1, 64], publish=hidden)
    audit = audited(pieces, most_asked=0)
    assert any("whose interval may be closer still" in line for line in audit.not_checked)
    assert max(finding.interval[1] for finding in audit.findings) < NO_BOUND
