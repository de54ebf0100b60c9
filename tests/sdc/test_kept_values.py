"""Kept values: unchanged counts keep their value where they can, everything else still holds, and means do not drift."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_rounding import assert_rounding, has_rounding, linked, table, tree

from common.faults import Infeasible
from sdc.rounding.controlled import ControlledRounding, RoundingPath, round_controlled
from sdc.rounding.kept import CHANGED, FORCED, KEPT, NEW, Before, Earlier, earlier_of, forget, standing
from sdc.solver import Rows, solve_mip
from sdc.tables import Classification, Hierarchy, SafeTable, Table

SPEC = ControlledRounding()


def drawn(
    tables: dict[str, Table],
    number: int,
    before: dict[str, Table] | None = None,
    shown: dict[str, SafeTable] | None = None,
) -> tuple[dict[str, SafeTable], RoundingPath]:
    """Round tables to base 5; after another release where one is given, table by table."""
    earlier = None
    if before is not None and shown is not None:
        earlier = {
            name: earlier_of(true, Before.of(before[name], shown[name].values))
            for name, true in tables.items()
            if name in before
        }
    return round_controlled(tables, spec=SPEC, key=number.to_bytes(32, "big"), earlier=earlier)


def same(one: dict[str, SafeTable], two: dict[str, SafeTable]) -> bool:
    return all(np.array_equal(a, b) for name in one for a, b in zip(one[name].values, two[name].values, strict=True))


def changed(tables: dict[str, Table], rng: np.random.Generator, records: int) -> dict[str, Table]:
    """The next quarter: so many records come or go, each in one area and one category of every table."""
    finest = {name: true.counts[0][:, :-1].copy() for name, true in tables.items()}
    people = next(iter(tables.values())).counts[0][:, -1].copy()
    for _ in range(records):
        area, comes = int(rng.integers(len(people))), bool(rng.integers(2))
        if comes or people[area]:
            people[area] += 1 if comes else -1
            for cells in finest.values():
                k = rng.integers(cells.shape[1]) if comes else rng.choice(np.flatnonzero(cells[area]))
                cells[area, k] += 1 if comes else -1
    return {
        name: Table.from_finest(hierarchy=true.hierarchy, classification=true.classification, finest=finest[name])
        for name, true in tables.items()
    }


def country(areas: int, widths: tuple[int, ...], mean: float = 8, seed: int = 1) -> dict[str, Table]:
    """Areas in groups of five, of four, of six, with linked tables of some categories."""
    rng = np.random.default_rng(seed)
    sizes, parents = [areas], []
    for group in (5, 4, 6):
        above = max(1, sizes[-1] // group)
        parents.append(np.minimum(np.arange(sizes[-1]) // group, above - 1).tolist())
        sizes.append(above)
    people = rng.poisson(mean, areas)
    hierarchy = tree(*parents)
    return {
        f"t{number}": table(hierarchy, rng.multinomial(people, np.ones(width) / width).tolist(), f"t{number}")
        for number, width in enumerate(widths)
    }


@given(tables=linked(), seed=st.integers(0, 2**32), records=st.integers(0, 12), number=st.integers(0, 2**40))
@settings(max_examples=150, deadline=None)
def test_every_promise_over_random_linked_tables_and_two_quarters(
    tables: dict[str, Table], seed: int, records: int, number: int
) -> None:
    """Bound, additivity and one value per total hold whatever is kept; nothing is random but the key."""
    after = changed(tables, np.random.default_rng(seed), records)
    try:
        shown, _ = drawn(tables, number)
    except Infeasible:
        return
    try:
        safe, path = drawn(after, number, tables, shown)
    except Infeasible:
        assert not has_rounding(after, 5)
        return
    for name, true in after.items():
        assert_rounding(true, safe[name])
    first, *others = safe.values()
    for other in others:
        assert all(np.array_equal(a[:, -1], b[:, -1]) for a, b in zip(first.values, other.values, strict=True))
    again, told = drawn(after, number, tables, shown)
    assert same(safe, again) and told == path
    if all(np.array_equal(after[name].counts[0], tables[name].counts[0]) for name in tables):
        assert same(safe, shown)


def test_where_nothing_changed_the_release_is_the_one_before_under_any_key() -> None:
    tables = country(400, (6, 4, 2))
    shown, _ = drawn(tables, 1)
    again, path = drawn(tables, 2, tables, shown)
    assert same(again, shown)
    assert path.duels == path.cycles == 0 and not any(path.moved.values())
    assert path.kept == {name: sum(c.size for c in true.counts) for name, true in tables.items()}


def test_without_a_release_before_draws_are_those_of_a_first_publication() -> None:
    tables = country(100, (4, 3))
    plain, path = drawn(tables, 5)
    nothing = {name: earlier_of(true, Before.of(true, true.counts)) for name, true in tables.items()}
    nothing = forget(nothing, tables["t0"].hierarchy, np.arange(100), 9)
    other, told = round_controlled(tables, spec=SPEC, key=(5).to_bytes(32, "big"), earlier=nothing)
    assert same(plain, other) and told.duels == path.duels and told.cycles == path.cycles


@pytest.mark.parametrize("widths", [(6,), (6, 4, 3, 5, 2)], ids=["one-table", "five-linked"])
def test_nearly_all_unchanged_counts_keep_their_value(widths: tuple[int, ...]) -> None:
    """With 5 % of areas touched, at most 3 % of the unchanged cells are moved; without keeping a third and more are."""
    before = country(1000, widths)
    shown, _ = drawn(before, 1)
    after = changed(before, np.random.default_rng(2), 50)
    _, path = drawn(after, 1, before, shown)
    kept, moved = sum(path.kept.values()), sum(path.moved.values())
    assert moved < 0.03 * (kept + moved)
    fresh, _ = round_controlled(after, spec=SPEC, key=b"f" * 32)
    off = sum(int(np.sum(a != b)) for n in after for a, b in zip(fresh[n].values, shown[n].values, strict=True))
    assert off > 0.2 * (kept + moved)
    assert path.forgotten == 0


def fewest_moved(true: Table, earlier: Earlier, base: int = 5) -> int:
    """The fewest unchanged cells that any zero-restricted additive rounding of one table moves, by a solver."""
    rows, upper, cost, first = Rows(), [], [], 0
    places = []
    for counts, before, shown in zip(true.counts, earlier.counts, earlier.values, strict=True):
        floor = counts // base * base
        places.append(first + np.arange(counts.size).reshape(counts.shape))
        first += counts.size
        upper.append((counts > floor).ravel().astype(float))
        cost.append(np.where((counts == before) & (counts > floor), np.where(shown > floor, -1.0, 1.0), 0.0).ravel())
    for level, (cells, counts) in enumerate(zip(places, true.counts, strict=True)):
        floor = counts // base
        for unit, cell in enumerate(cells):
            low = float(floor[unit, -1] - floor[unit, :-1].sum())
            rows.add(cell, np.append(np.ones(len(cell) - 1), -1.0), low, low)
        if level == len(places) - 1:
            continue
        for unit, k in itertools.product(range(len(places[level + 1])), range(cells.shape[1])):
            below = true.hierarchy.parents[level] == unit
            low = float(true.counts[level + 1][unit, k] // base - floor[below, k].sum())
            part = np.append(cells[below, k], places[level + 1][unit, k])
            rows.add(part, np.append(np.ones(int(below.sum())), -1.0), low, low)
    costs = np.concatenate(cost)
    found = solve_mip(costs, integer=np.ones(first, bool), upper=np.concatenate(upper), rows=rows, branches=50_000)
    assert found is not None
    return round(float(costs @ found)) + int(np.sum(costs < 0))


def test_few_more_cells_are_moved_than_the_fewest_possible() -> None:
    """Never fewer than the solver's optimum, and over some tables less than twice as many."""
    ours = fewest = 0
    for seed in range(12):
        before = country(40, (4,), seed=seed)
        shown, _ = drawn(before, seed)
        after = changed(before, np.random.default_rng(seed), 4)
        _, path = drawn(after, seed, before, shown)
        best = fewest_moved(after["t0"], earlier_of(after["t0"], Before.of(before["t0"], shown["t0"].values)))
        assert path.moved["t0"] >= best
        ours, fewest = ours + path.moved["t0"], fewest + best
    assert fewest <= ours < 2 * fewest


def test_section_10_6_the_bound_comes_before_keeping() -> None:
    """(1, 1, 4, 4 | 10) shown (5, 5, 0, 0), then (1, 1, 0, 0 | 2): one of the two keeps its 5, both cannot."""
    single = tree([0])
    before = {"k": table(single, [[1, 1, 4, 4]])}
    after = {"k": table(single, [[1, 1, 0, 0]])}
    values = np.array([[5, 5, 0, 0, 10]])
    earlier = {"k": earlier_of(after["k"], Before.of(before["k"], (values, values)))}
    seen = set()
    for number in range(60):
        safe, path = round_controlled(after, spec=SPEC, key=number.to_bytes(32, "big"), earlier=earlier)
        assert_rounding(after["k"], safe["k"])
        seen.add(tuple(safe["k"].values[0][0].tolist()))
        assert path.moved == {"k": 2} and path.redrawn == {"k": 6}  # the cell and its sum; 4, 4 and 10 changed, twice
    # Which one keeps it is the key's choice.
    assert seen == {(5, 0, 0, 0, 5), (0, 5, 0, 0, 5)}


def test_one_level_of_areas_without_any_above() -> None:
    hierarchy = Hierarchy(levels=("area",), codes=(np.array([f"a{n:02d}" for n in range(30)]),), parents=())
    rng = np.random.default_rng(4)
    before = {"k": table(hierarchy, rng.poisson(4, (30, 3)).tolist())}
    after = changed(before, rng, 6)
    shown, _ = drawn(before, 3)
    safe, _ = drawn(after, 3, before, shown)
    assert_rounding(after["k"], safe["k"])
    untouched = np.all(after["k"].counts[0] == before["k"].counts[0], axis=1)
    assert np.array_equal(safe["k"].values[0][untouched], shown["k"].values[0][untouched])


def test_totals_alone() -> None:
    hierarchy = tree([0, 0, 0, 1, 1], [0, 0])
    finest = [[2], [3], [7], [1], [10]]
    blank = Classification(dimensions=(), categories=())
    before = Table.from_finest(hierarchy=hierarchy, classification=blank, finest=np.array(finest))
    after = Table.from_finest(hierarchy=hierarchy, classification=blank, finest=np.array([[2], [3], [7], [2], [10]]))
    shown, _ = drawn({"all": before}, 1)
    safe, path = drawn({"all": after}, 1, {"all": before}, shown)
    assert np.array_equal(safe["all"].values[0][:3], shown["all"].values[0][:3])
    assert path.redrawn == {"all": 3}


def test_areas_categories_and_tables_come_and_go() -> None:
    """What the release before does not have is drawn; what it has is matched by its codes, not by its place."""
    rng = np.random.default_rng(6)
    old = tree([0, 0, 0, 1, 1, 1], [0, 0])
    codes = np.array(["0-0000", "0-0001", "0-0002a", "0-0003", "0-0004", "0-0005"])
    new = Hierarchy(levels=old.levels, codes=(codes, *old.codes[1:]), parents=old.parents)
    finest = rng.poisson(3, (6, 3))
    before = {"k": table(old, finest.tolist())}
    shown, _ = drawn(before, 8)
    named = Classification(dimensions=("k",), categories=(("k00",), ("k01x",), ("k02",)))
    after = {
        "k": Table.from_finest(hierarchy=new, classification=named, finest=finest),
        "sex": table(new, np.column_stack([finest.sum(axis=1) // 2, -(-finest.sum(axis=1) // 2)]).tolist(), "sex"),
    }
    earlier = {name: earlier_of(true, Before.of(before["k"], shown["k"].values)) for name, true in after.items()}
    assert [known.sum() for known in earlier["k"].known] == [5 * 3, 2 * 3, 1 * 3]  # one area and one category are new
    assert [known.sum() for known in earlier["sex"].known] == [5, 2, 1]  # other dimensions: totals alone
    safe, path = round_controlled(after, spec=SPEC, key=b"n" * 32, earlier=earlier)
    for name, true in after.items():
        assert_rounding(true, safe[name])
    codes_of = standing(after["k"], safe["k"].values, earlier["k"])
    assert np.all(codes_of[0][2] == NEW) and np.all(codes_of[0][:, 1] == NEW)
    assert path.kept["k"] > 0.8 * 24


def test_a_changed_tree_is_rounded_all_the_same() -> None:
    """An area moves to another parent: sums of then do not fit those of now, and nothing breaks."""
    before = {"k": table(tree([0, 0, 0, 1, 1], [0, 0]), [[2, 1], [3, 3], [1, 1], [4, 2], [2, 2]])}
    after = {"k": table(tree([0, 0, 1, 1, 1], [0, 0]), [[2, 1], [3, 3], [1, 1], [4, 2], [2, 2]])}
    for number in range(30):
        shown, _ = drawn(before, number)
        safe, _ = drawn(after, number, before, shown)
        assert_rounding(after["k"], safe["k"])


def test_where_keeping_leaves_no_rounding_the_neighbourhood_is_drawn_without_it() -> None:
    """Five tables of two columns over a dozen areas, found by search: everything still holds, and it is counted."""
    before = country(17, (2, 2, 2, 2, 2), mean=3, seed=65)
    shown, _ = drawn(before, 65)
    after = changed(before, np.random.default_rng(65), 6)
    safe, path = drawn(after, 65, before, shown)
    assert path.forgotten > 0 and all(path.kept.values())
    for name, true in after.items():
        assert_rounding(true, safe[name])


def test_standing_tells_each_cell_apart() -> None:
    true = table(tree([0, 0]), [[1, 2], [3, 4]])
    before = table(tree([0, 0]), [[1, 2], [3, 3]])
    values = (np.array([[0, 5, 5], [5, 5, 10]]), np.array([[5, 10, 15]]))
    shown = (np.array([[0, 0, 0], [5, 5, 10]]), np.array([[5, 5, 10]]))
    told = standing(true, values, earlier_of(true, Before.of(before, shown)))
    assert told[0].tolist() == [[KEPT, FORCED, FORCED], [KEPT, CHANGED, CHANGED]]
    assert told[1].tolist() == [[KEPT, CHANGED, CHANGED]]


def test_shapes_that_do_not_belong_together_are_refused() -> None:
    true = table(tree([0, 0]), [[1, 2], [3, 4]])
    wide = table(tree([0, 0]), [[1, 2, 0], [3, 4, 0]])
    earlier = earlier_of(wide, Before.of(wide, wide.counts))
    with pytest.raises(ValueError, match=r"earlier \(k\) must have the shapes"):
        round_controlled({"k": true}, spec=SPEC, key=bytes(32), earlier={"k": earlier})
    with pytest.raises(ValueError, match="same shapes"):
        Earlier(counts=true.counts, values=wide.counts, known=true.counts)


@pytest.mark.parametrize("widths", [(5,), (5, 3)], ids=["one-table", "two-linked"])
def test_bias_stays_small_over_a_chain_of_quarters(widths: tuple[int, ...]) -> None:
    """Mean error by remainder after four quarters, over 60 keys: under a twentieth of the base for categories."""
    errors = {remainder: [] for remainder in range(1, 5)}
    for number in range(60):
        rng = np.random.default_rng(number)
        now = country(60, widths, seed=number)
        shown, _ = drawn(now, number)
        for _ in range(4):
            before, now = now, changed(now, rng, 6)
            shown, _ = drawn(now, number, before, shown)
        for name, true in now.items():
            counts, error = true.counts[0], shown[name].values[0] - true.counts[0]
            for remainder, found in errors.items():
                found.append(error[:, :-1][counts[:, :-1] % 5 == remainder])
    means = {remainder: float(np.concatenate(found).mean()) for remainder, found in errors.items()}
    assert all(abs(mean) < 0.25 for mean in means.values()), means


def test_a_small_change_moves_few_values_and_mostly_its_own_way() -> None:
    """A changed count is drawn together with its earlier value: it carries its error as far as its multiples allow."""
    stays = falls = rises = wrong = 0
    for number in range(40):
        before = country(60, (5,), seed=number)
        shown, _ = drawn(before, number)
        after = changed(before, np.random.default_rng(number), 10)
        safe, _ = drawn(after, number, before, shown)
        step = after["t0"].counts[0] - before["t0"].counts[0]
        moved = safe["t0"].values[0] - shown["t0"].values[0]
        stays += int(np.sum((step != 0) & (moved == 0)))
        wrong += int(np.sum((step != 0) & (np.sign(moved) == -np.sign(step))))
        rises += int(np.sum((step > 0) & (moved > 0)))
        falls += int(np.sum((step < 0) & (moved < 0)))
    assert stays > 2 * (rises + falls + wrong)
    assert rises + falls > 8 * wrong
