"""The sets of people in one column that two divisions prove to hold somebody, and no more than a few.

A set is *proven* to hold somebody if every table that fits has at least one in it.  Looked at are the parts that
two zones share and that can hold less than `limit` people, and all unions of them:

1. slivers of every zone (`sdc.differencing.slivers`), and the smallest difference around every part
   (`sdc.differencing.smallest`), kept where Σ lo of the zones taken - Σ hi of those taken away >= 1;
2. whether all other such parts can be empty at once, and sets of them that cannot (`sdc.differencing.emptying`).
"""

from dataclasses import dataclass

import numpy as np

from sdc.attack.intervals import NO_BOUND
from sdc.differencing.emptying import empty_edges
from sdc.differencing.members import Members
from sdc.differencing.smallest import circulation, smallest_differences
from sdc.differencing.zones import Zones

__all__ = ["Proven", "search_column"]

Sets = tuple[Members, Members]


@dataclass(frozen=True, kw_only=True, eq=False)
class Proven:
    """What was found in a column.

    Attributes
    ----------
    whole, less : zones taken and taken away, per difference.
    least, most : what their totals say of each, int64.
    edges : further sets, as edges.
    left : bool per edge, all other parts that can hold less than `limit`; they can be empty at once if `complete`.
    looked : differences that were looked at.
    too_long : those of too many zones to be told.
    complete : whether the search for further sets came to its end.
    """

    whole: Members
    less: Members
    least: np.ndarray
    most: np.ndarray
    edges: Members
    left: np.ndarray
    looked: int
    too_long: int
    complete: bool


def search_column(zones: Zones, always: Sets, lo: np.ndarray, hi: np.ndarray, *, limit: int, least: int) -> Proven:
    """Search one column.

    Parameters
    ----------
    always : differences to be looked at in every column, as zones taken and taken away.
    lo, hi : bounds of every zone's total, int64 of shape (zones,); `NO_BOUND` for none.
    limit : sets with a part that can hold as many are of no matter.
    least : nor are those that hold at least as many.

    Raises
    ------
    NoTable
        No counts fit the totals.
    """
    residual = circulation(zones, lo, hi)
    found = smallest_differences(zones, lo, hi, below=limit, residual=residual)
    most = np.minimum(*(np.where(each < 0, NO_BOUND, hi[each]) for each in (zones.first, zones.second)))
    most[found.edges] = found.most
    far = most >= limit
    many = np.bincount(zones.ends[0][far[zones.ends[1]]], minlength=len(zones))
    whole, less = (Members.joined(each) for each in zip(always, (found.whole, found.less), strict=True))
    looked = len(whole)
    # A zone that may be empty is not taken away.
    less = less.kept(lo[less.items] > 0)
    low, high = _bounds(whole, less, lo, hi)
    told = (less.lengths > 0) & (whole.sums(many) == less.sums(many)) & (low >= 1)
    freed = _edges_of(zones, whole.chosen(told), less.chosen(told))
    freed[zones.ends[1][((lo >= 1) & (many == 0))[zones.ends[0]]]] = True
    emptied = empty_edges(residual, ~far & ~freed)
    freed[emptied.sets.items] = True
    told &= low < least
    return Proven(
        whole=whole.chosen(told),
        less=less.chosen(told),
        least=low[told],
        most=high[told],
        edges=emptied.sets,
        left=~far & ~freed,
        looked=looked + len(emptied.sets),
        too_long=found.too_long,
        complete=emptied.complete,
    )


def _bounds(whole: Members, less: Members, lo: np.ndarray, hi: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What the totals of its zones say of each difference."""
    most, away = whole.most(hi), less.most(hi)
    high = np.where(most >= NO_BOUND, NO_BOUND, most - less.sums(lo))
    return np.where(away >= NO_BOUND, 0, np.maximum(whole.sums(lo) - away, 0)), high


def _edges_of(zones: Zones, whole: Members, less: Members) -> np.ndarray:
    """Edges that lie in any of the differences: bool."""
    own = Members.grouped(zones.ends[0], zones.ends[1], len(zones))
    taken, away = (_pairs(side, own, len(zones.first)) for side in (whole, less))
    inside = np.zeros(len(zones.first), np.bool_)
    inside[np.setdiff1d(taken, away) % max(1, len(zones.first))] = True
    return inside


def _pairs(sets: Members, own: Members, edges: int) -> np.ndarray:
    """Set × number of edges + edge for every edge of every zone in a set."""
    each = own.chosen(sets.items)
    return sets.rows[each.rows] * edges + each.items
