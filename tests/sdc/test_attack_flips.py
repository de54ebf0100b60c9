"""What two releases of a series prove together."""

import itertools

import numpy as np
import pytest
from test_kept_values import changed, country, drawn
from test_rounding import table, tree

from sdc.attack.flips import chance_of_fall, change_bounds, flip_rows, pinned_if_unchanged
from sdc.attack.posterior import Prior
from sdc.rounding.kept import Before, Earlier, earlier_of
from sdc.tables import Table


def possible(shown: int, base: int) -> list[int]:
    return [x for x in range(shown + base) if x > shown - base]


@pytest.mark.parametrize("base", [3, 5])
def test_bounds_of_a_change_are_those_of_brute_force(base: int) -> None:
    for now, before in itertools.product(range(0, 5 * base, base), repeat=2):
        changes = [x - y for x in possible(now, base) for y in possible(before, base)]
        low, high = change_bounds(np.array([now]), np.array([before]), base)
        assert (low[0], high[0]) == (min(changes), max(changes))


def test_a_change_is_proven_from_twice_the_base_on() -> None:
    low, high = change_bounds(np.array([10, 15, 20, 20]), np.array([10, 10, 10, 5]), 5)
    assert ((low > 0) | (high < 0)).tolist() == [False, False, True, True]


@pytest.mark.parametrize("base", [5, 7])
def test_pinned_if_unchanged_equals_brute_force_over_three_releases(base: int) -> None:
    for shown in itertools.product(range(0, 4 * base, base), repeat=3):
        counts = set.intersection(*(set(possible(value, base)) for value in shown))
        expected = bool(counts) and all(1 <= x < 5 for x in counts)
        found = pinned_if_unchanged([np.array([value]) for value in shown], base=base, min_count=5)
        assert found[0] == expected


def test_v21_fresh_draws_show_both_neighbours_and_kept_values_do_not() -> None:
    """x = 7, base 5: five fresh draws show both 5 and 10 with probability 1 - 0.4^5 - 0.6^5 = 0.912."""
    true = {"k": table(tree([0]), [[7]])}
    both = kept = 0
    for series in range(400):
        fresh = [drawn(true, 5 * series + quarter)[0]["k"].values[0][0, 0] for quarter in range(5)]
        both += len(set(fresh)) == 2
        shown, _ = drawn(true, series)
        again, _ = drawn(true, series + 1, true, shown)
        kept += shown["k"].values[0][0, 0] == again["k"].values[0][0, 0]
    assert abs(both / 400 - 0.912) < 4 * np.sqrt(0.912 * 0.088 / 400)
    assert kept == 400


def test_section_10_6_a_fall_shown_is_a_fall_with_probability_071_where_counts_are_poisson_of_mean_2() -> None:
    assert round(chance_of_fall(Prior(mean=2.0), 5), 2) == 0.71


def test_chance_of_fall_equals_a_simulation() -> None:
    rng = np.random.default_rng(1)
    before = rng.poisson(3.0, 400_000)
    now = before + rng.choice([-1, 1], len(before))
    before, now = before[now >= 0], now[now >= 0]
    shown = [5 * (x // 5 + (rng.random(len(x)) < x % 5 / 5)) for x in (before, now)]
    falls = shown[1] < shown[0]
    assert abs(np.mean(now[falls] < before[falls]) - chance_of_fall(Prior(mean=3.0), 5)) < 0.01


def test_flip_rows_against_the_truth() -> None:
    before = country(300, (4,))
    shown, _ = drawn(before, 1)
    after = changed(before, np.random.default_rng(3), 30)
    safe, path = drawn(after, 1, before, shown)
    earlier = earlier_of(after["t0"], Before.of(before["t0"], shown["t0"].values))
    rows = flip_rows(safe["t0"], earlier, after["t0"])
    assert [row["level"] for row in rows] == list(safe["t0"].hierarchy.levels)
    assert sum(row["flips_unchanged"] for row in rows) == path.moved["t0"]
    assert sum(row["changed"] for row in rows) == path.redrawn["t0"]
    for row in rows:
        assert row["alike"] + row["rises"] + row["falls"] == row["cells"]
    # Additivity forces unchanged neighbours to flip: a flip is evidence of a change, not proof.
    assert 0 < rows[0]["change_share"] < 1
    assert "changed" not in flip_rows(safe["t0"], earlier)[0]


def test_cells_that_are_new_are_not_compared() -> None:
    true: Table = table(tree([0, 0]), [[1, 2], [3, 4]])
    nothing = Earlier(
        counts=true.counts, values=true.counts, known=tuple(np.zeros(c.shape, np.bool_) for c in true.counts)
    )
    safe, _ = drawn({"k": true}, 1)
    assert [row["cells"] for row in flip_rows(safe["k"], nothing, true)] == [0, 0]
