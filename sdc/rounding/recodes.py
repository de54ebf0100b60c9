"""Recodes of one variable: bands inside broader bands, each figure drawn once.

Ages 18 to 24 lie inside 16 to 24; benefits lie in client groups.  Tables by such
*recodes* are sums of one another.  Drawn apart, a part can be shown above its whole,
and one figure under two names with two values.  Here they are drawn from the
broadest to the finest:

1. The broadest table is rounded together with the other tables of the population.
2. Each of its categories that a finer table splits is a population of its own, with
   totals that are drawn already, at every level.  The finer table's part of it is moved to
   these totals (`sdc.rounding.transfers`) and rounded from there.  A
   category that is not split is the same figure and keeps its value.
3. And so on to the finest table.
4. Where no finer values fit the totals drawn, the values of that neighbourhood
   are picked again in all recodes, at last in the other tables too (`sdc.rounding.neighbourhoods`).

Every value of every recode is within the base of its own true count, multiples stay, all adds up over areas,
and the finest table is the non-negative table that all the others are sums of.
The finest common categories are drawn only if a table tells them.

Recodes must nest: of two, each category of the one lies in one of the other.
16 to 24 beside 18 to 29 do not; nothing between them is a sum, and neither table
can be drawn from the other's totals.  They are refused, and the bands named.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from common.faults import Infeasible
from common.keys import sip_key
from common.progress import SILENT, Progress
from sdc.extension import extend_recodes
from sdc.rounding.controlled import ControlledRounding, RoundingPath, round_controlled
from sdc.rounding.neighbourhoods import mend, refit
from sdc.rounding.sheets import Sheet, hashes_of, lay_out, named_areas, replace_values, values_of
from sdc.rounding.transfers import Moved, move_totals
from sdc.rounding.tree import tree_of
from sdc.tables import Classification, SafeTable, Table

__all__ = ["RecodesReport", "nest_recodes", "recoded", "round_recodes"]

# How many levels up the neighbourhoods reach whose broader values are picked again, try by try.
HEIGHTS = (1, 2)


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


@dataclass(frozen=True, kw_only=True)
class _Split:
    """How a finer table splits a broader one: for each column of the broader, the columns that it is the sum of."""

    finer: str
    broader: str
    parts: tuple[tuple[int, ...], ...]


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
    progress: Progress = SILENT,
) -> tuple[dict[str, SafeTable], RecodesReport]:
    """Round tables by recodes of one variable so that broader bands are the sums of those inside them.

    Parameters
    ----------
    tables : true tables by name, of one population over one hierarchy.
    recodes : for each table, the column that each of the finest categories goes to.
    others : further true tables of the population, that share its totals alone.

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
    splits = _splits(order, recodes, tables)
    broadest = tables[order[0]]
    safe, path = round_controlled({order[0]: broadest, **(others or {})}, spec=spec, key=key, progress=progress)
    drawing = _Drawing(tables=dict(tables), splits=splits, safe=safe, spec=spec, key=key)
    for level in range(len(splits)):
        drawing.split(level, progress)
    neighbourhoods, cells = _mend(tables, others or {}, splits, safe, spec, key, progress)
    extended = extend_recodes({name: safe[name] for name in order}, {name: recodes[name] for name in order})
    if not extended.holds:
        raise RuntimeError(f"published values come from no finest table: {extended.failing[0]}")
    report = RecodesReport(
        broadest=path,
        split=sum(len(parts) > 1 for each in splits for parts in each.parts),
        forced=drawing.forced,
        refitted=drawing.refitted,
        missed=drawing.missed,
        neighbourhoods=neighbourhoods,
        cells=cells,
    )
    return {name: safe[name] for name in (*tables, *(others or {}))}, report


def _splits(
    order: tuple[str, ...], recodes: Mapping[str, Sequence[int]], tables: Mapping[str, Table]
) -> tuple[_Split, ...]:
    found = []
    for broader, finer in pairwise(order):
        parts: list[list[int]] = [[] for _ in range(len(tables[broader].classification))]
        for coarse, fine in dict.fromkeys(zip(recodes[broader], recodes[finer], strict=True)):
            parts[coarse].append(fine)
        for coarse, columns in enumerate(parts):
            whole, finest = tables[broader].counts[0][:, coarse], tables[finer].counts[0][:, columns]
            if not columns or not np.array_equal(finest.sum(axis=1), whole):
                raise ValueError(f"columns of {finer} must add up to those of {broader} as their recodes say")
        found.append(_Split(finer=finer, broader=broader, parts=tuple(tuple(sorted(columns)) for columns in parts)))
    return tuple(found)


@dataclass(kw_only=True, eq=False)
class _Drawing:
    """Recodes on their way from the broadest to the finest; `safe` holds those that are drawn."""

    tables: dict[str, Table]
    splits: tuple[_Split, ...]
    safe: dict[str, SafeTable]
    spec: ControlledRounding
    key: bytes
    forced: int = 0
    refitted: int = 0
    missed: int = 0

    def split(self, level: int, progress: Progress) -> None:
        """Draw the finer table of one split, its broader one being drawn."""
        each = self.splits[level]
        many = [column for column, parts in enumerate(each.parts) if len(parts) > 1]
        progress.step("splitting bands", len(many))
        moved = {column: self._move(each, column) for column in many}
        for height in HEIGHTS:
            lacking = np.flatnonzero(np.any([one.left != 0 for one in moved.values()], axis=0)) if many else many
            if not len(lacking) or not self._refit(level, np.asarray(lacking), height):
                break
            # A neighbourhood picked anew may have moved categories that all areas could follow before.
            moved = {column: self._move(each, column) for column in many}
        columns: dict[int, tuple[np.ndarray, ...]] = {}
        for column, parts in enumerate(each.parts):
            if column not in moved:
                columns[parts[0]] = tuple(values[:, column] for values in self.safe[each.broader].values)
                continue
            self.forced += moved[column].forced
            self.missed += int((moved[column].left != 0).sum())
            values = round_controlled({"": moved[column].tables[0]}, spec=self.spec, key=self.key)[0][""].values
            columns.update({part: tuple(one[:, place] for one in values) for place, part in enumerate(parts)})
            progress.advance()
        self.safe[each.finer] = _joined(self.tables[each.finer], columns, self.safe[each.broader])

    def _move(self, each: _Split, column: int) -> Moved:
        """The finer table's part of one broader category, moved to the values drawn for it."""
        finer, parts = self.tables[each.finer], list(each.parts[column])
        inside = Table.from_finest(
            hierarchy=finer.hierarchy,
            classification=Classification(
                dimensions=finer.classification.dimensions,
                categories=tuple(finer.classification.categories[part] for part in parts),
            ),
            finest=np.ascontiguousarray(finer.counts[0][:, parts]),
        )
        gains = self.safe[each.broader].values[0][:, column] - inside.counts[0][:, -1]
        return move_totals((inside,), gains, base=self.spec.base, key=self.key)

    def _refit(self, level: int, areas: np.ndarray, height: int) -> bool:
        """Pick the broader table's values again around areas that its finer table could not follow; tells whether it did."""
        each = self.splits[level]
        tables = {split.broader: self.tables[split.broader] for split in self.splits[: level + 1]}
        tables[each.finer] = self.tables[each.finer]
        hierarchy = self.tables[each.finer].hierarchy
        if height >= len(hierarchy.levels):
            return False
        sheet, starts = _sheet(tables, self.splits[: level + 1])
        sheet = replace(sheet, fixed=tuple({*range(starts[level]), *sheet.fixed}))
        before, base = values_of([self.safe[name] for name in tables if name != each.finer]), self.spec.base
        # What is not drawn yet stands at its lower multiple, its total as it is drawn.
        finer = sheet.counts[:, starts[-2] : -1] // base * base
        held = np.unique(hierarchy.ancestors(0, height)[areas]) + sheet.tree.offsets[height]
        values, failing = refit(
            sheet,
            np.column_stack([before, finer, before[:, -1]]),
            held,
            np.arange(starts[-1]) < starts[-2],
            base=base,
            secret=sip_key(self.key, "refits"),
            figures=hashes_of(list(tables.values()), self.key),
        )
        self.refitted += len(held) - len(failing)
        drawn = {each.broader: self.safe[each.broader]}
        self.safe.update(replace_values(drawn, values[:, starts[level] : starts[level + 1]]))
        return True


def _joined(table: Table, columns: Mapping[int, tuple[np.ndarray, ...]], broader: SafeTable) -> SafeTable:
    """A finer table of its columns' values and the totals of the broader one."""
    levels = []
    for level, values in enumerate(broader.values):
        parts = [columns[column][level] for column in range(len(table.classification))]
        levels.append(np.ascontiguousarray(np.column_stack([*parts, values[:, -1]])))
    return SafeTable(
        hierarchy=table.hierarchy, classification=table.classification, values=tuple(levels), method=broader.method
    )


def _mend(
    tables: Mapping[str, Table],
    others: Mapping[str, Table],
    splits: tuple[_Split, ...],
    safe: dict[str, SafeTable],
    spec: ControlledRounding,
    key: bytes,
    progress: Progress,
) -> tuple[int, int]:
    """Pick values again where the parts do not add up, in place; how many neighbourhoods and cells.

    At first the population's totals stay, for other tables have them too; what that
    leaves is picked again with the other tables.
    """
    neighbourhoods = cells = 0
    for together, fixed in ((tables, True), ({**tables, **others}, False)):
        true = list(together.values())
        sheet, _ = _sheet(together, splits, fixed=fixed)
        values = values_of([safe[name] for name in together])
        left = np.flatnonzero(sheet.broken(values[: sheet.tree.areas]))
        if not len(left):
            return neighbourhoods, cells
        secret, figures = sip_key(key, "recodes"), hashes_of(true, key)
        mended = mend(sheet, values, base=spec.base, secret=secret, figures=figures, progress=progress)
        neighbourhoods, cells, left = neighbourhoods + mended.neighbourhoods, cells + mended.cells, mended.left
        safe.update(replace_values({name: safe[name] for name in together}, mended.values))
    if len(left):
        raise Infeasible(
            f"in {named_areas(true[0].hierarchy, left)} no values within the base were found that serve "
            f"{' and '.join(together)}; use broader bands, fewer lists of them, or larger areas",
            demands=(*together, f"base = {spec.base}"),
        )
    return neighbourhoods, cells


def _sheet(tables: Mapping[str, Table], splits: tuple[_Split, ...], *, fixed: bool = True) -> tuple[Sheet, list[int]]:
    """The tables side by side, with what is the sum of what; and the first column of each table.

    The population's totals stay where they are `fixed`.
    """
    true = list(tables.values())
    starts = np.cumsum([0, *(len(table.classification) + 1 for table in true)]).tolist()
    first = dict(zip(tables, starts, strict=False))
    totals = [end - 1 for end in starts[1:]]
    sums = [(total, np.arange(start, total)) for start, total in zip(starts, totals, strict=False) if total > start]
    sums += [(totals[0], np.array([total])) for total in totals[1:]]
    for each in splits:
        for column, parts in enumerate(each.parts):
            sums.append((first[each.broader] + column, first[each.finer] + np.array(parts)))
    sheet = Sheet(
        tree=tree_of(true[0].hierarchy),
        counts=lay_out(true),
        sums=tuple(sums),
        ties=np.zeros((0, starts[-1]), np.int8),
        fixed=tuple(totals) if fixed else (),
    )
    return sheet, starts
