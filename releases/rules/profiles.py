"""The profiles that ship with smallarea, and profiles of one's own: read, listed, explained, compared.

A profile is a TOML file; what it may say stands in docs/explanation/profiles.md.
Those shipped lie in `data/profiles`, each with its lock, the hash of all it
says, in `locks.toml`: a changed profile needs a new version.
"""

import difflib
import tomllib
from dataclasses import asdict
from pathlib import Path
from textwrap import wrap
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import Field, StrictInt, StrictStr

from common.faults import Fault, Faults, InputError
from common.resources import data_path
from releases.files.tomlfile import Part, read_toml, validated
from sdc.presentation import Band, told_bands
from sdc.profiles import Fact, Profile, Source, differences, lock_of
from sdc.promises import PROMISE_SENTENCES
from sdc.rules.settings import Settings

__all__ = [
    "difference_lines",
    "explanation_lines",
    "find_profile",
    "list_lines",
    "profile_as_dict",
    "profile_names",
    "read_profile",
    "shipped_locks",
]

FOLDER, LOCKS, ENDING = "profiles", "locks.toml", ".toml"
WIDTH = 100
ORIGIN_WORDS = {"source": "from the source", "ours": "our choice", "unchecked": "not checked against the source"}
Words = Annotated[str, Field(min_length=1)]
Value = TypeVar("Value")


class _SourceSpec(Part):
    title: Words
    publisher: Words
    date: Words


class _FactSpec(Part):
    text: Words
    source: Annotated[int, Field(ge=1)]
    checked: bool


class _BandSpec(Part):
    least: int
    mark: str = ""
    number: int | None = None
    nearest: int = 1
    ties: Literal["up", "even"] = "up"
    significant: int | None = None


class _Setting(Part, Generic[Value]):
    """One setting: its value, and whether a source says so, we chose it, or it was told and not checked."""

    value: Value
    origin: Annotated[Literal["source", "ours", "unchecked"], Field(alias="from")]


class _SettingsSpec(Part):
    """``[settings]``: the fields of `sdc.rules.settings.Settings`, each with its origin."""

    method: _Setting[StrictStr]
    base: _Setting[StrictInt]
    min_count: _Setting[StrictInt]
    zeros: _Setting[StrictStr] | None = None
    k: _Setting[StrictInt] | None = None
    upper_bound: _Setting[StrictInt] | None = None
    least_mean: _Setting[float] | None = None
    most_ones: _Setting[float] | None = None
    fewest_populated: _Setting[StrictInt] | None = None
    fewest_residents: _Setting[StrictInt] | None = None
    fewest_households: _Setting[StrictInt] | None = None
    fewest_for_percentage: _Setting[float] | None = None
    fewest_for_mean: _Setting[StrictInt] | None = None
    percentages: _Setting[StrictStr] | None = None
    percentage_decimals: _Setting[StrictInt] | None = None
    max_noise: _Setting[StrictInt] | None = None
    variance: _Setting[float] | None = None
    never_shown: _Setting[StrictInt] | None = None
    stay: _Setting[float] | None = None


class _ProfileSpec(Part):
    """A profile file."""

    version: Annotated[int, Field(ge=1)]
    title: Words
    body: Words
    promise: Literal["full", "intervals-only", "shows-small"]
    locked: bool = False
    caveats: tuple[Words, ...] = ()
    settings: _SettingsSpec
    show: tuple[_BandSpec, ...] = ()
    source: Annotated[tuple[_SourceSpec, ...], Field(min_length=1)]
    fact: tuple[_FactSpec, ...] = ()


# --- Reading --------------------------------------------------------------------------------------


def profile_names() -> tuple[str, ...]:
    """Names of the profiles that ship with smallarea, sorted."""
    folder = data_path(FOLDER)
    return tuple(sorted(file.stem for file in folder.glob(f"*{ENDING}") if file.name != LOCKS))


def shipped_locks() -> dict[str, str]:
    """Locks by ``name@version``, of every version that was ever shipped."""
    return dict(tomllib.loads((data_path(FOLDER) / LOCKS).read_text(encoding="utf-8")))


def find_profile(wanted: str) -> Profile:
    """The profile that a user names: ``gss-5``, ``gss-5@1`` for that version alone, or the path of a profile file.

    Raises
    ------
    InputError
        There is no such profile or file, the version asked for is not the one here,
        the file is wrong, or a shipped profile is not what its lock says.
    """
    if wanted.endswith(ENDING):
        return read_profile(Path(wanted))
    name, at, version = wanted.partition("@")
    if name not in profile_names():
        near = difflib.get_close_matches(name, profile_names(), n=1)
        mend = f"did you mean {near[0]}? " if near else ""
        mend += f"use one of {', '.join(profile_names())}, or give a file that ends in {ENDING}"
        raise _fault(f"'{wanted}' is no profile", mend)
    profile = read_profile(data_path(FOLDER) / f"{name}{ENDING}")
    if at and version != str(profile.version):
        mend = f"smallarea profiles {name} shows version {profile.version}, which is here; name that one"
        raise _fault(f"version '{version}' of profile {name} is not here", mend)
    if shipped_locks().get(f"{name}@{profile.version}") != lock_of(profile):
        raise _fault(f"profile {name} is not what its lock says", "install smallarea again")
    return profile


def read_profile(path: Path) -> Profile:
    """A profile from its file, named as the file.

    Raises
    ------
    InputError
        The file is missing, is no TOML in UTF-8, or says what it may not; every fault is told.
    """
    faults = Faults(path.name)
    spec = validated(read_toml(path, "a profile file", faults), _ProfileSpec, faults)
    try:
        return _built(path.stem, spec)
    except ValueError as error:
        faults.add("profile", str(error), "correct the profile")
    raise InputError(faults.found)


def _built(name: str, spec: _ProfileSpec) -> Profile:
    said = {key: setting for key, setting in spec.settings if setting is not None}
    return Profile(
        name=name,
        version=spec.version,
        title=spec.title,
        body=spec.body,
        promise=spec.promise,
        locked=spec.locked,
        settings=Settings(**{key: setting.value for key, setting in said.items()}),
        origins=tuple((key, setting.origin) for key, setting in said.items()),
        bands=tuple(Band(**band.model_dump()) for band in spec.show),
        sources=tuple(Source(**source.model_dump()) for source in spec.source),
        facts=tuple(Fact(**fact.model_dump()) for fact in spec.fact),
        caveats=spec.caveats,
    )


def _fault(found: str, mend: str) -> InputError:
    return InputError([Fault(kind="profile", key="--profile", found=found, mend=mend)])


# --- Telling --------------------------------------------------------------------------------------


def list_lines() -> tuple[str, ...]:
    """One line for each shipped profile: its name, the promise it can keep, and what it is for."""
    profiles = [find_profile(name) for name in profile_names()]
    widest = max(len(profile.name) for profile in profiles)
    return tuple(
        f"{profile.name:<{widest}}  {profile.promise:<14}  {profile.title} ({profile.body})" for profile in profiles
    )


def explanation_lines(profile: Profile) -> tuple[str, ...]:
    """What a profile sets, what it can promise, and what it rests on, for a terminal.

    What nobody has checked against its source stands apart, and is not told as a fact.
    """
    lines = [f"{profile.name}, version {profile.version}: {profile.title} ({profile.body})"]
    lines += wrap(f"Can promise: {profile.promise}. That is: {PROMISE_SENTENCES[profile.promise]}.", WIDTH)
    lines += _section("Caveats", profile.caveats)
    origins = dict(profile.origins)
    settings = asdict(profile.settings)
    lines += _section("Settings", [f"{name} = {settings[name]} ({ORIGIN_WORDS[origins[name]]})" for name in origins])
    lines += _section("Counts are shown", [f"{counts}: {way}" for counts, way in told_bands(profile.bands)])
    checked = [f"{fact.text} [{fact.source}]" for fact in profile.facts if fact.checked]
    unchecked = [f"{fact.text} [{fact.source}]" for fact in profile.facts if not fact.checked]
    lines += _section("The sources say", checked)
    lines += _section("Said of the sources, but not checked there; not to be quoted", unchecked)
    sources = [
        f"[{number}] {source.title}. {source.publisher}, {source.date}"
        for number, source in enumerate(profile.sources, 1)
    ]
    lines += _section("Sources", sources)
    fixed = "may not be overridden" if profile.fixed else "may be overridden"
    lines += _section("Lock", [f"{profile.name}@{profile.version} {lock_of(profile)}; method, base, min_count {fixed}"])
    return tuple(lines)


def difference_lines(first: Profile, second: Profile) -> tuple[str, ...]:
    """What two profiles say differently, a line each."""
    found = differences(first, second)
    if not found:
        return (f"{first.name} and {second.name} say the same.",)
    lines = [f"{first.name}@{first.version} against {second.name}@{second.version}"]
    return (*lines, *(f"  {what}: {one or 'nothing'} | {other or 'nothing'}" for what, one, other in found))


def profile_as_dict(profile: Profile) -> dict[str, Any]:
    """A profile as plain data for ``--json``, with its lock and the meaning of its promise."""
    plain = asdict(profile)
    plain["origins"] = dict(profile.origins)
    plain["settings"] = {name: value for name, value in plain["settings"].items() if value is not None}
    plain["promise_means"] = PROMISE_SENTENCES[profile.promise]
    plain["shown"] = [{"counts": counts, "as": way} for counts, way in told_bands(profile.bands)]
    return {**plain, "lock": lock_of(profile)}


def _section(title: str, entries: list[str] | tuple[str, ...]) -> list[str]:
    lines = [f"{title}:"] if entries else []
    for entry in entries:
        lines += wrap(entry, WIDTH, initial_indent="  ", subsequent_indent="    ")
    return lines
