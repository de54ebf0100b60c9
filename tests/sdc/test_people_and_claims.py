"""People beside claims: each benefit <= people <= claims, in every area, drawn together."""

from dataclasses import replace

import numpy as np
import pytest
from attack_tools import CONTROLLED, tree
from hypothesis import given, settings
from hypothesis import strategies as st
from population_tools import (
    Population,
    any_joint_rounding,
    as_published,
    by,
    come_from_people,
    counted,
    keeps_the_tie,
    populations,
    town,
)
from rounding_tools import error, secret

from common.faults import Infeasible
from sdc.attack.intervals import stated_intervals
from sdc.attack.programmes import feasible_intervals
from sdc.attack.theorem import check_conditions
from sdc.extension import extend_people
from sdc.rounding.controlled import ControlledRounding, round_controlled
from sdc.rounding.people import PeopleReport, round_people_and_claims
from sdc.rounding.people_totals import start_of_people
from sdc.system import add_up, stack
from sdc.tables import SafeTable, Table

BASE = 5
SPEC = ControlledRounding(base=BASE, min_count=BASE)


def drawn(population: Population, key: bytes) -> tuple[dict[str, SafeTable], dict[str, SafeTable], PeopleReport]:
    return round_people_and_claims(population.claims, population.people, benefit="benefit", spec=SPEC, key=key)


def assert_promises(population: Population, claims: dict[str, SafeTable], people: dict[str, SafeTable]) -> None:
    """Multiples, within the base, multiples stay, additive; the tie at every level; values come from some people."""
    for true, safe in ((population.claims, claims), (population.people, people)):
        for name, table in true.items():
            values = safe[name].values
            assert not any(np.any(v % BASE) or v.min() < 0 for v in values)
            assert np.abs(error(table, values)).max() < BASE
            assert all(
                np.array_equal(v[x % BASE == 0], x[x % BASE == 0]) for v, x in zip(values, table.counts, strict=True)
            )
            Table(hierarchy=safe[name].hierarchy, classification=safe[name].classification, counts=values)
    heads = [values[:, -1] for values in people["people"].values]
    for name in people:
        assert all(np.array_equal(v[:, -1], p) for v, p in zip(people[name].values, heads, strict=True))
    assert all(keeps_the_tie(v[:, :-1], p) for v, p in zip(claims["benefit"].values, heads, strict=True))
    assert extend_people(claims, people, benefit="benefit").holds


@settings(deadline=None, max_examples=60)
@given(populations(), st.integers(0, 10**6))
def test_promises_hold_for_any_people(population, number):
    try:
        claims, people, _ = drawn(population, secret(number))
    except Infeasible as refused:
        assert refused.demands[-1] == f"base = {BASE}"
        return
    assert_promises(population, claims, people)


@settings(deadline=None, max_examples=25)
@given(populations(most_areas=3, most_people=14, benefits=2), st.integers(0, 10**6))
def test_infeasible_means_that_trial_finds_no_rounding_either(population, number):
    people = {"people": population.people["people"]}
    try:
        claims, safe, _ = round_people_and_claims(
            population.claims, people, benefit="benefit", spec=SPEC, key=secret(number)
        )
    except Infeasible:
        assert not any_joint_rounding(population.claims["benefit"], people["people"], BASE)
        return
    assert keeps_the_tie(claims["benefit"].values[0][:, :-1], safe["people"].values[0][:, -1])


def test_three_areas_whose_claims_show_5_cannot_hold_10_people_in_all():
    """Each area shows 5 or 10 claims, so 5 people; 15, where their 10 people must show as 10."""
    benefits = [[1, 2, 1, 0, 1, 1], [2, 1, 2, 0, 0, 0], [2, 2, 0, 1, 0, 0]]
    hierarchy = tree([0, 0, 0])
    claims = {"benefit": by(hierarchy, "benefit", benefits)}
    people = {"people": by(hierarchy, "", [[3], [4], [3]])}
    assert not any_joint_rounding(claims["benefit"], people["people"], BASE)
    with pytest.raises(Infeasible) as refused:
        round_people_and_claims(claims, people, benefit="benefit", spec=SPEC, key=secret(0))
    assert "OA00000" in str(refused.value) and "larger areas" in str(refused.value)


def test_the_chairs_around_the_table_are_enough_and_needed():
    """max X <= P <= S is what it takes: every case of up to three benefits and seven people, by trial."""
    for benefits in np.ndindex(5, 5, 4):
        for people in range(8):
            assert keeps_the_tie(benefits, people) == come_from_people(benefits, people)


def published(hierarchy, benefits, people):
    tables = {"benefit": by(hierarchy, "benefit", benefits), "people": by(hierarchy, "", people)}
    shown = {name: as_published(table, CONTROLLED) for name, table in tables.items()}
    return {"benefit": shown["benefit"]}, {"people": shown["people"]}


@pytest.mark.parametrize("benefits", list(np.ndindex(4, 4, 3)))
def test_extension_says_what_trial_says(benefits):
    for people in range(8):
        claims, heads = published(tree(), [[BASE * b for b in benefits]], [[BASE * people]])
        extended = extend_people(claims, heads, benefit="benefit")
        assert extended.holds == come_from_people(benefits, people)
        assert extended.holds or extended.areas.tolist() == [0]


def test_extension_names_the_areas_that_fail():
    benefits, people = [[10, 0], [5, 5], [5, 0], [0, 0]], [[5], [10], [10], [5]]
    claims, heads = published(tree([0, 0, 0, 0]), benefits, people)
    extended = extend_people(claims, heads, benefit="benefit")
    assert extended.areas.tolist() == [0, 2, 3]
    assert "OA000000, OA000002, OA000003" in extended.failing[0]


@pytest.mark.parametrize("change", ["sum", "area", "negative", "multiple", "totals"])
def test_extension_takes_nothing_on_trust(change):
    population = town(3, areas=6, mean=20, second=0.2)
    claims, people, _ = drawn(population, secret(1))
    name, column = ("age", 0) if change != "totals" else ("people", 0)
    values = [v.copy() for v in people[name].values]
    if change == "sum":
        values[0][0, 0] += BASE
    elif change == "negative":
        values[0][0, 0] -= 10_000 * BASE
    elif change == "multiple":
        values[0][0, 0] += 1
    elif change == "area":
        values[1][0, [column, -1]] += BASE
    else:
        for level in values:
            level[0, -1] += BASE
    people[name] = replace(people[name], values=tuple(values))
    assert not extend_people(claims, people, benefit="benefit").holds


def test_claims_are_what_they_are_alone_and_so_are_people_where_nothing_binds():
    population = town(5, areas=30, mean=90, second=0.5)
    claims, people, report = drawn(population, secret(2))
    assert report.settled == 0 and report.neighbourhoods == 0
    alone, _ = round_controlled(population.claims, spec=SPEC, key=secret(2))
    heads, _ = round_controlled(population.people, spec=SPEC, key=secret(2))
    assert all(np.array_equal(a, b) for a, b in zip(claims["benefit"].values, alone["benefit"].values, strict=True))
    for name in heads:
        assert all(np.array_equal(a, b) for a, b in zip(people[name].values, heads[name].values, strict=True))


def test_10_4_drawn_apart_the_tie_breaks_and_drawn_together_it_holds():
    """Methods 10.4, on a town of small areas."""
    population = town(7, areas=40, mean=12, second=0.25)
    apart = 0
    for number in range(5):
        claims, people, _ = drawn(population, secret(number))
        assert_promises(population, claims, people)
        alone, _ = round_controlled(population.people, spec=SPEC, key=secret(number))
        shown = alone["people"].values[0][:, -1]
        apart += not keeps_the_tie(claims["benefit"].values[0][:, :-1], shown)
    assert apart >= 4


def test_means_over_keys_are_the_counts_where_the_tie_forces_nothing():
    """300 keys; no area has fewer people than the base, and in five the claims bind the people."""
    population = town(29, areas=16, mean=20, second=0.08)
    assert population.people["people"].counts[0].min() >= BASE
    tables = (*population.claims.values(), *population.people.values())
    sums, settled, keys = [np.zeros(1)] * len(tables), 0, 300
    for number in range(keys):
        claims, people, report = drawn(population, secret(number))
        published = (*claims.values(), *people.values())
        sums = [total + np.concatenate(safe.values).ravel() for total, safe in zip(sums, published, strict=True)]
        settled += report.settled
    assert settled >= keys
    for total, table in zip(sums, tables, strict=True):
        counts = np.concatenate(table.counts).ravel()
        part = counts % BASE
        assert np.all(np.abs(total / keys - counts) <= 4.5 * np.sqrt(part * (BASE - part) / keys))


def test_no_area_below_the_base_is_shown_without_people_where_its_claims_are_not():
    population = counted(tree([0]), [0] * 4, np.ones((4, 2)), [0] * 4, [0] * 4, 2)
    for number in range(20):
        claims, people, _ = drawn(population, secret(number))
        assert claims["benefit"].values[0][0, -1] >= BASE
        assert people["people"].values[0][0, 0] == BASE


def joint_intervals(claims: SafeTable, people: SafeTable) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What an attacker can prove of benefits, claims and people of the smallest areas: published, lowest, highest.

    The tie is a sum with a cell that nobody sees: people = benefit + others, claims = people + further ones.
    """
    hierarchy = claims.hierarchy
    width = claims.values[0].shape[1] + 1
    shown = np.concatenate([np.column_stack(v) for v in zip(claims.values, people.values, strict=True)])
    bounds = stated_intervals(claims), stated_intervals(people)
    low = np.concatenate([np.column_stack(v) for v in zip(bounds[0].lo, bounds[1].lo, strict=True)]).ravel()
    high = np.concatenate([np.column_stack(v) for v in zip(bounds[0].hi, bounds[1].hi, strict=True)]).ravel()
    areas = hierarchy.units[0]
    cells = np.arange(shown.size).reshape(shown.shape)
    hidden = shown.size + np.arange(areas * (width - 1)).reshape(areas, width - 1)
    size = shown.size + hidden.size
    blocks = [
        add_up(
            size=size,
            wholes=cells[:, -2],
            parts=cells[:, :-2].ravel(),
            groups=np.repeat(np.arange(len(cells)), width - 2),
        )
    ]
    first = 0
    for level, parents in enumerate(hierarchy.parents):
        below, after = cells[first : first + len(parents)], first + len(parents)
        above = cells[after : after + hierarchy.units[level + 1]]
        groups = (parents[:, None].astype(np.int64) * width + np.arange(width)).ravel()
        blocks.append(add_up(size=size, wholes=above.ravel(), parts=below.ravel(), groups=groups))
        first = after
    for column in range(width - 1):
        whole, part = (
            (cells[:areas, -2], cells[:areas, -1])
            if column == width - 2
            else (cells[:areas, -1], cells[:areas, column])
        )
        parts = np.column_stack([part, hidden[:, column]]).ravel()
        blocks.append(add_up(size=size, wholes=whole, parts=parts, groups=np.repeat(np.arange(areas), 2)))
    most = int(high.max())
    low, high = np.append(low, np.zeros(hidden.size, np.int64)), np.append(high, np.full(hidden.size, most))
    found = feasible_intervals(stack(size, blocks), low, high, asked=cells[:areas].ravel())
    return shown[:areas].ravel(), found.lo, found.hi


@settings(deadline=None, max_examples=12)
@given(populations(most_areas=3, most_people=20, benefits=2), st.integers(0, 10**6))
def test_every_interval_holds_the_published_value_and_all_up_to_the_base_above(population, number):
    """The theorem of the page: [r, r + b - 1] is possible of every cell, so that no small count is pinned."""
    try:
        claims, people, _ = drawn(population, secret(number))
    except Infeasible:
        return
    shown, low, high = joint_intervals(claims["benefit"], people["people"])
    assert np.all(low <= shown) and np.all(high >= shown + BASE - 1)
    assert check_conditions(claims).hold and check_conditions(people).hold


def test_a_lower_end_can_be_narrower_than_the_cells_own():
    """Five people beside twice five claims: three at least, where 5 alone says one."""
    claims, people = published(tree(), [[5, 5]], [[5]])
    shown, low, high = joint_intervals(claims["benefit"], people["people"])
    assert list(zip(shown, low, high, strict=True))[-1] == (5, 3, 9)


def test_people_start_from_the_mean_that_is_left():
    """One benefit binds with chance 2/5; it does in 160 areas of 400; in the others nine people start from 25/3 on average."""
    hierarchy = tree([0] * 400)
    people, claims = by(hierarchy, "", [[9]] * 400), by(hierarchy, "benefit", [[7, 3]] * 400)
    shown = (np.array([[10, 0, 10]] * 160 + [[5, 5, 10]] * 240), np.array([[2800, 1200, 4000]]))
    figures = np.arange(400, dtype=np.uint64)
    start = start_of_people(people, claims, shown, binding=True, base=BASE, key=secret(1), figures=figures)
    assert start.settled == 160 and not start.loosened.any()
    assert set(start.totals[:160]) == {10} and set(start.totals[160:]) == {8, 9}
    assert start.totals.sum() == 3600


def test_without_a_table_by_benefit_people_are_at_most_the_claims():
    population = town(9, areas=12, mean=6, second=0.05)
    claims = {"claims": population.claims["benefit"].totals()}
    for number in range(5):
        safe, people, _ = round_people_and_claims(
            claims, population.people, benefit=None, spec=SPEC, key=secret(number)
        )
        assert all(
            np.all(p[:, -1] <= c[:, -1]) for c, p in zip(safe["claims"].values, people["people"].values, strict=True)
        )


def test_several_tables_of_claims_share_their_totals():
    population = town(13, areas=12, mean=15, second=0.2)
    every = population.claims["benefit"].counts[0][:, -1]
    long = every // 3
    duration = by(population.claims["benefit"].hierarchy, "duration", np.column_stack([long, every - long]))
    claims = {**population.claims, "duration": duration}
    safe, people, _ = round_people_and_claims(claims, population.people, benefit="benefit", spec=SPEC, key=secret(4))
    assert np.array_equal(safe["duration"].values[0][:, -1], safe["benefit"].values[0][:, -1])
    assert extend_people(safe, people, benefit="benefit").holds


def test_counts_that_no_people_can_have_are_refused():
    hierarchy = tree([0, 0])
    claims = {"benefit": by(hierarchy, "benefit", [[3, 1], [2, 2]])}
    with pytest.raises(Infeasible, match="OA000000 people and claims do not fit"):
        round_people_and_claims(
            claims, {"people": by(hierarchy, "", [[2], [3]])}, benefit="benefit", spec=SPEC, key=secret(0)
        )


def test_claims_by_what_people_are_told_by_are_refused():
    population = town(1, areas=5, mean=9, second=0.1)
    claims = {**population.claims, "age": by(population.claims["benefit"].hierarchy, "age", [[1]] * 5)}
    with pytest.raises(ValueError, match="must not both be told by age"):
        round_people_and_claims(claims, population.people, benefit="benefit", spec=SPEC, key=secret(0))


def test_other_keys_draw_otherwise_and_the_same_key_the_same():
    population = town(2, areas=15, mean=10, second=0.2)
    first, again, other = (drawn(population, secret(number))[1]["age"].values[0] for number in (1, 1, 2))
    assert np.array_equal(first, again) and not np.array_equal(first, other)
