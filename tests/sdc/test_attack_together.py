"""Which tables are attacked together, and that nothing is lost whichever way they go."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from test_joint_attack import exact, flat_tree, hidden, nested_tree, rounded, table_of

from sdc.attack import byproof
from sdc.attack.joint import AREAS, Within
from sdc.attack.overlaps import Overlap
from sdc.attack.pieces import piece_of_table
from sdc.attack.related import related_sets
from sdc.attack.sums import audit_sums
from sdc.attack.targets import Target
from sdc.attack.together import audit_together
from sdc.differencing.revisions import Revision
from sdc.rounding.controlled import ControlledRounding, round_controlled
from sdc.tables import NOT_PUBLISHED, SHOWN, SUPPRESSED, Hierarchy, Method, SafeTable, Table


def target(name: str, safe: SafeTable, measure: str = "", truth: Table | None = None) -> Target:
    return Target(piece=piece_of_table(name, safe, measure=measure, truth=truth), table=safe, truth=truth)


def controlled(table: Table, base: int) -> SafeTable:
    spec = ControlledRounding(base=base, min_count=base)
    return round_controlled({"t": table}, spec=spec, key=b"k" * 32)[0]["t"]


def counts(*rows: list[int]) -> np.ndarray:
    return np.array(rows, np.int64)


@pytest.fixture
def benefits() -> Table:
    return table_of(flat_tree("oa", ["A", "B"]), {"benefit": ["jsa", "uc"]}, counts([7, 2], [9, 1]))


def test_one_dimension_each_over_one_tree_are_networks(benefits: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where they are many; small ones are one system as well."""
    sexes = table_of(benefits.hierarchy, {"sex": ["f", "m"]}, counts([4, 5], [3, 7]))
    targets = [target("a", hidden(benefits)), target("b", hidden(sexes))]
    open_ = "a, b: what tables say together beyond the intervals of figures they share (sound, not exact)"
    audit = audit_together(targets, min_count=3)
    assert any("elimination" in text for text in audit.checked) and open_ not in audit.not_checked
    monkeypatch.setattr(byproof, "MOST_JOINTLY", 0)
    audit = audit_together(targets, min_count=3)
    assert audit.figures["a: path"] == "max flow" and open_ in audit.not_checked
    assert not any("elimination" in text for text in audit.checked)


def hidden_in_pairs(dimension: str, pair: tuple[int, int]) -> SafeTable:
    """Four areas of 3, 9, 8 and 7 by two categories, totals hidden; two hide their first category, two their second."""
    own = [[each, 20] if area in pair else [20, each] for area, each in enumerate((3, 9, 8, 7))]
    tree = flat_tree("oa", list("ABCD"))
    table = table_of(tree, {dimension: ["x", "y"]}, counts(*own))
    markers = [np.zeros_like(each) for each in table.counts]
    markers[0][:, 2] = SUPPRESSED
    markers[0][np.arange(4), [0 if area in pair else 1 for area in range(4)]] = SUPPRESSED
    markers = [each.astype(np.int8) for each in markers]
    return replace(
        exact(table),
        values=tuple(np.where(m, 0, v) for m, v in zip(markers, table.counts, strict=True)),
        markers=tuple(markers),
    )


def test_three_networks_give_a_count_away_that_none_and_no_two_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """One tells A + B, one B + C, one A + C of what is hidden: so each of them.  Flows through each table do not see it."""
    tables = {"a": ("benefit", (0, 1)), "b": ("sex", (1, 2)), "c": ("work", (0, 2))}
    targets = [target(name, hidden_in_pairs(*how)) for name, how in tables.items()]
    found = audit_together(targets, min_count=5).findings
    pinned = [finding.interval for finding in found if finding.kind == "pinned"]
    assert pinned == [(3, 3)] * 3
    assert not [finding for finding in audit_together(targets[:2], min_count=5).findings if finding.kind == "pinned"]
    monkeypatch.setattr(byproof, "MOST_JOINTLY", 0)
    assert not [finding for finding in audit_together(targets, min_count=5).findings if finding.kind == "pinned"]


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


@pytest.mark.parametrize(("base", "min_count"), [(5, 5), (5, 3), (6, 5), (3, 3)])
def test_changes_between_multiples_of_a_base_prove_nothing(base: int, min_count: int) -> None:
    """What is said by proof of two editions, for every pair of values."""
    for now, then in itertools.product(range(0, 6 * base, base), repeat=2):
        least = max(now - base + 1, 0) - (then + base - 1)
        most = now + base - 1 - max(then - base + 1, 0)
        assert any(abs(change) >= min_count or change == 0 for change in range(least, most + 1))


def test_editions_are_one_system_where_the_proof_does_not_hold(benefits: Table) -> None:
    more = table_of(benefits.hierarchy, {"benefit": ["jsa", "uc"]}, counts([7, 2], [9, 4]))
    editions = Revision(before="first", after="second")

    def audit(method, then=benefits):  # type: ignore[no-untyped-def]
        pairs = (("first", then), ("second", more))
        return audit_together([target(n, method(t), n) for n, t in pairs], min_count=5, revisions=[editions])

    assert audit(lambda table: controlled(table, 5)).checked[0].endswith("no small one is proven (by proof)")
    assert "revision" in {finding.kind for finding in audit(exact).findings}
    assert not any(
        "changes" in text and "by proof" in text for text in audit(lambda table: controlled(table, 3)).checked
    )


def test_measures_apart_are_sets_apart(benefits: Table) -> None:
    people = table_of(benefits.hierarchy, {}, counts([8], [9]))
    targets = [target("claims", hidden(benefits), "claims"), target("people", hidden(people), "people")]
    pieces = [one.piece for one in targets]
    assert related_sets(pieces, overlaps={}) == [[0], [1]]
    tie = Within(parts="claims", whole="people", by="benefit")
    assert related_sets(pieces, overlaps={}, within=[tie]) == [[0, 1]]
    audit = audit_together(targets, min_count=3)
    assert any("different populations or dates against each other" in text for text in audit.not_checked)


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


def test_figures_of_an_additive_method_that_do_not_add_up_contradict_it(benefits: Table) -> None:
    safe = controlled(benefits, 5)
    values = [level.copy() for level in safe.values]
    values[1][0, -1] += 5
    wrong = replace(safe, values=tuple(values))
    audit = audit_together([target("t", wrong)], min_count=5)
    (finding, *_) = [one for one in audit.findings if one.kind == "contradiction"]
    assert f"shown as {values[1][0, -1]}, its parts add up to {values[1][0, -1] - 5}" in finding.witness
    # Where a part is not shown nothing can be said of the sum.
    markers = [np.full(level.shape, SHOWN, np.int8) for level in values]
    markers[0][0, -1] = markers[1][0, 0] = NOT_PUBLISHED
    assert not audit_sums(piece_of_table("t", replace(wrong, markers=tuple(markers)))).findings


def test_every_sum_of_exact_figures_that_does_not_hold_is_counted(benefits: Table) -> None:
    """Of a table as counted too, and not the first sum alone."""
    values = [level.copy() for level in benefits.counts]
    values[0][:, -1] += 1
    values[1][0, -1] += 5
    method = Method(name="exact", base=1, min_count=3)
    wrong = SafeTable(
        hierarchy=benefits.hierarchy, classification=benefits.classification, values=tuple(values), method=method
    )
    audit = audit_sums(piece_of_table("t", wrong))
    assert audit.figures["t: contradiction"] == len(audit.findings) == len(values[0]) + 2
    assert all("exact figures add up" in finding.witness for finding in audit.findings)


def test_tables_that_nothing_ties_are_named_by_the_first_and_counted() -> None:
    tree = Hierarchy(levels=("oa",), codes=(np.array(["A"]),), parents=())
    tables = [table_of(tree, {}, np.array([7])) for _ in range(9)]
    targets = [target(f"t{at}", hidden(table), f"date {at}") for at, table in enumerate(tables)]
    (told,) = [text for text in audit_together(targets, min_count=3).not_checked if "against each other" in text]
    assert told == "tables of different populations or dates against each other: t0; t1; t2; t3 and 5 more"
