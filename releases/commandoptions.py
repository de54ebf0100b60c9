"""Options that several commands share, each with its words of help."""

from pathlib import Path
from typing import Annotated

import typer

from common.faults import Fault, InputError

__all__ = [
    "Aim",
    "AreasFile",
    "Base",
    "By",
    "Categories",
    "Cells",
    "Complete",
    "Costs",
    "Count",
    "Decoys",
    "Engine",
    "Json",
    "KeyFile",
    "KeyRange",
    "Known",
    "Margins",
    "MaxHidden",
    "MaxRound",
    "Method",
    "MinCount",
    "Nests",
    "NoLoneClaimants",
    "NoiseBound",
    "NoiseVariance",
    "PTable",
    "Profile",
    "Public",
    "Report",
    "Sensitive",
    "Share",
    "ShowLevels",
    "ShowTotals",
    "ShowZeros",
    "Steps",
    "Weights",
    "listed_names",
    "listed_numbers",
    "one_of",
    "option_fault",
]

Json = Annotated[bool, typer.Option("--json", help="Put one JSON object on standard output, nothing else.")]
KeyFile = Annotated[
    Path | None, typer.Option("--key-file", help="File with the key; else SMALLAREA_KEY_FILE, else your own.")
]
Nests = Annotated[
    list[str] | None,
    typer.Option("--nest", help='Columns that hold the areas, smallest first: "oa<lsoa<msoa<lad". Repeatable.'),
]
By = Annotated[str, typer.Option("--by", help='Columns of the flat dimensions: "benefit,sex".')]
Margins = Annotated[str, typer.Option("--margins", help="all, or finest: finest crossing and its grand total alone.")]
Count = Annotated[str, typer.Option("--count", help="The column of counts.")]
Engine = Annotated[
    str, typer.Option("--engine", help="What reads records: duckdb, or spark, which says the same (extra `spark`).")
]
AreasFile = Annotated[Path | None, typer.Option("--areas", help="All areas there are: a row per smallest area.")]
Categories = Annotated[Path | None, typer.Option("--categories", help="All categories there are: dimension, category.")]
Complete = Annotated[bool, typer.Option("--complete", help="COUNTS itself names every area and category.")]
Public = Annotated[list[Path] | None, typer.Option("--already-public", help="A table the attacker has. Repeatable.")]
Known = Annotated[Path | None, typer.Option("--known", help="TOML file that says of each table how it was made.")]
Method = Annotated[
    str | None,
    typer.Option(
        "--method",
        help="controlled-rounding (the default), conventional-rounding, random-rounding, small-count-rounding, "
        "suppression or cell-key.",
    ),
]
Base = Annotated[int | None, typer.Option("--base", help="Rounding base; 5 where no profile says otherwise.")]
MinCount = Annotated[
    int | None,
    typer.Option("--min-count", help="The smallest count above 0 that may be told; 5 where no profile says otherwise."),
]
Profile = Annotated[str | None, typer.Option("--profile", help="A named set of rules; smallarea profiles lists them.")]
Sensitive = Annotated[str, typer.Option("--sensitive", help="Dimensions in which no group may be exposed.")]
Report = Annotated[
    Path | None, typer.Option("--report", help="Private file with all that was found: .json, of attack .html too.")
]

# Options of single methods, each with an example.
Aim = Annotated[
    str | None,
    typer.Option("--aim", help="Of controlled-rounding: unbiased (the default) or minimum-distance."),
]
Share = Annotated[
    float | None,
    typer.Option("--share", help="Of minimum distance and small counts: share of cells drawn by chance: 0.25."),
]
Weights = Annotated[
    str, typer.Option("--weights", help='Of minimum distance: what distance weighs, level by level: "1,2,4".')
]
Steps = Annotated[
    int | None,
    typer.Option("--steps", help="Of controlled-rounding of several margins: multiples beyond the two next ones: 1."),
]
MaxRound = Annotated[
    int | None, typer.Option("--max-round", help="Of small-count-rounding: the largest count that is rounded: 4.")
]
PTable = Annotated[
    Path | None, typer.Option("--ptable", help="Of cell-key: a ptable file instead of a design: ptable.csv.")
]
NoiseBound = Annotated[int | None, typer.Option("--noise-bound", help="Of cell-key: largest noise: 10.")]
NoiseVariance = Annotated[
    float | None, typer.Option("--noise-variance", help="Of cell-key: largest variance of noise: 6.5.")
]
KeyRange = Annotated[int | None, typer.Option("--key-range", help="Of cell-key: keys are 0 to this less 1: 4096.")]
ShowLevels = Annotated[
    str, typer.Option("--show-levels", help='Of suppression: levels of which nothing may be hidden: "lad,rgn".')
]
ShowTotals = Annotated[
    str, typer.Option("--show-totals", help='Of suppression: levels of which no total may be hidden: "msoa,lad".')
]
Costs = Annotated[
    list[str] | None,
    typer.Option("--cost", help="Of suppression: what hiding a level or category costs: lad=10. Repeatable."),
]
ShowZeros = Annotated[
    bool, typer.Option("--show-zeros", help="Of suppression: a zero that no rule flags may not be hidden.")
]
NoLoneClaimants = Annotated[
    bool,
    typer.Option("--no-lone-claimants", help="Of suppression: leave out guarding against people who stand alone."),
]
Decoys = Annotated[
    float | None, typer.Option("--decoys", help="Of suppression: share of harmless cells hidden like small ones: 0.01.")
]
Cells = Annotated[
    Path | None, typer.Option("--cells", help="Of suppression: cells to hide, to show, or structural: cells.csv.")
]
MaxHidden = Annotated[
    float | None,
    typer.Option("--max-hidden", help="Of suppression: share hidden above which it says what else passes: 0.25."),
]


def listed_names(given: str) -> tuple[str, ...]:
    """Names separated by commas."""
    return tuple(name.strip() for name in given.split(",") if name.strip())


def listed_numbers(option: str, given: str) -> tuple[float, ...]:
    """Numbers separated by commas (raises InputError where one is none)."""
    try:
        return tuple(float(number) for number in listed_names(given))
    except ValueError:
        raise option_fault(option, f"'{given}' is no list of numbers", "give numbers: 1,2,4") from None


def one_of(option: str, given: str, allowed: tuple[str, ...]) -> str:
    """What was given (raises InputError where it is not allowed)."""
    if given not in allowed:
        raise option_fault(option, f"'{given}' is not known", f"use one of {', '.join(allowed)}")
    return given


def option_fault(option: str, found: str, mend: str) -> InputError:
    """One option that cannot be taken."""
    return InputError([Fault(kind="option", key=option, found=found, mend=mend)])
