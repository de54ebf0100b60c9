"""Controlled and conventional rounding: what must always hold, and that the mean over keys is the true count."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.faults import Infeasible
from sdc.figures import figures_of
from sdc.rounding.controlled import ControlledRounding, round_controlled
from sdc.rounding.conventional import round_conventional
from sdc.solver import Rows, solve_mip
from sdc.tables import Classification, Hierarchy, SafeTable, Table

EXPSD = [[6, 0, 1, 3, 4], [1, 2, 3, 1, 2], [0, 1, 1, 0, 2]]  # V12 of SmallCountRounding's documentation
BY_SEX = [[6, 8], [1, 8], [2, 2]]
BY_AGE = [[14, 0, 0], [1, 1, 7], [2, 1, 1]]


def tree(*parents: list[int]) -> Hierarchy:
    sizes = [len(parents[0]), *(max(level) + 1 for level in parents)]
    return Hierarchy(
        levels=tuple(f"level{number}" for number in range(len(sizes))),
        codes=tuple(np.array([f"{number}-{unit:04d}" for unit in range(size)]) for number, size in enumerate(sizes)),
        parents=tuple(np.array(level, dtype=np.int32) for level in parents),
    )


def table(hierarchy: Hierarchy, finest: list[list[int]], name: str = "k") -> Table:
    width = len(finest[0])
    classification = Classification(dimensions=(name,), categories=tuple((f"{name}{k:02d}",) for k in range(width)))
    return Table.from_finest(hierarchy=hierarchy, classification=classification, finest=np.array(finest))


def rounded(tables: dict[str, Table], key: int = 1, base: int = 5) -> dict[str, SafeTable]:
    spec = ControlledRounding(base=base, min_count=base)
    return round_controlled(tables, spec=spec, key=key.to_bytes(32, "big"))[0]


def assert_rounding(true: Table, safe: SafeTable) -> None:
    """The promise of zero-restricted controlled rounding, for any method that makes it."""
    base = safe.method.base
    for counts, values in zip(true.counts, safe.values, strict=True):
        assert not np.any(values % base) and np.all(np.abs(values - counts) < base)
        assert np.array_equal(values[counts % base == 0], counts[counts % base == 0])
    Table(hierarchy=safe.hierarchy, classification=safe.classification, counts=safe.values)  # additive, or ValueError


def has_rounding(tables: dict[str, Table], base: int) -> bool:
    """Whether any zero-restricted rounding serves all tables with one value per total, by a solver over all cells."""
    rows, upper = Rows(), []
    totals: list[np.ndarray] = []
    for true in tables.values():
        cells = []
        for level, counts in enumerate(true.counts):
            first = sum(len(part) for part in upper)
            columns = counts[:, :-1] if totals and len(totals) > level else counts
            upper.append((columns % base > 0).ravel().astype(float))
            places = first + np.arange(columns.size).reshape(columns.shape)
            if len(totals) == level:
                totals.append(places[:, -1])
                places = places[:, :-1]
            cells.append(places)
        floors = [counts // base for counts in true.counts]
        for level, (places, floor) in enumerate(zip(cells, floors, strict=True)):
            for unit, place in enumerate(places):
                lower = float(floor[unit, -1] - floor[unit, :-1].sum())
                ends = np.append(np.ones(len(place)), -1.0)
                rows.add(np.append(place, totals[level][unit]), ends, lower, lower)
            if level == len(cells) - 1:
                continue
            for unit in range(len(cells[level + 1])):
                below = true.hierarchy.parents[level] == unit
                for k in range(places.shape[1] + 1):
                    parts = np.append(places, totals[level][:, None], axis=1)[below, k]
                    whole = np.append(cells[level + 1], totals[level + 1][:, None], axis=1)[unit, k]
                    lower = float(floors[level + 1][unit, k] - floor[below, k].sum())
                    rows.add(np.append(parts, whole), np.append(np.ones(len(parts)), -1.0), lower, lower)
    most = np.concatenate(upper)
    found = solve_mip(np.zeros(len(most)), integer=np.ones(len(most), bool), upper=most, rows=rows, branches=100_000)
    return found is not None


@st.composite
def linked(draw: st.DrawFn) -> dict[str, Table]:
    """Up to three tables of the same people over a random tree of up to four levels."""
    sizes = sorted(draw(st.lists(st.integers(1, 9), min_size=1, max_size=3)), reverse=True)
    parents = []
    for below, above in itertools.pairwise([*sizes, 1] if draw(st.booleans()) else [*sizes, sizes[-1]]):
        above = min(below, above)
        rest = draw(st.lists(st.integers(0, above - 1), min_size=below - above, max_size=below - above))
        parents.append(sorted([*range(above), *rest]))
    hierarchy = tree(*parents)
    people = draw(st.lists(st.integers(0, sizes[0] - 1), max_size=60))
    tables = {}
    for name in draw(st.sampled_from([("a",), ("a", "b"), ("a", "b", "c")])):
        width = draw(st.integers(1, 5))
        finest = np.zeros((sizes[0], width), np.int64)
        for area in people:
            finest[area, draw(st.integers(0, width - 1))] += 1
        tables[name] = table(hierarchy, finest.tolist(), name)
    return tables


@given(tables=linked(), key=st.integers(0, 2**64), base=st.sampled_from([2, 3, 5, 10]))
@settings(max_examples=150, deadline=None)
def test_every_promise_over_random_linked_tables(tables: dict[str, Table], key: int, base: int) -> None:
    try:
        safe = rounded(tables, key, base)
    except Infeasible:
        assert not has_rounding(tables, base)
        return
    for name, true in tables.items():
        assert_rounding(true, safe[name])
    first, *others = safe.values()
    for other in others:
        assert all(np.array_equal(a[:, -1], b[:, -1]) for a, b in zip(first.values, other.values, strict=True))
    again = rounded(tables, key, base)
    assert all(
        np.array_equal(a, b) for name in tables for a, b in zip(safe[name].values, again[name].values, strict=True)
    )


@pytest.mark.parametrize("names", [("k",), ("k", "sex", "age")], ids=["alone", "linked"])
def test_v12_the_mean_over_2000_keys_is_the_true_count(names: tuple[str, ...]) -> None:
    """Within 4 standard errors for every cell, alone and linked with two other tables of the same people."""
    hierarchy = tree([0, 0, 0])
    every = {"k": EXPSD, "sex": BY_SEX, "age": BY_AGE}
    tables = {name: table(hierarchy, every[name], name) for name in names}
    errors: dict[str, list[np.ndarray]] = {name: [] for name in names}
    for key in range(2000):
        for name, safe in rounded(tables, key).items():
            differences = zip(safe.values, tables[name].counts, strict=True)
            errors[name].append(np.concatenate([(values - counts).ravel() for values, counts in differences]))
    for found in errors.values():
        error = np.array(found)
        assert np.all(np.abs(error.mean(axis=0)) <= 4 * error.std(axis=0) / np.sqrt(len(error)))


def test_v13_v16_handbook_table_takes_only_zero_restricted_additive_values() -> None:
    """Handbook 5.5: of 3 x 2 cells (1 0 / 3 3 / 12 20) there are six such roundings; every one is reached."""
    true = table(tree([0, 0, 0]), [[1, 0], [3, 3], [12, 20]])
    seen = {tuple(rounded({"k": true}, key)["k"].values[0][:, :2].ravel().tolist()) for key in range(400)}
    assert len(seen) == 6


def test_v14_top_down_trap() -> None:
    """Base 2: parent (1, 1, 1, 1 | 4) alone may round to (2, 2, 0, 0), which no rounding of the children matches."""
    true = table(tree([0, 1], [0, 0]), [[1, 1, 0, 0], [0, 0, 1, 1]])
    for key in range(50):
        safe = rounded({"k": true}, key, base=2)["k"]
        assert_rounding(true, safe)
        assert safe.values[0].tolist() == [safe.values[0][0].tolist(), safe.values[0][1].tolist()]
        assert safe.values[2][0, :2].sum() == 2 and safe.values[2][0, 2:4].sum() == 2


@pytest.mark.parametrize("shape", [(1, 3), (2, 2)], ids=["1x3", "2x2"])
def test_running_the_method_backwards_gives_nothing_beyond_each_cells_own_interval(shape: tuple[int, int]) -> None:
    """Base 2: every value of max(0, r - 1) ... r + 1 of every cell has a true table and a key that publish r."""
    rows, width = shape
    hierarchy = tree([0] * rows)
    targets = {tuple([0] * rows * width), tuple([2] + [0] * (rows * width - 1))}
    reached: dict[tuple[int, ...], list[set[int]]] = {t: [set() for _ in t] for t in targets}
    for cells in itertools.product(range(4), repeat=rows * width):
        if sum(cells) > 6:
            continue
        true = table(hierarchy, np.array(cells).reshape(shape).tolist())
        for key in range(12):
            shown = tuple(rounded({"k": true}, key, base=2)["k"].values[0][:, :width].ravel().tolist())
            for place, count in enumerate(cells if shown in reached else ()):
                reached[shown][place].add(count)
    for shown, found in reached.items():
        for value, counts in zip(shown, found, strict=True):
            assert counts == set(range(max(0, value - 1), value + 2))


def test_section_10_7_totals_first_is_not_biased() -> None:
    """With the total drawn first, least distance gives (4, 1, 1, 1, 1 | 8) the mean (5, 0.75, 0.75, 0.75, 0.75)."""
    true = table(tree([0]), [[4, 1, 1, 1, 1]])
    shown = np.array([rounded({"k": true}, key)["k"].values[0][0] for key in range(2000)])
    error = shown - np.array([4, 1, 1, 1, 1, 8])
    assert np.all(np.abs(error.mean(axis=0)) <= 4 * error.std(axis=0) / np.sqrt(len(error)))
    assert set(shown[:, -1].tolist()) == {5, 10}


def test_section_10_8_rows_do_not_depend_on_people() -> None:
    """Areas and categories without anybody are shown as 0, not left out."""
    empty = table(tree([0, 0, 1], [0, 0]), [[0, 0], [0, 0], [3, 0]])
    safe = rounded({"k": empty})["k"]
    assert [values.shape for values in safe.values] == [(3, 3), (2, 3), (1, 3)]
    assert not safe.values[0][:2].any() and not any(marker.any() for marker in safe.markers)


def test_one_record_more_moves_few_draws() -> None:
    """Section 10.5: under a table-wide stream of chance 41 % of unchanged small cells flip; here they hardly do."""
    rng = np.random.default_rng(7)
    areas = 2000
    parents = [np.arange(areas) // 5, np.arange(areas // 5) // 5, np.arange(areas // 25) // 20]
    hierarchy = tree(*(level.tolist() for level in parents))
    finest = rng.poisson(3, (areas, 6))
    more = finest.copy()
    more[1000, 2] += 1
    before = rounded({"k": table(hierarchy, finest.tolist())})["k"].values[0]
    after = rounded({"k": table(hierarchy, more.tolist())})["k"].values[0]
    assert np.mean((before != after)[(finest == more).all(axis=1)]) < 0.05


def test_top_units_are_drawn_apart() -> None:
    """What happens in one authority moves nothing in another."""
    hierarchy = tree([0, 0, 1, 1])
    one, two = [[1, 2], [3, 4], [2, 2], [4, 1]], [[1, 2], [3, 4], [9, 2], [4, 3]]
    for key in range(20):
        first, second = (rounded({"k": table(hierarchy, finest)}, key)["k"].values for finest in (one, two))
        assert np.array_equal(first[0][:2], second[0][:2]) and np.array_equal(first[1][0], second[1][0])


@given(tables=linked(), base=st.sampled_from([3, 5]))
@settings(max_examples=30, deadline=None)
def test_the_solver_agrees_that_what_was_rounded_has_a_rounding(tables: dict[str, Table], base: int) -> None:
    """Holds the judge of the test above to account: it must not call infeasible what was done."""
    try:
        rounded(tables, 3, base)
    except Infeasible:
        return
    assert has_rounding(tables, base)


def test_v7_random_rounding_base_3_as_published() -> None:
    """A count alone is rounded as Stats NZ rounds: 1 and 4 go up with probability 1/3, 5 and 17 with 2/3."""
    for count, upper, chance in ((1, 3, 1 / 3), (4, 6, 1 / 3), (5, 6, 2 / 3), (17, 18, 2 / 3)):
        true = table(tree([0]), [[count]])
        shown = np.array([rounded({"k": true}, key, base=3)["k"].values[0][0, 0] for key in range(1200)])
        assert set(shown.tolist()) == {upper - 3, upper}
        assert abs(np.mean(shown == upper) - chance) < 4 * np.sqrt(chance * (1 - chance) / len(shown))


def test_totals_of_one_table_stay_where_other_tables_join_it() -> None:
    """Where every table can follow without force, the totals are those of the population rounded alone."""
    rng = np.random.default_rng(3)
    hierarchy = tree((np.arange(300) // 6).tolist(), (np.arange(50) // 10).tolist())
    people = rng.poisson(40, 300)
    tables = {
        name: table(hierarchy, rng.multinomial(people, np.ones(width) / width).tolist(), name)
        for name, width in (("a", 4), ("b", 6))
    }
    alone = rounded({"a": tables["a"]})["a"]
    _, path = round_controlled(tables, spec=ControlledRounding(), key=(1).to_bytes(32, "big"))
    together = rounded(tables)["a"]
    same = np.mean([np.mean(a[:, -1] == b[:, -1]) for a, b in zip(alone.values, together.values, strict=True)])
    assert same == 1 or (path.apart and same > 0.9)


def test_totals_are_the_same_figure_in_tables_by_other_categories() -> None:
    hierarchy = tree([0, 0, 0])
    one = figures_of(table(hierarchy, EXPSD, "k"), b"k" * 32).hashes
    two = figures_of(table(hierarchy, BY_SEX, "sex"), b"k" * 32).hashes
    assert all(np.array_equal(a[:, -1], b[:, -1]) for a, b in zip(one, two, strict=True))
    other = figures_of(table(hierarchy, EXPSD, "k"), b"j" * 32).hashes
    assert not np.array_equal(one[0], other[0])


def test_base_below_min_count_is_infeasible_and_names_both() -> None:
    with pytest.raises(Infeasible, match=r"base 3 is below min_count 5") as raised:
        ControlledRounding(base=3, min_count=5)
    assert raised.value.demands == ("base = 3", "min_count = 5")


def test_conventional_rounding_of_the_handbook_table() -> None:
    """Handbook 5.5, with its slip mended: 32 goes to 30, not 35."""
    true = table(tree([0, 0, 0]), [[1, 0], [3, 3], [12, 20]])
    safe = round_conventional(true, base=5, min_count=5)
    assert safe.values[0].tolist() == [[0, 0, 0], [5, 5, 5], [10, 20, 30]]
    assert safe.values[1].tolist() == [[15, 25, 40]]


def scattered(seed: int, mean: float, widths: tuple[int, ...]) -> dict[str, Table]:
    """Few people in many areas of six levels: the smaller the mean, the more areas only settle together."""
    rng = np.random.default_rng(seed)
    sizes = (320, 67, 14, 2, 1, 1)
    parents = [
        np.sort(np.append(np.arange(above), rng.integers(0, above, below - above))).tolist()
        for below, above in itertools.pairwise(sizes)
    ]
    hierarchy, people = tree(*parents), rng.poisson(mean, sizes[0])
    return {
        f"by {width}": table(hierarchy, rng.multinomial(people, np.ones(width) / width).tolist(), f"by {width}")
        for width in widths
    }


@pytest.mark.parametrize("mean", [0.3, 0.65, 1.5])
def test_one_table_always_has_a_rounding_and_nothing_of_it_is_forced(mean: float) -> None:
    spec, together = ControlledRounding(), 0
    for seed in range(8):
        tables = scattered(seed, mean, (6,))
        safe, path = round_controlled(tables, spec=spec, key=bytes([seed]) * 32)
        assert_rounding(tables["by 6"], safe["by 6"])
        assert path.turned == path.repaired == path.forced["by 6"] == 0
        together += path.together
    assert together, "no area was left to be settled with the categories: the case shows nothing"


def test_totals_settled_with_the_categories_keep_every_mean() -> None:
    """Within 5 standard errors for every cell: who gains a count of one category can lose none of the other."""
    twice = [[0, 2], [3, 0], [0, 4], [0, 2], [3, 0], [0, 4]]
    tables = {"k": table(tree([0, 0, 0, 1, 1, 1], [0, 0]), twice)}
    spec, runs, together = ControlledRounding(), 3000, 0
    sums = [np.zeros(counts.shape) for counts in tables["k"].counts]
    for key in range(runs):
        safe, path = round_controlled(tables, spec=spec, key=key.to_bytes(32, "big"))
        together += path.together
        for level, values in enumerate(safe["k"].values):
            sums[level] += values
    assert together > runs
    for counts, total in zip(tables["k"].counts, sums, strict=True):
        part = counts % spec.base / spec.base
        error = spec.base * np.sqrt(part * (1 - part) / runs)
        assert np.all(np.abs(total / runs - counts) <= 5 * error)


@pytest.mark.parametrize("widths", [(6, 2), (6, 8, 2)], ids=["two", "three"])
def test_scattered_tables_are_rounded_together_in_neighbourhoods_as_wide_as_it_takes(widths: tuple[int, ...]) -> None:
    for seed in range(4):
        tables = scattered(seed, 0.3, widths)
        safe, path = round_controlled(tables, spec=ControlledRounding(), key=bytes([seed]) * 32)
        assert path.repaired and not path.together
        for name, true in tables.items():
            assert_rounding(true, safe[name])
