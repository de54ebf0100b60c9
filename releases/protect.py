"""One table of counts in, one safe table out.

Reads the counts, applies the method, attacks the result where asked, and writes
the table, its metadata and, where asked, a private report: all or nothing.
"""

from dataclasses import dataclass
from pathlib import Path

from common.faults import Faults, InputError
from common.progress import SILENT, Progress
from releases.counts import Counted, CountsSpec, read_counts
from releases.keyfiles import find_key
from releases.known import read_known
from releases.nests import parse_nests
from releases.outcome import Outcome, Refused
from releases.privatereport import protect_report
from releases.publictables import bounds_from, read_already_public, refuse_relations, tell_contradictions
from releases.published import Published
from releases.said import Defaults
from releases.software import software_name
from releases.wholefiles import Writing, check_targets, write_whole
from reports.longform import write_long
from reports.metadata import BLOCK, json_text, metadata_block, metadata_path
from sdc.attack.intervals import Intervals
from sdc.attack.judge import audit_tables
from sdc.findings import Audit
from sdc.rounding.controlled import ControlledRounding, RoundingPath, round_controlled
from sdc.rounding.conventional import round_conventional
from sdc.tables import SafeTable, Table

__all__ = ["LATER_METHODS", "METHODS", "ProtectOptions", "protect"]

METHODS = ("controlled-rounding", "conventional-rounding")
LATER_METHODS = ("suppression", "cell-key", "random-rounding", "small-count-rounding")
MARGINS = ("all", "finest")
ENDINGS = (".csv", ".parquet")
LARGEST_BASE = 1_000_000


@dataclass(frozen=True, kw_only=True)
class ProtectOptions:
    """The options of ``protect``, as the command line gives them.

    Attributes
    ----------
    counts, out : the table of counts, and the safe table to write (CSV or Parquet by its ending).
    nests : hierarchies such as ``oa<lsoa<lad``, the areas first.
    by : flat dimensions; margins : ``all`` or ``finest``; count : the column of counts.
    areas, categories : lists of all there are; complete : COUNTS names what neither lists.
    already_public : tables that the attacker has; known : what is known of them beside their metadata.
    method, base, min_count : a count x with 1 <= x <= min_count - 1 is small.
    sensitive : dimensions in which no small group may be exposed.
    key_file : else SMALLAREA_KEY_FILE, else the user's own key.
    report : where to write the private report; attack : write nothing that fails the attack.
    """

    counts: Path
    out: Path
    nests: tuple[str, ...]
    by: tuple[str, ...] = ()
    margins: str = "all"
    count: str = "count"
    areas: Path | None = None
    categories: Path | None = None
    complete: bool = False
    already_public: tuple[Path, ...] = ()
    known: Path | None = None
    method: str = "controlled-rounding"
    base: int = 5
    min_count: int = 5
    profile: str | None = None
    sensitive: tuple[str, ...] = ()
    key_file: Path | None = None
    report: Path | None = None
    attack: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class _Rounded:
    safe: SafeTable
    path: RoundingPath | None
    notices: tuple[str, ...]


def protect(options: ProtectOptions, *, progress: Progress = SILENT) -> Outcome:
    """Protect one table of counts.

    Raises
    ------
    InputError
        The input or the options are wrong, or a file cannot be written; every fault that could be found.
    Infeasible
        The method has no solution under what was asked.
    Refused
        The attack found a disclosure; nothing was written but the private report.
    """
    nest = _check_options(options)
    rounding = None
    if options.method == "controlled-rounding":
        rounding = ControlledRounding(base=options.base, min_count=options.min_count)
    progress.step("reading counts")
    counted = read_counts(
        CountsSpec(
            path=options.counts,
            nest=nest,
            by=options.by,
            count=options.count,
            areas=options.areas,
            categories=options.categories,
            complete=options.complete,
        )
    )
    public = _public(options, counted.table, nest)
    rounded = _round(options, rounding, counted.table, progress)
    known = bounds_from(public, rounded.safe) if public else None
    audit = _audit(options, rounded.safe, counted.table, known, public, progress)
    notices = counted.notices + tuple(note for one in public for note in one.notices) + rounded.notices
    return _write(options, counted, rounded, known, audit, notices, progress)


# --- Options --------------------------------------------------------------------------------------


def _check_options(options: ProtectOptions) -> tuple[str, ...]:
    """Refuse what cannot be honoured, with every fault; returns the columns of the nest."""
    faults = Faults()
    nest = parse_nests(options.nests, faults)
    _check_method(options, faults)
    if options.margins not in MARGINS:
        faults.add("option", f"'{options.margins}' is not known", "use all or finest", key="--margins")
    elif len(options.by) > 1 and options.margins == "all":
        found = "every margin of several dimensions at once is no network and is not honoured yet"
        mend = (
            "give --margins finest for the crossing and its total, or run protect once per dimension, "
            "naming the tables before with --already-public"
        )
        faults.add("relation", found, mend, key="--margins")
    for name in options.sensitive:
        if name not in options.by:
            faults.add("option", f"'{name}' is no dimension of the table", "name one of --by", key="--sensitive")
    if options.out.suffix.lower() not in ENDINGS:
        found = f"the ending '{options.out.suffix}' is not known"
        faults.add("ending", found, "name a file that ends in .csv or .parquet", file=str(options.out), key="--out")
    try:
        check_targets(_targets(options), _inputs(options))
    except InputError as error:
        faults.extend(error)
    faults.raise_if_any()
    return nest


def _check_method(options: ProtectOptions, faults: Faults) -> None:
    if options.method in LATER_METHODS:
        mend = f"use {' or '.join(METHODS)}"
        faults.add("method", f"{options.method} is not in this version", mend, key="--method")
    elif options.method not in METHODS:
        faults.add("method", f"'{options.method}' is not known", f"use one of {', '.join(METHODS)}", key="--method")
    if options.profile is not None:
        faults.add("method", "profiles are not in this version", "give --base and --min-count", key="--profile")
    if not 2 <= options.base <= LARGEST_BASE:
        mend = f"give 2 to {LARGEST_BASE:,}"
        faults.add("option", f"base ({options.base}) rounds nothing or everything", mend, key="--base")
    if not 2 <= options.min_count <= LARGEST_BASE:
        mend = f"give 2 to {LARGEST_BASE:,}"
        faults.add("option", f"min_count ({options.min_count}) must be at least 2", mend, key="--min-count")


def _targets(options: ProtectOptions) -> dict[str, Path]:
    targets = {"--out": options.out, "the metadata of --out": metadata_path(options.out)}
    return targets if options.report is None else {**targets, "--report": options.report}


def _inputs(options: ProtectOptions) -> list[Path]:
    files = [options.counts, options.areas, options.categories, options.known, options.key_file]
    public = [path for table in options.already_public for path in (table, metadata_path(table))]
    return [path for path in (*files, *public) if path is not None]


# --- The work -------------------------------------------------------------------------------------


def _public(options: ProtectOptions, table: Table, nest: tuple[str, ...]) -> tuple[Published, ...]:
    if not options.already_public:
        return ()
    known = read_known(options.known) if options.known else ()
    defaults = Defaults(nest=nest, count=options.count)
    public = read_already_public(options.already_public, known, table, defaults)
    ours = SafeTable(
        hierarchy=table.hierarchy,
        classification=table.classification,
        values=table.counts,
        method=public[0].safe.method,
    )
    refuse_relations({str(options.out): ours, **{str(one.said.path): one.safe for one in public}})
    tell_contradictions(table, public)
    return public


def _round(options: ProtectOptions, rounding: ControlledRounding | None, table: Table, progress: Progress) -> _Rounded:
    if rounding is None:
        progress.step("rounding")
        notice = (
            "conventional rounding leaks by itself: totals are rounded apart from their parts, "
            "so that small counts can be worked out; --attack tells which"
        )
        safe = round_conventional(table, base=options.base, min_count=options.min_count)
        return _Rounded(safe=safe, path=None, notices=(notice,))
    key, whence = find_key(options.key_file)
    name = options.out.stem
    tables, path = round_controlled({name: table}, spec=rounding, key=key, progress=progress)
    notices = [f"drawn with the key in {whence}"]
    if options.by and not options.already_public:
        notices.append(
            "totals are drawn for this table alone: another table of the same people that is protected apart may show "
            "others, which tells more of both; name the first with --already-public when you protect the second"
        )
    return _Rounded(safe=tables[name], path=path, notices=tuple(notices))


def _audit(
    options: ProtectOptions,
    safe: SafeTable,
    truth: Table,
    known: Intervals | None,
    public: tuple[Published, ...],
    progress: Progress,
) -> Audit | None:
    if not (options.attack or public):
        return None
    name = options.out.stem
    audit = audit_tables(
        {name: safe},
        min_count=options.min_count,
        known={} if known is None else {name: known},
        truth={name: truth},
        sensitive=options.sensitive,
        progress=progress,
    )
    if not public:
        return audit
    files = ", ".join(one.said.path.name for one in public)
    return audit.joined(
        Audit(
            checked=(f"what is already public: {files}, as bounds on the figures they share with this table",),
            not_checked=("what the public tables say together beyond the figures they share with this one",),
        )
    )


# --- Writing --------------------------------------------------------------------------------------


def _write(
    options: ProtectOptions,
    counted: Counted,
    rounded: _Rounded,
    known: Intervals | None,
    audit: Audit | None,
    notices: tuple[str, ...],
    progress: Progress,
) -> Outcome:
    """Write the table and what belongs to it; the private report alone where the audit found it unsafe."""
    progress.step("writing")
    writings = _public_files(options, rounded.safe)
    refused = audit is not None and not audit.safe
    if refused:
        writings = []
    if options.report is not None:
        text = json_text(
            protect_report(
                source=options.counts.name,
                out=None if refused else options.out.name,
                safe=rounded.safe,
                true=counted.table,
                known=known,
                path=rounded.path,
                audit=audit,
            ),
            flat=("codes", "columns", "true", "published", "marker", "status", "lo", "hi"),
        )
        writings.append(Writing(target=options.report, write=lambda path: _write_text(path, text), private=True))
    written = write_whole(writings)
    outcome = Outcome(audit=audit, written=written, notices=notices)
    if refused:
        message = "the attack on the safe table found small counts that can be proven: the table was not written"
        raise Refused(message, outcome)
    return outcome


def _public_files(options: ProtectOptions, safe: SafeTable) -> list[Writing]:
    block = metadata_block(safe, file=options.out.name, software=software_name())
    return [
        Writing(target=options.out, write=lambda path: write_long(safe, path)),
        Writing(target=metadata_path(options.out), write=lambda path: _write_text(path, json_text({BLOCK: block}))),
    ]


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")
