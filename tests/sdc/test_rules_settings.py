"""Which risk rules a policy asks for."""

import pytest
from attack_tools import tree, true_table

from sdc.rules.flags import apply_rules
from sdc.rules.settings import METHODS, Settings, rules_of
from sdc.rules.zeros import Zeros, ZerosOf

PARENTS = tree([0, 0])
TABLE = true_table(PARENTS, [[6, 0], [40, 9]])
RESIDENTS = true_table(PARENTS, [120, 51])


def asked(settings, **more):
    return [type(rule).__name__ for rule in rules_of(settings, **{"sensitive": (), **more})]


def test_the_threshold_is_always_asked_and_others_where_they_are_set():
    assert asked(Settings()) == ["Threshold"]
    assert asked(Settings(zeros="sensitive")) == ["Threshold", "Zeros"]
    assert asked(Settings(k=0)) == ["Threshold"]
    assert asked(Settings(k=0), sensitive=("benefit",)) == ["Threshold", "KDisclosure"]
    assert asked(Settings(least_mean=2.0)) == ["Threshold", "Sparsity"]
    assert asked(Settings(fewest_residents=100), residents=RESIDENTS) == ["Threshold", "LowDenominator", "Complement"]


def test_a_limit_that_is_not_set_flags_nothing():
    (_, sparsity) = rules_of(Settings(most_ones=0.5), sensitive=())
    assert (sparsity.least_mean, sparsity.most_ones, sparsity.fewest_populated) == (0.0, 0.5, 0)
    (_, low, _) = rules_of(Settings(), sensitive=(), residents=RESIDENTS)
    assert low.flags(TABLE).number() == 0


def test_all_rules_together_say_why():
    settings = Settings(min_count=5, k=0, upper_bound=10, fewest_residents=100)
    told = apply_rules(TABLE, rules_of(settings, sensitive=("benefit",), residents=RESIDENTS))
    assert told.rules_of((0, 0, 0)) == ("k-disclosure",)
    assert told.rules_of((0, 1, 0)) == ("low denominator",)
    assert told.rules_of((0, 1, 2)) == ("low denominator", "complement")
    assert told.rules_of((1, 0, 0)) == ()


def test_structural_zeros_reach_every_rule():
    never = Zeros(of=(ZerosOf(where=(("benefit", "k1"),), are="structural"),))
    told = apply_rules(
        true_table(PARENTS, [[6, 0], [9, 0]]), rules_of(Settings(k=0), sensitive=("benefit",), zeros=never)
    )
    assert told.number() == 0


def test_settings_that_cannot_be_are_refused():
    for wrong, why in (
        ({"method": "magic"}, "method"),
        ({"base": 1}, "at least 2"),
        ({"min_count": 1}, "min_count"),
        ({"zeros": "structural"}, "default"),
        ({"percentages": "rounded"}, "percentages"),
        ({"method": "cell-key", "base": 1}, "max_noise"),
        ({"max_noise": 2}, "max_noise"),
        ({"method": "cell-key", "base": 1, "max_noise": 0}, "at least 1"),
        ({"k": -1}, "k "),
        ({"most_ones": 2.0}, "most_ones"),
    ):
        with pytest.raises(ValueError, match=why):
            Settings(**wrong)
    assert set(METHODS) >= {"controlled-rounding", "cell-key", "suppression"}
