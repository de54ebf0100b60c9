"""The whole check of a release folder, in the order in which a reviewer would go."""

from pathlib import Path

from common.progress import SILENT, Progress
from releases.check.attack import attack
from releases.check.derived import check_derived
from releases.check.files import check_files
from releases.check.flows import check_flows
from releases.check.manifest import MANIFEST, Manifest, TableEntry, read_manifest
from releases.check.metadata import check_block, check_csvw, labels_of
from releases.check.notes import Notes
from releases.check.people import by_unit, check_people
from releases.check.review import check_review
from releases.check.site import check_site
from releases.check.tables import MARKERS, Published, check_parquet, read_layout, read_published
from releases.check.workbooks import check_workbook
from sdc.findings import Audit

__all__ = ["check_release"]

ENDINGS = (".csv", ".csv-metadata.json", ".ods", ".xlsx", ".parquet")


def check_release(directory: Path, review: Path | None = None, progress: Progress = SILENT) -> Audit:
    """Re-verify a release folder from its published files alone, and its review folder where one is given.

    Nothing is taken from what wrote the folder: not its code, and of its words
    only what the folder itself tells.  All findings come at once; severities
    ``contradiction`` and ``disclosure`` make the audit unsafe.

    Raises
    ------
    InputError
        `directory` is no release, or `review` is no folder.
    """
    notes = Notes()
    manifest = read_manifest(directory, notes)
    check_files(directory, manifest, notes, progress)
    tables = _check_tables(directory, manifest, notes, progress)
    if tables:
        check_derived(directory, manifest, tables, notes)
    if manifest.method and tables:
        with notes.excepted(any(rule == "method leaks" for rule, _ in manifest.excepted)):
            _attack(tables, manifest, notes, progress)
    else:
        notes.not_checked("attack: no table, or no method, could be read")
    check_site(directory, notes)
    notes.not_checked("pictures of maps, and numbers in the text of pages")
    if review is not None:
        check_review(review, manifest, tables, notes)
    else:
        notes.not_checked("the review folder: none was given")
    return notes.audit()


def _attack(tables: list[Published], manifest: Manifest, notes: Notes, progress: Progress) -> None:
    """Attack tables of each population and flow together; then hold the one to the other."""
    for unit, counted in by_unit(tables, manifest).items():
        attack(
            counted,
            unit=unit,
            method=manifest.method,
            base=manifest.base,
            min_count=manifest.min_count,
            notes=notes,
            progress=progress,
        )
    check_people(tables, manifest, notes)
    check_flows(tables, manifest, notes)


def _check_tables(directory: Path, manifest: Manifest, notes: Notes, progress: Progress) -> list[Published]:
    """Check each table's files against each other; the tables whose CSV could be read whole."""
    progress.step("checking tables", len(manifest.tables))
    ids = [*(entry.id for entry in manifest.tables), *(one.id for one in manifest.derived)]
    listed = {f"tables/{id_}{ending}" for id_ in ids for ending in ENDINGS}
    pages = {f"tables/{id_}.html" for id_ in ids}
    for path in sorted({path for path in manifest.files if path.startswith("tables/")} - listed - pages):
        notes.wrong("manifest", path, "belongs to no table that the manifest lists")
    tables = []
    for entry in manifest.tables:
        published = _check_table(directory, entry, manifest, notes)
        if published is not None:
            tables.append(published)
        progress.advance()
    notes.checked("tables: columns, order, every area and category once, whole numbers, markers")
    notes.checked("CSVW metadata, Parquet, ODS and XLSX against the CSV; accessibility rules of the ODS")
    return tables


def _check_table(directory: Path, entry: TableEntry, manifest: Manifest, notes: Notes) -> Published | None:
    stem = f"tables/{entry.id}"
    csv, metadata = f"{stem}.csv", f"{stem}.csv-metadata.json"
    layout, block = read_layout(directory / metadata, metadata, notes)
    if block:
        check_block(block, metadata, entry, manifest, notes)
    published = None if layout is None else read_published(directory / csv, csv, entry.id, layout, notes)
    if published is None:
        notes.not_checked(f"{csv} and the files beside it: its rows could not be read as they must be")
        return None
    check_csvw(directory / metadata, metadata, published, notes)
    _check_numbers(published, entry, manifest, notes)
    check_parquet(directory / f"{stem}.parquet", f"{stem}.parquet", published, notes)
    labels = labels_of(directory / metadata, published)
    for ending in (".ods", ".xlsx"):
        check_workbook(directory / f"{stem}{ending}", f"{stem}{ending}", published, labels, notes)
    return published


def _check_numbers(published: Published, entry: TableEntry, manifest: Manifest, notes: Notes) -> None:
    """Counts of cells by marker, and of areas by level, must be those of the manifest."""
    counted = {
        marker or "shown": sum(int((markers == place).sum()) for markers in published.markers)
        for place, marker in enumerate(MARKERS)
    }
    told = {marker: number for marker, number in entry.cells.items() if number}
    if told != {marker: number for marker, number in counted.items() if number}:
        notes.wrong("manifest", MANIFEST, f"counts other cells by marker than {published.file} holds")
    layout = published.layout
    units = {level: len(codes) for level, codes in zip(layout.levels, layout.codes, strict=True)}
    top = manifest.levels[max(0, len(manifest.levels) - len(layout.levels)) :]
    if list(units.items()) != [(level, manifest.units.get(level)) for level in top]:
        notes.wrong("manifest", MANIFEST, f"tells other levels or numbers of areas than {published.file} holds")
    notes.figure(f"cells of {entry.id}", sum(counted.values()))
