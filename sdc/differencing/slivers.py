"""What is left of one zone when the zones of another division that it holds are taken away, and of those that cover it.

For each zone U of either division:

* *inside*: U less the union of all zones of the other division that lie in it;
* *cover*: the union of all zones of the other division that meet U, less U.

They are the differences that anybody would try first: the inner and outer haloes of Duke-Williams and
Rees (1998).  Linear in edges.
"""

import numpy as np

from sdc.differencing.members import Members
from sdc.differencing.zones import Zones

__all__ = ["slivers"]

Sets = tuple[Members, Members]


def slivers(zones: Zones) -> Sets:
    """All slivers, as zones taken and zones taken away; those that are empty are left out.

    Examples
    --------
    Ward A is zone x and a part of y:

    >>> from sdc.attack.overlaps import Overlap
    >>> from sdc.differencing.zones import zones_of
    >>> zones = zones_of(Overlap.of({"ward": ["A", "A", "B"], "zone": ["x", "y", "y"]}), "ward", "zone")
    >>> whole, less = slivers(zones)
    >>> for number in range(len(whole)):
    ...     print(*zones.codes[whole[number]], "less", *zones.codes[less[number]])
    A less x
    y less B
    x y less A
    y less B
    A less x
    A B less y
    """
    one, two = _insides(zones), _covers(zones)
    return Members.joined([one[0], two[0]]), Members.joined([one[1], two[1]])


def _insides(zones: Zones) -> Sets:
    near = zones.neighbours
    within = zones.degrees[near.items] == 1
    inside = near.kept(within)
    told = (inside.lengths > 0) & (inside.lengths < zones.degrees)
    return Members.of(np.flatnonzero(told)[:, None].tolist()), inside.chosen(told)


def _covers(zones: Zones) -> Sets:
    near = zones.neighbours
    told = (near.lengths > 0) & ~zones.open_ended & (near.sums(zones.degrees) > zones.degrees)
    return near.chosen(told), Members.of(np.flatnonzero(told)[:, None].tolist())
