"""Profiles: named sets of rules, each with its sources and the promise that it can keep.

A profile is data.  What it claims is checked against its own rules when it is
made: it cannot promise more than `sdc.promises.strongest_promise` finds that its
way of showing counts can keep.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace

from common.faults import Fault, Infeasible, InputError
from sdc.presentation import Band, check_bands
from sdc.promises import PROMISES, strongest_promise
from sdc.rules.settings import ROUNDINGS, Settings

__all__ = ["ORIGINS", "Fact", "Profile", "Source", "differences", "lock_of", "settle"]

ORIGINS = ("source", "ours", "unchecked")


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where a profile's facts stand: title, publisher and date, such as ``2018`` or ``October 2025``."""

    title: str
    publisher: str
    date: str


@dataclass(frozen=True, kw_only=True)
class Fact:
    """One thing that a source says; `source` counts the profile's sources from 1.

    `checked` says that somebody has read it there; what is not checked is never
    told as a fact.
    """

    text: str
    source: int
    checked: bool


@dataclass(frozen=True, kw_only=True)
class Profile:
    """A named set of rules.

    Attributes
    ----------
    name, version : what it is asked for by; the version rises with every change.
    title, body : what it is for, and whose rules they are.
    promise : what it claims to keep, one of `PROMISES`.
    locked : whether its method, base and min_count may not be overridden.
    settings : the rules.
    origins : (setting, one of `ORIGINS`) for every setting that it makes: from a
        source, our own choice, or told by others and not checked.
    bands : how counts are shown, where that is a rule of its own; else empty.
    sources, facts : what the rules rest on.
    caveats : what a statistician must know before using it.

    Raises
    ------
    ValueError
        It promises more than its rules can keep; its bands leave counts out; an
        origin or a fact's source is unknown; percentages from true counts stand
        without a caveat.
    """

    name: str
    version: int
    title: str
    body: str
    promise: str
    settings: Settings
    origins: tuple[tuple[str, str], ...] = ()
    bands: tuple[Band, ...] = ()
    sources: tuple[Source, ...] = ()
    facts: tuple[Fact, ...] = ()
    caveats: tuple[str, ...] = ()
    locked: bool = False

    def __post_init__(self) -> None:
        if self.version < 1:
            raise ValueError(f"version ({self.version}) must be at least 1")
        if self.promise not in PROMISES:
            raise ValueError(f"promise ({self.promise}) must be one of {', '.join(PROMISES)}")
        if self.bands:
            check_bands(self.bands)
        names = set(asdict(self.settings))
        for setting, origin in self.origins:
            if setting not in names or origin not in ORIGINS:
                raise ValueError(f"origin ({origin}) of {setting} must be one of {', '.join(ORIGINS)}, of a setting")
        if any(not 1 <= fact.source <= len(self.sources) for fact in self.facts):
            raise ValueError("every fact must name one of the profile's sources")
        if self.settings.percentages == "true" and not self.caveats:
            raise ValueError("percentages from true counts give counts away: a caveat must say so")
        self._check_promise()

    @property
    def fixed(self) -> bool:
        """Whether its method, base and min_count may not be overridden: where it is locked, or its bands hang on them."""
        return self.locked or bool(self.bands)

    def _check_promise(self) -> None:
        kept = strongest_promise(self.settings, self.bands)
        if kept is None or PROMISES.index(self.promise) < PROMISES.index(kept):
            can = f"at most {kept}" if kept else "none: a figure by itself gives a small count away"
            raise ValueError(f"promise ({self.promise}) must be one that the rules keep, {can}")


def settle(
    profile: Profile,
    *,
    promise: str | None = None,
    method: str | None = None,
    base: int | None = None,
    min_count: int | None = None,
) -> Settings:
    """The settings to work by: the profile's, with what was asked besides.

    `promise` is what is asked to be kept, the profile's own by default.

    Raises
    ------
    InputError
        The profile is fixed and an override differs from it, or the settings do not go together.
    Infeasible
        The full promise is asked of a rounding whose base is below min_count.
    """
    asked = {"method": method, "base": base, "min_count": min_count}
    given = {name: value for name, value in asked.items() if value is not None}
    _refuse_locked(profile, given)
    try:
        settings = replace(profile.settings, **given)  # type: ignore[arg-type]
    except ValueError as error:
        fault = Fault(kind="option", found=str(error), mend=f"leave what profile {profile.name} sets", key="--profile")
        raise InputError([fault]) from None
    full = (promise or profile.promise) == "full"
    if full and settings.method in ROUNDINGS and settings.base < settings.min_count:
        raise Infeasible(
            f"profile {profile.name}: base {settings.base} is below min_count {settings.min_count}, and no rounding to "
            f"{settings.base} keeps the full promise for counts of 1 to {settings.min_count - 1}; raise base, lower "
            "min_count, or allow less than the full promise by an exception",
            demands=(f"base = {settings.base}", f"min_count = {settings.min_count}"),
        )
    return settings


def _refuse_locked(profile: Profile, given: dict[str, str | int]) -> None:
    own = asdict(profile.settings)
    faults = [
        Fault(
            kind="option",
            found=f"profile {profile.name} fixes {name} at {own[name]}",
            mend=f"leave {name} out, or name another profile",
            key=f"--{name.replace('_', '-')}",
        )
        for name, value in given.items()
        if profile.fixed and value != own[name]
    ]
    if faults:
        raise InputError(faults)


# --- Locks and differences ------------------------------------------------------------------------


def lock_of(profile: Profile) -> str:
    """SHA-256 of all that a profile says, as 64 hexadecimal digits: nothing of it is secret.

    What it leaves unsaid is left out, so that a new kind of setting changes no lock.
    """
    plain = asdict(profile)
    plain["settings"] = {name: value for name, value in plain["settings"].items() if value is not None}
    text = json.dumps(plain, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def differences(first: Profile, second: Profile) -> tuple[tuple[str, str, str], ...]:
    """What two profiles say differently: (what, the first's, the second's) in words, blank for nothing said.

    Facts, sources and caveats that both have are left out, whatever their order.
    """
    ours, theirs = dict(_told(first)), dict(_told(second))
    names = dict.fromkeys([*ours, *theirs])
    return tuple(
        (name, ours.get(name, ""), theirs.get(name, "")) for name in names if ours.get(name) != theirs.get(name)
    )


def _told(profile: Profile) -> Iterator[tuple[str, str]]:
    """Everything a profile says as (what, value); what it says in lists stands as a name of its own."""
    for name in ("version", "title", "body", "promise", "locked"):
        yield name, str(getattr(profile, name))
    origins = dict(profile.origins)
    for name, value in asdict(profile.settings).items():
        if value is not None:
            yield name, f"{value} ({origins[name]})" if name in origins else str(value)
    for band in profile.bands:
        ways = {name: value for name, value in asdict(band).items() if name != "least"}
        yield f"shown from {band.least}", ", ".join(f"{name} {value}" for name, value in ways.items() if value)
    for number, source in enumerate(profile.sources, 1):
        yield f"source: {source.title}, {source.publisher}, {source.date}", "yes"
        for fact in profile.facts:
            if fact.source == number:
                yield f"{'fact' if fact.checked else 'said, but not checked'}: {fact.text}", "yes"
    for caveat in profile.caveats:
        yield f"caveat: {caveat}", "yes"
