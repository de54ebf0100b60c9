"""People that keep their values beside claims.

Claims keep their values first.  They then bound the people of every unit
(`sdc.rounding.people_totals`).  Within these bounds

* a total of people that did not change keeps its value;
* a changed one is drawn together with its earlier draw.  Where the claims leave it
  open, it is raised with a chance g that makes up for areas that they settle; so it was then, with f.  Given
  its earlier draw it starts from ``lower multiple + b × chance``, chance as
  `sdc.rounding.keptstart` has it, of f and g; where the claims had settled it then, from ``lower multiple + b g``.

Tables of people are then drawn from there (`sdc.rounding.controlled`), within the bounds.
"""

from collections.abc import Mapping

import numpy as np

from common.keys import sip_key
from sdc.figures import figures_of
from sdc.rounding.flight import keyed_chances
from sdc.rounding.kept import Earlier
from sdc.rounding.keptstart import earlier_totals, upper_chance
from sdc.rounding.people_totals import Bounds, open_share, own_bounds
from sdc.rounding.within import Within
from sdc.tables import Table

__all__ = ["people_within"]


def people_within(
    people: Mapping[str, Table],
    claims: Table,
    published: tuple[np.ndarray, ...],
    bounds: Bounds,
    earlier: Mapping[str, Earlier],
    claims_before: Earlier | None,
    *,
    binding: bool,
    base: int,
    key: bytes,
) -> Within:
    """The bounds of people's totals, and where those start that do not keep their value.

    Parameters
    ----------
    people : true tables with equal totals; `earlier` the release before of them.
    claims : true claims, by benefit where `binding`, as `published`; `claims_before` the release before of them.
    bounds : what the claims leave to people.
    """
    first = next(iter(people.values()))
    now = np.concatenate([counts[:, -1] for counts in first.counts])
    then, shown, known = earlier_totals(people, earlier)
    true, values = np.concatenate(claims.counts), np.concatenate(published)
    rest = open_share(now, true, binding=binding, base=base)[0] * base
    if claims_before is not None:
        there = np.concatenate(claims_before.known)
        true = np.where(there, np.concatenate(claims_before.counts), true)
        values = np.where(there, np.concatenate(claims_before.values), values)
    was = np.where(known, open_share(then, true, binding=binding, base=base)[0] * base, 0.0)
    low, high = own_bounds(then, values, binding=binding, base=base)
    together = known & (low < high) & (was < base)
    chance = np.where(together, upper_chance(rest, np.minimum(was, base - 1 / base), shown > then, base), rest / base)
    figures = np.concatenate(figures_of(first.totals(), key).hashes).ravel()
    drawn = keyed_chances(sip_key(key, "people beside claims"), figures, 0)
    start = now // base * base + np.floor(base * chance + drawn).astype(np.int64)
    return Within.of(now, np.concatenate(bounds.low), np.concatenate(bounds.high), start, base=base)
