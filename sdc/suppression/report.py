"""What suppression tells the reviewer, and nobody else: statuses, loss, path, audit."""

from dataclasses import dataclass, field

import numpy as np

from sdc.attack.intervals import Intervals
from sdc.suppression.audit import PatternAudit
from sdc.tables import Table

__all__ = [
    "DECOY",
    "FORCED",
    "PRIMARY",
    "PUBLISHED",
    "REASONS",
    "SECONDARY",
    "STATUSES",
    "LevelLoss",
    "SuppressionReport",
    "level_losses",
    "make_report",
]

Masks = tuple[np.ndarray, ...]

# Why a cell is hidden.
PUBLISHED, PRIMARY, SECONDARY, DECOY, FORCED = range(5)
STATUSES = {
    PUBLISHED: "published",
    PRIMARY: "primary",
    SECONDARY: "secondary",
    DECOY: "decoy",
    FORCED: "forced",
}
REASONS = {
    PRIMARY: "a rule flags it",
    SECONDARY: "hidden so that cells flagged by rules cannot be worked out",
    DECOY: "hidden by the key's draw, so that not every hidden cell is one that a rule flags",
    FORCED: "hidden because it was asked for",
}


@dataclass(frozen=True, kw_only=True)
class LevelLoss:
    """What is hidden at one level: cells, and the sum of their counts."""

    level: str
    cells: int
    primary: int
    others: int
    sum_primary: int
    sum_others: int

    @property
    def hidden(self) -> int:
        """Cells hidden."""
        return self.primary + self.others

    @property
    def share(self) -> float:
        """Share of the level's cells that is hidden."""
        return self.hidden / self.cells


@dataclass(frozen=True, kw_only=True, eq=False)
class SuppressionReport:
    """How it went: for the reviewer, never for the public.

    Attributes
    ----------
    status : per level, int8 of the table's shape; see `STATUSES`.
    intervals : what a reader can prove of each cell, as far as was asked (`sdc.suppression.audit`).
    losses : a row per level.
    path : ``network``.
    figures : what the audit and the search counted.
    above_share : levels of which more than the spec's `max_share` is hidden.
    """

    status: Masks
    intervals: Intervals
    losses: tuple[LevelLoss, ...]
    path: str = "network"
    figures: dict[str, int] = field(default_factory=dict)
    above_share: tuple[str, ...] = ()


def level_losses(table: Table, hidden: Masks, primary: Masks) -> tuple[LevelLoss, ...]:
    """What a pattern hides at each level."""
    rows = []
    for level, counts, mask, flagged in zip(table.hierarchy.levels, table.counts, hidden, primary, strict=True):
        first, rest = mask & flagged, mask & ~flagged
        rows.append(
            LevelLoss(
                level=level,
                cells=counts.size,
                primary=int(first.sum()),
                others=int(rest.sum()),
                sum_primary=int(counts[first].sum()),
                sum_others=int(counts[rest].sum()),
            )
        )
    return tuple(rows)


def make_report(
    table: Table, *, hidden: Masks, status: Masks, audit: PatternAudit, max_share: float, path: str = "network"
) -> SuppressionReport:
    """The report of a pattern that passed its audit."""
    losses = level_losses(table, hidden, tuple(each == PRIMARY for each in status))
    counted = {f"{name} cells": int(sum((each == code).sum() for each in status)) for code, name in STATUSES.items()}
    return SuppressionReport(
        status=status,
        intervals=audit.intervals,
        losses=losses,
        path=path,
        figures={**counted, **audit.figures},
        above_share=tuple(loss.level for loss in losses if loss.share > max_share),
    )
