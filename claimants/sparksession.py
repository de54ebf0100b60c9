"""A Spark session: the one this process has, the one that Spark's configuration asks for, or one on this machine alone.

1. A process that has a session keeps it: records are read in a session of their own beside it
   (`newSession`: own settings and views, same Spark), and nothing of it is stopped.
2. Where Spark's configuration names a master (`spark.master` in spark-defaults.conf under
   `SPARK_CONF_DIR`, or `--master` in `PYSPARK_SUBMIT_ARGS`), that cluster is used as it is configured.
3. Else Spark runs inside one Java on this machine, which listens on the loopback alone, keeps its
   files, encrypted, in the folder given, and ends with the connection.

Java's output and Spark's log go nowhere: both quote what they read.
"""

import importlib.util
import logging
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from claimants.duckdbengine import own_folder
from claimants.engine import bytes_of
from common.faults import Fault, InputError

__all__ = ["sockets_left_open", "spark_session"]

MEBIBYTE = 1 << 20
# Spark wants 450 MiB to start with; less than this is of no use for records.
LEAST_HEAP = 512
OLDEST_JAVA = 17
SPARK_VERSION = re.compile(r"4\.0\.")
INSTALL = 'install it with: pip install "smallarea[spark]"'
JAVA = "install Java 17 (openjdk-17-jre-headless), or name its folder in JAVA_HOME"
# Every answer must be that of DuckDB, whatever spark-defaults.conf says.
SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",
    "spark.sql.caseSensitive": "true",
    "spark.sql.groupByOrdinal": "true",
    "spark.sql.parser.escapedStringLiterals": "false",
    "spark.sql.icu.caseMappings.enabled": "true",
    "spark.sql.files.ignoreCorruptFiles": "false",
    "spark.sql.files.ignoreMissingFiles": "false",
    "spark.sql.parquet.datetimeRebaseModeInRead": "CORRECTED",
    "spark.sql.parquet.int96RebaseModeInRead": "CORRECTED",
    "spark.sql.parquet.inferTimestampNTZ.enabled": "true",
    "spark.sql.parquet.int96TimestampConversion": "false",
    "spark.sql.legacy.parquet.nanosAsLong": "true",
}


@contextmanager
def spark_session(*, spill: Path | None, memory: str, threads: int | None) -> Iterator[Any]:
    """A Spark session for records; see `claimants.engine.connect`.

    Raises
    ------
    InputError
        Spark or Java is missing or too old, or Spark does not start.
    ValueError
        Spark is to run on this machine, and no folder is given for its files.
    """
    _need_spark()
    from pyspark.sql import SparkSession

    if _is_running():
        session = SparkSession.builder.getOrCreate().newSession()
        _set(session)
        yield session
        return
    _need_java()
    if _names_master():
        conf = {"spark.app.name": "smallarea", "spark.ui.enabled": "false", "spark.log.level": "OFF"}
        with _started(conf, {}, None) as session:
            yield session
        return
    if spill is None:
        raise ValueError("spill must name a folder: Spark writes files whatever the memory")
    heap = bytes_of(memory) // MEBIBYTE
    if heap < LEAST_HEAP:
        raise InputError(
            [Fault(kind="memory", found="Spark needs more memory", mend=f"allow {LEAST_HEAP} MiB or more")]
        )
    own = own_folder(spill)
    try:
        environment = {"SPARK_LOCAL_IP": "127.0.0.1", "SPARK_LOCAL_DIRS": None, "LOCAL_DIRS": None}
        with _started(_on_this_machine(own, heap, threads), environment, own) as session:
            yield session
    finally:
        shutil.rmtree(own, ignore_errors=True)


@contextmanager
def sockets_left_open() -> Iterator[None]:
    """Keeps Python from warning of the sockets that pyspark leaves to be closed when they are forgotten."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        yield


@contextmanager
def _silent_end() -> Iterator[None]:
    """Ends what may have ended by itself, without a word of it."""
    with sockets_left_open(), suppress(Exception):
        warnings.simplefilter("ignore", RuntimeWarning)
        yield


def _is_running() -> bool:
    """Whether this process has a Spark, whoever started it and in whichever of its threads."""
    from pyspark import SparkContext

    context = SparkContext._active_spark_context
    return context is not None and context._jsc is not None


def _need_spark() -> None:
    if importlib.util.find_spec("pyspark") is None:
        raise InputError([Fault(kind="missing package", found="Spark (pyspark) is not installed", mend=INSTALL)])
    import pyspark
    from pyspark.sql.utils import is_remote

    if not SPARK_VERSION.match(pyspark.__version__):
        found = f"Spark (pyspark) {pyspark.__version__} is installed where 4.0 is needed"
        raise InputError([Fault(kind="package version", found=found, mend=INSTALL)])
    if is_remote():
        mend = "take SPARK_REMOTE out of the environment and name the cluster's master"
        raise InputError([Fault(kind="Spark Connect", found="Spark Connect cannot be used", mend=mend)])


def _need_java() -> None:
    home = os.environ.get("JAVA_HOME")
    java = shutil.which("java", path=str(Path(home) / "bin")) if home else shutil.which("java")
    if java is None:
        raise InputError([Fault(kind="missing program", found="there is no Java, which Spark runs on", mend=JAVA)])
    told = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    # Before 9 its versions began with 1.
    version = re.search(r'version "(?:1\.)?(\d+)', told)
    if version is None or int(version[1]) < OLDEST_JAVA:
        found = f"Java {version[1]} is too old for Spark" if version else "Java does not say its version"
        raise InputError([Fault(kind="Java", found=found, mend=JAVA)])


def _names_master() -> bool:
    """Whether Spark's own configuration says where it is to run."""
    if re.search(r"--master|spark\.master", os.environ.get("PYSPARK_SUBMIT_ARGS", "")):
        return True
    home = os.environ.get("SPARK_HOME")
    folder = os.environ.get("SPARK_CONF_DIR") or (str(Path(home) / "conf") if home else "")
    with suppress(OSError):
        text = (Path(folder) / "spark-defaults.conf").read_text(encoding="utf-8", errors="replace") if folder else ""
        return re.search(r"^\s*spark\.master[\s=:]", text, re.M) is not None
    return False


def _on_this_machine(own: Path, heap: int, threads: int | None) -> dict[str, str]:
    """Configuration of Spark inside one Java, which writes into `own` alone and listens on the loopback alone."""
    cores = threads or (len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
    quoted = str(own).replace("\\", "\\\\").replace('"', '\\"')
    return {
        "spark.app.name": "smallarea",
        "spark.master": f"local[{cores}]",
        "spark.driver.memory": f"{heap}m",
        "spark.driver.maxResultSize": "0",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.extraJavaOptions": f'"-Djava.io.tmpdir={quoted}" -XX:-UsePerfData',
        "spark.eventLog.enabled": "false",
        "spark.io.encryption.enabled": "true",
        "spark.local.dir": str(own),
        "spark.log.level": "OFF",
        "spark.sql.catalogImplementation": "in-memory",
        "spark.sql.warehouse.dir": str(own / "warehouse"),
        "spark.sql.shuffle.partitions": str(8 * cores),
        # Plans that nobody looks at would fill the heap of a long session.
        "spark.sql.ui.retainedExecutions": "1",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
    }


@contextmanager
def _started(conf: dict[str, str], environment: dict[str, str | None], own: Path | None) -> Iterator[Any]:
    """A session in a Java of its own, both ended at the end."""
    from pyspark import SparkContext
    from pyspark.sql import SparkSession

    interrupt = signal.getsignal(signal.SIGINT)
    # py4j tells of lost connections by Python's logging, which shows them where nobody listens.
    logging.getLogger("py4j").setLevel(logging.CRITICAL + 1)
    gateway = None
    try:
        try:
            gateway = _gateway(conf, environment)
            session = SparkSession(SparkContext(conf=_conf(conf), gateway=gateway))
            failed = False
        except Exception:
            failed = True
        if failed:
            mend = f"{JAVA}; allow at least {LEAST_HEAP} MiB; look into Spark's configuration, if you have any"
            raise InputError([Fault(kind="Spark", found="Spark did not start", mend=mend)])
        _set(session)
        try:
            yield session
        finally:
            with _silent_end():
                session.stop()
    finally:
        with sockets_left_open():
            _end(gateway)
        if own is not None:
            sys.path[:] = [path for path in sys.path if not Path(path).is_relative_to(own)]
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, interrupt)


def _conf(conf: dict[str, str]) -> Any:
    from pyspark import SparkConf

    return SparkConf(loadDefaults=False).setAll(list(conf.items()))


def _gateway(conf: dict[str, str], environment: dict[str, str | None]) -> Any:
    """Start Java, silent, and the gateway to it."""
    from pyspark.java_gateway import launch_gateway

    before = {name: os.environ.get(name) for name in environment}
    _environ(environment)
    try:
        return launch_gateway(_conf(conf), {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL})
    finally:
        _environ(before)


def _environ(values: dict[str, str | None]) -> None:
    for name, value in values.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def _set(session: Any) -> None:
    for name, value in SETTINGS.items():
        session.conf.set(name, value)


def _end(gateway: Any) -> None:
    """End Java, so that its memory is given back and its files are gone; a later session starts another."""
    from pyspark import SparkContext
    from pyspark.sql import SparkSession

    # Where Java was gone before it could be told to stop, Spark would take what is left for a session that runs.
    SparkContext._gateway = SparkContext._jvm = SparkContext._active_spark_context = None
    SparkSession._instantiatedSession = None
    if gateway is None:
        return
    with suppress(Exception):
        gateway.shutdown()
    if gateway.proc is None:
        return
    with suppress(OSError):
        gateway.proc.stdin.close()
    try:
        gateway.proc.wait(timeout=30)
    except subprocess.TimeoutExpired:
        gateway.proc.kill()
        gateway.proc.wait()
