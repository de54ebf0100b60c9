"""The command ``smallarea validate-batch``: reads options, asks, tells the band."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from common.faults import Faults
from common.progress import Progress
from releases.commandoptions import Json, KeyFile
from releases.console import Outcome
from releases.days import day_of

if TYPE_CHECKING:
    from claimants.extract import ExtractSpec
    from releases.batches.answer import BatchAnswer

__all__ = ["register"]

Run = Callable[[str, Callable[[Progress], Outcome], bool], None]
ROUNDED = "the share is rounded to tenths by a draw that belongs to this question: asked again, the answer is the same"


def register(app: typer.Typer, run: Run) -> None:
    """Add the command; `run` is what runs every command: its name, its body, whether it answers in JSON."""

    @app.command("validate-batch")
    def validate_batch(
        batch: Annotated[Path, typer.Argument(metavar="BATCH", help="CSV or Parquet, one row a person.")],
        criteria: Annotated[
            list[str],
            typer.Option("--criteria", help='"live", "benefit=UC,JSA; age_band=Y16T24"; repeatable: all hold.'),
        ],
        extract: Annotated[
            list[Path] | None, typer.Option("--extract", help="Files or folder of the extract, repeatable.")
        ] = None,
        release: Annotated[
            Path | None, typer.Option("--release", help="RELEASE.toml whose [claims] says how the extract is read.")
        ] = None,
        date: Annotated[
            str, typer.Option("--date", help="Date on which claims are live, YYYY-MM-DD (default: today).")
        ] = "",
        column: Annotated[
            str, typer.Option("--column", help="Column of BATCH that holds the references.")
        ] = "person_reference",
        end: Annotated[
            str, typer.Option("--end", help="inclusive if a claim is live on its end date, else exclusive.")
        ] = "inclusive",
        log: Annotated[
            Path | None, typer.Option("--log", help="Private log of answered questions (default: beside the key).")
        ] = None,
        min_count: Annotated[
            int | None,
            typer.Option("--min-count", help="No group of so many people or fewer is given away; 5 at first."),
        ] = None,
        key_file: KeyFile = None,
        threads: Annotated[int | None, typer.Option("--threads", min=1, help="Threads for counting records.")] = None,
        as_json: Json = False,
    ) -> None:
        """Tell what share of a batch of people meets criteria, as a band; never who, and never twice differently.

        Example: smallarea validate-batch batch.csv --criteria "benefit=UC" --extract claims.csv --date 2026-05-31
        """

        def body(progress: Progress) -> Outcome:
            from releases.batches import answer as validatebatch

            options = validatebatch.ValidateOptions(
                batch=batch,
                criteria="; ".join(criteria),
                extract=_extract(tuple(extract or ()), release, end),
                date=day_of(date, dt.date.today()),
                column=column,
                log=log,
                min_count=min_count,
                key_file=key_file,
                threads=threads,
            )
            return _told(validatebatch.validate_batch(options, progress=progress))

        run("validate-batch", body, as_json)


def _told(answer: "BatchAnswer") -> Outcome:
    notices = [ROUNDED]
    if answer.repeated:
        notices.append(f"{answer.repeated:,} rows name a person who was named before: each person counts once")
    listed = {
        "about": answer.about,
        "at_least": answer.at_least,
        "at_most": answer.at_most,
        "people": answer.people,
        "criteria": answer.criteria,
        "date": answer.date.isoformat(),
    }
    return Outcome(
        verdict="answered",
        lines=(answer.words,),
        listed={"share": listed},
        notices=tuple(notices),
        written=(answer.log,),
    )


def _extract(paths: tuple[Path, ...], release: Path | None, end: str) -> "ExtractSpec":
    faults = Faults()
    if bool(paths) == (release is not None):
        faults.add("option", "one of --extract and --release is needed, and not both", "give one", key="--extract")
    if end not in ("inclusive", "exclusive"):
        faults.add("option", f"'{end}' is not known", "use inclusive or exclusive", key="--end")
    faults.raise_if_any()
    from claimants.extract import ExtractSpec

    if release is None:
        return ExtractSpec(paths=paths, end=end)
    from releases.publish.extracts import extract_of
    from releases.publish.releasefile import read_release

    return extract_of(read_release(release), release.name)
