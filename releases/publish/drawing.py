"""The draw of all tables of a release: those of the caseload together, those of each flow together."""

from collections.abc import Mapping
from dataclasses import replace

from common.keys import sub_key
from common.progress import SILENT, Progress
from releases.publish.finest import finest_levels, from_levels, protected_from
from releases.publish.flowtables import tables_of
from releases.publish.protection import Protected, protect_tables
from releases.publish.recodings import Recoding
from releases.publish.spec import CASELOAD, Release
from sdc.rounding.kept import Earlier
from sdc.tables import Table

__all__ = ["draw_tables", "protect_tables"]


def draw_tables(
    release: Release,
    true: Mapping[str, Table],
    *,
    counted: Mapping[str, str],
    recoding: Recoding | None,
    key: bytes,
    earlier: Mapping[str, Earlier],
    progress: Progress = SILENT,
) -> Protected:
    """Protect all tables, each for the areas that it is published for.

    `counted` says what each counts, see `releases.publish.protection.protect_tables` for the rest.  Flows are other
    figures than the caseload of the same areas, and are drawn under keys of their own; and from the smallest areas
    up that any table of theirs is published for, since below these they are all but empty.

    Raises
    ------
    Infeasible
        No rounding serves all tables of a measure.
    """
    levels = finest_levels(release)
    drawn = protect_tables(
        release.protection,
        tables_of(release, CASELOAD, true),
        counted=tables_of(release, CASELOAD, counted),
        recodes=recoding.recodes() if recoding else None,
        key=key,
        earlier=tables_of(release, CASELOAD, earlier),
        progress=progress,
    )
    protected = protected_from(drawn, levels)
    for measure in release.flow_measures:
        smallest = min(tables_of(release, measure, levels).values())
        from_there = dict.fromkeys(true, smallest)
        drawn = protect_tables(
            release.protection,
            from_levels(tables_of(release, measure, true), from_there),
            counted=tables_of(release, measure, counted),
            key=sub_key(key, measure),
            earlier=from_levels(tables_of(release, measure, earlier), from_there),
            progress=progress,
        )
        left = {id_: level - smallest for id_, level in tables_of(release, measure, levels).items()}
        protected = protected.with_flow(measure, protected_from(drawn, left))
    return replace(protected, safe={id_: protected.safe[id_] for id_ in true})
