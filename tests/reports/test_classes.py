"""Map classes: natural breaks, never finer than rounded figures bear."""

import mapclassify
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.classes import MOST_CLASSES, MapClasses, map_classes, natural_breaks


@settings(deadline=None, max_examples=150)
@given(st.lists(st.integers(0, 60), min_size=1, max_size=120), st.sampled_from([1, 3, 5, 10]))
def test_every_promise_of_the_classes_holds(multiples: list[int], base: int) -> None:
    values = np.array(multiples, dtype=np.int64) * base
    classes = map_classes(values, base=base)
    place = classes.index(values)
    assert 1 <= len(classes) <= MOST_CLASSES
    assert classes.least == values.min() and classes.limits[-1] == values.max()
    assert all(limit % base == 0 for limit in classes.limits)
    if len(classes) > 1:
        assert np.diff((classes.least, *classes.limits)).min() >= 2 * base
    assert np.bincount(place, minlength=len(classes)).min() > 0, "no class is empty"
    for value, index in zip(values, place, strict=True):
        low, high = classes.ranges[index]
        assert low <= value <= high


def test_zero_shares_its_class_with_small_figures() -> None:
    classes = map_classes(np.array([0] * 50 + [5, 10, 15, 20, 40, 80]), base=5)
    low, high = classes.ranges[0]
    assert low == 0 and high >= 10


def test_values_too_close_make_one_class() -> None:
    assert map_classes(np.array([0, 0, 5]), base=5).ranges == ((0, 5),)
    assert map_classes(np.array([0, 0, 0]), base=5).ranges == ((0, 0),)


def test_two_clear_groups_make_two_classes() -> None:
    classes = map_classes(np.array([5, 5, 10, 100, 105]), base=5, most=2)
    assert classes.ranges == ((5, 15), (20, 105))


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(0, 200), min_size=12, max_size=80), st.integers(2, 5))
def test_natural_breaks_are_as_good_as_those_of_mapclassify(listed: list[int], number: int) -> None:
    values = np.array(listed)
    different, weights = np.unique(values, return_counts=True)
    if len(different) < number:
        return

    def spread(limits: np.ndarray) -> float:
        place = np.searchsorted(limits, values)
        return float(sum(((values[place == k] - values[place == k].mean()) ** 2).sum() for k in np.unique(place)))

    ours = natural_breaks(different, weights, number)[0]
    theirs = mapclassify.FisherJenks(values, k=number).bins
    assert len(ours) == number
    assert spread(ours) == pytest.approx(spread(theirs))


def test_many_different_values_are_thinned_not_sampled_at_random() -> None:
    values = np.arange(50_000)
    assert map_classes(values, base=1) == map_classes(values[::-1], base=1)
    assert np.bincount(map_classes(values, base=1).index(values)).min() > 9_000


def test_no_value_and_limits_too_close_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one value"):
        map_classes(np.array([], dtype=np.int64), base=5)
    with pytest.raises(ValueError, match="at least 10 apart"):
        MapClasses(least=0, limits=(5, 20), base=5)
