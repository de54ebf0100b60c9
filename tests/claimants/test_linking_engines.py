"""Pseudonyms, spells and flows are the same on Spark as on DuckDB, which the slow references judge."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from claimhelpers import AREAS, POSTCODES
from sparkneeds import need_spark
from timelines import A, B, drawn

from claimants.dimensions import dimension
from claimants.engine import Engine, connect, fetch, keep_table
from claimants.extract import ExtractSpec
from claimants.flowcounting import FLOWS
from claimants.flows import FlowSpec, count_flows
from claimants.outcomes import EndingSpec, Source, count_employment, count_ended_spells, count_movements
from claimants.pseudonyms import Pseudonyms, keep_pads, pseudonym_of, with_pseudonyms

pytestmark = pytest.mark.slow

REFERENCES = ["P1", " P2 ", "", None, "É1", "\U0001f600", "x" * 130]


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    need_spark()
    with connect(engine="spark", spill=tmp_path_factory.mktemp("spark"), memory="1GB", threads=2) as engine:
        yield engine


def test_pseudonyms_on_spark_are_what_python_gives(spark: Engine) -> None:
    pseudonyms = Pseudonyms(key=b"k" * 40, length=40)
    rows = keep_table(spark, "referred", pa.table({"person": pa.array(REFERENCES, pa.string())}))
    made = fetch(spark, with_pseudonyms(rows, keep_pads(spark, pseudonyms), length=40)).to_pydict()
    expected = {one: None if one is None else pseudonym_of(one, pseudonyms) for one in REFERENCES}
    assert dict(zip(made["person"], made["pseudonym"], strict=True)) == expected


def frame() -> pd.DataFrame:
    #         ..a.....b..
    return drawn(
        "P1 JSA 0 .###.......",
        "P1 UC  1 ....######>",
        "P2 JSA 0 .###.......",
        "P2 UC  0 .....#####>",
        "P3 UC  2 ....##.....",
        "P3 UC  2 ....##.....",
        "P4 UC  2 .#.........",
        "P5 UC  2 .########..",
    )


@pytest.mark.parametrize(
    ("count", "by", "flows"),
    [("claims", ("sex", "duration_band"), ("off-flow",)), ("people", ("benefit", "sex"), FLOWS)],
)
def test_flows_on_spark_are_those_on_duckdb(
    count: str, by: tuple[str, ...], flows: tuple[str, ...], spark: Engine, tmp_path: Path
) -> None:
    frame().to_csv(tmp_path / "claims.csv", index=False)
    spec = FlowSpec(from_date=A, to_date=B, flow=flows[0], count=count, dimensions=tuple(map(dimension, by)))
    found = []
    for engine in ("duckdb", "spark"):
        counted = count_flows(
            ExtractSpec(paths=(tmp_path / "claims.csv",)),
            area_codes=AREAS,
            postcodes=POSTCODES,
            spec=spec,
            flows=flows,
            engine=engine,
            spill=tmp_path / "spill",
            threads=2,
        )
        found.append({flow: (one.cells.to_pylist(), dict(one.buckets)) for flow, one in counted.items()})
    assert found[0] == found[1]
    assert any(cells for cells, _ in found[0].values())


def test_outcomes_on_spark_are_those_on_duckdb(spark: Engine, tmp_path: Path) -> None:
    frame().to_csv(tmp_path / "claims.csv", index=False)
    jobs = pd.DataFrame({"person_reference": ["P2", "P3", " P4"]})
    jobs["employment_spell_start"], jobs["employment_spell_end"] = ["2026-08-01", "2026-05-01", "no date"], ""
    jobs.to_csv(tmp_path / "jobs.csv", index=False)
    window = EndingSpec(from_date=A, to_date=B)
    found = []
    for engine in ("duckdb", "spark"):
        source = Source(
            extract=ExtractSpec(paths=(tmp_path / "claims.csv",)),
            area_codes=AREAS,
            postcodes=POSTCODES,
            engine=engine,
            spill=tmp_path / "spill",
            threads=2,
        )
        study = ExtractSpec(paths=(tmp_path / "jobs.csv",))
        tables = (
            count_ended_spells(source, window),
            count_movements(source, window, gap_days=2),
            count_employment(source, study, window, known_until=dt.date(2027, 12, 31)),
        )
        found.append([table.to_pylist() for table in tables])
    assert found[0] == found[1]
    assert all(found[0]) and any(row["employed"] for row in found[0][2])
