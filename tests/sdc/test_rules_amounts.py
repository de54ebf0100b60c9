"""Dominance and p%: the examples of the handbook, section 4.2, and properties."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdc.rules.amounts import Amounts, Dominance, PPercent, amounts_of, p_percent, p_percent_protection

EXAMPLES = Path(__file__).resolve().parents[3] / "shared" / "data" / "worked-examples"
needs_examples = pytest.mark.real_areas


def cell(*contributions):
    """One cell, and its three largest contributions."""
    largest = (sorted(contributions, reverse=True) + [0.0] * 3)[:3]
    return Amounts(totals=np.array([float(sum(contributions))]), largest=np.array([largest], float))


def only(flags):
    (hit,) = flags.hit
    return hit.item()


def test_handbook_example_1_a_dominance_of_one_forgets_the_second():
    """50,000 and 49,000 of 100,000: safe by (1, 90), though the second knows the first to within 2 %."""
    amounts = cell(50_000, 49_000, 1_000)
    assert not only(Dominance(n=1, k=90).flags(amounts))
    assert only(PPercent(p=2.1).flags(amounts))
    assert not only(PPercent(p=2).flags(amounts))


def test_handbook_example_2_dominance_of_two_overprotects():
    """52,000 and 50,000 of 110,000: an overestimate of 15.4 %, safe by p = 10, unsafe by (2, 90.909)."""
    amounts = cell(52_000, 50_000, 8_000)
    assert not only(PPercent(p=10).flags(amounts))
    assert only(Dominance(n=2, k=100 * 100 / 110).flags(amounts))
    assert only(PPercent(p=15.5).flags(amounts))
    assert not only(PPercent(p=15.3).flags(amounts))


def test_handbook_example_4_upper_protection_of_dominance():
    """300, 20 and 10: the upper bound must reach 100 / 85 of 300, 352.94, that is 22.94 above 330."""
    amounts = cell(300, 20, 10)
    assert only(Dominance(n=1, k=85).flags(amounts))
    assert 330 + Dominance(n=1, k=85).protection(amounts).item() == pytest.approx(352.94, abs=0.005)


def test_handbook_example_5_upper_protection_of_p_percent():
    """X + U - x2 >= (1 + p / 100) x1."""
    amounts = cell(300, 20, 10)
    level = PPercent(p=20).protection(amounts).item()
    assert level == pytest.approx(0.2 * 300 - 10)
    assert 330 + level - 20 == pytest.approx(1.2 * 300)


@pytest.mark.parametrize(
    ("contributions", "one", "two"),
    [
        ((100.0,), True, True),
        ((90.0, 10.0), True, True),
        ((80.0, 20.0), False, True),
        ((70.0, 15.0, 15.0), False, True),
        ((50.0, 25.0, 25.0), False, False),
        ((0.0,), False, False),
    ],
)
def test_shares_at_and_around_the_limit(contributions, one, two):
    """A share of k % exactly is safe: the rule says more than."""
    amounts = cell(*contributions)
    assert only(Dominance(n=1, k=80).flags(amounts)) is one
    assert only(Dominance(n=2, k=80).flags(amounts)) is two


def test_a_lone_contributor_is_unsafe_and_nobody_is_not():
    assert only(PPercent(p=10).flags(cell(7.0)))
    assert PPercent(p=10).protection(cell(7.0)).item() == pytest.approx(0.7)
    assert not only(PPercent(p=10).flags(cell(0.0)))


def test_reasons_in_words():
    amounts = cell(90, 5, 5)
    assert Dominance(n=2, k=85).flags(amounts).reasons_of((0, 0)) == (
        "the 2 largest contributors make up more than 85 % of the amount",
    )
    assert PPercent(p=10).flags(amounts).reasons_of((0, 0)) == (
        "the second largest contributor can work out the largest to within 10 %",
    )


CELLS = st.lists(st.lists(st.integers(0, 1000), min_size=1, max_size=6), min_size=1, max_size=5)


def made(cells, keep=2):
    where = np.concatenate([np.full(len(values), number) for number, values in enumerate(cells)])
    return amounts_of(where, np.concatenate(cells).astype(float), number=len(cells), keep=keep)


@settings(deadline=None, max_examples=100)
@given(CELLS)
def test_amounts_from_records(cells):
    amounts = made(cells, keep=3)
    for number, values in enumerate(cells):
        assert amounts.totals[number] == sum(values)
        assert amounts.largest[number].tolist() == [*sorted(values, reverse=True), 0, 0, 0][:3]


@settings(deadline=None, max_examples=100)
@given(CELLS, st.floats(1, 60))
def test_safe_by_dominance_of_two_is_safe_by_p_percent(cells, p):
    """Handbook, proof of A: k = 100 · 100 / (100 + p)."""
    amounts = made(cells)
    by_two, by_p = Dominance(n=2, k=100 * 100 / (100 + p)), PPercent(p=p)
    assert not np.any(by_p.flags(amounts).hit[0] & ~by_two.flags(amounts).hit[0])


@settings(deadline=None, max_examples=100)
@given(CELLS, st.floats(1, 60))
def test_the_protection_level_is_what_makes_a_cell_safe(cells, p):
    """A total that is larger by the level, known no better, leaves the largest overestimated by p % at least."""
    amounts = made(cells)
    total, x1, x2 = amounts.totals, amounts.contribution(1), amounts.contribution(2)
    level = p_percent_protection(total, x1, x2, p=p)
    unsafe = p_percent(total, x1, x2, p=p)
    assert np.array_equal(level > 0, unsafe)
    estimate = total + level - x2
    assert np.all(estimate - (1 + p / 100) * x1 >= -1e-6)
    assert not np.any(p_percent(total + level, x1, x2, p=p))


def test_weights_of_one_and_shapes_change_nothing():
    amounts = made([[3, 2, 1], [9, 1], [4, 4, 4, 4], [5]])
    square = Amounts(totals=amounts.totals.reshape(2, 2), largest=amounts.largest.reshape(2, 2, 2))
    flat, shaped = PPercent(p=20).flags(amounts).hit[0], PPercent(p=20).flags(square).hit[0]
    assert np.array_equal(flat.reshape(2, 2), shaped)


def test_amounts_that_cannot_be_are_refused():
    total = np.array([10.0])
    for largest, why in (
        ([[5.0, 6.0]], "sorted"),
        ([[6.0, -1.0]], "at least 0"),
        ([[8.0, 5.0]], "exceed"),
        ([6.0], "shape"),
    ):
        with pytest.raises(ValueError, match=why):
            Amounts(totals=total, largest=np.array(largest))
    with pytest.raises(ValueError, match="rank"):
        Dominance(n=3).flags(Amounts(totals=total, largest=np.array([[5.0, 1.0]])))
    for wrong in (lambda: Dominance(n=0), lambda: Dominance(k=100), lambda: PPercent(p=0)):
        with pytest.raises(ValueError, match="must"):
            wrong()


class TestWorkedExamples:
    pytestmark = needs_examples

    def test_sensitivity_rules(self):
        cases = json.loads((EXAMPLES / "sensitivity-rules.json").read_text(encoding="utf-8"))["cases"]
        assert len(cases) == 3
        for case in cases:
            amounts = Amounts(totals=np.array([float(case["total"])]), largest=np.array([case["largest"]], float))
            rule = PPercent(p=case["p"]) if case["rule"] == "p%" else Dominance(n=case["n"], k=case["k"])
            assert only(rule.flags(amounts)) is case["unsafe"], case

    def test_tau_argus_size_by_region(self):
        """9 cells of the hierarchical table are unsafe by p% = 15, by the slack that the file carries."""
        with (EXAMPLES / "tauargus_size_by_region.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        held = [row for row in rows if row["tau_status"] != "empty"]
        largest = np.array([[float(row["top1"]), float(row["top2"])] for row in held])
        amounts = Amounts(totals=np.array([float(row["value"]) for row in held]), largest=largest)
        rule = PPercent(p=15)
        unsafe = [row["tau_status"] == "unsafe" for row in held]
        assert sum(unsafe) == 9
        assert rule.flags(amounts).hit[0].tolist() == unsafe
        slack = np.array([float(row["slack_p15"]) for row in held])
        assert rule.protection(amounts) == pytest.approx(np.where(unsafe, -slack, 0), abs=1e-6)
