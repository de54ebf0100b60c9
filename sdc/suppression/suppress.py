"""Cell suppression of one table over an area tree and one flat classification, with its audit.

Source: methods 3.6, 4.1, 5.4 and appendix A; the network form of secondary
suppression follows J. Castro, "Network flows heuristics for complementary cell
suppression: an empirical evaluation and extensions", in Inference Control in
Statistical Databases, LNCS 2316 (2002); protection levels follow M. Fischetti &
J. J. Salazar-González, JASA 95 (2000).
"""

import numpy as np

from common.faults import Infeasible
from common.progress import SILENT, Progress
from sdc.attack.intervals import Intervals
from sdc.network import flatten
from sdc.suppression.audit import PatternAudit, audit_pattern
from sdc.suppression.meeting import demands_of
from sdc.suppression.plan import Choices, Masks, Plan
from sdc.suppression.report import PUBLISHED, SECONDARY, SuppressionReport, make_report
from sdc.suppression.secondary import choose_secondary, in_order
from sdc.suppression.spec import Protection, SuppressionSpec
from sdc.tables import SHOWN, STRUCTURAL, SUPPRESSED, Method, SafeTable, Table

__all__ = ["audit_plan", "published_table", "suppress_table"]

# How often cells that turn out unfit to protect others are set aside and the search begun anew.
MOST_TRIES = 4


def suppress_table(
    table: Table,
    *,
    primary: Masks,
    spec: SuppressionSpec,
    key: bytes,
    protection: Protection | None = None,
    choices: Choices | None = None,
    known: Intervals | None = None,
    progress: Progress = SILENT,
) -> tuple[SafeTable, SuppressionReport]:
    """Hide flagged cells, and as few others as is found to be enough to protect them.

    With x the count of a flagged cell, what a reader can prove of it from all
    that is shown covers [x - lower, x + upper]: by default [0, min_count] for
    a small one.  Primary and secondary cells carry one marker.

    Parameters
    ----------
    primary : flagged cells, bool per level and of the table's shape.
    key : draws prices, decoys and ties; the same key, counts and names give the same pattern.
    protection : `sdc.suppression.spec.protection_of` where not given.
    known : bounds that a reader has from elsewhere.

    Returns
    -------
    The table as published, method ``suppression`` and base 1, and the private report.

    Raises
    ------
    Infeasible
        No pattern of cells that may be hidden does what was asked, or none was found; the demands that clash are named.
    ValueError
        Arrays have other shapes than the table, or a name in the spec is not the table's.
    """
    plan = Plan(table=table, spec=spec, key=key, primary=primary, protection=protection, choices=choices, known=known)
    hidden, status = _find_pattern(plan, progress)
    audit = audit_plan(plan, hidden, status, asked=plan.asked_of(status), progress=progress)
    report = make_report(table, hidden=hidden, status=plan.per_level(status), audit=audit, max_share=spec.max_share)
    return published_table(plan, hidden), report


def _find_pattern(plan: Plan, progress: Progress) -> tuple[Masks, np.ndarray]:
    """What is hidden (per level), and why (status per cell, flat)."""
    unfit = np.zeros_like(plan.shown())
    for attempt in range(MOST_TRIES):
        search = plan.begin(plan.shown() | unfit)
        status = plan.statuses(search)
        asked = plan.asked_of(status)
        cells = in_order(search, np.flatnonzero(status > PUBLISHED))
        demands = demands_of(cells, lower=flatten(asked.lower)[cells], upper=flatten(asked.upper)[cells])
        failure = choose_secondary(search, fixed=status > PUBLISHED, demands=demands, progress=progress)
        if not failure:
            break
        if not len(failure.narrow) or attempt == MOST_TRIES - 1:
            plan.refuse(failure)
        unfit[failure.narrow] = True
    status[search.arcs.hidden & (status == PUBLISHED)] = SECONDARY
    return plan.per_level(search.arcs.hidden.copy()), status


def audit_plan(
    plan: Plan, hidden: Masks, status: np.ndarray, *, asked: Protection, progress: Progress = SILENT
) -> PatternAudit:
    """The audit of a pattern, which must be clean; `asked` is how far the intervals of its cells must reach.

    Raises
    ------
    Infeasible
        It is not.
    """
    audit = audit_pattern(
        plan.table,
        hidden,
        key=plan.key,
        min_count=plan.spec.min_count,
        asking=plan.per_level((status > PUBLISHED) & (status != SECONDARY)),
        protection=asked,
        known=plan.known,
        lone_claimants=plan.spec.lone_claimants,
        progress=progress,
    )
    if not audit.clean:
        raise Infeasible(
            "the pattern found does not pass its audit: hide at coarser areas, merge categories, or ask for less",
            demands=("protection of flagged cells", "lone claimants"),
        )
    return audit


def published_table(plan: Plan, hidden: Masks) -> SafeTable:
    """The table as a reader sees it: one marker for all that is hidden."""
    markers = [np.where(mask, SUPPRESSED, SHOWN).astype(np.int8) for mask in hidden]
    for marker, structural in zip(markers, plan.chosen.structural or (), strict=False):
        marker[structural] = STRUCTURAL
    table = plan.table
    return SafeTable(
        hierarchy=table.hierarchy,
        classification=table.classification,
        values=tuple(np.where(m == SHOWN, counts, 0) for m, counts in zip(markers, table.counts, strict=True)),
        markers=tuple(markers),
        method=Method(name="suppression", base=1, min_count=plan.spec.min_count),
    )
