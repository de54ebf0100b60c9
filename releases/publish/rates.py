"""Rates: published figures on public denominators, worked out from these two and from nothing else.

For a published figure v, a denominator D and `per` so many,

    rate = v * per / D    rounded half up to `decimals`,

in whole numbers throughout.  With `error` the furthest that the method may have moved a
figure from its true count (`sdc.theory`: base - 1 for controlled rounding), rounding alone
changes the rate by at most error * per / D, which is the share error / v of it.  The rate is
of low reliability where

    error > max_relative_error * v,

so every rate of 0 is, unless figures are exact.  The rule looks at published figures alone, like the
rate itself: a rate tells nothing that its figure and its denominator do not.

===========================  =======================================
the figure or denominator    the rate
===========================  =======================================
figure has a marker          none, and that marker
denominator not available    none, ``x``
denominator 0                none, ``z``: not applicable
error > share * figure       the rate, and ``u``
else                         the rate
===========================  =======================================
"""

from fractions import Fraction

import numpy as np

from releases.publish.denominators import UNKNOWN, Denominators
from releases.publish.statspec import RateSpec
from reports.derived import LOW_RELIABILITY, DerivedTable, FigureColumn
from reports.derivedwords import rate_headings, rate_sentences, rate_source, review_sentence
from reports.model import ReportTable
from reports.statements import long_date, words, zero_meaning
from sdc.tables import NOT_AVAILABLE, NOT_PUBLISHED, SHOWN, STRUCTURAL
from sdc.theory import theoretical_error

__all__ = ["rate_notices", "rate_table", "rates_of"]

MOST = 1 << 62


def rates_of(figures: np.ndarray, denominators: np.ndarray, *, per: int, decimals: int) -> np.ndarray:
    """Rates in steps of 10 ** -`decimals`, rounded half up: int64; 0 where the denominator is not above 0.

    >>> rates_of(np.array([35, 5, 0]), np.array([1200, 3000, 70]), per=1000, decimals=1)
    array([292,  17,   0])
    """
    safe = np.maximum(denominators, 1)
    factor = 2 * per * 10**decimals
    if figures.size and int(figures.max()) * factor + int(safe.max()) >= MOST:
        exact = (figures.astype(object) * factor + safe) // (2 * safe)
        return np.where(denominators > 0, exact, 0).astype(np.int64)
    rates: np.ndarray = np.where(denominators > 0, (figures * factor + safe) // (2 * safe), 0)
    return rates


def rate_table(spec: RateSpec, table: ReportTable, denominators: Denominators, source: str) -> DerivedTable:
    """The rates of a published table; nothing but what is published goes in.  `source` is that of the figures."""
    safe = table.safe
    error, share = theoretical_error(safe.method).largest, Fraction(str(spec.max_relative_error))
    held = [_level(spec, table, denominators, level, error) for level in range(len(safe.hierarchy.levels))]
    rates, instead, below, missing, markers = (tuple(one) for one in zip(*held, strict=True))
    about = denominators.spec
    headings = rate_headings(per=spec.per, denominator=about.title)
    return DerivedTable(
        id=spec.id,
        title=spec.title,
        kind="rate",
        hierarchy=safe.hierarchy,
        classification=safe.classification,
        columns=(
            FigureColumn(name="value", heading=headings[0], values=rates, markers=instead, decimals=spec.decimals),
            FigureColumn(name="denominator", heading=headings[1], values=below, markers=missing),
        ),
        markers=markers,
        dimension_names=table.dimension_names,
        labels=table.labels,
        made=rate_sentences(
            of=table.title,
            per=spec.per,
            decimals=spec.decimals,
            denominator=about.title,
            reference_date=long_date(about.reference_date),
            source=about.source,
            licence=about.licence,
            by=[table.dimension_names.get(name, name) for name in about.by],
            dimensions=safe.classification.dimensions,
            zero=zero_meaning(safe.method),
            share=spec.max_relative_error,
            error=error,
            least=-(-error * share.denominator // share.numerator),
        ),
        protection=words("derived")["rate"]["protection"],
        source=rate_source(source, about.source),
        status=about.status,
        attributions=(about.attribution,) if about.attribution else (),
        notes=spec.notes,
        facts={
            "levels": [name for name in safe.hierarchy.levels if name in denominators.values],
            "of": spec.of,
            "per": spec.per,
            "decimals": {"value": spec.decimals, "denominator": 0},
            "max_relative_error": spec.max_relative_error,
            "status": about.status,
            "denominator": {
                "id": about.id,
                "title": about.title,
                "reference_date": about.reference_date.isoformat(),
                "source": about.source,
                "licence": about.licence,
                "by": list(about.by),
            },
        },
    )


def _level(
    spec: RateSpec, table: ReportTable, denominators: Denominators, level: int, error: int
) -> tuple[np.ndarray, ...]:
    """One level's rates and what stands instead, denominators and what stands instead, and markers of the rows."""
    figures, marked = table.safe.values[level], table.safe.markers[level]
    name = table.safe.hierarchy.levels[level]
    if name not in denominators.values:
        empty, none = np.zeros(figures.shape, np.int64), np.full(figures.shape, NOT_PUBLISHED, np.int8)
        return empty, none, empty, none, none
    classification, share = table.safe.classification, Fraction(str(spec.max_relative_error))
    below = denominators.of_columns(name, classification.dimensions, classification.columns)
    unknown = below == UNKNOWN
    instead = np.select([marked != SHOWN, unknown, below == 0], [marked, NOT_AVAILABLE, STRUCTURAL], SHOWN)
    weak = (instead == SHOWN) & (error * share.denominator > share.numerator * figures)
    rates = np.where(instead == SHOWN, rates_of(figures, below, per=spec.per, decimals=spec.decimals), 0)
    missing = np.where(marked == NOT_PUBLISHED, NOT_PUBLISHED, np.where(unknown, NOT_AVAILABLE, SHOWN))
    rows = np.where(weak, LOW_RELIABILITY, instead)
    return rates, instead.astype(np.int8), np.where(unknown, 0, below), missing.astype(np.int8), rows.astype(np.int8)


def rate_notices(table: DerivedTable, of: ReportTable) -> tuple[str, ...]:
    """What the reviewer is told of a table of rates, cell by cell counted; every figure of it is public."""
    notices = []
    below = table.columns[1]
    for level in table.levels:
        there = table.markers[level] != NOT_PUBLISHED
        unknown = there & (below.markers[level] != SHOWN)
        zero = there & ~unknown & (below.values[level] == 0)
        figures, most = of.safe.values[level], below.values[level]
        shown = there & ~unknown & (of.safe.markers[level] == SHOWN)
        cases = {
            "no_denominator": unknown,
            "zero_denominator": zero,
            "above": shown & (figures > most),
            # The denominator is public: taken for the most that the count can be, it says that the count is small.
            "small": shown & (figures > 0) & (most < of.safe.method.min_count),
        }
        for name, wrong in cases.items():
            number = int(np.count_nonzero(wrong))
            if number:
                told = {"title": table.title, "areas": f"{number:,}", "level": table.hierarchy.levels[level]}
                notices.append(review_sentence(name, **told))
    return tuple(notices)
