"""k-disclosure against its definition, written out cell by cell."""

from itertools import combinations, product

import numpy as np
import pytest
from attack_tools import tree, true_table
from hypothesis import given, settings
from hypothesis import strategies as st

from sdc.rules.kdisclosure import Combination, KDisclosure
from sdc.rules.zeros import Zeros, ZerosOf
from sdc.tables import TOTAL, Classification, Table

# Handbook, section 5.2: marital status by hours worked, one area.
HOURS = Classification(
    dimensions=("status", "hours"),
    categories=(
        ("divorced", "full"),
        ("divorced", "part"),
        ("married", "full"),
        ("married", "part"),
        ("single", "full"),
        ("single", "part"),
    ),
)
HANDBOOK = Table.from_finest(
    hierarchy=tree(), classification=HOURS, finest=np.array([[5, 1, 6, 0, 2, 2]], dtype=np.int64)
)
BENEFITS = ("CA", "ESA", "PIP")


def flagged(rule, table, level=0):
    (row,) = rule.flags(table).hit[level]
    return ["-".join(column) for column, hit in zip(table.classification.columns, row, strict=True) if hit]


def test_v9_k_disclosure():
    """k = 0 flags married alone, k = 1 married and divorced full time, not single (methods, section 7)."""
    assert flagged(KDisclosure(sensitive=("hours",), k=0), HANDBOOK) == ["married-full"]
    assert flagged(KDisclosure(sensitive=("hours",), k=1), HANDBOOK) == ["divorced-full", "married-full"]


def test_the_reason_is_told_in_words():
    told = KDisclosure(sensitive=("hours",), k=1).flags(HANDBOOK)
    assert told.reasons_of((0, 0, 0)) == (
        "all of the people in its group, or all but at most 1, share its category of hours",
    )
    assert told.reasons_of((0, 0, 5)) == ()


def test_zeros_that_say_nobody_has_it():
    assert flagged(KDisclosure(sensitive=("hours",), nobody=True), HANDBOOK) == ["married-full", "married-part"]


def test_groups_of_the_upper_bound_are_exempt():
    assert flagged(KDisclosure(sensitive=("hours",), upper_bound=6), HANDBOOK) == []
    assert flagged(KDisclosure(sensitive=("hours",), upper_bound=7), HANDBOOK) == ["married-full"]


def test_whoever_knows_enough_others_learns_of_the_rest_but_never_of_the_total():
    told = flagged(KDisclosure(sensitive=("hours",), k=9), HANDBOOK)
    assert told == [f"{status}-{hours}" for status, hours in HOURS.categories if (status, hours) != ("married", "part")]
    assert f"{TOTAL}-{TOTAL}" not in told


def test_a_dimension_the_table_lacks_is_passed_over():
    assert KDisclosure(sensitive=("benefit",)).flags(HANDBOOK).number() == 0


def test_meaningful_combinations_are_parts_and_wholes():
    by_benefit = Classification(dimensions=("benefit",), categories=tuple((b,) for b in BENEFITS))
    disability = Combination(dimension="benefit", name="disability", codes=("ESA", "PIP"))
    rule = KDisclosure(sensitive=("benefit",), combinations=(disability,))

    def row(*finest):
        return Table.from_finest(hierarchy=tree(), classification=by_benefit, finest=np.array([finest], np.int64))

    # Everybody has a disability benefit, though neither alone.
    assert flagged(KDisclosure(sensitive=("benefit",)), row(0, 3, 4)) == []
    assert flagged(rule, row(0, 3, 4)) == ["ESA", "PIP"]
    # Of those with a disability benefit all have PIP, though others have CA.
    assert flagged(rule, row(4, 0, 3)) == ["PIP"]


def test_a_category_without_choice_is_no_disclosure():
    ages = Classification(
        dimensions=("age", "work"), categories=(("child", "none"), ("grown", "none"), ("grown", "paid"))
    )
    table = Table.from_finest(hierarchy=tree(), classification=ages, finest=np.array([[7, 0, 3]], np.int64))
    assert flagged(KDisclosure(sensitive=("work",)), table) == ["grown-paid"]
    structural = Zeros(of=(ZerosOf(where=(("age", "grown"), ("work", "none")), are="structural"),))
    assert flagged(KDisclosure(sensitive=("work",), zeros=structural), table) == []


def test_areas_may_be_sensitive_themselves():
    # Two local areas in the first middle area, one in each of the others; all under one authority.
    table = true_table(tree([0, 0, 1, 2], [0, 0, 0]), [[3, 1], [0, 1], [0, 5], [0, 0]])
    told = KDisclosure(areas=True).flags(table)
    #                                k0     k1     total
    assert told.hit[0].tolist() == [
        [True, False, False],
        [False, False, False],
        [False, False, False],
        [False, False, False],
    ]
    assert told.hit[1].tolist() == [[True, False, False], [False, False, False], [False, False, False]]
    assert not told.hit[2].any()


def test_an_only_child_is_held_against_the_area_further_up():
    table = true_table(tree([0, 1], [0, 0]), [[3, 1], [0, 1]])
    told = KDisclosure(areas=True).flags(table)
    assert told.hit[0].tolist() == told.hit[1].tolist() == [[True, False, False], [False, False, False]]


DIMENSIONS = ("a", "b", "c")
TABLES = st.integers(1, 3).flatmap(
    lambda n: st.tuples(
        st.just(n),
        st.lists(st.lists(st.integers(0, 3), min_size=2**n, max_size=2**n), min_size=3, max_size=3),
    )
)


def crossed(number, finest):
    """Three areas, two of them under one parent, by `number` dimensions of two codes each."""
    names = DIMENSIONS[:number]
    categories = tuple(product(*[(f"{name}0", f"{name}1") for name in names]))
    return Table.from_finest(
        hierarchy=tree([0, 0, 1]),
        classification=Classification(dimensions=names, categories=categories),
        finest=np.array(finest, np.int64),
    )


def by_definition(table, sensitive, k, upper_bound, collapsed):
    """Columns of finest cells inside a directly disclosive cell, summing over the `collapsed` dimensions as well."""
    dimensions, categories = table.classification.dimensions, table.classification.categories
    at = dimensions.index(sensitive)
    fixed = [i for i in range(len(dimensions)) if i != at and dimensions[i] not in collapsed]
    groups = {}
    for column, category in enumerate(categories):
        groups.setdefault(tuple(category[i] for i in fixed), []).append(column)
    hit = [np.zeros(counts.shape, bool) for counts in table.counts]
    for level, counts in enumerate(table.counts):
        for unit, members in product(range(len(counts)), groups.values()):
            whole = counts[unit, members].sum()
            for code in {categories[column][at] for column in members}:
                inside = [column for column in members if categories[column][at] == code]
                part = counts[unit, inside].sum()
                if part >= 1 and whole - k <= part and (upper_bound is None or whole < upper_bound):
                    hit[level][unit, inside] = counts[unit, inside] >= 1
    return hit


@settings(deadline=None, max_examples=100)
@given(TABLES, st.integers(0, 2), st.sampled_from([None, 3, 6]))
def test_it_is_its_definition_and_margins_add_nothing(made, k, upper_bound):
    table = crossed(*made)
    for sensitive in table.classification.dimensions:
        told = KDisclosure(sensitive=(sensitive,), k=k, upper_bound=upper_bound).flags(table)
        wanted = by_definition(table, sensitive, k, upper_bound, ())
        assert all(np.array_equal(a, b) for a, b in zip(told.hit, wanted, strict=True))
        others = [name for name in table.classification.dimensions if name != sensitive]
        for number in range(1, len(others) + 1):
            for collapsed in combinations(others, number):
                margins = by_definition(table, sensitive, k, upper_bound, collapsed)
                # Some finest cell of every disclosive margin is flagged, and nothing that it rests on is missed.
                assert all(np.all(b <= a) for a, b in zip(told.hit, margins, strict=True))


@settings(deadline=None, max_examples=50)
@given(st.lists(st.lists(st.integers(0, 3), min_size=2, max_size=2), min_size=6, max_size=6), st.integers(0, 2))
def test_areas_further_up_add_nothing(finest, k):
    table = true_table(tree([0, 0, 1, 1, 2, 3], [0, 0, 1, 1]), finest)
    told = KDisclosure(areas=True, k=k).flags(table)
    hierarchy = table.hierarchy
    for below in range(len(hierarchy.levels)):
        for above in range(below + 1, len(hierarchy.levels)):
            ancestors = hierarchy.ancestors(below, above)
            for unit, column in np.ndindex(*table.counts[below].shape):
                part, whole = table.counts[below][unit, column], table.counts[above][ancestors[unit], column]
                alone = np.sum(ancestors == ancestors[unit]) == 1
                if not alone and part >= 1 and whole - k <= part:
                    assert told.hit[below][unit, column]


def test_what_cannot_be_meant_is_refused():
    with pytest.raises(ValueError, match=r"k \(-1\)"):
        KDisclosure(sensitive=("hours",), k=-1)
    with pytest.raises(ValueError, match="upper_bound"):
        KDisclosure(sensitive=("hours",), upper_bound=0)
    with pytest.raises(ValueError, match="sensitive dimension"):
        KDisclosure(combinations=(Combination(dimension="hours", name="any", codes=("full", "part")),))
    with pytest.raises(ValueError, match="at least two codes"):
        Combination(dimension="hours", name="any", codes=("full",))
    unknown = Combination(dimension="hours", name="any", codes=("full", "zero"))
    with pytest.raises(ValueError, match="names zero"):
        KDisclosure(sensitive=("hours",), combinations=(unknown,)).flags(HANDBOOK)
