"""Flows beside the caseload: whether published figures can be the flows of some claims.

Who joined within the window is still there on its last day, or has left again, so that in every cell

    on-flow <= caseload + off-flow.

True counts keep this; published values, each less than the base from its count, keep
on-flow - (base - 1) <= caseload + off-flow + 2 (base - 1).
"""

from collections.abc import Mapping, Sequence

import numpy as np

from releases.check.manifest import FLOWS, Manifest
from releases.check.notes import SHOWN, Notes
from releases.check.people import Levels, by_unit
from releases.check.tables import Published

__all__ = ["check_flows", "compare_flows"]

ON, OFF = FLOWS


def check_flows(tables: Sequence[Published], manifest: Manifest, notes: Notes) -> None:
    """Hold published flows to the caseload; nothing where there are none."""
    measures = {entry.measure for entry in manifest.tables}
    if not measures & set(FLOWS):
        return
    if not {"caseload", ON, OFF} <= measures:
        notes.not_checked("flows against the caseload: one of on-flow and off-flow is not published")
        return
    if not all(table.numbers for table in tables):
        notes.not_checked("flows against the caseload: some cells show no number")
        return
    reach = 0 if manifest.method == "exact" else manifest.base - 1
    if compare_flows(tables, {table.id: table.values for table in tables}, manifest, notes, slack=3 * reach):
        notes.checked("flows against the caseload: who joined is still there or has left again, in every cell")
    notes.not_checked("flows with the caseload before them: that is in another release")


def compare_flows(
    tables: Sequence[Published],
    values: Mapping[str, Levels],
    manifest: Manifest,
    notes: Notes,
    *,
    slack: int = 0,
    file: str = "tables/{id}.csv",
) -> bool:
    """Whether on-flow <= caseload + off-flow + `slack` in all that tables of the three tell alike; findings where not."""
    counted = by_unit(tables, manifest)
    right = True
    for unit in sorted({entry.unit for entry in manifest.tables}):
        for joined in counted.get(f"{unit} {ON}", ()):
            for left in counted.get(f"{unit} {OFF}", ()):
                for live in counted.get(unit, ()):
                    right &= _compare((joined, left, live), values, notes, slack, file)
    return right


def _compare(
    three: tuple[Published, Published, Published],
    values: Mapping[str, Levels],
    notes: Notes,
    slack: int,
    file: str,
) -> bool:
    """The same of an on-flow, an off-flow and a caseload: their totals, and their categories where these are the same."""
    joined, left, live = three
    alike = [dict(joined.layout.levels_alike(other.layout)) for other in (left, live)]
    right = True
    same = all(
        (one.layout.dimensions, one.layout.categories) == (joined.layout.dimensions, joined.layout.categories)
        for one in (left, live)
    )
    columns = slice(None) if same else slice(-1, None)
    for level in sorted(alike[0].keys() & alike[1].keys()):
        on = values[joined.id][level]
        most = values[left.id][alike[0][level]][:, columns] + values[live.id][alike[1][level]][:, columns] + slack
        wrong = np.zeros(on.shape, bool)
        wrong[:, columns] = on[:, columns] > most
        units, places = np.nonzero(wrong)
        where, what = file.format(id=joined.id), "more joined than are there and left together"
        for area, column in zip(units[:SHOWN].tolist(), places[:SHOWN].tolist(), strict=True):
            notes.wrong("flows", where, what, cell=joined.layout.cell(level, area, column))
        notes.more("flows", where, max(0, len(units) - SHOWN))
        right &= len(units) == 0
    return right
