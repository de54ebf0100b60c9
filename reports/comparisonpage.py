"""The page that sets methods side by side, for the statistician alone: every figure on it is measured against true counts.

The caller makes the folder (mode 0700) and sees to it that nothing of it is
ever served.  The page needs no other file, and holds no script.
"""

from collections.abc import Mapping
from typing import Any

from reports.comparison import (
    SHOWN,
    Compared,
    Comparison,
    adds_up,
    figure_text,
    fine_text,
    hides,
    largest_gap,
    recommendations,
    share_text,
    value_of,
)
from reports.comparisoncharts import Bar, Stack, bar_chart, stack_chart
from reports.pages import assets_path, fill_page
from reports.statements import words
from reports.tablepages import DataTable, Row
from sdc.promises import PROMISE_SENTENCES
from sdc.utility.sizes import HIDDEN

__all__ = ["comparison_page"]

FINDINGS_ON_PAGE = 5
FORMS = {"": figure_text, "share": share_text, "fine": fine_text}


def comparison_page(facts: Comparison) -> str:
    """The page as HTML."""
    return fill_page(
        "comparison.html",
        facts=facts,
        css=assets_path("site.css").read_text(encoding="utf-8"),
        private=words("comparison")["private"],
        recommendations=recommendations(facts),
        any_safe=any(method.audit.safe for method in facts.methods),
        any_hidden=any(hides(method) for method in facts.methods),
        verdict=_verdict_table(facts),
        promises=_promises(facts),
        unfit=_unfit_table(facts),
        groups=_groups(facts),
        sizes=[_sizes_table(facts, at) for at in range(len(facts.levels))],
        charts=_charts(facts),
        findings={method.name: _first_findings(method) for method in facts.methods},
        worked=_worked_table(facts),
    )


def _verdict_table(facts: Comparison) -> DataTable:
    told = words("comparison")
    heads, level = told["verdict"], facts.smallest
    columns = [heads["gap"], heads["findings"]]
    columns += [heads[name].format(level=level) for name in ("changed", "hidden", "order")]
    columns += [heads["error"].format(level=name) for name, _ in facts.levels]
    rows = []
    for method in facts.methods:
        size = method.sizes[0]
        shown = size["cells"] - size[HIDDEN]
        figures = [
            figure_text(largest_gap(method)),
            f"{method.findings:,}",
            share_text((shown - size["unchanged"]) / size["cells"]),
            share_text(size[HIDDEN] / size["cells"]),
            fine_text(value_of(method.best, level, "rank_correlation", "total")),
            *(figure_text(value_of(method.best, name, "mean_absolute_error")) for name, _ in facts.levels),
        ]
        about = (
            told["attack"]["safe" if method.audit.safe else "unsafe"],
            told["promise"][method.promise or "none"],
            told["adds_up"]["no" if not adds_up(method) else "shown" if hides(method) else "yes"],
        )
        rows.append(Row(head=method.name, about=about, cells=tuple(figures)))
    return DataTable(
        id="methods",
        caption=heads["caption"],
        row_heads=tuple(heads[name] for name in ("method", "attack", "promise", "adds_up")),
        columns=tuple(columns),
        rows=tuple(rows),
    )


def _promises(facts: Comparison) -> list[tuple[str, str]]:
    """The promises that stand in the table, in short and in full."""
    short = words("comparison")["promise"]
    used = {method.promise for method in facts.methods}
    return [(short[name], sentence) for name, sentence in PROMISE_SENTENCES.items() if name in used]


def _unfit_table(facts: Comparison) -> DataTable | None:
    heads = words("comparison")["unfit"]
    if not facts.unfit:
        return None
    return DataTable(
        id="unfit",
        caption=heads["caption"],
        row_heads=(heads["method"], heads["reason"]),
        columns=(),
        rows=tuple(Row(head=name, about=(reason,), cells=()) for name, reason in facts.unfit),
    )


def _groups(facts: Comparison) -> list[dict[str, Any]]:
    return [
        {
            "id": group["id"],
            "heading": group["heading"],
            "about": group["about"],
            "tables": [
                _measure_table(facts, measure, f"{group['id']}-{at}") for at, measure in enumerate(group["measure"])
            ],
        }
        for group in words("comparison")["group"]
    ]


def _measure_table(facts: Comparison, measure: Mapping[str, str], identity: str) -> DataTable:
    """One measure: a row per method and reading, a column per level."""
    told, form = words("comparison"), FORMS[measure.get("form", "")]
    rows = []
    for method in facts.methods:
        for reading, values in method.utility.items():
            if reading != SHOWN and measure["id"] in ("share_hidden", "sum_hidden"):
                continue
            name = f"{method.name}, {told['reading'][reading]}" if hides(method) else method.name
            found = [value_of(values, level, measure["id"], measure.get("of", "all")) for level, _ in facts.levels]
            rows.append(Row(head=name, about=(), cells=tuple(form(value) for value in found)))
    return DataTable(
        id=identity,
        caption=measure["caption"],
        row_heads=(told["measures"]["method"],),
        columns=tuple(level for level, _ in facts.levels),
        rows=tuple(rows),
    )


def _sizes_table(facts: Comparison, at: int) -> DataTable:
    told, names = words("comparison")["sizes"], _size_names(facts)
    rows = [(method.name, method.sizes[at]) for method in facts.methods]
    return DataTable(
        id=f"table-sizes-{at}",
        caption=told["caption"].format(level=facts.levels[at][0]),
        row_heads=(told["method"],),
        columns=tuple(name[:1].upper() + name[1:] for name in names),
        rows=tuple(Row(head=name, about=(), cells=tuple(f"{row[size]:,}" for size in names)) for name, row in rows),
    )


def _size_names(facts: Comparison) -> list[str]:
    return [name for name in facts.methods[0].sizes[0] if name not in ("level", "cells")]


def _first_findings(method: Compared) -> list[str]:
    """The first of what the attack proved, a sentence each."""
    unsafe = [one for one in method.audit.findings if one.severity in ("disclosure", "contradiction")]
    return [f"{one.kind}, {one.cell}: {one.witness}" for one in unsafe[:FINDINGS_ON_PAGE]]


def _worked_table(facts: Comparison) -> DataTable:
    told, area = words("comparison"), facts.worked
    true = Row(head=told["true_row"], about=(), cells=tuple(f"{count:,}" for count in area.true))
    rows = [Row(head=method.name, about=(), cells=method.worked) for method in facts.methods]
    return DataTable(
        id="worked-area",
        caption=f"{area.level} {area.code}",
        row_heads=(told["measures"]["method"],),
        columns=area.columns,
        rows=(true, *rows),
    )


# --- Charts ---------------------------------------------------------------------------------------


def _charts(facts: Comparison) -> list[dict[str, Any]]:
    """Groups of charts, a chart per level, each with the id of the table that tells the same."""
    made: dict[str, list[dict[str, str]]] = {
        "errors": [_bars(facts, "errors", at, "mean_absolute_error", "all") for at in range(len(facts.levels))],
        "sizes": [_stacks(facts, at) for at in range(len(facts.levels))],
        "gaps": [_bars(facts, "gaps", at, "area_gap_mean", "all") for at in range(1, len(facts.levels))],
        "ranks": [_bars(facts, "ranks", at, "rank_correlation", "total") for at in range(len(facts.levels))],
    }
    return [
        {**chart, "pictures": [one for one in made[chart["id"]] if one]}
        for chart in words("comparison")["chart"]
        if any(made[chart["id"]])
    ]


def _bars(facts: Comparison, kind: str, at: int, measure: str, of: str) -> dict[str, str]:
    """A bar per method; empty where no method has a value."""
    level = facts.levels[at][0]
    values = [(method, value_of(method.best, level, measure, of)) for method in facts.methods]
    if all(value is None for _, value in values):
        return {}
    none, form = words("comparison")["charts"]["none"], fine_text if kind == "ranks" else figure_text
    bars = [
        Bar(name=_chart_name(method), value=value, told=form(value) or none, marked=not method.audit.safe)
        for method, value in values
    ]
    title = _title(kind, level)
    return {"title": title, "svg": bar_chart(f"{kind}-{at}", title, bars)}


def _stacks(facts: Comparison, at: int) -> dict[str, str]:
    level, names = facts.levels[at][0], _size_names(facts)
    stacks = []
    for method in facts.methods:
        row = method.sizes[at]
        stacks.append(Stack(name=_chart_name(method), parts=tuple(row[name] / row["cells"] for name in names)))
    title = _title("sizes", level)
    return {"title": title, "svg": stack_chart(f"sizes-{at}", title, names, stacks)}


def _title(kind: str, level: str) -> str:
    chart = next(one for one in words("comparison")["chart"] if one["id"] == kind)
    return f"{chart['heading']}: {level}"


def _chart_name(method: Compared) -> str:
    failed = words("comparison")["charts"]["failed"]
    return method.name if method.audit.safe else str(failed.format(name=method.name))
