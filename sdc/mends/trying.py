"""What to do about findings: mends that were tried, by attacking again what would be published instead.

Five kinds, each tried from the cheapest loss on until one passes or all were tried:

* *hide cells*: the exposed cells, then cells that the witnesses name, one for each finding and
  round (`sdc.mends.hiding`); where figures are as counted and the truth is there, suppression of all small counts;
* *drop table*: one table, those of most findings first, then several;
* *leave out level*: the smallest level of areas, of the tables with findings, then of all, then the next;
* *leave out categories*: two or more of a dimension, so that no one of them follows from the total;
* *other method*: controlled rounding to a base of min_count or more, where the truth is there.

What is left out of a table is taken as not published: its areas and categories are still known, and what other figures
give away of it is still attacked.  A mend *passes* where the attack on what is left finds no
disclosure and no contradiction, so neither those there were nor others.
"""

from collections.abc import Callable, Collection, Mapping

import numpy as np

from common.faults import Infeasible
from common.progress import SILENT, Progress
from sdc.findings import Audit
from sdc.mends.hiding import Hiding, named_cells
from sdc.mends.leavingout import drop_table, leave_out_categories, leave_out_level
from sdc.mends.loss import Loss
from sdc.mends.othermethods import rounded_anew, suppressed_anew
from sdc.mends.sheet import Bounds, Published, Sheets, sheets_of, shown_cells
from sdc.mends.trial import KINDS, Mend, Trial, Way, listed
from sdc.tables import SUPPRESSED, Table

__all__ = ["KINDS", "Loss", "Mend", "try_mends"]

# Cells to hide that a mend names one by one.
MOST_CELLS = 1000


def try_mends(
    tables: Published,
    audit: Audit,
    *,
    attack: Callable[[Published], Audit],
    min_count: int,
    truth: Mapping[str, Table] | None = None,
    known: Mapping[str, Bounds] | None = None,
    measures: Mapping[str, str] | None = None,
    fixed: Collection[str] = (),
    most_attacks: int = 12,
    kinds: Collection[str] = KINDS,
    progress: Progress = SILENT,
) -> tuple[Mend, ...]:
    """Try mends for all that an audit found, and tell of each kind the first that passes.

    Parameters
    ----------
    tables : what was attacked: tables by name, or pieces.
    audit : what `attack` found in them.
    attack : the attack on tables or pieces in the form of `tables`, fewer where one is dropped, of the same
        areas and categories.  What is known from elsewhere of tables it must put in itself; of pieces see `known`.
    min_count : smallest non-zero count that may be told; a count x is *small* where 1 <= x <= min_count - 1.
    truth : true tables by name; pieces hold their own.
    known : of pieces, by name, what is known from elsewhere: lo and hi of their shape, `sdc.mends.sheet.sheets_of`.
    measures : of tables, by name, what they count; figures of two are the same only where it is.
    fixed : tables that cannot be changed, such as other bodies'.
    most_attacks : most attacks for one kind.
    kinds : which to try.

    Returns
    -------
    A mend of each kind, passing or not, in the order of `KINDS`; nothing where the audit is safe.
    """
    if audit.safe:
        return ()
    trial = Trial(
        tables=tables,
        sheets=sheets_of(tables, truth=truth, known=known, measures=measures),
        audit=audit,
        attack=attack,
        min_count=min_count,
        fixed=frozenset(fixed),
        most=most_attacks,
        progress=progress,
    )
    ways = (_hide_cells, drop_table, leave_out_level, leave_out_categories, _other_method)
    return tuple(way(trial) for kind, way in zip(KINDS, ways, strict=True) if kind in kinds)


def _hide_cells(trial: Trial) -> Mend:
    """Hide exposed cells and what gives them away; where findings are too many to be listed, all small counts first."""
    trial.made = 0
    unlisted = any(name.endswith(", not listed") for name in trial.audit.figures)
    ways = (_by_suppression, _round_by_round) if unlisted else (_round_by_round, _by_suppression)
    for way in ways:
        sheets = way(trial)
        if sheets is not None:
            return _hidden(trial, sheets)
    nothing = "no cell that a finding names can be hidden"
    return trial.failed(KINDS[0], nothing, left=trial.made >= trial.most)


def _round_by_round(trial: Trial) -> Sheets | None:
    """A cell more for each finding and round, until the attack finds nothing; then what was not needed is shown again."""
    hiding, audit = Hiding(trial.sheets, trial.fixed, min_count=trial.min_count), trial.audit
    while not audit.safe:
        if trial.made >= trial.most or not hiding.add(audit):
            return None
        audit = trial.audited(hiding.sheets())
    for partner in hiding.partners():
        if trial.made >= trial.most:
            break
        fewer = hiding.without(partner)
        if trial.audited(fewer.sheets()).safe:
            hiding = fewer
    return hiding.sheets()


def _hidden(trial: Trial, sheets: Sheets) -> Mend:
    """That hiding passes, with the cells that showed a value and show none any more."""
    names: list[str] = []
    number = 0
    for sheet, now in zip(trial.sheets, sheets, strict=True):
        places = np.argwhere(shown_cells(sheet) & ~shown_cells(now))
        number += len(places)
        names += [f"{sheet.name}: {sheet.name_of(*place)}" for place in places[: MOST_CELLS - len(names)].tolist()]
    told = "1 further cell" if number == 1 else f"{number:,} further cells"
    return trial.passed(KINDS[0], names, f"Hide {told}, {listed(names, number)}", sheets)


def _by_suppression(trial: Trial) -> Sheets | None:
    """All tables whose figures are as counted, suppressed anew; None where there are none, or it does not pass."""
    ours = [sheet for sheet in trial.open if sheet.hides_as == SUPPRESSED and sheet.truth is not None]
    if not ours:
        return None
    named = named_cells(trial.audit, trial.sheets)
    masks = [sheet.markers == SUPPRESSED for sheet in ours]
    for mask, sheet in zip(masks, ours, strict=True):
        for row, column in (cell[1:] for cell in named if trial.sheets[cell[0]] is sheet):
            mask[row, column] = True
    try:
        made = {sheet.name: sheet for sheet in suppressed_anew(ours, masks, min_count=trial.min_count)}
    except (Infeasible, ValueError):
        return None
    sheets = trial.changed(lambda sheet: made.get(sheet.name, sheet))
    return sheets if trial.audited(sheets).safe else None


def _other_method(trial: Trial) -> Mend:
    ours = trial.open
    if not ours or any(sheet.truth is None for sheet in ours):
        trial.made = 0
        return trial.failed(KINDS[4], "the true counts are not there" if ours else "no table is ours to change")
    now = [s.method.base for s in ours if s.method.name == "controlled-rounding"]
    bases = [trial.min_count, 2 * trial.min_count]
    if len(now) == len(ours):
        bases = [base for base in (*bases, 2 * max(now)) if base > max(now)][:2]

    def way(base: int) -> Way:
        def make() -> Sheets:
            made = {sheet.name: sheet for sheet in rounded_anew(ours, base=base, min_count=trial.min_count)}
            return trial.changed(lambda sheet: made[sheet.name])

        return Way(what=(f"controlled-rounding, base {base}",), told=f"Controlled rounding to base {base}", make=make)

    return trial.first(KINDS[4], map(way, bases), "no other method is known")
