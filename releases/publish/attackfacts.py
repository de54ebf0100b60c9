"""What the private report on a release tells: the attack on it, and what would mend it."""

from collections.abc import Sequence

from releases.publish.protection import Protected
from releases.software import software_name
from reports.attackreport import AttackedTable, AttackFacts
from reports.attackreportmaps import exposure_maps
from reports.attackreportsection import not_listed
from reports.model import Boundary, ReleaseFacts
from sdc.findings import Audit
from sdc.mends.trying import Mend

__all__ = ["attack_facts"]


def attack_facts(
    facts: ReleaseFacts,
    protected: Protected,
    boundaries: Sequence[Boundary],
    audit: Audit,
    *,
    min_count: int,
    mends: tuple[Mend, ...] = (),
) -> AttackFacts:
    """What the report on a release tells."""
    names = tuple(protected.safe)
    maps = exposure_maps(
        audit,
        next(iter(protected.safe.values())).hierarchy,
        boundaries,
        title=facts.title,
        level_names=facts.level_names,
        tables=names,
        unlisted=not_listed(audit),
    )
    tables = tuple(
        AttackedTable(name=name, file="", method=safe.method.name, base=safe.method.base, levels=safe.hierarchy.levels)
        for name, safe in protected.safe.items()
    )
    return AttackFacts(
        audit=audit,
        tables=tables,
        min_count=min_count,
        with_truth=True,
        mends=mends,
        maps=maps,
        command="publish",
        software=software_name(),
    )
