"""The command ``smallarea assess-request``: reads options, assesses, tells where the request stands."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from common.progress import Progress
from releases.commandoptions import Json
from releases.console import Outcome
from releases.days import Day, day_of

__all__ = ["register"]

Run = Callable[[str, Callable[[Progress], Outcome], bool], None]


def register(app: typer.Typer, run: Run) -> None:
    """Add the command; `run` is what runs every command: its name, its body, whether it answers in JSON."""

    @app.command("assess-request")
    def assess_request(
        request: Annotated[Path, typer.Argument(metavar="REQUEST.toml", help="The request for data.")],
        report: Annotated[
            Path | None, typer.Option("--report", help="Case document to draft: .html, .md or .json.")
        ] = None,
        policy: Annotated[
            Path | None, typer.Option("--policy", help="Your own policy (default: the example that ships).")
        ] = None,
        dictionary: Annotated[
            Path | None, typer.Option("--dictionary", help="Fields of your own beside the data dictionary.")
        ] = None,
        date: Day = "",
        as_json: Json = False,
    ) -> None:
        """Place a request for data in the five-step order, judge its fields, draft the case document.

        Example: smallarea assess-request REQUEST.toml --report case.html
        """

        def body(progress: Progress) -> Outcome:
            from releases.requests.assessment import assess

            done = assess(
                request, date=day_of(date, dt.date.today()), report=report, policy=policy, dictionary=dictionary
            )
            notices: tuple[str, ...] = ()
            if done.assessment.policy.example:
                notices = ("held against the example policy that ships: give your own with --policy",)
            return Outcome(
                verdict=done.plain["step"] or "no step",
                lines=done.lines,
                listed={"request": done.plain},
                notices=notices,
                written=done.written,
            )

        run("assess-request", body, as_json)
