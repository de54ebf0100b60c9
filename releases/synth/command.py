"""The command ``smallarea synth``: reads options, makes an extract, tells what is in it."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from common.progress import Progress
from releases.commandoptions import Json, one_of, option_fault
from releases.console import Outcome
from releases.days import day_of

__all__ = ["register"]

Run = Callable[[str, Callable[[Progress], Outcome], bool], None]


def register(app: typer.Typer, run: Run) -> None:
    """Add the command; `run` is what runs every command: its name, its body, whether it answers in JSON."""

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
        nest: Annotated[
            str, typer.Option("--nest", help='Its columns, smallest first: "oa21cd<lsoa21cd<msoa21cd".')
        ] = "",
        country: Annotated[
            int | None, typer.Option("--country", min=1, help="A made-up country of so many output areas.")
        ] = None,
        postcodes: Annotated[
            Path | None, typer.Option("--postcodes", help="Postcode lookup of the given areas.")
        ] = None,
        postcode_columns: Annotated[str, typer.Option("--postcode-columns", help='Its columns: "pcds,oa21cd".')] = "",
        boundary: Annotated[list[str] | None, typer.Option("--boundary", help="LEVEL=FILE, repeatable.")] = None,
        attribution: Annotated[
            str, typer.Option("--attribution", help="Copyright line of the boundaries.")
        ] = "Boundaries as supplied",
        match: Annotated[
            Path | None, typer.Option("--match", help="Published counts that the claims must equal.")
        ] = None,
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
            from releases.synth.making import SynthOptions, synthesise

            columns = [name.strip() for name in postcode_columns.split(",") if name.strip()]
            options = SynthOptions(
                out=out,
                size=size,
                seed=seed,
                reference_date=day_of(date, dt.date.today()),
                format=one_of("--format", form, ("csv", "parquet")),
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

        run("synth", body, as_json)


def _pairs(option: str, given: list[str] | None) -> list[tuple[str, str]]:
    pairs = []
    for one in given or []:
        name, equals, value = one.partition("=")
        if not (name and equals and value):
            raise option_fault(option, f"'{one}' is not of the form NAME=VALUE", "write it so")
        pairs.append((name, value))
    return pairs
