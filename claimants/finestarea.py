"""The smallest areas that figures by sensitive fields may be shown for, and the smallest areas of all.

The data dictionary says of each sensitive field how far down its figures go (`finest_area`).  A table
goes no further down than the coarsest of its dimensions allows, unless an exception of the release with
reason, owner and expiry lifts that bound to all its levels; the bound "country" cannot be lifted.
Whatever a table is by, nothing is shown for output areas of Scotland, nor for areas of fewer
than 40 households or 100 residents.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from claimants.dictionary import Dictionary
from claimants.dimensions import Dimension
from common.faults import Fault, Faults
from geography.areas import Areas
from geography.kinds import Kind, levels_at_or_above, scottish_output_areas

__all__ = ["FEWEST_HOUSEHOLDS", "FEWEST_RESIDENTS", "finest_level", "refused_areas", "shown_levels", "small_areas"]

FEWEST_HOUSEHOLDS = 40
FEWEST_RESIDENTS = 100
KINDS = {"local authority": Kind.LOCAL_AUTHORITY, "country": Kind.COUNTRY}


def finest_level(dimensions: Sequence[Dimension], dictionary: Dictionary) -> str:
    """ "local authority" or "country": the coarsest bound of the dimensions' fields; "" where none has one.

    Raises
    ------
    ValueError
        The dictionary names a bound that is neither.
    """
    bounds = {dictionary.fields[one.field].finest_area for one in dimensions} - {""}
    unknown = bounds - set(KINDS)
    if unknown:
        raise ValueError(f"finest_area ({min(unknown)}) must be one of {', '.join(KINDS)}")
    return max(bounds, key=lambda bound: KINDS[bound], default="")


def shown_levels(
    dimensions: Sequence[Dimension],
    dictionary: Dictionary,
    areas: Areas,
    *,
    declared: Mapping[str, str] | None = None,
    excused: bool = False,
) -> tuple[str, ...]:
    """The levels of a release that a table by these dimensions may show, smallest first; none is possible.

    `declared` is level → kind in words, for areas of one's own; `excused`: an exception lifts
    the bound "local authority".
    """
    bound = finest_level(dimensions, dictionary)
    if bound == "" or (excused and bound != "country"):
        return areas.levels
    return levels_at_or_above(areas, KINDS[bound], declared)


def refused_areas(areas: Areas) -> tuple[Fault, ...]:
    """A fault for each level that no release may show: output areas of Scotland."""
    faults = Faults()
    for level in scottish_output_areas(areas):
        faults.add(
            "finest area",
            f"level '{level}' holds output areas of Scotland, which are too small for any figures",
            "begin the levels of the release at data zones",
            key="geography.level",
        )
    return tuple(faults.found)


def small_areas(
    level: str, codes: np.ndarray, *, households: np.ndarray | None = None, residents: np.ndarray | None = None
) -> tuple[Fault, ...]:
    """A fault for each area with fewer than 40 households or 100 residents, naming the area and never its number.

    `codes` are text of shape (areas,), `households` and `residents` numbers of the same shape, counted or estimated;
    one that is missing (NaN or below 0) is not known to be enough.

    Raises
    ------
    ValueError
        The shapes differ.
    """
    faults = Faults()
    for numbers, fewest, what in (
        (households, FEWEST_HOUSEHOLDS, "households"),
        (residents, FEWEST_RESIDENTS, "residents"),
    ):
        if numbers is None:
            continue
        if numbers.shape != codes.shape:
            raise ValueError(f"{what} must be one number for each of {len(codes)} areas")
        for code in codes[~(numbers >= fewest)]:
            faults.add(
                "area too small",
                f"area {code} of level '{level}' is not known to have {fewest} {what}",
                "join it with a neighbour, or show larger areas alone",
                key="geography.level",
            )
    return tuple(faults.found)
