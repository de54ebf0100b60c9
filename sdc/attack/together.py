"""Which published tables say something of each other, and by which way each set of them is attacked.

Tables are *related* where they count the same (or what a relation ties together) in areas that
are known to lie on each other.  A set of related tables is attacked

* as networks (`sdc.attack.judge`), where all are over one area tree and no two share a
  dimension but with the same categories: totals and equal columns are all they have in common;
* as one system (`sdc.attack.jointly`) otherwise, where the flows of each network add what
  is judged of single tables alone: groups, insiders, lone claimants, beliefs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from common.progress import SILENT, Progress
from sdc.attack.intervals import Intervals
from sdc.attack.joint import AREAS, Flow, Within
from sdc.attack.jointly import audit_pieces
from sdc.attack.judge import audit_tables
from sdc.attack.listing import MOST_LISTED, listed
from sdc.attack.overlaps import Overlap, overlap_of_trees
from sdc.attack.pieces import Piece
from sdc.attack.theorem import check_conditions
from sdc.attack.witness import Names
from sdc.differencing.revisions import Revision
from sdc.extension import extend_people
from sdc.findings import Audit, Finding
from sdc.tables import SHOWN, Hierarchy, SafeTable, Table

__all__ = ["Target", "audit_together", "related_sets"]

# What the joint system judges of every cell: single tables need not tell it again.
JUDGED_JOINTLY = ("pinned", "too narrow", "not covered", "insider")


@dataclass(frozen=True, kw_only=True, eq=False)
class Target:
    """A published table under attack.

    Attributes
    ----------
    piece : the table on axes, with all that is known of it.
    table, known, truth : the same as a network, with what is known besides its values and its true counts; None
        where it is none, nothing is known, or nobody has them.
    public : another body's, which is known and not judged.  What a public network says of figures that networks share
        with it must stand in their `known` already.
    variance : of its noise, where the attacker knows it.
    """

    piece: Piece
    table: SafeTable | None = None
    known: Intervals | None = None
    truth: Table | None = None
    public: bool = False
    variance: float | None = None


def audit_together(
    targets: Sequence[Target],
    *,
    min_count: int,
    width: int | None = None,
    sensitive: tuple[str, ...] = (),
    group_size: int = 10,
    overlaps: Mapping[str, Overlap] | None = None,
    within: Sequence[Within] = (),
    flows: Sequence[Flow] = (),
    revisions: Sequence[Revision] = (),
    progress: Progress = SILENT,
) -> Audit:
    """Attack published tables, each with all that say something of it.

    A count x is *small* where 1 <= x <= min_count - 1; see `sdc.attack.judge.audit_tables`
    for the other parameters of the promise and `sdc.attack.joint.join_pieces` for relations.

    Raises
    ------
    InputError
        A truth does not fit its table.
    """
    overlaps = dict(overlaps or {})
    pieces = [target.piece for target in targets]
    sets = related_sets(pieces, overlaps=overlaps, within=within, flows=flows, revisions=revisions)
    sets = [members for members in sets if not all(targets[member].public for member in members)]
    audit = Audit()
    for members in sets:
        chosen = [targets[member] for member in members]
        beside = _people_beside_claims(chosen, within)
        alone = beside is not None or _as_networks(chosen)
        for own in _by_measure([target for target in chosen if target.table is not None and not target.public]):
            by_flow = audit_tables(
                {target.piece.name: target.table for target in own if target.table is not None},
                min_count=min_count,
                width=width,
                known={target.piece.name: target.known for target in own if target.known is not None},
                truth={target.piece.name: target.truth for target in own if target.truth is not None},
                sensitive=sensitive,
                group_size=group_size,
                progress=progress,
            )
            audit = audit.joined(by_flow if alone else _beside_joint(by_flow))
            audit = audit.joined(_unlike_values(own) if alone else Audit())
        if beside is not None:
            audit = audit.joined(beside)
        elif not alone:
            measures = {target.piece.measure for target in chosen}
            jointly = audit_pieces(
                [target.piece for target in chosen],
                min_count=min_count,
                width=width,
                public=[target.piece.name for target in chosen if target.public],
                overlaps=overlaps,
                within=[one for one in within if {one.parts, one.whole} <= measures],
                flows=[one for one in flows if {one.before, one.after, one.on, one.off} <= measures],
                revisions=[one for one in revisions if {one.before, one.after} <= measures],
                variances={one.piece.name: one.variance for one in chosen if one.variance is not None},
                progress=progress,
            )
            audit = audit.joined(jointly)
    if len(sets) > 1:
        named = "; ".join(", ".join(targets[member].piece.name for member in members) for members in sets)
        several = len({piece.measure for piece in pieces}) > 1
        what = "tables of different populations" if several else "sets of tables that nothing is known to tie"
        audit = audit.joined(Audit(not_checked=(f"{what} against each other: {named}",)))
    return audit


def _by_measure(targets: Sequence[Target]) -> list[list[Target]]:
    """Targets that count the same, in the order in which each measure is first met."""
    measures = dict.fromkeys(target.piece.measure for target in targets)
    return [[target for target in targets if target.piece.measure == measure] for measure in measures]


def _unlike_values(targets: Sequence[Target]) -> Audit:
    """Figures that networks of one measure and method show with different values: totals, and columns of one classification."""
    hits: list[tuple[Target, Target, int, int, int]] = []
    number = 0
    for second, two in enumerate(targets):
        for one in targets[:second]:
            first, other = one.table, two.table
            if first is None or other is None or first.method != other.method:
                continue
            width = slice(None) if first.classification == other.classification else slice(-1, None)
            for level in range(len(first.values)):
                shown = (first.markers[level][:, width] == SHOWN) & (other.markers[level][:, width] == SHOWN)
                units, columns = np.nonzero(shown & (first.values[level][:, width] != other.values[level][:, width]))
                number += len(units)
                # The total alone is column 0 of what was compared, and the last of each table.
                places = columns if width == slice(None) else columns - 1
                for unit, column in zip(units[:MOST_LISTED].tolist(), places[:MOST_LISTED].tolist(), strict=True):
                    hits.append((one, two, level, unit, column))

    def tell(hit: tuple[Target, Target, int, int, int]) -> Finding:
        one, two, level, unit, column = hit
        assert one.table is not None and two.table is not None
        values = [int(table.values[level][unit, column]) for table in (one.table, two.table)]
        cell = Names(two.table).name_at(level, unit, column % two.table.values[level].shape[1])
        text = f"{one.piece.name} shows {values[0]}, {two.piece.name} shows {values[1]} for the same people"
        return Finding(kind="two values", severity="contradiction", table=two.piece.name, cell=cell, witness=text)

    if len(targets) < 2:
        return Audit()
    whole = ", ".join(target.piece.name for target in targets)
    audit = listed(whole, "two values", hits[:MOST_LISTED], tell, number)
    return audit.joined(Audit(checked=("figures that several tables show: one value each",)))


def _people_beside_claims(targets: Sequence[Target], within: Sequence[Within]) -> Audit | None:
    """What ties people and claims that are rounded together: they come from people with sets of benefits.

    Then a value r may stand for all of r to r + base - 1 whatever the other tables show
    (docs/explanation/people-beside-claims.md).  None where the tables are not of that
    kind, or come from no such people: then all of them are one system.
    """
    measures = {target.piece.measure for target in targets}
    ties = [one for one in within if {one.parts, one.whole} == measures]
    if len(ties) != 1 or any(target.table is None or target.public or target.known is not None for target in targets):
        return None
    tables: dict[str, dict[str, SafeTable]] = {measure: {} for measure in measures}
    for target in targets:
        if target.table is not None:
            tables[target.piece.measure][target.piece.name] = target.table
    every = [table for own in tables.values() for table in own.values()]
    if any(not _same_tree(every[0].hierarchy, table.hierarchy) for table in every):
        return None
    if any(check_conditions(own).failing for own in tables.values()) or len({table.method.base for table in every}) > 1:
        return None
    claims, people = tables[ties[0].parts], tables[ties[0].whole]
    benefit = next((name for name, table in claims.items() if table.classification.dimensions == (ties[0].by,)), None)
    if extend_people(claims, people, benefit=benefit).failing:
        return None
    told = (
        "people and claims come from people with sets of benefits, area by area: a value r may stand for all of r to "
    )
    return Audit(checked=(f"{', '.join([*claims, *people])}: {told}r + base - 1 (by proof)",))


def related_sets(
    pieces: Sequence[Piece],
    *,
    overlaps: Mapping[str, Overlap],
    within: Sequence[Within] = (),
    flows: Sequence[Flow] = (),
    revisions: Sequence[Revision] = (),
) -> list[list[int]]:
    """Tables that say something of each other, directly or through others: numbers, in the order given."""
    ties = [{one.parts, one.whole} for one in within]
    ties += [{one.before, one.after, one.on, one.off} for one in flows]
    ties += [{one.before, one.after} for one in revisions]
    of = list(range(len(pieces)))
    for second, two in enumerate(pieces):
        for first, one in enumerate(pieces[:second]):
            counted = one.measure == two.measure or any({one.measure, two.measure} <= tie for tie in ties)
            if counted and of[first] != of[second] and _meet(one, two, overlaps):
                old, new = max(of[first], of[second]), min(of[first], of[second])
                of = [new if each == old else each for each in of]
    return [[k for k, each in enumerate(of) if each == name] for name in dict.fromkeys(of)]


def _meet(one: Piece, two: Piece, overlaps: Mapping[str, Overlap]) -> bool:
    """Whether the areas of two tables are known to lie on each other."""
    first, second = one.axes[0].hierarchy, two.axes[0].hierarchy
    if set(first.levels) & set(second.levels):
        return any(
            len(np.intersect1d(first.codes[first.levels.index(level)], second.codes[second.levels.index(level)]))
            for level in set(first.levels) & set(second.levels)
        )
    if overlap_of_trees([first, second]) is not None:
        return True
    areas = overlaps.get(AREAS)
    return areas is not None and all(areas.division_of(piece.axes[0]) is not None for piece in (one, two))


def _as_networks(targets: Sequence[Target]) -> bool:
    """Whether the tables have nothing in common but totals and equal columns over one area tree.

    Public tables may be over another tree: what they say of single figures is known of the others.
    Tables of which averaging may take the noise off are looked at together.
    """
    networks = [target.table for target in targets if target.table is not None]
    if len(networks) < len(targets) or len({target.piece.measure for target in targets}) > 1:
        return False
    if len(targets) > 1 and any(target.variance is not None for target in targets):
        return False
    ours = [target.table for target in targets if target.table is not None and not target.public]
    if any(not _same_tree(ours[0].hierarchy, table.hierarchy) for table in ours):
        return False
    for number, table in enumerate(networks):
        for other in networks[:number]:
            shared = set(table.classification.dimensions) & set(other.classification.dimensions)
            if shared and table.classification != other.classification:
                return False
    return True


def _same_tree(one: Hierarchy, other: Hierarchy) -> bool:
    return one is other or (
        one.levels == other.levels
        and all(np.array_equal(a, b) for a, b in zip(one.codes, other.codes, strict=True))
        and all(np.array_equal(a, b) for a, b in zip(one.parents, other.parents, strict=True))
    )


def _beside_joint(audit: Audit) -> Audit:
    """What single tables add to the joint attack: not what that judges of every cell."""
    kept = tuple(finding for finding in audit.findings if finding.kind not in JUDGED_JOINTLY)
    figures = {
        name: figure
        for name, figure in audit.figures.items()
        if not any(name.endswith((f": {kind}", f": {kind}, not listed")) for kind in JUDGED_JOINTLY)
    }
    moot = "tables over different areas against each other"
    return replace(
        audit,
        findings=kept,
        figures=figures,
        not_checked=tuple(text for text in audit.not_checked if text != moot),
    )
