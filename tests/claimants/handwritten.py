"""One hand-written DuckDB statement with the same counts and buckets as `count_caseload` for claims.

What an analyst who knows DuckDB would write for one extract and one question:
claims on 31 May 2026 (end inclusive, dates as dates or in the form YYYY-MM-DD)
by area × benefit × age band × sex × duration.  It judges the engine's answer in the tests and its speed in
the benchmark.
"""

from geography.codes import POSTCODE_GAPS

__all__ = ["statement"]


def statement(source: str) -> str:
    """The statement over `source` (a table function call) and a table `postcodes (bare, area)`.

    Result: state (1 counted, 2 not live, 3 erased, 5 no area, 6 unknown code, 7 faulty), the
    cell's area, benefit, age band, sex and duration as small numbers, claims, and rows; rows
    less claims of state 1 are duplicates.
    """
    return f"""
    WITH extract AS (
        SELECT trim(person_reference) AS person, upper(trim(benefit)) AS benefit, postcode,
            upper(trim(sex)) AS sex, claim_start, claim_end, birth_date,
            CASE WHEN claim_start::VARCHAR LIKE '____-__-__' THEN TRY_CAST(claim_start AS DATE) END AS s,
            CASE WHEN claim_end::VARCHAR LIKE '____-__-__' THEN TRY_CAST(claim_end AS DATE) END AS e,
            CASE WHEN birth_date::VARCHAR LIKE '____-__-__' THEN TRY_CAST(birth_date AS DATE) END AS b,
            (upper(trim(surname)) = 'DELETED' OR upper(trim(forename)) = 'DELETED'
                OR birth_date::VARCHAR IN ('1901-01-01', '01/01/1901')) AS erased
        FROM {source}
    ), coded AS (
        SELECT person, s, e, b, erased, claim_start, claim_end, birth_date, p.area,
            CASE WHEN benefit IN ('CA', 'CARERS_ALLOWANCE', 'CARERS ALLOWANCE', 'CARER''S ALLOWANCE') THEN 0
                WHEN benefit IN ('ESA', 'EMPLOYMENT_AND_SUPPORT_ALLOWANCE', 'EMPLOYMENT AND SUPPORT ALLOWANCE') THEN 1
                WHEN benefit IN ('IS', 'INCOME_SUPPORT', 'INCOME SUPPORT') THEN 2
                WHEN benefit IN ('JSA', 'JOBSEEKERS_ALLOWANCE', 'JOBSEEKERS ALLOWANCE', 'JOBSEEKER''S ALLOWANCE') THEN 3
                WHEN benefit IN ('PIP', 'PERSONAL_INDEPENDENCE_PAYMENT', 'PERSONAL INDEPENDENCE PAYMENT') THEN 4
                WHEN benefit IN ('UC', 'UNIVERSAL_CREDIT', 'UNIVERSAL CREDIT') THEN 5 END::TINYINT AS benefit,
            CASE WHEN sex IN ('F', 'FEMALE') THEN 0 WHEN sex IN ('M', 'MALE') THEN 1
                WHEN sex IS NULL OR sex IN ('', 'U', 'NOT STATED', 'UNKNOWN') THEN 2 END::TINYINT AS sex,
            CASE WHEN b <= DATE '1961-05-31' THEN 5 WHEN b <= DATE '1971-05-31' THEN 4
                WHEN b <= DATE '1981-05-31' THEN 3 WHEN b <= DATE '1991-05-31' THEN 2
                WHEN b <= DATE '2001-05-31' THEN 1 WHEN b <= DATE '2010-05-31' THEN 0 END::TINYINT AS age,
            CASE WHEN s <= DATE '2021-05-31' THEN 5 WHEN s <= DATE '2024-05-31' THEN 4
                WHEN s <= DATE '2025-05-31' THEN 3 WHEN s <= DATE '2025-11-30' THEN 2
                WHEN s <= DATE '2026-02-28' THEN 1 ELSE 0 END::TINYINT AS duration
        FROM extract
        LEFT JOIN postcodes p ON regexp_replace(upper(postcode), '{POSTCODE_GAPS}', '', 'g') = p.bare
    ), judged AS (
        SELECT *,
            CASE WHEN erased THEN 3
                WHEN person IS NULL OR person = '' OR s IS NULL THEN 7
                WHEN e IS NULL AND trim(claim_end::VARCHAR) <> '' THEN 7
                WHEN e < s THEN 7
                WHEN b IS NULL AND trim(birth_date::VARCHAR) <> '' THEN 7
                WHEN b > DATE '2026-05-31' THEN 7
                WHEN s > DATE '2026-05-31' OR e < DATE '2026-05-31' THEN 2
                WHEN benefit IS NULL OR sex IS NULL OR age IS NULL THEN 6
                WHEN area IS NULL THEN 5
                ELSE 1 END::TINYINT AS state
        FROM coded
    ), claims AS (
        SELECT state, min((area, age, sex)) AS cell, count(*) AS rows,
            CASE WHEN state = 1 THEN person END AS person,
            CASE WHEN state = 1 THEN benefit END AS benefit,
            CASE WHEN state = 1 THEN s END AS s,
            any_value(duration) AS duration
        FROM judged
        GROUP BY state, CASE WHEN state = 1 THEN person END, CASE WHEN state = 1 THEN benefit END,
            CASE WHEN state = 1 THEN s END
    )
    SELECT state, CASE WHEN state = 1 THEN cell[1] END AS area, benefit, CASE WHEN state = 1 THEN cell[2] END AS age,
        CASE WHEN state = 1 THEN cell[3] END AS sex, CASE WHEN state = 1 THEN duration END AS duration,
        count(*) AS claims, sum(rows)::BIGINT AS rows
    FROM claims GROUP BY ALL
    """
