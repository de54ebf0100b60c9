"""Running suppression backwards: every table × many keys, and what a pattern leaves possible (methods 10.1).

A reader knows the rule (small counts are hidden, with as few others as needed),
the prices and the spread, not the key.  The tables that could have led to a
pattern are those of which some key makes it.  Many small tables are put side by
side as areas of one hierarchy whose top units share no sum: every area's
codes, and with them its draws, differ, as they would under another key.
"""

from dataclasses import replace
from itertools import product

import numpy as np
from suppression_tools import KEY, small

from sdc.suppression.spec import SuppressionSpec
from sdc.suppression.suppress import suppress_table
from sdc.tables import SUPPRESSED, Classification, Hierarchy, Table

ROW, SQUARE = 1, 2


def side_by_side(tables, areas, draws):
    """Every table `draws` times: shape (tables × draws,) of top units with `areas` areas each."""
    number = len(tables) * draws
    finest = np.tile(tables, (draws, 1)).reshape(number * areas, -1)
    codes = np.array([f"A{i:08}" for i in range(number * areas)])
    if areas == ROW:
        hierarchy = Hierarchy(levels=("oa",), codes=(codes,), parents=())
    else:
        tops = np.array([f"L{i:08}" for i in range(number)])
        parents = (np.repeat(np.arange(number), areas).astype(np.int32),)
        hierarchy = Hierarchy(levels=("oa", "lsoa"), codes=(codes, tops), parents=parents)
    categories = tuple((f"k{i}",) for i in range(finest.shape[1]))
    return Table.from_finest(
        hierarchy=hierarchy, classification=Classification(dimensions=("d",), categories=categories), finest=finest
    )


def inverted(tables, areas, draws, spec):
    """Patterns with what they leave possible: per pattern the values shown (-1 hidden), and the tables behind it."""
    table = side_by_side(np.array(tables, np.int64), areas, draws)
    number = len(tables) * draws
    safe, _ = suppress_table(table, primary=small(table, spec.min_count), spec=spec, key=KEY)
    counts = np.concatenate([each.reshape(number, -1) for each in table.counts], axis=1)
    hidden = np.concatenate([each.reshape(number, -1) for each in safe.markers], axis=1) == SUPPRESSED
    shown, of_pattern = np.unique(np.where(hidden, -1, counts), axis=0, return_inverse=True)
    return shown, counts, hidden, of_pattern.ravel()


def pinned_cells(tables, areas, draws, spec):
    """Hidden small cells, and how many of them no table behind their pattern makes 0 or at least min_count.

    Only patterns with the grand total shown count: of those, all tables are tried.
    """
    shown, counts, hidden, of_pattern = inverted(tables, areas, draws, spec)
    is_small = hidden & (counts >= 1) & (counts < spec.min_count)
    is_other = hidden & ((counts == 0) | (counts >= spec.min_count))
    smalls, others = np.zeros(shown.shape, bool), np.zeros(shown.shape, bool)
    for column in range(counts.shape[1]):
        np.logical_or.at(smalls[:, column], of_pattern, is_small[:, column])
        np.logical_or.at(others[:, column], of_pattern, is_other[:, column])
    smalls &= shown[:, -1:] >= 0
    return int(smalls.sum()), int((smalls & ~others).sum())


def rows(most):
    return [row for row in product(range(most + 1), repeat=3) if sum(row) <= most]


def squares(most):
    return [square for square in product(range(most + 1), repeat=4) if sum(square) <= most]


SPEC = SuppressionSpec(min_count=3, decoys=0.4)


def test_rows_of_three_leave_no_small_count_pinned():
    cells, pinned = pinned_cells(rows(14), ROW, 40, SPEC)
    assert cells > 50 and pinned == 0


def test_squares_leave_no_small_count_pinned():
    cells, pinned = pinned_cells(squares(7), SQUARE, 60, SPEC)
    assert cells > 200 and pinned == 0


def test_without_lone_claimants_squares_leave_none_pinned_either():
    _, pinned = pinned_cells(squares(7), SQUARE, 60, replace(SPEC, lone_claimants=False))
    assert pinned == 0


def test_without_decoys_keyed_prices_alone_would_pin_many():
    """Why there are decoys: four hidden cells and margins with a total of 4 can only be four ones."""
    cells, pinned = pinned_cells(squares(7), SQUARE, 60, replace(SPEC, decoys=0.0))
    assert pinned > cells / 10


def first_cell_behind(pattern, tables, spec):
    """Values of the first cell over all tables and keys that make a pattern."""
    shown, counts, _, of_pattern = inverted(tables, ROW, 300, spec)
    found = np.flatnonzero((shown == pattern).all(axis=1))
    assert len(found) == 1
    return set(counts[of_pattern == found[0], 0].tolist())


def test_the_example_of_methods_10_1():
    """(c, c, 25 | 45): the first cell may be 0, small, or large; zero is no longer excluded."""
    tables = [(x, 20 - x, 25) for x in range(21)]
    spec = SuppressionSpec(decoys=0.3, lone_claimants=False)
    without_decoys = first_cell_behind([-1, -1, 25, 45], tables, replace(spec, decoys=0.0))
    assert without_decoys == {1, 2, 3, 4, 16, 17, 18, 19}
    assert {0, 1, 2, 3, 4, 5, 15, 16, 20} <= first_cell_behind([-1, -1, 25, 45], tables, spec)


def test_what_the_guard_of_lone_claimants_tells():
    """Two cells of one freedom are never hidden alone where one of them is 1: that much can be inferred, and no more."""
    tables = [(x, 20 - x, 25) for x in range(21)]
    values = first_cell_behind([-1, -1, 25, 45], tables, SuppressionSpec(decoys=0.3))
    assert {0, 2, 3, 4, 5, 15, 16, 17, 18, 20} <= values and not {1, 19} & values
