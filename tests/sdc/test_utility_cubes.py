"""Utility over the cells of all margins: held against counting by hand."""

from dataclasses import replace

import numpy as np
import pytest
from system_tools import nest

from sdc.cube import Cube, all_margins, flat_axis
from sdc.system import SafeCells
from sdc.tables import SHOWN, SUPPRESSED, Method
from sdc.utility.cubes import cube_margin_shares, cube_sizes, cube_utility

METHOD = Method(name="suppression", base=1, min_count=5)


@pytest.fixture
def cube() -> Cube:
    axes = nest("oa<lad", [0, 0, 0]), flat_axis("benefit", ["a", "b"]), flat_axis("sex", ["f", "m"])
    finest = np.random.default_rng(2).poisson(9.0, (3, 2, 2)) + 1
    return Cube(axes=axes, finest=finest, margins=all_margins(axes))


@pytest.fixture
def true(cube: Cube) -> SafeCells:
    counts = cube.system().counts
    return SafeCells(values=counts.copy(), markers=np.full(counts.shape, SHOWN, np.int8), method=METHOD)


def rows_of(rows: list[dict[str, object]], level: str, category: str = "all cells") -> dict[str, object]:
    (row,) = [row for row in rows if (row["level"], row["category"]) == (level, category)]
    return row


def test_what_is_true_costs_nothing(cube: Cube, true: SafeCells) -> None:
    rows = cube_utility(cube, true)
    for row in rows:
        assert row["max_absolute_error"] == 0 and row["bias"] == 0 and row["hidden"] == 0
    assert rows_of(rows, "all levels")["cells"] == 36
    assert rows_of(rows, "all levels")["area_gap_max"] == rows_of(rows, "all levels")["category_gap_max"] == 0
    assert rows_of(rows, "oa")["area_gap_max"] is None
    assert [row["unchanged"] for row in cube_sizes(cube, true)] == [27, 9]


def test_one_cell_that_is_moved(cube: Cube, true: SafeCells) -> None:
    """A finest cell up by 7: it parts from its two margins within the area, and from the authority's cell."""
    place = cube.numbers()[1, 0, 1]
    values = true.values.copy()
    values[place] += 7
    rows = cube_utility(cube, replace(true, values=values))
    assert rows_of(rows, "oa")["mean_absolute_error"] == pytest.approx(7 / 27)
    assert rows_of(rows, "oa", "a, m")["bias"] == pytest.approx(7 / 3)
    assert rows_of(rows, "oa", "a")["max_absolute_error"] == 0
    assert rows_of(rows, "oa")["category_gap_max"] == 7 and rows_of(rows, "lad")["area_gap_max"] == 7
    assert rows_of(rows, "lad")["category_gap_max"] == 0
    assert cube_sizes(cube, replace(true, values=values))[0]["5 to 9"] == 1


def test_hidden_cells_and_guesses(cube: Cube, true: SafeCells) -> None:
    """Of two cells hidden in a row the margin is shared out; with both guessed right nothing is lost."""
    numbers = cube.numbers()
    hidden = np.array([numbers[0, 0, 0], numbers[0, 0, 1]])
    markers = true.markers.copy()
    markers[hidden] = SUPPRESSED
    cells = replace(true, markers=markers, values=np.where(markers == SHOWN, true.values, 0))
    rows = cube_utility(cube, cells)
    assert rows_of(rows, "oa")["hidden"] == 2
    assert rows_of(rows, "oa")["sum_hidden"] == true.values[hidden].sum()
    assert rows_of(rows, "oa", "a, f")["share_hidden"] == pytest.approx(1 / 3)
    guesses = cube_margin_shares(cube, cells)
    shown = markers == SHOWN
    assert np.array_equal(guesses[shown], true.values[shown])
    # In the margin benefit × sex alone the total less what is shown is what the two share.
    assert guesses[hidden].sum() == pytest.approx(true.values[hidden].sum())
    right = cube_utility(cube, cells, guessed=true.values.astype(float))
    assert rows_of(right, "oa")["max_absolute_error"] == 0 and rows_of(right, "oa")["hidden"] == 2
