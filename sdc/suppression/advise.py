"""What would need less hiding: coarser areas, or fewer categories, with figures."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from common.faults import Infeasible
from common.progress import SILENT, Progress
from sdc.suppression.plan import Masks
from sdc.suppression.report import LevelLoss, level_losses
from sdc.suppression.spec import SuppressionSpec
from sdc.suppression.suppress import suppress_table
from sdc.tables import Classification, Hierarchy, Table

__all__ = ["Advice", "advise", "coarser", "fitting_levels", "merged"]

JOINT = " + "


@dataclass(frozen=True, kw_only=True)
class Advice:
    """One coarser table and what suppression hides of it.

    Attributes
    ----------
    leaving_out : levels left out, smallest areas first.
    merging : categories told as one; empty where none are.
    margins : of a cube, the margins still published, each by the names of its axes; empty where all are.
    losses : per level that is left; of flagged cells alone where these are too many already, or where no pattern was found.
    passes : whether no level has more than the spec's `max_share` hidden.
    """

    leaving_out: tuple[str, ...]
    merging: tuple[tuple[str, ...], ...]
    losses: tuple[LevelLoss, ...]
    passes: bool
    margins: tuple[tuple[str, ...], ...] = ()

    def sentence(self) -> str:
        """The advice in words, for the statistician."""
        what = f"leaving out {', '.join(self.leaving_out)}" if self.leaving_out else ""
        if self.merging:
            what = f"telling {', '.join('/'.join(category) for category in self.merging)} as one category"
        if self.margins:
            what = f"publishing only {', '.join(' × '.join(names) or 'the grand total' for names in self.margins)}"
        worst = max(self.losses, key=lambda loss: loss.share)
        verdict = "passes" if self.passes else "does not pass"
        return f"{what} {verdict}: at most {worst.share:.1%} of the cells of a level are hidden ({worst.level})"


def advise(
    table: Table,
    *,
    flag: Callable[[Table], Masks],
    spec: SuppressionSpec,
    key: bytes,
    progress: Progress = SILENT,
) -> tuple[Advice, ...]:
    """Try coarser tables until one passes: level after level left out, rare category after rare category merged.

    `flag` is the rule: a table in, flagged cells out.  Categories are merged
    where the table is by one dimension.  Costs a suppression per table tried, but
    for those of which too many cells are flagged to begin with.

    Returns what was tried, in that order; nothing where there is nothing coarser.
    """
    tried: list[Advice] = []
    for candidates in (_fewer_levels(table), _fewer_categories(table)):
        for leaving_out, merging, other in candidates:
            progress.step("looking for a coarser table that passes")
            losses, passes = _attempt(other, flag, spec, key)
            tried.append(Advice(leaving_out=leaving_out, merging=merging, losses=losses, passes=passes))
            if passes:
                break
    return tuple(tried)


Candidate = tuple[tuple[str, ...], tuple[tuple[str, ...], ...], Table]


def _fewer_levels(table: Table) -> Iterator[Candidate]:
    levels = table.hierarchy.levels
    for number in range(1, len(levels)):
        yield levels[:number], (), coarser(table, number)


def _fewer_categories(table: Table) -> Iterator[Candidate]:
    if len(table.classification.dimensions) != 1:
        return
    sums = table.counts[-1][:, :-1].sum(axis=0)
    order = np.argsort(sums, kind="stable")
    for number in range(2, len(order)):
        rare = tuple(table.classification.categories[k] for k in sorted(order[:number]))
        yield (), rare, merged(table, rare)


def _attempt(
    table: Table, flag: Callable[[Table], Masks], spec: SuppressionSpec, key: bytes
) -> tuple[tuple[LevelLoss, ...], bool]:
    primary = flag(table)
    losses = level_losses(table, primary, primary)
    if any(loss.share > spec.max_share for loss in losses):
        return losses, False
    try:
        _, report = suppress_table(table, primary=primary, spec=_fitting(spec, table), key=key)
    except Infeasible:
        return losses, False
    return report.losses, not report.above_share


def _fitting(spec: SuppressionSpec, table: Table) -> SuppressionSpec:
    """The spec without names that the coarser table has not."""
    columns = set(table.classification.columns)
    factors = {name: factor for name, factor in spec.category_factors.items() if name in columns}
    return replace(fitting_levels(spec, table.hierarchy.levels), category_factors=factors)


def fitting_levels(spec: SuppressionSpec, levels: tuple[str, ...]) -> SuppressionSpec:
    """The spec without names of levels that are not among these."""
    return replace(
        spec,
        level_factors={name: factor for name, factor in spec.level_factors.items() if name in levels},
        show_levels=tuple(name for name in spec.show_levels if name in levels),
        show_totals=tuple(name for name in spec.show_totals if name in levels),
    )


def coarser(table: Table, number: int) -> Table:
    """The table without its `number` smallest levels."""
    hierarchy = table.hierarchy
    if not 0 < number < len(hierarchy.levels):
        raise ValueError(f"number ({number}) must be from 1 to one less than the levels there are")
    upper = Hierarchy(
        levels=hierarchy.levels[number:], codes=hierarchy.codes[number:], parents=hierarchy.parents[number:]
    )
    return Table(hierarchy=upper, classification=table.classification, counts=table.counts[number:])


def merged(table: Table, categories: tuple[tuple[str, ...], ...]) -> Table:
    """The table with some categories of its one dimension told as one, named by all their codes."""
    old = table.classification.categories
    if len(table.classification.dimensions) != 1 or not set(categories) <= set(old) or len(categories) < 2:
        raise ValueError("categories must be two or more of the one dimension that the table is by")
    together = (JOINT.join(category[0] for category in categories),)
    names = sorted([category for category in old if category not in categories] + [together])
    into = np.array([names.index(together if category in categories else category) for category in old])
    finest = np.zeros((table.hierarchy.units[0], len(names)), np.int64)
    for column, target in enumerate(into):
        finest[:, target] += table.counts[0][:, column]
    classification = Classification(dimensions=table.classification.dimensions, categories=tuple(names))
    return Table.from_finest(hierarchy=table.hierarchy, classification=classification, finest=finest)
