"""The report of an attack: one private page and the same as plain data.

The page needs no other file and asks nothing of the network: styles and pictures are in it.
The caller writes it for its owner alone (mode 0600).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from reports.attackreportmaps import ExposureMap
from reports.attackreportsection import attack_section, attack_verdict
from reports.pages import assets_path, fill_page
from reports.statements import words
from reports.tablepages import DataTable, Row
from sdc.findings import Audit
from sdc.mends.trying import Mend

__all__ = ["AttackFacts", "AttackedTable", "attack_report_json", "attack_report_page", "audit_as_dict"]

# The form of the plain data; it rises when what stands in it changes its meaning.
FORM = 1


@dataclass(frozen=True, kw_only=True)
class AttackedTable:
    """One table that was attacked: its name, the file it came from, the method said of it.

    `levels` are the names of its levels of areas; `public` says that it is another body's, which is not judged.
    """

    name: str
    file: str
    method: str
    base: int
    levels: tuple[str, ...] = ()
    public: bool = False


@dataclass(frozen=True, kw_only=True)
class AttackFacts:
    """Everything that the report tells.

    Attributes
    ----------
    audit : what the attack found.
    tables : what was attacked.
    min_count : smallest non-zero count that may be told; a count x is *small* where 1 <= x <= min_count - 1.
    with_truth : whether findings were judged with the true counts.
    mends : what was tried (`sdc.mends.trying`).
    maps : of exposed areas (`reports.attackreportmaps`).
    command : what attacked: ``attack`` or ``publish``.
    notices : what else there is to say.
    """

    audit: Audit
    tables: tuple[AttackedTable, ...]
    min_count: int
    with_truth: bool = False
    mends: tuple[Mend, ...] = ()
    maps: tuple[ExposureMap, ...] = ()
    command: str = "attack"
    software: str = ""
    notices: tuple[str, ...] = ()


def attack_report_page(facts: AttackFacts) -> str:
    """The report as one HTML page."""
    told = words("attack")
    return fill_page(
        "attackreport.html",
        title=told["report"]["title"],
        private=told["private"],
        css=assets_path("site.css").read_text(encoding="utf-8"),
        section=attack_section(facts.audit, mends=facts.mends, maps=facts.maps),
        about=_about(facts),
        tables=_tables(facts.tables),
        notices=facts.notices,
        software=facts.software,
    )


def attack_report_json(facts: AttackFacts) -> dict[str, Any]:
    """The report as plain data; tells more of nothing than the page, but every figure and finding."""
    return {
        "private": True,
        "warning": words("attack")["private"],
        "form": FORM,
        "command": facts.command,
        "software": facts.software,
        "verdict": attack_verdict(facts.audit),
        "min_count": facts.min_count,
        "with_truth": facts.with_truth,
        "tables": [
            {"name": one.name, "file": one.file, "method": one.method, "base": one.base, "public": one.public}
            for one in facts.tables
        ],
        "audit": audit_as_dict(facts.audit),
        "mends": [mend.as_dict() for mend in facts.mends],
        "notices": list(facts.notices),
    }


def audit_as_dict(audit: Audit) -> dict[str, Any]:
    """An audit as plain data."""
    return {
        "safe": audit.safe,
        "findings": [finding.as_dict() for finding in audit.findings],
        "checked": list(audit.checked),
        "not_checked": list(audit.not_checked),
        "figures": dict(audit.figures),
    }


def _about(facts: AttackFacts) -> list[str]:
    told, most = words("attack")["report"], facts.min_count - 1
    number = len(facts.tables)
    who = told["who_one"] if number == 1 else told["who"].format(count=f"{number:,}")
    judged = told["with_truth"] if facts.with_truth else told["without_truth"].format(most=most)
    return [str(who), str(told["small"].format(most=most)), str(judged)]


def _tables(tables: Sequence[AttackedTable]) -> DataTable | None:
    told = words("attack")["report"]
    if not tables:
        return None
    yes, no = (words("pages")["review"][answer] for answer in ("yes", "no"))
    rows = [
        Row(
            head=one.name,
            about=(
                one.file,
                one.method if one.base == 1 else told["base"].format(method=one.method, base=one.base),
                ", ".join(one.levels),
                yes if one.public else no,
            ),
            cells=(),
        )
        for one in tables
    ]
    return DataTable(
        id="attacked-tables",
        caption=told["tables"],
        row_heads=tuple(told[name] for name in ("table", "file", "method", "areas", "public")),
        columns=(),
        rows=tuple(rows),
    )
