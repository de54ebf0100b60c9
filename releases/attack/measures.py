"""What published files count, and when: figures are of one measure where nothing said of them differs.

A measure is made up of the population, the measure, the reference date and the
edition that are said of a file.  What is not said of two files is the same; what
is said of one alone differs, and a notice tells so.  Of releases of ours in their
folders the manifest says date and edition.
"""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, product
from pathlib import Path

from common.faults import Faults
from releases.attack.known import Known, KnownFlow, KnownWithin
from releases.attack.said import Said
from releases.files.releasefolder import MANIFEST
from sdc.attack.joint import Flow, Within
from sdc.differencing.revisions import Revision

__all__ = ["Counting", "countings", "editions", "relations"]

FACTS = ("population", "measure", "date", "edition")


@dataclass(frozen=True, kw_only=True)
class Counting:
    """What a file counts; blank where nobody says."""

    population: str = ""
    measure: str = ""
    date: str = ""
    edition: str = ""

    @property
    def text(self) -> str:
        """The measure of `sdc.attack.pieces`: blank where nothing is said."""
        return ", ".join(f"{name} {getattr(self, name)}" for name in FACTS if getattr(self, name))

    def named(self, name: str) -> bool:
        """Whether it counts what is called so."""
        return name in (self.population, self.measure) and bool(name)


def countings(said: Sequence[Said]) -> tuple[list[Counting], tuple[str, ...]]:
    """What each file counts, and notices of facts that are said of some alone."""
    found = _with_releases(said, [_counting(one) for one in said])
    notices = []
    for fact in FACTS[1:]:
        # Of our own tables nothing is silent: they say of which flow they are, and the others are of the caseload.
        own_words = fact == "measure"
        silent = [
            one.path.name
            for one, own in zip(said, found, strict=True)
            if not getattr(own, fact) and not (own_words and one.told is not None)
        ]
        if silent and len(silent) < len(found):
            names = ", ".join(dict.fromkeys(silent))
            notices.append(f"{fact} is said of some files and not of {names}: these are taken to be of another {fact}")
    return found, tuple(notices)


def _with_releases(said: Sequence[Said], found: list[Counting]) -> list[Counting]:
    """Dates and editions of tables in release folders, as their manifests tell them, where the files have several."""
    facts = [_release_of(one) for one in said]
    own_dates = {own.date for own in found if own.date}
    told = {date for date, _ in facts if date} | own_dates
    names = {*facts, *((own.date, own.edition) for own in found if own.edition)}
    several = {date for date in told if sum(day == date for day, _ in names) > 1}
    out = []
    for own, (date, name) in zip(found, facts, strict=True):
        if date and not own.date and (len(told) > 1 or own_dates):
            own = replace(own, date=date)
        if date in several and not own.edition:
            own = replace(own, edition=name)
        out.append(own)
    return out


def _release_of(said: Said) -> tuple[str, str]:
    """Reference date and name of the release that a table stands in the folder of; blank for others."""
    if said.told is None or said.path.parent.name != "tables":
        return "", ""
    try:
        manifest = json.loads((said.path.parent.parent / MANIFEST).read_bytes())
        return str(manifest["reference_date"]), str(manifest["id"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return "", ""


def _counting(said: Said) -> Counting:
    known = said.known
    return Counting(
        population=known.population or (said.told.population if said.told else ""),
        measure=known.measure or (said.told.measure if said.told else ""),
        date=known.date or "",
        edition=known.edition or "",
    )


def editions(found: Sequence[Counting]) -> tuple[Revision, ...]:
    """Editions of the same figures and reference date, each after the one before it; in the order of their names."""
    revisions = []
    for own in dict.fromkeys(replace(one, edition="") for one in found):
        named = sorted({one.edition for one in found if replace(one, edition="") == own}, key=_counted_up)
        revisions += [
            Revision(before=replace(own, edition=first).text, after=replace(own, edition=second).text)
            for first, second in pairwise(named)
        ]
    return tuple(revisions)


def _counted_up(name: str) -> list[str | int]:
    """Names in the order of the numbers in them: r2 before r10."""
    return [int(part) if part.isdecimal() else part for part in re.split(r"([0-9]+)", name)]


def relations(
    known: Known, said: Sequence[Said], found: Sequence[Counting], faults: Faults
) -> tuple[tuple[Within, ...], tuple[Flow, ...], tuple[str, ...]]:
    """What ``[[within]]`` and ``[[flow]]`` say, in measures, and notices.

    Tables of our own that count claims beside people of the same release are related
    without being told.  A fault is noted for a name that no file, or more than one, goes by.
    """
    within: list[Within] = []
    for number, one in enumerate(known.within, start=1):
        within += _within(number, one, said, found, faults)
    notices = []
    own = _own_within(said, found)
    if own and not known.within:
        within += own
        notices.append(
            "each benefit's claims are taken to be at most the people, and these at most all claims: our own files"
        )
    flows = [_flow(number, one, known.folder, said, found, faults) for number, one in enumerate(known.flow, start=1)]
    return tuple(dict.fromkeys(within)), tuple(flow for flow in flows if flow is not None), tuple(notices)


def _within(
    number: int, one: KnownWithin, said: Sequence[Said], found: Sequence[Counting], faults: Faults
) -> list[Within]:
    """The relation for every date and edition of which there are both."""
    key = f"within.{number}"
    for name in ("parts", "whole"):
        if not any(own.named(getattr(one, name)) for own in found):
            mend = "give the population or measure of a file"
            faults.add("relation", f"'{getattr(one, name)}' is counted by no file", mend, key=f"{key}.{name}")
    by_it = [own for file, own in zip(said, found, strict=True) if own.named(one.parts) and one.by in file.by]
    if not by_it and any(own.named(one.parts) for own in found):
        faults.add(
            "relation", f"no file of '{one.parts}' is by '{one.by}'", "name one of its dimensions", key=f"{key}.by"
        )
    return [
        Within(parts=parts.text, whole=whole.text, by=one.by)
        for parts, whole in product(dict.fromkeys(by_it), dict.fromkeys(found))
        if whole.named(one.whole) and _alike(parts, whole, one)
    ]


def _alike(parts: Counting, whole: Counting, one: KnownWithin) -> bool:
    """Whether all but the names of the relation is the same."""

    def bare(own: Counting, name: str) -> Counting:
        blank = {fact: "" for fact in ("population", "measure") if getattr(own, fact) == name}
        return replace(own, **blank)

    return bare(parts, one.parts) == bare(whole, one.whole) and parts != whole


def _own_within(said: Sequence[Said], found: Sequence[Counting]) -> list[Within]:
    """Claims and people of one release folder, as their metadata tell them."""
    ours = [
        (file.path.parent, own)
        for file, own in zip(said, found, strict=True)
        if file.told is not None and file.told.population in ("claims", "people") and not file.told.measure
    ]
    by_benefit = {
        (file.path.parent, own)
        for file, own in zip(said, found, strict=True)
        if file.told is not None and file.told.population == "claims" and "benefit" in file.by and not file.told.measure
    }
    return [
        Within(parts=parts.text, whole=whole.text, by="benefit")
        for (folder, parts), (other, whole) in product(sorted(by_benefit, key=str), ours)
        if folder == other and whole.population == "people" and replace(whole, population="claims") == parts
    ]


def _flow(
    number: int, one: KnownFlow, folder: Path, said: Sequence[Said], found: Sequence[Counting], faults: Faults
) -> Flow | None:
    measures = {}
    for name in ("before", "after", "on", "off"):
        text = getattr(one, name)
        fitting = _called(text, folder, said, found)
        if len(fitting) != 1:
            what = "no file" if not fitting else f"files of {len(fitting)} dates, editions or measures"
            mend = "give the path of a file, as it is named"
            faults.add("relation", f"'{text}' is {what}", mend, key=f"flow.{number}.{name}")
        else:
            measures[name] = next(iter(fitting)).text
    if len(measures) < 4:
        return None
    if len(set(measures.values())) < 4:
        mend = "say what tells them apart: measure and date in their [[file]]"
        faults.add("relation", "two of the four count the same thing on the same date", mend, key=f"flow.{number}")
        return None
    return Flow(**measures)


def _called(text: str, folder: Path, said: Sequence[Said], found: Sequence[Counting]) -> dict[Counting, None]:
    """What the files count that a text names: a path, else a population or measure."""
    path = (folder / text).resolve() if "\0" not in text else Path()
    tests: tuple[Callable[[Said, Counting], bool], ...] = (
        lambda file, own: file.path.resolve() == path,
        lambda file, own: own.named(text),
    )
    for test in tests:
        fitting = dict.fromkeys(own for file, own in zip(said, found, strict=True) if test(file, own))
        if fitting:
            return fitting
    return {}
