"""How tables are held: hierarchy, classification, true and safe tables."""

import numpy as np
import pytest
from attack_tools import flat, tree, true_table
from hypothesis import given, settings
from hypothesis import strategies as st

from sdc.tables import (
    MARKERS,
    SHOWN,
    SUPPRESSED,
    TOTAL,
    Classification,
    Hierarchy,
    Method,
    SafeTable,
    Table,
    sum_up,
)

TREE = tree([0, 1, 0, 2, 1], [0, 0, 1], [0, 0])


def hierarchy(**changes):
    """Three output areas in two LSOAs, with changes."""
    parts = {
        "levels": ("oa", "lsoa"),
        "codes": (np.array(["E00000001", "E00000002", "E00000003"]), np.array(["E01000001", "E01000002"])),
        "parents": (np.array([0, 1, 0], np.int32),),
    }
    return Hierarchy(**{**parts, **changes})


def test_units_and_ancestors():
    assert TREE.units == (5, 3, 2, 1)
    assert TREE.ancestors(0, 0).tolist() == [0, 1, 2, 3, 4]
    assert TREE.ancestors(0, 1).tolist() == [0, 1, 0, 2, 1]
    assert TREE.ancestors(0, 2).tolist() == [0, 0, 0, 1, 0]
    assert TREE.ancestors(1, 3).tolist() == [0, 0, 0]
    assert TREE.ancestors(0, 2).dtype == np.int32


def test_a_hierarchy_of_one_level_has_no_parents():
    one = Hierarchy(levels=("oa",), codes=(np.array(["A", "B"]),), parents=())
    assert one.units == (2,) and one.ancestors(0, 0).tolist() == [0, 1]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"levels": ("oa",)}, "codes for each level"),
        ({"levels": (), "codes": (), "parents": ()}, "codes for each level"),
        ({"parents": ()}, "parents for each level but the last"),
        ({"codes": (np.array(["B", "A", "C"]), np.array(["X", "Y"]))}, r"level \(oa\).*sorted and unique"),
        ({"codes": (np.array(["A", "A", "C"]), np.array(["X", "Y"]))}, r"level \(oa\).*sorted and unique"),
        ({"codes": (np.array(["A", "B", "C"]), np.array([], str))}, r"level \(lsoa\).*at least one"),
        ({"parents": (np.array([0, 1, 0], np.int64),)}, "int32"),
        ({"parents": (np.array([0, 1], np.int32),)}, "one per unit"),
        ({"parents": (np.array([0, 1, 2], np.int32),)}, "none may be unknown"),
        ({"parents": (np.array([0, 1, -1], np.int32),)}, "none may be unknown"),
        ({"parents": (np.array([0, 0, 0], np.int32),)}, r"level \(lsoa\) must have a child"),
    ],
)
def test_faulty_hierarchies_are_refused(changes, told):
    hierarchy()
    with pytest.raises(ValueError, match=told):
        hierarchy(**changes)


def test_columns_are_the_categories_then_the_total():
    both = Classification(dimensions=("age", "sex"), categories=(("16-24", "F"), ("16-24", "M"), ("25+", "F")))
    assert both.columns == (("16-24", "F"), ("16-24", "M"), ("25+", "F"), (TOTAL, TOTAL))
    assert len(both) == 3
    assert flat(0).columns == ((),) and len(flat(0)) == 0


@pytest.mark.parametrize(
    ("dimensions", "categories", "told"),
    [
        (("a",), (("y",), ("x",)), "sorted"),
        (("a",), (("x",), ("x",)), "unique"),
        (("a", "b"), (("x",),), "one code per dimension"),
        (("a",), (("",),), "none blank"),
        (("a",), ((TOTAL,),), "Total"),
        (("a",), (), "categories for its dimensions"),
        ((), ((),), "categories for its dimensions"),
    ],
)
def test_faulty_classifications_are_refused(dimensions, categories, told):
    with pytest.raises(ValueError, match=told):
        Classification(dimensions=dimensions, categories=categories)


def test_codes_are_sorted_by_code_point():
    Classification(dimensions=("a",), categories=(("B",), ("a",)))
    with pytest.raises(ValueError, match="sorted"):
        Classification(dimensions=("a",), categories=(("a",), ("B",)))


FINEST = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=5, max_size=5)


@settings(deadline=None, max_examples=60)
@given(FINEST)
def test_sums_at_every_level_by_adding(finest):
    table = true_table(TREE, finest)
    for level, units in enumerate(TREE.units):
        over = TREE.ancestors(0, level)
        for unit in range(units):
            below = [row for row, at in zip(finest, over.tolist(), strict=True) if at == unit]
            k0, k1 = sum(row[0] for row in below), sum(row[1] for row in below)
            assert table.counts[level][unit].tolist() == [k0, k1, k0 + k1]
    totals = table.totals()
    assert all(np.array_equal(one, many[:, -1:]) for one, many in zip(totals.counts, table.counts, strict=True))
    assert len(totals.classification) == 0


@settings(deadline=None, max_examples=60)
@given(FINEST, st.data())
def test_one_changed_cell_breaks_additivity(finest, data):
    """Every cell is a part or a sum of others."""
    table = true_table(TREE, finest)
    level = data.draw(st.integers(0, 3))
    counts = tuple(array.copy() for array in table.counts)
    unit, column = data.draw(st.integers(0, TREE.units[level] - 1)), data.draw(st.integers(0, 2))
    counts[level][unit, column] += data.draw(st.integers(1, 3))
    with pytest.raises(ValueError, match="add up"):
        Table(hierarchy=TREE, classification=table.classification, counts=counts)


def test_sum_up_keeps_the_kind_of_number_and_its_input():
    words = np.array([[2**64 - 1], [1], [0], [3], [5]], np.uint64)
    before = words.copy()
    sums = sum_up(TREE, words)
    assert all(array.dtype == np.uint64 for array in sums)
    assert sums[2].ravel().tolist() == [5, 3]  # modulo 2**64
    assert np.array_equal(words, before)


def test_counts_and_shapes_are_checked():
    classification = flat(2)
    with pytest.raises(ValueError, match=r"counts of level \(oa\) must be at least 0"):
        Table.from_finest(hierarchy=tree([0, 0]), classification=classification, finest=np.array([[1, -1], [0, 2]]))
    good = true_table(tree([0, 0]), [[1, 2], [3, 4]])
    with pytest.raises(ValueError, match="one array per level"):
        Table(hierarchy=good.hierarchy, classification=classification, counts=good.counts[:1])
    with pytest.raises(ValueError, match="int64"):
        Table(
            hierarchy=good.hierarchy,
            classification=classification,
            counts=tuple(counts.astype(np.int32) for counts in good.counts),
        )
    with pytest.raises(ValueError, match="shape"):
        Table(hierarchy=good.hierarchy, classification=flat(3), counts=good.counts)


def test_from_finest_leaves_its_input_alone():
    finest = np.array([[1, 2], [3, 4]])
    table = Table.from_finest(hierarchy=tree([0, 0]), classification=flat(2), finest=finest)
    table.counts[0][0, 0] = 99
    assert finest.tolist() == [[1, 2], [3, 4]]


def test_a_safe_table_shows_everything_unless_told_otherwise():
    table = true_table(tree([0, 0]), [[1, 2], [3, 4]])
    safe = SafeTable(
        hierarchy=table.hierarchy, classification=table.classification, values=table.counts, method=Method(name="exact")
    )
    assert all((markers == SHOWN).all() and markers.dtype == np.int8 for markers in safe.markers)
    assert [markers.shape for markers in safe.markers] == [(2, 3), (1, 3)]
    assert MARKERS[SHOWN] == "" and MARKERS[SUPPRESSED] == "c"


def test_cells_come_level_by_level_unit_by_unit():
    table = true_table(tree([0, 0]), [1, 3])
    safe = SafeTable(
        hierarchy=table.hierarchy, classification=table.classification, values=table.counts, method=Method(name="exact")
    )
    assert list(safe.cells()) == [(0, 0, 0), (0, 1, 0), (1, 0, 0)]


def test_methods_are_checked():
    with pytest.raises(ValueError, match=r"base \(0\)"):
        Method(name="exact", base=0)
    with pytest.raises(ValueError, match=r"min_count \(1\)"):
        Method(name="exact", min_count=1)
