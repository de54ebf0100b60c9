"""The recipe of a release, from claimant records to published pages.

Read the release file, and the release before it; read areas; count the
caseload; shape tables; round them together; attack them; write tables, maps and pages; write the review
pack; check the whole; put it in place.  What fails the attack or the check is
not published, and nothing is written then.
"""

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from claimants.caseload import Caseload, CaseloadSpec, count_caseload
from claimants.dimensions import Dimension
from claimants.engine import DEFAULT_ENGINE
from claimants.faultyrows import Misfit
from common.faults import Faults
from common.progress import SILENT, Progress
from releases.attack.pieces import Read
from releases.attack.reportfile import check_report, refusal
from releases.check import check_release
from releases.counts.shaping import hierarchy_of, tabulate
from releases.files.folder import staged
from releases.files.keyfiles import read_key
from releases.files.releasefolder import review_folder
from releases.publish.attackfacts import attack_facts
from releases.publish.before import match_tables
from releases.publish.besides import read_besides
from releases.publish.derivations import derive_tables
from releases.publish.drawing import draw_tables
from releases.publish.facts import release_facts, report_table
from releases.publish.finest import finest_levels, from_levels
from releases.publish.finestareas import refuse_fine_areas
from releases.publish.flowtables import count_flow_tables, counted_as, with_window
from releases.publish.flowties import tie_flows
from releases.publish.inputs import Inputs, dimensions_of, input_files, read_inputs
from releases.publish.judging import attack_release, excused
from releases.publish.manifest import fingerprint, manifest_of, plain_hash, write_manifest
from releases.publish.mending import mends_of_release
from releases.publish.misfitrows import misfit_notices, misfit_rows, place_misfits
from releases.publish.permitted import refuse_unpermitted
from releases.publish.protection import Protected, split_tables
from releases.publish.recodings import Recoding, recoding_of, told_once
from releases.publish.relations import refuse_relations, refuse_same_figures, refuse_same_numbers
from releases.publish.releasefile import read_release
from releases.publish.reviewing import review_facts
from releases.publish.series import Place, place_in_series
from releases.publish.spec import METHOD_LEAKS, Release
from reports.csvw import write_csvw
from reports.derived import DerivedTable
from reports.longform import write_long
from reports.maps import write_maps
from reports.model import ReleaseFacts, ReportTable
from reports.ods import write_ods
from reports.review import write_review
from reports.site import find_downloads, write_site
from reports.workbook import build_workbook
from reports.xlsx import write_xlsx
from sdc.findings import Audit
from sdc.mends.trying import Mend
from sdc.tables import Table

__all__ = ["Publication", "publish"]

log = logging.getLogger("smallarea")


@dataclass(frozen=True, kw_only=True)
class Publication:
    """What was published: where, what the attack and the check found, and what is worth saying."""

    release: Path
    review: Path
    audit: Audit
    notices: tuple[str, ...]


def publish(
    path: Path,
    out: Path,
    *,
    review: Path | None = None,
    report: Path | None = None,
    progress: Progress = SILENT,
    at: Callable[[str], None] = lambda step: None,
    threads: int | None = None,
    engine: str = DEFAULT_ENGINE,
) -> Publication:
    """Publish the release that a release file describes.

    Parameters
    ----------
    path : RELEASE.toml.
    out : the public folder; replaced as a whole if it holds a release.
    review : the reviewers' folder; `out` with "-review" behind its name if None.
    report : where to write, privately, what the attack or the check found when it refuses the release.
    at : told the name of each step of sealing (see `releases.files.folder.STEPS`).
    threads, engine : how records are counted (`claimants.engine.connect`); they change nothing that is published.

    Raises
    ------
    InputError
        Something given is wrong; every fault is told and nothing is written.
    Infeasible
        No rounding serves all tables.
    Refused
        The attack or the check found that the release would give something away.
    """
    check_report(report)
    review = review_folder(out) if review is None else review
    progress.step("reading the release file")
    release = read_release(path)
    file = path.name
    dimensions = dimensions_of(release, file)
    refuse_relations(release, dimensions, file)
    _refuse_expired(release, file)
    key = read_key(release.series.key_file)
    place = place_in_series(release, out, file)
    release = with_window(release, file)
    progress.step("reading areas")
    inputs = read_inputs(release, file, dimensions)
    refuse_unpermitted(release, dimensions, inputs.extract.dictionary, inputs.policy, file)
    refuse_fine_areas(release, dimensions, inputs.areas, inputs.extract.dictionary, file)
    files = input_files(release, path)
    with staged(out, review, outside=[path, release.series.key_file, *files.values()], at=at) as staging:
        assert staging.review is not None
        recoding = recoding_of(release, dimensions)
        asked = _asked(release, inputs, dimensions, recoding)
        caseloads = _count(inputs, asked, staging.work, progress, threads, engine)
        for population, caseload in caseloads.items():
            log.info("caseload of %s, %s: %s rows read", place.id, population, f"{caseload.rows_read:,}")
        misfits = _misfits(release, inputs, asked, caseloads, file, staging.work, threads)
        flows = count_flow_tables(release, inputs, dimensions, staging.work, progress, threads, engine)
        true, same = _shape(release, caseloads, flows, inputs, dimensions, recoding, file)
        units = counted_as(release)
        kept = from_levels(true, finest_levels(release))
        read = read_besides(release, kept, place, file, progress=progress)
        read = tie_flows(release, read, kept, place)
        earlier = match_tables(true, units, place.tables)
        protected = draw_tables(
            release, true, counted=units, recoding=recoding, key=key, earlier=earlier, progress=progress
        )
        true = kept
        facts = replace(release_facts(release, inputs.areas, place.previous), id=place.id)
        audit, mends = _attack(release, read, protected, true, recoding, place, inputs, facts, report, progress)
        tables = tuple(
            report_table(
                spec, protected.safe[spec.id], dimensions[spec.id], release.counts(spec), release.window_start(spec)
            )
            for spec in release.table
        )
        derived, of_derived = derive_tables(release, tables, inputs.supplied)
        _write_tables(staging.release, facts, (*tables, *derived), progress)
        _write_pages(staging.release, facts, tables, derived, inputs, progress)
        manifest = manifest_of(
            release,
            facts,
            tables,
            derived,
            key=key,
            specification=fingerprint(key, path),
            inputs={name: fingerprint(key, one) for name, one in files.items()},
            folder=staging.release,
        )
        written = write_manifest(manifest, staging.release)
        told = dict.fromkeys(notice for one in (*caseloads.values(), *flows.values()) for notice in one.notices)
        told |= dict.fromkeys(misfit_notices(misfits))
        notices = (*inputs.notices, *told, *place.notices, *same, *protected.notices, *of_derived)
        given = review_facts(
            release,
            facts,
            tables,
            true,
            caseloads,
            audit,
            protected,
            files=files,
            spec_path=path,
            key=key,
            notices=notices,
            boundaries=inputs.boundaries,
            mends=mends,
            misfits=misfit_rows(misfits),
            flows=flows,
        )
        write_review(staging.review, given, progress=progress)
        _write_summary(staging.review, manifest, plain_hash(written))
        progress.step("checking the release")
        found = excused(audit).joined(_checked(staging.release, staging.review, protected, facts, report, progress))
    return Publication(
        release=out, review=review, audit=found, notices=(*inputs.notices, *place.notices, *protected.notices)
    )


def _refuse_expired(release: Release, file: str) -> None:
    faults = Faults(file)
    for one in release.exception:
        if one.expires < release.release.publication.date():
            faults.add(
                "exception",
                f"the exception '{one.rule}' expires on {one.expires.isoformat()}, before publication",
                "have it renewed, or choose a method that keeps the promise",
                key="exception.expires",
            )
    faults.raise_if_any()


def _asked(
    release: Release, inputs: Inputs, dimensions: dict[str, dict[str, Dimension]], recoding: Recoding | None
) -> dict[str, CaseloadSpec]:
    """What is counted of each population: by every dimension that any table of the caseload needs.

    Where both are, both are counted by the same dimensions, so that a row counts in both or in neither.
    A variable told in several lists of bands is counted by the finest.
    """
    wanted = {name: one for table in release.caseload for name, one in dimensions[table.id].items()}
    if recoding is not None:
        wanted[recoding.name] = recoding.bands[recoding.finest]
    # What is of all claims of a person places persons, and bears on which claims count by nothing.
    by = {"claims": [one for one in wanted.values() if not one.of_all_claims], "people": list(wanted.values())}
    return {
        population: CaseloadSpec(
            reference_date=release.release.reference_date,
            count=population,
            dimensions=tuple(by[population]),
            beside_people=release.counts_both and population == "claims",
            policy=inputs.policy,
            non_claimants=release.claims.non_claimants,
        )
        for population in release.populations
    }


def _count(
    inputs: Inputs,
    asked: Mapping[str, CaseloadSpec],
    spill: Path,
    progress: Progress,
    threads: int | None,
    engine: str,
) -> dict[str, Caseload]:
    """The caseload of each population."""
    return {
        population: count_caseload(
            inputs.extract,
            area_codes=inputs.areas.codes[0],
            postcodes=inputs.postcodes,
            spec=spec,
            progress=progress,
            engine=engine,
            spill=spill,
            threads=threads,
        )
        for population, spec in asked.items()
    }


def _misfits(
    release: Release,
    inputs: Inputs,
    asked: Mapping[str, CaseloadSpec],
    caseloads: Mapping[str, Caseload],
    file: str,
    spill: Path,
    threads: int | None,
) -> tuple[Misfit, ...]:
    """Where the rows stand that did not fit, which are the same in every population; stop here if too many are faulty."""
    first = release.populations[0]
    return place_misfits(
        inputs,
        asked[first],
        caseloads[first],
        most_faulty=release.claims.most_faulty,
        file=file,
        spill=spill,
        threads=threads,
    )


def _shape(
    release: Release,
    caseloads: Mapping[str, Caseload],
    flows: Mapping[str, Caseload],
    inputs: Inputs,
    dimensions: dict[str, dict[str, Dimension]],
    recoding: Recoding | None,
    file: str,
) -> tuple[dict[str, Table], tuple[str, ...]]:
    """The true tables by id, after refusing figures that stand under two names; and what is to be said of these."""
    hierarchy = hierarchy_of(inputs.areas)
    units = {table.id: release.counts(table) for table in release.caseload}
    counted = {**caseloads, **flows}
    cells = {table.id: counted[units.get(table.id, table.measure)].cells for table in release.table}
    same: tuple[str, ...] = ()
    if recoding is not None:
        cells = {id_: recoding.cells(one, id_) for id_, one in cells.items()}
    for name in counted:
        own = [table.id for table in release.table if name == units.get(table.id, table.measure)]
        for together in told_once(own, None if name in flows else recoding, others=True):
            named = {id_: dimensions[id_] for id_ in together}
            minimum = release.protection.min_count
            same += refuse_same_figures(cells[together[-1]], named, hierarchy, min_count=minimum, file=file)
    true = {id_: tabulate(cells[id_], named, hierarchy) for id_, named in dimensions.items()}
    if release.counts_both:
        same += refuse_same_numbers(*split_tables(true, units), file=file)
    return true, tuple(dict.fromkeys(same))


def _attack(
    release: Release,
    read: Read,
    protected: Protected,
    true: dict[str, Table],
    recoding: Recoding | None,
    place: Place,
    inputs: Inputs,
    facts: ReleaseFacts,
    report: Path | None,
    progress: Progress,
) -> tuple[Audit, tuple[Mend, ...]]:
    """Attack the protected tables; stop here if they give anything away and no exception allows it.

    An exception allows disclosures, never figures that contradict each other.  Returns
    what was found and, of that, which mends were tried.
    """
    audit = attack_release(release, read, protected, true, recoding, place, progress=progress)
    if audit.safe:
        return audit, ()
    progress.step("trying mends")
    mends = mends_of_release(release, read, protected, true, recoding, place, audit, progress=progress)
    judged = excused(audit) if METHOD_LEAKS in release.rules_lifted() else audit
    if not judged.safe:
        told = attack_facts(
            facts, protected, inputs.boundaries, audit, min_count=release.protection.min_count, mends=mends
        )
        raise refusal("the attack found what may not be told: nothing was published", told, report)
    return audit, mends


def _write_tables(
    folder: Path, facts: ReleaseFacts, tables: Sequence[ReportTable | DerivedTable], progress: Progress
) -> None:
    """Every table in every format, under ``tables/``."""
    place = folder / "tables"
    place.mkdir()
    progress.step("writing tables", len(tables))
    for table in tables:
        rows = table if isinstance(table, DerivedTable) else table.safe
        write_long(rows, place / f"{table.id}.csv")
        write_csvw(table, facts, place / f"{table.id}.csv-metadata.json")
        write_long(rows, place / f"{table.id}.parquet")
        workbook = build_workbook(table, facts)
        write_ods(workbook, place / f"{table.id}.ods")
        write_xlsx(workbook, place / f"{table.id}.xlsx")
        progress.advance()


def _write_pages(
    folder: Path,
    facts: ReleaseFacts,
    tables: tuple[ReportTable, ...],
    derived: tuple[DerivedTable, ...],
    inputs: Inputs,
    progress: Progress,
) -> None:
    """Areas to download, maps and the site."""
    if inputs.boundaries:
        from reports.areas import write_areas

        progress.step("writing areas")
        write_areas(folder / "areas", facts, inputs.boundaries)
    maps = write_maps(facts, tables, inputs.boundaries, folder / "maps", progress=progress) if inputs.boundaries else ()
    downloads = find_downloads(folder, (*tables, *derived))
    write_site(folder, facts, tables, derived=derived, maps=maps, downloads=downloads, progress=progress)


def _write_summary(folder: Path, manifest: dict[str, Any], sha256: str) -> None:
    """Ties the review pack to its release, so that neither can be taken for another's."""
    path = folder / "summary.json"
    path.write_text(
        json.dumps({"release": manifest["id"], "manifest_sha256": sha256}, indent=1) + "\n", encoding="utf-8"
    )
    path.chmod(0o600)


def _checked(
    release: Path, review: Path, protected: Protected, facts: ReleaseFacts, report: Path | None, progress: Progress
) -> Audit:
    """The independent look at what was written, before it goes in place."""
    audit = check_release(release, review, progress)
    if not audit.safe:
        min_count = next(iter(protected.safe.values())).method.min_count
        told = attack_facts(facts, protected, (), audit, min_count=min_count)
        raise refusal("the release does not pass its own check: nothing was published", told, report)
    return audit
