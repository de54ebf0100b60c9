"""The slow and obvious caseload: a loop over the rows of a data frame, to judge the engine by.

It shares no code with the room it judges, and states the rules again in plain
Python.  `rows` is a frame of text (missing values allowed) with columns named by
field; dates are text in ISO form.
"""

import datetime as dt
import re
from collections import Counter

import consentreference as consent
import pandas as pd

BENEFITS = {"CA": 0, "ESA": 1, "IS": 2, "JSA": 3, "PIP": 4, "UC": 5, "UNIVERSAL CREDIT": 5}
SEXES = {"F": 0, "FEMALE": 0, "M": 1, "MALE": 1, "": 2, "U": 2}
GROUP_OF_BENEFIT = [2, 1, 3, 0, 4, 3, 5]
NO_BENEFIT = 6
MARKERS = ("offending_marker", "drugs_marker", "alcohol_marker", "health_marker", "refugee_marker", "disability_status")
SENSITIVE = (*MARKERS, "ethnicity")
COMBINATIONS = [
    {0}, {1}, {2}, {3}, {4}, {5},
    {0, 2}, {0, 4}, {0, 5}, {1, 4}, {2, 4}, {3, 4}, {4, 5},
    {0, 1, 4}, {0, 2, 4}, {0, 4, 5},
]  # fmt: skip
OF_ALL_CLAIMS = ("client_group", "benefit_combination")
AGES = [16, 25, 35, 45, 55, 65]
MONTHS = [0, 3, 6, 12, 24, 60]
GAPS = "\t\n\v\f\r \u00a0\u2007\u202f"
BLANKS = " \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"


def text(value: object) -> str:
    return "" if value is None or pd.isna(value) else str(value)


def code(value: object) -> str:
    # Capitals of one letter for one, whatever Python knows of capitals of two.
    return "".join(sign.upper() if len(sign.upper()) == 1 else sign for sign in text(value).strip(BLANKS))


def date(value: object) -> dt.date | None:
    found = text(value).strip(" ")
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", found, re.ASCII):
        return None
    try:
        return dt.date.fromisoformat(found)
    except ValueError:
        return None


def months_between(earlier: dt.date, later: dt.date) -> int:
    return (later.year - earlier.year) * 12 + later.month - earlier.month - (later.day < earlier.day)


def band(amount: int, lower: list[int]) -> int | None:
    found = [index for index, bound in enumerate(lower) if amount >= bound]
    return found[-1] if found else None


def is_erased(row: dict) -> bool:
    names = (code(row.get("surname")), code(row.get("forename")))
    return "DELETED" in names or code(row.get("birth_date")) in ("01/01/1901", "1901-01-01")


def judge_row(
    row: dict,
    names: tuple,
    lookup: dict,
    day: dt.date,
    end_rule: str,
    rows: list[dict],
    marked: set[str],
    purpose: str,
    non_claimants: bool,
) -> tuple[str, dict]:
    """Bucket of a row by itself ("counted" if nothing speaks against it), and what it says."""
    born = code(row.get("birth_date"))
    if is_erased(row):
        return "erased", {}
    person = text(row["person_reference"]).strip(" ")
    start, end, birth = (date(row["claim_start"]), date(row["claim_end"]), date(row.get("birth_date")))
    if not person or start is None:
        return "faulty", {}
    if code(row["claim_end"]) and (end is None or end < start):
        return "faulty", {}
    if "age_band" in names and born and (birth is None or birth > day):
        return "faulty", {}
    if start > day or (end is not None and (end < day or (end == day and end_rule == "exclusive"))):
        return "not live on the date", {}
    if person in marked:
        return "specially protected", {}
    benefit = BENEFITS.get(code(row["benefit"]))
    if code(row["benefit"]) in consent.NO_BENEFIT:
        benefit = NO_BENEFIT
        if not consent.is_held(row, day, code):
            return "no consent to be held", {}
        if not non_claimants:
            return "no benefit claimed", {}
    if benefit is None:
        return "unknown code", {}
    said = {"person": person, "benefit": benefit, "start": start}
    said["sex"] = SEXES.get(code(row.get("sex")))
    said["age_band"] = None if birth is None else band(months_between(birth, day) // 12, AGES)
    said["duration_band"] = band(months_between(start, day), MONTHS)
    for name in set(names) & set(SENSITIVE):
        said[name] = consent.counted_index(row, rows, name, day, purpose, code)
    if any(said[name] is None for name in names if name not in OF_ALL_CLAIMS):
        return "unknown code", said
    said["area"] = lookup.get("".join(sign for sign in text(row["postcode"]) if sign not in GAPS).upper())
    return ("no area", said) if said["area"] is None else ("counted", said)


def count(
    frame: pd.DataFrame,
    *,
    names: tuple,
    lookup: dict,
    day: dt.date,
    end: str,
    people: bool,
    beside: bool = False,
    purpose: str = "counting",
    non_claimants: bool = False,
) -> tuple:
    """Cells {(area, categories …): count} and buckets of a frame of claims."""
    rows = [{**row, "erased": is_erased(row)} for row in frame.to_dict("records")]
    marked = {text(row["person_reference"]).strip(" ") for row in rows if consent.is_marked(row, code)}
    buckets: Counter = Counter()
    claims: dict[tuple, list[tuple]] = {}
    groups: dict[str, int] = {}
    benefits: dict[str, set[int]] = {}
    for row in rows:
        bucket, said = judge_row(row, names, lookup, day, end, rows, marked, purpose, non_claimants)
        if said:
            group = GROUP_OF_BENEFIT[said["benefit"]]
            groups[said["person"]] = min(group, groups.get(said["person"], group))
            benefits.setdefault(said["person"], set()).add(said["benefit"])
        if bucket == "counted":
            cell = (said["area"], *(0 if name in OF_ALL_CLAIMS else said[name] for name in names))
            claims.setdefault((said["person"], said["benefit"], said["start"]), []).append(cell)
        else:
            buckets[bucket] += 1
    buckets["duplicate"] = sum(len(copies) - 1 for copies in claims.values())
    if not people and not beside:
        buckets["counted"] = len(claims)
        return Counter(min(copies) for copies in claims.values()), buckets
    standing: dict[str, tuple] = {}
    for (person, benefit, start), copies in claims.items():
        # Who claims something stands by a claim.
        rank = (benefit == NO_BENEFIT, (day - start).days, min(copies))
        standing[person] = min(rank, standing.get(person, rank))
    if beside:
        latest: dict[tuple, tuple] = {}
        for (person, benefit, start), copies in claims.items():
            rank = (benefit == NO_BENEFIT, (day - start).days, min(copies))
            latest[person, benefit] = min(rank, latest.get((person, benefit), rank))
        buckets["counted"] = len(latest)
        buckets["another claim of a person counted"] = len(claims) - len(latest)
        return Counter((standing[person][2][0], *cell[1:]) for (person, _), (_, _, cell) in latest.items()), buckets
    buckets["counted"] = len(standing)
    buckets["another claim of a person counted"] = len(claims) - len(standing)
    cells: Counter = Counter()
    for person, (_, _, cell) in standing.items():
        claimed = benefits[person]
        combination = COMBINATIONS.index(claimed) if claimed in COMBINATIONS else len(COMBINATIONS)
        placed = {"client_group": groups[person], "benefit_combination": combination}
        cells[cell[0], *(placed.get(name, index) for name, index in zip(names, cell[1:], strict=True))] += 1
    return cells, buckets
