"""Kept values where tables are tied: people beside claims, and bands inside bands."""

from collections.abc import Mapping

import numpy as np
import pytest
from attack_tools import tree
from hypothesis import given, settings
from hypothesis import strategies as st
from population_tools import Persons, any_joint_rounding, by, persons
from rounding_tools import every_rounding, secret
from test_people_and_claims import assert_promises as assert_people
from test_recodes import BROAD, FINE, MIDDLE, in_recodes
from test_recodes import assert_promises as assert_recodes

from common.faults import Infeasible
from common.keys import sip_key
from sdc.rounding.controlled import ControlledRounding, round_controlled
from sdc.rounding.kept import Before, earlier_of, with_fewer
from sdc.rounding.neighbourhoods import mend
from sdc.rounding.people import PeopleReport, round_people_and_claims
from sdc.rounding.recodes import RecodesReport, round_recodes
from sdc.rounding.sheets import Sheet
from sdc.rounding.tree import tree_of
from sdc.rounding.within import Within, loosen
from sdc.tables import SafeTable, Table

BASE = 5
SPEC = ControlledRounding(base=BASE, min_count=BASE)
Shown = dict[str, SafeTable]


def before_of(tables: Mapping[str, Table], before: Mapping[str, Table], shown: Mapping[str, SafeTable]):
    return {name: earlier_of(tables[name], Before.of(before[name], safe.values)) for name, safe in shown.items()}


def claims_and_people(
    now: Persons, number: int, before: Persons | None = None, shown: Shown | None = None
) -> tuple[Shown, PeopleReport]:
    """Both populations' tables, after another release where one is given."""
    true = now.counted()
    earlier = None
    if before is not None and shown is not None:
        was = before.counted()
        earlier = before_of({**true.claims, **true.people}, {**was.claims, **was.people}, shown)
    claims, people, report = round_people_and_claims(
        true.claims, true.people, benefit="benefit", spec=SPEC, key=secret(number), earlier=earlier
    )
    assert_people(true, claims, people)
    return {**claims, **people}, report


RECODES = {"broad": BROAD, "fine": FINE}
CHAIN = {**RECODES, "middle": MIDDLE}


def in_bands(now: Persons, recodes: Mapping[str, tuple[int, ...]]) -> dict[str, Table]:
    return in_recodes(now.hierarchy, now.by_age(), recodes)


def by_sex(now: Persons) -> dict[str, Table]:
    return {"sex": now.counted().people["sex"]}


def banded(
    now: Persons,
    number: int,
    before: Persons | None = None,
    shown: Shown | None = None,
    recodes: Mapping[str, tuple[int, ...]] = RECODES,
) -> tuple[Shown, RecodesReport]:
    """Tables by recodes of age, and one by sex, after another release where one is given."""
    tables, others = in_bands(now, recodes), by_sex(now)
    earlier = None
    if before is not None and shown is not None:
        earlier = before_of({**tables, **others}, {**in_bands(before, recodes), **by_sex(before)}, shown)
    safe, report = round_recodes(tables, recodes, others=others, spec=SPEC, key=secret(number), earlier=earlier)
    assert_recodes(tables, safe, recodes)
    assert all(np.array_equal(a[:, -1], b[:, -1]) for a, b in zip(safe["sex"].values, safe["fine"].values, strict=True))
    return safe, report


def same(one: Shown, two: Shown) -> bool:
    return all(np.array_equal(a, b) for name in one for a, b in zip(one[name].values, two[name].values, strict=True))


def told(report: PeopleReport | RecodesReport) -> tuple[int, int, int]:
    """How many cells were kept, moved and redrawn, over all tables."""
    paths = [report.claims, report.people] if isinstance(report, PeopleReport) else [report.broadest]
    return tuple(sum(sum(getattr(path, what).values()) for path in paths) for what in ("kept", "moved", "redrawn"))


WAYS = pytest.mark.parametrize("draw", [claims_and_people, banded], ids=["people beside claims", "bands inside bands"])


@st.composite
def towns(draw) -> Persons:
    """Some persons in a few areas of one town or two."""
    areas = draw(st.integers(1, 6))
    middle = draw(st.integers(1, min(2, areas)))
    parents = [sorted([*range(middle), *(draw(st.integers(0, middle - 1)) for _ in range(areas - middle))])]
    if draw(st.booleans()):
        parents.append([0] * middle)
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    number = draw(st.integers(0, 60))
    sets = rng.random((number, 3)) < draw(st.sampled_from([0.1, 0.3, 0.6]))
    sets[np.arange(number), rng.integers(0, 3, number)] = True
    home, ages, sexes = (rng.integers(0, most, number) for most in (areas, 6, 2))
    return Persons(tree(*parents), home, sets, ages, sexes)


@WAYS
@settings(deadline=None, max_examples=60)
@given(start=towns(), seed=st.integers(0, 2**32), number=st.integers(0, 10**6), data=st.data())
def test_every_promise_over_two_quarters(draw, start, seed, number, data):
    """Where a first publication can be drawn, so can a later one, with every promise; nothing is random but the key."""
    rng = np.random.default_rng(seed)
    before, now = start, start.later(rng, data.draw(st.integers(0, start.hierarchy.units[0])))
    try:
        shown, _ = draw(before, number)
        draw(now, number)
    except Infeasible:
        return
    safe, report = draw(now, number, before, shown)
    again, once_more = draw(now, number, before, shown)
    assert same(safe, again) and report == once_more


@settings(deadline=None, max_examples=30)
@given(towns(), st.integers(0, 2**32), st.integers(0, 10**6))
def test_a_chain_of_three_lists_of_bands(start, seed, number):
    rng = np.random.default_rng(seed)
    now = start.later(rng, start.hierarchy.units[0] // 2)
    try:
        shown, _ = banded(start, number, recodes=CHAIN)
        banded(now, number, recodes=CHAIN)
    except Infeasible:
        return
    banded(now, number, start, shown, recodes=CHAIN)


@settings(deadline=None, max_examples=25)
@given(towns(), st.integers(0, 2**32), st.integers(0, 10**6))
def test_infeasible_means_that_trial_finds_no_rounding_either(start, seed, number):
    now = start.later(np.random.default_rng(seed), start.hierarchy.units[0])
    then, true = start.counted(), now.counted()
    if true.people["people"].hierarchy.units[0] > 3:
        return
    people = {"people": true.people["people"]}

    def draw(earlier):
        claims, heads, _ = round_people_and_claims(
            true.claims, people, benefit="benefit", spec=SPEC, key=secret(number), earlier=earlier
        )
        return {**claims, **heads}

    try:
        shown = round_people_and_claims(
            then.claims, {"people": then.people["people"]}, benefit="benefit", spec=SPEC, key=secret(number)
        )[:2]
    except Infeasible:
        return
    earlier = before_of({**true.claims, **people}, {**then.claims, **then.people}, {**shown[0], **shown[1]})
    try:
        draw(earlier)
    except Infeasible:
        assert not any_joint_rounding(true.claims["benefit"], people["people"], BASE)


@WAYS
def test_where_nothing_changed_the_release_is_the_one_before_under_any_key(draw):
    town = persons(1, areas=120, mean=11, second=0.3)
    shown, _ = draw(town, 1)
    again, report = draw(town, 2, town, shown)
    assert same(again, shown)
    kept, moved, redrawn = told(report)
    assert kept == sum(values.size for safe in shown.values() for values in safe.values) and moved == redrawn == 0


@WAYS
def test_nearly_all_unchanged_counts_keep_their_value(draw):
    """In a chain of three releases with 2 % of areas touched in each, 97 % and more; drawn afresh, a fifth flips and more."""
    rng = np.random.default_rng(3)
    now = persons(2, areas=600, mean=13, second=0.3)
    shown, _ = draw(now, 1)
    for _ in range(2):
        before, now = now, now.later(rng, 12)
        then, (shown, report) = shown, draw(now, 1, before, shown)
        kept, moved, redrawn = told(report)
        assert kept > 0.97 * (kept + moved) and redrawn > 30
    fresh, _ = draw(now, 7)
    flips = sum(int(np.sum(a != b)) for n in then for a, b in zip(fresh[n].values, then[n].values, strict=True))
    assert flips > 0.2 * (kept + moved)


@WAYS
def test_a_small_change_moves_few_values_and_mostly_its_own_way(draw):
    stays = right = wrong = 0
    for number in range(8):
        before = persons(number, areas=60, mean=9, second=0.3)
        now = before.later(np.random.default_rng(number), 8)
        shown, _ = draw(before, number)
        safe, _ = draw(now, number, before, shown)
        counts = [{**one.counted().claims, **one.counted().people, **in_bands(one, RECODES)} for one in (before, now)]
        for name in safe:
            step = counts[1][name].counts[0] - counts[0][name].counts[0]
            moved = safe[name].values[0] - shown[name].values[0]
            stays += int(np.sum((step != 0) & (moved == 0)))
            right += int(np.sum((step != 0) & (np.sign(moved) == np.sign(step))))
            wrong += int(np.sum((step != 0) & (np.sign(moved) == -np.sign(step))))
    assert stays > 2 * (right + wrong) and right > 6 * wrong


@WAYS
def test_what_is_new_is_drawn_and_what_is_known_is_kept(draw):
    """A table that the release before did not have does not keep the others from keeping theirs."""
    before = persons(4, areas=100, mean=14, second=0.2)
    shown, _ = draw(before, 1)
    for name in shown:
        safe, report = draw(before, 2, before, {one: safe for one, safe in shown.items() if one != name})
        kept, moved, _ = told(report)
        assert moved < 0.02 * kept
        others = [one for one in shown if one != name]
        assert sum(np.array_equal(safe[one].values[0], shown[one].values[0]) for one in others) >= len(others) - 1


class TestBeforeTheBound:
    """Additivity, the bound and the tie come before keeping."""

    hierarchy = tree([0])

    def people(self, benefits, heads):
        return {"benefit": by(self.hierarchy, "benefit", [benefits])}, {"people": by(self.hierarchy, "", [[heads]])}

    def test_claims_that_must_rise_carry_unchanged_people_with_them(self):
        """3 and 3 claims of 4 people, people shown 0, become 6 and 3: nobody has more than 5, so that 5 must be shown."""
        then, now = self.people([2, 2], 4), self.people([4, 2], 4)
        nothing = {name: (np.zeros_like(t.counts[0]),) * 2 for part in then for name, t in part.items()}
        earlier = {
            name: earlier_of(table, Before.of(was[name], nothing[name]))
            for part, was in zip(now, then, strict=True)
            for name, table in part.items()
        }
        for number in range(20):
            claims, people, report = round_people_and_claims(
                *now, benefit="benefit", spec=SPEC, key=secret(number), earlier=earlier
            )
            assert claims["benefit"].values[0][0, -1] >= 5  # six claims in all
            assert people["people"].values[0][0, 0] == 5
            assert report.people.moved == {"people": 2}

    def test_bands_that_cannot_both_keep_theirs(self):
        """1 and 1 shown as 5 and 5 in a band of 2 and 4 more, then of 2: the band is 5 at most, so one of the two gives way."""
        recodes = {"broad": (0, 0, 0), "fine": (0, 1, 2)}
        then, now = (in_recodes(self.hierarchy, [counts], recodes) for counts in ([1, 1, 8], [1, 1, 0]))
        values = {"fine": np.array([[5, 5, 0, 10]]), "broad": np.array([[10, 10]])}
        earlier = {name: earlier_of(table, Before.of(then[name], (values[name],) * 2)) for name, table in now.items()}
        seen = set()
        for number in range(30):
            safe, report = round_recodes(now, recodes, spec=SPEC, key=secret(number), earlier=earlier)
            assert_recodes(now, safe, recodes)
            seen.add(tuple(safe["fine"].values[0][0].tolist()))
            assert report.broadest.moved["fine"] in (2, 4)  # one or both, and their sums
        assert {(5, 0, 0, 5), (0, 5, 0, 5)} <= seen <= {(5, 0, 0, 5), (0, 5, 0, 5), (0, 0, 0, 0)}


class TestWithin:
    """Bounds of totals (`sdc.rounding.within`)."""

    def test_totals_stay_within_them_and_tables_follow(self):
        town = persons(5, areas=60, mean=9, second=0.3).counted()
        sex = town.people["sex"]
        totals = np.concatenate([level[:, -1] for level in sex.counts])
        floor = totals // BASE * BASE
        ceiling = np.where(totals == floor, floor, floor + BASE)
        low, high = floor.copy(), ceiling.copy()
        low[:60:4] = ceiling[:60:4]  # a quarter of the areas must be raised
        offsets = tree_of(sex.hierarchy).offsets
        for level, parents in enumerate(sex.hierarchy.parents):
            below, above = slice(*offsets[level : level + 2]), slice(*offsets[level + 1 : level + 3])
            low[above] = np.maximum(low[above], np.bincount(parents, low[below]).astype(np.int64))
            high[above] = np.minimum(high[above], np.bincount(parents, high[below]).astype(np.int64))
        within = Within.of(totals, low, high, np.clip(totals, low, high), base=BASE)
        for number in range(10):
            safe, _ = round_controlled({"sex": sex}, spec=SPEC, key=secret(number), within=within)
            shown = np.concatenate([level[:, -1] for level in safe["sex"].values])
            assert np.all((low <= shown) & (shown <= high))

    def test_bounds_that_no_start_fits_are_given_up_there_alone(self):
        """8, 6 and 8 with three bands, found by trial: no rounding shows them as 10, 10 and 5, so other totals are drawn."""
        hierarchy = tree([0, 0, 0, 1, 1], [0, 1])
        table = by(hierarchy, "k", [[0, 4, 4], [5, 1, 0], [5, 0, 3], [2, 2, 2], [3, 2, 1]])
        alone = by(tree([0, 0, 0]), "k", table.counts[0][:3, :-1])
        shown = {tuple(values[0][:, -1]) for values in every_rounding(alone, BASE)}
        assert (10, 10, 5) not in shown and (10, 5, 10) in shown
        fixed = np.array([10, 10, 5, 5, 5, 25, 10, 25, 10])
        within = Within.of(np.concatenate([level[:, -1] for level in table.counts]), fixed, fixed, fixed, base=BASE)
        for number in range(10):
            safe, path = round_controlled({"k": table}, spec=SPEC, key=secret(number), within=within)
            assert tuple(safe["k"].values[0][:3, -1]) in shown
            assert np.concatenate([level[:, -1] for level in safe["k"].values])[3:].tolist() == fixed[3:].tolist()
            assert path.forgotten == 0

    def test_loosening_frees_a_unit_and_all_in_it(self):
        hierarchy = tree([0, 0, 1, 1], [0, 0])
        totals = np.array([1, 2, 3, 4, 3, 7, 10])
        fixed = np.array([0, 5, 0, 5, 5, 5, 10])
        within = Within.of(totals, fixed, fixed, fixed, base=BASE)
        freed = loosen(within, tree_of(hierarchy), np.array([2]), 1)
        assert freed is not None
        assert (freed.low < freed.high).tolist() == [False, False, True, True, False, True, False]
        assert loosen(within, tree_of(hierarchy), np.array([2]), 3) is None
        assert loosen(None, tree_of(hierarchy), np.array([2]), 1) is None

    def test_bounds_beside_the_multiples_are_refused(self):
        with pytest.raises(ValueError, match="between the multiples"):
            Within.of(np.array([3]), np.array([0]), np.array([10]), np.array([3]), base=BASE)


def test_where_something_is_left_fewer_values_are_kept_and_at_last_none():
    """A neighbourhood, then all in the same town, then nothing is known: `draw` is asked again each time."""
    table = by(tree([0, 0, 1, 1, 2, 2], [0, 0, 1], [0, 0]), "", [[1], [2], [3], [4], [1], [2]])
    earlier = {"k": earlier_of(table, Before.of(table, table.counts))}
    asked = []

    def draw(known):
        asked.append([int(level.sum()) for level in known["k"].known] if known else [])
        return len(asked), np.array([4]) if len(asked) < most else np.empty(0, np.int64)

    for most, expected in ((1, [[6, 3, 2, 1]]), (9, [[6, 3, 2, 1], [4, 2, 1, 1], [0, 0, 0, 0], []])):
        asked.clear()
        made, left = with_fewer(draw, earlier, table.hierarchy)
        assert asked == expected and made == len(expected) and len(left) == (most == 9)


def test_a_kept_value_is_moved_last_where_values_are_picked_again():
    """2 and 2 and their sum 4 shown as 0, 0 and 5: one of three must move, and it is the one that is not kept."""
    sheet = Sheet(
        tree=tree_of(tree([0])),
        counts=np.array([[2, 2, 4]] * 2),
        sums=((2, np.array([0, 1])),),
        ties=np.zeros((0, 3), np.int8),
    )
    shown = np.array([[0, 0, 5]] * 2)
    free: set[tuple[int, ...]] = set()
    for number in range(30):
        figures = np.random.default_rng(number).integers(0, 2**63, (2, 3)).astype(np.uint64)
        given = {"base": BASE, "secret": sip_key(secret(number), "test"), "figures": figures}
        for one in range(3):
            kept = np.ones((2, 3), np.bool_)
            kept[:, one] = False
            mended = mend(sheet, shown, kept=kept, **given)
            assert not len(mended.left) and np.flatnonzero(mended.values[0] != shown[0]).tolist() == [one]
        free.add(tuple(mend(sheet, shown, **given).values[0].tolist()))
    assert free >= {(5, 0, 5), (0, 5, 5)}


def test_the_order_of_tables_decides_nothing():
    before = persons(6, areas=80, mean=11, second=0.3)
    now = before.later(np.random.default_rng(6), 8)
    shown, _ = claims_and_people(before, 1)
    was, true = before.counted(), now.counted()
    earlier = before_of({**true.claims, **true.people}, {**was.claims, **was.people}, shown)
    told = [
        round_people_and_claims(true.claims, people, benefit="benefit", spec=SPEC, key=secret(1), earlier=dict(known))[
            1
        ]
        for people, known in (
            (true.people, earlier),
            (dict(reversed(true.people.items())), reversed(earlier.items())),
        )
    ]
    assert same(*told)


@WAYS
def test_bias_stays_small_over_a_chain_of_quarters(draw):
    """Mean error by remainder after three quarters, over 40 keys, of categories of the smallest areas."""
    errors: dict[int, list[np.ndarray]] = {remainder: [] for remainder in range(1, BASE)}
    for number in range(40):
        rng = np.random.default_rng(number)
        now = persons(number, areas=60, mean=12, second=0.3)
        shown, _ = draw(now, number)
        for _ in range(3):
            before, now = now, now.later(rng, 6)
            shown, _ = draw(now, number, before, shown)
        true = {**now.counted().claims, **now.counted().people, **in_bands(now, RECODES)}
        for name, safe in shown.items():
            if safe.classification.categories:
                counts, values = true[name].counts[0][:, :-1], safe.values[0][:, :-1]
                for remainder, found in errors.items():
                    found.append((values - counts)[counts % BASE == remainder])
    means = {remainder: float(np.concatenate(found).mean()) for remainder, found in errors.items()}
    assert all(abs(mean) < 0.25 for mean in means.values()), means


def test_tables_of_claims_and_people_must_not_share_names():
    town = persons(1, areas=5, mean=9, second=0.2).counted()
    with pytest.raises(ValueError, match="must not share names"):
        round_people_and_claims(
            town.claims, {"benefit": town.people["sex"]}, benefit="benefit", spec=SPEC, key=secret(0)
        )
