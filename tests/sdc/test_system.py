"""Tables in general form: cells, sums, cubes, joined tables."""

import numpy as np
import pytest
from attack_tools import tree, true_table
from hypothesis import given, settings
from hypothesis import strategies as st
from system_tools import matrix_of, nest, sum_system, two_way

from sdc.cube import Axis, Cube, all_margins, cube_of, finest_and_total, flat_axis, one_way_margins
from sdc.joining import join_systems, with_at_most, with_sums
from sdc.network import build_network, flatten
from sdc.system import CellSystem, Equations, SafeCells, add_up, stack, system_of
from sdc.tables import SUPPRESSED, Classification, Method, Table


def small_table(finest=((1, 2), (3, 0), (5, 6))):
    return true_table(tree([0, 0, 1], [0, 0]), finest)


def axes():
    return nest("oa<lad", [0, 0, 0]), flat_axis("age", ["old", "young"]), flat_axis("sex", ["f", "m"])


def cube(margins=None, shape=(3, 2, 2)):
    every = axes()
    finest = np.arange(np.prod(shape), dtype=np.int64).reshape(shape)
    return Cube(axes=every, finest=finest, margins=margins or all_margins(every))


def test_equations_are_checked():
    starts, cells = np.array([0, 2]), np.array([0, 1], np.int32)
    good = Equations(size=2, starts=starts, cells=cells, signs=np.array([1, -1], np.int8))
    assert good.residuals(np.array([5, 3])).tolist() == [2]
    assert len(good) == 1
    for change in (
        {"starts": np.array([0, 2], np.int32)},
        {"starts": np.array([0, 1])},
        {"starts": np.array([0, 0, 2])},
        {"cells": np.array([0, 2], np.int32)},
        {"signs": np.array([1, 2], np.int8)},
    ):
        fields = {"size": 2, "starts": starts, "cells": cells, "signs": good.signs} | change
        with pytest.raises(ValueError):
            Equations(**fields)


def test_sums_of_parts():
    """Wholes first, parts in the order given; stacked blocks keep their order; some can be chosen."""
    one = add_up(size=5, wholes=np.array([4, 3]), parts=np.array([0, 1, 2]), groups=np.array([1, 0, 1]))
    assert matrix_of(one).tolist() == [[0, -1, 0, 0, 1], [-1, 0, -1, 1, 0]]
    both = stack(5, [one, one.chosen(np.array([1]))])
    assert matrix_of(both)[2].tolist() == [-1, 0, -1, 1, 0]
    assert both.entries(1)[0].tolist() == [3, 0, 2]
    assert len(stack(5, [])) == 0


def test_a_system_must_add_up():
    with pytest.raises(ValueError, match="the parts of cell 2 must add up"):
        sum_system([1, 2, 4], [(2, [0, 1])])
    with pytest.raises(ValueError, match="at least 0"):
        sum_system([-1, 2, 1], [(2, [0, 1])])
    with pytest.raises(ValueError, match="one for each"):
        CellSystem(counts=np.zeros(3, np.int32), equations=stack(3, []))
    with pytest.raises(ValueError, match="published"):
        CellSystem(counts=np.zeros(3, np.int64), equations=stack(3, []), published=np.ones(2, np.bool_))


def test_a_table_is_a_system_in_the_order_of_its_network():
    """All sums of the table, and none that does not follow from the network's conservation laws, which has no more."""
    table = small_table()
    system = system_of(table)
    assert system.counts.tolist() == flatten(table.counts).tolist()
    network = build_network(table.hierarchy, 2)
    incidence = np.zeros((network.nodes, len(system)), np.int64)
    cells = np.arange(len(system))
    np.add.at(incidence, (network.heads, cells), 1)
    np.add.at(incidence, (network.tails, cells), -1)
    own, theirs = matrix_of(system.equations), incidence
    rank = np.linalg.matrix_rank(theirs)
    assert np.linalg.matrix_rank(own) == np.linalg.matrix_rank(np.vstack([own, theirs])) == rank
    assert system.name(0) == "oa OA000000, k0"
    assert system.name(len(system) - 1) == "msoa MSOA000000, Total"


def test_a_table_by_area_alone():
    table = true_table(tree([0, 0, 1], [0, 0]), [4, 5, 6])
    system = system_of(table)
    assert system.counts.tolist() == [4, 5, 6, 9, 6, 15]
    assert matrix_of(system.equations).tolist() == [[-1, -1, 0, 1, 0, 0], [0, 0, -1, 0, 1, 0], [0, 0, 0, -1, -1, 1]]
    assert system.name(0) == "oa OA000000"
    assert cube_of(table).system().counts.tolist() == system.counts.tolist()


def test_a_table_as_a_cube_is_the_same_system():
    """By two dimensions flattened: finest combinations and their total."""
    classification = Classification(dimensions=("age", "sex"), categories=(("o", "f"), ("o", "m"), ("y", "f")))
    table = Table.from_finest(
        hierarchy=tree([0, 0, 1], [0, 0]), classification=classification, finest=np.arange(9).reshape(3, 3)
    )
    direct, through = system_of(table), cube_of(table).system()
    assert direct.counts.tolist() == through.counts.tolist()
    assert np.array_equal(direct.identity, through.identity)
    assert direct.name(1) == through.name(1) == "oa OA000000, o, m"
    ranks = [np.linalg.matrix_rank(matrix_of(each.equations)) for each in (direct, through)]
    assert ranks[0] == ranks[1]


def test_cube_with_all_margins():
    """4 areas × 3 × 3 places; every sum along one axis; the values are the sums of the finest cells."""
    whole = cube()
    system = whole.system()
    assert len(system) == 36 and len(system.equations) == 9 + 12 + 12
    values = whole.values()
    assert values[3, 2, 2] == whole.finest.sum()
    assert values[1, 0, 2] == whole.finest[1, 0].sum()
    assert system.name(whole.numbers()[3, 2, 0]) == "lad lad0, Total, f"
    rank = np.linalg.matrix_rank(matrix_of(system.equations))
    assert rank == 36 - 12, "everything follows from the finest cells"


@pytest.mark.parametrize("margins", [one_way_margins(axes()), finest_and_total(axes())])
def test_chosen_margins_are_sums_of_what_is_held(margins):
    chosen = cube(margins)
    system = chosen.system()
    assert system.shown.all()
    assert len(system) == 4 * (4 + (4 if len(margins) == 4 else 0) + 1)
    assert np.linalg.matrix_rank(matrix_of(system.equations)) == len(system) - 12


def test_margins_alone_rest_on_finest_cells_that_nobody_sees():
    """Age and sex published apart: the finest cells are held, unpublished, so that a joint table must exist."""
    margins = one_way_margins(axes())[1:]
    system = cube(margins).system()
    assert system.shown.sum() == 4 * (2 + 2 + 1)
    assert len(system) == system.shown.sum() + 12
    assert np.linalg.matrix_rank(matrix_of(system.equations)) == len(system) - 12


def test_two_nests():
    """Areas, and trades of which jobs are parts, with a total above."""
    areas, trades = nest("oa<lad", [0, 0]), nest("job<trade", [0, 0, 1], total=True)
    finest = np.array([[1, 2, 3], [4, 5, 6]])
    both = Cube(axes=(areas, trades), finest=finest, margins=all_margins((areas, trades)))
    assert both.values().tolist() == [[1, 2, 3, 3, 3, 6], [4, 5, 6, 9, 6, 15], [5, 7, 9, 12, 9, 21]]
    system = both.system()
    assert system.counts.tolist() == both.values().ravel().tolist()
    assert np.linalg.matrix_rank(matrix_of(system.equations)) == 18 - 6
    assert system.name(17) == "lad lad0, Total"
    assert [system.name(cell) for cell in (6, 9)] == ["oa oa1, job0", "oa oa1, trade0"]
    assert system.areas.unit.tolist() == [0] * 6 + [1] * 6 + [2] * 6
    assert system.areas.parents.tolist() == [2, 2, -1]


def test_cubes_from_cells_and_their_checks():
    made = Cube.from_cells(
        axes=axes(),
        places=(np.array([0, 0, 2]), np.array([1, 1, 0]), np.array([0, 0, 1])),
        counts=np.array([3, 4, 5]),
        margins=all_margins(axes()),
    )
    assert made.finest[0, 1, 0] == 7 and made.finest[2, 0, 1] == 5 and made.finest.sum() == 12
    every = axes()
    for change, words in (
        ({"finest": np.zeros((3, 2, 2), np.int32)}, "int64"),
        ({"finest": np.full((3, 2, 2), -1)}, "at least 0"),
        ({"margins": ()}, "margins"),
        ({"margins": (frozenset(["oa"]),)}, "margins"),
        ({"axes": (every[0], every[1], every[1])}, "name of its own"),
    ):
        fields = {"axes": every, "finest": np.zeros((3, 2, 2), np.int64), "margins": all_margins(every)} | change
        with pytest.raises(ValueError, match=words):
            Cube(**fields)


@settings(deadline=None, max_examples=30)
@given(
    parents=st.lists(st.integers(0, 2), min_size=3, max_size=6),
    counts=st.lists(st.integers(0, 50), min_size=24, max_size=24),
)
def test_every_cell_of_a_cube_is_the_sum_that_its_name_says(parents, counts):
    """Areas in any order below their parents; each value equals the sum over its codes, found by name."""
    parents = [sorted(set(parents)).index(parent) for parent in parents]
    areas = nest("oa<lad", parents)
    ages, sexes = flat_axis("age", ["o", "y"]), flat_axis("sex", ["f", "m"])
    finest = np.array(counts, np.int64)[: len(parents) * 4].reshape(len(parents), 2, 2)
    made = Cube(axes=(areas, ages, sexes), finest=finest, margins=all_margins((areas, ages, sexes)))
    system = made.system()
    for cell in range(len(system)):
        area, age, sex = system.name(cell).split(", ")
        level, code = area.split(" ")
        rows = [i for i, parent in enumerate(parents) if code == (f"oa{i}" if level == "oa" else f"lad{parent}")]
        a = slice(None) if age == "Total" else ["o", "y"].index(age)
        s = slice(None) if sex == "Total" else ["f", "m"].index(sex)
        assert system.counts[cell] == finest[rows][:, a, s].sum()


def test_shared_cells_are_joined():
    """Areas by age and areas by sex share their totals; a cube of both tells all their cells and more."""
    whole = cube()
    every = axes()
    by_age = Cube(axes=every[:2], finest=whole.finest.sum(axis=2), margins=all_margins(every[:2])).system()
    by_sex = Cube(
        axes=(every[0], every[2]), finest=whole.finest.sum(axis=1), margins=all_margins((every[0], every[2]))
    ).system()
    joined = join_systems([by_age, by_sex])
    assert len(joined.system) == 12 + 12 - 4
    totals = [np.flatnonzero(["Total" in s.name(c) for c in range(len(s))]) for s in (by_age, by_sex)]
    assert joined.places[0][totals[0]].tolist() == joined.places[1][totals[1]].tolist()
    for system, places in zip((by_age, by_sex), joined.places, strict=True):
        assert joined.system.counts[places].tolist() == system.counts.tolist()
    assert joined.system.name(int(joined.places[1][1])) == by_sex.name(1)
    within = join_systems([whole.system(), by_age, by_sex])
    assert len(within.system) == 36
    assert np.linalg.matrix_rank(matrix_of(within.system.equations)) == 24
    assert len(within.system.equations) == len(whole.system().equations), "equations told twice are told once"
    assert within.system.areas.parents.tolist() == [3, 3, 3, -1]


def test_flattened_dimensions_are_the_same_figures_as_a_cubes():
    """(o, f) of a classification by age and sex is the cell old × f of a cube."""
    classification = Classification(dimensions=("age", "sex"), categories=(("o", "f"), ("o", "m")))
    hierarchy = tree([0, 0])
    table = system_of(
        Table.from_finest(hierarchy=hierarchy, classification=classification, finest=np.array([[1, 2], [3, 4]]))
    )
    every = (Axis(hierarchy=hierarchy, total=False), flat_axis("age", ["o"]), flat_axis("sex", ["f", "m"]))
    other = Cube(axes=every, finest=np.array([[[1, 2]], [[3, 4]]]), margins=all_margins(every)).system()
    joined = join_systems([table, other])
    assert len(joined.system) == len(other)
    same_codes_elsewhere = Classification(dimensions=("sex", "age"), categories=(("f", "o"), ("m", "o")))
    swapped = system_of(
        Table.from_finest(hierarchy=hierarchy, classification=same_codes_elsewhere, finest=np.array([[1, 2], [3, 4]]))
    )
    assert len(join_systems([table, swapped]).system) == len(table), "the order of dimensions means nothing"


def test_measures_are_not_joined_and_clashes_are_refused():
    people, claims = small_table(), small_table(((2, 2), (3, 0), (5, 6)))
    apart = join_systems([system_of(people, measure="people"), system_of(claims, measure="claims")])
    assert len(apart.system) == 36
    with pytest.raises(ValueError, match="oa OA000000, k0 must have the same count"):
        join_systems([system_of(people), system_of(claims)])
    with pytest.raises(ValueError, match="identity"):
        join_systems([two_way([[1]]), sum_system([1, 1], [(1, [0])])])


def test_people_and_claims_as_equations():
    """Each benefit at most the people, these at most the sum of benefits: three more cells and one sum that nobody sees."""
    system = sum_system([3, 4, 5, 7], [(3, [0, 1])])  # two benefits, people, and a total that is their sum
    capped = with_at_most(system, np.array([0, 1]), np.array([2, 2]))
    assert capped.counts.tolist() == [3, 4, 5, 7, 2, 1]
    assert capped.shown.tolist() == [True] * 4 + [False] * 2
    assert capped.name(4) == "all but cell 0"
    summed = with_sums(system, np.array([0, 1, 2]), np.array([0, 0, 1]))
    assert summed.counts.tolist() == [3, 4, 5, 7, 7, 5]
    assert summed.name(4) == "the sum of cell 0 and others"
    both = with_at_most(summed, np.array([2]), np.array([4]))
    assert both.counts[-1] == 2
    with pytest.raises(ValueError, match="at most what it is part of"):
        with_at_most(system, np.array([3]), np.array([0]))
    named = with_at_most(two_way([[1, 2]]), np.array([0]), np.array([2]))
    assert len(join_systems([named, two_way([[1, 2]])]).system) == len(named)


def test_safe_cells_are_checked():
    method = Method(name="suppression", base=1)
    with pytest.raises(ValueError, match="must hold 0"):
        SafeCells(values=np.array([3]), markers=np.array([SUPPRESSED], np.int8), method=method)
    with pytest.raises(ValueError, match="int8"):
        SafeCells(values=np.array([3]), markers=np.array([0]), method=method)


def test_a_region_is_built_by_arrays():
    """A cube of half a million cells, with its equations, in a few seconds."""
    areas = nest("oa<lsoa<lad", [i // 5 for i in range(3000)], [i // 60 for i in range(600)])
    every = (areas, flat_axis("benefit", list("abcdef")), flat_axis("age", list("wxyz")), flat_axis("sex", ["f", "m"]))
    finest = np.random.default_rng(1).poisson(0.5, (3000, 6, 4, 2))
    made = Cube(axes=every, finest=finest, margins=all_margins(every))
    system = made.system()
    assert len(system) == 3610 * 7 * 5 * 3
    assert not system.equations.residuals(system.counts).any()
