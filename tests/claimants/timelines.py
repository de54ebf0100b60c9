"""Claims drawn as timelines: one a line, `#` a day with the claim, `>` no end; `a` and `b` over them bound the window (a, b]."""

import datetime as dt

import pandas as pd
from claimhelpers import PLAIN

FIRST_COLUMN = dt.date(2026, 5, 1)
SCALE = "..a.....b.."
A, B = FIRST_COLUMN + dt.timedelta(days=SCALE.index("a")), FIRST_COLUMN + dt.timedelta(days=SCALE.index("b"))
PLACES = ("AA1 1AA", "BB2 2BB", "CC3 3CC")


def drawn(*lines: str, end: str = "inclusive") -> pd.DataFrame:
    """Lines such as ``"P1 UC 0 ...###....."`` (person, benefit, area, days) as rows of an extract."""
    rows = []
    for line in lines:
        person, benefit, area, days = line.split()
        first, last = days.index("#"), len(days.rstrip(".")) - 1
        lasting = 0 if end == "inclusive" else 1
        rows.append(
            PLAIN
            | {
                "person_reference": person,
                "benefit": benefit,
                "postcode": PLACES[int(area)],
                "claim_start": (FIRST_COLUMN + dt.timedelta(days=first)).isoformat(),
                "claim_end": ""
                if days.endswith(">")
                else (FIRST_COLUMN + dt.timedelta(days=last + lasting)).isoformat(),
            }
        )
    return pd.DataFrame(rows)
