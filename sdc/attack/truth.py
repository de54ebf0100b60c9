"""Whether true tables fit the published ones that they are held against.  Counts are never told."""

from collections.abc import Mapping

import numpy as np

from common.faults import Faults
from sdc.attack.intervals import Intervals
from sdc.attack.linked import same_areas
from sdc.attack.listing import MOST_LISTED
from sdc.attack.witness import Names
from sdc.tables import SafeTable, Table

__all__ = ["check_truth"]


def check_truth(tables: Mapping[str, SafeTable], own: Mapping[str, Intervals], truth: Mapping[str, Table]) -> None:
    """Every truth fits its table; the counts themselves are never told."""
    faults = Faults()
    fitting: dict[str, SafeTable] = {}
    for name, true in truth.items():
        safe = tables.get(name)
        if (
            safe is None
            or len(same_areas({"safe": safe, "true": _as_safe(true, safe)})) > 1
            or true.classification != safe.classification
        ):
            faults.add(
                "truth",
                f"the truth of {name} has other areas or categories",
                "give the counts it was made of",
                key=name,
            )
            continue
        fitting[name] = safe
        _truth_outside(name, safe, own[name], true, faults)
    faults.raise_if_any()
    for group in same_areas(fitting):
        first = next(iter(group), "")
        for name in group:
            if any(
                not np.array_equal(a[:, -1], b[:, -1])
                for a, b in zip(truth[first].counts, truth[name].counts, strict=True)
            ):
                faults.add(
                    "truth",
                    f"the truths of {first} and {name} have different totals",
                    "attack tables of different records apart",
                    key=name,
                )
    faults.raise_if_any()


def _truth_outside(name: str, safe: SafeTable, own: Intervals, true: Table, faults: Faults) -> None:
    """Note where a truth lies outside its cell's own interval: 20 cells, and how many more."""
    places = [
        (level, int(unit), int(column))
        for level, counts in enumerate(true.counts)
        for unit, column in np.argwhere((counts < own.lo[level]) | (counts > own.hi[level]))
    ]
    names = Names(safe) if places else None
    mend = "give the counts that the table was made of, and the method it was made with"
    for place in places[:MOST_LISTED]:
        where = names.name_at(*place) if names else ""
        faults.add("truth", "the truth lies outside what the published value allows", mend, key=f"{name}: {where}")
    if len(places) > MOST_LISTED:
        faults.add("truth", f"the same in {len(places) - MOST_LISTED} more cells", mend, key=name)


def _as_safe(true: Table, safe: SafeTable) -> SafeTable:
    return SafeTable(
        hierarchy=true.hierarchy, classification=true.classification, values=true.counts, method=safe.method
    )
