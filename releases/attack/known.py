"""What is known of published files beside the files themselves, and how they relate: ``--known FILE.toml``.

One ``[[file]]`` for each published file; every key but `path` may be left out::

    [[file]]
    path = "claims-by-ward.csv"        # from the folder of this file
    nest = "oa<lsoa<lad"               # columns of its area tree, smallest first
    areas = "lookup.csv"               # one row per smallest area, with the nest's columns
    by = ["benefit"]                   # its flat dimensions; [] where it holds totals alone
    categories = "categories.csv"      # columns dimension, category
    method = "conventional-rounding"   # controlled-, conventional-, random- or small-count-rounding,
                                       # cell-key, suppression, exact
    base = 5                           # of a rounding
    steps = 1                          # of controlled rounding: multiples beyond the two next to the count
    aim = "minimum-distance"           # of controlled rounding, or "unbiased"
    share = 0                          # of minimum distance and small counts: share drawn by chance; 0: all by rule
    max_round = 4                      # of small-count rounding: the largest count that is rounded
    secondary = "smallest"             # of suppression: the rule that secondary cells are chosen by, where it is known
    noise = 5                          # of cell-key: the largest noise, where the attacker knows it
    zeros_kept = true                  # of cell-key: whether nobody is always shown as 0
    ptable = "ptable.csv"              # of cell-key: the ptable, where the attacker knows it
    min_count = 5                      # smallest non-zero count that it may tell
    max_certainty = 0.9                # of cell-key: how firmly one value may be believed by somebody with the ptable
    population = "claims"              # files of one population are attacked together (default: all are)
    measure = "claims"                 # what it counts, where files count different things
    date = "2026-05-31"                # its reference date, where files have different ones
    edition = 2                        # which revision of that date's figures it is
    sheet = "Table_1"                  # of an ODS workbook with several tables
    truth = "counts.csv"               # the true counts behind it, where --truth is of other files
    kind = "percentages"               # counts (default), percentages, rates or means
    of = "claims-by-ward.csv"          # the file of the counts that they are of
    decimals = 1                       # how many they are shown with (default: the most that it shows)
    denominator = "residents.csv"      # the figures that percentages or rates were divided by
    share_of = "age"                   # or the dimension over which percentages make up 100
    per = 1000                         # of rates: so many (default 1,000)
    sum_decimals = 0                   # of means: decimals of the sums (0: whole years; 2: pounds and pence)
    total = "All"                      # how a margin is written (default: Total)
    [file.where]                       # which of its rows, where it holds several tables; a [[file]] for each of them
    period = "2026-05"
    [file.columns]                     # where the columns have other names
    level = "area_level"
    area = "area"
    value = "value"
    marker = "marker"
    [file.dimensions]                  # what dimensions are called in other files, where their columns have other names
    "Age group" = "age"
    [file.levels]                      # and what levels of areas are called there
    lad11cd = "lad"
    [file.markers]                     # text in place of a value = its meaning
    "*" = "c"                          # c suppressed, z structural zero, x not available, low a zero
    "1-4" = [1, 4]                     # or the least and the most that it stands for
    "c1" = "primary"                   # hidden because it is small
    "c2" = "secondary"                 # hidden for the sake of others: not small
    "-" = "zero"                       # nobody at all
    "0~" = "rounded"                   # somebody, but rounded to 0
    [[file.bounds]]                    # what the attacker knows of a cell from elsewhere
    area = "E01000001"
    category = { benefit = "uc" }      # left out: the total
    lo = 3                             # one of lo and hi may be left out
    hi = 40
    [[file.caps]]                      # figures that no count may pass, such as populations
    path = "population.csv"            # columns area, some of the dimensions, value
    where = { sex = "Persons" }        # which of its rows

    [[file.insider]]                   # people who know their own records, and whether they learn more from them
    area = "E01000001"                 # the cell that they are counted in
    category = { benefit = "uc" }      # left out: the total
    number = 1                         # how many of them know each other (default 1)
    alone = false                      # whether they know that nobody else is counted there
    name = "a neighbour"               # cells of one name are those of one and the same people, in whatever file

How figures of different files lie on each other::

    [[overlap]]                        # rows of a lookup: how areas, or categories, of two files overlap
    dimension = "area"                 # or a dimension of the files
    path = "lookup.csv"
    columns = ["lsoa11", "ward"]       # a row for each part that none of them cuts
    [[recode]]                         # categories of one file that are made up of another's
    dimension = "age"
    [recode.of]
    "16-24" = ["16-17", "18-24"]
    [[within]]                         # each part is at most the whole, and the whole at most the sum of the parts
    parts = "claims"                   # population or measure of the one
    whole = "people"                   # and of the other
    by = "benefit"                     # the dimension that the parts are by
    [[flow]]                           # after + off = before + on
    before = "february.csv"            # each the path of a file, or a population or measure of one date
    after = "may.csv"
    on = "new-claims.csv"
    off = "ended-claims.csv"
"""

import datetime
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, ValidationError, field_validator, model_validator

from common.faults import Faults
from releases.files.misfits import tell_misfit
from releases.files.tomlfile import Part, read_toml

__all__ = [
    "Bound",
    "Cap",
    "Insider",
    "Known",
    "KnownColumns",
    "KnownFile",
    "KnownFlow",
    "KnownOverlap",
    "KnownRecode",
    "KnownWithin",
    "MarkerMeaning",
    "find_all_known",
    "find_known",
    "read_all_known",
    "with_paths",
]

PATHS = ("path", "areas", "categories", "ptable", "of", "denominator", "truth")
RELATIONS = ("overlap", "recode", "within", "flow")
Words = Annotated[str, Field(min_length=1)]


def _as_text(plain: object) -> object:
    """Dates and whole numbers as the text that they are written as."""
    if isinstance(plain, datetime.datetime | bool | float):
        return plain
    if isinstance(plain, datetime.date):
        return plain.isoformat()
    return str(plain) if isinstance(plain, int) else plain


Named = Annotated[Words, BeforeValidator(_as_text)]


class KnownColumns(Part):
    """``[file.columns]``: names of the columns; None where nothing is said."""

    level: Words | None = None
    area: Words | None = None
    value: Words | None = None
    marker: Words | None = None


class Bound(Part):
    """``[[file.bounds]]``: lo <= count <= hi for one cell."""

    area: Words
    category: dict[str, str] = Field(default_factory=dict)
    lo: Annotated[int, Field(ge=0)] = 0
    hi: Annotated[int, Field(ge=0)] | None = None

    @model_validator(mode="after")
    def _ordered(self) -> "Bound":
        if self.hi is not None and self.hi < self.lo:
            raise ValueError("hi is below lo: exchange them")
        return self


class Cap(Part):
    """``[[file.caps]]``: a file of figures that the counts may not pass."""

    path: Path
    value: Words = "value"
    area: Words = "area"
    where: dict[Words, Named] = Field(default_factory=dict)


class Insider(Part):
    """``[[file.insider]]``: people who know that they are counted in one cell."""

    area: Words
    category: dict[str, str] = Field(default_factory=dict)
    number: Annotated[int, Field(ge=1)] = 1
    alone: bool = False
    name: Words | None = None


MarkerMeaning = Literal["c", "z", "x", "low", "primary", "secondary", "zero", "rounded"]


class KnownFile(Part):
    """``[[file]]``: what is known of one published file; see the module."""

    path: Path
    nest: Words | None = None
    areas: Path | None = None
    by: tuple[str, ...] | None = None
    categories: Path | None = None
    method: Words | None = None
    base: Annotated[int, Field(ge=1)] | None = None
    min_count: Annotated[int, Field(ge=2)] | None = None
    steps: Annotated[int, Field(ge=0)] | None = None
    aim: Literal["unbiased", "minimum-distance"] | None = None
    share: Annotated[float, Field(ge=0, le=1)] | None = None
    max_round: Annotated[int, Field(ge=1)] | None = None
    secondary: Literal["smallest"] | None = None
    max_certainty: Annotated[float, Field(gt=0, le=1)] | None = None
    noise: Annotated[int, Field(ge=0)] | None = None
    zeros_kept: bool = True
    ptable: Path | None = None
    population: str = ""
    measure: Words | None = None
    date: Named | None = None
    edition: Named | None = None
    sheet: Words | None = None
    truth: Path | None = None
    kind: Literal["counts", "percentages", "rates", "means"] = "counts"
    of: Path | None = None
    decimals: Annotated[int, Field(ge=0, le=6)] | None = None
    denominator: Path | None = None
    share_of: Words | None = None
    per: Annotated[int, Field(ge=1)] | None = None
    sum_decimals: Annotated[int, Field(ge=0, le=6)] | None = None
    total: Words | None = None
    columns: KnownColumns = KnownColumns()
    where: dict[Words, Named] = Field(default_factory=dict)
    dimensions: dict[str, Words] = Field(default_factory=dict)
    levels: dict[str, Words] = Field(default_factory=dict)
    markers: dict[str, MarkerMeaning | tuple[int, int]] = Field(default_factory=dict)
    bounds: tuple[Bound, ...] = ()
    caps: tuple[Cap, ...] = ()
    insider: tuple[Insider, ...] = ()

    @field_validator("insider", mode="before")
    @classmethod
    def _one_insider(cls, plain: object) -> object:
        """``[file.insider]`` names one of them."""
        return [plain] if isinstance(plain, dict) else plain

    @model_validator(mode="after")
    def _marker_ranges(self) -> "KnownFile":
        for text, meaning in self.markers.items():
            if not isinstance(meaning, str) and not 0 <= meaning[0] <= meaning[1]:
                raise ValueError(f"marker '{text}' stands for no range of counts: give the least and the most")
        return self

    @model_validator(mode="after")
    def _noise_told_once(self) -> "KnownFile":
        if self.noise is not None and self.ptable is not None:
            raise ValueError("noise and ptable both say how far noise reaches: give one of them")
        return self

    @model_validator(mode="after")
    def _of_its_kind(self) -> "KnownFile":
        if self.insider and self.kind != "counts":
            raise ValueError(f"insiders stand in counts, not in {self.kind}: name them in the file of counts")
        wanted = {
            "per": ("rates",),
            "sum_decimals": ("means",),
            "denominator": ("percentages", "rates"),
            "share_of": ("percentages",),
            "of": ("percentages", "rates", "means"),
            "decimals": ("percentages", "rates", "means"),
        }
        for key, kinds in wanted.items():
            if getattr(self, key) is not None and self.kind not in kinds:
                raise ValueError(f"{key} is of {' and '.join(kinds)}, not of {self.kind}: correct kind or leave it out")
        if self.kind in ("percentages", "rates") and (self.denominator is None) == (self.share_of is None):
            raise ValueError(f"nothing, or two things, that {self.kind} are of: give denominator, or share_of")
        if self.kind == "means" and (self.of is None or self.sum_decimals is None):
            raise ValueError("means of what is not told: give of, and sum_decimals")
        if self.share_of is not None and self.of is None:
            raise ValueError("share_of without the file whose totals they are of: give of")
        return self


class KnownOverlap(Part):
    """``[[overlap]]``: columns of a lookup that say how divisions of a dimension overlap."""

    dimension: Words
    path: Path
    columns: Annotated[tuple[Words, ...], Field(min_length=2)]


class KnownRecode(Part):
    """``[[recode]]``: categories that are made up of others."""

    dimension: Words
    of: dict[Words, Annotated[tuple[Words, ...], Field(min_length=1)]]


class KnownWithin(Part):
    """``[[within]]``: parts that are at most a whole, which is at most their sum."""

    parts: Words
    whole: Words
    by: Words


class KnownFlow(Part):
    """``[[flow]]``: after + off = before + on; each a file, or what files count."""

    before: Words
    after: Words
    on: Words
    off: Words


class Known(Part):
    """All that a known file says; `folder` is where its paths are taken from."""

    file: tuple[KnownFile, ...] = ()
    overlap: tuple[KnownOverlap, ...] = ()
    recode: tuple[KnownRecode, ...] = ()
    within: tuple[KnownWithin, ...] = ()
    flow: tuple[KnownFlow, ...] = ()
    folder: Path = Path()

    @model_validator(mode="after")
    def _same_people(self) -> "Known":
        numbers: dict[str, int] = {}
        for one in (one for own in self.file for one in own.insider if one.name is not None):
            if numbers.setdefault(str(one.name), one.number) != one.number:
                raise ValueError(
                    f"insiders called '{one.name}' are {numbers[str(one.name)]} and {one.number}: say one number"
                )
        return self


def read_all_known(path: Path) -> Known:
    """What a TOML file says of published files and of how they relate, paths taken from its folder.

    Raises
    ------
    InputError
        The file is missing, is no TOML in UTF-8, or says what it may not; every fault is told.
    """
    faults = Faults(str(path))
    plain = read_toml(path, "a file that says what is known", faults)
    if "folder" in plain:
        faults.add("extra_forbidden", "is not known here", "remove it or correct its name", key="folder")
    plain = {
        key: with_paths(value, path.parent) if key in ("file", "overlap") else value for key, value in plain.items()
    }
    try:
        known = Known.model_validate({**plain, "folder": path.parent})
    except ValidationError as error:
        for fault in error.errors(include_url=False, include_input=False):
            tell_misfit(faults, fault)
        known = Known()
    if not faults.found and not any((known.file, *(getattr(known, key) for key in RELATIONS))):
        faults.add("empty file", "says nothing of any file", "write a [[file]] for each published file")
    faults.raise_if_any()
    return known


def find_known(known: Sequence[KnownFile], path: Path) -> KnownFile | None:
    """What is known of one file, by its first ``[[file]]``; None where nothing is said."""
    return next(iter(find_all_known(known, path)), None)


def find_all_known(known: Sequence[KnownFile], path: Path) -> tuple[KnownFile, ...]:
    """What is known of each table in one file: a ``[[file]]`` for each, told apart by its rows or its sheet."""
    wanted = path.resolve()
    return tuple(one for one in known if one.path.resolve() == wanted)


def with_paths(plain: object, folder: Path) -> object:
    """Plain ``[[file]]`` or ``[[overlap]]`` parts with their paths taken from a folder."""
    return [_resolved(one, folder) for one in plain] if isinstance(plain, list) else plain


def _resolved(one: object, folder: Path) -> object:
    """One ``[[file]]`` or ``[[overlap]]`` with its paths taken from the folder of the TOML file."""
    if not isinstance(one, dict):
        return one
    out = {key: _from(folder, value) if key in PATHS else value for key, value in one.items()}
    caps = out.get("caps")
    if isinstance(caps, list):
        out["caps"] = [
            {**cap, "path": _from(folder, cap["path"])} if isinstance(cap, dict) and "path" in cap else cap
            for cap in caps
        ]
    return out


def _from(folder: Path, value: object) -> object:
    return folder / value if isinstance(value, str) and "\0" not in value else value
