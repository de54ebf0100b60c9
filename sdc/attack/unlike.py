"""Figures that several networks show with different values."""

from collections.abc import Sequence

import numpy as np

from sdc.attack.listing import MOST_LISTED, listed
from sdc.attack.targets import Target
from sdc.attack.witness import Names
from sdc.findings import Audit, Finding
from sdc.tables import SHOWN

__all__ = ["unlike_values"]


def unlike_values(targets: Sequence[Target]) -> Audit:
    """Figures that networks of one measure and method show with different values: totals, and columns of one classification."""
    hits: list[tuple[Target, Target, int, int, int]] = []
    number = 0
    for second, two in enumerate(targets):
        for one in targets[:second]:
            first, other = one.table, two.table
            if first is None or other is None or first.method != other.method:
                continue
            width = slice(None) if first.classification == other.classification else slice(-1, None)
            for level in range(len(first.values)):
                shown = (first.markers[level][:, width] == SHOWN) & (other.markers[level][:, width] == SHOWN)
                units, columns = np.nonzero(shown & (first.values[level][:, width] != other.values[level][:, width]))
                number += len(units)
                # The total alone is column 0 of what was compared, and the last of each table.
                places = columns if width == slice(None) else columns - 1
                for unit, column in zip(units[:MOST_LISTED].tolist(), places[:MOST_LISTED].tolist(), strict=True):
                    hits.append((one, two, level, unit, column))

    def tell(hit: tuple[Target, Target, int, int, int]) -> Finding:
        one, two, level, unit, column = hit
        assert one.table is not None and two.table is not None
        values = [int(table.values[level][unit, column]) for table in (one.table, two.table)]
        cell = Names(two.table).name_at(level, unit, column % two.table.values[level].shape[1])
        text = f"{one.piece.name} shows {values[0]}, {two.piece.name} shows {values[1]} for the same people"
        return Finding(kind="two values", severity="contradiction", table=two.piece.name, cell=cell, witness=text)

    if len(targets) < 2:
        return Audit()
    whole = ", ".join(target.piece.name for target in targets)
    audit = listed(whole, "two values", hits[:MOST_LISTED], tell, number)
    return audit.joined(Audit(checked=("figures that several tables show: one value each",)))
