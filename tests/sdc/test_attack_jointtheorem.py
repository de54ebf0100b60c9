"""The theorem on additive rounding for several tables together, by enumeration: where it holds, and that it is not assumed.

Drawn at random are values that come from a table of the finest cells in multiples of
the base; then every published cell keeps its own interval, and no set of finest cells, so no difference of
unions of published figures either, is proven to be some and few.  For each condition there is
a release that breaks it, of which figures together say more than each alone.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from attack_tools import tree
from attacker_cases import Case, places_of
from attacker_judge import judge
from enumeration import every_world
from test_joint_attack import flat_tree, nested_tree, table_of

from sdc.attack.intervals import NO_BOUND, Intervals
from sdc.attack.joint import AREAS, Flow, Within, join_pieces
from sdc.attack.jointly import audit_pieces
from sdc.attack.jointtheorem import RING, check_joint, in_a_ring
from sdc.attack.overlaps import Overlap
from sdc.attack.pieces import Piece, piece_of_table
from sdc.attack.targets import Target
from sdc.tables import SUPPRESSED, Hierarchy, Method, SafeTable, Table

AREA = flat_tree("oa", ["A"], top="none")
CODES = {"a": ["a0", "a1"], "b": ["b0", "b1"], "c": ["c0", "c1"]}
RING_OF_THREE = (("a", "b"), ("b", "c"), ("a", "c"))


def rounding(base: int, steps: int = 0) -> Method:
    return Method(name="controlled-rounding", base=base, min_count=base, steps=steps)


def shown(table: Table, method: Method) -> SafeTable:
    """The table's counts as published values."""
    return SafeTable(hierarchy=table.hierarchy, classification=table.classification, values=table.counts, method=method)


Make = Callable[[np.ndarray], Sequence[Table]]


def by_dimensions(trees: Sequence[Hierarchy], dimensions: Sequence[Sequence[str]], number: int) -> Make:
    """Tables by some dimensions each, over trees on the same smallest areas; finest cells are areas by all dimensions."""
    used = sorted({name for own in dimensions for name in own})

    def make(counts: np.ndarray) -> list[Table]:
        whole = counts.reshape(number, *[2] * len(used))
        tables = []
        for hierarchy, own in zip(trees, dimensions, strict=True):
            away = tuple(1 + at for at, name in enumerate(used) if name not in own)
            tables.append(table_of(hierarchy, {name: CODES[name] for name in sorted(own)}, whole.sum(axis=away)))
        return tables

    return make


TWO = tree([0, 0])
LSOAS, WARDS = nested_tree("lsoa", [0, 0, 1]), nested_tree("ward", [0, 1, 1])
SHAPES: dict[str, tuple[Make, int]] = {
    "one table": (by_dimensions([TWO], [["a"]], 2), 4),
    "totals alone, two geographies": (by_dimensions([LSOAS, WARDS], [[], []], 3), 3),
    "two geographies": (by_dimensions([LSOAS, WARDS], [["a"], ["a"]], 3), 6),
    "linked by totals": (by_dimensions([AREA, AREA], [["a"], ["b"]], 1), 4),
    "linked by totals, two areas": (by_dimensions([TWO, TWO], [["a"], ["b"]], 2), 8),
    "three linked by totals": (by_dimensions([AREA] * 3, [["a"], ["b"], ["c"]], 1), 8),
    "linked by a margin": (by_dimensions([AREA] * 2, [["a", "b"], ["b"]], 1), 4),
    "in a chain": (by_dimensions([AREA] * 2, [["a", "b"], ["b", "c"]], 1), 8),
    "all that a ring is made of": (by_dimensions([AREA] * 2, [["a", "b", "c"], ["a", "c"]], 1), 8),
}


def pieces_of(tables: Sequence[Table], method: Method) -> list[Piece]:
    return [piece_of_table(f"t{at}", shown(table, method)) for at, table in enumerate(tables)]


def fitting(make: Make, number: int, pieces: Sequence[Piece]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Worlds that fit, every told figure as a sum of finest cells, and its place among all places."""
    units = list(zip(*(make(unit) for unit in np.eye(number, dtype=np.int64)), strict=True))
    sums = np.concatenate([places_of(piece, own) for piece, own in zip(pieces, units, strict=True)])
    lo, hi = (np.concatenate([getattr(piece, end).ravel() for piece in pieces]) for end in ("lo", "hi"))
    told = np.flatnonzero(hi < NO_BOUND)
    worlds = every_world(sums[told], lo[told], hi[told], most=3_000_000)
    assert worlds is not None
    return worlds, sums[told], told


@pytest.mark.parametrize("steps", [0, 1])
@pytest.mark.parametrize("name", SHAPES)
def test_each_cell_keeps_its_own_interval_and_no_set_is_proven_some_and_few(name: str, steps: int) -> None:
    make, number = SHAPES[name]
    base = 2 if steps or number > 6 else 3
    method = rounding(base, steps)
    rng = np.random.default_rng([number, steps])
    for _ in range(2 if number > 6 else 4):
        finest = base * rng.choice([0, 0, 1], number)
        pieces = pieces_of(make(finest), method)
        joint = join_pieces(pieces)
        assert check_joint(joint, pieces, min_count=base).hold
        audit = audit_pieces(pieces, min_count=base)
        assert audit.safe and "theorem" in audit.figures.values()
        if steps and number > 6:
            continue
        worlds, sums, told = fitting(make, number, pieces)
        values = worlds @ sums.T
        for end, reached in (("lo", values.min(axis=0)), ("hi", values.max(axis=0))):
            own = np.concatenate([getattr(piece, end).ravel() for piece in pieces])[told]
            assert np.array_equal(own, reached)
        for chosen in product((0, 1), repeat=number):
            held = worlds @ np.array(chosen)
            if any(chosen):
                assert held.min() == 0 or held.max() >= base
                assert held.max() - held.min() >= base - 1


def test_a_ring_of_three_tables_is_refused() -> None:
    """a × b, b × c and a × c, each shown (0 3 / 3 0): margins of no table, and a cell shown 3 is 1 to 4, not 1 to 5."""
    make = by_dimensions([AREA] * 3, RING_OF_THREE, 1)
    method = rounding(3)
    cross = np.array([[0, 3], [3, 0]])
    tables = [table_of(AREA, {name: CODES[name] for name in own}, cross) for own in RING_OF_THREE]
    pieces = pieces_of(tables, method)
    worlds, sums, told = fitting(make, 8, pieces)
    own = np.concatenate([piece.values.ravel() for piece in pieces])[told]
    values = worlds @ sums.T
    lo, hi = values.min(axis=0), values.max(axis=0)
    assert set(zip(own.tolist(), lo.tolist(), hi.tolist(), strict=True)) == {(0, 0, 2), (3, 1, 4), (6, 4, 8)}
    joint = join_pieces(pieces)
    assert check_joint(joint, pieces, min_count=3).failing == (RING,)
    audit = audit_pieces(pieces, min_count=3)
    assert "theorem" not in audit.figures.values()
    assert any("form a ring" in text for text in audit.not_checked)


def test_rings_of_dimensions_and_what_is_none() -> None:
    def pieces(*dimensions: Sequence[str], trees: Mapping[int, Hierarchy] | None = None) -> list[Piece]:
        made = []
        for at, own in enumerate(dimensions):
            hierarchy = (trees or {}).get(at, AREA)
            finest = np.zeros((hierarchy.units[0], *[2] * len(own)), np.int64)
            made.append(
                piece_of_table(f"t{at}", shown(table_of(hierarchy, {n: CODES[n] for n in own}, finest), rounding(3)))
            )
        return made

    assert in_a_ring(pieces(*RING_OF_THREE))
    assert not in_a_ring(pieces(*RING_OF_THREE, ("a", "b", "c")))
    assert not in_a_ring(pieces(("a", "b"), ("b", "c")))
    assert not in_a_ring(pieces(("a", "b"), ("b", "c"), ("b",), ()))
    assert not in_a_ring(pieces(("a",), ("b",), ("c",)))
    assert not in_a_ring(pieces(("a", "b")))
    # Small areas by a and by b, and larger areas by both: the areas are the third dimension.
    small, large = (
        tree([0, 0, 1], [0, 0]),
        Hierarchy(
            levels=("lsoa", "msoa"),
            codes=(np.array(["LSOA000000", "LSOA000001"]), np.array(["MSOA000000"])),
            parents=(np.zeros(2, np.int32),),
        ),
    )
    assert in_a_ring(pieces(("a",), ("b",), ("a", "b"), trees={0: small, 1: small, 2: large}))
    assert not in_a_ring(pieces(("a",), ("b",), trees={0: small, 1: large}))


def released(
    make: Make,
    number: int,
    safe: Sequence[SafeTable],
    *,
    known: Sequence[Intervals | None] = (),
    measures: Sequence[str] = (),
    **more: object,
) -> Case:
    """Values as published; any world that fits stands for the true one."""
    units = [make(unit) for unit in np.eye(number, dtype=np.int64)]
    targets, sums = [], []
    for at, table in enumerate(safe):
        own = known[at] if known else None
        piece = piece_of_table(f"t{at}", table, known=own, measure=measures[at] if measures else "")
        targets.append(Target(piece=piece, table=table, known=own))
        sums.append(places_of(piece, [unit[at] for unit in units]))
    return with_world(Case(kind="made", targets=targets, sums=sums, world=np.empty(0), **more))  # type: ignore[arg-type]


def with_world(case: Case) -> Case:
    """The case with one of the worlds that fit."""
    lo, hi = (np.concatenate([getattr(piece, end).ravel() for piece in case.pieces]) for end in ("lo", "hi"))
    worlds = every_world(np.concatenate(case.sums), lo, hi)
    assert worlds is not None and len(worlds)
    return replace(case, world=worlds[0])


def flows() -> Case:
    """Caseloads 0 and 0, three came, nobody left: truly, at most two before and two after, so at most four came."""
    names = ["before", "on", "off", "after"]
    values = [of_totals([own], [own], method=THREE, hierarchy=AREA) for own in (0, 3, 0, 0)]

    def make(counts: np.ndarray) -> list[Table]:
        return [table_of(AREA, {}, counts[at : at + 1]) for at in range(3)]

    flow = Flow(before="before", after="after", on="on", off="off")
    case = released(make, 3, values[:3], measures=names[:3], flows=[flow])
    piece = piece_of_table("t3", values[3], measure="after")
    before, on, off = case.sums
    target = Target(piece=piece, table=values[3])
    return with_world(replace(case, targets=[*case.targets, target], sums=[before, on, off, before + on - off]))


def of_totals(*levels: Sequence[int], method: Method, hierarchy: Hierarchy = TWO) -> SafeTable:
    """A table of totals alone with these values per level."""
    table = table_of(hierarchy, {}, np.zeros(hierarchy.units[0], np.int64))
    values = tuple(np.array(own, np.int64)[:, None] for own in levels)
    return replace(shown(table, method), values=values)


ALONE: Make = lambda counts: [table_of(TWO, {}, counts)]  # noqa: E731
TWICE: Make = lambda counts: 2 * [table_of(TWO, {}, counts)]  # noqa: E731
CLAIMS: Make = lambda counts: [  # noqa: E731
    table_of(AREA, {"a": CODES["a"]}, counts.reshape(1, 3) @ np.array([[1, 0], [0, 1], [1, 1]])),
    table_of(AREA, {}, counts.sum(keepdims=True)),
]
THREE, FIVE = rounding(3), rounding(5)


def zones() -> tuple[Make, Mapping[str, Overlap], Mapping[str, np.ndarray]]:
    """L1 and L2 beside W1 and W2, which cut L2 in two."""
    divisions = {"lsoa": np.array(["L1", "L2", "L2"]), "ward": np.array(["W1", "W1", "W2"])}

    def make(counts: np.ndarray) -> list[Table]:
        tables = []
        for level, own in divisions.items():
            codes = np.unique(own)
            tables.append(
                table_of(flat_tree(level, codes), {}, np.array([counts[own == code].sum() for code in codes]))
            )
        return tables

    untold = {
        f"atom of area {name}": row
        for name, row in zip(["L2 & W1", "L2 & W2"], np.eye(3, dtype=np.int64)[1:], strict=True)
    }
    return make, {AREAS: Overlap.of(divisions)}, untold


def broken_conditions() -> dict[str, tuple[Case, str]]:
    """Releases that break one condition each, with words of the condition."""
    hidden = replace(
        of_totals([0, 0], [6], method=THREE),
        markers=(np.array([[0], [SUPPRESSED]], np.int8), np.zeros((1, 1), np.int8)),
    )
    exact = Intervals(lo=(np.zeros((2, 1), np.int64), np.array([[1]])), hi=(np.full((2, 1), NO_BOUND), np.array([[1]])))
    make, overlaps, untold = zones()
    lsoas, wards = (flat_tree(level, codes) for level, codes in (("lsoa", ["L1", "L2"]), ("ward", ["W1", "W2"])))
    apart = [
        of_totals([6, 3], [9], method=THREE, hierarchy=lsoas),
        of_totals([3, 6], [9], method=THREE, hierarchy=wards),
    ]
    claims = table_of(AREA, {"a": CODES["a"]}, np.array([[0, 0]]))
    people = table_of(AREA, {}, np.array([3]))
    nearest = Method(name="conventional-rounding", base=5, min_count=3)
    return {
        "another method": (released(ALONE, 2, [of_totals([0, 0], [5], method=nearest)]), "not controlled rounding"),
        "a base below min_count": (released(ALONE, 2, [of_totals([0, 2], [2], method=rounding(2))]), "below min_count"),
        "a cell without a value": (released(ALONE, 2, [hidden]), "show no value"),
        "sums that are not fulfilled": (released(ALONE, 2, [of_totals([0, 0], [6], method=THREE)]), "sums"),
        "more is known": (released(ALONE, 2, [of_totals([0, 0], [0], method=THREE)], known=[exact]), "more is known"),
        "two bases": (
            released(TWICE, 2, [of_totals([0, 3], [3], method=THREE), of_totals([5, 0], [5], method=FIVE)]),
            "different bases",
        ),
        "steps": (
            released(TWICE, 2, [of_totals([0, 3], [3], method=THREE), of_totals([6, 0], [6], method=rounding(3, 1))]),
            "different bases or steps",
        ),
        "two values": (
            released(TWICE, 2, [of_totals([0, 3], [3], method=THREE), of_totals([3, 0], [3], method=THREE)]),
            "two values",
        ),
        "people who are at most their claims": (
            released(
                CLAIMS,
                3,
                [shown(claims, THREE), shown(people, THREE)],
                measures=["claims", "people"],
                within=[Within(parts="claims", whole="people", by="a")],
            ),
            "finest cells show no value",
        ),
        "flows between two dates": (flows(), "more than sums"),
        "finest cells that nobody publishes": (
            released(make, 3, apart, overlaps=overlaps, untold=untold),
            "finest cells show no value",
        ),
        "an interval wider than a value's own": (
            released(ALONE, 2, [of_totals([0, 3], [3], method=THREE)], width=3),
            "more than a value says by itself",
        ),
    }


# Broken, yet nothing follows that the promise forbids.
HARMLESS = ("a cell without a value", "flows between two dates")


@pytest.mark.parametrize("name", broken_conditions())
def test_a_condition_that_is_broken_is_seen_and_what_follows_is_found(name: str) -> None:
    case, reason = broken_conditions()[name]
    joint = join_pieces(case.pieces, overlaps=case.overlaps, within=case.within, flows=case.flows)
    failing = check_joint(joint, case.pieces, min_count=3, width=case.width).failing
    assert any(reason in text for text in failing), failing
    audit = case.jointly()
    assert "theorem" not in audit.figures.values()
    assert judge(case)
    breaches = [finding for finding in audit.findings if finding.severity == "disclosure"]
    assert bool(breaches) != (name in HARMLESS)
