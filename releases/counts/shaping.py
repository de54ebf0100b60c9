"""From the caseload's finest cells to the tables that were asked for."""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from claimants.dimensions import Dimension
from geography.areas import Areas
from sdc.tables import Classification, Hierarchy, Table

__all__ = ["classification_of", "hierarchy_of", "tabulate"]


def hierarchy_of(areas: Areas) -> Hierarchy:
    """The areas as the hierarchy that tables are held over."""
    return Hierarchy(levels=areas.levels, codes=areas.codes, parents=areas.parents)


def classification_of(dimensions: Mapping[str, Dimension]) -> Classification:
    """The finest crossing of dimensions, every category of their lists, sorted by code point."""
    combinations: list[tuple[str, ...]] = [()]
    for dimension in dimensions.values():
        combinations = [(*one, code) for one in combinations for code in sorted(dimension.categories)]
    return Classification(dimensions=tuple(dimensions), categories=tuple(combinations) if dimensions else ())


def tabulate(cells: pa.Table, dimensions: Mapping[str, Dimension], hierarchy: Hierarchy) -> Table:
    """Sum finest cells into one table.

    `cells` has the columns `area` (int32), one int16 per dimension and `count`
    (int64).  Rows come from the hierarchy and columns from the code lists
    alone: a combination that nobody is counted in is a zero.
    """
    classification = classification_of(dimensions)
    columns = max(len(classification), 1)
    place = cells["area"].to_numpy().astype(np.int64)
    for name, dimension in dimensions.items():
        order = np.argsort(np.argsort(np.array(dimension.categories, dtype=object)))
        place = place * len(dimension.categories) + order[cells[name].to_numpy()]
    size = hierarchy.units[0] * columns
    counts = np.zeros(size, np.int64)
    np.add.at(counts, place, cells["count"].to_numpy())
    return Table.from_finest(
        hierarchy=hierarchy, classification=classification, finest=counts.reshape(hierarchy.units[0], columns)
    )
