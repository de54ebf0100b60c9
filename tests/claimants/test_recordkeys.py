"""Record keys: one expression for both engines, equal to a plain reference; sums beside counts; a key that never shows."""

import hashlib
from collections import defaultdict
from pathlib import Path

import ibis
import numpy as np
import pyarrow as pa
import pytest
from claimhelpers import AREAS, DAY, POSTCODES, cells, claims, count
from hypothesis import given, settings
from hypothesis import strategies as st

from claimants.caseload import CaseloadSpec, count_caseload
from claimants.dimensions import dimension
from claimants.engine import EngineRefusal, connect, fetch, keep_table
from claimants.extract import ExtractSpec
from claimants.recordkeys import RecordKeys, keep_secret, key_of_person, with_record_keys
from common.keys import sub_key

KEYS = RecordKeys(key=b"a key that is no secret, for tests alone")


def keys_by_engine(persons: list[str | None], keys: RecordKeys = KEYS) -> list[int | None]:
    """Record keys of persons as DuckDB computes them, in their order."""
    with connect(spill=None) as connection:
        rows = pa.table({"place": range(len(persons)), "person": pa.array(persons, pa.string())})
        keyed = with_record_keys(keep_table(connection, "persons", rows), keep_secret(connection, keys), keys.key_range)
        found = fetch(connection, keyed.order_by("place"))
    assert found.column_names == ["place", "person", "record_key"]
    assert found.schema.field("record_key").type == pa.int64()
    return found.column("record_key").to_pylist()


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30), max_size=30),
    st.sampled_from([2, 256, 4096, 65536]),
)
def test_expression_equals_the_reference(persons: list[str], key_range: int) -> None:
    keys = RecordKeys(key=KEYS.key, key_range=key_range)
    assert keys_by_engine([*persons, "AB123456C"], keys) == [key_of_person(p, keys) for p in [*persons, "AB123456C"]]


def test_reference_is_the_formula() -> None:
    """First 16 bits of SHA-256(secret || length || ":" || person), the secret a sub-key in hexadecimal digits."""
    secret = sub_key(KEYS.key, "record key").hex()
    assert len(secret) == 64
    digest = hashlib.sha256((secret + "3:\u00e91x").encode("utf-8")).digest()
    assert key_of_person("\u00e91x", KEYS) == int.from_bytes(digest[:2], "big") % 4096


def test_missing_persons_have_no_key() -> None:
    assert keys_by_engine(["A", None]) == [key_of_person("A", KEYS), None]


def test_keys_are_spread_evenly_and_depend_on_the_key() -> None:
    persons: list[str | None] = [f"AB{number:06d}" for number in range(40_000)]
    found = np.array(keys_by_engine(persons))
    often = np.bincount(found, minlength=4096)
    chi = float(((often - 40_000 / 4096) ** 2 / (40_000 / 4096)).sum())
    assert abs(chi - 4095) < 5 * np.sqrt(2 * 4095)
    other = np.array(keys_by_engine(persons, RecordKeys(key=KEYS.key[::-1])))
    assert abs(float((found == other).mean()) - 1 / 4096) < 5 * np.sqrt(1 / 4096 / 40_000)


def test_compiles_for_spark_with_functions_that_spark_has() -> None:
    """Without a cluster: Spark's names for SHA-256, length and position (tests on Spark itself come with its extra)."""
    persons, secret = ibis.table({"person": "string"}, name="persons"), ibis.table({"secret": "string"}, name="kept")
    sql = str(ibis.to_sql(with_record_keys(persons, secret, 4096), dialect="pyspark"))
    for function in ("SHA2(", "LENGTH(", "LOCATE(", "SUBSTRING(", "CROSS JOIN"):
        assert function in sql
    assert sql.count("SHA2(") == 1


@pytest.mark.parametrize("key_range", [0, 1, 1000, 1 << 17])
def test_key_ranges_that_make_no_sense(key_range: int) -> None:
    with pytest.raises(ValueError, match="key_range"):
        RecordKeys(key=KEYS.key, key_range=key_range)


def test_short_keys_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 32 bytes"):
        RecordKeys(key=b"short")


# --- The key is data: never in a query, a plan, an error or a print --------------------------------------


def test_the_key_is_in_no_query_no_plan_and_no_print() -> None:
    parts = [KEYS.secret[at : at + 12] for at in range(0, 64, 12)] + [KEYS.key.decode()]
    with connect(spill=None) as connection:
        rows = keep_table(connection, "persons", pa.table({"person": ["A", "B"], "cell": [1, 1]}))
        keyed = with_record_keys(rows, keep_secret(connection, KEYS), 4096)
        query = keyed.group_by("cell").aggregate(ckey=keyed.record_key.sum())
        sql = str(ibis.to_sql(query, dialect="duckdb"))
        plans = [sql, repr(KEYS), str(KEYS), repr(query)]
        for kind in ("EXPLAIN", "EXPLAIN ANALYZE"):
            plans += [str(line) for line in connection.backend.con.execute(f"{kind} {sql}").fetchall()]
        connection.backend.con.execute("PRAGMA explain_output = 'all'")
        plans += [str(line) for line in connection.backend.con.execute(f"EXPLAIN {sql}").fetchall()]
    assert all(part not in plan for part in parts for plan in plans)
    assert any("persons" in plan for plan in plans)


def test_the_key_is_in_no_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The engine quotes rows in its errors; what leaves the room quotes nothing."""
    with connect(spill=None) as connection:
        rows = keep_table(connection, "persons", pa.table({"person": ["A"]}))
        secret = keep_secret(connection, KEYS)
        broken = rows.cross_join(secret).mutate(number=lambda both: both.secret.cast("int64"))
        with pytest.raises((EngineRefusal, RuntimeError)) as told:
            fetch(connection, broken)
    chain: list[BaseException | None] = [told.value, told.value.__cause__, told.value.__context__]
    assert all(KEYS.secret not in f"{error!r} {error}" for error in chain)


# --- Sums beside counts ---------------------------------------------------------------------------------


def count_with_keys(where: Path, frame: object, *, by: tuple[str, ...] = (), people: bool = False):
    """The caseload with sums of record keys, as {(area, categories …): (count, ckey)}."""
    path = where / "claims.csv"
    frame.to_csv(path, index=False)  # type: ignore[attr-defined]
    found = count_caseload(
        ExtractSpec(paths=(path,)),
        area_codes=AREAS,
        postcodes=POSTCODES,
        spec=CaseloadSpec(
            reference_date=DAY, count="people" if people else "claims", dimensions=tuple(map(dimension, by))
        ),
        record_keys=KEYS,
        threads=1,
    )
    assert found.cells.column_names == ["area", *by, "count", "ckey"]
    assert found.cells.schema.field("ckey").type == pa.int64()
    rows = zip(*found.cells.to_pydict().values(), strict=True)
    return {tuple(row[:-2]): (row[-2], row[-1]) for row in rows}


TROUBLED = (
    {"person_reference": "A", "benefit": "UC"},
    {"person_reference": "A", "benefit": "PIP"},
    {"person_reference": " A ", "benefit": "PIP"},  # a copy of the claim before
    {"person_reference": "B", "postcode": "BB2 2BB"},
    {"person_reference": "C", "benefit": "JSA", "postcode": "BB2 2BB"},
    {"person_reference": "D", "benefit": "JSA", "postcode": "BB2 2BB", "claim_start": "2026-02-10"},
    {"person_reference": "D", "benefit": "UC", "postcode": "AA1 1AB", "claim_start": "2025-02-10"},
    {"person_reference": "E", "claim_end": "2026-01-31"},  # over
    {"person_reference": "", "benefit": "UC"},  # nobody
    {"person_reference": "F", "surname": "DELETED", "forename": "DELETED"},  # erased
)


def test_sums_of_keys_stand_beside_claims(tmp_path: Path) -> None:
    found = count_with_keys(tmp_path, claims(*TROUBLED), by=("benefit",))
    benefits = dimension("benefit").categories
    key = {person: key_of_person(person, KEYS) for person in "ABCD"}
    expected = {
        (0, benefits.index("UC")): (2, (key["A"] + key["D"]) % 4096),
        (0, benefits.index("PIP")): (1, key["A"]),
        (1, benefits.index("UC")): (1, key["B"]),
        (1, benefits.index("JSA")): (2, (key["C"] + key["D"]) % 4096),
    }
    assert found == expected


@pytest.mark.parametrize("by", [("sex",), ("sex", "client_group")])
def test_sums_of_keys_stand_beside_people(tmp_path: Path, by: tuple[str, ...]) -> None:
    """Each person once, where the claim that stands for them puts them: D's latest claim is in the second area."""
    found = count_with_keys(tmp_path, claims(*TROUBLED), by=by, people=True)
    sums: dict[int, list[int]] = defaultdict(lambda: [0, 0])
    for cell, (number, ckey) in found.items():
        sums[cell[0]][0] += number
        sums[cell[0]][1] = (sums[cell[0]][1] + ckey) % 4096
    key = {person: key_of_person(person, KEYS) for person in "ABCD"}
    assert dict(sums) == {0: [1, key["A"]], 1: [3, (key["B"] + key["C"] + key["D"]) % 4096]}


@pytest.mark.parametrize("people", [False, True])
def test_counts_are_the_same_with_and_without_keys(tmp_path: Path, people: bool) -> None:
    plain = cells(count(tmp_path, claims(*TROUBLED), by=("sex",), people=people))
    keyed = count_with_keys(tmp_path, claims(*TROUBLED), by=("sex",), people=people)
    assert plain == {cell: number for cell, (number, _) in keyed.items()}


def test_the_order_of_rows_does_not_matter(tmp_path: Path) -> None:
    frame = claims(*TROUBLED)
    once = count_with_keys(tmp_path, frame, by=("benefit",))
    assert count_with_keys(tmp_path, frame.iloc[::-1], by=("benefit",)) == once
