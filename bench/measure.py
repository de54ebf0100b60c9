"""What a piece of work costs: wall seconds, processor seconds, and the most memory that it held.

Memory is the process's resident set (Linux: VmHWM of /proc/self/status, which
can be set back), not address space, of which engines reserve far more than
they use.  Work whose memory matters runs in a fresh process (`in_child`), so that
nothing is left over from the work before.
"""

import math
import os
import pickle
import resource
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import psutil

__all__ = [
    "THREADS",
    "Cost",
    "Meter",
    "costed",
    "hold_to_cores",
    "in_child",
    "median",
    "paired_ratios",
    "runs_a_turn",
    "shared",
]

T = TypeVar("T")

THREADS = 2
# Short work is run so often that a turn takes as long as this; one run would be all noise.
SECONDS_A_TURN = 0.5
SAMPLE_SECONDS = 0.05
ROOT = Path(__file__).parents[1]
STATUS = Path("/proc/self/status")
CLEAR = Path("/proc/self/clear_refs")


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Wall and processor seconds, and peak resident memory in bytes (of the whole process, while the work ran)."""

    seconds: float
    cpu: float
    peak: int


def hold_to_cores() -> None:
    """Keep this process and all that it starts to `THREADS` cores and threads."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:THREADS])
    for name in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = str(THREADS)


class Meter:
    """Measures from its making on; one at a time, since the peak of a process is one."""

    def __init__(self) -> None:
        _reset_peak()
        self._cpu, self._start = _cpu_seconds(), time.perf_counter()

    def read(self) -> Cost:
        """The cost so far."""
        seconds, cpu = time.perf_counter() - self._start, _cpu_seconds() - self._cpu
        return Cost(seconds=seconds, cpu=cpu, peak=_peak())


def costed(action: Callable[[], T]) -> tuple[T, Cost]:
    """What `action` returns, and its cost in this process."""
    meter = Meter()
    result = action()
    return result, meter.read()


def shared(action: Callable[[], object], runs: int) -> Cost:
    """The cost of one run out of `runs` in a row."""
    _, cost = costed(lambda: [action() for _ in range(runs)])
    return Cost(seconds=cost.seconds / runs, cpu=cost.cpu / runs, peak=cost.peak)


def runs_a_turn(action: Callable[[], object], repeats: int) -> int:
    """How often short work is to be run in each turn; once where there is but one turn."""
    return math.ceil(SECONDS_A_TURN / costed(action)[1].seconds) if repeats > 1 else 1


def paired_ratios(costs: Sequence[Cost], others: Sequence[Cost]) -> tuple[float, float]:
    """Medians of the ratios of wall and of processor seconds, pair by pair."""
    pairs = list(zip(costs, others, strict=True))
    return (
        statistics.median(one.seconds / other.seconds for one, other in pairs),
        statistics.median(one.cpu / other.cpu for one, other in pairs),
    )


def median(costs: Sequence[Cost]) -> Cost:
    """The median of each of seconds, processor seconds and peak."""
    return Cost(
        seconds=statistics.median(cost.seconds for cost in costs),
        cpu=statistics.median(cost.cpu for cost in costs),
        peak=int(statistics.median(cost.peak for cost in costs)),
    )


def in_child(task: Callable[..., T], *arguments: Any) -> tuple[T, int]:
    """Run a module-level function in a fresh process; what it returns, and the peak memory of its process tree.

    The peak is sampled from outside; `Cost.peak` misses nothing between
    samples but knows one process only.

    Raises
    ------
    RuntimeError
        The task failed; its traceback is in the message.
    """
    command = [sys.executable, "-m", "bench.child"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT) as process:
        peak = _TreePeak(process.pid)
        try:
            answer, _ = process.communicate(pickle.dumps((task, arguments)))
        finally:
            peak.stop()
    if not answer:
        raise RuntimeError(
            f"{task.__name__} ended without a word ({process.returncode}): killed, perhaps for want of memory"
        )
    done, told = pickle.loads(answer)
    if not done:
        raise RuntimeError(f"{task.__name__} failed: {told}")
    return told, peak.bytes


class _TreePeak:
    """The most memory that a process and its children held together, sampled until stopped."""

    def __init__(self, pid: int) -> None:
        self.bytes = 0
        self._root = psutil.Process(pid)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(SAMPLE_SECONDS):
            try:
                family = [self._root, *self._root.children(recursive=True)]
                self.bytes = max(self.bytes, sum(_resident(one) for one in family))
            except psutil.Error:
                continue


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0


def _cpu_seconds() -> float:
    usages = [resource.getrusage(whose) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def _reset_peak() -> None:
    """Start the peak again from what is held now, where the system can."""
    try:
        CLEAR.write_text("5")
    except OSError:
        return


def _peak() -> int:
    try:
        for line in STATUS.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    # Kibibytes on Linux, bytes on macOS; of the whole life of the process.
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
