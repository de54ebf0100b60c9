"""Recodes of one variable: bands inside broader bands, each figure drawn once.

Ages 18 to 24 lie inside 16 to 24; benefits lie in client groups.  Tables by such
*recodes* are sums of one another.  Drawn apart, a part can be shown above its whole,
and one figure under two names with two values.  Here they are drawn from the
broadest to the finest:

1. The broadest table is rounded together with the other tables of the population.
2. Each of its categories that a finer table splits is a population of its own, with
   totals that are drawn already, at every level.  The finer table's part of it is moved to
   these totals and rounded from there (`sdc.rounding.splits`).  A
   category that is not split is the same figure and keeps its value.
3. And so on to the finest table.
4. Where no finer values fit the totals drawn, the values of that neighbourhood
   are picked again in all recodes, at last in the other tables too (`sdc.rounding.neighbourhoods`).

Where the release before is given, every table keeps its values where it can (`sdc.rounding.keptstart`).  Finer bands then
start with their kept values in place, and the values of the broader band as totals.  Steps 3 and 4 are as above.
A list of bands that the release before did not tell stands there as sums of a finer one.

Every value of every recode is within the base of its own true count, multiples stay, all adds up over areas,
and the finest table is the non-negative table that all the others are sums of.
The finest common categories are drawn only if a table tells them.

Recodes must nest: of two, each category of the one lies in one of the other.
16 to 24 beside 18 to 29 do not; nothing between them is a sum, and neither table
can be drawn from the other's totals.  They are refused, and the bands named.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from common.faults import Infeasible
from common.keys import sip_key
from common.progress import SILENT, Progress
from sdc.extension import extend_recodes
from sdc.rounding.controlled import ControlledRounding, RoundingPath, round_controlled, told_of
from sdc.rounding.kept import Earlier, with_fewer
from sdc.rounding.neighbourhoods import mend
from sdc.rounding.sheets import hashes_of, kept_in, named_areas, replace_values, values_of
from sdc.rounding.splits import Split, Splitting, lay_recodes, splits_of, summed_before
from sdc.tables import Classification, SafeTable, Table

__all__ = ["RecodesReport", "nest_recodes", "recoded", "round_recodes"]


@dataclass(frozen=True, kw_only=True)
class RecodesReport:
    """How it went: for the reviewer, never for the public.

    Attributes
    ----------
    broadest : the path of the first round.
    split : categories that were split, over all tables.
    forced : counts moved between categories along paths open in one direction alone.
    refitted : neighbourhoods whose broader values were picked again, because no finer ones fitted them.
    missed : smallest areas, over all splits, where the finer table could not follow even so.
    neighbourhoods, cells : how many were picked again, and how many cells that changed.
    """

    broadest: RoundingPath
    split: int
    forced: int
    refitted: int
    missed: int
    neighbourhoods: int
    cells: int


def recoded(finest: Table, recode: Sequence[int], classification: Classification) -> Table:
    """The table of a recode: `recode` gives the column that each category of `finest` goes to."""
    counts = np.zeros((finest.hierarchy.units[0], len(classification)), np.int64)
    for category, column in enumerate(recode):
        counts[:, column] += finest.counts[0][:, category]
    return Table.from_finest(hierarchy=finest.hierarchy, classification=classification, finest=counts)


def nest_recodes(recodes: Mapping[str, Sequence[int]], names: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """The tables from the broadest recode to the finest.

    Parameters
    ----------
    recodes : for each table, the column that each of the finest categories goes to.
    names : for each table, what its columns are called.

    Raises
    ------
    Infeasible
        Two recodes do not nest; the categories that overlap are named.
    """
    order = sorted(recodes, key=lambda name: len(set(recodes[name])))
    for place, broader in enumerate(order):
        for finer in order[place + 1 :]:
            above: dict[int, int] = {}
            for coarse, fine in zip(recodes[broader], recodes[finer], strict=True):
                if above.setdefault(fine, coarse) != coarse:
                    first, other = names[finer][fine], names[broader][above[fine]]
                    raise Infeasible(
                        f"'{first}' of {finer} overlaps '{other}' of {broader}, and neither lies inside the other: use bands "
                        "that nest, such as one list with the limits of both",
                        demands=(broader, finer),
                    )
    return tuple(order)


def round_recodes(
    tables: Mapping[str, Table],
    recodes: Mapping[str, Sequence[int]],
    *,
    others: Mapping[str, Table] | None = None,
    spec: ControlledRounding,
    key: bytes,
    earlier: Mapping[str, Earlier] | None = None,
    progress: Progress = SILENT,
) -> tuple[dict[str, SafeTable], RecodesReport]:
    """Round tables by recodes of one variable so that broader bands are the sums of those inside them.

    Parameters
    ----------
    tables : true tables by name, of one population over one hierarchy.
    recodes : for each table, the column that each of the finest categories goes to.
    others : further true tables of the population, that share its totals alone.
    earlier : by the same names, the release before, whose values are kept where counts did not change.

    Returns
    -------
    The safe tables of `tables` and `others`, and how it went.

    Raises
    ------
    ValueError
        A table is not what its recode says: columns that one recode says are sums of another's are not.
    Infeasible
        Recodes do not nest, or no values were found that serve all of them; areas are named.
    """
    labels = {name: [" ".join(codes) for codes in table.classification.categories] for name, table in tables.items()}
    order = nest_recodes(recodes, labels)
    before = dict(earlier or {})
    drawing = _Drawing(
        order=order,
        splits=splits_of(order, recodes, tables),
        tables=tables,
        others=others or {},
        spec=spec,
        key=key,
        progress=progress,
    )
    every, hierarchy = {**tables, **drawing.others}, tables[order[0]].hierarchy
    (safe, report), left = with_fewer(drawing.draw, before, hierarchy)
    if len(left):
        raise Infeasible(
            f"in {named_areas(hierarchy, left)} no values within the base were found that serve "
            f"{' and '.join(every)}; use broader bands, fewer lists of them, or larger areas",
            demands=(*every, f"base = {spec.base}"),
        )
    extended = extend_recodes({name: safe[name] for name in order}, {name: recodes[name] for name in order})
    if not extended.holds:
        raise RuntimeError(f"published values come from no finest table: {extended.failing[0]}")
    report = replace(report, broadest=told_of(report.broadest, every, safe, before))
    return {name: safe[name] for name in every}, report


@dataclass(frozen=True, kw_only=True, eq=False)
class _Drawing:
    """What is drawn: true tables from the broadest recode to the finest, and others of the population."""

    order: tuple[str, ...]
    splits: tuple[Split, ...]
    tables: Mapping[str, Table]
    others: Mapping[str, Table]
    spec: ControlledRounding
    key: bytes
    progress: Progress

    def draw(self, earlier: Mapping[str, Earlier]) -> tuple[tuple[dict[str, SafeTable], RecodesReport], np.ndarray]:
        """All tables, how it went, and areas in which parts do not add up."""
        told = dict(earlier)
        for each in reversed(self.splits):
            if each.finer in told:
                told[each.broader] = summed_before(each, told)
        first = {self.order[0]: self.tables[self.order[0]], **self.others}
        known = {name: told[name] for name in first if name in told}
        safe, path = round_controlled(first, spec=self.spec, key=self.key, earlier=known, progress=self.progress)
        splitting = Splitting(
            tables=dict(self.tables), splits=self.splits, safe=safe, spec=self.spec, key=self.key, earlier=told
        )
        for level in range(len(self.splits)):
            splitting.split(level, self.progress)
        neighbourhoods, cells, left = self._mend(safe, earlier)
        report = RecodesReport(
            broadest=path,
            split=sum(len(parts) > 1 for each in self.splits for parts in each.parts),
            forced=splitting.forced,
            refitted=splitting.refitted,
            missed=splitting.missed,
            neighbourhoods=neighbourhoods,
            cells=cells,
        )
        return (safe, report), left

    def _mend(self, safe: dict[str, SafeTable], earlier: Mapping[str, Earlier]) -> tuple[int, int, np.ndarray]:
        """Pick values again where the parts do not add up, in place; how many neighbourhoods and cells, and areas left.

        At first the population's totals stay, for other tables have them too; what that
        leaves is picked again with the other tables.
        """
        neighbourhoods = cells = 0
        for together, fixed in ((self.tables, True), ({**self.tables, **self.others}, False)):
            sheet, _ = lay_recodes(together, self.splits, fixed=fixed)
            values = values_of([safe[name] for name in together])
            left = np.flatnonzero(sheet.broken(values[: sheet.tree.areas]))
            if not len(left):
                break
            mended = mend(
                sheet,
                values,
                base=self.spec.base,
                secret=sip_key(self.key, "recodes"),
                figures=hashes_of(list(together.values()), self.key),
                kept=kept_in(together, safe, earlier),
                progress=self.progress,
            )
            neighbourhoods, cells, left = neighbourhoods + mended.neighbourhoods, cells + mended.cells, mended.left
            safe.update(replace_values({name: safe[name] for name in together}, mended.values))
        return neighbourhoods, cells, left
