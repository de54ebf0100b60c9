"""Two divisions of the same people as a graph: zones are nodes, and two zones that share people are joined.

Each unit of either division is a *zone*; the part that two zones share is an *edge*.
Where totals of zones are exact, an edge follows from them alone if and only if it
is a bridge; edges of different components say nothing of each other.

Sources: methods 4.3; O. Duke-Williams and P. Rees, "Can Census Offices publish
statistics for more than one small area geography?", International Journal of
Geographical Information Science 12 (1998) 579-605; V. Costemalle (2019) and the R package diffman.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from common.keys import sip_key
from sdc.attack.bridges import blocks, find_bridges
from sdc.attack.overlaps import Overlap
from sdc.differencing.members import Members
from sdc.keyedcodes import keyed_codes

__all__ = ["OUTSIDE", "Zones", "zones_of"]

# The zone of an atom that lies in no unit of a division.
OUTSIDE = -1
# Atoms are told apart by words made of their number: a name for a set of them, no secret.
NAMING_KEY = b"smallarea names of atoms"


@dataclass(frozen=True, kw_only=True, eq=False)
class Zones:
    """Zones and edges of two divisions; build it with `of`.

    Zones are numbered through: the units of the first division, then those of the second.

    Attributes
    ----------
    names : of the two divisions.
    sizes : units of each.
    codes : what every zone is called, text of shape (zones,).
    first, second : int64 of shape (edges,), the zone of the first and of the second division that each edge lies
        in, `OUTSIDE` for none; no pair stands twice.
    edge : int64 of shape (atoms,), the edge that each atom is a part of, -1 where it lies in neither division.
    """

    names: tuple[str, str]
    sizes: tuple[int, int]
    codes: np.ndarray
    first: np.ndarray
    second: np.ndarray
    edge: np.ndarray

    @classmethod
    def of(
        cls, names: tuple[str, str], codes: tuple[np.ndarray, np.ndarray], units: tuple[np.ndarray, np.ndarray]
    ) -> "Zones":
        """The graph of two divisions whose `codes` are given, and of each atom the unit of either (-1 for none)."""
        first, second = (np.asarray(each, np.int64) for each in units)
        inside = (first >= 0) | (second >= 0)
        width = len(codes[1]) + 1
        pairs = (first + 1) * width + second + 1
        told, edge = np.unique(pairs[inside], return_inverse=True)
        number = np.full(len(first), -1, np.int64)
        number[inside] = edge
        one, two = told // width - 1, told % width - 1
        return cls(
            names=names,
            sizes=(len(codes[0]), len(codes[1])),
            codes=np.concatenate([np.asarray(each, np.str_) for each in codes]),
            first=one,
            second=np.where(two < 0, OUTSIDE, two + len(codes[0])),
            edge=number,
        )

    def __len__(self) -> int:
        return len(self.codes)

    @cached_property
    def ends(self) -> tuple[np.ndarray, np.ndarray]:
        """Zone and edge of every end that lies in a zone: int64 of one shape."""
        edges = np.arange(len(self.first))
        zones = np.concatenate([self.first, self.second])
        return zones[zones >= 0], np.concatenate([edges, edges])[zones >= 0]

    @cached_property
    def degrees(self) -> np.ndarray:
        """Edges of each zone."""
        return np.bincount(self.ends[0], minlength=len(self))

    @cached_property
    def neighbours(self) -> Members:
        """Per zone the zones of the other division that it shares people with."""
        both = (self.first >= 0) & (self.second >= 0)
        one, two = self.first[both], self.second[both]
        return Members.grouped(np.concatenate([one, two]), np.concatenate([two, one]), len(self))

    @property
    def open_ended(self) -> np.ndarray:
        """Zones of which a part lies outside the other division: bool."""
        return self.degrees > self.neighbours.lengths

    @cached_property
    def partly(self) -> np.ndarray:
        """Edges whose two zones overlap in part, neither inside the other: bool of shape (edges,)."""
        both = (self.first >= 0) & (self.second >= 0)
        return both & (self.degrees[self.first] > 1) & (self.degrees[self.second] > 1)

    @cached_property
    def words(self) -> np.ndarray:
        """A word for each zone, uint64, the sum of its atoms' own: sets of zones with equal sums are the same atoms."""
        own = keyed_codes(sip_key(NAMING_KEY, "atom"), np.arange(len(self.edge)).astype(np.str_))
        known = self.edge >= 0
        edges = np.zeros(len(self.first), np.uint64)
        np.add.at(edges, self.edge[known], own[known])
        words = np.zeros(len(self), np.uint64)
        np.add.at(words, self.ends[0], edges[self.ends[1]])
        return words

    @property
    def _graph(self) -> tuple[np.ndarray, np.ndarray]:
        """Both nodes of every edge; what lies outside is one node more."""
        outside = len(self)
        return np.where(self.first < 0, outside, self.first), np.where(self.second < 0, outside, self.second)

    def bridges(self) -> np.ndarray:
        """Edges that follow from exact totals of all zones by sums alone: bool of shape (edges,)."""
        return find_bridges(*self._graph, len(self) + 1)

    def components(self) -> np.ndarray:
        """The component of each zone: int64 of shape (zones,), from 0; zones without people are components of their own."""
        inside = (self.first >= 0) & (self.second >= 0)
        tails, heads = self.first[inside], self.second[inside]
        label = np.full(len(self), -1, np.int64)
        of_edge = blocks(tails, heads, len(self), np.zeros(len(tails), np.bool_))
        label[tails], label[heads] = of_edge, of_edge
        alone = np.flatnonzero(label < 0)
        label[alone] = label.max(initial=-1) + 1 + np.arange(len(alone))
        return label


def zones_of(overlap: Overlap, first: str, second: str) -> Zones:
    """The graph of two divisions of an overlap, by their names.

    Examples
    --------
    Two wards and three smaller zones, of which one straddles them:

    >>> overlap = Overlap.of({"ward": ["A", "A", "B", "B"], "zone": ["x", "y", "y", "z"]})
    >>> zones = zones_of(overlap, "ward", "zone")
    >>> int(zones.partly.sum()), zones.bridges().tolist()
    (2, [True, True, True, True])
    """
    units, codes = [], []
    for name in (first, second):
        own, number = np.unique(overlap.divisions[name], return_inverse=True)
        blank = int("" in own[:1].tolist())
        codes.append(own[blank:])
        units.append(number - blank)
    return Zones.of((first, second), (codes[0], codes[1]), (units[0], units[1]))
