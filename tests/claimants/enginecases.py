"""Random extracts full of trouble, for engines to agree on: small frames one under another, each with persons of its own."""

import random
from collections.abc import Mapping
from pathlib import Path

import claimreference as reference
import numpy as np
import pandas as pd
import pyarrow as pa
from claimhelpers import AREAS, DAY, LOOKUP, POSTCODES

from claimants.caseload import Caseload, CaseloadSpec, count_caseload
from claimants.dimensions import dimension
from claimants.extract import ExtractSpec
from claimants.recordkeys import RecordKeys, key_of_person

KEYS = RecordKeys(key=b"a key of a made-up series, no secret at all", key_range=4096)
# The letters of a person: of each length in UTF-8 and UTF-16, with marks of their own, with signs that files and queries mean.
PERSONS = [
    *("A", "a", "é", "e\u0301", "ß", "漢字", "\U00010400", "\U0001f469\u200d\U0001f52c", 'O"Neill'),
    *("two\nlines", "semi;colon, comma", "\u00a0x\u00a0", "x\ty", "'", "\\", "{}$1"),
]
STARTS = ["2026-05-31", "2026-02-28", "2020-01-05", "2025-05-31", "2024-02-29", "1582-10-10"]
ODD_STARTS = [
    *("2026-06-01", " 2025-06-01 ", "0001-01-01", "1500-02-28", "2025-02-30", "2023-02-29", "1900-02-29", "", None),
    *("2025-5-01", "2026-1-5", "31/05/2026", "0000-01-01", "10000-01-01", "+2025-01-01", "+025-01-01", "-026-01-01"),
    *("2026-01-1T", "2026-01-1\t", "\t026-01-01", "\t2026-01-01", "2026-01-01\u00a0", "2026-01-01T00:00:00"),
    *("2026-01-01 00:00:00", "20260101", "2026-00-10", "2026-13-10", "2026-10-32", "2026-W01-1", "____-__-__"),
    *("\u0662\u0660\u0662\u0666-01-01", "\uff12\uff10\uff12\uff16-01-01", "epoch", "infinity", "now", "today"),
]
# Of each field what most rows say, and what some do.
PLAIN: Mapping[str, list[str]] = {
    "surname": ["X"],
    "forename": ["Y"],
    "birth_date": ["1990-06-15", "2000-05-31", "1961-05-31", "2008-02-29"],
    "sex": ["F", "m"],
    "postcode": ["AA1 1AA", "AA11AB", "BB2 2BB", "cc3 3cc"],
    "benefit": ["UC", "JSA", "esa", "PIP"],
    "claim_start": STARTS,
    "claim_end": ["", "2026-12-31"],
}
ODD: Mapping[str, list[str | None]] = {
    "surname": ["deleted ", "DELETED", "\u00a0deleted\u2003", "delete\u00adD", None, 'a "quoted" name', "two\nlines"],
    "forename": ["DELETED", "", "ÐELETED", "{}$1,\\n"],
    "birth_date": ["", None, "2010-06-01", "2027-01-01", "1985-02-29", "1582-10-10", "01/01/1901", "1901-01-01"],
    "sex": [" F", "Male", "", None, "U", "Z", "\u2009f\u3000", "\tF", "\ufb00"],
    "postcode": [
        *("  BB2   2bb", "CC3\u00a03CC", "cc3\u20073cc", "C\tC\n3\v3\fC\rC", "CC3\u202f3CC", "CC3\u20093CC"),
        *("CC3\u200b3CC", "ZZ9 9ZZ", "", None, " ", "\u00a0", "\u13dfC33CC", "aa1\u0131aa"),
    ],
    "benefit": [
        *("jsa ", "universal credit", "XX", "", None, "\u00a0uc", "uc\t", "j\u017fa", "e\u017fa", "p\u0131p"),
        *("\ufb01s", "IS", "i\u00df", "ca"),
    ],
    "claim_start": ODD_STARTS,
    "claim_end": [
        None,
        "  ",
        "2026-05-31",
        "2026-05-30",
        "2026-06-01",
        "2020-01-04",
        "never",
        "9999-12-31",
        "2026-02-29",
    ],
}


def random_extracts(many: int, rows: int, seed: int) -> pd.DataFrame:
    """So many random extracts, one under another; no two share a person."""
    draw = random.Random(seed)
    made = []
    for extract in range(many):
        persons = [f"{name}{extract}" for name in draw.sample(PERSONS, 6)]
        spelt = [*persons, f" {persons[0]} ", f"  {persons[1]}"]
        for _ in range(rows):
            person = draw.choice(spelt) if draw.random() < 0.95 else draw.choice(["", None, "  "])
            said = {name: draw.choice(ODD[name] if draw.random() < 0.12 else PLAIN[name]) for name in PLAIN}
            made.append({"person_reference": person, **said})
    return pd.DataFrame(made)


def count_with(
    engine: str, path: Path, spill: Path, *, counted: str, by: tuple[str, ...], keyed: bool, **spec: object
) -> Caseload:
    """The caseload of an extract by an engine."""
    return count_caseload(
        ExtractSpec(paths=(path,), **spec),  # type: ignore[arg-type]
        area_codes=AREAS,
        postcodes=POSTCODES,
        spec=CaseloadSpec(
            reference_date=DAY,
            count="people" if counted == "people" else "claims",
            dimensions=tuple(map(dimension, by)),
            beside_people=counted == "claims beside people",
        ),
        record_keys=KEYS if keyed else None,
        engine=engine,
        spill=spill,
        threads=2,
    )


def expected(frame: pd.DataFrame, *, counted: str, by: tuple[str, ...], end: str) -> tuple[dict, dict, dict]:
    """Cells, sums of record keys and buckets by the reference, person by person (none has a say in another's)."""
    cells: dict[tuple, int] = {}
    keys: dict[tuple, int] = {}
    buckets: dict[str, int] = {}
    persons = frame["person_reference"].map(lambda person: reference.text(person).strip(" "))
    how = {"people": counted == "people", "beside": counted == "claims beside people"}
    for person, rows in frame.groupby(persons):
        found, went = reference.count(rows, names=by, lookup=LOOKUP, day=DAY, end=end, **how)
        for cell, number in found.items():
            cells[cell] = cells.get(cell, 0) + number
            keys[cell] = (keys.get(cell, 0) + number * key_of_person(str(person), KEYS)) % KEYS.key_range
        for bucket, number in went.items():
            buckets[bucket] = buckets.get(bucket, 0) + number
    return cells, keys, {bucket: number for bucket, number in buckets.items() if number}


def cells_and_keys(caseload: Caseload) -> tuple[dict, dict]:
    """Cells and sums of record keys as {(area, categories …): number}; no keys where none were asked for."""
    table = caseload.cells
    names = [name for name in table.column_names if name not in ("count", "ckey")]
    places = list(zip(*(table.column(name).to_pylist() for name in names), strict=True))
    counts = dict(zip(places, table.column("count").to_pylist(), strict=True))
    keys = dict(zip(places, table.column("ckey").to_pylist(), strict=True)) if "ckey" in table.column_names else {}
    return counts, keys


def every_character() -> pa.Table:
    """Every character there is, 50 to a text, with a letter on either side of each."""
    characters = [chr(code) for code in range(1, 0x110000) if not 0xD800 <= code < 0xE000]
    texts = ["".join(f"a{one}" for one in characters[at : at + 50]) for at in range(0, len(characters), 50)]
    return pa.table({"row": np.arange(len(texts)), "text": texts})
