"""The same figure under two names, against sets of records."""

from itertools import combinations

import numpy as np
import pytest
from attack_tools import tree
from hypothesis import given, settings
from hypothesis import strategies as st

from sdc.identity import Joint, coincidences, nested_columns, same_columns

SIZES = {"benefit": 3, "group": 3, "sex": 2}
CODES = {name: tuple(f"{name[0].upper()}{i}" for i in range(size)) for name, size in SIZES.items()}
TREE = tree([0, 0, 1, 1, 1], [0, 0])
TABLES = {"by benefit": ("benefit",), "by group": ("group",), "by both": ("group", "sex"), "totals": ()}


def joint_of(records, codes=CODES):
    """Records as (area, category, …) in the order of the dimensions; each becomes a joint cell of its own."""
    rows = np.array(records, np.int64).reshape(-1, 1 + len(codes))
    return Joint(
        area=rows[:, 0].astype(np.int32),
        categories={name: rows[:, 1 + at].astype(np.int16) for at, name in enumerate(codes)},
        count=np.ones(len(rows), np.int64),
        codes=codes,
    )


def sets_of(records, dimensions, *, ancestors=None):
    """The records (by place in the list) behind each column, or behind each unit and column."""
    found = {}
    for place, (area, *categories) in enumerate(records):
        told = dict(zip(CODES, categories, strict=True))
        column = tuple(CODES[name][told[name]] for name in dimensions)
        key = column if ancestors is None else (int(ancestors[area]), column)
        found.setdefault(key, set()).add(place)
    return found


RECORDS = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 2), st.integers(0, 2), st.integers(0, 1)), min_size=1, max_size=14
) | st.lists(  # the group follows the benefit, so that columns coincide often
    st.tuples(st.integers(0, 4), st.integers(0, 2), st.integers(0, 1)).map(lambda r: (r[0], r[1], r[1], r[2])),
    min_size=1,
    max_size=14,
)


@settings(deadline=None, max_examples=150)
@given(RECORDS)
def test_related_columns_are_those_of_the_sets(records):
    same, nested = set(), set()
    for one, two in combinations([name for name in TABLES if TABLES[name]], 2):
        first, second = sets_of(records, TABLES[one]), sets_of(records, TABLES[two])
        for i, mine in first.items():
            for j, theirs in second.items():
                if mine == theirs:
                    same.add((one, i, two, j, len(mine), len(theirs) == len(records)))
                elif mine < theirs:
                    nested.add((one, i, two, j, len(mine), len(theirs) == len(records)))
                elif theirs < mine:
                    nested.add((two, j, one, i, len(theirs), len(mine) == len(records)))
    for found, expected in ((same_columns, same), (nested_columns, nested)):
        pairs = found(joint_of(records), TABLES)
        told = [(p.first_table, p.first, p.second_table, p.second, p.records, p.is_total) for p in pairs]
        assert len(told) == len(set(told))
        assert set(told) == expected


@settings(deadline=None, max_examples=150)
@given(RECORDS, st.integers(2, 5))
def test_coincidences_are_those_of_the_sets(records, min_count):
    rows = coincidences(joint_of(records), TABLES, hierarchy=TREE, min_count=min_count)
    expected = []
    for one, two in combinations([name for name in TABLES if TABLES[name]], 2):
        everywhere = {
            (i, j)
            for i, mine in sets_of(records, TABLES[one]).items()
            for j, theirs in sets_of(records, TABLES[two]).items()
            if mine == theirs
        }
        for level, name in enumerate(TREE.levels):
            ancestors = TREE.ancestors(0, level)
            unit_sets = {}
            for place, (area, *_) in enumerate(records):
                unit_sets.setdefault(int(ancestors[area]), set()).add(place)
            pairs = [
                (unit, mine)
                for (unit, i), mine in sets_of(records, TABLES[one], ancestors=ancestors).items()
                for (other, j), theirs in sets_of(records, TABLES[two], ancestors=ancestors).items()
                if unit == other and mine == theirs and (i, j) not in everywhere
            ]
            open_pairs = [mine for unit, mine in pairs if mine != unit_sets[unit]]
            expected.append(
                {
                    "first_table": one,
                    "second_table": two,
                    "level": name,
                    "pairs": len(pairs),
                    "areas": len({unit for unit, _ in pairs}),
                    "settled": len(pairs) - len(open_pairs),
                    "small": sum(len(mine) < min_count for mine in open_pairs),
                }
            )
    assert rows == expected


def test_a_client_group_that_equals_a_benefit():
    """All claims of B0, and none else, are in group G2; B1 and B2 are spread over both other groups."""
    records = [(0, 0, 2, 0), (3, 0, 2, 1), (1, 1, 0, 0), (2, 1, 1, 0), (2, 2, 0, 1), (4, 2, 1, 1)]
    (pair,) = same_columns(joint_of(records), {"benefit": ("benefit",), "client-group": ("group",)})
    assert (pair.first, pair.second, pair.records, pair.is_total) == (("B0",), ("G2",), 2, False)
    assert pair.sentence() == (
        "column (B0) of table (benefit) and column (G2) of table (client-group) hold the same records in every area: "
        "publish one of the two"
    )


def test_one_record_elsewhere_makes_them_two_figures():
    records = [(0, 0, 2, 0), (3, 0, 2, 1), (1, 1, 0, 0), (2, 1, 1, 0), (2, 2, 0, 1), (4, 2, 1, 1)]
    tables = {"benefit": ("benefit",), "client-group": ("group",)}
    assert same_columns(joint_of([*records, (4, 1, 2, 0)]), tables) == ()
    (pair,) = nested_columns(joint_of([*records, (4, 1, 2, 0)]), tables)
    assert (pair.first, pair.second, pair.same) == (("B0",), ("G2",), False)
    assert "part and whole" in pair.sentence()


def test_a_recode_with_the_same_band():
    """16 to 24 is a band of both recodes; 25 to 49 and 50 and over are parts of 25 and over."""
    codes = {"age": ("16-24", "25-49", "50+"), "broad": ("16-24", "25+")}
    joint = joint_of([(0, 0, 0), (1, 1, 1), (1, 2, 1), (2, 0, 0), (2, 2, 1)], codes)
    tables = {"age": ("age",), "broad": ("broad",)}
    assert [(p.first, p.second) for p in same_columns(joint, tables)] == [(("16-24",), ("16-24",))]
    assert [(p.first_table, p.first, p.second) for p in nested_columns(joint, tables)] == [
        ("age", ("25-49",), ("25+",)),
        ("age", ("50+",), ("25+",)),
    ]


def test_a_crossing_lies_inside_its_margin():
    records = [(0, 0, 0, 0), (1, 0, 0, 1), (1, 1, 1, 0), (2, 1, 1, 1)]
    found = nested_columns(joint_of(records), {"benefit": ("benefit",), "crossed": ("benefit", "sex")})
    assert {(p.first_table, p.first, p.second) for p in found} == {
        ("crossed", (benefit, sex), (benefit,)) for benefit in ("B0", "B1") for sex in ("S0", "S1")
    }


def test_columns_without_records_are_not_the_same():
    """B2 and G2 are empty: 0 wherever they stand."""
    records = [(0, 0, 0, 0), (0, 0, 1, 0), (1, 1, 0, 0), (1, 1, 1, 1)]
    assert same_columns(joint_of(records), {"benefit": ("benefit",), "group": ("group",)}) == ()


def test_cells_listed_with_no_record_say_nothing():
    tables = {"benefit": ("benefit",), "group": ("group",)}
    joint = joint_of([(0, 0, 2, 0), (1, 1, 0, 0), (1, 1, 1, 0), (0, 0, 0, 0)])
    joint.count[3] = 0  # with a record it would part B0 from G2
    assert [(pair.first, pair.second) for pair in same_columns(joint, tables)] == [(("B0",), ("G2",))]
    joint = joint_of([(0, 0, 0, 0), (0, 1, 0, 0), (1, 0, 1, 0), (1, 1, 1, 0)])
    joint.count[1] = 0  # with a record it would part B0 from G0 in area 0
    assert coincidences(joint, tables, hierarchy=TREE, min_count=5)[0]["pairs"] == 1


def test_a_coincidence_in_one_area_only():
    """In area 0 both carers (B0) are women (S1), and there are men with another benefit; elsewhere B0 has men too."""
    records = [(0, 0, 0, 1), (0, 0, 1, 1), (0, 1, 0, 0), (1, 0, 0, 0), (1, 1, 0, 1), (1, 1, 0, 0)]
    tables = {"benefit": ("benefit",), "sex": ("sex",)}
    assert same_columns(joint_of(records), tables) == ()
    rows = coincidences(joint_of(records), tables, hierarchy=TREE, min_count=2)
    assert (rows[0]["level"], rows[0]["pairs"], rows[0]["areas"]) == ("oa", 2, 1)
    assert (rows[0]["settled"], rows[0]["small"]) == (0, 1)  # the one man is small, the two women are not below 2
    assert rows[1]["pairs"] == rows[2]["pairs"] == 0


def test_shared_totals_settle_what_holds_all_records_of_an_area():
    records = [(0, 0, 0, 1), (1, 0, 0, 0), (1, 1, 0, 0), (1, 1, 0, 1), (1, 0, 0, 1)]
    rows = coincidences(
        joint_of(records), {"benefit": ("benefit",), "sex": ("sex",)}, hierarchy=tree([0, 0]), min_count=5
    )
    assert (rows[0]["pairs"], rows[0]["settled"], rows[0]["small"]) == (1, 1, 0)


def test_counts_weigh_in():
    """A joint cell of many records is not small."""
    joint = joint_of([(0, 0, 0, 1), (0, 1, 0, 0), (1, 0, 0, 0), (1, 1, 0, 1)])
    joint.count[:] = [7, 3, 1, 1]
    tables = {"benefit": ("benefit",), "sex": ("sex",)}
    oa = coincidences(joint, tables, hierarchy=tree([0, 0]), min_count=5)[0]
    assert (oa["pairs"], oa["small"]) == (4, 3)


def test_no_records_at_all():
    joint = joint_of([])
    assert same_columns(joint, TABLES) == nested_columns(joint, TABLES) == ()
    assert all(row["pairs"] == 0 for row in coincidences(joint, TABLES, hierarchy=TREE, min_count=5))


def test_names_and_columns_are_inverse():
    joint = joint_of([(0, i, j, k) for i in range(3) for j in range(3) for k in range(2)])
    dimensions = ("sex", "benefit")
    told = [joint.names(dimensions, int(column)) for column in joint.columns(dimensions)]
    assert told == [(f"S{k}", f"B{i}") for i in range(3) for j in range(3) for k in range(2)]
    assert joint.width(dimensions) == 6 and joint.width(()) == 1


def test_what_does_not_belong_together_is_refused():
    joint = joint_of([(4, 0, 0, 0)])
    with pytest.raises(ValueError, match=r"table \(odd\) is by \(duration\)"):
        same_columns(joint, {"odd": ("duration",)})
    with pytest.raises(ValueError, match="hierarchy"):
        coincidences(joint, TABLES, hierarchy=tree([0, 0]), min_count=5)
    good = {"area": joint.area, "categories": joint.categories, "count": joint.count, "codes": CODES}
    for change, told in (
        ({"area": joint.area[:0]}, "one per joint cell"),
        ({"count": joint.count.astype(float)}, "whole numbers"),
        ({"count": -joint.count}, "at least 0"),
        ({"codes": {**CODES, "benefit": ()}}, "code for every index"),
        ({"codes": {"benefit": CODES["benefit"]}}, "must have its codes"),
    ):
        with pytest.raises(ValueError, match=told):
            Joint(**{**good, **change})
