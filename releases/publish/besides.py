"""What the attacker of a release has besides its own tables.

Figures that others have published, as the release file names them, and every earlier
release of the same reference date.  Releases of other dates are of other counts: what flows between say of
these is in `releases.publish.flowties`.
"""

from collections.abc import Mapping
from pathlib import Path

from common.faults import Faults, InputError
from common.progress import SILENT, Progress
from releases.attack.known import Known, KnownFile
from releases.attack.piecefiles import PieceFile
from releases.attack.pieces import Read, read_pieces
from releases.attack.publicblock import read_told
from releases.attack.publictables import tell_contradictions
from releases.attack.said import Defaults
from releases.attack.unwritten import as_counted, unwritten_table
from releases.files.tidyfile import read_header
from releases.publish.flowtables import flow_name
from releases.publish.manifest import read_manifest
from releases.publish.series import Place
from releases.publish.spec import DIMENSIONS, AlreadyPublic, Release
from sdc.tables import SafeTable, Table

__all__ = ["ours_of", "read_besides"]


def read_besides(
    release: Release, true: Mapping[str, Table], place: Place, file: str, *, progress: Progress = SILENT
) -> Read:
    """Everything that the attacker has, with the true tables in the place of those that will be published.

    Raises
    ------
    InputError
        A file cannot be read, or lies on these tables in a way that nobody tells; figures of it cannot be true.
    """
    counted = {id_: as_counted(table, min_count=release.protection.min_count) for id_, table in true.items()}
    faults = Faults(file)
    files = [_known_of(release, one, place, faults) for one in release.already_public]
    files += [one for folder in place.editions for one in _tables_of(folder)]
    faults.raise_if_any()
    read = read_pieces(
        (),
        Known(file=tuple(files), overlap=release.overlap, recode=release.recode),
        Defaults(),
        public=[one.path for one in files],
        given=ours_of(release, counted, true, place),
        refused=("areas", "categories"),
        min_count=release.protection.min_count,
        progress=progress,
    )
    measures = {piece.name: piece.measure for piece in (*read.pieces, *read.public_pieces)}
    for id_, table in true.items():
        alike = [one for name, one in read.public.items() if measures[name] == measures[id_]]
        tell_contradictions(table, alike)
    return read


def ours_of(
    release: Release, safe: Mapping[str, SafeTable], true: Mapping[str, Table], place: Place
) -> list[PieceFile]:
    """The tables of a release as files of an attack."""
    units = {table.id: release.counts(table) for table in release.table}
    measures = {table.id: flow_name(release, table.measure) for table in release.table}
    date, edition = _edition(release, place)
    return [
        unwritten_table(
            Path("tables", f"{id_}.csv"),
            table,
            population=units[id_],
            measure=measures[id_],
            date=date,
            edition=edition,
            truth=true[id_],
        )
        for id_, table in safe.items()
    ]


def _edition(release: Release, place: Place) -> tuple[str, str]:
    """Date and edition of the release, where there are others of its date."""
    return (release.release.reference_date.isoformat(), place.id) if place.editions else ("", "")


def _known_of(release: Release, one: AlreadyPublic, place: Place, faults: Faults) -> KnownFile:
    """What the release file says of a public file, with what goes without saying."""
    said = one.model_dump(exclude={"description"})
    date, edition = _edition(release, place)
    said |= {"date": one.date or date or None, "edition": one.edition or edition or None}
    try:
        told = read_told(one.path)
        header = read_header(one.path, sheet=one.sheet)
    except InputError as error:
        faults.extend(error)
        return one
    if release.flow_measures and one.measure is not None:
        said["measure"] = flow_name(release, one.measure) or None
    if told is None and one.method is None:
        said["method"] = "exact" if one.base in (None, 1) else "conventional-rounding"
    if told is None and one.by is None:
        said["by"] = tuple(name for name in DIMENSIONS if name in {*header, *one.dimensions.values()})
    if not one.population and not (told and told.population):
        if release.counts_both:
            mend = 'set population = "claims" or "people"'
            faults.add("relation", f"nobody says what {one.path.name} counts", mend, key="already_public.population")
        said["population"] = release.populations[0]
    return KnownFile.model_validate(said)


def _tables_of(folder: Path) -> list[KnownFile]:
    """The tables of an earlier release of the same date."""
    manifest = read_manifest(folder)
    assert manifest is not None
    return [
        KnownFile(
            path=folder / "tables" / f"{table['id']}.csv",
            population=str(table["unit"]),
            date=str(manifest["reference_date"]),
            edition=str(manifest["id"]),
        )
        for table in manifest["tables"]
    ]
