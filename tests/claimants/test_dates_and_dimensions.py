"""Exact ages and durations, and the shipped code lists."""

import datetime as dt

import pytest
from claimreference import months_between
from hypothesis import given
from hypothesis import strategies as st

from claimants.dates import whole_months_before
from claimants.dimensions import DIMENSIONS, dimension
from common.faults import InputError

DATES = st.dates(dt.date(1900, 1, 1), dt.date(2100, 12, 31))


@given(earlier=DATES, later=DATES, months=st.integers(0, 1500))
def test_cut_off_means_so_many_whole_months(earlier: dt.date, later: dt.date, months: int) -> None:
    reached = earlier <= later and months_between(earlier, later) >= months
    assert reached == (earlier <= whole_months_before(later, months))


@pytest.mark.parametrize(
    ("born", "on", "is_16"),
    [
        (dt.date(2010, 5, 31), dt.date(2026, 5, 31), True),  # on the birthday
        (dt.date(2010, 6, 1), dt.date(2026, 5, 31), False),  # the day before it
        (dt.date(2012, 2, 29), dt.date(2028, 2, 28), False),  # leap year: the day is there
        (dt.date(2012, 2, 29), dt.date(2028, 2, 29), True),
        (dt.date(2008, 2, 29), dt.date(2025, 2, 28), True),
        (dt.date(2009, 3, 1), dt.date(2025, 2, 28), False),
    ],
)
def test_age_on_birthdays(born: dt.date, on: dt.date, is_16: bool) -> None:
    assert (born <= dimension("age_band").cutoffs(on)[0]) is is_16


def test_born_on_29_february_turns_older_on_1_march_of_a_common_year() -> None:
    born = dt.date(2008, 2, 29)
    assert born > whole_months_before(dt.date(2025, 2, 28), 17 * 12)
    assert born <= whole_months_before(dt.date(2025, 3, 1), 17 * 12)


@pytest.mark.parametrize("name", DIMENSIONS)
def test_every_shipped_dimension_reads(name: str) -> None:
    found = dimension(name)
    assert found.name == name
    assert found.title
    assert set(found.labels) == set(found.categories)


def test_what_is_of_a_person() -> None:
    of = {name: dimension(name).of for name in DIMENSIONS}
    assert of == {
        "benefit": "claim",
        "client_group": "person",
        "benefit_combination": "person",
        "age_band": "person",
        "sex": "person",
        "duration_band": "claim",
    }


def test_broad_bands_are_unions_of_standard_ones() -> None:
    for name in ("age_band", "duration_band"):
        assert set(dimension(name, "broad").starts) <= set(dimension(name).starts)


def test_every_benefit_has_one_client_group() -> None:
    assert set(dimension("client_group").groups) == set(dimension("benefit").categories)


@pytest.mark.parametrize(("name", "bands"), [("shoe_size", "standard"), ("age_band", "tiny")])
def test_unknown_dimension_or_bands_are_faults(name: str, bands: str) -> None:
    with pytest.raises(InputError, match="is not known"):
        dimension(name, bands)
