"""The command ``smallarea freeze``: reads options, freezes, tells where."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from common.progress import Progress
from releases.commandoptions import Json
from releases.console import Outcome
from releases.days import Day, day_of

if TYPE_CHECKING:
    from releases.freeze.freezing import Frozen

__all__ = ["register"]

Run = Callable[[str, Callable[[Progress], Outcome], bool], None]


def register(app: typer.Typer, run: Run) -> None:
    """Add the command; `run` is what runs every command: its name, its body, whether it answers in JSON."""

    @app.command()
    def freeze(
        release: Annotated[Path, typer.Argument(metavar="RELEASE", help="The release file of the quarter.")],
        out: Annotated[Path, typer.Option("--out", help="Folder for frozen extracts, private; one for all quarters.")],
        key_file: Annotated[
            Path | None, typer.Option("--key-file", help="File with the key of references; else that of the series.")
        ] = None,
        custody: Annotated[
            Path | None, typer.Option("--custody", help="Record of keys; the key must be in use on the date.")
        ] = None,
        first: Annotated[
            str, typer.Option("--from", help="First day of the window, YYYY-MM-DD; else three months before.")
        ] = "",
        date: Day = "",
        threads: Annotated[int | None, typer.Option("--threads", min=1, help="Threads for counting records.")] = None,
        as_json: Json = False,
    ) -> None:
        """Keep what counting a quarter needs under keyed references; a revised extract tells what came late.

        Example: smallarea freeze RELEASE.toml --out frozen
        """

        def body(progress: Progress) -> Outcome:
            from releases.freeze import freezing as frozen

            today = dt.date.today()
            options = frozen.FreezeOptions(
                release=release,
                out=out,
                key_file=key_file,
                custody=custody,
                from_date=day_of(first, today) if first else None,
                date=day_of(date, today),
                threads=threads,
            )
            return _told(frozen.freeze(options, progress=progress))

        run("freeze", body, as_json)


def _told(done: "Frozen") -> Outcome:
    manifest = done.manifest
    lines = [
        f"{'Frozen' if done.fresh else 'Frozen before, and the same'}: {done.folder}",
        f"Status: {manifest['status']}, claims from {manifest['from']} to {manifest['reference_date']}",
        f"References are keyed under {manifest['key_id']}",
    ]
    late = next((done.folder / one["path"] for one in manifest["files"] if one["path"] == "late.json"), None)
    if late is not None:
        lines.append(f"Private report on late starts and ends: {late}")
    listed = {name: manifest[name] for name in ("reference_date", "from", "status", "key_id", "fields")}
    return Outcome(
        verdict="frozen" if done.fresh else "unchanged",
        lines=tuple(lines),
        notices=done.notices,
        listed={"frozen": listed},
        written=(done.folder,) if done.fresh else (),
    )
