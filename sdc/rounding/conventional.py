"""Conventional rounding: every cell to the nearest multiple of the base, on its own."""

import numpy as np

from sdc.tables import Method, SafeTable, Table

__all__ = ["round_conventional"]


def round_conventional(table: Table, *, base: int, min_count: int) -> SafeTable:
    """Round every cell to the nearest multiple of `base`, halves up: r = base * floor(x / base + 1/2).

    Leaks by itself: totals are rounded apart from their parts, so that
    n parts shown 0 under a large total are pinned, and a count shown 0 is
    proven to be below base / 2.  Source: Hundepool et al., *Handbook on
    Statistical Disclosure Control*, 2nd ed. (2024), section 5.5.
    """
    values = tuple((2 * counts + base) // (2 * base) * base for counts in table.counts)
    return SafeTable(
        hierarchy=table.hierarchy,
        classification=table.classification,
        values=tuple(np.ascontiguousarray(v, dtype=np.int64) for v in values),
        method=Method(name="conventional-rounding", base=base, min_count=min_count),
    )
