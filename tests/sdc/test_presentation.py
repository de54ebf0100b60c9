"""Bands: how counts are shown, and what a shown value says by itself."""

import numpy as np
import pytest
from attack_tools import tree, true_table
from hypothesis import given, settings
from hypothesis import strategies as st

from sdc.attack.intervals import NO_BOUND, stated_intervals
from sdc.presentation import Band, check_bands, own_bounds, present, shown_table, told_bands
from sdc.tables import SHOWN, SUPPRESSED

STARRED = (Band(), Band(least=1, mark="*"), Band(least=8, nearest=5))
LADDER = (
    Band(mark="N<15"),
    Band(least=15, nearest=10, ties="even"),
    Band(least=100, nearest=50, ties="even"),
    Band(least=1000, significant=2, ties="even"),
)


def text(counts, bands):
    return present(np.array(counts), bands).tolist()


def test_marks_numbers_and_multiples():
    assert text([0, 1, 7, 8, 12, 13], STARRED) == ["0", "*", "*", "10", "10", "15"]
    assert text([0, 7, 8, 12, 13], (Band(number=0), Band(least=8, nearest=5))) == ["0", "0", "10", "10", "15"]


def test_halves_go_up_or_to_the_even_multiple():
    assert text([15, 25, 35, 36], (Band(nearest=10),)) == ["20", "30", "40", "40"]
    assert text([15, 25, 35, 36], (Band(nearest=10, ties="even"),)) == ["20", "20", "40", "40"]


def test_significant_figures_at_every_size():
    assert text([0, 7, 95, 994, 995, 1049, 1050, 99_500], (Band(significant=2, ties="even"),)) == [
        "0",
        "7",
        "95",
        "990",
        "1000",
        "1000",
        "1000",
        "100000",
    ]


def test_own_bounds_by_hand():
    lo, hi = own_bounds(np.array([0, 3, 8, 9, 13]), STARRED)
    assert (lo.tolist(), hi.tolist()) == ([0, 1, 8, 8, 13], [0, 7, 12, 12, 17])
    # A number that two bands can show: 95 to 99 go to 100, and so do 100 to 125.
    lo, hi = own_bounds(np.array([97, 100, 125, 126]), LADDER)
    assert (lo.tolist(), hi.tolist()) == ([95, 95, 95, 126], [125, 125, 125, 174])
    lo, hi = own_bounds(np.array([3]), (Band(mark="secret"),))
    assert (lo.item(), hi.item()) == (0, NO_BOUND)


BANDS = st.lists(
    st.tuples(
        st.integers(1, 12),
        st.sampled_from(
            [
                {"mark": True},
                {"number": 3},
                {"nearest": 1},
                {"nearest": 4},
                {"nearest": 5},
                {"nearest": 10},
                {"significant": 1},
            ]
        ),
        st.sampled_from(["up", "even"]),
    ),
    min_size=1,
    max_size=4,
)


def built(drawn):
    """Bands of the drawn widths, the first from 0; every mark its own."""
    bands, least = [], 0
    for number, (width, way, ties) in enumerate(drawn):
        way = {"mark": f"m{number}"} if "mark" in way else way
        bands.append(Band(least=least, ties=ties, **way))
        least += width
    return tuple(bands)


@settings(deadline=None, max_examples=200)
@given(BANDS)
def test_own_bounds_are_the_hull_of_all_counts_shown_alike(drawn):
    bands = built(drawn)
    counts = np.arange(300)
    shown = present(counts, bands)
    lo, hi = own_bounds(counts, bands)
    for count in range(60):
        alike = counts[shown == shown[count]]
        assert lo[count] == alike.min()
        # The last band may go on for ever, and so beyond the counts that were tried.
        assert hi[count] == (alike.max() if alike.max() < 299 else hi[count])
        assert hi[count] >= alike.max()


def test_a_table_as_the_bands_show_it():
    table = true_table(tree([0, 0]), [[0, 3], [8, 13]])
    safe, known = shown_table(table, STARRED, min_count=8)
    assert safe.values[0].tolist() == [[0, 0, 0], [10, 15, 20]]
    assert safe.markers[0].tolist() == [[SHOWN, SUPPRESSED, SUPPRESSED], [SHOWN, SHOWN, SHOWN]]
    assert (safe.method.name, safe.method.base, safe.method.min_count) == ("conventional-rounding", 5, 8)
    assert (known.lo[0].tolist(), known.hi[0].tolist()) == ([[0, 1, 1], [8, 13, 18]], [[0, 7, 7], [12, 17, 22]])
    stated = stated_intervals(safe)
    for level, counts in enumerate(table.counts):
        assert np.all((known.lo[level] <= counts) & (counts <= known.hi[level]))
        assert np.all((stated.lo[level] <= known.lo[level]) & (known.hi[level] <= stated.hi[level]))


def test_bands_of_several_bases_are_no_one_method():
    table = true_table(tree([0, 0]), [40, 2000])
    for bands in (
        LADDER,
        (Band(nearest=10, ties="even"),),
        (Band(), Band(least=10, nearest=5)),
        (Band(number=0), Band(least=8, nearest=5)),
    ):
        with pytest.raises(ValueError, match="no one method"):
            shown_table(table, bands, min_count=5)


def test_bands_in_words():
    assert told_bands(STARRED) == [("0", "as it is"), ("1 to 7", "*"), ("8 and over", "to the nearest 5")]
    assert told_bands(LADDER)[1] == ("15 to 99", "to the nearest 10, halves to the nearest 20")
    assert told_bands(LADDER)[3] == ("1,000 and over", "to 2 significant figures")
    assert told_bands((Band(number=0), Band(least=1)))[0] == ("0", "0")


def test_bands_that_cannot_be_are_refused():
    for wrong, why in (
        ({"mark": "*", "nearest": 5}, "one of mark"),
        ({"number": 1, "significant": 2}, "one of mark"),
        ({"least": -1}, "start at 0"),
        ({"nearest": 0}, "at least 1"),
        ({"ties": "down"}, "ties"),
        ({"mark": "5"}, "look like a number"),
    ):
        with pytest.raises(ValueError, match=why):
            Band(**wrong)
    for bands, why in (
        ((), "start at 0"),
        ((Band(least=1),), "start at 0"),
        ((Band(), Band(least=0, nearest=5)), "in order"),
        ((Band(mark="*"), Band(least=2), Band(least=5, mark="*")), "share a mark"),
    ):
        with pytest.raises(ValueError, match=why):
            check_bands(bands)
