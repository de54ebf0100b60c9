"""The `smallarea` command: reads options, calls the rooms, tells how it went."""

import contextlib
import datetime as dt
import logging
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from common.faults import Fault, InputError
from common.progress import Progress
from releases.commandoptions import (
    Aim,
    AreasFile,
    Base,
    By,
    Categories,
    Cells,
    Complete,
    Costs,
    Count,
    Decoys,
    Engine,
    Json,
    KeyFile,
    KeyRange,
    Known,
    Margins,
    MaxHidden,
    MaxRound,
    Method,
    MinCount,
    Nests,
    NoiseBound,
    NoiseVariance,
    NoLoneClaimants,
    Profile,
    PTable,
    Public,
    Report,
    Sensitive,
    Share,
    ShowLevels,
    ShowTotals,
    ShowZeros,
    Steps,
    Weights,
    listed_names,
    listed_numbers,
)
from releases.comparecommand import register as register_compare
from releases.console import Outcome, mend_lines, run, shown_progress
from releases.freezecommand import register as register_freeze
from releases.requestcommand import register as register_assess_request
from releases.retentioncommand import register as register_retention
from releases.validatebatchcommand import register as register_validate_batch
from sdc.findings import Audit

__all__ = ["app", "main"]

app = typer.Typer(
    name="smallarea",
    help="From claimant records to counts for small areas that identify nobody: protected, attacked, published.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@contextlib.contextmanager
def _progress() -> Iterator[Progress]:
    shown = shown_progress()
    try:
        yield shown
    finally:
        finish = getattr(shown, "finish", None)
        if finish:
            finish()


def _do(command: str, body: Callable[[Progress], Outcome], as_json: bool) -> None:
    def shown() -> Outcome:
        with _progress() as progress:
            return body(progress)

    raise typer.Exit(run(command, shown, as_json=as_json))


@app.command()
def demo(
    out: Annotated[Path, typer.Option("--out", help="Folder for the published release.")] = Path("smallarea-demo"),
    as_json: Json = False,
) -> None:
    """Do the whole job on a made-up city: records, counts, protection, attack, pages. Needs no network.

    Example: smallarea demo
    """

    def body(progress: Progress) -> Outcome:
        from releases.pipeline import publish
        from releases.synth import DEMO_KEY, SynthOptions, synthesise

        with tempfile.TemporaryDirectory(prefix="smallarea-demo-") as folder:
            source = Path(folder) / "city"
            synthesise(SynthOptions(out=source, size=20_000, seed=1, key=DEMO_KEY), progress=progress)
            done = publish(source / "RELEASE.toml", out, progress=progress)
        return _published(done, "The key of the demonstration is no secret.")

    _do("demo", body, as_json)


@app.command()
def publish(
    release: Annotated[Path, typer.Argument(metavar="RELEASE.toml", help="The release file.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for the published release.")],
    review_dir: Annotated[
        Path | None,
        typer.Option("--review-dir", help="Folder for reviewers (default: DIR with -review behind its name)."),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option("--report", help="Private file (.html or .json): what was found, where a release is refused."),
    ] = None,
    threads: Annotated[int | None, typer.Option("--threads", min=1, help="Threads for counting records.")] = None,
    engine: Engine = "duckdb",
    as_json: Json = False,
) -> None:
    """Publish a release: count, protect, attack, write tables, maps, pages and the review pack.

    Nothing is written unless the release is safe.

    Example: smallarea publish RELEASE.toml --out published
    """

    def body(progress: Progress) -> Outcome:
        from releases.pipeline import publish as publish_release

        return _published(
            publish_release(
                release, out, review=review_dir, report=report, progress=progress, threads=threads, engine=engine
            )
        )

    _do("publish", body, as_json)


def _published(done: Any, *more: str) -> Outcome:
    lines = (
        f"Published {done.release}: open {done.release / 'index.html'}",
        f"For reviewers only: {done.review / 'review.html'}",
        *more,
    )
    return Outcome(
        verdict="safe", lines=lines, notices=done.notices, audit=done.audit, written=(done.release, done.review)
    )


@app.command()
def check(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="A release folder.")],
    review_dir: Annotated[Path | None, typer.Option("--review-dir", help="Look at the reviewers' folder too.")] = None,
    as_json: Json = False,
) -> None:
    """Check a release folder from its published files alone, as an independent reviewer would.

    Example: smallarea check published
    """

    def body(progress: Progress) -> Outcome:
        from releases.check import check_release
        from releases.folder import mend
        from releases.reviewfolder import review_folder

        for folder in (directory, review_dir or review_folder(directory)):
            mend(folder)
        audit = check_release(directory, review_dir, progress)
        lines = (f"{directory}: {'passes every check' if audit.safe else 'does not pass'}", *_looked_at(audit))
        return Outcome(verdict="safe" if audit.safe else "not safe", lines=lines, audit=audit)

    _do("check", body, as_json)


@app.command()
def protect(
    counts: Annotated[Path, typer.Argument(metavar="COUNTS", help="CSV or Parquet, one row per combination.")],
    out: Annotated[Path, typer.Option("--out", help="The safe table, .csv or .parquet.")],
    nest: Nests = None,
    by: By = "",
    margins: Margins = "all",
    count: Count = "count",
    areas: AreasFile = None,
    categories: Categories = None,
    complete: Complete = False,
    already_public: Public = None,
    known: Known = None,
    method: Method = None,
    base: Base = None,
    min_count: MinCount = None,
    profile: Profile = None,
    aim: Aim = None,
    share: Share = None,
    weights: Weights = "",
    steps: Steps = None,
    max_round: MaxRound = None,
    ptable: PTable = None,
    noise_bound: NoiseBound = None,
    noise_variance: NoiseVariance = None,
    key_range: KeyRange = None,
    show_levels: ShowLevels = "",
    show_totals: ShowTotals = "",
    cost: Costs = None,
    show_zeros: ShowZeros = False,
    no_lone_claimants: NoLoneClaimants = False,
    decoys: Decoys = None,
    cells: Cells = None,
    max_hidden: MaxHidden = None,
    sensitive: Sensitive = "",
    key_file: KeyFile = None,
    report: Report = None,
    attack: Annotated[
        bool, typer.Option("--attack", help="Attack the result first; write nothing if it fails.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Protect one table of counts: COUNTS in, one safe table out.

    Example: smallarea protect counts.csv --nest "oa<lsoa<lad" --by benefit --areas areas.csv --complete --out safe.csv
    """

    def body(progress: Progress) -> Outcome:
        from releases.methodoptions import MethodOptions
        from releases.protect import ProtectOptions
        from releases.protect import protect as protect_table

        options = ProtectOptions(
            counts=counts,
            out=out,
            nests=tuple(nest or ()),
            by=listed_names(by),
            margins=_one_of("--margins", margins, ("all", "finest")),
            count=count,
            areas=areas,
            categories=categories,
            complete=complete,
            already_public=tuple(already_public or ()),
            known=known,
            method=method,
            base=base,
            min_count=min_count,
            profile=profile,
            method_options=MethodOptions(
                aim=aim,
                share=share,
                weights=listed_numbers("--weights", weights),
                steps=steps,
                max_round=max_round,
                ptable=ptable,
                noise_bound=noise_bound,
                noise_variance=noise_variance,
                key_range=key_range,
                show_levels=listed_names(show_levels),
                show_totals=listed_names(show_totals),
                costs=tuple(cost or ()),
                show_zeros=show_zeros,
                lone_claimants=not no_lone_claimants,
                decoys=decoys,
                cells=cells,
                max_hidden=max_hidden,
            ),
            sensitive=listed_names(sensitive),
            key_file=key_file,
            report=report,
            attack=attack,
        )
        done = protect_table(options, progress=progress)
        verdict = "written" if done.audit is None else "safe"
        return Outcome(
            verdict=verdict,
            lines=tuple(f"Wrote {path}" for path in done.written),
            notices=done.notices,
            audit=done.audit or Audit(),
            written=done.written,
        )

    _do("protect", body, as_json)


@app.command()
def attack(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Published tables, ours or anybody's.")],
    nest: Nests = None,
    by: By = "",
    margins: Margins = "all",
    count: Count = "count",
    areas: AreasFile = None,
    categories: Categories = None,
    complete: Complete = False,
    already_public: Public = None,
    known: Known = None,
    method: Annotated[
        str | None, typer.Option("--method", help="How the tables were made, where nothing else says.")
    ] = None,
    base: Annotated[int | None, typer.Option("--base", help="Rounding base, where nothing else says.")] = None,
    min_count: Annotated[
        int | None, typer.Option("--min-count", help="The smallest count above 0 that may be told.")
    ] = None,
    profile: Profile = None,
    max_certainty: Annotated[
        float | None, typer.Option("--max-certainty", help="How firmly one value may be believed, the ptable known.")
    ] = None,
    sensitive: Sensitive = "",
    key_file: KeyFile = None,
    truth: Annotated[
        Path | None, typer.Option("--truth", help="The true COUNTS: then only true small counts count.")
    ] = None,
    report: Report = None,
    as_json: Json = False,
) -> None:
    """Find what can be deduced from published tables, ours or anybody's.

    Example: smallarea attack safe.csv
    """

    def body(progress: Progress) -> Outcome:
        from releases.attack import AttackOptions
        from releases.attack import attack as attack_tables

        options = AttackOptions(
            files=tuple(files),
            nests=tuple(nest or ()),
            by=listed_names(by),
            count=count,
            areas=areas,
            categories=categories,
            already_public=tuple(already_public or ()),
            known=known,
            method=method,
            base=base,
            min_count=min_count,
            profile=profile,
            max_certainty=max_certainty,
            sensitive=listed_names(sensitive),
            truth=truth,
            report=report,
        )
        done = attack_tables(options, progress=progress)
        audit = done.audit or Audit()
        lines = (
            "Nothing that may not be told can be proven" if audit.safe else "Disclosures were found",
            *_looked_at(audit),
        )
        return Outcome(
            verdict="safe" if audit.safe else "not safe",
            lines=lines,
            notices=(*done.notices, *mend_lines(done.mends)),
            audit=audit,
            written=done.written,
        )

    _do("attack", body, as_json)


@app.command()
def profiles(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="A profile to explain: gss-5, gss-5@1, or a file.")
    ] = None,
    diff: Annotated[str | None, typer.Option("--diff", help="Another profile: what the two say differently.")] = None,
    as_json: Json = False,
) -> None:
    """List the named sets of rules, explain one, or compare two.

    Example: smallarea profiles gss-5 --diff dwp-oa
    """

    def body(progress: Progress) -> Outcome:
        from releases import profiles as known

        if name is None:
            if diff is not None:
                raise _option_fault("--diff", "there is nothing to compare it with", "name two profiles")
            listed = [known.profile_as_dict(known.find_profile(one)) for one in known.profile_names()]
            return Outcome(verdict="listed", lines=known.list_lines(), listed={"profiles": listed})
        first = known.find_profile(name)
        if diff is None:
            told = {"profiles": [known.profile_as_dict(first)]}
            return Outcome(verdict="explained", lines=known.explanation_lines(first), listed=told)
        second = known.find_profile(diff)
        both = [known.profile_as_dict(one) for one in (first, second)]
        return Outcome(verdict="compared", lines=known.difference_lines(first, second), listed={"profiles": both})

    _do("profiles", body, as_json)


def _looked_at(audit: Audit) -> tuple[str, ...]:
    checked = tuple(f"Checked: {what}" for what in audit.checked)
    return checked + tuple(f"Not checked: {what}" for what in audit.not_checked)


@app.command()
def synth(
    out: Annotated[Path, typer.Option("--out", help="A new folder.")],
    size: Annotated[int | None, typer.Option("--size", help="How many claims, trouble included.")] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Another number, other claims.")] = 1,
    date: Annotated[str, typer.Option("--date", help="Reference date, YYYY-MM-DD.")] = "2026-05-31",
    form: Annotated[str, typer.Option("--format", help="csv or parquet.")] = "csv",
    files: Annotated[int, typer.Option("--files", min=1, help="How many files.")] = 1,
    areas: Annotated[
        Path | None, typer.Option("--areas", help="Lookup of given areas, a row per smallest area.")
    ] = None,
    nest: Annotated[str, typer.Option("--nest", help='Its columns, smallest first: "oa21cd<lsoa21cd<msoa21cd".')] = "",
    country: Annotated[
        int | None, typer.Option("--country", min=1, help="A made-up country of so many output areas.")
    ] = None,
    postcodes: Annotated[Path | None, typer.Option("--postcodes", help="Postcode lookup of the given areas.")] = None,
    postcode_columns: Annotated[str, typer.Option("--postcode-columns", help='Its columns: "pcds,oa21cd".')] = "",
    boundary: Annotated[list[str] | None, typer.Option("--boundary", help="LEVEL=FILE, repeatable.")] = None,
    attribution: Annotated[
        str, typer.Option("--attribution", help="Copyright line of the boundaries.")
    ] = "Boundaries as supplied",
    match: Annotated[Path | None, typer.Option("--match", help="Published counts that the claims must equal.")] = None,
    where: Annotated[
        list[str] | None, typer.Option("--where", help="COLUMN=VALUE: rows of COUNTS to match, repeatable.")
    ] = None,
    consent: Annotated[
        bool, typer.Option("--consent", help="Make markers that need consent too, the consent, and a table by one.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Make up an extract of claims with the trouble that real ones have, and a RELEASE.toml for it.

    Example: smallarea synth --size 10000 --out made-up
    """

    def body(progress: Progress) -> Outcome:
        from releases.synth import SynthOptions, synthesise

        columns = [name.strip() for name in postcode_columns.split(",") if name.strip()]
        options = SynthOptions(
            out=out,
            size=size,
            seed=seed,
            reference_date=_date(date),
            format=_one_of("--format", form, ("csv", "parquet")),
            files=files,
            areas=areas,
            nest=tuple(part.strip() for part in nest.split("<") if part.strip()),
            country=country,
            postcodes=postcodes,
            postcode_columns=(columns[0], columns[1]) if len(columns) == 2 else None,
            boundaries=tuple((level, Path(path)) for level, path in _pairs("--boundary", boundary)),
            attribution=attribution,
            match=match,
            where=tuple(_pairs("--where", where)),
            consent=consent,
        )
        made, written = synthesise(options, progress=progress)
        lines = [f"Made {made.rows:,} claims in {out}"]
        lines += [f"  {count:>12,}  {bucket}" for bucket, count in made.buckets.items()]
        lines.append(f"Next: smallarea publish {out / 'RELEASE.toml'} --out DIR")
        return Outcome(verdict="made", lines=tuple(lines), written=written)

    _do("synth", body, as_json)


def _pairs(option: str, given: list[str] | None) -> list[tuple[str, str]]:
    pairs = []
    for one in given or []:
        name, equals, value = one.partition("=")
        if not (name and equals and value):
            raise _option_fault(option, f"'{one}' is not of the form NAME=VALUE", "write it so")
        pairs.append((name, value))
    return pairs


def _date(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise _option_fault("--date", f"'{text}' is no date", "write it as YYYY-MM-DD") from None


def _one_of(option: str, given: str, allowed: tuple[str, ...]) -> str:
    if given not in allowed:
        raise _option_fault(option, f"'{given}' is not known", f"use one of {', '.join(allowed)}")
    return given


def _option_fault(option: str, found: str, mend: str) -> InputError:
    return InputError([Fault(kind="option", key=option, found=found, mend=mend)])


register_compare(app, _do)
register_validate_batch(app, _do)
register_assess_request(app, _do)
register_retention(app, _do)
register_freeze(app, _do)


def main() -> None:
    """Entry point: options that cannot be read end with exit code 2, like any other fault in the input."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    arguments = sys.argv[1:]
    try:
        code = app(args=arguments, standalone_mode=False)
    except typer.Abort:
        raise SystemExit(130) from None
    except Exception as error:
        # Typer keeps its own copy of click, whose errors carry `format_message`.
        message = getattr(error, "format_message", None)
        if message is None:
            raise
        fault = _option_fault("options", str(message()).rstrip("."), "see smallarea --help")

        def told() -> Outcome:
            raise fault

        code = run(arguments[0] if arguments else "", told, as_json="--json" in arguments)
    raise SystemExit(code or 0)
