"""Breakdowns by what is sensitive, special protection and people who claim nothing, on either engine."""

from collections.abc import Iterator
from pathlib import Path

import claimreference as reference
import pytest
from claimhelpers import DAY, LOOKUP, cells, count, filled
from consentcases import ASKED, random_claims
from sparkneeds import need_spark

from claimants.consent import shipped_policy
from claimants.dimensions import SENSITIVE
from claimants.engine import connect

pytestmark = pytest.mark.slow

ROWS = 1_200


@pytest.fixture(scope="module", autouse=True)
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """One Spark for the whole module, which every count finds running."""
    need_spark()
    with connect(engine="spark", spill=tmp_path_factory.mktemp("spark"), memory="1GB", threads=2):
        yield


@pytest.mark.parametrize(("by", "people", "purpose", "non_claimants"), ASKED)
def test_both_engines_judge_consent_as_the_reference_does(
    by: tuple[str, ...], people: bool, purpose: str, non_claimants: bool, tmp_path: Path
) -> None:
    frame = random_claims(ROWS, seed=len(by) + people)
    asked = {"people": people, "purpose": purpose, "non_claimants": non_claimants}
    expected, buckets = reference.count(frame, names=by, lookup=LOOKUP, day=DAY, end="inclusive", **asked)  # type: ignore[arg-type]
    for at, name in enumerate(by, start=1):
        # Somebody's marker counts, somebody's does not.
        assert name not in SENSITIVE or {cell[at] for cell in expected} >= {0, 1}, name
    assert sum(expected.values()) > 50 and len([rows for rows in buckets.values() if rows]) >= 7
    for engine in ("duckdb", "spark"):
        found = count(
            tmp_path,
            frame,
            by=by,
            policy=shipped_policy(),
            engine=engine,
            spill=tmp_path / "spill",
            threads=2,
            **asked,  # type: ignore[arg-type]
        )
        assert cells(found) == dict(expected), engine
        assert filled(found) == {name: number for name, number in buckets.items() if number}, engine
        assert found.rows_read == ROWS, engine
