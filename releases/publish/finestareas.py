"""The areas that a release may show its tables for: none too small, and sensitive breakdowns for large ones alone."""

from collections.abc import Mapping

import numpy as np

from claimants.dictionary import Dictionary
from claimants.dimensions import Dimension
from claimants.finestarea import finest_level, refused_areas, shown_levels, small_areas
from common.faults import Faults
from geography.areas import Areas
from geography.nesting import encode_text
from releases.counts.nests import places_of
from releases.counts.shaping import hierarchy_of
from releases.files.tidyfile import quotable, read_tidy
from releases.files.wholenumbers import read_whole_numbers
from releases.publish.finest import finest_levels
from releases.publish.spec import FINEST_AREA, Release, SizesSpec
from sdc.tables import sum_up

__all__ = ["refuse_fine_areas"]

UNKNOWN = -1


def refuse_fine_areas(
    release: Release, dimensions: Mapping[str, Mapping[str, Dimension]], areas: Areas, dictionary: Dictionary, file: str
) -> None:
    """Refuse tables of areas that are too small for them.

    `dimensions` gives, by table id, the table's dimensions by name.

    Raises
    ------
    InputError
        A level holds output areas of Scotland; a table goes further down than the data dictionary lets its
        dimensions; an area that is shown is not known to have 40 households and 100 residents, where sizes are
        given.  Every fault is told.
    """
    faults = Faults(file)
    for fault in refused_areas(areas):
        faults.add(fault.kind, fault.found, fault.mend, key=fault.key)
    declared = {level.name: level.kind for level in release.geography.level if level.kind}
    for table in release.table:
        asked = tuple(dimensions[table.id].values())
        shown = shown_levels(
            asked, dictionary, areas, declared=declared, excused=FINEST_AREA in release.rules_lifted(table.id)
        )
        smallest = areas.levels[finest_levels(release)[table.id]]
        if smallest not in shown:
            bound = finest_level(asked, dictionary)
            sensitive = ", ".join(one.name for one in asked if dictionary.fields[one.field].finest_area == bound)
            mend = f'set finest = "{shown[0]}"' if shown else f"give the release a level of areas at or above {bound}"
            lift = "" if bound == "country" else ", or have an exception 'finest area' made for the table"
            faults.add(
                "finest area",
                f"table '{table.id}' is by {sensitive}, which is shown for no area smaller than {bound}, and goes down to "
                f"the level '{smallest}'",
                mend + lift,
                key=f"table.{table.id}.finest",
            )
    if release.geography.sizes is not None:
        _refuse_small(release, release.geography.sizes, areas, faults)
    faults.raise_if_any()


def _refuse_small(release: Release, sizes: SizesSpec, areas: Areas, faults: Faults) -> None:
    """Refuse areas of the smallest level shown that are not known to be large enough."""
    shown = min(finest_levels(release).values())
    hierarchy = hierarchy_of(areas)
    columns = {"households": sizes.households, "residents": sizes.residents}
    of_file = Faults(str(sizes.path))
    tidy = read_tidy(sizes.path, needed=[sizes.area, *columns.values()], whole=tuple(columns.values()))
    codes, index = encode_text(tidy.text.columns[sizes.area])
    place = places_of(np.char.strip(codes), areas.codes[0])[index]
    for row in np.flatnonzero(place < 0).tolist():
        found = f"area {quotable(str(codes[index[row]]))} is no area of the level '{areas.levels[0]}'"
        mend = "use the vintage of the release, and its smallest areas alone"
        of_file.add("unknown area", found, mend, row=tidy.row(row), column=sizes.area)
    _, first = np.unique(place, return_index=True)
    for row in np.setdiff1d(np.arange(len(place)), first).tolist():
        if place[row] >= 0:
            found = f"area '{areas.codes[0][place[row]]}' has two rows"
            of_file.add("twice", found, "leave one row for each area", row=tidy.row(row), column=sizes.area)
    numbers = {name: read_whole_numbers(tidy, column, of_file) for name, column in columns.items()}
    faults.found.extend(of_file.found)
    if of_file.found:
        return
    summed = {}
    for name, own in numbers.items():
        finest = np.full(len(areas.codes[0]), UNKNOWN, np.int64)
        finest[place] = own
        # Of a larger area nothing is known if of one of its parts nothing is.
        unknown = sum_up(hierarchy, (finest < 0).astype(np.int64)[:, None])[shown][:, 0] > 0
        total = sum_up(hierarchy, np.maximum(finest, 0)[:, None])[shown][:, 0]
        summed[name] = np.where(unknown, UNKNOWN, total)
    for fault in small_areas(areas.levels[shown], areas.codes[shown], **summed):
        faults.add(fault.kind, fault.found, fault.mend, key=fault.key)
