"""Bands inside bands: tables of one release by one variable in lists of bands that nest.

Counts are taken by the finest list; the tables of broader lists are its sums.  All are
drawn together by `sdc.rounding.recodes`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pyarrow as pa

from claimants.dimensions import Dimension
from releases.publish.spec import Release

__all__ = ["Recoding", "bands_nest", "recoding_of", "told_once"]


@dataclass(frozen=True, kw_only=True)
class Recoding:
    """The tables by one variable in bands that nest.

    Attributes
    ----------
    name : the variable, a dimension.
    bands : by table id its list of bands, the broadest first.
    """

    name: str
    bands: Mapping[str, Dimension]

    @property
    def finest(self) -> str:
        """The table of the finest list."""
        return list(self.bands)[-1]

    @property
    def broader(self) -> tuple[str, ...]:
        """The tables of the other lists."""
        return tuple(self.bands)[:-1]

    def indices(self, table: str) -> np.ndarray:
        """Of each of the finest bands, in their own order, the place of the table's band that it lies in: int16."""
        starts = np.array(self.bands[self.finest].starts)
        found: np.ndarray = np.searchsorted(np.array(self.bands[table].starts), starts, side="right") - 1
        return found.astype(np.int16)

    def recodes(self) -> dict[str, tuple[int, ...]]:
        """By table, the column that each of the finest bands goes to; columns are sorted by code, as tables have them."""
        columns = {
            id_: np.argsort(np.argsort(np.array(bands.categories, dtype=object))) for id_, bands in self.bands.items()
        }
        return {id_: tuple(columns[id_][self.indices(id_)].tolist()) for id_ in self.bands}

    def cells(self, cells: pa.Table, table: str) -> pa.Table:
        """The finest cells with the variable told in the table's own bands."""
        if table not in self.broader:
            return cells
        place = cells.column_names.index(self.name)
        return cells.set_column(place, self.name, pa.array(self.indices(table)[cells[self.name].to_numpy()]))


def bands_nest(first: Dimension, second: Dimension) -> bool:
    """Whether each band of one list lies in a band of the other, and both reach equally far."""
    finer, broader = sorted((first, second), key=lambda one: -len(one.starts))
    return (
        bool(broader.starts)
        and (finer.starts[0], finer.stop) == (broader.starts[0], broader.stop)
        and set(broader.starts) <= set(finer.starts)
    )


def recoding_of(release: Release, dimensions: Mapping[str, Mapping[str, Dimension]]) -> Recoding | None:
    """The tables of a release's caseload by one variable in lists of bands that nest.

    None where there are none, where lists do not nest, and where several variables are so told.
    """
    found: dict[str, dict[str, Dimension]] = {}
    for table in release.caseload:
        if len(table.by) == 1:
            found.setdefault(table.by[0], {})[table.id] = dimensions[table.id][table.by[0]]
    many = {name: bands for name, bands in found.items() if len(bands) > 1}
    if len(many) != 1:
        return None
    ((name, bands),) = many.items()
    ordered = dict(sorted(bands.items(), key=lambda one: len(one[1].starts)))
    if any(one == two or not bands_nest(one, two) for one, two in pairwise(ordered.values())):
        return None
    return Recoding(name=name, bands=ordered)


def told_once(tables: Sequence[str], recoding: Recoding | None, *, others: bool) -> list[list[str]]:
    """Tables in groups that tell no variable twice: those of the finest bands with all others, and each of broader bands.

    `others` asks for the other tables in every group; a group's last table is that of its bands.
    """
    if recoding is None:
        return [list(tables)]
    rest = [id_ for id_ in tables if id_ not in recoding.bands]
    return [[*rest, recoding.finest], *([*(rest if others else []), id_] for id_ in recoding.broader)]
