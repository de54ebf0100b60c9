"""Draws by keyed hash of a figure, as compiled code makes them."""

from typing import NamedTuple

import numpy as np

from common.keys import siphash
from sdc.compiled import lean

__all__ = ["Draws", "draw", "make_draws"]


class Draws(NamedTuple):
    """What draws are made from.

    Attributes
    ----------
    secret : the sub-key, two words.
    figures : uint64 of shape (n,), the hash of each figure (`sdc.figures`).
    drawn : int32 of shape (n,), how many draws were made from each, so that each is a new one.
    words : uint64 of shape (2,), room for what is hashed.
    """

    secret: np.ndarray
    figures: np.ndarray
    drawn: np.ndarray
    words: np.ndarray


def make_draws(secret: np.ndarray, figures: np.ndarray) -> Draws:
    """Draws from figures none of which was drawn from yet."""
    return Draws(secret=secret, figures=figures, drawn=np.zeros(len(figures), np.int32), words=np.empty(2, np.uint64))


@lean
def draw(draws, figure, numerator, denominator):  # type: ignore[no-untyped-def]
    """True with probability numerator / denominator, by the next draw from one figure."""
    draws.words[0] = draws.figures[figure]
    draws.words[1] = draws.drawn[figure]
    draws.drawn[figure] += 1
    return siphash(draws.secret, draws.words, 2) % np.uint64(denominator) < np.uint64(numerator)
