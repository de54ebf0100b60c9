"""The attack on a release before it is written: its tables, with everything that the attacker has besides.

That tables of claims and people, and lists of bands inside bands, hold together is shown
besides by building what they could be the figures of, from the published values alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from common.progress import SILENT, Progress
from releases.attack.attacking import targets_of, with_ours
from releases.attack.pieces import Read
from releases.publish.besides import ours_of
from releases.publish.flowattack import attack_with_flows
from releases.publish.protection import Protected, benefit_table, judge_method, split_tables
from releases.publish.recodings import Recoding
from releases.publish.series import Place
from releases.publish.spec import Release
from sdc.attack.targets import Target
from sdc.extension import extend_people, extend_recodes
from sdc.findings import Audit, Finding
from sdc.tables import SafeTable, Table

__all__ = ["attack_release", "attack_tables", "excused", "release_targets"]

IN_THE_REVIEW = "what can be proven is told in the review report"


def attack_release(
    release: Release,
    read: Read,
    protected: Protected,
    true: Mapping[str, Table],
    recoding: Recoding | None,
    place: Place,
    *,
    progress: Progress = SILENT,
) -> Audit:
    """Attack the protected tables of a release, and judge what can be proven.

    `read` is what the attacker has besides (`releases.publish.besides.read_besides`).

    Raises
    ------
    InputError
        What the attacker has cannot be true of these counts.
    """
    targets = release_targets(release, read, protected.safe, true, place)
    return attack_tables(release, read, targets, recoding, progress=progress)


def release_targets(
    release: Release, read: Read, safe: Mapping[str, SafeTable], true: Mapping[str, Table], place: Place
) -> tuple[Target, ...]:
    """The protected tables of a release, and what the attacker has besides."""
    return targets_of(with_ours(read, ours_of(release, safe, true, place)))


def attack_tables(
    release: Release,
    read: Read,
    targets: Sequence[Target],
    recoding: Recoding | None,
    *,
    verdict: bool = False,
    progress: Progress = SILENT,
) -> Audit:
    """Attack tables that a release would publish, or those that are left of them.

    `verdict` asks for no more than whether they are safe, see `sdc.attack.together.audit_together`.
    """
    rules = release.protection
    safe = {one.piece.name: one.table for one in targets if not one.public and one.table is not None}
    audit = attack_with_flows(
        read,
        targets,
        width=rules.width,
        sensitive=tuple(name for name in release.sensitive if any(name in one.piece.dimensions for one in targets)),
        group_size=rules.group_size,
        max_certainty=rules.max_certainty,
        verdict=verdict,
        progress=progress,
    )
    if verdict and not audit.safe:
        return audit
    for method in dict.fromkeys(table.method.name for table in safe.values()):
        audit = audit.joined(judge_method(method))
    if len({release.counts(table) for table in release.table if table.id in safe}) > 1:
        audit = audit.joined(_beside(release, safe))
    if recoding is not None and all(id_ in safe for id_ in recoding.bands):
        audit = audit.joined(_nested(safe, recoding))
    return audit


def _beside(release: Release, safe: Mapping[str, SafeTable]) -> Audit:
    """Whether published claims and people come from somebody: people are built area by area from the values alone."""
    units = {table.id: release.counts(table) for table in release.table}
    claims, people = split_tables(safe, units)
    benefit = benefit_table(claims)
    extended = extend_people(claims, people, benefit=benefit)
    findings = tuple(
        Finding(kind="people", severity="contradiction", table="", cell="", witness=sentence)
        for sentence in extended.failing
    )
    unasked = ("people beside claims: that nobody has more claims than there are benefits",) if benefit is None else ()
    checked = (
        "published people and claims come from people with sets of benefits, area by area",
        "claims and people against each other: a value r may stand for all of r to r + base - 1 (by proof)",
    )
    return Audit(findings=findings, checked=() if findings else checked, not_checked=unasked)


def _nested(safe: Mapping[str, SafeTable], recoding: Recoding) -> Audit:
    """Whether broader bands are the sums of finer ones: the finest are laid out area by area and added up again."""
    extended = extend_recodes({id_: safe[id_] for id_ in recoding.bands}, recoding.recodes())
    findings = tuple(
        Finding(kind="bands", severity="contradiction", table="", cell="", witness=sentence)
        for sentence in extended.failing
    )
    checked = (
        f"bands inside bands: every list of {recoding.name} is a sum of the finest, so that all intervals are exact",
    )
    return Audit(findings=findings, checked=() if findings else checked)


def excused(audit: Audit) -> Audit:
    """The audit of a release that goes out by an exception: its disclosures are warnings.

    Which true counts are small, and what can be proven of them, stands in the review report alone.
    """
    findings = tuple(_warning(one) if one.severity == "disclosure" else one for one in audit.findings)
    return replace(audit, findings=findings)


def _warning(finding: Finding) -> Finding:
    told = replace(finding, severity="warning")
    return told if finding.interval is None else replace(told, interval=None, witness=IN_THE_REVIEW)
