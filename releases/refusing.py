"""The refusal to publish, with the private report on what was found and what would mend it."""

from collections.abc import Sequence
from pathlib import Path

from common.faults import Fault, InputError
from releases.outcome import Outcome, Refused
from releases.protection import Protected
from releases.software import software_name
from releases.wholefiles import Writing, write_whole
from reports.attackreport import AttackedTable, AttackFacts, attack_report_json, attack_report_page
from reports.attackreportmaps import exposure_maps
from reports.attackreportsection import not_listed
from reports.metadata import json_text
from reports.model import Boundary, ReleaseFacts
from sdc.findings import Audit
from sdc.mends.trying import Mend

__all__ = ["REPORT_ENDINGS", "attack_facts", "check_report", "refusal", "write_attack_report"]

REPORT_ENDINGS = (".json", ".html")


def check_report(path: Path | None) -> None:
    """Refuse a report that ends in neither ``.json`` nor ``.html`` (raises InputError)."""
    if path is not None and path.suffix.lower() not in REPORT_ENDINGS:
        found, mend = f"the ending '{path.suffix}' is not known", "name a file that ends in .json or .html"
        raise InputError([Fault(kind="ending", file=str(path), key="--report", found=found, mend=mend)])


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


def write_attack_report(path: Path, facts: AttackFacts) -> tuple[Path, ...]:
    """The page or the plain data, by the file's ending, for its owner alone."""
    page = path.suffix.lower() == ".html"
    text = attack_report_page(facts) if page else json_text(attack_report_json(facts))

    def write(to: Path) -> None:
        to.write_text(text, encoding="utf-8", newline="\n")

    return write_whole([Writing(target=path, write=write, private=True)])


def refusal(message: str, facts: AttackFacts, report: Path | None) -> Refused:
    """What to raise; the report is written where one was asked for."""
    written = () if report is None else write_attack_report(report, facts)
    return Refused(message, Outcome(audit=facts.audit, written=written, mends=facts.mends))
