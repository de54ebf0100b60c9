"""A small table and a release that the tests of workbooks and metadata share.

Two authorities, three MSOAs, five output areas, and one marker of each kind:

    lad   E09000001  E09000002
    msoa  E02000001 E02000002 | E02000003
    oa    1, 2      | 3       | 4, 5
"""

import datetime as dt

import numpy as np

from reports.model import Contact, ReleaseFacts, ReportTable
from sdc.tables import LOW, NOT_AVAILABLE, STRUCTURAL, SUPPRESSED, Classification, Hierarchy, Method, SafeTable, sum_up

HIERARCHY = Hierarchy(
    levels=("oa", "msoa", "lad"),
    codes=(
        np.array([f"E0000000{number}" for number in range(1, 6)]),
        np.array([f"E0200000{number}" for number in range(1, 4)]),
        np.array(["E09000001", "E09000002"]),
    ),
    parents=(np.array([0, 0, 1, 2, 2], np.int32), np.array([0, 0, 1], np.int32)),
)
BENEFITS = Classification(dimensions=("benefit",), categories=(("esa",), ("is",), ("jsa",)))


def safe_table(*, marked: bool = False, method: str = "controlled-rounding") -> SafeTable:
    """Additive multiples of 5, above a thousand in the larger areas; with `marked`, one cell of each marker."""
    finest = np.array([[5, 0, 1200], [10, 5, 0], [0, 15, 40], [255, 10, 5], [0, 0, 0]], np.int64)
    values = sum_up(HIERARCHY, np.column_stack([finest, finest.sum(axis=1)]))
    markers = tuple(np.zeros(array.shape, np.int8) for array in values)
    if marked:
        for column, marker in enumerate((SUPPRESSED, STRUCTURAL, NOT_AVAILABLE, LOW)):
            values[0][4, column], markers[0][4, column] = 0, marker
        values[1][0, 1], markers[1][0, 1] = 0, SUPPRESSED
    return SafeTable(
        hierarchy=HIERARCHY, classification=BENEFITS, values=values, markers=markers, method=Method(name=method)
    )


def report_table(safe: SafeTable | None = None, **changes: object) -> ReportTable:
    """The table with its words."""
    given: dict[str, object] = {
        "id": "benefit",
        "title": "Claims by benefit",
        "safe": safe or safe_table(),
        "dimension_names": {"benefit": "Benefit"},
        "labels": {
            "benefit": {
                "esa": "Employment and Support Allowance",
                "is": "Income Support",
                "jsa": "Jobseeker's Allowance <new>",
            }
        },
        "notes": ("Claims with no known address are left out.",),
    }
    return ReportTable(**{**given, **changes})  # type: ignore[arg-type]


def facts(**changes: object) -> ReleaseFacts:
    """A release of made-up places."""
    given: dict[str, object] = {
        "id": "benefits-small-areas-2026-05",
        "title": "Benefits in small areas, May 2026",
        "summary": "Claims of three benefits in output areas, MSOAs and local authorities of a made-up city.",
        "producer": "Example Council & Partners",
        "series": "benefits-small-areas",
        "reference_date": dt.date(2026, 5, 31),
        "extract_date": dt.date(2026, 10, 5),
        "publication": dt.datetime(2026, 11, 17, 9, 30),
        "next_publication": dt.date(2027, 2, 16),
        "status": "provisional",
        "label": "none",
        "population": "claims",
        "licence": "OGL-UK-3.0",
        "source": "Made-up claim records",
        "contacts": (
            Contact(role="Statistician", name="Small area statistics team", email="statistics@example.org"),
            Contact(role="Press", name="Press office", email="press@example.org", telephone="020 7946 0000"),
        ),
        "previous": "",
        "level_names": {
            "oa": ("output area", "output areas"),
            "msoa": ("MSOA", "MSOAs"),
            "lad": ("local authority", "local authorities"),
        },
        "area_names": {
            "msoa": np.array(["Mill Lane & Quay", "Northgate", "Sandhill"]),
            "lad": np.array(["Eastmere", "Westmere"]),
        },
        "software": "smallarea 0.1.0",
    }
    return ReleaseFacts(**{**given, **changes})  # type: ignore[arg-type]
