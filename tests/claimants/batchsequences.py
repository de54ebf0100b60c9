"""Sequences of questions that an attacker would ask: overlapping batches, criteria and dates, drawn by a number."""

import random
from collections.abc import Callable

from batchattacker import RELATIONS, Question

Plan = Callable[[random.Random, int, int], list[frozenset[int]]]


def less_a_few(rng: random.Random, people: int, smallest: int) -> list[frozenset[int]]:
    """A batch, then the batch less one, less two … of its people."""
    whole = rng.sample(range(people), rng.randint(smallest, people))
    return [frozenset(whole[: len(whole) - less]) for less in range(min(4, len(whole)))]


def a_chain(rng: random.Random, people: int, smallest: int) -> list[frozenset[int]]:
    """Nested batches, from small to large."""
    order = rng.sample(range(people), people)
    ends = sorted(rng.sample(range(smallest, people + 1), min(4, people + 1 - smallest)))
    return [frozenset(order[:end]) for end in ends]


def a_window(rng: random.Random, people: int, smallest: int) -> list[frozenset[int]]:
    """Batches of one size that move on by a few people each time."""
    order, size, step = rng.sample(range(people), people), rng.randint(smallest, people), rng.randint(1, 3)
    return [frozenset(order[(start + at) % people] for at in range(size)) for start in range(0, 5 * step, step)]


def parts_and_union(rng: random.Random, people: int, smallest: int) -> list[frozenset[int]]:
    """Two batches, what they have in common, their union, and what is in one of them alone."""
    one = frozenset(rng.sample(range(people), rng.randint(smallest, people)))
    other = frozenset(rng.sample(range(people), rng.randint(smallest, people)))
    return [one, other, one | other, one & other, one - other, one ^ other]


def again(rng: random.Random, people: int, smallest: int) -> list[frozenset[int]]:
    """The same people over and over, by other criteria and on other dates, and then some others of them."""
    one = frozenset(rng.sample(range(people), rng.randint(smallest, people)))
    return [one, one, one, frozenset(rng.sample(sorted(one), rng.randint(1, len(one)))), one]


def a_split(rng: random.Random, people: int, smallest: int) -> list[frozenset[int]]:
    """Everybody, then two halves, then the first half with a person of the second."""
    order, cut = rng.sample(range(people), people), rng.randint(1, people - 1)
    return [frozenset(order), frozenset(order[:cut]), frozenset(order[cut:]), frozenset(order[: cut + 1])]


def anything(rng: random.Random, people: int, smallest: int) -> list[frozenset[int]]:
    """Batches of any size, drawn one by one."""
    return [frozenset(rng.sample(range(people), rng.randint(1, people))) for _ in range(6)]


def several_circles(rng: random.Random, people: int, smallest: int) -> list[frozenset[int]]:
    """Circles of people who share nobody, each asked about twice, then less one, then with one of the next."""
    order, size = rng.sample(range(people), people), rng.randint(smallest, max(smallest, people // 2))
    circles = [order[at : at + size] for at in range(0, people - size + 1, size)]
    asked = [[circle, circle, circle[1:], [*circle[1:], order[-1]]] for circle in circles]
    return [frozenset(batch) for at in range(4) for batch in (turns[at] for turns in asked)]


PLANS: tuple[Plan, ...] = (less_a_few, a_chain, a_window, parts_and_union, again, a_split, anything, several_circles)
# People, min_count and parts, by the number of combinations a person may have: as many worlds as there is time for.
SETTINGS = {
    2: ((12, 1, 2), (13, 1, 3), (12, 2, 2), (14, 1, 2)),
    3: ((10, 1, 2), (10, 1, 3), (10, 2, 2)),
    4: ((8, 1, 2), (8, 1, 2), (8, 2, 2)),
}


def sequence(number: int) -> tuple[str, int, int, int, list[Question]]:
    """Relation, people, min_count, parts and questions of one sequence: the same for the same number."""
    rng = random.Random(f"batches {number}")
    relation = list(RELATIONS)[number % len(RELATIONS)]
    people, min_count, parts = rng.choice(SETTINGS[len(RELATIONS[relation])])
    batches = rng.choice(PLANS)(rng, people, min_count * parts + 1)
    if rng.random() < 0.5:
        rng.shuffle(batches)
    if rng.random() < 0.3:
        batches += rng.choice(PLANS)(rng, people, min_count * parts + 1)
    criteria = len(RELATIONS[relation][0])
    questions = [Question(batch, rng.randrange(criteria)) for batch in batches if batch]
    return relation, people, min_count, parts, questions
