"""An attacker on batch validation who knows everything but the truth, and tries every world there is.

A *world* says of every person which of the criteria they meet.  The attacker knows the batches, the
questions, which of them were refused, the answers, all rules, and how the criteria depend on each other (a
*relation*: which combinations a person may have).  Nothing of `claimants.batches` is used here
to attack but the band of an answer, which is written anew from its definition.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np

# Which combinations of the criteria one person may have.
RELATIONS: dict[str, tuple[tuple[int, ...], ...]] = {
    "one criterion": ((0,), (1,)),
    "the same": ((0, 0), (1, 1)),
    "complementary": ((0, 1), (1, 0)),
    "nested": ((0, 0), (0, 1), (1, 1)),
    "nested the other way": ((0, 0), (1, 0), (1, 1)),
    "excluding": ((0, 0), (0, 1), (1, 0)),
    "covering": ((0, 1), (1, 0), (1, 1)),
    "two dates": ((0, 0), (0, 1), (1, 0), (1, 1)),
    "one of three": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "one of three or none": ((0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "rising by date": ((0, 0, 0), (0, 0, 1), (0, 1, 1), (1, 1, 1)),
}


@dataclass(frozen=True)
class Question:
    """Which people are asked about, and which criterion of the relation."""

    people: frozenset[int]
    criterion: int


def band(answer: int, size: int, parts: int) -> tuple[int, int]:
    """The least and greatest count S with (answer − 1)/parts < S/size < (answer + 1)/parts, ends of the scale included."""
    fits = [s for s in range(size + 1) if (answer - 1) * size < parts * s < (answer + 1) * size]
    if answer == 0:
        fits.append(0)
    if answer == parts:
        fits.append(size)
    return min(fits), max(fits)


class Worlds:
    """All worlds of a population: the combination of each person in each world, int8 of shape (worlds, people)."""

    def __init__(self, people: int, relation: str) -> None:
        self.people = people
        self.combinations = np.array(RELATIONS[relation], np.int8)
        kinds = len(self.combinations)
        numbers = np.arange(kinds**people, dtype=np.int64)
        self.of = np.stack([(numbers // kinds**person % kinds).astype(np.int8) for person in range(people)], axis=1)

    def counts(self, questions: Sequence[Question]) -> np.ndarray:
        """The true count of each question in each world, int16 of shape (worlds, questions)."""
        columns = [
            self.combinations[self.of[:, sorted(question.people)], question.criterion].sum(axis=1, dtype=np.int16)
            for question in questions
        ]
        return np.stack(columns, axis=1)


def proven_groups(
    worlds: Worlds, questions: Sequence[Question], parts: int, group_size: int
) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    """What can be proven, after some answers to these questions, of a group of so many people.

    For every answer that is possible to all questions at once, every group, and every way in which the
    criteria may stand with its people: is there a world?  Those without are given, each
    as (answers, people of the group).  None at all says that nothing is proven of anybody, whatever the truth.
    """
    counts = worlds.counts(questions)
    different, which = np.unique(counts, axis=0, return_inverse=True)
    bands = [[band(a, len(q.people), parts) for a in range(parts + 1)] for q in questions]
    inside = [
        np.array([(different[:, at] >= low) & (different[:, at] <= high) for low, high in bands[at]])
        for at in range(len(questions))
    ]
    seen = {
        group: _seen(worlds, group, which.ravel(), len(different))
        for group in combinations(range(worlds.people), group_size)
    }
    for answers in product(range(parts + 1), repeat=len(questions)):
        possible = np.logical_and.reduce([inside[at][answer] for at, answer in enumerate(answers)])
        if not possible.any():
            continue
        yield from ((answers, group) for group, ways in seen.items() if not ways[possible].any(axis=0).all())


def _seen(worlds: Worlds, group: tuple[int, ...], which: np.ndarray, different: int) -> np.ndarray:
    """Which ways of a group occur with each combination of counts: bool of shape (different, ways)."""
    kinds = len(worlds.combinations)
    way = np.zeros(len(worlds.of), np.int64)
    for person in group:
        way = way * kinds + worlds.of[:, person]
    table = np.zeros((different, kinds ** len(group)), bool)
    table[which, way] = True
    return table
