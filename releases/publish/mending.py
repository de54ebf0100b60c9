"""What to do about a release that its attack refuses: mends of its tables, each attacked as the release was."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

from common.progress import SILENT, Progress
from releases.attack.pieces import Read
from releases.publish.judging import attack_tables, release_targets
from releases.publish.protection import Protected
from releases.publish.recodings import Recoding
from releases.publish.series import Place
from releases.publish.spec import Release
from sdc.findings import Audit
from sdc.mends.sheet import Published
from sdc.mends.trying import Mend, try_mends
from sdc.tables import Table

__all__ = ["mends_of_release"]

# Most attacks on the release for one kind of mend.
MOST_ATTACKS = 8


def mends_of_release(
    release: Release,
    read: Read,
    protected: Protected,
    true: Mapping[str, Table],
    recoding: Recoding | None,
    place: Place,
    audit: Audit,
    *,
    most_attacks: int = MOST_ATTACKS,
    progress: Progress = SILENT,
) -> tuple[Mend, ...]:
    """Try mends of a release's tables for what `audit` found; the other parameters are those of `attack_release`."""
    targets = release_targets(release, read, protected.safe, true, place)

    def attack(tables: Published, verdict: bool = False) -> Audit:
        assert isinstance(tables, Sequence)
        names = {one.piece.name for one in tables}  # type: ignore[union-attr]
        return attack_tables(release, read, tables, _nested(recoding, names), verdict=verdict)  # type: ignore[arg-type]

    return try_mends(
        targets,
        audit,
        attack=attack,
        verdict=partial(attack, verdict=True),
        min_count=release.protection.min_count,
        fixed=[one.piece.name for one in targets if one.public],
        most_attacks=most_attacks,
        progress=progress,
    )


def _nested(recoding: Recoding | None, tables: set[str]) -> Recoding | None:
    """The lists of bands that are left, where there are two or more."""
    if recoding is None:
        return None
    bands = {id_: one for id_, one in recoding.bands.items() if id_ in tables}
    return replace(recoding, bands=bands) if len(bands) > 1 else None
