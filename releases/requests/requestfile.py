"""REQUEST.toml and the policy that requests are held against: read with every fault at once.

A request names kinds of organisation, never people: keys for names and addresses are not
known here, so that none end up in a case document.
"""

import datetime as dt
from pathlib import Path
from typing import Annotated

from pydantic import Field

from claimants.dictionary import Dictionary
from claimants.requests import (
    AskedField,
    Level,
    Party,
    Published,
    RefusedArea,
    Request,
    RequestPolicy,
    Step,
    check_request,
)
from common.faults import Fault, Faults, InputError
from common.resources import data_path
from releases.files.tomlfile import Part, read_model

__all__ = ["RequestFile", "read_request", "read_request_policy"]

Words = Annotated[str, Field(min_length=1, max_length=2000)]


class RequestPart(Part):
    """``[request]``: who asks, what for, and how far people must be told apart."""

    title: Words
    organisation: Words
    purpose: Words
    question: Words
    people: Words
    keep_months: Annotated[int, Field(ge=0, le=1200)]


class AreasPart(Part):
    """``[areas]``: the level of areas, and which areas if not all."""

    level: Words
    within: tuple[Words, ...] = ()


class DatesPart(Part):
    """``[dates]``: the first and the last day that is asked for."""

    first: dt.date
    last: dt.date


class FieldPart(Part):
    """``[[field]]``: one field, the form it is asked for in, and why."""

    name: Words
    form: str = ""
    why: str = ""


class RequestFile(Part):
    """The whole request."""

    request: RequestPart
    areas: AreasPart
    dates: DatesPart
    field: Annotated[tuple[FieldPart, ...], Field(min_length=1)]


class _LevelPart(Part):
    id: Words
    name: Words


class _RefusedPart(Part):
    level: Words
    codes_begin: Words
    reason: Words
    instead: Words


class _PublishedPart(Part):
    since: dt.date
    levels: tuple[Words, ...]
    most_crossed: Annotated[int, Field(ge=0)]
    fields: dict[str, str]


class _StepPart(Part):
    id: Words
    name: Words
    about: Words
    people: tuple[Words, ...]
    reads: Words
    links_by: tuple[Words, ...] = ()
    longest_months: int | None = None
    approvals: tuple[Words, ...] = ()
    agreements: tuple[Words, ...] = ()
    minimum: tuple[Words, ...] = ()
    safeguards: tuple[Words, ...] = ()


class _PartyPart(Part):
    id: Words
    name: Words
    steps: tuple[Words, ...]
    reads: str = ""


class _PolicyFile(Part):
    title: Words
    version: Words
    example: bool = False
    people: dict[str, str]
    level: Annotated[tuple[_LevelPart, ...], Field(min_length=1)]
    refused_area: tuple[_RefusedPart, ...] = ()
    published: _PublishedPart
    step: Annotated[tuple[_StepPart, ...], Field(min_length=1)]
    purpose: Annotated[tuple[_PartyPart, ...], Field(min_length=1)]
    organisation: Annotated[tuple[_PartyPart, ...], Field(min_length=1)]


def read_request(path: Path, policy: RequestPolicy, dictionary: Dictionary) -> Request:
    """Read a request and refuse what cannot be assessed.

    Raises
    ------
    InputError
        The file says what it may not, or asks for free text or for what policy and dictionary do not
        have; every fault is told.
    """
    plain = read_model(path, RequestFile, "a request")
    request = Request(
        title=plain.request.title,
        organisation=plain.request.organisation,
        purpose=plain.request.purpose,
        question=plain.request.question,
        people=plain.request.people,
        level=plain.areas.level,
        within=plain.areas.within,
        first_date=plain.dates.first,
        last_date=plain.dates.last,
        keep_months=plain.request.keep_months,
        fields=tuple(AskedField(name=one.name, form=one.form, why=one.why) for one in plain.field),
    )
    faults = Faults(str(path))
    check_request(request, policy, dictionary, faults)
    faults.raise_if_any()
    return request


def read_request_policy(path: Path | None = None) -> RequestPolicy:
    """Read a policy, by default the example that ships.

    Raises
    ------
    InputError
        The file says what it may not, or names steps, levels or people that it does not have.
    """
    path = path or data_path("requests.toml")
    plain = read_model(path, _PolicyFile, "a policy for requests")
    try:
        return RequestPolicy(
            title=plain.title,
            version=plain.version,
            example=plain.example,
            people=plain.people,
            levels=tuple(Level(**one.model_dump()) for one in plain.level),
            refused_areas=tuple(RefusedArea(**one.model_dump()) for one in plain.refused_area),
            published=Published(**plain.published.model_dump()),
            steps=tuple(Step(**one.model_dump()) for one in plain.step),
            purposes=tuple(Party(**one.model_dump()) for one in plain.purpose),
            organisations=tuple(Party(**one.model_dump()) for one in plain.organisation),
        )
    except ValueError as error:
        lost = [Fault(kind="policy", file=str(path), found=one, mend="add it or correct the name") for one in
                str(error).split("; ")]  # fmt: skip
        raise InputError(lost) from None
