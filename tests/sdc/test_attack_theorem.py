"""The theorem and its corollary for insiders, by enumeration: additive rounding gives each cell's own interval, no more."""

import numpy as np
import pytest
from attack_tools import additive, every_table, shown, tree, true_table

from sdc.attack.intervals import stated_intervals
from sdc.attack.theorem import check_conditions
from sdc.tables import Method

BASE_3 = Method(name="controlled-rounding", base=3, min_count=3)
SHOWN = [
    (tree([0, 0]), [[0, 0], [0, 0]]),
    (tree([0, 0]), [[3, 0], [0, 3]]),
    (tree([0, 0]), [[3, 0], [0, 0]]),
    (tree([0, 0, 1], [0, 0]), [[3], [0], [3]]),
    (tree([0, 1, 0], [0, 0]), [[0], [0], [0]]),
]


def published(hierarchy, finest, dimension="benefit"):
    finest = np.array(finest)
    table = true_table(hierarchy, finest if finest.shape[1] > 1 else finest[:, 0], dimension)
    return shown(table, table.counts, BASE_3)


@pytest.mark.parametrize(("hierarchy", "finest"), SHOWN)
def test_each_cell_keeps_its_own_interval(hierarchy, finest):
    safe = published(hierarchy, finest)
    assert check_conditions({"t": safe}).hold
    stated = stated_intervals(safe)
    for tables, lo, hi in zip(
        every_table(hierarchy, len(safe.classification), stated), stated.lo, stated.hi, strict=True
    ):
        assert np.array_equal(tables.min(axis=0), lo)
        assert np.array_equal(tables.max(axis=0), hi)


@pytest.mark.parametrize("alone", [False, True])
@pytest.mark.parametrize(("hierarchy", "finest"), SHOWN)
def test_insiders_learn_no_other_cell(hierarchy, finest, alone):
    """Knowing that one's own finest cell is at least 1 (or, alone, exactly 1) makes no cell outside it certain,
    and what remains of the cells around it holds 0 or at least b, over a width of b - 2."""
    safe = published(hierarchy, finest)
    categories = len(safe.classification)
    levels = every_table(hierarchy, categories, stated_intervals(safe))
    for unit in range(hierarchy.units[0]):
        for column in range(max(categories, 1)):
            own = levels[0][:, unit, column]
            knows = own == 1 if alone else own >= 1
            if not knows.any():
                continue
            for level, tables in enumerate(levels):
                around = np.zeros(tables.shape[1:], bool)
                around[hierarchy.ancestors(0, level)[unit], [column, -1]] = True
                low, high = tables[knows].min(axis=0), tables[knows].max(axis=0)
                assert np.all(high[~around] - low[~around] >= 1)
                if not alone:
                    rest_low, rest_high = low[around] - 1, high[around] - 1
                    assert np.all(rest_high - rest_low >= BASE_3.base - 2)
                    assert np.all((rest_low == 0) | (rest_high >= BASE_3.base))


def test_two_tables_with_equal_totals_give_nothing_together():
    """Every pair of tables with equal totals is possible: the joint intervals are the stated ones."""
    hierarchy = tree([0, 0])
    tables = {"a": published(hierarchy, [[3, 0], [0, 0]]), "b": published(hierarchy, [[0, 3], [0, 0]], "age")}
    assert check_conditions(tables).hold
    stated = {name: stated_intervals(safe) for name, safe in tables.items()}
    a, b = (every_table(hierarchy, 2, stated[name]) for name in tables)
    common = {tuple(row) for row in a[0][:, :, -1].tolist()} & {tuple(row) for row in b[0][:, :, -1].tolist()}
    for levels, name in ((a, "a"), (b, "b")):
        kept = np.array([tuple(row) in common for row in levels[0][:, :, -1].tolist()])
        for each, lo, hi in zip(levels, stated[name].lo, stated[name].hi, strict=True):
            assert np.array_equal(each[kept].min(axis=0), lo)
            assert np.array_equal(each[kept].max(axis=0), hi)


def test_random_additive_roundings_meet_the_conditions_and_non_additive_ones_do_not():
    rng = np.random.default_rng(8)
    for seed in range(20):
        table = true_table(tree([0, 0, 1], [0, 0]), rng.integers(0, 7, (3, 2)))
        safe = additive(table, seed)
        assert check_conditions({"t": safe}).hold
        values = [v.copy() for v in safe.values]
        values[-1][0, -1] += 5
        assert not check_conditions({"t": shown(table, values, safe.method)}).hold
