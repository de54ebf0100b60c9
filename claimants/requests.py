"""Requests for data: which of five steps serves them, and which fields are more than the purpose needs.

The steps stand in order: published figures; an unpublished aggregate; anonymised records
for research; identifiable records for research; identifiable records for operations.
A request is placed at the **first** step that

1. tells people apart as far as the request must, and no further than it need;
2. is open to the purpose;
3. is open to the kind of organisation that asks;
4. holds what is asked, where the step is what is published already.

Each field is then held against the data dictionary: the finest form that serves the
purpose is what would do; anything finer is disproportionate, and so is a field that
does not serve the purpose at all.  Placing looks at what would do, not at what was asked:
a request for dates of birth by benefit is placed as one for age bands by benefit.

Two things are no matter of weighing and are refused: free text, which may hold anything
about anybody, and fields that the dictionary does not have.

Steps, purposes, organisations and what each step needs are data: see ``data/requests.toml``,
an example policy.  What a request and a policy may say is read in `releases.requests.requestfile`.
"""

import datetime as dt
import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from claimants.dictionary import Dictionary, Field
from common.faults import Faults

__all__ = [
    "AskedField",
    "Assessment",
    "JudgedField",
    "JudgedStep",
    "Level",
    "Party",
    "Published",
    "RefusedArea",
    "Request",
    "RequestPolicy",
    "Step",
    "assess_request",
    "check_request",
]

# Forms of a place: a request for counts names its areas instead.
PLACING = "placing"
LINKED = "as it stands, for linking alone"


@dataclass(frozen=True, kw_only=True)
class AskedField:
    """A field that is asked for; `form` "" is as the dictionary has it at its finest, `why` is the requester's reason."""

    name: str
    form: str = ""
    why: str = ""


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is asked: `organisation`, `purpose`, `people` and `level` are ids of the policy, `within` codes of areas."""

    title: str
    organisation: str
    purpose: str
    question: str
    people: str
    level: str
    first_date: dt.date
    last_date: dt.date
    keep_months: int
    fields: tuple[AskedField, ...]
    within: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Level:
    """A kind of area; `name` is the word of the dictionary's finest areas."""

    id: str
    name: str


@dataclass(frozen=True, kw_only=True)
class RefusedArea:
    """Areas of a level that are refused where their code begins so."""

    level: str
    codes_begin: str
    reason: str
    instead: str


@dataclass(frozen=True, kw_only=True)
class Published:
    """What releases hold: crossings of at most `most_crossed` of `fields` (field → finest form shown)."""

    since: dt.date
    levels: tuple[str, ...]
    most_crossed: int
    fields: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step, and what it needs.

    Attributes
    ----------
    people : how far people are told apart there, keys of the policy's `people`.
    reads : the purpose of the dictionary that fields are given for.
    links_by : fields that may go as they stand, for linking alone.
    longest_months : how long what is given may be kept; None sets no bound.
    """

    id: str
    name: str
    about: str
    people: tuple[str, ...]
    reads: str
    links_by: tuple[str, ...] = ()
    longest_months: int | None = None
    approvals: tuple[str, ...] = ()
    agreements: tuple[str, ...] = ()
    minimum: tuple[str, ...] = ()
    safeguards: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Party:
    """A purpose, or a kind of organisation, and the steps open to it; `reads` replaces ``counting`` where it is set."""

    id: str
    name: str
    steps: tuple[str, ...]
    reads: str = ""


@dataclass(frozen=True, kw_only=True)
class RequestPolicy:
    """The rules that a request is held against: steps in order, levels with the largest areas first.

    Raises
    ------
    ValueError
        A name points to nothing: all of them in one sentence each, joined by "; ".
    """

    title: str
    version: str
    example: bool
    people: Mapping[str, str]
    levels: tuple[Level, ...]
    published: Published
    steps: tuple[Step, ...]
    purposes: tuple[Party, ...]
    organisations: tuple[Party, ...]
    refused_areas: tuple[RefusedArea, ...] = ()

    def __post_init__(self) -> None:
        steps, levels = {step.id for step in self.steps}, {level.id for level in self.levels}
        lost = [f"step {s.id} names people '{p}'" for s in self.steps for p in s.people if p not in self.people]
        for one in (*self.purposes, *self.organisations):
            lost += [f"{one.id} names step '{step}'" for step in one.steps if step not in steps]
        lost += [f"published names level '{level}'" for level in self.published.levels if level not in levels]
        lost += [f"refused_area names level '{a.level}'" for a in self.refused_areas if a.level not in levels]
        if lost:
            raise ValueError("; ".join(f"{one}, which is not there" for one in lost))


@dataclass(frozen=True, kw_only=True)
class JudgedField:
    """A field as asked and what the dictionary says of it: `does` is the form that would do, "" where none does."""

    name: str
    label: str
    kind: str
    asked: str
    why: str
    does: str
    proportionate: bool
    reason: str


@dataclass(frozen=True, kw_only=True)
class JudgedStep:
    """One step of the policy and why the request is or is not placed there."""

    step: Step
    serves: bool
    reason: str


@dataclass(frozen=True, kw_only=True)
class Assessment:
    """Where a request was placed, and what is more than it needs.

    Attributes
    ----------
    step : the step; None where none serves what is asked and is open.
    nearest : the step whose rules the fields were held against: `step`, else the last that is open.
    beyond : what else is more than the purpose needs: areas, dates, how long it is kept; (what, what would do).
    """

    request: Request
    policy: RequestPolicy
    purpose: Party
    organisation: Party
    step: Step | None
    nearest: Step
    steps: tuple[JudgedStep, ...]
    fields: tuple[JudgedField, ...]
    beyond: tuple[tuple[str, str], ...] = field(default=())

    @property
    def disproportionate(self) -> tuple[JudgedField, ...]:
        """Fields that are asked for in a form, or at all, beyond what the purpose needs."""
        return tuple(one for one in self.fields if not one.proportionate)


# --- What is refused ----------------------------------------------------------------------------


def check_request(request: Request, policy: RequestPolicy, dictionary: Dictionary, faults: Faults) -> None:
    """Note a fault for everything that keeps a request from being assessed at all."""
    _check_known("request.organisation", request.organisation, [one.id for one in policy.organisations], faults)
    _check_known("request.purpose", request.purpose, [one.id for one in policy.purposes], faults)
    _check_known("request.people", request.people, list(policy.people), faults)
    _check_known("areas.level", request.level, [one.id for one in policy.levels], faults)
    if request.first_date > request.last_date:
        faults.add("dates", "the first date is after the last", "put them in order", key="dates")
    seen: set[str] = set()
    for at, asked in enumerate(request.fields, start=1):
        if asked.name in seen:
            faults.add("field twice", f"'{asked.name}' is asked for twice", "ask once", key=f"field.{at}.name")
        seen.add(asked.name)
        _check_field(at, asked, dictionary, faults)


def _check_known(key: str, given: str, known: Sequence[str], faults: Faults) -> None:
    if given not in known:
        faults.add("unknown word", f"'{given}' is not known", f"use one of {', '.join(known)}", key=key)


def _check_field(at: int, asked: AskedField, dictionary: Dictionary, faults: Faults) -> None:
    known = dictionary.fields.get(asked.name)
    if known is None:
        near = difflib.get_close_matches(asked.name, dictionary.fields, n=1)
        mend = f"did you mean {near[0]}?" if near else "ask for a field of the data dictionary"
        faults.add("unknown field", f"'{asked.name}' is no field of the dictionary", mend, key=f"field.{at}.name")
    elif known.kind == "free text":
        found = f"'{asked.name}' is free text, which may hold anything about anybody and can never be asked for"
        faults.add(
            "free text", found, "ask for fields with fixed answers that serve the purpose", key=f"field.{at}.name"
        )
    elif asked.form and asked.form not in known.forms:
        mend = f"use one of {', '.join(known.forms)}"
        faults.add("form", f"{asked.name} has no form '{asked.form}'", mend, key=f"field.{at}.form")


# --- Assessing ----------------------------------------------------------------------------------


def assess_request(request: Request, policy: RequestPolicy, dictionary: Dictionary) -> Assessment:
    """Place a request that `check_request` found nothing wrong with, and judge its fields."""
    purpose = next(one for one in policy.purposes if one.id == request.purpose)
    organisation = next(one for one in policy.organisations if one.id == request.organisation)
    judged = tuple(_judge_step(step, request, policy, purpose, organisation, dictionary) for step in policy.steps)
    placed = next((one.step for one in judged if one.serves), None)
    open_steps = [one for one in policy.steps if one.id in purpose.steps and one.id in organisation.steps]
    nearest = placed or (open_steps[-1] if open_steps else policy.steps[0])
    fields = tuple(_judge_field(asked, nearest, purpose, dictionary) for asked in request.fields)
    return Assessment(
        request=request,
        policy=policy,
        purpose=purpose,
        organisation=organisation,
        step=placed,
        nearest=nearest,
        steps=judged,
        fields=fields,
        beyond=tuple(_beyond(request, policy, nearest, fields, dictionary)),
    )


def _judge_step(
    step: Step, request: Request, policy: RequestPolicy, purpose: Party, organisation: Party, dictionary: Dictionary
) -> JudgedStep:
    if request.people not in step.people:
        reason = f"does not serve: what is asked is {_small(policy.people[request.people])}"
    elif step.id not in purpose.steps:
        reason = f"not open to the purpose: {_small(purpose.name)}"
    elif step.id not in organisation.steps:
        reason = f"not open to who asks: {_small(organisation.name)}"
    elif step is policy.steps[0]:
        lacking = _not_published(request, policy, step, purpose, dictionary)
        if not lacking:
            return JudgedStep(step=step, serves=True, reason="serves: it is published already")
        reason = f"does not serve: {lacking}"
    else:
        return JudgedStep(step=step, serves=True, reason="serves, and is open to purpose and organisation")
    return JudgedStep(step=step, serves=False, reason=reason)


def _large(words: str) -> str:
    return words[:1].upper() + words[1:]


def _small(words: str) -> str:
    return words[:1].lower() + words[1:]


def _not_published(request: Request, policy: RequestPolicy, step: Step, purpose: Party, dictionary: Dictionary) -> str:
    """Why published figures do not hold what would do; blank where they do."""
    published = policy.published
    wanted = {
        one.name: one.does
        for one in (_judge_field(asked, step, purpose, dictionary) for asked in request.fields)
        if one.does and PLACING not in dictionary.fields[one.name].purposes
    }
    for name, form in wanted.items():
        shown, forms = published.fields.get(name), dictionary.fields[name].forms
        asked = next(one.form for one in request.fields if one.name == name) or forms[-1]
        least = min(forms.index(form), forms.index(asked))
        if shown is None or shown not in forms or least > forms.index(shown):
            return f"no release shows {_small(dictionary.fields[name].label)} in the form asked"
    if len(wanted) > published.most_crossed:
        return f"no release crosses more than {published.most_crossed} fields"
    if request.level not in published.levels:
        return f"no release has areas of the level {_level(policy, request.level).name}"
    if request.first_date < published.since:
        return f"no release goes back before {published.since.isoformat()}"
    return ""


def _level(policy: RequestPolicy, level: str) -> Level:
    return next(one for one in policy.levels if one.id == level)


def _judge_field(asked: AskedField, step: Step, purpose: Party, dictionary: Dictionary) -> JudgedField:
    """A field against the dictionary: what form would do at the step, and whether more is asked."""
    known = dictionary.fields[asked.name]
    form = asked.form or known.forms[-1]
    if asked.name in step.links_by:
        return _judged(known, asked, form, LINKED, "sent apart from all other fields, and removed once linked")
    reads = purpose.reads if purpose.reads and step.reads == "counting" else step.reads
    does = known.purposes.get(reads, "")
    if not does:
        return _judged(known, asked, form, "", _serves_otherwise(known, reads))
    if known.coarse_enough(reads, form):
        return _judged(known, asked, form, form, "as coarse as the purpose allows")
    return _judged(known, asked, form, does, f"{does} will do")


def _judged(known: Field, asked: AskedField, form: str, does: str, reason: str) -> JudgedField:
    return JudgedField(
        name=known.name,
        label=known.label,
        kind=known.kind,
        asked=form,
        why=asked.why,
        does=does,
        proportionate=does in (form, LINKED),
        reason=reason,
    )


def _serves_otherwise(known: Field, reads: str) -> str:
    if PLACING in known.purposes or (known.kind == "contact" and "local authority" in known.forms):
        return "leave it out: the areas that the request names will do"
    if known.kind == "identifier":
        coarser = "a reference made for this request alone tells people apart"
        return f"leave it out: {coarser}" if reads == "research" else "leave it out: counts name nobody"
    serves = ", ".join(known.purposes) or "nothing"
    return f"leave it out: it does not serve {reads} (it serves {serves})"


def _beyond(
    request: Request, policy: RequestPolicy, step: Step, fields: Sequence[JudgedField], dictionary: Dictionary
) -> list[tuple[str, str]]:
    """Areas and times that are finer or longer than the rules allow, each with what would do."""
    found = []
    order = [level.name for level in policy.levels]
    asked = order.index(_level(policy, request.level).name)
    for one in fields:
        finest = dictionary.fields[one.name].finest_area
        if one.does and finest in order and asked > order.index(finest):
            found.append((f"{one.label} for areas of the level {order[asked]}", f"areas of the level {finest}"))
    for area in policy.refused_areas:
        if area.level == request.level and any(code.startswith(area.codes_begin) for code in request.within):
            found.append((_large(area.reason), area.instead))
    if step.longest_months is not None and request.keep_months > step.longest_months:
        found.append((f"Kept for {request.keep_months} months", f"{step.longest_months} months at the longest"))
    return found
