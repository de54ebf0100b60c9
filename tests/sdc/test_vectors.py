"""Vectors of the methods' specification that no other test is named after, and a guard that every one has its test."""

import re
from pathlib import Path

import numpy as np
import pytest
from attack_tools import tree, true_table
from rounding_tools import EXPSD, HANDBOOK, secret

from common.keys import sip_key
from sdc.cube import Cube, flat_axis, one_way_margins
from sdc.keyedcodes import keyed_codes
from sdc.rounding.conventional import round_conventional
from sdc.rounding.random import RandomRounding, protect_random
from sdc.rounding.smallcounts import SmallCountRounding, round_small_counts

TESTS = Path(__file__).resolve().parents[1]
VECTORS = range(1, 22)


@pytest.mark.parametrize("number", VECTORS)
def test_every_vector_has_a_test_named_after_it(number: int) -> None:
    named = re.compile(rf"def test_(v\d+_)*v{number}_")
    assert any(named.search(path.read_text(encoding="utf-8")) for path in TESTS.glob("*/test_*.py"))


def test_v12_margins_alone() -> None:
    """Only rows and columns published, base 5: total 28, rows 15, 8, 5, columns 7, 5, 5, 5, 6, by one breaking of ties."""
    rows, columns = flat_axis("row", ["r1", "r2", "r3"]), flat_axis("col", [f"c{i}" for i in range(5)])
    margins = tuple(each for each in one_way_margins((rows, columns)) if len(each) < 2)
    cube = Cube(axes=(rows, columns), finest=np.array(EXPSD), margins=margins)
    system, number = cube.system(), cube.numbers()
    published = [number[-1, -1], *number[:-1, -1], *number[-1, :-1]]
    assert system.counts[published].tolist() == [27, 14, 9, 4, 7, 3, 5, 4, 8]
    names = np.array([system.name(cell) for cell in range(len(system))])
    seen = set()
    for key in range(30):
        figures = keyed_codes(sip_key(secret(key), "test"), names)
        values, _ = round_small_counts(system, spec=SmallCountRounding(share=0), key=secret(key), figures=figures)
        seen.add(tuple(values[published].tolist()))
    assert (28, 15, 8, 5, 7, 5, 5, 5, 6) in seen


def test_v13_the_conventional_table_of_the_handbook() -> None:
    """3 × 2 cells (1 0 / 3 3 / 12 20) to the nearest 5; for 32 the Handbook prints 35, a slip for 30."""
    safe = round_conventional(true_table(tree([0, 0, 0]), HANDBOOK), base=5, min_count=5)
    assert safe.values[0].tolist() == [[0, 0, 0], [5, 5, 5], [10, 20, 30]]
    assert safe.values[1].tolist() == [[15, 25, 40]]


def test_v21_random_rounding_repeated() -> None:
    """x = 7, b = 5, f = 0.4: five fresh draws show both 5 and 10 with probability 1 - 0.4^5 - 0.6^5 = 0.912.

    Here a draw hangs on the figure: under one key five releases of the same count show one value.
    """
    table, spec = true_table(tree(), [7]), RandomRounding()
    repeats, draws = 1500, 5
    shown = np.array(
        [protect_random(table, spec=spec, key=secret(key))[0].values[0].item() for key in range(repeats * draws)]
    ).reshape(repeats, draws)
    both = np.mean((shown.min(axis=1) == 5) & (shown.max(axis=1) == 10))
    chance = 1 - 0.4**5 - 0.6**5
    assert chance == pytest.approx(0.912, abs=5e-4)
    assert abs(both - chance) <= 4 * np.sqrt(chance * (1 - chance) / repeats)
    again = [protect_random(table, spec=spec, key=secret(1))[0].values[0].item() for _ in range(draws)]
    assert len(set(again)) == 1
