"""Two divisions as a graph: the searches for small differences against all unions of zones and all tables of counts."""

import itertools

import numpy as np
import pytest
from difference_tools import all_differences, drawn_zones, edges_of, totals
from hypothesis import given, settings
from hypothesis import strategies as st

from sdc.attack.intervals import NO_BOUND
from sdc.attack.overlaps import Overlap
from sdc.differencing.emptying import empty_edges
from sdc.differencing.proven import search_column
from sdc.differencing.slivers import slivers
from sdc.differencing.smallest import NoTable, circulation, smallest_differences
from sdc.differencing.zones import Zones, zones_of

SEEDS = st.integers(0, 100_000)


def sets_of(whole, less):
    return [(frozenset(whole[at].tolist()), frozenset(less[at].tolist())) for at in range(len(whole))]


@settings(deadline=None, max_examples=60)
@given(seed=SEEDS, outside=st.booleans())
def test_bridges_are_the_edges_that_linear_algebra_gives(seed: int, outside: bool) -> None:
    zones = drawn_zones(np.random.default_rng(seed), outside=outside)
    sums = np.zeros((len(zones), len(zones.first)))
    sums[zones.ends] = 1
    rank = np.linalg.matrix_rank(sums)
    for edge, bridge in enumerate(zones.bridges()):
        one = np.eye(len(zones.first))[edge]
        assert (np.linalg.matrix_rank(np.vstack([sums, one])) == rank) == bridge


@settings(deadline=None, max_examples=80)
@given(seed=SEEDS, outside=st.booleans(), told=st.booleans())
def test_the_smallest_difference_around_every_edge_is_that_of_all_unions(seed: int, outside: bool, told: bool) -> None:
    rng = np.random.default_rng(seed)
    zones = drawn_zones(rng, outside=outside)
    counts = rng.integers(0, 5, len(zones.first))
    sums = totals(zones, counts)
    found = smallest_differences(zones, sums, sums, below=8, start=counts if told else None)
    best = np.full(len(counts), 8)
    for _, _, left in all_differences(zones):
        best[left] = np.minimum(best[left], counts[left].sum())
    assert found.most.tolist() == best[found.edges].tolist()
    for whole, less in sets_of(found.whole, found.less):
        taken, away = edges_of(zones, list(whole)), edges_of(zones, list(less))
        assert not (away & ~taken).any()
        assert 1 <= counts[taken & ~away].sum() < 8


def worlds_of(zones: Zones, lo: np.ndarray, hi: np.ndarray, most: int) -> np.ndarray:
    """All counts of edges, each at most `most`, that fit the totals."""
    every = np.array(list(itertools.product(range(most + 1), repeat=len(zones.first))))
    sums = np.zeros((len(zones.first), len(zones)), np.int64)
    sums[zones.ends[1], zones.ends[0]] = 1
    own = every @ sums
    return every[((own >= lo) & (own <= hi)).all(axis=1)]


def proven_sets(zones: Zones, worlds: np.ndarray) -> bool:
    """Whether some set of edges holds 1 or 2 people in every table that fits."""
    for chosen in itertools.product((False, True), repeat=len(zones.first)):
        held = worlds[:, np.array(chosen)].sum(axis=1)
        if any(chosen) and held.min() >= 1 and held.max() <= 2:
            return True
    return False


def proven_differences(zones: Zones, lo: np.ndarray, hi: np.ndarray) -> bool:
    """Whether a difference that was found is exactly 1 or 2; zones that may be empty are not taken away."""
    found = smallest_differences(zones, lo, hi, below=3)
    exact = []
    for whole, less in sets_of(found.whole, found.less):
        away = [zone for zone in less if lo[zone] > 0]
        taken = list(whole)
        if (lo[taken] == hi[taken]).all() and (lo[away] == hi[away]).all():
            exact.append(int(lo[taken].sum() - lo[away].sum()))
    return any(1 <= each <= 2 for each in exact)


def test_a_small_set_is_proven_if_and_only_if_a_difference_is() -> None:
    """Totals exact or unknown: over all sets of overlaps and all tables of counts, as the module says."""
    answers = []
    for seed in range(600):
        rng = np.random.default_rng(seed)
        zones = drawn_zones(rng, most=3, atoms=5)
        sums = totals(zones, rng.choice([0, 1, 2, 4, 6], len(zones.first)))
        unknown = rng.random(len(zones)) < 0.2
        shown = sums[~unknown]
        # A shown total that is small is a finding by itself.
        if not len(shown) or ((shown >= 1) & (shown <= 2)).any() or shown.max() > 8:
            continue
        lo, hi = np.where(unknown, 0, sums), np.where(unknown, NO_BOUND, sums)
        # No edge with a bound holds more than the largest total.
        worlds = worlds_of(zones, lo, hi, int(shown.max()))
        every = np.stack([worlds[:, edges_of(zones, [zone])].sum(axis=1) for zone in range(len(zones))])
        # Nor is a zone left out that is a figure of a table: what is proven of it is found there.
        if ((every.min(axis=1) >= 1) & (every.max(axis=1) <= 2)).any():
            continue
        answers.append(proven_sets(zones, worlds))
        assert answers[-1] == proven_differences(zones, lo, hi), seed
    assert 5 <= sum(answers) <= len(answers) - 5


@settings(deadline=None, max_examples=60)
@given(seed=SEEDS, outside=st.booleans())
def test_slivers_are_the_unions_of_one_zone(seed: int, outside: bool) -> None:
    zones = drawn_zones(np.random.default_rng(seed), outside=outside)
    found = set(sets_of(*slivers(zones)))
    expected = {(frozenset(w), frozenset(t)) for w, t, _ in all_differences(zones) if len(w) == 1 and t}
    expected |= {
        (frozenset(zones.neighbours[zone].tolist()), frozenset([zone]))
        for zone in range(len(zones))
        if zones.neighbours.lengths[zone] == zones.degrees[zone]
        and (edges_of(zones, zones.neighbours[zone]) & ~edges_of(zones, [zone])).any()
    }
    assert found == expected


def test_what_intervals_prove_equals_enumeration() -> None:
    """Totals in intervals: the sets found hold somebody in every table, and one table leaves all other small parts empty."""
    noted = found_any = 0
    for seed in range(250):
        rng = np.random.default_rng(seed)
        zones = drawn_zones(rng, most=3, atoms=5)
        sums = totals(zones, rng.choice([0, 0, 1, 2, 4], len(zones.first)))
        lo = np.maximum(sums - rng.integers(0, 3, len(zones)), 0)
        hi = sums + rng.integers(0, 3, len(zones))
        if hi.max() > 8:
            continue
        worlds = worlds_of(zones, lo, hi, 8)
        proven = search_column(zones, slivers(zones), lo, hi, limit=4, least=3)
        most = worlds.max(axis=0)
        assert proven.complete and (most[proven.left] < 4).all()
        assert (worlds[:, proven.left] == 0).all(axis=1).any(), seed
        for at in range(len(proven.edges)):
            assert worlds[:, proven.edges[at]].sum(axis=1).min() >= 1
        for at in range(len(proven.whole)):
            inside = edges_of(zones, proven.whole[at]) & ~edges_of(zones, proven.less[at])
            held = worlds[:, inside].sum(axis=1)
            assert proven.least[at] >= 1 and proven.least[at] <= held.min() and held.max() <= proven.most[at]
            assert (most[inside] < 4).all()
        # Without the differences that were found, the cuts alone name sets of which the same is true.
        emptied = empty_edges(circulation(zones, lo, hi), most < 4)
        assert emptied.complete
        for at in range(len(emptied.sets)):
            assert worlds[:, emptied.sets[at]].sum(axis=1).min() >= 1
        left = most < 4
        left[emptied.sets.items] = False
        assert (worlds[:, left] == 0).all(axis=1).any()
        noted += len(emptied.sets)
        found_any += len(proven.whole)
    assert noted > 20 and found_any > 20


def test_totals_that_contradict_each_other() -> None:
    zones = zones_of(Overlap.of({"a": ["1", "1", "2", "2"], "b": ["1", "2", "1", "2"]}), "a", "b")
    with pytest.raises(NoTable):
        smallest_differences(zones, np.array([5, 5, 5, 4]), np.array([5, 5, 5, 4]), below=5)


def two_geographies(rng, oas, zone, nested):
    """OAs on a line cut into zones of about `zone` twice; a share of the second cuts are cuts of the first."""
    one = np.sort(rng.choice(np.arange(1, oas), oas // zone, replace=False))
    own = np.sort(rng.choice(np.arange(1, oas), oas // zone // 3, replace=False))
    two = np.where(rng.random(len(own)) < nested, one[np.minimum(np.searchsorted(one, own), len(one) - 1)], own)
    units = [np.searchsorted(np.unique(cuts), np.arange(oas), side="right") for cuts in (one, two)]
    codes = [np.arange(each.max() + 1).astype(np.str_) for each in units]
    return Zones.of(("lsoa", "ward"), tuple(codes), tuple(units))


def test_nearly_nested_divisions_are_the_dangerous_ones() -> None:
    """Methods 5.3, in kind: few overlaps, and nearly all of them follow from totals, where 95 % of the LSOAs nest.

    On a line every overlap follows; drawn without neighbourhood hardly any does.
    """
    rng = np.random.default_rng(1)
    oas, shares = 4000, []
    lsoa = rng.permutation(np.repeat(np.arange(800), 5))
    first_of = np.unique(lsoa, return_index=True)[1]
    for nested in (0.0, 0.95):
        # Of an LSOA that straddles wards, one output area lies in another ward, or each anywhere.
        moves = ~(rng.random(800) < nested)[lsoa]
        moves &= (np.arange(oas) == first_of[lsoa]) if nested else True
        ward = np.where(moves, rng.integers(0, 160, oas), lsoa // 5)
        codes = (np.arange(800).astype(np.str_), np.arange(160).astype(np.str_))
        zones = Zones.of(("lsoa", "ward"), codes, (lsoa, ward))
        shares.append((int((zones.bridges() & zones.partly).sum()), int(zones.partly.sum())))
    (random, of_random), (nearly, of_nearly) = shares
    assert random < 0.02 * of_random and nearly > 0.9 * of_nearly > 0
    line = two_geographies(rng, oas, 5, 0.5)
    assert line.bridges().all() and line.partly.any()
