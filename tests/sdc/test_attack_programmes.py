"""Intervals on tables of any shape: textbook tables, and brute force on small ones."""

from dataclasses import replace

import numpy as np
import pytest
from attack_tools import tree, true_table
from hypothesis import given, settings
from hypothesis import strategies as st
from system_tools import brute_force, matrix_of, nest, small_cubes, sum_system, two_way

from sdc.attack.elimination import Block, find_blocks, find_classes
from sdc.attack.intervals import NO_BOUND
from sdc.attack.maxflow import Residual
from sdc.attack.narrowing import narrow
from sdc.attack.programmes import PATHS, Demand, NoSolution, feasible_intervals, stated_bounds
from sdc.cube import Cube
from sdc.network import build_network
from sdc.system import SafeCells, system_of
from sdc.tables import LOW, NOT_AVAILABLE, SHOWN, STRUCTURAL, SUPPRESSED, Method

CUBES = small_cubes()


def hidden_bounds(counts, hidden):
    return np.where(hidden, 0, counts), np.where(hidden, NO_BOUND, counts)


def rounded(values, base):
    """Nearest multiples, the bounds that conventional rounding states."""
    shown = base * ((2 * values + base) // (2 * base))
    return np.maximum(shown - base // 2, 0), shown + (base - 1) // 2


@st.composite
def attacked_cubes(draw):
    """A small cube, and bounds that its counts fit: suppressed, rounded, or both."""
    axes, margins = CUBES[draw(st.sampled_from(sorted(CUBES)))]
    shape = tuple(axis.sizes[0] for axis in axes)
    finest = np.array(draw(st.lists(st.integers(0, 3), min_size=8, max_size=8)), np.int64)[: np.prod(shape)]
    cube = Cube(
        axes=axes,
        finest=np.minimum(finest, 2).reshape(shape) if finest.sum() > 8 else finest.reshape(shape),
        margins=margins,
    )
    system = cube.system()
    n = len(system)
    hide = np.array(draw(st.lists(st.booleans(), min_size=n, max_size=n))) | ~system.shown
    hide[-1] = False  # the grand total bounds the tables to be tried
    how = draw(st.sampled_from(["suppressed", "rounded", "both"]))
    exact = hidden_bounds(system.counts, hide)
    coarse = rounded(system.counts, draw(st.sampled_from([2, 3])))
    if how == "suppressed":
        return cube, system, exact
    if how == "rounded":
        return cube, system, (np.where(system.shown, coarse[0], 0), np.where(system.shown, coarse[1], NO_BOUND))
    return cube, system, (np.where(hide, 0, coarse[0]), np.where(hide, NO_BOUND, coarse[1]))


@settings(deadline=None, max_examples=60)
@given(case=attacked_cubes(), told=st.booleans())
def test_equals_brute_force(case, told):
    cube, system, (lo, hi) = case
    judge = brute_force(cube, lo, hi)
    asked = np.arange(len(system))
    found = feasible_intervals(system.equations, lo, hi, asked=asked, start=system.counts if told else None)
    assert found.exact.all()
    assert found.lo.tolist() == judge[0].tolist()
    assert found.hi.tolist() == judge[1].tolist()


def intervals(system, hidden, cells, **options):
    """Intervals of cells, some being hidden and all else shown as it is."""
    lo, hi = hidden_bounds(system.counts, hidden)
    found = feasible_intervals(system.equations, lo, hi, asked=np.asarray(cells), **options)
    assert found.exact.all()
    return list(zip(found.lo.tolist(), found.hi.tolist(), strict=True))


def hidden_cells(system, cells):
    return np.isin(np.arange(len(system)), cells)


def test_v1_audit_of_a_hidden_square():
    """V1 (manual of τ-ARGUS, 2.15; Geurts 1992): rows 7, 3, columns 6, 4 -> X11 in [3, 6], X12 [1, 4], X21, X22 [0, 3]."""
    system = two_way([[4, 3], [2, 1]])
    square = [0, 1, 3, 4]
    assert system.counts[square].tolist() == [4, 3, 2, 1]
    assert intervals(system, hidden_cells(system, square), square) == [(3, 6), (1, 4), (0, 3), (0, 3)]


def test_geurts_with_a_third_row():
    """Handbook 4, example 3: the same square beside a row (3, 3), seen by somebody who has no true table."""
    system = two_way([[4, 3], [2, 1], [3, 3]])
    square = [0, 1, 3, 4]
    assert intervals(system, hidden_cells(system, square), square) == [(3, 6), (1, 4), (0, 3), (0, 3)]


def test_v3_four_hidden_cells():
    """V3: hidden 8, 22, 17, 12 with residual sums 30, 29 (rows) and 25, 34 (columns) -> the 22 lies in [5, 30]."""
    system = two_way([[20, 50, 10], [8, 19, 22], [17, 32, 12]])
    four = np.flatnonzero(np.isin(system.counts, [8, 22, 17, 12]))
    assert system.counts[four].tolist() == [8, 22, 17, 12]
    assert intervals(system, hidden_cells(system, four), four)[1] == (5, 30)


def test_v10_geographic_differencing():
    """V10 (Handbook 5.2): two areas that differ by a sliver; both published, the sliver is exact: 2, 1 / 2, 0 / 0, 0."""
    small, large = [[50, 54], [128, 140], [39, 49]], [[52, 55], [130, 140], [39, 49]]
    sliver = np.array(large) - np.array(small)
    counts = [*np.ravel(small), *np.ravel(large), *sliver.ravel()]
    system = sum_system(counts, [(6 + cell, [cell, 12 + cell]) for cell in range(6)])
    asked = np.arange(12, 18)
    assert intervals(system, hidden_cells(system, asked), asked) == [(x, x) for x in (2, 1, 2, 0, 0, 0)]


def test_v11_recodes_and_linked_tables():
    """V11: males under 20 and 20 to 39 against under 25 and 25 to 39 -> 20 to 24 is 1; and one employed woman by two tables."""
    ages = sum_system([6, 9, 7, 8, 1], [(2, [0, 4]), (1, [4, 3])])
    assert intervals(ages, hidden_cells(ages, [4]), [4]) == [(1, 1)]
    # Employed residents 85 by sex; those who live and work here, 22 by sex, are all among them.
    linked = sum_system([22, 21, 1], [(0, [1, 2])])
    assert intervals(linked, hidden_cells(linked, [2]), [2]) == [(1, 1)]


def triangle(x, y, z):
    """Three cells of which every two and all three are summed: no network."""
    return sum_system(
        [x, y, z, x + y, y + z, x + z, x + y + z], [(3, [0, 1]), (4, [1, 2]), (5, [0, 2]), (6, [0, 1, 2])]
    )


def test_whole_numbers_are_searched_for_where_the_linear_programme_is_not_whole():
    """Pairs of at most 1: three halves would make 1.5, whole numbers make 1 at most."""
    system = triangle(0, 0, 0)
    hi = np.array([9, 9, 9, 1, 1, 1, 9])
    options = {"asked": np.array([6]), "start": system.counts}
    counts = feasible_intervals(system.equations, np.zeros(7, np.int64), hi, **options)
    amounts = feasible_intervals(system.equations, np.zeros(7, np.int64), hi, whole=False, **options)
    assert (counts.lo[0], counts.hi[0]) == (0, 1)
    assert PATHS[counts.path[0]] == "MIP" and counts.figures["MIPs"] > 0
    assert (amounts.lo[0], amounts.hi[0]) == (0.0, 1.5)
    assert PATHS[amounts.path[0]] == "LP" and amounts.figures["MIPs"] == 0


def test_paths_are_told():
    """A sum with one part left is narrowing; a determined cell of a chain is elimination; a square needs programmes."""
    lone = two_way([[4, 3], [2, 1]])
    lo, hi = hidden_bounds(lone.counts, hidden_cells(lone, [0]))
    assert PATHS[feasible_intervals(lone.equations, lo, hi, asked=np.array([0])).path[0]] == "narrowing"
    # x + y, y + z and x + z shown: each cell follows, no sum says so by itself.
    three = triangle(4, 5, 6)
    lo, hi = hidden_bounds(three.counts, hidden_cells(three, [0, 1, 2, 6]))
    found = feasible_intervals(three.equations, lo, hi, asked=np.array([0, 1, 2, 6]))
    assert found.lo.tolist() == found.hi.tolist() == [4, 5, 6, 15]
    assert {PATHS[path] for path in found.path} == {"elimination"}
    assert found.figures["elimination"] == 4 and found.figures["LPs"] == 0
    square = two_way([[4, 3], [2, 1]])
    lo, hi = hidden_bounds(square.counts, hidden_cells(square, [0, 1, 3, 4]))
    found = feasible_intervals(square.equations, lo, hi, asked=np.array([0, 1, 3, 4]))
    assert {PATHS[path] for path in found.path} == {"LP"}
    # One class of four cells: two programmes answer for all, one more finds a table to begin with.
    assert found.figures["blocks"] == 1 and found.figures["LPs"] <= 3


def test_classes_follow_their_leader():
    """In a hidden square all four cells move together; in a chain of sums factors other than 1 are kept."""
    square = two_way([[4, 3], [2, 1]])
    lo, hi = hidden_bounds(square.counts, hidden_cells(square, [0, 1, 3, 4]))
    (block,) = find_blocks(square.equations, lo, hi, np.ones(9, np.bool_))
    classes = find_classes(block)
    assert len(set(classes.leader.tolist())) == 1
    assert sorted(classes.slope.tolist()) == [-1, -1, 1, 1]
    # y = x + x' with x = x': y = 2x; an even total known to lie in [3, 9] is 4, 6 or 8.
    system = sum_system([3, 3, 6], [(0, [1]), (2, [0, 1])])
    found = feasible_intervals(
        system.equations, np.array([0, 0, 3]), np.array([NO_BOUND, NO_BOUND, 9]), asked=np.arange(3)
    )
    assert (found.lo.tolist(), found.hi.tolist()) == ([2, 2, 4], [4, 4, 8])
    assert found.exact.all()


@settings(deadline=None, max_examples=60)
@given(st.lists(st.lists(st.integers(-1, 1), min_size=6, max_size=6), min_size=1, max_size=4), st.randoms())
def test_elimination_agrees_with_rational_arithmetic(rows, random):
    """Classes hold for every solution of the sums, and cells that are determined are those in the row space."""
    rows = [row for row in rows if any(row)]
    if not rows:
        return
    matrix = np.array(rows)
    x = np.array([random.randint(0, 9) for _ in range(6)])
    starts = np.concatenate([[0], np.cumsum((matrix != 0).sum(axis=1))])
    block = Block(
        cells=np.arange(6),
        equations=np.arange(len(matrix)),
        starts=starts,
        columns=np.nonzero(matrix)[1],
        signs=matrix[matrix != 0].astype(np.int8),
        right=matrix @ x,
    )
    classes = find_classes(block)
    rank = np.linalg.matrix_rank(matrix)
    for cell in range(6):
        unit = np.eye(6)[cell]
        determined = np.linalg.matrix_rank(np.vstack([matrix, unit])) == rank
        assert determined == (classes.slope[cell] == 0)
        leader = classes.leader[cell]
        assert classes.scale[cell] * x[cell] == classes.constant[cell] + classes.slope[cell] * x[leader]
        for other in range(6):
            pair = np.vstack([matrix, unit, np.eye(6)[other]])
            tied = np.linalg.matrix_rank(pair) == rank + 1 and not determined and classes.slope[other] != 0
            assert not tied or classes.leader[other] == classes.leader[cell]


def test_narrowing_is_sound_and_finds_a_fixed_point():
    """x + y = 5, x <= 2 gives y >= 3; nothing is narrowed twice."""
    system = sum_system([2, 3, 5], [(2, [0, 1])])
    lo, hi = narrow(system.equations, np.array([0, 0, 5]), np.array([2, NO_BOUND, 5]))
    assert (lo.tolist(), hi.tolist()) == ([0, 3, 5], [2, 5, 5])
    again = narrow(system.equations, lo, hi)
    assert again[0].tolist() == lo.tolist() and again[1].tolist() == hi.tolist()


def test_contradictions_name_sums():
    """No table fits: one sum alone, sums that contradict each other, bounds, and whole numbers."""
    system = triangle(4, 5, 6)
    shown = system.counts.copy()
    with pytest.raises(NoSolution) as met:
        feasible_intervals(system.equations, shown, shown + (np.arange(7) == 99), asked=np.array([0]))
        wrong = shown + (np.arange(7) == 3)
        feasible_intervals(system.equations, wrong, wrong, asked=np.array([0]))
    assert met.value.equations.tolist() == [0]
    # All three pairs odd: the sum of the three cells would be a half.
    pairs = np.array([0, 0, 0, 1, 1, 1, 0])
    with pytest.raises(NoSolution):
        feasible_intervals(system.equations, pairs, np.where(pairs == 1, 1, NO_BOUND), asked=np.array([6]), whole=True)
    # The same where nobody asks about the block: whatever is published must be possible.
    apart = sum_system([0, 0, 0, 0, 0, 0, 5, 5], [(3, [0, 1]), (4, [1, 2]), (5, [0, 2]), (6, [7])])
    odd = np.array([0, 0, 0, 1, 1, 1, 0, 0])
    with pytest.raises(NoSolution):
        feasible_intervals(apart.equations, odd, np.where(odd == 1, 1, 9), asked=np.array([6]))
    # Pairs of at most 1, all three cells 2: no linear combination of one sum says so.
    with pytest.raises(NoSolution) as met:
        feasible_intervals(
            system.equations, np.array([0, 0, 0, 0, 0, 0, 2]), np.array([9, 9, 9, 1, 1, 1, 2]), asked=np.array([0])
        )
    assert len(met.value.equations) > 1
    with pytest.raises(ValueError, match="start"):
        feasible_intervals(system.equations, shown, shown, asked=np.array([0]), start=shown + 1)


def test_a_demand_is_followed_no_further():
    """What was met is a table; what is claimed stays true."""
    system = two_way([[40, 30], [20, 10]])
    square = np.array([0, 1, 3, 4])
    lo, hi = hidden_bounds(system.counts, hidden_cells(system, square))
    whole = feasible_intervals(system.equations, lo, hi, asked=square, start=system.counts)
    x = system.counts[square]
    demand = Demand(lo=x - 1, hi=x + 1)
    found = feasible_intervals(system.equations, lo, hi, asked=square, start=system.counts, demand=demand)
    assert np.all(found.seen_lo <= x - 1) and np.all(found.seen_hi >= x + 1)
    assert np.all(found.lo <= whole.lo) and np.all(found.hi >= whole.hi)
    assert np.all(found.seen_lo >= whole.lo) and np.all(found.seen_hi <= whole.hi)


def test_stated_bounds_of_markers():
    """A value of a method, hidden, not available, structural zero, low."""
    markers = np.array([SHOWN, SUPPRESSED, NOT_AVAILABLE, STRUCTURAL, LOW], np.int8)
    values = np.array([15, 0, 0, 0, 0])
    rounded_cells = SafeCells(values=values, markers=markers, method=Method(name="controlled-rounding", base=5))
    lo, hi = stated_bounds(rounded_cells)
    assert lo.tolist() == [11, 0, 0, 0, 0]
    assert hi.tolist() == [19, NO_BOUND, NO_BOUND, 0, 4]
    assert stated_bounds(replace(rounded_cells, method=replace(rounded_cells.method, steps=1)))[0].tolist()[0] == 6
    exact = SafeCells(values=values, markers=markers, method=Method(name="suppression", base=1))
    lo, hi = stated_bounds(exact)
    assert lo.tolist() == [15, 0, 0, 0, 0] and hi.tolist() == [15, NO_BOUND, NO_BOUND, 0, 0]


def test_agrees_with_max_flow_on_a_network():
    """Where a table is a network as well, both ways give the same intervals."""
    rng = np.random.default_rng(4)
    for _ in range(5):
        table = true_table(tree([0, 0, 0, 1, 1], [0, 0]), rng.poisson(4, (5, 3)))
        system, network = system_of(table), build_network(table.hierarchy, 3)
        lo, hi = hidden_bounds(system.counts, rng.random(len(system)) < 0.6)
        asked = np.flatnonzero(lo < hi)
        residual = Residual(network, lo, hi, system.counts)
        flow_lo, flow_hi, _ = residual.intervals(asked, enough=NO_BOUND, width=0)
        found = feasible_intervals(system.equations, lo, hi, asked=asked)
        assert found.lo.tolist() == flow_lo.tolist()
        assert found.hi.tolist() == np.where(flow_hi > NO_BOUND // 2, NO_BOUND, flow_hi).tolist()
        assert found.figures["MIP"] == 0


def test_matrix_and_names_of_a_nest():
    """Two nests: the matrix holds one row per sum, totals first."""
    axes = (nest("oa<lad", [0, 0]), nest("job<trade", [0, 0], total=False))
    cube = Cube(axes=axes, finest=np.array([[1, 2], [3, 4]]), margins=(frozenset(),))
    system = cube.system()
    assert matrix_of(system.equations) @ system.counts == pytest.approx(0)
    assert system.name(len(system) - 1) == "lad lad0, trade0"


def test_a_class_without_bound_is_met_as_far_as_its_leader():
    """An area that is its parent's only child moves with it: where nothing bounds one, a table is met for both."""
    system = sum_system([5, 5, 3, 2], [(0, [1]), (1, [2, 3])])
    lo, hi = np.zeros(4, np.int64), np.full(4, NO_BOUND)
    for demand in (None, Demand(lo=np.zeros(4), hi=np.full(4, 9))):
        found = feasible_intervals(system.equations, lo, hi, asked=np.arange(4), start=system.counts, demand=demand)
        assert np.all(found.seen_hi >= 9) and np.all(found.seen_lo == 0)
        assert found.exact.all()
