"""Counts on Spark in a process of its own, as tests start it, and what they left open.

`spark_alone.py TIMES EXTRACT SPILL [PLANS]`.

With a folder for PLANS the process has a session of its own that logs events there, as on a cluster; without it
Spark is started and ended by each count.  Prints one JSON object.
"""

import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

import psutil
from enginecases import cells_and_keys, count_with

__all__ = ["main"]


def main() -> None:
    times = int(sys.argv[1])
    extract, spill, *plans = map(Path, sys.argv[2:])
    session = _session(plans[0], spill) if plans else None
    before = signal.getsignal(signal.SIGINT), list(sys.path), dict(os.environ)
    watch = _Watch(spill)
    counted = [_count(extract, spill) for _ in range(times)]
    watch.over.set()
    still_there = session is not None and session.range(3).count() == 3
    if session is not None:
        session.stop()
    told = {
        "counted": counted,
        "alike": all(one == counted[0] for one in counted),
        "strange addresses": sorted(watch.addresses),
        "modes": sorted(watch.modes),
        "children": len(psutil.Process().children(recursive=True)),
        "handler": signal.getsignal(signal.SIGINT) == before[0],
        "path": sys.path == before[1],
        "address": os.environ.get("SPARK_LOCAL_IP") == before[2].get("SPARK_LOCAL_IP"),
        "session still there": still_there,
    }
    print(json.dumps(told))


def _count(extract: Path, spill: Path) -> object:
    found = count_with("spark", extract, spill, counted="people", by=("sex",), keyed=True)
    counts, keys = cells_and_keys(found)
    return [sorted(counts.items()), sorted(keys.items()), dict(found.buckets)]


def _session(plans: Path, spill: Path) -> object:
    from pyspark.sql import SparkSession

    conf = {
        "spark.master": "local[1]",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.eventLog.enabled": "true",
        "spark.eventLog.compress": "false",
        "spark.eventLog.dir": plans.as_uri(),
        "spark.eventLog.logBlockUpdates.enabled": "true",
        "spark.local.dir": str(spill),
        "spark.sql.warehouse.dir": str(spill / "warehouse"),
    }
    builder = SparkSession.builder.appName("a session of somebody")
    for name, value in conf.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


class _Watch:
    """Looks, while Spark runs, at where its Java listens and what the modes of its folders are."""

    def __init__(self, spill: Path) -> None:
        self.addresses: set[str] = set()
        self.modes: set[str] = set()
        self.over = threading.Event()
        self._spill = spill
        threading.Thread(target=self._look, daemon=True).start()

    def _look(self) -> None:
        while not self.over.is_set():
            for child in psutil.Process().children(recursive=True):
                try:
                    places = [one.laddr.ip for one in child.net_connections("inet") if one.status == "LISTEN"]
                except psutil.Error:
                    continue
                self.addresses |= {place for place in places if place not in ("127.0.0.1", "::ffff:127.0.0.1", "::1")}
            for folder in self._spill.glob("claims-*"):
                try:
                    self.modes.add(oct(folder.stat().st_mode & 0o777))
                except OSError:
                    continue
            time.sleep(0.2)


if __name__ == "__main__":
    main()
