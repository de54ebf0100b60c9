"""What can be deduced from published tables, ours or anybody's."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from common.faults import Faults, InputError
from common.progress import SILENT, Progress
from releases.attack.attacking import attack_targets, targets_of
from releases.attack.knowledge import certainty_asked, with_knowledge
from releases.attack.known import Known, read_all_known
from releases.attack.markersigns import with_marks
from releases.attack.pieces import Read, read_pieces
from releases.attack.reportfile import check_report, write_attack_report
from releases.attack.said import Defaults
from releases.counts.nests import parse_nests
from releases.files.wholefiles import check_targets
from releases.outcome import Outcome
from releases.rules.profiles import find_profile
from releases.software import software_name
from reports.attackreport import AttackedTable, AttackFacts
from sdc.attack.targets import Target
from sdc.findings import Audit
from sdc.mends.trying import Mend, try_mends

__all__ = ["AttackOptions", "attack"]

# Attacks for one kind of mend, by how many cells there are.
ATTEMPTS = ((50_000, 8), (500_000, 3), (10**12, 0))


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
    known : what is known of single files, see `releases.attack.known`.
    report : where to write the private report.
    max_certainty : how firmly one value may be believed by somebody with the ptable; else as files say, else 0.9.
    profile : its marks are read as it says, where nothing else is known of them.
    margins, complete : options of ``protect`` that an attack has no use for.
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
    max_certainty: float | None = None
    margins: str = "all"
    complete: bool = False
    profile: str | None = None


def attack(options: AttackOptions, *, progress: Progress = SILENT) -> Outcome:
    """Attack published tables, each with all that say something of it.

    The audit in the outcome says whether they are safe; where not, mends are tried.

    Raises
    ------
    InputError
        A file cannot be read; nobody says its method or its area tree; a truth does not fit its table.
    """
    nest = _check_options(options)
    known = read_all_known(options.known) if options.known else Known()
    if options.profile is not None:
        known = with_marks(known, find_profile(options.profile), options.files)
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
    read = read_pieces(
        options.files,
        known,
        defaults,
        truth=options.truth,
        public=options.already_public,
        min_count=options.min_count,
        progress=progress,
    )
    targets, unsaid = with_knowledge(read, targets_of(read))
    certainty = certainty_asked(read, options.max_certainty)

    def attacked(tables: Sequence[Target], verdict: bool = False) -> Audit:
        return attack_targets(
            read,
            tables,
            sensitive=options.sensitive,
            max_certainty=certainty,
            verdict=verdict,
            progress=progress,
        )

    audit = attacked(targets).joined(unsaid)
    mends = () if audit.safe else _mends(read, targets, audit, attacked, progress)
    untried = (
        () if audit.safe or mends else ("the tables are too large for mends to be tried: take a part of the areas",)
    )
    notices = (*_min_count(options, read), *read.notices, *untried)
    written: tuple[Path, ...] = ()
    if options.report is not None:
        facts = _facts(read, audit, mends, with_truth=options.truth is not None, notices=notices)
        written = write_attack_report(options.report, facts)
    return Outcome(audit=audit, written=written, notices=notices, mends=mends)


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
    if options.max_certainty is not None and not 0 < options.max_certainty <= 1:
        mend = "give a probability above 0 and at most 1"
        faults.add("option", f"{options.max_certainty:g} is no probability", mend, key="--max-certainty")
    if options.report is not None:
        try:
            check_report(options.report)
        except InputError as error:
            faults.extend(error)
        inputs = [options.truth, options.areas, options.categories, options.known, *options.files]
        try:
            check_targets({"--report": options.report}, [path for path in inputs if path is not None])
        except InputError as error:
            faults.extend(error)
    faults.raise_if_any()
    return nest


def _min_count(options: AttackOptions, read: Read) -> tuple[str, ...]:
    """What to say of the smallest non-zero count that may be told, where files and options differ."""
    told = sorted({one.min_count for one in read.said.values() if one.min_count is not None})
    others = [number for number in told if number != read.min_count]
    if options.min_count is not None:
        return (
            (f"judged by --min-count {options.min_count}; files say {', '.join(map(str, others))}",) if others else ()
        )
    if not told:
        return (f"nobody says min_count; judged by {read.min_count}",)
    return (f"files say min_count {', '.join(map(str, told))}; judged by the largest",) if others else ()


# --- Mends and the report -------------------------------------------------------------------------


def _mends(
    read: Read,
    targets: Sequence[Target],
    audit: Audit,
    attacked: Callable[[Sequence[Target], bool], Audit],
    progress: Progress,
) -> tuple[Mend, ...]:
    """What would pass; of large tables fewer attempts are made."""
    cells = sum(target.piece.values.size for target in targets)
    most = next(number for limit, number in ATTEMPTS if cells <= limit)
    if most == 0:
        return ()

    def again(tables: object, verdict: bool = False) -> Audit:
        assert isinstance(tables, Sequence)
        return attacked(tables, verdict)

    return try_mends(
        targets,
        audit,
        attack=again,
        verdict=partial(again, verdict=True),
        min_count=read.min_count,
        fixed=[target.piece.name for target in targets if target.public],
        most_attacks=most,
        progress=progress,
    )


def _facts(
    read: Read, audit: Audit, mends: tuple[Mend, ...], *, with_truth: bool, notices: tuple[str, ...]
) -> AttackFacts:
    tables = [
        AttackedTable(
            name=piece.name,
            file=read.said[piece.name].path.name if piece.name in read.said else "",
            method=piece.method.name,
            base=piece.method.base,
            levels=piece.axes[0].hierarchy.levels,
            public=public,
        )
        for pieces, public in ((read.pieces, False), (read.public_pieces, True))
        for piece in pieces
    ]
    return AttackFacts(
        audit=audit,
        tables=tuple(tables),
        min_count=read.min_count,
        with_truth=with_truth,
        mends=mends,
        software=software_name(),
        notices=notices,
    )
