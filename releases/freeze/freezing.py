"""``smallarea freeze``: one frozen, pseudonymised extract of a quarter, first provisional, later revised.

What is frozen, and in which form, stands in `claimants.frozen`; where it lies, in
`releases.freeze.frozenfolder`.  The revised extract of a quarter is made from a later extract of the same
claims, about five months after the reference date, under the same key; with it comes
a private report on the claims that started or ended before the reference date and were told after it.
"""

import datetime as dt
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from claimants.caseload import CaseloadSpec, open_counted, refuse_areas, refuse_nothing
from claimants.dates import FIRST_DAY, whole_months_before
from claimants.dimensions import Dimension
from claimants.engine import EngineRefusal, connect, fetch
from claimants.extract import Extract
from claimants.files import find_files
from claimants.frozen import FORMS, FreezeSpec, batches_of, claims_started, forms_of, frozen_rows, late_counts
from claimants.pseudonyms import PURPOSE, Pseudonyms, keep_pads
from claimants.records import judge
from common.faults import Fault, Faults, InputError
from common.progress import SILENT, Progress
from geography.areas import Areas, Level, read_areas
from geography.postcodes import Postcodes, read_postcodes
from releases.files.keyfiles import read_key
from releases.freeze.custodyfile import is_open_to_others, read_custody
from releases.freeze.frozenfolder import CLAIMS, FORMAT, FRAGMENT, LATE, MANIFEST, Store, held_store, manifest_in
from releases.publish.extracts import extract_of
from releases.publish.inputs import dimensions_of
from releases.publish.manifest import plain_hash
from releases.publish.releasefile import read_release
from releases.publish.spec import Release

__all__ = ["FreezeOptions", "Frozen", "freeze"]

WINDOW_MONTHS = 3
REVISION_MONTHS = 5
WARNING = "Private: true counts of claims, some of them of single people."


@dataclass(frozen=True, kw_only=True)
class FreezeOptions:
    """What is frozen, and where it goes.

    Attributes
    ----------
    release : RELEASE.toml of the quarter; its `status` says whether the extract is provisional or revised.
    out : the store.
    key_file : None: the key of the series.
    custody : record of keys, which must then say that the key is in use on `date`.
    from_date : first day of the window; None: three months before the reference date.
    """

    release: Path
    out: Path
    date: dt.date
    key_file: Path | None = None
    custody: Path | None = None
    from_date: dt.date | None = None
    threads: int | None = None


@dataclass(frozen=True, kw_only=True)
class Frozen:
    """What was frozen: its folder, manifest, whether it is new, and what there is to say."""

    folder: Path
    manifest: dict[str, Any]
    fresh: bool
    notices: tuple[str, ...]


def freeze(options: FreezeOptions, *, progress: Progress = SILENT) -> Frozen:
    """Freeze the extract of a release.

    Raises
    ------
    InputError
        The release file, the areas, the key, the record of keys or the extract cannot be used; the store cannot,
        or holds another extract of that quarter and status; or the provisional extract is of another key or window.
    """
    release = read_release(options.release)
    file = options.release.name
    key_file = options.key_file or release.series.key_file
    pseudonyms = Pseudonyms(key=read_key(key_file))
    notices = _check_custody(options, pseudonyms)
    status = "provisional" if release.release.status == "provisional" else "revised"
    day = release.release.reference_date
    spec = _spec(release, file, options.from_date or whole_months_before(day, WINDOW_MONTHS))
    notices += [f"a frozen extract cannot be counted by {name}: that is never frozen" for name in spec.left_out]
    claims_files, _ = find_files(release.claims.paths, release.claims.format, Faults())
    inputs = (options.release, key_file, *claims_files)
    with held_store(options.out, f"{day.isoformat()}-{status}", inputs=inputs) as store:
        before = options.out / f"{day.isoformat()}-provisional"
        notices += _check_order(release, store, before, spec, pseudonyms, status)
        _fill(release, file, store, before, spec, pseudonyms, status, options.threads, progress)
        manifest = _manifest(release, store.fresh, spec, pseudonyms, status)
        _write_json(store.fresh / MANIFEST, manifest)
        fresh = store.put()
    return Frozen(folder=store.target, manifest=manifest, fresh=fresh, notices=tuple(notices))


def _spec(release: Release, file: str, from_date: dt.date) -> FreezeSpec:
    wanted: dict[tuple[str, tuple[int, ...]], Dimension] = {}
    for table in dimensions_of(release, file).values():
        wanted |= {(one.name, one.starts): one for one in table.values()}
    try:
        return FreezeSpec(
            reference_date=release.release.reference_date, from_date=from_date, dimensions=tuple(wanted.values())
        )
    except ValueError as error:
        fault = Fault(kind="option", file=file, key="--from", found=str(error), mend="correct it")
    raise InputError([fault])


def _check_custody(options: FreezeOptions, pseudonyms: Pseudonyms) -> list[str]:
    if options.custody is None:
        return []
    faults = Faults(str(options.custody))
    custody = read_custody(options.custody)
    custody.check_use(pseudonyms.key_id, purpose=PURPOSE, day=options.date, faults=faults)
    faults.raise_if_any()
    if is_open_to_others(options.custody):
        return [f"{options.custody} can be read by others: close it (chmod 600)"]
    return []


def _check_order(
    release: Release, store: Store, before: Path, spec: FreezeSpec, pseudonyms: Pseudonyms, status: str
) -> list[str]:
    """Refuse a provisional extract after the revised one, and a revised one that cannot be matched with the provisional."""
    faults = Faults(str(store.out))
    day = release.release.reference_date
    if status == "provisional":
        if store.out.joinpath(f"{day.isoformat()}-revised").exists() and not store.target.exists():
            faults.add("revision", f"the quarter of {day} was revised already", "keep what is there", key="--out")
        faults.raise_if_any()
        return []
    then = manifest_in(before)
    if then is None:
        return [f"no provisional extract of {day} is there: late starts and ends cannot be told"]
    wanted = {"key_id": pseudonyms.key_id, "from": spec.from_date.isoformat(), "end": release.claims.end}
    for name, value in wanted.items():
        if then.get(name) != value:
            found = f"{name} is {value}, and {then.get(name)} of the provisional extract: they cannot be matched"
            faults.add("revision", found, "use what the provisional extract was made with", key=name)
    faults.raise_if_any()
    if whole_months_before(release.release.extract_date, REVISION_MONTHS) < day:
        return [f"revised from an extract of {release.release.extract_date}: about five months after {day} is usual"]
    return []


def _fill(
    release: Release,
    file: str,
    store: Store,
    before: Path,
    spec: FreezeSpec,
    pseudonyms: Pseudonyms,
    status: str,
    threads: int | None,
    progress: Progress,
) -> None:
    """Write the claims, how they are read, and for a revised extract what came late."""
    extract = extract_of(release, file)
    _permit(extract.dictionary, spec)
    areas, postcodes = _places(release)
    progress.step("freezing claims", 1)
    work = store.fresh / "work"
    with connect(spill=work, threads=threads) as connection:
        wanted = CaseloadSpec(reference_date=spec.reference_date, dimensions=spec.judged)
        opened = open_counted(connection, extract, wanted, postcodes is not None)
        rows = judge(
            connection,
            opened,
            reference_date=spec.reference_date,
            dimensions=spec.judged,
            area_codes=areas.codes[0],
            postcodes=postcodes,
            live_from=FIRST_DAY,
        )
        pads = keep_pads(connection, pseudonyms)
        claims = claims_started(rows, pads, spec, end=extract.end, length=pseudonyms.length)
        refused = False
        try:
            if postcodes is None:
                refuse_areas(connection, rows, opened)
            _refuse_empty(connection, rows, opened)
            _write_claims(connection, frozen_rows(connection, claims, spec, areas.codes[0]), store.fresh / CLAIMS)
            if status == "revised" and manifest_in(before) is not None:
                types = {field.name: field.type for field in pq.read_schema(before / CLAIMS)}
                provisional = connection.read_parquet([before / CLAIMS], types)
                late = fetch(connection, late_counts(claims, provisional, spec, end=extract.end))
                _write_late(store.fresh / LATE, late.to_pylist(), spec)
        except EngineRefusal:
            refused = True
        if refused:
            raise opened.explain_refusal()
    if work.exists():
        work.rmdir()
    (store.fresh / FRAGMENT).write_text(_fragment(extract.end), encoding="utf-8", newline="\n")
    progress.advance()


def _permit(dictionary: Any, spec: FreezeSpec) -> None:
    """Refuse a field that the release's dictionary does not give for its purpose in the form that is frozen."""
    faults = Faults()
    for field, form in forms_of(spec).items():
        purpose = FORMS[field][0]
        try:
            dictionary.permit(field, purpose, form)
        except PermissionError as error:
            faults.add("dictionary", str(error), "let the dictionary give it, or count without it", key=field)
    faults.raise_if_any()


def _places(release: Release) -> tuple[Areas, Postcodes | None]:
    geography = release.geography
    levels = tuple(Level(level.name, level.code, level.label) for level in geography.level)
    areas = read_areas(geography.lookup, levels)
    wanted = geography.postcodes
    if wanted is None:
        return areas, None
    return areas, read_postcodes(wanted.path, postcode=wanted.postcode, area=wanted.area, areas=areas)


def _refuse_empty(connection: Any, rows: Any, opened: Extract) -> None:
    refuse_nothing(fetch(connection, rows.limit(1).select("state")).num_rows, opened)


def _write_claims(connection: Any, rows: Any, path: Path) -> None:
    writer = None
    try:
        for table in batches_of(connection, rows):
            writer = writer or pq.ParquetWriter(path, table.schema, compression="zstd")
            writer.write_table(table)
    finally:
        if writer is not None:
            writer.close()


def _write_late(path: Path, benefits: list[dict[str, Any]], spec: FreezeSpec) -> None:
    total = {name: sum(one[name] for one in benefits) for name in benefits[0] if name != "benefit"} if benefits else {}
    told = {
        "private": True,
        "warning": WARNING,
        "reference_date": spec.reference_date.isoformat(),
        "from": spec.from_date.isoformat(),
        "total": total,
        "benefits": benefits,
    }
    _write_json(path, told)


def _manifest(release: Release, folder: Path, spec: FreezeSpec, pseudonyms: Pseudonyms, status: str) -> dict[str, Any]:
    files = sorted(path for path in folder.iterdir() if path.name != MANIFEST)
    return {
        "format": FORMAT,
        "private": True,
        "series": release.series.id,
        "reference_date": spec.reference_date.isoformat(),
        "from": spec.from_date.isoformat(),
        "extract_date": release.release.extract_date.isoformat(),
        "status": status,
        "end": release.claims.end,
        "key_id": pseudonyms.key_id,
        "purpose": PURPOSE,
        "digits": pseudonyms.length,
        "fields": forms_of(spec),
        "not_frozen": list(spec.left_out),
        "rows": pq.read_metadata(folder / CLAIMS).num_rows,
        "files": [{"path": path.name, "sha256": plain_hash(path), "bytes": path.stat().st_size} for path in files],
    }


def _fragment(end: str) -> str:
    return (
        "# How this frozen extract is read: put it in place of [claims] of the release file, path as seen from there,\n"
        "# and leave out [geography.postcodes]: claims have the code of their smallest area.\n"
        f'[claims]\npath = "{CLAIMS}"\nend = "{end}"\n'
    )


def _write_json(path: Path, plain: dict[str, Any]) -> None:
    path.write_text(json.dumps(plain, indent=1, ensure_ascii=False) + "\n", encoding="utf-8", newline="\n")
