"""The command ``smallarea profiles``: lists the named sets of rules, explains one, compares two."""

from collections.abc import Callable
from typing import Annotated

import typer

from common.progress import Progress
from releases.commandoptions import Json, option_fault
from releases.console import Outcome

__all__ = ["register"]

Run = Callable[[str, Callable[[Progress], Outcome], bool], None]


def register(app: typer.Typer, run: Run) -> None:
    """Add the command; `run` is what runs every command: its name, its body, whether it answers in JSON."""

    @app.command()
    def profiles(
        name: Annotated[
            str | None, typer.Argument(metavar="[NAME]", help="A profile to explain: gss-5, gss-5@1, or a file.")
        ] = None,
        diff: Annotated[
            str | None, typer.Option("--diff", help="Another profile: what the two say differently.")
        ] = None,
        as_json: Json = False,
    ) -> None:
        """List the named sets of rules, explain one, or compare two.

        Example: smallarea profiles gss-5 --diff dwp-oa
        """

        def body(progress: Progress) -> Outcome:
            from releases.rules import profiles as known

            if name is None:
                if diff is not None:
                    raise option_fault("--diff", "there is nothing to compare it with", "name two profiles")
                listed = [known.profile_as_dict(known.find_profile(one)) for one in known.profile_names()]
                return Outcome(verdict="listed", lines=known.list_lines(), listed={"profiles": listed})
            first = known.find_profile(name)
            if diff is None:
                told = {"profiles": [known.profile_as_dict(first)]}
                return Outcome(verdict="explained", lines=known.explanation_lines(first), listed=told)
            second = known.find_profile(diff)
            both = [known.profile_as_dict(one) for one in (first, second)]
            return Outcome(verdict="compared", lines=known.difference_lines(first, second), listed={"profiles": both})

        run("profiles", body, as_json)
