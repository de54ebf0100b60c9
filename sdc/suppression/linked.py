"""Suppression of linked tables: several one-way tables over one area tree that share their totals.

A total hidden in one table must be hidden in all.  And what one table leaves
open another may close: a reader of all of them sees only those changes for
real that move the totals alike everywhere.  So totals come first, tables follow:

1. Totals are suppressed as a table of their own.  Each *change* that protects
   one of them runs along one path, so it raises one smallest area (or the top) and lowers another.
2. In every table each of these changes must be able to happen with all other
   totals as they are; and every flagged category must be able to move with all
   totals as they are, or along with the one change of its own area's total.

Then for every flagged cell there are two whole sets of tables that nobody can
tell apart, with the cell as low and as high as asked.
What lone claimants learn is guarded against in each table by itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from common.faults import Infeasible
from common.progress import SILENT, Progress
from sdc.network import flatten, unflatten
from sdc.suppression.arcs import MUST_SHOW, hide_cells
from sdc.suppression.gates import Changes, gates_of
from sdc.suppression.keyed import MOST
from sdc.suppression.meeting import FlowDemands, demands_of
from sdc.suppression.plan import Choices, Masks, Plan
from sdc.suppression.report import DECOY, PUBLISHED, SECONDARY, SuppressionReport, make_report
from sdc.suppression.secondary import Search, choose_secondary, finish_pattern, in_order, meet_and_free
from sdc.suppression.spec import Protection, SuppressionSpec, protection_of
from sdc.suppression.suppress import audit_plan, published_table
from sdc.suppression.trace import trace_changes
from sdc.tables import SafeTable, Table

__all__ = ["suppress_linked"]

# Rounds until all tables hide the same totals; two or three are usual.
MOST_ROUNDS = 20


@dataclass(frozen=True, kw_only=True, eq=False)
class _Totals:
    """The totals' part: what is hidden (bool per area, over all levels), why, what it asks for, and the changes that do that."""

    hidden: np.ndarray
    status: np.ndarray
    asked: Protection
    changes: Changes


def suppress_linked(
    tables: Mapping[str, Table],
    *,
    primary: Mapping[str, Masks],
    spec: SuppressionSpec,
    key: bytes,
    choices: Mapping[str, Choices] | None = None,
    progress: Progress = SILENT,
) -> tuple[dict[str, SafeTable], dict[str, SuppressionReport]]:
    """Suppress tables of one population over one hierarchy, so that all of them together give nothing away.

    Parameters
    ----------
    tables : true tables by name, with equal totals over the same hierarchy.
    primary : flagged cells by table, bool per level; a total flagged in one is flagged in all.

    Returns
    -------
    The published tables and the private reports, by the same names.

    Raises
    ------
    Infeasible
        No pattern was found that does what was asked.
    ValueError
        The tables do not share their hierarchy and totals, or arrays have other shapes.
    """
    _check_shared(tables)
    choices = dict(choices or {})
    plans = {
        name: Plan(table=table, spec=spec, key=key, primary=primary[name], choices=choices.get(name))
        for name, table in tables.items()
    }
    totals, patterns = _until_stable(plans, progress)
    safe, reports = {}, {}
    for name, plan in plans.items():
        hidden, status = patterns[name]
        asked = _asked_with_totals(plan.asked_of(status), totals.asked)
        audit = audit_plan(plan, hidden, status, asked=asked, progress=progress)
        safe[name] = published_table(plan, hidden)
        reports[name] = make_report(
            plan.table,
            hidden=hidden,
            status=plan.per_level(status),
            audit=audit,
            max_share=spec.max_share,
            path="network, totals first",
        )
    return safe, reports


def _until_stable(plans: Mapping[str, Plan], progress: Progress) -> tuple[_Totals, dict[str, tuple[Masks, np.ndarray]]]:
    """Patterns that hide the same totals: what one table hides beyond the shared ones, all hide in the next round."""
    wanted = np.logical_or.reduce([_empty_areas_flagged(plan) for plan in plans.values()])
    for _ in range(MOST_ROUNDS):
        totals = _suppress_totals(plans, wanted, progress)
        patterns = {}
        for name, plan in plans.items():
            progress.step(f"suppressing {name}")
            patterns[name] = _follow(plan, totals, len(plans), progress)
        hidden = [np.concatenate([mask[:, -1] for mask in pattern]) for pattern, _ in patterns.values()]
        new = np.logical_or.reduce(hidden) & ~totals.hidden
        if not new.any():
            return totals, patterns
        wanted |= new
    raise Infeasible(
        "the totals that one table needs hidden never settle: merge categories or leave out a level",
        demands=("linked tables", "lone claimants"),
    )


def _check_shared(tables: Mapping[str, Table]) -> None:
    first, *others = tables.values()
    for table in others:
        if table.hierarchy is not first.hierarchy:
            raise ValueError("linked tables must share one hierarchy")
        for one, two in zip(first.counts, table.counts, strict=True):
            if not np.array_equal(one[:, -1], two[:, -1]):
                raise ValueError("linked tables must have equal totals")


def _empty_areas_flagged(plan: Plan) -> np.ndarray:
    """Areas where a zero is flagged and nobody is counted, so that the total must be hidden with it: bool per area."""
    hit = [mask[:, :-1].any(axis=1) for mask in plan.primary]
    if plan.chosen.hide is not None:
        hit = [one | mask[:, :-1].any(axis=1) for one, mask in zip(hit, plan.chosen.hide, strict=True)]
    return np.concatenate([one & (counts[:, -1] == 0) for one, counts in zip(hit, plan.table.counts, strict=True)])


def _suppress_totals(plans: Mapping[str, Plan], wanted: np.ndarray, progress: Progress) -> _Totals:
    """Suppress the totals as a table of their own, those that tables want hidden (bool per area) among them."""
    first = next(iter(plans.values()))
    table = first.table.totals()

    def united(per_table: list[Masks | None]) -> Masks:
        some = [tuple(mask[:, -1:] for mask in masks) for masks in per_table if masks is not None]
        none = tuple(np.zeros(counts.shape, np.bool_) for counts in table.counts)
        return tuple(np.logical_or.reduce(level) for level in zip(none, *some, strict=True))

    chosen = [plan.chosen for plan in plans.values()]
    flagged = united([each.primary for each in plans.values()])
    asked = united([each.hide for each in chosen])
    also = unflatten(wanted, table.hierarchy, 1)
    plan = Plan(
        table=table,
        spec=replace(first.spec, category_factors={}),
        key=first.key,
        primary=flagged,
        protection=_protection(table, first.spec.min_count, [f | a for f, a in zip(flagged, asked, strict=True)], also),
        choices=Choices(
            hide=tuple(a | w for a, w in zip(asked, also, strict=True)),
            show=united([each.show for each in chosen]),
            structural=united([each.structural for each in chosen]),
        ),
    )
    search = plan.begin(plan.shown())
    status = plan.statuses(search)
    demands = _demands_of_totals(plan, search, status)
    failure = choose_secondary(search, fixed=status > PUBLISHED, demands=demands, progress=progress)
    if failure:
        plan.refuse(failure)
    status[search.arcs.hidden & (status == PUBLISHED)] = SECONDARY
    asked = demands.chosen(demands.amount > 0)
    moves = trace_changes(search.arcs, search.scratch, asked, table.hierarchy.units[0])
    if not moves.met.all():
        raise RuntimeError("every demand of the totals must be met by the pattern found for them")
    changes = Changes(owner=asked.owner, up=asked.up, amount=asked.amount, moves=moves)
    return _Totals(hidden=search.arcs.hidden.copy(), status=status, asked=plan.asked_of(status), changes=changes)


def _protection(table: Table, least: int, full: list[np.ndarray], also: Masks) -> Protection:
    """What is asked for totals; those that are hidden only for the sake of other cells must not be known exactly."""
    plain = protection_of(table, least)
    little = [wanted & ~flagged for wanted, flagged in zip(also, full, strict=True)]
    return Protection(
        lower=tuple(np.where(mask, np.minimum(low, 1), low) for mask, low in zip(little, plain.lower, strict=True)),
        upper=tuple(np.where(mask, 1, up) for mask, up in zip(little, plain.upper, strict=True)),
    )


def _asked_with_totals(asked: Protection, totals: Protection) -> Protection:
    """What a table asks for, its totals as all tables do."""

    def put(own: Masks, shared: Masks) -> Masks:
        return tuple(np.column_stack([one[:, :-1], two]) for one, two in zip(own, shared, strict=True))

    return Protection(lower=put(asked.lower, totals.lower), upper=put(asked.upper, totals.upper))


def _demands_of_totals(plan: Plan, search: Search, status: np.ndarray) -> FlowDemands:
    """What hidden totals ask for.

    Small ones must have room to grow for any category in them, and grow along
    one path: then they can grow by less as well.
    """
    least = plan.spec.min_count
    asked = plan.asked_of(status)
    cells = in_order(search, np.flatnonzero(status > PUBLISHED))
    lower, upper = flatten(asked.lower)[cells], flatten(asked.upper)[cells]
    upper = np.where(search.counts[cells] < least, np.maximum(upper, least), upper)
    demands = demands_of(cells, lower=lower, upper=upper)
    return demands._replace(whole=demands.up)


def _follow(plan: Plan, totals: _Totals, tables: int, progress: Progress) -> tuple[Masks, np.ndarray]:
    """Suppress one table, the totals given: what is hidden, and why."""
    columns = plan.table.counts[0].shape[1]
    search = plan.begin(plan.shown())
    is_total = np.zeros(len(search.counts), np.bool_)
    is_total[columns - 1 :: columns] = True
    status = plan.statuses(search)
    # In an empty area whose total cannot grow, a decoy would deceive nobody.
    empty = (search.counts[is_total] == 0) & np.isin(totals.status, (PUBLISHED, SECONDARY))
    status[np.repeat(empty, columns) & (status == DECOY)] = PUBLISHED
    status[is_total] = totals.status
    hidden = np.zeros(len(status), np.bool_)
    hidden[is_total] = totals.hidden
    if columns > 1:
        hidden |= _hidden_categories(plan, totals, status, is_total, progress)
    # Now as a reader of this table sees it, with the hidden totals open.  Another total would be hidden in all tables.
    price = search.arcs.price
    price[is_total] = np.where(price[is_total] < MUST_SHOW, np.minimum(price[is_total] * tables, MOST), MUST_SHOW)
    hide_cells(search.arcs, np.flatnonzero(hidden).astype(np.int32))
    failure = finish_pattern(search, fixed=hidden)
    if failure:
        plan.refuse(failure)
    status[search.arcs.hidden & (status == PUBLISHED)] = SECONDARY
    return plan.per_level(search.arcs.hidden.copy()), status


def _hidden_categories(
    plan: Plan, totals: _Totals, status: np.ndarray, is_total: np.ndarray, progress: Progress
) -> np.ndarray:
    """The categories to hide so that they, and the totals' changes, can move while all other totals stay."""
    plain = plan.begin(plan.shown() | is_total)
    gates = gates_of(plan.table, plain.network, totals.changes)
    search = gates.opened(plain, is_total)
    asked = plan.asked_of(status)
    ours = (status > PUBLISHED) & ~is_total
    cells = in_order(search, np.flatnonzero(ours))
    demands = demands_of(cells, lower=flatten(asked.lower)[cells], upper=flatten(asked.upper)[cells])
    demands = gates.helped(demands, plain.counts).and_also(gates.demands())
    fixed = np.concatenate([ours, np.ones(len(gates.tails), np.bool_)])
    _, failure = meet_and_free(search, fixed=fixed, demands=demands, progress=progress)
    if failure:
        plan.refuse(failure)
    hidden: np.ndarray = search.arcs.hidden[: len(status)].copy()
    unmet = gates.unmet(gates.opened(plain, is_total), hidden, demands)
    if unmet.any():
        raise Infeasible(
            f"not protected from a reader of all tables together: {plan.named(np.unique(demands.owner[unmet]))}; "
            f"merge categories or leave out level {plan.table.hierarchy.levels[0]}",
            demands=("protection of flagged cells", "linked tables"),
        )
    return hidden
