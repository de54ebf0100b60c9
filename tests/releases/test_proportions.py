"""Percentages and the counts and denominators that they leave: equal to trying every pair."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from releases.attack.proportions import _numerators, _wholes
from sdc.attack.intervals import NO_BOUND
from sdc.rules.rates import shown_percent


def fits(count: int, whole: int, units: int, decimals: int) -> bool:
    """Whether 100 count / whole is shown as the percentage, whichever way halves are rounded."""
    return abs(2 * (100 * 10**decimals * count - units * whole)) <= whole


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_bounds_are_those_of_all_pairs(data: st.DataObject) -> None:
    whole = data.draw(st.integers(1, 60))
    count = data.draw(st.integers(0, whole))
    decimals = data.draw(st.integers(0, 2))
    units = int(shown_percent(np.array([count]), np.array([whole]), decimals=decimals)[0])
    least, most = sorted((whole, data.draw(st.integers(1, 60))))
    lo, hi = _numerators(np.array([units]), np.array([least]), np.array([most]), decimals)
    every = [x for x in range(0, 200) for n in (least, most) if fits(x, n, units, decimals)]
    assert lo[0] <= count <= hi[0] and (not every or (lo[0] <= min(every) and max(every) <= hi[0]))
    if least == most:
        assert (lo[0], hi[0]) == (min(every), max(every))
    below, above = _wholes(np.array([units]), np.array([count]), np.array([count]), decimals)
    wholes = [n for n in range(1, 2000) if fits(count, n, units, decimals)]
    assert max(below[0], 1) == min(wholes)
    assert above[0] == max(wholes) or (units == 0 and above[0] == NO_BOUND) or above[0] > 1998


def test_without_any_bound_on_the_denominator_there_is_none_on_the_count() -> None:
    lo, hi = _numerators(np.array([143]), np.array([0]), np.array([NO_BOUND]), 1)
    assert (lo[0], hi[0]) == (0, NO_BOUND)
