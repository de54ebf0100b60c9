"""People beside claims: whether published people and claims can be the figures of some people.

A person has a claim of each benefit at most once, and one claim at least, all
counted in one area.  So in every area

    each benefit's claims <= people <= all claims,

and there are no people exactly where there are no claims.  Where tables add up, and this holds in
the smallest areas, it is also enough: people of an area on a circle of chairs, benefits dealt out
around it one after the other, leave no chair empty and give no chair a benefit twice.

Then a value r may stand for any count from r to r + base - 1: add so many people alike, with one claim each.
So no small count is proven where the base is at least min_count.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from releases.check.manifest import UNITS, Manifest
from releases.check.notes import SHOWN, Notes
from releases.check.tables import Published

__all__ = ["by_unit", "check_people", "compare_people"]

# Values per level of one table, of shape (areas, columns), the total last.
Levels = Sequence[np.ndarray]


def by_unit(tables: Sequence[Published], manifest: Manifest) -> dict[str, list[Published]]:
    """Tables by what they count, those of each flow apart; all of them under a blank where they count the same."""
    units = {entry.id: entry.counts for entry in manifest.tables}
    found = dict.fromkeys(units[table.id] for table in tables)
    if len(found) < 2:
        return {"": list(tables)}
    return {unit: [table for table in tables if units[table.id] == unit] for unit in found}


def check_people(tables: Sequence[Published], manifest: Manifest, notes: Notes) -> None:
    """Hold published people and claims to each other; nothing where all tables count the same."""
    counted = by_unit(tables, manifest)
    if set(counted) != set(UNITS):
        return
    if not all(table.numbers for table in tables):
        notes.not_checked("people beside claims: some cells show no number")
        return
    if compare_people(counted, {table.id: table.values for table in tables}, notes):
        notes.checked(
            "people beside claims: each benefit's claims <= people <= claims in every area, so that by proof a value r may "
            "stand for any count from r to r + base - 1"
        )
    if manifest.method != "controlled-rounding" or manifest.base < manifest.min_count:
        notes.leak("promise", "manifest.json", "people beside claims are not safe by this method or base")


def compare_people(
    counted: Mapping[str, Sequence[Published]],
    values: Mapping[str, Levels],
    notes: Notes,
    *,
    file: str = "tables/{id}.csv",
) -> bool:
    """Whether claims and people keep the inequality at every level, by `values` of each table; findings where not."""
    claims, people = counted["claims"], counted["people"]
    heads = people[0]
    right = True
    for table in claims:
        alike = table.layout.levels_alike(heads.layout)
        if not alike:
            notes.wrong("people", file.format(id=table.id), f"has other areas than {file.format(id=heads.id)}")
            right = False
            continue
        for level, level_of_heads in alike:
            shown = values[table.id][level]
            persons, every = values[heads.id][level_of_heads][:, -1], shown[:, -1]
            wrong = np.zeros(shown.shape, bool)
            wrong[:, -1] = (persons > every) | ((persons == 0) & (every > 0))
            if table.layout.dimensions == ("benefit",):
                wrong[:, :-1] = shown[:, :-1] > persons[:, None]
            right &= _tell(table, file, level, wrong, notes)
    return right


def _tell(table: Published, file: str, level: int, wrong: np.ndarray, notes: Notes) -> bool:
    """A finding for each cell of claims that the people of its area cannot have; True where there is none."""
    units, columns = np.nonzero(wrong)
    where = file.format(id=table.id)
    what = "the people of this area cannot have these claims: each benefit's are at most the people, people at most all claims"
    for unit, column in zip(units[:SHOWN].tolist(), columns[:SHOWN].tolist(), strict=True):
        notes.wrong("people", where, what, cell=table.layout.cell(level, unit, column))
    notes.more("people", where, max(0, len(units) - SHOWN))
    return len(units) == 0
