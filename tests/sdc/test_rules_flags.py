"""The contract of risk rules: flags, reasons, and their union."""

import numpy as np
import pytest
from attack_tools import tree, true_table
from hypothesis import given, settings
from hypothesis import strategies as st

from sdc.rules.flags import Flags, apply_rules, combine, flag_counts, no_flags
from sdc.rules.threshold import Threshold
from sdc.rules.zeros import Zeros

# Two local areas under one authority, two benefits and their total.
TABLE = true_table(tree([0, 0]), [[4, 0], [0, 7]])
FEW = Flags(rule="few", reason="there are few", hit=(np.array([[True, False]]), np.array([[False, True]])))
ODD = Flags(rule="odd", reason="they are odd", hit=(np.array([[True, True]]), np.array([[False, False]])))


def masks(shapes):
    return st.tuples(
        *[st.lists(st.booleans(), min_size=n, max_size=n).map(lambda row: np.array([row])) for n in shapes]
    )


def test_a_cell_keeps_the_reason_of_every_rule_that_flags_it():
    both = combine(FEW, ODD)
    assert [hit.tolist() for hit in both.hit] == [[[True, True]], [[False, True]]]
    assert both.reasons_of((0, 0, 0)) == ("there are few", "they are odd")
    assert both.rules_of((0, 0, 0)) == ("few", "odd")
    assert both.reasons_of((0, 0, 1)) == ("they are odd",)
    assert both.reasons_of((1, 0, 0)) == ()
    assert (both.rule, both.reason, both.number()) == ("few, odd", "there are few; they are odd", 3)


def test_one_rule_alone_tells_its_own_reason():
    assert combine(FEW) is FEW
    assert FEW.reasons_of((0, 0, 0)) == ("there are few",)
    assert FEW.reasons_of((0, 0, 1)) == ()


@settings(deadline=None, max_examples=50)
@given(st.lists(masks((3, 2)), min_size=2, max_size=5))
def test_combining_in_steps_is_combining_at_once(hits):
    flags = [Flags(rule=f"r{i}", reason=f"because {i}", hit=hit) for i, hit in enumerate(hits)]
    once, steps = combine(*flags), flags[0]
    for one in flags[1:]:
        steps = combine(steps, one)
    for level, width in enumerate((3, 2)):
        assert np.array_equal(once.hit[level], steps.hit[level])
        assert np.array_equal(once.hit[level], np.any([hit[level] for hit in hits], axis=0))
        for column in range(width):
            cell = (level, 0, column)
            wanted = tuple(f"because {i}" for i, hit in enumerate(hits) if hit[level][0, column])
            assert once.reasons_of(cell) == steps.reasons_of(cell) == wanted


def test_rules_of_one_contract_are_applied_together():
    told = apply_rules(TABLE, [Threshold(min_count=5), Zeros(default="sensitive")])
    #                                k0    k1    total
    assert told.hit[0].tolist() == [[True, True, True], [True, False, False]]
    assert told.hit[1].tolist() == [[True, False, False]]
    assert told.rules_of((0, 0, 1)) == ("zeros",)
    assert told.rules_of((0, 0, 2)) == ("threshold",)


def test_without_rules_nothing_is_flagged():
    assert apply_rules(TABLE, []).number() == no_flags(TABLE).number() == 0


def test_counts_by_level_and_rule():
    both = combine(FEW, ODD)
    rows = flag_counts(both, ("oa", "lad"))
    assert [(row["level"], row["rule"], row["cells"], row["alone"]) for row in rows] == [
        ("oa", "few", 1, 0),
        ("oa", "odd", 2, 1),
        ("lad", "few", 1, 1),
        ("lad", "odd", 0, 0),
    ]


def test_flags_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match="in words"):
        Flags(rule="few", reason="", hit=FEW.hit)
    with pytest.raises(ValueError, match="must be bool, not int64"):
        Flags(rule="few", reason="few", hit=(np.array([[1]]),))
    with pytest.raises(ValueError, match="shapes differ"):
        combine(FEW, Flags(rule="few", reason="few", hit=(np.array([True]),)))
    with pytest.raises(ValueError, match="flags to combine"):
        combine()
