"""The promise, cell by cell: which intervals break it, told as findings.

With [lo, hi] a cell's feasibility interval, min_count the smallest non-zero
count that may be told and width the promised width, a small cell
(1 <= x <= min_count - 1; without the truth: its interval meets that range)

* is *pinned* where lo >= 1 and hi <= min_count - 1;
* is *too narrow* where hi - lo < width;
* is *not covered* where it is suppressed and not lo = 0, hi >= min_count (judged with the truth only: a
  reader cannot tell which suppressed cells are small);
* *leaves its insiders too little* where the count less one, in
  [max(lo, 1) - 1, hi - 1], contains neither 0 nor a value >= min_count, or spans less than width - 1.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from sdc.attack.attacked import Attacked
from sdc.attack.groups import exposed, groups_of, small_groups
from sdc.attack.intervals import NO_BOUND, Intervals
from sdc.attack.listing import MOST_LISTED, listed
from sdc.attack.witness import between
from sdc.findings import Audit, Finding
from sdc.tables import SUPPRESSED

__all__ = ["Rules", "asked_cells", "group_findings", "insider_findings", "small_cell_findings", "small_cells"]

MOST_INSIDERS = 50_000

Masks = tuple[np.ndarray, ...]


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What a release promises; see the module's inequalities."""

    min_count: int
    width: int
    sensitive: tuple[str, ...] = ()
    group_size: int = 10

    def __post_init__(self) -> None:
        if self.min_count < 2:
            raise ValueError(f"min_count ({self.min_count}) must be at least 2")
        if self.width < 0:
            raise ValueError(f"width ({self.width}) must be at least 0")
        if self.group_size < 1:
            raise ValueError(f"group_size ({self.group_size}) must be at least 1")

    @property
    def enough(self) -> int:
        """No rule looks at what an upper bound is beyond this (or beyond lo + width)."""
        return max(self.min_count + 1, self.group_size, self.width + 1)


def small_cells(table: Attacked, bounds: Intervals, rules: Rules) -> Masks:
    """Cells that are small: truly, where the truth is given, else those whose interval meets 1 … min_count - 1."""
    if table.truth is not None:
        return tuple((counts >= 1) & (counts < rules.min_count) for counts in table.truth.counts)
    return tuple((hi >= 1) & (lo < rules.min_count) for lo, hi in zip(bounds.lo, bounds.hi, strict=True))


def asked_cells(table: Attacked, rules: Rules) -> Masks:
    """Cells whose exact interval some rule needs: small ones, and those of groups that are small."""
    asked = tuple(mask.copy() for mask in small_cells(table, table.bounds, rules))
    for group in groups_of(table.safe, rules.sensitive):
        for level, small, _ in small_groups(table.bounds, group, rules.group_size):
            asked[level][np.ix_(small, np.array(group.members))] = True
    return asked


def small_cell_findings(table: Attacked, columns: np.ndarray, rules: Rules) -> Audit:
    """Small cells that are pinned, too narrow, not covered, or leave their insiders too little.

    `columns` (bool) says which columns to judge: a figure that several tables tell is judged once.
    """
    kinds: dict[str, list[np.ndarray]] = {"pinned": [], "too narrow": [], "not covered": [], "insider": []}
    small = small_cells(table, table.tight, rules)
    for level, is_small in enumerate(small):
        lo, hi = table.tight.lo[level], table.tight.hi[level]
        judged = is_small & columns
        pinned = (lo >= 1) & (hi < rules.min_count)
        narrow = ~pinned & (hi - lo < rules.width)
        hidden = (table.safe.markers[level] == SUPPRESSED) & (table.truth is not None)
        bare = hidden & ~pinned & ~narrow & ((lo > 0) | (hi < rules.min_count))
        rest_lo, rest_hi = np.maximum(lo, 1) - 1, hi - 1
        left = ((rest_lo > 0) & (rest_hi < rules.min_count)) | (rest_hi - rest_lo < rules.width - 1)
        left &= ~(pinned | narrow | bare)
        for kind, mask in zip(kinds, (pinned, narrow, bare, left), strict=True):
            kinds[kind].append(mask & judged)
    meanings = {
        "pinned": "nothing but a small count is possible",
        "too narrow": f"the interval is narrower than {rules.width}",
        "not covered": f"the interval does not cover 0 to {rules.min_count}",
        "insider": "less themselves, somebody counted here learns too much of the others",
    }
    audit = Audit(figures={f"{table.name}: small cells judged": int(sum((m & columns).sum() for m in small))})
    for kind, masks in kinds.items():
        audit = audit.joined(_cells_found(table, kind, meanings[kind], tuple(masks)))
    return audit


def insider_findings(table: Attacked, rules: Rules) -> Audit:
    """Cells that somebody who knows their own record learns exactly, by max flow on a bounded set of insiders.

    Insiders are the finest cells of the smallest areas that may be empty to an
    outsider, tightest first, `MOST_INSIDERS` at most; looked at are the cells of
    the two sums that each stands in.
    """
    if table.residual is None:
        raise ValueError("insiders need a table that was attacked by max flow")
    lo, hi = table.tight.lo[0], table.tight.hi[0]
    finest = np.ones(lo.shape, np.bool_)
    finest[:, -1] = lo.shape[1] == 1
    possible = finest & small_cells(table, table.tight, rules)[0] & (lo == 0) & (hi >= 1)
    cells = np.flatnonzero(possible)
    insiders = cells[np.argsort(hi.ravel()[cells], kind="stable")][:MOST_INSIDERS]
    uncertain = np.concatenate([(a < b).ravel() for a, b in zip(table.tight.lo, table.tight.hi, strict=True)])
    found = table.residual.learned_by_insiders(insiders, uncertain)
    found = found[[not _alone(table, *row) for row in found.tolist()]] if len(found) else found
    names = table.names

    def tell(row: np.ndarray) -> Finding:
        own, cell, value = (int(number) for number in row)
        text = (
            f"somebody counted in {names.name(own)} ({names.shown(own)}) knows that it is at least 1; "
            f"then this cell is {between(value, value)}"
        )
        return _finding(table, "learned by an insider", names.name(cell), text, (value, value))

    left_out = len(cells) - len(insiders)
    untried = f"{table.name}: {left_out} finest cells whose insiders were not tried"
    told = Audit(not_checked=(untried,) if left_out else (), figures={f"{table.name}: insiders tried": len(insiders)})
    return listed(table.name, "learned by an insider", list(found), tell).joined(told)


def group_findings(table: Attacked, rules: Rules) -> Audit:
    """Small groups of which all, or none, provably share a category of a sensitive dimension."""
    names = table.names
    hits = []
    for group in groups_of(table.safe, rules.sensitive):
        for hit in exposed(table.safe, table.tight, group, rules.group_size):
            members = table.truth.counts[hit.level][hit.unit, list(group.members)] if table.truth else np.ones(1)
            if members.sum() > 0:
                hits.append(hit)

    def tell(number: int) -> Finding:
        hit = hits[number]
        if hit.everybody:
            text = f"at most {hit.size} in the group, and all of them have {hit.dimension}={hit.category}: every other is 0"
        else:
            reason = table.reason(hit.level, hit.unit, hit.column)
            text = f"at most {hit.size} in the group, and none of them has {hit.dimension}={hit.category}: {reason}"
        upper = int(table.tight.hi[hit.level][hit.unit, hit.column])
        interval = (int(table.tight.lo[hit.level][hit.unit, hit.column]), upper)
        return _finding(table, "group", names.name_at(hit.level, hit.unit, hit.column), text, interval)

    return listed(table.name, "group", range(len(hits)), tell)


def _cells_found(table: Attacked, kind: str, meaning: str, masks: Masks) -> Audit:
    def places() -> Iterator[tuple[int, int, int]]:
        for level, mask in enumerate(masks):
            for unit, column in np.argwhere(mask)[:MOST_LISTED]:
                yield level, int(unit), int(column)

    def tell(place: tuple[int, int, int]) -> Finding:
        level, unit, column = place
        interval = (int(table.tight.lo[level][unit, column]), int(table.tight.hi[level][unit, column]))
        text = f"{table.reason(*place)}; so it is {between(*interval)}: {meaning}"
        return _finding(table, kind, table.names.name_at(*place), text, interval)

    return listed(table.name, kind, list(places()), tell, int(sum(mask.sum() for mask in masks)))


def _finding(table: Attacked, kind: str, cell: str, witness: str, interval: tuple[int, int]) -> Finding:
    lo, hi = interval
    told = (lo, None if hi >= NO_BOUND else hi)
    return Finding(kind=kind, severity="disclosure", table=table.name, cell=cell, witness=witness, interval=told)


def _alone(table: Attacked, own: int, cell: int, value: int) -> bool:
    """Whether the cell contains the insider and nobody else."""
    if value != 1:
        return False
    (_, own_unit, own_column), (level, unit, column) = (table.names.place(own), table.names.place(cell))
    total = table.network.columns - 1
    return column in (own_column, total) and int(table.safe.hierarchy.ancestors(0, level)[own_unit]) == unit
