"""Methods run backwards on small tables: what choices made by rule prove, and what choices made by key do not."""

import numpy as np
import pytest
from attack_tools import CONTROLLED, CONVENTIONAL, EXACT, every_table, shown, tree, true_table
from rounding_tools import error, every_rounding, secret

from sdc.attack.intervals import NO_BOUND, Intervals, stated_intervals
from sdc.attack.inversion import fitting_tables, outcomes_by_keys, run_backwards
from sdc.rounding.conventional import round_conventional
from sdc.rounding.nearest import MinimumDistance, protect_nearest
from sdc.rounding.random import RandomRounding, protect_random
from sdc.rounding.smallcounts import SmallCountRounding, protect_small_counts
from sdc.tables import SHOWN, SUPPRESSED, Method, SafeTable, Table


def published(table: Table, values, method: Method = CONTROLLED) -> SafeTable:
    return shown(table, values, method)


def nearest_outcomes(base: int):
    """Minimum distance by rule: every rounding whose distance is least, for ties may be broken in any way."""

    def outcomes(table: Table):
        roundings = every_rounding(table, base)
        loss = [np.abs(error(table, values)).sum() for values in roundings]
        return [
            published(table, v, Method(name="controlled-rounding", base=base, min_count=base))
            for v, each in zip(roundings, loss, strict=True)
            if each == min(loss)
        ]

    return outcomes


def test_10_1_minimum_distance_by_rule_proves_more_than_its_intervals() -> None:
    """One area shown (0, 0 | 0) with base 5: cells in [0, 2], total in [0, 3]; for larger counts would go elsewhere."""
    one_area = true_table(tree([0]), [[0, 0]])
    told = published(one_area, [[[0, 0, 0]], [[0, 0, 0]]])
    found = run_backwards(told, nearest_outcomes(5))
    assert found.intervals.lo[0].tolist() == [[0, 0, 0]] and found.intervals.hi[0].tolist() == [[2, 2, 3]]
    assert all(narrow.all() for narrow in found.narrowed(stated_intervals(told)))
    assert all(cells.all() for cells in found.exposed(min_count=5, width=4))


@pytest.mark.parametrize("values", [[[0, 0, 0]], [[3, 0, 3]], [[3, 3, 3]], [[3, 3, 6]]], ids=str)
def test_minimum_distance_with_a_share_by_chance_proves_nothing_more(values: list[list[int]]) -> None:
    """Every value of every cell's own interval is left, whatever was published."""
    one_area = true_table(tree([0]), [[0, 0]])
    method = Method(name="controlled-rounding", base=3, min_count=3)
    told = published(one_area, [values, values], method)
    spec = MinimumDistance(base=3, min_count=3, share=0.5)
    keys = [secret(key) for key in range(250)]
    if values == [[3, 3, 3]]:  # does not add up: no table is published so
        with pytest.raises(ValueError, match="published so"):
            run_backwards(told, outcomes_by_keys(lambda t, k: protect_nearest(t, spec=spec, key=k)[0], keys))
        return
    found = run_backwards(told, outcomes_by_keys(lambda t, k: protect_nearest(t, spec=spec, key=k)[0], keys))
    assert not any(narrow.any() for narrow in found.narrowed(stated_intervals(told)))
    for (level, unit, column), counts in found.taken.items():
        value = told.values[level][unit, column]
        assert counts == set(range(max(0, value - 2), value + 3))


def test_minimum_distance_two_areas_base_2_with_many_keys() -> None:
    """2 × 2 with base 2: nothing narrower than the theorem."""
    areas = true_table(tree([0, 0]), [[0, 0], [0, 0]])
    method = Method(name="controlled-rounding", base=2, min_count=2)
    told = published(areas, [[[0, 0, 0], [2, 0, 2]], [[2, 0, 2]]], method)
    spec = MinimumDistance(base=2, min_count=2, share=0.5)
    outcomes = outcomes_by_keys(lambda t, k: protect_nearest(t, spec=spec, key=k)[0], [secret(k) for k in range(60)])
    found = run_backwards(told, outcomes)
    assert not any(narrow.any() for narrow in found.narrowed(stated_intervals(told)))


def test_10_1_the_smallest_secondary_by_rule() -> None:
    """(c, c, 25 | 45), the smallest other cell hidden with a small one: the first is 1 to 4 or 16 to 19, never 0."""
    true = true_table(tree([0, 0, 0]), [3, 17, 25])
    method = Method(name="exact", base=1, min_count=5)

    def hidden(table: Table):
        cells = table.counts[0][:, 0]
        small = (cells >= 1) & (cells < 5)
        markers = np.where(small, SUPPRESSED, SHOWN)
        if small.sum() == 1:
            markers[np.argmin(np.where(small, 999, cells))] = SUPPRESSED
        yield shown(
            table,
            [np.where(markers == SHOWN, cells, 0)[:, None], table.counts[1]],
            method,
            [markers[:, None], [[SHOWN]]],
        )

    told = next(iter(hidden(true)))
    found = run_backwards(told, hidden, known=stated_intervals(told))
    assert found.taken[0, 0, 0] == found.taken[0, 1, 0] == {1, 2, 3, 4, 16, 17, 18, 19}


def test_v15_nearest_5_by_rule() -> None:
    """Four areas shown 0 under 10 are 2 each; each published value alone says less."""
    true = true_table(tree([0, 0, 0, 0]), [2, 2, 2, 2])
    told = round_conventional(true, base=5, min_count=5)
    found = run_backwards(told, lambda table: [round_conventional(table, base=5, min_count=5)])
    assert found.possible == 1 and found.intervals.lo[0].tolist() == found.intervals.hi[0].tolist() == [[2]] * 4
    assert all(cells.all() for cells in found.exposed(min_count=5, width=4)[:1])
    assert told.method == CONVENTIONAL


def test_random_rounding_backwards_gives_the_stated_interval() -> None:
    true = true_table(tree([0]), [2])
    spec = RandomRounding(base=3, min_count=3)
    told = published(true, [[[3]], [[3]]], Method(name="random-rounding", base=3, min_count=3))
    found = run_backwards(
        told, outcomes_by_keys(lambda t, k: protect_random(t, spec=spec, key=k)[0], [secret(k) for k in range(40)])
    )
    assert found.taken[0, 0, 0] == {1, 2, 3, 4, 5}


@pytest.mark.parametrize(("share", "most"), [(0.0, 3), (0.5, 4)], ids=["by rule", "half by chance"])
def test_small_counts_by_rule_prove_more_than_by_chance(share: float, most: int) -> None:
    """Two areas shown 0 and 5: by rule the larger is raised, and two of 4 would both be; by chance anything is possible."""
    true = true_table(tree([0, 0]), [2, 3])
    told = published(true, [[[0], [5]], [[5]]], Method(name="small-count-rounding", base=5, min_count=5))
    known = Intervals(lo=(np.array([[0], [1]]), np.array([[1]])), hi=(np.array([[4], [5]]), np.array([[9]])))
    spec = SmallCountRounding(share=share)
    outcomes = outcomes_by_keys(
        lambda t, k: protect_small_counts(t, spec=spec, key=k)[0], [secret(k) for k in range(80)]
    )
    found = run_backwards(told, outcomes, known=known)
    assert found.taken[0, 0, 0] == set(range(most + 1))
    assert found.exposed(min_count=5, width=4)[0][0, 0] == (share == 0)
    assert share == 0 or found.taken[0, 1, 0] == {1, 2, 3, 4, 5}


def test_the_tables_tried_are_those_of_brute_force() -> None:
    true = true_table(tree([0, 0, 1], [0, 0]), [[1, 0], [2, 1], [0, 3]])
    told = shown(true, true.counts, EXACT)
    bounds = Intervals(lo=tuple(np.maximum(c - 1, 0) for c in true.counts), hi=tuple(c + 1 for c in true.counts))
    tried = [table.counts for table in fitting_tables(told, bounds)]
    brute = every_table(true.hierarchy, 2, bounds)
    assert len(tried) == len(brute[0]) > 1
    for level in range(3):
        assert {t[level].tobytes() for t in tried} == {np.ascontiguousarray(t).tobytes() for t in brute[level]}


def test_a_table_too_large_is_refused_and_unbounded_parts_are_bounded_by_their_total() -> None:
    large = shown(true_table(tree([0] * 30), [5] * 30), [[[5]] * 30, [[150]]], CONTROLLED)
    with pytest.raises(ValueError, match="too many"):
        next(fitting_tables(large, stated_intervals(large)))
    pair = true_table(tree([0, 0]), [1, 2])
    bounds = Intervals(lo=tuple(np.zeros_like(c) for c in pair.counts), hi=(np.full((2, 1), NO_BOUND), np.array([[3]])))
    assert len(list(fitting_tables(shown(pair, pair.counts, EXACT), bounds))) == 10
