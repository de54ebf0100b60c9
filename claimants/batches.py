"""Batch validation: which questions about batches may be answered, and what the answer says.

A *question* is a batch (a set of people) with criteria, a date and an extract.  Its
answer is the share of the batch that meets the criteria, rounded at random to a
multiple of 1/parts (tenths) and told as the band in which the true share then lies.

Whether a question is answered follows from sizes alone: how many people are in the
batch, and how many of them were in batches answered before.  The true count is no
argument of `decide`, so that a refusal cannot tell anything of it.

What is promised (docs/explanation/batch-validation.md has the proof): whatever was
answered and refused, any way in which up to `min_count` people may meet the criteria
remains possible.  So no group of that size or smaller can be proven to meet them,
nor not to meet them, not even by somebody who knows all but one of the group.
"""

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product

__all__ = ["BatchRules", "Decision", "decide", "draw_share", "pair_fits"]

DRAW_BITS = 256


class Decision(enum.Enum):
    """Whether a question is answered, and if not, which of the two rules is against it."""

    ANSWER = "answer"
    TOO_SMALL = "too small"
    OVERLAP = "overlap"


@dataclass(frozen=True, kw_only=True)
class BatchRules:
    """The rules of one log of answered questions.

    Attributes
    ----------
    min_count : smallest group of which something may be proven is larger than this; at least 1.
    parts : shares are told in multiples of 1/parts; 10 in every use but small examples and tests.

    Raises
    ------
    ValueError
        `min_count` < 1 or `parts` < 2.
    """

    min_count: int = 5
    parts: int = 10

    def __post_init__(self) -> None:
        if self.min_count < 1:
            raise ValueError(f"min_count ({self.min_count}) must be at least 1")
        if self.parts < 2:
            raise ValueError(f"parts ({self.parts}) must be at least 2")

    @property
    def smallest(self) -> int:
        """The smallest batch: parts × min_count + 1 people.

        From this size on the top band, share > 1 − 1/parts, contains the counts
        n − min_count … n, and the bottom band the counts 0 … min_count.
        """
        return self.parts * self.min_count + 1

    def band(self, answer: int, people: int) -> tuple[int, int]:
        """The least and the greatest count of a batch of so many people that may get this answer (0 … parts).

        A count S gets the answer k only if (k − 1)/parts < S/people < (k + 1)/parts.
        """
        low = (people * (answer - 1)) // self.parts + 1 if answer > 0 else 0
        high = -(-people * (answer + 1) // self.parts) - 1 if answer < self.parts else people
        return low, high


def draw_share(rules: BatchRules, count: int, people: int, draw: int) -> int:
    """The answer, 0 … parts: parts × count / people, rounded up with probability equal to its fraction.

    Parameters
    ----------
    count : the true count of people who meet the criteria.
    draw : a whole number below 2**256 from a keyed hash of the question.  The same question has the same draw.

    Raises
    ------
    ValueError
        `count` is not between 0 and `people`.
    """
    if not 0 <= count <= people or people < 1:
        raise ValueError("count must be between 0 and people")
    down, rest = divmod(rules.parts * count, people)
    return down + (draw * people < rest << DRAW_BITS)


def decide(rules: BatchRules, people: frozenset[bytes], earlier: Sequence[frozenset[bytes]]) -> Decision:
    """Whether a new question about these people may be answered, after those of `earlier` were.

    It may if the batch is large enough and no person of it was asked about before; or
    if one earlier question alone shares people with it, which shares people with no
    third, and the two fit (`pair_fits`).  Nothing else is looked at.

    Parameters
    ----------
    people : keyed hashes of the people of the batch.
    earlier : of each question answered before, in any order, its people; the same people may come twice.
    """
    if len(people) < rules.smallest:
        return Decision.TOO_SMALL
    touching = [at for at, other in enumerate(earlier) if not other.isdisjoint(people)]
    if not touching:
        return Decision.ANSWER
    if len(touching) > 1:
        return Decision.OVERLAP
    partner = earlier[touching[0]]
    if _touches(partner, (other for at, other in enumerate(earlier) if at != touching[0])):
        return Decision.OVERLAP
    fits = pair_fits(rules, len(people), len(partner), len(people & partner))
    return Decision.ANSWER if fits else Decision.OVERLAP


def _touches(people: frozenset[bytes], others: Iterable[frozenset[bytes]]) -> bool:
    return any(not other.isdisjoint(people) for other in others)


def pair_fits(rules: BatchRules, one: int, other: int, both: int) -> bool:
    """Whether two questions about batches of these sizes may both be answered, with so many people in both.

    With m = min_count, and for every answer i of the one and j of the other, bands
    [aᵢ, bᵢ] and [aⱼ, bⱼ]:

    - each of the three parts (in one batch alone, in both, in the other alone) is
      empty or as large as the smallest batch;
    - aᵢ − bⱼ is not in (u − m, u], where u people are in the one batch alone;
    - aⱼ − bᵢ is not in (t − m, t], where t people are in the other alone.

    The bands lie symmetrically, so that the two inequalities also hold for one minus
    either share: this is what makes nested, complementary, excluding and equal
    criteria as safe as unrelated ones.
    """
    alone, other_alone = one - both, other - both
    if any(0 < part < rules.smallest for part in (alone, both, other_alone)):
        return False
    answers = range(rules.parts + 1)
    bands = [rules.band(answer, one) for answer in answers]
    other_bands = [rules.band(answer, other) for answer in answers]
    m = rules.min_count
    return not any(
        alone - m < low - other_high <= alone or other_alone - m < other_low - high <= other_alone
        for (low, high), (other_low, other_high) in product(bands, other_bands)
    )
