"""What a risk rule says: one flag and one reason for every cell.

A rule is a frozen spec with one function, ``flags(table) -> Flags``: a table
in, one bool and one reason per cell out.  Rules know nothing of each other;
`combine` unites what several say, and every cell keeps the reasons of each.

Reasons tell of true counts: they are for the reviewer alone.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Protocol, TypeVar

import numpy as np

from sdc.tables import Table

__all__ = ["Flags", "Rule", "apply_rules", "combine", "flag_counts", "no_flags"]

Subject = TypeVar("Subject", contravariant=True)


@dataclass(frozen=True, kw_only=True, eq=False)
class Flags:
    """What one rule, or several combined, say of every cell.

    Attributes
    ----------
    rule : the rule's name; of several, their names joined by ``, ``.
    reason : one sentence in words, why a flagged cell is a risk; of several,
        their sentences joined by ``; ``.  It names the rule's limits, never a count.
    hit : bool arrays, True where the cell is flagged.  For a table: per level,
        of shape (units, columns), the total last.  For cells that are held in one
        array: a single array of their shape.
    parts : what was combined; empty for a single rule.

    Raises
    ------
    ValueError
        The rule or its reason has no words, an array is not bool, or the parts
        are not of the same shapes.
    """

    rule: str
    reason: str
    hit: tuple[np.ndarray, ...]
    parts: tuple["Flags", ...] = ()

    def __post_init__(self) -> None:
        if not self.rule or not self.reason:
            raise ValueError("flags must name their rule and give its reason in words")
        for hit in self.hit:
            if hit.dtype != np.bool_:
                raise ValueError(f"hit must be bool, not {hit.dtype}")
        shapes = [hit.shape for hit in self.hit]
        for part in self.parts:
            if [hit.shape for hit in part.hit] != shapes:
                raise ValueError(
                    f"flags of the rule ({part.rule}) must have the shapes of those they are combined with"
                )

    @property
    def singles(self) -> tuple["Flags", ...]:
        """The single rules that these flags were combined from; the flags themselves where nothing was combined."""
        return tuple(single for part in self.parts for single in part.singles) if self.parts else (self,)

    def reasons_of(self, cell: Sequence[int]) -> tuple[str, ...]:
        """Why one cell is flagged, a sentence for each rule that flags it; none where no rule does.

        `cell` is (level, unit, column), or (0, place …) for cells held in one array.
        """
        level, *place = cell
        return tuple(single.reason for single in self.singles if single.hit[level][tuple(place)])

    def rules_of(self, cell: Sequence[int]) -> tuple[str, ...]:
        """Names of the rules that flag one cell, in the order in which they were combined."""
        level, *place = cell
        return tuple(single.rule for single in self.singles if single.hit[level][tuple(place)])

    def number(self) -> int:
        """How many cells are flagged."""
        return int(sum(hit.sum() for hit in self.hit))


class Rule(Protocol[Subject]):
    """The one contract of every risk rule; `Subject` is a `Table`, or `Amounts` for rules about amounts."""

    def flags(self, table: Subject, /) -> Flags:
        """What the rule says of every cell."""
        ...


def combine(*flags: Flags) -> Flags:
    """The union: a cell is flagged where any of `flags` flags it, and keeps the reasons of each.

    Combining what was combined before gives the same as combining all at once.

    Raises
    ------
    ValueError
        There is nothing to combine, or the shapes differ.
    """
    if not flags:
        raise ValueError("there must be flags to combine: a table that no rule looks at has no_flags")
    if len(flags) == 1:
        return flags[0]
    singles = tuple(single for one in flags for single in one.singles)
    shapes = [[hit.shape for hit in one.hit] for one in flags]
    if any(shape != shapes[0] for shape in shapes):
        raise ValueError("flags that are combined must be of one table: their shapes differ")
    return Flags(
        rule=", ".join(dict.fromkeys(single.rule for single in singles)),
        reason="; ".join(dict.fromkeys(single.reason for single in singles)),
        hit=tuple(reduce(np.logical_or, level) for level in zip(*(one.hit for one in flags), strict=True)),
        parts=singles,
    )


def no_flags(table: Table) -> Flags:
    """Flags of a table that no rule looks at: none is set."""
    hit = tuple(np.zeros(counts.shape, np.bool_) for counts in table.counts)
    return Flags(rule="none", reason="no rule was asked", hit=hit)


def apply_rules(table: Table, rules: Iterable[Rule[Table]]) -> Flags:
    """What all rules together say of a table; `no_flags` where there are none."""
    told = [rule.flags(table) for rule in rules]
    return combine(*told) if told else no_flags(table)


def flag_counts(flags: Flags, levels: Sequence[str]) -> list[dict[str, object]]:
    """How many cells each rule flags per level, a row each, for the reviewer alone.

    Keys: `level`, `rule`, `reason`, `cells` (flagged by it), `alone` (flagged by it
    and by no other rule).  `levels` are the table's level names, smallest first.
    """
    rows: list[dict[str, object]] = []
    for place, level in enumerate(levels):
        hits = np.stack([single.hit[place] for single in flags.singles])
        how_many = hits.sum(axis=0)
        for single, hit in zip(flags.singles, hits, strict=True):
            alone = int((hit & (how_many == 1)).sum())
            rows.append(
                {
                    "level": level,
                    "rule": single.rule,
                    "reason": single.reason,
                    "cells": int(hit.sum()),
                    "alone": alone,
                }
            )
    return rows
