"""Where a release stands in its series, and what repeated draws give away."""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

from common.faults import Faults
from releases.manifest import read_manifest
from releases.spec import Release

__all__ = ["Place", "place_in_series"]


@dataclass(frozen=True, kw_only=True)
class Place:
    """The id of the release before, blank for the first, and what the reviewer must know."""

    previous: str
    notices: tuple[str, ...]


def place_in_series(release: Release, out: Path, file: str) -> Place:
    """Check the release before, and that none was passed over.

    Raises
    ------
    InputError
        The release before is no release, is of another series, is of the same
        or a later date, or is not named although one stands beside `out`.
    """
    faults = Faults(file)
    series, date = release.series.id, release.release.reference_date
    if release.series.previous is None:
        for neighbour in _neighbours(out, series):
            if neighbour[1] != date:
                faults.add(
                    "series",
                    f"says first = true, but {neighbour[0].name} is a release of the series '{series}'",
                    "name the release before as previous",
                    key="series.first",
                )
        faults.raise_if_any()
        return Place(previous="", notices=())
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
    if before["series"] != series:
        faults.add(
            "series",
            f"the release before is of the series '{before['series']}'",
            f"name one of '{series}'",
            key="series.previous",
        )
    earlier = dt.date.fromisoformat(before["reference_date"])
    if earlier == date:
        faults.add(
            "series",
            f"the release before is of the same reference date, {date.isoformat()}; a revision has to be drawn together with "
            "what it revises, which is not honoured yet",
            "wait for a version that revises, or release a later date",
            key="series.previous",
        )
    elif earlier > date:
        faults.add(
            "series",
            f"the release before is of a later date, {earlier.isoformat()}",
            "name the one before",
            key="series.previous",
        )
    faults.raise_if_any()
    return Place(previous=str(before["id"]), notices=(_repeated_draws(before, release.protection.base),))


def _neighbours(out: Path, series: str) -> list[tuple[Path, dt.date]]:
    """Releases of the series in `out` and beside it."""
    found = []
    try:
        folders = sorted(out.parent.iterdir())
    except OSError:  # no such folder yet, or none that may be read: then staging will tell
        folders = []
    for folder in folders:
        manifest = read_manifest(folder)
        if manifest is not None and manifest["series"] == series:
            found.append((folder, dt.date.fromisoformat(manifest["reference_date"])))
    return found


def _repeated_draws(before: dict[str, object], base: int) -> str:
    """What an attacker learns where one count is drawn a second time: 1 - f**2 - (1 - f)**2 at its worst f."""
    share = (base // 2) / base
    seen = 1 - share**2 - (1 - share) ** 2
    return (
        f"This release is drawn by its own keyed draws after {before['id']}. A count that did not change, among neighbours "
        f"that did not, is drawn alike; where neighbours changed it may be drawn anew. A count of {base // 2} drawn anew in "
        f"each of two quarters shows both 0 and {base} with probability {seen:.2f}, which proves 1 to {base - 1}. Kept values "
        "are not built yet: compare this release with the one before."
    )
