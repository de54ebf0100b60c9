"""What to do about a release that its attack refuses: mends of its tables, each attacked as the release was."""

from collections.abc import Mapping
from dataclasses import replace

from common.progress import SILENT, Progress
from releases.judging import attack_release
from releases.protection import Protected
from releases.recodings import Recoding
from releases.spec import Release
from sdc.findings import Audit
from sdc.mends.sheet import Published
from sdc.mends.trying import Mend, try_mends
from sdc.tables import Table

__all__ = ["mends_of_release"]

# Most attacks on the release for one kind of mend.
MOST_ATTACKS = 8


def mends_of_release(
    release: Release,
    protected: Protected,
    true: Mapping[str, Table],
    recoding: Recoding | None,
    file: str,
    audit: Audit,
    *,
    revises: bool,
    most_attacks: int = MOST_ATTACKS,
    progress: Progress = SILENT,
) -> tuple[Mend, ...]:
    """Try mends of a release's tables for what `audit` found; the other parameters are those of `attack_release`."""

    def attack(tables: Published) -> Audit:
        assert isinstance(tables, Mapping)
        changed = replace(
            protected,
            safe=dict(tables),
            earlier={name: one for name, one in protected.earlier.items() if name in tables},
        )
        kept = {name: table for name, table in true.items() if name in tables}
        return attack_release(_left(release, changed), changed, kept, _nested(recoding, tables), file, revises=revises)

    return try_mends(
        protected.safe,
        audit,
        attack=attack,
        min_count=release.protection.min_count,
        truth=true,
        measures={table.id: release.counts(table) for table in release.table},
        most_attacks=most_attacks,
        progress=progress,
    )


def _left(release: Release, protected: Protected) -> Release:
    """The release of the tables that are left, by their method where they have one in common."""
    rules = release.protection
    methods = {safe.method.name for safe in protected.safe.values()}
    if len(methods) == 1:
        rules = rules.model_copy(update={"method": methods.pop()})
    tables = tuple(table for table in release.table if table.id in protected.safe)
    return release.model_copy(update={"table": tables, "protection": rules})


def _nested(recoding: Recoding | None, tables: Mapping[str, object]) -> Recoding | None:
    """The lists of bands that are left, where there are two or more."""
    if recoding is None:
        return None
    bands = {id_: one for id_, one in recoding.bands.items() if id_ in tables}
    return replace(recoding, bands=bands) if len(bands) > 1 else None
