"""Vectors of the methods' specification as an attacker meets them: by the network's way and by the joint way."""

import numpy as np
import pytest
from attack_tools import EXACT, shown, tree, true_table
from rounding_tools import HANDBOOK
from test_joint_attack import nested_tree, table_of

from sdc.attack.intervals import NO_BOUND, Intervals
from sdc.attack.joint import Within, join_pieces
from sdc.attack.jointly import audit_pieces
from sdc.attack.jointtheorem import check_joint
from sdc.attack.judge import audit_tables
from sdc.attack.pieces import piece_of_table
from sdc.attack.programmes import feasible_intervals
from sdc.attack.targets import Target
from sdc.attack.together import audit_together
from sdc.rules.rates import percent_bounds
from sdc.tables import SUPPRESSED, Method, SafeTable

# A promise that no interval keeps: every cell that may be as small is told, with its interval.
EVERY = 60


def hiding(finest: list[list[int]], cells: list[tuple[int, int]]) -> SafeTable:
    """Areas by categories with these finest cells hidden and all else shown as counted."""
    table = true_table(tree([0] * len(finest)), finest)
    markers = [np.zeros_like(each) for each in table.counts]
    for cell in cells:
        markers[0][cell] = SUPPRESSED
    values = [np.where(m == SUPPRESSED, 0, x) for m, x in zip(markers, table.counts, strict=True)]
    return shown(table, values, Method(name="suppression", base=1, min_count=5), markers)


def both_ways(safe: SafeTable, cells: list[tuple[int, int]]) -> list[tuple[int, int | None]]:
    """Intervals of finest cells by max flow, which those by programmes equal."""
    by_flow = {f.cell: f.interval for f in audit_tables({"t": safe}, min_count=EVERY).findings}
    jointly = {f.cell: f.interval for f in audit_pieces([piece_of_table("t", safe)], min_count=EVERY).findings}
    names = [(f"oa OA{area:06}", f"k{column}") for area, column in cells]
    found = [by_flow[f"{area}, benefit={category}"] for area, category in names]
    assert found == [jointly[f"t: {area}, {category}"] for area, category in names]
    return [each for each in found if each is not None]


SQUARE = [(0, 0), (0, 1), (1, 0), (1, 1)]


def test_v1_a_hidden_square_by_both_ways() -> None:
    """Rows 7 and 3, columns 6 and 4: 3 to 6, 1 to 4, 0 to 3 and 0 to 3."""
    assert both_ways(hiding([[4, 3], [2, 1]], SQUARE), SQUARE) == [(3, 6), (1, 4), (0, 3), (0, 3)]


def test_v2_young_and_old_by_both_ways() -> None:
    """Young 2, 0 (5), old 3, 4 (6), Iceland and Portugal hidden: 0 to 2 and 0 to 2, 3 to 5 and 2 to 4."""
    safe = hiding([[2, 0, 5], [3, 4, 6]], SQUARE)
    assert both_ways(safe, SQUARE) == [(0, 2), (0, 2), (3, 5), (2, 4)]


def test_v3_four_hidden_cells_by_both_ways() -> None:
    """8, 22 / 17, 12 with residual sums 30, 29 and 25, 34: the 22 lies in 5 to 30."""
    assert both_ways(hiding([[8, 22], [17, 12]], SQUARE), SQUARE)[1] == (5, 30)


@pytest.mark.parametrize("size", [10, 6])
def test_v9_a_group_of_whom_all_share_a_category(size: int) -> None:
    """Married (6, 0), divorced (5, 1), single (2, 2): at k = 0 all of the married share theirs, and nobody else does.

    What one of the divorced learns of the other five (k = 1) is no matter of what is published: the rule says it
    (`sdc.rules.kdisclosure`).
    """
    table = true_table(tree([0, 0, 0]), [[6, 0], [5, 1], [2, 2]])
    audit = audit_tables(
        {"t": shown(table, table.counts, EXACT)}, min_count=2, width=0, sensitive=("benefit",), group_size=size
    )
    groups = {finding.cell: finding.witness for finding in audit.findings if finding.kind == "group"}
    assert set(groups) == ({"oa OA000000, benefit=k0", "oa OA000000, benefit=k1"} if size > 6 else set())
    if groups:
        assert "all of them have benefit=k0" in groups["oa OA000000, benefit=k0"]


def of_town(a: list[int], b: list[int], town: list[int]) -> SafeTable:
    """Two areas and their town by four categories, rounded to 2 as given, whether or not it adds up."""
    table = true_table(tree([0, 0]), [[0] * 4, [0] * 4])
    values = ([[*a, sum(a)], [*b, sum(b)]], [[*town, sum(town)]])
    return shown(table, values, Method(name="controlled-rounding", base=2, min_count=2))


def test_v14_a_town_rounded_alone_gives_more_away_than_one_that_adds_up() -> None:
    """Areas (1, 1, 0, 0 | 2) and (0, 0, 1, 1 | 2), base 2: a town of (2, 2, 0, 0) beside areas (2, 0, 0, 0) and (0, 0, 2, 0).

    Category 2 of the town, shown 2, is 1 or 2 for the areas show 0 both, not 1 to 3; category 3, shown 2
    in one area and 0 in the town, is 1 in both.
    """
    fine = of_town([2, 0, 0, 0], [0, 0, 2, 0], [2, 0, 2, 0])
    audit = audit_tables({"t": fine}, min_count=2)
    assert audit.safe and audit.figures["t: path"] == "theorem"
    trap = of_town([2, 0, 0, 0], [0, 0, 2, 0], [2, 2, 0, 0])
    audit = audit_tables({"t": trap}, min_count=2)
    assert audit.figures["t: path"] == "max flow" and not audit.safe
    found = {finding.cell: finding.interval for finding in audit.findings}
    assert found["lsoa LSOA000000, benefit=k2"] == (1, 1)
    jointly = audit_pieces([piece_of_table("t", trap)], min_count=2)
    for each in (audit, jointly):
        assert [finding.interval for finding in each.findings if finding.kind == "pinned"] == [(1, 1)] * 2


def test_v15_zeros_under_a_rounded_total_by_both_ways() -> None:
    """Nearest 5: four areas shown 0 under 10 are 2 each; to base 5 at random, four shown 0 under 20 are 4 each."""
    for name, total, each in (("conventional-rounding", 10, 2), ("random-rounding", 20, 4)):
        table = true_table(tree([0] * 4), [0] * 4)
        safe = shown(table, [[[0]] * 4, [[total]]], Method(name=name, base=5, min_count=5))
        by_flow = audit_tables({"t": safe}, min_count=5)
        jointly = audit_pieces([piece_of_table("t", safe)], min_count=5)
        for audit in (by_flow, jointly):
            assert [f.interval for f in audit.findings if f.kind == "pinned"] == [(each, each)] * 4


def test_v16_an_additive_rounding_gives_nothing_away_by_programmes_either() -> None:
    """The Handbook's additive solution, within 4 of the counts: each cell's own interval."""
    values = [[5, 0, 5], [0, 5, 5], [10, 20, 30]]
    table = true_table(tree([0, 0, 0]), HANDBOOK)
    safe = shown(table, [values, [[15, 25, 40]]], Method(name="controlled-rounding", base=5, min_count=5))
    joint = join_pieces([piece_of_table("t", safe)])
    found = feasible_intervals(joint.system.equations, joint.lo, joint.hi, asked=np.arange(len(joint.system)))
    place = joint.places[0][:3, :2].ravel()
    ends = np.column_stack([found.lo[place], found.hi[place]]).tolist()
    assert ends == [[1, 9], [0, 4], [0, 4], [1, 9], [6, 14], [16, 24]]
    assert audit_pieces([piece_of_table("t", safe)], min_count=5).safe


def test_v17_intervals_with_steps_in_two_geographies() -> None:
    """b = 5, K = 1: 15 is 6 to 24, and no less when LSOAs and wards both tell it; K = 0: 0 is 0 to 4, 15 is 11 to 19."""
    for steps, expected in ((1, {(0, 9), (6, 24)}), (0, {(0, 4), (11, 19)})):
        method = Method(name="controlled-rounding", base=5, min_count=5, steps=steps)
        pieces = []
        for name, parents in (("lsoa", [0, 0, 1]), ("ward", [0, 1, 1])):
            table = table_of(nested_tree(name, parents), {}, np.array([15, 0, 15]))
            safe = SafeTable(
                hierarchy=table.hierarchy, classification=table.classification, values=table.counts, method=method
            )
            pieces.append(piece_of_table(name, safe))
        joint = join_pieces(pieces)
        assert check_joint(joint, pieces, min_count=5).hold
        found = feasible_intervals(joint.system.equations, joint.lo, joint.hi, asked=np.arange(len(joint.system)))
        areas = joint.places[0].ravel()[:3]
        assert set(zip(found.lo[areas].tolist(), found.hi[areas].tolist(), strict=True)) == expected


@pytest.mark.parametrize(("people", "percent", "count"), [(7, 143, 1), (40, 125, 5)])
def test_v19_a_percentage_of_a_known_number_gives_its_count_and_the_rest_away(
    people: int, percent: int, count: int
) -> None:
    """14.3 % of 7 is 1, 12.5 % of 40 is 5; beside a table that hides both parts the other follows too."""
    least, most = percent_bounds(np.array([percent]), np.array([people]), decimals=1)
    assert least.tolist() == most.tolist() == [count]
    safe = hiding([[count, people - count], [20, 30]], SQUARE)
    lo = (np.array([[count, 0, 0], [0, 0, 0]]), np.zeros((1, 3), np.int64))
    hi = (np.array([[count, NO_BOUND, NO_BOUND], [NO_BOUND] * 3]), np.full((1, 3), NO_BOUND))
    known = Intervals(lo=lo, hi=hi)
    target = Target(piece=piece_of_table("t", safe, known=known), table=safe, known=known)
    found = {f.cell: f.interval for f in audit_together([target], min_count=EVERY).findings if f.kind == "pinned"}
    assert found["oa OA000000, benefit=k0"] == (count, count)
    assert found["oa OA000000, benefit=k1"] == (people - count, people - count)


def test_v20_three_hidden_cells_in_one_row_are_exact_by_both_ways() -> None:
    cells = [(0, 0), (0, 1), (0, 2)]
    assert both_ways(hiding([[3, 4, 2], [9, 9, 9]], cells), cells) == [(3, 3), (4, 4), (2, 2)]


def test_v20_whoever_stands_alone_in_a_block_of_2_by_3_learns_their_column_partner() -> None:
    """No bridge, and three cut pairs; one claim in the first cell gives the other of its column, and nothing else."""
    block = [(area, column) for area in (0, 1) for column in (0, 1, 2)]
    finest = [[1, 2, 4, 9], [3, 3, 2, 9], [9, 9, 9, 9]]
    safe = hiding(finest, block)
    table = true_table(tree([0, 0, 0]), finest)
    audit = audit_tables({"t": safe}, min_count=5, truth={"t": table})
    learned = [f.cell for f in audit.findings if f.kind == "learned by a lone claimant"]
    assert learned == ["oa OA000001, benefit=k0"]
    assert all(interval[0] != interval[1] for interval in both_ways(safe, block))


def test_10_4_people_and_claims_drawn_apart_pin_each_other() -> None:
    """Rounded to 5, of 10 claims one benefit shows 5, the other 0, and people 0: each benefit has 2 to 4, of 3 or 4 people.

    With both benefits shown 0 under 10 claims of 10 people each has 2 to 4; here the people add nothing.
    """
    hierarchy = nested_tree("lsoa", [0])
    random = Method(name="random-rounding", base=5, min_count=5)
    for claimed, people, pinned in (([5, 0], 0, {(2, 4), (3, 4)}), ([0, 0], 10, {(2, 4)})):
        targets = []
        for measure, dimensions, count in (
            ("claims", {"benefit": ["jsa", "uc"]}, np.array([claimed])),
            ("people", {}, np.array([people])),
        ):
            table = table_of(hierarchy, dimensions, count)
            values = [np.where(np.arange(x.shape[1]) == 2, 10, x) for x in table.counts]
            safe = shown(table, values, random)
            targets.append(Target(piece=piece_of_table(measure, safe, measure=measure), table=safe))
        within = [Within(parts="claims", whole="people", by="benefit")]
        apart = audit_together(targets, min_count=5)
        tied = audit_together(targets, min_count=5, within=within)
        assert (3, 4) not in {finding.interval for finding in apart.findings}
        assert {finding.interval for finding in tied.findings if finding.kind == "pinned"} == pinned
