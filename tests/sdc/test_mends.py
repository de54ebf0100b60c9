"""Mends: each kind of finding ends with one that passes, or with the sentence that none does; what passes is clean."""

import numpy as np
from attack_tools import CONTROLLED, EXACT, nearest, shown, tree, true_table
from hypothesis import given, settings
from hypothesis import strategies as st
from test_joint_attack import exact, flat_tree, hidden, table_of

from sdc.attack.intervals import NO_BOUND, Intervals
from sdc.attack.joint import AREAS
from sdc.attack.jointly import audit_pieces
from sdc.attack.judge import audit_tables
from sdc.attack.overlaps import Overlap
from sdc.attack.pieces import piece_of_cells, piece_of_table
from sdc.attack.targets import Target
from sdc.attack.together import audit_together
from sdc.cube import Axis, Cube, all_margins, flat_axis
from sdc.differencing.revisions import Revision
from sdc.findings import Audit
from sdc.mends.editing import tables_of, taken_out
from sdc.mends.hiding import Hiding, named_cells
from sdc.mends.sheet import sheets_of
from sdc.mends.trying import KINDS as EVERY_KIND
from sdc.mends.trying import try_mends
from sdc.system import SafeCells
from sdc.tables import NOT_PUBLISHED, SHOWN, STRUCTURAL, SUPPRESSED, Method, SafeTable, Table

# Tables without signs: there is nothing to show under one marker.
KINDS = EVERY_KIND[1:]
TWO_LEVELS = tree([0, 0, 0, 1, 1, 1], [0, 0])


def tried(tables, *, truth=None, min_count=5, width=None, known=None, sensitive=(), fixed=(), **options):
    """The mends of tables under the attack of `audit_tables`, every passing one attacked once more."""

    attacked = []

    def attack(changed):
        audit = audit_tables(
            changed,
            min_count=min_count,
            width=width,
            truth={name: table for name, table in (truth or {}).items() if name in changed},
            known={name: bounds for name, bounds in (known or {}).items() if name in changed},
            sensitive=sensitive,
        )
        attacked.append((changed, audit))
        return audit

    audit = attack(tables)
    assert not audit.safe
    kinds = {finding.kind for finding in audit.findings}
    mends = try_mends(tables, audit, attack=attack, min_count=min_count, truth=truth, fixed=fixed, **options)
    assert [mend.kind for mend in mends] == list(options.get("kinds", KINDS))
    for mend in mends:
        assert mend.sentence and mend.passes == bool(mend.what) == bool(mend.loss)
        assert mend.tried <= options.get("most_attacks", 12) + 1
    return kinds, {mend.kind: mend for mend in mends}


def suppressed(table: Table, *cells: tuple[int, int, int], least: int = 5) -> SafeTable:
    """Small counts hidden, and these cells."""
    markers = [np.where((x > 0) & (x < least), SUPPRESSED, SHOWN).astype(np.int8) for x in table.counts]
    for level, unit, column in cells:
        markers[level][unit, column] = SUPPRESSED
    values = [np.where(m == SUPPRESSED, 0, x) for x, m in zip(table.counts, markers, strict=True)]
    return shown(table, values, Method(name="suppression", base=1, min_count=least), markers)


CITY = true_table(TWO_LEVELS, [[9, 12, 30], [3, 14, 22], [11, 8, 17], [7, 10, 25], [16, 6, 12], [13, 9, 28]])


def test_pinned_by_one_sum_is_hidden_with_others():
    """One small count hidden alone: the total gives it away.  Every kind that could help does, and says what it costs."""
    kinds, mends = tried({"t": suppressed(CITY)}, truth={"t": CITY})
    assert kinds == {"pinned"}
    assert {kind for kind, mend in mends.items() if mend.passes} == set(KINDS) - {"drop table"}
    assert "one table alone" in mends["drop table"].sentence
    cells = mends["hide cells"]
    assert all(cell.startswith("t: ") for cell in cells.what) and "oa OA000001, benefit=k0" not in str(cells.what)
    assert sum(one.hidden for one in cells.loss) == len(cells.what)
    level = mends["leave out level"]
    assert level.what == ("oa of t",)
    assert [(one.level, one.hidden) for one in level.loss] == [("oa", 23), ("lsoa", 0), ("msoa", 0)]
    assert mends["leave out categories"].what == ("benefit=k0", "benefit=k1")
    method = mends["other method"]
    assert method.what == ("controlled-rounding, base 5",) and method.loss[0].error > 0 == method.loss[0].error_before


def test_without_the_truth_no_other_method_is_tried():
    _, mends = tried({"t": suppressed(CITY)}, kinds=("hide cells", "other method"))
    assert mends["hide cells"].passes
    assert not mends["other method"].passes and "true counts are not there" in mends["other method"].sentence
    assert mends["hide cells"].loss[0].error is None


def test_too_narrow_by_conventional_rounding_takes_another_method():
    table = true_table(tree([0, 0, 0, 0]), [1, 6, 12, 5])
    kinds, mends = tried({"t": nearest(table)}, truth={"t": table})
    assert kinds == {"too narrow"}
    assert mends["other method"].passes and mends["hide cells"].passes
    assert "cannot" not in mends["other method"].sentence


def test_not_covered_is_hidden_with_more():
    """Hidden 4 2 over 2 3: the first is 1 to 6, never 0."""
    table = true_table(tree([0, 0, 0]), [[4, 2, 20], [2, 3, 20], [12, 12, 20]])
    kinds, mends = tried({"t": suppressed(table)}, truth={"t": table})
    assert "not covered" in kinds
    assert mends["hide cells"].passes and mends["leave out categories"].passes and mends["other method"].passes


def test_what_others_have_published_cannot_be_mended_here():
    """Somebody else says that a hidden 3 is at least 1, whatever is hidden here."""
    table = true_table(tree([0, 0]), [[3, 30], [6, 40]])
    safe = suppressed(table, (0, 0, 1), (0, 1, 0), (0, 1, 1))
    known = Intervals(
        lo=(np.array([[1, 0, 0], [0, 0, 0]]), np.zeros((1, 3), np.int64)),
        hi=(np.full((2, 3), NO_BOUND), np.full((1, 3), NO_BOUND)),
    )
    kinds, mends = tried({"t": safe}, truth={"t": table}, known={"t": known})
    assert kinds == {"not covered"}
    assert not mends["hide cells"].passes and "without findings" in mends["hide cells"].sentence


def test_insiders_are_left_more():
    """Where 2 to 5 is promised to be enough for outsiders, an insider is left with 1 to 4 others."""
    table = true_table(tree([0, 0]), [3, 9])
    safe = shown(table, [[[3], [9]], [[12]]], Method(name="random-rounding", base=3, min_count=5))
    known = Intervals(lo=(np.array([[2], [0]]), np.array([[0]])), hi=(np.full((2, 1), 20), np.array([[20]])))
    kinds, mends = tried({"t": safe}, truth={"t": table}, known={"t": known}, width=2)
    assert kinds == {"insider"}
    assert mends["hide cells"].what == ("t: oa OA000000, Total",)
    assert mends["leave out level"].passes


def test_what_insiders_learn_is_mended():
    """Hidden 1 0 1 over 0 1 0, of columns that are 1: who is the one of a column knows that nobody else is."""
    table = true_table(tree([0, 0, 0]), [[1, 0, 1], [0, 1, 0], [5, 6, 7]])
    safe = suppressed(table, *((0, row, column) for row in (0, 1) for column in range(3)), least=2)
    kinds, mends = tried({"t": safe}, truth={"t": table}, min_count=2)
    assert "learned by an insider" in kinds
    assert mends["leave out level"].passes and mends["other method"].passes
    assert not mends["leave out categories"].passes


def test_groups_are_no_longer_exposed():
    """All seven of an area claim one benefit: public zeros say so."""
    table = true_table(tree([0, 0, 0]), [[7, 0, 0], [12, 20, 15], [18, 11, 30]])
    kinds, mends = tried({"t": shown(table, table.counts, EXACT)}, truth={"t": table}, sensitive=("benefit",))
    assert kinds == {"group"}
    assert mends["leave out level"].passes and mends["leave out categories"].passes
    assert mends["hide cells"].passes


def test_contradictions_are_mended_by_what_does_not_contradict():
    """A figure that rounding to 5 never gives; and areas that cannot add up to their total."""
    table = true_table(tree([0, 0, 0, 0]), [10, 7, 12, 15])
    wrong = shown(table, [[[10], [7], [10], [15]], [[45]]], CONTROLLED)
    kinds, mends = tried({"t": wrong}, truth=None)
    assert kinds == {"contradiction"} and mends["hide cells"].what == ("t: oa OA000001, Total",)
    far = shown(table, [[[10], [5], [10], [15]], [[90]]], CONTROLLED)
    kinds, mends = tried({"t": far})
    assert kinds == {"contradiction"} and mends["hide cells"].passes
    assert mends["leave out level"].passes


def test_two_tables_one_of_which_is_dropped():
    """Males in the total of one table and none in the other's categories: one table alone passes."""
    leaves = tree([0, 0, 0])
    first = true_table(leaves, [[6, 9], [7, 12], [8, 8]], "sex")
    second = true_table(leaves, [[14, 1], [10, 9], [7, 9]], "status")
    tables = {"sex": shown(first, first.counts, EXACT), "status": shown(second, second.counts, EXACT)}
    kinds, mends = tried(tables, truth={"sex": first, "status": second})
    assert kinds == {"pinned"}
    assert mends["drop table"].what == ("status",)
    assert all(mends[kind].passes for kind in KINDS)
    assert [one.hidden for one in mends["drop table"].loss] == [9, 3]


def test_tables_of_others_stay_as_they_are():
    table = true_table(tree([0, 0, 0]), [[6, 3], [7, 12], [8, 8]], "sex")
    _, mends = tried({"t": shown(table, table.counts, EXACT)}, truth={"t": table}, fixed=("t",))
    assert not any(mend.passes for mend in mends.values())
    assert "no table is ours" in mends["drop table"].sentence


def test_a_change_that_a_revision_proves_is_hidden():
    """Shown 4 before and 8 now of one reference date: four records were taken in."""
    now = true_table(tree([0, 0, 0]), [8, 20, 30])
    then = true_table(tree([0, 0, 0]), [4, 20, 30])
    tables = [
        piece_of_table(name, shown(table, table.counts, EXACT), measure=name, truth=table)
        for name, table in (("first", then), ("second", now))
    ]
    editions = [Revision(before="first", after="second")]

    def attack(changed):
        return audit_pieces(changed, min_count=5, public=["first"], revisions=editions)

    audit = attack(tables)
    assert {finding.kind for finding in audit.findings} == {"revision"}
    mends = {m.kind: m for m in try_mends(tables, audit, attack=attack, min_count=5, fixed=["first"])}
    assert mends["hide cells"].passes and len(mends["hide cells"].what) == 2
    assert mends["other method"].passes


def overlapping(*, known=None):
    """An LSOA that differs from a ward by an output area of 2."""
    overlap = Overlap.of({"lsoa": ["A", "B", "C"], "ward": ["X", "X", "Y"]})
    one = table_of(flat_tree("lsoa", ["A", "B", "C"]), {}, np.array([50, 2, 31]))
    two = table_of(flat_tree("ward", ["X", "Y"]), {}, np.array([52, 31]))
    return [
        piece_of_table("lsoas", hidden(one, 5), truth=one),
        piece_of_table("wards", exact(two), truth=two),
    ], {AREAS: overlap}


def test_pieces_of_two_geographies():
    pieces, overlaps = overlapping()

    def attack(changed):
        return audit_pieces(changed, min_count=5, overlaps=overlaps)

    audit = attack(pieces)
    assert "pinned" in {finding.kind for finding in audit.findings}
    mends = {mend.kind: mend for mend in try_mends(pieces, audit, attack=attack, min_count=5)}
    assert all(mends[kind].passes for kind in KINDS if kind != "leave out categories")
    assert mends["drop table"].what in (("lsoas",), ("wards",))
    assert "no finding is of a category" in mends["leave out categories"].sentence
    for mend in mends.values():
        assert set(mend.as_dict()) == {"kind", "what", "passes", "loss", "sentence", "tried"}


def test_two_values_of_one_figure():
    """An authority with one LSOA, rounded apart: 5 and 10 for the same people."""
    tree_a, tree_b = flat_tree("lsoa", ["L1", "L2"]), flat_tree("ward", ["W1", "W2"])
    overlap = {AREAS: Overlap.of({"lsoa": ["L1", "L2", "L2"], "ward": ["W1", "W2", "W2"]})}
    table_a, table_b = table_of(tree_a, {}, np.array([8, 20])), table_of(tree_b, {}, np.array([8, 20]))
    method = Method(name="random-rounding", base=5, min_count=5)
    pieces = [
        piece_of_table("a", shown(table_a, [[[5], [20]], [[30]]], method), truth=table_a),
        piece_of_table("b", shown(table_b, [[[10], [20]], [[30]]], method), truth=table_b),
    ]

    def attack(changed):
        return audit_pieces(changed, min_count=5, overlaps=overlap)

    audit = attack(pieces)
    assert "two values" in {finding.kind for finding in audit.findings}
    mends = {mend.kind: mend for mend in try_mends(pieces, audit, attack=attack, min_count=5)}
    assert mends["drop table"].passes
    assert mends["hide cells"].passes


def test_what_is_known_elsewhere_stays_known_of_a_piece():
    """A count that somebody else published exactly is not hidden by hiding it here, whether said or seen."""
    table = table_of(flat_tree("oa", ["A", "B"]), {}, np.array([3, 20]))
    bounds = np.zeros((3, 1), np.int64), np.full((3, 1), NO_BOUND)
    bounds[0][0] = bounds[1][0] = 3
    levels = [np.split(part, [2]) for part in bounds]
    piece = piece_of_table("t", exact(table), known=Intervals(lo=tuple(levels[0]), hi=tuple(levels[1])), truth=table)

    def attack(changed):
        return audit_pieces(changed, min_count=5)

    said = {"t": (bounds[0].reshape(piece.lo.shape), bounds[1].reshape(piece.hi.shape))}
    mends = try_mends([piece], attack([piece]), attack=attack, min_count=5, known=said)
    assert not any(mend.passes for mend in mends)


def test_more_cells_than_there_are_attacks_is_told():
    rng = np.random.default_rng(3)
    table = true_table(tree([0] * 6), rng.integers(1, 5, (6, 4)))
    _, mends = tried({"t": shown(table, table.counts, EXACT)}, most_attacks=1, kinds=("hide cells",))
    assert "1 is the most" in mends["hide cells"].sentence


def test_a_safe_audit_needs_no_mend():
    assert try_mends({}, Audit(), attack=lambda tables: Audit(), min_count=5) == ()


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10_000), categories=st.integers(0, 3), told=st.booleans(), pieces=st.booleans())
def test_what_passes_is_clean(seed: int, categories: int, told: bool, pieces: bool) -> None:
    """Whatever mend is said to pass, the attack on the table that it leaves finds nothing: made here once more by hand."""
    rng = np.random.default_rng(seed)
    leaves = tree([0, 0, 1], [0, 0])
    table = true_table(leaves, rng.integers(0, 12, (3, categories) if categories else 3))
    safe = [suppressed(table), shown(table, table.counts, EXACT), nearest(table)][seed % 3]
    truth = {"t": table} if told else {}

    def attack(changed):
        if pieces:
            return audit_pieces(changed, min_count=5)
        return audit_tables(changed, min_count=5, truth=truth)

    tables = [piece_of_table("t", safe, truth=table if told else None)] if pieces else {"t": safe}
    audit = attack(tables)
    mends = try_mends(tables, audit, attack=attack, min_count=5, truth=truth, most_attacks=6)
    assert bool(mends) != audit.safe
    (sheet,) = sheets_of(tables, truth=truth)
    for mend in mends:
        if not mend.passes or mend.kind == "other method":
            continue
        gone = np.zeros(sheet.values.shape, np.bool_)
        marker = NOT_PUBLISHED
        if mend.kind == "hide cells":
            marker = sheet.hides_as
            for name in mend.what:
                gone[sheet.read(name)] = True
        elif mend.kind == "leave out level":
            for name in mend.what:
                level = leaves.levels.index(name.removesuffix(" of t"))
                gone[sheet.starts[level] : sheet.starts[level + 1]] = True
        else:
            for name in mend.what:
                gone[:, [name.removeprefix("benefit=") in codes for codes in sheet.columns]] = True
        left = attack(tables_of((taken_out(sheet, gone, marker),), tables))
        assert left.safe, (mend.sentence, left.findings[:2])


def test_cells_are_read_as_findings_name_them():
    crossed = table_of(flat_tree("oa area", ["A, 1", "B"]), {"age": ["0, 1", "2"], "sex": ["f", "m"]}, np.arange(8))
    for sheet in (*sheets_of({"t": exact(crossed)}), *sheets_of([piece_of_table("t", exact(crossed))])):
        for row in range(3):
            for column in range(len(sheet.columns)):
                total = not sheet.label(row, column)[3]
                if total or len(sheet.label(row, column)[3]) == 2:
                    assert sheet.read(f"t: {sheet.name_of(row, column)}") == (row, column)
        assert sheet.read("oa area A, 1, 0, 1, m") == sheet.read("oa area A, 1, age=0, 1, sex=m") != None  # noqa: E711
        assert sheet.read("oa area C, Total") is None and sheet.read("lsoa B, Total") is None


def test_structural_zeros_and_what_is_not_published_stay():
    table = true_table(tree([0, 0]), [[0, 7], [8, 0]])
    markers = [np.zeros(c.shape, np.int8) for c in table.counts]
    markers[0][0, 0], markers[0][1, 1] = STRUCTURAL, NOT_PUBLISHED
    (sheet,) = sheets_of({"t": shown(table, table.counts, EXACT, markers)})
    out = taken_out(sheet, np.ones(sheet.values.shape, np.bool_), SUPPRESSED)
    assert out.markers.tolist() == [[2, 1, 1], [1, 5, 1], [1, 1, 1]] and not out.values.any()


def test_witnesses_name_what_may_be_hidden():
    """A hidden cell is given away by its sum: partners come from the witness, the smallest that is not small first."""
    table = true_table(tree([0, 0]), [[3, 30, 9], [16, 40, 8]])
    sheets = sheets_of({"t": suppressed(table)})
    audit = audit_tables({"t": suppressed(table)}, min_count=5)
    assert named_cells(audit, sheets) == [(0, 0, 0)]
    hiding = Hiding(sheets, min_count=5)
    assert hiding.add(audit)
    assert len(hiding.partners()) == 1 and hiding.partners()[0] in ((0, 0, 2), (0, 1, 0))
    assert not Hiding(sheets, {"t"}, min_count=5).add(audit)


def test_many_small_counts_are_suppressed_at_once():
    """More findings than are listed: round by round would not end, suppression does at the first attack."""
    rng = np.random.default_rng(5)
    table = true_table(tree([0] * 8 + [1] * 8, [0, 0]), rng.poisson(4, (16, 4)))
    kinds, mends = tried({"t": shown(table, table.counts, EXACT)}, truth={"t": table}, kinds=("hide cells",))
    assert "pinned" in kinds
    assert mends["hide cells"].passes and mends["hide cells"].tried == 1
    assert "further cells" in mends["hide cells"].sentence and " more: " in mends["hide cells"].sentence


def test_rounds_are_given_up_where_so_many_findings_are_left_that_more_would_not_do():
    rng = np.random.default_rng(7)
    table = true_table(tree([0] * 60), rng.integers(1, 5, (60, 4)))
    _, mends = tried({"t": shown(table, table.counts, EXACT)}, kinds=("hide cells",), most_attacks=6)
    assert not mends["hide cells"].passes and mends["hide cells"].tried < 6
    assert "with so many findings left 6 would not be enough" in mends["hide cells"].sentence


def test_a_verdict_is_asked_where_nothing_else_matters():
    """The mends are the same, whether attempts are attacked in full or only judged; rounds of hiding need the findings."""
    rng = np.random.default_rng(2)
    table = true_table(TWO_LEVELS, rng.integers(1, 9, (6, 3)))
    target = Target(piece=piece_of_table("t", exact(table)), table=exact(table))
    asked = {"attack": 0, "verdict": 0}

    def attack(targets, verdict=False):
        asked["verdict" if verdict else "attack"] += 1
        return audit_together(targets, min_count=5, verdict=verdict)

    audit = attack([target])
    whole = try_mends([target], audit, attack=attack, min_count=5)
    in_full = asked["attack"]
    judged = try_mends([target], audit, attack=attack, verdict=lambda t: attack(t, verdict=True), min_count=5)
    assert judged == whole and any(mend.passes for mend in judged)
    assert 0 < asked["attack"] - in_full < asked["verdict"]


def test_people_and_claims_are_not_the_same_figure():
    """Two tables of one area, of claims and of people: what is hidden in one stays in the other."""
    table = true_table(tree([0, 0]), [3, 20])
    tables = {name: shown(table, table.counts, EXACT) for name in ("claims", "people")}

    def attack(changed):
        audit = Audit()
        for name, safe in changed.items():
            audit = audit.joined(audit_tables({name: safe}, min_count=5))
        return audit

    (sheet, other) = sheets_of(tables, measures={"claims": "claims", "people": "people"})
    assert other.place(sheet.label(0, 0)) is None
    (mend,) = try_mends(
        tables, attack(tables), attack=attack, min_count=5, measures={"claims": "c", "people": "p"}, kinds=KINDS[:1]
    )
    assert mend.passes and {name.partition(":")[0] for name in mend.what} == {"claims", "people"}


def target_of(name: str, table: Table, safe: SafeTable, **options) -> Target:
    piece = piece_of_table(name, safe, truth=table, **options)
    return Target(piece=piece, table=safe, known=options.get("known"), truth=table)


def test_targets_change_as_tables_and_as_pieces():
    """Two tables over other areas, attacked together: hidden, dropped, left out and rounded in both of their forms."""
    tree_a, tree_b = flat_tree("lsoa", ["A", "B", "C"]), flat_tree("ward", ["X", "Y"])
    one = table_of(tree_a, {"sex": ["f", "m"]}, np.array([[30, 20], [2, 9], [16, 15]]))
    two = table_of(tree_b, {"sex": ["f", "m"]}, np.array([[32, 29], [16, 15]]))
    overlaps = {AREAS: Overlap.of({"lsoa": ["A", "B", "C"], "ward": ["X", "X", "Y"]})}
    targets = [target_of("lsoas", one, suppressed(one)), target_of("wards", two, exact(two))]
    seen = []

    def attack(changed):
        seen.append(changed)
        return audit_together(changed, min_count=5, overlaps=overlaps)

    audit = attack(targets)
    assert "pinned" in {finding.kind for finding in audit.findings}
    mends = {mend.kind: mend for mend in try_mends(targets, audit, attack=attack, min_count=5)}
    assert all(mends[kind].passes for kind in KINDS[:4])
    for changed in seen:
        for target in changed:
            again = piece_of_table(target.piece.name, target.table, truth=target.truth)
            for name in ("values", "markers", "lo", "hi"):
                assert np.array_equal(getattr(again, name), getattr(target.piece, name)), name


def test_tables_with_several_margins_are_mended_as_pieces():
    """Ages by sexes with both margins, small counts alone hidden: the margins give them away."""
    axes = (
        Axis(hierarchy=flat_tree("oa", ["A", "B"]), total=False),
        flat_axis("age", ["old", "young"]),
        flat_axis("sex", ["f", "m"]),
    )
    finest = np.array([[[3, 12], [9, 16]], [[8, 11], [15, 7]]])
    cube = Cube(axes=axes, finest=finest, margins=all_margins(axes))
    counts = cube.system().counts
    markers = np.where((counts > 0) & (counts < 5), SUPPRESSED, SHOWN).astype(np.int8)
    method = Method(name="suppression", base=1, min_count=5)
    cells = SafeCells(values=np.where(markers == SHOWN, counts, 0), markers=markers, method=method)
    piece = piece_of_cells("t", cube, cells, truth=True)

    def attack(changed):
        return audit_pieces(changed, min_count=5)

    mends = {mend.kind: mend for mend in try_mends([piece], attack([piece]), attack=attack, min_count=5)}
    assert mends["leave out level"].passes and mends["leave out categories"].passes
    assert mends["hide cells"].passes and "further cells" in mends["hide cells"].sentence
    assert mends["other method"].passes, mends["other method"].sentence
