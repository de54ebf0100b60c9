"""Zeros: public, sensitive or structural, by category."""

import numpy as np
import pytest
from attack_tools import tree, true_table

from common.faults import InputError
from sdc.rules.zeros import Zeros, ZerosOf
from sdc.tables import Classification, Table

PARENTS = tree([0, 0])
AGE_STATUS = Classification(
    dimensions=("age", "status"),
    categories=(("child", "married"), ("child", "single"), ("grown", "married"), ("grown", "single")),
)
CHILDREN_MARRIED = ZerosOf(where=(("age", "child"), ("status", "married")), are="structural")


def table(finest):
    return Table.from_finest(hierarchy=PARENTS, classification=AGE_STATUS, finest=np.array(finest, np.int64))


FEW = table([[0, 0, 3, 0], [0, 2, 0, 0]])


def test_public_zeros_are_no_risk():
    assert Zeros().flags(FEW).number() == 0


def test_sensitive_zeros_are_flagged_at_every_level_and_in_totals():
    told = Zeros(default="sensitive").flags(true_table(tree([0, 0]), [[0, 3], [0, 0]]))
    assert told.hit[0].tolist() == [[True, False, False], [True, True, True]]
    assert told.hit[1].tolist() == [[True, False, False]]
    assert told.reasons_of((0, 1, 2)) == ("nobody is counted, and for this category that may not be told",)


def test_structural_zeros_are_known_and_so_never_flagged():
    rule = Zeros(default="sensitive", of=(CHILDREN_MARRIED,))
    assert rule.structural(AGE_STATUS).tolist() == [True, False, False, False, False]
    assert rule.flags(FEW).hit[0].tolist() == [
        [False, True, False, True, False],
        [False, False, True, True, False],
    ]


def test_one_dimension_names_all_its_crossings_and_the_later_word_counts():
    rule = Zeros(of=(ZerosOf(where=(("status", "single"),), are="sensitive"), CHILDREN_MARRIED))
    assert rule.flags(FEW).hit[1].tolist() == [[False, False, False, True, False]]
    assert rule.treatments(AGE_STATUS).tolist() == [2, 1, 0, 1, 0]
    later = Zeros(of=(*rule.of, ZerosOf(where=(("age", "child"),), are="public")))
    assert later.treatments(AGE_STATUS).tolist() == [0, 0, 0, 1, 0]


def test_a_table_without_the_dimension_is_passed_over():
    by_benefit = true_table(PARENTS, [[0, 1], [2, 0]])
    assert Zeros(of=(CHILDREN_MARRIED,)).flags(by_benefit).number() == 0


def test_somebody_where_nobody_can_be_is_a_fault_of_the_input():
    with pytest.raises(InputError) as caught:
        Zeros(of=(CHILDREN_MARRIED,)).flags(table([[0, 1, 0, 0], [3, 0, 0, 0]]))
    (fault,) = caught.value.faults
    assert fault.key == "age=child, status=married"
    assert "3" not in fault.line()


def test_what_cannot_be_meant_is_refused():
    with pytest.raises(ValueError, match="must be public or sensitive"):
        Zeros(default="structural")
    with pytest.raises(ValueError, match=r"are \(secret\) must be one of public, sensitive, structural"):
        ZerosOf(where=(("age", "child"),), are="secret")
    with pytest.raises(ValueError, match="at least one dimension"):
        ZerosOf(where=(), are="public")
    with pytest.raises(ValueError, match="no such category"):
        Zeros(of=(ZerosOf(where=(("age", "old"),), are="sensitive"),)).flags(FEW)
