"""The report of an attack as a file: a page for people, or plain data."""

from pathlib import Path

from common.faults import Fault, InputError
from releases.files.wholefiles import Writing, write_whole
from releases.outcome import Outcome, Refused
from reports.attackreport import AttackFacts, attack_report_json, attack_report_page
from reports.metadata import json_text

__all__ = ["check_report", "refusal", "write_attack_report"]

REPORT_ENDINGS = (".json", ".html")


def check_report(path: Path | None) -> None:
    """Refuse a report that ends in neither ``.json`` nor ``.html`` (raises InputError)."""
    if path is not None and path.suffix.lower() not in REPORT_ENDINGS:
        found, mend = f"the ending '{path.suffix}' is not known", "name a file that ends in .json or .html"
        raise InputError([Fault(kind="ending", file=str(path), key="--report", found=found, mend=mend)])


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
