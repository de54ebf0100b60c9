"""Where a release stands in its series, and what of the release before is kept."""

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common.faults import Faults
from releases.files.releasefolder import review_folder
from releases.publish.before import PreviousTable, read_previous
from releases.publish.manifest import read_manifest
from releases.publish.spec import Release

__all__ = ["Place", "place_in_series"]


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a release stands.

    Attributes
    ----------
    id : the release's own id; a revision's ends in ``-r1``, ``-r2`` and so on.
    previous : id of the release before, blank for the first.
    revises : whether that is of the same reference date.
    tables : its tables, where values are kept; empty where they are not.
    editions : folders of the releases of the same reference date that this one revises, the latest first.
    notices : what the reviewer must know.
    """

    id: str
    previous: str
    revises: bool
    tables: tuple[PreviousTable, ...]
    notices: tuple[str, ...]
    editions: tuple[Path, ...] = ()


def place_in_series(release: Release, out: Path, file: str) -> Place:
    """Check the release before, that none was passed over, and read what is to be kept of it.

    Raises
    ------
    InputError
        The release before is no release, is of another series, is of a later date, or is not
        named although one stands beside `out`; or its review pack, which values are kept by, is missing or not its own;
        or it revises a release that cannot be found.
    """
    faults = Faults(file)
    if release.series.previous is None:
        _refuse_neighbours(release, out, faults)
        return Place(id=release.id, previous="", revises=False, tables=(), notices=())
    before = read_manifest(release.series.previous)
    if before is None:
        faults.add(
            "series",
            f"the release before, {release.series.previous.name}, is no release folder",
            "name the folder that publish wrote",
            key="series.previous",
        )
        faults.raise_if_any()
        raise AssertionError("unreachable")
    _refuse_stranger(release, before, faults)
    revises = dt.date.fromisoformat(before["reference_date"]) == release.release.reference_date
    tables, notices = _kept(release, release.series.previous, before, file)
    return Place(
        id=_revision(release.id, str(before["id"])) if revises else release.id,
        previous=str(before["id"]),
        revises=revises,
        editions=_editions(release, release.series.previous, before, out, faults),
        tables=tables,
        notices=(*_revision_notices(release, before, revises), *notices),
    )


def _refuse_neighbours(release: Release, out: Path, faults: Faults) -> None:
    """A first release must have no other of its series beside it."""
    for neighbour in _neighbours(out, release.series.id):
        if neighbour[1] != release.release.reference_date:
            faults.add(
                "series",
                f"says first = true, but {neighbour[0].name} is a release of the series '{release.series.id}'",
                "name the release before as previous",
                key="series.first",
            )
    faults.raise_if_any()


def _refuse_stranger(release: Release, before: Mapping[str, Any], faults: Faults) -> None:
    """The release before must be of the series and of no later date."""
    if before["series"] != release.series.id:
        faults.add(
            "series",
            f"the release before is of the series '{before['series']}'",
            f"name one of '{release.series.id}'",
            key="series.previous",
        )
    if dt.date.fromisoformat(before["reference_date"]) > release.release.reference_date:
        faults.add(
            "series",
            f"the release before is of a later date, {before['reference_date']}",
            "name the one before",
            key="series.previous",
        )
    faults.raise_if_any()


def _kept(
    release: Release, folder: Path, before: Mapping[str, Any], file: str
) -> tuple[tuple[PreviousTable, ...], tuple[str, ...]]:
    """The tables whose values are kept, or none, and why."""
    rules = release.protection
    if rules.method != "controlled-rounding":
        return (), ()
    if not release.series.keep_values:
        return (), (_repeated_draws(before, rules.base, "keep_values is false"),)
    now = {"name": rules.method, "base": rules.base, "min_count": rules.min_count}
    then = before.get("method")
    if then != now:
        return (), (
            _repeated_draws(before, rules.base, "that release was protected by another method, base or min_count"),
        )
    review = release.series.previous_review or review_folder(folder)
    tables = read_previous(folder, review, before, file)
    told = (
        f"Counts that did not change since {before['id']} keep their values, where additivity and the bound allow. The "
        "review pack tells how many did not, and which; nothing of that may be told outside.",
    )
    return tables, told


def _editions(release: Release, folder: Path, before: Mapping[str, Any], out: Path, faults: Faults) -> tuple[Path, ...]:
    """The releases of this reference date, back to the first: what all of them show together is attacked.

    Those before the release before stand beside it or beside `out`, or are named in ``series.earlier``.
    """
    known: dict[str, tuple[Path, Mapping[str, Any]]] = {}
    for one in (*release.series.earlier, *_folders(folder), *_folders(out)):
        manifest = read_manifest(one)
        if manifest is not None and manifest["series"] == release.series.id:
            known.setdefault(str(manifest["id"]), (one, manifest))
    found: list[Path] = []
    while dt.date.fromisoformat(before["reference_date"]) == release.release.reference_date:
        found.append(folder)
        name = before.get("previous")
        if name is None or not re.fullmatch(re.escape(release.id) + r"(-r[0-9]+)?", str(name)):
            break
        if str(name) not in known:
            faults.add(
                "series",
                f"{before['id']} revises {name}, which is not beside it: what all of them show together is attacked",
                "put its folder beside, or name it in series.earlier",
                key="series.earlier",
            )
            faults.raise_if_any()
        folder, before = known[str(name)]
    return tuple(found)


def _revision(own: str, before: str) -> str:
    """The id of a revision: the next number after that of what it revises."""
    number = re.fullmatch(re.escape(own) + r"-r(\d+)", before)
    return f"{own}-r{int(number[1]) + 1 if number else 1}"


def _revision_notices(release: Release, before: Mapping[str, Any], revises: bool) -> tuple[str, ...]:
    if not revises or release.release.status != "provisional":
        return ()
    return (
        f"This release is of the same reference date as {before['id']} and revises it, but its status is provisional: "
        "readers are told of a revision by the status revised or final.",
    )


def _neighbours(out: Path, series: str) -> list[tuple[Path, dt.date]]:
    """Releases of the series in `out` and beside it."""
    found = []
    for folder in _folders(out):
        manifest = read_manifest(folder)
        if manifest is not None and manifest["series"] == series:
            found.append((folder, dt.date.fromisoformat(manifest["reference_date"])))
    return found


def _folders(beside: Path) -> list[Path]:
    """What stands in the folder that something lies in."""
    try:
        return sorted(beside.parent.iterdir())
    except OSError:  # no such folder yet, or none that may be read: then staging will tell
        return []


def _repeated_draws(before: Mapping[str, Any], base: int, why: str) -> str:
    """What an attacker learns where one count is drawn a second time: 1 - f**2 - (1 - f)**2 at its worst f."""
    share = (base // 2) / base
    seen = 1 - share**2 - (1 - share) ** 2
    return (
        f"This release keeps no values of {before['id']}, because {why}. A count that did not change, among neighbours "
        f"that did not, is drawn alike; where neighbours changed it may be drawn anew. A count of {base // 2} drawn anew in "
        f"each of two quarters shows both 0 and {base} with probability {seen:.2f}, which proves 1 to {base - 1}. Compare "
        "this release with the one before."
    )
