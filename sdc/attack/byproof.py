"""What is known of related tables without solving anything: where flows are enough, and where theorems settle it."""

from collections.abc import Mapping, Sequence

from sdc.attack.joint import Flow, Within
from sdc.attack.overlaps import Overlap
from sdc.attack.related import related_sets, same_tree
from sdc.attack.targets import Target
from sdc.attack.theorem import check_conditions
from sdc.differencing.revisions import Revision
from sdc.extension import extend_people
from sdc.findings import Audit
from sdc.tables import SafeTable

__all__ = ["as_networks", "people_beside_claims", "proven_revisions"]

# Networks that share totals are no network together.  Up to so many cells they are attacked as one system too: three tables
# may give away what flows through each, and the intervals that they share, do not.
MOST_JOINTLY = 50_000


def as_networks(targets: Sequence[Target]) -> bool:
    """Whether the tables have nothing in common but totals and equal columns over one area tree, and flows are enough.

    Public tables may be over another tree: what they say of single figures is known of the others.
    Tables of which averaging may take the noise off are looked at together.
    """
    networks = [target.table for target in targets if target.table is not None]
    if len(networks) < len(targets) or len({target.piece.measure for target in targets}) > 1:
        return False
    if len(targets) > 1 and any(target.variance is not None for target in targets):
        return False
    ours = [target.table for target in targets if target.table is not None and not target.public]
    if any(not same_tree(ours[0].hierarchy, table.hierarchy) for table in ours):
        return False
    for number, table in enumerate(networks):
        for other in networks[:number]:
            shared = set(table.classification.dimensions) & set(other.classification.dimensions)
            if shared and table.classification != other.classification:
                return False
    return len(ours) < 2 or _cells(ours) > MOST_JOINTLY or _settled_by_theorem(targets)


def _settled_by_theorem(targets: Sequence[Target]) -> bool:
    """Whether no figure of ours says more of others, so that flows have nothing to find."""
    ours = [target for target in targets if target.table is not None and not target.public]
    tables = {target.piece.name: target.table for target in ours if target.table is not None}
    return check_conditions(tables, {one.piece.name: one.known for one in ours if one.known is not None}).hold


def _cells(tables: Sequence[SafeTable]) -> int:
    return sum(values.size for table in tables for values in table.values)


def people_beside_claims(targets: Sequence[Target], within: Sequence[Within]) -> Audit | None:
    """What ties people and claims that are rounded together: they come from people with sets of benefits.

    Then a value r may stand for all of r to r + base - 1 whatever the other tables show
    (docs/explanation/people-beside-claims.md).  None where the tables are not of that
    kind, or come from no such people: then all of them are one system.
    """
    measures = {target.piece.measure for target in targets}
    ties = [one for one in within if {one.parts, one.whole} == measures]
    if len(ties) != 1 or any(target.table is None or target.known is not None for target in targets):
        return None
    if len({target.public for target in targets}) > 1:
        return None
    tables: dict[str, dict[str, SafeTable]] = {measure: {} for measure in measures}
    for target in targets:
        if target.table is not None:
            tables[target.piece.measure][target.piece.name] = target.table
    every = [table for own in tables.values() for table in own.values()]
    if any(not same_tree(every[0].hierarchy, table.hierarchy) for table in every):
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


def proven_revisions(
    targets: Sequence[Target],
    overlaps: Mapping[str, Overlap],
    within: Sequence[Within],
    flows: Sequence[Flow],
    revisions: Sequence[Revision],
    min_count: int,
) -> list[Revision]:
    """Revisions that prove no small change: no figure's interval is narrower than its value says, in either edition.

    Two editions share no sum.  With values r and r' in multiples of a base b >= min_count, the change
    lies in [lo' - hi, hi' - lo], which holds 0 where r' = r; where r' >= r + b, its upper end is at
    least (r' + b - 1) - r >= 2b - 1 >= min_count, and where r' <= r - b the lower one likewise.
    """
    if not revisions:
        return []
    sets = related_sets([target.piece for target in targets], overlaps=overlaps, within=within, flows=flows)
    narrowed: set[str] = set()
    for members in sets:
        chosen = [targets[member] for member in members]
        if not _by_own_values(chosen, within, min_count):
            narrowed |= {target.piece.measure for target in chosen}
    return [one for one in revisions if narrowed.isdisjoint((one.before, one.after))]


def _by_own_values(targets: Sequence[Target], within: Sequence[Within], min_count: int) -> bool:
    """Whether the theorem on additive rounding holds for related tables, to a base of min_count or more."""
    if any(t.table is None or t.known is not None or t.table.method.base < min_count for t in targets):
        return False
    if len({target.piece.measure for target in targets}) > 1:
        return people_beside_claims(targets, within) is not None
    tables = {target.piece.name: target.table for target in targets if target.table is not None}
    return as_networks(targets) and check_conditions(tables).hold
