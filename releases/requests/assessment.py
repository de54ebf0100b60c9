"""The command ``smallarea assess-request``: reads a request, places it, drafts the case document."""

import datetime as dt
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from claimants.dictionary import read_dictionary, shipped_dictionary
from claimants.requests import Assessment, assess_request
from common.faults import Fault, InputError
from releases.files.wholefiles import Writing, check_targets, write_whole
from releases.requests.requestfile import read_request, read_request_policy
from releases.software import software_name
from reports.casedocument import CaseDocument, CaseField, CaseStep, case_as_html, case_as_markdown

__all__ = ["Assessed", "assess", "assessment_as_dict", "case_document"]


@dataclass(frozen=True, kw_only=True)
class Assessed:
    """An assessment in lines and as plain data, and the files written."""

    assessment: Assessment
    lines: tuple[str, ...]
    plain: dict[str, Any]
    written: tuple[Path, ...] = ()


def assess(
    request: Path,
    *,
    date: dt.date,
    report: Path | None = None,
    policy: Path | None = None,
    dictionary: Path | None = None,
) -> Assessed:
    """Assess a request and draft its case document; `policy` and `dictionary` None are those that ship.

    Raises
    ------
    InputError
        Request, policy or dictionary are wrong, or the report cannot be written.
    """
    if report is not None:
        inputs = [path for path in (request, policy, dictionary) if path is not None]
        check_targets({"--report": report}, inputs)
        _writer(report)
    rules = read_request_policy(policy)
    fields = shipped_dictionary() if dictionary is None else read_dictionary(dictionary)
    found = assess_request(read_request(request, rules, fields), rules, fields)
    plain = assessment_as_dict(found)
    written: tuple[Path, ...] = ()
    if report is not None:
        text = _writer(report)(case_document(found, date), plain)
        written = write_whole(
            [Writing(target=report, write=lambda path: _write_text(path, text), private=True)],
        )
    return Assessed(assessment=found, lines=_lines(found, report), plain=plain, written=written)


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


def _writer(report: Path) -> Callable[[CaseDocument, dict[str, Any]], str]:
    writers: dict[str, Callable[[CaseDocument, dict[str, Any]], str]] = {
        ".html": lambda case, plain: case_as_html(case),
        ".md": lambda case, plain: case_as_markdown(case),
        ".json": lambda case, plain: json.dumps(plain, ensure_ascii=False, indent=2) + "\n",
    }
    if report.suffix not in writers:
        mend = f"end it with {', '.join(writers)}"
        found = f"the ending '{report.suffix}' is not known"
        raise InputError([Fault(kind="option", file=str(report), key="--report", found=found, mend=mend)])
    return writers[report.suffix]


def case_document(found: Assessment, date: dt.date) -> CaseDocument:
    """The assessment in the words of the case document."""
    request, policy = found.request, found.policy
    level = next(one.name for one in policy.levels if one.id == request.level)
    within = f" within {', '.join(request.within)}" if request.within else ""
    return CaseDocument(
        title=request.title,
        date=date,
        step=found.step.name if found.step else "",
        nearest=found.nearest.name,
        organisation=found.organisation.name,
        purpose=found.purpose.name,
        question=request.question,
        people=policy.people[request.people],
        areas=f"{level}{within}",
        first_date=request.first_date,
        last_date=request.last_date,
        keep_months=request.keep_months,
        steps=tuple(
            CaseStep(name=one.step.name, about=one.step.about, serves=one.serves, reason=one.reason)
            for one in found.steps
        ),
        fields=tuple(
            CaseField(
                label=one.label,
                name=one.name,
                asked=one.asked,
                does=one.does,
                proportionate=one.proportionate,
                reason=one.reason,
                why=one.why,
            )
            for one in found.fields
        ),
        beyond=found.beyond,
        approvals=found.nearest.approvals,
        agreements=found.nearest.agreements,
        minimum=found.nearest.minimum,
        safeguards=found.nearest.safeguards,
        policy=f"{policy.title}, version {policy.version}",
        example=policy.example,
        software=software_name(),
    )


def assessment_as_dict(found: Assessment) -> dict[str, Any]:
    """The assessment as plain data; `step` is null where none serves and is open."""
    step = found.nearest
    return {
        "step": found.step.id if found.step else None,
        "nearest": step.id,
        "policy": {"title": found.policy.title, "version": found.policy.version, "example": found.policy.example},
        "steps": [{"id": one.step.id, "serves": one.serves, "reason": one.reason} for one in found.steps],
        "fields": [
            {
                "name": one.name,
                "class": one.kind,
                "asked": one.asked,
                "proportionate": one.proportionate,
                "does": one.does or None,
                "reason": one.reason,
            }
            for one in found.fields
        ],
        "beyond": [{"what": what, "does": instead} for what, instead in found.beyond],
        "needs": {
            "approvals": list(step.approvals),
            "agreements": list(step.agreements),
            "minimum": list(step.minimum),
            "safeguards": list(step.safeguards),
        },
    }


def _lines(found: Assessment, report: Path | None) -> tuple[str, ...]:
    if found.step is None:
        lines = [f"No step serves this request and is open to it; the nearest that is open: {found.nearest.name}"]
        lines += [f"  {one.step.name}: {one.reason}" for one in found.steps]
    else:
        lines = [f"Step {found.policy.steps.index(found.step) + 1} of {len(found.policy.steps)}: {found.step.name}"]
    needs = (("approval", found.nearest.approvals), ("agreement", found.nearest.agreements),
             ("minimum", found.nearest.minimum), ("safeguard", found.nearest.safeguards))  # fmt: skip
    lines += [f"Needed, {kind}: {line}" for kind, told in needs for line in told]
    lines += [f"Disproportionate: {one.name}, {one.asked}: {one.reason}" for one in found.disproportionate]
    lines += [f"Too much: {what}; {instead} will do" for what, instead in found.beyond]
    if report is not None:
        lines.append(f"Case document: {report}")
    return tuple(lines)
