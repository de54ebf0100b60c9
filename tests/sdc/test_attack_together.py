"""Which tables are attacked together, and that nothing is lost whichever way they go."""

from dataclasses import replace

import numpy as np
import pytest
from test_joint_attack import exact, flat_tree, hidden, nested_tree, rounded, table_of

from sdc.attack.joint import AREAS, Within
from sdc.attack.overlaps import Overlap
from sdc.attack.pieces import piece_of_table
from sdc.attack.together import Target, audit_together, related_sets
from sdc.tables import SUPPRESSED, SafeTable, Table


def target(name: str, safe: SafeTable, measure: str = "", truth: Table | None = None) -> Target:
    return Target(piece=piece_of_table(name, safe, measure=measure, truth=truth), table=safe, truth=truth)


def counts(*rows: list[int]) -> np.ndarray:
    return np.array(rows, np.int64)


@pytest.fixture
def benefits() -> Table:
    return table_of(flat_tree("oa", ["A", "B"]), {"benefit": ["jsa", "uc"]}, counts([7, 2], [9, 1]))


def test_one_dimension_each_over_one_tree_are_networks(benefits: Table) -> None:
    sexes = table_of(benefits.hierarchy, {"sex": ["f", "m"]}, counts([4, 5], [3, 7]))
    audit = audit_together([target("a", hidden(benefits)), target("b", hidden(sexes))], min_count=3)
    assert audit.figures["a: path"] == "max flow"
    assert not any("elimination" in text for text in audit.checked)


def test_another_list_of_bands_goes_jointly() -> None:
    """V11: males under 20 and 20 to 39 beside under 25 and 25 to 39 leave one man of 20 to 24."""
    tree = flat_tree("oa", ["A"], top="none")
    first = table_of(tree, {"age": ["u20", "20-39"]}, counts([9, 6]))
    second = table_of(tree, {"age": ["u25", "25-39"]}, counts([8, 7]))
    overlap = Overlap.of({"first": ["u20", "20-39", "20-39"], "second": ["u25", "u25", "25-39"]})
    targets = [target("first", exact(first)), target("second", exact(second))]
    audit = audit_together(targets, min_count=5, overlaps={"age": overlap})
    assert not audit.safe
    pinned = [finding for finding in audit.findings if finding.kind == "pinned"]
    assert [finding.interval for finding in pinned] == [(1, 1)]
    assert "20-39 & u25" in pinned[0].cell


def test_without_an_overlap_it_is_said() -> None:
    tree = flat_tree("oa", ["A"], top="none")
    tables = [table_of(tree, {"age": codes}, counts([9, 6])) for codes in (["u20", "20-39"], ["u25", "25-39"])]
    audit = audit_together([target(f"t{k}", exact(table)) for k, table in enumerate(tables)], min_count=5)
    assert any("categories of age lie on each other" in text for text in audit.not_checked)


def test_measures_apart_are_sets_apart(benefits: Table) -> None:
    people = table_of(benefits.hierarchy, {}, counts([8], [9]))
    targets = [target("claims", hidden(benefits), "claims"), target("people", hidden(people), "people")]
    pieces = [one.piece for one in targets]
    assert related_sets(pieces, overlaps={}) == [[0], [1]]
    tie = Within(parts="claims", whole="people", by="benefit")
    assert related_sets(pieces, overlaps={}, within=[tie]) == [[0, 1]]
    audit = audit_together(targets, min_count=3)
    assert any("different populations against each other" in text for text in audit.not_checked)


def test_areas_that_nobody_lays_on_each_other_are_sets_apart() -> None:
    one = piece_of_table("a", exact(table_of(flat_tree("lsoa", ["L1"], top="x"), {}, counts([7]))))
    two = piece_of_table("b", exact(table_of(flat_tree("ward", ["W1"], top="y"), {}, counts([7]))))
    assert related_sets([one, two], overlaps={}) == [[0], [1]]
    overlap = Overlap.of({"lsoa": ["L1"], "ward": ["W1"]})
    assert related_sets([one, two], overlaps={AREAS: overlap}) == [[0, 1]]


def test_what_single_tables_give_away_is_not_lost_jointly() -> None:
    """Two geographies: lone claimants of one table are still found, small cells told once."""
    lsoa, ward = nested_tree("lsoa", [0, 0, 1, 1]), nested_tree("ward", [0, 1, 1, 1])
    finest = counts([1, 2], [2, 2], [9, 9], [8, 9])
    made = [table_of(tree, {"benefit": ["jsa", "uc"]}, finest) for tree in (lsoa, ward)]
    safe = hidden(made[0])
    markers = list(safe.markers)
    markers[1] = np.where(made[0].counts[1] < 4, SUPPRESSED, 0).astype(np.int8)
    first = replace(
        safe, markers=tuple(markers), values=tuple(np.where(m, 0, v) for m, v in zip(markers, safe.values, strict=True))
    )
    targets = [target("a", first, truth=made[0]), target("b", rounded(made[1]), truth=made[1])]
    audit = audit_together(targets, min_count=3)
    kinds = [finding.kind for finding in audit.findings]
    assert "learned by a lone claimant" in kinds
    cells = [(finding.kind, finding.cell) for finding in audit.findings]
    assert len(cells) == len(set(cells))
