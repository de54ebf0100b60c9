"""Unbiased random rounding: the textbook's chances, one figure one value, and what it gives away by itself."""

import json
from pathlib import Path

import numpy as np
import pytest
from attack_tools import RANDOM, shown, tree, true_table
from system_tools import nest

from common.faults import Infeasible
from sdc.attack.intervals import stated_intervals
from sdc.attack.judge import audit_tables
from sdc.cube import Cube, all_margins, flat_axis
from sdc.rounding.random import RandomRounding, protect_random
from sdc.rounding.random_cube import protect_random_cube
from sdc.tables import Classification, Table

EXAMPLES = Path(__file__).resolve().parents[3] / "shared" / "data" / "worked-examples"


def keys(number: int) -> list[bytes]:
    return [b"a key that is no secret %016d" % each for each in range(number)]


def draws(table, spec: RandomRounding, number: int) -> np.ndarray:
    """The smallest areas' values under many keys: (keys, areas, columns)."""
    return np.array([protect_random(table, spec=spec, key=key)[0].values[0] for key in keys(number)])


@pytest.mark.parametrize(
    ("count", "low", "chance"), [(1, 0, 1 / 3), (2, 0, 2 / 3), (4, 3, 1 / 3), (5, 3, 2 / 3), (17, 15, 2 / 3)]
)
def test_v7_random_rounding_base_3(count: int, low: int, chance: float) -> None:
    """Handbook 5.5: 1 becomes 0 with 2/3 or 3 with 1/3; 4 becomes 3 or 6; 5 becomes 6 or 3; 17 becomes 15 or 18."""
    seen = draws(true_table(tree([0, 0]), [count, 30]), RandomRounding(base=3, min_count=3), 3000)[:, 0, 0]
    assert set(seen.tolist()) == {low, low + 3}
    assert abs((seen == low + 3).mean() - chance) < 4 * np.sqrt(chance * (1 - chance) / 3000)


def test_multiples_stay_and_the_mean_is_the_true_count() -> None:
    spec = RandomRounding(base=5, min_count=5)
    true = true_table(tree([0, 0, 0]), [[1, 0], [3, 3], [12, 20]])
    seen = draws(true, spec, 2000)
    assert np.all(seen[:, 2, 1] == 20) and np.all(seen[:, 0, 1] == 0)
    error = seen - true.counts[0]
    assert np.all(np.abs(error) < 5)
    assert np.all(np.abs(error.mean(axis=0)) <= 4 * error.std(axis=0) / np.sqrt(2000))


def test_cells_are_drawn_apart() -> None:
    """Two unlike cells with the same chance fall alike half of the time, not always."""
    seen = draws(true_table(tree([0, 0]), [[2, 7], [3, 3]]), RandomRounding(), 1000)
    up = seen[:, :, :2] - np.array([[0, 5], [0, 0]]) == 5
    assert abs(np.corrcoef(up[:, 0, 0], up[:, 0, 1])[0, 1]) < 0.13
    assert abs(np.corrcoef(up[:, 1, 0], up[:, 1, 1])[0, 1]) < 0.13


def test_the_same_records_show_the_same_value() -> None:
    """Total and only category, an area and its only child, and the same area in a table by other categories."""
    hierarchy = tree([0, 1], [0, 0])
    by_benefit = true_table(hierarchy, [[3, 0], [1, 6]])
    by_sex = true_table(hierarchy, [[0, 0, 3], [2, 2, 3]], "sex")
    for key in keys(40):
        one = protect_random(by_benefit, spec=RandomRounding(), key=key)[0].values
        two = protect_random(by_sex, spec=RandomRounding(), key=key)[0].values
        assert one[0][0, 0] == one[0][0, 2] == one[1][0, 0] == one[1][0, 2] == two[0][0, 2] == two[1][0, 3]
        assert all(np.array_equal(a[:, -1], b[:, -1]) for a, b in zip(one, two, strict=True))


def test_a_cube_agrees_with_the_tables_by_its_margins() -> None:
    """And with itself: where a finest cell holds everybody of a margin, both show one value."""
    areas = nest("oa<lsoa", [0, 0, 1])
    axes = (areas, flat_axis("benefit", "ab"), flat_axis("sex", "fm"))
    finest = np.array([[[3, 0], [1, 2]], [[0, 0], [2, 4]], [[1, 1], [0, 4]]])
    cube = Cube(axes=axes, finest=finest, margins=all_margins(axes))
    number = cube.numbers()
    tables = {
        name: Table.from_finest(
            hierarchy=areas.hierarchy,
            classification=Classification(dimensions=(name,), categories=tuple((code,) for code in codes)),
            finest=counts,
        )
        for name, codes, counts in (("benefit", "ab", finest.sum(axis=2)), ("sex", "fm", finest.sum(axis=1)))
    }
    for key in keys(30):
        values, report = protect_random_cube(cube, spec=RandomRounding(), key=key)
        safe = {
            name: np.concatenate(protect_random(table, spec=RandomRounding(), key=key)[0].values)
            for name, table in tables.items()
        }
        assert np.array_equal(values[number[:, :, -1]], safe["benefit"])
        assert np.array_equal(values[number[:, -1, :]], safe["sex"])
        assert values[number[0, 0, 0]] == values[number[0, 0, -1]]  # benefit a in the first area: women alone
        assert values[number[1, 1, 1]] == values[number[1, -1, 1]]  # men in the second: benefit b alone
        assert (
            values[number[2, 1, 1]] == values[number[2, 1, -1]] == values[number[4, 1, -1]] == values[number[4, 1, 1]]
        )
        error = values - cube.system().counts
        assert np.abs(error).max() < 5 and not np.any(values % 5)
        assert report.gaps == np.count_nonzero(cube.system().equations.residuals(values))


def test_v15_independent_totals_give_four_areas_away() -> None:
    """Random-5: children 0, 0, 0, 0 under a total of 20 are all 4."""
    true = true_table(tree([0, 0, 0, 0]), [4, 4, 4, 4])
    found = audit_tables({"claims": shown(true, [[[0]] * 4, [[20]]], RANDOM)}, min_count=5).findings
    assert [(finding.kind, finding.interval) for finding in found] == [("pinned", (4, 4))] * 4


def test_the_report_counts_the_sums_that_do_not_add_up() -> None:
    true = true_table(tree([0, 0, 0, 0]), [4, 4, 4, 4])
    for key in keys(20):
        safe, report = protect_random(true, spec=RandomRounding(), key=key)
        assert report.gaps == int(safe.values[0].sum() != safe.values[1].sum())
        assert report.raised + report.lowered + report.kept == 5
        assert report.loss == sum(int(np.abs(v - x).sum()) for v, x in zip(safe.values, true.counts, strict=True))


def test_base_below_min_count_is_refused() -> None:
    with pytest.raises(Infeasible, match="base 3 is below min_count 5") as refused:
        RandomRounding(base=3, min_count=5)
    assert refused.value.demands == ("base = 3", "min_count = 5")


@pytest.mark.real_areas
def test_worked_examples_random_rounding_base_3_and_the_handbook_table() -> None:
    told = json.loads((EXAMPLES / "random-rounding-base-3.json").read_text())
    spec = RandomRounding(base=told["base"], min_count=3)
    counts = [int(count) for count in told["outcomes"]]
    seen = draws(true_table(tree([0] * len(counts)), counts), spec, 3000)[:, :, 0]
    for column, outcomes in zip(seen.T, told["outcomes"].values(), strict=True):
        for value, chance in outcomes.items():
            exact = fraction(chance)
            assert abs((column == int(value)).mean() - exact) <= 4 * np.sqrt(exact * (1 - exact) / 3000)
    handbook = json.loads((EXAMPLES / "rounding-base-5-handbook.json").read_text())
    printed = np.array([row[1:] for row in handbook["published_random"]])
    true = true_table(tree([0, 0, 0]), [row[1:3] for row in handbook["original"][:3]])
    # The table as printed is one of the outcomes, but for C, Total: 35 is among 32's two values, as 30 is.
    stated = stated_intervals(shown(true, [printed[:3], printed[3:]], RANDOM))
    assert all(np.all((lo <= x) & (x <= hi)) for lo, hi, x in zip(stated.lo, stated.hi, true.counts, strict=True))


def fraction(text: str) -> float:
    above, _, below = text.partition("/")
    return float(above) / float(below or 1)
