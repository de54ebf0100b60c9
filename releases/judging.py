"""The attack on a release before it is written: each population together, and what ties its tables.

Tables that tell a variable in several lists of bands are attacked list by list, and
populations apart; that they hold together is shown by building what they could be the figures of, from
the published values alone.
"""

from collections.abc import Mapping
from dataclasses import replace

from common.progress import SILENT, Progress
from releases.alreadypublic import read_already_public
from releases.protection import Protected, benefit_table, judge_method, split_tables
from releases.recodings import Recoding, told_once
from releases.spec import Release
from sdc.attack.flips import judge_revision
from sdc.attack.judge import audit_tables
from sdc.extension import extend_people, extend_recodes
from sdc.findings import Audit, Finding
from sdc.tables import Table

__all__ = ["attack_release", "excused"]

IN_THE_REVIEW = "what can be proven is told in the review report"


def attack_release(
    release: Release,
    protected: Protected,
    true: Mapping[str, Table],
    recoding: Recoding | None,
    file: str,
    *,
    revises: bool,
    progress: Progress = SILENT,
) -> Audit:
    """Attack the protected tables of a release, and judge what can be proven.

    `revises` says whether the release before is of the same date, so that what both show proves changes.

    Raises
    ------
    InputError
        Figures that are already public cannot be read.
    """
    rules = release.protection
    known = read_already_public(release.already_public, protected.safe, file)
    audit = Audit()
    for population in release.populations:
        alike = [table.id for table in release.table if release.counts(table) == population]
        for own in told_once(alike, recoding, others=False):
            found = audit_tables(
                {name: protected.safe[name] for name in own},
                min_count=rules.min_count,
                width=rules.width,
                known={name: bounds for name, bounds in known.items() if name in own},
                truth={name: true[name] for name in own},
                sensitive=rules.sensitive,
                group_size=rules.group_size,
                progress=progress,
            )
            audit = audit.joined(found)
    audit = audit.joined(judge_method(rules))
    if release.counts_both:
        audit = audit.joined(_beside(release, protected))
    if recoding is not None:
        audit = audit.joined(_nested(protected, recoding))
    for name, earlier in protected.earlier.items():
        if revises:
            audit = audit.joined(judge_revision(protected.safe[name], earlier, true[name], table=name))
    return audit


def _beside(release: Release, protected: Protected) -> Audit:
    """Whether published claims and people come from somebody: people are built area by area from the values alone."""
    units = {table.id: release.counts(table) for table in release.table}
    claims, people = split_tables(protected.safe, units)
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


def _nested(protected: Protected, recoding: Recoding) -> Audit:
    """Whether broader bands are the sums of finer ones: the finest are laid out area by area and added up again."""
    extended = extend_recodes({id_: protected.safe[id_] for id_ in recoding.bands}, recoding.recodes())
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
