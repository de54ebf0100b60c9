"""Many sets of numbers in two arrays, and sums over each of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sdc.attack.intervals import NO_BOUND

__all__ = ["Members"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Members:
    """Sets in compressed rows: those of set i are ``items[starts[i]:starts[i + 1]]``; a set may be empty.

    Both int64, of shape (sets + 1,) and (entries,).
    """

    starts: np.ndarray
    items: np.ndarray

    @classmethod
    def of(cls, sets: Sequence[Sequence[int] | np.ndarray]) -> "Members":
        """Sets one by one."""
        lengths = np.array([len(each) for each in sets], np.int64)
        items = np.concatenate([np.empty(0, np.int64), *(np.asarray(each, np.int64) for each in sets)])
        return cls(starts=_starts(lengths), items=items)

    @classmethod
    def grouped(cls, groups: np.ndarray, items: np.ndarray, number: int) -> "Members":
        """`number` sets: items[i] lies in set groups[i]."""
        order = np.argsort(groups, kind="stable")
        return cls(starts=_starts(np.bincount(groups, minlength=number)), items=items[order].astype(np.int64))

    @classmethod
    def joined(cls, several: Sequence["Members"]) -> "Members":
        """The sets of all, in order."""
        lengths = np.concatenate([np.empty(0, np.int64), *(each.lengths for each in several)])
        return cls(
            starts=_starts(lengths),
            items=np.concatenate([np.empty(0, np.int64), *(each.items for each in several)]),
        )

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def lengths(self) -> np.ndarray:
        """Members of each set."""
        return np.diff(self.starts)

    @property
    def rows(self) -> np.ndarray:
        """The set of each item."""
        return np.repeat(np.arange(len(self)), self.lengths)

    def __getitem__(self, number: int) -> np.ndarray:
        return self.items[self.starts[number] : self.starts[number + 1]]

    def chosen(self, sets: np.ndarray) -> "Members":
        """These sets alone (bool, or numbers in any order)."""
        sets = np.flatnonzero(sets) if sets.dtype == np.bool_ else sets
        lengths = self.lengths[sets]
        starts = _starts(lengths)
        at = np.arange(starts[-1]) + np.repeat(self.starts[sets] - starts[:-1], lengths)
        return Members(starts=starts, items=self.items[at])

    def kept(self, items: np.ndarray) -> "Members":
        """All sets with those of their entries alone that are True."""
        return Members(starts=_starts(np.bincount(self.rows[items], minlength=len(self))), items=self.items[items])

    def sums(self, values: np.ndarray) -> np.ndarray:
        """Per set the sum of values[item], of the values' type (words modulo 2**64): shape (sets, …)."""
        totals = np.zeros((len(self.items) + 1, *values.shape[1:]), values.dtype)
        np.cumsum(values[self.items], axis=0, dtype=values.dtype, out=totals[1:])
        return np.asarray(totals[self.starts[1:]] - totals[self.starts[:-1]])

    def most(self, hi: np.ndarray) -> np.ndarray:
        """As `sums` of upper bounds: `NO_BOUND` where one of them has none."""
        endless = hi >= NO_BOUND
        total = self.sums(np.where(endless, 0, hi))
        return np.where(self.sums(endless.astype(np.int64)) > 0, NO_BOUND, total)


def _starts(lengths: np.ndarray) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
