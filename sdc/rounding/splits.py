"""Splitting bands: a finer table drawn from a broader one that is drawn.

Each category of the broader table that the finer one splits is a population of its own,
with totals that are drawn already, at every level.

* Afresh: the finer table's part of it is moved to these totals (`sdc.rounding.transfers`) and
  rounded from there.  Where it cannot follow, broader values of that neighbourhood are
  picked again (`sdc.rounding.neighbourhoods`).
* Where the release before has finer bands: its part starts with kept values in place, within
  the drawn totals (`sdc.rounding.keptstart`, `sdc.rounding.within`).  Where it cannot, it has other
  totals in that neighbourhood.

What disagrees in the end is told as *missed*, and left to `sdc.rounding.recodes`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from common.keys import sip_key
from common.progress import Progress
from sdc.rounding.controlled import ControlledRounding, round_controlled
from sdc.rounding.kept import Earlier
from sdc.rounding.neighbourhoods import refit
from sdc.rounding.sheets import Sheet, hashes_of, lay_out, replace_values, values_of
from sdc.rounding.transfers import Moved, move_totals
from sdc.rounding.tree import tree_of
from sdc.rounding.within import Within
from sdc.tables import Classification, SafeTable, Table

__all__ = ["Split", "Splitting", "lay_recodes", "splits_of", "summed_before"]

# How many levels up the neighbourhoods reach whose broader values are picked again, try by try.
HEIGHTS = (1, 2)


@dataclass(frozen=True, kw_only=True)
class Split:
    """How a finer table splits a broader one: for each column of the broader, the columns that it is the sum of."""

    finer: str
    broader: str
    parts: tuple[tuple[int, ...], ...]


def splits_of(
    order: tuple[str, ...], recodes: Mapping[str, Sequence[int]], tables: Mapping[str, Table]
) -> tuple[Split, ...]:
    found = []
    for broader, finer in pairwise(order):
        parts: list[list[int]] = [[] for _ in range(len(tables[broader].classification))]
        for coarse, fine in dict.fromkeys(zip(recodes[broader], recodes[finer], strict=True)):
            parts[coarse].append(fine)
        for coarse, columns in enumerate(parts):
            whole, finest = tables[broader].counts[0][:, coarse], tables[finer].counts[0][:, columns]
            if not columns or not np.array_equal(finest.sum(axis=1), whole):
                raise ValueError(f"columns of {finer} must add up to those of {broader} as their recodes say")
        found.append(Split(finer=finer, broader=broader, parts=tuple(tuple(sorted(columns)) for columns in parts)))
    return tuple(found)


@dataclass(kw_only=True, eq=False)
class Splitting:
    """Recodes on their way from the broadest to the finest; `safe` holds those that are drawn."""

    tables: dict[str, Table]
    splits: tuple[Split, ...]
    safe: dict[str, SafeTable]
    spec: ControlledRounding
    key: bytes
    earlier: Mapping[str, Earlier]
    forced: int = 0
    refitted: int = 0
    missed: int = 0

    def split(self, level: int, progress: Progress) -> None:
        """Draw the finer table of one split, its broader one being drawn."""
        each = self.splits[level]
        many = [column for column, parts in enumerate(each.parts) if len(parts) > 1]
        progress.step("splitting bands", len(many))
        draw = self._kept if self._knows(each) else self._afresh
        columns: dict[int, tuple[np.ndarray, ...]] = {}
        for column, values in draw(level, many):
            drawn = self.safe[each.broader].values[0][:, column]
            self.missed += int((values[0][:, -1] != drawn).sum())
            columns.update({part: tuple(one[:, at] for one in values) for at, part in enumerate(each.parts[column])})
            progress.advance()
        # Only now, for the broader table may have been picked again.
        for column, parts in enumerate(each.parts):
            if len(parts) == 1:
                columns[parts[0]] = tuple(values[:, column] for values in self.safe[each.broader].values)
        self.safe[each.finer] = _joined(self.tables[each.finer], columns, self.safe[each.broader])

    def _knows(self, each: Split) -> bool:
        """Whether the release before has any band of the finer table."""
        return each.finer in self.earlier and any(known[:, :-1].any() for known in self.earlier[each.finer].known)

    def _kept(self, level: int, many: Sequence[int]) -> Iterator[tuple[int, tuple[np.ndarray, ...]]]:
        """Values of the parts of each broader category: kept where they can be, within the totals drawn for it."""
        each = self.splits[level]
        for column in many:
            inside = self._inside(each, column)
            totals, drawn = (
                np.concatenate([values[:, at] for values in levels])
                for levels, at in ((inside.counts, -1), (self.safe[each.broader].values, column))
            )
            within = Within.of(totals, drawn, drawn, drawn, base=self.spec.base)
            before = {"": _of_columns(self.earlier[each.finer], each.parts[column])}
            safe, _ = round_controlled({"": inside}, spec=self.spec, key=self.key, earlier=before, within=within)
            yield column, safe[""].values

    def _afresh(self, level: int, many: Sequence[int]) -> Iterator[tuple[int, tuple[np.ndarray, ...]]]:
        """Values of the parts of each broader category, moved to the totals drawn for it and rounded from there."""
        each = self.splits[level]
        moved = {column: self._move(each, column) for column in many}
        for height in HEIGHTS:
            lacking = np.flatnonzero(np.any([one.left != 0 for one in moved.values()], axis=0)) if many else many
            if not len(lacking) or not self._refit(level, np.asarray(lacking), height):
                break
            # A neighbourhood picked anew may have moved categories that all areas could follow before.
            moved = {column: self._move(each, column) for column in many}
        for column, one in moved.items():
            self.forced += one.forced
            yield column, round_controlled({"": one.tables[0]}, spec=self.spec, key=self.key)[0][""].values

    def _inside(self, each: Split, column: int) -> Table:
        """The finer table's part of one broader category."""
        finer, parts = self.tables[each.finer], list(each.parts[column])
        return Table.from_finest(
            hierarchy=finer.hierarchy,
            classification=Classification(
                dimensions=finer.classification.dimensions,
                categories=tuple(finer.classification.categories[part] for part in parts),
            ),
            finest=np.ascontiguousarray(finer.counts[0][:, parts]),
        )

    def _move(self, each: Split, column: int) -> Moved:
        """The finer table's part of one broader category, moved to the values drawn for it."""
        inside = self._inside(each, column)
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
        sheet, starts = lay_recodes(tables, self.splits[: level + 1])
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


def summed_before(each: Split, earlier: Mapping[str, Earlier]) -> Earlier:
    """The release before of a broader table: where that did not tell a band, it stands as the sum of those inside it."""

    def added(levels: tuple[np.ndarray, ...]) -> list[np.ndarray]:
        return [
            np.column_stack([*(level[:, list(parts)].sum(axis=1) for parts in each.parts), level[:, -1]])
            for level in levels
        ]

    finer = earlier[each.finer]
    missing = added(tuple(~known for known in finer.known))
    summed = Earlier(
        counts=tuple(added(finer.counts)),
        values=tuple(added(finer.values)),
        known=tuple(level == 0 for level in missing),
    )
    if each.broader not in earlier:
        return summed
    own = earlier[each.broader]
    return Earlier(
        counts=tuple(np.where(known, *both) for known, *both in zip(own.known, own.counts, summed.counts, strict=True)),
        values=tuple(np.where(known, *both) for known, *both in zip(own.known, own.values, summed.values, strict=True)),
        known=tuple(known | other for known, other in zip(own.known, summed.known, strict=True)),
    )


def _of_columns(earlier: Earlier, parts: Sequence[int]) -> Earlier:
    """The release before of some columns, of whose total nothing is known."""

    def taken(levels: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
        return tuple(np.column_stack([level[:, list(parts)], np.zeros(len(level), level.dtype)]) for level in levels)

    return Earlier(counts=taken(earlier.counts), values=taken(earlier.values), known=taken(earlier.known))


def _joined(table: Table, columns: Mapping[int, tuple[np.ndarray, ...]], broader: SafeTable) -> SafeTable:
    """A finer table of its columns' values and the totals of the broader one."""
    levels = []
    for level, values in enumerate(broader.values):
        parts = [columns[column][level] for column in range(len(table.classification))]
        levels.append(np.ascontiguousarray(np.column_stack([*parts, values[:, -1]])))
    return SafeTable(
        hierarchy=table.hierarchy, classification=table.classification, values=tuple(levels), method=broader.method
    )


def lay_recodes(
    tables: Mapping[str, Table], splits: tuple[Split, ...], *, fixed: bool = True
) -> tuple[Sheet, list[int]]:
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
