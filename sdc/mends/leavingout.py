"""Mends that leave something out: a table, the smallest level of areas, categories."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from sdc.findings import Finding
from sdc.mends.editing import taken_out
from sdc.mends.hiding import named_cells, unsafe
from sdc.mends.sheet import Sheet, Sheets
from sdc.mends.trial import DROP, LEAVE_CATEGORIES, LEAVE_LEVEL, Mend, Trial, Way, listed
from sdc.tables import NOT_PUBLISHED, TOTAL

__all__ = ["drop_table", "leave_out_categories", "leave_out_level"]


def drop_table(trial: Trial) -> Mend:
    """Drop one table, those of most findings first, then several; one at least stays."""
    size = {sheet.name: sheet.values.size for sheet in trial.open}
    hits, most = _hits(trial), len(trial.sheets) - 1
    order = sorted(size, key=lambda name: (-hits[name], size[name]))
    sets = [(name,) for name in order] if most else []
    several = [tuple(order[:number]) for number in range(2, min(most, len(order)) + 1)]

    def way(names: tuple[str, ...]) -> Way:
        def make() -> Sheets:
            return trial.changed(lambda sheet: None if sheet.name in names else sheet)

        return Way(what=names, told=f"Drop {'table' if len(names) == 1 else 'tables'} {listed(names)}", make=make)

    nothing = "there is one table alone" if size else "no table is ours to change"
    return trial.first(DROP, map(way, [*sets, *several]), nothing)


def leave_out_level(trial: Trial) -> Mend:
    """Leave out the smallest level of the tables with findings, then of all, then two levels, and so on."""
    hits = _hits(trial)
    exposed = [sheet for sheet in trial.open if hits[sheet.name]]
    depth = max((len(_published_levels(sheet)) for sheet in trial.open), default=0)

    def way(number: int, sheets: Sequence[Sheet]) -> Way:
        out = {sheet.name: _published_levels(sheet)[:-1][:number] for sheet in sheets}
        what = tuple(
            f"{sheet.hierarchy.levels[level]} of {sheet.name}" for sheet in sheets for level in out[sheet.name]
        )
        return Way(what=what, told=f"Leave out level {listed(what)}", make=lambda: _without_levels(trial, out))

    ways = [way(number, sheets) for number in range(1, depth) for sheets in (exposed, trial.open)]
    told = {one.what: one for one in reversed(ways) if one.what}
    return trial.first(LEAVE_LEVEL, list(told.values())[::-1], "every table has one level of areas alone")


def _published_levels(sheet: Sheet) -> list[int]:
    """Levels of which anything is published, smallest areas first."""
    told = np.add.reduceat((sheet.markers != NOT_PUBLISHED).sum(axis=1), sheet.starts[:-1])
    return [int(level) for level in np.flatnonzero(told)]


def _without_levels(trial: Trial, out: Mapping[str, Sequence[int]]) -> Sheets:
    def change(sheet: Sheet) -> Sheet:
        level = np.searchsorted(sheet.starts, np.arange(len(sheet.values)), side="right") - 1
        gone = np.isin(level, out.get(sheet.name, ()))
        return taken_out(sheet, np.broadcast_to(gone[:, None], sheet.values.shape), NOT_PUBLISHED)

    return trial.changed(change)


def leave_out_categories(trial: Trial) -> Mend:
    """Leave out the categories with findings, and neighbours of them so that there are two, then the whole dimension."""
    exposed: dict[str, Counter[str]] = {}
    for at, _, column in named_cells(trial.audit, trial.sheets):
        sheet = trial.sheets[at]
        for dimension, code in zip(sheet.dimensions, sheet.columns[column], strict=True):
            if code != TOTAL:
                exposed.setdefault(dimension, Counter())[code] += 1

    def way(dimension: str, codes: Sequence[str], chosen: tuple[str, ...]) -> Way:
        what = tuple(f"{dimension}={code}" for code in chosen)
        whole = ", which is all that the dimension has" if len(chosen) == len(codes) else ""
        told = f"Leave out {listed(what)}{whole}"
        return Way(what=what, told=told, make=lambda: _without_codes(trial, dimension, chosen))

    def ways() -> Iterator[Way]:
        for dimension, hits in sorted(exposed.items(), key=lambda one: -one[1].total()):
            tables = [sheet for sheet in trial.open if dimension in sheet.dimensions]
            codes = sorted({code for sheet in tables for code in _codes(sheet, dimension)})
            for chosen in _sets_of(codes, set(hits)):
                yield way(dimension, codes, chosen)

    return trial.first(LEAVE_CATEGORIES, ways(), "no finding is of a category")


def _codes(sheet: Sheet, dimension: str) -> set[str]:
    at = sheet.dimensions.index(dimension)
    return {codes[at] for codes in sheet.columns} - {TOTAL}


def _sets_of(codes: Sequence[str], hits: set[str]) -> Iterator[tuple[str, ...]]:
    """Sets of two or more codes to leave out, few first: those with findings, with a neighbour, all."""
    exposed = [code for code in codes if code in hits]
    if not exposed or len(codes) < 2:
        return
    first, last = codes.index(exposed[0]), codes.index(exposed[-1])
    sets = [tuple(exposed)] if len(exposed) > 1 else []
    for at in (last + 1, first - 1):
        if 0 <= at < len(codes):
            sets.append(tuple(sorted({*exposed, codes[at]})))
    yield from dict.fromkeys([*sets, tuple(codes)])


def _without_codes(trial: Trial, dimension: str, chosen: Sequence[str]) -> Sheets:
    def change(sheet: Sheet) -> Sheet:
        if dimension not in sheet.dimensions:
            return sheet
        at = sheet.dimensions.index(dimension)
        gone = np.array([codes[at] in chosen for codes in sheet.columns])
        return taken_out(sheet, np.broadcast_to(gone, sheet.values.shape), NOT_PUBLISHED)

    return trial.changed(change)


def _hits(trial: Trial) -> Counter[str]:
    """Findings by the table they are of; of a joint finding every table that it names."""
    found: Counter[str] = Counter()
    for finding in unsafe(trial.audit):
        found.update(_tables_of(finding, trial.sheets))
    return found


def _tables_of(finding: Finding, sheets: Sheets) -> list[str]:
    by_cell = [sheet.name for sheet in sheets if finding.cell.startswith(f"{sheet.name}: ")]
    by_name = [sheet.name for sheet in sheets if sheet.name == finding.table]
    among = set(finding.table.split(", "))
    return by_cell or by_name or [sheet.name for sheet in sheets if sheet.name in among]
