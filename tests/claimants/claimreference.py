"""The slow and obvious caseload: a loop over the rows of a data frame, to judge the engine by.

It shares no code with the room it judges, and states the rules again in plain
Python.  `rows` is a frame of text (missing values allowed) with columns named by
field; dates are text in ISO form.
"""

import datetime as dt
import re
from collections import Counter

import pandas as pd

BENEFITS = {"CA": 0, "ESA": 1, "IS": 2, "JSA": 3, "PIP": 4, "UC": 5, "UNIVERSAL CREDIT": 5}
SEXES = {"F": 0, "FEMALE": 0, "M": 1, "MALE": 1, "": 2, "U": 2}
GROUP_OF_BENEFIT = [2, 1, 3, 0, 4, 3]
AGES = [16, 25, 35, 45, 55, 65]
MONTHS = [0, 3, 6, 12, 24, 60]
GAPS = "\t\n\v\f\r \u00a0\u2007\u202f"


def text(value: object) -> str:
    return "" if value is None or pd.isna(value) else str(value)


def code(value: object) -> str:
    return text(value).strip(" ").upper()


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


def judge_row(row: dict, names: tuple, lookup: dict, day: dt.date, end_rule: str) -> tuple[str, dict]:
    """Bucket of a row by itself ("counted" if nothing speaks against it), and what it says."""
    born = code(row.get("birth_date"))
    if code(row.get("surname")) == "DELETED" or code(row.get("forename")) == "DELETED":
        return "erased", {}
    if born in ("01/01/1901", "1901-01-01"):
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
    benefit = BENEFITS.get(code(row["benefit"]))
    if benefit is None:
        return "unknown code", {}
    said = {"person": person, "benefit": benefit, "start": start}
    said["sex"] = SEXES.get(code(row.get("sex")))
    said["age_band"] = None if birth is None else band(months_between(birth, day) // 12, AGES)
    said["duration_band"] = band(months_between(start, day), MONTHS)
    if any(said[name] is None for name in names if name != "client_group"):
        return "unknown code", said
    said["area"] = lookup.get("".join(sign for sign in text(row["postcode"]) if sign not in GAPS).upper())
    return ("no area", said) if said["area"] is None else ("counted", said)


def count(
    frame: pd.DataFrame, *, names: tuple, lookup: dict, day: dt.date, end: str, people: bool, beside: bool = False
) -> tuple:
    """Cells {(area, categories …): count} and buckets of a frame of claims."""
    buckets: Counter = Counter()
    claims: dict[tuple, list[tuple]] = {}
    groups: dict[str, int] = {}
    for row in frame.to_dict("records"):
        bucket, said = judge_row(row, names, lookup, day, end)
        if said:
            group = GROUP_OF_BENEFIT[said["benefit"]]
            groups[said["person"]] = min(group, groups.get(said["person"], group))
        if bucket == "counted":
            cell = (said["area"], *(0 if name == "client_group" else said[name] for name in names))
            claims.setdefault((said["person"], said["benefit"], said["start"]), []).append(cell)
        else:
            buckets[bucket] += 1
    buckets["duplicate"] = sum(len(copies) - 1 for copies in claims.values())
    if not people and not beside:
        buckets["counted"] = len(claims)
        return Counter(min(copies) for copies in claims.values()), buckets
    standing: dict[str, tuple] = {}
    for (person, _, start), copies in claims.items():
        rank = ((day - start).days, min(copies))
        standing[person] = min(rank, standing.get(person, rank))
    if beside:
        latest: dict[tuple, tuple] = {}
        for (person, benefit, start), copies in claims.items():
            rank = ((day - start).days, min(copies))
            latest[person, benefit] = min(rank, latest.get((person, benefit), rank))
        buckets["counted"] = len(latest)
        buckets["another claim of a person counted"] = len(claims) - len(latest)
        return Counter((standing[person][1][0], *cell[1:]) for (person, _), (_, cell) in latest.items()), buckets
    buckets["counted"] = len(standing)
    buckets["another claim of a person counted"] = len(claims) - len(standing)
    place = names.index("client_group") + 1 if "client_group" in names else None
    cells: Counter = Counter()
    for person, (_, cell) in standing.items():
        if place is not None:
            cell = (*cell[:place], groups[person], *cell[place + 1 :])
        cells[cell] += 1
    return cells, buckets
