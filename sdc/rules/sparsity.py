"""Sparsity, area by area: does a row say more of its few people than a table should?

For one area, n people over K possible categories (structural zeros left out):

* the *mean cell* n / K is low;
* the *share of ones* among its non-zero cells is high;
* few categories are *populated*.

The limits are ours: the UK census names none of its own.  Stats NZ asked for a
mean cell of at least 2 in 2006 ("2006 Census confidentiality rules").  An area
is flagged, never the whole table: its categories, not its total, which tells
nothing of how its people are spread.

The table entropy risk of L. Antal, N. Shlomo and M. Elliot, "Measuring
disclosure risk with entropy in population based frequency tables" (Privacy in
Statistical Databases 2014) is a figure for the reviewer, no flag; Hundepool et
al., *Handbook on Statistical Disclosure Control*, 2nd ed. (2024), section 5.9.
"""

from dataclasses import dataclass, field
from math import e

import numpy as np

from sdc.rules.flags import Flags, combine, no_flags
from sdc.rules.zeros import Zeros
from sdc.tables import Table

__all__ = ["WEIGHTS", "Sparsity", "entropy_risk", "sparsity_rows"]

# Our choice: concentration weighs most. The handbook leaves the weights open.
WEIGHTS = (0.1, 0.8, 0.1)


@dataclass(frozen=True, kw_only=True)
class Sparsity:
    """Flags every category of an area whose row is sparse.

    Attributes
    ----------
    least_mean : flagged where n / K < `least_mean`.
    most_ones : flagged where ones / non-zero cells > `most_ones`.
    fewest_populated : flagged where fewer categories than this hold anybody.
    zeros : which categories are structural zeros and do not count among the K.

    Tables without categories, and with only one possible, have no row to speak of
    and are not flagged.

    Raises
    ------
    ValueError
        A limit lies outside its range.
    """

    least_mean: float = 2.0
    most_ones: float = 0.5
    fewest_populated: int = 2
    zeros: Zeros = field(default_factory=Zeros)

    def __post_init__(self) -> None:
        if self.least_mean < 0:
            raise ValueError(f"least_mean ({self.least_mean}) must be at least 0")
        if not 0 <= self.most_ones <= 1:
            raise ValueError(f"most_ones ({self.most_ones}) must lie from 0 to 1")
        if self.fewest_populated < 0:
            raise ValueError(f"fewest_populated ({self.fewest_populated}) must be at least 0")

    def flags(self, table: Table, /) -> Flags:
        """Flags of sparse areas, a reason for each limit that they break."""
        possible = _possible(table, self.zeros)
        if possible.sum() < 2:
            return no_flags(table)
        rows = [_row_figures(counts[:, possible]) for counts in table.counts]
        limits = (
            (
                f"the area has fewer than {self.least_mean:g} people per category",
                [row.mean < self.least_mean for row in rows],
            ),
            (
                f"more than {self.most_ones:.0%} of the area's cells that are not 0 are 1",
                [row.ones > self.most_ones for row in rows],
            ),
            (
                f"fewer than {self.fewest_populated} of the area's categories hold anybody",
                [row.populated < self.fewest_populated for row in rows],
            ),
        )
        return combine(
            *(
                Flags(rule="sparsity", reason=reason, hit=tuple(sparse[:, None] & possible for sparse in areas))
                for reason, areas in limits
            )
        )


def _possible(table: Table, zeros: Zeros) -> np.ndarray:
    """The categories in which anybody can be counted: bool of shape (categories + 1,), the total never."""
    possible = ~zeros.structural(table.classification)
    possible[-1] = False
    return possible


@dataclass(frozen=True, kw_only=True, eq=False)
class _Rows:
    """Per area: mean cell, share of ones among its non-zero cells (0 where all are 0), populated categories."""

    mean: np.ndarray
    ones: np.ndarray
    populated: np.ndarray


def _row_figures(cells: np.ndarray) -> _Rows:
    populated = (cells > 0).sum(axis=1)
    return _Rows(mean=cells.mean(axis=1), ones=(cells == 1).sum(axis=1) / np.maximum(populated, 1), populated=populated)


def entropy_risk(cells: np.ndarray, *, weights: tuple[float, float, float] = WEIGHTS) -> np.ndarray:
    """Entropy risk of every row of cells, each row a table of its own: float64 of shape (rows,).

    With K cells F_l that add up to N, D the cells that are 0 and
    H = -Σ (F_l / N) log(F_l / N):

        R = w1 |D| / K + w2 (1 - H / log K) - w3 (1 / √N) log(1 / (e √N))

    It nears 0 where many people are spread evenly and w1 + w2 + w3 where one cell
    holds all of a few.  Not a number where N = 0 or K = 1, for which the formula
    says nothing.

    `cells` is int64 of shape (rows, K); pass ``counts.reshape(1, -1)`` for one table.

    >>> entropy_risk(np.array([[5, 5, 5, 5], [20, 0, 0, 0]])).round(4).tolist()
    [0.0559, 0.9309]

    Raises
    ------
    ValueError
        The weights are not three numbers of at least 0.
    """
    if len(weights) != 3 or min(weights) < 0:
        raise ValueError(f"weights ({weights}) must be three numbers of at least 0")
    number = cells.sum(axis=1).astype(float)
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = cells / number[:, None]
        entropy = -np.where(cells > 0, shares * np.log(np.where(cells > 0, shares, 1.0)), 0.0).sum(axis=1)
        empty = (cells == 0).mean(axis=1)
        root = np.sqrt(number)
        risk = weights[0] * empty + weights[1] * (1 - entropy / np.log(cells.shape[1]))
        risk -= weights[2] / root * np.log(1 / (e * root))
    return np.where((number > 0) & (cells.shape[1] > 1), risk, np.nan)


def sparsity_rows(table: Table, *, spec: Sparsity) -> list[dict[str, object]]:
    """Sparsity of every level, a row each, for the reviewer alone: it tells of true counts.

    Keys: `level`; `areas`; `mean_cell` over the level; `share_zero` of its cells;
    `share_one` of its non-zero cells; `areas_flagged`; `entropy_risk` of the level's
    cells as one table.  A figure that is not defined is None.
    """
    possible = _possible(table, spec.zeros)
    flagged = spec.flags(table)
    rows: list[dict[str, object]] = []
    for level, counts in enumerate(table.counts):
        cells = counts[:, possible]
        some = int((cells > 0).sum())
        risk = float(entropy_risk(cells.reshape(1, -1))[0]) if cells.size > 1 else np.nan
        rows.append(
            {
                "level": table.hierarchy.levels[level],
                "areas": len(counts),
                "mean_cell": float(cells.mean()) if cells.size else None,
                "share_zero": 1 - some / cells.size if cells.size else None,
                "share_one": float((cells == 1).sum() / some) if some else None,
                "areas_flagged": int(flagged.hit[level].any(axis=1).sum()),
                "entropy_risk": None if np.isnan(risk) else risk,
            }
        )
    return rows
