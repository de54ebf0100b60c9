"""What is asked: ranges, prices, protection, and what the key decides."""

import numpy as np
import pytest
from attack_tools import flat, tree
from suppression_tools import KEY, PLAIN, table_of

from sdc.network import flatten
from sdc.suppression.arcs import MUST_SHOW
from sdc.suppression.keyed import cell_words, draw_decoys, keyed_prices
from sdc.suppression.spec import SuppressionSpec, base_prices, protection_of
from sdc.tables import Table


@pytest.mark.parametrize(
    "wrong",
    [
        {"min_count": 1},
        {"level_weight": -1.0},
        {"total_weight": 101.0},
        {"spread": -0.1},
        {"decoys": 1.0},
        {"max_share": 0.0},
        {"level_factors": {"oa": 0.0}},
        {"category_factors": {("a",): 2000.0}},
    ],
)
def test_values_outside_their_range_are_refused(wrong):
    with pytest.raises(ValueError, match="must be"):
        SuppressionSpec(**wrong)


def test_prices_are_those_of_the_formula():
    """1 + ln(1 + x) + 3 × level + 1 for a total, in thousandths."""
    table = table_of([[3, 0], [9, 7]])
    lower, upper = base_prices(table, PLAIN)
    assert lower[0].tolist() == pytest.approx([1000 * (1 + np.log(4)), 1000, 1000 * (2 + np.log(4))])
    assert upper[0].tolist() == pytest.approx(
        [1000 * (4 + np.log(13)), 1000 * (4 + np.log(8)), 1000 * (5 + np.log(20))]
    )


def test_factors_and_prohibitions():
    table = table_of([[3, 0], [9, 7]])
    spec = SuppressionSpec(
        level_factors={"lsoa": 2.0}, category_factors={("k0",): 0.5}, show_totals=("lsoa",), hide_zeros=False
    )
    plain, (lower, upper) = base_prices(table, PLAIN), base_prices(table, spec)
    assert lower[0, 0] == plain[0][0, 0] / 2 and lower[0, 1] == MUST_SHOW and lower[1, 1] == plain[0][1, 1]
    assert upper[0, 0] == plain[1][0, 0] and upper[0, 1] == 2 * plain[1][0, 1] and upper[0, 2] == MUST_SHOW
    assert (base_prices(table, SuppressionSpec(show_levels=("lsoa",)))[1] == MUST_SHOW).all()


def test_protection_covers_0_to_min_count():
    table = table_of([[3, 0], [9, 7]])
    levels = protection_of(table, 5)
    assert levels.lower[0].tolist() == [[3, 0, 3], [5, 5, 5]]
    assert levels.upper[0].tolist() == [[2, 5, 2], [5, 5, 5]]


def test_words_hang_on_area_category_contributors_and_key():
    """Totals have the same word in every table; a table among others has the words it has alone."""
    hierarchy = tree([0, 0, 0])
    finest = np.array([[3, 0], [9, 7], [1, 1]])
    benefit = Table.from_finest(hierarchy=hierarchy, classification=flat(2, "benefit"), finest=finest)
    sex = Table.from_finest(hierarchy=hierarchy, classification=flat(2, "sex"), finest=finest[:, ::-1].copy())
    words = {name: cell_words(table, KEY).reshape(-1, 3) for name, table in (("benefit", benefit), ("sex", sex))}
    assert np.array_equal(words["benefit"][:, 2], words["sex"][:, 2])
    assert not np.intersect1d(words["benefit"][:, :2], words["sex"][:, :2]).size
    assert len(np.unique(words["benefit"])) == words["benefit"].size
    assert not np.intersect1d(words["benefit"], cell_words(benefit, KEY + b"!")).size
    assert np.array_equal(cell_words(benefit.totals(), KEY), words["benefit"][:, 2])


def test_an_area_with_one_child_and_its_code_has_a_word_of_its_own():
    hierarchy = type(tree([0]))(
        levels=("oa", "lsoa"), codes=(np.array(["A"]), np.array(["A"])), parents=(np.zeros(1, np.int32),)
    )
    table = Table.from_finest(hierarchy=hierarchy, classification=flat(1), finest=np.array([[3]]))
    assert len(np.unique(cell_words(table, KEY))) == 4


def test_the_key_raises_prices_by_up_to_the_spread():
    table = table_of(np.arange(2000).reshape(-1, 4) % 50)
    spec = SuppressionSpec(spread=0.25)
    raised = keyed_prices(table, spec, cell_words(table, KEY)) / flatten(base_prices(table, spec))
    assert raised.min() >= 0.999 and raised.max() <= 1.25
    assert abs(raised.mean() - 1.125) < 0.01
    assert np.array_equal(
        keyed_prices(table, PLAIN, cell_words(table, KEY)), flatten(base_prices(table, PLAIN)).astype(int)
    )


def test_decoys_are_drawn_at_their_chance_among_those_that_may_be():
    table = table_of(np.arange(8000).reshape(-1, 4) % 20)
    counts, words = flatten(table.counts), cell_words(table, KEY)
    eligible = (counts == 0) | ((counts >= 5) & (counts < 10))
    decoys = draw_decoys(counts, SuppressionSpec(decoys=0.2), words)
    assert not (decoys & ~eligible).any() and abs(decoys[eligible].mean() - 0.2) < 0.03
    assert not draw_decoys(counts, PLAIN, words).any()
    assert not draw_decoys(counts, SuppressionSpec(decoys=0.2, hide_zeros=False), words)[counts == 0].any()
