"""Denominators: public files of populations, laid on the areas and the categories of a release's tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from claimants.dimensions import Dimension
from common.faults import Faults
from releases.files.wholenumbers import DIGITS, FRACTION, NEGATIVE, whole_number
from releases.publish.areafiles import place_rows, spread
from releases.publish.statspec import DenominatorSpec
from sdc.tables import TOTAL, Hierarchy

__all__ = ["UNKNOWN", "Denominators", "read_denominators"]

UNKNOWN = -1


@dataclass(frozen=True, kw_only=True, eq=False)
class Denominators:
    """A public file of denominators, laid on the areas.

    Attributes
    ----------
    spec : what the release file says of it.
    values : for each level that it tells, by its name, int64 of shape (units, codes + total, ...), one
        axis for each dimension that it is by; `UNKNOWN` where it gives none.
    codes : codes of each dimension, in the order of the axes, without the total.
    """

    spec: DenominatorSpec
    values: Mapping[str, np.ndarray]
    codes: Mapping[str, tuple[str, ...]]
    left_out: int = 0

    def of_columns(self, level: str, dimensions: Sequence[str], columns: Sequence[Sequence[str]]) -> np.ndarray:
        """Denominators of a table's columns at one level: int64 of shape (units, columns)."""
        places = []
        for name, codes in self.codes.items():
            known = [*codes, TOTAL]
            at = dimensions.index(name)
            places.append(np.array([known.index(column[at]) for column in columns], np.int64))
        values = self.values[level]
        if not places:
            return np.repeat(values[:, None], len(columns), axis=1)
        each: tuple[Any, ...] = (slice(None), *places)
        found: np.ndarray = values[each]
        return found


def read_denominators(
    spec: DenominatorSpec, hierarchy: Hierarchy, dimensions: Mapping[str, Dimension], faults: Faults
) -> Denominators | None:
    """Read a file of denominators; `dimensions` gives those of the tables by name.  None where `faults` tells why not.

    A total that the file does not give is the sum of the categories, where it gives them all.
    """
    before = len(faults.found)
    codes = {name: tuple(sorted(dimensions[name].categories)) for name in spec.by}
    rows = place_rows(spec, hierarchy, codes, faults, numbers=[spec.value])
    numbers = _numbers(rows.texts(spec.value), [rows.tidy.row(int(at)) for at in rows.kept], spec.value, faults)
    if len(faults.found) > before:
        return None
    there = set(np.unique(rows.level).tolist())
    values = {}
    for level, name in enumerate(hierarchy.levels):
        if level in there or name in spec.level:
            shape = (hierarchy.units[level], *(len(one) + 1 for one in codes.values()))
            values[name] = _with_totals(spread(rows, numbers, level, shape, UNKNOWN))
    return Denominators(spec=spec, values=values, codes=codes, left_out=rows.left_out)


def _with_totals(values: np.ndarray) -> np.ndarray:
    """Denominators with the totals that are not given but can be summed, one dimension after the other."""
    for axis in range(1, values.ndim):
        parts = np.moveaxis(values, axis, -1)
        whole = (parts[..., :-1] != UNKNOWN).all(axis=-1) & (parts[..., -1] == UNKNOWN)
        parts[..., -1] = np.where(whole, parts[..., :-1].sum(axis=-1), parts[..., -1])
    return values


def _numbers(texts: np.ndarray, lines: Sequence[int], column: str, faults: Faults) -> np.ndarray:
    """Whole numbers of at least 0, `UNKNOWN` where blank; a fault for each other text, which is not repeated."""
    different, index = np.unique(texts, return_inverse=True)
    known = [UNKNOWN if text == "" else whole_number(text) for text in different.tolist()]
    for at in np.flatnonzero(np.array([one is None for one in known])[index]).tolist():
        text = str(texts[at])
        found = "a denominator that is no number"
        if NEGATIVE.fullmatch(text):
            found = "a negative denominator"
        elif FRACTION.fullmatch(text):
            found = "a denominator with a decimal point"
        elif DIGITS.fullmatch(text.replace(",", "")):
            found = "a denominator with commas or too many digits"
        faults.add(
            "denominator", found, "give a whole number in digits, or leave it blank", row=lines[at], column=column
        )
    return np.array([UNKNOWN if one is None else one for one in known], np.int64)[index]
