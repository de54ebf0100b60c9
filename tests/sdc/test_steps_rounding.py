"""Rounding where the table is no network: the walk, the landing, K steps, clashes named, large cubes from the top down."""

import itertools
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rounding_tools import EXPSD, secret
from system_tools import nest, sum_system, two_way

from common.faults import Infeasible
from sdc.attack.intervals import stated_intervals
from sdc.cube import Axis, Cube, all_margins, flat_axis, one_way_margins
from sdc.joining import join_systems
from sdc.rounding.clash import clashing_sums
from sdc.rounding.crossed import round_cube
from sdc.rounding.flight import Lattice, fly
from sdc.rounding.landing import is_possible, land_wide
from sdc.rounding.steps import StepsRounding, round_system
from sdc.system import CellSystem
from sdc.tables import Classification, Hierarchy, Method, SafeTable

EXAMPLES = Path(__file__).resolve().parents[3] / "shared" / "data" / "worked-examples"


def assert_steps(system: CellSystem, values: np.ndarray, base: int, steps: int) -> None:
    """The promises: multiples, all sums, and how far each published cell may lie."""
    assert not np.any(values % base) and values.min() >= 0
    assert not system.equations.residuals(values).any()
    assert np.abs(values - system.counts)[system.shown].max() <= (steps + 1) * base - 1


def parity(base: int = 2) -> Cube:
    """2 × 2 × 2, half a base in the cells of even parity: one-way margins leave no rounding within the base.

    In each margin one of two cells is raised; going round three of them says that a cell is raised if it is not.
    """
    finest = np.zeros((2, 2, 2), np.int64)
    for i, j in ((0, 0), (0, 1), (1, 0), (1, 1)):
        finest[i, j, (i + j) % 2] = base // 2
    axes = tuple(flat_axis(name, ["0", "1"]) for name in "abc")
    return Cube(axes=axes, finest=finest, margins=one_way_margins(axes))


def three_way(
    areas: int, seed: int, mean: float = 1.5, sizes: tuple[int, ...] = (3, 3, 2), margins=one_way_margins
) -> Cube:
    """Areas in one top area × flat dimensions."""
    rng = np.random.default_rng(seed)
    axes: tuple[Axis, ...] = (nest("oa<lad", [0] * areas),)
    axes += tuple(flat_axis(f"d{number}", [f"{k}" for k in range(size)]) for number, size in enumerate(sizes))
    return Cube(axes=axes, finest=rng.poisson(mean, (areas, *sizes)), margins=margins(axes))


def test_no_rounding_without_steps_names_what_clashes_and_one_step_is_enough() -> None:
    system = parity().system()
    with pytest.raises(Infeasible, match=r"have no rounding together to base 2 within 0 steps") as refused:
        round_system(system, spec=StepsRounding(base=2, min_count=2, steps=0), key=secret(0))
    assert refused.value.demands[-2:] == ("base = 2", "steps = 0")
    assert len(refused.value.demands) > 3 and all("Total" in name for name in refused.value.demands[:-2])
    for key in range(10):
        values, report = round_system(system, spec=StepsRounding(base=2, min_count=2, steps=1), key=secret(key))
        assert_steps(system, values, 2, 1)
        assert report.beyond > 0 and report.most_steps == 1 and report.redrawn == 1


def test_the_sums_named_clash_and_none_can_be_left_out() -> None:
    system = parity().system()
    lower, upper = system.counts // 2, -(-system.counts // 2)
    equations = system.equations
    lattice = Lattice(
        lower.astype(float),
        upper.astype(float),
        equations.starts,
        equations.cells.astype(np.int64),
        equations.signs,
        np.zeros(len(equations), np.int64),
    )
    whole = np.ones(len(system), bool)
    sums, proven = clashing_sums(lattice, whole)
    assert proven and len(sums) > 1
    kept = np.zeros(len(equations), bool)
    kept[sums] = True
    assert not is_possible(lattice, whole, kept)
    for each in sums:
        fewer = kept.copy()
        fewer[each] = False
        assert is_possible(lattice, whole, fewer)


def test_v17_intervals_with_steps() -> None:
    """b = 5: with K = 1 a published 15 is 6 to 24; with K = 0 it is 11 to 19, and a 0 is 0 to 4."""
    tree = Hierarchy(levels=("oa",), codes=(np.array(["a", "b"]),), parents=())
    table = SafeTable(
        hierarchy=tree,
        classification=Classification(dimensions=(), categories=()),
        values=(np.array([[15], [0]]),),
        method=Method(name="controlled-rounding", base=5, min_count=5),
    )
    for steps, expected in ((1, [[6, 24], [0, 9]]), (0, [[11, 19], [0, 4]])):
        bounds = stated_intervals(replace(table, method=replace(table.method, steps=steps)))
        assert np.column_stack([bounds.lo[0], bounds.hi[0]]).tolist() == expected


@pytest.mark.real_areas
def test_worked_example_rounding_existence_intervals() -> None:
    """Intervals as printed, and the candidates that a step may choose from: 7 goes to 5 or 10, with one step to 0 … 15."""
    told = json.loads((EXAMPLES / "rounding-existence-intervals.json").read_text())
    tree = Hierarchy(levels=("oa",), codes=(np.array(["a"]),), parents=())
    flat = Classification(dimensions=(), categories=())
    for case in told["cases"]:
        method = Method(name="controlled-rounding", base=case["base"], min_count=case["base"], steps=case["steps"])
        safe = SafeTable(hierarchy=tree, classification=flat, values=(np.array([[case["rounded"]]]),), method=method)
        bounds = stated_intervals(safe)
        assert [bounds.lo[0].item(), bounds.hi[0].item()] == case["interval"]
    for case in told["candidates"]:
        value, base, steps = case["value"], case["base"], case["steps"]
        lone = Lattice(
            np.array([value // base], float),
            np.array([value // base + 1], float),
            np.array([0, 1]),
            np.array([0]),
            np.array([1], np.int8),
            np.array([0]),
        )
        reached = []
        for wanted in range(6):
            landing = land_wide(
                lone._replace(right=np.array([wanted])),
                np.array([value / base]),
                chances=np.array([0.5]),
                weights=np.ones(1),
                whole=np.ones(1, bool),
                steps=np.array([steps]),
            )
            if landing.values is not None:
                reached.append(int(landing.values[0]) * base)
        assert reached == case["candidates"]


@st.composite
def cubes(draw) -> Cube:
    """A few areas × one or two flat dimensions or a second nest, with some set of margins."""
    areas = draw(st.integers(1, 4))
    axes = [nest("oa<lad", [0] * areas)]
    kind = draw(st.sampled_from(["one", "two", "nest"]))
    if kind == "nest":
        axes.append(
            nest("trade<sector", sorted([*draw(st.lists(st.integers(0, 1), min_size=1, max_size=2)), 0, 1]), total=True)
        )
    else:
        for name in ("a", "b")[: 1 + (kind == "two")]:
            axes.append(flat_axis(name, [f"{name}{k}" for k in range(draw(st.integers(1, 3)))]))
    shape = tuple(axis.sizes[0] for axis in axes)
    cells = draw(st.lists(st.integers(0, 7), min_size=int(np.prod(shape)), max_size=int(np.prod(shape))))
    margins = draw(st.sampled_from([all_margins, one_way_margins]))(axes)
    return Cube(axes=tuple(axes), finest=np.array(cells).reshape(shape), margins=margins)


@given(cube=cubes(), base=st.sampled_from([2, 3, 5]), key=st.integers(0, 2**32))
@settings(max_examples=60, deadline=None)
def test_every_promise_over_random_cubes(cube: Cube, base: int, key: int) -> None:
    spec = StepsRounding(base=base, min_count=base, steps=2)
    system = cube.system()
    values, report = round_cube(cube, spec=spec, key=secret(key))
    assert_steps(system, values, base, report.most_steps)
    assert report.most_steps <= 2 and report.path == "MIP"
    multiples = system.counts % base == 0
    if report.beyond == 0:
        assert np.array_equal(values[multiples], system.counts[multiples])
    assert report.loss == np.abs(values - system.counts).sum()
    assert np.array_equal(values, round_cube(cube, spec=spec, key=secret(key))[0])


def test_on_a_network_the_walk_ends_in_whole_numbers() -> None:
    """A two-way table: no landing, nothing fractional, and the mean over keys is the true count."""
    system = two_way(EXPSD)
    spec, errors = StepsRounding(steps=0), []
    for key in range(600):
        values, report = round_system(system, spec=spec, key=secret(key))
        assert report.landed == report.fractional == report.beyond == 0
        assert_steps(system, values, 5, 0)
        errors.append(values - system.counts)
    error = np.array(errors)
    assert np.all(np.abs(error.mean(axis=0)) <= 4 * error.std(axis=0) / np.sqrt(600))


def test_the_walk_keeps_the_mean_where_the_table_is_no_network() -> None:
    system = three_way(2, 4).system()
    start = system.counts / 5
    equations = system.equations
    lattice = Lattice(
        np.floor(start),
        np.ceil(start),
        equations.starts,
        equations.cells.astype(np.int64),
        equations.signs,
        np.zeros(len(equations), np.int64),
    )
    rng = np.random.default_rng(1)
    ends = np.array([fly(lattice, start, rng.permutation(len(start)), rng.random(len(start))) for _ in range(1500)])
    assert np.all(ends >= lattice.lower - 1e-6) and np.all(ends <= lattice.upper + 1e-6)
    sums = np.array([equations.residuals(end) for end in ends[:50]])
    assert np.abs(sums).max() < 1e-6
    error = ends - start
    assert np.all(np.abs(error.mean(axis=0)) <= 4.5 * error.std(axis=0) / np.sqrt(1500) + 1e-9)
    settled = np.abs(ends - np.round(ends)) < 1e-6
    assert 0.5 < settled.mean() < 1  # a corner, in which some cells are fractional


def test_bias_is_small_where_the_table_is_no_network() -> None:
    """Measured on one three-way table over 150 keys: cell by cell within 4 standard errors and a fifth of the base."""
    system = three_way(3, 7, mean=2.0).system()
    errors = []
    for key in range(150):
        values, report = round_system(system, spec=StepsRounding(), key=secret(key))
        assert report.beyond == 0
        errors.append(values - system.counts)
    error = np.array(errors)
    assert np.all(np.abs(error.mean(axis=0)) <= 4 * error.std(axis=0) / np.sqrt(150) + 1.0)
    assert np.abs(error.mean(axis=0)).mean() < 0.3 < np.abs(error).mean()


def test_cells_that_are_not_published_make_what_is_published_possible() -> None:
    """One-way margins alone: they extend to a table of finest cells that are multiples of the base."""
    axes = tuple(flat_axis(name, ["0", "1", "2"]) for name in "ab")
    margins = tuple(each for each in one_way_margins(axes) if len(each) < 2)
    system = Cube(axes=axes, finest=np.array([[1, 0, 2], [3, 1, 0], [0, 4, 1]]), margins=margins).system()
    for key in range(20):
        values, _ = round_system(system, spec=StepsRounding(steps=0), key=secret(key))
        assert_steps(system, values, 5, 0)


def test_two_tables_that_share_their_totals() -> None:
    """Joined systems: one cell for a figure that stands in both."""
    rng = np.random.default_rng(3)
    areas = nest("oa<lad", [0, 0, 0])
    one = Cube(
        axes=(areas, flat_axis("a", "xyz")), finest=rng.poisson(2, (3, 3)), margins=all_margins([flat_axis("a", "x")])
    )
    people = one.finest.sum(axis=1)
    split = np.column_stack([people // 2, people - people // 2])
    two = Cube(axes=(areas, flat_axis("b", "xy")), finest=split, margins=all_margins([flat_axis("b", "x")]))
    joined = join_systems([one.system(), two.system()])
    values, _ = round_system(joined.system, spec=StepsRounding(), key=secret(1))
    assert_steps(joined.system, values, 5, 1)


def test_a_system_needs_something_to_draw_by() -> None:
    with pytest.raises(ValueError, match="identity or a name"):
        round_system(sum_system([3, 1, 2], [(0, [1, 2])]), spec=StepsRounding(), key=secret(0))
    with pytest.raises(ValueError, match="steps"):
        StepsRounding(steps=-1)
    with pytest.raises(Infeasible, match="below min_count"):
        StepsRounding(base=2)


@pytest.mark.parametrize("raised", [[(0, 0, 0)], [(0, 0, 0), (1, 1, 0)]], ids=["one", "two"])
def test_running_it_backwards_gives_nothing_beyond_each_cells_own_interval(raised: list[tuple[int, int, int]]) -> None:
    """2 × 2 × 2 with one-way margins, base 2: every count within the base of every cell has a table and a key for it."""
    axes = tuple(flat_axis(name, ["0", "1"]) for name in "abc")
    told = np.zeros((2, 2, 2), np.int64)
    told[tuple(zip(*raised, strict=True))] = 2
    shown = Cube(axes=axes, finest=told, margins=one_way_margins(axes)).system().counts
    taken: list[set[int]] = [set() for _ in shown]
    choices = [range(max(0, each - 1), each + 2) for each in told.ravel().tolist()]
    for cells in itertools.product(*choices):
        finest = np.array(cells).reshape(2, 2, 2)
        system = Cube(axes=axes, finest=finest, margins=one_way_margins(axes)).system()
        if np.abs(system.counts - shown).max() >= 2:
            continue
        new = [cell for cell, counts in enumerate(taken) if int(system.counts[cell]) not in counts]
        for key in range(30 if new else 0):
            spec = StepsRounding(base=2, min_count=2, steps=0)
            try:
                values, _ = round_system(system, spec=spec, key=secret(key))
            except Infeasible:
                break
            if np.array_equal(values, shown):
                for cell in new:
                    taken[cell].add(int(system.counts[cell]))
                break
    for value, counts in zip(shown.tolist(), taken, strict=True):
        assert counts == set(range(max(0, value - 1), value + 2))


def large(seed: int = 2, margins=one_way_margins, mean: float = 0.9) -> Cube:
    """40 areas in 8, in 2, in 1 × 4 × 3 × 2 categories."""
    rng = np.random.default_rng(seed)
    axes = (
        nest("oa<lsoa<msoa<lad", (np.arange(40) // 5).tolist(), (np.arange(8) // 4).tolist(), [0, 0]),
        flat_axis("benefit", "abcd"),
        flat_axis("age", "xyz"),
        flat_axis("sex", "fm"),
    )
    scale = rng.gamma(2, 0.5, (40, 1, 1, 1))
    return Cube(axes=axes, finest=rng.poisson(mean * scale, (40, 4, 3, 2)), margins=margins(axes))


@pytest.mark.parametrize(("margins", "steps"), [(one_way_margins, 1), (all_margins, 2)], ids=["one-way", "all"])
def test_large_cubes_from_the_top_down(margins, steps: int) -> None:
    """Finest cells within the base at every level, margins within a few steps, every sum fulfilled."""
    cube = large(margins=margins)
    system, number = cube.system(), cube.numbers()
    finest = number[:, :-1, :-1, :-1].ravel()
    beyond = 0
    for key in range(6):
        values, report = round_cube(cube, spec=StepsRounding(steps=steps, joint_cells=0), key=secret(key))
        assert report.path == "search" and report.parts == 1 + 1 + 2 + 8
        assert_steps(system, values, 5, report.most_steps)
        assert report.most_steps <= steps
        assert np.abs(values - system.counts)[finest].max() < 5
        multiples = finest[system.counts[finest] % 5 == 0]
        assert np.array_equal(values[multiples], system.counts[multiples])
        beyond += report.beyond
    assert 0 < beyond < 6 * 0.05 * len(system)
    again, _ = round_cube(cube, spec=StepsRounding(steps=steps, joint_cells=0), key=secret(5))
    assert np.array_equal(values, again)


def test_large_cubes_have_little_bias() -> None:
    cube = large()
    system = cube.system()
    errors = []
    for key in range(80):
        errors.append(round_cube(cube, spec=StepsRounding(joint_cells=0), key=secret(key))[0] - system.counts)
    error = np.array(errors)
    wide = 4.5 * error.std(axis=0) / np.sqrt(80)
    assert np.mean(np.abs(error.mean(axis=0)) <= wide + 0.5) > 0.99
    assert abs(error.mean()) < 0.05


def test_a_large_cube_reads_rows_in_any_order() -> None:
    cube = large()
    places = np.nonzero(cube.finest)
    order = np.random.default_rng(1).permutation(len(places[0]))
    shuffled = Cube.from_cells(
        axes=cube.axes,
        places=[place[order] for place in places],
        counts=cube.finest[places][order],
        margins=cube.margins,
    )
    one, two = (round_cube(each, spec=StepsRounding(joint_cells=0), key=secret(3))[0] for each in (cube, shuffled))
    assert np.array_equal(one, two)


def test_a_large_cube_without_a_rounding_is_refused_by_area_and_margin() -> None:
    """Every area is the table of even parity, which has no rounding to base 2 within the base."""
    one = parity()
    axes = (nest("oa<lsoa<lad", [0, 0, 0, 1, 1, 1], [0, 0]), *one.axes)
    cube = Cube(axes=axes, finest=np.stack([one.finest] * 6), margins=one_way_margins(axes))
    with pytest.raises(Infeasible, match=r"to base 2 within 0 steps; allow more steps") as refused:
        round_cube(cube, spec=StepsRounding(base=2, min_count=2, steps=0, joint_cells=0), key=secret(0))
    assert refused.value.demands[0] == "the areas of lad lad0" and "margin (a)" in refused.value.demands
    odd = Cube(axes=(nest("oa<lad", [0, 0, 0]), *one.axes), finest=np.stack([one.finest] * 3), margins=cube.margins)
    with pytest.raises(Infeasible, match=r"the sums that make up lad lad0, a 1"):
        round_cube(odd, spec=StepsRounding(base=2, min_count=2, steps=0, joint_cells=0), key=secret(0))
    values, report = round_cube(cube, spec=StepsRounding(base=2, min_count=2, joint_cells=0), key=secret(0))
    assert_steps(cube.system(), values, 2, 1)
    assert report.beyond >= 5


def test_a_thorough_search_takes_fewer_steps() -> None:
    few = many = 0
    for key in range(4):
        few += round_cube(large(), spec=StepsRounding(joint_cells=0, thorough=True), key=secret(key))[1].beyond
        many += round_cube(large(), spec=StepsRounding(joint_cells=0), key=secret(key))[1].beyond
    assert few < many / 2


def test_the_finest_cells_of_a_large_cube_must_be_published() -> None:
    cube = large()
    bare = Cube(axes=cube.axes, finest=cube.finest, margins=cube.margins[1:])
    with pytest.raises(ValueError, match="finest cells must be published"):
        round_cube(bare, spec=StepsRounding(joint_cells=0), key=secret(0))
