"""A derived table: figures worked out from published figures and public files, such as rates and survey estimates.

Rates, estimates and what is like them are one model to every writer: columns of
decimal numbers over areas × categories, and one marker a row.  Nothing in it is a
true count.  A number with `d` decimals is held as the whole number of its last
decimal place, so that it is written as it is meant and never through floating point.

Markers stand *instead of* a number, as in a safe table (``c``, ``z``, ``x``, ``low``), or, for
``u`` (low reliability), *beside* one.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from sdc.tables import MARKERS, NOT_PUBLISHED, SHOWN, Classification, Hierarchy

__all__ = ["DERIVED_MARKERS", "LOW_RELIABILITY", "DerivedTable", "FigureColumn", "number_text"]

LOW_RELIABILITY = NOT_PUBLISHED + 1
DERIVED_MARKERS = {**MARKERS, LOW_RELIABILITY: "u"}
KINDS = ("rate", "estimate")
MOST_DECIMALS = 6


@dataclass(frozen=True, kw_only=True, eq=False)
class FigureColumn:
    """One column of numbers.

    Attributes
    ----------
    name : the column in the long form, such as ``value``.
    heading : words for it, unit included.
    values : per level, int64 of shape (units, categories + 1), in steps of 10 ** -`decimals`.
    markers : per level, int8 of the same shape: `SHOWN` where the number stands, else
        what stands instead of it (a key of `sdc.tables.MARKERS`), or `NOT_PUBLISHED`.
    """

    name: str
    heading: str
    values: tuple[np.ndarray, ...]
    markers: tuple[np.ndarray, ...]
    decimals: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.decimals <= MOST_DECIMALS:
            raise ValueError(f"decimals ({self.decimals}) of column ({self.name}) must be from 0 to {MOST_DECIMALS}")


@dataclass(frozen=True, kw_only=True, eq=False)
class DerivedTable:
    """A table of rates or of estimates with its words.

    Attributes
    ----------
    id, title : name of its files, and what pages call it.
    kind : ``rate`` or ``estimate``.
    hierarchy, classification : as of the safe tables that it stands beside; a level that it is
        not told at is `NOT_PUBLISHED` throughout.
    columns : the columns of numbers; the first is what the table is about.
    markers : per level, int8 of shape (units, categories + 1): keys of `DERIVED_MARKERS`, or `NOT_PUBLISHED`.
    status : of the figures, as their source calls it ("experimental"); blank where nothing is said.
    period : what the figures are of, in words, where it is not the reference date of the release.
    made : sentences on what the figures are and how they were made.
    protection : what holds for the people behind them.
    source, attributions : source line, and copyright lines.
    facts : what programs are told: plain data for JSON.

    Raises
    ------
    ValueError
        The kind is not known, or shapes differ.
    """

    id: str
    title: str
    kind: str
    hierarchy: Hierarchy
    classification: Classification
    columns: tuple[FigureColumn, ...]
    markers: tuple[np.ndarray, ...]
    dimension_names: dict[str, str]
    labels: dict[str, dict[str, str]]
    made: tuple[str, ...]
    protection: str
    source: str
    facts: dict[str, Any]
    status: str = ""
    period: str = ""
    attributions: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind ({self.kind}) must be one of {', '.join(KINDS)}")
        wide = len(self.classification) + 1
        shapes = [(units, wide) for units in self.hierarchy.units]
        held = [self.markers, *(part for column in self.columns for part in (column.values, column.markers))]
        if not self.columns or any([array.shape for array in arrays] != shapes for arrays in held):
            raise ValueError(f"columns and markers of table ({self.id}) must have a row for each area of each level")
        names = [column.name for column in self.columns]
        if len(set(names)) != len(names):
            raise ValueError(f"columns ({', '.join(names)}) of table ({self.id}) must be all different")

    @property
    def levels(self) -> tuple[int, ...]:
        """The levels that it is told at, smallest first."""
        return tuple(level for level, one in enumerate(self.markers) if np.any(one != NOT_PUBLISHED))

    @property
    def markers_in_use(self) -> tuple[str, ...]:
        """Markers that stand in some row, in the order of `DERIVED_MARKERS`."""
        used: set[int] = set()
        for markers in self.markers:
            used.update(np.unique(markers).tolist())
        return tuple(text for marker, text in DERIVED_MARKERS.items() if marker in used and marker != SHOWN)

    @property
    def cells_by_marker(self) -> dict[str, int]:
        """How many rows carry each marker; ``shown`` those without one."""
        counted = {}
        for marker, text in DERIVED_MARKERS.items():
            number = sum(int(np.count_nonzero(markers == marker)) for markers in self.markers)
            if number:
                counted[text or "shown"] = number
        return counted


def number_text(value: int, decimals: int, *, grouped: bool = False) -> str:
    """A number held in steps of 10 ** -`decimals`, with exactly so many decimals.

    >>> number_text(12345, 1), number_text(5, 2), number_text(-5, 1), number_text(1234567, 1, grouped=True)
    ('1234.5', '0.05', '-0.5', '123,456.7')
    """
    whole, rest = divmod(abs(value), 10**decimals)
    sign = "-" if value < 0 else ""
    text = f"{sign}{whole:,}" if grouped else f"{sign}{whole}"
    return f"{text}.{rest:0{decimals}d}" if decimals else text
