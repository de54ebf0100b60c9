"""A small table of rates, made up from a safe table, that the tests of writers and of pages share."""

import numpy as np

from reports.derived import LOW_RELIABILITY, DerivedTable, FigureColumn
from sdc.tables import NOT_AVAILABLE, NOT_PUBLISHED, SHOWN, SafeTable


def derived_table(
    safe: SafeTable, *, decimals: int = 1, hidden: tuple[int, ...] = (), **changes: object
) -> DerivedTable:
    """Half of each figure as its rate, on a denominator of 2,000; the first cell of a level without, the second weak.

    Levels in `hidden` are not told.
    """
    rates, below, instead, markers = [], [], [], []
    for level, figures in enumerate(safe.values):
        row = np.zeros(figures.shape, np.int8)
        row[0, 0], row[0, 1] = NOT_AVAILABLE, LOW_RELIABILITY
        stead = np.where(row == LOW_RELIABILITY, SHOWN, row).astype(np.int8)
        if level in hidden:
            row[:] = stead[:] = NOT_PUBLISHED
        rates.append(np.where(stead == SHOWN, figures * 10**decimals // 2, 0))
        below.append(np.where(stead == SHOWN, 2000, 0))
        instead.append(stead)
        markers.append(row)
    given: dict[str, object] = {
        "id": "rate",
        "title": "Claims per 1,000 <residents>",
        "kind": "rate",
        "hierarchy": safe.hierarchy,
        "classification": safe.classification,
        "columns": (
            FigureColumn(
                name="value", heading="Rate per 1,000", values=tuple(rates), markers=tuple(instead), decimals=decimals
            ),
            FigureColumn(
                name="denominator", heading="Denominator (Residents)", values=tuple(below), markers=tuple(instead)
            ),
        ),
        "markers": tuple(markers),
        "dimension_names": {name: name.capitalize() for name in safe.classification.dimensions},
        "labels": {},
        "made": ("Rates are made up.", "Denominator: residents."),
        "protection": "They give nothing away.",
        "source": "Made up",
        "status": "experimental",
        "attributions": ("Contains made-up data",),
        "facts": {"levels": [], "decimals": {"value": decimals, "denominator": 0}, "status": "experimental"},
    }
    return DerivedTable(**{**given, **changes})  # type: ignore[arg-type]
