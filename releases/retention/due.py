"""The command ``smallarea retention``: what is due in folders of records, and doing it.

Every folder is looked at before any is changed, so that all faults are told at once.  Then each
is changed as a whole (`releases.retention.heldfolder`).  How long records may be kept, and what a removal
request may do, stands in `claimants.retention`.
"""

import contextlib
import datetime as dt
import hashlib
import os
import stat
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from io import BufferedReader
from pathlib import Path
from typing import IO

from claimants.keptfiles import FileForm, Looked, anonymise_file, header_of, look_at, rewrite_file
from claimants.retention import PARKED as PARKED_FATES
from claimants.retention import Fate, RetentionPolicy
from common.faults import Fault, Faults, InputError
from common.progress import SILENT, Progress
from releases.files.tomlfile import parse_model
from releases.retention.heldfolder import Change, HeldFolder, Identity, opened
from releases.retention.holdings import (
    HOLDINGS,
    RESERVED,
    STATE,
    HeldFile,
    Holdings,
    RemovalRequest,
    read_policies,
    read_removals,
)
from releases.retention.state import PARKED, Done, Logged, State, read_state, state_as_bytes

__all__ = ["FilePlan", "FolderPlan", "Later", "retain"]

AT = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Later:
    """What will be due: `day` None where the event has no day yet."""

    action: str
    rule: str
    day: dt.date | None


@dataclass(frozen=True, kw_only=True)
class FilePlan:
    """What is due for one file.

    Attributes
    ----------
    action : "delete", "anonymise", "delete records", "remove records", or blank for nothing.
    rule : the rule that says so, in words; due : since when, for whole files.
    looked : what becomes of its records; None for a file that goes as a whole, or is anonymised already.
    """

    name: str
    form: FileForm
    identity: Identity
    mode: int
    action: str = ""
    rule: str = ""
    due: dt.date | None = None
    looked: Looked | None = None
    anonymised: bool = False
    later: tuple[Later, ...] = ()


@dataclass(frozen=True, kw_only=True)
class FolderPlan:
    """What is due in one folder, and what becomes of each removal request there."""

    path: Path
    policy: RetentionPolicy
    day: dt.date
    files: tuple[FilePlan, ...]
    requests: tuple[Logged, ...]
    state: State
    notices: tuple[str, ...] = ()

    @property
    def persons(self) -> frozenset[str]:
        """References of those whose requests are looked at."""
        return frozenset(one.person for one in self.state.parked())


def retain(
    folders: Sequence[Path],
    *,
    policies: Sequence[str],
    date: dt.date,
    today: dt.date,
    requests: Path | None = None,
    do: bool = False,
    progress: Progress = SILENT,
    at: AT = lambda step: None,
) -> tuple[FolderPlan, ...]:
    """What is due in each folder on a day; with `do`, carry it out.  The plans as they were made.

    Raises
    ------
    InputError
        Folders, holdings, policies or requests are wrong, or something cannot be read or changed.
    """
    faults = Faults()
    if do and date > today:
        found = f"{date.isoformat()} is still to come: what is not yet due would be deleted"
        faults.add("option", found, "leave out --do, or give a day that has come", key="--date")
    found_policies = read_policies(policies)
    asked = () if requests is None else read_removals(requests, tuple(found_policies.values()), date)
    plans, held = [], []
    seen: dict[tuple[int, int], Path] = {}
    progress.step("looking at folders", len(folders))
    with contextlib.ExitStack() as stack:
        for path in folders:
            try:
                _check_new(path, seen)
                folder = stack.enter_context(opened(path, to_change=do))
                left = folder.finish() if do and not faults.found else ()
                plans.append(_plan(folder, found_policies, asked, date, left))
                held.append(folder)
            except InputError as error:
                faults.extend(error)
            progress.advance()
        faults.raise_if_any()
        if do:
            progress.step("changing folders", len(held))
            for folder, plan in zip(held, plans, strict=True):
                _carry_out(folder, plan, at)
                progress.advance()
    return tuple(plans)


def _check_new(path: Path, seen: dict[tuple[int, int], Path]) -> None:
    """Refuse a folder that was given before under any name."""
    try:
        found = os.stat(path)
    except OSError:
        return
    key = (found.st_dev, found.st_ino)
    if key in seen:
        what = f"is the same folder as {seen[key]}"
        raise InputError([Fault(kind="folder", file=str(path), found=what, mend="name it once")])
    seen[key] = path


# --- Planning -----------------------------------------------------------------------------------


def _plan(
    folder: HeldFolder,
    policies: dict[str, RetentionPolicy],
    asked: Sequence[RemovalRequest],
    day: dt.date,
    left: Sequence[str],
) -> FolderPlan:
    where = f"{folder.path}/{HOLDINGS}"
    faults = Faults(where)
    holdings = parse_model(folder.read(HOLDINGS) or b"", Holdings, where)
    policy = policies.get(holdings.policy)
    if policy is None:
        mend = f"give it with --policy, or use one of {', '.join(policies)}"
        faults.add("policy", f"the policy '{holdings.policy}' was not given", mend, key="policy")
        raise InputError(faults.found)
    holdings.check(policy, faults)
    state = _with_requests(
        read_state(folder.read(STATE), f"{folder.path}/{STATE}").without_old(policy, day), asked, faults
    )
    files = []
    for held in holdings.file:
        if folder.check_file(held.path, faults) and not faults.found:
            try:
                files.append(_plan_file(folder, held, holdings, policy, state, day))
            except InputError as error:
                faults.extend(error)
    faults.raise_if_any()
    notices = _notices(folder, holdings, files, state, left)
    settled = tuple(_settle(one, files, day) for one in state.parked())
    return FolderPlan(
        path=folder.path,
        policy=policy,
        day=day,
        files=tuple(files),
        requests=settled,
        state=state,
        notices=tuple(notices),
    )


def _with_requests(state: State, asked: Sequence[RemovalRequest], faults: Faults) -> State:
    """The state with new requests in it, parked until they are looked at; those that are logged stay as they are."""
    known = {one.id: one for one in state.requests}
    fresh = []
    for request in asked:
        one, old = Logged.of(request), known.get(request.id)
        if old is None:
            fresh.append(one)
        elif (old.received, old.approved, old.person or one.person) != (one.received, one.approved, one.person):
            found = f"the id {request.id} is logged for another request"
            faults.add("request", found, "give the new request an id of its own", key="request")
    return replace(state, requests=(*state.requests, *fresh))


def _plan_file(
    folder: HeldFolder, held: HeldFile, holdings: Holdings, policy: RetentionPolicy, state: State, day: dt.date
) -> FilePlan:
    form = held.form(str(folder.path))
    with _open_file(folder, held.path) as file:
        found = os.fstat(file.fileno())
        plan = FilePlan(
            name=held.path, form=form, identity=Identity.of(found), mode=stat.S_IMODE(found.st_mode) & 0o777
        )
        known = state.anonymised.get(held.path)
        if known is not None and known == hashlib.file_digest(file, "sha256").hexdigest():
            plan = replace(plan, anonymised=True)
        plan = _due_as_a_whole(plan, holdings, policy, day)
        if plan.action == "delete" or plan.anonymised:
            return plan
        persons = {one.person for one in state.parked()}
        _check_columns(header_of(file, form), form, policy, bool(persons))
        looked = look_at(file, form, policy, day, persons)
    action, rule = plan.action, plan.rule
    if not action and looked.fates[Fate.DUE]:
        deleting = policy.rule("delete")
        action, rule = "delete records", deleting.told if deleting else ""
    elif not action and looked.fates[Fate.REMOVED]:
        action, rule = "remove records", "removal requests"
    return replace(plan, looked=looked, action=action, rule=rule)


def _open_file(folder: HeldFolder, name: str) -> BufferedReader:
    try:
        return folder.open(name)
    except OSError as error:
        found = f"cannot be read ({error.strerror})"
        fault = Fault(kind="unreadable", file=f"{folder.path}/{name}", found=found, mend="let this user read it")
        raise InputError([fault]) from None


def _due_as_a_whole(plan: FilePlan, holdings: Holdings, policy: RetentionPolicy, day: dt.date) -> FilePlan:
    """Deleting goes before anonymising; what is not due yet is told as later."""
    later: list[Later] = []
    for action in ("delete", "anonymise"):
        rule = policy.rule(action)
        if rule is None or rule.after == "claim end" or (action == "anonymise" and plan.anonymised):
            continue
        event = holdings.event(rule.after)
        due = None if event is None else rule.due_day(event)
        if due is not None and due <= day:
            return replace(plan, action=action, rule=rule.told, due=due, later=tuple(later))
        later.append(Later(action=action, rule=rule.told, day=due))
    return replace(plan, later=tuple(later))


def _check_columns(header: Sequence[str], form: FileForm, policy: RetentionPolicy, asked: bool) -> None:
    """Raise InputError for columns that the policy, or a request, needs and the file has not once."""
    faults = Faults(form.name)
    deleting = policy.rule("delete")
    wanted = [form.hold] if form.hold else []
    if deleting is not None and deleting.after == "claim end":
        wanted.append(form.column("claim_end"))
    if asked:
        wanted.append(form.column("person_reference"))
    wanted += form.columns.values()
    for name in dict.fromkeys(wanted):
        if header.count(name) != 1:
            found = "the column stands there twice" if name in header else "the column is missing"
            faults.add("column", found, f"add it, or name the right one in {HOLDINGS}", column=name)
    faults.raise_if_any()


def _settle(request: Logged, files: Sequence[FilePlan], day: dt.date) -> Logged:
    """What becomes of a request in a folder, over all its files."""
    fates: Counter[Fate] = Counter()
    for one in files:
        if one.looked is not None:
            fates.update(one.looked.requests.get(request.person, Counter()))
    waits = next((fate for fate in PARKED_FATES if fates[fate]), None)
    if waits is not None:
        return request.settled(PARKED, waits.value, day)
    if fates[Fate.REMOVED]:
        return request.settled("carried out", "", day)
    if any(one.action == "delete" for one in files):
        return request.settled("carried out", "the file is deleted as a whole", day)
    if any(one.anonymised for one in files):
        return request.settled("nothing to remove", "the copy is anonymised: nobody can be told apart in it", day)
    return request.settled("nothing to remove", "no record has this reference", day)


def _notices(
    folder: HeldFolder, holdings: Holdings, files: Sequence[FilePlan], state: State, left: Sequence[str]
) -> list[str]:
    where, told = folder.path, []
    declared = {one.path for one in holdings.file}
    unfinished = folder.unfinished()
    if unfinished == "plan":
        told.append(
            f"{where}: an earlier run was broken off after it had decided; --do first carries it out to its end"
        )
    elif unfinished:
        told.append(f"{where}: an earlier run was broken off and left working files; --do removes them")
    told += [
        f"{where}/{name}: left alone: it is not the file that an earlier, broken run had decided on" for name in left
    ]
    gone = sorted(declared - {one.name for one in files})
    gone = [name for name in gone if not any(d.file == name and d.action == "delete" for d in state.done)]
    told += [f"{where}/{name}: is named in {HOLDINGS} and is not there" for name in gone]
    others = [name for name in folder.names() if name not in declared and name not in RESERVED]
    if others:
        some = "one file or folder is" if len(others) == 1 else f"{len(others)} files or folders are"
        told.append(f"{where}: {some} not named in {HOLDINGS}: nothing says how long they may be kept")
    for one in files:
        if one.looked is not None and one.looked.unreadable:
            rows = ", ".join(map(str, one.looked.unreadable))
            told.append(
                f"{one.form.name}: the end of the claim is no date in some rows, first {rows}: nothing is due there"
            )
    return told


# --- Doing --------------------------------------------------------------------------------------


def _carry_out(folder: HeldFolder, plan: FolderPlan, at: AT) -> None:
    """Change the folder as planned, with what is remembered of it, in one go."""
    hashes: dict[str, str] = {}
    changes = [_change(folder, one, plan, hashes) for one in plan.files if one.action]

    def state_after(out: IO[bytes]) -> None:
        out.write(state_as_bytes(_after(plan, hashes)))

    before = folder.read(STATE)
    if changes or plan.requests or before not in (None, state_as_bytes(plan.state)):
        # Written last, so that the hashes of anonymised files are known.
        folder.change([*changes, Change(name=STATE, was=None, write=state_after, if_whole=True)], at)


def _change(folder: HeldFolder, one: FilePlan, plan: FolderPlan, hashes: dict[str, str]) -> Change:
    if one.action == "delete":
        return Change(name=one.name, was=one.identity)
    made = partial(_write_anonymised, hashes=hashes) if one.action == "anonymise" else _write_kept
    return Change(name=one.name, was=one.identity, write=partial(made, folder, one, plan), mode=one.mode)


def _write_kept(folder: HeldFolder, one: FilePlan, plan: FolderPlan, out: IO[bytes]) -> None:
    with _open_file(folder, one.name) as file:
        rewrite_file(file, out, one.form, plan.policy, plan.day, plan.persons)


def _write_anonymised(
    folder: HeldFolder, one: FilePlan, plan: FolderPlan, out: IO[bytes], *, hashes: dict[str, str]
) -> None:
    told = _Hashed(out)
    with _open_file(folder, one.name) as file:
        anonymise_file(file, told, one.form, plan.policy, plan.day, plan.persons)  # type: ignore[arg-type]
    hashes[one.name] = told.digest.hexdigest()


class _Hashed:
    """A file for writing that hashes what passes."""

    def __init__(self, out: IO[bytes]) -> None:
        self._out, self.digest, self.closed = out, hashlib.sha256(), False

    def writable(self) -> bool:
        """It is for writing."""
        return True

    def write(self, part: bytes) -> int:
        """Write and hash."""
        self.digest.update(part)
        return self._out.write(part)

    def flush(self) -> None:
        """Flush what was written."""
        self._out.flush()

    def tell(self) -> int:
        """How much was written."""
        return self._out.tell()

    def close(self) -> None:
        """Left to who opened the file."""


def _after(plan: FolderPlan, hashes: dict[str, str]) -> State:
    settled = {one.id: one for one in plan.requests}
    gone = {one.name for one in plan.files if one.action == "delete"}
    done = []
    for one in plan.files:
        if one.action:
            fates = one.looked.fates if one.looked is not None else Counter()
            records = None if one.action in ("delete", "anonymise") else fates[Fate.DUE] + fates[Fate.REMOVED]
            done.append(Done(date=plan.day, file=one.name, action=one.action, rule=one.rule, records=records))
    anonymised = {name: sha for name, sha in plan.state.anonymised.items() if name not in gone}
    return State(
        anonymised=anonymised | hashes,
        requests=tuple(settled.get(one.id, one) if one.outcome == PARKED else one for one in plan.state.requests),
        done=(*plan.state.done, *done),
    )
