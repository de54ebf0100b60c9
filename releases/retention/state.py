"""``retention.json``: what `smallarea retention` remembers of a folder, private like the data it lies beside.

It holds which files were anonymised, which removal requests came and what became of them, and what was
done.  A person's reference stands in it only while their request is parked.  Entries go when
the policy's time for the log is over.
"""

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from claimants.retention import RetentionPolicy, log_is_over
from common.faults import Fault, InputError
from releases.retention.holdings import RemovalRequest

__all__ = ["Done", "Logged", "State", "read_state", "state_as_bytes"]

FORMAT = "smallarea retention 1"
WARNING = "Private: what became of records and of requests to remove them."
PARKED = "parked"


@dataclass(frozen=True, kw_only=True)
class Logged:
    """A removal request and what became of it; `person` blank and `closed` set once it is not parked any more."""

    id: str
    received: dt.date
    asked_by: str
    what: str
    approved_by: str
    approved: dt.date
    outcome: str
    reason: str
    person: str = ""
    closed: dt.date | None = None

    @classmethod
    def of(cls, request: RemovalRequest) -> "Logged":
        """A request as it comes in."""
        plain = request.model_dump()
        return cls(**(plain | {"person": request.person.strip()}), outcome=PARKED, reason="")

    def settled(self, outcome: str, reason: str, day: dt.date) -> "Logged":
        """The request after a run: parked on, or closed without the person's reference."""
        if outcome == PARKED:
            return replace(self, outcome=outcome, reason=reason)
        return replace(self, outcome=outcome, reason=reason, person="", closed=day)


@dataclass(frozen=True, kw_only=True)
class Done:
    """Something that was done to a file; `records` is how many went, None where all did."""

    date: dt.date
    file: str
    action: str
    rule: str
    records: int | None = None


@dataclass(frozen=True, kw_only=True)
class State:
    """All that is remembered; `anonymised` is file → sha256 of what was written."""

    anonymised: Mapping[str, str] = field(default_factory=dict)
    requests: tuple[Logged, ...] = ()
    done: tuple[Done, ...] = ()

    def parked(self) -> tuple[Logged, ...]:
        """Requests that wait."""
        return tuple(one for one in self.requests if one.outcome == PARKED)

    def without_old(self, policy: RetentionPolicy, day: dt.date) -> "State":
        """Without what the policy no longer lets the log keep."""
        return replace(
            self,
            requests=tuple(o for o in self.requests if o.closed is None or not log_is_over(o.closed, policy, day)),
            done=tuple(one for one in self.done if not log_is_over(one.date, policy, day)),
        )


def read_state(content: bytes | None, where: str) -> State:
    """The state from the file's content; an empty one where there is none (raises InputError where it is damaged)."""
    if content is None:
        return State()
    try:
        plain = json.loads(content)
        if plain["format"] != FORMAT:
            raise ValueError
        return State(
            anonymised=dict(plain["anonymised"]),
            requests=tuple(_logged(one) for one in plain["requests"]),
            done=tuple(Done(**(one | {"date": dt.date.fromisoformat(one["date"])})) for one in plain["done"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        found = "is damaged, or was written by something else"
        mend = "put back the file of the last run: it holds the requests that wait"
        raise InputError([Fault(kind="state", file=where, found=found, mend=mend)]) from None


def _logged(one: Mapping[str, Any]) -> Logged:
    days = {name: dt.date.fromisoformat(one[name]) for name in ("received", "approved")}
    closed = None if one["closed"] is None else dt.date.fromisoformat(one["closed"])
    return Logged(**({**one} | days | {"closed": closed}))


def state_as_bytes(state: State) -> bytes:
    """The state as the file's content."""
    plain = {
        "private": True,
        "warning": WARNING,
        "format": FORMAT,
        "anonymised": dict(state.anonymised),
        "requests": [_plain(one) for one in state.requests],
        "done": [_plain(one) for one in state.done],
    }
    return (json.dumps(plain, ensure_ascii=False, indent=1) + "\n").encode()


def _plain(one: Logged | Done) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, dt.date) else value for name, value in vars(one).items()}
