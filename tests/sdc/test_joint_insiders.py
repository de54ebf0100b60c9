"""Insiders and groups over several tables together, held against every table that fits."""

import itertools
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_joint_attack import exact, flat_tree, hidden, rounded, table_of

from sdc.attack import insiders
from sdc.attack.insiders import audit_insiders, learned
from sdc.attack.joint import Joint, join_pieces
from sdc.attack.jointgroups import joint_exposures
from sdc.attack.jointly import JointNames
from sdc.attack.narrowing import NoSolution
from sdc.attack.overlaps import Overlap
from sdc.attack.people import Insider, Person, everybody, named_people
from sdc.attack.pieces import Piece, piece_of_table
from sdc.attack.programmes import Found, feasible_intervals
from sdc.attack.targets import Target
from sdc.attack.together import audit_together
from sdc.system import Equations
from sdc.tables import NOT_PUBLISHED, Hierarchy, SafeTable, Table

# Areas by benefit by sex, and the largest count of the finest crossing.
SHAPES = {"crossing": ((2, 2, 2), 3), "two margins": ((1, 2, 3), 4), "bands": ((1, 3), 6)}
DIMENSIONS = {"benefit": ["jsa", "uc"], "sex": ["f", "m"]}


def crossing(finest: np.ndarray) -> list[Table]:
    """Benefits, and benefits by sex, of the same people."""
    tree = flat_tree("oa", ["A", "B"])
    return [
        table_of(tree, {"benefit": DIMENSIONS["benefit"]}, finest.sum(axis=2)),
        table_of(tree, DIMENSIONS, finest),
    ]


def two_margins(finest: np.ndarray) -> list[Table]:
    tree = flat_tree("oa", ["A"])
    return [
        table_of(tree, {"benefit": DIMENSIONS["benefit"]}, finest.sum(axis=2)),
        table_of(tree, {"age": ["a", "b", "c"]}, finest.sum(axis=1)),
    ]


def bands(finest: np.ndarray) -> list[Table]:
    """Two lists of bands over three ages: 0-19 and 20-39, 0-24 and 25-39."""
    tree = flat_tree("oa", ["A"])
    lists = (
        {"0-19": finest[:, 0], "20-39": finest[:, 1] + finest[:, 2]},
        {"0-24": finest[:, 0] + finest[:, 1], "25-39": finest[:, 2]},
    )
    return [table_of(tree, {"age": list(own)}, np.stack(list(own.values()), axis=1)) for own in lists]


BANDS = Overlap.of({"first": ["0-19", "20-39", "20-39"], "second": ["0-24", "0-24", "25-39"]})
MAKE = {"crossing": crossing, "two margins": two_margins, "bands": bands}
PUBLISH = {"hidden": hidden, "rounded": rounded}


def worlds_of(name: str) -> list[np.ndarray]:
    """Every table's values at every place, for every finest crossing: per table int64 of shape (worlds, places)."""
    shape, most = SHAPES[name]
    size = int(np.prod(shape))
    worlds = np.stack(np.meshgrid(*(np.arange(most + 1) for _ in range(size)), indexing="ij"), axis=-1)
    units = [MAKE[name](unit.reshape(shape)) for unit in np.eye(size, dtype=np.int64)]
    maps = [
        np.stack([piece_of_table("t", exact(table)).values.ravel() for table in tables], axis=1)
        for tables in zip(*units, strict=True)
    ]
    return [worlds.reshape(-1, size) @ one.T for one in maps]


WORLDS = {name: worlds_of(name) for name in MAKE}


def capped(piece: Piece, most: int) -> Piece:
    """The same with every finest count known to be at most so many: enumeration has an end there."""
    hi = piece.hi.copy()
    inner = tuple(slice(axis.sizes[0]) for axis in piece.axes)
    hi[inner] = np.minimum(hi[inner], most)
    return replace(piece, hi=hi)


def setting(name: str, how: str, seed: int) -> tuple[list[Piece], Joint, list[np.ndarray]]:
    """Published pieces of a drawn table, their system, and the worlds that fit.

    Margins are at most as many as their crossing can always fill.
    """
    shape, most = SHAPES[name]
    finest = np.random.default_rng(seed).integers(0, min(most, 3) + 1, shape)
    if name == "two margins":
        finest = np.where(finest > 1, 1, finest)
    caps = {"crossing": (2 * most, most), "two margins": (most, most), "bands": (2 * most, 2 * most)}[name]
    pieces = [
        capped(piece_of_table(f"t{k}", PUBLISH[how](table)), cap)
        for k, (table, cap) in enumerate(zip(MAKE[name](finest), caps, strict=True))
    ]
    joint = join_pieces(pieces, overlaps={"age": BANDS} if name == "bands" else {})
    if name == "bands":
        joint.hi[joint.teller < 0] = np.minimum(joint.hi[joint.teller < 0], most)
    worlds = WORLDS[name]
    for piece, place, world in zip(pieces, joint.places, worlds, strict=True):
        told = (place >= 0) & (piece.markers != NOT_PUBLISHED)
        np.minimum.at(joint.hi, place[told], world.max(axis=0).reshape(place.shape)[told])
    fits = np.ones(len(worlds[0]), np.bool_)
    for piece, world in zip(pieces, worlds, strict=True):
        fits &= ((world >= piece.lo.ravel()) & (world <= piece.hi.ravel())).all(axis=1)
    return pieces, joint, [world[fits] for world in worlds]


def by_cell(joint: Joint, pieces: Sequence[Piece], worlds: Sequence[np.ndarray]) -> np.ndarray:
    """Values of joint cells in every world: -1 for cells that no table tells and no sum leaves."""
    values = np.full((len(worlds[0]), len(joint.system)), -1, np.int64)
    for piece, place, world in zip(pieces, joint.places, worlds, strict=True):
        held = (place.ravel() >= 0) & (piece.markers.ravel() != NOT_PUBLISHED)
        values[:, place.ravel()[held]] = world[:, held]
    for equation in [*range(len(joint.system.equations))] * 2:  # what no table tells, as what a sum leaves
        cells, signs = joint.system.equations.entries(equation)
        unknown = np.flatnonzero(values[0, cells] < 0)
        if len(unknown) == 1:
            others = np.delete(np.arange(len(cells)), unknown)
            values[:, cells[unknown[0]]] = -(values[:, cells[others]] @ signs[others]) * signs[unknown[0]]
    return values


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10_000), name=st.sampled_from(sorted(MAKE)), how=st.sampled_from(sorted(PUBLISH)))
def test_what_everybody_learns_equals_enumeration(seed: int, name: str, how: str) -> None:
    pieces, joint, worlds = setting(name, how, seed)
    values = by_cell(joint, pieces, worlds)
    every = np.arange(len(joint.system))
    found = feasible_intervals(joint.system.equations, joint.lo, joint.hi, asked=every)
    before = (found.lo, found.hi)
    told = (values >= 0).all(axis=0)
    for person in everybody(joint, pieces):
        there = np.ones(len(values), np.bool_)
        for cell, _ in person.cells:
            there &= values[:, cell] >= 1
        got = learned(joint, person, before, min_count=3, width=2)
        if not there.any():
            assert got is None
            continue
        assert got is not None
        left = values[there]
        assert np.array_equal(got.bounds[0][told], left.min(axis=0)[told])
        assert np.array_equal(got.bounds[1][told], left.max(axis=0)[told])
        sure = told & (left.min(axis=0) == left.max(axis=0)) & (values.min(axis=0) < values.max(axis=0))
        own = set(got.exact.tolist())
        # What they know of themselves alone is no news to them.
        assert {cell for cell in np.flatnonzero(sure).tolist() if left[0, cell] != 1} <= own | set(
            np.flatnonzero(~told)
        )
        assert all(sure[cell] for cell in own if told[cell])


def test_people_are_asked_on_their_own_cells_once_of_those_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten areas with (c, c, 16 | 20): whoever is of the first age is asked on four cells, and for all ten areas at once."""
    areas = Hierarchy(levels=("oa",), codes=(np.array([f"A{k}" for k in range(10)]),), parents=())
    table = table_of(areas, {"age": ["a", "b", "c"]}, np.tile([[2, 2, 16]], (10, 1)))
    pieces = [piece_of_table("t", hidden(table))]
    joint = join_pieces(pieces)
    sizes: list[int] = []

    def counted(equations: Equations, *args: Any, **more: Any) -> Found:
        sizes.append(equations.size)
        return feasible_intervals(equations, *args, **more)

    monkeypatch.setattr(insiders, "feasible_intervals", counted)
    audit = audit_insiders(joint, pieces, [], JointNames(joint, pieces), min_count=3, width=2)
    # Of the third age somebody is for all to see: they know no more than everybody.
    assert audit.figures["t: people tried over all tables"] == 20
    assert sizes == [40, 4, 4] and audit.safe


def test_everybody_is_every_combination_once() -> None:
    pieces, joint, _ = setting("two margins", "hidden", 1)
    people = list(everybody(joint, pieces))
    assert len({person.cells for person in people}) == len(people) <= 2 * 2 * 2
    assert all(len(person.cells) == 2 for person in people)


def test_an_insider_known_in_two_tables_learns_what_neither_tells() -> None:
    """0-24 is shown as 2 and 0-19 known to be at least 1: whoever is 20 to 24 knows that the other is below 20.

    To know only that one is 20 to 39, or only 0 to 24, tells nothing more.
    """
    tree = flat_tree("oa", ["A"], top="none")
    first = table_of(tree, {"age": ["0-19", "20-39"]}, np.array([[1, 9]]))
    second = table_of(tree, {"age": ["0-24", "25-39"]}, np.array([[2, 8]]))
    own = piece_of_table("first", all_hidden(first))
    pieces = [
        replace(own, lo=np.where(np.arange(own.lo.size).reshape(own.lo.shape) == 0, 1, own.lo)),
        piece_of_table("second", exact(second)),
    ]
    joint = join_pieces(pieces, overlaps={"age": BANDS})
    names = JointNames(joint, pieces)

    def told(*insiders: tuple[int, Insider]) -> list[str]:
        by = {number: [one for at, one in insiders if at == number] for number in (0, 1)}
        people = named_people(joint, pieces, by)
        audit = audit_insiders(joint, pieces, people, names, min_count=5, width=4, all_people=False)
        return [finding.witness for finding in audit.findings if finding.kind == "learned by an insider"]

    in_first, in_second = Insider(place=(0, 1), who="Z"), Insider(place=(0, 0), who="Z")
    assert not told((0, in_first)) and not told((1, in_second))
    everyone = audit_insiders(joint, pieces, [], names, min_count=5, width=4)
    found = [f for f in everyone.findings if f.kind == "learned by an insider"]
    assert [(f.cell, f.interval) for f in found] == [("first: oa A, 0-19", (1, 1)), ("first: oa A, 20-39", (9, 9))]
    assert "then this cell is exactly 1" in found[0].witness
    assert len(told((0, in_first), (1, in_second))) == 2


def all_hidden(table: Table) -> SafeTable:
    return hidden(table, least=1_000)


def target(piece: Piece, safe: SafeTable | None = None, **more: object) -> Target:
    return Target(piece=piece, table=safe, **more)  # type: ignore[arg-type]


def test_a_named_insider_is_heard_in_single_tables_too() -> None:
    """(c, c | 3 of whom the area's total is shown): who is in the first, with two friends, knows that the other is empty."""
    tree = flat_tree("oa", ["A", "B"])
    table = table_of(tree, {"benefit": ["jsa", "uc"]}, np.array([[2, 1], [9, 9]]))
    safe = hidden(table)
    friends = Insider(place=(0, 0), number=2, who="two friends")
    clean = audit_together([target(piece_of_table("t", safe), safe)], min_count=3)
    told = audit_together([target(piece_of_table("t", safe), safe, insiders=(friends,))], min_count=3)
    learned_by = [finding for finding in told.findings if "two friends" in finding.witness]
    assert len(told.findings) >= len(clean.findings) and told.checked != clean.checked
    assert all(finding.kind in ("learned by an insider", "insider") for finding in learned_by)


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10_000), how=st.sampled_from(sorted(PUBLISH)))
def test_groups_over_all_tables_equal_enumeration(seed: int, how: str) -> None:
    pieces, joint, worlds = setting("crossing", how, seed)
    hits = joint_exposures(joint, pieces, sensitive=("benefit",), group_size=4)
    got = {(hit.piece, hit.row, hit.category, hit.everybody) for hit in hits}
    values = by_cell(joint, pieces, worlds).max(axis=0)
    wanted = set()
    for number, place in enumerate(joint.places):
        rows = np.moveaxis(place, 1, -1).reshape(-1, place.shape[1])
        for row, cells in enumerate(rows.tolist()):
            if min(cells) < 0:
                continue
            size, most = values[cells[-1]], values[cells[:-1]]
            if not 0 < min(size, most.sum()) < 4:
                continue
            for at, code in enumerate(["jsa", "uc"]):
                if most[at] > 0 and (most > 0).sum() == 1:
                    wanted.add((number, row, code, True))
                if most[at] == 0:
                    wanted.add((number, row, code, False))
    assert got == wanted


def test_a_group_exposed_by_two_tables_together_only() -> None:
    """Benefits are hidden in one; by sex another shows that no man is on UC, and the women are in total as many as all."""
    tree = flat_tree("oa", ["A", "B"])
    finest = np.array([[[1, 1], [2, 0]], [[9, 9], [9, 9]]])
    first, second = crossing(finest)
    safe = hidden(first)
    pieces = [piece_of_table("benefits", safe), piece_of_table("crossed", exact(second))]
    assert tree.units == (2, 1)
    alone = audit_together([target(pieces[0], safe)], min_count=3, sensitive=("benefit",))
    both = audit_together(
        [target(pieces[0], safe), target(pieces[1], exact(second))], min_count=3, sensitive=("benefit",)
    )
    assert not [finding for finding in alone.findings if finding.kind == "group"]
    assert [finding for finding in both.findings if finding.kind == "group"]


def test_names_tie_entries_and_numbers_must_agree() -> None:
    pieces, joint, _ = setting("two margins", "hidden", 2)
    one, two = Insider(place=(0, 0), who="A"), Insider(place=(0, 1), who="A")
    people = named_people(joint, pieces, {0: [one], 1: [two]})
    assert len(people) == 1 and len(people[0].cells) == 2
    with pytest.raises(ValueError, match="number"):
        named_people(joint, pieces, {0: [one], 1: [Insider(place=(0, 1), who="A", number=2)]})
    with pytest.raises(ValueError, match="number"):
        Insider(place=(0, 0), number=0)
    assert pieces and list(itertools.islice(everybody(joint, pieces), 1))


def test_who_cannot_be_there_learns_nothing() -> None:
    pieces, joint, _ = setting("two margins", "hidden", 3)
    try:
        before = feasible_intervals(joint.system.equations, joint.lo, joint.hi, asked=np.arange(len(joint.system)))
    except NoSolution:
        pytest.fail("the drawn table fits")
    cell = int(joint.places[0][0, 0])
    person = Person(who="", number=int(before.hi[cell]) + 1, cells=((cell, False),))
    assert learned(joint, person, (before.lo, before.hi), min_count=3, width=2) is None
    assert pieces
