"""Zeros: public, sensitive or structural, for each category.

* *public*: that nobody is counted may be told; the default.
* *sensitive*: it may not; a zero is a primary cell like a small count.
* *structural*: nobody can be counted there, whoever is counted; everybody knows it,
  so that the attacker has [0, 0] and hiding it protects nothing.

Public zeros are what group disclosure lives on: where all but one category of a
group show nil, everybody in it has the one that is left (`sdc.rules.kdisclosure`).

Source: Hundepool et al., *Handbook on Statistical Disclosure Control*, 2nd ed.
(2024), section 5.2 ("ambiguity in the zeros").
"""

from dataclasses import dataclass

import numpy as np

from common.faults import Fault, InputError
from sdc.rules.flags import Flags
from sdc.tables import Classification, Table

__all__ = ["TREATMENTS", "Zeros", "ZerosOf"]

PUBLIC, SENSITIVE, STRUCTURAL = range(3)
TREATMENTS = ("public", "sensitive", "structural")


@dataclass(frozen=True, kw_only=True)
class ZerosOf:
    """What the zeros of some categories are.

    Attributes
    ----------
    where : (dimension, code) pairs; a category is meant that has all of them.
    are : one of `TREATMENTS`.

    Raises
    ------
    ValueError
        No pair is given, a dimension is named twice, or `are` is not known.
    """

    where: tuple[tuple[str, str], ...]
    are: str

    def __post_init__(self) -> None:
        names = [dimension for dimension, _ in self.where]
        if not names or len(set(names)) != len(names):
            raise ValueError("where must name at least one dimension and its code, none twice")
        if self.are not in TREATMENTS:
            raise ValueError(f"are ({self.are}) must be one of {', '.join(TREATMENTS)}")

    def columns(self, classification: Classification) -> np.ndarray:
        """Which columns are meant, bool of shape (categories + 1,); none where the table lacks a dimension.

        Raises
        ------
        ValueError
            The table has the dimension but not the code.
        """
        meant = np.zeros(len(classification) + 1, np.bool_)
        dimensions = classification.dimensions
        if any(dimension not in dimensions for dimension, _ in self.where):
            return meant
        places = [(dimensions.index(dimension), code) for dimension, code in self.where]
        for place, code in places:
            if all(category[place] != code for category in classification.categories):
                raise ValueError(f"zeros of {dimensions[place]}={code}: the table has no such category")
        meant[:-1] = [all(category[place] == code for place, code in places) for category in classification.categories]
        return meant


@dataclass(frozen=True, kw_only=True)
class Zeros:
    """Flags zeros that are sensitive; knows which are structural.

    Attributes
    ----------
    default : ``public`` or ``sensitive``, for every category and total that `of` does not name.
    of : exceptions; where two name the same category the later one counts.
        Totals are never named by them: they follow the default.

    Raises
    ------
    ValueError
        The default is not known, or is structural: not everything can be.
    """

    default: str = "public"
    of: tuple[ZerosOf, ...] = ()

    def __post_init__(self) -> None:
        if self.default not in ("public", "sensitive"):
            raise ValueError(f"default ({self.default}) must be public or sensitive")

    def treatments(self, classification: Classification) -> np.ndarray:
        """What the zeros of each column are: int8 of shape (categories + 1,), an index into `TREATMENTS`."""
        told = np.full(len(classification) + 1, TREATMENTS.index(self.default), np.int8)
        for exception in self.of:
            told[exception.columns(classification)] = TREATMENTS.index(exception.are)
        return told

    def structural(self, classification: Classification) -> np.ndarray:
        """Columns in which nobody can be counted: bool of shape (categories + 1,)."""
        return self.treatments(classification) == STRUCTURAL

    def flags(self, table: Table, /) -> Flags:
        """Flags every 0 of a column whose zeros are sensitive.

        Raises
        ------
        InputError
            Somebody is counted in a category whose zeros are structural.
        """
        told = self.treatments(table.classification)
        self._refuse_counted(table, told == STRUCTURAL)
        return Flags(
            rule="zeros",
            reason="nobody is counted, and for this category that may not be told",
            hit=tuple((counts == 0) & (told == SENSITIVE) for counts in table.counts),
        )

    def _refuse_counted(self, table: Table, structural: np.ndarray) -> None:
        """The table is additive, so that the top level tells whether anybody is counted."""
        wrong = structural & (table.counts[-1] > 0).any(axis=0)
        names = table.classification.dimensions
        faults = [
            Fault(
                kind="structural zero",
                found="somebody is counted where zeros are declared structural",
                mend="correct the counts, or declare these zeros public or sensitive",
                key=", ".join(
                    f"{name}={code}" for name, code in zip(names, table.classification.columns[column], strict=True)
                ),
            )
            for column in np.flatnonzero(wrong)
        ]
        if faults:
            raise InputError(faults)
