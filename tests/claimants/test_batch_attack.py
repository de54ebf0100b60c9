"""Sequences of overlapping batches, attacked by somebody who knows all rules and tries every world.

The attacker is told which questions were answered and refused, and every answer that is possible
at all is tried: what holds here holds for every truth and every draw.
"""

import pytest
from batchattacker import Question, Worlds, proven_groups
from batchsequences import sequence

from claimants.batches import BatchRules, Decision, decide

FIXED = 165
LONG = 3000


def answered_of(questions: list[Question], rules: BatchRules) -> list[Question]:
    """The questions that are answered, in their order; one that was answered before is no new one."""
    answered: list[Question] = []
    for question in questions:
        earlier = [hashes(one.people) for one in answered]
        if question not in answered and decide(rules, hashes(question.people), earlier) is Decision.ANSWER:
            answered.append(question)
    return answered


def hashes(people: frozenset[int]) -> frozenset[bytes]:
    return frozenset(b"%d" % person for person in people)


def attack(number: int) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    relation, people, min_count, parts, questions = sequence(number)
    answered = answered_of(questions, BatchRules(min_count=min_count, parts=parts))
    worlds = Worlds(people, relation)
    return [
        found
        for size in range(1, min_count + 1)
        for found in (proven_groups(worlds, answered, parts, size) if answered else ())
    ]


@pytest.mark.parametrize("number", range(FIXED))
def test_nothing_is_proven_of_anybody(number: int) -> None:
    assert attack(number) == []


@pytest.mark.long
@pytest.mark.parametrize("first", range(FIXED, FIXED + LONG, 100))
def test_nothing_is_proven_of_anybody_in_thousands(first: int) -> None:
    for number in range(first, first + 100):
        assert attack(number) == [], number


def test_sequences_overlap_and_are_answered() -> None:
    """The fixed sequences are worth attacking: many answer questions about people who were asked about before."""
    overlapping = refused = several = 0
    for number in range(FIXED):
        _, _, min_count, parts, questions = sequence(number)
        answered = answered_of(questions, BatchRules(min_count=min_count, parts=parts))
        overlapping += any(a.people & b.people for i, a in enumerate(answered) for b in answered[:i])
        refused += len(set(questions)) > len(answered)
        several += len(answered) > 2
    assert overlapping >= FIXED // 5
    assert refused >= FIXED // 2
    assert several >= 10


def test_the_attacker_wins_without_the_rules_on_overlaps() -> None:
    """With every question answered that is large enough, the same attacker proves something in many sequences."""
    won = 0
    for number in range(0, FIXED, 6):
        relation, people, min_count, parts, questions = sequence(number)
        large = [one for one in dict.fromkeys(questions) if len(one.people) > min_count * parts][:4]
        won += bool(large) and any(True for _ in proven_groups(Worlds(people, relation), large, parts, 1))
    assert won >= 7


def test_the_attacker_wins_where_a_batch_is_one_smaller_than_the_smallest() -> None:
    rules = BatchRules(min_count=2, parts=3)
    everybody = frozenset(range(rules.smallest - 1))
    assert decide(rules, hashes(everybody), []) is Decision.TOO_SMALL
    assert list(proven_groups(Worlds(len(everybody), "one criterion"), [Question(everybody, 0)], 3, 2))
