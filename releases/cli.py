"""The `smallarea` command: reads options, calls the rooms, tells how it went."""

import contextlib
import logging
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from common.progress import Progress
from releases.batches.command import register as register_validate_batch
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
    one_of,
    option_fault,
)
from releases.compare.command import register as register_compare
from releases.console import Outcome, mend_lines, run, shown_progress
from releases.freeze.command import register as register_freeze
from releases.requests.command import register as register_assess_request
from releases.retention.command import register as register_retention
from releases.rules.profilescommand import register as register_profiles
from releases.synth.command import register as register_synth
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
        from releases.publish.pipeline import publish
        from releases.synth.making import DEMO_KEY, SynthOptions, synthesise

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
        from releases.publish.pipeline import publish as publish_release

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
        from releases.files.folder import mend
        from releases.files.releasefolder import review_folder

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
        from releases.protect.onetable import ProtectOptions
        from releases.protect.onetable import protect as protect_table
        from releases.rules.methodoptions import MethodOptions

        options = ProtectOptions(
            counts=counts,
            out=out,
            nests=tuple(nest or ()),
            by=listed_names(by),
            margins=one_of("--margins", margins, ("all", "finest")),
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
        from releases.attack.deducing import AttackOptions
        from releases.attack.deducing import attack as attack_tables

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


def _looked_at(audit: Audit) -> tuple[str, ...]:
    checked = tuple(f"Checked: {what}" for what in audit.checked)
    return checked + tuple(f"Not checked: {what}" for what in audit.not_checked)


register_profiles(app, _do)
register_synth(app, _do)
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
        fault = option_fault("options", str(message()).rstrip("."), "see smallarea --help")

        def told() -> Outcome:
            raise fault

        code = run(arguments[0] if arguments else "", told, as_json="--json" in arguments)
    raise SystemExit(code or 0)
