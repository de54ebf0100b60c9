"""Coarser tables as advice."""

from dataclasses import replace

import numpy as np
import pytest
from attack_tools import tree
from suppression_tools import KEY, PLAIN, small, table_of

from sdc.suppression.advise import advise, coarser, merged
from sdc.suppression.suppress import suppress_table
from sdc.tables import Classification, Table


def sparse_table():
    """Many small counts at the smallest level and in two rare categories, few above."""
    rng = np.random.default_rng(5)
    finest = rng.poisson([2.5, 3.0, 9.0, 14.0], (40, 4))
    return table_of(finest, (np.arange(40) // 5).tolist(), (np.arange(8) // 4).tolist(), [0, 0])


def test_advice_names_what_passes_with_the_figures_of_that_very_table():
    table = sparse_table()
    spec = replace(PLAIN, max_share=0.25)
    _, report = suppress_table(table, primary=small(table), spec=spec, key=KEY)
    assert report.above_share == ("oa",)
    tried = advise(table, flag=small, spec=spec, key=KEY)
    by_areas = [each for each in tried if each.leaving_out]
    assert [each.leaving_out for each in by_areas] == [("oa",)] and by_areas[-1].passes
    upper = coarser(table, 1)
    _, again = suppress_table(upper, primary=small(upper), spec=spec, key=KEY)
    assert by_areas[-1].losses == again.losses
    by_categories = [each for each in tried if each.merging]
    assert by_categories[0].merging == (("k0",), ("k1",))
    assert all(loss.share <= 0.25 for each in tried if each.passes for loss in each.losses)
    assert "leaving out oa passes: at most" in by_areas[-1].sentence()
    assert "telling k0, k1 as one category" in by_categories[0].sentence()


def test_what_has_too_many_flagged_to_begin_with_is_not_tried_in_full():
    table = sparse_table()
    first = advise(table, flag=lambda other: tuple(c >= 0 for c in other.counts), spec=PLAIN, key=KEY)[0]
    assert not first.passes and all(loss.share == 1 and loss.others == 0 for loss in first.losses)


def test_advice_for_a_spec_that_names_levels_and_categories_that_are_gone():
    spec = replace(PLAIN, show_levels=("lad",), level_factors={"oa": 2.0}, category_factors={("k0",): 2.0})
    table = table_of([[3, 9], [9, 30], [20, 30], [30, 30]], [0, 0, 1, 1], [0, 0])
    assert advise(table, flag=small, spec=replace(spec, show_levels=("msoa",)), key=KEY)[0].passes


def test_nothing_coarser_nothing_advised():
    table = Table.from_finest(
        hierarchy=type(tree([0]))(levels=("oa",), codes=(np.array(["A"]),), parents=()),
        classification=Classification(dimensions=("d",), categories=(("a",), ("b",))),
        finest=np.array([[3, 9]]),
    )
    assert advise(table, flag=small, spec=PLAIN, key=KEY) == ()


def test_merging_keeps_sums_and_names_the_parts():
    table = sparse_table()
    other = merged(table, (("k0",), ("k3",)))
    assert other.classification.categories == (("k0 + k3",), ("k1",), ("k2",))
    assert np.array_equal(other.counts[0][:, 0], table.counts[0][:, 0] + table.counts[0][:, 3])
    assert np.array_equal(other.counts[-1][:, -1], table.counts[-1][:, -1])
    with pytest.raises(ValueError, match="two or more"):
        merged(table, (("k0",),))


def test_leaving_out_levels():
    table = sparse_table()
    assert coarser(table, 2).hierarchy.levels == table.hierarchy.levels[2:]
    for number in (0, 4):
        with pytest.raises(ValueError, match="number"):
            coarser(table, number)
