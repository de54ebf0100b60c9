"""Claims with markers and consents in every combination that a rule looks at, and what may be asked of them."""

import random

import pandas as pd

__all__ = ["ASKED", "VALUES", "random_claims"]

DATES = ["2026-05-31", "2026-06-01", "2026-05-30", "2026-02-28", "2025-03-01", "2020-12-31", "2021-01-01", "", None]
VALUES: dict[str, list] = {
    "person_reference": ["A", "B", "C", " A ", "D", "E", "", None],
    "surname": [*["X"] * 8, "DELETED"],
    "birth_date": ["1990-06-15"],
    "sex": ["F", "m", "", "Z"],
    "postcode": ["AA1 1AA", "BB22BB", "ZZ9 9ZZ", ""],
    "benefit": ["UC", "ESA", "PIP", "jsa", "XX", "None", " no benefit", "NONE"],
    "claim_start": ["2026-05-31", "2026-02-28", "2025-05-31", "2020-06-01", "2026-06-01", "x"],
    "claim_end": ["", "", None, "2026-05-31", "2025-11-29", "2025-11-28", "2026-02-01", "never"],
    "special_protection": ["", "", "", "", "N", None, "Y", "odd"],
    "drugs_marker": ["Y", "yes ", "N", "", None, "?"],
    "health_marker": ["Y", "n", ""],
    "ethnicity": ["White", "ASIAN", "", "Martian"],
    "given_for": ["", "Equality", "coaching"],
    "marker_recorded": DATES,
    "consent_form": ["written", "signed", "verbal", "telephone service", "call", "", "?"],
    "consent_date": DATES,
    "conversation_date": DATES,
    "next_attendance": DATES,
    "consent_withdrawn": ["", "", "", None, *DATES, "soon"],
    "consent_to_hold": DATES,
    "still_relevant": ["Y", "N", ""],
}
# Dimensions, whether people are counted, the purpose, and whether people who claim nothing count.
ASKED: list[tuple[tuple[str, ...], bool, str, bool]] = [
    (("drugs_marker", "health_marker"), False, "counting", False),
    (("drugs_marker", "client_group"), True, "counting", True),
    (("benefit", "drugs_marker"), True, "counting", True),
    (("ethnicity", "health_marker"), False, "equality", True),
    ((), True, "counting", False),
]


def random_claims(rows: int, seed: int) -> pd.DataFrame:
    """So many rows of a few people, each value drawn by itself."""
    draw = random.Random(seed)
    people = [*VALUES["person_reference"], *(f"P{one}" for one in range(rows // 4))]
    # One mark is a mark of all rows of a person.
    protected = [*[""] * 40, *VALUES["special_protection"]]
    values = VALUES | {"person_reference": people, "special_protection": protected}
    return pd.DataFrame([{name: draw.choice(choice) for name, choice in values.items()} for _ in range(rows)])
