"""Texts in place of a value, and age bands, by their plain words."""

import pytest

from releases.attack.agebands import OLDEST, AgeBand, age_band, is_age, years_of_bands
from releases.attack.markertexts import Meaning, meaning_of
from sdc.attack.intervals import NO_BOUND
from sdc.tables import LOW, NOT_AVAILABLE, STRUCTURAL, SUPPRESSED


@pytest.mark.parametrize(
    ("text", "marker"),
    [
        ("c", SUPPRESSED),
        ("[C]", SUPPRESSED),
        ("[low]", LOW),
        ("low", LOW),
        ("[k]", LOW),
        ("x", NOT_AVAILABLE),
        ("[x]", NOT_AVAILABLE),
        ("..", NOT_AVAILABLE),
        ("z", STRUCTURAL),
        ("[z]", STRUCTURAL),
    ],
)
def test_markers_that_mean_one_thing(text: str, marker: int) -> None:
    assert meaning_of(text, {}) == Meaning(marker)


@pytest.mark.parametrize("text", ["*", "-", "–", ":", "~"])
def test_markers_that_mean_different_things_are_read_as_suppressed(text: str) -> None:
    assert meaning_of(text, {}) == Meaning(SUPPRESSED, doubtful=True)
    assert meaning_of(text, {text: "low"}) == Meaning(LOW, said=True)


@pytest.mark.parametrize(
    ("text", "lo", "hi"),
    [
        ("1 to 4", 1, 4),
        ("1-4", 1, 4),
        ("1 – 4", 1, 4),
        ("[1 to 4]", 1, 4),
        ("between 1 and 4", 1, 4),
        ("<5", 0, 4),
        ("< 5", 0, 4),
        ("N<15", 0, 14),
        ("Fewer than 5", 0, 4),
        ("less  than 5", 0, 4),
        ("under 5", 0, 4),
        ("≤5", 0, 5),
        ("5 or fewer", 0, 5),
        ("at most 5", 0, 5),
        ("5+", 5, NO_BOUND),
        ("5 or more", 5, NO_BOUND),
        (">5", 6, NO_BOUND),
    ],
)
def test_texts_that_stand_for_a_range(text: str, lo: int, hi: int) -> None:
    assert meaning_of(text, {}) == Meaning(SUPPRESSED, lo, hi)


@pytest.mark.parametrize("text", ["n/a", "-5", "4-1", "<0", "2.5", "low5", "1e3", "fewer than five", "9" * 13 + "+"])
def test_texts_that_nobody_knows(text: str) -> None:
    assert meaning_of(text, {}) is None


@pytest.mark.parametrize(
    ("text", "band"),
    [
        ("16-24", (16, 24)),
        ("16 to 24", (16, 24)),
        ("Aged 16–24", (16, 24)),
        ("ages 16 to 24 years", (16, 24)),
        ("Y16T24", (16, 24)),
        ("under 25", (0, 24)),
        ("Y_LT25", (0, 24)),
        ("24 and under", (0, 24)),
        ("65+", (65, OLDEST)),
        ("65 and over", (65, OLDEST)),
        ("65 years and over", (65, OLDEST)),
        ("65 or older", (65, OLDEST)),
        ("Y_GE65", (65, OLDEST)),
        ("over 64", (65, OLDEST)),
        ("17", (17, 17)),
    ],
)
def test_age_bands(text: str, band: tuple[int, int]) -> None:
    assert age_band(text) == AgeBand(*band)


@pytest.mark.parametrize("text", ["", "All", "24-16", "working age", "under 0", "1000-2000", "16-24-30", "16,24"])
def test_texts_that_are_no_age_band(text: str) -> None:
    assert age_band(text) is None


def test_columns_called_age() -> None:
    assert all(map(is_age, ["age", "Age band", "age_group", "AGE (years)", "ageband"]))
    assert not any(map(is_age, ["wage", "language", "percentage", "duration"]))


def test_bands_cut_each_other_into_stretches() -> None:
    cut = years_of_bands(["under 20", "20 and over", "18-24", "unknown"])
    assert cut == {
        "under 20": {"0 to 17", "18 to 19"},
        "20 and over": {"20 to 24", "25 and over"},
        "18-24": {"18 to 19", "20 to 24"},
    }
