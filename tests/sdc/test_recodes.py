"""Recodes of one variable: bands inside bands, each figure drawn once."""

from dataclasses import replace

import numpy as np
import pytest
from attack_tools import CONTROLLED, tree
from hypothesis import given, settings
from hypothesis import strategies as st
from population_tools import as_published, by
from rounding_tools import error, every_rounding, secret

from common.faults import Infeasible
from sdc.extension import extend_recodes
from sdc.rounding.controlled import ControlledRounding, round_controlled
from sdc.rounding.recodes import RecodesReport, nest_recodes, recoded, round_recodes
from sdc.tables import Classification, SafeTable, Table

BASE = 5
SPEC = ControlledRounding(base=BASE, min_count=BASE)
BROAD, MIDDLE, FINE = (0, 0, 0, 1, 1, 2), (0, 0, 1, 2, 2, 3), (0, 1, 2, 3, 4, 5)


def bands(number: int) -> Classification:
    return Classification(dimensions=("age",), categories=tuple((f"band {i}",) for i in range(number)))


def in_recodes(hierarchy, finest, recodes) -> dict[str, Table]:
    """The tables of each recode of the finest counts."""
    table = by(hierarchy, "finest", finest)
    return {name: recoded(table, recode, bands(max(recode) + 1)) for name, recode in recodes.items()}


def town(seed: int, areas: int, mean: float, recodes) -> dict[str, Table]:
    rng = np.random.default_rng(seed)
    streets = max(areas // 5, 1)
    parents = np.sort(np.concatenate([np.arange(streets), rng.integers(0, streets, areas - streets)])).tolist()
    return in_recodes(tree(parents, [0] * streets), rng.poisson(mean, (areas, 6)), recodes)


def assert_promises(tables: dict[str, Table], safe: dict[str, SafeTable], recodes) -> None:
    for name, table in tables.items():
        values = safe[name].values
        assert not any(np.any(v % BASE) or v.min() < 0 for v in values)
        assert np.abs(error(table, values)).max() < BASE
        assert all(
            np.array_equal(v[x % BASE == 0], x[x % BASE == 0]) for v, x in zip(values, table.counts, strict=True)
        )
        Table(hierarchy=safe[name].hierarchy, classification=safe[name].classification, counts=values)
    finest = max(recodes, key=lambda name: len(set(recodes[name])))
    for name in recodes:
        for column in range(len(safe[name].classification)):
            inside = sorted({recodes[finest][at] for at, to in enumerate(recodes[name]) if to == column})
            for whole, parts in zip(safe[name].values, safe[finest].values, strict=True):
                assert np.array_equal(whole[:, column], parts[:, inside].sum(axis=1))
    assert extend_recodes({name: safe[name] for name in recodes}, recodes).holds


@st.composite
def recoded_tables(draw):
    areas = draw(st.integers(1, 6))
    middle = draw(st.integers(1, min(2, areas)))
    parents = [sorted([*range(middle), *(draw(st.integers(0, middle - 1)) for _ in range(areas - middle))])]
    if draw(st.booleans()):
        parents.append([0] * middle)
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    finest = rng.poisson(draw(st.sampled_from([0.7, 3.0, 12.0])), (areas, 6))
    recodes = {"fine": FINE, "broad": BROAD}
    if draw(st.booleans()):
        recodes["middle"] = MIDDLE
    return in_recodes(tree(*parents), finest, recodes), recodes


@settings(deadline=None, max_examples=60)
@given(recoded_tables(), st.integers(0, 10**6))
def test_promises_hold_for_any_counts(case, number):
    tables, recodes = case
    try:
        safe, _ = round_recodes(tables, recodes, spec=SPEC, key=secret(number))
    except Infeasible as refused:
        assert "no values within the base" in str(refused)
        return
    assert_promises(tables, safe, recodes)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.lists(st.integers(0, 7), min_size=3, max_size=3), min_size=1, max_size=3), st.integers(0, 10**6))
def test_infeasible_means_that_trial_finds_none_either(finest, number):
    recodes = {"broad": (0, 0, 1), "fine": (0, 1, 2)}
    tables = in_recodes(tree([0] * len(finest)), finest, recodes)

    def fits(values) -> bool:
        sums = [np.column_stack([v[:, :2].sum(axis=1), v[:, 2:]]) for v in values]
        return all(
            np.all(np.abs(s - x) < BASE) and np.array_equal(s[x % BASE == 0], x[x % BASE == 0])
            for s, x in zip(sums, tables["broad"].counts, strict=True)
        )

    possible = any(fits(values) for values in every_rounding(tables["fine"], BASE))
    try:
        safe, _ = round_recodes(tables, recodes, spec=SPEC, key=secret(number))
    except Infeasible:
        assert not possible
        return
    assert possible
    assert_promises(tables, safe, recodes)


def test_a_band_that_is_not_split_is_one_figure_with_one_value():
    recodes = {"broad": BROAD, "fine": FINE}
    safe, _ = round_recodes(town(1, 20, 6, recodes), recodes, spec=SPEC, key=secret(1))
    for broad, fine in zip(safe["broad"].values, safe["fine"].values, strict=True):
        assert np.array_equal(broad[:, 2], fine[:, 5]) and np.array_equal(broad[:, -1], fine[:, -1])


def test_drawn_apart_parts_exceed_wholes_and_drawn_together_they_add_up():
    """Methods 10.4: 18 to 24 inside 16 to 24."""
    recodes = {"broad": BROAD, "fine": FINE}
    tables = town(2, 60, 3, recodes)
    apart = {name: round_controlled({name: table}, spec=SPEC, key=secret(5))[0][name] for name, table in tables.items()}
    assert any(
        np.any(apart["fine"].values[0][:, [at]] > apart["broad"].values[0][:, [to]]) for at, to in enumerate(BROAD)
    )
    assert not extend_recodes(apart, recodes).holds
    safe, _ = round_recodes(tables, recodes, spec=SPEC, key=secret(5))
    assert_promises(tables, safe, recodes)


def test_the_broadest_table_and_other_tables_are_what_they_are_without_the_finer_ones():
    recodes = {"broad": BROAD, "fine": FINE}
    tables = town(3, 12, 30, recodes)
    every = tables["broad"].counts[0][:, -1]
    sex = by(tables["broad"].hierarchy, "sex", np.column_stack([every // 2, every - every // 2]))
    safe, report = round_recodes(tables, recodes, others={"sex": sex}, spec=SPEC, key=secret(3))
    alone, _ = round_controlled({"broad": tables["broad"], "sex": sex}, spec=SPEC, key=secret(3))
    assert isinstance(report, RecodesReport) and report.split == 2
    assert all(np.array_equal(a, b) for a, b in zip(safe["sex"].values, alone["sex"].values, strict=True))
    same = [np.mean(a == b) for a, b in zip(safe["broad"].values, alone["broad"].values, strict=True)]
    assert min(same) == 1.0 if not report.refitted + report.neighbourhoods else np.mean(same) > 0.9


def test_means_over_keys_stay_near_the_counts():
    """250 keys: the broad bands are unbiased, the fine ones within half a count, apart from chance."""
    recodes = {"broad": BROAD, "fine": FINE}
    tables = town(4, 15, 8, recodes)
    keys = 250
    sums = dict.fromkeys(tables, np.zeros(1))
    for number in range(keys):
        safe, _ = round_recodes(tables, recodes, spec=SPEC, key=secret(number))
        sums = {name: sums[name] + np.concatenate(safe[name].values).ravel() for name in tables}
    for name, table in tables.items():
        counts = np.concatenate(table.counts).ravel()
        part = counts % BASE
        bias = np.abs(sums[name] / keys - counts)
        assert np.sqrt(np.mean(np.square(bias))) < 0.3
        assert np.all(bias <= 4.5 * np.sqrt(part * (BASE - part) / keys) + 0.5 * (part > 0))


def test_recodes_that_do_not_nest_are_refused_and_the_bands_named():
    recodes = {"young": (0, 0, 1, 1), "middle": (0, 1, 1, 2)}
    names = {"young": ["16 to 24", "25 and over"], "middle": ["16 to 17", "18 to 29", "30 and over"]}
    with pytest.raises(Infeasible) as refused:
        nest_recodes(recodes, names)
    assert "'18 to 29' of middle overlaps '16 to 24' of young" in str(refused.value)
    assert refused.value.demands == ("young", "middle")


def test_recodes_are_drawn_from_the_broadest_to_the_finest():
    labels = {name: [str(i) for i in range(6)] for name in ("a", "b", "c")}
    assert nest_recodes({"a": FINE, "b": BROAD, "c": MIDDLE}, labels) == ("b", "c", "a")


def test_tables_that_are_not_their_recodes_are_refused():
    tables = town(5, 5, 4, {"broad": BROAD, "fine": FINE})
    with pytest.raises(ValueError, match="must add up"):
        round_recodes(tables, {"broad": (0, 0, 1, 1, 1, 2), "fine": FINE}, spec=SPEC, key=secret(0))


def ages_behind(mine, other, first, second) -> bool:
    """Whether some counts by age add up to both lists of bands: by trial."""
    whole = sum(mine)
    return any(
        all(sum(n for n, to in zip(ages, first, strict=True) if to == k) == x for k, x in enumerate(mine))
        and all(sum(n for n, to in zip(ages, second, strict=True) if to == k) == x for k, x in enumerate(other))
        for ages in np.ndindex(*(whole + 1,) * 4)
    )


@pytest.mark.parametrize("second", [(0, 1, 1, 2), (0, 0, 1, 2), (0, 1, 2, 2)])
def test_extension_on_the_line_says_what_trial_says(second):
    """Two lists of bands over four ages, nested or cut elsewhere: is there a table by age behind both?"""
    first = (0, 0, 1, 1)
    told = set()
    for mine in np.ndindex(3, 4):
        for other in (row for row in np.ndindex(6, 6, 6) if sum(row) == sum(mine)):
            tables = {"first": by(tree(), "age", [[BASE * x for x in mine]])}
            tables["second"] = by(tree(), "age", [[BASE * x for x in other]])
            holds = extend_recodes(
                {name: as_published(table, CONTROLLED) for name, table in tables.items()},
                {"first": first, "second": second},
            ).holds
            assert holds == ages_behind(mine, other, first, second)
            told.add(holds)
    assert told == {True, False}


def test_extension_names_the_area_in_which_a_part_exceeds_its_whole():
    recodes = {"broad": BROAD, "fine": FINE}
    tables = town(6, 10, 9, recodes)
    safe, _ = round_recodes(tables, recodes, spec=SPEC, key=secret(6))
    values = [v.copy() for v in safe["fine"].values]
    for level in values:
        level[0, 0] += BASE
        level[0, 5] -= BASE
    safe["fine"] = replace(safe["fine"], values=tuple(values))
    extended = extend_recodes(safe, recodes)
    assert not extended.holds and (values[0][0, 5] < 0 or extended.areas.tolist() == [0])
