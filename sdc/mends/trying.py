"""What to do about findings: mends that were tried, by attacking again what would be published instead.

Six kinds, each tried from the cheapest loss on until one passes or all were tried:

* *one marker*: one sign for all cells without a number, of the tables whose signs tell something (`sdc.mends.onemarker`);
* *hide cells*: the exposed cells, then cells that the witnesses name, one for each finding and
  round (`sdc.mends.hiding`), under one marker where findings are of markers; where figures are as counted and the truth
  is there, suppression of all small counts;
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
from sdc.mends.hiding import Hiding, is_unlisted, named_cells, unsafe_number
from sdc.mends.leavingout import drop_table, leave_out_categories, leave_out_level
from sdc.mends.loss import Loss
from sdc.mends.onemarker import alike, told_alike
from sdc.mends.othermethods import rounded_anew, suppressed_anew
from sdc.mends.sheet import Bounds, Published, Sheets, sheets_of, shown_cells
from sdc.mends.trial import HIDE, KINDS, METHOD, ONE_MARKER, Mend, Trial, Way, listed
from sdc.tables import SUPPRESSED, Table

__all__ = ["KINDS", "Loss", "Mend", "try_mends"]

# Cells to hide that a mend names one by one.
MOST_CELLS = 1000


def try_mends(
    tables: Published,
    audit: Audit,
    *,
    attack: Callable[[Published], Audit],
    verdict: Callable[[Published], Audit] | None = None,
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
    verdict : the same where it is asked only whether anything is found: it may end at the first finding.  `attack` by default.
    min_count : smallest non-zero count that may be told; a count x is *small* where 1 <= x <= min_count - 1.
    truth : true tables by name; pieces hold their own.
    known : of pieces, by name, what is known from elsewhere: lo and hi of their shape, `sdc.mends.sheet.sheets_of`.
    measures : of tables, by name, what they count; figures of two are the same only where it is.
    fixed : tables that cannot be changed, such as other bodies'.
    most_attacks : most attacks for one kind.
    kinds : which to try.

    Returns
    -------
    A mend of each kind, passing or not, in the order of `KINDS`; nothing where the audit is safe.  One marker is told of
    only where some table has signs that tell something.
    """
    if audit.safe:
        return ()
    trial = Trial(
        tables=tables,
        sheets=sheets_of(tables, truth=truth, known=known, measures=measures),
        audit=audit,
        attack=attack,
        verdict=attack if verdict is None else verdict,
        min_count=min_count,
        fixed=frozenset(fixed),
        most=most_attacks,
        progress=progress,
    )
    ways = (_one_marker, _hide_cells, drop_table, leave_out_level, leave_out_categories, _other_method)
    asked = [
        way for kind, way in zip(KINDS, ways, strict=True) if kind in kinds and (kind != ONE_MARKER or trial.signed)
    ]
    return tuple(way(trial) for way in asked)


def _one_marker(trial: Trial) -> Mend:
    """One sign for all cells without a number: in the tables with findings of their signs, then in all."""
    trial.made = 0
    if trial.plain_audit.safe:
        return _marked_alike(trial, trial.marked, trial.plain)
    if trial.marked != trial.signed:
        sheets = alike(trial.sheets, trial.signed)
        if trial.passes(sheets):
            return _marked_alike(trial, trial.signed, sheets)
    return trial.failed(ONE_MARKER, "")


def _marked_alike(trial: Trial, names: Collection[str], sheets: Sheets) -> Mend:
    what = _signs_alike(trial, names)
    return trial.passed(ONE_MARKER, what, f"One marker for all cells without a number, {listed(what)}", sheets)


def _signs_alike(trial: Trial, names: Collection[str]) -> list[str]:
    return [told for sheet in trial.sheets if sheet.name in names for told in told_alike(sheet)]


def _hide_cells(trial: Trial) -> Mend:
    """Hide exposed cells and what gives them away; where findings are too many to be listed, all small counts first."""
    trial.made = 0
    if trial.plain_audit.safe:
        trial.made = 0
        return trial.failed(HIDE, "one marker for all cells without a number is enough")
    ways = (_by_suppression, _round_by_round) if is_unlisted(trial.audit) else (_round_by_round, _by_suppression)
    for way in ways:
        sheets = way(trial)
        if sheets is not None:
            return _hidden(trial, sheets)
    nothing = "no cell that a finding names can be hidden"
    return trial.failed(HIDE, nothing, left=trial.made >= trial.most, hopeless=trial.hopeless)


def _round_by_round(trial: Trial) -> Sheets | None:
    """A cell more for each finding and round, until the attack finds nothing; then what was not needed is shown again.

    Of findings too many to be listed, a round must take so many away that as good ones to come could leave none.
    """
    hiding, audit = Hiding(trial.plain, trial.fixed, min_count=trial.min_count), trial.plain_audit
    while not audit.safe:
        if trial.made >= trial.most or not hiding.add(audit):
            return None
        before, audit = unsafe_number(audit), trial.audited(hiding.sheets())
        left = unsafe_number(audit)
        trial.hopeless = is_unlisted(audit) and left > (before - left) * (trial.most - trial.made)
        if trial.hopeless:
            return None
    for partner in hiding.partners():
        if trial.made >= trial.most:
            break
        fewer = hiding.without(partner)
        if trial.passes(fewer.sheets()):
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
    if not trial.marked:
        return trial.passed(HIDE, names, f"Hide {told}, {listed(names, number)}", sheets)
    signs = _signs_alike(trial, trial.marked)
    both = f"Hide {told}, {listed(names, number)}, with one marker for all cells without a number, {listed(signs)}"
    return trial.passed(HIDE, [*signs, *names], both, sheets)


def _by_suppression(trial: Trial) -> Sheets | None:
    """All tables whose figures are as counted, suppressed anew; None where there are none, or it does not pass."""
    ours = [
        sheet for sheet in trial.changeable(trial.plain) if sheet.hides_as == SUPPRESSED and sheet.truth is not None
    ]
    if not ours:
        return None
    named = named_cells(trial.audit, trial.plain)
    masks = [sheet.markers == SUPPRESSED for sheet in ours]
    for mask, sheet in zip(masks, ours, strict=True):
        for row, column in (cell[1:] for cell in named if trial.plain[cell[0]] is sheet):
            mask[row, column] = True
    try:
        made = {sheet.name: sheet for sheet in suppressed_anew(ours, masks, min_count=trial.min_count)}
    except (Infeasible, ValueError):
        return None
    sheets = tuple(made.get(sheet.name, sheet) for sheet in trial.plain)
    return sheets if trial.passes(sheets) else None


def _other_method(trial: Trial) -> Mend:
    bare = alike(trial.sheets, trial.signed)
    ours = trial.changeable(bare)
    if not ours or any(sheet.truth is None for sheet in ours):
        trial.made = 0
        return trial.failed(METHOD, "the true counts are not there" if ours else "no table is ours to change")
    now = [s.method.base for s in ours if s.method.name == "controlled-rounding"]
    bases = [trial.min_count, 2 * trial.min_count]
    if len(now) == len(ours):
        bases = [base for base in (*bases, 2 * max(now)) if base > max(now)][:2]

    def way(base: int) -> Way:
        def make() -> Sheets:
            made = {sheet.name: sheet for sheet in rounded_anew(ours, base=base, min_count=trial.min_count)}
            return tuple(made.get(sheet.name, sheet) for sheet in bare)

        return Way(what=(f"controlled-rounding, base {base}",), told=f"Controlled rounding to base {base}", make=make)

    return trial.first(METHOD, map(way, bases), "no other method is known")
