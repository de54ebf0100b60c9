"""The command ``smallarea compare``: reads options, compares, tells where the private page is and which methods pass."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from common.progress import Progress
from releases.commandoptions import (
    AreasFile,
    Base,
    By,
    Categories,
    Cells,
    Complete,
    Costs,
    Count,
    Decoys,
    Json,
    KeyFile,
    KeyRange,
    Known,
    Margins,
    MaxRound,
    MinCount,
    Nests,
    NoiseBound,
    NoiseVariance,
    NoLoneClaimants,
    Profile,
    PTable,
    Public,
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
from releases.console import Outcome
from sdc.findings import Audit

if TYPE_CHECKING:
    from releases.compare.sidebyside import Done

__all__ = ["register"]

Run = Callable[[str, Callable[[Progress], Outcome], bool], None]


def register(app: typer.Typer, run: Run) -> None:
    """Add the command; `run` is what runs every command: its name, its body, whether it answers in JSON."""

    @app.command()
    def compare(
        counts: Annotated[Path, typer.Argument(metavar="COUNTS", help="CSV or Parquet, one row per combination.")],
        out: Annotated[Path, typer.Option("--out", help="The private folder for the comparison.")],
        methods: Annotated[
            str, typer.Option("--methods", help='Which methods, all by default: "controlled-rounding,suppression".')
        ] = "",
        nest: Nests = None,
        by: By = "",
        margins: Margins = "all",
        count: Count = "count",
        areas: AreasFile = None,
        categories: Categories = None,
        complete: Complete = False,
        already_public: Public = None,
        known: Known = None,
        base: Base = None,
        min_count: MinCount = None,
        profile: Profile = None,
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
        sensitive: Sensitive = "",
        key_file: KeyFile = None,
        as_json: Json = False,
    ) -> None:
        """Set protection methods side by side on one table of counts: private, for the statistician's eyes only.

        Example: smallarea compare counts.csv --nest "oa<lsoa<lad" --by benefit --areas areas.csv --complete --out compared
        """

        def body(progress: Progress) -> Outcome:
            from releases.compare.sidebyside import CompareOptions
            from releases.compare.sidebyside import compare as compare_methods
            from releases.rules.methodoptions import MethodOptions

            options = CompareOptions(
                counts=counts,
                out=out,
                nests=tuple(nest or ()),
                by=listed_names(by),
                margins=margins,
                count=count,
                areas=areas,
                categories=categories,
                complete=complete,
                already_public=tuple(already_public or ()),
                known=known,
                methods=listed_names(methods),
                base=base,
                min_count=min_count,
                profile=profile,
                method_options=MethodOptions(
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
                ),
                sensitive=listed_names(sensitive),
                key_file=key_file,
            )
            return _told(compare_methods(options, progress=progress))

        run("compare", body, as_json)


def _told(done: "Done") -> Outcome:
    """Which methods pass, and where the page is: no figure that is measured against true counts."""
    facts = done.comparison
    verdicts = {one.name: "passes" if one.audit.safe else "fails" for one in facts.methods}
    listed = [{"method": name, "attack": verdict, "reason": None} for name, verdict in verdicts.items()]
    listed += [{"method": name, "attack": "not compared", "reason": reason} for name, reason in facts.unfit]
    lines = [f"{name}: {verdict} its attack" for name, verdict in verdicts.items()]
    lines += [f"{name}: not compared: {reason}" for name, reason in facts.unfit]
    lines.append(f"Private, for the statistician's eyes only: open {done.written[0]}")
    return Outcome(
        verdict="compared",
        lines=tuple(lines),
        listed={"methods": listed},
        notices=done.notices,
        audit=Audit(
            checked=_joined((one.name, one.audit.checked) for one in facts.methods),
            not_checked=_joined((one.name, one.audit.not_checked) for one in facts.methods),
        ),
        written=done.written,
    )


def _joined(told: Iterable[tuple[str, tuple[str, ...]]]) -> tuple[str, ...]:
    return tuple(f"{name}: {sentence}" for name, sentences in told for sentence in sentences)
