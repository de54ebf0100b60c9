"""Parts of the release file for statistics worked out beside the counts: denominators, rates, survey estimates."""

import datetime as dt
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from releases.files.tomlfile import Part

__all__ = ["AreaFile", "DenominatorSpec", "EstimateSpec", "RateSpec", "tell_misnamed"]

Words = Annotated[str, Field(min_length=1)]
Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=60)]
Decimals = Annotated[int, Field(ge=0, le=3)]


class AreaFile(Part):
    """A public file of figures with a row for each area; which levels its rows are of, and what is done with others."""

    id: Slug
    title: Words
    path: Path
    area: Words = "area"
    level: tuple[Words, ...] = ()
    level_column: str | None = None
    other_areas: Literal["refuse", "leave out"] = "refuse"
    complete: bool = True
    source: Words
    licence: Words = "OGL-UK-3.0"
    attribution: str = ""
    status: Words

    @field_validator("level", mode="before")
    @classmethod
    def _several(cls, level: object) -> object:
        return (level,) if isinstance(level, str) else level

    @model_validator(mode="after")
    def _levels_told(self) -> "AreaFile":
        if not self.level and self.level_column is None:
            raise ValueError("which level its rows are of must be told: set level, or level_column")
        return self


class DenominatorSpec(AreaFile):
    """``[[denominator]]``: a public file of populations that rates are worked out on."""

    value: Words = "value"
    by: tuple[Words, ...] = ()
    reference_date: dt.date

    @field_validator("by", mode="before")
    @classmethod
    def _dimensions(cls, by: object) -> object:
        return (by,) if isinstance(by, str) else by


class RateSpec(Part):
    """``[[rate]]``: the published figures of a table on a denominator."""

    id: Slug
    title: Words
    of: Slug
    denominator: Slug
    per: Literal[100, 1000, 10000, 100000] = 1000
    decimals: Decimals = 1
    max_relative_error: Annotated[float, Field(gt=0, le=1)] = 0.2
    notes: tuple[str, ...] = ()


class EstimateSpec(AreaFile):
    """``[[estimate]]``: survey estimates with confidence limits, as their source gives them."""

    estimate: Words = "estimate"
    lower: Words = "lower"
    upper: Words = "upper"
    base: str | None = None
    marker: str | None = None
    unit: Words
    period: Words
    confidence: Annotated[float, Field(gt=0.5, lt=1)] = 0.95
    decimals: Decimals = 1
    max_half_width: Annotated[float, Field(gt=0)] | None = None
    max_cv: Annotated[float, Field(gt=0)] | None = None
    min_base: Annotated[int, Field(ge=1)] | None = None
    notes: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _base_told(self) -> "EstimateSpec":
        if self.min_base is not None and self.base is None:
            raise ValueError("min_base needs the column that holds the sample base: set base, or remove min_base")
        return self


def tell_misnamed(
    tables: dict[str, tuple[str, ...]],
    denominators: tuple[DenominatorSpec, ...],
    rates: tuple[RateSpec, ...],
    estimates: tuple[EstimateSpec, ...],
    levels: tuple[str, ...],
) -> str:
    """What does not fit together, as a sentence with its mend; blank where all does.

    `tables` gives each table's dimensions by its id.
    """
    wrong = []
    ids = [*tables, *(one.id for one in rates), *(one.id for one in estimates)]
    wrong += [
        f"the id '{one}' is that of two tables, rates or estimates" for one in sorted(set(ids)) if ids.count(one) > 1
    ]
    named = {one.id: one for one in denominators}
    if len(named) != len(denominators):
        wrong.append("two denominators have one id")
    idle = sorted(set(named) - {one.denominator for one in rates})
    wrong += [f"no rate is on the denominator '{one}'" for one in idle]
    for rate in rates:
        if rate.of not in tables:
            wrong.append(f"rate '{rate.id}' is of '{rate.of}', which is no table")
        if rate.denominator not in named:
            wrong.append(f"rate '{rate.id}' is on '{rate.denominator}', which is no denominator")
        elif rate.of in tables and not set(named[rate.denominator].by) <= set(tables[rate.of]):
            beyond = ", ".join(sorted(set(named[rate.denominator].by) - set(tables[rate.of])))
            wrong.append(f"rate '{rate.id}' is on a denominator by {beyond}, which table '{rate.of}' is not by")
    for file in (*denominators, *estimates):
        unknown = sorted(set(file.level) - set(levels))
        if unknown:
            wrong.append(f"'{file.id}' is of the level {', '.join(unknown)}, which the geography has not")
    return "; ".join(wrong)
