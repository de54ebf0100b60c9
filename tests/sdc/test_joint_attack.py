"""Several tables as one system: equal to enumerating every table of the finest common cells, and the textbook cases."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest
from enumeration import every_world
from hypothesis import given, settings
from hypothesis import strategies as st

from sdc.attack.intervals import NO_BOUND
from sdc.attack.joint import AREAS, Flow, Joint, Within, join_pieces
from sdc.attack.jointly import audit_pieces
from sdc.attack.jointtheorem import check_joint
from sdc.attack.overlaps import Overlap
from sdc.attack.pieces import Piece, piece_of_table
from sdc.attack.programmes import feasible_intervals
from sdc.rounding.conventional import round_conventional
from sdc.tables import SUPPRESSED, Classification, Hierarchy, Method, SafeTable, Table

MOST = 3
# How far finest cells are tried that nothing bounds.
FREE = 8


def flat_tree(level: str, codes: Sequence[str], top: str = "lad") -> Hierarchy:
    return Hierarchy(
        levels=(level, top),
        codes=(np.array(sorted(codes)), np.array(["T"])),
        parents=(np.zeros(len(codes), np.int32),),
    )


def table_of(tree: Hierarchy, dimensions: Mapping[str, Sequence[str]], finest: np.ndarray) -> Table:
    categories = tuple(itertools.product(*(sorted(codes) for codes in dimensions.values()))) if dimensions else ()
    return Table.from_finest(
        hierarchy=tree,
        classification=Classification(dimensions=tuple(dimensions), categories=categories),
        finest=np.ascontiguousarray(finest.reshape(tree.units[0], -1)),
    )


def hidden(table: Table, least: int = 3) -> SafeTable:
    """Small counts and nothing else hidden: what primary suppression alone publishes."""
    markers = tuple(np.where((x > 0) & (x < least), SUPPRESSED, 0).astype(np.int8) for x in table.counts)
    return SafeTable(
        hierarchy=table.hierarchy,
        classification=table.classification,
        values=tuple(np.where(m == SUPPRESSED, 0, x) for x, m in zip(table.counts, markers, strict=True)),
        markers=markers,
        method=Method(name="suppression", base=1, min_count=least),
    )


def rounded(table: Table) -> SafeTable:
    return round_conventional(table, base=3, min_count=3)


PUBLISH = {"hidden": hidden, "rounded": rounded}


Make = Callable[[np.ndarray], Sequence[Table]]


def exact(table: Table) -> SafeTable:
    return SafeTable(
        hierarchy=table.hierarchy,
        classification=table.classification,
        values=table.counts,
        method=Method(name="exact", base=1, min_count=2),
    )


def holds_to_enumeration(joint: Joint, pieces: Sequence[Piece], make: Make, finest: int) -> None:
    """Intervals of everything published, against the values taken by all worlds that fit.

    A world is a vector of counts of so many finest cells; `make` makes the true tables of one.
    """
    maps = [
        np.stack([piece_of_table("true", exact(table)).values.ravel() for table in tables], axis=1)
        for tables in zip(*(make(unit) for unit in np.eye(finest, dtype=np.int64)), strict=True)
    ]
    lo, hi = (np.concatenate([getattr(piece, end).ravel() for piece in pieces]) for end in ("lo", "hi"))
    told = np.concatenate(maps).any(axis=1)
    worlds = every_world(np.concatenate(maps)[told], lo[told], hi[told], free=FREE)
    assert worlds is not None and len(worlds)
    found = feasible_intervals(
        joint.system.equations, joint.lo, joint.hi, asked=np.arange(len(joint.system)), start=joint.start
    )
    assert found.exact.all()
    for piece, place, own in zip(pieces, joint.places, maps, strict=True):
        values = worlds @ own.T
        cells = place.ravel()
        held = (cells >= 0) & own.any(axis=1)
        assert np.array_equal(found.lo[cells[held]], values.min(axis=0)[held]), piece.name
        bounded = held & (np.where(held, found.hi[cells], 0) < NO_BOUND)
        assert np.array_equal(found.hi[cells[bounded]], values.max(axis=0)[bounded]), piece.name
        assert (values.max(axis=0)[held & ~bounded] >= FREE).all(), piece.name


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 10_000), how=st.sampled_from(sorted(PUBLISH)), told=st.booleans())
def test_two_geographies_equal_enumeration(seed: int, how: str, told: bool) -> None:
    """Three LSOAs and two wards over four atoms; with and without the truth to start from."""
    rng = np.random.default_rng(seed)
    divisions = {"lsoa": np.array(["L1", "L1", "L2", "L3"]), "ward": np.array(["W1", "W2", "W2", "W2"])}
    atoms = rng.integers(0, MOST + 1, 4)

    def make(counts: np.ndarray) -> list[Table]:
        return [
            table_of(
                flat_tree(level, np.unique(codes)), {}, np.array([counts[codes == c].sum() for c in np.unique(codes)])
            )
            for level, codes in divisions.items()
        ]

    true = make(atoms)
    pieces = [
        piece_of_table(name, PUBLISH[how](table), truth=table if told else None)
        for name, table in zip(("a", "b"), true, strict=True)
    ]
    joint = join_pieces(pieces, overlaps={AREAS: Overlap.of(divisions)})
    holds_to_enumeration(joint, pieces, make, 4)


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 10_000), how=st.sampled_from(sorted(PUBLISH)))
def test_two_lists_of_bands_equal_enumeration(seed: int, how: str) -> None:
    """Two areas by two lists of ages that cut each other (V11)."""
    rng = np.random.default_rng(seed)
    divisions = {"first": np.array(["u20", "20-39", "20-39"]), "second": np.array(["u25", "u25", "25-39"])}
    tree = flat_tree("oa", ["A", "B"])
    counts = rng.integers(0, MOST, (2, 3))

    def make(flat: np.ndarray) -> list[Table]:
        ages = flat.reshape(2, 3)
        tables = []
        for codes in divisions.values():
            finest = np.stack([ages[:, codes == code].sum(axis=1) for code in np.unique(codes)], axis=1)
            tables.append(table_of(tree, {"age": np.unique(codes)}, finest))
        return tables

    true = make(counts)
    pieces = [piece_of_table(name, PUBLISH[how](table)) for name, table in zip(("a", "b"), true, strict=True)]
    joint = join_pieces(pieces, overlaps={"age": Overlap.of(divisions)})
    holds_to_enumeration(joint, pieces, make, 6)


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 10_000), how=st.sampled_from(sorted(PUBLISH)))
def test_tables_that_share_a_dimension_equal_enumeration(seed: int, how: str) -> None:
    """One table by benefit and sex with its grand total alone, another by benefit: the margin is shared."""
    rng = np.random.default_rng(seed)
    tree = flat_tree("oa", ["A"])
    counts = rng.integers(0, MOST, 4)

    def make(flat: np.ndarray) -> list[Table]:
        both = flat.reshape(1, 2, 2)
        return [
            table_of(tree, {"benefit": ["jsa", "uc"], "sex": ["f", "m"]}, both),
            table_of(tree, {"benefit": ["jsa", "uc"]}, both.sum(axis=2)),
        ]

    true = make(counts)
    pieces = [piece_of_table(name, PUBLISH[how](table)) for name, table in zip(("a", "b"), true, strict=True)]
    joint = join_pieces(pieces)
    holds_to_enumeration(joint, pieces, make, 4)


def test_the_same_figure_under_two_names() -> None:
    """An authority with one LSOA in it, and a ward that is the same output areas, are one figure each (10.3)."""
    tree = flat_tree("lsoa", ["L1"])
    other = flat_tree("ward", ["W1"])
    one = piece_of_table("a", exact(table_of(tree, {}, np.array([7]))))
    two = piece_of_table("b", exact(table_of(other, {}, np.array([8]))))
    overlap = Overlap.of({"lsoa": ["L1", "L1"], "ward": ["W1", "W1"]})
    joint = join_pieces([one, two], overlaps={AREAS: overlap})
    assert len(joint.system) == 1
    audit = audit_pieces([one, two], min_count=5, overlaps={AREAS: overlap})
    assert [finding.kind for finding in audit.findings][:1] == ["two values"] and not audit.safe
    assert "no count gives both" in audit.findings[0].witness


def test_v10_geographic_differencing() -> None:
    """Handbook 5.2: zones of two geographies that differ by a sliver of 2, 1 / 2, 0 / 0, 0 people give it away."""
    overlap = Overlap.of({"oa": ["A", "B", "C"], "ed": ["A", "A", "C"]})
    dimensions = {"status": ["divorced", "married", "single"], "ill": ["no", "yes"]}
    areas = np.array([[50, 4, 128, 12, 39, 10], [2, 1, 2, 0, 0, 0], [31, 8, 90, 11, 25, 6]])
    small = table_of(flat_tree("oa", ["A", "B", "C"]), dimensions, areas)
    large = table_of(flat_tree("ed", ["A", "C"]), dimensions, np.stack([areas[:2].sum(axis=0), areas[2]]))
    shown = exact(small)
    markers = tuple(np.where(np.arange(len(m))[:, None] == 1, 1, m).astype(np.int8) for m in shown.markers[:1])
    pieces = [
        piece_of_table(
            "oa",
            replace(
                shown,
                values=(np.where(markers[0], 0, shown.values[0]), shown.values[1]),
                markers=(*markers, shown.markers[1]),
            ),
        ),
        piece_of_table("ed", exact(large)),
    ]
    audit = audit_pieces(pieces, min_count=5, overlaps={AREAS: overlap})
    pinned = {finding.cell: finding.interval for finding in audit.findings if finding.kind == "pinned"}
    assert {(1, 1), (2, 2)} <= set(pinned.values())


@pytest.mark.parametrize("seed", range(12))
def test_people_beside_claims_equal_enumeration(seed: int) -> None:
    """Each benefit's claims <= people <= claims: what the relation adds is what enumerating people of two benefits adds."""
    rng = np.random.default_rng(seed)
    tree = flat_tree("oa", ["A"], top="none")
    only = rng.integers(0, 3, 3)  # with the first alone, the second alone, both

    def make(flat: np.ndarray) -> list[Table]:
        first, second, both = flat
        return [
            table_of(tree, {"benefit": ["jsa", "uc"]}, np.array([[first + both, second + both]])),
            table_of(tree, {}, np.array([first + second + both])),
        ]

    true = make(only)
    pieces = [
        piece_of_table(name, rounded(table), measure=name)
        for name, table in zip(("claims", "people"), true, strict=True)
    ]
    joint = join_pieces(pieces, within=[Within(parts="claims", whole="people", by="benefit")])
    holds_to_enumeration(joint, pieces, make, 3)


@pytest.mark.parametrize("seed", range(8))
def test_flows_equal_enumeration(seed: int) -> None:
    """A caseload, the next, who came and who went: after + off = before + on."""
    rng = np.random.default_rng(seed)
    tree = flat_tree("oa", ["A", "B"])
    stayed, on, off = (rng.integers(0, 3, 2) for _ in range(3))

    def make(flat: np.ndarray) -> list[Table]:
        before, came, left = flat.reshape(3, 2)
        return [table_of(tree, {}, counts) for counts in (before, before + came - left, came, left)]

    names = ("before", "after", "on", "off")
    true = make(np.concatenate([stayed + off, on, off]))
    pieces = [piece_of_table(name, rounded(table), measure=name) for name, table in zip(names, true, strict=True)]
    joint = join_pieces(pieces, flows=[Flow(before="before", after="after", on="on", off="off")])
    found = feasible_intervals(joint.system.equations, joint.lo, joint.hi, asked=np.arange(len(joint.system)))
    worlds = np.stack(np.meshgrid(*([np.arange(8)] * 6), indexing="ij"), axis=-1).reshape(-1, 6)
    after = worlds[:, :2] + worlds[:, 2:4] - worlds[:, 4:]
    columns = [worlds[:, :2], after, worlds[:, 2:4], worlds[:, 4:]]
    fits = (after >= 0).all(axis=1)
    for piece, column in zip(pieces, columns, strict=True):
        whole = np.concatenate([column, column.sum(axis=1, keepdims=True)], axis=1)
        fits &= ((whole >= piece.lo.ravel()) & (whole <= piece.hi.ravel())).all(axis=1)
    for place, column in zip(joint.places, columns, strict=True):
        cells = place.ravel()[:2]
        assert found.lo[cells].tolist() == column[fits].min(axis=0).tolist()
        assert found.hi[cells].tolist() == column[fits].max(axis=0).tolist()


def nested_tree(middle: str, parents: Sequence[int]) -> Hierarchy:
    return Hierarchy(
        levels=("oa", middle, "lad"),
        codes=(
            np.array([f"A{k:03}" for k in range(len(parents))]),
            np.array([f"{middle}{k:03}" for k in sorted(set(parents))]),
            np.array(["T"]),
        ),
        parents=(np.array(parents, np.int32), np.zeros(len(set(parents)), np.int32)),
    )


def rounded_on_both(seed: int) -> tuple[list[Piece], SafeTable]:
    """Output areas rounded, and told by two trees above them: wards and LSOAs that cut each other."""
    rng = np.random.default_rng(seed)
    lsoa, ward = nested_tree("lsoa", [0, 0, 1, 1]), nested_tree("ward", [0, 1, 1, 1])
    values = rng.integers(0, 3, (4, 2)) * 5
    method = Method(name="controlled-rounding", base=5, min_count=5)
    safe = []
    for tree in (lsoa, ward):
        table = table_of(tree, {"benefit": ["jsa", "uc"]}, values)
        safe.append(SafeTable(hierarchy=tree, classification=table.classification, values=table.counts, method=method))
    return [piece_of_table("a", safe[0]), piece_of_table("b", safe[1])], safe[1]


@pytest.mark.parametrize("seed", range(6))
def test_the_theorem_holds_for_two_geographies_over_the_same_areas(seed: int) -> None:
    """Each figure's own interval is exact: programmes that know nothing of the theorem find no less."""
    pieces, _ = rounded_on_both(seed)
    joint = join_pieces(pieces)
    assert check_joint(joint, pieces, min_count=5).hold
    audit = audit_pieces(pieces, min_count=5)
    assert audit.safe and audit.figures["a, b: path"] == "theorem"
    cells = np.arange(len(joint.system))
    found = feasible_intervals(joint.system.equations, joint.lo, joint.hi, asked=cells)
    assert np.array_equal(found.lo, joint.lo) and np.array_equal(found.hi, joint.hi)


def test_the_theorem_is_not_assumed() -> None:
    """A value that is no sum of the finest, a base below min_count, a figure known besides: each stands in its way."""
    pieces, safe = rounded_on_both(1)
    moved = tuple(v + 5 * (level == 1) for level, v in enumerate(safe.values))
    for changed, reason in (
        (piece_of_table("b", replace(safe, values=moved)), "two values"),
        (
            piece_of_table("b", replace(safe, values=(safe.values[0], safe.values[1] + [[0], [5]], safe.values[2]))),
            "sums",
        ),
        (
            piece_of_table("b", replace(safe, method=Method(name="controlled-rounding", base=5, min_count=5, steps=1))),
            "different bases or steps",
        ),
        (replace(pieces[1], hi=np.minimum(pieces[1].hi, 3)), "more is known"),
    ):
        failing = check_joint(join_pieces([pieces[0], changed]), [pieces[0], changed], min_count=5).failing
        assert any(reason in text for text in failing)
    assert not check_joint(join_pieces(pieces), pieces, min_count=6).hold
