"""The attack on a set of published tables, and the verdict on it.

The attacker holds every published value, knows the method and its parameters,
and knows that the figures add up.  What they can prove of a cell is its
feasibility interval; `audit_tables` finds it, for every cell that matters, and
holds it against the promise (`sdc.attack.promise`, `sdc.attack.groups`).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from common.progress import SILENT, Progress
from sdc.attack.alone import alone_findings
from sdc.attack.attacked import Attacked, attack_table, begin
from sdc.attack.beliefs import belief_figures
from sdc.attack.contradictions import contradicted, impossible_cells
from sdc.attack.intervals import Intervals, stated_intervals
from sdc.attack.linked import first_tellers, joint_bounds, same_areas, share
from sdc.attack.maxflow import NoTable
from sdc.attack.promise import Masks, Rules, asked_cells, group_findings, insider_findings, small_cell_findings
from sdc.attack.theorem import check_conditions
from sdc.attack.truth import check_truth
from sdc.attack.witness import Names, clash_sentence, equation_clash, flat_bounds
from sdc.findings import Audit
from sdc.tables import SafeTable, Table

__all__ = ["BEYOND_SHARED", "audit_tables"]

# What flows through one table after the other leave open.
BEYOND_SHARED = "what tables say together beyond the intervals of figures they share (sound, not exact)"


def audit_tables(
    tables: Mapping[str, SafeTable],
    *,
    min_count: int,
    width: int | None = None,
    known: Mapping[str, Intervals] | None = None,
    truth: Mapping[str, Table] | None = None,
    sensitive: tuple[str, ...] = (),
    group_size: int = 10,
    beliefs: bool = True,
    progress: Progress = SILENT,
) -> Audit:
    """Attack published tables of the same records, and judge what can be proven.

    Parameters
    ----------
    tables : published tables by name.  Those over one area tree must count the
        same records: their totals, and columns of the same dimensions and
        category, are taken as the same figures.
    min_count : smallest non-zero count that may be told; a count x is *small*
        where 1 <= x <= min_count - 1.  Without `truth`: where its interval meets that range.
    width : promised hi - lo of a small count's interval; min_count - 1 by default.
    known : bounds per table that the attacker has from elsewhere.
    truth : true tables by name; then only truly small counts count.
    sensitive : dimensions in which no small group may be exposed.
    group_size : groups proven smaller than this are small.
    beliefs : whether to tell the attacker's firmest beliefs, in figures; nothing is judged by them.

    Returns
    -------
    Audit
        Findings (20 of a kind and table, the rest counted in `figures`), what
        was checked and how, what was not.

    Raises
    ------
    InputError
        A truth does not fit its table: other areas or categories, outside what
        the published value allows, or other totals than a table of the same records.
    """
    rules = Rules(
        min_count=min_count,
        width=min_count - 1 if width is None else width,
        sensitive=tuple(sensitive),
        group_size=group_size,
    )
    known, truth = dict(known or {}), dict(truth or {})
    own = {name: _known_alone(name, safe, known) for name, safe in tables.items()}
    check_truth(tables, own, truth)
    audit = _standing_notes(tables, rules)
    for group in same_areas(tables):
        audit = audit.joined(
            _audit_group(_Group(tables=group, own=own, known=known, truth=truth, beliefs=beliefs), rules, progress)
        )
    return audit


@dataclass(frozen=True, kw_only=True, eq=False)
class _Group:
    """Tables over one area tree, with what is known of each."""

    tables: dict[str, SafeTable]
    own: dict[str, Intervals]
    known: dict[str, Intervals]
    truth: dict[str, Table]
    beliefs: bool


def _audit_group(group: _Group, rules: Rules, progress: Progress) -> Audit:
    """Attack and judge the tables of one area tree."""
    impossible = impossible_cells(group.tables, group.own)
    if impossible.findings:
        return impossible
    progress.step("propagate bounds")
    own = {name: group.own[name] for name in group.tables}
    bounds, clash, settled = joint_bounds(group.tables, own)
    if clash is not None:
        name, found = clash
        names = Names(group.tables[name])
        cell = names.name_at(found.level, found.unit, found.column)
        return contradicted(name, cell, clash_sentence(names, found))
    conditions = check_conditions(group.tables, group.known)
    attacked = [
        begin(name, safe, group.truth.get(name), own[name], bounds[name]) for name, safe in group.tables.items()
    ]
    asked = {table.name: asked_cells(table, rules) for table in attacked}
    if conditions.hold:
        audit = _by_theorem(attacked)
    else:
        try:
            attacked = [_by_flow(table, asked[table.name], rules, progress) for table in attacked]
        except _NoTableIn as none:
            return contradicted(none.table, none.cell, none.sentence)
        audit = _told_of_flow(attacked, asked, conditions.failing, settled)
    tight, _ = share(group.tables, {table.name: table.tight for table in attacked})
    judged = [table.tightened(tight[table.name]) for table in attacked]
    return audit.joined(_judge(judged, rules, by_theorem=conditions.hold, beliefs=group.beliefs))


def _judge(attacked: list[Attacked], rules: Rules, *, by_theorem: bool, beliefs: bool) -> Audit:
    """Hold tight intervals against the promise."""
    first = first_tellers({table.name: table.safe for table in attacked})
    audit = Audit(checked=("every small count: pinned, too narrow, what remains for its insiders",))
    for table in attacked:
        audit = audit.joined(Audit(figures={f"{table.name}: cells narrowed by other cells": table.narrowed()}))
        audit = audit.joined(small_cell_findings(table, first[table.name], rules)).joined(group_findings(table, rules))
        if beliefs:
            audit = audit.joined(belief_figures(table.name, table.safe, min_count=rules.min_count))
        if not by_theorem:
            audit = audit.joined(insider_findings(table, rules)).joined(alone_findings(table))
    if by_theorem and attacked[0].safe.method.base >= 3:
        return audit.joined(
            Audit(checked=("insiders who know their own record: no other cell is learned exactly (by proof)",))
        )
    if by_theorem:
        return audit.joined(
            Audit(not_checked=("what insiders learn of other cells: the proof needs a base of 3 or more",))
        )
    told = "insiders who know their own record: cells of the two sums their own finest cell stands in, by max flow"
    return audit.joined(
        Audit(
            checked=(told,),
            not_checked=(
                "insiders: cells further off than the two sums of their own finest cell, and what several tables "
                "tell them together",
            ),
        )
    )


class _NoTableIn(Exception):  # an answer, not a failure
    """No true table fits one of the published tables."""

    def __init__(self, table: str, cell: str, sentence: str) -> None:
        self.table, self.cell, self.sentence = table, cell, sentence
        super().__init__(sentence)


def _by_flow(table: Attacked, asked: Masks, rules: Rules, progress: Progress) -> Attacked:
    try:
        return attack_table(table, asked, enough=rules.enough, width=rules.width + 1, progress=progress)
    except NoTable as none:
        cell, sentence = equation_clash(table.names, flat_bounds(table.bounds), none.cut)
        raise _NoTableIn(table.name, table.names.name(cell), sentence) from none


def _by_theorem(attacked: list[Attacked]) -> Audit:
    """The path taken where additivity adds nothing; propagation has the last word on that."""
    if any(table.narrowed() for table in attacked):
        raise RuntimeError("propagation narrowed tables for which the theorem says that nothing can be narrowed")
    names = ", ".join(table.name for table in attacked)
    return Audit(
        checked=(
            f"intervals of {names}: exact, each cell's own (additive zero-restricted rounding; conditions checked)",
        ),
        figures={f"{table.name}: path": "theorem" for table in attacked},
    )


def _told_of_flow(
    attacked: list[Attacked], asked: Mapping[str, Masks], failing: tuple[str, ...], settled: bool
) -> Audit:
    figures: dict[str, object] = {}
    for table in attacked:
        figures[f"{table.name}: path"] = "max flow"
        figures[f"{table.name}: cells asked"] = int(sum(mask.sum() for mask in asked[table.name]))
        figures[f"{table.name}: upper bounds not followed to the end"] = table.inexact
    names = ", ".join(table.name for table in attacked)
    figures[f"{names}: the theorem does not hold"] = list(failing)
    not_checked = []
    if len(attacked) > 1:
        not_checked.append(f"{names}: {BEYOND_SHARED}")
    if not settled:
        not_checked.append("propagation was stopped before it had settled (sound; max flow went on from there)")
    checked = (f"intervals of {names}: exact within each table, by max flow",)
    return Audit(checked=checked, not_checked=tuple(not_checked), figures=figures)


def _standing_notes(tables: Mapping[str, SafeTable], rules: Rules) -> Audit:
    told = {dimension for safe in tables.values() for dimension in safe.classification.dimensions}
    undeclared = sorted(told - set(rules.sensitive))
    not_checked = []
    if undeclared:
        not_checked.append(f"group disclosure in dimensions not declared sensitive: {', '.join(undeclared)}")
    if len(same_areas(tables)) > 1:
        not_checked.append("tables over different areas against each other")
    if len(tables) > 1:
        not_checked.append("relations between dimensions of different names: taken as unrelated")
    return Audit(not_checked=tuple(not_checked))


def _known_alone(name: str, safe: SafeTable, known: Mapping[str, Intervals]) -> Intervals:
    stated = stated_intervals(safe)
    return stated.intersected(known[name]) if name in known else stated
