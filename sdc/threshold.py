"""The threshold rule: a true count x with 1 <= x <= min_count - 1 is small, and so a primary risk.

Source: Hundepool et al., *Handbook on Statistical Disclosure Control*, 2nd ed.
(2024), chapter 5 (frequency tables).
"""

from dataclasses import dataclass

import numpy as np

from sdc.tables import Table

__all__ = ["Flagged", "small_cells", "threshold_rule", "threshold_summary"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Flagged:
    """What a risk rule says of every cell of a table: one flag and one reason each.

    Every risk rule takes a table and returns this.

    Attributes
    ----------
    rule : the rule's name.
    reasons : per level, int8 of shape (units, categories + 1), an index into `words`.
    words : the reasons in words; the first is blank and stands for "not flagged".
        No reason tells the count.

    Raises
    ------
    ValueError
        The first of `words` is not blank, another is, or a reason has no words.
    """

    rule: str
    reasons: tuple[np.ndarray, ...]
    words: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.words or self.words[0] or not all(self.words[1:]):
            raise ValueError("words must start with a blank for cells not flagged and give every other reason in words")
        for reasons in self.reasons:
            if reasons.dtype != np.int8:
                raise ValueError(f"reasons must be int8, not {reasons.dtype}")
            if reasons.size and not 0 <= reasons.min() <= reasons.max() < len(self.words):
                raise ValueError("every reason must have its words")

    @property
    def flags(self) -> tuple[np.ndarray, ...]:
        """Per level, bool of shape (units, categories + 1): True where the rule flags the cell."""
        return tuple(reasons > 0 for reasons in self.reasons)

    def reason(self, level: int, unit: int, column: int) -> str:
        """Why one cell is flagged, blank where it is not."""
        return self.words[int(self.reasons[level][unit, column])]


def small_cells(table: Table, *, min_count: int) -> tuple[np.ndarray, ...]:
    """Per level, bool of shape (units, categories + 1): True where 1 <= x <= min_count - 1.

    Raises
    ------
    ValueError
        `min_count` is below 2: no count would be small.
    """
    if min_count < 2:
        raise ValueError(f"min_count ({min_count}) must be at least 2")
    return tuple((counts >= 1) & (counts < min_count) for counts in table.counts)


def threshold_rule(table: Table, *, min_count: int) -> Flagged:
    """The threshold rule: flags every true count x with 1 <= x <= min_count - 1.

    Zeros are not flagged: they are told alike whether true or rounded.
    """
    return Flagged(
        rule="threshold",
        reasons=tuple(small.astype(np.int8) for small in small_cells(table, min_count=min_count)),
        words=("", f"the count is at least 1 and below min_count, {min_count}"),
    )


def threshold_summary(table: Table, *, min_count: int) -> list[dict[str, object]]:
    """Small cells per level, a row each, for the reviewer alone: it tells true counts.

    Keys: `level`, `cells`, `zeros`, `small` (cells with 1 <= x <= min_count - 1),
    `share_small` (of all cells), `share_small_of_nonzero` (None where all are 0),
    and ``cells_of_1`` … ``cells_of_{min_count - 1}``, the small cells by count.
    """
    rows: list[dict[str, object]] = []
    for name, counts, small in zip(
        table.hierarchy.levels, table.counts, small_cells(table, min_count=min_count), strict=True
    ):
        by_value = np.bincount(counts[small], minlength=min_count)
        number, zeros = int(small.sum()), int((counts == 0).sum())
        rows.append(
            {
                "level": name,
                "cells": counts.size,
                "zeros": zeros,
                "small": number,
                "share_small": number / counts.size,
                "share_small_of_nonzero": number / (counts.size - zeros) if counts.size > zeros else None,
                **{f"cells_of_{value}": int(by_value[value]) for value in range(1, min_count)},
            }
        )
    return rows
