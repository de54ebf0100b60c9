"""What plain DuckDB needs for the same: one statement from claims to cells, one GROUP BY per level for margins.

Both are written as somebody would who knows DuckDB and this one question: dates
are dates, benefits and sexes are those of the code lists, the reference date
is 31 May 2026 and a claim that ends on it is live.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from bench.measure import THREADS
from geography.postcodes import Postcodes

__all__ = ["MEMORY", "claims_statement", "connect", "keep_postcodes", "margins", "statement_buckets", "statement_cells"]

MEMORY = "4GB"
AGES, SEXES = 6, 3
NOT_LIVE, ERASED, NO_AREA, UNKNOWN_CODE, FAULTY = 2, 3, 5, 6, 7
COUNTED = 1


def connect(spill: Path | None = None) -> duckdb.DuckDBPyConnection:
    """DuckDB in memory, with the threads, memory, freedom of order and place to spill that `count_caseload` has."""
    config = {"threads": THREADS, "memory_limit": MEMORY, "preserve_insertion_order": False}
    return duckdb.connect(config=config | {"temp_directory": "" if spill is None else str(spill)})


def keep_postcodes(connection: duckdb.DuckDBPyConnection, postcodes: Postcodes) -> None:
    """The lookup that the statement joins: `postcodes` (bare, area)."""
    arriving = pa.table({"bare": pa.array(postcodes.postcodes, pa.string()), "area": pa.array(postcodes.area)})
    connection.register("arriving", arriving)
    connection.execute("CREATE TEMP TABLE postcodes AS SELECT * FROM arriving")
    connection.unregister("arriving")


def claims_statement(source: str) -> str:
    """One statement over `source` (a table function call) and `postcodes`: cells and buckets together.

    Result: state, and for state 1 (counted) the cell as area, benefit, age, sex and duration (indices);
    claims; rows.  Rows less claims of state 1 are duplicates; rows of the other states are buckets.
    """
    return f"""
    WITH coded AS (
        SELECT trim(person_reference) AS person, claim_start AS s, claim_end AS e, birth_date AS b, p.area,
            upper(trim(surname)) = 'DELETED' OR upper(trim(forename)) = 'DELETED'
                OR birth_date = DATE '1901-01-01' AS erased,
            CASE WHEN upper(trim(benefit)) IN
                    ('CA', 'CARERS_ALLOWANCE', 'CARERS ALLOWANCE', 'CARER''S ALLOWANCE') THEN 0
                WHEN upper(trim(benefit)) IN
                    ('ESA', 'EMPLOYMENT_AND_SUPPORT_ALLOWANCE', 'EMPLOYMENT AND SUPPORT ALLOWANCE') THEN 1
                WHEN upper(trim(benefit)) IN ('IS', 'INCOME_SUPPORT', 'INCOME SUPPORT') THEN 2
                WHEN upper(trim(benefit)) IN
                    ('JSA', 'JOBSEEKERS_ALLOWANCE', 'JOBSEEKERS ALLOWANCE', 'JOBSEEKER''S ALLOWANCE') THEN 3
                WHEN upper(trim(benefit)) IN
                    ('PIP', 'PERSONAL_INDEPENDENCE_PAYMENT', 'PERSONAL INDEPENDENCE PAYMENT') THEN 4
                WHEN upper(trim(benefit)) IN ('UC', 'UNIVERSAL_CREDIT', 'UNIVERSAL CREDIT') THEN 5
            END::TINYINT AS benefit,
            CASE WHEN upper(trim(sex)) IN ('F', 'FEMALE') THEN 0 WHEN upper(trim(sex)) IN ('M', 'MALE') THEN 1
                WHEN sex IS NULL OR upper(trim(sex)) IN ('', 'U', 'NOT STATED', 'UNKNOWN') THEN 2 END::TINYINT AS sex,
            CASE WHEN b <= DATE '1961-05-31' THEN 5 WHEN b <= DATE '1971-05-31' THEN 4
                WHEN b <= DATE '1981-05-31' THEN 3 WHEN b <= DATE '1991-05-31' THEN 2
                WHEN b <= DATE '2001-05-31' THEN 1 WHEN b <= DATE '2010-05-31' THEN 0 END::TINYINT AS age,
            CASE WHEN s <= DATE '2021-05-31' THEN 5 WHEN s <= DATE '2024-05-31' THEN 4
                WHEN s <= DATE '2025-05-31' THEN 3 WHEN s <= DATE '2025-11-30' THEN 2
                WHEN s <= DATE '2026-02-28' THEN 1 ELSE 0 END::TINYINT AS duration
        FROM {source}
        LEFT JOIN postcodes p ON replace(upper(postcode), ' ', '') = p.bare
    ), judged AS (
        SELECT *,
            CASE WHEN erased THEN {ERASED}
                WHEN person IS NULL OR person = '' OR s IS NULL OR e < s OR b > DATE '2026-05-31' THEN {FAULTY}
                WHEN s > DATE '2026-05-31' OR e < DATE '2026-05-31' THEN {NOT_LIVE}
                WHEN benefit IS NULL OR sex IS NULL OR age IS NULL THEN {UNKNOWN_CODE}
                WHEN area IS NULL THEN {NO_AREA}
                ELSE {COUNTED} END::TINYINT AS state
        FROM coded
    ), claims AS (
        SELECT min((area::BIGINT * {AGES} + age) * {SEXES} + sex) AS place, benefit,
            any_value(duration) AS duration, count(*) AS rows
        FROM judged WHERE state = {COUNTED} GROUP BY person, benefit, s
    )
    SELECT {COUNTED} AS state, place // {AGES * SEXES} AS area, benefit, place // {SEXES} % {AGES} AS age,
        place % {SEXES} AS sex, duration, count(*) AS claims, sum(rows)::BIGINT AS rows
    FROM claims GROUP BY ALL
    UNION ALL
    SELECT state, NULL, NULL, NULL, NULL, NULL, count(*), count(*) FROM judged WHERE state <> {COUNTED} GROUP BY state
    """


def statement_cells(result: pa.Table) -> np.ndarray:
    """The statement's cells as int64 rows (area, benefit, age, sex, duration, claims), sorted."""
    counted = result.filter(pa.compute.equal(result["state"], COUNTED))
    names = ("area", "benefit", "age", "sex", "duration", "claims")
    rows = np.column_stack([counted[name].to_numpy().astype(np.int64) for name in names])
    return rows[np.lexsort(rows.T[::-1])]


def statement_buckets(result: pa.Table) -> dict[str, int]:
    """The statement's buckets by the names of `claimants.states`."""
    words = {
        NOT_LIVE: "not live on the date",
        ERASED: "erased",
        NO_AREA: "no area",
        UNKNOWN_CODE: "unknown code",
        FAULTY: "faulty",
    }
    totals: dict[int, tuple[int, int]] = {}
    for state, claims, rows in zip(*(result[name].to_pylist() for name in ("state", "claims", "rows")), strict=True):
        before = totals.get(state, (0, 0))
        totals[state] = (before[0] + claims, before[1] + rows)
    counted, rows = totals.get(COUNTED, (0, 0))
    return {"counted": counted, "duplicate": rows - counted} | {
        name: totals.get(state, (0, 0))[1] for state, name in words.items()
    }


def margins(connection: Any, path: str, levels: Sequence[str], category: str) -> dict[str, pa.Table]:
    """A table's margins from the long Parquet file of its finest cells: one GROUP BY per level, results as Arrow."""
    return {
        level: connection.sql(
            f"SELECT {level}, {category}, sum(count)::BIGINT AS count FROM read_parquet('{path}') GROUP BY ALL"
        ).to_arrow_table()
        for level in levels
    }
