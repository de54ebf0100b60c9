"""Spark for tests: where it or its Java is missing they are skipped, or fail where everything is required."""

import importlib.util
import os

import pytest
from needs import program

__all__ = ["need_spark"]


def need_spark() -> None:
    """Skip the test, or fail it with `SMALLAREA_REQUIRE_ALL=1`, unless Spark can run."""
    program("java", "apt-get install openjdk-17-jre-headless")
    if importlib.util.find_spec("pyspark") is None:
        reason = 'Spark is missing: pip install "smallarea[spark]"'
        if os.environ.get("SMALLAREA_REQUIRE_ALL") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
