"""The threshold rule: a true count x with 1 <= x <= min_count - 1 is small, and so a primary risk.

Source: Hundepool et al., *Handbook on Statistical Disclosure Control*, 2nd ed.
(2024), section 5.2 (frequency tables).
"""

from dataclasses import dataclass

import numpy as np

from sdc.rules.flags import Flags
from sdc.tables import Table

__all__ = ["Threshold", "small_cells", "threshold_summary"]


@dataclass(frozen=True, kw_only=True)
class Threshold:
    """Flags every true count x with 1 <= x <= min_count - 1.

    Zeros are left to `sdc.rules.zeros`: they are told alike whether true or rounded.

    >>> from sdc.tables import Classification, Hierarchy, Table
    >>> tree = Hierarchy(levels=("area",), codes=(np.array(["a", "b", "c"]),), parents=())
    >>> table = Table.from_finest(
    ...     hierarchy=tree,
    ...     classification=Classification(dimensions=(), categories=()),
    ...     finest=np.array([[0], [4], [5]]),
    ... )
    >>> flags = Threshold(min_count=5).flags(table)
    >>> flags.hit[0].ravel().tolist()
    [False, True, False]
    >>> flags.reasons_of((0, 1, 0))
    ('the count is at least 1 and below min_count, 5',)

    Raises
    ------
    ValueError
        `min_count` is below 2: no count would be small.
    """

    min_count: int = 5

    def __post_init__(self) -> None:
        if self.min_count < 2:
            raise ValueError(f"min_count ({self.min_count}) must be at least 2")

    def flags(self, table: Table, /) -> Flags:
        """Flags of the small cells."""
        return Flags(
            rule="threshold",
            reason=f"the count is at least 1 and below min_count, {self.min_count}",
            hit=small_cells(table, min_count=self.min_count),
        )


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
