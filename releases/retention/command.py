"""The command ``smallarea retention``: reads options, tells what is due or was done."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from common.progress import Progress
from releases.commandoptions import Json
from releases.console import Outcome
from releases.days import Day, day_of

if TYPE_CHECKING:
    from releases.retention.due import FilePlan, FolderPlan

__all__ = ["register"]

Run = Callable[[str, Callable[[Progress], Outcome], bool], None]
# Fewer records than this are told as "fewer than": a small number may be one person.
LEAST_TOLD = 10


def register(app: typer.Typer, run: Run) -> None:
    """Add the command; `run` is what runs every command: its name, its body, whether it answers in JSON."""

    @app.command()
    def retention(
        folders: Annotated[list[Path], typer.Argument(metavar="FOLDER…", help="Folders that have holdings.toml.")],
        policy: Annotated[
            list[str], typer.Option("--policy", help="A retention policy, or the name of one that ships; repeatable.")
        ],
        date: Day = "",
        requests: Annotated[
            Path | None, typer.Option("--requests", help="Requests to remove people's records.")
        ] = None,
        do: Annotated[bool, typer.Option("--do", help="Carry it out; without it nothing is changed.")] = False,
        as_json: Json = False,
    ) -> None:
        """Say which files and records are due to be anonymised or deleted; with --do, carry it out.

        Example: smallarea retention records --policy benefit-record
        """

        def body(progress: Progress) -> Outcome:
            from releases.retention.due import retain

            today = dt.date.today()
            plans = retain(
                folders,
                policies=policy,
                date=day_of(date, today),
                today=today,
                requests=requests,
                do=do,
                progress=progress,
            )
            return _told(plans, do, requests)

        run("retention", body, as_json)


def _told(plans: "tuple[FolderPlan, ...]", do: bool, requests: Path | None) -> Outcome:
    lines = [line for plan in plans for line in _lines(plan, do)]
    if not do:
        lines.append("Dry run: nothing was changed. --do carries it out.")
    notices = [f"{one.id} is an example policy that ships" for one in {p.policy.id: p.policy for p in plans}.values()
               if one.example]  # fmt: skip
    if requests is not None and requests.stat().st_mode & 0o077:
        notices.append(f"{requests} names people and can be read by others: close it (chmod 600)")
    changed = [one for plan in plans for one in plan.files if one.action]
    verdict = ("done" if do else "due") if changed else "nothing due"
    return Outcome(
        verdict=verdict,
        lines=tuple(lines),
        listed={"done": do, "folders": [_plain(plan) for plan in plans]},
        notices=(*notices, *(notice for plan in plans for notice in plan.notices)),
        written=tuple(plan.path for plan in plans if do and (plan.requests or any(one.action for one in plan.files))),
    )


def _lines(plan: "FolderPlan", do: bool) -> list[str]:
    lines = [f"{plan.path}: {plan.policy.id}, {plan.policy.title}"]
    for one in plan.files:
        lines += [f"  {one.name}: {what}" for what in _of_file(one, do)]
    for request in plan.requests:
        reason = f": {request.reason}" if request.reason else ""
        outcome = "to be carried out" if request.outcome == "carried out" and not do else request.outcome
        lines.append(f"  request {request.id}: {outcome}{reason}")
    return lines


def _of_file(one: "FilePlan", do: bool) -> list[str]:
    from claimants.retention import Fate

    told = []
    done = {"delete": "deleted", "anonymise": "anonymised"}
    fates = one.looked.fates if one.looked is not None else {}
    if one.action in done:
        since = f", since {one.due.isoformat()}" if one.due else ""
        told.append(f"{done[one.action] if do else 'due: ' + one.action} ({one.rule}{since})")
    removed = "removed" if do else "to be removed"
    deleted = f"deleted ({one.rule})" if do else f"due to be deleted ({one.rule})"
    words = ((Fate.DUE, deleted), (Fate.REMOVED, f"{removed} at request"), (Fate.HELD, Fate.HELD.value))
    told += [f"{_number(fates[fate])} {text}" for fate, text in words if fates.get(fate)]
    if one.anonymised and one.action != "delete":
        told.append("anonymised already")
    for later in one.later:
        when = f"on {later.day.isoformat()}" if later.day else "when its day is known"
        told.append(f"later, {when}: {later.action} ({later.rule})")
    return told or ["nothing is due"]


def _number(records: int) -> str:
    return f"fewer than {LEAST_TOLD} records" if records < LEAST_TOLD else f"{records:,} records"


def _plain(plan: "FolderPlan") -> dict[str, Any]:
    from claimants.retention import Fate

    def told(one: "FilePlan", *fates: Any) -> str | None:
        many = sum(one.looked.fates[fate] for fate in fates) if one.looked is not None else 0
        return _number(many) if many else None

    return {
        "folder": str(plan.path),
        "policy": plan.policy.id,
        "files": [
            {
                "file": one.name,
                "action": one.action or None,
                "rule": one.rule or None,
                "due": one.due.isoformat() if one.due else None,
                "records": told(one, Fate.DUE, Fate.REMOVED),
                "held": told(one, Fate.HELD),
                "later": [
                    {"action": later.action, "rule": later.rule, "day": later.day.isoformat() if later.day else None}
                    for later in one.later
                ],
            }
            for one in plan.files
        ],
        "requests": [{"id": one.id, "outcome": one.outcome, "reason": one.reason or None} for one in plan.requests],
    }
