"""Boxes and lattices: every change keeps all sums and bounds; a pattern is found wherever hiding everything would do."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from system_tools import nest, small_cubes, two_way

from common.faults import Infeasible
from sdc.cube import Cube, all_margins, flat_axis, one_way_margins
from sdc.lattice import make_lattice
from sdc.solver import OPTIMAL
from sdc.suppression.attacked import attacked_demands
from sdc.suppression.boxes import move_cell, undo
from sdc.suppression.boxsearch import NEVER, make_bench
from sdc.suppression.crossed import Crossed
from sdc.suppression.demands import Demands, Room, room_of
from sdc.suppression.general import GeneralSuppression, suppress_system
from sdc.system import CellSystem

BOXES = GeneralSuppression(exact_cells=0)
FAR = 1 << 40


def shapes():
    """Axes and margins of cubes that are no network."""
    areas = nest("oa<lsoa<lad", [0, 0, 1, 1, 1], [0, 0])
    flat = (areas, flat_axis("age", ["o", "m", "y"]), flat_axis("sex", ["f", "m"]))
    nests = (areas, nest("job<trade", [0, 0, 1], total=True))
    roots = (nest("oa<lad", [0, 0, 1, 1]), flat_axis("age", ["o", "y"]), flat_axis("sex", ["f", "m"]))
    return {
        "all margins": (flat, all_margins(flat)),
        "one-way margins": (flat, one_way_margins(flat)),
        "margins alone": (flat, one_way_margins(flat)[1:]),
        "two nests": (nests, all_margins(nests)),
        "two tops": (roots, all_margins(roots)),
    }


SHAPES = shapes()


@st.composite
def systems(draw, means=(0.3, 1, 3, 8)):
    name = draw(st.sampled_from(sorted(SHAPES)))
    axes, margins = SHAPES[name]
    mean, seed = draw(st.sampled_from(means)), draw(st.integers(0, 10_000))
    finest = np.random.default_rng(seed).poisson(mean, tuple(axis.sizes[0] for axis in axes))
    return Cube(axes=axes, finest=finest, margins=margins).system()


def small_counts(system, min_count=5):
    cells = np.flatnonzero((system.counts > 0) & (system.counts < min_count) & system.shown)
    x = system.counts[cells]
    return Demands.of(cells, lower=x, upper=min_count - x)


def moved(system, cell, sign, amount, *, hidden=None, price=None, up=None, barred=()):
    """One move on a fresh bench: its price, and the change."""
    n = len(system)
    bench = make_bench(
        system.lattice.frame,
        down=system.counts,
        up=np.full(n, FAR) if up is None else up,
        price=np.ones(n) if price is None else price,
        hidden=np.zeros(n, np.bool_) if hidden is None else hidden,
    )
    bench.barred[list(barred)] = bench.ticket[0]
    paid = move_cell(system.lattice.frame, bench, cell, sign, amount)
    change = bench.moved.copy()
    undo(bench)
    assert not bench.moved.any() and not bench.noted.any()
    return paid, change


@settings(deadline=None, max_examples=60)
@given(system=systems(), data=st.data())
def test_every_count_can_be_raised_and_lowered_to_0(system, data):
    """Where all may be hidden, any cell moves as far as asked; sums hold, nothing falls below 0, the price is what is hidden."""
    cell = data.draw(st.integers(0, len(system) - 1))
    sign = data.draw(st.sampled_from([1, -1]))
    amount = data.draw(st.integers(1, 9)) if sign > 0 else int(system.counts[cell])
    paid, change = moved(system, cell, sign, amount)
    assert paid < NEVER
    assert change[cell] == sign * amount
    assert not system.equations.residuals(change).any()
    assert (system.counts + change >= 0).all()
    assert paid == pytest.approx(np.count_nonzero(change))


@settings(deadline=None, max_examples=40)
@given(system=systems(), data=st.data())
def test_what_may_not_move_does_not(system, data):
    """Closed cells, cells that a reader knows and upper bounds are kept; a change that breaks one is not told."""
    n = len(system)
    draws = np.random.default_rng(data.draw(st.integers(0, 999)))
    price = np.where(draws.random(n) < 0.2, NEVER, 1 + draws.random(n))
    up = np.where(draws.random(n) < 0.3, 2, FAR)
    cell = data.draw(st.integers(0, n - 1))
    barred = [other for other in draws.integers(0, n, 3).tolist() if other != cell]
    paid, change = moved(system, cell, 1, 2, price=price, up=up, barred=barred, hidden=np.arange(n) == cell)
    if paid < NEVER:
        assert change[cell] == 2
        assert not change[price >= NEVER][np.flatnonzero(price >= NEVER) != cell].any()
        assert not change[barred].any()
        assert (change <= up).all() and (system.counts + change >= 0).all()


def test_the_cheapest_square_of_a_two_way_table():
    """sdcTable's test table: the 2 of the first region can be up by 1 over the square through 12 and 10, and no cheaper."""
    system = two_way([[18, 2], [14, 19], [12, 10], [11, 14]])
    price = np.where(np.arange(15) % 3 == 2, 1000.0, np.maximum(system.counts, 1.0))
    cell = next(c for c in range(15) if system.name(c) == "row r0, c1")
    paid, change = moved(system, cell, 1, 1, price=price, hidden=np.arange(15) == cell)
    assert paid == 18 + 12 + 10
    assert sorted(system.counts[change != 0].tolist()) == [2, 10, 12, 18]


def test_boxes_are_laid_on_each_other():
    """A cell that must rise by 4 where no other cell of its row has more than 2: two squares do what one cannot."""
    system = two_way([[0, 2, 2], [9, 9, 9], [9, 9, 9]])
    totals = np.array(["Total" in system.name(c) for c in range(len(system))])
    cell = next(c for c in range(len(system)) if system.name(c) == "row r0, c0")
    paid, change = moved(system, cell, 1, 4, price=np.where(totals, NEVER, 1.0))
    assert paid < NEVER
    assert change[cell] == 4
    row = [c for c in range(len(system)) if system.name(c) in ("row r0, c1", "row r0, c2")]
    assert change[row].tolist() == [-2, -2]


def test_a_cycle_of_six_where_a_square_is_barred():
    """3 × 3 with totals and two corners shown: no square moves the cell, two squares that share a barred corner do."""
    system = two_way([[3, 9, 9], [9, 9, 9], [9, 9, 9]])
    names = [system.name(c) for c in range(len(system))]
    open_cells = ["row r0, c0", "row r0, c1", "row r1, c1", "row r1, c2", "row r2, c2", "row r2, c0"]
    price = np.where(np.isin(names, open_cells), 1.0, NEVER)
    paid, change = moved(system, names.index("row r0, c0"), 1, 2, price=price)
    assert paid == 6
    assert sorted(names[c] for c in np.flatnonzero(change)) == sorted(open_cells)


@settings(deadline=None, max_examples=40)
@given(system=systems(), seed=st.integers(0, 999), shut=st.sampled_from(["nothing", "zeros", "some", "totals"]))
def test_a_pattern_is_found_wherever_hiding_everything_meets_the_demands(system, seed, shut):
    """And a refusal names a cell that nothing protects."""
    demands = small_counts(system)
    n = len(system)
    totals = np.array([system.name(c).count("Total") >= 2 for c in range(n)])
    closed = {
        "nothing": np.zeros(n, np.bool_),
        "zeros": system.counts == 0,
        "some": np.random.default_rng(seed).random(n) < 0.3,
        "totals": totals,
    }[shut]
    primary = np.isin(np.arange(n), demands.cells)
    everything = system.shown & (primary | ~closed)
    met = attacked_demands(system, demands, everything, room_of(system), whole=True)
    weights = 1 + np.log1p(system.counts) + np.random.default_rng(seed).random(n) * 1e-3
    if met.all():
        done = suppress_system(system, demands, weights=weights, may_hide=~closed, spec=BOXES)
        assert not (done.hidden & ~everything).any()
        assert attacked_demands(system, demands, done.hidden, room_of(system), whole=True).all()
    else:
        with pytest.raises(Infeasible) as refused:
            suppress_system(system, demands, weights=weights, may_hide=~closed, spec=BOXES)
        told = str(refused.value)
        assert any(system.name(int(cell)) in told for cell in demands.cells[~met])


def test_upper_areas_are_protected_by_what_lies_below_them():
    """A small count of an authority alone in its nest, areas three levels below: the pieces reach down to the smallest."""
    areas = nest("oa<lsoa<msoa<lad", [0, 0, 1, 1, 2, 2], [0, 0, 0], [0])
    axes = areas, flat_axis("age", ["o", "y"])
    finest = np.array([[20, 0], [30, 1], [25, 0], [22, 1], [31, 0], [28, 0]])
    system = Cube(axes=axes, finest=finest, margins=all_margins(axes)).system()
    plain = CellSystem(
        counts=system.counts,
        equations=system.equations,
        names=system.names,
        areas=system.areas,
        identity=system.identity,
    )
    demands = small_counts(system)
    spec = GeneralSuppression(exact_cells=0, pieces=(8, 16))
    for table in (system, plain):
        done = suppress_system(table, demands, weights=np.ones(len(system)) + system.counts, spec=spec)
        assert attacked_demands(system, demands, done.hidden, room_of(system), whole=True).all()


@pytest.mark.parametrize("name", ["all margins", "two nests"])
def test_loss_is_at_most_15_per_cent_of_the_best(name):
    """Cost of boxes over that of the best pattern, on average over tables of a hundred cells or so."""
    areas = nest("oa<lsoa<lad", [0, 0, 0, 0, 1, 1, 1, 1], [0, 0])
    axes = {
        "all margins": (nest("oa<lad", [0] * 6), flat_axis("age", ["o", "m", "y"]), flat_axis("sex", ["f", "m"])),
        "two nests": (areas, nest("job<trade", [0, 0, 1, 1], total=True)),
    }[name]
    ratios = []
    for seed in range(5):
        rng = np.random.default_rng(seed)
        finest = rng.poisson(20 * rng.gamma(2, 0.5, tuple(axis.sizes[0] for axis in axes)))
        system = Cube(axes=axes, finest=finest, margins=all_margins(axes)).system()
        demands = small_counts(system)
        weights = (1 + np.log1p(system.counts)) * (1 + 0.25 * rng.random(len(system)))
        fast, best = (
            suppress_system(system, demands, weights=weights, spec=spec)
            for spec in (BOXES, GeneralSuppression(exact_cells=1000))
        )
        assert best.status == OPTIMAL
        assert fast.cost >= best.cost - 1e-9
        ratios.append(fast.cost / best.cost if best.cost else 1.0)
    assert np.mean(ratios) <= 1.15


def test_freeing_and_further_passes_only_make_it_cheaper():
    axes = (
        nest("oa<lsoa<lad", [i // 5 for i in range(20)], [0] * 4),
        flat_axis("age", list("abc")),
        flat_axis("sex", "fm"),
    )
    finest = np.random.default_rng(1).poisson(3, (20, 3, 2))
    system = Cube(axes=axes, finest=finest, margins=all_margins(axes)).system()
    demands = small_counts(system)
    cube = Crossed(system, demands, prices=1 + np.log1p(system.counts), may_hide=system.shown, room=room_of(system))
    assert not len(cube.cover(np.arange(len(demands))))
    costs = [cube.cost]
    for number in range(3):
        cube.move_prices(number)
        cube.free()
        costs.append(cube.cost)
    assert costs == sorted(costs, reverse=True) and costs[-1] < costs[0]
    assert attacked_demands(system, demands, cube.hidden, room_of(system), whole=True).all()


def test_a_reader_with_bounds_needs_more_hidden():
    """Who knows every count to within 2 makes boxes go round: no cell may take the whole change."""
    cube = next(iter(small_cubes().values()))
    axes, margins = cube
    system = Cube(axes=axes, finest=np.array([[[9, 8], [7, 3]], [[8, 9], [9, 7]]]), margins=margins).system()
    cell = np.flatnonzero(system.counts == 3)[:1]
    demands = Demands.of(cell, lower=2.0, upper=2.0)
    tight = Room(down=np.full(len(system), 2.0), up=np.full(len(system), 2.0))
    weights = 1.0 + system.counts
    for room in (room_of(system), tight):
        done = suppress_system(system, demands, weights=weights, room=room, spec=BOXES)
        assert attacked_demands(system, demands, done.hidden, room, whole=True).all()
    with pytest.raises(Infeasible, match="does not protect"):
        suppress_system(system, Demands.of(cell, upper=3.0), weights=weights, room=tight, spec=BOXES)


def test_a_lattice_knows_every_place():
    """Cells, places above and finest places below are those that names say; the order of axes is that of their names."""
    axes, margins = SHAPES["one-way margins"]
    cube = Cube(axes=axes, finest=np.arange(30).reshape(5, 3, 2), margins=margins)
    system = cube.system()
    lattice = system.lattice
    assert lattice.axes == ("age", "oa", "sex")
    frame = lattice.frame
    spots = frame.places @ frame.strides
    assert frame.number[spots].tolist() == list(range(len(system)))
    assert (frame.number >= 0).sum() == len(system)
    for cell in range(len(system)):
        below = [
            frame.leaves[frame.begin[first + place] : frame.begin[first + place + 1]]
            for first, place in zip(frame.first[:-1], frame.places[cell], strict=True)
        ]
        finest = np.add.outer(np.add.outer(below[0] * frame.strides[0], below[1] * frame.strides[1]), below[2])
        assert system.counts[frame.number[finest]].sum() == system.counts[cell]
    with pytest.raises(ValueError, match="above itself"):
        make_lattice(np.zeros(2, np.int32), [("a", np.array([0, -1]))])
    with pytest.raises(ValueError, match="place per place"):
        make_lattice(np.zeros(2, np.int32), [("a", np.array([1, 2, -1]))])
