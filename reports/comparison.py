"""Methods side by side: what was compared, and the sentences that follow from it by rule.

Private: every figure is measured against true counts.  `reports.comparisonpage` makes the page.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reports.statements import words
from sdc.findings import Audit
from sdc.tables import TOTAL
from sdc.utility.rows import ALL_CELLS, ALL_LEVELS

__all__ = [
    "MARGIN",
    "MIDPOINT",
    "READINGS",
    "SHOWN",
    "Compared",
    "Comparison",
    "WorkedArea",
    "adds_up",
    "figure_text",
    "fine_text",
    "hides",
    "largest_gap",
    "recommendations",
    "share_text",
    "value_of",
]

# How hidden cells enter the measures; a table that hides nothing has the first alone.
SHOWN, MIDPOINT, MARGIN = READINGS = ("shown", "midpoint", "margin")

UtilityRows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Compared:
    """One method that was tried on the table.

    Attributes
    ----------
    name : what it is compared under; `parameters` : what may be told of it.
    promise : the strongest promise it can keep by itself, of `sdc.promises`; None for none.
    audit : what the attack on its table found; findings : how many, those not listed included.
    utility : rows of `sdc.utility.rows.utility` by reading (`READINGS`).
    sizes : rows of `sdc.utility.sizes.change_sizes`.
    worked : what is published of the worked area, cell by cell.
    """

    name: str
    parameters: Mapping[str, object]
    promise: str | None
    audit: Audit
    findings: int
    utility: Mapping[str, UtilityRows]
    sizes: Sequence[Mapping[str, Any]]
    worked: tuple[str, ...]
    notices: tuple[str, ...] = ()

    @property
    def best(self) -> UtilityRows:
        """The measures by which methods are set against each other: with hidden cells at the middle of their interval."""
        return self.utility.get(MIDPOINT, self.utility[SHOWN])


@dataclass(frozen=True, kw_only=True)
class WorkedArea:
    """One smallest area in full: `columns` as headed, its true counts, whether columns were left out."""

    level: str
    code: str
    columns: tuple[str, ...]
    true: tuple[int, ...]
    left_out: int = 0


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Everything that the page tells.

    Attributes
    ----------
    counts : the file of counts; dimensions : what it is by.
    levels : smallest first, with the number of areas of each.
    min_count : a count x with 1 <= x <= min_count - 1 is small.
    methods, unfit : what was compared, and names with reasons of what could not be.
    notices : what the input had to say.
    """

    counts: str
    dimensions: tuple[str, ...]
    levels: tuple[tuple[str, int], ...]
    min_count: int
    methods: tuple[Compared, ...]
    unfit: tuple[tuple[str, str], ...]
    worked: WorkedArea
    software: str
    notices: tuple[str, ...] = ()

    @property
    def smallest(self) -> str:
        """The level of the smallest areas."""
        return self.levels[0][0]


# --- Figures of one method ------------------------------------------------------------------------


def value_of(rows: UtilityRows, level: str, measure: str, of: str = "all") -> Any:
    """A measure at a level: over ``all`` cells, of the ``total``, or of the category with the ``least``, ``most`` or
    that is ``furthest`` from 1; None where there is none."""
    here = [row for row in rows if row["level"] == level]
    if of in ("all", "total"):
        wanted = ALL_CELLS if of == "all" and any(row["category"] == ALL_CELLS for row in here) else TOTAL
        return next((row[measure] for row in here if row["category"] == wanted), None)
    categories = [row[measure] for row in here if row["category"] not in (TOTAL, ALL_CELLS)]
    known = [value for value in categories if value is not None]
    choose: dict[str, Callable[[list[Any]], Any]] = {
        "least": min,
        "most": max,
        "furthest": lambda values: max(values, key=lambda value: (abs(value - 1), value)),
    }
    return choose[of](known) if known else None


def largest_gap(method: Compared) -> float:
    """The largest gap between published parts and wholes anywhere in the table; 0 where none can be taken."""
    row = next(row for row in method.utility[SHOWN] if row["level"] == ALL_LEVELS)
    return max(row[name] or 0 for name in ("area_gap_max", "category_gap_max"))


def adds_up(method: Compared) -> bool:
    """Whether published parts add up to their published wholes wherever all of them are shown."""
    return largest_gap(method) == 0


def hides(method: Compared) -> bool:
    """Whether some cells have no published value."""
    return MIDPOINT in method.utility


# --- What follows from the figures, by rule -------------------------------------------------------


def recommendations(facts: Comparison) -> tuple[str, ...]:
    """Sentences that follow from the figures by rule: who passed, who among the additive errs least, who keeps order best."""
    told, level = words("comparison")["recommend"], facts.smallest
    passed = [method for method in facts.methods if method.audit.safe]
    failed = [method.name for method in facts.methods if not method.audit.safe]
    if not passed:
        return (told["none_passed"],)
    said = [told["passed"].format(names=_listed(method.name for method in passed))]
    if failed:
        said.append(told["failed"].format(names=_listed(failed)))
    additive = [method for method in passed if adds_up(method)]
    if additive:
        said += _foremost(additive, level, "mean_absolute_error", "all", "additive", "error", least=True)
    else:
        said.append(told["no_additive"])
    said += _foremost(passed, level, "rank_correlation", "total", "order", "value", least=False)
    for method in passed:
        share = value_of(method.utility[SHOWN], level, "share_hidden")
        if share:
            said.append(told["hides"].format(name=method.name, share=share_text(share), level=level))
    return tuple(said)


def _foremost(
    methods: Sequence[Compared], level: str, measure: str, of: str, sentence: str, word: str, *, least: bool
) -> list[str]:
    """The sentence on those with the least, or largest, value of a measure, to the digits shown; nothing without values."""
    told = words("comparison")["recommend"]
    values = {one.name: value_of(one.best, level, measure, of) for one in methods}
    shown = {name: (figure_text if least else fine_text)(value) for name, value in values.items() if value is not None}
    if not shown:
        return []
    best = min if least else max
    wanted = best(shown.values(), key=lambda text: float(text.replace(",", "")))
    names = [name for name, text in shown.items() if text == wanted]
    form = told[sentence if len(names) == 1 else f"{sentence}_many"]
    return [form.format(names=_listed(names), level=level, **{word: wanted})]


def _listed(names: Iterable[str]) -> str:
    listed = list(names)
    return listed[0] if len(listed) == 1 else f"{', '.join(listed[:-1])} and {listed[-1]}"


# --- Figures as text ------------------------------------------------------------------------------


def figure_text(value: float | None, decimals: int = 3) -> str:
    """A figure as text: whole numbers and 0 in full, others to so many decimals; blank where there is none."""
    if value is None:
        return ""
    if isinstance(value, int) or value == 0:
        return f"{int(value):,}"
    return f"{value:,.{decimals}f}"


def fine_text(value: float | None) -> str:
    """A figure that is told in small differences, such as a correlation near 1."""
    return figure_text(value, 4)


def share_text(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.1f}%"
