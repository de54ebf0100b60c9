"""The release file: what RELEASE.toml may say; `releases.publish.releasefile` reads it."""

import datetime as dt
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from claimants import dimensions as known_dimensions
from releases.attack.known import KnownFile, KnownOverlap, KnownRecode
from releases.files.tomlfile import Part
from releases.publish.statspec import DenominatorSpec, EstimateSpec, RateSpec, tell_misnamed

__all__ = [
    "CASELOAD",
    "DIMENSIONS",
    "FINEST_AREA",
    "FLOWS",
    "METHOD_LEAKS",
    "Flows",
    "Release",
    "SizesSpec",
    "TableSpec",
]

DIMENSIONS = (*known_dimensions.DIMENSIONS, *known_dimensions.SENSITIVE)
METHOD_LEAKS, FINEST_AREA = "method leaks", "finest area"
CASELOAD, FLOWS = "caseload", ("on-flow", "off-flow")
Words = Annotated[str, Field(min_length=1)]
Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=60)]


class About(Part):
    """``[release]``: what readers are told of the release, and its dates."""

    title: Words
    summary: Words
    reference_date: dt.date
    extract_date: dt.date
    publication: dt.datetime
    next_publication: dt.date
    status: Literal["provisional", "revised", "final"]
    label: Literal[
        "none",
        "accredited official statistics",
        "official statistics",
        "official statistics in development",
    ] = "none"
    producer: Words
    population: Literal["claims", "people"] = "claims"
    licence: Words = "OGL-UK-3.0"
    source: Words

    @model_validator(mode="after")
    def _in_order(self) -> "About":
        days = (self.reference_date, self.extract_date, self.publication.date(), self.next_publication)
        if not days[0] <= days[1] <= days[2] < days[3]:
            raise ValueError(
                "dates must run reference_date <= extract_date <= publication < next_publication: put them in order"
            )
        return self


class ContactSpec(Part):
    """``[[contact]]``: whom a reader may ask."""

    role: Words
    name: Words
    email: Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$")]
    telephone: str = ""


class Series(Part):
    """``[series]``: the releases this one stands in, and the key they share."""

    id: Slug
    first: bool = False
    previous: Path | None = None
    previous_review: Path | None = None
    earlier: tuple[Path, ...] = ()
    keep_values: bool = True
    key_file: Path

    @model_validator(mode="after")
    def _first_or_previous(self) -> "Series":
        if self.first == (self.previous is not None):
            raise ValueError(
                "the release before must be named: set previous to its folder, or first = true if none was"
            )
        if self.first and self.previous_review is not None:
            raise ValueError("a first release has none before it: remove previous_review")
        if self.first and self.earlier:
            raise ValueError("a first release has none before it: remove earlier")
        return self


class Claims(Part):
    """``[claims]``: where the extract is and how it is written."""

    path: Path | tuple[Path, ...]
    format: Literal["csv", "parquet"] | None = None
    encoding: str = "utf-8"
    delimiter: str = ","
    dates: Literal["iso", "day-first"] = "iso"
    end: Literal["inclusive", "exclusive"]
    columns: dict[str, str] = Field(default_factory=dict)
    values: dict[str, dict[str, str]] = Field(default_factory=dict)
    dictionary: Path | None = None
    policy: Path | None = None
    non_claimants: bool = False
    most_faulty: Annotated[float, Field(ge=0, le=1)] = 0.5

    @property
    def paths(self) -> tuple[Path, ...]:
        """The paths named, as a tuple."""
        return self.path if isinstance(self.path, tuple) else (self.path,)


class LevelSpec(Part):
    """``[[geography.level]]``: one level of areas and its columns in the lookup."""

    name: Slug
    code: Words
    label: str = ""
    singular: Words
    plural: Words
    kind: Literal["", "output area", "small area", "local authority", "region", "country"] = ""


class PostcodesSpec(Part):
    """``[geography.postcodes]``: which smallest area each postcode lies in."""

    path: Path
    postcode: Words
    area: Words


class SizesSpec(Part):
    """``[geography.sizes]``: households and residents of each smallest area."""

    path: Path
    area: Words
    households: Words = "households"
    residents: Words = "residents"


class BoundarySpec(Part):
    """``[[geography.boundary]]``: outlines of one level's areas."""

    level: Words
    path: Path | tuple[Path, ...]
    layer: str | None = None
    code: Words
    attribution: Words

    @property
    def paths(self) -> tuple[Path, ...]:
        """The paths named, as a tuple."""
        return self.path if isinstance(self.path, tuple) else (self.path,)


class Geography(Part):
    """``[geography]``: the areas, smallest first, and how records find theirs."""

    lookup: Path
    level: Annotated[tuple[LevelSpec, ...], Field(min_length=1)]
    postcodes: PostcodesSpec | None = None
    sizes: SizesSpec | None = None
    boundary: tuple[BoundarySpec, ...] = ()

    @model_validator(mode="after")
    def _levels_agree(self) -> "Geography":
        names = [level.name for level in self.level]
        if len(set(names)) != len(names):
            raise ValueError(f"level names ({', '.join(names)}) must be all different: rename one")
        for boundary in self.boundary:
            if boundary.level not in names:
                raise ValueError(
                    f"boundary of level '{boundary.level}' has no such level: use one of {', '.join(names)}"
                )
        if len({boundary.level for boundary in self.boundary}) != len(self.boundary):
            raise ValueError("a level has two boundaries: give one, with all its files in path")
        return self


class AlreadyPublic(KnownFile):
    """``[[already_public]]``: figures of the same people that others have published, and what is known of them.

    Where no method is named, `base` says it: 1 for exact figures, else the base they were
    rounded to, each to the nearest.
    """

    description: str = ""


class Protection(Part):
    """``[protection]``: the method, and the promise it must keep."""

    method: Literal["controlled-rounding", "conventional-rounding"] = "controlled-rounding"
    base: Annotated[int, Field(ge=2, le=100)] = 5
    min_count: Annotated[int, Field(ge=2, le=100)] = 5
    width: Annotated[int, Field(ge=1)] | None = None
    sensitive: tuple[str, ...] = ()
    group_size: Annotated[int, Field(ge=2)] = 10
    max_certainty: Annotated[float, Field(gt=0, le=1)] = 0.9


class Flows(Part):
    """``[flows]``: the window that flows are counted over: the days after `since`, up to and with the reference date."""

    since: Annotated[dt.date, Field(alias="from")]


class ExceptionSpec(Part):
    """``[[exception]]``: a promise that this release does not keep, by whose leave and until when."""

    rule: Literal["method leaks", "finest area"]
    table: tuple[str, ...] = ()
    reason: Words
    owner: Words
    expires: dt.date

    @field_validator("table", mode="before")
    @classmethod
    def _several(cls, table: object) -> object:
        return (table,) if isinstance(table, str) else table

    @model_validator(mode="after")
    def _of_tables(self) -> "ExceptionSpec":
        if bool(self.table) != (self.rule == FINEST_AREA):
            raise ValueError(
                f"an exception '{FINEST_AREA}' is for the tables that it names, and '{METHOD_LEAKS}' for the whole release: "
                "correct table"
            )
        return self


class TableSpec(Part):
    """``[[table]]``: one table; `by` names no dimension, one, or several crossed at the finest."""

    id: Slug
    title: Words
    by: tuple[str, ...] = ()
    bands: dict[str, str] = Field(default_factory=dict)
    finest: str = ""
    purpose: Literal["counting", "equality"] = "counting"
    count: Literal["claims", "people"] | None = None
    measure: Literal["caseload", "on-flow", "off-flow"] = "caseload"
    notes: tuple[str, ...] = ()

    @field_validator("by")
    @classmethod
    def _known(cls, by: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [name for name in by if name not in DIMENSIONS]
        if unknown:
            raise ValueError(f"unknown dimension {', '.join(unknown)}: use {', '.join(DIMENSIONS)}")
        if len(set(by)) != len(by):
            raise ValueError("a dimension is named twice: name it once")
        return by

    @model_validator(mode="after")
    def _bands_used(self) -> "TableSpec":
        idle = sorted(set(self.bands) - set(self.by))
        if idle:
            raise ValueError(f"bands are given for {', '.join(idle)}, which the table is not by: remove them")
        return self


class Release(Part):
    """The whole release file, every path resolved from the folder it stands in."""

    release: About
    contact: Annotated[tuple[ContactSpec, ...], Field(min_length=1)]
    series: Series
    claims: Claims
    geography: Geography
    already_public: tuple[AlreadyPublic, ...] = ()
    overlap: tuple[KnownOverlap, ...] = ()
    recode: tuple[KnownRecode, ...] = ()
    protection: Protection = Protection()
    exception: tuple[ExceptionSpec, ...] = ()
    table: Annotated[tuple[TableSpec, ...], Field(min_length=1)]
    denominator: tuple[DenominatorSpec, ...] = ()
    rate: tuple[RateSpec, ...] = ()
    estimate: tuple[EstimateSpec, ...] = ()
    flows: Flows | None = None

    @model_validator(mode="after")
    def _agrees(self) -> "Release":
        ids = [table.id for table in self.table]
        if len(set(ids)) != len(ids):
            raise ValueError(f"table ids ({', '.join(ids)}) must be all different: rename one")
        unused = sorted(set(self.protection.sensitive) - {name for table in self.table for name in table.by})
        if unused:
            raise ValueError(f"sensitive names {', '.join(unused)}, which no table is by: remove it or add the table")
        excepted = sorted({id_ for one in self.exception for id_ in one.table} - set(ids))
        if excepted:
            raise ValueError(
                f"an exception names {', '.join(excepted)}, which is no table: use one of {', '.join(ids)}"
            )
        known = [one.name for one in self.geography.level]
        strange = sorted({table.finest for table in self.table} - {"", *known})
        if strange:
            raise ValueError(f"finest names {', '.join(strange)}, which is no level: use {', '.join(known)}")
        by, levels = {table.id: table.by for table in self.table}, tuple(one.name for one in self.geography.level)
        misnamed = tell_misnamed(by, self.denominator, self.rate, self.estimate, levels)
        if misnamed:
            raise ValueError(f"{misnamed}: correct the names")
        return self

    @property
    def id(self) -> str:
        """Name of the release: its series and reference date."""
        return f"{self.series.id}-{self.release.reference_date.isoformat()}"

    @property
    def sensitive(self) -> tuple[str, ...]:
        """Dimensions for which no group may be exposed: those declared, and those that are sensitive by the data dictionary."""
        by = dict.fromkeys(name for table in self.table for name in table.by)
        return tuple(name for name in by if name in (*self.protection.sensitive, *known_dimensions.SENSITIVE))

    def rules_lifted(self, table: str = "") -> frozenset[str]:
        """The rules that exceptions lift for the whole release, or for one table by its id."""
        return frozenset(one.rule for one in self.exception if not table or table in one.table or not one.table)

    def counts(self, table: TableSpec) -> str:
        """What a table counts: ``claims`` or ``people``."""
        return table.count or self.release.population

    @property
    def populations(self) -> tuple[str, ...]:
        """What the tables count between them: claims, people or both, claims first."""
        counted = {self.counts(table) for table in self.table}
        return tuple(name for name in ("claims", "people") if name in counted)

    @property
    def counts_both(self) -> bool:
        """Whether some tables count claims and some people."""
        return len(self.populations) > 1

    @property
    def caseload(self) -> tuple[TableSpec, ...]:
        """The tables of the caseload: those of flows are figures of their own."""
        return tuple(table for table in self.table if table.measure == CASELOAD)

    @property
    def flow_measures(self) -> tuple[str, ...]:
        """The flows that tables are of, on-flow first."""
        counted = {table.measure for table in self.table}
        return tuple(name for name in FLOWS if name in counted)

    def window_start(self, table: TableSpec) -> dt.date | None:
        """The day that the window of a table of flows is counted from; None for a caseload, and where nobody said."""
        return None if table.measure == CASELOAD or self.flows is None else self.flows.since

    @property
    def recodes(self) -> bool:
        """Whether two tables are by one variable in different bands."""
        told = {(name, table.bands.get(name, "standard")) for table in self.caseload for name in table.by}
        return len(told) > len({name for name, _ in told})
