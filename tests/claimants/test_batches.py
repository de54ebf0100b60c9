"""The rules of batch validation, one small table each, judged by brute force where that is possible."""

import inspect
from fractions import Fraction
from functools import cache
from itertools import combinations_with_replacement, product

import pytest
from batchattacker import RELATIONS, band

from claimants.batches import BatchRules, Decision, decide, draw_share, pair_fits

LAST_DRAW = 2**256 - 1


def people(first: int, number: int) -> frozenset[bytes]:
    """So many people, numbered from `first`."""
    return frozenset(b"%d" % person for person in range(first, first + number))


# --- What an answer says --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "low", "high"),
    [(0, 0, 9), (1, 1, 19), (2, 11, 29), (5, 41, 59), (8, 71, 89), (9, 81, 99), (10, 91, 100)],
)
def test_bands_of_a_hundred_people(answer: int, low: int, high: int) -> None:
    assert BatchRules().band(answer, 100) == (low, high)


def test_bands_are_what_their_definition_says() -> None:
    for parts, size in product((2, 3, 7, 10), range(1, 60)):
        rules = BatchRules(min_count=1, parts=parts)
        for answer in range(parts + 1):
            low, high = rules.band(answer, size)
            if low <= high:
                assert (low, high) == band(answer, size, parts)


@pytest.mark.parametrize("min_count", [1, 2, 5, 10])
def test_top_and_bottom_leave_at_least_min_count_people_besides_all_or_none(min_count: int) -> None:
    rules = BatchRules(min_count=min_count)
    for size in (rules.smallest, rules.smallest + 1, rules.smallest + 9, 1000, 12_345):
        top, bottom = rules.band(10, size), rules.band(0, size)
        assert top[1] == size and size - top[0] >= min_count
        assert bottom[0] == 0 and bottom[1] >= min_count
    low, high = rules.band(10, rules.smallest - 1)
    assert high - low < min_count  # one person fewer would not do


@pytest.mark.parametrize(
    ("count", "people", "always"),
    [(0, 100, 0), (100, 100, 10), (10, 100, 1), (50, 100, 5), (90, 100, 9), (60, 120, 5)],
)
def test_tenths_stay_as_they_are(count: int, people: int, always: int) -> None:
    assert {draw_share(BatchRules(), count, people, draw) for draw in (0, 2**255, LAST_DRAW)} == {always}


def test_every_answer_is_true_and_every_answer_whose_band_holds_the_count_may_come() -> None:
    for parts, size in product((2, 3, 10), (11, 23, 40)):
        rules = BatchRules(min_count=1, parts=parts)
        for count in range(size + 1):
            told = {draw_share(rules, count, size, draw) for draw in (0, LAST_DRAW)}
            assert told == {a for a in range(parts + 1) if band(a, size, parts)[0] <= count <= band(a, size, parts)[1]}


def test_the_share_is_rounded_up_with_probability_equal_to_its_fraction() -> None:
    draws = [at * 2**256 // 1000 for at in range(1000)]
    for count in (1, 33, 93, 99):
        mean = Fraction(sum(draw_share(BatchRules(), count, 100, draw) for draw in draws), 1000)
        assert abs(mean - Fraction(count, 10)) <= Fraction(1, 1000)


# --- Which questions are answered -----------------------------------------------------------------

WIDE = people(0, 100)


@pytest.mark.parametrize(
    ("what", "asked", "earlier", "decision"),
    [
        ("the smallest batch", people(0, 51), [], Decision.ANSWER),
        ("one person fewer", people(0, 50), [], Decision.TOO_SMALL),
        ("nobody", frozenset(), [], Decision.TOO_SMALL),
        ("other people", people(100, 100), [WIDE], Decision.ANSWER),
        ("the same people, another question", WIDE, [WIDE], Decision.ANSWER),
        ("the same people, a third question", WIDE, [WIDE, WIDE], Decision.OVERLAP),
        ("61 people a second time", people(0, 61), [people(0, 61)], Decision.ANSWER),
        ("60 people a second time", people(0, 60), [people(0, 60)], Decision.OVERLAP),
        ("all but one", people(0, 99), [WIDE], Decision.OVERLAP),
        ("one more", people(0, 101), [WIDE], Decision.OVERLAP),
        ("all but fifty", people(0, 150), [people(0, 200)], Decision.OVERLAP),
        ("half of a large batch", people(0, 500), [people(0, 1000)], Decision.ANSWER),
        ("one person in both", people(99, 100), [WIDE], Decision.OVERLAP),
        ("a bridge between two", people(50, 100), [WIDE, people(100, 100)], Decision.OVERLAP),
        ("one that touches a third", people(200, 1000), [people(0, 700), people(350, 350)], Decision.OVERLAP),
    ],
)
def test_decisions(what: str, asked: frozenset[bytes], earlier: list[frozenset[bytes]], decision: Decision) -> None:
    assert decide(BatchRules(), asked, earlier) is decision


def test_a_chain_ends_at_its_second_batch() -> None:
    rules = BatchRules()
    first, second, third = people(0, 3000), people(1500, 3000), people(3000, 3000)
    assert decide(rules, second, [first]) is Decision.ANSWER
    assert decide(rules, third, [first, second]) is Decision.OVERLAP


def test_a_refusal_stays_whatever_is_answered_afterwards() -> None:
    rules = BatchRules()
    log = [WIDE]
    refused = people(0, 99)
    for more in (people(1000, 60), people(2000, 500), people(2000, 500)):
        assert decide(rules, refused, log) is Decision.OVERLAP
        assert decide(rules, more, log) is Decision.ANSWER
        log.append(more)
    assert decide(rules, refused, log) is Decision.OVERLAP


def test_the_order_of_the_log_has_no_say() -> None:
    log = [WIDE, people(100, 100), people(300, 600)]
    for asked in (people(300, 300), people(50, 100), WIDE, people(900, 70)):
        assert len({decide(BatchRules(), asked, order) for order in (log, log[::-1], log[1:] + log[:1])}) == 1


def test_a_decision_cannot_see_the_truth() -> None:
    assert list(inspect.signature(decide).parameters) == ["rules", "people", "earlier"]
    assert list(inspect.signature(pair_fits).parameters) == ["rules", "one", "other", "both"]


@pytest.mark.parametrize("wrong", [{"min_count": 0}, {"parts": 1}])
def test_rules_check_themselves(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        BatchRules(**wrong)


@pytest.mark.parametrize("count", [-1, 101])
def test_a_count_outside_the_batch_is_refused_without_being_told(count: int) -> None:
    with pytest.raises(ValueError, match=r"^count must be between 0 and people$"):
        draw_share(BatchRules(), count, 100, 0)


# --- Two batches that overlap: the inequality against brute force -----------------------------------


@cache
def _sums(relation: str, people: int) -> frozenset[tuple[int, int]]:
    """Which pairs of counts so many people of both batches can have."""
    if people == 0:
        return frozenset({(0, 0)})
    ways = RELATIONS[relation]
    return frozenset((a + x, b + y) for a, b in _sums(relation, people - 1) for x, y in ways)


@cache
def _reach(relation: str, alone: int, both: int, other: int) -> frozenset[tuple[int, int]]:
    return frozenset(
        (a + x, b + y) for a, b in _sums(relation, both) for x in range(alone + 1) for y in range(other + 1)
    )


def nothing_proven(rules: BatchRules, one: int, other: int, both: int, relation: str) -> bool:
    """Whether after all possible answers every way of every group of min_count people remains possible."""
    boxes = [
        (band(i, one, rules.parts), band(j, other, rules.parts)) for i, j in product(range(rules.parts + 1), repeat=2)
    ]
    alone, others, m = one - both, other - both, rules.min_count
    reach = _reach(relation, alone, both, others)
    possible = [box for box in boxes if _meets(reach, box, (0, 0))]
    for here in range(min(alone, m) + 1):
        for there in range(min(both, m - here) + 1):
            rest = min(others, m - here - there)
            left = _reach(relation, alone - here, both - there, others - rest)
            for x, y in product(range(here + 1), range(rest + 1)):
                for ways in combinations_with_replacement(RELATIONS[relation], there):
                    start = (x + sum(way[0] for way in ways), y + sum(way[1] for way in ways))
                    if not all(_meets(left, box, start) for box in possible):
                        return False
    return True


def _meets(
    reach: frozenset[tuple[int, int]], box: tuple[tuple[int, int], tuple[int, int]], at: tuple[int, int]
) -> bool:
    (low, high), (other_low, other_high) = box
    return any(low <= a + at[0] <= high and other_low <= b + at[1] <= other_high for a, b in reach)


OF_TWO = [name for name, ways in RELATIONS.items() if len(ways[0]) == 2]


@pytest.mark.parametrize(("parts", "min_count", "largest"), [(2, 1, 9), (3, 1, 10), (2, 2, 10)])
def test_two_batches_fit_exactly_where_brute_force_proves_nothing(parts: int, min_count: int, largest: int) -> None:
    """The inequality is sound, and beyond the rule on the size of parts nothing safe is refused."""
    rules = BatchRules(min_count=min_count, parts=parts)
    fitting = 0
    for one in range(rules.smallest, largest + 1):
        for other, both in product(range(rules.smallest, one + 1), range(1, one + 1)):
            if both > other:
                continue
            safe = all(nothing_proven(rules, one, other, both, relation) for relation in OF_TWO)
            fits = pair_fits(rules, one, other, both)
            large = all(part == 0 or part >= rules.smallest for part in (one - both, both, other - both))
            assert fits == (safe and large), (one, other, both)
            assert pair_fits(rules, other, one, both) == fits
            fitting += fits
    assert fitting


@pytest.mark.parametrize(
    ("one", "other", "both"), [(20, 20, 20), (21, 21, 21), (22, 22, 11), (23, 22, 11), (24, 23, 12), (25, 24, 13)]
)
def test_tenths_fit_exactly_where_brute_force_proves_nothing(one: int, other: int, both: int) -> None:
    rules = BatchRules(min_count=1)
    safe = all(nothing_proven(rules, one, other, both, relation) for relation in OF_TWO)
    assert pair_fits(rules, one, other, both) == safe


# --- What is not promised, bounded all the same ---------------------------------------------------


@pytest.mark.parametrize("size", [51, 60, 99, 100, 137])
def test_who_knows_all_but_one_learns_that_one_for_certain_with_a_chance_of_ten_in_n_at_most(size: int) -> None:
    """They know that the count is s or s + 1; the answer proves which only if the other could not have got it."""
    rules = BatchRules()
    for others, meets in product(range(size), (0, 1)):
        count, instead = others + meets, others + 1 - meets
        down, rest = divmod(10 * count, size)
        chances = {down: Fraction(size - rest, size), down + 1: Fraction(rest, size)}
        proving = sum(
            chance
            for answer, chance in chances.items()
            if chance and not rules.band(answer, size)[0] <= instead <= rules.band(answer, size)[1]
        )
        assert proving <= Fraction(10, size) < Fraction(1, rules.min_count)
