"""Spark leaves nothing behind, tells nothing to anybody, and says what is missing where it cannot run."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pyarrow as pa
import pytest
from claimhelpers import claims
from enginecases import KEYS
from sparkneeds import need_spark

from claimants import sparksession
from claimants.engine import bytes_of, connect, fetch, keep_table
from common.faults import InputError

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CANARY = "Canaryreference"
PATHS = os.pathsep.join(map(str, (ROOT, HERE, HERE.parent / "reports")))


def alone(work: Path, extract: Path, *more: Path, times: int = 1, **environment: str) -> tuple[dict, str]:
    """What `spark_alone.py` said in a folder of its own, and everything else that it said."""
    work.mkdir()
    done = subprocess.run(
        [sys.executable, str(HERE / "spark_alone.py"), str(times), str(extract), *map(str, more)],
        cwd=work,
        env={**os.environ, "PYTHONPATH": PATHS, "TMPDIR": str(work), **environment},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), done.stderr


@pytest.fixture
def extract(tmp_path: Path) -> Path:
    path = tmp_path / "claims.csv"
    rows = [{"person_reference": f"{CANARY}{row}", "sex": "FM"[row % 2]} for row in range(50)]
    claims(*rows).to_csv(path, index=False)
    return path


@pytest.mark.slow
def test_spark_on_this_machine_leaves_and_tells_nothing(tmp_path: Path, extract: Path) -> None:
    need_spark()
    spill, work = tmp_path / "spill", tmp_path / "work"
    told, said = alone(work, extract, spill, times=2, SPARK_LOCAL_DIRS=str(tmp_path / "elsewhere"))
    assert said == ""
    assert told["alike"] and told["counted"][0][2]["counted"] == 50
    assert told["strange addresses"] == []
    assert told["modes"] == ["0o700"]
    assert told["handler"] and told["path"] and told["address"]
    assert told["children"] == 0
    assert list(spill.iterdir()) == [] and list(work.iterdir()) == []
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.slow
def test_a_session_of_somebody_is_used_kept_and_told_no_key_and_no_person(tmp_path: Path, extract: Path) -> None:
    need_spark()
    spill, work, plans = tmp_path / "spill", tmp_path / "work", tmp_path / "plans"
    plans.mkdir()
    told, _ = alone(work, extract, spill, plans)
    assert told["session still there"] and told["counted"][0][2]["counted"] == 50
    logs = [path for path in plans.rglob("*") if path.is_file()]
    text = "".join(path.read_text(errors="replace") for path in logs)
    assert "SparkListenerSQLExecutionStart" in text and "sha2" in text
    assert CANARY not in text
    assert not [at for at in range(0, 64, 12) if KEYS.secret[at : at + 12] in text]
    assert list(work.iterdir()) == []


@pytest.mark.slow
def test_a_master_that_the_configuration_names_is_used(tmp_path: Path, extract: Path) -> None:
    need_spark()
    configuration = tmp_path / "conf"
    configuration.mkdir()
    local = tmp_path / "local"
    local.mkdir()
    settings = {
        "spark.master": "local[1]",
        "spark.driver.host": "127.0.0.1",
        "spark.local.dir": local,
        "spark.sql.warehouse.dir": local,
    }
    lines = "".join(f"{name} {value}\n" for name, value in settings.items())
    (configuration / "spark-defaults.conf").write_text(lines)
    spill, work = tmp_path / "spill", tmp_path / "work"
    told, said = alone(work, extract, spill, SPARK_CONF_DIR=str(configuration))
    assert said == ""
    assert told["alike"] and told["counted"][0][2]["counted"] == 50
    assert told["modes"] == [], "the folder for a Spark of our own was not needed"


@pytest.mark.slow
def test_a_spark_that_is_killed_is_told_without_a_value_and_leaves_nothing(tmp_path: Path) -> None:
    need_spark()
    spill = tmp_path / "spill"
    with pytest.raises(InputError) as caught, connect(engine="spark", spill=spill, memory="600MB", threads=1) as engine:
        rows = keep_table(engine, "persons", pa.table({"person": [CANARY]}))
        for child in psutil.Process().children(recursive=True):
            if "java" in child.name():
                child.kill()
        fetch(engine, rows)
    assert "allow more memory" in str(caught.value) and CANARY not in str(caught.value)
    assert caught.value.__cause__ is None and caught.value.__context__ is None
    assert list(spill.iterdir()) == []


# --- What is missing ----------------------------------------------------------------------------------


def refusal(spill: Path | None, **options: object) -> str:
    with pytest.raises(InputError) as caught, connect(engine="spark", spill=spill, **options):  # type: ignore[arg-type]
        pass
    assert caught.value.exit_code == 2
    assert caught.value.__cause__ is None and caught.value.__context__ is None
    return str(caught.value)


def test_without_spark_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "pyspark" else found(name))
    assert 'pip install "smallarea[spark]"' in refusal(tmp_path)


def test_without_java_its_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pyspark")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "openjdk-17-jre-headless" in refusal(tmp_path)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "nowhere"))
    assert "JAVA_HOME" in refusal(tmp_path)


@pytest.mark.parametrize(
    ("version", "told"), [("openjdk version 11.0.2", "does not say"), ('java version "1.8.0_402"', "Java 8 is too old")]
)
def test_an_old_java_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, told: str) -> None:
    pytest.importorskip("pyspark")
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text(f"#!/bin/sh\necho '{version}' >&2\n")
    java.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    assert told in refusal(tmp_path)


def test_another_version_of_spark_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pyspark = pytest.importorskip("pyspark")
    monkeypatch.setattr(pyspark, "__version__", "4.3.0")
    assert "4.3.0 is installed where 4.0 is needed" in refusal(tmp_path)


def test_too_little_memory_is_told_before_java_starts(tmp_path: Path) -> None:
    need_spark()
    assert "allow 512 MiB or more" in refusal(tmp_path, memory="300MB")


def test_a_java_that_does_not_start_is_told_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    need_spark()
    monkeypatch.setenv("SPARK_HOME", str(tmp_path / "no-spark"))
    assert "Spark did not start" in refusal(tmp_path / "spill")
    assert list((tmp_path / "spill").iterdir()) == []


def test_spark_must_be_given_a_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    need_spark()
    with pytest.raises(ValueError, match="spill"), connect(engine="spark", spill=None):
        pass


def test_an_unknown_engine_is_told() -> None:
    with pytest.raises(InputError, match="use one of duckdb, spark"), connect(engine="polars", spill=None):
        pass


def test_duckdb_needs_no_spark() -> None:
    """Neither Spark nor its Python is loaded where it is not asked for, and either engine's module alone."""
    ask = (
        "import sys; from claimants.engine import connect; import claimants.caseload\n"
        "assert 'duckdb' not in sys.modules\n"
        "with connect(spill=None): pass\n"
        "assert not {'pyspark', 'py4j', 'claimants.sparkengine'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", ask], cwd=ROOT, check=True, timeout=120)


@pytest.mark.parametrize(
    ("memory", "count"),
    [("4GB", 4 * 10**9), ("1.5 GiB", 3 * 2**29), ("512MiB", 2**29), ("1KB", 1000), ("2TB", 2 * 10**12)],
)
def test_memory_is_read(memory: str, count: int) -> None:
    assert bytes_of(memory) == count


@pytest.mark.parametrize("memory", ["", "4", "GB", "-1GB", "4gb", "4 PB"])
def test_what_is_no_memory_is_refused(memory: str) -> None:
    with pytest.raises(ValueError, match="memory"):
        bytes_of(memory)


def test_a_named_master_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PYSPARK_SUBMIT_ARGS", "SPARK_CONF_DIR", "SPARK_HOME"):
        monkeypatch.delenv(name, raising=False)
    assert not sparksession._names_master()
    monkeypatch.setenv("PYSPARK_SUBMIT_ARGS", "--master yarn pyspark-shell")
    assert sparksession._names_master()
    monkeypatch.delenv("PYSPARK_SUBMIT_ARGS")
    (tmp_path / "conf").mkdir()
    monkeypatch.setenv("SPARK_HOME", str(tmp_path))
    assert not sparksession._names_master()
    (tmp_path / "conf" / "spark-defaults.conf").write_text("# spark.master local\nspark.master\tyarn\n")
    assert sparksession._names_master()


@pytest.mark.slow
def test_after_a_java_that_died_another_is_started(tmp_path: Path) -> None:
    need_spark()
    with connect(engine="spark", spill=tmp_path, memory="512MiB", threads=1) as engine:
        java = engine.backend._session.sparkContext._gateway.proc
        java.kill()
        java.wait()
    with connect(engine="spark", spill=tmp_path, memory="512MiB", threads=1) as engine:
        found = fetch(engine, keep_table(engine, "alive", pa.table({"one": [1]})))
    assert found.to_pydict() == {"one": [1]}
    assert not list(tmp_path.iterdir())
