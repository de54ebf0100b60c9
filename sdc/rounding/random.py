"""Unbiased random rounding: every cell by itself, up or down by its own keyed draw.

With u = floor(x / b) and m = x mod b, the published value is

    r = (u + 1)b  with probability m / b,    r = ub  otherwise,

so that E[r] = x, |r - x| < b, Var(r - x) = m(b - m) and E|r - x| = 2m(b - m) / b;
multiples of b stay as they are.  The draw is the keyed hash of the figure: the
records behind a cell, whatever table it stands in.  Two cells of one table that
hold the same records, such as a total and the one category it consists of, show
the same value.

Totals are drawn apart from their parts: nothing adds up, and that by itself can
give counts away.  Four areas shown 0 under a total shown 20 with base 5 are 4
each: the total is at least 16 and each area at most 4.

Sources: Hundepool et al., *Handbook on Statistical Disclosure Control*, 2nd ed.
(2024), 5.5; B. Fraser and J. Wooton, "A proposed method for confidentialising
tabular output to protect against differencing" (2005), for draws that follow
the contributors.
"""

from dataclasses import dataclass

import numpy as np
from numba import njit

from common.keys import sip_key, siphash
from common.progress import SILENT, Progress
from sdc.figures import figures_of
from sdc.network import flatten, unflatten
from sdc.rounding.bases import check_base
from sdc.tables import Method, SafeTable, Table, sum_up

__all__ = ["RandomReport", "RandomRounding", "draw_all", "protect_random"]


@dataclass(frozen=True, kw_only=True)
class RandomRounding:
    """What is asked of random rounding.

    Attributes
    ----------
    base : rounding base b, at least `min_count`.
    min_count : smallest non-zero count that may be told; a true count x with
        1 <= x <= min_count - 1 is *small*.
    """

    base: int = 5
    min_count: int = 5

    def __post_init__(self) -> None:
        check_base(self.base, self.min_count)


@dataclass(frozen=True, kw_only=True)
class RandomReport:
    """How it went: for the reviewer, never for the public.

    Attributes
    ----------
    path : always "independent draws".
    loss : Σ |r - x| over all cells.
    raised, lowered, kept : cells shown above, below and at their true count.
    gaps : sums of the table that the published values do not fulfil.
    """

    path: str
    loss: int
    raised: int
    lowered: int
    kept: int
    gaps: int

    @classmethod
    def of(cls, values: np.ndarray, counts: np.ndarray, gaps: int) -> "RandomReport":
        """The report on published values and true counts."""
        return cls(
            path="independent draws",
            loss=int(np.abs(values - counts).sum()),
            raised=int((values > counts).sum()),
            lowered=int((values < counts).sum()),
            kept=int((values == counts).sum()),
            gaps=gaps,
        )


def protect_random(
    table: Table, *, spec: RandomRounding, key: bytes, progress: Progress = SILENT
) -> tuple[SafeTable, RandomReport]:
    """Round every cell of a table by its own draw.

    Returns the safe table, method ``random-rounding``, and how it went.
    """
    progress.step("drawing cells")
    counts = flatten(table.counts)
    values = draw_all(sip_key(key, "random rounding"), flatten(_same_records(table, key)), counts, spec.base)
    safe = SafeTable(
        hierarchy=table.hierarchy,
        classification=table.classification,
        values=unflatten(values, table.hierarchy, len(table.classification) + 1),
        method=Method(name="random-rounding", base=spec.base, min_count=spec.min_count),
    )
    return safe, RandomReport.of(values, counts, _gaps(safe))


def _same_records(table: Table, key: bytes) -> tuple[np.ndarray, ...]:
    """Hashes of the figures, equal wherever two cells of the table hold the same records.

    A smallest area that consists of one category holds one figure: the total,
    whose hash is the same in tables by other categories.
    """
    hashes = figures_of(table, key).hashes
    counts = table.counts[0]
    finest = hashes[0].copy()
    finest[:, :-1] = np.where(counts[:, :-1] == counts[:, -1:], finest[:, -1:], finest[:, :-1])
    return sum_up(table.hierarchy, finest)


@njit(cache=True)
def draw_all(secret, figures, counts, base):  # type: ignore[no-untyped-def]
    """Published values of cells with these figures and counts: int64 of shape (cells,)."""
    words = np.empty(1, np.uint64)
    out = np.empty_like(counts)
    for cell in range(len(counts)):
        remainder = counts[cell] % base
        words[0] = figures[cell]
        rises = siphash(secret, words, 1) % np.uint64(base) < np.uint64(remainder)
        out[cell] = counts[cell] - remainder + base * rises
    return out


def _gaps(safe: SafeTable) -> int:
    """How many sums of the table its published values do not fulfil."""
    sums = sum_up(safe.hierarchy, safe.values[0])
    found = sum(
        int(np.count_nonzero(np.diff(np.stack(pair), axis=0))) for pair in zip(sums[1:], safe.values[1:], strict=True)
    )
    if len(safe.classification):
        found += sum(int(np.count_nonzero(v[:, :-1].sum(axis=1) != v[:, -1])) for v in safe.values)
    return found
