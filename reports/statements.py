"""What is told of a safe table in words: its markers, its rounding, its protection, its dates.

The words themselves lie in ``reports/templates/metadata.toml`` and
``workbook.toml``; this module chooses among them and fills them in, so that
workbook, CSVW and metadata tell the same.
"""

import datetime as dt
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from reports.model import ReleaseFacts, ReportTable
from sdc.tables import MARKERS, NOT_PUBLISHED, SHOWN, Method, SafeTable

__all__ = [
    "clock_time",
    "counted_statement",
    "counted_words",
    "licence_words",
    "long_date",
    "marker_meaning",
    "markers_in_use",
    "measure_words",
    "period_words",
    "population_statement",
    "protection_statement",
    "rounding_statement",
    "window_words",
    "words",
    "zero_meaning",
]

TEMPLATES = Path(__file__).resolve().parent / "templates"

MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


@cache
def words(name: str) -> dict[str, Any]:
    """The words of one template file, such as ``workbook``, as nested tables of text."""
    return tomllib.loads((TEMPLATES / f"{name}.toml").read_text(encoding="utf-8"))


def long_date(date: dt.date) -> str:
    """A date as readers write it, such as ``31 May 2026``; the same in every locale."""
    return f"{date.day} {MONTHS[date.month - 1]} {date.year}"


def clock_time(moment: dt.datetime) -> str:
    """A time of day as readers write it, such as ``9:30am``."""
    return f"{(moment.hour - 1) % 12 + 1}:{moment.minute:02d}{'am' if moment.hour < 12 else 'pm'}"


def marker_meaning(marker: str) -> str:
    """The one sentence that explains a marker in all its cells.

    Raises
    ------
    KeyError
        The marker has no words.
    """
    return str(words("metadata")["markers"][marker])


def markers_in_use(safe: SafeTable) -> tuple[str, ...]:
    """Markers that stand in some published cell, in the order of `sdc.tables.MARKERS`."""
    used: set[int] = set()
    for markers in safe.markers:
        used.update(np.flatnonzero(np.bincount(markers.ravel(), minlength=NOT_PUBLISHED + 1)).tolist())
    return tuple(text for marker, text in MARKERS.items() if marker in used and marker != SHOWN)


def _method_words(method: Method) -> dict[str, str]:
    known: dict[str, dict[str, str]] = words("metadata")["method"]
    name = "minimum-distance" if method.aim == "minimum-distance" else method.name
    if method.steps:
        name = "rounding-in-steps"
    if name not in known:
        raise ValueError(f"method ({name}) has no words in templates/metadata.toml")
    return known[name]


def _fill(text: str, method: Method) -> str:
    return text.format(
        base=method.base,
        largest_small=method.min_count - 1,
        furthest=(method.steps + 1) * method.base,
        max_round=method.max_round,
    )


def population_statement(population: str, unit: str) -> str:
    """What a table of `unit` counts, in a release whose tables count `population` between them."""
    told = words("metadata")
    return str(told["population"][population] if population in told["beside"] else told["beside"][unit])


def counted_words(table: ReportTable) -> str:
    """What a table counts in a word or two: ``claims``, or ``claims that started`` of a flow."""
    return table.unit if table.since is None else str(words("metadata")["flow"][table.counts]["unit"])


def counted_statement(facts: ReleaseFacts, table: ReportTable) -> str:
    """What a table counts, with its window where it is of a flow."""
    if table.since is None:
        return population_statement(facts.population, table.unit)
    told = words("metadata")["flow"][table.counts]["statement"]
    return str(told.format(since=long_date(table.since), last=long_date(facts.reference_date)))


def measure_words(table: ReportTable) -> str:
    """The measure of a flow as programs are told it, such as ``on-flow since 2026-02-28``; blank for a caseload."""
    return "" if table.since is None else f"{table.measure} since {table.since.isoformat()}"


def period_words(facts: ReleaseFacts, table: ReportTable) -> str:
    """What a table is of: the reference date, or the days of its window from the first to the last."""
    return long_date(facts.reference_date) if table.since is None else window_words(table.since, facts.reference_date)


def window_words(since: dt.date, last: dt.date) -> str:
    """The days of a window, those after `since` up to `last`."""
    told = words("metadata")["flow"]["window"]
    return str(told.format(first=long_date(since + dt.timedelta(days=1)), last=long_date(last)))


def zero_meaning(method: Method) -> str:
    """What a published 0 stands for: true and rounded zeros are told alike."""
    return _method_words(method)["zero"]


def rounding_statement(method: Method) -> str:
    """How the figures were rounded and whether totals add up, in one or two sentences."""
    return _fill(_method_words(method)["rounding"], method)


def protection_statement(method: Method) -> str:
    """What the method does for the people behind the figures.

    That no small count can be proven is told only where base >= min_count: a
    smaller base leaves intervals narrower than the guarantee asks.
    """
    told = _method_words(method)
    sentences = [told["protection"]]
    if told["promise"] and method.base >= method.min_count:
        sentences.append(told["promise"])
    return _fill(" ".join(sentences), method)


def licence_words(licence: str) -> tuple[str, str]:
    """Name and web address of a licence; one that is not known keeps its own name and has no address."""
    known = words("metadata")["licence"].get(licence, {})
    return str(known.get("name", licence)), str(known.get("address", ""))
