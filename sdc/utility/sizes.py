"""How far cells were moved: how many of them by how much."""

import numpy as np

from sdc.tables import SafeTable, Table
from sdc.utility.gaps import shown_cells

__all__ = ["HIDDEN", "SIZES", "change_sizes", "size_name", "size_row"]

# Classes of |e|, the distance of a published value from its true count: from, to (None: no end).
SIZES: tuple[tuple[int, int | None], ...] = ((0, 0), (1, 2), (3, 4), (5, 9), (10, None))
HIDDEN = "hidden"


def change_sizes(true: Table, safe: SafeTable) -> list[dict[str, object]]:
    """Cells per level by the size of their error |e| = |published value - true count|.

    A row per level: `level`, `cells`, a count per class of `SIZES` named as
    `1 to 2`, `unchanged` for 0 and `10 or more` for the last, and `hidden`,
    the cells without a published value.  The counts add up to `cells`.

    Every row tells of true counts: for the reviewer, never for the public.
    """
    levels = zip(safe.hierarchy.levels, true.counts, safe.values, shown_cells(safe), strict=True)
    return [size_row(*level) for level in levels]


def size_row(level: str, counts: np.ndarray, values: np.ndarray, shown: np.ndarray) -> dict[str, object]:
    """The row of one level: true counts, published values, and where these are shown, all of one shape."""
    moved = np.abs(values - counts)[shown]
    classes = np.searchsorted([low for low, _ in SIZES], moved, side="right") - 1
    numbers = np.bincount(classes, minlength=len(SIZES)).tolist()
    return {
        "level": level,
        "cells": int(counts.size),
        **{size_name(size): number for size, number in zip(SIZES, numbers, strict=True)},
        HIDDEN: int(counts.size - shown.sum()),
    }


def size_name(size: tuple[int, int | None]) -> str:
    """A class of errors in words."""
    low, high = size
    if high == 0:
        return "unchanged"
    return f"{low} or more" if high is None else f"{low} to {high}"
