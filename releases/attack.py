"""What can be deduced from published tables, ours or anybody's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from common.faults import Faults, InputError
from common.progress import SILENT, Progress
from releases.counts import read_truth
from releases.known import read_known
from releases.nests import parse_nests
from releases.outcome import Outcome
from releases.privatereport import audit_as_dict
from releases.ptables import read_ptable
from releases.publictables import bounds_from, gather_all, refuse_relations
from releases.published import Opened, Published, lay_out, open_published
from releases.publishedtrees import find_trees, list_categories
from releases.said import DEFAULT_MIN_COUNT, Defaults, Said, method_of
from releases.software import software_name
from releases.tidyfile import read_header
from releases.wholefiles import Writing, check_targets, write_whole
from reports.metadata import json_text
from sdc.attack.intervals import Intervals
from sdc.attack.judge import audit_tables
from sdc.attack.noise import audit_noise
from sdc.findings import Audit
from sdc.tables import Table

__all__ = ["AttackOptions", "attack"]


@dataclass(frozen=True, kw_only=True)
class AttackOptions:
    """The options of ``attack``; None and empty where the user said nothing.

    Attributes
    ----------
    files : published tables, or release folders.
    nests, by, count, areas, categories, method, base, min_count : what is said of files that do not say it themselves.
    sensitive : dimensions in which no small group may be exposed.
    truth : the counts behind the tables; then only counts that are truly small are judged.
    already_public : further tables that the attacker has, which are not judged themselves.
    known : what is known of single files, see `releases.known`.
    report : where to write the private report.
    margins, complete, profile : options of ``protect`` that an attack has no use for.
    """

    files: tuple[Path, ...]
    nests: tuple[str, ...] = ()
    by: tuple[str, ...] | None = None
    count: str = "count"
    areas: Path | None = None
    categories: Path | None = None
    method: str | None = None
    base: int | None = None
    min_count: int | None = None
    sensitive: tuple[str, ...] = ()
    truth: Path | None = None
    already_public: tuple[Path, ...] = ()
    known: Path | None = None
    report: Path | None = None
    margins: str = "all"
    complete: bool = False
    profile: str | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class _Read:
    """Tables laid over their trees by name, and what a user should know."""

    tables: dict[str, Published]
    public: tuple[Published, ...]
    notices: tuple[str, ...] = field(default=())


def attack(options: AttackOptions, *, progress: Progress = SILENT) -> Outcome:
    """Attack published tables; those of one population together.

    The audit in the outcome says whether they are safe.

    Raises
    ------
    InputError
        A file cannot be read; nobody says its method or its area tree; a truth does not fit its table.
    """
    nest = _check_options(options)
    known = read_known(options.known) if options.known else ()
    defaults = Defaults(
        nest=nest,
        by=options.by,
        count=options.count,
        areas=options.areas,
        categories=options.categories,
        method=options.method,
        base=options.base,
        min_count=options.min_count,
    )
    progress.step("reading published tables")
    said = gather_all(options.files, known, defaults)
    public = gather_all(options.already_public, known, defaults)
    min_count, notices = _min_count(options, said)
    read = _read_tables(said, public, options, nest, min_count)
    truth, more = _read_truths(read, options, nest, progress)
    audit = _audit(read, truth, options, min_count, progress)
    written: tuple[Path, ...] = ()
    if options.report is not None:
        written = _write_report(options.report, read, audit, min_count)
    return Outcome(audit=audit, written=written, notices=(*notices, *read.notices, *more))


def _check_options(options: AttackOptions) -> tuple[str, ...]:
    faults = Faults()
    nest = parse_nests(options.nests, faults) if options.nests else ()
    if not options.files:
        faults.add("option", "no file is named", "name the published tables", key="FILE")
    if options.areas is not None and not nest:
        mend = "give --nest with the columns of AREAS"
        faults.add("option", "the columns that hold the areas of --areas are not named", mend, key="--nest")
    for key, number, least in (("--base", options.base, 1), ("--min-count", options.min_count, 2)):
        if number is not None and number < least:
            faults.add("option", f"{number} is too small", f"give at least {least}", key=key)
    if options.report is not None:
        inputs = [options.truth, options.areas, options.categories, options.known, *options.files]
        try:
            check_targets({"--report": options.report}, [path for path in inputs if path is not None])
        except InputError as error:
            faults.extend(error)
    faults.raise_if_any()
    return nest


def _min_count(options: AttackOptions, said: Sequence[Said]) -> tuple[int, tuple[str, ...]]:
    """The smallest non-zero count that may be told: what is asked, else the strictest that a file says."""
    told = sorted({one.min_count for one in said if one.min_count is not None})
    if options.min_count is not None:
        others = [number for number in told if number != options.min_count]
        text = f"judged by --min-count {options.min_count}; files say {', '.join(map(str, others))}"
        return options.min_count, (text,) if others else ()
    if len(told) > 1:
        return told[-1], (f"files say min_count {', '.join(map(str, told))}; judged by the largest",)
    return (told[0], ()) if told else (DEFAULT_MIN_COUNT, (f"nobody says min_count; judged by {DEFAULT_MIN_COUNT}",))


# --- Reading --------------------------------------------------------------------------------------


def _read_tables(
    said: Sequence[Said], public: Sequence[Said], options: AttackOptions, nest: tuple[str, ...], min_count: int
) -> _Read:
    faults = Faults()
    opened: list[Opened] = []
    for one in (*said, *public):
        try:
            method_of(one, min_count)
            opened.append(open_published(one))
        except InputError as error:
            faults.extend(error)
    faults.raise_if_any()
    trees, notices = find_trees([*said, *public], options.truth, nest)
    listed = list_categories(opened, options.truth)
    laid: list[Published] = []
    for source, tree in zip(opened, trees, strict=True):
        try:
            laid.append(lay_out(source, tree, listed[source.said.by], method_of(source.said, min_count)))
        except InputError as error:
            faults.extend(error)
    faults.raise_if_any()
    tables = dict(zip(_names(said), laid[: len(said)], strict=True))
    told = tuple(dict.fromkeys(note for table in laid for note in table.notices))
    return _Read(tables=tables, public=tuple(laid[len(said) :]), notices=(*notices, *told))


def _names(said: Sequence[Said]) -> list[str]:
    """The file's name without its ending, or the whole path where two files have the same."""
    stems = [one.path.stem for one in said]
    return [stem if stems.count(stem) == 1 else str(one.path) for stem, one in zip(stems, said, strict=True)]


def _read_truths(
    read: _Read, options: AttackOptions, nest: tuple[str, ...], progress: Progress
) -> tuple[dict[str, Table], tuple[str, ...]]:
    """The true table behind each published one whose dimensions COUNTS has."""
    if options.truth is None:
        return {}, ()
    progress.step("reading the truth")
    header, faults = read_header(options.truth), Faults()
    truths: dict[str, Table] = {}
    notices: list[str] = []
    for name, one in read.tables.items():
        classification = one.safe.classification
        missing = [dimension for dimension in classification.dimensions if dimension not in header]
        if missing:
            notices.append(f"{name}: judged without the truth, which has no column {', '.join(missing)}")
            continue
        dimensions = {
            dimension: sorted({category[at] for category in classification.categories})
            for at, dimension in enumerate(classification.dimensions)
        }
        try:
            truth, more = read_truth(
                options.truth,
                hierarchy=one.safe.hierarchy,
                nest=nest or one.safe.hierarchy.levels,
                dimensions=dimensions,
                count=options.count,
            )
        except InputError as error:
            faults.extend(error)
            continue
        truths[name] = truth
        notices += more
    faults.found = list(dict.fromkeys(faults.found))
    faults.raise_if_any()
    return truths, tuple(dict.fromkeys(notices))


# --- The audit ------------------------------------------------------------------------------------


def _audit(
    read: _Read, truth: Mapping[str, Table], options: AttackOptions, min_count: int, progress: Progress
) -> Audit:
    """Attack the tables of each population together, and join what was found."""
    audit = Audit()
    populations = dict.fromkeys(_population(one.said) for one in read.tables.values())
    for population in populations:
        tables = {name: one for name, one in read.tables.items() if _population(one.said) == population}
        public = [one for one in read.public if _population(one.said) == population]
        safe = {name: one.safe for name, one in tables.items()}
        refuse_relations({**safe, **{str(one.said.path): one.safe for one in public}})
        audit = audit.joined(
            audit_tables(
                safe,
                min_count=min_count,
                known=_known(tables, public),
                truth={name: table for name, table in truth.items() if name in tables},
                sensitive=options.sensitive,
                progress=progress,
            )
        )
    audit = audit.joined(_noisy(read.tables, min_count))
    if len(populations) > 1:
        audit = audit.joined(Audit(not_checked=("tables of different populations against each other",)))
    return audit


def _population(said: Said) -> str:
    """What a file counts, by what is known of it or else by the metadata beside it; blank where nothing is said."""
    return said.known.population or (said.told.population if said.told else "")


def _noisy(tables: Mapping[str, Published], min_count: int) -> Audit:
    """What somebody learns of noisy tables who knows the ptable; that nobody does is told where nothing is said."""
    audit = Audit()
    for name, one in tables.items():
        if one.said.method != "cell-key":
            continue
        if one.said.known.ptable is not None:
            ptable = read_ptable(one.said.known.ptable)
            known = {} if one.known is None else {name: one.known}
            audit = audit.joined(audit_noise({name: one.safe}, ptable, min_count=min_count, known=known))
        elif one.said.known.noise is None:
            unsaid = f"{name}: nobody says how far its noise reaches: say noise or ptable under --known"
            audit = audit.joined(Audit(not_checked=(unsaid,)))
    return audit


def _known(tables: Mapping[str, Published], public: Sequence[Published]) -> dict[str, Intervals]:
    """Bounds per table from markers, from what is known of it, and from other public tables."""
    known: dict[str, Intervals] = {}
    for name, one in tables.items():
        bounds = bounds_from(public, one.safe) if public else None
        both = [each for each in (bounds, one.known) if each is not None]
        if both:
            known[name] = both[0] if len(both) == 1 else both[0].intersected(both[1])
    return known


def _write_report(path: Path, read: _Read, audit: Audit, min_count: int) -> tuple[Path, ...]:
    plain = {
        "private": True,
        "warning": "Private: for reviewers alone. Tells what can be proven of single cells.",
        "form": 1,
        "command": "attack",
        "software": software_name(),
        "min_count": min_count,
        "tables": [
            {"name": name, "file": one.said.path.name, "method": one.safe.method.name, "base": one.safe.method.base}
            for name, one in read.tables.items()
        ],
        "audit": audit_as_dict(audit),
    }
    return write_whole([Writing(target=path, write=lambda to: _write_text(to, json_text(plain)), private=True)])


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")
